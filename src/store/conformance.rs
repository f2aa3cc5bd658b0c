//! What every store must do, as tests that run on any: in memory natively, over IndexedDB in the browser.
//!
//! Each takes `open`, which opens the database of the given name: the same content each time it is opened again.

use super::{CopyName, LEFT_BEHIND, PendingKey, Row, Store, StoreError, Write, load_copy};

/// Runs them all, each in databases of its own.
pub async fn all<S: Store>(open: impl AsyncFn(&str) -> S) {
    an_unknown_document_is_empty(&open).await;
    the_log_keeps_its_order(&open).await;
    what_is_written_survives_reopening(&open).await;
    documents_are_apart(&open).await;
    f15_only_what_was_acknowledged_leaves_the_outbox(&open).await;
    coalescing_replaces_exactly_what_it_names(&open).await;
    f16_what_is_set_aside_is_kept(&open).await;
    f19_compaction_deletes_exactly_its_rows(&open).await;
    f6_a_replaced_copy_takes_no_writes_of_the_old(&open).await;
    f17_a_transaction_is_all_or_nothing(&open).await;
    a_moved_copy_is_whole_and_found(&open).await;
    deletion_leaves_nothing(&open).await;
    large_and_odd_content(&open).await;
}

const DOC: &str = "scene/1 ü";

fn key(session: &str, seq: u64) -> PendingKey {
    PendingKey { session: session.into(), seq }
}

fn append(byte: u8) -> Write {
    Write::Append { update: vec![byte] }
}

fn edit(byte: u8, session: &str, seq: u64) -> Write {
    Write::Edit { key: key(session, seq), update: vec![byte] }
}

fn acknowledge(session: &str, seq: u64) -> Write {
    Write::Acknowledge { session: session.into(), seq }
}

async fn write<S: Store>(store: &S, writes: &[Write]) -> Vec<Row> {
    store.write(DOC, writes).await.expect("the store works")
}

async fn log<S: Store>(store: &S) -> Vec<Vec<u8>> {
    let loaded = store.load(DOC).await.expect("the store works");
    assert!(loaded.log.is_sorted_by(|a, b| a.0 < b.0), "rows in order");
    loaded.log.into_iter().map(|(_, update)| update).collect()
}

async fn outbox<S: Store>(store: &S) -> Vec<(String, u64, Vec<u8>)> {
    let loaded = store.load(DOC).await.expect("the store works");
    assert!(loaded.outbox.is_sorted_by(|a, b| a.key < b.key), "keys in order");
    loaded.outbox.into_iter().map(|pending| (pending.key.session, pending.key.seq, pending.update)).collect()
}

pub async fn an_unknown_document_is_empty<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-unknown").await;
    assert_eq!(store.load(DOC).await, Ok(super::Loaded::default()));
    assert_eq!(store.documents().await, Ok(vec![]));
}

pub async fn the_log_keeps_its_order<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-order").await;
    let mut rows = Vec::new();
    for batch in 0..20u8 {
        let writes: Vec<_> = (0..13).map(|i| append(batch.wrapping_mul(13).wrapping_add(i))).collect();
        rows.extend(write(&store, &writes).await);
    }
    assert!(rows.is_sorted_by(|a, b| a < b), "later rows have higher numbers: {rows:?}");
    assert!(rows[0] >= 1);
    assert_eq!(log(&store).await, (0..=255).chain(0..4).map(|byte: u8| vec![byte]).collect::<Vec<_>>());
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!(loaded.log.iter().map(|(row, _)| *row).collect::<Vec<_>>(), rows);
}

pub async fn what_is_written_survives_reopening<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-reopen").await;
    write(&store, &[Write::SetEpoch { epoch: "e".into() }, edit(1, "s", 1), edit(2, "s", 2)]).await;
    let set_aside = Write::SetAside { key: key("s", 1), code: "invalid".into(), message: "why".into() };
    let last = write(&store, &[set_aside, append(3)]).await;
    let before = store.load(DOC).await;
    drop(store);
    let store = open("conformance-reopen").await;
    let after = store.load(DOC).await;
    assert_eq!(before, after);
    assert_eq!(after.expect("the store works").epoch.as_deref(), Some("e"));
    assert!(write(&store, &[append(4)]).await > last, "row numbers go on");
}

