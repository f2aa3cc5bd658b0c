//! Where structs lie: in which root, and how deep; known before an update is applied.
//!
//! yrs, like Yjs, deletes a type by deleting what is in it, call within call: a chain of a hundred thousand types, one
//! in the other, is an update of some hundred kilobytes, and deleting its first ends the process. So whoever takes
//! updates from strangers asks [`Nesting`] first. It keeps the place of everything integrated, as runs of clocks;
//! what is not integrated yet is measured again with every update until it is, because what it lies in may only come
//! later. Of contradictory structs with one id the deeper counts.
//!
//! [`Nesting::survey`] tells by the same means what an update touches.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::SplitError;
use super::split::{Block, Parent};
use super::survey::Survey;
use crate::protocol::lib0::Reader;

/// Why an update is not to be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NestingError {
    #[error("shared types are nested deeper than {0}")]
    TooDeep(u32),
    #[error("a client's structs come twice in one update")]
    ClientTwice,
    #[error(transparent)]
    Unreadable(#[from] SplitError),
}

/// What a struct is, as far as a gate asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Content,
    /// The beginning or the end of a format.
    Format,
    /// An attribute that says where something is shown: `@at`.
    Register,
}

/// The attribute of a [`Kind::Register`].
const REGISTER: &str = "@at";

/// Where a struct lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Types it lies in below the root.
    pub depth: u32,
    /// Number of the root's name, from 1; 0 where it cannot be told.
    pub root: u32,
    pub kind: Kind,
}

/// Runs of one client's clocks: where each begins → where it ends, and the place.
type Runs = BTreeMap<u64, (u64, Place)>;

/// The places in one document.
#[derive(Debug, Default)]
pub struct Nesting {
    known: HashMap<u64, Runs>,
    roots: HashMap<String, u32>,
}

impl Nesting {
    /// Measures `updates` (the one to apply, and what still waits) and remembers their places, unless one of them
    /// reaches deeper than `limit`. `clock_of`: how far the document has a client's structs.
    ///
    /// # Errors
    /// If an update is not to be applied.
    pub fn take(&mut self, updates: &[&[u8]], clock_of: impl Fn(u64) -> u64, limit: u32) -> Result<(), NestingError> {
        let graph = Graph::read(updates, &self.roots)?;
        let mut places: Vec<Option<Place>> = vec![None; graph.structs.len()];
        for at in 0..graph.structs.len() {
            self.measure(&graph, &clock_of, &mut places, at);
            let inside = u32::from(graph.structs[at].is_type);
            if places[at].is_some_and(|place| place.depth.saturating_add(inside) > limit) {
                return Err(NestingError::TooDeep(limit));
            }
        }
        for (one, place) in graph.structs.iter().zip(places) {
            let start = one.clock.max(clock_of(one.client));
            if start < one.end {
                put(self.known.entry(one.client).or_default(), start..one.end, place.unwrap_or_default());
            }
        }
        for name in graph.new_roots {
            let number = self.roots.len() as u32 + 1;
            self.roots.insert(name.to_owned(), number);
        }
        Ok(())
    }

