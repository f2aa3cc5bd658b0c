//! What a server does not take.

use super::*;

/// F16: set aside, counted, exportable; the rest flows. What stands upon it, or was made behind it under the same client
/// id, would wait for it for ever wherever it is sent: it is not called acknowledged.
#[test]
fn f16_what_is_refused_is_kept() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("before");
    let before = rig.session.encode_state(None).unwrap();
    rig.type_block("refused");
    rig.type_block("behind");
    let first = rig.session.client_id();
    assert_eq!(rig.sent().len(), 3);
    rig.frame(Message::Ack { seq: 1 });
    rig.frame(Message::Reject { seq: 2, code: RejectCode::Invalid, message: "no" });
    assert_ne!(rig.session.client_id(), first);
    rig.frame(Message::Ack { seq: 3 });
    assert_eq!((rig.status().pending, rig.status().set_aside), (0, 2));
    let mut other = Rig::open(config("t", 6), MemoryStore::new());
    other.feed(Input::ApplyUpdate(before));
    other.feed(Input::ApplyUpdate(rig.session.export_pending().unwrap()));
    assert_eq!(other.session.value(), [block("behind"), block("refused"), block("before")]);
    // Beside what everyone has: the rest flows.
    rig.feed(Input::Edit(Op::InsertNode { path: path(&[3]), node: block("free") }));
    rig.feed(Input::Flush);
    assert_eq!(rig.sent(), ["submit 4"]);
    rig.frame(Message::Ack { seq: 4 });
    // Within what is refused: it is not sent.
    rig.feed(Input::Edit(Op::InsertText { path: path(&[1, 0]), offset: 0, text: "more ".into() }));
    rig.feed(Input::Flush);
    assert_eq!(rig.sent(), Vec::<String>::new());
    assert_eq!((rig.status().pending, rig.status().set_aside, rig.status().saved), (0, 3, Saved::Local));
    assert_eq!(rig.store.peek("d").set_aside.len(), 3);
    // Whoever opens the document next knows it as well.
    let mut again = Rig::open(config("u", 7), rig.store.clone());
    again.durable();
    again.feed(Input::Edit(Op::InsertText { path: path(&[1, 0]), offset: 0, text: "still ".into() }));
    again.feed(Input::Flush);
    assert_eq!((again.sent(), again.status().set_aside), (vec![], 4));
}

/// Also what a server does not even decode, such as a value that is nested too deeply, is missing there, and with it all
/// that the same client would write after it.
#[test]
fn f16_what_follows_an_edit_that_no_server_reads_is_not_called_saved() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("before");
    rig.frame(Message::Ack { seq: 1 });
    let deep = format!("{}0{}", "[".repeat(100), "]".repeat(100));
    let properties = Attrs::from([("k".into(), yrs::Any::from_json(&deep).unwrap())]);
    rig.feed(Input::Edit(Op::SetNode { path: path(&[0]), properties: Attrs::new(), new_properties: properties }));
    rig.feed(Input::Flush);
    let first = rig.session.client_id();
    rig.frame(Message::Reject { seq: 2, code: RejectCode::Invalid, message: "values are nested too deeply" });
    assert_eq!(rig.status().set_aside, 1);
    assert_ne!(rig.session.client_id(), first, "what follows can be without it");
    rig.take();
    rig.feed(Input::Edit(Op::InsertText { path: path(&[0, 0]), offset: 6, text: " and after".into() }));
    rig.feed(Input::Flush);
    assert_eq!(rig.sent(), ["submit 3"]);
}

/// The server lacks what it refuses, and says so whenever it is asked. It is not sent it again.
#[test]
fn f16_what_is_refused_is_not_sent_again() {
    for durable in [true, false] {
        let mut rig = Rig::new();
        rig.durable();
        rig.type_block("refused");
        rig.frame(Message::Reject { seq: 1, code: RejectCode::Invalid, message: "no" });
        rig.feed(Input::Edit(Op::InsertNode { path: path(&[1]), node: block("beside") }));
        rig.feed(Input::Flush);
        for _ in 0..3 {
            rig.feed(Input::Closed { code: 1006, reason: String::new() });
            rig.feed(Input::Connect);
            rig.feed(Input::Opened);
            rig.take();
            if durable {
                rig.frame(Message::Hello(Hello { max_update_bytes: 256, ..hello("e", 1) }));
            }
            rig.frame(Message::SyncStep1(&[0]));
            let mut reader = Rig::open(config("r", 9), MemoryStore::new());
            for output in rig.take() {
                let Output::Send(frame) = output else { continue };
                for message in messages(&frame) {
                    match message.unwrap() {
                        Message::SyncStep2(update) | Message::Update(update) => {
                            reader.feed(Input::ApplyUpdate(update.to_vec()));
                        }
                        Message::Submit { .. } => panic!("sent again"),
                        _ => {}
                    }
                }
            }
            assert_eq!(reader.session.value(), []);
        }
        assert_eq!(rig.status().set_aside, 2);
    }
}

