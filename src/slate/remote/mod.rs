//! Remote transactions out as Slate operations.
//!
//! For each element that changed there is a script from its old content to its new one. Before the scripts are carried
//! out, what vanished in one place and appeared in another in the same transaction is recognised as the split, merge or
//! move it was, so that Slate takes carets along. That is a guess which cannot do harm: afterwards the contents are
//! compared, and only what is equal counts as done.

mod align;
mod check;
mod recognise;
pub(super) mod steps;
mod watch;

use std::collections::{HashMap, HashSet};

use yrs::{BranchID, ID, ReadTxn, XmlTextRef};

use self::steps::{Identity, Step};
use self::watch::{Record, Records};
use super::emit::{Emit, Misfit};
use super::props::Props;
use super::read::{self, Content, Piece};
use super::tree::{Block, Kind, MAX_DEPTH, NodeId, ROOT, Tree, branch_id};

pub(super) use watch::Watch;

/// An element whose content is to become `pieces`.
struct Rebuilt {
    id: NodeId,
    branch: XmlTextRef,
    pieces: Vec<Piece>,
    steps: Vec<Step>,
    window: Window,
}

/// The children that a script is about: all but so many at the start, and so many at the end, which are elements.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Window {
    before: usize,
    behind: usize,
}

impl Window {
    fn of(self, children: &[NodeId]) -> &[NodeId] {
        children.get(self.before..children.len().saturating_sub(self.behind)).unwrap_or_default()
    }
}

pub(super) struct Remote<'a, T> {
    emit: Emit<'a>,
    txn: &'a T,
    jobs: Vec<Rebuilt>,
    /// Nodes that are elsewhere in the doc by now and wait to be moved, by their new shared type.
    moves: HashMap<ID, NodeId>,
    /// Children that no script counts: they wait to be moved or removed.
    ghosts: HashSet<NodeId>,
    /// Elements that vanished but hold one that moves.
    holders: HashSet<NodeId>,
    /// To be removed when all moves are done.
    leftovers: Vec<NodeId>,
    /// Nodes that got another shared type, a copy of their old one.
    adopted: Vec<NodeId>,
    resynced: u32,
    foreign: u32,
}

pub(super) struct Outcome {
    pub ops: Vec<super::op::Op>,
    pub resynced: u32,
    pub foreign: u32,
    /// Elements that changed, for watching them.
    pub touched: Vec<NodeId>,
}

impl<'a, T: ReadTxn> Remote<'a, T> {
    pub fn new(tree: &'a mut Tree, txn: &'a T) -> Self {
        Self {
            emit: Emit { tree, ops: Vec::new() },
            txn,
            jobs: Vec::new(),
            moves: HashMap::new(),
            ghosts: HashSet::new(),
            holders: HashSet::new(),
            leftovers: Vec::new(),
            adopted: Vec::new(),
            resynced: 0,
            foreign: 0,
        }
    }

    /// `changed`: the shared types the transaction changed directly.
    pub fn run(mut self, changed: &[XmlTextRef], mut records: Records) -> Outcome {
        let mut ids: Vec<(super::op::Path, NodeId, XmlTextRef)> = Vec::new();
        for branch in changed {
            if let Some(id) = self.emit.tree.element_of(branch)
                && let Some(path) = self.emit.tree.path(id)
                // What is deeper is not shown.
                && path.len() < MAX_DEPTH
            {
                ids.push((path, id, branch.clone()));
            }
        }
        ids.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
        for (_, id, branch) in ids {
            self.add_job(id, branch, &mut records);
        }
        self.recognise();
        self.carry_out();
        self.outcome()
    }

    fn outcome(self) -> Outcome {
        let touched = self.jobs.iter().map(|job| job.id).collect();
        Outcome { ops: self.emit.ops, resynced: self.resynced, foreign: self.foreign, touched }
    }

