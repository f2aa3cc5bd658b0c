//! What registers say, before any walk: claims on markers, what open strands hold, where breaks of outer chains hide.

use std::cell::OnceCell;

use smallvec::SmallVec;

use super::schema::Schema;
use crate::slate::ydoc::{Erase, Id, Item, Kind, Mirror, Nid, Of, QuickMap, QuickSet, ROOT};

pub(super) type ClaimId = u32;
/// Mostly it is one.
pub(super) type ClaimIds = SmallVec<[ClaimId; 2]>;

/// One claim of a register that counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub head: Nid,
    pub marker: Nid,
    pub to: Option<Id>,
    pub time: u64,
    /// Its place in the register.
    pub position: u32,
}

/// What does not count, over the rounds of the view.
#[derive(Default)]
pub(super) struct Voided {
    /// Head and marker are what makes a claim the same in all rounds.
    pub claims: QuickSet<(Nid, Nid)>,
    /// Heads whose registers are void, whatever they say.
    pub registers: QuickSet<Nid>,
}

/// The registers of a document, without the claims that are void.
pub(super) struct Claims {
    pub list: Vec<Claim>,
    /// Of a head, the innermost first.
    of: QuickMap<Nid, ClaimIds>,
    /// At a marker, the oldest first.
    at: QuickMap<Nid, ClaimIds>,
    /// Items of the sequence of an open strand's parent, behind it.
    pub held: QuickMap<Nid, (u32, u32)>,
    /// By sequence: the items that open strands in it hold.
    pub held_in: QuickMap<Nid, Vec<(u32, u32)>>,
    /// Nodes of these.
    held_by: QuickMap<Nid, Nid>,
    /// What has something in it that may end or divide what is around it: breaks of outer chains, ends of claims of other chains.
    pub carries: QuickSet<Nid>,
    /// Registers and claims that do not count.
    pub ignored: u32,
    ranks: OnceCell<Vec<u32>>,
}

/// The strand in whose chain a strand or break is; `None`: in none, it has no say where anything is shown.
pub fn chain_of(mirror: &Mirror, x: Nid) -> Option<Nid> {
    let node = mirror.node(x);
    let strand = match (node.registers.kind, node.registers.of) {
        (Kind::Break, Of::Chain(id)) => mirror.find(id)?,
        (Kind::Break, Of::Damaged) => return None,
        (Kind::Break, Of::Absent) => node.up,
        _ => x,
    };
    (mirror.kind(strand) == Kind::Strand).then_some(strand)
}

impl Claims {
    pub fn new(mirror: &Mirror, schema: &Schema, voided: &Voided) -> Self {
        let mut claims = Self {
            list: Vec::new(),
            of: QuickMap::default(),
            at: QuickMap::default(),
            held: QuickMap::default(),
            held_in: QuickMap::default(),
            held_by: QuickMap::default(),
            carries: QuickSet::default(),
            ignored: 0,
            ranks: OnceCell::new(),
        };
        let mut seams: QuickMap<Id, SmallVec<[(Id, Nid); 1]>> = QuickMap::default();
        let mut placed = Vec::new();
        let mut open = Vec::new();
        let (mut deep, mut named) = (Vec::new(), Vec::new());
        for x in mirror.alive() {
            let node = mirror.node(x);
            let registers = &node.registers;
            match registers.kind {
                Kind::Seam => {
                    if let Some(head) = registers.head {
                        seams.entry(head).or_default().push((node.id, x));
                    }
                }
                Kind::Strand | Kind::Break => {
                    if registers.at.is_some() {
                        placed.push(x);
                    }
                    if registers.kind == Kind::Break && mirror.kind(node.up) == Kind::Break {
                        deep.push(node.up);
                    }
                    if registers.kind == Kind::Break && registers.of != Of::Absent {
                        named.push(x);
                    }
                    if registers.open && registers.kind == Kind::Strand && x != ROOT {
                        open.push(x);
                    }
                }
                Kind::Place | Kind::Unknown => {}
            }
        }
        placed.sort_unstable_by_key(|x| mirror.id(*x));
        for x in placed {
            claims.read(mirror, x, voided, &seams);
        }
        let list = std::mem::take(&mut claims.list);
        for ids in claims.at.values_mut() {
            ids.sort_by(|a, b| older(mirror, &list[*a as usize], &list[*b as usize]));
        }
        claims.list = list;
        claims.hold(mirror, schema, &open);
        deep.extend(named.into_iter().filter(|x| claims.is_stray(mirror, *x)).map(|x| mirror.node(x).up));
        let flows = claims.flows(mirror);
        deep.extend(claims.ending(mirror, &flows));
        claims.carry(mirror, deep, &in_rounds(&flows));
        claims
    }

