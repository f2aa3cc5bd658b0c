//! A line in which was written for long: divided, joined, with lines put in between its pieces.

use fastrand::Rng;

use super::fixtures::two_with;
use super::json::nodes;
use super::model::canonical;
use super::random::{Editor, env};
use super::remote::p;
use crate::slate::view::take_pieces;
use crate::slate::{Attrs, Node, Op, Path, SlateDoc};

fn at(path: &[u32]) -> Path {
    Path::from_slice(path)
}

fn paragraph() -> Attrs {
    [("type".into(), "paragraph".into())].into()
}

fn text_of(doc: &SlateDoc, block: u32) -> String {
    let Some(Node::Element(element)) = doc.block(block).0 else { unreachable!("a block") };
    let text = |node: &Node| if let Node::Text(leaf) = node { leaf.text.clone() } else { String::new() };
    element.children.iter().map(text).collect()
}

fn length(doc: &SlateDoc, block: u32) -> u32 {
    text_of(doc, block).len() as u32
}

fn enter(block: u32, offset: u32) -> Vec<Op> {
    let text = Op::SplitNode { path: at(&[block, 0]), position: offset, properties: Attrs::new() };
    vec![text, Op::SplitNode { path: at(&[block]), position: 1, properties: paragraph() }]
}

/// At the start of a block.
fn backspace(doc: &SlateDoc, block: u32) -> Vec<Op> {
    let position = length(doc, block - 1);
    let text = Op::MergeNode { path: at(&[block - 1, 1]), position, properties: Attrs::new() };
    vec![Op::MergeNode { path: at(&[block]), position: 1, properties: paragraph() }, text]
}

fn letter(block: u32, offset: u32) -> Vec<Op> {
    vec![Op::InsertText { path: at(&[block, 0]), offset, text: "e".into() }]
}

fn do_in(doc: &mut SlateDoc, ops: Vec<Op>) -> Option<Vec<u8>> {
    let change = doc.apply_local(ops);
    assert_eq!(change.rejected, []);
    change.update
}

/// One act of somebody who writes.
fn act(rng: &mut Rng, doc: &SlateDoc) -> Vec<Op> {
    let blocks = doc.blocks().count() as u32;
    let block = rng.u32(..blocks);
    let len = length(doc, block);
    match rng.u32(..100) {
        0..30 => enter(block, rng.u32(..=len)),
        30..40 => enter(block, len),
        40..60 if block > 0 => backspace(doc, block),
        60..65 if blocks > 3 => vec![Op::RemoveNode { path: at(&[block]), node: doc.block(block).0.expect("a block") }],
        65..80 if len > 0 => {
            let (from, text) = (rng.u32(..len), text_of(doc, block));
            let to = from + 1 + rng.u32(..(len - from).min(4));
            let text = text[from as usize..to as usize].into();
            vec![Op::RemoveText { path: at(&[block, 0]), offset: from, text }]
        }
        80..83 => {
            let kind = |kind: &str| Attrs::from([("type".into(), kind.into())]);
            let Some(Node::Element(element)) = doc.block(block).0 else { unreachable!("a block") };
            let to = ["paragraph", "heading"][rng.usize(..2)];
            vec![Op::SetNode { path: at(&[block]), properties: element.attrs, new_properties: kind(to) }]
        }
        _ => letter(block, rng.u32(..=len)),
    }
}

/// Two who write; what each shows is compared with the whole after each act, by the engine's own tests.
#[test]
fn what_is_known_of_it_is_so() {
    let first = env("SLATE_SEED", 1);
    for seed in first..first + env("LIVED_RUNS", 40) {
        let mut rng = Rng::with_seed(seed);
        let (mut one, mut two) =
            two_with(&nodes(&serde_json::json!([p("before"), p(&"a line ".repeat(20)), p("end")])));
        for update in one.doc.raise_format(1) {
            two.doc.apply_update(&update).expect("a format");
        }
        let mut on_their_way: [Vec<Vec<u8>>; 2] = Default::default();
        for _ in 0..150 {
            let who = rng.usize(..2);
            let [editor, other]: [&mut Editor; 2] = if who == 0 { [&mut one, &mut two] } else { [&mut two, &mut one] };
            let ops = act(&mut rng, &editor.doc);
            let change = editor.doc.apply_local(ops);
            assert_eq!(change.rejected, [], "seed {seed}");
            on_their_way[who].extend(change.update);
            if rng.u32(..10) == 0 {
                let (back, _) = editor.doc.revert(&change.acts, change.passage.as_ref());
                on_their_way[who].extend(back.update);
            }
            // Now and then they do not hear of each other.
            if rng.u32(..3) > 0 {
                on_their_way[who]
                    .drain(..)
                    .for_each(|update| drop(other.doc.apply_update(&update).expect("an update")));
            }
        }
        let [of_one, of_two] = on_their_way;
        of_one.iter().for_each(|update| drop(two.doc.apply_update(update).expect("an update")));
        of_two.iter().for_each(|update| drop(one.doc.apply_update(update).expect("an update")));
        assert_eq!(canonical(&one.doc.value()), canonical(&two.doc.value()), "seed {seed}");
        assert_eq!(canonical(&one.doc.read()), canonical(&one.doc.value()), "seed {seed}");
    }
}

