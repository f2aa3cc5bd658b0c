//! What an update touches in a document that does not have it yet: roots, formats, registers.

use std::collections::HashMap;
use std::ops::Range;

use yrs::Any;
use yrs::encoding::read::Cursor;

use super::limits::Refused;
use super::nesting::{Location, Nesting, NewRoots, StructKind};
use super::split::Block;
use crate::protocol::lib0::{Lib0Reader, var_uint};

mod graph;

use graph::Graph;

/// See [`super::Intake::survey`].
#[derive(Debug)]
pub struct Survey<'a> {
    update: &'a [u8],
    /// How many of its bytes are structs; the deletions follow.
    structs: usize,
    /// What the document does not have yet.
    inserts: Vec<Insert<'a>>,
    deletes: Vec<Deletion>,
    /// Clocks of each client that the update has without content.
    dead: HashMap<u64, Vec<Range<u64>>>,
    /// The names of roots by their numbers.
    names: Vec<String>,
    /// Something in it needs what neither the document nor the update has.
    pub waits: bool,
}

#[derive(Debug)]
struct Insert<'a> {
    place: Location,
    clocks: u64,
    values: Option<&'a [u8]>,
}

/// A part of the deletions, and the place of what is deleted; none: it has no content any more.
#[derive(Debug)]
struct Deletion {
    client: u64,
    clocks: Range<u64>,
    place: Option<Location>,
}

