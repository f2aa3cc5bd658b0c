//! The simulated world: clients with their devices, a network that fails, a server that dies, and virtual time.
//!
//! Everything happens in the order of (time, number) and follows from one seed.

use std::collections::{BTreeMap, VecDeque};

use slate_yrs::session::{Config, Input, Origin, Output, Remote, Saved, Session, Storage};
use slate_yrs::slate::{Node, Op};
use slate_yrs::store::{Loaded, MemoryStore, StoreError, Write};

use crate::content::Content;
use crate::editor::{Editor, block, canonical};
use crate::server::{Bug, Limits, Server};

pub const DOC: &str = "scene";

/// Bugs a client's driver could have; those of servers are in [`Bug`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientBug {
    None,
    /// Says a write is stored before it is.
    StoredTooEarly,
    /// The outbox is not in what the store gives back after a reload.
    OutboxForgotten,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub steps: u32,
    pub plain: bool,
    /// Undo puts back what others may have put back too: nothing is told by a text that is there twice.
    pub undo: bool,
    pub bug: Bug,
    pub client_bug: ClientBug,
}

#[derive(Debug, Clone)]
enum Event {
    Tick(usize),
    /// The device has finished a write, or is to load.
    Store(usize, u64),
    OpenSocket(usize, u64),
    ToServer(u64, Vec<u8>),
    ToClient(u64, Vec<u8>),
    ClientSeesClose(u64, u16),
    ServerSeesClose(u64),
    Commit,
    ServerStarts,
}

struct Conn {
    client: usize,
    /// The client's socket is open, as far as the client knows.
    client_open: bool,
    /// Frames get through. A half-open connection looks open on both ends.
    carries_up: bool,
    carries_down: bool,
    up_at: u64,
    down_at: u64,
}

enum StoreOrder {
    Load,
    Write { ticket: u64, writes: Vec<Write> },
}

pub struct Client {
    pub session: Option<Session>,
    pub editor: Editor,
    pub store: MemoryStore,
    orders: VecDeque<StoreOrder>,
    conn: Option<u64>,
    ready: bool,
    life: u64,
    tick_at: Option<u64>,
    /// Updates of this life that the server has not been seen to have.
    unverified: Vec<Content>,
    /// The same of the device.
    unstored: Vec<Content>,
    token_ok: bool,
}

pub struct World {
    pub now: u64,
    pub rng: fastrand::Rng,
    pub plan: Plan,
    pub server: Server,
    pub clients: Vec<Client>,
    server_up: bool,
    network_up: bool,
    conns: BTreeMap<u64, Conn>,
    events: BTreeMap<(u64, u64), Event>,
    numbers: u64,
    commit_due: bool,
    /// Updates that a device has stored as pending: they must reach the server.
    journaled: Vec<Content>,
    /// Printed when something is wrong.
    pub trace: Vec<String>,
    pub faults: u64,
}

