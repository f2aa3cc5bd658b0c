//! What every storage must do, as tests generic over [`Storage`]. Each takes an empty storage.

use super::*;

fn request(document: &Document, updates: &[&[u8]]) -> StoreRequest {
    StoreRequest {
        document: document.id.clone(),
        epoch: document.epoch.clone(),
        at: 1_000,
        updates: updates
            .iter()
            .map(|bytes| NewUpdate {
                bytes: bytes.to_vec().into(),
                author: Some("ada".into()),
                submission: None,
                comments: Authors::default(),
            })
            .collect(),
        only_at_tip: None,
        once: Vec::new(),
        database: None,
    }
}

fn submitted(document: &Document, session: &str, seq: u64, bytes: &[u8]) -> StoreRequest {
    let mut request = request(document, &[bytes]);
    request.updates[0].submission =
        Some(Submission { session: session.into(), seq, after_refusal: false, owner: None });
    request
}

async fn store(storage: &dyn Storage, request: StoreRequest) -> Result<Stored, Refusal> {
    storage.store_updates(&[request]).await.expect("works").pop().expect("one result")
}

pub async fn all(storage: &dyn Storage) {
    documents_have_one_epoch(storage).await;
    f20_sequence_is_gapless(storage).await;
    f20_sequence_is_gapless_under_concurrency(storage).await;
    a_refused_request_leaves_the_others_alone(storage).await;
    resends_are_stored_once(storage).await;
    a_refused_submission_is_never_covered(storage).await;
    only_at_tip(storage).await;
    head_and_tail(storage).await;
    quarantine(storage).await;
    f19_merges_replace_exactly_their_rows(storage).await;
    deletion_ends_an_epoch(storage).await;
    large_values(storage).await;
    leases(storage).await;
    named_versions(storage).await;
    done_once(storage).await;
    kicks(storage).await;
    fine_rows_and_old_sessions(storage).await;
}

async fn documents_have_one_epoch(storage: &dyn Storage) {
    let (a, b) = tokio::join!(storage.open_document("one", 1), storage.open_document("one", 2));
    let (a, b) = (a.expect("opens"), b.expect("opens"));
    assert_eq!(a.epoch, b.epoch);
    assert_eq!((a.tip, a.epoch.len()), (0, 32));
    assert_eq!(storage.document("none").await.expect("works"), None);
    storage.open_document("two’s — é", 1).await.expect("opens");
    let ids: Vec<_> = storage.documents("", 10).await.expect("works").into_iter().map(|row| row.id).collect();
    assert_eq!(ids, ["one", "two’s — é"]);
    assert_eq!(storage.documents("one", 10).await.expect("works").len(), 1);
}

async fn f20_sequence_is_gapless(storage: &dyn Storage) {
    let document = storage.open_document("seq", 1).await.expect("opens");
    let updates: Vec<Vec<u8>> = (0..200u8).map(|n| vec![n]).collect();
    let slices: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
    assert_eq!(store(storage, request(&document, &slices)).await, Ok(Stored { first: 1, last: 200 }));
    assert_eq!(storage.store_update("seq", &document.epoch, 2_000, &[7]).await.expect("stored"), 201);
    let rows = storage.get_updates_since("seq", 0, 1_000).await.expect("works");
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (1..=201).collect::<Vec<_>>());
    assert!(rows.iter().zip(&updates).all(|(row, update)| row.bytes == *update && row.first_seq == row.seq));
    assert_eq!(rows[0].authors.to_lines().as_deref(), Some("ada"));
    assert_eq!((rows[200].at, rows[200].authors.to_lines()), (2_000, None));
    for (after, limit, bytes, within) in
        [(0, 10, 100, 10), (0, 10, 5, 5), (0, 10, 0, 1), (199, 10, 100, 2), (201, 10, 9, 0)]
    {
        assert_eq!(storage.rows_within("seq", after, limit, bytes).await.expect("works"), within);
    }
    assert_eq!(storage.get_updates_since("seq", 199, 1).await.expect("works")[0].seq, 200);
    assert_eq!(storage.document("seq").await.expect("works").expect("there").tip, 201);
    let tips = storage.tips(&["seq".into(), "nothing".into()]).await.expect("works");
    let tips: Vec<(&str, Seq)> = tips.iter().map(|document| (document.id.as_str(), document.tip)).collect();
    assert_eq!(tips, [("seq", 201)]);
}

