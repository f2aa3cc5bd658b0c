//! [`Writer`]: small changes of the document, done to the mirror as well.

mod looking;
mod rows;

use std::collections::HashSet;
use std::sync::Arc;

use yrs::encoding::write::Write as _;
use yrs::updates::decoder::Decode as _;
use yrs::{
    Any, Assoc, ClientID, ID, IndexScope, IndexedSequence as _, Map as _, ReadTxn, StickyIndex, Text as _,
    TransactionMut, Update, WriteTxn as _, Xml as _, XmlTextPrelim, XmlTextRef,
};

use super::act::{Act, Beside, Span};
use super::attrs::Kind;
use super::formats::Formats;
use super::id::Id;
use super::mirror::{Item, Mirror, Nid, ROOT, Run, visited};
use super::read;
use super::sight::Sight;
use crate::slate::value::node::Attrs;
use crate::slate::value::utf16;

/// Indices count UTF-16 units and embeds in a sequence. What is out of range is clamped or changes nothing.
pub struct Writer<'a, 'doc> {
    pub mirror: &'a mut Mirror,
    txn: &'a mut TransactionMut<'doc>,
    client: u64,
    /// Whether anything was written.
    pub changed: bool,
    acts: Vec<Act>,
    /// Keys of formats that a sequence has since this was made.
    given: HashSet<(Nid, Arc<str>)>,
    /// In which sequence text was put last.
    typing: Option<Nid>,
    /// See [`Writer::look_at`].
    sight: Option<Sight>,
}

impl<'a, 'doc> Writer<'a, 'doc> {
    pub fn new(mirror: &'a mut Mirror, txn: &'a mut TransactionMut<'doc>, client: u64) -> Self {
        let (acts, given) = (Vec::new(), HashSet::new());
        Self { mirror, txn, client, changed: false, acts, given, typing: None, sight: None }
    }

    /// One's own client id.
    pub fn client(&self) -> u64 {
        self.client
    }

    /// What was done so far, in order; from here on anew.
    pub fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// Where a character or nested type stands, or stood before it was deleted.
    pub fn place_of(&self, id: Id) -> Option<(Nid, u32)> {
        let scope = IndexScope::Relative(ID::new(ClientID::new(id.client), id.clock));
        let offset = StickyIndex::new(scope, Assoc::After).get_offset(&*self.txn)?;
        let seq = self.mirror.find(Id::of(&XmlTextRef::from(offset.branch)))?;
        Some((seq, offset.index))
    }

    /// The same, between what is still there of what it stood between: several that were deleted one after the other have
    /// one place in yrs.
    pub fn place_between(&self, id: Id, between: Beside) -> Option<(Nid, u32)> {
        let (seq, index) = self.place_of(id)?;
        let at = |id: Id| self.find(seq, (id, 1)).first().map(|(index, _)| *index);
        let from = between.left.and_then(at).map_or(0, |left| left + 1);
        let to = between.right.and_then(at).unwrap_or(u32::MAX);
        Some((seq, index.min(to).max(from)))
    }

    fn clock(&self) -> u32 {
        ReadTxn::store(self.txn).get_local_state()
    }

    /// Puts text in: it has the formats in force there. Returns the id of its first character.
    ///
    /// By its index, although yrs passes all that is before it: between two items of the mirror may be deleted ones, and a struct
    /// that names two as its neighbours which are none is put in different places by different replicas.
    pub fn insert_text(&mut self, seq: Nid, index: u32, text: &str) -> Id {
        let id = Id::new(self.client, self.clock());
        let len = utf16::len(text);
        if len == 0 {
            return id;
        }
        self.changed = true;
        let at = self.cut(seq, index);
        let formats = self.formats_before(seq, at);
        let index = self.units(seq, at);
        self.mirror.node(seq).branch.clone().insert(self.txn, index, text);
        self.mirror.bound += u64::from(len);
        self.note_text(seq, at, Run { id, text: text.into(), len, formats });
        id
    }

