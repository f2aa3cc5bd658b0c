//! The first content of a document: shown at once, pending until it is decided whether the document takes it.
//!
//! Until the server was heard nobody knows whether the document has content. Meanwhile what is wanted is in the document
//! as shown here, what is typed stands upon it, and beside it there is the document *without* it: the shadow, which is
//! told of everything that comes from elsewhere. As soon as the shadow has content it is decided: it has the very items
//! of the seed, for equal values make equal updates, or something else, and then the seed goes, but for the blocks that
//! somebody has written in. A shadow that is still empty after a sync is for the server to fill: the room decides who
//! is first; with a server that decides nothing each gives its own.
//!
//! Invariants: nothing is sent of an undecided seed, nor of what stands upon it; the device keeps it as a record of its
//! own, never in the log.

use crate::protocol::Message;
use crate::slate::{Element, LocalChange, Node, Op, SlateDoc};
use crate::store::{Pending, Write};

use super::outbox::KeptIn;
use super::stage::DocChange;
use super::{ErrorCode, Origin, Session};

/// The code under which the store keeps a seed that is not decided: it is not counted among what was set aside.
pub(super) use crate::store::SEED;

/// Content for a document that has none.
#[derive(Debug)]
pub(super) enum Seed {
    None,
    /// Not shown: it is not known yet whether there is content on the device.
    Wanted(Vec<Node>),
    Shown(Box<ShownSeed>),
}

/// A seed that is in the document, and nobody has decided about.
#[derive(Debug)]
pub(super) struct ShownSeed {
    update: Vec<u8>,
    value: Vec<Node>,
    /// Whose items the seed's are, and how many.
    client: u32,
    clock: u32,
    /// The document without the seed, and without what is pending here.
    shadow: SlateDoc,
    asked: Asked,
    /// What the server has of the document, as it said when it was no time to answer.
    theirs: Option<Vec<u8>>,
}

/// Whether a server that decides was asked to take it, on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
    /// It has answered, and its content was asked for.
    Answered,
}

/// What becomes of the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SeedVerdict {
    /// There is none, or nothing is decided.
    Open,
    /// The document has it.
    In,
    /// The document has other content.
    Out,
}

impl Seed {
    pub fn new(value: Option<Vec<Node>>) -> Self {
        value.map_or(Self::None, Self::Wanted)
    }

    /// The connection is gone: what was asked has to be asked again.
    pub fn unasked(&mut self) {
        if let Self::Shown(shown) = self {
            (shown.asked, shown.theirs) = (Asked::No, None);
        }
    }

    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Shown(_))
    }
}

impl Session {
    /// The document as far as it is decided: without a seed that may go again.
    pub(super) fn settled(&self) -> &SlateDoc {
        match &self.seed {
            Seed::Shown(shown) => &shown.shadow,
            _ => &self.doc,
        }
    }

    /// Whether a seed is on its way to the server. A reader's is not: it is only shown.
    pub(super) fn seed_is_pending(&self) -> bool {
        self.seed.is_undecided() && !self.reader
    }

    /// Whether what is pending has to wait for the decision.
    pub(super) fn waits_for_seed(&self) -> bool {
        self.seed_is_pending()
    }

    /// Whether there is anything that stands upon the seed, or may: of this user, here or in another tab.
    fn has_own_edits(&self) -> bool {
        let Seed::Shown(shown) = &self.seed else { return false };
        let stands = |code: &str| code != SEED && code != ErrorCode::Epoch.as_str();
        !self.outbox.is_empty()
            || self.outbox.set_aside.iter().any(|aside| stands(&aside.update.code))
            || self.doc.value() != shown.value
    }

    /// Shows what is wanted, if there is nothing.
    pub(super) fn show_wanted_seed(&mut self) {
        let Some(value) = self.take_wanted_seed() else { return };
        let update = SlateDoc::seed_update(&self.config.root, &value);
        if let Some(shown) = self.show_seed(update) {
            self.keep_seed(&shown);
        }
    }

