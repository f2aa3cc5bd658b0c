//! What the server refuses for good.
//!
//! The edits are set aside: kept, counted, exportable. So is what depends on them, because nobody else could ever see
//! it: what lies in or beside something refused, and what the same client id made later, for replicas take a client's
//! structs without gaps only. So that later edits do not depend on refused ones, they are made under another client id.
//! While anything is set aside the status never says `server`.

use crate::protocol::RejectCode;
use crate::store::{LEFT_BEHIND, Write};
use crate::update::{Holes, split};

use super::local::Local;
use super::outbox::MERGED_BYTES;
use super::seeding::SEED;
use super::types::{ErrorCode, Origin};

/// The code of what is set aside because of something that was.
const DEPENDS: &str = "depends";
/// Why an edit was set aside that was not even sent.
const UNCUTTABLE: &str = "a single value exceeds what the server takes";

impl Local {
    /// Takes another client id after an update that cannot be cut: if a server refuses it as too large, later edits
    /// must not depend on it.
    pub fn isolate(&mut self, update: &[u8]) {
        if update.len() > MERGED_BYTES && split(update, MERGED_BYTES).is_err() {
            self.choose_client_id();
        }
    }

    /// Sets aside what is pending and depends on what is set aside already.
    pub fn set_dependents_aside(&mut self) {
        let device = &mut self.device;
        let at_first = device.outbox.set_aside.len();
        loop {
            let before = device.outbox.set_aside.len();
            let why = "it stands upon an edit that the server refuses";
            let writes = device.outbox.part(&device.holes, DEPENDS, why);
            device.journal.write_all(writes);
            let stuck: Vec<_> =
                device.outbox.set_aside[before..].iter().map(|aside| aside.update.update.clone()).collect();
            if stuck.is_empty() {
                break;
            }
            stuck.iter().for_each(|update| device.note_hole(DEPENDS, update));
        }
        if device.outbox.set_aside.len() > at_first {
            device.rearrange();
        }
        if device.holes.has_client(u64::from(self.editing.doc.client_id())) {
            self.choose_client_id();
        }
    }

    pub fn put_aside(&mut self, seq: u64, code: RejectCode, message: &str) {
        let device = &mut self.device;
        let Some(writes) = device.outbox.put_aside(seq, code.as_str(), message) else { return };
        device.journal.write_all(writes);
        if let Some(refused) = device.outbox.set_aside.last().map(|aside| aside.update.update.clone()) {
            device.note_hole(code.as_str(), &refused);
            self.set_dependents_aside();
        }
        let error = match code {
            RejectCode::Invalid => ErrorCode::InvalidUpdate,
            RejectCode::TooLarge => ErrorCode::TooLarge,
            RejectCode::ReadOnly => ErrorCode::Forbidden,
            RejectCode::RateLimited | RejectCode::Other => ErrorCode::Protocol,
        };
        self.report(error, format!("the server refuses an edit, it is kept aside: {message}"));
    }

    /// Sets aside what cannot be made small enough, so that the rest flows. `limit`: the largest update that is sent,
    /// bytes.
    pub fn put_oversized_aside(&mut self, limit: usize) {
        if self.device.outbox.oversized(self.device.update_limit).is_none() {
            return;
        }
        self.device.rearrange();
        // One at a time: each may change the seqs of the others.
        while let Some(seq) = self.device.outbox.oversized(limit) {
            self.put_aside(seq, RejectCode::TooLarge, UNCUTTABLE);
            self.device.rearrange();
        }
    }

    /// Sets aside what a plain server does not take in pieces either, so that the rest flows.
    pub fn put_uncuttable_aside(&mut self, limit: usize) {
        let uncuttable = |update: &[u8]| update.len() > limit && split(update, limit).is_err();
        // One at a time: each may change the seqs of the others.
        loop {
            let found = self.device.outbox.after(0).find(|entry| uncuttable(&entry.update)).map(|entry| entry.seq);
            let Some(seq) = found else { break };
            self.put_aside(seq, RejectCode::TooLarge, UNCUTTABLE);
        }
    }

    /// Gives up what was set aside, with what was built upon it.
    pub fn discard_set_aside(&mut self) {
        let device = &mut self.device;
        if device.outbox.aside_for_good() == 0 {
            return;
        }
        let foreign = [ErrorCode::Epoch.as_str(), LEFT_BEHIND, SEED];
        let own = device.outbox.set_aside.iter().filter(|aside| !foreign.contains(&aside.update.code.as_str()));
        for aside in own {
            let _ = device.holes.add(&aside.update.update, device.outbox.updates());
        }
        self.set_dependents_aside();
        let device = &mut self.device;
        device.journal.write(Write::DiscardSetAside);
        let kept = device.outbox.discard_aside();
        device.journal.write_all(kept);
        let holes = std::mem::take(&mut device.holes);
        if !holes.is_empty() {
            self.take_out(&holes);
        }
    }

    /// Takes these out of the document, in one step for the editor and one for the store.
    fn take_out(&mut self, holes: &Holes) {
        let mut doc = self.fresh.doc();
        let state = self.editing.doc.encode_state(None).unwrap_or_default();
        let change = match holes.without(&state) {
            Ok(sound) => doc.apply_update(&sound),
            Err(error) => return self.report(ErrorCode::InvalidUpdate, error.to_string()),
        };
        if let Err(error) = change {
            return self.report(ErrorCode::InvalidUpdate, error.to_string());
        }
        self.show_instead(doc, Origin::Remote);
        if let Ok(snapshot) = self.editing.doc.encode_state(None) {
            self.device.journal.compact(snapshot);
        }
    }
}
