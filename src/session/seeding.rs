//! The first content of a document: shown at once, pending until it is decided whether the document takes it.
//!
//! Until the server was heard nobody knows whether the document has content. Meanwhile the seed is in the document as
//! shown here, and what is typed stands upon it. Beside it there is the document *without* the seed: the shadow, which
//! is given everything that comes from elsewhere. As soon as the shadow has content it is decided. Either it has the
//! very items of the seed, for equal values make equal updates; or it has something else, and then the seed is removed,
//! but for the blocks that somebody has written in. If the shadow is still empty after a sync, the server gets the
//! seed: its room decides which client is first; to a server that decides nothing each client gives its own.
//!
//! Invariants: neither an undecided seed nor what stands upon it is sent; the device keeps the seed as a record of its
//! own, never in the log.

use crate::protocol::Message;
use crate::slate::{Element, Node, Op, SlateDoc};
use crate::store::{Pending, Write};

use super::local::Local;
use super::outbox::KeptIn;
use super::stage::Effect;
use super::types::{ErrorCode, Origin};

/// The code under which the store keeps a seed that is not decided: it is not counted among what was set aside.
pub(super) use crate::store::SEED;

/// The first content of a document, and what has become of it.
#[derive(Debug)]
pub(super) struct Seeding {
    seed: Seed,
    /// A seed that was shown until the document turned out to have other content.
    withdrawn: Option<Vec<u8>>,
}

/// Content for a document that has none.
#[derive(Debug)]
enum Seed {
    None,
    /// Not shown: it is not known yet whether there is content on the device.
    Wanted(Vec<Node>),
    Shown(Box<ShownSeed>),
}

/// A seed that is in the document and not decided yet.
#[derive(Debug)]
struct ShownSeed {
    update: Vec<u8>,
    value: Vec<Node>,
    /// The client id of the seed's items, and how many they are.
    client: u32,
    clock: u32,
    /// The document without the seed, and without what is pending here.
    shadow: SlateDoc,
    asked: Asked,
    /// The server's state vector, from a step 1 that could not be answered yet.
    theirs: Option<Vec<u8>>,
}

/// Whether a server that decides was asked, on this connection, to take the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
    /// It has answered, and was asked for its content.
    Answered,
}

/// What the shadow says about the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SeedVerdict {
    /// There is no seed, or it is not decided.
    Open,
    /// The document has it.
    In,
    /// The document has other content.
    Out,
}

/// How a server that has nothing gets the seed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SeedOffer {
    /// It is asked to take it, by this frame.
    Ask(Vec<u8>),
    /// The server decides nothing, or has answered and is empty: the seed is submitted.
    Submit,
}

impl Seeding {
    pub fn new(value: Option<Vec<Node>>) -> Self {
        Self { seed: value.map_or(Seed::None, Seed::Wanted), withdrawn: None }
    }

    /// The connection is gone: what was asked has to be asked again.
    pub fn unasked(&mut self) {
        if let Seed::Shown(shown) = &mut self.seed {
            (shown.asked, shown.theirs) = (Asked::No, None);
        }
    }

    pub fn is_undecided(&self) -> bool {
        matches!(self.seed, Seed::Shown(_))
    }

    /// The document as far as it is decided: without a seed that may be removed again.
    pub fn settled<'a>(&'a self, doc: &'a SlateDoc) -> &'a SlateDoc {
        match &self.seed {
            Seed::Shown(shown) => &shown.shadow,
            _ => doc,
        }
    }

    /// Whether anything stands upon the seed, or may: edits of this user, here or in another tab.
    fn has_own_edits(&self, local: &Local) -> bool {
        let Seed::Shown(shown) = &self.seed else { return false };
        let stands = |code: &str| code != SEED && code != ErrorCode::Epoch.as_str();
        let outbox = &local.device.outbox;
        !outbox.is_empty()
            || outbox.set_aside.iter().any(|aside| stands(&aside.update.code))
            || local.editing.doc.value() != shown.value
    }

