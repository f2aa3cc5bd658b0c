//! Two states of a document as one value: what came has the mark `added`, what went the mark `removed`.
//!
//! Blocks that are equal stay; a block that changed is shown once, with what came and went inside it, and with the
//! attribute `was`, an object of the attributes that were others before (null: there was none); what has no counterpart
//! is shown as a whole. Text is compared by words, that is how people read a change, and of the words that were replaced
//! only the letters that differ are marked. The value of a mark is the author where that is known, otherwise `true`.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::sync::Arc;

use slate_yrs::slate::{Alignment, Element, Leaf, Node, Path, Point, align, utf16_len};
use yrs::Any;

/// Pairs compared for a longest common subsequence; above it the middle is shown as removed and added.
const MAX_PAIRS: usize = 4_000_000;
/// Pairs of words compared, in all of a comparison, to find the block that a block was before. Above it what has changed is
/// shown as removed and added.
const MAX_WORD_PAIRS: usize = 50_000_000;
/// Two blocks compared count as so many pairs of words, whatever is in them.
const BLOCK_PAIR: usize = 16;
/// Of its words a block keeps at least so many to count as the same one, in percent.
const SAME_BLOCK_PERCENT: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// From the old value, in which its place is.
    Removed,
    /// To the new value, in which its place is.
    Added,
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Added => "added",
        }
    }
}

/// Who made a change: what, where it begins, its length in UTF-16 units.
pub type AuthorOf<'a> = dyn Fn(Change, &Point, u32) -> Option<Arc<str>> + 'a;

/// The comparison as a Slate value.
pub fn compare(from: &[Node], to: &[Node], author: &AuthorOf) -> Vec<Node> {
    Comparison { author, left: Cell::new(MAX_WORD_PAIRS) }.children((from, &Path::new()), (to, &Path::new()))
}

struct Comparison<'a> {
    author: &'a AuthorOf<'a>,
    /// Of [`MAX_WORD_PAIRS`].
    left: Cell<usize>,
}

/// Nodes, and the path of their parent.
type At<'a> = (&'a [Node], &'a Path);

/// A word, or what stands between two; and where: in which of the texts, and from which UTF-16 unit on.
struct Word {
    leaf: Leaf,
    at: (u32, u32),
}

fn child(parent: &Path, index: usize) -> Path {
    let mut path = parent.clone();
    path.push(index as u32);
    path
}

#[derive(Clone, Copy)]
enum DiffStep {
    /// Where in the new one.
    Keep(usize),
    /// Where in the old one.
    Remove(usize),
    /// Where in the new one.
    Add(usize),
}

