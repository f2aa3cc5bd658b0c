//! Positions that survive edits: Yjs relative positions, in the JSON form Yjs itself reads and writes.

use std::collections::HashMap;
use std::sync::Arc;

use yrs::{Any, Assoc, ClientID, ID, IndexScope, StickyIndex};

/// A position in the doc, tied to the character or element it stands before (`Assoc::After`) or behind
/// (`Assoc::Before`). Its JSON form is always `{type, tname, item, assoc}`, with explicit nulls: slate-yjs throws
/// where one is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sticky(pub(super) StickyIndex);

impl Sticky {
    pub fn to_any(&self) -> Any {
        let mut map = HashMap::with_capacity(4);
        let (mut ty, mut tname, mut item) = (Any::Null, Any::Null, Any::Null);
        match self.0.scope() {
            IndexScope::Relative(id) => item = id_to_any(id),
            IndexScope::Nested(id) => ty = id_to_any(id),
            IndexScope::Root(name) => tname = Any::String(name.clone()),
        }
        map.insert("type".to_owned(), ty);
        map.insert("tname".to_owned(), tname);
        map.insert("item".to_owned(), item);
        map.insert("assoc".to_owned(), Any::from(self.0.assoc as i8 as i32));
        Any::Map(Arc::new(map))
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

fn id_to_any(id: &ID) -> Any {
    let mut map = HashMap::with_capacity(2);
    map.insert("client".to_owned(), Any::from(id.client.get() as i64));
    map.insert("clock".to_owned(), Any::from(i64::from(id.clock)));
    Any::Map(Arc::new(map))
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
