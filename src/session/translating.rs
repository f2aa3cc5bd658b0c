//! Edits that were made for a lower format than the document has by now are written again in the document's format.
//!
//! The session asks for the whole of the server's document. When that is here, the edits that only this device has are
//! translated ([`crate::slate::Translation`]), and the server's document with them takes the place of the local one, in
//! one step for the editor and one for the store. Until then nothing is sent, nothing is applied, and what is typed
//! stays pending.
//!
//! Invariants: these edits are never sent as they are. One of a device's tabs translates for all of them; the document
//! says what was translated. A translation is not sent before the device has stored it. An edit that waits for
//! something which this device does not have, because its log was lost, was never shown and cannot be translated: it
//! stays pending as it is.

use std::collections::{HashMap, HashSet};

use yrs::updates::encoder::Encode;

use crate::format::{DOC_ROOT, Format};
use crate::protocol::{Message, RejectCode};
use crate::slate::{SlateDoc, Translation};
use crate::store::{LEFT_BEHIND, SetAside};

use super::device::Device;
use super::keeping::Keeping;
use super::local::Local;
use super::network::Network;
use super::outbox::{Aside, inserts, is_below};
use super::seeding::Seeding;
use super::types::{ErrorCode, Millis, Origin};

/// The lowest format that edits are translated to.
const FIRST_BY_REFERENCE: Format = 1;
/// How long a tab waits for the tab that translates.
const PATIENCE: Millis = 10_000;
/// Why an edit was set aside that another tab had not heard of when it translated.
const LATE: &str = "it was made for another format, while another tab translated the rest";

/// The state of a translation, and what it will need.
#[derive(Debug, Default)]
pub(super) struct Translating {
    /// The server's document is of a higher format than this one, and on its way.
    overtaken: Option<Overtaken>,
    /// The document before the pending edits, as an update, if that is known.
    base: Option<Vec<u8>>,
    /// What was translated is on its way to the store.
    storing: bool,
    /// Another tab has edits in this document that the server may not have.
    pub shared: bool,
}

/// The server's document, on its way.
#[derive(Debug)]
struct Overtaken {
    /// Whether the server was asked for all of it.
    asked: bool,
    /// What the server has, once it is here.
    theirs: Option<SlateDoc>,
    /// At this time the server is asked again, and this tab translates even if it is not the keeper.
    until: Millis,
}

/// What translating has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TakenOver {
    /// It cannot be done yet, or another tab is to do it.
    Waits,
    /// The server's document is shown, with the translation.
    Shown,
    /// The local document has become one of the server's format meanwhile, because the device's copy was: nothing is
    /// translated. With the server's document as an update.
    Caught(Vec<u8>),
    /// It cannot be done here: the edits stay on the device as they are.
    Failed,
}

/// The updates to be submitted in the place of what is pending, and the translation that made them.
type Translated = (Vec<Vec<u8>>, Translation);

impl Translating {
    /// Whether there are edits here that were made while the document was of a lower format than the server's is. Sent
    /// as they are, they would take along what others have put into the text that they copy.
    pub fn is_behind(&self, format: Format, local: &Local) -> bool {
        let waits = |aside: &Aside| aside.update.code == RejectCode::ReadOnly.as_str();
        let outbox = &local.device.outbox;
        let edits = !outbox.is_empty() || self.shared || outbox.set_aside.iter().any(waits);
        format > local.editing.doc.format() && local.config.formats.knows(format) && edits
    }

    /// [`Translating::is_behind`] where no server has named the format: `update` is what the server's document has
    /// beyond this one. Returns the format of the server's document.
    pub fn is_behind_of(&self, update: &[u8], local: &mut Local) -> Option<Format> {
        let names_it = update.windows(DOC_ROOT.len()).any(|bytes| bytes == DOC_ROOT.as_bytes());
        // Where nothing is pending, or the format is known, this is not looked into.
        if !names_it || !self.is_behind(FIRST_BY_REFERENCE, local) {
            return None;
        }
        let mut theirs = local.fresh.doc();
        theirs.load_all(&[&local.editing.doc.encode_state(None).ok()?, update]);
        Some(theirs.format()).filter(|format| self.is_behind(*format, local))
    }

    pub fn is_overtaken(&self) -> bool {
        self.overtaken.is_some()
    }

    /// The connection is gone: the server's document has to be asked for again.
    pub fn stop(&mut self) {
        self.overtaken = None;
    }

    /// Nothing is pending any more: the base does not matter.
    pub fn forget_base(&mut self) {
        self.base = None;
    }

