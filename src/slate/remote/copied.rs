//! What was copied from one tree to the next is recognised.
//!
//! In a document of format 0 whoever splits, joins or moves something deletes it and inserts it anew: by ids it is gone, and
//! something else came. Where the same text is gone in one place and came in another within one change, [`recognise`] gives
//! what is gone the ids of what came, so that [`steps`](super::steps) takes it for what it was to whoever did it: carets
//! stay on their characters. Nothing of it is written; a wrong guess costs no more than a caret.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use crate::slate::value::utf16;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId, same_ends};
use crate::slate::write::fits;
use crate::slate::ydoc::{Id, QuickMap, gap, overlaps, stretch_at};

/// Shorter stretches that two texts have in common are chance.
const LEAST: usize = 4;

/// So many pairs of characters are compared at most, of two texts and in all.
const MOST: usize = 1 << 18;
const ALL: usize = 1 << 22;

/// So many elements without text are compared with others.
const BARE: usize = 64;

/// The old tree in which what was copied has the ids of its copies; `None`: nothing was.
pub fn recognise(old: &Rc<Element>, new: &Rc<Element>) -> Option<Rc<Element>> {
    let mut sides = ChangedSides::default();
    sides.collect(old, new);
    if sides.gone.is_empty() || sides.came.is_empty() {
        let is_text = |runs: &[RunOf], ids: &CharsById| runs.iter().any(|run| !ids.has_all(run.id, run.len));
        let (olds, news) = (CharsById::of(&sides.olds), CharsById::of(&sides.news));
        if !is_text(&sides.olds, &news) || !is_text(&sides.news, &olds) {
            return None;
        }
    }
    let texts = sides.match_texts();
    let elements = sides.match_elements(&texts);
    if texts.is_empty() && elements.is_empty() {
        return None;
    }
    Some(Aliases { texts, elements }.element(old, Some(new)))
}

/// A run of characters in an element.
struct RunOf<'a> {
    holder: &'a NodeId,
    id: Id,
    len: u32,
    text: &'a str,
}

/// What is in elements that differ.
#[derive(Default)]
struct ChangedSides<'a> {
    olds: Vec<RunOf<'a>>,
    news: Vec<RunOf<'a>>,
    /// Elements that there are not any more, and what they were in.
    gone: Vec<(&'a Rc<Element>, &'a NodeId)>,
    /// Elements that there were not before, inner ones first.
    came: Vec<&'a Rc<Element>>,
}

/// The stretch at an old id has this new one.
type Alias = (Id, u32, Id);

impl<'a> ChangedSides<'a> {
    fn collect(&mut self, old: &'a Element, new: &'a Element) {
        note(&mut self.olds, old);
        note(&mut self.news, new);
        let (start, end) = same_ends(&old.kids, &new.kids);
        let olds = elements(&old.kids[start..old.kids.len() - end]);
        let news = elements(&new.kids[start..new.kids.len() - end]);
        let by_id: HashMap<&NodeId, &Rc<Element>> = news.iter().map(|kid| (&kid.id, *kid)).collect();
        let had: HashSet<&NodeId> = olds.iter().map(|kid| &kid.id).collect();
        for kid in &olds {
            match by_id.get(&kid.id) {
                Some(other) if Rc::ptr_eq(kid, other) => {}
                Some(other) => self.collect(kid, other),
                None => self.lose(kid, &old.id),
            }
        }
        news.into_iter().filter(|kid| !had.contains(&kid.id)).for_each(|kid| self.gain(kid));
    }

    fn lose(&mut self, element: &'a Rc<Element>, holder: &'a NodeId) {
        note(&mut self.olds, element);
        self.gone.push((element, holder));
        element.elements().for_each(|kid| self.lose(kid, &element.id));
    }

    fn gain(&mut self, element: &'a Rc<Element>) {
        note(&mut self.news, element);
        element.elements().for_each(|kid| self.gain(kid));
        self.came.push(element);
    }

