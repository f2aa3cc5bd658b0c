//! A connection over HTTP: the server's real numbering of bodies and answers, and what `js/http-socket.ts` does, through a
//! network that loses, doubles and delays requests, loses answers and breaks them off.

use std::collections::BTreeMap;

use slate_yrs::protocol::lib0::var_uint;
use slate_yrs_server::stream::down::Down;
use slate_yrs_server::stream::up::{Record, Up};

use crate::world::{Backend, Event, Told, World};

/// Bytes of a body: so few that frames are cut.
const BODY_BYTES: usize = 400;
/// A body that is not answered is sent again after so long, so often.
const AGAIN_MS: u64 = 2_000;
const TRIES: u32 = 5;
/// An answer ends by itself.
const ANSWER_MS: u64 = 25_000;

/// Both ends of a connection over HTTP.
pub struct Requests {
    // --- the client's
    waiting: Vec<u8>,
    /// The body under way.
    body: Option<Vec<u8>>,
    /// Its number, or the last one's.
    number: u64,
    /// The frame that comes next.
    next: u64,
    /// The answer that is read.
    reads: u64,
    // --- the server's
    up: Up,
    down: Down,
    /// What frames tell, by number.
    told: BTreeMap<u64, Told>,
    pushed: u64,
    /// The answer under way, and its next frame.
    answer: Option<(u64, u64)>,
}

/// What happens to requests.
pub enum Step {
    /// A body arrives at the server.
    Body(u64, Vec<u8>),
    /// Its answer arrives at the client.
    Taken(u64),
    /// The client has waited for that for long enough, so many times.
    Late(u64, u32),
    /// A client asks for an answer, from this frame on.
    Asks(u64, u64),
    /// A frame of an answer arrives.
    Frame(u64, u64, Vec<u8>),
    /// The answer is over for the client, however it ended.
    Over(u64),
}

impl Requests {
    pub fn new(max_frame: usize) -> Self {
        Self {
            waiting: Vec::new(),
            body: None,
            number: 0,
            next: 0,
            reads: 0,
            up: Up::new(max_frame),
            down: Down::default(),
            told: BTreeMap::new(),
            pushed: 0,
            answer: None,
        }
    }
}

impl World {
    fn requests(&mut self, conn: u64) -> Option<&mut Requests> {
        self.conns.get_mut(&conn)?.http.as_mut()
    }

    /// The client is there, and wants to hear.
    fn is_client_open(&self, conn: u64) -> bool {
        self.conns.get(&conn).is_some_and(|conn| conn.client_open)
    }

    /// The client has a frame. False: this is no connection over HTTP.
    pub fn posts(&mut self, conn: u64, frame: &[u8]) -> bool {
        let Some(requests) = self.requests(conn) else { return false };
        var_uint(&mut requests.waiting, frame.len() as u64);
        requests.waiting.extend_from_slice(frame);
        self.next_body(conn);
        true
    }

    fn next_body(&mut self, conn: u64) {
        let Some(requests) = self.requests(conn) else { return };
        if requests.body.is_some() || requests.waiting.is_empty() {
            return;
        }
        let size = requests.waiting.len().min(BODY_BYTES);
        requests.body = Some(requests.waiting.drain(..size).collect());
        requests.number += 1;
        let number = requests.number;
        self.post(conn, number, 1);
    }

    fn post(&mut self, conn: u64, number: u64, tries: u32) {
        let Some(body) = self.requests(conn).and_then(|requests| requests.body.clone()) else { return };
        self.at(AGAIN_MS, Event::Http(conn, Step::Late(number, tries)));
        let delay = self.latency();
        match self.rng.u8(..16) {
            0 => return self.injected("request lost"),
            1 => {
                self.injected("request doubled");
                let later = self.latency();
                self.at(later, Event::Http(conn, Step::Body(number, body.clone())));
            }
            2 => {
                self.injected("request late, too");
                let later = self.rng.u64(1_000..20_000);
                self.at(later, Event::Http(conn, Step::Body(number, body.clone())));
            }
            _ => {}
        }
        self.at(delay, Event::Http(conn, Step::Body(number, body)));
    }

