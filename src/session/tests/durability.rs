use super::*;
use crate::store::{Pending, PendingKey};

/// F13, F15: pending until acknowledged; on reconnect what the server has goes, the rest is sent again.
#[test]
fn f15_only_an_acknowledgement_empties_the_outbox() {
    let mut rig = Rig::new();
    rig.durable();
    for text in ["a", "b", "c"] {
        rig.type_block(text);
    }
    assert_eq!(rig.sent(), ["submit 1", "submit 2", "submit 3"]);
    assert_eq!((rig.status().pending, rig.status().saved), (3, Saved::Local));
    rig.frame(Message::SyncStep2(&[0, 0]));
    rig.frame(Message::Ack { seq: 0 });
    rig.frame(Message::Ack { seq: 99 });
    rig.frame(Message::Reject { seq: 98, code: RejectCode::Invalid, message: "" });
    assert_eq!((rig.status().pending, rig.status().set_aside), (3, 0), "none of these acknowledges anything");
    rig.frame(Message::Ack { seq: 1 });
    assert_eq!(rig.status().pending, 2);
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    assert_eq!(rig.status().pending, 2);
    rig.type_block("d");
    rig.feed(Input::Connect);
    rig.feed(Input::Opened);
    rig.take();
    rig.frame(Message::Hello(hello("e", 2)));
    assert!(rig.status().syncing_offline_changes);
    assert_eq!(rig.sent(), ["submit 3", "submit 4"]);
    rig.frame(Message::Ack { seq: 4 });
    assert_eq!((rig.status().pending, rig.status().saved), (0, Saved::Server));
    assert!(!rig.status().syncing_offline_changes);
    // For the store that is no hurry.
    rig.pass(1_000);
    assert_eq!(rig.store.peek("d").outbox, []);
    let reopened = Rig::open(config("t", 6), rig.store.clone());
    assert_eq!((reopened.session.value(), reopened.status().pending), (rig.session.value(), 0));
}

/// A keystroke costs the device one write of one record; what was acknowledged meanwhile moves on once for all of it.
#[test]
fn an_edit_is_written_once_and_alone() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("first");
    rig.pass(2_000);
    rig.take();
    let mut written = Vec::new();
    for seq in 2..=20 {
        rig.type_block("x");
        rig.frame(Message::Ack { seq });
        rig.now += 40;
        written.extend(rig.take().into_iter().filter_map(|output| match output {
            Output::Write { writes, .. } => Some(writes),
            _ => None,
        }));
    }
    assert_eq!(written.len(), 19);
    for writes in &written {
        assert!(matches!(&writes[..], [Write::InEpoch { .. }, Write::Edit { .. }]), "{writes:?}");
    }
    assert_eq!((rig.status().pending, rig.store.peek("d").outbox.len()), (0, 20));
    rig.pass(1_000);
    let copy = rig.store.peek("d");
    assert_eq!((copy.log.len(), copy.outbox.len()), (1, 0));
    let reopened = Rig::open(config("t", 6), rig.store.clone());
    assert_eq!(reopened.session.value(), rig.session.value());
}

/// A page that goes leaves nothing in the outbox that the server has; one that is killed does, and it is sent again.
#[test]
fn f17_what_was_acknowledged_leaves_the_outbox_at_the_end() {
    for last in [Input::Suspend, Input::Close] {
        let mut rig = Rig::new();
        rig.durable();
        rig.type_block("x");
        rig.frame(Message::Ack { seq: 1 });
        let killed = Rig::open(config("t", 6), clone_of(&rig.store));
        assert_eq!((killed.session.value(), killed.status().pending), (rig.session.value(), 1));
        rig.feed(last);
        assert_eq!(rig.store.peek("d").outbox, []);
        let reopened = Rig::open(config("u", 7), rig.store.clone());
        assert_eq!((reopened.session.value(), reopened.status().pending), (rig.session.value(), 0));
    }
}

/// Another database with the same content.
fn clone_of(store: &MemoryStore) -> MemoryStore {
    let (clone, copy) = (MemoryStore::new(), store.peek("d"));
    let log = copy.log.into_iter().map(|(_, update)| Write::Append { update });
    let outbox = copy.outbox.into_iter().map(|Pending { key, update, .. }| Write::Edit { key, update });
    clone.write_now("d", &log.chain(outbox).collect::<Vec<_>>()).unwrap();
    clone
}

