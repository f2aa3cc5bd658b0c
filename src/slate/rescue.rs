//! Text of one's own that would be lost because a peer merged or moved its block without knowing of it.
//!
//! Merging or moving a block deletes it and writes a copy elsewhere. What someone typed into the block at the same time
//! is not in the copy, and goes with the original. The one who typed it can tell: the peer's update names all it deleted,
//! and these characters are not among them. So their author, and nobody else, writes them again where the copy has their
//! neighbours; or, if the author's session is over, the one that took over its pending edits. Where there is no copy,
//! because the peer removed the block for good, or somebody else did the same to what the copy was put into, they get a
//! block of their own where theirs was.

use yrs::{Assoc, BranchID, ClientID, ID, IdSet, IndexScope, IndexedSequence as _, ReadTxn, StickyIndex, XmlTextRef};

use super::copies::{self, Copies, CopyRecord, Key};
use super::emit::{Emit, Misfit};
use super::node::{Attrs, Element, Leaf, Node};
use super::op::{Op, Path};
use super::tree::{NodeId, ROOT, Tree};
use super::utf16;

/// Looking at single characters is for blocks, not for whole documents in one.
const MAX_LEN: u32 = 20_000;
/// What an element that is about to vanish holds of ours and the peer did not know.
#[derive(Debug)]
pub(super) struct Orphans {
    pub id: NodeId,
    pub key: ID,
    path: Path,
    /// The elements it is in and itself, from the outside in, and what they are.
    around: Vec<(ID, Attrs)>,
    /// In order; offsets among the element's content.
    runs: Vec<OwnRun>,
}

#[derive(Debug)]
struct OwnRun {
    offset: u32,
    text: String,
    marks: Attrs,
    ids: Vec<copies::Run>,
    /// Whether the update says that it is deleted, which it may say of all that was in the element.
    named: bool,
}

impl OwnRun {
    /// Those of its characters that `is_lost` holds for.
    fn parts(self, is_lost: &impl Fn(ID) -> bool) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        let mut offset = self.offset;
        let mut ids = self.ids.iter().flat_map(|run| run.ids());
        for c in self.text.chars() {
            let len = c.len_utf16() as u32;
            let Some(id) = ids.next() else { break };
            if len > 1 {
                ids.nth(len as usize - 2);
            }
            if is_lost(id) {
                match parts.last_mut() {
                    Some(last) if last.offset + utf16::len(&last.text) == offset => {
                        last.text.push(c);
                        copies::push(&mut last.ids, id, len);
                    }
                    _ => parts.push(Self {
                        offset,
                        text: c.to_string(),
                        marks: self.marks.clone(),
                        ids: vec![copies::Run { id, len }],
                        named: true,
                    }),
                }
            }
            offset += len;
        }
        parts
    }
}

/// What is to be written again, and what it was.
#[derive(Debug)]
pub(super) struct Restored {
    pub op: Op,
    pub origins: Vec<GoneText>,
}

/// What text was.
#[derive(Debug)]
pub(super) struct GoneText {
    /// The element that is gone.
    pub source: ID,
    pub ids: Vec<copies::Run>,
    /// Which element has it now, from the one that is inserted on.
    pub within: Path,
}

/// Where the content of a vanished element is now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refuge {
    /// From this offset on.
    From(NodeId, u32),
    /// At this offset: the rest of it is gone.
    At(NodeId, u32),
    End(NodeId),
}

impl Refuge {
    /// Whether it is still there, and a place for text.
    pub fn is_in(self, tree: &Tree) -> bool {
        let (id, at) = match self {
            Self::From(id, at) | Self::At(id, at) => (id, at.min(tree.content_len(id))),
            Self::End(id) => (id, tree.content_len(id)),
        };
        tree.path(id).is_some() && locate(tree, id, at, false).is_some()
    }
}

/// To be called before the update is applied. `own`: this client, and those it has taken over; `deleted`: what the update
/// says it deletes.
pub(super) fn find<T: ReadTxn>(txn: &T, tree: &Tree, own: &[ClientID], deleted: &IdSet) -> Vec<Orphans> {
    let state = txn.state_vector();
    if deleted.is_empty() || own.iter().all(|client| state.get(client) == 0) {
        return Vec::new();
    }
    tree.doomed(deleted).into_iter().filter_map(|(key, id)| orphans(txn, tree, key, id, own, deleted)).collect()
}

