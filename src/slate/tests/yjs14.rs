//! Elements and fragments that hold text themselves, as Yjs 14 writes them, among texts.

use serde_json::{Value, json};
use yrs::types::text::YChange;
use yrs::types::xml::XmlIn;
use yrs::{
    Any, Doc, Out, ReadTxn, StateVector, Text, Transact, Update, XmlElementPrelim, XmlFragmentPrelim, XmlTextPrelim,
    XmlTextRef,
};
use yrs::{Xml, updates::decoder::Decode};

use super::json::{nodes, ops};
use super::model::{apply_all, canonical};
use super::random::Editor;
use crate::slate::ydoc::sequence_of;

const NONE: [XmlIn; 0] = [];

fn other() -> Doc {
    Doc::with_options(yrs::Options { offset_kind: yrs::OffsetKind::Utf16, ..Default::default() })
}

fn embedded(doc: &Doc, within: &XmlTextRef) -> Vec<XmlTextRef> {
    let diffs = within.diff(&doc.transact(), YChange::identity);
    diffs.iter().filter_map(|diff| sequence_of(&diff.insert)).collect()
}

fn state(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

fn hear(doc: &Doc, update: &[u8]) {
    doc.transact_mut().apply_update(Update::decode_v1(update).expect("valid")).expect("applies");
}

/// `heading` named by its element, `quote` by an attribute of a fragment, and in it another element.
fn written() -> (Doc, Vec<XmlTextRef>) {
    let doc = other();
    let root = doc.get_or_insert_text("content");
    let mut txn = doc.transact_mut();
    root.insert_embed(&mut txn, 0, XmlElementPrelim::new("heading", NONE));
    root.insert_embed(&mut txn, 1, XmlFragmentPrelim::new::<_, XmlIn>(NONE));
    drop(txn);
    let top = embedded(&doc, root.as_ref());
    let mut txn = doc.transact_mut();
    top[0].insert(&mut txn, 0, "One line");
    top[0].format(&mut txn, 0, 3, [("bold".into(), Any::Bool(true))].into());
    top[0].insert_attribute(&mut txn, "id", "1");
    top[1].insert_attribute(&mut txn, "type", "quote");
    top[1].insert_embed(&mut txn, 0, XmlElementPrelim::new("p", NONE));
    drop(txn);
    let inner = embedded(&doc, &top[1]).remove(0);
    inner.insert(&mut doc.transact_mut(), 0, "said");
    (doc, [top, vec![inner]].concat())
}

fn shown(first: &Value) -> Value {
    json!([first, {"type": "quote", "children": [{"type": "p", "children": [{"text": "said"}]}]}])
}

/// Each edit is an undo step of its own.
fn edit(one: &mut Editor, now: u64, value: &Value) {
    let ops = ops(value);
    apply_all(&mut one.value, &ops);
    let change = one.doc.apply_local(ops);
    assert_eq!(change.rejected, []);
    apply_all(&mut one.value, &change.ops);
    one.check("an edit");
    match one.doc.is_by_reference() {
        false => one.undo.record(now, change.inverse, None),
        true => one.undo.record_acts(now, change.acts, change.passage, None),
    }
}

#[test]
fn elements_and_fragments_that_hold_text_are_shown_and_written() {
    for format in [0, 1] {
        let (doc, types) = written();
        let mut one = Editor::new(1);
        one.receive(&state(&doc));
        one.doc.raise_format(format);
        assert_eq!(one.doc.check_root(), Ok(()));
        let heading = |kind: Value, rest: &str| {
            let mut heading = json!({"id": "1", "children": [{"text": "One", "bold": true}, {"text": rest}]});
            if kind.is_string() {
                heading["type"] = kind;
            }
            canonical(&nodes(&shown(&heading)))
        };
        let now = |one: &Editor| canonical(&one.doc.read());
        assert_eq!(now(&one), heading(json!("heading"), " line"), "format {format}");

        // What is typed stands in them, and the name is a property as any other.
        edit(&mut one, 1_000, &json!([{"type": "insert_text", "path": [0, 1], "offset": 5, "text": "!"}]));
        edit(
            &mut one,
            2_000,
            &json!([
                {"type": "set_node", "path": [0], "properties": {"type": "heading"}, "newProperties": {"type": "title"}}
            ]),
        );
        edit(
            &mut one,
            3_000,
            &json!([
                {"type": "set_node", "path": [0], "properties": {"type": "title"}, "newProperties": {}}
            ]),
        );
        assert_eq!(now(&one), heading(json!(null), " line!"), "format {format}");
        hear(&doc, &one.doc.encode_state(None).expect("state"));
        let diffs = types[0].diff(&doc.transact(), YChange::identity);
        let texts = diffs.iter().filter_map(|diff| match &diff.insert {
            Out::Any(Any::String(text)) => Some(&**text),
            _ => None,
        });
        assert_eq!(texts.collect::<String>(), "One line!");
        let mut fresh = Editor::new(2);
        fresh.receive(&state(&doc));
        assert_eq!(now(&fresh), now(&one));

        one.undo();
        assert_eq!(now(&one), heading(json!("title"), " line!"), "format {format}");
        one.undo();
        one.undo();
        assert_eq!(now(&one), heading(json!("heading"), " line"), "format {format}");

        // What their author writes is followed, and what divides them, takes them out and brings them back keeps their letters.
        let before = doc.transact().state_vector();
        types[2].insert(&mut doc.transact_mut(), 4, " so");
        let update = doc.transact().encode_diff_v1(&before);
        one.receive(&update);
        let said = |text: &str| json!([{"type": "quote", "children": [{"type": "p", "children": [{"text": text}]}]}]);
        assert_eq!(canonical(&one.doc.read()[1..]), canonical(&nodes(&said("said so"))));
        edit(
            &mut one,
            4_000,
            &json!([
                {"type": "split_node", "path": [1, 0, 0], "position": 4, "properties": {}},
                {"type": "split_node", "path": [1, 0], "position": 1, "properties": {"type": "p"}}
            ]),
        );
        let quote = json!({"type": "quote", "children": [
            {"type": "p", "children": [{"text": "said"}]}, {"type": "p", "children": [{"text": " so"}]}
        ]});
        edit(&mut one, 5_000, &json!([{"type": "remove_node", "path": [1], "node": quote}]));
        assert_eq!(one.doc.read().len(), 1);
        one.undo();
        one.undo();
        assert_eq!(canonical(&one.doc.read()[1..]), canonical(&nodes(&said("said so"))), "format {format}");
    }
}

#[test]
fn an_element_with_all_its_text_in_texts_is_another_editors() {
    let (doc, inner) = (other(), other());
    for (doc, is_empty) in [(&doc, true), (&inner, false)] {
        let root = doc.get_or_insert_text("content");
        root.insert_embed(&mut doc.transact_mut(), 0, XmlElementPrelim::new("paragraph", NONE));
        if !is_empty {
            let paragraph = embedded(doc, root.as_ref()).remove(0);
            paragraph.insert_embed(&mut doc.transact_mut(), 0, XmlTextPrelim::new("as ProseMirror has it"));
        }
        let mut one = Editor::new(1);
        one.doc.load(&state(doc)).expect("valid");
        let found = one.doc.check_root();
        assert_eq!(found.is_ok(), is_empty, "{found:?}");
        if let Err(error) = found {
            assert!(error.to_string().contains("Fragment"), "{error}");
        }
    }
}
