//! Short names between module and glue. wasm-bindgen names what one has of the other by crate, path and hash; no bundler
//! can shorten that, and both sides carry it to every page.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::binary::{HEADER, IMPORTS, Reader, put_bytes, put_number};

const EXPORTS: u8 = 7;
/// Exports that only the glue calls; the others are left as they are called in stack traces.
const GENERATED: &str = "wasm_bindgen_";
/// What the sides call each other by then: nothing in the glue begins so.
const PREFIX: &str = "wb";

/// Renames in the module, and wherever the names stand in `texts`: the glue and its declarations.
pub fn shorten(module: &Path, texts: &[&Path]) -> Result<()> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let mut names = HashMap::new();
    let renamed = rename(&bytes, &mut names).with_context(|| format!("cannot read {}", module.display()))?;
    for text in texts {
        let old = std::fs::read_to_string(text).with_context(|| format!("cannot read {}", text.display()))?;
        ensure!(!words(&old).any(is_short), "{} has names like the short ones", text.display());
        let new: String = words(&old).map(|word| names.get(word).map_or(word, String::as_str)).collect();
        std::fs::write(text, new).with_context(|| format!("cannot write {}", text.display()))?;
    }
    std::fs::write(module, renamed).with_context(|| format!("cannot write {}", module.display()))
}

fn is_short(word: &str) -> bool {
    word.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Identifiers, and what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '$';
    let mut rest = text;
    std::iter::from_fn(move || {
        let within = is_part(rest.chars().next()?);
        let end = rest.find(|char| is_part(char) != within).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        Some(word)
    })
}

/// The module with short names; `names` becomes what is called how.
fn rename(module: &[u8], names: &mut HashMap<String, String>) -> Result<Vec<u8>> {
    let (header, body) = module.split_at_checked(HEADER).context("it is cut off")?;
    let mut out = header.to_vec();
    let mut rest = Reader(body);
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let content = rest.bytes()?;
        let content = match id {
            IMPORTS => imports(content, names)?,
            EXPORTS => exports(content, names)?,
            _ => content.to_vec(),
        };
        out.push(id);
        put_bytes(&mut out, &content);
    }
    Ok(out)
}

fn imports(section: &[u8], names: &mut HashMap<String, String>) -> Result<Vec<u8>> {
    let (mut rest, mut out) = (Reader(section), Vec::new());
    let count = rest.number()?;
    put_number(&mut out, count);
    for _ in 0..count {
        put_bytes(&mut out, rest.bytes()?);
        let name = rest.text()?;
        put_bytes(&mut out, short(name, names).as_bytes());
        let what = rest.byte()?;
        ensure!(what == 0, "something else than a function is imported: {name}");
        out.push(what);
        put_number(&mut out, rest.number()?);
    }
    Ok(out)
}

fn exports(section: &[u8], names: &mut HashMap<String, String>) -> Result<Vec<u8>> {
    let (mut rest, mut out) = (Reader(section), Vec::new());
    let count = rest.number()?;
    put_number(&mut out, count);
    for _ in 0..count {
        let name = rest.text()?;
        let new = if name.starts_with(GENERATED) { short(name, names) } else { name.to_owned() };
        put_bytes(&mut out, new.as_bytes());
        out.push(rest.byte()?);
        put_number(&mut out, rest.number()?);
    }
    Ok(out)
}

fn short(name: &str, names: &mut HashMap<String, String>) -> String {
    let next = format!("{PREFIX}{}", names.len());
    names.entry(name.to_owned()).or_insert(next).clone()
}
