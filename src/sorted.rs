//! [`Sorted`]: a map in the order of its keys, where these are numbers.
//!
//! All of them are one B-tree of pairs of numbers, whatever they map to: the standard library's is compiled anew for
//! each pair of types, some ten kilobytes each time, and a dozen of those were a tenth of what a page loads. What the
//! keys map to stands beside the tree, in places that are used again.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

/// As two numbers, in the same order.
pub trait SortKey: Copy {
    fn to_pair(self) -> (u64, u64);
    fn of_pair(pair: (u64, u64)) -> Self;
}

impl SortKey for u64 {
    fn to_pair(self) -> (u64, u64) {
        (self, 0)
    }

    fn of_pair((number, _): (u64, u64)) -> Self {
        number
    }
}

impl SortKey for (u64, u64) {
    fn to_pair(self) -> (u64, u64) {
        self
    }

    fn of_pair(pair: (u64, u64)) -> Self {
        pair
    }
}

/// See the module.
#[derive(Clone)]
pub struct Sorted<K, V> {
    /// Where in `values` each one's value is.
    places: BTreeMap<(u64, u64), usize>,
    values: Vec<Option<V>>,
    free: Vec<usize>,
    key: PhantomData<K>,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), values: Vec::new(), free: Vec::new(), key: PhantomData }
    }
}

impl<K: SortKey, V> Sorted<K, V> {
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn get(&self, key: K) -> Option<&V> {
        self.values.get(*self.places.get(&key.to_pair())?)?.as_ref()
    }

    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let place = *self.places.get(&key.to_pair())?;
        self.values.get_mut(place)?.as_mut()
    }

    /// Instead of what was there.
    pub fn insert(&mut self, key: K, value: V) {
        let place = self.place(key);
        if let Some(here) = self.values.get_mut(place) {
            *here = Some(value);
        }
    }

    /// What is there, or was put there now.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let place = self.place(key);
        // A place that was just made is there.
        self.values[place].get_or_insert_default()
    }

    /// Where the value of a key is, or is to be.
    fn place(&mut self, key: K) -> usize {
        let (values, free) = (&mut self.values, &mut self.free);
        *self.places.entry(key.to_pair()).or_insert_with(|| {
            free.pop().unwrap_or_else(|| {
                values.push(None);
                values.len() - 1
            })
        })
    }

    pub fn remove(&mut self, key: K) -> Option<V> {
        let place = self.places.remove(&key.to_pair())?;
        self.vacate(place)
    }

    fn vacate(&mut self, place: usize) -> Option<V> {
        self.free.push(place);
        let value = self.values.get_mut(place)?.take();
        if self.places.is_empty() {
            // As the tree gives its memory back.
            (self.values, self.free) = (Vec::new(), Vec::new());
        }
        value
    }

    pub fn pop_first(&mut self) -> Option<(K, V)> {
        let (pair, place) = self.places.pop_first()?;
        Some((K::of_pair(pair), self.vacate(place)?))
    }

    /// Takes out all that comes before `key`, in order.
    pub fn take_before(&mut self, key: K) -> Vec<(K, V)> {
        let mut taken = Vec::new();
        while self.places.first_key_value().is_some_and(|(first, _)| *first < key.to_pair()) {
            taken.extend(self.pop_first());
        }
        taken
    }

    pub fn range(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (K, &V)> {
        let pair = |bound: Bound<&K>| bound.map(|key| key.to_pair());
        let found = self.places.range((pair(keys.start_bound()), pair(keys.end_bound())));
        found.filter_map(|(pair, place)| Some((K::of_pair(*pair), self.values.get(*place)?.as_ref()?)))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.range(..)
    }
}

impl<K: SortKey, V> IntoIterator for Sorted<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(mut self) -> Self::IntoIter {
        let values = &mut self.values;
        let all =
            self.places.iter().filter_map(|(pair, place)| Some((K::of_pair(*pair), values.get_mut(*place)?.take()?)));
        all.collect::<Vec<_>>().into_iter()
    }
}

impl<K: SortKey, V> FromIterator<(K, V)> for Sorted<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        let mut all = Self::default();
        entries.into_iter().for_each(|(key, value)| all.insert(key, value));
        all
    }
}

impl<K: SortKey + fmt::Debug, V: fmt::Debug> fmt::Debug for Sorted<K, V> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same acts on both, by numbers that come in no order.
    #[test]
    fn does_what_the_tree_of_the_standard_library_does() {
        let (mut sorted, mut tree) = (Sorted::<u64, String>::default(), BTreeMap::<u64, String>::new());
        let mut drawn = 7_u64;
        let mut draw = |below: u64| {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (drawn >> 33) % below
        };
        for turn in 0..20_000 {
            let (act, key) = (draw(8), draw(300));
            match act {
                0..3 => {
                    sorted.insert(key, turn.to_string());
                    tree.insert(key, turn.to_string());
                }
                3..5 => assert_eq!(sorted.remove(key), tree.remove(&key)),
                5 => {
                    sorted.or_default(key).push('x');
                    tree.entry(key).or_default().push('x');
                }
                6 if draw(20) == 0 => {
                    let later = tree.split_off(&key);
                    let before: Vec<_> = std::mem::replace(&mut tree, later).into_iter().collect();
                    assert_eq!(sorted.take_before(key), before);
                }
                _ => {
                    let found: Vec<_> = sorted.range(key / 2..=key).rev().collect();
                    assert_eq!(found, tree.range(key / 2..=key).rev().map(|(key, it)| (*key, it)).collect::<Vec<_>>());
                    assert_eq!(sorted.get(key), tree.get(&key));
                    assert_eq!(sorted.get_mut(key), tree.get_mut(&key));
                    if draw(50) == 0 {
                        assert_eq!(sorted.pop_first(), tree.pop_first());
                    }
                }
            }
            assert_eq!((sorted.len(), sorted.is_empty()), (tree.len(), tree.is_empty()));
        }
        assert_eq!(sorted.clone().into_iter().collect::<Vec<_>>(), tree.into_iter().collect::<Vec<_>>());
        // Places are used again.
        assert!(sorted.values.len() <= 300, "{} places for at most 300 keys", sorted.values.len());
    }

    #[test]
    fn pairs_are_in_the_order_of_the_first_then_the_second() {
        let mut all: Sorted<(u64, u64), u8> = [((2, 1), 3), ((1, 9), 2), ((1, 0), 1)].into_iter().collect();
        assert_eq!(all.iter().map(|(_, it)| *it).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(all.take_before((2, 0)), [((1, 0), 1), ((1, 9), 2)]);
        while all.pop_first().is_some() {}
        assert!(all.values.is_empty() && all.free.is_empty(), "what nothing is in takes no memory");
    }
}
