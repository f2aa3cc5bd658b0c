//! Undo by identity: small changes of one's own are taken back where they still stand.
//!
//! Own characters are deleted; text that one deleted is written again where it stood; a break is switched off, a strand is
//! `@gone` (a wrapper is transparent), so that what others put in lives; registers, properties and keys of formats are set
//! back where the own value still stands. Nothing of others is touched. What is done here is told by the same acts, so redo
//! is to take back the taking back.

mod again;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use yrs::Any;

pub use again::{Again, MAP};

use super::ydoc::{Act, Formats, Id, KeyName, Kind, Nid, Place, Registers, Span, Writer, key_name, resolve};

/// Takes acts back, the last first. What takes that back again is [`Writer::take_acts`].
pub fn revert(writer: &mut Writer, again: &mut Again, acts: &[Act]) {
    let wrappers = acts.iter().filter_map(|act| match act {
        Act::Make { kind: Kind::Place, up, .. } => Some(*up),
        _ => None,
    });
    let mut revert = Revert { time: writer.mirror.time() + 1, wrappers: wrappers.collect(), unused: Vec::new() };
    for act in backwards(acts) {
        revert.act(writer, again, act);
    }
    drop_unused(writer, &revert.unused);
}

/// The last first; of characters that were deleted one after the other, those on the right first: each is written again
/// before what stands behind it.
fn backwards(acts: &[Act]) -> Vec<&Act> {
    let mut out = Vec::with_capacity(acts.len());
    for group in acts.chunk_by(|a, b| is_deletion(a) && is_deletion(b)).rev() {
        match group.len() {
            1 => out.extend(group),
            _ => out.extend(from_the_right(group)),
        }
    }
    out
}

fn is_deletion(act: &Act) -> bool {
    matches!(act, Act::Delete { .. })
}

/// Deletions of one kind after the other, in the order in which the text stood, each stretch from its end.
fn from_the_right(group: &[Act]) -> Vec<&Act> {
    let mut ends = HashMap::new();
    for (at, act) in group.iter().enumerate() {
        if let Act::Delete { span: (first, len), .. } = act {
            ends.insert(first.plus(len - 1), at);
        }
    }
    let before = |act: &Act| match act {
        Act::Delete { left, .. } => left.as_ref().and_then(|left| ends.get(left)).copied(),
        _ => None,
    };
    // Of several behind one, that which was deleted first stood next to it.
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); group.len()];
    let mut firsts = Vec::new();
    for (at, act) in group.iter().enumerate() {
        match before(act) {
            Some(before) => behind[before].push(at),
            None => firsts.push(at),
        }
    }
    let (mut out, mut todo) = (Vec::with_capacity(group.len()), firsts);
    todo.reverse();
    while let Some(at) = todo.pop() {
        out.push(&group[at]);
        todo.extend(behind[at].iter().rev());
    }
    out.reverse();
    out
}

struct Revert {
    time: u64,
    wrappers: HashSet<Id>,
    /// Markers that were put in.
    unused: Vec<Nid>,
}

impl Revert {
    fn act(&mut self, writer: &mut Writer, again: &mut Again, act: &Act) {
        match act {
            Act::Insert(span) => {
                for span in again.follow(*span) {
                    writer.delete_span(span);
                }
            }
            Act::Delete { span, text, formats, .. } => self.write_again(writer, again, *span, text, formats),
            Act::Make { id, kind, .. } => self.unmake(writer, again.latest(*id), *kind, *id),
            Act::Drop { id, attributes } => {
                let Some((seq, index)) = writer.place_of(again.latest(*id)) else { return };
                let attributes: Vec<(Arc<str>, Any)> =
                    attributes.iter().map(|(name, value)| (name.clone(), again.translate(value))).collect();
                let node = writer.make(seq, index, &attributes);
                let new = writer.mirror.id(node);
                again.note(writer, (again.latest(*id), 1), new);
            }
            Act::Set { id, name, before, after } => {
                self.set_back(writer, again, *id, name, before.as_ref(), after.as_ref());
            }
            Act::Format { on, key, before, after } => {
                let spans = on.iter().flat_map(|span| again.follow(*span));
                match (before, after) {
                    // A key of one's own goes as a whole: what a peer typed in it has it too.
                    (None, Some(value)) => clear(writer, spans, key, value),
                    _ => spans.for_each(|span| format_back(writer, span, key, before.as_ref(), after.as_ref())),
                }
            }
        }
    }

    fn write_again(&mut self, writer: &mut Writer, again: &mut Again, span: Span, text: &str, formats: &Formats) {
        for (was, len) in again.follow(span) {
            // In as many pieces as it was written in: mostly one.
            let from = if was.client == span.0.client { was.clock.saturating_sub(span.0.clock) } else { 0 };
            let piece = match len == span.1 {
                true => Some(text),
                false => crate::slate::utf16::slice(text, from, from + len),
            };
            let (Some(piece), Some((seq, index))) = (piece, writer.place_of(was)) else { continue };
            let new = writer.insert_text(seq, index, piece);
            again.note(writer, (was, len), new);
            let has = writer.mirror.formats_at(seq, index + len);
            let missing = self.formats(writer, &has, formats);
            writer.format(seq, index, len, &missing);
        }
    }

