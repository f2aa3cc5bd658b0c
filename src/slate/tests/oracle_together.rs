//! Cases of two at once that the random runs of `tests/oracle` have found, each as small as it is.

use serde_json::{Value, json};

use super::json::{nodes, op, ops};
use crate::slate::tests::model::canonical;
use crate::slate::write::tests::peer::{schema, show};
use crate::slate::ydoc::Kind;
use crate::slate::{Act, DocOptions, SlateDoc};

fn line(text: &str) -> Value {
    json!({ "type": "p", "children": [{ "text": text }] })
}

fn quote(children: &[Value]) -> Value {
    json!({ "type": "q", "children": children })
}

fn empty(client_id: u32) -> SlateDoc {
    let (root, block_id) = ("content".into(), None);
    SlateDoc::new(DocOptions { client_id, root, block_id, seed: u64::from(client_id), schema: schema() })
}

/// One and another who have the same document: that of `value`, after `before`. The other's client id is lower, or higher.
fn two(value: &Value, before: &[Value], lower: bool) -> [SlateDoc; 2] {
    let mut one = empty(5);
    one.load(&SlateDoc::seed_update("content", &nodes(value))).expect("a seed");
    one.raise_format(1);
    for each in before {
        edit(&mut one, each);
    }
    let mut other = empty(if lower { 4 } else { 6 });
    other.load(&one.encode_state(None).expect("its state")).expect("an update");
    [one, other]
}

/// One flush; nothing is written if it comes to nothing.
fn edit(doc: &mut SlateDoc, what: &Value) -> Option<Vec<u8>> {
    let change = doc.apply_local(ops(what));
    assert_eq!(change.rejected, vec![]);
    change.update
}

/// What each sees who has heard of the other; both see the same, and who reads it anew does.
fn met(docs: &mut [SlateDoc; 2], mine: &[Vec<u8>], theirs: &[Vec<u8>]) -> String {
    let [one, other] = docs;
    theirs.iter().for_each(|update| drop(one.apply_update(update).expect("an update")));
    mine.iter().for_each(|update| drop(other.apply_update(update).expect("an update")));
    let shown = show(&canonical(&one.value()));
    assert_eq!(show(&canonical(&other.value())), shown);
    assert_eq!(show(&canonical(&one.read())), shown);
    shown
}

/// What these do at once, in both orders of client ids, comes to this.
fn comes_to(value: &Value, before: &[Value], mine: &[Value], theirs: &[Value], expected: &str) {
    comes_to_either(value, before, mine, theirs, [expected; 2]);
}

/// To the first if the other's client id is lower, else to the second.
fn comes_to_either(value: &Value, before: &[Value], mine: &[Value], theirs: &[Value], expected: [&str; 2]) {
    for (lower, expected) in [true, false].into_iter().zip(expected) {
        let mut docs = two(value, before, lower);
        let [mine, theirs] = [(0, mine), (1, theirs)].map(|(who, edits): (usize, &[Value])| {
            edits.iter().filter_map(|each| edit(&mut docs[who], each)).collect::<Vec<_>>()
        });
        assert_eq!(met(&mut docs, &mine, &theirs), expected, "the other's id is lower: {lower}");
    }
}

fn divide(at: &[u32], offset: u32) -> Value {
    let text = [at, &[0]].concat();
    json!([
        { "type": "split_node", "path": text, "position": offset, "properties": {} },
        { "type": "split_node", "path": at, "position": 1, "properties": { "type": "p" } },
    ])
}

/// The line at `at` to the one before it, which has `length` letters.
fn join(at: &[u32], length: u32) -> Value {
    let mut text = at.to_vec();
    text[at.len() - 1] -= 1;
    text.push(1);
    json!([
        { "type": "merge_node", "path": at, "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": text, "position": length, "properties": {} },
    ])
}

fn both(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => Value::Array([one, other].concat()),
        _ => Value::Null,
    }
}

/// Enter at the start of a line and Backspace in the empty one before it are nothing: the line is what it was.
#[test]
fn enter_and_backspace_at_the_start_of_a_line_leave_it_what_it_was() {
    let empty_line = json!([
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 1], "position": 2, "properties": {} },
    ]);
    let mine = both(divide(&[1], 0), empty_line);
    comes_to(&json!([line("abcd")]), &[divide(&[0], 2)], &[mine], &[join(&[1], 2)], "p[\"abcd\"]");
}