    /// Puts text in with exactly these formats; where they are in force already, nothing is written for them. Returns the id
    /// of its first character.
    pub fn insert_formatted(&mut self, seq: Nid, index: u32, text: &str, formats: &[(Arc<str>, Any)]) -> Id {
        let wanted: Attrs = formats.iter().cloned().collect();
        let at = self.cut(seq, index);
        if text.is_empty() || *self.formats_before(seq, at) == wanted {
            return self.insert_text(seq, index, text);
        }
        self.changed = true;
        let index = self.units(seq, at);
        let branch = self.mirror.node(seq).branch.clone();
        let before = self.clock();
        branch.insert_with_attributes(self.txn, index, text, formats.iter().cloned().collect());
        self.mirror.bound += u64::from(self.clock() - before);
        // The first things that were written may be formats.
        let place = branch.sticky_index(self.txn, index, Assoc::After);
        let id = place.as_ref().and_then(StickyIndex::id).map_or(Id::new(self.client, before), |id| Id::from(*id));
        let formats = Formats::new(wanted);
        self.mirror.see_formats(&formats);
        self.note_text(seq, at, Run { id, text: text.into(), len: utf16::len(text), formats });
        id
    }

    fn note_text(&mut self, seq: Nid, at: usize, run: Run) {
        let (id, len) = (run.id, run.len);
        self.mirror.touched.insert(seq);
        let items = &mut self.mirror.nodes[seq as usize].items;
        match at.checked_sub(1).and_then(|before| items.get_mut(before)) {
            // What is typed goes on in its run.
            Some(Item::Text(last))
                if last.id.client == id.client && last.id.plus(last.len) == id && last.formats == run.formats =>
            {
                last.text = [&*last.text, &*run.text].concat().into();
                last.len += len;
            }
            _ => items.insert(at, Item::Text(run)),
        }
        match self.acts.last_mut() {
            // What is typed in one go is one act.
            Some(Act::Insert((first, more))) if self.typing == Some(seq) && first.plus(*more) == id => *more += len,
            _ => self.acts.push(Act::Insert((id, len))),
        }
        self.typing = Some(seq);
    }

    /// Puts in a nested type with these attributes (as they are named in the document) and the formats in force there.
    pub fn make(&mut self, seq: Nid, index: u32, attributes: &[(Arc<str>, Any)]) -> Nid {
        #[cfg(test)]
        assert!(!self.is_left_out(seq), "nothing is put into what stands for others");
        self.changed = true;
        let at = self.cut(seq, index);
        let formats = self.formats_before(seq, at);
        let (index, parent) = (self.units(seq, at), self.mirror.node(seq).branch.clone());
        let branch = parent.insert_embed(self.txn, index, XmlTextPrelim::new(""));
        self.mirror.bound += 1;
        let id = Id::of(&branch);
        let node = self.mirror.add(branch, id, seq, formats);
        self.mirror.stands_at(node, at);
        self.mirror.nodes[seq as usize].items.insert(at, Item::Node(node));
        self.mirror.touched.extend([seq, node]);
        self.dress(node, attributes);
        node
    }

    /// Gives a nested type that is new its attributes. They come and go with it.
    pub fn dress(&mut self, node: Nid, attributes: &[(Arc<str>, Any)]) {
        let kind =
            attributes.iter().find(|(name, _)| **name == *"@").map_or(Kind::Strand, |(_, value)| Kind::read(value));
        let up = self.mirror.node(node).up;
        self.acts.push(Act::Make { id: self.mirror.id(node), kind, up: self.mirror.id(up) });
        for (name, value) in attributes {
            self.put_attribute(node, name, value.clone());
        }
    }

