use super::*;
use crate::protocol::close;
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Transact, Update};

/// What a version knew that is older than format 1.
const OLD: KnownFormats = KnownFormats::of(&[0]);
pub(super) const BOTH: KnownFormats = KnownFormats::of(&[0, 1]);

/// A session that knows these, and wants that.
fn knows(formats: KnownFormats, format: Option<Format>) -> Config {
    Config { formats, format, ..config("s", 5) }
}

pub(super) fn of_format(format: Format) -> Hello {
    Hello { format: Some(format), ..hello("e", 0) }
}

/// `base`, and the flag by somebody else.
pub(super) fn flagged(base: &[u8], format: Format) -> Vec<u8> {
    let doc = Doc::with_client_id(77);
    doc.transact_mut().apply_update(Update::decode_v1(base).expect("valid")).expect("applies");
    set_format(&mut doc.transact_mut(), format);
    doc.transact().encode_diff_v1(&StateVector::default())
}

fn open(config: Config) -> Rig {
    Rig::open(config, MemoryStore::new())
}

/// Connected to a server that says this, and has that.
fn joined(config: Config, hello: Hello, content: &[u8]) -> Rig {
    let mut rig = open(config);
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello));
    rig.frame(Message::SyncStep1(&[0]));
    rig.frame(Message::SyncStep2(content));
    rig
}

fn submits(rig: &mut Rig) -> usize {
    rig.sent().iter().filter(|name| name.starts_with("submit")).count()
}

fn diverged(rig: &mut Rig) -> bool {
    rig.take().contains(&Output::Diverged)
}

fn error(rig: &Rig) -> Option<ErrorCode> {
    rig.status().error.as_ref().map(|error| error.code)
}

/// The server closes the moment the flag is set: the session ends, its edits stay, and a session that knows more has them
/// and does not send them as they are.
#[test]
fn a_refused_session_keeps_its_edits_for_one_that_knows_more() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("mine");
    rig.frame(Message::Hello(hello("e", 0)));
    rig.feed(Input::Closed { code: close::FORMAT, reason: "of format 1".into() });
    rig.type_block("and this");
    let status = rig.status();
    assert_eq!((status.connection, status.read_only, status.pending), (Connection::Forbidden, true, 2));
    assert_eq!(error(&rig), Some(ErrorCode::Format));
    rig.take();
    rig.pass(10_000_000);
    rig.feed(Input::NetworkHint { online: true });
    rig.feed(Input::Connect);
    assert_eq!(rig.opens(), 0);
    let kept = rig.store.clone();

    let mut next = Rig::open(Config { session: "t".into(), client_id: 6, ..knows(BOTH, None) }, kept.clone());
    assert_eq!(next.session.value(), [block("and this"), block("mine")]);
    let pending = next.session.export_outbox().expect("sound");
    next.feed(Input::Opened);
    next.take();
    next.frame(Message::Hello(of_format(1)));
    assert_eq!(submits(&mut next), 0);
    assert_eq!((error(&next), next.status().format), (None, Some(1)));
    next.frame(Message::SyncStep1(&[0]));
    next.frame(Message::SyncStep2(&[0, 0]));
    next.pass(10_000);
    // It asks for all that the server has, and waits for that.
    assert!(next.sent().iter().all(|name| name == "step1" || name == "ping"));
    assert_eq!(next.session.export_outbox().expect("sound"), pending);
    assert!(!kept.peek("d").outbox.is_empty());
    // Where nobody has set the flag, it all goes up.
    let mut next = Rig::open(Config { session: "u".into(), client_id: 7, ..knows(BOTH, None) }, kept);
    next.feed(Input::Opened);
    next.take();
    next.frame(Message::Hello(of_format(0)));
    assert!(submits(&mut next) > 0);
}

/// What the server had acknowledged before is no edit that waits.
#[test]
fn what_was_acknowledged_does_not_hold_a_session_up() {
    let mut rig = open(knows(BOTH, Some(0)));
    rig.durable();
    rig.type_block("mine");
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.feed(Input::Connect);
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(Hello { format: Some(1), ..hello("e", 1) }));
    assert_eq!((rig.status().connection, rig.status().pending), (Connection::Online, 0));
}

