//! A part of the state that most channels do not have: looked at, it is vacant; changed, it is there.

use std::ops::{Deref, DerefMut};

/// What is as good as not there while nothing is in it.
pub(crate) trait StaticDefault: Default + 'static {
    /// The one that everybody looks at who has none.
    fn static_default() -> &'static Self;

    /// Whether nothing is in it that must be cached.
    fn is_default(&self) -> bool;
}

/// A part that takes eight bytes until it is changed for the first time.
#[derive(Debug)]
pub(crate) struct LazyBox<T>(Option<Box<T>>);

impl<T> Default for LazyBox<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: StaticDefault> LazyBox<T> {
    pub(crate) fn new(part: T) -> Self {
        Self((!part.is_default()).then(|| Box::new(part)))
    }

    /// The part, if it is there: to change what is in it, and not to put anything in.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Gives back the room of a part in which nothing is any more.
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
            Some(part) => part,
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
    fn it_is_there_only_while_something_is_in_it() {
        let mut rare = LazyBox::new(Vec::new());
        assert!(rare.0.is_none() && rare.is_empty());
        rare.push(7);
        rare.shrink();
        assert_eq!(rare.first(), Some(&7));
        rare.clear();
        assert!(rare.0.is_some());
        rare.shrink();
        assert!(rare.0.is_none());
    }
}
