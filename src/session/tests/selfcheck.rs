//! The document compared with what is shown: in a debug build with every change, in any other bit by bit.

use super::*;

/// A session with these blocks, looked over.
fn opened(texts: &[&str]) -> Rig {
    let mut rig = Rig::new();
    for (at, text) in texts.iter().enumerate() {
        rig.feed(Input::Edit(Op::InsertNode { path: path(&[at as u32]), node: block(text) }));
    }
    rig.feed(Input::Flush);
    rig.pass(60_000);
    rig.take();
    rig
}

fn insert(at: &[u32], text: &str) -> Input {
    Input::Commit { ops: vec![Op::InsertText { path: path(at), offset: 0, text: text.into() }], normalization: false }
}

/// The blocks that the editor was asked to compare.
fn compared(outputs: &[Output]) -> Vec<u32> {
    let of = |output: &Output| match output {
        Output::Compare { blocks } => blocks.clone(),
        _ => Vec::new(),
    };
    outputs.iter().flat_map(of).collect()
}

fn mending(outputs: &[Output]) -> Vec<&Output> {
    outputs.iter().filter(|out| matches!(out, Output::Operations { .. } | Output::Error(_))).collect()
}

#[test]
fn a_block_that_nobody_touches_is_looked_at_too_mended_counted_and_told() {
    let mut rig = opened(&["a", "b", "c"]);
    rig.session.spoil(&[2, 0], "spoiled");
    let state = rig.session.state_vector();
    let pending = rig.status().pending;
    rig.feed(insert(&[0, 0], "x"));
    rig.take();
    rig.pass(2_000);
    assert_eq!(rig.session.value(), [block("xa"), block("b"), block("c")]);
    let outputs = rig.take();
    let mended = mending(&outputs);
    assert!(
        matches!(mended[..], [Output::Operations { origin: Origin::Store, ops }, Output::Error(_)] if ops.len() <= 2),
        "{mended:?}"
    );
    assert_eq!(compared(&outputs), [0, 1, 2]);
    assert_eq!(rig.status().divergences, 1);
    assert_eq!(rig.status().error.as_ref().unwrap().code, ErrorCode::InvalidUpdate);
    // Only the letter was written.
    assert_eq!(rig.status().pending, pending + 1);
    assert_ne!(rig.session.state_vector(), state);
    rig.feed(Input::Undo);
    assert_eq!(rig.session.value(), [block("a"), block("b"), block("c")], "a mending is nothing to be undone");
}

#[test]
fn once_all_is_looked_over_it_rests_until_the_next_change() {
    let mut rig = opened(&["a", "b"]);
    rig.pass(60_000);
    assert_eq!(compared(&rig.take()), [0; 0]);
    rig.feed(insert(&[1, 0], "x"));
    rig.take();
    rig.pass(999);
    assert_eq!(compared(&rig.take()), [0; 0], "not on the way of a keystroke");
    rig.pass(1);
    assert_eq!(compared(&rig.take()), [0, 1]);
    rig.pass(60_000);
    assert_eq!(compared(&rig.take()), [0; 0]);
}

#[test]
fn nothing_is_mended_below_operations_that_wait() {
    let mut rig = opened(&["a", "b"]);
    rig.session.spoil(&[1, 0], "spoiled");
    rig.feed(insert(&[0, 0], "x"));
    let wait = Op::InsertNode { path: path(&[0]), node: block("on its way") };
    rig.feed(Input::Edit(wait));
    rig.pass(1_500);
    assert_eq!(rig.status().divergences, 0);
    rig.feed(Input::Flush);
    rig.pass(2_000);
    assert_eq!(rig.session.value(), [block("on its way"), block("xa"), block("b")]);
    assert_eq!(rig.status().divergences, 1);
}

#[cfg(debug_assertions)]
#[test]
fn in_a_debug_build_what_is_changed_is_looked_at_at_once() {
    let mut rig = opened(&["a", "b"]);
    rig.feed(insert(&[1, 0], "x"));
    rig.take();
    rig.session.spoil(&[1, 0], "spoiled");
    rig.feed(Input::Edit(Op::SetNode {
        path: path(&[1]),
        properties: Default::default(),
        new_properties: [("a".into(), true.into())].into(),
    }));
    rig.feed(Input::Flush);
    assert_eq!(rig.status().divergences, 1);
    assert_eq!(compared(&rig.take()), [1]);
}

#[test]
fn what_the_editor_had_to_mend_is_counted_as_well() {
    let mut rig = opened(&["a"]);
    rig.feed(Input::Mended("it was another one".into()));
    assert_eq!(rig.status().divergences, 1);
    let told = |output: &Output| matches!(output, Output::Error(error) if error.message == "it was another one");
    assert!(rig.take().iter().any(told));
}
