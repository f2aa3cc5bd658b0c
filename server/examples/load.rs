//! Load on a running server: writers in rooms who type, and how long a keystroke takes to a peer and to its
//! acknowledgement.
//!
//! `cargo run --release -p slate-yrs-server --example load -- ws://127.0.0.1:8787/ws/scenes WRITERS ROOMS PER_SECOND SECONDS`

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool that stops where something is wrong")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use slate_yrs::protocol::{Message, messages};
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite;
use yrs::{Doc, Text, Transact};

/// When which text was sent: peers find it in the update's bytes.
type Sent = Arc<Mutex<HashMap<String, Instant>>>;

#[derive(Default)]
struct Times {
    acks: Vec<Duration>,
    peers: Vec<Duration>,
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, writers, rooms, per_second, seconds] = args.as_slice() else {
        eprintln!("load URL WRITERS_PER_ROOM ROOMS EDITS_PER_SECOND_AND_WRITER SECONDS");
        std::process::exit(2);
    };
    let number = |text: &String| text.parse::<u64>().unwrap();
    let (writers, rooms, per_second, seconds) = (number(writers), number(rooms), number(per_second), number(seconds));
    let run = std::process::id();
    let mut tasks = Vec::new();
    for room in 0..rooms {
        let sent = Sent::default();
        for writer in 0..writers {
            let url = format!("{url}/load-{run}-{room}?slate-yrs=1&session=w{writer}");
            let sent = Arc::clone(&sent);
            tasks.push(tokio::spawn(write(url, room * writers + writer + 1, per_second, seconds, sent)));
        }
    }
    let mut all = Times::default();
    for task in tasks {
        let times = task.await.unwrap();
        all.acks.extend(times.acks);
        all.peers.extend(times.peers);
    }
    println!("{} writers in each of {rooms} rooms, {per_second} edits/s each, {seconds} s", writers);
    println!("acknowledged: {} ({:.0}/s)", all.acks.len(), all.acks.len() as f64 / seconds as f64);
    show("keystroke to durable acknowledgement", &mut all.acks);
    show("keystroke to peer", &mut all.peers);
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort();
    if times.is_empty() {
        return;
    }
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{what}: p50 {:?}, p95 {:?}, p99 {:?}, most {:?}", at(0.5), at(0.95), at(0.99), at(1.0));
}

async fn write(url: String, id: u64, per_second: u64, seconds: u64, sent: Sent) -> Times {
    let (socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await.unwrap();
    let (mut sink, mut stream) = socket.split();
    let doc = Doc::with_client_id(id);
    let text = doc.get_or_insert_text("content");
    let mut times = Times::default();
    let mut own: Vec<Instant> = Vec::new();
    let mut acked = 0;
    // Connections first, then the clock; writers not in step.
    tokio::time::sleep(Duration::from_millis(500 + id * 37 % 1_000)).await;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 / per_second.max(1)));
    loop {
        tokio::select! {
            _ = pace.tick(), if Instant::now() < end => {
                let word = format!("<{id}.{}>", own.len());
                let update = {
                    let mut txn = doc.transact_mut();
                    text.push(&mut txn, &word);
                    txn.encode_update_v1()
                };
                let now = Instant::now();
                sent.lock().await.insert(word, now);
                own.push(now);
                let frame = Message::Submit { seq: own.len() as u64, update: &update }.to_frame();
                sink.send(tungstenite::Message::Binary(frame.into())).await.unwrap();
            }
            frame = stream.next() => {
                let Some(Ok(tungstenite::Message::Binary(frame))) = frame else { continue };
                let now = Instant::now();
                for message in messages(&frame) {
                    match message.unwrap() {
                        Message::Ack { seq } => {
                            times.acks.extend(own[acked..seq as usize].iter().map(|at| now - *at));
                            acked = seq as usize;
                        }
                        Message::Update(update) => {
                            let from = update.iter().position(|byte| *byte == b'<').unwrap_or(0);
                            let to = update.iter().position(|byte| *byte == b'>').map_or(0, |at| at + 1);
                            let word = String::from_utf8_lossy(update.get(from..to).unwrap_or_default());
                            if let Some(at) = sent.lock().await.get(word.as_ref()) {
                                times.peers.push(now - *at);
                            }
                        }
                        Message::Ping => {
                            let pong = Message::Pong.to_frame();
                            sink.send(tungstenite::Message::Binary(pong.into())).await.unwrap();
                        }
                        _ => {}
                    }
                }
            }
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        let quiet = Instant::now() >= end + Duration::from_secs(1);
        if quiet && (acked == own.len() || Instant::now() >= end + Duration::from_secs(30)) {
            return times;
        }
    }
}
