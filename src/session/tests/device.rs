//! The device's copy: lost, replaced, shared with other tabs.

use super::format::{BOTH, flagged, of_format};
use super::translating::{Server, away};
use super::*;
use crate::store::Write;

/// F18: the database deleted under us. What was stored is gone with it: it is all written anew, edited or not, into what
/// may be others' rows by now, and until then nothing counts as stored.
#[test]
fn f18_a_deleted_database_is_written_anew() {
    let mut rig = Rig::new();
    rig.durable();
    rig.frame(Message::Update(&foreign(&[block("theirs")])));
    rig.type_block("mine");
    assert_eq!(rig.status().saved, Saved::Local);
    rig.store.clear();
    rig.store.write_now("another document", &vec![Write::Append { update: vec![0, 0] }; 9]).unwrap();
    rig.take();
    rig.feed(Input::StoreLost);
    let said = rig.take().into_iter().filter(|output| matches!(output, Output::Write { .. })).count();
    assert_eq!(said, 1, "at once");
    assert_eq!((rig.status().storage, rig.status().saved), (DeviceStorage::IndexedDb, Saved::Local));
    let value = rig.session.value();
    let reopened = Rig::open(config("t", 6), rig.store.clone());
    assert_eq!((reopened.session.value(), reopened.status().pending), (value, 1));
    assert_eq!(rig.store.peek("d").epoch.as_deref(), Some("e"));
    assert_eq!(rig.store.peek("another document").log.len(), 9);
}

/// F18, F14: while the deleted database cannot be written anew, nothing is called kept; nor is what another write finds
/// out only by failing.
#[test]
fn f18_what_a_lost_store_had_is_not_called_local() {
    for told in [true, false] {
        let mut rig = Rig::new();
        rig.type_block("mine");
        rig.type_block("more");
        assert_eq!(rig.status().saved, Saved::Local);
        rig.store.clear();
        rig.store.set_fault(Some(StoreError::Closed("x".into())));
        match told {
            true => rig.feed(Input::StoreLost),
            false => rig.type_block("last"),
        }
        assert_eq!((rig.status().storage, rig.status().saved), (DeviceStorage::Memory, Saved::Memory));
        rig.store.set_fault(None);
        rig.pass(100_000);
        assert_eq!((rig.status().storage, rig.status().saved), (DeviceStorage::IndexedDb, Saved::Local));
        let reopened = Rig::open(config("t", 6), rig.store.clone());
        assert_eq!(reopened.session.value(), rig.session.value());
    }
}

/// F17: listeners are told after the write is on its way, for what they do may end everything.
#[test]
fn f17_an_edit_is_written_before_anyone_is_told() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("x");
    let kinds = rig.take();
    let at = |wanted: fn(&Output) -> bool| kinds.iter().position(wanted);
    let written = at(|output| matches!(output, Output::Write { .. }));
    assert!(written.is_some() && written < at(|output| matches!(output, Output::Update { .. })), "{kinds:?}");
}

/// F6: what another tab left of a document that was replaced is not submitted into the new one.
#[test]
fn f6_pending_edits_of_another_epoch_are_set_aside() {
    let store = MemoryStore::new();
    let mut old = Rig::open(config("old", 5), store.clone());
    old.durable();
    old.type_block("old");
    let mut rig = Rig::open(config("s", 6), store.clone());
    // The other tab's session lives: its edits are its own.
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("new", 0)));
    rig.feed(Input::Resolve(Conflict::TakeServer));
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("new", 0)));
    rig.frame(Message::SyncStep2(&foreign(&[block("new")])));
    assert_eq!(rig.session.value(), [block("new")]);
    let aside = rig.status().set_aside;
    // It goes on typing until it hears of it, and dies.
    old.type_block("late");
    assert!(!old.status().epoch_conflict);
    old.feed(Input::TabUpdate { update: vec![0, 0], epoch: Some("new".into()), kept: true });
    assert!(old.status().epoch_conflict);
    let left: Vec<_> = store.peek("d").outbox.into_iter().filter(|pending| pending.key.session == "old").collect();
    assert!(!left.is_empty());
    rig.take();
    rig.feed(Input::Orphans(left));
    assert_eq!(rig.sent(), Vec::<String>::new());
    assert_eq!(rig.session.value(), [block("new")]);
    assert!(rig.status().set_aside > aside);
    let reopened = Rig::open(config("t", 7), store.clone());
    assert_eq!((reopened.session.value(), reopened.status().pending), (vec![block("new")], 0));
    assert_eq!(reopened.status().set_aside, rig.status().set_aside);
}

/// F6 between tabs: an update of another epoch is another document's.
#[test]
fn f6_tabs_of_different_epochs_do_not_mix() {
    let update = || foreign(&[block("theirs")]);
    let from_tab =
        |epoch: Option<&str>| Input::TabUpdate { update: update(), epoch: epoch.map(str::to_owned), kept: true };
    let mut rig = Rig::new();
    rig.durable();
    rig.feed(from_tab(Some("another")));
    assert_eq!(rig.session.value(), []);
    for epoch in [None, Some("e")] {
        let mut rig = Rig::new();
        rig.durable();
        rig.feed(from_tab(epoch));
        assert_eq!(rig.session.value(), [block("theirs")]);
    }
    // Whoever was not online yet learns it.
    let mut rig = Rig::new();
    rig.feed(from_tab(Some("e")));
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("another", 0)));
    assert!(rig.status().epoch_conflict);
}

