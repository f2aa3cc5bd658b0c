//! Documents drawn by `tests/model/draw.mjs`, with the tree that the specification there shows: the same here, down to the
//! id of every character. `SLATE_DRAWN` names larger files, of documents or of histories, as `PATH` names folders.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

use serde_json::Value;
use yrs::branch::BranchID;
use yrs::updates::decoder::Decode as _;
use yrs::{Any, Doc, ReadTxn as _, Transact as _, TransactionMut, Update, XmlTextRef};

use crate::slate::value::node::Attrs;
use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::view::{Schema, show, tree};
use crate::slate::ydoc::{Item, Kind, Mirror, ROOT};

#[test]
fn what_is_drawn_is_shown_as_specified() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/drawn.jsonl");
    let more = std::env::var_os("SLATE_DRAWN").unwrap_or_default();
    let more = std::env::split_paths(&more).filter(|path| !path.as_os_str().is_empty());
    for path in std::iter::once(fixture.into()).chain(more) {
        let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let path = path.display();
        let (mut count, mut wrong) = (0, Vec::new());
        for line in BufReader::new(file).lines() {
            count += 1;
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if let Err(difference) = compare(&line) {
                wrong.push(format!("line {count}, {} of seed {}: {difference}", line["kind"], line["seed"]));
            }
        }
        assert!(count > 0, "{path} is empty");
        println!("{path}: {count} drawn, {} wrong", wrong.len());
        let some: Vec<&str> = wrong.iter().take(20).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{} of {count} in {path} are shown otherwise:\n{}", wrong.len(), some.join("\n"));
    }
}

