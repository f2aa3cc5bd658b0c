//! Two editors at the same time: nothing typed is lost or doubled, and what was meant is what comes out.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::fixtures::two_with;
use super::json::{nodes, ops};
use super::model::canonical;
use super::net::Relay;
use super::random::Editor;
use super::remote::p;
use crate::slate::Node;

/// Both edit, then hear of each other: directly, and through a server that tells what its own document has changed, which
/// must come to the same.
fn both(input: Value, one_does: Value, two_does: Value) -> (Editor, Editor) {
    let (mut one, mut two) = two_with(&nodes(&input));
    let from_one = one.edit(ops(&one_does));
    let from_two = two.edit(ops(&two_does));
    let rescued_by_one = from_two.and_then(|update| one.receive(&update));
    let rescued_by_two = from_one.and_then(|update| two.receive(&update));
    rescued_by_one.into_iter().for_each(|update| drop(two.receive(&update)));
    rescued_by_two.into_iter().for_each(|update| drop(one.receive(&update)));
    assert_eq!(canonical(&one.value), canonical(&two.value), "the editors differ");
    for first in 0..2 {
        let relayed = relayed(&input, [&one_does, &two_does], first);
        assert_eq!(canonical(&relayed), canonical(&one.value), "through a server that hears {first} first");
    }
    (one, two)
}

fn relayed(input: &Value, does: [&Value; 2], first: usize) -> Vec<Node> {
    let (one, two) = two_with(&nodes(input));
    let relay = Relay::new(&one.doc.encode_state(None).expect("a state"));
    let mut editors = [one, two];
    // The server has heard both before either hears of the other.
    let mut told: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
    for at in [first, 1 - first] {
        told.extend(editors[at].edit(ops(does[at])).map(|update| (at, relay.retell(&update))));
    }
    while let Some((at, update)) = told.pop_front() {
        let rescued = editors[1 - at].receive(&update);
        told.extend(rescued.map(|update| (1 - at, relay.retell(&update))));
    }
    assert_eq!(canonical(&editors[0].value), canonical(&editors[1].value), "the editors differ");
    editors[0].value.clone()
}

pub(super) fn texts(value: &[Node]) -> Vec<String> {
    fn flat(node: &Node) -> String {
        match node {
            Node::Text(leaf) => leaf.text.clone(),
            Node::Element(element) => element.children.iter().map(flat).collect(),
        }
    }
    value.iter().map(flat).collect()
}

fn outcome(input: Value, one_does: Value, two_does: Value) -> Vec<String> {
    texts(&both(input, one_does, two_does).0.value)
}

fn enter(block: u32, offset: u32) -> Value {
    json!([
        {"type": "split_node", "path": [block, 0], "position": offset, "properties": {}},
        {"type": "split_node", "path": [block], "position": 1, "properties": {"type": "paragraph"}},
    ])
}

fn type_x(block: u32, offset: u32) -> Value {
    json!([{"type": "insert_text", "path": [block, 0], "offset": offset, "text": "X"}])
}

fn backspace(block: u32) -> Value {
    json!([{"type": "merge_node", "path": [block], "position": 1, "properties": {"type": "paragraph"}}])
}

#[test]
fn typing_while_a_peer_splits_at_a_border_stays_in_its_line() {
    let line = json!([p("a line")]);
    for offset in [1, 3, 6] {
        let mut typed = "a line".to_owned();
        typed.insert(offset, 'X');
        assert_eq!(outcome(line.clone(), enter(0, 0), type_x(0, offset as u32)), ["", typed.as_str()]);
    }
    for offset in [0, 3, 5] {
        let mut typed = "a line".to_owned();
        typed.insert(offset, 'X');
        assert_eq!(outcome(line.clone(), enter(0, 6), type_x(0, offset as u32)), [typed.as_str(), ""]);
    }
}

#[test]
fn typing_in_the_larger_half_of_a_split_stays_with_it() {
    // The smaller half is copied: "one" here, "six" there.
    assert_eq!(outcome(json!([p("one two three")]), enter(0, 4), type_x(0, 10)), ["one ", "two thXree"]);
    assert_eq!(outcome(json!([p("three two six")]), enter(0, 10), type_x(0, 2)), ["thXree two ", "six"]);
}

