//! [`Witness`]: sees a document change, update by update, and says of each what it did, as the acts that undo takes back.
//!
//! So what somebody did can be taken back by somebody else, and later: by a server that has the log and nobody's undo stack. No
//! view is made, so that a long log is read fast. Acts are told by ids, and hold what their author would have kept: text that
//! went with its formats and what it stood between, attributes with what they were before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use yrs::{Any, Out, Transact as _, TransactionMut, Xml as _};

use super::{DocOptions, SlateDoc};
use crate::slate::value::error::UpdateError;
use crate::slate::value::utf16;
use crate::slate::view::Schema;
use crate::slate::ydoc::{Act, Beside, Formats, Id, Item, Mirror, Nid, Run, Span};
use crate::update::Limits;

/// A nested type before an update.
#[derive(Debug, Clone, Default)]
struct Was {
    items: Vec<SeenItem>,
    attributes: BTreeMap<Arc<str>, Any>,
}

/// An item of a sequence.
#[derive(Debug, Clone, PartialEq)]
enum SeenItem {
    Text(Run),
    Node(Id, Formats),
    Other,
}

impl SeenItem {
    fn span(&self) -> Option<Span> {
        match self {
            Self::Text(run) => Some((run.id, run.len)),
            Self::Node(id, _) => Some((*id, 1)),
            Self::Other => None,
        }
    }

    fn formats(&self) -> Option<&Formats> {
        match self {
            Self::Text(run) => Some(&run.formats),
            Self::Node(_, formats) => Some(formats),
            Self::Other => None,
        }
    }
}

/// Where each character and nested type of a sequence is among its items.
struct Index(BTreeMap<Id, (u32, usize)>);

impl Index {
    fn new(items: &[SeenItem]) -> Self {
        Self(items.iter().enumerate().filter_map(|(at, item)| item.span().map(|(id, len)| (id, (len, at)))).collect())
    }

    /// A span in pieces: which item has each, if one has it.
    fn pieces(&self, (first, len): Span) -> Vec<(Span, Option<usize>)> {
        let (mut pieces, end, mut at) = (Vec::new(), first.clock + len, first.clock);
        while at < end {
            let id = Id::new(first.client, at);
            let here = self.0.range(..=id).next_back();
            let here = here.filter(|(start, (count, _))| start.client == id.client && at < start.clock + count);
            let (until, item) = match here {
                Some((start, (count, item))) => ((start.clock + count).min(end), Some(*item)),
                None => {
                    let next = self.0.range(id..).next().filter(|(next, _)| next.client == id.client);
                    (next.map_or(end, |(next, _)| next.clock.min(end)), None)
                }
            };
            pieces.push(((id, until - at), item));
            at = until;
        }
        pieces
    }
}

/// See the module.
pub struct Witness {
    doc: SlateDoc,
    mirror: Mirror,
    was: HashMap<Id, Was>,
}

