//! What is shown: a tree in which every element and every character knows its id in the document.
//!
//! One type serves three: what the document shows (every id is there, leaves are as Slate's normalizer leaves them), the
//! editor's value (what is new has no id yet, leaves are as the editor has them), and both ends of the way from one value to
//! the next. It is persistent: a changed copy shares what did not change, so that what is the same in two trees is known by
//! its pointer.

use std::rc::Rc;
use std::sync::Arc;

use crate::slate::node::Attrs;
use crate::slate::ydoc::Id;

/// Who an element is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeId {
    Root,
    /// Its head: a strand or a break.
    Head(Id),
    /// An inline element around text: the key of its format, the head of the element that shows it (not around text), and
    /// the how manieth with this key there.
    Around {
        key: Arc<str>,
        holder: Id,
        nth: u32,
    },
    /// Not in the document yet; counted up by the editor's tree.
    New(u64),
}

/// An element, or the root.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    pub id: NodeId,
    /// By the user's names; without nulls.
    pub props: Rc<Attrs>,
    pub kids: Vec<Kid>,
    pub inline: bool,
    pub void: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kid {
    Element(Rc<Element>),
    Leaf(Leaf),
}

/// A text of Slate's; empty where Slate wants one (an element without content, beside inline elements).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leaf {
    pub marks: Rc<Attrs>,
    pub runs: Vec<Chars>,
}

/// Characters that follow each other, by id as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Chars {
    /// Of the first, those behind count up; `None`: not in the document yet.
    pub id: Option<Id>,
    /// Not empty.
    pub text: Arc<str>,
    /// In UTF-16 units.
    pub len: u32,
}