    /// Shows the wanted content, if the document has none.
    pub fn show_wanted(&mut self, local: &mut Local) {
        let Some(value) = self.take_wanted(local) else { return };
        let update = SlateDoc::seed_update(&local.config.root, &value);
        if let Some(shown) = self.show(update, local) {
            keep(&shown, local);
        }
    }

    /// Loads a copy with an undecided seed: the seed, and the document beside it. `own`, `elsewhere`: what is pending,
    /// here and in other tabs. Returns of each row of the log whether it could be read; none, and nothing is loaded, if
    /// it is no seed.
    pub fn load(
        &mut self,
        seed: &[u8],
        log: &[&[u8]],
        own: &[&[u8]],
        elsewhere: &[&[u8]],
        local: &mut Local,
    ) -> Option<Vec<bool>> {
        let mut shadow = local.fresh.doc();
        let (mut read, _) = shadow.load_all(&[log, elsewhere].concat());
        read.truncate(log.len());
        let shown = ShownSeed::new(seed.to_vec(), shadow, &local.config.root)?;
        let (_, foreign) = local.editing.doc.load_all(&[&[seed], own, elsewhere].concat());
        self.seed = Seed::Shown(Box::new(shown));
        local.loaded(foreign);
        Some(read)
    }

    /// Lets the log decide about the seed, once all of the copy is known.
    pub fn decide_by_log(&mut self, local: &mut Local) {
        let Ok(state) = self.settled(&local.editing.doc).encode_state(None) else { return };
        if self.is_undecided() {
            let verdict = self.verdict();
            self.take_in_by(verdict, &state, Origin::Store, false, local);
        }
    }

    /// Whether this very seed is shown here.
    pub fn shows(&self, update: &[u8]) -> bool {
        matches!(&self.seed, Seed::Shown(shown) if shown.update == update)
    }

    /// Keeps a record of the seed that is shown here, too: another tab, which has one, may remove it, and edits of this
    /// tab stand upon the seed.
    pub fn keep_shown(&self, local: &mut Local) {
        if let Seed::Shown(shown) = &self.seed {
            keep(&shown.update, local);
        }
    }

    /// Puts a seed into the document, which may have something that is not content.
    fn show(&mut self, update: Vec<u8>, local: &mut Local) -> Option<Vec<u8>> {
        let mut shadow = local.fresh.doc();
        let state = local.editing.doc.encode_state(None).ok()?;
        shadow.load_all(&[&state]);
        let shown = ShownSeed::new(update, shadow, &local.config.root)?;
        if shown.verdict() != SeedVerdict::Open {
            return None;
        }
        let before = local.stage.updates.len();
        local.take_in(&shown.update, Origin::Store, false)?;
        // Its update is told when it is decided: until then it is what the document was opened with.
        local.stage.updates.truncate(before);
        let update = shown.update.clone();
        self.seed = Seed::Shown(Box::new(shown));
        Some(update)
    }

