//! Lines: a strand that breaks divide in pieces of text.
//!
//! Its *rows* are to it what items are to a list: each is a piece, with what stands in the gap of the break that it begins with.
//! Where registers reach over several pieces (a line that was joined to what does not stand right before it), these are one
//! row. What stands for rows that are left out is a break with the properties that the last of them hands on.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;

use super::rows::{ItemRow, PieceRow, stands_alone};
use crate::slate::value::node::Attrs;
use crate::slate::value::props::present;
use crate::slate::view::{Kid, Piece, PieceId, Schema, View};
use crate::slate::ydoc::{
    Erase, Formats, Id, Item, Kind, Mirror, Nid, OUTSIDE, Of, Quick, QuickMap, QuickSet, ROOT, Registers,
};

/// Items that follow each other, up to the next break with which a row begins.
pub(super) struct ItemRun {
    pub node: Nid,
    pub items: usize,
    print: u64,
}

/// The rows of a line; `None`: it is none. `around`: the piece that shows it.
pub(super) fn rows(mirror: &Mirror, schema: &Schema, view: &View, seq: Nid, around: PieceId) -> Option<Vec<ItemRow>> {
    let runs = runs(mirror, seq).filter(|runs| runs.len() > 1)?;
    let gaps = mirror.node(seq).items.iter().filter_map(Item::node).map(|x| mirror.node(x));
    let is_apart = |item: &Item| stands_alone(mirror, schema, item);
    gaps.filter(|x| x.registers.kind == Kind::Break).all(|x| x.items.iter().all(is_apart)).then_some(())?;
    let shows = shown(mirror, view, seq, around, &runs)?;
    let props = handed_on(mirror, view, seq, &runs)?;
    let row = |((run, shows), props): ((ItemRun, u32), Rc<Attrs>)| {
        let known = PieceRow { props, print: Some(run.print) };
        ItemRow { node: run.node, shows, items: run.items, piece: Some(known) }
    };
    Some(runs.into_iter().zip(shows).zip(props).map(row).collect())
}

/// How many elements each run shows; `None`: they are not what a line shows.
fn shown(mirror: &Mirror, view: &View, seq: Nid, around: PieceId, runs: &[ItemRun]) -> Option<Vec<u32>> {
    let (up, index) = (mirror.node(seq).up, mirror.index_of(seq));
    let kids = &view.piece(around).kids;
    // What is left out before it may be nothing.
    let start = kids.iter().rposition(|kid| matches!(kid, Kid::Cursor(at) if at.seq == up && at.index == index))?;
    let mut shows = vec![0];
    for kid in &kids[start + 1..] {
        match kid {
            Kid::Cursor(at) if at.seq == up => break,
            // What stands between two rows is in the gap of the break with which the second begins.
            Kid::Cursor(at) if runs.get(shows.len()).is_some_and(|next| next.node == at.seq) => shows.push(0),
            Kid::Cursor(_) => {}
            Kid::Piece(piece) if is_plain_piece(view, view.piece(*piece), seq) => *shows.last_mut()? += 1,
            Kid::Piece(_) | Kid::Text { .. } => return None,
        }
    }
    (shows.len() == runs.len() && shows.iter().all(|shows| *shows > 0)).then_some(shows)
}

/// What is no piece of the line itself may have what it likes.
fn is_plain_piece(view: &View, piece: &Piece, seq: Nid) -> bool {
    let frame = view.frame(view.outer(piece.frame));
    let is_own = frame.strand == seq && frame.owner.is_none();
    !piece.inline && (!is_own || !piece.void && !piece.holds)
}

/// What comes behind each run would inherit.
fn handed_on(mirror: &Mirror, view: &View, seq: Nid, runs: &[ItemRun]) -> Option<Vec<Rc<Attrs>>> {
    let mut props = view.piece(view.find(seq)?).props.clone();
    let mut items = mirror.node(seq).items.iter();
    let mut all = Vec::with_capacity(runs.len());
    for run in runs {
        for item in items.by_ref().take(run.items) {
            let (Item::Node(x) | Item::Left { node: x, .. }) = item else { continue };
            let registers = &mirror.node(*x).registers;
            if mirror.id(*x).left_out().is_some() {
                props = registers.own.clone();
                continue;
            }
            // One that is off is a head all the same if it is shown elsewhere, or if the join is void.
            let is_head = registers.kind == Kind::Break
                && (registers.off == Erase::On || !view.claims(*x).is_empty() || view.find(*x).is_some());
            if is_head && !(registers.own.is_empty() && registers.pins.is_empty()) {
                let own = registers.pins.iter().chain(registers.own.iter());
                let all = Rc::make_mut(&mut props);
                own.for_each(|(name, value)| drop(all.insert(name.clone(), value.clone())));
            }
        }
        all.push(props.clone());
    }
    Some(all)
}

/// Whether nothing else says something about a line, or what it is in.
pub(super) fn is_apart(links: &[(Nid, Nid)]) -> bool {
    links
        .iter()
        .all(|link| *link == (OUTSIDE, ROOT) || [link.0, link.1].iter().all(|at| !matches!(*at, OUTSIDE | ROOT)))
}

