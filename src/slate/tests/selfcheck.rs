//! A tree that has come apart from its doc, in every way that a defect could bring about: found, and mended by little.

use std::rc::Rc;

use serde_json::{Value, json};

use super::fixtures::two_with;
use super::json::nodes;
use super::model::{apply_all, canonical};
use super::random::Editor;
use super::remote::p;
use crate::slate::view::tree::{Element, Kid, Leaf};
use crate::slate::{Attrs, Look, Node, Op, Path, SlateDoc};

fn opened(value: &Value) -> Editor {
    two_with(&nodes(value)).0
}

/// Looks until all has been seen. What was found is applied to `value`, which the spoiled tree showed.
fn look_over(doc: &mut SlateDoc, value: &mut Vec<Node>) -> Vec<Look> {
    let before = doc.state_vector();
    let mut looks = Vec::new();
    doc.look_again();
    while doc.is_looking() {
        let look = doc.look();
        apply_all(value, &look.ops);
        looks.push(look);
    }
    assert_eq!(doc.state_vector(), before, "a look writes nothing");
    looks
}

/// What mends a tree that `spoil` has changed.
fn mended(spoil: impl FnOnce(&mut Element)) -> Vec<Op> {
    let mut one = opened(&json!([p("a"), {"type": "q", "children": [p("b"), p("😀c")]}, p("d")]));
    one.doc.spoil_root(spoil);
    let mut shown = one.doc.value();
    let looks = look_over(&mut one.doc, &mut shown);
    assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 1);
    assert_eq!(canonical(&one.doc.value()), canonical(&one.doc.read()));
    assert_eq!(canonical(&shown), canonical(&one.doc.value()), "the editor comes along");
    assert_eq!(look_over(&mut one.doc, &mut shown).iter().map(|look| look.divergences).sum::<u32>(), 0);
    // And it can be edited.
    let end = Path::from_slice(&[1, 1, 0]);
    one.doc.apply_local(vec![Op::InsertText { path: end, offset: 3, text: "!".into() }]);
    assert_eq!(canonical(&one.doc.value()), canonical(&one.doc.read()));
    looks.into_iter().flat_map(|look| look.ops).collect()
}

fn inner<'a>(root: &'a mut Element, path: &[usize]) -> &'a mut Kid {
    let (last, parents) = path.split_last().expect("no root");
    let mut at = root;
    for index in parents {
        let Kid::Element(kid) = &mut at.kids[*index] else { panic!("an element") };
        at = Rc::make_mut(kid);
    }
    &mut at.kids[*last]
}

fn text<'a>(root: &'a mut Element, path: &[usize]) -> &'a mut Leaf {
    match inner(root, path) {
        Kid::Leaf(leaf) => leaf,
        Kid::Element(_) => panic!("a text"),
    }
}

#[test]
fn nothing_is_found_where_nothing_differs() {
    let mut one = opened(
        &json!([p("a"), {"children": [{"text": ""}, {"type": "link", "children": [{"text": ""}]}, {"text": ""}]}]),
    );
    let mut shown = one.doc.value();
    let looks = look_over(&mut one.doc, &mut shown);
    assert_eq!(looks, [Look { blocks: vec![0, 1], ..Look::default() }, Look::default()]);
}

#[test]
fn characters_that_differ_are_mended() {
    let ops = mended(|root| {
        let leaf = text(root, &[1, 1, 0]);
        let mut wrong = leaf.runs[0].clone();
        (wrong.id, wrong.text, wrong.len) = (None, "x".into(), 1);
        leaf.runs.insert(1, wrong);
    });
    assert_eq!(ops, [Op::RemoveText { path: Path::from_slice(&[1, 1, 0]), offset: 3, text: "x".into() }]);
}

#[test]
fn a_block_that_is_missing_comes_back_and_one_too_many_goes() {
    let gone = mended(|root| drop(root.kids.remove(1)));
    assert!(matches!(&gone[..], [Op::InsertNode { path, .. }] if path[..] == [1]), "{gone:?}");
    let twice = mended(|root| {
        let never_written = Editor::new(9).doc;
        let mut other = never_written;
        other.apply_local(vec![Op::InsertNode {
            path: Path::from_slice(&[0]),
            node: nodes(&json!([p("x")])).remove(0),
        }]);
        other.spoil_root(|other| root.kids.insert(1, other.kids.remove(0)));
    });
    assert!(matches!(&twice[..], [Op::RemoveNode { path, .. }] if path[..] == [1]), "{twice:?}");
}

#[test]
fn blocks_in_another_order_are_put_in_order() {
    let ops = mended(|root| {
        let first = root.kids.remove(0);
        root.kids.push(first);
    });
    assert!(ops.iter().all(|op| matches!(op, Op::MoveNode { .. })), "{ops:?}");
}

#[test]
fn properties_and_marks_that_differ_are_set() {
    let props = || Rc::new(Attrs::from([("type".into(), "other".into())]));
    let ops = mended(|root| match inner(root, &[1, 0]) {
        Kid::Element(element) => Rc::make_mut(element).props = props(),
        Kid::Leaf(_) => panic!("an element"),
    });
    assert!(matches!(&ops[..], [Op::SetNode { path, .. }] if path[..] == [1, 0]), "{ops:?}");
    let ops = mended(|root| text(root, &[2, 0]).marks = props());
    assert!(matches!(&ops[..], [Op::SetNode { path, .. }] if path[..] == [2, 0]), "{ops:?}");
}

