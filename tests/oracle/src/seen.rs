//! A value, letter by letter.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use slate_yrs::slate::{Leaf, Node};
use yrs::Any;

use crate::model::canonical;
use crate::shapes::ID;
use crate::transforms::{is_inline, is_text, is_void, kind_of};

/// What stands for a void among letters.
const VOID: char = '\u{fffc}';

#[derive(Debug, Clone)]
pub struct Letter {
    /// Which of the lowest blocks it is in.
    pub block: usize,
    /// How many letters are before it.
    pub at: usize,
    /// The type of that block; empty for bare text among blocks.
    pub kind: String,
    /// The types of what it is in, from the outside.
    pub within: String,
    pub bold: bool,
}

pub struct Part {
    pub kind: String,
    pub id: Option<String>,
    /// With a sign for each void.
    pub letters: Vec<char>,
    /// Has blocks.
    pub holds: bool,
    pub void: bool,
    pub inline: bool,
}

#[derive(Default)]
pub struct Seen {
    pub value: Vec<Node>,
    pub letters: HashMap<char, Letter>,
    /// In their order.
    pub text: Vec<char>,
    pub doubled: BTreeSet<char>,
    /// The letters of each of the lowest blocks.
    pub blocks: Vec<Vec<char>>,
    pub parts: Vec<Part>,
    /// Of the id of each void the types that have it.
    pub voids: BTreeMap<String, Vec<String>>,
    /// How many blocks have an id.
    pub ids: BTreeMap<String, usize>,
    pub shape: Looks,
}

/// What shapes it has.
#[derive(Default)]
pub struct Looks {
    pub types: BTreeSet<String>,
    /// The types of elements that mix bare text and blocks.
    pub mixed: BTreeSet<String>,
    /// Types that hold blocks (true), types that hold text.
    pub holds: BTreeSet<(String, bool)>,
}

fn is_block(node: &Node) -> bool {
    !is_text(node) && !is_inline(node)
}

/// Its text, and a sign for each void.
fn letters_of(nodes: &[Node], out: &mut Vec<char>) {
    for node in nodes {
        match node {
            Node::Text(leaf) => out.extend(leaf.text.chars()),
            Node::Element(_) if is_void(node) => out.push(VOID),
            Node::Element(element) => letters_of(&element.children, out),
        }
    }
}

impl Seen {
    pub fn new(value: &[Node]) -> Self {
        let mut seen = Self { value: canonical(value), ..Self::default() };
        let value = seen.value.clone();
        seen.walk(&value, "");
        for node in &value {
            seen.lines(std::slice::from_ref(node), "", "");
        }
        seen
    }

    pub fn has(&self, letter: char) -> bool {
        self.letters.contains_key(&letter)
    }

