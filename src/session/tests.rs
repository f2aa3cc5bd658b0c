//! The session against a scripted server and a store in memory, in virtual time.

use std::collections::VecDeque;

use super::*;
use crate::format::{Format, KnownFormats, set_format};
use crate::protocol::{Hello, Message, NOTHING, RejectCode, Role, messages};
use crate::slate::{Attrs, Element, Leaf, Op, Path, Point, SlateDoc};
use crate::store::{CopyName, Loaded, MemoryStore, StoreError, Write, load_copy};

const T0: Millis = 1_700_000_000_000;

/// A session and what it has ordered.
struct Rig {
    session: Session,
    now: Millis,
    store: MemoryStore,
    name: CopyName,
    /// Writes wait here until [`Rig::land`], if there is such a place.
    slow: Option<VecDeque<(u64, Vec<Write>)>>,
    outputs: Vec<Output>,
}

fn config(session: &str, client_id: u32) -> Config {
    Config {
        document: "d".into(),
        session: session.into(),
        client_id,
        seed: 7,
        root: "content".into(),
        block_id: None,
        capture_timeout: 500,
        remote: Remote::Connect,
        store: true,
        presence: None,
        initial_value: None,
        schema: Default::default(),
        formats: KnownFormats::of(&[0]),
        format: None,
    }
}

fn block(text: &str) -> Node {
    let leaf = Node::Text(Leaf { text: text.into(), marks: Attrs::new() });
    Node::Element(Element { attrs: Attrs::from([("type".into(), "p".into())]), children: vec![leaf] })
}

fn path(indices: &[u32]) -> Path {
    indices.iter().copied().collect()
}

fn hello(epoch: &str, acked_seq: u64) -> Hello {
    Hello {
        version: 1,
        epoch: epoch.into(),
        role: Role::ReadWrite,
        max_update_bytes: 1 << 20,
        max_frame_bytes: 1 << 20,
        acked_seq,
        heartbeat_ms: 15_000,
        formats: Some(KnownFormats::of(&[0, 1])),
        format: Some(0),
        new_format: None,
        root: None,
        user: None,
    }
}

impl Rig {
    fn open(config: Config, store: MemoryStore) -> Self {
        let session = Session::new(config, T0);
        let mut rig = Self { session, now: T0, store, name: CopyName::new("d"), slow: None, outputs: Vec::new() };
        rig.drain();
        rig
    }

    fn new() -> Self {
        Self::open(config("s", 5), MemoryStore::new())
    }

    fn feed(&mut self, input: Input) {
        self.session.handle(self.now, input);
        self.drain();
    }

    /// Carries out what concerns the store at once, but for the writes of a slow one, and keeps the rest.
    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match &output {
                Output::Load => {
                    let takes_over = self.session.formats().knows(1);
                    let loaded = pollster::block_on(load_copy(&self.store, &mut self.name, takes_over));
                    self.session.handle(self.now, Input::Loaded(loaded));
                }
                Output::Write { ticket, writes } => match &mut self.slow {
                    Some(slow) => slow.push_back((*ticket, writes.clone())),
                    None => self.write(*ticket, writes),
                },
                _ => {}
            }
            self.outputs.push(output);
        }
    }

    fn write(&mut self, ticket: u64, writes: &[Write]) {
        self.name.follow(writes);
        let input = match self.store.write_now(self.name.as_str(), writes) {
            Ok(rows) => Input::Stored { ticket, rows },
            Err(error) => Input::StoreFailed { ticket, error },
        };
        self.session.handle(self.now, input);
    }

    /// The first write that waits is carried out. Returns whether there was one.
    fn land(&mut self) -> bool {
        let Some((ticket, writes)) = self.slow.as_mut().and_then(VecDeque::pop_front) else { return false };
        self.write(ticket, &writes);
        self.drain();
        true
    }

    fn frame(&mut self, message: Message) {
        self.feed(Input::Frame(message.to_frame()));
    }

    /// Lets time pass, ticking when asked to.
    fn pass(&mut self, ms: Millis) {
        let until = self.now + ms;
        while let Some(at) = self.session.next_timeout()
            && at <= until
        {
            self.now = self.now.max(at);
            self.feed(Input::Tick);
        }
        self.now = until;
    }

    fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// The messages sent since the last look, by name and number.
    /// The frames that were sent since this was asked.
    fn frames(&mut self) -> Vec<Vec<u8>> {
        let frame = |output| match output {
            Output::Send(frame) => Some(frame),
            _ => None,
        };
        self.take().into_iter().filter_map(frame).collect()
    }

    fn sent(&mut self) -> Vec<String> {
        self.frames()
            .into_iter()
            .flat_map(|frame| messages(&frame).map(|message| name(&message.unwrap())).collect::<Vec<_>>())
            .collect()
    }

    fn opens(&mut self) -> usize {
        self.take().iter().filter(|output| matches!(output, Output::OpenSocket { .. })).count()
    }

    fn durable(&mut self) {
        self.feed(Input::Opened);
        self.frame(Message::Hello(hello("e", 0)));
        self.frame(Message::SyncStep1(&[0]));
        self.frame(Message::SyncStep2(&[0, 0]));
        self.take();
    }

    /// Connected to a server of one kind or the other.
    fn joins(&mut self, durable: bool) {
        match durable {
            true => self.durable(),
            false => self.plain(),
        }
    }

    fn plain(&mut self) {
        self.feed(Input::Opened);
        self.frame(Message::SyncStep1(&[0]));
        self.frame(Message::SyncStep2(&[0, 0]));
        self.take();
    }

    fn type_block(&mut self, text: &str) {
        self.feed(Input::Edit(Op::InsertNode { path: path(&[0]), node: block(text) }));
        self.feed(Input::Flush);
    }

    fn status(&self) -> &Status {
        self.session.status()
    }
}

fn name(message: &Message) -> String {
    match message {
        Message::SyncStep1(_) => "step1".into(),
        Message::SyncStep2(_) => "step2".into(),
        Message::Update(_) => "update".into(),
        Message::Awareness(_) => "awareness".into(),
        Message::Submit { seq, update } if *update == NOTHING => format!("submit nothing up to {seq}"),
        Message::Submit { seq, .. } => format!("submit {seq}"),
        Message::Seed(_) => "seed".into(),
        Message::Ping => "ping".into(),
        Message::Pong => "pong".into(),
        other => format!("{other:?}"),
    }
}

/// An update by someone else that holds `value`.
fn foreign(value: &[Node]) -> Vec<u8> {
    SlateDoc::seed_update("content", value)
}

mod connection;
mod device;
mod durability;
mod editing;
mod format;
mod homecoming;
mod refused;
mod seeding;
mod selfcheck;
mod translating;
mod values;
