//! The document on this device: what the editor shows and what the device keeps, joined. All that a session does without a
//! server.
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

    /// Submits what was applied, and has made the staged updates after `before`.
    pub fn submit_applied(&mut self, update: Vec<u8>, origin: Origin, before: usize) {
        let made = self.stage.updates.split_off(before);
        self.submit(update, origin);
        let own = |output: &Output| matches!(output, Output::Update { origin: Origin::Local, .. });
        self.stage.updates.extend(made.into_iter().filter(own));
    }

    /// Puts a change from elsewhere into the document, whatever it says of a seed. Returns whether the document is another
    /// one now; none if the bytes are no update. `journal`: the device is to keep it.
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

    /// Another document in place of this one, in one step for the editor.
    pub fn show_instead(&mut self, doc: SlateDoc, origin: Origin) {
        self.editing.show_instead(doc, self.config.formats, origin, &mut self.stage);
    }

    /// Another client id: ours is someone else's.
    pub fn choose_client_id(&mut self) {
        self.editing.choose_client_id(&mut self.fresh);
    }

    /// The same if the document knows ours already.
    pub fn be_known_to_nobody(&mut self) {
        if self.editing.doc.knows_client(self.editing.doc.client_id()) {
            self.choose_client_id();
        }
    }
}
