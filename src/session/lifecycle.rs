//! Opening and closing: the store's answers, the socket's events, epochs.

use crate::protocol::close::{self, Meaning};
use crate::protocol::{Message, RejectCode};
use crate::slate::SlateDoc;
use crate::store::{Loaded, Pending, Row, SetAside, StoreError, Write, same_epoch};
use crate::update::Holes;

use super::connection::{Link, Live, Opening, OpeningStep, TokenRefusal, Why};
use super::journal::Mending;
use super::outbox::KeptIn;
use super::seeding::SEED;
use super::{ErrorCode, IDLE, Millis, Origin, Output, Remote, Session};

/// How long closing waits for the store.
const CLOSING: Millis = 5_000;
/// Why an edit was set aside that was made upon another document of this name.
const REPLACED: &str = "the server has another document in its place";
/// A server that refuses frames smaller than this takes nothing.
const SMALLEST_FRAME: usize = 1024;

impl Session {
    pub(super) fn start(&mut self) {
        if self.config.store {
            self.stage.order(Output::Load);
        } else {
            self.become_ready(true);
        }
    }

    /// `whole`: whether the document is known to be what the device has of it.
    fn become_ready(&mut self, whole: bool) {
        if self.ready {
            return;
        }
        self.ready = true;
        self.note_copy(whole);
        self.check_wanted_format();
        if whole && let Err(mismatch) = self.doc.check_root() {
            return self.wrong_root(mismatch.to_string());
        }
        if self.config.remote != Remote::None {
            self.show_wanted_seed();
        }
        self.stage.editor.clear();
        self.stage.editor.push(Output::Ready);
        match self.config.remote {
            Remote::Connect => self.open_socket(),
            Remote::Wait => self.set_offline(Why::ByUser),
            Remote::None => {
                self.link = Link::Offline(Why::NoServer);
                if !whole {
                    // A copy that turns up later would be merged with the seed.
                    self.journal.turn_off();
                }
                if let Some(value) = self.take_wanted_seed() {
                    self.seed_locally(&value);
                }
                self.settle_format();
            }
        }
    }

    /// There is content, but not where this session looks for it: better no editor than an empty one.
    pub(super) fn wrong_root(&mut self, message: String) {
        self.report(ErrorCode::RootMismatch, message);
        self.drop_socket(close::NORMAL);
        self.end();
    }

    // --- the store

    pub(super) fn loaded(&mut self, result: Result<Loaded, StoreError>) {
        if !self.journal.is_loading() {
            return;
        }
        match result {
            Ok(loaded) => {
                self.take_loaded(loaded);
                self.become_ready(true);
            }
            Err(error) => {
                self.report(ErrorCode::Storage, error.to_string());
                self.journal.not_loaded(self.now, error);
                self.become_ready(false);
            }
        }
    }

