//! Whether the tree still has what the doc has: looked at bit by bit, and mended where it has not.
//!
//! It always should. A look reads: it writes nothing into the doc, and what it changes in the tree leaves as operations,
//! like a change from elsewhere. The elements that transactions have changed come first, then the top-level blocks in
//! turn, each with all below it, and once a round which blocks there are. One look is never more than a piece of a
//! document, so that its cost does not grow with the length.

use yrs::Transact;

use super::super::op::Op;
use super::super::remote::Remote;
use super::super::tree::{NodeId, ROOT};
use super::SlateDoc;

/// So much is read in one look, in characters and elements. A single block may be more.
const BUDGET: u64 = 4_000;

/// So many blocks at most.
const BLOCKS: usize = 64;

/// So many looks pass between two at a document of format 1.
const REST: usize = if cfg!(debug_assertions) { 0 } else { 60 };

/// So many changed elements are remembered; the round comes by the others.
const CHANGED: usize = if cfg!(debug_assertions) { 4_096 } else { 16 };

/// How far the looking has come.
#[derive(Debug, Default)]
pub(super) struct Looks {
    changed: Vec<NodeId>,
    /// The top-level block whose turn it is, and for how many it goes on.
    next: usize,
    left: usize,
    /// Something changed after the looks had begun: what is before `next` has its turn once more.
    behind: bool,
    /// How many looks pass before the whole document is read again.
    rest: usize,
}

impl Looks {
    #[inline(never)]
    pub fn changed(&mut self, id: NodeId) {
        if self.changed.last() != Some(&id) && self.changed.len() < CHANGED {
            self.changed.push(id);
        }
    }
}

/// What a look has found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    /// The top-level blocks looked at, for comparing the editor's.
    pub blocks: Vec<u32>,
    /// How many elements were not what the doc has.
    pub divergences: u32,
    /// For the editor: mends them.
    pub ops: Vec<Op>,
}

impl SlateDoc {
    /// Looks at what transactions have changed since the last look.
    pub fn look_at_changes(&mut self) -> Look {
        if self.is_by_reference() {
            return if cfg!(debug_assertions) { self.look_by_reference() } else { Look::default() };
        }
        let open = self.take_changed();
        self.compare(open)
    }

    /// Looks at that, and at the next of all blocks.
    #[cold]
    #[inline(never)]
    pub fn look(&mut self) -> Look {
        if self.is_by_reference() {
            return self.look_next_by_reference();
        }
        let mut open = self.take_changed();
        let blocks = self.tree.children(ROOT);
        let (mut read, mut taken) = (0, 0);
        self.looks.left = self.looks.left.min(blocks.len());
        while self.looks.left > 0 && taken < BLOCKS && read < BUDGET {
            if self.looks.next >= blocks.len() {
                self.looks.next = 0;
            }
            if self.looks.next == 0 {
                open.push((ROOT, false));
            }
            let id = blocks[self.looks.next];
            read += self.tree.weight(id);
            open.push((id, true));
            self.looks.next += 1;
            self.looks.left -= 1;
            taken += 1;
        }
        self.compare(open)
    }

    /// Part by part; a document that cannot be looked at in parts not more often than once in so many looks.
    fn look_next_by_reference(&mut self) -> Look {
        if self.has_parts() {
            let part = self.look_at_part(self.looks.next);
            if part.is_none() && !std::mem::take(&mut self.looks.behind) {
                self.looks.left = 0;
            }
            let (look, next) = part.unwrap_or_default();
            self.looks.next = next;
            return look;
        }
        if self.looks.rest > 0 {
            self.looks.rest -= 1;
            return Look::default();
        }
        (self.looks.left, self.looks.rest) = (0, REST);
        self.look_by_reference()
    }

    /// From here on, all blocks have their turn once more.
    pub fn look_again(&mut self) {
        self.looks.left = usize::MAX;
        self.looks.behind = self.looks.next > 0;
    }

    /// Whether there are blocks whose turn has not come.
    pub fn is_looking(&self) -> bool {
        self.looks.left > 0
    }

    fn take_changed(&mut self) -> Vec<(NodeId, bool)> {
        std::mem::take(&mut self.looks.changed).into_iter().map(|id| (id, false)).collect()
    }

    #[cold]
    #[inline(never)]
    fn compare(&mut self, open: Vec<(NodeId, bool)>) -> Look {
        if open.is_empty() {
            return Look::default();
        }
        let mut blocks = Vec::new();
        for &(id, _) in &open {
            let top = self.tree.path(id).and_then(|path| path.first().copied());
            blocks.extend(top.filter(|top| !blocks.contains(top)));
        }
        let txn = self.doc.transact();
        let (outcome, divergences) = Remote::new(&mut self.tree, &txn).check(open);
        drop(txn);
        for id in outcome.touched {
            self.watch(id);
        }
        Look { blocks, divergences, ops: outcome.ops }
    }
}

#[cfg(any(test, feature = "testing"))]
#[allow(clippy::expect_used, reason = "tests")]
impl SlateDoc {
    /// Makes a text of the tree differ from the doc, as a defect would.
    pub fn spoil(&mut self, path: &[u32], text: &str) {
        let id = self.tree.resolve(path).expect("a path");
        let leaf = self.tree.text_mut(id).expect("a text");
        leaf.text = text.to_owned();
        leaf.len = crate::slate::utf16_len(text);
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests")]
impl SlateDoc {
    /// Shows another's element at the top, in a document of format 1.
    pub(in crate::slate) fn spoil_shown(&mut self, at: usize, other: &Self) {
        let other = other.reference.as_ref().expect("a document of format 1");
        self.reference.as_mut().expect("a document of format 1").spoil_tree(at, other.tree());
    }

    /// Takes the last item of an element for missing, in a document of format 1.
    pub(in crate::slate) fn spoil_known(&mut self, at: usize) {
        self.reference.as_mut().expect("a document of format 1").spoil_mirror(at);
    }

    /// For making it differ in any other way.
    pub(in crate::slate) fn tree_mut(&mut self) -> &mut crate::slate::tree::Tree {
        &mut self.tree
    }
}
