//! Runs a room: takes what has arrived, lets the core judge it, stores, then sends.
//!
//! One batch at a time: whatever arrives while a batch is being committed waits and becomes the next one, so a busy
//! room commits larger batches, not more of them. A replica that an update has spoiled is replaced before anything else
//! is asked of it. What keeps the processor busy for long is done where other rooms need not wait for it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;
use slate_yrs::protocol::close;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::announce::Announcer;
use super::command::{Command, JoinRequest};
use super::core::{Core, Frames, Health, Join, Rows};
use super::edit::{Edit, EditKey, EditWork, Edited, fresh_client_id};
use super::end::{End, failed, panicked, replaced};
use super::frames::Outgoing;
use super::held::Registration;
use super::load::{Loaded, load, load_for};
use super::send_queue::SendQueue;
use super::shared::Shared;
use crate::allowance::Taker;
use crate::clock::now;
use crate::hints::{ConnId, Hint};
use crate::history::HistoryError;
use crate::limit::Limit;
use crate::live::EditError;
use crate::replica::ApplyError;
use crate::storage::{Authors, Fault, KnownSession, Refusal, Seq, StorageError, StoreRequest, Submission};
use crate::writer::CommitError;

/// Commands taken into one batch.
const BATCH: usize = 512;
/// Rows another server wrote that are read at once.
const CATCH_UP: u32 = 500;
/// A frame from this size on may take long to apply.
const LARGE_FRAME: usize = 64 * 1024;

