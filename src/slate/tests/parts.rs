//! What an edit costs in format 1: what it concerns, however long the document is. Counted in pieces that views look at.

use serde_json::{Value, json};
use yrs::Any;

use super::fixtures::two_with;
use super::json::{node, nodes};
use super::random::Editor;
use super::remote::p;
use crate::slate::view::take_pieces;
use crate::slate::{Op, Path};

/// Two with the same document of so many blocks.
fn two(blocks: u32) -> (Editor, Editor) {
    let value: Vec<Value> = (0..blocks).map(|at| p(&format!("line {at} of many"))).collect();
    let (mut one, mut two) = two_with(&nodes(&json!(value)));
    for update in one.doc.raise_format(1) {
        two.doc.apply_update(&update).expect("a format");
    }
    (one, two)
}

fn path(path: &[u32]) -> Path {
    Path::from_slice(path)
}

fn enter(at: u32) -> Vec<Op> {
    let properties = [("type".into(), "paragraph".into())].into();
    vec![
        Op::SplitNode { path: path(&[at, 0]), position: 4, properties: Default::default() },
        Op::SplitNode { path: path(&[at]), position: 1, properties },
    ]
}

fn join(at: u32) -> Vec<Op> {
    vec![
        Op::MergeNode { path: path(&[at]), position: 1, properties: Default::default() },
        Op::MergeNode { path: path(&[at - 1, 1]), position: 4, properties: Default::default() },
    ]
}

fn shift(from: &[u32], to: &[u32]) -> Op {
    Op::MoveNode { path: path(from), new_path: path(to) }
}

/// What one does to a document of so many blocks, in several edits.
fn acts(blocks: u32) -> Vec<(&'static str, Vec<Op>)> {
    let at = blocks / 2;
    let block = |text: &str| node(&p(text));
    let bold = [("bold".into(), Any::Bool(true))].into();
    vec![
        ("type", vec![Op::InsertText { path: path(&[at, 0]), offset: 3, text: "x".into() }]),
        ("Enter", enter(at)),
        ("Enter again", enter(at + 1)),
        ("Backspace", join(at + 1)),
        ("two lines joined", join(at - 3)),
        ("bold", vec![Op::SetNode { path: path(&[at, 0]), properties: Default::default(), new_properties: bold }]),
        ("paste", (0..3).map(|n| Op::InsertNode { path: path(&[at + n]), node: block("new") }).collect()),
        ("remove", vec![Op::RemoveNode { path: path(&[at]), node: block("new") }]),
        ("move over half of all", vec![shift(&[1], &[at])]),
        ("move it back", vec![shift(&[at], &[1])]),
        ("move it again", vec![shift(&[1], &[at + 2])]),
        (
            "wrap",
            vec![
                Op::InsertNode { path: path(&[at]), node: node(&json!({ "type": "q", "children": [] })) },
                shift(&[at + 1], &[at, 0]),
                shift(&[at + 1], &[at, 1]),
            ],
        ),
        ("at both ends", enter(blocks - 5).into_iter().chain(enter(3)).collect()),
    ]
}

#[test]
fn an_edit_looks_at_what_it_concerns() {
    let count = |blocks: u32| -> Vec<(String, usize)> {
        let (mut one, mut other) = two(blocks);
        let mut counts = Vec::new();
        let mut note = |what: String| counts.push((what, take_pieces()));
        take_pieces();
        for (name, ops) in acts(blocks) {
            let change = one.doc.apply_local(ops);
            assert!(change.rejected.is_empty(), "{name}: {:?}", change.rejected);
            note(name.to_owned());
            other.doc.apply_update(&change.update.expect("an edit")).expect("an update");
            note(format!("{name}, for a peer"));
            let (back, _) = one.doc.revert(&change.acts, change.passage.as_ref());
            note(format!("{name}, taken back"));
            let (again, _) = one.doc.revert(&back.acts, back.passage.as_ref());
            note(format!("{name}, done again"));
            for update in [back.update, again.update].into_iter().flatten() {
                other.doc.apply_update(&update).expect("an update");
            }
            take_pieces();
        }
        counts
    };
    let (short, long) = (count(30), count(600));
    assert_eq!(short, long);
    let typed =
        short.iter().filter(|(name, _)| name.starts_with("type") && !name.contains("taken") && !name.contains("again"));
    assert!(typed.into_iter().all(|(_, pieces)| *pieces == 0), "typing looks at nothing: {short:?}");
    assert!(short.iter().all(|(_, pieces)| *pieces < 300), "{short:?}");
}
