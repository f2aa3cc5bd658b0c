//! Structs and deletions that a document has received and cannot take yet.

use std::collections::HashMap;

use super::section::{Section, Source, StructId};
use crate::protocol::lib0::{Lib0Reader, var_uint};
use crate::sorted::Sorted;
use crate::update::split::Block;

/// Who waits for which struct, by client and clock. Who: a number of something held.
#[derive(Debug, Default)]
pub(super) struct Wakes(HashMap<u64, Sorted<(u64, u64), ()>>);

impl Wakes {
    pub(super) fn insert(&mut self, (client, clock): StructId, who: u64) {
        self.0.entry(client).or_default().insert((clock, who), ());
    }

    fn remove(&mut self, (client, clock): StructId, who: u64) {
        if let Some(waiting) = self.0.get_mut(&client) {
            waiting.remove((clock, who));
            if waiting.is_empty() {
                self.0.remove(&client);
            }
        }
    }

    /// Those whose struct of this client is there once it is so far.
    fn due(&self, client: u64, clock: u64) -> impl Iterator<Item = u64> {
        self.0.get(&client).into_iter().flat_map(move |waiting| waiting.range(..(clock, 0))).map(|((_, who), ())| who)
    }

    pub(super) fn take(&mut self, client: u64, clock: u64) -> Vec<u64> {
        let due = self.0.get_mut(&client).map(|waiting| waiting.take_before((clock, 0)));
        due.into_iter().flatten().map(|((_, who), ())| who).collect()
    }
}

/// Structs of one client that follow each other.
#[derive(Debug)]
pub(super) struct Held {
    pub section: Section,
    bytes: Vec<u8>,
    end: u64,
    needs: StructId,
}

/// Ranges that do not overlap: begin → end.
pub(super) type Ranges = Sorted<u64, u64>;

#[derive(Debug, Default)]
pub(super) struct Holding {
    /// By their numbers.
    held: HashMap<u64, Held>,
    wakes: Wakes,
    next: u64,
    /// The clocks of all structs that are held, by client.
    covered: HashMap<u64, Ranges>,
    deletions: HashMap<u64, Ranges>,
    /// How many ranges the deletions have, at most.
    ranges: usize,
}

impl Holding {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn has_deletions(&self) -> bool {
        !self.deletions.is_empty()
    }

    /// How many runs of structs and ranges of deletions are held.
    pub(super) fn len(&self) -> usize {
        self.held.len() + self.ranges
    }

    pub(super) fn get(&self, id: u64) -> Option<&Held> {
        self.held.get(&id)
    }

    pub(super) fn bytes(&self, id: u64) -> &[u8] {
        self.held.get(&id).map_or(&[], |one| &one.bytes)
    }

    pub(super) fn due(&self, client: u64, clock: u64) -> impl Iterator<Item = u64> {
        self.wakes.due(client, clock)
    }

    /// Holds what is left of a section of an update. Returns whether that is news.
    pub(super) fn hold(&mut self, update: &[u8], section: &Section, needs: StructId) -> bool {
        let mut reader = Lib0Reader::new(update.get(section.at..).unwrap_or_default());
        let (mut news, mut clock, mut needs) = (false, section.clock, needs);
        // Between gaps.
        let mut stretch = Section { left: 0, ..section.clone() };
        for _ in 0..section.left {
            let at = update.len() - reader.remaining();
            // It was read before.
            let Ok(block) = Block::read(&mut reader) else { break };
            clock += block.len;
            if block.is_skip() {
                news |= self.hold_stretch(update, &stretch, at, needs);
                needs = (section.client, clock - 1);
                stretch = Section { at: update.len() - reader.remaining(), clock, left: 0, ..stretch };
            } else {
                stretch.left += 1;
            }
        }
        news | self.hold_stretch(update, &stretch, update.len() - reader.remaining(), needs)
    }

    fn hold_stretch(&mut self, update: &[u8], stretch: &Section, until: usize, needs: StructId) -> bool {
        let bytes = update.get(stretch.at..until).unwrap_or_default().to_vec();
        let mut end = stretch.clock;
        let mut reader = Lib0Reader::new(&bytes);
        while let Ok(block) = Block::read(&mut reader) {
            end += block.len;
        }
        if end == stretch.clock || !cover(self.covered.entry(stretch.client).or_default(), stretch.clock, end) {
            return false;
        }
        let section = Section { source: Source::Held(self.next), at: 0, ..stretch.clone() };
        self.wakes.insert(needs, self.next);
        self.held.insert(self.next, Held { section, bytes, end, needs });
        self.next += 1;
        true
    }

    /// Of something held a part was given; the rest needs something else.
    pub(super) fn shorten(&mut self, id: u64, section: Section, needs: StructId) {
        let Some(held) = self.held.get_mut(&id) else { return };
        self.wakes.remove(held.needs, id);
        self.wakes.insert(needs, id);
        (held.section, held.needs) = (section, needs);
    }

