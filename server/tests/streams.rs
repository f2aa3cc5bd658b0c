//! Connections over HTTP: what a socket does, they do; and what goes wrong with requests leads to nothing twice.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::VecDeque;

use common::http::{Answer, get, post, request, request_bytes};
use common::{Client, TestServer};
use serde_json::json;
use slate_yrs::protocol::lib0::var_uint;
use slate_yrs::protocol::{self, Message, close};
use slate_yrs_server::stream::wire::read_var_uint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SECRET: &str = "a secret that is long enough for tests";

fn token(user: &str) -> String {
    let exp = slate_yrs_server::clock::now() / 1_000 + 60;
    common::tokens::hs256(&json!({ "sub": user, "documents": ["scene"], "exp": exp }), SECRET)
}

/// What came in an answer.
#[derive(Debug, PartialEq)]
enum Came {
    Frame(Vec<u8>),
    Close(u16, String),
}

/// Records of an answer that came whole.
fn records(mut bytes: &[u8]) -> Vec<Came> {
    let number = |bytes: &mut &[u8]| {
        let (value, size) = read_var_uint(bytes).unwrap().expect("whole");
        *bytes = &bytes[size..];
        value as usize
    };
    let mut came = Vec::new();
    while !bytes.is_empty() {
        let size = number(&mut bytes);
        if size > 0 {
            came.push(Came::Frame(bytes[..size].to_vec()));
            bytes = &bytes[size..];
            continue;
        }
        if number(&mut bytes) == 1 {
            let code = number(&mut bytes) as u16;
            let length = number(&mut bytes);
            came.push(Came::Close(code, String::from_utf8(bytes[..length].to_vec()).unwrap()));
            bytes = &bytes[length..];
        }
    }
    came
}

fn body(number: u64, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    var_uint(&mut out, number);
    for frame in frames {
        var_uint(&mut out, frame.len() as u64);
        out.extend(frame);
    }
    out
}

/// A client over HTTP, of answers that come whole. It does what it is told and nothing else.
struct Http<'a> {
    server: &'a TestServer,
    path: String,
    number: u64,
    from: usize,
    came: VecDeque<Came>,
    /// With the doc.
    client: Client,
    acked: u64,
}

