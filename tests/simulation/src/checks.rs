//! What must hold: the letters are those of docs/RELIABILITY.md.

use std::collections::{BTreeMap, BTreeSet};

use slate_yrs::protocol::Role;
use slate_yrs::session::{Connection, DeviceStorage, Saved};
use slate_yrs::store::{Loaded, Pending, SEED, StoreError};
use slate_yrs::update::split;
use slate_yrs::update::{Intake, Limits};
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Transact, Update};

use crate::content::Content;
use crate::editor::{canonical, text_of, tokens};
use crate::plain::reader;
use crate::plan::Acts;
use crate::values::MAP;
use crate::world::{Backend, World};

/// A server that closes because something is too large is taken to take so many bytes, at least.
const LEAST_LIMIT: usize = 1_000;
/// Such a server, among what is injected.
pub const TOO_LARGE: &str = "closed: too large";

pub type Submitted = (String, String, u64);

/// What is known from outside.
#[derive(Default)]
pub struct Truth {
    /// Updates that a device has stored as pending, and which: they must reach the server.
    pub journaled: Vec<(usize, Content)>,
    /// By session, epoch and seq: what was submitted.
    sent: BTreeMap<Submitted, Content>,
    pub refused: BTreeSet<Submitted>,
    /// Of these, what its author was told.
    pub refusals_heard: BTreeSet<Submitted>,
    /// By epoch.
    submitted_in: BTreeMap<String, Content>,
    /// By session and epoch: acknowledged, and seen to be committed.
    acked: BTreeMap<(String, String), u64>,
    /// All that was ever acknowledged in the epoch that lasts.
    all_acked: Content,
    epoch: String,
    /// By connection.
    pub epochs: BTreeMap<u64, String>,
    /// The document was replaced on the server.
    pub replaced: bool,
    /// Edits with values that some server does not take: docs/RELIABILITY.md.
    pub large: Vec<Vec<u8>>,
    /// What was inserted to set values.
    pub values: Content,
    /// Words, and the update they were typed with.
    pub typed: Vec<(String, Content)>,
}

impl Truth {
    /// A seq that was on the wire means one update, for ever.
    pub fn submitted(&mut self, session: String, epoch: String, seq: u64, content: Content) {
        // What was made upon another document of this name is no part of this one.
        for (other, before) in &self.submitted_in {
            assert!(
                *other == epoch || !before.shares(&content),
                "(c) {session} submits in {epoch} what is of {other}: {}",
                content.show()
            );
        }
        self.submitted_in.entry(epoch.clone()).or_default().add(&content);
        let key = (session, epoch, seq);
        if let Some(before) = self.sent.get(&key) {
            assert!(!before.lacks(&content) && !content.lacks(before), "seq {seq} of {} is two updates", key.0);
            return;
        }
        self.sent.insert(key, content);
    }
}

impl World {
    /// What of this neither a server has, or had, nor `also`.
    fn missing(&self, content: &Content, also: Option<&Content>) -> Option<String> {
        let mut left = self.with_ever(|ever| content.minus(ever));
        if let Some(also) = also.filter(|_| !left.is_empty()) {
            left = left.minus(also);
        }
        if !left.is_empty() {
            // What is written into a block that another deletes is deleted by no update.
            left = left.minus(&self.server_state());
        }
        if !left.is_empty() && self.plan.values && self.plan.format > 0 {
            left = left.minus(&self.set_again());
        }
        (!left.is_empty()).then(|| left.show())
    }

    /// Values that somebody has set again in the name of who set them: a device that has lost the record which says the
    /// document's format takes what is pending for edits of format 0, and translates it. Of what was deleted again nothing
    /// is left to translate.
    fn set_again(&self) -> Content {
        let mut rows = self.rows();
        let outboxes = self.devices.iter().flat_map(|device| device.peek().outbox);
        rows.extend(outboxes.map(|pending| pending.update));
        let doc = reader(&rows);
        let mut again = self.truth.values.below(|client| doc.translated(client));
        again.add(&self.truth.values.deleted_again());
        again
    }

    fn rows(&self) -> Vec<Vec<u8>> {
        match &self.backend {
            Backend::Real(server) => server.database.rows(),
            Backend::Plain(server) => server.rows(),
        }
    }

    /// What a new client would have.
    pub fn server_state(&self) -> Content {
        Content::of(&reader(&self.rows()).encode_state(None).expect("encodes"))
    }

