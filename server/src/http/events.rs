//! What happens to a document, as server-sent events.
//!
//! A listener has a place in the document's log and holds nothing else: what it has not heard of yet is in the log, and the room only
//! says that there is more (and, to those who keep up, what). So it goes on after any interruption where it was, on whatever server.

use std::any::Any;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event as Said, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use tokio::time::sleep_until;

use super::access::{Access, App, Asking, Failure, InQuery, header_text};
use crate::connection::{deadline, wait_for};
use crate::history::{HistoryError, rfc3339};
use crate::limit::Limit;
use crate::live::etag;
use crate::metrics::Metrics;
use crate::room::{Command, Event, Listening};
use crate::storage::{LogEntry, Seq, Storage, StorageError};

pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Entries of the log that are read at once.
const PAGE: u32 = 200;
/// What there is to hear of.
const KINDS: [&str; 3] = ["changed", "comments", "presence"];

#[derive(Deserialize)]
pub struct ListenQuery {
    /// Some of [`KINDS`], with commas between.
    events: Option<String>,
    /// For those who cannot send the header.
    #[serde(rename = "lastEventId")]
    last_event_id: Option<String>,
}

/// Who listens to what.
struct EventKinds([bool; 3]);

impl EventKinds {
    fn parse(names: Option<&str>) -> Result<Self, Failure> {
        let Some(names) = names else { return Ok(Self([true; 3])) };
        let mut wanted = [false; 3];
        for name in names.split(',') {
            let at = KINDS.iter().position(|kind| *kind == name);
            let message = format!("events are of {}", KINDS.join(", "));
            wanted[at.ok_or_else(|| Failure::new(StatusCode::BAD_REQUEST, "invalid", message))?] = true;
        }
        Ok(Self(wanted))
    }

    fn has(&self, kind: &str) -> bool {
        KINDS.iter().zip(self.0).any(|(name, wanted)| wanted && *name == kind)
    }
}

/// One of the listeners that a server may have.
struct Seat(Arc<Metrics>);