/// One takes one half out of a quote, the other the other half: nobody is left whose quote it is.
#[test]
fn a_quote_out_of_which_two_take_all_is_not_left_empty() {
    let wrap = json!([
        { "type": "insert_node", "path": [0], "node": quote(&[]) },
        { "type": "move_node", "path": [1], "newPath": [0, 0] },
    ]);
    let before = [wrap, divide(&[0, 0], 2)];
    let out = json!([{ "type": "move_node", "path": [0, 0], "newPath": [0] }]);
    let behind = json!([{ "type": "move_node", "path": [0, 1], "newPath": [1] }]);
    comes_to(&json!([line("abcd"), line("ef")]), &before, &[out], &[behind], "p[\"ab\"] p[\"cd\"] p[\"ef\"]");
}

/// Who joins two halves and divides them again has put the second one under another name; where it was moved, nothing stays.
#[test]
fn a_half_that_is_joined_and_divided_again_leaves_no_empty_line_where_another_moves_it() {
    let moved = json!([{ "type": "move_node", "path": [1], "newPath": [2] }]);
    let mine = [join(&[1], 2), divide(&[0], 2)];
    let value = json!([line("abcd"), line("ef")]);
    comes_to(&value, &[divide(&[0], 2)], &mine, &[moved], "p[\"ab\"] p[\"ef\"] p[\"cd\"]");
}

/// All that a line had flow into it was removed with it, and does not come to light where another divides that line.
#[test]
fn what_was_joined_to_a_removed_line_is_removed_though_another_divides_it() {
    let joined = both(json!([{ "type": "move_node", "path": [2], "newPath": [1, 1] }]), join(&[1, 1], 2));
    let erased = json!([
        { "type": "remove_text", "path": [1, 0, 0], "offset": 0, "text": "cdef" },
        { "type": "move_node", "path": [1, 0], "newPath": [1] },
        { "type": "remove_node", "path": [2], "node": quote(&[]) },
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 1], "position": 2, "properties": {} },
    ]);
    let value = json!([line("ab"), quote(&[line("cd")]), line("ef")]);
    comes_to(&value, &[joined], &[erased], &[divide(&[1, 0], 2)], "p[\"ab\"]");
}

/// A link put around the place in the same flush does not hide what was joined.
#[test]
fn a_line_is_joined_also_where_a_link_is_put_around_the_place_at_once() {
    let linked = json!([
        { "type": "move_node", "path": [1, 0], "newPath": [0, 1] },
        { "type": "remove_node", "path": [1], "node": quote(&[]) },
        { "type": "merge_node", "path": [0, 1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 0, 1], "position": 2, "properties": {} },
        { "type": "split_node", "path": [0, 0, 0], "position": 3, "properties": {} },
        { "type": "split_node", "path": [0, 0, 0], "position": 1, "properties": {} },
        { "type": "insert_node", "path": [0, 0, 2], "node": { "type": "a", "children": [] } },
        { "type": "move_node", "path": [0, 0, 1], "newPath": [0, 0, 2, 0] },
    ]);
    let value = json!([quote(&[line("ab")]), quote(&[line("cde")]), line("f")]);
    let expected = "q[p[\"a\" a[\"bc\"] \"d\"] p[\"e\"]] p[\"f\"]";
    comes_to(&value, &[], &[linked], &[divide(&[1, 0], 2)], expected);
}

/// Who puts a line in and joins it to the one above has it before what another joins there.
#[test]
fn what_two_join_to_one_line_comes_in_the_order_in_which_it_stood() {
    let insert = json!([{ "type": "insert_node", "path": [1], "node": line("X") }]);
    let mine = [insert, join(&[1], 2)];
    let apart = json!([line("ab"), line("cd"), line("ef")]);
    comes_to(&apart, &[], &mine, &[join(&[1], 2)], "p[\"abXcd\"] p[\"ef\"]");
    let halves = json!([line("abcd"), line("ef")]);
    comes_to(&halves, &[divide(&[0], 2)], &mine, &[join(&[1], 2)], "p[\"abXcd\"] p[\"ef\"]");
    let behind = [json!([{ "type": "insert_node", "path": [2], "node": line("X") }]), join(&[2], 2)];
    let typed = json!([{ "type": "insert_text", "path": [1, 0], "offset": 2, "text": "Y" }]);
    comes_to(&halves, &[divide(&[0], 2)], &behind, &[typed, join(&[1], 2)], "p[\"abcdYX\"] p[\"ef\"]");
}