    fn take_loaded(&mut self, mut loaded: Loaded) {
        let late = self.ready;
        self.formatting.guarded |= loaded.guarded;
        self.formatting.shared |= !loaded.elsewhere.is_empty();
        if late && !same_epoch(loaded.epoch.as_deref(), self.journal.epoch.as_deref()) {
            // Whoever opens the document next finds it, and is asked what shall become of it.
            self.journal.turn_off();
            return self.report(ErrorCode::Epoch, "the device's copy is of a document that the server has replaced");
        }
        let labels = loaded.outbox.iter().find_map(|pending| pending.epoch.clone());
        let epoch = loaded.epoch.take().or(self.journal.epoch.take()).or(labels);
        for aside in &mut loaded.set_aside {
            // Another tab has taken the server's document since: this is no part of it, and waits for nothing any more.
            if !same_epoch(aside.epoch.as_deref(), epoch.as_deref()) && aside.code != ErrorCode::Epoch.as_str() {
                (aside.code, aside.message) = (ErrorCode::Epoch.as_str().to_owned(), REPLACED.to_owned());
            }
        }
        let mut damaged = loaded.damaged;
        let mut rows = Vec::with_capacity(loaded.log.len());
        let of_epoch = |pending: &&Pending| same_epoch(pending.epoch.as_deref(), epoch.as_deref());
        let own: Vec<&[u8]> = loaded.outbox.iter().filter(of_epoch).map(|pending| &*pending.update).collect();
        let elsewhere: Vec<&[u8]> = loaded.elsewhere.iter().filter(of_epoch).map(|pending| &*pending.update).collect();
        let log: Vec<&[u8]> = loaded.log.iter().map(|(_, update)| &**update).collect();
        let seed = loaded.seed().filter(|_| !late).map(<[u8]>::to_vec);
        let seeded = seed.and_then(|seed| self.load_seeded(&seed, &log, &own, &elsewhere));
        let read = seeded.unwrap_or_else(|| self.load_copy(&[&*log, &*own, &*elsewhere].concat()));
        let pends = !own.is_empty() || !elsewhere.is_empty();
        if pends && !late {
            self.keep_loaded_base(&log);
        }
        let seeded = self.seed.is_undecided() && !late;
        for ((row, update), read) in loaded.log.iter().zip(read) {
            // What does not decode stays in the log, and out of every compaction.
            match read {
                true => rows.push((*row, update.len())),
                false => damaged += 1,
            }
        }
        rows.extend(std::mem::take(&mut loaded.obsolete).into_iter().map(|row| (row, 0)));
        let unlogged = self.apply_waiting(&loaded.set_aside);
        if !late && self.doc.knows_client(self.doc.client_id()) {
            self.choose_client_id();
        }
        // Late, it is written anew as a whole.
        self.kept_all();
        let doubtful = self.journal.loaded(epoch, rows);
        self.log_again(&unlogged);
        self.take_over_loaded(loaded, late, seeded);
        self.take_back_if_writable();
        if late || doubtful {
            self.rewrite_store();
        }
        if damaged > 0 {
            self.report(ErrorCode::Storage, format!("{damaged} damaged records of the local copy were set aside"));
        }
    }

    /// What was set aside, and what dead sessions have left. `seeded`: a seed was loaded.
    fn take_over_loaded(&mut self, mut loaded: Loaded, late: bool, seeded: bool) {
        for aside in &loaded.set_aside {
            self.note_hole(&aside.code, &aside.update);
        }
        if late {
            // A seed that is not shown here, and what stands upon it, is for whoever opens the document next.
            let other = loaded.set_aside.iter().any(|aside| aside.code == SEED && !self.shows_seed(&aside.update));
            if other {
                loaded.outbox.clear();
            }
            loaded.set_aside.retain(|aside| aside.code != SEED);
        }
        self.forget_translated(&mut loaded.set_aside);
        self.outbox.take_stored_aside(loaded.set_aside);
        if seeded && !loaded.seeds_elsewhere.is_empty() {
            self.keep_shown_seed();
        }
        self.adopt_orphans(loaded.outbox);
        if seeded {
            self.decide_by_log();
            if self.doc.knows_client(self.doc.client_id()) {
                self.choose_client_id();
            }
        }
    }

    /// What the device has of the document, in log and outbox. Says of each update whether it could be read.
    fn load_copy(&mut self, updates: &[&[u8]]) -> Vec<bool> {
        if !self.ready {
            let (read, foreign) = self.doc.load_all(updates);
            self.log_applied(foreign);
            return read;
        }
        // Somebody looks at the document: it changes by one update.
        let mut copy = SlateDoc::new(self.doc_options());
        let (read, _) = copy.load_all(updates);
        match copy.encode_state(None).is_ok_and(|all| self.apply_stored(&all).is_some()) {
            true => read,
            false => vec![false; updates.len()],
        }
    }

    /// What waits for the right to write will be submitted by this device: it is in its document, whatever became of the
    /// log. Returns what the log did not have.
    fn apply_waiting(&mut self, asides: &[SetAside]) -> Vec<Vec<u8>> {
        let waiting = asides.iter().filter(|aside| aside.code == RejectCode::ReadOnly.as_str());
        // This user's own say nothing of a seed.
        let lacks = |update: &&Vec<u8>| {
            self.put_stored(update, Self::take_in).is_some_and(|changed| changed || self.incomplete)
        };
        waiting.map(|aside| &aside.update).filter(lacks).cloned().collect()
    }

    /// A damaged row may be that of what was set aside.
    fn log_again(&mut self, unlogged: &[Vec<u8>]) {
        if !unlogged.is_empty()
            && let Ok(update) = crate::update::merge(unlogged)
        {
            self.journal.write(Write::Append { update });
        }
    }

