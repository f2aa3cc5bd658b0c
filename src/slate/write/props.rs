//! Properties: an element whose own user changed one gets it itself; any other break that would no longer show what it
//! showed gets it pinned, which is weaker: a pin must not beat somebody's edit.

use std::sync::Arc;

use yrs::Any;

use super::draft::Draft;
use super::work::WorkId;
use crate::slate::value::node::Attrs;
use crate::slate::value::props::is_null;
use crate::slate::view::View;
use crate::slate::ydoc::{Id, Kind, attribute_name};

/// Along a chain one inherits from another: it is looked again until nothing changes.
const MAX_PASSES: usize = 20;

pub(super) fn write_properties(draft: &mut Draft, start: &View) {
    for _ in 0..MAX_PASSES {
        for at in 1..draft.work.nodes.len() {
            write_of(draft, start, at);
        }
        if !draft.see() {
            return;
        }
    }
}

/// A null is as good as none.
fn get<'a>(attrs: &'a Attrs, name: &str) -> Option<&'a Any> {
    attrs.get(name).filter(|value| !is_null(value))
}

fn write_of(draft: &mut Draft, start: &View, at: WorkId) -> Option<()> {
    // What stands for others inherits only until the piece before it is pinned.
    if draft.work.node(at).head.and_then(Id::left_out).is_some() {
        return None;
    }
    let view = draft.view.clone();
    let piece = view.piece(draft.piece(at)?);
    let wanted = draft.work.node(at).props.clone();
    let was = start.find(piece.head).map(|piece| start.piece(piece).props.clone());
    let is_break = draft.mirror().kind(piece.head) == Kind::Break;
    if *wanted == *piece.props && was.as_ref().is_none_or(|was| *was == wanted) {
        return None;
    }
    let own = draft.mirror().node(piece.head).registers.own.clone();
    let is_edited = |name: &str| was.as_ref().is_some_and(|was| get(was, name) != get(&wanted, name));
    let has = |name: &str| own.contains_key(name) && get(&own, name) == get(&wanted, name);
    let all = [Some(&wanted), Some(&piece.props), was.as_ref()];
    let mut names: Vec<Arc<str>> = all.into_iter().flatten().flat_map(|attrs| attrs.keys().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let is_shown = get(&wanted, &name) == get(&piece.props, &name);
        if is_shown && !(is_break && is_edited(&name) && !has(&name)) {
            continue;
        }
        let value = get(&wanted, &name).cloned();
        let attribute = match is_break && !is_edited(&name) && !own.contains_key(&name) {
            true => format!("@={name}").into(),
            false => attribute_name(&name),
        };
        match value {
            None if !is_break => draft.writer.remove_attribute(piece.head, &attribute),
            value => draft.set(piece.head, &attribute, value.unwrap_or(Any::Null)),
        }
    }
    Some(())
}