/// Enter in what was taken out of something is a division of that as well, and nothing has to be moved for it.
#[test]
fn enter_in_a_link_that_was_taken_off_divides_the_line_for_others_too() {
    let link = json!({ "type": "a", "children": [{ "text": "bc" }] });
    let linked = json!({ "type": "p", "children": [{ "text": "a" }, link, { "text": "d" }] });
    let off = json!([
        { "type": "move_node", "path": [0, 1, 0], "newPath": [0, 2] },
        { "type": "remove_node", "path": [0, 1], "node": link },
        { "type": "merge_node", "path": [0, 1], "position": 1, "properties": {} },
        { "type": "merge_node", "path": [0, 1], "position": 3, "properties": {} },
    ]);
    let value = json!([linked, line("ef")]);
    comes_to(&value, &[off], &[divide(&[0], 2)], &[join(&[1], 4)], "p[\"ab\"] p[\"cdef\"]");
}

#[test]
fn an_item_whose_quote_was_taken_off_is_divided_with_all_that_is_in_it() {
    let item = json!({ "type": "li", "children": [quote(&[line("abcd")])] });
    let off = json!([
        { "type": "move_node", "path": [0, 0, 0], "newPath": [0, 1] },
        { "type": "remove_node", "path": [0, 0], "node": quote(&[]) },
    ]);
    let item_divided = json!([{ "type": "split_node", "path": [0], "position": 1, "properties": { "type": "li" } }]);
    let mine = both(divide(&[0, 0], 2), item_divided);
    let put = json!([{ "type": "insert_node", "path": [0, 1], "node": line("X") }]);
    comes_to(&json!([item]), &[off], &[mine], &[put], "li[p[\"ab\"]] li[p[\"cd\"] p[\"X\"]]");
}

fn wrap(at: u32) -> Value {
    json!([
        { "type": "insert_node", "path": [at], "node": quote(&[]) },
        { "type": "move_node", "path": [at + 1], "newPath": [at, 0] },
    ])
}

fn moved(from: &[u32], to: &[u32]) -> Value {
    json!([{ "type": "move_node", "path": from, "newPath": to }])
}

fn typed(at: &[u32], offset: u32, text: &str) -> Value {
    let path = [at, &[0]].concat();
    json!([{ "type": "insert_text", "path": path, "offset": offset, "text": text }])
}

/// Of lines that two join to each other one join counts; a line that was joined to one of them long before stays in it.
#[test]
fn two_lines_that_two_join_to_each_other_keep_what_was_joined_to_them_before() {
    let mine = [join(&[1], 4)];
    let theirs = [moved(&[1], &[0]), join(&[1], 2)];
    let value = json!([line("ab"), line("cd"), line("ef")]);
    let both = ["p[\"abcdef\"]", "p[\"efabcd\"]"];
    comes_to_either(&value, &[join(&[1], 2)], &mine, &theirs, both);
}

/// Two join a line that was moved, and one has divided it before: the rest stays where the line was.
#[test]
fn what_is_left_of_a_moved_line_that_two_join_stays_where_it_was() {
    let value = json!([line("ef"), line("ab"), line("cd")]);
    let theirs = [divide(&[2], 1), join(&[2], 2)];
    comes_to(&value, &[moved(&[0], &[2])], &[join(&[2], 2)], &theirs, "p[\"ab\"] p[\"cde\"] p[\"f\"]");
}

/// A quote out of which one joins a line to one that another takes out of it has nothing left.
#[test]
fn a_quote_out_of_which_one_joins_and_another_moves_is_not_left_empty() {
    let before = [wrap(1), moved(&[0], &[1, 0])];
    let value = json!([line("ab"), line("cd")]);
    comes_to(&value, &before, &[join(&[0, 1], 2)], &[moved(&[0, 0], &[0])], "p[\"abcd\"]");
}

/// A line that was put between two halves, and joined to the first, stays before the second where that is joined again.
#[test]
fn what_was_joined_between_two_halves_stays_between_them_when_they_are_joined() {
    let mine = [divide(&[0], 1), moved(&[2], &[1]), join(&[1], 1), join(&[1], 3)];
    let value = json!([line("ab"), line("cd")]);
    comes_to(&value, &[], &mine, &[typed(&[1], 2, "X")], "p[\"acdXb\"]");
}