async fn f20_sequence_is_gapless_under_concurrency(storage: &dyn Storage) {
    let a = storage.open_document("race-a", 1).await.expect("opens");
    let b = storage.open_document("race-b", 1).await.expect("opens");
    let writer = |forward: bool| {
        let (a, b) = (a.clone(), b.clone());
        async move {
            for n in 0..20u8 {
                let mut requests = vec![request(&a, &[&[n]]), request(&b, &[&[n], &[n]])];
                if !forward {
                    requests.reverse();
                }
                for result in storage.store_updates(&requests).await.expect("works") {
                    result.expect("stored");
                }
            }
        }
    };
    tokio::join!(writer(true), writer(false), writer(true), writer(false));
    for (document, count) in [("race-a", 80), ("race-b", 160)] {
        let rows = storage.get_updates_since(document, 0, 1_000).await.expect("works");
        assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (1..=count).collect::<Vec<_>>());
    }
}

async fn a_refused_request_leaves_the_others_alone(storage: &dyn Storage) {
    let document = storage.open_document("others", 1).await.expect("opens");
    let stranger = Document { epoch: "another".into(), ..document.clone() };
    let missing = Document { id: "never opened".into(), ..document.clone() };
    let requests = [request(&stranger, &[&[1]]), request(&document, &[&[2]]), request(&missing, &[&[3]])];
    let results = storage.store_updates(&requests).await.expect("works");
    assert_eq!(results, [Err(Refusal::Epoch), Ok(Stored { first: 1, last: 1 }), Err(Refusal::Epoch)]);
}

async fn resends_are_stored_once(storage: &dyn Storage) {
    let document = storage.open_document("resend", 1).await.expect("opens");
    for (seq, first) in [(1, 1), (2, 2), (1, 3), (2, 3), (3, 3)] {
        let stored = store(storage, submitted(&document, "s", seq, &[seq as u8])).await.expect("stored");
        assert_eq!(stored.first, first);
    }
    assert_eq!(storage.get_updates_since("resend", 0, 10).await.expect("works").len(), 3);
    assert_eq!(storage.progress("resend", "s").await.expect("works"), Progress { acked: 3, last: 3 });
    assert_eq!(storage.progress("resend", "t").await.expect("works"), Progress::default());
    // A session is whose it was first.
    for owner in ["ada", "eve"] {
        let mut owned = submitted(&document, "owned", 1, owner.as_bytes());
        owned.updates[0].submission.as_mut().expect("set").owner = Some(owner.into());
        let stored = store(storage, owned).await.expect("stored");
        assert_eq!(stored.first, stored.last);
        let known = storage.session("resend", "owned").await.expect("works");
        assert_eq!((known.progress.last, known.owner.as_deref()), (1, Some("ada")));
    }
    // The same seq of another session is another submission; so are other bytes under a seq that was used.
    assert_eq!(store(storage, submitted(&document, "t", 1, &[1])).await.map(|stored| stored.last), Ok(6));
    assert_eq!(store(storage, submitted(&document, "s", 3, &[99])).await.map(|stored| stored.last), Ok(7));
}

async fn a_refused_submission_is_never_covered(storage: &dyn Storage) {
    let document = storage.open_document("refused", 1).await.expect("opens");
    store(storage, submitted(&document, "s", 1, &[1])).await.expect("stored");
    // 2 was refused.
    let mut third = submitted(&document, "s", 3, &[3]);
    third.updates[0].submission.as_mut().expect("set").after_refusal = true;
    store(storage, third).await.expect("stored");
    assert_eq!(storage.progress("refused", "s").await.expect("works"), Progress { acked: 1, last: 3 });
    // Whoever loads it again must not forget.
    store(storage, submitted(&document, "s", 4, &[4])).await.expect("stored");
    assert_eq!(storage.progress("refused", "s").await.expect("works"), Progress { acked: 1, last: 4 });
}

