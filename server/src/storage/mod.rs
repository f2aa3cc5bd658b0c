//! What a database must do for the server, and the values that pass between them.
//!
//! A document has a row with its epoch and *tip*, a log of updates under a gapless sequence (F20), how far each
//! client session is stored, and snapshots. Whatever is asked in one call happens in one transaction. Sequence
//! numbers are given by the storage under the document's row lock, never by a clock. One conformance suite
//! (`conformance`) runs on every implementation.

mod authorship;
mod batch;
mod codes;
#[cfg(test)]
mod conformance;
mod connections;
mod dialect;
mod error;
mod fault;
mod open;
mod sql;
mod sqlite;
mod sqlite_url;
mod webhooks;

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;
use axum::body::Bytes;
use thiserror::Error;

pub use dialect::Durability;
pub use error::StorageError;
pub use fault::Fault;
pub use open::{URLS, file_of, is_alone, open, open_existing};
pub use sql::{SqlStorage, random_id, secret_id};

/// Position in a document's log, from 1. 0: before everything.
pub type Seq = i64;

/// Milliseconds since the epoch.
pub type Millis = i64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub id: String,
    /// One lifetime of the document: another one after it was deleted and made again.
    pub epoch: String,
    pub tip: Seq,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// How far a client session's submissions are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Every submission up to this one is stored. Hello gives it as `ackedSeq`.
    pub acked: u64,
    /// The highest stored submission. Above `acked` if one between them was refused.
    pub last: u64,
}

/// What is known of a client session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownSession {
    pub progress: Progress,
    /// The user to whom it belongs, if a token named one.
    pub owner: Option<String>,
}

/// An update on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpdate {
    pub bytes: Bytes,
    pub author: Option<String>,
    pub submission: Option<Submission>,
    /// Keys of the comments that it changes.
    pub comments: Authors,
}

/// Which submission of which client session an update is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    pub session: String,
    pub seq: u64,
    /// An earlier submission of the session was refused: `acked` must not pass it.
    pub after_refusal: bool,
    /// The user to whom the session belongs.
    pub owner: Option<String>,
}

/// What names begin with under which something is done once: no session is called so.
pub const ONCE: [&str; 2] = ["http:", "take:"];

/// A name under which something is done once. It is kept as sessions are, in the transaction of what is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnceName {
    pub name: String,
    /// What was asked for under it.
    pub request: String,
}

/// Updates of one document that are stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    pub document: String,
    pub epoch: String,
    pub at: Millis,
    pub updates: Vec<NewUpdate>,
    /// Store only if the tip is still this one: what a seed needs.
    pub only_at_tip: Option<Seq>,
    /// Store only if none of these names is stored.
    pub once: Vec<OnceName>,
    /// Store only in the database with this number ([`Storage::database`]): the one that the document was loaded from.
    pub database: Option<u64>,
}

/// The seqs that the updates of a request were given: `first..=last`, empty (`last < first`) if all were stored before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub first: Seq,
    pub last: Seq,
}

/// Why a request was refused while the database works.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the document was deleted, or deleted and made again")]
    Epoch,
    #[error("the document's tip is {tip}")]
    TipMoved { tip: Seq },
    #[error("the document was loaded from another database")]
    Replaced,
    #[error("another server has done meanwhile what is done once")]
    DoneBefore,
}

/// How coarse a row of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detail {
    /// As received.
    Edit,
    /// What was received within an hour, merged.
    Hour,
    /// Within a day.
    Day,
}

impl Detail {
    pub fn from_i64(detail: i64) -> Self {
        match detail {
            0 => Self::Edit,
            1 => Self::Hour,
            _ => Self::Day,
        }
    }

    pub fn as_i64(self) -> i64 {
        match self {
            Self::Edit => 0,
            Self::Hour => 1,
            Self::Day => 2,
        }
    }
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRow {
    pub seq: Seq,
    /// The first update the row holds; `seq` itself for an edit.
    pub first_seq: Seq,
    pub detail: Detail,
    /// Who made it; several names if merged.
    pub authors: Authors,
    pub at: Millis,
    pub bytes: Vec<u8>,
    /// Why the row is in quarantine; it is kept as it is.
    pub quarantined: Option<String>,
    /// It is a session's submission, so its author made the deletions in it. Other updates may repeat earlier
    /// deletions.
    pub submitted: bool,
}

/// What one author inserted and deleted within one sitting, in rows that were merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorship {
    /// The first and the last of the rows that it is about.
    pub first_seq: Seq,
    pub seq: Seq,
    /// None: nobody knows who.
    pub author: Option<String>,
    /// When the first of the rows was stored, and when the last.
    pub first_at: Millis,
    pub last_at: Millis,
    /// Ids, as Yjs encodes a set of deletions.
    pub inserted: Vec<u8>,
    pub deleted: Vec<u8>,
}