/// F14: memory, device, server, and never before it is true.
#[test]
fn f14_saved_is_never_claimed_too_early() {
    let mut session = Session::new(config("s", 5), T0);
    while session.poll_output().is_some() {}
    session.handle(T0, Input::Loaded(Ok(Loaded::default())));
    while session.poll_output().is_some() {}
    session.handle(T0, Input::Edit(Op::InsertNode { path: path(&[0]), node: block("x") }));
    assert_eq!(session.status().saved, Saved::Memory, "queued");
    session.handle(T0, Input::Flush);
    assert_eq!(session.status().saved, Saved::Memory, "on its way to the store");
    let ticket = std::iter::from_fn(|| session.poll_output()).find_map(|output| match output {
        Output::Write { ticket, .. } => Some(ticket),
        _ => None,
    });
    session.handle(T0, Input::Stored { ticket: ticket.unwrap() + 1, rows: vec![] });
    assert_eq!(session.status().saved, Saved::Memory, "another write");
    session.handle(T0, Input::Stored { ticket: ticket.unwrap(), rows: vec![1] });
    assert_eq!(session.status().saved, Saved::Local);
}

/// F14 with a plain server: sending proves nothing, a round trip does.
#[test]
fn f14_a_plain_server_is_asked() {
    let mut rig = Rig::new();
    rig.plain();
    rig.type_block("x");
    assert_eq!(rig.sent(), ["update"]);
    assert_eq!(rig.status().saved, Saved::Local);
    rig.pass(1_000);
    assert_eq!(rig.sent(), ["step1"]);
    rig.type_block("y");
    assert_eq!(rig.status().pending, 2);
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!(rig.status().pending, 1, "the second was sent after the question");
    rig.pass(1_000);
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!((rig.status().pending, rig.status().saved), (0, Saved::Server));
}

/// F14: a later step 1 of a plain server shows what it has; of deletions it shows nothing.
#[test]
fn f14_a_state_vector_is_evidence_of_what_was_inserted() {
    let mut rig = Rig::new();
    rig.plain();
    rig.type_block("x");
    rig.type_block("y");
    let shown = rig.session.state_vector();
    rig.feed(Input::Edit(Op::RemoveText { path: path(&[0, 0]), offset: 0, text: "y".into() }));
    rig.feed(Input::Flush);
    rig.frame(Message::SyncStep1(&[0]));
    assert_eq!(rig.status().pending, 3);
    rig.frame(Message::SyncStep1(&shown));
    assert_eq!(rig.status().pending, 1);
}

/// F17: what was stored is there after a crash, and is sent by whoever opens the document next.
#[test]
fn f17_a_crash_loses_nothing_that_was_stored() {
    let store = MemoryStore::new();
    let mut rig = Rig::open(config("s1", 5), store.clone());
    for n in 0..150 {
        rig.type_block(&n.to_string());
    }
    assert!(store.peek("d").outbox.len() < 70, "typing offline is merged");
    let value = rig.session.value();
    drop(rig);
    let mut rig = Rig::open(config("s2", 5), store.clone());
    assert_ne!(rig.session.client_id(), 5, "the document knows that one");
    assert_eq!(rig.session.value(), value);
    let pending = rig.status().pending;
    assert!(pending > 0 && rig.status().saved == Saved::Local);
    assert!(store.peek("d").outbox.iter().all(|pending| pending.key.session == "s2"));
    rig.durable();
    rig.frame(Message::Ack { seq: pending.into() });
    assert_eq!(rig.status().saved, Saved::Server);
    rig.pass(1_000);
    assert_eq!(store.peek("d").outbox, []);
}

