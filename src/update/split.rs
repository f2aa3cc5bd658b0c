//! Cutting an update into smaller ones, for servers that limit its size.
//!
//! Works on the bytes (Yjs v1 encoding), between structs and inside long texts, so it needs no document. Applied in
//! any order the pieces give what the whole gives. Anything not understood is an error, never a panic.

use crate::protocol::DecodeError;
use crate::protocol::lib0::{Lib0Reader, buf, var_uint};

/// Room for the counts and the client group around a piece's first struct.
const OVERHEAD: usize = 48;

/// Room for a client and one range of its deletions.
const DELETION: usize = 24;

/// How deep values inside an update may be nested. It is deeper than JSON is read, for this has to read whatever was
/// written here, also where a server refuses it.
pub(super) const MAX_DEPTH: u32 = 256;

/// Why an update could not be cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    #[error("the update does not decode: {0}")]
    Malformed(#[from] DecodeError),
    #[error("the update holds a kind of content that cannot be read: {0}")]
    Unknown(u8),
    #[error("the update holds a single value of {0} bytes")]
    Indivisible(usize),
}

/// Cuts `update` into updates of at most `max` bytes each. Each piece itself lists which of its structs are deleted.
/// Otherwise a replica to which the piece with the deletions brings nothing new would not keep them, and other replicas
/// may have the same structs undeleted.
pub fn split(update: &[u8], max: usize) -> Result<Vec<Vec<u8>>, SplitError> {
    let mut reader = Lib0Reader::new(update);
    let mut pieces = Pieces::new(max);
    pieces.names_dead = true;
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        let client = reader.var_uint()?;
        let mut clock = reader.var_uint()?;
        for _ in 0..count {
            clock = pieces.block(&mut reader, update, client, clock)?;
        }
    }
    pieces.finish_piece();
    for _ in 0..reader.var_uint()? {
        let client = reader.var_uint()?;
        for _ in 0..reader.var_uint()? {
            let range = (reader.var_uint()?, reader.var_uint()?);
            pieces.deletion(client, range);
        }
    }
    pieces.finish_deletions();
    Ok(pieces.done)
}

#[derive(Debug)]
pub(super) struct Pieces {
    max: usize,
    pub(super) done: Vec<Vec<u8>>,
    groups: Vec<ClientStructs>,
    deletions: Vec<(u64, Vec<(u64, u64)>)>,
    size: usize,
    /// Whether pieces list what of their structs is deleted.
    names_dead: bool,
    dead: Vec<(u64, Vec<(u64, u64)>)>,
}

/// Structs of one client that follow each other.
#[derive(Debug)]
struct ClientStructs {
    client: u64,
    clock: u64,
    /// The clock after the last one.
    end: u64,
    count: u64,
    bytes: Vec<u8>,
}