#[test]
fn what_is_typed_into_a_line_that_a_peer_splits_is_where_it_was_typed() {
    let line = "one two three";
    for cut in 0..=13 {
        for offset in 0..=13 {
            let lines = outcome(json!([p(line)]), enter(0, cut), type_x(0, offset));
            let (mut before, mut behind) = (line[..cut as usize].to_owned(), line[cut as usize..].to_owned());
            match offset.cmp(&cut) {
                std::cmp::Ordering::Less => before.insert(offset as usize, 'X'),
                std::cmp::Ordering::Greater => behind.insert((offset - cut) as usize, 'X'),
                // At the very place: on either side of it.
                std::cmp::Ordering::Equal if lines[0].ends_with('X') => before.push('X'),
                std::cmp::Ordering::Equal => behind.insert(0, 'X'),
            }
            assert_eq!(lines, [before, behind], "cut {cut}, typed at {offset}");
        }
    }
}

#[test]
fn what_is_typed_in_several_places_of_a_line_that_a_peer_splits_stays_in_order() {
    let line = "one two three";
    let typed = json!([
        {"type": "insert_text", "path": [0, 0], "offset": 11, "text": "X"},
        {"type": "insert_text", "path": [0, 0], "offset": 9, "text": "Y"},
        {"type": "insert_text", "path": [0, 0], "offset": 2, "text": "Z"},
    ]);
    assert_eq!(outcome(json!([p(line)]), enter(0, 7), typed.clone()), ["onZe two", " tYhrXee"]);
    assert_eq!(outcome(json!([p(line)]), enter(0, 5), typed), ["onZe t", "wo tYhrXee"]);
}

#[test]
fn what_is_typed_into_words_that_a_peer_makes_a_link_is_in_the_link() {
    let link = json!({"type": "link", "inline": true, "children": []});
    // As Slate wraps a range: cuts the text, puts an empty element beside it, and moves the text there.
    let wrapped = json!([
        {"type": "split_node", "path": [0, 0], "position": 9, "properties": {}},
        {"type": "split_node", "path": [0, 0], "position": 4, "properties": {}},
        {"type": "insert_node", "path": [0, 1], "node": link},
        {"type": "move_node", "path": [0, 2], "newPath": [0, 1, 0]},
    ]);
    for offset in 5..9 {
        let (one, _) = both(json!([p("Ada opens the door.")]), wrapped.clone(), type_x(0, offset));
        let mut word = "opens".to_owned();
        word.insert(offset as usize - 4, 'X');
        let link = json!({"type": "link", "inline": true, "children": [{"text": word}]});
        let line = json!({"type": "paragraph", "children": [{"text": "Ada "}, link, {"text": " the door."}]});
        assert_eq!(canonical(&one.value), canonical(&nodes(&json!([line]))), "typed at {offset}");
    }
}

#[test]
fn a_merge_with_an_empty_block_loses_nothing() {
    let heading = json!({"type": "heading", "children": [{"text": ""}]});
    for offset in 0..=4 {
        let mut typed = "text".to_owned();
        typed.insert(offset as usize, 'X');
        let before = outcome(json!([heading, p("text")]), backspace(1), type_x(1, offset));
        assert_eq!(before, [typed.as_str()], "empty before");
        let after = outcome(json!([p("text"), p("")]), backspace(1), type_x(0, offset));
        assert_eq!(after, [typed.as_str()], "empty after");
    }
}

#[test]
fn what_is_typed_into_a_block_that_a_peer_merges_is_where_it_was_typed() {
    let texts = [
        ("left", "the right one"),
        ("the left one", "right"),
        ("a", "much longer one"),
        ("", "x"),
        ("x", ""),
        ("", ""),
    ];
    for (left, right) in texts {
        for block in 0..2 {
            let text = if block == 0 { left } else { right };
            for offset in 0..=text.len() {
                let input = json!([p(left), p(right), p("end")]);
                let at = offset + if block == 0 { 0 } else { left.len() };
                let mut expected = format!("{left}{right}");
                expected.insert(at, 'X');
                let what = format!("{left:?} + {right:?}, typed in {block} at {offset}");
                // Whoever has the lower client id.
                let (merged, typed) = (backspace(1), type_x(block, offset as u32));
                for (one, two) in [(merged.clone(), typed.clone()), (typed, merged)] {
                    assert_eq!(outcome(input.clone(), one, two), [expected.as_str(), "end"], "{what}");
                }
            }
        }
    }
}

