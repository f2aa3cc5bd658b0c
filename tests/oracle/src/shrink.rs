//! A smaller case with the same fault.

use std::collections::BTreeSet;

use crate::faults::Kind;
use crate::plan::Plan;
use crate::run::{Ran, run};

/// Leaves out step after step, for as long as there is a fault of that kind.
pub fn shrink(plan: &Plan, kind: Kind) -> (Plan, Ran) {
    let has = |ran: &Ran| ran.faults.iter().any(|fault| fault.kind == kind);
    let (mut least, mut ran) = (plan.clone(), run(plan));
    loop {
        let steps: BTreeSet<_> = ran.steps.iter().copied().collect();
        let smaller = steps.into_iter().filter(|step| !least.without.contains(step)).find_map(|step| {
            let mut fewer = least.clone();
            fewer.without.insert(step);
            let ran = run(&fewer);
            has(&ran).then_some((fewer, ran))
        });
        match smaller {
            Some(found) => (least, ran) = found,
            None => return (least, ran),
        }
    }
}

/// For people.
pub fn report(plan: &Plan, ran: &Ran) -> String {
    let mut lines = vec![plan.describe()];
    lines.extend(ran.log.iter().map(|line| format!("    {line}")));
    lines.extend(ran.faults.iter().map(|fault| format!("  {fault}")));
    lines.join("\n")
}
