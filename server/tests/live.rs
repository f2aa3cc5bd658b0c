//! The live document API: programs read and edit a document while people do, over real HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::http::{Answer, get, request};
use common::layout::slate_doc;
use common::{Client, TestServer};
use serde_json::{Value, json};
use slate_yrs::slate::{Element, Node, Op, Path, SlateDoc};
use slate_yrs_server::storage::Storage;

const SECRET: &str = "a secret that is long enough for tests";

fn token(user: &str, role: &str, admin: bool) -> String {
    let exp = slate_yrs_server::clock::now() / 1_000 + 600;
    let claims = json!({ "sub": user, "documents": ["scene"], "role": role, "exp": exp, "admin": admin });
    common::tokens::hs256(&claims, SECRET)
}

async fn guarded() -> TestServer {
    TestServer::with(&["--auth", "jwt", "--jwt-secret", SECRET]).await
}

/// A program that edits as somebody.
struct Program<'a> {
    server: &'a TestServer,
    token: String,
}

impl<'a> Program<'a> {
    fn new(server: &'a TestServer, user: &str) -> Self {
        Self { server, token: token(user, "read-write", false) }
    }

    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let headers = format!("Authorization: Bearer {}\r\n{headers}", self.token);
        request(self.server.address, method, &format!("/api/scenes/scene{path}"), &headers, body).await
    }

    async fn patch(&self, body: Value) -> Answer {
        self.ask("PATCH", "", "", &body.to_string()).await
    }

    /// Edits that are done.
    async fn edit(&self, edits: Value) -> Value {
        let answer = self.patch(json!({ "edits": edits })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn lines(&self) -> Vec<String> {
        let answer = self.ask("GET", "?format=text", "", "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().lines().map(str::to_owned).collect()
    }

    async fn value(&self) -> Value {
        self.ask("GET", "", "", "").await.json()
    }
}

fn line(id: &str, text: &str) -> Value {
    json!({ "id": id, "type": "action", "children": [{ "text": text }] })
}

/// Somebody who types, with a document of their own.
struct Writer {
    client: Client,
    doc: SlateDoc,
}

impl Writer {
    async fn join(server: &TestServer, user: &str, id: u32) -> Self {
        let query = format!("slate-yrs=1&session={user}&formats=0,1&token={}", token(user, "read-write", false));
        let mut client = Client::connect(server.address, "scene", u64::from(id), &query).await;
        client.sync().await;
        let mut doc = slate_doc(id, "content");
        doc.load(&client.state()).unwrap();
        Self { client, doc }
    }

    async fn types(&mut self, path: &[u32], offset: u32, text: &str) {
        let op = Op::InsertText { path: Path::from_slice(path), offset, text: text.into() };
        let update = self.doc.apply_local(vec![op]).update.unwrap();
        self.client.apply(&update);
        self.client.push(&update).await;
        self.client.all_acked().await;
    }

    /// The document as this client has it by now.
    fn text(&self) -> String {
        let mut doc = slate_doc(99, "content");
        doc.load(&self.client.state()).unwrap();
        doc.value().iter().map(|node| format!("{node:?}")).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_by_content_and_by_id() {
    let server = guarded().await;
    let program = Program::new(&server, "robot");
    let begun = program
        .edit(json!([{ "append": { "nodes": [line("a", "She waits. She waits."), line("b", "He 😀 runs.")] } }]))
        .await;
    assert_eq!(begun["edits"], json!([{ "inserted": [[0], [1]] }]));
    let mut ada = Writer::join(&server, "ada", 7).await;
    let done = program
        .edit(json!([
            { "replace": { "find": "She waits.", "with": "Mara sits.", "nth": 2 } },
            { "format": { "find": "😀 runs", "marks": { "bold": true } } },
            { "replace": { "find": "e 😀 r", "with": "E R" } },
            { "insertAfter": { "block": "a", "nodes": [line("c", "Between.")] } },
            { "insertBefore": { "block": [0], "nodes": [line("d", "First.")] } },
            { "set": { "block": "b", "properties": { "type": "shot", "color": "#f00", "id": "e" } } },
        ]))
        .await;
    assert_eq!(program.lines().await, ["First.", "She waits. Mara sits.", "Between.", "HE Runs."]);
    let value = program.value().await;
    assert_eq!(value[3]["type"], "shot");
    assert_eq!(value[3]["children"], json!([{ "text": "HE R" }, { "text": "uns", "bold": true }, { "text": "." }]));
    assert_eq!(done["edits"].as_array().unwrap().len(), 6);
    // Somebody who has it open sees it at once, and it is attributed.
    ada.client
        .until("the edit", |client| {
            let mut doc = slate_doc(98, "content");
            doc.load(&client.state()).unwrap();
            format!("{:?}", doc.value()).contains("Mara sits.")
        })
        .await;
    let rows = server.storage.get_updates_since("scene", 0, 100).await.unwrap();
    assert!(rows.iter().all(|row| row.authors.to_lines().as_deref() == Some("robot")), "{rows:?}");
    // A document that begins by a program is of the format that new ones have.
    let mut doc = slate_doc(97, "content");
    doc.load(&ada.client.state()).unwrap();
    assert_eq!(doc.format(), 1);

    program
        .edit(json!([{ "remove": { "block": "c" } }, { "set": { "block": "e", "properties": { "color": null } } }]))
        .await;
    assert_eq!(program.lines().await, ["First.", "She waits. Mara sits.", "HE Runs."]);
    assert_eq!(program.value().await[2].get("color"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_and_nothing_is_half_done() {
    let server = guarded().await;
    let program = Program::new(&server, "robot");
    program.edit(json!([{ "append": { "nodes": [line("a", "One. One."), line("a", "Two.")] } }])).await;
    let before = server.rows("scene").await;
    let good = json!({ "append": { "nodes": [line("x", "never")] } });
    for (edit, status, code, found) in [
        (json!({ "replace": { "find": "Three", "with": "" } }), 409, "not-found", json!([])),
        (json!({ "replace": { "find": "One.", "with": "" } }), 409, "ambiguous", json!(["One. One.", "One. One."])),
        (
            json!({ "replace": { "find": "One.", "with": "", "nth": 3 } }),
            409,
            "not-found",
            json!(["One. One.", "One. One."]),
        ),
        (json!({ "replace": { "find": "", "with": "x" } }), 400, "invalid", Value::Null),
        (json!({ "remove": { "block": "z" } }), 409, "not-found", json!([])),
        (json!({ "remove": { "block": "a" } }), 409, "ambiguous", json!(["[0]", "[1]"])),
        (json!({ "remove": { "block": [5] } }), 409, "not-found", json!([])),
        (json!({ "set": { "block": [0], "properties": { "children": [] } } }), 400, "invalid", Value::Null),
        (json!({ "append": { "nodes": [{ "neither": 1 }] } }), 400, "invalid", Value::Null),
        (json!({ "append": { "nodes": [{ "text": "bare" }] } }), 400, "invalid", Value::Null),
        (json!({ "insertAfter": { "block": [0], "nodes": [{ "text": "bare" }] } }), 400, "invalid", Value::Null),
        (
            json!({ "operations": [{ "type": "remove_node", "path": [9], "node": { "text": "" } }] }),
            400,
            "invalid",
            Value::Null,
        ),
    ] {
        let answer = program.patch(json!({ "edits": [good, edit] })).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{edit}: {error}");
        assert_eq!(error["edit"], if error["edit"] == 0 { json!(0) } else { json!(1) }, "{edit}: {error}");
        assert_eq!(error["found"], found, "{edit}");
    }
    for body in [
        "{}",
        "[",
        r#"{"edits":[]}"#,
        r#"{"edits":[{"explode":{}}]}"#,
        r#"{"edits":[{"remove":{"block":"a"}}],"more":1}"#,
    ] {
        assert_eq!(program.ask("PATCH", "", "", body).await.status, 400, "{body}");
    }
    let huge = json!({ "edits": [{ "append": { "nodes": [line("h", &"x".repeat(3 << 20))] } }] });
    let refused = program.patch(huge).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (413, &json!("too-large")));
    assert_eq!(server.rows("scene").await, before);
    assert_eq!(program.lines().await, ["One. One.", "Two."]);

    for (role, status) in [("read-only", 403), ("comment", 403)] {
        let reader = Program { server: &server, token: token("bob", role, false) };
        assert_eq!(reader.patch(json!({ "edits": [good] })).await.status, status, "{role}");
        assert_eq!(reader.ask("PUT", "/maps/m/k", "", "1").await.status, status, "{role}");
        assert_eq!(reader.lines().await.len(), 2);
    }
    let stranger = Program { server: &server, token: "nonsense".into() };
    assert_eq!(stranger.patch(json!({ "edits": [good] })).await.status, 401);
}

/// What was worked out on an earlier state is carried to now: what came since stays.
#[tokio::test(flavor = "multi_thread")]
async fn operations_and_edits_against_an_earlier_state() {
    let server = guarded().await;
    let program = Program::new(&server, "robot");
    let begun = program.edit(json!([{ "append": { "nodes": [line("a", "One."), line("b", "Two.")] } }])).await;
    let base = begun["etag"].as_str().unwrap().to_owned();
    let mut ada = Writer::join(&server, "ada", 7).await;
    ada.types(&[0, 0], 0, "Now ").await;
    program.edit(json!([{ "insertBefore": { "block": "a", "nodes": [line("c", "Zero.")] } }])).await;
    // Paths and offsets are those of the base.
    let operations = json!([
        { "type": "insert_text", "path": [0, 0], "offset": 4, "text": "!" },
        { "type": "split_node", "path": [1, 0], "position": 1, "properties": {} },
        { "type": "split_node", "path": [1], "position": 1, "properties": { "id": "d", "type": "action" } },
        { "type": "set_selection", "properties": null, "newProperties": null },
    ]);
    let done = program.patch(json!({ "base": base, "edits": [{ "operations": operations }] })).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(program.lines().await, ["Zero.", "Now One.!", "T", "wo."]);
    let carried =
        program.patch(json!({ "base": base, "edits": [{ "replace": { "find": "One", "with": "1" } }] })).await;
    assert_eq!(carried.status, 200, "{}", carried.text());
    assert_eq!(program.lines().await, ["Zero.", "Now 1.!", "T", "wo."]);
    for wrong in ["\"x-1\"", "nothing", &format!("{}9", base.trim_matches('"'))] {
        let answer = program.patch(json!({ "base": wrong, "edits": [{ "remove": { "block": "a" } }] })).await;
        assert_eq!((answer.status, answer.json()["error"]["code"].clone()), (409, json!("base")), "{wrong}");
        assert!(answer.json()["error"]["etag"].is_string());
    }
    assert!(ada.text().contains("Now "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_is_done_once() {
    let mut server = guarded().await;
    let edits = |text: &str| json!({ "edits": [{ "append": { "nodes": [line("a", text)] } }] }).to_string();
    let key = "Idempotency-Key: 7f3c\r\n";
    let first = Program::new(&server, "robot").ask("PATCH", "", key, &edits("once")).await;
    assert_eq!(first.status, 200, "{}", first.text());
    // Also after a restart, and while others write.
    server.restart().await;
    let program = Program::new(&server, "robot");
    program.edit(json!([{ "append": { "nodes": [line("b", "other")] } }])).await;
    let again = program.ask("PATCH", "", key, &edits("once")).await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert!(again.headers.contains("idempotency-replayed: true"), "{}", again.headers);
    assert_eq!(program.lines().await, ["once", "other"]);
    // The key stands for the request that had it first, of the same user.
    let other = program.ask("PATCH", "", key, &edits("twice")).await;
    assert_eq!((other.status, other.json()["error"]["code"].clone()), (422, json!("key-reused")));
    let ben = Program::new(&server, "ben").ask("PATCH", "", key, &edits("ben")).await;
    assert_eq!(ben.status, 200);
    assert_eq!(program.lines().await, ["once", "other", "ben"]);
    // Also one that changes nothing: what others do since is no reason to do it now.
    let empty = "Idempotency-Key: nothing to do\r\n";
    let bold = json!({ "edits": [{ "format": { "find": "once", "marks": {} } }] }).to_string();
    let before = program.ask("GET", "", "", "").await.headers;
    for replayed in [false, true] {
        let answer = program.ask("PATCH", "", empty, &bold).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.headers.contains("idempotency-replayed: true"), replayed, "{}", answer.headers);
    }
    let other = program.ask("PATCH", "", empty, &edits("something")).await;
    assert_eq!(other.json()["error"]["code"], "key-reused");
    let tag = |headers: &str| headers.lines().find(|line| line.starts_with("etag:")).unwrap().to_owned();
    assert_eq!(tag(&before), tag(&program.ask("GET", "", "", "").await.headers));
    // Many at once under one key.
    let at_once = "Idempotency-Key: at once\r\n";
    let body = edits("storm");
    let asked: Vec<_> = (0..8).map(|_| program.ask("PATCH", "", at_once, &body)).collect();
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(program.lines().await.iter().filter(|line| *line == "storm").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_is_taken_by_one() {
    let server = guarded().await;
    let ada = Program::new(&server, "ada");
    ada.edit(json!([{ "append": { "nodes": [line("a", "MARA waits.")] } }])).await;
    let put = ada.ask("PUT", "/maps/proposals/p1", "", r#"{"why":"rain"}"#).await;
    assert_eq!(put.status, 204, "{}", put.text());
    let taking = |edits: Value| json!({ "edits": edits, "take": { "map": "proposals", "key": "p1" } });
    let is_there = async || ada.ask("GET", "/maps/proposals/p1", "", "").await.status == 200;
    // What cannot be done takes nothing.
    let failed = ada.patch(taking(json!([{ "replace": { "find": "nowhere", "with": "x" } }]))).await;
    assert_eq!((failed.status, is_there().await), (409, true), "{}", failed.text());
    // Of several who take it at once, each as somebody else, one does.
    let programs: Vec<Program> = (0..6).map(|n| Program::new(&server, &format!("agent {n}"))).collect();
    let body = taking(json!([{ "append": { "nodes": [line("b", "Rain.")] } }]));
    let answers = futures_util::future::join_all(programs.iter().map(|program| program.patch(body.clone()))).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1, "{:?}", answers.iter().map(Answer::text).collect::<Vec<_>>());
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((refused.status, refused.json()["error"]["code"].clone()), (409, json!("taken")));
    }
    assert_eq!((ada.lines().await, is_there().await), (vec!["MARA waits.".to_owned(), "Rain.".into()], false));
    // Another one under that key is another.
    ada.ask("PUT", "/maps/proposals/p1", "", r#"{"why":"snow"}"#).await;
    // Under an Idempotency-Key whoever has taken it is told so again.
    let key = "Idempotency-Key: take\r\n";
    for _ in 0..2 {
        let answer = ada.ask("PATCH", "", key, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!((ada.lines().await.len(), is_there().await), (3, false));
    // Nothing else of the document is taken so.
    for map in ["content", "slate-yrs:comments", ""] {
        let body =
            json!({ "edits": [{ "append": { "nodes": [line("c", "c")] } }], "take": { "map": map, "key": "k" } });
        assert_eq!(ada.patch(body).await.status, 400, "{map}");
    }
}

/// What was taken, and what was done under a key, is noted beside the sessions: a client that calls its session so would have
/// taken it, or done it.
#[tokio::test(flavor = "multi_thread")]
async fn no_session_has_the_name_of_what_is_done_once() {
    let server = TestServer::start().await;
    for session in ["take:0", "http:0"] {
        for path in ["/ws/scenes/scene", "/http/scenes/scene"] {
            let path = format!("{path}?slate-yrs=1&session={session}");
            let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            let (method, headers) = if path.starts_with("/ws") { ("GET", upgrade) } else { ("POST", "") };
            let answer = request(server.address, method, &path, headers, "").await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        }
    }
    let mut other = Client::connect(server.address, "scene", 1, "slate-yrs=1&session=taken:0").await;
    other.sync().await;
}

/// The text is where the server says, or where the request says; what the package keeps beside it is no text.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_another_root_leaves_the_rest_as_it_is() {
    let server = TestServer::start().await;
    let epoch = server.storage.open_document("scene", 1).await.unwrap().epoch;
    // As slate-yjs writes it.
    let text = SlateDoc::seed_update("content", &[Node::Element(Element::default())]);
    server.storage.store_update("scene", &epoch, 1, &text).await.unwrap();
    let ask = async |method: &str, path: &str, body: Value| {
        request(server.address, method, &format!("/api/scenes/scene{path}"), "", &body.to_string()).await
    };
    let edits = json!({ "edits": [{ "append": { "nodes": [line("a", "A note.")] } }] });
    let answer = ask("PATCH", "?root=notes", edits.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut doc = slate_doc(9, "content");
    doc.load(&get(server.address, "/api/scenes/scene/export").await.body).unwrap();
    assert_eq!(doc.format(), 0, "slate-yjs clients go on writing it");
    assert_eq!(get(server.address, "/api/scenes/scene?format=text&root=notes").await.text(), "A note.\n");
    for root in ["slate-yrs:doc", "slate-yrs:comments", ""] {
        assert_eq!(ask("PATCH", &format!("?root={root}"), edits.clone()).await.status, 400, "{root}");
    }
    assert_eq!(ask("PUT", "/maps/content/key?root=notes", json!(1)).await.status, 400);
    let mut taking = edits;
    taking["take"] = json!({ "map": "content", "key": "key" });
    assert_eq!(ask("PATCH", "?root=notes", taking).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_servers_one_takes() {
    // They hear of each other by asking, which is seldom.
    let one = TestServer::with(&["--auth", "jwt", "--jwt-secret", SECRET, "--poll-ms", "60000"]).await;
    let other = one.beside().await;
    let (ada, ben) = (Program::new(&one, "ada"), Program::new(&other, "ben"));
    ada.edit(json!([{ "append": { "nodes": [line("a", "MARA waits.")] } }])).await;
    ada.ask("PUT", "/maps/proposals/p1", "", r#"{"why":"rain"}"#).await;
    // The other one has the document open, with the proposal in it.
    let _reader = Writer::join(&other, "carla", 9).await;
    let edits = json!([{ "append": { "nodes": [line("b", "Rain.")] } }]);
    let body = json!({ "edits": edits, "take": { "map": "proposals", "key": "p1" } });
    assert_eq!(ada.patch(body.clone()).await.status, 200);
    let late = ben.patch(body).await;
    assert_eq!((late.status, late.json()["error"]["code"].clone()), (409, json!("taken")), "{}", late.text());
    // And so with a request that is sent again to another server.
    let body = json!({ "edits": [{ "append": { "nodes": [line("c", "Thunder.")] } }] }).to_string();
    let key = "Idempotency-Key: thunder\r\n";
    let again = Program::new(&other, "ada");
    let answers =
        futures_util::future::join(ada.ask("PATCH", "", key, &body), again.ask("PATCH", "", key, &body)).await;
    for answer in [answers.0, answers.1, again.ask("PATCH", "", key, &body).await] {
        // Where both were at it the second finds the room gone, and comes again.
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
    }
    // The other server may not have heard of the rain before it adds the thunder.
    let mut lines = ada.lines().await;
    lines[1..].sort();
    assert_eq!(lines, ["MARA waits.", "Rain.", "Thunder."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_said_in_so_many_words() {
    let page = tempfile::tempdir().unwrap();
    std::fs::write(page.path().join("index.html"), "the page").unwrap();
    let folder = page.path().to_str().unwrap();
    for server in [TestServer::start().await, TestServer::with(&["--static", folder]).await] {
        for (method, path, status, code) in [
            ("GET", "/api/nowhere", 404, "not-found"),
            ("GET", "/api/scenes/scene/nowhere", 404, "not-found"),
            ("POST", "/api/scenes/scene/maps", 404, "not-found"),
            ("PUT", "/api/scenes/scene", 405, "method"),
            ("GET", "/api/scenes/scene/rollback", 405, "method"),
            ("DELETE", "/api/admin/kick", 405, "method"),
        ] {
            let answer = request(server.address, method, path, "", "").await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
            assert_eq!(answer.json()["error"]["code"], code, "{method} {path}");
            assert_eq!(answer.headers.contains("\nallow: "), status == 405, "{}", answer.headers);
        }
    }
    let server = TestServer::start().await;
    assert_eq!(get(server.address, "/nowhere").await.json()["error"]["code"], "not-found");
    let server = TestServer::with(&["--static", folder]).await;
    assert_eq!(get(server.address, "/nowhere").await.text(), "the page");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_say_which_state_they_are_of() {
    let server = guarded().await;
    let program = Program::new(&server, "robot");
    assert_eq!(program.ask("GET", "", "", "").await.status, 404);
    let etag = program.edit(json!([{ "append": { "nodes": [line("a", "One.")] } }])).await["etag"]
        .as_str()
        .unwrap()
        .to_owned();
    let read = program.ask("GET", "", "", "").await;
    assert!(read.headers.contains(&etag), "{} {etag}", read.headers);
    assert_eq!(read.json(), json!([line("a", "One.")]));
    let fresh = format!("If-None-Match: {etag}\r\n");
    assert_eq!(program.ask("GET", "", &fresh, "").await.status, 304);
    program.edit(json!([{ "replace": { "find": "One", "with": "Two" } }])).await;
    assert_eq!(program.ask("GET", "", &fresh, "").await.status, 200);
    assert_eq!(program.ask("GET", "?format=pdf", "", "").await.status, 400);
    let mut doc = slate_doc(5, "content");
    doc.load(&program.ask("GET", "?format=update", "", "").await.body).unwrap();
    assert_eq!(doc.value().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_beside_the_text() {
    let server = guarded().await;
    let program = Program::new(&server, "robot");
    assert_eq!(program.ask("PUT", "/maps/title/Author", "", r#""Ada""#).await.status, 204);
    assert_eq!(program.ask("PUT", "/maps/title/a%2Fb", "", r#"{"x":[1,null]}"#).await.status, 204);
    assert_eq!(
        program.ask("GET", "/maps/title", "", "").await.json(),
        json!({ "Author": "Ada", "a/b": { "x": [1, null] } })
    );
    assert_eq!(program.ask("GET", "/maps/title/a%2Fb", "", "").await.json(), json!({ "x": [1, null] }));
    let ada = Writer::join(&server, "ada", 7).await;
    assert_eq!(ada.doc.values("title").len(), 2);
    assert_eq!(program.ask("DELETE", "/maps/title/Author", "", "").await.status, 204);
    assert_eq!(program.ask("GET", "/maps/title/Author", "", "").await.status, 404);
    for (path, body) in [("/maps/slate-yrs:comments/x", "1"), ("/maps/content/x", "1"), ("/maps/m/k", "{")] {
        assert_eq!(program.ask("PUT", path, "", body).await.status, 400, "{path}");
    }
    let large = format!("\"{}\"", "x".repeat(300_000));
    assert_eq!(program.ask("PUT", "/maps/m/k", "", &large).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_deletes() {
    let server = guarded().await;
    let program = Program::new(&server, "robot");
    program.edit(json!([{ "append": { "nodes": [line("a", "One.")] } }])).await;
    let mut ada = Writer::join(&server, "ada", 7).await;
    assert_eq!(program.ask("DELETE", "", "", "").await.status, 403);
    let admin = Program { server: &server, token: token("root", "read-write", true) };
    assert_eq!(admin.ask("DELETE", "", "", "").await.status, 204);
    assert_eq!(admin.ask("DELETE", "", "", "").await.status, 404);
    assert_eq!(admin.ask("GET", "", "", "").await.status, 404);
    // Who has it open is told.
    ada.client.closed().await;
    assert_eq!(get(server.address, "/healthz").await.status, 200);
}
