//! One person: an editor, its document, and a replica that has the same updates and nothing else.

use std::collections::{HashMap, HashSet};

use slate_yrs::slate::{DocOptions, Node, Op, SlateDoc};
use slate_yrs::undo::Undo;

use crate::faults::{Fault, Kind};
use crate::model::{apply_all, canonical};
use crate::seen::{Seen, show};
use crate::shapes::{ID, schema};
use crate::sheet::Sheet;
use crate::transforms::Edits as _;

pub fn open(client: u32, ids: bool) -> SlateDoc {
    SlateDoc::new(DocOptions {
        client_id: client,
        root: "content".into(),
        block_id: ids.then(|| ID.to_owned()),
        seed: u64::from(client),
        schema: schema(),
    })
}

/// Who wrote and who removed what, over all rounds. A person after a reload is somebody else: they can take back nothing of
/// before.
#[derive(Default)]
pub struct Deeds {
    pub typed: HashMap<char, (usize, usize)>,
    pub removed: HashMap<char, HashSet<(usize, usize)>>,
    /// Who ever removed it.
    ever: HashMap<char, HashSet<(usize, usize)>>,
    pub round: u8,
    /// In which rounds somebody brought it back.
    back: HashMap<char, HashSet<u8>>,
    /// Who took something back in which round.
    took: HashSet<((usize, usize), u8)>,
}

impl Deeds {
    /// Removed by two: whether it comes back if one of them takes that back, is not said. Nor what becomes of something that one
    /// brought back while another took back what was at that moment removed.
    pub fn is_disputed(&self, letter: char, who: (usize, usize)) -> bool {
        let is_removed_by_two = self.ever.get(&letter).is_some_and(|who| who.len() > 1);
        let back = self.back.get(&letter);
        is_removed_by_two || back.is_some_and(|rounds| rounds.iter().any(|round| self.took.contains(&(who, *round))))
    }

    /// Whether anybody took something back, or did it again, in this round.
    pub fn took_back(&self, round: u8) -> bool {
        self.took.iter().any(|(_, took)| *took == round)
    }

    fn note(&mut self, who: (usize, usize), before: &Seen, after: &Seen) {
        for letter in after.letters.keys().filter(|letter| !before.has(**letter)) {
            match self.removed.get_mut(letter) {
                Some(removers) => {
                    removers.remove(&who);
                    self.back.entry(*letter).or_default().insert(self.round);
                }
                None => drop(self.typed.insert(*letter, who)),
            }
        }
        for letter in before.letters.keys().filter(|letter| !after.has(**letter)) {
            self.removed.entry(*letter).or_default().insert(who);
            self.ever.entry(*letter).or_default().insert(who);
        }
    }
}

pub struct Person {
    /// Which one.
    pub index: usize,
    /// How often the page was loaded again.
    pub sitting: usize,
    client: u32,
    ids: bool,
    pub doc: SlateDoc,
    /// Fed by the updates alone.
    twin: SlateDoc,
    pub value: Vec<Node>,
    pub undo: Undo,
    now: u64,
    /// What was made and not told yet.
    pub out: Vec<Vec<u8>>,
    pub gone: bool,
    /// What was done while the document was of format 0.
    early: Vec<Vec<Op>>,
    pub faults: Vec<Fault>,
}

impl Person {
    pub fn new(index: usize, client: u32, ids: bool, state: &[u8]) -> Self {
        let (doc, twin) = (open(client, ids), open(1, ids));
        let undo = Undo::new(0);
        let (value, out, early, faults) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (sitting, now, gone) = (0, 0, false);
        let mut it = Self { index, sitting, client, ids, doc, twin, value, undo, now, out, gone, early, faults };
        it.hear(state);
        it
    }

    pub fn who(&self) -> (usize, usize) {
        (self.index, self.sitting)
    }

    pub fn name(&self) -> char {
        char::from(b'a' + self.index as u8)
    }

    fn say(&mut self, kind: Kind, what: impl Into<String>) {
        let what = format!("{}: {}", self.name(), what.into());
        self.faults.push(Fault::new(kind, what));
    }

    fn told(&mut self, update: Option<Vec<u8>>) {
        let Some(update) = update else { return };
        if let Err(error) = self.twin.apply_update(&update) {
            self.say(Kind::Threw, format!("the replica refuses an update: {error}"));
        }
        self.out.push(update);
    }

    /// What somebody has done is written.
    pub fn flush(&mut self, sheet: Sheet, what: &str, deeds: &mut Deeds) {
        let before = Seen::new(&self.value);
        self.value = sheet.value;
        if !self.doc.is_by_reference() {
            self.early.push(sheet.ops.clone());
        }
        let change = self.doc.apply_local(sheet.ops);
        if let Some((op, error)) = change.rejected.first() {
            self.say(Kind::Threw, format!("{error} of {op:?}"));
        }
        apply_all(&mut self.value, &change.ops);
        self.now += 1_000;
        self.undo.record_acts(self.now, change.acts, change.passage, None);
        self.told(change.update);
        self.compare(what);
        deeds.note(self.who(), &before, &Seen::new(&self.value));
    }

