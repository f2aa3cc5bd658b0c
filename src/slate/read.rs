//! The doc's content as Slate sees it.

use yrs::types::text::YChange;
use yrs::{Any, Out, ReadTxn, Text as _, Xml as _, XmlTextRef};

use super::props::{Props, is_null, is_reserved};
use super::tree::{MAX_DEPTH, NodeId, ROOT, Tree};
use super::utf16;

/// A child of an element as the doc has it: neither empty nor next to a text with equal marks.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text { text: String, len: u32, marks: Props },
    Element(XmlTextRef),
}

impl Piece {
    pub fn len(&self) -> u32 {
        match self {
            Self::Text { len, .. } => *len,
            Self::Element(_) => 1,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub pieces: Vec<Piece>,
    /// Embeds that are no `Y.XmlText`, left out of `pieces`.
    pub foreign: u32,
}

pub(super) fn content<T: ReadTxn>(txn: &T, branch: &XmlTextRef) -> Content {
    let mut content = Content::default();
    for diff in branch.diff(txn, YChange::identity) {
        match diff.insert {
            Out::YXmlText(child) => content.pieces.push(Piece::Element(child)),
            Out::Any(Any::String(text)) => {
                let marks: Props = match diff.attributes {
                    None => Props::default(),
                    Some(attrs) => {
                        attrs.into_iter().filter(|(key, value)| !is_null(value) && !is_reserved(key)).collect()
                    }
                };
                push_text(&mut content.pieces, &text, marks);
            }
            _ => content.foreign += 1,
        }
    }
    content
}

fn push_text(pieces: &mut Vec<Piece>, more: &str, more_marks: Props) {
    if more.is_empty() {
        return;
    }
    if let Some(Piece::Text { text, len, marks }) = pieces.last_mut()
        && *marks == more_marks
    {
        text.push_str(more);
        *len += utf16::len(more);
        return;
    }
    pieces.push(Piece::Text { text: more.to_owned(), len: utf16::len(more), marks: more_marks });
}

/// An element's properties. Shared types as attributes have no place in Slate and are left out.
pub(super) fn attrs<T: ReadTxn>(txn: &T, branch: &XmlTextRef) -> Props {
    properties(txn, branch).map(|(key, value)| (key.into(), value)).collect()
}

/// Whether they are these. A no may be wrong where nulls are among them.
pub(super) fn has_attrs<T: ReadTxn>(txn: &T, branch: &XmlTextRef, props: &Props) -> bool {
    let mut left = props.iter().count();
    properties(txn, branch).all(|(key, value)| {
        left = left.wrapping_sub(1);
        props.get(key) == Some(&value)
    }) && left == 0
}

fn properties<'a, T: ReadTxn>(txn: &'a T, branch: &'a XmlTextRef) -> impl Iterator<Item = (&'a str, Any)> {
    branch.attributes(txn).filter(|(key, _)| !is_reserved(key)).filter_map(|(key, value)| match value {
        Out::Any(Any::Undefined) => None,
        Out::Any(value) => Some((key, value)),
        _ => None,
    })
}

/// Hangs what an element holds in the doc into its node, which has no children yet. An element without content gets
/// one empty text; the root does not.
pub(super) fn load_children<T: ReadTxn>(txn: &T, tree: &mut Tree, id: NodeId, depth: usize) -> u32 {
    let Some(branch) = tree.branch(id) else { return 0 };
    if depth >= MAX_DEPTH {
        return 1;
    }
    let content = content(txn, &branch);
    let mut foreign = content.foreign;
    if let Some(block) = tree.block_mut(id) {
        block.foreign = content.foreign;
        block.children.reserve_exact(content.pieces.len());
    }
    let is_empty = content.pieces.is_empty();
    for (index, piece) in content.pieces.into_iter().enumerate() {
        let child = match piece {
            Piece::Text { text, marks, .. } => tree.new_text(text, marks),
            Piece::Element(branch) => {
                let (child, inside) = load(txn, tree, branch, depth + 1);
                foreign += inside;
                child
            }
        };
        tree.attach(id, index, child);
    }
    if is_empty && id != ROOT {
        let leaf = tree.new_text(String::new(), Props::default());
        tree.attach(id, 0, leaf);
    }
    foreign
}

/// A detached node for an element of the doc, with all below it; and how many foreign embeds were met.
pub(super) fn load<T: ReadTxn>(txn: &T, tree: &mut Tree, branch: XmlTextRef, depth: usize) -> (NodeId, u32) {
    let attrs = properties(txn, &branch).map(|(key, value)| (tree.name(key), value)).collect();
    let id = tree.new_block(attrs);
    tree.bind(id, branch);
    let foreign = load_children(txn, tree, id, depth);
    (id, foreign)
}

/// Puts the shared types of another doc with the same content behind the elements of the tree.
pub(super) fn rebind<T: ReadTxn>(txn: &T, tree: &mut Tree, id: NodeId, branch: XmlTextRef) {
    tree.bind(id, branch.clone());
    let content = content(txn, &branch);
    if let Some(block) = tree.block_mut(id) {
        block.foreign = content.foreign;
    }
    let elements: Vec<NodeId> = tree.children(id).iter().copied().filter(|&child| !tree.is_text(child)).collect();
    let branches = content.pieces.into_iter().filter_map(|piece| match piece {
        Piece::Element(branch) => Some(branch),
        Piece::Text { .. } => None,
    });
    for (child, branch) in elements.into_iter().zip(branches) {
        rebind(txn, tree, child, branch);
    }
}

/// The visible offset for one of the doc, the reverse of [`doc_offset`].
pub(super) fn visible_offset<T: ReadTxn>(txn: &T, branch: &XmlTextRef, at: u32) -> u32 {
    let (mut seen, mut passed) = (0, 0);
    for diff in branch.diff(txn, YChange::identity) {
        if passed >= at {
            break;
        }
        match diff.insert {
            Out::YXmlText(_) => (seen, passed) = (seen + 1, passed + 1),
            Out::Any(Any::String(text)) => {
                let step = utf16::len(&text).min(at - passed);
                (seen, passed) = (seen + step, passed + step);
            }
            _ => passed += 1,
        }
    }
    seen
}

/// Where in the doc the visible offset is, for an element with foreign embeds. Before those that stand there.
pub(super) fn doc_offset<T: ReadTxn>(txn: &T, branch: &XmlTextRef, visible: u32) -> u32 {
    let (mut seen, mut at) = (0, 0);
    for diff in branch.diff(txn, YChange::identity) {
        if seen >= visible {
            break;
        }
        match diff.insert {
            Out::YXmlText(_) => (seen, at) = (seen + 1, at + 1),
            Out::Any(Any::String(text)) => {
                let step = utf16::len(&text).min(visible - seen);
                (seen, at) = (seen + step, at + step);
            }
            _ => at += 1,
        }
    }
    at
}

/// The stretches of the doc that a visible range covers, foreign embeds left out; from the end to the start.
pub(super) fn doc_ranges<T: ReadTxn>(txn: &T, branch: &XmlTextRef, from: u32, len: u32) -> Vec<(u32, u32)> {
    let (mut seen, mut at) = (0, 0);
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for diff in branch.diff(txn, YChange::identity) {
        let size = match &diff.insert {
            Out::YXmlText(_) => 1,
            Out::Any(Any::String(text)) => utf16::len(text),
            _ => {
                at += 1;
                continue;
            }
        };
        let (start, end) = (from.max(seen), (from + len).min(seen + size));
        if start < end {
            let start_at = at + (start - seen);
            match ranges.last_mut() {
                Some((last, length)) if *last + *length == start_at => *length += end - start,
                _ => ranges.push((start_at, end - start)),
            }
        }
        (seen, at) = (seen + size, at + size);
    }
    ranges.reverse();
    ranges
}