async fn only_at_tip(storage: &dyn Storage) {
    let document = storage.open_document("seed", 1).await.expect("opens");
    let seed = StoreRequest { only_at_tip: Some(0), ..request(&document, &[&[1]]) };
    assert_eq!(store(storage, seed.clone()).await, Ok(Stored { first: 1, last: 1 }));
    assert_eq!(store(storage, seed).await, Err(Refusal::TipMoved { tip: 1 }));
}

async fn head_and_tail(storage: &dyn Storage) {
    assert_eq!(storage.get_scene_state("nowhere").await.expect("works"), None);
    let document = storage.open_document("head", 1).await.expect("opens");
    store(storage, request(&document, &[&[1], &[2], &[3]])).await.expect("stored");
    storage.put_head("head", &document.epoch, 2, 5, &[12]).await.expect("works");
    // Older, of another epoch, or ahead of the log: ignored.
    storage.put_head("head", &document.epoch, 1, 5, &[0]).await.expect("works");
    storage.put_head("head", "another", 3, 5, &[0]).await.expect("works");
    storage.put_head("head", &document.epoch, 9, 5, &[0]).await.expect("works");
    let state = storage.get_scene_state("head").await.expect("works").expect("there");
    assert_eq!(state.snapshot, Some((2, vec![12])));
    assert_eq!(state.tail.iter().map(|row| row.seq).collect::<Vec<_>>(), [3]);
    assert_eq!(state.document.tip, 3);
    storage.put_head("head", &document.epoch, 3, 5, &[123]).await.expect("works");
    let state = storage.get_scene_state("head").await.expect("works").expect("there");
    assert_eq!((state.snapshot, state.tail.len()), (Some((3, vec![123])), 0));
}

async fn quarantine(storage: &dyn Storage) {
    let document = storage.open_document("bad", 1).await.expect("opens");
    store(storage, request(&document, &[&[1], &[2], &[3]])).await.expect("stored");
    storage.quarantine("bad", 2, "does not decode").await.expect("works");
    let state = storage.get_scene_state("bad").await.expect("works").expect("there");
    assert_eq!((state.tail.len(), state.quarantined), (2, 1));
    let rows = storage.get_updates_since("bad", 0, 10).await.expect("works");
    assert_eq!(rows[1].quarantined.as_deref(), Some("does not decode"));
    assert_eq!(rows[1].bytes, [2]);
}

