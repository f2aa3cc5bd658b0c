//! Positions in a document of format 1: a character and a side.
//!
//! At a block's end the position is tied to the character before; where there is no character, to the block's head. Ids
//! never change, whatever is divided, joined or moved; what was written again is followed by its record.

use yrs::{Assoc, BranchID, ID, IndexScope, ReadTxn, StickyIndex, XmlTextRef};
use yrs::{ClientID, branch::Branch};

use super::reference::Reference;
use crate::slate::value::op::{Path, Point};
use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::sticky::Sticky;
use crate::slate::ydoc::{Id, Item, Kind, Nid};

impl Reference {
    /// `None` if the point does not exist.
    pub fn sticky(&self, point: &Point, assoc: Assoc) -> Option<Sticky> {
        let (index, parent) = point.path.split_last()?;
        let element = self.tree().at(parent).ok()?;
        let Kid::Leaf(leaf) = element.kids.get(*index as usize)? else { return None };
        if point.offset > leaf.len() {
            return None;
        }
        let leaves = |kids: &[Kid], back: bool| -> Option<Id> {
            let mut kids: Box<dyn Iterator<Item = &Kid>> =
                if back { Box::new(kids.iter().rev()) } else { Box::new(kids.iter()) };
            kids.find_map(|kid| match kid {
                Kid::Leaf(leaf) if back => last_of(leaf),
                Kid::Leaf(leaf) => first_of(leaf),
                Kid::Element(_) => None,
            })
        };
        let before = || char_before(leaf, point.offset).or_else(|| leaves(&element.kids[..*index as usize], true));
        let behind = || char_at(leaf, point.offset).or_else(|| leaves(&element.kids[*index as usize + 1..], false));
        let found = match assoc {
            Assoc::After => behind().map(|id| (id, Assoc::After)).or_else(|| before().map(|id| (id, Assoc::Before))),
            Assoc::Before => before().map(|id| (id, Assoc::Before)).or_else(|| behind().map(|id| (id, Assoc::After))),
        };
        match found {
            Some((id, assoc)) => Some(relative(id, assoc)),
            None => self.head(element, assoc),
        }
    }

    /// The position of an element without characters.
    fn head(&self, element: &Element, assoc: Assoc) -> Option<Sticky> {
        let id = match &element.id {
            NodeId::Head(id) => *id,
            NodeId::Around { holder, .. } => *holder,
            NodeId::Root | NodeId::New(_) => return None,
        };
        match self.mirror.kind(self.mirror.find(id)?) {
            Kind::Break => Some(relative(id, assoc)),
            _ => Some(Sticky(StickyIndex::new(IndexScope::Nested(yrs_id(id)), assoc))),
        }
    }

