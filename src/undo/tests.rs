//! Undo between two editors. The random test of the mapping undoes and redoes, too.

use serde_json::{Value, json};

use super::Undo;
use crate::slate::{DocOptions, Node, Op, Path, Point, Range, SlateDoc, tests::json as read, tests::model};

struct Editor {
    doc: SlateDoc,
    undo: Undo,
    value: Vec<Node>,
    now: u64,
}

impl Editor {
    fn new(client_id: u32) -> Self {
        let doc = SlateDoc::new(DocOptions {
            client_id,
            root: "content".into(),
            block_id: None,
            seed: 0,
            schema: Default::default(),
        });
        Self { doc, undo: Undo::new(500), value: Vec::new(), now: 0 }
    }

    /// Each edit is a group of its own, unless less time passes.
    fn edit(&mut self, after: u64, ops: Value) -> Vec<u8> {
        self.now += after;
        let ops = read::ops(&ops);
        model::apply_all(&mut self.value, &ops);
        let change = self.doc.apply_local(ops);
        assert_eq!(change.rejected, []);
        self.undo.record(self.now, change.inverse, Some(caret(&[0, 0], 1)));
        change.update.expect("a change")
    }

    fn receive(&mut self, update: &[u8]) {
        let change = self.doc.apply_update(update).expect("valid");
        model::apply_all(&mut self.value, &change.ops);
        self.undo.transform(&change.ops);
        self.normalize();
    }

    fn normalize(&mut self) {
        let fixes = model::normalize(&mut self.value);
        self.doc.apply_local(fixes.clone());
        self.undo.transform(&fixes);
    }

    fn undo(&mut self) -> Option<(Vec<u8>, Option<Range>)> {
        let result = self.undo.undo(&mut self.doc, Some(caret(&[0, 0], 7)))?;
        self.done(result.ops);
        Some((result.change.update.expect("a change"), result.selection))
    }

    fn redo(&mut self) -> Option<(Vec<u8>, Option<Range>)> {
        let result = self.undo.redo(&mut self.doc, None)?;
        self.done(result.ops);
        Some((result.change.update.expect("a change"), result.selection))
    }

    fn done(&mut self, ops: Vec<Op>) {
        model::apply_all(&mut self.value, &ops);
        assert_eq!(self.doc.value(), self.value);
        self.normalize();
    }
}

fn caret(path: &[u32], offset: u32) -> Range {
    let point = Point { path: Path::from_slice(path), offset };
    Range { anchor: point.clone(), focus: point }
}

fn p(text: &str) -> Value {
    json!({"type": "p", "children": [{"text": text}]})
}

fn insert(path: [u32; 2], offset: u32, text: &str) -> Value {
    json!([{"type": "insert_text", "path": path, "offset": offset, "text": text}])
}

fn text(doc: &SlateDoc) -> String {
    let leaf = |node: &Node| match node {
        Node::Text(leaf) => leaf.text.clone(),
        Node::Element(_) => String::new(),
    };
    let block = |node: &Node| match node {
        Node::Element(element) => element.children.iter().map(leaf).collect(),
        Node::Text(_) => String::new(),
    };
    doc.value().iter().map(block).collect()
}

fn enter(block: u32, offset: u32) -> Value {
    json!([
        {"type": "split_node", "path": [block, 0], "position": offset, "properties": {}},
        {"type": "split_node", "path": [block], "position": 1, "properties": {"type": "p"}},
    ])
}

fn two(input: Value) -> (Editor, Editor) {
    let (mut one, mut two) = (Editor::new(1), Editor::new(2));
    for (n, node) in input.as_array().expect("nodes").iter().enumerate() {
        let update = one.edit(0, json!([{"type": "insert_node", "path": [n], "node": node}]));
        two.receive(&update);
    }
    one.undo.clear();
    (one, two)
}

fn is(editor: &Editor, expected: Value) {
    assert_eq!(model::canonical(&editor.value), read::nodes(&expected));
    assert_eq!(model::canonical(&editor.doc.read()), read::nodes(&expected));
}

#[test]
fn edits_close_in_time_are_undone_together() {
    let (mut one, _) = two(json!([p("")]));
    for (n, after) in [1000, 100, 100, 1000].into_iter().enumerate() {
        one.edit(after, insert([0, 0], n as u32, "x"));
    }
    one.undo().expect("something to undo");
    is(&one, json!([p("xxx")]));
    one.undo().expect("something to undo");
    is(&one, json!([p("")]));
    assert!(one.undo().is_none() && !one.undo.can_undo() && one.undo.can_redo());
    one.redo();
    is(&one, json!([p("xxx")]));
    one.edit(0, insert([0, 0], 0, "y"));
    assert!(!one.undo.can_redo(), "a new edit clears what could be redone");
}

