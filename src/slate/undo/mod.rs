//! Undo by identity: small changes of one's own are taken back where they still stand.
//!
//! Own characters are deleted; text that one deleted is written again where it stood; a break is switched off, a strand is
//! `@gone` (a wrapper is transparent), so that what others put in lives; registers, properties and keys of formats are set
//! back where the own value still stands. Nothing of others is touched. What is done here is told by the same acts, so redo
//! is to take back the taking back.

mod again;
mod aim;
mod rewritten;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use yrs::Any;

pub use again::Again;
pub use aim::aim;
pub use rewritten::note_all;

use super::ydoc::{
    Act, Beside, Followed, Formats, Id, Item, KeyName, Kind, Nid, Place, Registers, Span, Writer, key_name, parse_key,
    resolve,
};
use crate::slate::value::node::Attrs;

/// In so many elements at most text is taken back without a view.
const MAX_TEXTS: usize = 32;

/// Takes acts back, the last first. What takes that back again is [`Writer::take_acts`].
pub fn revert(writer: &mut Writer, again: &mut Again, acts: &[Act]) {
    let wrappers = acts.iter().filter_map(|act| match act {
        Act::Make { kind: Kind::Place, up, .. } => Some(*up),
        _ => None,
    });
    let time = writer.mirror.time() + 1;
    let mut revert = Revert { time, wrappers: wrappers.collect(), unused: Vec::new(), taken_on: Vec::new() };
    let mut left = acts;
    while let Some((last, before)) = left.split_last() {
        let (span, count) = typed_last(left);
        if count > 1 && delete_whole(writer, again, span) {
            left = &left[..left.len() - count];
            continue;
        }
        revert.act(writer, again, last);
        left = before;
    }
    revert.overrule(writer);
    drop_unused(writer, &revert.unused);
}

/// What a step that is nothing but text typed and deleted stands in, as it is; `None`: there is more to it, or it stands in
/// too many places.
pub fn texts(writer: &Writer, again: &Again, acts: &[Act]) -> Option<Vec<Followed>> {
    let mut found: Vec<Followed> = Vec::new();
    let mut left = acts;
    while let Some((last, before)) = left.split_last() {
        let (first, count) = match last {
            Act::Insert(_) => {
                let ((first, _), count) = typed_last(left);
                (first, count)
            }
            Act::Delete { span, .. } => (span.0, 1),
            _ => return None,
        };
        left = if count > 1 { &left[..left.len() - count] } else { before };
        let (node, _) = writer.place_of(again.latest(first))?;
        if found.iter().all(|followed| followed.node != node) {
            let items = writer.mirror.node(node).items.clone();
            let is_text = found.len() < MAX_TEXTS && items.iter().all(|item| matches!(item, Item::Text(_)));
            is_text.then(|| found.push(Followed { node, was: Some(items) }))?;
        }
    }
    Some(found)
}

/// The last that was typed, and how many acts it is.
fn typed_last(acts: &[Act]) -> (Span, usize) {
    let Some(Act::Insert(last)) = acts.last() else { return ((Id::ROOT, 0), 0) };
    let mut all = *last;
    let mut count = 1;
    for act in acts.iter().rev().skip(1) {
        match act {
            Act::Insert((first, len)) if first.plus(*len) == all.0 => all = (*first, len + all.1),
            _ => break,
        }
        count += 1;
    }
    (all, count)
}

/// Deletes characters that were typed one after the other, if all of them stand in one sequence.
fn delete_whole(writer: &mut Writer, again: &Again, span: Span) -> bool {
    let mut found = Vec::new();
    for piece in again.follow(span) {
        let Some((seq, _)) = writer.place_of(piece.0) else { return false };
        let places = writer.find(seq, piece);
        if places.iter().map(|(_, len)| len).sum::<u32>() != piece.1 {
            return false;
        }
        found.push(piece);
    }
    found.into_iter().rev().for_each(|piece| writer.delete_span(piece));
    true
}

