//! A long soak: `npm run soak -- --seeds N --from S`. Goes on after a failure; of each kind of failure one is made short
//! and printed. Ends with what was injected. With `--first` it ends with the first failure, and says what it was; with
//! `--imports` the server has something to refuse that no session finds out before; with `--together` tabs share a device
//! also where edits are refused; with `--lossy` the network loses frames of submissions, with `--http` connections go over HTTP.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use slate_yrs_simulation::plan::{Faults, Plan, run, shrink};

#[derive(Default)]
struct Found {
    faults: Faults,
    /// By kind of failure.
    failing: BTreeMap<String, Vec<u64>>,
}

fn number(name: &str, otherwise: u64) -> u64 {
    let args: Vec<String> = std::env::args().collect();
    let at = args.iter().position(|arg| arg == name);
    at.and_then(|at| args.get(at + 1)).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn main() -> ExitCode {
    let from = number("--from", 1);
    let to = from + number("--seeds", 10_000);
    let threads = number("--threads", std::thread::available_parallelism().map_or(2, usize::from) as u64);
    let only_first = std::env::args().any(|arg| arg == "--first");
    let next = AtomicU64::new(from);
    let found = Mutex::new(Found::default());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut told = Instant::now();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        break;
                    }
                    if !one(seed, &found, !only_first) && only_first {
                        next.store(to, Ordering::Relaxed);
                    }
                    if told.elapsed() > Duration::from_secs(10) {
                        told = Instant::now();
                        eprintln!("{} of {} seeds, {} s", seed - from, to - from, began.elapsed().as_secs());
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if only_first && let Some((seed, kind)) = found.failing.iter().map(|(kind, seeds)| (seeds[0], kind)).min() {
        println!("found after {} seeds: {kind}", seed - from + 1);
        return ExitCode::FAILURE;
    }
    let injected: u64 = found.faults.values().sum();
    println!("{} seeds in {} s, {injected} faults", to - from, began.elapsed().as_secs());
    for (kind, count) in &found.faults {
        println!("{count:>9} {kind}");
    }
    for (kind, seeds) in &found.failing {
        println!("FAILED {} times, first by {:?}: {kind}", seeds.len(), &seeds[..seeds.len().min(5)]);
    }
    if found.failing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether all held.
fn one(seed: u64, found: &Mutex<Found>, report: bool) -> bool {
    let imports = std::env::args().any(|arg| arg == "--imports");
    let together = std::env::args().any(|arg| arg == "--together");
    let lossy = std::env::args().any(|arg| arg == "--lossy");
    let http = std::env::args().any(|arg| arg == "--http");
    let plan = Plan { imports, together, lossy, http, ..Plan::of(seed) };
    let result = run(&plan, &plan.steps());
    let lock = || found.lock().unwrap_or_else(PoisonError::into_inner);
    match result {
        Ok((faults, _)) => {
            let mut found = lock();
            faults.into_iter().for_each(|(kind, count)| *found.faults.entry(kind).or_default() += count);
            true
        }
        Err(failure) => {
            let seeds = lock().failing.entry(failure.kind()).or_default().len();
            lock().failing.entry(failure.kind()).or_default().push(seed);
            if seeds == 0 && report {
                println!("{}", shrink(&plan, failure).report());
            }
            false
        }
    }
}