impl Pieces {
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(OVERHEAD);
        let (done, groups, deletions, dead) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { max, done, groups, deletions, size: OVERHEAD, names_dead: false, dead }
    }

    /// Takes one struct from the reader; returns the clock after it.
    fn block(&mut self, reader: &mut Lib0Reader, update: &[u8], client: u64, clock: u64) -> Result<u64, SplitError> {
        let start = update.len() - reader.remaining();
        let block = Block::read(reader)?;
        let end = update.len() - reader.remaining();
        let after = clock.saturating_add(block.len);
        let bytes = update.get(start..end).unwrap_or_default();
        if block.is_skip() && self.groups.last().is_none_or(|group| group.client != client) {
            return Ok(after);
        }
        if self.names_dead && block.is_dead() {
            // It may name a root, and have a key.
            if bytes.len() > self.max - OVERHEAD {
                return Err(SplitError::Indivisible(bytes.len()));
            }
            self.put_dead(client, clock, &block, bytes);
            return Ok(after);
        }
        if bytes.len() <= self.max - OVERHEAD {
            self.put(client, (clock, block.len), bytes);
            return Ok(after);
        }
        let Some(text) = block.text else { return Err(SplitError::Indivisible(bytes.len())) };
        self.long_text(client, clock, &block, block.head_of(bytes), text)?;
        Ok(after)
    }

    /// Cuts a text as Yjs splits an item: the right part follows the left one, and keeps the right origin.
    fn long_text(&mut self, client: u64, clock: u64, block: &Block, head: &[u8], text: &str) -> Result<(), SplitError> {
        let room = self.max.saturating_sub(OVERHEAD + head.len() + 32);
        if room < 4 {
            return Err(SplitError::Indivisible(self.max));
        }
        let (mut rest, mut at) = (text, clock);
        while !rest.is_empty() {
            let mut cut = rest.len().min(room);
            while !rest.is_char_boundary(cut) {
                cut -= 1;
            }
            let (part, after) = rest.split_at(cut);
            let mut bytes = Vec::with_capacity(head.len() + part.len() + 16);
            match at == clock {
                true => bytes.extend_from_slice(head),
                false => block.right_part(&mut bytes, client, at),
            }
            buf(&mut bytes, part.as_bytes());
            let len = part.encode_utf16().count() as u64;
            self.put(client, (at, len), &bytes);
            at += len;
            rest = after;
        }
        Ok(())
    }

    /// A struct with its clock and its length.
    pub(super) fn put(&mut self, client: u64, (clock, len): (u64, u64), bytes: &[u8]) {
        if self.size.saturating_add(bytes.len() + OVERHEAD) > self.max {
            self.finish_piece();
        }
        let end = clock.saturating_add(len);
        match self.groups.last_mut() {
            Some(group) if group.client == client && group.end <= clock => {
                if group.end < clock {
                    // What follows a group in the bytes follows it in clocks.
                    group.bytes.push(SKIP);
                    var_uint(&mut group.bytes, clock - group.end);
                    group.count += 1;
                }
                group.end = end;
                group.count += 1;
                group.bytes.extend_from_slice(bytes);
            }
            _ => {
                self.groups.push(ClientStructs { client, clock, end, count: 1, bytes: bytes.to_vec() });
                self.size += OVERHEAD;
            }
        }
        self.size += bytes.len();
    }

    fn put_dead(&mut self, client: u64, clock: u64, block: &Block, bytes: &[u8]) {
        if self.size.saturating_add(bytes.len() + OVERHEAD + DELETION) > self.max {
            self.finish_piece();
        }
        self.put(client, (clock, block.len), bytes);
        self.size += DELETION;
        let range = (clock, block.len);
        match self.dead.last_mut() {
            Some((last, ranges)) if *last == client => ranges.push(range),
            _ => self.dead.push((client, vec![range])),
        }
    }

    /// Everything as one update with these deletions, in their encoding.
    pub(super) fn finish_with(mut self, deletions: &[u8]) -> Option<Vec<u8>> {
        self.finish_piece();
        let mut update = match self.done.pop() {
            Some(update) => update,
            None if deletions == [0] => return None,
            None => vec![0, 0],
        };
        // In place of the count of deletions, none.
        update.pop();
        update.extend_from_slice(deletions);
        Some(update)
    }

    fn finish_piece(&mut self) {
        self.size = OVERHEAD;
        if self.groups.is_empty() {
            return;
        }
        let mut out = Vec::new();
        var_uint(&mut out, self.groups.len() as u64);
        for group in self.groups.drain(..) {
            var_uint(&mut out, group.count);
            var_uint(&mut out, group.client);
            var_uint(&mut out, group.clock);
            out.extend(group.bytes);
        }
        put_deletions(&mut out, self.dead.drain(..));
        self.done.push(out);
    }

    pub(super) fn deletion(&mut self, client: u64, range: (u64, u64)) {
        if self.size + DELETION > self.max {
            self.finish_deletions();
        }
        match self.deletions.last_mut() {
            Some((last, ranges)) if *last == client => ranges.push(range),
            _ => {
                self.deletions.push((client, vec![range]));
                self.size += DELETION;
            }
        }
        self.size += var_len(range.0) + var_len(range.1);
    }

    pub(super) fn finish_deletions(&mut self) {
        self.size = OVERHEAD;
        if self.deletions.is_empty() {
            return;
        }
        let mut out = vec![0];
        put_deletions(&mut out, self.deletions.drain(..));
        self.done.push(out);
    }
}

fn put_deletions(out: &mut Vec<u8>, deletions: impl ExactSizeIterator<Item = (u64, Vec<(u64, u64)>)>) {
    var_uint(out, deletions.len() as u64);
    for (client, ranges) in deletions {
        var_uint(out, client);
        var_uint(out, ranges.len() as u64);
        for (clock, len) in ranges {
            var_uint(out, clock);
            var_uint(out, len);
        }
    }
}

