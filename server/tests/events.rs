//! What happens to a document, as server-sent events, over real HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use common::http::{get, request};
use common::layout::slate_doc;
use common::postgres::Postgres;
use common::sse::{Listener, Said};
use common::{Client, TestServer};
use serde_json::{Value, json};
use slate_yrs::awareness::{ClientState, encode};
use slate_yrs::protocol::Message;
use slate_yrs::slate::ValueChange;
use slate_yrs_server::server::Server;
use slate_yrs_server::storage::{Durability, SqlStorage, Storage};
use yrs::Any;

const SECRET: &str = "a secret that is long enough for tests";
const PATH: &str = "/api/scenes/scene/events";

fn bearer(user: &str, more: Value) -> String {
    let exp = slate_yrs_server::clock::now() / 1_000 + 600;
    let mut claims = json!({ "sub": user, "documents": ["scene"], "exp": exp });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("Authorization: Bearer {}\r\n", common::tokens::hs256(&claims, SECRET))
}

/// An edit by a program.
async fn edit(address: SocketAddr, headers: &str, text: &str) -> Value {
    let edits = json!([{ "append": { "nodes": [{ "type": "action", "children": [{ "text": text }] }] } }]);
    let body = json!({ "edits": edits }).to_string();
    let answer = request(address, "PATCH", "/api/scenes/scene", headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn numbers(said: &Said) -> std::ops::RangeInclusive<i64> {
    said.data["first"].as_i64().unwrap()..=said.data["seq"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_to_whoever_may_read() {
    let server = TestServer::with(&["--auth", "jwt", "--jwt-secret", SECRET]).await;
    let (ada, reader) = (bearer("ada", json!({})), bearer("eve", json!({ "role": "read-only" })));
    assert_eq!(request(server.address, "GET", PATH, &reader, "").await.status, 404, "there is none yet");
    let begun = edit(server.address, &ada, "One.").await;
    let mut listener = Listener::open(server.address, PATH, &reader).await;
    assert_eq!(listener.status, 200);
    assert!(listener.headers.contains("content-type: text/event-stream"), "{}", listener.headers);
    let ready = listener.next().await.unwrap();
    assert_eq!((ready.kind.as_str(), &ready.data["etag"]), ("ready", &begun["etag"]));
    assert_eq!(listener.next().await.unwrap().data, json!({ "clients": [] }), "nobody is there");

    let done = edit(server.address, &ada, "Two.").await;
    let said = listener.next().await.unwrap();
    assert_eq!((said.kind.as_str(), numbers(&said)), ("changed", 2..=2));
    assert_eq!((&said.data["etag"], &said.data["authors"]), (&done["etag"], &json!(["ada"])));
    assert!(said.data["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(format!("\"{}\"", said.id.unwrap()), done["etag"]);

    // Somebody comes, comments and leaves.
    let token = bearer("ben", json!({ "role": "comment", "name": "Ben" }));
    let token = token.trim_start_matches("Authorization: Bearer ").trim();
    let query = format!("slate-yrs=1&session=b&formats=0,1&token={token}");
    let mut ben = Client::connect(server.address, "scene", 9, &query).await;
    ben.sync().await;
    ben.send(&Message::Awareness(&encode([ClientState { client_id: 9, clock: 1, state: Some("{\"a\":1}".into()) }])))
        .await;
    let there = listener.until("presence").await;
    let account = json!({ "id": "ben", "name": "Ben" });
    assert_eq!(there.data, json!({ "clients": [{ "id": 9, "state": { "a": 1, "slate-yrs:account": account } }] }));
    let mut doc = slate_doc(9, "content");
    doc.load(&ben.state()).unwrap();
    let text = r#"{"author":{"id":"ben","name":"Ben"},"at":1,"body":"Why?","editedAt":null}"#;
    let change = |key: &str, after: Option<&str>| ValueChange {
        map: "slate-yrs:comments".into(),
        key: key.into(),
        before: None,
        after: after.map(|text| Any::from_json(text).unwrap()),
    };
    for (key, after) in [("t/c", Some(text)), ("t/c", None)] {
        ben.push(&doc.set_values(&[change(key, after)]).unwrap()).await;
        ben.all_acked().await;
        let told = listener.until("comments").await;
        assert_eq!((told.data, told.id), (json!({ "keys": ["t/c"] }), None));
        let said = listener.next().await.unwrap();
        assert_eq!((said.kind.as_str(), &said.data["authors"]), ("changed", &json!(["ben"])));
    }
    ben.drop_dead();
    while listener.until("presence").await.data != json!({ "clients": [] }) {}

    // Only what is wished for.
    let mut changes = Listener::open(server.address, &format!("{PATH}?events=changed"), &reader).await;
    assert_eq!(changes.next().await.unwrap().kind, "ready");
    edit(server.address, &ada, "Three.").await;
    assert_eq!(changes.next().await.unwrap().kind, "changed");
    assert_eq!(request(server.address, "GET", &format!("{PATH}?events=all"), &reader, "").await.status, 400);
    let other = bearer("eve", json!({ "documents": ["other"] }));
    assert_eq!(request(server.address, "GET", PATH, &other, "").await.status, 403);
    assert_eq!(get(server.address, PATH).await.status, 401);
    assert_eq!(server.server().metrics.listeners.get(), 2);
}

/// Over restarts of the server and cuts of the connection every number is told once, in order.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_over_restarts_and_cuts() {
    let mut server = TestServer::start().await;
    edit(server.address, "", "One.").await;
    let mut listener = Listener::open(server.address, PATH, "").await;
    let mut last = listener.until("ready").await.id.unwrap();
    let mut told = Vec::new();
    let mut resumed = 0;
    for round in 0..6 {
        for text in ["a", "b", "c"] {
            edit(server.address, "", text).await;
        }
        // It hears of some of that, or of none.
        for _ in 0..round % 3 {
            let said = listener.until("changed").await;
            told.extend(numbers(&said));
            last = said.id.unwrap();
        }
        if round % 2 == 0 {
            server.restart().await;
        }
        for text in ["d", "e"] {
            edit(server.address, "", text).await;
        }
        // By the header, or where that cannot be sent.
        let (path, header) = match round % 2 {
            0 => (PATH.to_owned(), format!("Last-Event-ID: {last}\r\n")),
            _ => (format!("{PATH}?lastEventId={last}"), String::new()),
        };
        listener = Listener::open(server.address, &path, &header).await;
        resumed += 1;
    }
    let tip = server.storage.document("scene").await.unwrap().unwrap().tip;
    while told.last() != Some(&tip) {
        let said = listener.next().await.unwrap();
        assert_ne!(said.kind, "reset");
        if said.kind == "changed" {
            told.extend(numbers(&said));
        }
    }
    assert_eq!(told, (2..=tip).collect::<Vec<_>>(), "after {resumed} interruptions");
    // Another lifetime of the document: it cannot go on, and says so.
    let gone = listener;
    assert!(server.storage.delete_document("scene").await.unwrap());
    let mut gone = gone;
    assert_eq!(gone.rest().await.last().map(String::as_str), Some("gone"));
    edit(server.address, "", "Again.").await;
    let mut listener = Listener::open(server.address, PATH, &format!("Last-Event-ID: {last}\r\n")).await;
    assert_eq!(listener.next().await.unwrap().kind, "reset");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_right_to_it() {
    let server = TestServer::with(&["--auth", "jwt", "--jwt-secret", SECRET, "--max-listeners", "2"]).await;
    let ada = bearer("ada", json!({}));
    edit(server.address, &ada, "One.").await;
    let mut eve = Listener::open(server.address, PATH, &bearer("eve", json!({}))).await;
    let soon = slate_yrs_server::clock::now() / 1_000 + 2;
    let mut short = Listener::open(server.address, PATH, &bearer("bob", json!({ "exp": soon }))).await;
    assert_eq!((eve.status, short.status), (200, 200));
    let refused = request(server.address, "GET", PATH, &ada, "").await;
    assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (503, json!("limit")));
    assert!(get(server.address, "/metrics").await.text().contains("slate_yrs_limits_hit_total{limit=\"listeners\"} 1"));
    assert_eq!(short.rest().await, ["ready", "presence"], "until its token ends");
    let admin = bearer("root", json!({ "admin": true }));
    let kicked = request(server.address, "POST", "/api/admin/kick", &admin, r#"{"user":"eve"}"#).await;
    assert_eq!(kicked.status, 200);
    assert_eq!(eve.rest().await, ["ready", "presence"]);
    // Their places are free.
    common::eventually("places are free", || server.server().metrics.listeners.get() == 0).await;
    assert_eq!(Listener::open(server.address, PATH, &ada).await.status, 200);
}

/// Whoever listens at one server hears of what another one stores.
#[tokio::test(flavor = "multi_thread")]
async fn several_servers() {
    let Some(postgres) = Postgres::start() else { return };
    let mut servers = Vec::new();
    for _ in 0..2 {
        let storage = SqlStorage::open(&postgres.url("events"), Durability::Full).await.unwrap();
        let flags = ["--poll-ms", "20"].map(str::to_owned);
        servers.push(Server::start(common::args(&flags), Arc::new(storage)).await.unwrap());
    }
    edit(servers[0].address, "", "One.").await;
    let mut listener = Listener::open(servers[1].address, PATH, "").await;
    let ready = listener.until("ready").await;
    let mut told = Vec::new();
    for text in ["Two.", "Three."] {
        edit(servers[0].address, "", text).await;
        edit(servers[1].address, "", text).await;
    }
    while told.last() != Some(&5) {
        told.extend(numbers(&listener.until("changed").await));
    }
    assert_eq!(told, [2, 3, 4, 5]);
    // And goes on at the other one.
    let last = format!("Last-Event-ID: {}\r\n", ready.id.unwrap());
    let mut listener = Listener::open(servers[0].address, PATH, &last).await;
    let mut told = Vec::new();
    while told.last() != Some(&5) {
        told.extend(numbers(&listener.until("changed").await));
    }
    assert_eq!(told, [2, 3, 4, 5]);
    for server in servers {
        server.shutdown().await;
    }
}