    /// Gives an update from elsewhere to the shadow. Returns what that then says about the seed.
    fn meets(&mut self, update: &[u8]) -> SeedVerdict {
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

    /// Applies a change from elsewhere. Returns whether the document has changed; none if the bytes are no update.
    pub fn apply(&mut self, update: &[u8], origin: Origin, journal: bool, local: &mut Local) -> Option<bool> {
        let verdict = self.meets(update);
        self.take_in_by(verdict, update, origin, journal, local)
    }

    fn take_in_by(
        &mut self,
        verdict: SeedVerdict,
        update: &[u8],
        origin: Origin,
        journal: bool,
        local: &mut Local,
    ) -> Option<bool> {
        match verdict {
            SeedVerdict::Open => local.take_in(update, origin, journal),
            SeedVerdict::In => {
                let changed = local.take_in(update, origin, journal);
                self.is_in(local);
                changed
            }
            SeedVerdict::Out if self.has_own_edits(local) => self.keep_beside(update, origin, journal, local),
            SeedVerdict::Out => self.is_out(update, origin, journal, local),
        }
    }

    fn take(&mut self) -> Seed {
        std::mem::replace(&mut self.seed, Seed::None)
    }

    /// The document has the seed, from here or from another client with the same.
    fn is_in(&mut self, local: &mut Local) {
        let Seed::Shown(shown) = self.take() else { return };
        if shown.has() < shown.clock {
            return give(*shown, local);
        }
        local.device.forget_seed();
        local.device.journal.write(Write::Append { update: shown.update.clone() });
        local.stage.update(Origin::Store, shown.update);
        decided(shown.theirs, local);
    }

    /// The document has other content, and nobody has written here: it is shown as it is.
    fn is_out(&mut self, update: &[u8], origin: Origin, journal: bool, local: &mut Local) -> Option<bool> {
        let Seed::Shown(shown) = self.take() else { return None };
        local.device.forget_seed();
        if journal {
            local.device.keep_received(update);
        }
        local.device.busy_at = local.now;
        local.stage.update(origin, update.to_vec());
        self.withdrawn = Some(shown.update);
        local.show_instead(shown.shadow, origin);
        decided(shown.theirs, local);
        Some(true)
    }

    /// The document has other content: the seed's blocks in which somebody has written stay beside it, the others are
    /// removed. All of it becomes one update, so that nobody sees what is removed.
    fn keep_beside(&mut self, update: &[u8], origin: Origin, journal: bool, local: &mut Local) -> Option<bool> {
        self.remove_untouched(local);
        let changed = local.take_in(update, origin, journal);
        let Seed::Shown(shown) = self.take() else { return changed };
        match local.editing.doc.encode_state(Some(&shown.shadow.state_vector())) {
            Ok(own) => {
                local.device.outbox.replace_unsent(own.clone());
                local.stage.update(Origin::Local, own);
                local.device.rearrange();
            }
            Err(_) => {
                give(*shown, local);
                return changed;
            }
        }
        decided(shown.theirs, local);
        changed
    }

    /// A tab that has died had typed upon a seed which this one has withdrawn: the seed is given after all, but for the
    /// blocks in which nobody has written.
    pub fn keep_orphans_beside(&mut self, orphans: &[Pending], local: &mut Local) {
        let Some(seed) = &self.withdrawn else { return };
        let Some((value, ..)) = SlateDoc::seed_in(seed, &local.config.root) else { return };
        let mut updates = vec![&**seed];
        updates.extend(orphans.iter().map(|orphan| &*orphan.update));
        let mut doc = local.fresh.doc();
        doc.load_all(&updates);
        if doc.value() == value {
            return;
        }
        let ops = untouched(&value, doc.value(), local.config.block_id.as_deref());
        doc.apply_local(ops);
        let Ok(update) = doc.encode_state(None) else { return };
        self.withdrawn = None;
        if local.take_in(&update, Origin::Store, false).is_some() {
            local.submit(update, Origin::Store);
        }
    }

    /// Takes the seed's blocks out again, as long as they are what they were.
    fn remove_untouched(&self, local: &mut Local) {
        let Seed::Shown(shown) = &self.seed else { return };
        let ops = untouched(&shown.value, local.editing.doc.value(), local.config.block_id.as_deref());
        if !ops.is_empty() {
            local.editing.amend(ops, &mut local.stage);
        }
    }

    /// Removes a seed that the server's document has not taken, but for the blocks in which somebody has written.
    pub fn withdraw(&mut self, theirs: &SlateDoc, local: &mut Local) {
        if let Seed::Shown(shown) = &self.seed
            && theirs.clock_of(shown.client) == 0
        {
            self.remove_untouched(local);
        }
    }

    /// The server's step 1 comes before its content: it is answered when the content has decided about the seed.
    pub fn answer_later(&mut self, state_vector: &[u8]) {
        if let Seed::Shown(shown) = &mut self.seed {
            shown.theirs = Some(state_vector.to_vec());
        }
    }

    /// The server's document is empty. `decides`: the server says which client is first.
    pub fn offer(&mut self, decides: bool) -> Option<SeedOffer> {
        let Seed::Shown(shown) = &mut self.seed else { return None };
        match shown.asked {
            Asked::No if decides => {
                shown.asked = Asked::Yes;
                Some(SeedOffer::Ask(Message::Seed(&shown.update).to_frame()))
            }
            Asked::Yes => None,
            Asked::No | Asked::Answered => Some(SeedOffer::Submit),
        }
    }

    pub fn submit(&mut self, local: &mut Local) {
        match self.take() {
            Seed::Shown(shown) => give(*shown, local),
            Seed::None | Seed::Wanted(_) => {}
        }
    }

    /// The server has decided about the seed. Returns whether it was asked, and its content is to be asked for.
    pub fn answered(&mut self) -> bool {
        self.no_longer_asked(Asked::Answered)
    }

    /// Whether the server was asked to take the seed. From now on it counts as not asked.
    pub fn take_back(&mut self) -> bool {
        self.no_longer_asked(Asked::No)
    }

    /// Whether the server was asked to take the seed. If so, `now` is what holds from now on.
    fn no_longer_asked(&mut self, now: Asked) -> bool {
        match &mut self.seed {
            Seed::Shown(shown) if shown.asked == Asked::Yes => {
                shown.asked = now;
                true
            }
            _ => false,
        }
    }

    /// Another document takes the place of this one: it is given no content.
    pub fn forget(&mut self) {
        self.seed = Seed::None;
    }

    /// Seeds without a server: the same content gives the same update, wherever and however often it is made.
    pub fn seed_alone(&mut self, local: &mut Local) {
        let Some(value) = self.take_wanted(local) else { return };
        let update = SlateDoc::seed_update(&local.config.root, &value);
        let before = local.stage.updates.len();
        if self.apply(&update, Origin::Store, false, local) == Some(true) {
            local.stage.updates.truncate(before);
            local.submit(update, Origin::Store);
        }
    }

    /// The first content, if the document is to be given it now.
    fn take_wanted(&mut self, local: &Local) -> Option<Vec<Node>> {
        let editing = &local.editing;
        let without_content = editing.doc.is_empty() && editing.is_flushed() && !editing.incomplete;
        match self.take() {
            Seed::Wanted(value) if without_content && !value.is_empty() => Some(value),
            Seed::Wanted(_) | Seed::None => None,
            shown => {
                self.seed = shown;
                None
            }
        }
    }
}

/// The device keeps a seed until it is decided.
fn keep(update: &[u8], local: &mut Local) {
    let writes = local.device.outbox.aside(Vec::new(), update.to_vec(), KeptIn::Memory, SEED, "");
    local.device.journal.write_all(writes);
}

/// Submits the seed like an edit, before what stands upon it: nobody else has it, or not all of it.
fn give(shown: ShownSeed, local: &mut Local) {
    local.device.outbox.give_seed(shown.update.clone());
    local.stage.update(Origin::Store, shown.update);
    local.device.rearrange();
    decided(shown.theirs, local);
}

/// Goes on with what has waited for the decision.
fn decided(theirs: Option<Vec<u8>>, local: &mut Local) {
    if let Some(state_vector) = theirs {
        local.stage.effect(Effect::Answer(state_vector));
    }
    local.stage.effect(Effect::Pump);
    local.stage.effect(Effect::SettleFormat);
}

impl ShownSeed {
    /// None if the update is no seed: it holds nothing.
    fn new(update: Vec<u8>, shadow: SlateDoc, root: &str) -> Option<Self> {
        let (value, client, clock) = SlateDoc::seed_in(&update, root)?;
        Some(Self { update, value, client, clock, shadow, asked: Asked::No, theirs: None })
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

/// Operations that remove those blocks of `shown` which are still as the seed has them.
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
