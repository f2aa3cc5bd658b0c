//! Runs a room: takes what has arrived, lets the core judge it, stores, then sends.
//!
//! [`store`] has what goes to the database and comes from it, [`head`] the head snapshots, [`edits`] the edits that the
//! room itself is asked for.
//!
//! One batch at a time: whatever arrives while a batch is being committed waits and becomes the next one, so a busy
//! room commits larger batches, not more of them. A replica that an update has spoiled is replaced before it is used
//! again. Work that keeps the processor busy for long is done where other rooms need not wait for it.

mod edits;
mod head;
mod store;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use slate_yrs::protocol::close;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::announce::Announcer;
use super::command::{Command, JoinRequest};
use super::core::{Frames, Health, Join, RoomCore};
use super::end::{RoomEnd, failed, panicked, replaced};
use super::frames::Outgoing;
use super::held::Registration;
use super::load::{LoadedRoom, load_for};
use super::send_queue::SendQueue;
use super::shared::Shared;
use crate::clock::now;
use crate::hints::{ConnId, Hint};
use crate::limit::Limit;
use crate::storage::{Attendance, Document, Fault, KnownSession, QueuedKind, StorageError};

/// Commands taken into one batch.
const BATCH: usize = 512;
/// A frame from this size on may take long to apply.
const LARGE_FRAME: usize = 64 * 1024;

/// Runs the room until it ends. `closing` is dropped last: [`super::Rooms::close`] waits for that.
pub(super) async fn run(
    place: Registration,
    shared: Arc<Shared>,
    create: bool,
    mut inbox: mpsc::Receiver<Command>,
    mut closing: watch::Receiver<bool>,
) {
    let document = place.document.clone();
    let life = AssertUnwindSafe(live(&place, &shared, create, &mut inbox, &mut closing)).catch_unwind().await;
    let end = life.unwrap_or_else(|_| panicked());
    let ended = place.ended();
    drop(place);
    if let RoomEnd::Failed { error, .. } = &end {
        tracing::error!(document, error, "room closed");
    }
    let end = ended.get_or_init(|| end);
    let (code, reason) = end.farewell();
    // Whoever was about to join hears the same.
    inbox.close();
    while let Some(command) = inbox.recv().await {
        if let Command::Join(request) = command {
            let (code, reason) = if request.create { end.farewell_to_maker() } else { (code, reason) };
            request.queue.end(code, reason);
        }
    }
    drop(closing);
}

async fn live(
    place: &Registration,
    shared: &Arc<Shared>,
    create: bool,
    inbox: &mut mpsc::Receiver<Command>,
    closing: &mut watch::Receiver<bool>,
) -> RoomEnd {
    // Asked before anything is read: if another database takes the place of this one, nothing of the room is stored
    // there.
    let database = shared.storage.database();
    let started = Instant::now();
    let mut room =
        match load_for(&shared.storage, &place.document, now(), create, shared.limits.max_document_bytes > 0).await {
            Ok((loaded, bytes)) => Room::new(Arc::clone(shared), database, loaded, bytes),
            Err(StorageError::NoDocument(_)) => {
                shared.metrics.limit_hit(Limit::Create);
                return RoomEnd::Missing;
            }
            Err(error) => {
                shared.metrics.database_erred(&error);
                return failed(error);
            }
        };
    shared.metrics.load_seconds.observe(started.elapsed().as_secs_f64());
    room.hint(Hint::WhoIsThere);
    let served = AssertUnwindSafe(room.serve(place, inbox, closing)).catch_unwind().await;
    let end = served.unwrap_or_else(|_| panicked());
    room.finish(&end).await;
    end
}

/// Work that may take long: other tasks go on on another thread.
fn at_length<T>(long: bool, work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    // On a runtime of one thread there is no other.
    if long && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        return tokio::task::block_in_place(work);
    }
    work()
}

