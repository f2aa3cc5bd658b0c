//! Writing into the doc: the only place that calls yrs' mutating functions. They panic past the end of a type, so the
//! bounds are held here once more.

use std::collections::HashMap;
use std::sync::Arc;

use yrs::types::Delta;
use yrs::{Any, BranchID, ID, Number, ReadTxn as _, Text as _, TransactionMut, Xml as _, XmlTextPrelim, XmlTextRef};

use super::props::Props;
use super::tree::{Kind, NodeId, Tree};

fn length(branch: &XmlTextRef) -> u32 {
    let branch: &yrs::branch::Branch = branch.as_ref();
    branch.content_len()
}

pub(super) fn insert_text(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32, text: &str, marks: &Props) {
    let attrs = marks.iter().map(|(key, value)| (key.clone(), clean(value))).collect();
    branch.insert_with_attributes(txn, at.min(length(branch)), text, attrs);
}

/// An empty element, without the formats that its neighbours have.
pub(super) fn insert_element(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32) -> XmlTextRef {
    branch.insert_embed_with_attributes(txn, at.min(length(branch)), XmlTextPrelim::new(""), HashMap::new())
}

/// Several of them, one after the other: yrs looks for a place from the start of the content on, each time it is asked.
fn insert_elements(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32, count: usize) -> Vec<XmlTextRef> {
    if count < 2 {
        return (0..count).map(|_| insert_element(txn, branch, at)).collect();
    }
    let first = txn.store().get_local_state();
    let skip = Delta::Retain(at.min(length(branch)), None);
    let new = (0..count).map(|_| Delta::Inserted(XmlTextPrelim::new(""), None));
    branch.apply_delta(txn, std::iter::once(skip).chain(new));
    // Between them there may be formats, where their neighbours have some.
    let client = txn.doc().client_id();
    let written = first..txn.store().get_local_state();
    let ids = written.map(|clock| BranchID::Nested(ID::new(client, clock)));
    ids.filter_map(|id| id.get_branch(txn)).map(XmlTextRef::from).collect()
}

pub(super) fn remove(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32, len: u32) {
    let len = len.min(length(branch).saturating_sub(at));
    if len > 0 {
        branch.remove_range(txn, at, len);
    }
}

pub(super) fn format(txn: &mut TransactionMut, branch: &XmlTextRef, at: u32, len: u32, changes: &[(Arc<str>, Any)]) {
    let len = len.min(length(branch).saturating_sub(at));
    if len > 0 && !changes.is_empty() {
        let attrs = changes.iter().map(|(key, value)| (key.clone(), clean(value))).collect();
        branch.format(txn, at, len, attrs);
    }
}

/// Null removes.
pub(super) fn set_attrs(txn: &mut TransactionMut, branch: &XmlTextRef, changes: &[(Arc<str>, Any)]) {
    for (key, value) in changes {
        match value {
            Any::Null => branch.remove_attribute(txn, key),
            value => {
                branch.insert_attribute(txn, key.clone(), clean(value));
            }
        }
    }
}

/// Writes a node's properties and content into a fresh shared type and puts that behind the node.
fn fill(txn: &mut TransactionMut, tree: &mut Tree, id: NodeId, branch: XmlTextRef) {
    let Some(block) = tree.block(id) else { return };
    for (key, value) in block.attrs.iter() {
        if !matches!(value, Any::Undefined) {
            branch.insert_attribute(txn, key.clone(), clean(value));
        }
    }
    let children = block.children.clone();
    tree.bind(id, branch.clone());
    write_nodes(txn, tree, &children, &branch, 0);
}

/// Writes nodes of the tree into a shared type at an offset of the doc. Elements get fresh shared types.
pub(super) fn write_nodes(txn: &mut TransactionMut, tree: &mut Tree, ids: &[NodeId], branch: &XmlTextRef, mut at: u32) {
    let mut fresh = Vec::new().into_iter();
    for (index, &id) in ids.iter().enumerate() {
        match tree.kind(id) {
            Kind::Text(text) if text.len > 0 => {
                insert_text(txn, branch, at, &text.text, &text.marks);
                at += text.len;
            }
            Kind::Element(_) => {
                if fresh.len() == 0 {
                    let more = ids[index..].iter().take_while(|&&id| tree.block(id).is_some()).count();
                    fresh = insert_elements(txn, branch, at, more).into_iter();
                }
                let Some(element) = fresh.next() else { continue };
                fill(txn, tree, id, element);
                at += 1;
            }
            _ => {}
        }
    }
}

/// Numbers as Yjs would write them: lib0 makes a BigInt of integers past 2^53, which no JSON has.
fn clean(value: &Any) -> Any {
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
