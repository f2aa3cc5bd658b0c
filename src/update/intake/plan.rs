//! In what order an update's structs are given to yrs, and in how many pieces.
//!
//! yrs takes the highest client first and, where a struct needs one of another client, goes there first, and so on by
//! recursion. Here the same is done with a list, and the order that comes of it is cut into pieces, so that within a
//! piece only few clients can need each other. A struct that needs something which is not there is not given, but held.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::held::{Holding, Wakes};
use super::pace::{Opens, Pace};
use super::section::{Section, Source, StructId};
use crate::protocol::lib0::Lib0Reader;
use crate::quick::{Quick, QuickMap};
use crate::sorted::Sorted;
use crate::update::limits::{Limits, Refused};
use crate::update::nesting::{Lineage, Location, Nesting, NewRoots};
use crate::update::split::{Block, Parent};

/// Structs of one client that follow each other, to be given one after the other.
#[derive(Debug)]
pub(super) struct StructRun {
    pub source: Source,
    pub range: Range<usize>,
    pub client: u64,
    /// The first clock, and the one after the last.
    pub clock: u64,
    pub end: u64,
    pub count: u64,
    /// What ends before it is given.
    pub opens: Opens,
    /// Its parent is something in which nothing can lie: garbage is given in its place, as Yjs makes of it.
    pub is_garbage: bool,
}

/// What the structs of an update say, before anything is done with them.
#[derive(Debug, Default)]
pub(super) struct Outline<'a> {
    pub sections: Vec<Section>,
    pub structs: u64,
    /// How many of them are the first of a key, as far as they know.
    pub firsts: usize,
    /// Where the deletions begin.
    pub deletions: usize,
    /// Whether there are subdocuments in it.
    pub has_documents: bool,
    /// The roots that structs name as their parents; some more than once.
    pub roots: Vec<&'a str>,
}

impl<'a> Outline<'a> {
    pub(super) fn read(update: &'a [u8]) -> Result<Self, Refused> {
        let mut outline = Self::default();
        let mut reader = Lib0Reader::new(update);
        for _ in 0..reader.var_uint()? {
            let left = reader.var_uint()?;
            let client = reader.var_uint()?;
            let clock = reader.var_uint()?;
            let at = update.len() - reader.remaining();
            let mut end = clock;
            let is_late = |clock: u64| clock > u64::from(u32::MAX);
            for _ in 0..left {
                let block = Block::read(&mut reader)?;
                if block.needs().any(|(_, clock)| is_late(clock)) {
                    return Err(Refused::TooLarge);
                }
                // yrs reads one value more than there are, and writes another number of them.
                if block.is_json() {
                    return Err(Refused::Json);
                }
                outline.has_documents |= block.is_doc();
                outline.firsts += usize::from(block.key.is_some());
                end = end.saturating_add(block.len);
                if let Some(Parent::Root(name)) = block.parent
                    && outline.roots.last() != Some(&name)
                {
                    outline.roots.push(name);
                }
            }
            if is_late(end) {
                return Err(Refused::TooLarge);
            }
            outline.structs += left;
            outline.sections.push(Section { source: Source::Update, client, at, clock, left });
        }
        outline.deletions = update.len() - reader.remaining();
        Ok(outline)
    }
}

/// What is to be done, computed before anything is changed.
#[derive(Debug, Default)]
pub(super) struct IntakePlan {
    pub runs: Vec<StructRun>,
    pub structs: u64,
    /// How far each client that was asked for is afterwards.
    pub progress: Clocks,
    /// What could not be given: the rest of the update's sections, and of what was held. Each with the struct that it
    /// needs; None where it was given after all.
    pub parked: Vec<Option<(Section, StructId)>>,
    /// What was held and is given now.
    pub finished: Vec<u64>,
    pub nesting: Nesting,
    pub firsts: QuickMap<KeyHash, u32>,
}

/// A key of a shared type, hashed: where two collide, too many sets are counted, never too few.
pub(super) type KeyHash = u32;

pub(super) struct Planner<'a> {
    pub update: &'a [u8],
    pub known: &'a HashMap<u64, u64>,
    pub held: &'a Holding,
    pub nesting: &'a Nesting,
    pub roots: &'a NewRoots<'a>,
    pub firsts: &'a QuickMap<KeyHash, u32>,
    pub limits: Limits,
    pub pace: &'a mut Pace,
    /// Whether this is a type in the document.
    pub is_type: &'a dyn Fn(StructId) -> bool,
    pub plan: IntakePlan,
    /// Client, clocks and place of the structs that were last given.
    pub last: Option<(u64, Range<u64>, Location)>,
}

/// How far clients are. For few clients, as in most updates, a list is quicker than a table.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    list: Vec<(u64, u64)>,
    places: HashMap<u64, usize>,
}

impl Clocks {
    const FEW: usize = 8;

    fn place(&self, client: u64) -> Option<usize> {
        match self.list.len() <= Self::FEW {
            true => self.list.iter().position(|one| one.0 == client),
            false => self.places.get(&client).copied(),
        }
    }