    /// What an update would touch. `clock_of` as for [`Nesting::take`]; nothing is remembered.
    ///
    /// # Errors
    /// If the update cannot be read.
    pub fn survey<'a>(&self, update: &'a [u8], clock_of: impl Fn(u64) -> u64) -> Result<Survey<'a>, NestingError> {
        let graph = Graph::read(&[update], &self.roots)?;
        let mut places: Vec<Option<Place>> = vec![None; graph.structs.len()];
        for at in 0..graph.structs.len() {
            self.measure(&graph, &clock_of, &mut places, at);
        }
        let places: Vec<Place> = places.into_iter().map(Option::unwrap_or_default).collect();
        Survey::new(self, &graph, &places, update, &clock_of)
    }

    /// Whether the document has ever had anything in this root.
    pub fn has_root(&self, name: &str) -> bool {
        self.roots.contains_key(name)
    }

    /// The number of a root by name; none if nothing here lies in it.
    pub(super) fn roots(&self) -> impl Iterator<Item = (&str, u32)> {
        self.roots.iter().map(|(name, number)| (name.as_str(), *number))
    }

    /// The runs of a client that reach into these clocks.
    pub(super) fn runs(&self, client: u64, clocks: Range<u64>) -> impl Iterator<Item = (Range<u64>, Place)> {
        let runs = self.known.get(&client);
        let first = runs.and_then(|runs| runs.range(..=clocks.start).next_back()).map_or(clocks.start, |(at, _)| *at);
        let found = runs.into_iter().flat_map(move |runs| runs.range(first..clocks.end.max(first)));
        found.map(|(start, (end, place))| (*start..*end, *place)).filter(move |(run, _)| run.end > clocks.start)
    }

    /// Computes a struct's place and those it depends on. A stack of its own: chains may be as long as the update.
    fn measure(&self, graph: &Graph, clock_of: &impl Fn(u64) -> u64, places: &mut [Option<Place>], from: usize) {
        let mut stack = vec![from];
        let mut entered = std::collections::HashSet::new();
        while let Some(&at) = stack.last() {
            if places[at].is_some() {
                stack.pop();
                continue;
            }
            entered.insert(at);
            let one = &graph.structs[at];
            let mut place = one.own_place();
            let mut missing = None;
            for (id, step) in one.depends() {
                if id.1 < clock_of(id.0) {
                    place.follow(self.place_of(id), step);
                    continue;
                }
                for other in graph.containing(id) {
                    match places[other] {
                        Some(found) => place.follow(Some(found), step),
                        // A circle cannot be integrated.
                        None if entered.contains(&other) => {}
                        None => missing = Some(other),
                    }
                }
            }
            match missing {
                Some(other) => stack.push(other),
                None => {
                    places[at] = Some(place);
                    stack.pop();
                }
            }
        }
    }

    fn place_of(&self, (client, clock): (u64, u64)) -> Option<Place> {
        let (_, (end, place)) = self.known.get(&client)?.range(..=clock).next_back()?;
        (clock < *end).then_some(*place)
    }
}

impl Place {
    /// This depends on something there, as part of it (`step` 1) or beside it.
    fn follow(&mut self, other: Option<Place>, step: u32) {
        let Some(other) = other else { return };
        self.depth = self.depth.max(other.depth.saturating_add(step));
        if self.root == 0 {
            self.root = other.root;
        }
        // Entries of one key stand beside each other, and beside nothing else.
        if step == 0 && self.kind == Kind::Content && other.kind == Kind::Register {
            self.kind = Kind::Register;
        }
    }
}

/// Writes a run over what is known of these clocks.
fn put(runs: &mut Runs, range: Range<u64>, place: Place) {
    let mut start = range.start;
    if let Some((&before, &(end, other))) = runs.range(..range.start).next_back()
        && end >= range.start
    {
        if end > range.end {
            runs.insert(range.end, (end, other));
        }
        match other == place {
            true => start = before,
            false => drop(runs.insert(before, (range.start, other))),
        }
    }
    while let Some((&next, &(end, other))) = runs.range(range.start..range.end).next() {
        runs.remove(&next);
        if end > range.end {
            runs.insert(range.end, (end, other));
        }
    }
    runs.insert(start, (range.end, place));
}

pub(super) struct Struct<'a> {
    pub client: u64,
    pub clock: u64,
    pub end: u64,
    pub is_type: bool,
    kind: Kind,
    /// Number of the root that it says to lie in.
    root: u32,
    /// Values in lib0's `any` encoding.
    pub values: Option<&'a [u8]>,
    /// What it lies in, or beside what.
    parent: Option<(u64, u64)>,
    origins: [Option<(u64, u64)>; 2],
}

impl Struct<'_> {
    /// As far as it says by itself.
    fn own_place(&self) -> Place {
        Place { depth: 0, root: self.root, kind: self.kind }
    }

    /// Ids this one's depth follows from, and by how much it is deeper.
    fn depends(&self) -> impl Iterator<Item = ((u64, u64), u32)> {
        let beside = self.origins.into_iter().flatten().map(|id| (id, 0));
        self.parent.map(|id| (id, 1)).into_iter().chain(beside)
    }
}

pub(super) struct Graph<'a> {
    pub structs: Vec<Struct<'a>>,
    /// The structs of a client, one range for each update it occurs in.
    clients: HashMap<u64, Vec<Range<usize>>>,
    /// Names of roots that were not known: they have the numbers that follow.
    pub new_roots: Vec<&'a str>,
}

