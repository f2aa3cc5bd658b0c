//! Inline elements within others of their own type.

use super::peer::{Peer, show};
use super::transforms::*;
use crate::slate::Node;

fn a(children: Vec<Node>) -> Node {
    element("a", children)
}

fn peer(children: Vec<Node>) -> Peer {
    let mut peer = Peer::new(1);
    peer.insert(&[0], element("p", children));
    peer.insert(&[1], p("z"));
    peer.normalize();
    peer.flush().expect("a first document");
    peer
}

/// An exact flush: both replica and follower show what the editor has.
fn shows(peer: &mut Peer, wanted: &str) {
    peer.normalize();
    let value = show(&peer.value).replace("p[]", "p").replace("a[]", "a");
    assert_eq!(value, wanted);
    peer.flush().unwrap_or_else(|error| panic!("{error}\n{}", peer.dump()));
}

#[test]
fn one_is_put_into_a_link_that_is_there() {
    let mut peer = peer(vec![text(""), a(vec![text("bc")]), text("")]);
    peer.split(&[0, 1, 0], 1);
    peer.insert(&[0, 1, 1], a(vec![text("x")]));
    shows(&mut peer, r#"p["" a["b" a["x"] "c"] ""] p["z"]"#);
    peer.split_up(&[0, 1, 1, 0], 1, 1);
    shows(&mut peer, r#"p["" a["b" a["x"] ""] ""] p["" a["" a[""] "c"] ""] p["z"]"#);
}

#[test]
fn a_link_is_put_around_a_link() {
    let mut peer = peer(vec![text("a"), a(vec![text("bc")]), text("d")]);
    peer.wrap(&[0, 1], a(vec![]));
    shows(&mut peer, r#"p["a" a["" a["bc"] ""] "d"] p["z"]"#);
    peer.shift(&[0, 0], &[0, 1, 0]);
    shows(&mut peer, r#"p["" a["a" a["bc"] ""] "d"] p["z"]"#);
}

#[test]
fn a_part_of_a_link_becomes_a_link_in_it() {
    let mut peer = peer(vec![text("a"), a(vec![text("bcd")]), text("e")]);
    peer.split(&[0, 1, 0], 2);
    peer.split(&[0, 1, 0], 1);
    peer.wrap(&[0, 1, 1], a(vec![]));
    shows(&mut peer, r#"p["a" a["b" a["c"] "d"] "e"] p["z"]"#);
    peer.unwrap(&[0, 1]);
    shows(&mut peer, r#"p["ab" a["c"] "de"] p["z"]"#);
}

#[test]
fn the_outer_one_is_divided() {
    for offset in 0..3 {
        let mut peer = peer(vec![text("a"), a(vec![text("b"), a(vec![text("cd")]), text("e")]), text("f")]);
        peer.split_up(&[0, 1, 1, 0], offset, 1);
        let divided = [("\"\"", "\"cd\""), ("\"c\"", "\"d\""), ("\"cd\"", "\"\"")][offset];
        let wanted = format!(r#"p["a" a["b" a[{}] ""] ""] p["" a["" a[{}] "e"] "f"] p["z"]"#, divided.0, divided.1);
        shows(&mut peer, &wanted);
        peer.merge_blocks(&[0], &[1]);
        peer.normalize();
        peer.flush().unwrap_or_else(|error| panic!("{error}\n{}", peer.dump()));
    }
    let mut peer = peer(vec![text("a"), a(vec![text("b"), a(vec![text("cd")]), text("e")]), text("f")]);
    peer.split(&[0, 1], 1);
    shows(&mut peer, r#"p["a" a["b"] "" a["" a["cd"] "e"] "f"] p["z"]"#);
}

#[test]
fn a_link_is_moved_into_another() {
    let mut peer = peer(vec![text("a"), a(vec![text("b")]), text("c"), a(vec![text("d")]), text("")]);
    peer.shift(&[0, 1], &[0, 3, 0]);
    shows(&mut peer, r#"p["ac" a["" a["b"] "d"] ""] p["z"]"#);
    peer.shift(&[0, 1, 1], &[1, 0]);
    shows(&mut peer, r#"p["ac" a["d"] ""] p["" a["b"] "z"]"#);
}
