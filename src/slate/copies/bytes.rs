//! Records of copies as bytes.

use yrs::{ClientID, ID};

use super::{CopyRecord, Group, Part, Run};
use crate::protocol::lib0::{Reader, var_uint};

const VERSION: u8 = 1;

fn put(out: &mut Vec<u8>, id: Option<ID>) {
    match id {
        None => out.push(0),
        Some(id) => {
            out.push(1);
            var_uint(out, id.client.get());
            var_uint(out, id.clock.into());
        }
    }
}

fn put_group(out: &mut Vec<u8>, group: &Group) {
    out.push(group.part as u8);
    for id in [group.source, group.target, group.before, group.behind] {
        put(out, id);
    }
    var_uint(out, group.runs.len() as u64);
    for (from, to, len) in &group.runs {
        for number in [from.client.get(), from.clock.into(), to.client.get(), to.clock.into(), (*len).into()] {
            var_uint(out, number);
        }
    }
}

/// About how many bytes a group takes.
pub fn size(group: &Group) -> usize {
    24 + 16 * group.runs.len()
}

pub fn encode(entry: &CopyRecord) -> Vec<u8> {
    let mut out = vec![VERSION];
    var_uint(&mut out, entry.groups.len() as u64);
    entry.groups.iter().for_each(|group| put_group(&mut out, group));
    var_uint(&mut out, entry.gone.len() as u64);
    for Run { id, len } in &entry.gone {
        [id.client.get(), id.clock.into(), (*len).into()].into_iter().for_each(|number| var_uint(&mut out, number));
    }
    var_uint(&mut out, entry.known.as_ref().map_or(0, |known| known.len() as u64 + 1));
    for (client, clock) in entry.known.iter().flatten() {
        [client.get(), (*clock).into()].into_iter().for_each(|number| var_uint(&mut out, number));
    }
    out
}

pub fn decode(bytes: &[u8]) -> Option<CopyRecord> {
    let mut reader = Reader::new(bytes);
    if reader.byte().ok()? != VERSION {
        return None;
    }
    let mut entry = CopyRecord::default();
    for _ in 0..reader.var_uint().ok()? {
        let part = [Part::Whole, Part::Tail, Part::Head, Part::Some].get(usize::from(reader.byte().ok()?)).copied()?;
        let mut ends = [None; 4];
        for end in &mut ends {
            *end = if reader.byte().ok()? == 0 { None } else { Some(id(&mut reader)?) };
        }
        let mut runs = Vec::new();
        for _ in 0..reader.var_uint().ok()? {
            let (from, to, len) = (id(&mut reader)?, id(&mut reader)?, number(&mut reader)?);
            from.clock.checked_add(len)?;
            to.clock.checked_add(len)?;
            runs.push((from, to, len));
        }
        let [source, target, before, behind] = ends;
        entry.groups.push(Group { source, target, part, before, behind, runs });
    }
    // Those of before there was anything else.
    if reader.is_empty() {
        return Some(entry);
    }
    for _ in 0..reader.var_uint().ok()? {
        let (id, len) = (id(&mut reader)?, number(&mut reader)?);
        id.clock.checked_add(len)?;
        entry.gone.push(Run { id, len });
    }
    if let Some(count) = reader.var_uint().ok()?.checked_sub(1) {
        let mut one = || id(&mut reader).map(|ID { client, clock }| (client, clock));
        entry.known = Some((0..count).map(|_| one()).collect::<Option<_>>()?);
    }
    Some(entry)
}

fn id(reader: &mut Reader) -> Option<ID> {
    let client = number(reader)?;
    Some(ID::new(ClientID::new(client.into()), number(reader)?))
}

fn number(reader: &mut Reader) -> Option<u32> {
    u32::try_from(reader.var_uint().ok()?).ok()
}