#[test]
fn what_the_doc_has_no_more_is_not_looked_at() {
    let mut one = opened(&json!([p("a"), p("b")]));
    // As if the removal had been missed: what is shown still has the element, whose shared type is no more.
    let kept = one.doc.value();
    let mut removed = None;
    one.doc.spoil_root(|root| removed = root.kids.first().cloned());
    one.doc.apply_local(vec![Op::RemoveNode { path: Path::from_slice(&[0]), node: kept[0].clone() }]);
    one.doc.spoil_root(|root| root.kids.splice(0..0, removed).for_each(drop));
    let mut shown = one.doc.value();
    let looks = look_over(&mut one.doc, &mut shown);
    assert_eq!(looks[0].divergences, 1);
    assert_eq!((shown, one.doc.value()), (kept[1..].to_vec(), kept[1..].to_vec()));
}

#[test]
fn a_long_document_is_looked_over_in_pieces() {
    let line = "A line of dialogue, as long as lines are in a script, or a little longer.";
    let blocks: Vec<Value> = (0..500).map(|n| p(&format!("{n} {line}"))).collect();
    let mut one = opened(&json!(blocks));
    let insert = |at: u32| Op::InsertText { path: Path::from_slice(&[at, 0]), offset: 0, text: "x".into() };
    one.doc.apply_local(vec![insert(321)]);
    let mut shown = one.doc.value();
    let looks = look_over(&mut one.doc, &mut shown);
    assert!(looks.len() > 5 && looks.iter().all(|look| look.blocks.len() <= 65), "{}", looks.len());
    let mut seen: Vec<u32> = looks.into_iter().flat_map(|look| look.blocks).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (0..500).collect::<Vec<_>>());
}

fn by_reference(count: usize) -> Editor {
    let blocks: Vec<Value> = (0..count).map(|at| p(&format!("line {at}"))).collect();
    let mut one = opened(&json!(blocks));
    one.doc.raise_format(1);
    one
}

/// A document of format 1, part by part; it is read as a whole only where a part is wrong.
#[test]
fn what_is_shown_of_format_1_is_looked_at_in_parts() {
    for at in [0, 70, 199] {
        let mut one = by_reference(200);
        let right = one.doc.value();
        let mut wrong = by_reference(200);
        wrong.doc.apply_local(vec![Op::InsertText { path: Path::from_slice(&[at, 0]), offset: 2, text: "x".into() }]);
        one.doc.spoil_shown(at as usize, &wrong.doc);
        let mut shown = one.doc.value();
        assert_ne!(shown, right);
        let looks = look_over(&mut one.doc, &mut shown);
        assert!(looks.len() > 3, "in parts");
        assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 1);
        assert_eq!((&shown, &one.doc.value()), (&right, &right));
        one.doc.spoil_known(at as usize);
        let looks = look_over(&mut one.doc, &mut shown);
        assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 1, "what is known of the document");
        assert_eq!((&shown, &one.doc.value()), (&right, &right));
        let looks = look_over(&mut one.doc, &mut shown);
        assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 0);
        let seen: Vec<u32> = looks.into_iter().flat_map(|look| look.blocks).collect();
        assert_eq!(seen, (0..200).collect::<Vec<u32>>(), "all have their turn");
    }
}

/// What is wrong in a part whose turn has just passed is found too: the round that is under way does not count for it.
#[test]
fn what_is_behind_the_looks_is_looked_at_as_well() {
    for looks_before in [1, 2, 3] {
        let mut one = by_reference(200);
        one.doc.look_again();
        for _ in 0..looks_before {
            one.doc.look();
        }
        let mut wrong = by_reference(200);
        wrong.doc.apply_local(vec![Op::InsertText { path: Path::from_slice(&[0, 0]), offset: 2, text: "x".into() }]);
        one.doc.spoil_shown(0, &wrong.doc);
        let mut shown = one.doc.value();
        let looks = look_over(&mut one.doc, &mut shown);
        assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 1, "after {looks_before} looks");
    }
}

/// The same where all blocks are in one element.
#[test]
fn what_one_element_holds_is_looked_at_in_parts() {
    let edit =
        |at: u32, text: &str| Op::InsertText { path: Path::from_slice(&[0, at, 0]), offset: 2, text: text.into() };
    let page = || {
        let lines: Vec<Value> = (0..200).map(|at| p(&format!("line {at}"))).collect();
        let mut one = opened(&json!([{ "type": "page", "children": lines }, p("behind")]));
        one.doc.raise_format(1);
        // What is edited for the first time is known in parts from then on.
        let node = one.doc.value()[1].clone();
        one.doc.apply_local(vec![Op::InsertNode { path: Path::from_slice(&[0, 0]), node }]);
        one
    };
    for at in [0, 70, 200] {
        let (mut one, mut wrong) = (page(), page());
        let right = one.doc.value();
        wrong.doc.apply_local(vec![edit(at, "x")]);
        let mut shown = one.doc.value();
        let looks = look_over(&mut one.doc, &mut shown);
        assert!(looks.len() > 3, "in parts");
        assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 0);
        let seen: Vec<u32> = looks.into_iter().flat_map(|look| look.blocks).collect();
        assert_eq!(seen, [0, 1], "the editor compares each block once");
        one.doc.spoil_shown(0, &wrong.doc);
        let mut shown = one.doc.value();
        assert_ne!(shown, right);
        let looks = look_over(&mut one.doc, &mut shown);
        assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 1);
        assert_eq!((&shown, &one.doc.value()), (&right, &right));
        one.doc.spoil_known(0);
        let looks = look_over(&mut one.doc, &mut shown);
        assert_eq!(looks.iter().map(|look| look.divergences).sum::<u32>(), 1, "what is known of the document");
        assert_eq!((&shown, &one.doc.value()), (&right, &right));
    }
}
