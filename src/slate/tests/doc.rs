//! The document as a whole: seeds, roots, ids, positions, what is foreign or malformed.

use serde_json::{Value, json};
use yrs::updates::decoder::Decode;
use yrs::{Any, Array, Assoc, Doc, Map, Out, ReadTxn, StateVector, Text, Transact, Update, XmlTextPrelim, XmlTextRef};

use super::fixtures::two_with;
use super::json::{node, nodes, op, ops};
use super::model::{apply_all, canonical};
use super::random::Editor;
use super::remote::p;
use crate::slate::{DocOptions, Op, Path, Point, SlateDoc, Sticky, UpdateError};

fn doc(client_id: u32) -> SlateDoc {
    SlateDoc::new(DocOptions {
        client_id,
        root: "content".into(),
        block_id: Some("id".into()),
        seed: 7,
        schema: Default::default(),
    })
}

// --- seeding

#[test]
fn f1_clients_that_seed_at_once_make_one_copy() {
    let value = nodes(&json!([
        {"type": "p", "id": 1, "children": [{"text": "a", "bold": true, "size": 0}, {"text": "b"}, {"text": "c", "i": false}]},
        {"type": "p", "id": 2, "children": [{"text": ""}]},
        {"children": [{"children": [{"text": "x"}, {"type": "link", "children": [{"text": "y"}]}, {"text": "", "q": 1}]}]},
    ]));
    let updates: Vec<_> = (0..5).map(|_| SlateDoc::seed_update("content", &value)).collect();
    assert!(updates.iter().all(|update| *update == updates[0]), "not a function of the content alone");
    let mut one = doc(5);
    for update in &updates {
        one.apply_update(update).expect("valid");
    }
    assert_eq!(canonical(&one.value()), canonical(&value));
    assert_eq!(canonical(&one.read()), canonical(&value));
    let other = SlateDoc::seed_update("content", &value[..1]);
    assert_ne!(other, updates[0]);
    let long: Vec<_> = (0..200).map(|n| node(&p(&format!("block {n}")))).collect();
    let mut two = doc(6);
    two.apply_update(&SlateDoc::seed_update("content", &long)).expect("valid");
    assert_eq!(two.value(), long);
}

#[test]
fn f3_an_empty_block_is_content_and_opening_writes_nothing() {
    let mut one = doc(1);
    assert!(one.is_empty());
    assert_eq!(one.state_vector(), [0]);
    one.apply_local(vec![Op::InsertNode { path: Path::from_slice(&[0]), node: node(&p("")) }]);
    assert!(!one.is_empty());
}

/// Elements within each other, in the innermost of `within`; returns that of the new ones.
fn nest(doc: &Doc, within: &XmlTextRef, levels: u32) -> XmlTextRef {
    let mut txn = doc.transact_mut();
    (0..levels).fold(within.clone(), |at, _| at.insert_embed(&mut txn, 0, XmlTextPrelim::new("")))
}

#[test]
fn what_is_nested_too_deep_is_cut_at_one_depth_whenever_it_comes() {
    let other = Doc::new();
    let text = other.get_or_insert_text("content");
    let inner = nest(&other, text.as_ref(), 60);
    let state = |doc: &Doc| doc.transact().encode_state_as_update_v1(&StateVector::default());
    let mut one = doc(1);
    one.load(&state(&other)).expect("valid");
    nest(&other, &inner, 60);
    one.apply_update(&state(&other)).expect("valid");
    let mut fresh = doc(2);
    fresh.load(&state(&other)).expect("valid");
    assert_eq!(canonical(&one.value()), canonical(&fresh.value()));
}

// --- the root

fn foreign(fill: impl Fn(&Doc)) -> SlateDoc {
    let other = Doc::new();
    fill(&other);
    let update = other.transact().encode_state_as_update_v1(&StateVector::default());
    let mut one = doc(1);
    one.load(&update).expect("valid");
    one
}

