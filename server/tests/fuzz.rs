//! The fuzz targets' functions on mutated samples, a bounded number of times; `fuzz/` runs them without end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use slate_yrs::codec;
use slate_yrs::protocol::Message;
use slate_yrs::slate::{Element, Leaf, Node, SlateDoc};
use yrs::{Any, Doc, Map, ReadTxn, StateVector, Text, Transact, XmlTextPrelim};

const RUNS: usize = 20_000;

/// Changes, repeats, cuts and inserts bytes.
fn mutate(rng: &mut fastrand::Rng, sample: &[u8]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..rng.usize(1..6) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = rng.usize(0..bytes.len());
        match rng.u8(..5) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes[at] ^= 1 << rng.u8(..8),
            2 => bytes.insert(at, [0, 1, 7, 0x7f, 0x80, 0xff][rng.usize(..6)]),
            3 => {
                let end = (at + rng.usize(1..20)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.drain(at..(at + rng.usize(1..8)).min(bytes.len()))),
        }
    }
    bytes
}

fn fuzz(seed: u64, samples: &[Vec<u8>], target: fn(&[u8])) {
    let mut rng = fastrand::Rng::with_seed(seed);
    for sample in samples {
        target(sample);
        for _ in 0..RUNS / samples.len() {
            target(&mutate(&mut rng, sample));
        }
    }
}

fn updates() -> Vec<Vec<u8>> {
    let doc = Doc::with_client_id(7);
    let (text, map) = (doc.get_or_insert_text("content"), doc.get_or_insert_map("map"));
    let mut all = Vec::new();
    for step in 0..6u32 {
        let mut txn = doc.transact_mut();
        match step {
            0 | 3 => text.insert(&mut txn, 0, "Cut to” — 🎬"),
            1 => drop(text.insert_embed(&mut txn, 2, XmlTextPrelim::new("inner"))),
            2 => text.format(&mut txn, 0, 2, [("bold".into(), Any::Bool(true))].into()),
            4 => text.remove_range(&mut txn, 1, 3),
            _ => drop(map.insert(&mut txn, "a", Any::from_json(r#"{"x":[1,2.5,{"y":null}]}"#).unwrap())),
        }
        all.push(txn.encode_update_v1());
    }
    all.push(doc.transact().encode_state_as_update_v1(&StateVector::default()));
    all
}

fn nodes() -> Vec<Node> {
    let leaf = Leaf { text: "INT. KITCHEN — 🎬".into(), ..Leaf::default() };
    let block = Element { attrs: [("id".into(), Any::from("b1"))].into(), children: vec![Node::Text(leaf)] };
    vec![Node::Element(block.clone()), Node::Element(block)]
}

#[test]
fn f23_frames() {
    let update = updates().remove(0);
    let frames = [
        Message::Update(&update).to_frame(),
        Message::Submit { seq: 300, update: &update }.to_frame(),
        Message::SyncStep1(&[1, 7, 9]).to_frame(),
        Message::Awareness(&[1, 7, 1, 2, b'{', b'}']).to_frame(),
        Message::Fragment { id: 1, index: 0, count: 2, bytes: &update }.to_frame(),
        [Message::Ack { seq: 1 }.to_frame(), Message::AuthDenied("no").to_frame(), Message::Ping.to_frame()].concat(),
    ];
    fuzz(1, &frames, targets::protocol);
}

#[test]
fn f23_updates() {
    std::panic::set_hook(Box::new(|info| {
        // What the CRDT library throws is caught; what the targets find is not.
        if !info.location().is_some_and(|at| at.file().contains("yrs-0")) {
            eprintln!("{info}");
        }
    }));
    let mut samples = updates();
    samples.push(SlateDoc::seed_update("content", &nodes()));
    fuzz(2, &samples, targets::update);
}

#[test]
fn f23_pieces() {
    let samples: Vec<_> = updates().into_iter().map(|update| [vec![10], update].concat()).collect();
    fuzz(3, &samples, targets::split);
}

#[test]
fn f23_batches() {
    let batch = codec::encode_nodes(nodes());
    let mut words: Vec<u8> = batch.words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut text = batch.text.into_bytes();
    // The target takes the first half for the words.
    words.resize(words.len().max(text.len()), 0);
    text.resize(words.len(), b' ');
    fuzz(4, &[[words, text].concat()], targets::codec);
}
