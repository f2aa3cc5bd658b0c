//! The device's own copy of a document: what a store must do, and a store in memory.
//!
//! A store keeps, per document: a log of updates (a snapshot is a row of it like any other), and the *outbox*: updates
//! the server has not acknowledged, in the order they are submitted in. The copy is both together: an edit is written
//! once, into the outbox, and comes into the log when it leaves that. [`Store`] is implemented over IndexedDB in
//! `browser`; the same conformance suite runs on both. Nothing here decides anything: the session asks, a store does
//! it or says why not.
//!
//! Several tabs may have one document open, each with its own session: whatever a write does not name, it leaves.

#[cfg(any(test, feature = "testing"))]
#[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "tests, compiled also for other crates' tests")]
pub mod conformance;
mod copy_name;
mod memory;

pub use copy_name::{CopyName, load_copy};
pub use memory::MemoryStore;

use thiserror::Error;

/// Position of a row in a document's log. Rows are numbered by the store, from 1; later rows have higher numbers, and a
/// number is never given twice.
pub type Row = u64;

/// A pending update: not acknowledged by the server yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Which opening of the document made it, or took it over; `seq` counts within it.
    pub key: PendingKey,
    /// The epoch it was made in; none before the first contact with a server. Only there may it be submitted.
    pub epoch: Option<String>,
    pub update: Vec<u8>,
}

/// `seq` counts what the session has given to the store; what it submits with is counted apart from that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PendingKey {
    pub session: String,
    pub seq: u64,
}

/// An update the server refuses. Kept until someone exports and discards it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The key it had in the outbox.
    pub key: PendingKey,
    /// The epoch it was made in, as far as the store knows.
    pub epoch: Option<String>,
    pub code: String,
    pub message: String,
    pub update: Vec<u8>,
}

/// The code of a [`SetAside`] that was refused by nobody: the first content that is wanted for the document, as long as
/// it is not known whether it has any.
pub const SEED: &str = "seed";
/// What the name of a session ends in where it stands for what that one has set aside.
pub const ASIDE: &str = "/aside";

/// Everything a store has of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The server's lifetime of the document that this copy belongs to; none before the first contact.
    pub epoch: Option<String>,
    /// In the order of their rows.
    pub log: Vec<(Row, Vec<u8>)>,
    /// Log rows of another epoch: no part of the copy, and of no use.
    pub obsolete: Vec<Row>,
    /// In the order of (session, seq), of whatever epoch.
    pub outbox: Vec<Pending>,
    /// What of the outbox is of sessions that live in other tabs: part of the copy, and theirs to submit. A store knows of
    /// no tabs and returns none: [`Loaded::leave_to`].
    pub elsewhere: Vec<Pending>,
    /// In the order of (session, seq).
    pub set_aside: Vec<SetAside>,
    /// The seeds among what was set aside ([`SEED`]) that sessions in other tabs keep. A store returns none.
    pub seeds_elsewhere: Vec<Vec<u8>>,
    /// Records whose checksum did not match: left where they are, not returned.
    pub damaged: u32,
    /// Whether the copy stands where older versions do not find it: [`CopyName`]. A store knows of that as little as of tabs.
    pub guarded: bool,
}

impl Loaded {
    /// Whether the store has nothing of the document.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The sessions that are alive elsewhere submit theirs themselves.
    pub fn leave_to(&mut self, alive: impl Fn(&str) -> bool) {
        let (theirs, left) = std::mem::take(&mut self.outbox).into_iter().partition(|it| alive(&it.key.session));
        self.elsewhere = theirs;
        self.outbox = left;
        let living = |aside: &SetAside| aside.code == SEED && aside.key.session.strip_suffix(ASIDE).is_some_and(&alive);
        let (theirs, left) = std::mem::take(&mut self.set_aside).into_iter().partition(living);
        self.set_aside = left;
        self.seeds_elsewhere = Vec::into_iter(theirs).map(|aside: SetAside| aside.update).collect();
    }

    /// The sessions that have something in the outbox.
    pub fn sessions(&self) -> Vec<String> {
        let mut sessions: Vec<_> = self.outbox.iter().map(|pending| pending.key.session.clone()).collect();
        sessions.dedup();
        sessions
    }

    /// What of a dead session is in the store now. What else was loaded of it, somebody has taken over since, and submits it.
    pub fn leave_taken(&mut self, session: &str, now: &[Pending]) {
        let there = |it: &Pending| it.key.session != session || now.iter().any(|left| left.key == it.key);
        let (left, taken) = std::mem::take(&mut self.outbox).into_iter().partition(there);
        self.outbox = left;
        self.elsewhere.extend(Vec::into_iter(taken));
    }

    /// First content that is shown here and that no server has decided about, if there is any.
    pub fn seed(&self) -> Option<&[u8]> {
        let own = self.set_aside.iter().find(|aside| aside.code == SEED).map(|aside| &*aside.update);
        own.or(self.seeds_elsewhere.first().map(Vec::as_slice))
    }
}

