//! Operations on a part as operations on the whole.

use crate::slate::value::op::{Op, Path};

/// `sizes`: how many elements each at the top of the part stands for.
pub(super) fn widen(ops: &mut [Op], mut sizes: Vec<u32>) {
    ops.iter_mut().for_each(|op| widen_op(op, &mut sizes));
}

/// `sizes`: how many elements each at the top of the part stands for.
fn widen_op(op: &mut Op, sizes: &mut Vec<u32>) {
    let start = |sizes: &[u32], at: u32| sizes.iter().take(at as usize).sum::<u32>();
    let widen = |sizes: &[u32], path: &mut Path| {
        if let Some(first) = path.first_mut() {
            *first = start(sizes, *first);
        }
    };
    match op {
        Op::MoveNode { path, new_path } => {
            let (is_top, to_top) = (path.len() == 1, new_path.len() == 1);
            let (from, to) = (path[0] as usize, new_path[0] as usize);
            widen(sizes, path);
            let moved = is_top.then(|| sizes.remove(from));
            match (moved, to_top) {
                // The place among the siblings without it.
                (Some(size), true) => {
                    widen(sizes, new_path);
                    sizes.insert(to.min(sizes.len()), size);
                }
                // The place while it was there.
                (Some(size), false) => {
                    sizes.insert(from, size);
                    widen(sizes, new_path);
                    sizes.remove(from);
                }
                (None, to_top) => {
                    widen(sizes, new_path);
                    if to_top {
                        sizes.insert(to.min(sizes.len()), 1);
                    }
                }
            }
        }
        Op::InsertText { path, .. }
        | Op::RemoveText { path, .. }
        | Op::InsertNode { path, .. }
        | Op::RemoveNode { path, .. }
        | Op::SetNode { path, .. }
        | Op::SplitNode { path, .. }
        | Op::MergeNode { path, .. } => {
            let (is_top, at) = (path.len() == 1, path.first().map_or(0, |first| *first as usize));
            widen(sizes, path);
            if is_top {
                change_top(op, at, sizes);
            }
        }
    }
}

fn change_top(op: &Op, at: usize, sizes: &mut Vec<u32>) {
    match op {
        Op::InsertNode { .. } => sizes.insert(at.min(sizes.len()), 1),
        Op::SplitNode { .. } => sizes.insert((at + 1).min(sizes.len()), 1),
        Op::RemoveNode { .. } | Op::MergeNode { .. } if at < sizes.len() => drop(sizes.remove(at)),
        _ => {}
    }
}
