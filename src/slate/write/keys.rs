//! The keys that a flush gives to marks and elements around text.

use std::collections::HashMap;
use std::sync::Arc;

use litemap::LiteMap;
use yrs::Any;

use super::draft::{Attributes, Draft};
use super::work::{Work, WorkId, WorkKid};
use crate::slate::value::node::Attrs;
use crate::slate::ydoc::{Formats, KeyName, key_name, parse_key, resolve};

#[derive(Debug, Default)]
pub(super) struct Keys {
    marks: HashMap<KeyName, Arc<str>>,
    elements: HashMap<WorkId, Arc<str>>,
}

/// What something shall show. `marks`: `None` leaves them as they are.
pub(super) struct Showing<'a> {
    pub marks: Option<&'a Attrs>,
    pub around: &'a [WorkId],
}

impl Keys {
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.elements.is_empty()
    }

    fn mark(&mut self, time: u64, client: u64, name: KeyName) -> Arc<str> {
        self.marks.entry(name).or_insert_with_key(|name| key_name(name, time, client)).clone()
    }

    /// A key of its own for an element around text.
    pub fn give(&mut self, draft: &mut Draft, at: WorkId) {
        let Some(kind) = draft.work.kind(at) else { return };
        let client = draft.writer.client();
        let time = &mut draft.time;
        let key = self.elements.entry(at).or_insert_with(|| {
            let key = key_name(&KeyName::Around(kind), *time, client);
            *time += 1;
            key
        });
        draft.work.nodes[at].key = Some(key.clone());
    }

    /// As [`Keys::give`], although it has got one already.
    pub fn give_anew(&mut self, draft: &mut Draft, at: WorkId) {
        self.elements.remove(&at);
        self.give(draft, at);
    }

    /// What to write so that these formats come to show what is wanted: keys of this flush alone. Nothing is ever cleared:
    /// in Yjs that would cut another's range.
    pub fn changes(&mut self, draft: &Draft, formats: &Formats, want: &Showing) -> Attributes {
        let is_plain = formats.is_empty() && want.around.is_empty();
        if is_plain && want.marks.is_none_or(Attrs::is_empty) {
            return Vec::new();
        }
        let (time, client) = (draft.time, draft.writer.client());
        let has = resolve(formats);
        let none = || Any::Array(Arc::from([]));
        let mut change: LiteMap<Arc<str>, Any> = LiteMap::new();
        if let Some(marks) = want.marks {
            let differs = |name: &Arc<str>| marks.get(name) != has.marks.get(name);
            let names = marks.keys().chain(has.marks.keys().filter(|name| !marks.contains_key(*name)));
            for name in names.filter(|name| differs(name)) {
                let key = self.mark(time, client, KeyName::Mark(name.clone()));
                change.insert(key, marks.get(name).cloned().unwrap_or_else(none));
            }
        }
        let key_of = |at: &WorkId| draft.work.node(*at).key.clone();
        for around in &has.around {
            let is_new = |at: &WorkId| draft.work.kind(*at).as_ref() == Some(&around.kind);
            let is_wanted = want.around.iter().any(|at| key_of(at).as_ref() == Some(&around.key));
            // One of the same name that is younger says what is shown.
            let is_beaten = want.around.iter().any(|at| is_new(at) && key_of(at).as_ref() != Some(&around.key));
            if !is_wanted && !is_beaten {
                change.insert(self.mark(time, client, KeyName::Around(around.kind.clone())), none());
            }
        }
        for at in want.around {
            let Some(key) = key_of(at) else { continue };
            if !has.around.iter().any(|around| around.key == key) {
                change.insert(key, properties(&draft.work, *at));
            }
        }
        change.into_iter().collect()
    }
}

/// Whether these formats show what is wanted.
pub(super) fn is_shown(work: &Work, formats: &Formats, want: &Showing) -> bool {
    if formats.is_empty() {
        return want.around.is_empty() && want.marks.is_none_or(Attrs::is_empty);
    }
    let has = resolve(formats);
    let key_of = |at: &WorkId| work.node(*at).key.as_ref();
    want.marks.is_none_or(|marks| *marks == has.marks)
        && has.around.len() == want.around.len()
        && has.around.iter().all(|around| want.around.iter().any(|at| key_of(at) == Some(&around.key)))
}

/// What stands under the key of an element around text.
fn properties(work: &Work, at: WorkId) -> Any {
    let own = work.node(at).props.iter().filter(|(name, _)| &***name != "type");
    let own: HashMap<String, Any> = own.map(|(name, value)| (name.to_string(), value.clone())).collect();
    Any::Map(Arc::new(own))
}

/// Elements around text: older ones stand outside. What is new, was changed, or was split off beside its like gets a key.
pub(super) fn give_keys(draft: &mut Draft, keys: &mut Keys, at: WorkId) {
    Giver { draft, keys, last: None }.visit(at, 0);
}

struct Giver<'g, 'f, 'w, 'd> {
    draft: &'g mut Draft<'f, 'w, 'd>,
    keys: &'g mut Keys,
    /// The key of what stands right before.
    last: Option<Arc<str>>,
}

impl Giver<'_, '_, '_, '_> {
    fn visit(&mut self, at: WorkId, least: u64) {
        let kid_of = |kid: &WorkKid| match kid {
            WorkKid::Node(kid) => Some(*kid),
            WorkKid::Leaf(leaf) if leaf.runs.is_empty() => None,
            // Stands for text.
            WorkKid::Leaf(_) => Some(WorkId::MAX),
        };
        let kids: Vec<WorkId> = self.draft.work.node(at).kids.iter().filter_map(kid_of).collect();
        for kid in kids {
            if kid == WorkId::MAX {
                self.last = None;
            } else if self.draft.work.is_around(kid) {
                let node = self.draft.work.node(kid);
                let age = |key: &Option<Arc<str>>| key.as_ref().map_or(0, |key| parse_key(key).time);
                if node.key.is_none() || node.changed || self.last == node.key || age(&node.key) < least {
                    self.keys.give(self.draft, kid);
                }
                let key = self.draft.work.node(kid).key.clone();
                let age = age(&key);
                self.visit(kid, age);
                self.last = key;
            } else {
                self.last = None;
                self.visit(kid, 0);
                self.last = None;
            }
        }
    }
}
