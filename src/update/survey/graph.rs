//! The structs of an update, and where they lie.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::protocol::lib0::Lib0Reader;
use crate::update::limits::Refused;
use crate::update::nesting::{Lineage, Location, Nesting};
use crate::update::split::Block;

pub(super) struct Struct<'a> {
    pub client: u64,
    pub clock: u64,
    pub end: u64,
    /// Values in lib0's `any` encoding.
    pub values: Option<&'a [u8]>,
    claim: Lineage,
}

pub(super) struct Graph<'a> {
    /// The structs with content, each client's in order.
    pub structs: Vec<Struct<'a>>,
    clients: HashMap<u64, Range<usize>>,
}

impl<'a> Graph<'a> {
    pub(super) fn read(update: &'a [u8], number_of: impl Fn(&'a str) -> u32) -> Result<Self, Refused> {
        let mut graph = Self { structs: Vec::new(), clients: HashMap::new() };
        let mut reader = Lib0Reader::new(update);
        for _ in 0..reader.var_uint()? {
            let (count, client) = (reader.var_uint()?, reader.var_uint()?);
            let mut clock = reader.var_uint()?;
            let first = graph.structs.len();
            for _ in 0..count {
                let block = Block::read(&mut reader)?;
                let end = clock.saturating_add(block.len);
                if block.is_item() {
                    let claim = Lineage::of(&block, &number_of);
                    graph.structs.push(Struct { client, clock, end, values: block.values, claim });
                }
                clock = end;
            }
            if graph.clients.insert(client, first..graph.structs.len()).is_some() {
                return Err(Refused::ClientTwice);
            }
        }
        Ok(graph)
    }

    /// The struct that holds this id.
    pub(super) fn containing(&self, (client, clock): (u64, u64)) -> Option<usize> {
        let range = self.clients.get(&client)?;
        let structs = self.structs.get(range.clone())?;
        let at = structs.partition_point(|one| one.end <= clock);
        structs.get(at).filter(|one| one.clock <= clock).map(|_| range.start + at)
    }

    /// Where each struct lies. `clock_of`: how far the document has a client's structs.
    pub(super) fn places(&self, nesting: &Nesting, clock_of: &impl Fn(u64) -> u64) -> Vec<Location> {
        let mut places: Vec<Option<Location>> = vec![None; self.structs.len()];
        let mut entered = HashSet::new();
        // A stack of its own: chains may be as long as the update.
        let mut stack = Vec::new();
        for first in 0..self.structs.len() {
            stack.push(first);
            while let Some(&at) = stack.last() {
                let claim = &self.structs[at].claim;
                let is_new = |id: (u64, u64)| id.1 >= clock_of(id.0);
                let mut new = claim.needs().filter(|id| is_new(*id)).filter_map(|id| self.containing(id));
                // A circle cannot be integrated.
                let missing = new.find(|other| *other != at && places[*other].is_none() && !entered.contains(other));
                if let (Some(other), None) = (missing, places[at]) {
                    entered.insert(at);
                    stack.push(other);
                    continue;
                }
                let place = claim.place(|id| match is_new(id) {
                    true => self.containing(id).and_then(|other| places[other]),
                    false => nesting.get(id),
                });
                places[at].get_or_insert(place);
                stack.pop();
            }
        }
        places.into_iter().map(Option::unwrap_or_default).collect()
    }
}