/// F4.
#[test]
fn f4_content_elsewhere_is_named() {
    let array = foreign(|doc| {
        let array = doc.get_or_insert_array("content");
        array.push_back(&mut doc.transact_mut(), yrs::MapPrelim::from([("type", "paragraph")]));
    });
    let error = array.check_root().expect_err("an array").to_string();
    assert!(error.contains("Y.Array"), "{error}");

    let renamed = foreign(|doc| {
        let text = doc.get_or_insert_text("slate");
        text.insert_embed(&mut doc.transact_mut(), 0, XmlTextPrelim::new("x"));
    });
    let error = renamed.check_root().expect_err("another name").to_string();
    assert!(error.contains("\"slate\""), "{error}");

    let fragment = foreign(|doc| {
        use yrs::XmlFragment;
        let fragment = doc.get_or_insert_xml_fragment("default");
        fragment.push_back(&mut doc.transact_mut(), yrs::XmlElementPrelim::empty("p"));
    });
    assert!(fragment.check_root().expect_err("a fragment").to_string().contains("Fragment"));

    for (map, expected) in [("content", "a Y.Map of that name"), ("editors", "\"editors\"")] {
        let nested = foreign(|doc| {
            let map = doc.get_or_insert_map(map);
            let mut txn = doc.transact_mut();
            let text = map.insert(&mut txn, "chapter 1", XmlTextPrelim::new(""));
            text.insert_embed(&mut txn, 0, XmlTextPrelim::new("x"));
        });
        let error = nested.check_root().expect_err("one of several in a map").to_string();
        assert!(error.contains(expected) && error.contains("\"chapter 1\""), "{error}");
    }

    let comments = foreign(|doc| {
        let comments = doc.get_or_insert_array("comments");
        comments.push_back(&mut doc.transact_mut(), "hello");
        doc.get_or_insert_map("meta").insert(&mut doc.transact_mut(), "title", "x");
    });
    assert_eq!(comments.check_root(), Ok(()), "an application's own data is no mismatch");
    assert_eq!(doc(1).check_root(), Ok(()));
}

// --- ids

#[test]
fn f12_a_split_gives_the_new_block_an_id_of_its_own() {
    for properties in [json!({"type": "p", "id": "a"}), json!({"type": "p"})] {
        let mut one = doc(1);
        let mut value = nodes(&json!([{"type": "p", "id": "a", "children": [{"text": "text"}]}]));
        one.apply_local(vec![Op::InsertNode { path: Path::from_slice(&[0]), node: value[0].clone() }]);
        let enter = ops(&json!([
            {"type": "split_node", "path": [0, 0], "position": 1, "properties": {}},
            {"type": "split_node", "path": [0], "position": 1, "properties": properties},
            {"type": "insert_node", "path": [0], "node": p("before")},
        ]));
        apply_all(&mut value, &enter);
        let change = one.apply_local(enter);
        assert!(matches!(change.ops.as_slice(), [Op::SetNode { path, .. }] if path.as_slice() == [2]), "{change:?}");
        apply_all(&mut value, &change.ops);
        assert_eq!(one.value(), value);
        let ids: Vec<_> = value[1..]
            .iter()
            .map(|node| match node {
                crate::slate::Node::Element(element) => element.attrs.get("id").cloned(),
                crate::slate::Node::Text(_) => None,
            })
            .collect();
        assert!(ids[0] == Some(Any::from("a")) && ids[1].is_some() && ids[0] != ids[1], "{ids:?}");
    }
    // An editor that gives ids itself is left alone, and so are blocks without.
    let mut one = doc(1);
    one.apply_local(ops(
        &json!([{"type": "insert_node", "path": [0], "node": {"id": "a", "children": [{"text": "xy"}]}}]),
    ));
    let own = json!([{"type": "split_node", "path": [0], "position": 1, "properties": {"id": "b"}}]);
    assert_eq!(one.apply_local(ops(&own)).ops, []);
}

// --- what does not fit

