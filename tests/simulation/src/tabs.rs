//! Tabs and the devices they are on: what `browser` and the tabs of `js` do around a session.

use std::collections::VecDeque;

use slate_yrs::format::FORMATS;
use slate_yrs::protocol::{Role, close};
use slate_yrs::session::{Config, Connection, DeviceStorage, Input, Origin, Output, Remote, Session};
use slate_yrs::slate::{Node, Values};
use slate_yrs::store::{CopyName, Pending, StoreError, Write, load_copy};

use crate::content::Content;
use crate::device::{Claim, TabLife, now};
use crate::editor::{Editor, block};
use crate::plan::{Acts, Bug};
use crate::values::MAP;
use crate::world::{DOC, Event, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Good,
    /// Another one will do.
    Expired,
    /// No other one does.
    Refused,
    Forbidden,
}

impl Token {
    pub fn refusal(self) -> Option<u16> {
        match self {
            Self::Good => None,
            Self::Expired | Self::Refused => Some(close::UNAUTHORIZED),
            Self::Forbidden => Some(close::FORBIDDEN),
        }
    }
}

pub enum StoreOrder {
    Load,
    Write {
        ticket: u64,
        writes: Vec<Write>,
    },
    /// Let go of the lock of a dead session: what was asked of the device before is done.
    LetGo((String, String)),
}

pub struct Tab {
    pub device: usize,
    pub session: Option<Session>,
    /// The session's.
    pub name: String,
    /// Under which name it has the device's copy.
    copy: CopyName,
    pub editor: Editor,
    /// The map that people share, as the session has told of it.
    pub map: Values,
    /// Words that are in no update yet.
    pub typing: Vec<String>,
    /// A value is being set.
    pub sets: bool,
    pub orders: VecDeque<StoreOrder>,
    pub conn: Option<u64>,
    pub ready: bool,
    pub life: u64,
    pub tick_at: Option<u64>,
    /// Updates of this life that the server has not been seen to have.
    pub unverified: Vec<Content>,
    /// The same of the device.
    pub unstored: Vec<Content>,
    pub token: Token,
    pub role: Role,
    /// What the next write of this tab fails with.
    pub fail_next: Option<StoreError>,
    /// What writes and loads of this life failed with, and whether the last one did.
    pub store_errors: Vec<StoreError>,
    pub store_failed: bool,
    /// Wants to be the keeper, or is.
    wishes: bool,
    /// Heard of other tabs before the document was ready.
    early: Vec<News>,
    /// Of which epoch this tab's changes are, and whether the device keeps them: what the others were told last.
    keeping: (Option<String>, bool),
    pub deleted_local: bool,
    /// It could not read what the device has, and has not heard what the server has: it shows a new document.
    blind: bool,
}

/// What one tab tells the others: a change, the epoch it is of, and whether the device keeps it.
#[derive(Debug, Clone)]
pub struct News {
    update: Vec<u8>,
    epoch: Option<String>,
    kept: bool,
}

impl Tab {
    pub fn new(device: usize) -> Self {
        Self {
            device,
            session: None,
            name: String::new(),
            copy: CopyName::new(DOC),
            editor: Editor::default(),
            map: Values::new(),
            typing: Vec::new(),
            sets: false,
            orders: VecDeque::new(),
            conn: None,
            ready: false,
            life: 0,
            tick_at: None,
            unverified: Vec::new(),
            unstored: Vec::new(),
            token: Token::Good,
            role: Role::ReadWrite,
            fail_next: None,
            store_errors: Vec::new(),
            store_failed: false,
            wishes: false,
            early: Vec::new(),
            keeping: (None, false),
            deleted_local: false,
            blind: false,
        }
    }
}

impl World {
    /// What a new document begins with.
    pub fn first_value(&self, device: usize) -> Vec<Node> {
        vec![block("INT. HOUSE"), block(&self.plan.wanted(device))]
    }