#[test]
fn a_document_of_an_unknown_format_is_read_and_not_edited() {
    let content = flagged(&foreign(&[block("there")]), 1);
    let mut rig = joined(knows(OLD, None), of_format(1), &content);
    let shown = (rig.status().format, rig.status().read_only, error(&rig));
    assert_eq!(shown, (Some(1), true, Some(ErrorCode::Format)));
    assert_eq!(rig.session.value(), [block("there")]);
    rig.take();
    rig.type_block("mine");
    assert!(diverged(&mut rig));
    rig.feed(Input::Undo);
    rig.feed(Input::ApplyUpdate(foreign(&[block("brought")])));
    assert_eq!((rig.session.value(), rig.status().pending), (vec![block("there")], 0));
    // So it is when it is opened from the device.
    for format in [1, 7] {
        let store = MemoryStore::new();
        let update = flagged(&foreign(&[block("there")]), format);
        store.write_now("d", &[Write::Append { update }]).expect("written");
        let mut rig = Rig::open(knows(OLD, None), store);
        assert_eq!((rig.status().format, error(&rig)), (Some(format), Some(ErrorCode::Format)));
        rig.type_block("mine");
        assert_eq!((rig.session.value(), rig.status().pending), (vec![block("there")], 0));
    }
}

/// What this engine would mend for a peer of its own format it leaves alone, in the document and in the outbox.
#[test]
fn nothing_is_mended_in_a_document_of_an_unknown_format() {
    let mut rig = Rig::new();
    rig.durable();
    rig.frame(Message::SyncStep2(&foreign(&[block("one"), block("two")])));
    let peer = Doc::with_client_id(78);
    let state = rig.session.encode_state(None).expect("a state");
    peer.transact_mut().apply_update(Update::decode_v1(&state).expect("valid")).expect("applies");
    rig.feed(Input::Edit(Op::InsertText { path: path(&[0, 0]), offset: 1, text: "typed".into() }));
    rig.feed(Input::Flush);
    rig.frame(Message::Ack { seq: 1 });
    let before = peer.transact().state_vector();
    {
        let mut txn = peer.transact_mut();
        let root = txn.get_text("content").expect("the root");
        yrs::Text::remove_range(&root, &mut txn, 0, 1);
        set_format(&mut txn, 1);
    }
    let update = peer.transact().encode_diff_v1(&before);
    rig.frame(Message::Update(&update));
    assert_eq!((rig.session.value(), rig.status().pending), (vec![block("two")], 0));
    assert_eq!(rig.status().format, Some(1));
}

/// A server that says nothing of formats is sent nothing before it is known of which its document is.
#[test]
fn a_plain_server_is_sent_nothing_of_a_format_that_its_document_has_not() {
    for there in [0, 1] {
        let base = foreign(&[block("there")]);
        let content = if there == 0 { base } else { flagged(&base, there) };
        for formats in [OLD, BOTH] {
            let mut rig = open(knows(formats, None));
            rig.type_block("offline");
            rig.feed(Input::Opened);
            rig.take();
            rig.frame(Message::SyncStep1(&[0]));
            assert_eq!(rig.sent(), Vec::<String>::new());
            rig.frame(Message::SyncStep2(&content));
            let sent = rig.sent();
            assert_eq!(sent.iter().any(|name| name == "step2"), there == 0, "{there} {formats}: {sent:?}");
            assert_eq!((rig.status().pending, rig.status().format), (1, Some(there)));
            assert_eq!(error(&rig), (there == 1 && formats == OLD).then_some(ErrorCode::Format));
            rig.pass(10_000);
            assert!(there == 0 || !rig.sent().iter().any(|name| name == "update" || name == "step2"));
        }
    }
}

