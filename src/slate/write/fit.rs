//! What the document shows with the leaves that the editor has; and what differs, to be written again whole.

use std::rc::Rc;
use std::sync::Arc;

use super::leaf;
use crate::slate::value::node::Attrs;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::QuickMap;

/// The editor's tree with the ids of the document, its parts shared where they are the same. `None`: they differ.
pub(super) fn fit(editor: &Rc<Element>, shown: &Rc<Element>) -> Option<Rc<Element>> {
    if Rc::ptr_eq(editor, shown) {
        return Some(editor.clone());
    }
    if !Rc::ptr_eq(&editor.props, &shown.props) && *editor.props != *shown.props {
        return None;
    }
    let is_same = editor.id == shown.id && editor.inline == shown.inline && editor.void == shown.void;
    if is_same && same_text(&editor.kids, &shown.kids) {
        return Some(editor.clone());
    }
    if let Some(kids) = with_ids(&editor.kids, &shown.kids) {
        let (id, props) = (shown.id.clone(), editor.props.clone());
        return Some(Rc::new(Element { id, props, kids, inline: shown.inline, void: shown.void }));
    }
    let mut rest = Rest { kids: &shown.kids, runs: Vec::new(), marks: None };
    let mut kids = Vec::with_capacity(editor.kids.len());
    let mut is_same = is_same;
    for kid in &editor.kids {
        let fitted = match kid {
            Kid::Leaf(leaf) => {
                let fitted = Leaf { marks: leaf.marks.clone(), runs: rest.text(leaf)? };
                is_same &= fitted.runs == leaf.runs;
                Kid::Leaf(fitted)
            }
            Kid::Element(element) => {
                let fitted = fit(element, rest.element()?)?;
                is_same &= Rc::ptr_eq(&fitted, element);
                Kid::Element(fitted)
            }
        };
        kids.push(fitted);
    }
    rest.is_empty().then_some(())?;
    if is_same {
        return Some(editor.clone());
    }
    let (inline, void) = (shown.inline, shown.void);
    Some(Rc::new(Element { id: shown.id.clone(), props: editor.props.clone(), kids, inline, void }))
}

/// Whether both are nothing but text, and the same leaf by leaf.
fn same_text(a: &[Kid], b: &[Kid]) -> bool {
    let is_same = |(a, b): (&Kid, &Kid)| matches!((a, b), (Kid::Leaf(a), Kid::Leaf(b)) if a == b);
    a.len() == b.len() && a.iter().zip(b).all(is_same)
}

/// The editor's kids with the ids of what is shown, if both are nothing but text, run by run.
fn with_ids(editor: &[Kid], shown: &[Kid]) -> Option<Vec<Kid>> {
    let with_ids = |(editor, shown): (&Kid, &Kid)| {
        let (Kid::Leaf(editor), Kid::Leaf(shown)) = (editor, shown) else { return None };
        let is_same = editor.runs.len() == shown.runs.len()
            && editor.runs.iter().zip(&shown.runs).all(|(editor, shown)| editor.text == shown.text);
        let is_same = is_same && *editor.marks == *shown.marks;
        is_same.then(|| Kid::Leaf(Leaf { marks: editor.marks.clone(), runs: shown.runs.clone() }))
    };
    (editor.len() == shown.len()).then_some(())?;
    editor.iter().zip(shown).map(with_ids).collect()
}

/// What is shown and not matched yet.
struct Rest<'a> {
    kids: &'a [Kid],
    /// Of the leaf that is under way, the last first.
    runs: Vec<Chars>,
    marks: Option<&'a Rc<Attrs>>,
}

impl<'a> Rest<'a> {
    /// Opens the next leaf that has anything.
    fn open(&mut self) {
        while self.runs.is_empty() {
            let Some((Kid::Leaf(leaf), rest)) = self.kids.split_first() else { return };
            self.kids = rest;
            self.runs = leaf.runs.iter().rev().cloned().collect();
            self.marks = Some(&leaf.marks);
        }
    }

