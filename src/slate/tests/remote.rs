//! What a peer's change looks like to an editor: as few operations as it takes, with every caret on its character.

use serde_json::{Value, json};
use yrs::Any;

use super::concurrency::texts;
use super::fixtures::two_with;
use super::json::{nodes, op, ops};
use super::random::Editor;
use super::slate_yjs::base64;
use crate::slate::value::transform::{self, Affinity};
use crate::slate::{Op, Path, Point, Sticky};

pub fn p(text: &str) -> Value {
    json!({"type": "paragraph", "children": [{"text": text}]})
}

/// What the second editor is told when the first does this.
fn told(input: Value, done: Value) -> Vec<Op> {
    let (mut one, mut two) = two_with(&nodes(&input));
    let update = one.edit(ops(&done)).expect("a change");
    let change = two.doc.apply_update(&update).expect("a valid update");
    change.ops
}

fn at(path: &[u32], offset: u32) -> Point {
    Point { path: Path::from_slice(path), offset }
}

/// Where a caret of the second editor is after the first did this.
fn caret(input: Value, done: Value, from: Point) -> Option<Point> {
    let follow = |point: Point, op: &Op| transform::point(&point, op, Affinity::Forward);
    told(input, done).iter().try_fold(from, follow)
}

#[test]
fn a_remote_keystroke_is_one_insert_text() {
    let key = json!({"type": "insert_text", "path": [1, 0], "offset": 3, "text": "x"});
    assert_eq!(told(json!([p("one"), p("other"), p("three")]), json!([key])), [op(&key)]);
    let emoji = json!({"type": "insert_text", "path": [0, 0], "offset": 2, "text": "👍"});
    assert_eq!(told(json!([p("😀")]), json!([emoji])), [op(&emoji)]);
}

#[test]
fn a_keystroke_among_equal_letters_keeps_its_place() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("aaaa")])));
    let key = Op::InsertText { path: Path::from_slice(&[0, 0]), offset: 1, text: "a".into() };
    let update = one.edit(vec![key.clone()]).expect("a change");
    assert_eq!(two.doc.apply_update(&update).expect("valid").ops, [key]);
}

#[test]
fn a_remote_deletion_is_one_remove_text() {
    let gone = json!({"type": "remove_text", "path": [0, 0], "offset": 2, "text": "cd"});
    assert_eq!(told(json!([p("abcdef")]), json!([gone])), [op(&gone)]);
    let all = json!({"type": "remove_text", "path": [0, 0], "offset": 0, "text": "abcdef"});
    assert_eq!(told(json!([p("abcdef")]), json!([all])), [op(&all)]);
}

#[test]
fn typing_at_a_marked_text_extends_it() {
    let input = json!([{"children": [{"text": "a"}, {"text": "b", "bold": true}, {"text": "c"}]}]);
    for (path, offset) in [([0, 0], 1), ([0, 1], 1), ([0, 1], 0), ([0, 2], 0)] {
        let key = json!({"type": "insert_text", "path": path, "offset": offset, "text": "x"});
        let told = told(input.clone(), json!([key]));
        assert!(matches!(told.as_slice(), [Op::InsertText { path: at, .. }] if at.as_slice() == path), "{told:?}");
    }
}

#[test]
fn a_format_touches_only_what_changed() {
    let bold = json!([
        {"type": "split_node", "path": [0, 0], "position": 6, "properties": {}},
        {"type": "split_node", "path": [0, 0], "position": 3, "properties": {"bold": true}},
    ]);
    let told_of = told(json!([p("in the middle"), p("other")]), bold);
    let is_format = |op: &Op| matches!(op, Op::SplitNode { path, .. } | Op::SetNode { path, .. } if path[0] == 0);
    assert!(told_of.iter().all(is_format), "{told_of:?}");
    assert!(told_of.len() <= 3, "two cuts, and the mark: {told_of:?}");
}

