//! What one edit has set: marks of text, or properties of an element; and what was there before.

use std::sync::Arc;

use yrs::{Any, ID};

use super::copies::Run;
use super::node::Attrs;
use super::props::Props;

/// One edit of marks or properties.
#[derive(Debug, Clone)]
pub(super) struct Style {
    pub of: Styled,
    pub changes: Vec<Restyling>,
    /// The author's clock before it.
    pub clock: u32,
}

#[derive(Debug, Clone)]
pub(super) enum Styled {
    Element(ID),
    /// In an element; none: the root.
    Text(Option<ID>, Vec<Run>),
}

#[derive(Debug, Clone)]
pub(super) struct Restyling {
    pub key: Arc<str>,
    /// None: absent.
    pub old: Option<Any>,
    pub new: Option<Any>,
}

impl Style {
    /// What is to be set where there are these marks or properties: properties and new ones of a `set_node`.
    pub(super) fn due(&self, props: &Props) -> Option<(Attrs, Attrs)> {
        let due = self.changes.iter().filter(|change| props.get(&change.key) == change.old.as_ref());
        let (mut before, mut after) = (Attrs::new(), Attrs::new());
        for change in due {
            if let Some(old) = &change.old {
                before.insert(change.key.clone(), old.clone());
            }
            after.insert(change.key.clone(), change.new.clone().unwrap_or(Any::Null));
        }
        (!after.is_empty()).then_some((before, after))
    }
}
