//! What is hidden, what is transparent, and where bare text beside blocks is shown.

use super::types::{FrameId, Kid, Piece, PieceId, View};
use crate::slate::ydoc::{Mirror, none};

/// Elements that would be shown deeper are transparent.
pub const MAX_DEPTH: usize = 100;

/// `kept`: heads that are shown although they have nothing.
pub(super) fn settle(mirror: &Mirror, view: &mut View, kept: &[bool]) {
    let mut chains = Chains::new(view);
    let order = post_order(view, kept);
    for (at, depth) in order {
        if !view.piece(at).again {
            view.by_head.insert(view.piece(at).head, at);
        }
        chains.settle_next(at);
        settle_one(mirror, view, kept, &mut chains, at, depth);
    }
    stray(view);
}

/// Pieces with their depth, what is shown in one before it. An unwrapped element is no step down: who wraps and unwraps a block
/// a hundred times has not lost it. (If nothing in it lives, it is hidden.)
fn post_order(view: &View, kept: &[bool]) -> Vec<(PieceId, usize)> {
    let is_unwrapped =
        |piece: &Piece| piece.again || piece.gone.is_some_and(|gone| gone.unwrap) && !kept[piece.head as usize];
    let mut order = Vec::with_capacity(view.pieces.len());
    let mut todo = vec![(View::ROOT, 0, false)];
    while let Some((at, depth, done)) = todo.pop() {
        if done {
            order.push((at, depth));
            continue;
        }
        todo.push((at, depth, true));
        let kids = view.piece(at).kids.iter().rev();
        todo.extend(kids.filter_map(|kid| match kid {
            Kid::Piece(piece) => Some((*piece, depth + usize::from(!is_unwrapped(view.piece(*piece))), false)),
            _ => None,
        }));
    }
    order
}

/// Which chains hold blocks: before a piece as they came out, behind it as they were walked.
struct Chains {
    held: Vec<bool>,
    to_come: Vec<u32>,
    has_blocks: Vec<bool>,
    outer: Vec<FrameId>,
    /// Pieces that live without what is kept.
    lives: Vec<bool>,
}

impl Chains {
    fn new(view: &View) -> Self {
        let outer: Vec<FrameId> = view.pieces.iter().map(|piece| view.outer(piece.frame)).collect();
        let is_block = |kid: &Kid| matches!(kid, Kid::Piece(piece) if !view.piece(*piece).inline);
        let has_blocks: Vec<bool> = view.pieces.iter().map(|piece| piece.kids.iter().any(is_block)).collect();
        let mut to_come = vec![0; view.frames.len()];
        for (frame, _) in outer.iter().zip(&has_blocks).filter(|(_, has)| **has) {
            to_come[*frame as usize] += 1;
        }
        Self { held: vec![false; view.frames.len()], to_come, has_blocks, outer, lives: vec![false; view.pieces.len()] }
    }

    /// It is this piece's turn: it does not come behind any more.
    fn settle_next(&mut self, at: PieceId) {
        if self.has_blocks[at as usize] {
            self.to_come[self.outer[at as usize] as usize] -= 1;
        }
    }

    /// Whether another piece of its chain holds blocks.
    fn holds(&self, at: PieceId) -> bool {
        let outer = self.outer[at as usize] as usize;
        self.held[outer] || self.to_come[outer] > 0
    }

    fn settled(&mut self, at: PieceId, holds: bool) {
        if holds {
            self.held[self.outer[at as usize] as usize] = true;
        }
    }
}