impl<'a> Graph<'a> {
    fn read(updates: &[&'a [u8]], roots: &HashMap<String, u32>) -> Result<Self, NestingError> {
        let mut graph = Self { structs: Vec::new(), clients: HashMap::new(), new_roots: Vec::new() };
        let mut new = HashMap::new();
        for update in updates {
            graph.add(update, roots, &mut new)?;
        }
        Ok(graph)
    }

    fn add(
        &mut self,
        update: &'a [u8],
        roots: &HashMap<String, u32>,
        new: &mut HashMap<&'a str, u32>,
    ) -> Result<(), NestingError> {
        let first = self.structs.len();
        let mut reader = Reader::new(update);
        for _ in 0..reader.var_uint().map_err(SplitError::from)? {
            let count = reader.var_uint().map_err(SplitError::from)?;
            let client = reader.var_uint().map_err(SplitError::from)?;
            let mut clock = reader.var_uint().map_err(SplitError::from)?;
            let start = self.structs.len();
            for _ in 0..count {
                let block = Block::read(&mut reader)?;
                let end = clock.saturating_add(block.len);
                if block.is_item() {
                    let (mut parent, mut root) = (None, 0);
                    match block.parent {
                        Some(Parent::Item(id)) => parent = Some(id),
                        Some(Parent::Root(name)) => {
                            root = roots.get(name).copied().unwrap_or_else(|| {
                                *new.entry(name).or_insert_with(|| {
                                    self.new_roots.push(name);
                                    (roots.len() + self.new_roots.len()) as u32
                                })
                            });
                        }
                        None => {}
                    }
                    let origins = [block.origin, block.right_origin];
                    let kind = match block.key {
                        _ if block.is_format() => Kind::Format,
                        Some(REGISTER) => Kind::Register,
                        _ => Kind::Content,
                    };
                    let (is_type, values) = (block.is_type(), block.values);
                    self.structs.push(Struct { client, clock, end, is_type, kind, root, values, parent, origins });
                }
                clock = end;
            }
            let ranges = self.clients.entry(client).or_default();
            if ranges.last().is_some_and(|range| range.start >= first) {
                return Err(NestingError::ClientTwice);
            }
            if self.structs.len() > start {
                ranges.push(start..self.structs.len());
            }
        }
        Ok(())
    }

    /// The structs that hold this id: more than one if updates contradict each other.
    pub(super) fn containing(&self, (client, clock): (u64, u64)) -> impl Iterator<Item = usize> {
        let ranges = self.clients.get(&client).map(Vec::as_slice).unwrap_or_default();
        ranges.iter().filter_map(move |range| {
            let structs = &self.structs[range.clone()];
            let at = structs.partition_point(|one| one.end <= clock);
            structs.get(at).filter(|one| one.clock <= clock).map(|_| range.start + at)
        })
    }
}

#[cfg(test)]
mod tests {
    use yrs::{Doc, ReadTxn, StateVector, Text, Transact, XmlTextPrelim, XmlTextRef};

    use super::*;

    /// An update that puts `count` types in one another, below the type at `clock - 1` if there is one.
    fn chain(client: u64, clock: u64, count: u64) -> Vec<u8> {
        use crate::protocol::lib0::var_uint;
        let mut out = vec![1];
        var_uint(&mut out, count);
        var_uint(&mut out, client);
        var_uint(&mut out, clock);
        for at in clock..clock + count {
            out.push(7);
            match at {
                0 => out.extend([1, 1, b'r']),
                _ => {
                    out.push(0);
                    var_uint(&mut out, client);
                    var_uint(&mut out, at - 1);
                }
            }
            out.push(6);
        }
        out.push(0);
        out
    }

    #[test]
    fn f23_a_chain_is_measured_in_one_update_and_over_several() {
        let too_deep = Err(NestingError::TooDeep(100));
        let mut nesting = Nesting::default();
        assert_eq!(nesting.take(&[&chain(1, 0, 100_000)], |_| 0, 100), too_deep);
        assert_eq!(nesting.take(&[&chain(1, 0, 60)], |_| 0, 100), Ok(()));
        assert_eq!(nesting.take(&[&chain(1, 60, 41)], |_| 60, 100), too_deep);
        assert_eq!(nesting.take(&[&chain(1, 60, 40)], |_| 60, 100), Ok(()));
        assert_eq!(nesting.take(&[&chain(1, 100, 1)], |_| 100, 100), too_deep);
        // What the document has is not measured anew: a lie about it changes nothing.
        assert_eq!(nesting.take(&[&chain(1, 0, 1), &[1, 1, 1, 99, 7, 1, 1, b'r', 6, 0]], |_| 100, 100), Ok(()));
        assert_eq!(nesting.take(&[&chain(1, 100, 1)], |_| 100, 100), too_deep);
    }

