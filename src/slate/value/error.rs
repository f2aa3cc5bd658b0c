//! What can be wrong with an operation, an update or a document.

use thiserror::Error;

/// Why a local operation was not applied. The editor has applied it already: tree and editor differ from here on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpError {
    #[error("there is no node at the path")]
    NoSuchNode,
    #[error("the operation does not fit the kind of node at its path")]
    WrongKind,
    #[error("offset {offset} is past the end of a text of {len} UTF-16 units")]
    OutOfRange { offset: u32, len: u32 },
    #[error("offset {0} is inside a surrogate pair")]
    InsideSurrogatePair(u32),
    #[error("the root cannot be the target")]
    Root,
    #[error("a node cannot be moved into itself")]
    IntoItself,
    #[error("the property {0:?} cannot be set")]
    ReservedProperty(String),
    #[error("nodes are nested more than {0} deep")]
    TooDeep(usize),
}

/// Why bytes could not be applied as an update.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UpdateError {
    #[error("the update does not decode: {0}")]
    Malformed(String),
    #[error("the state vector does not decode: {0}")]
    StateVector(String),
    #[error("the update cannot be integrated: {0}")]
    Rejected(String),
}

/// The root holds nothing, but the document does: it was written with another name or layout.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("nothing under the root {expected:?}, but {found}")]
pub struct RootMismatch {
    pub expected: String,
    /// What is there instead, e.g. `a Y.Array "content" (the layout of slate-yjs 0.x)`.
    pub found: String,
}