/// Who joins two halves and divides them again has changed nothing, whatever another makes of the second.
#[test]
fn a_half_that_is_joined_and_divided_again_is_wrapped_by_another() {
    let mine = both(join(&[1], 2), divide(&[0], 2));
    let value = json!([line("abcd"), line("ef")]);
    comes_to(&value, &[divide(&[0], 2)], &[mine], &[wrap(1)], "p[\"ab\"] q[p[\"cd\"]] p[\"ef\"]");
}

/// What is put around a line stands right behind it: what was joined to the line and comes out of it again is behind that.
#[test]
fn what_comes_out_of_a_line_that_was_wrapped_comes_behind_it() {
    let mine = [join(&[1], 2), wrap(0)];
    let theirs = [divide(&[1], 1), join(&[1], 2)];
    let value = json!([line("ab"), line("cd"), line("ef")]);
    let within = "q[p[\"abc\"] p[\"d\"]] p[\"ef\"]";
    let behind = "q[p[\"abc\"]] p[\"d\"] p[\"ef\"]";
    comes_to_either(&value, &[], &mine, &theirs, [within, behind]);
}

/// Joined and divided in one flush is joined, then divided: if the join is void, the halves are together all the same.
#[test]
fn a_line_that_is_joined_and_divided_in_one_flush_keeps_its_order_where_the_join_is_void() {
    let mine = both(join(&[1], 2), divide(&[0], 3));
    let removed = json!([{ "type": "remove_node", "path": [0], "node": line("ab") }]);
    let value = json!([line("ab"), line("cd"), line("ef")]);
    comes_to(&value, &[], &[mine], &[removed], "p[\"c\"] p[\"d\"] p[\"ef\"]");
}

/// Moved and divided in one flush is moved, then divided: where another's move counts, the halves are there.
#[test]
fn a_line_that_is_moved_and_divided_in_one_flush_goes_with_both_its_halves() {
    let value = json!([line("ab"), line("cd"), line("ef"), line("gh")]);
    let mine = both(moved(&[0], &[2]), divide(&[2], 3));
    let here = "p[\"ef\"] p[\"gh\"] p[\"abc\"] p[\"d\"]";
    let there = "p[\"ef\"] p[\"abc\"] p[\"d\"] p[\"gh\"]";
    comes_to_either(&value, &[join(&[1], 2)], &[mine], &[moved(&[0], &[1])], [here, there]);
}

/// Two remove the same letters, and both take that back: each writes them again.
#[test]
fn letters_that_two_wrote_again_are_there_once() {
    for lower in [true, false] {
        let mut docs = two(&json!([line("abcde")]), &[], lower);
        let erase = |offset: u32, text: &str| json!([{ "type": "remove_text", "path": [0, 0], "offset": offset, "text": text }]);
        let mut told: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut steps = Vec::new();
        for (doc, erased) in docs.iter_mut().zip([erase(1, "bc"), erase(2, "cd")]) {
            let removed = doc.apply_local(ops(&erased));
            let (again, _) = doc.revert(&removed.acts, removed.passage.as_ref());
            told.push([&removed, &again].iter().filter_map(|change| change.update.clone()).collect());
            steps.push(again);
        }
        assert_eq!(met(&mut docs, &told[0], &told[1]), "p[\"abcde\"]", "the other's id is lower: {lower}");
        // Who writes deletes what is not shown, and what is taken away from there on is gone.
        let [one, other] = &mut docs;
        let update = edit(one, &erase(0, "abc")).expect("an edit");
        other.apply_update(&update).expect("an update");
        assert_eq!((show(&other.value()), show(&other.read())), ("p[\"de\"]".to_owned(), "p[\"de\"]".to_owned()));
        let (undone, _) = other.revert(&steps[1].acts, steps[1].passage.as_ref());
        assert_eq!(show(&other.value()), "p[\"e\"]", "it wrote the d again");
        one.apply_update(&undone.update.expect("an edit")).expect("an update");
        assert_eq!((show(&one.value()), show(&one.read())), ("p[\"e\"]".to_owned(), "p[\"e\"]".to_owned()));
    }
}

