//! Values beside the text: set like an edit, and told of whatever has changed them.
//!
//! For each map that is followed, the values that were told are kept: so no change is missed when the document is read
//! anew, or another takes its place.

use yrs::Any;

use crate::slate::{ValueChange, differences};

use super::editing::Editing;
use super::stage::Stage;
use super::types::{Origin, Output};

impl Editing {
    /// Returns the update, if there is anything to set.
    pub fn set_value(&mut self, map: String, key: String, value: Option<Any>, undoable: bool) -> Option<Vec<u8>> {
        let change = ValueChange { before: self.doc.value_of(&map, &key), map, key, after: value };
        let update = self.doc.set_values(std::slice::from_ref(&change))?;
        if undoable {
            self.undo.record_values(vec![change], self.doc.is_by_reference());
        }
        Some(update)
    }

    pub fn follow_map(&mut self, map: String, stage: &mut Stage) {
        self.doc.follow_map(&map);
        let values = self.doc.values(&map);
        let keys = values.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        stage.values.push(Output::Values { origin: Origin::Store, map: map.clone(), keys, whole: true });
        self.followed.0.insert(map, values);
    }

    /// Tells what one input has changed in maps that somebody follows.
    pub fn tell_values(&mut self, stage: &mut Stage) {
        let touched = self.doc.take_touched();
        let last = stage.updates.iter().rev().find_map(|output| match output {
            Output::Update { origin, .. } => Some(*origin),
            _ => None,
        });
        let origin = last.unwrap_or(Origin::Store);
        for (map, told) in self.followed.0.iter_mut().filter(|(map, _)| touched.has(map)) {
            // It may be another document than before.
            self.doc.follow_map(map);
            let now = self.doc.values(map);
            let changes = differences(map, told, &now);
            if !changes.is_empty() {
                let keys = changes.into_iter().map(|change| (change.key, change.after)).collect();
                stage.values.push(Output::Values { origin, map: map.clone(), keys, whole: false });
                *told = now;
            }
        }
    }
}
