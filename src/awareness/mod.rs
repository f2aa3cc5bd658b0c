//! Presence and selections of the peers: y-protocols' awareness, with clocks and expiry.
//!
//! [`Awareness`] holds one JSON state per client and decides which of two is newer. What a state contains is the
//! session's matter. It sends nothing and knows no time of its own: callers pass `now` and ask what there is to send.
//! Decoding is total; states too large or too many are refused, not kept.

mod codec;

use litemap::LiteMap;
use std::sync::Arc;

pub use codec::{AwarenessError, ClientState, decode, encode};

type Millis = u64;

/// A state not renewed for this long is removed.
pub const EXPIRE: Millis = 30_000;
/// One's own state is sent again after this long.
pub const RENEW: Millis = 15_000;
/// How many clients a session keeps the states of; more are ignored.
pub const MAX_CLIENTS: usize = 4096;

/// The states of one document's clients, as one client sees them.
#[derive(Debug)]
pub struct Awareness {
    client_id: u64,
    own: Own,
    peers: LiteMap<u64, PeerEntry>,
}

#[derive(Debug, Default)]
struct Own {
    clock: u32,
    /// JSON text; none: not present.
    state: Option<Arc<str>>,
    /// When it last went out.
    sent_at: Option<Millis>,
    dirty: bool,
}

#[derive(Debug)]
struct PeerEntry {
    clock: u32,
    /// None: it left. Kept for its clock, so that a late older state does not bring it back.
    state: Option<Arc<str>>,
    heard_at: Millis,
}

/// What an awareness update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// A peer came, left or changed its state.
    pub changed: bool,
    /// A peer uses the client id of this session.
    pub clash: bool,
}

impl Awareness {
    pub fn new(client_id: u32) -> Self {
        Self { client_id: client_id.into(), own: Own::default(), peers: LiteMap::new() }
    }

    /// Sets one's own state, JSON text; none: no longer present. Setting what is set already changes nothing.
    pub fn set_state(&mut self, state: Option<String>) -> bool {
        if self.own.state.as_deref() == state.as_deref() {
            return false;
        }
        self.own.state = state.map(Arc::from);
        self.own.clock = self.own.clock.saturating_add(1);
        self.own.dirty = true;
        true
    }

    /// Whether there is something of one's own to send, by change or by age.
    pub fn is_due(&self, now: Millis) -> bool {
        self.own.dirty || self.renewal().is_some_and(|at| at <= now)
    }

    /// One's own state has changed since it was last taken.
    pub fn is_dirty(&self) -> bool {
        self.own.dirty
    }

    /// When one's own state has to be sent again, if it stays as it is.
    pub fn renewal(&self) -> Option<Millis> {
        self.own.state.as_ref()?;
        Some(self.own.sent_at?.saturating_add(RENEW))
    }

    /// One's own state as an awareness update, for sending now.
    pub fn take_own(&mut self, now: Millis) -> Vec<u8> {
        if !self.own.dirty {
            // A renewal must have a higher clock, or nobody would take it.
            self.own.clock = self.own.clock.saturating_add(1);
        }
        self.own.dirty = false;
        self.own.sent_at = Some(now);
        encode([ClientState { client_id: self.client_id, clock: self.own.clock, state: self.own.state.clone() }])
    }

    /// A new connection: nobody there knows one's state, and of nobody there anything is known.
    pub fn connected(&mut self) {
        self.own.dirty = self.own.state.is_some();
        self.own.clock = self.own.clock.saturating_add(u32::from(self.own.dirty));
    }

    /// The connection is lost. Clocks are forgotten too: the server's states are taken as they come the next time.
    /// Returns whether anybody was there.
    pub fn disconnected(&mut self) -> bool {
        let anybody = self.states().next().is_some();
        self.peers.clear();
        self.own.sent_at = None;
        anybody
    }

    /// One's own client id has changed; nobody knows the new one yet.
    pub fn rename(&mut self, client_id: u32) {
        self.client_id = client_id.into();
        self.own.dirty = self.own.state.is_some();
        self.own.clock = 1;
    }

    /// Everybody's state, one's own included: the answer to a query.
    pub fn encode_all(&self) -> Vec<u8> {
        let own = ClientState { client_id: self.client_id, clock: self.own.clock, state: self.own.state.clone() };
        let peers = self.peers.iter().map(|(id, peer)| ClientState {
            client_id: *id,
            clock: peer.clock,
            state: peer.state.clone(),
        });
        encode(std::iter::once(own).chain(peers).filter(|entry| entry.state.is_some()))
    }

    /// Takes an awareness update from the wire.
    ///
    /// # Errors
    /// If the bytes do not decode; nothing of them was taken.
    pub fn apply(&mut self, now: Millis, update: &[u8]) -> Result<Applied, AwarenessError> {
        let mut applied = Applied::default();
        for entry in decode(update)? {
            if entry.client_id == self.client_id {
                applied.clash |= self.hear_of_oneself(&entry);
            } else {
                applied.changed |= self.hear_of(now, entry);
            }
        }
        Ok(applied)
    }

    /// Returns whether it is another one under the same id.
    fn hear_of_oneself(&mut self, entry: &ClientState) -> bool {
        match (&entry.state, &self.own.state) {
            // Someone thinks we have left: say that we are here, in a way that is believed.
            (None, Some(_)) if entry.clock >= self.own.clock => {
                self.own.clock = entry.clock.saturating_add(1);
                self.own.dirty = true;
                false
            }
            (None, _) => false,
            (Some(_), _) if entry.clock < self.own.clock => false,
            (Some(heard), Some(own)) => heard != own,
            (Some(_), None) => entry.clock > self.own.clock,
        }
    }

    fn hear_of(&mut self, now: Millis, entry: ClientState) -> bool {
        let known = self.peers.len();
        match self.peers.get_mut(&entry.client_id) {
            None if known >= MAX_CLIENTS => false,
            None => {
                let came = entry.state.is_some();
                let peer = PeerEntry { clock: entry.clock, state: entry.state, heard_at: now };
                self.peers.insert(entry.client_id, peer);
                came
            }
            Some(peer) => {
                let leaves = entry.state.is_none() && peer.state.is_some();
                if entry.clock < peer.clock || (entry.clock == peer.clock && !leaves) {
                    return false;
                }
                let changed = peer.state != entry.state;
                *peer = PeerEntry { clock: entry.clock, state: entry.state, heard_at: now };
                changed
            }
        }
    }

    /// Removes peers not heard of for [`EXPIRE`]. Returns whether anybody was removed.
    pub fn expire(&mut self, now: Millis) -> bool {
        let mut changed = false;
        let silent = |peer: &PeerEntry| now.saturating_sub(peer.heard_at);
        for (_, peer) in self.peers.iter_mut().filter(|(_, peer)| silent(peer) >= EXPIRE) {
            changed |= peer.state.take().is_some();
        }
        // Without a state only the clock matters, and not for long.
        self.peers.retain(|_, peer| silent(peer) < 2 * EXPIRE);
        changed
    }

    /// When the next peer would expire.
    pub fn expiry(&self) -> Option<Millis> {
        let heard_at = self.peers.values().filter(|peer| peer.state.is_some()).map(|peer| peer.heard_at).min()?;
        Some(heard_at.saturating_add(EXPIRE))
    }

    /// The peers that are present: client id, JSON state, when last heard of.
    pub fn states(&self) -> impl Iterator<Item = (u64, &Arc<str>, Millis)> {
        self.peers.iter().filter_map(|(id, peer)| Some((*id, peer.state.as_ref()?, peer.heard_at)))
    }
}

#[cfg(test)]
mod tests;