fn orphans<T: ReadTxn>(
    txn: &T,
    tree: &Tree,
    key: ID,
    id: NodeId,
    own: &[ClientID],
    deleted: &IdSet,
) -> Option<Orphans> {
    let block = tree.block(id)?;
    // Whoever types into an element of others watches it; what was typed before the document was opened, nobody has.
    let typed = block.watched || own.contains(&key.client) || own.len() > 1;
    if !typed || block.texts == 0 || block.foreign > 0 || tree.content_len(id) > MAX_LEN {
        return None;
    }
    let branch = block.branch.clone()?;
    let mut runs: Vec<OwnRun> = Vec::new();
    let mut start = 0;
    for &child in &block.children {
        if let Some(leaf) = tree.text(child) {
            let mut at = start;
            for c in leaf.text.chars() {
                let item = branch.sticky_index(txn, at, Assoc::After)?.id().copied();
                let len = c.len_utf16() as u32;
                if let Some(item) = item.filter(|item| own.contains(&item.client)) {
                    let named = deleted.contains(&item);
                    match runs.last_mut() {
                        Some(run) if run.named == named && run.offset + utf16::len(&run.text) == at && at > start => {
                            run.text.push(c);
                            copies::push(&mut run.ids, item, len);
                        }
                        _ => runs.push(OwnRun {
                            offset: at,
                            text: c.to_string(),
                            marks: leaf.marks.to_attrs(),
                            ids: vec![copies::Run { id: item, len }],
                            named,
                        }),
                    }
                }
                at += len;
            }
        }
        start += tree.len(child);
    }
    if runs.is_empty() {
        return None;
    }
    let mut around = Vec::new();
    let mut at = id;
    while let Some(parent) = tree.parent(at) {
        let block = tree.block(at)?;
        around.push((block.key?, block.attrs.to_attrs()));
        at = parent;
    }
    around.reverse();
    Some(Orphans { id, key, path: tree.path(id)?, around, runs })
}

/// Where an element that is gone was.
pub(super) enum GonePlace {
    /// Among the content of one that has text.
    Text(Refuge),
    /// Among other elements: the parent, the index, and at what depth that is.
    Blocks(NodeId, u32, usize),
}

impl Orphans {
    /// Where the outermost of what is gone around the characters was.
    pub fn gap<T: ReadTxn>(&self, txn: &T, tree: &Tree) -> GonePlace {
        // A shared type that is gone stays where it was in its parent, unless that is gone too.
        let gap = self.around.iter().enumerate().rev().find_map(|(depth, (key, _))| {
            let (parent, at) = place_of(txn, tree, *key, Assoc::After)?;
            Some(match tree.block(parent)?.texts {
                0 => GonePlace::Blocks(parent, at, depth),
                _ => GonePlace::Text(Refuge::At(parent, at)),
            })
        });
        gap.unwrap_or_else(|| GonePlace::Blocks(ROOT, tree.children(ROOT).len() as u32, 0))
    }

    /// Keeps what those who removed the element did not know. What an update does not name as deleted they did not. But
    /// a server may name all that went with the element: then their records say what they knew, and without any they
    /// knew everything. Whether anything is left.
    pub fn forget_known(&mut self, copies: &Copies, theirs: &[Key]) -> bool {
        if self.runs.iter().any(|run| run.named) {
            let about = |entry: &&CopyRecord| entry.ended(self.around.iter().map(|(key, _)| *key));
            let records: Vec<&CopyRecord> = theirs.iter().filter_map(|key| copies.entry(*key)).filter(about).collect();
            let is_lost = |id| !records.is_empty() && !records.iter().any(|entry| entry.knew(id));
            let runs = std::mem::take(&mut self.runs);
            self.runs =
                runs.into_iter().flat_map(|run| if run.named { run.parts(&is_lost) } else { vec![run] }).collect();
        }
        !self.runs.is_empty()
    }

    /// Takes the characters out of the element, so that it is what the peer knew.
    pub fn withdraw(&self, emit: &mut Emit) -> Result<(), Misfit> {
        for run in self.runs.iter().rev() {
            let mut left = utf16::len(&run.text);
            while left > 0 {
                let (leaf, offset) = locate(emit.tree, self.id, run.offset, true).ok_or(Misfit)?;
                let len = left.min(emit.tree.len(leaf) - offset);
                emit.remove_text(leaf, offset, len)?;
                left -= len;
            }
        }
        Ok(())
    }
}

/// Where the content of an element that vanished is by the records of what was copied. What the operations show is only
/// what could be recognised: not a merge into a block at whose end someone typed.
pub(super) fn recorded<T: ReadTxn>(txn: &T, tree: &Tree, copies: &Copies, key: ID) -> Option<Refuge> {
    let mut starts = copies.starts_of(key).into_iter();
    starts.find_map(|(id, assoc)| place_of(txn, tree, id, assoc)).map(|(target, at)| Refuge::From(target, at))
}

/// The element that a character or element is in, and where; or was before it was deleted.
pub(super) fn place_of<T: ReadTxn>(txn: &T, tree: &Tree, id: ID, assoc: Assoc) -> Option<(NodeId, u32)> {
    let offset = StickyIndex::new(IndexScope::Relative(id), assoc).get_offset(txn)?;
    let element = tree.element_of(&XmlTextRef::from(offset.branch))?;
    (tree.block(element)?.foreign == 0).then_some((element, offset.index))
}

