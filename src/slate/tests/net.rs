//! Editors that hear of each other, in whatever order.

use fastrand::Rng;

use super::model::{apply_all, canonical, normalize};
use super::random::{Editor, block, random_ops};
use crate::slate::{Node, Op, Path};

pub struct Net {
    pub editors: Vec<Editor>,
    pub rng: Rng,
    /// Everything sent, for late deliveries.
    pub out_of_order: bool,
}

impl Net {
    pub fn new(seed: u64, editors: usize) -> Self {
        let start = vec![block("a", "Hello world"), block("b", "Second “line” 😀"), block("c", "")];
        Self::starting_with(seed, editors, start)
    }

    pub fn starting_with(seed: u64, editors: usize, start: Vec<Node>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let ids = (0..editors).map(|n| 1 + n as u32 * 7 + rng.u32(0..7));
        let mut editors: Vec<_> = ids.map(Editor::new).collect();
        let ops = start.into_iter().enumerate();
        let ops = ops.map(|(n, node)| Op::InsertNode { path: Path::from_slice(&[n as u32]), node }).collect();
        let update = editors[0].edit(ops).expect("content");
        for editor in &mut editors[1..] {
            editor.receive(&update);
        }
        let out_of_order = rng.u8(..4) == 0;
        Self { editors, rng, out_of_order }
    }

    fn send(&mut self, from: usize, update: Option<Vec<u8>>) {
        let Some(update) = update else { return };
        for (n, editor) in self.editors.iter_mut().enumerate() {
            if n != from {
                editor.inbox.push_back(update.clone());
            }
        }
    }

    pub fn deliver(&mut self, to: usize) {
        let inbox = self.editors[to].inbox.len();
        if inbox == 0 {
            return;
        }
        let at = if self.out_of_order { self.rng.usize(..inbox) } else { 0 };
        if !self.out_of_order && inbox > 1 && self.rng.u8(..4) == 0 {
            // Back from offline: everything at once.
            let all: Vec<_> = self.editors[to].inbox.drain(..).collect();
            let merged = yrs::merge_updates_v1(&all).expect("updates merge");
            self.editors[to].receive(&merged);
            return;
        }
        if let Some(update) = self.editors[to].inbox.remove(at) {
            self.editors[to].receive(&update);
        }
    }

    pub fn step(&mut self) {
        let at = self.rng.usize(..self.editors.len());
        let what = self.rng.u8(..20);
        if what < 2 {
            let update = if what == 0 { self.editors[at].undo() } else { self.editors[at].redo() };
            self.send(at, update);
        } else if what < 11 {
            let mut ops = Vec::new();
            let mut value = self.editors[at].value.clone();
            for _ in 0..[1, 1, 1, 2, 4][self.rng.usize(..5)] {
                let more = random_ops(&mut self.rng, &value);
                apply_all(&mut value, &more);
                ops.extend(more);
                ops.extend(normalize(&mut value));
            }
            let update = self.editors[at].edit(ops);
            self.send(at, update);
        } else {
            self.deliver(at);
        }
    }

    pub fn settle(&mut self) {
        while let Some(at) = self.editors.iter().position(|editor| !editor.inbox.is_empty()) {
            self.deliver(at);
        }
        let waiting: Vec<_> = self.editors.iter().map(|editor| editor.doc.is_waiting()).collect();
        assert!(!waiting.contains(&true), "something never arrived: {waiting:?}, out of order {}", self.out_of_order);
        let first = canonical(&self.editors[0].value);
        for editor in &self.editors {
            assert_eq!(canonical(&editor.value), first, "the editors differ");
        }
    }
}
