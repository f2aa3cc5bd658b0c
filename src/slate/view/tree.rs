//! What is shown: a tree in which every element and every character knows its id in the document.
//!
//! One type serves three: what the document shows (every id is there, leaves are as Slate's normalizer leaves them), the
//! editor's value (what is new has no id yet, leaves are as the editor has them), and both ends of the way from one value to
//! the next. It is persistent: a changed copy shares what did not change, so that what is the same in two trees is known by
//! its pointer.

use std::rc::Rc;
use std::sync::Arc;

use crate::slate::value::error::OpError;
use crate::slate::value::node::Attrs;
use crate::slate::value::op::Path;
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

impl NodeId {
    /// Of what stands for elements that are left out of a part of a document: the how manieth.
    pub const fn left_out(&self) -> Option<u32> {
        match self {
            Self::Head(id) => id.left_out(),
            Self::Root | Self::Around { .. } | Self::New(_) => None,
        }
    }
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

impl Element {
    /// The root with these.
    pub fn root(kids: Vec<Kid>) -> Self {
        Self { id: NodeId::Root, props: Rc::default(), kids, inline: false, void: false }
    }

    /// Its kids without the leaves.
    pub fn elements(&self) -> impl DoubleEndedIterator<Item = &Rc<Element>> {
        self.kids.iter().filter_map(Kid::element)
    }

    /// The path of a head's element, which may be this one.
    pub fn path_of(&self, head: Id) -> Option<Path> {
        if self.id == NodeId::Head(head) { Some(Path::new()) } else { self.below(head).map(|(path, _)| path) }
    }

    /// The head's element below this one, and its path.
    pub fn below(&self, head: Id) -> Option<(Path, &Self)> {
        let mut todo: Vec<(&Self, usize)> = vec![(self, 0)];
        while let Some((element, index)) = todo.pop() {
            let Some(kid) = element.kids.get(index) else { continue };
            todo.push((element, index + 1));
            if let Kid::Element(kid) = kid {
                if kid.id == NodeId::Head(head) {
                    return Some((todo.iter().map(|(_, index)| *index as u32 - 1).collect(), kid));
                }
                todo.push((kid, 0));
            }
        }
        None
    }

    /// The element at a path below this one.
    ///
    /// # Errors
    /// If there is nothing on the way, or a leaf.
    pub fn at(&self, path: &[u32]) -> Result<&Self, OpError> {
        let mut at = self;
        for &index in path {
            at = match at.kids.get(index as usize) {
                Some(Kid::Element(kid)) => kid,
                Some(Kid::Leaf(_)) => return Err(OpError::WrongKind),
                None => return Err(OpError::NoSuchNode),
            };
        }
        Ok(at)
    }

    /// [`Element::at`], for change. What is on the way is no longer shared, unless there is no such element: then nothing is
    /// touched.
    pub fn at_mut<'a>(root: &'a mut Rc<Self>, path: &[u32]) -> Result<&'a mut Self, OpError> {
        root.at(path)?;
        let mut at = Rc::make_mut(root);
        for &index in path {
            let Some(Kid::Element(kid)) = at.kids.get_mut(index as usize) else { return Err(OpError::WrongKind) };
            at = Rc::make_mut(kid);
        }
        Ok(at)
    }
}

impl Kid {
    /// It, unless it is a leaf.
    pub fn element(&self) -> Option<&Rc<Element>> {
        match self {
            Self::Element(element) => Some(element),
            Self::Leaf(_) => None,
        }
    }

    /// By its pointer; texts by what they have.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Element(a), Self::Element(b)) => Rc::ptr_eq(a, b),
            (a, b) => a == b,
        }
    }
}

/// How many at the start, and how many at the end, are the same.
pub fn same_ends(a: &[Kid], b: &[Kid]) -> (usize, usize) {
    let start = a.iter().zip(b).take_while(|(a, b)| a.is_same(b)).count();
    let rest = a[start..].iter().rev().zip(b[start..].iter().rev());
    (start, rest.take_while(|(a, b)| a.is_same(b)).count())
}

impl Leaf {
    /// In UTF-16 units.
    pub fn len(&self) -> u32 {
        self.runs.iter().map(|run| run.len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Characters behind the last. Runs that go on with each other, by id or because both are new, become one.
    pub fn push(&mut self, more: Chars) {
        match self.runs.last_mut() {
            Some(last) if last.id.map(|id| id.plus(last.len)) == more.id => {
                last.text = [&*last.text, &*more.text].concat().into();
                last.len += more.len;
            }
            _ => self.runs.push(more),
        }
    }
}
