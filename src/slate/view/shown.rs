//! [`show`]: the view from scratch, and [`tree`]: what the editor is to show.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use yrs::Any;

use super::claims::{ClaimId, ClaimIds, Claims, Voided};
use super::cycles;
use super::partition;
use super::schema::Schema;
use super::settle::settle;
use super::tree::{Chars, Element, Kid as Shown, Leaf, NodeId};
use super::types::{Kid, PieceId, View};
use super::walk::Walker;
use crate::slate::value::node::Attrs;
use crate::slate::value::props::{present, present_of};
use crate::slate::ydoc::{Formats, Id, Item, Mirror, Nid, QuickMap, ROOT, Resolved, Run, resolve};

/// What the document shows. `kept`: heads that are shown although they have nothing to show, as if `@keep` were set.
pub fn show<S: BuildHasher>(mirror: &Mirror, schema: &Schema, kept: &HashSet<Nid, S>) -> View {
    let mut table = vec![false; mirror.capacity()];
    for head in kept {
        if let Some(kept) = table.get_mut(*head as usize) {
            *kept = true;
        }
    }
    show_kept(mirror, schema, &table)
}

/// The same; `kept` says of every node whether it is such a head.
pub fn show_kept(mirror: &Mirror, schema: &Schema, kept: &[bool]) -> View {
    let mut voided = Voided::default();
    let mut nets = 0;
    let mut round = 0;
    loop {
        let claims = Claims::new(mirror, schema, &voided);
        let mut walker = Walker::all(mirror, &claims, schema);
        let stuck: Vec<ClaimId> =
            (0..claims.list.len() as ClaimId).filter(|claim| !walker.reached.contains(claim)).collect();
        if stuck.is_empty() {
            let lost = partition::unshown(mirror, &claims, &mut walker);
            if lost.is_empty() {
                return finish(mirror, kept, &claims, walker, round == 0);
            }
            voided.registers.extend(partition::to_silence(mirror, &claims, &lost, nets));
            nets += 1;
            round += 1;
            continue;
        }
        let void = match walker.refused.is_empty() {
            _ if cycles::is_enough(round, stuck.len()) => stuck.clone(),
            false => walker.refused,
            true => cycles::newest_of_cycles(mirror, &claims, schema, &stuck),
        };
        if cycles::void(&mut voided, &claims, void) == 0 {
            cycles::void(&mut voided, &claims, stuck);
        }
        round += 1;
    }
}

#[cfg(test)]
thread_local! {
    static PIECES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many pieces views on this thread had since this was asked last.
#[cfg(test)]
pub fn take_pieces() -> usize {
    PIECES.take()
}

/// What is done for a test is not counted.
#[cfg(test)]
pub fn uncounted<T>(look: impl FnOnce() -> T) -> T {
    let before = PIECES.get();
    let found = look();
    PIECES.set(before);
    found
}

fn finish(mirror: &Mirror, kept: &[bool], claims: &Claims, walker: Walker, apart: bool) -> View {
    let of = |ids: &ClaimIds| ids.iter().map(|id| claims.get(*id)).map(|claim| (claim.marker, claim.to)).collect();
    #[cfg(test)]
    PIECES.set(PIECES.get() + walker.pieces.len());
    let mut view = View {
        frames: walker.frames,
        by_head: QuickMap::with_capacity_and_hasher(walker.pieces.len(), BuildHasherDefault::default()),
        claims: claims.heads().map(|(head, ids)| (*head, of(ids))).collect(),
        inherited: walker.inherited,
        ignored: claims.ignored,
        pieces: walker.pieces,
        plain: true,
        apart,
        strayed: Vec::new(),
    };
    settle(mirror, &mut view, kept);
    view
}

/// The tree that the editor is to show: leaves and empty texts as Slate's normalizer leaves them.
pub fn tree(mirror: &Mirror, view: &View) -> Rc<Element> {
    Rc::new(element(mirror, view, View::ROOT))
}

/// The element of one piece, as it is in [`tree`].
pub fn element(mirror: &Mirror, view: &View, at: PieceId) -> Element {
    Build { mirror, view, cache: None, none: Rc::default() }.element(at)
}

/// What an element shows that is nothing but the text of a sequence. `head`: its id.
pub fn text_of(items: &[Item], head: Id) -> Vec<Shown> {
    let mut open = OpenStack::from_buf([Open { id: NodeId::Root, props: Rc::default(), kids: Vec::new() }]);
    let mut seen = QuickMap::default();
    let mut cache = None;
    for item in items {
        if let Item::Text(run) = item {
            let (resolved, marks) = resolved(&mut cache, &run.formats);
            surround(&mut open, &resolved, head, &mut seen);
            push_text(&mut open, run, marks);
        }
    }
    close(&mut open, 0);
    spaced(open.pop().map(|open| open.kids).unwrap_or_default())
}

/// What the formats seen last come to: neighbours mostly share them.
type Cache = Option<(Formats, Rc<Resolved>, Rc<Attrs>)>;

fn resolved(cache: &mut Cache, formats: &Formats) -> (Rc<Resolved>, Rc<Attrs>) {
    if let Some((of, resolved, marks)) = cache
        && (Rc::ptr_eq(of, formats) || of == formats)
    {
        return (resolved.clone(), marks.clone());
    }
    let resolved = Rc::new(resolve(formats));
    let marks = Rc::new(present(&resolved.marks));
    *cache = Some((formats.clone(), resolved.clone(), marks.clone()));
    (resolved, marks)
}

struct Build<'a> {
    mirror: &'a Mirror,
    view: &'a View,
    cache: Cache,
    /// No properties.
    none: Rc<Attrs>,
}

