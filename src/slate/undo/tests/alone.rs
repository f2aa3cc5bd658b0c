//! Somebody alone takes everything back, and does it again: each step shows what was there.

use super::super::super::write::tests::acts::{Actor, Kinds};
use super::super::super::write::tests::peer::{Peer, schema, show};
use super::super::super::write::tests::random::{SHAPES, env, seed, start};
use super::super::super::write::tests::transforms::Edits as _;
use crate::slate::tests::model::canonical;
use crate::slate::{Act, DocOptions, Node, Op, Passage, SlateDoc, Witness};
use fastrand::Rng;

/// A document of format 1, from another's state.
pub fn open(state: &[u8]) -> SlateDoc {
    let options = DocOptions { client_id: 1_000, root: "content".into(), block_id: None, seed: 1, schema: schema() };
    let mut doc = SlateDoc::new(options);
    doc.apply_update(state).expect("a state that is taken in");
    doc.raise_format(1);
    doc
}

struct Step {
    acts: Vec<Act>,
    passage: Option<Passage>,
    before: Vec<Node>,
    after: Vec<Node>,
}

/// Does it, takes all of it back, and does it again, twice. `by_acts`: by the acts alone.
pub fn there_and_back(doc: &mut SlateDoc, flushes: &[Vec<Op>], by_acts: bool) -> Result<(), String> {
    let mut steps = Vec::new();
    for ops in flushes {
        let before = canonical(&doc.value());
        let change = doc.apply_local(ops.clone());
        if !change.rejected.is_empty() {
            return Ok(());
        }
        // What Slate's normalizer has yet to change may not be shown as it is.
        if doc.look().divergences > 0 {
            return Ok(());
        }
        let passage = change.passage.filter(|_| !by_acts);
        steps.push(Step { acts: change.acts, passage, before, after: canonical(&doc.value()) });
    }
    for _ in 0..2 {
        for (at, step) in steps.iter_mut().enumerate().rev() {
            turn(doc, step, false).map_err(|error| format!("undo {at}: {error}"))?;
        }
        for (at, step) in steps.iter_mut().enumerate() {
            turn(doc, step, true).map_err(|error| format!("redo {at}: {error}"))?;
        }
    }
    Ok(())
}

fn turn(doc: &mut SlateDoc, step: &mut Step, forth: bool) -> Result<(), String> {
    let (change, _) = doc.revert(&step.acts, step.passage.as_ref());
    let shown = canonical(&doc.value());
    let wanted = if forth { &step.after } else { &step.before };
    if shown != *wanted {
        return Err(format!("shown {}\n   wanted {}", show(&shown), show(wanted)));
    }
    let look = doc.look();
    if look.divergences > 0 {
        return Err(format!("the mirror is not what the document has: {:?}", look.ops));
    }
    step.acts = change.acts;
    step.passage = step.passage.take().and(change.passage);
    Ok(())
}

struct Case {
    state: Vec<u8>,
    flushes: Vec<Vec<Op>>,
}

impl Case {
    fn draw(number: u64) -> Self {
        let bit = |n: u64| (number / 6) >> n & 1 == 1;
        let kinds = Kinds { removals: bit(0), links: bit(1), voids: bit(2), more: bit(3) };
        let mut actor = Actor { rng: Rng::with_seed(number), kinds, next: 0 };
        let value = start(&mut actor, SHAPES[(number % SHAPES.len() as u64) as usize]);
        let state = seed(&value, bit(4)).expect("a first document").state();
        let mut peer = Peer::new(1_000);
        peer.hear(&state).expect("a state that is followed");
        peer.load();
        let mut flushes = Vec::new();
        for _ in 0..2 + actor.below(8) {
            for _ in 0..1 + actor.below(3) {
                if !peer.texts().is_empty() {
                    actor.act(&mut peer);
                }
            }
            flushes.push(peer.log.clone());
            peer.flush().expect("an exact flush");
        }
        Self { state, flushes }
    }

