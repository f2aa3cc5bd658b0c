//! [`DocumentOutline`]: the outlines of the root and of sequences in it.

use std::ops::Range;

use super::outline::SequenceOutline;
use crate::slate::view::{Schema, View};
use crate::slate::ydoc::{Item, Kind, Mirror, Nid, QuickSet, ROOT};

/// A sequence with fewer items is not divided; tests have short ones.
const MIN_ITEMS: usize = if cfg!(test) { 2 } else { 16 };
/// So many sequences in the document have an outline: those that were edited last.
const MAX_OUTLINES: usize = 16;

/// See the module. A sequence in the root has an outline if it is a long line, or once something in it was edited.
#[derive(Debug, Clone)]
pub struct DocumentOutline {
    root: SequenceOutline,
    nested: Vec<SequenceOutline>,
    /// [`Mirror::open_ends`].
    open: Vec<Nid>,
}

/// Items of one sequence, to be looked at together.
#[derive(Debug, Clone, Default)]
pub struct ItemBatch {
    pub seq: Nid,
    pub items: Vec<Nid>,
    /// Sequences in the root of which these are the first.
    pub opened: Vec<Nid>,
}

impl DocumentOutline {
    /// `None` where the root has no outline. `wants`: other sequences of which one is wanted. Long lines have one at once, or
    /// the first edit in each would have to look at all.
    pub fn of(mirror: &Mirror, schema: &Schema, view: &View, wants: &[Nid]) -> Option<Self> {
        let root = SequenceOutline::of(mirror, schema, view, ROOT)?;
        let mut seqs = long_lines(mirror);
        seqs.retain(|seq| !wants.contains(seq));
        seqs.extend(wants);
        let seqs = &seqs[seqs.len().saturating_sub(MAX_OUTLINES)..];
        let nested = seqs.iter().filter_map(|seq| SequenceOutline::of(mirror, schema, view, *seq));
        Some(Self { root, nested: nested.collect(), open: mirror.open_ends() })
    }

    /// The outline of the root.
    pub fn root(&self) -> &SequenceOutline {
        &self.root
    }

    /// The outline of a sequence.
    pub(super) fn get(&self, seq: Nid) -> Option<&SequenceOutline> {
        if seq == ROOT { Some(&self.root) } else { self.nested.iter().find(|outline| outline.seq == seq) }
    }

    pub(super) fn get_mut(&mut self, seq: Nid) -> Option<&mut SequenceOutline> {
        if seq == ROOT { Some(&mut self.root) } else { self.nested.iter_mut().find(|outline| outline.seq == seq) }
    }

    /// An outline to divide by. If there is none of a sequence that is long enough, it is wanted.
    pub(super) fn usable(&self, mirror: &Mirror, seq: Nid, wants: &mut Vec<Nid>) -> Option<&SequenceOutline> {
        if seq == ROOT {
            return Some(&self.root);
        }
        if mirror.node(seq).items.len() < MIN_ITEMS {
            return None;
        }
        let found = self.get(seq).filter(|outline| outline.is_of_today(mirror));
        if found.is_none() {
            wants.push(seq);
        }
        found
    }

    /// After a sequence was divided, and its outline brought up to date. `focus`: its items that were looked at; `found`: new
    /// outlines of what is in these.
    pub(super) fn renew(&mut self, mirror: &Mirror, seq: Nid, focus: &QuickSet<Nid>, found: Vec<SequenceOutline>) {
        let stays = |outline: &SequenceOutline| {
            let is_in_focus = mirror.item_of(seq, outline.seq).is_some_and(|item| focus.contains(&item));
            !is_in_focus && outline.is_of_today(mirror)
        };
        self.nested.retain(stays);
        let open = mirror.open_ends();
        let is_open_elsewhere = open != self.open;
        self.open = open;
        // Of what is around it the items are the same, but one of them may be linked otherwise.
        for outline in self.nested.iter_mut().chain([&mut self.root]) {
            if is_open_elsewhere || mirror.item_of(outline.seq, seq).is_some() {
                outline.links = mirror.links(outline.seq);
            }
        }
        // The last that was edited comes last.
        let last = self.nested.iter().position(|outline| outline.seq == seq).map(|at| self.nested.remove(at));
        if let Some(now) = last {
            if now.is_line {
                let (up, shows) = (mirror.node(seq).up, now.shown() as u32);
                self.get_mut(up).into_iter().for_each(|outline| outline.set_shows(seq, shows));
            }
            self.nested.push(now);
        }
        self.nested.extend(found);
        let many = self.nested.len().saturating_sub(MAX_OUTLINES);
        self.nested.drain(..many);
    }

