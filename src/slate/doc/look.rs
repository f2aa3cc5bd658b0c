//! What the looks at a document have come to, and what one finds; see [`selfcheck`](super::selfcheck).

use crate::slate::value::op::Op;

/// How far the looking has come.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The item of the root whose turn it is, and for how many it goes on.
    pub next: usize,
    pub left: usize,
    /// Something changed after the looks had begun: what is before `next` has its turn once more.
    pub behind: bool,
    /// How many looks pass before the whole document is read again.
    pub rest: usize,
}

/// What a look has found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    /// The top-level blocks looked at, for comparing the editor's.
    pub blocks: Vec<u32>,
    /// How many elements were not what the doc has.
    pub divergences: u32,
    /// For the editor: mends them.
    pub ops: Vec<Op>,
}
