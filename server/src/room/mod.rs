//! Rooms: the server's side of documents that someone has open.
//!
//! [`core`] decides, [`task`] runs one per document with its mailbox and the database, [`Rooms`] finds or starts them.
//! A document has at most one room: finding and starting happen under one lock without waiting for anything, loading
//! happens in the room. A room ends when nobody holds it, which is decided under the same lock; one that panics gives its place
//! up as well, so that the next one can begin.

pub mod core;
mod edit;
mod end;
pub mod frames;
pub mod load;
mod send_queue;
mod task;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::Bytes;
use slate_yrs::format::Formats;
use slate_yrs::protocol::Role;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, watch};

pub use self::core::Limits;
pub use crate::hints::ConnId;
pub use edit::{Edit, EditKey, EditWork, Edited};
pub use send_queue::{Ending, SendQueue, SendQueueEnd, send_queue};
pub use task::Command;

use crate::allowance::{Allowances, Taker};
use crate::gate::Layout;
use crate::hints::Hints;
use crate::metrics::Metrics;
use crate::storage::{Storage, random_id};
use crate::writer::Writer;

/// Messages waiting for a room; beyond that its connections are not read from.
const MAILBOX: usize = 1024;
/// Frames waiting for a room are counted in units of so many bytes.
const UNIT: usize = 1024;

/// A connection that wants in.
pub struct JoinRequest {
    pub conn: ConnId,
    pub durable: bool,
    pub session: Option<String>,
    /// What the client says to know.
    pub formats: Formats,
    pub role: Role,
    pub author: Option<String>,
    /// Whose the session is: who the token says this is. None where nobody is asked.
    pub owner: Option<String>,
    /// What the token calls the owner.
    pub name: Option<String>,
    /// May change the comments of others.
    pub admin: bool,
    /// Who stores what comes from it.
    pub taker: Option<Taker>,
    /// May make the document if there is none.
    pub create: bool,
    pub queue: SendQueue,
}

/// What every room needs.
pub struct Shared {
    pub storage: Arc<dyn Storage>,
    pub writer: Writer,
    pub limits: Limits,
    pub layout: Layout,
    pub metrics: Arc<Metrics>,
    /// To other servers on the same database.
    pub hints: Hints,
    /// What addresses and users may take of it.
    pub allowances: Arc<Allowances>,
    /// How long an empty room is kept.
    pub idle: Duration,
    /// Rows after which a new head snapshot is written.
    pub head_every: u64,
}

impl Shared {
    /// How this server hears of what others store; for people.
    pub fn neighbours(&self) -> &'static str {
        match (self.hints.are_used(), self.metrics.redis_up.get() == 1) {
            (false, _) => "redis: not used",
            (true, true) => "redis: connected",
            (true, false) => "redis: away, servers converge through the database",
        }
    }
}

/// A room, held: it does not end while this exists.
#[derive(Clone)]
pub struct RoomRef {
    mailbox: mpsc::Sender<Command>,
    /// What the frames in the mailbox, and those being stored, may take.
    budget: Arc<Semaphore>,
    /// All of it, in units.
    most: u32,
    _held: Arc<()>,
}

impl RoomRef {
    /// Waits while the room has too much to do. False if it is gone.
    pub async fn send(&self, command: Command) -> bool {
        self.mailbox.send(command).await.is_ok()
    }

    /// Resolves when the room has ended.
    pub fn gone(&self) -> impl Future<Output = ()> + use<> {
        let mailbox = self.mailbox.clone();
        async move { mailbox.closed().await }
    }

    /// Waits while the room has too much to do, in messages or in bytes. False if it is gone.
    pub async fn frame(&self, conn: ConnId, bytes: Bytes) -> bool {
        let received = std::time::Instant::now();
        let units = u32::try_from(bytes.len() / UNIT + 1).map_or(self.most, |units| units.min(self.most));
        // Mostly there is room. What waiting takes is taken only then: every connection would have a place for it.
        let held = match Arc::clone(&self.budget).try_acquire_many_owned(units) {
            Ok(held) => held,
            Err(_) => match Box::pin(Arc::clone(&self.budget).acquire_many_owned(units)).await {
                Ok(held) => held,
                // It is never closed.
                Err(_) => return false,
            },
        };
        match self.mailbox.try_send(Command::Frame { conn, bytes, received, held }) {
            Ok(()) => true,
            Err(TrySendError::Full(command)) => Box::pin(self.send(command)).await,
            Err(TrySendError::Closed(_)) => false,
        }
    }
}