impl World {
    pub fn new(plan: Plan) -> Self {
        let mut rng = fastrand::Rng::with_seed(plan.seed);
        let limits = match rng.u8(..4) {
            0 => Limits { update: 600, frame: 700 },
            1 => Limits { update: 5_000, frame: 1_000 },
            _ => Limits { update: 1 << 20, frame: 1 << 20 },
        };
        let mut server = Server::new(plan.plain, plan.bug, limits);
        server.rate_limited = if rng.u8(..4) == 0 { 3 } else { 0 };
        let mut world = Self {
            now: 1_700_000_000_000,
            rng,
            server,
            plan,
            clients: Vec::new(),
            server_up: true,
            network_up: true,
            conns: BTreeMap::new(),
            events: BTreeMap::new(),
            numbers: 0,
            commit_due: false,
            journaled: Vec::new(),
            trace: Vec::new(),
            faults: 0,
        };
        for client in 0..world.rng.usize(2..=4) {
            world.clients.push(Client {
                session: None,
                editor: Editor::default(),
                store: MemoryStore::new(),
                orders: VecDeque::new(),
                conn: None,
                ready: false,
                life: 0,
                tick_at: None,
                unverified: Vec::new(),
                unstored: Vec::new(),
                token_ok: true,
            });
            world.open(client);
        }
        world
    }

    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.trace.len() < 5_000 {
            self.trace.push(format!("{:>9} {}", self.now - 1_700_000_000_000, text()));
        }
    }

    fn at(&mut self, delay: u64, event: Event) {
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

    fn event(&mut self, event: Event) {
        match event {
            Event::Tick(client) => {
                if self.clients[client].tick_at.is_some_and(|at| at <= self.now) {
                    self.clients[client].tick_at = None;
                    self.feed(client, Input::Tick);
                }
            }
            Event::Store(client, life) => self.store_step(client, life),
            Event::OpenSocket(client, life) => self.socket_opens(client, life),
            Event::ToServer(conn, frame) => {
                if self.server_up && self.conns.get(&conn).is_some_and(|conn| conn.carries_up) {
                    self.server.receive(self.now, conn, &frame);
                    self.after_server();
                }
            }
            Event::ToClient(conn, frame) => {
                let Some(found) = self.conns.get(&conn) else { return };
                if found.client_open && found.carries_down {
                    self.feed(found.client, Input::Frame(frame));
                }
            }
            Event::ClientSeesClose(conn, code) => {
                let Some(found) = self.conns.get_mut(&conn) else { return };
                if std::mem::take(&mut found.client_open) {
                    let client = found.client;
                    self.clients[client].conn = None;
                    self.feed(client, Input::Closed { code, reason: String::new() });
                }
            }
            Event::ServerSeesClose(conn) => {
                self.server.disconnect(conn);
            }
            Event::Commit => {
                self.commit_due = false;
                if self.server_up {
                    self.server.commit();
                    self.after_server();
                }
            }
            Event::ServerStarts => self.server_up = true,
        }
    }

    fn after_server(&mut self) {
        for (conn, frame) in self.server.take_out() {
            let delay = self.latency();
            let Some(found) = self.conns.get_mut(&conn) else { continue };
            found.down_at = found.down_at.max(self.now + delay);
            let delay = found.down_at - self.now;
            self.at(delay, Event::ToClient(conn, frame));
        }
        if self.server.wants_commit() && !self.commit_due {
            self.commit_due = true;
            let delay = self.rng.u64(5..20);
            self.at(delay, Event::Commit);
        }
    }

    fn latency(&mut self) -> u64 {
        if self.rng.u8(..20) == 0 { self.rng.u64(200..3_000) } else { self.rng.u64(1..60) }
    }

    // --- clients

    /// A page is opened, or opened again after a crash.
    pub fn open(&mut self, client: usize) {
        let config = Config {
            document: DOC.into(),
            session: format!("s{client}-{}", self.clients[client].life),
            client_id: self.rng.u32(1..),
            seed: self.rng.u64(..),
            root: "content".into(),
            block_id: None,
            capture_timeout: 500,
            remote: Remote::Connect,
            store: true,
            presence: yrs::Any::from_json(&format!(r#"{{"name":"c{client}"}}"#)).ok(),
            initial_value: Some(vec![block("INT. HOUSE"), block("seeded once")]),
        };
        self.note(|| format!("c{client} opens as {}, id {}", config.session, config.client_id));
        let session = Session::new(config, self.now);
        let it = &mut self.clients[client];
        it.session = Some(session);
        it.editor = Editor::default();
        it.ready = false;
        it.tick_at = None;
        it.unverified.clear();
        it.unstored.clear();
        self.drain(client);
    }

    /// The tab dies. What the device has not finished writing is lost, some of it or all.
    pub fn crash(&mut self, client: usize) {
        self.note(|| format!("c{client} crashes"));
        self.faults += 1;
        let orders = std::mem::take(&mut self.clients[client].orders);
        let finished = self.rng.usize(..=orders.len());
        for order in orders.into_iter().take(finished) {
            if let StoreOrder::Write { writes, .. } = order {
                self.write(client, &writes).ok();
            }
        }
        let it = &mut self.clients[client];
        it.session = None;
        it.life += 1;
        if let Some(conn) = it.conn.take() {
            self.client_closes(conn);
        }
    }

    fn client_closes(&mut self, conn: u64) {
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

    pub fn feed(&mut self, client: usize, input: Input) {
        let Some(session) = &mut self.clients[client].session else { return };
        session.handle(self.now, input);
        self.drain(client);
    }

    fn drain(&mut self, client: usize) {
        while let Some(output) = self.clients[client].session.as_mut().and_then(Session::poll_output) {
            self.output(client, output);
        }
        let it = &mut self.clients[client];
        let Some(session) = &it.session else { return };
        if let Some(at) = session.next_timeout()
            && it.tick_at.is_none_or(|tick| at < tick)
        {
            it.tick_at = Some(at);
            let delay = at.saturating_sub(self.now);
            self.at(delay, Event::Tick(client));
        }
        self.check_claims(client);
    }

    fn output(&mut self, client: usize, output: Output) {
        let life = self.clients[client].life;
        match output {
            Output::Ready => {
                let it = &mut self.clients[client];
                it.ready = true;
                it.editor.value = it.session.as_ref().expect("open").value();
            }
            Output::Operations { ops, .. } => {
                for op in &ops {
                    self.clients[client].editor.apply(op);
                }
            }
            Output::Diverged => panic!("c{client} diverged"),
            Output::Update { origin, update } => {
                if matches!(origin, Origin::Local | Origin::Undo) {
                    let content = Content::of(&update);
                    self.note(|| format!("c{client} edits {}", content.show()));
                    self.clients[client].unverified.push(content.clone());
                    self.clients[client].unstored.push(content);
                }
            }
            Output::Load => self.order(client, StoreOrder::Load),
            Output::Write { ticket, writes } => self.order(client, StoreOrder::Write { ticket, writes }),
            Output::OpenSocket { fresh_token } => {
                self.clients[client].token_ok |= fresh_token;
                let delay = self.latency();
                self.at(delay, Event::OpenSocket(client, life));
            }
            Output::Send(frame) => {
                let delay = self.latency();
                let Some(conn) = self.clients[client].conn else { return };
                let Some(found) = self.conns.get_mut(&conn) else { return };
                found.up_at = found.up_at.max(self.now + delay);
                let delay = found.up_at - self.now;
                self.at(delay, Event::ToServer(conn, frame));
            }
            Output::CloseSocket { .. } => {
                if let Some(conn) = self.clients[client].conn.take() {
                    self.client_closes(conn);
                }
            }
            Output::Error(error) => self.note(|| format!("c{client} error {error:?}")),
            Output::Select(_) | Output::Status | Output::Peers | Output::SendText(_) | Output::Ended => {}
        }
    }

    fn order(&mut self, client: usize, order: StoreOrder) {
        self.clients[client].orders.push_back(order);
        let delay = if self.rng.u8(..10) == 0 { self.rng.u64(50..2_000) } else { self.rng.u64(1..10) };
        let life = self.clients[client].life;
        self.at(delay, Event::Store(client, life));
    }

    fn store_step(&mut self, client: usize, life: u64) {
        if self.clients[client].life != life {
            return;
        }
        let Some(order) = self.clients[client].orders.pop_front() else { return };
        let input = match order {
            StoreOrder::Load => {
                let mut loaded = self.clients[client].store.load_now(DOC);
                if self.plan.client_bug == ClientBug::OutboxForgotten
                    && let Ok(Loaded { outbox, .. }) = &mut loaded
                {
                    outbox.clear();
                }
                Input::Loaded(loaded)
            }
            StoreOrder::Write { ticket, writes } => match self.write(client, &writes) {
                Ok(rows) => Input::Stored { ticket, rows },
                Err(error) => Input::StoreFailed { ticket, error },
            },
        };
        self.feed(client, input);
    }

    fn write(&mut self, client: usize, writes: &[Write]) -> Result<Vec<u64>, StoreError> {
        if self.plan.client_bug == ClientBug::StoredTooEarly && self.rng.u8(..4) == 0 {
            let appends = writes.iter().filter(|write| write.appends()).count() as u64;
            return Ok((1_000_000..1_000_000 + appends).collect());
        }
        let rows = self.clients[client].store.write_now(DOC, writes)?;
        for write in writes {
            if let Write::Append { update, pending: Some(_) } = write {
                self.journaled.push(Content::of(update));
            }
        }
        Ok(rows)
    }

    fn socket_opens(&mut self, client: usize, life: u64) {
        let it = &self.clients[client];
        if it.life != life || it.session.is_none() || it.conn.is_some() {
            return;
        }
        if !self.server_up || !self.network_up || self.rng.u8(..20) == 0 {
            return self.feed(client, Input::Closed { code: 1006, reason: String::new() });
        }
        if !it.token_ok {
            return self.feed(client, Input::Closed { code: 4401, reason: "expired".into() });
        }
        self.numbers += 1;
        let conn = self.numbers;
        let found = Conn {
            client,
            client_open: true,
            carries_up: true,
            carries_down: true,
            up_at: self.now,
            down_at: self.now,
        };
        self.conns.insert(conn, found);
        self.clients[client].conn = Some(conn);
        let session = format!("s{client}-{}", self.clients[client].life);
        self.note(|| format!("c{client} is connected by {conn}"));
        self.server.connect(conn, &session);
        self.after_server();
        self.feed(client, Input::Opened);
    }

    // --- edits

    /// The user of `client` does something, if the page is there.
    pub fn act(&mut self, client: usize) {
        if !self.clients[client].ready || self.clients[client].session.is_none() {
            return;
        }
        match self.rng.u8(..30) {
            0 if self.plan.undo => self.feed(client, Input::Undo),
            1 if self.plan.undo => self.feed(client, Input::Redo),
            _ => {
                for _ in 0..self.rng.usize(1..4) {
                    if let Some(op) = self.random_op(client) {
                        self.clients[client].editor.apply(&op);
                        self.feed(client, Input::Edit(op));
                    }
                }
                self.feed(client, Input::Flush);
            }
        }
        self.check_editor(client);
    }

    fn random_op(&mut self, client: usize) -> Option<Op> {
        // Removing parts of it never makes it another one.
        let token = format!("<{:08x}>", self.rng.u32(..));
        let value = &self.clients[client].editor.value;
        let blocks = value.len() as u32;
        if blocks == 0 {
            return Some(Op::InsertNode { path: [0].into_iter().collect(), node: block(&token) });
        }
        let at = self.rng.u32(..blocks);
        let Node::Element(element) = &value[at as usize] else { return None };
        let Some(Node::Text(leaf)) = element.children.first() else { return None };
        let length = leaf.text.encode_utf16().count() as u32;
        let path = [at, 0].into_iter().collect();
        match self.rng.u8(..12) {
            0 => {
                let at = self.rng.u32(..=blocks);
                let text = if self.rng.u8(..8) == 0 { token + &"x".repeat(1_600) } else { token };
                Some(Op::InsertNode { path: [at].into_iter().collect(), node: block(&text) })
            }
            1 if blocks > 3 => {
                let node = value[at as usize].clone();
                Some(Op::RemoveNode { path: [at].into_iter().collect(), node })
            }
            2 | 3 if length > 2 => {
                let from = self.rng.u32(..length - 1);
                let text: String = leaf.text.chars().skip(from as usize).take(self.rng.usize(1..6)).collect();
                Some(Op::RemoveText { path, offset: from, text })
            }
            _ => Some(Op::InsertText { path, offset: self.rng.u32(..=length), text: token }),
        }
    }

    // --- faults

    pub fn fault(&mut self) {
        self.faults += 1;
        let client = self.rng.usize(..self.clients.len());
        match self.rng.u8(..13) {
            0 | 1 => self.cut(client),
            2 => self.half_open(client),
            3 => {
                self.note(|| "the server crashes".into());
                self.server_crashes();
            }
            4 | 5 => {
                self.crash(client);
                self.open(client);
            }
            6 => {
                let fault = match self.rng.u8(..3) {
                    0 => StoreError::Full,
                    1 => StoreError::Closed("gone".into()),
                    _ => StoreError::Failed("odd".into()),
                };
                self.note(|| format!("c{client}'s store fails: {fault:?}"));
                self.clients[client].store.set_fault(Some(fault));
            }
            7 => {
                for client in &self.clients {
                    client.store.set_fault(None);
                }
            }
            8 => {
                self.note(|| format!("c{client} goes offline"));
                self.feed(client, Input::Disconnect);
            }
            9 => self.feed(client, Input::Connect),
            10 => {
                self.network_up = !self.network_up;
                let online = self.network_up;
                self.note(|| format!("network up: {online}"));
                if !online {
                    (0..self.clients.len()).for_each(|client| self.cut(client));
                } else if self.rng.bool() {
                    (0..self.clients.len()).for_each(|client| self.feed(client, Input::NetworkHint { online }));
                }
            }
            11 => {
                self.clients[client].token_ok = false;
                if let Some(conn) = self.clients[client].conn {
                    self.at(1, Event::ClientSeesClose(conn, 4401));
                }
            }
            _ => {
                let long = self.rng.u64(60_000..200_000_000);
                self.note(|| format!("{long} ms pass"));
                // Days in which nobody does anything but what is due.
                self.run_for(60_000);
                self.now += long;
            }
        }
    }

    fn cut(&mut self, client: usize) {
        let Some(conn) = self.clients[client].conn else { return };
        self.note(|| format!("c{client} is cut off"));
        let arrives = self.rng.u8(..3) == 0;
        if let Some(found) = self.conns.get_mut(&conn) {
            found.carries_down = false;
            found.carries_up &= arrives;
        }
        let (soon, later) = (self.rng.u64(1..500), self.rng.u64(1..40_000));
        self.at(soon, Event::ClientSeesClose(conn, 1006));
        self.at(later, Event::ServerSeesClose(conn));
    }

    fn half_open(&mut self, client: usize) {
        let Some(conn) = self.clients[client].conn else { return };
        self.note(|| format!("c{client} is half open"));
        let up = self.rng.u8(..3) == 0;
        if let Some(found) = self.conns.get_mut(&conn) {
            found.carries_down = false;
            found.carries_up &= up;
        }
        self.at(90_000, Event::ServerSeesClose(conn));
    }

    fn server_crashes(&mut self) {
        self.server.crash();
        self.server_up = false;
        self.commit_due = false;
        self.events.retain(|_, event| !matches!(event, Event::Commit));
        let conns: Vec<u64> = self.conns.keys().copied().collect();
        for conn in conns {
            let delay = self.rng.u64(1..1_000);
            if let Some(found) = self.conns.get_mut(&conn) {
                found.carries_up = false;
                found.carries_down = false;
            }
            self.at(delay, Event::ClientSeesClose(conn, 1006));
        }
        let delay = self.rng.u64(10..20_000);
        self.at(delay, Event::ServerStarts);
    }

    /// Everything works again; waits until nothing is left to do.
    pub fn quiesce(&mut self) {
        self.note(|| "all is well again".into());
        self.network_up = true;
        self.server.rate_limited = 0;
        for client in 0..self.clients.len() {
            self.clients[client].store.set_fault(None);
            self.clients[client].token_ok = true;
            self.feed(client, Input::Connect);
        }
        for _ in 0..40 {
            self.run_for(15_000);
            if self.is_settled() {
                break;
            }
            // A refusal may still have been on its way.
            (0..self.clients.len()).for_each(|client| self.feed(client, Input::Connect));
        }
        self.run_for(30_000);
    }

    fn is_settled(&self) -> bool {
        self.clients.iter().all(|client| {
            let status = client.session.as_ref().expect("open").status();
            let stored = status.storage == Storage::IndexedDb;
            status.synced && status.pending == 0 && status.saved == Saved::Server && stored
        })
    }

    // --- what must always hold

    /// (e) The status never claims more than is true.
    fn check_claims(&mut self, client: usize) {
        let it = &mut self.clients[client];
        let Some(session) = &it.session else { return };
        let saved = session.status().saved;
        if saved == Saved::Server && !it.unverified.is_empty() {
            for content in it.unverified.drain(..) {
                let missing = content.minus(self.server.durable_content());
                let time = self.now - 1_700_000_000_000;
                let has = self.server.durable_content();
                assert!(!has.lacks(&content), "{time}: c{client} says server, which lacks {missing:?}");
            }
            it.unstored.clear();
        }
        if saved == Saved::Local && !it.unstored.is_empty() {
            // What the server has acknowledged need not be on a device whose storage fails.
            let mut device = self.device_content(client);
            device.add(self.server.durable_content().clone());
            for content in self.clients[client].unstored.drain(..) {
                let missing = content.minus(&device);
                assert!(!device.lacks(&content), "c{client} says local, the device lacks {missing:?}");
            }
        }
    }

    fn device_content(&self, client: usize) -> Content {
        let store = &self.clients[client].store;
        let mut content = Content::default();
        // Only to look: a fault must not hide what is there.
        let loaded = store.peek(DOC);
        let log = loaded.log.into_iter().map(|(_, update)| update);
        let outbox = loaded.outbox.into_iter().map(|pending| pending.update);
        for update in log.chain(outbox).chain(loaded.set_aside.into_iter().map(|aside| aside.update)) {
            content.add(Content::of(&update));
        }
        content
    }

    fn check_editor(&self, client: usize) {
        let it = &self.clients[client];
        let Some(session) = &it.session else { return };
        assert!(it.editor.value == session.value(), "c{client}: the editor is not the document");
    }

    /// What must hold when all is quiet.
    pub fn check_quiet(&self) {
        let durable = self.server.durable_content();
        for content in &self.journaled {
            assert!(!durable.lacks(content), "(b) journaled, not on the server: {:?}", content.minus(durable));
        }
        let first = self.clients[0].session.as_ref().expect("open");
        let mut states = Vec::new();
        for (client, it) in self.clients.iter().enumerate() {
            let session = it.session.as_ref().expect("open");
            let status = session.status();
            assert_eq!((status.pending, status.set_aside), (0, 0), "(f) c{client}: {status:?}");
            assert!(status.synced && status.saved == Saved::Server, "(f) c{client}: {status:?}");
            assert!(it.store.peek(DOC).outbox.is_empty(), "(f) c{client}'s device has an outbox");
            self.check_editor(client);
            let (own, others) = (canonical(&session.value()), canonical(&first.value()));
            let differs = own.iter().zip(&others).position(|(a, b)| a != b).unwrap_or(own.len().min(others.len()));
            assert!(
                own == others,
                "(c) c{client} has another value than c0, block {differs}: {:?} and {:?}",
                own.get(differs),
                others.get(differs)
            );
            states.push(session.encode_state(None).expect("encodes"));
            let mut own = Content::default();
            own.add(Content::of(&states[client]));
            // What a peer writes into a block that another deletes is deleted everywhere, by no update.
            assert!(
                own.minus(durable).0.is_empty(),
                "(c) c{client} has what the server lacks: {:?}",
                own.minus(durable)
            );
            assert!(!own.lacks(durable), "(c) c{client} lacks what the server has: {:?}", durable.minus(&own));
        }
        let fresh = self.server.reader();
        assert!(canonical(&fresh.value()) == canonical(&first.value()), "(c) a fresh client sees something else");
        let text = crate::editor::text_of(&first.value());
        let mut seen = std::collections::BTreeSet::new();
        for token in text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(token, _)| token) {
            if token.len() == 8 && !self.plan.undo {
                assert!(seen.insert(token.to_owned()), "(d) {token} is there twice");
            }
        }
        assert!(text.matches("seeded once").count() <= 1, "(d) the seed is there twice");
    }
}