#[test]
fn f11_operations_that_do_not_fit_are_refused_and_change_nothing() {
    let (mut one, _) = two_with(&nodes(&json!([p("a😀b"), p("x")])));
    let before = (one.doc.value(), one.doc.state_vector());
    let bad = json!([
        {"type": "insert_text", "path": [7, 0], "offset": 0, "text": "x"},
        {"type": "insert_text", "path": [0], "offset": 0, "text": "x"},
        {"type": "insert_node", "path": [0, 0, 0], "node": {"text": "x"}},
        {"type": "remove_node", "path": [2], "node": p("x")},
        {"type": "remove_node", "path": [], "node": p("x")},
        {"type": "set_node", "path": [], "properties": {}, "newProperties": {"a": 1}},
        {"type": "set_node", "path": [0], "properties": {}, "newProperties": {"children": 1}},
        {"type": "merge_node", "path": [0], "position": 1, "properties": {}},
        {"type": "merge_node", "path": [0, 0], "position": 1, "properties": {}},
        {"type": "move_node", "path": [0], "newPath": [0, 0]},
    ]);
    let bad = ops(&bad);
    let change = one.doc.apply_local(bad.clone());
    assert_eq!(change.rejected.len(), bad.len(), "{:?}", change.rejected);
    assert_eq!((change.update, change.inverse), (None, vec![]));
    assert_eq!((one.doc.value(), one.doc.state_vector()), before);
}

/// As Slate does it; and it can be taken back.
#[test]
fn what_is_past_an_end_is_at_the_end_and_taken_back() {
    let all = json!([
        {"type": "insert_text", "path": [0, 0], "offset": 5, "text": "x"},
        {"type": "insert_text", "path": [0, 0], "offset": 2, "text": "x"},
        {"type": "remove_text", "path": [0, 0], "offset": 1, "text": "xyz"},
        {"type": "remove_text", "path": [0, 0], "offset": 3, "text": "too long"},
        {"type": "insert_node", "path": [5], "node": p("x")},
        {"type": "split_node", "path": [0, 0], "position": 2, "properties": {}},
        {"type": "split_node", "path": [0], "position": 2, "properties": {}},
        {"type": "move_node", "path": [0], "newPath": [2]},
    ]);
    for op in ops(&all) {
        let (mut one, _) = two_with(&nodes(&json!([p("a😀b"), p("x")])));
        let before = one.doc.value();
        let change = one.doc.apply_local(vec![op.clone()]);
        assert_eq!(change.rejected, [], "{op:?}");
        assert_ne!(one.doc.value(), before, "{op:?}");
        assert_eq!(canonical(&one.doc.value()), canonical(&one.doc.read()), "{op:?}");
        one.doc.apply_local(change.inverse);
        assert_eq!(canonical(&one.doc.value()), canonical(&before), "{op:?}");
    }
}

#[test]
fn f23_bytes_that_are_no_update_are_an_error() {
    let (mut one, _) = two_with(&nodes(&json!([p("a")])));
    let before = one.doc.value();
    for bytes in [&[][..], &[1], &[255; 40], b"hello", &[1, 1, 5, 0, 4]] {
        assert!(one.doc.apply_update(bytes).is_err(), "{bytes:?}");
    }
    assert_eq!(one.doc.value(), before);
}

#[test]
fn an_update_that_came_too_early_takes_effect_later() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("a")])));
    let first = one.edit(ops(&json!([{"type": "insert_node", "path": [1], "node": p("b")}]))).expect("update");
    let second =
        one.edit(ops(&json!([{"type": "insert_text", "path": [1, 0], "offset": 1, "text": "c"}]))).expect("update");
    let early = two.doc.apply_update(&second).expect("valid");
    assert_eq!((early.ops.len(), early.changed, early.pending), (0, false, true));
    let state = two.doc.encode_state(None).expect("state");
    let both = two.doc.apply_update(&first).expect("valid");
    assert!(both.changed && !both.pending);
    apply_all(&mut two.value, &both.ops);
    assert_eq!(two.value, one.value);
    // What waited was in the state too.
    let mut three = doc(3);
    three.load(&state).expect("valid");
    three.load(&first).expect("valid");
    assert_eq!(three.value(), one.value);
}

