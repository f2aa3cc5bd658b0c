//! Slate operations, paths, points and ranges as plain values.

use smallvec::SmallVec;

use super::node::{Attrs, Node};

/// Child indices from the editor's root down. Screenplays need one to three levels.
pub type Path = SmallVec<[u32; 6]>;

/// A position in a text leaf; `offset` counts UTF-16 code units, as Slate does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Point {
    pub path: Path,
    pub offset: u32,
}

/// A selection; `anchor` may come after `focus`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Range {
    pub anchor: Point,
    pub focus: Point,
}

impl Op {
    /// Its paths: two of a move.
    pub fn paths_mut(&mut self) -> impl Iterator<Item = &mut Path> {
        let (path, other) = match self {
            Self::MoveNode { path, new_path } => (path, Some(new_path)),
            Self::InsertText { path, .. }
            | Self::RemoveText { path, .. }
            | Self::InsertNode { path, .. }
            | Self::RemoveNode { path, .. }
            | Self::SetNode { path, .. }
            | Self::SplitNode { path, .. }
            | Self::MergeNode { path, .. } => (path, None),
        };
        std::iter::once(path).chain(other)
    }

    /// In which of the nodes at the top it changes something, if nothing else changes.
    pub fn within(&self) -> Option<usize> {
        let (path, other, is_own) = match self {
            Self::MoveNode { path, new_path } => (path, Some(new_path), false),
            Self::InsertText { path, .. } | Self::RemoveText { path, .. } | Self::SetNode { path, .. } => {
                (path, None, true)
            }
            Self::InsertNode { path, .. }
            | Self::RemoveNode { path, .. }
            | Self::SplitNode { path, .. }
            | Self::MergeNode { path, .. } => (path, None, false),
        };
        let top = |path: &Path| path.first().filter(|_| is_own || path.len() > 1).copied();
        let at = top(path)?;
        other.is_none_or(|other| top(other) == Some(at)).then_some(at as usize)
    }
}

/// One Slate operation. The ninth of Slate's, `set_selection`, changes no document and travels as a [`Range`].
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    InsertText {
        path: Path,
        offset: u32,
        text: String,
    },
    RemoveText {
        path: Path,
        offset: u32,
        text: String,
    },
    InsertNode {
        path: Path,
        node: Node,
    },
    RemoveNode {
        path: Path,
        node: Node,
    },
    /// A key of `properties` that `new_properties` lacks, or gives as null, is removed.
    SetNode {
        path: Path,
        properties: Attrs,
        new_properties: Attrs,
    },
    /// `position`: UTF-16 offset in a text, child index in an element. `properties`: those of the new right half.
    SplitNode {
        path: Path,
        position: u32,
        properties: Attrs,
    },
    /// Merges the node at `path` into its previous sibling, which has `position` units or children.
    MergeNode {
        path: Path,
        position: u32,
        properties: Attrs,
    },
    /// `new_path` is Slate's: the path at which the node is to be found afterwards.
    MoveNode {
        path: Path,
        new_path: Path,
    },
}