#[test]
fn one_block_is_one_operation() {
    let insert = json!({"type": "insert_node", "path": [1], "node": p("new")});
    assert_eq!(told(json!([p("a"), p("b")]), json!([insert])), [op(&insert)]);
    let remove = json!({"type": "remove_node", "path": [1], "node": p("b")});
    assert_eq!(told(json!([p("a"), p("b"), p("c")]), json!([remove])), [op(&remove)]);
    let set = json!({"type": "set_node", "path": [1], "properties": {"type": "paragraph"},
        "newProperties": {"type": "heading"}});
    assert_eq!(told(json!([p("a"), p("b")]), json!([set])), [op(&set)]);
    let moved = json!({"type": "move_node", "path": [0], "newPath": [2]});
    let told = told(json!([p("a"), p("b"), p("c")]), json!([moved]));
    assert!(matches!(told.as_slice(), [Op::MoveNode { .. }]), "{told:?}");
}

fn enter(path: &[u32], offset: u32) -> Value {
    json!([
        {"type": "split_node", "path": path, "position": offset, "properties": {}},
        {"type": "split_node", "path": path[..path.len() - 1], "position": path.last().unwrap() + 1,
         "properties": {"type": "paragraph"}},
    ])
}

#[test]
fn a_caret_follows_its_character_through_a_split() {
    let text = "one two three four";
    for cut in [0, 4, 8, 14, 18] {
        for offset in [0, 2, 6, 10, 16] {
            let expected = if offset < cut { at(&[0, 0], offset) } else { at(&[1, 0], offset - cut) };
            let now = caret(json!([p(text)]), enter(&[0, 0], cut), at(&[0, 0], offset));
            assert_eq!(now, Some(expected), "cut at {cut}, caret at {offset}");
        }
    }
}

#[test]
fn a_caret_follows_its_character_through_a_merge() {
    for (left, right) in [("short", "a longer line"), ("a longer line", "short"), ("", "text"), ("text", "")] {
        let n = left.len() as u32;
        let merge = json!([{"type": "merge_node", "path": [1], "position": 1, "properties": {"type": "x"}}]);
        let second = json!({"type": "x", "children": [{"text": right}]});
        let now = |from| caret(json!([p(left), second]), merge.clone(), from);
        let leaf_then = |point: Option<Point>| {
            // Two texts with equal marks stay apart until the editor normalizes.
            point.map(|point| if point.path.as_slice() == [0, 1] { at(&[0, 0], point.offset + n) } else { point })
        };
        if !right.is_empty() {
            assert_eq!(leaf_then(now(at(&[1, 0], 2))), Some(at(&[0, 0], n + 2)), "{left:?} {right:?}");
        }
        if n > 0 {
            assert_eq!(leaf_then(now(at(&[0, 0], 1))), Some(at(&[0, 0], 1)), "{left:?} {right:?}");
        }
    }
}

#[test]
fn a_caret_follows_its_block_through_a_move_and_into_a_wrapper() {
    let input = json!([p("a"), p("block"), p("c")]);
    let moved = json!([{"type": "move_node", "path": [1], "newPath": [0]}]);
    assert_eq!(caret(input.clone(), moved, at(&[1, 0], 3)), Some(at(&[0, 0], 3)));
    let wrapped = json!([
        {"type": "insert_node", "path": [1], "node": {"type": "box", "children": []}},
        {"type": "move_node", "path": [2], "newPath": [1, 0]},
    ]);
    assert_eq!(caret(input, wrapped, at(&[1, 0], 3)), Some(at(&[1, 0, 0], 3)));
}

/// The letter at a point.
fn letter(value: &[crate::slate::Node], point: &Point) -> Option<char> {
    let mut nodes = value;
    for (depth, &index) in point.path.iter().enumerate() {
        match &nodes[index as usize] {
            crate::slate::Node::Element(element) => nodes = &element.children,
            crate::slate::Node::Text(leaf) if depth + 1 == point.path.len() => {
                return leaf.text.chars().nth(point.offset as usize);
            }
            crate::slate::Node::Text(_) => return None,
        }
    }
    None
}

