//! A document of format 0: read as it stands, written by copy.

use std::rc::Rc;

use yrs::{TransactionMut, XmlTextRef};

use super::reference::{CHECKED, Checked, Reference};
use crate::slate::remote;
use crate::slate::undo::Again;
use crate::slate::value::op::Op;
use crate::slate::view::Schema;
use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::write::{self, EditorTree, KnownParts};
use crate::slate::ydoc::{Item, Mirror, Nid, QuickSet, ROOT};

/// So much is read in one look at a document of format 0, in characters and elements. A single block may be more.
const BUDGET: u32 = 4_000;

impl Reference {
    /// Reads a document of format 0.
    pub fn read_plain(txn: &mut TransactionMut, root: &XmlTextRef, schema: Schema, client: u32) -> Self {
        let mirror = Mirror::read_plain(txn, root);
        let tree = EditorTree::new(write::read_plain(&mirror, &schema, None), schema.clone());
        let (known, again, client) = (KnownParts::default(), Again::default(), u64::from(client));
        Self { mirror, known, again, schema, tree, client, heard: 0, inexact: 0, met: 0 }
    }

    /// What leads the editor to what the mirror shows now.
    pub fn show_plain_now(&mut self) -> Vec<Op> {
        let touched = self.mirror.take_touched();
        self.known.note_changed(&touched);
        self.show_top(&touched).unwrap_or_else(|| {
            let before = self.tree().clone();
            let now = write::follow_plain(&self.mirror, &self.schema, &touched, &before);
            let ops = remote::steps_by_copy(&before, &now);
            self.tree.reset(now);
            ops
        })
    }

    /// The same where all that changed is in one top-level element of a document of format 0; `None`: it is not.
    fn show_top(&mut self, touched: &QuickSet<Nid>) -> Option<Vec<Op>> {
        let top = self.mirror.top(*touched.iter().next()?);
        if top == ROOT || touched.iter().any(|node| self.mirror.top(*node) != top) {
            return None;
        }
        let at = self.mirror.node(ROOT).items.iter().position(|item| *item == Item::Node(top))?;
        let Some(Kid::Element(before)) = self.tree().kids.get(at) else { return None };
        if before.id != NodeId::Head(self.mirror.id(top)) {
            return None;
        }
        let before = before.clone();
        let now = write::follow_plain_top(&self.mirror, &self.schema, touched, (top, &before));
        let alone = |top: &Rc<Element>| Rc::new(Element::root(vec![Kid::Element(top.clone())]));
        let mut ops = remote::steps_by_copy(&alone(&before), &alone(&now));
        let firsts = ops.iter_mut().flat_map(Op::paths_mut).filter_map(|path| path.first_mut());
        firsts.for_each(|first| *first += at as u32);
        drop(before);
        self.tree.set_top(at, now);
        Some(ops)
    }

    /// What leads the editor to what a document of format 0 shows, read again from the mirror.
    pub fn show_all_plain(&mut self) -> Vec<Op> {
        let before = self.tree.root().clone();
        let now = write::read_plain(&self.mirror, &self.schema, Some(&before));
        let ops = remote::steps_by_copy(&before, &now);
        self.tree.reset(now);
        ops
    }

    /// [`Reference::check_part`] in a document of format 0.
    pub fn check_plain(&mut self, txn: &mut TransactionMut, root: &XmlTextRef, from: usize) -> Option<Checked> {
        let (mut items, mut next, mut read) = (Vec::new(), from, 0);
        for item in self.mirror.node(ROOT).items.get(from..).unwrap_or_default() {
            if items.len() == CHECKED || read >= BUDGET {
                break;
            }
            next += 1;
            if let Some(node) = item.node() {
                items.push(node);
                read += self.all_in(node).iter().map(|node| 1 + self.mirror.length(*node)).sum::<u32>();
            }
        }
        if next == from && from > 0 {
            return None;
        }
        Some(self.check_items(txn, root, (from == 0, &items), next))
    }

    /// The same of what changed since this was asked last; `None`: nothing.
    pub fn check_changed(&mut self, txn: &mut TransactionMut, root: &XmlTextRef) -> Option<Checked> {
        let changed = self.known.take_changed();
        let changed: Vec<Nid> =
            changed.into_iter().filter(|node| self.mirror.find(self.mirror.id(*node)).is_some()).collect();
        let mut tops: Vec<Nid> = changed.iter().map(|node| self.mirror.top(*node)).filter(|top| *top != ROOT).collect();
        tops.sort_unstable();
        tops.dedup();
        let is_any = !changed.is_empty();
        is_any.then(|| self.check_items(txn, root, (changed.contains(&ROOT), &tops), usize::MAX))
    }

    fn all_in(&self, node: Nid) -> Vec<Nid> {
        let (mut todo, mut all) = (vec![node], Vec::new());
        while let Some(node) = todo.pop() {
            all.push(node);
            todo.extend(self.mirror.node(node).items.iter().filter_map(Item::node));
        }
        all
    }

    /// These items of the root with all in them, and the list of items itself.
    fn check_items(
        &mut self,
        txn: &mut TransactionMut,
        root: &XmlTextRef,
        (list, items): (bool, &[Nid]),
        mut next: usize,
    ) -> Checked {
        let is_true = (!list || self.mirror.is_true(txn, &[ROOT])) && self.mirror.is_true(txn, items);
        let ops = if is_true {
            for item in items {
                let all = self.all_in(*item);
                self.mirror.touch(&all);
            }
            if list {
                self.mirror.touch(&[ROOT]);
            }
            let ops = self.show_plain_now();
            self.known.take_changed();
            ops
        } else {
            next = usize::MAX;
            self.check(txn, root)
        };
        let heads: QuickSet<_> = items.iter().map(|item| NodeId::Head(self.mirror.id(*item))).collect();
        let is_one = |kid: &Kid| matches!(kid, Kid::Element(kid) if heads.contains(&kid.id));
        let blocks = self.tree().kids.iter().enumerate().filter(|(_, kid)| !is_true || is_one(kid));
        let blocks = blocks.map(|(at, _)| at as u32).collect();
        Checked { blocks, next, is_true: is_true && ops.is_empty(), ops }
    }
}
