//! What people do in their editors.

use slate_yrs::session::Input;
use slate_yrs::slate::{Attrs, Element, Leaf, Node, Op, Path};
use yrs::{Doc, Text, Transact, XmlTextPrelim};

use crate::editor::{block, text_of, tokens};
use crate::plan::Acts;
use crate::world::World;

/// Nested deeper than the server takes.
const DEEP: u32 = 210;

impl World {
    /// The user of `tab` does something, if the page is there.
    pub fn act(&mut self, tab: usize) {
        let Some(session) = self.tabs[tab].session.as_ref().filter(|_| self.tabs[tab].ready) else { return };
        // What is edited before the document is there, or is of format 1, is translated, and its bytes are others.
        let (status, is_empty) = (session.status(), self.tabs[tab].editor.value.is_empty());
        if self.plan.format > 0 && (status.format != Some(self.plan.format) || (is_empty && !status.synced)) {
            return;
        }
        if self.plan.values && self.rng.u8(..4) == 0 {
            self.set_value(tab);
            return self.check_editor(tab);
        }
        match self.rng.u8(..30) {
            0 | 1 if self.plan.acts == Acts::Undo => self.feed(tab, Input::Undo),
            2 if self.plan.acts == Acts::Undo => self.feed(tab, Input::Redo),
            3 if self.rng.u8(..4) == 0 => {
                self.injected("burst of typing");
                // More than is sent unacknowledged, more than stays unmerged.
                for _ in 0..self.rng.u32(70..100) {
                    self.edit(tab);
                }
            }
            4 => self.feed(tab, Input::Suspend),
            _ => {
                for _ in 0..self.rng.usize(1..4) {
                    self.edit_later(tab);
                }
                self.feed(tab, Input::Flush);
            }
        }
        self.check_editor(tab);
    }

    fn edit(&mut self, tab: usize) {
        self.edit_later(tab);
        self.feed(tab, Input::Flush);
    }

    fn edit_later(&mut self, tab: usize) {
        for op in self.random_ops(tab) {
            if self.tabs[tab].session.is_none() {
                return;
            }
            self.tabs[tab].typing.extend(tokens_of(&op));
            self.tabs[tab].editor.apply(&op);
            self.feed(tab, Input::Edit(op));
        }
    }

    fn random_ops(&mut self, tab: usize) -> Vec<Op> {
        // Removing parts of it never makes it another one.
        let token = format!("<{:08x}>", self.rng.u32(..));
        if self.plan.acts == Acts::Structure && self.plan.format > 0 {
            return self.structural_ops(tab, token);
        }
        let value = &self.tabs[tab].editor.value;
        let blocks = value.len() as u32;
        let Some(at) = (blocks > 0).then(|| self.rng.u32(..blocks)) else {
            return vec![Op::InsertNode { path: path(&[0]), node: block(&token) }];
        };
        let Node::Element(element) = &value[at as usize] else { return Vec::new() };
        let leaves = element.children.len() as u32;
        let leaf_at = if leaves > 0 { self.rng.u32(..leaves) } else { 0 };
        let Some(Node::Text(leaf)) = element.children.get(leaf_at as usize) else { return Vec::new() };
        let length = leaf.text.encode_utf16().count() as u32;
        let text_path = path(&[at, leaf_at]);
        let acts = self.plan.acts;
        let kind = self.rng.u8(..16);
        match kind {
            0 => {
                let at = self.rng.u32(..=blocks);
                let text = if self.rng.u8(..8) == 0 { token + &"x".repeat(1_600) } else { token };
                vec![Op::InsertNode { path: path(&[at]), node: block(&text) }]
            }
            1 if blocks > 3 && acts != Acts::Typing => {
                vec![Op::RemoveNode { path: path(&[at]), node: value[at as usize].clone() }]
            }
            2..=4 if length > 2 && acts != Acts::Typing => {
                let from = self.rng.u32(..length - 1);
                let text: String = leaf.text.chars().skip(from as usize).take(self.rng.usize(1..6)).collect();
                vec![Op::RemoveText { path: text_path, offset: from, text }]
            }
            5 if matches!(acts, Acts::Structure | Acts::Typing) => vec![restyle(&path(&[at]), element, &token)],
            6 | 7 if acts == Acts::Structure && length > 0 => {
                split(at, leaf_at, self.rng.u32(..=length), element, leaf)
            }
            8 if acts == Acts::Structure && at > 0 => merge(value, at).into_iter().collect(),
            9 if acts == Acts::Structure => {
                let to = self.rng.u32(..blocks);
                if to == at { Vec::new() } else { vec![Op::MoveNode { path: path(&[at]), new_path: path(&[to]) }] }
            }
            10 if acts == Acts::Refused && self.rng.u8(..4) == 0 => {
                let element = element.clone();
                self.too_much(tab, at, &element, &token)
            }
            _ => {
                let offset = match acts {
                    // Between words: none is torn.
                    Acts::Typing => self.rng.choice(borders(&leaf.text)).unwrap_or(0),
                    _ => self.rng.u32(..=length),
                };
                vec![Op::InsertText { path: text_path, offset, text: token }]
            }
        }
    }

