//! A map for few entries: a vector of pairs, sorted by key.
//!
//! Most channels have one or two members. A B-tree allocates space for eleven pairs and a hash table for four; this map
//! allocates for one pair at a time while it is small. Its size is bounded by the members of a channel, so inserting in the
//! middle stays cheap.

use std::borrow::Borrow;
use std::ops::Index;

/// Up to this length, space is allocated for one pair at a time.
const EXACT: usize = 2;

/// Pairs, sorted by their key.
#[derive(Debug)]
pub(crate) struct VecMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for VecMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> VecMap<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Inserts a value, and replaces a previous one.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => self.0[at] = (key, value),
            Err(at) => {
                if self.0.len() < EXACT {
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, (key, value));
            }
        }
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }
}

impl<K: Ord, V> Index<&K> for VecMap<K, V> {
    type Output = V;

    #[expect(clippy::expect_used, reason = "the caller knows that the key exists")]
    fn index(&self, key: &K) -> &V {
        self.get(key).expect("the key exists")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sorted_and_allocates_exactly() {
        let mut map = VecMap::default();
        map.insert(2, "b");
        assert_eq!(map.0.capacity(), 1);
        map.insert(1, "x");
        map.insert(3, "c");
        map.insert(1, "a");
        assert_eq!((map.get(&1), map.get(&4), map.len()), (Some(&"a"), None, 3));
        assert_eq!(map.keys().zip(map.values()).collect::<Vec<_>>(), [(&1, &"a"), (&2, &"b"), (&3, &"c")]);
        assert_eq!((map.remove(&2), map.remove(&2)), (Some("b"), None));
        *map.get_mut(&3).unwrap() = "d";
        assert_eq!((map[&3], map.len()), ("d", 2));
    }
}
