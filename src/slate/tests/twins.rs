//! What two people copied at once is there once.

use serde_json::{Value, json};
use yrs::Assoc;

use super::concurrency::texts;
use super::fixtures::two_with;
use super::json::{nodes, ops};
use super::model::canonical;
use super::random::Editor;
use super::remote::p;
use crate::slate::{Path, Point};
use crate::update::merge;

/// Edits of each, one after the other and without the other's; then each hears of the other until nobody has anything
/// to say.
fn both(input: Value, one_does: &[Value], two_does: &[Value]) -> (Editor, Editor) {
    let (mut one, mut two) = two_with(&nodes(&input));
    let mut from_one: Vec<_> = one_does.iter().filter_map(|edit| one.edit(ops(edit))).collect();
    let mut from_two: Vec<_> = two_does.iter().filter_map(|edit| two.edit(ops(edit))).collect();
    while !from_one.is_empty() || !from_two.is_empty() {
        let (to_two, to_one) = (std::mem::take(&mut from_one), std::mem::take(&mut from_two));
        from_one.extend(to_one.iter().filter_map(|update| one.receive(update)));
        from_two.extend(to_two.iter().filter_map(|update| two.receive(update)));
    }
    assert_eq!(canonical(&one.value), canonical(&two.value), "the editors differ");
    (one, two)
}

/// Whoever has the lower client id: both ways round.
fn outcomes(input: Value, one_does: &[Value], two_does: &[Value]) -> [Vec<String>; 2] {
    let there = both(input.clone(), one_does, two_does);
    let back = both(input, two_does, one_does);
    [texts(&there.0.value), texts(&back.0.value)]
}

fn enter(block: u32, offset: u32) -> Value {
    json!([
        {"type": "split_node", "path": [block, 0], "position": offset, "properties": {}},
        {"type": "split_node", "path": [block], "position": 1, "properties": {"type": "paragraph"}},
    ])
}

fn type_x(block: u32, offset: u32, text: &str) -> Value {
    json!([{"type": "insert_text", "path": [block, 0], "offset": offset, "text": text}])
}

fn backspace(block: u32, texts_before: u32, offset: u32) -> Value {
    json!([
        {"type": "merge_node", "path": [block], "position": texts_before, "properties": {"type": "paragraph"}},
        {"type": "merge_node", "path": [block - 1, texts_before], "position": offset, "properties": {}},
    ])
}

fn shift(from: u32, to: u32) -> Value {
    json!([{"type": "move_node", "path": [from], "newPath": [to]}])
}

#[test]
fn two_who_merge_the_same_blocks_have_the_text_once() {
    let input = json!([p("one "), p("two"), p("end")]);
    let merge = [backspace(1, 1, 4)];
    assert_eq!(outcomes(input.clone(), &merge, &merge), [["one two", "end"], ["one two", "end"]]);
    // What either types into its copy stays.
    let (one, two) = ([merge[0].clone(), type_x(0, 6, "X")], [merge[0].clone(), type_x(0, 4, "Y")]);
    for lines in outcomes(input, &one, &two) {
        let mut left = lines.concat();
        left.retain(|c| !"XY".contains(c));
        assert_eq!((lines.len(), left.as_str(), lines.concat().len()), (2, "one twoend", 12), "{lines:?}");
    }
}

#[test]
fn two_who_split_the_same_line_have_the_text_once() {
    let line = "one two three four";
    for first in 0..=18 {
        for second in 0..=18 {
            let (cut, next) = (first.min(second) as usize, first.max(second) as usize);
            // As if one had come after the other; or with the empty line where the inner block came to stand further out.
            let lines = [&line[..cut], &line[cut..next], &line[next..]];
            let outer = [[&line[..next], "", &line[next..]], [&line[..cut], "", &line[cut..]]];
            let outcomes = outcomes(json!([p(line)]), &[enter(0, first)], &[enter(0, second)]);
            assert!(outcomes.iter().any(|one| *one == lines), "{first} and {second}: {outcomes:?}");
            for one in &outcomes {
                assert!(*one == lines || outer.iter().any(|outer| one == outer), "{first} and {second}: {one:?}");
            }
        }
    }
}

#[test]
fn two_who_move_the_same_block_have_it_once() {
    let input = json!([p("a"), p("b"), p("c"), p("d"), p("e")]);
    for (from, to, other) in [(0, 4, 2), (4, 0, 2), (2, 0, 4), (1, 3, 4), (3, 0, 1)] {
        for lines in outcomes(input.clone(), &[shift(from, to)], &[shift(from, other)]) {
            let mut sorted = lines.clone();
            sorted.sort();
            assert_eq!(sorted, ["a", "b", "c", "d", "e"], "{from} to {to} and {other}: {lines:?}");
        }
    }
}

