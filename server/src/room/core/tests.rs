#![allow(clippy::unwrap_used, clippy::expect_used)]

use slate_yrs::format::KnownFormats;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact};

use super::*;
use crate::replica::PANICS;
use crate::storage::{Authors, Detail};

fn limits() -> RoomLimits {
    RoomLimits {
        max_update_bytes: 1 << 20,
        max_sync_bytes: 1 << 20,
        max_frame_bytes: 2 << 20,
        max_queued_bytes: 100_000,
        heartbeat_ms: 15_000,
        max_bad_frames: 20,
        max_document_bytes: 0,
    }
}

fn core() -> RoomCore {
    let document = Document { id: "scene".into(), epoch: "epoch".into(), tip: 0, created_at: 0, updated_at: 0 };
    RoomCore::new(limits(), Layout::default(), document, Replica::new())
}

fn join(core: &mut RoomCore, conn: ConnId, role: Role) {
    core.join(Join {
        conn,
        who: Participant {
            durable: true,
            session: Some(format!("session {conn}")),
            formats: KnownFormats::of(&[0]),
            role,
            author: None,
            owner: None,
            name: None,
            admin: false,
        },
        progress: Progress::default(),
        taker: None,
    });
}

fn insert(client: u64, text: &str) -> Vec<u8> {
    let doc = Doc::with_client_id(client);
    let root = doc.get_or_insert_text("content");
    let mut txn = doc.transact_mut();
    root.insert(&mut txn, 0, text);
    txn.encode_update_v1()
}

fn frame(messages: &[Message<'_>]) -> Bytes {
    let mut out = Vec::new();
    messages.iter().for_each(|message| message.encode(&mut out));
    out.into()
}

fn take(core: &mut RoomCore, conn: ConnId, bytes: &Bytes) -> Health {
    core.frame(0, Instant::now(), conn, bytes)
}

/// Frames for one connection, as text.
fn heard(core: &mut RoomCore, conn: ConnId) -> Vec<String> {
    let frames = core.take_frames(0);
    let mut heard = Vec::new();
    for outgoing in frames.out.into_iter().filter(|(to, _)| *to == conn).flat_map(|(_, frames)| frames) {
        match outgoing {
            Outgoing::Frame(bytes) | Outgoing::Large { frame: bytes, .. } => {
                heard.extend(protocol::messages(&bytes).map(|message| match message.unwrap() {
                    Message::Hello(_) => "hello".into(),
                    Message::SyncStep1(_) => "step 1".into(),
                    Message::SyncStep2(_) => "step 2".into(),
                    Message::Update(_) => "update".into(),
                    Message::Awareness(_) => "awareness".into(),
                    Message::Ack { seq } => format!("ack {seq}"),
                    Message::Reject { seq, .. } => format!("reject {seq}"),
                    other => format!("{other:?}"),
                }));
            }
            Outgoing::Close { code, .. } => heard.push(format!("close {code}")),
            Outgoing::Text(text) => heard.push(text.into()),
        }
    }
    heard
}

#[test]
fn f23_a_frame_full_of_questions_is_answered_once() {
    let mut core = core();
    join(&mut core, 1, Role::ReadWrite);
    join(&mut core, 2, Role::ReadOnly);
    let text = insert(7, &"x".repeat(50_000));
    assert_eq!(take(&mut core, 1, &frame(&[Message::Submit { seq: 1, update: &text }])), Health::Sound);
    heard(&mut core, 2);
    // A state vector that names somebody else: nothing can be left out of the answer.
    let question = frame(&[Message::SyncStep1(&[1, 9, 1]), Message::QueryAwareness]);
    let many = Bytes::from(question.repeat(100_000));
    assert_eq!(take(&mut core, 2, &many), Health::Sound);
    assert_eq!(heard(&mut core, 2), ["step 2", "awareness"]);
}

#[test]
fn who_joins_a_document_larger_than_may_wait_stays_while_others_type() {
    let mut core = core();
    join(&mut core, 1, Role::ReadWrite);
    let text = insert(7, &"x".repeat(200_000));
    assert_eq!(take(&mut core, 1, &frame(&[Message::Submit { seq: 1, update: &text }])), Health::Sound);
    heard(&mut core, 1);
    join(&mut core, 2, Role::ReadWrite);
    heard(&mut core, 2);
    assert_eq!(take(&mut core, 2, &frame(&[Message::SyncStep1(&[0])])), Health::Sound);
    assert_eq!(take(&mut core, 2, &frame(&[Message::QueryAwareness])), Health::Sound);
    assert_eq!(heard(&mut core, 2), ["step 2", "awareness"]);
}

#[test]
fn what_one_frame_brings_forth_is_bounded() {
    let mut core = core();
    join(&mut core, 1, Role::ReadWrite);
    heard(&mut core, 1);
    let pings = Bytes::from(frame(&[Message::Ping]).repeat(1 << 20));
    assert_eq!(take(&mut core, 1, &pings), Health::Sound);
    assert_eq!(heard(&mut core, 1), [format!("close {}", protocol::close::SLOW)]);
    // It is being closed: what it sends now is not looked at.
    let update = insert(7, "late");
    assert_eq!(take(&mut core, 1, &frame(&[Message::Submit { seq: 1, update: &update }])), Health::Sound);
    assert!(core.take_rows().is_none());
}

#[test]
fn f16_what_follows_an_update_that_spoils_the_document_is_not_stored() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut core = core();
    join(&mut core, 1, Role::ReadWrite);
    let (first, third) = (insert(7, "first"), insert(8, "third"));
    let all = frame(&[
        Message::Submit { seq: 1, update: &first },
        Message::Submit { seq: 2, update: PANICS },
        Message::Submit { seq: 3, update: &third },
    ]);
    assert_eq!(take(&mut core, 1, &all), Health::Spoiled);
    assert_eq!(take(&mut core, 1, &frame(&[Message::Submit { seq: 3, update: &third }])), Health::Sound);
    let rows = core.take_rows().unwrap();
    assert_eq!(rows.updates.len(), 1);
    core.replace_replica(Replica::new());
    let mut heard = heard(&mut core, 1);
    heard.sort();
    assert_eq!(heard, ["ack 1", "close 1008", "hello", "reject 2", "step 1"]);
    let _ = std::panic::take_hook();
}

