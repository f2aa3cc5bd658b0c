//! Conservation: every letter is the only one of its kind. What nobody deleted is there in the end, once.
//!
//! That must hold always, also where two copy the same at once. Where people do everything there is, so that copies of
//! copies meet moves of their blocks, the rate is printed. `SLATE_RUNS` and `SLATE_SEED` choose the runs.

use std::collections::HashSet;

use super::model::{apply_all, normalize};
use super::random::{self, Net, Seen, block, env};
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
}
use Habit::{Backspace, Enter, Erase, Format, Move, Remove, Type, TypeAtBorder};

const ALL: [Habit; 8] = [Type, Type, Enter, Backspace, Format, Erase, Move, Remove];

/// Authors by what they do, and whether a letter may ever be lost or doubled.
const MIXES: [(&str, &[&[Habit]], bool); 13] = [
    ("insert ‖ split", &[&[Type], &[Enter], &[Type]], true),
    ("insert ‖ merge at block borders", &[&[TypeAtBorder], &[Backspace, Type], &[TypeAtBorder]], true),
    ("format ‖ split", &[&[Format], &[Enter], &[Type, Format]], true),
    ("insert ‖ merge", &[&[Type], &[Backspace], &[Type]], true),
    ("insert ‖ split and merge", &[&[Type], &[Enter, Enter, Backspace], &[Type]], true),
    ("insert ‖ move", &[&[Type], &[Move], &[Type]], true),
    ("split ‖ split", &[&[Type, Enter], &[Type, Enter]], true),
    ("merge ‖ merge", &[&[Type, Backspace], &[Type, Backspace]], true),
    ("insert ‖ remove", &[&[Type], &[Remove, Type, Type], &[Type, Enter]], true),
    ("remove ‖ split, merge and move", &[&[Type, Type, Remove], &[Enter, Backspace, Move, Type]], true),
    ("erase ‖ split", &[&[Type, Erase], &[Enter, Type]], true),
    ("erase ‖ split, merge and move", &[&[Type, Erase], &[Enter, Backspace, Move, Type]], true),
    ("everything", &[&ALL, &ALL, &ALL], false),
];

const STEPS: usize = 40;
/// The private area.
const FIRST: u32 = 0xE000;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    letters: u32,
    lost: u32,
    doubled: u32,
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
        Remove => {
            let blocks: Seen = nodes.into_iter().filter(|(path, _)| path.len() == 1).collect();
            random::remove_node(rng, &value, &blocks)
        }
    }
}

fn run(roles: &[&[Habit]], seed: u64) -> Count {
    let mut letters = Letters(0);
    let start = [12, 6, 9].map(|count| block("p", &letters.take(count)));
    let mut net = Net::starting_with(seed, roles.len(), start.into());
    // As from a server: what an update builds upon comes before it.
    net.out_of_order = false;
    let mut deleted = HashSet::new();
    for _ in 0..STEPS {
        let at = net.rng.usize(..roles.len());
        if net.rng.u8(..3) == 0 {
            net.deliver(at);
            continue;
        }
        let habit = roles[at][net.rng.usize(..roles[at].len())];
        let Some(mut ops) = act(&mut net, at, habit, &mut letters) else { continue };
        for op in &ops {
            match op {
                Op::RemoveText { text, .. } => deleted.extend(text.chars()),
                Op::RemoveNode { node, .. } => {
                    let nodes = random::seen(std::slice::from_ref(node));
                    random::texts(&nodes).iter().for_each(|(_, leaf)| deleted.extend(leaf.text.chars()));
                }
                _ => {}
            }
        }
        let mut value = net.editors[at].value.clone();
        apply_all(&mut value, &ops);
        ops.extend(normalize(&mut value));
        let update = net.editors[at].edit(ops);
        net.send(at, update);
    }
    net.settle();
    let nodes = random::seen(&net.editors[0].value);
    let text: String = random::texts(&nodes).iter().map(|(_, leaf)| leaf.text.as_str()).collect();
    let mut count = Count { letters: letters.0, ..Count::default() };
    for letter in (FIRST..FIRST + letters.0).filter_map(char::from_u32).filter(|letter| !deleted.contains(letter)) {
        match text.matches(letter).count() {
            0 => count.lost += 1,
            found => count.doubled += found as u32 - 1,
        }
    }
    count
}

#[test]
fn what_nobody_deleted_is_there_once() {
    let first = env("SLATE_SEED", 1);
    let runs = env("SLATE_RUNS", 100);
    for (name, roles, safe) in MIXES {
        let mut total = Count::default();
        for seed in first..first + runs {
            let count = run(roles, seed);
            if safe {
                assert_eq!((count.lost, count.doubled), (0, 0), "{name}: lost, doubled with SLATE_SEED={seed}");
            }
            total.letters += count.letters;
            total.lost += count.lost;
            total.doubled += count.doubled;
        }
        let rate = |part: u32| 1000.0 * f64::from(part) / f64::from(total.letters);
        println!("{name}: lost {:.2} ‰, doubled {:.2} ‰", rate(total.lost), rate(total.doubled));
    }
}
