//! Lines that are divided and joined many times in one flush, so that where the next break or seam comes is known without
//! another view. What is known is compared with a view each time, and what is shown with the editor.

use fastrand::Rng;
use yrs::Any;

use super::peer::{Peer, show};
use super::random::env;
use super::transforms::*;

fn views(act: impl Fn(&mut Peer)) -> u32 {
    let mut peer = Peer::new(1);
    for at in 0..80 {
        peer.insert(&[at], p(&"line".repeat(40)));
    }
    peer.flush().expect("the first document");
    act(&mut peer);
    peer.flush().expect("an exact flush");
    peer.views
}

#[test]
fn many_breaks_and_joins_take_as_many_views_as_few() {
    let divide = |n: usize| views(move |peer| (0..n).for_each(|at| peer.split_up(&[3 + at, 0], 2, 1)));
    let join = |n: usize| views(move |peer| (0..n).for_each(|_| peer.merge_blocks(&[3], &[4])));
    assert_eq!(divide(60), divide(4), "Enter");
    assert_eq!(join(60), join(4), "Backspace");
}

#[test]
fn divided_and_joined_at_random() {
    let first = env("SLATE_SEED", 0);
    let (mut breaks, mut joins) = (0, 0);
    for seed in first..first + env("WRITE_RUNS", 300) {
        let mut rng = Rng::with_seed(seed);
        let mut peer = Peer::new(1);
        for at in 0..5 {
            peer.insert(&[at], p(&"abcdefghij"[..rng.usize(..11)]));
        }
        peer.flush().expect("the first document");
        for _ in 0..4 {
            let before = show(&peer.value);
            for _ in 0..rng.usize(1..9) {
                let (at, count) = (rng.usize(..peer.value.len()), peer.value.len());
                let len = string(peer.children(&[at])).len();
                match rng.u8(..8) {
                    0..3 => {
                        peer.split_up(&[at, 0], rng.usize(..=len), 1);
                        breaks += 1;
                    }
                    3..5 if at + 1 < count => {
                        peer.merge_blocks(&[at], &[at + 1]);
                        joins += 1;
                    }
                    5 => peer.insert(&[at], p(["new", ""][rng.usize(..2)])),
                    6 => peer.set(&[at], "type", Any::from(["p", "h"][rng.usize(..2)])),
                    _ => peer.insert_text(&[at, 0], rng.usize(..=len), "x"),
                }
                peer.normalize();
            }
            peer.flush().unwrap_or_else(|error| panic!("seed {seed}: {error}\n{before}\n{}", peer.dump()));
        }
    }
    assert!(breaks > 900 && joins > 500, "{breaks} breaks, {joins} joins");
}

/// What flows into a line through a seam comes behind all halves that are joined to it.
#[test]
fn halves_with_others_between_are_joined() {
    let mut peer = Peer::new(1);
    peer.insert(&[0], p("abcdef"));
    peer.insert(&[1], p("behind"));
    peer.flush().expect("the first document");
    peer.split_up(&[0, 0], 4, 1);
    peer.split_up(&[0, 0], 2, 1);
    peer.flush().expect("three pieces");
    peer.insert(&[1], p("new"));
    peer.flush().expect("one between");
    (0..4).for_each(|_| peer.merge_blocks(&[0], &[1]));
    peer.normalize();
    peer.flush().expect("one line");
    assert_eq!(show(&peer.value), r#"p["abnewcdefbehind"]"#);
}

/// What stands for pieces of a line that are left out has the properties of its last, also those that it does not have.
#[test]
fn what_stands_for_pieces_inherits_nothing() {
    let mut peer = Peer::new(1);
    peer.insert(&[0], p("aabbccddeeff"));
    peer.flush().expect("the first document");
    (1..6).for_each(|at| peer.split_up(&[at - 1, 0], 2, 1));
    peer.flush().expect("a line in pieces");
    peer.split_up(&[5, 0], 1, 1);
    peer.flush().expect("from now on it is known piece by piece");
    peer.set(&[2], "align", Any::from(3));
    peer.flush().expect("one is set, and the next does not inherit it");
    peer.split_up(&[2, 0], 1, 1);
    peer.flush().expect("only that one is looked at");
}
