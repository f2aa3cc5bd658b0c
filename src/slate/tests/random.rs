//! Random editors on one document: every operation, any order of delivery. What must hold after each step and at the
//! end is in `check` and `settle`. `SLATE_RUNS` and `SLATE_SEED` choose the runs; a failure prints its seed.

use std::collections::VecDeque;
use std::sync::Arc;

use fastrand::Rng;
use yrs::Any;

use super::model::{apply_all, canonical, is_inline, normalize};
use super::net::Net;
use crate::slate::value::transform;
use crate::slate::{Attrs, DocOptions, Element, Leaf, Node, Op, Path, SlateDoc};
use crate::undo::{Undo, UndoResult};

pub struct Editor {
    pub doc: SlateDoc,
    pub value: Vec<Node>,
    pub undo: Undo,
    now: u64,
    pub(super) inbox: VecDeque<Vec<u8>>,
}

impl Editor {
    pub fn new(client_id: u32) -> Self {
        let doc = SlateDoc::new(DocOptions {
            client_id,
            root: "content".into(),
            block_id: None,
            seed: 1,
            schema: Default::default(),
        });
        Self { doc, value: Vec::new(), undo: Undo::new(500), now: 0, inbox: VecDeque::new() }
    }

    /// As an editor does: its value first, then the engine.
    pub fn edit(&mut self, ops: Vec<Op>) -> Option<Vec<u8>> {
        apply_all(&mut self.value, &ops);
        let change = self.doc.apply_local(ops.clone());
        assert_eq!(change.rejected, [], "a valid operation was rejected");
        apply_all(&mut self.value, &change.ops);
        self.check(&format!("local {ops:?}"));
        self.now += 200;
        match change.update {
            Some(_) => self.undo.record(self.now, change.inverse, None),
            None => self.undo.transform(&ops),
        }
        self.undo.transform(&change.ops);
        change.update
    }

    pub fn undo(&mut self) -> Option<Vec<u8>> {
        let result = self.undo.undo(&mut self.doc, None);
        self.done(result)
    }

    pub fn redo(&mut self) -> Option<Vec<u8>> {
        let result = self.undo.redo(&mut self.doc, None);
        self.done(result)
    }

    fn done(&mut self, result: Option<UndoResult>) -> Option<Vec<u8>> {
        let result = result?;
        apply_all(&mut self.value, &result.ops);
        self.check(&format!("undo {:?}", result.ops));
        self.normalize();
        result.change.update
    }

    fn normalize(&mut self) {
        let fixes = normalize(&mut self.value);
        let fixed = self.doc.apply_local(fixes.clone());
        assert_eq!((fixed.update, fixed.rejected), (None, vec![]), "normalizing wrote to the doc: {fixes:?}");
        self.undo.transform(&fixes);
        self.check("normalized");
    }

    pub fn receive(&mut self, update: &[u8]) {
        let change = self.doc.apply_update(update).expect("a valid update");
        for op in &change.ops {
            if env("SLATE_TRACE", 0) > 0 {
                eprintln!("{op:?}\n  on {:?}", self.value);
            }
            super::model::apply(&mut self.value, op);
            assert!(!self.value.is_empty() || self.doc.is_empty(), "no blocks in a document that has some");
        }
        self.check(&format!("remote {:?}", change.ops));
        self.undo.transform(&change.ops);
        self.normalize();
    }

    pub fn check(&self, what: &str) {
        assert_eq!(self.doc.value(), self.value, "tree and editor differ after {what}");
        assert_eq!(canonical(&self.doc.read()), canonical(&self.value), "doc and editor differ after {what}");
    }
}

pub fn block(kind: &str, text: &str) -> Node {
    Node::Element(Element {
        attrs: Attrs::from([("type".into(), Any::from(kind))]),
        children: vec![Node::Text(Leaf { text: text.into(), marks: Attrs::new() })],
    })
}

const WORDS: [&str; 8] = ["a", "ab", "é", "😀", "x “y”", "aa", "long word here", "👩‍👩‍👧"];
const MARKS: [&str; 3] = ["bold", "italic", "color"];

fn random_mark(rng: &mut Rng) -> Any {
    match rng.u8(..7) {
        0 => Any::from(false),
        1 => Any::from(0i64),
        2 => Any::from(""),
        3 => Any::Map(Arc::new([("a".to_owned(), Any::from(1i64)), ("b".to_owned(), Any::Null)].into())),
        4 => Any::from(1.5),
        _ => Any::from(true),
    }
}

fn random_marks(rng: &mut Rng) -> Attrs {
    let count = [0, 0, 1, 2][rng.usize(..4)];
    (0..count).map(|_| (MARKS[rng.usize(..3)].into(), random_mark(rng))).collect()
}

