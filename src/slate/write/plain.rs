//! What a document of format 0 shows: what stands in it, and nothing else.

use std::collections::HashMap;
use std::rc::Rc;

use super::fit::fit;
use crate::slate::value::node::Attrs;
use crate::slate::value::props::{present, present_of};
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::view::{Schema, spaced};
use crate::slate::ydoc::{Formats, Item, Mirror, Nid, QuickSet, ROOT, Run};

/// All of it; an editor keeps its leaves where the same is shown as `before`.
pub fn read(mirror: &Mirror, schema: &Schema, before: Option<&Rc<Element>>) -> Rc<Element> {
    PlainReader { mirror, schema, changed: None, last: None }.element(ROOT, before)
}

/// What is shown after these have changed: all else is as before.
pub fn follow(mirror: &Mirror, schema: &Schema, touched: &QuickSet<Nid>, before: &Rc<Element>) -> Rc<Element> {
    let changed = Some(with_all_above(mirror, touched));
    PlainReader { mirror, schema, changed, last: None }.element(ROOT, Some(before))
}

/// The same of one of the top-level elements.
pub fn follow_top(
    mirror: &Mirror,
    schema: &Schema,
    touched: &QuickSet<Nid>,
    (top, before): (Nid, &Rc<Element>),
) -> Rc<Element> {
    let changed = Some(with_all_above(mirror, touched));
    PlainReader { mirror, schema, changed, last: None }.element(top, Some(before))
}

fn with_all_above(mirror: &Mirror, touched: &QuickSet<Nid>) -> QuickSet<Nid> {
    let mut all = QuickSet::default();
    for &node in touched {
        let mut at = node;
        while all.insert(at) && at != ROOT {
            at = mirror.node(at).up;
        }
    }
    all
}

struct PlainReader<'a> {
    mirror: &'a Mirror,
    schema: &'a Schema,
    /// With all that they stand in; `None`: everything.
    changed: Option<QuickSet<Nid>>,
    /// Formats seen last, and the marks that they are: neighbours mostly share them.
    last: Option<(Formats, Rc<Attrs>)>,
}

impl PlainReader<'_> {
    /// Recursion is bounded by what the mirror reads.
    fn element(&mut self, at: Nid, before: Option<&Rc<Element>>) -> Rc<Element> {
        if let Some(before) = before
            && self.changed.as_ref().is_some_and(|changed| !changed.contains(&at))
        {
            return before.clone();
        }
        let node = self.mirror.node(at);
        let mut olds = Olds { kids: before.map_or(&[][..], |before| &before.kids), next: 0, by_id: None };
        let mut kids: Vec<Kid> = Vec::with_capacity(node.items.len());
        for item in &node.items {
            match item {
                Item::Text(run) => self.text(&mut kids, run),
                Item::Node(kid) => {
                    let before = olds.find(&NodeId::Head(self.mirror.id(*kid)));
                    kids.push(Kid::Element(self.element(*kid, before)));
                }
                Item::Foreign | Item::Left { .. } => {}
            }
        }
        if at == ROOT {
            return same(before, Rc::new(Element::root(kids)));
        }
        let props = present_of(&node.registers.own);
        let (inline, void) = (self.schema.is_inline(&props), self.schema.is_void(&props));
        let props = match before {
            Some(before) if before.props == props => before.props.clone(),
            _ => props,
        };
        same(before, Rc::new(Element { id: NodeId::Head(node.id), props, kids: spaced(kids), inline, void }))
    }

    fn text(&mut self, kids: &mut Vec<Kid>, run: &Run) {
        let marks = match &self.last {
            Some((formats, marks)) if Rc::ptr_eq(formats, &run.formats) || *formats == run.formats => marks.clone(),
            _ => {
                let marks = Rc::new(present(&run.formats));
                self.last = Some((run.formats.clone(), marks.clone()));
                marks
            }
        };
        let chars = Chars { id: Some(run.id), text: run.text.clone(), len: run.len };
        match kids.last_mut() {
            Some(Kid::Leaf(leaf)) if leaf.marks == marks => leaf.push(chars),
            _ => kids.push(Kid::Leaf(Leaf { marks, runs: vec![chars] })),
        }
    }
}

/// The one from before, if that shows the same.
fn same(before: Option<&Rc<Element>>, now: Rc<Element>) -> Rc<Element> {
    match before {
        Some(before) if fit(before, &now).is_some_and(|fitted| Rc::ptr_eq(&fitted, before)) => before.clone(),
        _ => now,
    }
}

/// The elements that one had: they are mostly asked for in their order.
struct Olds<'a> {
    kids: &'a [Kid],
    next: usize,
    /// Where each of them is.
    by_id: Option<HashMap<&'a NodeId, usize>>,
}

impl<'a> Olds<'a> {
    fn find(&mut self, id: &NodeId) -> Option<&'a Rc<Element>> {
        while let Some(Kid::Leaf(_)) = self.kids.get(self.next) {
            self.next += 1;
        }
        match self.kids.get(self.next) {
            Some(Kid::Element(kid)) if kid.id == *id => {
                self.next += 1;
                Some(kid)
            }
            _ => {
                let kids = self.kids;
                let places = || kids.iter().enumerate().filter_map(|(at, kid)| Some((&kid.element()?.id, at)));
                let at = *self.by_id.get_or_insert_with(|| places().collect()).get(id)?;
                self.next = at + 1;
                kids[at].element()
            }
        }
    }
}