/// F42: who types for 22 seconds without a pause does not take all of it back at once, in either format.
#[test]
fn f42_one_step_takes_back_a_few_seconds() {
    for format in [0, 1] {
        let (mut one, _) = two(json!([p("")]));
        if format == 1 {
            one.doc.raise_format(1);
        }
        for n in 0..220 {
            one.now += 100;
            let op = Op::InsertText { path: Path::from_slice(&[0, 0]), offset: n, text: "x".into() };
            let before = one.doc.caret_by_reference(&caret(&[0, 0], n));
            let change = one.doc.apply_local(vec![op]);
            match format {
                0 => one.undo.record(one.now, change.inverse, None),
                _ => one.undo.record_acts(one.now, change.acts, change.passage, before),
            }
        }
        let mut left = Vec::new();
        while one.undo.undo(&mut one.doc, None).is_some_and(|result| !result.ops.is_empty()) {
            left.push(text(&one.doc).len());
        }
        assert_eq!(left, [200, 150, 100, 50, 0], "format {format}");
    }
}

#[test]
fn a_peers_text_inside_mine_survives() {
    let (mut one, mut other) = two(json!([p("ab")]));
    other.receive(&one.edit(1000, insert([0, 0], 1, "hello")));
    one.receive(&other.edit(0, insert([0, 0], 3, "PEER")));
    other.receive(&one.undo().expect("undone").0);
    is(&one, json!([p("aPEERb")]));
    is(&other, json!([p("aPEERb")]));
    other.receive(&one.redo().expect("redone").0);
    assert_eq!(model::canonical(&one.value), model::canonical(&other.value));
}

#[test]
fn undoing_my_split_keeps_what_a_peer_typed_in_the_new_block() {
    for offset in [0, 3, 6, 11] {
        let (mut one, mut other) = two(json!([p("hello world"), p("next")]));
        other.receive(&one.edit(1000, enter(0, offset)));
        one.receive(&other.edit(0, insert([1, 0], 0, "PEER")));
        let mut text = "hello world".to_owned();
        text.insert_str(offset as usize, "PEER");
        other.receive(&one.undo().expect("undone").0);
        is(&one, json!([p(&text), p("next")]));
        is(&other, json!([p(&text), p("next")]));
        other.receive(&one.redo().expect("redone").0);
        assert_eq!(one.value.len(), 3);
        assert_eq!(model::canonical(&one.value), model::canonical(&other.value));
    }
}

#[test]
fn undo_finds_its_text_after_a_peers_split_merge_and_move() {
    let (mut one, mut other) = two(json!([p("one two"), p("three")]));
    other.receive(&one.edit(1000, insert([0, 0], 7, "MINE")));
    one.receive(&other.edit(0, enter(0, 9)));
    one.receive(&other.edit(0, json!([{"type": "move_node", "path": [2], "newPath": [0]}])));
    one.receive(&other.edit(0, json!([{"type": "insert_node", "path": [0], "node": p("new")}])));
    is(&one, json!([p("new"), p("three"), p("one twoMI"), p("NE")]));
    other.receive(&one.undo().expect("undone").0);
    is(&one, json!([p("new"), p("three"), p("one two"), p("")]));
    is(&other, json!([p("new"), p("three"), p("one two"), p("")]));
}

#[test]
fn a_block_of_mine_in_which_a_peer_wrote_stays() {
    let (mut one, mut other) = two(json!([p("a")]));
    other.receive(&one.edit(1000, json!([{"type": "insert_node", "path": [1], "node": p("mine")}])));
    one.receive(&other.edit(0, insert([1, 0], 4, " and yours")));
    assert!(one.undo().is_none());
    is(&one, json!([p("a"), p("mine and yours")]));
}

#[test]
fn what_a_peer_removed_is_not_undone() {
    let (mut one, mut other) = two(json!([p("a"), p("b")]));
    other.receive(&one.edit(1000, insert([1, 0], 1, "x")));
    one.receive(&other.edit(0, json!([{"type": "remove_node", "path": [1], "node": p("bx")}])));
    assert!(one.undo().is_none());
    is(&one, json!([p("a")]));
}

#[test]
fn a_property_a_peer_set_since_stays() {
    let set = |from: &str, to: &str| json!([{"type": "set_node", "path": [0], "properties": {"type": from}, "newProperties": {"type": to}}]);
    let (mut one, mut other) = two(json!([p("a")]));
    other.receive(&one.edit(1000, set("p", "h")));
    one.receive(&other.edit(0, set("h", "q")));
    assert!(one.undo().is_none());
    is(&one, json!([{"type": "q", "children": [{"text": "a"}]}]));
}

