//! Keys from an address, and the application asked by a webhook: against a real HTTP server that can be told to fail.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use common::http::{get, request};
use common::tokens::{SigningKey, sign};
use common::{Client, Msg, TestServer};
use serde_json::{Value, json};
use slate_yrs::protocol::{Role, close};
use slate_yrs_server::storage::Storage;

/// What the other side was asked, and what it says.
#[derive(Clone)]
struct Elsewhere {
    address: SocketAddr,
    state: Arc<Mutex<(u16, String, Vec<Asked>)>>,
    slow: Arc<std::sync::atomic::AtomicBool>,
}

#[derive(Clone)]
struct Asked {
    authorization: Option<String>,
    body: String,
}

impl Elsewhere {
    async fn start(status: u16, body: impl ToString) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new((status, body.to_string(), Vec::new()))),
            slow: Arc::default(),
        };
        async fn answer(
            State(this): State<Elsewhere>,
            _: Uri,
            headers: HeaderMap,
            body: String,
        ) -> (StatusCode, [(&'static str, &'static str); 1], String) {
            if this.slow.load(std::sync::atomic::Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            let mut state = this.state.lock().unwrap();
            let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
            state.2.push(Asked { authorization, body });
            (StatusCode::from_u16(state.0).unwrap(), [("location", "http://127.0.0.1:1/")], state.1.clone())
        }
        let router = Router::new().fallback(answer).with_state(this.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        this
    }

    fn says(&self, status: u16, body: impl ToString) {
        let mut state = self.state.lock().unwrap();
        (state.0, state.1) = (status, body.to_string());
    }

    fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().2.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn key_set(ids: &[&str]) -> String {
    let mut set: Value = serde_json::from_str(include_str!("keys/jwks.json")).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    keys.retain(|key| ids.contains(&key["kid"].as_str().unwrap()));
    assert_eq!(keys.len(), ids.len());
    set.to_string()
}

fn token(key: &str, user: &str) -> String {
    let claims = json!({
        "sub": user, "exp": slate_yrs_server::clock::now() / 1_000 + 60, "documents": ["scene"], "name": "Ada",
    });
    let (algorithm, pem) = match key {
        "ec" => ("ES256", SigningKey::ec(include_str!("keys/ec.pem"))),
        _ => ("RS256", SigningKey::rsa(include_str!("keys/rsa.pem"))),
    };
    sign(&json!({ "alg": algorithm, "kid": key }), &claims, &pem)
}

async fn status(server: &TestServer, token: &str) -> u16 {
    get(server.address, &format!("/api/scenes/scene/versions?token={token}")).await.status
}

/// The close code of a WebSocket; 0: it is let in.
async fn code(server: &TestServer, token: &str) -> u16 {
    let mut client = Client::connect(server.address, "scene", 1, &format!("token={token}")).await;
    match client.next().await {
        Msg::Close(code) => code,
        _ => 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_an_address_are_kept_and_fetched_again_for_a_new_name() {
    let issuer = Elsewhere::start(200, key_set(&["rsa"])).await;
    // Short, so that the limit on fetches is short as well.
    let server = TestServer::with(&["--jwks", &issuer.url("/keys"), "--jwks-refresh-ms", "400"]).await;
    assert_eq!(issuer.asked().len(), 1, "fetched before the first token");
    let (old, new) = (token("rsa", "ada"), token("ec", "bob"));
    assert_eq!(status(&server, &old).await, 200);
    assert_eq!(status(&server, &new).await, 401, "a key that the issuer does not know");
    // The issuer brings a new key: the first token that names it has it fetched.
    issuer.says(200, key_set(&["rsa", "ec"]));
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(status(&server, &new).await, 200);
    // Now it fails, in every way: what is known stays good; who has an unknown key may come again.
    let unknown = token("another", "eve");
    for (status_code, body) in [(500, key_set(&[])), (200, "<html>".into()), (200, key_set(&[])), (302, String::new())]
    {
        issuer.says(status_code, body);
        tokio::time::sleep(Duration::from_millis(450)).await;
        assert_eq!(status(&server, &unknown).await, 503, "{status_code}");
        assert_eq!(status(&server, &old).await, 200, "{status_code}");
        assert_eq!(status(&server, &new).await, 200, "{status_code}");
    }
    assert_eq!(code(&server, &unknown).await, close::INTERNAL);
    assert_eq!(code(&server, &old).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_key_names_do_not_reach_the_issuer() {
    let issuer = Elsewhere::start(200, key_set(&["rsa"])).await;
    let server = TestServer::with(&["--jwks", &issuer.url("/keys")]).await;
    for n in 0..50 {
        assert_eq!(status(&server, &token(&format!("made up {n}"), "eve")).await, 401);
    }
    assert_eq!(issuer.asked().len(), 1);
    assert_eq!(status(&server, &token("rsa", "ada")).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_away_at_first_is_no_refusal() {
    let issuer = Elsewhere::start(503, "").await;
    let server = TestServer::with(&["--jwks", &issuer.url("/keys"), "--jwks-refresh-ms", "50"]).await;
    let token = token("rsa", "ada");
    assert_eq!(status(&server, &token).await, 503);
    assert_eq!(code(&server, &token).await, close::INTERNAL);
    assert_eq!(status(&server, "nonsense").await, 401, "no key could make this good");
    issuer.says(200, key_set(&["rsa"]));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(status(&server, &token).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_decides() {
    let application = Elsewhere::start(200, json!({"user": "ada", "name": "Ada", "role": "read-write"})).await;
    let url = application.url("/who?secret=1");
    let server =
        TestServer::with(&["--auth-url", &url, "--auth-secret", "between us", "--auth-cache-ms", "60000"]).await;
    let mut client = Client::connect(server.address, "scene", 1, "slate-yrs=1&session=s&token=t%2B1").await;
    client.sync().await;
    client.write("allowed").await;
    client.all_acked().await;
    let rows = server.storage.get_updates_since("scene", 0, 10).await.unwrap();
    assert_eq!(rows[0].authors.to_lines().as_deref(), Some("ada"));
    let asked = application.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].authorization.as_deref(), Some("Bearer between us"));
    let question: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(question, json!({"document": "scene", "token": "t+1", "origin": null}));

    // Kept for this token and document; asked for any other, and for pages of another origin.
    for path in ["/api/scenes/scene/versions?token=t%2B1", "/api/scenes/scene/export?token=t%2B1"] {
        assert_eq!(get(server.address, path).await.status, 200);
    }
    assert_eq!(application.asked().len(), 1);
    application.says(200, json!({"user": "bob", "role": "read-only"}));
    assert_eq!(get(server.address, "/api/scenes/other/versions?token=t%2B1").await.status, 200);
    assert_eq!(status(&server, "t2").await, 200);
    let headers = "Origin: https://page.example\r\n";
    assert_eq!(request(server.address, "GET", "/api/scenes/scene/versions?token=t2", headers, "").await.status, 200);
    let asked = application.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked[3].body.contains("https://page.example"));
    let reader = Client::connect(server.address, "scene", 2, "slate-yrs=1&session=r&token=t2").await;
    assert_eq!(reader.hello.unwrap().role, Role::ReadOnly);
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_refused_by_the_application_or_not_answered() {
    let application = Elsewhere::start(401, "").await;
    let flags = ["--auth-url", &application.url("/"), "--auth-cache-ms", "0", "--auth-timeout-ms", "300"];
    let server = TestServer::with(&flags).await;
    for (answer, body, http, socket) in [
        (401, String::new(), 401, close::UNAUTHORIZED),
        (403, String::new(), 403, close::FORBIDDEN),
        // Not a refusal: nobody knows. The client comes again.
        (500, String::new(), 503, close::INTERNAL),
        (404, String::new(), 503, close::INTERNAL),
        (302, String::new(), 503, close::INTERNAL),
        (204, String::new(), 503, close::INTERNAL),
        (200, "yes".into(), 503, close::INTERNAL),
        (200, json!({"user": "ada"}).to_string(), 503, close::INTERNAL),
        (200, json!({"role": "admin"}).to_string(), 503, close::INTERNAL),
        (200, " ".repeat(100_000), 503, close::INTERNAL),
        (200, json!({"role": "read-write", "exp": 1}).to_string(), 401, close::UNAUTHORIZED),
    ] {
        application.says(answer, &body);
        assert_eq!(status(&server, "t").await, http, "{answer} {body:.60}");
        assert_eq!(code(&server, "t").await, socket, "{answer} {body:.60}");
    }
    assert_eq!(server.rows("scene").await, 0);
    application.says(200, json!({"role": "read-write"}));
    assert_eq!(status(&server, "t").await, 200);
    application.slow.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(status(&server, "t").await, 503);
    assert_eq!(code(&server, "t").await, close::INTERNAL);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_allows_ends_when_it_says() {
    let exp = slate_yrs_server::clock::now() / 1_000 + 4;
    let application = Elsewhere::start(200, json!({"role": "read-write", "exp": exp})).await;
    let server = TestServer::with(&["--auth-url", &application.url("/"), "--auth-cache-ms", "60000"]).await;
    let mut client = Client::connect(server.address, "scene", 1, "token=t").await;
    client.sync().await;
    assert_eq!(client.closed().await, close::UNAUTHORIZED);
    // The yes in memory ended with it.
    assert_eq!(status(&server, "t").await, 401);
    assert_eq!(application.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_without_an_end_is_asked_for_again() {
    let application = Elsewhere::start(200, json!({"role": "read-write"})).await;
    let flags = ["--auth-url", &application.url("/"), "--auth-cache-ms", "0", "--auth-recheck-ms", "100"];
    let server = TestServer::with(&flags).await;
    let mut client = Client::connect(server.address, "scene", 1, "token=t").await;
    client.sync().await;
    // An application that is away says nothing about who is in.
    application.says(500, "");
    common::eventually("asked again", || application.asked().len() > 3).await;
    client.write("still in").await;
    client.round_trip().await;
    application.says(403, "");
    assert_eq!(client.closed().await, close::FORBIDDEN);
}

/// From an address of which no token is asked about any more, a connection is still asked about: else whoever lost access
/// would keep it by having made-up tokens refused.
#[tokio::test(flavor = "multi_thread")]
async fn f59_refused_tokens_keep_nobody_in() {
    let application = Elsewhere::start(200, json!({"user": "ada", "role": "read-write"})).await;
    let url = application.url("/");
    let flags = ["--auth-url", &url, "--auth-cache-ms", "0", "--auth-recheck-ms", "300", "--auth-max-refusals", "3"];
    let server = TestServer::with(&flags).await;
    let mut ada = Client::connect(server.address, "scene", 1, "token=t").await;
    ada.sync().await;
    application.says(403, "");
    for n in 0..5 {
        status(&server, &format!("made-up-{n}")).await;
    }
    assert_eq!(status(&server, "made-up").await, 503, "nobody there is asked about any more");
    assert_eq!(ada.closed().await, close::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn f56_made_up_tokens_do_not_reach_the_application_for_ever() {
    let application = Elsewhere::start(401, "").await;
    let flags = ["--auth-url", &application.url("/"), "--auth-max-refusals", "5", "--address-header", "X-Real-Ip"];
    let server = TestServer::with(&flags).await;
    let ask = async |token: &str, from: &str| {
        let path = format!("/api/scenes/scene/versions?token={token}");
        request(server.address, "GET", &path, &format!("X-Real-Ip: 1.2.3.4, {from}\r\n"), "").await.status
    };
    for n in 0..20 {
        assert_eq!(ask(&format!("made-up-{n}"), "10.0.0.1").await, if n < 5 { 401 } else { 503 }, "{n}");
    }
    assert_eq!(application.asked().len(), 5);
    let metrics = get(server.address, "/metrics").await.text();
    assert!(metrics.contains("slate_yrs_limits_hit_total{limit=\"auth-questions\"} 15"), "{metrics}");
    // Others are asked about.
    application.says(200, json!({"role": "read-only"}));
    assert_eq!(ask("good", "10.0.0.2").await, 200);
}

/// Everything the server logs, at its most talkative, while tokens of each kind are used and refused.
#[tokio::test(flavor = "multi_thread")]
async fn f24_tokens_stay_out_of_logs() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let database = format!("sqlite:{}/server.sqlite", folder.path().display());
    let application = Elsewhere::start(200, json!({"role": "read-only"})).await;
    let flags = ["--auth-url", &application.url("/ask?key=hidden-key"), "--auth-secret", "hidden-secret"];
    let server = common::program::Program::start_logging(&database, &flags, "trace,sqlx=trace,hyper=trace", &log);
    let mut client = Client::connect(server.address, "scene", 1, "token=hidden-token&slate-yrs=1&session=s").await;
    client.sync().await;
    client.write("refused").await;
    get(server.address, "/api/scenes/scene/versions?token=hidden-query").await;
    request(server.address, "GET", "/api/scenes/scene/versions", "Authorization: Bearer hidden-bearer\r\n", "").await;
    application.says(401, "hidden-answer");
    Client::open(server.address, "scene", 2, "token=hidden-refused").await.closed().await;
    application.says(200, "hidden-nonsense");
    Client::open(server.address, "scene", 3, "token=hidden-unclear").await.closed().await;
    common::eventually("it is logged", || {
        std::fs::read_to_string(&log).unwrap().contains("the application does not say")
    })
    .await;
    let log = std::fs::read_to_string(&log).unwrap();
    let found: Vec<&str> = log.lines().filter(|line| line.contains("hidden-")).collect();
    assert!(found.is_empty(), "{found:#?}");
}
