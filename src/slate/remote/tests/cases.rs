//! Situations by hand, with the operations that are to come out.

use serde_json::Value;

use super::check::check;
use super::trees::{Reader, apart};
use crate::slate::remote::steps;
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
