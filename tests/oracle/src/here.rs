//! What somebody may do something to: three of four times something at the place that all are busy with, or beside it.

use fastrand::Rng;
use slate_yrs::slate::Node;

use crate::shapes::places;
use crate::sheet::Sheet;
use crate::transforms::{Edits as _, is_inline, is_text, is_void, kind_of};

pub type Entry = (Vec<usize>, Node);

/// A range of a text: where it is, from and to.
pub type Stretch = (Vec<usize>, usize, usize);

pub struct Here {
    pub texts: Vec<(Vec<usize>, String)>,
    pub blocks: Vec<Entry>,
    pub all: Vec<Entry>,
}

impl Here {
    /// `hot`: letters of the place.
    pub fn new(sheet: &Sheet, rng: &mut Rng, hot: &[char]) -> Self {
        let mut texts = sheet.texts();
        let at = texts.iter().position(|(_, text)| text.chars().any(|letter| hot.contains(&letter)));
        if let Some(at) = at.filter(|_| rng.u8(..4) > 0) {
            texts = texts[at.saturating_sub(1)..(at + 2).min(texts.len())].to_vec();
        }
        let all = sheet.all();
        let blocks: Vec<Entry> = all.iter().filter(|(_, node)| !is_text(node) && !is_inline(node)).cloned().collect();
        let near = |at: &[usize]| texts.iter().any(|(text, _)| text.starts_with(at));
        let close: Vec<Entry> = blocks.iter().filter(|(at, _)| near(at)).cloned().collect();
        Self { texts, blocks: if close.is_empty() { blocks } else { close }, all }
    }

    pub fn block(&self, rng: &mut Rng, fits: impl Fn(&[usize], &Node) -> bool) -> Option<Entry> {
        let fitting: Vec<&Entry> = self.blocks.iter().filter(|(at, node)| fits(at, node)).collect();
        pick(rng, &fitting).map(|entry| (*entry).clone())
    }

    /// A place in a text.
    pub fn point(&self, rng: &mut Rng) -> Option<(Vec<usize>, usize)> {
        let (at, text) = pick(rng, &self.texts)?;
        Some((at.clone(), *pick(rng, &places(text))?))
    }

    /// Some letters of one text.
    pub fn stretch(&self, rng: &mut Rng) -> Option<Stretch> {
        let full: Vec<_> = self.texts.iter().filter(|(_, text)| !text.is_empty()).collect();
        let (at, text) = pick(rng, &full)?;
        let places = places(text);
        let from = rng.usize(..places.len() - 1);
        let to = from + 1 + rng.usize(..places.len() - 1 - from);
        Some((at.clone(), places[from], places[to]))
    }
}

pub fn pick<'a, T>(rng: &mut Rng, list: &'a [T]) -> Option<&'a T> {
    if list.is_empty() { None } else { list.get(rng.usize(..list.len())) }
}

/// The length of the path of the lowest block around a text.
pub fn lowest(sheet: &Sheet, at: &[usize]) -> Option<usize> {
    (1..at.len()).rev().find(|n| !is_inline(sheet.node(&at[..*n])))
}

pub fn within(sheet: &Sheet, at: &[usize], kind: &str) -> Option<usize> {
    (1..at.len()).rev().find(|n| kind_of(sheet.node(&at[..*n])) == kind)
}

/// Whether it has text and inlines, and is no void.
pub fn is_lowest(node: &Node) -> bool {
    match node {
        Node::Element(element) => !is_void(node) && element.children.iter().all(|kid| is_text(kid) || is_inline(kid)),
        Node::Text(_) => false,
    }
}
