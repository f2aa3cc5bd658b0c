//! [`SlateDoc`]: one document, as a Y.Doc and as the editor's value.

use smallvec::SmallVec;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

use yrs::{
    Any, Assoc, ClientID, Doc, OffsetKind, Options, Out, ReadTxn, StateVector, Transact, Update, Xml as _, XmlTextRef,
};

use super::amend::amend;
use super::copies::Copies;
use super::error::{OpError, RootMismatch, UpdateError};
use super::local::Edit;
use super::node::Node;
use super::op::{Op, Path, Point, Range};
use super::remote::Watch;
use super::sticky::{self, Sticky};
use super::tree::{NodeId, ROOT, Tree};
use super::values::TouchedMaps;
use super::view::Schema;
use super::write::Passage;
use super::ydoc::Act;
use super::{diff, read, root, seed};
use crate::format::{FORMATS, Format, Formats};
use crate::update::{Intake, Limits, merge};

mod anchors;
mod by_reference;
mod load;
mod receive;
mod reference;
mod selfcheck;
mod values;

pub use by_reference::Caret;
use load::changed_directly;
use reference::Reference;

pub use selfcheck::Look;
use selfcheck::Looks;

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

/// What became of a batch of local operations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LocalChange {
    /// The change as one update; `None` if the doc did not change (empty texts, properties set to what they were).
    pub update: Option<Vec<u8>>,
    /// Operations that fit neither tree nor doc; the others were applied.
    pub rejected: Vec<(Op, OpError)>,
    /// For the editor, to be applied without echo: fresh block ids.
    pub ops: Vec<Op>,
    /// Undoes the batch when applied in this order. Empty in format 1.
    pub inverse: Vec<Op>,
    /// What was written, in format 1: [`SlateDoc::revert`] takes it back.
    pub acts: Vec<Act>,
    /// What was shown before and afterwards, in format 1.
    pub passage: Option<Passage>,
}

/// What an update did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RemoteChange {
    /// Brings an editor from the old value to the new one.
    pub ops: Vec<Op>,
    /// The doc changed, be it by a deletion that shows in no operation. Without it nothing needs storing, unless the
    /// update waits for others it depends on: see `pending`.
    pub changed: bool,
    /// The doc keeps bytes that wait for updates not yet received.
    pub pending: bool,
    /// Where the selection that was asked for is now, if no operation takes it there.
    pub selection: Option<Range>,
    /// Elements whose operations did not lead to the doc's content and that were replaced: a defect, mended.
    pub resynced: u32,
    /// Embeds in changed elements that are no `Y.XmlText`: kept in the doc, absent from the value.
    pub foreign: u32,
}

pub struct SlateDoc {
    doc: Doc,
    tree: Tree,
    copies: Copies,
    options: DocOptions,
    rng: fastrand::Rng,
    watch: Watch,
    intake: Intake,
    looks: Looks,
    /// Which root maps may have changed.
    touched: TouchedMaps,
    formats: Formats,
    /// As of the last update.
    format: Format,
    /// Of a document of format 1; `tree` is empty then.
    reference: Option<Box<Reference>>,
}

