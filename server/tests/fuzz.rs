//! The fuzz targets' functions on mutated samples, a bounded number of times; `fuzz/` runs them without end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../fuzz/src/lib.rs"]
#[allow(dead_code, reason = "what libFuzzer needs beside the targets")]
mod targets;

use slate_yrs::codec;
use slate_yrs::protocol::Message;
use slate_yrs::slate::{Element, Leaf, Node, SlateDoc};
use yrs::{Any, Doc, Map, ReadTxn, StateVector, Text, Transact, XmlTextPrelim};

const RUNS: usize = 20_000;

/// Changes, repeats, cuts and inserts bytes.
fn mutate(rng: &mut fastrand::Rng, sample: &[u8]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..rng.usize(1..6) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = rng.usize(0..bytes.len());
        match rng.u8(..5) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes[at] ^= 1 << rng.u8(..8),
            2 => bytes.insert(at, [0, 1, 7, 0x7f, 0x80, 0xff][rng.usize(..6)]),
            3 => {
                let end = (at + rng.usize(1..20)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.drain(at..(at + rng.usize(1..8)).min(bytes.len()))),
        }
    }
    bytes
}

fn updates() -> Vec<Vec<u8>> {
    let doc = Doc::with_client_id(7);
    let (text, map) = (doc.get_or_insert_text("content"), doc.get_or_insert_map("map"));
    let mut all = Vec::new();
    for step in 0..6u32 {
        let mut txn = doc.transact_mut();
        match step {
            0 | 3 => text.insert(&mut txn, 0, "Cut to” — 🎬"),
            1 => drop(text.insert_embed(&mut txn, 2, XmlTextPrelim::new("inner"))),
            2 => text.format(&mut txn, 0, 2, [("bold".into(), Any::Bool(true))].into()),
            4 => text.remove_range(&mut txn, 1, 3),
            _ => drop(map.insert(&mut txn, "a", Any::from_json(r#"{"x":[1,2.5,{"y":null}]}"#).unwrap())),
        }
        all.push(txn.encode_update_v1());
    }
    all.push(doc.transact().encode_state_as_update_v1(&StateVector::default()));
    all
}

fn nodes() -> Vec<Node> {
    let leaf = Leaf { text: "INT. KITCHEN — 🎬".into(), ..Leaf::default() };
    let block = Element { attrs: [("id".into(), Any::from("b1"))].into(), children: vec![Node::Text(leaf)] };
    vec![Node::Element(block.clone()), Node::Element(block)]
}

fn frames() -> Vec<Vec<u8>> {
    let update = updates().remove(0);
    vec![
        Message::Update(&update).to_frame(),
        Message::Submit { seq: 300, update: &update }.to_frame(),
        Message::SyncStep1(&[1, 7, 9]).to_frame(),
        Message::Awareness(&[1, 7, 1, 2, b'{', b'}']).to_frame(),
        Message::Fragment { id: 1, index: 0, count: 2, bytes: &update }.to_frame(),
        [Message::Ack { seq: 1 }.to_frame(), Message::AuthDenied("no").to_frame(), Message::Ping.to_frame()].concat(),
    ]
}

/// Pieces as the targets take them apart.
fn packed<'a>(pieces: impl IntoIterator<Item = (u8, &'a [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (who, piece) in pieces {
        out.push(who);
        out.extend((piece.len() as u16).to_le_bytes());
        out.extend(piece);
    }
    out
}

/// Inputs of each target, well formed ones.
fn samples(target: &str) -> Vec<Vec<u8>> {
    let updates = [updates(), vec![SlateDoc::seed_update("content", &nodes())]].concat();
    let together = |order: &[usize]| packed(order.iter().map(|at| (0, updates[*at].as_slice())));
    match target {
        "protocol" => frames(),
        "update" => updates,
        "split" => updates.into_iter().map(|update| [vec![10], update].concat()).collect(),
        "codec" => {
            let batch = codec::encode_nodes(nodes());
            let mut words: Vec<u8> = batch.words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let mut text = batch.text.into_bytes();
            // The target takes the first half for the words.
            words.resize(words.len().max(text.len()), 0);
            text.resize(words.len(), b' ');
            vec![[words, text].concat()]
        }
        "engine" => [&[0, 1, 2, 3, 4, 5][..], &[5, 3, 1, 0, 2, 4], &[7, 0, 6], &[7, 7, 1]].map(together).to_vec(),
        "room" => {
            let first = Message::Submit { seq: 1, update: &updates[0] }.to_frame();
            let second = Message::Submit { seq: 2, update: &updates[1] }.to_frame();
            let seed = Message::Seed(&updates[7]).to_frame();
            let (asked, whole) = (Message::SyncStep1(&[0]).to_frame(), Message::SyncStep2(&updates[6]).to_frame());
            vec![
                packed([(0, first.as_slice()), (3, &asked), (0, &second), (1, &whole)]),
                packed([(1, first.as_slice()), (1, &second), (2, &whole), (2, &asked), (3, &whole)]),
                packed([(0, seed.as_slice()), (1, &seed), (3, &whole), (0, &first)]),
                packed(frames().iter().zip([0, 1, 3, 2, 0, 3]).map(|(frame, conn)| (conn, frame.as_slice()))),
            ]
        }
        "token" => [
            r#"
{"exp":4000000000,"documents":["scene","other"],"sub":"ada","name":"Ada","role":"read-only"}"#,
            r#"{"alg":"HS256","typ":"JWT","kid":"1"}
{"exp":4000000000.5,"document":"scene","iat":1,"nbf":1,"create":true,"admin":false}"#,
            r#"{"alg":"none"}
{"exp":4000000000,"patterns":["sce*"],"aud":"a","iss":"b"}"#,
            r#"{"alg":"HS256","crit":["b64"],"b64":false}
{"exp":"4000000000","documents":"scene","user":"ada"}"#,
            // Half a character, in what nobody looks at.
            r#"{"alg":"HS256","typ":"\ud800"}
{"exp":4000000000,"document":"scene"}"#,
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
        "http" => [
            "\x00limit=2&before=1",
            "\x01\n{\"label\":\"Draft\"}",
            "\x02now?format=update",
            "\x03named-1",
            "\x041",
            "\x05from=1&to=now&root=content",
            "\x06since=2020-01-01T00:00:00Z&limit=1",
            "\x07format=slate-yjs",
            "\x08a%2Fb?token=x&user=y",
            "\x09scene?format=update",
            "\x0a\n{\"user\":\"ada\"}",
            "\x0bscene?slate-yrs=1&session=s",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
        other => panic!("no target {other}"),
    }
}

/// Samples that are mutated, and what `fuzz/corpus` has: what was found once stays found.
fn run(target: &str, seed: u64, runs: usize, take: &dyn Fn(&[u8])) {
    std::panic::set_hook(Box::new(|info| {
        // What the CRDT library throws is caught; what the targets find is not.
        if !info.location().is_some_and(|at| at.file().contains("/yrs-0")) {
            eprintln!("{info}");
        }
    }));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/").to_owned() + target;
    let samples = samples(target);
    if std::env::var_os("WRITE_CORPUS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (at, sample) in samples.iter().enumerate() {
            std::fs::write(format!("{folder}/sample-{at}"), sample).unwrap();
        }
    }
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        take(&std::fs::read(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= samples.len(), "the corpus of {target} is not there");
    let mut rng = fastrand::Rng::with_seed(seed);
    for sample in &samples {
        for _ in 0..runs / samples.len() {
            take(&mutate(&mut rng, sample));
        }
    }
}

#[test]
fn f23_frames() {
    run("protocol", 1, RUNS, &targets::protocol);
}

#[test]
fn f23_updates() {
    run("update", 2, RUNS, &targets::update);
}

#[test]
fn f23_pieces() {
    run("split", 3, RUNS, &targets::split);
}

#[test]
fn f23_batches() {
    run("codec", 4, RUNS, &targets::codec);
}

#[test]
fn f23_updates_in_an_editor() {
    run("engine", 5, RUNS / 4, &targets::engine);
}

#[test]
fn f23_frames_in_a_room() {
    run("room", 6, RUNS / 4, &targets::room);
}

#[test]
fn f23_tokens() {
    run("token", 7, RUNS, &targets::token);
}

#[test]
fn f23_requests() {
    let host = targets::Host::start(&targets::sample());
    run("http", 8, RUNS / 10, &|bytes| host.ask(bytes));
}

/// yrs cannot read what it writes of this: it must not come to anybody through the server, nor wait in an editor.
#[test]
fn what_cannot_be_written_again_is_refused() {
    let bytes = std::fs::read("../fuzz/corpus/engine/waits-and-is-not-written").unwrap();
    assert!(slate_yrs_server::replica::Replica::new().apply(&bytes[3..]).is_err());
}
