//! Awareness as the server keeps it: who is in a room, with y-protocols' clocks.
//!
//! Kept so that a joiner sees everyone at once, removed when the connection that sent it ends, expired when it is not
//! renewed (F27). A state is a JSON text of which nothing but the names at its top is looked at; one that is no JSON is
//! refused, because it would throw in every peer. A client id belongs to who announced it: another one cannot remove it
//! while it is alive, and speak for it only as the same user, on whatever server either of them is, or in the same session
//! where no token says who it is. Beside what a client says of itself stands what its token says ([`ACCOUNT`]). Those who
//! left are remembered for a while, but only so many; who comes back too early for the others to believe it is told so, and
//! says it again.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use slate_yrs::protocol::lib0::{self, Lib0Reader};
use thiserror::Error;

use crate::hints::{ConnId, is_remote};
use crate::storage::Millis;

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

/// In a state: `{"id", "name"}` as the token of its sender says, written by the server alone. A state that comes with it
/// is what somebody repeats of others.
pub const ACCOUNT: &str = "slate-yrs:account";

/// Who a connection's token says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub name: Option<String>,
}

/// Who speaks.
#[derive(Debug, Clone, Default)]
pub struct Speaker {
    /// Names the user, or the session; None: nobody but this connection.
    pub identity: Option<Arc<str>>,
    pub account: Option<Account>,
}

impl Speaker {
    pub fn new(account: Option<Account>, session: Option<&str>) -> Self {
        let identity = match (&account, session) {
            (Some(account), _) => Some(Arc::from(format!("user {}", account.id))),
            (None, session) => session.map(|session| Arc::from(format!("session {session}"))),
        };
        Self { identity, account }
    }
}

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
pub struct RoomPresence {
    entries: HashMap<u64, PresentClient>,
    /// Changed since the last [`RoomPresence::take_changes`].
    changed: BTreeSet<u64>,
    /// Who of their senders is to hear that others take them for gone.
    early: BTreeSet<(ConnId, u64)>,
}

#[derive(Debug)]
struct PresentClient {
    clock: u32,
    /// None: left.
    state: Option<Arc<str>>,
    owner: ConnId,
    identity: Option<Arc<str>>,
    renewed: Millis,
}

/// Changes for everyone in a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    /// An awareness update.
    pub update: Vec<u8>,
    /// The connection all of them came from, if it is one: it need not hear of them.
    pub only_from: Option<ConnId>,
    /// Those of them that other servers have not heard of: for [`RoomPresence::take_elsewhere`].
    pub local: Option<Vec<u8>>,
}

impl RoomPresence {
    /// Takes an awareness update of a connection. What came before an error is kept.
    pub fn take(&mut self, now: Millis, conn: ConnId, speaker: &Speaker, update: &[u8]) -> Result<(), PresenceError> {
        let mut reader = Lib0Reader::new(update);
        for _ in 0..count(&mut reader)? {
            self.take_one(now, conn, speaker, &PresenceState::read(&mut reader)?)?;
        }
        Ok(())
    }

