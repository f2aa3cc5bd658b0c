//! What is written into a document of format 0: nothing that slate-yjs does not know, and no more than has to be.

use serde_json::{Value, json};
use yrs::updates::decoder::Decode as _;
use yrs::{Doc, Out, ReadTxn, Text as _, Transact as _, Update, Xml as _, XmlTextRef};

use super::fixtures::two_with;
use super::json::{nodes, ops};
use super::model::canonical;
use super::random::Editor;
use super::remote::p;

/// The names of all roots, attributes and formats of a document.
fn names(editor: &Editor) -> Vec<String> {
    fn collect<T: ReadTxn>(txn: &T, text: &XmlTextRef, names: &mut Vec<String>) {
        names.extend(text.attributes(txn).map(|(name, _)| name.to_owned()));
        for diff in text.diff(txn, yrs::types::text::YChange::identity) {
            names.extend(diff.attributes.into_iter().flat_map(|formats| *formats).map(|(name, _)| name.to_string()));
            if let Out::YXmlText(child) = diff.insert {
                collect(txn, &child, names);
            }
        }
    }
    let doc = Doc::new();
    let state = editor.doc.encode_state(None).expect("encodes");
    doc.transact_mut().apply_update(Update::decode_v1(&state).expect("decodes")).expect("applies");
    let text = doc.get_or_insert_text("content");
    let root: &XmlTextRef = text.as_ref();
    let txn = doc.transact();
    let mut names: Vec<String> = txn.root_refs().map(|(name, _)| name.to_owned()).collect();
    collect(&txn, root, &mut names);
    names.sort_unstable();
    names.dedup();
    names
}

fn enter(block: u32, offset: u32) -> Value {
    json!([
        {"type": "split_node", "path": [block, 0], "position": offset, "properties": {}},
        {"type": "split_node", "path": [block], "position": 1, "properties": {"type": "paragraph"}},
    ])
}

#[test]
fn nothing_of_format_1_is_written() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("one line"), p("another"), p("third")])));
    let wrap = json!([
        {"type": "insert_node", "path": [0], "node": {"type": "quote", "children": []}},
        {"type": "move_node", "path": [2], "newPath": [0, 0]},
    ]);
    let edits = [
        enter(0, 3),
        json!([{"type": "merge_node", "path": [1], "position": 1, "properties": {"type": "paragraph"}}]),
        json!([{"type": "move_node", "path": [0], "newPath": [1]}]),
        json!([{"type": "set_node", "path": [0, 0], "properties": {}, "newProperties": {"bold": true}}]),
        json!([{"type": "remove_node", "path": [2], "node": p("third")}]),
        wrap,
    ];
    for edit in &edits {
        one.edit(ops(edit)).into_iter().for_each(|update| two.receive(&update));
    }
    for _ in 0..edits.len() {
        one.undo().into_iter().for_each(|update| two.receive(&update));
    }
    assert_eq!(canonical(&one.value), canonical(&nodes(&json!([p("one line"), p("another"), p("third")]))));
    for _ in 0..edits.len() {
        one.redo().into_iter().for_each(|update| two.receive(&update));
    }
    assert_eq!(canonical(&one.value), canonical(&two.value));
    assert_eq!(names(&one), ["bold", "content", "type"]);
}

/// What are registers and keys in format 1 are names like any other.
#[test]
fn a_name_is_that_very_name() {
    let odd = json!([
        {"type": "p", "@gone": [null], "@": "break", "@@x": 1, "children": [{"text": "a", "bold~1~5": true, "@a~2~5": {}}]},
        p("b"),
    ]);
    let (mut one, mut two) = two_with(&nodes(&odd));
    assert_eq!(canonical(&two.value), canonical(&nodes(&odd)));
    let set =
        json!([{"type": "set_node", "path": [1], "properties": {}, "newProperties": {"@at": [1], "@=type": "q"}}]);
    two.receive(&one.edit(ops(&set)).expect("a change"));
    assert_eq!(canonical(&two.value), canonical(&one.value));
    let found = names(&two);
    for name in ["@", "@=type", "@@x", "@a~2~5", "@at", "@gone", "bold~1~5"] {
        assert!(found.iter().any(|found| found == name), "{name}: {found:?}");
    }
}

#[test]
fn the_smaller_half_is_copied() {
    // Element, its type, and as many characters.
    for (cut, copied) in [(0, 0), (3, 3), (5, 5), (7, 3), (10, 0)] {
        let (mut one, _) = two_with(&nodes(&json!([p("ten letters".get(..10).expect("ten"))])));
        let before = one.doc.clock_of(1);
        one.edit(ops(&enter(0, cut))).expect("a change");
        assert_eq!(one.doc.clock_of(1) - before, 2 + copied, "cut at {cut}");
    }
}

#[test]
fn what_a_move_passes_is_copied_if_it_is_less() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("a long line that is moved"), p("b"), p("c")])));
    let before = one.doc.clock_of(1);
    let moved = json!([{"type": "move_node", "path": [0], "newPath": [2]}]);
    two.receive(&one.edit(ops(&moved)).expect("a change"));
    assert_eq!(one.doc.clock_of(1) - before, 2 * 3, "two elements with a type and a letter");
    assert_eq!(canonical(&two.value), canonical(&nodes(&json!([p("b"), p("c"), p("a long line that is moved")]))));
}
