//! Who wrote each letter, and taking back what somebody did: exact through whatever three people do to the structure, through
//! undo and going back, and through compaction.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use common::TestServer;
use common::http::{get, post, request};
use common::layout::{Made, go, kind, line, merge, put, slate_doc, split};
use fastrand::Rng;
use serde_json::{Value, json};
use slate_yrs::slate::{Act, Attrs, Node, Op, Path, SlateDoc};
use slate_yrs_server::authorship::{KnownAuthors, Part};
use slate_yrs_server::compact::{Retention, compact_document};
use slate_yrs_server::history::blame::{BlameRun, blame, known};
use slate_yrs_server::history::rollback::{self, Whose};
use slate_yrs_server::history::{HistoryError, VersionId, parse_time, restore, state, value};
use slate_yrs_server::storage::*;
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact, Update};

const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;
const NAMES: [&str; 3] = ["ada", "bob", "cy"];
/// Where the letters of each begin: each letter is written once, so that it says itself whose it is.
const LETTERS: [u32; 3] = [0x4e00, 0x5e00, 0x6e00];

fn writer_of(letter: char) -> usize {
    LETTERS.iter().rposition(|first| u32::from(letter) >= *first).expect("a letter of somebody's")
}

fn path(path: &[u32]) -> Path {
    Path::from_slice(path)
}

fn lines(nodes: &[Node]) -> Vec<String> {
    fn text(node: &Node) -> String {
        match node {
            Node::Text(leaf) => leaf.text.clone(),
            Node::Element(element) => element.children.iter().map(text).collect(),
        }
    }
    nodes.iter().map(text).collect()
}

fn letters(nodes: &[Node]) -> BTreeSet<char> {
    let all = lines(nodes).concat();
    let letters: BTreeSet<char> = all.chars().collect();
    assert_eq!(all.chars().count(), letters.len(), "a letter is there twice: {all}");
    letters
}

/// Somebody with a copy of the document.
struct Writer {
    doc: SlateDoc,
    /// How many updates of the log it has.
    heard: usize,
    steps: Vec<Vec<Act>>,
    next: u32,
}

