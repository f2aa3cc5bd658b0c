//! Importing another backend's table, from SQLite and from a real PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use common::postgres::Postgres;
use common::{Client, TestServer};
use slate_yrs::protocol::Message;
use slate_yrs_server::config::SourceArgs;
use slate_yrs_server::import::{Imported, import_table};
use slate_yrs_server::storage::Storage;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions, Executor};

const SCENE: &str = "0b0e8a6c-5a5f-4b3c-9d6e-111111111111";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// (document, minute, bytes): not in the order they are to be taken in.
fn rows() -> Vec<(&'static str, u32, Vec<u8>)> {
    let mut writer = Client::scratch(7);
    let typed: Vec<_> = ["INT. ", "KITCHEN", " - DAY"]
        .iter()
        .map(|words| {
            let end = writer.read().len() as u32;
            writer.edit(end, words)
        })
        .collect();
    let mut other = Client::scratch(8);
    let state = other.edit(0, "another scene");
    vec![
        (SCENE, 3, Message::Update(&typed[2]).to_frame()),
        ("0b0e8a6c-5a5f-4b3c-9d6e-222222222222", 1, state),
        (SCENE, 1, typed[0].clone()),
        (SCENE, 2, b"not an update at all".to_vec()),
        (SCENE, 2, Message::SyncStep2(&typed[1]).to_frame()),
        // Stored twice by a backend that stores whatever it receives.
        (SCENE, 4, typed[0].clone()),
    ]
}

async fn fill(url: &str, statements: &[String]) {
    sqlx::any::install_default_drivers();
    let mut connection: AnyConnection = url.parse::<AnyConnectOptions>().unwrap().connect().await.unwrap();
    for statement in statements {
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone()))).await.unwrap();
    }
}

fn source(from: &str, table: &str) -> SourceArgs {
    SourceArgs {
        from: from.into(),
        table: table.into(),
        id_column: None,
        update_column: None,
        time_column: "created_at".into(),
        prefix: "old-".into(),
    }
}

/// Imports, and again; then reads what is there.
async fn imports(source: &SourceArgs) {
    let server = TestServer::start().await;
    let storage: Arc<dyn Storage> = server.storage.clone();
    let report = import_table(&storage, source).await.unwrap();
    assert_eq!(report, Imported { documents: 2, imported: 4, unchanged: 1, quarantined: 1 });
    let document = format!("old-{SCENE}");
    let log = storage.get_updates_since(&document, 0, 100).await.unwrap();
    assert_eq!(log.len(), 4);
    let bad: Vec<_> = log.iter().filter(|row| row.quarantined.is_some()).collect();
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].bytes, b"not an update at all");
    let minutes: Vec<_> = log.iter().map(|row| (row.at - 1_767_268_800_000) / 60_000).collect();
    assert_eq!(minutes, [1, 2, 2, 3], "the times are those of the rows");
    let again = import_table(&storage, source).await.unwrap();
    assert_eq!(again, Imported { documents: 2, imported: 0, unchanged: 6, quarantined: 0 });
    assert_eq!(storage.get_updates_since(&document, 0, 100).await.unwrap().len(), 4);
    let mut reader = server.plain(&document, 1).await;
    reader.sync().await;
    assert_eq!(reader.read(), "INT. KITCHEN - DAY");
    let mut reader = server.plain("old-0b0e8a6c-5a5f-4b3c-9d6e-222222222222", 1).await;
    reader.sync().await;
    assert_eq!(reader.read(), "another scene");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.sqlite");
    let mut statements = vec![
        "CREATE TABLE script_versions (id INTEGER PRIMARY KEY, script_id TEXT, \"update\" BLOB, created_at TIMESTAMP)"
            .to_owned(),
    ];
    for (id, minute, bytes) in rows() {
        let bytes = hex(&bytes);
        statements.push(format!(
            "INSERT INTO script_versions (script_id, \"update\", created_at) \
             VALUES ('{id}', x'{bytes}', '2026-01-01 12:0{minute}:00.000000')"
        ));
    }
    fill(&format!("sqlite://{}?mode=rwc", path.display()), &statements).await;
    imports(&source(&format!("sqlite:{}", path.display()), "script_versions")).await;
    let server = TestServer::start().await;
    let storage: Arc<dyn Storage> = server.storage.clone();
    for (from, table) in [
        ("sqlite:/nowhere/old.sqlite".to_owned(), "scene_versions"),
        (format!("sqlite:{}", path.display()), "scene_versions"),
        (format!("sqlite:{}", path.display()), "x; DROP TABLE script_versions"),
        ("mysql://host/db".to_owned(), "scene_versions"),
    ] {
        assert!(import_table(&storage, &source(&from, table)).await.is_err(), "{from} {table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_postgresql() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.url("old");
    let mut statements = vec![
        "CREATE TABLE scene_versions (version_id UUID DEFAULT gen_random_uuid(), scene_id UUID, yjs_update BYTEA, \
         created_at TIMESTAMPTZ)"
            .to_owned(),
        "INSERT INTO scene_versions (scene_id, yjs_update, created_at) VALUES (gen_random_uuid(), NULL, now())".into(),
    ];
    for (id, minute, bytes) in rows() {
        let bytes = hex(&bytes);
        statements.push(format!(
            "INSERT INTO scene_versions (scene_id, yjs_update, created_at) \
             VALUES ('{id}', '\\x{bytes}', '2026-01-01 12:0{minute}:00Z')"
        ));
    }
    fill(&url, &statements).await;
    imports(&source(&url, "scene_versions")).await;
}
