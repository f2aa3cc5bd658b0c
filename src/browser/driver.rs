//! The one loop: inputs into the session, its outputs out to store, socket, timer and JavaScript.
//!
//! Inputs are queued and handled one at a time. The session's borrow ends before anything is done with what it put
//! out, because doing it calls JavaScript, and that may call back in: what it then asks for is queued behind.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use futures_channel::oneshot;
use gloo_timers::callback::Timeout;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yrs::Any;

use super::listener::Listener;
use super::socket::{Socket, SocketEvent};
use super::{DeviceStore, describe, now};
use crate::codec::{encode_ops, encode_range};
use crate::session::{
    Config, Connection as Connected, DeviceStorage, Input, Millis, Output, Saved, Session, SessionError,
};
use crate::slate::{Attrs, Schema};
use crate::store::{CopyName, Loaded, Store, StoreError, Write, load_copy};

thread_local! {
    /// How many loops are running: none outside of calls, unless one has trapped.
    static RUNNING: Cell<u32> = const { Cell::new(0) };
}

/// Whether a loop is running. Seen from outside any call, it has trapped.
pub fn is_running() -> bool {
    RUNNING.get() > 0
}

/// What the editor says of each type, asked once.
fn schema(listener: &Listener) -> Schema {
    let listener = listener.clone();
    let known: Rc<RefCell<HashMap<Arc<str>, u32>>> = Rc::default();
    let kinds = Rc::new(move |props: &Attrs| {
        let Some(Any::String(kind)) = props.get("type") else { return 0 };
        if let Some(kinds) = known.borrow().get(kind) {
            return *kinds;
        }
        let kinds = listener.kinds(kind).unwrap_or(0);
        known.borrow_mut().insert(kind.clone(), kinds);
        kinds
    });
    let inline = kinds.clone();
    Schema::new(move |props| inline(props) & 1 != 0, move |props| kinds(props) & 2 != 0)
}

/// One document's session with everything that drives it.
pub struct Driver {
    session: RefCell<Session>,
    /// Under which the store has the document.
    name: RefCell<CopyName>,
    /// Whether the other tabs were told where the copy stands.
    guarded: Cell<bool>,
    inputs: RefCell<VecDeque<Input>>,
    running: Cell<bool>,
    ended: Cell<bool>,
    timer: RefCell<Option<(Millis, Timeout)>>,
    store: Option<DeviceStore>,
    connection: RefCell<SocketAttempt>,
    /// As it was last told.
    keeping: RefCell<(Option<String>, bool)>,
    /// Becomes what has become of the last deletion.
    deletion: RefCell<Option<oneshot::Receiver<Result<(), StoreError>>>>,
    listener: Listener,
}

/// The socket, and which attempt it belongs to: events of an earlier one are not heard any more.
#[derive(Default)]
struct SocketAttempt {
    attempt: u64,
    socket: Option<Socket>,
}