    /// Among which of the elements at the top a piece is, of a line that stands there; `None`: there is no outline of the line.
    pub fn piece_of_line(&self, mirror: &Mirror, seq: Nid, head: Nid) -> Option<Range<usize>> {
        let stands_at_top = seq != ROOT && mirror.node(seq).up == ROOT;
        let line = self.get(seq).filter(|line| stands_at_top && line.is_line && line.is_of_today(mirror))?;
        let shown = self.root.shown_by(seq).filter(|shown| shown.len() == line.shown())?;
        let at = line.row_of(mirror, head)?;
        Some(shown.start + line.starts[at] as usize..shown.start + line.starts[at + 1] as usize)
    }

    /// Something was typed in the text of this head, and nothing else was done.
    pub fn note_typed(&mut self, mirror: &Mirror, head: Nid) {
        for outline in self.nested.iter_mut().filter(|outline| outline.is_line) {
            let row = outline.row_of(mirror, head).and_then(|at| outline.rows[at].piece.as_mut());
            row.into_iter().for_each(|piece| piece.print = None);
        }
    }

    /// Of all items, those of sequences with an outline in place of the item that has it: from one on, so many at most.
    pub fn batch(&self, from: usize, count: usize) -> ItemBatch {
        let (mut batch, mut at) = (ItemBatch::default(), 0);
        let mut todo = vec![(&self.root, 0)];
        while let Some((outline, next)) = todo.pop() {
            let Some(row) = outline.rows.get(next).filter(|_| batch.items.len() < count) else {
                if batch.items.is_empty() { continue } else { break }
            };
            todo.push((outline, next + 1));
            match self.nested.iter().find(|nested| nested.seq == row.node && !nested.is_line) {
                Some(_) if !batch.items.is_empty() => break,
                Some(nested) => {
                    batch.opened.extend((at >= from).then_some(row.node));
                    todo.push((nested, 0));
                }
                None => {
                    if at >= from {
                        batch.seq = outline.seq;
                        batch.items.push(row.node);
                    }
                    at += 1;
                }
            }
        }
        batch
    }

    #[cfg(test)]
    pub fn compare(&self, mirror: &Mirror, schema: &Schema, view: &View) {
        for outline in self.nested.iter().chain([&self.root]) {
            // What is looked at in parts already may be more than could be divided, if it were looked at for the first time.
            if let Some(fresh) = SequenceOutline::of(mirror, schema, view, outline.seq) {
                outline.compare(&fresh);
            }
        }
    }
}

/// Lines at the top that are worth an outline, the longest last.
fn long_lines(mirror: &Mirror) -> Vec<Nid> {
    let is_break = |item: &Item| item.node().is_some_and(|node| mirror.kind(node) == Kind::Break);
    let is_text = |item: &Item| matches!(item, Item::Text(_));
    let items = |seq: Nid| &mirror.node(seq).items;
    let is_long = |seq: &Nid| {
        items(*seq).len() >= MIN_ITEMS && items(*seq).iter().any(is_break) && items(*seq).iter().any(is_text)
    };
    let mut lines: Vec<Nid> = items(ROOT).iter().filter_map(Item::node).filter(is_long).collect();
    lines.sort_by_key(|seq| items(*seq).len());
    lines
}
