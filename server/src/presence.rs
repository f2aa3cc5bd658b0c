//! Awareness as the server keeps it: who is in a room, with y-protocols' clocks.
//!
//! Kept so that a joiner sees everyone at once, removed when the connection that sent it ends, expired when it is not
//! renewed (F27). A state is a JSON text and is never looked into; one that is no JSON is refused, because it would
//! throw in every peer. A client id belongs to the connection that announced it: another one cannot remove it while it is
//! alive, and speak for it only as the same user, on whatever server either of them is. Those who left are remembered
//! for a while, but only so many.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::de::IgnoredAny;
use thiserror::Error;

use crate::hints::{ConnId, is_remote};
use crate::storage::Millis;
use crate::wire::Reader;

/// Peers renew every 15 s.
pub const EXPIRE_MS: Millis = 30_000;
/// How long the clock of someone who left is remembered: echoes of old states must not bring them back.
const TOMBSTONE_MS: Millis = 120_000;
const MAX_STATE_BYTES: usize = 32 * 1024;
const MAX_IDS_PER_CONNECTION: usize = 16;
/// With those that left.
const MAX_IDS_REMEMBERED: usize = 64;
/// Of all connections together; beyond that the oldest are forgotten early.
const MAX_TOMBSTONES: usize = 4_096;
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
    entries: HashMap<u32, PresentClient>,
    /// Changed since the last [`Presence::take_changes`].
    changed: BTreeSet<u32>,
}

#[derive(Debug)]
struct PresentClient {
    clock: u32,
    /// None: left.
    state: Option<Arc<str>>,
    owner: ConnId,
    author: Option<Arc<str>>,
    renewed: Millis,
}

/// Changes for everyone in a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    /// An awareness update.
    pub update: Vec<u8>,
    /// The connection all of them came from, if it is one: it need not hear of them.
    pub only_from: Option<ConnId>,
    /// Those of them that other servers have not heard of: for [`Presence::take_elsewhere`].
    pub local: Option<Vec<u8>>,
}

impl Presence {
    /// Takes an awareness update of a connection of this user. What came before an error is kept.
    pub fn take(
        &mut self,
        now: Millis,
        conn: ConnId,
        author: Option<&str>,
        update: &[u8],
    ) -> Result<(), PresenceError> {
        let mut reader = Reader::new(update);
        let author = author.map(Arc::from);
        for _ in 0..count(&mut reader)? {
            self.take_one(now, conn, author.clone(), &State::read(&mut reader)?)?;
        }
        Ok(())
    }

    /// Takes what another server says of its connections: an awareness update, and after it the users behind its states.
    pub fn take_elsewhere(&mut self, now: Millis, server: ConnId, update: &[u8]) -> Result<(), PresenceError> {
        let mut reader = Reader::new(update);
        let states = (0..count(&mut reader)?).map(|_| State::read(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        for state in states {
            let author = reader.str().filter(|author| !author.is_empty()).map(Arc::from);
            self.take_one(now, server, author, &state)?;
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        now: Millis,
        conn: ConnId,
        author: Option<Arc<str>>,
        said: &State<'_>,
    ) -> Result<(), PresenceError> {
        let gone = said.json == "null";
        if let Some(known) = self.entries.get(&said.client) {
            let newer = said.clock > known.clock || (said.clock == known.clock && gone && known.state.is_some());
            if !newer {
                return Ok(());
            }
            let alive = known.state.is_some() && now - known.renewed < EXPIRE_MS;
            if known.owner != conn && alive && (gone || known.author != author) {
                return Ok(());
            }
        } else if gone {
            return Ok(());
        }
        if !gone {
            if said.json.len() > MAX_STATE_BYTES {
                return Err(PresenceError::TooLarge);
            }
            if serde_json::from_str::<IgnoredAny>(said.json).is_err() {
                return Err(PresenceError::NotJson);
            }
            if !is_remote(conn) && self.is_full(conn, said.client) {
                return Err(PresenceError::TooMany);
            }
        }
        let state = (!gone).then(|| Arc::from(said.json));
        self.entries.insert(said.client, PresentClient { clock: said.clock, state, owner: conn, author, renewed: now });
        self.changed.insert(said.client);
        Ok(())
    }

    /// Whether a connection may announce nobody beside whom it has, this one excepted.
    fn is_full(&self, conn: ConnId, except: u32) -> bool {
        let (mut here, mut all) = (0, 0);
        for (client, entry) in &self.entries {
            if entry.owner == conn && *client != except {
                all += 1;
                here += usize::from(entry.state.is_some());
            }
        }
        here >= MAX_IDS_PER_CONNECTION || all >= MAX_IDS_REMEMBERED
    }

    /// Removes whom this connection announced.
    pub fn leave(&mut self, now: Millis, conn: ConnId) {
        self.remove(now, |entry| entry.owner == conn);
    }

    /// Removes whom nobody renewed in time, and forgets who left long ago.
    pub fn expire(&mut self, now: Millis) {
        self.remove(now, |entry| now - entry.renewed >= EXPIRE_MS);
        self.entries.retain(|_, entry| entry.state.is_some() || now - entry.renewed < TOMBSTONE_MS);
        if self.entries.len() <= MAX_TOMBSTONES {
            return;
        }
        let mut left: Vec<(Millis, u32)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.state.is_none())
            .map(|(id, entry)| (entry.renewed, *id))
            .collect();
        // Those that nobody has been told of yet stay.
        left.retain(|(_, client)| !self.changed.contains(client));
        if let Some(beyond) = left.len().checked_sub(MAX_TOMBSTONES) {
            left.sort_unstable();
            left.truncate(beyond);
            left.iter().for_each(|(_, client)| drop(self.entries.remove(client)));
        }
    }

    fn remove(&mut self, now: Millis, which: impl Fn(&PresentClient) -> bool) {
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
        let local = (!local.is_empty()).then(|| encode_for_servers(&local));
        Some(Changes { update: encode(&entries), only_from, local })
    }

    /// Everyone who is connected to this server, for other servers.
    pub fn everyone_local(&self) -> Option<Vec<u8>> {
        let entries: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.state.is_some() && !is_remote(entry.owner))
            .map(|(client, entry)| (*client, entry))
            .collect();
        (!entries.is_empty()).then(|| encode_for_servers(&entries))
    }

    /// Everyone who is here, for a joiner.
    pub fn everyone(&self) -> Option<Vec<u8>> {
        let mut entries: Vec<_> =
            self.entries.iter().filter(|(_, entry)| entry.state.is_some()).map(|(id, entry)| (*id, entry)).collect();
        entries.sort_by_key(|(client, _)| *client);
        (!entries.is_empty()).then(|| encode(&entries))
    }
}

/// One state of an awareness update.
struct State<'a> {
    client: u32,
    clock: u32,
    json: &'a str,
}

