//! Editors that hear of each other: directly, in whatever order, or through a server.

use std::collections::VecDeque;

use fastrand::Rng;
use yrs::updates::decoder::Decode;
use yrs::{Text, Transact};

use super::model::{apply_all, canonical, normalize};
use super::random::{Editor, block, random_ops};
use crate::slate::{Node, Op, Path};

/// A server that sends on what its own document has changed, as `@y/websocket-server` does: what went with a block that
/// was deleted is named as deleted, whoever wrote it.
pub struct Relay {
    doc: yrs::Doc,
    inbox: VecDeque<(usize, Vec<u8>)>,
}

impl Relay {
    pub fn new(start: &[u8]) -> Self {
        let doc = yrs::Doc::new();
        doc.transact_mut().apply_update(yrs::Update::decode_v1(start).expect("an update")).expect("content");
        Self { doc, inbox: VecDeque::new() }
    }

    pub fn retell(&self, update: &[u8]) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        txn.apply_update(yrs::Update::decode_v1(update).expect("an update")).expect("it follows");
        txn.commit();
        txn.encode_update_v1()
    }

    /// As somebody with plain yjs does.
    pub fn remove_block(&self, index: u32) -> Vec<u8> {
        let root = self.doc.get_or_insert_text("content");
        let mut txn = self.doc.transact_mut();
        root.remove_range(&mut txn, index, 1);
        txn.commit();
        txn.encode_update_v1()
    }

    fn pass_on(&mut self) -> Option<(usize, Vec<u8>)> {
        let (from, update) = self.inbox.pop_front()?;
        Some((from, self.retell(&update)))
    }
}

pub struct Net {
    pub editors: Vec<Editor>,
    pub relay: Option<Relay>,
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
        Self { editors, relay: None, rng, out_of_order }
    }

    /// From now on everything goes through such a server.
    pub fn through_relay(&mut self) {
        self.relay = Some(Relay::new(&self.editors[0].doc.encode_state(None).expect("a state")));
        self.out_of_order = false;
    }

    pub fn send(&mut self, from: usize, update: Option<Vec<u8>>) {
        let Some(update) = update else { return };
        match &mut self.relay {
            Some(relay) => relay.inbox.push_back((from, update)),
            None => self.broadcast(from, update),
        }
    }

    fn pass_on(&mut self) -> bool {
        let Some((from, update)) = self.relay.as_mut().and_then(Relay::pass_on) else { return false };
        self.broadcast(from, update);
        true
    }

    fn broadcast(&mut self, from: usize, update: Vec<u8>) {
        for (n, editor) in self.editors.iter_mut().enumerate() {
            if n != from {
                editor.inbox.push_back(update.clone());
            }
        }
    }

    pub fn deliver(&mut self, to: usize) {
        if self.relay.is_some() && self.rng.bool() {
            self.pass_on();
        }
        let inbox = self.editors[to].inbox.len();
        if inbox == 0 {
            return;
        }
        let at = if self.out_of_order { self.rng.usize(..inbox) } else { 0 };
        if !self.out_of_order && inbox > 1 && self.rng.u8(..4) == 0 {
            // Back from offline: everything at once.
            let all: Vec<_> = self.editors[to].inbox.drain(..).collect();
            let merged = yrs::merge_updates_v1(&all).expect("updates merge");
            let rescued = self.editors[to].receive(&merged);
            self.send(to, rescued);
            return;
        }
        if let Some(update) = self.editors[to].inbox.remove(at) {
            let rescued = self.editors[to].receive(&update);
            self.send(to, rescued);
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
        loop {
            let waiting = self.editors.iter().position(|editor| !editor.inbox.is_empty());
            match waiting {
                Some(at) => self.deliver(at),
                None if self.pass_on() => {}
                None => break,
            }
        }
        let waiting: Vec<_> = self.editors.iter().map(|editor| editor.doc.is_waiting()).collect();
        assert!(!waiting.contains(&true), "something never arrived: {waiting:?}, out of order {}", self.out_of_order);
        let first = canonical(&self.editors[0].value);
        for editor in &self.editors {
            assert_eq!(canonical(&editor.value), first, "the editors differ");
        }
    }
}
