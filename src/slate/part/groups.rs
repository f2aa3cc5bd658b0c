//! Which segments have to do with each other.

use super::outline::SequenceOutline;
use super::segments::{ChunkOfRows, Segment};
use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::ydoc::{Id, Nid, QuickMap, ROOT};

/// Segments by group, each in order. Those are in one whose items are linked, that share an element or characters before
/// and after, and that `tied` names.
pub(super) fn groups(
    outline: &SequenceOutline,
    chunks: &[ChunkOfRows],
    segments: &[Segment],
    tied: &[(NodeId, NodeId)],
) -> Vec<Vec<usize>> {
    if segments.len() == 1 {
        return vec![vec![0]];
    }
    // One more, for what any may depend on that is linked with the root.
    let mut sets = Sets((0..=segments.len()).collect());
    let of_item = |node: Nid| match node {
        ROOT => Some(segments.len()),
        node => {
            let place = outline.place(node)?;
            let chunk = chunks.partition_point(|chunk| chunk.rows.end <= place);
            chunks.get(chunk)?.segment
        }
    };
    for (a, b) in &outline.links {
        if let (Some(a), Some(b)) = (of_item(*a), of_item(*b)) {
            sets.join(a, b);
        }
    }
    let mut found = WhereBefore::default();
    for (at, segment) in segments.iter().enumerate() {
        segment.kids.iter().for_each(|kid| found.note(kid, at));
    }
    found.chars.sort_unstable_by_key(|(id, ..)| *id);
    let mut new = QuickMap::default();
    for (at, segment) in segments.iter().enumerate() {
        segment.after.iter().for_each(|kid| found.follow(kid, at, &mut new, &mut sets));
    }
    for (a, b) in tied {
        let of = |id: &NodeId| found.elements.get(id).or_else(|| new.get(id)).copied();
        if let (Some(a), Some(b)) = (of(a), of(b)) {
            sets.join(a, b);
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); segments.len() + 1];
    for at in 0..segments.len() {
        groups[sets.find(at)].push(at);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Where everything was before.
#[derive(Default)]
struct WhereBefore {
    elements: QuickMap<NodeId, usize>,
    chars: Vec<(Id, u32, usize)>,
}

impl WhereBefore {
    fn note(&mut self, kid: &Kid, at: usize) {
        match kid {
            Kid::Element(element) => {
                if matches!(element.id, NodeId::Head(_)) {
                    self.elements.insert(element.id.clone(), at);
                }
                element.kids.iter().for_each(|kid| self.note(kid, at));
            }
            Kid::Leaf(leaf) => self.chars.extend(leaf.runs.iter().filter_map(|run| Some((run.id?, run.len, at)))),
        }
    }

    fn follow(&self, kid: &Kid, at: usize, new: &mut QuickMap<NodeId, usize>, sets: &mut Sets) {
        match kid {
            Kid::Element(element) => {
                self.follow_element(element, at, new, sets);
                element.kids.iter().for_each(|kid| self.follow(kid, at, new, sets));
            }
            Kid::Leaf(leaf) => {
                for run in &leaf.runs {
                    let Some(id) = run.id else { continue };
                    let first = self.chars.partition_point(|(start, len, _)| start.plus(len - 1) < id);
                    for (start, _, was) in &self.chars[first..] {
                        if *start >= id.plus(run.len) {
                            break;
                        }
                        sets.join(*was, at);
                    }
                }
            }
        }
    }

    fn follow_element(&self, element: &Element, at: usize, new: &mut QuickMap<NodeId, usize>, sets: &mut Sets) {
        match self.elements.get(&element.id) {
            Some(was) => sets.join(*was, at),
            None => drop(new.insert(element.id.clone(), at)),
        }
    }
}

/// Disjoint sets; each is named by its lowest.
struct Sets(Vec<usize>);

impl Sets {
    fn find(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}