    /// The server has a frame. Gives it back if this is no connection over HTTP.
    pub fn answers(&mut self, conn: u64, frame: Vec<u8>, told: Told) -> Option<(Vec<u8>, Told)> {
        let Some(requests) = self.requests(conn) else { return Some((frame, told)) };
        requests.down.push(frame.into());
        requests.told.insert(requests.pushed, told);
        requests.pushed += 1;
        self.flush(conn);
        None
    }

    /// What there is goes into the answer under way.
    fn flush(&mut self, conn: u64) {
        loop {
            let Some(requests) = self.requests(conn) else { return };
            let Some((answer, at)) = requests.answer else { return };
            let Some(frame) = requests.down.frame(at).map(|frame| frame.to_vec()) else { return };
            requests.answer = Some((answer, at + 1));
            let delay = self.down_delay(conn);
            if self.rng.u8(..30) == 0 {
                self.injected("answer broken off");
                if let Some(requests) = self.requests(conn) {
                    requests.answer = None;
                }
                return self.at(delay, Event::Http(conn, Step::Over(answer)));
            }
            self.at(delay, Event::Http(conn, Step::Frame(answer, at, frame)));
        }
    }

    /// The client asks for the next answer.
    pub fn asks(&mut self, conn: u64) {
        let Some(requests) = self.requests(conn) else { return };
        requests.reads += 1;
        let (answer, from) = (requests.reads, requests.next);
        let delay = self.latency();
        if self.rng.u8(..20) == 0 {
            self.injected("question lost");
            return self.at(delay + 200, Event::Http(conn, Step::Over(answer)));
        }
        self.at(delay, Event::Http(conn, Step::Asks(answer, from)));
        self.at(ANSWER_MS, Event::Http(conn, Step::Over(answer)));
    }

    pub fn http(&mut self, conn: u64, step: Step) {
        let Some(found) = self.conns.get(&conn) else { return };
        let (up, down) = (found.carries_up && self.server_up, found.carries_down);
        match step {
            Step::Body(number, body) if up => self.body_arrives(conn, number, &body),
            Step::Asks(answer, from) if up => {
                let Some(requests) = self.requests(conn) else { return };
                // One that is overtaken by the next: what it says to have is less, and may be gone.
                if requests.down.resume(from).is_ok() {
                    requests.answer = Some((answer, from));
                    requests.told.retain(|number, _| *number >= from);
                    self.flush(conn);
                }
            }
            Step::Taken(number) if down && self.is_client_open(conn) => {
                let Some(requests) = self.requests(conn) else { return };
                if requests.number == number && requests.body.take().is_some() {
                    self.next_body(conn);
                }
            }
            Step::Late(number, tries) if self.is_client_open(conn) => {
                let Some(requests) = self.requests(conn) else { return };
                if requests.number != number || requests.body.is_none() {
                    return;
                }
                if tries < TRIES {
                    return self.post(conn, number, tries + 1);
                }
                self.at(0, Event::ClientSeesClose(conn, 1006, ""));
                self.at(30_000, Event::ServerSeesClose(conn));
            }
            Step::Frame(answer, number, frame) if down && self.is_client_open(conn) => {
                let Some(requests) = self.requests(conn) else { return };
                if requests.reads != answer {
                    return;
                }
                assert_eq!(requests.next, number, "frames of an answer come in order");
                requests.next += 1;
                let told = requests.told.get(&number).cloned().unwrap_or_default();
                self.client_hears(conn, frame, told);
            }
            Step::Over(answer) if self.is_client_open(conn) => {
                let is_read = self.requests(conn).is_some_and(|requests| requests.reads == answer);
                if is_read {
                    self.asks(conn);
                }
            }
            _ => {}
        }
    }

    fn body_arrives(&mut self, conn: u64, number: u64, body: &[u8]) {
        let Some(requests) = self.requests(conn) else { return };
        let records = requests.up.take(number, body).expect("bodies come one after the other");
        for record in records.into_iter().flatten() {
            let Record::Frame(frame) = record else { continue };
            match &mut self.backend {
                Backend::Real(server) => server.receive(self.now, conn, &frame),
                Backend::Plain(server) => server.receive(self.now, conn, &frame),
            }
            self.after_server();
        }
        if self.rng.u8(..16) == 0 {
            return self.injected("answer to a body lost");
        }
        let delay = self.latency();
        self.at(delay, Event::Http(conn, Step::Taken(number)));
    }
}