    /// Deletes a nested type, with all that is in it.
    pub fn delete_node(&mut self, node: Nid) {
        if node == ROOT || self.mirror.find(self.mirror.id(node)) != Some(node) {
            return;
        }
        let id = self.mirror.id(node);
        let attributes = read::attributes(self.txn, &self.mirror.node(node).branch);
        let attributes = attributes.map(|(name, value)| (name.into(), value)).collect();
        let (up, formats) = (self.mirror.node(node).up, self.mirror.node(node).formats.clone());
        let at = self.mirror.node(up).items.iter().position(|item| *item == Item::Node(node));
        let between = at.map(|at| Beside {
            left: at.checked_sub(1).and_then(|left| self.edge(up, left, true)),
            right: self.edge(up, at + 1, false),
        });
        self.acts.push(Act::Drop { id, attributes, formats, between: between.unwrap_or_default() });
        self.delete(&[(id, 1)]);
        self.mirror.nodes[up as usize].items.retain(|item| *item != Item::Node(node));
        self.mirror.touched.insert(up);
        self.mirror.forget(node);
    }

    /// Deletes the text of a sequence in a range; nested types in it stay.
    pub fn delete_text(&mut self, seq: Nid, index: u32, len: u32) {
        let end = (index + len).min(self.items(seq).iter().map(Item::len).sum());
        if end <= index {
            return;
        }
        let (from, to) = (self.cut(seq, index), self.cut(seq, end));
        self.mirror.touched.insert(seq);
        // One after the other: what was deleted stands beside nothing any more.
        let mut left = from.checked_sub(1).and_then(|before| self.edge(seq, before, true));
        let rights: Vec<Option<Id>> = (from..to).map(|at| self.edge(seq, at + 1, false)).collect();
        let mut ids = Vec::new();
        let mut kept = Vec::new();
        let deleted: Vec<Item> = self.mirror.nodes[seq as usize].items.drain(from..to).collect();
        for (item, right) in deleted.into_iter().zip(rights) {
            match item {
                Item::Text(run) => {
                    let span = (run.id, run.len);
                    ids.push(span);
                    let between = Beside { left, right };
                    self.acts.push(Act::Delete { span, text: run.text, formats: run.formats, between });
                }
                other => {
                    left = match &other {
                        Item::Node(node) => Some(self.mirror.id(*node)),
                        _ => None,
                    };
                    kept.push(other);
                }
            }
        }
        self.mirror.nodes[seq as usize].items.splice(from..from, kept);
        self.delete(&ids);
    }

    /// The id of an item's last character or first, or of the nested type.
    fn edge(&self, seq: Nid, at: usize, is_last: bool) -> Option<Id> {
        match self.mirror.node(seq).items.get(at)? {
            Item::Text(run) if is_last => Some(run.id.plus(run.len - 1)),
            Item::Text(run) => Some(run.id),
            Item::Node(node) => Some(self.mirror.id(*node)),
            Item::Left { node, .. } => self.mirror.edge_left_out(*node, is_last),
            Item::Foreign => None,
        }
    }

    /// Deletes those of these characters that are still there.
    pub fn delete_span(&mut self, span: Span) {
        let Some((seq, _)) = self.place_of(span.0) else { return };
        for (index, len) in self.find(seq, span).into_iter().rev() {
            self.delete_text(seq, index, len);
        }
    }

    /// Where those of these characters, or this nested type, are that are still there: in one sequence, from left to right.
    pub fn find(&self, seq: Nid, span: Span) -> Vec<(u32, u32)> {
        let (mut index, mut found) = (0, Vec::new());
        for item in self.items(seq) {
            if let Some((id, from, to)) = self.shares(item, span) {
                found.push((index + from - id.clock, to - from));
            }
            index += item.len();
        }
        found
    }

    /// An item's id, and from which clock to which it has something of these characters.
    fn shares(&self, item: &Item, (first, count): Span) -> Option<(Id, u32, u32)> {
        let id = match item {
            Item::Text(run) => run.id,
            Item::Node(node) => self.mirror.id(*node),
            Item::Foreign | Item::Left { .. } => return None,
        };
        let from = id.clock.max(first.clock);
        let to = (id.clock + item.len()).min(first.clock.saturating_add(count));
        (id.client == first.client && from < to).then_some((id, from, to))
    }