    /// The claims of one head.
    fn read(&mut self, mirror: &Mirror, x: Nid, voided: &Voided, seams: &QuickMap<Id, SmallVec<[(Id, Nid); 1]>>) {
        let Some(place) = &mirror.node(x).registers.at else { return };
        let chain = chain_of(mirror, x);
        let is_void = voided.registers.contains(&x);
        if is_void || place.time > mirror.bound() || chain.is_none_or(|chain| chain == ROOT) {
            self.ignored += 1;
            return;
        }
        let counts = |marker: Nid| {
            matches!(mirror.kind(marker), Kind::Place | Kind::Seam) && !voided.claims.contains(&(x, marker))
        };
        let mut found: Vec<Claim> = Vec::new();
        for (position, claim) in place.claims.iter().enumerate() {
            match claim.marker.and_then(|id| mirror.find(id)) {
                Some(marker) if counts(marker) && found.iter().all(|other| other.marker != marker) => {
                    found.push(Claim { head: x, marker, to: claim.to, time: place.time, position: position as u32 });
                }
                _ => self.ignored += 1,
            }
        }
        // Joined to what is removed: another, who joined it elsewhere at the same time, may have a seam for it.
        if let (true, Some(first)) = (found.is_empty(), place.claims.first()) {
            let is_void =
                first.marker.and_then(|id| mirror.find(id)).is_some_and(|marker| voided.claims.contains(&(x, marker)));
            let others = seams.get(&mirror.id(x)).filter(|_| is_void).into_iter().flatten();
            let greatest = others.filter(|(_, seam)| counts(*seam)).max_by_key(|(id, _)| *id);
            found.extend(greatest.map(|(_, marker)| Claim {
                head: x,
                marker: *marker,
                to: first.to,
                time: place.time,
                position: 0,
            }));
        }
        for claim in found {
            let id = self.list.len() as ClaimId;
            self.of.entry(x).or_default().push(id);
            self.at.entry(claim.marker).or_default().push(id);
            self.list.push(claim);
        }
    }

    pub fn get(&self, id: ClaimId) -> &Claim {
        &self.list[id as usize]
    }

    pub fn of(&self, head: Nid) -> &[ClaimId] {
        self.of.get(&head).map_or(&[], SmallVec::as_slice)
    }

    pub fn at(&self, marker: Nid) -> &[ClaimId] {
        self.at.get(&marker).map_or(&[], SmallVec::as_slice)
    }

    /// In which order what flows in at two seams stands in the document, whoever joined it first.
    pub fn rank_of(&self, mirror: &Mirror, seam: Nid) -> Option<u32> {
        self.at(seam).first().map(|claim| self.rank(mirror, self.get(*claim).head))
    }

    /// Counts strands and breaks in the order in which they stand: a break behind what is in its gap.
    pub fn rank(&self, mirror: &Mirror, head: Nid) -> u32 {
        self.ranks.get_or_init(|| ranks(mirror))[head as usize]
    }

    pub fn heads(&self) -> impl Iterator<Item = (&Nid, &ClaimIds)> {
        self.of.iter()
    }

    /// Joined again. Not if it is shown somewhere by a claim of its own.
    pub fn is_off(&self, mirror: &Mirror, at: Nid) -> bool {
        mirror.node(at).registers.off != Erase::On && self.of(at).is_empty()
    }

