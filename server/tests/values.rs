//! Values beside the text on the server: stored and acknowledged, in the history, and put back with the text.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::http::{get, post};
use common::layout::{line, put, slate_doc};
use common::{Client, Msg, TestServer};
use serde_json::{Value, json};
use slate_yrs::protocol::{Message, RejectCode, Role};
use slate_yrs::slate::{Op, Path, SlateDoc, ValueChange};
use yrs::Any;

fn change(map: &str, key: &str, value: Option<&str>) -> ValueChange {
    let after = value.map(|value| Any::from_json(value).unwrap());
    ValueChange { map: map.into(), key: key.into(), before: None, after }
}

/// What the history says of values, and that going back takes them along; comments stay as they are.
#[tokio::test(flavor = "multi_thread")]
async fn history_has_the_values() {
    for format in [0, 1] {
        let server = TestServer::start().await;
        let mut client = Client::connect(server.address, "scene", 7, "slate-yrs=1&session=a&formats=0,1").await;
        client.sync().await;
        let mut doc = slate_doc(7, "content");
        let mut updates = if format == 1 { doc.raise_format(1) } else { Vec::new() };
        updates.extend(doc.apply_local(vec![put(&[0], line("one"))]).update);
        let first = [
            change("title", "name", Some("\"Draft\"")),
            change("title", "by", Some(r#"{"a":[1,null]}"#)),
            comment("t/c", says(Value::Null, "first").as_ref()),
        ];
        updates.extend(doc.set_values(&first));
        for update in &updates {
            client.push(update).await;
        }
        client.all_acked().await;
        let version = server.rows("scene").await;
        let second = [
            change("title", "name", Some("\"Final\"")),
            change("title", "by", None),
            change("colours", "1", Some("\"red\"")),
            comment("t/d", says(Value::Null, "second").as_ref()),
        ];
        client.push(&doc.set_values(&second).unwrap()).await;
        client.all_acked().await;

        let api = |path: &str| format!("/api/scenes/scene{path}");
        let was = get(server.address, &api(&format!("/versions/{version}/values"))).await.json();
        assert_eq!(was, json!({"title": {"name": "Draft", "by": {"a": [1, null]}}}), "format {format}");
        let changes = get(server.address, &api(&format!("/compare/values?from={version}"))).await.json();
        let expected = json!([
            {"map": "colours", "key": "1", "after": "red"},
            {"map": "title", "key": "by", "before": {"a": [1, null]}},
            {"map": "title", "key": "name", "before": "Draft", "after": "Final"},
        ]);
        assert_eq!(changes, expected);
        assert_eq!(get(server.address, &api("/versions/99/values")).await.status, 404);

        let restored = post(server.address, &api(&format!("/versions/{version}/restore")), "").await;
        assert_eq!(restored.status, 204);
        let state = get(server.address, &api("/versions/now?format=update")).await.body;
        let now = loaded(&state);
        assert_eq!(now.values("title"), loaded_values(&was));
        assert_eq!(now.values("colours").len(), 0);
        assert_eq!(now.values(COMMENTS).len(), 2);
        // There is nothing left to go back to.
        let rows = server.rows("scene").await;
        post(server.address, &api(&format!("/versions/{version}/restore")), "").await;
        assert_eq!(server.rows("scene").await, rows);
    }
}

fn loaded(state: &[u8]) -> SlateDoc {
    let mut doc = slate_doc(9, "content");
    doc.load(state).unwrap();
    doc
}

fn loaded_values(values: &serde_json::Value) -> slate_yrs::slate::Values {
    let title = values["title"].as_object().unwrap();
    title.iter().map(|(key, value)| (key.clone(), Any::from_json(&value.to_string()).unwrap())).collect()
}

const SECRET: &str = "a secret that is long enough for tests";

fn token(user: &str, role: &str, admin: bool) -> String {
    let exp = slate_yrs_server::clock::now() / 1_000 + 600;
    let name = user.to_uppercase();
    let claims = json!({ "sub": user, "name": name, "documents": ["scene"], "role": role, "exp": exp, "admin": admin });
    common::tokens::hs256(&claims, SECRET)
}

/// Somebody whose edits are made by a document of its own.
struct Someone {
    client: Client,
    doc: SlateDoc,
}

impl Someone {
    async fn join(server: &TestServer, user: &str, role: &str, id: u32) -> Self {
        let token = token(user, role, user == "root");
        let query = format!("slate-yrs=1&session={user}{id}&formats=0,1&token={token}");
        let mut client = Client::connect(server.address, "scene", u64::from(id), &query).await;
        client.sync().await;
        let mut doc = slate_doc(id, "content");
        doc.load(&client.state()).unwrap();
        Self { client, doc }
    }

    /// What the server answers: the code of its refusal, or none.
    async fn tries(&mut self, update: &[u8]) -> Option<RejectCode> {
        self.client.push(update).await;
        let seq = self.client.seq;
        loop {
            match self.client.step().await {
                Msg::Ack(acked) if acked >= seq => return None,
                Msg::Reject(refused, code) if refused == seq => return Some(code),
                _ => {}
            }
        }
    }

    /// The same of what is made on a copy: the document goes on without it.
    async fn tries_apart(&mut self, make: impl FnOnce(&mut SlateDoc) -> Vec<u8>) -> Option<RejectCode> {
        let update = make(&mut self.copy());
        self.tries(&update).await
    }

    /// Under a client id that nothing else is written under.
    fn copy(&self) -> SlateDoc {
        let mut copy = slate_doc(fastrand::u32(1_000..), "content");
        copy.load(&self.doc.encode_state(None).unwrap()).unwrap();
        copy
    }

    /// Sets comments.
    async fn comments(&mut self, entries: &[(&str, Option<Value>)]) -> Option<RejectCode> {
        let changes: Vec<ValueChange> = entries.iter().map(|(key, value)| comment(key, value.as_ref())).collect();
        self.tries_apart(|doc| doc.set_values(&changes).unwrap()).await
    }

    /// What the server has, here as well.
    async fn catches_up(&mut self, server: &TestServer) {
        let path =
            format!("/api/scenes/scene/versions/now?format=update&token={}", token("reader", "read-only", false));
        self.doc.load(&get(server.address, &path).await.body).unwrap();
    }
}

const COMMENTS: &str = "slate-yrs:comments";

fn comment(key: &str, value: Option<&Value>) -> ValueChange {
    change(COMMENTS, key, value.map(Value::to_string).as_deref())
}

fn says(id: Value, body: &str) -> Option<Value> {
    Some(json!({"author": {"id": id, "name": "whoever"}, "at": 1, "body": body, "editedAt": null}))
}

fn typed(doc: &mut SlateDoc) -> Vec<u8> {
    doc.apply_local(vec![Op::InsertText { path: Path::from_slice(&[0, 0]), offset: 0, text: "no ".into() }])
        .update
        .unwrap()
}

/// A server with a line of text, and Ben's comment on it.
async fn commented(format: u32) -> (TestServer, Someone) {
    let server = TestServer::with(&["--auth", "jwt", "--jwt-secret", SECRET]).await;
    let mut ben = Someone::join(&server, "ben", "read-write", 7).await;
    let mut updates = if format == 1 { ben.doc.raise_format(1) } else { Vec::new() };
    updates.extend(ben.doc.apply_local(vec![put(&[0], line("one"))]).update);
    updates.extend(ben.doc.set_values(&[change("title", "name", Some("1"))]));
    for update in updates {
        assert_eq!(ben.tries(&update).await, None);
    }
    assert_eq!(ben.comments(&[("t/thread", says(json!("ben"), "")), ("t/b", says(json!("ben"), "Why?"))]).await, None);
    ben.catches_up(&server).await;
    (server, ben)
}

/// The role writes comments and nothing else, however it is wrapped up.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_comment_writes_nothing_else() {
    for format in [0, 1] {
        let (server, _ben) = commented(format).await;
        let mut ada = Someone::join(&server, "ada", "comment", 8).await;
        let hello = ada.client.hello.clone().unwrap();
        assert_eq!((hello.role, hello.user.as_deref()), (Role::Comment, Some("ada")));
        assert_eq!(ada.comments(&[("t/a", says(json!("ada"), "Because."))]).await, None);
        ada.catches_up(&server).await;
        let state = |doc: &SlateDoc| (doc.value(), doc.values("title"), doc.values(COMMENTS), doc.format());
        let before = state(&ada.doc);
        let only = Some(RejectCode::ReadOnly);
        assert_eq!(ada.tries_apart(typed).await, only, "text");
        let both = |doc: &mut SlateDoc| {
            let first = doc.set_values(&[comment("t/x", says(json!("ada"), "with text").as_ref())]).unwrap();
            slate_yrs::update::merge([first, typed(doc)].iter().map(Vec::as_slice)).unwrap()
        };
        assert_eq!(ada.tries_apart(both).await, only, "a comment with text in it");
        let gone = |doc: &mut SlateDoc| {
            doc.apply_local(vec![Op::RemoveText { path: Path::from_slice(&[0, 0]), offset: 0, text: "one".into() }])
                .update
                .unwrap()
        };
        assert_eq!(ada.tries_apart(gone).await, only, "text deleted");
        let title = |doc: &mut SlateDoc| doc.set_values(&[change("title", "name", None)]).unwrap();
        assert_eq!(ada.tries_apart(title).await, only, "another map");
        let other = |doc: &mut SlateDoc| doc.set_values(&[change("new", "name", Some("1"))]).unwrap();
        assert_eq!(ada.tries_apart(other).await, only, "a new map");
        if format == 0 {
            assert_eq!(ada.tries_apart(|doc| doc.raise_format(1).pop().unwrap()).await, only, "the format");
        }
        // What waits for something could turn out to be anything.
        let waits = |doc: &mut SlateDoc| {
            doc.set_values(&[comment("t/y", says(json!("ada"), "first").as_ref())]);
            doc.set_values(&[comment("t/z", says(json!("ada"), "second").as_ref())]).unwrap()
        };
        assert_eq!(ada.tries_apart(waits).await, only, "what waits");
        // Hidden where nobody waits for an answer.
        for hidden in [typed(&mut ada.copy()), both(&mut ada.copy()), gone(&mut ada.copy())] {
            ada.client.send(&Message::SyncStep2(&hidden)).await;
            ada.client.send(&Message::Update(&hidden)).await;
        }
        ada.client.round_trip().await;
        assert_eq!(ada.comments(&[("t/c", says(json!("ada"), "Still here."))]).await, None);
        ada.catches_up(&server).await;
        let after = state(&ada.doc);
        assert_eq!((&before.0, &before.1, before.3), (&after.0, &after.1, after.3), "format {format}");
        assert_eq!(after.2.len(), before.2.len() + 1);

        // A client of y-websocket with such a token.
        let query = format!("token={}", token("eve", "comment", false));
        let mut eve = Client::connect(server.address, "scene", 9, &query).await;
        eve.sync().await;
        eve.push(&typed(&mut ada.copy())).await;
        eve.round_trip().await;
        ada.catches_up(&server).await;
        assert_eq!(state(&ada.doc), after);
    }
}

/// Nobody signs for others, or changes what they wrote: neither who may only comment nor who may write.
#[tokio::test(flavor = "multi_thread")]
async fn comments_are_their_authors() {
    let (server, mut ben) = commented(1).await;
    let invalid = Some(RejectCode::Invalid);
    for role in ["comment", "read-write"] {
        let id = if role == "comment" { 8 } else { 11 };
        let mut ada = Someone::join(&server, "ada", role, id).await;
        ada.catches_up(&server).await;
        assert_eq!(ada.comments(&[("t/f", says(json!("ben"), "forged"))]).await, invalid, "{role}: forged");
        assert_eq!(ada.comments(&[("t/b", says(json!("ben"), "changed"))]).await, invalid, "{role}: changed");
        assert_eq!(ada.comments(&[("t/b", says(json!("ada"), "taken"))]).await, invalid, "{role}: taken over");
        assert_eq!(ada.comments(&[("t/b", None)]).await, invalid, "{role}: removed");
        assert_eq!(ada.comments(&[("t/thread", None)]).await, invalid, "{role}: the thread removed");
        for (key, value) in
            [("nothread", json!(1)), ("t/a/b", json!(1)), ("t/x", json!("text")), ("t/x", json!({"author": 1}))]
        {
            assert_eq!(ada.comments(&[(key, Some(value))]).await, invalid, "{role}: {key}");
        }
        let by = |id: &str| Some(json!({"by": {"id": id, "name": "whoever"}, "at": 2}));
        assert_eq!(ada.comments(&[("t/resolved", by("ben"))]).await, invalid, "{role}: resolved by somebody else");
        assert_eq!(ada.comments(&[("t/resolved", by("ada"))]).await, None);
        ben.catches_up(&server).await;
        assert_eq!(ben.comments(&[("t/resolved", None)]).await, None, "whoever may comment opens it again");
    }
    // What is not signed is signed by whom it comes from, with the name of the token.
    assert_eq!(ben.comments(&[("t/n", says(Value::Null, "unsigned"))]).await, None);
    ben.catches_up(&server).await;
    let signed = ben.doc.value_of(COMMENTS, "t/n").unwrap();
    let signed: Value = serde_json::to_value(&signed).unwrap();
    assert_eq!(signed["author"], json!({"id": "ben", "name": "BEN"}));
    assert_eq!(signed["body"], "unsigned");
    // An admin changes what others wrote, which stays theirs.
    let mut root = Someone::join(&server, "root", "comment", 10).await;
    root.catches_up(&server).await;
    assert_eq!(root.comments(&[("t/n", says(Value::Null, "put right")), ("t/b", None)]).await, None);
    root.catches_up(&server).await;
    let signed: Value = serde_json::to_value(root.doc.value_of(COMMENTS, "t/n").unwrap()).unwrap();
    assert_eq!((&signed["author"]["id"], &signed["body"]), (&json!("ben"), &json!("put right")));
    assert_eq!(root.doc.value_of(COMMENTS, "t/b"), None);
}
