//! Properties as the tree keeps them.

use std::sync::Arc;

use yrs::Any;

use super::node::Attrs;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Props(Attrs);

impl Props {
    pub fn from_attrs(attrs: &Attrs) -> Self {
        let own = attrs.iter().filter(|(key, _)| !is_reserved(key));
        own.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// As [`Props::from_attrs`], without nulls: Slate takes a null property of a text for none, and so does Yjs.
    pub fn marks(attrs: &Attrs) -> Self {
        Self(present(attrs))
    }

    pub fn to_attrs(&self) -> Attrs {
        self.0.clone()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Any)> {
        self.0.iter()
    }

    /// Null is as good as absent.
    pub fn get(&self, key: &str) -> Option<&Any> {
        self.0.get(key).filter(|value| !is_null(value))
    }

    pub fn set(&mut self, key: Arc<str>, value: Any) {
        self.0.insert(key, value);
    }

    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
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
        Self(iter.into_iter().collect())
    }
}

pub(super) fn is_null(value: &Any) -> bool {
    matches!(value, Any::Null | Any::Undefined)
}

/// `text` and `children` are what a node is, not properties of it.
pub(super) fn is_reserved(key: &str) -> bool {
    key == "text" || key == "children"
}

/// Whether this is a property of a node, and one that it has: a null is as good as none.
pub(super) fn is_present(key: &str, value: &Any) -> bool {
    !is_null(value) && !is_reserved(key)
}

/// Those of them.
pub(super) fn present(attrs: &Attrs) -> Attrs {
    let own = attrs.iter().filter(|(key, value)| is_present(key, value));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}
