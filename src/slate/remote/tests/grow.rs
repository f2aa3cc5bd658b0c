//! Random trees in a form that is easily edited, character by character.

use std::collections::HashMap;
use std::rc::Rc;

use fastrand::Rng;
use yrs::Any;

use super::trees::chars;
use crate::slate::value::node::Attrs;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::Id;

#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    pub id: NodeId,
    pub kind: &'static str,
    /// A property; 0: without.
    pub x: i32,
    pub kids: Vec<Twig>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Twig {
    Branch(Branch),
    Char(Char),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Char {
    pub c: char,
    pub id: Id,
    /// One bit for each mark.
    pub marks: u8,
}

pub type Spot = Vec<usize>;

impl Branch {
    pub fn is_inline(&self) -> bool {
        matches!(self.kind, "a" | "mention")
    }

    pub fn is_void(&self) -> bool {
        matches!(self.kind, "img" | "mention")
    }

    pub fn is_root(&self) -> bool {
        self.id == NodeId::Root
    }

    fn begins_with_block(&self) -> bool {
        matches!(self.kids.first(), Some(Twig::Branch(kid)) if !kid.is_inline())
    }

    /// Has text, or could have.
    pub fn is_textual(&self) -> bool {
        !self.is_root() && !self.is_void() && !self.begins_with_block()
    }

    /// Has blocks, or could have.
    pub fn is_holder(&self) -> bool {
        self.is_root() || (!self.is_inline() && !self.is_void() && (self.kids.is_empty() || self.begins_with_block()))
    }

    pub fn has_chars(&self) -> bool {
        self.kids.iter().any(|kid| matches!(kid, Twig::Char(_)))
    }

    pub fn at(&self, spot: &[usize]) -> &Branch {
        spot.iter().fold(self, |branch, index| match &branch.kids[*index] {
            Twig::Branch(kid) => kid,
            Twig::Char(_) => panic!("a character at {spot:?}"),
        })
    }

    pub fn at_mut(&mut self, spot: &[usize]) -> &mut Branch {
        spot.iter().fold(self, |branch, index| match &mut branch.kids[*index] {
            Twig::Branch(kid) => kid,
            Twig::Char(_) => panic!("a character at {spot:?}"),
        })
    }

    /// Takes a branch out.
    pub fn take(&mut self, spot: &[usize]) -> Twig {
        let (index, up) = spot.split_last().unwrap();
        self.at_mut(up).kids.remove(*index)
    }

    /// Where branches of a sort are, in order; the root among them.
    pub fn all(&self, sort: impl Fn(&Branch) -> bool) -> Vec<Spot> {
        fn go(branch: &Branch, spot: &mut Spot, all: &mut Vec<Spot>, sort: &impl Fn(&Branch) -> bool) {
            if sort(branch) {
                all.push(spot.clone());
            }
            for (index, kid) in branch.kids.iter().enumerate() {
                if let Twig::Branch(kid) = kid {
                    spot.push(index);
                    go(kid, spot, all, sort);
                    spot.pop();
                }
            }
        }
        let mut all = Vec::new();
        go(self, &mut Spot::new(), &mut all, &sort);
        all
    }
}

/// Where new branches and characters come from.
pub struct Garden {
    pub rng: Rng,
    next: u32,
    clocks: [u32; 3],
}

impl Garden {
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), next: 0, clocks: [0; 3] }
    }

    pub fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(..n) == 0
    }

    pub fn up_to(&mut self, n: usize) -> usize {
        self.rng.usize(..=n)
    }

    pub fn pick<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        self.rng.choice(list).cloned()
    }

    pub fn marks(&mut self) -> u8 {
        self.pick(&[0, 0, 0, 1, 2, 3]).unwrap()
    }

    pub fn new_id(&mut self) -> NodeId {
        self.next += 1;
        NodeId::Head(Id::new(9, self.next))
    }

    pub fn branch(&mut self, kind: &'static str, kids: Vec<Twig>) -> Branch {
        Branch { id: self.new_id(), kind, x: 0, kids }
    }

    pub fn word(&mut self, len: usize, client: usize, marks: u8) -> Vec<Twig> {
        let letters: Vec<char> = ('a'..='z').chain(['ä', '“', '😀', '🧡']).collect();
        let mut word = Vec::new();
        for _ in 0..len {
            let c = self.pick(&letters).unwrap();
            let id = Id::new(client as u64, self.clocks[client]);
            self.clocks[client] += c.len_utf16() as u32;
            word.push(Twig::Char(Char { c, id, marks }));
        }
        word
    }

    fn line(&mut self) -> Vec<Twig> {
        let mut line = Vec::new();
        for _ in 0..self.rng.usize(..4) {
            let (len, marks) = (self.rng.usize(..6), self.marks());
            match self.rng.u32(..10) {
                0..7 => line.extend(self.word(1 + len, 1, marks)),
                7..9 => {
                    let word = self.word(len, 1, marks);
                    line.push(Twig::Branch(self.branch("a", word)));
                }
                _ => line.push(Twig::Branch(self.branch("mention", Vec::new()))),
            }
        }
        line
    }

    fn paragraph(&mut self) -> Branch {
        let kind = self.pick(&["p", "p", "p", "h"]).unwrap();
        let line = self.line();
        self.branch(kind, line)
    }

    fn several(&mut self, max: usize, mut make: impl FnMut(&mut Self) -> Branch) -> Vec<Twig> {
        (0..self.rng.usize(1..=max)).map(|_| Twig::Branch(make(self))).collect()
    }

    pub fn block(&mut self, depth: u32) -> Branch {
        match self.rng.u32(..10) {
            0..5 => self.paragraph(),
            _ if depth > 2 => self.paragraph(),
            5..7 => {
                let items = self.several(3, |garden| {
                    let mut kids = vec![Twig::Branch(garden.paragraph())];
                    if garden.one_in(4) {
                        kids.push(Twig::Branch(garden.block(depth + 1)));
                    }
                    garden.branch("li", kids)
                });
                self.branch("ul", items)
            }
            7 => {
                let kids = self.several(3, |garden| garden.block(depth + 1));
                self.branch("q", kids)
            }
            8 => {
                let rows = self.several(2, |garden| {
                    let cells = garden.several(2, |garden| {
                        let kids = vec![Twig::Branch(garden.paragraph())];
                        garden.branch("td", kids)
                    });
                    garden.branch("tr", cells)
                });
                self.branch("table", rows)
            }
            _ => self.branch("img", Vec::new()),
        }
    }

    pub fn tree(&mut self, blocks: usize) -> Branch {
        let kids = (0..self.rng.usize(1..=blocks)).map(|_| Twig::Branch(self.block(0))).collect();
        Branch { id: NodeId::Root, kind: "", x: 0, kids }
    }

    /// The tree as it is shown; what is equal in `had` is the same pointer.
    pub fn show(&mut self, branch: &Branch, had: &HashMap<NodeId, Rc<Element>>) -> Rc<Element> {
        let mut kids: Vec<Kid> = Vec::new();
        for twig in &branch.kids {
            match twig {
                Twig::Branch(kid) => {
                    let beside = kid.is_inline() && !matches!(kids.last(), Some(Kid::Leaf(_)));
                    kids.extend(beside.then(empty));
                    kids.push(Kid::Element(self.show(kid, had)));
                }
                Twig::Char(char) => self.show_char(*char, &mut kids),
            }
        }
        let last_inline = matches!(kids.last(), Some(Kid::Element(kid)) if kid.inline);
        if !branch.is_root() && (kids.is_empty() || last_inline) {
            kids.push(empty());
        }
        let mut props = Attrs::new();
        if !branch.is_root() {
            props.insert("type".into(), branch.kind.into());
        }
        if branch.x != 0 {
            props.insert("x".into(), Any::from(branch.x));
        }
        let (inline, void) = (branch.is_inline(), branch.is_void());
        let element = Element { id: branch.id.clone(), props: Rc::new(props), kids, inline, void };
        match had.get(&element.id) {
            Some(had) if **had == element => had.clone(),
            _ => Rc::new(element),
        }
    }

    fn show_char(&mut self, char: Char, kids: &mut Vec<Kid>) {
        let mut marks = Attrs::new();
        for (bit, name) in [(1, "b"), (2, "i")] {
            if char.marks & bit != 0 {
                marks.insert(name.into(), Any::Bool(true));
            }
        }
        let text = char.c.to_string();
        match kids.last_mut() {
            Some(Kid::Leaf(leaf)) if *leaf.marks == marks => match leaf.runs.last_mut() {
                Some(run) if run.id.map(|id| id.plus(run.len)) == Some(char.id) && !self.one_in(12) => {
                    *run = chars(run.id, &format!("{}{text}", run.text));
                }
                _ => leaf.runs.push(chars(Some(char.id), &text)),
            },
            _ => kids.push(Kid::Leaf(Leaf { marks: Rc::new(marks), runs: vec![chars(Some(char.id), &text)] })),
        }
    }

    /// The tree as an editor may have it: leaves that no normalizer has joined, empty ones, elements and text that are not
    /// in the document.
    pub fn edited(&mut self, element: &Rc<Element>) -> Rc<Element> {
        let mut kids = Vec::new();
        for kid in &element.kids {
            match kid {
                Kid::Element(kid) => kids.push(Kid::Element(self.edited(kid))),
                Kid::Leaf(leaf) => self.edited_leaf(leaf, &mut kids),
            }
        }
        let mut copy = Element { kids, ..(**element).clone() };
        if element.id != NodeId::Root && self.one_in(20) {
            self.next += 1;
            copy.id = NodeId::New(self.next.into());
        }
        if copy == **element { element.clone() } else { Rc::new(copy) }
    }

    fn edited_leaf(&mut self, leaf: &Leaf, kids: &mut Vec<Kid>) {
        let mut runs: Vec<Chars> = Vec::new();
        for run in &leaf.runs {
            let mut run = run.clone();
            if self.one_in(20) {
                run.id = None;
            }
            if self.one_in(8) {
                kids.push(Kid::Leaf(Leaf { marks: leaf.marks.clone(), runs: std::mem::take(&mut runs) }));
            }
            runs.push(run);
        }
        kids.push(Kid::Leaf(Leaf { marks: leaf.marks.clone(), runs }));
        if self.one_in(10) {
            kids.push(empty());
        }
    }
}

fn empty() -> Kid {
    Kid::Leaf(Leaf::default())
}

/// Every element of a tree by its id.
pub fn by_id(element: &Rc<Element>) -> HashMap<NodeId, Rc<Element>> {
    let (mut all, mut stack) = (HashMap::new(), vec![element]);
    while let Some(element) = stack.pop() {
        all.insert(element.id.clone(), element.clone());
        stack.extend(element.kids.iter().filter_map(|kid| match kid {
            Kid::Element(kid) => Some(kid),
            Kid::Leaf(_) => None,
        }));
    }
    all
}
