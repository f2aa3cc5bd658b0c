//! Undo in a document of format 1: steps of small changes by identity.
//!
//! What others do meanwhile needs no care: ids never change. A step holds what was written; taking it back writes as well,
//! and what that wrote is the step of the other stack.

use super::result::{MAX_TIME, UndoResult};
use crate::slate::{Act, Caret, LocalChange, Passage, Range, SlateDoc, ValueChange};

/// Older steps are forgotten.
const MAX_STEPS: usize = 1000;
/// A step of typing ends after so many characters, besides [`MAX_TIME`].
const MAX_TYPED: u32 = 100;

#[derive(Debug)]
struct Step {
    acts: Vec<Act>,
    /// Values that were set: then there are no acts.
    values: Vec<ValueChange>,
    /// What was shown before and after it; `None` once others changed something meanwhile.
    passage: Option<Passage>,
    selection: Option<Caret>,
    began: u64,
    typed: u32,
}

/// Both stacks; the last of each is the next.
#[derive(Debug, Default)]
pub(super) struct Steps {
    undo: Vec<Step>,
    redo: Vec<Step>,
}

impl Steps {
    /// `joins`: the last edit was a short time ago, and nobody asked for a new step.
    pub fn record(
        &mut self,
        now: u64,
        acts: Vec<Act>,
        passage: Option<Passage>,
        selection: Option<Caret>,
        joins: bool,
    ) {
        self.redo.clear();
        let typed = typed(&acts);
        if let Some(step) = self.undo.last_mut()
            && joins
            && step.goes_on(now, &acts, selection.as_ref())
        {
            step.typed += typed.unwrap_or_default();
            step.acts.extend(acts);
            step.passage = step.passage.take().zip(passage).and_then(|(was, now)| was.and(now));
            return;
        }
        let typed = typed.unwrap_or_default();
        self.push(Step { acts, values: Vec::new(), passage, selection, began: now, typed });
    }

    /// A step of its own.
    pub fn record_values(&mut self, values: Vec<ValueChange>) {
        self.redo.clear();
        self.push(Step::of_values(values));
    }

    fn push(&mut self, step: Step) {
        if self.undo.len() == MAX_STEPS {
            self.undo.remove(0);
        }
        self.undo.push(step);
    }

    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    pub fn undo(&mut self, doc: &mut SlateDoc, selection: Option<Range>) -> Option<UndoResult> {
        turn(&mut self.undo, &mut self.redo, doc, selection)
    }

    pub fn redo(&mut self, doc: &mut SlateDoc, selection: Option<Range>) -> Option<UndoResult> {
        turn(&mut self.redo, &mut self.undo, doc, selection)
    }
}

impl Step {
    fn of_values(values: Vec<ValueChange>) -> Self {
        Self { acts: Vec::new(), values, passage: None, selection: None, began: 0, typed: 0 }
    }

    /// Whether these edits belong to the step: not a structural one after typing, not where the caret was put elsewhere.
    fn goes_on(&self, now: u64, acts: &[Act], selection: Option<&Caret>) -> bool {
        let is_typing = typed(&self.acts).is_some();
        if is_typing && (typed(acts).is_none() || self.typed >= MAX_TYPED || now.saturating_sub(self.began) >= MAX_TIME)
        {
            return false;
        }
        match (self.acts.last(), acts.first(), selection) {
            (Some(Act::Insert((id, len))), Some(Act::Insert(_)), Some(caret)) if is_typing => {
                caret.stands_behind(id.plus(len - 1))
            }
            _ => true,
        }
    }
}

/// How many characters were typed; `None` if something else was done than typing and deleting.
fn typed(acts: &[Act]) -> Option<u32> {
    let mut typed = 0;
    for act in acts {
        match act {
            Act::Insert((_, len)) => typed += len,
            Act::Delete { .. } => {}
            _ => return None,
        }
    }
    Some(typed)
}

/// Takes steps off one stack until one changes what is shown; what takes that back goes onto the other.
fn turn(from: &mut Vec<Step>, to: &mut Vec<Step>, doc: &mut SlateDoc, selection: Option<Range>) -> Option<UndoResult> {
    let now = selection.and_then(|range| doc.caret(&range));
    let (mut passed, mut all) = (Vec::new(), Vec::new());
    while let Some(step) = from.pop() {
        if !step.values.is_empty() {
            let (update, back) = doc.revert_values(&step.values);
            if back.is_empty() {
                continue;
            }
            to.push(Step::of_values(back));
            return Some(UndoResult { ops: all, passed, ..UndoResult::of_values(update) });
        }
        let (change, ops) = doc.revert(&step.acts, step.passage.as_ref());
        all.extend(ops);
        if change.passage.as_ref().is_none_or(Passage::shows_the_same) {
            passed.extend(change.update);
            // Nobody saw it when it was done either. It goes along with what came after it, which may need the elements it made.
            if step.passage.as_ref().is_some_and(Passage::shows_the_same) && !change.acts.is_empty() {
                to.push(Step { acts: change.acts, passage: change.passage, ..Step::of_values(Vec::new()) });
            }
            continue;
        }
        let selection = step.selection.as_ref().and_then(|caret| doc.range(caret));
        let (acts, passage) = (change.acts.clone(), change.passage.clone());
        to.push(Step { acts, values: Vec::new(), passage, selection: now, began: 0, typed: 0 });
        return Some(UndoResult { ops: all, changed: true, change, selection, passed });
    }
    if passed.is_empty() {
        return None;
    }
    Some(UndoResult { ops: all, changed: false, change: LocalChange::default(), selection: None, passed })
}