impl<'a> Survey<'a> {
    /// `roots`: the roots that its structs name.
    pub(super) fn new(
        nesting: &Nesting,
        roots: &[&'a str],
        update: &'a [u8],
        clock_of: impl Fn(u64) -> u64,
    ) -> Result<Self, Refused> {
        let roots = nesting.new_roots(roots);
        let graph = Graph::read(update, |name| nesting.root(name, &roots))?;
        let places = graph.places(nesting, &clock_of);
        Self::of(nesting, &roots, &graph, &places, update, &clock_of)
    }

    fn of(
        nesting: &Nesting,
        roots: &NewRoots<'_>,
        graph: &Graph<'a>,
        places: &[Location],
        update: &'a [u8],
        clock_of: &impl Fn(u64) -> u64,
    ) -> Result<Self, Refused> {
        let mut names = vec![String::new(); 1];
        let mut numbered: Vec<(&str, u32)> = nesting.roots().collect();
        numbered.sort_by_key(|(_, number)| *number);
        names.extend(numbered.into_iter().map(|(name, _)| name.to_owned()));
        names.extend(roots.names.iter().map(|name| (*name).to_owned()));
        let mut survey =
            Self { update, structs: 0, inserts: vec![], deletes: vec![], dead: HashMap::new(), names, waits: false };
        for (one, place) in graph.structs.iter().zip(places) {
            if one.end > clock_of(one.client) {
                survey.waits |= place.root == 0;
                let state = clock_of(one.client);
                let clocks = one.end - one.clock.max(state);
                survey.inserts.push(Insert { place: *place, clocks, values: one.values });
                // The document has the beginning of this struct: the rest lies where that lies.
                if let Some(last) = state.checked_sub(1).filter(|last| one.clock <= *last) {
                    let place = nesting.get((one.client, last)).unwrap_or_default();
                    survey.inserts.push(Insert { place, clocks: 0, values: None });
                }
            }
        }
        let mut reader = Lib0Reader::new(update);
        survey.walk(&mut reader, clock_of)?;
        survey.structs = update.len() - reader.remaining();
        for _ in 0..reader.var_uint()? {
            let client = reader.var_uint()?;
            for _ in 0..reader.var_uint()? {
                let start = reader.var_uint()?;
                let end = start.saturating_add(reader.var_uint()?);
                survey.delete(nesting, (graph, places), client, start..end, clock_of(client));
            }
        }
        Ok(survey)
    }

    /// Looks for holes between what the document has and the update.
    fn walk(&mut self, reader: &mut Lib0Reader<'a>, clock_of: &impl Fn(u64) -> u64) -> Result<(), Refused> {
        for _ in 0..reader.var_uint()? {
            let count = reader.var_uint()?;
            let client = reader.var_uint()?;
            let mut clock = reader.var_uint()?;
            self.waits |= clock > clock_of(client);
            for _ in 0..count {
                let block = Block::read(reader)?;
                let start = clock;
                clock = clock.saturating_add(block.len);
                self.waits |= block.is_skip() && clock > clock_of(client);
                if !block.is_item() {
                    self.dead.entry(client).or_default().push(start..clock);
                }
            }
        }
        Ok(())
    }

    /// Parts a range of deletions by places: first what the document has, then what the update brings.
    fn delete(
        &mut self,
        nesting: &Nesting,
        (graph, places): (&Graph<'a>, &[Location]),
        client: u64,
        range: Range<u64>,
        state: u64,
    ) {
        let mut at = range.start;
        let known = range.end.min(state);
        for (run, place) in nesting.runs(client, at..known.max(at)) {
            self.part(client, at..run.start.min(known), None);
            let start = run.start.max(at);
            self.part(client, start..run.end.min(known), Some(place));
            at = run.end.min(known).max(at);
        }
        self.part(client, at..known, None);
        at = at.max(known);
        while at < range.end {
            let found = graph.containing((client, at));
            let dead = || {
                let dead = self.dead.get(&client)?;
                let found = dead.get(dead.partition_point(|dead| dead.end <= at))?;
                (found.start <= at).then_some(found.end)
            };
            let (end, place) = match found {
                Some(found) => (graph.structs[found].end, Some(places[found])),
                None => match dead() {
                    Some(end) => (end, None),
                    None => {
                        self.waits = true;
                        (range.end, None)
                    }
                },
            };
            self.part(client, at..end.min(range.end), place);
            at = end;
        }
    }

    fn part(&mut self, client: u64, clocks: Range<u64>, place: Option<Location>) {
        if clocks.start < clocks.end {
            self.deletes.push(Deletion { client, clocks, place });
        }
    }

    fn name(&self, place: Location) -> &str {
        self.names.get(place.root as usize).map_or("", String::as_str)
    }

    /// Whether it inserts something into a root for which `is_meant` holds.
    pub fn inserts_into(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        self.inserts.iter().any(|insert| is_meant(self.name(insert.place)))
    }

    /// What it deletes in such roots: clients with ranges of their clocks. `formats`: formats count as well.
    pub fn deletions(&self, is_meant: impl Fn(&str) -> bool, formats: bool) -> impl Iterator<Item = (u64, Range<u64>)> {
        let counts = move |place: Location| (formats || place.kind != StructKind::Format) && is_meant(self.name(place));
        let found = self.deletes.iter().filter(move |it| it.place.is_some_and(&counts));
        found.map(|it| (it.client, it.clocks.clone()))
    }

    /// The update without its deletions in such roots.
    pub fn without_deletions(&self, is_meant: impl Fn(&str) -> bool) -> Vec<u8> {
        let mut out = self.update[..self.structs].to_vec();
        let kept = self.deletes.iter().filter(|it| !it.place.is_some_and(|place| is_meant(self.name(place))));
        let mut clients: Vec<(u64, Vec<Range<u64>>)> = Vec::new();
        for Deletion { client, clocks, .. } in kept {
            match clients.last_mut().filter(|(last, _)| last == client) {
                Some((_, ranges)) => match ranges.last_mut().filter(|last| last.end == clocks.start) {
                    Some(last) => last.end = clocks.end,
                    None => ranges.push(clocks.clone()),
                },
                None => clients.push((*client, vec![clocks.clone()])),
            }
        }
        var_uint(&mut out, clients.len() as u64);
        for (client, ranges) in clients {
            var_uint(&mut out, client);
            var_uint(&mut out, ranges.len() as u64);
            for range in ranges {
                var_uint(&mut out, range.start);
                var_uint(&mut out, range.end - range.start);
            }
        }
        out
    }

    /// How many clocks its structs take that the document has not.
    pub fn new_clocks(&self) -> u64 {
        self.inserts.iter().map(|insert| insert.clocks).sum()
    }

    /// Whether it sets a register, wherever.
    pub fn has_registers(&self) -> bool {
        self.inserts.iter().any(|insert| insert.place.kind == StructKind::Register)
    }

    /// Whether a register in this root has a time that is no whole number from 0 to below `limit`.
    pub fn has_bad_register(&self, root: &str, limit: u64) -> bool {
        let registers =
            self.inserts.iter().filter(|it| it.place.kind == StructKind::Register && self.name(it.place) == root);
        registers.filter_map(|insert| insert.values).any(|values| !is_sound(values, limit))
    }
}

/// `[t, …]` with such a time, or nothing.
fn is_sound(values: &[u8], limit: u64) -> bool {
    let mut reader = Lib0Reader::new(values);
    let Ok(1) = reader.var_uint() else { return false };
    match Any::decode(&mut Cursor::new(reader.rest())) {
        Ok(Any::Null | Any::Undefined) => true,
        Ok(Any::Array(claims)) => match claims.first() {
            Some(Any::Number(time)) => {
                time.as_f64().is_some_and(|t| t.fract() == 0.0 && t >= 0.0 && t < limit.min(1 << 53) as f64)
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use yrs::Doc;

    use crate::update::{Intake, Limits};

    /// A text of `client` at `clock`, at the beginning of a root with a name of one letter.
    fn text(client: u8, clock: u8, root: u8, text: &[u8]) -> Vec<u8> {
        [&[1, 1, client, clock, 4, 1, 1, root, text.len() as u8], text, &[0]].concat()
    }

    /// What continues something says to lie elsewhere: neither what continues nor what was there is taken for that.
    #[test]
    fn a_lie_about_what_is_there_changes_nothing() {
        let (doc, mut intake) = (Doc::with_client_id(9), Intake::default());
        let clock_of = |client| [0, 5][usize::from(client == 1)];
        intake.apply(&doc, &text(1, 0, b'a', b"abcde"), Limits::NEW, &mut |_| {}).unwrap();
        let lie = text(1, 4, b'b', b"ef");
        assert!(intake.survey(&lie, clock_of).unwrap().inserts_into(|root| root == "a"));
        intake.apply(&doc, &lie, Limits::NEW, &mut |_| {}).unwrap();
        let gone = [0, 1, 1, 1, 4, 1];
        let survey = intake.survey(&gone, clock_of).unwrap();
        assert_eq!(survey.deletions(|root| root == "a", true).collect::<Vec<_>>(), [(1, 4..5)]);
        assert_eq!(survey.deletions(|root| root == "b", true).count(), 0);
    }

    /// A name is known as soon as something that says it is kept, and a refused update leaves none.
    #[test]
    fn roots_are_known_once_something_is_kept() {
        let (doc, mut intake) = (Doc::with_client_id(9), Intake::default());
        let mut waits = text(1, 3, b'a', b"x");
        assert!(!intake.has_root("a"));
        assert!(intake.apply(&doc, &waits, Limits::NEW, &mut |_| {}).unwrap());
        assert!(intake.has_root("a"));
        waits[7] = b'b';
        waits[3] = 9;
        let none = Limits { waiting: 0, ..Limits::NEW };
        assert!(intake.apply(&doc, &waits, none, &mut |_| {}).is_err());
        assert!(!intake.has_root("b"));
    }
}
