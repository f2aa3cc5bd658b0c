//! Cases that the random runs of `tests/oracle` have found, each as small as it is.

use std::collections::HashSet;

use serde_json::json;
use yrs::Any;

use super::json::{nodes, op};
use crate::slate::write::tests::peer::{schema, show};
use crate::slate::{DocOptions, Node, Op, SlateDoc};

/// A document of format 1 with these children; blocks have ids.
fn doc(value: &serde_json::Value) -> SlateDoc {
    let mut doc = unraised(value);
    doc.raise_format(1);
    doc
}

fn ids(doc: &SlateDoc) -> Vec<Option<Any>> {
    let id = |node: &Node| match node {
        Node::Element(element) => element.attrs.get("id").cloned(),
        Node::Text(_) => None,
    };
    doc.value().iter().map(id).collect()
}

/// The engine went on where it had begun, and gave the next block the id of the last.
#[test]
fn ids_are_new_also_after_the_client_id_has_changed() {
    let line = json!([{ "type": "p", "id": "first", "children": [{ "text": "abcd" }] }]);
    for by_reference in [true, false] {
        let mut doc = if by_reference { doc(&line) } else { unraised(&line) };
        let divide = |at: u32| vec![split(&[at, 0], 1, "first"), split(&[at], 1, "first")];
        doc.apply_local(divide(0));
        let mut doc = doc.with_client_id(6);
        doc.apply_local(divide(0));
        let ids = ids(&doc);
        let distinct: HashSet<String> = ids.iter().flatten().map(Any::to_string).collect();
        assert_eq!((ids.len(), distinct.len()), (3, 3), "{ids:?}");
    }
}

fn split(path: &[u32], position: u32, id: &str) -> Op {
    let properties = if path.len() > 1 { json!({}) } else { json!({ "type": "p", "id": id }) };
    op(&json!({ "type": "split_node", "path": path, "position": position, "properties": properties }))
}

/// In one tick the editor has not heard yet of the id that the first new half was given.
#[test]
fn several_divisions_in_one_flush_give_every_part_an_id_of_its_own() {
    let mut doc = doc(&json!([{ "type": "p", "id": "first", "children": [{ "text": "abcd" }] }]));
    let ops = [(0, 2), (1, 1), (0, 1)].into_iter();
    let ops = ops.flat_map(|(at, position)| [split(&[at, 0], position, "first"), split(&[at], 1, "first")]);
    let change = doc.apply_local(ops.collect());
    let found = ids(&doc);
    let distinct: HashSet<String> = found.iter().flatten().map(Any::to_string).collect();
    assert_eq!((found.len(), distinct.len()), (4, 4), "{found:?}");
    assert_eq!((&found[0], change.ops.len()), (&Some(Any::from("first")), 3), "{:?}", change.ops);
}

/// The id stays with the content; else two who do so leave two empty lines with the one id of it.
#[test]
fn two_who_divide_at_the_start_leave_every_line_an_id_of_its_own() {
    let mut one = doc(&json!([{ "type": "p", "id": "first", "children": [{ "text": "ab" }] }]));
    let mut two = peer(6, &one);
    let divide = || vec![split(&[0, 0], 0, "first"), split(&[0], 1, "first")];
    let (mine, theirs) = (one.apply_local(divide()), two.apply_local(divide()));
    assert_eq!(ids(&one)[1], Some(Any::from("first")));
    let changed = |op: &Op| matches!(op, Op::SetNode { path, .. } if path[..] == [0]);
    assert!(mine.ops.len() == 1 && changed(&mine.ops[0]), "{:?}", mine.ops);
    two.apply_update(&mine.update.expect("an edit")).expect("an update");
    one.apply_update(&theirs.update.expect("an edit")).expect("an update");
    let (found, same) = (ids(&one), ids(&two));
    let distinct: HashSet<String> = found.iter().flatten().map(Any::to_string).collect();
    assert_eq!((found.len(), distinct.len()), (3, 3), "{found:?}");
    assert_eq!((&found[2], &found), (&Some(Any::from("first")), &same));
}