    /// Takes back, or does again. Whether it said that it did.
    pub fn take_back(&mut self, redo: bool, deeds: &mut Deeds) -> bool {
        let before = Seen::new(&self.value);
        let result = if redo { self.undo.redo(&mut self.doc, None) } else { self.undo.undo(&mut self.doc, None) };
        let Some(result) = result else { return false };
        deeds.took.insert((self.who(), deeds.round));
        apply_all(&mut self.value, &result.ops);
        let updates = result.passed.into_iter().chain(result.change.update);
        updates.for_each(|update| self.told(Some(update)));
        let what = if redo { "redo" } else { "undo" };
        self.compare(what);
        if canonical(&self.value) == before.value {
            if result.changed {
                self.say(Kind::Undo, format!("{what} says that it did something"));
            }
        } else if !result.changed {
            self.say(Kind::Undo, format!("{what} says that it did nothing"));
        }
        self.normalize(what);
        deeds.note(self.who(), &before, &Seen::new(&self.value));
        result.changed
    }

    /// Applies an update of others.
    pub fn hear(&mut self, update: &[u8]) {
        let change = match self.doc.apply_update(update) {
            Ok(change) => change,
            Err(error) => return self.say(Kind::Threw, format!("an update is refused: {error}")),
        };
        if let Err(error) = self.twin.apply_update(update) {
            self.say(Kind::Threw, format!("the replica refuses what was heard: {error}"));
        }
        apply_all(&mut self.value, &change.ops);
    }

    /// What Slate's normalizer changes of what came must not change the document.
    pub fn normalize(&mut self, what: &str) {
        let mut sheet = Sheet::new(&self.value);
        sheet.normalize();
        if sheet.ops.is_empty() {
            return;
        }
        let before = show(&self.value);
        let change = self.doc.apply_local(sheet.ops);
        self.value = sheet.value;
        apply_all(&mut self.value, &change.ops);
        if change.update.is_some() {
            self.say(Kind::Shape, format!("the normalizer changes, after {what}, {before}"));
        }
        self.told(change.update);
    }

    /// Whether editor, engine and the replica that has the updates alone show the same.
    pub fn compare(&mut self, what: &str) {
        if self.doc.value() != self.value {
            self.say(Kind::Flush, format!("after {what} the engine has {}", show(&self.doc.value())));
        }
        // Before format 1 a replica may mend what it hears.
        if !self.doc.is_by_reference() {
            return;
        }
        let value = canonical(&self.value);
        let read = canonical(&self.twin.read());
        if read != value {
            self.say(Kind::Flush, format!("after {what} a replica shows {} and not {}", show(&read), show(&value)));
        }
        let led = canonical(&self.twin.value());
        if led != read {
            self.say(Kind::Flush, format!("after {what} a replica was led to {} and not {}", show(&led), show(&read)));
        }
    }

    /// After an exchange.
    pub fn settle(&mut self) {
        if self.doc.is_waiting() {
            self.say(Kind::Threw, "something is waited for");
        }
        self.compare("an exchange");
        self.normalize("an exchange");
        if self.doc.look().divergences > 0 {
            self.say(Kind::Flush, "the self-check finds a difference");
        }
    }

    /// The page is loaded again: another client.
    pub fn reload(&mut self, client: u32) {
        let state = self.doc.encode_state(None).unwrap_or_default();
        let mut doc = open(client, self.ids);
        if let Err(error) = doc.load(&state) {
            return self.say(Kind::Threw, format!("its own state is refused: {error}"));
        }
        if canonical(&doc.value()) != canonical(&self.value) {
            self.say(Kind::Flush, format!("loaded again it shows {}", show(&doc.value())));
        }
        self.value = doc.value();
        (self.doc, self.client) = (doc, client);
        (self.undo, self.sitting) = (Undo::new(0), self.sitting + 1);
        self.normalize("a reload");
    }

    pub fn change_client(&mut self, client: u32) {
        let doc = std::mem::replace(&mut self.doc, open(client, self.ids));
        (self.doc, self.client) = (doc.with_client_id(client), client);
        self.compare("a new client id");
    }

    /// Was offline and edited in format 0 while others raised the document: the same is done, in format 1, to what the device had
    /// before.
    pub fn rewrite(&mut self, base: &[u8], client: u32) {
        let mut again = Self::new(self.index, client, self.ids, base);
        for update in again.doc.raise_format(1) {
            again.told(Some(update));
        }
        again.value = again.doc.value();
        again.normalize("the format was raised");
        for ops in std::mem::take(&mut self.early) {
            apply_all(&mut again.value, &ops);
            let change = again.doc.apply_local(ops);
            apply_all(&mut again.value, &change.ops);
            again.told(change.update);
        }
        if canonical(&again.value) != canonical(&self.value) {
            again.say(Kind::Flush, format!("written again it is {}", show(&again.value)));
        }
        again.sitting = self.sitting + 1;
        again.faults.append(&mut self.faults);
        *self = again;
        self.compare("the difference was written");
    }
}