    /// (a) What is acknowledged is committed, when it is said.
    pub fn check_ack(&mut self, session: &str, epoch: &str, seq: u64) {
        let key = (session.to_owned(), epoch.to_owned());
        let from = self.truth.acked.get(&key).copied().unwrap_or(0);
        if self.truth.epoch != epoch {
            self.truth.epoch = epoch.to_owned();
            self.truth.all_acked = Content::default();
        }
        for seq in from + 1..=seq {
            let key = (session.to_owned(), epoch.to_owned(), seq);
            let Some(content) = self.truth.sent.get(&key).filter(|_| !self.truth.refused.contains(&key)) else {
                continue;
            };
            let missing = self.missing(content, None);
            assert!(missing.is_none(), "(a) {seq} of {session} is acknowledged, not committed: {missing:?}");
            let content = content.clone();
            self.truth.all_acked.add(&content);
        }
        self.truth.acked.insert(key, seq.max(from));
    }

    /// (a) A client that comes again may not have heard of a refusal, and takes what hello counts for stored.
    pub fn check_hello(&self, session: &str, epoch: &str, acked: u64) {
        let of = |seq| (session.to_owned(), epoch.to_owned(), seq);
        for refused in self.truth.refused.range(of(0)..=of(acked)) {
            if self.truth.refusals_heard.contains(refused) {
                continue;
            }
            // It may have been submitted again, and accepted.
            let missing = self.truth.sent.get(refused).and_then(|content| self.missing(content, None));
            assert!(missing.is_none(), "(a) hello counts {acked}, {refused:?} was refused, unheard: {missing:?}");
        }
    }

    /// (c) Whoever opens the document sees all that the device has of it, whichever tab wrote it.
    pub fn check_opened(&self, tab: usize, loaded: &Loaded) {
        let Some(session) = &self.tabs[tab].session else { return };
        let pending = || loaded.outbox.iter().chain(&loaded.elsewhere);
        let epoch = loaded.epoch.as_ref().or_else(|| pending().find_map(|it| it.epoch.as_ref()));
        let own = pending().filter(|it| it.epoch.is_none() || epoch.is_none() || it.epoch.as_ref() == epoch);
        let mut copy = Content::default();
        for update in loaded.log.iter().map(|(_, update)| update).chain(own.map(|it| &it.update)) {
            copy.add(&Content::of(update));
        }
        let missing = copy.minus(&Content::of(&session.encode_state(None).expect("encodes")));
        assert!(missing.is_empty(), "(c) t{tab} opens without what the device has: {}", missing.show());
    }

    /// (b) What a dead tab has left is pending in the one that takes it over, or set aside.
    pub fn check_taken_over(&self, tab: usize, left: &[Pending]) {
        let Some(session) = &self.tabs[tab].session else { return };
        let kept = Content::of(&session.export_pending().expect("an outbox of updates"));
        for Pending { key, update, .. } in left {
            let missing = Content::of(update).minus(&kept);
            assert!(missing.is_empty(), "(b) t{tab} does not take over {key:?}: {}", missing.show());
        }
    }

    /// (a) What was acknowledged is in what the next server loads.
    pub fn check_database(&mut self) {
        let Backend::Real(server) = &self.backend else { return };
        if server.database.epoch().as_deref() != Some(self.truth.epoch.as_str()) {
            return;
        }
        let mut content = Content::default();
        for row in server.database.rows() {
            content.add(&Content::of(&row));
        }
        let missing = self.truth.all_acked.minus(&content);
        let missing = if missing.is_empty() { missing } else { missing.minus(&self.server_state()) };
        assert!(missing.is_empty(), "(a) acknowledged, not in the database: {}", missing.show());
    }

    /// (b) Only what the server has may leave the outbox, or what stays on the device under another name.
    pub fn check_taken_out(&self, device: usize, before: &Loaded) {
        let after = self.devices[device].peek();
        // What was only wanted goes where the document turns out to have content.
        let refused = before.set_aside.iter().filter(|aside| aside.code != SEED);
        let aside = refused.map(|aside| (&aside.key, &aside.update));
        let kept = before.outbox.iter().map(|pending| (&pending.key, &pending.update)).chain(aside);
        let gone = kept.filter(|(key, update)| {
            let still = after.outbox.iter().any(|pending| pending.key == **key && pending.update == **update);
            !still && after.set_aside.iter().all(|aside| aside.key != **key || aside.update != **update)
        });
        let mut unsent = None;
        for (key, update) in gone {
            let unsent = unsent.get_or_insert_with(|| self.devices[device].unsent());
            let missing = self.missing(&Content::of(update), Some(unsent));
            assert!(missing.is_none(), "(b) d{device} forgets {key:?}, the server lacks {missing:?}");
        }
    }

