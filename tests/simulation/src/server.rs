//! A server's process: real rooms on a runtime whose clock stands still between events, and what `connection` does
//! around them.
//!
//! Killing the process drops the runtime with every task wherever it waits; the database stays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use slate_yrs::protocol::{self, Message, Reassembly, Role, close, messages};
use slate_yrs_server::allowance::Allowances;
use slate_yrs_server::clock;
use slate_yrs_server::gate::{FORMATS, Layout};
use slate_yrs_server::hints::Hints;
use slate_yrs_server::metrics::Metrics;
use slate_yrs_server::room::frames::Outgoing;
use slate_yrs_server::room::{
    Command, JoinRequest, Participant, RoomLimits, RoomRef, Rooms, SendQueue, SendQueueEnd, Shared, send_queue,
};
use slate_yrs_server::storage::Storage;
use slate_yrs_server::writer::LogWriter;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep_until};

use crate::database::Database;
use crate::world::DOC;

/// How long the writer waits for the database.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What goes to a client.
pub enum Out {
    Frame(Vec<u8>),
    /// The code and the reason.
    Close(u16, &'static str),
}

/// How long the clock of a process is moved at once at most: days in which nothing happens are not worth living through.
const LONGEST_MS: u64 = 120_000;

pub struct Server {
    pub database: Database,
    pub limits: RoomLimits,
    idle: Duration,
    head_every: u64,
    process: Option<Process>,
    conns: BTreeMap<u64, Conn>,
    out: Vec<(u64, Out)>,
}

struct Process {
    // Rooms are dropped within the runtime they run on.
    rooms: Rooms,
    runtime: Runtime,
    /// The world's time at which the runtime's clock was last looked at.
    seen: u64,
}

struct Conn {
    room: RoomRef,
    queue: SendQueue,
    end: SendQueueEnd,
    reassembly: Reassembly,
}

impl Server {
    pub fn new(database: Database, limits: RoomLimits, idle_ms: u64, head_every: u64) -> Self {
        let idle = Duration::from_millis(idle_ms);
        Self { database, limits, idle, head_every, process: None, conns: BTreeMap::new(), out: Vec::new() }
    }

    pub fn start(&mut self, now: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let storage: Arc<dyn Storage> = Arc::new(self.database.clone());
        let metrics = Arc::new(Metrics::default());
        let rooms = {
            let _inside = runtime.enter();
            Rooms::new(Shared {
                writer: LogWriter::start(Arc::clone(&storage), Arc::clone(&metrics), PATIENCE),
                storage,
                limits: self.limits,
                layout: Layout::default(),
                metrics,
                hints: Hints::none(),
                changed: Arc::default(),
                allowances: Allowances::without_limits(),
                idle: self.idle,
                head_every: self.head_every,
            })
        };
        self.process = Some(Process { rooms, runtime, seen: now });
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.conns.clear();
        self.out.clear();
        self.database.cut_off();
        if let Some(Process { rooms, runtime, .. }) = self.process.take() {
            drop(runtime);
            drop(rooms);
        }
    }

    pub fn connect(&mut self, now: u64, conn: u64, session: &str, role: Role) {
        let Some(process) = &self.process else { return };
        clock::stand_at(now as i64);
        let _inside = process.runtime.enter();
        let Some(room) = process.rooms.hold(DOC, true) else { return };
        let (queue, end) = send_queue(1 << 24);
        let who = Participant {
            durable: true,
            session: Some(session.to_owned()),
            formats: FORMATS,
            role,
            author: None,
            owner: None,
            name: None,
            admin: false,
        };
        let request = JoinRequest { conn, who, taker: None, create: true, queue: queue.clone() };
        let joins = process.runtime.block_on(room.send(Command::Join(Box::new(request))));
        if !joins {
            queue.end(close::NORMAL, "");
        }
        self.conns.insert(conn, Conn { room, queue, end, reassembly: Reassembly::new(1 << 24) });
        self.pass(now);
    }

    /// The connection is gone, and the server knows.
    pub fn disconnect(&mut self, now: u64, conn: u64) {
        let Some(Conn { room, .. }) = self.conns.remove(&conn) else { return };
        if let Some(process) = &self.process {
            process.runtime.block_on(room.send(Command::Leave { conn }));
        }
        drop(room);
        self.pass(now);
    }

    pub fn receive(&mut self, now: u64, conn: u64, frame: &[u8]) {
        let (Some(process), Some(found)) = (&self.process, self.conns.get_mut(&conn)) else { return };
        assert!(frame.len() <= self.limits.max_frame_bytes, "a frame over the limit: {}", frame.len());
        clock::stand_at(now as i64);
        if frame == Message::Ping.to_frame() {
            self.out.push((conn, Out::Frame(Message::Pong.to_frame())));
            return;
        }
        let mut whole = None;
        if let Some(Ok(Message::Fragment { id, index, count, bytes })) = messages(frame).next() {
            match found.reassembly.take(now, id, index, count, bytes) {
                Ok(Some(frame)) => whole = Some(frame),
                Ok(None) => return,
                Err(_) => return found.queue.end(close::INTERNAL, "a piece of a frame is missing"),
            }
        }
        let bytes = whole.unwrap_or_else(|| frame.to_vec()).into();
        let taken = process.runtime.block_on(found.room.frame(conn, bytes));
        if !taken {
            found.queue.end(close::NORMAL, "");
        }
        self.pass(now);
    }

    /// Lets the process do what it can, until it waits for something; timers that are due by `now` included.
    pub fn pass(&mut self, now: u64) {
        let Some(process) = &mut self.process else { return };
        clock::stand_at(now as i64);
        let elapsed = (now - process.seen).clamp(1, LONGEST_MS);
        process.seen = now;
        process.runtime.block_on(async { sleep_until(Instant::now() + Duration::from_millis(elapsed)).await });
        self.collect(now);
    }

    fn collect(&mut self, now: u64) {
        let mut closed = Vec::new();
        for (conn, found) in &mut self.conns {
            let mut ending = found.end.ending().get();
            // An end goes ahead of what is queued.
            while ending.is_none()
                && let Some(outgoing) = found.end.try_next()
            {
                match outgoing {
                    Outgoing::Frame(bytes) => self.out.push((*conn, Out::Frame(bytes.to_vec()))),
                    Outgoing::Large { id, frame } => {
                        let pieces = protocol::fragments(&frame, id).map(|piece| (*conn, Out::Frame(piece)));
                        self.out.extend(pieces);
                    }
                    Outgoing::Text(_) => {}
                    Outgoing::Close { code, reason } => ending = Some((code, reason)),
                }
            }
            if let Some((code, reason)) = ending {
                self.out.push((*conn, Out::Close(code, reason)));
                closed.push(*conn);
            }
        }
        for conn in closed {
            self.disconnect(now, conn);
        }
    }

    pub fn take_out(&mut self) -> Vec<(u64, Out)> {
        std::mem::take(&mut self.out)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        clock::go_on();
    }
}