/// Three people, and the server's log.
struct House {
    rng: Rng,
    storage: Arc<dyn Storage>,
    document: Document,
    writers: Vec<Writer>,
    log: Vec<Vec<u8>>,
    now: Millis,
    /// When each letter was written, and who deleted it when.
    written: BTreeMap<char, Millis>,
    deleted: BTreeMap<char, Vec<(usize, Millis)>>,
    fresh: u32,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/server.sqlite", folder.path().display());
        let storage: Arc<dyn Storage> = Arc::new(SqlStorage::open(&url, Durability::Process).await.unwrap());
        let document = storage.open_document("scene", 1).await.unwrap();
        let mut house = Self {
            rng: Rng::with_seed(seed),
            storage,
            document,
            writers: Vec::new(),
            log: Vec::new(),
            now: 20_000 * DAY,
            written: BTreeMap::new(),
            deleted: BTreeMap::new(),
            fresh: 1_000,
            _folder: folder,
        };
        for update in Made::new(7, "content").updates {
            house.store(0, update).await;
        }
        for at in 0..NAMES.len() {
            let doc = slate_doc(11 + at as u32, "content");
            house.writers.push(Writer { doc, heard: 0, steps: Vec::new(), next: 0 });
            house.hear(at);
        }
        for at in 0..NAMES.len() {
            house.hear(at);
            let text = house.write(at, 6);
            house.edit(at, vec![put(&[0], line(&text))]).await;
        }
        house
    }

    /// As a session's submission; each is in a sitting of its own.
    async fn store(&mut self, who: usize, bytes: Vec<u8>) {
        self.now += self.rng.i64(3 * MINUTE..20 * MINUTE);
        let seq = self.log.len() as u64 + 1;
        let submission = Submission { session: format!("session {who}"), seq, after_refusal: false, owner: None };
        let update = NewUpdate {
            bytes: bytes.clone().into(),
            author: Some(NAMES[who].into()),
            submission: Some(submission),
            comments: Authors::default(),
        };
        let request = StoreRequest {
            document: self.document.id.clone(),
            epoch: self.document.epoch.clone(),
            at: self.now,
            updates: vec![update],
            only_at_tip: None,
            once: Vec::new(),
            database: None,
        };
        self.storage.store_updates(&[request]).await.unwrap().pop().unwrap().unwrap();
        self.log.push(bytes);
    }

    fn hear(&mut self, who: usize) {
        let writer = &mut self.writers[who];
        for update in &self.log[writer.heard..] {
            writer.doc.apply_update(update).unwrap();
        }
        writer.heard = self.log.len();
    }

    fn write(&mut self, who: usize, count: u32) -> String {
        let writer = &mut self.writers[who];
        let text = (0..count).map(|n| char::from_u32(LETTERS[who] + writer.next + n).unwrap()).collect();
        writer.next += count;
        text
    }

    async fn edit(&mut self, who: usize, ops: Vec<Op>) {
        let before = letters(&self.writers[who].doc.value());
        let change = self.writers[who].doc.apply_local(ops);
        assert_eq!(change.rejected, []);
        self.writers[who].steps.push(change.acts);
        self.done(who, &before, change.update).await;
    }

    async fn done(&mut self, who: usize, before: &BTreeSet<char>, update: Option<Vec<u8>>) {
        let Some(update) = update else { return };
        self.store(who, update).await;
        let after = letters(&self.writers[who].doc.value());
        for letter in after.difference(before) {
            self.written.entry(*letter).or_insert(self.now);
        }
        for letter in before.difference(&after) {
            self.deleted.entry(*letter).or_default().push((who, self.now));
        }
    }

    /// Something that somebody does. `back`: also to take back, and to go back.
    async fn act(&mut self, back: bool) {
        let who = self.rng.usize(0..NAMES.len());
        if self.rng.u8(0..3) > 0 {
            self.hear(who);
        }
        let texts = lines(&self.writers[who].doc.value());
        let at = self.rng.usize(0..texts.len().max(1)) as u32;
        let len = texts.get(at as usize).map_or(0, |text| text.chars().count() as u32);
        let count = texts.len() as u32;
        let ops = match self.rng.u8(0..if back { 14 } else { 11 }) {
            0..=3 if count > 0 => {
                let (offset, many) = (self.rng.u32(0..=len), self.rng.u32(1..4));
                let text = self.write(who, many);
                vec![Op::InsertText { path: path(&[at, 0]), offset, text }]
            }
            4..=5 if len > 1 => {
                let place = self.rng.u32(1..len);
                vec![split(&[at, 0], place, Attrs::new()), split(&[at], 1, kind("p"))]
            }
            6 if at > 0 && len > 0 && !texts[at as usize - 1].is_empty() => {
                let before = texts[at as usize - 1].chars().count() as u32;
                vec![merge(&[at], 1), merge(&[at - 1, 1], before)]
            }
            7..=8 if count > 1 => vec![go(&[at], &[self.rng.u32(0..count)])],
            9..=10 if len > 3 => {
                let from = self.rng.u32(0..len - 2);
                let text = texts[at as usize].chars().skip(from as usize).take(2).collect();
                vec![Op::RemoveText { path: path(&[at, 0]), offset: from, text }]
            }
            11..=12 => {
                let Some(acts) = self.writers[who].steps.pop() else { return };
                let before = letters(&self.writers[who].doc.value());
                let (change, _) = self.writers[who].doc.revert(&acts, None);
                return self.done(who, &before, change.update).await;
            }
            13 => return self.go_back(who).await,
            _ => return,
        };
        self.edit(who, ops).await;
    }

    /// Somebody goes back to an earlier version, as the server does it.
    async fn go_back(&mut self, who: usize) {
        let rows = self.storage.get_updates_since("scene", 0, 10_000).await.unwrap();
        let version = VersionId::Seq(rows[self.rng.usize(rows.len() / 2..rows.len())].seq);
        let (_, version) = state(&self.storage, "scene", &version).await.unwrap();
        let current = self.state().await;
        self.fresh += 1;
        if let Some(update) = restore("content", self.fresh, &current, &version).unwrap() {
            self.store(who, update).await;
        }
    }

    async fn state(&self) -> Vec<u8> {
        state(&self.storage, "scene", &VersionId::Now).await.unwrap().1
    }

    async fn compact(&mut self) {
        let report = compact_document(&self.storage, "scene", Retention::default(), self.now).await.unwrap();
        assert_eq!((report.given_up, report.quarantined), (0, 0));
    }

    async fn known(&self) -> KnownAuthors {
        known(&self.storage, "scene").await.unwrap()
    }

    async fn blame(&self) -> Vec<(char, BlameRun)> {
        each(&self.state().await, &self.known().await)
    }
}

