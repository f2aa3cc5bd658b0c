//! What local edits copy: the ids of the originals and of the copies, for [`Copies`](super::copies::Copies).

use yrs::ID;

use super::copies::{self, Group, Part, Run};
use super::error::OpError;
use super::local::Edit;
use super::op::{Op, Path};
use super::rescue::GoneText;
use super::tree::NodeId;
use super::{by_copy, utf16};

/// So many characters are looked up one by one: quicker than to go through all that was ever in an element.
const FEW: u32 = 4;

/// Ids of copied content: of the element it is in, of itself, and of what the elements in it hold.
#[derive(Debug, PartialEq)]
pub(super) struct Ids {
    parent: Option<ID>,
    runs: Vec<Run>,
    inner: by_copy::WrittenElements,
}

impl Ids {
    /// The same for what the first element holds.
    pub fn within(mut self) -> Self {
        if !self.inner.is_empty() {
            (self.parent, self.runs) = self.inner.remove(0);
        }
        self
    }
}

impl Edit<'_, '_> {
    /// The ids of nodes that follow each other from an offset of their parent on, and of all below them.
    pub(super) fn look(&mut self, parent: NodeId, nodes: &[NodeId], at: u32) -> Ids {
        let len: u32 = nodes.iter().map(|&id| self.tree.len(id)).sum();
        let mut ids = Ids { parent: self.key(parent), runs: Vec::new(), inner: Vec::new() };
        if nodes.iter().any(|&id| self.tree.is_text(id)) {
            ids.runs = self.ids(parent, at, at + len);
        } else {
            // A long list of blocks need not be read for one of them.
            for id in nodes.iter().filter_map(|&id| self.key(id)) {
                copies::push(&mut ids.runs, id, 1);
            }
        }
        let mut open: Vec<NodeId> = nodes.iter().rev().copied().collect();
        while let Some(id) = open.pop() {
            if self.tree.is_text(id) {
                continue;
            }
            let runs = self.ids(id, 0, u32::MAX);
            ids.inner.push((self.key(id), runs));
            open.extend(self.tree.children(id).iter().rev());
        }
        ids
    }

    pub(super) fn key(&self, id: NodeId) -> Option<ID> {
        self.tree.block(id)?.key
    }

    pub(super) fn ids(&mut self, id: NodeId, from: u32, to: u32) -> Vec<Run> {
        match self.tree.branch(id) {
            Some(branch) if from < to => {
                let near = to - from <= FEW && self.tree.block(id).is_some_and(|block| block.foreign == 0);
                let few = if near { copies::few(self.txn, &branch, from, to) } else { None };
                if let Some(few) = few {
                    debug_assert_eq!(few, copies::ids(self.txn, &branch, from, to));
                    return few;
                }
                let everything = self.everything.get_or_insert_with(|| copies::everything(self.txn));
                copies::ids_of(self.txn, &branch, from, to, everything)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn id_at(&mut self, id: NodeId, at: u32) -> Option<ID> {
        self.ids(id, at, at + 1).first().map(|run| run.id)
    }

    /// Remembers what was copied where; `around`: what stands before and behind the copy.
    pub(super) fn note(&mut self, part: Part, from: Ids, to: Ids, [before, behind]: [Option<ID>; 2]) {
        let runs = copies::pair(&from.runs, &to.runs);
        let groups = &mut self.copied;
        groups.push(Group { source: from.parent, target: to.parent, part, before, behind, runs });
        for ((source, from), (target, to)) in from.inner.iter().zip(&to.inner) {
            let runs = copies::pair(from, to);
            let (source, target) = (*source, *target);
            groups.push(Group { source, target, part: Part::Whole, before: None, behind: None, runs });
        }
    }

    /// Remembers what is about to be removed, and whose it is: what others write there at the same time, it was not meant
    /// for.
    pub(super) fn note_gone(&mut self, parent: NodeId, id: NodeId, at: u32) {
        let Some(key) = self.key(id) else { return };
        let ids = self.look(parent, &[id], at);
        copies::push(&mut self.gone.elements, key, 1);
        let runs = ids.inner.iter().flat_map(|(_, runs)| runs);
        for author in runs.map(|run| run.id.client).chain([key.client]) {
            if !self.gone.authors.contains(&author) {
                self.gone.authors.push(author);
            }
        }
    }

    /// Writes text again that was there before, and notes that it is the same.
    pub fn restore(&mut self, op: &Op, origins: &[GoneText]) -> Result<(), OpError> {
        self.restores = true;
        self.apply(op)?;
        self.catch_up();
        for GoneText { source, ids, within } in origins {
            let (target, part, to) = match op {
                Op::InsertText { path, offset, text } => {
                    let (parent, index) = self.tree.resolve_parent(path)?;
                    let at = self.tree.offset(parent, index) + offset;
                    (parent, Part::Some, self.ids(parent, at, at + utf16::len(text)))
                }
                Op::InsertNode { path, .. } => {
                    let path: Path = path.iter().chain(within).copied().collect();
                    let id = self.tree.resolve(&path)?;
                    self.touch(id);
                    (id, Part::Whole, self.ids(id, 0, u32::MAX))
                }
                _ => return Ok(()),
            };
            let (target, runs) = (self.key(target), copies::pair(ids, &to));
            self.copied.push(Group { source: Some(*source), target, part, before: None, behind: None, runs });
        }
        Ok(())
    }

    /// [`Edit::write_nodes`], and what [`Edit::look`] would say of it then.
    pub(super) fn copy_nodes(&mut self, ids: &[NodeId], parent: NodeId, at: u32) -> Ids {
        let mut copy = Ids { parent: self.key(parent), runs: Vec::new(), inner: Vec::new() };
        if let Some(branch) = self.tree.branch(parent) {
            let doc_at = self.doc_offset(parent, &branch, at);
            let runs = by_copy::write_noting(self.txn, self.tree, ids, &branch, doc_at, Some(&mut copy.inner));
            copy.runs = match runs {
                Some(runs) => runs,
                None => self.ids(parent, at, at + ids.iter().map(|&id| self.tree.len(id)).sum::<u32>()),
            };
        }
        debug_assert_eq!(copy, self.look(parent, ids, at));
        copy
    }
}
