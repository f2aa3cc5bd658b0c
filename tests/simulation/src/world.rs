//! The simulated world: tabs on devices, a network that fails, a server that dies, and virtual time.
//!
//! Everything happens in the order of (time, number). A step draws its luck from its own number.

use std::collections::BTreeMap;

use slate_yrs::protocol::{Hello, Message, NOTHING, Reassembly, Role, messages};
use slate_yrs::session::Input;
use slate_yrs::slate::{Node, SlateDoc};
use slate_yrs_server::room::RoomLimits;
use tokio::sync::oneshot;

use crate::checks::{Submitted, Truth};
use crate::content::Content;
use crate::database::Database;
use crate::device::Device;
use crate::plain::{Plain, reader};
use crate::plan::{Acts, Bug, Faults, Plan};
use crate::requests::{Requests, Step};
use crate::server::{Out, Server};
use crate::tabs::{News, Tab};

pub const DOC: &str = "scene";
const BEGIN: u64 = 1_700_000_000_000;

pub enum Event {
    Tick(usize),
    /// The device has finished a write, or is to load.
    Store(usize, u64),
    OpenSocket(usize, u64),
    ToServer(u64, Vec<u8>),
    Http(u64, Step),
    ToClient(u64, Vec<u8>, Told),
    /// The code and the reason.
    ClientSeesClose(u64, u16, &'static str),
    ServerSeesClose(u64),
    /// The database has done what it was asked, or says so.
    Answer(oneshot::Sender<()>),
    /// The server's timers.
    Pass,
    ServerStarts,
    /// Another tab of the device has made a change.
    Broadcast(usize, u64, News),
    Keep(usize, u64, bool),
    /// Somebody takes over what this session of the device has left.
    Orphaned(usize, String),
    /// A tab has waited for the lock of a dead session, and has it.
    Granted(usize, u64, String),
}

/// What a frame tells a client about itself.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub hello: Option<Hello>,
    pub step_2: bool,
    pub refused: Vec<Submitted>,
}

pub struct Conn {
    pub tab: usize,
    pub session: String,
    /// The client's socket is open, as far as the client knows.
    pub client_open: bool,
    /// Frames get through. A half-open connection looks open on both ends.
    pub carries_up: bool,
    pub carries_down: bool,
    up_at: u64,
    down_at: u64,
    /// As the client sends and as the server does: for looking into what is on its way.
    pub sending: Reassembly,
    answering: Reassembly,
    /// What the client has been told.
    pub hello: Option<Hello>,
    pub synced: bool,
    /// It goes over HTTP.
    pub http: Option<Requests>,
}

pub enum Backend {
    Real(Box<Server>),
    Plain(Box<Plain>),
}

pub struct World {
    pub now: u64,
    pub rng: fastrand::Rng,
    pub plan: Plan,
    pub backend: Backend,
    pub tabs: Vec<Tab>,
    pub devices: Vec<Device>,
    /// Tabs of a device agree on who keeps what the server sends.
    pub locks: bool,
    pub server_up: bool,
    pub network_up: bool,
    /// Frames of submissions are lost, and nothing else.
    pub loses: bool,
    pub conns: BTreeMap<u64, Conn>,
    events: BTreeMap<(u64, u64), Event>,
    pub numbers: u64,
    /// When the server's timers are looked at next.
    pass_at: u64,
    pub truth: Truth,
    /// Printed when something is wrong.
    pub trace: Vec<String>,
    pub faults: Faults,
}

impl World {
    pub fn new(plan: Plan) -> Self {
        let mut rng = fastrand::Rng::with_seed(plan.seed);
        let limits = limits(&mut rng, plan.acts);
        let backend = if plan.plain {
            Backend::Plain(Box::new(Plain::new(plan.bug == Bug::Step2NotStored)))
        } else {
            let database = Database::new(plan.bug == Bug::CommittedTooEarly);
            let (idle, head_every) = (rng.u64(500..20_000), rng.u64(3..60));
            Backend::Real(Box::new(Server::new(database, limits, idle, head_every)))
        };
        let mut world = Self {
            now: BEGIN,
            locks: rng.u8(..4) > 0,
            rng,
            backend,
            loses: plan.lossy,
            plan,
            tabs: Vec::new(),
            devices: Vec::new(),
            server_up: true,
            network_up: true,
            conns: BTreeMap::new(),
            events: BTreeMap::new(),
            numbers: 0,
            pass_at: u64::MAX,
            truth: Truth::default(),
            trace: Vec::new(),
            faults: Faults::new(),
        };
        let begun = if world.plan.format > 0 { of_format_1(&world.first_value(0)) } else { Vec::new() };
        match &mut world.backend {
            Backend::Real(server) => {
                if !begun.is_empty() {
                    server.database.begin(DOC, BEGIN as i64, &begun);
                }
                server.start(BEGIN);
            }
            Backend::Plain(server) => server.begin(&begun),
        }
        world.furnish();
        world
    }