/// Each letter that is shown, with the run that it is in.
fn each(state: &[u8], known: &KnownAuthors) -> Vec<(char, BlameRun)> {
    let value = value("content", state).unwrap();
    let mut found = Vec::new();
    for run in blame("content", state, known).unwrap() {
        let mut children = &value;
        let (last, parents) = run.path.split_last().unwrap();
        for index in parents {
            let Node::Element(element) = &children[*index as usize] else { panic!("a text has no children") };
            children = &element.children;
        }
        let Node::Text(leaf) = &children[*last as usize] else { panic!("a run is in a text") };
        let ids: u32 = run.ids.iter().map(|(_, _, count)| count).sum();
        assert_eq!(ids, run.length);
        let letters = leaf.text.chars().skip(run.offset as usize).take(run.length as usize);
        found.extend(letters.map(|letter| (letter, run.clone())));
    }
    let shown: String = lines(&value).concat();
    assert_eq!(found.iter().map(|(letter, _)| *letter).collect::<String>(), shown, "each letter once, in order");
    found
}

fn check(blamed: &[(char, BlameRun)], seed: u64) {
    for (letter, run) in blamed {
        let wrote = NAMES[writer_of(*letter)];
        assert_eq!(run.author.as_deref(), Some(wrote), "seed {seed}: {letter} of {wrote} in {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_letter_is_whose_it_is_whatever_becomes_of_it() {
    let (mut merged, mut days, mut gone_back) = (0, 0, 0);
    for seed in 0..8 {
        let mut house = House::new(seed).await;
        for round in 0..6 {
            for _ in 0..30 {
                house.act(true).await;
            }
            check(&house.blame().await, seed);
            house.now += if round == 2 { 40 * DAY } else { DAY };
            house.compact().await;
            check(&house.blame().await, seed);
        }
        let rows = house.storage.get_updates_since("scene", 0, 10_000).await.unwrap();
        merged += rows.iter().filter(|row| row.authors.0.len() > 1).count();
        days += rows.iter().filter(|row| row.detail == Detail::Day && row.authors.0.len() > 1).count();
        gone_back += house.fresh - 1_000;
    }
    assert!(merged > 15 && days > 8 && gone_back > 15, "{merged} {days} {gone_back}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_did_in_a_span_is_taken_back_and_nothing_else() {
    let (mut gone, mut returned) = (0, 0);
    for seed in 0..30 {
        let mut house = House::new(1_000 + seed).await;
        for _ in 0..25 {
            house.act(false).await;
        }
        let from = house.now + 1;
        for _ in 0..25 {
            house.act(false).await;
        }
        let to = house.now;
        for _ in 0..10 {
            house.act(false).await;
        }
        if seed % 2 == 0 {
            house.now += 2 * DAY;
            house.compact().await;
        }
        let who = house.rng.usize(0..NAMES.len());
        let whose = Whose { author: NAMES[who].into(), from, to };
        let current = house.state().await;
        let before = letters(&value("content", &current).unwrap());
        let log = rollback::log(&house.storage, "scene").await.unwrap();
        let made = rollback::roll_back("content", 999, &current, &log, &whose).unwrap();
        let Some(update) = made.update else { continue };
        house.store((who + 1) % 3, update).await;
        let after = letters(&value("content", &house.state().await).unwrap());
        let in_span = |at: &Millis| (from..=to).contains(at);
        let hour = |at: Millis| at.div_euclid(60 * MINUTE);
        for (letter, written) in &house.written {
            let own = writer_of(*letter) == who && in_span(written);
            let deleted = house.deleted.get(letter).map_or(&[][..], Vec::as_slice);
            let only_by_them = !deleted.is_empty() && deleted.iter().all(|(by, at)| *by == who && in_span(at));
            let is_there = before.contains(letter);
            // What was written and deleted within one hour is not in a log that was compacted.
            let is_kept = seed % 2 == 1 || deleted.iter().all(|(_, at)| hour(*at) != hour(*written));
            if !is_there && only_by_them && !is_kept {
                continue;
            }
            let wanted = !own && (is_there || only_by_them);
            assert_eq!(
                after.contains(letter),
                wanted,
                "seed {seed}: {letter} of {}, written {written} (own: {own}), deleted {deleted:?}, there: {is_there}; \
                 {whose:?}",
                NAMES[writer_of(*letter)]
            );
            gone += u32::from(own && is_there);
            returned += u32::from(wanted && !is_there);
        }
        // What came back is still whose it was.
        check(&house.blame().await, seed);
    }
    assert!(gone > 100 && returned > 20, "{gone} {returned}");
}

/// A client that has no session sends all that it has: what others had written and deleted stays theirs.
#[test]
fn what_came_first_holds() {
    let doc = |client| Doc::with_client_id(client);
    let (ada, bob) = (doc(1), doc(2));
    let typed = |doc: &Doc, at: u32, text: &str| {
        let root = doc.get_or_insert_text("content");
        let mut txn = doc.transact_mut();
        root.insert(&mut txn, at, text);
        txn.encode_update_v1()
    };
    let row = |seq, author: &str, bytes: Vec<u8>| UpdateRow {
        seq,
        first_seq: seq,
        detail: Detail::Edit,
        authors: Authors([author.to_owned()].into()),
        at: seq,
        bytes,
        quarantined: None,
        submitted: false,
    };
    let first = row(1, "ada", typed(&ada, 0, "abcd"));
    let root = ada.get_or_insert_text("content");
    let gone = {
        let mut txn = ada.transact_mut();
        root.remove_range(&mut txn, 1, 2);
        row(2, "ada", txn.encode_update_v1())
    };
    for update in [&first.bytes, &gone.bytes] {
        bob.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
    }
    typed(&bob, 0, "xy");
    let all = row(3, "bob", bob.transact().encode_state_as_update_v1(&StateVector::default()));
    // The first of it comes late.
    let half = row(0, "cy", first.bytes.clone());
    for (rows, first) in [(vec![all.clone(), gone.clone(), first.clone()], "ada"), (vec![all, gone, first, half], "cy")]
    {
        let known = KnownAuthors::new(rows.iter().filter_map(Part::of_row).collect());
        let who = |client: u64, clock| known.inserted(ClientID::new(client), clock).0.unwrap().author.clone().unwrap();
        assert_eq!((&*who(1, 0), &*who(1, 3), &*who(2, 1)), (first, first, "bob"));
        assert!(known.inserted(ClientID::new(1), 4).0.is_none());
        let deleted: Vec<bool> = known.parts.iter().map(|part| !part.deleted.is_empty()).collect();
        assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1, "one has deleted it: {:?}", known.parts);
    }
}

const SECRET: &str = "a secret that is long enough for tests";

fn token(user: &str, role: &str) -> String {
    let exp = slate_yrs_server::clock::now() / 1_000 + 600;
    let once = json!({ "sub": user, "documents": ["scene"], "role": role, "exp": exp, "admin": user == "root" });
    common::tokens::hs256(&once, SECRET)
}

/// Who wrote what, as `author: text` by runs.
fn said(answer: &Value, lines: &[String]) -> Vec<String> {
    let run = |run: &Value| {
        let at = run["path"][0].as_u64().unwrap() as usize;
        let number = |name: &str| run[name].as_u64().unwrap() as usize;
        let text: String = lines[at].chars().skip(number("offset")).take(number("length")).collect();
        assert!(parse_time(run["at"].as_str().unwrap()).is_some());
        format!("{}: {text}", run["author"].as_str().unwrap_or("nobody"))
    };
    answer["runs"].as_array().unwrap().iter().map(run).collect()
}

/// Over HTTP: scripts are authors too, what a restart and compaction leave is the same, and going back is one edit more.
#[tokio::test(flavor = "multi_thread")]
async fn over_http_everybody_is_told_and_who_may_write_takes_back() {
    let flags = ["--jwt-secret", SECRET, "--keep-edits-hours", "0"];
    let mut server = TestServer::with(&flags).await;
    let ask = |method: &'static str, path: String, user: &'static str, body: String| {
        let address = server.address;
        let role = if user == "reader" { "read-only" } else { "read-write" };
        let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", token(user, role), path.len());
        async move { request(address, method, &format!("/api/scenes/scene{path}"), &headers, &body).await }
    };
    let nothing = String::new;
    assert_eq!(ask("GET", "/blame".into(), "ada", nothing()).await.status, 404);
    let two = json!([{ "type": "p", "children": [{ "text": "One line of Ada" }] },
                     { "type": "p", "children": [{ "text": "Another one" }] }]);
    let wrote = ask("PATCH", "".into(), "ada", json!({ "edits": [{ "append": { "nodes": two } }] }).to_string()).await;
    assert_eq!(wrote.status, 200, "{}", wrote.text());
    let since = slate_yrs_server::clock::now();
    // So that the next is later.
    common::eventually("the clock goes on", || slate_yrs_server::clock::now() > since + 2).await;
    let edits = json!({ "edits": [
        { "replace": { "find": "line of", "with": "word by" } },
        { "replace": { "find": "Another", "with": "Another bob" } },
        { "append": { "nodes": [{ "type": "p", "children": [{ "text": "Bob" }] }] } },
    ]});
    let wrote = ask("PATCH", "?a".into(), "bob", edits.to_string()).await;
    assert_eq!(wrote.status, 200, "{}", wrote.text());
    let now = |address| async move {
        let path = format!("/api/scenes/scene?token={}", token("reader", "read-only"));
        let nodes = get(address, &path).await.json();
        let line = |node: &Value| node["children"][0]["text"].as_str().unwrap().to_owned();
        nodes.as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    let lines = now(server.address).await;
    assert_eq!(lines, ["One word by Ada", "Another bob one", "Bob"]);
    let answer = ask("GET", "/blame".into(), "reader", nothing()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = said(&answer.json(), &lines);
    assert_eq!(told, ["ada: One ", "bob: word by", "ada:  Ada", "bob: Another bob", "ada:  one", "bob: Bob"]);
    let tag = answer.json()["etag"].as_str().unwrap().to_owned();
    assert!(answer.headers.contains(&format!("etag: {tag}")));

    // After a restart.
    server.restart().await;
    let address = server.address;
    let path = format!("/api/scenes/scene/blame?token={}", token("reader", "read-only"));
    assert_eq!(said(&get(address, &path).await.json(), &lines), told);
    let same = request(address, "GET", &path, &format!("If-None-Match: {tag}\r\n"), "").await;
    assert_eq!(same.status, 304);

    let roll_back = |user: &'static str, body: Value, key: &'static str| async move {
        let role = if user == "reader" { "read-only" } else { "read-write" };
        let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {key}\r\n", token(user, role));
        request(address, "POST", "/api/scenes/scene/rollback", &headers, &body.to_string()).await
    };
    let rows = server.rows("scene").await;
    let whose = json!({ "author": "bob", "from": since + 1 });
    for (user, body, status, code) in [
        ("reader", whose.clone(), 403, "read-only"),
        ("ada", json!({ "author": "bob", "from": "yesterday" }), 400, "invalid"),
        ("ada", json!({ "author": "bob", "from": 2, "to": 1 }), 400, "invalid"),
        ("ada", json!({ "author": "bob" }), 400, "invalid"),
        ("ada", json!({ "author": "bob", "from": 1, "all": true }), 400, "invalid"),
    ] {
        let answer = roll_back(user, body, "refused").await;
        assert_eq!((answer.status, answer.json()["error"]["code"].as_str().unwrap()), (status, code));
    }
    // Nothing of theirs is in that time.
    let nothing = roll_back("ada", json!({ "author": "bob", "from": 1, "to": 2 }), "none").await;
    assert_eq!((nothing.status, nothing.json()["report"]["removed"].as_u64()), (200, Some(0)));
    assert_eq!(server.rows("scene").await, rows, "nothing was done");
    let answer = roll_back("ada", whose.clone(), "once").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["report"], json!({ "removed": 21, "restored": 14 }));
    let lines = now(address).await;
    assert_eq!(lines, ["One line of Ada", "Another one"]);
    let last = server.storage.get_updates_since("scene", 0, 1_000).await.unwrap().pop().unwrap();
    assert_eq!(last.authors.to_lines().as_deref(), Some("ada"));
    // What came back is whose it was; and the same request does nothing more.
    let told = said(&get(address, &path).await.json(), &lines);
    assert_eq!(told, ["ada: One line of Ada", "ada: Another one"]);
    let again = roll_back("ada", whose, "once").await;
    assert_eq!((again.status, again.headers.contains("idempotency-replayed: true")), (200, true));
    assert_eq!(now(address).await, lines);
    // Compaction forgets nothing of it.
    let admin = format!("/api/admin/compact?token={}", token("root", "read-write"));
    let compacted = post(address, &admin, "").await.json();
    assert_eq!(compacted["rowsMerged"], 3, "{compacted}");
    assert_eq!(said(&get(address, &path).await.json(), &lines), told);
}

/// Of format 0 nobody knows by ids what was done.
#[tokio::test]
async fn in_format_0_nothing_is_taken_back() {
    let house = House::new(1).await;
    let log = rollback::log(&house.storage, "scene").await.unwrap();
    let plain = slate_yrs_server::plain::plain("content", &house.state().await).unwrap().update;
    let whose = Whose { author: "ada".into(), from: 0, to: Millis::MAX };
    let refused = rollback::roll_back("content", 99, &plain, &log, &whose);
    assert!(matches!(refused, Err(HistoryError::NotByReference)), "{refused:?}");
}