    fn match_texts(&self) -> Vec<Alias> {
        let (olds, news) = (CharsById::of(&self.olds), CharsById::of(&self.news));
        let (lost, come) = (streams(&self.olds, &news), streams(&self.news, &olds));
        let mut matching = Matching { free: Vec::new(), lost: &lost, left: ALL, found: Vec::new() };
        matching.free.extend(lost.iter().enumerate().map(|(at, stream)| (at, 0..stream.units.len())));
        // Whole texts first: what is the same is not to be taken for a part of something else.
        let mut by_text: HashMap<&[u16], Vec<usize>> = HashMap::new();
        for (at, stream) in lost.iter().enumerate().rev() {
            by_text.entry(&stream.units).or_default().push(at);
        }
        let mut open = Vec::new();
        for stream in &come {
            match by_text.get_mut(&stream.units[..]).and_then(Vec::pop) {
                Some(at) => matching.take(stream, 0, (at, 0..lost[at].units.len())),
                None => open.push(stream),
            }
        }
        for stream in open {
            matching.look_for(stream, 0..stream.units.len());
        }
        let mut found = matching.found;
        found.sort_unstable();
        found
    }

    /// New ids of elements that are gone: those in which most of theirs is.
    fn match_elements(&self, texts: &[Alias]) -> HashMap<NodeId, NodeId> {
        let gone: QuickMap<&NodeId, usize> = self.gone.iter().enumerate().map(|(at, (kid, _))| (&kid.id, at)).collect();
        let mut homes: Vec<(Id, u32, &NodeId)> = Vec::new();
        for run in self.olds.iter().filter(|run| gone.contains_key(run.holder)) {
            homes.push((run.id, run.len, run.holder));
        }
        homes.sort_unstable_by_key(|home| home.0);
        let mut from_new: Vec<(Id, u32, Id)> = texts.iter().map(|(old, len, new)| (*new, *len, *old)).collect();
        from_new.sort_unstable();
        let mut taken: HashSet<&NodeId> = HashSet::new();
        let mut matched: HashMap<NodeId, NodeId> = HashMap::new();
        let mut holder_of: HashMap<&NodeId, &NodeId> = HashMap::new();
        for element in &self.came {
            let mut votes: HashMap<&NodeId, u64> = HashMap::new();
            for run in element.kids.iter().flat_map(runs) {
                let Some(id) = run.id else { continue };
                for (first, len) in pieces_of(&from_new, id, run.len) {
                    for (home, len) in homes_of(&homes, first, len) {
                        *votes.entry(home).or_default() += u64::from(len);
                    }
                }
            }
            for kid in element.elements() {
                if let Some(holder) = holder_of.get(&kid.id) {
                    *votes.entry(*holder).or_default() += 1;
                }
            }
            let best = votes.into_iter().filter(|(home, _)| gone.contains_key(home) && !taken.contains(home));
            let best = best.max_by(|a, b| a.1.cmp(&b.1).then_with(|| gone[b.0].cmp(&gone[a.0]))).map(|(home, _)| home);
            let best = best.or_else(|| {
                let is_bare = element.kids.iter().flat_map(runs).next().is_none();
                let mut others = self.gone.iter().take(BARE).filter(|(kid, _)| !taken.contains(&kid.id));
                let is_same = |kid: &Element| kid.props == element.props && fits(&kid.kids, &element.kids);
                others.find(|(kid, _)| is_bare && is_same(kid)).map(|(kid, _)| &kid.id)
            });
            let Some(home) = best else { continue };
            taken.insert(home);
            holder_of.insert(&element.id, self.gone[gone[home]].1);
            matched.insert(home.clone(), element.id.clone());
        }
        matched
    }
}

fn elements(kids: &[Kid]) -> Vec<&Rc<Element>> {
    kids.iter().filter_map(Kid::element).collect()
}

fn runs(kid: &Kid) -> &[Chars] {
    match kid {
        Kid::Leaf(leaf) => &leaf.runs,
        Kid::Element(_) => &[],
    }
}

fn note<'a>(into: &mut Vec<RunOf<'a>>, element: &'a Element) {
    for run in element.kids.iter().flat_map(runs) {
        if let Some(id) = run.id {
            into.push(RunOf { holder: &element.id, id, len: run.len, text: &run.text });
        }
    }
}

/// Characters of one element that follow each other and are only on one side.
struct Stream {
    units: Vec<u16>,
    spans: Vec<(Id, u32)>,
}