    /// A page is opened, or opened again.
    pub fn open(&mut self, tab: usize) {
        let first = self.first_value(self.tabs[tab].device);
        let it = &mut self.tabs[tab];
        it.life += 1;
        it.name = format!("s{tab}-{}", it.life);
        it.copy = CopyName::new(DOC);
        let config = Config {
            document: DOC.into(),
            session: it.name.clone(),
            client_id: self.rng.u32(1..),
            seed: self.rng.u64(..),
            root: "content".into(),
            block_id: None,
            capture_timeout: 500,
            remote: Remote::Connect,
            store: true,
            presence: yrs::Any::from_json(&format!(r#"{{"name":"t{tab}"}}"#)).ok(),
            // A document of format 1 is there.
            initial_value: (self.plan.format == 0).then_some(first),
            schema: Default::default(),
            formats: FORMATS,
            format: Some(self.plan.format),
        };
        let device = it.device;
        self.note(|| format!("t{tab} opens on d{device} as {}, id {}", config.session, config.client_id));
        let session = Session::new(config, self.now);
        let it = &mut self.tabs[tab];
        it.session = Some(session);
        it.editor = Editor::default();
        it.map.clear();
        it.typing.clear();
        it.ready = false;
        it.tick_at = None;
        it.unverified.clear();
        it.unstored.clear();
        it.early.clear();
        it.keeping = (None, false);
        it.fail_next = None;
        it.store_errors.clear();
        it.store_failed = false;
        it.wishes = false;
        it.deleted_local = false;
        it.blind = false;
        if self.locks {
            self.feed(tab, Input::Keep(false));
        } else {
            self.drain(tab);
        }
    }

    /// The tab dies. What the device has not finished writing is lost, some of it or all.
    pub fn crash(&mut self, tab: usize) {
        self.note(|| format!("t{tab} dies"));
        let finished = self.rng.usize(..=self.tabs[tab].orders.len());
        self.gone(tab, finished);
    }

    /// The session is over; the device still finishes this many of its orders.
    fn gone(&mut self, tab: usize, finished: usize) {
        let orders = std::mem::take(&mut self.tabs[tab].orders);
        let device = self.tabs[tab].device;
        let unfinished = |order: &StoreOrder| matches!(order, StoreOrder::Write { .. });
        self.devices[device].torn |= orders.range(finished..).any(unfinished);
        for order in orders.into_iter().take(finished) {
            if let StoreOrder::Write { writes, .. } = order {
                let written = self.write(tab, &writes);
                self.devices[device].torn |= written.is_err();
            }
        }
        let it = &mut self.tabs[tab];
        let alive = it.session.take().is_some();
        it.ready = false;
        let (device, name) = (it.device, it.name.clone());
        if let Some(conn) = it.conn.take() {
            self.client_closes(conn);
        }
        self.release(tab);
        if alive && self.locks {
            let delay = self.rng.u64(1..50);
            self.at(delay, Event::Orphaned(device, name));
            let holder = (tab, self.tabs[tab].life);
            let held = self.devices[device].claims.iter().filter(|(_, claim)| claim.holder == holder);
            let held: Vec<_> = held.map(|(lock, _)| lock.clone()).collect();
            held.into_iter().for_each(|lock| self.let_go(device, lock));
        }
    }

    pub fn feed(&mut self, tab: usize, input: Input) {
        let Some(session) = &mut self.tabs[tab].session else { return };
        session.handle(self.now, input);
        self.drain(tab);
    }

    fn drain(&mut self, tab: usize) {
        while let Some(output) = self.tabs[tab].session.as_mut().and_then(Session::poll_output) {
            self.output(tab, output);
        }
        let it = &mut self.tabs[tab];
        let Some(session) = &it.session else { return };
        it.blind &= !session.status().synced;
        if let Some(at) = session.next_timeout()
            && it.tick_at.is_none_or(|tick| at < tick)
        {
            it.tick_at = Some(at);
            let delay = at.saturating_sub(self.now);
            self.at(delay, Event::Tick(tab));
        }
        self.tell_keeping(tab);
        self.check_status(tab);
    }

    /// What this tab cannot store any more, the others take for their own.
    fn tell_keeping(&mut self, tab: usize) {
        let it = &mut self.tabs[tab];
        let Some(session) = &it.session else { return };
        let (epoch, kept) = session.keeping();
        let (epoch, kept) = (epoch.map(str::to_owned), kept);
        let lost = it.keeping.1 && !kept;
        let news = epoch.is_some() && epoch != it.keeping.0;
        it.keeping = (epoch, kept);
        if lost {
            let pending = session.export_outbox().expect("an outbox of updates");
            if pending.len() > 2 {
                self.tell_tabs(tab, &pending, false);
            }
        } else if news {
            self.tell_tabs(tab, &[0, 0], true);
        }
    }

    fn tell_tabs(&mut self, tab: usize, update: &[u8], kept: bool) {
        let (device, epoch) = (self.tabs[tab].device, self.tabs[tab].keeping.0.clone());
        for other in 0..self.tabs.len() {
            if other != tab && self.tabs[other].device == device && self.tabs[other].session.is_some() {
                let (delay, life) = (self.rng.u64(..8), self.tabs[other].life);
                let news = News { update: update.to_vec(), epoch: epoch.clone(), kept };
                self.at(delay, Event::Broadcast(other, life, news));
            }
        }
    }

    fn output(&mut self, tab: usize, output: Output) {
        let life = self.tabs[tab].life;
        match output {
            Output::Ready => {
                let it = &mut self.tabs[tab];
                it.ready = true;
                it.editor.value = it.session.as_ref().expect("open").value();
                for news in std::mem::take(&mut it.early) {
                    self.at(0, Event::Broadcast(tab, life, news));
                }
                if self.plan.values {
                    self.feed(tab, Input::FollowMap(MAP.into()));
                }
            }
            Output::Operations { ops, .. } => {
                for op in &ops {
                    self.tabs[tab].editor.apply(op);
                }
            }
            Output::Diverged => {
                // Only what cannot be in a document at all.
                assert!(self.plan.acts == Acts::Refused, "t{tab} diverged");
                self.tabs[tab].editor.value = self.value(tab);
            }
            Output::Compare { blocks } => {
                let it = &self.tabs[tab];
                let session = it.session.as_ref().expect("open");
                for at in blocks {
                    let (block, count) = session.block(at);
                    let shown = (it.editor.value.get(at as usize), it.editor.value.len());
                    assert_eq!(shown, (block.as_ref(), count as usize), "(g) t{tab} shows another block {at}");
                }
            }
            Output::Update { origin, update } => self.made(tab, origin, &update),
            Output::Load => {
                self.order(tab, StoreOrder::Load);
            }
            Output::Write { ticket, writes } => self.order(tab, StoreOrder::Write { ticket, writes }),
            Output::OpenSocket { fresh_token } => {
                let token = &mut self.tabs[tab].token;
                if fresh_token && *token == Token::Expired {
                    *token = Token::Good;
                }
                let delay = self.latency();
                self.at(delay, Event::OpenSocket(tab, life));
            }
            Output::Send(frame) => self.send(tab, frame),
            Output::CloseSocket { .. } => {
                if let Some(conn) = self.tabs[tab].conn.take() {
                    self.client_closes(conn);
                }
            }
            Output::Error(error) => self.note(|| format!("t{tab} error {error:?}")),
            Output::Status => self.receives(tab),
            Output::Ended => {
                self.note(|| format!("t{tab} has ended"));
                let orders = self.tabs[tab].orders.len();
                self.gone(tab, orders);
            }
            Output::Values { keys, whole, .. } => self.heard_values(tab, keys, whole),
            Output::Select(_) | Output::Peers | Output::SendText(_) => {}
        }
    }

    fn made(&mut self, tab: usize, origin: Origin, update: &[u8]) {
        if !matches!(origin, Origin::Local | Origin::Undo) {
            return;
        }
        let content = Content::of(update);
        self.note(|| format!("t{tab} edits {}", content.show()));
        self.note_large(update);
        let it = &mut self.tabs[tab];
        // First content is the same items for everybody who wants the same, also after the server has decided against it: what
        // is typed into a block of it that was removed goes with that, in format 0.
        let words = it.typing.drain(..).filter(|_| !it.blind || self.plan.format > 0);
        self.truth.typed.extend(words.map(|word| (word, content.clone())));
        if it.sets {
            self.truth.values.add(&content);
        }
        it.unverified.push(content.clone());
        it.unstored.push(content);
        let kept = it.keeping.1;
        self.tell_tabs(tab, update, kept);
        self.typing(tab);
    }

    pub fn hears_tab(&mut self, tab: usize, life: u64, news: News) {
        let it = &mut self.tabs[tab];
        if it.life != life || it.session.is_none() {
            return;
        }
        if it.ready {
            let News { update, epoch, kept } = news;
            self.feed(tab, Input::TabUpdate { update, epoch, kept });
        } else {
            it.early.push(news);
        }
    }

    fn alive_beside(&self, tab: usize) -> Vec<String> {
        if !self.locks {
            return Vec::new();
        }
        let device = self.tabs[tab].device;
        let others = self.tabs.iter().enumerate();
        let others = others.filter(|(at, it)| *at != tab && it.device == device && it.session.is_some());
        others.map(|(_, it)| it.name.clone()).collect()
    }

    /// Takes the lock of a dead session, or waits for it. Returns whether it has it.
    fn claim(&mut self, tab: usize, session: &str) -> bool {
        if !self.locks {
            return true;
        }
        let (lock, life) = (self.lock(tab, session), (tab, self.tabs[tab].life));
        let new = || Claim { holder: life, waiting: VecDeque::new() };
        let claim = self.devices[self.tabs[tab].device].claims.entry(lock).or_insert_with(new);
        if claim.holder != life && !claim.waiting.contains(&life) {
            claim.waiting.push_back(life);
        }
        claim.holder == life
    }

    fn lock(&self, tab: usize, session: &str) -> (String, String) {
        (self.tabs[tab].copy.as_str().to_owned(), session.to_owned())
    }

    /// The next that waits for it has it.
    fn let_go(&mut self, device: usize, lock: (String, String)) {
        let Some(Claim { mut waiting, .. }) = self.devices[device].claims.remove(&lock) else { return };
        while let Some(holder) = waiting.pop_front() {
            let it = &self.tabs[holder.0];
            if it.life == holder.1 && it.session.is_some() {
                let delay = self.rng.u64(1..20);
                self.at(delay, Event::Granted(holder.0, holder.1, lock.1.clone()));
                self.devices[device].claims.insert(lock, Claim { holder, waiting });
                return;
            }
        }
    }

    /// A tab of the device takes over what a dead one had not sent; if none can, whoever opens the document next.
    pub fn orphaned(&mut self, device: usize, session: String) {
        let living = |it: &Tab| it.device == device && it.session.is_some();
        if !self.tabs.iter().any(living) {
            return;
        }
        let Some(heir) = self.tabs.iter().position(|it| living(it) && it.ready) else {
            return self.at(100, Event::Orphaned(device, session));
        };
        if self.claim(heir, &session) && !self.take_over(heir, &session) {
            self.at(1_000, Event::Orphaned(device, session));
        }
    }

    /// A tab has the lock that it waited for.
    pub fn granted(&mut self, (tab, life): TabLife, session: String) {
        let it = &self.tabs[tab];
        if it.life != life || it.session.is_none() {
            return;
        }
        match it.ready {
            true => drop(self.take_over(tab, &session)),
            false => self.at(100, Event::Granted(tab, life, session)),
        }
    }

    /// Returns whether the device could be read.
    fn take_over(&mut self, heir: usize, session: &str) -> bool {
        let (device, lock) = (self.tabs[heir].device, self.lock(heir, session));
        let Ok(loaded) = self.devices[device].store.load_now(DOC).map(|_| self.devices[device].peek()) else {
            self.let_go(device, lock);
            return false;
        };
        let left: Vec<Pending> = loaded.outbox.into_iter().filter(|pending| pending.key.session == session).collect();
        if left.is_empty() {
            self.let_go(device, lock);
            return true;
        }
        self.injected("outbox taken over");
        self.note(|| format!("t{heir} takes over {} of {session}", left.len()));
        self.feed(heir, Input::Orphans(left.clone()));
        self.check_taken_over(heir, &left);
        self.let_go_once_written(heir, lock);
        true
    }

    fn let_go_once_written(&mut self, tab: usize, lock: (String, String)) {
        if self.locks && self.tabs[tab].session.is_some() {
            self.order(tab, StoreOrder::LetGo(lock));
        }
    }

    // --- who keeps what the server sends

    fn receives(&mut self, tab: usize) {
        let it = &mut self.tabs[tab];
        let Some(session) = &it.session else { return };
        let status = session.status();
        let can = status.connection == Connection::Online && status.storage == DeviceStorage::IndexedDb;
        if !self.locks || can == it.wishes {
            return;
        }
        let (life, device) = (it.life, it.device);
        if can {
            it.wishes = true;
            if self.devices[device].keeper.is_none() {
                self.grant(tab);
            }
        } else {
            self.at(0, Event::Keep(tab, life, false));
            self.release(tab);
        }
    }

    fn grant(&mut self, tab: usize) {
        let it = &self.tabs[tab];
        let (device, life) = (it.device, it.life);
        self.devices[device].keeper = Some(tab);
        let delay = self.rng.u64(..6);
        self.at(delay, Event::Keep(tab, life, true));
    }

    fn release(&mut self, tab: usize) {
        self.tabs[tab].wishes = false;
        let device = self.tabs[tab].device;
        if self.devices[device].keeper == Some(tab) {
            self.devices[device].keeper = None;
            let next = self.tabs.iter().position(|it| it.device == device && it.wishes);
            if let Some(next) = next {
                self.grant(next);
            }
        }
    }

    fn typing(&mut self, tab: usize) {
        let it = &self.tabs[tab];
        let device = it.device;
        if !self.locks || !it.wishes || self.devices[device].keeper == Some(tab) {
            return;
        }
        if let Some(before) = self.devices[device].keeper {
            let (delay, life) = (self.rng.u64(..6), self.tabs[before].life);
            self.at(delay, Event::Keep(before, life, false));
        }
        self.grant(tab);
    }

    pub fn is_keeper(&mut self, tab: usize, life: u64, here: bool) {
        if self.tabs[tab].life != life || self.tabs[tab].session.is_none() {
            return;
        }
        // Taken away, or given back, before it was heard of. A tab hears of its lock in the order of what becomes of it.
        if here != (self.devices[self.tabs[tab].device].keeper == Some(tab)) {
            return;
        }
        self.feed(tab, Input::Keep(here));
    }

    // --- the store

    fn order(&mut self, tab: usize, order: StoreOrder) {
        self.tabs[tab].orders.push_back(order);
        let delay = if self.rng.u8(..10) == 0 { self.rng.u64(50..2_000) } else { self.rng.u64(1..10) };
        let life = self.tabs[tab].life;
        self.at(delay, Event::Store(tab, life));
    }

    pub fn store_step(&mut self, tab: usize, life: u64) {
        if self.tabs[tab].life != life {
            return;
        }
        let Some(order) = self.tabs[tab].orders.pop_front() else { return };
        let input = match order {
            StoreOrder::Load => {
                // Who is alive is asked after the reading: whoever has opened since is not dead.
                let mut alive = self.alive_beside(tab);
                let mut claimed = Vec::new();
                let device = &self.devices[self.tabs[tab].device];
                let loading = load_copy(&device.store, &mut self.tabs[tab].copy, true);
                let mut loaded = now(loading).map(|loaded| device.without_damaged(loaded));
                if let Ok(loaded) = &mut loaded {
                    for session in loaded.sessions().into_iter().filter(|it| !alive.contains(it)).collect::<Vec<_>>() {
                        match self.claim(tab, &session) {
                            true => claimed.push(session),
                            false => alive.push(session),
                        }
                    }
                    loaded.leave_to(|session| alive.iter().any(|it| it == session));
                    if self.plan.bug == Bug::OutboxForgotten {
                        loaded.outbox.clear();
                    }
                }
                if loaded.is_ok() {
                    let device = self.tabs[tab].device;
                    self.devices[device].damaged_since = false;
                }
                self.store_answered(tab, loaded.as_ref().err());
                self.tabs[tab].blind |= loaded.is_err() && !self.tabs[tab].ready;
                let at_first = loaded.as_ref().ok().filter(|_| !self.tabs[tab].ready).cloned();
                self.feed(tab, Input::Loaded(loaded));
                if let Some(copy) = at_first {
                    self.check_opened(tab, &copy);
                }
                for session in claimed {
                    self.let_go_once_written(tab, self.lock(tab, &session));
                }
                return;
            }
            StoreOrder::LetGo(lock) => return self.let_go(self.tabs[tab].device, lock),
            StoreOrder::Write { ticket, writes } => {
                let written = self.write(tab, &writes);
                self.store_answered(tab, written.as_ref().err());
                match written {
                    Ok(rows) => Input::Stored { ticket, rows },
                    Err(error) => Input::StoreFailed { ticket, error },
                }
            }
        };
        self.feed(tab, input);
    }

    fn store_answered(&mut self, tab: usize, error: Option<&StoreError>) {
        self.tabs[tab].store_failed = error.is_some();
        self.tabs[tab].store_errors.extend(error.cloned());
    }

    fn write(&mut self, tab: usize, writes: &[Write]) -> Result<Vec<u64>, StoreError> {
        if self.plan.bug == Bug::StoredTooEarly && self.rng.u8(..4) == 0 {
            let appends = writes.iter().filter(|write| write.appends()).count() as u64;
            return Ok((1_000_000..1_000_000 + appends).collect());
        }
        if let Some(error) = self.tabs[tab].fail_next.take() {
            return Err(error);
        }
        let device = self.tabs[tab].device;
        let before = writes.iter().any(takes_out).then(|| self.devices[device].peek());
        self.tabs[tab].copy.follow(writes);
        let copy = &self.tabs[tab].copy;
        if writes.contains(&Write::Delete) && copy.is_guarded() {
            self.devices[device].store.write_now(DOC, &[Write::Delete])?;
        }
        let rows = self.devices[device].store.write_now(copy.as_str(), writes)?;
        for write in writes {
            match write {
                Write::Edit { update, .. } => {
                    self.truth.journaled.push((device, Content::of(update)));
                }
                Write::Compact { .. } => self.injected("log compacted"),
                Write::Coalesce { from, .. } if from.len() > 40 => self.injected("outbox coalesced"),
                _ => {}
            }
        }
        if writes.contains(&Write::Delete) {
            self.truth.journaled.retain(|(on, _)| *on != device);
        } else if let Some(before) = before {
            self.check_taken_out(device, &before);
        }
        Ok(rows)
    }

    pub fn value(&self, tab: usize) -> Vec<Node> {
        self.tabs[tab].session.as_ref().map(Session::value).unwrap_or_default()
    }
}

/// Whether something may leave the outbox by this.
fn takes_out(write: &Write) -> bool {
    let adds = matches!(write, Write::Append { .. } | Write::Edit { .. } | Write::InEpoch { .. });
    !adds && !matches!(write, Write::SetEpoch { .. } | Write::Compact { .. })
}