    fn add_job(&mut self, id: NodeId, branch: XmlTextRef, records: &mut Records) {
        let key = match branch_id(&branch) {
            BranchID::Nested(key) => Some(key),
            BranchID::Root(_) => None,
        };
        let mut record = records.remove(&key);
        if let Some(record) = record.take_if(|_| key.is_none())
            && let Some(job) = self.narrow_job(id, &branch, record)
        {
            return self.jobs.push(job);
        }
        let Content { pieces, foreign } = read::content(self.txn, &branch);
        self.foreign += foreign;
        let had_foreign = self.emit.tree.block_mut(id).is_some_and(|block| {
            let had = block.foreign > 0;
            block.foreign = foreign;
            had
        });
        let new_len = pieces.iter().map(Piece::len).sum();
        let steps = record
            .filter(|_| foreign == 0 && !had_foreign)
            .and_then(|record| steps::complete(record.steps, self.emit.tree.content_len(id), new_len))
            .unwrap_or_else(|| self.derive(id, &pieces, Identity::Shared, Window::default()));
        self.jobs.push(Rebuilt { id, branch, pieces, steps, window: Window::default() });
    }

    /// A job for an element of elements of which a record tells all that has changed, so that the others are not read.
    fn narrow_job(&self, id: NodeId, branch: &XmlTextRef, record: Record) -> Option<Rebuilt> {
        let block = self.emit.tree.block(id).filter(|block| block.texts == 0 && block.foreign == 0)?;
        let mut new = record.elements?.into_iter();
        let mut steps = steps::complete(record.steps, block.children.len() as u32, content_len(branch))?;
        // The neighbours of what has changed belong to it.
        let shorten = |step: Option<&mut Step>| match step {
            Some(Step::Keep(n)) if *n > 1 => std::mem::replace(n, 1) as usize - 1,
            _ => 0,
        };
        let behind = if steps.len() > 1 { shorten(steps.last_mut()) } else { 0 };
        let window = Window { before: shorten(steps.first_mut()), behind };
        let mut old = window.of(&block.children).iter();
        let mut pieces = Vec::new();
        for step in &steps {
            match step {
                Step::Keep(n) => {
                    for &child in old.by_ref().take(*n as usize) {
                        pieces.push(Piece::Element(self.emit.tree.branch(child)?));
                    }
                }
                Step::Delete(n) => drop(old.by_ref().take(*n as usize).count()),
                Step::Insert(n) => pieces.extend(new.by_ref().take(*n as usize).map(Piece::Element)),
            }
        }
        Some(Rebuilt { id, branch: branch.clone(), pieces, steps, window })
    }

    fn derive(&self, id: NodeId, pieces: &[Piece], identity: Identity, window: Window) -> Vec<Step> {
        if let (&[child], [Piece::Text { text, .. }]) = (self.emit.tree.children(id), pieces)
            && let Some(old) = self.emit.tree.text(child)
        {
            return steps::derive_text(&old.text, text);
        }
        let old = steps::old_atoms(self.emit.tree, window.of(self.emit.tree.children(id)), &self.ghosts);
        steps::derive(&old, &steps::new_atoms(pieces), identity)
    }

    fn carry_out(&mut self) {
        let jobs = std::mem::take(&mut self.jobs);
        for job in &jobs {
            if self.align(job.id, job.window.before, &job.pieces, &job.steps).is_err() {
                self.resync(job.id, &job.branch);
            }
        }
        let mut done = HashSet::new();
        while let Some(id) = self.adopted.pop() {
            let Some(branch) = self.emit.tree.branch(id) else { continue };
            if !done.insert(id) {
                continue;
            }
            self.settle(id, branch);
        }
        for id in std::mem::take(&mut self.leftovers) {
            self.ghosts.remove(&id);
            if self.emit.remove_node(id).is_err() {
                self.resynced += 1;
            }
        }
        for job in &jobs {
            self.finish(job.id, &job.branch, &job.pieces, job.window);
        }
        self.jobs = jobs;
    }

    /// Brings a copy's node to the copy's content.
    fn settle(&mut self, id: NodeId, branch: XmlTextRef) {
        let content = read::content(self.txn, &branch);
        self.foreign += content.foreign;
        if let Some(block) = self.emit.tree.block_mut(id) {
            block.foreign = content.foreign;
        }
        let steps = self.derive(id, &content.pieces, Identity::Copy, Window::default());
        if self.align(id, 0, &content.pieces, &steps).is_err() {
            self.resync(id, &branch);
        }
        self.finish(id, &branch, &content.pieces, Window::default());
    }

