//! Taking back what one did where others have done something since: nothing of theirs is written anew.

use super::{at, doc, text};
use crate::slate::tests::model::canonical;
use crate::slate::write::tests::peer::schema;
use crate::slate::ydoc::Kind;
use crate::slate::{Act, Attrs, DocOptions, Op, Path, SlateDoc};

fn hears(doc: &mut SlateDoc, update: &[u8]) {
    doc.apply_update(update).expect("an update");
}

/// What one removed is shown again because a peer typed in it meanwhile. Taking the removal back finds it there, and leaves
/// everything the elements that they are; what one typed before can still be taken back.
#[test]
fn a_removed_line_that_a_peer_brought_back_is_not_written_again() {
    let mut one = doc("");
    let mut log = vec![one.encode_state(None).expect("its state")];
    let options = DocOptions { client_id: 6, root: "content".into(), block_id: None, seed: 1, schema: schema() };
    let mut two = SlateDoc::new(options);
    hears(&mut two, &log[0]);
    let second = Path::from_slice(&[1]);
    let line = one.value().remove(0);
    log.extend(one.apply_local(vec![Op::InsertNode { path: second.clone(), node: line.clone() }]).update);
    let insert = Op::InsertText { path: Path::from_slice(&[1, 0]), offset: 0, text: "own".into() };
    let typed = one.apply_local(vec![insert]);
    log.extend(typed.update.clone());
    log[1..].iter().for_each(|update| hears(&mut two, update));

    let removed = one.apply_local(vec![Op::RemoveNode { path: Path::from_slice(&[0]), node: line }]);
    let brought = two.apply_local(vec![Op::InsertText { path: at(), offset: 0, text: "theirs".into() }]);
    hears(&mut one, &brought.update.expect("an edit"));
    assert_eq!(text(&one), "theirs");

    let (change, _) = one.revert(&removed.acts, removed.passage.as_ref());
    let is_new = |act: &Act| matches!(act, Act::Make { .. } | Act::Insert(_));
    assert!(!change.acts.iter().any(is_new), "{:?}", change.acts);
    assert_eq!((text(&one), one.value().len()), ("theirs".to_owned(), 2));
    one.revert(&typed.acts, typed.passage.as_ref());
    assert_eq!((text(&one), one.value().len()), ("theirs".to_owned(), 2));
    let own = format!("{:?}", one.value());
    assert!(!own.contains("own"), "{own}");
}

/// Two lines were joined to each other by two at once, and the later join counts. To take back a move that came after that makes
/// neither the older one count, nor writes anything again.
#[test]
fn a_join_that_did_not_count_does_not_count_when_a_move_is_taken_back() {
    let (first, second) = (Path::from_slice(&[0]), Path::from_slice(&[1]));
    let mut one = doc("a");
    let line = one.value().remove(0);
    for (at, text) in [(&second, "b"), (&second, "c")] {
        one.apply_local(vec![Op::InsertNode { path: at.clone(), node: line.clone() }]);
        let offset = 0;
        one.apply_local(vec![Op::InsertText { path: Path::from_slice(&[1, 0]), offset, text: text.into() }]);
    }
    let options = DocOptions { client_id: 6, root: "content".into(), block_id: None, seed: 1, schema: schema() };
    let mut two = SlateDoc::new(options);
    hears(&mut two, &one.encode_state(None).expect("its state"));
    let join = |at: &Path| Op::MergeNode { path: at.clone(), position: 1, properties: Attrs::new() };
    let theirs = two.apply_local(vec![join(&second)]);
    one.apply_local(vec![Op::MoveNode { path: first.clone(), new_path: second.clone() }]);
    one.apply_local(vec![join(&second)]);
    hears(&mut one, &theirs.update.expect("an edit"));

    let before = canonical(&one.value());
    assert_eq!(before.len(), 2);
    let moved = one.apply_local(vec![Op::MoveNode { path: first, new_path: second }]);
    assert_ne!(canonical(&one.value()), before);
    let (change, _) = one.revert(&moved.acts, moved.passage.as_ref());
    assert_eq!(canonical(&one.value()), before);
    let is_new = |act: &Act| matches!(act, Act::Make { kind: Kind::Strand | Kind::Break, .. } | Act::Insert(_));
    assert!(!change.acts.iter().any(is_new), "{:?}", change.acts);
}