/// F18: the editor goes on, the status says so, the store is made whole again.
#[test]
fn f18_a_failing_store_is_mended() {
    for fault in [StoreError::Full, StoreError::Blocked("x".into()), StoreError::Closed("x".into())] {
        let mut rig = Rig::new();
        rig.type_block("before");
        rig.store.set_fault(Some(fault.clone()));
        rig.type_block("while");
        assert_eq!(rig.status().saved, Saved::Memory);
        assert_ne!(rig.status().storage, DeviceStorage::IndexedDb);
        rig.pass(100_000);
        rig.store.set_fault(None);
        if matches!(fault, StoreError::Closed(_)) {
            rig.store.clear();
        }
        rig.pass(100_000);
        assert_eq!((rig.status().storage, rig.status().saved), (DeviceStorage::IndexedDb, Saved::Local));
        let reopened = Rig::open(config("t", 6), rig.store.clone());
        assert_eq!(reopened.session.value(), rig.session.value());
        assert!(reopened.status().pending > 0);
    }
}

#[test]
fn f18_a_copy_that_loads_late_is_merged() {
    let store = MemoryStore::new();
    Rig::open(config("s1", 5), store.clone()).type_block("old");
    store.set_fault(Some(StoreError::Blocked("other tab".into())));
    let mut rig = Rig::open(config("s2", 6), store.clone());
    assert!(rig.take().contains(&Output::Ready));
    rig.type_block("new");
    store.set_fault(None);
    rig.pass(100_000);
    assert_eq!(rig.session.value().len(), 2);
    assert_eq!((rig.status().storage, rig.status().saved), (DeviceStorage::IndexedDb, Saved::Local));
}

/// F19, F21: the log is compacted, what waits for other updates stays in it.
#[test]
fn f21_what_waits_survives_compaction() {
    let store = MemoryStore::new();
    let mut author = Rig::open(config("a", 9), MemoryStore::new());
    let mut updates = Vec::new();
    for n in 0..3 {
        author.type_block(&n.to_string());
        updates.extend(author.take().into_iter().filter_map(|output| match output {
            Output::Update { update, .. } => Some(update),
            _ => None,
        }));
    }
    let mut rig = Rig::open(config("s", 5), store.clone());
    rig.durable();
    rig.frame(Message::Update(&updates[2]));
    assert_eq!(store.peek("d").log.len(), 1, "what waits is journaled as it came");
    for n in 0..600 {
        rig.type_block(&n.to_string());
        rig.frame(Message::Ack { seq: n + 1 });
        rig.feed(Input::Suspend);
    }
    assert!(store.peek("d").log.len() > 600);
    rig.pass(10_000);
    assert!(store.peek("d").log.len() < 100, "compacted");
    let mut rig = Rig::open(config("t", 6), store);
    rig.durable();
    rig.frame(Message::Update(&updates[0]));
    rig.frame(Message::Update(&updates[1]));
    assert_eq!(rig.session.value().len(), 603);
}

/// F29: the client knows the limit, cuts, and never sends too much.
#[test]
fn f29_large_edits_go_in_pieces() {
    let mut rig = Rig::new();
    rig.feed(Input::Opened);
    let limits = Hello { max_update_bytes: 1_000, max_frame_bytes: 1_100, ..hello("e", 0) };
    rig.frame(Message::Hello(limits));
    rig.frame(Message::SyncStep2(&[0, 0]));
    rig.take();
    rig.type_block(&"long – ünïcode ".repeat(1_000));
    let frames = rig.frames();
    assert!(frames.len() > 15 && frames.iter().all(|frame| frame.len() <= 1_100));
    let mut reader = Rig::open(config("t", 6), MemoryStore::new());
    for frame in &frames {
        if let Some(Ok(Message::Submit { update, .. })) = messages(frame).next() {
            reader.feed(Input::ApplyUpdate(update.to_vec()));
        }
    }
    assert_eq!(reader.session.value(), rig.session.value());
}

