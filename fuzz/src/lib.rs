//! What is fuzzed: each function takes any bytes, must not panic, and checks what must hold of what it could read.
//! `server/tests/fuzz.rs` runs the same functions on mutated samples with every test.

use slate_yrs::codec;
use slate_yrs::protocol::{self, Message, Reassembly};
use slate_yrs::update::split as cut;
use slate_yrs_server::presence::{Presence, Speaker};
use slate_yrs_server::replica::{ApplyError, Replica};
use slate_yrs_server::validate;

/// A frame: what was read says the same when it is written and read again; fragments and presence take anything.
pub fn protocol(bytes: &[u8]) {
    let mut reassembly = Reassembly::new(1 << 20);
    let mut presence = Presence::default();
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
                assert_eq!(copy.encode(), state);
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
            assert!(piece.len() <= max, "{} of {max}", piece.len());
            assert!(!well_formed || validate::update(&piece).is_ok());
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
