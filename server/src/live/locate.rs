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
    let asked = nth.unwrap_or(1);
    let (mut count, mut hit, mut found) = (0, None, Vec::new());
    for TextBlock { path, element } in text_blocks(value) {
        let text = text_in(&element.children);
        // Where a hit is, in bytes and in UTF-16 units.
        let (mut before, mut from) = (0, 0);
        for (start, _) in text.match_indices(wanted) {
            from += utf16_len(&text[before..start]);
            before = start;
            count += 1;
            if count == asked {
                let block = TextBlock { path: path.clone(), element };
                hit = Some(Hit { block, from, to: from + utf16_len(wanted) });
            }
            if found.len() < SHOWN {
                found.push(shown(&text));
            }
        }
    }
    match (count, nth) {
        (0, _) => Err(Unplanned::Found {
            code: "not-found",
            message: format!("{:?} is not in the document", shown(wanted)),
            found: Vec::new(),
        }),
        (count, None) if count > 1 => Err(Unplanned::Found {
            code: "ambiguous",
            message: format!("{:?} is there {count} times: say which by nth", shown(wanted)),
            found,
        }),
        (count, _) => hit.ok_or_else(|| Unplanned::Found {
            code: "not-found",
            message: format!("{:?} is there {count} times", shown(wanted)),
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(texts: &[&str]) -> Node {
        let leaf = |text: &&str| Node::Text(Leaf { text: (*text).to_owned(), ..Leaf::default() });
        Node::Element(Element { attrs: Default::default(), children: texts.iter().map(leaf).collect() })
    }

    /// Where a hit is: the block, and from where to where in each of its leaves.
    type Place = (Vec<u32>, Vec<(u32, u32, u32)>);

    fn place(value: &[Node], wanted: &str, nth: Option<usize>) -> Option<Place> {
        let hit = find(value, wanted, nth).ok()?;
        let parts = hit.parts().into_iter().map(|(leaf, from, to)| (leaf.path[leaf.path.len() - 1], from, to));
        Some((hit.block.path.to_vec(), parts.collect()))
    }

    #[test]
    fn a_text_is_where_its_letters_are() {
        let value = [block(&["🎬 rain, ", "🎬 rain"]), block(&["rain"])];
        assert_eq!(place(&value, "rain", Some(1)), Some((vec![0], vec![(0, 3, 7)])));
        assert_eq!(place(&value, "rain", Some(2)), Some((vec![0], vec![(1, 3, 7)])));
        assert_eq!(place(&value, "rain", Some(3)), Some((vec![1], vec![(0, 0, 4)])));
        assert_eq!(place(&value, ", 🎬", None), Some((vec![0], vec![(0, 7, 9), (1, 0, 2)])));
        for nth in [Some(4), Some(0), None] {
            assert_eq!(place(&value, "rain", nth), None, "{nth:?}");
        }
        let Err(Unplanned::Found { code, found, .. }) = find(&value, "rain", None) else { panic!() };
        assert_eq!(
            (code, found),
            ("ambiguous", vec!["🎬 rain, 🎬 rain".to_owned(), "🎬 rain, 🎬 rain".into(), "rain".into()])
        );
    }

    /// It held the room of a document for minutes: each hit counted the letters from the beginning on.
    #[test]
    fn a_letter_that_is_there_a_million_times() {
        let value = [block(&[&"a".repeat(1_000_000)])];
        assert_eq!(place(&value, "a", Some(999_999)), Some((vec![0], vec![(0, 999_998, 999_999)])));
        assert_eq!(place(&value, "a", None), None);
    }
}