/// F6: nothing is mixed, nothing is lost, and the editor goes from one to the other in one step.
#[test]
fn f6_another_epoch_is_a_conflict_until_resolved() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("mine");
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.feed(Input::Connect);
    rig.feed(Input::Opened);
    rig.take();
    rig.frame(Message::Hello(hello("other", 0)));
    assert!(rig.status().epoch_conflict);
    assert!(!rig.sent().iter().any(|sent| sent.starts_with("submit")));
    rig.type_block("still here");
    assert_eq!(rig.session.value().len(), 2);
    rig.feed(Input::Resolve(Conflict::TakeServer));
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("other", 0)));
    rig.frame(Message::SyncStep1(&[0]));
    assert_eq!(rig.session.value().len(), 2, "until the server's is here");
    rig.take();
    rig.frame(Message::SyncStep2(&foreign(&[block("theirs")])));
    let batches = rig.take().into_iter().filter(|output| matches!(output, Output::Operations { .. })).count();
    assert_eq!(batches, 1);
    assert_eq!(rig.session.value(), [block("theirs")]);
    assert_eq!((rig.status().pending, rig.status().set_aside, rig.status().epoch_conflict), (0, 2, false));
    rig.type_block("after");
    assert_eq!(rig.sent(), ["submit 1"], "seqs count anew");
    let reopened = Rig::open(config("t", 6), rig.store.clone());
    assert_eq!(reopened.session.value(), [block("after"), block("theirs")]);
    assert_eq!(reopened.status().set_aside, 2);
}

/// F1, F3: a server that decides is asked, once synced and only if there is nothing; opening sends nothing before.
#[test]
fn f3_opening_never_writes_and_seeding_waits_for_the_sync() {
    let wants = || Config { initial_value: Some(vec![block("seed")]), ..config("s", 5) };
    let mut rig = Rig::open(wants(), MemoryStore::new());
    rig.pass(60_000);
    assert_eq!(rig.session.value(), [block("seed")]);
    rig.feed(Input::Connect);
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("e", 0)));
    assert!(rig.sent().iter().all(|sent| sent == "step1" || sent == "awareness"));
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!(rig.sent(), ["seed"]);
    assert_eq!(rig.session.value(), [block("seed")]);
    rig.frame(Message::Ack { seq: 0 });
    assert_eq!(rig.sent(), ["step1"]);
    rig.frame(Message::SyncStep2(&foreign(&[block("whoever was first")])));
    assert_eq!(rig.session.value(), [block("whoever was first")]);

    let mut rig = Rig::open(wants(), MemoryStore::new());
    rig.feed(Input::Opened);
    rig.frame(Message::SyncStep1(&[0]));
    rig.frame(Message::SyncStep2(&foreign(&[block("there already")])));
    assert_eq!((rig.session.value(), rig.status().pending), (vec![block("there already")], 0));

    let mut rig = Rig::open(wants(), MemoryStore::new());
    rig.plain();
    assert_eq!(rig.session.value(), [block("seed")]);
    let mut again = Rig::open(Config { session: "t".into(), client_id: 6, ..wants() }, MemoryStore::new());
    again.plain();
    again.frame(Message::Update(&rig.session.encode_state(None).unwrap()));
    assert_eq!(again.session.value(), [block("seed")], "the same content is the same update");
}

/// F13: coming back a thousand times with nothing new stores nothing.
#[test]
fn f13_clean_reconnects_add_no_rows() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("x");
    rig.frame(Message::Ack { seq: 1 });
    let state = rig.session.encode_state(None).unwrap();
    let rows = rig.store.peek("d").log.len();
    for _ in 0..1_000 {
        rig.feed(Input::Closed { code: 1006, reason: String::new() });
        rig.feed(Input::Connect);
        rig.feed(Input::Opened);
        rig.frame(Message::Hello(hello("e", 1)));
        rig.frame(Message::SyncStep2(&state));
    }
    assert_eq!(rig.store.peek("d").log.len(), rows);
}

/// What another tab keeps is not stored here; whoever takes over stores what it has missed, once.
#[test]
fn one_tab_keeps_what_the_server_sends() {
    let mut rig = Rig::new();
    rig.durable();
    let rows = |rig: &Rig| rig.store.peek("d").log.len();
    let before = rows(&rig);
    rig.frame(Message::Update(&foreign(&[block("kept")])));
    assert_eq!(rows(&rig), before + 1);
    rig.feed(Input::Keep(false));
    rig.frame(Message::Update(&foreign(&[block("elsewhere")])));
    rig.frame(Message::Update(&foreign(&[block("there too")])));
    assert_eq!(rows(&rig), before + 1);
    rig.type_block("own");
    assert_eq!(rig.store.peek("d").outbox.len(), 1, "one's own is stored in any case");
    rig.feed(Input::Keep(true));
    assert_eq!(rows(&rig), before + 2, "what the other one may not have finished");
    let value = rig.session.value();
    let reopened = Rig::open(config("later", 9), rig.store.clone());
    assert_eq!(reopened.session.value(), value);
    // Nothing was missed: nothing is written.
    rig.feed(Input::Keep(false));
    rig.feed(Input::Keep(true));
    assert_eq!(rows(&rig), before + 2);
}