impl Seat {
    fn take(app: &App) -> Result<Self, Failure> {
        let metrics = Arc::clone(&app.rooms.shared().metrics);
        metrics.listeners.inc();
        let seat = Self(metrics);
        if seat.0.listeners.get() > app.args.limit.max_listeners {
            seat.0.limit_hit(Limit::Listeners);
            return Err(Failure::limit(StatusCode::SERVICE_UNAVAILABLE, "too many listen to events"));
        }
        Ok(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.listeners.dec();
    }
}

/// `GET /api/scenes/{id}/events`: goes on after `Last-Event-ID`.
pub async fn listen(
    State(app): State<App>,
    access: Access,
    asking: Asking,
    InQuery(wish): InQuery<ListenQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let wanted = EventKinds::parse(wish.events.as_deref())?;
    let Access { document, grant, .. } = access;
    let seat = Seat::take(&app)?;
    let shared = app.rooms.shared();
    if shared.storage.document(&document).await?.is_none() {
        return Err(HistoryError::NoDocument.into());
    }
    let busy = || Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the document cannot be listened to now");
    let room = app.rooms.hold(&document, false).ok_or_else(busy)?;
    let (answer, listening) = oneshot::channel();
    if !room.send(Command::Listen(answer)).await {
        return Err(busy());
    }
    let Listening { epoch, tip, has_comments, presence, events } = listening.await.map_err(|_| busy())?;
    let mut denied = app.recheck(&document, asking.token, &headers, grant.role).map(|again| Box::pin(again.denied()));
    let mut expired = grant.expires.map(|at| Box::pin(sleep_until(deadline(at))));
    let ending = Box::pin(async move {
        tokio::select! {
            () = wait_for(&mut expired) => {}
            _ = wait_for(&mut denied) => {}
        }
    });
    let mut listener = Listener {
        storage: Arc::clone(&shared.storage),
        document,
        epoch,
        heard: tip,
        user: grant.user,
        wanted,
        has_comments,
        is_behind: false,
        is_over: false,
        waiting: VecDeque::new(),
        events,
        ending,
        _held: Box::new((room, seat)),
    };
    let last = header_text(&headers, LAST_EVENT_ID).map(str::to_owned).or(wish.last_event_id);
    listener.begin(last.as_deref(), tip, &presence);
    let said = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let quiet = Duration::from_millis(u64::from(app.args.heartbeat_ms));
    let mut answer = Sse::new(said).keep_alive(KeepAlive::new().interval(quiet)).into_response();
    // A proxy that collects answers would keep events to itself (nginx knows this).
    answer.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

struct Listener {
    storage: Arc<dyn Storage>,
    document: String,
    epoch: String,
    /// Everything up to here was told.
    heard: Seq,
    user: Option<String>,
    wanted: EventKinds,
    has_comments: bool,
    /// There is more in the log.
    is_behind: bool,
    is_over: bool,
    /// To be told next: of one page at most.
    waiting: VecDeque<Said>,
    events: Receiver<Event>,
    /// The token is no longer good.
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The room stays, and a place is taken, as long as somebody listens.
    _held: Box<dyn Any + Send>,
}

impl Listener {
    /// Goes on after what was heard last, or says that it cannot and why.
    fn begin(&mut self, last: Option<&str>, tip: Seq, presence: &str) {
        let heard = last.map(|last| {
            let (epoch, seq) = last.rsplit_once('-').unwrap_or_default();
            seq.parse::<Seq>().ok().filter(|seq| epoch == self.epoch && (0..=tip).contains(seq))
        });
        match heard {
            Some(Some(seq)) => {
                self.heard = seq;
                self.is_behind = seq < tip;
            }
            // Another lifetime of the document, or an older state of the database.
            Some(None) => self.waiting.push_back(self.place("reset")),
            None => self.waiting.push_back(self.place("ready")),
        }
        if self.wanted.has("presence") {
            self.waiting.push_back(Said::default().event("presence").data(presence));
        }
    }

    /// Where the listener is: what comes from here on is told.
    fn place(&self, kind: &str) -> Said {
        let data = json!({ "seq": self.heard, "etag": etag(&self.epoch, self.heard) });
        Said::default().event(kind).id(self.id(self.heard)).data(data.to_string())
    }

    fn id(&self, seq: Seq) -> String {
        format!("{}-{seq}", self.epoch)
    }

    /// None: the stream ends, and whoever listens may come again.
    async fn next(&mut self) -> Option<Said> {
        loop {
            if let Some(said) = self.waiting.pop_front() {
                return Some(said);
            }
            if self.is_over {
                return None;
            }
            if self.is_behind {
                self.read().await;
                continue;
            }
            tokio::select! {
                biased;
                () = &mut self.ending => return None,
                event = self.events.recv() => match event {
                    Ok(event) => self.hear(event),
                    Err(RecvError::Lagged(_)) => self.is_behind = true,
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Changed(entry) if entry.first_seq > self.heard + 1 => self.is_behind = true,
            Event::Changed(entry) => self.changed(&entry),
            Event::Look => self.is_behind = true,
            Event::Comments(keys) => {
                self.has_comments = true;
                if self.wanted.has("comments") {
                    let data = json!({ "keys": &*keys });
                    self.waiting.push_back(Said::default().event("comments").data(data.to_string()));
                }
            }
            Event::Presence(everybody) => {
                if self.wanted.has("presence") {
                    self.waiting.push_back(Said::default().event("presence").data(&*everybody));
                }
            }
            Event::Kicked(user) => self.is_over |= self.user.as_deref() == Some(&*user),
            Event::Gone => {
                self.is_over = true;
                self.waiting.push_back(Said::default().event("gone").data("{}"));
            }
        }
    }

    fn changed(&mut self, entry: &LogEntry) {
        let first = entry.first_seq.max(self.heard + 1);
        if entry.seq < first {
            return;
        }
        self.heard = entry.seq;
        if self.wanted.has("changed") {
            let data = json!({
                "first": first,
                "seq": entry.seq,
                "at": rfc3339(entry.at),
                "authors": entry.authors.0,
                "etag": etag(&self.epoch, entry.seq),
            });
            let id = self.id(entry.seq);
            self.waiting.push_back(Said::default().event("changed").id(id).data(data.to_string()));
        }
    }

    /// Hears of what is in the log.
    async fn read(&mut self) {
        let entries = match self.entries().await {
            Ok(Some(entries)) => entries,
            Ok(None) => return self.hear(Event::Gone),
            Err(error) => {
                // It comes again, and goes on from here.
                tracing::warn!(document = self.document, %error, "cannot read what a listener has missed");
                self.is_over = true;
                return;
            }
        };
        self.is_behind = entries.len() == PAGE as usize;
        if !entries.is_empty() && self.has_comments && self.wanted.has("comments") {
            // Which ones, the log does not say.
            self.waiting.push_back(Said::default().event("comments").data(r#"{"keys":null}"#));
        }
        for entry in &entries {
            self.changed(entry);
        }
    }

    async fn entries(&mut self) -> Result<Option<Vec<LogEntry>>, StorageError> {
        self.storage.entries_of(&self.document, &self.epoch, self.heard, PAGE).await
    }
}

#[cfg(test)]
mod tests;
