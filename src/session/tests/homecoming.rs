//! Random edits by copy, offline, that come back to a document in which others have gone on by reference.

use super::translating::{Server, away, comes_back, text};
use super::*;

/// A letter that nobody else has.
fn letter(next: &mut u32) -> String {
    *next += 1;
    char::from_u32(0x4e00 + *next).map(String::from).unwrap_or_default()
}

/// One edit of a flat document, as Slate would do it.
fn edit(random: &mut fastrand::Rng, value: &[Node], next: &mut u32) -> Vec<Op> {
    let at = random.u32(..value.len() as u32);
    let line = text(&value[at as usize]);
    let len = line.chars().count() as u32;
    let offset = random.u32(..=len);
    let props = || Attrs::from([("type".into(), "p".into())]);
    match random.u8(..12) {
        0..4 => vec![Op::InsertText { path: path(&[at, 0]), offset, text: letter(next) }],
        4..6 if offset < len => {
            let gone: String = line.chars().skip(offset as usize).take(random.usize(1..3)).collect();
            vec![Op::RemoveText { path: path(&[at, 0]), offset, text: gone }]
        }
        6..8 => vec![
            Op::SplitNode { path: path(&[at, 0]), position: offset, properties: Attrs::new() },
            Op::SplitNode { path: path(&[at]), position: 1, properties: props() },
        ],
        8..10 if at > 0 => {
            let before = text(&value[at as usize - 1]).chars().count() as u32;
            vec![
                Op::MergeNode { path: path(&[at]), position: 1, properties: props() },
                Op::MergeNode { path: path(&[at - 1, 1]), position: before, properties: Attrs::new() },
            ]
        }
        10 if value.len() > 1 => {
            let to = random.u32(..value.len() as u32);
            vec![Op::MoveNode { path: path(&[at]), new_path: path(&[to]) }]
        }
        11 if value.len() > 2 => vec![Op::RemoveNode { path: path(&[at]), node: value[at as usize].clone() }],
        _ => vec![Op::InsertText { path: path(&[at, 0]), offset, text: letter(next) }],
    }
}

fn letters(value: &[Node]) -> Vec<char> {
    let mut all: Vec<char> = value.iter().flat_map(|node| text(node).chars().collect::<Vec<_>>()).collect();
    all.sort_unstable();
    all
}

fn without_empty(mut value: Vec<Node>) -> Vec<Node> {
    value.retain(|node| !text(node).is_empty());
    value
}

/// What is there before and what both have made, without what either has deleted: each letter once.
#[test]
fn what_was_typed_by_copy_is_there_once() {
    let runs = std::env::var("HOME_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(400);
    let only: Option<u64> = std::env::var("HOME_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut divided = 0;
    for seed in only.map_or(0..runs, |seed| seed..seed + 1) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut next = 0;
        let lines: Vec<Node> = (0..random.u32(2..5))
            .map(|_| block(&(0..random.u32(2..6)).map(|_| letter(&mut next)).collect::<String>()))
            .collect();
        let mut server = Server::new(&lines, random.bool());
        let mut rig = away(&mut server, "s", 5, MemoryStore::new());
        for _ in 0..random.u32(1..7) {
            let ops = edit(&mut random, &rig.session.value(), &mut next);
            divided += ops.iter().filter(|op| matches!(op, Op::SplitNode { .. })).count();
            ops.into_iter().for_each(|op| rig.feed(Input::Edit(op)));
            rig.feed(Input::Flush);
        }
        let mine = rig.session.value();
        server.raise();
        let peers = random.u32(..5);
        for _ in 0..peers {
            let ops = edit(&mut random, &server.doc.value(), &mut next);
            server.doc.apply_local(ops);
        }
        let theirs = server.doc.value();
        // What nobody has deleted: what one side has made, and what both still have.
        let (before, here, there) = (letters(&lines), letters(&mine), letters(&theirs));
        let mut expected: Vec<char> =
            here.iter().filter(|it| !before.contains(it) || there.contains(it)).copied().collect();
        expected.extend(there.iter().filter(|it| !before.contains(it)));
        expected.sort_unstable();
        comes_back(&mut server, &mut rig);
        assert_eq!(letters(&server.doc.value()), expected, "seed {seed}: {mine:?} and {theirs:?}");
        assert_eq!(rig.session.value(), server.doc.value(), "seed {seed}");
        assert!(!server.knows(5), "seed {seed}");
        assert_eq!((rig.status().pending, rig.status().set_aside, rig.status().divergences), (0, 0, 0), "seed {seed}");
        if peers == 0 {
            // Nobody else has done anything: it is what the device had.
            assert_eq!(without_empty(server.doc.value()), without_empty(mine), "seed {seed}");
        }
    }
    assert!(only.is_some() || divided > runs as usize / 4);
}
