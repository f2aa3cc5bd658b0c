//! Formats with a key of their own: `name~t~client`.
//!
//! In plain Yjs the end of one person's range ends the other's; keys of their own never meet. What a character shows of a
//! name is the value of the highest (t, client); a plain attribute counts as t = 0. `[]` under such a key means none.
//! An element around text has the name `@type`, and its properties as value.

use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use yrs::Any;

use crate::slate::value::node::Attrs;

/// The formats of a run or an embed as they stand in the document, sorted by key. Shared: neighbours mostly have the same.
pub type Formats = Rc<Attrs>;

thread_local! {
    static NONE: Formats = Formats::default();
}

/// No formats, or no properties: the same for all, for most have none.
#[inline(never)]
pub fn none() -> Formats {
    NONE.try_with(Rc::clone).unwrap_or_default()
}

/// What a key of a format is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyName {
    /// An inline element of this type around text.
    Around(Arc<str>),
    Mark(Arc<str>),
}

/// A key of a format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MarkKey {
    pub name: KeyName,
    /// Lamport time; 0: a plain attribute, older than everything.
    pub time: u64,
    pub client: u64,
}

impl MarkKey {
    /// By age: the greater one is shown.
    pub fn by_age(&self, other: &Self) -> Ordering {
        (self.time, self.client).cmp(&(other.time, other.client))
    }
}

/// The largest time of a key: a safe integer.
const MAX_TIME: u64 = (1 << 53) - 1;

/// A format's key as it stands in the document.
pub fn parse_key(key: &str) -> MarkKey {
    keyed(key).unwrap_or_else(|| MarkKey { name: KeyName::Mark(key.into()), time: 0, client: 0 })
}

fn keyed(key: &str) -> Option<MarkKey> {
    let (rest, client) = key.rsplit_once('~')?;
    let (name, time) = rest.rsplit_once('~')?;
    let is_name = !name.is_empty() && name.replace("~~", "").bytes().all(|byte| byte != b'~');
    let is_time = !time.is_empty()
        && time.len() <= 11
        && time.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    let is_client = !client.is_empty() && client.len() <= 16 && client.bytes().all(|byte| byte.is_ascii_digit());
    if !is_name || !is_time || !is_client {
        return None;
    }
    let time = u64::from_str_radix(time, 36).ok().filter(|time| (1..=MAX_TIME).contains(time))?;
    let client = client.parse().ok().filter(|client| *client <= MAX_TIME)?;
    let name = name.replace("~~", "~");
    let name = match name.strip_prefix('@') {
        Some(rest) if rest.starts_with('@') => KeyName::Mark(rest.into()),
        Some(rest) => KeyName::Around(rest.into()),
        None => KeyName::Mark(name.into()),
    };
    Some(MarkKey { name, time, client })
}

/// How a key is written. `time` is not 0.
pub fn key_name(name: &KeyName, time: u64, client: u64) -> Arc<str> {
    let escaped = match name {
        KeyName::Around(kind) => format!("@{kind}"),
        KeyName::Mark(mark) if mark.starts_with('@') => format!("@{mark}"),
        KeyName::Mark(mark) => mark.to_string(),
    };
    format!("{}~{}~{client}", escaped.replace('~', "~~"), base36(time)).into()
}

fn base36(mut n: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(n % 36) as usize]);
        n /= 36;
        if n == 0 {
            break;
        }
    }
    digits.reverse();
    String::from_utf8(digits).unwrap_or_default()
}

/// How a property of an element is named as an attribute: `@x` as `@@x`.
pub fn attribute_name(name: &str) -> Arc<str> {
    match name.starts_with('@') {
        true => format!("@{name}").into(),
        false => name.into(),
    }
}

/// An element around text, as one character has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// As it stands in the document.
    pub key: Arc<str>,
    pub parsed: MarkKey,
    pub kind: Arc<str>,
    /// Its properties but `type`.
    pub props: Attrs,
}

/// What a character shows of its formats.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolved {
    pub marks: Attrs,
    /// Older ones outside.
    pub around: Vec<Around>,
}

pub fn is_none(value: &Any) -> bool {
    matches!(value, Any::Array(list) if list.is_empty())
}

/// Of each name the value of the highest (t, client).
pub fn resolve(formats: &Attrs) -> Resolved {
    let mut keys: Vec<(MarkKey, &Arc<str>, &Any)> =
        formats.iter().map(|(key, value)| (parse_key(key), key, value)).collect();
    keys.sort_by(|(a, ..), (b, ..)| a.name.cmp(&b.name).then_with(|| a.by_age(b)));
    let mut resolved = Resolved::default();
    for (at, (key, raw, value)) in keys.iter().enumerate() {
        let is_last = keys.get(at + 1).is_none_or(|(next, ..)| next.name != key.name);
        if !is_last || (key.time > 0 && is_none(value)) {
            continue;
        }
        match &key.name {
            KeyName::Mark(name) => drop(resolved.marks.insert(name.clone(), (*value).clone())),
            KeyName::Around(kind) => {
                let props = match value {
                    Any::Map(map) => {
                        let own = map.iter().filter(|(name, _)| *name != "type" && *name != "children");
                        own.map(|(name, value)| (Arc::from(name.as_str()), value.clone())).collect()
                    }
                    _ => Attrs::new(),
                };
                resolved.around.push(Around { key: (*raw).clone(), parsed: key.clone(), kind: kind.clone(), props });
            }
        }
    }
    resolved.around.sort_by(|a, b| a.parsed.by_age(&b.parsed).then_with(|| a.kind.cmp(&b.kind)));
    resolved
}