    fn play(&self, flushes: &[Vec<Op>]) -> Result<(), String> {
        let played = std::panic::catch_unwind(|| there_and_back(&mut open(&self.state), flushes, by_acts()));
        played.unwrap_or_else(|_| Err("panicked".into()))
    }

    /// With less and less of it, for as long as something is wrong.
    fn shrink(&self, mut error: String) -> String {
        let mut least = self.flushes.clone();
        let kind = |error: &str| error.chars().take(4).collect::<String>();
        loop {
            let fewer = (0..least.len()).map(|at| {
                let mut fewer = least.clone();
                fewer.remove(at);
                fewer
            });
            let shorter = (0..least.len()).flat_map(|at| (0..least[at].len()).rev().map(move |op| (at, op)));
            let shorter = shorter.map(|(at, op)| {
                let mut shorter = least.clone();
                shorter[at].remove(op);
                shorter
            });
            let found = fewer.chain(shorter).find_map(|flushes| match self.play(&flushes) {
                Err(found) if kind(&found) == kind(&error) => Some((flushes, found)),
                _ => None,
            });
            let Some(found) = found else { break };
            (least, error) = found;
        }
        let start = show(&open(&self.state).value());
        let ops: Vec<String> =
            least.iter().map(|flush| flush.iter().map(|op| format!("     {op:?}\n")).collect::<String>()).collect();
        format!("from {start}\n{}   {error}", ops.join("     --\n"))
    }
}

/// `UNDO_BY_ACTS`: without what is written where the acts alone do not come out.
fn by_acts() -> bool {
    env("UNDO_BY_ACTS", 0) == 1
}

#[test]
fn every_step_back_and_forth_shows_what_was_there() {
    let (first, runs) = (env("SLATE_SEED", 1), env("UNDO_RUNS", 200));
    let mut bad = Vec::new();
    for number in first..first + runs {
        let case = Case::draw(number);
        if let Err(error) = case.play(&case.flushes) {
            if (bad.len() as u64) < env("SLATE_SHOW", 4) {
                eprintln!("SLATE_SEED={number}: {}\n", case.shrink(error));
            }
            bad.push(number);
        }
    }
    eprintln!("{runs} runs, {} bad: {bad:?}", bad.len());
    assert!(bad.is_empty());
}

/// What a witness says of an update is anybody's to take back: it leads to what was there, or to what the acts lead to of whoever
/// made it.
#[test]
fn what_a_witness_saw_is_taken_back_by_anybody() {
    let (first, runs) = (env("SLATE_SEED", 1), env("UNDO_RUNS", 120));
    let (mut taken_back, mut flushes) = (0, 0);
    for number in first..first + runs {
        let case = Case::draw(number);
        let mut doc = open(&case.state);
        let mut witness = Witness::new("content", &doc.encode_state(None).expect("a state")).expect("a state");
        for ops in &case.flushes {
            let before = canonical(&doc.value());
            let change = doc.apply_local(ops.clone());
            let Some(update) = change.update.filter(|_| change.rejected.is_empty()) else { break };
            let acts = witness.see(&update).expect("an update");
            let state = doc.encode_state(None).expect("a state");
            let back = |acts: &[Act]| {
                let mut other = open(&state).with_client_id(2_000);
                other.revert(acts, None);
                assert_eq!(other.look().divergences, 0, "SLATE_SEED={number}");
                canonical(&other.value())
            };
            let (seen, own) = (back(&acts), back(&change.acts));
            let context = || {
                format!(
                    "SLATE_SEED={number}: {}\n   wanted {}\n   own {}\n   {acts:?}\n   {:?}",
                    show(&seen),
                    show(&before),
                    show(&own),
                    change.acts
                )
            };
            assert!(seen == before || seen == own, "{}", context());
            flushes += 1;
            taken_back += u32::from(seen == before);
        }
    }
    eprintln!("{flushes} flushes, {taken_back} taken back");
    assert!(taken_back * 10 > flushes * 9, "{taken_back} of {flushes}");
}