    /// What no server takes: a value that cannot be cut, or elements in elements without end. Both the session finds out by
    /// itself, but for what is imported.
    fn too_much(&mut self, tab: usize, at: u32, element: &Element, token: &str) -> Vec<Op> {
        if self.rng.bool() {
            self.injected("value too large");
            return vec![restyle(&path(&[at]), element, &"y".repeat(3_000))];
        }
        self.injected("nested too deep");
        let device = self.tabs[tab].device;
        let alone = self.tabs.iter().filter(|it| it.device == device).count() == 1;
        if self.plan.imports && alone {
            let update = nested(u64::from(self.rng.u32(1..)));
            self.feed(tab, Input::ApplyUpdate(update));
            return Vec::new();
        }
        let mut node = block(token);
        for _ in 0..DEEP {
            node = Node::Element(Element { attrs: Attrs::new(), children: vec![node] });
        }
        vec![Op::InsertNode { path: path(&[at]), node }]
    }
}

fn nested(client: u64) -> Vec<u8> {
    let doc = Doc::with_client_id(client);
    let root = doc.get_or_insert_text("content");
    let mut txn = doc.transact_mut();
    let mut element = root.insert_embed(&mut txn, 0, XmlTextPrelim::new(""));
    for _ in 0..DEEP {
        element = element.insert_embed(&mut txn, 0, XmlTextPrelim::new(""));
    }
    txn.encode_update_v1()
}

/// Where a word ends, or the text begins. Everything typed is ASCII.
pub fn borders(text: &str) -> Vec<u32> {
    let ends = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'>').map(|(_, at)| at);
    std::iter::once(0).chain(ends).collect()
}

fn path(steps: &[u32]) -> Path {
    steps.iter().copied().collect()
}

fn tokens_of(op: &Op) -> Vec<String> {
    match op {
        Op::InsertText { text, .. } => tokens(text).map(str::to_owned).collect(),
        Op::InsertNode { node, .. } => tokens(&text_of(std::slice::from_ref(node))).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

pub fn restyle(path: &Path, element: &Element, value: &str) -> Op {
    let old = element.attrs.get("style").map(|old| ("style".into(), old.clone()));
    let new = [("style".into(), yrs::Any::from(value))];
    Op::SetNode { path: path.clone(), properties: old.into_iter().collect(), new_properties: new.into() }
}

/// Enter, as Slate does it.
fn split(at: u32, leaf_at: u32, offset: u32, element: &Element, leaf: &Leaf) -> Vec<Op> {
    vec![
        Op::SplitNode { path: path(&[at, leaf_at]), position: offset, properties: leaf.marks.clone() },
        Op::SplitNode { path: path(&[at]), position: leaf_at + 1, properties: element.attrs.clone() },
    ]
}

/// Backspace at the start of a block.
fn merge(value: &[Node], at: u32) -> Option<Op> {
    let (Node::Element(left), Node::Element(right)) = (&value[at as usize - 1], &value[at as usize]) else {
        return None;
    };
    let position = left.children.len() as u32;
    Some(Op::MergeNode { path: path(&[at]), position, properties: right.attrs.clone() })
}
