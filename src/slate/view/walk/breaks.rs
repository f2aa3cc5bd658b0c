//! What a walk does at a break, and at the end of a piece.

use yrs::Any;

use super::{Last, Removal, Task, Walker};
use crate::slate::view::claims::ClaimId;
use crate::slate::view::types::FrameId;
use crate::slate::ydoc::{Erase, Gone, Id, Item, Kind, Nid, Of};

impl Walker<'_> {
    /// The walk whose element a break divides.
    fn divided_by(&self, at: Nid, frame: FrameId) -> Option<FrameId> {
        let of = match self.mirror.node(at).registers.of {
            Of::Absent => return Some(frame),
            Of::Chain(id) => self.mirror.find(id),
            Of::Damaged => None,
        };
        if of.is_some_and(|of| self.answers(frame, of)) {
            return Some(frame);
        }
        let find = |test: &dyn Fn(FrameId) -> bool| {
            let mut at = Some(frame);
            while let Some(frame) = at {
                if test(frame) {
                    return Some(frame);
                }
                at = self.up(frame);
            }
            None
        };
        let kind = of.and_then(|of| self.mirror.node(of).registers.own.get("type"));
        let is_of_type = |frame: FrameId| {
            let walk = self.w(frame);
            kind.is_some() && walk.parent.is_some() && same_type(self.inherited[walk.props as usize].get("type"), kind)
        };
        find(&|frame| of.is_some_and(|of| self.answers(frame, of))).or_else(|| find(&is_of_type))
    }

    /// A break in the sequence of a walk, or in a gap that is walked in it.
    pub(super) fn meet(&mut self, at: Nid, frame: FrameId) {
        let divided = self.divided_by(at, frame).filter(|divided| self.w(*divided).parent.is_some());
        let Some(divided) = divided else { return self.sequence(at, frame) };
        let mut between = frame;
        while between != divided {
            // It is shown elsewhere.
            if !self.w(between).show {
                return;
            }
            let Some(up) = self.up(between) else { return };
            between = up;
        }
        let outermost = self.outer(divided);
        if divided != frame && self.outer(frame) != outermost {
            // It divides behind what is open in it.
            let mut child = self.outer(frame);
            while let Some(parent) = self.w(child).parent.map(|parent| self.outer(parent)).filter(|up| *up != outermost)
            {
                child = parent;
            }
            self.wm(child).behind.push(at);
            return;
        }
        let id = self.mirror.id(at);
        // A join to what another removed with all its text is void, if nothing else hangs on it. Who removes both knew of it.
        let is_void = self.is_gone_and_bare(self.target(divided))
            && !self.is_removed(at)
            && !self.is_removed_beyond(divided, id)
            && self.mirror.node(at).items.iter().all(|item| *item == Item::Foreign)
            && !self.ends(divided, id);
        if is_void || !self.claims.is_off(self.mirror, at) {
            let is_elsewhere = !is_void && self.mirror.node(at).registers.off != Erase::On;
            if let Some(piece) = self.target(divided).filter(|_| is_elsewhere) {
                // What somebody joined to it is shown elsewhere.
                self.pieces[piece as usize].absent = true;
            }
            return self.divide(divided, at);
        }
        self.tasks.push(Task::Join(divided, at));
        self.flow_before(divided, at);
    }

    /// What another joined to what ends at this break, not knowing of this join, stands before what is behind the break.
    fn flow_before(&mut self, divided: FrameId, at: Nid) {
        if self.w(divided).seams.is_empty() || self.is_gone_and_bare(self.target(divided)) {
            return;
        }
        let (mirror, claims) = (self.mirror, self.claims);
        let rank = claims.rank(mirror, at);
        let seams = std::mem::take(&mut self.wm(divided).seams);
        let (before, behind) = seams.into_iter().partition(|seam| claims.rank_of(mirror, *seam) < Some(rank));
        self.wm(divided).seams = behind;
        self.flow(divided, before);
    }

    /// A break that is off: the text goes on, and its gap is walked behind the piece.
    pub(super) fn join(&mut self, divided: FrameId, at: Nid) {
        let id = self.mirror.id(at);
        let mut frame = Some(divided);
        while let Some(this) = frame {
            let walk = self.wm(this);
            for entry in walk.stack.iter_mut().filter(|entry| entry.to == Some(id)) {
                entry.over = true;
            }
            if let Some(removal) = walk.gone.as_mut().filter(|removal| removal.gone.to == Some(id)) {
                removal.over = true;
            }
            frame = self.next(this);
        }
        if let Some(Some(gone)) = self.mirror.node(at).registers.gone {
            let gone = Gone { to: gone.to, unwrap: false };
            self.wm(divided).gone = Some(Removal { gone, over: false });
        }
        // It does not go along if the piece is moved: it stays where the chain was, as that of any break.
        let walk = self.w(divided);
        let last = walk.stack.len() - 1;
        let end = walk.stack.iter().position(|entry| entry.over).filter(|end| *end > 0);
        let below = end.map_or(last, |end| end - 1).min(last.saturating_sub(walk.claimed));
        if self.is_here(divided, walk.stack[below].owner) {
            self.wm(divided).behind.push(at);
        }
    }

    pub(super) fn divide(&mut self, divided: FrameId, at: Nid) {
        let outer = self.outer(divided);
        self.tasks.push(Task::Divided(divided, at));
        self.tasks.push(Task::Behind(outer));
        self.end_piece(divided);
    }

    pub(super) fn divided(&mut self, divided: FrameId, at: Nid) {
        let mut frame = Some(divided);
        while let Some(this) = frame {
            self.until(this, self.mirror.id(at));
            frame = self.next(this);
        }
        self.tasks.push(Task::Head(divided, at));
        let parent = self.w(self.outer(divided)).parent;
        if let Some(parent) = parent.filter(|_| self.is_here(divided, self.owner(divided))) {
            // The gap is part of the parent's sequence, and stays where the chain was.
            self.sequence(at, parent);
        }
    }

    /// What was removed itself: it goes with what it was joined to.
    fn is_removed(&self, head: Nid) -> bool {
        self.mirror.node(head).registers.gone.flatten().is_some()
    }

    /// Whether what is removed there goes on behind this break: who removed it knew of the join.
    fn is_removed_beyond(&self, divided: FrameId, id: Id) -> bool {
        self.w(divided).gone.is_some_and(|removal| removal.gone.to != Some(id) && !removal.over)
    }

    /// Whether a claim goes up to this break, or to one before it that is off.
    fn ends(&self, divided: FrameId, id: Id) -> bool {
        let mut frames = std::iter::successors(Some(divided), |frame| self.next(*frame));
        frames.any(|frame| self.w(frame).stack.iter().any(|entry| entry.to == Some(id) || entry.over))
    }

    fn next(&self, frame: FrameId) -> Option<FrameId> {
        let walk = self.w(frame);
        walk.host.filter(|_| self.owner(frame) == walk.owner)
    }

    /// What ends at this break: claims, what is gone, the piece.
    fn until(&mut self, frame: FrameId, id: Id) {
        let (mirror, claims) = (self.mirror, self.claims);
        let walk = self.wm(frame);
        let end = walk.stack.iter().position(|entry| entry.to == Some(id) || entry.over);
        if let Some(end) = end.filter(|end| *end > 0) {
            walk.stack.truncate(end);
        }
        walk.gone = walk.gone.filter(|removal| removal.gone.to != Some(id) && !removal.over);
        walk.show = walk.stack.last().and_then(|entry| entry.owner) == walk.owner;
        let Some(last) = walk.last.take() else { return };
        let stack = walk.stack.clone();
        let beyond = |head: Nid| -> Vec<(Nid, Option<Id>)> {
            let owners = stack.iter().rev().filter_map(|entry| entry.owner).map(|claim| claims.get(claim));
            owners.filter(|claim| claim.head == head).map(|claim| (claim.marker, claim.to)).collect()
        };
        let to = mirror.find(id);
        match last {
            Last::Piece(piece) => {
                let piece = &mut self.pieces[piece as usize];
                (piece.to, piece.beyond) = (to, beyond(piece.head));
            }
            Last::Joined(piece, at) => {
                let joined = &mut self.pieces[piece as usize].joined[at];
                (joined.to, joined.beyond) = (to, beyond(joined.head));
            }
        }
    }

    /// At the end of a piece: what is joined to it flows in, then comes what waited in the gaps of joined breaks.
    pub(super) fn end_piece(&mut self, frame: FrameId) {
        self.tasks.push(Task::AfterSeams(frame));
        let seams = std::mem::take(&mut self.wm(frame).seams);
        if seams.is_empty() {
            return;
        }
        self.flow(frame, seams);
    }

    /// What is joined flows in: who joins one after the other puts the second into the first, so these are of people who did not
    /// know of each other, and come in the order in which they stand.
    fn flow(&mut self, frame: FrameId, mut seams: Vec<Nid>) {
        let target = self.target(frame);
        let is_void = self.is_gone_and_bare(target);
        let (mirror, claims) = (self.mirror, self.claims);
        if let Some(piece) = target {
            let piece = &mut self.pieces[piece as usize];
            // What was divided off has flowed in at one of these, and is shown elsewhere.
            piece.absent |=
                mirror.kind(piece.head) == Kind::Break && seams.iter().any(|seam| claims.at(*seam).is_empty());
        }
        let (parent, host) = match self.w(frame).parent {
            Some(_) => (self.w(self.outer(frame)).parent, Some(frame)),
            None => (Some(frame), None),
        };
        if seams.len() > 1 {
            seams.sort_by_key(|seam| claims.rank_of(mirror, *seam));
        }
        for seam in seams.into_iter().rev() {
            let mut here = claims.at(seam);
            let counting: Vec<ClaimId>;
            if is_void {
                let counts = |claim: &&ClaimId| self.is_removed(claims.get(**claim).head);
                let void: Vec<ClaimId>;
                (counting, void) = here.iter().partition(counts);
                self.refused.extend(void);
                here = &counting;
            }
            match parent {
                Some(parent) => self.enter_all(here, parent, host, &mirror.node(seam).formats),
                None => self.refused.extend(here),
            }
        }
    }

    pub(super) fn after_seams(&mut self, frame: FrameId) {
        match self.w(frame).host {
            Some(host) => {
                let behind = std::mem::take(&mut self.wm(frame).behind);
                self.wm(host).behind.extend(behind);
            }
            None => self.flush_behind(frame),
        }
    }

    pub(super) fn flush_behind(&mut self, frame: FrameId) {
        let behind = std::mem::take(&mut self.wm(frame).behind);
        let Some(parent) = self.w(frame).parent else { return };
        for at in behind.into_iter().rev() {
            match self.claims.is_off(self.mirror, at) {
                true => self.sequence(at, parent),
                false => self.tasks.push(Task::Divide(parent, at)),
            }
        }
    }
}

/// Of values that are compared by what they are: texts, numbers, yes and no.
fn same_type(a: Option<&Any>, b: Option<&Any>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b && !matches!(a, Any::Array(_) | Any::Map(_) | Any::Buffer(_)),
        _ => false,
    }
}
