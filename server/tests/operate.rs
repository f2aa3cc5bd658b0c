//! What operators do: kick, compact, back up, restore, verify, look at metrics. The last ones on the real program.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::http::{get, post, request};
use common::program::Program;
use common::{Client, Msg, TestServer};
use serde_json::{Value, json};
use slate_yrs::protocol::{Message, close};
use slate_yrs_server::storage::Storage;

const SECRET: &str = "a secret that is long enough for tests";

fn now() -> i64 {
    slate_yrs_server::clock::now() / 1_000
}

fn token(mut claims: Value) -> String {
    if claims.get("exp").is_none() {
        claims["exp"] = json!(now() + 60);
    }
    common::tokens::hs256(&claims, SECRET)
}

fn writer(user: &str, issued: i64) -> String {
    token(json!({ "sub": user, "name": "A name", "documents": "scene", "iat": issued }))
}

async fn join(server: &TestServer, id: u64, token: &str) -> Client {
    let mut client =
        Client::connect(server.address, "scene", id, &format!("slate-yrs=1&session=s{id}&token={token}")).await;
    client.sync().await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn f59_who_is_kicked_is_out_and_needs_a_new_token() {
    let server = TestServer::with(&["--jwt-secret", SECRET]).await;
    let (old, other) = (writer("ada", now() - 5), writer("bob", now() - 5));
    let mut ada = join(&server, 1, &old).await;
    let mut bob = join(&server, 2, &other).await;
    let admin = format!("Authorization: Bearer {}\r\n", token(json!({ "admin": true })));
    let kick = async |headers: &str| {
        request(server.address, "POST", "/api/admin/kick", headers, r#"{"user":"ada"}"#).await.status
    };
    assert_eq!(kick("").await, 401);
    assert_eq!(kick(&format!("Authorization: Bearer {old}\r\n")).await, 403, "a writer is no admin");
    assert_eq!(kick(&admin).await, 200);
    assert_eq!(ada.closed().await, close::UNAUTHORIZED);
    let mut again = Client::open(server.address, "scene", 1, &format!("token={old}")).await;
    assert_eq!(again.closed().await, close::UNAUTHORIZED);
    assert_eq!(again.farewell, "the token was taken back");
    assert_eq!(get(server.address, &format!("/api/scenes/scene/export?token={old}")).await.status, 401);
    join(&server, 3, &writer("ada", now())).await;
    bob.write("still here").await;
    bob.all_acked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_kicked_from_a_document_goes_on_in_others() {
    let server = TestServer::with(&["--jwt-secret", SECRET]).await;
    let of_both =
        |user: &str, issued: i64| token(json!({ "sub": user, "documents": ["scene", "other"], "iat": issued }));
    let old = of_both("ada", now() - 5);
    let connect = async |scene: &str, id: u64, token: &str| {
        let query = format!("slate-yrs=1&session={scene}-{id}&formats=0,1&token={token}");
        let mut client = Client::connect(server.address, scene, id, &query).await;
        client.sync().await;
        client
    };
    let mut here = connect("scene", 1, &old).await;
    let mut elsewhere = connect("other", 2, &old).await;
    let mut bob = connect("scene", 3, &of_both("bob", now() - 5)).await;
    let headers = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let kick = async |headers: &str, body: &str| {
        request(server.address, "POST", "/api/scenes/scene/kick", headers, body).await
    };
    let admin = headers(&token(json!({ "admin": true, "documents": ["scene"] })));
    let whom = r#"{"user":"ada"}"#;
    assert_eq!(kick("", whom).await.status, 401);
    assert_eq!(kick(&headers(&old), whom).await.status, 403, "a writer is no admin");
    let elsewhere_only = headers(&token(json!({ "admin": true, "documents": ["other"] })));
    assert_eq!(kick(&elsewhere_only, whom).await.status, 403, "an admin of other documents");
    assert_eq!(kick(&admin, r#"{"user":""}"#).await.json()["error"]["code"], "invalid");
    let kicked = kick(&admin, whom).await;
    assert_eq!((kicked.status, kicked.json()), (200, json!({ "rooms": 1 })));
    assert_eq!(here.closed().await, close::UNAUTHORIZED);
    // The token is no good there any more, and good elsewhere; a new one is good.
    let export = async |scene: &str, token: &str| {
        get(server.address, &format!("/api/scenes/{scene}/export?token={token}")).await.status
    };
    assert_eq!((export("scene", &old).await, export("other", &old).await), (401, 200));
    assert_eq!(export("scene", &of_both("ada", now())).await, 200);
    for client in [&mut elsewhere, &mut bob] {
        client.write("still here").await;
        client.all_acked().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f57_presence_says_whose_token_it_is() {
    let server = TestServer::with(&["--jwt-secret", SECRET]).await;
    let mut ada = join(&server, 1, &writer("ada", now())).await;
    let mut bob = join(&server, 2, &writer("bob", now())).await;
    let state = br#"{"name":"Bob"}"#;
    let mut update = vec![1, 7, 1, state.len() as u8];
    update.extend(state);
    ada.send(&Message::Awareness(&update)).await;
    let hearing = async {
        loop {
            if let Msg::Awareness(heard) = bob.step().await
                && heard != [0]
            {
                return String::from_utf8_lossy(&heard).into_owned();
            }
        }
    };
    let heard = tokio::time::timeout(common::PATIENCE, hearing).await.expect("it is heard");
    assert!(heard.ends_with(r#"{"name":"Bob","slate-yrs:account":{"id":"ada","name":"A name"}}"#), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f59_history_and_export_ask_for_the_origin() {
    let server = TestServer::with(&["--allow-origin", "https://app.example"]).await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    client.write("text").await;
    client.all_acked().await;
    for path in ["versions", "versions/1", "compare?from=1", "export", "updates"] {
        for (origin, status) in [("https://app.example", 200), ("https://evil.example", 403)] {
            let path = format!("/api/scenes/scene/{path}");
            let answer = request(server.address, "GET", &path, &format!("Origin: {origin}\r\n"), "").await;
            assert_eq!(answer.status, status, "{path} {origin}");
        }
    }
    let evil = "Origin: https://evil.example\r\n";
    assert_eq!(request(server.address, "POST", "/api/admin/compact", evil, "").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_since_a_number_or_a_time() {
    let server = TestServer::start().await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    for n in 0..3 {
        client.write(&format!("{n} ")).await;
        client.all_acked().await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let path = "/api/scenes/scene/updates";
    let all = get(server.address, path).await.json();
    let seqs = |answer: &Value| {
        answer["updates"].as_array().unwrap().iter().map(|row| row["seq"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((seqs(&all), all["tip"].as_i64(), all["next"].as_i64()), (vec![1, 2, 3], Some(3), Some(3)));
    let mut copy = Client::scratch(9);
    for row in all["updates"].as_array().unwrap() {
        copy.apply(&STANDARD.decode(row["update"].as_str().unwrap()).unwrap());
    }
    assert_eq!(copy.read(), "0 1 2 ");
    assert_eq!(seqs(&get(server.address, &format!("{path}?since=1")).await.json()), [2, 3]);
    let page = get(server.address, &format!("{path}?since=0&limit=2")).await.json();
    assert_eq!((seqs(&page), page["next"].as_i64()), (vec![1, 2], Some(2)));
    let second = all["updates"][1]["at"].as_str().unwrap();
    assert_eq!(seqs(&get(server.address, &format!("{path}?since={second}")).await.json()), [2, 3]);
    assert_eq!(seqs(&get(server.address, &format!("{path}?since=2100-01-01T00:00:00Z")).await.json()), [0i64; 0]);
    assert_eq!(seqs(&get(server.address, &format!("{path}?since=1970-01-01T00:00:00Z")).await.json()), [1, 2, 3]);
    assert_eq!(get(server.address, &format!("{path}?since=yesterday")).await.status, 400);
    assert_eq!(get(server.address, "/api/scenes/none/updates").await.status, 404);
}

/// A log may be larger than the memory that there is: what is not sent is not read.
#[tokio::test(flavor = "multi_thread")]
async fn f56_updates_are_read_as_far_as_they_are_sent() {
    let server = TestServer::start().await;
    let epoch = server.storage.open_document("scene", 1).await.unwrap().epoch;
    for n in 0..12 {
        server.storage.store_update("scene", &epoch, n, &vec![0; 1 << 20]).await.unwrap();
    }
    let page = get(server.address, "/api/scenes/scene/updates").await.json();
    assert_eq!((page["updates"].as_array().unwrap().len(), page["next"].as_i64()), (8, Some(8)));
    assert_eq!(server.storage.read_bytes.load(std::sync::atomic::Ordering::SeqCst), 8 << 20);
    let rest = get(server.address, "/api/scenes/scene/updates?since=8").await.json();
    assert_eq!((rest["updates"].as_array().unwrap().len(), rest["next"].as_i64()), (4, Some(12)));
    let none = get(server.address, "/api/scenes/scene/updates?since=12").await.json();
    assert_eq!((none["updates"].as_array().unwrap().len(), none["next"].as_i64()), (0, Some(12)));
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_can_be_asked_for() {
    let server = TestServer::with(&["--keep-edits-hours", "0", "--jwt-secret", SECRET]).await;
    let mut ada = join(&server, 1, &writer("ada", now())).await;
    for _ in 0..5 {
        ada.write("x").await;
        ada.all_acked().await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    let path = "/api/admin/compact";
    assert_eq!(post(server.address, path, "").await.status, 401);
    let admin = format!("{path}?token={}", token(json!({ "admin": true })));
    let report = post(server.address, &admin, "").await;
    assert_eq!(report.status, 200, "{}", report.text());
    assert_eq!((report.json()["rowsMerged"].as_u64(), report.json()["rowsMade"].as_u64()), (Some(5), Some(1)));
    assert_eq!(server.rows("scene").await, 1);
    assert!(get(server.address, "/metrics").await.text().contains("slate_yrs_compactions_total 1"));
}

/// The names of a text in Prometheus' format.
fn names(metrics: &str) -> BTreeSet<String> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut names = BTreeSet::new();
    for (name, kind) in lines.filter_map(|line| line.split_once(' ')) {
        match kind {
            "histogram" => names.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}"))),
            _ => drop(names.insert(name.to_owned())),
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_and_alerts_name_metrics_that_exist() {
    let server = TestServer::with(&["--metrics-listen", "127.0.0.1:0"]).await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    let metrics = get(server.server().metrics_address.unwrap(), "/metrics").await.text();
    assert_eq!(get(server.address, "/metrics").await.status, 404, "on their own address alone");
    assert_eq!(get(server.server().metrics_address.unwrap(), "/readyz").await.status, 200);
    let known = names(&metrics);
    for (file, text) in [
        ("alerts.yml", include_str!("../monitoring/alerts.yml")),
        ("dashboard.json", include_str!("../monitoring/dashboard.json")),
    ] {
        let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        let used: BTreeSet<&str> =
            words.into_iter().filter(|word| word.starts_with("slate_yrs_") || word.starts_with("process_")).collect();
        assert!(used.len() > 8, "{file} names {used:?}");
        for name in used {
            assert!(known.contains(name), "{file} names {name}, which does not exist: {known:#?}");
        }
    }
    let dashboard: Value = serde_json::from_str(include_str!("../monitoring/dashboard.json")).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 8);
    // What is looked up is looked up.
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name}")).parse::<f64>().unwrap()
    };
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds"] {
        assert!(value(name) > 0.0, "{name}");
    }
    assert!(value("slate_yrs_load_seconds_count") >= 1.0 && value("slate_yrs_auth_seconds_count") >= 1.0);
    assert!(metrics.contains("slate_yrs_auth_total{answer=\"let-in\"} 1"));
    assert!(
        metrics.contains("slate_yrs_http_requests_total{route=\"/ws/scenes/{scene_id}\",status=\"101\"} 1"),
        "{metrics}"
    );
}

#[test]
fn promtool_takes_the_alert_rules() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/monitoring/alerts.yml");
    match Command::new("promtool").args(["check", "rules", rules]).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => {
            eprintln!("SKIPPED: promtool is not installed (Debian: prometheus); the rules were not checked by it")
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_deleted_by_command_ends_where_it_is_open() {
    // As the default is, but sooner.
    let server = TestServer::with(&["--poll-ms", "100"]).await;
    let mut client = server.durable("scene", 1, "s").await;
    client.sync().await;
    server.storage.delete_document("scene").await.unwrap();
    assert_eq!(client.closed().await, close::EPOCH);
}

// --- the program

struct Ran {
    ok: bool,
    out: String,
    err: String,
    took: Duration,
}

fn run(args: &[&str]) -> Ran {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_slate-yrs-server"))
        .args(args)
        .stdin(Stdio::null())
        .env_remove("SLATE_YRS_DATABASE")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { ok: output.status.success(), out: text(&output.stdout), err: text(&output.stderr), took: started.elapsed() }
}

/// Writes a word and waits until it is stored.
async fn write(program: &Program, document: &str, id: u64, word: &str) {
    let query = format!("slate-yrs=1&session=s{id}");
    let mut client = Client::connect(program.address, document, id, &query).await;
    client.sync().await;
    client.write(word).await;
    client.all_acked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_running_and_restored() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let database = format!("sqlite:{}", at("server.sqlite"));
    let backup = at("backup.sqlite");
    let program = Program::start(&database, &[]);
    write(&program, "one", 1, "kept").await;
    // While others type.
    let typing = async {
        for n in 0..40 {
            write(&program, "two", 100 + n, "typed ").await;
        }
    };
    let (database_too, backup_too) = (database.clone(), backup.clone());
    let backing = tokio::task::spawn_blocking(move || run(&["backup", &backup_too, "--database", &database_too]));
    let (_, backed) = tokio::join!(typing, backing);
    let backed = backed.unwrap();
    assert!(backed.ok, "{}", backed.err);
    let again = run(&["backup", &backup, "--database", &database]);
    assert!(!again.ok && again.err.contains("there already"), "{}", again.err);
    write(&program, "one", 2, "too late").await;
    program.kill();

    // The disaster, and the way back.
    let refused = run(&["restore", &backup, "--database", &database]);
    assert!(!refused.ok && refused.err.contains("move it away first"), "{}", refused.err);
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(at("server.sqlite") + ending);
    }
    let restored = run(&["--database", &database, "restore", &backup]);
    assert!(restored.ok && restored.err.contains("restored: 2 documents"), "{}", restored.err);
    let program = Program::start(&database, &[]);
    let mut reader = Client::connect(program.address, "one", 9, "").await;
    reader.sync().await;
    assert_eq!(reader.read(), "kept");

    // What is no backup is not put there.
    std::fs::write(at("nonsense"), vec![7; 10_000]).unwrap();
    let nonsense = run(&["restore", &at("nonsense"), "--database", &format!("sqlite:{}", at("new.sqlite"))]);
    assert!(!nonsense.ok && nonsense.err.lines().count() == 1, "{}", nonsense.err);
    assert!(!Path::new(&at("new.sqlite")).exists() && !Path::new(&at("new.sqlite.part")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_creates_nothing_finds_a_damaged_head_and_says_what_it_saw() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.sqlite");
    let database = format!("sqlite:{}", path.display());
    for command in ["verify", "documents", "compact"] {
        let none = run(&[command, "--database", &database]);
        assert!(
            !none.ok && none.err.contains("there is no such file") && none.err.lines().count() == 1,
            "{}",
            none.err
        );
        assert!(!path.exists(), "{command}");
    }
    let program = Program::start(&database, &["--head-every", "1"]);
    write(&program, "scene", 1, "text").await;
    write(&program, "scene", 2, "text").await;
    let head = async || run(&["verify", "--database", &database]).err.contains("1 heads compared");
    let deadline = Instant::now() + common::PATIENCE;
    while !head().await {
        assert!(Instant::now() < deadline, "no head was written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    program.kill();
    let sound = run(&["verify", "--database", &database]);
    assert_eq!(sound.out, "scene\tok\n");
    let seen = "1 documents, 2 rows replayed, 1 heads compared, 0 named versions read";
    assert!(sound.err.contains(seen), "{}", sound.err);
    assert!(run(&["verify", "nothing", "--database", &database]).err.contains("there is no document"));

    damage(&database, "UPDATE snapshots SET bytes = x'0000' WHERE kind = 'head'").await;
    let damaged = run(&["verify", "--database", &database]);
    assert!(!damaged.ok && damaged.out.contains("the head snapshot is damaged"), "{}", damaged.out);
}

async fn damage(database: &str, sql: &'static str) {
    use sqlx::Connection;
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(database).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Whatever is wrong, one line says so, and soon.
#[test]
fn every_start_that_fails_says_why_in_one_line_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let good = format!("sqlite:{}", at("good.sqlite"));
    std::fs::write(at("no-database"), vec![1; 8_192]).unwrap();
    std::fs::write(at("no-keys.json"), "{").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    // Nothing listens there, and there nothing ever answers.
    let refused = "postgres://slate:hidden@127.0.0.1:1/slate".to_owned();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("postgres://slate:hidden@{}/slate", silent.local_addr().unwrap());
    for (flags, cause) in [
        (vec!["--database", &format!("sqlite:{}", at("no-database"))], "not a database"),
        (vec!["--database", &format!("sqlite:{}", folder.path().display())], "it is a folder"),
        (vec!["--database", "mysql://x"], "it must begin with sqlite: or postgres://"),
        (vec!["--database", &refused], "refused"),
        (vec!["--database", &silent], "did not answer in time"),
        (vec!["--database", &good, "--listen", &taken], "cannot listen on"),
        (vec!["--database", &good, "--metrics-listen", &taken], "cannot listen on"),
        (vec!["--database", &good, "--jwt-secret", "short"], "can be guessed"),
        (vec!["--database", &good, "--jwks", &at("no-keys.json")], "is not a JSON Web Key Set"),
        (vec!["--database", &good, "--jwks", &at("nowhere")], "cannot read"),
        (vec!["--database", &good, "--listen", "0.0.0.0:0"], "no key to check tokens with"),
        (vec!["--database", &good, "--redis", "nonsense"], "the address of Redis cannot be used"),
    ] {
        let listen: &[&str] = if flags.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let ran = run(&[&["--log", "off"], listen, &flags].concat());
        assert!(!ran.ok, "{flags:?}");
        assert!(ran.err.contains(cause) && ran.err.lines().count() == 1, "{flags:?}: {}", ran.err);
        assert!(!ran.err.contains("hidden"), "{}", ran.err);
        assert!(ran.took < Duration::from_secs(10), "{flags:?} took {:?}", ran.took);
    }
}

/// What reads the log (a pipe, a collector) ends before the server does: that is its own affair.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_any_more_takes_nothing_down() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("scenes.sqlite").display());
    let program = Program::start_unread(&database, "debug");
    let edit = r#"{"edits":[{"append":{"nodes":[{"type":"p","children":[{"text":"words"}]}]}}]}"#;
    let json = "Content-Type: application/json\r\n";
    for scene in ["one", "two", "three"] {
        let path = format!("/api/scenes/{scene}");
        assert_eq!(request(program.address, "PATCH", &path, json, edit).await.status, 200, "{scene}");
        assert_eq!(get(program.address, &format!("{path}/versions/now")).await.status, 200, "{scene}");
    }
    write(&program, "four", 1, "words").await;
    assert_eq!(get(program.address, "/readyz").await.status, 200);
}
