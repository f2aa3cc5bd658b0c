//! Edits made for format 0, written again as in format 1.
//!
//! They meet a document that has become one of format 1 while they were not sent. As bytes they would take along what
//! others have put into what they copy. So the document is looked at without them and with them, both as this device knew
//! it, and the difference is written by reference, upon what both have: what others did meanwhile meets it as it meets any
//! edit of somebody who was offline.
//!
//! The document says what was translated ([`crate::format::note_translated`]), so that nobody does it twice: another tab
//! that shows the same edits, or this device after it was killed.

use yrs::updates::decoder::Decode;
use yrs::{ClientID, StateVector, Update};

use crate::format::Format;
use crate::slate::doc::{DocOptions, SlateDoc};
use crate::slate::value::error::UpdateError;
use crate::slate::value::op::Op;
use crate::update::Holes;

/// What edits are translated to.
const BY_REFERENCE: Format = 1;

/// What two states of a document have of each other.
#[derive(Debug)]
pub struct Translation {
    /// The server's document, of format 1.
    theirs: Vec<u8>,
    /// What both have.
    common: StateVector,
    /// Of each client whose edits only this device has: below which clock. Without what is missing for good.
    pending: Vec<(u64, u32)>,
    /// What this device has.
    own: StateVector,
}

impl Translation {
    /// `own`: the state vector of the document of format 0; `theirs`: the server's, of format 1. `holes`: what a server has
    /// refused of `own`.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn new(own: &[u8], theirs: &SlateDoc, holes: &Holes) -> Result<Self, UpdateError> {
        let read = |bytes: &[u8]| {
            crate::update::state_vector(bytes).map_err(|error| UpdateError::StateVector(error.to_string()))
        };
        let (own, there) = (read(own)?, read(&theirs.state_vector())?);
        let mut common = StateVector::default();
        let mut pending = Vec::new();
        for (client, clock) in own.iter() {
            common.set_max(*client, (*clock).min(there.get(client)));
            if *clock > there.get(client) && !holes.has_client(client.get()) {
                pending.push((client.get(), *clock));
            }
        }
        pending.sort_unstable();
        Ok(Self { theirs: theirs.encode_state(None)?, common, pending, own })
    }

    /// Whether there is anything that was inserted and that the server does not have.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What of an update stands upon something that this device does not have: it cannot be read here, and was not made for
    /// the document that is shown here. None if that is nothing.
    pub fn waiting(&self, update: &[u8]) -> Option<Vec<u8>> {
        let missing = beyond(update, &self.own).ok()?;
        missing.divided(update).ok()?.stuck
    }

    /// Whether all of an update stands upon something that this device does not have.
    pub fn waits(&self, update: &[u8]) -> bool {
        let missing = beyond(update, &self.own).ok();
        missing.and_then(|it| it.divided(update).ok()).is_some_and(|it| it.sound.is_none() && it.stuck.is_some())
    }

    /// Whether somebody has translated some of it.
    pub fn is_translated(&self, theirs: &SlateDoc) -> bool {
        self.pending.iter().any(|(client, _)| theirs.translated(*client) > 0)
    }

    /// The updates that write it again, the last of which says so; in this order. Nothing if there is nothing to be written.
    /// `steps`: what is pending, in the order in which it was made; `own`: all that this device has; `known`: what it had
    /// before the edits, if that is known.
    ///
    /// # Errors
    /// If something of it cannot be read.
    pub fn write(
        &self,
        known: Option<&[u8]>,
        steps: &[&[u8]],
        own: &[u8],
        mut options: impl FnMut() -> DocOptions,
    ) -> Result<Vec<Vec<u8>>, UpdateError> {
        let base = self.base(known)?;
        let base: Vec<&[u8]> = base.iter().map(Vec::as_slice).collect();
        // Fresh ids of blocks would be others than those that are shown.
        let mut options = || DocOptions { block_id: None, ..options() };
        let mut wanted = SlateDoc::new(options());
        wanted.load_all(&[&*base, &[own]].concat());
        wanted.raise_format(BY_REFERENCE);
        let recognised = recognised(&base, steps, own, options())?;
        let mut doc = by_reference(&base, options());
        let mut updates = Vec::new();
        updates.extend(doc.apply_local(recognised).update);
        if doc.read() != wanted.read() {
            // By the ids of what stays; what was copied is new.
            doc = by_reference(&base, options());
            updates.clear();
            let ops = doc.steps_to(&wanted).unwrap_or_default();
            updates.extend(doc.apply_local(ops).update);
            let rest = SlateDoc::diff(&doc.value(), &wanted.value());
            updates.extend(doc.apply_local(rest).update);
        }
        let values = doc.values_to(&wanted, |_| true);
        updates.extend(doc.set_values(&values));
        if !updates.is_empty() {
            updates.extend(doc.note_translated(&self.pending));
        }
        Ok(updates)
    }

    /// The document as both know it, in the layout of format 0. `known`: what this device had of it before the edits; what
    /// others have deleted since is there as well, so that what was copied from it is recognised. Where that is not known, it
    /// is what the server has of it.
    fn base(&self, known: Option<&[u8]>) -> Result<Vec<Vec<u8>>, UpdateError> {
        let beyond = self.beyond(&self.theirs)?;
        let Some(known) = known else {
            return beyond.without(&self.theirs).map(|base| vec![base]).map_err(malformed);
        };
        let known = self.beyond(known)?.without(known).map_err(malformed)?;
        Ok(vec![known, beyond.sound_structs(&self.theirs).map_err(malformed)?])
    }

    /// What an update has beyond what both have.
    fn beyond(&self, update: &[u8]) -> Result<Holes, UpdateError> {
        beyond(update, &self.common)
    }
}

/// What an update has beyond `known`.
fn beyond(update: &[u8], known: &StateVector) -> Result<Holes, UpdateError> {
    let update = Update::decode_v1(update).map_err(malformed)?;
    // What does not begin with its client's first struct is in no state vector.
    let (whole, inserted) = (update.state_vector(), update.insertions(true));
    let inserted = inserted.iter().map(|(client, _)| *client).chain(whole.iter().map(|(client, _)| *client));
    let clients = inserted.chain(update.delete_set().iter().map(|(client, _)| *client));
    Ok(Holes::beyond(clients.map(|client: ClientID| (client.get(), u64::from(known.get(&client))))))
}

fn malformed(error: impl std::fmt::Display) -> UpdateError {
    UpdateError::Malformed(error.to_string())
}

/// A document of format 1 with this content. What makes it one is kept from the updates: the server's says so itself.
fn by_reference(base: &[&[u8]], options: DocOptions) -> SlateDoc {
    let client_id = options.client_id;
    let mut doc = SlateDoc::new(DocOptions { client_id: !client_id, ..options });
    doc.load_all(base);
    doc.raise_format(BY_REFERENCE);
    doc.with_client_id(client_id)
}

/// The edits as Slate operations: what was copied in a split, a merge or a move is recognised.
fn recognised(base: &[&[u8]], steps: &[&[u8]], own: &[u8], options: DocOptions) -> Result<Vec<Op>, UpdateError> {
    let mut doc = SlateDoc::new(options);
    doc.load_all(base);
    let mut ops = Vec::new();
    for step in steps.iter().chain([&own]) {
        ops.extend(doc.apply_update(step)?.ops);
    }
    Ok(ops)
}