/// A seq that was on a wire means one update for ever: the server may have that update, and say so. What remains of one
/// that was sent is submitted under another, before what comes after it.
#[test]
fn what_remains_of_a_sent_update_gets_a_seq_of_its_own() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("before");
    rig.frame(Message::Ack { seq: 1 });
    rig.type_block("refused");
    rig.feed(Input::Edit(Op::InsertText { path: path(&[0, 0]), offset: 0, text: "in ".into() }));
    rig.feed(Input::Edit(Op::RemoveText { path: path(&[1, 0]), offset: 0, text: "be".into() }));
    rig.feed(Input::Flush);
    assert_eq!(rig.sent(), ["submit 1", "submit 2", "submit 3"]);
    rig.frame(Message::Reject { seq: 2, code: RejectCode::Invalid, message: "no" });
    assert_eq!((rig.sent(), rig.status().pending, rig.status().set_aside), (vec!["submit 4".into()], 1, 2));
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.feed(Input::Edit(Op::InsertNode { path: path(&[2]), node: block("beside") }));
    rig.feed(Input::Flush);
    // A tab that is killed here leaves all of it in the store, once.
    assert_eq!((rig.store.peek("d").outbox.len(), rig.store.peek("d").set_aside.len()), (2, 2));
    rig.feed(Input::Connect);
    rig.feed(Input::Opened);
    rig.take();
    rig.frame(Message::Hello(hello("e", 2)));
    rig.frame(Message::SyncStep1(&[0]));
    assert_eq!(
        rig.sent().iter().filter(|sent| sent.starts_with("submit")).collect::<Vec<_>>(),
        ["submit nothing up to 3", "submit 4", "submit 5"]
    );
    rig.frame(Message::Ack { seq: 5 });
    rig.pass(1_000);
    assert_eq!((rig.status().pending, rig.store.peek("d").outbox.len()), (0, 0));
}

/// Given up, it is gone from the editor and from the device, with what was built upon it; the rest stays.
#[test]
fn f16_what_is_set_aside_can_be_given_up() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("taken");
    rig.type_block("refused");
    rig.frame(Message::Ack { seq: 1 });
    rig.frame(Message::Reject { seq: 2, code: RejectCode::TooLarge, message: "no" });
    rig.feed(Input::Edit(Op::InsertText { path: path(&[0, 0]), offset: 0, text: "more ".into() }));
    rig.feed(Input::Flush);
    assert_eq!(rig.status().set_aside, 2);
    rig.take();
    rig.feed(Input::DiscardSetAside);
    let batches = rig.take().into_iter().filter(|output| matches!(output, Output::Operations { .. })).count();
    assert_eq!(batches, 1);
    assert_eq!(rig.session.value(), [block("taken")]);
    assert_eq!((rig.status().set_aside, rig.status().saved), (0, Saved::Server));
    rig.type_block("after");
    assert_eq!(rig.sent(), ["submit 3"]);
    let reopened = Rig::open(config("t", 6), rig.store.clone());
    assert_eq!(reopened.session.value(), [block("after"), block("taken")]);
    assert_eq!((reopened.status().set_aside, reopened.status().pending), (0, 1));
}

/// F29, F16 with a plain server: it closes at what is too large for it. What can be sent without that is; what was not
/// sent is not called saved.
#[test]
fn f29_what_a_plain_server_is_not_sent_is_not_acknowledged() {
    let mut rig = Rig::new();
    rig.plain();
    rig.type_block("small");
    let attrs = Attrs::from([("data".into(), "x".repeat(5_000).into())]);
    let node = Node::Element(Element { attrs, children: vec![] });
    rig.feed(Input::Edit(Op::InsertNode { path: path(&[0]), node }));
    rig.feed(Input::Flush);
    for _ in 0..4 {
        rig.feed(Input::Closed { code: 1009, reason: String::new() });
        rig.feed(Input::Connect);
        rig.feed(Input::Opened);
        rig.take();
        rig.frame(Message::SyncStep1(&[0]));
        rig.frame(Message::SyncStep2(&[0, 0]));
        rig.frame(Message::SyncStep2(&[0, 0]));
        if rig.status().set_aside > 0 {
            break;
        }
        rig.take();
    }
    assert_eq!((rig.status().pending, rig.status().set_aside), (0, 1));
    assert_eq!(rig.status().saved, Saved::Local);
    let mut reader = Rig::open(config("r", 9), MemoryStore::new());
    for output in rig.take() {
        let Output::Send(frame) = output else { continue };
        for message in messages(&frame) {
            if let Message::SyncStep2(update) | Message::Update(update) = message.unwrap() {
                reader.feed(Input::ApplyUpdate(update.to_vec()));
            }
        }
    }
    assert_eq!(reader.session.value(), [block("small")]);
}

