//! Remote updates, and what one's own engine has to add to them.
//!
//! A peer who edits without knowing of what is typed here may take it along, leave it behind, bring back what is deleted,
//! or copy what is copied here as well. Whoever typed, deleted or copied it can tell, and mends it: with plain edits in
//! updates of one's own, so that everybody has the same.

use yrs::updates::decoder::Decode;
use yrs::{Assoc, ClientID, IdSet, Transact, Update};

use super::by_reference::BY_REFERENCE;
use super::load::refused;
use super::{LocalChange, RemoteChange, SlateDoc};
use crate::slate::amend::amend;
use crate::slate::astray;
use crate::slate::copies::{self, Key};
use crate::slate::error::UpdateError;
use crate::slate::op::{Op, Point, Range};
use crate::slate::remote::Remote;
use crate::slate::rescue::{self, GonePlace, Refuge, Restored};
use crate::slate::sticky::Sticky;
use crate::slate::tree::{NodeId, ROOT};
use crate::update::{Limits, deletions};

/// Anchor and focus: behind which character of one's own, and before which.
type CaretInOwn = [(Option<Sticky>, Sticky); 2];

impl SlateDoc {
    /// Applies an update from elsewhere. Bytes already known change nothing; an update that depends on missing ones is
    /// kept and takes effect when they come.
    pub fn apply_update(&mut self, update: &[u8]) -> Result<RemoteChange, UpdateError> {
        self.apply_update_at(update, &|_| None)
    }

    /// The same where somebody is typing. `caret`: where the selection is, asked for if it matters.
    pub fn apply_update_at(
        &mut self,
        update: &[u8],
        caret: &dyn Fn(&Self) -> Option<Range>,
    ) -> Result<RemoteChange, UpdateError> {
        if self.reference.is_some() {
            return self.receive_by_reference(update, caret, true);
        }
        if self.tree.children(ROOT).is_empty() && self.erased.is_empty() {
            return self.receive_first(update, true);
        }
        let deletions = deletions(update).map_err(|error| refused(&error))?;
        self.tree.recycle();
        // Without a deletion nothing is copied, and nothing is there to be mended.
        let caret = if deletions.is_empty() { None } else { caret(self).and_then(|at| self.typed(&at)) };
        let mut orphans = self.orphans(&deletions);
        if !self.restyled.is_empty() && copies::are_in(update) {
            self.restyled.forget_changed(&mut self.doc.transact_mut(), &self.tree);
        }
        self.watch.start();
        let integrated = self.integrate(update, Limits::RECEIVED);
        let records = self.watch.stop();
        let (integrated, changed) = integrated?;
        if !self.is_writable() || self.format == BY_REFERENCE {
            return Ok(self.show_anew(changed));
        }
        self.witnessed.add(&integrated.deleted);
        // It may have to wait.
        orphans.retain(|one| integrated.deleted.contains(&one.key));
        let news = self.copies.take_news();
        let theirs: Vec<Key> = news.iter().filter(|key| !self.is_own(key.client())).copied().collect();
        orphans.retain_mut(|one| one.forget_known(&self.copies, &theirs));
        let txn = self.doc.transact();
        let remote = Remote::new(&mut self.tree, &self.copies, &txn);
        let outcome = remote.run(&integrated.branches, records, &orphans);
        drop(txn);
        for &id in &outcome.touched {
            self.looks.changed(id);
            self.watch(id);
        }
        let (resynced, foreign) = (outcome.resynced, outcome.foreign);
        let mut ops = outcome.ops;
        let mut own = Vec::new();
        if !theirs.is_empty() {
            self.bring_back(&theirs, &mut ops, &mut own);
        }
        if !orphans.is_empty() {
            self.rescue(orphans, |id| outcome.places.get(&id).copied(), &mut ops, &mut own);
        }
        if !news.is_empty() {
            self.remove_excess(&theirs, &mut ops, &mut own);
            self.restyle(&theirs, &mut ops, &mut own);
        }
        let selection = caret.filter(|_| !own.is_empty()).and_then(|caret| self.follow(&caret));
        let rescued = self.in_one(own);
        Ok(RemoteChange { ops, changed, pending: self.is_waiting(), rescued, selection, resynced, foreign })
    }

