//! Many runs, counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::faults::Kind;
use crate::plan::Plan;
use crate::run::run;

/// Runs, and runs with a fault.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count {
    pub runs: u64,
    pub faulty: u64,
}

#[derive(Default)]
pub struct Tally {
    pub all: Count,
    /// Runs in which two were at one element, or at neighbours.
    pub met: u64,
    pub flushes: u64,
    /// Ready-made and by hand.
    pub shapes: BTreeMap<String, Count>,
    pub lives: BTreeMap<String, Count>,
    pub mixes: BTreeMap<String, Count>,
    /// The seeds with a fault of a kind.
    pub faults: BTreeMap<Kind, Vec<u64>>,
}

impl Tally {
    fn add(&mut self, seed: u64) {
        let plan = Plan::of(seed);
        let ran = run(&plan);
        let faulty = u64::from(!ran.faults.is_empty());
        let made = if plan.by_hand { "by hand" } else { "ready-made" };
        let counts = [
            Some(&mut self.all),
            Some(self.shapes.entry(format!("{:?}, {made}", plan.shape)).or_default()),
            Some(self.lives.entry(format!("{:?}", plan.life)).or_default()),
            Some(self.mixes.entry(format!("{:?}", plan.mix)).or_default()),
        ];
        for count in counts.into_iter().flatten() {
            count.runs += 1;
            count.faulty += faulty;
        }
        self.met += u64::from(ran.met);
        self.flushes += ran.flushes as u64;
        let kinds: std::collections::BTreeSet<Kind> = ran.faults.iter().map(|fault| fault.kind).collect();
        kinds.into_iter().for_each(|kind| self.faults.entry(kind).or_default().push(seed));
    }

    fn merge(&mut self, other: Self) {
        let add = |into: &mut BTreeMap<String, Count>, from: BTreeMap<String, Count>| {
            for (name, count) in from {
                let all = into.entry(name).or_default();
                all.runs += count.runs;
                all.faulty += count.faulty;
            }
        };
        self.all.runs += other.all.runs;
        self.all.faulty += other.all.faulty;
        self.met += other.met;
        self.flushes += other.flushes;
        add(&mut self.shapes, other.shapes);
        add(&mut self.lives, other.lives);
        add(&mut self.mixes, other.mixes);
        for (kind, seeds) in other.faults {
            self.faults.entry(kind).or_default().extend(seeds);
        }
        self.faults.values_mut().for_each(|seeds| seeds.sort_unstable());
    }

    pub fn seeds(&self, kind: Kind) -> &[u64] {
        self.faults.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Of the kinds that come rarely, a seed each; for looking at them.
    pub fn describe(&self) -> String {
        let Count { runs, faulty } = self.all;
        let mut lines = vec![format!(
            "{runs} runs, {} flushes: {faulty} have a fault; in {} two were at one element or at neighbours",
            self.flushes, self.met
        )];
        let kinds = Kind::ALL.map(|kind| format!("{} {}", kind.name(), self.seeds(kind).len()));
        lines.push(format!("  {}", kinds.join(" · ")));
        for counts in [&self.shapes, &self.lives, &self.mixes] {
            let counts = counts.iter().map(|(name, count)| format!("{name} {}/{}", count.faulty, count.runs));
            lines.push(format!("  {}", counts.collect::<Vec<_>>().join(" · ")));
        }
        for (kind, seeds) in &self.faults {
            lines.push(format!("  {}: {:?}", kind.name(), &seeds[..seeds.len().min(12)]));
        }
        lines.join("\n")
    }
}

/// Runs the seeds from `from` on. `told`: now and then, how many are done.
pub fn tally(from: u64, runs: u64, threads: u64, told: &(dyn Fn(u64) + Sync)) -> Tally {
    let next = AtomicU64::new(from);
    let all = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut own = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + runs {
                        break;
                    }
                    own.add(seed);
                    if (seed - from) % 1_000 == 999 {
                        told(seed - from + 1);
                    }
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).merge(own);
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}