/// The end of a range that is written again is its own, not one that another may clear with the range it was of.
#[test]
fn bold_that_is_taken_back_while_its_half_is_written_again_does_not_spread() {
    for (lower, from) in [(true, 0), (true, 1), (true, 2), (false, 0), (false, 1), (false, 2)] {
        let mut docs = two(&json!([line("xyzuv")]), &[divide(&[0], 3)], lower);
        let mut bold = vec![json!({ "type": "split_node", "path": [0, 0], "position": from + 1, "properties": {} })];
        if from > 0 {
            bold.push(json!({ "type": "split_node", "path": [0, 0], "position": from, "properties": {} }));
        }
        let at = u32::from(from > 0);
        bold.push(json!({ "type": "set_node", "path": [0, at], "properties": {}, "newProperties": { "bold": true } }));
        if from == 2 {
            bold.remove(0);
            bold[1] =
                json!({ "type": "set_node", "path": [0, 1], "properties": {}, "newProperties": { "bold": true } });
        }
        let bold = docs[1].apply_local(ops(&Value::Array(bold)));
        docs[0].apply_update(&bold.update.clone().expect("an edit")).expect("an update");
        let removal = json!([{ "type": "remove_node", "path": [0], "node": line("xyz") }]);
        let removed = docs[0].apply_local(vec![op(&removal[0])]);
        let (again, _) = docs[0].revert(&removed.acts, removed.passage.as_ref());
        let (plain, _) = docs[1].revert(&bold.acts, bold.passage.as_ref());
        let mine = [removed.update.expect("an edit"), again.update.expect("an edit")];
        let shown = met(&mut docs, &mine, &[plain.update.expect("an edit")]);
        assert!(shown.ends_with("p[\"uv\"]"), "from {from}, lower {lower}: {shown}");
    }
}

/// What gives a range an end of its own goes again without taking formats beside it along.
#[test]
fn what_another_made_bold_around_a_void_is_bold_again() {
    let mention = json!({ "type": "mention", "children": [{ "text": "" }] });
    for (lower, backwards) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut docs = two(&json!([line("xyzu")]), &[], lower);
        let bold = json!([{ "type": "set_node", "path": [0, 0], "properties": {}, "newProperties": { "bold": true } }]);
        let put = json!([
            { "type": "split_node", "path": [0, 0], "position": 2, "properties": { "bold": true } },
            { "type": "insert_node", "path": [0, 1], "node": mention },
        ]);
        for each in [bold, put] {
            let update = edit(&mut docs[1], &each);
            docs[0].apply_update(&update.expect("an edit")).expect("an update");
        }
        let shown = show(&canonical(&docs[0].value()));
        let mut removals = vec![
            json!({ "type": "remove_text", "path": [0, 0], "offset": 0, "text": "xy" }),
            json!({ "type": "remove_text", "path": [0, 2], "offset": 0, "text": "zu" }),
        ];
        if backwards {
            removals.reverse();
        }
        let mut steps: Vec<_> = removals.into_iter().map(|each| docs[0].apply_local(vec![op(&each)])).collect();
        let mut mine: Vec<Vec<u8>> = steps.iter().map(|step| step.update.clone().expect("an edit")).collect();
        while let Some(step) = steps.pop() {
            let (again, _) = docs[0].revert(&step.acts, step.passage.as_ref());
            mine.push(again.update.expect("an edit"));
        }
        assert_eq!(show(&canonical(&docs[0].value())), shown);
        assert_eq!(met(&mut docs, &mine, &[]), shown, "lower {lower}, backwards {backwards}");
    }
}