/// What several tabs have left: snapshots behind what follows them, one unreadable, one missing for a while.
#[test]
fn a_log_gives_the_same_in_any_order() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("a"), p("b")])));
    let mut updates = vec![one.doc.encode_state(None).expect("state")];
    for at in 0..700_u32 {
        let (author, peer) = if at % 3 == 0 { (&mut two, &mut one) } else { (&mut one, &mut two) };
        let mut edit = ops(&json!([{"type": "insert_text", "path": [at % 2, 0], "offset": 0, "text": "x"}]));
        if at % 50 == 49 {
            let last = Op::RemoveNode { path: Path::from_slice(&[1]), node: author.value[1].clone() };
            edit = vec![last, Op::InsertNode { path: Path::from_slice(&[0]), node: node(&p("new")) }];
        }
        let update = author.edit(edit).expect("update");
        peer.receive(&update);
        updates.push(update);
        if at % 200 == 100 {
            updates.push(one.doc.encode_state(None).expect("state"));
        }
    }
    let whole = one.doc.encode_state(None).expect("state");
    let mut rng = fastrand::Rng::with_seed(3);
    for round in 0..20 {
        let mut rows: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
        if round > 0 {
            rng.shuffle(&mut rows);
        }
        let bad = rng.usize(..rows.len());
        rows.insert(bad, &[9, 9, 9]);
        let held_back = if round % 2 == 1 { Some(rows.remove((bad + 1) % rows.len())) } else { None };
        let mut three = doc(3);
        let (read, foreign) = three.load_all(&rows);
        assert_eq!(foreign, 0);
        let unread: Vec<&[u8]> = rows.iter().zip(read).filter(|(_, read)| !read).map(|(row, _)| *row).collect();
        assert_eq!(unread, [[9, 9, 9]], "round {round}");
        if let Some(update) = held_back {
            three.load(update).expect("valid");
        }
        assert!(!three.is_waiting(), "round {round}");
        assert_eq!(three.value(), three.read());
        assert_eq!(canonical(&three.value()), canonical(&one.value), "round {round}");
        assert_eq!(three.encode_state(None).expect("state"), whole, "round {round}");
    }
}