/// One that says hello and nothing of formats: an older one, perhaps after a newer one.
#[test]
fn an_older_server_lets_read_and_is_asked_for_nothing_new() {
    let older = || Hello { formats: None, format: None, ..hello("e", 0) };
    let content = flagged(&foreign(&[block("there")]), 1);
    let mut rig = joined(knows(BOTH, None), older(), &content);
    assert_eq!((rig.status().read_only, error(&rig)), (true, Some(ErrorCode::Format)));
    rig.take();
    rig.type_block("mine");
    assert!(diverged(&mut rig));
    assert_eq!(rig.session.value(), [block("there")]);
    // New documents stay what such a server knows.
    let mut rig = joined(knows(BOTH, Some(1)), older(), &[0, 0]);
    rig.type_block("mine");
    assert_eq!((rig.status().format, rig.status().pending, rig.status().read_only), (Some(0), 1, false));
    assert_eq!(submits(&mut rig), 1);
    // Edits made offline wait for the first sync.
    let mut rig = open(knows(BOTH, None));
    rig.type_block("offline");
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(older()));
    assert_eq!(submits(&mut rig), 0);
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!(submits(&mut rig), 1);
}

/// Who sets the flag, and when.
#[test]
fn new_documents_begin_as_server_or_application_say() {
    let new = |knowing, wanted, new_format| {
        let mut rig = joined(knows(knowing, wanted), Hello { new_format, ..of_format(0) }, &[0, 0]);
        // Opening alone writes nothing.
        assert_eq!((rig.status().pending, submits(&mut rig)), (0, 0));
        let begins = rig.status().format;
        rig.type_block("mine");
        assert_eq!(rig.status().format, begins);
        assert_eq!(rig.status().pending, if begins == Some(1) { 2 } else { 1 });
        rig.feed(Input::Undo);
        assert_eq!(rig.session.value(), []);
        begins
    };
    for (wanted, server, expected) in [
        (None, None, 1),
        (Some(0), None, 0),
        (Some(1), None, 1),
        (None, Some(1), 1),
        (Some(0), Some(1), 1),
        (Some(1), Some(0), 0),
        (None, Some(0), 0),
    ] {
        assert_eq!(new(BOTH, wanted, server), Some(expected), "{wanted:?} {server:?}");
        assert_eq!(new(OLD, wanted, server), Some(0), "{wanted:?} {server:?}");
    }
}

/// Where nobody keeps others from the text, only who says so begins a document that they would damage.
#[test]
fn where_nobody_guards_it_a_document_begins_in_format_1_only_if_told_to() {
    for (wanted, expected) in [(None, 0), (Some(0), 0), (Some(1), 1)] {
        let mut rig = open(knows(BOTH, wanted));
        rig.plain();
        rig.type_block("mine");
        assert_eq!(rig.status().format, Some(expected), "{wanted:?}");
    }
    for (root, expected) in [(None, 1), (Some("text"), 0)] {
        let hello = Hello { root: root.map(str::to_owned), ..of_format(0) };
        let mut rig = joined(knows(BOTH, None), hello, &[0, 0]);
        rig.type_block("mine");
        assert_eq!(rig.status().format, Some(expected), "{root:?}");
    }
}

/// What is begun offline is written as in format 0 until it is known that the document is new.
#[test]
fn a_document_begun_offline_is_of_format_1_once_it_turns_out_to_be_new() {
    let mut rig = open(knows(BOTH, None));
    rig.type_block("offline");
    assert_eq!(rig.status().format, Some(0));
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(of_format(0)));
    rig.frame(Message::SyncStep1(&[0]));
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!((rig.status().format, rig.session.value()), (Some(1), vec![block("offline")]));
    // And one that is not new stays what it is.
    let mut rig = open(knows(BOTH, None));
    rig.type_block("offline");
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(of_format(0)));
    rig.frame(Message::SyncStep2(&foreign(&[block("there")])));
    assert_eq!(rig.status().format, Some(0));
}

