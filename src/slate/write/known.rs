//! [`KnownParts`]: what is remembered of what the document shows, so that a change costs what its part of the document costs.

use std::ops::Range;
use std::rc::Rc;

#[cfg(test)]
use super::plain;
use super::tree::with_top;
use super::{EditorTree, Flushed, Passage, adopt, copy, typing};
use crate::slate::part::{self, Division, DocumentOutline, EditedKids, ItemBatch};
use crate::slate::remote;
use crate::slate::value::op::Op;
use crate::slate::view::tree::{Element, Kid};
use crate::slate::view::{self, Schema, View};
use crate::slate::ydoc::{Mirror, Nid, QuickSet, Writer};

/// See the module.
#[derive(Debug, Default)]
pub struct KnownParts {
    /// If it was worked out for the whole document since it changed.
    view: Option<Rc<View>>,
    /// What the mirror has touched since is not in it.
    outline: Option<DocumentOutline>,
    /// See [`KnownParts::note_changed`].
    changed: QuickSet<Nid>,
    /// What is shown is made wrong on purpose.
    #[cfg(test)]
    pub is_spoiled: bool,
}

impl KnownParts {
    /// `view`: what the whole mirror shows.
    pub fn new(mirror: &Mirror, schema: &Schema, view: View) -> Self {
        let mut known = Self::with(mirror, schema, view, &[]);
        if known.outline.is_some() {
            // It is large, and hardly ever asked for then.
            known.view = None;
        }
        known
    }

    /// `wants`: sequences in the root that are to be known part by part as well.
    fn with(mirror: &Mirror, schema: &Schema, view: View, wants: &[Nid]) -> Self {
        Self {
            outline: DocumentOutline::of(mirror, schema, &view, wants),
            view: Some(Rc::new(view)),
            changed: QuickSet::default(),
            #[cfg(test)]
            is_spoiled: false,
        }
    }

    /// [`flush`](super::flush) in the parts of the document that changed. `tree` is what editor and document show from now on.
    pub fn flush(&mut self, writer: &mut Writer, tree: &mut EditorTree, schema: &Schema) -> Flushed {
        if writer.mirror.is_plain() {
            return self.flush_by_copy(writer, tree, schema);
        }
        let head = tree.typed_in();
        if let Some(passage) = typing::flush(writer, tree) {
            if let (Some(outline), Some(head)) = (&mut self.outline, head.and_then(|head| writer.mirror.find(head))) {
                outline.note_typed(writer.mirror, head);
            }
            self.keep(writer.mirror);
            #[cfg(test)]
            self.compare(writer.mirror, schema, tree.root());
            return Flushed { passage, ..Flushed::unchanged(tree.root().clone()) };
        }
        let (before, one) = tree.take_edit();
        let is_same = match &one {
            Some((at, now)) => before.kids[*at].is_same(now),
            None => Rc::ptr_eq(&before, tree.root()),
        };
        if is_same {
            tree.reset(before.clone());
            return Flushed::unchanged(before);
        }
        let after = match &one {
            Some((at, now)) => EditedKids::But(&before.kids, *at, now),
            None => EditedKids::All(&tree.root().kids),
        };
        let view = self.view.take();
        let outline = self.outline.take().ok_or_else(Vec::new);
        let division =
            outline.and_then(|outline| part::divide_edit(outline, writer.mirror, &before, after, &tree.ties()));
        let edited = RootEdit { before, one, root: tree.root().clone() };
        let flushed = match division {
            Ok(division) => self.flush_groups(division, writer, edited, tree, schema),
            Err(wants) => {
                let root = edited.root();
                tree.set_root(root.clone());
                let mut flushed = self.flush_whole(writer, tree, schema, view, &wants);
                flushed.edited = flushed.rewritten.then_some(root);
                flushed.passage = Passage::of(&edited.before.kids, &flushed.tree.kids);
                flushed
            }
        };
        writer.mirror.take_touched();
        tree.reset(flushed.tree.clone());
        #[cfg(test)]
        self.compare(writer.mirror, schema, &flushed.tree);
        flushed
    }

