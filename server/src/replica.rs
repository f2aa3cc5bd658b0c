//! The server's copy of a document: a Y.Doc that only ever takes updates from elsewhere.
//!
//! Every update is walked (`validate`) and decoded before it is applied, and a panic of the CRDT library is caught: it
//! spoils this copy, never the process. A spoiled copy must be dropped and loaded again; its owner is told so.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use slate_yrs::format::{Format, format_of};
use slate_yrs::slate::{ValueChange, Values, check_layout, set_values, values_of};
use slate_yrs::update::{Intake, Limits, Refused, Survey, deletions_at};
use thiserror::Error;
use yrs::block::ClientID;
use yrs::branch::Branch;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, ID, IdSet, OffsetKind, Options, Out, ReadTxn, StateVector, Transact, TransactionMut};

use crate::validate::{self, Malformed};

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// By one of the limits on what an update may cost.
    #[error("{0}")]
    Refused(String),
    #[error("the update does not decode: {0}")]
    Undecodable(String),
    /// The library panicked, or gave up half way: this replica must not be used any more.
    #[error("the update spoils the document")]
    Spoiled,
}

/// What an update would bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    Nothing,
    /// Deletions of what is here, and nothing else.
    Deletions,
    More,
}

/// A document in memory.
#[derive(Debug)]
pub struct Replica {
    doc: Doc,
    /// Keeps from the library what it could not take in this order.
    intake: Intake,
    /// What is deleted; none: nobody has asked yet.
    deleted: Option<IdSet>,
    spoiled: bool,
}

impl Default for Replica {
    fn default() -> Self {
        Self::new()
    }
}

impl Replica {
    pub fn new() -> Self {
        Self { doc: empty_doc(), intake: Intake::default(), deleted: None, spoiled: false }
    }

    /// Applies an update that is to be stored. Returns whether it changed anything: content, deletions, or what waits for
    /// missing updates.
    pub fn apply(&mut self, update: &[u8]) -> Result<bool, ApplyError> {
        self.take(update, Limits::NEW)
    }

    /// [`Replica::apply`] for what is stored already, be it by an earlier version: it counts, whatever it costs.
    pub fn load(&mut self, update: &[u8]) -> Result<bool, ApplyError> {
        self.take(update, Limits::STORED)
    }

    fn take(&mut self, update: &[u8], limits: Limits) -> Result<bool, ApplyError> {
        validate::update(update)?;
        Ok(self.transact(&[update], limits)?.any)
    }

    /// Loads updates and returns what they together changed as one update, without what they inserted and deleted
    /// again. None if they changed nothing.
    pub fn load_merged(&mut self, updates: &[&[u8]]) -> Result<Option<Vec<u8>>, ApplyError> {
        updates.iter().try_for_each(|update| validate::update(update))?;
        if self.spoiled {
            return Err(ApplyError::Spoiled);
        }
        let before = self.doc.transact().state_vector();
        let changes = self.transact(updates, Limits::STORED)?;
        if !changes.integrated {
            return Ok(None);
        }
        // With all deletions there are, in place of which come those of these updates.
        let mut merged = self.doc.transact().encode_diff_v1(&before);
        merged.truncate(deletions_at(&merged).map_err(undecodable)?);
        merged.extend(changes.deleted.encode_v1());
        Ok(Some(self.intake.as_written(merged)))
    }