/// Nothing is squashed before a commit, so that a very large transaction turns quadratic.
const PIECE: usize = 500;

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
        let tree = Tree::new(Some(root.clone()));
        let rng = fastrand::Rng::with_seed(options.seed);
        let copies = Copies::new(&doc);
        let (watch, intake, looks) = (Watch::default(), Intake::default(), Looks::default());
        let (touched, formats) = (TouchedMaps::All, FORMATS);
        watch.subscribe_root(&text);
        Self { doc, tree, copies, options, rng, watch, intake, looks, touched, formats, format: 0, reference: None }
    }

    /// Which formats may be written here, instead of [`FORMATS`].
    pub fn know(&mut self, formats: Formats) {
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

    fn apply(&mut self, ops: Vec<Op>, mut amended: Option<&mut Vec<Op>>) -> LocalChange {
        if self.reference.is_some() {
            let change = self.apply_by_reference(ops.clone());
            if let Some(applied) = amended {
                applied.extend(ops.into_iter().filter(|op| change.rejected.iter().all(|(other, _)| other != op)));
            }
            return change;
        }
        self.tree.recycle();
        let mut change = LocalChange::default();
        let mut updates = Vec::new();
        let keystroke = matches!(*ops, [Op::InsertText { .. }]);
        let mut ops = ops.into_iter().peekable();
        while ops.peek().is_some() {
            let piece: Vec<Op> = ops.by_ref().take(PIECE).collect();
            let amended = amended.as_deref_mut();
            updates.extend(self.transact(keystroke, &mut change, |edit, rejected| match amended {
                None => {
                    for op in piece {
                        if let Err(error) = edit.apply(&op) {
                            rejected.push((op, error));
                        }
                    }
                }
                Some(applied) => {
                    for op in piece {
                        applied.extend(amend(edit.tree, op).filter(|op| edit.apply(op).is_ok()));
                    }
                }
            }));
        }
        change.inverse.reverse();
        change.update = self.in_one(updates);
        change
    }

    /// One update for several of one's own.
    fn in_one(&self, mut updates: Vec<Vec<u8>>) -> Option<Vec<u8>> {
        if updates.len() < 2 {
            return updates.pop();
        }
        // Never seen to fail; the whole document has them, too.
        merge(&updates).ok().or_else(|| Some(self.encode(&StateVector::default())))
    }

    /// Local edits in one transaction; the update, if there is one.
    fn transact(
        &mut self,
        keystroke: bool,
        change: &mut LocalChange,
        work: impl FnOnce(&mut Edit, &mut Vec<(Op, OpError)>),
    ) -> Option<Vec<u8>> {
        let mut txn = self.doc.transact_mut();
        let mut edit = Edit {
            tree: &mut self.tree,
            txn: &mut txn,
            block_id: self.options.block_id.as_deref(),
            rng: &mut self.rng,
            inverse: std::mem::take(&mut change.inverse),
            extra: std::mem::take(&mut change.ops),
            touched: SmallVec::new(),
            unwritten: None,
        };
        work(&mut edit, &mut change.rejected);
        edit.catch_up();
        change.inverse = edit.inverse;
        change.ops = edit.extra;
        let touched = edit.touched;
        // A commit joins what was typed to the text typed before it, and it would have to be cut out again.
        let early = (keystroke && txn.has_changes()).then(|| txn.encode_update_v1());
        txn.commit();
        let update = early.or_else(|| txn.has_changes().then(|| txn.encode_update_v1()));
        update.iter().for_each(|update| self.intake.wrote(update));
        let changed = if cfg!(debug_assertions) { changed_directly(&txn) } else { Vec::new() };
        drop(txn);
        for id in touched {
            self.looks.changed(id);
            self.watch(id);
        }
        for id in changed.iter().filter_map(|branch| self.tree.element_of(branch)) {
            self.looks.changed(id);
        }
        update
    }

    /// An update for a document without blocks: nothing there can have been split, merged or moved.
    fn receive_first(&mut self, update: &[u8], told: bool) -> Result<RemoteChange, UpdateError> {
        let (_, changed) = self.integrate(update, Limits::RECEIVED)?;
        let foreign = if changed { self.rebuild() } else { 0 };
        if self.reference.is_some() {
            let insert = |(at, node)| Op::InsertNode { path: Path::from_slice(&[at as u32]), node };
            let ops = if told { self.value().into_iter().enumerate().map(insert).collect() } else { Vec::new() };
            return Ok(RemoteChange { ops, changed, pending: self.is_waiting(), foreign, ..RemoteChange::default() });
        }
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

    /// From now on remote changes of this element are recorded exactly.
    fn watch(&mut self, id: NodeId) {
        if let Some(block) = self.tree.block_mut(id)
            && !block.watched
            && let Some(branch) = &block.branch
        {
            self.watch.subscribe(branch);
            block.watched = true;
        }
    }

    /// The editor's children, one after the other.
    pub fn blocks(&self) -> impl Iterator<Item = Node> {
        let by_reference = self.reference.iter().flat_map(|reference| reference.value());
        self.tree.children(ROOT).iter().map(|&id| self.tree.to_node(id)).chain(by_reference)
    }

    /// The editor's value.
    pub fn value(&self) -> Vec<Node> {
        if let Some(reference) = &self.reference {
            return reference.value();
        }
        self.tree.to_nodes(self.tree.children(ROOT))
    }

    /// One of the editor's children, and how many there are: for comparing without reading all.
    pub fn block(&self, index: u32) -> (Option<Node>, u32) {
        if let Some(reference) = &self.reference {
            return reference.block(index);
        }
        let blocks = self.tree.children(ROOT);
        let block = blocks.get(index as usize..).and_then(|rest| rest.first());
        (block.and_then(|&id| self.tree.to_nodes(&[id]).pop()), blocks.len() as u32)
    }

    /// The value rebuilt from the doc, for checking: equal to [`SlateDoc::value`] up to empty texts and to the borders
    /// between texts with equal marks.
    pub fn read(&self) -> Vec<Node> {
        if let (Some(_), Some(root)) = (&self.reference, self.root_branch()) {
            return self.read_by_reference(&root).value();
        }
        let txn = self.doc.transact();
        let mut tree = Tree::new(self.tree.branch(ROOT));
        read::load_children(&txn, &mut tree, ROOT, 0);
        tree.to_nodes(tree.children(ROOT))
    }

    /// Whether the root has no content at all.
    pub fn is_empty(&self) -> bool {
        if let Some(reference) = &self.reference {
            return reference.is_empty();
        }
        self.tree.content_len(ROOT) == 0
    }

    /// Whether the document's content lies under another root or in another layout.
    pub fn check_root(&self) -> Result<(), RootMismatch> {
        match self.tree.branch(ROOT) {
            Some(root) if self.is_empty() => root::check(&self.doc.transact(), &root, &self.options.root),
            _ => Ok(()),
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
        let mut parts = vec![txn.encode_diff_v1(sv)];
        if let Some(waiting) = txn.store().pending_update() {
            parts.push(waiting.update.encode_v1());
        }
        if let Some(deletions) = txn.store().pending_ds() {
            // An update without blocks.
            let mut update = vec![0];
            update.extend(deletions.encode_v1());
            parts.push(update);
        }
        parts.retain(|part| Update::decode_v1(part).is_ok());
        match parts.len() {
            1 => parts.remove(0),
            _ => merge(&parts).unwrap_or_else(|_| parts.remove(0)),
        }
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
        if other.integrate(&state, Limits::STORED).is_ok() {
            let root = other.tree.branch(ROOT);
            other.intake = self.intake;
            other.intake.moved();
            // Else it would give the ids of blocks again that it has given.
            other.rng = self.rng;
            other.settle_format();
            if let (Some(before), Some(now)) = (&self.reference, &mut other.reference) {
                now.take_leaves(before);
                return other;
            }
            other.tree = self.tree;
            let txn = other.doc.transact();
            if let Some(root) = root {
                read::rebind(&txn, &mut other.tree, ROOT, root);
            }
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
        match doc.tree.branch(ROOT) {
            Some(root) => seed::update(&doc.doc, &root, value),
            None => Vec::new(),
        }
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
        if let Some(reference) = &self.reference {
            return reference.sticky(point, assoc);
        }
        sticky::make(&self.doc.transact(), &self.tree, point, assoc)
    }

    /// Where a position is now; `None` if what it was tied to is gone without trace, or not here yet.
    pub fn resolve(&self, sticky: &Sticky) -> Option<Point> {
        if let Some(reference) = &self.reference {
            return self.resolve_by_reference(reference, sticky);
        }
        sticky::resolve(&self.doc.transact(), &self.tree, &self.copies, sticky)
    }

    /// An attribute of the root that holds bytes.
    pub fn root_bytes(&self, name: &str) -> Option<Vec<u8>> {
        match self.tree.branch(ROOT)?.get_attribute(&self.doc.transact(), name)? {
            Out::Any(Any::Buffer(bytes)) => Some(bytes.to_vec()),
            _ => None,
        }
    }

    /// Remote changes in the block at this point will be followed exactly: for where the caret is.
    pub fn attend(&mut self, point: &Point) {
        if let Ok((parent, _)) = self.tree.resolve_parent(&point.path) {
            self.watch(parent);
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
