//! What operations and updates did to a document.

use crate::slate::value::error::OpError;
use crate::slate::value::op::{Op, Range};
use crate::slate::write::Passage;
use crate::slate::ydoc::Act;

/// What became of a batch of local operations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LocalChange {
    /// The change as one update; `None` if the doc did not change (empty texts, properties set to what they were).
    pub update: Option<Vec<u8>>,
    /// Operations that fit neither tree nor doc; the others were applied.
    pub rejected: Vec<(Op, OpError)>,
    /// For the editor, to be applied without echo: fresh block ids.
    pub ops: Vec<Op>,
    /// Undoes the batch when applied in this order. Empty in format 1.
    pub inverse: Vec<Op>,
    /// What was written, in format 1: [`SlateDoc::revert`] takes it back.
    pub acts: Vec<Act>,
    /// What was shown before and afterwards, in format 1.
    pub passage: Option<Passage>,
}

/// What an update did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RemoteChange {
    /// Brings an editor from the old value to the new one.
    pub ops: Vec<Op>,
    /// The doc changed, be it by a deletion that shows in no operation. Without it nothing needs storing, unless the
    /// update waits for others it depends on: see `pending`.
    pub changed: bool,
    /// The doc keeps bytes that wait for updates not yet received.
    pub pending: bool,
    /// Where the selection that was asked for is now, if no operation takes it there.
    pub selection: Option<Range>,
    /// Embeds in changed elements that are no `Y.XmlText`: kept in the doc, absent from the value.
    pub foreign: u32,
}