/// What is known of a row without its update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub first_seq: Seq,
    pub seq: Seq,
    pub authors: Authors,
    pub at: Millis,
}

/// A set of names (users, keys), stored as lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authors(pub BTreeSet<String>);

impl Authors {
    pub fn parse(lines: Option<&str>) -> Self {
        Self(lines.unwrap_or_default().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    pub fn to_lines(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.0.iter().map(String::as_str).collect::<Vec<_>>().join("\n"))
    }
}

/// A state that someone gave a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedVersion {
    pub id: String,
    pub document: String,
    pub seq: Seq,
    pub label: String,
    pub author: Option<String>,
    pub at: Millis,
    /// Size of the state.
    pub bytes: u64,
}

/// What a document is loaded from: the head snapshot and the rows after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SceneState {
    pub document: Document,
    /// The update that holds everything up to its seq.
    pub snapshot: Option<(Seq, Vec<u8>)>,
    /// In order; without quarantined rows.
    pub tail: Vec<UpdateRow>,
    /// Rows in quarantine, which a load must do without.
    pub quarantined: u64,
}

/// How many kicks are remembered.
pub const MAX_KICKED: usize = 10_000;

/// Who was kicked, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kicked {
    pub user: String,
    /// None: from everywhere.
    pub document: Option<String>,
}

/// A user whose tokens were taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kick {
    /// Counts all kicks, from 1.
    pub number: i64,
    pub whom: Kicked,
    pub at: Millis,
}

/// How large a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    pub database_bytes: u64,
    pub documents: u64,
    pub log_rows: u64,
    pub log_bytes: u64,
    /// When the oldest row was stored that is still as it was received.
    pub oldest_edit: Option<Millis>,
    /// Where the database is a file: what is left on its disk.
    pub disk_free: Option<u64>,
}

/// A replacement of rows by one that holds them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The rows to replace: exactly these, or nothing happens.
    pub rows: Vec<Seq>,
    /// The row that replaces them. Its `seq` is the last of `rows`.
    pub merged: UpdateRow,
    /// Who did what in the replaced rows, as far as it is not kept yet.
    pub authorship: Vec<Authorship>,
}

pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// How many of these sizes stay within a sum; the first one counts in any case.
fn count_within(sizes: impl Iterator<Item = usize>, most: usize) -> u32 {
    let mut sum = 0;
    let within = sizes.enumerate().take_while(|(at, size)| {
        sum += size;
        *at == 0 || sum <= most
    });
    within.count() as u32
}

