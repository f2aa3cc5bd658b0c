//! Awareness as the server keeps it: who is in a room, with y-protocols' clocks.
//!
//! Kept so that a joiner sees everyone at once, removed when the connection that sent it ends, expired when it is not
//! renewed (F27). A state is a JSON text and is never looked into; one that is no JSON is refused, because it would
//! throw in every peer. A client id belongs to the connection that announced it: another one can neither remove it
//! while it is alive, nor speak for it unless the owner agrees (see `may_take`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::de::IgnoredAny;
use thiserror::Error;

use crate::neighbours::is_remote;
use crate::room::ConnId;
use crate::storage::Millis;
use crate::wire::Reader;

/// Peers renew every 15 s.
pub const EXPIRE_MS: Millis = 30_000;
/// How long the clock of someone who left is remembered: echoes of old states must not bring them back.
const TOMBSTONE_MS: Millis = 120_000;
const MAX_STATE_BYTES: usize = 32 * 1024;
const MAX_IDS_PER_CONNECTION: usize = 16;
/// States one message may carry: y-websocket clients repeat those of everyone.
const MAX_STATES_PER_MESSAGE: usize = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PresenceError {
    #[error("the awareness message ends early or is too long")]
    Malformed,
    #[error("a state is not JSON")]
    NotJson,
    #[error("a state exceeds {MAX_STATE_BYTES} bytes")]
    TooLarge,
    #[error("a connection announces more than {MAX_IDS_PER_CONNECTION} clients")]
    TooMany,
}

#[derive(Debug, Default)]
pub struct Presence {
    entries: HashMap<u32, Entry>,
    /// Changed since the last [`Presence::take_changes`].
    changed: BTreeSet<u32>,
}

#[derive(Debug)]
struct Entry {
    clock: u32,
    /// None: left.
    state: Option<Arc<str>>,
    owner: ConnId,
    renewed: Millis,
}

/// Changes for everyone in a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    /// An awareness update.
    pub update: Vec<u8>,
    /// The connection all of them came from, if it is one: it need not hear of them.
    pub only_from: Option<ConnId>,
    /// Those of them that other servers have not heard of: an awareness update.
    pub local: Option<Vec<u8>>,
}

impl Presence {
    /// Takes an awareness update. What came before an error is kept.
    pub fn take(
        &mut self,
        now: Millis,
        conn: ConnId,
        update: &[u8],
        may_take: impl Fn(ConnId) -> bool,
    ) -> Result<(), PresenceError> {
        let mut reader = Reader::new(update);
        let count = reader.var_uint().ok_or(PresenceError::Malformed)?;
        if count as usize > MAX_STATES_PER_MESSAGE {
            return Err(PresenceError::Malformed);
        }
        for _ in 0..count {
            let client = reader.var_uint().and_then(|id| u32::try_from(id).ok()).ok_or(PresenceError::Malformed)?;
            let clock = reader.var_uint().and_then(|clock| u32::try_from(clock).ok());
            let clock = clock.ok_or(PresenceError::Malformed)?;
            let state = reader.str().ok_or(PresenceError::Malformed)?;
            self.take_one(now, conn, client, clock, state, &may_take)?;
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        now: Millis,
        conn: ConnId,
        client: u32,
        clock: u32,
        state: &str,
        may_take: &impl Fn(ConnId) -> bool,
    ) -> Result<(), PresenceError> {
        let gone = state == "null";
        if let Some(known) = self.entries.get(&client) {
            let newer = clock > known.clock || (clock == known.clock && gone && known.state.is_some());
            if !newer {
                return Ok(());
            }
            let alive = known.state.is_some() && now - known.renewed < EXPIRE_MS;
            if known.owner != conn && alive && (gone || !may_take(known.owner)) {
                return Ok(());
            }
        } else if gone {
            return Ok(());
        }
        if !gone {
            if state.len() > MAX_STATE_BYTES {
                return Err(PresenceError::TooLarge);
            }
            if serde_json::from_str::<IgnoredAny>(state).is_err() {
                return Err(PresenceError::NotJson);
            }
            let owned = |(id, entry): (&u32, &Entry)| entry.owner == conn && entry.state.is_some() && *id != client;
            let count = || self.entries.iter().filter(|entry| owned(*entry)).count();
            if !is_remote(conn) && count() >= MAX_IDS_PER_CONNECTION {
                return Err(PresenceError::TooMany);
            }
        }
        let state = (!gone).then(|| Arc::from(state));
        self.entries.insert(client, Entry { clock, state, owner: conn, renewed: now });
        self.changed.insert(client);
        Ok(())
    }

    /// Removes whom this connection announced.
    pub fn leave(&mut self, now: Millis, conn: ConnId) {
        self.remove(now, |entry| entry.owner == conn);
    }

    /// Removes whom nobody renewed in time, and forgets who left long ago.
    pub fn expire(&mut self, now: Millis) {
        self.remove(now, |entry| now - entry.renewed >= EXPIRE_MS);
        self.entries.retain(|_, entry| entry.state.is_some() || now - entry.renewed < TOMBSTONE_MS);
    }

    fn remove(&mut self, now: Millis, which: impl Fn(&Entry) -> bool) {
        for (client, entry) in &mut self.entries {
            if entry.state.is_some() && which(entry) {
                entry.state = None;
                entry.clock = entry.clock.saturating_add(1);
                entry.renewed = now;
                self.changed.insert(*client);
            }
        }
    }

    /// When [`Presence::expire`] will have something to do, at the earliest.
    pub fn next_expiry(&self) -> Option<Millis> {
        self.entries.values().filter(|entry| entry.state.is_some()).map(|entry| entry.renewed + EXPIRE_MS).min()
    }

    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// What changed since the last call.
    pub fn take_changes(&mut self) -> Option<Changes> {
        let changed = std::mem::take(&mut self.changed);
        let entries: Vec<_> = changed.iter().filter_map(|client| Some((*client, self.entries.get(client)?))).collect();
        let (_, first) = entries.first()?;
        let only_from = entries.iter().all(|(_, entry)| entry.owner == first.owner).then_some(first.owner);
        let local: Vec<_> = entries.iter().filter(|(_, entry)| !is_remote(entry.owner)).copied().collect();
        let local = (!local.is_empty()).then(|| encode(&local));
        Some(Changes { update: encode(&entries), only_from, local })
    }

    /// Everyone who is connected to this server.
    pub fn everyone_local(&self) -> Option<Vec<u8>> {
        let entries: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.state.is_some() && !is_remote(entry.owner))
            .map(|(client, entry)| (*client, entry))
            .collect();
        (!entries.is_empty()).then(|| encode(&entries))
    }

