//! Cases that the random runs of `tests/oracle` have found, each as small as it is.

use std::collections::HashSet;

use serde_json::json;
use yrs::types::xml::Xml as _;
use yrs::{Any, Doc, ReadTxn as _, StateVector, Text as _, Transact as _, XmlTextPrelim, XmlTextRef};

use super::json::{nodes, op};
use crate::format::set_format;
use crate::slate::tests::model::canonical;
use crate::slate::write::tests::peer::{schema, show};
use crate::slate::{DocOptions, Node, Op, Path, SlateDoc};

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

/// Two wrote again what the same letters had become, and the one removed its own of them: what the other's are is known, whoever's
/// note of it counts.
#[test]
fn what_another_wrote_again_is_not_written_a_second_time_where_ones_own_is_gone() {
    for (first, second) in [(6, 7), (7, 6)] {
        let start = doc(&json!([line("abcd")]));
        let (mut one, mut two) = (peer(first, &start), peer(second, &start));
        let remove = |text: &str| op(&json!({ "type": "remove_text", "path": [0, 0], "offset": 1, "text": text }));
        let hears = |doc: &mut SlateDoc, update: Option<Vec<u8>>| {
            doc.apply_update(&update.expect("an edit")).expect("an update");
        };
        let taken = one.apply_local(vec![remove("bc")]);
        let removed = two.apply_local(vec![remove("bcd")]);
        let (back, _) = two.revert(&removed.acts, None);
        let (gone, _) = two.revert(&back.acts, None);
        for update in [removed.update, back.update.clone(), gone.update.clone()] {
            hears(&mut one, update);
        }
        hears(&mut two, taken.update);
        let (mine, _) = one.revert(&taken.acts, None);
        let (back, _) = two.revert(&gone.acts, None);
        let (gone, _) = two.revert(&back.acts, None);
        for update in [back.update, gone.update.clone()] {
            hears(&mut one, update);
        }
        hears(&mut two, mine.update);
        assert_eq!(show(&two.value()), "p[\"abc\"]");
        let (back, _) = two.revert(&gone.acts, None);
        hears(&mut one, back.update);
        for doc in [&two, &one, &peer(9, &two)] {
            assert_eq!(show(&doc.value()), "p[\"abcd\"]", "{first}, {second}");
        }
    }
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

/// What is written again has a key of the other's, who clears it meanwhile: what comes behind gets nothing of it.
#[test]
fn bold_that_is_taken_back_while_its_text_is_written_again_does_not_spread() {
    for reversed in [false, true] {
        let mut one = doc(&json!([line("xyz"), line("uv")]));
        let mut two = peer(if reversed { 4 } else { 6 }, &one);
        let bold = json!([
            { "type": "split_node", "path": [0, 0], "position": 2, "properties": {} },
            { "type": "split_node", "path": [0, 0], "position": 1, "properties": {} },
            { "type": "set_node", "path": [0, 1], "properties": {}, "newProperties": { "bold": true } },
        ]);
        let bold = two.apply_local(crate::slate::tests::json::ops(&bold));
        one.apply_update(&bold.update.clone().expect("an edit")).expect("an update");
        let node = one.value().remove(0);
        let removed = one.apply_local(vec![Op::RemoveNode { path: Path::from_slice(&[0]), node }]);
        let (again, _) = one.revert(&removed.acts, removed.passage.as_ref());
        let (plain, _) = two.revert(&bold.acts, bold.passage.as_ref());
        assert_eq!(show(&canonical(&two.value())), "p[\"xyz\"] p[\"uv\"]");
        two.apply_update(&removed.update.expect("an edit")).expect("an update");
        two.apply_update(&again.update.expect("an edit")).expect("an update");
        one.apply_update(&plain.update.expect("an edit")).expect("an update");
        let shown = show(&canonical(&one.value()));
        assert!(shown.contains("\"z\"") || shown.contains("\"xyz\""), "{shown}");
        assert!(shown.ends_with("p[\"uv\"]"), "{shown}");
        assert_eq!(shown, show(&canonical(&two.value())));
    }
}

/// A half that one moved has a place of its own: that another joined it does not count.
#[test]
fn a_half_that_was_moved_stays_where_it_was_moved_though_another_joins_it() {
    let mut one = doc(&json!([line("abcd"), line("ef")]));
    let split = json!([
        { "type": "split_node", "path": [0, 0], "position": 2, "properties": {} },
        { "type": "split_node", "path": [0], "position": 1, "properties": { "type": "p" } },
    ]);
    one.apply_local(crate::slate::tests::json::ops(&split));
    let mut two = peer(6, &one);
    let join = json!([
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 1], "position": 2, "properties": {} },
    ]);
    let joined = one.apply_local(crate::slate::tests::json::ops(&join));
    let moved = two.apply_local(vec![op(&json!({ "type": "move_node", "path": [1], "newPath": [2] }))]);
    one.apply_update(&moved.update.expect("an edit")).expect("an update");
    two.apply_update(&joined.update.expect("an edit")).expect("an update");
    assert_eq!(show(&one.value()), "p[\"ab\"] p[\"ef\"] p[\"cd\"]");
    assert_eq!(show(&two.value()), "p[\"ab\"] p[\"ef\"] p[\"cd\"]");
}