/// A database of documents.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// The document's row; made if there is none.
    async fn open_document(&self, document: &str, now: Millis) -> Result<Document>;

    async fn document(&self, document: &str) -> Result<Option<Document>>;

    /// Documents with ids after `after`, in order of their ids.
    async fn documents(&self, after: &str, limit: u32) -> Result<Vec<Document>>;

    /// These documents, without those that do not exist.
    async fn tips(&self, documents: &[String]) -> Result<Vec<Document>>;

    /// Deletes the document with all that belongs to it. Opened again it has another epoch.
    async fn delete_document(&self, document: &str) -> Result<bool>;

    /// Stores updates of several documents in one transaction: after `Ok` they survive a loss of power. A refused
    /// request stores nothing and leaves the others alone. A submission that is in the log already, with the same
    /// bytes, is not stored again.
    async fn store_updates(&self, requests: &[StoreRequest]) -> Result<Vec<Result<Stored, Refusal>>>;

    /// How many such transactions may be under way at a time, of different documents.
    fn lanes(&self) -> usize {
        1
    }

    /// Stores one update. Returns the sequence number it was given.
    async fn store_update(&self, document: &str, epoch: &str, at: Millis, update: &[u8]) -> Result<Seq> {
        let request = StoreRequest {
            document: document.into(),
            epoch: epoch.into(),
            at,
            updates: vec![NewUpdate {
                bytes: Bytes::copy_from_slice(update),
                author: None,
                submission: None,
                comments: Authors::default(),
            }],
            only_at_tip: None,
            once: Vec::new(),
            database: None,
        };
        match self.store_updates(&[request]).await?.pop() {
            Some(Ok(stored)) => Ok(stored.last),
            _ => Err(StorageError::NoDocument(document.into())),
        }
    }

    /// What to load the document from.
    async fn get_scene_state(&self, document: &str) -> Result<Option<SceneState>>;

    /// Rows after `seq`, oldest first, quarantined ones included, up to `limit` rows.
    async fn get_updates_since(&self, document: &str, seq: Seq, limit: u32) -> Result<Vec<UpdateRow>>;

    /// How many of the rows after `seq`, of `limit` at most, have no more than `bytes` together; the first one counts
    /// in any case.
    async fn rows_within(&self, document: &str, seq: Seq, limit: u32, bytes: usize) -> Result<u32> {
        let rows = self.get_updates_since(document, seq, limit).await?;
        Ok(count_within(rows.iter().map(|row| row.bytes.len()), bytes))
    }

    /// The last row before the first that was stored at this time or later; 0: there is none.
    async fn seq_before(&self, document: &str, at: Millis) -> Result<Seq> {
        const PAGE: u32 = 1_000;
        let mut before = 0;
        loop {
            let rows = self.get_updates_since(document, before, PAGE).await?;
            match rows.iter().position(|row| row.at >= at) {
                Some(0) => return Ok(before),
                Some(found) => return Ok(rows[found - 1].seq),
                None => match rows.last() {
                    Some(last) => before = last.seq,
                    None => return Ok(before),
                },
            }
        }
    }

    /// Whether there is a head snapshot that is damaged. [`Storage::get_scene_state`] does without it.
    async fn has_damaged_head(&self, document: &str) -> Result<bool>;

    /// How large everything is. It may read a lot.
    async fn measure(&self) -> Result<Measure> {
        Ok(Measure::default())
    }

    /// Copies the database, as it is at one moment, into a new file, while it is used.
    async fn back_up(&self, _: &Path) -> Result<()> {
        Err(StorageError::Unavailable("this database has tools of its own for that (pg_dump)".into()))
    }

    /// [`Storage::get_updates_since`] in this epoch; None if that is over.
    async fn get_updates_of(
        &self,
        document: &str,
        epoch: &str,
        seq: Seq,
        limit: u32,
    ) -> Result<Option<Vec<UpdateRow>>> {
        let rows = self.get_updates_since(document, seq, limit).await?;
        // An epoch does not come back: if it holds now, it held when the rows were read.
        Ok(self.document(document).await?.filter(|now| now.epoch == epoch).map(|_| rows))
    }

    /// The rows after `seq` in this epoch, oldest first, without their updates; None if the epoch is over.
    async fn entries_of(&self, document: &str, epoch: &str, seq: Seq, limit: u32) -> Result<Option<Vec<LogEntry>>> {
        let entry =
            |row: UpdateRow| LogEntry { first_seq: row.first_seq, seq: row.seq, authors: row.authors, at: row.at };
        let rows = self.get_updates_of(document, epoch, seq, limit).await?;
        Ok(rows.map(|rows| rows.into_iter().map(entry).collect()))
    }

    async fn session(&self, document: &str, session: &str) -> Result<KnownSession>;

    async fn progress(&self, document: &str, session: &str) -> Result<Progress> {
        Ok(self.session(document, session).await?.progress)
    }

    /// Marks a row that does not decode; it is kept, and never merged or deleted.
    async fn quarantine(&self, document: &str, seq: Seq, reason: &str) -> Result<()>;

    /// Replaces the head snapshot, unless there is a newer one already.
    async fn put_head(&self, document: &str, epoch: &str, through: Seq, at: Millis, bytes: &[u8]) -> Result<()>;

    /// Replaces rows by merged ones, each replacement in a transaction of its own; false where a row was not there
    /// any more.
    async fn compact_updates(&self, document: &str, merges: &[Merge]) -> Result<Vec<bool>>;

    /// What is kept of who did what in rows that were merged, in the order of the rows.
    async fn authorship(&self, document: &str) -> Result<Vec<Authorship>>;

    /// How many rows could be merged: edits from before `edits_before`, rows finer than a day from before
    /// `hours_before`, and all but the first of several rows of one hour or day.
    async fn fine_rows(&self, document: &str, edits_before: Millis, hours_before: Millis) -> Result<u64>;

    /// Bytes of the document's log.
    async fn log_bytes(&self, document: &str) -> Result<u64>;

    /// Forgets sessions that stored nothing since `before`. Resends of theirs are still recognised by the CRDT.
    async fn forget_sessions(&self, before: Millis) -> Result<u64>;

    /// Takes, or renews, a lease; false while another holder has it.
    async fn take_lease(&self, name: &str, holder: &str, now: Millis, until: Millis) -> Result<bool>;

    /// Notes a kick, in the place of an earlier one of the same user from the same document, or from all.
    async fn kick(&self, whom: &Kicked, at: Millis) -> Result<()>;

    /// Who was kicked after this number, in order: the last [`MAX_KICKED`] of them.
    async fn kicks(&self, after: i64) -> Result<Vec<Kick>>;

    /// Keeps a named version until it is deleted. False: the document has `most` of them.
    async fn put_named(&self, version: &NamedVersion, bytes: &[u8], most: u32) -> Result<bool>;

    /// Deletes a named version; false if there is none.
    async fn delete_named(&self, document: &str, id: &str) -> Result<bool>;

    /// The named versions of a document, newest first.
    async fn named(&self, document: &str) -> Result<Vec<NamedVersion>>;

    /// A named version's state; [`StorageError::Damaged`] if it is not what was stored.
    async fn named_state(&self, document: &str, id: &str) -> Result<Option<(NamedVersion, Vec<u8>)>>;

    /// Writes something, to see that the database takes it.
    async fn probe(&self, now: Millis) -> Result<()>;

    /// The number of this database among those that were at its place while the server ran.
    fn database(&self) -> u64 {
        0
    }

    /// The storage of webhooks and their events.
    fn webhooks(&self) -> &dyn WebhookStorage;

    async fn close(&self);
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    pub id: String,
    pub url: String,
    pub secret: String,
    pub created_at: Millis,
    /// Deliveries that failed in a row, since when, and why the last one did.
    pub failures: u32,
    pub failing_since: Option<Millis>,
    pub error: Option<String>,
    /// Nothing is sent before this time.
    pub retry_at: Millis,
    /// Events that wait, and that were given up.
    pub waiting: u64,
    pub dead: u64,
}

