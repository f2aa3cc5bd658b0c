//! Tokens, the history API, operations: over real HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::http::{get, post, request};
use common::{Client, Msg, TestServer};
use serde_json::{Value, json};
use slate_yrs::protocol::{Message, RejectCode, Role, close};
use slate_yrs::slate::{Element, Leaf, Node, SlateDoc};
use slate_yrs_server::admin;
use slate_yrs_server::compact::{Retention, compact_document};
use slate_yrs_server::storage::Storage;
use yrs::Any;

const SECRET: &str = "a secret that is long enough for tests";

fn token(user: &str, document: &str, role: &str, seconds: i64) -> String {
    let exp = slate_yrs_server::clock::now() / 1_000 + seconds;
    let claims = json!({ "sub": user, "documents": [document], "role": role, "exp": exp });
    common::tokens::hs256(&claims, SECRET)
}

async fn guarded() -> TestServer {
    TestServer::with(&["--auth", "jwt", "--jwt-secret", SECRET]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_a_token_opens_one_document() {
    let server = guarded().await;
    for (query, code) in [
        (String::new(), close::UNAUTHORIZED),
        ("token=nonsense".into(), close::UNAUTHORIZED),
        (format!("token={}", token("ada", "scene", "read-write", -60)), close::UNAUTHORIZED),
        (format!("token={}", token("ada", "another", "read-write", 60)), close::FORBIDDEN),
    ] {
        let mut client = Client::connect(server.address, "scene", 1, &query).await;
        assert_eq!(client.next().await, Msg::Close(code), "{query}");
    }
    let query = format!("slate-yrs=1&session=s&token={}", token("ada", "scene", "read-write", 60));
    let mut client = Client::connect(server.address, "scene", 1, &query).await;
    client.sync().await;
    client.write("allowed").await;
    client.all_acked().await;
    let rows = server.storage.get_updates_since("scene", 0, 10).await.unwrap();
    assert_eq!(rows[0].authors.to_lines().as_deref(), Some("ada"));
    assert_eq!(server.server().metrics.denied.get(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_a_token_that_expires_while_connected_ends_the_connection() {
    let server = guarded().await;
    let query = format!("token={}", token("ada", "scene", "read-write", 1));
    let mut client = Client::connect(server.address, "scene", 1, &query).await;
    client.sync().await;
    assert_eq!(client.closed().await, close::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_and_writes_nothing() {
    let server = guarded().await;
    let write = format!("token={}", token("ada", "scene", "read-write", 60));
    let read = token("bob", "scene", "read-only", 60);
    let mut writer = Client::connect(server.address, "scene", 1, &write).await;
    writer.sync().await;
    writer.write("text").await;
    writer.round_trip().await;
    let mut durable = Client::connect(server.address, "scene", 2, &format!("slate-yrs=1&session=r&token={read}")).await;
    assert_eq!(durable.hello.as_ref().unwrap().role, Role::ReadOnly);
    let mut plain = Client::connect(server.address, "scene", 3, &format!("token={read}")).await;
    for reader in [&mut durable, &mut plain] {
        // A clean sync is refused nothing.
        reader.sync_both().await;
        assert_eq!(reader.read(), "text");
        reader.write("!").await;
        let state = reader.state();
        reader.send(&Message::SyncStep2(&state)).await;
        reader.send(&Message::Seed(&state)).await;
    }
    while durable.step().await != Msg::Reject(1, RejectCode::ReadOnly) {}
    while !matches!(plain.step().await, Msg::Denied(_)) {}
    // Presence goes on, and says whose it is.
    plain.send(&Message::Awareness(&[1, 3, 1, 2, b'{', b'}'])).await;
    let state = br#"{"slate-yrs:account":{"id":"bob","name":null}}"#;
    let mut shown = vec![1, 3, 1, state.len() as u8];
    shown.extend(state);
    while writer.step().await != Msg::Awareness(shown.clone()) {}
    writer.write(" more").await;
    durable.until("reads on", |client| client.read().contains("more")).await;
    assert_eq!(server.rows("scene").await, 2);
    let path = format!("/api/scenes/scene/versions?token={read}");
    assert_eq!(post(server.address, &path, r#"{"label":"x"}"#).await.status, 403);
    assert_eq!(get(server.address, &path).await.status, 200);
    assert_eq!(
        post(server.address, &format!("/api/scenes/scene/versions/1/restore?token={read}"), "").await.status,
        403
    );
}

fn block(id: &str, text: &str) -> Node {
    let leaf = Leaf { text: text.into(), ..Leaf::default() };
    Node::Element(Element { attrs: [("id".into(), Any::from(id))].into(), children: vec![Node::Text(leaf)] })
}

fn texts(value: &Value) -> Vec<String> {
    let blocks = value.as_array().unwrap_or_else(|| panic!("{value}")).iter();
    let text = |leaf: &Value| {
        let mark = ["added", "removed"].into_iter().find(|mark| leaf.get(mark).is_some());
        format!("{}{}", mark.map_or("", |mark| if mark == "added" { "+" } else { "-" }), leaf["text"].as_str().unwrap())
    };
    blocks.map(|block| block["children"].as_array().unwrap().iter().map(text).collect::<Vec<_>>().join("|")).collect()
}

/// Two states of one document in Slate's layout, as updates.
fn drafts() -> (Vec<u8>, Vec<u8>) {
    let first = SlateDoc::seed_update("content", &[block("1", "INT. KITCHEN"), block("2", "She waits.")]);
    let target = [block("1", "INT. KITCHEN"), block("2", "She runs."), block("3", "CUT TO:")];
    let second = slate_yrs_server::history::forward_edit("content", 7, &first, &target).unwrap().unwrap();
    (first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn history_lists_reads_compares_names_and_restores() {
    let server = guarded().await;
    let ada = token("ada", "scene", "read-write", 60);
    let bob = token("bob", "scene", "read-write", 60);
    let (first, second) = drafts();
    let mut a = Client::connect(server.address, "scene", 1, &format!("slate-yrs=1&session=a&token={ada}")).await;
    let mut b = Client::connect(server.address, "scene", 2, &format!("slate-yrs=1&session=b&token={bob}")).await;
    a.sync().await;
    b.sync().await;
    a.apply(&first);
    a.push(&first).await;
    a.all_acked().await;
    let api = |path: &str, token: &str| {
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("/api/scenes/scene{path}{separator}token={token}")
    };
    let saved = post(server.address, &api("/versions", &ada), r#"{"label":"First — draft"}"#).await;
    assert_eq!(saved.status, 201, "{}", saved.text());
    let named = saved.json()["id"].as_str().unwrap().to_owned();
    b.apply(&second);
    b.push(&second).await;
    b.all_acked().await;

    let versions = get(server.address, &api("/versions", &ada)).await.json();
    let versions = versions["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{versions:?}");
    let kinds: Vec<_> = versions.iter().map(|version| version["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"edit") && kinds.contains(&"named"));
    let edit = versions.iter().find(|version| version["kind"] == "edit").unwrap();
    assert_eq!((edit["id"].as_str(), &edit["authors"]), (Some("2"), &json!(["ada", "bob"])));
    assert!(edit["at"].as_str().unwrap().ends_with('Z') && edit["label"].is_null());
    let newest = versions[0]["id"].as_str().unwrap();
    let older = get(server.address, &api(&format!("/versions?before={newest}&limit=1"), &ada)).await.json();
    assert_eq!(older["versions"][0], versions[1]);

    let read = |id: String| {
        let path = api(&format!("/versions/{id}"), &ada);
        async move { texts(&get(server.address, &path).await.json()) }
    };
    assert_eq!(read("1".into()).await, ["INT. KITCHEN", "She waits."]);
    assert_eq!(read(named.clone()).await, ["INT. KITCHEN", "She waits."]);
    assert_eq!(read("now".into()).await, ["INT. KITCHEN", "She runs.", "CUT TO:"]);
    let update = get(server.address, &api("/versions/1?format=update", &ada)).await.body;
    assert_eq!(
        texts(&slate_yrs_server::history::nodes_to_json(
            &slate_yrs_server::history::value("content", &update).unwrap()
        )),
        ["INT. KITCHEN", "She waits."]
    );

    let compared = get(server.address, &api(&format!("/compare?from={named}&to=now"), &ada)).await.json();
    assert_eq!(texts(&compared), ["INT. KITCHEN", "She |-wait|+run|s.", "+CUT TO:"]);
    assert_eq!(compared[2]["children"][0]["added"], "bob");

    // A forward edit, which everybody sees and which is in the history itself.
    let restored = post(server.address, &api(&format!("/versions/{named}/restore"), &ada), "").await;
    assert_eq!(restored.status, 204, "{}", restored.text());
    for client in [&mut a, &mut b] {
        client
            .until("the restored text", |client| {
                let value = slate_yrs_server::history::value("content", &client.state()).unwrap();
                texts(&slate_yrs_server::history::nodes_to_json(&value)) == ["INT. KITCHEN", "She waits."]
            })
            .await;
    }
    assert_eq!(read("now".into()).await, ["INT. KITCHEN", "She waits."]);
    assert_eq!(read("2".into()).await, ["INT. KITCHEN", "She runs.", "CUT TO:"]);
    let rows = server.storage.get_updates_since("scene", 2, 10).await.unwrap();
    assert_eq!(rows[0].authors.to_lines().as_deref(), Some("ada"));

    // Named versions outlive compaction.
    let storage: Arc<dyn Storage> = server.storage.clone();
    let later = slate_yrs_server::clock::now() + 100 * 24 * 3_600_000;
    compact_document(&storage, "scene", Retention::default(), later).await.unwrap();
    assert_eq!(server.rows("scene").await, 1);
    assert_eq!(read(named).await, ["INT. KITCHEN", "She waits."]);
    assert_eq!(get(server.address, &api("/versions/1", &ada)).await.status, 404);
    for (path, status) in [
        ("/versions/99", 404),
        ("/versions/nonsense", 404),
        ("/versions/n-0123", 404),
        ("/compare?from=zero", 404),
        ("/versions?before=77", 404),
    ] {
        assert_eq!(get(server.address, &api(path, &ada)).await.status, status, "{path}");
    }
    // No other document's token.
    let other = token("eve", "another", "read-write", 60);
    for path in ["/versions", "/versions/now", "/export", "/compare?from=1"] {
        assert_eq!(get(server.address, &api(path, &other)).await.status, 403);
        assert_eq!(get(server.address, &format!("/api/scenes/scene{path}")).await.status, 401);
    }
    let bearer =
        request(server.address, "GET", "/api/scenes/scene/export", &format!("Authorization: Bearer {ada}\r\n"), "")
            .await;
    assert_eq!((bearer.status, bearer.body.is_empty()), (200, false));
}

/// A form that there is not is none of the others, and what is not there is called what it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_wrongly_is_said() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    a.write("text").await;
    a.all_acked().await;
    for path in ["?format=slate-yjs", "/versions/now?format=text", "/versions/1?format=", "/export?format=slateyjs"] {
        let answer = get(server.address, &format!("/api/scenes/scene{path}")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.text().contains("format is one of"), "{path}: {}", answer.text());
    }
    for (method, path) in [
        ("GET", ""),
        ("GET", "/versions/now"),
        ("GET", "/versions/now/values"),
        ("GET", "/export"),
        ("GET", "/export?format=slate-yjs"),
        ("GET", "/updates"),
        ("GET", "/compare?from=now&to=now"),
        ("GET", "/compare/values?from=now&to=now"),
        ("GET", "/events"),
        ("GET", "/maps/title"),
        ("POST", "/versions/now/restore"),
        ("DELETE", ""),
    ] {
        let answer = request(server.address, method, &format!("/api/scenes/nowhere{path}"), "", "").await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("there is no such document"), "{path}: {}", answer.text());
    }
    assert!(server.storage.document("nowhere").await.unwrap().is_none(), "asking makes no document");
    let answer = get(server.address, "/api/scenes/scene/versions/99").await;
    assert!(answer.text().contains("there is no such version"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_does_not_hide_the_versions_after_it() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    a.write("one ").await;
    a.all_acked().await;
    let epoch = server.storage.document("scene").await.unwrap().unwrap().epoch;
    server.storage.store_update("scene", &epoch, 1, &[1, 2, 3]).await.unwrap();
    a.write("two").await;
    a.all_acked().await;
    for version in ["1", "3", "now"] {
        let path = format!("/api/scenes/scene/versions/{version}?format=update");
        assert_eq!(get(server.address, &path).await.status, 200, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_has_its_author() {
    let server = TestServer::with(&[]).await;
    let mut a = Client::connect(server.address, "scene", 1, "slate-yrs=1&session=a&user=ada").await;
    let mut b = Client::connect(server.address, "scene", 2, "slate-yrs=1&session=b&user=bob").await;
    let drafts = [
        ("ada", vec![block("1", "INT. KITCHEN"), block("2", "She waits by the old door.")]),
        ("bob", vec![block("1", "INT. KITCHEN"), block("2", "She runs by the door."), block("3", "Rain.")]),
        ("ada", vec![block("1", "INT. KITCHENETTE"), block("2", "She runs by the door."), block("3", "Rain falls.")]),
    ];
    let mut state = SlateDoc::seed_update("content", &[]);
    for (n, (user, draft)) in drafts.into_iter().enumerate() {
        let update =
            slate_yrs_server::history::forward_edit("content", 20 + n as u32, &state, &draft).unwrap().unwrap();
        let client = if user == "ada" { &mut a } else { &mut b };
        client.sync().await;
        client.apply(&update);
        client.push(&update).await;
        client.all_acked().await;
        state = get(server.address, "/api/scenes/scene/export").await.body;
    }
    let compared = get(server.address, "/api/scenes/scene/compare?from=1&to=now").await.json();
    let mut changes = Vec::new();
    for leaf in compared.as_array().unwrap().iter().flat_map(|block| block["children"].as_array().unwrap()) {
        for mark in ["removed", "added"] {
            if let Some(author) = leaf.get(mark) {
                changes.push(format!("{} {mark} {}", author.as_str().unwrap_or("?"), leaf["text"].as_str().unwrap()));
            }
        }
    }
    let expected = [
        "ada added ETTE",
        "bob removed wait",
        "bob added run",
        "bob removed  old",
        "bob added Rain",
        "ada added  falls",
        "bob added .",
    ];
    assert_eq!(changes, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_is_known_to_have_written_is_not_put_down_to_somebody() {
    let server = TestServer::with(&[]).await;
    let mut ada = Client::connect(server.address, "scene", 1, "slate-yrs=1&session=a&user=ada").await;
    let mut anyone = Client::connect(server.address, "scene", 2, "slate-yrs=1&session=b").await;
    let drafts = [
        vec![block("1", "INT.")],
        vec![block("1", "INT."), block("2", "hers")],
        vec![block("1", "INT."), block("2", "hers"), block("3", "anyone's")],
    ];
    let mut state = SlateDoc::seed_update("content", &[]);
    for (n, draft) in drafts.into_iter().enumerate() {
        let update =
            slate_yrs_server::history::forward_edit("content", 20 + n as u32, &state, &draft).unwrap().unwrap();
        let client = if n < 2 { &mut ada } else { &mut anyone };
        client.sync().await;
        client.apply(&update);
        client.push(&update).await;
        client.all_acked().await;
        state = get(server.address, "/api/scenes/scene/export").await.body;
    }
    let compared = get(server.address, "/api/scenes/scene/compare?from=1&to=now").await.json();
    let added = |block: usize| compared[block]["children"][0]["added"].clone();
    assert_eq!((added(1), added(2)), (serde_json::json!("ada"), serde_json::json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_health_metrics_origins() {
    let server = TestServer::with(&["--allow-origin", "https://good.example", "--max-connections", "2"]).await;
    assert_eq!(get(server.address, "/healthz").await.status, 200);
    assert_eq!(get(server.address, "/readyz").await.status, 200);
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    a.write("text").await;
    a.all_acked().await;
    let metrics = get(server.address, "/metrics").await.text();
    for line in [
        "slate_yrs_connections 1",
        "slate_yrs_rooms 1",
        "slate_yrs_updates_stored_total 1",
        "slate_yrs_commit_seconds_count 1",
        "slate_yrs_quarantined_total 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let upgrade = |origin: &str| {
        format!(
            "Origin: {origin}\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        )
    };
    let answer = request(
        server.address,
        "GET",
        "/ws/scenes/scene",
        &upgrade("https://evil.example").replace("Upgrade: websocket", "Upgrade: websocket\r\nConnection: Upgrade"),
        "",
    )
    .await;
    assert_eq!(answer.status, 403);
    let good = request(server.address, "GET", "/healthz", "Origin: https://good.example\r\n", "").await;
    assert!(good.headers.contains("access-control-allow-origin: https://good.example"), "{}", good.headers);
    let evil = request(server.address, "GET", "/healthz", "Origin: https://evil.example\r\n", "").await;
    assert!(!evil.headers.contains("access-control-allow-origin"));
    // Ids that are none.
    let long = "x".repeat(300);
    assert_eq!(get(server.address, &format!("/api/scenes/{long}/versions")).await.status, 400);
    let _b = server.plain("scene", 2).await;
    let refused = tokio_tungstenite::connect_async(format!("ws://{}/ws/scenes/scene", server.address)).await;
    assert!(refused.is_err(), "a third connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_slowed_down_and_others_are_not() {
    let server = TestServer::with(&["--max-frames-per-second", "100"]).await;
    let mut flood = server.plain("scene", 1).await;
    flood.sync().await;
    let mut other = server.durable("another", 2, "o").await;
    other.sync().await;
    let started = std::time::Instant::now();
    let flooding = tokio::spawn(async move {
        for _ in 0..250 {
            flood.send(&Message::Ping).await;
        }
        for _ in 0..250 {
            while !matches!(flood.step().await, Msg::Pong) {}
        }
    });
    other.write("quick").await;
    other.all_acked().await;
    assert!(started.elapsed() < Duration::from_secs(1));
    flooding.await.unwrap();
    assert!(started.elapsed() > Duration::from_millis(1_200), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_commands() {
    let server = TestServer::start().await;
    let mut a = server.plain("scene", 1).await;
    a.sync().await;
    a.write("to be exported").await;
    a.round_trip().await;
    let storage: Arc<dyn Storage> = server.storage.clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scene.yjs");
    admin::export(&storage, "scene", &file).await.unwrap();
    assert!(admin::import(&storage, "copy", None, &file).await.unwrap());
    assert!(!admin::import(&storage, "copy", None, &file).await.unwrap());
    let mut copy = server.plain("copy", 2).await;
    copy.sync().await;
    assert_eq!(copy.read(), "to be exported");
    let mut out = Vec::new();
    admin::documents(&storage, &mut out).await.unwrap();
    let listed = String::from_utf8(out).unwrap();
    assert_eq!(listed.lines().map(|line| line.split('\t').next().unwrap()).collect::<Vec<_>>(), ["copy", "scene"]);
    let mut out = Vec::new();
    admin::verify(&storage, None, &mut out).await.unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "copy\tok\nscene\tok\n");
    // A head snapshot that says something else, and a row that cannot be read.
    let document = storage.document("scene").await.unwrap().unwrap();
    storage.put_head("scene", &document.epoch, document.tip, 1, &[0, 0]).await.unwrap();
    assert!(admin::verify(&storage, Some("scene"), &mut Vec::new()).await.is_err());
    assert!(admin::verify(&storage, Some("copy"), &mut Vec::new()).await.is_ok());
    let document = storage.document("copy").await.unwrap().unwrap();
    storage.store_update("copy", &document.epoch, 1, &[1, 2, 3]).await.unwrap();
    let mut out = Vec::new();
    assert!(admin::verify(&storage, None, &mut out).await.is_err());
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "copy\t1 rows cannot be read\nscene\tthe head snapshot differs from the log\n"
    );
    assert!(admin::verify(&storage, Some("nothing"), &mut Vec::new()).await.is_err());
    admin::delete(&storage, "copy").await.unwrap();
    assert!(admin::delete(&storage, "copy").await.is_err());
    let not_yjs = folder.path().join("not.yjs");
    std::fs::write(&not_yjs, b"hello").unwrap();
    assert!(admin::import(&storage, "copy", None, &not_yjs).await.is_err());
    assert!(admin::import(&storage, "copy", Some("elsewhere"), &file).await.is_err());
    assert!(storage.document("copy").await.unwrap().is_none(), "no document comes of a file that is refused");
}
