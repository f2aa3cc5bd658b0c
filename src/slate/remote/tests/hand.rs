//! What random trees hardly come upon.

use std::rc::Rc;

use yrs::Any;

use super::check::check;
use super::trees::chars;
use crate::slate::remote::{steps, value};
use crate::slate::value::node::Attrs;
use crate::slate::value::op::{Op, Path};
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::Id;

fn element(id: NodeId, kids: Vec<Kid>) -> Rc<Element> {
    let props = Attrs::from([("type".into(), "p".into())]);
    Rc::new(Element { id, props: Rc::new(props), kids, inline: false, void: false })
}

fn line(n: u32, runs: Vec<Chars>) -> Kid {
    Kid::Element(element(NodeId::Head(Id::new(9, n)), vec![leaf(&[], runs)]))
}

fn leaf(marks: &[&str], runs: Vec<Chars>) -> Kid {
    let marks = marks.iter().map(|mark| ((*mark).into(), Any::Bool(true))).collect();
    Kid::Leaf(Leaf { marks: Rc::new(marks), runs })
}

fn root(kids: Vec<Kid>) -> Rc<Element> {
    Rc::new(Element::root(kids))
}

fn inline(n: u32, runs: Vec<Chars>) -> Kid {
    let Kid::Element(line) = line(n, runs) else { unreachable!() };
    let props = Attrs::from([("type".into(), "a".into())]);
    Kid::Element(Rc::new(Element { props: Rc::new(props), inline: true, ..(*line).clone() }))
}

fn run(clock: u32, text: &str) -> Chars {
    chars(Some(Id::new(1, clock)), text)
}

/// Both ways.
fn both(old: &Rc<Element>, new: &Rc<Element>) -> (Vec<Op>, Vec<Op>) {
    (check(old, new), check(new, old))
}

#[test]
fn a_surrogate_pair_is_never_cut() {
    let old = root(vec![line(1, vec![run(0, "a😀b")]), line(2, vec![run(10, "x")])]);
    let whole = |text: &str, op: &Op| match op {
        Op::InsertText { text: there, .. } | Op::RemoveText { text: there, .. } => assert_eq!(there, text),
        _ => panic!("{op:?}"),
    };
    // The second half was deleted: the first is something else now. The pair goes as one, its neighbours stay.
    let half = root(vec![line(1, vec![run(0, "a\u{fffd}"), run(3, "b")]), line(2, vec![run(10, "x")])]);
    let (there, back) = both(&old, &half);
    let [typed, erased] = &there[..] else { panic!("{there:#?}") };
    whole("\u{fffd}", typed);
    whole("😀", erased);
    assert_eq!(back.len(), 2);
    // Text came between the halves; and one half is in another line.
    let between = vec![run(0, "a\u{fffd}"), chars(Some(Id::new(2, 0)), "x"), run(2, "\u{fffd}b")];
    both(&old, &root(vec![line(1, between), line(2, vec![run(10, "x")])]));
    let apart = [vec![run(0, "a\u{fffd}")], vec![run(10, "x"), run(2, "\u{fffd}b")]];
    let [one, two] = apart;
    both(&old, &root(vec![line(1, one), line(2, two)]));
    // Marks from its middle on.
    let marked = vec![leaf(&[], vec![run(0, "a\u{fffd}")]), leaf(&["b"], vec![run(2, "\u{fffd}b")])];
    both(&old, &root(vec![Kid::Element(element(NodeId::Head(Id::new(9, 1)), marked)), line(2, vec![run(10, "x")])]));
}

#[test]
fn ids_that_are_there_twice_do_no_harm() {
    let twice =
        |text: &str| root(vec![line(1, vec![run(0, text)]), line(1, vec![run(0, text)]), line(2, vec![run(2, "cd")])]);
    let once = root(vec![line(2, vec![run(0, "abcd")]), line(1, vec![])]);
    for (old, new) in [(twice("abc"), once.clone()), (once, twice("abc")), (twice("ab"), twice("bc"))] {
        let ops = steps(&old, &new);
        let mut editor = super::apply::Editor::new(value(&old));
        ops.iter().for_each(|op| editor.apply(op));
        assert_eq!(editor.value(), value(&new));
    }
}

