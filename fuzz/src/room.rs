//! A room without sockets and database: frames of whoever is connected, in the order in which they come.

use std::time::Instant;

use axum::body::Bytes;
use slate_yrs::format::KnownFormats;
use slate_yrs::protocol::{self, Message, NOTHING, Role};
use slate_yrs::update::say_the_same;
use slate_yrs_server::gate::Layout;
use slate_yrs_server::replica::Replica;
use slate_yrs_server::room::Participant;
use slate_yrs_server::room::core::{Health, Join, RoomCore};
use slate_yrs_server::room::frames::Outgoing;
use slate_yrs_server::room::{ConnId, RoomLimits};
use slate_yrs_server::storage::{Document, Progress};

/// Of the package in a new and in an old version, one that may only read, and a y-websocket client.
const CONNECTIONS: ConnId = 4;

fn limits() -> RoomLimits {
    RoomLimits {
        max_update_bytes: 1 << 16,
        max_sync_bytes: 1 << 16,
        max_frame_bytes: 1 << 17,
        max_queued_bytes: 1 << 20,
        heartbeat_ms: 15_000,
        max_bad_frames: 20,
        max_document_bytes: 0,
    }
}

fn join(conn: ConnId) -> Join {
    let durable = conn < 3;
    Join {
        conn,
        who: Participant {
            durable,
            session: durable.then(|| format!("session {conn}")),
            formats: if conn == 1 { KnownFormats::of(&[0]) } else { KnownFormats::of(&[0, 1]) },
            role: if conn == 2 { Role::ReadOnly } else { Role::ReadWrite },
            author: None,
            owner: None,
            name: None,
            admin: false,
        },
        progress: Progress::default(),
        taker: None,
    }
}

fn load(log: &[Bytes]) -> Replica {
    let mut replica = Replica::new();
    for row in log {
        assert!(replica.load(row).is_ok(), "what was stored cannot be loaded: {row:?}");
    }
    replica
}

/// Frames into a room: the room is what its log says, nothing is acknowledged over a gap, a reader stores nothing, and what goes out can
/// be read.
pub fn room(bytes: &[u8]) {
    let document = Document { id: "scene".into(), epoch: "epoch".into(), tip: 0, created_at: 0, updated_at: 0 };
    let mut core = RoomCore::new(limits(), Layout::default(), document, Replica::new());
    (0..CONNECTIONS).for_each(|conn| core.join(join(conn)));
    let mut log: Vec<Bytes> = Vec::new();
    // All before it were submitted.
    let mut next = [1u64; CONNECTIONS as usize];
    for (who, frame) in super::pieces(bytes) {
        let conn = ConnId::from(who) % CONNECTIONS;
        for message in protocol::messages(frame).map_while(Result::ok) {
            if let Message::Submit { seq, update } = message {
                let next = &mut next[conn as usize];
                if seq == *next || update == NOTHING && seq > *next {
                    *next = seq.saturating_add(1);
                }
            }
        }
        let health = core.frame(0, Instant::now(), conn, &Bytes::copy_from_slice(frame));
        if let Some(rows) = core.take_rows() {
            assert!(conn != 2, "a reader has stored something");
            log.extend(rows.updates.into_iter().map(|row| row.bytes));
            core.committed(log.len() as i64);
        }
        if health == Health::Spoiled {
            core.replace_replica(load(&log));
        }
        for (to, frames) in core.take_frames(0).out {
            for outgoing in frames {
                let (Outgoing::Frame(frame) | Outgoing::Large { frame, .. }) = outgoing else { continue };
                for message in protocol::messages(&frame) {
                    match message {
                        Ok(Message::Ack { seq }) => assert!(seq < next[to as usize], "{seq} did not arrive"),
                        Ok(_) => {}
                        Err(error) => panic!("it sends what cannot be read: {error}"),
                    }
                }
            }
        }
    }
    let loaded = load(&log);
    assert_eq!(loaded.has_pending(), core.replica().has_pending());
    assert!(
        loaded.has_pending() || say_the_same(&loaded.encode(), &core.replica().encode()),
        "the room is not what its log says"
    );
}
