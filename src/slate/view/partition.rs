//! The safety net: whatever the registers say, every character and every element is shown once.

use super::claims::{Claims, chain_of};
use super::types::Kid;
use super::walk::Walker;
use crate::slate::ydoc::{Item, Kind, Mirror, Nid, QuickSet, ROOT};

/// So many times the registers of single chains are void; then all.
const CHAINS: u32 = 8;

/// What of a walk is not shown: the sequences that have such a text, and strands without a claim that no walk began. What is
/// in a place, a seam or what nobody knows need not be, if it was not moved out.
///
/// A text that is shown twice counts where it comes first, and is taken out where it comes again.
pub(super) fn unshown(mirror: &Mirror, claims: &Claims, walker: &mut Walker) -> Vec<Nid> {
    if claims.list.is_empty() {
        return Vec::new();
    }
    let shown = Shown::mark(mirror, walker);
    let mut lost = Vec::new();
    let mut todo = vec![ROOT];
    while let Some(x) = todo.pop() {
        let is_whole = shown.is_whole(mirror, x);
        let is_begun = x == ROOT || mirror.kind(x) == Kind::Break || walker.begun[x as usize];
        if !is_whole || (!is_begun && claims.of(x).is_empty()) {
            lost.push(x);
        }
        todo.extend(mirror.node(x).items.iter().filter_map(|item| match item {
            Item::Node(inner) if matches!(mirror.kind(*inner), Kind::Strand | Kind::Break) => Some(*inner),
            _ => None,
        }));
    }
    lost
}

/// Which items are shown, those of all sequences in one list.
struct Shown {
    starts: Vec<usize>,
    is_shown: Vec<bool>,
}

impl Shown {
    fn mark(mirror: &Mirror, walker: &mut Walker) -> Self {
        let mut starts = vec![0; mirror.capacity()];
        let mut end = 0;
        for x in mirror.alive() {
            starts[x as usize] = end;
            end += mirror.node(x).items.len();
        }
        let mut shown = Self { starts, is_shown: vec![false; end] };
        let mut again = Vec::new();
        let mut todo = vec![(0, 0)];
        while let Some((piece, kid)) = todo.pop() {
            let Some(this) = walker.pieces[piece as usize].kids.get(kid) else { continue };
            todo.push((piece, kid + 1));
            match this {
                Kid::Piece(inner) => todo.push((*inner, 0)),
                Kid::Text { item, at } => {
                    let text = &mut shown.is_shown[shown.starts[at.seq as usize] + *item as usize];
                    if std::mem::replace(text, true) {
                        again.push((piece, kid));
                    }
                }
                Kid::Cursor(_) => {}
            }
        }
        // The last of a piece first, so that the places of those before it hold.
        again.sort_unstable();
        for (piece, kid) in again.into_iter().rev() {
            walker.pieces[piece as usize].kids.remove(kid);
        }
        shown
    }

    fn is_whole(&self, mirror: &Mirror, seq: Nid) -> bool {
        let start = self.starts[seq as usize];
        let mut texts = mirror.node(seq).items.iter().enumerate().filter(|(_, item)| matches!(item, Item::Text(_)));
        texts.all(|(at, _)| self.is_shown[start + at])
    }
}

/// The heads whose registers are void, so that it is shown: of the chains that it stands in; if these have none (any more), of
/// those around these; else all.
pub(super) fn to_silence(mirror: &Mirror, claims: &Claims, lost: &[Nid], nets: u32) -> Vec<Nid> {
    let all = || claims.heads().map(|(head, _)| *head);
    let of_chains = |chains: QuickSet<Nid>| -> Vec<Nid> {
        all().filter(|head| chain_of(mirror, *head).is_some_and(|chain| chains.contains(&chain))).collect()
    };
    if nets >= CHAINS {
        return all().collect();
    }
    let near = of_chains(lost.iter().filter_map(|x| chain_of(mirror, *x)).collect());
    if !near.is_empty() {
        return near;
    }
    let mut around = QuickSet::default();
    for x in lost {
        let mut x = *x;
        while around.insert(x) && x != ROOT {
            x = mirror.node(x).up;
        }
    }
    match of_chains(around.iter().filter_map(|x| chain_of(mirror, *x)).collect()) {
        far if far.is_empty() => all().collect(),
        far => far,
    }
}
