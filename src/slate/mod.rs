//! The Slate ⇄ Yjs mapping.
//!
//! [`SlateDoc`] owns the Y.Doc of one document and a *tree*: the editor's Slate value, with the shared type behind
//! each element. Local operations go through [`SlateDoc::apply_local`] into tree and doc; updates from elsewhere go
//! through [`SlateDoc::apply_update`] into the doc and come out as the Slate operations that bring an editor from the
//! old value to the new one. A path is resolved through the tree, never by walking the doc from its root.
//!
//! Invariants: the tree equals the editor's value after every call; reading the doc gives the tree, up to empty text
//! leaves and the borders between leaves with equal marks.

mod doc;
mod part;
mod remote;
mod undo;
pub mod value;
pub mod view;
mod write;
pub mod ydoc;

pub use doc::root::check_layout;
pub use doc::translate::Translation;
pub use doc::{Caret, DocOptions, LocalChange, Look, RemoteChange, ShownRun, SlateDoc, Witness};
pub use value::alignment::{Alignment, align};
pub use value::error::{OpError, RootMismatch, UpdateError};
pub use value::node::{Attrs, Element, Leaf, Node};
pub use value::op::{Op, Path, Point, Range};
pub use value::utf16::{len as utf16_len, slice as utf16_slice};
pub use view::Schema;
pub use write::Passage;
pub use ydoc::sticky::Sticky;
pub use ydoc::values::{ValueChange, Values, differences, set_values, values_of};
pub use ydoc::{Act, Id};
pub use yrs::Assoc;

#[cfg(test)]
pub(crate) mod tests;