    /// [`SlateDoc::apply_update`] while there is no editor: what fills an empty document comes without its operations.
    pub fn apply_unheard(&mut self, update: &[u8]) -> Result<RemoteChange, UpdateError> {
        if self.reference.is_some() {
            return self.receive_by_reference(update, &|_| None, false);
        }
        match self.tree.children(ROOT) {
            [] if self.erased.is_empty() => self.receive_first(update, false),
            _ => self.apply_update(update),
        }
    }

    /// After an update to a document that must not be written: nothing is mended.
    #[cold]
    fn show_anew(&mut self, changed: bool) -> RemoteChange {
        // The tree is still that of before.
        let before = self.value();
        let foreign = self.rebuild();
        let ops = Self::diff(&before, &self.value());
        RemoteChange { ops, changed, pending: self.is_waiting(), foreign, ..RemoteChange::default() }
    }

    /// What the ends of a selection stand behind, where that was written here, and what they stand before.
    fn typed(&self, range: &Range) -> Option<CaretInOwn> {
        let own = self.own();
        let end = |point: &Point| {
            let behind = self.sticky(point, Assoc::Before)?;
            let is_own = behind.item().is_some_and(|id| own.contains(&id.client));
            Some((is_own.then_some(behind), self.sticky(point, Assoc::After)?))
        };
        Some([end(&range.anchor)?, end(&range.focus)?])
    }

    /// Where a selection is, if what one of its ends stood behind was written again elsewhere.
    fn follow(&self, caret: &CaretInOwn) -> Option<Range> {
        let went = |behind: &Sticky| behind.item().is_some_and(|id| self.copies.copies(id).next().is_some());
        let mut moved = false;
        let mut end = |(behind, before): &(Option<Sticky>, Sticky)| match behind {
            Some(behind) if went(behind) => {
                moved = true;
                self.resolve(behind)
            }
            _ => self.resolve(before),
        };
        let range = Range { anchor: end(&caret[0])?, focus: end(&caret[1])? };
        moved.then_some(range)
    }

    /// What the update would take away of ours without knowing of it.
    fn orphans(&self, deletions: &IdSet) -> Vec<rescue::Orphans> {
        if deletions.is_empty() {
            return Vec::new();
        }
        rescue::find(&self.doc.transact(), &self.tree, &self.own(), deletions)
    }

    /// Brings to its place what was typed here among something that others copied elsewhere. Adds the operations to `ops`
    /// and the updates to `own`. `theirs`: the records of others that have come.
    #[cold]
    #[inline(never)]
    fn bring_back(&mut self, theirs: &[Key], ops: &mut Vec<Op>, own: &mut Vec<Vec<u8>>) {
        let clients = self.own();
        for _ in 0..astray::MAX {
            let found = {
                let is_own = |client| clients.contains(&client);
                let (txn, tree, copies) = (&mut self.doc.transact_mut(), &self.tree, &self.copies);
                astray::StraySearch { txn, tree, copies, is_own }.next(theirs)
            };
            let Some(found) = found else { return };
            let (update, applied) = self.restore(found);
            if applied.is_empty() {
                return;
            }
            ops.extend(applied);
            own.extend(update);
        }
    }

