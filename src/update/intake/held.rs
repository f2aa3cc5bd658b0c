//! What a document has received and cannot have yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::section::{Section, Source, StructId};
use crate::protocol::lib0::{Reader, var_uint};
use crate::update::split::Block;

/// Who waits for what: by client, clock and who.
#[derive(Debug, Default)]
pub(super) struct Wakes(HashMap<u64, BTreeSet<(u64, u64)>>);

impl Wakes {
    pub(super) fn insert(&mut self, (client, clock): StructId, who: u64) {
        self.0.entry(client).or_default().insert((clock, who));
    }

    fn remove(&mut self, (client, clock): StructId, who: u64) {
        if let Some(waiting) = self.0.get_mut(&client) {
            waiting.remove(&(clock, who));
            if waiting.is_empty() {
                self.0.remove(&client);
            }
        }
    }

    /// Who needs nothing more of this client, which is so far.
    fn due(&self, client: u64, clock: u64) -> impl Iterator<Item = u64> {
        self.0.get(&client).into_iter().flat_map(move |waiting| waiting.range(..(clock, 0))).map(|(_, who)| *who)
    }

    pub(super) fn take(&mut self, client: u64, clock: u64) -> Vec<u64> {
        let due: Vec<u64> = self.due(client, clock).collect();
        if let Some(waiting) = self.0.get_mut(&client) {
            *waiting = waiting.split_off(&(clock, 0));
        }
        due
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
type Ranges = BTreeMap<u64, u64>;

#[derive(Debug, Default)]
pub(super) struct Holding {
    held: BTreeMap<u64, Held>,
    wakes: Wakes,
    next: u64,
    /// The clocks of all that is held, by client.
    covered: HashMap<u64, Ranges>,
    deletions: BTreeMap<u64, Ranges>,
    /// Of the deletions, at most.
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
        let mut reader = Reader::new(update.get(section.at..).unwrap_or_default());
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
        let mut reader = Reader::new(&bytes);
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
            *covered = covered.split_off(&held.section.clock);
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
        let later = ranges.split_off(&clock);
        let mut due: Vec<(u64, u64)> = std::mem::replace(ranges, later).into_iter().collect();
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
        let mut layers: Vec<BTreeMap<u64, (u64, Vec<&Held>)>> = Vec::new();
        let mut runs: Vec<&Held> = self.held.values().collect();
        runs.sort_by_key(|one| (one.section.client, one.section.clock));
        for one in runs {
            let (client, clock) = (one.section.client, one.section.clock);
            let fits =
                |layer: &BTreeMap<u64, (u64, Vec<&Held>)>| layer.get(&client).is_none_or(|(end, _)| *end <= clock);
            let at = layers.iter().position(fits).unwrap_or(layers.len());
            if at == layers.len() {
                layers.push(BTreeMap::new());
            }
            let (end, list) = layers[at].entry(client).or_default();
            *end = one.end;
            list.push(one);
        }
        if layers.is_empty() && self.has_deletions() {
            layers.push(BTreeMap::new());
        }
        let mut deletions = Vec::new();
        put_deletions(&mut deletions, &self.deletions);
        let mut updates: Vec<Vec<u8>> = layers.iter().map(sections).collect();
        for (at, update) in updates.iter_mut().enumerate() {
            if at == 0 { update.extend(&deletions) } else { update.push(0) }
        }
        updates
    }
}

/// Higher clients first, as everywhere.
fn sections(layer: &BTreeMap<u64, (u64, Vec<&Held>)>) -> Vec<u8> {
    const SKIP: u8 = 10;
    let mut out = Vec::new();
    var_uint(&mut out, layer.len() as u64);
    for (client, (_, runs)) in layer.iter().rev() {
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
        var_uint(&mut out, *client);
        var_uint(&mut out, first.unwrap_or(0));
        out.extend(bytes);
    }
    out
}

fn put_deletions(out: &mut Vec<u8>, deletions: &BTreeMap<u64, Ranges>) {
    var_uint(out, deletions.len() as u64);
    for (client, ranges) in deletions {
        var_uint(out, *client);
        var_uint(out, ranges.len() as u64);
        for (start, end) in ranges {
            var_uint(out, *start);
            var_uint(out, end - start);
        }
    }
}

/// Adds a range. Returns whether it was not all there.
fn cover(ranges: &mut Ranges, mut start: u64, mut end: u64) -> bool {
    if let Some((&before, &until)) = ranges.range(..=start).next_back()
        && until >= start
    {
        if until >= end {
            return false;
        }
        start = before;
    }
    while let Some((&next, &until)) = ranges.range(start..=end).next() {
        end = end.max(until);
        ranges.remove(&next);
    }
    ranges.insert(start, end);
    true
}
