//! Optional state, boxed on first write; reads see a shared empty default.

use std::ops::{Deref, DerefMut};

/// A type with a shared empty default value.
pub(crate) trait StaticDefault: Default + 'static {
    /// The shared default.
    fn static_default() -> &'static Self;

    /// Whether the value equals the default, so that it need not be stored.
    fn is_default(&self) -> bool;
}

/// A value that takes eight bytes while it is the default.
#[derive(Debug)]
pub(crate) struct LazyBox<T>(Option<Box<T>>);

impl<T> Default for LazyBox<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: StaticDefault> LazyBox<T> {
    pub(crate) fn new(value: T) -> Self {
        Self((!value.is_default()).then(|| Box::new(value)))
    }

    /// The value, if it is stored. Use it to change or remove content, and not to add any.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Frees the memory of a value that is the default again.
    pub(crate) fn shrink(&mut self) {
        if self.is_default() {
            self.0 = None;
        }
    }
}

impl<T: StaticDefault> Deref for LazyBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => T::static_default(),
        }
    }
}

impl<T: StaticDefault> DerefMut for LazyBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl StaticDefault for Vec<u8> {
        fn static_default() -> &'static Self {
            static EMPTY: Vec<u8> = Vec::new();
            &EMPTY
        }

        fn is_default(&self) -> bool {
            self.is_empty()
        }
    }

    #[test]
    fn a_default_value_is_not_stored() {
        let mut lazy = LazyBox::new(Vec::new());
        assert!(lazy.0.is_none() && lazy.is_empty());
        lazy.push(7);
        lazy.shrink();
        assert_eq!(lazy.first(), Some(&7));
        lazy.clear();
        assert!(lazy.0.is_some());
        lazy.shrink();
        assert!(lazy.0.is_none());
    }
}
