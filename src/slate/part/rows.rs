//! What an outline has, row by row.

use std::rc::Rc;

use crate::slate::value::node::Attrs;
use crate::slate::ydoc::Nid;

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