    /// Asks for the whole of the server's document.
    pub fn fall_behind(&mut self, local: &mut Local, network: &mut Network) {
        if self.overtaken.is_none() {
            self.overtaken = Some(Overtaken { asked: false, theirs: None, until: 0 });
            self.ask_for_all(local, network);
            self.be_patient(local.now);
        }
    }

    /// Not while another step 1 is unanswered: a server may answer two that it finds together with one step 2.
    fn ask_for_all(&mut self, local: &mut Local, network: &mut Network) {
        if network.link.live().is_some_and(|live| live.asked.is_empty()) {
            self.ask_anyway(local, network);
        }
    }

    fn ask_anyway(&mut self, local: &mut Local, network: &mut Network) {
        let (Some(live), Some(overtaken)) = (network.link.live_mut(), &mut self.overtaken) else { return };
        overtaken.asked = true;
        live.asked.push_back(0);
        let nothing = yrs::StateVector::default().encode_v1();
        network.send(local.now, Message::SyncStep1(&nothing).to_frame(), &mut local.stage);
    }

    fn be_patient(&mut self, now: Millis) {
        if let Some(overtaken) = &mut self.overtaken {
            overtaken.until = now + PATIENCE;
        }
    }

    /// The other tab has not translated in time, or the server's answer has not come.
    pub fn waited_too_long(&mut self, local: &mut Local, network: &mut Network) {
        if self.overtaken.as_ref().is_some_and(|overtaken| overtaken.theirs.is_none()) {
            self.ask_anyway(local, network);
            self.be_patient(local.now);
        }
    }

    /// Takes what the server sends meanwhile. `answer`: it is a step 2; these come in the order of the step 1s. Returns
    /// whether the server's document is here, so that it can be translated.
    pub fn hears(&mut self, update: &[u8], answer: bool, local: &mut Local, network: &mut Network) -> bool {
        let Some(overtaken) = &self.overtaken else { return false };
        let fresh = match (&overtaken.theirs, answer, overtaken.asked) {
            (Some(_), ..) => None,
            (None, true, true) => {
                let mut fresh = local.fresh.doc();
                fresh.know(local.config.formats);
                Some(fresh)
            }
            (None, true, false) => {
                self.ask_for_all(local, network);
                return false;
            }
            // The answer will have it.
            (None, false, _) => return false,
        };
        let Some(overtaken) = &mut self.overtaken else { return false };
        if fresh.is_some() {
            overtaken.theirs = fresh;
        }
        if let Some(Err(error)) = overtaken.theirs.as_mut().map(|theirs| theirs.load(update)) {
            local.report(ErrorCode::InvalidUpdate, error.to_string());
        }
        true
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.overtaken.as_ref().map(|overtaken| overtaken.until)
    }

    /// Whether the server's document is here, and waits for the edits made here.
    pub fn may_take_over(&self) -> bool {
        self.overtaken.as_ref().is_some_and(|overtaken| overtaken.theirs.is_some())
    }

    /// Translates, if it is this tab's turn and the server's document is here. Nothing is queued.
    pub fn take_over(&mut self, local: &mut Local, seeding: &mut Seeding) -> TakenOver {
        let Some(Overtaken { asked, theirs: Some(theirs), until }) =
            self.overtaken.take_if(|overtaken| overtaken.theirs.is_some())
        else {
            return TakenOver::Waits;
        };
        if local.device.take_back() {
            local.device.rearrange();
        }
        if local.editing.doc.format() >= theirs.format()
            && let Ok(all) = theirs.encode_state(None)
        {
            return TakenOver::Caught(all);
        }
        seeding.withdraw(&theirs, local);
        let mine = matches!(local.device.keeping, Keeping::Here);
        match self.translated(&theirs, mine || until <= local.now, local) {
            Ok(Some((updates, translation))) => {
                self.show(theirs, updates, &translation, local);
                TakenOver::Shown
            }
            // Another tab is to do it.
            Ok(None) => {
                self.overtaken = Some(Overtaken { asked, theirs: Some(theirs), until });
                TakenOver::Waits
            }
            Err(error) => {
                local.report(ErrorCode::Format, format!("edits made for another format are kept here: {error}"));
                TakenOver::Failed
            }
        }
    }

