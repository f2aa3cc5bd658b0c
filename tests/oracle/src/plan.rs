//! What a seed stands for.

use std::collections::BTreeSet;

use fastrand::Rng;

use crate::acts::Mix;
use crate::lives::{Delivery, Life};
use crate::shapes::Shape;

/// Rounds in which nobody hears of the others.
pub const ROUNDS: u8 = 3;
/// Flushes of one person in a round, at most.
pub const FLUSHES: u8 = 3;

/// One flush: the round, the person, which of the person's. The edit after the exchange is that of [`CALM`].
pub type Step = (u8, u8, u8);

/// Stands for a person in the edit after the exchange.
pub const CALM: u8 = u8::MAX;

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub shape: Shape,
    /// Whether the document was made by dividing.
    pub by_hand: bool,
    pub life: Life,
    pub mix: Mix,
    pub delivery: Delivery,
    /// Whether blocks have ids that are never alike.
    pub ids: bool,
    /// Whether who comes later has a lower client id.
    pub reversed: bool,
    /// What is left out, for a smaller case.
    pub without: BTreeSet<Step>,
    /// Whether somebody takes everything back in the end.
    pub undo: bool,
}

impl Plan {
    /// Shape and life take turns, so that a thousand seeds have as many of each.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x9e37_79b9_7f4a_7c15);
        let turn = |count: usize, by: u64| (seed / by) as usize % count;
        Self {
            seed,
            shape: Shape::in_turn(seed),
            by_hand: turn(2, 8) == 1,
            life: Life::ALL[turn(Life::ALL.len(), 16)],
            mix: Mix::ALL[rng.usize(..Mix::ALL.len())],
            delivery: Delivery::ALL[rng.usize(..Delivery::ALL.len())],
            ids: rng.bool(),
            reversed: rng.bool(),
            without: BTreeSet::new(),
            undo: true,
        }
    }

    /// Chance of its own for each part of a run: what is left out changes nothing else.
    pub fn rng(&self, what: u64, step: Step) -> Rng {
        let step = u64::from(step.0) << 16 | u64::from(step.1) << 8 | u64::from(step.2);
        let mut rng = Rng::with_seed(self.seed.wrapping_mul(0xd134_2543_de82_ef95) ^ what << 32 ^ step);
        rng.u64(..);
        rng
    }

    /// How many flushes somebody makes in a round.
    pub fn flushes(&self, round: u8, person: u8) -> u8 {
        1 + self.rng(1, (round, person, 0)).u8(..FLUSHES)
    }

    pub fn describe(&self) -> String {
        let Self { seed, shape, by_hand, life, mix, delivery, ids, .. } = self;
        let made = if *by_hand { "by hand" } else { "ready-made" };
        let ids = if *ids { ", ids" } else { "" };
        format!("seed {seed}: {shape:?} {made}, {life:?}, {mix:?}, {delivery:?}{ids}")
    }
}
