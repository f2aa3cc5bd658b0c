//! Properties as the tree keeps them: a sorted list. A document has thousands of nodes with none to three properties,
//! for which a map is large and slow.

use std::sync::Arc;

use yrs::Any;

use super::node::Attrs;

/// Sorted by key, each key once. None allocates nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Props(Vec<(Arc<str>, Any)>);

impl Props {
    pub fn from_attrs(attrs: &Attrs) -> Self {
        let own = attrs.iter().filter(|(key, _)| !is_reserved(key));
        Self(own.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// As [`Props::from_attrs`], without nulls: Slate takes a null property of a text for none, and so does Yjs.
    pub fn marks(attrs: &Attrs) -> Self {
        let present = attrs.iter().filter(|(key, value)| !is_null(value) && !is_reserved(key));
        Self(present.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    pub fn to_attrs(&self) -> Attrs {
        self.0.iter().cloned().collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Any)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Null is as good as absent.
    pub fn get(&self, key: &str) -> Option<&Any> {
        self.position(key).ok().map(|at| &self.0[at].1).filter(|value| !is_null(value))
    }

    pub fn set(&mut self, key: Arc<str>, value: Any) {
        match self.position(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub fn remove(&mut self, key: &str) {
        if let Ok(at) = self.position(key) {
            self.0.remove(at);
        }
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key))
    }

    /// What must be set to come from `self` to `target`: null for what is to go.
    pub fn changes_to(&self, target: &Props) -> Vec<(Arc<str>, Any)> {
        if self == target {
            return Vec::new();
        }
        let gone = self.iter().filter(|(key, value)| !is_null(value) && target.get(key).is_none());
        let set = target.iter().filter(|(key, value)| !is_null(value) && self.get(key) != Some(value));
        let gone = gone.map(|(key, _)| (key.clone(), Any::Null));
        gone.chain(set.map(|(key, value)| (key.clone(), value.clone()))).collect()
    }

    /// Equal up to nulls.
    pub fn same(&self, other: &Props) -> bool {
        self == other || self.changes_to(other).is_empty()
    }
}

impl FromIterator<(Arc<str>, Any)> for Props {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Any)>>(iter: I) -> Self {
        let mut list: Vec<_> = iter.into_iter().collect();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list.dedup_by(|a, b| a.0 == b.0);
        Self(list)
    }
}

pub(super) fn is_null(value: &Any) -> bool {
    matches!(value, Any::Null | Any::Undefined)
}

/// `text` and `children` are what a node is, not properties of it.
pub(super) fn is_reserved(key: &str) -> bool {
    key == "text" || key == "children"
}
