//! Putting something in, and what of a sequence is looked at meanwhile.

use std::ops::Range;

use yrs::{Text as _, XmlTextPrelim, XmlTextRef};

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

    /// Text before an item, with the formats in force there. The mirror does not have it yet.
    ///
    /// By its index, although yrs passes all that is before it: between two items of the mirror may be deleted ones, and a struct
    /// that names two as its neighbours which are none is put in different places by different replicas.
    pub(super) fn put_text(&mut self, seq: Nid, at: usize, text: &str) {
        let index = self.units(seq, at);
        self.mirror.node(seq).branch.clone().insert(self.txn, index, text);
    }

    /// An empty nested type in the same way.
    pub(super) fn put_nested(&mut self, seq: Nid, at: usize) -> XmlTextRef {
        let index = self.units(seq, at);
        self.mirror.node(seq).branch.clone().insert_embed(self.txn, index, XmlTextPrelim::new(""))
    }

    /// How far an item is from the start of its sequence.
    pub(super) fn units(&self, seq: Nid, at: usize) -> u32 {
        self.mirror.node(seq).items[..at].iter().map(Item::len).sum()
    }
}