    pub(super) fn release(&mut self, id: u64) {
        let Some(held) = self.held.remove(&id) else { return };
        self.wakes.remove(held.needs, id);
        if let Some(covered) = self.covered.get_mut(&held.section.client) {
            // What is given need not be remembered; others of this client may still be held.
            covered.take_before(held.section.clock);
            if covered.is_empty() {
                self.covered.remove(&held.section.client);
            }
        }
    }

    /// Holds deletions. Returns whether they are news.
    pub(super) fn hold_deletion(&mut self, client: u64, start: u64, end: u64) -> bool {
        let news = cover(self.deletions.entry(client).or_default(), start, end);
        self.ranges += usize::from(news);
        news
    }

    /// Takes the held deletions of a client before this clock.
    pub(super) fn take_deletions(&mut self, client: u64, clock: u64) -> Vec<(u64, u64)> {
        let Some(ranges) = self.deletions.get_mut(&client) else { return Vec::new() };
        let mut due = ranges.take_before(clock);
        self.ranges = self.ranges.saturating_sub(due.len());
        if let Some((_, end)) = due.last_mut()
            && *end > clock
        {
            ranges.insert(clock, *end);
            *end = clock;
        }
        if ranges.is_empty() {
            self.deletions.remove(&client);
        }
        if self.deletions.is_empty() {
            self.ranges = 0;
        }
        due
    }

    /// Everything held, as updates that hold each client once.
    pub(super) fn updates(&self) -> Vec<Vec<u8>> {
        let mut layers: Vec<Vec<&Held>> = Vec::new();
        let mut runs: Vec<(u64, &Held)> = self.held.iter().map(|(id, one)| (*id, one)).collect();
        runs.sort_unstable_by_key(|(id, one)| (one.section.client, one.section.clock, *id));
        for (_, one) in runs {
            let Section { client, clock, .. } = one.section;
            let is_behind = |last: &&Held| last.section.client != client || last.end <= clock;
            let at = layers.iter().position(|layer| layer.last().is_none_or(is_behind)).unwrap_or(layers.len());
            if at == layers.len() {
                layers.push(Vec::new());
            }
            layers[at].push(one);
        }
        if layers.is_empty() && self.has_deletions() {
            layers.push(Vec::new());
        }
        let mut deletions = Vec::new();
        put_deletions(&mut deletions, &self.deletions);
        let mut updates: Vec<Vec<u8>> = layers.iter().map(|layer| sections(layer)).collect();
        for (at, update) in updates.iter_mut().enumerate() {
            if at == 0 { update.extend(&deletions) } else { update.push(0) }
        }
        updates
    }
}

/// Higher clients first, as everywhere.
fn sections(layer: &[&Held]) -> Vec<u8> {
    const SKIP: u8 = 10;
    let mut out = Vec::new();
    let clients = || layer.chunk_by(|one, next| one.section.client == next.section.client);
    var_uint(&mut out, clients().count() as u64);
    for runs in clients().rev() {
        let (mut count, mut bytes, mut first, mut end) = (0, Vec::new(), None, 0);
        for run in runs {
            let clock = run.section.clock;
            if first.is_some() && clock > end {
                bytes.push(SKIP);
                var_uint(&mut bytes, clock - end);
                count += 1;
            }
            first.get_or_insert(clock);
            bytes.extend_from_slice(run.bytes.get(run.section.at..).unwrap_or_default());
            count += run.section.left;
            end = run.end;
        }
        var_uint(&mut out, count);
        var_uint(&mut out, runs[0].section.client);
        var_uint(&mut out, first.unwrap_or(0));
        out.extend(bytes);
    }
    out
}

pub(super) fn put_deletions(out: &mut Vec<u8>, deletions: &HashMap<u64, Ranges>) {
    let mut all: Vec<(u64, &Ranges)> = deletions.iter().map(|(client, ranges)| (*client, ranges)).collect();
    all.sort_unstable_by_key(|(client, _)| *client);
    var_uint(out, all.len() as u64);
    for (client, ranges) in all {
        var_uint(out, client);
        var_uint(out, ranges.len() as u64);
        for (start, end) in ranges.iter() {
            var_uint(out, start);
            var_uint(out, end - start);
        }
    }
}

/// Adds a range. Returns whether it was not all there.
pub(super) fn cover(ranges: &mut Ranges, mut start: u64, mut end: u64) -> bool {
    if let Some((before, &until)) = ranges.range(..=start).next_back()
        && until >= start
    {
        if until >= end {
            return false;
        }
        start = before;
    }
    let overlapping = |ranges: &Ranges, end: u64| ranges.range(start..=end).next().map(|(next, until)| (next, *until));
    while let Some((next, until)) = overlapping(ranges, end) {
        end = end.max(until);
        ranges.remove(next);
    }
    ranges.insert(start, end);
    true
}
