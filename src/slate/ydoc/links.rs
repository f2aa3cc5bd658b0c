//! Which of the root's items say something about each other.

use super::attrs::{Erase, Kind, Of, Registers};
use super::id::Id;
use super::mirror::{Mirror, Nid, ROOT};

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
    pub fn top(&self, mut at: Nid) -> Nid {
        loop {
            let up = self.node(at).up;
            if up == ROOT {
                return at;
            }
            at = up;
        }
    }

    /// Pairs of the root's items, of which one names something in the other: what one shows may depend on the other.
    /// [`ROOT`] stands for what any may depend on that names it.
    pub fn links(&self) -> Vec<(Nid, Nid)> {
        let mut links = Vec::new();
        for &x in &self.linked {
            let registers = &self.node(x).registers;
            let top = self.top(x);
            for id in registers.named() {
                if let Some(other) = self.find(id).map(|other| self.top(other))
                    && other != top
                {
                    links.push((top, other));
                }
            }
            // If the end of a claim is off, any break ends it that comes next in what flows in from a gap.
            let is_off = |id: Id| self.find(id).is_some_and(|end| self.node(end).registers.off != Erase::On);
            let is_open = registers.at.iter().flat_map(|at| &at.claims).any(|claim| claim.to.is_some_and(is_off));
            let is_in_gap = registers.kind == Kind::Seam && self.kind(self.node(x).up) != Kind::Strand;
            if is_open || is_in_gap {
                links.push((top, ROOT));
            }
        }
        links
    }
}
