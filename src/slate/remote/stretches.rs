//! Text, cut so that each stretch of it is in both trees as a whole, or in one of them only.

use smallvec::SmallVec;

use super::known::Who;
use crate::slate::value::utf16;
use crate::slate::view::tree::Chars;

pub(super) type StretchId = u32;
/// The stretches of a run.
pub(super) type Cuts = SmallVec<[StretchId; 2]>;

#[derive(Debug)]
pub(super) struct Stretch<'a> {
    pub text: &'a str,
    /// In UTF-16 units.
    pub len: u32,
    /// Stays, or (later) has been put in.
    pub kept: bool,
    /// The element in which the new tree has it, and where there; see [`Known::pos`](super::known::Known::pos).
    pub to: Option<Who>,
    pub pos: u32,
    pub leaf: Option<u32>,
    /// In which turn it needed not be moved.
    pub stays: u32,
}

/// A run that is being cut from the left.
struct RunRest<'a> {
    run: &'a Chars,
    client: u64,
    first: u64,
    /// What is cut already: units, bytes.
    at: u64,
    byte: usize,
}

impl<'a> RunRest<'a> {
    fn of(run: &'a Chars) -> Option<Self> {
        let id = run.id.filter(|_| run.len > 0)?;
        Some(Self { run, client: id.client, first: id.clock.into(), at: id.clock.into(), byte: 0 })
    }

    fn end(&self) -> u64 {
        self.first + u64::from(self.run.len)
    }

    fn rest(&self) -> &'a str {
        self.run.text.get(self.byte..).unwrap_or_default()
    }

    /// Up to a unit; `None` inside a surrogate pair.
    fn up_to(&self, to: u64) -> Option<&'a str> {
        let (rest, len) = (self.rest(), self.end() - self.at);
        let to = utf16::byte_at(rest, u32::try_from(len).ok()?, u32::try_from(to.checked_sub(self.at)?).ok()?).ok()?;
        rest.get(..to)
    }

    fn cut(&mut self, text: &str, to: u64) {
        self.byte += text.len();
        self.at = to;
    }

    /// From one unit to another, whole characters.
    fn between(&self, from: u64, to: u64) -> Option<&'a str> {
        let (before, all) = (self.up_to(from)?, self.up_to(to)?);
        all.get(before.len()..)
    }

    /// Each character with its first unit.
    fn chars(&self) -> impl Iterator<Item = (u64, char)> + 'a {
        let mut at = self.at;
        self.rest().chars().map(move |c| {
            let here = at;
            at += c.len_utf16() as u64;
            (here, c)
        })
    }
}

/// Where two runs have the same characters. Ids that are equal do not make the text so: who cuts a surrogate pair leaves
/// something else in its place.
fn alike(a: &RunRest<'_>, b: &RunRest<'_>, from: u64, to: u64) -> SmallVec<[(u64, u64); 1]> {
    let (left, right) = (a.between(from, to), b.between(from, to));
    if left.is_some() && left == right {
        return [(from, to)].into_iter().collect();
    }
    let inside = |(at, _): &(u64, char)| (from..to).contains(at);
    let mut others = b.chars().filter(inside).peekable();
    let mut found = SmallVec::<[(u64, u64); 1]>::new();
    for (at, c) in a.chars().filter(inside) {
        while others.next_if(|(other, _)| *other < at).is_some() {}
        let end = at + c.len_utf16() as u64;
        if end > to || others.next_if_eq(&(at, c)).is_none() {
            continue;
        }
        match found.last_mut() {
            Some(last) if last.1 == at => last.1 = end,
            _ => found.push((at, end)),
        }
    }
    found
}

type CutRuns<'a, 'r> = (&'r [&'a Chars], &'r mut Vec<Cuts>);

/// The runs that have ids, by id; each with its index.
fn sorted<'a>(runs: &[&'a Chars]) -> Vec<(usize, RunRest<'a>)> {
    let rests = runs.iter().enumerate().filter_map(|(index, run)| Some((index, RunRest::of(run)?)));
    let mut rests: Vec<_> = rests.collect();
    rests.sort_by_key(|(_, rest)| (rest.client, rest.first));
    rests
}

fn push<'a>(all: &mut Vec<Stretch<'a>>, text: &'a str, kept: bool) -> StretchId {
    all.push(Stretch { text, len: utf16::len(text), kept, to: None, pos: u32::MAX, leaf: None, stays: 0 });
    all.len() as StretchId - 1
}

/// What is in one tree only, up to a unit.
fn fill<'a>(all: &mut Vec<Stretch<'a>>, list: &mut Cuts, rest: &mut RunRest<'a>, to: u64) {
    if let Some(text) = rest.up_to(to).filter(|text| !text.is_empty()) {
        list.push(push(all, text, false));
        rest.cut(text, to);
    }
}

/// Cuts runs of both trees. `was` and `is` get an entry for each; a stretch that is in both trees is in both lists.
pub(super) fn refine<'a>((olds, was): CutRuns<'a, '_>, (news, is): CutRuns<'a, '_>, all: &mut Vec<Stretch<'a>>) {
    let (old_from, new_from) = (was.len(), is.len());
    was.resize(old_from + olds.len(), Cuts::new());
    is.resize(new_from + news.len(), Cuts::new());
    let mut rests = sorted(news);
    let mut start = 0;
    for (index, mut old) in sorted(olds) {
        let was = &mut was[old_from + index];
        let end = old.end();
        while rests.get(start).is_some_and(|(_, new)| (new.client, new.end()) <= (old.client, old.at)) {
            start += 1;
        }
        for (index, new) in rests.iter_mut().skip(start) {
            if new.client != old.client || new.first >= end {
                break;
            }
            let (from, to) = (old.at.max(new.at), end.min(new.end()));
            if from >= to {
                continue;
            }
            let is = &mut is[new_from + *index];
            for (from, to) in alike(&old, new, from, to) {
                fill(all, was, &mut old, from);
                fill(all, is, new, from);
                let Some(text) = new.up_to(to) else { continue };
                let both = push(all, text, true);
                was.push(both);
                is.push(both);
                old.cut(text, to);
                new.cut(text, to);
            }
        }
        fill(all, was, &mut old, end);
    }
    for (index, mut new) in rests {
        let end = new.end();
        fill(all, &mut is[new_from + index], &mut new, end);
    }
    unnamed(all, olds, &mut was[old_from..]);
    unnamed(all, news, &mut is[new_from..]);
}

/// Runs without an id are in one tree only.
fn unnamed<'a>(all: &mut Vec<Stretch<'a>>, runs: &[&'a Chars], cuts: &mut [Cuts]) {
    for (run, cuts) in runs.iter().zip(cuts) {
        if run.id.is_none() && !run.text.is_empty() {
            cuts.push(push(all, &run.text, false));
        }
    }
}