#[test]
fn what_is_typed_into_a_block_that_a_peer_moves_or_wraps_goes_along() {
    let moved = json!([{"type": "move_node", "path": [0], "newPath": [2]}]);
    let up = json!([{"type": "move_node", "path": [2], "newPath": [0]}]);
    let wrapped = json!([
        {"type": "insert_node", "path": [0], "node": {"type": "box", "children": []}},
        {"type": "move_node", "path": [1], "newPath": [0, 0]},
    ]);
    let input = json!([p("first"), p("second"), p("third one")]);
    for offset in 0..=5 {
        let mut typed = "first".to_owned();
        typed.insert(offset, 'X');
        let type_it = type_x(0, offset as u32);
        assert_eq!(outcome(input.clone(), moved.clone(), type_it.clone()), ["second", "third one", typed.as_str()]);
        assert_eq!(outcome(input.clone(), up.clone(), type_it.clone()), ["third one", typed.as_str(), "second"]);
        assert_eq!(outcome(input.clone(), wrapped.clone(), type_it), [typed.as_str(), "second", "third one"]);
    }
}

fn remove(path: &[u32], node: Value) -> Value {
    json!([{"type": "remove_node", "path": path, "node": node}])
}

#[test]
fn what_is_typed_into_a_block_that_a_peer_removes_gets_one_of_its_own_there() {
    for block in 0..3 {
        let mut lines = vec!["first", "second", "third"];
        let input = lines.iter().map(|line| p(line)).collect();
        let removed = remove(&[block], p(lines[block as usize]));
        lines[block as usize] = "X";
        assert_eq!(outcome(input, removed, type_x(block, 2)), lines);
    }
    // What the peer knew is gone for good, and so is a block in which nobody typed.
    assert_eq!(outcome(json!([p("a"), p("b")]), remove(&[0], p("a")), type_x(1, 1)), ["bX"]);
}

#[test]
fn what_is_typed_between_the_ends_of_what_a_peer_deletes_is_kept_however_it_comes() {
    let input = json!([p("one two three four."), p("gone soon."), p("this too."), p("end")]);
    let typed = [(0, 19, " Five."), (1, 10, " Or not.")].map(
        |(block, offset, text)| json!([{"type": "insert_text", "path": [block, 0], "offset": offset, "text": text}]),
    );
    let peer = [
        enter(0, 13),
        json!([
            {"type": "remove_node", "path": [2], "node": p("gone soon.")},
            {"type": "remove_text", "path": [2, 0], "offset": 0, "text": "this too."},
            {"type": "merge_node", "path": [2], "position": 1, "properties": {"type": "paragraph"}},
            {"type": "merge_node", "path": [1, 1], "position": 6, "properties": {}},
        ]),
    ];
    let (mut one, mut two) = two_with(&nodes(&input));
    let from_one: Vec<_> = typed.iter().filter_map(|edit| one.edit(ops(edit))).collect();
    let from_two: Vec<_> = peer.iter().filter_map(|edit| two.edit(ops(edit))).collect();
    // Back from offline: everything at once.
    let again = one.receive(&yrs::merge_updates_v1(&from_two).expect("updates merge"));
    from_one.iter().chain(&again).for_each(|update| drop(two.receive(update)));
    assert_eq!(texts(&one.value), ["one two three", " four. Five.", " Or not.", "end"]);
    assert_eq!(canonical(&one.value), canonical(&two.value), "the editors differ");
}

