//! The way back: documents of any format in the layout of slate-yjs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use common::TestServer;
use common::http::get;
use common::layout::{Made, canonical, line, slate_doc};
use slate_yrs::slate::{Node, SlateDoc};
use slate_yrs_server::admin;
use slate_yrs_server::history::nodes_to_json;
use slate_yrs_server::plain::{PlainError, plain};
use slate_yrs_server::storage::Storage;
use yrs::types::ToJson;
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, ArrayPrelim, Doc, GetString, Map, MapPrelim, Out, ReadTxn, StateVector, Text, TextPrelim, Transact,
    Update, Xml, XmlElementPrelim, XmlFragment, XmlTextRef,
};

fn read(root: &str, state: &[u8]) -> SlateDoc {
    let mut doc = slate_doc(99, root);
    doc.load(state).unwrap();
    doc
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

fn apply(doc: &Doc, update: &[u8]) {
    doc.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
}

fn everything(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

/// What slate-yjs sees: nested texts, their attributes, and marks, in the words of the document.
fn seen(doc: &Doc, text: &XmlTextRef, out: &mut Vec<String>) {
    let txn = doc.transact();
    out.extend(text.attributes(&txn).map(|(name, _)| name.to_owned()));
    let diffs = text.diff(&txn, YChange::identity);
    drop(txn);
    for diff in diffs {
        out.extend(diff.attributes.iter().flat_map(|marks| marks.keys().map(|name| name.to_string())));
        match diff.insert {
            Out::YXmlText(child) => seen(doc, &child, out),
            Out::Any(Any::String(_)) => {}
            other => panic!("{other:?} in the text"),
        }
    }
}

fn words(root: &str, state: &[u8]) -> Vec<String> {
    let doc = Doc::new();
    let text = doc.get_or_insert_text(root);
    apply(&doc, state);
    let mut out = Vec::new();
    let root: &XmlTextRef = text.as_ref();
    seen(&doc, root, &mut out);
    out
}

#[test]
fn a_document_of_format_1_is_written_as_slate_yjs_does() {
    for root in ["content", "script"] {
        let made = Made::rich(7, root);
        let state = made.state();
        assert!(contains(&state, "slate-yrs:") && words(root, &state).iter().any(|word| word.starts_with('@')));
        let plain = plain(root, &state).unwrap();
        assert!(!contains(&plain.update, "slate-yrs:"));
        let mut words = words(root, &plain.update);
        words.sort();
        words.dedup();
        assert_eq!(words, ["align", "bold", "type", "url"]);
        let copy = read(root, &plain.update);
        assert_eq!((copy.format(), canonical(&copy.value())), (0, canonical(&made.doc.value())));
        assert_eq!(plain.left_out, Vec::<String>::new());
    }
}

/// What tests/interop reads with slate-yjs itself. `BLESS=1` writes it anew.
#[test]
fn the_copy_that_slate_yjs_reads_is_this_one() {
    let made = Made::rich(7, "content");
    let update: String =
        plain("content", &made.state()).unwrap().update.iter().map(|byte| format!("{byte:02x}")).collect();
    let now = serde_json::json!({ "update": update, "value": nodes_to_json(&canonical(&made.doc.value())) });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/plain.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
    }
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(kept, now);
}

#[test]
fn a_document_of_format_0_keeps_its_value() {
    let mut doc = slate_doc(7, "content");
    doc.load(&plain("content", &Made::rich(7, "content").state()).unwrap().update).unwrap();
    doc.apply_local(vec![common::layout::go(&[1], &[3]), common::layout::put(&[0], line("new"))]);
    // As versions before format 1 have written down what they copied.
    let notes = Doc::with_client_id(9);
    notes.get_or_insert_map("slate-yrs:copies").insert(
        &mut notes.transact_mut(),
        "1.9.0",
        Any::Buffer(vec![1, 0].into()),
    );
    doc.load(&notes.transact().encode_state_as_update_v1(&StateVector::default())).unwrap();
    let state = doc.encode_state(None).unwrap();
    assert!(contains(&state, "slate-yrs:copies"));
    let copy = plain("content", &state).unwrap().update;
    assert!(!contains(&copy, "slate-yrs:"));
    assert_eq!(canonical(&read("content", &copy).value()), canonical(&doc.value()));
    assert_eq!(plain("content", &[0, 0]).unwrap().update, [0, 0]);
}

fn value(doc: &Doc, name: &str) -> Any {
    let txn = doc.transact();
    txn.get_map(name).map(|map| map.to_json(&txn)).unwrap()
}

#[test]
fn other_roots_keep_their_content() {
    let doc = Doc::with_client_id(3);
    let (settings, list, note) =
        (doc.get_or_insert_map("settings"), doc.get_or_insert_array("list"), doc.get_or_insert_text("note"));
    apply(&doc, &Made::rich(7, "content").state());
    let mut txn = doc.transact_mut();
    settings.insert(&mut txn, "zoom", 1.5);
    settings.insert(&mut txn, "gone", true);
    settings.remove(&mut txn, "gone");
    let inner = settings.insert(&mut txn, "inner", MapPrelim::default());
    let deep = inner.insert(&mut txn, "list", ArrayPrelim::default());
    deep.push_back(&mut txn, Any::Null);
    let label = deep.push_back(&mut txn, TextPrelim::new("plain"));
    label.format(&mut txn, 0, 2, [("bold".into(), Any::Bool(true))].into());
    list.push_back(&mut txn, "a");
    list.push_back(&mut txn, Any::Buffer(vec![1, 2].into()));
    list.push_back(&mut txn, MapPrelim::from([("b", 2)]));
    note.insert(&mut txn, 0, "a note");
    note.insert_embed(&mut txn, 2, Any::from(vec![Any::from(7)]));
    note.format(&mut txn, 3, 4, [("em".into(), Any::Bool(true))].into());
    drop(txn);
    let copy = Doc::with_client_id(4);
    apply(&copy, &plain("content", &everything(&doc)).unwrap().update);
    let (copied_list, copied_note) = (copy.get_or_insert_array("list"), copy.get_or_insert_text("note"));
    assert_eq!(value(&copy, "settings"), value(&doc, "settings"));
    assert!(value(&copy, "settings").to_string().contains("[null, plain]"));
    let json = |list: &yrs::ArrayRef, doc: &Doc| list.to_json(&doc.transact());
    assert_eq!(json(&copied_list, &copy), json(&list, &doc));
    let (was, is) =
        (note.diff(&doc.transact(), YChange::identity), copied_note.diff(&copy.transact(), YChange::identity));
    assert_eq!(format!("{is:?}"), format!("{was:?}"));
    assert_eq!(note.get_string(&doc.transact()), "a note");
}

#[test]
fn what_cannot_be_copied_is_named() {
    let doc = Doc::with_client_id(3);
    let map = doc.get_or_insert_map("settings");
    let inner = map.insert(&mut doc.transact_mut(), "inner", ArrayPrelim::default());
    inner.push_back(&mut doc.transact_mut(), 1);
    assert!(plain("content", &everything(&doc)).is_ok());
    inner.push_back(&mut doc.transact_mut(), XmlElementPrelim::empty("p"));
    let refused = plain("content", &everything(&doc)).unwrap_err();
    assert!(matches!(refused, PlainError::Other { .. }));
    assert_eq!(refused.to_string(), "the root \"settings\", entry \"inner\", item 1 cannot be copied: it is XML");
    let doc = Doc::with_client_id(3);
    doc.get_or_insert_xml_fragment("page").push_back(&mut doc.transact_mut(), XmlElementPrelim::empty("p"));
    let refused = plain("content", &everything(&doc)).unwrap_err().to_string();
    assert!(refused.contains("\"page\"") && refused.contains("XML"), "{refused}");
    // Deeper than the layout may be: an error, not an empty document.
    let mut deep = line("deep");
    for _ in 0..110 {
        deep = common::layout::element("quote", vec![deep]);
    }
    let mut made = Made::new(7, "content");
    made.doc.apply_local(vec![common::layout::put(&[0], deep)]);
    match plain("content", &made.state()) {
        Ok(plain) => assert_eq!(canonical(&read("content", &plain.update).value()), canonical(&made.doc.value())),
        Err(error) => assert!(matches!(error, PlainError::Text), "{error}"),
    }
}

/// The program itself: exported, and imported into another document.
#[tokio::test(flavor = "multi_thread")]
async fn exported_and_imported_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/server.sqlite", folder.path().display());
    let run = |args: &[&str]| {
        let program = Command::new(env!("CARGO_BIN_EXE_slate-yrs-server"))
            .args(args)
            .args(["--database", &database])
            .env_remove("SLATE_YRS_ROOT")
            .output()
            .unwrap();
        (program.status.success(), String::from_utf8_lossy(&program.stderr).into_owned())
    };
    let file = |name: &str| folder.path().join(name).display().to_string();
    let made = Made::rich(7, "script");
    std::fs::write(file("made"), made.state()).unwrap();
    assert!(run(&["import", "scene", &file("made"), "--root", "script"]).0);
    assert!(run(&["export", "scene", &file("whole")]).0);
    assert!(read("script", &std::fs::read(file("whole")).unwrap()).is_by_reference());
    let export = ["export", "scene", &file("plain"), "--format", "slate-yjs"];
    let (done, error) = run(&export);
    assert!(!done && error.contains("script"), "{error}");
    assert!(!Path::new(&file("plain")).exists());
    assert!(run(&[&export[..], &["--root", "script"]].concat()).0);
    let copy = read("script", &std::fs::read(file("plain")).unwrap());
    assert_eq!((copy.format(), canonical(&copy.value())), (0, canonical(&made.doc.value())));
    // Not beside what it was made of, nor where it would not be seen.
    let (done, error) = run(&["import", "scene", &file("plain")]);
    assert!(!done && error.contains("format 1"), "{error}");
    let (done, error) = run(&["import", "other", &file("plain"), "--root", "content"]);
    assert!(!done && error.contains("script"), "{error}");
    assert!(run(&["import", "other", &file("plain"), "--root", "script"]).0);
    assert!(run(&["export", "other", &file("back")]).0);
    let back = read("script", &std::fs::read(file("back")).unwrap());
    assert_eq!(canonical(&back.value()), canonical(&made.doc.value()));
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_over_http() {
    let server = TestServer::start().await;
    let storage: Arc<dyn Storage> = server.storage.clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made");
    let made = Made::rich(7, "content");
    std::fs::write(&file, made.state()).unwrap();
    assert!(admin::import(&storage, "scene", None, &file).await.unwrap());
    for (query, format) in [("", 1), ("?format=slate-yjs", 0)] {
        let answer = get(server.address, &format!("/api/scenes/scene/export{query}")).await;
        assert_eq!(answer.status, 200);
        let copy = read("content", &answer.body);
        let value: Vec<Node> = canonical(&copy.value());
        assert_eq!((copy.format(), value), (format, canonical(&made.doc.value())));
    }
}