    /// Whether the document is another one now; none if the update could not be applied.
    fn apply_stored(&mut self, update: &[u8]) -> Option<bool> {
        self.put_stored(update, Self::apply)
    }

    fn put_stored(
        &mut self,
        update: &[u8],
        put: impl FnOnce(&mut Self, &[u8], Origin, bool) -> Option<bool>,
    ) -> Option<bool> {
        let before = self.stage.errors.len();
        let applied = put(self, update, Origin::Store, false);
        if applied.is_none() {
            self.stage.errors.truncate(before);
        }
        if !self.ready {
            self.stage.updates.clear();
        }
        applied
    }

    /// Pending updates whose session has died are submitted by this one. What was made upon another document of this
    /// name is not: the server's never had what it was made upon.
    pub(super) fn adopt_orphans(&mut self, pending: Vec<Pending>) {
        if pending.is_empty() {
            return;
        }
        if self.journal.epoch.is_none() {
            self.journal.epoch = pending.iter().find_map(|orphan| orphan.epoch.clone());
        }
        let own = self.journal.epoch.as_deref();
        let (pending, strays): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|orphan| same_epoch(orphan.epoch.as_deref(), own));
        let place = if self.config.store { KeptIn::Stored } else { KeptIn::Memory };
        for Pending { key, update, .. } in strays {
            let writes = self.outbox.aside(vec![key], update, place, ErrorCode::Epoch.as_str(), REPLACED);
            self.journal.write_all(writes);
        }
        for orphan in &pending {
            if self.ready {
                self.apply_stored(&orphan.update);
            }
        }
        self.keep_orphans_beside(&pending);
        self.outbox.adopt(pending, place);
        if !self.holes.is_empty() {
            self.set_dependents_aside();
        }
        self.rearrange();
        self.pump();
    }

    pub(super) fn stored(&mut self, ticket: u64, rows: &[Row]) {
        self.journal.stored(ticket, rows);
        self.outbox.stored(ticket);
        self.translation_stored();
    }

    pub(super) fn store_failed(&mut self, ticket: u64, error: StoreError) {
        self.outbox.not_stored(ticket);
        if error.loses() {
            self.outbox.in_memory_only();
        }
        if error == StoreError::Replaced {
            // Another tab has taken the server's document in place of this one.
            self.journal.failed(self.now, ticket, error);
            self.journal.turn_off();
            return self.epoch_mismatch();
        }
        let message = error.to_string();
        if self.journal.failed(self.now, ticket, error) {
            self.report(ErrorCode::Storage, message);
        }
        self.translation_stored();
    }

    /// Whatever the store had of this document may be gone, with nobody having written since.
    pub(super) fn store_lost(&mut self) {
        if !self.journal.is_off() {
            let error = StoreError::Closed("the database was closed or deleted".into());
            self.report(ErrorCode::Storage, error.to_string());
            self.journal.lost(self.now, error);
        }
        self.outbox.in_memory_only();
    }

    /// The page may be gone before anything else happens: what is queued is written, and a failing store tried once more.
    pub(super) fn suspend(&mut self) {
        self.flush();
        self.journal.hurry(self.now);
    }

    pub(super) fn mend_store(&mut self) {
        match self.journal.mend(self.now) {
            Some(Mending::Load) => self.stage.order(Output::Load),
            Some(Mending::Rewrite) => self.rewrite_store(),
            None => {}
        }
    }

    /// Brings the store up to what is in memory, whatever it has.
    fn rewrite_store(&mut self) {
        self.flush();
        let Ok(snapshot) = self.settled().encode_state(None) else { return };
        self.move_copy();
        if let Some(epoch) = self.journal.epoch.clone() {
            self.journal.write(Write::SetEpoch { epoch });
        }
        self.journal.compact(snapshot);
        self.kept_all();
        self.journal.write_all(self.outbox.rewrite());
        self.outbox.in_memory_only();
    }

    pub(super) fn compact_if_due(&mut self) {
        let idle = self.now >= self.busy_at + IDLE;
        if self.ready
            && self.compacts()
            && self.journal.wants_compacting(idle)
            && let Ok(snapshot) = self.settled().encode_state(None)
        {
            self.journal.compact(snapshot);
        }
    }

    pub(super) fn delete_local(&mut self, discard_pending: bool) {
        self.flush();
        let kept = self.outbox.len() + self.outbox.set_aside.len();
        if kept > 0 && !discard_pending {
            return self.report(ErrorCode::Storage, format!("{kept} edits are only on this device"));
        }
        self.copy_deleted();
    }

    /// Deletes the device's copy. Should another tab have done so: what was written here since went after it.
    pub(super) fn copy_deleted(&mut self) {
        if self.config.store {
            self.stage.any_epoch = true;
            self.journal.delete();
        }
        self.outbox.in_memory_only();
    }

    // --- the socket

    pub(super) fn connect(&mut self) {
        match self.link {
            Link::Offline(Why::Loading) => {
                if self.config.remote == Remote::Wait {
                    self.config.remote = Remote::Connect;
                }
            }
            Link::Offline(Why::NoServer) | Link::Opening(_) | Link::Open(_) | Link::Outdated | Link::Closed => {}
            Link::Offline(Why::ByUser | Why::Conflict) | Link::Waiting { .. } => self.open_socket(),
            Link::Unauthorized | Link::Forbidden => {
                let fresh_token = self.retries.restart();
                self.open(fresh_token);
            }
        }
    }

    pub(super) fn open_socket(&mut self) {
        self.open(false);
    }

    fn open(&mut self, fresh_token: bool) {
        self.retries.tries(self.now);
        self.link = Link::Opening(Opening { since: self.now, step: OpeningStep::Token });
        self.stage.order(Output::OpenSocket { fresh_token });
    }

    pub(super) fn disconnect(&mut self) {
        if self.config.remote == Remote::None || matches!(self.link, Link::Outdated | Link::Closed) {
            return;
        }
        self.flush();
        self.say_goodbye();
        self.drop_socket(close::NORMAL);
        if self.ready {
            self.set_offline(Why::ByUser);
        } else {
            self.config.remote = Remote::Wait;
        }
    }

    pub(super) fn opened(&mut self) {
        if !matches!(self.link, Link::Opening(_)) {
            return;
        }
        self.flush();
        let jitter = self.random.f64();
        self.link = Link::Open(Box::new(Live::new(self.now, jitter)));
        self.request_sync();
        self.presence.awareness.connected();
        self.send_presence();
    }

    pub(super) fn came_online(&mut self) {
        self.offline_since = None;
        self.hold_until = None;
        self.unreachable = None;
    }

    pub(super) fn socket_closed(&mut self, code: u16, reason: &str) {
        if !self.link.has_socket() {
            return;
        }
        let largest = self.link.live().map_or(0, |live| live.largest_sent);
        if let Link::Opening(_) = self.link {
            self.not_reached(code, reason);
        }
        if code == close::EPOCH {
            return self.wait_for_retry();
        }
        match close::meaning(code) {
            Meaning::Retry => {
                self.suspect(code, reason);
                self.wait_for_retry();
            }
            Meaning::Unauthorized => self.refused(reason),
            Meaning::Forbidden => {
                self.connection_gone();
                self.link = Link::Forbidden;
                self.report(ErrorCode::Forbidden, format!("the server closes for good ({code}): {reason}"));
            }
            Meaning::Format => {
                self.connection_gone();
                self.format_refused(reason);
            }
            Meaning::TooLarge => {
                let limit = self.frame_limit.unwrap_or(usize::MAX).min(largest) / 2;
                self.frame_limit = Some(limit.max(SMALLEST_FRAME));
                self.report(ErrorCode::TooLarge, format!("the server does not take a frame of {largest} bytes"));
                self.wait_for_retry();
            }
        }
    }

    /// The socket is gone, or will be: what depends on it ends.
    pub(super) fn connection_gone(&mut self) {
        self.lost_connection();
        self.formatting.overtaken = None;
        self.seed.unasked();
        self.hold_until = None;
    }

    fn wait_for_retry(&mut self) {
        self.connection_gone();
        self.retries.ended(self.now);
        let delay = self.retries.next_delay(self.random.f64());
        self.link = Link::Waiting { retry_at: self.now + delay };
    }

    /// The server does not accept the token: another one is asked for, once.
    fn refused(&mut self, reason: &str) {
        self.connection_gone();
        self.report(ErrorCode::Unauthorized, format!("the server refuses the token: {reason}"));
        match self.retries.refused(self.now) {
            TokenRefusal::AskAgain => self.open(true),
            TokenRefusal::AskLater => self.wait_for_retry(),
            TokenRefusal::Stop => self.link = Link::Unauthorized,
        }
    }

    /// Refused by a message instead of a close.
    pub(super) fn denied(&mut self, reason: &str) {
        let reason = reason.to_owned();
        self.drop_socket(close::NORMAL);
        self.refused(&reason);
    }

    pub(super) fn token_failed(&mut self, message: String) {
        if matches!(self.link, Link::Opening(_)) {
            self.stage.error(ErrorCode::Unauthorized, message.clone());
            self.say_unreachable(ErrorCode::Unauthorized, message);
            self.wait_for_retry();
        }
    }

    pub(super) fn socket_dead(&mut self) {
        match self.link {
            Link::Open(_) => {
                self.retries.fell_silent();
                self.suspect(close::SILENT, "");
            }
            Link::Opening(Opening { step: OpeningStep::Server, .. }) => {
                self.not_reached(close::SILENT, "it does not answer")
            }
            _ => {}
        }
        self.drop_socket(close::SILENT);
        self.wait_for_retry();
    }

    pub(super) fn drop_socket(&mut self, code: u16) {
        if self.link.has_socket() {
            self.stage.order(Output::CloseSocket { code });
        }
    }

    fn say_goodbye(&mut self) {
        if self.link.live().is_some() && self.presence.awareness.set_state(None) {
            let farewell = self.presence.awareness.take_own(self.now);
            self.send(Message::Awareness(&farewell).to_frame());
            self.presence.awareness.disconnected();
            self.presence.own_changed = true;
        }
    }

    pub(super) fn close(&mut self) {
        if self.closing.is_some() {
            return;
        }
        self.suspend();
        self.mend_store();
        self.say_goodbye();
        self.drop_socket(close::NORMAL);
        self.lost_connection();
        self.link = Link::Closed;
        self.closing = Some(self.now + CLOSING);
    }

    pub(super) fn end(&mut self) {
        self.link = Link::Closed;
        self.closing = None;
        self.ended = true;
    }

    // --- epochs

    /// The server has another document under this name: neither takes anything of the other.
    pub(super) fn epoch_mismatch(&mut self) {
        self.forget_waiting();
        self.conflict = true;
        self.drop_socket(close::NORMAL);
        self.connection_gone();
        self.link = Link::Offline(Why::Conflict);
        self.report(ErrorCode::Epoch, "the document was replaced on the server since this copy was made");
    }

    pub(super) fn take_server(&mut self) {
        if !self.conflict || self.replacement.is_some() {
            return;
        }
        let options = self.doc_options();
        self.replacement = Some(SlateDoc::new(options));
        self.drop_socket(close::NORMAL);
        self.open_socket();
    }

    /// The server's document is here: it takes the place of the local copy, in one step for the editor and in one for
    /// the store.
    pub(super) fn replace_with(&mut self, update: &[u8]) {
        self.flush();
        let Some(mut doc) = self.replacement.take() else { return };
        let epoch = self.link.live().and_then(Live::hello).map(|hello| hello.epoch.clone());
        let (Some(epoch), Ok(change)) = (epoch, doc.apply_update(update)) else {
            self.report(ErrorCode::InvalidUpdate, "what the server has cannot be read");
            return self.replacement = Some(doc);
        };
        self.forget_waiting();
        self.show_instead(doc, Origin::Remote);
        self.incomplete = change.pending;
        self.conflict = false;
        self.drop_seed();
        let snapshot = self.doc.encode_state(None).unwrap_or_default();
        self.stage.update(Origin::Remote, snapshot.clone());
        let writes = self.outbox.close_epoch(REPLACED);
        self.holes = Holes::default();
        self.journal.restart();
        self.journal.write_all(writes);
        self.journal.write(Write::Reset { epoch: epoch.clone(), snapshot });
        self.kept_all();
        self.journal.epoch = Some(epoch);
        self.stage.any_epoch = true;
        if let Some(live) = self.link.live_mut() {
            live.synced = true;
            live.sent_through = 0;
        }
        self.retries.synced(self.now);
    }
}