/// Who takes a removal back finds it taken back already by another who had removed the same.
#[test]
fn what_two_removed_comes_back_once_though_both_take_it_back() {
    let line = |text: &str| json!({ "type": "p", "children": [{ "text": text }] });
    let mut one = doc(&json!([line("abcd"), line("ef")]));
    let mut two = peer(6, &one);
    let removal = op(&json!({ "type": "remove_node", "path": [0], "node": line("abcd") }));
    let mine = one.apply_local(vec![removal.clone()]);
    let some = op(&json!({ "type": "remove_text", "path": [0, 0], "offset": 1, "text": "bc" }));
    let first = two.apply_local(vec![some]);
    let rest = op(&json!({ "type": "remove_node", "path": [0], "node": line("ad") }));
    let second = two.apply_local(vec![rest]);
    let text = |doc: &SlateDoc| show(&doc.value());
    one.apply_update(&first.update.expect("an edit")).expect("an update");
    one.apply_update(&second.update.expect("an edit")).expect("an update");
    two.apply_update(&mine.update.expect("an edit")).expect("an update");
    // Half of it is written again by one, half by the other.
    let (back, _) = two.revert(&second.acts, second.passage.as_ref());
    assert_eq!(text(&two), "p[\"ad\"] p[\"ef\"]");
    one.apply_update(&back.update.expect("an edit")).expect("an update");
    let (back, _) = one.revert(&mine.acts, mine.passage.as_ref());
    assert_eq!(text(&one), "p[\"abcd\"] p[\"ef\"]");
    two.apply_update(&back.update.expect("an edit")).expect("an update");
    two.revert(&first.acts, first.passage.as_ref());
    assert_eq!(text(&two), "p[\"abcd\"] p[\"ef\"]");
}

/// What one put in, another removed and brought back: it is still one's own.
#[test]
fn an_insert_is_taken_back_also_where_another_has_brought_it_back() {
    let mut one = doc(&json!([line("ab"), line("cd")]));
    let mut two = peer(6, &one);
    let put = two.apply_local(vec![op(&json!({ "type": "insert_node", "path": [1], "node": line("x") }))]);
    one.apply_update(&put.update.clone().expect("an edit")).expect("an update");
    let removed = one.apply_local(vec![op(&json!({ "type": "remove_node", "path": [1], "node": line("x") }))]);
    two.apply_update(&removed.update.expect("an edit")).expect("an update");
    let (back, _) = one.revert(&removed.acts, removed.passage.as_ref());
    two.apply_update(&back.update.expect("an edit")).expect("an update");
    assert_eq!(show(&two.value()), "p[\"ab\"] p[\"x\"] p[\"cd\"]");
    two.revert(&put.acts, put.passage.as_ref());
    assert_eq!(show(&two.value()), "p[\"ab\"] p[\"cd\"]");
}

fn line(text: &str) -> serde_json::Value {
    json!({ "type": "p", "children": [{ "text": text }] })
}

fn quote(children: &[serde_json::Value]) -> serde_json::Value {
    json!({ "type": "q", "children": children })
}

/// A text block and a container are no halves of one element: what others put into the container stays blocks.
#[test]
fn a_container_emptied_into_a_line_takes_nothing_along_into_it() {
    let mut one = doc(&json!([line("ab"), quote(&[line("cd"), line("ef")])]));
    let mut two = peer(6, &one);
    // Backspace at the start of "cd", then of "ef": the quote is left empty, and goes.
    let ops = json!([
        { "type": "move_node", "path": [1, 0], "newPath": [1] },
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 1], "position": 2, "properties": {} },
        { "type": "move_node", "path": [1, 0], "newPath": [1] },
        { "type": "remove_node", "path": [2], "node": { "type": "q", "children": [] } },
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 1], "position": 4, "properties": {} },
    ]);
    let joined = one.apply_local(crate::slate::tests::json::ops(&ops));
    assert_eq!((joined.rejected, show(&one.value())), (vec![], "p[\"abcdef\"]".to_owned()));
    let put = two.apply_local(vec![op(&json!({ "type": "insert_node", "path": [1, 1], "node": line("x") }))]);
    one.apply_update(&put.update.expect("an edit")).expect("an update");
    two.apply_update(&joined.update.expect("an edit")).expect("an update");
    assert_eq!(show(&one.value()), "p[\"abcdef\"] p[\"x\"]");
    assert_eq!(show(&two.value()), "p[\"abcdef\"] p[\"x\"]");
}

fn unraised(value: &serde_json::Value) -> SlateDoc {
    let mut doc = empty(5);
    doc.load(&SlateDoc::seed_update("content", &nodes(value))).expect("a seed");
    doc
}

/// Somebody else who has the same document.
fn peer(client_id: u32, other: &SlateDoc) -> SlateDoc {
    let mut doc = empty(client_id);
    doc.load(&other.encode_state(None).expect("its state")).expect("an update");
    doc
}

fn empty(client_id: u32) -> SlateDoc {
    let (root, block_id) = ("content".into(), Some("id".into()));
    SlateDoc::new(DocOptions { client_id, root, block_id, seed: u64::from(client_id), schema: schema() })
}