impl<'a> Http<'a> {
    async fn open(server: &'a TestServer, id: u64, query: &str) -> Self {
        let path = format!("/http/scenes/scene?slate-yrs=1&{query}");
        let answer = post(server.address, &path, "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let stream = answer.json()["stream"].as_str().unwrap().to_owned();
        let path = format!("/http/scenes/scene?stream={stream}");
        let client = Client::scratch(id);
        Self { server, path, number: 0, from: 0, came: VecDeque::new(), client, acked: 0 }
    }

    async fn post(&self, body: &[u8]) -> Answer {
        request_bytes(self.server.address, "POST", &self.path, "", body).await
    }

    async fn send(&mut self, messages: &[Message<'_>]) {
        self.number += 1;
        let frames: Vec<_> = messages.iter().map(Message::to_frame).collect();
        let answer = self.post(&body(self.number, &frames)).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    async fn answer(&self, from: usize) -> Vec<Came> {
        let answer = get(self.server.address, &format!("{}&from={from}&whole=1", self.path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        records(&answer.body)
    }

    async fn next(&mut self) -> Came {
        loop {
            if let Some(came) = self.came.pop_front() {
                return came;
            }
            let came = self.answer(self.from).await;
            self.from += came.iter().filter(|came| matches!(came, Came::Frame(_))).count();
            self.came.extend(came);
        }
    }

    /// Takes a frame, and does what a client does with its messages.
    async fn step(&mut self) {
        let frame = match self.next().await {
            Came::Frame(frame) => frame,
            Came::Close(code, reason) => panic!("closed with {code}, {reason}"),
        };
        for message in protocol::messages(&frame) {
            match message.unwrap() {
                Message::SyncStep1(vector) => {
                    let update = self.client.since(vector);
                    self.send(&[Message::SyncStep2(&update)]).await;
                }
                Message::SyncStep2(update) | Message::Update(update) => self.client.apply(update),
                Message::Ack { seq } => self.acked = self.acked.max(seq),
                Message::Hello(hello) => self.acked = hello.acked_seq,
                _ => {}
            }
        }
    }

    async fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let run = async {
            while !condition(self) {
                self.step().await;
            }
        };
        let reached = tokio::time::timeout(common::PATIENCE, run).await.is_ok();
        assert!(reached, "never: {what}; the text is {:?}", self.client.read());
    }

    /// Asks for an answer that comes as there is something.
    async fn ask(&self, from: usize) -> TcpStream {
        let mut socket = TcpStream::connect(self.server.address).await.unwrap();
        let path = format!("{}&from={from}", self.path);
        socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await.unwrap();
        socket
    }

    /// How it ends.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Came::Close(code, reason) = self.next().await {
                return (code, reason);
            }
        }
    }
}

/// Reads until this has come; all that came, in lower case.
async fn reads(socket: &mut TcpStream, wanted: &[u8]) -> String {
    let mut got = Vec::new();
    let reading = async {
        while !got.windows(wanted.len()).any(|window| window == wanted) {
            assert_ne!(socket.read_buf(&mut got).await.unwrap(), 0, "{}", String::from_utf8_lossy(&got));
        }
    };
    tokio::time::timeout(common::PATIENCE, reading).await.expect("it comes");
    String::from_utf8_lossy(&got).to_lowercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_over_http_edits_with_those_who_have_sockets() {
    let server = TestServer::start().await;
    let mut socket = server.durable("scene", 1, "a").await;
    socket.sync().await;
    let mut http = Http::open(&server, 2, "session=b").await;
    http.send(&[Message::SyncStep1(&[0])]).await;
    socket.write("by socket").await;
    http.until("it arrives", |http| http.client.read() == "by socket").await;
    let update = http.client.edit(9, ", by HTTP");
    http.send(&[Message::Submit { seq: 1, update: &update }]).await;
    http.until("it is acknowledged", |http| http.acked == 1).await;
    socket.reads("by socket, by HTTP").await;
    assert_eq!(server.server().metrics.connections.get(), 2);
    // It leaves, and is one less.
    let path = format!("{}&close=1000", http.path);
    assert_eq!(post(server.address, &path, "").await.status, 204);
    common::eventually("it is gone", || server.server().metrics.connections.get() == 1).await;
    let mut again = Http::open(&server, 3, "session=b").await;
    again.until("greeted with what it had sent", |http| http.acked == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_answers_that_are_repeated_change_nothing() {
    let server = TestServer::start().await;
    let mut http = Http::open(&server, 2, "session=b").await;
    http.until("greeted", |http| http.from > 0).await;
    let one = http.client.edit(0, "one ");
    let two = http.client.edit(4, "two ");
    let submit = |seq, update| Message::Submit { seq, update }.to_frame();
    let (first, second) = (body(1, &[submit(1, &one)]), body(2, &[submit(2, &two)]));
    // Before its time; doubled at once; again much later.
    assert_eq!(http.post(&second).await.status, 409);
    let (a, b) = tokio::join!(http.post(&first), http.post(&first));
    assert_eq!((a.status, b.status), (204, 204));
    assert_eq!(http.post(&second).await.status, 204);
    assert_eq!(http.post(&first).await.status, 204);
    http.number = 2;
    // An answer that was lost comes again, the same.
    let acks = |came: &Came| match came {
        Came::Frame(frame) => protocol::messages(frame).any(|message| message == Ok(Message::Ack { seq: 2 })),
        Came::Close(..) => false,
    };
    let came = loop {
        let came = http.answer(http.from).await;
        if came.iter().any(acks) {
            break came;
        }
    };
    let again = http.answer(http.from).await;
    assert_eq!(again[..came.len()], came);
    http.until("acknowledged", |http| http.acked == 2).await;
    let mut fresh = server.plain("scene", 9).await;
    fresh.sync().await;
    assert_eq!(fresh.read(), "one two ");
    assert_eq!(server.rows("scene").await, 2);
    // What was received before `from` is not kept.
    http.answer(http.from - 1).await;
    let lost = get(server.address, &format!("{}&from=0&whole=1", http.path)).await;
    assert_eq!(lost.status, 409);
    let never = get(server.address, &format!("{}&from=1000&whole=1", http.path)).await;
    assert_eq!(never.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_may_be_cut_anywhere_and_a_request_that_breaks_off_counts_for_nothing() {
    let server = TestServer::start().await;
    let mut http = Http::open(&server, 2, "session=b").await;
    let update = http.client.edit(0, &"long ".repeat(1_000));
    let whole = body(1, &[Message::Submit { seq: 1, update: &update }.to_frame()]);
    // It breaks off in the middle.
    let head = format!("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", http.path, whole.len());
    let mut broken = TcpStream::connect(server.address).await.unwrap();
    broken.write_all(&[head.as_bytes(), &whole[..2_000]].concat()).await.unwrap();
    drop(broken);
    let (mut first, mut second) = (vec![1], vec![2]);
    first.extend(&whole[1..3_000]);
    second.extend(&whole[3_000..]);
    assert_eq!(http.post(&first).await.status, 204);
    assert_eq!(http.post(&second).await.status, 204);
    http.until("acknowledged", |http| http.acked == 1).await;
    let mut fresh = server.plain("scene", 9).await;
    fresh.sync().await;
    assert_eq!(fresh.read(), http.client.read());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_as_there_is_something_and_the_next_takes_the_place_of_the_last() {
    let server = TestServer::start().await;
    let http = Http::open(&server, 2, "session=b").await;
    let mut first = http.ask(0).await;
    let head = reads(&mut first, b"heartbeatMs").await;
    assert!(head.contains("x-accel-buffering: no") && head.contains("cache-control: no-store, no-transform"), "{head}");
    // What comes later comes in the same answer.
    let mut socket = server.durable("scene", 1, "a").await;
    socket.sync().await;
    socket.write("typed later").await;
    reads(&mut first, b"typed later").await;
    // Nothing was received, says the client: all of it comes again, and the first answer ends.
    let mut second = http.ask(0).await;
    reads(&mut second, b"heartbeatMs").await;
    reads(&mut first, b"0\r\n\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_is_told_so_as_by_a_socket() {
    let flags = ["--jwt-secret", SECRET, "--create", "open"];
    let server = TestServer::with(&flags).await;
    let path = "/http/scenes/scene?slate-yrs=1&session=s";
    let none = post(server.address, path, "").await;
    assert_eq!((none.status, &none.json()["error"]["close"]["code"]), (401, &json!(close::UNAUTHORIZED)));
    let other = format!("/http/scenes/other?slate-yrs=1&session=s&token={}", token("ada"));
    let other = post(server.address, &other, "").await;
    assert_eq!((other.status, &other.json()["error"]["close"]["code"]), (403, &json!(close::FORBIDDEN)));
    // In the header, where no log has it.
    let bearer = format!("Authorization: Bearer {}\r\n", token("ada"));
    assert_eq!(request(server.address, "POST", path, &bearer, "").await.status, 200);
    // A session that is somebody else's.
    let mut ada = Http::open(&server, 1, &format!("session=ada&token={}", token("ada"))).await;
    let update = ada.client.edit(0, "hers");
    ada.send(&[Message::Submit { seq: 1, update: &update }]).await;
    ada.until("acknowledged", |http| http.acked == 1).await;
    let mut bob = Http::open(&server, 2, &format!("session=ada&token={}", token("bob"))).await;
    assert_eq!(bob.closed().await.0, close::FORBIDDEN);
    let gone = bob.post(&body(1, &[])).await;
    assert_eq!((gone.status, &gone.json()["error"]["close"]["code"]), (410, &json!(close::FORBIDDEN)));
    // Who is not for plain clients says so.
    assert_eq!(post(server.address, "/http/scenes/scene", "").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_not_there_or_not_of_this_document_are_nobodys() {
    let server = TestServer::start().await;
    let http = Http::open(&server, 2, "session=b").await;
    let stream = http.path.split_once('=').unwrap().1.to_owned();
    for path in [format!("/http/scenes/other?stream={stream}"), "/http/scenes/scene?stream=0123".into()] {
        assert_eq!(get(server.address, &path).await.status, 404);
        assert_eq!(request_bytes(server.address, "POST", &path, "", &body(1, &[vec![3]])).await.status, 404);
        assert_eq!(post(server.address, &format!("{path}&close=1000"), "").await.status, 404);
    }
    // None of it has touched the real one.
    assert_eq!(http.post(&body(1, &[vec![3]])).await.status, 204);
    let there = get(server.address, "/http/scenes/scene").await;
    assert_eq!((there.status, there.json()), (200, json!({ "version": 1 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_nonsense_ends_the_connection_with_a_reason() {
    let server = TestServer::with(&["--max-frame-bytes", "10000"]).await;
    let mut http = Http::open(&server, 2, "session=b").await;
    let large = http.post(&body(1, &[vec![0; 20_000]])).await;
    assert_eq!(large.status, 413);
    assert_eq!(http.closed().await, (close::TOO_LARGE, "the frame is too large".into()));
    let mut http = Http::open(&server, 2, "session=b").await;
    assert_eq!(http.post(&[0xff; 12]).await.status, 400);
    assert_eq!(http.post(&[]).await.status, 400);
    // A number, and what is no record.
    let answer = http.post(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).await;
    assert_eq!(answer.status, 400);
    http.closed().await;
    let http = Http::open(&server, 2, "session=b").await;
    assert_eq!(http.post(&vec![1; (1 << 20) + 1]).await.status, 413);
    // That was no body of this stream: it goes on.
    assert_eq!(http.post(&body(1, &[vec![3]])).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_are_bounded_together() {
    let flags = ["--max-sync-bytes", "600000", "--max-unfinished-bytes-per-address", "600000"];
    let server = TestServer::with(&flags).await;
    let allowances = &server.server().rooms.shared().allowances;
    let mut http = Http::open(&server, 2, "session=b").await;
    let other = Http::open(&server, 3, "session=c").await;
    // The beginning of a frame is held, after a small one; and so is the beginning of a body.
    let mut part = body(1, &[vec![3]]);
    var_uint(&mut part, 400_000);
    part.resize(300_000, 7);
    assert_eq!(http.post(&part).await.status, 204);
    common::eventually("it is counted", || (250_000..300_000).contains(&allowances.unfinished())).await;
    let head = format!("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: 900000\r\n\r\n", other.path);
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(&[head.as_bytes(), &vec![1; 200_000]].concat()).await.unwrap();
    common::eventually("it is counted too", || allowances.unfinished() > 400_000).await;
    let mut more = vec![2];
    more.resize(200_000, 7);
    // No more from this address, whichever connection it is.
    assert!(matches!(http.post(&more).await.status, 204 | 429));
    assert_eq!(http.closed().await, (close::INTERNAL, "too many large frames are on their way".into()));
    drop(half);
    common::eventually("all is given back", || allowances.unfinished() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_http_are_bounded_by_address_and_by_silence() {
    let flags = ["--max-streams-per-address", "2", "--heartbeat-ms", "300"];
    let server = TestServer::with(&flags).await;
    let path = "/http/scenes/scene?slate-yrs=1&session=s";
    let mut silent = Http::open(&server, 1, "session=a").await;
    post(server.address, path, "").await;
    let third = post(server.address, path, "").await;
    assert_eq!((third.status, &third.json()["error"]["code"]), (503, &json!("full")));
    let hits = get(server.address, "/metrics").await.text();
    assert!(hits.contains("slate_yrs_limits_hit_total{limit=\"streams-address\"} 1"), "{hits}");
    // Nobody asks for anything: they end, and others may come.
    common::eventually("they end", || server.server().metrics.connections.get() == 0).await;
    assert_eq!(silent.closed().await.0, close::GOING_AWAY);
    assert_eq!(post(server.address, path, "").await.status, 200);
    let full = TestServer::with(&["--max-connections", "0"]).await;
    assert_eq!(post(full.address, path, "").await.status, 503);
    assert_eq!(get(full.address, "/http/scenes/scene").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_document_comes_in_several_answers_and_one_who_reads_nothing_is_let_go() {
    let server = TestServer::with(&["--max-queued-bytes", "1000000"]).await;
    let mut socket = server.durable("scene", 1, "a").await;
    socket.sync().await;
    for _ in 0..4 {
        socket.write(&"many words ".repeat(50_000)).await;
    }
    socket.all_acked().await;
    let mut http = Http::open(&server, 2, "session=b").await;
    http.send(&[Message::SyncStep1(&[0])]).await;
    let mut answers = 0;
    let mut pieces = protocol::Reassembly::new(64 << 20);
    let mut whole = Vec::new();
    while whole.is_empty() {
        let came = http.answer(http.from).await;
        answers += 1;
        for came in came {
            let Came::Frame(frame) = came else { panic!("{came:?}") };
            http.from += 1;
            if let Some(Ok(Message::Fragment { id, index, count, bytes })) = protocol::messages(&frame).next()
                && let Some(frame) = pieces.take(0, id, index, count, bytes).unwrap()
            {
                whole = frame;
            }
        }
    }
    assert!(answers >= 3 && whole.len() > 2_000_000, "{answers} answers, {} bytes", whole.len());
    // From here on it asks for nothing, and is sent more than may wait.
    for _ in 0..8 {
        socket.write(&"more words ".repeat(50_000)).await;
        socket.all_acked().await;
    }
    common::eventually("it is let go", || server.server().metrics.connections.get() == 1).await;
    assert_eq!(server.server().metrics.slow_peers.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_stores_what_came_and_says_so() {
    let mut server = TestServer::start().await;
    let mut socket = {
        let mut http = Http::open(&server, 2, "session=b").await;
        let mut socket = http.ask(0).await;
        reads(&mut socket, b"heartbeatMs").await;
        let update = http.client.edit(0, "last words");
        http.send(&[Message::Submit { seq: 1, update: &update }]).await;
        // What a restart finds in the room is stored and acknowledged before it says so.
        common::eventually("the room has it", || server.server().metrics.updates_stored.get() > 0).await;
        socket
    };
    server.stop().await;
    let heard = reads(&mut socket, b"the server is restarting").await;
    let ack = String::from_utf8_lossy(&Message::Ack { seq: 1 }.to_frame()).to_lowercase();
    assert!(heard.contains(&ack), "{heard:?}");
    assert_eq!(server.rows("scene").await, 1);
}