fn settle_one(mirror: &Mirror, view: &mut View, kept: &[bool], chains: &mut Chains, at: PieceId, depth: usize) {
    let walked = std::mem::take(&mut view.pieces[at as usize].kids);
    if at == View::ROOT {
        show_lines(view, &walked);
    }
    let stays = |kid: &Kid| match kid {
        Kid::Piece(kid) => !view.piece(*kid).spill && !view.piece(*kid).hidden,
        _ => true,
    };
    let lives = |kid: &Kid| match kid {
        Kid::Piece(kid) => chains.lives[*kid as usize],
        Kid::Text { .. } => true,
        Kid::Cursor(_) => false,
    };
    // Whether it lives without what is kept.
    let mut own_life = walked.iter().any(lives);
    // Mostly nothing changes.
    let is_same = walked.iter().all(stays);
    let mut kids = if is_same { Vec::new() } else { Vec::with_capacity(walked.len()) };
    let (mut some, mut live, mut holds, mut absent) = (false, false, false, false);
    for kid in &walked {
        let kid = kid.clone();
        let Kid::Piece(id) = kid else {
            (some, live) = match kid {
                Kid::Text { .. } => (true, true),
                _ => (some, live),
            };
            if !is_same {
                kids.push(kid);
            }
            continue;
        };
        let piece = &mut view.pieces[id as usize];
        let (hidden, spill, is_block) = (piece.hidden, piece.spill, !piece.inline);
        if spill {
            for inner in std::mem::take(&mut piece.kids) {
                match inner {
                    Kid::Piece(inner) => {
                        let inner = &mut view.pieces[inner as usize];
                        inner.up = at;
                        (some, live, holds) = (true, live || inner.live, holds || !inner.inline);
                    }
                    Kid::Text { .. } => (some, live) = (true, true),
                    Kid::Cursor(_) => {}
                }
                kids.push(inner);
            }
        } else if hidden {
            absent |= is_block;
        } else {
            (some, live, holds) = (true, live || piece.live, holds || is_block);
            if !is_same {
                kids.push(kid);
            }
        }
    }
    let registers = &mirror.node(view.piece(at).head).registers;
    let piece = &mut view.pieces[at as usize];
    piece.kids = if is_same { walked } else { kids };
    piece.absent |= absent;
    piece.holds = holds;
    let is_kept_alive = piece.gone.is_none() && (piece.void || (registers.keep && !piece.inline));
    piece.live = live || is_kept_alive;
    own_life |= is_kept_alive;
    chains.lives[at as usize] = own_life;
    if !piece.inline {
        // Formats are of text and inline elements.
        piece.formats = none();
    }
    let is_plain = decide(piece, at, registers.keep, registers.open, some, kept, chains);
    if (depth > MAX_DEPTH || piece.again) && !piece.hidden {
        piece.spill = true;
    }
    let holds = piece.holds;
    view.plain &= is_plain;
    chains.settled(at, holds);
}

/// Where nothing else is at the top, transparent lines are shown: no editor keeps bare text there.
fn show_lines(view: &mut View, kids: &[Kid]) {
    let is_block = |kid: &Kid| match kid {
        Kid::Piece(kid) => !view.piece(*kid).hidden && !view.piece(*kid).inline,
        _ => false,
    };
    let is_shown = |kid: &Kid| match kid {
        Kid::Piece(id) if view.piece(*id).spill => view.piece(*id).kids.iter().any(is_block),
        kid => is_block(kid),
    };
    if kids.iter().any(is_shown) {
        return;
    }
    for kid in kids {
        if let Kid::Piece(kid) = kid {
            let piece = &mut view.pieces[*kid as usize];
            if piece.spill && !piece.again && !piece.inline {
                (piece.spill, view.apart) = (false, false);
            }
        }
    }
}

/// Returns whether it would be the same if nothing were kept.
fn decide(piece: &mut Piece, at: PieceId, keep: bool, open: bool, some: bool, kept: &[bool], chains: &Chains) -> bool {
    let is_bare = |piece: &Piece| {
        let is_shell = piece.absent || open || piece.inline || chains.holds(at);
        !some && !keep && !piece.void && is_shell
    };
    if at == View::ROOT {
        piece.live = true;
    } else if kept[piece.head as usize] {
        piece.live = true;
        return piece.gone.is_none() && !piece.again && !is_bare(piece);
    } else if let Some(gone) = piece.gone {
        piece.hidden = !piece.live;
        piece.spill = piece.live && gone.unwrap;
        return piece.live == chains.lives[at as usize];
    } else {
        piece.hidden = is_bare(piece);
    }
    true
}

