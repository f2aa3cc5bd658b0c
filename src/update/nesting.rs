//! Where structs lie: in which root, and how deep.
//!
//! yrs, like Yjs, deletes a type by deleting what is in it, and so on by recursion: a chain of a hundred thousand
//! types, one in the other, is an update of some hundred kilobytes, and deleting its first type ends the process. So
//! the place of everything that was integrated is kept, as runs of clocks, and a struct that would lie deeper than
//! [`super::MAX_NESTING`] is not taken. By the same places a [`super::Survey`] tells what an update touches.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::split::{Block, Parent};

/// What a struct is, as far as a gate asks.
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
    /// Types it lies in below the root.
    pub depth: u32,
    /// Number of the root's name, from 1; 0 where it cannot be told.
    pub root: u32,
    pub kind: StructKind,
    /// Whether others can lie in it.
    pub is_type: bool,
}

/// Runs of one client's clocks: the first clock → the clock after the last, and the place.
type LocationRuns = BTreeMap<u64, (u64, Location)>;

/// The places in one document. None is known of what has no content, or is not in the document.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    known: HashMap<u64, LocationRuns>,
    /// The numbers of roots, from 1.
    roots: HashMap<String, u32>,
    /// Whether there ever was a format.
    pub(super) has_formats: bool,
}

impl Nesting {
    pub(super) fn get(&self, (client, clock): (u64, u64)) -> Option<Location> {
        let (_, (end, place)) = self.known.get(&client)?.range(..=clock).next_back()?;
        (clock < *end).then_some(*place)
    }

    /// Notes the place of structs that are new, each client's in order.
    pub(super) fn put(&mut self, client: u64, range: Range<u64>, place: Location) {
        if place == Location::default() {
            return;
        }
        self.has_formats |= place.kind == StructKind::Format;
        let runs = self.known.entry(client).or_default();
        match runs.last_entry() {
            Some(mut last) if last.get().0 == range.start && last.get().1 == place => last.get_mut().0 = range.end,
            _ => drop(runs.insert(range.start, (range.end, place))),
        }
    }

    pub(super) fn put_run(&mut self, run: Option<(u64, Range<u64>, Location)>) {
        if let Some((client, clocks, place)) = run {
            self.put(client, clocks, place);
        }
    }

    pub(super) fn extend(&mut self, newer: Self) {
        for (client, runs) in newer.known {
            for (start, (end, place)) in runs {
                self.put(client, start..end, place);
            }
        }
    }

    /// Those names of an update that are not known here, numbered as [`Nesting::name`] will number them.
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
        let runs = self.known.get(&client);
        let first = runs.and_then(|runs| runs.range(..=clocks.start).next_back()).map_or(clocks.start, |(at, _)| *at);
        let found = runs.into_iter().flat_map(move |runs| runs.range(first..clocks.end.max(first)));
        found.map(|(start, (end, place))| (*start..*end, *place)).filter(move |(run, _)| run.end > clocks.start)
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
    /// What it names to lie in.
    parent: Option<(u64, u64)>,
    /// What it lies beside.
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

    /// What has to be known to tell the place.
    pub(super) fn needs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.origins.into_iter().chain([self.parent]).flatten()
    }

    /// `place_of`: where something else lies, if that is known.
    pub(super) fn place(&self, place_of: impl Fn((u64, u64)) -> Option<Location>) -> Location {
        let mut place = Location { depth: 0, root: self.root, kind: self.kind, is_type: self.is_type };
        if let Some(around) = self.parent.and_then(&place_of) {
            (place.depth, place.root) = (around.depth.saturating_add(1), around.root);
        }
        for beside in self.origins.into_iter().flatten().filter_map(&place_of) {
            place.depth = place.depth.max(beside.depth);
            // It lies where its left neighbour lies. Where that is garbage it becomes garbage itself.
            if beside.root == 0 {
                continue;
            }
            place.root = beside.root;
            // Entries of one key stand beside each other, and beside nothing else.
            if place.kind == StructKind::Content && beside.kind == StructKind::Register {
                place.kind = StructKind::Register;
            }
            break;
        }
        place
    }
}