    /// (e) The status never claims more than is true.
    pub fn check_status(&mut self, tab: usize) {
        let it = &self.tabs[tab];
        let Some(session) = &it.session else { return };
        let status = session.status().clone();
        let conn = it.conn.and_then(|conn| self.conns.get(&conn));
        let online = status.connection == Connection::Online;
        assert!(!online || conn.is_some_and(|conn| conn.client_open), "(e) t{tab} is online without a connection");
        assert!(!status.synced || conn.is_some_and(|conn| conn.synced), "(e) t{tab} says synced before a step 2");
        let reads_only = conn.and_then(|conn| conn.hello.as_ref()).is_some_and(|hello| hello.role == Role::ReadOnly);
        assert!(!online || status.read_only == reads_only, "(e) t{tab} read only: {status:?}");
        assert!(!status.syncing_offline_changes || (online && status.pending > 0), "(e) t{tab}: {status:?}");
        let nothing = status.pending == 0 && status.set_aside == 0;
        assert!(status.saved != Saved::Server || nothing, "(e) t{tab} says server: {status:?}");
        assert_eq!(status.divergences, 0, "(g) t{tab} shows what the document does not have: {:?}", status.error);
        self.check_storage(tab, status.storage);
        self.check_saved(tab, status.saved);
        self.check_pending(tab, status.pending);
    }

    fn check_storage(&self, tab: usize, says: DeviceStorage) {
        let it = &self.tabs[tab];
        let seen = |kind: fn(&StoreError) -> bool| it.store_errors.iter().any(kind);
        let is_true = match says {
            // A failed write is made up for by one that is on its way.
            DeviceStorage::IndexedDb => !it.store_failed || !it.orders.is_empty(),
            DeviceStorage::Memory => it.deleted_local || !it.store_errors.is_empty(),
            DeviceStorage::Full => seen(|error| *error == StoreError::Full),
            DeviceStorage::Blocked => seen(|error| matches!(error, StoreError::Blocked(_))),
            DeviceStorage::Corrupt => seen(|error| matches!(error, StoreError::Corrupt(_))),
        };
        assert!(is_true, "(e) t{tab} says {says:?}: {:?}", it.store_errors);
    }

    fn check_saved(&mut self, tab: usize, saved: Saved) {
        if saved == Saved::Server && !self.tabs[tab].unverified.is_empty() {
            for content in std::mem::take(&mut self.tabs[tab].unverified) {
                let missing = self.missing(&content, None);
                assert!(missing.is_none(), "(e) t{tab} says server, which lacks {missing:?}");
            }
            self.tabs[tab].unstored.clear();
        }
        if saved == Saved::Local && !self.tabs[tab].unstored.is_empty() {
            // What the server has acknowledged need not be on a device whose storage fails.
            let unsent = self.devices[self.tabs[tab].device].unsent();
            for content in std::mem::take(&mut self.tabs[tab].unstored) {
                let missing = self.missing(&content, Some(&unsent));
                assert!(missing.is_none(), "(e) t{tab} says local, the outbox lacks {missing:?}");
            }
        }
    }

    /// Nothing pending, nothing set aside: then the server has everything that was typed here.
    fn check_pending(&self, tab: usize, pending: u32) {
        let it = &self.tabs[tab];
        let aside = it.session.as_ref().map_or(0, |session| session.status().set_aside);
        if pending > 0 || aside > 0 {
            return;
        }
        for content in &it.unverified {
            let missing = self.missing(content, None);
            assert!(missing.is_none(), "(e) t{tab} says nothing is pending, the server lacks {missing:?}");
        }
    }

    /// Remembers an edit that may be too much.
    pub fn note_large(&mut self, update: &[u8]) {
        if split(update, self.limit().min(LEAST_LIMIT)).is_err() {
            self.truth.large.push(update.to_vec());
        }
    }

    fn limit(&self) -> usize {
        match &self.backend {
            Backend::Real(server) => server.limits.max_update_bytes,
            Backend::Plain(_) => usize::MAX,
        }
    }