    /// Properties, the rule about empty elements, and the proof.
    fn finish(&mut self, id: NodeId, branch: &XmlTextRef, pieces: &[Piece], window: Window) {
        let same = |block: &Block| read::has_attrs(self.txn, branch, &block.attrs);
        if id != ROOT && !self.emit.tree.block(id).is_some_and(same) {
            let attrs = read::attrs(self.txn, branch);
            if self.emit.set_props(id, attrs).is_err() {
                self.resynced += 1;
            }
        }
        if !self.agrees(id, branch, pieces, window) {
            self.resync(id, branch);
        }
        if id != ROOT && self.emit.tree.block(id).is_some_and(|block| block.children.is_empty()) {
            let leaf = self.emit.tree.new_text(String::new(), Props::default());
            // Cannot fail: the element was just found.
            let _ = self.emit.insert_node(id, 0, leaf);
        }
    }

    /// Whether an element's children are what the doc has, up to empty texts and borders between equal marks.
    /// Outside the window, whether they are as many.
    fn agrees(&self, id: NodeId, branch: &XmlTextRef, pieces: &[Piece], window: Window) -> bool {
        let tree = &*self.emit.tree;
        let ghosts = || window.of(tree.children(id)).iter().filter(|child| self.ghosts.contains(child)).count();
        if window != Window::default() && tree.children(id).len() - ghosts() != content_len(branch) as usize {
            return false;
        }
        let mut pieces = pieces.iter();
        let mut rest: Option<(&str, &Props)> = None;
        for &child in window.of(tree.children(id)).iter().filter(|child| !self.ghosts.contains(child)) {
            match tree.kind(child) {
                Kind::Text(text) if text.len == 0 => {}
                Kind::Text(text) => {
                    let (have, marks) = match rest.take().or_else(|| next_text(&mut pieces)) {
                        Some(found) => found,
                        None => return false,
                    };
                    let Some(more) = have.strip_prefix(text.text.as_str()) else { return false };
                    if !marks.same(&text.marks) {
                        return false;
                    }
                    rest = (!more.is_empty()).then_some((more, marks));
                }
                Kind::Element(block) => match pieces.next() {
                    Some(Piece::Element(branch)) if rest.is_none() => {
                        if BranchID::Nested(match block.key {
                            Some(key) => key,
                            None => return false,
                        }) != branch_id(branch)
                        {
                            return false;
                        }
                    }
                    _ => return false,
                },
                Kind::Free => return false,
            }
        }
        rest.is_none() && pieces.next().is_none()
    }

    /// The way out: replaces all children by what the doc has.
    fn resync(&mut self, id: NodeId, branch: &XmlTextRef) {
        self.resynced += 1;
        let pieces = read::content(self.txn, branch).pieces;
        let old: Vec<NodeId> = self.emit.tree.children(id).to_vec();
        let is_empty = pieces.is_empty();
        let depth = self.emit.tree.depth(id).unwrap_or_default() + 1;
        for piece in pieces {
            let child = match piece {
                Piece::Text { text, marks, .. } => self.emit.tree.new_text(text, marks),
                Piece::Element(branch) => read::load(self.txn, self.emit.tree, branch, depth).0,
            };
            let end = self.emit.tree.children(id).len();
            // Can only fail for a node outside the tree, which then needs no operation either.
            let _ = self.emit.insert_node(id, end, child);
        }
        if is_empty && id != ROOT {
            let leaf = self.emit.tree.new_text(String::new(), Props::default());
            let end = self.emit.tree.children(id).len();
            let _ = self.emit.insert_node(id, end, leaf);
        }
        for child in old.into_iter().rev() {
            self.ghosts.remove(&child);
            let _ = self.emit.remove_node(child);
        }
    }

    /// Puts the shared type `branch` behind a node that stood for another, and remembers to compare the two.
    fn adopt(&mut self, id: NodeId, branch: XmlTextRef) {
        self.emit.tree.bind(id, branch);
        self.adopted.push(id);
    }
}

fn content_len(branch: &XmlTextRef) -> u32 {
    let branch: &yrs::branch::Branch = branch.as_ref();
    branch.content_len()
}

fn next_text<'p>(pieces: &mut std::slice::Iter<'p, Piece>) -> Option<(&'p str, &'p Props)> {
    match pieces.next() {
        Some(Piece::Text { text, marks, .. }) => Some((text, marks)),
        _ => None,
    }
}

/// `Misfit` unless the condition holds.
fn ensure(condition: bool) -> Result<(), Misfit> {
    if condition { Ok(()) } else { Err(Misfit) }
}