    /// Translates what is pending. None if another tab is to do it.
    fn translated(
        &mut self,
        theirs: &SlateDoc,
        is_my_turn: bool,
        local: &mut Local,
    ) -> Result<Option<Translated>, crate::slate::UpdateError> {
        let Local { editing, device, fresh, stage, .. } = local;
        let translation = Translation::new(&editing.doc.state_vector(), theirs, &device.holes)?;
        if translation.is_translated(theirs) {
            let through = |client| theirs.translated(client);
            let waits = |update: &[u8]| translation.waits(update);
            let late = device.outbox.put_late_aside(through, waits, (LEFT_BEHIND, LATE));
            if !late.is_empty() {
                device.journal.write_all(late);
                stage.report(ErrorCode::Format, LATE);
            }
            return Ok(Some((Vec::new(), translation)));
        }
        if !translation.has_pending() && device.outbox.updates().all(|update| translation.waits(update)) {
            return Ok(Some((Vec::new(), translation)));
        }
        if !is_my_turn {
            return Ok(None);
        }
        let own = editing.doc.encode_state(None)?;
        let own = device.holes.without(&own).unwrap_or(own);
        let steps: Vec<Vec<u8>> = device.outbox.updates().cloned().collect();
        let steps: Vec<&[u8]> = steps.iter().map(Vec::as_slice).collect();
        let updates = translation.write(self.base.as_deref(), &steps, &own, || fresh.options())?;
        Ok(Some((updates, translation)))
    }

    /// Keeps the document as it is before something is pending, here or in another tab, that may stay pending for long:
    /// if the document is of another format when that is sent, a translation needs it. `new`: as far as the server has
    /// said, it may come to be needed.
    pub fn keep_base(&mut self, local: &Local, seeding: &Seeding, new: bool) {
        let doc = &local.editing.doc;
        let known = self.base.is_some() || doc.format() > 0;
        if new && !known && local.device.outbox.is_empty() {
            self.base = seeding.settled(doc).encode_state(None).ok();
        }
    }

    /// The same for a copy that is loaded. `log`: what of it is not pending.
    pub fn keep_loaded_base(&mut self, log: &[&[u8]], doc: &SlateDoc) {
        if doc.format() == 0 {
            self.base = crate::update::merge(log).ok();
        }
    }

    /// Shows the server's document with the translated edits in the place of this one.
    fn show(&mut self, mut doc: SlateDoc, updates: Vec<Vec<u8>>, translation: &Translation, local: &mut Local) {
        let waiting: Vec<Vec<u8>> =
            local.device.outbox.updates().filter_map(|update| translation.waiting(update)).collect();
        doc.load_all(&updates.iter().chain(&waiting).map(Vec::as_slice).collect::<Vec<_>>());
        // What is under the old name is moved first: writes below refer to it.
        local.device.guard_copy(&doc);
        local.show_instead(doc, Origin::Remote);
        let Local { editing, device, stage, .. } = local;
        let writes = device.outbox.translate(updates, |update| translation.waiting(update));
        device.journal.write_all(writes);
        device.rearrange();
        if let Ok(snapshot) = editing.doc.encode_state(None) {
            stage.update(Origin::Remote, snapshot.clone());
            device.journal.compact(snapshot);
        }
        device.keeping.kept_all(&editing.doc);
        self.storing = device.journal.is_working() && !device.outbox.is_empty();
        (self.shared, self.base) = (false, None);
    }

    /// Removes from what was set aside the edits that another version left behind and that have been translated since.
    pub fn forget_translated(&self, asides: &mut Vec<SetAside>, local: &mut Local) {
        let doc = &local.editing.doc;
        let through = |client: u64| doc.translated(client);
        let left = |aside: &&SetAside| aside.code == LEFT_BEHIND;
        // Updates that only delete have no clock: they are removed with the rest of their session.
        let sessions: HashMap<String, Vec<&Vec<u8>>> =
            asides.iter().filter(left).fold(HashMap::new(), |mut all, it| {
                all.entry(it.key.session.clone()).or_insert_with(Vec::new).push(&it.update);
                all
            });
        let is_done = |updates: &Vec<&Vec<u8>>| {
            let all = crate::update::merge(updates).unwrap_or_default();
            inserts(&all) && is_below(&all, &through)
        };
        let done: HashSet<String> =
            sessions.iter().filter(|(_, it)| is_done(it)).map(|(name, _)| name.clone()).collect();
        let (gone, kept) = std::mem::take(asides)
            .into_iter()
            .partition(|aside: &SetAside| aside.code == LEFT_BEHIND && done.contains(&aside.key.session));
        *asides = kept;
        let keys = Vec::into_iter(gone).map(|aside: SetAside| aside.key).collect();
        let writes = local.device.outbox.forget(keys);
        local.device.journal.write_all(writes);
    }

    /// Whether the translation is on its way to the store, and must not be sent before it is there.
    pub fn is_storing(&self, device: &Device) -> bool {
        self.storing && device.journal.is_working()
    }

    /// The store has answered. Returns whether the translation may be sent from now on.
    pub fn stored(&mut self, device: &Device) -> bool {
        let done = self.storing && (device.outbox.is_stored() || !device.journal.is_working());
        self.storing &= !done;
        done
    }
}
