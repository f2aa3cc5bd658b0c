//! Positions that survive edits: Yjs relative positions, in the JSON form Yjs itself reads and writes.

use yrs::updates::decoder::Decode;
use yrs::{Any, Assoc, ClientID, ID, IndexScope, IndexedSequence as _, ReadTxn, StickyIndex, XmlTextRef};

use super::copies::Copies;
use super::op::Point;
use super::read;
use super::tree::{Kind, NodeId, Tree};
use super::utf16;

const NULL: &str = "null";

/// A position in the doc, tied to the character or element it stands before (`Assoc::After`) or behind
/// (`Assoc::Before`). Its JSON form is always `{type, tname, item, assoc}`, with explicit nulls: slate-yjs throws
/// where one is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sticky(pub(super) StickyIndex);

impl Sticky {
    /// The character it is tied to, if it is tied to one.
    pub fn item(&self) -> Option<ID> {
        match self.0.scope() {
            IndexScope::Relative(id) => Some(*id),
            IndexScope::Nested(_) | IndexScope::Root(_) => None,
        }
    }

    /// As JSON, keys always in the same order.
    pub fn to_json(&self) -> String {
        let (mut ty, mut tname, mut item) = (NULL.to_owned(), NULL.to_owned(), NULL.to_owned());
        match self.0.scope() {
            IndexScope::Relative(id) => item = id_json(id),
            IndexScope::Nested(id) => ty = id_json(id),
            IndexScope::Root(name) => {
                tname.clear();
                Any::String(name.clone()).to_json(&mut tname);
            }
        }
        let assoc = self.0.assoc as i8;
        format!(r#"{{"type":{ty},"tname":{tname},"item":{item},"assoc":{assoc}}}"#)
    }

    /// Reads what Yjs' `encodeRelativePosition` gives.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        StickyIndex::decode_v1(bytes).ok().map(Self)
    }

    /// Reads what Yjs' `relativePositionToJSON` gives, in which absent keys are null and `assoc` may be missing.
    pub fn from_any(any: &Any) -> Option<Self> {
        let Any::Map(map) = any else { return None };
        let present = |key: &str| map.get(key).filter(|v| !matches!(v, Any::Null | Any::Undefined));
        let assoc = match present("assoc") {
            None => Assoc::After,
            Some(value) if number(value)? < 0.0 => Assoc::Before,
            Some(_) => Assoc::After,
        };
        let scope = if let Some(item) = present("item") {
            IndexScope::Relative(id_from_any(item)?)
        } else if let Some(Any::String(name)) = present("tname") {
            IndexScope::Root(name.clone())
        } else {
            IndexScope::Nested(id_from_any(present("type")?)?)
        };
        Some(Self(StickyIndex::new(scope, assoc)))
    }
}

pub(super) fn make<T: ReadTxn>(txn: &T, tree: &Tree, point: &Point, assoc: Assoc) -> Option<Sticky> {
    let (parent, index) = tree.resolve_parent(&point.path).ok()?;
    let text = tree.text(*tree.children(parent).get(index)?)?;
    utf16::byte_at(&text.text, text.len, point.offset).ok()?;
    let branch = tree.branch(parent)?;
    let visible = tree.offset(parent, index) + point.offset;
    let at = match tree.block(parent)?.foreign {
        0 => visible,
        _ => read::doc_offset(txn, &branch, visible),
    };
    let end = {
        let branch: &yrs::branch::Branch = branch.as_ref();
        branch.content_len()
    };
    // No character on that side to be tied to.
    let is_edge = match assoc {
        Assoc::After => at >= end,
        Assoc::Before => at == 0,
    };
    if is_edge {
        return Some(Sticky(StickyIndex::from_type(txn, &branch, assoc)));
    }
    branch.sticky_index(txn, at, assoc).map(Sticky)
}

