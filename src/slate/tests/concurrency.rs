//! Two editors at the same time in a document of format 0: both show the same, and where the copy that an edit makes can be
//! chosen so that it loses nothing, it is.

use serde_json::{Value, json};

use super::fixtures::two_with;
use super::json::{nodes, ops};
use super::model::canonical;
use super::random::Editor;
use super::remote::p;
use crate::slate::Node;

/// Both edit, then hear of each other.
fn both(input: Value, one_does: Value, two_does: Value) -> (Editor, Editor) {
    let (mut one, mut two) = two_with(&nodes(&input));
    let from_one = one.edit(ops(&one_does));
    let from_two = two.edit(ops(&two_does));
    from_two.into_iter().for_each(|update| one.receive(&update));
    from_one.into_iter().for_each(|update| two.receive(&update));
    assert_eq!(canonical(&one.value), canonical(&two.value), "the editors differ");
    (one, two)
}

pub(super) fn texts(value: &[Node]) -> Vec<String> {
    fn flat(node: &Node) -> String {
        match node {
            Node::Text(leaf) => leaf.text.clone(),
            Node::Element(element) => element.children.iter().map(flat).collect(),
        }
    }
    value.iter().map(flat).collect()
}

fn outcome(input: Value, one_does: Value, two_does: Value) -> Vec<String> {
    texts(&both(input, one_does, two_does).0.value)
}

fn enter(block: u32, offset: u32) -> Value {
    json!([
        {"type": "split_node", "path": [block, 0], "position": offset, "properties": {}},
        {"type": "split_node", "path": [block], "position": 1, "properties": {"type": "paragraph"}},
    ])
}

fn type_x(block: u32, offset: u32) -> Value {
    json!([{"type": "insert_text", "path": [block, 0], "offset": offset, "text": "X"}])
}

fn backspace(block: u32) -> Value {
    json!([{"type": "merge_node", "path": [block], "position": 1, "properties": {"type": "paragraph"}}])
}

#[test]
fn typing_while_a_peer_splits_at_a_border_stays_in_its_line() {
    let line = json!([p("a line")]);
    for offset in [1, 3, 6] {
        let mut typed = "a line".to_owned();
        typed.insert(offset, 'X');
        assert_eq!(outcome(line.clone(), enter(0, 0), type_x(0, offset as u32)), ["", typed.as_str()]);
    }
    for offset in [0, 3, 5] {
        let mut typed = "a line".to_owned();
        typed.insert(offset, 'X');
        assert_eq!(outcome(line.clone(), enter(0, 6), type_x(0, offset as u32)), [typed.as_str(), ""]);
    }
}

#[test]
fn typing_in_the_larger_half_of_a_split_stays_with_it() {
    // The smaller half is copied: "one" here, "six" there.
    assert_eq!(outcome(json!([p("one two three")]), enter(0, 4), type_x(0, 10)), ["one ", "two thXree"]);
    assert_eq!(outcome(json!([p("three two six")]), enter(0, 10), type_x(0, 2)), ["thXree two ", "six"]);
}

#[test]
fn a_merge_with_an_empty_block_loses_nothing() {
    let heading = json!({"type": "heading", "children": [{"text": ""}]});
    for offset in 0..=4 {
        let mut typed = "text".to_owned();
        typed.insert(offset as usize, 'X');
        let before = outcome(json!([heading, p("text")]), backspace(1), type_x(1, offset));
        assert_eq!(before, [typed.as_str()], "empty before");
        let after = outcome(json!([p("text"), p("")]), backspace(1), type_x(0, offset));
        assert_eq!(after, [typed.as_str()], "empty after");
    }
}

#[test]
fn a_format_while_a_peer_splits_loses_nothing() {
    let line = "one two three";
    let bold = json!([{"type": "set_node", "path": [0, 0], "properties": {}, "newProperties": {"bold": true}}]);
    for cut in 0..=13 {
        let lines = outcome(json!([p(line)]), enter(0, cut), bold.clone());
        assert_eq!(lines.concat(), line, "cut {cut}");
    }
}