#[test]
fn what_is_not_in_the_document_is_replaced() {
    let old = root(vec![
        line(1, vec![run(0, "ab"), chars(None, "x"), run(2, "cd")]),
        Kid::Element(element(NodeId::New(7), vec![leaf(&[], vec![chars(None, "new")])])),
    ]);
    let new = root(vec![line(1, vec![run(0, "abcd")]), line(2, vec![run(9, "new")])]);
    let ops = check(&old, &new);
    assert!(
        matches!(&ops[..], [Op::InsertNode { .. }, Op::RemoveNode { .. }, Op::RemoveText { text, .. }] if text == "x")
    );
}

#[test]
fn what_is_new_in_both_trees_is_not_the_same() {
    let new = |text: &str| root(vec![Kid::Element(element(NodeId::New(7), vec![leaf(&[], vec![chars(None, text)])]))]);
    assert!(matches!(&check(&new("one"), &new("two"))[..], [Op::InsertNode { .. }, Op::RemoveNode { .. }]));
}

#[test]
fn a_link_does_not_become_a_paragraph() {
    let kids = vec![leaf(&[], vec![run(0, "ab")]), inline(7, vec![run(2, "cd")]), leaf(&[], vec![])];
    let old = root(vec![Kid::Element(element(NodeId::Head(Id::new(9, 1)), kids))]);
    let new = root(vec![line(1, vec![run(0, "ab")]), line(2, vec![run(2, "cd")])]);
    let (there, back) = both(&old, &new);
    assert!(!there.iter().chain(&back).any(|op| matches!(op, Op::SetNode { .. })), "{there:#?} {back:#?}");
}

#[test]
fn an_inline_element_goes_between_what_stays_in_one_leaf() {
    let line = |kids: Vec<Kid>| root(vec![Kid::Element(element(NodeId::Head(Id::new(9, 1)), kids))]);
    let old = line(vec![leaf(&[], vec![run(0, "abcdef")]), inline(7, vec![]), leaf(&[], vec![])]);
    let typed = vec![run(2, "cd"), chars(Some(Id::new(2, 0)), "x"), run(4, "ef")];
    let new = line(vec![leaf(&[], vec![run(0, "ab")]), inline(7, vec![]), leaf(&[], typed)]);
    let moves = both(&old, &new).0.into_iter().filter(|op| matches!(op, Op::MoveNode { .. })).count();
    assert_eq!(moves, 1);
}

#[test]
fn leaves_are_joined_as_the_new_tree_has_them() {
    let id = NodeId::Head(Id::new(9, 1));
    let cut = vec![leaf(&[], vec![]), leaf(&[], vec![run(0, "ab")]), leaf(&[], vec![]), leaf(&[], vec![run(2, "cd")])];
    let old = root(vec![Kid::Element(element(id.clone(), cut))]);
    let new = root(vec![Kid::Element(element(id, vec![leaf(&[], vec![run(0, "abcd")])]))]);
    assert_eq!(both(&old, &new).0.len(), 3);
}

#[test]
fn what_is_the_same_by_its_pointer_gives_nothing() {
    let tree = root(vec![line(1, vec![run(0, "ab")])]);
    assert_eq!(steps(&tree, &tree.clone()), []);
    let typed = root(vec![line(1, vec![run(0, "ab"), chars(Some(Id::new(2, 0)), "c")])]);
    let path = Path::from_slice(&[0, 0]);
    assert_eq!(steps(&tree, &typed), [Op::InsertText { path, offset: 2, text: "c".into() }]);
}

#[test]
fn a_hundred_levels_are_turned_inside_out() {
    let nest = |order: &mut dyn Iterator<Item = u32>| {
        let inner = line(1000, vec![run(0, "ab")]);
        root(vec![order.fold(inner, |kid, n| Kid::Element(element(NodeId::Head(Id::new(9, n)), vec![kid])))])
    };
    both(&nest(&mut (0..100)), &nest(&mut (0..100).rev()));
    both(&nest(&mut (0..100)), &root(vec![line(1000, vec![run(0, "ab")])]));
}
