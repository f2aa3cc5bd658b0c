//! Conservation: every letter is the only one of its kind. What nobody deleted is there in the end, once, and what
//! somebody deleted is not.
//!
//! The first must hold always, also where two copy the same at once. The second all but: in one of 10,000 runs of two who
//! delete and move, and where three do everything there is, so that copies of copies meet moves of their blocks, something
//! comes back: who deletes one of two may want the other. `SLATE_RUNS` and `SLATE_SEED` choose the runs.

use std::collections::HashSet;

use super::model::{apply_all, normalize};
use super::net::Net;
use super::random::{self, Seen, block, env};
use crate::slate::{Node, Op};

/// What an author does, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    Type,
    /// At the start or the end of a block.
    TypeAtBorder,
    Enter,
    Backspace,
    Format,
    Erase,
    Move,
    /// A whole block.
    Remove,
    Wrap,
    Lift,
}
use Habit::{Backspace, Enter, Erase, Format, Lift, Move, Remove, Type, TypeAtBorder, Wrap};

const ALL: [Habit; 8] = [Type, Type, Enter, Backspace, Format, Erase, Move, Remove];
const NESTING: [Habit; 8] = [Type, Type, Enter, Backspace, Move, Wrap, Wrap, Lift];

/// Authors by what they do.
type Mix = (&'static str, &'static [&'static [Habit]]);

const TYPING: [Mix; 6] = [
    ("insert ‖ split", &[&[Type], &[Enter], &[Type]]),
    ("insert ‖ merge at block borders", &[&[TypeAtBorder], &[Backspace, Type], &[TypeAtBorder]]),
    ("format ‖ split", &[&[Format], &[Enter], &[Type, Format]]),
    ("insert ‖ merge", &[&[Type], &[Backspace], &[Type]]),
    ("insert ‖ split and merge", &[&[Type], &[Enter, Enter, Backspace], &[Type]]),
    ("insert ‖ move", &[&[Type], &[Move], &[Type]]),
];
const COPYING: [Mix; 3] = [
    ("split ‖ split", &[&[Type, Enter], &[Type, Enter]]),
    ("merge ‖ merge", &[&[Type, Backspace], &[Type, Backspace]]),
    ("split and merge ‖ split and merge", &[&[Type, Enter, Backspace], &[Type, Enter, Backspace]]),
];
const DELETION: [Mix; 4] = [
    ("insert ‖ remove", &[&[Type], &[Remove, Type, Type], &[Type, Enter]]),
    ("remove ‖ split, merge and move", &[&[Type, Type, Remove], &[Enter, Backspace, Move, Type]]),
    ("erase ‖ split", &[&[Type, Erase], &[Enter, Type]]),
    ("erase ‖ split, merge and move", &[&[Type, Erase], &[Enter, Backspace, Move, Type]]),
];
const EVERYTHING: Mix = ("everything", &[&ALL, &ALL, &ALL]);
const NESTED: [Mix; 2] =
    [("insert ‖ wrap and lift", &[&[Type], &[Wrap, Lift, Type]]), ("nesting", &[&NESTING, &NESTING])];

const STEPS: usize = 40;
/// The private area.
const FIRST: u32 = 0xE000;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    letters: u32,
    lost: u32,
    doubled: u32,
    /// Deleted and there all the same.
    back: u32,
}

struct Letters(u32);

impl Letters {
    fn take(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| {
                self.0 += 1;
                char::from_u32(FIRST + self.0 - 1).expect("within the private area")
            })
            .collect()
    }
}

fn act(net: &mut Net, at: usize, habit: Habit, letters: &mut Letters) -> Option<Vec<Op>> {
    let value = net.editors[at].value.clone();
    let nodes = random::seen(&value);
    let (texts, elements) = (random::texts(&nodes), random::elements(&nodes));
    let rng = &mut net.rng;
    match habit {
        Type => {
            let (path, leaf) = random::pick(rng, &texts)?;
            let offset = *random::pick(rng, &random::offsets(&leaf.text))?;
            let text = letters.take(rng.usize(1..3));
            Some(vec![Op::InsertText { path: path.clone(), offset, text }])
        }
        TypeAtBorder => {
            let (path, element) = random::pick(rng, &elements)?;
            let last = rng.bool();
            let index = if last { element.children.len() - 1 } else { 0 };
            let Node::Text(leaf) = &element.children[index] else { return None };
            let offset = if last { *random::offsets(&leaf.text).last()? } else { 0 };
            let mut path = path.clone();
            path.push(index as u32);
            Some(vec![Op::InsertText { path, offset, text: letters.take(1) }])
        }
        Enter => random::enter(rng, &value, &texts),
        Backspace => random::backspace(rng, &value, &elements),
        Format => random::format(rng, &texts),
        Erase => random::remove_text(rng, &texts),
        Move => {
            let blocks: Seen = nodes.into_iter().filter(|(path, _)| path.len() == 1).collect();
            random::move_node(rng, &value, &blocks)
        }
        Wrap => random::wrap(rng, &elements),
        Lift => random::lift(rng, &value, &elements),
        Remove => {
            let blocks: Seen = nodes.into_iter().filter(|(path, _)| path.len() == 1).collect();
            random::remove_node(rng, &value, &blocks)
        }
    }
}

