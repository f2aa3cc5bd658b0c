//! Load on a running server: people who type, connections that do nothing, and documents to join. Prints one line of
//! JSON; `npm run bench:server` makes a table of it.
//!
//! ```sh
//! cargo run --release -p slate-yrs-server --example load -- type ws://127.0.0.1:8787/ws/scenes durable WRITERS ROOMS PER_SECOND SECONDS READERS
//! … presence URL DIALECT PEOPLE EVERY_MS SECONDS   everybody in one room, each moves their caret so often
//! … storm URL DIALECT CONNECTIONS BYTES           all of them open a document of that size within a second; then somebody
//!                                                  types twenty letters
//! … flood URL DIALECT ROOMS WINDOW SECONDS         as much as goes: a writer and a reader in each room, so many edits
//!                                                  of each writer on their way
//! … idle URL DIALECT CONNECTIONS ROOMS            connects, says so, and stays until its input ends
//! … join URL DIALECT DOCUMENT BYTES TIMES          types a document of that size, and opens it so often, from the
//!                                                  connection to the last byte of the state, its writer connected
//! ```
//! DIALECT: `durable` (the extension of this server), `plain` (y-websocket), `hocuspocus` (its document name before
//! every message).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool that stops where something is wrong")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use slate_yrs::protocol::{Message, Reassembly, messages};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite};
use yrs::{Doc, Text, Transact};

/// When which edit of which writer of a room was sent, in microseconds: peers find its number in the update's bytes.
type Sent = Arc<Vec<Vec<AtomicU64>>>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Clone, Copy, PartialEq)]
enum Dialect {
    Durable,
    Plain,
    Hocuspocus,
}

/// One connection to one document.
struct Link {
    sink: SplitSink<Socket, tungstenite::Message>,
    stream: SplitStream<Socket>,
    dialect: Dialect,
    /// What hocuspocus wants before every message.
    head: Vec<u8>,
    reassembly: Reassembly,
}

enum Heard {
    Ack(u64),
    Step2(usize),
    /// Writer and number of each edit in it.
    Update(Vec<(usize, usize)>),
    /// Person and number of each state in it.
    Presence(Vec<(usize, usize)>),
    Other,
}

impl Link {
    async fn open(url: &str, dialect: Dialect, document: &str, session: &str) -> Self {
        Self::try_open(url, dialect, document, session).await.unwrap()
    }

    async fn try_open(url: &str, dialect: Dialect, document: &str, session: &str) -> Result<Self, tungstenite::Error> {
        let mut head = Vec::new();
        if dialect == Dialect::Hocuspocus {
            head.push(u8::try_from(document.len()).unwrap());
            head.extend(document.as_bytes());
        }
        let query = if dialect == Dialect::Durable { format!("?slate-yrs=1&session={session}") } else { String::new() };
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let url = format!("{url}/{document}{query}");
        let (socket, _) = tokio_tungstenite::connect_async_with_config(url, Some(config), true).await?;
        let (sink, stream) = socket.split();
        let mut link = Self { sink, stream, dialect, head, reassembly: Reassembly::new(256 << 20) };
        if dialect == Dialect::Hocuspocus {
            // Authentication, with any token: it lets no message pass before.
            link.raw(&[2, 0, 1, b't']).await;
        }
        Ok(link)
    }

    fn framed(&self, message: &[u8]) -> tungstenite::Message {
        tungstenite::Message::Binary([self.head.as_slice(), message].concat().into())
    }

    async fn raw(&mut self, message: &[u8]) {
        let frame = self.framed(message);
        self.sink.send(frame).await.unwrap();
    }

    async fn send(&mut self, message: &Message<'_>) {
        self.raw(&message.to_frame()).await;
    }

    async fn edit(&mut self, seq: u64, update: &[u8]) {
        let message = self.edit_message(seq, update);
        self.raw(&message).await;
    }

    fn edit_message(&self, seq: u64, update: &[u8]) -> Vec<u8> {
        match self.dialect {
            Dialect::Durable => Message::Submit { seq, update }.to_frame(),
            Dialect::Plain | Dialect::Hocuspocus => Message::Update(update).to_frame(),
        }
    }

    async fn hear(&mut self) -> Vec<Heard> {
        match self.stream.next().await {
            Some(Ok(tungstenite::Message::Binary(frame))) => {
                let heard = self.read(frame.get(self.head.len()..).unwrap_or_default());
                if matches!(heard.last(), Some(Heard::Other)) && *frame == *Message::Ping.to_frame() {
                    self.send(&Message::Pong).await;
                }
                heard
            }
            Some(Ok(tungstenite::Message::Close(frame))) => panic!("the server closed the connection: {frame:?}"),
            Some(Ok(_)) => Vec::new(),
            other => panic!("the connection ended: {other:?}"),
        }
    }

