//! Groups of inverse operations, and what happened since each was recorded.

use super::transform::cross;
use crate::slate::value::transform;
use crate::slate::{Op, Path, Range, ValueChange, utf16_len, utf16_slice};

/// Older groups are forgotten.
const MAX_GROUPS: usize = 1000;
/// So is everything when peers did so much that nobody will undo what was before.
const MAX_NOTED: usize = 100_000;

#[derive(Debug)]
pub(super) struct UndoGroup {
    /// To be applied from the last to the first.
    inverse: Vec<Op>,
    /// Before the edits.
    selection: Option<Range>,
    /// What others did after this group and before the next.
    since: Vec<Op>,
    /// Values that were set: then there are no operations.
    values: Vec<ValueChange>,
}

impl UndoGroup {
    /// `inverse` in the order of application.
    pub fn new(inverse: Vec<Op>, selection: Option<Range>) -> Self {
        let mut group = Self { inverse: Vec::new(), selection, since: Vec::new(), values: Vec::new() };
        group.prepend(inverse);
        group
    }

    pub fn of_values(values: Vec<ValueChange>) -> Self {
        Self { inverse: Vec::new(), selection: None, since: Vec::new(), values }
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
pub(super) struct Stack(Vec<UndoGroup>);

impl Stack {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn push(&mut self, group: UndoGroup) {
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
            match op {
                Op::InsertText { path, offset, text } if absorb(&mut group.since, path, *offset, text) => {}
                _ => group.since.push(op.clone()),
            }
        }
        if group.since.len() > MAX_NOTED {
            self.clear();
        }
    }

    /// The operations of the last group as they are to be applied now, the selection to restore afterwards, and the values.
    pub fn pop(&mut self) -> Option<(Vec<Op>, Option<Range>, Vec<ValueChange>)> {
        self.settle();
        let group = self.0.pop()?;
        Some((group.inverse.into_iter().rev().collect(), group.selection, group.values))
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

/// How many places peers may type in at once for what each types to stay one operation.
const REACH: usize = 16;

/// Puts a peer's typing into an earlier insertion it continues, past other insertions in between: peers who type in
/// turns are two operations, not thousands. False if there is none.
fn absorb(since: &mut [Op], path: &Path, offset: u32, text: &str) -> bool {
    let len = utf16_len(text);
    let mut at = offset;
    let mut shifted = Vec::new();
    for index in (0..since.len()).rev().take(REACH) {
        match &mut since[index] {
            Op::InsertText { path: there, offset: start, text: earlier } if there == path => {
                let end = start.saturating_add(utf16_len(earlier));
                if at < *start {
                    shifted.push(index);
                } else if at > end {
                    at -= utf16_len(earlier);
                } else {
                    let Some(before) = utf16_slice(earlier, 0, at - *start) else { return false };
                    let byte = before.len();
                    earlier.insert_str(byte, text);
                    for index in shifted {
                        if let Op::InsertText { offset, .. } = &mut since[index] {
                            *offset = offset.saturating_add(len);
                        }
                    }
                    return true;
                }
            }
            Op::InsertText { path: there, .. } | Op::RemoveText { path: there, .. } if there != path => {}
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slate::tests::{model, random::block};

    /// Whatever is put together does what the single operations do.
    #[test]
    fn peers_who_type_in_turns_are_few_operations() {
        let mut rng = fastrand::Rng::with_seed(8);
        for _ in 0..200 {
            let start = vec![block("a", "first line"), block("b", "another")];
            let (mut value, mut stack) = (start.clone(), Stack::default());
            stack.push(UndoGroup::new(Vec::new(), None));
            let mut carets = [(0, 3), (0, 8), (1, 0)];
            for n in 0..60 {
                let who = rng.usize(..3);
                let (line, offset) = carets[who];
                let text = ["x", "😀", "yz"][rng.usize(..3)].to_owned();
                let len = utf16_len(&text);
                for (_, other) in carets.iter_mut().filter(|(at, other)| *at == line && *other >= offset) {
                    *other += len;
                }
                if n == 30 {
                    carets[who] = (line, 0);
                }
                let op = Op::InsertText { path: Path::from_slice(&[line, 0]), offset, text };
                model::apply(&mut value, &op);
                stack.note(&[op]);
            }
            let noted = &stack.0[0].since;
            assert!(noted.len() <= 4, "{noted:?}");
            let mut again = start;
            model::apply_all(&mut again, noted);
            assert_eq!(again, value);
        }
    }
}
