//! Text that moves without its element.

use super::peer::{self, Peer, exchange};
use super::transforms::*;
use crate::slate::view::tree::{Kid, NodeId};

fn two() -> [Peer; 2] {
    peer::two(vec![p("abcdef"), p("gh")])
}

/// The characters from one offset to another go to the end of the second line.
fn carry(peer: &mut Peer, from: usize, to: usize) {
    peer.split(&[0, 0], to);
    peer.split(&[0, 0], from);
    peer.shift(&[0, 1], &[1, 1]);
    peer.normalize();
    peer.flush().expect("an exact flush");
}

fn lines(value: &str) -> String {
    value.replace("p[]", "p")
}

#[test]
fn what_stays_behind_it_stays() {
    let [mut one, mut two] = two();
    carry(&mut one, 1, 3);
    assert_eq!(lines(&exchange(&mut one, &mut two)), r#"p["adef"] p["ghbc"]"#);
    let registered = one.mirror.alive().filter(|node| one.mirror.node(*node).registers.at.is_some()).count();
    assert_eq!(registered, 1, "what stays has not moved");
}

/// Either of two neighbours that change places could be the one that stays.
#[test]
fn what_slate_moved_is_what_moves() {
    let [mut one, _] = two();
    let before = one.old.clone();
    one.shift(&[1], &[0]);
    one.flush().expect("moved");
    let (Kid::Element(element), [_, _]) = (&before.kids[1], &one.old.kids[..]) else { panic!("two lines") };
    let NodeId::Head(head) = element.id else { panic!("a head") };
    let node = one.mirror.find(head).expect("it is there");
    assert!(one.mirror.node(node).registers.at.is_some());
}

#[test]
fn two_who_move_the_same_have_it_once() {
    let [mut one, mut two] = two();
    carry(&mut one, 1, 4);
    carry(&mut two, 2, 5);
    let both = exchange(&mut one, &mut two);
    let text: String = both.chars().filter(|char| ('a'..='h').contains(char)).collect();
    let mut sorted: Vec<char> = text.replacen('p', "", 2).chars().collect();
    sorted.sort_unstable();
    assert_eq!(sorted.into_iter().collect::<String>(), "abcdefgh", "{both}");
}

#[test]
fn what_another_types_among_it_goes_along() {
    let [mut one, mut two] = two();
    carry(&mut one, 1, 4);
    two.insert_text(&[0, 0], 2, "X");
    two.flush().expect("an exact flush");
    assert_eq!(lines(&exchange(&mut one, &mut two)), r#"p["aef"] p["ghbXcd"]"#);
}

#[test]
fn it_can_be_moved_on_divided_and_deleted() {
    let [mut one, mut two] = two();
    carry(&mut one, 1, 4);
    one.split_up(&[1, 0], 3, 1);
    one.flush().expect("divided");
    one.remove_text(&[2, 0], 0, 1);
    one.flush().expect("deleted");
    one.merge_blocks(&[1], &[2]);
    one.normalize();
    one.flush().expect("joined");
    assert_eq!(lines(&exchange(&mut one, &mut two)), r#"p["aef"] p["ghbd"]"#);
}

/// Behind a block bare text is shown in that block: it is put to its place so often, and no oftener.
#[test]
fn bare_text_behind_blocks_takes_a_few_tries() {
    let mut peer = Peer::new(1);
    peer.insert(&[0], p("one"));
    peer.insert(&[1], p("two"));
    peer.flush().expect("a first document");
    peer.insert(&[2], text("bare"));
    // The rules show it elsewhere: the flush is not exact.
    peer.flush().expect_err("bare text beside blocks");
    assert!(peer.views < 100, "{} views", peer.views);
}
