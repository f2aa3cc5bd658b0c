//! Where paths and points are after an operation: Slate's own rules.

use super::op::{Op, Path, Point, Range};
use super::utf16;

/// To which side a position goes that is just where something is inserted or split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    Forward,
    Backward,
}

pub fn next(path: &[u32]) -> Path {
    shift(path, 1)
}

/// The previous sibling's path; a first child's own.
pub fn previous(path: &[u32]) -> Path {
    shift(path, -1)
}

fn shift(path: &[u32], by: i32) -> Path {
    let mut path = Path::from_slice(path);
    if let Some(last) = path.last_mut() {
        *last = last.saturating_add_signed(by);
    }
    path
}

/// `at` comes before `path` among the siblings at the level where `at` ends.
fn ends_before(at: &[u32], path: &[u32]) -> bool {
    let Some((last, parent)) = at.split_last() else { return false };
    path.len() >= at.len() && path.starts_with(parent) && *last < path[parent.len()]
}

fn is_ancestor(at: &[u32], path: &[u32]) -> bool {
    path.len() > at.len() && path.starts_with(at)
}

fn is_sibling(a: &[u32], b: &[u32]) -> bool {
    match (a.split_last(), b.split_last()) {
        (Some((_, a)), Some((_, b))) => a == b,
        _ => false,
    }
}

/// Where a moved node is put, as a path after it was taken out.
pub fn moved(path: &[u32], new_path: &[u32]) -> Path {
    let mut to = Path::from_slice(new_path);
    if ends_before(path, new_path) && path.len() < new_path.len() {
        to[path.len() - 1] -= 1;
    }
    to
}

pub fn inverse_move(path: &[u32], new_path: &[u32]) -> Op {
    if is_sibling(path, new_path) || path == new_path {
        return Op::MoveNode { path: Path::from_slice(new_path), new_path: Path::from_slice(path) };
    }
    let back = move_path(&next(path), path, new_path);
    Op::MoveNode { path: move_path(path, path, new_path), new_path: back }
}

/// Where `p` is after the node at `op` was moved to `onto`.
fn move_path(p: &[u32], op: &[u32], onto: &[u32]) -> Path {
    let mut path = Path::from_slice(p);
    if op == onto || p.is_empty() {
        return path;
    }
    if p.starts_with(op) {
        let mut to = moved(op, onto);
        to.extend_from_slice(&p[op.len()..]);
        return to;
    }
    let (level, onto_level) = (op.len() - 1, onto.len() - 1);
    if is_sibling(op, onto) && p.starts_with(onto) {
        path[level] = if ends_before(op, p) { path[level] - 1 } else { path[level].saturating_add(1) };
    } else if ends_before(onto, p) || p.starts_with(onto) {
        if ends_before(op, p) {
            path[level] -= 1;
        }
        path[onto_level] = path[onto_level].saturating_add(1);
    } else if ends_before(op, p) {
        path[level] -= 1;
    }
    path
}

/// `None`: the node is gone.
pub fn path(p: &[u32], op: &Op, affinity: Affinity) -> Option<Path> {
    let mut path = Path::from_slice(p);
    match op {
        Op::InsertNode { path: at, .. } if !at.is_empty() && (ends_before(at, p) || p.starts_with(at)) => {
            path[at.len() - 1] = path[at.len() - 1].saturating_add(1);
        }
        Op::RemoveNode { path: at, .. } => {
            if p.starts_with(at) {
                return None;
            }
            if ends_before(at, p) {
                path[at.len() - 1] -= 1;
            }
        }
        Op::MergeNode { path: at, position, .. } if !at.is_empty() => {
            if at.as_slice() == p || ends_before(at, p) {
                path[at.len() - 1] = path[at.len() - 1].saturating_sub(1);
            } else if is_ancestor(at, p) {
                path[at.len() - 1] = path[at.len() - 1].saturating_sub(1);
                path[at.len()] = path[at.len()].saturating_add(*position);
            }
        }
        Op::SplitNode { path: at, position, .. } if !at.is_empty() => {
            if at.as_slice() == p {
                let forward = u32::from(affinity == Affinity::Forward);
                path[at.len() - 1] = path[at.len() - 1].saturating_add(forward);
            } else if ends_before(at, p) {
                path[at.len() - 1] = path[at.len() - 1].saturating_add(1);
            } else if is_ancestor(at, p) && p[at.len()] >= *position {
                path[at.len() - 1] = path[at.len() - 1].saturating_add(1);
                path[at.len()] -= position;
            }
        }
        Op::MoveNode { path: at, new_path } if !at.is_empty() && !new_path.is_empty() => {
            return Some(move_path(p, at, new_path));
        }
        _ => {}
    }
    Some(path)
}

/// `None`: the text is gone.
pub fn point(p: &Point, op: &Op, affinity: Affinity) -> Option<Point> {
    let forward = affinity == Affinity::Forward;
    let mut offset = p.offset;
    match op {
        Op::InsertText { path: at, offset: start, text }
            if *at == p.path && (*start < offset || (*start == offset && forward)) =>
        {
            offset = offset.saturating_add(utf16::len(text));
        }
        Op::RemoveText { path: at, offset: start, text } if *at == p.path => {
            offset -= utf16::len(text).min(offset.saturating_sub(*start));
        }
        Op::MergeNode { path: at, position, .. } if *at == p.path => offset = offset.saturating_add(*position),
        Op::SplitNode { path: at, position, .. } if *at == p.path => {
            if *position < offset || (*position == offset && forward) {
                return Some(Point { path: next(at), offset: offset - position });
            }
            return Some(p.clone());
        }
        _ => {}
    }
    Some(Point { path: path(&p.path, op, affinity)?, offset })
}

pub fn range(r: &Range, op: &Op) -> Option<Range> {
    Some(Range { anchor: point(&r.anchor, op, Affinity::Forward)?, focus: point(&r.focus, op, Affinity::Forward)? })
}
