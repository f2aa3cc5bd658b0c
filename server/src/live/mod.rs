//! Edits of a document by programs: found by content or by id, or Slate operations made against an earlier state. They come to
//! one update, which goes through the room like anybody's.

mod edits;
mod error;
mod json;
mod locate;
mod operations;
mod taking;

use serde::Deserialize;
use serde_json::{Value, json};
use slate_yrs::format::Format;
use slate_yrs::slate::{Node, Op, SlateDoc, ValueChange};
use slate_yrs::update::merge;

use crate::history::{self, HistoryError};
use crate::replica::Replica;
use crate::storage::Seq;

pub use edits::ContentEdit;
pub use error::EditError;
pub use json::{any_of, nodes_of};
pub use locate::{TextBlock, text_blocks};
pub use taking::{Taking, hex};

/// The format of new documents where the server does not say.
const NEW_FORMAT: Format = 1;

/// Edits of one request.
pub const MAX_EDITS: usize = 200;

pub fn etag(epoch: &str, seq: Seq) -> String {
    format!("\"{epoch}-{seq}\"")
}

/// What a request came to.
#[derive(Debug, Default)]
pub struct Made {
    /// None: all is as it is wanted.
    pub update: Option<Vec<u8>>,
    /// What each edit did.
    pub report: Value,
}

/// The edits of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    #[serde(default)]
    pub edits: Vec<ContentEdit>,
    /// What they were worked out on: an ETag. What came since stays.
    pub base: Option<String>,
    /// Goes with the edits, which are done only if it is there: a proposal.
    pub take: Option<Taking>,
}

/// How documents are laid out.
#[derive(Debug, Clone)]
pub struct Laying {
    pub root: String,
    /// Of a document that begins with these edits.
    pub new_format: Option<Format>,
}

/// Works the edits out on a state, as edits of `client_id`: all of them, or nothing.
///
/// # Errors
/// The first edit that cannot be done, and why.
pub fn apply(laying: &Laying, client_id: u32, state: &[u8], edits: &[ContentEdit]) -> Result<Made, EditError> {
    let mut doc = history::writable(&laying.root, client_id, state)?;
    let mut updates = Vec::new();
    if doc.is_empty() && is_new(state)? {
        updates.extend(doc.raise_format(laying.new_format.unwrap_or(NEW_FORMAT)));
    }
    let mut report = Vec::with_capacity(edits.len());
    // Which elements are inline decides where text may stand.
    let mut seen = doc.value();
    let mut brought = Vec::with_capacity(edits.len());
    for (at, edit) in edits.iter().enumerate() {
        let nodes = edit.nodes().map_err(|message| invalid(at, message))?;
        seen.extend(nodes.iter().cloned());
        brought.push(nodes);
    }
    doc.set_schema(history::schema(doc.kinds(), &seen));
    for (at, (edit, nodes)) in edits.iter().zip(brought).enumerate() {
        let planned = edit.plan(&doc.value(), nodes).map_err(|failed| failed.of(at))?;
        report.push(planned.report);
        updates.extend(written(&mut doc, at, planned.ops)?);
    }
    if updates.is_empty() {
        return Ok(Made { update: None, report: Value::Array(report) });
    }
    let update = merge(updates.iter().map(Vec::as_slice));
    let update = update.map_err(|error| HistoryError::Unreadable(error.to_string()))?;
    Ok(Made { update: Some(update), report: Value::Array(report) })
}

/// Whether a document has nothing, under whatever root: a format is for all of it.
fn is_new(state: &[u8]) -> Result<bool, EditError> {
    let mut replica = Replica::new();
    replica.load(state)?;
    Ok(replica.is_empty())
}

/// Whether each of these edits could be done in a document with this value, by itself.
///
/// # Errors
/// The first one that could not, and why.
pub fn check(value: &[Node], edits: &[ContentEdit]) -> Result<(), EditError> {
    for (at, edit) in edits.iter().enumerate() {
        let nodes = edit.nodes().map_err(|message| invalid(at, message))?;
        edit.plan(value, nodes).map_err(|failed| failed.of(at))?;
    }
    Ok(())
}

/// Sets values beside the text.
///
/// # Errors
/// Where the document cannot be read.
pub fn set_values(laying: &Laying, client_id: u32, state: &[u8], changes: &[ValueChange]) -> Result<Made, EditError> {
    let mut doc = history::writable(&laying.root, client_id, state)?;
    Ok(Made { update: doc.set_values(changes), report: json!([]) })
}

fn written(doc: &mut SlateDoc, at: usize, ops: Vec<Op>) -> Result<Option<Vec<u8>>, EditError> {
    if ops.is_empty() {
        return Ok(None);
    }
    let change = doc.apply_local(ops);
    match change.rejected.first() {
        Some((_, error)) => Err(invalid(at, error.to_string())),
        None => Ok(change.update),
    }
}

fn invalid(edit: usize, message: impl Into<String>) -> EditError {
    EditError::Invalid { edit, message: message.into() }
}

/// The text of a document: a line for each block that has text.
pub fn text(value: &[Node]) -> String {
    let mut lines: Vec<String> = text_blocks(value).iter().map(TextBlock::text).collect();
    lines.push(String::new());
    lines.join("\n")
}
