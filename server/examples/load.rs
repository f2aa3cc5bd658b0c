//! Load on a running server: people who type, connections that do nothing, and documents to join. Prints one line of
//! JSON; `npm run bench:server` makes a table of it.
//!
//! ```sh
//! cargo run --release -p slate-yrs-server --example load -- type ws://127.0.0.1:8787/ws/scenes durable WRITERS ROOMS PER_SECOND SECONDS
//! … idle URL DIALECT CONNECTIONS ROOMS            connects, says so, and stays until its input ends
//! … seed URL DIALECT DOCUMENT BYTES                types a document of that size
//! … join URL DIALECT DOCUMENT TIMES                opens it, from the connection to the last byte of the state
//! ```
//! DIALECT: `durable` (the extension of this server), `plain` (y-websocket), `hocuspocus` (its document name before
//! every message).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool that stops where something is wrong")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use slate_yrs::protocol::{Message, Reassembly, messages};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite};
use yrs::{Doc, Text, Transact};

/// When which text was sent: peers find it in the update's bytes.
type Sent = Arc<Mutex<HashMap<String, Instant>>>;
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
    /// What hocuspocus wants before every message.
    head: Vec<u8>,
    reassembly: Reassembly,
}

enum Heard {
    Ack(u64),
    Step2(usize),
    Update(Vec<u8>),
    Other,
}

impl Link {
    async fn open(url: &str, dialect: Dialect, document: &str, session: &str) -> Self {
        let mut head = Vec::new();
        if dialect == Dialect::Hocuspocus {
            head.push(u8::try_from(document.len()).unwrap());
            head.extend(document.as_bytes());
        }
        let query = if dialect == Dialect::Durable { format!("?slate-yrs=1&session={session}") } else { String::new() };
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let url = format!("{url}/{document}{query}");
        let (socket, _) = tokio_tungstenite::connect_async_with_config(url, Some(config), true).await.unwrap();
        let (sink, stream) = socket.split();
        let mut link = Self { sink, stream, head, reassembly: Reassembly::new(256 << 20) };
        if dialect == Dialect::Hocuspocus {
            // Authentication, with any token: it lets no message pass before.
            link.raw(&[2, 0, 1, b't']).await;
        }
        link
    }

    async fn raw(&mut self, message: &[u8]) {
        let frame = [self.head.as_slice(), message].concat();
        self.sink.send(tungstenite::Message::Binary(frame.into())).await.unwrap();
    }

    async fn send(&mut self, message: &Message<'_>) {
        self.raw(&message.to_frame()).await;
    }

    async fn edit(&mut self, dialect: Dialect, seq: u64, update: &[u8]) {
        match dialect {
            Dialect::Durable => self.send(&Message::Submit { seq, update }).await,
            Dialect::Plain | Dialect::Hocuspocus => self.send(&Message::Update(update)).await,
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
                Ok(Message::Update(update)) => Heard::Update(update.to_vec()),
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
        "type" => type_all(url, dialect, number(3), number(4), number(5), number(6)).await,
        "idle" => idle(url, dialect, number(3), number(4)).await,
        "seed" => seed(url, dialect, &args[3], number(4)).await,
        "join" => join(url, dialect, &args[3], number(4)).await,
        _ => panic!("type, idle, seed or join"),
    };
    println!("{result}");
}

async fn type_all(url: &str, dialect: Dialect, writers: u64, rooms: u64, per_second: u64, seconds: u64) -> Value {
    let run = std::process::id();
    let mut tasks = Vec::new();
    for room in 0..rooms {
        let sent = Sent::default();
        for writer in 0..writers {
            let link = Link::open(url, dialect, &format!("load-{run}-{room}"), &format!("w{writer}")).await;
            let id = room * writers + writer + 1;
            tasks.push(tokio::spawn(write(link, dialect, id, per_second, seconds, Arc::clone(&sent))));
        }
    }
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

/// Milliseconds.
fn spread(times: &mut [Duration]) -> Value {
    times.sort();
    if times.is_empty() {
        return Value::Null;
    }
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    json!({ "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "most": at(1.0) })
}

async fn write(mut link: Link, dialect: Dialect, id: u64, per_second: u64, seconds: u64, sent: Sent) -> Times {
    let doc = Doc::with_client_id(id);
    let text = doc.get_or_insert_text("content");
    let mut times = Times::default();
    let mut own: Vec<Instant> = Vec::new();
    let mut acked = 0;
    // Connections first, then the clock; writers not in step.
    let start = tokio::time::Instant::now() + Duration::from_millis(1_500 + id * 37 % 1_000);
    let mut pace = tokio::time::interval_at(start, Duration::from_micros(1_000_000 / per_second.max(1)));
    let end = start + Duration::from_secs(seconds);
    let over = end + Duration::from_secs(1);
    loop {
        tokio::select! {
            _ = pace.tick(), if tokio::time::Instant::now() < end => {
                let word = format!("<{id}.{}>", own.len());
                let update = {
                    let mut txn = doc.transact_mut();
                    text.push(&mut txn, &word);
                    txn.encode_update_v1()
                };
                let now = Instant::now();
                sent.lock().unwrap().insert(word, now);
                own.push(now);
                link.edit(dialect, own.len() as u64, &update).await;
            }
            heard = link.hear() => {
                let now = Instant::now();
                for heard in heard {
                    match heard {
                        Heard::Ack(seq) => {
                            let upto = if seq == 0 { acked + 1 } else { seq as usize }.min(own.len());
                            times.acks.extend(own[acked..upto].iter().map(|at| now - *at));
                            acked = upto;
                        }
                        Heard::Update(update) => {
                            // One update may hold several words.
                            for word in words(&update) {
                                if let Some(at) = sent.lock().unwrap().get(word.as_str()) {
                                    times.peers.push(now - *at);
                                }
                            }
                        }
                        Heard::Step2(_) | Heard::Other => {}
                    }
                }
            }
            () = tokio::time::sleep_until(over) => break,
        }
    }
    times.sent = own.len();
    times
}

fn words(update: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = update;
    while let Some(from) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[from..];
        let Some(to) = rest.iter().position(|byte| *byte == b'>') else { break };
        words.push(String::from_utf8_lossy(&rest[..=to]).into_owned());
        rest = &rest[to + 1..];
    }
    words
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

async fn seed(url: &str, dialect: Dialect, document: &str, bytes: u64) -> Value {
    const PARAGRAPH: usize = 200;
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
        link.edit(dialect, seq, &update).await;
        if n % 500 == 499 {
            answered(&mut link).await;
        }
    }
    answered(&mut link).await;
    json!({ "updates": seq })
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

async fn join(url: &str, dialect: Dialect, document: &str, times: u64) -> Value {
    let mut took = Vec::new();
    let mut bytes = 0;
    for n in 0..times {
        let started = Instant::now();
        let mut link = Link::open(url, dialect, document, &format!("j{n}")).await;
        bytes = answered(&mut link).await;
        took.push(started.elapsed());
    }
    json!({ "bytes": bytes, "first": took[0].as_secs_f64() * 1_000.0, "join": spread(&mut took) })
}
