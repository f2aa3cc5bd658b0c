use super::*;
use crate::awareness::{self, ClientState};

fn presence(name: &str) -> yrs::Any {
    yrs::Any::from_json(&format!(r#"{{"name":"{name}"}}"#)).unwrap()
}

fn caret(index: u32, offset: u32) -> Range {
    let point = Point { path: path(&[index, 0]), offset };
    Range { anchor: point.clone(), focus: point }
}

fn awareness_of(rig: &mut Rig) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for frame in rig.frames() {
        for message in messages(&frame) {
            if let Message::Awareness(update) = message.unwrap() {
                found.push(update.to_vec());
            }
        }
    }
    found
}

/// F5: a session has one document; what it is told of others does not exist.
#[test]
fn f5_a_session_keeps_to_its_document() {
    let store = MemoryStore::new();
    for n in 0..100 {
        let mut rig = Rig::open(Config { document: format!("d{n}"), ..config(&format!("s{n}"), 5) }, store.clone());
        rig.type_block("x");
        rig.feed(Input::Close);
        assert!(rig.take().contains(&Output::Ended));
    }
}

/// Queued edits are in the document before a remote change is, and one input gives one batch.
#[test]
fn f7_local_edits_come_first_and_do_not_echo() {
    let mut rig = Rig::new();
    rig.durable();
    rig.feed(Input::Edit(Op::InsertNode { path: path(&[0]), node: block("mine") }));
    let mut frame = Message::Update(&foreign(&[block("theirs")])).to_frame();
    Message::Update(&[0, 0]).encode(&mut frame);
    rig.take();
    rig.feed(Input::Frame(frame));
    let batches: Vec<_> = rig.take().into_iter().filter(|out| matches!(out, Output::Operations { .. })).collect();
    let [Output::Operations { origin: Origin::Remote, ops }] = &batches[..] else { panic!("{batches:?}") };
    assert_eq!(ops.len(), 1);
    assert_eq!(rig.session.value().len(), 2);
}

/// Nobody listens: no operations are made, the value is there all the same. From `hear` on, each change is told.
#[test]
fn operations_are_made_for_those_who_listen() {
    let mut rig = Rig::new();
    rig.durable();
    rig.session.unheard();
    rig.feed(Input::ApplyUpdate(foreign(&[block("theirs")])));
    rig.type_block("mine");
    let operations =
        |rig: &mut Rig| rig.take().into_iter().filter(|out| matches!(out, Output::Operations { .. })).count();
    assert_eq!(operations(&mut rig), 0);
    assert_eq!(rig.session.value(), [block("mine"), block("theirs")]);
    assert_eq!(rig.session.blocks().collect::<Vec<_>>(), rig.session.value());
    rig.session.hear();
    rig.feed(Input::Undo);
    assert_eq!(operations(&mut rig), 1);
    assert_eq!(rig.session.value(), [block("theirs")]);
}

/// F27, F8: a peer comes, moves with the text, stays the same silently, leaves.
#[test]
fn f27_peers_come_move_and_leave() {
    let mut one = Rig::open(Config { presence: Some(presence("one")), ..config("s", 5) }, MemoryStore::new());
    one.durable();
    one.type_block("hello");
    one.frame(Message::Ack { seq: 1 });
    one.feed(Input::Select(Some(caret(0, 5))));
    one.pass(60);
    let state = one.session.encode_state(None).unwrap();
    let update = awareness_of(&mut one).pop().expect("sent");

    let mut two = Rig::open(Config { presence: Some(presence("two")), ..config("t", 6) }, MemoryStore::new());
    two.durable();
    two.frame(Message::Update(&state));
    two.take();
    two.frame(Message::Awareness(&update));
    assert!(two.take().contains(&Output::Peers));
    let peer = two.session.peers()[0].clone();
    assert_eq!((peer.client_id, peer.presence, peer.selection), (5, presence("one"), Some(caret(0, 5))));
    two.frame(Message::Awareness(&update));
    assert!(!two.take().contains(&Output::Peers), "nothing new");
    two.type_block("above");
    assert!(two.take().contains(&Output::Peers));
    assert_eq!(two.session.peers()[0].selection, Some(caret(1, 5)));
    two.feed(Input::Closed { code: 1006, reason: String::new() });
    assert_eq!(two.session.peers(), []);
    two.feed(Input::Connect);
    two.durable();
    two.frame(Message::Awareness(&update));
    assert_eq!(two.session.peers().len(), 1, "at once, with the clock it had");
    two.feed(Input::Disconnect);
    assert_eq!(two.session.peers(), [], "also for who leaves");
    two.feed(Input::Connect);
    two.durable();
    two.frame(Message::Awareness(&update));
    two.pass(29_000);
    two.frame(Message::Ping);
    two.pass(1_500);
    assert_eq!(two.session.peers(), [], "expired");
}

/// F8: the same selection is sent once, many in a row as one, and a live state is renewed.
#[test]
fn f8_presence_is_sent_when_it_changes() {
    let mut rig = Rig::open(Config { presence: Some(presence("one")), ..config("s", 5) }, MemoryStore::new());
    rig.durable();
    rig.type_block("hello");
    rig.pass(5_000);
    rig.take();
    for offset in [1, 2, 3, 3, 3] {
        rig.feed(Input::Select(Some(caret(0, offset))));
    }
    rig.pass(49);
    assert!(awareness_of(&mut rig).len() <= 2);
    rig.pass(60);
    rig.take();
    rig.feed(Input::Select(Some(caret(0, 3))));
    rig.pass(1_000);
    assert_eq!(awareness_of(&mut rig).len(), 0, "nothing has changed");
    rig.frame(Message::Pong);
    rig.pass(14_500);
    assert_eq!(awareness_of(&mut rig).len(), 1, "renewed");
    rig.feed(Input::Close);
    let farewell = awareness_of(&mut rig).pop().unwrap();
    assert_eq!(awareness::decode(&farewell).unwrap()[0].state, None);
}

#[test]
fn a_client_id_that_a_peer_uses_is_given_up() {
    let mut rig = Rig::open(Config { presence: Some(presence("one")), ..config("s", 5) }, MemoryStore::new());
    rig.durable();
    rig.type_block("mine");
    let clash = ClientState { client_id: 5, clock: 1_000, state: Some("{\"data\":{}}".into()) };
    rig.frame(Message::Awareness(&awareness::encode([clash])));
    assert_ne!(rig.session.client_id(), 5);
    rig.type_block("again");
    assert_eq!(rig.session.value().len(), 2);
    assert_eq!(rig.session.peers()[..], [], "not heard of again yet");
}

#[test]
fn undo_is_an_edit_like_any_other() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("x");
    assert!(rig.session.can_undo());
    rig.take();
    rig.feed(Input::Undo);
    assert_eq!(rig.session.value(), []);
    let outputs = rig.take();
    assert!(outputs.iter().any(|out| matches!(out, Output::Operations { origin: Origin::Undo, .. })));
    assert!(outputs.iter().any(|out| matches!(out, Output::Update { origin: Origin::Undo, .. })));
    assert_eq!(rig.status().pending, 2);
    rig.feed(Input::Redo);
    assert_eq!(rig.session.value(), [block("x")]);
}