impl Stream {
    /// The spans of a part of it.
    fn part(&self, range: Range<usize>) -> Vec<(Id, u32)> {
        let (mut start, mut found) = (0, Vec::new());
        for (id, len) in &self.spans {
            let end = start + *len as usize;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                found.push((id.plus((from - start) as u32), (to - from) as u32));
            }
            start = end;
        }
        found
    }
}

/// What of these is not on the other side.
fn streams(all: &[RunOf], others: &CharsById) -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut open: Option<&NodeId> = None;
    for run in all {
        if open != Some(run.holder) {
            open = None;
        }
        let units: Vec<u16> = run.text.encode_utf16().collect();
        let mut offset = 0;
        while offset < run.len {
            let id = run.id.plus(offset);
            let (there, len) = others.from(id);
            let len = len.min(run.len - offset);
            if there {
                open = None;
            } else {
                if open.is_none() {
                    streams.push(Stream { units: Vec::new(), spans: Vec::new() });
                    open = Some(run.holder);
                }
                if let Some(stream) = streams.last_mut() {
                    let part = offset as usize..((offset + len) as usize).min(units.len());
                    stream.units.extend_from_slice(&units[part]);
                    stream.spans.push((id, len));
                }
            }
            offset += len;
        }
    }
    streams
}

/// Characters by id.
struct CharsById(Vec<(Id, u32, ())>);

impl CharsById {
    fn of(runs: &[RunOf]) -> Self {
        let mut all: Vec<(Id, u32, ())> = runs.iter().map(|run| (run.id, run.len, ())).collect();
        all.sort_unstable();
        Self(all)
    }

    /// Whether a character is there, and how many behind it are as well, or are not.
    fn from(&self, id: Id) -> (bool, u32) {
        match stretch_at(&self.0, id) {
            Some((first, len, ())) => (true, first.clock + len - id.clock),
            None => (false, gap(&self.0, id)),
        }
    }

    fn has_all(&self, id: Id, len: u32) -> bool {
        let mut offset = 0;
        while offset < len {
            let (there, more) = self.from(id.plus(offset));
            if !there {
                return false;
            }
            offset += more;
        }
        true
    }
}

struct Matching<'a> {
    lost: &'a [Stream],
    /// What nobody has taken yet: of which stream, and which part.
    free: Vec<(usize, Range<usize>)>,
    left: usize,
    found: Vec<Alias>,
}

impl Matching<'_> {
    /// The part of a stream that came, from here on, is this part of one that is lost.
    fn take(&mut self, stream: &Stream, from: usize, (at, part): (usize, Range<usize>)) {
        let len = part.len();
        let olds = self.lost[at].part(part.clone());
        let news = stream.part(from..from + len);
        self.found.extend(zipped(&olds, &news));
        if let Some(free) =
            self.free.iter().position(|(of, range)| *of == at && range.start <= part.start && part.end <= range.end)
        {
            let (of, range) = self.free.remove(free);
            let rest = [range.start..part.start, part.end..range.end];
            let rest = rest.into_iter().filter(|rest| !rest.is_empty()).map(|rest| (of, rest));
            self.free.splice(free..free, rest);
        }
    }

    fn look_for(&mut self, stream: &Stream, range: Range<usize>) {
        let wanted = &stream.units[range.clone()];
        if wanted.is_empty() {
            return;
        }
        let mut best: Option<(usize, usize, usize, Range<usize>)> = None;
        for (at, part) in &self.free {
            let has = &self.lost[*at].units[part.clone()];
            let cost = has.len() * wanted.len();
            if cost > MOST || cost > self.left {
                continue;
            }
            self.left -= cost;
            let (len, here, there) = common(wanted, has);
            let is_whole = len == wanted.len() || len == has.len();
            if len > best.as_ref().map_or(0, |best| best.0) && (len >= LEAST || (is_whole && len > 1)) {
                best = Some((len, here, *at, part.start + there..part.start + there + len));
                if len == wanted.len() {
                    break;
                }
            }
        }
        let Some((len, here, at, part)) = best else { return };
        self.take(stream, range.start + here, (at, part));
        self.look_for(stream, range.start..range.start + here);
        self.look_for(stream, range.start + here + len..range.end);
    }
}

