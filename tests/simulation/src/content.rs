//! What updates contain, as sets of ids: who has what can then be asked without a document.

use yrs::updates::decoder::Decode;
use yrs::{IdSet, StateVector, Update};

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

    /// For traces and messages.
    pub fn show(&self) -> String {
        format!("{:?} {:?}", self.inserted, self.deleted)
    }

    pub fn lacks(&self, other: &Self) -> bool {
        !other.minus(self).is_empty()
    }
}
