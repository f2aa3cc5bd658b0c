//! One run: a document, people, rounds in which nobody hears of the others, an exchange after each, and undo in the end.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use slate_yrs::slate::{Node, SlateDoc};
use slate_yrs::update::merge;
use yrs::Any;

use crate::acts::{self, Act, ERASER, FORMATTER, PLAIN};
use crate::checks::{Alone, Judge, Meanwhile, meet};
use crate::exchange::{Relay, deliver, interleave};
use crate::faults::{Fault, Kind};
use crate::here::pick;
use crate::lives::Life;
use crate::model::{apply_all, canonical};
use crate::person::{Deeds, Person, open};
use crate::plan::{CALM, Plan, ROUNDS, Step};
use crate::seen::{Seen, show};
use crate::shapes::{Fresh, by_hand};
use crate::sheet::Sheet;
use crate::transforms::Edits as _;

/// The length of the big value.
const BIG: usize = 40_000;
const DATA: &str = "data";
const WRITER: u32 = 2;
const LOWEST: u32 = 1_000;
const LATER: u32 = 2_000;
const UNDOS: usize = 60;

pub struct Ran {
    /// Whether two were at one element, or at neighbours, in any round.
    pub met: bool,
    pub flushes: usize,
    pub faults: Vec<Fault>,
    /// What was done, for people.
    pub log: Vec<String>,
    /// The steps that were taken.
    pub steps: Vec<Step>,
    /// What was known to all in the end, as one update.
    pub state: Vec<u8>,
}

pub fn run(plan: &Plan) -> Ran {
    let mut run = Run::new(plan);
    let played = catch_unwind(AssertUnwindSafe(|| run.whole()));
    match played {
        Ok(Ok(())) => {}
        Ok(Err(error)) => run.say(Kind::Threw, error),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
            run.say(Kind::Threw, format!("panicked: {}", said.unwrap_or_default()));
        }
    }
    run.ran.state = merge(&run.log).unwrap_or_default();
    run.ran
}

