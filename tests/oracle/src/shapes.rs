//! Random documents, of the shapes that `tests/shapes.json` describes. Each letter, and the id of each block, is in one place
//! only.
//!
//! A description is one of these: the name of a kind, for such a block as every act can put in; `kind` with `children`; `kind`
//! with what stands `behind` the content of such a block; `letters`, how many a text has at least and at most; `from` and `to`,
//! how many there are `of` something; a `part` by its name, where it says so once in `oneIn` times and at most `deep` deep.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fastrand::Rng;
use serde::Deserialize;
use slate_yrs::slate::{Attrs, Element, Leaf, Node, Op, Schema, utf16_len};
use yrs::Any;

use crate::sheet::Sheet;
use crate::transforms::{Edits as _, before, is_inline, is_text, is_void, kind_of, path};

/// The property that identifies blocks.
pub const ID: &str = "id";

#[derive(Deserialize)]
struct Described {
    inline: Vec<String>,
    void: Vec<String>,
    /// What a block of a kind has in it where it is no line of text.
    kinds: BTreeMap<String, Vec<String>>,
    parts: BTreeMap<String, Form>,
    shapes: Ordered,
}

/// The shapes as they stand in the file: seeds go by their order.
struct Ordered(Vec<(String, Vec<Form>)>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Like(String),
    Element {
        kind: String,
        children: Vec<Form>,
    },
    Longer {
        kind: String,
        behind: Box<Form>,
    },
    Text {
        letters: (usize, usize),
    },
    Several {
        from: usize,
        to: usize,
        of: Box<Form>,
    },
    #[serde(rename_all = "camelCase")]
    Part {
        part: String,
        one_in: Option<u8>,
        deep: Option<usize>,
    },
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> serde::de::Visitor<'de> for Entries {
            type Value = Ordered;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("shapes by name")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut shapes = Vec::new();
                while let Some(shape) = map.next_entry()? {
                    shapes.push(shape);
                }
                Ok(Ordered(shapes))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[allow(clippy::expect_used, reason = "the file is part of the tests")]
static DESCRIBED: LazyLock<Described> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../shapes.json")).expect("tests/shapes.json"));

pub fn schema() -> Schema {
    Schema::by_type(DESCRIBED.inline.clone(), DESCRIBED.void.clone())
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
        let has = |kinds: &[String]| kinds.iter().any(|other| other == kind);
        if !has(&DESCRIBED.inline) || has(&DESCRIBED.void) {
            element.attrs.insert(ID.into(), self.id());
        }
        Node::Element(element)
    }

    /// What every act can put in: a block of the same kind as a neighbour.
    pub fn like(&mut self, kind: &str, rng: &mut Rng) -> Node {
        let children = match DESCRIBED.kinds.get(kind) {
            Some(kinds) if kinds.is_empty() => vec![leaf("")],
            Some(kinds) => kinds.iter().map(|kind| self.like(kind, rng)).collect(),
            None => vec![leaf(&self.text(1 + rng.usize(..4)))],
        };
        self.make(kind, children)
    }

    /// `deep`: in how many parts it stands.
    fn form(&mut self, form: &Form, deep: usize, rng: &mut Rng) -> Vec<Node> {
        let between = |rng: &mut Rng, from: usize, to: usize| if from == to { from } else { rng.usize(from..=to) };
        match form {
            Form::Like(kind) => vec![self.like(kind, rng)],
            Form::Element { kind, children } => {
                // Seeds mean the same documents as long as elements are drawn before the texts beside them.
                let mut drawn: Vec<Vec<Node>> = children.iter().map(|_| Vec::new()).collect();
                for texts in [false, true] {
                    for (into, child) in drawn.iter_mut().zip(children) {
                        if matches!(child, Form::Text { .. }) == texts {
                            *into = self.form(child, deep, rng);
                        }
                    }
                }
                vec![self.make(kind, drawn.into_iter().flatten().collect())]
            }
            Form::Longer { kind, behind } => {
                let mut node = self.like(kind, rng);
                let more = self.form(behind, deep, rng);
                if let Node::Element(element) = &mut node {
                    element.children.extend(more);
                }
                vec![node]
            }
            Form::Text { letters: (from, to) } => {
                let length = between(rng, *from, *to);
                vec![leaf(&self.text(length))]
            }
            Form::Several { from, to, of } => {
                (0..between(rng, *from, *to)).flat_map(|_| self.form(of, deep, rng)).collect()
            }
            Form::Part { deep: Some(most), .. } if deep >= *most => Vec::new(),
            Form::Part { one_in: Some(times), .. } if rng.u8(..*times) != 0 => Vec::new(),
            Form::Part { part, one_in, .. } => match DESCRIBED.parts.get(part) {
                Some(form) => self.form(form, deep + usize::from(one_in.is_some()), rng),
                None => Vec::new(),
            },
        }
    }
}

pub fn leaf(text: &str) -> Node {
    Node::Text(Leaf { text: text.into(), marks: Attrs::new() })
}

/// One of the shapes of `tests/shapes.json`, by its place there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape(usize);

impl Shape {
    /// All in turn.
    pub fn in_turn(seed: u64) -> Self {
        Self((seed % DESCRIBED.shapes.0.len() as u64) as usize)
    }

    pub fn name(self) -> &'static str {
        &DESCRIBED.shapes.0[self.0].0
    }

    /// A document between two plain lines.
    pub fn draw(self, fresh: &mut Fresh, rng: &mut Rng) -> Vec<Node> {
        let mut value = vec![fresh.like("p", rng)];
        for form in &DESCRIBED.shapes.0[self.0].1 {
            value.extend(fresh.form(form, 0, rng));
        }
        value.push(fresh.like("p", rng));
        value
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
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
