//! What a seed stands for, how a run is made and how one that fails is made short.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use slate_yrs::format::Format;

use crate::world::World;

/// From this seed on people set values.
pub const WITH_VALUES: u64 = 100_000;

/// Steps of a seed.
pub const STEPS: u32 = 100;

/// What people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// Type and erase: every word is there once, at most.
    Text,
    /// Only type: every word is there exactly once.
    Typing,
    /// Type, erase, undo and redo: what two put back is there twice.
    Undo,
    /// Split, merge and move blocks too: copies made at once are there twice, in format 0. In format 1 they are wrapped and
    /// unwrapped as well, nobody erases, and every word is there exactly once.
    Structure,
    /// Type what a server cannot take, too.
    Refused,
}

/// Bugs of the world around sessions and rooms: each must be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    None,
    /// The database says that a transaction is committed before it is.
    CommittedTooEarly,
    /// A plain server broadcasts a client's step 2, and forgets it.
    Step2NotStored,
    /// A device says that a write is stored before it is.
    StoredTooEarly,
    /// The outbox is not in what a device gives back after a reload.
    OutboxForgotten,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// A y-websocket server without the durable extension.
    pub plain: bool,
    pub acts: Acts,
    /// The document's format, from the start on.
    pub format: Format,
    /// Who types what is refused imports some of it, which only the server refuses: docs/RELIABILITY.md.
    pub imports: bool,
    /// Tabs share a device also where edits are refused: docs/RELIABILITY.md.
    pub together: bool,
    /// Connections go over HTTP, where the server is ours.
    pub http: bool,
    /// The network loses frames of submissions, and goes on.
    pub lossy: bool,
    /// People set values beside the text, too: in seeds from [`WITH_VALUES`] on, so that those below mean what they meant.
    pub values: bool,
    pub bug: Bug,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let plain = seed % 4 == 3;
        let acts = match seed % 10 {
            0 | 5 | 7 => Acts::Text,
            1 | 6 => Acts::Typing,
            2 | 3 | 8 => Acts::Undo,
            4 => Acts::Structure,
            // What a plain server does not take it says by closing: it is in the other seeds.
            _ if plain => Acts::Structure,
            _ => Acts::Refused,
        };
        Self {
            seed,
            plain,
            acts,
            // Twenty seeds have all kinds of acts and servers; the next twenty have them in the other format.
            format: Format::from(seed / 20 % 2 == 1),
            imports: false,
            together: false,
            http: false,
            lossy: false,
            values: seed >= WITH_VALUES,
            bug: Bug::None,
        }
    }

    /// Whether every word that is typed stays whole, so that it has to be there once.
    pub fn keeps_words(&self) -> bool {
        self.acts == Acts::Typing || (self.acts == Acts::Structure && self.format > 0)
    }

    /// The second block of what a device wants a new document to begin with: the same, or each its own. A server that
    /// decides nothing takes what two give it at once.
    pub fn wanted(&self, device: usize) -> String {
        match !self.plain && self.seed.is_multiple_of(3) {
            true => format!("seeded once by d{device}"),
            false => "seeded once".into(),
        }
    }

    /// Where a step gets its luck from.
    fn luck(&self, step: u32) -> u64 {
        fastrand::Rng::with_seed(self.seed ^ (u64::from(step) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).u64(..)
    }

    pub fn steps(&self) -> Vec<u32> {
        (0..STEPS).collect()
    }
}

/// What was injected, by kind.
pub type Faults = BTreeMap<&'static str, u64>;

#[derive(Debug, Clone)]
pub struct Failure {
    pub seed: u64,
    pub steps: Vec<u32>,
    pub message: String,
    pub trace: Vec<String>,
}

impl Failure {
    /// What is broken: the message without what differs from run to run.
    pub fn kind(&self) -> String {
        self.message.chars().filter(|c| !c.is_ascii_digit()).take(40).collect()
    }

    pub fn report(&self) -> String {
        let steps: Vec<String> = self.steps.iter().map(u32::to_string).collect();
        let (seed, steps, count) = (self.seed, steps.join(","), self.steps.len());
        let mut out = self.trace.join("\n");
        out += &format!("\nseed {seed} fails, with {count} of {STEPS} steps: {}\n", self.message);
        out + &format!("    SIM_SEED={seed} SIM_STEPS={steps} cargo test -p slate-yrs-simulation one -- --nocapture")
    }
}

/// Runs these steps of the plan, then lets everything come to rest.
///
/// # Errors
/// What did not hold, and how it came to that.
pub fn run(plan: &Plan, steps: &[u32]) -> Result<(Faults, Vec<String>), Box<Failure>> {
    let mut world = World::new(plan.clone());
    let result = quietly(|| {
        for step in steps {
            world.step(*step, plan.luck(*step));
        }
        world.come_to_rest(plan.luck(STEPS));
    });
    let trace = std::mem::take(&mut world.trace);
    match result {
        Ok(()) => Ok((std::mem::take(&mut world.faults), trace)),
        Err(message) => Err(Box::new(Failure { seed: plan.seed, steps: steps.to_vec(), message, trace })),
    }
}

/// The same failure with fewer steps: stretches of them are left out as long as it still happens.
pub fn shrink(plan: &Plan, mut failure: Box<Failure>) -> Box<Failure> {
    let kind = failure.kind();
    let mut size = failure.steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut shorter = false;
        while at < failure.steps.len() {
            let mut steps = failure.steps.clone();
            steps.drain(at..(at + size).min(steps.len()));
            match run(plan, &steps) {
                Err(found) if found.kind() == kind => {
                    failure = found;
                    shorter = true;
                }
                _ => at += size,
            }
        }
        // Leaving one out may make others needless.
        size = if shorter && size == 1 { 1 } else { size / 2 };
    }
    failure
}

thread_local! {
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The message of a panic in `work`, which is not printed.
fn quietly(work: impl FnOnce()) -> Result<(), String> {
    use std::sync::Once;
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let quiet = MESSAGE.with_borrow_mut(|message| {
                let place = info.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
                message.as_mut().map(|message| *message = text(info.payload()) + &place).is_some()
            });
            if !quiet {
                before(info);
            }
        }));
    });
    MESSAGE.set(Some(String::new()));
    let result = catch_unwind(AssertUnwindSafe(work));
    let message = MESSAGE.take().unwrap_or_default();
    result.map_err(|_| message)
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
