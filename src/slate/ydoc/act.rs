//! [`Act`]: one small change of the document, told by ids, so that it can be taken back whatever others did meanwhile.

use std::sync::Arc;

use yrs::Any;

use super::attrs::Kind;
use super::id::Id;

/// Characters, or one nested type: the first id and how many.
pub type Span = (Id, u32);

/// What stood on both sides of something when it was deleted: characters or nested types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beside {
    pub left: Option<Id>,
    pub right: Option<Id>,
}

/// What a [`Writer`](super::Writer) did.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Characters were put in.
    Insert(Span),
    /// Characters were deleted: their text, their formats as they stood, and what they stood between.
    Delete { span: Span, text: Arc<str>, formats: super::formats::Formats, between: Beside },
    /// A nested type was put into the sequence of another.
    Make { id: Id, kind: Kind, up: Id },
    /// A marker was deleted: its attributes, its formats, and what it stood between.
    Drop { id: Id, attributes: Vec<(Arc<str>, Any)>, formats: super::formats::Formats, between: Beside },
    /// An attribute was set or removed (`None`).
    Set { id: Id, name: Arc<str>, before: Option<Any>, after: Option<Any> },
    /// A key of a format was set on these, or cleared (`None`). `given`: nothing in the sequence had it before.
    Format { on: Vec<Span>, key: Arc<str>, before: Option<Any>, after: Option<Any>, given: bool },
}