async fn f19_merges_replace_exactly_their_rows(storage: &dyn Storage) {
    let document = storage.open_document("merge", 1).await.expect("opens");
    store(storage, request(&document, &[&[1], &[2], &[3], &[4]])).await.expect("stored");
    let kept = |seq: Seq, author: Option<&str>, bytes: &[u8]| Authorship {
        first_seq: seq,
        seq,
        author: author.map(str::to_owned),
        first_at: 5,
        last_at: 9,
        inserted: bytes.to_vec(),
        deleted: vec![0],
    };
    let merge = |rows: &[Seq]| Merge {
        rows: rows.to_vec(),
        merged: UpdateRow {
            seq: *rows.last().expect("rows"),
            first_seq: rows[0],
            detail: Detail::Hour,
            authors: Authors(["ada".to_owned(), "bob".to_owned()].into()),
            at: 9,
            bytes: vec![50],
            quarantined: None,
            submitted: false,
        },
        authorship: vec![kept(rows[0], Some("ada"), &[1]), kept(rows[0] + 1, None, &[])],
    };
    // A row that is not there, and one in quarantine: nothing is replaced.
    storage.quarantine("merge", 4, "bad").await.expect("works");
    assert_eq!(storage.compact_updates("merge", &[merge(&[1, 9]), merge(&[3, 4])]).await.expect("works"), [false; 2]);
    assert_eq!(storage.get_updates_since("merge", 0, 10).await.expect("works").len(), 4);
    assert_eq!(storage.authorship("merge").await.expect("works"), [], "it comes with the merge, or not at all");
    assert_eq!(storage.compact_updates("merge", &[merge(&[1, 2])]).await.expect("works"), [true]);
    let rows = storage.get_updates_since("merge", 0, 10).await.expect("works");
    assert_eq!(rows.iter().map(|row| (row.first_seq, row.seq)).collect::<Vec<_>>(), [(1, 2), (3, 3), (4, 4)]);
    assert_eq!((rows[0].detail, rows[0].authors.to_lines().as_deref()), (Detail::Hour, Some("ada\nbob")));
    let authorship = storage.authorship("merge").await.expect("works");
    assert_eq!(authorship, [kept(1, Some("ada"), &[1]), kept(2, None, &[])]);
    assert_eq!(storage.authorship("seq").await.expect("works"), [], "another document's");
    // The sequence goes on.
    assert_eq!(storage.store_update("merge", &document.epoch, 1, &[5]).await.expect("stored"), 5);
    let sent = submitted(&document, "session", 1, &[6]);
    store(storage, sent).await.expect("stored");
    let rows = storage.get_updates_since("merge", 4, 10).await.expect("works");
    assert_eq!(rows.iter().map(|row| row.submitted).collect::<Vec<_>>(), [false, true]);
    // With the document.
    storage.delete_document("merge").await.expect("works");
    storage.open_document("merge", 2).await.expect("opens");
    assert_eq!(storage.authorship("merge").await.expect("works"), []);
}

async fn deletion_ends_an_epoch(storage: &dyn Storage) {
    let document = storage.open_document("gone", 1).await.expect("opens");
    store(storage, submitted(&document, "s", 1, &[1])).await.expect("stored");
    storage.put_head("gone", &document.epoch, 1, 1, &[1]).await.expect("works");
    assert!(storage.delete_document("gone").await.expect("works"));
    assert!(!storage.delete_document("gone").await.expect("works"));
    let again = storage.open_document("gone", 2).await.expect("opens");
    assert_ne!(again.epoch, document.epoch);
    let state = storage.get_scene_state("gone").await.expect("works").expect("there");
    assert_eq!((state.snapshot, state.tail, state.document.tip), (None, vec![], 0));
    assert_eq!(storage.progress("gone", "s").await.expect("works"), Progress::default());
    assert_eq!(store(storage, request(&document, &[&[1]])).await, Err(Refusal::Epoch));
}

async fn large_values(storage: &dyn Storage) {
    let document = storage.open_document("large", 1).await.expect("opens");
    let bytes = vec![0xa5u8; 3 << 20];
    storage.store_update("large", &document.epoch, 1, &bytes).await.expect("stored");
    assert_eq!(storage.get_updates_since("large", 0, 1).await.expect("works")[0].bytes, bytes);
}

async fn leases(storage: &dyn Storage) {
    assert!(storage.take_lease("work", "a", 100, 200).await.expect("works"));
    assert!(!storage.take_lease("work", "b", 150, 250).await.expect("works"));
    assert!(storage.take_lease("work", "a", 150, 300).await.expect("works"));
    assert!(!storage.take_lease("work", "b", 250, 350).await.expect("works"));
    assert!(storage.take_lease("work", "b", 301, 400).await.expect("works"));
    assert!(storage.take_lease("other", "a", 301, 400).await.expect("works"));
}

