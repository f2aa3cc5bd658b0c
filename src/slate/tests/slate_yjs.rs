//! The same situations as real `@slate-yjs/core` writes them (tests/fixtures/slate-yjs.json).

use std::collections::HashMap;

use serde_json::Value;

use super::json::nodes;
use super::model::canonical;
use super::random::Editor;
use crate::slate::value::transform::{self, Affinity};
use crate::slate::{Op, Path, Point};

fn load(text: &str) -> HashMap<String, Value> {
    let all: Vec<Value> = serde_json::from_str(text).expect("JSON");
    all.into_iter().map(|value| (value["name"].as_str().expect("a name").to_owned(), value)).collect()
}

fn situations() -> Vec<(String, Value, Value)> {
    let ours = load(include_str!("../../../tests/fixtures/mapping.json"));
    let theirs = load(include_str!("../../../tests/fixtures/slate-yjs.json"));
    let mut all: Vec<_> = theirs.into_iter().map(|(name, value)| (name.clone(), ours[&name].clone(), value)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

pub(super) fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| ALPHABET.iter().position(|&letter| letter == byte));
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
    for digit in digits {
        bits = bits << 6 | digit as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

/// The editor after both updates, and the operations the second one made.
fn follow(theirs: &Value) -> (Editor, Vec<Op>) {
    let mut editor = Editor::new(1);
    editor.receive(&base64(theirs["start"].as_str().expect("a start")));
    let Some(update) = theirs["update"].as_str().map(base64) else { return (editor, Vec::new()) };
    let mut watcher = Editor::new(2);
    watcher.receive(&base64(theirs["start"].as_str().expect("a start")));
    let change = watcher.doc.apply_update(&update).expect("valid");
    editor.receive(&update);
    (editor, change.ops)
}

#[test]
fn what_slate_yjs_writes_is_what_slate_did() {
    for (name, ours, theirs) in situations() {
        let (editor, _) = follow(&theirs);
        assert_eq!(canonical(&editor.value), canonical(&nodes(&ours["expected"])), "{name}");
    }
}

/// Its operations for a peer, in comparison: split + insert_node + merge + merge for a keystroke.
#[test]
fn a_slate_yjs_peers_change_is_as_many_operations_as_slate_needed() {
    for (name, ours, theirs) in situations() {
        let (_, told) = follow(&theirs);
        let needed = ours["ops"].as_array().expect("operations").len();
        // A format may take one more where Slate merges afterwards.
        assert!(told.len() <= needed + 1, "{name}: {needed} operations became {told:?}");
    }
}

#[test]
fn carets_follow_a_slate_yjs_peers_splits_and_merges() {
    let all: HashMap<_, _> = situations().into_iter().map(|(name, _, theirs)| (name, theirs)).collect();
    let caret = |name: &str, path: &[u32], offset: u32| {
        let (_, ops) = follow(&all[name]);
        let from = Point { path: Path::from_slice(path), offset };
        let to = ops.iter().try_fold(from, |point, op| transform::point(&point, op, Affinity::Forward));
        to.map(|point| (point.path.to_vec(), point.offset))
    };
    assert_eq!(caret("split node: in the middle", &[0, 0], 6), Some((vec![1, 0], 2)));
    assert_eq!(caret("split node: in the middle", &[0, 0], 2), Some((vec![0, 0], 2)));
    assert_eq!(caret("merge node: two blocks", &[1, 0], 2), Some((vec![0, 0], 6)));
    assert_eq!(caret("merge node: blocks with marks and inlines", &[1, 1, 0], 1), Some((vec![0, 3, 0], 1)));
    assert_eq!(caret("move node: a block down", &[0, 0], 1), Some((vec![2, 0], 1)));
    assert_eq!(caret("move node: out of a box", &[0, 1, 0], 1), Some((vec![0, 0], 1)));
    assert_eq!(caret("move node: wrapping", &[1, 0], 1), Some((vec![1, 0, 0], 1)));
}
