//! [`EditedKids`]: what an editor shows in an element, beside what was shown there before.

use std::ops::Range;

use crate::slate::view::tree::{Kid, same_ends};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub enum EditedKids<'a> {
    All(&'a [Kid]),
    /// What was there before, but for this one.
    But(&'a [Kid], usize, &'a Kid),
}

impl<'a> EditedKids<'a> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::All(kids) | Self::But(kids, ..) => kids.len(),
        }
    }

    pub(super) fn at(self, at: usize) -> Option<&'a Kid> {
        match self {
            Self::But(_, other, kid) if at == other => Some(kid),
            Self::All(kids) | Self::But(kids, ..) => kids.get(at),
        }
    }

    pub(super) fn slice(self, range: Range<usize>) -> Option<Self> {
        match self {
            Self::All(kids) => kids.get(range).map(Self::All),
            Self::But(kids, at, kid) if range.contains(&at) => {
                Some(Self::But(kids.get(range.clone())?, at - range.start, kid))
            }
            Self::But(kids, ..) => kids.get(range).map(Self::All),
        }
    }

    pub(super) fn to_vec(self) -> Vec<Kid> {
        (0..self.len()).filter_map(|at| self.at(at).cloned()).collect()
    }

    /// How many at the start, and how many at the end, are as they were before.
    pub(super) fn same_ends(self, before: &[Kid]) -> (usize, usize) {
        match self {
            Self::All(kids) => same_ends(before, kids),
            Self::But(_, at, _) => (at, before.len() - at - 1),
        }
    }
}