/// A line of so many pieces, of twelve letters each: every tenth has lines in its gap, of which one was joined to it; others were
/// joined and divided again.
fn lived(pieces: u32) -> [SlateDoc; 2] {
    let (mut one, mut two) =
        two_with(&nodes(&serde_json::json!([p(&"twelve each ".repeat(pieces as usize)), p("end")])));
    let mut updates = one.doc.raise_format(1);
    let mut edit = |doc: &mut SlateDoc, ops: Vec<Op>| updates.extend(do_in(doc, ops));
    edit(&mut one.doc, (0..pieces - 1).flat_map(|piece| enter(piece, 12)).collect());
    for piece in (5..pieces - 5).step_by(10).collect::<Vec<_>>().into_iter().rev() {
        // Two lines behind it, in the gap of the next.
        for nth in 0..2 {
            let behind = enter(piece + nth, length(&one.doc, piece + nth));
            edit(&mut one.doc, behind);
            edit(&mut one.doc, letter(piece + nth + 1, 0));
        }
        let next = backspace(&one.doc, piece + 3);
        edit(&mut one.doc, next);
        // Joined, and divided again elsewhere.
        let left = backspace(&one.doc, piece - 1);
        edit(&mut one.doc, left);
        edit(&mut one.doc, enter(piece - 2, 8));
    }
    updates.iter().for_each(|update| drop(two.doc.apply_update(update).expect("an update")));
    [one.doc, two.doc]
}

/// What the acts of somebody look at, and what a peer looks at to follow: `(what, pieces)`.
fn counts(pieces: u32) -> Vec<(&'static str, usize, usize)> {
    let [mut one, mut two] = lived(pieces);
    let mut counts = Vec::new();
    let mut note = |name: &'static str, ops: &dyn Fn(&SlateDoc) -> Vec<Op>| {
        take_pieces();
        let ops = ops(&one);
        let update = do_in(&mut one, ops).expect("an edit");
        let own = take_pieces();
        drop(two.apply_update(&update).expect("an update"));
        counts.push((name, own, take_pieces()));
        assert_eq!(canonical(&two.value()), canonical(&one.value()), "{name}");
    };
    let first = |doc: &SlateDoc, text: &str| {
        let near = doc.blocks().count() as u32 / 2;
        let blocks: Vec<String> = (0..2 * near).map(|block| text_of(doc, block)).collect();
        let found = blocks[near as usize..].iter().position(|block| block == text);
        near + found.unwrap_or_else(|| panic!("no {text:?} in {blocks:?}")) as u32
    };
    // What was known before it was made is forgotten by now.
    note("first", &|_| enter(2, 4));
    note("Enter in a piece", &|doc| enter(first(doc, "twelve each "), 4));
    note("Enter again", &|doc| enter(first(doc, "ve each "), 2));
    note("Backspace", &|doc| backspace(doc, first(doc, " each ")));
    note("Enter at its end", &|doc| enter(first(doc, "twelve each "), 12));
    note("a letter in the new line", &|doc| letter(first(doc, ""), 0));
    note("Enter in a line in a gap", &|doc| enter(first(doc, "e"), 0));
    note("Enter where a line was joined", &|doc| enter(first(doc, "etwelve each "), 5));
    note("Enter at the joint", &|doc| enter(first(doc, "etwelve each "), 1));
    note("Backspace before a line in a gap", &|doc| backspace(doc, first(doc, "e")));
    counts
}

#[test]
fn an_edit_in_it_looks_at_what_it_concerns() {
    let (short, long) = (counts(60), counts(600));
    assert_eq!(short[1..], long[1..], "in a line of 60 pieces, and of 600");
    assert!(short[1..].iter().all(|(_, own, peer)| *own < 200 && *peer < 60), "{short:?}");
}