/// One removes the first half of a line, another joins the second to it: the join is void, and the second half stays a line. What
/// is put before it does not make the join count.
#[test]
fn what_is_put_before_a_half_that_was_joined_to_a_removed_one_stands_there() {
    for lower in [true, false] {
        let value = json!([line("ab"), line("xcd"), line("ef")]);
        let mut docs = two(&value, &[divide(&[1], 1)], lower);
        let removed = edit(&mut docs[0], &json!([{ "type": "remove_node", "path": [1], "node": line("x") }]));
        let joined = edit(&mut docs[1], &join(&[2], 1));
        let [removed, joined] = [removed, joined].map(|update| vec![update.expect("an edit")]);
        assert_eq!(met(&mut docs, &removed, &joined), r#"p["ab"] p["cd"] p["ef"]"#);
        let moved = docs[0].apply_local(ops(&json!([{ "type": "move_node", "path": [2], "newPath": [1] }])));
        let is_anew =
            |act: &Act| matches!(act, Act::Make { kind: Kind::Strand, .. } | Act::Insert(_) | Act::Delete { .. });
        assert!(!moved.acts.iter().any(is_anew), "the second half is written again: {:?}", moved.acts);
        let moved = vec![moved.update.expect("an edit")];
        assert_eq!(met(&mut docs, &moved, &[]), r#"p["ab"] p["ef"] p["cd"]"#);
    }
}

fn image() -> Value {
    json!({ "type": "image", "children": [{ "text": "" }] })
}

/// What two did at once, in each order of client ids: the lower one is the other's, then the one's.
fn come_to(value: &Value, mine: &[Value], theirs: &[Value]) -> [String; 2] {
    [true, false].map(|lower| {
        let mut docs = two(value, &[], lower);
        let mine: Vec<_> = mine.iter().filter_map(|each| edit(&mut docs[0], each)).collect();
        let theirs: Vec<_> = theirs.iter().filter_map(|each| edit(&mut docs[1], each)).collect();
        met(&mut docs, &mine, &theirs)
    })
}

/// A line was joined to a heading, long ago. What one types in it is in the heading, though another removes that: nobody knows
/// it as a line of its own any more.
#[test]
fn what_is_typed_in_what_was_joined_to_a_removed_heading_is_in_that_heading() {
    let heading = json!({ "type": "h", "children": [{ "text": "ab" }] });
    let removed = json!([{ "type": "remove_node", "path": [0], "node": heading }]);
    let typed = json!([{ "type": "insert_text", "path": [0, 0], "offset": 3, "text": "x" }]);
    let value = json!([heading, line("cd"), line("ef")]);
    comes_to(&value, &[join(&[1], 2)], &[removed], &[typed], "h[\"x\"] p[\"ef\"]");
}

/// The same, if the two were halves of one.
#[test]
fn what_is_typed_in_a_half_that_was_joined_and_removed_is_in_the_first_half() {
    let box_of = |text: &str| json!({ "type": "box", "children": [{ "text": text }] });
    let kind =
        json!([{ "type": "set_node", "path": [1], "properties": { "type": "p" }, "newProperties": { "type": "box" } }]);
    let merge = json!([
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "box" } },
        { "type": "merge_node", "path": [0, 1], "position": 2, "properties": {} },
    ]);
    let removed = json!([{ "type": "remove_node", "path": [0], "node": box_of("abcd") }]);
    let typed = json!([{ "type": "insert_text", "path": [0, 0], "offset": 3, "text": "x" }]);
    let value = json!([line("abcd"), line("ef")]);
    comes_to(&value, &[divide(&[0], 2), kind, merge], &[removed], &[typed], "p[\"x\"] p[\"ef\"]");
}

/// One joins a line, and divides it off again in the next flush; another moves it. If it is where that one has put it, nothing is
/// left where it was divided off.
#[test]
fn where_a_line_was_divided_off_again_no_empty_line_stays_if_another_moves_it() {
    let moved = json!([{ "type": "move_node", "path": [1], "newPath": [2] }]);
    let value = json!([line("ab"), line("cd"), line("ef")]);
    let all = come_to(&value, &[join(&[1], 2), divide(&[0], 2)], &[moved]);
    assert_eq!(all.map(|shown| shown.matches("p[").count()), [3, 3]);
}

/// Joined and divided off again at once, it is what it was.
#[test]
fn what_is_joined_and_divided_off_in_one_flush_is_the_same_line() {
    let moved = json!([{ "type": "move_node", "path": [1], "newPath": [2] }]);
    let value = json!([line("ab"), line("cd"), line("ef")]);
    let mine = both(join(&[1], 2), divide(&[0], 2));
    comes_to(&value, &[], &[mine], &[moved], "p[\"ab\"] p[\"ef\"] p[\"cd\"]");
}

