//! Updates that are well formed, within every limit, and made to cost more than they should. The large ones run in a
//! process of their own with a limit of memory: a stack that overflows ends that, not the tests.

use std::process::Command;

use super::*;
use crate::protocol::lib0::{buf, var_uint};

/// One update of these sections, without deletions: client, first clock, structs.
fn update(sections: &[(u64, u64, Vec<Vec<u8>>)]) -> Vec<u8> {
    let mut out = Vec::new();
    var_uint(&mut out, sections.len() as u64);
    for (client, clock, structs) in sections {
        [structs.len() as u64, *client, *clock].into_iter().for_each(|number| var_uint(&mut out, number));
        out.extend(structs.concat());
    }
    out.push(0);
    out
}

fn first() -> Vec<u8> {
    [&[4, 1, 7][..], b"content", &[1, b'x']].concat()
}

fn behind(client: u64, clock: u64) -> Vec<u8> {
    let mut out = vec![0x84];
    var_uint(&mut out, client);
    var_uint(&mut out, clock);
    buf(&mut out, b"c");
    out
}

/// The client before the nth in a chain.
fn before(n: u64) -> u64 {
    if n == 0 { 1 } else { 999 + n }
}

/// Each client's character behind that of the next lower client, one small edit each.
fn ascending(n: u64) -> Vec<Vec<u8>> {
    let edits = (0..n).map(|n| update(&[(1_000 + n, 0, vec![behind(before(n), 0)])]));
    std::iter::once(update(&[(1, 0, vec![first()])])).chain(edits).collect()
}

/// The same in one update, the highest first.
fn chain(n: u64) -> Vec<Vec<u8>> {
    let mut sections = vec![(1, 0, vec![first()])];
    sections.extend((0..n).map(|n| (1_000 + n, 0, vec![behind(before(n), 0)])));
    sections.reverse();
    vec![update(&sections)]
}

/// Keystrokes of one client that were never joined.
fn tiny(n: u64) -> Vec<Vec<u8>> {
    let structs = std::iter::once(first()).chain((0..n).map(|n| behind(1, n)));
    vec![update(&[(1, 0, structs.collect())])]
}

/// Updates that wait for something that never comes.
fn pending(n: u64) -> Vec<Vec<u8>> {
    (0..n).map(|n| update(&[(5_000 + n, 5 * (n % 2), vec![behind(3, 9)])])).collect()
}

/// A key that is set by sets that do not know of each other.
fn key(n: u64) -> Vec<Vec<u8>> {
    let set = vec![0x28, 1, 1, b'm', 1, b'k', 1, 125, 1];
    vec![update(&[(1, 0, vec![set; n as usize])])]
}

/// A text in the text (client, clock).
fn inside(client: u64, clock: u64) -> Vec<u8> {
    let mut out = vec![7, 0];
    var_uint(&mut out, client);
    var_uint(&mut out, clock);
    out.push(6);
    out
}

/// Texts in texts.
fn nested(n: u64) -> Vec<u8> {
    let outermost = [&[7, 1, 7][..], b"content", &[6]].concat();
    update(&[(1, 0, std::iter::once(outermost).chain((1..n).map(|n| inside(1, n - 1))).collect())])
}

/// Takes updates one by one, opens the state of that again, and all of them as a log, backwards too. Returns the text.
fn all_ways(updates: &[Vec<u8>]) -> String {
    let (replica, mut intake) = (doc(2), Intake::default());
    replica.get_or_insert_text("content");
    for update in updates {
        take(&mut intake, &replica, update);
    }
    let state = |doc: &Doc, intake: &Intake| {
        let state = doc.transact().encode_state_as_update_v1(&StateVector::default());
        intake.include(state).unwrap()
    };
    let whole = state(&replica, &intake);
    let logs = [vec![whole.clone()], updates.to_vec(), updates.iter().rev().cloned().collect()];
    for log in logs {
        let (other, mut other_intake) = (doc(3), Intake::default());
        let rows = log.iter().map(Vec::as_slice);
        let taken = other_intake.apply_all(&other, rows, Limits::STORED, &mut |_| {});
        assert!(taken.iter().all(Result::is_ok));
        assert!(state(&other, &other_intake) == whole, "another state");
        assert_eq!(other_intake.is_waiting(), intake.is_waiting());
    }
    let txn = replica.transact();
    txn.get_text("content").map(|text| text.get_string(&txn)).unwrap_or_default()
}

