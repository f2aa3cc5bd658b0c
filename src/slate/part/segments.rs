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

impl ChunkOfRows {
    /// With nothing in it yet; which segment it is of is said later.
    pub fn new(is_segment: bool, at: usize) -> Self {
        let segment = is_segment.then_some(usize::MAX);
        Self { items: 0, rows: at..at, segment, kids: 0..0, shows: 0, now: Vec::new() }
    }
}

/// Chunks that are made from items and rows, one after the other.
#[derive(Default)]
pub(super) struct ChunksOfRows {
    chunks: Vec<ChunkOfRows>,
    rows: usize,
}

impl ChunksOfRows {
    /// So many items of a segment, and one of its rows with what it shows.
    pub fn add(&mut self, items: usize, row: Option<u32>) {
        let last = self.last(true);
        last.items += items;
        last.shows += row.unwrap_or_default();
        last.rows.end += usize::from(row.is_some());
        self.rows = last.rows.end;
    }

    /// These rows, and so many items, that are left out, and what they show.
    pub fn leave_out(&mut self, items: usize, rows: Range<usize>, shows: u32) {
        let last = self.last(false);
        last.items += items;
        last.shows += shows;
        last.rows.end = rows.end;
        self.rows = rows.end;
    }

    fn last(&mut self, is_segment: bool) -> &mut ChunkOfRows {
        if self.chunks.last().is_none_or(|last| last.segment.is_some() != is_segment) {
            self.chunks.push(ChunkOfRows::new(is_segment, self.rows));
        }
        let last = self.chunks.len() - 1;
        &mut self.chunks[last]
    }

    pub fn end(self) -> Vec<ChunkOfRows> {
        self.chunks
    }
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
