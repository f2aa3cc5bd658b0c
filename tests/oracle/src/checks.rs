//! What must hold when people who had not heard of each other have exchanged what they did: judged by what each had alone.
//!
//! `start` is what all had, `people` what each made of it, `merged` what came of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::faults::{Fault, Kind};
use crate::seen::{Part, Seen};

/// What one person made of the start.
pub struct Alone {
    /// After each flush.
    pub steps: Vec<Seen>,
    pub end: Seen,
}

/// What more is known of a round.
pub struct Meanwhile<'a> {
    /// Letters that were removed in earlier rounds.
    pub dead: &'a HashSet<char>,
    /// Whether blocks have ids that are never alike.
    pub ids: bool,
    /// Whether somebody took something back, or did it again.
    pub took_back: bool,
}

pub struct Judge<'a> {
    start: &'a Seen,
    people: &'a [Alone],
    merged: &'a Seen,
    /// Letters that were removed in earlier rounds.
    dead: &'a HashSet<char>,
    /// Letters that somebody removed and brought back: they are written anew, so that what others did to the old ones, or
    /// beside them, does not concern them. Nothing is said of them but that they are not lost or doubled.
    anew: HashSet<char>,
    /// Whether blocks have ids that are never alike.
    ids: bool,
    /// Whether somebody took something back, or did it again, meanwhile.
    took_back: bool,
    faults: Vec<Fault>,
}

impl<'a> Judge<'a> {
    pub fn new(start: &'a Seen, people: &'a [Alone], merged: &'a Seen, deeds: &Meanwhile<'a>) -> Self {
        let &Meanwhile { dead, ids, took_back } = deeds;
        let is_anew = |letter: &char| {
            people.iter().any(|one| one.end.has(*letter) && one.steps.iter().any(|step| !step.has(*letter)))
        };
        let anew = start.text.iter().copied().filter(is_anew).collect();
        Self { start, people, merged, dead, anew, ids, took_back, faults: Vec::new() }
    }

    pub fn faults(mut self) -> Vec<Fault> {
        self.letters();
        self.voids();
        self.order();
        self.place();
        self.divisions();
        self.each();
        self.shape();
        self.faults
    }

    fn say(&mut self, kind: Kind, what: String) {
        self.faults.push(Fault::new(kind, what));
    }

    fn alone(&self) -> impl Iterator<Item = &'a Seen> + use<'a> {
        self.people.iter().map(|one| &one.end)
    }

