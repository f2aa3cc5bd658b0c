//! The walk: one pass over the sequences that hands every token to exactly one owner.
//!
//! A frame is one walk of one strand for one owner: home, or a claim. Every walk of a strand passes all of it with the same
//! stack of owners and shows what belongs to its own. What a recursive walk would call is a task on a stack here: documents
//! may nest as deep as they like.

mod breaks;

use std::rc::Rc;

use smallvec::SmallVec;

use super::claims::{ClaimId, Claims, chain_of};
use super::schema::Schema;
use super::types::{Cursor, Frame, FrameId, Joined, Kid, Piece, PieceId};
use crate::slate::value::node::Attrs;
use crate::slate::ydoc::{Erase, Formats, Gone, Id, Item, Kind, Mirror, Nid, QuickSet, ROOT};

/// Whose something is: `None` is home.
type Owner = Option<ClaimId>;
/// The innermost claim that is walked around something, with the claim that was being shown around that.
type Walked = Option<(ClaimId, Owner)>;

#[derive(Debug, Clone, Copy)]
struct Entry {
    owner: Owner,
    to: Option<Id>,
    /// The break it goes up to is off.
    over: bool,
}

#[derive(Debug, Clone, Copy)]
struct Removal {
    gone: Gone,
    over: bool,
}

/// The piece whose end is not met yet.
#[derive(Debug, Clone, Copy)]
enum Last {
    Piece(PieceId),
    Joined(PieceId, usize),
}

/// See [`Frame`], which is what is left of it afterwards.
struct Walk {
    strand: Nid,
    owner: Owner,
    parent: Option<FrameId>,
    host: Option<FrameId>,
    /// The walk into which it flows at last; itself.
    outer: FrameId,
    formats: Formats,
    stack: SmallVec<[Entry; 2]>,
    show: bool,
    /// What is being filled.
    piece: Option<PieceId>,
    last_piece: Option<PieceId>,
    last: Option<Last>,
    props: u32,
    gone: Option<Removal>,
    /// What will flow in at the end of the piece.
    seams: Vec<Nid>,
    /// Breaks whose gaps are walked behind it.
    behind: Vec<Nid>,
    /// How many claims of its own the head has that was met last.
    claimed: usize,
    segment: Owner,
    walked: Walked,
    inline: Option<bool>,
    void: Option<bool>,
}

enum Task {
    Enter {
        strand: Nid,
        owner: Owner,
        parent: FrameId,
        host: Option<FrameId>,
        formats: Formats,
    },
    /// A sequence, or what an open strand holds of one, from an item and its index on.
    Sequence {
        seq: Nid,
        frame: FrameId,
        item: u32,
        end: u32,
        index: u32,
        held: bool,
    },
    EndPiece(FrameId),
    AfterSeams(FrameId),
    Behind(FrameId),
    Divide(FrameId, Nid),
    Join(FrameId, Nid),
    Divided(FrameId, Nid),
    Head(FrameId, Nid),
    Leave(Active),
    /// Behind a place in a piece that had so many kids before it.
    Placed {
        piece: PieceId,
        kids: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Active {
    Home(Nid, Walked),
    Claim(ClaimId, Owner),
}

/// What one walk came to.
pub(super) struct Walker<'a> {
    mirror: &'a Mirror,
    claims: &'a Claims,
    schema: &'a Schema,
    /// Those that have not come to their end: each was begun within the one before.
    walks: Vec<Walk>,
    /// Of each frame, which of these it is, or was.
    open: Vec<u32>,
    pub frames: Vec<Frame>,
    pub pieces: Vec<Piece>,
    /// Whether a piece has content so far.
    filled: Vec<bool>,
    /// Heads that have a piece, by their index.
    pub begun: Vec<bool>,
    pub inherited: Vec<Rc<Attrs>>,
    tasks: Vec<Task>,
    /// Strands that are walked at home, with no claim around.
    at_home: Vec<bool>,
    active: QuickSet<Active>,
    entered: QuickSet<ClaimId>,
    /// Claims that were shown.
    pub reached: QuickSet<ClaimId>,
    /// Claims that would be shown in themselves.
    pub again: QuickSet<ClaimId>,
    /// Claims onto what is removed.
    pub refused: Vec<ClaimId>,
}

impl<'a> Walker<'a> {
    /// `room`: so many walks and pieces are expected.
    fn new(mirror: &'a Mirror, claims: &'a Claims, schema: &'a Schema, room: usize) -> Self {
        let root = Walk {
            strand: ROOT,
            owner: None,
            parent: None,
            host: None,
            outer: 0,
            formats: Formats::default(),
            stack: SmallVec::from_slice(&[Entry { owner: None, to: None, over: false }]),
            show: true,
            piece: Some(0),
            last_piece: None,
            last: None,
            props: 0,
            gone: None,
            seams: Vec::new(),
            behind: Vec::new(),
            claimed: 0,
            segment: None,
            walked: None,
            inline: Some(false),
            void: Some(false),
        };
        let props = Rc::new(Attrs::new());
        let mut piece = Piece::new(ROOT, 0, 0, props.clone(), root.formats.clone());
        piece.kids = room_for_kids(mirror, ROOT);
        let mut frames = Vec::with_capacity(room);
        let (mut open, mut pieces) = (Vec::with_capacity(room), Vec::with_capacity(room));
        frames.push(Frame { strand: ROOT, owner: None, parent: None, host: None });
        open.push(0);
        pieces.push(piece);
        Self {
            mirror,
            claims,
            schema,
            walks: vec![root],
            open,
            frames,
            pieces,
            filled: vec![false],
            begun: vec![false; mirror.capacity()],
            inherited: vec![props],
            tasks: Vec::new(),
            at_home: vec![false; mirror.capacity()],
            active: QuickSet::default(),
            entered: QuickSet::default(),
            reached: QuickSet::default(),
            again: QuickSet::default(),
            refused: Vec::new(),
        }
    }

