//! What a room tells those who listen to its document without editing it.
//!
//! Events are told in order, and nobody is waited for. A listener who is behind by more than [`KEPT`] events reads what
//! it missed from the log: so no more events than that are held, and nobody misses a change. Where the room knows only
//! that something came, and not what, it says so ([`Event::Look`]), and the log says what.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use slate_yrs::awareness;
use slate_yrs::format::COMMENTS_ROOT;
use slate_yrs::slate::{Values, differences};
use tokio::sync::{broadcast, oneshot};
use tokio::time::Instant;

use super::core::RoomCore;
use crate::storage::{Authors, LogEntry, Millis, Seq};

/// Events that wait for a listener.
const KEPT: usize = 256;
/// Presence is told at most this often.
const PRESENCE_INTERVAL: Duration = Duration::from_secs(1);

/// Somebody who listens. Answered when all that the room has taken before is stored.
pub type Listen = oneshot::Sender<Listening>;

/// From here on a listener hears of everything.
pub struct Listening {
    pub epoch: String,
    pub tip: Seq,
    /// There are comments, or have been.
    pub has_comments: bool,
    /// Who is there.
    pub presence: Arc<str>,
    pub events: broadcast::Receiver<Event>,
}

/// What happens to a document. Whoever listens shares it.
#[derive(Debug, Clone)]
pub enum Event {
    /// These are stored.
    Changed(Arc<LogEntry>),
    /// Of these comments, by their keys, something is new, other or gone.
    Comments(Arc<[String]>),
    /// Everybody who is there, as JSON.
    Presence(Arc<str>),
    /// Something is stored: the log says what.
    Look,
    /// This user's connections end.
    Kicked(Arc<str>),
    /// The document was deleted, or another one has its id.
    Gone,
}

/// The listeners of a room.
#[derive(Default)]
pub(super) struct Announcer {
    /// None: nobody listens.
    events: Option<broadcast::Sender<Event>>,
    /// The seq up to which changes were told.
    told: Seq,
    /// The comments, as told last.
    comments: Values,
    presence_told: Option<Instant>,
    is_presence_new: bool,
}

impl Announcer {
    /// Everything that the core has is stored.
    pub fn listen(&mut self, core: &RoomCore) -> Listening {
        if !self.is_heard() {
            self.told = core.document().tip;
            self.comments = core.replica().values(COMMENTS_ROOT);
        }
        let events = self.events.get_or_insert_with(|| broadcast::Sender::new(KEPT)).subscribe();
        let document = core.document();
        Listening {
            epoch: document.epoch.clone(),
            tip: document.tip,
            has_comments: core.has_comments(),
            presence: everybody(core),
            events,
        }
    }

    /// Whether anybody listens. If nobody does any more, what was kept for listeners is dropped.
    fn is_heard(&mut self) -> bool {
        let heard = self.events.as_ref().is_some_and(|events| events.receiver_count() > 0);
        if !heard {
            *self = Self::default();
        }
        heard
    }

    fn tell(&self, event: Event) {
        if let Some(events) = &self.events {
            // That nobody listens is no error.
            let _ = events.send(event);
        }
    }

    /// Tells which comments the core has changed. This comes before the change itself: who hears of the change has then
    /// heard of all of it.
    pub fn comments(&mut self, core: &mut RoomCore) {
        if !core.take_touched_comments() || !self.is_heard() {
            return;
        }
        let now = core.replica().values(COMMENTS_ROOT);
        let changes = differences(COMMENTS_ROOT, &self.comments, &now);
        self.comments = now;
        if !changes.is_empty() {
            self.tell(Event::Comments(changes.into_iter().map(|change| change.key).collect()));
        }
    }

    /// Tells that these updates are stored.
    pub fn changed(&mut self, first_seq: Seq, seq: Seq, authors: Authors, at: Millis) {
        if seq < first_seq || !self.is_heard() {
            return;
        }
        self.told = seq;
        self.tell(Event::Changed(Arc::new(LogEntry { first_seq, seq, authors, at })));
    }

    /// The document is stored up to here. Tells that there is something to look at, if that was not told.
    pub fn up_to(&mut self, tip: Seq) {
        if tip > self.told && self.is_heard() {
            self.told = tip;
            self.tell(Event::Look);
        }
    }

    pub fn presence_changed(&mut self) {
        self.is_presence_new |= self.is_heard();
    }

    /// When presence is to be told.
    pub fn next_timeout(&self) -> Option<Instant> {
        let now = Instant::now();
        self.is_presence_new.then(|| self.presence_told.map_or(now, |told| (told + PRESENCE_INTERVAL).max(now)))
    }

    /// Tells who is there, if it is time.
    pub fn tick(&mut self, core: &RoomCore) {
        let now = Instant::now();
        let is_time = self.presence_told.is_none_or(|told| told + PRESENCE_INTERVAL <= now);
        if self.is_presence_new && is_time && self.is_heard() {
            self.is_presence_new = false;
            self.presence_told = Some(now);
            self.tell(Event::Presence(everybody(core)));
        }
    }

    pub fn kick(&mut self, user: &str) {
        if self.is_heard() {
            self.tell(Event::Kicked(user.into()));
        }
    }

    pub fn gone(&self) {
        self.tell(Event::Gone);
    }
}

fn everybody(core: &RoomCore) -> Arc<str> {
    let states = core.presence_everywhere().and_then(|update| awareness::decode(&update).ok()).unwrap_or_default();
    let client = |one: awareness::ClientState| {
        let state: Value = serde_json::from_str(one.state.as_deref().unwrap_or("null")).unwrap_or_default();
        json!({ "id": one.client_id, "state": state })
    };
    let clients: Vec<Value> = states.into_iter().map(client).collect();
    json!({ "clients": clients }).to_string().into()
}
