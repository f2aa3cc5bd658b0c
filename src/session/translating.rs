//! Edits made for a lower format than the document has by now: written again as in that format.
//!
//! The server's document is asked for as a whole. When it is here, what this device has beside it is translated
//! ([`crate::slate::Translation`]) and takes its place, in one step for the editor and in one for the store. Until then
//! nothing is sent, nothing is applied, and what is typed goes on being pending.
//!
//! Invariants: as bytes nothing of it is sent. One of a device's tabs translates, for all of them; the document says what
//! was translated. What is written for it is not sent before the device has it.

use std::collections::{BTreeMap, BTreeSet};

use yrs::updates::encoder::Encode;

use crate::format::{DOC_ROOT, Format};
use crate::protocol::{Message, RejectCode};
use crate::slate::{SlateDoc, Translation};
use crate::store::{LEFT_BEHIND, SetAside};

use super::connection::Live;
use super::keeping::Keeping;
use super::outbox::{Aside, inserts, is_below};
use super::seeding::Seed;
use super::waiting::Overtaken;
use super::{ErrorCode, Millis, Origin, Session};

/// The lowest format that edits are translated to.
const FIRST_BY_REFERENCE: Format = 1;
/// So long a tab waits for the one that translates.
const PATIENCE: Millis = 10_000;
/// Why an edit was set aside that another tab has not heard of when it translated.
const LATE: &str = "it was made for another format, while another tab translated the rest";

impl Session {
    /// Whether there are edits here that were made while the document was of a lower format than the server's is: as bytes
    /// they would take along what others have put into what they copy.
    pub(super) fn is_behind(&self, format: Format) -> bool {
        let waits = |aside: &Aside| aside.update.code == RejectCode::ReadOnly.as_str();
        let edits = !self.outbox.is_empty() || self.formatting.shared || self.outbox.set_aside.iter().any(waits);
        format > self.doc.format() && self.config.formats.knows(format) && edits
    }

    /// [`Session::is_behind`] where no server has said it: `update` is what the server's document has beyond this one.
    pub(super) fn is_behind_of(&mut self, update: &[u8]) -> Option<Format> {
        let names_it = update.windows(DOC_ROOT.len()).any(|bytes| bytes == DOC_ROOT.as_bytes());
        // Where nothing is pending, or the format is known, this is not looked into.
        if !names_it || !self.is_behind(FIRST_BY_REFERENCE) {
            return None;
        }
        let mut theirs = SlateDoc::new(self.doc_options());
        theirs.load_all(&[&self.doc.encode_state(None).ok()?, update]);
        Some(theirs.format()).filter(|format| self.is_behind(*format))
    }

    pub(super) fn is_overtaken(&self) -> bool {
        self.formatting.overtaken.is_some()
    }

    /// Asks for the whole of the server's document.
    pub(super) fn fall_behind(&mut self, format: Format) {
        self.formatting.server = Some(format);
        // What other tabs have made is part of what is translated.
        self.hear_all();
        if self.formatting.overtaken.is_none() {
            self.formatting.overtaken = Some(Overtaken { asked: false, theirs: None, until: 0 });
            self.ask_for_all();
            self.be_patient();
        }
    }

    /// Not while another question is open: a server may answer two that it finds together by one answer.
    fn ask_for_all(&mut self) {
        if self.link.live().is_some_and(|live| live.asked.is_empty()) {
            self.ask_anyway();
        }
    }

    fn ask_anyway(&mut self) {
        let (Some(live), Some(overtaken)) = (self.link.live_mut(), &mut self.formatting.overtaken) else { return };
        overtaken.asked = true;
        live.asked.push_back(0);
        let nothing = yrs::StateVector::default().encode_v1();
        self.send(Message::SyncStep1(&nothing).to_frame());
    }

    fn be_patient(&mut self) {
        let until = self.now + PATIENCE;
        if let Some(overtaken) = &mut self.formatting.overtaken {
            overtaken.until = until;
        }
    }