    /// Which of these characters are not there any more, in their order.
    pub fn missing(&self, (first, count): Span) -> Vec<Span> {
        let end = first.clock.saturating_add(count);
        let seq = self.place_of(first).map(|(seq, _)| &self.mirror.node(seq).items);
        let shares = seq.into_iter().flatten().filter_map(|item| self.shares(item, (first, count)));
        let mut there: Vec<(u32, u32)> = shares.map(|(_, from, to)| (from, to)).collect();
        there.sort_unstable();
        let (mut at, mut missing) = (first.clock, Vec::new());
        for (from, to) in there.into_iter().chain([(end, end)]) {
            if at < from {
                missing.push((Id::new(first.client, at), from - at));
            }
            at = at.max(to);
        }
        missing
    }

    /// What in a sequence has this value under this key of a format.
    pub fn formatted(&self, seq: Nid, key: &str, value: &Any) -> Vec<(u32, u32)> {
        let (mut index, mut found) = (0, Vec::new());
        for item in &self.mirror.node(seq).items {
            let formats = match item {
                Item::Text(run) => Some(&run.formats),
                Item::Node(node) => Some(&self.mirror.node(*node).formats),
                Item::Foreign | Item::Left { .. } => None,
            };
            if formats.is_some_and(|formats| formats.get(key) == Some(value)) {
                found.push((index, item.len()));
            }
            index += item.len();
        }
        found
    }

    fn has_key(&self, seq: Nid, key: &str) -> bool {
        self.mirror.node(seq).items.iter().any(|item| match item {
            Item::Text(run) => run.formats.contains_key(key),
            Item::Node(node) => self.mirror.node(*node).formats.contains_key(key),
            Item::Foreign | Item::Left { .. } => false,
        })
    }

    /// By id: yrs' own removal clears formats across nested types.
    pub(super) fn delete(&mut self, ids: &[(Id, u32)]) {
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
        if node == ROOT || self.is_left_out(node) {
            return;
        }
        self.note_set(node, name, Some(&value));
        self.put_attribute(node, name, value);
    }

    fn put_attribute(&mut self, node: Nid, name: &str, value: Any) {
        self.changed = true;
        let branch = self.mirror.node(node).branch.clone();
        self.mirror.bound += 1;
        let (plain, registers) = (self.mirror.plain, &mut self.mirror.nodes[node as usize].registers);
        match plain {
            true => registers.set_plain(name, Some(&value)),
            false => registers.set(name, Some(&value)),
        }
        self.mirror.note_registers(node);
        let registers = &self.mirror.node(node).registers;
        if let Some(place) = registers.at.as_ref().map(|place| place.time) {
            self.mirror.see_time(place);
        }
        branch.insert_attribute(self.txn, name, value);
    }

    pub fn remove_attribute(&mut self, node: Nid, name: &str) {
        if node == ROOT || self.is_left_out(node) {
            return;
        }
        let branch = self.mirror.node(node).branch.clone();
        if read::is_named(&branch, name) {
            return self.set_attribute(node, name, Any::Null);
        }
        self.changed = true;
        self.note_set(node, name, None);
        branch.remove_attribute(self.txn, &name);
        let (plain, registers) = (self.mirror.plain, &mut self.mirror.nodes[node as usize].registers);
        match plain {
            true => registers.set_plain(name, None),
            false => registers.set(name, None),
        }
        self.mirror.note_registers(node);
    }

    /// What stands for others is not in the document.
    fn is_left_out(&self, node: Nid) -> bool {
        self.mirror.id(node).left_out().is_some()
    }

    /// An attribute as it stands in the document.
    pub fn attribute(&self, node: Nid, name: &str) -> Option<Any> {
        read::attribute(self.txn, &self.mirror.node(node).branch, name)
    }

    /// Sets a value of a root map.
    pub fn set_in_map(&mut self, map: &str, key: String, value: Any) {
        self.changed = true;
        let map = self.txn.get_or_insert_map(map);
        map.insert(self.txn, key, value);
        self.mirror.bound += 1;
    }

