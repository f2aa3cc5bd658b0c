//! What people do to the structure of a document of format 1: nobody erases, and no word is torn.

use slate_yrs::slate::{Attrs, Element, Node, Op, Path};
use yrs::Any;

use crate::acts::{borders, restyle};
use crate::editor::{block, landing};
use crate::world::World;

const QUOTE: &str = "quote";
/// Quotes in quotes, at most.
const DEPTH: usize = 4;

/// A line, and where it is.
struct Line<'a> {
    path: Path,
    element: &'a Element,
}

impl World {
    /// Types, or divides, joins, moves, wraps and unwraps lines, at any depth.
    pub fn structural_ops(&mut self, tab: usize, token: String) -> Vec<Op> {
        let value = self.tabs[tab].editor.value.clone();
        let lines = lines(&value);
        if lines.is_empty() {
            let at = self.rng.u32(..=value.len() as u32);
            return vec![Op::InsertNode { path: [at].into_iter().collect(), node: block(&token) }];
        }
        let line = &lines[self.rng.usize(..lines.len())];
        let other = &lines[self.rng.usize(..lines.len())];
        match self.rng.u8(..16) {
            0 => {
                let after = self.rng.bool();
                let path = if after { beside(&line.path) } else { line.path.clone() };
                vec![Op::InsertNode { path, node: block(&token) }]
            }
            1 | 2 => self.enter(line).unwrap_or_default(),
            3 | 4 => join(&value, &line.path).unwrap_or_default(),
            5 | 6 => {
                let to = if self.rng.bool() { other.path.clone() } else { other.path[..1].into() };
                shift(&value, &line.path, &to).unwrap_or_default()
            }
            7 if line.path.len() <= DEPTH => wrap(&line.path),
            8 => unwrap(&value, &line.path).unwrap_or_default(),
            9 if line.path.len() > 1 => {
                // A whole quote, with all that is in it.
                let quote = &line.path[..line.path.len() - 1];
                shift(&value, quote, &other.path).unwrap_or_default()
            }
            10 => vec![restyle(&line.path, line.element, &token)],
            _ => self.type_word(line, token).unwrap_or_default(),
        }
    }

    /// A leaf of a line, and a place in it between words.
    fn point(&mut self, line: &Line) -> Option<(u32, u32)> {
        let leaf = self.rng.u32(..u32::try_from(line.element.children.len()).ok().filter(|count| *count > 0)?);
        let Node::Text(text) = &line.element.children[leaf as usize] else { return None };
        Some((leaf, self.rng.choice(borders(&text.text))?))
    }

    fn type_word(&mut self, line: &Line, text: String) -> Option<Vec<Op>> {
        let (leaf, offset) = self.point(line)?;
        Some(vec![Op::InsertText { path: within(&line.path, leaf), offset, text }])
    }

    fn enter(&mut self, line: &Line) -> Option<Vec<Op>> {
        let (leaf, position) = self.point(line)?;
        let properties = line.element.attrs.clone();
        Some(vec![
            Op::SplitNode { path: within(&line.path, leaf), position, properties: Attrs::new() },
            Op::SplitNode { path: line.path.clone(), position: leaf + 1, properties },
        ])
    }
}

/// Elements that hold nothing but text.
fn lines(value: &[Node]) -> Vec<Line<'_>> {
    let mut out = Vec::new();
    let mut todo: Vec<(Path, &[Node])> = vec![(Path::new(), value)];
    while let Some((path, nodes)) = todo.pop() {
        for (at, node) in nodes.iter().enumerate() {
            let Node::Element(element) = node else { continue };
            let path = within(&path, at as u32);
            match element.children.iter().all(|kid| matches!(kid, Node::Text(_))) {
                true => out.push(Line { path, element }),
                false => todo.push((path, &element.children)),
            }
        }
    }
    out.sort_by(|one, two| one.path.cmp(&two.path));
    out
}

fn within(path: &[u32], at: u32) -> Path {
    path.iter().copied().chain([at]).collect()
}

/// Right behind it.
fn beside(path: &[u32]) -> Path {
    let mut path: Path = path.into();
    if let Some(last) = path.last_mut() {
        *last += 1;
    }
    path
}

fn element<'a>(value: &'a [Node], path: &[u32]) -> Option<&'a Element> {
    let (first, rest) = path.split_first()?;
    match value.get(*first as usize)? {
        Node::Element(element) if rest.is_empty() => Some(element),
        Node::Element(inner) => self::element(&inner.children, rest),
        Node::Text(_) => None,
    }
}

fn children<'a>(value: &'a [Node], path: &[u32]) -> Option<&'a [Node]> {
    if path.is_empty() { Some(value) } else { Some(&element(value, path)?.children) }
}

/// Backspace at the start of a line behind another.
fn join(value: &[Node], path: &[u32]) -> Option<Vec<Op>> {
    let last = path.last()?.checked_sub(1)?;
    let before = within(&path[..path.len() - 1], last);
    let (left, right) = (element(value, &before)?, element(value, path)?);
    let is_line = left.children.iter().all(|kid| matches!(kid, Node::Text(_)));
    let position = u32::try_from(left.children.len()).ok().filter(|count| is_line && *count > 0)?;
    Some(vec![Op::MergeNode { path: path.into(), position, properties: right.attrs.clone() }])
}

/// Something goes where something else is. A quote that has nothing afterwards goes away.
fn shift(value: &[Node], path: &[u32], to: &[u32]) -> Option<Vec<Op>> {
    if path.is_empty() || path.starts_with(to) || to.starts_with(path) {
        return None;
    }
    let parent = &path[..path.len() - 1];
    let is_last = !parent.is_empty() && children(value, parent)?.len() == 1;
    if is_last && to.starts_with(parent) {
        return None;
    }
    let mut ops = vec![Op::MoveNode { path: path.into(), new_path: to.into() }];
    if is_last {
        ops.push(empty(value, parent, &landing(path, to))?);
    }
    Some(ops)
}

/// A quote goes away out of which all was taken, the last to `new`.
fn empty(value: &[Node], quote: &[u32], new: &[u32]) -> Option<Op> {
    let mut path: Path = quote.into();
    let level = new.len() - 1;
    if level < path.len() && new[..level] == path[..level] && new[level] <= path[level] {
        path[level] += 1;
    }
    let attrs = element(value, quote)?.attrs.clone();
    Some(Op::RemoveNode { path, node: Node::Element(Element { attrs, children: Vec::new() }) })
}

fn wrap(path: &[u32]) -> Vec<Op> {
    let attrs = Attrs::from([("type".into(), Any::from(QUOTE))]);
    let quote = Node::Element(Element { attrs, children: Vec::new() });
    vec![
        Op::InsertNode { path: path.into(), node: quote },
        Op::MoveNode { path: beside(path), new_path: within(path, 0) },
    ]
}

/// What is in the quote around a line is in its place.
fn unwrap(value: &[Node], line: &[u32]) -> Option<Vec<Op>> {
    let quote = &line[..line.len() - 1];
    let found = element(value, quote)?;
    let count = u32::try_from(found.children.len()).ok()?;
    let mut ops = Vec::new();
    let mut at: Path = quote.into();
    for _ in 0..count {
        let new_path = at.clone();
        let from = within(&at, 0);
        ops.push(Op::MoveNode { path: from, new_path });
        at = beside(&at);
    }
    let node = Node::Element(Element { attrs: found.attrs.clone(), children: Vec::new() });
    ops.push(Op::RemoveNode { path: at, node });
    Some(ops)
}