    /// What the device keeps of a seed that nobody has decided about, and of the document beside it. Returns what of
    /// the log could be read; none, and nothing is loaded, if it is no seed.
    /// `own`, `elsewhere`: what is pending, here and in other tabs.
    pub(super) fn load_seeded(
        &mut self,
        seed: &[u8],
        log: &[&[u8]],
        own: &[&[u8]],
        elsewhere: &[&[u8]],
    ) -> Option<Vec<bool>> {
        let options = self.doc_options();
        let mut shadow = SlateDoc::new(options);
        let (mut read, _) = shadow.load_all(&[log, elsewhere].concat());
        read.truncate(log.len());
        let shown = ShownSeed::new(seed.to_vec(), shadow, &self.config.root)?;
        let (_, foreign) = self.doc.load_all(&[&[seed], own, elsewhere].concat());
        self.seed = Seed::Shown(Box::new(shown));
        self.log_applied(foreign);
        Some(read)
    }

    /// What the log says of the seed, once all of the copy is known.
    pub(super) fn decide_by_log(&mut self) {
        let Ok(state) = self.settled().encode_state(None) else { return };
        if self.seed.is_undecided() {
            let verdict = self.verdict();
            self.take_in_by(verdict, &state, Origin::Store, false);
        }
    }

    /// Whether this very seed is shown here.
    pub(super) fn shows_seed(&self, update: &[u8]) -> bool {
        matches!(&self.seed, Seed::Shown(shown) if shown.update == update)
    }

    /// Another tab keeps the record of what is shown here, and may forget it: what is typed here stands upon it too.
    pub(super) fn keep_shown_seed(&mut self) {
        if let Seed::Shown(shown) = &self.seed {
            let update = shown.update.clone();
            self.keep_seed(&update);
        }
    }

    fn keep_seed(&mut self, update: &[u8]) {
        let writes = self.outbox.aside(Vec::new(), update.to_vec(), KeptIn::Memory, SEED, "");
        self.journal.write_all(writes);
    }

    /// Puts a seed into the document, beside whatever it has that is no content.
    fn show_seed(&mut self, update: Vec<u8>) -> Option<Vec<u8>> {
        let options = self.doc_options();
        let mut shadow = SlateDoc::new(options);
        let state = self.doc.encode_state(None).ok()?;
        shadow.load_all(&[&state]);
        let shown = ShownSeed::new(update, shadow, &self.config.root)?;
        if shown.verdict() != SeedVerdict::Open {
            return None;
        }
        let before = self.stage.updates.len();
        self.take_in(&shown.update, Origin::Store, false)?;
        // It is told when it is decided: until then it is what the document was opened with.
        self.stage.updates.truncate(before);
        let update = shown.update.clone();
        self.seed = Seed::Shown(Box::new(shown));
        Some(update)
    }

    /// What an update from elsewhere says of the seed.
    fn seed_meets(&mut self, update: &[u8]) -> SeedVerdict {
        let Seed::Shown(shown) = &mut self.seed else { return SeedVerdict::Open };
        match shown.shadow.apply_unheard(update) {
            Ok(_) => self.verdict(),
            Err(_) => SeedVerdict::Open,
        }
    }

    fn verdict(&self) -> SeedVerdict {
        match &self.seed {
            Seed::Shown(shown) => shown.verdict(),
            _ => SeedVerdict::Open,
        }
    }

    /// A change from elsewhere. Returns whether the document is another one now; none if the bytes are no update.
    pub(super) fn apply(&mut self, update: &[u8], origin: Origin, journal: bool) -> Option<bool> {
        self.flush();
        let verdict = self.seed_meets(update);
        self.take_in_by(verdict, update, origin, journal)
    }

    fn take_in_by(&mut self, verdict: SeedVerdict, update: &[u8], origin: Origin, journal: bool) -> Option<bool> {
        match verdict {
            SeedVerdict::Open => self.take_in(update, origin, journal),
            SeedVerdict::In => {
                let changed = self.take_in(update, origin, journal);
                self.seed_is_in();
                changed
            }
            SeedVerdict::Out if self.has_own_edits() => self.keep_beside(update, origin, journal),
            SeedVerdict::Out => self.seed_is_out(update, origin, journal),
        }
    }

    /// The document has the seed, from here or from whoever had the same.
    fn seed_is_in(&mut self) {
        let Seed::Shown(shown) = std::mem::replace(&mut self.seed, Seed::None) else { return };
        if shown.has() < shown.clock {
            return self.give_seed(*shown);
        }
        let writes = self.outbox.forget_seed();
        self.journal.write_all(writes);
        self.journal.write(Write::Append { update: shown.update.clone() });
        self.stage.update(Origin::Store, shown.update.clone());
        self.seed_decided(shown.theirs);
    }

