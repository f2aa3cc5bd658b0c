//! One document's sans-IO machine: edits, store, connection and presence in, effects out.
//!
//! [`Session::handle`] takes an [`Input`] and the time; [`Session::poll_output`] is drained completely after each.
//! No clock, no randomness but a seeded one, no sockets, no browser.

pub mod split;
mod types;

use std::collections::VecDeque;

use crate::slate::{Node, Range};

pub use types::*;

/// One opened document.
#[derive(Debug)]
pub struct Session {
    config: Config,
    outputs: VecDeque<Output>,
    status: Status,
    peers: Vec<Peer>,
}

impl Session {
    /// Opens a document. The first outputs are there at once.
    pub fn new(config: Config, _now: Millis) -> Self {
        let mut outputs = VecDeque::new();
        outputs.push_back(if config.store { Output::Load } else { Output::Ready });
        let status = Status {
            connection: Connection::Offline,
            synced: false,
            saved: Saved::Server,
            pending: 0,
            set_aside: 0,
            storage: if config.store { Storage::IndexedDb } else { Storage::Memory },
            offline_since: None,
            retry_at: None,
            syncing_offline_changes: false,
            progress: None,
            read_only: false,
            epoch_conflict: false,
            error: None,
        };
        Self { config, outputs, status, peers: Vec::new() }
    }

    /// Takes one input. Total: whatever comes, the session goes on. `now` never goes back.
    pub fn handle(&mut self, _now: Millis, _input: Input) {}

    /// The next effect, in order; none once drained.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due at the latest, ms since the epoch. Changes with every input.
    pub fn next_timeout(&self) -> Option<Millis> {
        None
    }

    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The others, by client id.
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// The editor's children. Queued edits are not in it before the next flush.
    pub fn value(&self) -> Vec<Node> {
        Vec::new()
    }

    /// May change when the local copy is loaded, or when a peer turns out to have the same.
    pub fn client_id(&self) -> u32 {
        self.config.client_id
    }

    pub fn can_undo(&self) -> bool {
        false
    }

    pub fn can_redo(&self) -> bool {
        false
    }

    /// Yjs v1 encoding.
    pub fn state_vector(&self) -> Vec<u8> {
        vec![0]
    }

    /// What a replica with `state_vector` lacks, everything without one; as an update, Yjs v1 encoding.
    ///
    /// # Errors
    /// `invalid-update` if the state vector does not decode.
    pub fn encode_state(&self, _state_vector: Option<&[u8]>) -> Result<Vec<u8>, SessionError> {
        Ok(vec![0, 0])
    }

    /// What the server has not acknowledged, or refuses, as one update.
    ///
    /// # Errors
    /// `invalid-update` if what is kept does not decode any more.
    pub fn export_pending(&self) -> Result<Vec<u8>, SessionError> {
        Ok(vec![0, 0])
    }

    /// A range as JSON text that survives edits. None if it does not lie in the document.
    pub fn anchor(&self, _range: &Range) -> Option<String> {
        None
    }

    /// Where an anchor is now. None if its place is gone or the text is no anchor.
    pub fn resolve_anchor(&self, _anchor: &str) -> Option<Range> {
        None
    }
}
