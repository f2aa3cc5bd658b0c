//! Recognises splits, merges and moves in a remote transaction.
//!
//! The doc knows none of them: what goes elsewhere is deleted and written anew. So an element that appears next to one
//! that lost its end (or its beginning), and holds what was lost, is a split; one that vanishes next to one that gained
//! its content is a merge; one that vanishes and appears unchanged was moved. This covers both our choice of the half
//! that is copied and slate-yjs', which always copies the tail.

use std::collections::HashMap;

use yrs::{Any, BranchID, ReadTxn, XmlTextRef};

use super::steps::{self, Identity, Step};
use super::{Rebuilt, Remote};
use crate::slate::emit::Misfit;
use crate::slate::props::Props;
use crate::slate::read::{self, Piece};
use crate::slate::tree::{Kind, NodeId, Tree, branch_id};

/// An element child, before or after.
#[derive(Debug, Clone)]
enum Sibling {
    Kept(NodeId),
    Gone(NodeId),
    New(XmlTextRef),
}

/// Between two children that stay.
struct ChangedStretch {
    left: Option<NodeId>,
    right: Option<NodeId>,
    gone: Vec<NodeId>,
    new: Vec<XmlTextRef>,
}

impl<T: ReadTxn> Remote<'_, T> {
    pub(super) fn recognise(&mut self) {
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for at in 0..self.jobs.len() {
            if !self.jobs[at].steps.iter().any(|step| !matches!(step, Step::Keep(_))) {
                continue;
            }
            let entries = self.entries(&self.jobs[at]);
            if entries.iter().all(|entry| matches!(entry, Sibling::Kept(_))) {
                continue;
            }
            if self.is_container(&self.jobs[at]) && self.restructure(&entries) {
                let job = &self.jobs[at];
                self.jobs[at].steps = self.derive(job.id, &job.pieces, Identity::Shared, job.window);
            }
            for entry in self.entries(&self.jobs[at]) {
                match entry {
                    Sibling::Gone(id) => gone.push(id),
                    Sibling::New(branch) => new.push(branch),
                    Sibling::Kept(_) => {}
                }
            }
        }
        if !gone.is_empty() && !new.is_empty() {
            self.match_moves(&gone, &new);
        }
    }

    /// Holds elements only: splits and merges of its children are told by theirs.
    fn is_container(&self, job: &Rebuilt) -> bool {
        let all_elements = job.pieces.iter().all(|piece| matches!(piece, Piece::Element(_)));
        all_elements && self.emit.tree.block(job.id).is_some_and(|block| block.texts == 0)
    }

    /// The element children before and after, in the order of the script.
    fn entries(&self, job: &Rebuilt) -> Vec<Sibling> {
        let mut old = Vec::new();
        let mut at = 0;
        let children = job.window.of(self.emit.tree.children(job.id));
        for &id in children.iter().filter(|id| !self.ghosts.contains(id)) {
            if self.emit.tree.block(id).is_some() {
                old.push((at, id));
            }
            at += self.emit.tree.len(id);
        }
        let mut new = Vec::new();
        at = 0;
        for piece in &job.pieces {
            if let Piece::Element(branch) = piece {
                new.push((at, branch));
            }
            at += piece.len();
        }
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        let (mut from, mut to) = (0, 0);
        let mut entries = Vec::new();
        for step in &job.steps {
            match step {
                Step::Keep(n) => {
                    (from, to) = (from + n, to + n);
                    while let Some((_, id)) = old.next_if(|(at, _)| *at < from) {
                        entries.push(Sibling::Kept(id));
                    }
                    while new.next_if(|(at, _)| *at < to).is_some() {}
                }
                Step::Delete(n) => {
                    from += n;
                    while let Some((_, id)) = old.next_if(|(at, _)| *at < from) {
                        entries.push(Sibling::Gone(id));
                    }
                }
                Step::Insert(n) => {
                    to += n;
                    while let Some((_, branch)) = new.next_if(|(at, _)| *at < to) {
                        entries.push(Sibling::New(branch.clone()));
                    }
                }
            }
        }
        entries
    }

    // --- splits and merges

    fn restructure(&mut self, entries: &[Sibling]) -> bool {
        let mut any = false;
        for gap in gaps(entries) {
            any |= self.split_deep(&gap).unwrap_or(true);
            any |= self.split_right(&gap).unwrap_or(true);
            any |= self.split_left(&gap).unwrap_or(true);
            any |= self.merge_left(&gap).unwrap_or(true);
            any |= self.merge_right(&gap).unwrap_or(true);
        }
        any
    }

    fn job_of(&self, id: Option<NodeId>) -> Option<usize> {
        let id = id?;
        self.jobs.iter().position(|job| job.id == id)
    }

    /// A split through several levels: the last of what stays inside of the left element was split, too, and the first
    /// new element begins with its other half.
    fn split_deep(&mut self, gap: &ChangedStretch) -> Result<bool, Misfit> {
        let (Some(id), [branch]) = (gap.left, gap.new.as_slice()) else { return Ok(false) };
        let Some(right) = self.split_inside(id, branch)? else { return Ok(false) };
        self.adopt(right, branch.clone());
        Ok(true)
    }

    /// Splits below `id`, then `id` itself behind that.
    fn split_inside(&mut self, id: NodeId, branch: &XmlTextRef) -> Result<Option<NodeId>, Misfit> {
        let Some(Piece::Element(first)) = read::content(self.txn, branch).pieces.into_iter().next() else {
            return Ok(None);
        };
        let lost = self.job_of(Some(id)).map_or(0, |job| steps::tail_delete(&self.jobs[job].steps)) as usize;
        let children = self.emit.tree.children(id);
        let has_texts = self.emit.tree.block(id).is_none_or(|block| block.texts > 0);
        let Some(&last) = children.len().checked_sub(lost + 1).and_then(|at| children.get(at)) else {
            return Ok(None);
        };
        if has_texts {
            return Ok(None);
        }
        if let Some(right) = self.split_inside(last, &first)? {
            self.adopt(right, first);
        } else {
            let inner = ChangedStretch { left: Some(last), right: None, gone: Vec::new(), new: vec![first] };
            if !self.split_right(&inner)? {
                return Ok(None);
            }
        }
        let position = self.emit.tree.index(last).ok_or(Misfit)? + 1;
        let attrs = read::attrs(self.txn, branch);
        let right = self.emit.split_block(id, position, attrs)?;
        // What it lost went along, at each level.
        if let Some(job) = self.job_of(Some(id)) {
            drop_tail_delete(&mut self.jobs[job].steps);
        }
        Ok(Some(right))
    }

    /// The element left of the gap lost its end, and new elements in the gap hold it.
    fn split_right(&mut self, gap: &ChangedStretch) -> Result<bool, Misfit> {
        let Some(job) = self.job_of(gap.left) else { return Ok(false) };
        let lost = steps::tail_delete(&self.jobs[job].steps);
        let taken = gap.new.first().is_none_or(|branch| self.is_known(branch));
        if lost == 0 || taken {
            return Ok(false);
        }
        let id = self.jobs[job].id;
        let total = self.emit.tree.content_len(id);
        let mut at = total - lost.min(total);
        let mut rest = flat_tree(self.emit.tree, id, at, total);
        let mut cuts: Vec<(u32, XmlTextRef)> = Vec::new();
        for (index, branch) in gap.new.iter().enumerate() {
            let pieces = read::content(self.txn, branch).pieces;
            let held = self.flat_pieces(&pieces, 0, u32::MAX);
            let is_last = index + 1 == gap.new.len();
            if !is_last && !held.is_empty() && held.len() < rest.len() && rest.starts_with(&held) {
                cuts.push((at, branch.clone()));
                at += pieces.iter().map(Piece::len).sum::<u32>();
                rest.drain(..held.len());
            } else if related(&rest, &held) {
                cuts.push((at, branch.clone()));
                break;
            }
        }
        if cuts.is_empty() {
            return Ok(false);
        }
        for (at, branch) in cuts.into_iter().rev() {
            let attrs = read::attrs(self.txn, &branch);
            let right = self.split_at(id, at, attrs)?;
            self.adopt(right, branch);
        }
        // Not before it is split: what cannot be, is deleted.
        drop_tail_delete(&mut self.jobs[job].steps);
        Ok(true)
    }

    /// The element right of the gap lost its beginning, and the last new element in the gap holds it.
    fn split_left(&mut self, gap: &ChangedStretch) -> Result<bool, Misfit> {
        let (Some(job), Some(branch)) = (self.job_of(gap.right), gap.new.last()) else { return Ok(false) };
        let lost = steps::head_delete(&self.jobs[job].steps);
        let id = self.jobs[job].id;
        if lost == 0 || self.is_known(branch) {
            return Ok(false);
        }
        let pieces = read::content(self.txn, branch).pieces;
        let held = self.flat_pieces(&pieces, 0, u32::MAX);
        if !related(&flat_tree(self.emit.tree, id, 0, lost), &held) {
            return Ok(false);
        }
        steps::drop_first(&mut self.jobs[job].steps, |step| matches!(step, Step::Delete(_)));
        let own = self.jobs[job].branch.clone();
        let attrs = read::attrs(self.txn, &own);
        let right = self.split_at(id, lost, attrs)?;
        self.emit.tree.bind(right, own);
        self.adopt(id, branch.clone());
        self.jobs[job].id = right;
        Ok(true)
    }

    /// An element of the doc that has a node already.
    fn is_known(&self, branch: &XmlTextRef) -> bool {
        self.emit.tree.by_branch(&branch_id(branch)).is_some()
    }

    /// Splits as an editor would: first the text, then the element.
    fn split_at(&mut self, id: NodeId, at: u32, attrs: Props) -> Result<NodeId, Misfit> {
        let children = self.emit.tree.children(id).to_vec();
        let mut start = 0;
        let mut position = children.len();
        for (index, &child) in children.iter().enumerate() {
            let len = self.emit.tree.len(child);
            let after_text = index > 0 && self.emit.tree.is_text(children[index - 1]);
            if at <= start && (after_text || !self.emit.tree.is_text(child)) {
                position = index;
                break;
            }
            if at < start + len && self.emit.tree.is_text(child) {
                let marks = self.emit.tree.text(child).ok_or(Misfit)?.marks.clone();
                self.emit.split_text(child, at.saturating_sub(start), marks)?;
                position = index + 1;
                break;
            }
            start += len;
        }
        self.emit.split_block(id, position, attrs)
    }

    /// The element left of the gap gained what elements that vanished in the gap held.
    fn merge_left(&mut self, gap: &ChangedStretch) -> Result<bool, Misfit> {
        let Some(job) = self.job_of(gap.left) else { return Ok(false) };
        let gained = steps::tail_insert(&self.jobs[job].steps);
        if gained == 0 || gap.gone.is_empty() {
            return Ok(false);
        }
        let total = self.jobs[job].pieces.iter().map(Piece::len).sum::<u32>();
        let mut rest = self.flat_pieces(&self.jobs[job].pieces, total - gained.min(total), total);
        let mut merged = Vec::new();
        let id = self.jobs[job].id;
        for (index, &gone) in gap.gone.iter().enumerate() {
            let held = flat_tree(self.emit.tree, gone, 0, u32::MAX);
            let is_last = index + 1 == gap.gone.len();
            if !is_last && !held.is_empty() && held.len() < rest.len() && rest.starts_with(&held) {
                merged.push(gone);
                rest.drain(..held.len());
            } else if related(&rest, &held) {
                merged.push(gone);
                break;
            }
        }
        let Some(&last) = merged.last() else { return Ok(false) };
        // The steps that bring the merged content to what was gained.
        let mut old = Vec::new();
        for &id in &merged {
            old.extend(steps::old_atoms(self.emit.tree, self.emit.tree.children(id), &self.ghosts));
        }
        let new = steps::new_atoms(&self.jobs[job].pieces);
        let more = steps::derive(&old, steps::slice(&new, total - gained, total), Identity::Copy);
        for &gone in &gap.gone {
            if merged.contains(&gone) {
                self.emit.merge_blocks(id, gone)?;
            } else {
                self.emit.remove_node(gone)?;
            }
            if gone == last {
                break;
            }
        }
        let job = &mut self.jobs[job];
        steps::drop_last(&mut job.steps, |step| matches!(step, Step::Insert(_)));
        more.into_iter().for_each(|step| steps::push(&mut job.steps, step));
        Ok(true)
    }

    /// The element right of the gap gained what the one that vanished before it held; or it took over the properties of
    /// an empty one.
    fn merge_right(&mut self, gap: &ChangedStretch) -> Result<bool, Misfit> {
        let Some(job) = self.job_of(gap.right) else { return Ok(false) };
        // A merge with the left neighbour may have used it up.
        let Some(&gone) = gap.gone.last().filter(|&&id| self.emit.tree.block(id).is_some()) else { return Ok(false) };
        let gained = steps::head_insert(&self.jobs[job].steps);
        let held = flat_tree(self.emit.tree, gone, 0, u32::MAX);
        let content = self.flat_pieces(&self.jobs[job].pieces, 0, gained);
        let right = self.jobs[job].id;
        let is_merge = match held.is_empty() {
            true => self.took_over(job, gone),
            false => related(&content, &held),
        };
        if !is_merge {
            return Ok(false);
        }
        let mut new_steps = Vec::new();
        if gained > 0 && !held.is_empty() {
            let old = steps::old_atoms(self.emit.tree, self.emit.tree.children(gone), &self.ghosts);
            let new = steps::new_atoms(&self.jobs[job].pieces);
            new_steps = steps::derive(&old, steps::slice(&new, 0, gained), Identity::Copy);
            steps::drop_first(&mut self.jobs[job].steps, |step| matches!(step, Step::Insert(_)));
        }
        self.emit.merge_blocks(gone, right)?;
        let job = &mut self.jobs[job];
        self.emit.tree.bind(gone, job.branch.clone());
        job.id = gone;
        std::mem::take(&mut job.steps).into_iter().for_each(|step| steps::push(&mut new_steps, step));
        job.steps = new_steps;
        Ok(true)
    }

    /// Whether the job's element has, as of now, the properties that `gone` had, and had others before.
    fn took_over(&self, job: usize, gone: NodeId) -> bool {
        let job = &self.jobs[job];
        let (Some(old), Some(gone)) = (self.emit.tree.block(job.id), self.emit.tree.block(gone)) else { return false };
        let now = read::attrs(self.txn, &job.branch);
        now.same(&gone.attrs) && !now.same(&old.attrs)
    }

    // --- moves

    fn match_moves(&mut self, gone: &[NodeId], new: &[XmlTextRef]) {
        let mut candidates: HashMap<String, Vec<NodeId>> = HashMap::new();
        for &id in gone.iter().rev() {
            self.collect_gone(id, &mut candidates);
        }
        for branch in new {
            self.claim(branch, &mut candidates);
        }
    }

    fn collect_gone(&self, id: NodeId, candidates: &mut HashMap<String, Vec<NodeId>>) {
        let Some(block) = self.emit.tree.block(id) else { return };
        for &child in block.children.iter().rev() {
            self.collect_gone(child, candidates);
        }
        let mut signature = String::new();
        sign_tree(self.emit.tree, id, &mut signature);
        candidates.entry(signature).or_default().push(id);
    }

    fn claim(&mut self, branch: &XmlTextRef, candidates: &mut HashMap<String, Vec<NodeId>>) {
        let mut signature = String::new();
        self.sign_doc(branch, &mut signature);
        if let Some(found) = candidates.get_mut(&signature)
            && signature.len() > 2
        {
            while let Some(id) = found.pop() {
                if !self.is_claimed(id) {
                    self.set_aside(id, branch);
                    return;
                }
            }
        }
        for piece in read::content(self.txn, branch).pieces {
            if let Piece::Element(inner) = piece {
                self.claim(&inner, candidates);
            }
        }
    }

    fn is_claimed(&self, id: NodeId) -> bool {
        let mut at = Some(id);
        while let Some(node) = at {
            if self.ghosts.contains(&node) {
                return true;
            }
            at = self.emit.tree.parent(node);
        }
        self.holders.contains(&id)
    }

    fn set_aside(&mut self, id: NodeId, branch: &XmlTextRef) {
        let (BranchID::Nested(key), Some(parent)) = (branch_id(branch), self.emit.tree.parent(id)) else { return };
        if let Some(job) = self.job_of(Some(parent)) {
            // Its parent stays: the script must not count it.
            let siblings = self.jobs[job].window.of(self.emit.tree.children(parent));
            let before = siblings.iter().take_while(|&&sibling| sibling != id);
            let at = before.filter(|id| !self.ghosts.contains(id)).map(|&id| self.emit.tree.len(id)).sum();
            steps::forget(&mut self.jobs[job].steps, at);
        }
        self.moves.insert(key, id);
        self.ghosts.insert(id);
        let mut at = self.emit.tree.parent(id);
        while let Some(node) = at {
            self.holders.insert(node);
            at = self.emit.tree.parent(node);
        }
    }

    // --- texts to compare

    fn flat_pieces(&self, pieces: &[Piece], from: u32, to: u32) -> String {
        let mut out = String::new();
        let mut at = 0;
        for piece in pieces {
            let (start, end) = (from.max(at), to.min(at + piece.len()));
            if start < end {
                match piece {
                    Piece::Text { text, len, .. } => push_slice(&mut out, text, *len, start - at, end - at),
                    Piece::Element(branch) => {
                        out.push('\u{fffc}');
                        out.push_str(&self.flat_pieces(&read::content(self.txn, branch).pieces, 0, u32::MAX));
                    }
                }
            }
            at += piece.len();
        }
        out
    }

    fn sign_doc(&self, branch: &XmlTextRef, out: &mut String) {
        sign_attrs(&read::attrs(self.txn, branch), out);
        for piece in read::content(self.txn, branch).pieces {
            match piece {
                Piece::Text { text, .. } => out.push_str(&text),
                Piece::Element(inner) => self.sign_doc(&inner, out),
            }
        }
        out.push('\u{fffd}');
    }
}

