//! Operations over operations: what an inverse operation has become after others did something in between.
//!
//! Unlike the doc, nothing here must converge: the result is checked against the document before it is applied, and
//! what does not fit is dropped. What it must never do is to take along what someone else wrote.

use crate::slate::value::transform::{self, Affinity};
use crate::slate::{Leaf, Node, Op, Path, Point, utf16_len, utf16_slice};

/// Which of two concurrent insertions at one place comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Mine,
    Theirs,
}

/// `mine` is to be applied after `theirs`, of which it knows nothing; and the other way round. Both in order.
pub(super) fn cross(mine: Vec<Op>, theirs: Vec<Op>) -> (Vec<Op>, Vec<Op>) {
    let mut mine = mine;
    let mut theirs_after = Vec::new();
    for op in theirs {
        let mut others = vec![op];
        let mut mine_after = Vec::new();
        for op in mine {
            let (outline, gives_way) = (outline(&op), yields(&op, &others));
            let mut pieces = vec![op];
            for other in others.iter().filter(|other| !is_apart(&outline, other)) {
                pieces = pieces.iter().flat_map(|piece| after(piece, other, Order::Mine)).collect();
            }
            // What gave way to the others is not there to change them.
            if (!pieces.is_empty() || !gives_way) && others.iter().any(|other| !is_apart(other, &outline)) {
                others = others.iter().flat_map(|other| after(other, &outline, Order::Theirs)).collect();
            }
            mine_after.extend(pieces);
        }
        mine = mine_after;
        theirs_after.extend(others);
    }
    (mine, theirs_after)
}

/// The operation without the nodes it carries, which change nothing about others. Copying those for each pair is what
/// made undoing a large deletion take seconds.
fn outline(op: &Op) -> Op {
    let node = Node::Text(Leaf::default());
    match op {
        Op::InsertNode { path, .. } => Op::InsertNode { path: path.clone(), node },
        Op::RemoveNode { path, .. } => Op::RemoveNode { path: path.clone(), node },
        other => other.clone(),
    }
}

/// Whether `op` surely stays as it is after `other`: a text elsewhere changes no path.
fn is_apart(op: &Op, other: &Op) -> bool {
    let (Op::InsertText { path: at, .. } | Op::RemoveText { path: at, .. }) = other else { return false };
    match op {
        Op::RemoveNode { path, .. } => !at.starts_with(path),
        Op::InsertText { path, .. } | Op::RemoveText { path, .. } | Op::SplitNode { path, .. } => path != at,
        Op::InsertNode { .. } | Op::SetNode { .. } | Op::MergeNode { .. } | Op::MoveNode { .. } => true,
    }
}

/// A removal of a node in which others wrote does not take place.
fn yields(op: &Op, others: &[Op]) -> bool {
    match op {
        Op::RemoveNode { path, .. } => others.iter().any(|other| writes_into(other, path)),
        _ => false,
    }
}

fn writes_into(op: &Op, node: &Path) -> bool {
    match op {
        Op::InsertText { path, .. } => path.starts_with(node),
        Op::InsertNode { path, .. } => path.len() > node.len() && path.starts_with(node),
        Op::MoveNode { path, new_path } => {
            new_path.len() > node.len() && new_path.starts_with(node) && !path.starts_with(node)
        }
        Op::MergeNode { path, .. } => *path == transform::next(node),
        _ => false,
    }
}

/// `op` as it is to be applied after `other`: changed, in several, or not at all.
fn after(op: &Op, other: &Op, side: Order) -> Vec<Op> {
    match op {
        Op::InsertText { path, offset, text } => {
            let affinity = if side == Order::Mine { Affinity::Backward } else { Affinity::Forward };
            let point = transform::point(&Point { path: path.clone(), offset: *offset }, other, affinity);
            let insert = |point: Point| Op::InsertText { path: point.path, offset: point.offset, text: text.clone() };
            point.map(insert).into_iter().collect()
        }
        Op::RemoveText { path, offset, text } => remove_text(path, *offset, text, other),
        Op::InsertNode { path, node } => {
            let to = slot(path, other, side);
            to.map(|path| Op::InsertNode { path, node: node.clone() }).into_iter().collect()
        }
        Op::RemoveNode { path, node } => {
            if side == Order::Mine && writes_into(other, path) {
                return Vec::new();
            }
            let remove = |path| Op::RemoveNode { path, node: node.clone() };
            match other {
                Op::MergeNode { path: merged, .. } if merged == path => Vec::new(),
                Op::SplitNode { path: cut, .. } if cut == path => {
                    vec![remove(transform::next(path)), remove(path.clone())]
                }
                _ => moved(path, other).map(remove).into_iter().collect(),
            }
        }
        Op::SetNode { .. } => set_node(op, other),
        Op::SplitNode { path, position, properties } => {
            let split = |(path, position)| Op::SplitNode { path, position, properties: properties.clone() };
            cut(path, *position, other).map(split).into_iter().collect()
        }
        Op::MergeNode { path, position, properties } => {
            let merge = |path| Op::MergeNode { path, position: *position, properties: properties.clone() };
            merge_path(path, other).map(merge).into_iter().collect()
        }
        Op::MoveNode { path, new_path } => match (moved(path, other), slot(new_path, other, side)) {
            (Some(path), Some(new_path)) => vec![Op::MoveNode { path, new_path }],
            _ => Vec::new(),
        },
    }
}

/// Where a node is. When it was split, its first half.
fn moved(path: &Path, other: &Op) -> Option<Path> {
    transform::path(path, other, Affinity::Backward)
}

