//! Text of one's own that a peer's split, merge or wrapping has left where it was not typed.
//!
//! What is copied leaves its original, and what someone typed among it at the same time stays behind: before the line
//! instead of in the middle of the one above. Or the copy comes to stand before what was typed where it was put. A
//! record says what the characters around it have become, so its author, and nobody else, brings it there.

use yrs::{Assoc, BranchID, ClientID, ID, TransactionMut};

use super::copies::{self, Copies, Group, Key, Part, Run, nth};
use super::op::Op;
use super::rescue::{GoneText, Restored, locate, place_of};
use super::tree::{NodeId, Tree};
use super::{op::Path, utf16};

/// How many stretches are brought back after one update. Few people type in more than one place.
pub(super) const MAX: usize = 32;

/// Single characters are looked at; this is for blocks, not for whole documents in one.
const MAX_LEN: u32 = 20_000;

/// Where a piece of an element's content is.
#[derive(Debug, Clone, Copy)]
struct ContentPart {
    id: NodeId,
    at: u32,
    len: u32,
}

pub(super) struct StraySearch<'a, 'doc, F> {
    pub txn: &'a mut TransactionMut<'doc>,
    pub tree: &'a Tree,
    pub copies: &'a Copies,
    pub is_own: F,
}

impl<F: Fn(ClientID) -> bool> StraySearch<'_, '_, F> {
    /// The next of what these records have left behind: its removal, and its insertion where it belongs.
    pub fn next(&mut self, theirs: &[Key]) -> Option<[Restored; 2]> {
        let copies = self.copies;
        let groups: Vec<&Group> = theirs.iter().flat_map(|key| copies.groups(*key)).collect();
        groups.into_iter().find_map(|group| match group.part {
            Part::Whole => self.beside(group),
            _ => self.among(group),
        })
    }

    /// What stands among characters that were copied elsewhere.
    fn among(&mut self, group: &Group) -> Option<[Restored; 2]> {
        let id = self.text_element(group.source?)?;
        let (mut from, mut copy) = (0, None);
        for &(original, to, len) in &group.runs {
            let mut into = 0;
            while into < len {
                let at = self.offset(id, nth(original, into), Assoc::After)?;
                let first = (copy.is_some() || group.part == Part::Head).then_some(from).filter(|from| *from < at);
                if let Some(from) = first {
                    let place = copy.map_or((nth(to, into), Assoc::After), |copy| (copy, Assoc::Before));
                    if let Some(found) = self.bring(ContentPart { id, at: from, len: at - from }, place) {
                        return Some(found);
                    }
                }
                // Up to the last character with nothing between it and this one.
                into = self.last_at(id, original, into, len, at)?;
                (from, copy) = (at, Some(nth(to, into)));
                into += 1;
            }
        }
        let end = self.tree.content_len(id);
        let rest = ContentPart { id, at: from, len: end.checked_sub(from)? };
        (group.part == Part::Tail).then(|| self.bring(rest, (copy?, Assoc::Before)))?
    }

    /// What stands behind a copy that was put to the end of an element, or before one that was put to its start: it was
    /// there before.
    fn beside(&mut self, group: &Group) -> Option<[Restored; 2]> {
        let (first, last) = (group.runs.first()?.1, group.runs.last().map(|(_, to, len)| nth(*to, len - 1))?);
        let id = self.text_element(group.target?)?;
        let end = self.tree.content_len(id);
        let (at, len, place) = match (group.before, group.behind) {
            (_, None) => {
                let at = self.offset(id, last, Assoc::Before)?;
                (at, end.checked_sub(at)?, (first, Assoc::After))
            }
            (None, Some(_)) => (0, self.offset(id, first, Assoc::After)?, (last, Assoc::Before)),
            _ => return None,
        };
        self.bring(ContentPart { id, at, len }, place)
    }

    /// The first of one's own text in a stretch, to be brought beside a character.
    fn bring(&mut self, stretch: ContentPart, (copy, assoc): (ID, Assoc)) -> Option<[Restored; 2]> {
        let branch = self.tree.branch(stretch.id).filter(|_| stretch.len > 0)?;
        let runs = copies::ids(self.txn, &branch, stretch.at, stretch.at + stretch.len.min(MAX_LEN));
        let ids = runs.iter().flat_map(|run| run.ids());
        // What both copied is there twice, for a moment, and goes or stays for other reasons.
        let typed = |id: &ID| (self.is_own)(id.client) && !self.copies.has_twin(*id);
        let before = ids.clone().take_while(|id| !typed(id)).count() as u32;
        let mut own: Vec<Run> = Vec::new();
        ids.skip(before as usize).take_while(typed).for_each(|id| copies::push(&mut own, id, 1));
        let len: u32 = own.iter().map(|run| run.len).sum();
        let (leaf, offset) = locate(self.tree, stretch.id, stretch.at + before, true).filter(|_| len > 0)?;
        let text = self.tree.text(leaf)?;
        let len = len.min(text.len - offset);
        let text = utf16::slice(&text.text, offset, offset + len)?.to_owned();
        let path = self.tree.path(leaf)?;
        let removal = Restored { op: Op::RemoveText { path, offset, text: text.clone() }, origins: Vec::new() };
        let (target, at) =
            self.copies.follow(copy).into_iter().rev().find_map(|id| place_of(&*self.txn, self.tree, id, assoc))?;
        let found = locate(self.tree, target, at, assoc == Assoc::After);
        let (to, mut at) = found.or_else(|| locate(self.tree, target, at, assoc == Assoc::Before))?;
        if to == leaf && at > offset {
            // By then it is gone from before it.
            at = at.checked_sub(len).filter(|at| *at >= offset)?;
        }
        if to == leaf && at == offset {
            return None;
        }
        let op = Op::InsertText { path: self.tree.path(to)?, offset: at, text };
        let source = self.tree.block(stretch.id)?.key?;
        Some([removal, Restored { op, origins: vec![GoneText { source, ids: own, within: Path::new() }] }])
    }

    /// An element with text of which all is known.
    fn text_element(&self, key: ID) -> Option<NodeId> {
        let id = self.tree.by_branch(&BranchID::Nested(key))?;
        self.tree.block(id).filter(|block| block.texts > 0 && block.foreign == 0).map(|_| id)
    }

    fn offset(&self, id: NodeId, of: ID, assoc: Assoc) -> Option<u32> {
        place_of(&*self.txn, self.tree, of, assoc).filter(|(element, _)| *element == id).map(|(_, at)| at)
    }

    /// The last of the characters from `into` on that is at the offset `at`; deleted ones share one.
    fn last_at(&self, id: NodeId, first: ID, into: u32, len: u32, at: u32) -> Option<u32> {
        let (mut low, mut high) = (into, len - 1);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.offset(id, nth(first, middle), Assoc::After)? > at {
                high = middle - 1;
            } else {
                low = middle;
            }
        }
        Some(low)
    }
}
