//! What updates contain, as sets of ids: who has what can then be asked without a document.

use yrs::updates::decoder::Decode;
use yrs::{IdSet, Update};

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

    pub fn add(&mut self, other: Self) {
        self.inserted.merge_with(other.inserted);
        self.deleted.merge_with(other.deleted);
    }

    /// For traces.
    pub fn show(&self) -> String {
        format!("{:?} {:?}", self.inserted, self.deleted)
    }

    /// For messages.
    pub fn minus(&self, other: &Self) -> (IdSet, IdSet) {
        (self.inserted.diff(&other.inserted), self.deleted.diff(&other.deleted))
    }

    pub fn lacks(&self, other: &Self) -> bool {
        !other.inserted.diff(&self.inserted).is_empty() || !other.deleted.diff(&self.deleted).is_empty()
    }
}
