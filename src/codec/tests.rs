use std::sync::Arc;

use yrs::Any;

use super::*;
use crate::slate::{Attrs, Element, Leaf, Node, Op, Path, Point, Range};

const GOLDEN: &str = include_str!("../../tests/unit/codec.golden.json");

#[derive(serde::Deserialize)]
struct Golden {
    name: String,
    words: Vec<u32>,
    text: String,
}

fn attrs(entries: &[(&str, Any)]) -> Attrs {
    entries.iter().map(|(key, value)| (Arc::from(*key), value.clone())).collect()
}

fn leaf(text: &str, marks: &[(&str, Any)]) -> Node {
    Node::Text(Leaf { text: text.into(), marks: attrs(marks) })
}

fn element(entries: &[(&str, Any)], children: Vec<Node>) -> Node {
    Node::Element(Element { attrs: attrs(entries), children })
}

#[test]
fn golden_batches_of_javascript_decode_and_encode_to_the_same() {
    let golden: Vec<Golden> = serde_json::from_str(GOLDEN).unwrap();
    assert!(golden.len() > 10);
    for Golden { name, words, text } in golden {
        let ops = decode_ops(&words, &text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!ops.is_empty(), "{name}");
        assert_eq!(encode_ops(&ops), Batch { words, text }, "{name}");
    }
}

#[test]
fn nodes_survive_both_ways() {
    let nodes = vec![
        element(
            &[("type", "dialogue".into()), ("id", "b1".into()), ("level", Any::from(3))],
            vec![leaf("I’m ", &[]), leaf("here 🙂", &[("bold", true.into()), ("size", 1.5.into())]), leaf("", &[])],
        ),
        element(&[("type", "dialogue".into()), ("id", "b2".into())], vec![element(&[], vec![leaf("", &[])])]),
        element(&[("data", Any::from_json(r#"{"a":[1,null,"ü"]}"#).unwrap())], vec![]),
    ];
    let batch = encode_nodes(&nodes);
    assert_eq!(decode_nodes(&batch.words, &batch.text).unwrap(), nodes);
}

#[test]
fn names_of_slates_own_never_cross() {
    let hostile = element(&[("children", "none".into()), ("text", "I am a text".into()), ("type", "x".into())], vec![]);
    let batch = encode_nodes(&[hostile]);
    assert_eq!(decode_nodes(&batch.words, &batch.text).unwrap(), vec![element(&[("type", "x".into())], vec![])]);
    assert!(!batch.text.contains("I am"));
}

#[test]
fn ranges_survive_both_ways() {
    let point = |path: &[u32], offset| Point { path: Path::from_slice(path), offset };
    let range = Range { anchor: point(&[0, 1], 7), focus: point(&[12, 0, 3], 0) };
    assert_eq!(decode_range(&encode_range(&range)).unwrap(), Some(range));
    assert_eq!(decode_range(&[]).unwrap(), None);
    assert_eq!(decode_range(&[1]), Err(CodecError::End));
    assert_eq!(decode_range(&[0, 0, 0, 0, 9]), Err(CodecError::Trailing));
}

#[test]
fn a_string_never_ends_inside_a_surrogate_pair() {
    assert_eq!(decode_nodes(&[0, 1], "🙂"), Err(CodecError::Surrogate));
    assert_eq!(decode_nodes(&[0, 1], "a🙂"), Err(CodecError::Trailing));
    assert!(decode_nodes(&[0, 2], "🙂").is_ok());
}

#[test]
fn counts_that_cannot_be_true_reserve_nothing() {
    assert_eq!(decode_nodes(&[1, u32::MAX], ""), Err(CodecError::End));
    assert_eq!(decode_nodes(&[u32::MAX, u32::MAX], ""), Err(CodecError::End));
    assert_eq!(decode_ops(&[0, u32::MAX], ""), Err(CodecError::End));
    assert_eq!(decode_ops(&[99, 0], ""), Err(CodecError::Tag(99)));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = |levels: usize| {
        let mut words = [1, 1].repeat(levels);
        words.extend([0, 0]);
        decode_nodes(&words, "")
    };
    assert!(deep(MAX_DEPTH as usize).is_ok());
    assert_eq!(deep(MAX_DEPTH as usize + 1), Err(CodecError::Depth));
    assert_eq!(deep(1_000_000), Err(CodecError::Depth));
}

/// A server takes no deeper ones, nor anything that the same client writes after them.
#[test]
fn deep_values_are_refused() {
    let deep = |levels: usize| {
        let value = format!("{}0{}", "[".repeat(levels), "]".repeat(levels));
        let nodes = [element(&[("k", Any::from_json(&value).unwrap())], vec![])];
        let batch = encode_nodes(&nodes);
        decode_nodes(&batch.words, &batch.text).map(|read| assert_eq!(read, nodes))
    };
    assert_eq!(deep(63), Ok(()));
    assert_eq!(deep(64), Err(CodecError::Property(NoValue::Depth)));
}

/// Random words around a valid batch: whatever comes, an answer and no panic.
#[test]
fn f23_decoding_is_total() {
    let nodes = vec![element(
        &[("type", "x".into()), ("n", 1.5.into())],
        vec![leaf("a🙂b", &[("b", true.into())]), leaf("", &[])],
    )];
    let ops = vec![
        Op::InsertNode { path: Path::from_slice(&[0, 1]), node: nodes[0].clone() },
        Op::SetNode { path: Path::new(), properties: Attrs::new(), new_properties: attrs(&[("k", Any::Null)]) },
        Op::RemoveText { path: Path::from_slice(&[1]), offset: 3, text: "é".into() },
    ];
    let mut random = fastrand::Rng::with_seed(23);
    for _ in 0..50_000 {
        let mut batch = if random.bool() { encode_ops(&ops) } else { encode_nodes(&nodes) };
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..batch.words.len());
            batch.words[at] = if random.bool() { random.u32(..) } else { random.u32(..40) };
        }
        batch.words.truncate(random.usize(1..=batch.words.len()));
        let _ = decode_ops(&batch.words, &batch.text);
        let _ = decode_nodes(&batch.words, &batch.text);
        let _ = decode_range(&batch.words);
    }
}