impl Witness {
    /// Begins at a state of a document of format 1, or of one that is read as such.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn new(root: &str, state: &[u8]) -> Result<Self, UpdateError> {
        let mut doc = SlateDoc::new(DocOptions {
            client_id: 1,
            root: root.to_owned(),
            block_id: None,
            seed: 0,
            schema: Schema::default(),
        });
        doc.integrate_all(state, Limits::STORED)?;
        let mut txn = doc.doc.transact_mut();
        let mirror = Mirror::read(&mut txn, &doc.root);
        let nodes: Vec<Nid> = mirror.alive().collect();
        let was = nodes.into_iter().map(|node| (mirror.id(node), now(&txn, &mirror, node))).collect();
        drop(txn);
        Ok(Self { doc, mirror, was })
    }

    /// Takes an update in: what it did.
    ///
    /// # Errors
    /// Where it cannot be read; then it did nothing.
    pub fn see(&mut self, update: &[u8]) -> Result<Vec<Act>, UpdateError> {
        let (branches, changed) = self.doc.integrate(update, Limits::STORED)?;
        let mut acts = Acts::default();
        if changed {
            let doc = self.doc.doc.clone();
            let mut txn = doc.transact_mut();
            let followed = self.mirror.follow(&mut txn, &branches);
            for followed in followed {
                self.compare(&txn, followed.node, &mut acts);
            }
        }
        Ok(acts.in_order())
    }

    fn compare(&mut self, txn: &TransactionMut, node: Nid, acts: &mut Acts) {
        // Deleted, or new and seen to with what it stands in.
        let id = self.mirror.id(node);
        if self.mirror.find(id) != Some(node) {
            return;
        }
        let now = now(txn, &self.mirror, node);
        let was = self.was.insert(id, now.clone()).unwrap_or_default();
        acts.set(id, &was.attributes, &now.attributes);
        let same = was.items.iter().zip(&now.items).take_while(|(a, b)| a == b).count();
        let (old, new) = (&was.items[same..], &now.items[same..]);
        let (had, has) = (Index::new(old), Index::new(new));
        let before = was.items[..same].last().and_then(SeenItem::span);
        self.went(old, &has, before.map(|(id, len)| id.plus(len - 1)), acts);
        for item in new {
            let Some(span) = item.span() else { continue };
            for (piece, found) in had.pieces(span) {
                match found.and_then(|at| old[at].formats()) {
                    Some(formats) => acts.format(piece, formats, item.formats(), &was.items),
                    None => self.came(txn, item, piece, id, acts),
                }
            }
        }
    }

    /// What is not in the sequence any more.
    fn went(&mut self, old: &[SeenItem], has: &Index, mut left: Option<Id>, acts: &mut Acts) {
        for (at, item) in old.iter().enumerate() {
            let Some(span) = item.span() else {
                left = None;
                continue;
            };
            let next = old.get(at + 1).and_then(SeenItem::span).map(|(id, _)| id);
            for ((first, len), found) in has.pieces(span) {
                if found.is_some() {
                    left = Some(first.plus(len - 1));
                    continue;
                }
                let from = first.clock - span.0.clock;
                let right = if from + len < span.1 { Some(first.plus(len)) } else { next };
                let between = Beside { left, right };
                match item {
                    SeenItem::Text(run) => {
                        let Some(text) = utf16::slice(&run.text, from, from + len) else { continue };
                        let (text, formats) = (text.into(), run.formats.clone());
                        acts.went.push(Act::Delete { span: (first, len), text, formats, between });
                    }
                    SeenItem::Node(id, formats) => {
                        let attributes = self.was.remove(id).unwrap_or_default().attributes;
                        // What an element held is not written again: in format 1 nobody deletes one.
                        if attributes.contains_key("@") {
                            let (attributes, formats) = (attributes.into_iter().collect(), formats.clone());
                            acts.dropped.push(Act::Drop { id: *id, attributes, formats, between });
                        }
                    }
                    SeenItem::Other => {}
                }
            }
        }
    }

    /// What is new in a sequence, with all that is in it.
    fn came(&mut self, txn: &TransactionMut, item: &SeenItem, piece: Span, up: Id, acts: &mut Acts) {
        let mut todo = vec![(item.clone(), piece, up)];
        while let Some((item, piece, up)) = todo.pop() {
            let SeenItem::Node(id, _) = item else {
                acts.inserted.push(Act::Insert(piece));
                continue;
            };
            let Some(node) = self.mirror.find(id) else { continue };
            acts.made.push(Act::Make { id, kind: self.mirror.kind(node), up });
            let now = now(txn, &self.mirror, node);
            // Made and moved at once: taken back, what was in it goes where it came from.
            if let Some((name, after)) = now.attributes.iter().find(|(name, _)| &***name == "@at") {
                acts.placed.push(Act::Set { id, name: name.clone(), before: None, after: Some(after.clone()) });
            }
            todo.extend(now.items.iter().rev().filter_map(|item| Some((item.clone(), item.span()?, id))));
            self.was.insert(id, now);
        }
    }
}

fn now(txn: &TransactionMut, mirror: &Mirror, node: Nid) -> Was {
    let data = mirror.node(node);
    let items = data.items.iter().map(|item| match item {
        Item::Text(run) => SeenItem::Text(run.clone()),
        Item::Node(node) => SeenItem::Node(mirror.id(*node), mirror.node(*node).formats.clone()),
        Item::Foreign | Item::Left { .. } => SeenItem::Other,
    });
    let attributes = data.branch.attributes(txn).filter_map(|(name, value)| match value {
        Out::Any(Any::Undefined) => None,
        Out::Any(value) => Some((Arc::from(name), value)),
        _ => None,
    });
    Was { items: items.collect(), attributes: attributes.collect() }
}

/// What an update did, in the order of a flush: what goes, what divides and joins, where things are, what comes, and how it is.
#[derive(Default)]
struct Acts {
    went: Vec<Act>,
    made: Vec<Act>,
    placed: Vec<Act>,
    /// After what was registered there: taken back, the marker has to be there again first.
    dropped: Vec<Act>,
    inserted: Vec<Act>,
    changed: Vec<Act>,
}

impl Acts {
    fn in_order(self) -> Vec<Act> {
        [self.went, self.made, self.placed, self.dropped, self.inserted, self.changed].concat()
    }

    fn set(&mut self, id: Id, was: &BTreeMap<Arc<str>, Any>, now: &BTreeMap<Arc<str>, Any>) {
        let added = now.keys().filter(|name| !was.contains_key(*name));
        for name in was.keys().chain(added) {
            let (before, after) = (was.get(name), now.get(name));
            if before != after {
                let is_register = name.starts_with('@') && !name.starts_with("@@");
                let to = if is_register { &mut self.placed } else { &mut self.changed };
                to.push(Act::Set { id, name: name.clone(), before: before.cloned(), after: after.cloned() });
            }
        }
    }

    fn format(&mut self, span: Span, was: &Formats, now: Option<&Formats>, sequence: &[SeenItem]) {
        let Some(now) = now.filter(|now| *now != was) else { return };
        let added = now.keys().filter(|key| !was.contains_key(&***key));
        for key in was.keys().chain(added) {
            let (before, after) = (was.get(&**key).cloned(), now.get(&**key).cloned());
            if before == after {
                continue;
            }
            let same = self.changed.iter_mut().find_map(|act| match act {
                Act::Format { on, key: other, before: had, after: has, .. }
                    if other == key && *had == before && *has == after =>
                {
                    Some(on)
                }
                _ => None,
            });
            match same {
                Some(on) => on.push(span),
                None => {
                    let given = !sequence.iter().any(|item| item.formats().is_some_and(|all| all.contains_key(&**key)));
                    self.changed.push(Act::Format { on: vec![span], key: key.clone(), before, after, given });
                }
            }
        }
    }
}