    fn read(&mut self, frame: &[u8]) -> Vec<Heard> {
        // hocuspocus: 4 is an answer to a sync, 8 says that an update was applied.
        if !self.head.is_empty() {
            match frame.first() {
                Some(8) => return vec![Heard::Ack(0)],
                Some(4) => return self.read(&[&[0], &frame[1..]].concat()),
                Some(2) => return Vec::new(),
                _ => {}
            }
        }
        let mut heard = Vec::new();
        for message in messages(frame) {
            heard.push(match message {
                Ok(Message::Ack { seq }) => Heard::Ack(seq),
                Ok(Message::SyncStep2(update)) => Heard::Step2(update.len()),
                Ok(Message::Update(update)) => Heard::Update(numbers(update)),
                Ok(Message::Awareness(update)) => Heard::Presence(numbers(update)),
                Ok(Message::Fragment { id, index, count, bytes }) => {
                    if let Ok(Some(whole)) = self.reassembly.take(0, id, index, count, bytes) {
                        heard.extend(self.read(&whole));
                    }
                    continue;
                }
                _ => Heard::Other,
            });
        }
        heard
    }
}

#[derive(Default)]
struct Times {
    acks: Vec<Duration>,
    peers: Vec<Duration>,
    sent: usize,
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).and_then(|text| text.parse::<u64>().ok()).expect("a number is missing");
    let (mode, url) = (args[0].as_str(), args[1].as_str());
    let dialect = match args[2].as_str() {
        "durable" => Dialect::Durable,
        "hocuspocus" => Dialect::Hocuspocus,
        _ => Dialect::Plain,
    };
    let result = match mode {
        "type" => type_all(url, dialect, [number(3), number(7)], number(4), number(5), number(6)).await,
        "presence" => presence(url, dialect, number(3), number(4), number(5)).await,
        "storm" => storm(url, dialect, number(3), number(4)).await,
        "flood" => flood(url, dialect, number(3), number(4), number(5)).await,
        "idle" => idle(url, dialect, number(3), number(4)).await,
        "join" => join(url, dialect, &args[3], number(4), number(5)).await,
        _ => panic!("type, presence, storm, flood, idle or join"),
    };
    println!("{result}");
}

async fn type_all(
    url: &str,
    dialect: Dialect,
    [writers, readers]: [u64; 2],
    rooms: u64,
    per_second: u64,
    seconds: u64,
) -> Value {
    let run = std::process::id();
    let epoch = Instant::now();
    let edits = (per_second * seconds) as usize;
    let mut links = Vec::new();
    for room in 0..rooms {
        let sent: Sent = Arc::new((0..writers).map(|_| (0..edits).map(|_| AtomicU64::new(0)).collect()).collect());
        for writer in 0..writers + readers {
            let link = Link::open(url, dialect, &format!("load-{run}-{room}"), &format!("w{writer}")).await;
            // Made before the clock runs: what is measured is the server.
            let updates = if writer < writers { updates(writer, edits) } else { Vec::new() };
            links.push((link, writer as usize, updates, Arc::clone(&sent)));
        }
    }
    // Everyone is connected, and has heard what comes first.
    let start = tokio::time::Instant::now() + Duration::from_millis(1_000);
    let interval = Duration::from_micros(1_000_000 / per_second.max(1));
    let count = links.len() as u32;
    let tasks: Vec<_> = links
        .into_iter()
        .zip(0..)
        .map(|((link, writer, updates, sent), n)| {
            // Not in step.
            let begin = start + interval * n / count;
            let over = start + Duration::from_secs(seconds + 2);
            tokio::spawn(write(link, writer, updates, sent, epoch, (begin, interval, over)))
        })
        .collect();
    let mut all = Times::default();
    for task in tasks {
        let times = task.await.unwrap();
        all.acks.extend(times.acks);
        all.peers.extend(times.peers);
        all.sent += times.sent;
    }
    json!({
        "sent": all.sent, "perSecond": all.sent as f64 / seconds as f64, "acknowledged": all.acks.len(),
        "ack": spread(&mut all.acks), "delivered": all.peers.len(), "peer": spread(&mut all.peers),
    })
}