/// An element around text that is being filled.
struct Open {
    id: NodeId,
    props: Rc<Attrs>,
    kids: Vec<Shown>,
}

/// Mostly it is one: the element itself.
type OpenStack = SmallVec<[Open; 1]>;

impl Build<'_> {
    /// Recursion is bounded: what is shown deeper than [`MAX_DEPTH`](super::settle::MAX_DEPTH) is flat.
    fn element(&mut self, at: PieceId) -> Element {
        let (mirror, view) = (self.mirror, self.view);
        let piece = view.piece(at);
        let head = mirror.id(piece.head);
        let shows = piece.kids.iter().filter(|kid| !matches!(kid, Kid::Cursor(_))).count();
        let kids = Vec::with_capacity(shows);
        let mut open = OpenStack::from_buf([Open { id: NodeId::Root, props: self.none.clone(), kids }]);
        let mut seen = QuickMap::default();
        for kid in &piece.kids {
            let formats = match kid {
                Kid::Cursor(_) => continue,
                Kid::Piece(piece) => view.piece(*piece).formats.clone(),
                Kid::Text { item, at } => match &mirror.node(at.seq).items[*item as usize] {
                    Item::Text(run) => run.formats.clone(),
                    _ => continue,
                },
            };
            let (resolved, marks) = resolved(&mut self.cache, &formats);
            surround(&mut open, &resolved, head, &mut seen);
            match kid {
                Kid::Piece(piece) => {
                    let element = self.element(*piece);
                    push(&mut open, Shown::Element(Rc::new(element)));
                }
                Kid::Text { item, at } => {
                    if let Item::Text(run) = &mirror.node(at.seq).items[*item as usize] {
                        push_text(&mut open, run, marks);
                    }
                }
                Kid::Cursor(_) => {}
            }
        }
        close(&mut open, 0);
        let kids = open.pop().map(|open| open.kids).unwrap_or_default();
        let id = if piece.head == ROOT { NodeId::Root } else { NodeId::Head(head) };
        let kids = if id == NodeId::Root { kids } else { spaced(kids) };
        Element { id, props: present_of(&piece.props), kids, inline: piece.inline, void: piece.void }
    }
}

/// Opens and closes elements around text, so that what comes next is in these.
fn surround(open: &mut OpenStack, resolved: &Resolved, holder: Id, seen: &mut QuickMap<Arc<str>, u32>) {
    let is_open = |open: &Open, key: &str| matches!(&open.id, NodeId::Around { key: other, .. } if **other == *key);
    let same = resolved.around.iter().zip(&open[1..]).take_while(|(around, open)| is_open(open, &around.key)).count();
    close(open, same);
    for around in &resolved.around[same..] {
        let nth = seen.entry(around.key.clone()).and_modify(|nth| *nth += 1).or_insert(0);
        let id = NodeId::Around { key: around.key.clone(), holder, nth: *nth };
        let mut props = present(&around.props);
        props.insert("type".into(), Any::String(around.kind.clone()));
        open.push(Open { id, props: Rc::new(props), kids: Vec::new() });
    }
}

fn close(open: &mut OpenStack, depth: usize) {
    while open.len() > depth + 1 {
        if let Some(Open { id, props, kids }) = open.pop() {
            let element = Element { id, props, kids: spaced(kids), inline: true, void: false };
            push(open, Shown::Element(Rc::new(element)));
        }
    }
}

fn push(open: &mut [Open], kid: Shown) {
    if let Some(last) = open.last_mut() {
        last.kids.push(kid);
    }
}

fn push_text(open: &mut [Open], run: &Run, marks: Rc<Attrs>) {
    let Some(last) = open.last_mut() else { return };
    let chars = Chars { id: Some(run.id), text: run.text.clone(), len: run.len };
    match last.kids.last_mut() {
        Some(Shown::Leaf(leaf)) if Rc::ptr_eq(&leaf.marks, &marks) || leaf.marks == marks => leaf.push(chars),
        _ => last.kids.push(Shown::Leaf(Leaf { marks, runs: vec![chars] })),
    }
}

/// With the empty texts that Slate wants: in an element without content, and beside inline elements.
pub fn spaced(kids: Vec<Shown>) -> Vec<Shown> {
    let is_inline = |kid: &Shown| matches!(kid, Shown::Element(element) if element.inline);
    let is_element = |kid: &Shown| matches!(kid, Shown::Element(_));
    match kids.first() {
        None => return vec![Shown::Leaf(Leaf::default())],
        Some(first) if is_element(first) && !is_inline(first) => return kids,
        Some(_) => {}
    }
    if !kids.iter().any(is_inline) {
        return kids;
    }
    let mut out: Vec<Shown> = Vec::with_capacity(kids.len() + 2);
    for kid in kids {
        let wants = match is_inline(&kid) {
            true => out.last().is_none_or(is_element),
            false => is_element(&kid) && out.last().is_some_and(is_inline),
        };
        if wants {
            out.push(Shown::Leaf(Leaf::default()));
        }
        out.push(kid);
    }
    if out.last().is_some_and(is_inline) {
        out.push(Shown::Leaf(Leaf::default()));
    }
    out
}
