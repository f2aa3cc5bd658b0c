//! Webhooks: each change is told in order, whatever happens to the receiver and to the server, and to nobody inside.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use common::faulty::Faulty;
use common::http::{get, request};
use common::postgres::Postgres;
use common::program::Program;
use common::sse::Listener;
use common::{TestServer, eventually};
use ring::hmac;
use serde_json::{Value, json};
use slate_yrs_server::metrics::Metrics;
use slate_yrs_server::server::Server;
use slate_yrs_server::storage::{
    Attendance, Durability, FailedDelivery, QueuedEvent, Result, SqlStorage, Storage, WebhookRow, WebhookStorage,
};
use slate_yrs_server::webhooks::address::{Lookup, Reach, system_names};
use slate_yrs_server::webhooks::send::{EventSender, new_secret};
use slate_yrs_server::webhooks::{ChangedDocuments, KEEP, LOOK_EVERY, MAX_REFUSALS, Webhooks};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: &str = "a secret that is long enough for tests";
const MINUTE: i64 = 60_000;

/// A request that came.
#[derive(Debug, Clone)]
struct Call {
    headers: String,
    body: String,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        let line = self.headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.headers))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Somebody who is told.
struct Receiver {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    /// What it answers; 0: nothing, after it has read.
    answers: Arc<AtomicU16>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, calls, answers) = (listener.local_addr().unwrap(), Arc::default(), Arc::new(AtomicU16::new(200)));
        let receiver = Self { address, calls, answers };
        let (calls, answers) = (Arc::clone(&receiver.calls), Arc::clone(&receiver.answers));
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (calls, answers) = (Arc::clone(&calls), Arc::clone(&answers));
                tokio::spawn(async move {
                    let mut came = Vec::new();
                    while let Ok(1..) = socket.read_buf(&mut came).await {
                        let text = String::from_utf8_lossy(&came).into_owned();
                        let Some((headers, body)) = text.split_once("\r\n\r\n") else { continue };
                        let headers = headers.replace("\r\n", "\n");
                        let length = headers.to_lowercase();
                        let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
                        if body.len() < length.unwrap().parse().unwrap() {
                            continue;
                        }
                        calls.lock().unwrap().push(Call { headers, body: body.to_owned() });
                        came.clear();
                        let answer = match answers.load(Ordering::SeqCst) {
                            0 => return,
                            302 => "302 Found\r\nLocation: /elsewhere".to_owned(),
                            status => format!("{status} Whatever"),
                        };
                        let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
                        socket.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        receiver
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn answer(&self, status: u16) {
        self.answers.store(status, Ordering::SeqCst);
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// What it knows when it drops what comes twice: the numbers of each document, in the order in which they came.
    fn numbers(&self) -> BTreeMap<String, Vec<i64>> {
        let mut seen = HashSet::new();
        let mut numbers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for call in self.calls().iter().filter(|call| seen.insert(call.header("webhook-id").to_owned())) {
            let event = call.json();
            if event["type"] != "document.changed" {
                continue;
            }
            let data = &event["data"];
            let range = data["first"].as_i64().unwrap()..=data["seq"].as_i64().unwrap();
            numbers.entry(data["document"].as_str().unwrap().to_owned()).or_default().extend(range);
        }
        numbers
    }
}

fn reach(allowed: &[&str]) -> Reach {
    Reach { allowed: allowed.iter().map(|range| range.parse().unwrap()).collect() }
}

/// A server's webhooks, without a server and with a clock of its own.
struct House {
    storage: Arc<dyn Storage>,
    webhooks: Arc<Webhooks>,
    changed: Arc<ChangedDocuments>,
    clock: AtomicI64,
    metrics: Arc<Metrics>,
}

impl House {
    fn new(storage: Arc<dyn Storage>, lookup: Lookup, allowed: &[&str]) -> Self {
        let (changed, metrics) = (Arc::<ChangedDocuments>::default(), Arc::new(Metrics::default()));
        let sender = EventSender::new(reach(allowed), lookup).unwrap();
        let webhooks = Webhooks::new(Arc::clone(&storage), Arc::clone(&changed), sender, Arc::clone(&metrics), false);
        Self { storage, webhooks, changed, clock: AtomicI64::new(1_800_000_000_000), metrics }
    }

    async fn hook(&self, url: &str) -> String {
        let (id, secret) = (url.to_owned(), new_secret().unwrap());
        let (created_at, failures, failing_since, error) = (0, 0, None, None);
        let row = WebhookRow {
            id: id.clone(),
            url: url.to_owned(),
            secret,
            created_at,
            failures,
            failing_since,
            error,
            retry_at: 0,
            waiting: 0,
            dead: 0,
        };
        assert!(self.storage.webhooks().put_webhook(&row, 20).await.unwrap());
        id
    }

    async fn row(&self) -> WebhookRow {
        self.storage.webhooks().webhooks().await.unwrap().remove(0)
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn pass(&self, time: i64) {
        self.clock.fetch_add(time, Ordering::SeqCst);
    }

    /// A change; `said`: the room lives to say so.
    async fn edit(&self, document: &str, said: bool) {
        let epoch = self.storage.open_document(document, self.now()).await.unwrap().epoch;
        let bytes = format!("row {}", fastrand::u64(..)).into_bytes();
        self.storage.store_update(document, &epoch, self.now(), &bytes).await.unwrap();
        if said {
            self.changed.note(document);
        }
    }

    /// Events are made of what was said.
    async fn note(&self) {
        self.webhooks.note(&self.changed.take(), Vec::new()).await.unwrap();
    }

    /// Whether there is more.
    async fn send(&self) -> bool {
        let webhooks = self.storage.webhooks().webhooks().await.unwrap();
        self.webhooks.send(&webhooks, || self.now()).await.unwrap()
    }

    /// The server is killed, and another one begins.
    fn killed(self) -> Self {
        let clock = self.now();
        let next = Self::new(self.storage, system_names(), &["127.0.0.1"]);
        next.clock.store(clock, Ordering::SeqCst);
        next
    }
}

async fn sqlite(folder: &tempfile::TempDir) -> Arc<dyn Storage> {
    let url = format!("sqlite:{}/webhooks.sqlite", folder.path().display());
    Arc::new(SqlStorage::open(&url, Durability::Process).await.unwrap())
}

/// An hour without an answer, with edits, and the server killed in it twice.
async fn an_hour_away(storage: Arc<dyn Storage>) {
    let mut house = House::new(storage, system_names(), &["127.0.0.1"]);
    let receiver = Receiver::start().await;
    // What was before is nobody's news.
    house.edit("old", true).await;
    house.edit("old", true).await;
    house.hook(&receiver.url()).await;
    house.note().await;
    house.edit("old", true).await;
    house.note().await;
    house.send().await;
    assert_eq!(receiver.numbers(), BTreeMap::from([("old".to_owned(), vec![3])]));

    receiver.answer(503);
    let mut expected: BTreeMap<String, i64> = BTreeMap::from([("old".to_owned(), 3)]);
    for minute in 0..60 {
        for document in ["old", "two", "three"].into_iter().take(1 + minute % 3) {
            // Killed before anybody could make an event of it.
            house.edit(document, minute % 20 != 10).await;
            *expected.entry(document.to_owned()).or_default() += 1;
        }
        house.note().await;
        house.send().await;
        if minute % 20 == 10 {
            house = house.killed();
            house.webhooks.compare().await.unwrap();
        }
        // It takes what comes, and nobody hears its answer.
        receiver.answer(if minute % 7 == 0 { 0 } else { 503 });
        house.pass(MINUTE);
    }
    let row = house.row().await;
    assert!(row.waiting <= 6, "what waits grows with the documents only: {}", row.waiting);
    assert!(row.failures > 10 && row.failing_since.is_some() && row.dead == 0, "{row:?}");
    assert!(row.failures < 40, "it is asked ever more seldom: {row:?}");
    receiver.answer(204);
    house.pass(5 * MINUTE);
    house.send().await;
    let known = receiver.numbers();
    for (document, tip) in expected {
        let first = if document == "old" { 3 } else { 1 };
        assert_eq!(known[&document], (first..=tip).collect::<Vec<_>>(), "{document}");
    }
    let calls = receiver.calls();
    let distinct: BTreeSet<_> = calls.iter().map(|call| call.header("webhook-id")).collect();
    assert!(distinct.len() < calls.len(), "some came twice, under one id");
    let row = house.row().await;
    assert_eq!((row.waiting, row.failures, row.error, row.failing_since), (0, 0, None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_away_for_an_hour_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    an_hour_away(sqlite(&folder).await).await;
    let Some(postgres) = Postgres::start() else { return };
    an_hour_away(Arc::new(SqlStorage::open(&postgres.url("hooks"), Durability::Full).await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_is_given_up_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(sqlite(&folder).await, system_names(), &["127.0.0.1"]);
    let receiver = Receiver::start().await;
    let id = house.hook(&receiver.url()).await;
    house.edit("one", true).await;
    house.note().await;
    receiver.answer(400);
    let mut times = 0;
    while house.row().await.dead == 0 {
        house.send().await;
        house.pass(5 * MINUTE);
        times += 1;
    }
    assert_eq!(times, MAX_REFUSALS, "what is refused");
    // The next one is not kept from its receiver.
    house.edit("two", true).await;
    house.note().await;
    receiver.answer(200);
    house.send().await;
    assert_eq!(receiver.numbers().keys().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!((house.row().await.waiting, house.row().await.dead), (0, 1));
    let dead = house.storage.webhooks().dead(&id, 10).await.unwrap();
    assert_eq!((dead[0].document.as_str(), dead[0].error.as_deref()), ("one", Some("it answered 400")));
    assert!(house.metrics.render().contains("slate_yrs_webhook_deliveries_total{outcome=\"dead\"} 1"));
    assert_eq!(house.storage.webhooks().revive(&id).await.unwrap(), 1);
    let before = receiver.calls().len();
    house.send().await;
    assert_eq!(receiver.calls().len(), before + 1);
    // What nobody answers is given up when it is old.
    receiver.answer(500);
    house.edit("three", true).await;
    house.note().await;
    house.send().await;
    house.pass(KEEP.as_millis() as i64 - MINUTE);
    house.send().await;
    assert_eq!(house.row().await.dead, 0);
    house.pass(10 * MINUTE);
    house.send().await;
    assert_eq!(house.row().await.dead, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(sqlite(&folder).await, system_names(), &["127.0.0.1"]);
    let receiver = Receiver::start().await;
    house.hook(&receiver.url()).await;
    house.edit("one", true).await;
    house.note().await;
    house.send().await;
    let call = receiver.calls().remove(0);
    let (id, at) = (call.header("webhook-id"), call.header("webhook-timestamp"));
    assert_eq!(at.parse::<i64>().unwrap(), house.now() / 1_000);
    let secret = house.row().await.secret;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap());
    let signature = call.header("webhook-signature").strip_prefix("v1,").unwrap();
    let signature = BASE64.decode(signature).unwrap();
    assert!(hmac::verify(&key, format!("{id}.{at}.{}", call.body).as_bytes(), &signature).is_ok());
    assert!(hmac::verify(&key, format!("{id}.{}0.{}", at, call.body).as_bytes(), &signature).is_err());
    let event = call.json();
    assert_eq!(event["type"], "document.changed");
    let data = &event["data"];
    assert_eq!((&data["document"], &data["first"], &data["seq"]), (&json!("one"), &json!(1), &json!(1)));
    assert_eq!((&data["authors"], &data["comments"]), (&json!([]), &json!([])));
}

/// A name is looked up by whoever connects; what it says the next time is looked at again.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_inside_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let storage = sqlite(&folder).await;
    let receiver = Receiver::start().await;
    let asked = Arc::new(AtomicU16::new(0));
    let lookup: Lookup = {
        let asked = Arc::clone(&asked);
        // Outside whenever it is looked at to be checked, and inside at the next moment.
        Arc::new(move |_| {
            let inside = asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
            Box::pin(async move { Ok(vec![IpAddr::from(if inside { [127, 0, 0, 1] } else { [192, 0, 2, 1] })]) })
        })
    };
    let house = House::new(Arc::clone(&storage), Arc::clone(&lookup), &[]);
    for inside in [
        receiver.url(),
        receiver.url().replace("127.0.0.1", "[::1]"),
        receiver.url().replace("127.0.0.1", "2130706433"),
    ] {
        assert!(house.webhooks.sender.check(&inside).is_err(), "{inside}");
    }
    assert!(house.webhooks.sender.check("file:///etc/passwd").is_err());
    let url = format!("http://receiver.example:{}/hook", receiver.address.port());
    house.hook(&url).await;
    house.edit("one", true).await;
    house.note().await;
    for _ in 0..4 {
        house.send().await;
        house.pass(5 * MINUTE);
    }
    assert!(asked.load(Ordering::SeqCst) >= 4);
    assert!(house.row().await.error.unwrap().contains("--webhook-allow"));
    assert_eq!(receiver.calls().len(), 0);
    // Allowed, the same name leads there; and no further.
    let house = House { webhooks: House::new(storage, lookup, &["127.0.0.0/8"]).webhooks, ..house };
    receiver.answer(302);
    while receiver.calls().is_empty() {
        house.send().await;
        house.pass(5 * MINUTE);
    }
    assert!(house.row().await.error.is_some_and(|error| error.contains("302")));
    assert!(receiver.calls().iter().all(|call| call.headers.starts_with("POST /hook ")));
}

async fn edit(address: SocketAddr, headers: &str, document: &str, text: &str) {
    let edits = json!([{ "append": { "nodes": [{ "type": "action", "children": [{ "text": text }] }] } }]);
    let body = json!({ "edits": edits }).to_string();
    let answer = request(address, "PATCH", &format!("/api/scenes/{document}"), headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_set_webhooks_up_and_see_how_they_do() {
    let flags = ["--auth", "jwt", "--jwt-secret", SECRET, "--webhook-allow", "127.0.0.1", "--max-webhooks", "1"];
    let server = TestServer::with(&flags).await;
    let token = |admin: bool| {
        let exp = slate_yrs_server::clock::now() / 1_000 + 600;
        let claims = json!({ "sub": "ada", "documents": ["scene"], "exp": exp, "admin": admin });
        format!("Authorization: Bearer {}\r\n", common::tokens::hs256(&claims, SECRET))
    };
    let (ada, admin) = (token(false), token(true));
    let ask = async |method: &str, path: &str, headers: &str, body: &str| {
        request(server.address, method, &format!("/api/admin/webhooks{path}"), headers, body).await
    };
    let receiver = Receiver::start().await;
    let body = json!({ "url": receiver.url() }).to_string();
    assert_eq!(ask("POST", "", &ada, &body).await.status, 403);
    for wrong in [
        json!({ "url": "http://10.0.0.1/" }),
        json!({ "url": "nonsense" }),
        json!({ "url": receiver.url(), "secret": "whsec_c2hvcnQ=" }),
    ] {
        assert_eq!(ask("POST", "", &admin, &wrong.to_string()).await.status, 400, "{wrong}");
    }
    let made = ask("POST", "", &admin, &body).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(made.json()["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(ask("POST", "", &admin, &body).await.status, 409, "as many as there may be");
    edit(server.address, &ada, "scene", "One.").await;
    eventually("it is told", || receiver.calls().len() == 1).await;
    assert_eq!(receiver.calls()[0].json()["data"]["authors"], json!(["ada"]));
    let listed = ask("GET", "", &admin, "").await;
    assert!(!listed.text().contains("whsec_"), "{}", listed.text());
    assert_eq!(listed.json()["webhooks"][0]["url"], json!(receiver.url()));
    assert_eq!(ask("GET", &format!("/{id}/dead"), &admin, "").await.json(), json!({ "events": [] }));
    assert_eq!(ask("POST", &format!("/{id}/dead"), &admin, "").await.json(), json!({ "events": 0 }));
    assert_eq!(ask("DELETE", &format!("/{id}"), &admin, "").await.status, 204);
    for (method, path) in [("DELETE", ""), ("GET", "/dead"), ("POST", "/dead")] {
        assert_eq!(ask(method, &format!("/{id}{path}"), &admin, "").await.status, 404);
    }
    assert!(get(server.address, "/metrics").await.text().contains("slate_yrs_webhook_waiting"));
}

/// The real program, killed while the receiver is away.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_tells_everything_once_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/killed.sqlite", folder.path().display());
    let flags = ["--webhook-allow", "127.0.0.1"];
    let receiver = Receiver::start().await;
    let program = Program::start(&database, &flags);
    let body = json!({ "url": receiver.url() }).to_string();
    assert_eq!(request(program.address, "POST", "/api/admin/webhooks", "", &body).await.status, 200);
    receiver.answer(503);
    edit(program.address, "", "scene", "One.").await;
    eventually("it was tried", || !receiver.calls().is_empty()).await;
    edit(program.address, "", "scene", "Two.").await;
    edit(program.address, "", "other", "Three.").await;
    program.kill();
    receiver.answer(200);
    let program = Program::start(&database, &flags);
    edit(program.address, "", "scene", "Four.").await;
    let expected = BTreeMap::from([("other".to_owned(), vec![1]), ("scene".to_owned(), vec![1, 2, 3])]);
    eventually("everything is told", || receiver.numbers() == expected).await;
}

/// A database in which nobody is to be told, and how often it is asked that.
#[derive(Default)]
struct Nobody {
    asked: AtomicU32,
}

impl Nobody {
    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Anything but who there is.
    fn more<T: Default>(&self) -> Result<T> {
        self.asked.fetch_add(1_000, Ordering::SeqCst);
        Ok(T::default())
    }
}

#[async_trait]
impl WebhookStorage for Nobody {
    async fn put_webhook(&self, _: &WebhookRow, _: u32) -> Result<bool> {
        self.more()
    }

    async fn webhooks(&self) -> Result<Vec<WebhookRow>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    }

    async fn delete_webhook(&self, _: &str) -> Result<bool> {
        self.more()
    }

    async fn unnoted(&self, _: u32) -> Result<Vec<String>> {
        self.more()
    }

    async fn note(&self, _: &[String]) -> Result<()> {
        self.more()
    }

    async fn note_attendance(&self, _: &str, _: &[Attendance]) -> Result<()> {
        self.more()
    }

    async fn claim(&self, _: &str) -> Result<Option<QueuedEvent>> {
        self.more()
    }

    async fn delivered(&self, _: &str, _: i64) -> Result<()> {
        self.more()
    }

    async fn failed(&self, _: &str, _: i64, _: &FailedDelivery) -> Result<()> {
        self.more()
    }

    async fn dead(&self, _: &str, _: u32) -> Result<Vec<QueuedEvent>> {
        self.more()
    }

    async fn revive(&self, _: &str) -> Result<u64> {
        self.more()
    }
}

/// Of each document what came of it, and at which number.
fn happened(receiver: &Receiver, document: &str) -> Vec<(String, i64)> {
    let events = receiver.calls().into_iter().map(|call| call.json());
    let of_it = events.filter(|event| event["data"]["document"] == document);
    of_it.map(|event| (event["type"].as_str().unwrap().to_owned(), event["data"]["seq"].as_i64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_document_is_opened_and_closed_is_told_around_its_changes() {
    let mut server = TestServer::with(&["--webhook-allow", "127.0.0.1", "--room-idle-ms", "10"]).await;
    let receiver = Receiver::start().await;
    let body = json!({ "url": receiver.url() }).to_string();
    assert_eq!(request(server.address, "POST", "/api/admin/webhooks", "", &body).await.status, 200);
    // Nobody has a document open that a program edits.
    edit(server.address, "", "other", "One.").await;
    let changed = |seq: i64| ("document.changed".to_owned(), seq);
    eventually("the change is told", || happened(&receiver, "other") == [changed(1)]).await;
    let mut ada = server.plain("scene", 1).await;
    ada.sync().await;
    ada.write("Hello").await;
    ada.round_trip().await;
    // Who listens has nothing open, and keeps nobody from being told that it is closed.
    let mut listener = Listener::open(server.address, "/api/scenes/scene/events", "").await;
    listener.until("ready").await;
    let (opened, closed) = (("document.opened".to_owned(), 0), ("document.closed".to_owned(), 1));
    eventually("it is opened", || happened(&receiver, "scene") == [opened.clone(), changed(1)]).await;
    ada.leave().await;
    eventually("it is closed", || happened(&receiver, "scene").len() == 3).await;
    assert_eq!(happened(&receiver, "scene"), [opened, changed(1), closed.clone()]);
    let last = receiver.calls().pop().unwrap().json();
    assert!(last["data"]["server"].is_string() && last["data"]["etag"].is_string(), "{last}");
    // What is open when the server stops is closed by it; whoever was away then hears of it from the next one.
    let mut ada = server.plain("scene", 1).await;
    ada.sync().await;
    eventually("it is opened again", || happened(&receiver, "scene").len() == 4).await;
    receiver.answer(503);
    server.restart().await;
    receiver.answer(200);
    eventually("it is closed", || happened(&receiver, "scene").last() == Some(&closed)).await;
    assert_eq!(happened(&receiver, "other"), [changed(1)]);
    drop((ada, listener));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_told_the_database_is_hardly_asked() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Arc::new(Nobody::default());
    let mut storage = Faulty::new(sqlite(&folder).await);
    storage.webhooks = Some(Arc::clone(&nobody) as Arc<dyn WebhookStorage>);
    let house = House::new(Arc::new(storage), system_names(), &[]);
    let began = Instant::now();
    let tasks = house.webhooks.start();
    eventually("somebody looks", || nobody.asked() > 0).await;
    // As often as a second passes without a webhook it was asked once, and once more where something had changed.
    for second in 0..4 {
        house.changed.note("scene");
        tokio::time::sleep_until((began + Duration::from_secs(second)).into()).await;
    }
    eventually("what was said is dropped", || house.changed.is_empty()).await;
    // However slow the machine is: no more often than this.
    let looks = 1 + (began.elapsed().as_secs_f64() / LOOK_EVERY.as_secs_f64()) as u32;
    assert!(nobody.asked() <= looks, "asked {} times instead of {looks}", nobody.asked());
    // By themselves five looks take longer than anybody waits here.
    let several = || {
        house.webhooks.is_set_up();
        nobody.asked() > looks + 5
    };
    eventually("one that is set up here is seen at once", several).await;
    tasks.iter().for_each(|task| task.abort());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_servers_one_sends() {
    let Some(postgres) = Postgres::start() else { return };
    let mut servers = Vec::new();
    for _ in 0..2 {
        let storage = SqlStorage::open(&postgres.url("several"), Durability::Full).await.unwrap();
        let flags = ["--poll-ms", "20", "--webhook-allow", "127.0.0.1", "--database", "postgres://"].map(str::to_owned);
        servers.push(Server::start(common::args(&flags), Arc::new(storage)).await.unwrap());
    }
    let receiver = Receiver::start().await;
    let body = json!({ "url": receiver.url() }).to_string();
    assert_eq!(request(servers[0].address, "POST", "/api/admin/webhooks", "", &body).await.status, 200);
    for turn in 0..6 {
        edit(servers[turn % 2].address, "", "scene", "Again.").await;
    }
    let expected = BTreeMap::from([("scene".to_owned(), (1..=6).collect::<Vec<_>>())]);
    eventually("everything is told", || receiver.numbers() == expected).await;
    let calls = receiver.calls();
    let distinct: BTreeSet<_> = calls.iter().map(|call| call.header("webhook-id")).collect();
    assert_eq!(distinct.len(), calls.len(), "nothing twice");
    for server in servers {
        server.shutdown().await;
    }
}
