//! What others type in a line that was divided is followed without reading the line again: in random documents, with formats and
//! without, of people who hear of each other late. What is shown has to be what is read anew.

use std::collections::VecDeque;

use fastrand::Rng;
use yrs::Any;

use super::fixtures::two_with;
use super::json::nodes;
use super::model::canonical;
use super::remote::p;
use crate::slate::view::take_pieces;
use crate::slate::{Attrs, Leaf, Node, Op, Path, SlateDoc};

fn leaves(doc: &SlateDoc) -> Vec<(Path, Leaf)> {
    let mut leaves = Vec::new();
    for (at, block) in doc.value().into_iter().enumerate() {
        let Node::Element(block) = block else { continue };
        for (nth, kid) in block.children.into_iter().enumerate() {
            if let Node::Text(leaf) = kid {
                leaves.push((Path::from_slice(&[at as u32, nth as u32]), leaf));
            }
        }
    }
    leaves
}

fn act(rng: &mut Rng, doc: &SlateDoc, marks: bool) -> Vec<Op> {
    let leaves = leaves(doc);
    let (path, leaf) = &leaves[rng.usize(..leaves.len())];
    let offset = rng.usize(..=leaf.text.chars().count());
    let units = |text: String| crate::slate::utf16_len(&text);
    let offset = units(leaf.text.chars().take(offset).collect());
    match rng.u8(..8) {
        0 if marks => {
            let bold = Node::Text(Leaf { text: "B".into(), marks: Attrs::from([("bold".into(), Any::Bool(true))]) });
            let behind = [path[0], path[1] + 1];
            vec![Op::InsertNode { path: Path::from_slice(&behind), node: bold }]
        }
        1 if !leaf.text.is_empty() => {
            vec![Op::RemoveText { path: path.clone(), offset: 0, text: leaf.text.clone() }]
        }
        2 => {
            let properties = [("type".into(), "paragraph".into())].into();
            let behind = Path::from_slice(&path[..1]);
            let half = Op::SplitNode { path: path.clone(), position: offset, properties: leaf.marks.clone() };
            vec![half, Op::SplitNode { path: behind, position: path[1] + 1, properties }]
        }
        _ => vec![Op::InsertText { path: path.clone(), offset, text: ["x", "yz", "😀"][rng.usize(..3)].into() }],
    }
}

#[test]
fn a_peers_keys_in_a_line_are_followed() {
    let (mut quick, mut heard) = (0, 0);
    for seed in 0..80 {
        let mut rng = Rng::with_seed(seed);
        let (mut one, mut two) = two_with(&nodes(&serde_json::json!([p("before"), p("abcdefghij"), p("behind")])));
        for update in one.doc.raise_format(1) {
            two.doc.apply_update(&update).expect("a format");
        }
        for at in [7, 4, 2] {
            let split = |path: &[u32], position, properties| Op::SplitNode {
                path: Path::from_slice(path),
                position,
                properties,
            };
            let paragraph = [("type".into(), "paragraph".into())].into();
            let change = one.doc.apply_local(vec![split(&[1, 0], at, Attrs::new()), split(&[1], 1, paragraph)]);
            two.doc.apply_update(&change.update.expect("an edit")).expect("an update");
        }
        let mut docs = [one.doc, two.doc];
        let mut sent: [VecDeque<Vec<u8>>; 2] = Default::default();
        for _ in 0..80 {
            let who = rng.usize(..2);
            if rng.bool() {
                let ops = act(&mut rng, &docs[who], seed % 2 == 1);
                sent[1 - who].extend(docs[who].apply_local(ops).update);
            } else if let Some(update) = sent[who].pop_front() {
                take_pieces();
                docs[who].apply_update(&update).expect("an update");
                heard += 1;
                quick += u32::from(take_pieces() == 0);
                assert_eq!(canonical(&docs[who].value()), canonical(&docs[who].read()), "seed {seed}");
            }
        }
        for who in [0, 1] {
            for update in sent[who].drain(..) {
                docs[who].apply_update(&update).expect("an update");
            }
        }
        assert_eq!(canonical(&docs[0].value()), canonical(&docs[1].value()), "seed {seed}");
    }
    assert!(quick > heard / 6, "{quick} of {heard} without a view");
}
