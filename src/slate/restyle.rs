//! What was formatted here is formatted in the copies that others made of it without knowing.
//!
//! Who splits, merges or moves a block copies text with the marks, and elements with the properties, that they know. What
//! somebody else sets at the same time is set in the original only, and goes with it. A record of such a copy names the
//! originals; so the one who set it, and nobody else, sets it in the copies as well: where they still have what there was
//! before.

use std::collections::VecDeque;

use yrs::{BranchID, ClientID, ID, TransactionMut};

use super::copies::{Copies, Key, Part, Run, push};
use super::local::Edit;
use super::op::Op;
use super::props::Props;
use super::rescue::locate;
use super::style::{Style, Styled};
use super::tree::{NodeId, Tree};
use super::twins::Present;

/// How many edits are remembered.
const MAX: usize = 128;
/// Single characters are looked at; this is for blocks, not for whole documents in one.
const MAX_LEN: usize = 20_000;

/// A copy that lacks what was set in the original.
#[derive(Debug)]
pub(super) struct Lacking {
    /// The element it was put into, and what was.
    target: Option<ID>,
    run: Run,
    style: Style,
}

/// What was set by edits made here.
#[derive(Debug, Default)]
pub(super) struct Restyled(VecDeque<Style>);

impl Restyled {
    pub fn add(&mut self, styles: Vec<Style>) {
        self.0.extend(styles);
        self.0.drain(..self.0.len().saturating_sub(MAX));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets what somebody has set otherwise since.
    pub fn forget_changed(&mut self, txn: &mut TransactionMut, tree: &Tree) {
        let mut present = Present::new(tree);
        self.0.retain_mut(|style| {
            let holds =
                |props: &Props| style.changes.iter().all(|change| props.get(&change.key) == change.new.as_ref());
            match &mut style.of {
                Styled::Element(id) => {
                    let block = tree.by_branch(&BranchID::Nested(*id)).and_then(|id| tree.block(id));
                    block.is_none_or(|block| holds(&block.attrs))
                }
                Styled::Text(target, runs) => {
                    let target = *target;
                    let mut kept = Vec::new();
                    for run in runs.iter() {
                        for id in run.ids().take(MAX_LEN) {
                            let leaf =
                                present.find(txn, target, id).and_then(|(node, at)| locate(tree, node, at, true));
                            let text = leaf.and_then(|(leaf, _)| tree.text(leaf));
                            if text.is_none_or(|text| holds(&text.marks)) {
                                push(&mut kept, id, 1);
                            }
                        }
                    }
                    *runs = kept;
                    !runs.is_empty()
                }
            }
        });
    }

    /// What these records have copied of it. `me`: who set it.
    pub fn copied(&self, copies: &Copies, theirs: &[Key], me: ClientID) -> Vec<Lacking> {
        let mut found = Vec::new();
        for &key in theirs {
            let Some(entry) = copies.entry(key) else { continue };
            let knew = |style: &&Style| entry.knew(ID::new(me, style.clock));
            for style in self.0.iter().filter(|style| !knew(style)) {
                for group in &entry.groups {
                    let mut add = |target, run| found.push(Lacking { target, run, style: style.clone() });
                    match &style.of {
                        // The half that keeps the properties is a copy.
                        Styled::Element(id) if group.source == Some(*id) && group.part == Part::Head => {
                            group.target.into_iter().for_each(|id| add(None, Run { id, len: 1 }));
                        }
                        Styled::Element(id) => {
                            overlaps(Run { id: *id, len: 1 }, &group.runs).for_each(|run| add(group.target, run));
                        }
                        Styled::Text(_, runs) => {
                            let copied = runs.iter().flat_map(|run| overlaps(*run, &group.runs));
                            copied.for_each(|run| add(group.target, run));
                        }
                    }
                }
            }
        }
        found
    }
}

/// The copies of what is both in `run` and in one of these.
fn overlaps(run: Run, runs: &[(ID, ID, u32)]) -> impl Iterator<Item = Run> {
    runs.iter().filter_map(move |&(from, to, len)| Run { id: from, len }.copied(to, run))
}

impl Edit<'_, '_> {
    /// Sets in a copy what was set in the original. Adds the operations to `applied`.
    pub fn restyle(&mut self, one: &Lacking, applied: &mut Vec<Op>) {
        match one.style.of {
            Styled::Element(_) => {
                let all = self.copies.descendants(one.target, one.run);
                for (_, Run { id, .. }) in all {
                    if let Some(id) = self.tree.by_branch(&BranchID::Nested(id)) {
                        self.restyle_node(id, &one.style, applied);
                    }
                }
            }
            Styled::Text(..) => {
                for (id, at, len) in self.present(one) {
                    self.restyle_text(id, at, len, &one.style, applied);
                }
            }
        }
    }

    /// Where the characters are now: elements, offsets among their content, lengths.
    fn present(&mut self, one: &Lacking) -> Vec<(NodeId, u32, u32)> {
        let mut present = Present::new(self.tree);
        let mut found: Vec<(NodeId, u32, u32)> = Vec::new();
        for (target, run) in self.copies.descendants(one.target, one.run) {
            for id in run.ids().take(MAX_LEN) {
                let Some((node, at)) = present.find(self.txn, target, id) else { continue };
                match found.last_mut() {
                    Some((last, from, len)) if *last == node && *from + *len == at => *len += 1,
                    _ => found.push((node, at, 1)),
                }
            }
        }
        found
    }

    fn restyle_text(&mut self, parent: NodeId, mut at: u32, len: u32, style: &Style, applied: &mut Vec<Op>) {
        let end = at + len;
        while at < end {
            let Some((leaf, offset)) = locate(self.tree, parent, at, true) else { return };
            let (Some(text), Some(path)) = (self.tree.text(leaf), self.tree.path(leaf)) else { return };
            let (all, properties) = (text.len, text.marks.to_attrs());
            let take = (end - at).min(all - offset);
            if style.due(&text.marks).is_none() {
                at += take;
                continue;
            }
            let cut = if offset > 0 { offset } else { take };
            if cut < all && !self.perform(Op::SplitNode { path, position: cut, properties }, applied) {
                return;
            }
            if offset == 0 {
                self.restyle_node(leaf, style, applied);
                at += take;
            }
        }
    }

    fn restyle_node(&mut self, id: NodeId, style: &Style, applied: &mut Vec<Op>) {
        let props = match (self.tree.text(id), self.tree.block(id)) {
            (Some(text), _) => &text.marks,
            (_, Some(block)) => &block.attrs,
            _ => return,
        };
        if let (Some((properties, new_properties)), Some(path)) = (style.due(props), self.tree.path(id)) {
            self.perform(Op::SetNode { path, properties, new_properties }, applied);
        }
    }

    fn perform(&mut self, op: Op, applied: &mut Vec<Op>) -> bool {
        let done = self.apply(&op).is_ok();
        if done {
            applied.push(op);
        }
        done
    }
}
