//! [`SlateDoc`]'s values beside the text.

use yrs::{Any, Map as _, Out, ReadTxn, Transact as _};

use super::SlateDoc;
use crate::format::{COMMENTS_ROOT, OWN_ROOTS};
use crate::slate::ydoc::values::{
    TouchedMaps, ValueChange, Values, branch_of, differences, json, set_values, values_of,
};

impl SlateDoc {
    /// What a map has. Empty if there is no such map.
    pub fn values(&self, map: &str) -> Values {
        values_of(&self.doc.transact(), map)
    }

    pub fn value_of(&self, map: &str, key: &str) -> Option<Any> {
        let txn = self.doc.transact();
        txn.get_map(map)?.get(&txn, key).and_then(json)
    }

    /// The maps that have values, by name: those of applications, and the comments.
    pub fn maps(&self) -> Vec<String> {
        let txn = self.doc.transact();
        let text = &self.options.root;
        let shared = |name: &str| name != text && (name == COMMENTS_ROOT || !name.starts_with(OWN_ROOTS));
        let has_values = |name: &str, root: &Out| {
            // A root that others use for a sequence is theirs.
            branch_of(root).is_some_and(|root| root.len() == 0)
                && txn.get_map(name).is_some_and(|map| map.iter(&txn).any(|(_, value)| json(value).is_some()))
        };
        let found = txn.root_refs().filter(|(name, root)| shared(name) && has_values(name, root));
        let mut names: Vec<String> = found.map(|(name, _)| name.to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// What makes the values of this document those of another, in all maps or those that are like this.
    pub fn values_to(&self, other: &Self, is_meant: impl Fn(&str) -> bool) -> Vec<ValueChange> {
        let mut names = self.maps();
        names.extend(other.maps());
        names.retain(|name| is_meant(name));
        names.sort_unstable();
        names.dedup();
        names.into_iter().flat_map(|map| differences(&map, &self.values(&map), &other.values(&map))).collect()
    }

    /// Sets what each of these says, in one transaction: the update, none if all of it was so already.
    pub fn set_values(&mut self, changes: &[ValueChange]) -> Option<Vec<u8>> {
        let mut txn = self.doc.transact_mut();
        set_values(&mut txn, changes);
        txn.commit();
        self.touched.note(&txn, &self.options.root);
        let update = txn.has_changes().then(|| txn.encode_update_v1());
        drop(txn);
        update.iter().for_each(|update| self.intake.wrote(update));
        update
    }

    /// Takes these back, from the last to the first, where what they made still stands. What takes that back again comes with
    /// the update.
    pub fn revert_values(&mut self, changes: &[ValueChange]) -> (Option<Vec<u8>>, Vec<ValueChange>) {
        let mut back = Vec::new();
        for change in changes.iter().rev().cloned() {
            if self.value_of(&change.map, &change.key) == change.after {
                back.push(ValueChange { before: change.after, after: change.before, ..change });
            }
        }
        (self.set_values(&back), back)
    }

    /// From now on [`SlateDoc::take_touched`] knows of this map: yrs tells of no root before it knows its type.
    pub fn follow_map(&self, map: &str) {
        self.doc.get_or_insert_map(map);
    }

    /// Which of the maps that are followed may have changed since this was asked last.
    pub fn take_touched(&mut self) -> TouchedMaps {
        std::mem::take(&mut self.touched)
    }
}

#[cfg(test)]
mod tests {
    use yrs::Doc;

    use super::*;
    use crate::slate::doc::DocOptions;

    fn replica(client_id: u32) -> SlateDoc {
        let schema = Default::default();
        SlateDoc::new(DocOptions { client_id, root: "content".into(), block_id: None, seed: 3, schema })
    }

    fn set(map: &str, key: &str, value: &str) -> ValueChange {
        let after = Some(Any::from_json(value).unwrap());
        ValueChange { map: map.into(), key: key.into(), before: None, after }
    }

    #[test]
    fn a_peer_has_the_values_and_hears_which_map_changed() {
        let (mut ours, mut theirs) = (replica(1), replica(2));
        theirs.take_touched();
        ["title", "colours"].iter().for_each(|map| theirs.follow_map(map));
        let update = ours.set_values(&[set("title", "name", r#"{"a":[1,null,"x"]}"#), set("colours", "1", "\"red\"")]);
        assert!(theirs.apply_update(&update.unwrap()).unwrap().changed);
        let touched = theirs.take_touched();
        assert!(touched.has("title") && touched.has("colours") && !touched.has("content"));
        assert_eq!(theirs.values("title"), ours.values("title"));
        assert_eq!(theirs.value_of("colours", "1"), Some("red".into()));
        assert_eq!(theirs.maps(), ["colours", "title"]);
        // The same once more is no change.
        assert_eq!(ours.set_values(&[set("colours", "1", "\"red\"")]), None);
    }

    /// Of two at once one wins, the same for both; other keys are none of its business.
    #[test]
    fn concurrent_values_converge_key_by_key() {
        let (mut one, mut two) = (replica(1), replica(2));
        let first = [one.set_values(&[set("m", "k", "1"), set("m", "a", "1")]).unwrap()];
        let second = [two.set_values(&[set("m", "k", "2"), set("m", "b", "2")]).unwrap()];
        second.iter().for_each(|update| assert!(one.apply_update(update).is_ok()));
        first.iter().for_each(|update| assert!(two.apply_update(update).is_ok()));
        assert_eq!(one.values("m"), two.values("m"));
        assert_eq!(one.values("m").len(), 3);
    }

    #[test]
    fn only_what_still_stands_is_taken_back() {
        let mut doc = replica(1);
        let before = set("m", "k", "1");
        doc.set_values(std::slice::from_ref(&before));
        let change = ValueChange { before: before.after.clone(), ..set("m", "k", "2") };
        doc.set_values(std::slice::from_ref(&change));
        let (update, back) = doc.revert_values(std::slice::from_ref(&change));
        assert!(update.is_some());
        assert_eq!(doc.value_of("m", "k"), before.after);
        doc.revert_values(&back);
        doc.set_values(&[set("m", "k", "3")]);
        assert_eq!(doc.revert_values(std::slice::from_ref(&change)), (None, vec![]));
    }

    /// What others put into a root of theirs is passed over: bytes, shared types, what is a sequence.
    #[test]
    fn what_is_no_json_is_passed_over() {
        let peer = Doc::with_client_id(7);
        let (map, text) = (peer.get_or_insert_map("m"), peer.get_or_insert_text("notes"));
        let mut txn = peer.transact_mut();
        map.insert(&mut txn, "bytes", Any::Buffer([1, 2].into()));
        map.insert(&mut txn, "shared", yrs::MapPrelim::default());
        map.insert(&mut txn, "nothing", Any::Undefined);
        yrs::Text::insert(&text, &mut txn, 0, "hello");
        let update = txn.encode_update_v1();
        drop(txn);
        let mut doc = replica(1);
        doc.load(&update).unwrap();
        assert_eq!(doc.values("m"), Values::from([("nothing".to_owned(), Any::Null)]));
        assert_eq!(doc.maps(), ["m"]);
    }
}
