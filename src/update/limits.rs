//! What an update may cost, and why one was not taken.

use yrs::TransactionMut;
use yrs::error::UpdateError;

use super::split::SplitError;
use crate::protocol::DecodeError;

/// How deep shared types may lie in one another. Deeper, deleting the outermost could exhaust the stack, here and in
/// every peer.
pub const MAX_NESTING: u32 = 1_000;

/// What an update may do to a document. No editor on Yjs comes near these limits; beyond them the document would cost
/// everybody who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Shared types in one another.
    pub nesting: u32,
    /// Sets of one key of a shared type that do not know of each other: each takes time by how many there are.
    pub sets_of_a_key: u32,
    /// Runs of structs, and ranges of deletions, that wait for something that has not come.
    pub waiting: usize,
}

impl Limits {
    /// For what was stored once: only what could end the process.
    pub const STORED: Self = Self { nesting: MAX_NESTING, sets_of_a_key: u32::MAX, waiting: usize::MAX };
    /// For what comes from elsewhere, and should have been refused there.
    pub const RECEIVED: Self = Self { nesting: MAX_NESTING, sets_of_a_key: 10_000, waiting: usize::MAX };
    /// For what is to be stored.
    pub const NEW: Self = Self { nesting: MAX_NESTING, sets_of_a_key: 1_000, waiting: 20_000 };
}

/// Why an update was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the update does not decode: {0}")]
    Undecodable(#[from] yrs::encoding::read::Error),
    #[error(transparent)]
    Unreadable(#[from] SplitError),
    #[error("a clock of the update is out of range")]
    TooLarge,
    #[error("the update holds values as JSON, as no Yjs 13 writes them")]
    Json,
    #[error("the update cannot be written again as it was read")]
    Unfaithful,
    #[error("a client's structs come twice in one update")]
    ClientTwice,
    #[error("shared types are nested deeper than {0}")]
    TooDeep(u32),
    #[error("a key is set more than {0} times by updates that do not know of each other")]
    KeySet(u32),
    #[error("more than {0} pieces of updates wait for something that is missing")]
    Waiting(usize),
    /// Some of it may be in the document.
    #[error("the update cannot be applied: {0}")]
    Broken(#[from] UpdateError),
}

impl From<DecodeError> for Refused {
    fn from(error: DecodeError) -> Self {
        Self::Unreadable(error.into())
    }
}

/// Called with each transaction that changed anything, after its commit.
pub type Each<'e> = dyn FnMut(&TransactionMut<'_>) + 'e;
