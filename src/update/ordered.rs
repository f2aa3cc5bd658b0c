//! Whether two updates say the same. A library that keeps an object as a hash map writes its keys in another order
//! every time, so that equal documents differ in their bytes. Here the keys are put into one order first.

use yrs::Any;

use super::split::{Block, MAX_DEPTH, SplitError};
use crate::protocol::lib0::{Lib0Reader, buf, var_uint};

/// Whether both are the same but for the order of the keys of objects.
pub fn say_the_same(one: &[u8], other: &[u8]) -> bool {
    one == other || ordered(one).is_ok_and(|one| ordered(other).is_ok_and(|other| one == other))
}

/// The update with the keys of objects in their order.
fn ordered(update: &[u8]) -> Result<Vec<u8>, SplitError> {
    let mut out = Vec::with_capacity(update.len());
    let mut reader = Lib0Reader::new(update);
    let clients = reader.var_uint()?;
    var_uint(&mut out, clients);
    for _ in 0..clients {
        let count = reader.var_uint()?;
        var_uint(&mut out, count);
        var_uint(&mut out, reader.var_uint()?);
        var_uint(&mut out, reader.var_uint()?);
        for _ in 0..count {
            let before = reader.rest();
            let block = Block::read(&mut reader)?;
            let bytes = &before[..before.len() - reader.remaining()];
            out.extend_from_slice(&bytes[..bytes.len() - block.content.len()]);
            content(&block, &mut out)?;
        }
    }
    // Deletions hold no values.
    out.extend_from_slice(reader.rest());
    Ok(out)
}

fn content(block: &Block<'_>, out: &mut Vec<u8>) -> Result<(), SplitError> {
    let mut reader = Lib0Reader::new(block.content);
    if block.is_json() {
        let count = reader.var_uint()?;
        var_uint(out, count);
        for _ in 0..count {
            json(reader.str()?, out);
        }
    } else if block.is_format() {
        buf(out, reader.str()?.as_bytes());
        json(reader.str()?, out);
    } else if block.json.is_some() {
        json(reader.str()?, out);
    } else if block.is_doc() {
        buf(out, reader.str()?.as_bytes());
        any(&mut reader, out, MAX_DEPTH)?;
    } else if block.values.is_some() {
        let count = reader.var_uint()?;
        var_uint(out, count);
        for _ in 0..count {
            any(&mut reader, out, MAX_DEPTH)?;
        }
    }
    out.extend_from_slice(reader.rest());
    Ok(())
}

/// Copies a value in lib0's `any` encoding.
fn any(reader: &mut Lib0Reader<'_>, out: &mut Vec<u8>, depth: u32) -> Result<(), SplitError> {
    const OBJECT: u8 = 118;
    const ARRAY: u8 = 117;
    if depth == 0 {
        return Err(SplitError::Unknown(OBJECT));
    }
    let before = reader.rest();
    match reader.byte()? {
        OBJECT => {
            let mut entries = Vec::new();
            for _ in 0..reader.var_uint()? {
                let key = reader.str()?;
                let mut value = Vec::new();
                any(reader, &mut value, depth - 1)?;
                entries.push((key, value));
            }
            entries.sort_unstable();
            out.push(OBJECT);
            var_uint(out, entries.len() as u64);
            for (key, value) in entries {
                buf(out, key.as_bytes());
                out.extend(value);
            }
        }
        ARRAY => {
            let count = reader.var_uint()?;
            out.push(ARRAY);
            var_uint(out, count);
            for _ in 0..count {
                any(reader, out, depth - 1)?;
            }
        }
        _ => {
            *reader = Lib0Reader::new(before);
            super::split::any(reader, depth)?;
            out.extend_from_slice(&before[..before.len() - reader.remaining()]);
        }
    }
    Ok(())
}

/// Text that is no JSON stays as it is: Yjs writes `undefined`.
fn json(text: &str, out: &mut Vec<u8>) {
    let (mut bytes, mut ordered) = (Vec::new(), Vec::new());
    if let Ok(value) = Any::from_json(text) {
        value.encode(&mut bytes);
    }
    match any(&mut Lib0Reader::new(&bytes), &mut ordered, MAX_DEPTH) {
        Ok(()) => buf(out, &ordered),
        Err(_) => buf(out, text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use yrs::types::Attrs;
    use yrs::{Array, Doc, Map, Options, ReadTxn, StateVector, Text, Transact};

    use super::*;

    /// Everything that can hold an object, made anew each time; `last` is a value deep in all of them.
    fn document(last: &str) -> Vec<u8> {
        let doc = Doc::with_client_id(7);
        let object = || {
            let inner: std::collections::HashMap<String, Any> =
                (0..12).map(|n| (format!("inner {n}"), Any::from(n))).collect();
            let mut outer: std::collections::HashMap<String, Any> =
                (0..12).map(|n| (format!("outer {n}"), Any::from(inner.clone()))).collect();
            outer.insert("list".into(), Any::Array([Any::from(inner), Any::from(last)].into()));
            Any::from(outer)
        };
        let (text, map, array) =
            (doc.get_or_insert_text("text"), doc.get_or_insert_map("map"), doc.get_or_insert_array("array"));
        let mut txn = doc.transact_mut();
        map.insert(&mut txn, "data", object());
        array.push_back(&mut txn, object());
        array.push_back(&mut txn, Any::Buffer([1, 2, 3].into()));
        text.insert_embed(&mut txn, 0, object());
        text.insert_with_attributes(&mut txn, 1, "marked", Attrs::from([("style".into(), object())]));
        let mut options = Options::with_guid_and_client_id("inside".into(), yrs::block::ClientID::new(9));
        options.collection_id = Some("notes".into());
        options.auto_load = true;
        map.insert(&mut txn, "inside", Doc::with_options(options));
        txn.encode_state_as_update_v1(&StateVector::default())
    }

    #[test]
    fn f54_the_order_of_keys_says_nothing() {
        let all: Vec<_> = (0..8).map(|_| document("same")).collect();
        assert!(all.iter().any(|one| *one != all[0]), "the library has an order: this test shows nothing");
        for one in &all {
            assert!(say_the_same(one, &all[0]));
            assert!(!say_the_same(one, &document("other")));
        }
    }

    #[test]
    fn what_is_no_update_says_the_same_as_itself_alone() {
        assert!(say_the_same(b"no update", b"no update"));
        assert!(!say_the_same(b"no update", b"no update either"));
    }
}