struct Revert {
    time: u64,
    wrappers: HashSet<Id>,
    /// Markers that were put in.
    unused: Vec<Nid>,
    /// What was written again, and the keys that it only has because of what stands beside it.
    taken_on: Vec<(Span, Vec<Arc<str>>)>,
}

impl Revert {
    fn act(&mut self, writer: &mut Writer, again: &mut Again, act: &Act) {
        match act {
            Act::Insert(span) => {
                for span in again.follow(*span) {
                    writer.delete_span(span);
                }
            }
            Act::Delete { span, text, formats, between } => {
                self.write_again(writer, again, *span, text, formats, *between);
            }
            Act::Make { id, kind, .. } => self.unmake(writer, again.latest(*id), *kind, *id),
            Act::Drop { id, attributes, formats, between } => {
                let was = again.latest(*id);
                if writer.mirror.find(was).is_some() {
                    return;
                }
                let Some((seq, index)) = writer.place_between(was, now(again, *between)) else { return };
                let attributes: Vec<(Arc<str>, Any)> =
                    attributes.iter().map(|(name, value)| (name.clone(), again.translate(value))).collect();
                let node = writer.make(seq, index, &attributes);
                let new = writer.mirror.id(node);
                again.note(writer, (was, 1), new);
                self.format_again(writer, (new, 1), (seq, index), formats);
            }
            Act::Set { id, name, before, after } => {
                self.set_back(writer, again, *id, name, before.as_ref(), after.as_ref());
            }
            Act::Format { on, key, before, after, given } => {
                let spans: Vec<Span> = on.iter().flat_map(|span| again.follow(*span)).collect();
                match (before, after) {
                    // A key of one's own goes as a whole: what a peer typed in it has it too.
                    (None, Some(value)) if *given => clear(writer, &spans, key, value),
                    _ => {
                        for span in spans {
                            self.own(span, key);
                            format_back(writer, span, key, before.as_ref(), after.as_ref());
                        }
                    }
                }
            }
        }
    }

    fn write_again(
        &mut self,
        writer: &mut Writer,
        again: &mut Again,
        span: Span,
        text: &str,
        formats: &Formats,
        between: Beside,
    ) {
        let mut between = now(again, between);
        // In as many pieces as it was written in: mostly one.
        let mut behind = 0;
        for piece in again.follow(span) {
            let (first, count) = piece;
            let mut there = first.clock;
            // What another has brought back is there.
            for (was, len) in writer.missing(piece) {
                if there < was.clock {
                    between.left = Some(first.plus(was.clock - 1 - first.clock));
                }
                there = was.clock + len;
                let from = behind + was.clock - first.clock;
                let text = match len == span.1 {
                    true => Some(text),
                    false => crate::slate::value::utf16::slice(text, from, from + len),
                };
                let (Some(text), Some((seq, index))) = (text, writer.place_between(was, between)) else { continue };
                let new = writer.insert_text(seq, index, text);
                again.note(writer, (was, len), new);
                between.left = Some(new.plus(len - 1));
                self.format_again(writer, (new, len), (seq, index), formats);
            }
            if there < first.clock + count {
                between.left = Some(first.plus(count - 1));
            }
            behind += count;
        }
    }

    /// What was written again gets the keys that it had; what it has besides is seen to when all is done.
    fn format_again(&mut self, writer: &mut Writer, span: Span, (seq, index): (Nid, u32), formats: &Formats) {
        let has = writer.mirror.formats_at(seq, index + span.1);
        if has == *formats {
            return;
        }
        let is_same = |key: &Arc<str>, value: &Any, other: &Formats| other.get(&**key) == Some(value);
        let missing = formats.iter().filter(|(key, value)| !is_same(key, value, &has));
        let missing: Vec<(Arc<str>, Any)> = missing.map(|(key, value)| (key.clone(), value.clone())).collect();
        let besides = has.keys().filter(|key| !formats.contains_key(&***key)).cloned().collect();
        // Keys of one's own nobody else clears.
        match missing.iter().all(|(key, _)| parse_key(key).client == writer.client()) {
            true => writer.format_new(seq, index, span.1, &missing),
            false => writer.format_again(seq, index, span.1, &missing),
        }
        self.taken_on.push((span, besides));
    }

