//! Several servers on one PostgreSQL, with and without Redis, and what happens when one of them dies.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::client::doc;
use common::http::{get, post};
use common::postgres::Postgres;
use common::program::Program;
use common::{Client, Msg};
use serde_json::json;
use slate_yrs::protocol::{Message, Role, close};
use slate_yrs_server::server::Server;
use slate_yrs_server::storage::{Durability, SqlStorage};

const SECRET: &str = "a secret that is long enough for tests";

/// A Redis of its own; killed when dropped.
struct Redis {
    child: Option<Child>,
    port: u16,
}

impl Redis {
    fn start() -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { child: None, port };
        redis.up().then_some(redis)
    }

    fn up(&mut self) -> bool {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            assert!(std::env::var_os("CI").is_none(), "no redis-server found, and CI skips nothing");
            eprintln!("SKIPPED: no redis-server found (apt-get install redis-server); its tests did not run");
            return false;
        };
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "redis does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn server(postgres: &Postgres, database: &str, flags: &[&str]) -> Server {
    let storage = SqlStorage::open(&postgres.url(database), Durability::Full).await.unwrap();
    let flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
    Server::start(common::args(&flags), Arc::new(storage)).await.unwrap()
}

async fn durable(address: SocketAddr, document: &str, id: u64, session: &str) -> Client {
    let mut client = Client::connect(address, document, id, &format!("slate-yrs=1&session={session}")).await;
    client.sync().await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn f28_two_servers_one_document_one_user_on_both() {
    let (Some(postgres), Some(mut redis)) = (Postgres::start(), Redis::start()) else { return };
    let url = format!("redis://127.0.0.1:{}", redis.port);
    // Asking the database is slow here: what comes fast came by Redis.
    let flags = ["--redis", &url, "--poll-ms", "300"];
    let one = server(&postgres, "cluster", &flags).await;
    let two = server(&postgres, "cluster", &flags).await;
    common::eventually("redis is there", || one.metrics.redis_up.get() + two.metrics.redis_up.get() == 2).await;
    let mut a = durable(one.address, "scene", 1, "a").await;
    let mut b = durable(two.address, "scene", 2, "b").await;
    let started = Instant::now();
    for n in 0..20 {
        a.write(&format!("<a{n}>")).await;
        b.write(&format!("<b{n}>")).await;
    }
    for (client, other) in [(&mut a, "<b19>"), (&mut b, "<a19>")] {
        client.until("the other's words", |client| client.read().contains(other)).await;
        client.all_acked().await;
    }
    println!("20 + 20 edits through two servers and Redis: {:?}", started.elapsed());
    let rows = one.rooms.shared().storage.get_updates_since("scene", 0, 100).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());

    // Presence passes, a joiner sees who is on the other server, and who leaves is gone there too.
    a.send(&Message::Awareness(&[1, 1, 1, 2, b'{', b'}'])).await;
    while b.step().await != Msg::Awareness(vec![1, 1, 1, 2, b'{', b'}']) {}
    let mut c = Client::connect(two.address, "scene", 3, "").await;
    while c.step().await != Msg::Awareness(vec![1, 1, 1, 2, b'{', b'}']) {}
    let mut elsewhere = Client::connect(two.address, "another", 4, "").await;
    elsewhere.sync().await;
    a.drop_dead();
    while c.step().await != Msg::Awareness(vec![1, 1, 2, 4, b'n', b'u', b'l', b'l']) {}
    elsewhere.silence(Duration::from_millis(50)).await;

    // Redis dies: both go on, say so, and still converge through the database.
    redis.kill();
    common::eventually("they notice", || one.metrics.redis_up.get() + two.metrics.redis_up.get() == 0).await;
    assert!(get(one.address, "/readyz").await.text().contains("redis: away"));
    let mut a = durable(one.address, "scene", 5, "a2").await;
    a.write("without redis").await;
    a.all_acked().await;
    b.until("converges", |client| client.read().contains("without redis")).await;
    // And it comes back.
    assert!(redis.up());
    common::eventually("they notice", || one.metrics.redis_up.get() + two.metrics.redis_up.get() == 2).await;
    let mut b = durable(two.address, "scene", 6, "b2").await;
    b.write("with redis again").await;
    a.until("converges", |client| client.read().contains("with redis again")).await;
    one.shutdown().await;
    two.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_seeding_through_two_servers_gives_one_copy() {
    let Some(postgres) = Postgres::start() else { return };
    let flags = ["--poll-ms", "100"];
    let one = server(&postgres, "seeds", &flags).await;
    let two = server(&postgres, "seeds", &flags).await;
    for round in 0..5 {
        let document = format!("scene{round}");
        let seeders: Vec<_> = (1..=6u64)
            .map(|id| {
                let address = if id % 2 == 0 { one.address } else { two.address };
                let document = document.clone();
                tokio::spawn(async move {
                    let doc = doc(id);
                    // As a client does: come again when told to, until it is answered.
                    for attempt in 0..20 {
                        let query = format!("slate-yrs=1&session=s{id}-{attempt}");
                        let connected = Client::try_connect_with(address, &document, doc.clone(), &query).await;
                        let Some(mut client) = connected else { continue };
                        let mut scratch = Client::scratch(100 + id);
                        client.send(&Message::Seed(&scratch.edit(0, "FADE IN:"))).await;
                        loop {
                            match client.next().await {
                                Msg::Ack(0) => return,
                                Msg::Close(code) => break assert_eq!(code, close::INTERNAL),
                                _ => {}
                            }
                        }
                    }
                    panic!("never answered");
                })
            })
            .collect();
        for seeder in seeders {
            seeder.await.unwrap();
        }
        for address in [one.address, two.address] {
            let mut reader = durable(address, &document, 50, "reader").await;
            reader.reads("FADE IN:").await;
        }
        assert_eq!(one.rooms.shared().storage.get_updates_since(&document, 0, 10).await.unwrap().len(), 1);
    }
    one.shutdown().await;
    two.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_the_database_restarts_under_load_and_nothing_acknowledged_is_lost() {
    let Some(postgres) = Postgres::start() else { return };
    let one = server(&postgres, "restart", &["--poll-ms", "100"]).await;
    let two = server(&postgres, "restart", &["--poll-ms", "100"]).await;
    let typists = Typists::start(4, vec![one.address, two.address]);
    for _ in 0..2 {
        typists.write_more().await;
        postgres.stop();
        tokio::time::sleep(Duration::from_millis(300)).await;
        postgres.up();
    }
    typists.write_more().await;
    let acknowledged = typists.stop().await;
    println!("{} words acknowledged", acknowledged.len());
    all_there(&[one.address, two.address], "scene", &acknowledged).await;
    one.shutdown().await;
    two.shutdown().await;
}

/// One server, then Redis, then the database die while six people type: what was acknowledged is there, on every server.
#[tokio::test(flavor = "multi_thread")]
async fn f14_three_programs_lose_one_of_them_then_redis_then_the_database() {
    let (Some(postgres), Some(mut redis)) = (Postgres::start(), Redis::start()) else { return };
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let database = postgres.url("three");
    let start = || Program::start(&database, &["--redis", &url, "--poll-ms", "200"]);
    let (one, two, three) = (start(), start(), start());
    let typists = Typists::start(6, vec![one.address, two.address, three.address]);
    typists.write_more().await;
    one.kill();
    typists.write_more().await;
    redis.kill();
    typists.write_more().await;
    postgres.stop();
    tokio::time::sleep(Duration::from_millis(300)).await;
    postgres.up();
    typists.write_more().await;
    assert!(redis.up());
    let four = start();
    typists.write_more().await;
    let acknowledged = typists.stop().await;
    println!("{} words acknowledged", acknowledged.len());
    let texts = all_there(&[two.address, three.address, four.address], "scene", &acknowledged).await;
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "the servers differ");
}

fn hs256(claims: serde_json::Value) -> String {
    common::tokens::hs256(&claims, SECRET)
}

fn seconds() -> i64 {
    slate_yrs_server::clock::now() / 1_000
}

/// A kick on one server ends the user's connections on the other, and takes the tokens back there, once: who has come back
/// with a new token stays. `flags`: how the servers hear of each other.
async fn kicked_on_one_of_two(postgres: &Postgres, database: &str, flags: &[&str]) {
    let flags = [&["--jwt-secret", SECRET], flags].concat();
    let (one, two) = (server(postgres, database, &flags).await, server(postgres, database, &flags).await);
    if flags.contains(&"--redis") {
        let up = |server: &Server| server.metrics.redis_up.get() == 1;
        common::eventually("redis is there", || up(&one) && up(&two)).await;
    }
    let made =
        |user: &str, iat: i64| hs256(json!({"sub": user, "exp": seconds() + 600, "iat": iat, "documents": "scene"}));
    let (old, other) = (made("ada", seconds() - 5), made("bob", seconds() - 5));
    let join = async |at: SocketAddr, id: u64, token: &str| {
        let mut client = Client::connect(at, "scene", id, &format!("slate-yrs=1&session=s{id}&token={token}")).await;
        client.sync().await;
        client
    };
    let (mut here, mut there) = (join(one.address, 1, &old).await, join(two.address, 2, &old).await);
    let mut bob = join(two.address, 3, &other).await;
    let admin = hs256(json!({"exp": seconds() + 600, "admin": true}));
    let path = format!("/api/admin/kick?token={admin}");
    assert_eq!(post(one.address, &path, r#"{"user":"ada"}"#).await.status, 200);
    assert_eq!((here.closed().await, there.closed().await), (close::UNAUTHORIZED, close::UNAUTHORIZED));
    let export = format!("/api/scenes/scene/export?token={old}");
    for server in [&one, &two] {
        assert_eq!(get(server.address, &export).await.status, 401, "the token is taken back");
    }
    // Back with another one. What comes later by another way ends nothing.
    let mut again = join(two.address, 4, &made("ada", seconds())).await;
    let kicks = two.rooms.shared().storage.kicks(0).await.unwrap();
    assert_eq!(kicks.iter().map(|kick| kick.whom.user.as_str()).collect::<Vec<_>>(), ["ada"]);
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        again.write("still here ").await;
        again.all_acked().await;
    }
    bob.write("so is he ").await;
    bob.all_acked().await;
    // A server that starts later knows it.
    one.shutdown().await;
    let three = server(postgres, database, &flags).await;
    assert_eq!(get(three.address, &export).await.status, 401, "a restart gives no token back");
    two.shutdown().await;
    three.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f59_who_is_kicked_on_one_server_is_out_on_all() {
    let Some(postgres) = Postgres::start() else { return };
    kicked_on_one_of_two(&postgres, "kick_by_database", &["--poll-ms", "100"]).await;
    let Some(redis) = Redis::start() else { return };
    let url = format!("redis://127.0.0.1:{}", redis.port);
    // The database would say so a quarter of an hour later.
    let flags = ["--redis", &url, "--poll-ms", "90000"];
    kicked_on_one_of_two(&postgres, "kick_by_redis", &flags).await;
}

/// Another role, or none, takes effect on every server within the recheck time.
#[tokio::test(flavor = "multi_thread")]
async fn f59_a_role_that_changes_takes_effect_on_every_server() {
    use axum::http::StatusCode;

    let Some(postgres) = Postgres::start() else { return };
    let says = Arc::new(Mutex::new((StatusCode::OK, r#"{"user":"ada","role":"read-write"}"#)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = Arc::clone(&says);
    let application = axum::Router::new().fallback(move || {
        let answer = *answer.lock().unwrap();
        async move { answer }
    });
    tokio::spawn(axum::serve(listener, application).into_future());
    let flags = ["--auth-url", &url, "--auth-recheck-ms", "100", "--auth-cache-ms", "0", "--poll-ms", "100"];
    let (one, two) = (server(&postgres, "roles", &flags).await, server(&postgres, "roles", &flags).await);
    let join = async |at: SocketAddr, id: u64| {
        let mut client = Client::connect(at, "scene", id, &format!("slate-yrs=1&session=s{id}&token=t")).await;
        client.sync().await;
        client
    };
    let (mut here, mut there) = (join(one.address, 1).await, join(two.address, 2).await);
    here.write("while it was allowed").await;
    here.all_acked().await;
    *says.lock().unwrap() = (StatusCode::OK, r#"{"user":"ada","role":"read-only"}"#);
    // It comes again, and learns what it may do now.
    assert_eq!((here.closed().await, there.closed().await), (close::INTERNAL, close::INTERNAL));
    for (at, id) in [(one.address, 3), (two.address, 4)] {
        let mut reader = join(at, id).await;
        assert_eq!(reader.hello.as_ref().unwrap().role, Role::ReadOnly);
        reader.until("it reads", |client| client.read() == "while it was allowed").await;
    }
    let (mut here, mut there) = (join(one.address, 5).await, join(two.address, 6).await);
    *says.lock().unwrap() = (StatusCode::FORBIDDEN, "");
    assert_eq!((here.closed().await, there.closed().await), (close::FORBIDDEN, close::FORBIDDEN));
    one.shutdown().await;
    two.shutdown().await;
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Three real programs on one PostgreSQL and one Redis, of which one thing after the other is killed, or stops for a while.
/// After each, people's edits are acknowledged and every server is ready again; after every fourth all of them have what
/// was acknowledged, once, and the same. `npm run soak:server -- --servers 3`.
#[tokio::test(flavor = "multi_thread")]
async fn f14_three_servers_soaked_lose_nothing_acknowledged() {
    let (Some(postgres), Some(mut redis)) = (Postgres::start(), Redis::start()) else { return };
    let seconds = number("SERVER_SOAK_SECONDS", 10);
    let seed = number("SERVER_SOAK_SEED", fastrand::u64(..1 << 32));
    println!("soak of three servers: seed {seed}, {seconds} s");
    let mut rng = fastrand::Rng::with_seed(seed);
    let (url, database) = (format!("redis://127.0.0.1:{}", redis.port), postgres.url("soak"));
    let start = || Program::start(&database, &["--redis", &url, "--poll-ms", "200"]);
    let mut programs = [start(), start(), start()];
    let addresses = Arc::new(Mutex::new(programs.iter().map(|program| program.address).collect::<Vec<_>>()));
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut round, mut words, mut faults) = (0, 0, HashMap::<&str, u32>::new());
    while round == 0 || Instant::now() < until {
        let document = format!("scene-{round}");
        let typists = Typists::start_at(6, Arc::clone(&addresses), document.clone());
        typists.write_more().await;
        for _ in 0..4 {
            let which = rng.usize(..3);
            let pause = Duration::from_millis(rng.u64(50..1_500));
            let fault = ["server killed", "server stopped", "database killed", "redis killed"][rng.usize(..4)];
            *faults.entry(fault).or_default() += 1;
            match fault {
                "server killed" => {
                    programs[which].stop();
                    tokio::time::sleep(pause).await;
                    programs[which] = start();
                    addresses.lock().unwrap()[which] = programs[which].address;
                }
                "server stopped" => {
                    programs[which].signal("-STOP");
                    tokio::time::sleep(pause).await;
                    programs[which].signal("-CONT");
                }
                "database killed" => {
                    postgres.stop();
                    tokio::time::sleep(pause).await;
                    postgres.up();
                }
                _ => {
                    redis.kill();
                    tokio::time::sleep(pause).await;
                    assert!(redis.up());
                }
            }
            typists.write_more().await;
            let deadline = Instant::now() + common::PATIENCE;
            for program in &programs {
                while get(program.address, "/readyz").await.status != 200 {
                    assert!(Instant::now() < deadline, "not ready after: {fault}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        let acknowledged = typists.stop().await;
        let here = addresses.lock().unwrap().clone();
        let texts = all_there(&here, &document, &acknowledged).await;
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "the servers differ in {document}");
        words += acknowledged.len();
        round += 1;
    }
    println!("soak of three servers: {words} acknowledged edits, all there in {round} looks, after {faults:?}");
}

/// People who type into one document, each at another server after every loss of a connection.
struct Typists {
    counted: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
    writers: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Typists {
    fn start(count: u64, addresses: Vec<SocketAddr>) -> Self {
        Self::start_at(count, Arc::new(Mutex::new(addresses)), "scene".to_owned())
    }

    /// The same where servers come and go.
    fn start_at(count: u64, addresses: Arc<Mutex<Vec<SocketAddr>>>, document: String) -> Self {
        let counted = Arc::new(AtomicUsize::new(0));
        let enough = Arc::new(AtomicBool::new(false));
        let writers = (1..=count).map(|id| {
            let (counted, enough) = (Arc::clone(&counted), Arc::clone(&enough));
            let (addresses, document) = (Arc::clone(&addresses), document.clone());
            tokio::spawn(async move {
                let mut doc = doc(id);
                let mut acknowledged: Vec<String> = Vec::new();
                let mut attempt = 0;
                while !enough.load(Ordering::SeqCst) {
                    attempt += 1;
                    let address = {
                        let addresses = addresses.lock().unwrap();
                        addresses[(id as usize + attempt) % addresses.len()]
                    };
                    let query = format!("slate-yrs=1&session=s{id}-{attempt}");
                    let (back, words) = write_until_closed(address, &document, doc, &query, &counted, &enough).await;
                    doc = back;
                    acknowledged.extend(words);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                acknowledged
            })
        });
        let writers = writers.collect();
        Self { counted, enough, writers }
    }

    /// Until more words are acknowledged.
    async fn write_more(&self) {
        let before = self.counted.load(Ordering::SeqCst);
        common::eventually("they write", || self.counted.load(Ordering::SeqCst) > before + 10).await;
    }

    /// The words that were acknowledged.
    async fn stop(self) -> Vec<String> {
        self.enough.store(true, Ordering::SeqCst);
        let mut acknowledged = Vec::new();
        for writer in self.writers {
            acknowledged.extend(writer.await.unwrap());
        }
        acknowledged
    }
}

/// Every word is at every server, once; their texts.
async fn all_there(addresses: &[SocketAddr], document: &str, words: &[String]) -> Vec<String> {
    let mut texts = Vec::new();
    for address in addresses {
        let mut reader = durable(*address, document, 99, "reader").await;
        let complete = |client: &mut Client| {
            let text = client.read();
            let mut there: HashMap<&str, u32> = HashMap::new();
            text.split_inclusive('>').for_each(|word| *there.entry(word).or_default() += 1);
            words.iter().all(|word| there.get(word.as_str()) == Some(&1))
        };
        reader.until("all words", complete).await;
        texts.push(reader.read());
    }
    texts
}

/// Writes words, one at a time; the doc, and the words that were acknowledged.
async fn write_until_closed(
    address: SocketAddr,
    document: &str,
    doc: yrs::Doc,
    query: &str,
    counted: &AtomicUsize,
    enough: &AtomicBool,
) -> (yrs::Doc, Vec<String>) {
    let mut client = match Client::try_connect_with(address, document, doc.clone(), query).await {
        Some(client) => client,
        None => return (doc, Vec::new()),
    };
    let mut words: Vec<String> = Vec::new();
    let mut acked = 0;
    'typing: while !enough.load(Ordering::SeqCst) {
        let word = format!("<{query}.{}>", words.len());
        client.write(&word).await;
        words.push(word);
        while words.len() as u64 > acked {
            match tokio::time::timeout(Duration::from_secs(5), client.next()).await {
                Ok(Msg::Ack(seq)) => {
                    acked = seq;
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                // What was typed on an earlier connection and never stored.
                Ok(Msg::Step1(state_vector)) => {
                    let update = client.since(&state_vector);
                    client.send(&Message::SyncStep2(&update)).await;
                }
                Ok(Msg::Close(_)) | Err(_) => break 'typing,
                Ok(_) => {}
            }
        }
    }
    words.truncate(acked as usize);
    (client.drop_dead(), words)
}

/// A Redis that is reached by a wire which can go dead without a word, in both directions.
async fn behind_a_wire(port: u16, dead: Arc<AtomicBool>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(carry(near_in, far_out, Arc::clone(&dead)));
            tokio::spawn(carry(far_in, near_out, Arc::clone(&dead)));
        }
    });
    here
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    dead: Arc<AtomicBool>,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if !dead.load(Ordering::SeqCst) && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f28_a_redis_that_goes_silent_is_noticed_and_found_again() {
    let Some(redis) = Redis::start() else { return };
    let dead = Arc::new(AtomicBool::new(false));
    let url = format!("redis://127.0.0.1:{}", behind_a_wire(redis.port, Arc::clone(&dead)).await);
    let server = common::TestServer::with(&["--redis", &url]).await;
    let metrics = Arc::clone(&server.server().metrics);
    common::eventually("redis is there", || metrics.redis_up.get() == 1).await;
    dead.store(true, Ordering::SeqCst);
    common::eventually("its silence is noticed", || metrics.redis_up.get() == 0).await;
    assert!(get(server.address, "/readyz").await.text().contains("redis: away"));
    dead.store(false, Ordering::SeqCst);
    common::eventually("it is found again", || metrics.redis_up.get() == 1).await;
}