#[test]
fn foreign_embeds_stay_in_the_doc_and_out_of_the_value() {
    let mut one = Editor::new(1);
    let first = one.edit(ops(&json!([{"type": "insert_node", "path": [0], "node": p("abcd")}]))).expect("update");
    // Another program puts an image embed between "ab" and "cd".
    let other = Doc::with_options(yrs::Options { offset_kind: yrs::OffsetKind::Utf16, ..Default::default() });
    let root = other.get_or_insert_text("content");
    other.transact_mut().apply_update(Update::decode_v1(&first).expect("valid")).expect("applies");
    let block = |doc: &Doc| -> XmlTextRef {
        let txn = doc.transact();
        match root.diff(&txn, yrs::types::text::YChange::identity).remove(0).insert {
            Out::YXmlText(block) => block,
            other => panic!("{other:?}"),
        }
    };
    let embed = Any::from_json(r#"{"image":"x.png"}"#).expect("JSON");
    block(&other).insert_embed(&mut other.transact_mut(), 2, embed);
    let change = {
        let sv = StateVector::decode_v1(&one.doc.state_vector()).expect("sv");
        let update = other.transact().encode_diff_v1(&sv);
        one.doc.apply_update(&update).expect("valid")
    };
    assert_eq!((change.ops.len(), change.foreign), (0, 1));
    // Editing around it hits the right places and leaves it alone.
    one.edit(ops(&json!([
        {"type": "insert_text", "path": [0, 0], "offset": 3, "text": "X"},
        {"type": "remove_text", "path": [0, 0], "offset": 1, "text": "bc"},
        {"type": "set_node", "path": [0, 0], "properties": {}, "newProperties": {"bold": true}},
    ])));
    assert_eq!(
        canonical(&one.doc.read()),
        nodes(&json!([{"type": "paragraph", "children": [{"text": "aXd", "bold": true}]}]))
    );
    let state = one.doc.encode_state(None).expect("state");
    other.transact_mut().apply_update(Update::decode_v1(&state).expect("valid")).expect("applies");
    let embeds = block(&other).diff(&other.transact(), yrs::types::text::YChange::identity);
    assert!(embeds.iter().any(|diff| matches!(diff.insert, Out::Any(Any::Map(_)))), "the embed is gone: {embeds:?}");
}

// --- positions

fn at(path: &[u32], offset: u32) -> Point {
    Point { path: Path::from_slice(path), offset }
}

#[test]
fn positions_stay_with_their_characters_and_survive_json() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("a😀b"), p(""), p("z")])));
    let points = [at(&[0, 0], 0), at(&[0, 0], 1), at(&[0, 0], 3), at(&[0, 0], 4), at(&[1, 0], 0), at(&[2, 0], 1)];
    let mut kept = Vec::new();
    for point in &points {
        for assoc in [Assoc::After, Assoc::Before] {
            let sticky = one.doc.sticky(point, assoc).expect("a position");
            let any = Any::from_json(&sticky.to_json()).expect("JSON");
            let Any::Map(map) = &any else { panic!("not an object") };
            assert!(["type", "tname", "item", "assoc"].iter().all(|key| map.contains_key(*key)), "{any:?}");
            assert_eq!(Sticky::from_any(&any).as_ref(), Some(&sticky));
            assert_eq!(two.doc.resolve(&sticky).as_ref(), Some(point), "{assoc:?}");
            kept.push((sticky, point.clone()));
        }
    }
    let update = two
        .edit(ops(&json!([
            {"type": "insert_node", "path": [0], "node": p("new")},
            {"type": "insert_text", "path": [1, 0], "offset": 0, "text": "__"},
        ])))
        .expect("update");
    one.receive(&update);
    for (sticky, point) in kept {
        let shift = if point.path[0] == 0 { 2 } else { 0 };
        let start_before = point.path[0] == 0
            && point.offset == 0
            && sticky.to_json() == one.doc.sticky(&at(&[1, 0], 0), Assoc::Before).expect("p").to_json();
        let expected = at(&[point.path[0] + 1, 0], if start_before { 0 } else { point.offset + shift });
        assert_eq!(one.doc.resolve(&sticky), Some(expected), "{point:?} {sticky:?}");
    }
    assert_eq!(one.doc.sticky(&at(&[9, 0], 0), Assoc::After), None);
    assert_eq!(one.doc.sticky(&at(&[1, 0], 99), Assoc::After), None);
}

#[test]
fn a_position_as_yjs_writes_it_is_read() {
    let (one, _) = two_with(&nodes(&json!([p("abc")])));
    let of = |value: Value| Sticky::from_any(&Any::from_json(&value.to_string()).expect("JSON"));
    let sticky = one.doc.sticky(&at(&[0, 0], 1), Assoc::After).expect("a position");
    let Ok(Any::Map(map)) = Any::from_json(&sticky.to_json()) else { panic!() };
    let short = Any::Map(std::sync::Arc::new([("item".to_owned(), map["item"].clone())].into()));
    assert_eq!(Sticky::from_any(&short), Some(sticky));
    assert!(of(json!({"tname": "content", "assoc": -1})).is_some());
    for bad in [json!(null), json!({}), json!({"item": 5}), json!({"item": {"client": -1, "clock": 0}}), json!([])] {
        assert_eq!(of(bad.clone()), None, "{bad}");
    }
    let unknown = of(json!({"item": {"client": 99, "clock": 4}})).expect("well formed");
    assert_eq!(one.doc.resolve(&unknown), None);
}

// --- identity

