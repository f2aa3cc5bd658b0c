//! What the simulator once found, each by the steps that showed it.

use slate_yrs_simulation::plan::{Plan, run};

fn holds(seed: u64, steps: &[u32]) {
    if let Err(failure) = run(&Plan::of(seed), steps) {
        panic!("{}", failure.report());
    }
}

/// A device's log of many rows, in some of which a block is garbage: merging them panicked.
#[test]
fn a_block_and_its_garbage_in_one_log() {
    holds(158, &[0, 2, 3, 4, 31, 32, 33, 85, 86]);
}
