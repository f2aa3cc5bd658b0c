//! Many seeds, and those that once failed. `SIM_SEEDS` says how many to run, `SIM_FROM` the first; `SIM_SEED`, with
//! `SIM_STEPS`, runs one in the test `one` and prints its trace.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use slate_yrs_simulation::plan::{Bug, Faults, Plan, WITH_VALUES, run, shrink};

fn env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_is_lost_and_nothing_claimed_in_vain() {
    let from = env("SIM_FROM").unwrap_or(1);
    hold(from, from + env("SIM_SEEDS").unwrap_or(500), false);
}

/// The same where people set values beside the text, too. What is known of later seeds is in docs/RELIABILITY.md.
#[test]
fn values_are_not_lost_either() {
    hold(WITH_VALUES, WITH_VALUES + 90, false);
}

/// And over HTTP, with requests that are lost, doubled and late, and answers that break off. `SIM_HTTP` makes of `one` such
/// a run.
#[test]
fn nothing_is_lost_over_http() {
    hold(WITH_VALUES + 200, WITH_VALUES + 260, true);
}

fn hold(from: u64, to: u64, http: bool) {
    let next = AtomicU64::new(from);
    let faults = Mutex::new(Faults::new());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        break;
                    }
                    let plan = Plan { http, ..Plan::of(seed) };
                    match run(&plan, &plan.steps()) {
                        Ok((found, _)) => {
                            let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                            found.into_iter().for_each(|(kind, count)| *faults.entry(kind).or_default() += count);
                        }
                        Err(found) => {
                            next.store(to, Ordering::Relaxed);
                            let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                            failure.get_or_insert((plan, found));
                        }
                    }
                }
            });
        }
    });
    if let Some((plan, failure)) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        panic!("{}", shrink(&plan, failure).report());
    }
    let faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{} seeds, {} faults: {faults:?}", to - from, faults.values().sum::<u64>());
}

/// The one that is asked for.
#[test]
fn one() {
    let Some(seed) = env("SIM_SEED") else { return };
    let plan = Plan { http: env("SIM_HTTP").is_some(), ..Plan::of(seed) };
    let chosen = std::env::var("SIM_STEPS").ok();
    let steps = chosen.map(|steps| steps.split(',').filter_map(|step| step.parse().ok()).collect());
    match run(&plan, &steps.unwrap_or_else(|| plan.steps())) {
        Ok((_, trace)) => println!("{}", trace.join("\n")),
        Err(failure) => panic!("{}", failure.report()),
    }
}

/// A seed stands for one course of things.
#[test]
fn a_seed_does_the_same_again() {
    for seed in 11..30 {
        let plan = Plan::of(seed);
        let (first, second) = (run(&plan, &plan.steps()).unwrap(), run(&plan, &plan.steps()).unwrap());
        assert_eq!(first.1, second.1, "seed {seed}");
    }
}

/// The simulator must be able to fail: each bug of the world around turns some seed red, in either format.
#[test]
fn bugs_around_are_noticed() {
    let bugs = [Bug::CommittedTooEarly, Bug::Step2NotStored, Bug::StoredTooEarly, Bug::OutboxForgotten];
    for (bug, format) in bugs.into_iter().flat_map(|bug| [(bug, 0), (bug, 1)]) {
        let caught = (1..400).find(|seed| {
            let sound = Plan { format, ..Plan::of(*seed) };
            let plan = Plan { bug, ..sound.clone() };
            run(&plan, &plan.steps()).is_err() && run(&sound, &sound.steps()).is_ok()
        });
        println!("{bug:?} in format {format}: by seed {caught:?}");
        assert!(caught.is_some(), "{bug:?} is not noticed in format {format}");
    }
}
