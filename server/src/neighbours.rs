//! Other servers on the same database.
//!
//! The database is the truth. Redis carries hints only: "this document has updates up to N", and presence, which is
//! worth nothing a minute later. A hint that is lost costs time: every server also asks the database how far the
//! documents it has open are, often without Redis, seldom with it. One channel for everything: what does not concern a
//! room of this server is dropped on arrival, so there are no subscriptions to count (F28). Each server hears itself too:
//! when its own beat does not come back, the connection is open in name only, and is made anew. Messages name the server
//! they come from, never a user: a second device of the same user on another server is somebody else.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub};
use slate_yrs::protocol::lib0::{Lib0Reader, buf, var_uint};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::auth::Auth;
use crate::hints::{Hint, Hints, REMOTE};
use crate::metrics::Metrics;
use crate::room::{Command, Rooms};
use crate::storage::{Kicked, Millis, Seq, random_id};

const CHANNEL: &str = "slate-yrs";
/// Hints that wait for Redis; more are dropped.
const QUEUE: usize = 4_096;
const RECONNECT: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_secs(5);
/// How often a server says that it is there, and how long nothing at all may be heard.
const BEAT: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(7);
/// Documents asked about at once.
const POLL_PAGE: usize = 50;

/// What is to be published, until [`Neighbours::start`].
pub struct Neighbours {
    redis: Option<(redis::Client, mpsc::Receiver<(String, Hint)>)>,
    pub hints: Hints,
}

impl Neighbours {
    pub fn new(redis: Option<&str>) -> redis::RedisResult<Self> {
        let Some(url) = redis else { return Ok(Self { redis: None, hints: Hints::none() }) };
        let (sender, receiver) = mpsc::channel(QUEUE);
        Ok(Self { redis: Some((redis::Client::open(url)?, receiver)), hints: Hints::to(sender) })
    }

    /// Starts listening, publishing and asking the database. `poll`: without Redis; zero: this server is alone.
    pub async fn start(
        self,
        rooms: &Arc<Rooms>,
        auth: &Auth,
        metrics: &Arc<Metrics>,
        poll: Duration,
    ) -> Vec<JoinHandle<()>> {
        let mut tasks = Vec::new();
        // What was taken back before this start stays so.
        let kicks = take_kicks(rooms, auth, 0).await;
        if !poll.is_zero() {
            tasks.push(tokio::spawn(ask_database(Arc::clone(rooms), auth.clone(), Arc::clone(metrics), poll, kicks)));
        }
        if let Some((client, queue)) = self.redis {
            let me = random_id();
            tasks.push(tokio::spawn(listen(
                client.clone(),
                me.clone(),
                Arc::clone(rooms),
                auth.clone(),
                Arc::clone(metrics),
            )));
            tasks.push(tokio::spawn(publish(client, me, queue)));
        }
        tasks
    }
}

/// Ends the user's connections here and takes the tokens back, unless that was done before. How many rooms were told.
pub async fn kick(rooms: &Rooms, auth: &Auth, whom: &Kicked, at: Millis) -> usize {
    if auth.kick(whom, at) { rooms.kick(whom).await } else { 0 }
}

/// Does what the database says after kick number `after`; the last number.
async fn take_kicks(rooms: &Rooms, auth: &Auth, after: i64) -> i64 {
    match rooms.shared().storage.kicks(after).await {
        Ok(kicks) => {
            for kicked in &kicks {
                kick(rooms, auth, &kicked.whom, kicked.at).await;
            }
            kicks.last().map_or(after, |last| last.number)
        }
        Err(error) => {
            tracing::warn!(%error, "cannot ask who was kicked");
            after
        }
    }
}

