//! Where something is in a document: a block by what names it, words by their letters.

use serde::Deserialize;
use slate_yrs::slate::{Element, Leaf, Node, Path, utf16_len};
use yrs::Any;

use super::error::Unplanned;

/// How much of what there is an answer shows.
const SHOWN: usize = 5;
const SHOWN_CHARS: usize = 80;

/// A block by the property `id` (or `blockId`), or by its path.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum BlockRef {
    Id(String),
    Path(Vec<u32>),
}

/// Where a block is.
pub(super) fn locate(value: &[Node], block: &BlockRef) -> Result<Path, Unplanned> {
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

/// What names a block.
fn ids_of(element: &Element) -> impl Iterator<Item = &str> {
    ["id", "blockId"].into_iter().filter_map(|key| match element.attrs.get(key) {
        Some(Any::String(id)) => Some(&**id),
        _ => None,
    })
}

fn find_id(nodes: &[Node], id: &str, path: &mut Path, found: &mut Vec<Path>) {
    for (index, node) in (0..).zip(nodes) {
        let Node::Element(element) = node else { continue };
        path.push(index);
        if ids_of(element).any(|own| own == id) {
            found.push(path.clone());
        }
        find_id(&element.children, id, path, found);
        path.pop();
    }
}

/// What is at a path.
pub(super) fn node_at<'a>(value: &'a [Node], path: &[u32]) -> Option<&'a Node> {
    let (first, rest) = path.split_first()?;
    let node = value.get(*first as usize)?;
    match (rest, node) {
        ([], node) => Some(node),
        (rest, Node::Element(element)) => node_at(&element.children, rest),
        (_, Node::Text(_)) => None,
    }
}

/// An element that has text of its own.
pub struct TextBlock<'a> {
    pub path: Path,
    pub element: &'a Element,
}

impl<'a> TextBlock<'a> {
    /// What names it, if anything does.
    pub fn id(&self) -> Option<&'a str> {
        ids_of(self.element).next()
    }

    /// All text in it.
    pub fn text(&self) -> String {
        text_in(&self.element.children)
    }
}

/// The blocks that have text, in the order of reading.
pub fn text_blocks(value: &[Node]) -> Vec<TextBlock<'_>> {
    let mut blocks = Vec::new();
    collect(value, &mut Path::new(), &mut blocks);
    blocks
}

fn collect<'a>(nodes: &'a [Node], path: &mut Path, blocks: &mut Vec<TextBlock<'a>>) {
    for (index, node) in (0..).zip(nodes) {
        let Node::Element(element) = node else { continue };
        path.push(index);
        match element.children.iter().any(|child| matches!(child, Node::Text(_))) {
            true => blocks.push(TextBlock { path: path.clone(), element }),
            false => collect(&element.children, path, blocks),
        }
        path.pop();
    }
}

fn text_in(children: &[Node]) -> String {
    children.iter().map(text_of).collect()
}

/// All text in a node.
pub(super) fn text_of(node: &Node) -> String {
    match node {
        Node::Text(leaf) => leaf.text.clone(),
        Node::Element(element) => text_in(&element.children),
    }
}

/// The beginning of a text, as an answer shows it.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_CHARS).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// A text leaf of a block, and where its text begins in the block's, in UTF-16 units.
pub(super) struct LeafPlace<'a> {
    pub path: Path,
    pub leaf: &'a Leaf,
    from: u32,
}

/// What of a block is found: from where to where in its text.
pub(super) struct Hit<'a> {
    block: TextBlock<'a>,
    from: u32,
    to: u32,
}

impl<'a> Hit<'a> {
    /// The leaves that it is in, and from where to where in each.
    pub fn parts(&self) -> Vec<(LeafPlace<'a>, u32, u32)> {
        let mut pieces = Vec::new();
        pieces_of(&self.block.element.children, &mut self.block.path.clone(), &mut 0, &mut pieces);
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

/// Text that is within one block: where it is there once, or the one that `nth` says, from 1.
pub(super) fn find<'a>(value: &'a [Node], wanted: &str, nth: Option<usize>) -> Result<Hit<'a>, Unplanned> {
    if wanted.is_empty() {
        return Err(Unplanned::Invalid("what is to be found is empty".into()));
    }
    let mut hits: Vec<Hit<'a>> = Vec::new();
    for TextBlock { path, element } in text_blocks(value) {
        let text = text_in(&element.children);
        hits.extend(text.match_indices(wanted).map(|(start, _)| {
            let from = utf16_len(&text[..start]);
            Hit { block: TextBlock { path: path.clone(), element }, from, to: from + utf16_len(wanted) }
        }));
    }
    let found = || hits.iter().take(SHOWN).map(|hit| shown(&hit.block.text())).collect();
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
