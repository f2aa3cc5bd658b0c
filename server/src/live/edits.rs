//! One edit of a request: where it is, and the operations that it comes to.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use slate_yrs::slate::{Attrs, Leaf, Node, Op, Path, utf16_len, utf16_slice};
use yrs::Any;

use super::error::EditError;
use super::json::{attrs_of, nodes_of};
use super::operations::Operation;

/// How much of what there is an answer shows.
const SHOWN: usize = 5;
const SHOWN_CHARS: usize = 80;

/// As they are written: `{"replace": {"find": "MARA", "with": "INES"}}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ContentEdit {
    /// Another text in the place of one within a block. Without `nth`, from 1, it has to be there once.
    Replace {
        find: String,
        with: String,
        nth: Option<usize>,
    },
    /// Marks of a text within a block; null takes one away.
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
    /// At the end of the document.
    Append {
        nodes: Value,
    },
    /// Properties of a block; null takes one away.
    Set {
        block: BlockRef,
        properties: Map<String, Value>,
    },
    Remove {
        block: BlockRef,
    },
    Operations(Vec<Operation>),
}

/// A block by the property `id` (or `blockId`), or by its path.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum BlockRef {
    Id(String),
    Path(Vec<u32>),
}

pub struct Planned {
    pub ops: Vec<Op>,
    pub report: Value,
}

/// Why an edit cannot be done.
pub enum Unplanned {
    /// It is not there, or not once.
    Found {
        code: &'static str,
        message: String,
        found: Vec<String>,
    },
    Invalid(String),
}

impl Unplanned {
    pub fn of(self, edit: usize) -> EditError {
        match self {
            Self::Found { code, message, found } => EditError::Found { edit, code, message, found },
            Self::Invalid(message) => EditError::Invalid { edit, message },
        }
    }
}

impl From<String> for Unplanned {
    fn from(message: String) -> Self {
        Self::Invalid(message)
    }
}

impl ContentEdit {
    /// What it brings along.
    pub fn nodes(&self) -> Result<Vec<Node>, String> {
        match self {
            Self::InsertAfter { nodes, .. } | Self::InsertBefore { nodes, .. } | Self::Append { nodes } => {
                nodes_of(nodes)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What it comes to in a document with this value. `nodes`: what it brings along.
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
    // It would become a part of a neighbour, and not be where the answer says.
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

/// Where a block is.
fn locate(value: &[Node], block: &BlockRef) -> Result<Path, Unplanned> {
    let none = |message: String| Unplanned::Found { code: "not-found", message, found: Vec::new() };
    match block {
        BlockRef::Path(path) => {
            let path = Path::from_slice(path);
            match node_at(value, &path) {
                Some(Node::Element(_)) => Ok(path),
                _ => Err(none(format!("there is no block at {:?}", path.as_slice()))),
            }
        }
        BlockRef::Id(id) => {
            let mut found = Vec::new();
            find_id(value, id, &mut Path::new(), &mut found);
            match found.len() {
                0 => Err(none(format!("there is no block with the id {id:?}"))),
                1 => Ok(found.swap_remove(0)),
                count => Err(Unplanned::Found {
                    code: "ambiguous",
                    message: format!("{count} blocks have the id {id:?}"),
                    found: found.iter().take(SHOWN).map(|path| format!("{:?}", path.as_slice())).collect(),
                }),
            }
        }
    }
}

fn find_id(nodes: &[Node], id: &str, path: &mut Path, found: &mut Vec<Path>) {
    for (index, node) in (0..).zip(nodes) {
        let Node::Element(element) = node else { continue };
        path.push(index);
        let is = |key: &str| matches!(element.attrs.get(key), Some(Any::String(own)) if &**own == id);
        if is("id") || is("blockId") {
            found.push(path.clone());
        }
        find_id(&element.children, id, path, found);
        path.pop();
    }
}

fn node_at<'a>(value: &'a [Node], path: &[u32]) -> Option<&'a Node> {
    let (first, rest) = path.split_first()?;
    let node = value.get(*first as usize)?;
    match (rest, node) {
        ([], node) => Some(node),
        (rest, Node::Element(element)) => node_at(&element.children, rest),
        (_, Node::Text(_)) => None,
    }
}

/// The elements that have text of their own, in the order of reading: their paths and children.
pub fn each_block<'a>(nodes: &'a [Node], path: &mut Path, see: &mut impl FnMut(&Path, &'a [Node])) {
    for (index, node) in (0..).zip(nodes) {
        let Node::Element(element) = node else { continue };
        path.push(index);
        match element.children.iter().any(|child| matches!(child, Node::Text(_))) {
            true => see(path, &element.children),
            false => each_block(&element.children, path, see),
        }
        path.pop();
    }
}

/// The text of a block with these children.
pub fn text_in(children: &[Node]) -> String {
    children.iter().map(text_of).collect()
}

fn text_of(node: &Node) -> String {
    match node {
        Node::Text(leaf) => leaf.text.clone(),
        Node::Element(element) => text_in(&element.children),
    }
}

fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_CHARS).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// A text leaf of a block, and where its text begins in the block's, in UTF-16 units.
struct LeafPlace<'a> {
    path: Path,
    leaf: &'a Leaf,
    from: u32,
}