/// `None`: there is something else in it than text, breaks and seams, or somebody names these from elsewhere.
pub(super) fn runs(mirror: &Mirror, seq: Nid) -> Option<Vec<ItemRun>> {
    let mut reach = LineReach::of(mirror, seq)?;
    let mut runs = vec![ItemRun { node: seq, items: 0, print: 0 }];
    let mut print = Print::default();
    let mut is_behind_left = false;
    for (at, item) in mirror.node(seq).items.iter().enumerate() {
        let mut cuts = false;
        if let Item::Node(x) | Item::Left { node: x, .. } = item {
            let registers = &mirror.node(*x).registers;
            is_of_line(registers).then_some(())?;
            cuts = reach.meet(mirror, at, *x);
            if cuts {
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
        // What is left out is rows, and has nothing to do with what is not.
        let is_left = matches!(item, Item::Left { .. });
        (cuts || !is_left && !is_behind_left).then_some(())?;
        is_behind_left = is_left;
        runs.last_mut()?.items += 1;
    }
    runs.last_mut()?.print = print.finish();
    Some(runs)
}

fn is_of_line(registers: &Registers) -> bool {
    match registers.kind {
        Kind::Break | Kind::Seam => registers.of == Of::Absent,
        // An inline element.
        Kind::Strand => matches!(registers.says, Some((true, _))) && !registers.open,
        Kind::Place | Kind::Unknown => false,
    }
}

/// How far what was met so far reaches in a line.
struct LineReach<'a> {
    seq: Nid,
    items: &'a [Item],
    /// Where things stand that others name.
    places: QuickMap<Nid, usize>,
    /// From one item up to another.
    links: Vec<(usize, usize)>,
    next: usize,
    /// No row begins before this item.
    until: usize,
    /// What is removed from some item on to the end.
    gone: bool,
}

impl<'a> LineReach<'a> {
    fn of(mirror: &'a Mirror, seq: Nid) -> Option<Self> {
        let links = mirror.links(seq);
        is_apart(&links).then_some(())?;
        let items = &mirror.node(seq).items[..];
        let mut reach =
            Self { seq, items, places: QuickMap::default(), links: Vec::new(), next: 0, until: 0, gone: false };
        if links.iter().any(|link| *link != (OUTSIDE, ROOT)) {
            reach.places = items.iter().enumerate().filter_map(|(at, item)| Some((item.node()?, at))).collect();
        }
        for (a, b) in links.into_iter().filter(|link| *link != (OUTSIDE, ROOT)) {
            match (reach.places.get(&a), reach.places.get(&b)) {
                (Some(a), Some(b)) => reach.links.push((*a.min(b), *a.max(b))),
                // Of what is left out.
                (None, None) => {}
                _ => return None,
            }
        }
        reach.links.sort_unstable();
        Some(reach)
    }

    /// Whether a row may begin with what stands there.
    fn meet(&mut self, mirror: &Mirror, at: usize, x: Nid) -> bool {
        while let Some((_, until)) = self.links.get(self.next).filter(|(from, _)| *from < at) {
            (self.next, self.until) = (self.next + 1, self.until.max(*until + 1));
        }
        let registers = &mirror.node(x).registers;
        if registers.kind != Kind::Break {
            return false;
        }
        let is_on = registers.off == Erase::On;
        let gone = registers.gone.flatten().filter(|gone| self.is_endless(mirror, at, gone.to));
        let cuts = is_on && at >= self.until && !self.gone && gone.is_none();
        if registers.gone.is_some_and(|gone| is_on || gone.is_some()) {
            self.gone = gone.is_some();
        }
        let mut claims = registers.at.iter().flat_map(|place| &place.claims);
        if claims.any(|claim| self.is_endless(mirror, at, claim.to)) {
            self.until = self.items.len();
        }
        cuts
    }

    /// Whether what goes up to this break goes on to the end of the line.
    fn is_endless(&self, mirror: &Mirror, at: usize, to: Option<Id>) -> bool {
        let end = to.and_then(|to| mirror.item_of(self.seq, mirror.find(to)?));
        end.and_then(|end| self.places.get(&end)).is_none_or(|end| *end <= at)
    }
}

/// The rows now in which these items stand.
pub(super) fn rows_of(mirror: &Mirror, seq: Nid, runs: &[ItemRun], items: &QuickSet<Nid>) -> QuickSet<Nid> {
    let (mut nodes, mut rest) = (QuickSet::default(), &mirror.node(seq).items[..]);
    for run in runs {
        let (own, behind) = rest.split_at(run.items);
        if own.iter().filter_map(Item::node).any(|item| items.contains(&item)) {
            nodes.insert(run.node);
        }
        rest = behind;
    }
    nodes
}

/// Heads of rows whose items changed, that came or are gone, and of those before them.
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

/// These, and the row before each.
pub(super) fn with_those_before(rows: &[ItemRow], runs: &[ItemRun], nodes: &QuickSet<Nid>) -> QuickSet<Nid> {
    let mut all = nodes.clone();
    all.extend(rows.windows(2).filter(|pair| nodes.contains(&pair[1].node)).map(|pair| pair[0].node));
    all.extend(runs.windows(2).filter(|pair| nodes.contains(&pair[1].node)).map(|pair| pair[0].node));
    all
}

/// These, and the row behind each that shows several elements: an edit may have to place the last of these anew, in the gap
/// with which the next row begins.
pub(super) fn with_gaps_behind(rows: &[ItemRow], mut nodes: QuickSet<Nid>) -> QuickSet<Nid> {
    let behind = rows.windows(2).filter(|pair| pair[0].shows > 1 && nodes.contains(&pair[0].node));
    let behind: Vec<Nid> = behind.map(|pair| pair[1].node).collect();
    nodes.extend(behind);
    nodes
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
