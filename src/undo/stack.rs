//! Groups of inverse operations, and what happened since each was recorded.

use super::transform::cross;
use crate::slate::{Op, Range, transform, utf16_len};

/// Older groups are forgotten.
const MAX_GROUPS: usize = 1000;
/// So is everything when peers did so much that nobody will undo what was before.
const MAX_NOTED: usize = 100_000;

#[derive(Debug)]
pub(super) struct Group {
    /// To be applied from the last to the first.
    inverse: Vec<Op>,
    /// Before the edits.
    selection: Option<Range>,
    /// What others did after this group and before the next.
    since: Vec<Op>,
}

impl Group {
    /// `inverse` in the order of application.
    pub fn new(inverse: Vec<Op>, selection: Option<Range>) -> Self {
        let mut group = Self { inverse: Vec::new(), selection, since: Vec::new() };
        group.prepend(inverse);
        group
    }

    fn prepend(&mut self, inverse: Vec<Op>) {
        for op in inverse.into_iter().rev() {
            match (self.inverse.last_mut(), op) {
                (
                    Some(Op::RemoveText { path, offset, text }),
                    Op::RemoveText { path: at, offset: start, text: more },
                ) if *path == at && start == offset.saturating_add(utf16_len(text)) => text.push_str(&more),
                (
                    Some(Op::InsertText { path, offset, text }),
                    Op::InsertText { path: at, offset: start, text: more },
                ) if *path == at && *offset == start.saturating_add(utf16_len(&more)) => {
                    text.insert_str(0, &more);
                    *offset = start;
                }
                (_, op) => self.inverse.push(op),
            }
        }
    }

    /// Brings the group past what happened since. Returns that, as it would have happened without the group.
    fn catch_up(&mut self) -> Vec<Op> {
        let since = std::mem::take(&mut self.since);
        if since.is_empty() {
            return since;
        }
        let inverse = self.inverse.drain(..).rev().collect();
        let (inverse, since) = cross(inverse, since);
        self.inverse = inverse;
        self.inverse.reverse();
        let selection = self.selection.take();
        self.selection = selection.and_then(|range| since.iter().try_fold(range, |at, op| transform::range(&at, op)));
        since
    }
}

/// The last is the next to be undone.
#[derive(Debug, Default)]
pub(super) struct Stack(Vec<Group>);

impl Stack {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn push(&mut self, group: Group) {
        if self.0.len() == MAX_GROUPS {
            self.0.remove(0);
        }
        self.0.push(group);
    }

    /// Adds newer inverse operations to the last group. False without one.
    pub fn join(&mut self, inverse: &[Op]) -> bool {
        if self.0.is_empty() {
            return false;
        }
        self.settle();
        if let Some(group) = self.0.last_mut() {
            group.prepend(inverse.to_vec());
        }
        true
    }

    /// Remembers what others did.
    pub fn note(&mut self, ops: &[Op]) {
        let Some(group) = self.0.last_mut() else { return };
        for op in ops {
            match (group.since.last_mut(), op) {
                // A peer who types.
                (
                    Some(Op::InsertText { path, offset, text }),
                    Op::InsertText { path: at, offset: start, text: more },
                ) if path == at && *start == offset.saturating_add(utf16_len(text)) => text.push_str(more),
                _ => group.since.push(op.clone()),
            }
        }
        if group.since.len() > MAX_NOTED {
            self.clear();
        }
    }

    /// The operations of the last group as they are to be applied now, and the selection to restore afterwards.
    pub fn pop(&mut self) -> Option<(Vec<Op>, Option<Range>)> {
        self.settle();
        let group = self.0.pop()?;
        Some((group.inverse.into_iter().rev().collect(), group.selection))
    }

    /// Hands what happened since the last group down to the one below.
    fn settle(&mut self) {
        let Some(group) = self.0.last_mut() else { return };
        let since = group.catch_up();
        let below = self.0.len().checked_sub(2).and_then(|at| self.0.get_mut(at));
        if let Some(below) = below {
            below.since.extend(since);
        }
    }
}