    /// In a document of format 0.
    fn flush_by_copy(&mut self, writer: &mut Writer, tree: &mut EditorTree, schema: &Schema) -> Flushed {
        if typing::flush(writer, tree).is_none() {
            let before = tree.before();
            let now = match Rc::ptr_eq(&before, tree.root()) {
                true => before,
                false => copy::write(writer, &before, tree),
            };
            tree.reset(now);
        }
        let touched = writer.mirror.take_touched();
        self.note_changed(&touched);
        #[cfg(test)]
        if !tree.is_spoiled {
            assert_eq!(
                *plain::read(writer.mirror, schema, Some(tree.root())),
                **tree.root(),
                "what was written by copy"
            );
        }
        #[cfg(not(test))]
        let _ = schema;
        Flushed::unchanged(tree.root().clone())
    }

    /// In a debug build a self-check looks at what changed at once.
    pub fn note_changed(&mut self, nodes: &QuickSet<Nid>) {
        if cfg!(debug_assertions) {
            self.changed.extend(nodes);
        }
    }

    pub fn take_changed(&mut self) -> QuickSet<Nid> {
        std::mem::take(&mut self.changed)
    }

    /// One group after the other. If one does not stand by itself any more, all that is left to write is written at once.
    fn flush_groups(
        &mut self,
        mut division: Division,
        writer: &mut Writer,
        edited: RootEdit,
        tree: &mut EditorTree,
        schema: &Schema,
    ) -> Flushed {
        let mut all = Flushed::unchanged(edited.root.clone());
        let mut is_apart = division.begin(writer.mirror);
        for nth in 0..if is_apart { division.len() } else { 0 } {
            let group = division.enter(nth, writer.mirror);
            tree.set_root(group.after.clone());
            let found = super::flush(writer, tree, schema, None);
            is_apart = division.leave(&group, &found.tree, writer.mirror, schema, found.view.as_deref());
            all.add(&found);
            if !is_apart {
                break;
            }
        }
        let (range, now) = division.changed(&edited.before);
        let wants = division.wants();
        let outline = division.end(writer.mirror);
        if is_apart {
            self.outline = Some(outline);
            all.passage = Passage::of_part(&edited.before.kids, range.clone(), &now);
            all.edited = all.rewritten.then(|| edited.root());
            all.tree = edited.with(range, now);
            return all;
        }
        let mut root = edited.before.clone();
        Rc::make_mut(&mut root).kids.splice(range, now);
        tree.set_root(root);
        let rest = self.flush_whole(writer, tree, schema, None, &wants);
        let rewritten = all.rewritten || rest.rewritten;
        let passage = Passage::of(&edited.before.kids, &rest.tree.kids);
        Flushed { views: all.views + rest.views, rewritten, passage, edited: rewritten.then(|| edited.root()), ..rest }
    }

    fn flush_whole(
        &mut self,
        writer: &mut Writer,
        tree: &EditorTree,
        schema: &Schema,
        view: Option<Rc<View>>,
        wants: &[Nid],
    ) -> Flushed {
        let mut flushed = super::flush(writer, tree, schema, view);
        self.view = flushed.view.take();
        self.outline = self.view.as_ref().and_then(|view| DocumentOutline::of(writer.mirror, schema, view, wants));
        flushed
    }

