//! Elements of the tree compared with the doc's, and mended: a difference, which there should be none of, is treated like
//! a change that a transaction has just made there. So it becomes the smallest operations, and the caret stays.

use std::collections::HashSet;

use yrs::{BranchID, ReadTxn, XmlTextRef};

use super::watch::Records;
use super::{Outcome, Remote, Window};
use crate::slate::read;
use crate::slate::tree::{MAX_DEPTH, NodeId, ROOT};

impl<T: ReadTxn> Remote<'_, T> {
    /// Each of `open` says whether all below it is meant as well. Returns also how many elements differed.
    #[cold]
    #[inline(never)]
    pub fn check(self, mut open: Vec<(NodeId, bool)>) -> (Outcome, u32) {
        let mut compared = HashSet::new();
        let mut differing = Vec::new();
        let mut miscounted = 0;
        while let Some((id, deep)) = open.pop() {
            // What is deeper than this is not shown.
            if self.emit.tree.depth(id).is_none_or(|depth| depth >= MAX_DEPTH) {
                continue;
            }
            let Some(branch) = self.living(id) else {
                // It is not in the doc any more, and so its parent differs.
                open.extend(self.emit.tree.parent(id).map(|parent| (parent, false)));
                continue;
            };
            if compared.insert(id) {
                miscounted += u32::from(self.emit.tree.recount(id));
                if self.differs(id, &branch) {
                    differing.push(branch);
                }
            }
            if deep {
                let children = self.emit.tree.children(id).iter();
                open.extend(children.filter(|&&child| !self.emit.tree.is_text(child)).map(|&child| (child, true)));
            }
        }
        let divergences = miscounted + differing.len() as u32;
        if differing.is_empty() {
            return (self.outcome(), divergences);
        }
        (self.run(&differing, Records::new()), divergences)
    }

    /// The shared type behind an element, asked of the doc: the tree may have one that was deleted, which must not be
    /// looked at.
    fn living(&self, id: NodeId) -> Option<XmlTextRef> {
        if id == ROOT {
            return self.emit.tree.branch(ROOT);
        }
        let key = self.emit.tree.block(id)?.key?;
        BranchID::get_nested(self.txn, &key).map(XmlTextRef::from)
    }

    #[cold]
    #[inline(never)]
    fn differs(&self, id: NodeId, branch: &XmlTextRef) -> bool {
        let Some(block) = self.emit.tree.block(id) else { return false };
        let attrs = id == ROOT
            || read::has_attrs(self.txn, branch, &block.attrs)
            || read::attrs(self.txn, branch).same(&block.attrs);
        !attrs || !self.agrees(id, branch, &read::content(self.txn, branch).pieces, Window::default())
    }
}
