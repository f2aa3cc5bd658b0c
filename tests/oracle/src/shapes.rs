//! Random documents. Each letter, and the id of each block, is in one place only.

use fastrand::Rng;
use slate_yrs::slate::{Attrs, Element, Leaf, Node, Op, Schema, utf16_len};
use yrs::Any;

use crate::sheet::Sheet;
use crate::transforms::{Edits as _, before, is_inline, is_text, is_void, kind_of, path};

/// The property that identifies blocks.
pub const ID: &str = "id";

pub fn schema() -> Schema {
    let list = |types: &[&str]| types.iter().map(|name| (*name).to_owned()).collect();
    Schema::by_type(list(&["a", "comment", "m"]), list(&["image", "m"]))
}

/// Letters and ids that were not there before.
#[derive(Default)]
pub struct Fresh {
    letters: u32,
    ids: u32,
}

impl Fresh {
    /// Every seventh is two UTF-16 units long.
    pub fn letter(&mut self) -> char {
        self.letters += 1;
        let from = if self.letters.is_multiple_of(7) { 0x2_0000 } else { 0x4e00 };
        char::from_u32(from + self.letters).unwrap_or('?')
    }

    pub fn text(&mut self, length: usize) -> String {
        (0..length).map(|_| self.letter()).collect()
    }

    fn id(&mut self) -> Any {
        self.ids += 1;
        Any::from(format!("n{}", self.ids))
    }

    /// An element of a kind; blocks and voids have an id.
    pub fn make(&mut self, kind: &str, children: Vec<Node>) -> Node {
        let mut element = Element { attrs: Attrs::from([("type".into(), Any::from(kind))]), children };
        if !["a", "comment"].contains(&kind) {
            element.attrs.insert(ID.into(), self.id());
        }
        Node::Element(element)
    }

    fn line(&mut self, kind: &str, rng: &mut Rng) -> Node {
        let text = self.text(1 + rng.usize(..4));
        self.make(kind, vec![leaf(&text)])
    }

    /// What every act can put in: a block of the same kind as a neighbour.
    pub fn like(&mut self, kind: &str, rng: &mut Rng) -> Node {
        let children = match kind {
            "li" | "td" | "column" => vec![self.line("p", rng)],
            "tr" => vec![self.like("td", rng), self.like("td", rng)],
            "speech" => vec![self.line("character", rng), self.line("dialogue", rng)],
            "image" | "m" => vec![leaf("")],
            _ => return self.line(kind, rng),
        };
        self.make(kind, children)
    }
}

pub fn leaf(text: &str) -> Node {
    Node::Text(Leaf { text: text.into(), marks: Attrs::new() })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    Flat,
    Lists,
    Tables,
    Columns,
    Quotes,
    Inlines,
    Voids,
    Screenplay,
}

impl Shape {
    pub const ALL: [Self; 8] = [
        Self::Flat,
        Self::Lists,
        Self::Tables,
        Self::Columns,
        Self::Quotes,
        Self::Inlines,
        Self::Voids,
        Self::Screenplay,
    ];