/// A line is divided, and in the same flush its second half joined to another and the first removed: the line was joined.
#[test]
fn what_is_left_of_a_divided_line_is_joined_though_another_wraps_that_line() {
    let erased = json!([
        { "type": "remove_node", "path": [1, 0, 0], "node": line("bc") },
        { "type": "move_node", "path": [1, 0, 0], "newPath": [1] },
        { "type": "remove_node", "path": [2], "node": quote(&[quote(&[])]) },
        { "type": "merge_node", "path": [1], "position": 1, "properties": { "type": "p" } },
        { "type": "merge_node", "path": [0, 1], "position": 1, "properties": {} },
    ]);
    let wrapped = json!([
        { "type": "insert_node", "path": [1, 0], "node": { "type": "box", "children": [] } },
        { "type": "move_node", "path": [1, 1], "newPath": [1, 0, 0] },
    ]);
    let value = json!([line("a"), quote(&[quote(&[line("bcd")])]), line("e")]);
    let all = come_to(&value, &[both(divide(&[1, 0, 0], 2), erased)], &[wrapped]);
    for shown in all {
        assert!(shown.starts_with("p[\"ad\"]"), "{shown}");
    }
}

/// One takes a line off its text, which then stands bare in the quote; another puts images before and behind it.
#[test]
fn bare_text_between_voids_has_its_line_again() {
    let bare = json!([
        { "type": "move_node", "path": [0, 0, 0], "newPath": [0, 1] },
        { "type": "remove_node", "path": [0, 0], "node": { "type": "p", "children": [] } },
    ]);
    let images = json!([
        { "type": "insert_node", "path": [0, 0], "node": image() },
        { "type": "insert_node", "path": [0, 2], "node": image() },
    ]);
    let value = json!([quote(&[line("ab")])]);
    comes_to(&value, &[], &[bare], &[images], "q[image[\"\"] p[\"ab\"] image[\"\"]]");
}

/// In this document, which three have edited at once, a half of a line is in a transparent element that has a place of its own in
/// another half. What Enter divides off there can be moved, and nothing is written again for it, which others may be removing.
#[test]
fn what_enter_divides_off_a_transparent_element_with_a_place_can_be_moved() {
    let shown = |doc: &SlateDoc| {
        let shown = show(&canonical(&doc.read()));
        let is_new = |part: &&str| !part.starts_with("id=");
        shown.split('"').filter(is_new).collect::<Vec<_>>().concat().replace("[]", "")
    };
    let mut doc = empty(7);
    doc.load(include_bytes!("../../../tests/fixtures/half-with-a-place.bin")).expect("a document");
    assert_eq!(shown(&doc), "columns[column[p[且]] column[p[丐丑丒专]]] p[三丏上𠀎]");
    let enter = json!([
        { "type": "split_node", "path": [0, 1, 0, 0], "position": 2, "properties": {} },
        { "type": "split_node", "path": [0, 1, 0], "position": 1, "properties": { "type": "p" } },
    ]);
    edit(&mut doc, &enter);
    let moved = doc.apply_local(ops(&json!([{ "type": "move_node", "path": [0, 1, 1], "newPath": [0, 0, 0] }])));
    assert!(!moved.acts.iter().any(|act| matches!(act, Act::Delete { .. })), "{:?}", moved.acts);
    assert_eq!(shown(&doc), "columns[column[p[丒专] p[且]] column[p[丐丑]]] p[三丏上𠀎]");
}

/// One puts a container around several lines, another a new line behind the last of them: it stands behind the container.
#[test]
fn a_line_put_behind_the_last_of_several_that_are_wrapped_is_behind_their_container() {
    let value = json!([line("h"), line("ab"), line("cd"), line("ef"), line("gh")]);
    let new = json!([{ "type": "insert_node", "path": [4], "node": line("new") }]);
    let moved = |to: u32| json!([{ "type": "move_node", "path": [2], "newPath": [1, to] }]);
    let around = |node: Value| json!([{ "type": "insert_node", "path": [1], "node": node }]);
    let wrap = both(around(quote(&[])), both(moved(0), both(moved(1), moved(2))));
    let shown = r#"p["h"] q[p["ab"] p["cd"] p["ef"]] p["new"] p["gh"]"#;
    comes_to(&value, &[], std::slice::from_ref(&wrap), std::slice::from_ref(&new), shown);
    // Two containers, one in the other.
    let inner = json!([{ "type": "insert_node", "path": [1, 0], "node": quote(&[]) }]);
    let moved = |to: u32| json!([{ "type": "move_node", "path": [1, 1], "newPath": [1, 0, to] }]);
    let wrap = both(wrap, both(inner, both(moved(0), both(moved(1), moved(2)))));
    let shown = r#"p["h"] q[q[p["ab"] p["cd"] p["ef"]]] p["new"] p["gh"]"#;
    comes_to(&value, &[], &[wrap], &[new], shown);
}