/// What an event tells of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuedKind {
    Changed,
    Opened,
    Closed,
}

impl QueuedKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        [Self::Opened, Self::Closed].into_iter().find(|kind| kind.name() == name).unwrap_or(Self::Changed)
    }
}

/// A document was opened or closed at this server: it has connections again, or none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendance {
    pub document: String,
    pub epoch: String,
    /// How far it was.
    pub seq: Seq,
    pub kind: QueuedKind,
    pub at: Millis,
}

/// An event that a webhook is still to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedEvent {
    pub kind: QueuedKind,
    /// At which server a document was opened or closed.
    pub server: Option<String>,
    pub number: i64,
    /// By this a receiver recognises an event that comes twice.
    pub id: String,
    pub document: String,
    pub epoch: String,
    pub first_seq: Seq,
    pub seq: Seq,
    pub authors: Authors,
    /// Keys of comments.
    pub comments: Authors,
    pub at: Millis,
    /// How often it was sent, with this time.
    pub tries: u32,
    pub error: Option<String>,
}

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedDelivery {
    pub error: String,
    pub now: Millis,
    pub retry_at: Millis,
    /// It is given up.
    pub is_dead: bool,
}

/// The part of a storage that is about webhooks.
#[async_trait]
pub trait WebhookStorage: Send + Sync {
    /// Adds a webhook, which is told of what comes from now on. False: there are `most` of them.
    async fn put_webhook(&self, webhook: &WebhookRow, most: u32) -> Result<bool>;

    async fn webhooks(&self) -> Result<Vec<WebhookRow>>;

    /// Deletes a webhook with its events. False: there is none.
    async fn delete_webhook(&self, id: &str) -> Result<bool>;

    /// Documents that have changes of which no event was made.
    async fn unnoted(&self, limit: u32) -> Result<Vec<String>>;

    /// Makes events of what came since the last time.
    async fn note(&self, documents: &[String]) -> Result<()>;

    /// Makes events of these, which happened at this server.
    async fn note_attendance(&self, server: &str, attended: &[Attendance]) -> Result<()>;

    /// The next event, which does not change from now on.
    async fn claim(&self, webhook: &str) -> Result<Option<QueuedEvent>>;

    async fn delivered(&self, webhook: &str, number: i64) -> Result<()>;

    async fn failed(&self, webhook: &str, number: i64, failed: &FailedDelivery) -> Result<()>;

    /// Events that were given up, the newest first.
    async fn dead(&self, webhook: &str, limit: u32) -> Result<Vec<QueuedEvent>>;

    /// Makes the events that were given up wait again. Returns how many.
    async fn revive(&self, webhook: &str) -> Result<u64>;
}