/// What a process of its own does. `CASE`: its name.
#[test]
#[ignore = "run by the others, in a process of its own"]
fn alone() {
    let text = match std::env::var("CASE").as_deref() {
        Ok("chain") => all_ways(&chain(24_000)),
        Ok("ascending") => all_ways(&ascending(24_000)),
        Ok("tiny") => all_ways(&tiny(150_000)),
        Ok("pending") => all_ways(&pending(3_000)),
        Ok("stored key") => {
            let (replica, mut intake) = (doc(2), Intake::default());
            intake.apply(&replica, &key(3_000)[0], Limits::STORED, &mut |_| {}).unwrap();
            String::new()
        }
        Ok("state vector") => {
            // Hundreds of millions of clients, says it, and has none.
            assert!(crate::update::state_vector(&[0xff, 0xff, 0xff, 0xff, 0x07]).is_err());
            assert!(crate::update::state_vector(&[2, 1, 1, 2, 2]).is_ok_and(|read| read.len() == 2));
            String::new()
        }
        other => panic!("CASE is {other:?}"),
    };
    println!("{} characters", text.len());
}

#[test]
fn f23_a_state_vector_takes_the_memory_that_it_has_clients_for() {
    run_alone("state vector", 0);
}

fn run_alone(case: &str, characters: usize) {
    let name = "update::intake::tests::hostile::alone";
    let program = std::env::current_exe().unwrap();
    // KiB. Of addresses, which are more than what is used.
    let script = r#"ulimit -v 600000; exec "$0" "$@""#;
    let arguments = [name, "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program).args(arguments).env("CASE", case);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{case}: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(&format!("{characters} characters")), "{case}: {said}");
}

#[test]
fn f23_a_chain_of_clients() {
    assert_eq!(all_ways(&chain(200)).len(), 201);
    run_alone("chain", 24_001);
}

#[test]
fn f23_a_chain_of_clients_edit_by_edit() {
    assert_eq!(all_ways(&ascending(200)).len(), 201);
    run_alone("ascending", 24_001);
}

#[test]
fn f23_keystrokes_that_nobody_joined() {
    assert_eq!(all_ways(&tiny(1_500)).len(), 1_501);
    run_alone("tiny", 150_001);
}

#[test]
fn f23_updates_that_wait_for_ever() {
    assert_eq!(all_ways(&pending(50)), "");
    run_alone("pending", 0);
}

#[test]
fn f23_sets_of_a_key_that_do_not_know_of_each_other() {
    let (replica, mut intake) = (doc(2), Intake::default());
    let refused = intake.apply(&replica, &key(60_000)[0], Limits::NEW, &mut |_| {});
    assert!(matches!(refused, Err(Refused::KeySet(1_000))), "{refused:?}");
    assert!(replica.transact().state_vector().is_empty());
    take(&mut intake, &replica, &key(1_000)[0]);
    let one_more = update(&[(2, 0, vec![vec![0x28, 1, 1, b'm', 1, b'k', 1, 125, 1]])]);
    let refused = intake.apply(&replica, &one_more, Limits::NEW, &mut |_| {});
    assert!(matches!(refused, Err(Refused::KeySet(1_000))), "{refused:?}");
    run_alone("stored key", 0);
}

/// Those who know of the set before them may set a key as often as they like.
#[test]
fn sets_of_a_key_one_after_the_other_are_many() {
    let author = doc(1);
    let map = author.get_or_insert_map("m");
    for n in 0..1_500 {
        yrs::Map::insert(&map, &mut author.transact_mut(), "k", n);
    }
    let state = author.transact().encode_state_as_update_v1(&StateVector::default());
    take(&mut Intake::default(), &doc(2), &state);
}

#[test]
fn f23_types_in_types() {
    let (replica, mut intake) = (doc(2), Intake::default());
    let refused = intake.apply(&replica, &nested(20_000), Limits::STORED, &mut |_| {});
    assert!(matches!(refused, Err(Refused::TooDeep(1_000))), "{refused:?}");
    take(&mut intake, &replica, &nested(1_000));
    let deepest = update(&[(2, 0, vec![inside(1, 999)])]);
    let refused = intake.apply(&replica, &deepest, Limits::STORED, &mut |_| {});
    assert!(matches!(refused, Err(Refused::TooDeep(1_000))), "{refused:?}");
    // What waited for what makes it too deep, is found when that comes.
    let (replica, mut intake) = (doc(2), Intake::default());
    take(&mut intake, &replica, &deepest);
    assert!(intake.is_waiting());
    let refused = intake.apply(&replica, &nested(1_000), Limits::STORED, &mut |_| {});
    assert!(matches!(refused, Err(Refused::TooDeep(1_000))), "{refused:?}");
    assert!(intake.is_waiting());
    // The deepest that is taken can be deleted.
    let (replica, mut intake) = (doc(2), Intake::default());
    take(&mut intake, &replica, &nested(1_000));
    take(&mut intake, &replica, &[0, 1, 1, 1, 0, 1]);
    assert_eq!(replica.get_or_insert_text("content").len(&replica.transact()), 0);
}

/// What is written here lies as deep as it lies.
#[test]
fn what_was_written_here_counts() {
    let (here, mut intake) = (doc(1), Intake::default());
    let deep = nested(900);
    Intake::default().apply(&here, &deep, Limits::STORED, &mut |_| {}).unwrap();
    intake.wrote(&deep);
    let structs = (0..101).map(|n| if n == 0 { inside(1, 899) } else { inside(2, n - 1) });
    let refused = intake.apply(&here, &update(&[(2, 0, structs.collect())]), Limits::STORED, &mut |_| {});
    assert!(matches!(refused, Err(Refused::TooDeep(1_000))), "{refused:?}");
}

#[test]
fn more_than_may_wait_is_refused() {
    let limits = Limits { waiting: 10, ..Limits::NEW };
    let (replica, mut intake) = (doc(2), Intake::default());
    let updates = pending(11);
    for update in &updates[..10] {
        assert!(intake.apply(&replica, update, limits, &mut |_| {}).unwrap());
    }
    let refused = intake.apply(&replica, &updates[10], limits, &mut |_| {});
    assert!(matches!(refused, Err(Refused::Waiting(10))), "{refused:?}");
    take(&mut intake, &replica, &update(&[(1, 0, vec![first()])]));
}

/// Two clients, each of which waits for the other: nothing of it comes to be, and nothing turns.
#[test]
fn circles_wait() {
    let circle = update(&[(1, 0, vec![behind(2, 0)]), (2, 0, vec![behind(1, 0)])]);
    let (replica, mut intake) = (doc(3), Intake::default());
    assert!(take(&mut intake, &replica, &circle));
    assert!(!take(&mut intake, &replica, &circle));
    assert!(intake.is_waiting() && replica.transact().state_vector().is_empty());
    assert!(replica.transact().store().pending_update().is_none());
}

#[test]
fn deletions_wait_for_what_they_delete() {
    let (replica, mut intake) = (doc(3), Intake::default());
    let text = replica.get_or_insert_text("content");
    let delete = [0, 1, 1, 1, 1, 3];
    assert!(take(&mut intake, &replica, &delete));
    assert!(!take(&mut intake, &replica, &delete));
    take(&mut intake, &replica, &update(&[(1, 0, vec![first(), behind(1, 0), behind(1, 1)])]));
    assert_eq!(text.get_string(&replica.transact()), "x");
    assert!(intake.is_waiting());
    take(&mut intake, &replica, &tiny(5)[0]);
    assert_eq!(text.get_string(&replica.transact()), "xcc");
    assert!(!intake.is_waiting());
}

/// What an update leaves out, and the replica has, stays left out.
#[test]
fn a_gap_over_what_is_there() {
    let author = doc(5);
    let text = author.get_or_insert_text("content");
    let mut updates = Vec::new();
    for word in ["a", "bb", "c"] {
        let mut txn = author.transact_mut();
        text.insert(&mut txn, 0, word);
        updates.push(txn.encode_update_v1());
    }
    let gapped = yrs::merge_updates_v1([&updates[0], &updates[2]]).unwrap();
    for order in [[&updates[0], &updates[1], &gapped], [&gapped, &updates[1], &updates[0]]] {
        let (replica, mut intake) = (doc(3), Intake::default());
        for update in order {
            take(&mut intake, &replica, update);
        }
        let text = replica.get_or_insert_text("content");
        assert_eq!(text.get_string(&replica.transact()), "cbba");
        assert!(!intake.is_waiting());
    }
}

/// Two who type in turn, each behind what the other typed last: in one update, neither is looked at only once.
#[test]
fn clients_that_need_each_other_in_turn() {
    let link = |n: u64| behind([1, 2][(n % 2) as usize], n / 2);
    let odd = std::iter::once(first()).chain((0..500).map(|n| link(2 * n + 1)));
    let even = (0..500).map(|n| link(2 * n));
    let whole = update(&[(2, 0, even.collect()), (1, 0, odd.collect())]);
    assert_eq!(all_ways(&[whole]).len(), 1_001);
}