impl Driver {
    /// Opens a session and carries out its first orders.
    pub fn start(mut config: Config, store: Option<DeviceStore>, listener: Listener) -> Rc<Self> {
        config.schema = schema(&listener);
        let name = RefCell::new(CopyName::new(&config.document));
        let mut session = Session::new(config, now());
        session.unheard();
        let driver = Rc::new(Self {
            session: RefCell::new(session),
            name,
            guarded: Cell::new(false),
            inputs: RefCell::default(),
            running: Cell::new(false),
            ended: Cell::new(false),
            timer: RefCell::default(),
            store,
            connection: RefCell::default(),
            keeping: RefCell::default(),
            deletion: RefCell::default(),
            listener,
        });
        if let Some(store) = &driver.store {
            let driver = Rc::downgrade(&driver);
            store.on_lost(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.feed(Input::StoreLost);
                }
            });
        }
        driver.running.set(true);
        driver.drain();
        driver.run();
        driver
    }

    /// Takes an input now, or behind those being handled.
    pub fn feed(self: &Rc<Self>, input: Input) {
        if self.ended.get() {
            return;
        }
        self.inputs.borrow_mut().push_back(input);
        if !self.running.replace(true) {
            self.run();
        }
    }

    /// Somebody listens to operations from now on, whatever is still to be handled.
    pub fn hear(&self) {
        self.session.borrow_mut().hear();
    }

    /// Another editor says which elements are inline and void.
    pub fn schema_changed(self: &Rc<Self>) {
        self.feed(Input::Schema(schema(&self.listener)));
    }

    /// Reads the session. Not possible while it handles an input, which nothing outside can observe.
    pub fn read<T>(&self, read: impl FnOnce(&Session) -> T) -> T {
        read(&self.session.borrow())
    }

    /// Reaches into the session, as nothing but a test may.
    #[cfg(feature = "testing")]
    pub fn alter(&self, alter: impl FnOnce(&mut Session)) {
        alter(&mut self.session.borrow_mut());
    }

    fn run(self: &Rc<Self>) {
        RUNNING.set(RUNNING.get() + 1);
        loop {
            let Some(input) = self.inputs.borrow_mut().pop_front() else { break };
            self.session.borrow_mut().handle(now(), input);
            self.drain();
        }
        self.running.set(false);
        RUNNING.set(RUNNING.get().saturating_sub(1));
        self.arm();
    }

    /// Takes all outputs first: what they lead to may read the session, and must find it done.
    fn drain(self: &Rc<Self>) {
        let mut outputs = Vec::new();
        {
            let mut session = self.session.borrow_mut();
            while let Some(output) = session.poll_output() {
                outputs.push(output);
            }
        }
        let (mut status, mut peers) = (false, false);
        self.tell_keeping();
        for output in outputs {
            match output {
                // Told once, after what changed it.
                Output::Status => status = true,
                Output::Peers => peers = true,
                output => self.act(output),
            }
        }
        self.tell_guarded();
        if peers {
            let _ = self.listener.peers();
        }
        if status {
            let _ = self.tell_status();
        }
    }

    /// Before the updates of the same input, which are told to the tabs with it.
    fn tell_keeping(&self) {
        let now = self.read(|session| {
            let (epoch, kept) = session.keeping();
            let told = self.keeping.borrow();
            let same = (told.0.as_deref(), told.1) == (epoch, kept);
            (!same).then(|| (epoch.map(str::to_owned), kept))
        });
        if let Some((epoch, kept)) = now {
            *self.keeping.borrow_mut() = (epoch.clone(), kept);
            let _ = self.listener.keeping(epoch, kept);
        }
    }

    /// After the update that has made the copy move, which the tabs where it was still have to hear.
    fn tell_guarded(&self) {
        if self.name.borrow().is_guarded() && !self.guarded.replace(true) {
            let _ = self.listener.guarded();
        }
    }

    fn tell_status(&self) -> Result<(), JsValue> {
        let (acknowledged, receiving) = self.read(|session| {
            let status = session.status();
            let acknowledged = status.saved == Saved::Server && status.pending == 0;
            (acknowledged, status.connection == Connected::Online && status.storage == DeviceStorage::IndexedDb)
        });
        self.listener.status(acknowledged, receiving)
    }

    /// JavaScript's own listeners are guarded there; what still throws must not stop the loop.
    fn act(self: &Rc<Self>, output: Output) {
        let listener = &self.listener;
        let _ = match output {
            Output::Ready => listener.ready(),
            Output::Operations { origin, ops } => {
                let batch = encode_ops(&ops);
                listener.operations(origin.number(), batch.words, &batch.text)
            }
            Output::Select(range) => listener.select(encode_range(&range)),
            Output::Diverged => listener.diverged(),
            Output::Compare { blocks } => listener.compare(blocks),
            Output::Update { origin, update } => listener.update(origin.number(), update),
            Output::Status => self.tell_status(),
            Output::Peers => listener.peers(),
            Output::Values { origin, map, keys, whole } => {
                listener.values(origin.number(), &map, &entries(keys), whole)
            }
            Output::Error(SessionError { code, message }) => listener.error(code.as_str(), &message),
            order => {
                self.obey(order);
                Ok(())
            }
        };
    }

    fn obey(self: &Rc<Self>, order: Output) {
        match order {
            Output::Load => self.load(),
            Output::Write { ticket, writes } => self.write(ticket, writes),
            Output::OpenSocket { fresh_token } => self.open_socket(fresh_token),
            Output::Send(frame) => {
                if let Some(socket) = &self.connection.borrow().socket {
                    socket.send(&frame);
                }
            }
            Output::SendText(text) => {
                if let Some(socket) = &self.connection.borrow().socket {
                    socket.send_text(&text);
                }
            }
            Output::CloseSocket { code } => {
                let mut connection = self.connection.borrow_mut();
                connection.attempt += 1;
                if let Some(socket) = connection.socket.take() {
                    socket.close(code);
                }
            }
            Output::Ended => {
                self.ended.set(true);
                self.timer.borrow_mut().take();
                self.inputs.borrow_mut().clear();
                let _ = self.listener.ended();
            }
            // What tells JavaScript is not an order.
            _ => {}
        }
    }

    /// What sessions in other tabs have not sent yet is theirs to send.
    fn load(self: &Rc<Self>) {
        let driver = self.clone();
        spawn_local(async move {
            let loaded = match &driver.store {
                Some(store) => driver.loaded(store).await,
                None => Err(StoreError::Failed("there is no store".into())),
            };
            let found = loaded.as_ref().is_ok_and(|it| !it.outbox.is_empty() || !it.elsewhere.is_empty());
            driver.feed(Input::Loaded(loaded));
            if found {
                // Behind what the session has written, or has failed to write: then it is still there for others.
                driver.written().await.ok();
                let _ = driver.listener.taken();
            }
        });
    }

    /// Resolves when the store has done what it was asked so far.
    async fn written(&self) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        let name = self.name.borrow().as_str().to_owned();
        store.begin(&name, Vec::new()).await.map(drop)
    }

    async fn loaded(&self, store: &DeviceStore) -> Result<Loaded, StoreError> {
        let mut name = self.name.borrow().clone();
        let takes_over = self.read(|session| session.formats().knows(1));
        let loaded = load_copy(store, &mut name, takes_over).await;
        *self.name.borrow_mut() = name.clone();
        self.tell_guarded();
        let mut loaded = loaded?;
        // Asked after the reading: whoever has opened the document, and written, meanwhile is not dead.
        let alive = match self.listener.sessions(loaded.sessions()) {
            Ok(alive) => JsFuture::from(alive).await.map(|alive| js_sys::Array::from(&alive)).unwrap_or_default(),
            Err(_) => js_sys::Array::new(),
        };
        loaded.leave_to(|session| alive.includes(&session.into(), 0));
        // Nobody else takes over from these any more. Whoever did since they were read submits it.
        for session in loaded.sessions() {
            if let Ok(now) = store.pending(name.as_str(), &session).await {
                loaded.leave_taken(&session, &now);
            }
        }
        Ok(loaded)
    }

    /// Takes over what a session left that has died in another tab. Resolves when the device knows.
    pub async fn take_over(self: Rc<Self>, session: String) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        let name = self.name.borrow().as_str().to_owned();
        let pending = store.pending(&name, &session).await?;
        if pending.is_empty() {
            return Ok(());
        }
        self.feed(Input::Orphans(pending));
        self.written().await
    }

    /// Deletes the device's copy, unless it holds something that only this device has: of this session, or of another.
    /// An error that the session reports itself is none.
    pub async fn delete_local(self: Rc<Self>, discard_pending: bool) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        // What the server has acknowledged may still be in the outbox.
        self.feed(Input::Suspend);
        if !discard_pending {
            let name = self.name.borrow().as_str().to_owned();
            let loaded = store.load(&name).await?;
            let kept = loaded.outbox.len() + loaded.set_aside.len();
            if kept > 0 {
                return Err(StoreError::Failed(format!("{kept} edits are only on this device")));
            }
        }
        self.feed(Input::DeleteLocal { discard_pending });
        let deletion = self.deletion.borrow_mut().take();
        match deletion {
            Some(deletion) => {
                deletion.await.unwrap_or_else(|_| Err(StoreError::Closed("the document is closed".into())))
            }
            None => Err(StoreError::Failed("there are edits that are only on this device".into())),
        }
    }

    /// The requests are made before this returns, if the database is open: in the turn of the edit.
    fn write(self: &Rc<Self>, ticket: u64, writes: Vec<Write>) {
        let Some(store) = &self.store else { return };
        let mut deleted = None;
        if writes.contains(&Write::Delete) {
            let (sender, receiver) = oneshot::channel();
            *self.deletion.borrow_mut() = Some(receiver);
            deleted = Some(sender);
        }
        self.name.borrow_mut().follow(&writes);
        let name = self.name.borrow().clone();
        let leftovers = (deleted.is_some() && name.is_guarded())
            .then(|| store.begin(CopyName::document_of(name.as_str()), vec![Write::Delete]));
        let writing = store.begin(name.as_str(), writes);
        let driver = self.clone();
        spawn_local(async move {
            let written = writing.await;
            if let Some(leftovers) = leftovers {
                // What an older tab still writes there is for nobody; should this fail, it is looked at when the document is opened.
                let _ = leftovers.await;
            }
            if let Some(deleted) = deleted {
                let _ = deleted.send(written.as_ref().map(|_| ()).map_err(Clone::clone));
            }
            driver.feed(match written {
                Ok(rows) => Input::Stored { ticket, rows },
                Err(error) => Input::StoreFailed { ticket, error },
            });
        });
    }

    fn open_socket(self: &Rc<Self>, fresh: bool) {
        let attempt = {
            let mut connection = self.connection.borrow_mut();
            connection.attempt += 1;
            connection.socket = None;
            connection.attempt
        };
        let formats = self.session.borrow().formats().to_string();
        let address = self.listener.address(fresh, &formats);
        let driver = self.clone();
        spawn_local(async move {
            let address = match address {
                Ok(address) => JsFuture::from(Promise::resolve(&address)).await,
                Err(error) => Err(error),
            };
            if driver.connection.borrow().attempt != attempt {
                return;
            }
            match address.map(|address| address.as_string()) {
                Ok(Some(address)) => {
                    driver.feed(Input::Dialing);
                    driver.dial(&address, attempt);
                }
                Ok(None) => driver.feed(Input::TokenFailed { message: "the token is not a string".into() }),
                Err(error) => driver.feed(Input::TokenFailed { message: describe(&error) }),
            }
        });
    }

    fn dial(self: &Rc<Self>, address: &str, attempt: u64) {
        let driver: Weak<Self> = Rc::downgrade(self);
        let opened = self.listener.socket(address);
        // Not what follows: there is the token.
        let shown = address.split('?').next().unwrap_or_default().to_owned();
        let reached = Cell::new(false);
        let socket = Socket::open(opened, move |event| {
            let Some(driver) = driver.upgrade() else { return };
            if driver.connection.borrow().attempt != attempt {
                return;
            }
            driver.feed(match event {
                SocketEvent::Opened => {
                    reached.set(true);
                    Input::Opened
                }
                SocketEvent::Frame(frame) => Input::Frame(frame),
                SocketEvent::Text(text) => Input::Text(text),
                SocketEvent::Closed { code, reason } if !reached.get() => {
                    Input::Closed { code, reason: format!("{shown} {reason}").trim_end().to_owned() }
                }
                SocketEvent::Closed { code, reason } => Input::Closed { code, reason },
            });
        });
        self.connection.borrow_mut().socket = socket;
    }

    /// A timer that fires too early costs one look at the clock; setting it anew at every keystroke costs more.
    fn arm(self: &Rc<Self>) {
        let due = if self.ended.get() { None } else { self.session.borrow().next_timeout() };
        let mut timer = self.timer.borrow_mut();
        match (due, timer.as_ref()) {
            (None, _) => *timer = None,
            (Some(due), Some((set, _))) if *set <= due => {}
            (Some(due), _) => {
                let driver = Rc::downgrade(self);
                // Longer delays overflow in browsers and would fire at once.
                let delay = due.saturating_sub(now()).min(0x7fff_ffff) as u32;
                let timeout = Timeout::new(delay, move || {
                    if let Some(driver) = driver.upgrade() {
                        driver.wake();
                    }
                });
                *timer = Some((due, timeout));
            }
        }
    }

    fn wake(self: &Rc<Self>) {
        // Dropping the timeout from within its own callback is safe: gloo keeps a once-closure alive while it runs.
        self.timer.borrow_mut().take();
        let due = self.session.borrow().next_timeout();
        if due.is_some_and(|due| due <= now()) {
            self.feed(Input::Tick);
        } else {
            self.arm();
        }
    }
}

/// As JSON.
fn entries(keys: Vec<(String, Option<Any>)>) -> String {
    let entry = |(key, value): (String, Option<Any>)| {
        Any::Array([Any::from(key)].into_iter().chain(value).collect::<Vec<_>>().into())
    };
    let mut json = String::new();
    Any::Array(keys.into_iter().map(entry).collect::<Vec<_>>().into()).to_json(&mut json);
    json
}
