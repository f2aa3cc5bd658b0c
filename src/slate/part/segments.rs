//! What a division is made of: chunks of a sequence's items, and segments.

use std::ops::Range;

use super::rows::ItemRow;
use crate::slate::view::tree::Kid;

/// Items that follow each other. Those of segments and those that are left out take turns.
#[derive(Debug)]
pub(super) struct ChunkOfRows {
    /// In the document, how many.
    pub items: usize,
    /// Of the outline before.
    pub rows: Range<usize>,
    /// Of a segment's.
    pub segment: Option<usize>,
    /// Of the elements before, where it is left out.
    pub kids: Range<usize>,
    /// How many elements it shows now.
    pub shows: u32,
    /// What its items show, once that was looked at.
    pub now: Vec<ItemRow>,
}

/// What stands between elements that are left out.
#[derive(Debug)]
pub(super) struct Segment {
    /// What is shown of it: before its turn what was, then what is.
    pub kids: Vec<Kid>,
    /// What an editor shows of it.
    pub after: Vec<Kid>,
    pub is_done: bool,
}