/// Each types its number and that of the edit.
fn updates(writer: u64, edits: usize) -> Vec<Vec<u8>> {
    let doc = Doc::with_client_id(writer + 1);
    let text = doc.get_or_insert_text("content");
    (0..edits)
        .map(|n| {
            let mut txn = doc.transact_mut();
            text.push(&mut txn, &format!("<{writer}.{n}>"));
            txn.encode_update_v1()
        })
        .collect()
}

/// As many edits a second as are acknowledged (where nothing is, as reach the reader).
async fn flood(url: &str, dialect: Dialect, rooms: u64, window: u64, seconds: u64) -> Value {
    // More than will be needed.
    const MOST: u64 = 400_000;
    let run = std::process::id();
    let updates = Arc::new(updates(0, (MOST / rooms.min(20)) as usize));
    let mut links = Vec::new();
    for room in 0..rooms {
        let document = format!("flood-{run}-{room}");
        let writer = Link::open(url, dialect, &document, "writer").await;
        links.push((writer, Link::open(url, dialect, &document, "reader").await));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let started = Instant::now();
    let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
    let tasks: Vec<_> = links
        .into_iter()
        .map(|(writer, reader)| tokio::spawn(flood_room(writer, reader, Arc::clone(&updates), window, end)))
        .collect();
    let (mut acked, mut delivered) = (0, 0);
    for task in tasks {
        let (a, d) = task.await.unwrap();
        acked += a;
        delivered += d;
    }
    let took = started.elapsed().as_secs_f64();
    json!({ "acknowledgedPerSecond": acked as f64 / took, "deliveredPerSecond": delivered as f64 / took, "delivered": delivered })
}

async fn flood_room(
    mut writer: Link,
    mut reader: Link,
    updates: Arc<Vec<Vec<u8>>>,
    window: u64,
    end: tokio::time::Instant,
) -> (u64, u64) {
    let room = Arc::new(Semaphore::new(window as usize));
    let acknowledges = writer.dialect != Dialect::Plain;
    let arrived = Arc::clone(&room);
    let reading = tokio::spawn(async move {
        let mut delivered = 0;
        while let Ok(heard) = tokio::time::timeout_at(end, reader.hear()).await {
            let edits: usize =
                heard.iter().map(|one| if let Heard::Update(edits) = one { edits.len() } else { 0 }).sum();
            delivered += edits as u64;
            if !acknowledges {
                arrived.add_permits(edits);
            }
        }
        delivered
    });
    let (mut sent, mut acked) = (0u64, 0u64);
    loop {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(end) => break,
            heard = writer.hear() => {
                for one in heard {
                    if let Heard::Ack(seq) = one {
                        let upto = if seq == 0 { acked + 1 } else { seq };
                        room.add_permits(upto.saturating_sub(acked) as usize);
                        acked = upto;
                    }
                }
            }
            permit = room.acquire(), if (sent as usize) < updates.len() => {
                permit.unwrap().forget();
                // What else there is room for, flushed together.
                let more = room.available_permits().min(updates.len() - sent as usize - 1);
                for _ in 0..=more {
                    let message = writer.edit_message(sent + 1, &updates[sent as usize]);
                    let frame = writer.framed(&message);
                    writer.sink.feed(frame).await.unwrap();
                    sent += 1;
                }
                for _ in 0..more {
                    room.acquire().await.unwrap().forget();
                }
                writer.sink.flush().await.unwrap();
            }
        }
    }
    (acked, reading.await.unwrap())
}