const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;
pub(super) const GC: u8 = 0;
const DELETED: u8 = 1;
const JSON: u8 = 2;
const BINARY: u8 = 3;
const TEXT: u8 = 4;
const EMBED: u8 = 5;
const FORMAT: u8 = 6;
const TYPE: u8 = 7;
const ANY: u8 = 8;
const DOC: u8 = 9;
const SKIP: u8 = 10;

/// What a struct without origins says it lies in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parent<'a> {
    Root(&'a str),
    Item((u64, u64)),
}

/// What has to be known of a struct to cut around it, or inside it.
#[derive(Debug)]
pub(super) struct Block<'a> {
    info: u8,
    pub(super) origin: Option<(u64, u64)>,
    pub(super) right_origin: Option<(u64, u64)>,
    pub(super) parent: Option<Parent<'a>>,
    /// Its key, if it is an entry of a map or an attribute; a struct with origins has the key of those.
    pub(super) key: Option<&'a str>,
    pub(super) len: u64,
    text: Option<&'a str>,
    /// A value written as JSON, as embeds and formats have.
    pub(super) json: Option<&'a str>,
    /// Values in lib0's `any` encoding, `len` of them.
    pub(super) values: Option<&'a [u8]>,
    /// The bytes after its head.
    pub(super) content: &'a [u8],
}

/// What a struct holds: so many clocks, and the text or JSON text of it.
type StructContent<'a> = (u64, Option<&'a str>, Option<&'a str>);

impl<'a> Block<'a> {
    pub(super) fn is_skip(&self) -> bool {
        self.info & 0x1f == SKIP
    }

    /// Without content: all of it is deleted.
    fn is_dead(&self) -> bool {
        matches!(self.info & 0x1f, GC | DELETED)
    }

    /// Whether its bytes alone cannot tell that it is sound.
    pub(super) fn is_odd(&self) -> bool {
        match self.info & 0x1f {
            JSON | DOC => true,
            GC | SKIP => self.len == 0 || self.info & !0x1f != 0,
            _ => false,
        }
    }

    /// Ids of what has to be integrated before this.
    pub(super) fn needs(&self) -> impl Iterator<Item = (u64, u64)> {
        let parent = match self.parent {
            Some(Parent::Item(id)) => Some(id),
            _ => None,
        };
        [self.origin, self.right_origin, parent].into_iter().flatten()
    }

    /// Whether replicas join this to the struct before it, if that is alive as this is.
    pub(super) fn continues(&self, client: u64, clock: u64) -> bool {
        matches!(self.info & 0x1f, TEXT | ANY | JSON)
            && self.origin == clock.checked_sub(1).map(|before| (client, before))
    }

    pub(super) fn is_item(&self) -> bool {
        !matches!(self.info & 0x1f, GC | SKIP)
    }

