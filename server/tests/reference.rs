//! `server/openapi.json` against the program: each route is described, and what is described is what comes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;

use common::TestServer;
use common::http::{Answer, get, request};
use serde_json::{Value, json};
use slate_yrs::slate::{Element, Leaf, Node, SlateDoc, ValueChange};
use slate_yrs_server::storage::Storage;

const SECRET: &str = "a secret that is long enough for tests";

/// What is described: path, method and all else.
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let paths = description["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let one = |(method, what): (&String, &Value)| (path.clone(), method.clone(), what.clone());
        methods.as_object().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// Follows a reference within the description.
fn resolved<'a>(description: &'a Value, what: &'a Value) -> &'a Value {
    match what["$ref"].as_str() {
        Some(place) => description.pointer(place.trim_start_matches('#')).expect("what it refers to"),
        None => what,
    }
}

/// The routes, as the source of the router names them.
fn routes() -> BTreeSet<(String, String)> {
    let source = include_str!("../src/http/mod.rs");
    let (nested, own) = source.split_once("let mut router").unwrap();
    let mut found = BTreeSet::new();
    for (part, before) in [(nested, "/api/scenes/{scene}"), (own, "")] {
        for route in part.split(".route(\"").skip(1) {
            let (path, what) = route.split_once('"').unwrap();
            let what = what.split(".route(").next().unwrap();
            for method in
                ["get", "post", "put", "patch", "delete"].into_iter().filter(|name| what.contains(&format!("{name}(")))
            {
                let path = format!("{before}{}", if before.is_empty() { path } else { path.trim_end_matches('/') });
                found.insert((path.replace("{scene_id}", "{scene}"), method.to_owned()));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_and_no_other() {
    let server = TestServer::start().await;
    let description = get(server.address, "/api/openapi.json").await.json();
    let described: BTreeSet<_> = operations(&description).into_iter().map(|(path, method, _)| (path, method)).collect();
    let routes = routes();
    assert!(routes.len() > 15, "the source is read: {routes:?}");
    assert_eq!(described, routes);
}

/// A request as the description has it, with its examples.
async fn ask(server: &TestServer, description: &Value, (path, method, what): &(String, String, Value)) -> Answer {
    let (mut path, mut query) = (path.clone(), Vec::new());
    for parameter in what["parameters"].as_array().into_iter().flatten() {
        let parameter = resolved(description, parameter);
        let name = parameter["name"].as_str().unwrap();
        match (parameter["in"].as_str().unwrap(), parameter["example"].as_str()) {
            ("path", Some(example)) => path = path.replace(&format!("{{{name}}}"), example),
            ("query", Some(example)) => query.push(format!("{name}={example}")),
            (_, example) => assert!(example.is_none() && parameter["required"] == false, "{parameter}"),
        }
    }
    let example = &what["requestBody"]["content"]["application/json"]["example"];
    let body = if example.is_null() { String::new() } else { example.to_string() };
    let headers = match path.starts_with("/ws/") {
        true => {
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        }
        false => "",
    };
    let path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    request(server.address, &method.to_uppercase(), &path, headers, &body).await
}

/// Whether a value is what a schema says, as far as the schemas here say anything.
fn fits(description: &Value, schema: &Value, value: &Value) -> bool {
    let schema = resolved(description, schema);
    let is_of = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    };
    let is_typed = match &schema["type"] {
        Value::String(name) => is_of(name),
        Value::Array(names) => names.iter().any(|name| is_of(name.as_str().unwrap())),
        _ => true,
    };
    let has_what_it_needs =
        schema["required"].as_array().into_iter().flatten().all(|name| value.get(name.as_str().unwrap()).is_some());
    let is_listed = schema["enum"].as_array().is_none_or(|names| names.contains(value));
    let properties = schema["properties"].as_object();
    // Nothing comes that is not described.
    let are_properties_described = properties.is_none_or(|properties| {
        value
            .as_object()
            .into_iter()
            .flatten()
            .all(|(name, value)| properties.get(name).is_some_and(|schema| fits(description, schema, value)))
    });
    let items = value.as_array().filter(|_| schema.get("items").is_some());
    let are_items = items.into_iter().flatten().all(|item| fits(description, &schema["items"], item));
    is_typed && has_what_it_needs && is_listed && are_properties_described && are_items
}

/// Whether an answer is among those that are described.
fn check(description: &Value, operation: &(String, String, Value), answer: &Answer) {
    let (path, method, what) = operation;
    let responses = what["responses"].as_object().unwrap();
    let response = responses.get(&answer.status.to_string());
    let response = response.unwrap_or_else(|| panic!("{method} {path}: {} {}", answer.status, answer.text()));
    let response = resolved(description, response);
    let Some(content) = response["content"].as_object() else { return };
    let given = |name: &&String| answer.headers.contains(&format!("content-type: {name}"));
    let kind = content.keys().find(given).unwrap_or_else(|| panic!("{method} {path}: {}", answer.headers));
    if kind == "application/json" {
        let schema = &content[kind]["schema"];
        assert!(fits(description, schema, &answer.json()), "{method} {path}: {}", answer.text());
    }
    if answer.status == 503 {
        assert!(answer.headers.contains("retry-after: "), "{method} {path}");
    }
}

async fn with_a_document(flags: &[&str]) -> TestServer {
    let server = TestServer::with(flags).await;
    let leaf = |text: &str| Node::Text(Leaf { text: text.into(), ..Leaf::default() });
    let block = Element { attrs: Default::default(), children: vec![leaf("INT. KITCHEN")] };
    let seed = SlateDoc::seed_update("content", &[Node::Element(block)]);
    let epoch = server.storage.open_document("scene-1", 1).await.unwrap().epoch;
    let after = Some(yrs::Any::from("Ada"));
    let author = ValueChange { map: "title".into(), key: "Author".into(), before: None, after };
    let values = common::layout::slate_doc(7, "content").set_values(&[author]).unwrap();
    // One row: compaction, which is asked for before versions are, leaves it as it is.
    let update = slate_yrs::update::merge([&seed[..], &values]).unwrap();
    server.storage.store_update("scene-1", &epoch, 1, &update).await.unwrap();
    // To be deleted.
    server.storage.open_document("scene-2", 1).await.unwrap();
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_described_is_what_comes() {
    let server = with_a_document(&[]).await;
    let description = get(server.address, "/api/openapi.json").await.json();
    for operation in operations(&description) {
        let answer = ask(&server, &description, &operation).await;
        check(&description, &operation, &answer);
        let (path, method, what) = &operation;
        // Nobody deletes the present state.
        let wanted = match what["operationId"].as_str().unwrap() {
            "deleteVersion" => 400,
            // The document is of format 0.
            "rollBack" => 409,
            // There is no webhook yet.
            "deleteWebhook" | "listDeadEvents" | "reviveDeadEvents" => 404,
            _ => what["responses"].as_object().unwrap().keys().next().unwrap().parse().unwrap(),
        };
        assert_eq!(answer.status, wanted, "{method} {path}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_as_they_are_described() {
    let server = with_a_document(&["--jwt-secret", SECRET]).await;
    let description = get(server.address, "/api/openapi.json").await.json();
    let exp = slate_yrs_server::clock::now() / 1_000 + 60;
    let admin = common::tokens::hs256(&json!({ "sub": "root", "admin": true, "exp": exp }), SECRET);
    let mut asked = 0;
    for (path, method, what) in operations(&description) {
        // What everybody may ask for, and sockets, which are refused by a close code.
        if what.get("security").is_some() || path.starts_with("/ws/") {
            continue;
        }
        let operation = (path, method, what);
        let answer = ask(&server, &description, &operation).await;
        assert_eq!(answer.status, 401, "{}", operation.0);
        check(&description, &operation, &answer);
        if operation.0.starts_with("/api/admin/") && operation.1 == "post" && !operation.0.contains('{') {
            let example = operation.2["requestBody"]["content"]["application/json"]["example"].to_string();
            for (body, status) in [(example.as_str(), 200), ("{", if example == "null" { 200 } else { 400 })] {
                let headers = format!("Authorization: Bearer {admin}\r\n");
                let answer = request(server.address, "POST", &operation.0, &headers, body).await;
                assert_eq!(answer.status, status, "{}", answer.text());
                check(&description, &operation, &answer);
            }
        }
        asked += 1;
    }
    assert!(asked > 10);
}
