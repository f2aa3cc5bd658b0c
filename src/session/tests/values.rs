//! Values beside the text.

use yrs::Any;

use super::translating::{Server, away, comes_back};
use super::*;

fn any(json: &str) -> Any {
    Any::from_json(json).unwrap()
}

fn set(rig: &mut Rig, map: &str, key: &str, value: Option<&str>) {
    let value = value.map(any);
    rig.feed(Input::SetValue { map: map.into(), key: key.into(), value, undoable: true });
}

/// What was told of maps: by whom, whether it was all, and the keys.
fn told(rig: &mut Rig) -> Vec<(Origin, bool, Vec<String>)> {
    let one = |output| match output {
        Output::Values { origin, keys, whole, .. } => {
            Some((origin, whole, keys.into_iter().map(|(key, _)| key).collect()))
        }
        _ => None,
    };
    rig.take().into_iter().filter_map(one).collect()
}

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A value is pending, stored on the device, told at once, and there after the page was killed.
#[test]
fn a_value_is_an_edit_like_any_other() {
    let store = MemoryStore::new();
    let mut rig = Rig::open(config("s", 5), store.clone());
    rig.feed(Input::FollowMap("title".into()));
    assert_eq!(told(&mut rig), [(Origin::Store, true, vec![])]);
    set(&mut rig, "title", "name", Some(r#"{"a":[1,"x",null]}"#));
    assert_eq!((rig.status().pending, rig.status().saved), (1, Saved::Local));
    assert_eq!(told(&mut rig), [(Origin::Local, false, keys(&["name"]))]);
    set(&mut rig, "title", "name", Some(r#"{"a":[1,"x",null]}"#));
    assert_eq!((rig.status().pending, told(&mut rig)), (1, vec![]));
    let mut next = Rig::open(config("t", 6), store);
    next.feed(Input::FollowMap("title".into()));
    assert_eq!(told(&mut next), [(Origin::Store, true, keys(&["name"]))]);
    assert_eq!(next.session.values("title").get("name"), Some(&any(r#"{"a":[1,"x",null]}"#)));
    next.durable();
    next.feed(Input::Tick);
    assert_eq!(next.status().pending, 1);
}

/// Changes of others are told with their keys, in maps that somebody follows, and of no text.
#[test]
fn what_others_set_is_told() {
    let (mut ours, mut theirs) = (Rig::new(), Rig::open(config("t", 6), MemoryStore::new()));
    ours.feed(Input::FollowMap("m".into()));
    ours.take();
    set(&mut theirs, "m", "a", Some("1"));
    set(&mut theirs, "m", "b", Some("2"));
    set(&mut theirs, "other", "c", Some("3"));
    ours.feed(Input::ApplyUpdate(theirs.session.encode_state(None).unwrap()));
    assert_eq!(told(&mut ours), [(Origin::Remote, false, keys(&["a", "b"]))]);
    set(&mut theirs, "m", "a", None);
    theirs.type_block("text");
    let update = theirs.session.encode_state(None).unwrap();
    ours.feed(Input::TabUpdate { update, epoch: None, kept: true });
    assert_eq!(told(&mut ours), [(Origin::Store, false, keys(&["a"]))]);
    ours.type_block("more");
    assert_eq!(told(&mut ours), []);
    assert_eq!(ours.session.values("m").keys().collect::<Vec<_>>(), ["b"]);
}

/// In either format: a value is a step of its own between the steps of the text, and another's value stays.
#[test]
fn undo_takes_back_values_that_still_stand() {
    for format in [0, 1] {
        let config =
            Config { formats: KnownFormats::of(&[0, 1]), format: Some(format), remote: Remote::None, ..config("s", 5) };
        let mut rig = Rig::open(config, MemoryStore::new());
        rig.type_block("one");
        assert_eq!(rig.status().format, Some(format));
        set(&mut rig, "m", "k", Some("1"));
        set(&mut rig, "m", "k", Some("2"));
        rig.type_block("two");
        let k = |rig: &Rig| rig.session.values("m").get("k").cloned();
        let steps = [(1, Some("2")), (1, Some("1")), (1, None), (0, None)];
        for (blocks, value) in steps {
            rig.feed(Input::Undo);
            assert!(rig.session.has_undone());
            assert_eq!((rig.session.value().len(), k(&rig)), (blocks, value.map(any)), "format {format}");
        }
        assert!(!rig.session.can_undo());
        for (blocks, value) in [(1, None), (1, Some("1")), (1, Some("2")), (2, Some("2"))] {
            rig.feed(Input::Redo);
            assert_eq!((rig.session.value().len(), k(&rig)), (blocks, value.map(any)), "format {format}");
        }
        // Somebody else has set it meanwhile: that is nothing to take back.
        let mut other = Rig::open(
            Config { session: "t".into(), client_id: 6, ..rig.session.local.config.clone() },
            MemoryStore::new(),
        );
        other.feed(Input::ApplyUpdate(rig.session.encode_state(None).unwrap()));
        set(&mut other, "m", "k", Some("3"));
        rig.feed(Input::ApplyUpdate(other.session.encode_state(None).unwrap()));
        rig.feed(Input::Undo);
        rig.feed(Input::Undo);
        assert_eq!((rig.session.value().len(), k(&rig)), (0, Some(any("3"))), "format {format}");
        // And what is no step of undo is none.
        let value = Some(any("4"));
        rig.feed(Input::SetValue { map: "m".into(), key: "k".into(), value: value.clone(), undoable: false });
        rig.feed(Input::Undo);
        assert_eq!(k(&rig), value);
    }
}

/// Values that were set offline for a document of format 0 are not left behind when it has become one of format 1.
#[test]
fn values_are_translated_with_the_text() {
    for durable in [true, false] {
        let mut server = Server::new(&[block("first line"), block("last")], durable);
        let mut rig = away(&mut server, "s", 5, MemoryStore::new());
        rig.feed(Input::FollowMap("m".into()));
        set(&mut rig, "m", "k", Some("1"));
        server.raise();
        comes_back(&mut server, &mut rig);
        assert_eq!(server.doc.values("m"), [("k".to_owned(), any("1"))].into());
        assert_eq!(rig.session.values("m"), server.doc.values("m"));
        assert_eq!((rig.status().pending, rig.status().format, rig.status().error.clone()), (0, Some(1), None));
    }
}

/// What a reader sets is set aside like what a reader types, and pending again when they may write.
#[test]
fn what_a_reader_sets_is_set_aside() {
    let mut rig = Rig::new();
    rig.durable();
    set(&mut rig, "m", "k", Some("1"));
    rig.frame(Message::Reject { seq: 1, code: RejectCode::ReadOnly, message: "this connection may only read" });
    assert_eq!((rig.status().pending, rig.status().set_aside), (0, 1));
    assert_eq!(rig.status().error.as_ref().map(|error| error.code), Some(ErrorCode::Forbidden));
}

/// A reader who may comment is told so, and what is commented goes out; what others see of it is for the server to judge.
#[test]
fn who_may_comment_reads_and_comments() {
    for (role, can_comment) in [(Role::Comment, true), (Role::ReadOnly, false), (Role::ReadWrite, true)] {
        let mut rig = Rig::new();
        rig.feed(Input::Opened);
        rig.frame(Message::Hello(Hello { role, user: Some("ada".into()), ..hello("e", 0) }));
        rig.frame(Message::SyncStep1(&[0]));
        rig.frame(Message::SyncStep2(&[0, 0]));
        let status = rig.status();
        assert_eq!((status.read_only, status.can_comment), (role != Role::ReadWrite, can_comment));
        assert_eq!(rig.session.user(), Some("ada"));
        rig.take();
        set(&mut rig, "slate-yrs:comments", "t/c", Some("1"));
        assert!(rig.sent().contains(&"submit 1".to_owned()));
        rig.frame(Message::Ack { seq: 1 });
        assert_eq!((rig.status().pending, rig.status().saved), (0, Saved::Server));
    }
}
