//! Where structs lie: in which root, and how deep.
//!
//! yrs, like Yjs, deletes a type together with what is in it, by recursion. A hundred thousand types, each in the one before,
//! make an update of some hundred kilobytes; whoever then deletes the outermost type ends the process, for its stack is
//! full. So [`Nesting`] keeps the place of everything that was integrated, as runs of clocks, and a struct that would
//! lie deeper than [`super::MAX_NESTING`] is not taken. A [`super::Survey`] uses the same places to tell what an update touches.

use std::collections::HashMap;
use std::ops::Range;

use super::split::{Block, Parent};
use crate::sorted::Sorted;

/// What a struct is, as far as a gate has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum StructKind {
    #[default]
    Content,
    /// The beginning or the end of a format.
    Format,
    /// An attribute that says where something is shown: `@at`.
    Register,
}

/// The attribute of a [`StructKind::Register`].
const REGISTER: &str = "@at";

/// Where a struct lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Location {
    /// How many types it lies in, without the root.
    pub depth: u32,
    /// Number of the root's name, from 1; 0 where it cannot be told.
    pub root: u32,
    pub kind: StructKind,
    /// Whether others can lie in it.
    pub is_type: bool,
}

/// Consecutive clocks of one client that have the same place. Clocks in updates are below 2^32.
#[derive(Debug, Clone, Copy)]
struct LocationRun {
    start: u32,
    end: u32,
    place: Location,
}

/// The runs of one client, in the order of their clocks.
type LocationRuns = Vec<LocationRun>;

/// The places in one document. A struct without content has none here, and neither has one that is not in the document.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    known: Sorted<u64, LocationRuns>,
    /// The numbers of roots, from 1.
    roots: HashMap<String, u32>,
    /// Whether any struct that was noted was a format.
    pub(super) has_formats: bool,
}

impl Nesting {
    pub(super) fn get(&self, (client, clock): (u64, u64)) -> Option<Location> {
        let runs = self.known.get(client)?;
        let run = runs.get(first_at(runs, clock))?;
        (u64::from(run.start)..run.end.into()).contains(&clock).then_some(run.place)
    }

    /// Notes the place of structs that are new, each client's in order.
    pub(super) fn put(&mut self, client: u64, range: Range<u64>, place: Location) {
        if place == Location::default() {
            return;
        }
        self.has_formats |= place.kind == StructKind::Format;
        let runs = self.known.or_default(client);
        let clock = |clock| u32::try_from(clock).unwrap_or(u32::MAX);
        let (start, end) = (clock(range.start), clock(range.end));
        match runs.last_mut() {
            Some(last) if last.end == start && last.place == place => last.end = end,
            Some(last) if last.start >= start => {
                let at = runs.partition_point(|run| run.start < start);
                let same = usize::from(runs[at].start == start);
                runs.splice(at..at + same, [LocationRun { start, end, place }]);
            }
            _ => runs.push(LocationRun { start, end, place }),
        }
    }

    pub(super) fn put_run(&mut self, run: Option<(u64, Range<u64>, Location)>) {
        if let Some((client, clocks, place)) = run {
            self.put(client, clocks, place);
        }
    }

    pub(super) fn extend(&mut self, newer: Self) {
        self.has_formats |= newer.has_formats;
        for (client, newer) in newer.known {
            let runs = self.known.or_default(client);
            if runs.is_empty() {
                *runs = newer;
                continue;
            }
            for run in newer {
                self.put(client, run.start.into()..run.end.into(), run.place);
            }
        }
    }

    /// Of the names of roots in an update those that are new, with the numbers that [`Nesting::name`] will give them.
    pub(super) fn new_roots<'b>(&self, names: &[&'b str]) -> NewRoots<'b> {
        let mut new = NewRoots::default();
        for name in names.iter().copied().filter(|name| !self.has_root(name)) {
            let number = (self.roots.len() + new.names.len() + 1) as u32;
            if let std::collections::hash_map::Entry::Vacant(entry) = new.numbers.entry(name) {
                entry.insert(number);
                new.names.push(name);
            }
        }
        new
    }

    pub(super) fn name(&mut self, new: NewRoots<'_>) {
        self.roots.extend(new.numbers.into_iter().map(|(name, number)| (name.to_owned(), number)));
    }

    pub(super) fn root(&self, name: &str, new: &NewRoots<'_>) -> u32 {
        self.roots.get(name).or_else(|| new.numbers.get(name)).copied().unwrap_or(0)
    }

    /// Whether anything that was taken, if only to wait, names this root as its parent.
    pub(super) fn has_root(&self, name: &str) -> bool {
        self.roots.contains_key(name)
    }

    /// The roots with their numbers.
    pub(super) fn roots(&self) -> impl Iterator<Item = (&str, u32)> {
        self.roots.iter().map(|(name, number)| (name.as_str(), *number))
    }

    /// The runs of a client that reach into these clocks.
    pub(super) fn runs(&self, client: u64, clocks: Range<u64>) -> impl Iterator<Item = (Range<u64>, Location)> {
        let runs = self.known.get(client).map_or(&[][..], Vec::as_slice);
        let found =
            runs[first_at(runs, clocks.start)..].iter().map(|run| (run.start.into()..run.end.into(), run.place));
        found.take_while(move |(run, _)| run.start < clocks.end).filter(move |(run, _)| run.end > clocks.start)
    }
}

