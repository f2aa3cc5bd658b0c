//! What changes the document: updates, submissions and seeds of its peers, and edits of the server itself.

use std::sync::Arc;

use axum::body::Bytes;
use slate_yrs::protocol::{Message, NOTHING, RejectCode, Role, close};
use slate_yrs::slate::ValueChange;

use super::{Health, RoomCore};
use crate::allowance::{Allowances, Taker};
use crate::comments::{self, CommentChanges, Signer};
use crate::gate::{EditRefusal, Judged, Pass};
use crate::limit::Limit;
use crate::live::EditError;
use crate::replica::{ApplyError, Gain};
use crate::room::ConnId;
use crate::room::edit::fresh_client_id;
use crate::storage::{Authors, NewUpdate, OnceName, Submission};

impl RoomCore {
    /// Sets how much each user may store; without it there is no limit.
    pub fn set_allowances(&mut self, allowances: Arc<Allowances>) {
        self.allowances = Some(allowances);
    }

    pub fn set_log_bytes(&mut self, bytes: u64) {
        self.log_bytes = bytes;
    }

    /// Whether the document takes no further edits.
    pub fn is_full(&self) -> bool {
        let limit = self.limits.max_document_bytes;
        limit > 0 && self.log_bytes >= limit
    }

    /// A sync step 2 or an update: stored like a submission if it changes anything, but not acknowledged.
    pub(super) fn plain_update(&mut self, conn: ConnId, update: Bytes, limit: usize) -> Health {
        let Some(peer) = self.peer(conn) else { return Health::Sound };
        if peer.who.role == Role::ReadOnly {
            if self.replica.knows(&update) != Ok(true) {
                self.refuse_reader(conn);
            }
            return Health::Sound;
        }
        if update.len() > limit {
            self.close(conn, close::TOO_LARGE, "the update is too large");
            return Health::Sound;
        }
        if let Some(limit) = self.over(conn, &update) {
            self.refuse_full(conn, limit);
            return Health::Sound;
        }
        match self.accept(Some(conn), conn, update, None) {
            Ok(()) => Health::Sound,
            Err(EditRefusal::Unreadable(ApplyError::Spoiled)) => {
                self.spoiled(conn);
                Health::Spoiled
            }
            Err(EditRefusal::Unreadable(_)) => {
                self.bad_frame(conn);
                Health::Sound
            }
            Err(EditRefusal::OnlyComments) => {
                self.refuse_reader(conn);
                Health::Sound
            }
            Err(refusal) => {
                self.refuse_edit(conn, &refusal);
                Health::Sound
            }
        }
    }

    fn refuse_reader(&mut self, conn: ConnId) {
        self.counts.rejected += 1;
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        if std::mem::replace(&mut peer.told_read_only, true) {
            return;
        }
        let message = "this connection may only read";
        if peer.who.durable {
            self.send(conn, &Message::Reject { seq: 0, code: RejectCode::ReadOnly, message });
        } else {
            self.send(conn, &Message::AuthDenied(message));
        }
    }

    /// The limit by which there is no room for this update. What a document that is full holds already may be deleted.
    fn over(&mut self, conn: ConnId, update: &Bytes) -> Option<Limit> {
        let taker = self.peers.get(&conn).and_then(|peer| peer.taker.as_ref());
        let fits = match (&self.allowances, taker) {
            (Some(allowances), Some(taker)) => allowances.fits(taker, crate::clock::now(), update.len()),
            _ => true,
        };
        let is_full = self.is_full();
        if fits && !is_full {
            return None;
        }
        match self.replica.gain(update) {
            Ok(Gain::Nothing) => None,
            Ok(Gain::Deletions) => (!fits).then_some(Limit::UserBytes),
            _ if is_full => Some(Limit::DocumentBytes),
            _ => Some(Limit::UserBytes),
        }
    }