/// Bare text in an element that shows blocks is shown in the text block beside it: the one before, else the one behind. If there
/// is none, in the transparent line that it is of, or stands before; else in the next text block of that element, if it has any.
fn stray(view: &mut View) {
    let mut todo = vec![View::ROOT];
    while let Some(at) = todo.pop() {
        let is_block = |view: &View, kid: &Kid| matches!(kid, Kid::Piece(piece) if !view.piece(*piece).inline);
        let is_bare = |view: &View, kid: &Kid| match kid {
            Kid::Piece(piece) => view.piece(*piece).inline,
            Kid::Text { .. } => true,
            Kid::Cursor(_) => false,
        };
        let kids = &view.piece(at).kids;
        if kids.iter().any(|kid| is_block(view, kid)) && kids.iter().any(|kid| is_bare(view, kid)) {
            view.strayed.push(at);
            let kids = std::mem::take(&mut view.pieces[at as usize].kids);
            let blocks = |view: &View, kids: &[Kid]| kids.iter().filter(|kid| is_block(view, kid)).count();
            let before = blocks(view, &kids);
            let mut kept = tidy(view, at, kids, &|view, kid| is_block(view, kid), &|view, kid| is_bare(view, kid));
            if blocks(view, &kept) > before && kept.iter().any(|kid| is_bare(view, kid)) {
                // A line is shown now: what found none has one.
                kept = tidy(view, at, kept, &|view, kid| is_block(view, kid), &|view, kid| is_bare(view, kid));
            }
            view.pieces[at as usize].kids = kept;
        }
        todo.extend(view.piece(at).kids.iter().filter_map(|kid| match kid {
            Kid::Piece(piece) => Some(*piece),
            _ => None,
        }));
    }
}

type Test<'a> = &'a dyn Fn(&View, &Kid) -> bool;

/// Brings the bare kids of one piece into its text blocks; returns what stays.
fn tidy(view: &mut View, holder: PieceId, kids: Vec<Kid>, is_block: Test, is_bare: Test) -> Vec<Kid> {
    let mut kept: Vec<Kid> = Vec::with_capacity(kids.len());
    let mut before: Option<PieceId> = None;
    let (mut line_before, mut lines_behind) = (None, None);
    let mut at = 0;
    while at < kids.len() {
        let kid = &kids[at];
        if !is_bare(view, kid) {
            if let Kid::Piece(piece) = kid {
                before = Some(*piece);
                line_before = any_line(view, *piece, true).or(line_before);
            }
            kept.push(kid.clone());
            at += 1;
            continue;
        }
        let end = kids[at..].iter().position(|kid| is_block(view, kid)).map_or(kids.len(), |n| at + n);
        let behind = kids.get(end).and_then(|kid| match kid {
            Kid::Piece(piece) => Some(*piece),
            _ => None,
        });
        let above = before.and_then(|piece| line(view, piece, true));
        let beside = above.or_else(|| behind.and_then(|piece| line(view, piece, false)));
        if beside.is_none()
            && let Some((own, count)) = own_line(view, &kids[at..end], is_bare)
        {
            let of_it = |kid: &Kid| matches!(kid, Kid::Cursor(cursor) if cursor.piece == own);
            let lead = kept.iter().rev().take_while(|kid| of_it(kid)).count();
            let mut run = kept.split_off(kept.len() - lead);
            run.extend_from_slice(&kids[at..at + count]);
            show_line(view, own, holder, run);
            kept.push(Kid::Piece(own));
            (before, line_before) = (Some(own), Some(own));
            at += count;
            continue;
        }
        let above = if beside.is_some() { above } else { line_before };
        let to = beside.or(above).or_else(|| {
            let lines_behind = lines_behind.get_or_insert_with(|| lines_from_end(view, &kids));
            lines_behind.get(end).copied().flatten()
        });
        let Some(to) = to else {
            kept.extend_from_slice(&kids[at..end]);
            at = end;
            continue;
        };
        // With the positions about it.
        let mut run: Vec<Kid> = kept.last().filter(|kid| matches!(kid, Kid::Cursor(_))).cloned().into_iter().collect();
        run.extend_from_slice(&kids[at..end]);
        if matches!(run.last(), Some(Kid::Cursor(_))) {
            run.pop();
        }
        for kid in &run {
            if let Kid::Piece(piece) = kid {
                view.pieces[*piece as usize].up = to;
            }
        }
        let target = &mut view.pieces[to as usize].kids;
        match above.is_some() {
            true => target.extend(run),
            false => drop(target.splice(0..0, run)),
        }
        at = end;
    }
    kept
}

