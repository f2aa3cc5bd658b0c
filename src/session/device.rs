//! The device's side of a document: its copy in the store, what is pending, what was set aside.
//!
//! Joins the [`Journal`] with the [`Outbox`], which know nothing of each other. Nothing here reads the document.

use crate::format::KnownFormats;
use crate::protocol::RejectCode;
use crate::slate::SlateDoc;
use crate::store::{LEFT_BEHIND, Row, SEED, StoreError, Write};
use crate::update::{Holes, split};

use super::journal::Journal;
use super::keeping::Keeping;
use super::network::USUAL_UPDATE_LIMIT;
use super::outbox::{KeptIn, Outbox};
use super::sending::cut;
use super::stage::Stage;
use super::types::{Config, ErrorCode, Millis};

/// The log is compacted after this much quiet.
const IDLE: Millis = 2_000;

pub(super) struct Device {
    /// Whether there is a store at all.
    stores: bool,
    /// The room, and the session: the store names records by them.
    document: String,
    session: String,
    pub journal: Journal,
    pub keeping: Keeping,
    pub outbox: Outbox,
    /// What is missing on the server because it has refused it for good.
    pub holes: Holes,
    /// The largest update the server takes, as of the last hello.
    pub update_limit: usize,
    /// The copy stands where older versions do not find it.
    pub guarded: bool,
    /// When the last edit or remote change was made.
    pub busy_at: Millis,
}

impl Device {
    pub fn new(config: &Config, now: Millis) -> Self {
        Self {
            stores: config.store,
            document: config.document.clone(),
            session: config.session.clone(),
            journal: Journal::new(config.store),
            keeping: Keeping::Here,
            outbox: Outbox::new(config.session.clone()),
            holes: Holes::default(),
            update_limit: USUAL_UPDATE_LIMIT,
            guarded: false,
            busy_at: now,
        }
    }

    /// Where an update is that the device's store has given to this session.
    pub fn place(&self) -> KeptIn {
        if self.stores { KeptIn::Stored } else { KeptIn::Memory }
    }

    // --- what is pending

    /// A change made here: pending until the server has it.
    pub fn submit(&mut self, update: &[u8]) {
        for piece in cut(update, self.update_limit) {
            let key = self.outbox.push(piece.clone(), KeptIn::Memory);
            self.journal.write(Write::Edit { key, update: piece });
        }
    }

    /// The server lacks more than it takes in one message: sends it in pieces, like pending updates. Returns whether it
    /// can be cut.
    pub fn submit_missing(&mut self, update: &[u8]) -> bool {
        let Ok(pieces) = split(update, self.update_limit) else { return false };
        for piece in pieces {
            let to = self.outbox.push(piece.clone(), KeptIn::Memory);
            self.journal.write(Write::Coalesce { from: Vec::new(), to, update: piece });
        }
        true
    }

    /// Merges and cuts what was never sent.
    pub fn rearrange(&mut self) {
        let writes = self.outbox.rearrange(self.update_limit);
        match self.stores {
            true => self.journal.write_all(writes),
            false => self.outbox.nothing_to_replace(),
        }
    }

    /// A seed has been decided about: nothing of it is kept apart.
    pub fn forget_seed(&mut self) {
        let writes = self.outbox.forget_seed();
        self.journal.write_all(writes);
    }

    /// What was set aside while this client was only allowed to read is pending again.
    pub fn take_back(&mut self) -> bool {
        self.outbox.take_back(RejectCode::ReadOnly.as_str())
    }

    /// Something was set aside with this code, now or earlier.
    pub fn note_hole(&mut self, code: &str, update: &[u8]) {
        // What is of another document is not missing in this one. Who may not write today may be allowed to tomorrow,
        // and the edit then goes as it is.
        let elsewhere = [ErrorCode::Epoch.as_str(), RejectCode::ReadOnly.as_str(), LEFT_BEHIND, SEED];
        if elsewhere.contains(&code) {
            return;
        }
        // Nothing can depend on bytes that do not even decode. What another tab could not store may be pending here as
        // well, cut or merged in another way: structs that are pending are not missing.
        let _ = self.holes.add(update, self.outbox.updates());
    }

    /// The server has everything up to `seq`, as it says. Returns whether anything of it was pending.
    pub fn acknowledged(&mut self, now: Millis, seq: u64) -> bool {
        let Some((through, updates)) = self.outbox.acknowledge(seq) else { return false };
        self.journal.acknowledged(now, through, updates);
        true
    }

