//! What one transaction writes down of what it has copied and removed.

use yrs::{ClientID, ID};

/// Characters or elements that follow each other, in the doc and by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::slate) struct Run {
    pub id: ID,
    pub len: u32,
}

impl Run {
    pub fn contains(self, id: ID) -> bool {
        id.client == self.id.client && id.clock.wrapping_sub(self.id.clock) < self.len
    }

    pub fn ids(self) -> impl Iterator<Item = ID> + Clone {
        (0..self.len).map(move |into| nth(self.id, into))
    }

    /// What has become of `part`, as far as that is in here, where this was copied to `to`.
    pub fn copied(self, to: ID, part: Run) -> Option<Run> {
        let first = self.id.clock.max(part.id.clock);
        let end = (self.id.clock + self.len).min(part.id.clock + part.len);
        let len = end.checked_sub(first).filter(|len| *len > 0 && part.id.client == self.id.client)?;
        Some(Run { id: nth(to, first - self.id.clock), len })
    }
}

/// The id of a character or element so many behind one that it follows.
pub(in crate::slate) fn nth(id: ID, into: u32) -> ID {
    ID::new(id.client, id.clock + into)
}

/// One stretch of an element's content and where it was copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::slate) struct Group {
    /// The elements; none: the root.
    pub source: Option<ID>,
    pub target: Option<ID>,
    /// Which part of the source.
    pub part: Part,
    /// What stands in the target before and behind the copy.
    pub before: Option<ID>,
    pub behind: Option<ID>,
    /// From, to, how many.
    pub runs: Vec<(ID, ID, u32)>,
}

/// What one transaction has copied, or a part of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::slate) struct CopyRecord {
    pub groups: Vec<Group>,
    /// Elements that were removed and are nowhere else.
    pub gone: Vec<Run>,
    /// Up to which clock its author knew the edits of others: of those who have written in the sources, or of whom
    /// something was deleted lately. None if the author writes again what had gone before.
    pub known: Option<Vec<(ClientID, u32)>>,
}

impl CopyRecord {
    /// Whether this made one of these elements go: copied all of it, or removed it.
    pub fn ended(&self, mut elements: impl Iterator<Item = ID>) -> bool {
        let copied = |id| self.groups.iter().any(|group| group.part == Part::Whole && group.source == Some(id));
        self.known.is_some() && elements.any(|id| self.gone.iter().any(|run| run.contains(id)) || copied(id))
    }

    /// Who has written in what this has copied or removed.
    pub fn authors<'a>(&'a self, gone: &'a Gone) -> impl Iterator<Item = ClientID> + 'a {
        let copied = self.groups.iter().flat_map(|group| group.runs.iter().map(|(from, ..)| from.client));
        let removed = gone.authors.iter().copied().filter(|_| !self.gone.is_empty());
        copied.chain(removed)
    }

    /// Whether its author knew this character or element.
    pub fn knew(&self, id: ID) -> bool {
        let copied = |group: &Group| group.runs.iter().any(|&(from, _, len)| Run { id: from, len }.contains(id));
        self.known.iter().flatten().any(|(client, clock)| *client == id.client && *clock > id.clock)
            || self.groups.iter().any(copied)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::slate) enum Part {
    /// All of it: the source is gone.
    Whole,
    /// All from some place on.
    Tail,
    /// All up to some place.
    Head,
    /// Elements in between.
    Some,
}

/// What a transaction has removed and not copied: elements, and who has written in them.
#[derive(Debug, Default)]
pub(in crate::slate) struct Gone {
    pub elements: Vec<Run>,
    pub authors: Vec<ClientID>,
}
