//! Updates that are damaged or made up. None may panic: in wasm that ends the instance.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;

use super::net::Net;
use super::random::env;
use crate::slate::{Attrs, Leaf, Node, Op, Path};

fn damage(rng: &mut Rng, update: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..4) {
        if update.is_empty() {
            return;
        }
        let at = rng.usize(..update.len());
        match rng.u8(..6) {
            0 => update[at] ^= 1 << rng.u8(..8),
            1 => update[at] = rng.u8(..),
            2 => update[at] = rng.u8(..16),
            3 => {
                update.remove(at);
            }
            4 => update.insert(at, rng.u8(..)),
            _ => update.truncate(at),
        }
    }
}

/// A panic and the seed that made it.
fn run(seed: u64) -> Option<String> {
    let mut net = Net::new(seed, 2);
    let mut updates = vec![net.editors[0].doc.encode_state(None).expect("state")];
    for _ in 0..6 {
        let ops = super::random::random_ops(&mut net.rng, &net.editors[0].value);
        updates.extend(net.editors[0].edit(ops));
    }
    let mut rng = Rng::with_seed(seed ^ 0xabcd);
    for update in &updates {
        let mut bad = update.clone();
        damage(&mut rng, &mut bad);
        let doc = &mut net.editors[1].doc;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ = doc.apply_update(&bad);
            let _ = doc.read();
            let _ = doc.encode_state(None);
        }));
        if let Err(panic) = panicked {
            // Its locks are held by the dead transaction.
            std::mem::forget(net);
            let text = panic.downcast_ref::<String>().cloned();
            return Some(
                text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default(),
            );
        }
    }
    None
}

#[test]
fn f23_damaged_updates_do_not_panic() {
    let first = env("SLATE_SEED", 1);
    for seed in first..first + env("SLATE_FUZZ", 300) {
        if let Some(panic) = run(seed) {
            panic!("SLATE_SEED={seed}: {panic}");
        }
    }
}

fn wild_path(rng: &mut Rng) -> Path {
    let len = rng.usize(..4);
    (0..len).map(|_| if rng.u8(..20) == 0 { u32::MAX } else { rng.u32(..4) }).collect()
}

fn wild_op(rng: &mut Rng) -> Op {
    let path = wild_path(rng);
    let number = if rng.u8(..10) == 0 { u32::MAX - rng.u32(..2) } else { rng.u32(..12) };
    let text = ["", "a", "😀", "longer text"][rng.usize(..4)].to_owned();
    let properties: Attrs =
        (0..rng.usize(..2)).map(|_| (["a", "text", "children"][rng.usize(..3)].into(), true.into())).collect();
    let node = Node::Text(Leaf { text: text.clone(), marks: properties.clone() });
    match rng.u8(..8) {
        0 => Op::InsertText { path, offset: number, text },
        1 => Op::RemoveText { path, offset: number, text },
        2 => Op::InsertNode { path, node },
        3 => Op::RemoveNode { path, node },
        4 => Op::SetNode { path, properties: properties.clone(), new_properties: properties },
        5 => Op::SplitNode { path, position: number, properties },
        6 => Op::MergeNode { path, position: number, properties },
        _ => Op::MoveNode { path, new_path: wild_path(rng) },
    }
}

/// From outside, from the undo stack, from a peer whose document went another way: anything may come.
#[test]
fn wild_operations_are_refused_or_applied_but_never_panic() {
    for seed in 0..env("SLATE_FUZZ", 300) {
        let mut net = Net::new(seed, 2);
        let rng = &mut Rng::with_seed(seed);
        for _ in 0..30 {
            let ops: Vec<Op> = (0..rng.usize(1..4)).map(|_| wild_op(rng)).collect();
            let editor = &mut net.editors[0];
            let change =
                if rng.bool() { editor.doc.apply_local(ops.clone()) } else { editor.doc.apply_amended(ops.clone()).0 };
            editor.undo.record(seed, change.inverse, None);
            editor.undo.transform(&ops);
            if rng.u8(..5) == 0 {
                editor.undo.undo(&mut editor.doc, None);
            }
            assert_eq!(
                super::model::canonical(&editor.doc.read()),
                super::model::canonical(&editor.doc.value()),
                "seed {seed}: {ops:?}"
            );
        }
    }
}
