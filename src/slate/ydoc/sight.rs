//! [`Sight`]: the items of a sequence that are looked at.

use std::ops::Range;

use super::mirror::Nid;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub(super) seq: Nid,
    /// How many items before those, and behind them, are not.
    before: usize,
    behind: usize,
}

impl Sight {
    /// These, of so many.
    pub(super) fn of(seq: Nid, items: &Range<usize>, all: usize) -> Self {
        Self { seq, before: items.start, behind: all.saturating_sub(items.end) }
    }

    /// The same, with what was put in there, or without what is gone: there are so many now.
    pub(super) fn now(self, all: usize) -> Range<usize> {
        self.before..all.saturating_sub(self.behind)
    }
}