/// F29: values too large for the server, made offline. What was made after them elsewhere flows, under seqs without gaps.
#[test]
fn f29_what_cannot_be_cut_takes_nothing_along() {
    let mut rig = Rig::new();
    rig.type_block("a");
    for size in [40_000, 50_000] {
        let attrs = Attrs::from([("data".into(), "x".repeat(size).into())]);
        let node = Node::Element(Element { attrs, children: vec![] });
        rig.feed(Input::Edit(Op::InsertNode { path: path(&[1]), node }));
        rig.feed(Input::Flush);
        rig.feed(Input::Edit(Op::InsertText { path: path(&[0, 0]), offset: 1, text: "b".into() }));
        rig.feed(Input::Flush);
    }
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(Hello { max_update_bytes: 1_000, max_frame_bytes: 1_100, ..hello("e", 0) }));
    rig.frame(Message::SyncStep1(&[0]));
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!(rig.status().set_aside, 2);
    let mut reader = Rig::open(config("r", 9), MemoryStore::new());
    let mut seqs = Vec::new();
    for output in rig.take() {
        let Output::Send(frame) = output else { continue };
        assert!(frame.len() <= 1_100);
        for message in messages(&frame) {
            if let Message::Submit { update, seq } = message.unwrap() {
                reader.feed(Input::ApplyUpdate(update.to_vec()));
                seqs.push(seq);
            }
        }
    }
    assert_eq!(reader.session.value(), [block("abb")]);
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    rig.frame(Message::Ack { seq: seqs.len() as u64 });
    assert_eq!((rig.status().pending, rig.status().saved), (0, Saved::Local));
}

/// What another tab could not store comes with what it had heard from here, in one update. If that cannot go, what is
/// pending here on its own still can.
#[test]
fn what_is_pending_besides_is_not_refused_with_its_copy() {
    let mut rig = Rig::new();
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(Hello { max_update_bytes: 1_000, ..hello("e", 0) }));
    rig.frame(Message::SyncStep2(&[0, 0]));
    rig.type_block("mine");
    let mine = rig.session.export_outbox().unwrap();
    let mut other = Rig::open(config("other", 9), MemoryStore::new());
    other.feed(Input::ApplyUpdate(mine));
    let properties = Attrs::from([("style".into(), "y".repeat(3_000).as_str().into())]);
    other.feed(Input::Edit(Op::SetNode { path: path(&[0]), properties: Attrs::new(), new_properties: properties }));
    other.feed(Input::Flush);
    let both = other.session.export_outbox().unwrap();
    rig.feed(Input::TabUpdate { update: both, epoch: Some("e".into()), kept: false });
    assert_eq!((rig.status().pending, rig.status().set_aside), (1, 1));
    rig.frame(Message::Ack { seq: 1 });
    assert_eq!((rig.status().pending, rig.status().set_aside), (0, 1));
}

/// A burst is merged and cut for the server, and a part of it is refused before the store has followed: the parts that
/// stay are not taken out with it.
#[test]
fn what_is_refused_takes_nothing_else_out_of_a_slow_store() {
    for code in [RejectCode::ReadOnly, RejectCode::TooLarge, RejectCode::RateLimited] {
        let mut rig = Rig::new();
        for text in ["a", "b", "c", "d", "e"] {
            rig.type_block(&text.repeat(300));
        }
        rig.slow = Some(VecDeque::new());
        rig.feed(Input::Opened);
        rig.frame(Message::Hello(Hello { max_update_bytes: 700, ..hello("e", 0) }));
        assert!(rig.status().pending > 1);
        let pending = rig.session.export_pending().unwrap();
        rig.frame(Message::Reject { seq: 1, code, message: "no" });
        while rig.land() {}
        let kept = rig.store.peek("d");
        let pending_now = kept.outbox.iter().map(|pending| &pending.update);
        let kept = crate::update::merge(pending_now.chain(kept.set_aside.iter().map(|aside| &aside.update)));
        assert_eq!(kept.unwrap(), pending, "{code:?}");
    }
}

/// A gap that nobody speaks of means to the server that something was lost on the way.
#[test]
fn f50_a_seq_that_is_given_up_is_said_to_be() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("a");
    rig.type_block("b");
    rig.take();
    rig.frame(Message::Reject { seq: 1, code: RejectCode::ReadOnly, message: "no" });
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.pass(60_000);
    rig.take();
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("e", 0)));
    let mut submitted = Vec::new();
    for output in rig.take() {
        let Output::Send(frame) = output else { continue };
        for message in messages(&frame) {
            if let Message::Submit { update, seq } = message.unwrap() {
                submitted.push((seq, update == NOTHING));
            }
        }
    }
    assert_eq!(submitted, [(1, true), (2, false), (3, false)]);
    rig.frame(Message::Ack { seq: 3 });
    assert_eq!((rig.status().pending, rig.status().set_aside), (0, 0));
}
