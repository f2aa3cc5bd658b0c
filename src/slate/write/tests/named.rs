//! One person's edits by name: what is written, and how many bytes that takes.

use yrs::Any;

use super::peer::Peer;
use super::transforms::*;
use crate::slate::write::place::MAX_GAPS;
use crate::slate::ydoc::{Nid, ROOT};

const LINE: &str = "The quick brown fox jumps over the lazy dog and runs into the wood. ";

/// Twenty lines and a list of ten.
fn peer() -> Peer {
    let mut first = Peer::new(1);
    for at in 0..20 {
        first.insert(&[at], p(LINE));
    }
    first.insert(&[20], element("ul", (0..10).map(|_| li(LINE, vec![])).collect()));
    first.flush().expect("the first document");
    let mut peer = Peer::new(123_456_789);
    peer.hear(&first.state()).expect("a state that is followed");
    peer.load();
    peer
}

type Acts = &'static [fn(&mut Peer)];

/// The bytes of the last of these edits; each is a flush of its own.
fn bytes(acts: Acts) -> usize {
    let mut peer = peer();
    let mut last = 0;
    for act in acts {
        act(&mut peer);
        peer.normalize();
        last = peer.flush().expect("an exact flush").len();
    }
    last
}

fn enter(peer: &mut Peer) {
    peer.split_up(&[3, 0], 30, 1);
}

fn enter_in_item(peer: &mut Peer) {
    peer.split_up(&[20, 3, 0, 0], 30, 2);
}

fn backspace_in_item(peer: &mut Peer) {
    peer.merge_blocks(&[20, 3, 0], &[20, 4, 0]);
}

fn wrap_three(peer: &mut Peer) {
    peer.insert(&[5], element("q", vec![]));
    for n in 0..3 {
        peer.shift(&[2], &[5 - n, n]);
    }
}

fn bold(peer: &mut Peer) {
    peer.split(&[3, 0], 9);
    peer.split(&[3, 0], 4);
    peer.set(&[3, 1], "bold", Any::Bool(true));
}

fn link(peer: &mut Peer) {
    peer.split(&[3, 0], 9);
    peer.split(&[3, 0], 4);
    peer.wrap(&[3, 1], element("a", vec![]));
    peer.set(&[3, 1], "url", Any::from("u"));
}

#[test]
fn an_edit_takes_so_many_bytes() {
    let all: [(&str, usize, Acts); 20] = [
        ("type a letter", 17, &[|peer| peer.insert_text(&[3, 0], 30, "x")]),
        ("delete a letter", 8, &[|peer| peer.remove_text(&[3, 0], 30, 31)]),
        ("Enter in the middle", 33, &[enter]),
        ("Enter in an item", 78, &[enter_in_item]),
        ("Enter at the end", 32, &[|peer| peer.split_up(&[3, 0], 68, 1)]),
        ("Enter at the start", 32, &[|peer| peer.split_up(&[3, 0], 0, 1)]),
        ("join two halves", 22, &[enter, |peer| peer.merge_blocks(&[3], &[4])]),
        ("join two lines", 79, &[|peer| peer.merge_blocks(&[4], &[5])]),
        ("Backspace in an item, halves", 36, &[enter_in_item, backspace_in_item]),
        ("Backspace in an item, strands", 152, &[backspace_in_item]),
        ("move a line", 63, &[|peer| peer.shift(&[2], &[9])]),
        ("move a list of ten", 59, &[|peer| peer.shift(&[20], &[0])]),
        ("wrap three lines", 195, &[wrap_three]),
        ("unwrap them", 26, &[wrap_three, |peer| peer.unwrap(&[2])]),
        ("remove a line", 28, &[|peer| peer.remove(&[2])]),
        ("bold a word", 66, &[bold]),
        ("unbold it", 75, &[bold, |peer| peer.set(&[3, 1], "bold", Any::Null)]),
        ("link a word", 69, &[link]),
        ("set a property", 24, &[|peer| peer.set(&[2], "type", "h".into())]),
        (
            "Enter, then Backspace",
            2,
            &[|peer| {
                enter(peer);
                peer.merge_blocks(&[3], &[4]);
            }],
        ),
    ];
    let found = all.map(|(name, most, acts)| (name, bytes(acts), most));
    let above: Vec<_> = found.iter().filter(|(_, found, most)| found > most).collect();
    assert!(above.is_empty(), "{above:?} of {found:?}");
}

/// The flush of these operations, on so many lines, looks so often at what the document shows.
fn views(lines: usize, act: impl Fn(&mut Peer)) -> u32 {
    let mut peer = Peer::new(1);
    for at in 0..lines {
        peer.insert(&[at], p("line"));
    }
    peer.flush().expect("the first document");
    act(&mut peer);
    peer.flush().expect("an exact flush");
    peer.views
}

#[test]
fn what_is_typed_is_written_without_a_view() {
    assert_eq!(views(3, |peer| peer.insert_text(&[1, 0], 2, "x")), 0);
    assert_eq!(views(3, |peer| peer.insert_text(&[1, 0], 0, "x")), 0);
    assert_eq!(views(3, |peer| peer.remove_text(&[1, 0], 1, 3)), 0);
    assert!(views(3, |peer| peer.remove_text(&[1, 0], 0, 4)) > 0, "an emptied line may be hidden");
}

/// Views cost as much as the document is long: their number must not grow with the edit.
#[test]
fn a_large_edit_takes_as_many_views_as_a_small_one() {
    let paste =
        |n: usize| views(3, move |peer| (0..n).for_each(|at| peer.insert(&[1 + at], li("new", vec![p("more")]))));
    let remove = |n: usize| views(80, move |peer| (0..n).for_each(|_| peer.remove(&[2])));
    let retype = |n: usize| views(80, move |peer| (0..n).for_each(|at| peer.set(&[at], "type", "h".into())));
    let replace = |n: usize| views(80, move |peer| (0..n).for_each(|at| peer.insert_text(&[at, 0], 1, "x")));
    let bold = |n: usize| views(80, move |peer| (0..n).for_each(|at| peer.set(&[at, 0], "bold", Any::Bool(true))));
    let wrap = |n: usize| {
        views(80, move |peer| {
            peer.insert(&[n], element("q", vec![]));
            (0..n).for_each(|at| peer.shift(&[0], &[n - at, at]));
        })
    };
    assert_eq!(paste(60), paste(4), "paste");
    assert_eq!(remove(60), remove(4), "remove");
    assert_eq!(retype(60), retype(4), "change the type");
    assert_eq!(replace(60), replace(4), "replace");
    assert_eq!(bold(60), bold(4), "bold");
    assert_eq!(wrap(60), wrap(4), "wrap");
}

#[test]
fn gaps_do_not_nest_without_end() {
    let mut peer = Peer::new(1);
    peer.insert(&[0], p("ab"));
    peer.flush().expect("the first document");
    for n in 0..150 {
        peer.split_up(&[n, 0], 1, 1);
        peer.flush().expect("divided");
        peer.insert(&[n + 1], p("ab"));
        peer.flush().expect("put between");
    }
    let deepest = peer.mirror.alive().map(|node| nesting(&peer, node)).max();
    assert!(deepest.is_some_and(|deepest| deepest <= 2 * MAX_GAPS + 2), "{deepest:?}");
}

fn nesting(peer: &Peer, mut node: Nid) -> usize {
    let mut depth = 0;
    while node != ROOT {
        (node, depth) = (peer.mirror.node(node).up, depth + 1);
    }
    depth
}
