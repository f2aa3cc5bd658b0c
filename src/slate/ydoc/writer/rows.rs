//! Several things of one sequence at once. Nothing of it is told as acts: a document of format 0 is edited by copy, and what
//! is undone there is undone by operations; in one of format 1 [`Writer::dress`] tells of what is new.

use std::collections::HashMap;

use yrs::types::Delta;
use yrs::{BranchID, ClientID, ID, Text as _, XmlTextPrelim, XmlTextRef};

use super::Writer;
use crate::slate::ydoc::mirror::{Item, Nid};
use crate::slate::ydoc::{Formats, Id, Span};

impl Writer<'_, '_> {
    /// Puts in empty nested types, one after the other, without the formats in force there: yrs looks for a place from the
    /// start of the sequence on, each time it is asked.
    pub fn make_row(&mut self, seq: Nid, index: u32, count: usize) -> Vec<Nid> {
        if count == 0 {
            return Vec::new();
        }
        let index = index.min(self.mirror.length(seq));
        self.changed = true;
        let parent = self.mirror.node(seq).branch.clone();
        let before = self.clock();
        let branches: Vec<XmlTextRef> = match count {
            1 => vec![parent.insert_embed_with_attributes(self.txn, index, XmlTextPrelim::new(""), HashMap::new())],
            _ => {
                let new = (0..count).map(|_| Delta::Inserted(XmlTextPrelim::new(""), None));
                parent.apply_delta(self.txn, std::iter::once(Delta::Retain(index, None)).chain(new));
                // Between them there may be formats, where their neighbours have some.
                let ids =
                    (before..self.clock()).map(|clock| BranchID::Nested(ID::new(ClientID::new(self.client), clock)));
                ids.filter_map(|id| id.get_branch(self.txn)).map(XmlTextRef::from).collect()
            }
        };
        self.mirror.bound += u64::from(self.clock() - before);
        let at = self.cut(seq, index);
        let mut nodes = Vec::with_capacity(branches.len());
        for branch in branches {
            let id = Id::of(&branch);
            nodes.push(self.mirror.add(branch, id, seq, Formats::default()));
        }
        self.mirror.nodes[seq as usize].items.splice(at..at, nodes.iter().map(|node| Item::Node(*node)));
        self.mirror.touched.insert(seq);
        self.mirror.touched.extend(&nodes);
        nodes
    }

    /// Whether what is put in there has no formats, unless it is given some.
    pub fn is_bare(&self, seq: Nid, index: u32) -> bool {
        self.mirror.formats_at(seq, index).is_empty()
    }

    /// Deletes characters and nested types (with all in them) of a sequence. `kept`: what is left of its items from one to
    /// another.
    pub fn take_out(&mut self, seq: Nid, range: std::ops::Range<usize>, kept: Vec<Item>, text: &[Span], nodes: &[Nid]) {
        let mut gone = text.to_vec();
        gone.extend(nodes.iter().map(|node| (self.mirror.id(*node), 1)));
        self.delete(&gone);
        self.mirror.nodes[seq as usize].items.splice(range, kept);
        self.mirror.touched.insert(seq);
        nodes.iter().for_each(|node| self.mirror.forget(*node));
    }
}