impl<'a> State<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, PresenceError> {
        let mut number = || reader.var_uint().and_then(|number| u32::try_from(number).ok());
        let (client, clock) = (number().ok_or(PresenceError::Malformed)?, number().ok_or(PresenceError::Malformed)?);
        Ok(Self { client, clock, json: reader.str().ok_or(PresenceError::Malformed)? })
    }
}

fn count(reader: &mut Reader<'_>) -> Result<usize, PresenceError> {
    let count = reader.var_uint().ok_or(PresenceError::Malformed)? as usize;
    (count <= MAX_STATES_PER_MESSAGE).then_some(count).ok_or(PresenceError::Malformed)
}

fn encode_for_servers(entries: &[(u32, &PresentClient)]) -> Vec<u8> {
    let mut out = encode(entries);
    for (_, entry) in entries {
        crate::wire::buf(&mut out, entry.author.as_deref().unwrap_or_default().as_bytes());
    }
    out
}

fn encode(entries: &[(u32, &PresentClient)]) -> Vec<u8> {
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
        // Every connection is another user.
        assert_eq!(presence.take(now, conn, Some(&conn.to_string()), &update(states)), Ok(()));
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
        assert_eq!(presence.take(20, 2, Some("1"), &update(&[(7, 2, "{}")])), Ok(()));
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
            assert_eq!(presence.take(0, 1, None, &bytes), Err(error));
        }
        let many: Vec<_> = (0..17).map(|id| (id, 1, "{}")).collect();
        assert_eq!(presence.take(0, 1, None, &update(&many)), Err(PresenceError::TooMany));
    }

    #[test]
    fn f27_a_user_keeps_a_client_across_servers_and_nobody_else_gets_it() {
        let (mut here, mut there) = (Presence::default(), Presence::default());
        assert_eq!(here.take(0, 1, Some("ada"), &update(&[(7, 1, "{}")])), Ok(()));
        let hint = here.take_changes().and_then(|changes| changes.local).unwrap();
        let server = 1 << 63;
        assert_eq!(there.take_elsewhere(0, server, &hint), Ok(()));
        assert_eq!(there.take(1, 2, Some("eve"), &update(&[(7, 9, "{\"evil\":1}")])), Ok(()));
        assert_eq!(there.everyone(), Some(update(&[(7, 1, "{}")])));
        // Her server is gone; she is here now.
        assert_eq!(there.take(2, 3, Some("ada"), &update(&[(7, 2, "{\"moved\":1}")])), Ok(()));
        assert_eq!(there.everyone(), Some(update(&[(7, 2, "{\"moved\":1}")])));
    }

    #[test]
    fn those_who_come_and_go_take_no_memory_without_end() {
        let mut presence = Presence::default();
        let come_and_go = |presence: &mut Presence, conn: ConnId, id: u32| {
            presence.take(0, conn, None, &update(&[(id, 1, "{}"), (id, 2, "null")]))
        };
        // Of one connection, which is told.
        assert!((0..64).all(|id| come_and_go(&mut presence, 1, id).is_ok()));
        assert_eq!(come_and_go(&mut presence, 1, 64), Err(PresenceError::TooMany));
        // Of many.
        for id in 100..10_000 {
            come_and_go(&mut presence, ConnId::from(id), id).unwrap();
        }
        presence.take_changes();
        presence.expire(1);
        assert_eq!(presence.entries.len(), MAX_TOMBSTONES);
    }
}
