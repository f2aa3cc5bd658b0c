//! A document in the layout that slate-yjs 1.x writes, whatever its own format: the way back.
//!
//! The text is written anew from its value, so nothing in it has the id that it had. Other roots keep their content, not
//! their history: maps, arrays and texts of plain values, in each other as deep as they go. What else there may be (XML,
//! subdocuments) is an error that names it, rather than missing in what somebody takes for the whole.

use std::collections::HashMap;

use slate_yrs::format::OWN_ROOTS;
use slate_yrs::slate::SlateDoc;
use thiserror::Error;
use yrs::block::ClientID;
use yrs::branch::{Branch, BranchPtr};
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, ArrayPrelim, ArrayRef, Doc, Map, MapPrelim, MapRef, OffsetKind, Options, Out, ReadTxn, StateVector,
    Text, TextPrelim, TextRef, Transact, TransactionMut, Update,
};

use crate::history::{HistoryError, open};

use crate::replica::branch_of;

/// Types in types. Whoever reads them recurses, too.
const MAX_DEPTH: usize = 100;

#[derive(Debug, Error)]
pub enum PlainError {
    #[error(transparent)]
    Unreadable(#[from] HistoryError),
    #[error("the text cannot be written in this layout: it is nested too deeply")]
    Text,
    #[error("{at} cannot be copied: it is {what}")]
    Other { at: String, what: &'static str },
    #[error("the copy cannot be made: {0}")]
    Copy(String),
}

/// A document as one update that an empty document takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    pub update: Vec<u8>,
    /// What was left out: attributes of the text's root, such as positions that slate-yjs stores there. They tell places by
    /// ids that the copy does not have.
    pub left_out: Vec<String>,
}

/// The plain layout of a document's `state`, its text in `root`.
///
/// # Errors
/// If it cannot be read, or something in it cannot be copied.
pub fn plain(root: &str, state: &[u8]) -> Result<Plain, PlainError> {
    let source = open(root, state)?;
    let value = source.value();
    let text = SlateDoc::seed_update(root, &value);
    if !value.is_empty() && open(root, &text)?.value().is_empty() {
        return Err(PlainError::Text);
    }
    let (from, to) = (document(state, 1)?, document(&text, client_beside(&text)?)?);
    let txn = from.transact();
    let mut roots: Vec<(&str, Out)> = txn.root_refs().filter(|(name, _)| !name.starts_with(OWN_ROOTS)).collect();
    roots.sort_by_key(|(name, _)| *name);
    let mut left_out = Vec::new();
    for (name, out) in roots {
        let Some(branch) = branch_of(&out).map(BranchPtr::from) else { continue };
        if name == root {
            left_out.extend(MapRef::from(branch).keys(&txn).map(str::to_owned));
            left_out.sort();
        } else {
            copy_root(&txn, &to, name, branch)?;
        }
    }
    let update = to.transact().encode_state_as_update_v1(&StateVector::default());
    Ok(Plain { update, left_out })
}

fn document(state: &[u8], client: u64) -> Result<Doc, PlainError> {
    let failed = |error: &dyn std::fmt::Display| PlainError::Copy(error.to_string());
    let options = Options::with_client_id(ClientID::new(client));
    let doc = Doc::with_options(Options { offset_kind: OffsetKind::Utf16, cleanup_formatting: false, ..options });
    let update = Update::decode_v1(state).map_err(|error| failed(&error))?;
    doc.transact_mut().apply_update(update).map_err(|error| failed(&error))?;
    Ok(doc)
}

/// A client id that the text does not have: a seed's id says what is in it, and in this document is more.
fn client_beside(text: &[u8]) -> Result<u64, PlainError> {
    let update = Update::decode_v1(text).map_err(|error| PlainError::Copy(error.to_string()))?;
    let used: Vec<u64> = update.state_vector().iter().map(|(client, _)| client.get()).collect();
    Ok((1..).find(|client| !used.contains(client)).unwrap_or(1))
}

/// Updates do not say of what type a root is: what it holds does.
fn copy_root<T: ReadTxn>(txn: &T, to: &Doc, name: &str, branch: BranchPtr) -> Result<(), PlainError> {
    let at = || format!("the root {name:?}");
    let has_entries = MapRef::from(branch).keys(txn).next().is_some();
    let has_sequence = branch.content_len() > 0;
    if has_entries && has_sequence {
        return Err(PlainError::Other { at: at(), what: "an XML node, or what has entries and a sequence" });
    }
    if has_entries {
        let map = to.get_or_insert_map(name);
        return copy_map(txn, &MapRef::from(branch), &mut to.transact_mut(), &map, &at(), 0);
    }
    if !has_sequence {
        return Ok(());
    }
    if is_text(txn, branch) {
        let text = to.get_or_insert_text(name);
        return copy_text(txn, &TextRef::from(branch), &mut to.transact_mut(), &text, &at());
    }
    let array = to.get_or_insert_array(name);
    copy_array(txn, &ArrayRef::from(branch), &mut to.transact_mut(), &array, &at(), 0)
}

/// Whether a sequence has letters or embeds. Values of arrays are neither; nested types stand in both.
fn is_text<T: ReadTxn>(txn: &T, branch: BranchPtr) -> bool {
    TextRef::from(branch).diff(txn, YChange::identity).iter().any(|diff| matches!(diff.insert, Out::Any(_)))
}

fn copy_map<T: ReadTxn>(
    txn: &T,
    from: &MapRef,
    out: &mut TransactionMut<'_>,
    to: &MapRef,
    at: &str,
    depth: usize,
) -> Result<(), PlainError> {
    let mut entries: Vec<(&str, Out)> = from.iter(txn).collect();
    entries.sort_by_key(|(key, _)| *key);
    for (key, value) in entries {
        let at = || format!("{at}, entry {key:?}");
        match value {
            Out::Any(value) => drop(to.insert(out, key, value)),
            Out::YMap(map) => {
                let new = to.insert(out, key, MapPrelim::default());
                copy_map(txn, &map, out, &new, &at(), deeper(depth, &at)?)?;
            }
            Out::YArray(array) => {
                let new = to.insert(out, key, ArrayPrelim::default());
                copy_array(txn, &array, out, &new, &at(), deeper(depth, &at)?)?;
            }
            Out::YText(text) => {
                let new = to.insert(out, key, TextPrelim::new(""));
                copy_text(txn, &text, out, &new, &at())?;
            }
            other => return Err(PlainError::Other { at: at(), what: what(&other) }),
        }
    }
    Ok(())
}

fn copy_array<T: ReadTxn>(
    txn: &T,
    from: &ArrayRef,
    out: &mut TransactionMut<'_>,
    to: &ArrayRef,
    at: &str,
    depth: usize,
) -> Result<(), PlainError> {
    for (index, value) in from.iter(txn).enumerate() {
        let at = || format!("{at}, item {index}");
        match value {
            Out::Any(value) => drop(to.push_back(out, value)),
            Out::YMap(map) => {
                let new = to.push_back(out, MapPrelim::default());
                copy_map(txn, &map, out, &new, &at(), deeper(depth, &at)?)?;
            }
            Out::YArray(array) => {
                let new = to.push_back(out, ArrayPrelim::default());
                copy_array(txn, &array, out, &new, &at(), deeper(depth, &at)?)?;
            }
            Out::YText(text) => {
                let new = to.push_back(out, TextPrelim::new(""));
                copy_text(txn, &text, out, &new, &at())?;
            }
            other => return Err(PlainError::Other { at: at(), what: what(&other) }),
        }
    }
    Ok(())
}

fn deeper(depth: usize, at: &dyn Fn() -> String) -> Result<usize, PlainError> {
    match depth + 1 {
        MAX_DEPTH.. => Err(PlainError::Other { at: at(), what: "nested too deeply" }),
        depth => Ok(depth),
    }
}

fn copy_text<T: ReadTxn>(
    txn: &T,
    from: &TextRef,
    out: &mut TransactionMut<'_>,
    to: &TextRef,
    at: &str,
) -> Result<(), PlainError> {
    if MapRef::from(BranchPtr::from(AsRef::<Branch>::as_ref(from))).keys(txn).next().is_some() {
        return Err(PlainError::Other { at: at.to_owned(), what: "a text with attributes" });
    }
    for diff in from.diff(txn, YChange::identity) {
        let end = to.len(out);
        let attributes: HashMap<_, _> = diff.attributes.map(|attributes| *attributes).unwrap_or_default();
        match diff.insert {
            // Without any it takes those of what is before it.
            Out::Any(Any::String(text)) => to.insert_with_attributes(out, end, &text, attributes),
            Out::Any(embed) => drop(to.insert_embed_with_attributes(out, end, embed, attributes)),
            other => return Err(PlainError::Other { at: format!("{at}, at {end}"), what: what(&other) }),
        }
    }
    Ok(())
}

fn what(out: &Out) -> &'static str {
    match out {
        Out::YXmlElement(_) | Out::YXmlFragment(_) | Out::YXmlText(_) => "XML",
        Out::YDoc(_) => "a subdocument",
        Out::YText(_) | Out::YArray(_) | Out::YMap(_) => "a shared type in a text",
        Out::Any(_) | Out::UndefinedRef(_) => "of no known type",
    }
}