struct Room {
    shared: Arc<Shared>,
    core: RoomCore,
    /// The one that the document was loaded from, see [`crate::storage::Storage::database`].
    database: u64,
    send_queues: HashMap<ConnId, SendQueue>,
    rows_since_head: u64,
    /// A head on its way to the database.
    head: Option<JoinHandle<()>>,
    /// A row could not be quarantined: no head is written, for it would cover that row, and nobody would look at it
    /// again.
    incomplete: bool,
    announcer: Announcer,
    /// What frames take that are not stored yet.
    held: Vec<OwnedSemaphorePermit>,
    empty_since: Option<Instant>,
    /// `opened` was told for webhooks, and `closed` was not.
    is_open: bool,
}

impl Room {
    fn new(shared: Arc<Shared>, database: u64, loaded: LoadedRoom, bytes: u64) -> Self {
        shared.metrics.quarantined.inc_by(loaded.quarantined);
        let mut core = RoomCore::new(shared.limits, shared.layout.clone(), loaded.document, loaded.replica);
        core.set_allowances(Arc::clone(&shared.allowances));
        core.set_log_bytes(bytes);
        let rows_since_head = loaded.tail_rows;
        Self {
            shared,
            core,
            database,
            send_queues: HashMap::new(),
            rows_since_head,
            head: None,
            incomplete: false,
            announcer: Announcer::default(),
            held: Vec::new(),
            empty_since: Some(Instant::now()),
            is_open: false,
        }
    }

    /// Says that the document was opened, or closed, where that is news.
    fn opened(&mut self, is_open: bool) {
        if std::mem::replace(&mut self.is_open, is_open) == is_open {
            return;
        }
        let Document { id, epoch, tip, .. } = self.core.document().clone();
        let kind = if is_open { QueuedKind::Opened } else { QueuedKind::Closed };
        self.shared.changed.attend(Attendance { document: id, epoch, seq: tip, kind, at: now() });
    }

    async fn serve(
        &mut self,
        place: &Registration,
        inbox: &mut mpsc::Receiver<Command>,
        closing: &mut watch::Receiver<bool>,
    ) -> RoomEnd {
        let mut commands = Vec::new();
        loop {
            let wake = self.wake();
            tokio::select! {
                biased;
                () = until(closing) => return self.drain(inbox).await,
                count = inbox.recv_many(&mut commands, BATCH) => if count == 0 { return RoomEnd::Done },
                () = sleep_until(wake) => {}
            }
            if let Err(end) = self.batch(&mut commands).await {
                return end;
            }
            let idle = self.empty_since.is_some_and(|since| since.elapsed() >= self.shared.idle);
            if idle && inbox.is_empty() {
                self.opened(false);
                if place.leave_if_unheld() {
                    return RoomEnd::Done;
                }
                // Somebody holds the room who has not joined: it is looked at again later, not all the time.
                self.empty_since = Some(Instant::now());
            }
        }
    }

