//! Formats come back as they were.

use serde_json::json;

use super::alone::there_and_back;
use super::doc;
use crate::slate::Op;
use crate::slate::tests::json::op;

/// `b` of "ab" is bold.
fn bold() -> Vec<Op> {
    let split = op(&json!({"type": "split_node", "path": [0, 0], "position": 1, "properties": {}}));
    let set = op(&json!({"type": "set_node", "path": [0, 1], "properties": {}, "newProperties": {"bold": true}}));
    vec![split, set]
}

fn typed(path: &[u32], offset: u32, text: &str) -> Vec<Op> {
    vec![op(&json!({"type": "insert_text", "path": path, "offset": offset, "text": text}))]
}

fn back_and_forth(text: &str, flushes: &[Vec<Op>]) {
    there_and_back(&mut doc(text), flushes, true).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_was_typed_at_the_start_of_bold_goes_alone() {
    back_and_forth("ab", &[bold(), typed(&[0, 1], 0, "x")]);
    back_and_forth("ab", &[bold(), typed(&[0, 1], 1, "x")]);
    back_and_forth("ab", &[bold(), typed(&[0, 0], 1, "x")]);
}

#[test]
fn an_element_that_was_put_into_a_link_goes_alone() {
    let link = |kids: serde_json::Value| json!({"type": "a", "children": kids});
    let wrap = vec![
        op(&json!({"type": "split_node", "path": [0, 0], "position": 1, "properties": {}})),
        op(&json!({"type": "insert_node", "path": [0, 2], "node": link(json!([]))})),
        op(&json!({"type": "move_node", "path": [0, 1], "newPath": [0, 2, 0]})),
        op(&json!({"type": "insert_node", "path": [0, 2], "node": {"text": ""}})),
    ];
    let mention = vec![
        op(&json!({"type": "insert_node", "path": [0, 1, 0], "node": {"type": "m", "children": [{"text": ""}]}})),
        op(&json!({"type": "insert_node", "path": [0, 1, 0], "node": {"text": ""}})),
    ];
    back_and_forth("ab", &[wrap.clone(), mention]);
    let changed = vec![
        op(&json!({"type": "insert_text", "path": [0, 1, 0], "offset": 1, "text": "x"})),
        op(&json!({"type": "set_node", "path": [0, 1], "properties": {}, "newProperties": {"url": "u"}})),
    ];
    back_and_forth("ab", &[wrap.clone(), changed.clone()]);
    back_and_forth("ab", &[wrap, changed.clone(), changed]);
}