    fn note_set(&mut self, node: Nid, name: &str, after: Option<&Any>) {
        let before = self.attribute(node, name);
        self.acts.push(Act::Set { id: self.mirror.id(node), name: name.into(), before, after: after.cloned() });
    }

    /// Sets formats of a range, by their keys in the document; null clears one.
    pub fn format(&mut self, seq: Nid, index: u32, len: u32, formats: &[(Arc<str>, Any)]) {
        let end = (index + len).min(self.mirror.length(seq));
        if end <= index || formats.is_empty() {
            return;
        }
        self.changed = true;
        for (key, _) in formats {
            if !self.has_key(seq, key) {
                self.given.insert((seq, key.clone()));
            }
        }
        let branch = self.mirror.node(seq).branch.clone();
        let before = self.clock();
        branch.format(self.txn, index, end - index, formats.iter().cloned().collect());
        self.mirror.bound += u64::from(self.clock() - before);
        let (from, to) = (self.cut(seq, index), self.cut(seq, end));
        self.mirror.touched.insert(seq);
        for at in from..to {
            let node = self.mirror.node(seq).items[at].node();
            let (span, len, slot) = match (node, &mut self.mirror.nodes[seq as usize].items[at]) {
                (Some(node), _) => {
                    let data = &mut self.mirror.nodes[node as usize];
                    (data.id, 1, &mut data.formats)
                }
                (None, Item::Text(run)) => (run.id, run.len, &mut run.formats),
                _ => continue,
            };
            let span = (span, len);
            let mut changed = (**slot).clone();
            for (key, value) in formats {
                let after = Some(value).filter(|value| !matches!(value, Any::Null | Any::Undefined)).cloned();
                let before = match &after {
                    Some(value) => changed.insert(key.clone(), value.clone()),
                    None => changed.remove(key),
                };
                let given = self.given.contains(&(seq, key.clone()));
                note_format(&mut self.acts, span, key, (before, after), given);
            }
            *slot = Formats::new(changed);
            let slot = slot.clone();
            self.mirror.see_formats(&slot);
        }
    }

    /// Sets formats of what was put in just now: they come and go with it.
    pub fn format_new(&mut self, seq: Nid, index: u32, len: u32, formats: &[(Arc<str>, Any)]) {
        let acts = self.acts.len();
        self.format(seq, index, len, formats);
        self.acts.truncate(acts);
    }

    /// The same with keys that others may have given, and may clear at any time. Yjs takes the end of another range with that key
    /// for the end of this one, if it stands right behind: then who clears that range takes the end of this one away, and the key
    /// spreads. So each range gets an end of its own, behind which nothing else stands while it is written.
    pub fn format_again(&mut self, seq: Nid, index: u32, len: u32, formats: &[(Arc<str>, Any)]) {
        if formats.is_empty() {
            return;
        }
        let branch = self.mirror.node(seq).branch.clone();
        let stop = Id::new(self.client, self.clock());
        branch.insert(self.txn, index + len, "|");
        self.mirror.bound += 1;
        self.format_new(seq, index, len, formats);
        self.delete(&[(stop, 1)]);
    }

    /// Cuts a run so that an item begins at this index. Returns that item's place in the list.
    fn cut(&mut self, seq: Nid, index: u32) -> usize {
        let bounds = self.bounds(seq);
        visited(bounds.len());
        let items = &mut self.mirror.nodes[seq as usize].items;
        let mut start = 0;
        for at in bounds.clone() {
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
        bounds.end
    }
}

/// The same key set on neighbours is one act.
fn note_format(
    acts: &mut Vec<Act>,
    span: Span,
    key: &Arc<str>,
    (before, after): (Option<Any>, Option<Any>),
    given: bool,
) {
    if before == after {
        return;
    }
    for act in acts.iter_mut().rev() {
        match act {
            Act::Format { on, key: other, before: was, after: is, given: as_given } => {
                if other == key && *was == before && *is == after && *as_given == given {
                    return on.push(span);
                }
            }
            _ => break,
        }
    }
    acts.push(Act::Format { on: vec![span], key: key.clone(), before, after, given });
}