/// A log that another tab keeps is not this one's to compact, and a store that failed is brought up to everything.
#[test]
fn f18_a_tab_that_keeps_nothing_mends_its_store() {
    let mut rig = Rig::new();
    rig.durable();
    rig.feed(Input::Keep(false));
    rig.frame(Message::Update(&foreign(&[block("elsewhere")])));
    rig.store.set_fault(Some(StoreError::Full));
    rig.type_block("own");
    assert_eq!(rig.status().storage, DeviceStorage::Full);
    rig.store.set_fault(None);
    rig.pass(60_000);
    let value = rig.session.value();
    let reopened = Rig::open(config("later", 9), rig.store.clone());
    assert_eq!(reopened.session.value(), value);
}

/// What is put into the outbox and acknowledged by one frame leaves it.
#[test]
fn an_acknowledgement_comes_behind_what_it_acknowledges() {
    let mut journal = super::super::journal::Journal::new(true);
    journal.loaded(None, Vec::new());
    let key = PendingKey { session: "s".into(), seq: 2 };
    journal.write(Write::Coalesce { from: Vec::new(), to: key.clone(), update: vec![0, 0] });
    journal.acknowledged(T0, key, vec![vec![0, 0]]);
    let (_, writes) = journal.take_batch(T0, true).unwrap();
    assert!(matches!(writes.last(), Some(Write::Acknowledge { seq: 2, .. })), "{writes:?}");
}

/// The next that is to be written fails, the rest goes through; then the tab is killed. What its device gives back.
fn killed_after_failed_merge(mut rig: Rig) -> Rig {
    rig.store.set_fault(Some(StoreError::Failed("once".into())));
    assert!(rig.land(), "the merge");
    rig.store.set_fault(None);
    while rig.land() {}
    Rig::open(config("t", 6), rig.store.clone())
}

/// What was merged is written under other keys than before. Should that fail, what is typed meanwhile takes the place of
/// nothing that the store has.
#[test]
fn f18_what_follows_a_merge_that_fails_replaces_nothing() {
    let mut rig = Rig::new();
    for text in ["a", "b", "c"] {
        rig.type_block(text);
    }
    rig.slow = Some(VecDeque::new());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("e", 0)));
    rig.type_block("d");
    let value = rig.session.value();
    assert_eq!(killed_after_failed_merge(rig).session.value(), value);
}

/// What was acknowledged leaves the store only once the rest is there under the keys that it has by now.
#[test]
fn f18_an_acknowledgement_takes_nothing_along_that_could_not_be_moved() {
    let mut rig = Rig::new();
    for text in ["a", "b", "c"] {
        rig.type_block(&text.repeat(300));
    }
    rig.slow = Some(VecDeque::new());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(Hello { max_update_bytes: 400, ..hello("e", 0) }));
    assert!(rig.status().pending > 1);
    rig.frame(Message::Ack { seq: 1 });
    let value = rig.session.value();
    rig.pass(1_500);
    assert_eq!(killed_after_failed_merge(rig).session.value(), value);
}

/// It leaves it then, at once.
#[test]
fn what_was_acknowledged_leaves_a_slow_store_too() {
    let mut rig = Rig::new();
    for text in ["a", "b", "c"] {
        rig.type_block(text);
    }
    rig.slow = Some(VecDeque::new());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("e", 0)));
    rig.frame(Message::Ack { seq: 1 });
    rig.feed(Input::Close);
    while rig.land() {}
    assert_eq!(rig.store.peek("d").outbox, []);
    let reopened = Rig::open(config("t", 6), rig.store.clone());
    assert_eq!(reopened.session.value(), rig.session.value());
}
