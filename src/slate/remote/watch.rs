//! Records what a remote transaction does to elements, position by position.
//!
//! Without a record, a change of "aa" to "aaa" has no place. Recording costs a subscription for each element, so only
//! those are watched in which a caret may stand or that were seen to change; for the others a comparison does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use yrs::{BranchID, ID, Observable, XmlTextRef};

use super::steps::{Step, from_delta};
use crate::slate::tree::branch_id;

#[derive(Debug, Default)]
struct Log {
    /// Local transactions are not recorded: the tree knows them.
    active: bool,
    records: HashMap<ID, Vec<Step>>,
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
                log.records.insert(id, from_delta(event.delta(txn)));
            }
        });
    }

    pub fn start(&self) {
        let mut log = self.0.borrow_mut();
        log.active = true;
        log.records.clear();
    }

    pub fn stop(&self) -> HashMap<ID, Vec<Step>> {
        let mut log = self.0.borrow_mut();
        log.active = false;
        std::mem::take(&mut log.records)
    }
}
