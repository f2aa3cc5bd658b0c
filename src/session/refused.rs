//! What the server refuses for good.
//!
//! The edits are set aside: kept, counted, exportable. So is what cannot be without them, because nobody else could ever
//! see it: what lies in or beside something refused, and what the same client id made later, as replicas take a client's
//! structs without gaps only. So that this does not go on, what follows is made under another client id. While anything
//! is set aside the status never says `server`.

use crate::protocol::RejectCode;
use crate::slate::SlateDoc;
use crate::store::{LEFT_BEHIND, Write};
use crate::update::{Holes, split};

use super::outbox::MERGED_BYTES;
use super::seeding::SEED;
use super::sync::UNCUTTABLE;
use super::{ErrorCode, Origin, Session};

/// The code of what is set aside because of something that was.
const DEPENDS: &str = "depends";

impl Session {
    /// Something was set aside with this code, now or earlier.
    pub(super) fn note_hole(&mut self, code: &str, update: &[u8]) {
        // Another document's is not in this one. Who may not write today may tomorrow: then it goes as it is.
        let elsewhere = [ErrorCode::Epoch.as_str(), RejectCode::ReadOnly.as_str(), LEFT_BEHIND, SEED];
        if elsewhere.contains(&code) {
            return;
        }
        // What does not even decode is nothing that anything could depend on. What another tab could not store is here
        // once more, in whatever that one made of it: what is pending besides is not missing.
        let _ = self.holes.add(update, self.outbox.updates());
    }

    /// What may be too large for a server whatever is done with it shall not take along what is made after it.
    pub(super) fn isolate(&mut self, update: &[u8]) {
        if update.len() > MERGED_BYTES && split(update, MERGED_BYTES).is_err() {
            self.choose_client_id();
        }
    }

    /// Sets aside what is pending and cannot be without what is set aside already.
    pub(super) fn set_dependents_aside(&mut self) {
        let at_first = self.outbox.set_aside.len();
        loop {
            let before = self.outbox.set_aside.len();
            let why = "it stands upon an edit that the server refuses";
            let writes = self.outbox.part(&self.holes, DEPENDS, why);
            self.journal.write_all(writes);
            let stuck: Vec<_> =
                self.outbox.set_aside[before..].iter().map(|aside| aside.update.update.clone()).collect();
            if stuck.is_empty() {
                break;
            }
            stuck.iter().for_each(|update| self.note_hole(DEPENDS, update));
        }
        if self.outbox.set_aside.len() > at_first {
            self.rearrange();
        }
        if self.holes.has_client(u64::from(self.doc.client_id())) {
            self.choose_client_id();
        }
    }

    /// What a plain server takes in no piece is kept from the wire, and the rest flows.
    pub(super) fn put_uncuttable_aside(&mut self, limit: usize) {
        let uncuttable = |update: &[u8]| update.len() > limit && split(update, limit).is_err();
        // One after the other: seqs may be others after each.
        loop {
            let found = self.outbox.after(0).find(|entry| uncuttable(&entry.update)).map(|entry| entry.seq);
            let Some(seq) = found else { break };
            self.put_aside(seq, RejectCode::TooLarge, UNCUTTABLE);
        }
    }

    /// What was set aside is given up, with what was built upon it.
    pub(super) fn discard_set_aside(&mut self) {
        self.flush();
        if self.outbox.aside_for_good() == 0 || self.conflict {
            return;
        }
        let foreign = [ErrorCode::Epoch.as_str(), LEFT_BEHIND, SEED];
        let own = self.outbox.set_aside.iter().filter(|aside| !foreign.contains(&aside.update.code.as_str()));
        for aside in own {
            let _ = self.holes.add(&aside.update.update, self.outbox.updates());
        }
        self.set_dependents_aside();
        self.journal.write(Write::DiscardSetAside);
        let kept = self.outbox.discard_aside();
        self.journal.write_all(kept);
        let holes = std::mem::take(&mut self.holes);
        if !holes.is_empty() {
            self.take_out(&holes);
        }
    }

    /// The document without these, in one step for the editor and in one for the store.
    fn take_out(&mut self, holes: &Holes) {
        let options = self.doc_options();
        let mut doc = SlateDoc::new(options);
        let state = self.doc.encode_state(None).unwrap_or_default();
        let change = match holes.without(&state) {
            Ok(sound) => doc.apply_update(&sound),
            Err(error) => return self.report(ErrorCode::InvalidUpdate, error.to_string()),
        };
        match change {
            Ok(change) => self.incomplete = change.pending,
            Err(error) => return self.report(ErrorCode::InvalidUpdate, error.to_string()),
        }
        self.show_instead(doc, Origin::Remote);
        if let Ok(snapshot) = self.doc.encode_state(None) {
            self.journal.compact(snapshot);
        }
    }
}
