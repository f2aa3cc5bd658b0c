//! [`Work`]: the editor's tree as a flush works on it: every element may be given an id, and every character.

use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use yrs::Any;

use super::leaf;
use super::tree::EditorTree;
use crate::slate::value::node::Attrs;
use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::{Id, QuickMap};

pub(super) type WorkId = usize;

#[derive(Debug)]
pub(super) struct WorkNode {
    /// `None`: not in the document (yet), or an element around text.
    pub head: Option<Id>,
    /// An element around text: the key of its format, once it has one.
    pub key: Option<Arc<str>>,
    /// It was divided from the element of this head.
    pub origin: Option<Id>,
    pub props: Rc<Attrs>,
    pub inline: bool,
    pub void: bool,
    pub changed: bool,
    pub moved: bool,
    /// This flush has put it where it is.
    pub placed: bool,
    /// In which pass it was written with all that is in it; 0: in none.
    pub filled: usize,
    pub parent: Option<WorkId>,
    pub kids: Vec<WorkKid>,
}

#[derive(Debug)]
pub(super) enum WorkKid {
    Node(WorkId),
    Leaf(Leaf),
}

/// One thing that an element has to show: characters that follow each other (by id; or all new), or an element.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Of the first character, or of the element.
    pub id: Option<Id>,
    pub what: Want,
    /// Elements around it, the outermost first.
    pub around: Rc<[WorkId]>,
}

#[derive(Debug, Clone)]
pub(super) enum Want {
    /// `at`: in which leaf, and at which offset.
    Text {
        text: Arc<str>,
        len: u32,
        marks: Rc<Attrs>,
        at: LeafOffset,
    },
    Element(WorkId),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LeafOffset {
    pub node: WorkId,
    pub kid: usize,
    pub offset: u32,
}

impl Wanted {
    pub fn element(&self) -> Option<WorkId> {
        match self.what {
            Want::Element(node) => Some(node),
            Want::Text { .. } => None,
        }
    }
}

/// Where characters of the document are in the editor's tree.
#[derive(Debug, Clone, Copy)]
struct TreeRange {
    id: Id,
    len: u32,
    parent: WorkId,
}

#[derive(Debug)]
pub(super) struct Work {
    pub nodes: Vec<WorkNode>,
    pub by_head: QuickMap<Id, WorkId>,
    /// Empty if nothing was joined.
    pub by_source: QuickMap<NodeId, WorkId>,
    /// Inner elements first.
    pub inner_first: Vec<WorkId>,
    ranges: Vec<TreeRange>,
}

pub(super) const TOP: WorkId = 0;

impl Work {
    pub fn new(tree: &EditorTree) -> Self {
        let mut work = Self {
            nodes: Vec::new(),
            by_head: QuickMap::default(),
            by_source: QuickMap::default(),
            inner_first: Vec::new(),
            ranges: Vec::new(),
        };
        work.add(tree, &tree.root, None);
        work.ranges.sort_unstable_by_key(|range| range.id);
        // What has a key and can have none in the document any more is written as a strand.
        for at in 0..work.nodes.len() {
            if work.nodes[at].key.is_some() && !work.is_around(at) {
                work.nodes[at].key = None;
            }
        }
        work
    }

    fn add(&mut self, tree: &EditorTree, element: &Element, parent: Option<WorkId>) -> WorkId {
        let at = self.nodes.len();
        let origin = tree.origins.get(&element.id);
        let (head, key) = match &element.id {
            NodeId::Root => (Some(Id::ROOT), None),
            NodeId::Head(id) => (Some(*id), None),
            NodeId::Around { key, .. } => (None, Some(key.clone())),
            NodeId::New(_) => (None, origin.and_then(|origin| origin.key.clone())),
        };
        self.nodes.push(WorkNode {
            head,
            key,
            origin: origin.and_then(|origin| origin.head).filter(|_| head.is_none()),
            props: element.props.clone(),
            inline: element.inline,
            void: element.void,
            changed: tree.changed.contains(&element.id),
            moved: tree.moved.contains(&element.id),
            placed: false,
            filled: 0,
            parent,
            kids: Vec::with_capacity(element.kids.len()),
        });
        if let Some(head) = head {
            self.by_head.insert(head, at);
        }
        if !tree.joins.is_empty() {
            self.by_source.insert(element.id.clone(), at);
        }
        for kid in &element.kids {
            let kid = match kid {
                Kid::Element(kid) => WorkKid::Node(self.add(tree, kid, Some(at))),
                Kid::Leaf(leaf) => {
                    let known = leaf.runs.iter().filter_map(|run| Some((run.id?, run.len)));
                    self.ranges.extend(known.map(|(id, len)| TreeRange { id, len, parent: at }));
                    WorkKid::Leaf(leaf.clone())
                }
            };
            self.nodes[at].kids.push(kid);
        }
        self.inner_first.push(at);
        at
    }