    fn transact(&mut self, updates: &[&[u8]], limits: Limits) -> Result<DocumentChanges, ApplyError> {
        if self.spoiled {
            return Err(ApplyError::Spoiled);
        }
        let mut changes = DocumentChanges::default();
        let (doc, intake) = (&self.doc, &mut self.intake);
        // A transaction that a panic leaves is leaked, and holds its document's lock for ever; so that document is leaked
        // with it, once per panic; whoever caused it is disconnected.
        let taken = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            assert!(!updates.contains(&PANICS));
            intake.apply_all(doc, updates.iter().copied(), limits, &mut |txn| changes.add(txn))
        }));
        let mut result = taken
            .map_err(|_| ApplyError::Spoiled)
            .and_then(|taken| taken.into_iter().try_fold(false, |news, taken| Ok(news | taken.map_err(refused)?)));
        // An update that fails half way leaves a document that is neither the old nor the new one.
        if result.is_err() && changes.integrated {
            result = Err(ApplyError::Spoiled);
        }
        if result == Err(ApplyError::Spoiled) {
            self.spoiled = true;
            std::mem::forget(std::mem::replace(&mut self.doc, empty_doc()));
        }
        if let Some(deleted) = &mut self.deleted {
            deleted.merge_with(changes.deleted.clone());
        }
        changes.any = result? || changes.integrated;
        Ok(changes)
    }

    /// Whether this copy must not be used any more: it is empty, and takes nothing.
    pub fn is_spoiled(&self) -> bool {
        self.spoiled
    }

    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// Everything, as one update; with what waits for missing updates as far as that can be put in.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_whole().unwrap_or_else(|_| self.intake.as_written(self.encode_integrated()))
    }

    /// Everything that was received, as one update: what may stand in for the updates it was made of.
    pub fn encode_whole(&self) -> Result<Vec<u8>, ApplyError> {
        if self.spoiled {
            return Err(ApplyError::Spoiled);
        }
        self.intake.include(self.encode_integrated()).map_err(undecodable)
    }

    fn encode_integrated(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    /// What a peer with this state vector lacks, as one update.
    pub fn encode_since(&self, state_vector: &[u8]) -> Result<Vec<u8>, ApplyError> {
        validate::state_vector(state_vector)?;
        let state_vector = slate_yrs::update::state_vector(state_vector).map_err(undecodable)?;
        self.intake.include(self.doc.transact().encode_state_as_update_v1(&state_vector)).map_err(undecodable)
    }

    /// Whether no root has content. Attributes and map entries are no content; what waits for missing updates may be.
    pub fn is_empty(&self) -> bool {
        let txn = self.doc.transact();
        !self.has_pending() && txn.root_refs().all(|(_, root)| branch_of(&root).is_none_or(|branch| branch.len() == 0))
    }

    /// Whether something received waits for updates that never came.
    pub fn has_pending(&self) -> bool {
        self.intake.is_waiting() || self.doc.transact().has_missing_updates()
    }

    /// Whether the update inserts nothing that is not here: what a reader's sync step 2 looks like.
    pub fn knows(&self, update: &[u8]) -> Result<bool, ApplyError> {
        let mine = self.doc.transact().state_vector();
        let ends = validate::ends(update)?;
        Ok(ends.into_iter().all(|(client, clock)| clock <= u64::from(mine.get(&ClientID::new(client)))))
    }

    /// What an update would bring. What it deletes of what is not here would wait, and is no less to keep than what it inserts.
    pub fn gain(&mut self, update: &[u8]) -> Result<Gain, ApplyError> {
        if !self.knows(update)? {
            return Ok(Gain::More);
        }
        let deletions = update.get(deletions_at(update).map_err(undecodable)?..).unwrap_or_default();
        let deletions = IdSet::decode_v1(deletions).map_err(undecodable)?;
        let mine = self.doc.transact().state_vector();
        if !deletions.iter().all(|(client, ranges)| ranges.iter().all(|range| range.end <= mine.get(client))) {
            return Ok(Gain::More);
        }
        let deleted = self.deleted.get_or_insert_with(|| self.doc.transact().snapshot().delete_set);
        Ok(if deletions.diff(deleted).is_empty() { Gain::Nothing } else { Gain::Deletions })
    }

    /// The document's format.
    pub fn format(&self) -> Format {
        format_of(&self.doc.transact())
    }

    /// Whether the document has its content in this root, laid out as Slate's, or none at all.
    pub fn has_layout(&self, root: &str) -> bool {
        check_layout(&self.doc.transact(), root).is_ok()
    }

    /// Whether there has ever been anything in this root.
    pub fn has_root(&self, name: &str) -> bool {
        self.intake.has_root(name)
    }

    /// What an update would touch.
    pub fn survey<'a>(&self, update: &'a [u8]) -> Result<Survey<'a>, ApplyError> {
        validate::update(update)?;
        let state = self.doc.transact().state_vector();
        self.intake.survey(update, |client| u64::from(state.get(&ClientID::new(client)))).map_err(refused)
    }

    /// How many clocks all clients have used.
    pub fn clocks(&self) -> u64 {
        self.doc.transact().state_vector().iter().map(|(_, clock)| u64::from(*clock)).sum()
    }

    /// Whether any of these is not deleted.
    pub fn has_any(&mut self, ids: impl Iterator<Item = (u64, Range<u64>)>) -> bool {
        let mut asked = IdSet::default();
        for (client, clocks) in ids {
            let start = u32::try_from(clocks.start).unwrap_or(u32::MAX);
            let length = u32::try_from(clocks.end - clocks.start).unwrap_or(u32::MAX);
            asked.insert(ID::new(ClientID::new(client), start), length);
        }
        if asked.is_empty() {
            return false;
        }
        let doc = &self.doc;
        let deleted = self.deleted.get_or_insert_with(|| doc.transact().snapshot().delete_set);
        !asked.diff(deleted).is_empty()
    }

    /// What would become of the document with this update.
    pub fn with(&self, update: &[u8]) -> Result<Self, ApplyError> {
        let mut copy = Self::new();
        copy.load(&self.encode_whole()?)?;
        copy.apply(update)?;
        Ok(copy)
    }

    /// What a map has.
    pub fn values(&self, map: &str) -> Values {
        values_of(&self.doc.transact(), map)
    }

    /// The update that sets these, as an edit of `client`. It is not applied.
    pub fn with_values(&self, client: u32, changes: &[ValueChange]) -> Result<Vec<u8>, ApplyError> {
        let mut copy = Self { doc: doc_of(client), ..Self::new() };
        copy.load(&self.encode_whole()?)?;
        let mut txn = copy.doc.transact_mut();
        set_values(&mut txn, changes);
        Ok(txn.encode_update_v1())
    }

    pub fn doc(&self) -> &Doc {
        &self.doc
    }
}