    /// The other tab has not translated, or the answer has not come.
    pub(super) fn overtaken_too_long(&mut self) {
        if self.formatting.overtaken.as_ref().is_some_and(|overtaken| overtaken.theirs.is_none()) {
            self.ask_anyway();
            self.be_patient();
        }
        self.take_over();
    }

    /// What the server sends meanwhile. `answer`: it answers a question; answers come in the order of the questions.
    pub(super) fn overtaken_by(&mut self, update: &[u8], answer: bool) {
        let Some(overtaken) = &self.formatting.overtaken else { return };
        let fresh = match (&overtaken.theirs, answer, overtaken.asked) {
            (Some(_), ..) => None,
            (None, true, true) => {
                let mut fresh = SlateDoc::new(self.doc_options());
                fresh.know(self.config.formats);
                Some(fresh)
            }
            (None, true, false) => return self.ask_for_all(),
            // The answer will have it.
            (None, false, _) => return,
        };
        let Some(overtaken) = &mut self.formatting.overtaken else { return };
        if fresh.is_some() {
            overtaken.theirs = fresh;
        }
        if let Some(Err(error)) = overtaken.theirs.as_mut().map(|theirs| theirs.load(update)) {
            self.report(ErrorCode::InvalidUpdate, error.to_string());
        }
        self.take_over();
    }

    pub(super) fn overtaken_deadline(&self) -> Option<Millis> {
        self.formatting.overtaken.as_ref().map(|overtaken| overtaken.until)
    }

    /// Translates, if it is this tab's turn and the server's document is here.
    pub(super) fn take_over(&mut self) {
        let Some(overtaken) = self.formatting.overtaken.take_if(|overtaken| overtaken.theirs.is_some()) else { return };
        self.flush();
        let Some(theirs) = &overtaken.theirs else { return };
        if self.outbox.take_back(RejectCode::ReadOnly.as_str()) {
            self.rearrange();
        }
        self.withdraw_seed(theirs);
        let (mine, until) = (matches!(self.keeping, Keeping::Here), overtaken.until);
        match self.translated(theirs, mine || until <= self.now) {
            Ok(Some(updates)) => {
                if let Some(theirs) = overtaken.theirs {
                    self.show_translated(theirs, updates);
                }
            }
            // Another tab is to do it.
            Ok(None) => self.formatting.overtaken = Some(overtaken),
            Err(error) => {
                self.report(ErrorCode::Format, format!("edits made for another format are kept here: {error}"));
                self.be_outdated();
            }
        }
    }

    /// What is to be submitted in place of what is pending; none if it is for another tab to say.
    fn translated(
        &mut self,
        theirs: &SlateDoc,
        is_my_turn: bool,
    ) -> Result<Option<Vec<Vec<u8>>>, crate::slate::UpdateError> {
        let translation = Translation::new(&self.doc.state_vector(), theirs, &self.holes)?;
        if translation.is_translated(theirs) {
            let late = self.outbox.put_late_aside(|client| theirs.translated(client), LEFT_BEHIND, LATE);
            if !late.is_empty() {
                self.journal.write_all(late);
                self.report(ErrorCode::Format, LATE);
            }
            return Ok(Some(Vec::new()));
        }
        if !translation.has_pending() && self.outbox.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if !is_my_turn {
            return Ok(None);
        }
        let own = self.doc.encode_state(None)?;
        let own = self.holes.without(&own).unwrap_or(own);
        let steps: Vec<Vec<u8>> = self.outbox.updates().cloned().collect();
        let steps: Vec<&[u8]> = steps.iter().map(Vec::as_slice).collect();
        let base = self.formatting.base.take();
        let written = translation.write(base.as_deref(), &steps, &own, || self.doc_options());
        self.formatting.base = base;
        written.map(Some)
    }

    /// Something is about to be pending, or is known of another tab, and may be so for long: should the document be of another
    /// format by then, it matters what it was without.
    pub(super) fn keep_base(&mut self) {
        let known = self.formatting.base.is_some() || self.doc.format() > 0 || self.link.is_synced();
        if !known && self.outbox.is_empty() && self.formatting.server.unwrap_or(0) == 0 {
            self.formatting.base = self.settled().encode_state(None).ok();
        }
    }