    /// Takes what another server says of its connections: an awareness update, and after it who is behind its states.
    pub fn take_elsewhere(&mut self, now: Millis, server: ConnId, update: &[u8]) -> Result<(), PresenceError> {
        let mut reader = Lib0Reader::new(update);
        let states =
            (0..count(&mut reader)?).map(|_| PresenceState::read(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        for state in states {
            let identity = reader.str().ok().filter(|identity| !identity.is_empty()).map(Arc::from);
            self.take_one(now, server, &Speaker { identity, account: None }, &state)?;
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        now: Millis,
        conn: ConnId,
        speaker: &Speaker,
        said: &PresenceState<'_>,
    ) -> Result<(), PresenceError> {
        let gone = said.json == "null";
        if let Some(known) = self.entries.get(&said.client) {
            let newer = said.clock > known.clock || (said.clock == known.clock && gone && known.state.is_some());
            if !newer {
                // Whose state this is comes again by itself when it hears that it is gone.
                if !gone && known.state.is_none() && !is_remote(conn) && self.early.len() < MAX_STATES_PER_MESSAGE {
                    self.early.insert((conn, said.client));
                }
                return Ok(());
            }
            let alive = known.state.is_some() && now - known.renewed < EXPIRE_MS;
            let same = known.identity.is_some() && known.identity == speaker.identity;
            if known.owner != conn && alive && (gone || !same) {
                return Ok(());
            }
        } else if gone {
            return Ok(());
        }
        let mut state = None;
        if !gone {
            if said.json.len() > MAX_STATE_BYTES {
                return Err(PresenceError::TooLarge);
            }
            let Top { object, account } = serde_json::from_str(said.json).map_err(|_| PresenceError::NotJson)?;
            if account && !is_remote(conn) {
                return Ok(());
            }
            if !is_remote(conn) && self.is_full(conn, said.client) {
                return Err(PresenceError::TooMany);
            }
            state = Some(match &speaker.account {
                Some(account) if object => with_account(said.json, account),
                _ => Arc::from(said.json),
            });
        }
        let identity = speaker.identity.clone();
        self.entries
            .insert(said.client, PresentClient { clock: said.clock, state, owner: conn, identity, renewed: now });
        self.changed.insert(said.client);
        Ok(())
    }

    /// What single connections are to hear, beside what all do: that others take a state of theirs for gone.
    pub fn take_early(&mut self) -> Vec<(ConnId, Vec<u8>)> {
        let early = std::mem::take(&mut self.early);
        let told = early.into_iter().filter_map(|(conn, client)| {
            let entry = self.entries.get(&client).filter(|entry| entry.state.is_none())?;
            Some((conn, encode(&[(client, entry)])))
        });
        told.collect()
    }

    /// Whether a connection may announce nobody beside whom it has, this one excepted.
    fn is_full(&self, conn: ConnId, except: u64) -> bool {
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
        let mut left: Vec<(Millis, u64)> = self
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

    /// When [`RoomPresence::expire`] will have something to do, at the earliest.
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

/// The top of a state.
struct Top {
    object: bool,
    /// It has an [`ACCOUNT`].
    account: bool,
}

impl<'de> Deserialize<'de> for Top {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const PLAIN: Top = Top { object: false, account: false };
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Top;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top, A::Error> {
                let mut account = false;
                while let Some((name, _)) = map.next_entry::<Cow<'de, str>, IgnoredAny>()? {
                    account |= name == ACCOUNT;
                }
                Ok(Top { object: true, account })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Top, A::Error> {
                IgnoredAny.visit_seq(seq).map(|_| PLAIN)
            }

            fn visit_unit<E>(self) -> Result<Top, E> {
                Ok(PLAIN)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Top, E> {
                Ok(PLAIN)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Top, E> {
                Ok(PLAIN)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Top, E> {
                Ok(PLAIN)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Top, E> {
                Ok(PLAIN)
            }

            fn visit_str<E>(self, _: &str) -> Result<Top, E> {
                Ok(PLAIN)
            }
        }
        deserializer.deserialize_any(Names)
    }
}

/// The JSON text of an object, with one more member.
fn with_account(json: &str, account: &Account) -> Arc<str> {
    let account = serde_json::json!({ "id": account.id, "name": account.name });
    // It ends with the brace of the object.
    let open = &json[..json.trim_end().len() - 1];
    let comma = if open.trim() == "{" { "" } else { "," };
    Arc::from(format!("{open}{comma}\"{ACCOUNT}\":{account}}}"))
}

/// One state of an awareness update.
struct PresenceState<'a> {
    client: u64,
    clock: u32,
    json: &'a str,
}

impl<'a> PresenceState<'a> {
    fn read(reader: &mut Lib0Reader<'a>) -> Result<Self, PresenceError> {
        let mut number = || reader.var_uint().map_err(|_| PresenceError::Malformed);
        let (client, clock) = (number()?, number()?);
        let clock = u32::try_from(clock).map_err(|_| PresenceError::Malformed)?;
        Ok(Self { client, clock, json: reader.str().map_err(|_| PresenceError::Malformed)? })
    }
}

fn count(reader: &mut Lib0Reader<'_>) -> Result<usize, PresenceError> {
    let count = reader.var_uint().map_err(|_| PresenceError::Malformed)? as usize;
    (count <= MAX_STATES_PER_MESSAGE).then_some(count).ok_or(PresenceError::Malformed)
}

fn encode_for_servers(entries: &[(u64, &PresentClient)]) -> Vec<u8> {
    let mut out = encode(entries);
    for (_, entry) in entries {
        lib0::buf(&mut out, entry.identity.as_deref().unwrap_or_default().as_bytes());
    }
    out
}

fn encode(entries: &[(u64, &PresentClient)]) -> Vec<u8> {
    let mut out = Vec::new();
    lib0::var_uint(&mut out, entries.len() as u64);
    for (client, entry) in entries {
        lib0::var_uint(&mut out, *client);
        lib0::var_uint(&mut out, u64::from(entry.clock));
        lib0::buf(&mut out, entry.state.as_deref().unwrap_or("null").as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody of whom nothing is written beside the state.
    fn user(name: &str) -> Speaker {
        Speaker::new(None, Some(name))
    }

    fn update(states: &[(u64, u32, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        lib0::var_uint(&mut out, states.len() as u64);
        for (client, clock, state) in states {
            lib0::var_uint(&mut out, *client);
            lib0::var_uint(&mut out, u64::from(*clock));
            lib0::buf(&mut out, state.as_bytes());
        }
        out
    }

    fn take(presence: &mut RoomPresence, now: Millis, conn: ConnId, states: &[(u64, u32, &str)]) {
        // Every connection is another user.
        assert_eq!(presence.take(now, conn, &user(&conn.to_string()), &update(states)), Ok(()));
    }

    #[test]
    fn ids_of_53_bits_are_others_than_those_that_they_end_in() {
        let mut presence = RoomPresence::default();
        let states = [(7, 1, "{}"), ((1 << 33) + 7, 1, "{}"), ((1 << 53) - 1, 1, "{}")];
        take(&mut presence, 0, 1, &states);
        assert_eq!(presence.entries.len(), 3);
        assert_eq!(presence.everyone().map(|all| all.len()), Some(update(&states).len()));
    }

    #[test]
    fn f27_kept_renewed_removed_expired() {
        let mut presence = RoomPresence::default();
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
        let mut presence = RoomPresence::default();
        take(&mut presence, 0, 1, &[(7, 1, "{}")]);
        take(&mut presence, 10, 2, &[(7, 1, "null"), (7, 9, "null"), (7, 9, "{\"evil\":1}")]);
        assert_eq!(presence.everyone(), Some(update(&[(7, 1, "{}")])));
        // A new connection of the same user may, and then the end of the old one removes nobody.
        assert_eq!(presence.take(20, 2, &user("1"), &update(&[(7, 2, "{}")])), Ok(()));
        presence.leave(30, 1);
        assert_eq!(presence.everyone(), Some(update(&[(7, 2, "{}")])));
    }

    #[test]
    fn f23_what_does_not_fit_is_refused() {
        let mut presence = RoomPresence::default();
        let long = "9".repeat(MAX_STATE_BYTES + 1);
        for (bytes, error) in [
            (vec![1, 7], PresenceError::Malformed),
            (vec![0xff, 0xff, 0xff, 0xff, 0x7f], PresenceError::Malformed),
            (update(&[(1, 1, "{")]), PresenceError::NotJson),
            (update(&[(1, 1, &long)]), PresenceError::TooLarge),
        ] {
            assert_eq!(presence.take(0, 1, &Speaker::default(), &bytes), Err(error));
        }
        let many: Vec<_> = (0..17).map(|id| (id, 1, "{}")).collect();
        assert_eq!(presence.take(0, 1, &Speaker::default(), &update(&many)), Err(PresenceError::TooMany));
    }

    #[test]
    fn f27_a_user_keeps_a_client_across_servers_and_nobody_else_gets_it() {
        let (mut here, mut there) = (RoomPresence::default(), RoomPresence::default());
        assert_eq!(here.take(0, 1, &user("ada"), &update(&[(7, 1, "{}")])), Ok(()));
        let hint = here.take_changes().and_then(|changes| changes.local).unwrap();
        let server = 1 << 63;
        assert_eq!(there.take_elsewhere(0, server, &hint), Ok(()));
        assert_eq!(there.take(1, 2, &user("eve"), &update(&[(7, 9, "{\"evil\":1}")])), Ok(()));
        assert_eq!(there.everyone(), Some(update(&[(7, 1, "{}")])));
        // Her server is gone; she is here now.
        assert_eq!(there.take(2, 3, &user("ada"), &update(&[(7, 2, "{\"moved\":1}")])), Ok(()));
        assert_eq!(there.everyone(), Some(update(&[(7, 2, "{\"moved\":1}")])));
    }

    #[test]
    fn those_who_come_and_go_take_no_memory_without_end() {
        let mut presence = RoomPresence::default();
        let come_and_go = |presence: &mut RoomPresence, conn: ConnId, id: u64| {
            presence.take(0, conn, &Speaker::default(), &update(&[(id, 1, "{}"), (id, 2, "null")]))
        };
        // Of one connection, which is told.
        assert!((0..64).all(|id| come_and_go(&mut presence, 1, id).is_ok()));
        assert_eq!(come_and_go(&mut presence, 1, 64), Err(PresenceError::TooMany));
        // Of many.
        for id in 100..10_000 {
            come_and_go(&mut presence, id, id).unwrap();
        }
        presence.take_changes();
        presence.expire(1);
        assert_eq!(presence.entries.len(), MAX_TOMBSTONES);
    }

    #[test]
    fn f57_without_a_token_a_client_is_its_connections_or_its_sessions() {
        let mut presence = RoomPresence::default();
        let nobody = Speaker::default();
        assert_eq!(presence.take(0, 1, &nobody, &update(&[(7, 1, "{}")])), Ok(()));
        assert_eq!(presence.take(1, 2, &nobody, &update(&[(7, 2, "{\"evil\":1}"), (7, 3, "null")])), Ok(()));
        assert_eq!(presence.everyone(), Some(update(&[(7, 1, "{}")])));
        assert_eq!(presence.take(2, 1, &nobody, &update(&[(7, 2, "{\"own\":1}")])), Ok(()));
        assert_eq!(presence.everyone(), Some(update(&[(7, 2, "{\"own\":1}")])));
        // A session is known again on its next connection; a user's name is no session's.
        assert_eq!(presence.take(3, 3, &user("s"), &update(&[(8, 1, "{}")])), Ok(()));
        let eve = Speaker::new(Some(Account { id: "s".into(), name: None }), None);
        assert_eq!(presence.take(4, 4, &eve, &update(&[(8, 2, "{\"evil\":1}")])), Ok(()));
        assert_eq!(presence.take(5, 5, &user("s"), &update(&[(8, 3, "{\"again\":1}")])), Ok(()));
        assert_eq!(presence.everyone(), Some(update(&[(7, 2, "{\"own\":1}"), (8, 3, "{\"again\":1}")])));
    }

    #[test]
    fn f57_who_returns_too_early_is_told_and_let_in() {
        let mut presence = RoomPresence::default();
        let nobody = Speaker::default();
        assert_eq!(presence.take(0, 1, &nobody, &update(&[(7, 5, "{}")])), Ok(()));
        presence.leave(1, 1);
        presence.take_changes();
        // A y-websocket client comes back with the clock it had. Others would not believe it.
        assert_eq!(presence.take(2, 2, &nobody, &update(&[(7, 5, "{}")])), Ok(()));
        assert_eq!(presence.take_early(), [(2, update(&[(7, 6, "null")]))]);
        // Then it raises its clock.
        assert_eq!(presence.take(3, 2, &nobody, &update(&[(7, 7, "{}")])), Ok(()));
        assert_eq!(presence.everyone(), Some(update(&[(7, 7, "{}")])));
        assert_eq!(presence.take_early(), []);
    }

    #[test]
    fn f57_beside_what_a_client_says_stands_what_its_token_says() {
        let mut presence = RoomPresence::default();
        let ada = Speaker::new(Some(Account { id: "u\"1".into(), name: Some("Ada".into()) }), Some("s"));
        let mut says = |client: u64, said: &str| {
            assert_eq!(presence.take(0, client, &ada, &update(&[(client, 1, said)])), Ok(()));
            presence.entries.get(&client).and_then(|entry| entry.state.clone())
        };
        for (client, said) in [(1, "{}"), (2, " { } "), (3, "{\"a\":{}}\n"), (4, "{\"a\":{\"b\":[1,{}]}}")] {
            let state: serde_json::Value = serde_json::from_str(&says(client, said).unwrap()).unwrap();
            let mut expected: serde_json::Value = serde_json::from_str(said).unwrap();
            expected[ACCOUNT] = serde_json::json!({ "id": "u\"1", "name": "Ada" });
            assert_eq!(state, expected, "{said}");
        }
        for (client, said) in [(5, "1"), (6, "[{}]"), (7, "\"x\""), (8, "true"), (9, "-1.5")] {
            assert_eq!(says(client, said).as_deref(), Some(said), "no object");
        }
        // Nobody says it of themselves, however it is written.
        assert_eq!(says(10, "{\"slate-yrs:account\":{\"id\":\"eve\"}}"), None);
        assert_eq!(says(11, "{\"a\":1,\"\\u0073late-yrs:account\":null}"), None);
    }
}