/// F6: a copy that could not be read at first, and turns out to be of a document that the server has replaced.
#[test]
fn f6_a_copy_of_another_epoch_that_loads_late_is_left_alone() {
    let store = MemoryStore::new();
    let mut old = Rig::open(config("old", 5), store.clone());
    old.durable();
    old.type_block("old");
    drop(old);
    store.set_fault(Some(StoreError::Blocked("x".into())));
    let mut rig = Rig::open(config("s", 6), store.clone());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("new", 0)));
    rig.frame(Message::SyncStep2(&foreign(&[block("new")])));
    store.set_fault(None);
    let before = store.peek("d");
    rig.pass(20_000);
    assert_eq!(rig.session.value(), [block("new")]);
    rig.type_block("mine");
    assert_eq!(rig.status().saved, Saved::Memory);
    assert_eq!(store.peek("d"), before);
}

/// What another tab could not store is this one's to keep and to submit: it is shown here, and built upon.
#[test]
fn a_tabs_edit_that_it_could_not_store_is_taken_over() {
    let mut author = Rig::open(config("a", 9), MemoryStore::new());
    author.type_block("theirs");
    let update = author.session.export_outbox().unwrap();
    let mut rig = Rig::new();
    rig.durable();
    rig.feed(Input::TabUpdate { update: update.clone(), epoch: None, kept: true });
    assert_eq!((rig.sent().len(), rig.status().pending), (0, 0), "theirs to send");
    // Its store fails only now.
    rig.feed(Input::TabUpdate { update, epoch: None, kept: false });
    assert_eq!((rig.status().pending, rig.status().saved), (1, Saved::Local));
    assert_eq!(rig.sent(), ["submit 1"]);
    assert_eq!(rig.store.peek("d").outbox.len(), 1);
}

/// Typed offline into a block that a peer merged meanwhile; then the page was reloaded, which makes it another client's. In
/// format 1 it is in its place, and nobody has to write it again.
#[test]
fn text_typed_before_a_reload_survives_a_peers_merge_once() {
    let base = flagged(&foreign(&[block("left"), block("right")]), 1);
    let open = |session: &str, client_id: u32, store: MemoryStore, content: &[u8]| {
        let mut rig = Rig::open(Config { formats: BOTH, ..config(session, client_id) }, store);
        rig.feed(Input::Opened);
        rig.frame(Message::Hello(of_format(1)));
        rig.frame(Message::SyncStep1(&[0]));
        rig.frame(Message::SyncStep2(content));
        rig
    };
    let store = MemoryStore::new();
    let mut author = open("a", 5, store.clone(), &base);
    author.feed(Input::Edit(Op::InsertText { path: path(&[1, 0]), offset: 2, text: "X".into() }));
    author.feed(Input::Flush);
    drop(author);
    let mut peer = open("p", 6, MemoryStore::new(), &base);
    let properties = Attrs::from([("type".into(), "p".into())]);
    peer.feed(Input::Edit(Op::MergeNode { path: path(&[1]), position: 1, properties }));
    peer.feed(Input::Flush);
    let merged = peer.session.export_outbox().unwrap();

    let mut heir = open("b", 7, store.clone(), &base);
    heir.frame(Message::Update(&merged));
    assert_eq!(texts(&heir), ["leftriXght"]);
    assert_eq!(heir.status().pending, 1, "what was typed");
    peer.frame(Message::Update(&heir.session.export_outbox().unwrap()));
    assert_eq!(texts(&peer), ["leftriXght"]);
    drop(heir);
    let mut next = open("c", 8, store, &base);
    next.frame(Message::Update(&merged));
    assert_eq!(texts(&next), ["leftriXght"]);
}

fn texts(rig: &Rig) -> Vec<String> {
    fn text(node: &Node) -> String {
        match node {
            Node::Text(leaf) => leaf.text.clone(),
            Node::Element(element) => element.children.iter().map(text).collect(),
        }
    }
    rig.session.value().iter().map(text).collect()
}

/// F14: without a store nothing is stored, wherever it came from.
#[test]
fn f14_adopted_edits_are_where_they_are() {
    let mut author = Rig::open(config("a", 9), MemoryStore::new());
    author.type_block("x");
    let pending = author.store.peek("d").outbox;
    let mut rig = Rig::open(Config { store: false, ..config("s", 5) }, MemoryStore::new());
    rig.feed(Input::Orphans(pending));
    assert_eq!((rig.status().pending, rig.status().saved), (1, Saved::Memory));
}

