//! Stretches of characters by their ids, with something that is said of each: sorted, and none of them over another.

use super::id::Id;

/// The stretch that has this character.
pub fn stretch_at<T>(all: &[(Id, u32, T)], id: Id) -> Option<&(Id, u32, T)> {
    let at = all.partition_point(|(first, ..)| *first <= id).checked_sub(1)?;
    let found = &all[at];
    (found.0.client == id.client && id.clock - found.0.clock < found.1).then_some(found)
}

/// How far it is from a character to the next stretch.
pub fn gap<T>(all: &[(Id, u32, T)], id: Id) -> u32 {
    let at = all.partition_point(|(first, ..)| *first <= id);
    match all.get(at) {
        Some((next, ..)) if next.client == id.client => next.clock - id.clock,
        _ => u32::MAX,
    }
}

/// The stretches that have some of these characters: their id, from which clock on, how many, and what is said of them.
pub fn overlaps<T>(all: &[(Id, u32, T)], first: Id, len: u32) -> impl Iterator<Item = (Id, u32, u32, &T)> {
    let end = first.clock.saturating_add(len);
    let start = all.partition_point(|(id, count, _)| {
        id.client < first.client || (id.client == first.client && id.clock + count <= first.clock)
    });
    let here = all[start..].iter().take_while(move |(id, ..)| id.client == first.client && id.clock < end);
    here.map(move |(id, count, what)| {
        let (from, to) = (id.clock.max(first.clock), (id.clock + count).min(end));
        (*id, from, to - from, what)
    })
}