pub async fn documents_are_apart<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-apart").await;
    for name in ["a", "b", "a/b", ""] {
        let writes = [edit(name.len() as u8, "s", 1)];
        store.write(name, &writes).await.expect("the store works");
    }
    store.write("a", &[append(7), acknowledge("s", 1)]).await.expect("the store works");
    store.write("b", &[Write::Delete]).await.expect("the store works");
    let mut documents = store.documents().await.expect("the store works");
    documents.sort();
    assert_eq!(documents, ["", "a", "a/b"]);
    let loaded = store.load("a/b").await.expect("the store works");
    assert_eq!((loaded.log.len(), loaded.outbox[0].update.as_slice()), (0, &[3u8][..]));
}

pub async fn f15_only_what_was_acknowledged_leaves_the_outbox<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-acknowledge").await;
    write(&store, &[edit(1, "s", 1), edit(2, "s", 2), edit(3, "s", 3), edit(4, "t", 1), edit(5, "r", 9)]).await;
    write(&store, &[acknowledge("s", 2), acknowledge("unknown", 99)]).await;
    let left = vec![("r".into(), 9, vec![5]), ("s".into(), 3, vec![3]), ("t".into(), 1, vec![4])];
    assert_eq!(outbox(&store).await, left);
    write(&store, &[acknowledge("s", 2), acknowledge("s", 0)]).await;
    assert_eq!(outbox(&store).await, left, "again: nothing more");
    assert_eq!(log(&store).await, Vec::<Vec<u8>>::new(), "an edit is written once");
    write(&store, &[acknowledge("s", 3), append(3)]).await;
    assert_eq!((outbox(&store).await.len(), log(&store).await), (2, vec![vec![3]]));
}

pub async fn coalescing_replaces_exactly_what_it_names<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-coalesce").await;
    write(&store, &[edit(1, "s", 1), edit(2, "s", 2), edit(3, "s", 3), edit(4, "s", 10), edit(5, "old", 1)]).await;
    let merged = Write::Coalesce { from: vec![key("s", 2), key("s", 3)], to: key("s", 2), update: vec![2, 3] };
    let adopted = Write::Coalesce { from: vec![key("old", 1), key("old", 2)], to: key("s", 11), update: vec![5] };
    write(&store, &[merged, adopted]).await;
    let expected = vec![
        ("s".to_owned(), 1, vec![1]),
        ("s".to_owned(), 2, vec![2, 3]),
        ("s".to_owned(), 10, vec![4]),
        ("s".to_owned(), 11, vec![5]),
    ];
    assert_eq!(outbox(&store).await, expected);
    let put = Write::Coalesce { from: vec![], to: key("s", 2), update: vec![9] };
    write(&store, &[put]).await;
    assert_eq!(outbox(&store).await[1], ("s".to_owned(), 2, vec![9]), "an existing key is overwritten");
}

pub async fn f16_what_is_set_aside_is_kept<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-set-aside").await;
    let aside = |seq| Write::SetAside { key: key("s", seq), code: "too-large".into(), message: "1 MiB".into() };
    write(&store, &[edit(1, "s", 1), edit(2, "s", 2), aside(1), aside(7)]).await;
    write(&store, &[acknowledge("s", 2)]).await;
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!(loaded.outbox, []);
    assert_eq!(loaded.set_aside.len(), 1);
    let kept = &loaded.set_aside[0];
    assert_eq!((&kept.key, kept.update.as_slice()), (&key("s", 1), &[1u8][..]));
    assert_eq!((kept.code.as_str(), kept.message.as_str()), ("too-large", "1 MiB"));
    write(&store, &[edit(3, "s", 3), aside(3)]).await;
    write(&store, &[Write::Coalesce { from: vec![key("s", 1)], to: key("s", 4), update: vec![1] }]).await;
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!((loaded.set_aside.len(), loaded.outbox.len()), (1, 1), "taken back into the outbox");
    write(&store, &[Write::DiscardSetAside]).await;
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!((loaded.set_aside.len(), loaded.outbox.len()), (0, 1));
}