fn drop_tail_delete(script: &mut Vec<Step>) {
    if steps::tail_delete(script) > 0 {
        steps::drop_last(script, |step| matches!(step, Step::Delete(_)));
    }
}

fn gaps(entries: &[Sibling]) -> Vec<ChangedStretch> {
    let mut gaps = Vec::new();
    let mut gap = ChangedStretch { left: None, right: None, gone: Vec::new(), new: Vec::new() };
    for entry in entries {
        match entry {
            Sibling::Gone(id) => gap.gone.push(*id),
            Sibling::New(branch) => gap.new.push(branch.clone()),
            Sibling::Kept(id) => {
                gap.right = Some(*id);
                let next = ChangedStretch { left: Some(*id), right: None, gone: Vec::new(), new: Vec::new() };
                gaps.push(std::mem::replace(&mut gap, next));
            }
        }
    }
    gaps.push(gap);
    gaps.retain(|gap| !(gap.gone.is_empty() && gap.new.is_empty()));
    gaps
}

/// The same for the better part: someone may have typed on either side of the cut in the same transaction.
fn related(a: &str, b: &str) -> bool {
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let start = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let (a_rest, b_rest) = (&a.as_bytes()[start..], &b.as_bytes()[start..]);
    let end = a_rest.iter().rev().zip(b_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    2 * (start + end) > a.len().max(b.len())
}

fn flat_tree(tree: &Tree, id: NodeId, from: u32, to: u32) -> String {
    let mut out = String::new();
    let mut at = 0;
    for &child in tree.children(id) {
        let len = tree.len(child);
        let (start, end) = (from.max(at), to.min(at + len));
        if start < end {
            match tree.kind(child) {
                Kind::Text(text) => push_slice(&mut out, &text.text, text.len, start - at, end - at),
                _ => {
                    out.push('\u{fffc}');
                    out.push_str(&flat_tree(tree, child, 0, u32::MAX));
                }
            }
        }
        at += len;
    }
    out
}

fn push_slice(out: &mut String, text: &str, len: u32, from: u32, to: u32) {
    use crate::slate::utf16;
    let byte = |offset| utf16::byte_at(text, len, utf16::floor(text, len, offset)).unwrap_or(0);
    out.push_str(&text[byte(from)..byte(to)]);
}

fn sign_tree(tree: &Tree, id: NodeId, out: &mut String) {
    match tree.kind(id) {
        Kind::Text(text) => out.push_str(&text.text),
        Kind::Element(block) => {
            sign_attrs(&block.attrs, out);
            for &child in &block.children {
                sign_tree(tree, child, out);
            }
            out.push('\u{fffd}');
        }
        Kind::Free => {}
    }
}

/// Good enough to tell elements apart; equality is established later.
fn sign_attrs(attrs: &Props, out: &mut String) {
    for (key, value) in attrs.iter() {
        out.push_str(key);
        match value {
            Any::String(text) => out.push_str(text),
            Any::Bool(value) => out.push(if *value { '1' } else { '0' }),
            Any::Number(number) => out.push_str(&number.as_f64().unwrap_or_default().to_string()),
            _ => out.push('?'),
        }
        out.push('\u{fffc}');
    }
}
