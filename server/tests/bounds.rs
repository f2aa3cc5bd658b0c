//! Limits on what a stranger may ask for: each is hit by a client, and the metric says so.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::http::{get, post, request};
use common::{Client, Msg, TestServer};
use serde_json::json;
use slate_yrs::protocol::{Message, RejectCode, Role, close};
use slate_yrs_server::allowance::UNCOUNTED;
use slate_yrs_server::storage::Storage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact};

const SECRET: &str = "a secret that is long enough for tests";

fn token(user: &str, create: bool) -> String {
    let exp = slate_yrs_server::clock::now() / 1_000 + 60;
    let mut claims = json!({ "sub": user, "documents": ["scene", "other"], "exp": exp });
    if create {
        claims["create"] = true.into();
    }
    common::tokens::hs256(&claims, SECRET)
}

async fn hits(server: &TestServer, limit: &str) -> u64 {
    let text = get(server.address, "/metrics").await.text();
    let line = format!("slate_yrs_limits_hit_total{{limit=\"{limit}\"}} ");
    text.lines().find_map(|metric| metric.strip_prefix(&line)).expect("the metric").parse().unwrap()
}

/// Signs of life go on without end.
async fn hears(client: &mut Client, wanted: impl Fn(&Msg) -> bool) {
    let heard = async { while !wanted(&client.step().await) {} };
    tokio::time::timeout(common::PATIENCE, heard).await.expect("it is heard");
}

/// A WebSocket that has sent the beginning of a frame.
async fn half_a_frame(address: SocketAddr, whole: u64, sent: usize) -> TcpStream {
    half_a_frame_of(address, "", whole, sent).await
}

/// So much of `sent` bytes is counted when all of them have come; the beginning of a frame is not.
fn counted(sent: usize) -> usize {
    sent - UNCOUNTED
}

async fn half_a_frame_of(address: SocketAddr, query: &str, whole: u64, sent: usize) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /ws/scenes/scene{query} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    // What comes along with the request itself is not counted.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    let mut frame = vec![0x82, 0xff];
    frame.extend(whole.to_be_bytes());
    frame.resize(frame.len() + 4 + sent, 0);
    let _ = socket.write_all(&frame).await;
    socket
}

/// The code of the close frame that comes, if one does.
async fn close_code(socket: &mut TcpStream) -> Option<u16> {
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(4), socket.read_to_end(&mut all));
    let _ = read.await;
    let at = all.windows(2).rposition(|pair| pair[0] == 0x88 && usize::from(pair[1]) >= 2)?;
    Some(u16::from_be_bytes([all[at + 2], all[at + 3]]))
}

#[tokio::test(flavor = "multi_thread")]
async fn f56_frames_that_never_end_are_bounded_together() {
    let flags = ["--max-sync-bytes", "1000000", "--max-unfinished-bytes-per-address", "1000000"];
    let server = TestServer::with(&flags).await;
    let allowances = &server.server().rooms.shared().allowances;
    let first = half_a_frame(server.address, 900_000, 700_000).await;
    // All of it, so that nothing of this one comes when the second has taken what is left.
    common::eventually("it is counted", || allowances.unfinished() >= counted(700_000)).await;
    let mut second = half_a_frame(server.address, 900_000, 700_000).await;
    assert_eq!(close_code(&mut second).await, Some(close::INTERNAL));
    assert_eq!(hits(&server, "unfinished-address").await, 1);
    // Others are served meanwhile, and what was held is given back.
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    client.write("typed").await;
    client.all_acked().await;
    drop(first);
    common::eventually("it is given back", || allowances.unfinished() == 0).await;
    // A frame that ends is none that is held.
    let mut whole = half_a_frame(server.address, 700_000, 700_000).await;
    common::eventually("it has arrived", || server.server().metrics.bad_frames.get() > 0).await;
    assert_eq!(allowances.unfinished(), 0);
    whole.shutdown().await.unwrap();
}

