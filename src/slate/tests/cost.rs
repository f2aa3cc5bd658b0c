//! What things cost natively, for finding what grows with the document:
//! `cargo test --release -p slate-yrs --lib -- --ignored --nocapture cost`

use std::time::Instant;

use super::random::block;
use crate::slate::{Assoc, DocOptions, Node, Op, Path, Point, SlateDoc};
use crate::undo::Undo;

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Microseconds for one of `n` runs.
fn time(n: usize, mut run: impl FnMut(usize)) -> f64 {
    median(
        (0..n)
            .map(|at| {
                let start = Instant::now();
                run(at);
                start.elapsed().as_secs_f64() * 1e6
            })
            .collect(),
    )
}

fn script(blocks: usize) -> Vec<Node> {
    let text = "He looks up from the page, and the room is quite another one.";
    (0..blocks).map(|n| block(["action", "dialogue", "character"][n % 3], &text[..20 + n % 40])).collect()
}

fn doc(client_id: u32) -> SlateDoc {
    SlateDoc::new(DocOptions {
        client_id,
        root: "content".into(),
        block_id: Some("id".into()),
        seed: 1,
        schema: Default::default(),
    })
}

fn key(block: u32, offset: u32) -> Op {
    Op::InsertText { path: Path::from_slice(&[block, 0]), offset, text: "x".into() }
}

#[test]
#[ignore = "prints numbers"]
fn cost() {
    for blocks in [1_000, 3_300, 10_000, 30_000] {
        let seed = SlateDoc::seed_update("content", &script(blocks));
        let middle = blocks as u32 / 2;
        let mut one = doc(1);
        let open = time(1, |_| drop(one.load(&seed)));
        let value = time(5, |_| drop(one.value()));
        let mut two = doc(2);
        let open_ops = time(1, |_| drop(two.apply_update(&seed)));
        let mut updates = Vec::new();
        let local = time(500, |n| updates.extend(one.apply_local(vec![key(middle, n as u32 % 10)]).update));
        let remote = time(500, |n| drop(two.apply_update(&updates[n])));
        let mut undo = Undo::new(500);
        let with_undo = time(500, |n| {
            let change = one.apply_local(vec![key(middle + 1, n as u32)]);
            undo.record(n as u64 * 100, change.inverse, None);
        });
        let peer = doc(3).apply_local(vec![]).ops;
        undo.transform(&peer);
        two.apply_update(&one.encode_state(None).expect("state")).expect("valid");
        let mut splits = Vec::new();
        let split = time(100, |n| {
            let block = middle + 10 + 2 * n as u32;
            let change = one.apply_local(vec![
                Op::SplitNode { path: Path::from_slice(&[block, 0]), position: 5, properties: Default::default() },
                Op::SplitNode { path: Path::from_slice(&[block]), position: 1, properties: Default::default() },
            ]);
            splits.extend(change.update);
        });
        let remote_split = time(100, |n| drop(two.apply_update(&splits[n])));
        let points: Vec<_> = (0..20)
            .map(|n| Point { path: Path::from_slice(&[blocks as u32 * n / 20, 0]), offset: 3 })
            .filter_map(|point| one.sticky(&point, Assoc::After))
            .collect();
        let cursors = time(50, |_| points.iter().for_each(|point| drop(one.resolve(point))));
        let paste: Vec<Op> = (0..500)
            .map(|n| Op::InsertNode { path: Path::from_slice(&[middle + n]), node: block("action", "pasted text") })
            .collect();
        let mut pasted = None;
        let paste_cost = time(1, |_| pasted = one.apply_local(paste.clone()).update);
        let pasted = pasted.expect("update");
        let remote_paste = time(1, |_| drop(two.apply_update(&pasted)));
        two.apply_update(&one.encode_state(None).expect("state")).expect("valid");
        let mut three = doc(4);
        three.load(&two.encode_state(None).expect("state")).expect("valid");
        let mut many = doc(5);
        many.load(&three.encode_state(None).expect("state")).expect("valid");
        let touch: Vec<Op> = (0..blocks.min(3000) as u32).map(|n| key(n, 2)).collect();
        let touched = many.apply_local(touch).update.expect("update");
        let touched_cost = time(1, |_| drop(three.apply_update(&touched)));
        many.look_again();
        let mut looks = Vec::new();
        while many.is_looking() {
            looks.push(time(1, |_| drop(many.look())));
        }
        let (first, rounds) = (looks[0], looks.len());
        let look = median(looks);
        let remove: Vec<Op> = (0..50u32)
            .map(|n| Op::SetNode {
                path: Path::from_slice(&[n, 0]),
                properties: Default::default(),
                new_properties: [("bold".into(), true.into())].into(),
            })
            .collect();
        let bold = time(1, |_| drop(one.apply_local(remove.clone())));
        println!(
            "{blocks:6} blocks, µs: open {open:.0} (as operations {open_ops:.0}) value {value:.0} | key {local:.2} \
             with undo {with_undo:.2} remote key {remote:.2} | split {split:.1} \
             remote split {remote_split:.1} | paste 500 {paste_cost:.0} remote paste {remote_paste:.0} bold 50 {bold:.0} \
             | 20 cursors {cursors:.1} | update touching 3,000 {touched_cost:.0} \
             | a look {look:.0}, the first of {rounds} {first:.0}"
        );
    }
}

#[test]
#[ignore = "prints numbers"]
fn cost_of_a_long_log() {
    let mut one = doc(1);
    one.load(&SlateDoc::seed_update("content", &script(1_000))).expect("valid");
    let mut rows = vec![one.encode_state(None).expect("state")];
    for at in 0..50_000_u32 {
        rows.extend(one.apply_local(vec![key(((at >> 3) * 37) % 1_000, at % 8)]).update);
    }
    let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    let merging = time(1, |_| drop(crate::update::merge(&rows)));
    let merged = crate::update::merge(&rows).expect("valid");
    let at_once = time(1, |_| drop(doc(2).load(&merged)));
    let loading = time(1, |_| drop(doc(2).load_all(&rows)));
    println!("{} rows: merged {merging:.0} µs, loaded as one {at_once:.0} µs; row by row {loading:.0} µs", rows.len());
}