/// Where something can be put that was to come before the node at `path`.
fn slot(path: &Path, other: &Op, side: Order) -> Option<Path> {
    match other {
        Op::InsertNode { path: at, .. } if at == path && side == Order::Mine => Some(path.clone()),
        Op::RemoveNode { path: at, .. } | Op::MergeNode { path: at, .. } | Op::MoveNode { path: at, .. }
            if at == path =>
        {
            Some(path.clone())
        }
        _ => transform::path(path, other, Affinity::Backward),
    }
}

fn remove_text(path: &Path, offset: u32, text: &str, other: &Op) -> Vec<Op> {
    let len = utf16_len(text);
    let end = offset.saturating_add(len);
    let piece = |path: &Path, offset: u32, from: u32, to: u32| {
        let text = utf16_slice(text, from, to)?;
        (!text.is_empty()).then(|| Op::RemoveText { path: path.clone(), offset, text: text.to_owned() })
    };
    let pieces = match other {
        Op::InsertText { path: at, offset: start, text: inserted } if at == path => {
            let shift = utf16_len(inserted);
            if *start <= offset {
                vec![piece(path, offset.saturating_add(shift), 0, len)]
            } else if *start < end {
                vec![
                    piece(path, start.saturating_add(shift), start - offset, len),
                    piece(path, offset, 0, start - offset),
                ]
            } else {
                vec![piece(path, offset, 0, len)]
            }
        }
        Op::RemoveText { path: at, offset: start, text: removed } if at == path => {
            let stop = start.saturating_add(utf16_len(removed));
            let tail_from = stop.clamp(offset, end) - offset;
            let head_to = (*start).clamp(offset, end) - offset;
            let at = offset - offset.saturating_sub(*start).min(utf16_len(removed));
            // The tail follows the head, or stands where the other's removal began.
            vec![piece(path, at.saturating_add(head_to), tail_from.max(head_to), len), piece(path, at, 0, head_to)]
        }
        Op::SplitNode { path: at, position, .. } if at == path => {
            let next = transform::next(path);
            if *position <= offset {
                vec![piece(&next, offset - position, 0, len)]
            } else if *position < end {
                vec![piece(&next, 0, position - offset, len), piece(path, offset, 0, position - offset)]
            } else {
                vec![piece(path, offset, 0, len)]
            }
        }
        Op::MergeNode { path: at, position, .. } if at == path => {
            vec![piece(&transform::previous(path), offset.saturating_add(*position), 0, len)]
        }
        _ => moved(path, other).map(|path| piece(&path, offset, 0, len)).into_iter().collect(),
    };
    pieces.into_iter().flatten().collect()
}

/// A property that someone else has set since stays as they set it.
fn set_node(op: &Op, other: &Op) -> Vec<Op> {
    let Op::SetNode { path, properties, new_properties } = op else { return Vec::new() };
    let mut set = (properties.clone(), new_properties.clone());
    match other {
        Op::SetNode { path: at, properties, new_properties } if at == path => {
            let taken = |key: &str| properties.contains_key(key) || new_properties.contains_key(key);
            set.0.retain(|key, _| !taken(key));
            set.1.retain(|key, _| !taken(key));
        }
        Op::MergeNode { path: at, .. } if at == path => return Vec::new(),
        _ => {}
    }
    let Some(path) = moved(path, other) else { return Vec::new() };
    if set.0.is_empty() && set.1.is_empty() {
        return Vec::new();
    }
    vec![Op::SetNode { path, properties: set.0, new_properties: set.1 }]
}

/// Where a split is to be made.
fn cut(path: &Path, position: u32, other: &Op) -> Option<(Path, u32)> {
    let level = path.len();
    let child = |at: &Path| (at.len() == level + 1 && at.starts_with(path)).then(|| at[level]);
    let position = match other {
        Op::InsertText { path: at, offset, text } if at == path && *offset < position => {
            position.saturating_add(utf16_len(text))
        }
        Op::RemoveText { path: at, offset, text } if at == path => {
            position - position.saturating_sub(*offset).min(utf16_len(text))
        }
        Op::SplitNode { path: at, position: cut, .. } if at == path => {
            return Some(if *cut < position {
                (transform::next(path), position - cut)
            } else {
                (path.clone(), position)
            });
        }
        Op::MergeNode { path: at, position: before, .. } if at == path => {
            return Some((transform::previous(path), position.saturating_add(*before)));
        }
        Op::InsertNode { path: at, .. } | Op::SplitNode { path: at, .. } if child(at).is_some_and(|n| n < position) => {
            position.saturating_add(1)
        }
        Op::RemoveNode { path: at, .. } | Op::MergeNode { path: at, .. } if child(at).is_some_and(|n| n < position) => {
            position - 1
        }
        Op::MoveNode { path: from, new_path: to } => {
            let left = u32::from(child(from).is_some_and(|n| n < position));
            let came = u32::from(child(to).is_some_and(|n| n < position));
            (position - left).saturating_add(came)
        }
        _ => position,
    };
    Some((moved(path, other)?, position))
}

/// The right one of two nodes to merge, as long as the two are neighbours.
fn merge_path(path: &Path, other: &Op) -> Option<Path> {
    let left = transform::previous(path);
    match other {
        Op::InsertNode { path: at, .. } | Op::MergeNode { path: at, .. } if at == path => None,
        Op::RemoveNode { path: at, .. } | Op::MoveNode { path: at, .. } if *at == left => None,
        Op::MoveNode { new_path: at, .. } if at == path => None,
        _ => moved(path, other),
    }
}
