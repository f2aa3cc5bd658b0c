//! Content in the wrong place: another root name, another layout. An empty editor would be a lie.

use yrs::branch::Branch;
use yrs::types::TypeRef;
use yrs::types::text::YChange;
use yrs::{Any, Map as _, MapRef, Out, ReadTxn, Text as _, Xml as _, XmlTextRef};

use crate::slate::value::error::RootMismatch;
use crate::slate::ydoc::sequence_of;

/// Names under which editors are known to keep their document.
const KNOWN: [&str; 6] = ["content", "slate", "sharedRoot", "default", "prosemirror", "document"];

/// Whether a document has its content where an editor with this root looks for it, or none at all.
///
/// # Errors
/// What is there instead.
pub fn check_layout<T: ReadTxn>(txn: &T, expected: &str) -> Result<(), RootMismatch> {
    let root = txn.root_refs().find(|(name, _)| *name == expected).and_then(|(_, out)| as_text(&out));
    match root {
        Some(root) => check(txn, &root, expected),
        None => check_others(txn, expected),
    }
}

pub(in crate::slate) fn check<T: ReadTxn>(txn: &T, root: &XmlTextRef, expected: &str) -> Result<(), RootMismatch> {
    let is_shown = |out: &Out| match out {
        Out::YXmlText(_) | Out::Any(Any::String(_)) => true,
        Out::YXmlElement(_) | Out::YXmlFragment(_) => holds_text(txn, out) != Some(false),
        _ => false,
    };
    if root.diff(txn, YChange::identity).iter().any(|diff| is_shown(&diff.insert)) {
        return Ok(());
    }
    if let Some(layout) = layout(txn, root) {
        return mismatch(expected, format!("{layout} of that name"));
    }
    if let Some(key) = nested(txn, root) {
        return mismatch(expected, format!("a Y.Map of that name, and in it a Y.XmlText with elements under {key:?}"));
    }
    check_others(txn, expected)
}

fn mismatch(expected: &str, found: String) -> Result<(), RootMismatch> {
    Err(RootMismatch { expected: expected.to_owned(), found })
}

fn check_others<T: ReadTxn>(txn: &T, expected: &str) -> Result<(), RootMismatch> {
    for (name, out) in txn.root_refs() {
        if name == expected {
            continue;
        }
        if let Some(key) = as_branch(&out).and_then(|branch| nested(txn, &branch)) {
            let found = format!("a Y.Map {name:?}, and in it a Y.XmlText with elements under {key:?}");
            return mismatch(expected, found);
        }
        let Some(branch) = as_text(&out) else { continue };
        match layout(txn, &branch) {
            Some(RootLayout::Slate) => return mismatch(expected, format!("{} {name:?}", RootLayout::Slate)),
            Some(layout) if KNOWN.contains(&name) => return mismatch(expected, format!("{layout} {name:?}")),
            _ => {}
        }
    }
    Ok(())
}

/// The key under which a map has a document: where it is one of several in a map, it is not read.
fn nested<T: ReadTxn>(txn: &T, branch: &XmlTextRef) -> Option<String> {
    let raw: &Branch = branch.as_ref();
    let map = MapRef::from(yrs::branch::BranchPtr::from(raw));
    let is_document = |out: &Out| matches!(out, Out::YXmlText(text) if layout(txn, text) == Some(RootLayout::Slate));
    map.iter(txn).find(|(_, out)| is_document(out)).map(|(key, _)| key.to_owned())
}

fn as_branch(out: &Out) -> Option<XmlTextRef> {
    match out {
        Out::YMap(map) => {
            let branch: &Branch = map.as_ref();
            Some(XmlTextRef::from(yrs::branch::BranchPtr::from(branch)))
        }
        out => as_text(out),
    }
}

/// Roots carry no type until someone asks for them by one: what they hold is looked at as if they were texts.
fn as_text(out: &Out) -> Option<XmlTextRef> {
    let branch: &Branch = match out {
        Out::UndefinedRef(branch) => branch,
        Out::YText(text) => text.as_ref(),
        Out::YXmlText(text) => text.as_ref(),
        Out::YArray(array) => array.as_ref(),
        Out::YXmlFragment(fragment) => fragment.as_ref(),
        _ => return None,
    };
    Some(XmlTextRef::from(yrs::branch::BranchPtr::from(branch)))
}

/// So deep is looked for text.
const LOOKED_AT: u32 = 8;

/// Whether an element or fragment is one as Yjs 14 has them, which holds text itself as a `Y.XmlText` does, and not one of
/// another editor's layout, in which all text is in texts without attributes. `None`: there is no text to see it by.
fn holds_text<T: ReadTxn>(txn: &T, out: &Out) -> Option<bool> {
    let (mut todo, mut is_anothers) = (vec![(out.clone(), 0)], false);
    while let Some((out, depth)) = todo.pop() {
        let Some(branch) = sequence_of(&out) else { continue };
        if matches!(out, Out::YXmlText(_)) {
            is_anothers |= depth > 0 && branch.attributes(txn).next().is_none();
            continue;
        }
        if branch.get_attribute(txn, "type").is_some() {
            return Some(true);
        }
        for diff in branch.diff(txn, YChange::identity) {
            match diff.insert {
                Out::Any(Any::String(_)) => return Some(true),
                inner if depth < LOOKED_AT => todo.push((inner, depth + 1)),
                _ => {}
            }
        }
    }
    is_anothers.then_some(false)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RootLayout {
    Slate,
    Array,
    Fragment,
    Text,
}

impl std::fmt::Display for RootLayout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Slate => "a Y.XmlText with elements (another root name)",
            Self::Array => "a Y.Array (the layout of slate-yjs before 1.0)",
            Self::Fragment => "a Y.XmlFragment (another editor's layout)",
            Self::Text => "a plain Y.Text",
        })
    }
}

/// What kind of content a root has; `None` without content.
fn layout<T: ReadTxn>(txn: &T, branch: &XmlTextRef) -> Option<RootLayout> {
    let raw: &Branch = branch.as_ref();
    if raw.content_len() == 0 {
        return None;
    }
    match branch.diff(txn, YChange::identity).first().map(|diff| &diff.insert) {
        Some(Out::YXmlText(_)) if matches!(raw.type_ref(), TypeRef::XmlFragment) => Some(RootLayout::Fragment),
        Some(Out::YXmlText(_)) => Some(RootLayout::Slate),
        Some(out @ (Out::YXmlElement(_) | Out::YXmlFragment(_))) => match holds_text(txn, out) {
            Some(true) => Some(RootLayout::Slate),
            _ => Some(RootLayout::Fragment),
        },
        Some(Out::Any(yrs::Any::String(_))) => Some(RootLayout::Text),
        _ => Some(RootLayout::Array),
    }
}