#[test]
fn older_groups_skip_what_newer_ones_took_back() {
    let (mut one, mut other) = two(json!([p("")]));
    other.receive(&one.edit(1000, insert([0, 0], 0, "first ")));
    other.receive(&one.edit(1000, insert([0, 0], 6, "second ")));
    one.receive(&other.edit(0, insert([0, 0], 9, "PEER")));
    one.undo().expect("undone");
    is(&one, json!([p("first PEER")]));
    one.undo().expect("undone");
    is(&one, json!([p("PEER")]));
    one.redo().expect("redone");
    one.redo().expect("redone");
    assert!(!one.undo.can_redo());
    let text: String = model::canonical(&one.value).iter().map(|node| format!("{node:?}")).collect();
    assert!(text.contains("PEER") && text.contains("first ") && text.contains("sec"), "{text}");
}

#[test]
fn the_selection_comes_back_and_follows_the_peers() {
    let (mut one, mut other) = two(json!([p("ab")]));
    other.receive(&one.edit(1000, insert([0, 0], 1, "x")));
    one.receive(&other.edit(0, json!([{"type": "insert_node", "path": [0], "node": p("above")}])));
    let (_, selection) = one.undo().expect("undone");
    assert_eq!(selection, Some(caret(&[1, 0], 1)));
    let (_, selection) = one.redo().expect("redone");
    assert_eq!(selection, Some(caret(&[0, 0], 7)), "what was selected when it was undone");
}

/// F10.
#[test]
fn f10_normalizing_what_a_peer_did_is_not_mine_to_undo() {
    let (mut one, mut other) = two(json!([p("abc")]));
    one.receive(&other.edit(
        0,
        json!([
            {"type": "split_node", "path": [0, 0], "position": 1, "properties": {"bold": true}},
            {"type": "split_node", "path": [0, 1], "position": 1, "properties": {}},
        ]),
    ));
    one.receive(
        &other
            .edit(0, json!([{"type": "set_node", "path": [0, 1], "properties": {"bold": true}, "newProperties": {}}])),
    );
    assert!(!one.undo.can_undo());
}

/// In a document of format 1, each edit a step: all is taken back and done again, twice. Steps that nobody sees are passed over.
fn there_and_back(first: &[Value], edits: &[Value]) {
    let mut one = Editor::new(1);
    one.doc.raise_format(1);
    for (at, node) in first.iter().enumerate() {
        one.doc.apply_local(read::ops(&json!([{"type": "insert_node", "path": [at], "node": node}])));
    }
    let mut values = vec![model::canonical(&one.doc.value())];
    for edit in edits {
        let change = one.doc.apply_local(read::ops(edit));
        one.now += 1_000;
        one.undo.record_acts(one.now, change.acts, change.passage, None);
        values.push(model::canonical(&one.doc.value()));
    }
    values.dedup();
    let mut turn = |back: bool| {
        let done = if back { one.undo.undo(&mut one.doc, None) } else { one.undo.redo(&mut one.doc, None) };
        done.is_some_and(|done| done.changed).then(|| model::canonical(&one.doc.value()))
    };
    for _ in 0..2 {
        for value in values.iter().rev().skip(1) {
            assert_eq!(turn(true).as_ref(), Some(value));
        }
        assert_eq!(turn(true), None);
        for value in &values[1..] {
            assert_eq!(turn(false).as_ref(), Some(value));
        }
        assert_eq!(turn(false), None);
    }
}

/// An empty line is put in the place of an empty one: nobody sees that, so it is passed over. What came after it is done again
/// in the line that is there, whichever that is.
#[test]
fn what_comes_after_a_step_that_is_passed_over_is_done_again_where_it_was() {
    let mention = json!({"type": "a", "children": [{"text": "m"}]});
    let edits = [
        json!([{"type": "remove_text", "path": [0, 0], "offset": 0, "text": "x"}]),
        json!([
            {"type": "remove_node", "path": [0], "node": p("")},
            {"type": "insert_node", "path": [0], "node": p("")},
        ]),
        json!([{"type": "insert_node", "path": [0, 1], "node": mention}]),
    ];
    there_and_back(&[p("x"), p("y")], &edits);
}

/// The line that is typed in is not the one at this place, as long as the step is taken back that nobody sees.
#[test]
fn a_step_that_nobody_sees_is_done_again_with_the_next() {
    let edits = [
        json!([{"type": "move_node", "path": [1], "newPath": [2]}]),
        json!([{"type": "insert_text", "path": [1, 0], "offset": 0, "text": "y"}]),
    ];
    there_and_back(&[p("x"), p(""), p("")], &edits);
}
