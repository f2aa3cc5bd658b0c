//! Whether the tree still has what the doc has: looked at bit by bit, and mended where it has not.
//!
//! It always should. A look reads: it writes nothing into the doc, and what it changes in the tree leaves as operations,
//! like a change from elsewhere. The elements that transactions have changed come first, then the top-level blocks in
//! turn, each with all below it, and once a round which blocks there are. One look is never more than a piece of a
//! document, so that its cost does not grow with the length.

use super::SlateDoc;
use super::look::Look;

/// So many looks pass between two at a document that cannot be looked at in parts.
const REST: usize = if cfg!(debug_assertions) { 0 } else { 60 };

impl SlateDoc {
    /// In a debug build, so that every test does it: looks at what transactions have changed, in format 1 at all.
    pub fn look_at_changes(&mut self) -> Look {
        match (cfg!(debug_assertions), self.is_by_reference()) {
            (false, _) => Look::default(),
            (true, true) => self.look_by_reference(),
            (true, false) => self.look_at_plain_changes(),
        }
    }

    /// Looks at the next part; a document that cannot be looked at in parts not more often than once in so many looks.
    #[cold]
    #[inline(never)]
    pub fn look(&mut self) -> Look {
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
}

#[cfg(any(test, feature = "testing"))]
impl SlateDoc {
    /// Makes a text that is shown differ from the doc, as a defect would.
    pub fn spoil(&mut self, path: &[u32], text: &str) {
        self.reference.spoil_text(path, text);
    }
}

#[cfg(test)]
impl SlateDoc {
    /// Shows something else than the doc has, in any way.
    pub(in crate::slate) fn spoil_root(&mut self, spoil: impl FnOnce(&mut crate::slate::view::tree::Element)) {
        self.reference.spoil_root(spoil);
    }

    /// Shows another's element at the top, in a document of format 1.
    pub(in crate::slate) fn spoil_shown(&mut self, at: usize, other: &Self) {
        self.reference.spoil_tree(at, other.reference.tree());
    }

    /// Takes the last item of an element for missing, in a document of format 1.
    pub(in crate::slate) fn spoil_known(&mut self, at: usize) {
        self.reference.spoil_mirror(at);
    }
}
