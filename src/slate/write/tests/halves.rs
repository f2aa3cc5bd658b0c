//! A line is divided, and its first half removed.

use super::peer::{Peer, show};
use super::transforms::*;
use crate::slate::view::tree::{Element, NodeId};

fn heads(element: &Element) -> Vec<NodeId> {
    element.elements().map(|kid| kid.id.clone()).collect()
}

fn peer() -> Peer {
    let mut first = Peer::new(1);
    first.insert(&[0], p("abcd"));
    first.insert(&[1], p("z"));
    first.flush().expect("a first document");
    let mut peer = Peer::new(10);
    peer.hear(&first.state()).expect("a state that is followed");
    peer.load();
    peer
}

fn shows(peer: &Peer, wanted: &str) {
    assert_eq!(show(&peer.value).replace("p[]", "p"), wanted);
}

#[test]
fn what_is_left_of_it_is_the_line() {
    for offset in [0, 2] {
        let mut peer = peer();
        let before = heads(&peer.old);
        peer.split_up(&[0, 0], offset, 1);
        peer.remove(&[0]);
        peer.flush().expect("an exact flush");
        shows(&peer, ["p[\"abcd\"] p[\"z\"]", "p[\"cd\"] p[\"z\"]"][offset / 2]);
        assert_eq!(heads(&peer.old), before);
        assert!(peer.mirror.alive().all(|node| peer.mirror.node(node).registers.gone.is_none()));
    }
}

#[test]
fn it_was_divided_twice() {
    let mut peer = peer();
    let before = heads(&peer.old);
    peer.split_up(&[0, 0], 3, 1);
    peer.split_up(&[0, 0], 1, 1);
    peer.remove(&[0]);
    peer.flush().expect("an exact flush");
    shows(&peer, r#"p["bc"] p["d"] p["z"]"#);
    assert_eq!(heads(&peer.old)[0], before[0]);
}

/// Its text lives on in the line before: then the second half is new.
#[test]
fn its_first_half_was_joined() {
    let mut peer = peer();
    let before = heads(&peer.old);
    peer.insert(&[0], p("y"));
    peer.flush().expect("a line before it");
    peer.split_up(&[1, 0], 2, 1);
    peer.merge_blocks(&[0], &[1]);
    peer.normalize();
    peer.flush().expect("an exact flush");
    shows(&peer, r#"p["yab"] p["cd"] p["z"]"#);
    assert!(!heads(&peer.old).contains(&before[0]));
}
