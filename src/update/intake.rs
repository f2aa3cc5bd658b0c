//! Taking updates into a document, in whatever order they come.
//!
//! yrs 0.28 is given only what it can take. By itself it recurses from client to client as far as their structs need
//! each other; copies what a commit joins once for each struct; merges everything that waits with every update that
//! comes; and computes with negative lengths where a struct fills a hole that it left. So an update is put into the
//! order of its dependencies, cut into pieces, and given in as many transactions as it takes; what cannot be given yet
//! waits here.
//!
//! The time that this takes grows with the number of structs in the update and in what it sets free. An update that
//! would take more is refused by [`Limits`], before anything is changed.

use std::collections::HashMap;

use yrs::block::ClientID;
use yrs::{BranchID, Doc, ID, ReadTxn};

use super::Survey;
use super::limits::{Each, Limits, Refused};
use super::nesting::{Lineage, Nesting, NewRoots};
use super::split::{Block, Parent};
use super::subdocuments::Subdocuments;
use crate::protocol::lib0::Lib0Reader;
use crate::quick::QuickMap;

mod batch;
mod deletions;
mod feed;
mod held;
mod pace;
mod plan;
mod section;

use batch::Batch;
use deletions::Deletions;
use feed::Feed;
use held::Holding;
use plan::{IntakePlan, KeyHash, Outline, Planner};
use section::Source;

/// What a document has received and does not have yet, and what has to be known of it to take more.
#[derive(Debug, Default)]
pub struct Intake {
    /// How far the document has each client; its own client may be further. None: the document has to be asked.
    known: Option<HashMap<u64, u64>>,
    held: Holding,
    nesting: Nesting,
    firsts: QuickMap<KeyHash, u32>,
    subdocuments: Subdocuments,
}

impl Intake {
    /// Takes an update: applies what of it can be, and what waited for it. Returns whether anything new waits.
    ///
    /// # Errors
    /// If it is refused. But for [`Refused::Broken`] nothing has changed then.
    pub fn apply(&mut self, doc: &Doc, update: &[u8], limits: Limits, each: &mut Each<'_>) -> Result<bool, Refused> {
        let mut feed = Feed::new(doc, each);
        let taken = self.take(&mut feed, update, limits);
        feed.finish();
        taken
    }

