//! A store in memory: for tests, for the simulator, and as the model of what a store does.
//!
//! Clones share their content, as tabs share a database. Faults are injected by [`MemoryStore::set_fault`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{
    LEFT_BEHIND, LEFT_BEHIND_WHY, Loaded, Pending, PendingKey, Row, SetAside, Store, StoreError, Write, epoch_of,
    looks, same_epoch,
};

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    inner: Rc<RefCell<Contents>>,
}

#[derive(Debug, Default)]
struct Contents {
    documents: BTreeMap<String, DeviceCopy>,
    last_row: Row,
    fault: Option<StoreError>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct DeviceCopy {
    epoch: Option<String>,
    log: BTreeMap<Row, Labelled>,
    outbox: BTreeMap<PendingKey, Labelled>,
    set_aside: BTreeMap<PendingKey, (String, String, Labelled)>,
}

/// An update and its epoch.
type Labelled = (Option<String>, Vec<u8>);

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every call fails with `fault`; with none, works again.
    pub fn set_fault(&self, fault: Option<StoreError>) {
        self.inner.borrow_mut().fault = fault;
    }

    /// Forgets everything, as when the user clears the site's data.
    pub fn clear(&self) {
        self.inner.borrow_mut().documents.clear();
    }

    /// What is there, faults or not.
    pub fn peek(&self, document: &str) -> Loaded {
        self.inner.borrow().documents.get(document).map(DeviceCopy::loaded).unwrap_or_default()
    }

    /// [`Store::load`] at once.
    pub fn load_now(&self, document: &str) -> Result<Loaded, StoreError> {
        match &self.inner.borrow().fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(self.peek(document)),
        }
    }

    /// [`Store::write`] at once.
    pub fn write_now(&self, document: &str, writes: &[Write]) -> Result<Vec<Row>, StoreError> {
        let mut inner = self.inner.borrow_mut();
        if let Some(fault) = &inner.fault {
            return Err(fault.clone());
        }
        let mut changed = inner.documents.get(document).cloned().unwrap_or_default();
        let epoch = epoch_of(writes);
        let replaced = looks(writes) && !same_epoch(changed.epoch.as_deref(), epoch);
        if replaced && writes.iter().any(Write::replaces) {
            return Err(StoreError::Replaced);
        }
        let mut last_row = inner.last_row;
        let (mut rows, mut moved) = (Vec::new(), Vec::new());
        for write in writes {
            if let Write::Move { from, session } = write {
                let old = inner.documents.get(from).cloned().unwrap_or_default();
                changed.absorb(old, session.as_deref(), &mut last_row);
                moved.push(from);
            }
            changed.apply(write, epoch, &mut last_row);
            if write.appends() {
                rows.push(last_row);
            }
        }
        inner.last_row = last_row;
        for from in moved {
            inner.documents.remove(from);
        }
        if changed == DeviceCopy::default() {
            inner.documents.remove(document);
        } else {
            inner.documents.insert(document.to_owned(), changed);
        }
        if replaced { Err(StoreError::Replaced) } else { Ok(rows) }
    }
}

impl DeviceCopy {
    fn apply(&mut self, write: &Write, epoch: Option<&str>, last_row: &mut Row) {
        let labelled = |update: &[u8]| (epoch.map(str::to_owned), update.to_vec());
        match write {
            Write::InEpoch { .. } | Write::Move { .. } => {}
            Write::Append { update } => self.append(labelled(update), last_row),
            Write::Edit { key, update } => {
                self.outbox.insert(key.clone(), labelled(update));
            }
            Write::Acknowledge { session, seq } => {
                self.outbox.retain(|key, _| key.session != *session || key.seq > *seq);
            }
            Write::Coalesce { from, to, update } => {
                for key in from {
                    self.outbox.remove(key);
                    self.set_aside.remove(key);
                }
                self.outbox.insert(to.clone(), labelled(update));
            }
            Write::SetAside { key, code, message } => {
                if let Some(labelled) = self.outbox.remove(key) {
                    self.set_aside.insert(key.clone(), (code.clone(), message.clone(), labelled));
                }
            }
            Write::Compact { rows, snapshot } => {
                for row in rows {
                    self.log.remove(row);
                }
                self.append(labelled(snapshot), last_row);
            }
            Write::SetEpoch { epoch } => self.epoch = Some(epoch.clone()),
            Write::Reset { epoch, snapshot } => {
                if self.epoch.as_ref() != Some(epoch) {
                    self.log.clear();
                }
                self.epoch = Some(epoch.clone());
                self.append((Some(epoch.clone()), snapshot.clone()), last_row);
            }
            Write::DiscardSetAside => self.set_aside.clear(),
            Write::Delete => *self = Self::default(),
        }
    }

