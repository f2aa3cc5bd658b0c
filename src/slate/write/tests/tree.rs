//! The editor's tree does what Slate does, and what it cannot do leaves it as it was.

use std::rc::Rc;

use super::peer::{Peer, nodes, show};
use super::transforms::*;
use crate::slate::value::error::OpError;
use crate::slate::{Attrs, Op};

fn peer() -> Peer {
    let mut peer = Peer::new(1);
    peer.insert(&[0], p("a😀b"));
    peer.insert(&[1], element("ul", vec![li("c", vec![]), li("d", vec![])]));
    peer.flush().expect("a first document");
    peer
}

fn after(op: Op) -> String {
    let mut peer = peer();
    peer.tree.apply(&op).expect("it is applied");
    show(&nodes(peer.tree.root())).replace("p[]", "p").replace("[]", "")
}

#[test]
fn what_is_past_an_end_is_at_the_end() {
    let insert = |offset| Op::InsertText { path: path(&[0, 0]), offset, text: "x".into() };
    assert!(after(insert(9)).starts_with("p[\"a😀bx\"]"));
    assert!(after(insert(2)).starts_with("p[\"ax😀b\"]"), "inside a surrogate pair: before it");
    let remove = |offset, text: &str| Op::RemoveText { path: path(&[0, 0]), offset, text: text.into() };
    assert!(after(remove(3, "bcd")).starts_with("p[\"a😀\"]"));
    assert!(after(remove(9, "x")).starts_with("p[\"a😀b\"]"));
    let split = |at: &[usize], position| Op::SplitNode { path: path(at), position, properties: Attrs::new() };
    assert!(after(split(&[0, 0], 9)).starts_with("p[\"a😀b\" \"\"]"));
    assert!(after(split(&[0, 0], 2)).starts_with("p[\"a\" \"😀b\"]"));
    assert!(after(split(&[1], 5)).contains("ul[li[p[\"c\"]] li[p[\"d\"]]] ?"));
    let to_end = Op::MoveNode { path: path(&[1, 0]), new_path: path(&[1, 2]) };
    assert!(after(to_end).ends_with("ul[li[p[\"d\"]] li[p[\"c\"]]]"));
    let inwards = Op::MoveNode { path: path(&[0]), new_path: path(&[1, 0]) };
    assert_eq!(after(inwards), "ul[p[\"a😀b\"] li[p[\"c\"]] li[p[\"d\"]]]");
}

#[test]
fn what_cannot_be_applied_changes_nothing() {
    let all = [
        (Op::InsertText { path: path(&[0]), offset: 0, text: "x".into() }, OpError::WrongKind),
        (Op::RemoveText { path: path(&[0, 7]), offset: 0, text: "x".into() }, OpError::NoSuchNode),
        (Op::RemoveNode { path: path(&[5]), node: p("") }, OpError::NoSuchNode),
        (Op::RemoveNode { path: path(&[]), node: p("") }, OpError::Root),
        (Op::InsertNode { path: path(&[0, 0, 0]), node: p("") }, OpError::WrongKind),
        (Op::MoveNode { path: path(&[1]), new_path: path(&[1, 0]) }, OpError::IntoItself),
        (Op::MoveNode { path: path(&[0]), new_path: path(&[1, 7, 0]) }, OpError::NoSuchNode),
        (Op::MergeNode { path: path(&[0]), position: 0, properties: Attrs::new() }, OpError::NoSuchNode),
        (
            Op::SetNode { path: path(&[0]), properties: Attrs::new(), new_properties: attrs(&[("text", "x".into())]) },
            OpError::ReservedProperty("text".into()),
        ),
    ];
    for (op, error) in all {
        let mut peer = peer();
        let before = peer.tree.root().clone();
        assert_eq!(peer.tree.apply(&op), Err(error), "{op:?}");
        assert_eq!(*peer.tree.root(), before, "{op:?}");
    }
}

#[test]
fn what_did_not_change_is_shared() {
    let mut peer = peer();
    let before = peer.old.clone();
    peer.split_up(&[0, 0], 1, 1);
    peer.flush().expect("divided");
    let shared = |kid: usize, at: usize| match (&before.kids[kid], &peer.old.kids[at]) {
        (crate::slate::view::tree::Kid::Element(before), crate::slate::view::tree::Kid::Element(after)) => {
            Rc::ptr_eq(before, after)
        }
        _ => false,
    };
    assert!(shared(1, 2), "the list");
    assert!(!shared(0, 0), "the line that was divided");
}