/// F2: content that Slate does not know is reported, and is no reason to doubt the sync, nor the copy on the device.
#[test]
fn f2_a_first_sync_with_foreign_content_is_a_sync() {
    let doc = yrs::Doc::with_client_id(77);
    {
        use yrs::{Text, Transact};
        let root = doc.get_or_insert_text("content");
        let mut txn = doc.transact_mut();
        let element = root.insert_embed(&mut txn, 0, yrs::XmlTextPrelim::new("x"));
        element.insert_embed(&mut txn, 0, yrs::Any::Bool(true));
    }
    let update = {
        use yrs::{ReadTxn, Transact};
        doc.transact().encode_state_as_update_v1(&yrs::StateVector::default())
    };
    let store = MemoryStore::new();
    let mut rig = Rig::open(config("s", 5), store.clone());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("e", 0)));
    rig.frame(Message::SyncStep2(&update));
    assert!(rig.status().error.is_some() && rig.status().synced);
    let reopened = Rig::open(config("t", 6), store);
    let storage = reopened
        .outputs
        .iter()
        .any(|output| matches!(output, Output::Error(SessionError { code: ErrorCode::Storage, .. })));
    assert!(!storage, "{:?}", reopened.status().error);
}

/// The log of a device that is never online is compacted as well.
#[test]
fn a_tab_without_a_server_compacts() {
    let store = MemoryStore::new();
    store.write_now("d", &vec![Write::Append { update: vec![0, 0] }; 600]).unwrap();
    let mut rig = Rig::open(Config { remote: Remote::None, ..config("s", 5) }, store);
    rig.feed(Input::Keep(false));
    for n in 0..600 {
        rig.type_block(&n.to_string());
    }
    rig.pass(10_000);
    assert!(rig.store.peek("d").log.len() < 100 && rig.store.peek("d").outbox.len() < 100);
}

/// F18: the last attempt of a page that goes.
#[test]
fn f18_a_failing_store_is_tried_once_more_at_the_end() {
    for last in [Input::Suspend, Input::Close] {
        let mut rig = Rig::new();
        rig.store.set_fault(Some(StoreError::Full));
        rig.type_block("x");
        rig.pass(3_000);
        rig.store.set_fault(None);
        rig.feed(last);
        assert_eq!(rig.store.peek("d").outbox.len(), 1);
    }
}

/// What was deleted by another tab is not called kept here.
#[test]
fn a_copy_that_another_tab_deletes_is_gone_here_too() {
    let mut rig = Rig::new();
    rig.type_block("x");
    assert_eq!(rig.status().saved, Saved::Local);
    rig.feed(Input::CopyDeleted);
    assert_eq!((rig.status().storage, rig.status().saved), (DeviceStorage::Memory, Saved::Memory));
    rig.type_block("y");
    assert_eq!(rig.store.peek("d"), Loaded::default());
}

/// What another tab has typed and not sent is shown by one that opens now, though it is not its to send.
#[test]
fn what_a_living_tab_has_pending_is_part_of_the_copy() {
    let store = MemoryStore::new();
    let mut author = Rig::open(config("a", 5), store.clone());
    author.type_block("theirs");
    let mut loaded = store.peek("d");
    loaded.leave_to(|session| session == "a");
    let mut session = Session::new(config("s", 6), T0);
    session.handle(T0, Input::Loaded(Ok(loaded)));
    assert_eq!((session.value(), session.status().pending), (vec![block("theirs")], 0));
}

/// An edit that the server refuses is shown after a reload as it was before.
#[test]
fn f16_what_is_set_aside_stays_in_the_copy() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("refused");
    rig.frame(Message::Reject { seq: 1, code: RejectCode::TooLarge, message: "" });
    assert_eq!((rig.status().set_aside, rig.status().pending), (1, 0));
    let reopened = Rig::open(config("t", 6), rig.store.clone());
    assert_eq!(reopened.session.value(), [block("refused")]);
}

/// F6: the store failed when the document was opened, and what it has is a copy under another name, of a document that was
/// replaced since: that copy is replaced as well, or the next opening would show it.
#[test]
fn f6_a_copy_that_was_never_loaded_is_replaced_too() {
    let both = |session, id| Config { formats: KnownFormats::of(&[0, 1]), format: Some(0), ..config(session, id) };
    let store = MemoryStore::new();
    let mut server = Server::new(&[block("old")], true);
    server.raise();
    drop(away(&mut server, "s", 5, store.clone()));
    store.set_fault(Some(StoreError::Failed("odd".into())));
    let mut rig = Rig::open(both("t", 6), store.clone());
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(Hello { format: Some(1), ..hello("e", 0) }));
    rig.frame(Message::SyncStep2(&server.doc.encode_state(None).expect("a state")));
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.feed(Input::Connect);
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("new", 0)));
    assert!(rig.status().epoch_conflict);
    store.set_fault(None);
    rig.feed(Input::Resolve(Conflict::TakeServer));
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("new", 0)));
    rig.frame(Message::SyncStep2(&foreign(&[block("new")])));
    rig.type_block("typed");
    assert_eq!(rig.session.value(), [block("typed"), block("new")]);
    drop(rig);
    let mut next = Rig::open(both("u", 7), store);
    assert_eq!(next.session.value(), [block("typed"), block("new")]);
    next.feed(Input::Opened);
    next.frame(Message::Hello(hello("new", 0)));
    assert!(!next.status().epoch_conflict);
}