impl Comparison<'_> {
    fn children(&self, from: At, to: At) -> Vec<Node> {
        let inline = |nodes: &[Node]| nodes.iter().all(|node| matches!(node, Node::Text(_)));
        if inline(from.0) && inline(to.0) {
            return self.texts(from, to);
        }
        let mut out = Vec::new();
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for step in steps(from.0, to.0, |a, b| a == b) {
            match step {
                DiffStep::Keep(at) => {
                    self.stretch((&gone, from), (&come, to), &mut out);
                    gone.clear();
                    come.clear();
                    out.push(to.0[at].clone());
                }
                DiffStep::Remove(at) => gone.push(at),
                DiffStep::Add(at) => come.push(at),
            }
        }
        self.stretch((&gone, from), (&come, to), &mut out);
        out
    }

    /// Between two equal nodes: those that are the same block changed, in order; the rest came or went.
    fn stretch(&self, (gone, from): (&[usize], At), (come, to): (&[usize], At), out: &mut Vec<Node>) {
        let removed = |at: &usize| self.marked(&from.0[*at], &child(from.1, *at), Change::Removed);
        let before: Vec<ComparedBlock> = gone.iter().map(|at| ComparedBlock::new(&from.0[*at])).collect();
        let mut rest = 0;
        for &index in come {
            let (new, path) = (&to.0[index], child(to.1, index));
            match (self.partner(&before[rest..], &ComparedBlock::new(new)), new) {
                (Some(skipped), Node::Element(new)) => {
                    out.extend(gone[rest..rest + skipped].iter().map(removed));
                    let at = gone[rest + skipped];
                    rest += skipped + 1;
                    let old_path = child(from.1, at);
                    let Node::Element(old) = &from.0[at] else { continue };
                    let children = self.children((&old.children, &old_path), (&new.children, &path));
                    out.push(Node::Element(Element { attrs: attributes(old, new), children }));
                }
                _ => out.push(self.marked(new, &path, Change::Added)),
            }
        }
        out.extend(gone[rest..].iter().map(removed));
    }

    /// Which of these blocks, of before, this one is.
    fn partner(&self, before: &[ComparedBlock], now: &ComparedBlock) -> Option<usize> {
        before.iter().take_while(|_| self.left.get() > 0).position(|old| self.is_same_block(old, now))
    }

    /// Two versions of one block: the same id, or where there is none, enough of the same words.
    fn is_same_block(&self, old: &ComparedBlock, new: &ComparedBlock) -> bool {
        self.takes(BLOCK_PAIR);
        let (Node::Element(one), Node::Element(other)) = (old.node, new.node) else { return false };
        if let (Some(one), Some(other)) = (one.attrs.get("id"), other.attrs.get("id")) {
            return one == other;
        }
        let (old, new) = (old.words(), new.words());
        let are_enough = |kept: usize| kept * 200 >= SAME_BLOCK_PERCENT * (old.len() + new.len()).max(1);
        // However many of them are the same.
        if !are_enough(old.len().min(new.len())) || !self.takes(old.len() * new.len()) {
            return false;
        }
        let steps = steps(old, new, |a, b| a == b);
        are_enough(steps.iter().filter(|step| matches!(step, DiffStep::Keep(..))).count())
    }

    /// Whether so many pairs may still be compared.
    fn takes(&self, pairs: usize) -> bool {
        let left = self.left.get().checked_sub(pairs.min(MAX_PAIRS));
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn texts(&self, from: At, to: At) -> Vec<Node> {
        let (old, new) = (words(from.0), words(to.0));
        let mut out: Vec<Leaf> = Vec::new();
        let mut changes: Vec<(Change, usize)> = Vec::new();
        for step in steps(&old, &new, |a, b| a.leaf == b.leaf) {
            match step {
                DiffStep::Keep(at) => {
                    self.run(&changes, (&old, from.1), (&new, to.1), &mut out);
                    changes.clear();
                    append(&mut out, new[at].leaf.clone());
                }
                DiffStep::Remove(at) => changes.push((Change::Removed, at)),
                DiffStep::Add(at) => changes.push((Change::Added, at)),
            }
        }
        self.run(&changes, (&old, from.1), (&new, to.1), &mut out);
        if out.is_empty() {
            out.push(Leaf::default());
        }
        out.into_iter().map(Node::Text).collect()
    }

    /// What came and went in one place: letters with which both begin or end stayed. Where it is not known who took
    /// something away, or put it there, it was who changed what is next to it.
    fn run(&self, changes: &[(Change, usize)], old: (&[Word], &Path), new: (&[Word], &Path), out: &mut Vec<Leaf>) {
        let of = |which: Change, words: &[Word]| -> Vec<Word> {
            let these = changes.iter().filter(|(change, _)| *change == which);
            these.flat_map(|(_, at)| letters(&words[*at])).collect()
        };
        let (mut gone, mut come) = (of(Change::Removed, old.0), of(Change::Added, new.0));
        let begin = gone.iter().zip(&come).take_while(|(a, b)| a.leaf == b.leaf).count();
        let most = gone.len().min(come.len()) - begin;
        let same = |n: &usize| gone[gone.len() - 1 - n].leaf == come[come.len() - 1 - n].leaf;
        let end = (0..most).take_while(same).count();
        let tail = come.split_off(come.len() - end);
        gone.truncate(gone.len() - end);
        for kept in come.drain(..begin) {
            append(out, kept.leaf);
        }
        let changed: Vec<(Change, Word)> = gone
            .into_iter()
            .skip(begin)
            .map(|letter| (Change::Removed, letter))
            .chain(come.into_iter().map(|letter| (Change::Added, letter)))
            .collect();
        let path = |change| if change == Change::Removed { old.1 } else { new.1 };
        let mut authors: Vec<_> =
            changed.iter().map(|(change, letter)| self.author_of(*change, letter, path(*change))).collect();
        for at in 1..authors.len() {
            if authors[at].is_none() {
                authors[at] = authors[at - 1].clone();
            }
        }
        for at in (1..authors.len()).rev() {
            if authors[at - 1].is_none() {
                authors[at - 1] = authors[at].clone();
            }
        }
        for ((change, letter), author) in changed.into_iter().zip(authors) {
            append(out, mark(letter.leaf, change, author));
        }
        for kept in tail {
            append(out, kept.leaf);
        }
    }

    fn author_of(&self, change: Change, word: &Word, parent: &Path) -> Option<Arc<str>> {
        let point = Point { path: child(parent, word.at.0 as usize), offset: word.at.1 };
        (self.author)(change, &point, utf16_len(&word.leaf.text))
    }

    /// A node that came or went as a whole.
    fn marked(&self, node: &Node, path: &Path, change: Change) -> Node {
        match node {
            Node::Text(leaf) => Node::Text(mark(leaf.clone(), change, None)),
            Node::Element(element) if element.children.iter().all(|child| matches!(child, Node::Text(_))) => {
                let mut out = Vec::new();
                for word in words(&element.children) {
                    let author = self.author_of(change, &word, path);
                    append(&mut out, mark(word.leaf, change, author));
                }
                if out.is_empty() {
                    out.push(mark(Leaf::default(), change, None));
                }
                let children = out.into_iter().map(Node::Text).collect();
                Node::Element(Element { attrs: element.attrs.clone(), children })
            }
            Node::Element(element) => {
                let children = element.children.iter().enumerate();
                let children = children.map(|(index, node)| self.marked(node, &child(path, index), change)).collect();
                Node::Element(Element { attrs: element.attrs.clone(), children })
            }
        }
    }
}

