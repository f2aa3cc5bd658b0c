//! Presence: this user's state for the peers, the peers' states for the application.
//!
//! A state is JSON as the cursor editor of slate-yjs has it, `{data, selection: {anchor, focus}}` with Yjs relative
//! positions, and `typing` and `lastActive` of ours. Selections are kept as sticky positions and resolved to Slate's
//! only when the document or a state has changed. Nothing is sent, and nobody told, if nothing is different.

use std::cmp::Ordering;
use std::collections::HashMap;

use litemap::LiteMap;
use std::sync::Arc;

use yrs::{Any, Assoc};

use crate::awareness::{Awareness, AwarenessError};
use crate::protocol::Message;
use crate::slate::{Point, Range, SlateDoc, Sticky};

use super::stage::DocChange;
use super::types::{Millis, Peer};

/// At most one state is sent in this time.
const SEND_EVERY: Millis = 50;
/// An edit counts as typing for this long.
const TYPING: Millis = 2_000;
/// `lastActive` is not told more exactly than this.
const ACTIVE: Millis = 5_000;

pub(super) struct SessionPresence {
    pub awareness: Awareness,
    /// What the application says of this user; none: not shown to peers.
    data: Option<Data>,
    selection: Option<StickyRange>,
    /// Given by the editor while operations were queued: in terms of the document after them.
    unsettled: Option<Option<Range>>,
    typing_until: Option<Millis>,
    last_active: Millis,
    /// This user's state is another one than was announced last.
    pub own_changed: bool,
    sent_at: Option<Millis>,
    known: LiteMap<u64, PeerState>,
    /// How many states were read.
    versions: u32,
    peers: Vec<Peer>,
    pub peers_changed: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct StickyRange {
    anchor: Sticky,
    focus: Sticky,
}

/// The state of a client that is there and is not shown to anybody.
const UNSEEN: &str = "{}";

/// What the application says of this user, and the same as JSON text.
#[derive(Debug, Default)]
struct Data {
    entries: HashMap<String, Any>,
    json: String,
}

impl Data {
    fn new(entries: HashMap<String, Any>) -> Self {
        let map = Any::Map(Arc::new(entries.clone()));
        let mut json = String::new();
        map.to_json(&mut json);
        Self { entries, json }
    }
}

/// A peer's state, read.
struct PeerState {
    json: Arc<str>,
    version: u32,
    presence: Any,
    selection: Option<StickyRange>,
    typing: bool,
    last_active: Option<Millis>,
}

impl SessionPresence {
    pub fn new(client_id: u32, data: Option<&Any>, now: Millis) -> Self {
        let mut presence = Self {
            awareness: Awareness::new(client_id),
            data: None,
            selection: None,
            unsettled: None,
            typing_until: None,
            last_active: now,
            own_changed: true,
            sent_at: None,
            known: LiteMap::new(),
            versions: 0,
            peers: Vec::new(),
            peers_changed: false,
        };
        if let Some(data) = data {
            presence.merge(data);
        }
        presence
    }

    pub fn merge(&mut self, changes: &Any) {
        let Any::Map(changes) = changes else { return };
        let data = self.data.get_or_insert_default();
        let mut entries = data.entries.clone();
        entries.extend(changes.iter().map(|(key, value)| (key.clone(), value.clone())));
        if entries != data.entries || data.json.is_empty() {
            *data = Data::new(entries);
            self.own_changed = true;
        }
    }

    /// The editor has changed something.
    pub fn edited(&mut self, now: Millis) {
        self.own_changed |= self.typing_until.is_none();
        self.typing_until = Some(now + TYPING);
        self.active(now);
    }

    fn active(&mut self, now: Millis) {
        if now >= self.last_active + ACTIVE {
            self.last_active = now;
            self.own_changed = true;
        }
    }

    /// The editor's selection. It is settled as soon as the document has what is queued.
    pub fn selects(&mut self, now: Millis, range: Option<Range>, doc: &SlateDoc) {
        if self.selection(doc) != range {
            self.active(now);
        }
        self.unsettled = Some(range);
    }

    pub fn settle_selection(&mut self, doc: &SlateDoc) {
        let Some(range) = self.unsettled.take() else { return };
        let selection = range.and_then(|range| StickyRange::of(doc, &range));
        if selection != self.selection {
            self.selection = selection;
            self.own_changed = true;
        }
    }

    pub fn forget_selection(&mut self) {
        self.unsettled = None;
        self.own_changed |= self.selection.take().is_some();
    }