fn random_node(rng: &mut Rng, inline: bool, depth: usize) -> Node {
    let text = |rng: &mut Rng| Node::Text(Leaf { text: WORDS[rng.usize(..8)].into(), marks: random_marks(rng) });
    let empty = Node::Text(Leaf::default());
    if inline {
        let mut attrs = Attrs::from([("inline".into(), Any::from(true)), ("type".into(), Any::from("link"))]);
        let is_void = rng.u8(..3) == 0;
        if is_void {
            attrs.insert("void".into(), Any::from(true));
        }
        return Node::Element(Element { attrs, children: vec![if is_void { empty } else { text(rng) }] });
    }
    let attrs = Attrs::from([("type".into(), Any::from(["p", "h", "q"][rng.usize(..3)]))]);
    let children = match rng.u8(..6) {
        0 if depth < 4 => (0..rng.usize(1..3)).map(|_| random_node(rng, false, depth + 1)).collect(),
        1 => vec![empty],
        2 => vec![text(rng), random_node(rng, true, depth), text(rng)],
        _ => vec![text(rng)],
    };
    Node::Element(Element { attrs, children })
}

pub type Seen<'a> = Vec<(Path, &'a Node)>;

/// All nodes.
pub fn seen(value: &[Node]) -> Seen<'_> {
    let mut nodes = Vec::new();
    all_nodes(value, &mut Path::new(), &mut nodes);
    nodes
}

pub fn texts<'a>(nodes: &Seen<'a>) -> Vec<(Path, &'a Leaf)> {
    let text = |(path, node): &(Path, &'a Node)| match node {
        Node::Text(leaf) => Some((path.clone(), leaf)),
        Node::Element(_) => None,
    };
    nodes.iter().filter_map(text).collect()
}

pub fn elements<'a>(nodes: &Seen<'a>) -> Vec<(Path, &'a Element)> {
    let element = |(path, node): &(Path, &'a Node)| match node {
        Node::Element(element) => Some((path.clone(), element)),
        Node::Text(_) => None,
    };
    nodes.iter().filter_map(element).collect()
}

fn all_nodes<'a>(value: &'a [Node], path: &mut Path, out: &mut Seen<'a>) {
    for (index, node) in value.iter().enumerate() {
        path.push(index as u32);
        out.push((path.clone(), node));
        if let Node::Element(element) = node {
            all_nodes(&element.children, path, out);
        }
        path.pop();
    }
}

/// Offsets at which a text may be cut.
pub fn offsets(text: &str) -> Vec<u32> {
    let mut at = 0;
    let mut offsets = vec![0];
    for c in text.chars() {
        at += c.len_utf16() as u32;
        offsets.push(at);
    }
    offsets
}

fn slice(text: &str, from: u32, to: u32) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    String::from_utf16(&units[from as usize..to as usize]).expect("cut between characters")
}

pub fn pick<'a, T>(rng: &mut Rng, list: &'a [T]) -> Option<&'a T> {
    if list.is_empty() { None } else { Some(&list[rng.usize(..list.len())]) }
}

fn is_block_parent(children: &[Node]) -> bool {
    children.iter().any(|child| matches!(child, Node::Element(_)) && !is_inline(child))
}

/// One thing a user does; valid for `value`.
pub fn random_ops(rng: &mut Rng, value: &[Node]) -> Vec<Op> {
    let nodes = seen(value);
    let (texts, elements) = (texts(&nodes), elements(&nodes));
    let ops = match rng.u8(..20) {
        0..=4 => insert_text(rng, &texts),
        5..=7 => remove_text(rng, &texts),
        8 => insert_block(rng, value, &elements),
        9 => insert_inline(rng, &texts),
        10 => remove_node(rng, value, &nodes),
        11 => format(rng, &texts),
        12 => set_element(rng, &elements),
        13..=14 => enter(rng, value, &texts),
        15..=16 => backspace(rng, value, &elements),
        17..=18 => move_node(rng, value, &nodes),
        _ => wrap(rng, &elements),
    };
    ops.unwrap_or_else(|| {
        vec![Op::InsertNode { path: Path::from_slice(&[value.len() as u32]), node: random_node(rng, false, 1) }]
    })
}

fn insert_text(rng: &mut Rng, texts: &[(Path, &Leaf)]) -> Option<Vec<Op>> {
    let (path, leaf) = pick(rng, texts)?;
    let offset = *pick(rng, &offsets(&leaf.text))?;
    Some(vec![Op::InsertText { path: path.clone(), offset, text: WORDS[rng.usize(..8)].into() }])
}

