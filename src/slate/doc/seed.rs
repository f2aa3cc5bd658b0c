//! The update that gives an empty document its first content.
//!
//! Clients that cannot ask who is first all seed. That is harmless if they write the very same items, which is why
//! everything here depends on the content alone: the client id, the order of items, and each format by itself, because
//! several at a time would be written in the order of a hash map.

use yrs::{Any, Number, Transact, TransactionMut, XmlTextRef};

use crate::slate::value::node::Node;
use crate::slate::value::props::Props;
use crate::slate::value::utf16;
use crate::slate::view::MAX_DEPTH;
use crate::slate::ydoc::by_copy;

pub(in crate::slate) fn update(doc: &yrs::Doc, root: &XmlTextRef, value: &[Node]) -> Vec<u8> {
    let mut txn = doc.transact_mut();
    if value.iter().all(|node| depth(node) < MAX_DEPTH) {
        fill(&mut txn, root, value);
    }
    txn.commit();
    txn.encode_update_v1()
}

/// Inserting at the end means walking there, inserting at the start does not.
const LONG: usize = 32;

fn fill(txn: &mut TransactionMut, branch: &XmlTextRef, nodes: &[Node]) {
    let mut at = 0;
    if nodes.len() > LONG {
        nodes.iter().rev().for_each(|node| insert(txn, branch, 0, node));
    } else {
        for node in nodes {
            insert(txn, branch, at, node);
            at += len(node);
        }
    }
    at = 0;
    for node in nodes {
        match node {
            Node::Text(leaf) => {
                for (key, value) in Props::marks(&leaf.marks).iter() {
                    by_copy::format(txn, branch, at, len(node), &[(key.clone(), value.clone())]);
                }
            }
            Node::Element(_) => {}
        }
        at += len(node);
    }
}

fn insert(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32, node: &Node) {
    match node {
        Node::Text(leaf) => by_copy::insert_text(txn, branch, at, &leaf.text, &Props::default()),
        Node::Element(element) => {
            let child = by_copy::insert_element(txn, branch, at);
            for (key, value) in &element.attrs {
                by_copy::set_attrs(txn, &child, &[(key.clone(), value.clone())]);
            }
            fill(txn, &child, &element.children);
        }
    }
}

/// Levels of nesting: 1 for a text. Stops counting where no value may go.
fn depth(node: &Node) -> usize {
    fn down(node: &Node, level: usize) -> usize {
        match node {
            Node::Element(element) if level <= MAX_DEPTH => {
                element.children.iter().map(|child| down(child, level + 1)).max().unwrap_or(level)
            }
            _ => level,
        }
    }
    down(node, 1)
}

fn len(node: &Node) -> u32 {
    match node {
        Node::Text(leaf) => utf16::len(&leaf.text),
        Node::Element(_) => 1,
    }
}

/// Never zero. Equal values give equal ids; so do, harmlessly, numbers that JSON writes alike.
pub(in crate::slate) fn client_id(root: &str, value: &[Node]) -> u32 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.text(root);
    for node in value {
        hash.node(node);
    }
    ((hash.0 >> 32) as u32 ^ hash.0 as u32).max(1)
}

struct Fnv(u64);

impl Fnv {
    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.byte(byte));
        self.byte(0xff);
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(leaf) => {
                self.byte(1);
                self.text(&leaf.text);
                leaf.marks.iter().for_each(|(key, value)| self.entry(key, value));
            }
            Node::Element(element) => {
                self.byte(2);
                element.attrs.iter().for_each(|(key, value)| self.entry(key, value));
                self.byte(3);
                element.children.iter().for_each(|child| self.node(child));
                self.byte(4);
            }
        }
    }

    fn entry(&mut self, key: &str, value: &Any) {
        self.text(key);
        self.any(value);
    }

    fn any(&mut self, value: &Any) {
        match value {
            Any::Null | Any::Undefined => self.byte(5),
            Any::Bool(value) => self.byte(6 + u8::from(*value)),
            Any::Number(Number::Int(n)) => (*n as f64).to_bits().to_le_bytes().into_iter().for_each(|b| self.byte(b)),
            Any::Number(Number::Float(n)) => n.to_bits().to_le_bytes().into_iter().for_each(|b| self.byte(b)),
            Any::String(text) => self.text(text),
            Any::Buffer(bytes) => bytes.iter().for_each(|&byte| self.byte(byte)),
            Any::Array(list) => list.iter().for_each(|value| self.any(value)),
            Any::Map(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| key.as_str());
                entries.into_iter().for_each(|(key, value)| self.entry(key, value));
            }
        }
        self.byte(8);
    }
}