/// One step of a transaction: all steps of a [`Store::write`] are in the store, or none.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// What the transaction adds belongs to this epoch. If the copy is of another one, the answer is
    /// [`StoreError::Replaced`]; what the transaction would replace or remove is then untouched, and what it only adds
    /// is at most kept apart: no part of the copy, pending updates with their epoch. So nothing has to be read before
    /// an edit is written, and nothing is read where there is nothing but edits: [`looks`]. A copy without an epoch is
    /// of every epoch.
    InEpoch {
        epoch: String,
    },
    /// Appends `update` to the log.
    Append {
        update: Vec<u8>,
    },
    /// Puts a local edit into the outbox.
    Edit {
        key: PendingKey,
        update: Vec<u8>,
    },
    /// Removes from the outbox what the server acknowledged of `session`, up to `seq`. Whoever asks for it appends to
    /// the log what the copy would lack.
    Acknowledge {
        session: String,
        seq: u64,
    },
    /// Removes `from`, pending or set aside, as far as they are there, and puts `update`, which holds them all, into
    /// the outbox under `to`.
    Coalesce {
        from: Vec<PendingKey>,
        to: PendingKey,
        update: Vec<u8>,
    },
    /// Moves a pending update out of the outbox, if it is there. It is no part of the copy any more.
    SetAside {
        key: PendingKey,
        code: String,
        message: String,
    },
    /// Deletes exactly the log rows `rows`, as far as they are there, and appends `snapshot`, which holds them all.
    Compact {
        rows: Vec<Row>,
        snapshot: Vec<u8>,
    },
    SetEpoch {
        epoch: String,
    },
    /// Deletes the whole log, sets the epoch, appends `snapshot`. Outbox and what was set aside stay. If the copy is of
    /// that epoch already, another tab was first: then its log stays too.
    Reset {
        epoch: String,
        snapshot: Vec<u8>,
    },
    /// Moves everything that there is under the name `from` here: the log as new rows, the epoch if there is none here,
    /// what was set aside. What `session` has pending stays pending; what others have is set aside under
    /// [`LEFT_BEHIND`]. What is damaged stays where it is.
    Move {
        from: String,
        session: Option<String>,
    },
    /// Deletes the updates that were set aside.
    DiscardSetAside,
    /// Deletes everything of the document.
    Delete,
}

/// The code of what a version that did not know the document's format has left behind. It is no part of the copy.
pub const LEFT_BEHIND: &str = "format";
/// And why it was set aside.
pub(crate) const LEFT_BEHIND_WHY: &str = "it was made by a version that does not know the document's format";

impl Write {
    /// Whether the step appends a row to the log.
    pub fn appends(&self) -> bool {
        matches!(self, Self::Append { .. } | Self::Compact { .. } | Self::Reset { .. })
    }

    /// Whether the step replaces or removes what may be of another epoch.
    pub fn replaces(&self) -> bool {
        match self {
            Self::InEpoch { .. } | Self::Append { .. } | Self::Edit { .. } | Self::Acknowledge { .. } => false,
            // What these name is their session's own.
            Self::Coalesce { .. } | Self::SetAside { .. } => false,
            Self::Compact { .. } | Self::SetEpoch { .. } | Self::Reset { .. } | Self::Move { .. } => true,
            Self::DiscardSetAside | Self::Delete => true,
        }
    }
}

/// The epoch of what a transaction adds.
pub(crate) fn epoch_of(writes: &[Write]) -> Option<&str> {
    writes.iter().find_map(|write| match write {
        Write::InEpoch { epoch } => Some(&**epoch),
        _ => None,
    })
}

/// Whether a transaction is of edits alone.
pub(crate) fn only_edits(writes: &[Write]) -> bool {
    let any = writes.iter().any(|write| matches!(write, Write::Edit { .. }));
    any && writes.iter().all(|write| matches!(write, Write::Edit { .. } | Write::InEpoch { .. }))
}

/// Whether a transaction finds out of which epoch the copy is. One of edits alone does not: each keeps its epoch with it,
/// and looking costs as much as writing. Whoever has to know writes nothing, in its epoch.
pub(crate) fn looks(writes: &[Write]) -> bool {
    epoch_of(writes).is_some() && !only_edits(writes)
}

/// Whether two belong together: none stands for before the first contact with a server, and fits every epoch.
pub fn same_epoch(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
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
    /// The copy was replaced by one of another epoch: [`Write::InEpoch`].
    #[error("the local copy was replaced by one of another epoch")]
    Replaced,
}

impl StoreError {
    /// Whether what was stored before may be gone with it.
    pub fn loses(&self) -> bool {
        match self {
            Self::Closed(_) | Self::Corrupt(_) | Self::Blocked(_) => true,
            Self::Full | Self::Failed(_) | Self::Replaced => false,
        }
    }
}

/// A store of documents. One instance serves one opened document's session, or several.
#[allow(async_fn_in_trait, reason = "used with concrete types on one thread: no Send bound to promise")]
pub trait Store {
    async fn load(&self, document: &str) -> Result<Loaded, StoreError>;
    /// Applies the writes in order, in one transaction. Returns the row of each that [`Write::appends`], in order.
    async fn write(&self, document: &str, writes: &[Write]) -> Result<Vec<Row>, StoreError>;
    /// The documents of which there is anything.
    async fn documents(&self) -> Result<Vec<String>, StoreError>;
}
