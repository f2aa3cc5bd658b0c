//! Clients that mean harm: whatever they send, the server stays up and other rooms go on as before.
//!
//! Latencies are compared with those of the same run without the attack, loosely: machines that run tests are busy.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Client, Msg, TestServer, eventually};
use slate_yrs::protocol::{Message, close};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

fn var_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// `count` shared types, each in the one before; the outermost is deleted in the same update if `delete`.
fn nested_types(client: u64, count: u64, delete: bool) -> Vec<u8> {
    let mut out = vec![1];
    var_uint(&mut out, count);
    var_uint(&mut out, client);
    out.push(0);
    for clock in 0..count {
        out.push(7);
        if clock == 0 {
            out.extend([1, 7]);
            out.extend(b"content");
        } else {
            out.push(0);
            var_uint(&mut out, client);
            var_uint(&mut out, clock - 1);
        }
        out.push(6);
    }
    match delete {
        true => {
            out.push(1);
            var_uint(&mut out, client);
            out.extend([1, 0, 1]);
        }
        false => out.push(0),
    }
    out
}

/// `count` items of one character each, each to the left of the one before.
fn tiny_items(client: u64, count: u64) -> Vec<u8> {
    let mut out = vec![1];
    var_uint(&mut out, count);
    var_uint(&mut out, client);
    out.push(0);
    for clock in 0..count {
        if clock == 0 {
            out.extend([4, 1, 7]);
            out.extend(b"content");
        } else {
            out.push(0x44);
            var_uint(&mut out, client);
            var_uint(&mut out, clock - 1);
        }
        out.extend([1, b'x']);
    }
    out.push(0);
    out
}

/// Values in values, so many deep.
fn nested_values(depth: usize) -> Vec<u8> {
    [vec![1, 1, 7, 0, 8, 1, 1, b'r', 1], [117, 1].repeat(depth), vec![126, 0]].concat()
}

/// The median time from an edit to its acknowledgement in a room of its own.
async fn ack_latency(server: &TestServer, document: &str, edits: usize) -> Duration {
    let mut client = server.durable(document, 900, &format!("latency {document}").replace(' ', "-")).await;
    client.sync().await;
    let mut times = Vec::new();
    for _ in 0..edits {
        let started = Instant::now();
        client.write("word ").await;
        client.all_acked().await;
        times.push(started.elapsed());
    }
    client.leave().await;
    times.sort();
    times[times.len() / 2]
}

/// Says how much slower others were, and that they were served at all.
fn compare(what: &str, before: Duration, during: Duration) {
    let ratio = during.as_secs_f64() / before.as_secs_f64();
    println!("{what}: others' acknowledgements took {during:?} instead of {before:?}, {ratio:.1} times as long");
    assert!(ratio < 200.0, "{what}: others are starved");
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_bombs_in_an_update() {
    let server = TestServer::start().await;
    let before = ack_latency(&server, "others", 30).await;
    let bombs: Vec<(&str, Vec<u8>)> = vec![
        ("types in types", nested_types(11, 100_000, false)),
        ("types in types, deleted", nested_types(12, 100_000, true)),
        ("tiny items", tiny_items(13, 100_000)),
        ("values in values", nested_values(400_000)),
        ("values just deep enough", nested_values(90)),
        ("clients without end", [vec![0xff, 0xff, 0xff, 0xff, 0x0f], vec![0; 100]].concat()),
        ("a length that is not there", [vec![1, 1, 7, 0, 4, 1, 1, b'r'], vec![0xff; 3], vec![0x7f]].concat()),
        ("ranges that overlap", [vec![0, 1, 7], vec![0xf0, 0xf0, 1], [0, 127].repeat(30_840)].concat()),
    ];
    for (what, bomb) in &bombs {
        let document = format!("bombed-{}", what.replace(' ', "-"));
        let mut durable = server.durable(&document, 1, "bomber").await;
        let mut plain = server.plain(&document, 2).await;
        durable.sync().await;
        let started = Instant::now();
        durable.push(bomb).await;
        plain.send(&Message::Update(bomb)).await;
        plain.send(&Message::SyncStep2(bomb)).await;
        let during = ack_latency(&server, "others", 10).await;
        loop {
            match durable.next().await {
                Msg::Ack(_) | Msg::Reject(..) | Msg::Close(_) => break,
                _ => {}
            }
        }
        println!("{what}: {} bytes judged after {:?}", bomb.len(), started.elapsed());
        compare(what, before, during);
        // Who opens the document afterwards, from the database too.
        drop((durable, plain));
        let mut reader = server.plain(&document, 3).await;
        reader.send(&Message::SyncStep1(&[0])).await;
        while !matches!(reader.next().await, Msg::Step2(_) | Msg::Close(_)) {}
        drop(reader);
        common::http::get(server.address, &format!("/api/scenes/{document}/versions/now")).await;
        server.unload().await;
        let mut reader = server.plain(&document, 4).await;
        reader.send(&Message::SyncStep1(&[0])).await;
        while !matches!(reader.next().await, Msg::Step2(_) | Msg::Close(_)) {}
    }
}
