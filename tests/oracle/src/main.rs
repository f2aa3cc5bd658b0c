//! `npm run soak:text -- --runs N --from S`: so many runs, counted; of each kind of fault one is made small and printed.
//! `--every`: each is. `--threads N`; `--seed S` is one run, with all that was done; with `--small KIND` it is made small first; `--state FILE`
//! gets the document as it is in the end, as one update.

use std::process::ExitCode;

use slate_yrs_oracle::faults::Kind;
use slate_yrs_oracle::plan::Plan;
use slate_yrs_oracle::run::run;
use slate_yrs_oracle::shrink::{report, shrink};
use slate_yrs_oracle::tally::tally;

fn option(name: &str) -> Option<String> {
    let args: Vec<String> = std::env::args().collect();
    args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned()
}

fn number(name: &str) -> Option<u64> {
    option(name)?.parse().ok()
}

fn main() -> ExitCode {
    // A panic is a fault like others, and told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(seed) = number("--seed") {
        let plan = Plan::of(seed);
        let kind = option("--small").and_then(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name));
        let (plan, ran) = match kind {
            Some(kind) => shrink(&plan, kind),
            None => (plan.clone(), run(&plan)),
        };
        println!("{}", report(&plan, &ran));
        if let Some(path) = option("--state")
            && let Err(error) = std::fs::write(&path, &ran.state)
        {
            eprintln!("{path}: {error}");
        }
        return if ran.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let (from, runs) = (number("--from").unwrap_or(0), number("--runs").unwrap_or(10_000));
    let threads = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let began = std::time::Instant::now();
    let told = |done: u64| eprintln!("{done} of {runs} runs, {} s", began.elapsed().as_secs());
    let found = tally(from, runs, number("--threads").unwrap_or(threads), &told);
    println!("{}", found.describe());
    let every = std::env::args().any(|arg| arg == "--every");
    for (kind, seeds) in &found.faults {
        for seed in &seeds[..if every { seeds.len() } else { 1 }] {
            let (plan, ran) = shrink(&Plan::of(*seed), *kind);
            println!("\none with {}, made small:\n{}", kind.name(), report(&plan, &ran));
        }
    }
    if found.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