/// The operations that write the characters again, in the order of application.
pub(super) fn restore(tree: &Tree, placed: &[(Orphans, Refuge)]) -> Vec<Restored> {
    let mut all = Vec::new();
    let mut wanted: Vec<(NodeId, u32, usize, ID, &OwnRun)> = Vec::new();
    for (one, place) in placed {
        let mut before = 0;
        for (index, run) in one.runs.iter().enumerate() {
            let (id, at) = match *place {
                Refuge::From(id, start) => (id, start + run.offset - before),
                Refuge::At(id, at) => (id, at),
                Refuge::End(id) => (id, tree.content_len(id)),
            };
            wanted.push((id, at, index, one.key, run));
            before += utf16::len(&run.text);
        }
    }
    // From the end to the start: what comes later does not shift what comes before.
    wanted.sort_by_key(|&(id, at, index, ..)| (id, at, index));
    for (id, at, _, source, run) in wanted.into_iter().rev() {
        let found = locate(tree, id, at.min(tree.content_len(id)), false);
        let last = || tree.children(id).iter().rev().find(|child| tree.is_text(**child));
        let Some((leaf, offset)) = found.or_else(|| last().map(|&leaf| (leaf, tree.len(leaf)))) else { continue };
        let Some(path) = tree.path(leaf) else { continue };
        let op = Op::InsertText { path, offset, text: run.text.clone() };
        all.push(Restored { op, origins: vec![GoneText { source, ids: run.ids.clone(), within: Path::new() }] });
    }
    all
}

/// Elements of their own for the characters, where theirs were: what they would be written into is gone as well.
pub(super) fn alone(tree: &Tree, mut lost: Vec<(Orphans, NodeId, u32, usize)>) -> Vec<Restored> {
    lost.sort_by(|(a, ..), (b, ..)| a.path.cmp(&b.path));
    let same = |a: &(Orphans, NodeId, u32, usize), b: &(Orphans, NodeId, u32, usize)| {
        a.3 == b.3 && a.0.around[a.3].0 == b.0.around[b.3].0
    };
    let mut all: Vec<(Path, Restored)> = Vec::new();
    for group in lost.chunk_by(same) {
        let Some((_, parent, index, depth)) = group.first() else { continue };
        let Some(mut path) = tree.path(*parent) else { continue };
        path.push(*index);
        let group: Vec<&Orphans> = group.iter().map(|(one, ..)| one).collect();
        let mut origins = Vec::new();
        let node = rebuilt(&group, *depth, &mut Path::new(), &mut origins);
        all.push((path.clone(), Restored { op: Op::InsertNode { path, node }, origins }));
    }
    // From the end to the start, as above; of several in one place the first is the last to be put there.
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into_iter().rev().map(|(_, one)| one).collect()
}

/// The element at `depth` around all of these, with nothing in it but them.
fn rebuilt(group: &[&Orphans], depth: usize, within: &mut Path, origins: &mut Vec<GoneText>) -> Node {
    let attrs = group.first().and_then(|one| one.around.get(depth)).map(|(_, attrs)| attrs.clone());
    let inner = |one: &Orphans| one.around.get(depth + 1).map(|(key, _)| *key);
    let mut children = Vec::new();
    for same in group.chunk_by(|a, b| inner(a).is_some() && inner(a) == inner(b)) {
        match same.first() {
            Some(one) if inner(one).is_none() => {
                let leaf = |run: &OwnRun| Node::Text(Leaf { text: run.text.clone(), marks: run.marks.clone() });
                children.extend(one.runs.iter().map(leaf));
                let ids = one.runs.iter().flat_map(|run| run.ids.iter().copied()).collect();
                origins.push(GoneText { source: one.key, ids, within: within.clone() });
            }
            _ => {
                within.push(children.len() as u32);
                children.push(rebuilt(same, depth + 1, within, origins));
                within.pop();
            }
        }
    }
    Node::Element(Element { attrs: attrs.unwrap_or_default(), children })
}

/// The text at an offset of an element's content; of two texts that meet there, the first or the `second`.
pub(super) fn locate(tree: &Tree, id: NodeId, at: u32, second: bool) -> Option<(NodeId, u32)> {
    let mut start = 0;
    let mut found = None;
    for &child in tree.children(id) {
        let len = tree.len(child);
        if start > at {
            break;
        }
        let inside = if second { at < start + len } else { at <= start + len };
        if tree.is_text(child) && inside {
            found = Some((child, at - start));
            break;
        }
        start += len;
    }
    found
}

impl Tree {
    /// The elements whose shared types are in the set, and those in them that are not: they go with them.
    fn doomed(&self, deleted: &IdSet) -> Vec<(ID, NodeId)> {
        let total: usize =
            deleted.iter().map(|(_, ranges)| ranges.iter().map(|range| range.len()).sum::<usize>()).sum();
        let mut all: Vec<(ID, NodeId)> = if total > self.branches().len() {
            self.branches().filter(|(key, _)| deleted.contains(key)).collect()
        } else {
            let ids = deleted.iter().flat_map(|(client, ranges)| {
                let client = *client;
                ranges.iter().flat_map(move |range| range.clone().map(move |clock| ID::new(client, clock)))
            });
            ids.filter_map(|id| Some((id, self.by_branch(&BranchID::Nested(id))?))).collect()
        };
        let mut at = 0;
        while let Some(&(_, id)) = all.get(at) {
            let inner = self.children(id).iter().filter_map(|&child| Some((self.block(child)?.key?, child)));
            all.extend(inner.filter(|(key, _)| !deleted.contains(key)));
            at += 1;
        }
        all
    }
}
