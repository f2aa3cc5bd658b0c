//! Rust → words and text.

use std::borrow::Borrow;
use std::sync::Arc;

use yrs::{Any, any::Number};

use super::{Batch, MAX_PAYLOAD, is_reserved, op_tag, value_tag};
use crate::slate::{Attrs, Node, Op, Range, utf16_len};

/// The nodes, one after the other.
pub fn encode_nodes(nodes: impl IntoIterator<Item: Borrow<Node>>) -> Batch {
    let mut encoder = Encoder::default();
    for node in nodes {
        encoder.node(node.borrow());
    }
    encoder.batch
}

/// The operations, one after the other.
pub fn encode_ops(ops: &[Op]) -> Batch {
    let mut encoder = Encoder::default();
    for op in ops {
        encoder.op(op);
    }
    encoder.batch
}

pub fn encode_range(range: &Range) -> Vec<u32> {
    let mut encoder = Encoder::default();
    for point in [&range.anchor, &range.focus] {
        encoder.path(&point.path);
        encoder.word(point.offset);
    }
    encoder.batch.words
}

#[derive(Default)]
struct Encoder {
    batch: Batch,
    /// A document has few: a list is quicker than a map.
    keys: Vec<Arc<str>>,
}

impl Encoder {
    fn word(&mut self, word: u32) {
        self.batch.words.push(word);
    }

    /// Appends the characters, and returns their number in UTF-16 units.
    fn text(&mut self, text: &str) -> u32 {
        self.batch.text.push_str(text);
        // Longer than 2^29 units does not fit a JavaScript string.
        utf16_len(text)
    }

    fn path(&mut self, path: &[u32]) {
        self.word(path.len() as u32);
        self.batch.words.extend_from_slice(path);
    }

    fn node(&mut self, node: &Node) {
        let (kind, attrs) = match node {
            Node::Text(leaf) => (0, &leaf.marks),
            Node::Element(element) => (1, &element.attrs),
        };
        let count = attrs.keys().filter(|key| !is_reserved(key)).count() as u32;
        self.word(kind | count << 1);
        match node {
            Node::Text(leaf) => {
                let length = self.text(&leaf.text);
                self.word(length);
                self.properties(attrs);
            }
            Node::Element(element) => {
                self.word(element.children.len() as u32);
                self.properties(attrs);
                for child in &element.children {
                    self.node(child);
                }
            }
        }
    }

    fn attrs(&mut self, attrs: &Attrs) {
        self.word(attrs.keys().filter(|key| !is_reserved(key)).count() as u32);
        self.properties(attrs);
    }

    fn properties(&mut self, attrs: &Attrs) {
        for (key, value) in attrs.iter().filter(|(key, _)| !is_reserved(key)) {
            self.key(key);
            self.value(value);
        }
    }

    fn key(&mut self, key: &Arc<str>) {
        if let Some(index) = self.keys.iter().position(|known| Arc::ptr_eq(known, key) || known == key) {
            self.word(index as u32);
        } else {
            self.word(self.keys.len() as u32);
            self.keys.push(key.clone());
            let length = self.text(key);
            self.word(length);
        }
    }

    fn value(&mut self, value: &Any) {
        match value {
            Any::Null | Any::Undefined => self.word(value_tag::NULL),
            Any::Bool(false) => self.word(value_tag::FALSE),
            Any::Bool(true) => self.word(value_tag::TRUE),
            Any::Number(number) => self.number(*number),
            Any::String(text) => {
                let length = self.text(text);
                self.word(value_tag::STRING | length << value_tag::PAYLOAD_SHIFT);
            }
            Any::Array(_) | Any::Map(_) | Any::Buffer(_) => {
                let mut json = String::new();
                value.to_json(&mut json);
                let length = self.text(&json);
                self.word(value_tag::JSON | length << value_tag::PAYLOAD_SHIFT);
            }
        }
    }

    fn number(&mut self, number: Number) {
        let float = match number {
            Number::Int(integer) if (0..=i64::from(MAX_PAYLOAD)).contains(&integer) => {
                return self.word(value_tag::INTEGER | (integer as u32) << value_tag::PAYLOAD_SHIFT);
            }
            Number::Int(integer) => integer as f64,
            Number::Float(float) => float,
        };
        let bits = float.to_bits();
        self.word(value_tag::FLOAT);
        self.word(bits as u32);
        self.word((bits >> 32) as u32);
    }

    fn op(&mut self, op: &Op) {
        match op {
            Op::InsertText { path, offset, text } => self.text_op(op_tag::INSERT_TEXT, path, *offset, text),
            Op::RemoveText { path, offset, text } => self.text_op(op_tag::REMOVE_TEXT, path, *offset, text),
            Op::InsertNode { path, node } => {
                self.head(op_tag::INSERT_NODE, path);
                self.node(node);
            }
            Op::RemoveNode { path, node } => {
                self.head(op_tag::REMOVE_NODE, path);
                self.node(node);
            }
            Op::SetNode { path, properties, new_properties } => {
                self.head(op_tag::SET_NODE, path);
                self.attrs(properties);
                self.attrs(new_properties);
            }
            Op::SplitNode { path, position, properties } => {
                self.head(op_tag::SPLIT_NODE, path);
                self.word(*position);
                self.attrs(properties);
            }
            Op::MergeNode { path, position, properties } => {
                self.head(op_tag::MERGE_NODE, path);
                self.word(*position);
                self.attrs(properties);
            }
            Op::MoveNode { path, new_path } => {
                self.head(op_tag::MOVE_NODE, path);
                self.path(new_path);
            }
        }
    }

    fn head(&mut self, tag: u32, path: &[u32]) {
        self.word(tag);
        self.path(path);
    }

    fn text_op(&mut self, tag: u32, path: &[u32], offset: u32, text: &str) {
        self.head(tag, path);
        self.word(offset);
        let length = self.text(text);
        self.word(length);
    }
}
