//! Who is told by request that documents have changed.
//!
//! Rooms say which documents have changed ([`ChangedDocuments`]); once a second events are made of that out of the log, and what was
//! not said (a server was killed) is found by comparing. One server at a time sends: to each webhook one event after the other, again
//! until it is taken, given up after [`KEEP`]. Nothing of it is in the way of an edit. Where there is no webhook nothing of this
//! happens: the database is asked every [`LOOK_EVERY`] whether another server has set one up.

pub mod address;
pub mod send;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::clock::now;
use crate::history::rfc3339;
use crate::live::etag;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::storage::{
    Attendance, FailedDelivery, Millis, QueuedEvent, QueuedKind, Result, Storage, WebhookRow, random_id,
};
use send::{EventSender, NotTaken};

/// Events are made so often, at most one of each document.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// Where there is no webhook, the database is asked so often whether there is one by now.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The log is compared with what events were made of so often.
const COMPARE_EVERY: Duration = Duration::from_secs(60);
/// Documents of one transaction.
const PAGE: usize = 100;
const LEASE: &str = "webhooks";
/// For so long nobody is told where the server that did so was killed and others are there.
const LEASE_MS: Millis = 20_000;
/// Whoever has the lease asks for it again after so long at most; one request may be under way.
const ROUND: Duration = Duration::from_secs(5);
const FIRST_WAIT_MS: Millis = 1_000;
const LONGEST_WAIT_MS: Millis = 300_000;
/// An event that nobody takes is given up after so long; one that is refused, after so many refusals.
pub const KEEP: Duration = Duration::from_secs(72 * 3_600);
pub const MAX_REFUSALS: u32 = 10;

/// That documents were opened and closed, kept while the database cannot take it: beyond that the newest is dropped.
const MAX_ATTENDED: usize = 10_000;

/// Documents that have changed since somebody asked, and those that were opened and closed.
#[derive(Debug, Default)]
pub struct ChangedDocuments {
    changed: Mutex<HashSet<String>>,
    attended: Mutex<Vec<Attendance>>,
}

impl ChangedDocuments {
    pub fn note(&self, document: &str) {
        let mut changed = lock(&self.changed);
        if !changed.contains(document) {
            changed.insert(document.to_owned());
        }
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        lock(&self.changed).is_empty()
    }

    /// Which they are; from now on others are counted.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.changed)).into_iter().collect()
    }

    /// A document was opened or closed.
    pub fn attend(&self, attended: Attendance) {
        lock(&self.attended).push(attended);
    }

    /// The same of documents that were opened and closed, in order.
    fn take_attended(&self) -> Vec<Attendance> {
        std::mem::take(&mut *lock(&self.attended))
    }

    /// These wait on, before all that came since.
    fn put_back(&self, attended: Vec<Attendance>) {
        let mut waiting = lock(&self.attended);
        waiting.splice(..0, attended);
        waiting.truncate(MAX_ATTENDED);
    }
}

/// How long to wait after so many failures in a row.
fn wait_after(failures: u32) -> Millis {
    FIRST_WAIT_MS.saturating_mul(1 << failures.min(20)).min(LONGEST_WAIT_MS)
}

/// The webhooks of a server.
pub struct Webhooks {
    storage: Arc<dyn Storage>,
    changed: Arc<ChangedDocuments>,
    pub sender: EventSender,
    metrics: Arc<Metrics>,
    /// This server.
    holder: String,
    /// There is a webhook, as far as this server knows.
    are_any: AtomicBool,
    /// One was set up at this server.
    set_up: Notify,
}

/// What a round of sending came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// There is more to send.
    More,
    /// All that is due was sent, or another server sends.
    Done,
    /// There is no webhook.
    Nobody,
}

impl Webhooks {
    /// `is_alone`: no other server has this database. One that takes the place of one that was killed need not wait then.
    pub fn new(
        storage: Arc<dyn Storage>,
        changed: Arc<ChangedDocuments>,
        sender: EventSender,
        metrics: Arc<Metrics>,
        is_alone: bool,
    ) -> Arc<Self> {
        let holder = if is_alone { "alone".to_owned() } else { random_id() };
        let (are_any, set_up) = (AtomicBool::new(false), Notify::new());
        Arc::new(Self { storage, changed, sender, metrics, holder, are_any, set_up })
    }

    /// Starts noting and sending; both end when they are aborted.
    pub fn start(self: &Arc<Self>) -> [JoinHandle<()>; 2] {
        let (noting, sending) = (Arc::clone(self), Arc::clone(self));
        [tokio::spawn(async move { noting.note_on().await }), tokio::spawn(async move { sending.send_on().await })]
    }

    async fn note_on(&self) {
        loop {
            sleep(NOTE_EVERY).await;
            if let Err(error) = self.note_if_any().await {
                tracing::warn!(%error, "webhooks: changes become no events at the moment");
            }
        }
    }

    /// One was set up here: it is told from now on.
    pub fn is_set_up(&self) {
        self.set_up.notify_one();
    }

    /// Makes events of what rooms have said, where there is somebody to tell.
    ///
    /// # Errors
    /// Where the database fails: changes are found by comparing, what else was said waits on.
    pub async fn note_if_any(&self) -> Result<()> {
        // In this order: what is dropped here was in the log when the first webhook was seen, and was found there.
        let (changed, attended) = (self.changed.take(), self.changed.take_attended());
        if !self.are_any.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.note(&changed, attended).await
    }