    fn element(&mut self) -> Option<&'a Rc<Element>> {
        self.open();
        if !self.runs.is_empty() {
            return None;
        }
        let (Kid::Element(element), rest) = self.kids.split_first()? else { return None };
        self.kids = rest;
        Some(element)
    }

    fn is_empty(&mut self) -> bool {
        self.open();
        self.runs.is_empty() && self.kids.is_empty()
    }

    /// The ids of a leaf's text, if that is what comes next.
    fn text(&mut self, leaf: &Leaf) -> Option<Vec<Chars>> {
        let mut found = Leaf::default();
        for wanted in &leaf.runs {
            let mut text: &str = &wanted.text;
            while !text.is_empty() {
                self.open();
                let run = self.runs.pop()?;
                if self.marks.is_none_or(|marks| **marks != *leaf.marks) {
                    return None;
                }
                if let Some(rest) = text.strip_prefix(&*run.text) {
                    text = rest;
                    found.push(run);
                    continue;
                }
                let len = run.len.min(crate::slate::value::utf16::len(text));
                let mut first = Leaf { runs: vec![run], ..Leaf::default() };
                let behind = leaf::split_off(&mut first, len);
                self.runs.extend(behind.into_iter().rev());
                // Inside of a surrogate pair nothing is cut: what is wanted is not what is there.
                if first.runs.is_empty() {
                    return None;
                }
                for run in &first.runs {
                    text = text.strip_prefix(&*run.text)?;
                }
                leaf::append(&mut found, first.runs);
            }
        }
        Some(found.runs)
    }
}

/// The editor's tree in which the elements that differ from what is shown are new, with all that is in them.
pub(super) fn renewed(editor: &Rc<Element>, shown: &Rc<Element>, next: &mut u64) -> Rc<Element> {
    if fit(editor, shown).is_some() {
        return editor.clone();
    }
    let elements = |element: &Element| -> Vec<Rc<Element>> { element.elements().cloned().collect() };
    let (ours, theirs) = (elements(editor), elements(shown));
    let has_text =
        |element: &Element| element.kids.iter().any(|kid| matches!(kid, Kid::Leaf(leaf) if !leaf.runs.is_empty()));
    let is_same_list = !has_text(editor)
        && !has_text(shown)
        && ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(ours, theirs)| ours.id == theirs.id);
    let is_root = editor.id == NodeId::Root;
    if !is_root && (!is_same_list || editor.props != shown.props) {
        return Rc::new(copy(editor, next));
    }
    let mut theirs = theirs.into_iter();
    let kids = editor.kids.iter().map(|kid| match kid {
        Kid::Element(element) => {
            let beside = theirs.next();
            match beside.filter(|beside| beside.id == element.id) {
                Some(beside) => Kid::Element(renewed(element, &beside, next)),
                None => Kid::Element(Rc::new(copy(element, next))),
            }
        }
        Kid::Leaf(leaf) => Kid::Leaf(copy_leaf(leaf)),
    });
    Rc::new(Element { kids: kids.collect(), ..(**editor).clone() })
}

fn copy(element: &Element, next: &mut u64) -> Element {
    *next += 1;
    let id = NodeId::New(*next);
    let kids = element.kids.iter().map(|kid| match kid {
        Kid::Element(kid) => Kid::Element(Rc::new(copy(kid, next))),
        Kid::Leaf(leaf) => Kid::Leaf(copy_leaf(leaf)),
    });
    Element { id, props: element.props.clone(), kids: kids.collect(), inline: element.inline, void: element.void }
}

fn copy_leaf(leaf: &Leaf) -> Leaf {
    let text: Vec<&str> = leaf.runs.iter().map(|run| &*run.text).collect();
    let text: Arc<str> = text.concat().into();
    Leaf { marks: leaf.marks.clone(), runs: leaf::fresh(&text).into_iter().collect() }
}

/// What is shown now, with those parts of what was shown before that are the same: an editor keeps its leaves there.
pub fn adopt(before: &Rc<Element>, mut now: Rc<Element>) -> Rc<Element> {
    let mut known: QuickMap<&NodeId, &Rc<Element>> = QuickMap::default();
    let mut todo = vec![before];
    while let Some(element) = todo.pop() {
        known.insert(&element.id, element);
        todo.extend(element.elements());
    }
    take_over(&known, &mut now);
    now
}

fn take_over(known: &QuickMap<&NodeId, &Rc<Element>>, now: &mut Rc<Element>) {
    // It is new: nobody else has it.
    for kid in Rc::get_mut(now).into_iter().flat_map(|element| &mut element.kids) {
        if let Kid::Element(kid) = kid {
            take_over(known, kid);
        }
    }
    if let Some(before) = known.get(&now.id)
        && fit(before, now).is_some_and(|same| Rc::ptr_eq(&same, before))
    {
        *now = Rc::clone(before);
    }
}