    pub fn check_editor(&self, tab: usize) {
        if self.tabs[tab].session.is_some() {
            assert!(self.tabs[tab].editor.value == self.value(tab), "t{tab}: the editor is not the document");
            self.check_values(tab);
        }
    }

    pub fn is_settled(&self) -> bool {
        let quiet = self.tabs.iter().all(|tab| {
            let Some(session) = &tab.session else { return false };
            let status = session.status();
            // What is on its way to the store may still fail, and be tried again much later.
            let stored = (status.storage == DeviceStorage::IndexedDb && tab.orders.is_empty()) || tab.deleted_local;
            status.synced && status.pending == 0 && !status.epoch_conflict && stored
        });
        quiet && self.devices.iter().all(|device| device.peek().outbox.is_empty())
    }

    /// What must hold when all is quiet.
    pub fn check_quiet(&mut self) {
        self.check_database();
        self.check_drained();
        self.check_nothing_lost();
        for tab in 0..self.tabs.len() {
            self.check_editor(tab);
        }
        // What is refused leaves a gap in its author's edits: what comes after it waits, on the server too.
        let whole = self.tabs.iter().all(|tab| tab.session.as_ref().expect("open").status().set_aside == 0);
        if whole || (self.truth.replaced && self.plan.acts != Acts::Refused) {
            self.check_equal();
            self.check_words();
        }
    }

    /// (f) The outbox drains.
    fn check_drained(&self) {
        for (tab, it) in self.tabs.iter().enumerate() {
            let status = it.session.as_ref().expect("open").status();
            assert_eq!(status.pending, 0, "(f) t{tab}: {status:?}");
            assert!(status.synced && !status.epoch_conflict && !status.read_only, "(f) t{tab}: {status:?}");
            let saved = if status.set_aside == 0 { Saved::Server } else { Saved::Local };
            assert!(status.saved == saved || it.deleted_local, "(f) t{tab}: {status:?}");
            // A tab goes on counting what another one of the device has set aside and sent since.
            let together = self.tabs.iter().filter(|tab| tab.device == it.device).count() > 1;
            let refuses = self.plan.acts == Acts::Refused || self.is_too_large() || self.truth.replaced || together;
            assert!(status.set_aside == 0 || refuses, "(f) t{tab}: {status:?}");
        }
        for (device, it) in self.devices.iter().enumerate() {
            let outbox = it.peek().outbox;
            assert!(
                outbox.is_empty(),
                "(f) d{device} has an outbox: {:?}",
                outbox.iter().map(|p| &p.key).collect::<Vec<_>>()
            );
        }
    }

    /// Whether something copied more at once than the server takes in one value, as far as sessions know.
    fn is_too_large(&self) -> bool {
        let least = if self.faults.contains_key(TOO_LARGE) { LEAST_LIMIT } else { usize::MAX };
        let limit = self.limit().min(least);
        self.truth.large.iter().any(|update| split(update, limit).is_err())
    }

    /// (b) What a device has stored for the server is there, or set aside on the device.
    fn check_nothing_lost(&self) {
        let unsent: Vec<Content> = self.devices.iter().map(crate::device::Device::unsent).collect();
        for (device, content) in &self.truth.journaled {
            let missing = self.missing(content, Some(&unsent[*device]));
            assert!(missing.is_none(), "(b) journaled on d{device}, not on the server: {missing:?}");
        }
    }