    #[test]
    fn f23_pieces_that_come_backwards_are_measured_together() {
        let mut nesting = Nesting::default();
        let (late, early) = (chain(1, 60, 60), chain(1, 0, 60));
        assert_eq!(nesting.take(&[&late], |_| 0, 100), Ok(()));
        assert_eq!(nesting.take(&[&early, &late], |_| 0, 100), Err(NestingError::TooDeep(100)));
    }

    #[test]
    fn f23_beside_something_deep_is_deep() {
        let mut nesting = Nesting::default();
        assert_eq!(nesting.take(&[&chain(1, 0, 100)], |_| 0, 100), Ok(()));
        // A text to the right of the innermost type is as deep as that; a type there as well, and no deeper.
        let beside = |info: u8, content: &[u8]| [&[1, 1, 2, 0, info, 1, 99], content, &[0]].concat();
        assert_eq!(nesting.take(&[&beside(0x84, &[1, b'x'])], |client| [0, 100][client as usize % 2], 100), Ok(()));
        assert_eq!(nesting.take(&[&beside(0x87, &[6])], |client| [0, 100][client as usize % 2], 100), Ok(()));
        let inside = [1, 1, 3, 0, 7, 0, 2, 0, 6, 0];
        let clock_of = |client| [0, 100, 1][client as usize % 3];
        assert_eq!(nesting.take(&[&inside], clock_of, 100), Err(NestingError::TooDeep(100)));
    }

    #[test]
    fn circles_end() {
        // Two types, each said to be in the other.
        let circle = [2, 1, 1, 0, 7, 0, 2, 0, 6, 1, 2, 0, 7, 0, 1, 0, 6, 0];
        assert_eq!(Nesting::default().take(&[&circle], |_| 0, 100), Ok(()));
        let twice = [2, 1, 1, 0, 7, 1, 1, b'r', 6, 1, 1, 1, 7, 1, 1, b'r', 6, 0];
        assert_eq!(Nesting::default().take(&[&twice], |_| 0, 100), Err(NestingError::ClientTwice));
    }

    /// The depths agree with a real document, typed step by step and sent whole.
    #[test]
    fn depths_of_a_real_document() {
        let mut rng = fastrand::Rng::with_seed(5);
        let doc = Doc::with_client_id(1);
        let root = doc.get_or_insert_text("content");
        let mut types: Vec<(XmlTextRef, u32)> = Vec::new();
        let mut nesting = Nesting::default();
        for _ in 0..300 {
            let before = doc.transact().state_vector();
            let mut txn = doc.transact_mut();
            let at = rng.usize(..types.len() + 1);
            match (types.get(at).cloned(), rng.bool()) {
                (None, _) => types.push((root.insert_embed(&mut txn, 0, XmlTextPrelim::new("ab")), 1)),
                (Some((text, _)), true) => text.insert(&mut txn, 1, "typed"),
                (Some((text, depth)), false) => {
                    types.push((text.insert_embed(&mut txn, 1, XmlTextPrelim::new("ab")), depth + 1));
                }
            }
            let update = txn.encode_update_v1();
            drop(txn);
            let clock_of = |client| u64::from(before.get(&yrs::ClientID::new(client)));
            nesting.take(&[&update], clock_of, 1_000).unwrap();
        }
        let deepest = types.iter().map(|(_, depth)| *depth).max().unwrap();
        let whole = doc.transact().encode_state_as_update_v1(&StateVector::default());
        assert!(deepest > 3, "{deepest}");
        assert_eq!(Nesting::default().take(&[&whole], |_| 0, deepest), Ok(()));
        assert!(Nesting::default().take(&[&whole], |_| 0, deepest - 1).is_err());
        let stepwise = nesting.known[&1].values().map(|(_, place)| place.depth).max();
        assert_eq!(stepwise, Some(deepest));
    }
}
