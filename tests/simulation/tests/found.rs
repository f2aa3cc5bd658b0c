//! What the simulator once found, each by the steps that showed it.

use slate_yrs_simulation::plan::{Plan, run};

/// In documents of format 0.
fn holds(seed: u64, steps: &[u32]) {
    hold(&Plan { format: 0, ..Plan::of(seed) }, steps);
}

/// In documents of format 1.
fn holds_by_reference(seed: u64, steps: &[u32]) {
    hold(&Plan { format: 1, ..Plan::of(seed) }, steps);
}

fn hold(plan: &Plan, steps: &[u32]) {
    if let Err(failure) = run(plan, steps) {
        panic!("{}", failure.report());
    }
}

/// A device's log of many rows, in some of which a block is garbage: merging them panicked.
#[test]
fn a_block_and_its_garbage_in_one_log() {
    holds(158, &[0, 2, 3, 4, 31, 32, 33, 85, 86]);
}

/// The damaged row was that of a pending edit, which left the outbox once the server had it.
#[test]
fn a_damaged_row_of_what_is_pending() {
    holds(41, &[1, 5, 58, 60, 84]);
}

/// The document replaced while the device was full: what was acknowledged before stayed in the outbox.
#[test]
fn another_epoch_while_the_device_is_full() {
    holds(72, &[0, 1, 10, 23, 41, 42, 43, 44, 49]);
}

/// Two tabs of a device take the server's document: the later one threw away what the first had kept since.
#[test]
fn two_tabs_take_the_servers_document() {
    holds(72, &[0, 33, 35, 38, 41, 94, 95, 97, 98, 99]);
}

/// What was set aside while one might only read turned up when one might write already.
#[test]
fn asides_loaded_after_the_hello() {
    holds(225, &[34, 35, 43, 46, 95, 97]);
}

/// An update with something left out that the replica had: what came after it was taken for what was left out.
#[test]
fn an_update_that_leaves_out_what_is_there() {
    holds(379, &[0, 1, 11, 12, 15, 16, 20, 27, 28, 32, 39, 40, 41, 42, 43, 53, 56, 58, 59, 71, 79, 90, 91, 95]);
}

/// A room that was held for long by someone who had not joined looked all the time whether it could end.
#[test]
fn a_room_held_by_someone_who_has_not_joined() {
    holds(3957, &(0..100).collect::<Vec<u32>>());
}

/// A piece of an update had no content for what was deleted, and only another piece said so, which told the server
/// nothing new: a device that had the content from elsewhere showed it again.
#[test]
fn pieces_that_delete_in_silence() {
    let steps = [
        0, 1, 2, 3, 4, 5, 6, 9, 36, 37, 39, 40, 41, 42, 43, 44, 55, 56, 58, 59, 61, 62, 72, 73, 74, 81, 83, 84, 85, 88,
        90, 91, 92, 95, 96, 98,
    ];
    hold(&Plan { together: true, format: 0, ..Plan::of(1449) }, &steps);
}

/// Two tabs whose stores failed told each other what they had pending: what was set aside as too large held an edit that
/// was pending besides, and took it along.
#[test]
fn what_is_refused_holds_what_is_pending_besides() {
    hold(&Plan { together: true, format: 0, ..Plan::of(1249) }, &[17, 23, 38, 51, 53, 57, 93, 95]);
}

/// What waited for the right to write was taken into another document of the name, once another tab had taken that.
#[test]
fn what_waits_for_the_right_to_write_stays_in_its_epoch() {
    holds(2880, &[6, 8, 12, 15, 16, 71, 72, 97, 98, 99]);
}

/// A burst merged and cut for the server, a part of it refused while the device had not followed yet: the other parts had
/// the keys of what was merged, and were taken out with it.
#[test]
fn a_burst_that_is_refused_on_a_slow_device() {
    holds(7072, &[0, 1, 16, 17, 18, 19, 21, 23, 24, 25, 38, 41, 85]);
}

