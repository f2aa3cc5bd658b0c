//! Values beside the text: root maps of the Y.Doc with JSON values, the last writer of each key wins.
//!
//! What is no JSON value in such a map, a nested shared type or bytes, is passed over: others may mean something by it. Maps
//! have nothing to do with the document's format.

use std::collections::{BTreeMap, HashSet};

use yrs::branch::Branch;
use yrs::{Any, BranchID, Map as _, MapRef, Number, Out, ReadTxn, TransactionMut, WriteTxn as _};

/// What a map has, by key.
pub type Values = BTreeMap<String, Any>;

/// One key of one map.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueChange {
    pub map: String,
    pub key: String,
    pub before: Option<Any>,
    /// None: the key is gone.
    pub after: Option<Any>,
}

/// Which maps may have changed since somebody asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TouchedMaps {
    /// Of these names, and no other.
    Named(HashSet<String>),
    /// The document was read anew.
    All,
}

impl Default for TouchedMaps {
    fn default() -> Self {
        Self::Named(HashSet::new())
    }
}

impl TouchedMaps {
    fn add(&mut self, name: &str) {
        if let Self::Named(names) = self
            && !names.contains(name)
        {
            names.insert(name.to_owned());
        }
    }

    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.contains(name),
            Self::All => true,
        }
    }

    /// What a transaction has changed beside the text. yrs gives the chain from each changed type up to its root.
    pub(in crate::slate) fn note(&mut self, txn: &TransactionMut, text: &str) {
        for branch in txn.changed_parent_types() {
            if let BranchID::Root(name) = branch.id()
                && &*name != text
            {
                self.add(&name);
            }
        }
    }
}

/// What a map of a document has. Empty if there is no such map.
pub fn values_of<T: ReadTxn>(txn: &T, map: &str) -> Values {
    let Some(map) = txn.get_map(map) else { return Values::new() };
    map.iter(txn).filter_map(|(key, value)| Some((key.to_owned(), json(value)?))).collect()
}

/// Sets what each of these says, where it is not so already.
pub fn set_values(txn: &mut TransactionMut, changes: &[ValueChange]) {
    for ValueChange { map, key, after, .. } in changes {
        let map: MapRef = txn.get_or_insert_map(map.as_str());
        match after {
            _ if map.get(txn, key).and_then(json) == *after => {}
            Some(value) => {
                map.insert(txn, key.as_str(), value.clone());
            }
            None => {
                map.remove(txn, key);
            }
        }
    }
}

/// Key by key.
pub fn differences(map: &str, before: &Values, after: &Values) -> Vec<ValueChange> {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let change = |key: &String| {
        let (before, after) = (before.get(key).cloned(), after.get(key).cloned());
        (before != after).then(|| ValueChange { map: map.to_owned(), key: key.clone(), before, after })
    };
    keys.into_iter().filter_map(change).collect()
}

/// None: it is no JSON value.
pub(in crate::slate) fn json(value: Out) -> Option<Any> {
    match value {
        Out::Any(any) => plain(any),
        _ => None,
    }
}

/// As JSON has it: what is undefined is null, a number of JavaScript's.
fn plain(any: Any) -> Option<Any> {
    Some(match any {
        Any::Undefined => Any::Null,
        Any::Buffer(_) => return None,
        Any::Number(Number::Int(number)) => Any::Number(Number::try_i64(number as f64)),
        Any::Number(Number::Float(number)) if number.is_finite() => Any::Number(Number::try_i64(number)),
        Any::Number(_) => Any::Null,
        Any::Array(items) => Any::Array(items.iter().cloned().map(plain).collect::<Option<Vec<_>>>()?.into()),
        Any::Map(map) => {
            let entries = map.iter().map(|(key, value)| Some((key.clone(), plain(value.clone())?)));
            Any::Map(entries.collect::<Option<std::collections::HashMap<_, _>>>()?.into())
        }
        same => same,
    })
}

pub(in crate::slate) fn branch_of(root: &Out) -> Option<&Branch> {
    Some(match root {
        Out::YMap(root) => root.as_ref(),
        Out::YText(root) => root.as_ref(),
        Out::YArray(root) => root.as_ref(),
        Out::YXmlElement(root) => root.as_ref(),
        Out::YXmlFragment(root) => root.as_ref(),
        Out::YXmlText(root) => root.as_ref(),
        Out::UndefinedRef(root) => root,
        Out::Any(_) | Out::YDoc(_) => return None,
    })
}