pub async fn f19_compaction_deletes_exactly_its_rows<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-compact").await;
    let other_tab = open("conformance-compact").await;
    let mut known = write(&store, &[append(1), append(2)]).await;
    let unknown = write(&other_tab, &[append(3)]).await;
    known.extend(write(&store, &[edit(4, "s", 1), append(4)]).await);
    let compact = Write::Compact { rows: known.clone(), snapshot: vec![1, 2, 4] };
    let snapshot = write(&store, std::slice::from_ref(&compact)).await;
    assert!(snapshot > unknown);
    assert_eq!(log(&store).await, vec![vec![3], vec![1, 2, 4]]);
    assert_eq!(outbox(&store).await.len(), 1, "the outbox is no matter of compaction");
    write(&other_tab, &[compact]).await;
    assert_eq!(log(&store).await, vec![vec![3], vec![1, 2, 4], vec![1, 2, 4]], "twice is not fewer");
}

pub async fn f6_a_replaced_copy_takes_no_writes_of_the_old<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-epoch").await;
    let other_tab = open("conformance-epoch").await;
    let in_epoch = |epoch: &str| Write::InEpoch { epoch: epoch.into() };
    write(&store, &[in_epoch("one"), edit(1, "s", 1)]).await;
    write(&store, &[Write::SetEpoch { epoch: "one".into() }, in_epoch("one"), append(1), append(2)]).await;
    write(&other_tab, &[in_epoch("one"), Write::Reset { epoch: "two".into(), snapshot: vec![9] }]).await;
    let late = [in_epoch("one"), append(3), edit(4, "s", 2)];
    assert_eq!(store.write(DOC, &late).await, Err(StoreError::Replaced));
    let compact = Write::Compact { rows: vec![1, 2, 3, 4], snapshot: vec![8] };
    assert_eq!(store.write(DOC, &[in_epoch("one"), compact]).await, Err(StoreError::Replaced));
    let set = Write::SetEpoch { epoch: "one".into() };
    assert_eq!(store.write(DOC, &[in_epoch("one"), set]).await, Err(StoreError::Replaced));
    assert_eq!(store.write(DOC, &[in_epoch("one")]).await, Err(StoreError::Replaced), "writing nothing looks");
    let edits = [in_epoch("one"), edit(4, "s", 3)];
    assert_eq!(store.write(DOC, &edits).await, Ok(vec![]), "edits alone do not look");
    write(&store, &[in_epoch("two")]).await;
    write(&store, &[in_epoch("two"), append(5), edit(6, "t", 1)]).await;
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!(loaded.epoch.as_deref(), Some("two"));
    assert_eq!(log(&store).await, vec![vec![9], vec![5]]);
    // Whatever is pending is there to be submitted in its epoch, or to be set aside in another.
    for (update, epoch) in [(1, "one"), (6, "two")] {
        let found = loaded.outbox.iter().find(|pending| pending.update == [update]);
        assert_eq!(found.and_then(|pending| pending.epoch.as_deref()), Some(epoch), "of {update}");
    }
    assert!(loaded.outbox.iter().all(|pending| pending.update != [4] || pending.epoch.as_deref() == Some("one")));
    write(&store, &[in_epoch("two"), Write::Compact { rows: loaded.obsolete, snapshot: vec![7] }]).await;
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!((loaded.log.len(), loaded.obsolete), (3, vec![]));
    write(&other_tab, &[Write::Reset { epoch: "two".into(), snapshot: vec![10] }]).await;
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!(loaded.log.len(), 4, "a tab that comes later to the same epoch takes nothing away");
}

pub async fn f17_a_transaction_is_all_or_nothing<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-atomic").await;
    write(&store, &[Write::SetEpoch { epoch: "one".into() }, append(1), edit(1, "s", 1)]).await;
    let before = store.load(DOC).await;
    let writes = [
        append(2),
        edit(3, "s", 2),
        acknowledge("s", 1),
        Write::Compact { rows: vec![1], snapshot: vec![7] },
        Write::InEpoch { epoch: "other".into() },
    ];
    assert_eq!(store.write(DOC, &writes).await, Err(StoreError::Replaced));
    assert_eq!(store.load(DOC).await, before);
    assert_eq!(write(&store, &[]).await, Vec::<Row>::new());
}