    // --- the store

    /// Another tab keeps what the server sends, or this one does from now on: see [`Keeping::change`].
    pub fn keep(&mut self, here: bool, doc: &SlateDoc, settled: &SlateDoc) -> bool {
        self.keeping.change(here, doc, settled, &mut self.journal)
    }

    /// Something from the server that the device may not have.
    pub fn keep_received(&mut self, update: &[u8]) {
        self.keeping.received(update, &mut self.journal);
    }

    pub fn stored(&mut self, ticket: u64, rows: &[Row]) {
        self.journal.stored(ticket, rows);
        self.outbox.stored(ticket);
    }

    /// Returns whether another tab has replaced the copy by that of another document.
    pub fn store_failed(&mut self, now: Millis, ticket: u64, error: StoreError, stage: &mut Stage) -> bool {
        self.outbox.not_stored(ticket);
        if error.loses() {
            self.outbox.in_memory_only();
        }
        if error == StoreError::Replaced {
            self.journal.failed(now, ticket, error);
            self.journal.turn_off();
            return true;
        }
        let message = error.to_string();
        if self.journal.failed(now, ticket, error) {
            stage.report(ErrorCode::Storage, message);
        }
        false
    }

    /// The store may have lost what it had of this document, although no write has failed.
    pub fn store_lost(&mut self, now: Millis, stage: &mut Stage) {
        if !self.journal.is_off() {
            let error = StoreError::Closed("the database was closed or deleted".into());
            stage.report(ErrorCode::Storage, error.to_string());
            self.journal.lost(now, error);
        }
        self.outbox.in_memory_only();
    }

    /// Deletes the device's copy; also where another tab has done so, for this tab may have written since.
    pub fn copy_deleted(&mut self, stage: &mut Stage) {
        if self.stores {
            stage.any_epoch = true;
            self.journal.delete();
        }
        self.outbox.in_memory_only();
    }

    pub fn delete_local(&mut self, discard_pending: bool, stage: &mut Stage) {
        let kept = self.outbox.len() + self.outbox.set_aside.len();
        if kept > 0 && !discard_pending {
            return stage.report(ErrorCode::Storage, format!("{kept} edits are only on this device"));
        }
        self.copy_deleted(stage);
    }

    /// Brings the store up to what is in memory, whatever it has. `settled`: the document as far as it is decided.
    pub fn rewrite(&mut self, doc: &SlateDoc, settled: &SlateDoc) {
        let Ok(snapshot) = settled.encode_state(None) else { return };
        self.move_copy();
        if let Some(epoch) = self.journal.epoch.clone() {
            self.journal.write(Write::SetEpoch { epoch });
        }
        self.journal.compact(snapshot);
        self.keeping.kept_all(doc);
        self.journal.write_all(self.outbox.rewrite());
        self.outbox.in_memory_only();
    }

    /// When the log is to be compacted, if it is this tab's.
    pub fn compacts_at(&self, online: bool) -> Option<Millis> {
        (self.keeping.compacts(online) && self.journal.wants_compacting(true)).then_some(self.busy_at + IDLE)
    }

    pub fn compact_if_due(&mut self, now: Millis, online: bool, settled: &SlateDoc) {
        let idle = now >= self.busy_at + IDLE;
        if self.keeping.compacts(online)
            && self.journal.wants_compacting(idle)
            && let Ok(snapshot) = settled.encode_state(None)
        {
            self.journal.compact(snapshot);
        }
    }

    /// Keeps a document whose format older versions do not know where they do not look: they would take it for one of
    /// theirs. The copy moves in one transaction with the change of format, as soon as there is a store.
    pub fn guard_copy(&mut self, doc: &SlateDoc) {
        if doc.format() == 0 || !doc.is_writable() || self.guarded || !self.journal.is_working() {
            return;
        }
        self.guarded = true;
        self.move_copy();
    }

    /// The copy is about to be replaced. Where it could not be loaded, nobody knows under which name it is: it is moved
    /// to the name that the next opening looks at first.
    pub fn replace_copy(&mut self, formats: KnownFormats) {
        let unread = self.journal.is_unread();
        self.journal.restart();
        if unread && formats.knows(1) {
            self.guarded = true;
            self.move_copy();
        }
    }

    /// Moves what is still under the old name.
    fn move_copy(&mut self) {
        if self.guarded {
            let (from, session) = (self.document.clone(), Some(self.session.clone()));
            self.journal.write(Write::Move { from, session });
        }
    }
}