    /// Where a position is now; `ids`: what it is tied to, the latest first.
    pub fn resolve<T: ReadTxn>(&self, txn: &T, scope: &IndexScope, assoc: Assoc, ids: &[Id]) -> Option<Point> {
        for id in ids {
            let id = self.again.latest(*id);
            let found = match scope {
                IndexScope::Relative(_) => self.of_char(txn, id, assoc),
                IndexScope::Nested(_) => self.of_head(id, assoc),
                IndexScope::Root(_) => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether a character or element with this id is shown.
    pub fn is_shown(&self, id: Id) -> bool {
        find_char(self.tree(), id).is_some() || self.tree().below(id).is_some()
    }

    fn of_char<T: ReadTxn>(&self, txn: &T, id: Id, assoc: Assoc) -> Option<Point> {
        if let Some((path, offset)) = find_char(self.tree(), id) {
            let behind = u32::from(assoc == Assoc::Before);
            return Some(Point { path, offset: offset + behind });
        }
        if self.mirror.find(id).is_some() {
            return self.of_head(id, assoc);
        }
        // It is gone: beside what stood next to it.
        let offset = StickyIndex::new(IndexScope::Relative(yrs_id(id)), assoc).get_offset(txn)?;
        let branch = XmlTextRef::from(offset.branch);
        let branch: &Branch = branch.as_ref();
        let seq = match branch.id() {
            BranchID::Nested(id) => self.mirror.find(id.into())?,
            BranchID::Root(_) => return None,
        };
        let (before, behind) = self.beside(seq, offset.index);
        let at = |id: Option<Id>, more: u32| {
            find_char(self.tree(), id?).map(|(path, offset)| Point { path, offset: offset + more })
        };
        let (first, second) = match assoc {
            Assoc::After => (at(behind, 0), at(before, 1)),
            Assoc::Before => (at(before, 1), at(behind, 0)),
        };
        first.or(second).or_else(|| self.of_head(self.head_before(seq, offset.index), assoc))
    }

    /// The characters at both sides of a place in a sequence, up to the next break or block.
    fn beside(&self, seq: Nid, index: u32) -> (Option<Id>, Option<Id>) {
        let (mut start, mut before, mut behind) = (0, None, None);
        for item in &self.mirror.node(seq).items {
            let end = start + item.len();
            match item {
                Item::Text(run) if end <= index => before = Some(run.id.plus(run.len - 1)),
                Item::Text(run) if start < index => {
                    before = Some(run.id.plus(index - start - 1));
                    behind = Some(run.id.plus(index - start));
                }
                Item::Text(run) => behind = behind.or(Some(run.id)),
                _ if end <= index => before = None,
                _ => break,
            }
            if behind.is_some() {
                break;
            }
            start = end;
        }
        (before, behind)
    }

    /// The last head before a place in a sequence.
    fn head_before(&self, seq: Nid, index: u32) -> Id {
        let (mut start, mut head) = (0, self.mirror.id(seq));
        for item in &self.mirror.node(seq).items {
            if start >= index {
                break;
            }
            if let Item::Node(node) = item
                && self.mirror.kind(*node) == Kind::Break
            {
                head = self.mirror.id(*node);
            }
            start += item.len();
        }
        head
    }

    fn of_head(&self, id: Id, assoc: Assoc) -> Option<Point> {
        let (mut path, element) = self.tree().below(id)?;
        let mut at = element;
        loop {
            let (index, kid) = match assoc {
                Assoc::After => (0, at.kids.first()?),
                Assoc::Before => (at.kids.len() - 1, at.kids.last()?),
            };
            path.push(index as u32);
            match kid {
                Kid::Element(kid) => at = kid,
                Kid::Leaf(leaf) => {
                    return Some(Point { path, offset: if assoc == Assoc::After { 0 } else { leaf.len() } });
                }
            }
        }
    }
}

fn yrs_id(id: Id) -> ID {
    ID::new(ClientID::new(id.client), id.clock)
}

fn relative(id: Id, assoc: Assoc) -> Sticky {
    Sticky(StickyIndex::new(IndexScope::Relative(yrs_id(id)), assoc))
}

fn first_of(leaf: &Leaf) -> Option<Id> {
    leaf.runs.first()?.id
}

fn last_of(leaf: &Leaf) -> Option<Id> {
    let run = leaf.runs.last()?;
    Some(run.id?.plus(run.len - 1))
}

/// The character behind an offset.
fn char_at(leaf: &Leaf, offset: u32) -> Option<Id> {
    let mut start = 0;
    for run in &leaf.runs {
        if offset < start + run.len {
            return Some(run.id?.plus(offset - start));
        }
        start += run.len;
    }
    None
}

fn char_before(leaf: &Leaf, offset: u32) -> Option<Id> {
    char_at(leaf, offset.checked_sub(1)?)
}

/// The leaf of a character, and where in it.
fn find_char(root: &Element, id: Id) -> Option<(Path, u32)> {
    let mut todo: Vec<(&Element, usize)> = vec![(root, 0)];
    while let Some((element, index)) = todo.pop() {
        let Some(kid) = element.kids.get(index) else { continue };
        todo.push((element, index + 1));
        match kid {
            Kid::Element(kid) => todo.push((kid, 0)),
            Kid::Leaf(leaf) => {
                let mut start = 0;
                for run in &leaf.runs {
                    let is_in = |first: &Id| {
                        first.client == id.client && (first.clock..first.clock + run.len).contains(&id.clock)
                    };
                    if let Some(first) = run.id.filter(|first| is_in(first)) {
                        let path = todo.iter().map(|(_, index)| *index as u32 - 1).collect();
                        return Some((path, start + id.clock - first.clock));
                    }
                    start += run.len;
                }
            }
        }
    }
    None
}
