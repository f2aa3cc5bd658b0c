//! The document on this device: joins what the editor shows with what the device keeps. All that a session does without
//! a server is here.
//!
//! Nothing is sent from here. What a change leads to beyond the device is an [`Effect`] on the stage.

use crate::slate::SlateDoc;
use crate::undo::Undo;

use super::device::Device;
use super::editing::Editing;
use super::fresh::Fresh;
use super::presence::SessionPresence;
use super::stage::{Effect, Stage};
use super::types::{Config, ErrorCode, Millis, Origin, Output};

pub(super) struct Local {
    pub config: Config,
    pub now: Millis,
    pub fresh: Fresh,
    pub editing: Editing,
    pub device: Device,
    pub stage: Stage,
}

impl Local {
    pub fn new(config: Config, now: Millis) -> Self {
        let mut fresh = Fresh::new(&config);
        let mut doc = SlateDoc::new(fresh.options_as(config.client_id));
        doc.know(config.formats);
        let presence = SessionPresence::new(doc.client_id(), config.presence.as_ref(), now);
        Self {
            now,
            fresh,
            editing: Editing::new(doc, Undo::new(config.capture_timeout), presence),
            device: Device::new(&config, now),
            stage: Stage::default(),
            config,
        }
    }

    pub fn report(&mut self, code: ErrorCode, message: impl Into<String>) {
        self.stage.report(code, message);
    }

    /// A change made here: pending until the server has it.
    pub fn submit(&mut self, update: Vec<u8>, origin: Origin) {
        self.device.busy_at = self.now;
        self.device.submit(&update);
        if matches!(origin, Origin::Local | Origin::Undo) {
            self.isolate(&update);
        }
        self.stage.update(origin, update);
        if !self.device.holes.is_empty() {
            self.set_dependents_aside();
        }
        self.stage.effect(Effect::Pump);
    }

    /// Submits an update that was applied already. The updates staged since `before` tell of that, and give way to it,
    /// but for those of this user's own edits.
    pub fn submit_applied(&mut self, update: Vec<u8>, origin: Origin, before: usize) {
        let made = self.stage.updates.split_off(before);
        self.submit(update, origin);
        let own = |output: &Output| matches!(output, Output::Update { origin: Origin::Local, .. });
        self.stage.updates.extend(made.into_iter().filter(own));
    }

    /// Puts a change from elsewhere into the document, without asking what it decides about a seed. `journal`: the
    /// device is to keep it. Returns whether the document has changed; none if the bytes are no update.
    pub fn take_in(&mut self, update: &[u8], origin: Origin, journal: bool) -> Option<bool> {
        let taken = self.editing.take_in(update, origin, &mut self.stage)?;
        if taken.changed || taken.waits {
            self.device.busy_at = self.now;
            if journal {
                self.device.keep_received(update);
            }
        }
        if taken.lacks_more {
            self.stage.effect(Effect::Ask);
        }
        Some(taken.changed)
    }

    /// The document has been loaded, before anybody looks at it.
    pub fn loaded(&mut self, foreign: u32) {
        self.device.busy_at = self.now;
        self.editing.loaded(foreign, &mut self.stage);
    }

    /// Puts another document in the place of this one, in one step for the editor.
    pub fn show_instead(&mut self, doc: SlateDoc, origin: Origin) {
        self.editing.show_instead(doc, self.config.formats, origin, &mut self.stage);
    }

    /// Takes another client id: somebody else has this one.
    pub fn choose_client_id(&mut self) {
        self.editing.choose_client_id(&mut self.fresh);
    }

    /// The same if the document has content by this client id already.
    pub fn be_known_to_nobody(&mut self) {
        if self.editing.doc.knows_client(self.editing.doc.client_id()) {
            self.choose_client_id();
        }
    }
}
