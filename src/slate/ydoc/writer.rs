//! [`Writer`]: small changes of the document, done to the mirror as well.

use std::sync::Arc;

use yrs::encoding::write::Write as _;
use yrs::updates::decoder::Decode as _;
use yrs::{Any, ReadTxn, Text as _, TransactionMut, Update, Xml as _, XmlTextPrelim};

use super::formats::Formats;
use super::id::Id;
use super::mirror::{Item, Mirror, Nid, ROOT, Run};
use crate::slate::utf16;

/// Indices count UTF-16 units and embeds in a sequence. What is out of range is clamped or changes nothing.
pub struct Writer<'a, 'doc> {
    pub mirror: &'a mut Mirror,
    txn: &'a mut TransactionMut<'doc>,
    client: u64,
    /// Whether anything was written.
    pub changed: bool,
}

impl<'a, 'doc> Writer<'a, 'doc> {
    pub fn new(mirror: &'a mut Mirror, txn: &'a mut TransactionMut<'doc>, client: u64) -> Self {
        Self { mirror, txn, client, changed: false }
    }

    /// One's own client id.
    pub fn client(&self) -> u64 {
        self.client
    }

    fn clock(&self) -> u32 {
        ReadTxn::store(self.txn).get_local_state()
    }

    /// Puts text in: it has the formats in force there. Returns the id of its first character.
    pub fn insert_text(&mut self, seq: Nid, index: u32, text: &str) -> Id {
        let index = index.min(self.mirror.length(seq));
        let id = Id::new(self.client, self.clock());
        let len = utf16::len(text);
        if len == 0 {
            return id;
        }
        self.changed = true;
        let formats = self.mirror.formats_at(seq, index);
        let branch = self.mirror.node(seq).branch.clone();
        branch.insert(self.txn, index, text);
        self.mirror.bound += u64::from(len);
        let at = self.cut(seq, index);
        self.mirror.nodes[seq as usize].items.insert(at, Item::Text(Run { id, text: text.into(), len, formats }));
        id
    }

    /// Puts in a nested type with these attributes (as they are named in the document) and the formats in force there.
    pub fn make(&mut self, seq: Nid, index: u32, attributes: &[(Arc<str>, Any)]) -> Nid {
        let index = index.min(self.mirror.length(seq));
        self.changed = true;
        let formats = self.mirror.formats_at(seq, index);
        let parent = self.mirror.node(seq).branch.clone();
        let branch = parent.insert_embed(self.txn, index, XmlTextPrelim::new(""));
        self.mirror.bound += 1;
        let id = Id::of(&branch);
        let node = self.mirror.add(branch, id, seq, formats);
        let at = self.cut(seq, index);
        self.mirror.nodes[seq as usize].items.insert(at, Item::Node(node));
        for (name, value) in attributes {
            self.set_attribute(node, name, value.clone());
        }
        node
    }

    /// Deletes a nested type, with all that is in it.
    pub fn delete_node(&mut self, node: Nid) {
        if node == ROOT || self.mirror.find(self.mirror.id(node)) != Some(node) {
            return;
        }
        let id = self.mirror.id(node);
        self.delete(&[(id, 1)]);
        let up = self.mirror.node(node).up;
        self.mirror.nodes[up as usize].items.retain(|item| *item != Item::Node(node));
        self.mirror.forget(node);
    }

    /// Deletes the text of a sequence in a range; nested types in it stay.
    pub fn delete_text(&mut self, seq: Nid, index: u32, len: u32) {
        let end = (index + len).min(self.mirror.length(seq));
        if end <= index {
            return;
        }
        let (from, to) = (self.cut(seq, index), self.cut(seq, end));
        let items = &mut self.mirror.nodes[seq as usize].items;
        let mut ids = Vec::new();
        let mut kept = Vec::new();
        for item in items.drain(from..to) {
            match item {
                Item::Text(run) => ids.push((run.id, run.len)),
                other => kept.push(other),
            }
        }
        items.splice(from..from, kept);
        self.delete(&ids);
    }