#[test]
fn a_line_that_one_merges_and_the_other_splits_is_there_once_and_in_order() {
    let input = json!([p("start "), p("one two three")]);
    for cut in 0..=13 {
        for lines in outcomes(input.clone(), &[backspace(1, 1, 6)], &[enter(1, cut)]) {
            assert_eq!(lines.concat(), "start one two three", "cut at {cut}: {lines:?}");
            if cut > 6 {
                // What is behind the cut was copied by both, and stays behind it.
                assert_eq!(lines[1], "one two three"[cut as usize..], "cut at {cut}: {lines:?}");
            }
        }
    }
}

#[test]
fn copies_of_copies_are_there_once() {
    // One merges the third block into the second and that into the first; the other only the third into the second.
    let input = json!([p("one "), p("two "), p("three")]);
    let (all, last) = ([backspace(2, 1, 4), backspace(1, 1, 4)], [backspace(2, 1, 4)]);
    assert_eq!(outcomes(input.clone(), &all, &last), [["one two three"], ["one two three"]]);
    // The other one types before; what it types goes along.
    let typed = [type_x(2, 5, "X"), backspace(2, 1, 4)];
    for lines in outcomes(input, &all, &typed) {
        assert_eq!((lines.len(), lines.concat().replace('X', "")), (1, "one two three".to_owned()), "{lines:?}");
        assert!(lines.concat().contains('X'), "{lines:?}");
    }
}

#[test]
fn what_was_merged_into_a_block_that_a_peer_merges_is_not_lost() {
    let input = json!([p("one "), p("two "), p("three")]);
    for lines in outcomes(input, &[backspace(1, 1, 4)], &[backspace(2, 1, 4)]) {
        assert_eq!(lines, ["one two three"]);
    }
}

#[test]
fn two_who_merge_each_others_blocks_away_lose_nothing() {
    // One merges everything into the first block; the other moves that block to the end and merges it into another.
    let input = json!([p("first block"), p("second"), p("third one")]);
    let one = [backspace(1, 1, 11), backspace(1, 1, 17)];
    let two = [shift(0, 2), backspace(2, 1, 9)];
    for lines in outcomes(input, &one, &two) {
        for text in ["first block", "second", "third one"] {
            assert_eq!(lines.concat().matches(text).count(), 1, "{text} in {lines:?}");
        }
    }
}

fn erase(block: u32, offset: u32, text: &str) -> Value {
    json!([{"type": "remove_text", "path": [block, 0], "offset": offset, "text": text}])
}

fn remove(block: u32, text: &str) -> Value {
    json!([{"type": "remove_node", "path": [block], "node": p(text)}])
}

#[test]
fn what_is_erased_across_a_peers_split_is_in_neither_half() {
    let line = "one two three four";
    for cut in 0..=18 {
        for (from, to) in [(2, 12), (0, 18), (0, 3), (15, 18), (8, 8)] {
            let [before, behind] = [(0, cut), (cut, 18)].map(|(start, end)| -> String {
                (start..end).filter(|at| !(from..to).contains(at)).map(|at| &line[at..=at]).collect()
            });
            let erased = erase(0, from as u32, &line[from..to]);
            for lines in outcomes(json!([p(line)]), &[enter(0, cut as u32)], &[erased]) {
                assert_eq!(lines, [before.as_str(), behind.as_str()], "cut at {cut}, erased {from} to {to}");
            }
        }
    }
}

#[test]
fn what_is_erased_is_not_in_a_peers_copy_of_a_copy_either() {
    let input = json!([p("one "), p("two "), p("three")]);
    let copied = [backspace(2, 1, 4), backspace(1, 1, 4), enter(0, 6), shift(0, 1)];
    for lines in outcomes(input.clone(), &copied, &[erase(2, 1, "hre"), erase(1, 0, "t")]) {
        assert_eq!(lines, ["o te", "one w"]);
    }
    // What one copied before one erased it there.
    for lines in outcomes(input, &[backspace(1, 1, 4)], &[backspace(1, 1, 4), erase(0, 4, "two ")]) {
        assert_eq!(lines, ["one ", "three"]);
    }
}

