//! Tests of the writer.

pub mod acts;
mod follower;
mod halves;
mod lines;
mod moved;
mod named;
mod nested;
pub mod peer;
mod pieces;
pub mod random;
pub mod transforms;
mod tree;
mod whole;

use crate::slate::view::{Piece, View};

/// What was known of the document must be what is seen when it is looked at again.
pub(super) fn same_view(known: &View, fresh: &View) {
    // What lives is of no interest any more once it is decided what is hidden.
    let pieces = |view: &View| -> Vec<String> {
        view.pieces.iter().map(|piece| format!("{:?}", Piece { live: false, ..piece.clone() })).collect()
    };
    assert_eq!(pieces(known), pieces(fresh), "pieces");
    assert_eq!(format!("{:?}", known.frames), format!("{:?}", fresh.frames), "walks");
    assert_eq!(known.inherited, fresh.inherited, "inherited properties");
    assert_eq!((&known.by_head, &known.claims), (&fresh.by_head, &fresh.claims), "heads");
}
