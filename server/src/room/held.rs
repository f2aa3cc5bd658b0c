//! A room that is held, and its place among the open ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use axum::body::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};

use super::command::Command;
use super::end::RoomEnd;
use crate::hints::ConnId;
use crate::lock::lock;
use crate::metrics::Metrics;

/// Messages waiting for a room; beyond that its connections are not read from.
const MAILBOX: usize = 1024;
/// Frames waiting for a room are counted in units of so many bytes.
const UNIT: usize = 1024;

/// A room, held: it does not end while this exists.
#[derive(Clone)]
pub struct RoomRef {
    mailbox: mpsc::Sender<Command>,
    /// What the frames in the mailbox, and those being stored, may take, in units.
    budget: Arc<Semaphore>,
    /// The whole budget, in units.
    most: u32,
    /// How it has ended.
    ended: Arc<OnceLock<RoomEnd>>,
    _held: Arc<()>,
}

impl RoomRef {
    /// A room that takes frames of so many bytes, and what it is sent.
    pub(super) fn new(largest: usize) -> (Self, mpsc::Receiver<Command>) {
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        // Two of the largest, so that one can wait while another is stored.
        let most = u32::try_from(2 * (largest / UNIT + 2)).unwrap_or(u32::MAX);
        let budget = Arc::new(Semaphore::new(most as usize));
        (Self { mailbox, budget, most, ended: Arc::default(), _held: Arc::default() }, inbox)
    }

    /// Sends nothing if the mailbox is full: the room will ask the database by itself.
    pub(super) fn try_send(&self, command: Command) {
        let _ = self.mailbox.try_send(command);
    }

    /// Waits while the room has too much to do. False if it is gone.
    pub async fn send(&self, command: Command) -> bool {
        self.mailbox.send(command).await.is_ok()
    }

    /// What somebody is told who comes to a room that is gone; `create`: who may make its document.
    pub fn farewell(&self, create: bool) -> (u16, &'static str) {
        let end = self.ended.get().unwrap_or(&RoomEnd::Done);
        if create { end.farewell_to_maker() } else { end.farewell() }
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
        // Mostly there is room. The future that waits is boxed: otherwise every connection would have a place for it.
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

/// A room's entry among the open ones.
pub(super) struct Registration {
    pub(super) document: String,
    open: Arc<Mutex<HashMap<String, RoomRef>>>,
    /// Tells this room from the next one of the same document.
    held: Weak<()>,
    ended: Arc<OnceLock<RoomEnd>>,
    metrics: Arc<Metrics>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.leave();
        self.metrics.rooms.dec();
    }
}

impl Registration {
    pub(super) fn new(
        document: &str,
        open: &Arc<Mutex<HashMap<String, RoomRef>>>,
        room: &RoomRef,
        metrics: &Arc<Metrics>,
    ) -> Self {
        metrics.rooms.inc();
        let (open, metrics) = (Arc::clone(open), Arc::clone(metrics));
        let (held, ended) = (Arc::downgrade(&room._held), Arc::clone(&room.ended));
        Self { document: document.to_owned(), open, held, ended, metrics }
    }

    /// Where it is said how the room has ended, before nothing can be sent to it any more.
    pub(super) fn ended(&self) -> Arc<OnceLock<RoomEnd>> {
        Arc::clone(&self.ended)
    }

    fn is_mine(&self, room: &RoomRef) -> bool {
        std::ptr::eq(self.held.as_ptr(), Arc::as_ptr(&room._held))
    }

    /// Gives the place up unless somebody holds the room. After `true` nobody can find this room any more.
    pub(super) fn leave_if_unheld(&self) -> bool {
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
