//! What an outline has, row by row.

use std::rc::Rc;

use crate::slate::value::node::Attrs;
use crate::slate::view::Schema;
use crate::slate::ydoc::{Item, Kind, Mirror, Nid, Of};

/// One of a sequence's items, and how many elements it shows; or a piece of a line, with all items up to the next.
#[derive(Debug, Clone)]
pub(super) struct ItemRow {
    /// Of a piece: its head.
    pub node: Nid,
    pub shows: u32,
    /// When it was looked at: what is typed since may be in more.
    pub items: usize,
    pub piece: Option<PieceRow>,
}

/// What is known of a piece besides.
#[derive(Debug, Clone)]
pub(super) struct PieceRow {
    /// Own and inherited, nulls among them.
    pub props: Rc<Attrs>,
    /// Of its text: where it is another, something changed. `None`: something was typed since.
    pub print: Option<u64>,
}

/// Whether an item of a sequence that holds blocks is one, or says nothing of what is around it.
pub(super) fn stands_alone(mirror: &Mirror, schema: &Schema, item: &Item) -> bool {
    let (Item::Node(node) | Item::Left { node, .. }) = item else { return false };
    let registers = &mirror.node(*node).registers;
    match registers.kind {
        Kind::Strand => !schema.inline_of(registers),
        Kind::Place => registers.of == Of::Absent,
        Kind::Unknown => true,
        Kind::Break | Kind::Seam => false,
    }
}