    /// After the mirror changed otherwise: what is shown now, with those parts of `before` that are the same, and the
    /// operations that lead there.
    pub fn show(&mut self, mirror: &mut Mirror, before: &Rc<Element>, schema: &Schema) -> (Rc<Element>, Vec<Op>) {
        let touched = mirror.take_touched();
        self.view = None;
        let outline = self.outline.take().ok_or_else(Vec::new);
        let division = outline.and_then(|outline| part::divide_change(outline, mirror, before, &touched));
        let wants = division.as_ref().map_or_else(Clone::clone, Division::wants);
        if let Ok(mut division) = division {
            let is_there = division.begin(mirror);
            let group = division.enter(0, mirror);
            let view = view::show(mirror, schema, &QuickSet::default());
            let shown = adopt(&group.old, view::tree(mirror, &view));
            let is_apart = division.leave(&group, &shown, mirror, schema, Some(&view));
            let (range, kids) = division.changed(before);
            let outline = division.end(mirror);
            if is_there && is_apart {
                let mut now = before.clone();
                Rc::make_mut(&mut now).kids.splice(range, kids);
                self.outline = Some(outline);
                #[cfg(test)]
                self.compare(mirror, schema, &now);
                let ops = group.widen(remote::steps(&group.old, &shown));
                return (now.clone(), ops.unwrap_or_else(|| remote::steps(before, &now)));
            }
        }
        let view = view::show(mirror, schema, &QuickSet::default());
        let now = adopt(before, view::tree(mirror, &view));
        let ops = remote::steps(before, &now);
        *self = Self::with(mirror, schema, view, &wants);
        (now, ops)
    }

    /// The texts of some elements changed, and nothing else.
    pub fn keep(&mut self, mirror: &mut Mirror) {
        self.view = None;
        mirror.take_touched();
    }

    /// Among which of the elements at the top a piece of a line is; `None`: the line is not known in its rows.
    pub fn piece_of_line(&self, mirror: &Mirror, seq: Nid, head: Nid) -> Option<Range<usize>> {
        self.outline.as_ref()?.piece_of_line(mirror, seq, head)
    }

    /// Something was typed in the text of this head, and nothing else was done.
    pub fn note_typed(&mut self, mirror: &Mirror, head: Nid) {
        if let Some(outline) = &mut self.outline {
            outline.note_typed(mirror, head);
        }
    }

    /// Where among the elements at the top that is, or is not, which a node shows or is shown in.
    pub fn top(&self, mirror: &Mirror, node: Nid) -> Option<Range<usize>> {
        self.outline.as_ref()?.root().shown_by(mirror.top(node))
    }

    /// Items from one on, so many at most; `None`: they cannot be looked at by themselves.
    pub fn batch(&self, from: usize, count: usize) -> Option<ItemBatch> {
        Some(self.outline.as_ref()?.batch(from, count))
    }

    /// What is known in parts is what is so of the whole.
    #[cfg(test)]
    pub fn compare(&self, mirror: &Mirror, schema: &Schema, tree: &Rc<Element>) {
        if self.is_spoiled {
            return;
        }
        let view = view::uncounted(|| view::show(mirror, schema, &QuickSet::default()));
        let whole = adopt(tree, view::tree(mirror, &view));
        assert_eq!(*tree, whole, "what is shown in parts, and as a whole");
        if let Some(outline) = &self.outline {
            outline.compare(mirror, schema, &view);
        }
    }
}

/// What an editor did.
struct RootEdit {
    /// What was shown before.
    before: Rc<Element>,
    /// All that is another now at the top, if it is one element.
    one: Option<(usize, Kid)>,
    /// Else what the editor shows.
    root: Rc<Element>,
}

impl RootEdit {
    /// What the editor shows.
    fn root(&self) -> Rc<Element> {
        match &self.one {
            Some((at, Kid::Element(now))) => with_top(&self.before, *at, now),
            _ => self.root.clone(),
        }
    }

    /// What was shown before, with these in the place of others: nobody else has it, where one element was edited.
    fn with(self, range: Range<usize>, now: Vec<Kid>) -> Rc<Element> {
        let mut all = self.before;
        Rc::make_mut(&mut all).kids.splice(range, now);
        all
    }
}

impl Flushed {
    fn unchanged(tree: Rc<Element>) -> Self {
        Self { tree, exact: true, rewritten: false, edited: None, views: 0, passage: Passage::default(), view: None }
    }

    /// Another part of the same flush.
    fn add(&mut self, other: &Self) {
        self.exact &= other.exact;
        self.rewritten |= other.rewritten;
        self.views += other.views;
    }
}
