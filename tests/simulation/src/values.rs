//! What people set beside the text: a key that all set and delete in turn, and keys that are set once.

use slate_yrs::session::Input;
use yrs::Any;

use crate::plan::Acts;
use crate::world::World;

/// The map.
pub const MAP: &str = "shared";
/// The key that all set.
const ALL: &str = "all";

impl World {
    /// Some one sets or deletes a value, which the session tells at once.
    pub fn set_value(&mut self, tab: usize) {
        let letters = format!("{:08x}", self.rng.u32(..));
        let word = format!("<{letters}>");
        let value = (self.rng.u8(..4) > 0).then(|| Any::from(word.clone()));
        let (key, value) = if self.rng.bool() { (ALL.to_owned(), value) } else { (word.clone(), Some(Any::from(1))) };
        if key != ALL {
            // Where nobody erases it is there in the end, like a word.
            self.tabs[tab].typing.push(letters);
        }
        let undoable = self.plan.acts == Acts::Undo;
        self.tabs[tab].sets = true;
        self.feed(tab, Input::SetValue { map: MAP.into(), key: key.clone(), value: value.clone(), undoable });
        self.tabs[tab].sets = false;
        if self.tabs[tab].session.is_some() {
            assert_eq!(self.tabs[tab].map.get(&key), value.as_ref(), "t{tab}: what is set is not seen at once");
        }
    }

    pub fn heard_values(&mut self, tab: usize, keys: Vec<(String, Option<Any>)>, whole: bool) {
        let map = &mut self.tabs[tab].map;
        if whole {
            map.clear();
        }
        for (key, value) in keys {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
    }

    /// What was told is what there is.
    pub fn check_values(&self, tab: usize) {
        if let Some(session) = self.tabs[tab].session.as_ref().filter(|_| self.plan.values) {
            let (told, there) = (&self.tabs[tab].map, session.values(MAP));
            assert!(*told == there, "t{tab} was told {told:?}, there is {there:?}");
        }
    }

    /// The keys that are words, as text.
    pub fn keys(&self, tab: usize) -> String {
        let values = self.tabs[tab].session.as_ref().map(|session| session.values(MAP)).unwrap_or_default();
        values.into_keys().filter(|key| key != ALL).collect()
    }
}
