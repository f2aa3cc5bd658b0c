//! [`Act`]: one small change of the document, told by ids, so that it can be taken back whatever others did meanwhile.

use std::sync::Arc;

use yrs::Any;

use super::attrs::Kind;
use super::id::Id;

/// Characters, or one nested type: the first id and how many.
pub type Span = (Id, u32);

/// What a [`Writer`](super::Writer) did.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Characters were put in.
    Insert(Span),
    /// Characters were deleted: their text, their formats as they stood, and the character right before them, if one was.
    Delete { span: Span, text: Arc<str>, formats: super::formats::Formats, left: Option<Id> },
    /// A nested type was put into the sequence of another.
    Make { id: Id, kind: Kind, up: Id },
    /// A marker was deleted: what it was, and its attributes.
    Drop { id: Id, attributes: Vec<(Arc<str>, Any)> },
    /// An attribute was set or removed (`None`).
    Set { id: Id, name: Arc<str>, before: Option<Any>, after: Option<Any> },
    /// A key of a format was set on these, or cleared (`None`).
    Format { on: Vec<Span>, key: Arc<str>, before: Option<Any>, after: Option<Any> },
}