    /// From here on these characters have a key because it was set on them.
    fn own(&mut self, (first, len): Span, key: &Arc<str>) {
        for ((other, count), besides) in &mut self.taken_on {
            let is_in = other.client == first.client
                && other.clock < first.clock.saturating_add(len)
                && first.clock < other.clock.saturating_add(*count);
            if is_in {
                besides.retain(|other| other != key);
            }
        }
    }

    /// Newer keys of one's own against those that what was written again should not have. Nothing is ever cleared.
    fn overrule(&mut self, writer: &mut Writer) {
        for (span, besides) in std::mem::take(&mut self.taken_on) {
            let Some((seq, _)) = writer.place_of(span.0) else { continue };
            for (index, len) in writer.find(seq, span) {
                let has = writer.mirror.formats_at(seq, index + len);
                let mut want = (*has).clone();
                besides.iter().for_each(|key| drop(want.remove(key)));
                let newer = self.newer(writer, &has, &want);
                writer.format_new(seq, index, len, &newer);
            }
        }
    }

    /// What to set so that what has these formats shows what it would show with those.
    fn newer(&self, writer: &Writer, has: &Attrs, want: &Attrs) -> Vec<(Arc<str>, Any)> {
        let (now, aim) = (resolve(has), resolve(want));
        let none = || Any::Array(Vec::new().into());
        let own = |name: &KeyName| key_name(name, self.time, writer.client());
        let mut set = Vec::new();
        let names = now.marks.keys().chain(aim.marks.keys().filter(|name| !now.marks.contains_key(&***name)));
        for name in names.filter(|name| now.marks.get(&***name) != aim.marks.get(&***name)) {
            let value = aim.marks.get(&**name).cloned().unwrap_or_else(none);
            set.push((own(&KeyName::Mark(name.clone())), value));
        }
        for around in now.around.iter().filter(|around| !aim.around.iter().any(|other| other.key == around.key)) {
            let same = aim.around.iter().find(|other| other.kind == around.kind);
            let value = same.and_then(|same| want.get(&*same.key)).cloned().unwrap_or_else(none);
            set.push((own(&KeyName::Around(around.kind.clone())), value));
        }
        set
    }

    fn unmake(&mut self, writer: &mut Writer, id: Id, kind: Kind, made: Id) {
        let Some(node) = writer.mirror.find(id) else { return };
        match kind {
            Kind::Break => writer.set_attribute(node, "@off", Any::Bool(true)),
            Kind::Strand => {
                let mut gone = vec![Any::Null];
                // What it holds is not its own.
                if self.wrappers.contains(&made) || writer.mirror.node(node).registers.open {
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
            Some(before) => writer.set_attribute(node, name, before),
            None => writer.remove_attribute(node, name),
        }
    }
}

/// The same neighbours, under the ids that they have now.
fn now(again: &Again, between: Beside) -> Beside {
    let latest = |id: Option<Id>| id.map(|id| again.latest(id));
    Beside { left: latest(between.left), right: latest(between.right) }
}

/// Whether the own value still stands; of a place its time does not matter.
fn stands(name: &str, now: Option<&Any>, own: Option<&Any>) -> bool {
    let read = |value: &Any| -> Option<Place> {
        let mut registers = Registers::default();
        registers.set("@at", Some(value));
        registers.at.map(|place| Place { time: 0, ..place })
    };
    match (now, own) {
        (Some(now), Some(own)) if name == "@at" => read(now) == read(own),
        (now, own) => now == own,
    }
}

fn clear(writer: &mut Writer, spans: &[Span], key: &Arc<str>, value: &Any) {
    let sequences: HashSet<Nid> = spans.iter().filter_map(|span| writer.place_of(span.0)).map(|(seq, _)| seq).collect();
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