fn block_of(kid: &Kid) -> Option<PieceId> {
    match kid {
        Kid::Piece(piece) => Some(*piece),
        Kid::Text { .. } | Kid::Cursor(_) => None,
    }
}

/// From each kid on, the first text block.
fn lines_from_end(view: &View, kids: &[Kid]) -> Vec<Option<PieceId>> {
    let mut next = None;
    let mut lines: Vec<Option<PieceId>> = Vec::with_capacity(kids.len());
    for kid in kids.iter().rev() {
        next = block_of(kid).and_then(|block| any_line(view, block, false)).or(next);
        lines.push(next);
    }
    lines.reverse();
    lines
}

/// The first transparent line of which a run has something bare, and how many kids of the run are of it, or before it.
fn own_line(view: &View, run: &[Kid], is_bare: Test) -> Option<(PieceId, usize)> {
    let is_transparent = |at: PieceId| {
        let piece = view.piece(at);
        let is_line = piece.spill && !piece.again && !piece.inline && !piece.void;
        is_line && piece.gone.is_some_and(|gone| gone.unwrap)
    };
    let mut own = None;
    let mut has_bare = false;
    for (at, kid) in run.iter().enumerate() {
        let piece = piece_of(kid);
        if let Some(line) = own.filter(|line| piece.is_some_and(|piece| piece != *line)) {
            if has_bare {
                return Some((line, at));
            }
            own = None;
        }
        own = own.or_else(|| piece.filter(|piece| is_transparent(*piece)));
        has_bare = own.is_some() && (has_bare || is_bare(view, kid));
    }
    own.filter(|_| has_bare).map(|line| (line, run.len()))
}

fn piece_of(kid: &Kid) -> Option<PieceId> {
    match kid {
        Kid::Text { at, .. } | Kid::Cursor(at) => Some(at.piece),
        Kid::Piece(_) => None,
    }
}

/// A transparent line is shown after all, with what is bare of it.
fn show_line(view: &mut View, line: PieceId, holder: PieceId, kids: Vec<Kid>) {
    for kid in kids.iter().filter_map(block_of) {
        view.pieces[kid as usize].up = line;
    }
    let piece = &mut view.pieces[line as usize];
    (piece.up, piece.kids, piece.spill, piece.holds) = (holder, kids, false, false);
    view.apart = false;
}

/// The last or first text block in a piece.
fn line(view: &View, mut at: PieceId, last: bool) -> Option<PieceId> {
    loop {
        let piece = view.piece(at);
        if piece.inline || piece.void {
            return None;
        }
        let mut blocks = piece.kids.iter().filter_map(|kid| match kid {
            Kid::Piece(kid) if !view.piece(*kid).inline => Some(*kid),
            _ => None,
        });
        let next = if last { blocks.next_back() } else { blocks.next() };
        match next {
            None => return Some(at),
            Some(next) => at = next,
        }
    }
}

/// The last or first text block in a piece, also before or behind what has none.
fn any_line(view: &View, at: PieceId, last: bool) -> Option<PieceId> {
    let mut todo = vec![at];
    while let Some(at) = todo.pop() {
        let piece = view.piece(at);
        if piece.inline || piece.void {
            continue;
        }
        let first = todo.len();
        todo.extend(piece.kids.iter().filter_map(block_of).filter(|kid| !view.piece(*kid).inline));
        if todo.len() == first {
            return Some(at);
        }
        if !last {
            todo[first..].reverse();
        }
    }
    None
}