    /// [`Intake::apply`] for many, in as few transactions as can be.
    pub fn apply_all<'b>(
        &mut self,
        doc: &Doc,
        updates: impl IntoIterator<Item = &'b [u8]>,
        limits: Limits,
        each: &mut Each<'_>,
    ) -> Vec<Result<bool, Refused>> {
        let mut feed = Feed::new(doc, each);
        let (mut batch, mut taken) = (Batch::default(), Vec::new());
        for update in updates {
            if batch.add(update) {
                continue;
            }
            self.take_batch(&mut feed, &mut batch, limits, &mut taken);
            if !batch.add(update) {
                taken.push(self.take(&mut feed, update, limits));
            }
        }
        self.take_batch(&mut feed, &mut batch, limits, &mut taken);
        feed.finish();
        taken
    }

    fn take_batch(
        &mut self,
        feed: &mut Feed<'_, '_>,
        batch: &mut Batch<'_>,
        limits: Limits,
        taken: &mut Vec<Result<bool, Refused>>,
    ) {
        let (members, whole) = batch.finish();
        let together = if members.len() > 1 { self.take(feed, &whole, limits).ok() } else { None };
        for update in members {
            // Else it is to be said which of them cannot be taken.
            taken.push(together.map_or_else(|| self.take(feed, update, limits), Ok));
        }
    }

    /// Whether something waits here.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty() || self.held.has_deletions()
    }

    /// Adds what waits here to a state, [as it was written](Self::as_written).
    ///
    /// # Errors
    /// If the two cannot be merged. The state alone is then not everything that was received.
    pub fn include(&self, state: Vec<u8>) -> Result<Vec<u8>, yrs::encoding::read::Error> {
        if !self.is_waiting() {
            return Ok(self.as_written(state));
        }
        Ok(self.as_written(super::merge(std::iter::once(state).chain(self.held.updates()))?))
    }

    /// Puts back into a state what yrs forgets of it: options of subdocuments.
    pub fn as_written(&self, update: Vec<u8>) -> Vec<u8> {
        self.subdocuments.restore(update)
    }

    /// Notes what was written into the document by other means, so that the depth of what is written into that is
    /// known.
    pub fn wrote(&mut self, update: &[u8]) {
        // The update is our own. What cannot be read counts as shallow.
        let _ = self.note_written(&mut Lib0Reader::new(update));
    }

    fn note_written<'a>(&mut self, reader: &mut Lib0Reader<'a>) -> Result<(), Refused> {
        let roots = NewRoots::default();
        for _ in 0..reader.var_uint()? {
            let (left, client, mut clock) = (reader.var_uint()?, reader.var_uint()?, reader.var_uint()?);
            for _ in 0..left {
                let block: Block<'a> = Block::read(reader)?;
                if let Some(Parent::Root(name)) = block.parent
                    && !self.nesting.has_root(name)
                {
                    self.nesting.name(self.nesting.new_roots(&[name]));
                }
                let place =
                    Lineage::of(&block, |name| self.nesting.root(name, &roots)).place(|id| self.nesting.get(id));
                self.nesting.put(client, clock..clock + block.len, place);
                clock += block.len;
            }
        }
        Ok(())
    }

    /// What an update would touch. `clock_of`: how far the document has a client's structs.
    ///
    /// # Errors
    /// If the update cannot be read.
    pub fn survey<'a>(&self, update: &'a [u8], clock_of: impl Fn(u64) -> u64) -> Result<Survey<'a>, Refused> {
        Survey::new(&self.nesting, &Outline::read(update)?.roots, update, clock_of)
    }

    /// Whether anything that was taken, if only to wait, names this root as its parent.
    pub fn has_root(&self, name: &str) -> bool {
        self.nesting.has_root(name)
    }

    /// Whether the document ever had a format, even one of which nothing is left to see.
    pub fn has_formats(&self) -> bool {
        self.nesting.has_formats
    }

    /// The same content is in another yrs document now.
    pub fn moved(&mut self) {
        self.known = None;
    }

    fn take(&mut self, feed: &mut Feed<'_, '_>, update: &[u8], limits: Limits) -> Result<bool, Refused> {
        let outline = Outline::read(update)?;
        let deletions = Deletions::read(update, &outline)?;
        let doc_client = feed.client();
        let known = self.known.get_or_insert_with(|| {
            let state = feed.txn().state_vector();
            state.iter().map(|(client, clock)| (client.get(), u64::from(*clock))).collect()
        });
        let own = feed.txn().store().get_local_state();
        if own > 0 {
            known.insert(doc_client, own.into());
        }
        feed.pace.begin();
        let roots = self.nesting.new_roots(&outline.roots);
        let (txn, pace) = feed.parts();
        let is_type = |(client, clock): (u64, u64)| {
            let clock = u32::try_from(clock).unwrap_or(u32::MAX);
            BranchID::get_nested(txn, &ID::new(ClientID::new(client), clock)).is_some()
        };
        let mut plan = IntakePlan::default();
        plan.firsts.reserve(outline.firsts);
        let planner = Planner {
            update,
            known,
            held: &self.held,
            nesting: &self.nesting,
            roots: &roots,
            firsts: &self.firsts,
            limits,
            pace,
            is_type: &is_type,
            plan,
            last: None,
        };
        let plan = planner.run(outline.sections.clone(), doc_client)?;
        let clock_of = |client: u64| plan.progress.get(client).or_else(|| known.get(&client).copied()).unwrap_or(0);
        let ranges = deletions.0.len();
        let (due, later) = deletions.part(&clock_of);
        let is_parked = plan.parked.iter().flatten().any(|(one, _)| one.source == Source::Update);
        if (is_parked || !later.0.is_empty()) && self.held.len() >= limits.waiting {
            return Err(Refused::Waiting(limits.waiting));
        }
        if is_parked {
            super::check(update)?;
            if !super::check::is_faithful(update)? {
                return Err(Refused::Unfaithful);
            }
        }
        // yrs would wait for a deletion of no clocks.
        let is_terse = due.0.len() == ranges && outline.sections.iter().all(|section| section.left > 0);
        let news = self.carry_out(feed, update, &outline, (due, later, is_terse), plan)?;
        self.nesting.name(roots);
        Ok(news)
    }

    fn carry_out(
        &mut self,
        feed: &mut Feed<'_, '_>,
        update: &[u8],
        outline: &Outline<'_>,
        (mut due, later, is_terse): (Deletions, Deletions, bool),
        plan: IntakePlan,
    ) -> Result<bool, Refused> {
        let known = self.known.get_or_insert_default();
        let clock_of = |client: u64| plan.progress.get(client).or_else(|| known.get(&client).copied()).unwrap_or(0);
        let asked = due.0.len();
        let grown: Vec<u64> = match self.held.has_deletions() {
            true => plan.progress.iter().map(|(client, _)| client).chain([feed.client()]).collect(),
            false => Vec::new(),
        };
        for client in grown {
            for (start, end) in self.held.take_deletions(client, clock_of(client)) {
                due.0.push((client, start, end));
            }
        }
        let is_whole = plan.runs.iter().all(|run| run.source == Source::Update && !run.is_garbage)
            && plan.structs == outline.structs
            && later.0.is_empty()
            && due.0.len() == asked
            && is_terse;
        let given = match is_whole && feed.fits(&plan.runs) {
            true => feed.give_whole(update, &plan.runs),
            false => {
                super::check(update)?;
                let held = &self.held;
                let bytes = |source| match source {
                    Source::Update => update,
                    Source::Held(id) => held.bytes(id),
                };
                feed.give(&plan.runs, bytes, &due.encode())
            }
        };
        if given.is_err() || feed.has_pending() {
            self.known = None;
        } else {
            known.extend(plan.progress.iter());
        }
        given?;
        if outline.has_documents {
            self.subdocuments.note(update);
        }
        self.nesting.extend(plan.nesting);
        match self.firsts.is_empty() {
            true => self.firsts = plan.firsts,
            false => plan.firsts.into_iter().for_each(|(key, count)| *self.firsts.entry(key).or_insert(0) += count),
        }
        plan.finished.into_iter().for_each(|id| self.held.release(id));
        let mut news = false;
        for (section, needs) in plan.parked.into_iter().flatten() {
            match section.source {
                Source::Update => news |= self.held.hold(update, &section, needs),
                Source::Held(id) => self.held.shorten(id, section, needs),
            }
        }
        for (client, start, end) in later.0 {
            news |= self.held.hold_deletion(client, start, end);
        }
        Ok(news)
    }
}

/// Where in an update the deletions begin.
///
/// # Errors
/// If it cannot be read.
pub fn deletions_at(update: &[u8]) -> Result<usize, Refused> {
    Ok(Outline::read(update)?.deletions)
}

#[cfg(test)]
mod tests;