#[test]
fn another_client_id_keeps_the_value_with_its_empty_texts() {
    let (mut one, mut two) = two_with(&nodes(&json!([p("a"), p("b")])));
    one.edit(vec![op(&json!({"type": "split_node", "path": [0, 0], "position": 1, "properties": {"bold": true}}))]);
    assert!(one.doc.knows_client(1) && !one.doc.knows_client(9));
    one.doc = one.doc.with_client_id(9);
    assert_eq!((one.doc.client_id(), one.doc.value()), (9, one.value.clone()));
    let update =
        one.edit(ops(&json!([{"type": "insert_text", "path": [1, 0], "offset": 1, "text": "!"}]))).expect("update");
    two.receive(&update);
    assert_eq!(canonical(&two.value), canonical(&one.value));
    assert!(one.doc.knows_client(9));
}

#[test]
fn numbers_are_written_as_yjs_writes_them() {
    let mut one = doc(1);
    let big = json!([{"type": "insert_node", "path": [0], "node": {"n": 1e300, "i": 9007199254740993i64, "f": 2.0, "o": {"a": [3.0, 12345678901234567i64]},
        "children": [{"text": "x", "size": 9007199254740995i64}]}}]);
    let update = one.apply_local(ops(&big)).update.expect("update");
    // 122 is lib0's BigInt; as a value it follows the item's header, so look at what comes back instead of the bytes.
    let mut two = doc(2);
    two.apply_update(&update).expect("valid");
    fn no_big(any: &Any) -> bool {
        match any {
            Any::Number(yrs::Number::Int(n)) => n.unsigned_abs() <= 1 << 53,
            Any::Array(list) => list.iter().all(no_big),
            Any::Map(map) => map.values().all(no_big),
            _ => true,
        }
    }
    let crate::slate::Node::Element(element) = &two.value()[0] else { panic!() };
    assert!(element.attrs.values().all(no_big), "{:?}", element.attrs);
}

/// yrs keeps 53 bits of a client id: 2^60 + 8 would be taken for 8, whose edits these are not. 2^33 + 8 is an id, and another.
#[test]
fn client_ids_of_more_than_53_bits_are_no_ids() {
    let by = |client: u64| {
        let mut id = Vec::new();
        crate::protocol::lib0::var_uint(&mut id, client);
        // A letter in the root; and the deletion of the first that this one wrote.
        let letter = [&[1, 1][..], &id, &[0, 4, 1, 7], b"content", &[1, b'x', 0]].concat();
        [letter, [&[0, 1][..], &id, &[1, 0, 1]].concat()]
    };
    for format in [0, 1] {
        let mut author = doc(8);
        author.raise_format(format);
        author.apply_local(vec![Op::InsertNode { path: Path::from_slice(&[0]), node: node(&p("text")) }]);
        let (state, value) = (author.encode_state(None).expect("encodes"), author.value());
        for update in &by((1 << 60) + 8) {
            let mut one = doc(5);
            one.load(&state).expect("valid");
            let malformed = |result| matches!(result, Err(UpdateError::Malformed(_)));
            assert!(malformed(one.apply_update(update).map(drop)));
            assert!(malformed(one.apply_unheard(update).map(drop)));
            assert!(malformed(one.load(update).map(drop)));
            assert_eq!(one.load_all(&[update, &state]).0, [false, true]);
            assert_eq!((one.value(), one.clock_of(8)), (value.clone(), author.clock_of(8)));
            let mut empty = doc(6);
            assert_eq!(empty.load_all(&[update, &state]).0, [false, true]);
            assert_eq!(empty.value(), value);
        }
        let mut one = doc(5);
        one.load(&state).expect("valid");
        for update in by((1 << 33) + 8).iter().rev() {
            one.apply_update(update).expect("an id");
            assert_eq!(one.clock_of(8), author.clock_of(8));
        }
        let whole = one.encode_state(None).expect("encodes");
        let mut other = doc(6);
        other.load(&whole).expect("valid");
        assert_eq!(other.value(), one.value());
    }
}