pub fn remove_text(rng: &mut Rng, texts: &[(Path, &Leaf)]) -> Option<Vec<Op>> {
    let (path, leaf) = pick(rng, texts)?;
    let offsets = offsets(&leaf.text);
    let (a, b) = (*pick(rng, &offsets)?, *pick(rng, &offsets)?);
    let (from, to) = (a.min(b), a.max(b));
    Some(vec![Op::RemoveText { path: path.clone(), offset: from, text: slice(&leaf.text, from, to) }])
}

fn insert_block(rng: &mut Rng, value: &[Node], elements: &[(Path, &Element)]) -> Option<Vec<Op>> {
    let parents: Vec<_> = elements.iter().filter(|(_, element)| is_block_parent(&element.children)).collect();
    let mut path = Path::new();
    let mut len = value.len();
    if rng.bool()
        && let Some((inside, element)) = pick(rng, &parents)
        && inside.len() < 5
    {
        path = inside.clone();
        len = element.children.len();
    }
    path.push(rng.u32(0..=len as u32));
    let depth = path.len();
    Some(vec![Op::InsertNode { path, node: random_node(rng, false, depth) }])
}

fn insert_inline(rng: &mut Rng, texts: &[(Path, &Leaf)]) -> Option<Vec<Op>> {
    let (path, leaf) = pick(rng, texts)?;
    if path.len() < 2 || path.len() > 5 {
        return None;
    }
    let position = *pick(rng, &offsets(&leaf.text))?;
    let at = transform::next(path);
    let split = Op::SplitNode { path: path.clone(), position, properties: leaf.marks.clone() };
    let node = if rng.u8(..3) == 0 {
        Node::Text(Leaf { text: WORDS[rng.usize(..8)].into(), marks: random_marks(rng) })
    } else {
        random_node(rng, true, 0)
    };
    Some(vec![split, Op::InsertNode { path: at, node }])
}

pub fn remove_node(rng: &mut Rng, value: &[Node], nodes: &Seen) -> Option<Vec<Op>> {
    let (path, node) = pick(rng, nodes)?;
    if value.len() < 3 && path.len() == 1 {
        return None;
    }
    Some(vec![Op::RemoveNode { path: path.clone(), node: (*node).clone() }])
}

pub fn format(rng: &mut Rng, texts: &[(Path, &Leaf)]) -> Option<Vec<Op>> {
    let (path, leaf) = pick(rng, texts)?;
    let offsets = offsets(&leaf.text);
    let (a, b) = (*pick(rng, &offsets)?, *pick(rng, &offsets)?);
    let (from, to) = (a.min(b), a.max(b));
    let key = MARKS[rng.usize(..3)];
    let old: Attrs = leaf.marks.get_key_value(key).map(|(k, v)| (k.clone(), v.clone())).into_iter().collect();
    let new = match rng.u8(..3) {
        0 => Attrs::new(),
        _ => Attrs::from([(key.into(), random_mark(rng))]),
    };
    let mut ops = Vec::new();
    let mut path = path.clone();
    if to < slice_len(&leaf.text) {
        ops.push(Op::SplitNode { path: path.clone(), position: to, properties: leaf.marks.clone() });
    }
    if from > 0 {
        // Half of the time the split itself sets the new marks.
        if rng.bool() {
            let mut marks = leaf.marks.clone();
            marks.remove(key);
            marks.extend(new);
            ops.push(Op::SplitNode { path, position: from, properties: marks });
            return Some(ops);
        }
        ops.push(Op::SplitNode { path: path.clone(), position: from, properties: leaf.marks.clone() });
        path = transform::next(&path);
    }
    ops.push(Op::SetNode { path, properties: old, new_properties: new });
    Some(ops)
}

fn slice_len(text: &str) -> u32 {
    text.encode_utf16().count() as u32
}

fn set_element(rng: &mut Rng, elements: &[(Path, &Element)]) -> Option<Vec<Op>> {
    let (path, element) = pick(rng, elements)?;
    let key = ["type", "align", "meta"][rng.usize(..3)];
    let old: Attrs = element.attrs.get_key_value(key).map(|(k, v)| (k.clone(), v.clone())).into_iter().collect();
    let new = match rng.u8(..3) {
        0 if key != "type" => Attrs::new(),
        _ => Attrs::from([(key.into(), random_mark(rng))]),
    };
    Some(vec![Op::SetNode { path: path.clone(), properties: old, new_properties: new }])
}

