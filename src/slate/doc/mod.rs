//! [`SlateDoc`]: one document, as a Y.Doc and as the editor's value.

use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

use yrs::{
    Any, Assoc, ClientID, Doc, OffsetKind, Options, Out, ReadTxn, StateVector, Transact, Update, Xml as _, XmlTextRef,
};

use crate::format::{FORMATS, Format, KnownFormats};
use crate::slate::value::diff;
use crate::slate::value::error::{RootMismatch, UpdateError};
use crate::slate::value::node::Node;
use crate::slate::value::op::{Op, Path, Point};
use crate::slate::view::Schema;
use crate::slate::ydoc::copies::Copies;
use crate::slate::ydoc::sticky::Sticky;
use crate::slate::ydoc::values::TouchedMaps;
use crate::update::{Intake, Limits, merge};

mod anchors;
mod by_reference;
mod change;
mod load;
mod look;
mod plain;
mod receive;
mod reference;
mod revert;
pub(super) mod root;
mod runs;
mod seed;
mod selfcheck;
pub(super) mod translate;
mod values;
mod witness;

pub use by_reference::Caret;
use reference::Reference;

pub use change::{LocalChange, RemoteChange};
pub use look::Look;
use look::Looks;
pub use runs::ShownRun;
pub use witness::Witness;

/// What a document is opened with.
#[derive(Debug, Clone)]
pub struct DocOptions {
    /// Random and non-zero; see [`SlateDoc::knows_client`].
    pub client_id: u32,
    /// Name of the root `Y.XmlText`.
    pub root: String,
    /// Name of a block's id property: a split that repeats the id, or gives none, is given a fresh one.
    pub block_id: Option<String>,
    /// Seeds the fresh ids.
    pub seed: u64,
    /// Which elements are inline and void where a document of format 1 does not say.
    pub schema: Schema,
}

pub struct SlateDoc {
    doc: Doc,
    root: XmlTextRef,
    copies: Copies,
    options: DocOptions,
    rng: fastrand::Rng,
    intake: Intake,
    looks: Looks,
    /// Which root maps may have changed.
    touched: TouchedMaps,
    formats: KnownFormats,
    /// As of the last update.
    format: Format,
    reference: Reference,
}

impl SlateDoc {
    pub fn new(options: DocOptions) -> Self {
        let doc = Doc::with_options(Options {
            offset_kind: OffsetKind::Utf16,
            // Cleaning up after peers' formats would be a write in answer to a read.
            cleanup_formatting: false,
            ..Options::with_guid_and_client_id("".into(), ClientID::new(u64::from(options.client_id)))
        });
        let text = doc.get_or_insert_text(options.root.as_str());
        let root: &XmlTextRef = text.as_ref();
        let root = root.clone();
        let (schema, client) = (options.schema.clone(), options.client_id);
        let reference = Reference::read_plain(&mut doc.transact_mut(), &root, schema, client);
        let rng = fastrand::Rng::with_seed(options.seed);
        let copies = Copies::new(&doc);
        let (intake, looks, touched) = (Intake::default(), Looks::default(), TouchedMaps::All);
        Self { doc, root, copies, options, rng, intake, looks, touched, formats: FORMATS, format: 0, reference }
    }

    /// Which formats may be written here, instead of [`FORMATS`].
    pub fn know(&mut self, formats: KnownFormats) {
        self.formats = formats;
    }

    /// The document's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the document's format is one of those that may be written here. If not, it is only shown: whoever edits it
    /// all the same damages it.
    pub fn is_writable(&self) -> bool {
        self.formats.knows(self.format)
    }

    pub fn client_id(&self) -> u32 {
        self.options.client_id
    }

    /// Applies operations the editor has already applied: one update.
    pub fn apply_local(&mut self, ops: Vec<Op>) -> LocalChange {
        self.apply(ops, None)
    }

    /// Applies operations that no editor has applied yet and that may have become stale: each is brought up to date
    /// first, and left out if it has no meaning any more. Also returns what was applied.
    pub fn apply_amended(&mut self, ops: Vec<Op>) -> (LocalChange, Vec<Op>) {
        let mut applied = Vec::new();
        let change = self.apply(ops, Some(&mut applied));
        (change, applied)
    }

    /// An update for a document without content: nothing there can have been split, merged or moved.
    fn receive_first(&mut self, update: &[u8], told: bool) -> Result<RemoteChange, UpdateError> {
        let changed = self.integrate_all(update, Limits::RECEIVED)?;
        let heard = self.reference.heard;
        let foreign = if changed { self.rebuild() } else { 0 };
        self.reference.heard = heard + u64::from(changed);
        let insert = |(at, node)| Op::InsertNode { path: Path::from_slice(&[at as u32]), node };
        let ops = if told { self.blocks().enumerate().map(insert).collect() } else { Vec::new() };
        Ok(RemoteChange { ops, changed, pending: self.is_waiting(), foreign, ..RemoteChange::default() })
    }

    /// Whether the doc keeps bytes that wait for updates not yet received.
    pub fn is_waiting(&self) -> bool {
        let txn = self.doc.transact();
        let store = txn.store();
        self.intake.is_waiting() || store.pending_update().is_some() || store.pending_ds().is_some()
    }

    /// The editor's children, one after the other.
    pub fn blocks(&self) -> impl Iterator<Item = Node> {
        self.reference.blocks()
    }