fn text_of(value: &[Node]) -> String {
    random::texts(&random::seen(value)).iter().map(|(_, leaf)| leaf.text.as_str()).collect()
}

fn removed(op: &Op) -> Vec<char> {
    match op {
        Op::RemoveText { text, .. } => text.chars().collect(),
        Op::RemoveNode { node, .. } => text_of(std::slice::from_ref(node)).chars().collect(),
        _ => Vec::new(),
    }
}

fn run(roles: &[&[Habit]], seed: u64, relayed: bool) -> Count {
    let mut letters = Letters(0);
    let start = [12, 6, 9].map(|count| block("p", &letters.take(count)));
    let mut net = Net::starting_with(seed, roles.len(), start.into());
    // As from a server: what an update builds upon comes before it.
    net.out_of_order = false;
    if relayed {
        net.through_relay();
    }
    let (mut deleted, mut either) = (HashSet::new(), HashSet::new());
    for _ in 0..STEPS {
        let at = net.rng.usize(..roles.len());
        if net.rng.u8(..3) == 0 {
            net.deliver(at);
            continue;
        }
        let habit = roles[at][net.rng.usize(..roles[at].len())];
        let Some(mut ops) = act(&mut net, at, habit, &mut letters) else { continue };
        for letter in ops.iter().flat_map(removed) {
            // Who sees it twice may well want it once.
            let seen = text_of(&net.editors[at].value).matches(letter).count();
            if seen > 1 { &mut either } else { &mut deleted }.insert(letter);
        }
        let mut value = net.editors[at].value.clone();
        apply_all(&mut value, &ops);
        ops.extend(normalize(&mut value));
        let update = net.editors[at].edit(ops);
        net.send(at, update);
    }
    net.settle();
    let text = text_of(&net.editors[0].value);
    let mut count = Count { letters: letters.0, ..Count::default() };
    for letter in (FIRST..FIRST + letters.0).filter_map(char::from_u32) {
        match (deleted.contains(&letter), text.matches(letter).count()) {
            _ if either.contains(&letter) => {}
            (true, found) => count.back += u32::from(found > 0),
            (false, 0) => count.lost += 1,
            (false, found) => count.doubled += found as u32 - 1,
        }
    }
    count
}

/// From author to author, or through a server that names all that went with a block as deleted.
const WAYS: [(&str, bool, u64); 2] = [("", false, 1), (", relayed", true, 3)];

/// `back`: how many of a thousand letters may be. `part`: of so many runs, one; `least`: so many at least, where of
/// fewer a rate says nothing.
fn count(mixes: &[Mix], back: f64, part: u64, least: u64) {
    let first = env("SLATE_SEED", 1);
    for (name, roles) in mixes {
        for (way, relayed, share) in WAYS {
            let mut total = Count::default();
            for seed in first..first + env("SLATE_RUNS", 100).max(least).div_ceil(part * share) {
                let count = run(roles, seed, relayed);
                assert_eq!((count.lost, count.doubled), (0, 0), "{name}{way}: lost, doubled with SLATE_SEED={seed}");
                assert!(back > 0.0 || count.back == 0, "{name}{way}: {} are back with SLATE_SEED={seed}", count.back);
                total.letters += count.letters;
                total.back += count.back;
            }
            let rate = 1000.0 * f64::from(total.back) / f64::from(total.letters);
            println!("{name}{way}: lost 0, doubled 0, back {rate:.2} ‰");
            assert!(rate <= back, "{name}{way}: {rate} ‰ are back");
        }
    }
}

#[test]
fn what_nobody_deleted_is_there_once() {
    count(&TYPING, 0.0, 1, 0);
}

#[test]
fn what_two_copy_at_once_is_there_once() {
    count(&COPYING, 0.0, 1, 0);
}

#[test]
fn what_somebody_deleted_is_gone() {
    count(&DELETION, 0.05, 2, 0);
}

#[test]
fn whatever_three_do_nothing_is_lost_or_doubled() {
    count(&[EVERYTHING], 4.0, 2, 1_000);
}

#[test]
fn what_is_wrapped_and_lifted_is_there_once() {
    count(&NESTED, 0.0, 2, 0);
}