/// What joins two halves does not count once the first is removed and has nothing: typing that empties it is no mere typing.
#[test]
fn typing_in_what_was_joined_to_a_removed_half_is_exact() {
    let split = json!([
        { "type": "split_node", "path": [0, 0], "position": 1, "properties": {} },
        { "type": "split_node", "path": [0], "position": 1, "properties": { "type": "p" } },
    ]);
    let mut one = doc(&json!([line("ab"), line("cd")]));
    one.apply_local(crate::slate::tests::json::ops(&split));
    let mut two = peer(6, &one);
    let join = json!([
        { "type": "insert_text", "path": [0, 0], "offset": 1, "text": "x" },
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 1], "position": 2, "properties": {} },
    ]);
    let joined = one.apply_local(crate::slate::tests::json::ops(&join));
    let removed = two.apply_local(vec![op(&json!({ "type": "remove_node", "path": [0], "node": line("a") }))]);
    one.apply_update(&removed.update.expect("an edit")).expect("an update");
    two.apply_update(&joined.update.expect("an edit")).expect("an update");
    assert_eq!(show(&one.value()), "p[\"xb\"] p[\"cd\"]");
    let typed = json!([
        { "type": "insert_text", "path": [0, 0], "offset": 1, "text": "y" },
        { "type": "remove_text", "path": [0, 0], "offset": 0, "text": "x" },
    ]);
    let typed = one.apply_local(crate::slate::tests::json::ops(&typed));
    two.apply_update(&typed.update.expect("an edit")).expect("an update");
    for doc in [&one, &two] {
        assert_eq!((show(&doc.value()), show(&doc.read())), (show(&one.value()), show(&one.value())));
    }
    // The element is the one that was there.
    assert_eq!(one.look().divergences, 0);
}

/// Text that stands bare at the top is nothing that an editor keeps: what is transparent is shown, if nothing else is.
#[test]
fn what_is_left_of_a_document_is_never_bare_text() {
    let doc = Doc::with_client_id(5);
    let root = doc.get_or_insert_text("content");
    let root: &XmlTextRef = root.as_ref();
    let mut txn = doc.transact_mut();
    set_format(&mut txn, 1);
    for (at, text) in ["ab", "cd"].into_iter().enumerate() {
        let line = root.insert_embed(&mut txn, at as u32, XmlTextPrelim::new(text));
        line.insert_attribute(&mut txn, "type", "p");
        line.insert_attribute(&mut txn, "@gone", Any::Array(vec![Any::Null, Any::Bool(true)].into()));
    }
    let state = txn.encode_state_as_update_v1(&StateVector::default());
    drop(txn);
    let mut doc = empty(6);
    doc.load(&state).expect("an update");
    assert_eq!(show(&doc.value()), "p[\"ab\"] p[\"cd\"]");
    // Beside a line it is shown in that.
    let typed = doc.apply_local(vec![op(&json!({ "type": "insert_node", "path": [2], "node": line("x") }))]);
    assert!(typed.rejected.is_empty());
    assert_eq!(show(&canonical(&doc.read())), show(&canonical(&doc.value())));
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