    /// What stands bare behind an open strand, up to the next block or marker, is in it.
    fn hold(&mut self, mirror: &Mirror, schema: &Schema, open: &[Nid]) {
        let mut sequences: Vec<Nid> = open.iter().map(|strand| mirror.node(*strand).up).collect();
        sequences.sort_unstable();
        sequences.dedup();
        for seq in sequences {
            let is_open = |x: Nid| {
                let node = mirror.node(x);
                node.registers.kind == Kind::Strand && node.registers.open && node.up == seq && x != ROOT
            };
            let is_within = |x: Nid| {
                let registers = &mirror.node(x).registers;
                match registers.kind {
                    Kind::Strand => schema.inline_of(registers),
                    _ => matches!(registers.of, Of::Chain(id) if mirror.find(id).is_some_and(is_open)),
                }
            };
            let mut by: Option<(Nid, u32)> = None;
            let items = &mirror.node(seq).items;
            let mut ranges = Vec::new();
            let mut end = |held: &mut QuickMap<Nid, (u32, u32)>, by: &mut Option<(Nid, u32)>, at: usize| {
                if let Some((strand, from)) = by.take() {
                    held.insert(strand, (from, at as u32));
                    ranges.push((from, at as u32));
                }
            };
            for (at, item) in items.iter().enumerate() {
                match item {
                    Item::Node(x) if is_open(*x) => {
                        end(&mut self.held, &mut by, at);
                        by = Some((*x, at as u32 + 1));
                    }
                    Item::Node(x) | Item::Left { node: x, .. } if !is_within(*x) => end(&mut self.held, &mut by, at),
                    Item::Node(x) => self.held_by.extend(by.map(|(strand, _)| (*x, strand))),
                    _ => {}
                }
            }
            end(&mut self.held, &mut by, items.len());
            self.held_in.insert(seq, ranges);
        }
    }

    /// A break of another chain than the one whose sequence it stands in.
    fn is_stray(&self, mirror: &Mirror, at: Nid) -> bool {
        let node = mirror.node(at);
        let is = |x: Nid| matches!(node.registers.of, Of::Chain(id) if mirror.id(x) == id);
        node.registers.of != Of::Absent && !is(node.up) && !self.held_by.get(&at).is_some_and(|strand| is(*strand))
    }

    /// What flows into a strand; at `None`, from gaps, into whatever is around.
    fn flows(&self, mirror: &Mirror) -> Vec<(Option<Nid>, Nid)> {
        let seams = self.list.iter().filter(|claim| mirror.kind(claim.marker) == Kind::Seam);
        let flow = |claim: &Claim| {
            let up = Some(mirror.node(claim.marker).up).filter(|up| mirror.kind(*up) == Kind::Strand);
            Some((self.held_by.get(&claim.marker).copied().or(up), chain_of(mirror, claim.head)?))
        };
        seams.filter_map(flow).collect()
    }

    /// If the `to` of a claim is off, any break ends it that comes next in what flows in: the strands with such breaks.
    fn ending(&self, mirror: &Mirror, flows: &[(Option<Nid>, Nid)]) -> Vec<Nid> {
        let is_open = |claim: &&Claim| {
            let end = claim.to.and_then(|id| mirror.find(id));
            end.is_some_and(|end| mirror.kind(end) == Kind::Break && self.is_off(mirror, end))
        };
        let mut from: Vec<Option<Nid>> =
            self.list.iter().filter(is_open).map(|claim| chain_of(mirror, claim.head)).collect();
        if from.is_empty() || flows.is_empty() {
            return Vec::new();
        }
        let mut by_host: QuickMap<Option<Nid>, Vec<Nid>> = QuickMap::default();
        flows.iter().for_each(|(into, chain)| by_host.entry(*into).or_default().push(*chain));
        from.push(None);
        let is_on = |x: &Nid| mirror.kind(*x) == Kind::Break && !self.is_off(mirror, *x);
        let divided: QuickSet<Nid> = mirror.alive().filter(is_on).filter_map(|x| chain_of(mirror, x)).collect();
        let (mut seen, mut out) = (QuickSet::default(), Vec::new());
        while let Some(strand) = from.pop() {
            if !seen.insert(strand) {
                continue;
            }
            for chain in by_host.get(&strand).into_iter().flatten() {
                if divided.contains(chain) {
                    out.push(*chain);
                }
                from.push(Some(*chain));
            }
        }
        out
    }