    /// Makes events of this: that a document was opened comes before its changes, that it was closed comes after them.
    ///
    /// # Errors
    /// See [`Webhooks::note_if_any`].
    pub async fn note(&self, changed: &[String], attended: Vec<Attendance>) -> Result<()> {
        let mut closed = HashSet::new();
        let (first, last): (Vec<_>, Vec<_>) = attended.into_iter().partition(|one| {
            if one.kind == QueuedKind::Closed {
                closed.insert(one.document.clone());
            }
            !closed.contains(&one.document)
        });
        if let Err(error) = self.note_attendance(&first).await {
            self.changed.put_back(first.into_iter().chain(last).collect());
            return Err(error);
        }
        let noted = async {
            for page in changed.chunks(PAGE) {
                self.storage.webhooks().note(page).await?;
            }
            self.note_attendance(&last).await
        };
        let noted = noted.await;
        if noted.is_err() {
            self.changed.put_back(last);
        }
        noted
    }

    async fn note_attendance(&self, attended: &[Attendance]) -> Result<()> {
        match attended {
            [] => Ok(()),
            _ => self.storage.webhooks().note_attendance(&self.holder, attended).await,
        }
    }

    /// Makes events of what nobody has said.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn compare(&self) -> Result<()> {
        loop {
            let missed = self.storage.webhooks().unnoted(PAGE as u32).await?;
            if missed.is_empty() {
                return Ok(());
            }
            self.storage.webhooks().note(&missed).await?;
            if missed.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn send_on(&self) {
        let mut compared: Option<Instant> = None;
        loop {
            match self.round(&mut compared).await {
                Ok(Round::More) => {}
                Ok(Round::Done) => sleep(NOTE_EVERY).await,
                Ok(Round::Nobody) => {
                    let _ = timeout(LOOK_EVERY, self.set_up.notified()).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "webhooks: nobody is told at the moment");
                    sleep(NOTE_EVERY * 5).await;
                }
            }
        }
    }

    /// Sends what is due, if it is this server's turn.
    async fn round(&self, compared: &mut Option<Instant>) -> Result<Round> {
        let webhooks = self.storage.webhooks().webhooks().await?;
        let count = |of: fn(&WebhookRow) -> u64| webhooks.iter().map(of).sum::<u64>() as i64;
        self.metrics.webhook_waiting.set(count(|one| one.waiting));
        self.metrics.webhook_dead.set(count(|one| one.dead));
        let were_any = self.are_any.swap(!webhooks.is_empty(), Ordering::SeqCst);
        if webhooks.is_empty() {
            *compared = None;
            return Ok(Round::Nobody);
        }
        if !were_any {
            // Until now it was dropped what rooms have said.
            self.compare().await?;
        }
        if !self.storage.take_lease(LEASE, &self.holder, now(), now() + LEASE_MS).await? {
            *compared = None;
            return Ok(Round::Done);
        }
        if compared.is_none_or(|at| at.elapsed() >= COMPARE_EVERY) {
            self.compare().await?;
            *compared = Some(Instant::now());
        }
        Ok(if self.send(&webhooks, now).await? { Round::More } else { Round::Done })
    }

    /// Sends what is due at a time, to all webhooks at once and to each one after the other. Whether there is more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn send(&self, webhooks: &[WebhookRow], clock: impl Fn() -> Millis) -> Result<bool> {
        let clock = &clock;
        let told = webhooks.iter().map(|webhook| self.tell(webhook, clock));
        let told = futures_util::future::try_join_all(told).await?;
        Ok(told.contains(&true))
    }

    async fn tell(&self, webhook: &WebhookRow, clock: &impl Fn() -> Millis) -> Result<bool> {
        let began = Instant::now();
        let mut failures = webhook.failures;
        if webhook.retry_at > clock() {
            return Ok(false);
        }
        while began.elapsed() < ROUND {
            let Some(event) = self.storage.webhooks().claim(&webhook.id).await? else { return Ok(false) };
            let body = payload(&event);
            match self.sender.send(&webhook.url, &webhook.secret, &event.id, body, clock()).await {
                Ok(()) => {
                    self.storage.webhooks().delivered(&webhook.id, event.number).await?;
                    self.metrics.told_webhook("delivered");
                    failures = 0;
                }
                Err(error) => {
                    self.not_taken(webhook, &event, failures, error, clock()).await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn not_taken(
        &self,
        webhook: &WebhookRow,
        event: &QueuedEvent,
        failures: u32,
        NotTaken { error, is_refusal }: NotTaken,
        now: Millis,
    ) -> Result<()> {
        let is_old = now - event.at >= KEEP.as_millis() as Millis;
        let is_dead = is_old || is_refusal && event.tries >= MAX_REFUSALS;
        tracing::warn!(webhook = webhook.id, document = event.document, error, is_dead, "a webhook was not told");
        self.metrics.told_webhook(if is_dead { "dead" } else { "failed" });
        // Whoever refuses one event may take the next.
        let wait = if is_dead && is_refusal { 0 } else { wait_after(failures) };
        let failed = FailedDelivery { error, now, retry_at: now + wait, is_dead };
        self.storage.webhooks().failed(&webhook.id, event.number, &failed).await
    }
}

/// What a receiver is told.
fn payload(event: &QueuedEvent) -> String {
    let mut data = json!({ "document": event.document, "seq": event.seq, "etag": etag(&event.epoch, event.seq) });
    match event.kind {
        QueuedKind::Changed => {
            data["first"] = json!(event.first_seq);
            data["authors"] = json!(event.authors.0);
            data["comments"] = json!(event.comments.0);
        }
        QueuedKind::Opened | QueuedKind::Closed => data["server"] = json!(event.server),
    }
    let kind = format!("document.{}", event.kind.name());
    json!({ "type": kind, "timestamp": rfc3339(event.at), "data": data }).to_string()
}