#[test]
fn a_block_that_one_removes_is_not_where_a_peer_put_it() {
    let input = json!([p("one"), p("two"), p("three")]);
    for done in [vec![shift(0, 2)], vec![shift(0, 2), shift(2, 1)]] {
        assert_eq!(outcomes(input.clone(), &[remove(0, "one")], &done), [["two", "three"], ["two", "three"]]);
    }
    assert_eq!(
        outcomes(input.clone(), &[remove(1, "two")], &[backspace(1, 1, 3)]),
        [["one", "three"], ["one", "three"]]
    );
    // What the peer typed there meanwhile stays.
    for lines in outcomes(input, &[remove(0, "one")], &[shift(0, 1), type_x(1, 2, "X")]) {
        assert_eq!(lines, ["two", "X", "three"]);
    }
}

#[test]
fn whoever_takes_over_an_erasure_erases_what_was_copied_meanwhile() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("one two"), p("end")])));
    let split = two.edit(ops(&enter(0, 3))).expect("a split");
    let before = one.doc.encode_state(None).expect("all of it");
    let erased = one.edit(ops(&erase(0, 0, "one"))).expect("an erasure");
    // The session is over; the next one finds what it did not send.
    let mut next = Editor::new(77);
    [&before, &erased].into_iter().for_each(|update| drop(next.receive(update)));
    next.doc.inherit(&erased);
    let more = next.receive(&split);
    [Some(erased), more].into_iter().flatten().for_each(|update| drop(two.receive(&update)));
    assert_eq!(texts(&next.value), ["", " two", "end"]);
    assert_eq!(texts(&two.value), ["", " two", "end"]);
}

#[test]
fn what_is_taken_back_is_there_once_whatever_a_peer_copied() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("one two"), p("end")])));
    let erased = one.edit(ops(&erase(0, 3, " two")));
    let again = one.undo();
    let split = two.edit(ops(&enter(0, 3)));
    let more = split.and_then(|update| one.receive(&update));
    for update in [erased, again, more].into_iter().flatten() {
        two.receive(&update).into_iter().for_each(|update| drop(one.receive(&update)));
    }
    assert_eq!(canonical(&one.value), canonical(&two.value), "the editors differ");
    assert_eq!(texts(&one.value).concat(), "one twoend");
}

#[test]
fn a_caret_in_the_copy_that_goes_is_in_the_one_that_stays() {
    let input = json!([p("one "), p("two"), p("end")]);
    for swap in [false, true] {
        let (mut one, mut two) = two_with(&nodes(&input));
        if swap {
            std::mem::swap(&mut one, &mut two);
        }
        let (a, b) = (one.edit(ops(&backspace(1, 1, 4))), two.edit(ops(&backspace(1, 1, 4))));
        let point = Point { path: Path::from_slice(&[0, 0]), offset: 5 };
        let carets = [&one, &two].map(|editor| editor.doc.sticky(&point, Assoc::After).expect("a place"));
        let from_one = b.and_then(|update| one.receive(&update));
        let from_two = a.and_then(|update| two.receive(&update));
        from_one.into_iter().for_each(|update| drop(two.receive(&update)));
        from_two.into_iter().for_each(|update| drop(one.receive(&update)));
        for (editor, caret) in [(&one, &carets[0]), (&two, &carets[1])] {
            assert_eq!(texts(&editor.value), ["one two", "end"]);
            assert_eq!(editor.doc.resolve(caret), Some(point.clone()));
        }
    }
}

/// The records of several copies come in one update, in no order: whoever reads them finds the same.
#[test]
fn copies_that_come_at_once_are_read_in_one_order() {
    let input = json!([p("moved"), p("a"), p("b"), p("c"), p("d"), p("e"), p("f")]);
    let (one, mut reader) = two_with(&nodes(&input));
    let base = one.doc.encode_state(None).expect("all of it");
    let moved: Vec<_> = (1..=6)
        .filter_map(|to| {
            let mut peer = Editor::new(10 + to);
            peer.receive(&base);
            peer.edit(ops(&shift(0, to)))
        })
        .collect();
    let point = Point { path: Path::from_slice(&[0, 0]), offset: 2 };
    let caret = reader.doc.sticky(&point, Assoc::After).expect("a place");
    reader.receive(&merge(&moved).expect("updates"));
    let found = reader.doc.resolve(&caret);
    for _ in 0..10 {
        let mut again = Editor::new(2);
        again.receive(&base);
        again.receive(&merge(&moved).expect("updates"));
        assert_eq!(again.doc.resolve(&caret), found);
    }
}
