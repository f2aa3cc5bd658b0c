//! The situations of tests/fixtures/mapping.json, in which Slate itself says what comes out.

use serde_json::Value;

use super::json::{nodes, ops};
use super::model::canonical;
use super::random::Editor;
use crate::slate::{Node, Op, Path, SlateDoc};

fn situations() -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../tests/fixtures/mapping.json")).expect("JSON");
    all.as_array().expect("situations").clone()
}

pub fn two_with(input: &[Node]) -> (Editor, Editor) {
    let (mut one, mut two) = (Editor::new(1), Editor::new(2));
    let insert = |(n, node): (usize, &Node)| Op::InsertNode { path: Path::from_slice(&[n as u32]), node: node.clone() };
    let update = one.edit(input.iter().enumerate().map(insert).collect()).expect("content");
    two.receive(&update);
    one.undo.clear();
    (one, two)
}

/// Local tree = doc; the other replica = doc; the other editor, fed by operations = what Slate says.
#[test]
fn every_situation_gives_what_slate_gives() {
    for situation in situations() {
        let name = situation["name"].as_str().expect("a name");
        let (mut one, mut two) = two_with(&nodes(&situation["input"]));
        let expected = nodes(&situation["expected"]);
        let update = one.edit(ops(&situation["ops"]));
        assert_eq!(one.value, expected, "{name}: the model of Slate");
        if let Some(update) = update {
            two.receive(&update);
        }
        assert_eq!(canonical(&two.value), canonical(&expected), "{name}: the other editor");
        assert_eq!(canonical(&two.doc.read()), canonical(&expected), "{name}: the other doc");

        let undone = one.undo();
        assert_eq!(canonical(&one.value), canonical(&nodes(&situation["input"])), "{name}: undone");
        undone.into_iter().for_each(|update| two.receive(&update));
        assert_eq!(canonical(&two.value), canonical(&one.value), "{name}: undone, the other editor");
        let redone = one.redo();
        assert_eq!(canonical(&one.value), canonical(&expected), "{name}: redone");
        redone.into_iter().for_each(|update| two.receive(&update));
        assert_eq!(canonical(&two.value), canonical(&expected), "{name}: redone, the other editor");
    }
}

#[test]
fn values_are_bridged_by_their_difference() {
    for situation in situations() {
        let (old, new) = (nodes(&situation["input"]), nodes(&situation["expected"]));
        for (from, to) in [(&old, &new), (&new, &old)] {
            let ops = SlateDoc::diff(from, to);
            let mut value = from.clone();
            super::model::apply_all(&mut value, &ops);
            assert_eq!(&value, to, "{}: {ops:?}", situation["name"]);
        }
    }
}
