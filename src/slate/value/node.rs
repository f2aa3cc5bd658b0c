//! Detached Slate nodes: what an operation carries, what `value()` returns.

use std::sync::Arc;

use yrs::Any;

/// Properties of an element or marks of a text leaf. Any JSON value; ordered, so that equal values encode equally. A
/// sorted list: there are none to three, for which a map is large and slow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attrs(Vec<Attr>);

type Attr = (Arc<str>, Any);

impl Attrs {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Of entries in the order of their keys, each of them once.
    pub(in crate::slate) fn of_sorted(entries: Vec<Attr>) -> Self {
        debug_assert!(entries.is_sorted_by(|(a, _), (b, _)| a < b));
        Self(entries)
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_ref().cmp(key))
    }

    pub fn get(&self, key: &(impl AsRef<str> + ?Sized)) -> Option<&Any> {
        Some(self.get_key_value(key.as_ref())?.1)
    }

    pub fn get_key_value(&self, key: &str) -> Option<(&Arc<str>, &Any)> {
        self.position(key).ok().map(|at| (&self.0[at].0, &self.0[at].1))
    }

    pub fn contains_key(&self, key: &(impl AsRef<str> + ?Sized)) -> bool {
        self.position(key.as_ref()).is_ok()
    }

    /// Returns what was there.
    pub fn insert(&mut self, key: Arc<str>, value: Any) -> Option<Any> {
        match self.position(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                if self.0.is_empty() {
                    // Mostly there is one.
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Any> {
        self.position(key).ok().map(|at| self.0.remove(at).1)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&Arc<str>, &mut Any) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Any)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl Iterator<Item = &Any> {
        self.0.iter().map(|(_, value)| value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Of several with one key, the last counts.
impl FromIterator<Attr> for Attrs {
    fn from_iter<I: IntoIterator<Item = Attr>>(iter: I) -> Self {
        let mut attrs = Self::new();
        attrs.extend(iter);
        attrs
    }
}

impl Extend<Attr> for Attrs {
    fn extend<I: IntoIterator<Item = Attr>>(&mut self, iter: I) {
        let iter = iter.into_iter();
        match self.0.is_empty() {
            true => self.0.reserve_exact(iter.size_hint().0),
            false => self.0.reserve(iter.size_hint().0),
        }
        for (key, value) in iter {
            self.insert(key, value);
        }
    }
}

impl<const N: usize> From<[Attr; N]> for Attrs {
    fn from(entries: [Attr; N]) -> Self {
        entries.into_iter().collect()
    }
}

impl IntoIterator for Attrs {
    type Item = Attr;
    type IntoIter = std::vec::IntoIter<Attr>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Attrs {
    type Item = (&'a Arc<str>, &'a Any);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, Attr>, fn(&'a Attr) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

/// A Slate node that belongs to no document.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Element(Element),
    Text(Leaf),
}

/// An element: every property except `children` is in `attrs`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Element {
    pub attrs: Attrs,
    pub children: Vec<Node>,
}

/// A text leaf: every property except `text` is in `marks`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leaf {
    pub text: String,
    pub marks: Attrs,
}
