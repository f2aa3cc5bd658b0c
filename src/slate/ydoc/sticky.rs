//! Positions that survive edits: Yjs relative positions, in the JSON form Yjs itself reads and writes.

use yrs::updates::decoder::Decode;
use yrs::{Any, Assoc, ClientID, ID, IndexScope, StickyIndex};

const NULL: &str = "null";

/// A position in the doc, tied to the character or element it stands before (`Assoc::After`) or behind
/// (`Assoc::Before`). Its JSON form is always `{type, tname, item, assoc}`, with explicit nulls: slate-yjs throws
/// where one is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sticky(pub(in crate::slate) StickyIndex);

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

fn id_json(id: &ID) -> String {
    format!(r#"{{"client":{},"clock":{}}}"#, id.client.get(), id.clock)
}

fn id_from_any(any: &Any) -> Option<ID> {
    let Any::Map(map) = any else { return None };
    let client = number(map.get("client")?)?;
    let clock = number(map.get("clock")?)?;
    let whole = |n: f64, max: u64| n >= 0.0 && n <= max as f64 && n.fract() == 0.0;
    (whole(client, (1 << 53) - 1) && whole(clock, u32::MAX.into()))
        .then(|| ID::new(ClientID::new(client as u64), clock as u32))
}

fn number(any: &Any) -> Option<f64> {
    match any {
        Any::Number(n) => n.as_f64(),
        _ => None,
    }
}
