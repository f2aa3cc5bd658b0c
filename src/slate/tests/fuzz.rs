//! Updates that are damaged or made up. None may panic: in wasm that ends the instance.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;

use super::random::{Net, env};

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
    for seed in first..first + env("SLATE_RUNS", 300) {
        if let Some(panic) = run(seed) {
            panic!("SLATE_SEED={seed}: {panic}");
        }
    }
}
