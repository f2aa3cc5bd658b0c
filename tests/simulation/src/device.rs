//! A device: what it keeps of the document.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use slate_yrs::store::{CopyName, Loaded, MemoryStore, Row, Write};

use crate::content::Content;
use crate::world::DOC;

/// Rows of an empty update, as if a long log had been written before.
const NOTHING: [u8; 2] = [0, 0];

/// A tab in one of its lives.
pub type TabLife = (usize, u64);

/// Who takes over what a dead session left, and who waits to look whether anything is left then.
pub struct Claim {
    pub holder: TabLife,
    pub waiting: VecDeque<TabLife>,
}

pub struct Device {
    pub store: MemoryStore,
    /// Rows whose checksum does not match.
    pub damaged: BTreeSet<Row>,
    /// Since the last load.
    pub damaged_since: bool,
    /// A tab was killed while it wrote.
    pub torn: bool,
    /// The tab that holds the keeper's lock.
    pub keeper: Option<usize>,
    /// The locks of dead sessions that are held, by the name of the copy and of the session.
    pub claims: BTreeMap<(String, String), Claim>,
}

impl Device {
    pub fn new(old_rows: u32) -> Self {
        let store = MemoryStore::new();
        let row = Write::Append { update: NOTHING.to_vec() };
        store.write_now(DOC, &vec![row; old_rows as usize]).expect("no fault yet");
        Self {
            store,
            damaged: BTreeSet::new(),
            damaged_since: false,
            torn: false,
            keeper: None,
            claims: BTreeMap::new(),
        }
    }

    /// All that there is of the document: the copy that older versions do not find, and what is still beside it.
    pub fn peek(&self) -> Loaded {
        let (mut loaded, beside) = (self.store.peek(&CopyName::guarded(DOC)), self.store.peek(DOC));
        if loaded.is_nothing() {
            return beside;
        }
        loaded.log.extend(beside.log);
        loaded.outbox.extend(beside.outbox);
        loaded.set_aside.extend(beside.set_aside);
        loaded
    }

    /// What a load gives.
    pub fn whole(&self) -> Loaded {
        self.without_damaged(self.peek())
    }

    pub fn without_damaged(&self, mut loaded: Loaded) -> Loaded {
        let before = loaded.log.len();
        loaded.log.retain(|(row, _)| !self.damaged.contains(row));
        loaded.damaged = u32::try_from(before - loaded.log.len()).expect("few");
        loaded
    }

    /// What is kept for the server, or because it refuses it.
    pub fn unsent(&self) -> Content {
        let loaded = self.peek();
        let outbox = loaded.outbox.iter().map(|pending| &pending.update);
        let mut content = Content::default();
        for update in outbox.chain(loaded.set_aside.iter().map(|aside| &aside.update)) {
            content.add(&Content::of(update));
        }
        content
    }
}

/// What the store in memory does is done at once.
pub fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the store in memory waits for something"),
    }
}
