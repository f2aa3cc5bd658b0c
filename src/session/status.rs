//! What the application is told: derived from the parts after every input, never kept beside them.
//!
//! A field is added here, to `src/js/flat.rs`, which writes it as a number, and to `js/status.ts`, which reads it.

use super::connection::Link;
use super::types::{Connection, ErrorCode, Millis, Saved, SessionError, Storage};
use super::{Session, connection};
use crate::format::Format;

/// An immutable snapshot for the application; equal until something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub connection: Connection,
    /// Sync step 2 was applied on this connection.
    pub synced: bool,
    /// The least safe place in which the newest local edit is.
    pub saved: Saved,
    /// Local updates the server has not acknowledged.
    pub pending: u32,
    /// Updates the server refuses.
    pub set_aside: u32,
    pub storage: Storage,
    pub offline_since: Option<Millis>,
    pub retry_at: Option<Millis>,
    /// Reconnected, edits made offline are still on their way.
    pub syncing_offline_changes: bool,
    /// Bytes of a large sync: received, and to come at most in all.
    pub progress: Option<(u64, u64)>,
    pub read_only: bool,
    /// Whether this user may comment: who may write, and some who may only read.
    pub can_comment: bool,
    /// Of the document; none until it is known.
    pub format: Option<Format>,
    pub epoch_conflict: bool,
    /// How often what is shown was found to differ from the document, and was mended.
    pub divergences: u32,
    pub error: Option<SessionError>,
}

/// The status before anything has happened.
pub(super) fn initial(store: bool) -> Status {
    Status {
        connection: Connection::Connecting,
        synced: false,
        saved: Saved::Server,
        pending: 0,
        set_aside: 0,
        storage: if store { Storage::IndexedDb } else { Storage::Memory },
        offline_since: None,
        retry_at: None,
        syncing_offline_changes: false,
        progress: None,
        read_only: false,
        can_comment: true,
        format: None,
        epoch_conflict: false,
        divergences: 0,
        error: None,
    }
}

impl Session {
    pub(super) fn current_status(&self) -> Status {
        let live = self.link.live();
        let first = self.outbox.first_pending();
        let progress = live.and_then(|live| live.reassembly.progress());
        let wide = |n: usize| n as u64;
        Status {
            connection: self.link.shown(),
            synced: self.link.is_synced() && !self.seed_is_pending(),
            saved: self.saved(),
            pending: u32::try_from(self.outbox.len() + usize::from(self.seed_is_pending())).unwrap_or(u32::MAX),
            set_aside: u32::try_from(self.outbox.aside_for_good()).unwrap_or(u32::MAX),
            storage: self.journal.shown(),
            offline_since: if self.link.is_online() { None } else { self.offline_since },
            retry_at: match self.link {
                Link::Waiting { retry_at } => Some(retry_at),
                _ => None,
            },
            syncing_offline_changes: live
                .is_some_and(|live| self.link.is_online() && first.is_some_and(|seq| seq <= live.offline_through)),
            progress: progress.map(|(received, total)| (wide(received), wide(total))),
            read_only: self.reader || self.is_barred(),
            can_comment: !self.is_barred() && (!self.reader || self.commenter),
            format: self.known_format(),
            epoch_conflict: self.conflict,
            divergences: self.check.divergences,
            error: self.unreachable.as_ref().or(self.error.as_ref()).cloned(),
        }
    }

    /// The least safe place of anything the server does not have.
    fn saved(&self) -> Saved {
        let edits = !self.outbox.is_empty() || self.outbox.aside_for_good() > 0 || !self.queue.is_empty();
        if !edits && !self.seed_is_pending() {
            Saved::Server
        } else if self.queue.is_empty() && self.outbox.is_stored() {
            Saved::Local
        } else {
            Saved::Memory
        }
    }

    pub(super) fn report(&mut self, code: ErrorCode, message: impl Into<String>) {
        let error: SessionError = self.stage.error(code, message).clone();
        self.error = Some(error);
        self.unreachable = None;
    }

    /// No connection: since now, if it was there until now.
    pub(super) fn lost_connection(&mut self) {
        self.offline_since.get_or_insert(self.now);
        if self.presence.awareness.disconnected() {
            self.presence.peers_changed = true;
        }
    }

    pub(super) fn set_offline(&mut self, why: connection::Why) {
        self.link = Link::Offline(why);
        self.lost_connection();
    }
}
