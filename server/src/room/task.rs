//! Runs a room: takes what has arrived, lets the core judge it, stores, then sends.
//!
//! One batch at a time: whatever arrives while a batch is being committed waits and becomes the next one, so a busy
//! room commits larger batches, not more of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use slate_yrs::protocol::close;
use slate_yrs::slate::Node;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::core::{Batch, Core, Health, Join};
use super::load::{Loaded, load};
use super::outbox::Outbox;
use super::{ConnId, JoinRequest, Place, Shared};
use crate::clock::now;
use crate::history::{HistoryError, forward_edit};
use crate::neighbours::Hint;
use crate::storage::{Refusal, Seq, StorageError, StoreRequest, random_id};
use crate::writer::CommitError;

/// Commands taken into one batch.
const BATCH: usize = 512;
/// Rows another server wrote that are read at once.
const CATCH_UP: u32 = 500;

pub enum Command {
    Join(JoinRequest),
    Frame {
        conn: ConnId,
        bytes: Bytes,
    },
    Leave {
        conn: ConnId,
    },
    Restore(Restore),
    /// Another server may have stored updates up to this one.
    StoredElsewhere(Seq),
    /// Presence at another server, which counts as one connection.
    PresenceElsewhere {
        server: ConnId,
        update: Vec<u8>,
    },
    /// Another server wants to know who is here.
    TellNeighbours,
    /// Hints pass again: ask the others, and look.
    AskNeighbours,
}

/// Bring the document to an earlier value, by an edit like any other.
pub struct Restore {
    pub root: String,
    pub target: Vec<Node>,
    pub author: Option<String>,
    /// Answered when the edit is stored; dropped if it cannot be.
    pub done: oneshot::Sender<Result<(), HistoryError>>,
}

enum End {
    /// Empty, or shutting down: everything is stored.
    Done,
    /// The peers must come again, to another copy of the document.
    Failed(String),
    /// The document was deleted, or another one has its id.
    Epoch,
}

/// Until the room ends. `closing` is dropped last: who shuts down waits for that.
pub(super) async fn run(
    place: Place,
    shared: Arc<Shared>,
    mut inbox: mpsc::Receiver<Command>,
    mut closing: watch::Receiver<bool>,
) {
    let document = place.document.clone();
    let loaded = load(&shared.storage, &document, now()).await;
    let end = match loaded {
        Ok(loaded) => {
            let mut room = Room::new(Arc::clone(&shared), loaded);
            room.hint(Hint::WhoIsThere);
            let end = room.serve(&place, &mut inbox, &mut closing).await;
            room.finish(&end).await;
            end
        }
        Err(error) => End::Failed(error.to_string()),
    };
    place.leave();
    let (code, reason) = match &end {
        End::Done => (close::RESTART, "the server is restarting"),
        End::Epoch => (close::EPOCH, "the document was deleted or replaced"),
        End::Failed(error) => {
            tracing::error!(document, error, "room closed");
            (close::INTERNAL, "the document cannot be stored at the moment")
        }
    };
    // Whoever was about to join hears the same.
    inbox.close();
    while let Some(command) = inbox.recv().await {
        if let Command::Join(request) = command {
            request.outbox.end(code, reason);
        }
    }
    shared.metrics.rooms.dec();
    drop(closing);
}

struct Room {
    shared: Arc<Shared>,
    core: Core,
    outboxes: HashMap<ConnId, Outbox>,
    rows_since_head: u64,
    empty_since: Option<Instant>,
}

impl Room {
    fn new(shared: Arc<Shared>, loaded: Loaded) -> Self {
        shared.metrics.quarantined.inc_by(loaded.quarantined);
        let core = Core::new(shared.limits, loaded.document, loaded.replica);
        let rows_since_head = loaded.tail_rows;
        Self { shared, core, outboxes: HashMap::new(), rows_since_head, empty_since: Some(Instant::now()) }
    }

    async fn serve(
        &mut self,
        place: &Place,
        inbox: &mut mpsc::Receiver<Command>,
        closing: &mut watch::Receiver<bool>,
    ) -> End {
        let mut commands = Vec::new();
        loop {
            let wake = self.wake();
            tokio::select! {
                biased;
                () = until(closing) => return self.drain(inbox).await,
                count = inbox.recv_many(&mut commands, BATCH) => if count == 0 { return End::Done },
                () = sleep_until(wake) => {}
            }
            if let Err(end) = self.batch(&mut commands).await {
                return end;
            }
            let idle = self.empty_since.is_some_and(|since| since.elapsed() >= self.shared.idle);
            if idle && inbox.is_empty() && place.leave_if_unheld() {
                return End::Done;
            }
        }
    }

