//! Records of copies as bytes.

use yrs::{ClientID, ID};

use super::{Group, Part};
use crate::protocol::lib0::{Reader, var_uint};

pub const VERSION: u8 = 1;

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

pub fn encode(out: &mut Vec<u8>, group: &Group) {
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

pub fn decode(bytes: &[u8]) -> Option<Vec<Group>> {
    let mut reader = Reader::new(bytes);
    if reader.byte().ok()? != VERSION {
        return None;
    }
    let mut groups = Vec::new();
    for _ in 0..reader.var_uint().ok()? {
        let part = [Part::Whole, Part::Tail, Part::Head, Part::Some].get(usize::from(reader.byte().ok()?)).copied()?;
        let mut ends = [None; 4];
        for end in &mut ends {
            *end = if reader.byte().ok()? == 0 { None } else { Some(id(&mut reader)?) };
        }
        let mut runs = Vec::new();
        for _ in 0..reader.var_uint().ok()? {
            let (from, to, len) = (id(&mut reader)?, id(&mut reader)?, u32::try_from(reader.var_uint().ok()?).ok()?);
            from.clock.checked_add(len)?;
            to.clock.checked_add(len)?;
            runs.push((from, to, len));
        }
        let [source, target, before, behind] = ends;
        groups.push(Group { source, target, part, before, behind, runs });
    }
    Some(groups)
}

fn id(reader: &mut Reader) -> Option<ID> {
    let client = u32::try_from(reader.var_uint().ok()?).ok()?;
    let clock = u32::try_from(reader.var_uint().ok()?).ok()?;
    Some(ID::new(ClientID::new(client.into()), clock))
}
