//! Databases of every earlier schema, with documents as they were stored: all of it is there, and goes on.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::Client;
use common::http::{get, post};
use common::postgres::Postgres;
use common::tokens::hs256;
use serde_json::json;
use slate_yrs::protocol::close;
use slate_yrs_server::admin;
use slate_yrs_server::server::Server;
use slate_yrs_server::storage::{Durability, SqlStorage, Storage};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, Connection, Executor};
use yrs::{Any, Doc, Map, ReadTxn, StateVector, Text, Transact};

const SECRET: &str = "a secret that is long enough for tests";

/// The files that made the schemas, in order.
fn steps(dialect: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    let mut steps: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    steps.sort();
    steps
}

/// Updates of somebody who wrote three words, and an object whose keys the library writes in another order each time; the
/// state after the second.
fn history() -> (Vec<Vec<u8>>, Vec<u8>) {
    let doc = Doc::with_client_id(7);
    let (text, map) = (doc.get_or_insert_text("content"), doc.get_or_insert_map("map"));
    let mut state = Vec::new();
    let updates = ["one ", "two ", "three"].iter().enumerate().map(|(at, word)| {
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, 4 * at as u32, word);
        map.insert(&mut txn, "size", Any::from_json(r#"{"width":1,"height":2,"depth":3,"unit":"m"}"#).unwrap());
        let update = txn.encode_update_v1();
        drop(txn);
        if at == 1 {
            state = doc.transact().encode_state_as_update_v1(&StateVector::default());
        }
        update
    });
    (updates.collect(), state)
}

/// What a server of that schema would have left behind.
async fn stored(url: &str, dialect: &str, schema: usize) {
    sqlx::any::install_default_drivers();
    let some = tempfile::tempdir().unwrap();
    for step in &steps(dialect)[..schema] {
        std::fs::copy(step, some.path().join(step.file_name().unwrap())).unwrap();
    }
    let mut database = AnyConnection::connect(url).await.unwrap();
    Migrator::new(some.path()).await.unwrap().run_direct(None, &mut database, false).await.unwrap();
    let sql = "INSERT INTO documents (id, epoch, tip, created_at, updated_at) VALUES ('scene', 'first', 4, 1, 4)";
    database.execute(sql).await.unwrap();
    let (mut updates, state) = history();
    updates.push(b"nothing that could be read".to_vec());
    for (at, update) in updates.iter().enumerate() {
        let seq = at as i64 + 1;
        let query = sqlx::query(
            "INSERT INTO scene_versions (document, seq, first_seq, detail, session, client_seq, author, at, bytes, \
             checksum, quarantined) VALUES ('scene', $1, $1, 0, 'old', $1, 'ada', $1, $2, $3, $4)",
        );
        let quarantined = (seq == 4).then_some("it does not decode");
        let checksum = i64::from(crc32fast::hash(update));
        database.execute(query.bind(seq).bind(update.clone()).bind(checksum).bind(quarantined)).await.unwrap();
    }
    for (id, kind, label) in [("head", "head", None), ("draft", "named", Some("Draft"))] {
        let query = sqlx::query(
            "INSERT INTO snapshots (id, document, kind, through_seq, label, author, at, bytes, checksum) \
             VALUES ($1, 'scene', $2, 2, $3, 'ada', 2, $4, $5)",
        );
        let checksum = i64::from(crc32fast::hash(&state));
        database.execute(query.bind(id).bind(kind).bind(label).bind(state.clone()).bind(checksum)).await.unwrap();
    }
    let now = slate_yrs_server::clock::now();
    let sql = "INSERT INTO sessions (document, session, acked_seq, last_seq, at) VALUES ('scene', 'old', 3, 3, $1)";
    database.execute(sqlx::query(sql).bind(now)).await.unwrap();
    database.close().await.unwrap();
}

/// The present server on it: everything is there, and everything that is stored since then can be.
async fn goes_on(url: &str, name: &str) {
    let storage: Arc<dyn Storage> = Arc::new(SqlStorage::open(url, Durability::Process).await.unwrap());
    let flags = ["--jwt-secret", SECRET, "--keep-edits-hours", "0"].map(str::to_owned);
    let server = Server::start(common::args(&flags), Arc::clone(&storage)).await.unwrap();
    let now = slate_yrs_server::clock::now() / 1_000;
    let token = hs256(&json!({ "sub": "ada", "exp": now + 60, "iat": now - 5, "documents": "scene" }), SECRET);
    let admin = hs256(&json!({ "exp": now + 60, "admin": true }), SECRET);

    // The session that was there is told how far it is, and belongs from now on to whose token it comes with.
    let query = format!("slate-yrs=1&session=old&token={token}");
    let mut client = Client::connect(server.address, "scene", 8, &query).await;
    client.sync().await;
    assert_eq!(client.read(), "one two three", "{name}");
    let hello = client.hello.clone().unwrap();
    assert_eq!((hello.epoch.as_str(), hello.acked_seq), ("first", 3), "{name}");
    client.write("four ").await;
    client.all_acked().await;
    let session = storage.session("scene", "old").await.unwrap();
    assert_eq!((session.progress.acked, session.owner.as_deref()), (4, Some("ada")), "{name}");

    // Named versions, old and new.
    let versions = format!("/api/scenes/scene/versions/n-draft?format=update&token={token}");
    let mut draft = Client::scratch(9);
    draft.apply(&get(server.address, &versions).await.body);
    assert_eq!(draft.read(), "one two ", "{name}");
    let path = format!("/api/scenes/scene/versions?token={token}");
    assert_eq!(post(server.address, &path, r#"{"label":"Now"}"#).await.status, 201, "{name}");

    storage.probe(now).await.unwrap();
    let path = format!("/api/admin/kick?token={admin}");
    assert_eq!(post(server.address, &path, r#"{"user":"ada"}"#).await.status, 200, "{name}");
    assert_eq!(client.closed().await, close::UNAUTHORIZED, "{name}");
    let compacted = post(server.address, &format!("/api/admin/compact?token={admin}"), "").await;
    assert_eq!(
        (compacted.status, compacted.json()["rowsMerged"].as_u64()),
        (200, Some(4)),
        "{name}: {}",
        compacted.text()
    );
    server.shutdown().await;

    // And once more: a schema is brought up to date once.
    let storage: Arc<dyn Storage> = Arc::new(SqlStorage::open(url, Durability::Process).await.unwrap());
    let mut said = Vec::new();
    let _ = admin::verify(&storage, None, &mut said).await;
    assert_eq!(
        String::from_utf8(said).unwrap(),
        "scene\t1 rows cannot be read\n",
        "{name}: the one in quarantine alone"
    );
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_databases_of_every_schema_open() {
    let count = steps("sqlite").len();
    assert!(count >= 4, "the schemas are not there");
    for schema in 1..=count {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.sqlite");
        stored(&format!("sqlite://{}?mode=rwc", path.display()), "sqlite", schema).await;
        goes_on(&format!("sqlite:{}", path.display()), &format!("schema {schema} on SQLite")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_databases_of_every_schema_open() {
    let Some(postgres) = Postgres::start() else { return };
    assert_eq!(steps("postgres").len(), steps("sqlite").len());
    for schema in 1..=steps("postgres").len() {
        let url = postgres.url(&format!("schema{schema}"));
        stored(&url, "postgres", schema).await;
        goes_on(&url, &format!("schema {schema} on PostgreSQL")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_start_at_once_on_a_new_file_all_open_it() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("new.sqlite").display());
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let url = url.clone();
            starting.spawn(async move { SqlStorage::open(&url, Durability::Process).await.map(drop) });
        }
        for opened in starting.join_all().await {
            opened.unwrap();
        }
    }
}