    pub fn node(&self, at: WorkId) -> &WorkNode {
        &self.nodes[at]
    }

    pub fn set_head(&mut self, at: WorkId, head: Id) {
        self.nodes[at].head = Some(head);
        self.by_head.insert(head, at);
    }

    /// In which element a character is; `None`: the editor has it no more.
    pub fn parent_of_char(&self, id: Id) -> Option<WorkId> {
        let at = self.ranges.partition_point(|range| range.id <= id).checked_sub(1)?;
        let range = self.ranges[at];
        let is_in = range.id.client == id.client && id.clock - range.id.clock < range.len;
        is_in.then_some(range.parent)
    }

    /// Whether one element has all of these characters, in one run.
    pub fn has_all(&self, id: Id, len: u32) -> bool {
        let Some(at) = self.ranges.partition_point(|range| range.id <= id).checked_sub(1) else { return false };
        let range = self.ranges[at];
        range.id.client == id.client && id.clock + len <= range.id.clock + range.len
    }

    /// Characters that are in the document from now on.
    pub fn note_chars(&mut self, id: Id, len: u32, parent: WorkId) {
        let at = self.ranges.partition_point(|range| range.id <= id);
        self.ranges.insert(at, TreeRange { id, len, parent });
    }

    /// Which of the characters that follow each other the editor has, as [offset, length, element], in order.
    pub fn kept(&self, id: Id, len: u32) -> SmallVec<[(u32, u32, WorkId); 2]> {
        let mut kept = SmallVec::new();
        let end = id.clock + len;
        let first = self.ranges.partition_point(|range| range.id <= id).saturating_sub(1);
        for range in &self.ranges[first..] {
            if range.id >= id.plus(len) {
                break;
            }
            if range.id.client != id.client {
                continue;
            }
            let (from, to) = (range.id.clock.max(id.clock), (range.id.clock + range.len).min(end));
            if from < to {
                kept.push((from - id.clock, to - from, range.parent));
            }
        }
        kept
    }