/// The new attributes, and which of them were others before.
fn attributes(old: &Element, new: &Element) -> slate_yrs::slate::Attrs {
    let mut was: HashMap<String, Any> = HashMap::new();
    for (name, value) in old.attrs.iter().filter(|(name, value)| new.attrs.get(*name) != Some(*value)) {
        was.insert(name.to_string(), value.clone());
    }
    for name in new.attrs.keys().filter(|name| !old.attrs.contains_key(*name)) {
        was.insert(name.to_string(), Any::Null);
    }
    let mut attrs = new.attrs.clone();
    if !was.is_empty() {
        attrs.insert(Arc::from("was"), Any::Map(Arc::new(was)));
    }
    attrs
}

/// A word, letter by letter.
fn letters(word: &Word) -> Vec<Word> {
    let (index, mut offset) = word.at;
    let letter = |letter: char| {
        let at = (index, offset);
        offset += letter.len_utf16() as u32;
        Word { leaf: Leaf { text: letter.to_string(), marks: word.leaf.marks.clone() }, at }
    };
    word.leaf.text.chars().map(letter).collect()
}

fn mark(mut leaf: Leaf, change: Change, author: Option<Arc<str>>) -> Leaf {
    leaf.marks.insert(Arc::from(change.name()), author.map_or(Any::Bool(true), Any::String));
    leaf
}

/// Leaves with equal marks become one.
fn append(out: &mut Vec<Leaf>, leaf: Leaf) {
    match out.last_mut() {
        Some(last) if last.marks == leaf.marks => last.text.push_str(&leaf.text),
        _ => out.push(leaf),
    }
}

/// A node that has a counterpart, perhaps.
struct ComparedBlock<'a> {
    node: &'a Node,
    /// Taken out of it once.
    words: OnceCell<Vec<&'a str>>,
}