    /// Shutting down: what was received is stored and acknowledged.
    async fn drain(&mut self, inbox: &mut mpsc::Receiver<Command>) -> End {
        loop {
            let mut commands = Vec::new();
            while commands.len() < BATCH {
                let Ok(command) = inbox.try_recv() else { break };
                commands.push(command);
            }
            if commands.is_empty() {
                return End::Done;
            }
            if let Err(end) = self.batch(&mut commands).await {
                return end;
            }
        }
    }

    fn wake(&self) -> Instant {
        let core = self.core.next_timeout().map(|at| {
            let wait = u64::try_from(at - now()).unwrap_or(0).max(1);
            Instant::now() + Duration::from_millis(wait)
        });
        let idle = self.empty_since.map(|since| since + self.shared.idle);
        [core, idle].into_iter().flatten().min().unwrap_or_else(|| Instant::now() + Duration::from_secs(60))
    }

    /// Judges the commands, stores, sends.
    async fn batch(&mut self, commands: &mut Vec<Command>) -> Result<(), End> {
        self.core.tick(now());
        for command in commands.drain(..) {
            if self.command(command).await? == Health::Spoiled {
                self.commit().await?;
                self.reload().await?;
            }
        }
        self.commit().await
    }

    async fn command(&mut self, command: Command) -> Result<Health, End> {
        match command {
            Command::Join(request) => self.join(request).await?,
            Command::Frame { conn, bytes } => return Ok(self.core.frame(now(), conn, &bytes)),
            Command::StoredElsewhere(seq) => {
                if seq > self.core.document().tip {
                    self.catch_up().await?;
                }
            }
            Command::PresenceElsewhere { server, update } => self.core.presence_elsewhere(now(), server, &update),
            Command::TellNeighbours => {
                if let Some(update) = self.core.presence_here() {
                    self.hint(Hint::Presence(update));
                }
            }
            Command::AskNeighbours => {
                self.hint(Hint::WhoIsThere);
                self.catch_up().await?;
            }
            Command::Restore(restore) => return self.restore(restore).await,
            Command::Leave { conn } => {
                self.core.leave(now(), conn);
                self.outboxes.remove(&conn);
                if self.outboxes.is_empty() {
                    self.empty_since = Some(Instant::now());
                }
            }
        }
        Ok(Health::Sound)
    }

    async fn join(&mut self, request: JoinRequest) -> Result<(), End> {
        let mut progress = Default::default();
        if let Some(session) = &request.session {
            // What the session sent before may be waiting in this very batch.
            self.commit().await?;
            progress = self.shared.storage.progress(&self.core.document().id, session).await.map_err(failed)?;
        }
        self.empty_since = None;
        self.outboxes.insert(request.conn, request.outbox);
        self.core.join(Join {
            conn: request.conn,
            durable: request.durable,
            session: request.session,
            progress,
            role: request.role,
            author: request.author,
        });
        Ok(())
    }

    async fn restore(&mut self, restore: Restore) -> Result<Health, End> {
        let client_id = fresh_client_id();
        let current = self.core.replica().encode();
        let health = match forward_edit(&restore.root, client_id, &current, &restore.target) {
            Ok(Some(update)) => self.core.server_update(&update, restore.author),
            Ok(None) => Health::Sound,
            Err(error) => {
                let _ = restore.done.send(Err(error));
                return Ok(Health::Sound);
            }
        };
        self.commit().await?;
        let _ = restore.done.send(Ok(()));
        Ok(health)
    }