    /// By id: yrs' own removal clears formats across nested types.
    fn delete(&mut self, ids: &[(Id, u32)]) {
        if ids.is_empty() {
            return;
        }
        self.changed = true;
        let mut update = vec![0];
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let mut clients: Vec<&[(Id, u32)]> = Vec::new();
        clients.extend(ids.chunk_by(|a, b| a.0.client == b.0.client));
        update.write_var(clients.len() as u32);
        for ranges in clients {
            update.write_var(ranges[0].0.client);
            update.write_var(ranges.len() as u32);
            for (id, len) in ranges {
                update.write_var(id.clock);
                update.write_var(*len);
            }
        }
        // Cannot fail: what is deleted is there.
        if let Ok(update) = Update::decode_v1(&update) {
            drop(self.txn.apply_update(update));
        }
    }

    /// Sets an attribute, as it is named in the document.
    pub fn set_attribute(&mut self, node: Nid, name: &str, value: Any) {
        if node == ROOT {
            return;
        }
        self.changed = true;
        let branch = self.mirror.node(node).branch.clone();
        self.mirror.bound += 1;
        let registers = &mut self.mirror.nodes[node as usize].registers;
        registers.set(name, Some(&value));
        if let Some(place) = registers.at.as_ref().map(|place| place.time) {
            self.mirror.see_time(place);
        }
        branch.insert_attribute(self.txn, name, value);
    }

    pub fn remove_attribute(&mut self, node: Nid, name: &str) {
        if node == ROOT {
            return;
        }
        self.changed = true;
        let branch = self.mirror.node(node).branch.clone();
        branch.remove_attribute(self.txn, &name);
        self.mirror.nodes[node as usize].registers.set(name, None);
    }

    /// Sets formats of a range, by their keys in the document; null clears one.
    pub fn format(&mut self, seq: Nid, index: u32, len: u32, formats: &[(Arc<str>, Any)]) {
        let end = (index + len).min(self.mirror.length(seq));
        if end <= index || formats.is_empty() {
            return;
        }
        self.changed = true;
        let branch = self.mirror.node(seq).branch.clone();
        let before = self.clock();
        branch.format(self.txn, index, end - index, formats.iter().cloned().collect());
        self.mirror.bound += u64::from(self.clock() - before);
        let (from, to) = (self.cut(seq, index), self.cut(seq, end));
        for at in from..to {
            let node = match &self.mirror.node(seq).items[at] {
                Item::Node(node) => Some(*node),
                _ => None,
            };
            let slot = match (node, &mut self.mirror.nodes[seq as usize].items[at]) {
                (Some(node), _) => &mut self.mirror.nodes[node as usize].formats,
                (None, Item::Text(run)) => &mut run.formats,
                _ => continue,
            };
            let mut changed = (**slot).clone();
            for (key, value) in formats {
                match value {
                    Any::Null | Any::Undefined => drop(changed.remove(key)),
                    value => drop(changed.insert(key.clone(), value.clone())),
                }
            }
            *slot = Formats::new(changed);
            let slot = slot.clone();
            self.mirror.see_formats(&slot);
        }
    }

    /// Cuts a run so that an item begins at this index. Returns that item's place in the list.
    fn cut(&mut self, seq: Nid, index: u32) -> usize {
        let items = &mut self.mirror.nodes[seq as usize].items;
        let mut start = 0;
        for at in 0..items.len() {
            let end = start + items[at].len();
            if index == start {
                return at;
            }
            if index < end {
                if let Item::Text(run) = &mut items[at] {
                    let offset = utf16::floor(&run.text, run.len, index - start);
                    let Ok(byte) = utf16::byte_at(&run.text, run.len, offset) else { return at };
                    if offset == 0 {
                        return at;
                    }
                    let (left, right) = run.text.split_at(byte);
                    let right = Run {
                        id: run.id.plus(offset),
                        text: right.into(),
                        len: run.len - offset,
                        formats: run.formats.clone(),
                    };
                    (run.text, run.len) = (left.into(), offset);
                    items.insert(at + 1, Item::Text(right));
                    return at + 1;
                }
                return at;
            }
            start = end;
        }
        items.len()
    }
}
