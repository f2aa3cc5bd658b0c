//! Updates that are made to cost more than they should: what the program takes of them it opens again after a restart,
//! and so do compaction, export, import and verification.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::process::Command;

use common::program::Program;
use common::{Client, Msg};
use slate_yrs::protocol::Message;
use slate_yrs::protocol::lib0::var_uint;
use slate_yrs::update::{Intake, Limits};
use yrs::{Doc, GetString, Transact};

/// One update of these sections, without deletions: client, first clock, structs.
fn update(sections: &[(u64, u64, Vec<Vec<u8>>)]) -> Vec<u8> {
    let mut out = Vec::new();
    var_uint(&mut out, sections.len() as u64);
    for (client, clock, structs) in sections {
        [structs.len() as u64, *client, *clock].into_iter().for_each(|number| var_uint(&mut out, number));
        out.extend(structs.concat());
    }
    out.push(0);
    out
}

fn first() -> Vec<u8> {
    [&[4, 1, 7][..], b"content", &[1, b'x']].concat()
}

fn behind(client: u64, clock: u64) -> Vec<u8> {
    let mut out = vec![0x84];
    var_uint(&mut out, client);
    var_uint(&mut out, clock);
    out.extend([1, b'c']);
    out
}

fn link(n: u64) -> (u64, u64, Vec<Vec<u8>>) {
    (1_000 + n, 0, vec![behind(if n == 0 { 1 } else { 999 + n }, 0)])
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    let database = format!("sqlite:{}/server.sqlite", folder.display());
    let program = env!("CARGO_BIN_EXE_slate-yrs-server");
    let output = Command::new(program).args(arguments).args(["--database", &database]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {}\n{said}", output.status);
    said
}

/// The document as the server sends it to someone who has nothing.
async fn asked(program: &Program) -> Vec<u8> {
    let mut reader = Client::connect(program.address, "scene", 900, "").await;
    reader.send(&Message::SyncStep1(&[0])).await;
    loop {
        match reader.next().await {
            Msg::Step2(state) => return state,
            Msg::Close(code) => panic!("closed with {code}"),
            _ => {}
        }
    }
}

fn read(state: &[u8]) -> (String, bool) {
    let (doc, mut intake) = (Doc::with_client_id(5), Intake::default());
    let text = doc.get_or_insert_text("content");
    intake.apply(&doc, state, Limits::STORED, &mut |_| {}).unwrap();
    (text.get_string(&doc.transact()), intake.is_waiting())
}

/// Sends updates, then does everything with the document that can be done with it.
async fn lives_on(updates: &[Vec<u8>], characters: usize, waits: bool) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/server.sqlite", folder.path().display());
    let program = Program::start(&database, &[]);
    let mut writer = Client::connect(program.address, "scene", 901, "").await;
    let frames: Vec<Vec<u8>> = updates.iter().map(|update| Message::Update(update).to_frame()).collect();
    writer.send_bytes(frames.concat()).await;
    // It comes after what was sent before it, and what it shows is stored.
    writer.send(&Message::SyncStep1(&[0])).await;
    while !matches!(writer.next().await, Msg::Step2(state) if read(&state) == ("x".to_owned() + &"c".repeat(characters - 1), waits))
    {
    }
    program.kill();
    let program = Program::start(&database, &[]);
    let expected = asked(&program).await;
    assert_eq!((read(&expected).0.len(), read(&expected).1), (characters, waits));
    program.kill();

    let file = folder.path().join("export");
    let file = file.to_str().unwrap();
    for _ in 0..2 {
        assert!(run(folder.path(), &["verify"]).contains("scene\tok"));
        run(folder.path(), &["export", "scene", file]);
        assert!(read(&std::fs::read(file).unwrap()) == read(&expected));
        run(folder.path(), &["compact", "--keep-edits-hours", "0"]);
    }
    run(folder.path(), &["import", "copy", file]);
    assert!(run(folder.path(), &["verify"]).contains("copy\tok"));
    let program = Program::start(&database, &[]);
    assert!(read(&asked(&program).await) == read(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_a_chain_of_clients_in_one_update() {
    let mut sections = vec![(1, 0, vec![first()])];
    sections.extend((0..24_000).map(link));
    sections.reverse();
    lives_on(&[update(&sections)], 24_001, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_a_chain_of_clients_edit_by_edit() {
    let edits = (0..24_000).map(|n| update(&[link(n)]));
    let updates: Vec<Vec<u8>> = std::iter::once(update(&[(1, 0, vec![first()])])).chain(edits).collect();
    lives_on(&updates, 24_001, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_keystrokes_that_nobody_joined() {
    let structs = std::iter::once(first()).chain((0..100_000).map(|n| behind(1, n)));
    lives_on(&[update(&[(1, 0, structs.collect())])], 100_001, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_updates_that_wait_for_ever() {
    let waiting = (0..3_000).map(|n| update(&[(5_000 + n, 5, vec![behind(3, 9)])]));
    let updates: Vec<Vec<u8>> = std::iter::once(update(&[(1, 0, vec![first()])])).chain(waiting).collect();
    lives_on(&updates, 1, true).await;
}

/// Sets of a key that do not know of each other, and types in types: refused before anything is stored.
#[tokio::test(flavor = "multi_thread")]
async fn f23_what_costs_the_square_is_refused() {
    let server = common::TestServer::start().await;
    let set = [0x28, 1, 1, b'm', 1, b'k', 1, 125, 1].to_vec();
    let outermost = [&[7, 1, 7][..], b"content", &[6]].concat();
    let inside = |n: u64| {
        let mut out = vec![7, 0, 1];
        var_uint(&mut out, n - 1);
        out.push(6);
        out
    };
    let nested = std::iter::once(outermost).chain((1..20_000).map(inside));
    for structs in [vec![set; 60_000], nested.collect()] {
        let mut writer = server.durable("scene", 1, "writer").await;
        writer.push(&update(&[(1, 0, structs)])).await;
        while !matches!(writer.next().await, Msg::Reject(..)) {}
        assert_eq!(server.rows("scene").await, 0);
    }
}
