//! A peer's key in the mirror: put in where it stands, without reading its sequence again.

use std::ops::Range;

use yrs::{TransactionMut, XmlTextRef};

use super::formats::Formats;
use super::id::Id;
use super::mirror::{Item, Mirror, Nid, Run};
use crate::slate::value::utf16;
use crate::update::TypedText;

/// Where text is put in, and the piece of a line around that.
#[derive(Debug)]
pub struct PlaceOfTyped {
    pub seq: Nid,
    /// Of the piece: a break that is on, or the strand.
    pub head: Nid,
    /// The piece's items.
    piece: Range<usize>,
    /// Behind this item, or so many units into it.
    after: usize,
    offset: u32,
}

impl Mirror {
    /// Between the two that it was put in between, if nothing else that is there stands between them: whatever was deleted
    /// there, it is shown nowhere else.
    pub fn place_of_typed(&self, branch: &XmlTextRef, typed: &TypedText) -> Option<PlaceOfTyped> {
        let seq = self.find(Id::of(branch)).filter(|seq| self.node(*seq).branch == *branch)?;
        let left = Id::new(typed.left.0, typed.left.1);
        let items = &self.node(seq).items;
        let (mut head, mut start) = (seq, 0);
        for (at, item) in items.iter().enumerate() {
            let offset = match item {
                Item::Text(run) => {
                    let is_in = run.id.client == left.client && left.clock.wrapping_sub(run.id.clock) < run.len;
                    is_in.then(|| left.clock - run.id.clock + 1)
                }
                Item::Node(node) => {
                    if self.is_break(*node) {
                        (head, start) = (*node, at + 1);
                    }
                    (self.id(*node) == left).then_some(1)
                }
                Item::Foreign | Item::Left { .. } => return None,
            };
            let Some(offset) = offset else { continue };
            let right = match (item, items.get(at + 1)) {
                (Item::Text(run), _) if offset < run.len => {
                    (utf16::floor(&run.text, run.len, offset) == offset).then_some(())?;
                    Some(run.id.plus(offset))
                }
                (_, Some(Item::Text(run))) => Some(run.id),
                (_, Some(Item::Node(node))) => Some(self.id(*node)),
                (_, Some(Item::Foreign | Item::Left { .. })) => return None,
                (_, None) => None,
            };
            (right == typed.right.map(|(client, clock)| Id::new(client, clock))).then_some(())?;
            let is_end = |item: &Item| item.node().is_some_and(|node| self.is_break(node));
            let end = items[at + 1..].iter().position(is_end).map_or(items.len(), |behind| at + 1 + behind);
            return Some(PlaceOfTyped { seq, head, piece: start..end, after: at, offset });
        }
        None
    }

    /// What stands in the piece.
    pub fn piece_of(&self, place: &PlaceOfTyped) -> &[Item] {
        self.node(place.seq).items.get(place.piece.clone()).unwrap_or_default()
    }

    /// Follows a transaction that did nothing but put this in.
    pub fn type_in(&mut self, txn: &TransactionMut, place: PlaceOfTyped, typed: &TypedText) -> PlaceOfTyped {
        self.set_bound(txn);
        self.touched.insert(place.seq);
        let PlaceOfTyped { seq, head, piece, after, offset } = place;
        let items = &mut self.nodes[seq as usize].items;
        let before = items.len();
        let id = Id::new(typed.client, typed.clock);
        let new = Run { id, text: typed.text.into(), len: typed.len, formats: Formats::default() };
        match &mut items[after] {
            Item::Text(run) if run.id.plus(run.len) == id && offset == run.len => {
                run.text = [&*run.text, typed.text].concat().into();
                run.len += typed.len;
            }
            Item::Text(run) if offset < run.len => {
                if let Ok(byte) = utf16::byte_at(&run.text, run.len, offset) {
                    let (left, right) = run.text.split_at(byte);
                    let (len, formats) = (run.len - offset, run.formats.clone());
                    let right = Run { id: run.id.plus(offset), text: right.into(), len, formats };
                    (run.text, run.len) = (left.into(), offset);
                    items.splice(after + 1..after + 1, [Item::Text(new), Item::Text(right)]);
                }
            }
            _ => items.insert(after + 1, Item::Text(new)),
        }
        let piece = piece.start..piece.end + items.len() - before;
        PlaceOfTyped { seq, head, piece, after, offset }
    }
}