impl<'a> ComparedBlock<'a> {
    fn new(node: &'a Node) -> Self {
        Self { node, words: OnceCell::new() }
    }

    fn words(&self) -> &[&'a str] {
        self.words.get_or_init(|| {
            let mut words = Vec::new();
            add_words(self.node, &mut words);
            words
        })
    }
}

fn add_words<'a>(node: &'a Node, words: &mut Vec<&'a str>) {
    match node {
        Node::Element(element) => element.children.iter().for_each(|child| add_words(child, words)),
        Node::Text(leaf) => words.extend(cut(&leaf.text)),
    }
}

/// Words, and each letter of what stands between them.
fn cut(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let letters = first.is_alphanumeric();
        let end = match rest.find(|next: char| next.is_alphanumeric() != letters) {
            Some(end) if letters => end,
            None if letters => rest.len(),
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Leaves cut into words and what stands between them.
fn words(nodes: &[Node]) -> Vec<Word> {
    let mut words = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        match node {
            Node::Element(element) => words.extend(self::words(&element.children)),
            Node::Text(leaf) => {
                let mut offset = 0;
                for word in cut(&leaf.text) {
                    let leaf = Leaf { text: word.to_owned(), marks: leaf.marks.clone() };
                    let at = (index as u32, offset);
                    offset += utf16_len(word);
                    words.push(Word { leaf, at });
                }
            }
        }
    }
    words
}

/// From one list to the other, in the order of the result.
fn steps<T>(from: &[T], to: &[T], equal: impl Fn(&T, &T) -> bool) -> Vec<DiffStep> {
    let Alignment { start, pairs, end } = align(from, to, MAX_PAIRS, equal);
    let ends = (0..end).map(|at| (from.len() - end + at, to.len() - end + at));
    let kept = (0..start).map(|at| (at, at)).chain(pairs).chain(ends);
    let (mut old, mut new) = (0, 0);
    let mut steps = Vec::new();
    for (i, j) in kept.chain([(from.len(), to.len())]) {
        steps.extend((old..i).map(DiffStep::Remove));
        steps.extend((new..j).map(DiffStep::Add));
        if j < to.len() {
            steps.push(DiffStep::Keep(j));
        }
        (old, new) = (i + 1, j + 1);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(id: &str, text: &str) -> Node {
        Node::Element(Element {
            attrs: [(Arc::from("id"), Any::from(id))].into(),
            children: vec![Node::Text(Leaf { text: text.into(), ..Leaf::default() })],
        })
    }

    /// Each leaf as its text, `+` or `-` before it.
    fn shown(nodes: &[Node]) -> Vec<String> {
        nodes
            .iter()
            .flat_map(|node| match node {
                Node::Element(element) => vec![shown(&element.children).join("|")],
                Node::Text(leaf) if leaf.marks.contains_key("added") => vec![format!("+{}", leaf.text)],
                Node::Text(leaf) if leaf.marks.contains_key("removed") => vec![format!("-{}", leaf.text)],
                Node::Text(leaf) => vec![leaf.text.clone()],
            })
            .collect()
    }

    #[test]
    fn what_came_and_what_went() {
        let from = [block("1", "INT. KITCHEN"), block("2", "She waits by the door."), block("3", "CUT TO:")];
        let to = [
            block("1", "INT. KITCHEN"),
            block("2", "She runs to the door."),
            block("4", "Rain — 🌧."),
            block("3", "CUT TO:"),
        ];
        assert_eq!(
            shown(&compare(&from, &to, &|_, _, _| None)),
            ["INT. KITCHEN", "She |-wait|+run|s |-by|+to| the door.", "+Rain — 🌧.", "CUT TO:"]
        );
        assert_eq!(shown(&compare(&to, &from, &|_, _, _| None))[2], "-Rain — 🌧.");
        assert_eq!(compare(&to, &to, &|_, _, _| None), to);
        assert_eq!(shown(&compare(&[], &to[..1], &|_, _, _| None)), ["+INT. KITCHEN"]);
        let Some(Node::Element(new)) = compare(&from, &to, &|_, _, _| Some(Arc::from("ada"))).into_iter().nth(2) else {
            panic!()
        };
        let Node::Text(leaf) = &new.children[0] else { panic!() };
        assert_eq!(leaf.marks.get("added"), Some(&Any::from("ada")));
    }

    /// It took the square of their number, and more: half an hour for these.
    #[test]
    fn a_document_in_which_every_block_is_another() {
        let blocks = |of: &str| -> Vec<Node> {
            let leaf = |n: usize| Node::Text(Leaf { text: format!("{of}{n}"), ..Leaf::default() });
            let block = |n| Node::Element(Element { attrs: Default::default(), children: vec![leaf(n)] });
            (0..20_000).map(block).collect()
        };
        let (from, to) = (blocks("old"), blocks("new"));
        let both = shown(&compare(&from, &to, &|_, _, _| None));
        let (removed, added): (Vec<_>, Vec<_>) = both.into_iter().partition(|text| text.starts_with('-'));
        assert_eq!(removed, shown(&from).iter().map(|text| format!("-{text}")).collect::<Vec<_>>());
        assert_eq!(added, shown(&to).iter().map(|text| format!("+{text}")).collect::<Vec<_>>());
    }

    #[test]
    fn removing_what_was_added_gives_the_old_value_back() {
        let mut rng = fastrand::Rng::with_seed(5);
        let words = ["she ", "waits ", "rain ", "door ", "— ", "🎬 "];
        let text = |rng: &mut fastrand::Rng| -> String {
            (0..rng.usize(0..8)).map(|_| words[rng.usize(0..words.len())]).collect()
        };
        for _ in 0..300 {
            let value = |rng: &mut fastrand::Rng| -> Vec<Node> {
                (0..rng.usize(0..6)).map(|_| block(&rng.u8(0..8).to_string(), &text(rng))).collect()
            };
            let (from, to) = (value(&mut rng), value(&mut rng));
            let both = compare(&from, &to, &|_, _, _| None);
            let plain = |mark: &str| -> Vec<String> {
                both.iter()
                    .filter_map(|node| {
                        let Node::Element(element) = node else { return None };
                        let leaves = element.children.iter().filter_map(|node| match node {
                            Node::Text(leaf) if !leaf.marks.contains_key(mark) => Some(leaf.text.as_str()),
                            _ => None,
                        });
                        Some(leaves.collect::<String>()).filter(|text| !text.is_empty())
                    })
                    .collect()
            };
            let texts =
                |value: &[Node]| -> Vec<String> { shown(value).into_iter().filter(|text| !text.is_empty()).collect() };
            assert_eq!((plain("added"), plain("removed")), (texts(&from), texts(&to)));
        }
    }

    #[test]
    fn letters_inside_a_word_and_attributes_of_a_block() {
        let text = |from: &str, to: &str| shown(&compare(&[block("1", from)], &[block("1", to)], &|_, _, _| None));
        assert_eq!(text("INT. KITCHEN", "INT. KITCHENETTE"), ["INT. KITCHEN|+ETTE"]);
        assert_eq!(text("an organisation", "an organization"), ["an organi|-s|+z|ation"]);
        assert_eq!(text("aa", "aaa"), ["aa|+a"]);
        let with = |kind: Option<&str>| {
            let Node::Element(mut element) = block("1", "same") else { panic!() };
            element.attrs.extend(kind.map(|kind| (Arc::from("type"), Any::from(kind))));
            [Node::Element(element)]
        };
        let was = |from, to| {
            let Node::Element(block) = compare(&with(from), &with(to), &|_, _, _| None).remove(0) else { panic!() };
            block.attrs.get("was").map(|was| was.to_string())
        };
        assert_eq!(was(Some("action"), Some("dialogue")).as_deref(), Some("{type: action}"));
        assert_eq!(was(None, Some("dialogue")).as_deref(), Some("{type: null}"));
        assert_eq!(was(Some("action"), Some("action")), None);
    }
}
