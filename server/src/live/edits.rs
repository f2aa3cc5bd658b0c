//! One edit of a request: from the words of the request to a place in the document and to operations there.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use slate_yrs::slate::{Attrs, Node, Op, Path, utf16_len, utf16_slice};

use super::error::Unplanned;
use super::json::{attrs_of, nodes_of};
use super::locate::{BlockRef, find, locate, node_at, shown, text_of};
use super::operations::Operation;

/// An edit as it stands in a request: `{"replace": {"find": "MARA", "with": "INES"}}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ContentEdit {
    /// Puts another text in the place of `find`, which lies within a block. `nth` says which occurrence, from 1; without it
    /// there has to be exactly one.
    Replace {
        find: String,
        with: String,
        nth: Option<usize>,
    },
    /// Sets marks of the text `find`, which lies within a block; null takes a mark away.
    Format {
        find: String,
        marks: Map<String, Value>,
        nth: Option<usize>,
    },
    InsertAfter {
        block: BlockRef,
        nodes: Value,
    },
    InsertBefore {
        block: BlockRef,
        nodes: Value,
    },
    /// Adds nodes at the end of the document.
    Append {
        nodes: Value,
    },
    /// Sets properties of a block; null takes a property away.
    Set {
        block: BlockRef,
        properties: Map<String, Value>,
    },
    Remove {
        block: BlockRef,
    },
    Operations(Vec<Operation>),
}

pub struct Planned {
    pub ops: Vec<Op>,
    pub report: Value,
}

