//! Which of a sequence's items say something about each other.

use super::attrs::{Erase, Kind, Of, Registers};
use super::id::Id;
use super::mirror::{Mirror, Nid, ROOT};

/// In place of an item: what is not in the sequence.
pub const OUTSIDE: Nid = Nid::MAX;

impl Registers {
    /// Whether they name others.
    fn is_linked(&self) -> bool {
        self.at.is_some() || self.head.is_some() || matches!(self.of, Of::Chain(_)) || self.kind == Kind::Seam || {
            self.gone.flatten().is_some_and(|gone| gone.to.is_some())
        }
    }

    fn named(&self) -> impl Iterator<Item = Id> + '_ {
        let claims = self.at.iter().flat_map(|at| &at.claims);
        let of = match self.of {
            Of::Chain(id) => Some(id),
            Of::Absent | Of::Damaged => None,
        };
        let gone = self.gone.flatten().and_then(|gone| gone.to);
        claims.flat_map(|claim| [claim.marker, claim.to]).flatten().chain(self.head).chain(of).chain(gone)
    }
}

impl Mirror {
    /// After the registers of a node changed.
    pub(super) fn note_registers(&mut self, at: Nid) {
        self.touched.insert(at);
        match self.node(at).registers.is_linked() {
            true => self.linked.insert(at),
            false => self.linked.remove(&at),
        };
    }

    /// The item of the root in which a node stands; the root for itself.
    pub fn top(&self, at: Nid) -> Nid {
        self.item_of(ROOT, at).unwrap_or(ROOT)
    }

    /// The item of a sequence in which a node stands; `None`: it is not in it, but around it or elsewhere.
    pub fn item_of(&self, seq: Nid, mut at: Nid) -> Option<Nid> {
        while at != ROOT {
            let up = self.node(at).up;
            if up == seq {
                return Some(at);
            }
            at = up;
        }
        None
    }

    /// Pairs of a sequence's items, of which one names something in the other: what one shows may depend on the other.
    /// [`OUTSIDE`] is whatever is not in the sequence; [`ROOT`] stands for what any may depend on that names it.
    pub fn links(&self, seq: Nid) -> Vec<(Nid, Nid)> {
        let mut links = Vec::new();
        let item = |at: Nid| match self.item_of(seq, at) {
            Some(item) => item,
            None if seq == ROOT => ROOT,
            None => OUTSIDE,
        };
        for &x in &self.linked {
            let registers = &self.node(x).registers;
            let own = item(x);
            for id in registers.named() {
                if let Some(other) = self.find(id).map(item)
                    && other != own
                {
                    links.push((own, other));
                }
            }
            if self.is_open_ended(x) {
                links.push((own, ROOT));
            }
        }
        links
    }

    /// What any may depend on that is of its kind, in order.
    pub fn open_ends(&self) -> Vec<Nid> {
        let mut open: Vec<Nid> = self.linked.iter().copied().filter(|x| self.is_open_ended(*x)).collect();
        open.sort_unstable();
        open
    }

    /// If the end of a claim is off, any break ends it that comes next in what flows in from a gap.
    fn is_open_ended(&self, x: Nid) -> bool {
        let registers = &self.node(x).registers;
        let is_off = |id: Id| self.find(id).is_some_and(|end| self.node(end).registers.off != Erase::On);
        let is_open = registers.at.iter().flat_map(|at| &at.claims).any(|claim| claim.to.is_some_and(is_off));
        is_open || (registers.kind == Kind::Seam && self.kind(self.node(x).up) != Kind::Strand)
    }
}
