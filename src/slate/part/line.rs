//! Lines: a strand that breaks divide in pieces which have nothing but text.
//!
//! Its pieces are to it what items are to a list. What stands for some of them is a break with the properties that the last of
//! them hands on.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;

use super::rows::{ItemRow, PieceRow};
use crate::slate::value::props::present;
use crate::slate::view::{FrameId, Kid, Piece, PieceId, View};
use crate::slate::ydoc::{Erase, Formats, Id, Item, Kind, Mirror, Nid, OUTSIDE, Of, Quick, QuickMap, QuickSet, ROOT};

/// Items that follow each other, up to the next break that is on.
pub(super) struct ItemRun {
    pub node: Nid,
    pub items: usize,
    print: u64,
}

/// The pieces of a line as rows; `None`: it is none. `around`: the piece that shows it.
pub(super) fn rows(mirror: &Mirror, view: &View, seq: Nid, around: PieceId) -> Option<Vec<ItemRow>> {
    let runs = runs(mirror, seq)?;
    let first = view.find(seq)?;
    let frame = view.piece(first).frame;
    let (mut rows, mut next) = (Vec::with_capacity(runs.len()), Some(first));
    for run in runs {
        let piece = view.piece(next?);
        (piece.head == run.node && piece.up == around && is_plain_piece(view, piece, frame, seq)).then_some(())?;
        let known = PieceRow { props: piece.props.clone(), print: Some(run.print) };
        rows.push(ItemRow { node: run.node, shows: 1, items: run.items, piece: Some(known) });
        next = piece.next;
    }
    (next.is_none() && rows.len() > 1).then_some(rows)
}

fn is_plain_piece(view: &View, piece: &Piece, frame: FrameId, seq: Nid) -> bool {
    let shown = !piece.hidden && !piece.spill && !piece.again && !piece.inline && !piece.void;
    let walk = view.frame(frame);
    let is_own = |kid: &Kid| match kid {
        Kid::Text { at, .. } | Kid::Cursor(at) => at.seq == seq,
        Kid::Piece(_) => false,
    };
    shown
        && piece.frame == frame
        && piece.gone.is_none()
        && piece.joined.is_empty()
        && walk.owner.is_none()
        && walk.host.is_none()
        && piece.kids.iter().all(is_own)
}

/// Whether nobody names its pieces.
pub(super) fn is_alone(links: &[(Nid, Nid)]) -> bool {
    links.iter().all(|link| *link == (OUTSIDE, ROOT))
}

/// `None`: there is something else in it than text and plain breaks, or somebody names these.
pub(super) fn runs(mirror: &Mirror, seq: Nid) -> Option<Vec<ItemRun>> {
    is_alone(&mirror.links(seq)).then_some(())?;
    let mut runs = vec![ItemRun { node: seq, items: 0, print: 0 }];
    let mut print = Print::default();
    for item in &mirror.node(seq).items {
        if let Item::Node(x) | Item::Left { node: x, .. } = item {
            let registers = &mirror.node(*x).registers;
            let is_plain = registers.kind == Kind::Break
                && registers.of == Of::Absent
                && registers.at.is_none()
                && registers.gone.flatten().is_none()
                && mirror.node(*x).items.is_empty();
            is_plain.then_some(())?;
            if registers.off == Erase::On {
                let done = std::mem::take(&mut print).finish();
                runs.last_mut()?.print = done;
                runs.push(ItemRun { node: *x, items: 0, print: 0 });
            } else {
                print.add(mirror.id(*x), 1, &mirror.node(*x).formats);
            }
        }
        if let Item::Text(run) = item {
            print.add(run.id, run.len, &run.formats);
        }
        runs.last_mut()?.items += 1;
    }
    runs.last_mut()?.print = print.finish();
    Some(runs)
}

/// Heads of pieces whose text changed, that came or are gone, and of those before them.
pub(super) fn changed(rows: &[ItemRow], runs: &[ItemRun]) -> QuickSet<Nid> {
    let before: QuickMap<Nid, u64> =
        rows.iter().filter_map(|row| Some((row.node, row.piece.as_ref()?.print?))).collect();
    let now: QuickMap<Nid, u64> = runs.iter().map(|run| (run.node, run.print)).collect();
    let is_same = |node: &Nid| before.get(node).is_some_and(|print| now.get(node) == Some(print));
    let mut changed = QuickSet::default();
    let heads: [Vec<Nid>; 2] = [rows.iter().map(|row| row.node).collect(), runs.iter().map(|run| run.node).collect()];
    for heads in heads {
        for (at, node) in heads.iter().enumerate().filter(|(_, node)| !is_same(node)) {
            changed.insert(*node);
            changed.extend(at.checked_sub(1).map(|left| heads[left]));
        }
    }
    changed
}

/// These, and the piece before each.
pub(super) fn with_those_before(rows: &[ItemRow], runs: &[ItemRun], nodes: &QuickSet<Nid>) -> QuickSet<Nid> {
    let mut all = nodes.clone();
    all.extend(rows.windows(2).filter(|pair| nodes.contains(&pair[1].node)).map(|pair| pair[0].node));
    all.extend(runs.windows(2).filter(|pair| nodes.contains(&pair[1].node)).map(|pair| pair[0].node));
    all
}

/// Whether what comes behind inherits the same from both.
pub(super) fn hand_on_the_same(before: Option<&ItemRow>, now: Option<&ItemRow>) -> bool {
    let props = |row: Option<&ItemRow>| row.and_then(|row| row.piece.as_ref()).map(|piece| piece.props.clone());
    match (props(before), props(now)) {
        (Some(before), Some(now)) => Rc::ptr_eq(&before, &now) || before == now || present(&before) == present(&now),
        _ => false,
    }
}

/// The same text in other runs has the same.
#[derive(Default)]
struct Print {
    hasher: Option<Quick>,
    open: Option<(Id, u32, u64)>,
}

impl Print {
    fn add(&mut self, id: Id, len: u32, formats: &Formats) {
        let look = if formats.is_empty() { 0 } else { look(formats) };
        match &mut self.open {
            Some((start, count, other)) if start.plus(*count) == id && *other == look => *count += len,
            open => {
                let done = open.replace((id, len, look));
                self.close(done);
            }
        }
    }

    fn close(&mut self, run: Option<(Id, u32, u64)>) {
        if let Some(run) = run {
            run.hash(self.hasher.get_or_insert_default());
        }
    }

    fn finish(mut self) -> u64 {
        let last = self.open.take();
        self.close(last);
        self.hasher.map_or(0, |hasher| hasher.finish())
    }
}

fn look(formats: &Formats) -> u64 {
    use std::hash::BuildHasher as _;
    let mut hasher = BuildHasherDefault::<Quick>::default().build_hasher();
    for (key, value) in formats.iter() {
        key.hash(&mut hasher);
        format!("{value:?}").hash(&mut hasher);
    }
    hasher.finish()
}
