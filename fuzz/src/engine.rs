//! The engine's document: what a client does with updates that come.

use std::panic::{AssertUnwindSafe, catch_unwind};

use slate_yrs::slate::{DocOptions, Schema, SlateDoc};

pub fn options() -> DocOptions {
    DocOptions { client_id: 9, root: "content".into(), block_id: None, seed: 1, schema: Schema::default() }
}

/// Updates, one after the other, into an editor's document; then all of them at once into that of somebody who opens it.
/// What was taken can be written again, and read. Where the CRDT library panics, a page starts the module again.
pub fn engine(bytes: &[u8]) {
    let updates: Vec<&[u8]> = super::pieces(bytes).map(|(_, update)| update).collect();
    let mut doc = SlateDoc::new(options());
    let mut opened = SlateDoc::new(options());
    let taken = catch_unwind(AssertUnwindSafe(|| {
        let taken: Vec<bool> = updates.iter().map(|update| doc.apply_update(update).is_ok()).collect();
        let (loaded, _) = opened.load_all(&updates);
        while doc.is_looking() {
            doc.look();
        }
        // Of an update that fails half way the editor keeps what came before that, and does not call it refused.
        taken.iter().zip(&loaded).all(|(taken, loaded)| *loaded || !taken)
    }));
    let Ok(is_whole) = taken else {
        // The transaction that panicked holds its locks for ever.
        return std::mem::forget((doc, opened));
    };
    let state = doc.encode_state(None).expect("what was taken is written again");
    let mut copy = SlateDoc::new(options());
    match catch_unwind(AssertUnwindSafe(|| copy.load_all(&[&state]).0 == [true])) {
        Ok(is_read) => assert!(is_read || !is_whole, "what was written cannot be read"),
        Err(_) => std::mem::forget(copy),
    }
}