    /// Everyone who is here, for a joiner.
    pub fn everyone(&self) -> Option<Vec<u8>> {
        let mut entries: Vec<_> =
            self.entries.iter().filter(|(_, entry)| entry.state.is_some()).map(|(id, entry)| (*id, entry)).collect();
        entries.sort_by_key(|(client, _)| *client);
        (!entries.is_empty()).then(|| encode(&entries))
    }
}

fn encode(entries: &[(u32, &Entry)]) -> Vec<u8> {
    let mut out = Vec::new();
    crate::wire::var_uint(&mut out, entries.len() as u64);
    for (client, entry) in entries {
        crate::wire::var_uint(&mut out, u64::from(*client));
        crate::wire::var_uint(&mut out, u64::from(entry.clock));
        crate::wire::buf(&mut out, entry.state.as_deref().unwrap_or("null").as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(states: &[(u32, u32, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        crate::wire::var_uint(&mut out, states.len() as u64);
        for (client, clock, state) in states {
            crate::wire::var_uint(&mut out, u64::from(*client));
            crate::wire::var_uint(&mut out, u64::from(*clock));
            crate::wire::buf(&mut out, state.as_bytes());
        }
        out
    }

    fn take(presence: &mut Presence, now: Millis, conn: ConnId, states: &[(u32, u32, &str)]) {
        assert_eq!(presence.take(now, conn, &update(states), |_| false), Ok(()));
    }

    #[test]
    fn f27_kept_renewed_removed_expired() {
        let mut presence = Presence::default();
        take(&mut presence, 0, 1, &[(7, 1, "{}")]);
        assert_eq!(presence.everyone(), Some(update(&[(7, 1, "{}")])));
        assert_eq!(presence.take_changes().and_then(|changes| changes.only_from), Some(1));
        // An echo from another client, and an older clock, change nothing.
        take(&mut presence, 10, 2, &[(7, 1, "{}"), (7, 0, "{}")]);
        assert!(!presence.has_changes());
        take(&mut presence, 15_000, 1, &[(7, 2, "{\"a\":1}")]);
        presence.expire(44_999);
        assert!(presence.everyone().is_some());
        presence.expire(45_000);
        assert_eq!(presence.everyone(), None);
        presence.take_changes();
        // A late echo does not bring anyone back; a new state does.
        take(&mut presence, 45_001, 2, &[(7, 2, "{\"a\":1}")]);
        assert_eq!(presence.everyone(), None);
        take(&mut presence, 45_002, 1, &[(7, 4, "{}")]);
        presence.leave(45_003, 1);
        assert_eq!(presence.take_changes().map(|changes| changes.update), Some(update(&[(7, 5, "null")])));
    }

    #[test]
    fn f27_nobody_removes_or_replaces_someone_who_is_here() {
        let mut presence = Presence::default();
        take(&mut presence, 0, 1, &[(7, 1, "{}")]);
        take(&mut presence, 10, 2, &[(7, 1, "null"), (7, 9, "null"), (7, 9, "{\"evil\":1}")]);
        assert_eq!(presence.everyone(), Some(update(&[(7, 1, "{}")])));
        // A new connection of the same user may, and then the end of the old one removes nobody.
        assert_eq!(presence.take(20, 2, &update(&[(7, 2, "{}")]), |_| true), Ok(()));
        presence.leave(30, 1);
        assert_eq!(presence.everyone(), Some(update(&[(7, 2, "{}")])));
    }

    #[test]
    fn f23_what_does_not_fit_is_refused() {
        let mut presence = Presence::default();
        let long = "9".repeat(MAX_STATE_BYTES + 1);
        for (bytes, error) in [
            (vec![1, 7], PresenceError::Malformed),
            (vec![0xff, 0xff, 0xff, 0xff, 0x7f], PresenceError::Malformed),
            (update(&[(1, 1, "{")]), PresenceError::NotJson),
            (update(&[(1, 1, &long)]), PresenceError::TooLarge),
        ] {
            assert_eq!(presence.take(0, 1, &bytes, |_| true), Err(error));
        }
        let many: Vec<_> = (0..17).map(|id| (id, 1, "{}")).collect();
        assert_eq!(presence.take(0, 1, &update(&many), |_| true), Err(PresenceError::TooMany));
    }
}