fn empty_doc() -> Doc {
    // It writes nothing, so its client id never shows.
    doc_of(0)
}

fn doc_of(client: u32) -> Doc {
    // It does not delete formats that are superfluous: nobody would hear of it, and those who come later would see other
    // marks than those who are here.
    let options = Options::with_client_id(ClientID::new(u64::from(client)));
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, cleanup_formatting: false, ..options })
}

/// What updates did to a document.
#[derive(Default)]
struct DocumentChanges {
    /// Something changed, if only what waits.
    any: bool,
    integrated: bool,
    deleted: IdSet,
}

impl DocumentChanges {
    fn add(&mut self, txn: &TransactionMut<'_>) {
        self.integrated = true;
        self.deleted.merge_with(txn.delete_set().clone());
    }
}

fn refused(error: Refused) -> ApplyError {
    match error {
        Refused::TooDeep(_) | Refused::KeySet(_) | Refused::Waiting(_) | Refused::ClientTwice => {
            ApplyError::Refused(error.to_string())
        }
        Refused::Broken(_) => ApplyError::Spoiled,
        Refused::Undecodable(error) => undecodable(error),
        Refused::Unreadable(_) | Refused::TooLarge | Refused::Json | Refused::Unfaithful => undecodable(error),
    }
}

fn undecodable(error: impl ToString) -> ApplyError {
    ApplyError::Undecodable(error.to_string())
}

/// An update that makes the library panic, as far as tests are concerned.
#[cfg(test)]
pub const PANICS: &[u8] = &[0, 1, 0x6d, 1, 0, 1];