/// Milliseconds.
fn spread(times: &mut [Duration]) -> Value {
    times.sort();
    if times.is_empty() {
        return Value::Null;
    }
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    json!({ "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "most": at(1.0) })
}

async fn write(
    mut link: Link,
    writer: usize,
    updates: Vec<Vec<u8>>,
    sent: Sent,
    epoch: Instant,
    (begin, interval, over): (tokio::time::Instant, Duration, tokio::time::Instant),
) -> Times {
    let mut times = Times::default();
    let micros = || epoch.elapsed().as_micros() as u64;
    let since = |at: &AtomicU64| Duration::from_micros(micros().saturating_sub(at.load(Ordering::Relaxed)));
    let mut acked = 0;
    let mut pace = tokio::time::interval_at(begin, interval);
    loop {
        tokio::select! {
            _ = pace.tick(), if times.sent < updates.len() => {
                let n = times.sent;
                sent[writer][n].store(micros(), Ordering::Relaxed);
                link.edit(n as u64 + 1, &updates[n]).await;
                times.sent += 1;
            }
            heard = link.hear() => {
                for heard in heard {
                    match heard {
                        Heard::Ack(seq) => {
                            let upto = if seq == 0 { acked + 1 } else { seq as usize }.min(times.sent);
                            times.acks.extend(sent[writer][acked.min(upto)..upto].iter().map(since));
                            acked = upto;
                        }
                        Heard::Update(edits) => {
                            // Some servers send back what they were sent.
                            let of_peers = edits.iter().filter(|(of, _)| *of != writer);
                            times.peers.extend(of_peers.map(|(of, n)| since(&sent[*of][*n])));
                        }
                        Heard::Presence(_) | Heard::Step2(_) | Heard::Other => {}
                    }
                }
            }
            () = tokio::time::sleep_until(over) => break,
        }
    }
    times
}

/// Writer and number of each edit in an update, which may hold several.
fn numbers(update: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut rest = update;
    while let Some(from) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[from + 1..];
        let Some(to) = rest.iter().position(|byte| *byte == b'>') else { break };
        let pair = std::str::from_utf8(&rest[..to]).ok().and_then(|text| text.split_once('.'));
        // A clock's byte may look like the first character of one.
        if let Some((Ok(writer), Ok(n))) = pair.map(|(writer, n)| (writer.parse(), n.parse())) {
            found.push((writer, n));
            rest = &rest[to + 1..];
        }
    }
    found
}

/// Everybody says where their caret is, and hears where the others' are.
async fn presence(url: &str, dialect: Dialect, people: u64, every_ms: u64, seconds: u64) -> Value {
    let run = std::process::id();
    let epoch = Instant::now();
    let moves = (seconds * 1_000 / every_ms) as usize;
    let sent: Sent = Arc::new((0..people).map(|_| (0..moves).map(|_| AtomicU64::new(0)).collect()).collect());
    let mut links = Vec::new();
    for person in 0..people {
        links.push(Link::open(url, dialect, &format!("presence-{run}"), &format!("p{person}")).await);
    }
    let start = tokio::time::Instant::now() + Duration::from_millis(1_000);
    let interval = Duration::from_millis(every_ms);
    let over = start + Duration::from_secs(seconds + 2);
    let tasks: Vec<_> = links
        .into_iter()
        .zip(0..)
        .map(|(link, n)| {
            let begin = start + interval * n / people as u32;
            tokio::spawn(move_about(link, n as usize, Arc::clone(&sent), epoch, (begin, interval, over)))
        })
        .collect();
    let (mut times, mut count) = (Vec::new(), 0);
    for task in tasks {
        let (heard, said) = task.await.unwrap();
        times.extend(heard);
        count += said;
    }
    json!({ "sent": count, "delivered": times.len(), "peer": spread(&mut times) })
}

async fn move_about(
    mut link: Link,
    person: usize,
    sent: Sent,
    epoch: Instant,
    (begin, interval, over): (tokio::time::Instant, Duration, tokio::time::Instant),
) -> (Vec<Duration>, usize) {
    let (mut heard, mut said) = (Vec::new(), 0);
    let mut pace = tokio::time::interval_at(begin, interval);
    let micros = || epoch.elapsed().as_micros() as u64;
    loop {
        tokio::select! {
            _ = pace.tick(), if said < sent[person].len() => {
                sent[person][said].store(micros(), Ordering::Relaxed);
                let state = format!(r##"{{"user":{{"name":"Person {person}","color":"#336699"}},"at":"<{person}.{said}>"}}"##);
                said += 1;
                let mut update = vec![1];
                for number in [10_000 + person as u64, said as u64, state.len() as u64] {
                    var_uint(&mut update, number);
                }
                update.extend(state.as_bytes());
                link.send(&Message::Awareness(&update)).await;
            }
            all = link.hear() => {
                for one in all {
                    if let Heard::Presence(states) = one {
                        let others = states.iter().filter(|(of, _)| *of != person);
                        let since = |at: &AtomicU64| Duration::from_micros(micros().saturating_sub(at.load(Ordering::Relaxed)));
                        heard.extend(others.map(|(of, n)| since(&sent[*of][*n])));
                    }
                }
            }
            () = tokio::time::sleep_until(over) => return (heard, said),
        }
    }
}

fn var_uint(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push((number as u8 & 127) | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

/// All of them within a second; how long each takes from then until it has the document. Then everybody hears what is typed.
async fn storm(url: &str, dialect: Dialect, connections: u64, bytes: u64) -> Value {
    const TYPED: usize = 20;
    let document = format!("storm-{}", std::process::id());
    let mut writer = seed(url, dialect, &document, bytes).await;
    let began = tokio::time::Instant::now() + Duration::from_millis(100);
    let tasks: Vec<_> = (0..connections)
        .map(|n| {
            let (url, document) = (url.to_owned(), document.clone());
            let due = began + Duration::from_secs(1) * n as u32 / connections as u32;
            tokio::spawn(async move {
                tokio::time::sleep_until(due).await;
                // A server whose queue is full refuses: one comes again, as clients do.
                let mut link = loop {
                    match Link::try_open(&url, dialect, &document, &format!("s{n}")).await {
                        Ok(link) => break link,
                        Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                    }
                };
                answered(&mut link).await;
                (link, due.elapsed())
            })
        })
        .collect();
    let (mut links, mut took) = (Vec::new(), Vec::new());
    for task in tasks {
        let (link, time) = task.await.unwrap();
        links.push(link);
        took.push(time);
    }
    let all = began.elapsed();
    let end = tokio::time::Instant::now() + Duration::from_secs(10);
    let listening: Vec<_> = links
        .into_iter()
        .map(|mut link| {
            tokio::spawn(async move {
                let mut heard = 0;
                while heard < TYPED {
                    let Ok(all) = tokio::time::timeout_at(end, link.hear()).await else { break };
                    heard += all
                        .iter()
                        .map(|one| if let Heard::Update(edits) = one { edits.len() } else { 0 })
                        .sum::<usize>();
                }
                (heard, link)
            })
        })
        .collect();
    let first_seq = bytes / PARAGRAPH as u64;
    for (n, update) in updates(1_000, TYPED).iter().enumerate() {
        writer.edit(first_seq + n as u64 + 1, update).await;
    }
    let mut heard = 0;
    // Nobody leaves before all have heard: that would be work of its own.
    let mut stay = Vec::new();
    for task in listening {
        let (count, link) = task.await.unwrap();
        heard += count;
        stay.push(link);
    }
    drop(writer);
    json!({
        "joined": took.len(), "join": spread(&mut took), "all": all.as_secs_f64() * 1_000.0,
        "sent": TYPED, "delivered": heard,
    })
}

async fn idle(url: &str, dialect: Dialect, connections: u64, rooms: u64) -> Value {
    let mut links = Vec::new();
    for n in 0..connections {
        let document = format!("idle-{}", n % rooms);
        let mut link = Link::open(url, dialect, &document, &format!("i{n}")).await;
        link.send(&Message::SyncStep1(&[0])).await;
        loop {
            let heard = link.hear().await;
            if heard.iter().any(|heard| matches!(heard, Heard::Step2(_))) {
                break;
            }
        }
        links.push(link);
    }
    println!("ready");
    let wait = || std::io::stdin().read_line(&mut String::new());
    let _ = tokio::task::spawn_blocking(wait).await;
    json!({ "connections": links.len() })
}

/// Bytes of each edit of a document that is made to be opened.
const PARAGRAPH: usize = 200;

/// Who typed it: some servers forget a document that nobody has open.
async fn seed(url: &str, dialect: Dialect, document: &str, bytes: u64) -> Link {
    let mut link = Link::open(url, dialect, document, "seed").await;
    let doc = Doc::with_client_id(77);
    let text = doc.get_or_insert_text("content");
    let mut seq = 0;
    for n in 0..bytes / PARAGRAPH as u64 {
        let update = {
            let mut txn = doc.transact_mut();
            // Each before the last: items that do not merge, as in a document that was typed here and there.
            let paragraph = format!("{n} {}", "lorem ipsum dolor ".repeat(20));
            text.insert(&mut txn, 0, &paragraph[..PARAGRAPH]);
            txn.encode_update_v1()
        };
        seq += 1;
        link.edit(seq, &update).await;
        if n % 500 == 499 {
            answered(&mut link).await;
        }
    }
    answered(&mut link).await;
    link
}

/// Everything sent before was taken: a sync comes back.
async fn answered(link: &mut Link) -> usize {
    link.send(&Message::SyncStep1(&[0])).await;
    loop {
        for heard in link.hear().await {
            if let Heard::Step2(bytes) = heard {
                return bytes;
            }
        }
    }
}

async fn join(url: &str, dialect: Dialect, document: &str, size: u64, times: u64) -> Value {
    let writer = seed(url, dialect, document, size).await;
    let mut took = Vec::new();
    let mut bytes = 0;
    for n in 0..times {
        let started = Instant::now();
        let mut link = Link::open(url, dialect, document, &format!("j{n}")).await;
        bytes = answered(&mut link).await;
        took.push(started.elapsed());
    }
    drop(writer);
    json!({ "bytes": bytes, "first": took[0].as_secs_f64() * 1_000.0, "join": spread(&mut took) })
}