/// The longest stretch that both have: how long, and where in each.
fn common(a: &[u16], b: &[u16]) -> (usize, usize, usize) {
    let (mut best, mut before) = ((0, 0, 0), vec![0; b.len() + 1]);
    for (i, x) in a.iter().enumerate() {
        let mut now = vec![0; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            if x == y {
                now[j + 1] = before[j] + 1;
                if now[j + 1] > best.0 {
                    best = (now[j + 1], i + 1 - now[j + 1], j + 1 - now[j + 1]);
                }
            }
        }
        before = now;
    }
    best
}

/// Old and new ids of the same characters.
fn zipped(olds: &[(Id, u32)], news: &[(Id, u32)]) -> Vec<Alias> {
    let (mut found, mut news, mut rest) = (Vec::new(), news.iter(), None::<(Id, u32)>);
    for (old, len) in olds {
        let mut offset = 0;
        while offset < *len {
            let Some((new, more)) = rest.take().or_else(|| news.next().copied()) else { return found };
            let count = more.min(len - offset);
            found.push((old.plus(offset), count, new));
            if count < more {
                rest = Some((new.plus(count), more - count));
            }
            offset += count;
        }
    }
    found
}

/// What some characters are called on the other side.
fn pieces_of(all: &[Alias], first: Id, len: u32) -> Vec<(Id, u32)> {
    let found = overlaps(all, first, len);
    found.map(|(id, from, count, other)| (other.plus(from - id.clock), count)).collect()
}

fn homes_of<'a>(all: &[(Id, u32, &'a NodeId)], first: Id, len: u32) -> Vec<(&'a NodeId, u32)> {
    overlaps(all, first, len).map(|(_, _, count, home)| (*home, count)).collect()
}

struct Aliases {
    texts: Vec<Alias>,
    elements: HashMap<NodeId, NodeId>,
}

impl Aliases {
    /// `new`: what it is now, if it is still there.
    fn element(&self, old: &Rc<Element>, new: Option<&Rc<Element>>) -> Rc<Element> {
        let (start, end) = new.map_or((0, 0), |new| same_ends(&old.kids, &new.kids));
        let news: HashMap<&NodeId, &Rc<Element>> = match new {
            Some(new) => {
                elements(&new.kids[start..new.kids.len() - end]).into_iter().map(|kid| (&kid.id, kid)).collect()
            }
            None => HashMap::new(),
        };
        let mut kids = old.kids.clone();
        for kid in &mut kids[start..old.kids.len() - end] {
            match kid {
                Kid::Element(kid) => {
                    let new = news.get(&kid.id).copied();
                    if new.is_none_or(|new| !Rc::ptr_eq(kid, new)) {
                        *kid = self.element(kid, new);
                    }
                }
                Kid::Leaf(leaf) => *leaf = self.leaf(leaf),
            }
        }
        let id = self.elements.get(&old.id).unwrap_or(&old.id).clone();
        Rc::new(Element { id, kids, ..(**old).clone() })
    }

    fn leaf(&self, leaf: &Leaf) -> Leaf {
        let mut renamed = Leaf { marks: leaf.marks.clone(), runs: Vec::with_capacity(leaf.runs.len()) };
        for run in &leaf.runs {
            let Some(first) = run.id else {
                renamed.runs.push(run.clone());
                continue;
            };
            let mut cuts = Vec::new();
            let mut offset = 0;
            for (id, from, count, other) in overlaps(&self.texts, first, run.len) {
                let at = from - first.clock;
                if at > offset {
                    cuts.push((offset, at, first.plus(offset)));
                }
                cuts.push((at, at + count, other.plus(from - id.clock)));
                offset = at + count;
            }
            if offset < run.len {
                cuts.push((offset, run.len, first.plus(offset)));
            }
            let parts: Option<Vec<Chars>> = cuts
                .into_iter()
                .map(|(from, to, id)| {
                    let text = utf16::slice(&run.text, from, to)?;
                    Some(Chars { id: Some(id), text: text.into(), len: to - from })
                })
                .collect();
            // Somebody cut a surrogate pair in two.
            renamed.runs.extend(parts.unwrap_or_else(|| vec![run.clone()]));
        }
        renamed
    }
}