    pub(super) fn get(&self, client: u64) -> Option<u64> {
        self.place(client).and_then(|at| self.list.get(at)).map(|one| one.1)
    }

    fn set(&mut self, client: u64, clock: u64) {
        if let Some(one) = self.place(client).and_then(|at| self.list.get_mut(at)) {
            one.1 = clock;
            return;
        }
        self.list.push((client, clock));
        match self.list.len() {
            len if len <= Self::FEW => {}
            len if len == Self::FEW + 1 => self.places = (0..).zip(&self.list).map(|(at, one)| (one.0, at)).collect(),
            len => drop(self.places.insert(client, len - 1)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.list.iter().copied()
    }
}

/// Where giving a section came to an end.
enum SectionEnd {
    All,
    Far,
    Needs(StructId),
}

/// What comes of one look at a section's next struct.
enum NextStruct {
    Given,
    Passed,
    Needs(StructId),
}

impl<'a> Planner<'a> {
    /// `own`: the client whose clock may have grown by edits made here.
    pub(super) fn run(mut self, mut sections: Vec<Section>, own: u64) -> Result<IntakePlan, Refused> {
        sections.sort_by_key(|section| std::cmp::Reverse(section.client));
        if sections.windows(2).any(|two| two[0].client == two[1].client) {
            return Err(Refused::ClientTwice);
        }
        self.order(&mut sections)?;
        self.wake(own)?;
        self.plan.nesting.put_run(self.last.take());
        Ok(self.plan)
    }

    fn clock_of(&mut self, client: u64) -> u64 {
        match self.plan.progress.get(client) {
            Some(clock) => clock,
            None => {
                let clock = self.known.get(&client).copied().unwrap_or(0);
                self.plan.progress.set(client, clock);
                clock
            }
        }
    }

    /// The sections of an update, highest client first.
    fn order(&mut self, sections: &mut [Section]) -> Result<(), Refused> {
        let places: HashMap<u64, usize> = match sections.len() {
            0 | 1 => HashMap::new(),
            _ => sections.iter().enumerate().map(|(at, section)| (section.client, at)).collect(),
        };
        let mut entered = vec![false; sections.len()];
        // Each with the clock up to which the section before needs it. Beyond that it may need that section itself.
        let mut stack: Vec<(usize, u64)> = Vec::new();
        for first in 0..sections.len() {
            if !entered[first] {
                entered[first] = true;
                stack.push((first, u64::MAX));
            }
            while let Some(&(at, until)) = stack.last() {
                let needs = match self.advance(&mut sections[at], until)? {
                    SectionEnd::Needs(needs) => needs,
                    SectionEnd::All => {
                        stack.pop();
                        continue;
                    }
                    SectionEnd::Far => {
                        stack.pop();
                        entered[at] = false;
                        continue;
                    }
                };
                match places.get(&needs.0) {
                    Some(&other) if !entered[other] => {
                        entered[other] = true;
                        stack.push((other, needs.1));
                    }
                    // What waits for this waits for the same struct; so do structs that wait for each other in a
                    // circle.
                    _ => {
                        stack.pop();
                        self.plan.parked.push(Some((sections[at].clone(), needs)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives what can be given of a section, until its client's clock is past `until`.
    fn advance(&mut self, section: &mut Section, until: u64) -> Result<SectionEnd, Refused> {
        let held = self.held;
        let bytes: &'a [u8] = match section.source {
            Source::Update => self.update,
            Source::Held(id) => held.bytes(id),
        };
        let mut reader = Lib0Reader::new(bytes.get(section.at..).unwrap_or_default());
        let mut open = false;
        while section.left > 0 {
            let mut ahead = reader.clone();
            let block = Block::read(&mut ahead)?;
            let end = bytes.len() - ahead.remaining();
            match self.step(section, &block, section.at..end, &mut open)? {
                NextStruct::Needs(id) => return Ok(SectionEnd::Needs(id)),
                NextStruct::Given => {}
                NextStruct::Passed => open = false,
            }
            (section.at, section.clock, section.left) = (end, section.clock + block.len, section.left - 1);
            reader = ahead;
            if self.clock_of(section.client) > until && section.left > 0 {
                return Ok(SectionEnd::Far);
            }
        }
        Ok(SectionEnd::All)
    }

    /// `open`: whether the last run is this section's, and ends where this struct begins.
    fn step(
        &mut self,
        at: &Section,
        block: &Block,
        bytes: Range<usize>,
        open: &mut bool,
    ) -> Result<NextStruct, Refused> {
        let (client, clock, end) = (at.client, at.clock, at.clock + block.len);
        let has = self.clock_of(client);
        if end <= has {
            return Ok(NextStruct::Passed);
        }
        if block.is_skip() {
            return Ok(NextStruct::Needs((client, end - 1)));
        }
        if clock > has {
            return Ok(NextStruct::Needs((client, clock - 1)));
        }
        for id in block.needs() {
            if id.1 >= self.clock_of(id.0) {
                return Ok(NextStruct::Needs(id));
            }
        }
        let is_garbage = self.lies_in_nothing(block);
        // Only what the document does not have yet is measured.
        if !is_garbage {
            self.measure(client, clock.max(has)..end, block)?;
        }
        self.plan.progress.set(client, end);
        self.plan.structs += 1;
        let mut opens = self.pace.next(client, clock, block, bytes.len());
        // yrs cuts off the part that it has only at the beginning of a piece.
        if clock < has && opens == Opens::Nothing {
            opens = Opens::Piece;
        }
        match self.plan.runs.last_mut() {
            Some(run) if *open && opens == Opens::Nothing && !is_garbage && !run.is_garbage => {
                (run.range.end, run.end) = (bytes.end, end);
                run.count += 1;
            }
            _ => {
                let clock = if is_garbage { clock.max(has) } else { clock };
                let run =
                    StructRun { source: at.source, range: bytes, client, clock, end, count: 1, opens, is_garbage };
                self.plan.runs.push(run);
            }
        }
        *open = true;
        Ok(NextStruct::Given)
    }

    /// Whether its parent is a letter, or something else that is no type. yrs gives up at such a struct in the middle
    /// of an update, even of the update of somebody else that brings what the struct waited for.
    fn lies_in_nothing(&self, block: &Block) -> bool {
        let Some(Parent::Item(id)) = block.parent else { return false };
        match id.1 < self.known.get(&id.0).copied().unwrap_or(0) {
            true => !(self.is_type)(id),
            false => self.place_of(id).is_none_or(|place| !place.is_type),
        }
    }

    /// The place of something that the document has, or that is planned.
    fn place_of(&self, id: StructId) -> Option<Location> {
        match &self.last {
            // Mostly it belongs to the structs given last.
            Some((client, clocks, place)) if *client == id.0 && clocks.contains(&id.1) => Some(*place),
            _ => self.plan.nesting.get(id).or_else(|| self.nesting.get(id)),
        }
    }

    fn measure(&mut self, client: u64, clocks: Range<u64>, block: &Block) -> Result<(), Refused> {
        let claim = Lineage::of(block, |name| self.nesting.root(name, self.roots));
        let place = claim.place(|id| self.place_of(id));
        if place.depth.saturating_add(u32::from(block.is_type())) > self.limits.nesting {
            return Err(Refused::TooDeep(self.limits.nesting));
        }
        match &mut self.last {
            Some((last, before, same)) if *last == client && before.end == clocks.start && *same == place => {
                before.end = clocks.end;
            }
            _ => {
                let last = self.last.replace((client, clocks, place));
                self.plan.nesting.put_run(last);
            }
        }
        if let (Some(parent), Some(name)) = (block.parent, block.key) {
            let key = key(parent, name);
            let before = self.firsts.get(&key).copied().unwrap_or(0);
            let new = self.plan.firsts.entry(key).or_insert(0);
            *new += 1;
            if before + *new > self.limits.sets_of_a_key {
                return Err(Refused::KeySet(self.limits.sets_of_a_key));
            }
        }
        Ok(())
    }

    /// Gives what was held and can be given now, and what that sets free.
    fn wake(&mut self, own: u64) -> Result<(), Refused> {
        if self.held.is_empty() && self.plan.parked.is_empty() {
            return Ok(());
        }
        let mut parked = Wakes::default();
        for (at, one) in (0..).zip(&self.plan.parked) {
            if let Some((_, needs)) = one {
                parked.insert(*needs, at);
            }
        }
        let mut woken: HashSet<u64> = HashSet::new();
        let mut grown: Sorted<u64, ()> = self.plan.progress.iter().map(|(client, _)| (client, ())).collect();
        grown.insert(own, ());
        while let Some((client, ())) = grown.pop_first() {
            let clock = self.clock_of(client);
            let due: Vec<u64> = self.held.due(client, clock).filter(|id| woken.insert(*id)).collect();
            let due = due.into_iter().filter_map(|id| self.held.get(id).map(|one| one.section.clone()));
            let mut due: Vec<Section> = due.collect();
            for at in parked.take(client, clock) {
                due.extend(self.plan.parked[at as usize].take().map(|(section, _)| section));
            }
            for mut section in due {
                match self.advance(&mut section, u64::MAX)? {
                    SectionEnd::Needs(needs) => {
                        parked.insert(needs, self.plan.parked.len() as u64);
                        grown.insert(section.client, ());
                        self.plan.parked.push(Some((section, needs)));
                    }
                    SectionEnd::All | SectionEnd::Far => {
                        grown.insert(section.client, ());
                        if let Source::Held(id) = section.source {
                            self.plan.finished.push(id);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn key(parent: Parent, name: &str) -> KeyHash {
    use std::hash::{Hash, Hasher};
    let mut hasher = Quick::default();
    match parent {
        Parent::Root(root) => root.hash(&mut hasher),
        Parent::Item(id) => id.hash(&mut hasher),
    }
    name.hash(&mut hasher);
    hasher.finish() as KeyHash
}