fn element_at<'a>(value: &'a [Node], path: &[u32]) -> Option<&'a Element> {
    let (first, rest) = path.split_first()?;
    match &value[*first as usize] {
        Node::Element(element) if rest.is_empty() => Some(element),
        Node::Element(element) => element_at(&element.children, rest),
        Node::Text(_) => None,
    }
}

/// Enter: splits the text, the inlines around it and the block.
pub fn enter(rng: &mut Rng, value: &[Node], texts: &[(Path, &Leaf)]) -> Option<Vec<Op>> {
    let (path, leaf) = pick(rng, texts)?;
    let offsets = offsets(&leaf.text);
    let position = match rng.u8(..4) {
        0 => 0,
        1 => *offsets.last()?,
        _ => *pick(rng, &offsets)?,
    };
    let mut ops = vec![Op::SplitNode { path: path.clone(), position, properties: leaf.marks.clone() }];
    let mut at = path.clone();
    while at.len() > 1 {
        let index = at.pop()?;
        let element = element_at(value, &at)?;
        let mut properties = element.attrs.clone();
        if rng.u8(..5) == 0 {
            properties.insert("type".into(), Any::from("other"));
        }
        ops.push(Op::SplitNode { path: at.clone(), position: index + 1, properties });
        if !is_inline(&Node::Element(element.clone())) && rng.u8(..4) != 0 {
            break;
        }
    }
    Some(ops)
}

pub fn backspace(rng: &mut Rng, value: &[Node], elements: &[(Path, &Element)]) -> Option<Vec<Op>> {
    let seconds: Vec<_> = elements
        .iter()
        .filter(|(path, element)| {
            path.last() != Some(&0)
                && element_at(value, &transform::previous(path)).is_some_and(|previous| {
                    is_inline(&Node::Element(previous.clone())) == is_inline(&Node::Element((*element).clone()))
                        && is_block_parent(&previous.children) == is_block_parent(&element.children)
                })
        })
        .collect();
    let (path, element) = pick(rng, &seconds)?;
    let previous = element_at(value, &transform::previous(path))?;
    Some(vec![Op::MergeNode {
        path: path.clone(),
        position: previous.children.len() as u32,
        properties: element.attrs.clone(),
    }])
}

pub fn move_node(rng: &mut Rng, value: &[Node], nodes: &Seen) -> Option<Vec<Op>> {
    let (path, node) = pick(rng, nodes)?;
    let block = matches!(node, Node::Element(_)) && !is_inline(node);
    let targets: Vec<_> = nodes
        .iter()
        .filter(|(to, there)| {
            let there_is_block = matches!(there, Node::Element(_)) && !is_inline(there);
            !to.starts_with(path) && block == there_is_block && to.len() < 6
        })
        .collect();
    let (to, _) = pick(rng, &targets)?;
    if path.len() == 1 && value.len() < 3 {
        return None;
    }
    Some(vec![Op::MoveNode { path: path.clone(), new_path: to.clone() }])
}

pub fn wrap(rng: &mut Rng, elements: &[(Path, &Element)]) -> Option<Vec<Op>> {
    let blocks: Vec<_> = elements
        .iter()
        .filter(|(path, element)| path.len() < 4 && !is_inline(&Node::Element((*element).clone())))
        .collect();
    let (path, _) = pick(rng, &blocks)?;
    let attrs = Attrs::from([("type".into(), Any::from("box"))]);
    let wrapper = Node::Element(Element { attrs, children: vec![] });
    let mut inside = path.clone();
    inside.push(0);
    Some(vec![
        Op::InsertNode { path: path.clone(), node: wrapper },
        Op::MoveNode { path: transform::next(path), new_path: inside },
    ])
}

pub fn env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn run(seed: u64, steps: usize) {
    let mut net = Net::new(seed, 2 + (seed % 3) as usize);
    for _ in 0..steps {
        net.step();
    }
    net.settle();
}

/// Found by longer runs: splits through three levels, of which the middle one lost blocks, too; and one that cannot be shown.
#[test]
fn seeds_that_once_failed() {
    for seed in [19, 74, 6994, 10010, 18295] {
        run(seed, 100);
    }
}

#[test]
fn f7_f9_random_editors_agree() {
    let steps = env("SLATE_STEPS", 100) as usize;
    let first = env("SLATE_SEED", 1);
    let end = first + env("SLATE_RUNS", 600);
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let work = |worker: u64| {
        for seed in (first + worker..end).step_by(workers as usize) {
            if let Err(panic) = std::panic::catch_unwind(|| run(seed, steps)) {
                eprintln!("failed with SLATE_SEED={seed} SLATE_RUNS=1");
                std::panic::resume_unwind(panic);
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..workers {
            scope.spawn(move || work(worker));
        }
    });
}