    fn absorb(&mut self, old: Self, session: Option<&str>, last_row: &mut Row) {
        self.epoch = self.epoch.take().or(old.epoch);
        old.log.into_values().for_each(|update| self.append(update, last_row));
        for (key, update) in old.outbox {
            if session == Some(&key.session) {
                self.outbox.insert(key, update);
            } else {
                self.set_aside.insert(key, (LEFT_BEHIND.to_owned(), LEFT_BEHIND_WHY.to_owned(), update));
            }
        }
        self.set_aside.extend(old.set_aside);
    }

    fn append(&mut self, update: Labelled, last_row: &mut Row) {
        *last_row += 1;
        self.log.insert(*last_row, update);
    }

    fn loaded(&self) -> Loaded {
        let own = |epoch: &Option<String>| same_epoch(self.epoch.as_deref(), epoch.as_deref());
        let (log, obsolete): (Vec<_>, Vec<_>) = self.log.iter().partition(|(_, (epoch, _))| own(epoch));
        let set_aside = self.set_aside.iter().map(|(key, (code, message, (epoch, update)))| SetAside {
            key: key.clone(),
            epoch: epoch.clone(),
            code: code.clone(),
            message: message.clone(),
            update: update.clone(),
        });
        let outbox = self.outbox.iter().map(|(key, (epoch, update))| Pending {
            key: key.clone(),
            epoch: epoch.clone(),
            update: update.clone(),
        });
        Loaded {
            epoch: self.epoch.clone(),
            log: log.into_iter().map(|(row, (_, update))| (*row, update.clone())).collect(),
            obsolete: obsolete.into_iter().map(|(row, _)| *row).collect(),
            outbox: outbox.collect(),
            elsewhere: Vec::new(),
            set_aside: set_aside.collect(),
            seeds_elsewhere: Vec::new(),
            damaged: 0,
            guarded: false,
        }
    }
}

impl Store for MemoryStore {
    async fn load(&self, document: &str) -> Result<Loaded, StoreError> {
        self.load_now(document)
    }

    async fn write(&self, document: &str, writes: &[Write]) -> Result<Vec<Row>, StoreError> {
        self.write_now(document, writes)
    }

    async fn documents(&self) -> Result<Vec<String>, StoreError> {
        let inner = self.inner.borrow();
        if let Some(fault) = &inner.fault {
            return Err(fault.clone());
        }
        Ok(inner.documents.keys().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance;

    #[test]
    fn conforms() {
        let databases: RefCell<BTreeMap<String, MemoryStore>> = RefCell::default();
        pollster::block_on(conformance::all(async |name: &str| {
            databases.borrow_mut().entry(name.to_owned()).or_default().clone()
        }));
    }

    /// Two tabs open the document in one moment, and both read what a dead one left: one of them submits it.
    #[test]
    fn what_was_taken_over_since_is_elsewhere() {
        let store = MemoryStore::new();
        let key = |session: &str, seq| PendingKey { session: session.into(), seq };
        let edit = |key, update| Write::Edit { key, update };
        store.write_now("d", &[edit(key("a", 7), vec![7]), edit(key("dead", 1), vec![1])]).unwrap();
        let mut late = store.load_now("d").unwrap();
        assert_eq!(late.sessions(), ["a", "dead"]);
        let taken = Write::Coalesce { from: vec![key("dead", 1)], to: key("first", 1), update: vec![1] };
        store.write_now("d", &[taken, edit(key("dead", 2), vec![2])]).unwrap();
        let now = store.load_now("d").unwrap().outbox;
        late.leave_taken("dead", &now);
        let of = |pending: &[Pending]| pending.iter().map(|it| it.update.clone()).collect::<Vec<_>>();
        assert_eq!((of(&late.outbox), of(&late.elsewhere)), (vec![vec![7]], vec![vec![1]]));
        assert_eq!(late.sessions(), ["a"]);
    }

    /// F18: a fault is an error, changes nothing, and goes away.
    #[test]
    fn f18_a_fault_changes_nothing() {
        let store = MemoryStore::new();
        let append = [Write::Append { update: vec![1] }];
        store.write_now("d", &append).unwrap();
        store.set_fault(Some(StoreError::Full));
        assert_eq!(store.write_now("d", &append), Err(StoreError::Full));
        assert_eq!(store.load_now("d"), Err(StoreError::Full));
        store.set_fault(None);
        assert_eq!(store.load_now("d").unwrap().log.len(), 1);
    }
}