    /// A document between two plain lines.
    pub fn draw(self, fresh: &mut Fresh, rng: &mut Rng) -> Vec<Node> {
        let mut value = vec![fresh.like("p", rng)];
        let several = |fresh: &mut Fresh, rng: &mut Rng, kind: &str, count: usize| -> Vec<Node> {
            (0..count).map(|_| fresh.like(kind, rng)).collect()
        };
        match self {
            Self::Flat => {
                let count = 2 + rng.usize(..3);
                value.extend(several(fresh, rng, "p", count));
            }
            Self::Lists => value.push(list(fresh, rng, 2)),
            Self::Tables => {
                let count = 2 + rng.usize(..2);
                let rows = several(fresh, rng, "tr", count);
                value.push(fresh.make("table", rows));
            }
            Self::Columns => {
                let columns = (0..2)
                    .map(|_| {
                        let count = 1 + rng.usize(..2);
                        let lines = several(fresh, rng, "p", count);
                        fresh.make("column", lines)
                    })
                    .collect();
                value.push(fresh.make("columns", columns));
            }
            Self::Quotes => {
                let inner = vec![fresh.like("p", rng)];
                let inner = fresh.make("q", inner);
                let lines = vec![fresh.like("p", rng), inner, fresh.like("p", rng)];
                value.push(fresh.make("q", lines));
            }
            Self::Inlines => value.extend((0..2).map(|_| {
                let mut text = |fresh: &mut Fresh| leaf(&fresh.text(1 + rng.usize(..3)));
                let inner = vec![text(fresh)];
                let inner = fresh.make("comment", inner);
                let link = vec![text(fresh), inner, text(fresh)];
                let link = fresh.make("a", link);
                let line = vec![text(fresh), link, text(fresh)];
                fresh.make("p", line)
            })),
            Self::Voids => {
                let image = fresh.like("image", rng);
                let line = vec![leaf(&fresh.text(2)), fresh.like("m", rng), leaf(&fresh.text(2))];
                value.extend([image, fresh.make("p", line), fresh.like("image", rng)]);
            }
            Self::Screenplay => {
                value.extend([fresh.like("heading", rng), fresh.like("action", rng)]);
                let speeches = several(fresh, rng, "speech", 2);
                value.push(fresh.make("dual", speeches));
            }
        }
        value.push(fresh.like("p", rng));
        value
    }
}

fn list(fresh: &mut Fresh, rng: &mut Rng, depth: usize) -> Node {
    let mut items = Vec::new();
    for _ in 0..2 + rng.usize(..2) {
        let mut item = fresh.like("li", rng);
        if let Node::Element(item) = &mut item
            && depth > 0
            && rng.u8(..3) == 0
        {
            item.children.push(list(fresh, rng, depth - 1));
        }
        items.push(item);
    }
    fresh.make("ul", items)
}

/// A document as somebody writes it: what could be one element was one, and has been divided by Enter. What is there before,
/// and the operations that make `value` of it, in groups of one division.
pub fn by_hand(value: &[Node]) -> (Vec<Node>, Vec<Vec<Op>>) {
    let mut sheet = Sheet::new(value);
    let mut divisions = Vec::new();
    join_all(&mut sheet, &mut Vec::new(), &mut divisions);
    divisions.reverse();
    (sheet.value, divisions)
}

fn join_all(sheet: &mut Sheet, at: &mut Vec<usize>, divisions: &mut Vec<Vec<Op>>) {
    let is_block = |node: &Node| !is_text(node) && !is_inline(node);
    let holds = |node: &Node| matches!(node, Node::Element(element) if element.children.iter().any(is_block));
    for index in (1..sheet.children(at).len()).rev() {
        let here = [&at[..], &[index]].concat();
        let (left, right) = (sheet.node(&before(&here)).clone(), sheet.node(&here).clone());
        let is_plain = is_block(&left) && is_block(&right) && !is_void(&right);
        if is_plain && kind_of(&left) == kind_of(&right) && holds(&left) == holds(&right) {
            sheet.ops.clear();
            sheet.merge(&here);
            sheet.normalize();
            divisions.push(sheet.ops.drain(..).rev().map(inverse).collect());
        }
    }
    for index in 0..sheet.children(at).len() {
        let here = [&at[..], &[index]].concat();
        if holds(sheet.node(&here)) {
            at.push(index);
            join_all(sheet, at, divisions);
            at.pop();
        }
    }
}

/// Of a merge; documents as they are drawn need nothing else to be joined.
fn inverse(op: Op) -> Op {
    match op {
        Op::MergeNode { path: at, position, properties } => {
            let at: Vec<usize> = at.iter().map(|index| *index as usize).collect();
            Op::SplitNode { path: path(&before(&at)), position, properties }
        }
        other => other,
    }
}

/// Places between the letters of a text, in UTF-16 units.
pub fn places(text: &str) -> Vec<usize> {
    let mut at = 0;
    let behind = text.chars().map(|letter| {
        at += letter.len_utf16();
        at
    });
    let places: Vec<usize> = std::iter::once(0).chain(behind).collect();
    debug_assert_eq!(places.last().copied(), Some(utf16_len(text) as usize));
    places
}
