//! [`Way`]: from the root to the sequence that is divided.

use std::ops::Range;
use std::rc::Rc;

use crate::slate::value::node::Attrs;
use crate::slate::value::props::present;
use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::{Id, Item, Mirror, Nid, ROOT};

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

/// The end of a way that leads to a line: what it shows stands among the elements of the sequence that it stands in.
#[derive(Debug)]
struct LineStep {
    seq: Nid,
    item: Nid,
    /// Its pieces among the elements, and how many these are.
    range: Range<usize>,
    all: usize,
}

/// See the module. What does not stand on it is left out.
#[derive(Debug, Default)]
pub(super) struct Way {
    steps: Vec<WayStep>,
    line: Option<LineStep>,
}

impl LineStep {
    fn shows(&self) -> [bool; 2] {
        [self.range.start > 0, self.range.end < self.all]
    }
}

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
        Some(Self { steps, line: None })
    }

    /// To a line, of which these elements of the sequence around it are the pieces.
    pub fn to_line(item: Nid, range: Range<usize>, mirror: &Mirror, before: &Element) -> Option<Self> {
        let seq = mirror.node(item).up;
        let way = Self::to(seq, mirror, before)?;
        let all = way.end(before).kids.len();
        (range.end <= all).then_some(Self { line: Some(LineStep { seq, item, range, all }), ..way })
    }

    /// From now on each sequence on the way has only the item through which it leads.
    pub fn narrow(&self, mirror: &mut Mirror) -> bool {
        self.steps.iter().all(|step| mirror.narrow(step.seq, step.item, step.shows))
            && self.line.as_ref().is_none_or(|line| mirror.narrow(line.seq, line.item, line.shows()))
    }

    /// Whether nothing came to stand beside a line.
    pub fn is_kept(&self, mirror: &Mirror) -> bool {
        let is_kept = |line: &LineStep, item: &Item| match item {
            Item::Left { .. } => true,
            item => item.node() == Some(line.item),
        };
        self.line.as_ref().is_none_or(|line| mirror.node(line.seq).items.iter().all(|item| is_kept(line, item)))
    }

    fn left_on_steps(&self) -> u32 {
        self.steps.iter().flat_map(|step| step.shows).map(u32::from).sum()
    }

    /// How many elements stand for what is left out on it.
    pub fn left_out(&self) -> u32 {
        self.left_on_steps() + self.line.iter().flat_map(LineStep::shows).map(u32::from).sum::<u32>()
    }

    /// The last element on it, of a tree that was shown before.
    fn end<'a>(&'a self, before: &'a Element) -> &'a Element {
        self.steps.last().map_or(before, |step| &step.element)
    }

    /// What was shown before where it ends.
    pub fn kids<'a>(&'a self, before: &'a Element) -> &'a [Kid] {
        let kids = &self.end(before).kids;
        match &self.line {
            Some(line) => &kids[line.range.clone()],
            None => kids,
        }
    }

    /// The root of which nothing is there but the way, and these where it ends.
    pub fn lead_to(&self, kids: Vec<Kid>) -> Rc<Element> {
        let (mut kids, mut left) = (kids, self.left_on_steps());
        if let Some(line) = &self.line {
            kids = between(line.shows(), left, kids);
        }
        for step in self.steps.iter().rev() {
            left -= step.shows.map(u32::from).iter().sum::<u32>();
            let own = Kid::Element(Rc::new(with_kids(&step.element, kids)));
            kids = between(step.shows, left, vec![own]);
        }
        Rc::new(Element::root(kids))
    }

    /// What is shown where it ends now; `None`: something else became of what stands on it.
    pub fn follow<'a>(&self, now: &'a Element) -> Option<&'a [Kid]> {
        let (mut around, mut left) = (now, 0);
        for step in &self.steps {
            let [Kid::Element(own)] = within(step.shows, &mut left, &around.kids)? else { return None };
            let was = &step.element;
            let is_same = own.id == was.id && own.inline == was.inline && own.void == was.void;
            (is_same && own.props == was.props).then_some(())?;
            around = own;
        }
        match &self.line {
            Some(line) => within(line.shows(), &mut left, &around.kids),
            None => Some(&around.kids),
        }
    }

    /// Of what is shown where it ends these are others now: which of the elements at the top are, and what is shown in their
    /// place.
    pub fn replace(&self, range: Range<usize>, kids: Vec<Kid>) -> (Range<usize>, Vec<Kid>) {
        let from = self.line.as_ref().map_or(0, |line| line.range.start);
        let (mut range, mut kids) = (range.start + from..range.end + from, kids);
        for step in self.steps.iter().rev() {
            let was = &step.element.kids;
            let all = [&was[..range.start], &kids, &was[range.end..]].concat();
            (range, kids) = (step.at..step.at + 1, vec![Kid::Element(Rc::new(with_kids(&step.element, all)))]);
        }
        (range, kids)
    }

    /// How many elements those before a line, and behind it, are.
    pub fn beside(&self) -> [Option<u32>; 2] {
        let Some(line) = &self.line else { return [None; 2] };
        [line.range.start, line.all - line.range.end].map(|count| Some(count as u32).filter(|count| *count > 0))
    }

    /// The path of its end among what is left of the document, and in the whole.
    pub fn paths(&self) -> (Vec<u32>, Vec<u32>) {
        self.steps.iter().map(|step| (u32::from(step.shows[0]), step.at as u32)).unzip()
    }
}

fn with_kids(element: &Element, kids: Vec<Kid>) -> Element {
    let Element { id, props, inline, void, .. } = element;
    Element { id: id.clone(), props: props.clone(), kids, inline: *inline, void: *void }
}

/// With what stands before and behind them.
fn between(shows: [bool; 2], first: u32, mut kids: Vec<Kid>) -> Vec<Kid> {
    let [before, behind] = shows;
    if before {
        kids.insert(0, stand_in(first, None));
    }
    kids.extend(behind.then(|| stand_in(first + u32::from(before), None)));
    kids
}

/// Without that; `first` is counted up.
fn within<'a>(shows: [bool; 2], first: &mut u32, mut kids: &'a [Kid]) -> Option<&'a [Kid]> {
    let [before, behind] = shows;
    if before {
        let (stand, rest) = kids.split_first()?;
        (left_out(stand) == Some(*first)).then_some(())?;
        (kids, *first) = (rest, *first + 1);
    }
    if behind {
        let (stand, rest) = kids.split_last()?;
        (left_out(stand) == Some(*first)).then_some(())?;
        (kids, *first) = (rest, *first + 1);
    }
    Some(kids)
}

/// Stands for what is left out, as the view shows it; of a line with these properties.
pub(super) fn stand_in(nth: u32, piece: Option<&Attrs>) -> Kid {
    Kid::Element(Rc::new(Element {
        id: NodeId::Head(Id::of_left_out(nth)),
        props: piece.map_or_else(Rc::default, |props| Rc::new(present(props))),
        kids: vec![Kid::Leaf(Leaf::default())],
        inline: false,
        void: piece.is_none(),
    }))
}

pub(super) fn left_out(kid: &Kid) -> Option<u32> {
    match kid {
        Kid::Element(element) => element.id.left_out(),
        Kid::Leaf(_) => None,
    }
}
