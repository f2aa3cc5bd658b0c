//! Text that moves without its element: an open strand around it, transparent, that is shown at its new place. Nothing is
//! copied, so that two who move the same text have it once, and what another types among it meanwhile goes along.

use yrs::Any;

use super::draft::{Attributes, Draft};
use crate::slate::view::Cursor;
use crate::slate::ydoc::{Item, Kind, Nid};

/// From one position so many units of text are shown at another.
pub(super) fn move_text(draft: &mut Draft, from: Cursor, len: u32, to: Cursor) {
    let seq = from.seq;
    let holder = holder_of(draft, seq, from.index, len).and_then(|holder| draft.view.find(holder));
    if let Some(piece) = holder {
        let marker = draft.place(to);
        draft.register(piece, marker);
        return;
    }
    // From right to left, so that the positions hold.
    if to.seq == seq && to.index >= from.index + len {
        let marker = draft.place(to);
        let strand = surround(draft, from, len);
        draft.register_new(strand, marker);
    } else {
        let strand = surround(draft, from, len);
        let marker = draft.place(to);
        draft.register_new(strand, marker);
    }
}

/// An open strand before the text, and behind it what ends that.
fn surround(draft: &mut Draft, from: Cursor, len: u32) -> Nid {
    let plain = Cursor { held: false, ..from };
    if !is_ended(draft, from.seq, from.index + len) {
        // A seam for nobody shows nothing.
        draft.make(Cursor { index: from.index + len, ..plain }, vec![("@".into(), "seam".into())]);
    }
    let gone = Any::Array(vec![Any::Null, Any::Bool(true)].into());
    let attributes: Attributes =
        vec![("@kind".into(), "inline".into()), ("@open".into(), Any::Bool(true)), ("@gone".into(), gone)];
    draft.make(plain, attributes)
}

/// Whether an open strand before an index holds nothing behind it.
fn is_ended(draft: &Draft, seq: Nid, index: u32) -> bool {
    let mut end = 0;
    for item in &draft.mirror().node(seq).items {
        end += item.len();
        if index < end {
            return match item {
                Item::Text(_) | Item::Foreign => false,
                Item::Left { .. } => true,
                Item::Node(node) => {
                    draft.mirror().kind(*node) != Kind::Strand || draft.mirror().node(*node).registers.open
                }
            };
        }
    }
    true
}

/// The transparent strand that holds just this text already.
fn holder_of(draft: &Draft, seq: Nid, index: u32, len: u32) -> Option<Nid> {
    let mut end = 0;
    for item in &draft.mirror().node(seq).items {
        end += item.len();
        if end == index {
            let Item::Node(node) = item else { return None };
            let registers = &draft.mirror().node(*node).registers;
            let is_transparent = registers.gone.flatten().is_some_and(|gone| gone.unwrap);
            let is_holder =
                registers.kind == Kind::Strand && registers.open && is_transparent && registers.own.is_empty();
            return (is_holder && is_ended(draft, seq, index + len)).then_some(*node);
        }
    }
    None
}
