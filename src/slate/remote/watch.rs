//! Records what a remote transaction does to elements, position by position.
//!
//! Without a record, a change of "aa" to "aaa" has no place. Recording costs a subscription for each element, so only
//! those are watched in which a caret may stand or that were seen to change; for the others a comparison does. The root
//! is always watched: to compare it is to read it all.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use yrs::types::Delta;
use yrs::{BranchID, ID, Observable, Out, TextRef, XmlTextRef};

use super::steps::{Step, from_delta};
use crate::slate::tree::branch_id;

/// What happened to one element's content.
#[derive(Debug)]
pub(in crate::slate) struct Record {
    pub steps: Vec<Step>,
    /// What was inserted, in order, if that was nothing but elements.
    pub elements: Option<Vec<XmlTextRef>>,
}

impl Record {
    fn of(delta: &[Delta]) -> Self {
        let mut elements = Some(Vec::new());
        for part in delta {
            match (part, &mut elements) {
                (Delta::Inserted(Out::YXmlText(element), _), Some(list)) => list.push(element.clone()),
                (Delta::Inserted(..), _) => elements = None,
                _ => {}
            }
        }
        Self { steps: from_delta(delta), elements }
    }
}

/// By element; none: the root.
pub(in crate::slate) type Records = HashMap<Option<ID>, Record>;

#[derive(Debug, Default)]
struct Log {
    /// Local transactions are not recorded: the tree knows them.
    active: bool,
    records: Records,
    /// What changed in more than one transaction: what each of them did does not say what all did.
    again: HashSet<Option<ID>>,
}

impl Log {
    fn record(&mut self, element: Option<ID>, record: impl FnOnce() -> Record) {
        if self.again.contains(&element) {
            return;
        }
        if self.records.remove(&element).is_some() {
            self.again.insert(element);
        } else {
            self.records.insert(element, record());
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(in crate::slate) struct Watch(Rc<RefCell<Log>>);

impl Watch {
    /// From now on changes of this shared type are recorded, as long as it lives.
    pub fn subscribe(&self, branch: &XmlTextRef) {
        let BranchID::Nested(id) = branch_id(branch) else { return };
        let log = self.0.clone();
        branch.observe("slate-yrs", move |txn, event| {
            if let Ok(mut log) = log.try_borrow_mut()
                && log.active
            {
                log.record(Some(id), || Record::of(event.delta(txn)));
            }
        });
    }

    /// The same for the root, which is no `Y.XmlText` to yrs, because nobody has said so.
    pub fn subscribe_root(&self, root: &TextRef) {
        let log = self.0.clone();
        root.observe("slate-yrs", move |txn, event| {
            if let Ok(mut log) = log.try_borrow_mut()
                && log.active
            {
                log.record(None, || Record::of(event.delta(txn)));
            }
        });
    }

    pub fn start(&self) {
        let mut log = self.0.borrow_mut();
        log.active = true;
        log.records.clear();
        log.again.clear();
    }

    pub fn stop(&self) -> Records {
        let mut log = self.0.borrow_mut();
        log.active = false;
        std::mem::take(&mut log.records)
    }
}
