//! Pieces, and the positions between what they show.

use std::rc::Rc;

use crate::slate::value::node::Attrs;
use crate::slate::ydoc::{Formats, Gone, Id, Nid, QuickMap};

pub type PieceId = u32;
/// A walk of one strand for one owner; see [`View::frames`].
pub type FrameId = u32;

/// What a head shows, up to the next break of its chain.
#[derive(Debug, Clone)]
pub struct Piece {
    /// A strand or a break; [`ROOT`](crate::slate::ydoc::ROOT) for the root.
    pub head: Nid,
    pub frame: FrameId,
    /// The piece in which it is shown; its own index for the root.
    pub up: PieceId,
    pub kids: Vec<Kid>,
    /// Own, pinned and inherited; nulls among them.
    pub props: Rc<Attrs>,
    /// The formats that it has as an embed; none for blocks.
    pub formats: Formats,
    pub inline: bool,
    pub void: bool,
    pub gone: Option<Gone>,
    /// Not shown; it is in [`View::pieces`] all the same, and not among the kids of another.
    pub hidden: bool,
    /// Transparent: its kids are shown in its place.
    pub spill: bool,
    /// Its head is shown before: a break that divides one element in one walk, and another where another walk passes it.
    pub again: bool,
    /// Has something to show.
    pub live: bool,
    /// Something that would be in it is shown elsewhere, or hidden.
    pub absent: bool,
    /// Has blocks.
    pub holds: bool,
    /// The break that ended it, shown here or elsewhere.
    pub to: Option<Nid>,
    /// Claims of its head on what follows `to`: marker, and up to which break.
    pub beyond: Vec<(Nid, Option<Id>)>,
    /// Heads that flow into it.
    pub joined: Vec<Joined>,
    /// The piece before it in the same frame, and behind it.
    pub prev: Option<PieceId>,
    pub next: Option<PieceId>,
}

impl Piece {
    pub(super) fn new(head: Nid, frame: u32, up: PieceId, props: Rc<Attrs>, formats: Formats) -> Self {
        Self {
            head,
            frame,
            up,
            kids: Vec::new(),
            props,
            formats,
            inline: false,
            void: false,
            gone: None,
            hidden: false,
            spill: false,
            again: false,
            live: false,
            absent: false,
            holds: false,
            to: None,
            beyond: Vec::new(),
            joined: Vec::new(),
            prev: None,
            next: None,
        }
    }
}

/// A head whose content flows into a piece.
#[derive(Debug, Clone)]
pub struct Joined {
    pub head: Nid,
    pub to: Option<Nid>,
    pub beyond: Vec<(Nid, Option<Id>)>,
    pub gone: Option<Gone>,
}

/// What a piece shows, in order, and the positions between.
#[derive(Debug, Clone)]
pub enum Kid {
    Piece(PieceId),
    /// A run of a sequence: `items[item]` of `at.seq`, which begins at `at.index`.
    Text {
        item: u32,
        at: Cursor,
    },
    /// Whatever is inserted here is shown exactly here.
    Cursor(Cursor),
}

/// A position that the walk passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub seq: Nid,
    /// In UTF-16 units and embeds.
    pub index: u32,
    /// The walk that passed it.
    pub frame: FrameId,
    /// The piece that was being filled.
    pub piece: PieceId,
    /// In what an open strand holds, beyond its own sequence: markers put in here name it by `@of`.
    pub held: bool,
    /// What a new break here would inherit: index in [`View::inherited`].
    pub props: u32,
}

/// A walk of one strand for one owner.
#[derive(Debug, Clone)]
pub struct Frame {
    pub strand: Nid,
    /// The head whose claim is shown; `None`: at home.
    pub owner: Option<Nid>,
    pub parent: Option<FrameId>,
    /// The walk that it flows into, through a seam.
    pub host: Option<FrameId>,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct View {
    /// The first is the root. Hidden ones are here too.
    pub pieces: Vec<Piece>,
    pub frames: Vec<Frame>,
    pub by_head: QuickMap<Nid, PieceId>,
    /// Valid claims of heads that have any: the marker, and up to which break; the innermost first.
    pub claims: QuickMap<Nid, Vec<(Nid, Option<Id>)>>,
    /// Properties along chains, nulls among them; see [`Cursor::props`].
    pub inherited: Vec<Rc<Attrs>>,
    /// Registers and claims that do not count.
    pub ignored: u32,
    /// It shows the same to who keeps nothing.
    pub plain: bool,
    /// Each item of a sequence shows what it shows whatever the others are that are not linked with it, unless bare text
    /// stands among them: no claim is void for the sake of others, and nothing transparent is shown because there is nothing
    /// else.
    pub apart: bool,
    /// Those whose bare text was brought into a block beside it.
    pub strayed: Vec<PieceId>,
}

impl View {
    pub const ROOT: PieceId = 0;

    pub fn piece(&self, at: PieceId) -> &Piece {
        &self.pieces[at as usize]
    }

    /// The piece of a head, hidden or not.
    pub fn find(&self, head: Nid) -> Option<PieceId> {
        self.by_head.get(&head).copied()
    }

    pub fn frame(&self, at: FrameId) -> &Frame {
        &self.frames[at as usize]
    }

    /// Whether a view for which nothing was kept is the same for who keeps these.
    pub fn holds_for(&self, mut kept: impl FnMut(Nid) -> bool) -> bool {
        let is_in_gone = |piece: &Piece| {
            let mut at = piece.up;
            while at != Self::ROOT {
                if self.piece(at).gone.is_some() {
                    return true;
                }
                at = self.piece(at).up;
            }
            false
        };
        self.plain
            && self.pieces.iter().skip(1).filter(|piece| kept(piece.head)).all(|piece| {
                let is_shown = !piece.hidden && !piece.spill && !piece.again && piece.gone.is_none();
                is_shown && (piece.live || !is_in_gone(piece))
            })
    }

    /// The walk into which this one flows at last.
    pub fn outer(&self, mut at: FrameId) -> FrameId {
        while let Some(host) = self.frames[at as usize].host {
            at = host;
        }
        at
    }

    /// The strand in whose chain a piece is.
    pub fn strand(&self, at: PieceId) -> Nid {
        self.frame(self.piece(at).frame).strand
    }

    pub fn claims(&self, head: Nid) -> &[(Nid, Option<Id>)] {
        self.claims.get(&head).map_or(&[], Vec::as_slice)
    }
}
