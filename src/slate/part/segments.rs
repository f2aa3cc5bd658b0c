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
    done: Vec<ChunkOfRows>,
    last: Option<ChunkOfRows>,
    rows: usize,
}

impl ChunksOfRows {
    /// So many items, and a row of them with what it shows.
    pub fn add(&mut self, is_segment: bool, items: usize, row: Option<u32>) {
        let rows = self.rows;
        if self.last.as_ref().is_none_or(|last| last.segment.is_some() != is_segment) {
            self.done.extend(self.last.take());
        }
        let last = self.last.get_or_insert_with(|| ChunkOfRows::new(is_segment, rows));
        last.items += items;
        if let Some(shows) = row {
            self.rows += 1;
            last.rows.end = self.rows;
            last.shows += shows;
        }
    }

    pub fn end(mut self) -> Vec<ChunkOfRows> {
        self.done.extend(self.last.take());
        self.done
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
