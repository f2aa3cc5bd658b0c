//! Situations by hand, with the operations that are to come out.

use serde_json::Value;

use super::check::check;
use super::trees::{Reader, apart};
use crate::slate::steps::steps;
use crate::slate::tests::json;

#[test]
fn situations_give_the_operations_expected() {
    let cases: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/steps.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 52);
    for case in cases {
        let mut reader = Reader::default();
        let (old, new) = (reader.element(&case["old"]), reader.element(&case["new"]));
        assert_eq!(check(&old, &new), json::ops(&case["ops"]), "{}", case["name"]);
        // Nothing is the same by its pointer.
        assert_eq!(steps(&old, &apart(&new)), steps(&old, &new), "{}", case["name"]);
        check(&new, &old);
    }
}

/// Trees and operations of another implementation, a line each: `{ old, new, ops }`.
#[test]
#[ignore = "needs a file, named by SLATE_STEPS"]
fn operations_are_those_of_a_file() {
    let file = std::fs::read_to_string(std::env::var("SLATE_STEPS").unwrap()).unwrap();
    let (mut count, mut differ, mut total, mut longer) = (0, 0, 0usize, 0i64);
    for line in file.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if case.get("old").is_none() {
            continue;
        }
        let mut reader = Reader::default();
        let (old, new) = (reader.element(&case["old"]), reader.element(&case["new"]));
        let (ops, expected) = (check(&old, &new), json::ops(&case["ops"]));
        count += 1;
        total += ops.len();
        if ops != expected {
            differ += 1;
            longer += ops.len() as i64 - expected.len() as i64;
            if differ <= 3 {
                println!("differs: {}\n{ops:#?}\nexpected {expected:#?}", case["start"]);
            }
        }
    }
    println!("{count} transitions, {total} operations, {differ} differ, {longer} more operations");
    assert!(count > 0);
    assert_eq!(differ, 0);
}