    fn views(&self) -> Vec<&'a Seen> {
        std::iter::once(self.start).chain(self.alone()).collect()
    }

    /// Whether somebody who had it in the beginning has it no more.
    fn removed(&self, letter: char) -> bool {
        self.start.has(letter) && self.alone().any(|view| !view.has(letter))
    }

    fn letters(&mut self) {
        for letter in &self.merged.doubled {
            self.say(Kind::Doubled, letter.to_string());
        }
        let all: BTreeSet<char> = self.views().iter().flat_map(|view| view.letters.keys().copied()).collect();
        for letter in &all {
            let removed = self.removed(*letter);
            match self.merged.has(*letter) {
                true if removed && !self.anew.contains(letter) => self.say(Kind::Back, letter.to_string()),
                false if !removed => self.say(Kind::Lost, letter.to_string()),
                _ => {}
            }
        }
        for letter in &self.merged.text {
            if !all.contains(letter) {
                let what = if self.dead.contains(letter) { Kind::Back } else { Kind::Doubled };
                self.say(what, format!("{letter}, which nobody had"));
            }
        }
        let (merged, ids) = (self.merged, self.ids);
        for (id, count) in merged.ids.iter().filter(|(_, count)| ids && **count > 1) {
            self.say(Kind::Doubled, format!("{count} blocks with the id {id}"));
        }
    }

    fn voids(&mut self) {
        let all: BTreeSet<&String> = self.views().iter().flat_map(|view| view.voids.keys()).collect();
        for id in all {
            let removed = self.start.voids.contains_key(id) && self.alone().any(|view| !view.voids.contains_key(id));
            let count = self.merged.voids.get(id).map_or(0, Vec::len);
            // As of letters: of one that somebody removed and brought back nothing is said but that it is there once at most.
            let has = |view: &Seen| view.voids.contains_key(id);
            let is_anew = self.people.iter().any(|one| has(&one.end) && one.steps.iter().any(|step| !has(step)));
            if is_anew && removed && count <= 1 {
                continue;
            }
            if count != usize::from(!removed) {
                let though = if removed { ", though removed" } else { "" };
                self.say(Kind::Kind, format!("the void {id} is there {count} times{though}"));
            }
        }
    }

    /// The letters of one element keep their order, unless somebody gave them another.
    fn order(&mut self) {
        let views = self.views();
        for view in &views {
            for block in &view.blocks {
                let is_said = |(index, letter): &(usize, char)| {
                    !self.anew.contains(letter) && !self.is_typed_at_another(view, block, *index)
                };
                let letters = block.iter().copied().enumerate().filter(is_said);
                let block: Vec<char> = letters.map(|(_, letter)| letter).collect();
                let mut all = views.iter().copied().chain(self.steps_of_others(view));
                let settled = all.all(|other| other.in_order(&block) && is_whole(other, &block));
                if settled && !self.merged.in_order(&block) && self.is_undisputed(view, &block) {
                    self.say(Kind::Order, block.iter().collect());
                }
            }
        }
    }

    /// What was joined here, nobody else has joined to something else, nor moved: only one of both can be.
    fn is_undisputed(&self, view: &Seen, block: &[char]) -> bool {
        let first = block.first().and_then(|letter| self.origin(*letter));
        let is_joined = |letter: &&char| self.origin(**letter).is_some_and(|origin| Some(origin) != first);
        !block.iter().filter(is_joined).any(|letter| self.is_taken_away(view, block, *letter))
            && !self.is_drawn_apart(block)
            && !self.is_moved_in_parts(block)
    }

    /// Whether one has moved a part of it past others, and somebody else the rest as well: each part goes with who moved it.
    fn is_moved_in_parts(&self, block: &[char]) -> bool {
        let outside: Vec<char> = self.start.text.iter().copied().filter(|letter| !block.contains(letter)).collect();
        let moved = |one: &Alone| -> Vec<char> {
            let is_past = |letter: &char| {
                one.steps.iter().any(|step| outside.iter().any(|other| self.is_crossed(step, *letter, *other)))
            };
            block.iter().copied().filter(is_past).collect()
        };
        let moved: Vec<Vec<char>> = self.people.iter().map(moved).collect();
        let is_part = |at: usize| !moved[at].is_empty() && moved[at].len() < block.len();
        let is_rest =
            |at: usize, other: usize| at != other && moved[other].iter().any(|letter| !moved[at].contains(letter));
        (0..moved.len()).any(|at| is_part(at) && (0..moved.len()).any(|other| is_rest(at, other)))
    }

    /// Whether two letters of the start come in the other order here.
    fn is_crossed(&self, step: &Seen, one: char, other: char) -> bool {
        let order = |view: &Seen| Some(view.letters.get(&one)?.at < view.letters.get(&other)?.at);
        matches!((order(self.start), order(step)), (Some(was), Some(is)) if was != is)
    }

    /// Whether what was typed here stood beside another letter than it does now, and somebody else has put that letter elsewhere:
    /// what is typed goes with it. It is one that was removed, or of another line, if the line in which it was typed had none.
    fn is_typed_at_another(&self, view: &Seen, block: &[char], index: usize) -> bool {
        let letter = block[index];
        let author = self.people.iter().find(|one| std::ptr::eq(&raw const one.end, view));
        let typed = author.and_then(|author| author.steps.iter().find(|step| step.has(letter)));
        let (false, Some(typed)) = (self.start.has(letter), typed) else { return false };
        let is_old = |other: &&char| self.start.has(**other);
        let beside = |text: &[char]| -> Vec<char> {
            let Some(at) = text.iter().position(|other| *other == letter) else { return Vec::new() };
            let before = text[..at].iter().rev().find(is_old);
            before.into_iter().chain(text[at + 1..].iter().find(is_old)).copied().collect()
        };
        let within = beside(&typed.blocks[typed.letters[&letter].block]);
        let was: Vec<char> = match within.is_empty() {
            true => beside(&typed.text),
            false => within.into_iter().filter(|other| !self.is_fixed(*other)).collect(),
        };
        let is: Vec<char> = beside(block);
        let is_put_elsewhere = |step: &Seen| {
            was.iter().any(|one| {
                is.iter().any(|other| {
                    one != other
                        && (self.is_crossed(step, *one, *other)
                            || is_apart(step, [*one, *other]) && !is_apart(self.start, [*one, *other]))
                })
            })
        };
        self.steps_of_others(view).any(is_put_elsewhere)
    }

    /// Whether somebody else has put this letter before or behind others than these, into another container, or behind others
    /// in its block.
    fn is_taken_away(&self, view: &Seen, block: &[char], letter: char) -> bool {
        let own: HashSet<Option<usize>> = block.iter().map(|letter| self.origin(*letter)).collect();
        let is_other = |letter: &&char| self.start.has(**letter) && !own.contains(&self.origin(**letter));
        let Some(was) = self.start.letters.get(&letter) else { return false };
        self.steps_of_others(view).any(|step| {
            let Some(is) = step.letters.get(&letter) else { return false };
            let is_crossed = |other: &char| {
                let is_other = step.letters.get(other);
                is_other.is_some_and(|is_other| (was.at < self.start.letters[other].at) != (is.at < is_other.at))
            };
            let mut before = step.blocks[is.block].iter().take_while(|other| **other != letter);
            was.within != is.within
                || before.any(|other| is_other(&other))
                || self.start.text.iter().filter(is_other).any(is_crossed)
        })
    }

    fn steps_of_others(&self, view: &Seen) -> impl Iterator<Item = &'a Seen> + use<'a> {
        let view = std::ptr::from_ref(view);
        self.people.iter().filter(move |one| !std::ptr::eq(&raw const one.end, view)).flat_map(|one| &one.steps)
    }

    /// In which block it was in the beginning; nowhere: it is new.
    fn origin(&self, letter: char) -> Option<usize> {
        self.start.letters.get(&letter).map(|letter| letter.block)
    }

    /// Whether somebody joined a part of it to something that another moved, beside the rest: the part goes along, the rest does
    /// not.
    fn is_drawn_apart(&self, block: &[char]) -> bool {
        let views = self.views();
        let are_apart = |one: char, two: char| views.iter().any(|view| is_apart(view, [one, two]));
        views.iter().any(|joined| {
            block.iter().any(|part| {
                let Some(there) = joined.letters.get(part) else { return false };
                let mut others = joined.blocks[there.block].iter().filter(|letter| !block.contains(letter));
                others.any(|other| block.iter().any(|rest| are_apart(*part, *rest) && self.are_crossed(*other, *rest)))
            })
        })
    }

    /// Whether a letter is for somebody on the other side of another one, or in another container than in the beginning.
    fn are_crossed(&self, one: char, beside: char) -> bool {
        let views = self.views();
        let sides = views.iter().filter_map(|view| Some(view.letters.get(&one)?.at < view.letters.get(&beside)?.at));
        let within = views.iter().filter_map(|view| view.letters.get(&one)).map(|letter| &letter.within);
        is_mixed(sides) || is_mixed(within)
    }

    /// What was typed stands beside what it was typed beside, but for what others typed there.
    fn place(&mut self) {
        let mut rank: HashMap<char, usize> = HashMap::new();
        let mut behind: HashMap<char, usize> = HashMap::new();
        for letter in &self.merged.text {
            behind.insert(*letter, rank.len());
            if self.is_fixed(*letter) {
                rank.insert(*letter, rank.len());
            }
        }
        let (start, merged) = (self.start, self.merged);
        for view in self.alone() {
            for block in &view.blocks {
                for (index, letter) in block.iter().enumerate() {
                    // What two have brought back stands where one of them has put it.
                    let is_of_two = self.alone().filter(|view| view.has(*letter)).count() > 1;
                    if start.has(*letter) || !merged.has(*letter) || is_of_two {
                        continue;
                    }
                    // What was written anew may stand on the other side of it.
                    let is_old = |other: &&char| start.has(**other);
                    let left = block[..index].iter().rev().find(is_old).and_then(|left| rank.get(left)).copied();
                    let right = block[index + 1..].iter().find(is_old).and_then(|right| rank.get(right)).copied();
                    let Some(place) = behind.get(letter).copied() else { continue };
                    let fits = left.is_some_and(|left| left + 1 == place) || right == Some(place);
                    let is_elsewhere =
                        || self.is_joined_apart(view, block, index) || self.is_typed_at_another(view, block, index);
                    if !fits && (left.is_some() || right.is_some()) && !is_elsewhere() {
                        self.say(Kind::Place, format!("{letter} in {}", block.iter().collect::<String>()));
                    }
                }
            }
        }
    }

    /// Whether what was typed here was joined later to what stands behind it, and another has put that elsewhere.
    fn is_joined_apart(&self, view: &Seen, block: &[char], index: usize) -> bool {
        let right = block[index..].iter().find(|letter| self.start.has(**letter));
        let author = self.people.iter().find(|one| std::ptr::eq(&raw const one.end, view));
        let (Some(right), Some(author)) = (right, author) else { return false };
        let typed = author.steps.iter().find(|step| step.has(block[index]));
        typed.is_some_and(|step| is_apart(step, [block[index], *right])) && self.is_taken_away(view, block, *right)
    }

    /// Whether it was there and is there, and was not written anew.
    fn is_fixed(&self, letter: char) -> bool {
        self.start.has(letter) && !self.removed(letter) && !self.anew.contains(&letter)
    }

    /// Letters beside each other in one block, as far as nobody removed one of both.
    fn pairs(&self) -> Vec<[char; 2]> {
        let lives = |letter: char| self.merged.has(letter) && self.is_fixed(letter);
        let pairs = self.start.blocks.iter().flat_map(|block| block.windows(2).map(|pair| [pair[0], pair[1]]));
        pairs.filter(|pair| pair.iter().all(|letter| lives(*letter))).collect()
    }

    /// Two letters beside each other are divided exactly if somebody has divided them.
    fn divisions(&mut self) {
        for pair in self.pairs() {
            let wanted = self.alone().any(|view| is_apart(view, pair));
            let is = is_apart(self.merged, pair);
            let [one, two] = pair;
            // Who has put them in another order has divided them before.
            let is_turned = || self.alone().any(|view| self.is_crossed(view, one, two));
            match wanted {
                true if !is => self.say(Kind::Breaks, format!("between {one}|{two}")),
                false if is && !is_turned() => self.say(Kind::Joins, format!("{one}|{two} divided by nobody")),
                _ => {}
            }
        }
    }

    /// The kind of block is one that somebody had; bold is what all agree on, or what one of those has made of it who changed it.
    fn each(&mut self) {
        let merged = self.merged;
        for (letter, now) in &merged.letters {
            if let Some(kinds) = self.kinds(*letter).filter(|kinds| !kinds.contains(&now.kind)) {
                self.say(Kind::Kind, format!("{letter} is in a {}, not {kinds:?}", now.kind));
            }
            // Whether what is typed into a range becomes what another makes of the range, is not said.
            // Nor what becomes of what one took back, if another had overruled it before and takes that back as well.
            let was = || self.took_back && self.start.letters.get(letter).is_some_and(|was| was.bold == now.bold);
            if self.is_fixed(*letter) && !self.made(*letter, |letter| letter.bold).contains(&now.bold) && !was() {
                self.say(Kind::Marks, format!("{letter} is {}bold", if now.bold { "" } else { "not " }));
            }
        }
    }

    /// The kinds of blocks that it was in, with all that was joined to it, for anybody. `None`: it was typed into something of
    /// which nothing else is left.
    fn kinds(&self, letter: char) -> Option<BTreeSet<String>> {
        let views: Vec<&Seen> = self.views().into_iter().chain(self.people.iter().flat_map(|one| &one.steps)).collect();
        let (mut company, mut todo) = (HashSet::from([letter]), vec![letter]);
        let (mut kinds, mut lines) = (BTreeSet::new(), BTreeSet::new());
        while let Some(letter) = todo.pop() {
            for view in &views {
                let Some(there) = view.letters.get(&letter) else { continue };
                kinds.insert(there.kind.clone());
                todo.extend(view.blocks[there.block].iter().filter(|other| company.insert(**other)));
                let part = view.lowest().find(|part| part.letters.contains(&letter));
                let Some(id) = part.and_then(|part| part.id.clone()) else { continue };
                for line in self.joined_lines(id) {
                    if lines.insert(line.clone()) {
                        let parts = views.iter().flat_map(|view| view.lowest());
                        for part in parts.filter(|part| part.id.as_ref() == Some(&line)) {
                            kinds.insert(part.kind.clone());
                            let others = part.letters.iter().copied().filter(|other| self.is_letter(*other));
                            todo.extend(others.filter(|other| company.insert(*other)));
                        }
                    }
                }
            }
        }
        let is_left = |other: &char| self.start.has(*other) && !self.removed(*other);
        company.iter().any(is_left).then_some(kinds)
    }

    fn is_letter(&self, sign: char) -> bool {
        self.views().iter().any(|view| view.has(sign))
    }

    /// The line with this id, and what it was joined to when it had nothing left: of that no letter tells.
    fn joined_lines(&self, id: String) -> BTreeSet<String> {
        let (mut found, mut todo) = (BTreeSet::from([id.clone()]), vec![id]);
        let count = |view: &Seen, id: &String| view.lowest().filter(|part| part.id.as_ref() == Some(id)).count();
        while let Some(id) = todo.pop() {
            for one in self.people {
                let steps = std::iter::once(self.start).chain(&one.steps);
                for (was, is) in steps.clone().zip(steps.skip(1)) {
                    let lines: Vec<&Part> = was.lowest().collect();
                    let is_it = |part: &Part| part.id.as_ref() == Some(&id) && part.letters.is_empty();
                    let Some(at) = lines.iter().position(|part| is_it(part)) else { continue };
                    let before = lines[..at].last().and_then(|part| part.id.clone());
                    if count(is, &id) < count(was, &id) {
                        todo.extend(before.filter(|before| found.insert(before.clone())));
                    }
                }
            }
        }
        found
    }

    /// What those have made of a letter who changed it; if nobody has, what it was.
    fn made<T: PartialEq>(&self, letter: char, of: impl Fn(&crate::seen::Letter) -> T) -> Vec<T> {
        let was = self.start.letters.get(&letter).map(&of);
        let mut made = Vec::new();
        for one in self.people {
            let now = |view: &Seen| view.letters.get(&letter).map(&of);
            let touched = one.steps.iter().filter_map(now).any(|now| Some(now) != was);
            made.extend(now(&one.end).filter(|_| touched));
        }
        if made.is_empty() { was.into_iter().collect() } else { made }
    }

    /// How often one divided where another did: two breaks have an empty line between them, also where a letter beside them
    /// is removed, before or later.
    fn divided_twice(&self) -> usize {
        let stays = |letter: &char| self.merged.has(*letter);
        let left = self.start.blocks.iter().map(|block| block.iter().copied().filter(stays).collect::<Vec<char>>());
        self.divided_in(left).max(self.divided_in(self.start.blocks.iter().cloned()))
    }

    fn divided_in(&self, blocks: impl Iterator<Item = Vec<char>>) -> usize {
        let times = |pair: [char; 2]| {
            let divides = |view: &Seen| pair.iter().all(|letter| view.has(*letter)) && is_apart(view, pair);
            self.people.iter().filter(|one| one.steps.iter().any(divides)).count()
        };
        let twice = |block: Vec<char>| -> usize {
            block.windows(2).map(|pair| times([pair[0], pair[1]]).saturating_sub(1)).sum()
        };
        blocks.map(twice).sum()
    }

    /// No shape that nobody had. What one has put around letters, or divided off, another may have emptied.
    fn shape(&mut self) {
        let had: Vec<&Seen> =
            std::iter::once(self.start).chain(self.people.iter().flat_map(|one| one.steps.iter())).collect();
        let looks = &self.merged.shape;
        for kind in &looks.types {
            if !had.iter().any(|view| view.shape.types.contains(kind)) {
                self.say(Kind::Shape, format!("a {kind}, a type that nobody had"));
            }
        }
        for kind in &looks.mixed {
            if !had.iter().any(|view| view.shape.mixed.contains(kind)) {
                self.say(Kind::Shape, format!("{kind} mixes text and blocks"));
            }
        }
        for (kind, blocks) in &looks.holds {
            let knows =
                had.iter().any(|view| [true, false].iter().any(|b| view.shape.holds.contains(&(kind.clone(), *b))));
            if knows && !had.iter().any(|view| view.shape.holds.contains(&(kind.clone(), *blocks))) {
                let what = if *blocks { "blocks" } else { "bare text" };
                self.say(Kind::Shape, format!("{kind} has {what} which nobody gave it"));
            }
        }
        self.empty();
    }

    /// Lines, that is; a container with an empty line is there for that.
    fn empty(&mut self) {
        let twice = self.divided_twice();
        let empty = |view: &Seen, kind: &str| {
            view.parts.iter().filter(|part| part.kind == kind && part.letters.is_empty() && !part.holds).count()
        };
        let kinds: BTreeSet<&str> =
            self.merged.parts.iter().filter(|part| !part.void).map(|part| part.kind.as_str()).collect();
        for kind in kinds {
            let mut allowed = empty(self.start, kind) + twice;
            for one in self.people {
                let counts = std::iter::once(self.start).chain(&one.steps).map(|view| empty(view, kind));
                allowed += counts.clone().zip(counts.skip(1)).map(|(was, is)| is.saturating_sub(was)).sum::<usize>();
                let view = &one.end;
                let own = view.parts.iter().filter(|part| part.kind == kind && !part.letters.is_empty());
                let stays = |letter: &char| self.merged.has(*letter) && !self.anew.contains(letter);
                let emptied = own.filter(|part| !part.letters.iter().any(stays)).count();
                allowed += emptied;
            }
            let count = empty(self.merged, kind);
            if count > allowed {
                self.say(Kind::Shape, format!("{count} empty {kind}, of which {allowed} are somebody's"));
            }
        }
    }
}

