//! [`Known`]: what is remembered of what the document shows, so that a change costs what its part of the document costs.

use std::collections::HashSet;
use std::rc::Rc;

use yrs::TransactionMut;

use super::{EditorTree, Flushed, adopt, typing};
use crate::slate::op::Op;
use crate::slate::part::Outline;
use crate::slate::steps;
use crate::slate::view::tree::Element;
use crate::slate::view::{self, Schema, View};
use crate::slate::ydoc::{Act, Mirror, Writer};

/// See the module.
#[derive(Debug, Default)]
pub struct Known {
    /// If it was worked out for the whole document since it changed.
    view: Option<Rc<View>>,
    /// What the mirror has touched since is not in it.
    outline: Option<Outline>,
}

impl Known {
    /// `view`: what the whole mirror shows.
    pub fn new(mirror: &Mirror, schema: &Schema, view: View) -> Self {
        Self { outline: Outline::of(mirror, schema, &view), view: Some(Rc::new(view)) }
    }

    /// [`flush`](super::flush) in the part of the document that changed. `before`: what editor and document showed; `tree` is
    /// what they show from now on. Also returns what was done.
    pub fn flush(
        &mut self,
        mirror: &mut Mirror,
        txn: &mut TransactionMut,
        client: u64,
        before: &Rc<Element>,
        tree: &mut EditorTree,
        schema: &Schema,
    ) -> (Flushed, Vec<Act>) {
        let mut writer = Writer::new(mirror, txn, client);
        if Rc::ptr_eq(before, tree.root()) {
            return (Flushed::unchanged(before.clone()), Vec::new());
        }
        if let Some(now) = tree.typed().and_then(|path| typing::flush(&mut writer, before, tree.root(), path)) {
            let acts = writer.take_acts();
            self.view = None;
            mirror.take_touched();
            tree.reset(now.clone());
            return (Flushed::unchanged(now), acts);
        }
        let (mut view, outline) = (self.view.take(), self.outline.take());
        let part = outline.as_ref().and_then(|outline| outline.narrow_to_edit(mirror, before, tree.root()));
        let (mut flushed, mut acts) = (None, Vec::new());
        if let (Some(outline), Some((part, after))) = (outline, part) {
            view = None;
            tree.replace(after);
            mirror.mask(&part.parts);
            let mut writer = Writer::new(mirror, txn, client);
            let mut found = super::flush(&mut writer, tree, schema, None);
            acts = writer.take_acts();
            let shown = found.view.take();
            let outline = shown.and_then(|view| outline.after(&part, mirror, schema, &view));
            mirror.unmask();
            self.outline = outline.map(|outline| outline.linked(mirror));
            found.tree = part.widen(&found.tree, before);
            // If the part does not stand by itself any more, all is looked at.
            tree.reset(found.tree.clone());
            flushed = self.outline.is_some().then_some(found);
        }
        let flushed = flushed.unwrap_or_else(|| {
            let mut writer = Writer::new(mirror, txn, client);
            let mut flushed = super::flush(&mut writer, tree, schema, view);
            acts.extend(writer.take_acts());
            self.view = flushed.view.take();
            self.outline = self.view.as_ref().and_then(|view| Outline::of(mirror, schema, view));
            flushed
        });
        mirror.take_touched();
        tree.reset(flushed.tree.clone());
        #[cfg(test)]
        self.compare(mirror, schema, &flushed.tree);
        (flushed, acts)
    }

    /// After the mirror changed otherwise: what is shown now, with those parts of `before` that are the same, and the
    /// operations that lead there.
    pub fn show(&mut self, mirror: &mut Mirror, before: &Rc<Element>, schema: &Schema) -> (Rc<Element>, Vec<Op>) {
        let touched = mirror.take_touched();
        self.view = None;
        let outline = self.outline.take();
        let part = outline.as_ref().and_then(|outline| outline.narrow_to_change(mirror, before, &touched));
        if let (Some(outline), Some(part)) = (outline, part) {
            mirror.mask(&part.parts);
            let view = view::show(mirror, schema, &HashSet::new());
            let outline = outline.after(&part, mirror, schema, &view);
            let old = part.old();
            let shown = adopt(&old, view::tree(mirror, &view));
            mirror.unmask();
            if let Some(outline) = outline {
                self.outline = Some(outline.linked(mirror));
                let now = part.widen(&shown, before);
                #[cfg(test)]
                self.compare(mirror, schema, &now);
                return (now, part.widen_ops(steps::steps(&old, &shown)));
            }
        }
        let view = view::show(mirror, schema, &HashSet::new());
        let now = adopt(before, view::tree(mirror, &view));
        let ops = steps::steps(before, &now);
        *self = Self::new(mirror, schema, view);
        (now, ops)
    }

    /// The texts of some elements changed, and nothing else.
    pub fn keep(&mut self, mirror: &mut Mirror) {
        self.view = None;
        mirror.take_touched();
    }

    /// What is known in parts is what is so of the whole.
    #[cfg(test)]
    fn compare(&self, mirror: &Mirror, schema: &Schema, tree: &Rc<Element>) {
        let view = view::show(mirror, schema, &HashSet::new());
        let whole = adopt(tree, view::tree(mirror, &view));
        assert_eq!(*tree, whole, "what is shown in parts, and as a whole");
        if let Some(outline) = &self.outline {
            outline.compare(&Outline::of(mirror, schema, &view).expect("an outline of the whole"));
        }
    }
}

impl Flushed {
    fn unchanged(tree: Rc<Element>) -> Self {
        Self { tree, exact: true, rewritten: false, views: 0, view: None }
    }
}