#[test]
fn what_is_typed_into_something_removed_is_again_in_the_like() {
    let link = |text: &str| json!({"type": "link", "inline": true, "children": [{"text": text}]});
    let line = |inner: Value| json!({"type": "line", "children": [{"text": "a "}, inner, {"text": " b"}]});
    let type_in = |path: &[u32]| json!([{"type": "insert_text", "path": path, "offset": 1, "text": "X"}]);
    // A link is removed: its text goes into the line. The line is removed: the text is in a link again.
    let (input, typed) = (json!([line(link("here")), p("end")]), type_in(&[0, 1, 0]));
    assert_eq!(outcome(input.clone(), remove(&[0, 1], link("here")), typed.clone()), ["a X b", "end"]);
    let (one, _) = both(input, remove(&[0], line(link("here"))), typed);
    let link_again = json!({"type": "line", "children": [{"text": ""}, link("X"), {"text": ""}]});
    assert_eq!(canonical(&one.value), canonical(&nodes(&json!([link_again, p("end")]))));
    // Two items of a list.
    let item = |text: &str, bold: bool| match bold {
        true => json!({"type": "item", "children": [{"text": text, "bold": true}]}),
        false => json!({"type": "item", "children": [{"text": text}]}),
    };
    let list = |items: Value| json!({"type": "list", "children": items});
    let all = list(json!([item("one", false), item("two", false), item("three", true)]));
    let typed = json!([type_in(&[1, 0, 0])[0], type_in(&[1, 2, 0])[0]]);
    let (one, _) = both(json!([p("start"), all]), remove(&[1], all.clone()), typed);
    let left = list(json!([item("X", false), item("X", true)]));
    assert_eq!(canonical(&one.value), canonical(&nodes(&json!([p("start"), left]))));
}

#[test]
fn what_is_typed_inside_of_what_a_peer_copies_goes_along() {
    let dual = json!({"type": "dual", "children": [p("left"), p("right")]});
    let typed = json!([{"type": "insert_text", "path": [0, 1, 0], "offset": 2, "text": "X"}]);
    for to in [json!([1]), json!([2])] {
        let moved = json!([{"type": "move_node", "path": [0], "newPath": to}]);
        // The others are heavy, so that the wrapper is what is copied.
        let heavy = p("a long line, much longer than both");
        let all = outcome(json!([dual, heavy, heavy]), moved, typed.clone()).concat();
        assert!(all.contains("leftriXght"), "{all}");
    }
    let link = |text: &str| json!({"type": "link", "inline": true, "children": [{"text": text}]});
    let line = |before: &str, after: &str| json!({"type": "paragraph", "children": [{"text": before}, link("link"), {"text": after}]});
    let typed = json!([{"type": "insert_text", "path": [0, 1, 0], "offset": 2, "text": "X"}]);
    let enter = |node: u32, offset: u32| {
        json!([
            {"type": "split_node", "path": [0, node], "position": offset, "properties": {}},
            {"type": "split_node", "path": [0], "position": node + 1, "properties": {"type": "paragraph"}},
        ])
    };
    for (input, done) in
        [(line("", "a long rest of the line"), enter(2, 2)), (line("a long line before it", ""), enter(0, 17))]
    {
        let all = outcome(json!([input]), done, typed.clone()).concat();
        assert!(all.contains("liXnk"), "{all}");
    }
    let typed = json!([{"type": "insert_text", "path": [1, 1, 0], "offset": 2, "text": "X"}]);
    let all = outcome(json!([p("a long line before it"), line("a", "b")]), backspace(1), typed).concat();
    assert_eq!(all, "a long line before italiXnkb");
}

#[test]
fn a_format_while_a_peer_splits_loses_nothing() {
    let line = "one two three";
    let bold = json!([{"type": "set_node", "path": [0, 0], "properties": {}, "newProperties": {"bold": true}}]);
    for cut in 0..=13 {
        let lines = outcome(json!([p(line)]), enter(0, cut), bold.clone());
        assert_eq!(lines.concat(), line, "cut {cut}");
    }
}

fn set(path: &[u32], properties: Value) -> Value {
    json!([{"type": "set_node", "path": path, "properties": {}, "newProperties": properties}])
}