#[test]
fn documents_that_are_there_are_raised_if_asked_for_and_never_lowered() {
    let content = foreign(&[block("there")]);
    for (wanted, server, role, expected) in [
        (None, None, Role::ReadWrite, 0),
        (None, Some(1), Role::ReadWrite, 0),
        (Some(1), None, Role::ReadWrite, 1),
        (Some(1), Some(0), Role::ReadWrite, 0),
        (Some(1), None, Role::ReadOnly, 0),
    ] {
        let hello = Hello { new_format: server, role, ..of_format(0) };
        let mut rig = joined(knows(BOTH, wanted), hello, &content);
        assert_eq!(rig.status().format, Some(expected), "{wanted:?} {server:?} {role:?}");
        assert_eq!(submits(&mut rig), usize::from(expected == 1));
        assert_eq!(rig.session.value(), [block("there")]);
    }
    let rig = joined(knows(BOTH, Some(0)), of_format(1), &flagged(&content, 1));
    assert_eq!((rig.status().format, rig.status().pending), (Some(1), 0));
    // A device that has been here before does not take an answer without news for an empty document.
    let mut rig = joined(knows(BOTH, None), Hello { new_format: Some(1), ..of_format(0) }, &content);
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    let mut again = Rig::open(Config { session: "t".into(), ..knows(BOTH, None) }, rig.store.clone());
    again.feed(Input::Opened);
    again.frame(Message::Hello(Hello { new_format: Some(1), ..of_format(0) }));
    again.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!(again.status().format, Some(0));
}

/// The flag is an update of its own, after the seed: seeds of equal content stay equal.
#[test]
fn the_flag_comes_after_the_seed() {
    let config = Config { initial_value: Some(vec![block("seed")]), ..knows(BOTH, Some(1)) };
    let mut rig = joined(config.clone(), of_format(0), &[0, 0]);
    assert!(rig.sent().contains(&"seed".to_owned()));
    assert_eq!((rig.status().format, rig.status().pending), (Some(0), 1));
    let seed = foreign(&[block("seed")]);
    rig.frame(Message::Update(&seed));
    rig.frame(Message::Ack { seq: 0 });
    // The server's question is answered as soon as the seed is decided.
    assert_eq!(rig.sent(), ["step2", "submit 1"]);
    assert_eq!((rig.status().format, rig.session.value()), (Some(1), vec![block("seed")]));
    // Without a server there are two updates as well, and opening again makes no third.
    let alone = Config { remote: Remote::None, ..config };
    let mut rig = Rig::open(alone.clone(), MemoryStore::new());
    assert_eq!((rig.status().format, rig.session.value()), (Some(1), vec![block("seed")]));
    let updates = |rig: &mut Rig| rig.take().iter().filter(|it| matches!(it, Output::Update { .. })).count();
    assert_eq!(updates(&mut rig), 2);
    let mut again = Rig::open(Config { session: "t".into(), ..alone }, rig.store.clone());
    assert_eq!((again.status().format, updates(&mut again)), (Some(1), 0));
    // What is there without a flag is not new.
    let store = MemoryStore::new();
    store.write_now("d", &[Write::Append { update: seed }]).expect("written");
    let old = Config { remote: Remote::None, ..knows(BOTH, None) };
    assert_eq!(Rig::open(old, store).status().format, Some(0));
}

#[test]
fn a_format_that_cannot_be_written_is_an_error() {
    let rig = open(knows(OLD, Some(1)));
    assert_eq!((error(&rig), rig.status().read_only), (Some(ErrorCode::Format), false));
}

/// A device with content, something pending, and something of another session that is gone.
fn device() -> MemoryStore {
    let store = MemoryStore::new();
    let there = foreign(&[block("there")]);
    store.write_now("d", &[Write::SetEpoch { epoch: "e".into() }, Write::Append { update: there }]).expect("written");
    store
}

/// What a document of format 1 leaves where the first version looks: nothing. And nothing of it is lost.
#[test]
fn a_document_of_format_1_is_kept_where_older_versions_do_not_look() {
    let mut rig = Rig::open(knows(BOTH, Some(1)), device());
    rig.type_block("offline");
    assert!(!rig.store.peek("d").is_nothing());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(of_format(0)));
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!((rig.status().format, rig.status().saved), (Some(1), Saved::Local));
    assert!(rig.store.peek("d").is_nothing());
    rig.type_block("after");
    let value = rig.session.value();
    assert_eq!(value.len(), 3);
    let pending = rig.session.export_outbox().expect("sound");
    let mut again = Rig::open(Config { session: "t".into(), client_id: 6, ..knows(BOTH, None) }, rig.store.clone());
    assert_eq!((again.session.value(), again.status().format, again.status().set_aside), (value.clone(), Some(1), 0));
    assert_eq!(again.session.export_outbox().expect("sound"), pending);
    again.feed(Input::Opened);
    again.frame(Message::Hello(of_format(1)));
    assert!(submits(&mut again) > 0);
    // One that knows less reads it there, and takes nothing from where it is.
    let before = rig.store.peek(again.name.as_str());
    let less = Rig::open(Config { session: "u".into(), client_id: 7, ..knows(OLD, None) }, rig.store.clone());
    assert_eq!((less.session.value(), less.status().read_only), (value, true));
    assert_eq!(rig.store.peek(again.name.as_str()).log, before.log);
}