#[test]
fn two_enters_in_one_line_double_nothing_but_what_both_copied() {
    for (one, two) in [(0, 0), (0, 13), (13, 13), (0, 8)] {
        let lines = outcome(json!([p("one two three")]), enter(0, one), enter(0, two));
        assert_eq!(lines.concat(), "one two three", "at {one} and {two}: {lines:?}");
    }
}

#[test]
fn a_property_set_while_a_peer_splits_at_the_start_goes_to_the_text() {
    let heading = json!([{"type": "set_node", "path": [0], "properties": {"type": "paragraph"},
        "newProperties": {"type": "heading"}}]);
    let (one, _) = both(json!([p("title")]), enter(0, 0), heading);
    assert_eq!(canonical(&one.value), nodes(&json!([p(""), {"type": "heading", "children": [{"text": "title"}]}])));
}

#[test]
fn two_backspaces_at_one_place_lose_nothing_whatever_was_typed_before() {
    for typed in 0..=4 {
        let mut one = json!([{"type": "insert_text", "path": [0, 0], "offset": 0, "text": "X".repeat(typed)}]);
        let more = backspace(1);
        one.as_array_mut().zip(more.as_array()).into_iter().for_each(|(all, more)| all.extend(more.iter().cloned()));
        let all = outcome(json!([p("four"), p("fives")]), one, backspace(1)).concat();
        for part in ["four", "fives", &"X".repeat(typed)] {
            assert!(all.contains(part), "{part} is gone from {all}");
        }
    }
}

#[test]
fn an_item_that_is_divided_near_its_start_stays_with_most_of_its_text() {
    let item = |text: &str| json!({"type": "li", "children": [p(text)]});
    let list = json!([{"type": "ul", "children": [item("abcd"), item("efgh")]}]);
    let enter = json!([
        {"type": "split_node", "path": [0, 0, 0, 0], "position": 1, "properties": {}},
        {"type": "split_node", "path": [0, 0, 0], "position": 1, "properties": {"type": "paragraph"}},
        {"type": "split_node", "path": [0, 0], "position": 1, "properties": {"type": "li"}},
    ]);
    let typed = json!([{"type": "insert_text", "path": [0, 0, 0, 0], "offset": 4, "text": "X"}]);
    assert_eq!(outcome(list, enter, typed), ["abcdXefgh"]);
}

/// One is moved past two, another past one that is as long: what both copy would be there twice.
#[test]
fn of_two_as_long_what_was_moved_is_copied() {
    let lines = json!([p("abcd"), p("efgh"), p("ijkl")]);
    let last = json!([{"type": "move_node", "path": [0], "newPath": [2]}]);
    let first = json!([{"type": "move_node", "path": [1], "newPath": [0]}]);
    assert_eq!(outcome(lines, last, first), ["efgh", "ijkl", "abcd"]);
}

/// What was taken out of a quote is copied: if it became what the quote was, it would get what a peer puts into that.
#[test]
fn a_quote_that_is_unwrapped_becomes_none_of_its_lines() {
    let quote = json!([p("abcd"), {"type": "quote", "children": [p("efgh"), p("ijkl")]}]);
    let unwrap = json!([
        {"type": "move_node", "path": [1, 0], "newPath": [1]},
        {"type": "move_node", "path": [2, 0], "newPath": [2]},
        {"type": "remove_node", "path": [3], "node": {"type": "quote", "children": []}},
    ]);
    let enter = json!([
        {"type": "split_node", "path": [1, 1, 0], "position": 2, "properties": {}},
        {"type": "split_node", "path": [1, 1], "position": 1, "properties": {"type": "paragraph"}},
    ]);
    assert_eq!(outcome(quote, unwrap, enter), ["abcd", "efgh", "ijkl"]);
}

/// The same the other way round: what was put around a line does not become it.
#[test]
fn what_is_put_around_a_line_is_made_anew() {
    let wrap = json!([
        {"type": "insert_node", "path": [1], "node": {"type": "quote", "children": []}},
        {"type": "move_node", "path": [0], "newPath": [1, 0]},
    ]);
    let (one, _) = both(json!([p("abcd")]), wrap, type_x(0, 4));
    assert_eq!(one.value, super::json::nodes(&json!([{"type": "quote", "children": [p("abcd")]}])));
}
