//! What was deleted here is deleted in the copies that others made of it without knowing.
//!
//! Who splits, merges or moves a block copies what it holds. What somebody else deletes in it at the same time is deleted
//! in the original only, and comes back with the copy. A record of such a copy shows it: it names characters that are
//! deleted here, which its author could not have copied otherwise. So the one who deleted them, and nobody else, deletes
//! the copies as well.

use yrs::{ClientID, ID, IdSet};

use super::copies::{Copies, Key, Run, push};

/// Single characters are looked at; this is for blocks, not for whole documents in one.
const MAX_LEN: u32 = 20_000;
/// How many stretches of each client's text are remembered.
const MAX_RANGES: usize = 10_000;
/// How far copies of copies are followed.
const MAX_HOPS: usize = 64;

/// How many authors are remembered.
const MAX_AUTHORS: usize = 12;

/// Of whom something was deleted while this document was open, here or elsewhere: the last of them.
#[derive(Debug, Default)]
pub(super) struct Witnessed(Vec<ClientID>);

impl Witnessed {
    pub fn add(&mut self, deleted: &IdSet) {
        for (client, _) in deleted.iter().take(MAX_AUTHORS) {
            self.0.retain(|author| author != client);
            self.0.insert(0, *client);
        }
        self.0.truncate(MAX_AUTHORS);
    }

    pub fn authors(&self) -> &[ClientID] {
        &self.0
    }
}

/// What was deleted by edits made here, be it for good or to be copied elsewhere.
#[derive(Debug, Default)]
pub(super) struct Erased(IdSet);

impl Erased {
    pub fn add(&mut self, deleted: &IdSet) {
        for (client, ranges) in deleted.iter() {
            let known = self.0.range_mut(*client);
            if known.len() > MAX_RANGES {
                *known = Default::default();
            }
            ranges.iter().for_each(|range| known.insert(range.clone()));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What these records have copied of it: the copies, and the elements they were put into.
    pub fn copied(&self, copies: &Copies, theirs: &[Key], own: impl Fn(ClientID) -> bool) -> Vec<(Option<ID>, Run)> {
        let mut found = Vec::new();
        if self.is_empty() {
            return found;
        }
        let is_own = |key: Key| own(key.client());
        for &key in theirs {
            let look = ErasureCheck { erased: &self.0, copies, is_own: &is_own, key };
            for group in copies.groups(key) {
                let mut runs = Vec::new();
                for &(from, to, len) in &group.runs {
                    let gone = |into: &u32| look.is_gone(ID::new(from.client, from.clock + into), MAX_HOPS);
                    for into in (0..len.min(MAX_LEN)).filter(gone) {
                        push(&mut runs, ID::new(to.client, to.clock + into), 1);
                    }
                }
                found.extend(runs.into_iter().map(|run| (group.target, run)));
            }
        }
        found
    }
}

struct ErasureCheck<'a, F> {
    erased: &'a IdSet,
    copies: &'a Copies,
    is_own: &'a F,
    /// The record that is looked at.
    key: Key,
}

impl<F: Fn(Key) -> bool> ErasureCheck<'_, F> {
    /// Whether it was deleted here for good: itself, or all that it has become otherwise.
    fn is_gone(&self, id: ID, hops: usize) -> bool {
        let is_erased = self.erased.contains(&id);
        // What others made of something deleted here is not what was deleted.
        let counts = |key: Key| key != self.key && (!is_erased || (self.is_own)(key));
        let mut became = self.copies.copies(id).filter(|(_, key, _)| counts(*key)).peekable();
        match became.peek() {
            None => is_erased,
            Some(_) => hops > 0 && became.all(|(to, ..)| self.is_gone(to, hops - 1)),
        }
    }
}