impl ContentEdit {
    /// The nodes that the edit puts in.
    pub fn nodes(&self) -> Result<Vec<Node>, String> {
        match self {
            Self::InsertAfter { nodes, .. } | Self::InsertBefore { nodes, .. } | Self::Append { nodes } => {
                nodes_of(nodes)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The operations that the edit comes to in a document with this value. `nodes`: those of [`ContentEdit::nodes`].
    pub fn plan(&self, value: &[Node], nodes: Vec<Node>) -> Result<Planned, Unplanned> {
        match self {
            Self::Replace { find, with, nth } => replace(value, find, with, *nth),
            Self::Format { find, marks, nth } => format(value, find, marks, *nth),
            Self::InsertAfter { block, .. } => insert(value, &moved(&locate(value, block)?, 1), nodes),
            Self::InsertBefore { block, .. } => insert(value, &locate(value, block)?, nodes),
            Self::Append { .. } => {
                let end = u32::try_from(value.len()).unwrap_or(u32::MAX);
                insert(value, &Path::from_slice(&[end]), nodes)
            }
            Self::Set { block, properties } => set(value, block, properties),
            Self::Remove { block } => {
                let path = locate(value, block)?;
                let node = node_at(value, &path).cloned().ok_or_else(|| "there is no such block".to_owned())?;
                let text = shown(&text_of(&node));
                Ok(Planned { ops: vec![Op::RemoveNode { path, node }], report: json!({ "removed": text }) })
            }
            Self::Operations(operations) => {
                let ops: Vec<Op> =
                    operations.iter().filter_map(|each| each.read().transpose()).collect::<Result<_, _>>()?;
                let count = ops.len();
                Ok(Planned { ops, report: json!({ "operations": count }) })
            }
        }
    }
}

fn insert(value: &[Node], at: &Path, nodes: Vec<Node>) -> Result<Planned, Unplanned> {
    let parent = at.split_last().and_then(|(_, parent)| node_at(value, parent));
    let siblings = if let Some(Node::Element(element)) = parent { element.children.as_slice() } else { value };
    let has_text = |nodes: &[Node]| nodes.iter().any(|node| matches!(node, Node::Text(_)));
    // Such a text would become a part of a neighbour, and not be where the answer says.
    if has_text(&nodes) && !has_text(siblings) {
        return Err("a text stands in a block and not beside it: give a node with children".to_owned().into());
    }
    let paths: Vec<Path> = (0..).zip(&nodes).map(|(n, _)| moved(at, n)).collect();
    let report = json!({ "inserted": paths.iter().map(|path| path.to_vec()).collect::<Vec<_>>() });
    let ops = paths.into_iter().zip(nodes).map(|(path, node)| Op::InsertNode { path, node }).collect();
    Ok(Planned { ops, report })
}

/// The path of the sibling `by` places on.
fn moved(path: &Path, by: u32) -> Path {
    let mut path = path.clone();
    if let Some(last) = path.last_mut() {
        *last += by;
    }
    path
}

fn set(value: &[Node], block: &BlockRef, properties: &Map<String, Value>) -> Result<Planned, Unplanned> {
    if let Some(kept) = ["children", "text"].into_iter().find(|key| properties.contains_key(*key)) {
        return Err(Unplanned::Invalid(format!("{kept} is no property")));
    }
    let path = locate(value, block)?;
    let Some(Node::Element(element)) = node_at(value, &path) else {
        return Err(Unplanned::Invalid("a text has marks, not properties: use format".into()));
    };
    let wanted = attrs_of(properties, "")?;
    let report = json!({ "set": path.to_vec() });
    Ok(Planned { ops: vec![set_node(path, &element.attrs, wanted)], report })
}

/// Sets properties of what has `attrs`.
fn set_node(path: Path, attrs: &Attrs, wanted: Attrs) -> Op {
    let before = wanted.keys().filter_map(|key| attrs.get_key_value(key));
    let properties = before.map(|(key, value)| (key.clone(), value.clone())).collect();
    Op::SetNode { path, properties, new_properties: wanted }
}

fn replace(value: &[Node], wanted: &str, with: &str, nth: Option<usize>) -> Result<Planned, Unplanned> {
    let hit = find(value, wanted, nth)?;
    let mut ops = Vec::new();
    let mut first = None;
    for (piece, from, to) in hit.parts() {
        first.get_or_insert_with(|| (piece.path.clone(), from));
        let text = utf16_slice(&piece.leaf.text, from, to).unwrap_or_default().to_owned();
        ops.push(Op::RemoveText { path: piece.path, offset: from, text });
    }
    let Some((path, offset)) = first else { return Err(Unplanned::Invalid("there is nothing to replace".into())) };
    let report = json!({ "replaced": { "path": path.to_vec(), "offset": offset } });
    if !with.is_empty() {
        // The new text is put in before the old one goes, so that it takes the marks of the old one's first letter.
        ops.insert(0, Op::InsertText { path: path.clone(), offset, text: with.to_owned() });
        if let Some(Op::RemoveText { offset, .. }) = ops.get_mut(1) {
            *offset += utf16_len(with);
        }
    }
    Ok(Planned { ops, report })
}

fn format(value: &[Node], wanted: &str, marks: &Map<String, Value>, nth: Option<usize>) -> Result<Planned, Unplanned> {
    if marks.contains_key("text") || marks.contains_key("children") {
        return Err(Unplanned::Invalid("text and children are no marks".into()));
    }
    let marks = attrs_of(marks, "")?;
    let hit = find(value, wanted, nth)?;
    let mut ops = Vec::new();
    // The last one first, so that the paths of those before it stay what they are.
    let parts = hit.parts();
    let text_path = parts.first().map(|(piece, ..)| piece.path.to_vec());
    for (piece, from, to) in parts.into_iter().rev() {
        let mut path = piece.path.clone();
        if to < utf16_len(&piece.leaf.text) {
            ops.push(Op::SplitNode { path: path.clone(), position: to, properties: piece.leaf.marks.clone() });
        }
        if from > 0 {
            ops.push(Op::SplitNode { path: path.clone(), position: from, properties: piece.leaf.marks.clone() });
            path = moved(&path, 1);
        }
        ops.push(set_node(path, &piece.leaf.marks, marks.clone()));
    }
    Ok(Planned { ops, report: json!({ "formatted": text_path }) })
}