    /// The editor's value.
    pub fn value(&self) -> Vec<Node> {
        self.reference.value()
    }

    /// One of the editor's children, and how many there are: for comparing without reading all.
    pub fn block(&self, index: u32) -> (Option<Node>, u32) {
        self.reference.block(index)
    }

    /// The value rebuilt from the doc, for checking: equal to [`SlateDoc::value`] up to empty texts and to the borders
    /// between texts with equal marks.
    pub fn read(&self) -> Vec<Node> {
        self.read_anew().value()
    }

    /// Whether the root has no content at all.
    pub fn is_empty(&self) -> bool {
        self.reference.is_empty()
    }

    /// Whether the document's content lies under another root or in another layout.
    pub fn check_root(&self) -> Result<(), RootMismatch> {
        match self.is_empty() || self.reference.may_be_anothers() {
            true => root::check(&self.doc.transact(), &self.root, &self.options.root),
            false => Ok(()),
        }
    }

    /// v1 encoding.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// What a replica with this state vector lacks; everything without one. Includes what waits for missing updates.
    pub fn encode_state(&self, state_vector: Option<&[u8]>) -> Result<Vec<u8>, UpdateError> {
        let sv = match state_vector {
            None => StateVector::default(),
            Some(bytes) => {
                crate::update::state_vector(bytes).map_err(|error| UpdateError::StateVector(error.to_string()))?
            }
        };
        self.intake.include(self.encode(&sv)).map_err(|error| UpdateError::Rejected(error.to_string()))
    }

    /// With what waits for missing updates, unless that is damaged: yrs' own function would panic.
    fn encode(&self, sv: &StateVector) -> Vec<u8> {
        let txn = self.doc.transact();
        let whole = txn.encode_diff_v1(sv);
        let mut waiting = Vec::new();
        if let Some(pending) = txn.store().pending_update() {
            waiting.push(pending.update.encode_v1());
        }
        if let Some(deletions) = txn.store().pending_ds() {
            // An update without blocks.
            let mut update = vec![0];
            update.extend(deletions.encode_v1());
            waiting.push(update);
        }
        waiting.retain(|part| Update::decode_v1(part).is_ok());
        if waiting.is_empty() {
            // It is not decoded to see whether it can be: that takes as much memory as the document.
            return whole;
        }
        waiting.insert(0, whole);
        merge(&waiting).unwrap_or_else(|_| waiting.remove(0))
    }

    /// Whether the document has content by this client id; one that is to write must not.
    pub fn knows_client(&self, client_id: u32) -> bool {
        self.doc.transact().state_vector().get(&ClientID::new(u64::from(client_id))) > 0
    }

    /// The same content under another client id; the value stays as it is, empty texts included.
    pub fn with_client_id(self, client_id: u32) -> Self {
        let mut other = Self::new(DocOptions { client_id, ..self.options.clone() });
        other.know(self.formats);
        let state = self.encode(&StateVector::default());
        // Cannot fail: the bytes are our own.
        if other.integrate_all(&state, Limits::STORED).is_ok() {
            other.intake = self.intake;
            other.intake.moved();
            // Else it would give the ids of blocks again that it has given.
            other.rng = self.rng;
            other.rebuild();
            other.reference.take_leaves(&self.reference);
        }
        other
    }

    /// The update that makes an empty document hold `value`: a pure function of root and value, so that any number of
    /// clients seeding at once make one copy.
    pub fn seed_update(root: &str, value: &[Node]) -> Vec<u8> {
        let client_id = seed::client_id(root, value);
        let doc = Self::new(DocOptions {
            client_id,
            root: root.to_owned(),
            block_id: None,
            seed: 0,
            schema: Schema::default(),
        });
        seed::update(&doc.doc, &doc.root, value)
    }

    /// What a seed holds: its value, whose items its items are, and how many. None if it holds nothing, or is none.
    pub fn seed_in(update: &[u8], root: &str) -> Option<(Vec<Node>, u32, u32)> {
        let mut doc = Self::new(DocOptions {
            client_id: 1,
            root: root.to_owned(),
            block_id: None,
            seed: 0,
            schema: Schema::default(),
        });
        doc.load(update).ok()?;
        let state = doc.doc.transact().state_vector();
        let (client, clock) = state.iter().next().map(|(client, clock)| (client.get(), *clock))?;
        let client = u32::try_from(client).ok()?;
        (!doc.is_empty() && state.len() == 1).then(|| (doc.value(), client, clock))
    }

    /// How many items by this client id the document has.
    pub fn clock_of(&self, client_id: u32) -> u32 {
        self.doc.transact().state_vector().get(&ClientID::new(u64::from(client_id)))
    }

    /// A position that stays with its character; `None` if the point does not exist.
    pub fn sticky(&self, point: &Point, assoc: Assoc) -> Option<Sticky> {
        self.reference.sticky(point, assoc)
    }

    /// An attribute of the root that holds bytes.
    pub fn root_bytes(&self, name: &str) -> Option<Vec<u8>> {
        match self.root.get_attribute(&self.doc.transact(), name)? {
            Out::Any(Any::Buffer(bytes)) => Some(bytes.to_vec()),
            _ => None,
        }
    }

    /// Operations from one value to another.
    pub fn diff(old: &[Node], new: &[Node]) -> Vec<Op> {
        diff::diff(old, new)
    }
}

impl std::fmt::Debug for SlateDoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlateDoc").field("options", &self.options).finish_non_exhaustive()
    }
}