    /// Nobody has the seed, or not all of it: it is submitted like an edit, before what stands upon it.
    fn give_seed(&mut self, shown: ShownSeed) {
        self.outbox.give_seed(shown.update.clone());
        self.stage.update(Origin::Store, shown.update);
        self.rearrange();
        self.seed_decided(shown.theirs);
    }

    /// The document has other content, and nobody has written here: it is shown as it is.
    fn seed_is_out(&mut self, update: &[u8], origin: Origin, journal: bool) -> Option<bool> {
        let Seed::Shown(shown) = std::mem::replace(&mut self.seed, Seed::None) else { return None };
        let writes = self.outbox.forget_seed();
        self.journal.write_all(writes);
        if journal {
            self.keep_received(update);
        }
        self.incomplete = shown.shadow.is_waiting();
        self.busy_at = self.now;
        self.stage.update(origin, update.to_vec());
        self.withdrawn = Some(shown.update);
        self.show_instead(shown.shadow, origin);
        self.seed_decided(shown.theirs);
        Some(true)
    }

    /// The document has other content: the blocks in which somebody has written stay beside it, the others go. All of
    /// it becomes one update, so that nobody sees what goes.
    fn keep_beside(&mut self, update: &[u8], origin: Origin, journal: bool) -> Option<bool> {
        self.remove_untouched();
        let changed = self.take_in(update, origin, journal);
        let Seed::Shown(shown) = std::mem::replace(&mut self.seed, Seed::None) else { return changed };
        match self.doc.encode_state(Some(&shown.shadow.state_vector())) {
            Ok(own) => {
                self.outbox.replace_unsent(own.clone());
                self.stage.update(Origin::Local, own);
                self.rearrange();
            }
            Err(_) => {
                self.give_seed(*shown);
                return changed;
            }
        }
        self.seed_decided(shown.theirs);
        changed
    }

    /// What a tab that has died had typed upon a seed which this one has withdrawn: the seed is given after all, but for
    /// the blocks in which nobody has written.
    pub(super) fn keep_orphans_beside(&mut self, orphans: &[Pending]) {
        let Some(seed) = self.withdrawn.clone() else { return };
        let Some((value, ..)) = SlateDoc::seed_in(&seed, &self.config.root) else { return };
        let mut updates = vec![&*seed];
        updates.extend(orphans.iter().map(|orphan| &*orphan.update));
        let options = self.doc_options();
        let mut doc = SlateDoc::new(options);
        doc.load_all(&updates);
        if doc.value() == value {
            return;
        }
        let ops = untouched(&value, doc.value(), self.config.block_id.as_deref());
        doc.apply_local(ops);
        let Ok(update) = doc.encode_state(None) else { return };
        self.withdrawn = None;
        if self.take_in(&update, Origin::Store, false).is_some() {
            self.submit(update, Origin::Store);
        }
    }

    /// Takes the seed's blocks out again, as long as they are what they were.
    pub(super) fn remove_untouched(&mut self) {
        let Seed::Shown(shown) = &self.seed else { return };
        let mut ops = untouched(&shown.value, self.doc.value(), self.config.block_id.as_deref());
        if ops.is_empty() {
            return;
        }
        let LocalChange { ops: corrections, .. } = self.doc.apply_local(ops.clone());
        ops.extend(corrections);
        self.undo.transform(&ops);
        self.stage.changed(DocChange::Anything);
        self.stage.operations(Origin::Store, ops);
    }

    /// What has waited for the decision goes on.
    fn seed_decided(&mut self, theirs: Option<Vec<u8>>) {
        if let Some(state_vector) = theirs {
            self.answer_sync(&state_vector);
        }
        self.pump();
        self.settle_format();
    }

    /// The server's step 1 comes before its content: it is answered when that has decided.
    pub(super) fn answer_later(&mut self, state_vector: &[u8]) -> bool {
        let waits = self.waits_for_seed();
        if let (true, Seed::Shown(shown)) = (waits, &mut self.seed) {
            shown.theirs = Some(state_vector.to_vec());
        }
        waits
    }

    /// What the server has is here: if that is nothing, it is given the seed, or asked to take it.
    pub(super) fn offer_seed(&mut self) {
        let is_held = self.conflict || self.hold_until.is_some() || self.is_barred() || self.is_overtaken();
        if is_held || !self.link.is_synced() || !self.seed_is_pending() {
            return;
        }
        let durable = self.link.live().and_then(super::connection::Live::hello).is_some();
        let Seed::Shown(shown) = &mut self.seed else { return };
        match shown.asked {
            Asked::No if durable => {
                shown.asked = Asked::Yes;
                let message = Message::Seed(&shown.update).to_frame();
                self.send(message);
            }
            Asked::Yes => {}
            Asked::No | Asked::Answered => self.submit_seed(),
        }
    }

