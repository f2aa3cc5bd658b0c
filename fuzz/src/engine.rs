//! The engine's document: what a client does with updates that come.

use std::panic::{AssertUnwindSafe, catch_unwind};

use slate_yrs::slate::{DocOptions, Schema, SlateDoc};

pub fn options() -> DocOptions {
    DocOptions { client_id: 9, root: "content".into(), block_id: None, seed: 1, schema: Schema::default() }
}

/// Updates, one after the other, into an editor's document; then all of them at once into that of somebody who opens it.
/// Where the CRDT library panics, a page starts the module again.
pub fn engine(bytes: &[u8]) {
    let updates: Vec<&[u8]> = super::pieces(bytes).map(|(_, update)| update).collect();
    let mut doc = SlateDoc::new(options());
    let mut opened = SlateDoc::new(options());
    let taken = catch_unwind(AssertUnwindSafe(|| {
        for update in &updates {
            let _ = doc.apply_update(update);
        }
        let _ = opened.load_all(&updates);
        while doc.is_looking() {
            doc.look();
        }
        // Of bytes that no server of ours passes on, what waits may not be writable again: docs/RELIABILITY.md.
        let _ = doc.encode_state(None);
    }));
    if taken.is_err() {
        // The transaction that panicked holds its locks for ever.
        std::mem::forget((doc, opened));
    }
}
