//! Detached Slate nodes: what an operation carries, what `value()` returns.

use std::collections::BTreeMap;
use std::sync::Arc;

use yrs::Any;

/// Properties of an element or marks of a text leaf. Any JSON value; ordered, so that equal values encode equally.
pub type Attrs = BTreeMap<Arc<str>, Any>;

/// A Slate node that belongs to no document.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Element(Element),
    Text(Leaf),
}

/// An element: every property except `children` is in `attrs`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Element {
    pub attrs: Attrs,
    pub children: Vec<Node>,
}

/// A text leaf: every property except `text` is in `marks`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leaf {
    pub text: String,
    pub marks: Attrs,
}