    /// The walk of the whole document.
    pub fn all(mirror: &'a Mirror, claims: &'a Claims, schema: &'a Schema) -> Self {
        let mut walker = Self::new(mirror, claims, schema, mirror.count());
        walker.tasks.push(Task::EndPiece(0));
        walker.sequence(ROOT, 0);
        walker.run();
        walker
    }

    /// Only what one claim shows.
    pub fn only(mirror: &'a Mirror, claims: &'a Claims, schema: &'a Schema, claim: ClaimId) -> Self {
        let mut walker = Self::new(mirror, claims, schema, 1);
        if let Some(strand) = chain_of(mirror, claims.get(claim).head) {
            walker.enter(strand, Some(claim), 0, None, Formats::default());
        }
        walker.run();
        walker
    }

    fn run(&mut self) {
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Enter { strand, owner, parent, host, formats } => {
                    self.enter(strand, owner, parent, host, formats)
                }
                Task::Sequence { seq, frame, item, end, index, held } => self.walk(seq, frame, item, end, index, held),
                Task::EndPiece(frame) => self.end_piece(frame),
                Task::AfterSeams(frame) => self.after_seams(frame),
                Task::Behind(frame) => self.flush_behind(frame),
                Task::Divide(frame, at) => self.divide(frame, at),
                Task::Join(frame, at) => self.join(frame, at),
                Task::Divided(frame, at) => self.divided(frame, at),
                Task::Head(frame, at) => self.head(frame, at),
                Task::Leave(active) => self.leave(active),
                Task::Placed { piece, kids } => self.placed(piece, kids),
            }
        }
    }

    fn w(&self, frame: FrameId) -> &Walk {
        &self.walks[self.open[frame as usize] as usize]
    }

    fn wm(&mut self, frame: FrameId) -> &mut Walk {
        &mut self.walks[self.open[frame as usize] as usize]
    }

    /// A walk has come to its end, and so have those that were begun within it.
    fn leave(&mut self, active: Active) {
        self.walks.pop();
        match active {
            Active::Home(strand, None) => self.at_home[strand as usize] = false,
            active => drop(self.active.remove(&active)),
        }
    }

    fn outer(&self, frame: FrameId) -> FrameId {
        self.w(frame).outer
    }

    /// What is being filled by this walk; `None`: it shows nothing now.
    fn target(&self, mut frame: FrameId) -> Option<PieceId> {
        loop {
            let walk = self.w(frame);
            match (walk.show, walk.host) {
                (false, _) => return None,
                (true, Some(host)) => frame = host,
                (true, None) => return walk.piece,
            }
        }
    }

    fn shows(&self, mut frame: FrameId) -> bool {
        loop {
            let walk = self.w(frame);
            match (walk.show, walk.host) {
                (false, _) => return false,
                (true, Some(host)) => frame = host,
                (true, None) => return true,
            }
        }
    }

    /// Whose what follows is.
    fn owner(&self, frame: FrameId) -> Owner {
        self.w(frame).stack.last().and_then(|entry| entry.owner)
    }

    /// Does what stands in the gaps of its breaks belong to this walk?
    fn is_here(&self, mut frame: FrameId, mut owner: Owner) -> bool {
        loop {
            let walk = self.w(frame);
            if owner != walk.owner {
                return false;
            }
            let Some(host) = walk.host else { return true };
            if !self.w(host).show {
                return false;
            }
            (frame, owner) = (host, self.owner(host));
        }
    }

    fn answers(&self, mut frame: FrameId, strand: Nid) -> bool {
        loop {
            let walk = self.w(frame);
            if walk.strand == strand {
                return true;
            }
            let Some(host) = walk.host else { return false };
            frame = host;
        }
    }

    fn up(&self, frame: FrameId) -> Option<FrameId> {
        self.w(frame).host.or(self.w(frame).parent)
    }

    /// A removed element that has nothing left.
    fn is_gone_and_bare(&self, piece: Option<PieceId>) -> bool {
        piece.is_some_and(|piece| self.pieces[piece as usize].gone.is_some() && !self.filled[piece as usize])
    }

    fn enter(&mut self, strand: Nid, owner: Owner, parent: FrameId, host: Option<FrameId>, formats: Formats) {
        let at = host.unwrap_or(parent);
        let showing = self.target(at).is_some();
        if let (true, Some(claim)) = (showing, owner)
            && !self.entered.insert(claim)
        {
            self.again.insert(claim);
            return;
        }
        let around = self.w(at);
        // Where nothing is shown, only breaks of outer chains and the ends of claims matter.
        let key = match owner {
            None => Active::Home(strand, around.walked),
            Some(claim) => Active::Claim(claim, around.segment),
        };
        let is_active = match key {
            Active::Home(strand, None) => self.at_home[strand as usize],
            _ => self.active.contains(&key),
        };
        if is_active || (!showing && !self.claims.carries.contains(&strand)) {
            return;
        }
        let segment = if showing { owner.or(around.segment) } else { around.segment };
        let walked = owner.map_or(around.walked, |claim| Some((claim, around.segment)));
        if let (true, Some(claim)) = (showing, owner)
            && self.claims.of(self.claims.get(claim).head).first() != Some(&claim)
        {
            self.reached.insert(claim);
        }
        match key {
            Active::Home(strand, None) => self.at_home[strand as usize] = true,
            _ => drop(self.active.insert(key)),
        }
        let node = self.mirror.node(strand);
        let says = node.registers.says;
        let up = self.mirror.node(node.up);
        let is_erased = strand != ROOT
            && up.registers.kind == Kind::Break
            && up.registers.off == Erase::Erased
            && self.claims.is_off(self.mirror, node.up);
        let frame = self.frames.len() as FrameId;
        let outer = host.map_or(frame, |host| self.w(host).outer);
        let head = owner.map(|claim| self.claims.get(claim).head);
        self.frames.push(Frame { strand, owner: head, parent: Some(parent), host });
        self.open.push(self.walks.len() as u32);
        self.walks.push(Walk {
            strand,
            owner,
            parent: Some(parent),
            host,
            outer,
            formats,
            stack: SmallVec::from_slice(&[Entry { owner: None, to: None, over: false }]),
            show: false,
            piece: None,
            last_piece: None,
            last: None,
            props: 0,
            // Put between what another erased.
            gone: is_erased.then_some(Removal { gone: Gone { to: None, unwrap: false }, over: false }),
            seams: Vec::new(),
            behind: Vec::new(),
            claimed: 0,
            segment,
            walked,
            inline: says.map(|says| says.0),
            void: says.map(|says| says.1),
        });
        self.head(frame, strand);
        self.tasks.push(Task::Leave(key));
        self.tasks.push(Task::EndPiece(frame));
        if let Some((from, to)) = self.claims.held.get(&strand).copied() {
            let seq = self.mirror.node(strand).up;
            let index = self.mirror.index_of(strand) + 1;
            self.tasks.push(Task::Sequence { seq, frame, item: from, end: to, index, held: true });
        }
        self.sequence(strand, frame);
    }

    fn sequence(&mut self, seq: Nid, frame: FrameId) {
        let end = self.mirror.node(seq).items.len() as u32;
        self.tasks.push(Task::Sequence { seq, frame, item: 0, end, index: 0, held: false });
    }

    /// A head begins: whose it and what follows is, what it inherits along the chain, and its piece, if this walk shows it.
    fn head(&mut self, frame: FrameId, x: Nid) {
        let (mirror, claims) = (self.mirror, self.claims);
        let is_own_chain = chain_of(mirror, x) == Some(self.w(frame).strand);
        let own: &[ClaimId] = if is_own_chain { claims.of(x) } else { &[] };
        let props = self.inherit(self.w(frame).props, x);
        let registers = &mirror.node(x).registers;
        let walk = self.wm(frame);
        walk.claimed = own.len();
        let entries = own.iter().rev().map(|id| Entry { owner: Some(*id), to: claims.get(*id).to, over: false });
        walk.stack.extend(entries);
        walk.props = props;
        if let Some(gone) = registers.gone {
            walk.gone = gone.map(|gone| Removal { gone, over: false });
        }
        walk.show = walk.stack.last().and_then(|entry| entry.owner) == walk.owner;
        let (show, owner, host) = (walk.show, walk.owner, walk.host);
        let outer = self.outer(frame);
        let around = self.w(outer).parent.and_then(|parent| self.target(parent));
        if let (false, None, Some(around)) = (show, owner, around) {
            self.pieces[around as usize].absent = true;
        }
        let is_owner = owner.is_some_and(|claim| claims.get(claim).head == x);
        if host.is_some() && is_owner {
            self.flow_in(frame, x);
            return;
        }
        match around.filter(|_| self.shows(frame)) {
            Some(into) => self.begin(frame, outer, x, into, is_owner),
            None if host.is_none() || self.shows(frame) => self.wm(outer).piece = None,
            None => {}
        }
    }

    /// The head of what flows into the piece of another.
    fn flow_in(&mut self, frame: FrameId, x: Nid) {
        let Some(target) = self.target(frame) else { return };
        let walk = self.w(frame);
        let gone = walk.gone.map(|removal| removal.gone);
        if let Some(claim) = walk.owner {
            self.reached.insert(claim);
        }
        let joined = &mut self.pieces[target as usize].joined;
        joined.push(Joined { head: x, to: None, beyond: Vec::new(), gone });
        let at = joined.len() - 1;
        self.wm(frame).last = Some(Last::Joined(target, at));
    }

    fn begin(&mut self, frame: FrameId, outer: FrameId, x: Nid, into: PieceId, is_owner: bool) {
        let again = std::mem::replace(&mut self.begun[x as usize], true);
        let walk = self.w(frame);
        let props = self.inherited[walk.props as usize].clone();
        let id = self.pieces.len() as PieceId;
        let mut piece = Piece::new(x, frame, into, props, walk.formats.clone());
        piece.kids = room_for_kids(self.mirror, x);
        piece.inline = walk.inline.unwrap_or_else(|| self.schema.is_inline(&piece.props));
        piece.void = walk.void.unwrap_or_else(|| self.schema.is_void(&piece.props));
        piece.gone = walk.gone.map(|removal| removal.gone);
        piece.prev = self.w(outer).last_piece;
        piece.again = again;
        let owner = walk.owner;
        if let Some(prev) = piece.prev {
            self.pieces[prev as usize].next = Some(id);
        }
        self.pieces.push(piece);
        self.filled.push(false);
        self.wm(outer).last_piece = Some(id);
        self.wm(outer).piece = Some(id);
        self.wm(frame).last = Some(Last::Piece(id));
        if let (true, Some(claim)) = (is_owner, owner) {
            self.reached.insert(claim);
        }
        self.pieces[into as usize].kids.push(Kid::Piece(id));
        self.filled[into as usize] = true;
    }

    /// Properties along the chain: one's own, else the pin, else what is inherited.
    fn inherit(&mut self, from: u32, x: Nid) -> u32 {
        let registers = &self.mirror.node(x).registers;
        if self.mirror.id(x).left_out().is_some() {
            // What stands for pieces that are left out has all that the last of them hands on, whatever is before it.
            self.inherited.push(registers.own.clone());
            return self.inherited.len() as u32 - 1;
        }
        if registers.own.is_empty() && registers.pins.is_empty() {
            return from;
        }
        let inherited = &self.inherited[from as usize];
        let all = match inherited.is_empty() && registers.pins.is_empty() {
            true => registers.own.clone(),
            false => {
                let mut props = (**inherited).clone();
                for (name, value) in registers.pins.iter().chain(registers.own.iter()) {
                    props.insert(name.clone(), value.clone());
                }
                Rc::new(props)
            }
        };
        self.inherited.push(all);
        self.inherited.len() as u32 - 1
    }

    fn walk(&mut self, seq: Nid, frame: FrameId, mut item: u32, end: u32, mut index: u32, held: bool) {
        let mirror = self.mirror;
        let items = &mirror.node(seq).items;
        let skips = self.claims.held_in.get(&seq).filter(|_| !held).map_or(&[][..], Vec::as_slice);
        // What is filled is another only behind what is walked in between.
        let target = self.target(frame);
        let like = self.cursor(seq, 0, frame, held);
        let like = Cursor { piece: target.unwrap_or(0), ..like };
        while item < end {
            let at = item;
            item += 1;
            let this = &items[at as usize];
            let start = index;
            index += this.len();
            let next = skips.partition_point(|range| range.1 <= at);
            if skips.get(next).is_some_and(|range| range.0 <= at) || *this == Item::Foreign {
                continue;
            }
            let cursor = Cursor { index: start, ..like };
            if let Some(piece) = target {
                self.pieces[piece as usize].kids.push(Kid::Cursor(cursor));
            }
            match this {
                Item::Text(_) => {
                    if let Some(piece) = target {
                        self.filled[piece as usize] = true;
                        self.pieces[piece as usize].kids.push(Kid::Text { item: at, at: cursor });
                    }
                }
                Item::Node(x) | Item::Left { node: x, .. } => {
                    self.tasks.push(Task::Sequence { seq, frame, item, end, index, held });
                    self.meet_node(*x, frame);
                    // What has to be done first lies on top.
                    return;
                }
                Item::Foreign => {}
            }
        }
        if let Some(piece) = target {
            self.pieces[piece as usize].kids.push(Kid::Cursor(Cursor { index, ..like }));
        }
    }

    fn cursor(&self, seq: Nid, index: u32, frame: FrameId, held: bool) -> Cursor {
        Cursor { seq, index, frame, piece: 0, held, props: self.w(frame).props }
    }

    fn meet_node(&mut self, x: Nid, frame: FrameId) {
        let node = self.mirror.node(x);
        match node.registers.kind {
            Kind::Strand => self.enter(x, None, frame, None, node.formats.clone()),
            Kind::Place => {
                if let Some(piece) = self.target(frame) {
                    self.tasks.push(Task::Placed { piece, kids: self.pieces[piece as usize].kids.len() });
                }
                self.enter_all(self.claims.at(x), frame, None, &node.formats);
            }
            Kind::Seam => self.wm(frame).seams.push(x),
            Kind::Break => self.meet(x, frame),
            Kind::Unknown => {}
        }
    }

    /// A place at which nothing is shown.
    fn placed(&mut self, piece: PieceId, kids: usize) {
        let piece = &mut self.pieces[piece as usize];
        piece.absent |= !piece.kids[kids..].iter().any(|kid| matches!(kid, Kid::Piece(_)));
    }

    fn enter_all(&mut self, claims: &[ClaimId], parent: FrameId, host: Option<FrameId>, formats: &Formats) {
        for claim in claims.iter().rev() {
            if let Some(strand) = chain_of(self.mirror, self.claims.get(*claim).head) {
                let formats = formats.clone();
                self.tasks.push(Task::Enter { strand, owner: Some(*claim), parent, host, formats });
            }
        }
    }
}

/// What most have is a text, and positions before and behind it; the root has many elements.
fn room_for_kids(mirror: &Mirror, head: Nid) -> Vec<Kid> {
    let items = mirror.node(head).items.len();
    match items == 1 || head == ROOT {
        true => Vec::with_capacity(2 * items + 1),
        false => Vec::new(),
    }
}