#[test]
fn an_operation_that_does_not_fit_is_reported() {
    let mut rig = Rig::new();
    rig.feed(Input::Edit(Op::InsertText { path: path(&[7, 0]), offset: 0, text: "x".into() }));
    rig.feed(Input::Flush);
    assert!(rig.take().contains(&Output::Diverged));
    assert_eq!(rig.status().error.as_ref().unwrap().code, ErrorCode::InvalidUpdate);
}

#[test]
fn the_local_copy_can_be_deleted_but_not_by_mistake() {
    let mut rig = Rig::new();
    rig.type_block("only here");
    rig.feed(Input::DeleteLocal { discard_pending: false });
    assert_eq!(rig.store.peek("d").outbox.len(), 1);
    rig.feed(Input::DeleteLocal { discard_pending: true });
    rig.type_block("more");
    assert_eq!(rig.store.peek("d"), Loaded::default());
    assert_eq!((rig.status().storage, rig.status().saved), (DeviceStorage::Memory, Saved::Memory));
}

/// A comment covers what it covered: not what is written behind or before it.
#[test]
fn an_anchor_does_not_grow() {
    let mut rig = Rig::new();
    rig.type_block("a word");
    let range = |from: u32, to: u32| Range {
        anchor: Point { path: path(&[0, 0]), offset: from },
        focus: Point { path: path(&[0, 0]), offset: to },
    };
    let anchors: Vec<_> =
        [(2, 6), (6, 2), (2, 2)].iter().map(|&(a, b)| rig.session.anchor(&range(a, b)).unwrap()).collect();
    for (offset, text) in [(6, " more"), (2, "long ")] {
        rig.feed(Input::Edit(Op::InsertText { path: path(&[0, 0]), offset, text: text.into() }));
    }
    rig.feed(Input::Flush);
    let now: Vec<_> = anchors.iter().map(|anchor| rig.session.resolve_anchor(anchor)).collect();
    assert_eq!(now, [Some(range(7, 11)), Some(range(11, 7)), Some(range(7, 7))]);
}