/// Until the room ends. `closing` is dropped last: who shuts down waits for that.
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
    drop(place);
    let (code, reason) = end.farewell();
    if let End::Failed { error, .. } = &end {
        tracing::error!(document, error, "room closed");
    }
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
) -> End {
    // Before anything is read: what comes from another database since is not stored in this one.
    let database = shared.storage.database();
    let started = Instant::now();
    let mut room =
        match load_for(&shared.storage, &place.document, now(), create, shared.limits.max_document_bytes > 0).await {
            Ok((loaded, bytes)) => Room::new(Arc::clone(shared), database, loaded, bytes),
            Err(StorageError::NoDocument(_)) => {
                shared.metrics.limit_hit(Limit::Create);
                return End::Missing;
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

/// EditWork that may take long: other tasks go on on another thread.
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
    core: Core,
    /// The one that the document was loaded from, see [`crate::storage::Storage::database`].
    database: u64,
    send_queues: HashMap<ConnId, SendQueue>,
    rows_since_head: u64,
    /// A head on its way to the database.
    head: Option<JoinHandle<()>>,
    /// A row could not be set aside: a head would cover it, and nobody would look at it again.
    incomplete: bool,
    announcer: Announcer,
    /// The shares of frames that are not stored yet.
    held: Vec<OwnedSemaphorePermit>,
    empty_since: Option<Instant>,
}

impl Room {
    fn new(shared: Arc<Shared>, database: u64, loaded: Loaded, bytes: u64) -> Self {
        shared.metrics.quarantined.inc_by(loaded.quarantined);
        let mut core = Core::new(shared.limits, shared.layout.clone(), loaded.document, loaded.replica);
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
        }
    }

    async fn serve(
        &mut self,
        place: &Registration,
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
            if idle && inbox.is_empty() {
                if place.leave_if_unheld() {
                    return End::Done;
                }
                // Somebody holds it who has not joined: looked at again later, not all the time.
                self.empty_since = Some(Instant::now());
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
        [core, idle, self.announcer.next_timeout()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(60))
    }

    /// Judges the commands, stores, sends.
    async fn batch(&mut self, commands: &mut Vec<Command>) -> Result<(), End> {
        self.core.tick(now());
        for command in commands.drain(..) {
            if self.command(command).await? == Health::Spoiled {
                // Replaces the replica, before the next command asks it anything.
                self.commit().await?;
            }
        }
        self.commit().await?;
        self.announcer.tick(&self.core);
        Ok(())
    }

    async fn command(&mut self, command: Command) -> Result<Health, End> {
        match command {
            Command::Join(request) => self.join(*request).await?,
            Command::Frame { conn, bytes, received, held } => {
                self.held.push(held);
                let long = bytes.len() >= LARGE_FRAME;
                return Ok(at_length(long, || self.core.frame(now(), received, conn, &bytes)));
            }
            Command::StoredElsewhere { epoch, seq } => {
                // A hint may be of the document's last lifetime, or its next: the database says which this is.
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

    async fn join(&mut self, request: JoinRequest) -> Result<(), End> {
        if self.shared.storage.database() != self.database {
            request.queue.end(close::INTERNAL, Fault::Replaced.reason());
            return Err(replaced());
        }
        let mut known = KnownSession::default();
        if let Some(session) = &request.session {
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
        let owner = request.session.as_deref().and_then(|session| self.core.session_owner(session)).or(known.owner);
        if owner.is_some() && owner != request.owner {
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
        self.send_queues.insert(request.conn, request.queue);
        self.core.join(Join {
            conn: request.conn,
            durable: request.durable,
            session: request.session,
            formats: request.formats,
            progress: known.progress,
            role: request.role,
            author: request.author,
            owner: request.owner,
            name: request.name,
            admin: request.admin,
            taker: request.taker,
        });
        Ok(())
    }

    async fn edit(&mut self, edit: Edit) -> Result<Health, End> {
        let Edit { work, author, taker, key, done } = edit;
        let answer = match self.before_edit(key.as_ref()).await? {
            Ok(None) => self.work(work, author, taker.as_ref(), key),
            Ok(Some(edited)) => Ok(edited),
            Err(error) => Err(error),
        };
        let health = match &answer {
            Err(EditError::Apply(ApplyError::Spoiled)) => Health::Spoiled,
            _ => Health::Sound,
        };
        if answer.is_ok() {
            self.commit().await?;
        }
        let tip = self.core.document().tip;
        let _ = done.send(answer.map(|edited| Edited { tip, ..edited }));
        Ok(health)
    }

    /// The answer that there is without doing anything.
    async fn before_edit(&mut self, key: Option<&EditKey>) -> Result<Result<Option<Edited>, EditError>, End> {
        let Some(key) = key else { return Ok(Ok(None)) };
        // The first of two may be waiting in this very batch.
        self.commit().await?;
        let document = self.core.document();
        let known = match self.shared.storage.session(&document.id, &key.session).await {
            Ok(known) => known,
            Err(error) => return Ok(Err(HistoryError::Storage(error).into())),
        };
        if known.progress.last == 0 {
            return Ok(Ok(None));
        }
        if known.owner.as_deref() != Some(&key.request) {
            return Ok(Err(EditError::KeyReused));
        }
        let (epoch, tip) = (document.epoch.clone(), document.tip);
        Ok(Ok(Some(Edited { epoch, tip, report: Value::Null, replayed: true })))
    }

    fn work(
        &mut self,
        work: EditWork,
        author: Option<String>,
        taker: Option<&Taker>,
        key: Option<EditKey>,
    ) -> Result<Edited, EditError> {
        let core = &mut self.core;
        let made = at_length(true, || work(&core.replica().encode(), fresh_client_id()))?;
        if let Some(update) = made.update {
            core.takes(taker, update.len())?;
            let submission = key.map(|key| Submission {
                session: key.session,
                seq: 1,
                after_refusal: false,
                owner: Some(key.request),
            });
            core.server_update(update, author, submission)?;
        }
        let document = core.document();
        Ok(Edited { epoch: document.epoch.clone(), tip: document.tip, report: made.report, replayed: false })
    }

    /// Stores what the core has accepted, then lets its frames go (F14).
    async fn commit(&mut self) -> Result<(), End> {
        if let Some(rows) = self.core.take_rows() {
            if self.core.has_presence(now()) {
                let presence = self.core.take_presence(now());
                self.send(presence);
            }
            self.store(rows).await?;
        }
        if self.core.replica().is_spoiled() {
            self.reload().await?;
        }
        self.flush();
        self.announcer.comments(&mut self.core);
        self.announcer.up_to(self.core.document().tip);
        self.held.clear();
        self.count();
        if self.rows_since_head >= self.shared.head_every {
            self.begin_head();
        }
        Ok(())
    }

    async fn store(&mut self, rows: Rows) -> Result<(), End> {
        let (id, epoch, tip) = {
            let document = self.core.document();
            (document.id.clone(), document.epoch.clone(), document.tip)
        };
        let count = rows.updates.len() as u64;
        let authors = Authors(rows.updates.iter().filter_map(|update| update.author.clone()).collect());
        let at = now();
        let request = StoreRequest {
            document: id,
            epoch: epoch.clone(),
            at,
            updates: rows.updates,
            only_at_tip: rows.only_at_tip,
            database: Some(self.database),
        };
        let stored = self.shared.writer.commit(request).await.map_err(|error| match error {
            CommitError::Refused(Refusal::Epoch) => End::Epoch,
            CommitError::Refused(Refusal::Replaced) => replaced(),
            CommitError::Refused(refusal) => End::Failed { fault: Fault::Other, error: refusal.to_string() },
            CommitError::Failed { fault, error } => End::Failed { fault, error },
        })?;
        tracing::debug!(document = self.core.document().id, stored.first, stored.last, "stored");
        self.rows_since_head += count;
        self.shared.changed.note(&self.core.document().id);
        self.hint(Hint::Stored { epoch, seq: stored.last });
        if stored.first > tip + 1 {
            // Another server wrote in between.
            self.catch_up().await
        } else {
            self.core.committed(stored.last);
            self.announcer.comments(&mut self.core);
            self.announcer.changed(stored.first, stored.last, authors, at);
            Ok(())
        }
    }

    /// Takes what other servers stored. Everything accepted here must be stored: the replica may have to be replaced.
    /// A database that does not answer is asked again with the next hint: the tip stays where it was.
    async fn catch_up(&mut self) -> Result<(), End> {
        loop {
            let document = self.core.document();
            let (id, epoch, tip) = (document.id.clone(), document.epoch.clone(), document.tip);
            let rows = match self.shared.storage.get_updates_of(&id, &epoch, tip, CATCH_UP).await {
                Ok(Some(rows)) => rows,
                Ok(None) => return Err(End::Epoch),
                Err(error) => {
                    tracing::warn!(document = id, %error, "cannot read what another server stored");
                    return Ok(());
                }
            };
            if rows.is_empty() {
                return Ok(());
            }
            tracing::debug!(document = id, tip, rows = rows.len(), "another server stored");
            self.rows_since_head += rows.len() as u64;
            let core = &mut self.core;
            let long = rows.iter().map(|row| row.bytes.len()).sum::<usize>() >= LARGE_FRAME;
            let (health, bad) = at_length(long, || core.remote_rows(&rows));
            for (seq, reason) in bad {
                self.quarantine(seq, &reason).await;
            }
            if health == Health::Spoiled {
                self.reload().await?;
            } else if let Some(first) = rows.first() {
                let authors = Authors(rows.iter().flat_map(|row| row.authors.0.clone()).collect());
                let at = rows.iter().map(|row| row.at).max().unwrap_or_default();
                self.announcer.comments(&mut self.core);
                self.announcer.changed(first.first_seq, self.core.document().tip, authors, at);
            }
            self.flush();
        }
    }

    /// Sets a row aside that cannot be used.
    async fn quarantine(&mut self, seq: Seq, reason: &str) {
        let id = self.core.document().id.clone();
        tracing::error!(document = id, seq, reason, "row quarantined");
        self.shared.metrics.quarantined.inc();
        if let Err(error) = self.shared.storage.quarantine(&id, seq, reason).await {
            tracing::error!(document = id, seq, %error, "a row could not be set aside");
            self.incomplete = true;
        }
    }

    /// Goes on with a copy out of the database, and passes on what only that one has. Everything accepted must be stored.
    async fn reload(&mut self) -> Result<(), End> {
        let document = self.core.document().clone();
        let loaded = load(&self.shared.storage, &document.id, now()).await.map_err(failed)?;
        if loaded.document.epoch != document.epoch {
            return Err(End::Epoch);
        }
        self.shared.metrics.quarantined.inc_by(loaded.set_aside);
        self.core.replace_replica(loaded.replica);
        self.incomplete = false;
        let storage = Arc::clone(&self.shared.storage);
        while self.core.document().tip < loaded.document.tip {
            let tip = self.core.document().tip;
            let rows = storage.get_updates_of(&document.id, &document.epoch, tip, CATCH_UP).await.map_err(failed)?;
            let rows = rows.ok_or(End::Epoch)?;
            let Some(last) = rows.last() else { break };
            for row in rows.iter().filter(|row| row.quarantined.is_none()) {
                self.core.broadcast(None, &row.bytes);
            }
            self.core.committed(last.seq);
            self.flush();
        }
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

    /// Sends a head snapshot on its way, unless one is. Of a replica that lacks anything there is none: loading would
    /// then pass over what it lacks.
    fn begin_head(&mut self) {
        if self.incomplete || self.head.as_ref().is_some_and(|head| !head.is_finished()) {
            return;
        }
        let core = &self.core;
        let document = core.document().clone();
        let bytes = match at_length(true, || core.replica().encode_whole()) {
            Ok(bytes) => bytes,
            Err(error) => return tracing::error!(document = document.id, %error, "no head snapshot"),
        };
        self.rows_since_head = 0;
        let storage = Arc::clone(&self.shared.storage);
        self.head = Some(tokio::spawn(async move {
            let put = storage.put_head(&document.id, &document.epoch, document.tip, now(), &bytes);
            if let Err(error) = put.await {
                // The log has everything; loading takes longer, that is all.
                tracing::warn!(document = document.id, %error, "no head snapshot");
            }
        }));
    }

    async fn end_head(&mut self) {
        if let Some(head) = self.head.take()
            && let Err(error) = head.await
        {
            tracing::warn!(%error, "no head snapshot");
        }
    }

    async fn finish(&mut self, end: &End) {
        const WORTH_A_HEAD: u64 = 50;
        let (code, reason) = end.farewell();
        if matches!(end, End::Epoch) {
            self.announcer.gone();
        }
        self.end_head().await;
        if matches!(end, End::Done) && self.rows_since_head >= WORTH_A_HEAD {
            self.begin_head();
            self.end_head().await;
        }
        for queue in self.send_queues.values() {
            match end {
                // After what is queued: acknowledgements among it.
                End::Done => queue.push(Outgoing::Close { code, reason }),
                End::Epoch | End::Missing | End::Failed { .. } => queue.end(code, reason),
            }
        }
    }
}

async fn until(closing: &mut watch::Receiver<bool>) {
    // An error means that the rooms are gone, which ends this one as well.
    let _ = closing.wait_for(|closing| *closing).await;
}