async fn named_versions(storage: &dyn Storage) {
    let document = storage.open_document("named", 1).await.expect("opens");
    storage.store_update("named", &document.epoch, 1, &[1]).await.expect("stored");
    let version = |id: &str, at| NamedVersion {
        id: id.into(),
        document: "named".into(),
        seq: 1,
        label: "First — draft".into(),
        author: Some("ada".into()),
        at,
        bytes: 2,
    };
    assert!(storage.put_named(&version("v0", 4), &[0], 2).await.expect("works"));
    assert!(storage.put_named(&version("v1", 5), &[1, 2], 2).await.expect("works"));
    assert!(!storage.put_named(&version("v2", 6), &[3, 4], 2).await.expect("works"), "as many as there may be");
    assert!(storage.delete_named("named", "v0").await.expect("works"));
    assert!(!storage.delete_named("named", "v0").await.expect("works"), "it is gone");
    assert!(!storage.delete_named("one", "v1").await.expect("works"), "another document's");
    assert!(storage.put_named(&version("v2", 6), &[3, 4], 2).await.expect("works"));
    storage.put_head("named", &document.epoch, 1, 7, &[9]).await.expect("works");
    assert_eq!(storage.named("named").await.expect("works"), [version("v2", 6), version("v1", 5)]);
    let state = storage.named_state("named", "v1").await.expect("works");
    assert_eq!(state, Some((version("v1", 5), vec![1, 2])));
    // No other document's.
    assert_eq!(storage.named_state("one", "v1").await.expect("works"), None);
    assert_eq!(storage.named("one").await.expect("works"), []);
}

async fn done_once(storage: &dyn Storage) {
    let document = storage.open_document("once", 1).await.expect("works");
    let named = |name: &str, request: &str| OnceName { name: name.into(), request: request.into() };
    let storing =
        |once: &[OnceName], updates: &[&[u8]]| StoreRequest { once: once.to_vec(), ..request(&document, updates) };
    // With an edit, and without one.
    let first = store(storage, storing(&[named("key", "this"), named("take", "that")], &[&[1]])).await;
    assert_eq!(first, Ok(Stored { first: 1, last: 1 }));
    let nothing = store(storage, storing(&[named("nothing", "to do")], &[])).await;
    assert_eq!(nothing, Ok(Stored { first: 2, last: 1 }));
    for (name, request) in [("key", "this"), ("take", "that"), ("nothing", "to do")] {
        let known = storage.session("once", name).await.expect("works");
        assert_eq!((known.progress.last, known.owner.as_deref()), (1, Some(request)));
    }
    // Whoever has one of them second stores nothing, also in the same transaction; others are not in the way.
    let again = storing(&[named("new", "this"), named("take", "other")], &[&[2]]);
    let (one, other) = (storing(&[named("once", "a")], &[&[3]]), storing(&[named("once", "b")], &[&[4]]));
    let results = storage.store_updates(&[again, one, other]).await.expect("works");
    assert_eq!(results, [Err(Refusal::DoneBefore), Ok(Stored { first: 2, last: 2 }), Err(Refusal::DoneBefore)]);
    assert_eq!(storage.session("once", "new").await.expect("works").progress.last, 0);
    let rows = storage.get_updates_since("once", 0, 10).await.expect("works");
    assert_eq!(rows.iter().map(|row| row.bytes.to_vec()).collect::<Vec<_>>(), [vec![1], vec![3]]);
}

async fn kicks(storage: &dyn Storage) {
    assert_eq!(storage.kicks(0).await.expect("works"), []);
    let whom = |user: &str, document: Option<&str>| Kicked { user: user.into(), document: document.map(str::to_owned) };
    // The last one of each user is kept, and of each document they were kicked from.
    let kicked = [
        (whom("ada", None), 10),
        (whom("bob — é", None), 20),
        (whom("ada", Some("pilot")), 21),
        (whom("ada", None), 30),
        (whom("ada", Some("finale")), 31),
        (whom("ada", Some("pilot")), 32),
    ];
    for (whom, at) in &kicked {
        storage.kick(whom, *at).await.expect("works");
    }
    let kept = |numbers: &[usize]| -> Vec<Kick> {
        let kick = |number: &usize| {
            let (whom, at) = kicked[number - 1].clone();
            Kick { number: *number as i64, whom, at }
        };
        numbers.iter().map(kick).collect()
    };
    assert_eq!(storage.kicks(0).await.expect("works"), kept(&[2, 4, 5, 6]));
    assert_eq!(storage.kicks(5).await.expect("works"), kept(&[6]));
    // Several at once get numbers of their own.
    let users: Vec<Kicked> = (0..8).map(|n| whom(&format!("user {n}"), None)).collect();
    let kicks = futures_util::future::join_all(users.iter().map(|whom| storage.kick(whom, 40))).await;
    assert!(kicks.iter().all(Result::is_ok), "{kicks:?}");
    let numbers: Vec<i64> = storage.kicks(6).await.expect("works").iter().map(|kick| kick.number).collect();
    assert_eq!(numbers, (7..15).collect::<Vec<_>>());
}

