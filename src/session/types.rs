//! What goes into a session and what comes out: the contract with `browser`, the simulator and `js`.

use yrs::Any;

use crate::border::{by_name, by_number};
use crate::format::{Format, KnownFormats};
use crate::slate::{Node, Op, Range, Schema};
use crate::store::{Loaded, Pending, Row, StoreError, Write};

/// Milliseconds since the epoch, from whoever drives the session.
pub type Millis = u64;

/// What a session is opened with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The room.
    pub document: String,
    /// This opening: names the seqs of the durable sync. Random, 128 bits, chosen by the driver.
    pub session: String,
    /// Random, non-zero; replaced if the loaded document already knows it.
    pub client_id: u32,
    /// Seeds the jitter of reconnects.
    pub seed: u64,
    /// Name of the root `Y.XmlText`.
    pub root: String,
    /// Name of a block's id property; a split gives the new block a fresh one where Slate's operation gives none.
    pub block_id: Option<String>,
    pub capture_timeout: Millis,
    /// Whether there is a server at all, and whether to connect to it at once.
    pub remote: Remote,
    /// Whether there is a store. Without one, edits are in memory until the server has them.
    pub store: bool,
    /// JSON object: what peers see of this user.
    pub presence: Option<Any>,
    /// Used only if the document has no content.
    pub initial_value: Option<Vec<Node>>,
    /// Which elements are inline and void where a document of format 1 does not say.
    pub schema: Schema,
    /// What this engine may write: [`crate::format::FORMATS`], but in tests.
    pub formats: KnownFormats,
    /// 0: new documents begin in it. Higher: any document is brought to it. None: as the document is, new ones as the
    /// server says.
    pub format: Option<Format>,
}

by_name! {
    /// Whether there is a server, and when to connect to it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Remote as RemoteNames {
        None = "none",
        /// Connect once the store has loaded.
        Connect = "connect",
        /// Stay offline until [`Input::Connect`].
        Wait = "wait",
    }
}

by_number! {
    /// Who made a change.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Origin as OriginNames {
        Local = "local",
        Remote = "remote",
        Undo = "undo",
        Store = "store",
    }
}

#[derive(Debug, Clone)]
pub enum Input {
    // --- the editor
    /// A local operation the editor has just applied. Queued: it reaches the doc with the next flush.
    Edit(Op),
    /// The same, made by the editor's normalizers after a change by others: no part of anyone's undo.
    Normalize(Op),
    /// The end of an editor tick: what is queued becomes one transaction, one update.
    Flush,
    /// The editor was found to differ from the document, and was mended: in the way that the text says.
    Mended(String),
    /// The editor's selection, after the operations queued so far.
    Select(Option<Range>),
    Undo,
    Redo,
    /// The next edit begins a step of its own.
    StopCapturing,
    /// Which elements are inline and void, as the editor has it now.
    Schema(Schema),
    // --- the application
    /// Merged into the presence: JSON object.
    Presence(Any),
    /// As a remote change.
    ApplyUpdate(Vec<u8>),
    /// Leaves the offline state; retries now if waiting.
    Connect,
    /// Stays offline until `Connect`.
    Disconnect,
    /// Sets a value of a map, or deletes the key. `undoable`: it is a step of undo.
    SetValue {
        map: String,
        key: String,
        value: Option<Any>,
        undoable: bool,
    },
    /// From now on the changes of this map are told; what it has, at once.
    FollowMap(String),
    /// Ends the session: flushes, says goodbye to peers, closes the socket.
    Close,
    /// The answer to an epoch mismatch.
    Resolve(Conflict),
    /// Deletes the device's copy; with `discard_pending` also if edits are unacknowledged. From then on the session
    /// keeps nothing on the device.
    DeleteLocal {
        discard_pending: bool,
    },
    /// Gives up what was set aside, and what was built upon it: the document becomes what it is for the others.
    DiscardSetAside,
    // --- the store
    /// Answers [`Output::Load`]. `outbox` without the updates of sessions that live in another tab.
    Loaded(Result<Loaded, StoreError>),
    /// The write with this ticket is committed; `rows` as [`crate::store::Store::write`] returns them.
    Stored {
        ticket: u64,
        rows: Vec<Row>,
    },
    StoreFailed {
        ticket: u64,
        error: StoreError,
    },
    /// The browser has closed the database: what was stored may be gone.
    StoreLost,
    /// Another tab has deleted the device's copy.
    CopyDeleted,
    /// Pending updates of a session that has died: this one takes them over.
    Orphans(Vec<Pending>),
    /// Operations the editor has just applied, as one transaction. `normalization`: made by the editor's normalizers
    /// after a change by others.
    Commit {
        ops: Vec<Op>,
        normalization: bool,
    },
    /// A change another tab has made, in the epoch it knows. `kept`: it has stored it, and will submit it; otherwise
    /// that is for whoever hears of it.
    TabUpdate {
        update: Vec<u8>,
        epoch: Option<String>,
        kept: bool,
    },
    /// A word is being composed in the editor, by an input method or on a phone's keyboard; or is finished.
    Composing(bool),
    /// Whether this session stores what the server sends, or that of another tab. This one does unless told otherwise.
    Keep(bool),
    // --- the network
    /// The token has come: the server is being asked.
    Dialing,
    Opened,
    Frame(Vec<u8>),
    /// A text frame: JSON of type `ping` or `error` means something, the rest is ignored.
    Text(String),
    /// The socket closed, or never opened: then `reason` says what is known. 1006 without a close frame.
    Closed {
        code: u16,
        reason: String,
    },
    /// The token callback failed, no socket was opened: tried again later.
    TokenFailed {
        message: String,
    },
    /// The browser's `online` / `offline` event: a hint, not a fact.
    NetworkHint {
        online: bool,
    },
    /// The page becomes hidden or is left.
    Suspend,
    /// Somebody is back at the page: a reason to try now.
    Awake,
    /// A deadline given by [`super::Session::next_timeout`] has come, or may have.
    Tick,
}

