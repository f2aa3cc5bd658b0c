//! The simulator: real sessions, a model server, a network and devices that fail, virtual time, one seed.
//!
//! `SIM_SEEDS` says how many seeds to run, `SIM_FROM` the first, `SIM_SEED` runs one and prints its trace.

#![allow(clippy::expect_used, reason = "a test")]

mod content;
mod editor;
mod server;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use server::Bug;
use world::{ClientBug, Plan, World};

fn env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        steps: 100,
        plain: seed % 4 == 3,
        undo: seed.is_multiple_of(3),
        bug: Bug::None,
        client_bug: ClientBug::None,
    }
}

fn live(world: &mut World, steps: u32) {
    for _ in 0..steps {
        let client = world.rng.usize(..world.clients.len());
        match world.rng.u8(..10) {
            0 => world.fault(),
            1 => {
                let ms = world.rng.u64(..20_000);
                world.run_for(ms);
            }
            _ => {
                world.act(client);
                let ms = world.rng.u64(..300);
                world.run_for(ms);
            }
        }
    }
    world.quiesce();
    world.check_quiet();
}

/// One seed. Returns how many faults were injected.
fn run(plan: Plan, print: bool) -> u64 {
    let seed = plan.seed;
    let steps = plan.steps;
    let mut world = World::new(plan);
    let result = catch_unwind(AssertUnwindSafe(|| live(&mut world, steps)));
    if print || (result.is_err() && std::env::var("SIM_QUIET").is_err()) {
        for line in &world.trace {
            eprintln!("{line}");
        }
    }
    if let Err(panic) = result {
        eprintln!("seed {seed} failed: SIM_SEED={seed} cargo test --test simulation -- --nocapture");
        resume_unwind(panic);
    }
    world.faults
}

#[test]
fn nothing_is_lost_and_nothing_claimed_in_vain() {
    if let Some(seed) = env("SIM_SEED") {
        run(plan(seed), true);
        return;
    }
    let from = env("SIM_FROM").unwrap_or(1);
    let to = from + env("SIM_SEEDS").unwrap_or(500);
    let next = AtomicU64::new(from);
    let faults = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(2, usize::from).min(8);
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= to {
                            break;
                        }
                        faults.fetch_add(run(plan(seed), false), Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for thread in running {
            if let Err(panic) = thread.join() {
                next.store(to, Ordering::Relaxed);
                resume_unwind(panic);
            }
        }
    });
    println!("{} seeds, {} faults", to - from, faults.into_inner());
}

/// The simulator must be able to fail: each planted bug turns some seed red.
#[test]
fn planted_bugs_are_caught() {
    let bugs = [
        (Bug::AckBeforeCommit, ClientBug::None),
        (Bug::Step2NotStored, ClientBug::None),
        (Bug::None, ClientBug::StoredTooEarly),
        (Bug::None, ClientBug::OutboxForgotten),
    ];
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    // What a durable server's clients submit seldom comes by a step 2.
    let fails = |bug, client_bug, planned: Bug, seed| {
        let plan = Plan { bug, client_bug, plain: planned == Bug::Step2NotStored, ..plan(seed) };
        catch_unwind(|| live(&mut World::new(plan.clone()), plan.steps)).is_err()
    };
    let caught = bugs.map(|(bug, client_bug)| {
        (1..400).find(|seed| fails(bug, client_bug, bug, *seed) && !fails(Bug::None, ClientBug::None, bug, *seed))
    });
    std::panic::set_hook(hook);
    for (bug, seed) in bugs.iter().zip(&caught) {
        println!("{bug:?}: caught by seed {seed:?}");
        assert!(seed.is_some(), "{bug:?} is not caught");
    }
}