    /// Nearest element, from this one outwards, that is not around text, nor will be.
    pub fn holder(&self, mut at: WorkId) -> WorkId {
        while self.nodes[at].key.is_some() || self.is_around(at) {
            match self.nodes[at].parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }

    pub fn is_within(&self, mut at: WorkId, outer: WorkId) -> bool {
        loop {
            if at == outer {
                return true;
            }
            match self.nodes[at].parent {
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }

    /// Has it anything that was there before this flush?
    pub fn has_old(&self, at: WorkId) -> bool {
        self.nodes[at].kids.iter().any(|kid| match kid {
            WorkKid::Leaf(leaf) => leaf.runs.iter().any(|run| run.id.is_some()),
            WorkKid::Node(kid) => self.nodes[*kid].head.is_some() || self.has_old(*kid),
        })
    }

    /// Whether an element comes right behind another.
    pub fn follows(&self, left: WorkId, right: WorkId) -> bool {
        let is = |kid: &WorkKid, at: WorkId| matches!(kid, WorkKid::Node(node) if *node == at);
        let kids = self.nodes[left].parent.map(|parent| &self.nodes[parent].kids);
        kids.is_some_and(|kids| kids.windows(2).any(|pair| is(&pair[0], left) && is(&pair[1], right)))
    }

    /// Whether it has blocks.
    pub fn holds(&self, at: WorkId) -> bool {
        self.nodes[at].kids.iter().any(|kid| matches!(kid, WorkKid::Node(kid) if !self.nodes[*kid].inline))
    }

    /// Whether it is new, with all that is in it.
    pub fn is_all_new(&self, at: WorkId) -> bool {
        self.nodes[at].head.is_none() && !self.has_old(at)
    }

    /// The first that it has to show and that was there before this flush.
    pub fn first_old(&self, at: WorkId) -> Option<Id> {
        self.nodes[at].kids.iter().find_map(|kid| match kid {
            WorkKid::Leaf(leaf) => leaf.runs.iter().find_map(|run| run.id),
            WorkKid::Node(kid) if self.is_around(*kid) => self.first_old(*kid),
            WorkKid::Node(kid) => self.nodes[*kid].head,
        })
    }

    /// The first element that it takes over, in itself or in what is new in it.
    pub fn first_element(&self, at: WorkId) -> Option<Id> {
        self.nodes[at].kids.iter().find_map(|kid| match kid {
            WorkKid::Leaf(_) => None,
            WorkKid::Node(kid) => self.nodes[*kid].head.or_else(|| self.first_element(*kid)),
        })
    }

    fn is_filled(&self, at: WorkId) -> bool {
        self.nodes[at].kids.iter().any(|kid| match kid {
            WorkKid::Leaf(leaf) => !leaf.runs.is_empty(),
            // Around text, or a strand.
            WorkKid::Node(_) => true,
        })
    }

    /// An element around text is a keyed format. Empty ones, voids, those that are strands already, and those within one of
    /// their own type (a character shows one element of a name), are strands.
    pub fn is_around(&self, at: WorkId) -> bool {
        let node = &self.nodes[at];
        node.head.is_none()
            && (node.key.is_some() || (node.inline && !node.void))
            && self.kind(at).is_some()
            && node.kids.iter().all(|kid| match kid {
                WorkKid::Leaf(_) => true,
                WorkKid::Node(kid) => self.nodes[*kid].inline,
            })
            && self.is_filled(at)
            && !self.is_in_its_like(at)
    }

    /// Whether one of its type is around it as a format.
    fn is_in_its_like(&self, at: WorkId) -> bool {
        let kind = self.kind(at);
        let mut inner = at;
        while let Some(outer) = self.nodes[inner].parent.filter(|outer| self.is_around(*outer)) {
            if self.kind(outer) == kind {
                return true;
            }
            inner = outer;
        }
        false
    }

    /// The name of an element around text.
    pub fn kind(&self, at: WorkId) -> Option<Arc<str>> {
        match self.nodes[at].props.get("type") {
            Some(Any::String(kind)) => Some(kind.clone()),
            _ => None,
        }
    }

    pub fn wanted(&self, at: WorkId) -> Vec<Wanted> {
        let mut out = Vec::new();
        self.collect(at, &Rc::from([]), &mut out);
        out
    }

    fn collect(&self, at: WorkId, around: &Rc<[WorkId]>, out: &mut Vec<Wanted>) {
        for (kid, each) in self.nodes[at].kids.iter().enumerate() {
            match each {
                WorkKid::Leaf(leaf) => {
                    let mut offset = 0;
                    for run in &leaf.runs {
                        let at = LeafOffset { node: at, kid, offset };
                        let what = Want::Text { text: run.text.clone(), len: run.len, marks: leaf.marks.clone(), at };
                        out.push(Wanted { id: run.id, what, around: around.clone() });
                        offset += run.len;
                    }
                }
                WorkKid::Node(kid) if self.is_around(*kid) => {
                    let inner: Rc<[WorkId]> = around.iter().copied().chain([*kid]).collect();
                    self.collect(*kid, &inner, out);
                }
                WorkKid::Node(kid) => {
                    let what = Want::Element(*kid);
                    out.push(Wanted { id: self.nodes[*kid].head, what, around: around.clone() });
                }
            }
        }
    }

    /// [`Work::wanted`], by id and length (0: an element), as long as it is to go on. Whether it did.
    pub fn each_wanted(&self, at: WorkId, each: &mut impl FnMut(Option<Id>, u32) -> bool) -> bool {
        self.nodes[at].kids.iter().all(|kid| match kid {
            WorkKid::Leaf(leaf) => leaf.runs.iter().all(|run| each(run.id, run.len)),
            WorkKid::Node(kid) if self.is_around(*kid) => self.each_wanted(*kid, each),
            WorkKid::Node(kid) => each(self.nodes[*kid].head, 0),
        })
    }

    /// The elements, not around text, of which it has to show itself.
    pub fn elements(&self, at: WorkId) -> Vec<WorkId> {
        let mut out = Vec::new();
        for kid in &self.nodes[at].kids {
            match kid {
                WorkKid::Node(kid) if self.is_around(*kid) => out.extend(self.elements(*kid)),
                WorkKid::Node(kid) => out.push(*kid),
                WorkKid::Leaf(_) => {}
            }
        }
        out
    }

    /// Characters from a place in a leaf on have these ids from now on (`None`: they are new).
    pub fn set_ids(&mut self, at: LeafOffset, len: u32, id: Option<Id>) {
        let Some(WorkKid::Leaf(leaf)) = self.nodes[at.node].kids.get_mut(at.kid) else { return };
        if let ([run], 0) = (leaf.runs.as_mut_slice(), at.offset)
            && run.len == len
        {
            run.id = id;
            return;
        }
        let mut middle = Leaf { runs: leaf::split_off(leaf, at.offset), ..Leaf::default() };
        let behind = leaf::split_off(&mut middle, len);
        let mut next = id;
        for run in &mut middle.runs {
            run.id = next;
            next = next.map(|id| id.plus(run.len));
        }
        leaf::append(leaf, middle.runs);
        leaf::append(leaf, behind);
    }
}