    /// (c) All replicas are equal, byte for byte: the sessions, the server, a new client, what devices give back.
    fn check_equal(&self) {
        let fresh = reader(&self.rows());
        let state = fresh.encode_state(None).expect("encodes");
        let value = canonical(&fresh.value());
        let expected = bytes_of(std::slice::from_ref(&state));
        let content = Content::of(&state);
        for (tab, it) in self.tabs.iter().enumerate() {
            let session = it.session.as_ref().expect("open");
            let state = session.encode_state(None).expect("encodes");
            let own = Content::of(&state);
            assert!(!content.lacks(&own), "(c) t{tab} has what the server lacks: {:?}", own.minus(&content).show());
            assert!(!own.lacks(&content), "(c) t{tab} lacks what the server has: {:?}", content.minus(&own).show());
            let shown = canonical(&session.value());
            assert!(session.values(MAP) == fresh.values(MAP), "(c) t{tab} has other values: {:?}", session.values(MAP));
            assert!(shown == value, "(c) t{tab} shows something else: {:?}", first_difference(&shown, &value));
            let own = bytes_of(&[state]);
            assert!(own == expected, "(c) t{tab} has other bytes: {}", differing(&own, &expected));
        }
        for (device, it) in self.devices.iter().enumerate() {
            let mut tabs = self.tabs.iter().filter(|tab| tab.device == device);
            // What was damaged since, or under a tab that does not keep, comes from the server again; and whose data
            // was cleared, says so when it is used.
            let cleared = tabs.clone().any(|tab| tab.fail_next.is_some());
            // What a killed tab had told others, and not finished writing, is theirs to ask the server for.
            let torn = it.torn && tabs.clone().count() > 1;
            let damaged = cleared || torn || it.damaged_since || (!it.damaged.is_empty() && tabs.clone().count() > 1);
            if damaged || tabs.any(|tab| tab.deleted_local) {
                continue;
            }
            let log: Vec<Vec<u8>> = it.whole().log.into_iter().map(|(_, update)| update).collect();
            let mut own = Content::default();
            log.iter().for_each(|row| own.add(&Content::of(row)));
            // What is written into a block that another deletes is deleted by no update.
            let lacks = content.insertions().minus(&own);
            assert!(lacks.is_empty(), "(c) d{device} lacks {}", lacks.show());
            let own = bytes_of(&log);
            assert!(own == expected, "(c) d{device} gives back other bytes: {}", differing(&own, &expected));
        }
    }

    /// Whether what two merge or move at once is there twice.
    fn copies(&self) -> bool {
        self.plan.acts == Acts::Structure && self.plan.format == 0
    }

    /// (d) Nothing is there twice; where nobody erases, nothing is missing.
    fn check_words(&self) {
        let text = text_of(&self.value(0)) + "\n" + &self.keys(0);
        for device in 0..self.devices.len() {
            let wanted = self.plan.wanted(device);
            // What two merge or move at once is there twice in format 0.
            let once = text.matches(&wanted).count() <= 1 || self.copies();
            assert!(once, "(d) the seed {wanted} is there twice");
        }
        // Of several one is taken; of the others there are only blocks in which somebody has written.
        let untouched =
            text.lines().filter(|line| (0..self.devices.len()).any(|d| self.plan.wanted(d) == *line)).count();
        assert!(untouched <= 1 || self.plan.acts != Acts::Typing, "(d) {untouched} seeds are there");
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        tokens(&text).for_each(|word| *seen.entry(word).or_default() += 1);
        for (word, count) in &seen {
            let copies = self.plan.acts == Acts::Undo || self.copies();
            assert!(*count == 1 || copies, "(d) {word} is there {count} times");
        }
        if !self.plan.keeps_words() || self.truth.replaced {
            return;
        }
        // Not what waits for an edit before it, which was only in the memory of a tab that was killed.
        let integrated = self.tabs[0].session.as_ref().expect("open").state_vector();
        let integrated = StateVector::decode_v1(&integrated).expect("a state vector");
        for (word, content) in &self.truth.typed {
            assert!(
                !content.is_below(&integrated) || seen.contains_key(word.as_str()),
                "(d) {word} was stored and is not there"
            );
        }
    }
}

/// What a document made of these updates encodes as.
fn bytes_of(updates: &[Vec<u8>]) -> Vec<u8> {
    let merged = slate_yrs::update::merge(updates).expect("updates");
    let doc = Doc::with_client_id(1);
    let mut intake = Intake::default();
    intake.apply(&doc, &merged, Limits::STORED, &mut |_| {}).expect("applies");
    let state = doc.transact().encode_state_as_update_v1(&StateVector::default());
    intake.include(state).expect("what waits")
}

/// Where two encodings of a document begin to differ, as text.
fn differing(own: &[u8], expected: &[u8]) -> String {
    let show = |bytes: &[u8]| format!("{:?}", Update::decode_v1(bytes).expect("an update"));
    let (own, expected) = (show(own), show(expected));
    let at = own.bytes().zip(expected.bytes()).position(|(a, b)| a != b).unwrap_or(0).saturating_sub(200);
    let part = |text: &str| text.chars().skip(at).take(400).collect::<String>();
    format!("\n{}\nexpected\n{}", part(&own), part(&expected))
}

fn first_difference<'a, T: PartialEq>(a: &'a [T], b: &'a [T]) -> (Option<&'a T>, Option<&'a T>) {
    let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    (a.get(at), b.get(at))
}
