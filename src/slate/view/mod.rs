//! What a format 1 document shows: a pure, total, deterministic function of a [`Mirror`](crate::slate::ydoc::Mirror).
//!
//! Two replicas with the same updates show the same, whoever wrote last, whoever has left. Every character and element is
//! shown exactly once, whatever the registers say; walks do not recurse, and their work is linear but for cycles of moves.

mod claims;
mod cycles;
mod partition;
mod schema;
mod settle;
mod shown;
pub mod tree;
mod types;
mod walk;

pub use claims::{chain_of, ranks};
pub use schema::Schema;
pub use settle::MAX_DEPTH;
pub use shown::{element, show, show_kept, spaced, text_of, tree};
#[cfg(test)]
pub use shown::{take_pieces, uncounted};
pub use types::{Cursor, Frame, FrameId, Joined, Kid, Piece, PieceId, View};

#[cfg(test)]
mod tests;