async fn fine_rows_and_old_sessions(storage: &dyn Storage) {
    let document = storage.open_document("fine", 1).await.expect("opens");
    store(storage, StoreRequest { at: 10, ..submitted(&document, "old", 1, &[1, 1]) }).await.expect("stored");
    store(storage, StoreRequest { at: 20, ..submitted(&document, "new", 1, &[2]) }).await.expect("stored");
    assert_eq!(storage.fine_rows("fine", 5, 0).await.expect("works"), 0);
    assert_eq!(storage.fine_rows("fine", 15, 0).await.expect("works"), 1);
    assert_eq!(storage.fine_rows("fine", 25, 15).await.expect("works"), 2);
    assert_eq!(storage.log_bytes("fine").await.expect("works"), 3);
    assert_eq!(storage.log_bytes("nothing").await.expect("works"), 0);
    assert_eq!(storage.forget_sessions(15).await.expect("works"), 1);
    assert_eq!(storage.progress("fine", "old").await.expect("works").last, 0);
    assert_eq!(storage.progress("fine", "new").await.expect("works").last, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}/data/server.sqlite", folder.path().display());
    let storage = SqlStorage::open(&url, Durability::Full).await.expect("opens");
    all(&storage).await;
    storage.close().await;
    // Everything is there when it is opened again; a damaged row is set aside.
    let storage = SqlStorage::open(&url, Durability::Full).await.expect("opens");
    assert_eq!(storage.document("seq").await.expect("works").expect("there").tip, 201);
}

/// The same on a real PostgreSQL, started for this test. Skipped, loudly, only where there is none.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    let Some(postgres) = crate::testing::Postgres::start() else { return };
    let storage = SqlStorage::open(&postgres.url("conformance"), Durability::Full).await.expect("opens");
    all(&storage).await;
    storage.close().await;
    let storage = SqlStorage::open(&postgres.url("conformance"), Durability::Full).await.expect("opens again");
    assert_eq!(storage.document("seq").await.expect("works").expect("there").tip, 201);
    storage.close().await;
}

#[tokio::test]
async fn a_named_version_that_is_damaged_is_not_passed_off_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}/storage.sqlite", folder.path().display());
    let storage = SqlStorage::open(&url, Durability::Process).await.expect("opens");
    named_versions(&storage).await;
    storage.meddle("UPDATE snapshots SET bytes = X'0102030405' WHERE id = 'v1'").await;
    let state = storage.named_state("named", "v1").await;
    assert!(matches!(state, Err(StorageError::Damaged(_))), "{state:?}");
    assert!(storage.named_state("named", "v2").await.expect("works").is_some());
}

/// SQLite ends such a transaction by itself; what counts transactions must not go on counting it.
#[tokio::test]
async fn f53_a_full_database_leaves_the_next_transaction_a_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}/storage.sqlite", folder.path().display());
    let storage = SqlStorage::open(&url, Durability::Process).await.expect("opens");
    let document = storage.open_document("full", 1).await.expect("opens");
    for seq in 1..4 {
        // Holds for the connection that writes now.
        storage.meddle("PRAGMA max_page_count = 1").await;
        let large = vec![7; 1 << 20];
        let error = storage.store_update("full", &document.epoch, 1, &large).await.expect_err("is full");
        assert_eq!(error.fault(), Fault::Full, "{error}");
        assert_eq!(storage.store_update("full", &document.epoch, 1, &large).await.expect("stored"), seq);
    }
    storage.probe(1).await.expect("writes");
}