/// One document, or a history: what a replica hears, update by update. A mirror that followed all of it shows the same as one
/// that is read anew.
fn compare(drawn: &Value) -> Result<(), String> {
    let names = |key: &str| -> Vec<String> {
        drawn["schema"][key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let schema = Schema::by_type(names("inline"), names("void"));
    let doc = Doc::new();
    let text = doc.get_or_insert_text("content");
    let root: &XmlTextRef = text.as_ref();
    let mut followed = Mirror::read(&mut doc.transact_mut(), root);
    let one = std::slice::from_ref(drawn);
    for (at, drawn) in drawn["steps"].as_array().map_or(one, Vec::as_slice).iter().enumerate() {
        let mut txn = doc.transact_mut();
        let update = base64(drawn["update"].as_str().unwrap());
        txn.apply_update(Update::decode_v1(&update).unwrap()).unwrap();
        txn.commit();
        assert!(!txn.has_missing_updates(), "drawn updates are complete");
        let changed = changed_directly(&txn);
        followed.follow(&mut txn, &changed);
        followed.hide_twice(&mut txn);
        for (mirror, how) in [(&Mirror::read(&mut txn, root), "read anew"), (&followed, "followed")] {
            let shown = tree(mirror, &show(mirror, &schema, &HashSet::new()));
            let mut seen = HashSet::new();
            identities(&shown, &mut seen)
                .and_then(|()| whole(mirror, &seen))
                .and_then(|()| unmixed(&shown))
                .and_then(|()| all_rows(&shown, drawn["tree"].as_array().unwrap()))
                .map_err(|difference| format!("step {at}, {how}: {difference}"))?;
        }
    }
    Ok(())
}

/// The first of each chain of parents that yrs gives is what changed itself.
fn changed_directly(txn: &TransactionMut) -> Vec<XmlTextRef> {
    let mut starts = true;
    let mut changed = Vec::new();
    for branch in txn.changed_parent_types() {
        if starts {
            changed.push(XmlTextRef::from(*branch));
        }
        starts = matches!(branch.id(), BranchID::Root(_));
    }
    changed
}

/// No element and no character is there twice.
fn identities(shown: &Element, seen: &mut HashSet<String>) -> Result<(), String> {
    let mut once = |id: String| if seen.insert(id.clone()) { Ok(()) } else { Err(format!("{id} is there twice")) };
    once(format!("{:?}", shown.id))?;
    for kid in &shown.kids {
        if let Kid::Leaf(leaf) = kid {
            for run in &leaf.runs {
                let id = run.id.ok_or("characters without id")?;
                (0..run.len).try_for_each(|n| once(id.plus(n).to_string()))?;
            }
        }
    }
    shown.kids.iter().try_for_each(|kid| match kid {
        Kid::Element(element) => identities(element, seen),
        Kid::Leaf(_) => Ok(()),
    })
}

/// Every character that is not in something that is never shown is there.
fn whole(mirror: &Mirror, seen: &HashSet<String>) -> Result<(), String> {
    let mut todo = vec![ROOT];
    while let Some(x) = todo.pop() {
        for item in &mirror.node(x).items {
            match item {
                Item::Text(run) => match (0..run.len).map(|n| run.id.plus(n).to_string()).find(|id| !seen.contains(id))
                {
                    Some(id) => return Err(format!("{id} is not there")),
                    None => continue,
                },
                Item::Node(inner) if matches!(mirror.kind(*inner), Kind::Strand | Kind::Break) => todo.push(*inner),
                _ => {}
            }
        }
    }
    Ok(())
}

/// No text stands bare beside blocks, where an editor's normalizer would remove it: some line in the same element takes it, if
/// there is any.
fn unmixed(shown: &Element) -> Result<(), String> {
    let is_block = |kid: &&Kid| matches!(kid, Kid::Element(element) if !element.inline);
    let is_bare = |kid: &&Kid| match kid {
        Kid::Element(element) => element.inline,
        Kid::Leaf(leaf) => !leaf.runs.is_empty(),
    };
    let is_mixed = shown.kids.iter().any(|kid| is_block(&kid)) && shown.kids.iter().any(|kid| is_bare(&kid));
    if is_mixed && shown.elements().any(|kid| !kid.inline && has_line(kid)) {
        return Err(format!("bare text beside blocks in {:?}", shown.id));
    }
    shown.elements().try_for_each(|kid| unmixed(kid))
}

fn has_line(block: &Element) -> bool {
    let mut blocks = block.elements().filter(|kid| !kid.inline).peekable();
    !block.void && (blocks.peek().is_none() || blocks.any(|kid| has_line(kid)))
}

/// As a row of the file.
enum Row<'a> {
    Element(String, &'a Attrs),
    Leaf(&'a Leaf),
}

fn rows<'a>(shown: &'a Element, depth: u64, out: &mut Vec<(u64, Row<'a>)>) {
    let id = match &shown.id {
        NodeId::Root => "root".to_owned(),
        NodeId::Head(id) => id.to_string(),
        NodeId::Around { key, .. } => key.to_string(),
        NodeId::New(n) => format!("new {n}"),
    };
    out.push((depth, Row::Element(id, &shown.props)));
    for kid in &shown.kids {
        match kid {
            Kid::Element(element) => rows(element, depth + 1, out),
            // Where Slate wants an empty text.
            Kid::Leaf(leaf) if leaf.runs.is_empty() => {}
            Kid::Leaf(leaf) => out.push((depth + 1, Row::Leaf(leaf))),
        }
    }
}

fn all_rows(shown: &Element, drawn: &[Value]) -> Result<(), String> {
    let mut found = Vec::new();
    rows(shown, 0, &mut found);
    for (at, (depth, row)) in found.iter().enumerate() {
        let want = drawn.get(at).unwrap_or(&Value::Null);
        let result = match row {
            _ if want[0] != *depth => Err(format!("depth {depth}")),
            Row::Element(id, _) if want[1] != id.as_str() => Err(id.clone()),
            Row::Element(_, props) => attrs(props, &want[2]),
            Row::Leaf(leaf) if want[1].is_object() => {
                attrs(&leaf.marks, &want[1]).and_then(|()| characters(leaf, &want[2]))
            }
            Row::Leaf(leaf) => Err(format!("{leaf:?}")),
        };
        result.map_err(|shown| format!("row {at}: {shown} in place of {want}"))?;
    }
    match drawn.get(found.len()) {
        Some(more) => Err(format!("row {} is not shown: {more}", found.len())),
        None => Ok(()),
    }
}

fn characters(shown: &Leaf, drawn: &Value) -> Result<(), String> {
    let runs: Vec<Value> =
        shown.runs.iter().map(|run| serde_json::json!([run.id.map(|id| id.to_string()), &*run.text])).collect();
    if drawn.as_array() == Some(&runs) { Ok(()) } else { Err(Value::from(runs).to_string()) }
}

fn attrs(shown: &Attrs, drawn: &Value) -> Result<(), String> {
    let wanted = drawn.as_object().unwrap();
    let is_same = shown.len() == wanted.len()
        && shown.iter().all(|(name, any)| wanted.get(&**name).is_some_and(|want| same(any, want)));
    if is_same { Ok(()) } else { Err(format!("{shown:?}")) }
}

fn same(any: &Any, value: &Value) -> bool {
    match (any, value) {
        (Any::Null | Any::Undefined, Value::Null) => true,
        (Any::Bool(any), Value::Bool(value)) => any == value,
        (Any::Number(any), Value::Number(value)) => any.as_f64() == value.as_f64(),
        (Any::String(any), Value::String(value)) => **any == **value,
        (Any::Array(any), Value::Array(value)) => {
            any.len() == value.len() && any.iter().zip(value).all(|(any, value)| same(any, value))
        }
        (Any::Map(any), Value::Object(value)) => {
            any.len() == value.len()
                && any.iter().all(|(name, any)| value.get(name).is_some_and(|value| same(any, value)))
        }
        _ => false,
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | DIGITS.iter().position(|digit| *digit == byte).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}
