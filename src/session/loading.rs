//! The store's answers: what the device has of the document, and what sessions that have died have left there.

use crate::protocol::RejectCode;
use crate::store::{Loaded, Pending, SetAside, Write, same_epoch};

use super::local::Local;
use super::seeding::{SEED, Seeding};
use super::stage::Effect;
use super::translating::Translating;
use super::types::{ErrorCode, Origin};

/// Why an edit was set aside that was made upon another document of this name.
pub(super) const REPLACED: &str = "the server has another document in its place";

/// What loading has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadedCopy {
    /// The copy is in the document. `rewrite`: the store is to be brought up to what is in memory.
    Taken { rewrite: bool },
    /// The copy is of another document: this session keeps nothing on the device.
    Other,
}

/// Puts what the device has into the document. `late`: an editor shows the document already.
pub(super) fn take_loaded(
    mut loaded: Loaded,
    late: bool,
    local: &mut Local,
    seeding: &mut Seeding,
    translating: &mut Translating,
) -> LoadedCopy {
    local.device.guarded |= loaded.guarded;
    translating.shared |= !loaded.elsewhere.is_empty();
    let journal = &mut local.device.journal;
    if late && !same_epoch(loaded.epoch.as_deref(), journal.epoch.as_deref()) {
        // Whoever opens the document next finds it, and is asked what shall become of it.
        journal.turn_off();
        local.report(ErrorCode::Epoch, "the device's copy is of a document that the server has replaced");
        return LoadedCopy::Other;
    }
    let labels = loaded.outbox.iter().find_map(|pending| pending.epoch.clone());
    let epoch = loaded.epoch.take().or(journal.epoch.take()).or(labels);
    for aside in &mut loaded.set_aside {
        // Another tab has taken the server's document since: this is no part of that, and is never submitted.
        if !same_epoch(aside.epoch.as_deref(), epoch.as_deref()) && aside.code != ErrorCode::Epoch.as_str() {
            (aside.code, aside.message) = (ErrorCode::Epoch.as_str().to_owned(), REPLACED.to_owned());
        }
    }
    let mut damaged = loaded.damaged;
    let mut rows = Vec::with_capacity(loaded.log.len());
    let of_epoch = |pending: &&Pending| same_epoch(pending.epoch.as_deref(), epoch.as_deref());
    let own: Vec<&[u8]> = loaded.outbox.iter().filter(of_epoch).map(|pending| &*pending.update).collect();
    let elsewhere: Vec<&[u8]> = loaded.elsewhere.iter().filter(of_epoch).map(|pending| &*pending.update).collect();
    let log: Vec<&[u8]> = loaded.log.iter().map(|(_, update)| &**update).collect();
    let seed = loaded.seed().filter(|_| !late).map(<[u8]>::to_vec);
    let seeded = seed.and_then(|seed| seeding.load(&seed, &log, &own, &elsewhere, local));
    let read = seeded.unwrap_or_else(|| load_copy(&[&*log, &*own, &*elsewhere].concat(), late, local, seeding));
    let pends = !own.is_empty() || !elsewhere.is_empty();
    if pends && !late {
        translating.keep_loaded_base(&log, &local.editing.doc);
    }
    let seeded = seeding.is_undecided() && !late;
    for ((row, update), read) in loaded.log.iter().zip(read) {
        // What does not decode stays in the log, and out of every compaction.
        match read {
            true => rows.push((*row, update.len())),
            false => damaged += 1,
        }
    }
    rows.extend(std::mem::take(&mut loaded.obsolete).into_iter().map(|row| (row, 0)));
    let unlogged = apply_waiting(&loaded.set_aside, late, local);
    if !late {
        local.be_known_to_nobody();
    }
    // A late copy is written anew as a whole.
    local.device.keeping.kept_all(&local.editing.doc);
    let doubtful = local.device.journal.loaded(epoch, rows);
    log_again(&unlogged, local);
    take_over_loaded(loaded, late, seeded, local, seeding, translating);
    if damaged > 0 {
        local.report(ErrorCode::Storage, format!("{damaged} damaged records of the local copy were set aside"));
    }
    LoadedCopy::Taken { rewrite: late || doubtful }
}