struct Run<'a> {
    plan: &'a Plan,
    fresh: Fresh,
    people: Vec<Person>,
    relay: Option<Relay>,
    /// What is known to all, from the start on.
    log: Vec<Vec<u8>>,
    deeds: Deeds,
    /// The next client id that nobody had.
    next_client: u32,
    ran: Ran,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan) -> Self {
        let ran =
            Ran { met: false, flushes: 0, faults: Vec::new(), log: Vec::new(), steps: Vec::new(), state: Vec::new() };
        let (people, log, deeds) = (Vec::new(), Vec::new(), Deeds::default());
        Self { plan, fresh: Fresh::default(), people, relay: None, log, deeds, next_client: LATER, ran }
    }

    fn say(&mut self, kind: Kind, what: impl Into<String>) {
        self.ran.faults.push(Fault::new(kind, what));
    }

    fn is_sound(&self) -> bool {
        self.ran.faults.is_empty()
    }

    /// Another one than everybody's so far: above or below.
    fn client(&mut self) -> u32 {
        self.next_client = if self.plan.reversed { self.next_client - 1 } else { self.next_client + 1 };
        self.next_client
    }

    fn whole(&mut self) -> Result<(), String> {
        self.begin()?;
        for round in 0..ROUNDS {
            if self.is_sound() {
                self.round(round)?;
            }
        }
        if self.is_sound() && self.plan.undo {
            self.undo()?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), String> {
        let plan = self.plan;
        let value = plan.shape.draw(&mut self.fresh, &mut plan.rng(2, (0, 0, 0)));
        let state = self.write(&value)?;
        let count = plan.life.people();
        for index in 0..count {
            let at = if plan.reversed { count - 1 - index } else { index };
            let mut person = Person::new(index, LOWEST + at as u32, plan.ids, &state);
            person.normalize("it was opened");
            self.people.push(person);
        }
        self.collect();
        let start = show(&self.people[0].value);
        if start != show(&value) {
            self.say(Kind::Threw, format!("opened as {start}, not as {}", show(&value)));
        }
        self.ran.log.push(format!("start: {start}"));
        if plan.life == Life::Relay {
            self.relay = Some(Relay::new(&state)?);
        }
        self.log.push(state);
        Ok(())
    }

    /// The first document.
    fn write(&mut self, value: &[Node]) -> Result<Vec<u8>, String> {
        let (first, divisions) = if self.plan.by_hand { by_hand(value) } else { (value.to_vec(), Vec::new()) };
        let seed = SlateDoc::seed_update("content", &first);
        let mut doc = open(WRITER, false);
        doc.load(&seed).map_err(|error| error.to_string())?;
        if self.plan.life != Life::Upgrade {
            doc.raise_format(1);
        }
        let mut shown = first;
        for division in divisions {
            apply_all(&mut shown, &division);
            let change = doc.apply_local(division);
            if let Some((op, error)) = change.rejected.first() {
                return Err(format!("{error} of {op:?}"));
            }
        }
        if canonical(&doc.read()) != canonical(value) {
            return Err(format!("written as {}", show(&doc.read())));
        }
        doc.encode_state(None).map_err(|error| error.to_string())
    }

    /// What people have found wrong.
    fn collect(&mut self) {
        let found: Vec<Fault> = self.people.iter_mut().flat_map(|person| person.faults.drain(..)).collect();
        self.ran.faults.extend(found);
    }

    fn here(&self) -> Vec<usize> {
        (0..self.people.len()).filter(|index| !self.people[*index].gone).collect()
    }

    fn round(&mut self, round: u8) -> Result<(), String> {
        let plan = self.plan;
        self.deeds.round = round;
        let upgrades = plan.life == Life::Upgrade && round == 0;
        if upgrades {
            self.raise();
        }
        let here = self.here();
        let first = if upgrades { 1 } else { here[0] };
        let start = Seen::new(&self.people[first].value);
        let mut rng = plan.rng(3, (round, 0, 0));
        let hot = pick(&mut rng, &start.blocks).cloned().unwrap_or_default();
        let mut alone = Vec::new();
        for index in here {
            let mut steps = Vec::new();
            for flush in 0..plan.flushes(round, index as u8) {
                self.step((round, index as u8, flush), &hot, &mut steps);
                steps.push(Seen::new(&self.people[index].value));
                self.turn_of_life((round, index as u8, flush));
            }
            if upgrades && index == 0 {
                let (base, client) = (self.log[0].clone(), self.client());
                self.people[0].rewrite(&base, client);
                self.ran.log.push(format!("a, written again: {}", show(&self.people[0].value)));
            }
            alone.push(Alone { steps, end: Seen::new(&self.people[index].value) });
        }
        self.collect();
        self.ran.met |= meet(&start, &alone);
        let leaves = plan.life.is_left() && round == plan.rng(4, (0, 0, 0)).u8(..2);
        self.exchange(round, leaves)?;
        if !self.is_sound() {
            return Ok(());
        }
        let merged = Seen::new(&self.people[self.here()[0]].value);
        let dead: HashSet<char> =
            self.deeds.removed.iter().filter(|(_, who)| !who.is_empty()).map(|(c, _)| *c).collect();
        let meanwhile = Meanwhile { dead: &dead, ids: plan.ids, took_back: self.deeds.took_back(round) };
        self.ran.faults.extend(Judge::new(&start, &alone, &merged, &meanwhile).faults());
        self.big(&merged);
        if self.is_sound() {
            self.calm(round)?;
        }
        Ok(())
    }

    /// All but the first hear of it.
    fn raise(&mut self) {
        let updates = self.people[1].doc.raise_format(1);
        for update in &updates {
            self.people[2].hear(update);
        }
        let value = self.people[1].doc.value();
        let ops = SlateDoc::diff(&self.people[1].value, &value);
        apply_all(&mut self.people[1].value, &ops);
        // The replica of the one who raised it hears as well.
        let (index, client) = (1, self.people[1].doc.client_id());
        let state = merge(self.log.iter().chain(&updates)).unwrap_or_default();
        let mut person = Person::new(index, client, self.plan.ids, &state);
        std::mem::swap(&mut person.doc, &mut self.people[1].doc);
        person.value = value;
        person.out = updates;
        self.people[1] = person;
        for index in [1, 2] {
            self.people[index].normalize("the format was raised");
        }
    }

    /// One flush: an act, or several. `seen`: what the editor has in between.
    fn step(&mut self, step: Step, hot: &[char], seen: &mut Vec<Seen>) {
        let (round, index, flush) = step;
        let person = usize::from(index);
        let plan = self.plan;
        if plan.without.contains(&step) {
            return;
        }
        let mut rng = plan.rng(5, step);
        let leaver = plan.life.is_left() && person == plan.life.people() - 1;
        let bag = match plan.life {
            Life::EraserGone if leaver => Some(ERASER),
            Life::FormatterGone if leaver => Some(FORMATTER),
            Life::Upgrade if person == 0 && round == 0 => Some(PLAIN),
            _ => None,
        };
        let draw = |rng: &mut fastrand::Rng| acts::draw(bag.unwrap_or(plan.mix.bag()), rng);
        let is_big = plan.life == Life::BigValue && (round, index, flush) == (0, 0, 0);
        let count = if rng.u8(..4) == 0 { 2 + rng.u8(..2) } else { 1 };
        let mut sheet = Sheet::new(&self.people[person].value);
        let mut did: Vec<String> = Vec::new();
        if is_big {
            let at = rng.usize(..sheet.value.len());
            sheet.set(&[at], DATA, Any::from("x".repeat(BIG)));
            did.push("BigValue".into());
        }
        for _ in 0..if is_big { 0 } else { count } {
            for _ in 0..20 {
                let act = draw(&mut rng);
                if matches!(act, Act::Undo | Act::Redo) {
                    if did.is_empty() && self.people[person].take_back(act == Act::Redo, &mut self.deeds) {
                        self.note(step, &format!("{act:?}"));
                        return;
                    }
                    continue;
                }
                let kept = (sheet.value.clone(), sheet.ops.len());
                if acts::act(act, &mut sheet, &mut rng, &mut self.fresh, hot).is_some() {
                    did.push(format!("{act:?}"));
                    seen.push(Seen::new(&sheet.value));
                    break;
                }
                sheet.value = kept.0;
                sheet.ops.truncate(kept.1);
            }
        }
        let did = did.join("+");
        self.people[person].flush(sheet, &did, &mut self.deeds);
        self.note(step, &did);
    }

    fn note(&mut self, step: Step, did: &str) {
        self.ran.flushes += 1;
        self.ran.steps.push(step);
        let person = &self.people[usize::from(step.1)];
        self.ran.log.push(format!("{} {did} {step:?}: {}", person.name(), show(&person.value)));
    }

    /// What happens to somebody's device between two flushes.
    fn turn_of_life(&mut self, step: Step) {
        let mut rng = self.plan.rng(6, step);
        let index = usize::from(step.1);
        match self.plan.life {
            Life::Reload if rng.bool() => {
                let client = self.client();
                self.people[index].reload(client);
                self.ran.log.push(format!("{} reloads", self.people[index].name()));
            }
            Life::NewClient if rng.u8(..3) == 0 => {
                let client = self.client();
                self.people[index].change_client(client);
                self.ran.log.push(format!("{} has another client id", self.people[index].name()));
            }
            _ => {}
        }
    }

    /// Everybody hears of everything. `leaves`: the last of the people tells, and hears nothing any more.
    fn exchange(&mut self, round: u8, leaves: bool) -> Result<(), String> {
        let plan = self.plan;
        let mut rng = plan.rng(7, (round, 0, 0));
        let mut out = Vec::new();
        for person in &mut self.people {
            let mut made = std::mem::take(&mut person.out);
            let merges = plan.life == Life::Merged || plan.life == Life::Reload && rng.bool();
            if merges && made.len() > 1 {
                made = vec![merge(&made).map_err(|error| error.to_string())?];
            }
            out.push((person.index, made));
        }
        let mut told = interleave(&mut rng, out);
        if let Some(relay) = &self.relay {
            told = relay.pass_on(told)?;
        }
        if leaves && let Some(last) = self.people.last_mut() {
            last.gone = true;
            self.ran.log.push("the last one leaves for good".into());
        }
        for index in self.here() {
            let theirs = told.iter().filter(|(from, _)| *from != index).map(|(_, update)| update.clone()).collect();
            for update in deliver(&mut rng, plan.delivery, theirs)? {
                self.people[index].hear(&update);
            }
            self.people[index].settle();
        }
        self.log.extend(told.into_iter().map(|(_, update)| update));
        self.collect();
        let shown = self.people[self.here()[0]].value.clone();
        self.ran.log.push(format!("all: {}", show(&shown)));
        self.agree(&shown, Kind::Differ, &mut rng)
    }

    /// Everybody has this value, and so has somebody new.
    fn agree(&mut self, value: &[Node], kind: Kind, rng: &mut fastrand::Rng) -> Result<(), String> {
        let wanted = canonical(value);
        for index in self.here() {
            if canonical(&self.people[index].value) != wanted {
                let what = format!("{} has {}", self.people[index].name(), show(&self.people[index].value));
                self.say(kind, what);
            }
        }
        let mut all = self.log.clone();
        let mut fresh = open(3, self.plan.ids);
        if rng.bool() {
            all = vec![merge(&all).map_err(|error| error.to_string())?];
        }
        rng.shuffle(&mut all);
        for update in &all {
            fresh.load(update).map_err(|error| error.to_string())?;
        }
        if canonical(&fresh.read()) != wanted {
            self.say(kind, format!("somebody new has {}", show(&fresh.read())));
        }
        Ok(())
    }

    /// The big value is whole where it is.
    fn big(&mut self, merged: &Seen) {
        fn lengths(nodes: &[Node], out: &mut Vec<usize>) {
            for node in nodes {
                if let Node::Element(element) = node {
                    if let Some(Any::String(data)) = element.attrs.get(DATA) {
                        out.push(data.len());
                    }
                    lengths(&element.children, out);
                }
            }
        }
        let mut found = Vec::new();
        lengths(&merged.value, &mut found);
        for length in found.into_iter().filter(|length| *length != BIG) {
            self.say(Kind::Kind, format!("{length} of the big value's {BIG} letters"));
        }
    }

    /// After a merge, what one does changes what they do, and nothing wakes up.
    fn calm(&mut self, round: u8) -> Result<(), String> {
        let step = (round, CALM, 0);
        if self.plan.without.contains(&step) {
            return Ok(());
        }
        let mut rng = self.plan.rng(8, step);
        let index = *pick(&mut rng, &self.here()).unwrap_or(&0);
        let step = (round, index as u8, CALM);
        self.step(step, &[], &mut Vec::new());
        if let Some(last) = self.ran.steps.last_mut().filter(|last| **last == step) {
            *last = (round, CALM, 0);
        }
        let value = self.people[index].value.clone();
        self.collect();
        if self.is_sound() {
            self.tell(index, &value, &mut rng)?;
        }
        Ok(())
    }

    /// What one has done alone changes for the others what that one sees.
    fn tell(&mut self, index: usize, value: &[Node], rng: &mut fastrand::Rng) -> Result<(), String> {
        let made = std::mem::take(&mut self.people[index].out);
        let mut told: Vec<_> = made.into_iter().map(|update| (index, update)).collect();
        if let Some(relay) = &self.relay {
            told = relay.pass_on(told)?;
        }
        for other in self.here().into_iter().filter(|other| *other != index) {
            for (_, update) in &told {
                self.people[other].hear(update);
            }
            self.people[other].settle();
        }
        self.log.extend(told.into_iter().map(|(_, update)| update));
        self.collect();
        self.agree(value, Kind::Calm, rng)
    }

    /// One takes back everything: what the others did stays. Then it is done again.
    fn undo(&mut self) -> Result<(), String> {
        let mut rng = self.plan.rng(9, (0, 0, 0));
        let index = *pick(&mut rng, &self.here()).unwrap_or(&0);
        let before = Seen::new(&self.people[index].value);
        let who = self.people[index].who();
        self.deeds.round = ROUNDS;
        let (typed, removed) = (self.deeds.typed.clone(), self.deeds.removed.clone());
        let times = self.all_back(index, false, UNDOS);
        let value = self.people[index].value.clone();
        self.tell(index, &value, &mut rng)?;
        let now = Seen::new(&value);
        for letter in &now.doubled {
            self.say(Kind::Undo, format!("{letter} is there twice"));
        }
        let letters: HashSet<char> =
            now.text.iter().chain(typed.keys()).chain(removed.keys()).chain(&before.text).copied().collect();
        let nobody = HashSet::new();
        for letter in letters {
            let removers = removed.get(&letter).unwrap_or(&nobody);
            if self.deeds.is_disputed(letter, who) {
                continue;
            }
            let wanted = typed.get(&letter) != Some(&who) && removers.iter().all(|remover| *remover == who);
            if now.has(letter) != wanted {
                self.say(Kind::Undo, format!("{letter} is {}", if wanted { "lost" } else { "there" }));
            }
        }
        if !self.is_sound() {
            return Ok(());
        }
        self.all_back(index, true, times);
        let value = self.people[index].value.clone();
        self.tell(index, &value, &mut rng)?;
        let again = Seen::new(&value);
        let (mut one, mut two) = (before.text.clone(), again.text.clone());
        one.sort_unstable();
        two.sort_unstable();
        if one != two {
            self.say(Kind::Undo, format!("done again it is {}", show(&value)));
        }
        Ok(())
    }

    /// How often something was taken back, or done again.
    fn all_back(&mut self, index: usize, redo: bool, most: usize) -> usize {
        let mut times = 0;
        while times < most && self.people[index].take_back(redo, &mut self.deeds) {
            times += 1;
            let (name, shown) = (self.people[index].name(), show(&self.people[index].value));
            self.ran.log.push(format!("{name} {}: {shown}", if redo { "redo" } else { "undo" }));
        }
        self.collect();
        if times == UNDOS {
            self.say(Kind::Undo, format!("said {UNDOS} times that it did something"));
        }
        times
    }
}