#[test]
fn what_is_formatted_in_what_a_peer_copies_is_formatted_in_the_copy() {
    let line = json!({"type": "paragraph", "children": [{"text": "one two three", "bold": true}]});
    let bold = |text: &str| json!({"type": "paragraph", "children": [{"text": text, "bold": true}]});
    let format = set(&[0, 0], json!({"bold": true}));
    for cut in 0..=13 {
        let (one, _) = both(json!([p("one two three")]), enter(0, cut), format.clone());
        let (before, behind) = "one two three".split_at(cut as usize);
        let halves = [before, behind].map(|text| if text.is_empty() { p("") } else { bold(text) });
        assert_eq!(canonical(&one.value), canonical(&nodes(&json!(halves))), "cut {cut}");
    }
    let others = json!([p("one two three"), p("first"), p("a long last line, longer than both")]);
    let moved = json!([{"type": "move_node", "path": [0], "newPath": [1]}]);
    let (one, _) = both(others.clone(), moved, format.clone());
    assert_eq!(canonical(&one.value[1..2]), canonical(&nodes(&json!([line]))));
    // A part of a leaf, in a block that is merged.
    let part = json!([
        {"type": "split_node", "path": [1, 0], "position": 1, "properties": {}},
        {"type": "split_node", "path": [1, 1], "position": 3, "properties": {}},
        {"type": "set_node", "path": [1, 1], "properties": {}, "newProperties": {"bold": true}},
    ]);
    let (one, _) = both(others, backspace(1), part);
    let leaves = json!([{"text": "one two threef"}, {"text": "irs", "bold": true}, {"text": "t"}]);
    let merged = json!({"type": "paragraph", "children": leaves});
    assert_eq!(canonical(&one.value[..1]), canonical(&nodes(&json!([merged]))));
}

#[test]
fn what_a_peer_knew_and_set_otherwise_stays_so_in_their_copies() {
    let moved = json!([{"type": "move_node", "path": [0], "newPath": [1]}]);
    let styles = [
        ([0, 0].as_slice(), json!({"bold": true}), json!({"bold": null})),
        ([0].as_slice(), json!({"type": "heading"}), json!({"type": "paragraph"})),
    ];
    let input = nodes(&json!([p("one"), p("two"), p("a long last line")]));
    for ((path, there, back), at_once) in styles.iter().flat_map(|style| [(style, false), (style, true)]) {
        let (mut peer, mut one) = two_with(&input);
        let update = one.edit(ops(&set(path, there.clone()))).expect("an update");
        peer.receive(&update);
        let edits = [set(path, back.clone()), moved.clone()];
        let mut updates: Vec<_> = edits.iter().filter_map(|edit| peer.edit(ops(edit))).collect();
        if at_once {
            updates = vec![yrs::merge_updates_v1(&updates).expect("updates merge")];
        }
        let rescued: Vec<_> = updates.iter().filter_map(|update| one.receive(update)).collect();
        assert_eq!((rescued, canonical(&one.value)), (Vec::new(), canonical(&peer.value)), "{there}, {at_once}");
    }
    // Set otherwise by one, and copied by another who came later.
    for (path, there, back) in &styles {
        let (mut peer, mut one) = two_with(&input);
        let update = one.edit(ops(&set(path, there.clone()))).expect("an update");
        peer.receive(&update);
        let update = peer.edit(ops(&set(path, back.clone()))).expect("an update");
        one.receive(&update);
        let mut late = Editor::new(3);
        late.receive(&peer.doc.encode_state(None).expect("a state"));
        let update = late.edit(ops(&moved)).expect("an update");
        assert_eq!((one.receive(&update), canonical(&one.value)), (None, canonical(&late.value)), "{there}");
    }
}

#[test]
fn what_is_set_on_a_block_that_a_peer_copies_is_set_on_the_copy() {
    let heading = |text: &str| json!({"type": "heading", "children": [{"text": text}]});
    let input = json!([p("one"), p("two"), p("a long last line")]);
    let change = set(&[0], json!({"type": "heading"}));
    let moved = json!([{"type": "move_node", "path": [0], "newPath": [1]}]);
    let (one, _) = both(input.clone(), moved.clone(), change.clone());
    assert_eq!(canonical(&one.value[..2]), canonical(&nodes(&json!([p("two"), heading("one")]))));
    let wrapped = json!([
        {"type": "insert_node", "path": [0], "node": {"type": "box", "children": []}},
        {"type": "move_node", "path": [1], "newPath": [0, 0]},
    ]);
    let (one, _) = both(input.clone(), wrapped, change.clone());
    assert_eq!(canonical(&one.value[..1]), canonical(&nodes(&json!([{"type": "box", "children": [heading("one")]}]))));
    // In a line of which the half before the caret is copied.
    let (one, _) = both(json!([p("a long line")]), enter(0, 2), change.clone());
    assert_eq!(canonical(&one.value), canonical(&nodes(&json!([heading("a "), heading("long line")]))));
    // The peer has set something else by then: what was set on the copy stays.
    let mut both_edits = moved.clone();
    let other = set(&[1], json!({"type": "shot"}));
    both_edits
        .as_array_mut()
        .zip(other.as_array())
        .into_iter()
        .for_each(|(all, more)| all.extend(more.iter().cloned()));
    let (one, _) = both(input, both_edits, change);
    let shot = json!({"type": "shot", "children": [{"text": "one"}]});
    assert_eq!(canonical(&one.value[..2]), canonical(&nodes(&json!([p("two"), shot]))));
}