#[test]
fn presence_does_not_wait_for_storage_and_hello_comes_first() {
    let mut core = core();
    join(&mut core, 1, Role::ReadWrite);
    core.take_frames(0);
    join(&mut core, 2, Role::ReadWrite);
    join(&mut core, 3, Role::ReadWrite);
    let (update, state) = (insert(7, "x"), [1, 9, 1, 2, b'{', b'}']);
    let bytes = frame(&[Message::Update(&update), Message::Awareness(&state)]);
    assert_eq!(take(&mut core, 2, &bytes), Health::Sound);
    assert!(core.take_rows().is_some() && core.has_presence(100));
    let early: Vec<ConnId> = core.take_presence(100).out.into_iter().map(|(conn, _)| conn).collect();
    assert_eq!(early, [1]);
    assert_eq!(heard(&mut core, 3), ["hello", "step 1", "update", "awareness"]);
}

#[test]
fn sessions_that_left_are_forgotten() {
    let mut core = core();
    for conn in 0..100 {
        join(&mut core, conn, Role::ReadWrite);
        let update = insert(conn + 1, "x");
        assert_eq!(take(&mut core, conn, &frame(&[Message::Submit { seq: 1, update: &update }])), Health::Sound);
        core.leave(0, conn);
    }
    assert!(core.sessions.is_empty());
}

#[test]
fn what_is_the_same_for_several_is_put_together_once() {
    let mut core = core();
    (1..=3).for_each(|conn| join(&mut core, conn, Role::ReadWrite));
    core.take_frames(0);
    let (a, b) = (insert(7, "a"), insert(8, "b"));
    assert_eq!(take(&mut core, 1, &frame(&[Message::Update(&a), Message::Update(&b)])), Health::Sound);
    let frames = core.take_frames(0);
    let joined: Vec<&Bytes> = frames
        .out
        .iter()
        .map(|(_, frames)| match frames.as_slice() {
            [Outgoing::Frame(bytes)] => bytes,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(joined.len(), 2);
    assert_eq!(joined[0].as_ptr(), joined[1].as_ptr());
    assert_eq!(protocol::messages(joined[0]).count(), 2);
}

/// Another server has stored the flag: who does not know it is closed here as well, and is not sent it.
#[test]
fn a_flag_from_another_server_closes_who_does_not_know_it() {
    let mut core = core();
    join(&mut core, 1, Role::ReadWrite);
    heard(&mut core, 1);
    let doc = Doc::with_client_id(9);
    slate_yrs::format::set_format(&mut doc.transact_mut(), 1);
    let bytes = doc.transact().encode_diff_v1(&StateVector::default());
    let (detail, authors) = (Detail::Edit, Authors::default());
    let row = UpdateRow { seq: 1, first_seq: 1, detail, authors, at: 0, bytes, quarantined: None, submitted: false };
    assert_eq!(core.remote_rows(&[row]).0, Health::Sound);
    assert_eq!(heard(&mut core, 1), [format!("close {}", close::FORMAT)]);
    // What it sends from now on is dropped, not refused.
    let text = insert(7, "x");
    assert_eq!(take(&mut core, 1, &frame(&[Message::Submit { seq: 1, update: &text }])), Health::Sound);
    assert!(core.take_rows().is_none() && heard(&mut core, 1).is_empty());
}