/// tests/fixtures/copies.json says what is in it.
#[test]
fn positions_lead_to_where_earlier_versions_copied_their_characters() {
    let fixture: Value = serde_json::from_str(include_str!("../../../tests/fixtures/copies.json")).expect("JSON");
    let mut editor = Editor::new(3);
    editor.receive(&base64(fixture["state"].as_str().expect("a state")));
    let now: Vec<Value> = texts(&editor.value).into_iter().map(Value::from).collect();
    assert_eq!(Value::from(now), fixture["texts"]);
    let sticky = |json: &Value| {
        let number = |value: &Value| value.as_f64().map_or(Any::Null, Any::from);
        let map = |pairs: Vec<(String, Any)>| Any::Map(std::sync::Arc::new(pairs.into_iter().collect()));
        let id = |value: &Value| match value.as_object() {
            Some(id) => map(id.iter().map(|(key, value)| (key.clone(), number(value))).collect()),
            None => Any::Null,
        };
        let parts = [("type", id(&json["type"])), ("item", id(&json["item"])), ("assoc", number(&json["assoc"]))];
        Sticky::from_any(&map(parts.map(|(key, value)| (key.to_owned(), value)).into())).expect("a position")
    };
    for one in fixture["positions"].as_array().expect("positions") {
        let point = editor.doc.resolve(&sticky(&one[0])).expect("a place");
        let expected = one[1].as_str().and_then(|text| text.chars().next());
        assert_eq!(letter(&editor.value, &point), expected, "{one}");
    }
    let empty = &fixture["inAnEmptyLine"];
    assert_eq!(editor.doc.resolve(&sticky(&empty[0])), Some(at(&[4, 0], 2)));
    // Nothing is written of what is copied now.
    let update = editor.edit(ops(&enter(&[1, 0], 3))).expect("a change");
    assert!(!update.windows(16).any(|part| part == b"slate-yrs:copies"));
}

/// As from someone back from offline: all in one update.
#[test]
fn a_block_that_was_moved_and_changed_was_moved() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("a"), p("two lines"), p("c"), p("d")])));
    let moved = json!([{"type": "move_node", "path": [1], "newPath": [3]}]);
    let changed = json!([
        {"type": "remove_text", "path": [3, 0], "offset": 0, "text": "two"},
        {"type": "insert_text", "path": [3, 0], "offset": 0, "text": "A few other"},
    ]);
    let updates = [moved, changed].map(|done| one.edit(ops(&done)).expect("a change"));
    let update = yrs::merge_updates_v1(&updates).expect("updates merge");
    let told = two.doc.apply_update(&update).expect("valid").ops;
    assert!(matches!(told.first(), Some(Op::MoveNode { .. })), "{told:?}");
    assert!(!told.iter().any(|op| matches!(op, Op::InsertNode { .. } | Op::RemoveNode { .. })), "{told:?}");
}

/// F9.
#[test]
fn f9_no_operation_leaves_a_document_without_blocks() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("only")])));
    let replace = json!([
        {"type": "remove_node", "path": [0], "node": p("only")},
        {"type": "insert_node", "path": [0], "node": p("other")},
    ]);
    // `receive` looks after each operation.
    let update = one.edit(ops(&replace)).expect("a change");
    two.receive(&update);
    assert_eq!(two.value, nodes(&json!([p("other")])));
}

/// F7.
#[test]
fn f7_an_echo_changes_nothing() {
    let mut one = Editor::new(1);
    let update = one.edit(vec![op(&json!({"type": "insert_node", "path": [0], "node": p("test")}))]).expect("update");
    let change = one.doc.apply_update(&update).expect("valid");
    assert_eq!((change.ops, change.changed), (vec![], false));
}

#[test]
fn f8_setting_what_is_set_writes_nothing() {
    let (mut one, _) = two_with(&nodes(&json!([p("a")])));
    let same = json!([
        {"type": "set_node", "path": [0], "properties": {}, "newProperties": {"type": "paragraph"}},
        {"type": "set_node", "path": [0, 0], "properties": {"bold": true}, "newProperties": {}},
        {"type": "insert_text", "path": [0, 0], "offset": 1, "text": ""},
    ]);
    assert_eq!(one.edit(ops(&same)), None);
}

#[test]
fn many_splits_at_once_are_followed() {
    let text = "word ".repeat(100);
    let (mut one, mut two) = two_with(&nodes(&json!([p(&text)])));
    let split = |n: u32| {
        let text = Op::SplitNode { path: Path::from_slice(&[n, 0]), position: 5, properties: Default::default() };
        let block = Op::SplitNode { path: Path::from_slice(&[n]), position: 1, properties: Default::default() };
        [text, block]
    };
    let update = one.edit((0..80).flat_map(split).collect()).expect("a change");
    two.receive(&update);
    assert_eq!(two.doc.read(), one.value);
}