/// What slate-yjs has stored: JSON, bytes in Base64, or an attribute of the root.
#[test]
fn positions_stored_by_slate_yjs_are_resolved() {
    use yrs::updates::decoder::Decode;
    use yrs::updates::encoder::Encode;
    use yrs::{Any, Assoc, Doc, Out, Text, Transact, Update, Xml, XmlTextRef};
    let mut rig = Rig::new();
    let other = Doc::with_client_id(77);
    let text = other.get_or_insert_text("content");
    let root: &XmlTextRef = text.as_ref();
    let update = foreign(&[block("a word")]);
    other.transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
    let bytes = {
        use yrs::IndexedSequence;
        let mut txn = other.transact_mut();
        let Out::YXmlText(line) = text.diff(&txn, yrs::types::text::YChange::identity).remove(0).insert else {
            panic!()
        };
        let bytes = line.sticky_index(&txn, 2, Assoc::After).unwrap().encode_v1();
        root.insert_attribute(&mut txn, "__slateYjsStoredPosition_k", Any::from(bytes.clone()));
        bytes
    };
    let state = yrs::ReadTxn::encode_state_as_update_v1(&other.transact(), &yrs::StateVector::default());
    rig.feed(Input::ApplyUpdate(state));
    let point = Point { path: path(&[0, 0]), offset: 2 };
    let expected = Some(Range { anchor: point.clone(), focus: point });

    assert_eq!(rig.session.resolve_anchor("__slateYjsStoredPosition_k"), expected);
    assert_eq!(rig.session.resolve_anchor(&base64(&bytes)), expected);
    let json = rig.session.anchor(expected.as_ref().unwrap()).unwrap();
    let Ok(Any::Map(map)) = Any::from_json(&json) else { panic!() };
    let mut one = String::new();
    map["anchor"].to_json(&mut one);
    assert_eq!(rig.session.resolve_anchor(&one), expected);
    for bad in ["", "__slateYjsStoredPosition_other", "{}", "?", "AAAA"] {
        assert_eq!(rig.session.resolve_anchor(bad), None, "{bad}");
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, &byte| n << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(n >> (18 - 6 * at)) as usize & 63] as char;
            out.push(if at > chunk.len() { '=' } else { letter });
        }
    }
    out
}

/// While a word is being composed nothing comes between its letters; it comes when the word is finished, or after a while.
#[test]
fn what_comes_from_elsewhere_waits_for_the_word_that_is_being_composed() {
    let mut rig = Rig::new();
    rig.durable();
    rig.frame(Message::SyncStep2(&foreign(&[block("one")])));
    rig.take();
    rig.feed(Input::Composing(true));
    rig.frame(Message::Update(&foreign(&[block("two")])));
    let tab = foreign(&[block("three")]);
    rig.feed(Input::TabUpdate { update: tab, epoch: Some("e".into()), kept: true });
    rig.feed(Input::Edit(Op::InsertText { path: path(&[0, 0]), offset: 3, text: "x".into() }));
    rig.feed(Input::Flush);
    assert_eq!(rig.session.value(), [block("onex")]);
    rig.frame(Message::Ack { seq: 1 });
    assert_eq!(rig.status().saved, Saved::Server);
    rig.feed(Input::Composing(false));
    assert_eq!(rig.session.value().len(), 3);
    // Who never finishes hears of it all the same, and of what follows at once.
    rig.feed(Input::Composing(true));
    rig.frame(Message::Update(&foreign(&[block("four")])));
    assert_eq!(rig.session.value().len(), 3);
    rig.pass(6_000);
    assert_eq!(rig.session.value().len(), 4);
    rig.frame(Message::Update(&foreign(&[block("five")])));
    assert_eq!(rig.session.value().len(), 5);
}