/// The choices after an epoch mismatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// Take what the server has in place of the local copy, once it is here. Unacknowledged edits are set aside, not
    /// deleted.
    TakeServer,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// The local copy is loaded, or cannot be: `value()` is what an editor starts from. Comes once, before any
    /// `Operations`. A session that ends before could not be opened; the last `Error` says why.
    Ready,
    /// Bring the editor from its value to the new one: in one batch, normalizing after the last.
    Operations {
        origin: Origin,
        ops: Vec<Op>,
    },
    /// The selection to restore after the operations of an undo or redo.
    Select(Range),
    /// An operation did not fit the document: compare the editor with `value()` and mend the editor.
    Diverged,
    /// Compare these of the editor's children with those of `value()`, as soon as the editor is at rest, and mend the
    /// editor should they differ. Comes when there is time.
    Compare {
        blocks: Vec<u32>,
    },
    /// A change of the doc as an update.
    Update {
        origin: Origin,
        update: Vec<u8>,
    },
    /// Keys of a map have other values; none: they are gone. `whole`: these are all the keys it has.
    Values {
        origin: Origin,
        map: String,
        keys: Vec<(String, Option<Any>)>,
        whole: bool,
    },
    /// [`super::Session::status`] has changed.
    Status,
    /// [`super::Session::peers`] has changed.
    Peers,
    Error(SessionError),
    // --- orders to the driver
    /// Load the document from the store; answered by [`Input::Loaded`].
    Load,
    /// Answered by `Stored` or `StoreFailed`. Orders are carried out in sequence.
    Write {
        ticket: u64,
        writes: Vec<Write>,
    },
    /// Open a socket; answered by `Opened` or `Closed`. `fresh_token`: the last one was refused.
    OpenSocket {
        fresh_token: bool,
    },
    Send(Vec<u8>),
    SendText(String),
    /// Close the socket, or stop opening it. Nothing of it may come in any more, `Closed` included.
    CloseSocket {
        code: u16,
    },
    /// The session has ended: nothing more will come.
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionError {
    pub code: ErrorCode,
    pub message: String,
}

by_name! {
    /// The codes of `CollabError` that the engine gives.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum ErrorCode as EngineErrorCodes {
        Unauthorized = "unauthorized",
        Forbidden = "forbidden",
        Protocol = "protocol",
        InvalidUpdate = "invalid-update",
        TooLarge = "too-large",
        Storage = "storage",
        Epoch = "epoch",
        RootMismatch = "root-mismatch",
        /// The document is of a format that this engine or the server does not know.
        Format = "format",
        Wasm = "wasm",
        Closed = "closed",
    }
}

by_number! {
    /// Whether there is a connection to the server, or why there is none.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Connection as ConnectionNames {
        Offline = "offline",
        Connecting = "connecting",
        Online = "online",
        Unauthorized = "unauthorized",
        Forbidden = "forbidden",
        Closed = "closed",
    }
}

by_number! {
    /// The least safe place in which the newest local edit is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Saved as SavedNames {
        Memory = "memory",
        Local = "local",
        Server = "server",
    }
}

by_number! {
    /// Where edits are kept on this device.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum DeviceStorage as StorageNames {
        IndexedDb = "indexeddb",
        Memory = "memory",
        Full = "full",
        Blocked = "blocked",
        Corrupt = "corrupt",
    }
}

/// One of the others.
#[derive(Debug, Clone)]
pub struct Peer {
    pub client_id: u64,
    /// Another one whenever `presence` is.
    pub version: u32,
    pub presence: Any,
    pub selection: Option<Range>,
    pub typing: bool,
    pub last_active: Millis,
}

impl PartialEq for Peer {
    /// Runs for every peer at every keystroke: the presence, which may be anything, is known by its version.
    fn eq(&self, other: &Self) -> bool {
        let key = |peer: &Self| (peer.client_id, peer.version, peer.typing, peer.last_active);
        key(self) == key(other) && self.selection == other.selection
    }
}