/// Hints may be lost, and without Redis there are none: the database knows.
async fn ask_database(rooms: Arc<Rooms>, auth: Auth, metrics: Arc<Metrics>, poll: Duration, mut kicks: i64) {
    const SELDOM: u32 = 10;
    loop {
        let seldom = metrics.redis_up.get() == 1;
        sleep(if seldom { poll * SELDOM } else { poll }).await;
        kicks = take_kicks(&rooms, &auth, kicks).await;
        let open = rooms.open_documents();
        for page in open.chunks(POLL_PAGE) {
            match rooms.shared().storage.tips(page).await {
                Ok(found) => {
                    for document in page.iter().filter(|open| found.iter().all(|found| found.id != **open)) {
                        // Deleted: no lifetime is this one.
                        rooms.tell(document, Command::StoredElsewhere { epoch: String::new(), seq: 0 });
                    }
                    for document in found {
                        let (epoch, seq) = (document.epoch, document.tip);
                        rooms.tell(&document.id, Command::StoredElsewhere { epoch, seq });
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot ask how far documents are"),
            }
        }
    }
}

async fn listen(client: redis::Client, me: String, rooms: Arc<Rooms>, auth: Auth, metrics: Arc<Metrics>) {
    loop {
        match timeout(CONNECT, subscribe(&client)).await {
            Ok(Ok(mut subscription)) => {
                metrics.redis_up.set(1);
                tracing::info!("redis: connected");
                // What happened before is found out by asking.
                for document in rooms.open_documents() {
                    rooms.tell(&document, Command::AskNeighbours);
                }
                let mut messages = subscription.on_message();
                while let Ok(Some(message)) = timeout(SILENCE, messages.next()).await {
                    if let Some((from, document, hint)) = decode(message.get_payload_bytes())
                        && from != me
                    {
                        deliver(&rooms, &auth, &from, &document, hint);
                    }
                }
                metrics.redis_up.set(0);
                tracing::warn!("redis: connection lost; servers converge through the database");
            }
            Ok(Err(error)) => tracing::debug!(%error, "redis"),
            Err(_) => tracing::debug!("redis: no answer"),
        }
        sleep(RECONNECT).await;
    }
}

async fn subscribe(client: &redis::Client) -> redis::RedisResult<PubSub> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(CHANNEL).await?;
    Ok(subscription)
}

fn deliver(rooms: &Arc<Rooms>, auth: &Auth, from: &str, document: &str, hint: Hint) {
    let command = match hint {
        Hint::Stored { epoch, seq } => Command::StoredElsewhere { epoch, seq },
        Hint::WhoIsThere => Command::TellNeighbours,
        Hint::Beat => return,
        Hint::Kick { user, at } => {
            let (rooms, auth) = (Arc::clone(rooms), auth.clone());
            let whom = Kicked { user, document: (!document.is_empty()).then(|| document.to_owned()) };
            tokio::spawn(async move { kick(&rooms, &auth, &whom, at).await });
            return;
        }
        Hint::Presence(update) => {
            let mut hasher = DefaultHasher::new();
            from.hash(&mut hasher);
            Command::PresenceElsewhere { server: REMOTE | hasher.finish(), update }
        }
    };
    rooms.tell(document, command);
}

async fn publish(client: redis::Client, me: String, mut queue: mpsc::Receiver<(String, Hint)>) {
    let mut connection: Option<MultiplexedConnection> = None;
    let mut beat = tokio::time::interval(BEAT);
    loop {
        let (document, hint) = tokio::select! {
            next = queue.recv() => match next {
                Some(next) => next,
                None => return,
            },
            _ = beat.tick() => (String::new(), Hint::Beat),
        };
        if connection.is_none() {
            connection = timeout(CONNECT, client.get_multiplexed_async_connection()).await.ok().and_then(Result::ok);
        }
        let Some(open) = &mut connection else {
            // Old hints are worth nothing once it is back.
            while queue.try_recv().is_ok() {}
            sleep(RECONNECT).await;
            continue;
        };
        let message = encode(&me, &document, &hint);
        let mut publish = redis::cmd("PUBLISH");
        let published = publish.arg(CHANNEL).arg(message).query_async::<()>(open);
        if !matches!(timeout(CONNECT, published).await, Ok(Ok(()))) {
            connection = None;
        }
    }
}

fn encode(me: &str, document: &str, hint: &Hint) -> Vec<u8> {
    let mut out = Vec::new();
    buf(&mut out, me.as_bytes());
    buf(&mut out, document.as_bytes());
    match hint {
        Hint::Stored { epoch, seq } => {
            var_uint(&mut out, 0);
            var_uint(&mut out, *seq as u64);
            buf(&mut out, epoch.as_bytes());
        }
        Hint::Presence(update) => {
            var_uint(&mut out, 1);
            buf(&mut out, update);
        }
        Hint::WhoIsThere => var_uint(&mut out, 2),
        Hint::Beat => var_uint(&mut out, 3),
        Hint::Kick { user, at } => {
            var_uint(&mut out, 4);
            buf(&mut out, user.as_bytes());
            var_uint(&mut out, *at as u64);
        }
    }
    out
}

fn decode(message: &[u8]) -> Option<(String, String, Hint)> {
    let mut reader = Lib0Reader::new(message);
    let from = reader.str().ok()?.to_owned();
    let document = reader.str().ok()?.to_owned();
    let hint = match reader.var_uint().ok()? {
        0 => {
            let seq = Seq::try_from(reader.var_uint().ok()?).ok()?;
            Hint::Stored { epoch: reader.str().ok()?.to_owned(), seq }
        }
        1 => Hint::Presence(reader.buf().ok()?.to_vec()),
        2 => Hint::WhoIsThere,
        3 => Hint::Beat,
        4 => {
            let user = reader.str().ok()?.to_owned();
            Hint::Kick { user, at: Millis::try_from(reader.var_uint().ok()?).ok()? }
        }
        _ => return None,
    };
    Some((from, document, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_survive_the_way() {
        for hint in [
            Hint::Stored { epoch: "e".into(), seq: 300 },
            Hint::Presence(vec![1, 2]),
            Hint::WhoIsThere,
            Hint::Beat,
            Hint::Kick { user: "ada".into(), at: 1_700_000_000_000 },
        ] {
            let bytes = encode("me", "scene — é", &hint);
            assert_eq!(decode(&bytes), Some(("me".into(), "scene — é".into(), hint)));
            for end in 0..bytes.len() {
                assert_eq!(decode(&bytes[..end]), None);
            }
        }
    }
}
