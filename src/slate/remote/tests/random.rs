//! Random trees and edits. `STEPS_RUNS` says how many, `SLATE_SEED` with which seed to begin.

use std::collections::HashMap;
use std::rc::Rc;

use super::check::check;
use super::edit::{EDITS, divide, shuffle};
use super::grow::{Branch, Garden, Spot, Twig, by_id};
use super::trees::apart;
use crate::slate::remote::{steps, value};
use crate::slate::value::op::Op;
use crate::slate::view::tree::Element;

/// Calls a test with many seeds; the seed is printed if it fails.
fn runs(default: u64, test: impl Fn(u64, &mut Garden)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let first = number("SLATE_SEED").unwrap_or(1);
    for seed in first..first + number("STEPS_RUNS").unwrap_or(default) {
        let named = Named(seed);
        test(seed, &mut Garden::new(seed));
        std::mem::forget(named);
    }
}

struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        println!("failed with SLATE_SEED={} STEPS_RUNS=1", self.0);
    }
}

fn shown(garden: &mut Garden, branch: &Branch) -> Rc<Element> {
    garden.show(branch, &HashMap::new())
}

/// Both trees; every other time what is equal is shared.
fn both(garden: &mut Garden, old: &Branch, new: &Branch, edited: bool) -> (Rc<Element>, Rc<Element>) {
    let mut old = shown(garden, old);
    if edited {
        old = garden.edited(&old);
    }
    let had = if garden.one_in(4) { HashMap::new() } else { by_id(&old) };
    let new = garden.show(new, &had);
    (old, new)
}

fn edits(garden: &mut Garden, tree: &mut Branch, max: usize) {
    for _ in 0..=garden.up_to(max - 1) {
        if let Some(edit) = garden.pick(&EDITS) {
            edit(garden, tree);
        }
    }
}

#[test]
fn edits_of_peers_come_out_exactly() {
    runs(400, |_, garden| {
        let old = garden.tree(6);
        let mut new = old.clone();
        edits(garden, &mut new, 8);
        let (old, new) = both(garden, &old, &new, false);
        check(&old, &new);
        check(&new, &old);
    });
}

#[test]
fn an_editor_that_is_not_normal_comes_out_exactly() {
    runs(400, |_, garden| {
        let old = garden.tree(6);
        let mut new = old.clone();
        edits(garden, &mut new, 4);
        let (old, new) = both(garden, &old, &new, true);
        check(&old, &new);
    });
}

#[test]
fn many_edits_of_a_long_document_come_out_exactly() {
    runs(20, |_, garden| {
        let old = garden.tree(50);
        let mut new = old.clone();
        edits(garden, &mut new, 40);
        let edited = garden.one_in(2);
        let (old, new) = both(garden, &old, &new, edited);
        check(&old, &new);
    });
}

#[test]
fn trees_of_the_same_parts_come_out_exactly() {
    runs(200, |_, garden| {
        let old = garden.tree(6);
        let mut new = old.clone();
        shuffle(garden, &mut new);
        let edited = garden.one_in(2);
        let (old, new) = both(garden, &old, &new, edited);
        check(&old, &new);
        if !edited {
            check(&new, &old);
        }
    });
}

/// What is found by pointers is what ids say.
#[test]
fn pointers_only_save_work() {
    runs(200, |_, garden| {
        let old = garden.tree(6);
        let mut new = old.clone();
        edits(garden, &mut new, 3);
        let old = shown(garden, &old);
        let new = garden.show(&new, &by_id(&old));
        assert_eq!(steps(&old, &new), steps(&old, &apart(&new)));
        assert_eq!(steps(&old, &apart(&old)), []);
    });
}

/// A line that can be divided between two of its characters, which have the same marks.
fn line(garden: &mut Garden, tree: &Branch) -> Option<(Spot, usize)> {
    let mut places = Vec::new();
    for spot in tree.all(|branch| branch.is_textual() && !branch.is_inline()) {
        for (index, pair) in tree.at(&spot).kids.windows(2).enumerate() {
            if let [Twig::Char(a), Twig::Char(b)] = pair
                && a.marks == b.marks
            {
                places.push((spot.clone(), index + 1));
            }
        }
    }
    garden.pick(&places)
}

#[test]
fn an_enter_is_a_chain_of_splits() {
    runs(300, |_, garden| {
        let old = garden.tree(6);
        let Some((mut spot, mut at)) = line(garden, &old) else { return };
        let mut new = old.clone();
        let mut levels = 0;
        while !spot.is_empty() && levels <= garden.up_to(3) {
            divide(garden, &mut new, &spot, at);
            at = spot.pop().unwrap() + 1;
            levels += 1;
        }
        let (old, new) = both(garden, &old, &new, false);
        let ops = check(&old, &new);
        assert!(ops.iter().all(|op| matches!(op, Op::SplitNode { .. })), "{ops:#?}");
        assert_eq!(ops.len(), levels + 1);
        // And a join of them all is a chain of merges.
        let ops = check(&new, &old);
        let merges = ops.iter().filter(|op| matches!(op, Op::MergeNode { .. })).count();
        assert_eq!((merges, ops.len()), (levels + 1, levels + 1), "{ops:#?}");
    });
}

#[test]
fn a_move_is_one_move_node() {
    runs(300, |_, garden| {
        let old = garden.tree(12);
        let mut new = old.clone();
        let with_siblings = |spot: &Spot| spot.len() > 1 && old.at(&spot[..spot.len() - 1]).kids.len() > 1;
        let blocks = old.all(|branch| !branch.is_root() && !branch.is_inline());
        let blocks: Vec<_> = blocks.into_iter().filter(|spot| spot.len() == 1 || with_siblings(spot)).collect();
        let Some(from) = garden.pick(&blocks) else { return };
        let block = new.take(&from);
        let to = new.all(|branch| branch.is_root() || (branch.is_holder() && !branch.kids.is_empty()));
        let to = garden.pick(&to).unwrap();
        let kids = &mut new.at_mut(&to).kids;
        kids.insert(garden.up_to(kids.len()), block);
        let (old, new) = both(garden, &old, &new, false);
        let ops = check(&old, &new);
        if value(&old) != value(&new) {
            assert!(matches!(&ops[..], [Op::MoveNode { .. }]), "{ops:#?}");
        }
    });
}