    /// One's own selection, as the document is now.
    pub fn selection(&self, doc: &SlateDoc) -> Option<Range> {
        match &self.unsettled {
            Some(range) => range.clone(),
            None => self.selection.as_ref()?.resolve(doc),
        }
    }

    /// Never none: the client with the lowest id normalizes for all, so each has to be seen by the others.
    fn state(&self) -> Option<String> {
        let Some(Data { json: data, .. }) = &self.data else { return Some(UNSEEN.to_owned()) };
        let selection = self.selection.as_ref().map_or_else(|| "null".to_owned(), StickyRange::to_json);
        let typing = self.typing_until.is_some();
        let active = self.last_active;
        Some(format!(r#"{{"data":{data},"selection":{selection},"typing":{typing},"lastActive":{active}}}"#))
    }

    /// How many of the others have a lower client id, the unseen among them.
    pub fn rank(&self, client_id: u32) -> u32 {
        self.awareness.states().filter(|(id, ..)| *id < u64::from(client_id)).count() as u32
    }

    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// What others say of themselves. Returns whether one of them has this client's id.
    pub fn heard(&mut self, now: Millis, update: &[u8]) -> Result<bool, AwarenessError> {
        let applied = self.awareness.apply(now, update)?;
        self.peers_changed |= applied.changed;
        Ok(applied.clash)
    }

    /// There is no connection any more: the others count as gone.
    pub fn disconnected(&mut self) {
        self.peers_changed |= self.awareness.disconnected();
    }

    /// One's own state as a frame, if it is due. `online`: somebody would get it.
    pub fn due(&mut self, now: Millis, online: bool) -> Option<Vec<u8>> {
        if self.typing_until.is_some_and(|until| until <= now) {
            self.typing_until = None;
            self.own_changed = true;
        }
        if self.awareness.expiry().is_some_and(|at| at <= now) {
            self.peers_changed |= self.awareness.expire(now);
        }
        let waited = self.sent_at.is_none_or(|at| now >= at + SEND_EVERY);
        let due = self.own_changed || self.awareness.is_due(now);
        if due && waited && online { self.announce(now) } else { None }
    }

    /// One's own state as a frame, unless all who are there have it.
    pub fn announce(&mut self, now: Millis) -> Option<Vec<u8>> {
        let state = self.state();
        self.own_changed = false;
        self.awareness.set_state(state);
        if !self.awareness.is_due(now) {
            return None;
        }
        self.sent_at = Some(now);
        Some(Message::Awareness(&self.awareness.take_own(now)).to_frame())
    }

    /// Tells the others that this client leaves, unless they were told.
    pub fn farewell(&mut self, now: Millis) -> Option<Vec<u8>> {
        if !self.awareness.set_state(None) {
            return None;
        }
        let farewell = self.awareness.take_own(now);
        self.disconnected();
        self.own_changed = true;
        Some(Message::Awareness(&farewell).to_frame())
    }

    pub fn deadline(&self, online: bool) -> Option<Millis> {
        let send = match self.own_changed || self.awareness.is_dirty() {
            true => self.sent_at.map(|at| at + SEND_EVERY),
            false => self.awareness.renewal(),
        };
        let send = send.filter(|_| online);
        [send, self.typing_until, self.awareness.expiry()].into_iter().flatten().min()
    }

    /// Brings the peers up to date. Returns whether anything about them has changed.
    pub fn resolve(&mut self, doc: &SlateDoc, change: &DocChange) -> bool {
        if std::mem::take(&mut self.peers_changed) {
            return self.read_peers(doc);
        }
        if *change == DocChange::Nothing {
            return false;
        }
        let mut moved = false;
        for peer in &mut self.peers {
            let Some(selection) = self.known.get(&peer.client_id).and_then(|known| known.selection.as_ref()) else {
                continue;
            };
            if let (DocChange::Text(path), Some(range)) = (change, &peer.selection)
                && range.anchor.path != *path
                && range.focus.path != *path
            {
                continue;
            }
            let now = selection.resolve(doc);
            moved |= now != peer.selection;
            peer.selection = now;
        }
        moved
    }

    fn read_peers(&mut self, doc: &SlateDoc) -> bool {
        let mut peers = Vec::new();
        let mut known = std::mem::take(&mut self.known);
        for (id, json, heard_at) in self.awareness.states().filter(|(_, json, _)| &***json != UNSEEN) {
            let read = match known.remove(&id) {
                Some(read) if Arc::ptr_eq(&read.json, json) => read,
                _ => {
                    self.versions = self.versions.wrapping_add(1);
                    PeerState::read(json, self.versions)
                }
            };
            peers.push(Peer {
                client_id: id,
                version: read.version,
                presence: read.presence.clone(),
                selection: read.selection.as_ref().and_then(|selection| selection.resolve(doc)),
                typing: read.typing,
                last_active: read.last_active.unwrap_or(heard_at),
            });
            self.known.insert(id, read);
        }
        let changed = peers != self.peers;
        self.peers = peers;
        changed
    }
}

impl PeerState {
    fn read(json: &Arc<str>, version: u32) -> Self {
        let state = Any::from_json(json).unwrap_or(Any::Null);
        let field = |name: &str| match &state {
            Any::Map(map) => map.get(name).cloned(),
            _ => None,
        };
        let selection = field("selection").and_then(|selection| {
            let Any::Map(map) = selection else { return None };
            Some(StickyRange {
                anchor: Sticky::from_any(map.get("anchor")?)?,
                focus: Sticky::from_any(map.get("focus")?)?,
            })
        });
        // Other editors than Slate's have the user under another name.
        let presence = field("data").or_else(|| field("user")).filter(|data| matches!(data, Any::Map(_)));
        let last_active = match field("lastActive") {
            Some(Any::Number(number)) => number.as_f64().filter(|ms| *ms >= 0.0).map(|ms| ms as Millis),
            _ => None,
        };
        Self {
            json: Arc::clone(json),
            version,
            presence: presence.unwrap_or_else(|| Any::Map(Arc::default())),
            selection,
            typing: field("typing") == Some(Any::Bool(true)),
            last_active,
        }
    }
}

impl StickyRange {
    /// As slate-yjs has carets: tied to what follows.
    fn of(doc: &SlateDoc, range: &Range) -> Option<Self> {
        let anchor = doc.sticky(&range.anchor, Assoc::After)?;
        let focus = if range.focus == range.anchor { anchor.clone() } else { doc.sticky(&range.focus, Assoc::After)? };
        Some(Self { anchor, focus })
    }

    fn resolve(&self, doc: &SlateDoc) -> Option<Range> {
        let anchor = self.point(doc, &self.anchor)?;
        let focus = if self.focus == self.anchor { anchor.clone() } else { self.point(doc, &self.focus)? };
        Some(Range { anchor, focus })
    }

    fn point(&self, doc: &SlateDoc, sticky: &Sticky) -> Option<Point> {
        doc.resolve(sticky)
    }

    fn to_json(&self) -> String {
        format!(r#"{{"anchor":{},"focus":{}}}"#, self.anchor.to_json(), self.focus.to_json())
    }
}

/// The end of the range is tied to its last character: text that is written behind that does not belong to the range.
pub(super) fn anchor(doc: &SlateDoc, range: &Range) -> Option<String> {
    let key = |point: &Point| (point.path.clone(), point.offset);
    let (anchor, focus) = match key(&range.anchor).cmp(&key(&range.focus)) {
        Ordering::Less => (Assoc::After, Assoc::Before),
        Ordering::Equal => (Assoc::After, Assoc::After),
        Ordering::Greater => (Assoc::Before, Assoc::After),
    };
    let range = StickyRange { anchor: doc.sticky(&range.anchor, anchor)?, focus: doc.sticky(&range.focus, focus)? };
    Some(range.to_json())
}

/// Also takes what slate-yjs stores: a relative position as JSON or, encoded, as Base64; or the name of a stored
/// position's attribute.
pub(super) fn resolve_anchor(doc: &SlateDoc, anchor: &str) -> Option<Range> {
    let caret = |sticky: Sticky| {
        let point = doc.resolve(&sticky)?;
        Some(Range { anchor: point.clone(), focus: point })
    };
    if anchor.starts_with(STORED) {
        return caret(Sticky::from_bytes(&doc.root_bytes(anchor)?)?);
    }
    let Ok(Any::Map(map)) = Any::from_json(anchor) else { return caret(Sticky::from_bytes(&from_base64(anchor)?)?) };
    let (Some(from), Some(to)) = (map.get("anchor"), map.get("focus")) else {
        return caret(Sticky::from_any(&Any::Map(map))?);
    };
    StickyRange { anchor: Sticky::from_any(from)?, focus: Sticky::from_any(to)? }.resolve(doc)
}

/// How slate-yjs begins the names of the root's attributes in which it stores positions.
const STORED: &str = "__slateYjsStoredPosition_";

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for c in text.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(six), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}