/// The index of the last run that begins at this clock or before it, else 0. Most calls ask for what came last.
fn first_at(runs: &[LocationRun], clock: u64) -> usize {
    match runs.last() {
        Some(last) if u64::from(last.start) <= clock => runs.len() - 1,
        _ => runs.partition_point(|run| u64::from(run.start) <= clock).saturating_sub(1),
    }
}

/// Names of roots that a document does not have yet, with their numbers.
#[derive(Debug, Default)]
pub(super) struct NewRoots<'b> {
    numbers: HashMap<&'b str, u32>,
    /// In the order of their numbers.
    pub(super) names: Vec<&'b str>,
}

/// What a struct says of where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lineage {
    kind: StructKind,
    is_type: bool,
    /// Number of the root that it names.
    root: u32,
    /// The type that it names as its parent.
    parent: Option<(u64, u64)>,
    /// The structs that it names as its neighbours: the left one, the right one.
    origins: [Option<(u64, u64)>; 2],
}

impl Lineage {
    pub(super) fn of<'b>(block: &Block<'b>, number_of: impl FnOnce(&'b str) -> u32) -> Self {
        let (mut parent, mut root) = (None, 0);
        match block.parent {
            Some(Parent::Item(id)) => parent = Some(id),
            Some(Parent::Root(name)) => root = number_of(name),
            None => {}
        }
        let kind = match block.key {
            _ if block.is_format() => StructKind::Format,
            Some(REGISTER) => StructKind::Register,
            _ => StructKind::Content,
        };
        Self { kind, is_type: block.is_type(), root, parent, origins: [block.origin, block.right_origin] }
    }

    /// The structs whose places have to be known to tell its own.
    pub(super) fn needs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.origins.into_iter().chain([self.parent]).flatten()
    }

    /// Where it lies. `place_of`: the place of another struct, if that is known.
    pub(super) fn place(&self, place_of: impl Fn((u64, u64)) -> Option<Location>) -> Location {
        let mut place = Location { depth: 0, root: self.root, kind: self.kind, is_type: self.is_type };
        if let Some(around) = self.parent.and_then(&place_of) {
            (place.depth, place.root) = (around.depth.saturating_add(1), around.root);
        }
        for beside in self.origins.into_iter().flatten().filter_map(&place_of) {
            place.depth = place.depth.max(beside.depth);
            // It lies where its left neighbour lies. A neighbour without a root is garbage, and what stands beside that
            // becomes garbage.
            if beside.root == 0 {
                continue;
            }
            place.root = beside.root;
            // The values that one attribute has had are neighbours of each other, and of nothing else.
            if place.kind == StructKind::Content && beside.kind == StructKind::Register {
                place.kind = StructKind::Register;
            }
            break;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(depth: u32) -> Location {
        Location { depth, root: 1, ..Location::default() }
    }

    /// Clock by clock, what [`Nesting`] keeps in runs.
    type Model = HashMap<(u64, u64), Location>;

    fn same(nesting: &Nesting, model: &Model, clients: u64, clocks: u64) {
        for client in 0..clients {
            for clock in 0..clocks + 2 {
                assert_eq!(nesting.get((client, clock)), model.get(&(client, clock)).copied(), "{client}:{clock}");
            }
            let range = clocks / 3..clocks / 2;
            let found = nesting.runs(client, range.clone());
            let found = found.flat_map(|(run, place)| run.map(move |clock| (clock, place)));
            let found: Vec<_> = found.filter(|(clock, _)| range.contains(clock)).collect();
            let expected = range.filter_map(|clock| Some((clock, *model.get(&(client, clock))?)));
            assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn runs_are_what_they_are_clock_by_clock() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..50 {
            let (mut nesting, mut model, mut ends) = (Nesting::default(), Model::new(), [0_u64; 3]);
            for _ in 0..10 {
                // An update, with gaps in what is known of it.
                let mut newer = Nesting::default();
                for _ in 0..rng.u64(..20) {
                    let client = rng.u64(..3);
                    let start = ends[client as usize] + rng.u64(..10) / 7;
                    let (end, place) = (start + 1 + rng.u64(..3), place(rng.u32(..2)));
                    newer.put(client, start..end, place);
                    model.extend((start..end).map(|clock| ((client, clock), place)));
                    ends[client as usize] = end;
                }
                nesting.extend(newer);
            }
            same(&nesting, &model, 3, ends.into_iter().max().unwrap());
        }
    }

    #[test]
    fn what_comes_late_is_put_in_its_place() {
        let mut nesting = Nesting::default();
        for (start, depth) in [(4, 1), (8, 2), (0, 3), (6, 4), (4, 5)] {
            nesting.put(7, start..start + 2, place(depth));
        }
        let found: Vec<_> = nesting.runs(7, 0..10).map(|(run, place)| (run.start, run.end, place.depth)).collect();
        assert_eq!(found, [(0, 2, 3), (4, 6, 5), (6, 8, 4), (8, 10, 2)]);
    }
}
