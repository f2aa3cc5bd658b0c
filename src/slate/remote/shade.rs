//! The nodes of which the [`shadow`](super::shadow) is made.

use std::cell::Cell;

use super::known::Who;
use super::stretches::StretchId;
use crate::slate::value::node::Attrs;
use crate::slate::view::tree::Element;

pub(super) type ShadeId = u32;

/// A node of the shadow.
#[derive(Debug)]
pub(super) struct Shade<'a> {
    pub up: Option<ShadeId>,
    /// Where among its siblings it was last.
    pub at: Cell<u32>,
    pub kind: ShadeKind<'a>,
}

#[derive(Debug)]
pub(super) enum ShadeKind<'a> {
    Leaf {
        marks: &'a Attrs,
        stretches: Vec<StretchId>,
    },
    Element {
        who: Who,
        /// Has the properties that it has now.
        like: &'a Element,
        /// Made when needed.
        kids: Option<Vec<ShadeId>>,
        /// By how much the kid that was asked for before was not where it was last.
        off: Cell<i32>,
    },
}