    /// The same of what the device has kept. `log`: what is not pending of it.
    pub(super) fn keep_loaded_base(&mut self, log: &[&[u8]]) {
        if self.doc.format() == 0 {
            self.formatting.base = crate::update::merge(log).ok();
        }
    }

    /// A seed that the document has not taken goes, but for the blocks in which somebody has written.
    fn withdraw_seed(&mut self, theirs: &SlateDoc) {
        if let Seed::Shown(shown) = &self.seed
            && theirs.clock_of(shown.client()) == 0
        {
            self.remove_untouched();
        }
    }

    /// The server's document with the translated edits, in place of this one.
    fn show_translated(&mut self, mut doc: SlateDoc, updates: Vec<Vec<u8>>) {
        doc.load_all(&updates.iter().map(Vec::as_slice).collect::<Vec<_>>());
        self.seed = Seed::None;
        // What is under the old name is brought along first: it is named below.
        if doc.format() > 0 && !self.formatting.guarded && self.journal.is_working() {
            self.formatting.guarded = true;
            self.move_copy();
        }
        self.forget_waiting();
        self.incomplete = doc.is_waiting();
        self.show_instead(doc, Origin::Remote);
        let writes = self.outbox.translate(updates);
        self.journal.write_all(writes);
        self.rearrange();
        if let Ok(snapshot) = self.doc.encode_state(None) {
            self.stage.update(Origin::Remote, snapshot.clone());
            self.journal.compact(snapshot);
        }
        self.kept_all();
        self.formatting.storing = self.journal.is_working() && !self.outbox.is_empty();
        (self.formatting.shared, self.formatting.base) = (false, None);
        self.note_found(true);
        let waiting = self.link.live_mut().and_then(|live| {
            live.synced = true;
            live.step_1.take()
        });
        if let Some(state_vector) = waiting {
            self.answer_sync(&state_vector);
        }
        self.pump();
        self.synced();
        self.settle_format();
    }

    /// What was left behind by another version, and has been translated since, is set aside no more.
    pub(super) fn forget_translated(&mut self, asides: &mut Vec<SetAside>) {
        let doc = &self.doc;
        let through = |client: u64| doc.translated(client);
        let left = |aside: &&SetAside| aside.code == LEFT_BEHIND;
        // Deletions alone have no clock: they go with the rest of their session.
        let sessions: BTreeMap<String, Vec<&Vec<u8>>> =
            asides.iter().filter(left).fold(BTreeMap::new(), |mut all, it| {
                all.entry(it.key.session.clone()).or_insert_with(Vec::new).push(&it.update);
                all
            });
        let is_done = |updates: &Vec<&Vec<u8>>| {
            let all = crate::update::merge(updates).unwrap_or_default();
            inserts(&all) && is_below(&all, &through)
        };
        let done: BTreeSet<String> =
            sessions.iter().filter(|(_, it)| is_done(it)).map(|(name, _)| name.clone()).collect();
        let (gone, kept) = std::mem::take(asides)
            .into_iter()
            .partition(|aside: &SetAside| aside.code == LEFT_BEHIND && done.contains(&aside.key.session));
        *asides = kept;
        let keys = Vec::into_iter(gone).map(|aside: SetAside| aside.key).collect();
        let writes = self.outbox.forget(keys);
        self.journal.write_all(writes);
    }

    /// Whether what was translated is on its way to the store, and not to be sent before.
    pub(super) fn is_storing_translation(&self) -> bool {
        self.formatting.storing && self.journal.is_working()
    }

    /// The store has answered.
    pub(super) fn translation_stored(&mut self) {
        if self.formatting.storing && (self.outbox.is_stored() || !self.journal.is_working()) {
            self.formatting.storing = false;
            let waiting =
                self.link.live_mut().filter(|live| live.synced).and_then(|live: &mut Live| live.step_1.take());
            if let Some(state_vector) = waiting {
                self.answer_sync(&state_vector);
            }
            self.pump();
        }
    }
}
