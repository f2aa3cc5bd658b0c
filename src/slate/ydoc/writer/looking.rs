//! What of a sequence a writer looks at.

use std::ops::Range;

use super::Writer;
use crate::slate::ydoc::Formats;
use crate::slate::ydoc::mirror::{Item, Nid, visited};
use crate::slate::ydoc::sight::Sight;

impl Writer<'_, '_> {
    /// Until [`Writer::look_at_all`] nothing else of this sequence is looked at, and indices in it count from the first of these.
    pub fn look_at(&mut self, seq: Nid, items: Range<usize>) {
        self.sight = Some(Sight::of(seq, &items, self.mirror.node(seq).items.len()));
    }

    pub fn look_at_all(&mut self) {
        self.sight = None;
    }

    /// The items of a sequence that are looked at.
    pub fn items(&self, seq: Nid) -> &[Item] {
        let range = self.bounds(seq);
        visited(range.len());
        self.mirror.node(seq).items.get(range).unwrap_or_default()
    }

    pub(super) fn bounds(&self, seq: Nid) -> Range<usize> {
        let len = self.mirror.node(seq).items.len();
        match self.sight.filter(|sight| sight.seq == seq) {
            Some(sight) => sight.now(len),
            None => 0..len,
        }
    }

    /// The formats of the item before: what is put in behind it takes them.
    pub(super) fn formats_before(&self, seq: Nid, at: usize) -> Formats {
        match at.checked_sub(1).and_then(|before| self.mirror.node(seq).items.get(before)) {
            Some(Item::Text(run)) => run.formats.clone(),
            Some(Item::Node(node)) => self.mirror.node(*node).formats.clone(),
            _ => Formats::default(),
        }
    }

    /// How far an item is from the start of its sequence.
    pub(super) fn units(&self, seq: Nid, at: usize) -> u32 {
        self.mirror.node(seq).items[..at].iter().map(Item::len).sum()
    }
}