    fn carry(&mut self, mirror: &Mirror, deep: Vec<Nid>, rounds: &QuickSet<Nid>) {
        let mut by_chain: QuickMap<Nid, ClaimIds> = QuickMap::default();
        let mut todo = deep;
        for (id, claim) in self.list.iter().enumerate() {
            let chain = chain_of(mirror, claim.head);
            if mirror.kind(claim.head) == Kind::Break
                && let Some(chain) = chain
            {
                by_chain.entry(chain).or_default().push(id as ClaimId);
            }
            if let Some(end) = claim.to.and_then(|id| mirror.find(id))
                && mirror.kind(end) == Kind::Break
                && (chain_of(mirror, end) != chain || chain.is_some_and(|chain| rounds.contains(&chain)))
            {
                todo.push(mirror.node(end).up);
            }
        }
        while let Some(mut x) = todo.pop() {
            while self.carries.insert(x) {
                let own = self.of.get(&x).into_iter().chain(by_chain.get(&x)).flatten();
                todo.extend(own.map(|id| mirror.node(self.list[*id as usize].marker).up));
                if x == ROOT {
                    break;
                }
                x = mirror.node(x).up;
            }
        }
    }
}

/// Strands that flow into themselves, by one of their pieces that flows into another, or through other strands; and what
/// flows from one of these into another.
fn in_rounds(flows: &[(Option<Nid>, Nid)]) -> QuickSet<Nid> {
    let ends = |(into, of): &(Option<Nid>, Nid)| into.map(|into| (into, *of));
    // Of each: what flows into it, and how much it flows into; and the reverse.
    let mut ways = [QuickMap::<Nid, SmallVec<[Nid; 2]>>::default(), QuickMap::default()];
    let mut left = [QuickMap::<Nid, usize>::default(), QuickMap::default()];
    for (into, of) in flows.iter().filter_map(ends) {
        ways[0].entry(into).or_default().push(of);
        ways[1].entry(of).or_default().push(into);
        *left[0].entry(of).or_default() += 1;
        *left[1].entry(into).or_default() += 1;
    }
    let mut within: QuickSet<Nid> = ways[0].keys().filter(|at| ways[1].contains_key(at)).copied().collect();
    let mut todo: Vec<Nid> = ways[0].keys().chain(ways[1].keys()).copied().filter(|at| !within.contains(at)).collect();
    todo.sort_unstable();
    todo.dedup();
    while let Some(at) = todo.pop() {
        for (ways, left) in ways.iter().zip(&mut left) {
            for next in ways.get(&at).into_iter().flatten() {
                let count = left.entry(*next).or_default();
                *count = count.saturating_sub(1);
                if *count == 0 && within.remove(next) {
                    todo.push(*next);
                }
            }
        }
    }
    within
}

/// In which order strands and breaks stand in the document; see [`Claims::rank`].
pub fn ranks(mirror: &Mirror) -> Vec<u32> {
    let mut ranks = vec![0; mirror.capacity()];
    let mut next = 0;
    let mut count = |node: Nid| {
        ranks[node as usize] = next;
        next += 1;
    };
    let mut todo = vec![(ROOT, 0)];
    while let Some((seq, item)) = todo.pop() {
        let Some(this) = mirror.node(seq).items.get(item) else {
            if mirror.kind(seq) == Kind::Break {
                count(seq);
            }
            continue;
        };
        todo.push((seq, item + 1));
        if let Item::Node(inner) = this {
            if mirror.kind(*inner) != Kind::Break {
                count(*inner);
            }
            todo.push((*inner, 0));
        }
    }
    ranks
}

/// By time, head, and place in the register.
pub(super) fn older(mirror: &Mirror, a: &Claim, b: &Claim) -> std::cmp::Ordering {
    let key = |claim: &Claim| (claim.time, mirror.id(claim.head), claim.position);
    key(a).cmp(&key(b))
}
