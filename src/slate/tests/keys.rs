//! What a keystroke looks at in a line that was divided: its piece, however long the line is.

use yrs::Any;

use super::fixtures::two_with;
use super::json::nodes;
use super::model::canonical;
use super::remote::p;
use crate::slate::ydoc::take_visited;
use crate::slate::{Attrs, Op, Path, SlateDoc};

fn at(path: &[u32]) -> Path {
    Path::from_slice(path)
}

/// A line that Enter divided in so many pieces, of four letters each.
fn line(pieces: u32) -> [SlateDoc; 2] {
    let text = "line".repeat(pieces as usize);
    let (mut one, mut two) = two_with(&nodes(&serde_json::json!([p("before"), p(&text), p("behind")])));
    let mut updates = one.doc.raise_format(1);
    let paragraph: Attrs = [("type".into(), "paragraph".into())].into();
    let enters = (1..pieces).flat_map(|piece| {
        let text = Op::SplitNode { path: at(&[piece, 0]), position: 4, properties: Attrs::new() };
        [text, Op::SplitNode { path: at(&[piece]), position: 1, properties: paragraph.clone() }]
    });
    updates.extend(one.doc.apply_local(enters.collect()).update);
    updates.iter().for_each(|update| drop(two.doc.apply_update(update).expect("an update")));
    [one.doc, two.doc]
}

fn type_in(doc: &mut SlateDoc, piece: u32, offset: u32, text: &str) -> Vec<u8> {
    doc.apply_local(vec![Op::InsertText { path: at(&[piece, 0]), offset, text: text.into() }]).update.expect("an edit")
}

#[test]
fn a_key_in_a_divided_line_looks_at_its_piece() {
    let mut counts = Vec::new();
    for pieces in [20, 200] {
        let [mut one, mut two] = line(pieces);
        // What stands behind it is found where it stood before.
        let enter = [(at(&[1, 0]), 2), (at(&[1]), 1)].map(|(path, position)| {
            let properties = if path.len() == 1 { [("type".into(), "paragraph".into())].into() } else { Attrs::new() };
            Op::SplitNode { path, position, properties }
        });
        let update = one.apply_local(enter.into()).update.expect("an edit");
        two.apply_update(&update).expect("an update");
        for piece in [3, pieces / 2, pieces] {
            take_visited();
            let keys = [(0, "a"), (3, "b"), (4, "c"), (7, "😀"), (2, "d")];
            let mut updates: Vec<Vec<u8>> = Vec::new();
            updates.extend(keys.iter().map(|(offset, text)| type_in(&mut one, piece, *offset, text)));
            let path = at(&[piece, 0]);
            let gone = one.apply_local(vec![Op::RemoveText { path, offset: 3, text: "bc".into() }]);
            updates.extend(gone.update);
            counts.push(take_visited());
            updates.iter().for_each(|update| drop(two.apply_update(update).expect("an update")));
        }
        assert_eq!(canonical(&one.value()), canonical(&one.read()));
        assert_eq!(canonical(&two.value()), canonical(&one.value()));
    }
    assert_eq!(counts[..3], counts[3..], "in a line of 20 pieces, and of 200");
    assert!(counts[0] > 0 && counts[0] < 400, "{counts:?}");
}

/// What was a format may still hold between two letters: there yrs says where text goes.
#[test]
fn a_key_beside_a_format_of_which_nothing_is_left() {
    let [mut one, mut two] = line(3);
    let bold: Attrs = [("bold".into(), Any::Bool(true))].into();
    let path = at(&[2, 0]);
    let mark = |position| Op::SplitNode { path: path.clone(), position, properties: Attrs::new() };
    let set = Op::SetNode { path: at(&[2, 1]), properties: Attrs::new(), new_properties: bold };
    let mut updates = Vec::new();
    updates.extend(one.apply_local(vec![mark(3), mark(1), set]).update);
    updates.extend(one.apply_local(vec![Op::RemoveText { path: at(&[2, 1]), offset: 0, text: "in".into() }]).update);
    updates.push(type_in(&mut one, 2, 1, "x"));
    updates.iter().for_each(|update| drop(two.apply_update(update).expect("an update")));
    assert_eq!(canonical(&one.value()), canonical(&one.read()));
    assert_eq!(canonical(&two.value()), canonical(&one.value()));
}

/// Blocks that were put in, and what was looked at for them.
fn pasted(count: u32) -> usize {
    let (mut one, _) = two_with(&nodes(&serde_json::json!([p("before"), p("behind")])));
    one.doc.raise_format(1);
    let node = |n: u32| nodes(&serde_json::json!([p(&format!("block {n}"))])).remove(0);
    let ops = (0..count).map(|n| Op::InsertNode { path: at(&[1 + n]), node: node(n) }).collect();
    take_visited();
    drop(one.doc.apply_local(ops));
    assert_eq!(canonical(&one.doc.value()), canonical(&one.doc.read()));
    take_visited()
}

#[test]
fn a_paste_looks_at_each_block_a_few_times() {
    let (few, many) = (pasted(50), pasted(500));
    assert!(many < 12 * few, "{few} for 50, {many} for 500");
}
