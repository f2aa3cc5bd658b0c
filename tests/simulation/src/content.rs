//! What updates contain, as sets of ids: who has what can then be asked without a document.

use yrs::updates::decoder::Decode;
use yrs::{ID, IdSet, StateVector, Update};

#[derive(Debug, Clone, Default)]
pub struct Content {
    inserted: IdSet,
    deleted: IdSet,
}

impl Content {
    pub fn of(update: &[u8]) -> Self {
        let update = Update::decode_v1(update).expect("an update");
        Self { inserted: update.insertions(true), deleted: update.delete_set().clone() }
    }

    pub fn add(&mut self, other: &Self) {
        self.inserted.merge_with(other.inserted.clone());
        self.deleted.merge_with(other.deleted.clone());
    }

    pub fn minus(&self, other: &Self) -> Self {
        Self { inserted: self.inserted.diff(&other.inserted), deleted: self.deleted.diff(&other.deleted) }
    }

    /// Whether both insert the same.
    pub fn shares(&self, other: &Self) -> bool {
        self.inserted.diff(&other.inserted) != self.inserted
    }

    pub fn is_empty(&self) -> bool {
        self.inserted.is_empty() && self.deleted.is_empty()
    }

    /// Without what it deletes.
    pub fn insertions(&self) -> Self {
        Self { inserted: self.inserted.clone(), deleted: IdSet::default() }
    }

    /// Whether a replica with this state vector has integrated it.
    pub fn is_below(&self, state: &StateVector) -> bool {
        self.inserted.iter().all(|(client, ranges)| ranges.iter().all(|range| range.end <= state.get(client)))
    }

    /// What it inserts below these clocks, and that deleted again.
    pub fn below(&self, clock_of: impl Fn(u64) -> u32) -> Self {
        let mut inserted = IdSet::default();
        for (client, ranges) in self.inserted.iter() {
            for range in ranges.iter() {
                let end = range.end.min(clock_of(client.get()));
                if end > range.start {
                    inserted.insert(ID::new(*client, range.start), end - range.start);
                }
            }
        }
        Self { deleted: inserted.clone(), inserted }
    }

    /// What it deletes, which it had inserted.
    pub fn deleted_again(&self) -> Self {
        Self { inserted: self.deleted.clone(), deleted: self.deleted.clone() }
    }

    /// For traces and messages.
    pub fn show(&self) -> String {
        format!("{:?} {:?}", self.inserted, self.deleted)
    }

    pub fn lacks(&self, other: &Self) -> bool {
        !other.minus(self).is_empty()
    }
}
