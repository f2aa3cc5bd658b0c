//! [`aim`]: what was shown before an edit, with the ids that it has now.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::Again;
use crate::slate::value::utf16;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::{Id, Mirror, Span};

/// Above what the editor's tree counts up by itself.
const FIRST_NEW: u64 = 1 << 32;

/// `wanted`, in which everything that is in the document has the id of today, and everything else is new.
pub fn aim(mirror: &Mirror, again: &Again, shown: &[Kid], wanted: &[Kid]) -> Vec<Kid> {
    let mut aim = Aim { mirror, again, runs: Vec::new(), keys: HashSet::new(), used: HashSet::new(), next: FIRST_NEW };
    aim.collect(shown);
    aim.runs.sort_unstable();
    aim.kids(wanted)
}

struct Aim<'a> {
    mirror: &'a Mirror,
    again: &'a Again,
    /// Characters that are shown.
    runs: Vec<Span>,
    /// Of elements around text that are shown.
    keys: HashSet<Arc<str>>,
    /// Heads that are in it already.
    used: HashSet<Id>,
    next: u64,
}

impl Aim<'_> {
    fn collect(&mut self, kids: &[Kid]) {
        for kid in kids {
            match kid {
                Kid::Element(kid) => {
                    if let NodeId::Around { key, .. } = &kid.id {
                        self.keys.insert(key.clone());
                    }
                    self.collect(&kid.kids);
                }
                Kid::Leaf(leaf) => self.runs.extend(leaf.runs.iter().filter_map(|run| Some((run.id?, run.len)))),
            }
        }
    }

    fn element(&mut self, wanted: &Element) -> Element {
        let id = self.id(&wanted.id);
        let kids = self.kids(&wanted.kids);
        Element { id, props: wanted.props.clone(), kids, inline: wanted.inline, void: wanted.void }
    }

    fn kids(&mut self, wanted: &[Kid]) -> Vec<Kid> {
        let kids = wanted.iter().map(|kid| match kid {
            Kid::Element(kid) => Kid::Element(Rc::new(self.element(kid))),
            Kid::Leaf(leaf) => Kid::Leaf(self.leaf(leaf)),
        });
        kids.collect()
    }

    fn id(&mut self, id: &NodeId) -> NodeId {
        match id {
            NodeId::Root => return NodeId::Root,
            NodeId::Head(id) => {
                let now = self.again.latest(*id);
                if self.mirror.find(now).is_some() && self.used.insert(now) {
                    return NodeId::Head(now);
                }
            }
            NodeId::Around { key, .. } if self.keys.contains(key) => return id.clone(),
            NodeId::Around { .. } | NodeId::New(_) => {}
        }
        self.next += 1;
        NodeId::New(self.next)
    }

    fn leaf(&self, wanted: &Leaf) -> Leaf {
        let mut leaf = Leaf { marks: wanted.marks.clone(), runs: Vec::new() };
        for run in &wanted.runs {
            let mut offset = 0;
            let known = run.id.map(|id| self.again.follow((id, run.len))).unwrap_or_default();
            let pieces = known.into_iter().flat_map(|span| self.pieces(span));
            let pieces: Vec<(Option<Id>, u32)> = match run.id {
                Some(_) => pieces.collect(),
                None => vec![(None, run.len)],
            };
            for (id, len) in pieces {
                if let Some(text) = utf16::slice(&run.text, offset, offset + len) {
                    leaf.push(Chars { id, text: text.into(), len });
                }
                offset += len;
            }
        }
        leaf
    }

    /// The parts of a run that are shown, and those that are not.
    fn pieces(&self, (first, len): Span) -> Vec<(Option<Id>, u32)> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < len {
            let id = first.plus(at);
            let index = self.runs.partition_point(|(start, _)| *start <= id);
            let is_in = |(start, count): &&Span| start.client == id.client && id.clock < start.clock + count;
            let (known, until) = match index.checked_sub(1).and_then(|index| self.runs.get(index)).filter(is_in) {
                Some((start, count)) => (Some(id), start.clock + count),
                None => {
                    let next = self.runs.get(index).filter(|(start, _)| start.client == id.client);
                    (None, next.map_or(u32::MAX, |(start, _)| start.clock))
                }
            };
            let here = (until - id.clock).min(len - at);
            pieces.push((known, here));
            at += here;
        }
        pieces
    }
}