/// What it is tied to may have been copied: then the copy counts.
pub(super) fn resolve<T: ReadTxn>(txn: &T, tree: &Tree, copies: &Copies, sticky: &Sticky) -> Option<Point> {
    let assoc = sticky.0.assoc;
    let scopes: Vec<StickyIndex> = match sticky.0.scope() {
        IndexScope::Relative(id) => {
            let mut ends = copies.follow(*id);
            // Of what was there twice, one copy was removed.
            if ends.len() > 1 {
                ends.sort_by_key(|&id| !is_there(txn, id));
            }
            ends.into_iter().map(|id| StickyIndex::new(IndexScope::Relative(id), assoc)).collect()
        }
        IndexScope::Nested(id) => {
            copies.follow(*id).into_iter().map(|id| StickyIndex::new(IndexScope::Nested(id), assoc)).collect()
        }
        IndexScope::Root(_) => Vec::new(),
    };
    let merged = || match sticky.0.scope() {
        IndexScope::Nested(id) => {
            copies.end_of(*id).map(|id| StickyIndex::new(IndexScope::Relative(id), Assoc::Before))
        }
        _ => None,
    };
    let found = scopes.iter().find_map(|index| locate(txn, tree, index));
    found.or_else(|| locate(txn, tree, &merged()?)).or_else(|| locate(txn, tree, &sticky.0))
}

/// Whether a character or element is not deleted.
fn is_there<T: ReadTxn>(txn: &T, id: ID) -> bool {
    let index = StickyIndex::new(IndexScope::Relative(id), Assoc::After).get_offset(txn);
    let next = index.and_then(|index| XmlTextRef::from(index.branch).sticky_index(txn, index.index, Assoc::After));
    next.is_some_and(|next| next.id() == Some(&id))
}

fn locate<T: ReadTxn>(txn: &T, tree: &Tree, index: &StickyIndex) -> Option<Point> {
    let offset = index.get_offset(txn)?;
    let branch = XmlTextRef::from(offset.branch);
    let id = tree.element_of(&branch)?;
    let at = match tree.block(id)?.foreign {
        0 => offset.index,
        _ => read::visible_offset(txn, &branch, offset.index),
    };
    find(tree, id, at, index.assoc)
}

/// The point at an offset of an element's content: in the text on the side of `assoc`, if there are two.
fn find(tree: &Tree, id: NodeId, at: u32, assoc: Assoc) -> Option<Point> {
    let mut start = 0;
    let mut found = None;
    for &child in tree.children(id) {
        let len = tree.len(child);
        if tree.is_text(child) && start <= at && at <= start + len {
            found = Some((child, at - start));
            if assoc == Assoc::Before {
                break;
            }
        }
        start += len;
        if start > at {
            break;
        }
    }
    match found {
        Some((text, offset)) => Some(Point { path: tree.path(text)?, offset }),
        None => nearest(tree, id, at),
    }
}

/// Between elements: the start of the one that follows, or the end of the last.
fn nearest(tree: &Tree, id: NodeId, at: u32) -> Option<Point> {
    let mut start = 0;
    let mut target = None;
    let mut from_end = true;
    for &child in tree.children(id) {
        target = Some(child);
        if start >= at {
            from_end = false;
            break;
        }
        start += tree.len(child);
    }
    let mut node = target?;
    loop {
        match tree.kind(node) {
            Kind::Text(text) => {
                let offset = if from_end { text.len } else { 0 };
                return Some(Point { path: tree.path(node)?, offset });
            }
            Kind::Element(block) => node = *if from_end { block.children.last()? } else { block.children.first()? },
            Kind::Free => return None,
        }
    }
}

fn id_json(id: &ID) -> String {
    format!(r#"{{"client":{},"clock":{}}}"#, id.client.get(), id.clock)
}

fn id_from_any(any: &Any) -> Option<ID> {
    let Any::Map(map) = any else { return None };
    let client = number(map.get("client")?)?;
    let clock = number(map.get("clock")?)?;
    let whole = |n: f64| n >= 0.0 && n <= f64::from(u32::MAX) && n.fract() == 0.0;
    (whole(client) && whole(clock)).then(|| ID::new(ClientID::new(client as u64), clock as u32))
}

fn number(any: &Any) -> Option<f64> {
    match any {
        Any::Number(n) => n.as_f64(),
        _ => None,
    }
}
