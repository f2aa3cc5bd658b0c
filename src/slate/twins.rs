//! Content that is there twice because two people copied it at once.
//!
//! Two who merge, split or move the same thing without knowing of each other each delete the original and write a copy.
//! The records of what was copied show it: the same characters became two. Which of the two stays follows from the records
//! alone, so that everybody finds the same, and the least of several stays whoever knows of how many; deleting the
//! others is the same deletion, whoever does it. Those do it who made one of the copies, or who took over the edits of
//! one who did. What somebody typed into a copy is nobody's twin, and stays.

use std::ops::Range;

use yrs::{BranchID, ClientID, ID, TransactionMut};

use super::copies::{self, Copies, Run, Twin};
use super::op::{Op, Path};
use super::tree::{NodeId, ROOT, Tree};
use super::utf16;

/// Single characters are looked at; this is for blocks, not for whole documents in one.
const MAX_LEN: u32 = 20_000;

/// Stretches of an element's content, as offsets, and whether elements there may be removed whole.
type Doomed = Vec<(NodeId, Vec<(Range<u32>, bool)>)>;

/// What copied the other of two copies may be heard of later: so often, after records have come, they are looked at.
const MAX_LOOKS: u32 = 64;
const MAX_TWINS: usize = 500;

/// A copy that should not stay.
#[derive(Debug, Clone, Copy)]
struct Excess {
    target: Option<ID>,
    run: Run,
    /// The copy of the same that stays, if it must be there for this one to go.
    stays: Option<(Option<ID>, ID)>,
    /// Whether elements go, too. Someone else may be typing into one of theirs: it is theirs to remove.
    whole: bool,
    looks: u32,
}

/// What is ours to remove, and how often it was looked at.
#[derive(Debug, Default)]
pub(super) struct Twins(Vec<Excess>);

impl Twins {
    /// Takes those of which one copy is ours. `own`: this client, and those it has taken over.
    pub fn extend(&mut self, found: &[Twin], own: &[ClientID]) {
        let ours = |twin: &&Twin| own.contains(&twin.loser.client()) || own.contains(&twin.winner.client());
        self.0.extend(found.iter().filter(ours).map(|twin| Excess {
            target: twin.target,
            run: twin.run,
            stays: Some((twin.to_target, twin.to)),
            whole: own.contains(&twin.loser.client()),
            looks: 0,
        }));
    }

    /// Takes copies of what was deleted here; see [`Erased`](super::erased::Erased).
    pub fn extend_erased(&mut self, found: Vec<(Option<ID>, Run)>) {
        self.0.extend(found.into_iter().map(|(target, run)| Excess {
            target,
            run,
            stays: None,
            whole: true,
            looks: 0,
        }));
    }

    /// The operations that remove what should not stay, in the order of application.
    pub fn remove(&mut self, txn: &mut TransactionMut, tree: &Tree, copies: &Copies) -> Vec<Op> {
        let doomed = doomed(txn, tree, copies, &self.0);
        self.0.iter_mut().for_each(|one| one.looks += 1);
        self.0.retain(|one| one.looks < MAX_LOOKS);
        self.0.drain(..self.0.len().saturating_sub(MAX_TWINS));
        operations(tree, &doomed)
    }
}

fn doomed(txn: &mut TransactionMut, tree: &Tree, copies: &Copies, all: &[Excess]) -> Doomed {
    let mut present = Present::new(tree);
    let mut doomed = Doomed::new();
    for one in all {
        // As a rule it was removed before.
        if !copies.descendants(one.target, one.run).iter().any(|(target, run)| present.has(txn, *target, *run)) {
            continue;
        }
        for into in 0..one.run.len.min(MAX_LEN) {
            let at = |id: ID| Run { id: ID::new(id.client, id.clock + into), len: 1 };
            // The other may have gone with the element it was put into.
            if one.stays.is_some_and(|(target, id)| {
                let staying = copies.descendants(target, at(id));
                !staying.into_iter().any(|(target, run)| present.find(txn, target, run.id).is_some())
            }) {
                continue;
            }
            for (target, run) in copies.descendants(one.target, at(one.run.id)) {
                if let Some((id, at)) = present.find(txn, target, run.id) {
                    let at = (at..at + 1, one.whole);
                    match doomed.iter_mut().find(|(other, _)| *other == id) {
                        Some((_, ranges)) => ranges.push(at),
                        None => doomed.push((id, vec![at])),
                    }
                }
            }
        }
    }
    doomed
}

/// Runs of an element's content, and where each begins.
type ContentRuns = Vec<(Run, u32)>;

/// What is there of elements' content. Few elements are asked for.
pub(super) struct Present<'a> {
    tree: &'a Tree,
    known: Vec<(Option<ID>, Option<NodeId>, ContentRuns)>,
}

impl<'a> Present<'a> {
    pub fn new(tree: &'a Tree) -> Self {
        Self { tree, known: Vec::new() }
    }

    /// Where a character or element is in the content of `target`, if it is.
    pub fn find(&mut self, txn: &mut TransactionMut, target: Option<ID>, id: ID) -> Option<(NodeId, u32)> {
        let (node, runs) = self.get(txn, target)?;
        let found = runs.iter().find_map(|(run, at)| {
            let into = id.clock.checked_sub(run.id.clock)?;
            (id.client == run.id.client && into < run.len).then_some(at + into)
        });
        Some((node, found?))
    }

