//! Properties as the tree keeps them.

use std::rc::Rc;
use std::sync::Arc;

use yrs::Any;

use super::node::Attrs;

#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::slate) struct Props(Attrs);

impl Props {
    /// Without nulls: Slate takes a null property of a text for none, and so does Yjs.
    pub fn marks(attrs: &Attrs) -> Self {
        Self(present(attrs))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Any)> {
        self.0.iter()
    }
}

impl FromIterator<(Arc<str>, Any)> for Props {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Any)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

pub(in crate::slate) fn is_null(value: &Any) -> bool {
    matches!(value, Any::Null | Any::Undefined)
}

/// `text` and `children` are what a node is, not properties of it.
pub(in crate::slate) fn is_reserved(key: &str) -> bool {
    key == "text" || key == "children"
}

/// Whether this is a property of a node, and one that it has: a null is as good as none.
pub(in crate::slate) fn is_present(key: &str, value: &Any) -> bool {
    !is_null(value) && !is_reserved(key)
}

/// [`present`], the same where all are.
pub(in crate::slate) fn present_of(attrs: &Rc<Attrs>) -> Rc<Attrs> {
    match attrs.iter().all(|(key, value)| is_present(key, value)) {
        true => attrs.clone(),
        false => Rc::new(present(attrs)),
    }
}

/// Those of them.
pub(in crate::slate) fn present(attrs: &Attrs) -> Attrs {
    let own = attrs.iter().filter(|(key, value)| is_present(key, value));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}