/// Nobody has put a part of it into another container: then its parts have places of their own.
fn is_whole(view: &Seen, block: &[char]) -> bool {
    let mut within = block.iter().filter_map(|letter| view.letters.get(letter)).map(|letter| &letter.within);
    within.next().is_none_or(|first| within.all(|other| other == first))
}

fn is_mixed<T: PartialEq>(mut all: impl Iterator<Item = T>) -> bool {
    all.next().is_some_and(|first| all.any(|other| other != first))
}

fn is_apart(view: &Seen, [one, two]: [char; 2]) -> bool {
    match (view.letters.get(&one), view.letters.get(&two)) {
        (Some(one), Some(two)) => one.block != two.block,
        _ => false,
    }
}

/// Whether two changed one block of the start, or blocks beside each other.
pub fn meet(start: &Seen, alone: &[Alone]) -> bool {
    let touched: Vec<Vec<usize>> = alone
        .iter()
        .map(|one| (0..start.blocks.len()).filter(|at| !one.end.blocks.contains(&start.blocks[*at])).collect())
        .collect();
    touched.iter().enumerate().any(|(person, mine)| {
        touched[person + 1..].iter().any(|theirs| mine.iter().any(|at| theirs.iter().any(|it| at.abs_diff(*it) <= 1)))
    })
}