    fn note_full(&mut self, limit: Limit) -> &'static str {
        self.counts.rejected += 1;
        match limit {
            Limit::DocumentBytes => {
                self.counts.limits[0] = Some(limit);
                "the document has as many bytes as it may have"
            }
            limit => {
                self.counts.limits[1] = Some(limit);
                "this user has stored as much as may be stored in a day"
            }
        }
    }

    /// Refuses an update that would not be acknowledged, because a limit is reached. Said once.
    fn refuse_full(&mut self, conn: ConnId, limit: Limit) {
        let message = self.note_full(limit);
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        if std::mem::replace(&mut peer.told_full, true) {
            return;
        }
        if peer.who.durable {
            self.send(conn, &Message::Reject { seq: 0, code: RejectCode::RateLimited, message });
        } else {
            self.send(conn, &Message::AuthDenied(message));
        }
    }

    /// Refuses an update that would not be acknowledged. Said once.
    fn refuse_edit(&mut self, conn: ConnId, refusal: &EditRefusal) {
        self.counts.rejected += 1;
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        if std::mem::replace(&mut peer.told_format, true) {
            return;
        }
        let message = refusal.to_string();
        if peer.who.durable {
            self.send(conn, &Message::Reject { seq: 0, code: RejectCode::Invalid, message: &message });
        } else {
            self.send(conn, &Message::AuthDenied(&message));
        }
    }

    pub(super) fn submit(&mut self, conn: ConnId, seq: u64, update: Bytes) -> Health {
        if !self.follows(conn, seq, &update) {
            return Health::Sound;
        }
        let Some(peer) = self.peer(conn) else { return Health::Sound };
        let (session, owner) = (peer.who.session.clone(), peer.who.owner.clone());
        if peer.who.role == Role::ReadOnly {
            self.reject(conn, session.as_deref(), seq, RejectCode::ReadOnly, "this connection may only read");
            return Health::Sound;
        }
        let limit = self.limits.max_update_bytes;
        if update.len() > limit {
            let message = format!("an update may have {limit} bytes");
            self.reject(conn, session.as_deref(), seq, RejectCode::TooLarge, &message);
            return Health::Sound;
        }
        if let Some(limit) = self.over(conn, &update) {
            // A full document can only be read; a user who has stored enough today tries again.
            let code = if limit == Limit::DocumentBytes { RejectCode::ReadOnly } else { RejectCode::RateLimited };
            let message = self.note_full(limit);
            self.reject(conn, session.as_deref(), seq, code, message);
            return Health::Sound;
        }
        let state = session.as_ref().and_then(|session| self.sessions.get(session)).cloned().unwrap_or_default();
        let after_refusal = state.refused || state.progress.acked < state.progress.last;
        let submission = session.clone().map(|session| Submission { session, seq, after_refusal, owner });
        match self.accept(Some(conn), conn, update, submission) {
            Ok(()) => {}
            Err(error) => {
                let code = if error == EditRefusal::OnlyComments { RejectCode::ReadOnly } else { RejectCode::Invalid };
                self.reject(conn, session.as_deref(), seq, code, &error.to_string());
                if error == EditRefusal::Unreadable(ApplyError::Spoiled) {
                    self.spoiled(conn);
                    return Health::Spoiled;
                }
                return Health::Sound;
            }
        }
        if let Some(session) = session {
            let state = self.sessions.entry(session).or_default();
            if seq > state.progress.last {
                state.progress.last = seq;
                if !after_refusal {
                    state.progress.acked = seq;
                }
            }
        }
        let ack = self.acks.entry(conn).or_default();
        *ack = seq.max(*ack);
        Health::Sound
    }

    /// Whether every submission before this one was answered. An acknowledgement covers all before it: so where one is
    /// missing the connection ends, and the client sends again what is pending.
    fn follows(&mut self, conn: ConnId, seq: u64, update: &[u8]) -> bool {
        let Some(peer) = self.peers.get_mut(&conn) else { return false };
        if seq > peer.expected && update != NOTHING {
            tracing::warn!(document = self.document.id, seq, expected = peer.expected, "a submission is missing");
            self.close(conn, close::INTERNAL, "a submission is missing");
            return false;
        }
        peer.expected = peer.expected.max(seq.saturating_add(1));
        true
    }

    fn reject(&mut self, conn: ConnId, session: Option<&str>, seq: u64, code: RejectCode, message: &str) {
        self.counts.rejected += 1;
        if let Some(session) = session {
            let state = self.sessions.entry(session.to_owned()).or_default();
            if seq > state.progress.last {
                state.refused = true;
            }
        }
        self.send(conn, &Message::Reject { seq, code, message });
    }

    /// The room decides whether a document is seeded, between two other messages (F1).
    pub(super) fn seed(&mut self, conn: ConnId, update: Bytes) -> Health {
        let Some(peer) = self.peer(conn) else { return Health::Sound };
        if peer.who.role != Role::ReadWrite {
            self.reject(conn, None, 0, RejectCode::ReadOnly, "this connection may only read");
        } else if update.len() > self.limits.max_sync_bytes {
            let message = format!("a seed may have {} bytes", self.limits.max_sync_bytes);
            self.reject(conn, None, 0, RejectCode::TooLarge, &message);
        } else if let Some(limit) = self.over(conn, &update) {
            let message = self.note_full(limit);
            self.reject(conn, None, 0, RejectCode::RateLimited, message);
        } else if !self.replica.is_empty() {
            self.seed_acks.push(conn);
        } else {
            // The sender gets the update as well: with the acknowledgement it has the document's content, whoever was
            // first.
            match self.accept(None, conn, update, None) {
                Ok(()) => {
                    self.only_at_tip = Some(self.document.tip);
                    self.seed_acks.push(conn);
                }
                Err(error) => {
                    self.reject(conn, None, 0, RejectCode::Invalid, &error.to_string());
                    if error == EditRefusal::Unreadable(ApplyError::Spoiled) {
                        self.spoiled(conn);
                        return Health::Spoiled;
                    }
                }
            }
        }
        Health::Sound
    }

    /// Applies an update as far as its sender may; if that changed anything, queues it for the log and for the others.
    fn accept(
        &mut self,
        except: Option<ConnId>,
        conn: ConnId,
        mut update: Bytes,
        submission: Option<Submission>,
    ) -> Result<(), EditRefusal> {
        let sender = self.sender(conn);
        let who = self.peers.get(&conn).map(|peer| &peer.who);
        let signer = who.map_or(Signer::SERVER, |who| Signer {
            user: who.owner.as_deref(),
            name: who.name.as_deref(),
            is_admin: who.admin,
            only_comments: who.role == Role::Comment,
        });
        let mut judged = Judged::new(&update);
        let comments = comments::judge(&mut self.replica, &mut judged, signer)?;
        if let Pass::Part { update: part, told } = self.layout.judge(&mut self.replica, &mut judged, sender)? {
            update = part;
            if told {
                self.refuse_edit(conn, &EditRefusal::Format);
            }
        }
        if !self.replica.apply(&update)? {
            return Ok(());
        }
        self.note_format();
        self.touched_comments |= comments.is_some();
        let CommentChanges { stamps, keys } = comments.unwrap_or_default();
        let (author, taker) = match self.peers.get(&conn) {
            Some(peer) => (peer.who.author.clone(), peer.taker.as_ref()),
            None => (None, None),
        };
        self.log_bytes += update.len() as u64;
        if let (Some(allowances), Some(taker)) = (&self.allowances, taker) {
            allowances.stores(taker, crate::clock::now(), update.len());
        }
        self.broadcast(except, &update);
        self.rows.push(NewUpdate { bytes: update, author: author.clone(), submission, comments: keys });
        if let Err(error) = self.sign(&stamps, author) {
            // The edit itself is taken: it must not be answered as if it were not.
            tracing::warn!(document = self.document.id, %error, "a comment stays unsigned");
        }
        Ok(())
    }

    /// Signs comments that came without a signature.
    fn sign(&mut self, stamps: &[ValueChange], author: Option<String>) -> Result<(), ApplyError> {
        if stamps.is_empty() {
            return Ok(());
        }
        let stamp = self.replica.with_values(fresh_client_id(), stamps)?;
        self.server_update(stamp, author)
    }

    /// Counts the bytes of an edit that was made for `taker`.
    ///
    /// # Errors
    /// Where a limit is reached.
    pub fn takes(&mut self, taker: Option<&Taker>, bytes: usize) -> Result<(), EditError> {
        if bytes > self.limits.max_sync_bytes {
            return Err(EditError::TooLarge(bytes));
        }
        let now = crate::clock::now();
        let allowances = self.allowances.clone().zip(taker);
        if self.is_full() {
            return Err(EditError::Full(self.note_full(Limit::DocumentBytes)));
        }
        if allowances.as_ref().is_some_and(|(all, taker)| !all.fits(taker, now, bytes)) {
            return Err(EditError::Full(self.note_full(Limit::UserBytes)));
        }
        if let Some((all, taker)) = allowances {
            all.stores(taker, now, bytes);
        }
        Ok(())
    }

    /// The edit of this batch is done once: it is stored with these names, or not at all.
    pub fn do_once(&mut self, names: impl IntoIterator<Item = OnceName>) {
        self.once.extend(names);
    }

    /// Takes an edit of the server itself, or of a program over HTTP, and passes it on to everybody.
    pub fn server_update(&mut self, update: Vec<u8>, author: Option<String>) -> Result<(), ApplyError> {
        if self.replica.apply(&update)? {
            self.note_format();
            self.touched_comments |= self.has_comments();
            self.log_bytes += update.len() as u64;
            self.broadcast(None, &update);
            let (bytes, comments) = (update.into(), Authors::default());
            self.rows.push(NewUpdate { bytes, author, submission: None, comments });
        }
        Ok(())
    }
}