    /// What to set so that `has` shows what `want` shows: the same keys, and newer ones of one's own against what is too much.
    fn formats(&self, writer: &Writer, has: &Formats, want: &Formats) -> Vec<(Arc<str>, Any)> {
        if has == want {
            return Vec::new();
        }
        let mut set: Vec<(Arc<str>, Any)> = want
            .iter()
            .filter(|(key, value)| has.get(&***key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut both = (**has).clone();
        both.extend(set.iter().cloned());
        let (now, aim) = (resolve(&both), resolve(want));
        let own = |name: &KeyName| key_name(name, self.time, writer.client());
        for name in now.marks.keys().chain(aim.marks.keys()) {
            if now.marks.get(&**name) != aim.marks.get(&**name) {
                let none = Any::Array(Vec::new().into());
                let value = aim.marks.get(&**name).cloned().unwrap_or(none);
                set.push((own(&KeyName::Mark(name.clone())), value));
            }
        }
        for around in &now.around {
            if aim.around.iter().all(|other| other.kind != around.kind) {
                set.push((own(&KeyName::Around(around.kind.clone())), Any::Array(Vec::new().into())));
            }
        }
        set
    }

    fn unmake(&mut self, writer: &mut Writer, id: Id, kind: Kind, made: Id) {
        let Some(node) = writer.mirror.find(id) else { return };
        match kind {
            Kind::Break => writer.set_attribute(node, "@off", Any::Bool(true)),
            Kind::Strand => {
                let mut gone = vec![Any::Null];
                if self.wrappers.contains(&made) {
                    gone.push(Any::Bool(true));
                }
                writer.set_attribute(node, "@gone", Any::Array(gone.into()));
            }
            Kind::Place | Kind::Seam => self.unused.push(node),
            Kind::Unknown => {}
        }
    }

    fn set_back(
        &mut self,
        writer: &mut Writer,
        again: &Again,
        id: Id,
        name: &Arc<str>,
        before: Option<&Any>,
        after: Option<&Any>,
    ) {
        let Some(node) = writer.mirror.find(again.latest(id)) else { return };
        let now = writer.attribute(node, name);
        let (before, after) = (before.map(|value| again.translate(value)), after.map(|value| again.translate(value)));
        if !stands(name, now.as_ref(), after.as_ref()) || now == before {
            return;
        }
        match before {
            Some(before) => {
                let value = if **name == *"@at" { timed(&before, self.time) } else { before };
                writer.set_attribute(node, name, value);
            }
            None => writer.remove_attribute(node, name),
        }
    }
}

/// Whether the own value still stands; of a place its time does not matter.
fn stands(name: &str, now: Option<&Any>, own: Option<&Any>) -> bool {
    let read = |value: &Any| -> Option<Place> {
        Registers::read([(Arc::from("@at"), value.clone())]).at.map(|place| Place { time: 0, ..place })
    };
    match (now, own) {
        (Some(now), Some(own)) if name == "@at" => read(now) == read(own),
        (now, own) => now == own,
    }
}

fn timed(value: &Any, time: u64) -> Any {
    match value {
        Any::Array(list) if !list.is_empty() => {
            let time = Any::from(time as f64);
            Any::Array([time].into_iter().chain(list[1..].iter().cloned()).collect())
        }
        other => other.clone(),
    }
}

fn clear(writer: &mut Writer, spans: impl Iterator<Item = Span>, key: &Arc<str>, value: &Any) {
    let sequences: HashSet<Nid> = spans.filter_map(|span| writer.place_of(span.0)).map(|(seq, _)| seq).collect();
    let mut sequences: Vec<Nid> = sequences.into_iter().collect();
    sequences.sort_unstable();
    for seq in sequences {
        for (index, len) in writer.formatted(seq, key, value) {
            writer.format(seq, index, len, &[(key.clone(), Any::Null)]);
        }
    }
}

fn format_back(writer: &mut Writer, span: Span, key: &Arc<str>, before: Option<&Any>, after: Option<&Any>) {
    let Some((seq, _)) = writer.place_of(span.0) else { return };
    let value = before.cloned().unwrap_or(Any::Null);
    for (index, len) in writer.find(seq, span) {
        if writer.mirror.formats_at(seq, index + 1).get(&**key) == after {
            writer.format(seq, index, len, &[(key.clone(), value.clone())]);
        }
    }
}

/// Markers that were put in go, if nothing is registered there.
fn drop_unused(writer: &mut Writer, markers: &[Nid]) {
    if markers.is_empty() {
        return;
    }
    let used: HashSet<Id> = writer
        .mirror
        .alive()
        .filter_map(|node| writer.mirror.node(node).registers.at.as_ref())
        .flat_map(|place| place.claims.iter().filter_map(|claim| claim.marker))
        .collect();
    for marker in markers {
        if !used.contains(&writer.mirror.id(*marker)) {
            writer.delete_node(*marker);
        }
    }
}