/// What of a block is found: from where to where in its text.
struct Hit<'a> {
    path: Path,
    children: &'a [Node],
    from: u32,
    to: u32,
}

impl<'a> Hit<'a> {
    /// The leaves that it is in, and from where to where in each.
    fn parts(&self) -> Vec<(LeafPlace<'a>, u32, u32)> {
        let mut pieces = Vec::new();
        pieces_of(self.children, &mut self.path.clone(), &mut 0, &mut pieces);
        let part = |piece: LeafPlace<'a>| {
            let until = piece.from + utf16_len(&piece.leaf.text);
            let (from, to) = (self.from.max(piece.from), self.to.min(until));
            let (start, end) = (from.checked_sub(piece.from)?, to.checked_sub(piece.from)?);
            (from < to).then_some((piece, start, end))
        };
        pieces.into_iter().filter_map(part).collect()
    }
}

fn pieces_of<'a>(children: &'a [Node], path: &mut Path, from: &mut u32, pieces: &mut Vec<LeafPlace<'a>>) {
    for (index, node) in (0..).zip(children) {
        path.push(index);
        match node {
            Node::Text(leaf) => {
                pieces.push(LeafPlace { path: path.clone(), leaf, from: *from });
                *from += utf16_len(&leaf.text);
            }
            Node::Element(element) => pieces_of(&element.children, path, from, pieces),
        }
        path.pop();
    }
}

fn find<'a>(value: &'a [Node], wanted: &str, nth: Option<usize>) -> Result<Hit<'a>, Unplanned> {
    if wanted.is_empty() {
        return Err(Unplanned::Invalid("what is to be found is empty".into()));
    }
    let mut hits: Vec<Hit<'a>> = Vec::new();
    each_block(value, &mut Path::new(), &mut |path, children| {
        let text = text_in(children);
        hits.extend(text.match_indices(wanted).map(|(start, _)| {
            let from = utf16_len(&text[..start]);
            Hit { path: path.clone(), children, from, to: from + utf16_len(wanted) }
        }));
    });
    let found = || hits.iter().take(SHOWN).map(|hit| shown(&text_in(hit.children))).collect();
    let count = hits.len();
    match (count, nth) {
        (0, _) => Err(Unplanned::Found {
            code: "not-found",
            message: format!("{:?} is not in the document", shown(wanted)),
            found: Vec::new(),
        }),
        (count, None) if count > 1 => Err(Unplanned::Found {
            code: "ambiguous",
            message: format!("{:?} is there {count} times: say which by nth", shown(wanted)),
            found: found(),
        }),
        (count, nth) => match nth.unwrap_or(1).checked_sub(1).filter(|at| *at < count) {
            Some(at) => Ok(hits.swap_remove(at)),
            None => Err(Unplanned::Found {
                code: "not-found",
                message: format!("{:?} is there {count} times", shown(wanted)),
                found: found(),
            }),
        },
    }
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
        // Before what goes: it takes the marks of the first letter.
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
    // From the last on, so that the paths of those before it stay.
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