#[test]
fn two_enters_in_one_line_double_nothing_but_what_both_copied() {
    for (one, two) in [(0, 0), (0, 13), (13, 13), (0, 8)] {
        let lines = outcome(json!([p("one two three")]), enter(0, one), enter(0, two));
        assert_eq!(lines.concat(), "one two three", "at {one} and {two}: {lines:?}");
    }
}

#[test]
fn a_property_set_while_a_peer_splits_at_the_start_goes_to_the_text() {
    let heading = json!([{"type": "set_node", "path": [0], "properties": {"type": "paragraph"},
        "newProperties": {"type": "heading"}}]);
    let (one, _) = both(json!([p("title")]), enter(0, 0), heading);
    assert_eq!(canonical(&one.value), nodes(&json!([p(""), {"type": "heading", "children": [{"text": "title"}]}])));
}

#[test]
fn two_backspaces_at_one_place_lose_nothing_whatever_was_typed_before() {
    for typed in 0..=4 {
        let mut one = json!([{"type": "insert_text", "path": [0, 0], "offset": 0, "text": "X".repeat(typed)}]);
        let more = backspace(1);
        one.as_array_mut().zip(more.as_array()).into_iter().for_each(|(all, more)| all.extend(more.iter().cloned()));
        let all = outcome(json!([p("four"), p("fives")]), one, backspace(1)).concat();
        for part in ["four", "fives", &"X".repeat(typed)] {
            assert!(all.contains(part), "{part} is gone from {all}");
        }
    }
}

/// All at once, from a server that names what went with a block as deleted.
#[test]
fn what_a_peer_knew_is_not_back_whoever_deleted_it() {
    let (first, gone) = (p("first"), json!([{"type": "insert_text", "path": [1, 0], "offset": 4, "text": "typed"}]));
    let erase = json!([{"type": "remove_text", "path": [1, 0], "offset": 4, "text": "typed"}]);
    let ends = [backspace(1), remove(&[1], p("line")), json!([{"type": "move_node", "path": [1], "newPath": [0]}])];
    for (end, eraser) in ends.iter().flat_map(|end| [(end, 0), (end, 2)]) {
        let (one, two) = two_with(&nodes(&json!([first, p("line"), p("a long last line")])));
        let state = one.doc.encode_state(None).expect("a state");
        let relay = Relay::new(&state);
        let mut all = [one, two, Editor::new(3)];
        all[2].receive(&state);
        // Of whom there is nothing else in the line.
        let typed = all[1].edit(ops(&gone)).expect("an update");
        relay.retell(&typed);
        [0, 2].into_iter().for_each(|at| drop(all[at].receive(&typed)));
        let erased = all[eraser].edit(ops(&erase)).expect("an update");
        let mut told = vec![relay.retell(&erased)];
        if eraser == 2 {
            all[0].receive(&erased);
        }
        let ended = all[0].edit(ops(end)).expect("an update");
        told.push(relay.retell(&ended));
        let rescued = all[1].receive(&yrs::merge_updates_v1(&told).expect("updates merge"));
        assert_eq!((rescued, texts(&all[1].value)), (None, texts(&all[0].value)), "{end}, erased by {eraser}");
    }
}

/// One without records, as slate-yjs has it, knew everything.
#[test]
fn what_a_peer_without_records_removes_is_not_back() {
    let (mut one, _) = two_with(&nodes(&json!([p("first"), p("second")])));
    let relay = Relay::new(&one.doc.encode_state(None).expect("a state"));
    let rescued = one.receive(&relay.remove_block(1));
    assert_eq!((rescued, texts(&one.value)), (None, vec!["first".to_owned()]));
}