/// What moves is out of reach of who asks for the old name, and nothing of it is lost; what comes there later is taken over.
pub async fn a_moved_copy_is_whole_and_found<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-move").await;
    let aside = Write::SetAside { key: key("s", 2), code: "invalid".into(), message: "why".into() };
    let rows = write(&store, &[Write::SetEpoch { epoch: "one".into() }, append(1), append(2)]).await;
    write(&store, &[edit(3, "s", 1), edit(4, "s", 2), edit(5, "t", 1), aside]).await;
    store.write("other", &[append(9)]).await.expect("the store works");
    let mut name = CopyName::new(DOC);
    let first = load_copy(&store, &mut name, true).await.expect("the store works");
    assert!(!name.is_guarded() && !first.guarded && first.log.len() == 2);
    // With what else belongs to the transaction.
    let moving = [Write::Move { from: DOC.into(), session: Some("s".into()) }, append(6)];
    name.follow(&moving);
    assert!(name.is_guarded() && CopyName::document_of(name.as_str()) == DOC);
    store.write(name.as_str(), &moving).await.expect("the store works");
    assert_eq!(store.load(DOC).await, Ok(super::Loaded::default()));
    let mut again = CopyName::new(DOC);
    let loaded = load_copy(&store, &mut again, true).await.expect("the store works");
    assert_eq!((again, loaded.guarded, loaded.epoch.as_deref()), (name.clone(), true, Some("one")));
    assert_eq!(loaded.log.iter().map(|(_, update)| update[0]).collect::<Vec<_>>(), [1, 2, 6]);
    // Whoever compacts under the old name must not hit rows that have moved.
    assert!(loaded.log.iter().all(|(row, _)| !rows.contains(row)));
    let pending: Vec<_> = loaded.outbox.iter().map(|it| (&*it.key.session, it.key.seq, it.update[0])).collect();
    assert_eq!(pending, [("s", 1, 3)]);
    let asides: Vec<_> = loaded.set_aside.iter().map(|it| (&*it.code, it.update[0])).collect();
    assert_eq!(asides, [("invalid", 4), (LEFT_BEHIND, 5)]);
    // A tab of an older version goes on.
    write(&store, &[append(7), edit(8, "old", 1)]).await;
    let mut name = CopyName::new(DOC);
    let left = load_copy(&store, &mut name, false).await.expect("the store works");
    assert_eq!((left.log.len(), left.set_aside.len(), log(&store).await.len()), (3, 2, 1));
    let loaded = load_copy(&store, &mut name, true).await.expect("the store works");
    assert_eq!((loaded.log.len(), loaded.set_aside.len(), loaded.outbox.len()), (4, 3, 1));
    assert_eq!(store.load(DOC).await, Ok(super::Loaded::default()));
    assert_eq!(store.load("other").await.map(|other| other.log.len()), Ok(1));
}

pub async fn deletion_leaves_nothing<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-delete").await;
    let aside = Write::SetAside { key: key("s", 1), code: "c".into(), message: String::new() };
    write(&store, &[Write::SetEpoch { epoch: "e".into() }, edit(1, "s", 1), edit(2, "s", 2), aside]).await;
    let rows = write(&store, &[Write::Delete]).await;
    assert_eq!(rows, Vec::<Row>::new());
    assert_eq!(store.load(DOC).await, Ok(super::Loaded::default()));
    assert_eq!(store.documents().await, Ok(vec![]));
    write(&store, &[append(3)]).await;
    assert_eq!(log(&store).await, vec![vec![3]]);
}

pub async fn large_and_odd_content<S: Store>(open: impl AsyncFn(&str) -> S) {
    let store = open("conformance-large").await;
    let large: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    let far = key("s", (1 << 53) - 1);
    let empty = Write::Append { update: vec![] };
    write(&store, &[Write::Append { update: large.clone() }, append(0), empty]).await;
    write(&store, &[Write::Edit { key: far.clone(), update: large.clone() }]).await;
    write(&store, &[Write::Edit { key: key("\u{10ffff}'\"", 1), update: vec![] }]).await;
    let loaded = store.load(DOC).await.expect("the store works");
    assert_eq!(loaded.log.iter().map(|(_, update)| update.len()).collect::<Vec<_>>(), [3_000_000, 1, 0]);
    assert_eq!(loaded.outbox[0].key, far);
    assert_eq!(loaded.outbox[0].update, large);
    assert_eq!(loaded.outbox[1].key.session, "\u{10ffff}'\"");
}