    /// Stores what the core has accepted, then lets its frames go (F14).
    async fn commit(&mut self) -> Result<(), End> {
        let mut batch = self.core.take_batch(now());
        self.count();
        if let Some(update) = batch.presence.take() {
            self.hint(Hint::Presence(update));
        }
        if batch.rows.is_empty() {
            self.send(batch);
            return Ok(());
        }
        let Batch { rows, only_at_tip, out, .. } = batch;
        let tip = self.core.document().tip;
        let count = rows.len() as u64;
        let request = StoreRequest {
            document: self.core.document().id.clone(),
            epoch: self.core.document().epoch.clone(),
            at: now(),
            updates: rows,
            only_at_tip,
        };
        let stored = self.shared.writer.commit(request).await.map_err(|error| match error {
            CommitError::Refused(Refusal::Epoch) => End::Epoch,
            error => End::Failed(error.to_string()),
        })?;
        if stored.first > tip + 1 {
            // Another server wrote in between.
            self.catch_up().await?;
        }
        tracing::debug!(document = self.core.document().id, stored.first, stored.last, "stored");
        self.core.committed(stored.last);
        self.hint(Hint::Stored(stored.last));
        self.send(Batch { out, ..Batch::default() });
        self.rows_since_head += count;
        if self.rows_since_head >= self.shared.head_every {
            self.put_head().await;
        }
        Ok(())
    }

    async fn catch_up(&mut self) -> Result<(), End> {
        loop {
            let document = self.core.document();
            let (id, tip) = (document.id.clone(), document.tip);
            let rows = self.shared.storage.get_updates_since(&id, tip, CATCH_UP).await.map_err(failed)?;
            if rows.is_empty() {
                return Ok(());
            }
            tracing::debug!(document = id, tip, rows = rows.len(), "another server stored");
            self.rows_since_head += rows.len() as u64;
            if self.core.remote_rows(&rows) == Health::Spoiled {
                self.reload().await?;
            }
        }
    }

    async fn reload(&mut self) -> Result<(), End> {
        let id = self.core.document().id.clone();
        let loaded = load(&self.shared.storage, &id, now()).await.map_err(failed)?;
        if loaded.document.epoch != self.core.document().epoch {
            return Err(End::Epoch);
        }
        self.core.replace_replica(loaded.replica);
        Ok(())
    }

    fn send(&self, batch: Batch) {
        for (conn, frames) in batch.out {
            let Some(outbox) = self.outboxes.get(&conn) else { continue };
            for frame in frames {
                outbox.push(frame);
            }
        }
    }

    fn hint(&self, hint: Hint) {
        self.shared.hints.send(&self.core.document().id, hint);
    }

    fn count(&mut self) {
        let counts = self.core.take_counts();
        let metrics = &self.shared.metrics;
        metrics.bad_frames.inc_by(counts.bad_frames);
        metrics.rejected.inc_by(counts.rejected);
        metrics.panics.inc_by(counts.panics);
        metrics.bytes_received.inc_by(counts.bytes_received);
    }

    async fn put_head(&mut self) {
        let document = self.core.document().clone();
        let bytes = self.core.replica().encode();
        let put = self.shared.storage.put_head(&document.id, &document.epoch, document.tip, now(), &bytes);
        match put.await {
            Ok(()) => self.rows_since_head = 0,
            // The log has everything; loading takes longer, that is all.
            Err(error) => tracing::warn!(document = document.id, %error, "no head snapshot"),
        }
    }

    async fn finish(&mut self, end: &End) {
        const WORTH_A_HEAD: u64 = 50;
        let (code, reason) = match end {
            End::Done => (close::RESTART, "the server is restarting"),
            End::Epoch => (close::EPOCH, "the document was deleted or replaced"),
            End::Failed(_) => (close::INTERNAL, "the document cannot be stored at the moment"),
        };
        if matches!(end, End::Done) && self.rows_since_head >= WORTH_A_HEAD {
            self.put_head().await;
        }
        for outbox in self.outboxes.values() {
            match end {
                // After what is queued: acknowledgements among it.
                End::Done => outbox.push(super::core::Outgoing::Close { code, reason }),
                End::Epoch | End::Failed(_) => outbox.end(code, reason),
            }
        }
    }
}

/// Of a replica that makes one edit. It is not zero, and never met again.
fn fresh_client_id() -> u32 {
    u32::from_str_radix(&random_id()[..8], 16).map_or(1, |id| id.max(1))
}

async fn until(closing: &mut watch::Receiver<bool>) {
    // An error means that the rooms are gone, which ends this one as well.
    let _ = closing.wait_for(|closing| *closing).await;
}

fn failed(error: StorageError) -> End {
    End::Failed(error.to_string())
}
