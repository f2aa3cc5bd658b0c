//! Words and text → Rust.

use std::sync::Arc;

use yrs::{Any, any::Number};

use super::{CodecError, MAX_DEPTH, is_reserved, op_tag, value_tag};
use crate::json;
use crate::slate::{Attrs, Element, Leaf, Node, Op, Path, Point, Range};

/// All nodes of a batch.
///
/// # Errors
/// If the batch is not exactly a sequence of nodes.
pub fn decode_nodes(words: &[u32], text: &str) -> Result<Vec<Node>, CodecError> {
    let mut decoder = Decoder::new(words, text);
    let mut nodes = Vec::new();
    while !decoder.at_end()? {
        nodes.push(decoder.node(0)?);
    }
    Ok(nodes)
}

/// All operations of a batch.
///
/// # Errors
/// If the batch is not exactly a sequence of operations.
pub fn decode_ops(words: &[u32], text: &str) -> Result<Vec<Op>, CodecError> {
    let mut decoder = Decoder::new(words, text);
    let mut ops = Vec::new();
    while !decoder.at_end()? {
        ops.push(decoder.op()?);
    }
    Ok(ops)
}

/// A range; none from no words.
///
/// # Errors
/// If the words are neither.
pub fn decode_range(words: &[u32]) -> Result<Option<Range>, CodecError> {
    if words.is_empty() {
        return Ok(None);
    }
    let mut decoder = Decoder::new(words, "");
    let anchor = decoder.point()?;
    let focus = decoder.point()?;
    if decoder.at_end()? { Ok(Some(Range { anchor, focus })) } else { Err(CodecError::Trailing) }
}

struct Decoder<'a> {
    words: &'a [u32],
    text: &'a str,
    keys: Vec<Arc<str>>,
}

impl<'a> Decoder<'a> {
    fn new(words: &'a [u32], text: &'a str) -> Self {
        Self { words, text, keys: Vec::new() }
    }

    fn at_end(&self) -> Result<bool, CodecError> {
        match (self.words.is_empty(), self.text.is_empty()) {
            (true, false) => Err(CodecError::Trailing),
            (done, _) => Ok(done),
        }
    }

    fn word(&mut self) -> Result<u32, CodecError> {
        let (word, rest) = self.words.split_first().ok_or(CodecError::End)?;
        self.words = rest;
        Ok(*word)
    }

    /// The next `units` UTF-16 units.
    fn text(&mut self, units: u32) -> Result<&'a str, CodecError> {
        let mut left = units as usize;
        let mut end = 0;
        let bytes = self.text.as_bytes();
        while left > 0 {
            let (size, width) = match bytes.get(end).ok_or(CodecError::End)? {
                0..0x80 => (1, 1),
                0x80..0xE0 => (2, 1),
                0xE0..0xF0 => (3, 1),
                _ => (4, 2),
            };
            left = left.checked_sub(width).ok_or(CodecError::Surrogate)?;
            end += size;
        }
        let (text, rest) = self.text.split_at_checked(end).ok_or(CodecError::End)?;
        self.text = rest;
        Ok(text)
    }

    fn path(&mut self) -> Result<Path, CodecError> {
        let length = self.word()? as usize;
        let (path, rest) = self.words.split_at_checked(length).ok_or(CodecError::End)?;
        self.words = rest;
        Ok(Path::from_slice(path))
    }

    fn point(&mut self) -> Result<Point, CodecError> {
        Ok(Point { path: self.path()?, offset: self.word()? })
    }

    fn node(&mut self, depth: u32) -> Result<Node, CodecError> {
        if depth > MAX_DEPTH {
            return Err(CodecError::Depth);
        }
        let head = self.word()?;
        let size = self.word()?;
        if head & 1 == 0 {
            let text = self.text(size)?.to_owned();
            return Ok(Node::Text(Leaf { text, marks: self.properties(head >> 1)? }));
        }
        let attrs = self.properties(head >> 1)?;
        // A node takes two words at least: a count that cannot be true must not reserve memory.
        let mut children = Vec::with_capacity((size as usize).min(self.words.len() / 2));
        for _ in 0..size {
            children.push(self.node(depth + 1)?);
        }
        Ok(Node::Element(Element { attrs, children }))
    }

    fn attrs(&mut self) -> Result<Attrs, CodecError> {
        let count = self.word()?;
        self.properties(count)
    }

    fn properties(&mut self, count: u32) -> Result<Attrs, CodecError> {
        let mut attrs = Attrs::new();
        for _ in 0..count {
            let key = self.key()?;
            let value = self.value()?;
            if !is_reserved(&key) {
                attrs.insert(key, value);
            }
        }
        Ok(attrs)
    }

    fn key(&mut self) -> Result<Arc<str>, CodecError> {
        let index = self.word()?;
        if let Some(key) = self.keys.get(index as usize) {
            return Ok(key.clone());
        }
        if index as usize != self.keys.len() {
            return Err(CodecError::Tag(index));
        }
        let length = self.word()?;
        let key: Arc<str> = self.text(length)?.into();
        self.keys.push(key.clone());
        Ok(key)
    }

    fn value(&mut self) -> Result<Any, CodecError> {
        let word = self.word()?;
        let payload = word >> value_tag::PAYLOAD_SHIFT;
        Ok(match word & ((1 << value_tag::PAYLOAD_SHIFT) - 1) {
            value_tag::NULL => Any::Null,
            value_tag::FALSE => Any::Bool(false),
            value_tag::TRUE => Any::Bool(true),
            value_tag::STRING => Any::String(self.text(payload)?.into()),
            value_tag::INTEGER => Any::Number(Number::Int(i64::from(payload))),
            value_tag::FLOAT => {
                let bits = u64::from(self.word()?) | u64::from(self.word()?) << 32;
                let float = f64::from_bits(bits);
                // JSON knows no others.
                if float.is_finite() { Any::Number(Number::try_i64(float)) } else { Any::Null }
            }
            value_tag::JSON => json::value(self.text(payload)?).map_err(CodecError::Property)?,
            other => return Err(CodecError::Tag(other)),
        })
    }

    fn op(&mut self) -> Result<Op, CodecError> {
        let tag = self.word()?;
        let path = self.path()?;
        Ok(match tag {
            op_tag::INSERT_TEXT | op_tag::REMOVE_TEXT => {
                let offset = self.word()?;
                let length = self.word()?;
                let text = self.text(length)?.to_owned();
                if tag == op_tag::INSERT_TEXT {
                    Op::InsertText { path, offset, text }
                } else {
                    Op::RemoveText { path, offset, text }
                }
            }
            op_tag::INSERT_NODE => Op::InsertNode { path, node: self.node(0)? },
            op_tag::REMOVE_NODE => Op::RemoveNode { path, node: self.node(0)? },
            op_tag::SET_NODE => Op::SetNode { path, properties: self.attrs()?, new_properties: self.attrs()? },
            op_tag::SPLIT_NODE => Op::SplitNode { path, position: self.word()?, properties: self.attrs()? },
            op_tag::MERGE_NODE => Op::MergeNode { path, position: self.word()?, properties: self.attrs()? },
            op_tag::MOVE_NODE => Op::MoveNode { path, new_path: self.path()? },
            other => return Err(CodecError::Tag(other)),
        })
    }
}