/// A device that failed to merge: what was written next had the keys of what was to be merged.
#[test]
fn a_merge_that_the_device_has_failed_to_make() {
    holds(7406, &[22, 25, 26, 27, 28, 36, 37, 38, 43, 44, 54, 55, 60, 63, 64]);
}

/// A block that a peer removed, typed in so many pieces that what they are written again as is noted in more than the
/// server takes: it was taken for a loss.
#[test]
fn more_is_written_again_than_the_server_takes() {
    holds(457, &[9, 10, 32, 59, 66, 70]);
}

/// A device's write that was still on its way when all was found to be at rest, and then failed.
#[test]
fn a_write_under_way_is_no_rest() {
    let steps = [
        0, 10, 11, 19, 38, 40, 46, 48, 50, 54, 55, 56, 57, 58, 59, 68, 71, 73, 74, 78, 79, 80, 81, 82, 83, 84, 85, 87,
        88, 89, 90, 91, 93, 95, 96, 97, 98,
    ];
    holds(7349, &steps);
}

/// A tab had withdrawn the seed that another one of the device had typed upon, and did not show that when it was opened again.
#[test]
fn a_seed_that_another_tab_had_typed_upon() {
    holds(960, &[3, 4, 73, 74]);
}

/// What another tab has pending waits for something, and was forgotten with the seed that had been shown.
#[test]
fn what_waits_in_another_tab_beside_a_seed_that_goes() {
    holds(1217, &[3, 4, 5, 7, 36, 37, 38, 60, 61, 62, 70, 98, 99]);
}

/// The device's copy was cleared under a tab: what was typed since is all that the next tab finds, and it was taken for edits
/// of format 0 and forgotten.
#[test]
fn what_was_typed_since_the_copy_was_cleared() {
    holds_by_reference(508, &[50, 51, 52, 53, 55]);
}

/// A tab whose store fails has nothing but what another one could not store either, and forgot it.
#[test]
fn what_another_tab_cannot_store_and_nobody_else_has() {
    holds_by_reference(1316, &[20, 28, 33, 82, 84, 85, 88, 89]);
}

/// The copy loads while the server is asked for all: what another tab was about to send was translated, and there twice.
#[test]
fn a_copy_that_loads_while_the_server_is_asked_for_all() {
    holds_by_reference(906, &[65, 68, 70, 72, 96, 97, 98, 99]);
}

/// The store failed when the page was opened; the document was replaced on the server, and the copy of the old one, under
/// the name of those of format 1, was what the next opening showed.
#[test]
fn a_copy_that_was_never_loaded_is_replaced() {
    holds_by_reference(2106, &[0, 8, 10, 91, 94, 95]);
}

/// The record that all stands upon was damaged, and a tab died while it typed: what it had not sent was divided at what is
/// missing, and what lay behind a gap was given clocks of what was not there.
#[test]
fn what_a_dead_tab_typed_beside_a_damaged_record() {
    holds_by_reference(3559, &[3, 5, 13, 38, 40, 45, 46]);
}

/// What was typed beside deleted letters named as its neighbours two that were none: replicas put it in different places.
#[test]
fn what_is_typed_beside_deleted_letters() {
    hold(&Plan::of(1755), &[1, 2, 3, 4, 8, 10, 16, 20, 21, 39, 41, 47]);
}

/// A write failed while its tab died: what that tab had told another one was on no device.
#[test]
fn a_write_that_fails_as_its_tab_dies() {
    hold(&Plan::of(100_092), &[84, 91, 92]);
}

/// The server had decided against a seed; a page that could not read its device showed it anew, and somebody typed into it.
#[test]
fn what_is_typed_into_a_seed_that_was_decided_against() {
    hold(&Plan::of(100_281), &[40, 42, 43, 50, 54, 55, 56, 57, 58]);
    hold(&Plan::of(726), &(0..100).collect::<Vec<u32>>());
}

/// The record was damaged that says the document's format: what was pending was translated, and a value set again.
#[test]
fn a_value_that_is_set_again() {
    hold(&Plan::of(100_260), &[15, 21, 32, 38, 40, 42]);
    hold(&Plan::of(100_260), &(0..100).collect::<Vec<u32>>());
}