/// Of all connections together, and of those of one user.
#[tokio::test(flavor = "multi_thread")]
async fn f56_frames_that_never_end_are_bounded_for_all_and_for_each_user() {
    let server = TestServer::with(&["--max-sync-bytes", "1000000", "--max-unfinished-bytes", "1000000"]).await;
    let allowances = &server.server().rooms.shared().allowances;
    let _first = half_a_frame(server.address, 900_000, 700_000).await;
    common::eventually("it is counted", || allowances.unfinished() >= counted(700_000)).await;
    let mut second = half_a_frame(server.address, 900_000, 700_000).await;
    assert_eq!(close_code(&mut second).await, Some(close::INTERNAL));
    assert_eq!((hits(&server, "unfinished").await, hits(&server, "unfinished-address").await), (1, 0));

    let flags = ["--max-sync-bytes", "1000000", "--max-unfinished-bytes-per-user", "1000000"];
    let server = TestServer::with(&[&["--jwt-secret", SECRET][..], &flags].concat()).await;
    let allowances = &server.server().rooms.shared().allowances;
    let of = async |user: &str| {
        half_a_frame_of(server.address, &format!("?token={}", token(user, false)), 900_000, 700_000).await
    };
    let _ada = of("ada").await;
    common::eventually("it is counted", || allowances.unfinished() >= counted(700_000)).await;
    assert_eq!(close_code(&mut of("ada").await).await, Some(close::INTERNAL));
    assert_eq!(hits(&server, "unfinished-user").await, 1);
    let _bob = of("bob").await;
    common::eventually("another one has as much", || allowances.unfinished() >= 2 * counted(700_000)).await;
}

