//! What the simulator once found, each by the steps that showed it.

use slate_yrs_simulation::plan::{Plan, run};

fn holds(seed: u64, steps: &[u32]) {
    if let Err(failure) = run(&Plan::of(seed), steps) {
        panic!("{}", failure.report());
    }
}