    /// Shutting down: what was received is stored and acknowledged.
    async fn drain(&mut self, inbox: &mut mpsc::Receiver<Command>) -> RoomEnd {
        loop {
            let mut commands = Vec::new();
            while commands.len() < BATCH {
                let Ok(command) = inbox.try_recv() else { break };
                commands.push(command);
            }
            if commands.is_empty() {
                return RoomEnd::Done;
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
        [core, idle, self.announcer.next_timeout()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(60))
    }

    /// Judges the commands, stores, sends.
    async fn batch(&mut self, commands: &mut Vec<Command>) -> Result<(), RoomEnd> {
        self.core.tick(now());
        for command in commands.drain(..) {
            if self.command(command).await? == Health::Spoiled {
                // Replaces the replica before the next command uses it.
                self.commit().await?;
            }
        }
        self.commit().await?;
        self.announcer.tick(&self.core);
        Ok(())
    }

    async fn command(&mut self, command: Command) -> Result<Health, RoomEnd> {
        match command {
            Command::Join(request) => self.join(*request).await?,
            Command::Frame { conn, bytes, received, held } => {
                self.held.push(held);
                let long = bytes.len() >= LARGE_FRAME;
                return Ok(at_length(long, || self.core.frame(now(), received, conn, &bytes)));
            }
            Command::StoredElsewhere { epoch, seq } => {
                // A hint may be of an earlier or a later epoch: the database says which one holds.
                if epoch != self.core.document().epoch || seq > self.core.document().tip {
                    self.commit().await?;
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
                self.commit().await?;
                self.catch_up().await?;
            }
            Command::Kick { user } => {
                self.core.kick(&user);
                self.announcer.kick(&user);
            }
            Command::Listen(listen) => {
                self.commit().await?;
                let _ = listen.send(self.announcer.listen(&self.core));
            }
            Command::Edit(edit) => return self.edit(*edit).await,
            Command::Leave { conn } => {
                self.core.leave(now(), conn);
                self.send_queues.remove(&conn);
                if self.send_queues.is_empty() {
                    self.empty_since = Some(Instant::now());
                }
            }
        }
        Ok(Health::Sound)
    }

    async fn join(&mut self, request: JoinRequest) -> Result<(), RoomEnd> {
        if self.shared.storage.database() != self.database {
            request.queue.end(close::INTERNAL, Fault::Replaced.reason());
            return Err(replaced());
        }
        let mut known = KnownSession::default();
        if let Some(session) = &request.who.session {
            // What the session sent before may be waiting in this very batch.
            self.commit().await?;
            match self.shared.storage.session(&self.core.document().id, session).await {
                Ok(found) => known = found,
                Err(error) => {
                    // Nobody else's affair: this one comes again.
                    tracing::warn!(document = self.core.document().id, %error, "cannot read how far a session is");
                    self.shared.metrics.database_erred(&error);
                    request.queue.end(close::INTERNAL, error.fault().reason());
                    return Ok(());
                }
            }
        }
        let owner = request.who.session.as_deref().and_then(|session| self.core.session_owner(session)).or(known.owner);
        if owner.is_some() && owner != request.who.owner {
            tracing::warn!(document = self.core.document().id, "a session is used by another user");
            self.shared.metrics.denied.inc();
            request.queue.end(close::FORBIDDEN, "the session is another user's");
            return Ok(());
        }
        if self.core.is_full() {
            // It may have been compacted since.
            match self.shared.storage.log_bytes(&self.core.document().id).await {
                Ok(bytes) => self.core.set_log_bytes(bytes),
                Err(error) => tracing::warn!(document = self.core.document().id, %error, "cannot measure the log"),
            }
        }
        self.empty_since = None;
        self.opened(true);
        let JoinRequest { conn, who, taker, queue, .. } = request;
        self.send_queues.insert(conn, queue);
        self.core.join(Join { conn, who, progress: known.progress, taker });
        Ok(())
    }

    /// Sends what the core has for its peers.
    fn flush(&mut self) {
        let core = &mut self.core;
        let frames = at_length(core.is_asked(), || core.take_frames(now()));
        self.send(frames);
    }

    fn send(&mut self, frames: Frames) {
        if frames.is_presence_new {
            self.announcer.presence_changed();
        }
        if let Some(update) = frames.presence {
            self.hint(Hint::Presence(update));
        }
        for (conn, frames) in frames.out {
            let Some(queue) = self.send_queues.get(&conn) else { continue };
            for frame in frames {
                queue.push(frame);
            }
        }
        for received in frames.received {
            self.shared.metrics.ack_seconds.observe(received.elapsed().as_secs_f64());
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
        counts.limits.into_iter().flatten().for_each(|limit| metrics.limit_hit(limit));
    }

    async fn finish(&mut self, end: &RoomEnd) {
        const WORTH_A_HEAD: u64 = 50;
        let (code, reason) = end.farewell();
        if matches!(end, RoomEnd::Epoch) {
            self.announcer.gone();
        }
        self.opened(false);
        self.end_head().await;
        if matches!(end, RoomEnd::Done) && self.rows_since_head >= WORTH_A_HEAD {
            self.begin_head();
            self.end_head().await;
        }
        for queue in self.send_queues.values() {
            match end {
                // After what is queued: acknowledgements among it.
                RoomEnd::Done => queue.push(Outgoing::Close { code, reason }),
                RoomEnd::Epoch | RoomEnd::Missing | RoomEnd::Failed { .. } => queue.end(code, reason),
            }
        }
    }
}

async fn until(closing: &mut watch::Receiver<bool>) {
    // An error means that the rooms are gone, which ends this one as well.
    let _ = closing.wait_for(|closing| *closing).await;
}