/// The rooms of this process.
pub struct Rooms {
    shared: Arc<Shared>,
    open: Arc<Mutex<HashMap<String, RoomRef>>>,
    closing: watch::Sender<bool>,
}

impl Rooms {
    pub fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), open: Arc::default(), closing: watch::Sender::new(false) }
    }

    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The document's room, started if there is none. None once [`Rooms::close`] was called. Where it is started for somebody
    /// who may not make a document (`create`), it ends if there is none.
    pub fn hold(&self, document: &str, create: bool) -> Option<RoomRef> {
        let mut open = lock(&self.open);
        if *self.closing.borrow() {
            return None;
        }
        if let Some(room) = open.get(document) {
            return Some(room.clone());
        }
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        // Two of the largest, so that one can wait while another is stored.
        let most = u32::try_from(2 * (self.shared.limits.max_sync_bytes / UNIT + 2)).unwrap_or(u32::MAX);
        let budget = Arc::new(Semaphore::new(most as usize));
        let room = RoomRef { mailbox, budget, most, _held: Arc::new(()) };
        open.insert(document.to_owned(), room.clone());
        self.shared.metrics.rooms.inc();
        let held = Arc::downgrade(&room._held);
        let metrics = Arc::clone(&self.shared.metrics);
        let place = Registration { document: document.to_owned(), open: Arc::clone(&self.open), held, metrics };
        tokio::spawn(task::run(place, Arc::clone(&self.shared), create, inbox, self.closing.subscribe()));
        Some(room)
    }

    /// Leaves a message for the document's room, if there is one and it has time. Does not hold it.
    pub fn tell(&self, document: &str, command: Command) {
        if let Some(room) = lock(&self.open).get(document) {
            // A room that is busy will ask the database by itself.
            let _ = room.mailbox.try_send(command);
        }
    }

    /// Ends this user's connections, wherever the room has time for it. How many rooms were told.
    pub async fn kick(&self, user: &str) -> usize {
        let open: Vec<RoomRef> = lock(&self.open).values().cloned().collect();
        for room in &open {
            room.send(Command::Kick { user: user.to_owned() }).await;
        }
        open.len()
    }

    /// The documents that are open.
    pub fn open_documents(&self) -> Vec<String> {
        lock(&self.open).keys().cloned().collect()
    }

    pub fn count(&self) -> usize {
        lock(&self.open).len()
    }

    /// Ends every room: each stores and acknowledges what it has received, then tells its peers to come again.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        // Each room holds a receiver until it has ended.
        self.closing.closed().await;
    }
}

/// A room's entry among the open ones.
struct Registration {
    document: String,
    open: Arc<Mutex<HashMap<String, RoomRef>>>,
    /// Tells this room from the next one of the same document.
    held: Weak<()>,
    metrics: Arc<Metrics>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.leave();
        self.metrics.rooms.dec();
    }
}

impl Registration {
    fn is_mine(&self, room: &RoomRef) -> bool {
        std::ptr::eq(self.held.as_ptr(), Arc::as_ptr(&room._held))
    }

    /// Gives the place up unless somebody holds the room. After `true` nobody can find this room any more.
    fn leave_if_unheld(&self) -> bool {
        let mut open = lock(&self.open);
        // Held by the map alone: nobody else can be about to send, for they would hold it.
        let unheld =
            open.get(&self.document).is_some_and(|room| self.is_mine(room) && Arc::strong_count(&room._held) == 1);
        if unheld {
            open.remove(&self.document);
        }
        unheld
    }

    /// Gives the place up in any case: who holds the room finds it gone. After [`Registration::leave_if_unheld`] another room
    /// may have it already.
    fn leave(&self) {
        let mut open = lock(&self.open);
        if open.get(&self.document).is_some_and(|room| self.is_mine(room)) {
            open.remove(&self.document);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it is held; and a map is whole in any case.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

/// Of a replica that makes one edit. It is not zero, and never met again.
pub(crate) fn fresh_client_id() -> u32 {
    u32::from_str_radix(&random_id()[..8], 16).map_or(1, |id| id.max(1))
}