/// Takes over what was set aside, and what dead sessions have left. `seeded`: a seed was loaded.
fn take_over_loaded(
    mut loaded: Loaded,
    late: bool,
    seeded: bool,
    local: &mut Local,
    seeding: &mut Seeding,
    translating: &Translating,
) {
    for aside in &loaded.set_aside {
        local.device.note_hole(&aside.code, &aside.update);
    }
    if late {
        // A seed that is not shown here, and what stands upon it, is for whoever opens the document next.
        let other = loaded.set_aside.iter().any(|aside| aside.code == SEED && !seeding.shows(&aside.update));
        if other {
            loaded.outbox.clear();
        }
        loaded.set_aside.retain(|aside| aside.code != SEED);
    }
    translating.forget_translated(&mut loaded.set_aside, local);
    local.device.outbox.take_stored_aside(loaded.set_aside);
    if seeded && !loaded.seeds_elsewhere.is_empty() {
        seeding.keep_shown(local);
    }
    adopt(loaded.outbox, late, local, seeding);
    if seeded {
        seeding.decide_by_log(local);
        local.be_known_to_nobody();
    }
}

/// Puts log and outbox into the document. Returns of each update whether it could be read.
fn load_copy(updates: &[&[u8]], late: bool, local: &mut Local, seeding: &mut Seeding) -> Vec<bool> {
    if !late {
        let (read, foreign) = local.editing.doc.load_all(updates);
        local.loaded(foreign);
        return read;
    }
    // An editor shows the document: it changes by one update.
    let mut copy = local.fresh.doc();
    let (read, _) = copy.load_all(updates);
    let taken = |all: Vec<u8>, local: &mut Local, seeding: &mut Seeding| {
        quietly(late, local, |local| seeding.apply(&all, Origin::Store, false, local)).is_some()
    };
    match copy.encode_state(None).is_ok_and(|all| taken(all, local, seeding)) {
        true => read,
        false => vec![false; updates.len()],
    }
}

/// Edits that were set aside as `read-only` will be submitted once this user may write: they belong into the document,
/// whatever became of the log. Returns those that the log did not have.
fn apply_waiting(asides: &[SetAside], late: bool, local: &mut Local) -> Vec<Vec<u8>> {
    let waiting = asides.iter().filter(|aside| aside.code == RejectCode::ReadOnly.as_str());
    // They are this user's own, and do not decide about a seed.
    let lacks = |update: &&Vec<u8>| {
        let taken = quietly(late, local, |local| local.take_in(update, Origin::Store, false));
        taken.is_some_and(|changed| changed || local.editing.incomplete)
    };
    waiting.map(|aside| &aside.update).filter(lacks).cloned().collect()
}

/// Writes these to the log once more: their rows may be damaged.
fn log_again(unlogged: &[Vec<u8>], local: &mut Local) {
    if !unlogged.is_empty()
        && let Ok(update) = crate::update::merge(unlogged)
    {
        local.device.journal.write(Write::Append { update });
    }
}

/// Puts something of the store's into the document. What cannot be read is not reported one by one: damaged records are
/// counted. Before an editor shows the document, no update is told either.
fn quietly(late: bool, local: &mut Local, put: impl FnOnce(&mut Local) -> Option<bool>) -> Option<bool> {
    let before = local.stage.errors.len();
    let applied = put(local);
    if applied.is_none() {
        local.stage.errors.truncate(before);
    }
    if !late {
        local.stage.updates.clear();
    }
    applied
}

/// Takes over pending updates whose session has died, to submit them. Those that were made upon another document of
/// this name are set aside: the server's document never had what they were made upon. `shown`: an editor shows the
/// document already.
pub(super) fn adopt(pending: Vec<Pending>, shown: bool, local: &mut Local, seeding: &mut Seeding) {
    if pending.is_empty() {
        return;
    }
    let device = &mut local.device;
    if device.journal.epoch.is_none() {
        device.journal.epoch = pending.iter().find_map(|orphan| orphan.epoch.clone());
    }
    let own = device.journal.epoch.as_deref();
    let (pending, strays): (Vec<_>, Vec<_>) =
        pending.into_iter().partition(|orphan| same_epoch(orphan.epoch.as_deref(), own));
    let place = device.place();
    for Pending { key, update, .. } in strays {
        let writes = device.outbox.aside(vec![key], update, place, ErrorCode::Epoch.as_str(), REPLACED);
        device.journal.write_all(writes);
    }
    if shown {
        for orphan in &pending {
            quietly(shown, local, |local| seeding.apply(&orphan.update, Origin::Store, false, local));
        }
    }
    seeding.keep_orphans_beside(&pending, local);
    local.device.outbox.adopt(pending, place);
    if !local.device.holes.is_empty() {
        local.set_dependents_aside();
    }
    local.device.rearrange();
    local.stage.effect(Effect::Pump);
}