    /// Two to five tabs, some of them together on a device.
    fn furnish(&mut self) {
        let tabs = self.rng.usize(2..=5);
        while self.tabs.len() < tabs {
            let device = self.devices.len();
            // A log so long that it is to be compacted soon.
            let old_rows = if self.rng.u8(..8) == 0 { self.rng.u32(480..520) } else { 0 };
            self.devices.push(Device::new(old_rows));
            let together = if self.rng.u8(..3) == 0 { self.rng.usize(2..=3) } else { 1 };
            // Without locks nobody knows of another tab that it lives, and two may take over the same. Where edits are
            // refused, what tabs of one device do with each other's is looked into on demand: docs/RELIABILITY.md.
            let share = self.locks && (self.plan.acts != Acts::Refused || self.plan.together);
            let together = if share { together } else { 1 };
            for _ in 0..together.min(tabs - self.tabs.len()) {
                self.tabs.push(Tab::new(device));
                self.open(self.tabs.len() - 1);
            }
        }
    }

    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.trace.len() < 5_000 {
            self.trace.push(format!("{:>9} {}", self.now - BEGIN, text()));
        }
    }

    pub fn injected(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    pub fn at(&mut self, delay: u64, event: Event) {
        self.numbers += 1;
        self.events.insert((self.now + delay, self.numbers), event);
    }

    /// Lets `ms` pass.
    pub fn run_for(&mut self, ms: u64) {
        let until = self.now + ms;
        while let Some((&(at, number), _)) = self.events.first_key_value()
            && at <= until
        {
            let event = self.events.remove(&(at, number)).expect("just seen");
            self.now = self.now.max(at);
            self.event(event);
        }
        self.now = until;
    }

    pub fn set_luck(&mut self, luck: u64) {
        self.rng = fastrand::Rng::with_seed(luck);
        if let Backend::Real(server) = &self.backend {
            server.database.set_luck(luck);
        }
    }

    pub fn step(&mut self, number: u32, luck: u64) {
        self.set_luck(luck);
        self.note(|| format!("step {number}"));
        match self.rng.u8(..10) {
            0 | 1 => self.fault(),
            2 => {
                let ms = self.rng.u64(..20_000);
                self.run_for(ms);
            }
            _ => {
                let tab = self.rng.usize(..self.tabs.len());
                self.act(tab);
                let ms = self.rng.u64(..300);
                self.run_for(ms);
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Tick(tab) => {
                if self.tabs[tab].tick_at.is_some_and(|at| at <= self.now) {
                    self.tabs[tab].tick_at = None;
                    self.feed(tab, Input::Tick);
                }
            }
            Event::Store(tab, life) => self.store_step(tab, life),
            Event::OpenSocket(tab, life) => self.socket_opens(tab, life),
            Event::ToServer(conn, frame) => {
                if self.server_up && self.conns.get(&conn).is_some_and(|conn| conn.carries_up) {
                    match &mut self.backend {
                        Backend::Real(server) => server.receive(self.now, conn, &frame),
                        Backend::Plain(server) => server.receive(self.now, conn, &frame),
                    }
                    self.after_server();
                }
            }
            Event::Http(conn, step) => self.http(conn, step),
            Event::ToClient(conn, frame, told) => self.client_hears(conn, frame, told),
            Event::ClientSeesClose(conn, code, reason) => self.client_sees_close(conn, code, reason),
            Event::ServerSeesClose(conn) => {
                match &mut self.backend {
                    Backend::Real(server) => server.disconnect(self.now, conn),
                    Backend::Plain(server) => server.disconnect(conn),
                }
                self.after_server();
            }
            Event::Answer(done) => {
                // Nobody waits for it if the process was killed.
                if done.send(()).is_ok() {
                    self.server_passes();
                    self.expect_pass(25);
                }
            }
            Event::Pass => {
                if self.now < self.pass_at {
                    return;
                }
                // Where nothing happens, nothing is due but that a room is given up.
                self.pass_at = self.now + 2_000;
                self.at(2_000, Event::Pass);
                self.server_passes();
            }
            Event::ServerStarts => self.server_starts(),
            Event::Broadcast(tab, life, news) => self.hears_tab(tab, life, news),
            Event::Keep(tab, life, here) => self.is_keeper(tab, life, here),
            Event::Orphaned(device, session) => self.orphaned(device, session),
            Event::Granted(tab, life, session) => self.granted((tab, life), session),
        }
    }

    fn server_passes(&mut self) {
        if let Backend::Real(server) = &mut self.backend {
            server.pass(self.now);
            self.hand_on();
        }
    }

    pub fn client_hears(&mut self, conn: u64, frame: Vec<u8>, told: Told) {
        let Some(found) = self.conns.get_mut(&conn) else { return };
        if !found.client_open || !found.carries_down {
            return;
        }
        found.synced |= told.step_2;
        self.truth.refusals_heard.extend(told.refused);
        found.hello = told.hello.or(found.hello.take());
        let tab = found.tab;
        self.feed(tab, Input::Frame(frame));
    }

    fn client_sees_close(&mut self, conn: u64, code: u16, reason: &str) {
        let Some(found) = self.conns.get_mut(&conn) else { return };
        if std::mem::take(&mut found.client_open) {
            let tab = found.tab;
            self.tabs[tab].conn = None;
            self.note(|| format!("t{tab} sees its connection closed, {code} {reason}"));
            self.feed(tab, Input::Closed { code, reason: reason.to_owned() });
        }
    }

    /// Sends on what the server has to say, and lets its database begin what it was asked.
    pub fn after_server(&mut self) {
        self.hand_on();
        // Presence is held back for 20 ms.
        self.expect_pass(25);
    }

    fn hand_on(&mut self) {
        let out = match &mut self.backend {
            Backend::Real(server) => server.take_out(),
            Backend::Plain(server) => server.take_out(),
        };
        for (conn, out) in out {
            let out = match out {
                Out::Frame(frame) => {
                    let told = self.look_into_answer(conn, &frame);
                    let Some((frame, told)) = self.answers(conn, frame, told) else { continue };
                    Event::ToClient(conn, frame, told)
                }
                Out::Close(code, reason) => Event::ClientSeesClose(conn, code, reason),
            };
            let delay = self.down_delay(conn);
            let Some(found) = self.conns.get(&conn) else { continue };
            if found.carries_down || matches!(out, Event::ToClient(..)) {
                self.at(delay, out);
            }
        }
        let Backend::Real(server) = &self.backend else { return };
        if let Some(broken) = server.database.broken() {
            panic!("{broken}");
        }
        for (delay, done) in server.database.take_waiting() {
            self.at(delay, Event::Answer(done));
        }
    }

    /// When what the server sends now arrives: after what it has sent before.
    pub fn down_delay(&mut self, conn: u64) -> u64 {
        let delay = self.latency();
        let Some(found) = self.conns.get_mut(&conn) else { return delay };
        found.down_at = found.down_at.max(self.now + delay);
        found.down_at - self.now
    }

    fn expect_pass(&mut self, delay: u64) {
        let at = self.now + delay;
        if at < self.pass_at {
            self.pass_at = at;
            self.at(delay, Event::Pass);
        }
    }

    /// What a frame of the server says, and whether it may say so.
    fn look_into_answer(&mut self, conn: u64, frame: &[u8]) -> Told {
        let mut told = Told::default();
        let Some(found) = self.conns.get_mut(&conn) else { return told };
        let mut whole = None;
        if let Some(Ok(Message::Fragment { id, index, count, bytes })) = messages(frame).next() {
            whole = found.answering.take(self.now, id, index, count, bytes).expect("pieces in order");
            if whole.is_none() {
                return told;
            }
        }
        let session = found.session.clone();
        for message in messages(whole.as_deref().unwrap_or(frame)) {
            match message.expect("a server sends what decodes") {
                Message::Hello(hello) => {
                    self.check_hello(&session, &hello.epoch, hello.acked_seq);
                    self.check_ack(&session, &hello.epoch, hello.acked_seq);
                    if let Some(found) = self.conns.get_mut(&conn) {
                        found.answering = Reassembly::new(1 << 24);
                    }
                    self.truth.epochs.insert(conn, hello.epoch.clone());
                    told.hello = Some(hello);
                }
                Message::Ack { seq } => {
                    let epoch = self.truth.epochs.get(&conn).cloned().unwrap_or_default();
                    self.check_ack(&session, &epoch, seq);
                }
                Message::Reject { seq, code, .. } => {
                    let epoch = self.truth.epochs.get(&conn).cloned().unwrap_or_default();
                    let refused = (session.clone(), epoch, seq);
                    told.refused.push(refused.clone());
                    self.truth.refused.insert(refused);
                    self.note(|| format!("{seq} of {session} is refused: {}", code.as_str()));
                }
                Message::SyncStep2(_) => told.step_2 = true,
                _ => {}
            }
        }
        told
    }

    pub fn latency(&mut self) -> u64 {
        if self.rng.u8(..20) == 0 { self.rng.u64(200..3_000) } else { self.rng.u64(1..60) }
    }

    /// Everything that a database has, or ever had under this name, or a plain server remembers.
    pub fn with_ever<T>(&self, read: impl FnOnce(&Content) -> T) -> T {
        match &self.backend {
            Backend::Real(server) => server.database.with_ever(read),
            Backend::Plain(server) => read(server.content()),
        }
    }

    // --- connections

    fn socket_opens(&mut self, tab: usize, life: u64) {
        let it = &self.tabs[tab];
        if it.life != life || it.session.is_none() || it.conn.is_some() {
            return;
        }
        if !self.server_up || !self.network_up || self.rng.u8(..20) == 0 {
            return self.feed(tab, Input::Closed { code: 1006, reason: String::new() });
        }
        if let Some(code) = it.token.refusal() {
            return self.feed(tab, Input::Closed { code, reason: "no".into() });
        }
        let (session, role) = (it.name.clone(), it.role);
        self.numbers += 1;
        let conn = self.numbers;
        let found = Conn {
            tab,
            session: session.clone(),
            client_open: true,
            carries_up: true,
            carries_down: true,
            up_at: self.now,
            down_at: self.now,
            sending: Reassembly::new(1 << 24),
            answering: Reassembly::new(1 << 24),
            hello: None,
            synced: false,
            http: (self.plan.http && !self.plan.plain).then(|| Requests::new(1 << 24)),
        };
        self.conns.insert(conn, found);
        self.tabs[tab].conn = Some(conn);
        self.note(|| format!("t{tab} is connected by {conn}"));
        match &mut self.backend {
            Backend::Real(server) => server.connect(self.now, conn, &session, role),
            Backend::Plain(server) => server.connect(conn),
        }
        self.after_server();
        self.feed(tab, Input::Opened);
        self.asks(conn);
    }

    pub fn send(&mut self, tab: usize, frame: Vec<u8>) {
        let delay = self.latency();
        let Some(conn) = self.tabs[tab].conn else { return };
        let submits = self.look_into_request(conn, &frame);
        if self.posts(conn, &frame) {
            return;
        }
        if self.loses && submits && self.rng.u8(..20) == 0 {
            return self.injected("frame lost");
        }
        let twice = submits && self.rng.u8(..40) == 0;
        let Some(found) = self.conns.get_mut(&conn) else { return };
        found.up_at = found.up_at.max(self.now + delay);
        let delay = found.up_at - self.now;
        if twice {
            self.at(delay, Event::ToServer(conn, frame.clone()));
            self.injected("frame twice");
        }
        self.at(delay, Event::ToServer(conn, frame));
    }

    /// Remembers what is submitted. Returns whether the frame may come twice.
    fn look_into_request(&mut self, conn: u64, frame: &[u8]) -> bool {
        let Some(found) = self.conns.get_mut(&conn) else { return false };
        let mut whole = None;
        if let Some(Ok(Message::Fragment { id, index, count, bytes })) = messages(frame).next() {
            whole = found.sending.take(self.now, id, index, count, bytes).expect("pieces in order");
            if whole.is_none() {
                return false;
            }
        }
        let epoch = found.hello.as_ref().map(|hello| hello.epoch.clone()).unwrap_or_default();
        let session = found.session.clone();
        let mut only_submits = whole.is_none();
        for message in messages(whole.as_deref().unwrap_or(frame)) {
            match message.expect("clients send what decodes") {
                // Says what is under no seq any more.
                Message::Submit { update, .. } if update == NOTHING => {}
                Message::Submit { seq, update } => {
                    self.truth.submitted(session.clone(), epoch.clone(), seq, Content::of(update));
                }
                _ => only_submits = false,
            }
        }
        only_submits
    }

    /// The client has closed its socket.
    pub fn client_closes(&mut self, conn: u64) {
        let late = self.rng.bool();
        let delay = self.rng.u64(1..30_000);
        if let Some(found) = self.conns.get_mut(&conn) {
            found.client_open = false;
            // What was on its way may still arrive, after the client has come back by another connection.
            found.carries_up &= late;
            found.carries_down = false;
        }
        self.at(delay, Event::ServerSeesClose(conn));
    }

    pub fn cut(&mut self, tab: usize) {
        let Some(conn) = self.tabs[tab].conn else { return };
        self.note(|| format!("t{tab} is cut off"));
        let arrives = self.rng.u8(..3) == 0;
        if let Some(found) = self.conns.get_mut(&conn) {
            found.carries_down = false;
            found.carries_up &= arrives;
        }
        let (soon, later) = (self.rng.u64(1..500), self.rng.u64(1..40_000));
        self.at(soon, Event::ClientSeesClose(conn, 1006, ""));
        self.at(later, Event::ServerSeesClose(conn));
    }

    pub fn half_open(&mut self, tab: usize) {
        let Some(conn) = self.tabs[tab].conn else { return };
        self.note(|| format!("t{tab} is half open"));
        let up = self.rng.u8(..3) == 0;
        if let Some(found) = self.conns.get_mut(&conn) {
            found.carries_down = false;
            found.carries_up &= up;
        }
        self.at(90_000, Event::ServerSeesClose(conn));
    }

    // --- the server

    pub fn kill_server(&mut self, back_after: u64) {
        match &mut self.backend {
            Backend::Real(server) => server.kill(),
            Backend::Plain(server) => server.crash(),
        }
        self.check_database();
        let up = std::mem::replace(&mut self.server_up, false);
        let conns: Vec<u64> = self.conns.keys().copied().collect();
        for conn in conns {
            let delay = self.rng.u64(1..1_000);
            if let Some(found) = self.conns.get_mut(&conn) {
                found.carries_up = false;
                found.carries_down = false;
            }
            self.at(delay, Event::ClientSeesClose(conn, 1006, ""));
        }
        if up {
            self.at(back_after, Event::ServerStarts);
        }
    }

    fn server_starts(&mut self) {
        self.server_up = true;
        self.note(|| "the server is there".into());
        if let Backend::Real(server) = &mut self.backend {
            server.start(self.now);
        }
    }
}

/// The update of a document of format 1 that has this value: one, so that nobody has some of it.
fn of_format_1(value: &[Node]) -> Vec<Vec<u8>> {
    let seed = SlateDoc::seed_update("content", value);
    let mut doc = reader(std::slice::from_ref(&seed));
    doc.raise_format(1);
    vec![doc.encode_state(None).expect("encodes")]
}

fn limits(rng: &mut fastrand::Rng, acts: Acts) -> RoomLimits {
    let (update, frame) = match rng.u8(..4) {
        // What one act copies is one value, which cannot be cut.
        0 if acts != Acts::Structure => (600, 700),
        0 | 1 => (5_000, 1_000),
        _ if acts == Acts::Refused => (600, 5_000),
        _ => (1 << 20, 1 << 20),
    };
    RoomLimits {
        max_update_bytes: update,
        max_sync_bytes: 1 << 24,
        max_frame_bytes: frame,
        heartbeat_ms: 15_000,
        max_bad_frames: 100,
        max_document_bytes: 0,
        max_queued_bytes: 1 << 25,
    }
}

/// Who may read only.
pub fn other_role(role: Role) -> Role {
    match role {
        Role::ReadWrite => Role::ReadOnly,
        Role::ReadOnly | Role::Comment => Role::ReadWrite,
    }
}