    /// Writes again what an update has taken away of ours, where its surroundings are now. `shown`: where an element's
    /// content went by the look of it.
    #[cold]
    #[inline(never)]
    fn rescue(
        &mut self,
        orphans: Vec<rescue::Orphans>,
        shown: impl Fn(NodeId) -> Option<Refuge>,
        ops: &mut Vec<Op>,
        own: &mut Vec<Vec<u8>>,
    ) {
        let txn = self.doc.transact();
        let (mut placed, mut alone) = (Vec::new(), Vec::new());
        for one in orphans {
            let place = rescue::recorded(&txn, &self.tree, &self.copies, one.key).or_else(|| shown(one.id));
            match place
                .filter(|place| place.is_in(&self.tree))
                .map_or_else(|| one.gap(&txn, &self.tree), GonePlace::Text)
            {
                GonePlace::Text(place) => placed.push((one, place)),
                GonePlace::Blocks(parent, index, depth) => alone.push((one, parent, index, depth)),
            }
        }
        drop(txn);
        let again = rescue::restore(&self.tree, &placed).into_iter().chain(rescue::alone(&self.tree, alone));
        let (update, applied) = self.restore(again);
        ops.extend(applied);
        own.extend(update);
    }

    /// Writes text again, or removes what is written again elsewhere. Also returns what was applied.
    fn restore(&mut self, restored: impl IntoIterator<Item = Restored>) -> (Option<Vec<u8>>, Vec<Op>) {
        let mut applied = Vec::new();
        let update = self.transact(false, false, &mut LocalChange::default(), |edit, _| {
            for one in restored {
                let op = amend(edit.tree, one.op);
                applied.extend(op.filter(|op| edit.restore(op, &one.origins).is_ok()));
            }
        });
        (update, applied)
    }

    /// Removes what two people copied at once, if one of them is us, and what others copied that was deleted here.
    #[cold]
    #[inline(never)]
    fn remove_excess(&mut self, theirs: &[Key], ops: &mut Vec<Op>, updates: &mut Vec<Vec<u8>>) {
        let own = self.own();
        self.twins.extend(self.copies.take_found(), &own);
        let erased = self.erased.copied(&self.copies, theirs, |client| own.contains(&client));
        self.twins.extend_erased(erased);
        let removals = self.twins.remove(&mut self.doc.transact_mut(), &self.tree, &self.copies);
        if !removals.is_empty() {
            let mut applied = Vec::new();
            let change = self.apply(removals, Some(&mut applied), false);
            ops.extend(applied);
            updates.extend(change.update);
        }
    }

    /// Sets in what others copied what was set here in the originals.
    #[cold]
    #[inline(never)]
    fn restyle(&mut self, theirs: &[Key], ops: &mut Vec<Op>, own: &mut Vec<Vec<u8>>) {
        let me = ClientID::new(u64::from(self.options.client_id));
        let lacking = self.restyled.copied(&self.copies, theirs, me);
        if lacking.is_empty() {
            return;
        }
        let mut applied = Vec::new();
        let update = self.transact(false, false, &mut LocalChange::default(), |edit, _| {
            lacking.iter().for_each(|one| edit.restyle(one, &mut applied));
        });
        ops.extend(applied);
        own.extend(update);
    }

    fn is_own(&self, client: ClientID) -> bool {
        client.get() == u64::from(self.options.client_id) || self.inherited.contains(&client)
    }

    /// This client, and those it has taken over.
    fn own(&self) -> Vec<ClientID> {
        let mut own = self.inherited.clone();
        own.push(ClientID::new(u64::from(self.options.client_id)));
        own
    }

    /// What the author of this update wrote counts as written here from now on: the author's session is over, nobody else
    /// has taken it over, and a peer may have merged or moved its blocks meanwhile. An update of several clients was
    /// brought here, not written.
    pub fn inherit(&mut self, update: &[u8]) {
        let Ok(update) = Update::decode_v1(update) else { return };
        self.erased.add(update.delete_set());
        let written = update.insertions(true);
        let mut clients = written.iter().map(|(client, _)| *client);
        if let (Some(client), None) = (clients.next(), clients.next())
            && !self.inherited.contains(&client)
        {
            self.inherited.push(client);
        }
    }
}