    pub(super) fn submit_seed(&mut self) {
        if let Seed::Shown(shown) = std::mem::replace(&mut self.seed, Seed::None) {
            self.give_seed(*shown);
        }
    }

    /// The server has decided about the seed. What it has decided for is asked for, unless it is here.
    pub(super) fn seed_answered(&mut self) {
        if let Seed::Shown(shown) = &mut self.seed
            && shown.asked == Asked::Yes
        {
            shown.asked = Asked::Answered;
            self.request_sync();
        }
    }

    /// Whether the server was asked to take the seed. It is not any more.
    pub(super) fn take_back_seed(&mut self) -> bool {
        match &mut self.seed {
            Seed::Shown(shown) if shown.asked == Asked::Yes => {
                shown.asked = Asked::No;
                true
            }
            _ => false,
        }
    }

    /// The document is another one: nothing is wanted for that.
    pub(super) fn drop_seed(&mut self) {
        self.seed = Seed::None;
        let writes = self.outbox.forget_seed();
        self.journal.write_all(writes);
    }

    /// Seeds by itself: the same content gives the same update, wherever and how often it is made.
    pub(super) fn seed_locally(&mut self, value: &[Node]) {
        let update = SlateDoc::seed_update(&self.config.root, value);
        let before = self.stage.updates.len();
        if self.apply(&update, Origin::Store, false) == Some(true) {
            self.stage.updates.truncate(before);
            self.submit(update, Origin::Store);
        }
    }

    /// Whether the document is to be given its first content now.
    pub(super) fn take_wanted_seed(&mut self) -> Option<Vec<Node>> {
        match std::mem::replace(&mut self.seed, Seed::None) {
            Seed::Wanted(value) if self.is_without_content() && !value.is_empty() => Some(value),
            Seed::Wanted(_) | Seed::None => None,
            shown => {
                self.seed = shown;
                None
            }
        }
    }

    fn is_without_content(&self) -> bool {
        self.doc.is_empty() && self.queue.is_empty() && !self.incomplete
    }
}

impl ShownSeed {
    /// None if the update is no seed: it holds nothing.
    fn new(update: Vec<u8>, shadow: SlateDoc, root: &str) -> Option<Self> {
        let (value, client, clock) = SlateDoc::seed_in(&update, root)?;
        Some(Self { update, value, client, clock, shadow, asked: Asked::No, theirs: None })
    }

    /// Whose items the seed's are.
    pub fn client(&self) -> u32 {
        self.client
    }

    /// How many of the seed's items the document has from elsewhere.
    fn has(&self) -> u32 {
        self.shadow.clock_of(self.client)
    }

    fn verdict(&self) -> SeedVerdict {
        match self.has() {
            0 if self.shadow.is_empty() => SeedVerdict::Open,
            0 => SeedVerdict::Out,
            _ => SeedVerdict::In,
        }
    }
}

/// What removes those blocks of `shown` which are the seed's as it was.
fn untouched(seed: &[Node], shown: Vec<Node>, id: Option<&str>) -> Vec<Op> {
    let mut left: Vec<&Node> = seed.iter().collect();
    let mut ops = Vec::new();
    for (index, node) in shown.into_iter().enumerate().rev() {
        if let Some(at) = left.iter().rposition(|seed| says_the_same(seed, &node, id)) {
            left.remove(at);
            ops.push(Op::RemoveNode { path: [index as u32].into_iter().collect(), node });
        }
    }
    ops
}

/// Whether two nodes are the same but for the ids of blocks: editors give those by themselves.
fn says_the_same(one: &Node, other: &Node, id: Option<&str>) -> bool {
    match (one, other) {
        (Node::Element(one), Node::Element(other)) => {
            let attrs = |element: &Element| -> Vec<_> {
                let own = element.attrs.iter().filter(|(key, _)| Some(&***key) != id);
                own.map(|(key, value)| (key.clone(), value.clone())).collect()
            };
            let mut children = one.children.iter().zip(&other.children);
            one.children.len() == other.children.len()
                && attrs(one) == attrs(other)
                && children.all(|(one, other)| says_the_same(one, other, id))
        }
        (one, other) => one == other,
    }
}
