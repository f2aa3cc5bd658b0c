//! What is fuzzed: each function takes any bytes, must not panic, and checks what must hold of what it could read.
//! `server/tests/fuzz.rs` runs the same functions on mutated samples with every test, and on the corpus.

mod engine;
mod http;
mod room;
mod token;

use slate_yrs::codec;
use slate_yrs::protocol::{self, Message, Reassembly};
use slate_yrs::slate::{Element, Leaf, Node, Op, Path, SlateDoc};
use slate_yrs::update::{say_the_same, split as cut};
use slate_yrs_server::presence::{RoomPresence, Speaker};
use slate_yrs_server::replica::{ApplyError, Replica};
use slate_yrs_server::validate;

pub use engine::engine;
pub use http::Host;
pub use room::room;
pub use token::token;

/// What the CRDT library throws is caught where updates are taken; any other panic ends the process.
pub fn prepare() {
    std::panic::set_hook(Box::new(|info| {
        if !info.location().is_some_and(|at| at.file().contains("/yrs-0")) {
            eprintln!("{info}\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
    }));
}

/// What the server has of its document: a seed, and an edit.
pub fn sample() -> Vec<Vec<u8>> {
    let leaf = |text: &str| Node::Text(Leaf { text: text.into(), ..Leaf::default() });
    let block = |text: &str| Node::Element(Element { attrs: Default::default(), children: vec![leaf(text)] });
    let seed = SlateDoc::seed_update("content", &[block("INT. KITCHEN"), block("She waits.")]);
    let mut doc = SlateDoc::new(engine::options());
    doc.apply_update(&seed).expect("a seed");
    let edit =
        doc.apply_local(vec![Op::InsertText { path: Path::from_slice(&[0, 0]), offset: 3, text: " —".into() }]);
    [seed].into_iter().chain(edit.update).collect()
}

/// Parts of an input: a byte, two of a length, and so many.
fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[who, low, high], rest) = bytes.split_first_chunk::<3>()?;
        let (piece, rest) = rest.split_at(usize::from(u16::from_le_bytes([low, high])).min(rest.len()));
        bytes = rest;
        Some((who, piece))
    })
}

/// A frame: what was read says the same when it is written and read again; fragments and presence take anything.
pub fn protocol(bytes: &[u8]) {
    let mut reassembly = Reassembly::new(1 << 20);
    let mut presence = RoomPresence::default();
    for message in protocol::messages(bytes) {
        let Ok(message) = message else { return };
        let frame = message.to_frame();
        let again: Vec<_> = protocol::messages(&frame).collect();
        assert_eq!(again, [Ok(message.clone())]);
        match message {
            Message::Fragment { id, index, count, bytes } => {
                let _ = reassembly.take(0, id, index, count, bytes);
            }
            Message::Awareness(update) => {
                let _ = slate_yrs::awareness::decode(update);
                let _ = presence.take(0, 1, &Speaker::default(), update);
                let _ = presence.take_elsewhere(0, 1 << 63, update);
            }
            Message::SyncStep1(state_vector) => {
                let _ = Replica::new().encode_since(state_vector);
                let _ = SlateDoc::new(engine::options()).encode_state(Some(state_vector));
            }
            _ => {}
        }
    }
}

/// An update, into a server's document: it changes it once, and a copy made from that document is equal to it.
pub fn update(bytes: &[u8]) {
    let mut replica = Replica::new();
    match replica.apply(bytes) {
        Ok(changed) => {
            let state = replica.encode();
            assert_eq!(replica.apply(bytes), Ok(false), "changed {changed}, and again");
            let mut copy = Replica::new();
            if copy.apply(&state).is_ok() && !replica.has_pending() {
                assert!(say_the_same(&copy.encode(), &state), "the copy is another document");
            }
        }
        // Nothing of it may have been taken.
        Err(ApplyError::Malformed(_) | ApplyError::Refused(_)) => assert_eq!(replica.encode(), Replica::new().encode()),
        Err(ApplyError::Undecodable(_) | ApplyError::Spoiled) => {}
    }
}

/// An update, cut up: the pieces are well formed if the whole is, and not larger than allowed.
pub fn split(bytes: &[u8]) {
    let Some((max, bytes)) = bytes.split_first() else { return };
    let max = 64 + usize::from(*max);
    let well_formed = validate::update(bytes).is_ok();
    if let Ok(pieces) = cut(bytes, max) {
        for piece in pieces {
            // Numbers of more than 32 bits take more room than is left for them; nobody has such.
            assert!(!well_formed || piece.len() <= max, "{} of {max}", piece.len());
            let judged = validate::update(&piece);
            assert!(!well_formed || judged.is_ok(), "{judged:?}: {piece:?}");
        }
    }
}

/// A batch of operations as it crosses between Rust and JavaScript.
pub fn codec(bytes: &[u8]) {
    let at = bytes.len() / 2 / 4 * 4;
    let (words, text) = bytes.split_at(at);
    let words: Vec<u32> =
        words.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
    let text = String::from_utf8_lossy(text);
    if let Ok(ops) = codec::decode_ops(&words, &text) {
        let batch = codec::encode_ops(&ops);
        assert_eq!(codec::decode_ops(&batch.words, &batch.text), Ok(ops));
    }
    if let Ok(nodes) = codec::decode_nodes(&words, &text) {
        let batch = codec::encode_nodes(&nodes);
        assert_eq!(codec::decode_nodes(&batch.words, &batch.text), Ok(nodes));
    }
    let _ = codec::decode_range(&words);
}