/// Killed at any write: what the device had is there, under one name or the other.
#[test]
fn f17_a_copy_that_is_moved_is_whole_wherever_it_is_killed() {
    for killed_at in 0..4 {
        let mut rig = Rig::open(knows(BOTH, Some(1)), device());
        rig.type_block("offline");
        rig.slow = Some(VecDeque::new());
        rig.feed(Input::Opened);
        rig.frame(Message::Hello(of_format(0)));
        rig.frame(Message::SyncStep2(&[0, 0]));
        for _ in 0..killed_at {
            rig.land();
        }
        let next = Rig::open(Config { session: "t".into(), client_id: 6, ..knows(BOTH, Some(1)) }, rig.store.clone());
        let shown = (next.session.value(), next.status().pending > 0, next.status().set_aside);
        assert_eq!(shown, (vec![block("offline"), block("there")], true, 0), "{killed_at}");
    }
    // The disk is full when it is moved: it is brought there as soon as there is room.
    let mut rig = Rig::open(knows(BOTH, Some(1)), device());
    rig.type_block("offline");
    rig.store.set_fault(Some(StoreError::Full));
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(of_format(0)));
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!((rig.status().format, rig.status().storage), (Some(1), DeviceStorage::Full));
    rig.store.set_fault(None);
    rig.pass(5_000);
    assert!(rig.store.peek("d").is_nothing());
    let next = Rig::open(Config { session: "t".into(), client_id: 6, ..knows(BOTH, None) }, rig.store.clone());
    assert_eq!((next.session.value(), next.status().set_aside), (rig.session.value(), 0));
    assert_eq!(next.session.export_outbox(), rig.session.export_outbox());
}

/// A tab of an older version goes on writing where it has always written. The next opening has all of it: what was
/// acknowledged as part of the document, what was not set aside, because as bytes it would do harm.
#[test]
fn what_an_older_tab_leaves_behind_is_taken_over() {
    let store = device();
    let mut rig = Rig::open(knows(BOTH, Some(1)), store.clone());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(of_format(0)));
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert!(store.peek("d").is_nothing());
    let mut old = Rig::open(Config { session: "old".into(), client_id: 8, ..knows(OLD, None) }, MemoryStore::new());
    old.type_block("by copy");
    let update = old.session.export_outbox().expect("sound");
    let key = crate::store::PendingKey { session: "old".into(), seq: 1 };
    store.write_now("d", &[Write::Edit { key, update: update.clone() }]).expect("written");
    store.write_now("d", &[Write::Append { update: foreign(&[block("heard")]) }]).expect("written");
    for session in ["t", "u"] {
        let mut next = Rig::open(Config { session: session.into(), client_id: 6, ..knows(BOTH, None) }, store.clone());
        assert!(store.peek("d").is_nothing());
        let shown = next.session.value();
        assert!(shown.contains(&block("there")) && shown.contains(&block("heard")), "{shown:?}");
        assert_eq!((shown.len(), next.status().set_aside), (2, 1));
        next.feed(Input::Opened);
        next.frame(Message::Hello(of_format(1)));
        next.frame(Message::SyncStep2(&[0, 0]));
        let pending = next.session.export_pending().expect("sound");
        let has = |bytes: &[u8]| Update::decode_v1(bytes).expect("valid").insertions(true);
        assert!(has(&update).diff(&has(&pending)).is_empty());
        let sent = next.sent();
        assert!(!sent.contains(&"submit 2".to_owned()), "{sent:?}");
    }
}