    /// Whether any of these is.
    fn has(&mut self, txn: &mut TransactionMut, target: Option<ID>, all: Run) -> bool {
        let ends = |run: Run| run.id.clock.saturating_add(run.len);
        self.get(txn, target).is_some_and(|(_, runs)| {
            let meets = |run: Run| run.id.clock < ends(all) && all.id.clock < ends(run);
            runs.iter().any(|(run, _)| run.id.client == all.id.client && meets(*run))
        })
    }

    fn get(&mut self, txn: &mut TransactionMut, target: Option<ID>) -> Option<(NodeId, &[(Run, u32)])> {
        let at = self.known.iter().position(|(known, ..)| *known == target).unwrap_or_else(|| {
            self.look(txn, target);
            self.known.len() - 1
        });
        let (_, node, runs) = self.known.get(at)?;
        Some(((*node)?, runs))
    }

    fn look(&mut self, txn: &mut TransactionMut, target: Option<ID>) {
        let node = target.map_or(Some(ROOT), |target| self.tree.by_branch(&BranchID::Nested(target)));
        let mut at = 0;
        let mut runs = Vec::new();
        if let Some(branch) = node.and_then(|node| self.tree.branch(node)) {
            for run in copies::ids(txn, &branch, 0, u32::MAX) {
                runs.push((run, at));
                at += run.len;
            }
        }
        self.known.push((target, node, runs));
    }
}

/// The ranges of one element.
fn ranges(doomed: &Doomed, id: NodeId) -> &[(Range<u32>, bool)] {
    doomed.iter().find(|(other, _)| *other == id).map_or(&[], |(_, ranges)| ranges)
}

fn operations(tree: &Tree, doomed: &Doomed) -> Vec<Op> {
    let mut ops: Vec<(Path, u32, Op)> = Vec::new();
    for (id, ranges) in doomed {
        let id = *id;
        if is_inside_removed(tree, doomed, id) {
            continue;
        }
        let Some(path) = tree.path(id) else { continue };
        let mut start = 0;
        for (index, &child) in tree.children(id).iter().enumerate() {
            let end = start + tree.len(child);
            let mut here = path.clone();
            here.push(index as u32);
            if let Some(text) = tree.text(child) {
                for (from, to) in within(ranges, start, end) {
                    let removed = utf16::slice(&text.text, from, to).unwrap_or_default().to_owned();
                    ops.push((here.clone(), from, Op::RemoveText { path: here.clone(), offset: from, text: removed }));
                }
            } else if is_removed(tree, doomed, id, start, child) {
                ops.push((here.clone(), 0, Op::RemoveNode { path: here, node: tree.to_node(child) }));
            }
            start = end;
        }
    }
    // From the end to the start: what comes later does not shift what comes before.
    ops.sort_unstable_by(|a, b| (&b.0, b.1).cmp(&(&a.0, a.1)));
    ops.into_iter().map(|(_, _, op)| op).collect()
}

/// The parts of `start..end` in any of the ranges, joined, as offsets from `start`.
fn within(ranges: &[(Range<u32>, bool)], start: u32, end: u32) -> Vec<(u32, u32)> {
    let mut parts: Vec<(u32, u32)> = ranges
        .iter()
        .map(|(range, _)| (range.start.max(start), range.end.min(end)))
        .filter(|(from, to)| from < to)
        .map(|(from, to)| (from - start, to - start))
        .collect();
    parts.sort_unstable();
    parts.dedup_by(|next, last| {
        let joins = next.0 <= last.1;
        if joins {
            last.1 = last.1.max(next.1);
        }
        joins
    });
    parts
}

/// Whether this element, at an offset of its parent's content, is a twin with nothing else in it.
fn is_removed(tree: &Tree, doomed: &Doomed, parent: NodeId, at: u32, child: NodeId) -> bool {
    let listed = ranges(doomed, parent).iter().any(|(range, whole)| *whole && range.contains(&at));
    listed && holds_nothing_else(tree, doomed, child)
}

fn holds_nothing_else(tree: &Tree, doomed: &Doomed, id: NodeId) -> bool {
    let ranges = ranges(doomed, id);
    let mut start = 0;
    tree.block(id).is_some_and(|block| block.foreign == 0)
        && tree.children(id).iter().all(|&child| {
            let (from, to) = (start, start + tree.len(child));
            start = to;
            if tree.is_text(child) {
                from == to || within(ranges, from, to) == [(0, to - from)]
            } else {
                is_removed(tree, doomed, id, from, child)
            }
        })
}

/// Whether an element above this one is removed with all it holds.
fn is_inside_removed(tree: &Tree, doomed: &Doomed, mut id: NodeId) -> bool {
    while let Some((parent, index)) = tree.parent(id).map(|parent| (parent, tree.index(id))) {
        let Some(index) = index else { return false };
        if is_removed(tree, doomed, parent, tree.offset(parent, index), id) {
            return true;
        }
        id = parent;
    }
    false
}
