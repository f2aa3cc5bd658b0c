//! How deep shared types lie in one another.
//!
//! yrs, like Yjs, deletes a type by deleting what is in it, call within call: a chain of a hundred thousand types, one
//! in the other, is an update of some hundred kilobytes, and deleting its first ends the process. So the depth of
//! everything integrated is kept, as runs of clocks, and what would reach deeper than [`MAX_NESTING`] is not taken.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::split::{Block, Parent};

/// Types in types, the root not counted. Deleting so many is within every stack, a browser's too; deeper ones no peer
/// should have.
pub const MAX_NESTING: u32 = 1_000;

/// Runs of one client's clocks: where each begins → where it ends, and how many types it lies in below the root.
type Runs = BTreeMap<u64, (u64, u32)>;

/// The depths in one document. What is not in it lies in a root.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    known: HashMap<u64, Runs>,
}

impl Nesting {
    pub(super) fn get(&self, (client, clock): (u64, u64)) -> Option<u32> {
        let (_, (end, depth)) = self.known.get(&client)?.range(..=clock).next_back()?;
        (clock < *end).then_some(*depth)
    }

    /// Notes the depth of structs that are new, each client's in order.
    pub(super) fn put(&mut self, client: u64, range: Range<u64>, depth: u32) {
        if depth == 0 {
            return;
        }
        let runs = self.known.entry(client).or_default();
        match runs.last_entry() {
            Some(mut last) if last.get().0 == range.start && last.get().1 == depth => last.get_mut().0 = range.end,
            _ => drop(runs.insert(range.start, (range.end, depth))),
        }
    }

    pub(super) fn put_run(&mut self, run: Option<(u64, Range<u64>, u32)>) {
        if let Some((client, clocks, depth)) = run {
            self.put(client, clocks, depth);
        }
    }

    pub(super) fn extend(&mut self, newer: Self) {
        for (client, runs) in newer.known {
            for (start, (end, depth)) in runs {
                self.put(client, start..end, depth);
            }
        }
    }
}

/// How deep a struct lies. `depth_of`: how deep what it lies in or beside does.
pub(super) fn depth(block: &Block, depth_of: impl Fn((u64, u64)) -> u32) -> u32 {
    match (block.origin.or(block.right_origin), block.parent) {
        (Some(beside), _) => depth_of(beside),
        (None, Some(Parent::Item(id))) => depth_of(id).saturating_add(1),
        (None, _) => 0,
    }
}
