//! [`Way`]: from the root to the sequence that is divided.

use std::rc::Rc;

use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::{Id, Mirror, Nid, ROOT};

/// One step: from a sequence to that of one of its items, which shows one element.
#[derive(Debug)]
struct WayStep {
    seq: Nid,
    item: Nid,
    /// Which of the elements it is.
    at: usize,
    /// Whether there are others before it, and behind it.
    shows: [bool; 2],
    /// As it was before.
    element: Rc<Element>,
}

/// See the module. What does not stand on it is left out.
#[derive(Debug, Default)]
pub(super) struct Way(Vec<WayStep>);

impl Way {
    /// `None`: what was shown before has no such way.
    pub fn to(seq: Nid, mirror: &Mirror, before: &Element) -> Option<Self> {
        let mut items = Vec::new();
        let mut at = seq;
        while at != ROOT {
            items.push(at);
            at = mirror.node(at).up;
        }
        let (mut steps, mut around) = (Vec::with_capacity(items.len()), before);
        for item in items.into_iter().rev() {
            let head = NodeId::Head(mirror.id(item));
            let find = |kid: &Kid| matches!(kid, Kid::Element(element) if element.id == head);
            let at = around.kids.iter().position(find)?;
            let Kid::Element(element) = &around.kids[at] else { return None };
            let shows = [at > 0, at + 1 < around.kids.len()];
            steps.push(WayStep { seq: mirror.node(item).up, item, at, shows, element: element.clone() });
            around = element;
        }
        Some(Self(steps))
    }

    /// From now on each sequence on the way has only the item through which it leads.
    pub fn narrow(&self, mirror: &mut Mirror) -> bool {
        self.0.iter().all(|step| mirror.narrow(step.seq, step.item, step.shows))
    }

    /// How many elements stand for what is left out on it.
    pub fn left_out(&self) -> u32 {
        self.0.iter().flat_map(|step| step.shows).map(u32::from).sum()
    }

    /// The element in whose sequence it ends, of a tree that was shown before.
    pub fn end<'a>(&'a self, before: &'a Element) -> &'a Element {
        self.0.last().map_or(before, |step| &step.element)
    }

    /// The root of which nothing is there but the way, and these where it ends.
    pub fn lead_to(&self, kids: Vec<Kid>) -> Rc<Element> {
        let (mut kids, mut left) = (kids, self.left_out());
        for step in self.0.iter().rev() {
            left -= step.shows.map(u32::from).iter().sum::<u32>();
            let [before, behind] = step.shows;
            let mut around = Vec::with_capacity(3);
            around.extend(before.then(|| stand_in(left)));
            around.push(Kid::Element(Rc::new(with_kids(&step.element, kids))));
            around.extend(behind.then(|| stand_in(left + u32::from(before))));
            kids = around;
        }
        Rc::new(Element::root(kids))
    }

    /// What is shown where it ends now; `None`: something else became of what stands on it.
    pub fn follow<'a>(&self, now: &'a Element) -> Option<&'a [Kid]> {
        let (mut around, mut left) = (now, 0);
        for step in &self.0 {
            let (mut next, mut own) = (left, None);
            for kid in &around.kids {
                match (left_out(kid), kid) {
                    (Some(nth), _) => {
                        (nth == next && step.shows[usize::from(own.is_some())]).then_some(())?;
                        next += 1;
                    }
                    (None, Kid::Element(element)) if own.is_none() && next == left + u32::from(step.shows[0]) => {
                        own = Some(element);
                    }
                    (None, _) => return None,
                }
            }
            left += step.shows.map(u32::from).iter().sum::<u32>();
            let (own, was) = (own?, &step.element);
            let is_same = own.id == was.id && own.inline == was.inline && own.void == was.void;
            (next == left && is_same && own.props == was.props).then_some(())?;
            around = own;
        }
        Some(&around.kids)
    }

    /// All that was shown before, but these where it ends.
    pub fn replace(&self, before: &Element, kids: Vec<Kid>) -> Rc<Element> {
        let mut kids = kids;
        for (nth, step) in self.0.iter().enumerate().rev() {
            let around = nth.checked_sub(1).map_or(before, |outer| &self.0[outer].element);
            let mut all = around.kids.clone();
            all[step.at] = Kid::Element(Rc::new(with_kids(&step.element, kids)));
            kids = all;
        }
        Rc::new(Element::root(kids))
    }

    /// The path of its end among what is left of the document, and in the whole.
    pub fn paths(&self) -> (Vec<u32>, Vec<u32>) {
        self.0.iter().map(|step| (u32::from(step.shows[0]), step.at as u32)).unzip()
    }
}

fn with_kids(element: &Element, kids: Vec<Kid>) -> Element {
    let Element { id, props, inline, void, .. } = element;
    Element { id: id.clone(), props: props.clone(), kids, inline: *inline, void: *void }
}

/// Stands for what is left out, as the view shows it.
pub(super) fn stand_in(nth: u32) -> Kid {
    Kid::Element(Rc::new(Element {
        id: NodeId::Head(Id::of_left_out(nth)),
        props: Rc::default(),
        kids: vec![Kid::Leaf(Leaf::default())],
        inline: false,
        void: true,
    }))
}

pub(super) fn left_out(kid: &Kid) -> Option<u32> {
    match kid {
        Kid::Element(element) => element.id.left_out(),
        Kid::Leaf(_) => None,
    }
}
