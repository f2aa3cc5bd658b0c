//! Documents of format 1: who may change what in them, and who is closed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Client, Msg, TestServer};
use slate_yrs::format::{Format, KnownFormats, OWN_ROOTS, format_of, set_format};
use slate_yrs::protocol::{Message, RejectCode, close};
use slate_yrs_server::storage::Storage;
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, Doc, GetString, Map, Out, ReadTxn, StateVector, Text, Transact, TransactionMut, Update, Xml,
    XmlTextPrelim, XmlTextRef,
};

const QUIET: Duration = Duration::from_millis(200);

async fn knowing(server: &TestServer, document: &str, id: u64) -> Client {
    let query = format!("slate-yrs=1&session=s{id}&formats=0,1");
    Client::connect(server.address, document, id, &query).await
}

/// What `work` changes, as an update.
/// Makes an update.
type Change<T> = fn(&T) -> Vec<u8>;

fn change<T>(doc: &Doc, work: impl FnOnce(&mut TransactionMut<'_>) -> T) -> Vec<u8> {
    let mut txn = doc.transact_mut();
    work(&mut txn);
    txn.commit();
    txn.encode_update_v1()
}

fn flag(doc: &Doc, format: Format) -> Vec<u8> {
    change(doc, |txn| set_format(txn, format))
}

/// A line with a bold word, and a break in it.
fn line(client: &Client) -> Vec<u8> {
    change(&client.doc, |txn| {
        let line = client.text.insert_embed(txn, 0, XmlTextPrelim::new("a bold word"));
        line.format(txn, 2, 4, [("bold".into(), Any::Bool(true))].into());
        let mark = line.insert_embed(txn, 5, XmlTextPrelim::new(""));
        mark.insert_attribute(txn, "@", Any::from("break"));
    })
}

fn first(doc: &Doc) -> XmlTextRef {
    let root = doc.get_or_insert_text("content");
    match root.diff(&doc.transact(), YChange::identity).remove(0).insert {
        Out::YXmlText(line) => line,
        other => panic!("no line: {other:?}"),
    }
}

/// A session that has made a document of format 1.
async fn document(server: &TestServer, name: &str) -> Client {
    let mut client = knowing(server, name, 1).await;
    client.sync().await;
    for update in [line(&client), flag(&client.doc, 1)] {
        client.push(&update).await;
    }
    client.all_acked().await;
    client
}

/// What a fresh client gets to read.
async fn stored(server: &TestServer, name: &str) -> Doc {
    let mut reader = server.plain(name, 900).await;
    reader.sync().await;
    reader.doc
}

fn everything(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

/// The answer to the last submission.
async fn answer(client: &mut Client) -> Msg {
    let seq = client.seq;
    loop {
        let message = client.next().await;
        if matches!(message, Msg::Ack(_) | Msg::Reject(..) | Msg::Close(_)) {
            assert!(!matches!(message, Msg::Ack(it) | Msg::Reject(it, _) if it != seq), "{message:?}");
            return message;
        }
    }
}

/// How often this client is told no while it waits for the answer to a question.
async fn told(client: &mut Client) -> usize {
    client.send(&Message::QueryAwareness).await;
    let mut count = 0;
    loop {
        match client.next().await {
            Msg::Denied(_) => count += 1,
            Msg::Awareness(bytes) if bytes == [0] => return count,
            Msg::Close(code) => panic!("closed with {code}"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_says_what_is_known_of_formats() {
    for (flags, new_format) in [(vec![], None), (vec!["--format", "1"], Some(1)), (vec!["--format", "0"], Some(0))] {
        let server = TestServer::with(&flags).await;
        let client = server.durable("scene", 1, "a").await;
        let hello = client.hello.as_ref().unwrap();
        assert_eq!(hello.formats, Some(KnownFormats::of(&[0, 1])));
        assert_eq!((hello.format, hello.new_format), (Some(0), new_format));
        assert_eq!(hello.root, None);
    }
    let server = TestServer::with(&["--root", "text"]).await;
    let client = server.durable("scene", 1, "a").await;
    assert_eq!(client.hello.as_ref().unwrap().root.as_deref(), Some("text"));
    let server = TestServer::start().await;
    document(&server, "scene").await;
    let client = knowing(&server, "scene", 2).await;
    assert_eq!(client.hello.as_ref().unwrap().format, Some(1));
}

/// The moment the flag is accepted, who does not know it is closed, is not even sent it, and changes nothing any more.
#[tokio::test(flavor = "multi_thread")]
async fn the_flag_closes_sessions_that_do_not_know_it() {
    let server = TestServer::start().await;
    let mut new = knowing(&server, "scene", 1).await;
    let mut old = server.durable("scene", 2, "old").await;
    let mut plain = server.plain("scene", 3).await;
    for client in [&mut new, &mut old, &mut plain] {
        client.sync().await;
    }
    let update = line(&new);
    new.push(&update).await;
    new.all_acked().await;
    old.until("has the line", |client| client.text.len(&client.doc.transact()) == 1).await;
    let update = flag(&new.doc, 1);
    new.push(&update).await;
    new.all_acked().await;
    let rows = server.rows("scene").await;
    loop {
        match old.next().await {
            Msg::Close(code) => break assert_eq!(code, close::FORMAT),
            Msg::Update(_) => panic!("it was sent the flag"),
            _ => {}
        }
    }
    // It submits before it has read that it is closed, and again when it comes back.
    let mut early = server.durable("scene", 4, "early").await;
    assert_eq!(early.hello.as_ref().unwrap().format, Some(1));
    let update = old.edit(0, "by copy");
    early.push(&update).await;
    early.send(&Message::SyncStep2(&update)).await;
    match early.next().await {
        Msg::Close(code) => assert_eq!(code, close::FORMAT),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.rows("scene").await, rows);
    plain.until("reads on", |client| format_of(&client.doc.transact()) == 1).await;
    assert_eq!(everything(&stored(&server, "scene").await), everything(&new.doc));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_is_set_by_who_knows_it_where_the_layout_is_slates() {
    let server = TestServer::start().await;
    // A plain client: not stored, told once.
    let mut plain = server.plain("a", 1).await;
    plain.sync().await;
    for format in [1, 1, 7] {
        let update = flag(&plain.doc, format);
        plain.push(&update).await;
    }
    assert_eq!(told(&mut plain).await, 1);
    // A session that knows the first format only.
    let mut old = server.durable("a", 2, "old").await;
    let update = flag(&old.doc, 1);
    old.push(&update).await;
    assert_eq!(answer(&mut old).await, Msg::Reject(1, RejectCode::Invalid));
    assert_eq!(server.rows("a").await, 0);
    // Somebody else's layout, before and in the same update.
    for together in [false, true] {
        let name = format!("array-{together}");
        let mut client = knowing(&server, &name, 3).await;
        client.doc = common::client::doc(3);
        let array = client.doc.get_or_insert_array("content");
        let content = change(&client.doc, |txn| array.push_back(txn, "text"));
        let flag = flag(&client.doc, 1);
        if together {
            client.push(&everything(&client.doc)).await;
        } else {
            client.push(&content).await;
            assert_eq!(answer(&mut client).await, Msg::Ack(1));
            client.push(&flag).await;
        }
        assert!(matches!(answer(&mut client).await, Msg::Reject(_, RejectCode::Invalid)), "{together}");
        assert_eq!(format_of(&stored(&server, &name).await.transact()), 0);
    }
    // With content and without.
    for (name, empty) in [("full", false), ("empty", true)] {
        let mut client = knowing(&server, name, 4).await;
        if !empty {
            let update = line(&client);
            client.push(&update).await;
        }
        let update = flag(&client.doc, 1);
        client.push(&update).await;
        client.all_acked().await;
    }
    // Two at once: both are right.
    let late = flag(&Client::scratch(5).doc, 1);
    let mut client = knowing(&server, "full", 6).await;
    client.push(&late).await;
    assert_eq!(answer(&mut client).await, Msg::Ack(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_lowers_a_format_or_makes_it_unknown() {
    let server = TestServer::start().await;
    let made = document(&server, "scene").await;
    let attempts: [(&str, Change<Doc>); 4] = [
        ("0", |doc| flag(doc, 0)),
        ("7", |doc| flag(doc, 7)),
        ("a word", |doc| {
            let map = doc.get_or_insert_map("slate-yrs:doc");
            change(doc, |txn| map.insert(txn, "format", Any::from("one")))
        }),
        ("removed", |doc| {
            let map = doc.get_or_insert_map("slate-yrs:doc");
            change(doc, |txn| map.remove(txn, "format"))
        }),
    ];
    for (id, (what, attempt)) in (10..).zip(attempts) {
        let mut client = knowing(&server, "scene", id).await;
        client.sync().await;
        let update = attempt(&client.doc);
        client.push(&update).await;
        assert_eq!(answer(&mut client).await, Msg::Reject(1, RejectCode::Invalid), "{what}");
    }
    assert_eq!(everything(&stored(&server, "scene").await), everything(&made.doc));
}

/// A plain client may read, and have roots of its own.
#[tokio::test(flavor = "multi_thread")]
async fn plain_clients_have_other_roots_and_leave_the_text_alone() {
    let server = TestServer::start().await;
    let mut made = document(&server, "scene").await;
    let shown = text(&made.doc);
    let rows = server.rows("scene").await;
    let harm: [(&str, usize, Change<Client>); 7] = [
        ("types", 1, |client| {
            let line = first(&client.doc);
            change(&client.doc, |txn| line.insert(txn, 3, "typed"))
        }),
        ("puts a block", 1, |client| line(client)),
        ("deletes letters", 1, |client| {
            let line = first(&client.doc);
            change(&client.doc, |txn| line.remove_range(txn, 0, 3))
        }),
        ("deletes the line", 1, |client| change(&client.doc, |txn| client.text.remove_range(txn, 0, 1))),
        ("formats", 1, |client| {
            let line = first(&client.doc);
            change(&client.doc, |txn| line.format(txn, 0, 1, [("bold".into(), Any::Bool(true))].into()))
        }),
        ("sets a property", 1, |client| {
            let line = first(&client.doc);
            change(&client.doc, |txn| line.insert_attribute(txn, "type", Any::from("h1")))
        }),
        ("writes in one of ours", 1, |client| {
            let map = client.doc.get_or_insert_map(format!("{OWN_ROOTS}again"));
            change(&client.doc, |txn| map.insert(txn, "a", 1))
        }),
    ];
    for (id, (what, times, harm)) in (20..).zip(harm) {
        let mut client = server.plain("scene", id).await;
        client.sync().await;
        let update = harm(&client);
        client.push(&update).await;
        client.push(&update).await;
        client.send(&Message::SyncStep2(&everything(&client.doc))).await;
        assert_eq!(told(&mut client).await, times, "{what}");
        assert_eq!(server.rows("scene").await, rows, "{what}");
    }
    made.silence(QUIET).await;
    // What a script sets, everybody gets, and it is there afterwards.
    let mut script = server.plain("scene", 40).await;
    script.sync().await;
    let map = script.doc.get_or_insert_map("settings");
    for value in [1, 2] {
        let update = change(&script.doc, |txn| map.insert(txn, "zoom", value));
        script.push(&update).await;
    }
    assert_eq!(told(&mut script).await, 0);
    made.until("has what was set", |client| {
        let txn = client.doc.transact();
        txn.get_map("settings").and_then(|map| map.get(&txn, "zoom")) == Some(Out::Any(Any::from(2)))
    })
    .await;
    assert_eq!(server.rows("scene").await, rows + 2);
    drop((made, script));
    server.unload().await;
    let after = stored(&server, "scene").await;
    assert_eq!((text(&after), format_of(&after.transact())), (shown, 1));
    let map = after.get_or_insert_map("settings");
    assert_eq!(map.get(&after.transact(), "zoom"), Some(Out::Any(Any::from(2))));
}

/// Yjs deletes superfluous formats by itself: nobody hears of it, and nothing of it is stored.
#[tokio::test(flavor = "multi_thread")]
async fn deletions_of_formats_alone_are_dropped_in_silence() {
    let server = TestServer::start().await;
    let made = document(&server, "scene").await;
    let rows = server.rows("scene").await;
    let mut client = server.plain("scene", 30).await;
    client.sync().await;
    // Client 1 has made the line, its eleven letters, and both ends of a format.
    let deletion = |clock: u8, length: u8| [0, 1, 1, 1, clock, length];
    let copy = Client::scratch(31);
    copy.doc.transact_mut().apply_update(Update::decode_v1(&everything(&made.doc)).unwrap()).unwrap();
    copy.doc.transact_mut().apply_update(Update::decode_v1(&deletion(12, 2)).unwrap()).unwrap();
    assert_eq!((text(&made.doc).contains("<bold>"), text(&copy.doc).contains("<bold>")), (true, false));
    for clock in [12, 13] {
        client.push(&deletion(clock, 1)).await;
    }
    assert_eq!((told(&mut client).await, server.rows("scene").await), (0, rows));
    // Along with something of its own, that alone is stored.
    let map = client.doc.get_or_insert_map("settings");
    let mut update = change(&client.doc, |txn| map.insert(txn, "zoom", 1));
    assert_eq!(update.pop(), Some(0));
    update.extend(&deletion(12, 1)[1..]);
    client.push(&update).await;
    assert_eq!((told(&mut client).await, server.rows("scene").await), (0, rows + 1));
    // With a letter among them it is told.
    client.push(&deletion(11, 2)).await;
    assert_eq!((told(&mut client).await, server.rows("scene").await), (1, rows + 1));
    let after = stored(&server, "scene").await;
    assert_eq!(text(&after), text(&made.doc));
    let names: Vec<String> = after.transact().root_refs().map(|(name, _)| name.to_owned()).collect();
    assert!(names.contains(&"settings".to_owned()), "{names:?}");
}

fn text(doc: &Doc) -> String {
    first(doc).get_string(&doc.transact())
}

#[tokio::test(flavor = "multi_thread")]
async fn registers_that_nobody_can_have_written_are_refused() {
    let server = TestServer::start().await;
    let mut client = document(&server, "scene").await;
    let line = first(&client.doc);
    let sum: u32 = client.doc.transact().state_vector().iter().map(|(_, clock)| *clock).sum();
    let claims = |t: Any| Any::from(vec![t, Any::from(vec![Any::from("1-0"), Any::Null])]);
    let cases = [
        ("a fraction", claims(Any::from(1.5))),
        ("negative", claims(Any::from(-1))),
        ("not safe", claims(Any::from(9_007_199_254_740_993.0))),
        ("later than anybody", claims(Any::from(sum + 1_000))),
        ("a word", claims(Any::from("1"))),
        ("no list", Any::from(3)),
        ("empty", Any::from(Vec::<Any>::new())),
    ];
    for (id, (what, value)) in (50..).zip(cases) {
        let mut forger = knowing(&server, "scene", id).await;
        forger.sync().await;
        let line = first(&forger.doc);
        let update = change(&forger.doc, |txn| line.insert_attribute(txn, "@at", value));
        forger.push(&update).await;
        assert_eq!(answer(&mut forger).await, Msg::Reject(1, RejectCode::Invalid), "{what}");
    }
    // The first, and one in its place, whose bytes name neither root nor key.
    for t in [sum, 0, sum + 1] {
        let update = change(&client.doc, |txn| line.insert_attribute(txn, "@at", claims(Any::from(t))));
        client.push(&update).await;
        client.all_acked().await;
    }
    let update = change(&client.doc, |txn| line.insert_attribute(txn, "@at", claims(Any::from(sum + 9_999))));
    client.push(&update).await;
    assert_eq!(answer(&mut client).await, Msg::Reject(client.seq, RejectCode::Invalid));
    // In a document of format 0 it is a property like any other.
    let mut other = knowing(&server, "zero", 60).await;
    let update = change(&other.doc, |txn| {
        let line = other.text.insert_embed(txn, 0, XmlTextPrelim::new(""));
        line.insert_attribute(txn, "@at", Any::from("home"));
    });
    other.push(&update).await;
    other.all_acked().await;
}

/// The deepest that may be can be deleted, here and by who opens it; what is deeper is refused at the door.
#[tokio::test(flavor = "multi_thread")]
async fn nesting_ends_at_the_same_depth_everywhere() {
    use slate_yrs::update::MAX_NESTING;
    let server = TestServer::start().await;
    for (depth, taken) in [(MAX_NESTING, true), (MAX_NESTING + 1, false)] {
        let name = format!("deep-{depth}");
        let mut client = knowing(&server, &name, 1).await;
        let mut outermost = None;
        let update = change(&client.doc, |txn| {
            let mut inner = client.text.insert_embed(txn, 0, XmlTextPrelim::new(""));
            outermost = Some(inner.clone());
            for _ in 1..depth {
                inner = inner.insert_embed(txn, 0, XmlTextPrelim::new(""));
            }
        });
        client.push(&update).await;
        let expected = if taken { Msg::Ack(1) } else { Msg::Reject(1, RejectCode::Invalid) };
        assert_eq!(answer(&mut client).await, expected);
        if taken {
            client.push(&[0, 1, 1, 1, 0, 1]).await;
            client.all_acked().await;
            assert_eq!(stored(&server, &name).await.get_or_insert_text("content").len(&client.doc.transact()), 0);
        }
    }
}

/// After a newer server: a document that this one does not know is for those who do.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_of_a_format_to_come_is_only_read() {
    let mut server = TestServer::start().await;
    let made = document(&server, "scene").await;
    let epoch = server.storage.document("scene").await.unwrap().unwrap().epoch;
    drop(made);
    server.unload().await;
    let author = common::client::doc(70);
    let update = {
        let state = everything(&stored(&server, "scene").await);
        author.transact_mut().apply_update(Update::decode_v1(&state).unwrap()).unwrap();
        flag(&author, 2)
    };
    server.unload().await;
    server.storage.store_update("scene", &epoch, 0, &update).await.unwrap();
    server.restart().await;
    let mut client = knowing(&server, "scene", 2).await;
    assert_eq!(client.hello.as_ref().unwrap().format, Some(2));
    let closed = tokio::time::timeout(common::PATIENCE, client.closed()).await;
    assert_eq!(closed.ok(), Some(close::FORMAT));
    let mut plain = server.plain("scene", 3).await;
    plain.sync().await;
    let line = first(&plain.doc);
    let update = change(&plain.doc, |txn| line.insert(txn, 0, "typed"));
    plain.push(&update).await;
    assert_eq!(told(&mut plain).await, 1);
}
