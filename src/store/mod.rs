//! The device's own copy of a document: what a store must do, and a store in memory.
//!
//! A store keeps, per document: a snapshot, the log of updates since, and the *outbox*: updates the server has not
//! acknowledged, under the seq they are submitted with. [`Store`] is implemented over IndexedDB in `browser`; the same
//! conformance suite runs on both. Nothing here decides anything: the session asks, a store does it or says why not.

use thiserror::Error;

/// Position of a row in a document's log. Rows are numbered by the store; later rows have higher numbers.
pub type Row = u64;

/// A pending update: not acknowledged by the server yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Which opening of the document made it; `seq` counts within it.
    pub session: String,
    pub seq: u64,
    pub update: Vec<u8>,
}

/// An update the server refuses. Kept until someone exports and discards it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub code: String,
    pub message: String,
    pub update: Vec<u8>,
}

/// Everything a store has of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The server's lifetime of the document that this copy belongs to; none before the first contact.
    pub epoch: Option<String>,
    pub snapshot: Option<Vec<u8>>,
    /// In the order of their rows.
    pub log: Vec<(Row, Vec<u8>)>,
    /// In the order of (session, seq).
    pub outbox: Vec<Pending>,
    pub set_aside: Vec<SetAside>,
    /// Records whose checksum did not match: left where they are, not returned.
    pub damaged: u32,
}

/// One write. Each is one transaction: all of it is in the store, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Appends `update` to the log and, for a local edit, to the outbox.
    Append {
        update: Vec<u8>,
        pending: Option<PendingKey>,
    },
    /// Removes from the outbox what the server acknowledged of `session`, up to `seq`.
    Acknowledge {
        session: String,
        seq: u64,
    },
    /// Replaces pending updates of `session` in `first..=last` by one that holds them all, under seq `first`.
    Coalesce {
        session: String,
        first: u64,
        last: u64,
        update: Vec<u8>,
    },
    /// Moves a pending update out of the outbox.
    SetAside {
        session: String,
        seq: u64,
        code: String,
        message: String,
    },
    /// Replaces the snapshot and deletes the log rows up to `through`, which it contains.
    Compact {
        snapshot: Vec<u8>,
        through: Row,
    },
    SetEpoch {
        epoch: String,
    },
    /// Deletes the updates that were set aside.
    DiscardSetAside,
    /// Deletes everything of the document.
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingKey {
    pub session: String,
    pub seq: u64,
}

/// Why a store could not do as it was asked. The document goes on in memory.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    #[error("the device's storage is full")]
    Full,
    /// Another tab holds an older version open, or the browser forbids storage.
    #[error("the device's storage is blocked: {0}")]
    Blocked(String),
    /// Closed under us: a version change in another tab, or the user cleared site data. May be opened again.
    #[error("the device's storage was closed: {0}")]
    Closed(String),
    #[error("the device's storage is damaged: {0}")]
    Corrupt(String),
    #[error("the device's storage failed: {0}")]
    Failed(String),
}

/// A store of documents. One instance serves one opened document's session, or several.
#[allow(async_fn_in_trait, reason = "used with concrete types on one thread: no Send bound to promise")]
pub trait Store {
    async fn load(&self, document: &str) -> Result<Loaded, StoreError>;
    /// Applies the writes in order, in one transaction. Returns the row each `Append` got.
    async fn write(&self, document: &str, writes: &[Write]) -> Result<Vec<Row>, StoreError>;
    /// The documents of which there is anything.
    async fn documents(&self) -> Result<Vec<String>, StoreError>;
}