/// From one address, without tokens: one is made, seven wait, and the rest is told to come again.
#[tokio::test(flavor = "multi_thread")]
async fn f56_comparisons_that_wait_are_few() {
    let server = TestServer::with(&["--max-compares", "1", "--compare-cache-bytes", "0"]).await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    for n in 0..3 {
        client.write(&format!("word{n} ").repeat(2_000)).await;
    }
    client.all_acked().await;
    let path = "/api/scenes/scene/compare?from=1&to=now";
    let asked = futures_util::future::join_all((0..40).map(|_| get(server.address, path))).await;
    let told: Vec<u16> = asked.iter().map(|answer| answer.status).collect();
    let (made, refused): (Vec<_>, Vec<_>) = asked.iter().partition(|answer| answer.status == 200);
    assert!(made.len() >= 8 && !refused.is_empty(), "{told:?}");
    for answer in &refused {
        assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (429, Some("limit")));
        assert!(answer.headers.contains("retry-after: 1\r\n"), "{}", answer.headers);
    }
    assert_eq!(hits(&server, "compares").await, refused.len() as u64);
    // And nothing of it is kept where nothing may be.
    let loads = server.storage.loads.load(Ordering::SeqCst);
    assert_eq!(get(server.address, path).await.status, 200);
    assert!(server.storage.loads.load(Ordering::SeqCst) > loads, "it is made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn f56_a_document_is_made_only_by_who_may() {
    let server = TestServer::with(&["--jwt-secret", SECRET, "--create", "claim"]).await;
    let (may, may_not) = (token("ada", true), token("bob", false));
    let mut refused = Client::open(server.address, "scene", 1, &format!("token={may_not}")).await;
    assert_eq!(refused.closed().await, close::NO_DOCUMENT);
    assert_eq!(refused.farewell, "there is no such document, and this token may make none");
    for path in ["versions", "export", "versions/now"] {
        get(server.address, &format!("/api/scenes/scene/{path}?token={may_not}")).await;
    }
    let restore = format!("/api/scenes/scene/versions/now/restore?token={may_not}");
    assert_ne!(post(server.address, &restore, "").await.status, 204);
    assert!(server.storage.document("scene").await.unwrap().is_none(), "no row");
    assert!(hits(&server, "create").await >= 1);
    let mut maker = Client::connect(server.address, "scene", 2, &format!("slate-yrs=1&session=m&token={may}")).await;
    maker.sync().await;
    // From then on it is there for everybody.
    let mut other = Client::connect(server.address, "scene", 3, &format!("token={may_not}")).await;
    other.sync().await;
    server.storage.delete_document("scene").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn f56_named_versions_are_few_and_can_be_deleted() {
    let server = TestServer::with(&["--max-named-versions", "2"]).await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    client.write("text").await;
    client.all_acked().await;
    let path = "/api/scenes/scene/versions";
    let mut ids = Vec::new();
    for label in ["one", "two"] {
        let made = post(server.address, path, &json!({ "label": label }).to_string()).await;
        assert_eq!(made.status, 201);
        ids.push(made.json()["id"].as_str().unwrap().to_owned());
    }
    let third = post(server.address, path, r#"{"label":"three"}"#).await;
    assert_eq!((third.status, third.json()["error"]["code"].as_str()), (409, Some("limit")));
    assert_eq!(hits(&server, "named-versions").await, 1);
    let delete = |id: String| async move { request(server.address, "DELETE", &id, "", "").await.status };
    let one = format!("{path}/{}", ids[0]);
    assert_eq!(delete(one.clone()).await, 204);
    assert_eq!(delete(one).await, 404);
    assert_eq!(delete(format!("{path}/1")).await, 400, "a version of the log stays");
    assert_eq!(post(server.address, path, r#"{"label":"three"}"#).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn f56_a_comparison_is_made_once() {
    let server = TestServer::start().await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    client.write("text").await;
    client.all_acked().await;
    let path = "/api/scenes/scene/compare?from=1&to=now";
    let first = get(server.address, path).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let loads = server.storage.loads.load(Ordering::SeqCst);
    assert_eq!(get(server.address, path).await.body, first.body);
    assert_eq!(server.storage.loads.load(Ordering::SeqCst), loads, "from memory");
    client.write(" more").await;
    client.all_acked().await;
    assert_ne!(get(server.address, path).await.body, first.body, "now is another state");
    assert_eq!(get(server.address, "/api/scenes/none/compare?from=1").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn f56_a_document_that_is_full_takes_nothing_more() {
    let server = TestServer::with(&["--max-document-bytes", "3000"]).await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    client.write(&"x".repeat(3_000)).await;
    client.all_acked().await;
    client.write("one too many").await;
    hears(&mut client, |heard| *heard == Msg::Reject(2, RejectCode::ReadOnly)).await;
    // What is there may be deleted; to delete what is not there would be one more thing to keep, without end.
    let mut other = server.durable("scene", 5, "o").await;
    other.sync().await;
    let deleted = other.erase(0, 10);
    other.push(&deleted).await;
    other.all_acked().await;
    other.push(&[0, 1, 77, 1, 0, 5]).await;
    hears(&mut other, |heard| *heard == Msg::Reject(2, RejectCode::ReadOnly)).await;
    let mut plain = server.plain("scene", 2).await;
    plain.sync_both().await;
    plain.write("nor this").await;
    hears(&mut plain, |heard| matches!(heard, Msg::Denied(_))).await;
    let late = server.durable("scene", 3, "t").await;
    assert_eq!(late.hello.as_ref().unwrap().role, Role::ReadOnly);
    assert_eq!(server.rows("scene").await, 2);
    assert_eq!(hits(&server, "document-bytes").await, 3);
    // After a restart as well.
    drop((client, other, plain, late));
    server.unload().await;
    assert_eq!(server.durable("scene", 4, "u").await.hello.unwrap().role, Role::ReadOnly);
}

#[tokio::test(flavor = "multi_thread")]
async fn f56_a_user_stores_so_much_in_a_day() {
    let server = TestServer::with(&["--jwt-secret", SECRET, "--max-user-bytes-per-day", "3000"]).await;
    let connect = async |user: &str, document: &str, id: u64| {
        let query = format!("slate-yrs=1&session={user}{document}&token={}", token(user, false));
        let mut client = Client::connect(server.address, document, id, &query).await;
        client.sync().await;
        client
    };
    let mut ada = connect("ada", "scene", 1).await;
    ada.write(&"x".repeat(2_500)).await;
    ada.all_acked().await;
    // In another document too.
    let mut ada = connect("ada", "other", 2).await;
    ada.write(&"y".repeat(1_000)).await;
    hears(&mut ada, |heard| *heard == Msg::Reject(1, RejectCode::RateLimited)).await;
    let mut bob = connect("bob", "other", 3).await;
    bob.write(&"z".repeat(1_000)).await;
    bob.all_acked().await;
    assert_eq!(server.rows("other").await, 1);
    assert_eq!(hits(&server, "user-bytes").await, 1);
    // What is there already is no storage.
    let mut again = connect("ada", "scene", 4).await;
    let state = again.state();
    again.send(&Message::SyncStep2(&state)).await;
    again.round_trip().await;
    assert_eq!(hits(&server, "user-bytes").await, 1);
    // What is not there cannot be deleted for nothing.
    again.push(&[0, 1, 77, 1, 0, 5]).await;
    again.all_acked().await;
    let long: Vec<u8> = [0, 1, 77, 0x80 | 0x68, 7].into_iter().chain((0..1_000).flat_map(|_| [2, 1])).collect();
    again.push(&long).await;
    let refused = Msg::Reject(again.seq, RejectCode::RateLimited);
    hears(&mut again, |heard| *heard == refused).await;
    assert_eq!(server.rows("scene").await, 2);
}

/// A document that is this text.
fn text_update(text: &str) -> Vec<u8> {
    let doc = Doc::with_client_id(1);
    let content = doc.get_or_insert_text("content");
    content.insert(&mut doc.transact_mut(), 0, text);
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

/// Sends a request over a connection of its own; what comes of it is read later.
async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

async fn answer(mut socket: TcpStream) -> String {
    let mut all = Vec::new();
    socket.read_to_end(&mut all).await.unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

/// Who is slow to take a large document takes room all the while: what else is asked from there waits, and of that little.
#[tokio::test(flavor = "multi_thread")]
async fn f56_documents_that_are_read_are_bounded_together() {
    let server = TestServer::with(&["--max-read-bytes", "65536"]).await;
    let large = text_update(&"x".repeat(24 << 20));
    for (document, update) in [("large", large), ("small", text_update("typed"))] {
        let epoch = server.storage.open_document(document, 1).await.unwrap().epoch;
        server.storage.store_update(document, &epoch, 1, &update).await.unwrap();
    }
    let mut slow = ask(server.address, "/api/scenes/large/export").await;
    let mut head = [0; 12];
    slow.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    // One more than may wait: that one is told so, whichever it is.
    let (first, mut told) = tokio::sync::mpsc::channel(100);
    let mut waiting = Vec::new();
    for at in 0..17 {
        let path = ["versions/1", "export", "versions/1/values", "versions", "updates"][at % 5];
        let socket = ask(server.address, &format!("/api/scenes/small/{path}")).await;
        let first = first.clone();
        waiting.push(tokio::spawn(async move { first.send(answer(socket).await).await.unwrap() }));
    }
    let refused = tokio::time::timeout(common::PATIENCE, told.recv()).await.expect("one is answered").unwrap();
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains(r#""code":"limit""#), "{refused}");
    assert_eq!(hits(&server, "readings").await, 1);
    assert!(told.try_recv().is_err(), "the others wait");
    // Who gives up makes room as well.
    drop(slow);
    for _ in 0..16 {
        let read = tokio::time::timeout(common::PATIENCE, told.recv()).await.expect("it is read").unwrap();
        assert!(read.starts_with("HTTP/1.1 200"), "{read}");
    }
}
