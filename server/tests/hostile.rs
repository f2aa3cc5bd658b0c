//! Clients that mean harm: whatever they send, the server stays up and other rooms go on as before.
//!
//! Latencies are medians, compared with those of the same run without the attack: measured before and after it, of which
//! the slower counts, because machines that run tests are busy. Below [`FLOOR`] it may be the machine; what the server once did
//! to the others, while it worked such an update out, was a matter of seconds.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, Instant};

use common::program::Program;
use common::{Client, Msg, TestServer, eventually};
use slate_yrs::protocol::lib0::var_uint;
use slate_yrs::protocol::{Message, RejectCode};
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

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
async fn ack_latency(address: SocketAddr, document: &str, edits: usize) -> Duration {
    let mut client = Client::connect(address, document, 900, "slate-yrs=1&session=latency").await;
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

/// Differences below this may be those of the machine.
const FLOOR: Duration = Duration::from_millis(250);

/// Says how much slower others were than without the attack: at most twice as slow.
fn compare(what: &str, (before, during, after): (Duration, Duration, Duration)) {
    let without = before.max(after).max(FLOOR);
    println!("{what}: others' acknowledgements took {during:?} instead of {before:?} and {after:?}");
    assert!(during <= without * 2, "{what}: others wait {during:?} instead of {before:?} and {after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_bombs_in_an_update() {
    let server = TestServer::start().await;
    let bombs: Vec<(&str, Vec<u8>)> = vec![
        ("types in types", nested_types(11, 100_000, false)),
        ("types in types, deleted", nested_types(12, 100_000, true)),
        ("tiny items", tiny_items(13, 100_000)),
        ("values in values", nested_values(400_000)),
        ("values just deep enough", nested_values(60)),
        ("clients without end", [vec![0xff, 0xff, 0xff, 0xff, 0x0f], vec![0; 100]].concat()),
        ("a length that is not there", [vec![1, 1, 7, 0, 4, 1, 1, b'r'], vec![0xff; 3], vec![0x7f]].concat()),
        ("ranges that overlap", [vec![0, 1, 7], vec![0xf0, 0xf0, 1], [0, 127].repeat(30_840)].concat()),
    ];
    for (what, bomb) in &bombs {
        let document = format!("bombed-{}", what.replace(' ', "-"));
        let before = ack_latency(server.address, "others", 30).await;
        let mut durable = server.durable(&document, 1, "bomber").await;
        let mut plain = server.plain(&document, 2).await;
        durable.sync().await;
        let started = Instant::now();
        durable.push(bomb).await;
        plain.send(&Message::Update(bomb)).await;
        plain.send(&Message::SyncStep2(bomb)).await;
        let during = ack_latency(server.address, "others", 10).await;
        loop {
            match durable.next().await {
                Msg::Ack(_) | Msg::Reject(..) | Msg::Close(_) => break,
                _ => {}
            }
        }
        println!("{what}: {} bytes judged after {:?}", bomb.len(), started.elapsed());
        compare(what, (before, during, ack_latency(server.address, "others", 30).await));
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

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_presence_reaches_nobody_else() {
    let server = TestServer::with(&["--max-frames-per-second", "2000"]).await;
    let before = ack_latency(server.address, "others", 30).await;
    let mut watcher = server.plain("scene", 1).await;
    watcher.sync().await;
    let address = server.address;
    let floods: Vec<_> = (0..4u8)
        .map(|n| {
            tokio::spawn(async move {
                let mut flood = Client::connect(address, "scene", 10 + u64::from(n), "").await;
                let state = format!("{{\"x\":\"{}\"}}", "y".repeat(8_000));
                for clock in 1..1_500u64 {
                    let mut update = vec![1, 10 + n];
                    var_uint(&mut update, clock);
                    var_uint(&mut update, state.len() as u64);
                    update.extend(state.as_bytes());
                    flood.send(&Message::Awareness(&update)).await;
                }
            })
        })
        .collect();
    let during = ack_latency(server.address, "others", 30).await;
    for flood in floods {
        flood.await.unwrap();
    }
    compare("a flood of presence", (before, during, ack_latency(server.address, "others", 30).await));
    // In their own room as well: what was sent is not what is passed on.
    let mut received = 0;
    while tokio::time::timeout(Duration::from_millis(500), watcher.next()).await.is_ok() {
        received += 1;
        assert!(received < 3_000, "every one of them was passed on");
    }
    println!("6,000 states sent, {received} messages received by another");
}

/// Ten thousand sockets that were opened and left: without a word, with half a request, and as WebSockets that say
/// nothing. Fewer where this process may not have so many files open; `IDLE_SOCKETS` says another number.
#[tokio::test(flavor = "multi_thread")]
async fn many_idle_sockets() {
    let asked = std::env::var("IDLE_SOCKETS").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000usize);
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = asked.min(usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(500));
    if count < asked {
        println!("{count} sockets instead of {asked}: the limit of open files is {files}");
    }
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/server.sqlite", folder.path().display());
    let server = Program::start(&database, &["--heartbeat-ms", "600000"]);
    let before = ack_latency(server.address, "others", 30).await;
    let memory = server.memory();
    let (mut silent, mut open) = (Vec::new(), Vec::new());
    for n in 0..count {
        if n % 3 == 0 {
            let mut socket = TcpStream::connect(server.address).await.unwrap();
            if n % 2 == 0 {
                socket.write_all(b"GET /ws/scenes/scene HTTP/1.1\r\nHost: x\r\nX-Slow").await.unwrap();
            }
            silent.push(socket);
        } else {
            let document = format!("idle-{}", n % 50);
            open.push(Client::connect(server.address, &document, 1, "").await);
        }
    }
    let during = ack_latency(server.address, "others", 30).await;
    let each = server.memory().saturating_sub(memory) / count as u64;
    println!("{} silent, {} WebSockets in 50 rooms: {each} bytes each", silent.len(), open.len());
    drop((silent, open));
    let after = ack_latency(server.address, "others", 30).await;
    compare(&format!("{count} idle sockets"), (before, during, after));
    let mut client = Client::connect(server.address, "afterwards", 1, "slate-yrs=1&session=s").await;
    client.sync().await;
    client.write("still there").await;
    client.all_acked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_beyond_the_limit_wait_and_are_served_afterwards() {
    let server = TestServer::with(&["--max-connections", "5"]).await;
    let mut held = Vec::new();
    // The limit of WebSockets, and room for requests beside them.
    for _ in 0..5 + slate_yrs_server::net::SPARE_SOCKETS + 20 {
        held.push(TcpStream::connect(server.address).await.unwrap());
    }
    drop(held);
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    client.write("served").await;
    client.all_acked().await;
    eventually("one is open", || server.server().metrics.connections.get() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_a_reader_that_asks_for_everything_at_once() {
    let server = TestServer::start().await;
    let mut writer = server.durable("scene", 1, "w").await;
    writer.sync().await;
    writer.write(&"x".repeat(500_000)).await;
    writer.all_acked().await;
    let before = ack_latency(server.address, "others", 30).await;
    // Each of these once had the whole document for an answer, before any limit was looked at.
    let question = [Message::SyncStep1(&[1, 9, 1]).to_frame(), Message::QueryAwareness.to_frame()].concat();
    let mut reader = server.durable("scene", 2, "r").await;
    reader.send_bytes(question.repeat(200_000)).await;
    let during = ack_latency(server.address, "others", 30).await;
    compare("a frame full of questions", (before, during, ack_latency(server.address, "others", 30).await));
    writer.write("goes on").await;
    writer.all_acked().await;
}

/// Yjs 14 and pycrdt make ids of 53 bits: 2^33 + 8 is another than 8. yrs would take 2^60 + 8 for 8, which nobody can have made: such an
/// update is refused before anything of it is stored.
#[tokio::test(flavor = "multi_thread")]
async fn client_ids_of_more_than_53_bits_are_not_stored() {
    let server = TestServer::start().await;
    let mut honest = server.durable("scene", 8, "honest").await;
    honest.sync().await;
    honest.write("text").await;
    honest.all_acked().await;
    let by = |client: u64| {
        let mut id = Vec::new();
        var_uint(&mut id, client);
        let letter = [&[1, 1][..], &id, &[0, 4, 1, 7], b"content", &[1, b'x', 0]].concat();
        let deletion = [&[0, 1][..], &id, &[1, 0, 4]].concat();
        [letter, deletion]
    };
    for (at, update) in (20..).zip(by((1 << 60) + 8)) {
        let mut forger = server.durable("scene", at, &format!("forger-{at}")).await;
        forger.sync().await;
        forger.push(&update).await;
        loop {
            match forger.step().await {
                Msg::Reject(1, RejectCode::Invalid) => break,
                answer @ (Msg::Ack(_) | Msg::Reject(..)) => panic!("{answer:?}"),
                _ => {}
            }
        }
        assert_eq!(server.rows("scene").await, 1);
    }
    let [letter, _] = by((1 << 33) + 8);
    let [_, deletion] = by((1 << 34) + 8);
    let mut wide = server.durable("scene", 30, "wide").await;
    wide.sync().await;
    wide.push(&deletion).await;
    wide.push(&letter).await;
    wide.all_acked().await;
    let mut reader = server.plain("scene", 40).await;
    reader.sync().await;
    let read = reader.read();
    assert!(read == "textx" || read == "xtext", "nothing of 8's is gone, and x is there: {read}");
}
