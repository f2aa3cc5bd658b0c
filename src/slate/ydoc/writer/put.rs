//! Putting something in between what stands there, by ids: for an index yrs passes all that is before it.

use std::ops::Range;

use yrs::encoding::write::Write as _;
use yrs::updates::decoder::Decode as _;
use yrs::{BranchID, ClientID, ID, Text as _, Update, XmlTextPrelim, XmlTextRef};

use super::Writer;
use crate::slate::ydoc::mirror::{Item, Nid, visited};
use crate::slate::ydoc::sight::Sight;
use crate::slate::ydoc::{Formats, Id};

/// What follows in an update: a text, a nested type, of this kind; behind that the ids that it stands between, or one of them.
const TEXT: u8 = 4;
const NESTED: u8 = 7;
const XML_TEXT: u8 = 6;
const HAS_LEFT: u8 = 0x80;
const HAS_RIGHT: u8 = 0x40;

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
    pub(super) fn put_text(&mut self, seq: Nid, at: usize, text: &str) {
        if !self.put_between(seq, at, TEXT, |update| update.write_string(text)) {
            let index = self.units(seq, at);
            self.mirror.node(seq).branch.clone().insert(self.txn, index, text);
        }
    }

    /// An empty nested type in the same way.
    pub(super) fn put_nested(&mut self, seq: Nid, at: usize) -> XmlTextRef {
        let id = BranchID::Nested(ID::new(ClientID::new(self.client), self.clock()));
        let is_put = self.put_between(seq, at, NESTED, |update| update.write_u8(XML_TEXT));
        if let Some(branch) = id.get_branch(self.txn).filter(|_| is_put) {
            return XmlTextRef::from(branch);
        }
        let index = self.units(seq, at);
        self.mirror.node(seq).branch.clone().insert_embed(self.txn, index, XmlTextPrelim::new(""))
    }

    /// How far an item is from the start of its sequence.
    pub(super) fn units(&self, seq: Nid, at: usize) -> u32 {
        self.mirror.node(seq).items[..at].iter().map(Item::len).sum()
    }

    /// False, and nothing is done, where something may stand between two items that the mirror does not have: formats.
    fn put_between(&mut self, seq: Nid, at: usize, kind: u8, content: impl FnOnce(&mut Vec<u8>)) -> bool {
        let items = &self.mirror.node(seq).items;
        let is_known = |at: usize| matches!(items.get(at), None | Some(Item::Text(_) | Item::Node(_)));
        let left = at.checked_sub(1).and_then(|before| self.edge(seq, before, true));
        let right = self.edge(seq, at, false);
        let is_between = (at == 0 || is_known(at - 1)) && is_known(at) && (left.is_some() || right.is_some());
        if !self.mirror.formatless || !is_between {
            return false;
        }
        let mut update = vec![1, 1];
        update.write_var(self.client);
        update.write_var(self.clock());
        let flag = |id: Option<Id>, flag: u8| if id.is_some() { flag } else { 0 };
        update.write_u8(kind | flag(left, HAS_LEFT) | flag(right, HAS_RIGHT));
        for id in [left, right].into_iter().flatten() {
            update.write_var(id.client);
            update.write_var(id.clock);
        }
        content(&mut update);
        update.write_u8(0);
        // Cannot fail: what it stands between is there.
        Update::decode_v1(&update).is_ok_and(|update| self.txn.apply_update(update).is_ok())
    }
}