    /// The lowest blocks that are elements of their own.
    pub fn lowest(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.holds && !part.void && !part.inline)
    }

    /// Whether these come in this order, as far as they are there.
    pub fn in_order(&self, letters: &[char]) -> bool {
        let places = letters.iter().filter_map(|letter| self.letters.get(letter)).map(|letter| letter.at);
        places.clone().zip(places.skip(1)).all(|(one, next)| one < next)
    }

    fn walk(&mut self, nodes: &[Node], within: &str) {
        for node in nodes {
            let Node::Element(element) = node else { continue };
            let kind = kind_of(node).to_owned();
            let inner = if is_inline(node) { within.to_owned() } else { format!("{within}>{kind}") };
            self.walk(&element.children, &inner);
            let id = match element.attrs.get(ID) {
                Some(Any::String(id)) => Some(id.to_string()),
                _ => None,
            };
            if let Some(id) = &id {
                if is_void(node) {
                    self.voids.entry(id.to_string()).or_default().push(kind.clone());
                }
                *self.ids.entry(id.to_string()).or_default() += 1;
            }
            let (mut letters, void) = (Vec::new(), is_void(node));
            if void {
                letters.push(VOID);
            } else {
                letters_of(&element.children, &mut letters);
            }
            self.shape.add(&kind, &element.children, &letters);
            let holds = element.children.iter().any(is_block);
            self.parts.push(Part { kind, id, letters, holds, void, inline: is_inline(node) });
        }
    }

    /// The lowest blocks; bare text among blocks counts as one of its own.
    fn lines(&mut self, nodes: &[Node], kind: &str, within: &str) {
        if !nodes.iter().any(is_block) {
            let block = self.blocks.len();
            self.blocks.push(Vec::new());
            self.line(nodes, block, kind, within);
            return;
        }
        for node in nodes {
            match node {
                Node::Element(element) if is_block(node) => {
                    let kind = kind_of(node);
                    self.lines(&element.children, kind, &format!("{within}>{kind}"));
                }
                _ => {
                    let (block, had) = (self.blocks.len(), self.text.len());
                    self.blocks.push(Vec::new());
                    self.line(std::slice::from_ref(node), block, "", within);
                    if self.text.len() == had {
                        self.blocks.pop();
                    }
                }
            }
        }
    }

    fn line(&mut self, nodes: &[Node], block: usize, kind: &str, within: &str) {
        for node in nodes {
            match node {
                Node::Text(leaf) => self.leaf(leaf, block, kind, within),
                Node::Element(element) => self.line(&element.children, block, kind, within),
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf, block: usize, kind: &str, within: &str) {
        let bold = leaf.marks.get("bold") == Some(&Any::Bool(true));
        for letter in leaf.text.chars() {
            let at = self.text.len();
            self.text.push(letter);
            self.blocks[block].push(letter);
            let seen = Letter { block, at, kind: kind.to_owned(), within: within.to_owned(), bold };
            if self.letters.insert(letter, seen).is_some() {
                self.doubled.insert(letter);
            }
        }
    }
}

impl Looks {
    fn add(&mut self, kind: &str, kids: &[Node], letters: &[char]) {
        let (blocks, rest): (Vec<&Node>, Vec<&Node>) = kids.iter().partition(|kid| is_block(kid));
        let has_text = rest.iter().any(|kid| !matches!(kid, Node::Text(leaf) if leaf.text.is_empty()));
        if !blocks.is_empty() && has_text {
            self.mixed.insert(kind.to_owned());
        }
        if !blocks.is_empty() {
            self.holds.insert((kind.to_owned(), true));
        } else if letters.iter().any(|letter| *letter != VOID) {
            self.holds.insert((kind.to_owned(), false));
        }
        self.types.insert(kind.to_owned());
    }
}

/// One line for people.
pub fn show(value: &[Node]) -> String {
    let all: Vec<String> = canonical(value).iter().map(show_one).collect();
    all.join(" ")
}

fn show_one(node: &Node) -> String {
    let props = |attrs: &slate_yrs::slate::Attrs| -> String {
        let shown: Vec<String> = attrs
            .iter()
            .filter(|(name, _)| &***name != "type")
            .map(|(name, value)| match value {
                Any::Bool(true) => name.to_string(),
                Any::String(text) if text.len() > 20 => format!("{name}={}…", text.len()),
                Any::String(text) if &**name == ID => text.to_string(),
                value => format!("{name}={value}"),
            })
            .collect();
        if shown.is_empty() { String::new() } else { format!("<{}>", shown.join(",")) }
    };
    match node {
        Node::Text(leaf) if leaf.marks.is_empty() => leaf.text.clone(),
        Node::Text(leaf) => format!("«{}:{}»", props(&leaf.marks), leaf.text),
        Node::Element(element) => {
            let kids: Vec<String> = element.children.iter().map(show_one).collect();
            let (kind, props) = (kind_of(node), props(&element.attrs));
            match element.children.iter().any(is_block) {
                true => format!("{kind}{props}[{}]", kids.join(" ")),
                false => format!("{kind}{props}({})", kids.concat()),
            }
        }
    }
}
