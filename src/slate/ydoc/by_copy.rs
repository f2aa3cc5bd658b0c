//! Writing into the doc: the only place that calls yrs' mutating functions. They panic past the end of a type, so the
//! bounds are held here once more.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use yrs::{Any, Number, Text as _, TransactionMut, Xml as _, XmlTextPrelim, XmlTextRef};

use crate::slate::value::node::Attrs;
use crate::slate::value::props::Props;

fn length(branch: &XmlTextRef) -> u32 {
    let branch: &yrs::branch::Branch = branch.as_ref();
    branch.content_len()
}

pub(in crate::slate) fn insert_text(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32, text: &str, marks: &Props) {
    let attrs = marks.iter().map(|(key, value)| (key.clone(), clean(value))).collect();
    branch.insert_with_attributes(txn, at.min(length(branch)), text, attrs);
}

/// An empty element, without the formats that its neighbours have.
pub(in crate::slate) fn insert_element(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32) -> XmlTextRef {
    branch.insert_embed_with_attributes(txn, at.min(length(branch)), XmlTextPrelim::new(""), HashMap::new())
}

pub(in crate::slate) fn format(
    txn: &mut TransactionMut,
    branch: &XmlTextRef,
    at: u32,
    len: u32,
    changes: &[(Arc<str>, Any)],
) {
    let len = len.min(length(branch).saturating_sub(at));
    if len > 0 && !changes.is_empty() {
        let attrs = changes.iter().map(|(key, value)| (key.clone(), clean(value))).collect();
        branch.format(txn, at, len, attrs);
    }
}

/// Null removes.
pub(in crate::slate) fn set_attrs(txn: &mut TransactionMut, branch: &XmlTextRef, changes: &[(Arc<str>, Any)]) {
    for (key, value) in changes {
        match value {
            Any::Null => branch.remove_attribute(txn, key),
            value => {
                branch.insert_attribute(txn, key.clone(), clean(value));
            }
        }
    }
}

/// Numbers as Yjs would write them: lib0 makes a BigInt of integers past 2^53, which no JSON has.
pub(in crate::slate) fn clean(value: &Any) -> Any {
    match value {
        Any::Number(Number::Float(n)) => Any::Number(Number::try_i64(*n)),
        Any::Number(Number::Int(n)) if n.unsigned_abs() > (1 << 53) => Any::Number(Number::Float(*n as f64)),
        Any::Array(list) if list.iter().any(needs_cleaning) => Any::Array(list.iter().map(clean).collect()),
        Any::Map(map) if map.values().any(needs_cleaning) => {
            Any::Map(Arc::new(map.iter().map(|(key, value)| (key.clone(), clean(value))).collect()))
        }
        Any::Undefined => Any::Null,
        other => other.clone(),
    }
}

/// The same of all properties or marks.
pub(in crate::slate) fn cleaned(attrs: &Rc<Attrs>) -> Rc<Attrs> {
    match attrs.iter().any(|(_, value)| needs_cleaning(value)) {
        true => Rc::new(attrs.iter().map(|(name, value)| (name.clone(), clean(value))).collect()),
        false => attrs.clone(),
    }
}

fn needs_cleaning(value: &Any) -> bool {
    match value {
        Any::Number(Number::Float(n)) => n.fract() == 0.0,
        Any::Number(Number::Int(n)) => n.unsigned_abs() > (1 << 53),
        Any::Array(list) => list.iter().any(needs_cleaning),
        Any::Map(map) => map.values().any(needs_cleaning),
        Any::Undefined => true,
        _ => false,
    }
}