    /// The text that it puts into a sequence.
    pub(super) fn typed(&self) -> Option<&'a str> {
        self.text.filter(|_| self.info & 0x1f == TEXT && self.key.is_none())
    }

    pub(super) fn is_format(&self) -> bool {
        self.info & 0x1f == FORMAT
    }

    /// Values written as JSON, as Yjs once did.
    pub(super) fn is_json(&self) -> bool {
        self.info & 0x1f == JSON
    }

    pub(super) fn is_doc(&self) -> bool {
        self.info & 0x1f == DOC
    }

    pub(super) fn is_type(&self) -> bool {
        self.info & 0x1f == TYPE
    }

    /// The bytes before its content. They are not written anew, for a number in them may take more bytes than it needs.
    pub(super) fn head_of<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(..bytes.len() - self.content.len()).unwrap_or_default()
    }

    /// The head of what follows after this was cut: it lies right of its left part.
    fn right_part(&self, out: &mut Vec<u8>, client: u64, clock: u64) {
        out.push(HAS_ORIGIN | (self.info & HAS_RIGHT_ORIGIN) | (self.info & 0x1f));
        var_uint(out, client);
        var_uint(out, clock - 1);
        if let Some((client, clock)) = self.right_origin {
            var_uint(out, client);
            var_uint(out, clock);
        }
    }

    /// Cuts a text, or something deleted, after `units` of its clocks. None if this is neither, or half of a character
    /// would be cut.
    pub(super) fn cut(&self, client: u64, clock: u64, bytes: &[u8], units: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        match (self.info & 0x1f, self.text) {
            (TEXT, Some(text)) => {
                let mut passed = 0;
                let at = text.char_indices().find_map(|(at, char)| {
                    let here = passed == units;
                    passed += char.len_utf16() as u64;
                    here.then_some(at)
                })?;
                let (before, after) = text.split_at(at);
                left.extend_from_slice(self.head_of(bytes));
                buf(&mut left, before.as_bytes());
                self.right_part(&mut right, client, clock + units);
                buf(&mut right, after.as_bytes());
            }
            (DELETED, _) => {
                left.extend_from_slice(self.head_of(bytes));
                var_uint(&mut left, units);
                self.right_part(&mut right, client, clock + units);
                var_uint(&mut right, self.len.checked_sub(units)?);
            }
            (GC, _) => {
                left.push(GC);
                var_uint(&mut left, units);
                right.push(GC);
                var_uint(&mut right, self.len.checked_sub(units)?);
            }
            _ => return None,
        }
        Some((left, right))
    }

    pub(super) fn read(reader: &mut Lib0Reader<'a>) -> Result<Self, SplitError> {
        let info = reader.byte()?;
        let kind = info & 0x1f;
        if kind == GC || kind == SKIP {
            let len = reader.var_uint()?;
            let (origin, right_origin, parent, key) = (None, None, None, None);
            return Ok(Self {
                info,
                origin,
                right_origin,
                parent,
                key,
                len,
                text: None,
                json: None,
                values: None,
                content: &[],
            });
        }
        let origin = if info & HAS_ORIGIN != 0 { Some(id(reader)?) } else { None };
        let right_origin = if info & HAS_RIGHT_ORIGIN != 0 { Some(id(reader)?) } else { None };
        let (mut parent, mut key) = (None, None);
        if origin.is_none() && right_origin.is_none() {
            parent = Some(match reader.var_uint()? {
                1 => Parent::Root(reader.str()?),
                _ => Parent::Item(id(reader)?),
            });
            if info & HAS_PARENT_SUB != 0 {
                key = Some(reader.str()?);
            }
        }
        let before = reader.rest();
        let (len, text, json) = content(reader, kind)?;
        let content = &before[..before.len() - reader.remaining()];
        let values = (kind == ANY).then_some(content);
        Ok(Self { info, origin, right_origin, parent, key, len, text, json, values, content })
    }
}

fn id(reader: &mut Lib0Reader) -> Result<(u64, u64), DecodeError> {
    Ok((reader.var_uint()?, reader.var_uint()?))
}

fn content<'a>(reader: &mut Lib0Reader<'a>, kind: u8) -> Result<StructContent<'a>, SplitError> {
    let mut len = 1;
    match kind {
        DELETED => len = reader.var_uint()?,
        JSON => {
            len = reader.var_uint()?;
            for _ in 0..len {
                reader.str()?;
            }
        }
        BINARY => {
            reader.buf()?;
        }
        TEXT => {
            let text = reader.str()?;
            let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
            return Ok((units as u64, Some(text), None));
        }
        EMBED => return Ok((1, None, Some(reader.str()?))),
        FORMAT => {
            reader.str()?;
            return Ok((1, None, Some(reader.str()?)));
        }
        TYPE => match reader.var_uint()? {
            // An XML element or hook has a name.
            3 | 5 => {
                reader.str()?;
            }
            0..=6 | 9 | 15 => {}
            _ => return Err(SplitError::Unknown(kind)),
        },
        ANY => {
            len = reader.var_uint()?;
            for _ in 0..len {
                any(reader, MAX_DEPTH)?;
            }
        }
        DOC => {
            reader.str()?;
            any(reader, MAX_DEPTH)?;
        }
        unknown => return Err(SplitError::Unknown(unknown)),
    }
    Ok((len, None, None))
}

/// Skips a value in lib0's `any` encoding.
pub(super) fn any(reader: &mut Lib0Reader, depth: u32) -> Result<(), SplitError> {
    if depth == 0 {
        return Err(SplitError::Unknown(ANY));
    }
    match reader.byte()? {
        127 | 126 | 121 | 120 => {}
        125 => while reader.byte()? >= 0x80 {},
        124 => drop(reader.take(4)?),
        123 | 122 => drop(reader.take(8)?),
        119 => drop(reader.str()?),
        116 => drop(reader.buf()?),
        118 => {
            for _ in 0..reader.var_uint()? {
                reader.str()?;
                any(reader, depth - 1)?;
            }
        }
        117 => {
            for _ in 0..reader.var_uint()? {
                any(reader, depth - 1)?;
            }
        }
        unknown => return Err(SplitError::Unknown(unknown)),
    }
    Ok(())
}

fn var_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests;
