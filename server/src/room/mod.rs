//! Rooms: the server's side of documents that someone has open.
//!
//! [`core`] decides; [`task`] runs a core, with its mailbox and the database; [`Rooms`] finds rooms or starts them. A
//! document has at most one room: finding and starting happen under one lock, without waiting for anything, and the
//! room itself loads the document. A room ends when nobody holds it, which is decided under the same lock. A room that
//! panics gives its place up as well, so that the next one can begin.

mod announce;
mod command;
pub mod core;
pub(crate) mod edit;
mod end;
pub mod frames;
mod held;
pub mod load;
mod participant;
mod send_queue;
mod shared;
mod task;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

pub use self::core::RoomLimits;
pub use crate::hints::ConnId;
pub use announce::{Event, Listen, Listening};
pub use command::{Command, JoinRequest};
pub use edit::{Edit, EditWork, Edited};
use held::Registration;
pub use held::RoomRef;
pub use participant::Participant;
pub use send_queue::{Ending, SendQueue, SendQueueEnd, send_queue};
pub use shared::Shared;

use crate::lock::lock;
use crate::storage::Kicked;

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

    /// The document's room, started if there is none. None once [`Rooms::close`] was called. `create`: whoever asks may
    /// make the document; a room that is started for somebody who may not ends if there is no document.
    pub fn hold(&self, document: &str, create: bool) -> Option<RoomRef> {
        let mut open = lock(&self.open);
        if *self.closing.borrow() {
            return None;
        }
        if let Some(room) = open.get(document) {
            return Some(room.clone());
        }
        let (room, inbox) = RoomRef::new(self.shared.limits.max_sync_bytes);
        open.insert(document.to_owned(), room.clone());
        let place = Registration::new(document, &self.open, &room, &self.shared.metrics);
        tokio::spawn(task::run(place, Arc::clone(&self.shared), create, inbox, self.closing.subscribe()));
        Some(room)
    }

    /// Leaves a command for the document's room, if there is a room and its mailbox has a place. Does not hold the
    /// room.
    pub fn tell(&self, document: &str, command: Command) {
        if let Some(room) = lock(&self.open).get(document) {
            room.try_send(command);
        }
    }

    /// Ends a user's connections. Returns how many rooms were told.
    pub async fn kick(&self, whom: &Kicked) -> usize {
        let open: Vec<RoomRef> = match &whom.document {
            Some(document) => lock(&self.open).get(document).cloned().into_iter().collect(),
            None => lock(&self.open).values().cloned().collect(),
        };
        for room in &open {
            room.send(Command::Kick { user: whom.user.clone() }).await;
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

    /// Ends every room. Each stores and acknowledges what it has received, then tells its clients to come again.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        // Each room holds a receiver until it has ended.
        self.closing.closed().await;
    }
}

#[cfg(test)]
mod tests;