/// What a root holds, whatever it is; `None` if it is no shared type.
pub(crate) fn branch_of(root: &Out) -> Option<&Branch> {
    Some(match root {
        Out::YText(root) => root.as_ref(),
        Out::YArray(root) => root.as_ref(),
        Out::YMap(root) => root.as_ref(),
        Out::YXmlElement(root) => root.as_ref(),
        Out::YXmlFragment(root) => root.as_ref(),
        Out::YXmlText(root) => root.as_ref(),
        Out::UndefinedRef(root) => root,
        Out::Any(_) | Out::YDoc(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use yrs::types::text::YChange;
    use yrs::updates::decoder::Decode;
    use yrs::{GetString, Text, Update, XmlTextPrelim};

    use super::*;

    /// The updates of typing `text` character by character.
    fn typed(client: u64, text: &str) -> Vec<Vec<u8>> {
        let doc = Doc::with_client_id(client);
        let root = doc.get_or_insert_text("content");
        text.char_indices()
            .map(|(at, character)| {
                let mut txn = doc.transact_mut();
                root.insert(&mut txn, at as u32, &character.to_string());
                txn.encode_update_v1()
            })
            .collect()
    }

    fn text(replica: &Replica) -> String {
        let root = replica.doc().get_or_insert_text("content");
        root.get_string(&replica.doc().transact())
    }

    /// Two people make the same words bold at once: one of the marks is superfluous. Who deletes it, tells the others;
    /// a copy that did so for itself would hold another document than they do.
    #[test]
    fn superfluous_formats_are_left_to_those_who_write() {
        let someone = |client| {
            let options = Options { cleanup_formatting: false, ..Options::with_client_id(ClientID::new(client)) };
            let doc = Doc::with_options(options);
            doc.get_or_insert_text("content");
            doc
        };
        let state = |doc: &Doc| doc.transact().encode_state_as_update_v1(&StateVector::default());
        let (ada, ben) = (someone(1), someone(2));
        let root = ada.get_or_insert_text("content");
        root.insert_embed(&mut ada.transact_mut(), 0, XmlTextPrelim::new("hello there"));
        let start = state(&ada);
        ben.transact_mut().apply_update(Update::decode_v1(&start).expect("valid")).expect("applies");
        for doc in [&ada, &ben] {
            let block = doc.get_or_insert_text("content").diff(&doc.transact(), YChange::identity).remove(0).insert;
            let Out::YXmlText(block) = block else { panic!("a block") };
            block.format(&mut doc.transact_mut(), 0, 5, [("bold".into(), true.into())].into());
        }
        let mut replica = Replica::new();
        for update in [start, state(&ada), state(&ben)] {
            replica.apply(&update).expect("applies");
        }
        let kept = Update::decode_v1(&replica.encode()).expect("valid");
        assert!(kept.delete_set().is_empty(), "{:?}", kept.delete_set());
    }

    #[test]
    fn f13_an_update_that_changes_nothing_is_recognised() {
        let mut replica = Replica::new();
        let updates = typed(1, "abc");
        for update in &updates {
            assert_eq!(replica.apply(update), Ok(true));
        }
        for update in &updates {
            assert_eq!(replica.apply(update), Ok(false));
        }
        assert_eq!(replica.apply(&replica.encode()), Ok(false));
        assert_eq!(replica.apply(&[0, 0]), Ok(false));
        assert_eq!(text(&replica), "abc");
    }

    #[test]
    fn f21_out_of_order_counts_as_a_change_once() {
        let mut replica = Replica::new();
        let updates = typed(1, "abc");
        assert_eq!(replica.apply(&updates[2]), Ok(true));
        assert_eq!(replica.apply(&updates[2]), Ok(false));
        assert!(replica.has_pending() && !replica.is_empty());
        assert_eq!(replica.apply(&updates[0]), Ok(true));
        assert_eq!(replica.apply(&updates[1]), Ok(true));
        assert!(!replica.has_pending());
        assert_eq!(text(&replica), "abc");
    }

    #[test]
    fn f21_any_order_comes_to_the_same() {
        let mut rng = fastrand::Rng::with_seed(21);
        let mut updates: Vec<_> = (1..=3).flat_map(|client| typed(client, "abcdefgh")).collect();
        let mut expected = Replica::new();
        for update in &updates {
            expected.apply(update).unwrap();
        }
        for _ in 0..200 {
            rng.shuffle(&mut updates);
            let mut replica = Replica::new();
            for update in &updates {
                replica.apply(update).unwrap();
            }
            assert!(!replica.has_pending());
            assert_eq!(replica.encode(), expected.encode());
        }
    }

    #[test]
    fn a_delete_alone_is_a_change_once() {
        let doc = Doc::with_client_id(1);
        let root = doc.get_or_insert_text("content");
        root.insert(&mut doc.transact_mut(), 0, "ab");
        let mut replica = Replica::new();
        let first = doc.transact().encode_diff_v1(&StateVector::default());
        let delete = {
            let mut txn = doc.transact_mut();
            root.remove_range(&mut txn, 0, 1);
            txn.encode_update_v1()
        };
        // Before what it deletes: it waits.
        assert_eq!(replica.apply(&delete), Ok(true));
        assert_eq!(replica.apply(&delete), Ok(false));
        assert_eq!(replica.apply(&first), Ok(true));
        assert_eq!(replica.apply(&delete), Ok(false));
        assert_eq!(text(&replica), "b");
    }

    #[test]
    fn empty_means_no_content() {
        let mut replica = Replica::new();
        assert!(replica.is_empty());
        let doc = Doc::with_client_id(1);
        let root = doc.get_or_insert_text("content");
        root.insert(&mut doc.transact_mut(), 0, "x");
        replica.apply(&doc.transact().encode_diff_v1(&StateVector::default())).unwrap();
        assert!(!replica.is_empty());
        root.remove_range(&mut doc.transact_mut(), 0, 1);
        replica.apply(&doc.transact().encode_diff_v1(&StateVector::default())).unwrap();
        assert!(replica.is_empty());
    }

    #[test]
    fn merged_updates_say_the_same() {
        let updates = typed(1, "hello");
        let updates: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
        let mut source = Replica::new();
        let first = source.load_merged(&updates[..2]).unwrap().unwrap();
        let second = source.load_merged(&updates[2..]).unwrap().unwrap();
        assert_eq!(source.load_merged(&updates), Ok(None));
        let mut copy = Replica::new();
        copy.apply(&first).unwrap();
        assert_eq!(text(&copy), "he");
        copy.apply(&second).unwrap();
        assert_eq!(copy.encode(), source.encode());
    }

    #[test]
    fn a_spoiled_copy_answers_at_once_and_takes_nothing() {
        std::panic::set_hook(Box::new(|_| {}));
        let mut replica = Replica::new();
        replica.apply(&typed(1, "a")[0]).unwrap();
        assert_eq!(replica.apply(PANICS), Err(ApplyError::Spoiled));
        // None of these waits for the transaction that panicked.
        assert!(replica.is_spoiled());
        assert_eq!(replica.apply(&typed(2, "b")[0]), Err(ApplyError::Spoiled));
        assert_eq!(replica.encode_whole(), Err(ApplyError::Spoiled));
        assert_eq!(replica.state_vector(), [0]);
        let _ = std::panic::take_hook();
    }

    #[test]
    fn f23_mutated_updates_never_take_the_process_down() {
        std::panic::set_hook(Box::new(|_| {}));
        let mut rng = fastrand::Rng::with_seed(23);
        let updates = typed(1, "abcdefgh");
        let mut sound = Replica::new();
        updates.iter().for_each(|update| assert!(sound.apply(update).is_ok()));
        let whole = sound.encode();
        let (mut panics, mut changed) = (0, 0);
        for _ in 0..3_000 {
            let mut replica = Replica::new();
            let mut is_spoiled = false;
            for update in &updates {
                let mut broken = update.clone();
                if rng.bool() {
                    let at = rng.usize(0..broken.len());
                    broken[at] = rng.u8(..);
                }
                if replica.apply(&broken) == Err(ApplyError::Spoiled) {
                    panics += 1;
                    is_spoiled = true;
                    break;
                }
            }
            if !is_spoiled {
                let state = replica.encode();
                assert!(Replica::new().load(&state).is_ok(), "what is held cannot be loaded: {state:?}");
                changed += usize::from(state != whole);
            }
        }
        let _ = std::panic::take_hook();
        assert!(changed > 1_000, "of 3000 only {changed} came to something else, and {panics} panicked");
    }
}
