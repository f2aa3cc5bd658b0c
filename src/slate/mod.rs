//! The Slate ⇄ Yjs mapping.
//!
//! [`SlateDoc`] owns the Y.Doc of one document and a *tree*: the editor's Slate value, with the shared type behind
//! each element. Local operations go through [`SlateDoc::apply_local`] into tree and doc; updates from elsewhere go
//! through [`SlateDoc::apply_update`] into the doc and come out as the Slate operations that bring an editor from the
//! old value to the new one. A path is resolved through the tree, never by walking the doc from its root.
//!
//! Invariants: the tree equals the editor's value after every call; reading the doc gives the tree, up to empty text
//! leaves and the borders between leaves with equal marks.

mod alignment;
mod amend;
mod by_copy;
mod copies;
mod diff;
mod doc;
mod error;
pub mod node;
pub mod op;
mod part;
mod props;
mod root;
mod seed;
mod steps;
mod sticky;
pub mod transform;
mod translate;
mod undo;
mod utf16;
mod values;
pub mod view;
mod write;
pub mod ydoc;

pub use alignment::{Alignment, align};
pub use doc::{Caret, DocOptions, LocalChange, Look, RemoteChange, ShownRun, SlateDoc, Witness};
pub use error::{OpError, RootMismatch, UpdateError};
pub use node::{Attrs, Element, Leaf, Node};
pub use op::{Op, Path, Point, Range};
pub use root::check_layout;
pub use sticky::Sticky;
pub use translate::Translation;
pub use utf16::{len as utf16_len, slice as utf16_slice};
pub use values::{ValueChange, Values, differences, set_values, values_of};
pub use view::Schema;
pub use write::Passage;
pub use ydoc::{Act, Id};
pub use yrs::Assoc;

#[cfg(test)]
pub(crate) mod tests;
