//! The y-websocket protocol and the durable extension against a real server over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{Client, Msg, TestServer, eventually};
use slate_yrs::protocol::{Message, RejectCode, Role, close};
use slate_yrs_server::storage::Storage;

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_write_one_document() {
    let mut server = TestServer::start().await;
    let mut a = server.plain("scene", 1).await;
    let mut b = server.durable("scene", 2, "b").await;
    a.sync().await;
    b.sync().await;
    a.write("INT. ").await;
    b.reads("INT. ").await;
    b.write("KITCHEN").await;
    a.reads("INT. KITCHEN").await;
    b.all_acked().await;
    assert_eq!(server.rows("scene").await, 2);
    // The text is there after a restart; the peers were told to come again.
    let (closed_a, closed_b, ()) = tokio::join!(a.closed(), b.closed(), server.restart());
    assert_eq!((closed_a, closed_b), (close::RESTART, close::RESTART));
    let mut c = server.plain("scene", 3).await;
    c.sync().await;
    assert_eq!(c.read(), "INT. KITCHEN");
    // Another document knows nothing of it.
    let mut other = server.plain("another", 4).await;
    other.sync().await;
    assert_eq!(other.read(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn f13_offline_edits_survive_a_reconnect_and_a_fresh_copy() {
    let server = TestServer::start().await;
    for durable in [false, true] {
        let document = if durable { "durable" } else { "plain" };
        let query = if durable { "slate-yrs=1&session=s" } else { "" };
        let doc = common::client::doc(1);
        let mut a = Client::connect_with(server.address, document, doc.clone(), query).await;
        a.sync().await;
        let doc = a.leave().await;
        let mut a = Client::connect_with(server.address, document, doc, query).await;
        a.edit(0, "written offline");
        // Only by sync step 2.
        a.sync_both().await;
        a.drop_dead();
        server.unload().await;
        let mut fresh = server.plain(document, 2).await;
        fresh.sync().await;
        assert_eq!(fresh.read(), "written offline");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f13_clean_reconnects_add_no_rows() {
    let server = TestServer::with(&["--room-idle-ms", "100000"]).await;
    let mut a = server.plain("scene", 1).await;
    a.sync().await;
    a.write("text").await;
    let inserted = a.edit(0, "deleted");
    a.push(&inserted).await;
    let removed = {
        use yrs::{Text, Transact};
        let mut txn = a.doc.transact_mut();
        a.text.remove_range(&mut txn, 0, 7);
        txn.encode_update_v1()
    };
    a.push(&removed).await;
    // And something that waits for what never comes.
    let mut stranger = common::client::doc(9);
    let lost = typed(&mut stranger, "x");
    let late = typed(&mut stranger, "y");
    drop(lost);
    a.push(&late).await;
    a.round_trip().await;
    let before = server.rows("scene").await;
    assert_eq!(before, 4);
    let mut doc = a.leave().await;
    for n in 0..1_000 {
        let query = if n % 2 == 0 { String::new() } else { format!("slate-yrs=1&session=s{n}") };
        let mut client = Client::connect_with(server.address, "scene", doc, &query).await;
        client.sync_both().await;
        doc = client.drop_dead();
    }
    assert_eq!(server.rows("scene").await, before);
}

fn typed(doc: &mut yrs::Doc, text: &str) -> Vec<u8> {
    use yrs::{Text, Transact};
    let root = doc.get_or_insert_text("content");
    let mut txn = doc.transact_mut();
    let end = root.len(&txn);
    root.insert(&mut txn, end, text);
    txn.encode_update_v1()
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_what_cannot_be_stored_is_neither_acknowledged_nor_sent_on() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    let mut b = server.plain("scene", 2).await;
    a.sync().await;
    b.sync().await;
    a.write("kept ").await;
    a.all_acked().await;
    b.reads("kept ").await;
    server.storage.fail_stores.store(true, Ordering::SeqCst);
    a.write("lost?").await;
    // Neither an ack nor a broadcast: both are told to come again.
    for client in [&mut a, &mut b] {
        loop {
            match client.next().await {
                Msg::Close(code) => break assert_eq!(code, close::INTERNAL),
                message => assert!(matches!(message, Msg::Awareness(_) | Msg::Ping), "{message:?}"),
            }
        }
    }
    // Nobody who joins meanwhile sees it either.
    let mut c = server.plain("scene", 3).await;
    c.sync().await;
    assert_eq!(c.read(), "kept ");
    server.storage.fail_stores.store(false, Ordering::SeqCst);
    // The client comes back with its outbox.
    let mut again = Client::connect_with(server.address, "scene", a.drop_dead(), "slate-yrs=1&session=a").await;
    assert_eq!(again.hello.as_ref().unwrap().acked_seq, 1);
    again.sync_both().await;
    c.reads("kept lost?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_joiners_wait_for_the_commit() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    server.storage.slow_stores_ms.store(300, Ordering::SeqCst);
    let started = std::time::Instant::now();
    a.write("slow").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut b = server.plain("scene", 2).await;
    b.sync().await;
    // It may not have been shown before it was stored.
    assert!(b.read().is_empty() || started.elapsed() >= Duration::from_millis(300));
    b.reads("slow").await;
    assert!(started.elapsed() >= Duration::from_millis(300));
    a.all_acked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f20_many_writers_one_sequence() {
    let server = TestServer::start().await;
    let writers = (1..=8u64).map(|id| {
        let address = server.address;
        tokio::spawn(async move {
            let query = if id % 2 == 0 { format!("slate-yrs=1&session=s{id}") } else { String::new() };
            let mut client = Client::connect(address, "scene", id, &query).await;
            client.sync().await;
            for _ in 0..50 {
                client.write("x").await;
            }
            client.until("all text", |client| client.read().len() == 400).await;
            if client.hello.is_some() {
                client.all_acked().await;
            }
            client.read()
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        assert_eq!(writer.await.unwrap(), "x".repeat(400));
    }
    let rows = server.storage.get_updates_since("scene", 0, 1_000).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (1..=400).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn f21_out_of_order_updates_are_logged_as_received() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    let first = a.edit(0, "a");
    let second = a.edit(1, "b");
    a.push(&second).await;
    a.all_acked().await;
    // It was acknowledged: it must survive, although nothing shows yet.
    a.drop_dead();
    server.unload().await;
    let mut b = server.plain("scene", 2).await;
    b.sync().await;
    assert_eq!(b.read(), "");
    b.push(&first).await;
    b.round_trip().await;
    let mut c = server.plain("scene", 3).await;
    c.sync().await;
    assert_eq!(c.read(), "ab");
    assert_eq!(server.rows("scene").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn resends_are_acknowledged_and_stored_once() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    let update = a.edit(0, "once");
    a.push(&update).await;
    let more = a.edit(4, "!");
    a.push(&more).await;
    a.all_acked().await;
    for _ in 0..3 {
        let mut again = Client::connect_with(server.address, "scene", a.drop_dead(), "slate-yrs=1&session=a").await;
        assert_eq!(again.hello.as_ref().unwrap().acked_seq, 2);
        again.send(&Message::Submit { seq: 1, update: &update }).await;
        again.until("acknowledged", |client| client.acked >= 1).await;
        a = again;
        server.unload_soon().await;
    }
    assert_eq!(server.rows("scene").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn f16_a_refused_submission_is_never_reported_as_stored() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    a.write("one").await;
    a.all_acked().await;
    // 2 does not decode, 3 does; the connection breaks before the client has read either answer.
    a.push(&[1, 2, 3]).await;
    a.write("three").await;
    loop {
        match a.next().await {
            Msg::Reject(seq, code) => assert_eq!((seq, code), (2, RejectCode::Invalid)),
            Msg::Ack(3) => break,
            _ => {}
        }
    }
    let doc = a.drop_dead();
    for _ in 0..2 {
        let again = Client::connect_with(server.address, "scene", doc.clone(), "slate-yrs=1&session=a").await;
        assert_eq!(again.hello.as_ref().unwrap().acked_seq, 1, "2 must be sent again, to be refused again");
        again.drop_dead();
        server.unload().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_many_seed_at_once_and_one_copy_is_there() {
    let server = TestServer::start().await;
    let seeders: Vec<_> = (1..=8u64)
        .map(|id| {
            let address = server.address;
            tokio::spawn(async move {
                let mut client = Client::connect(address, "scene", id, &format!("slate-yrs=1&session=s{id}")).await;
                client.sync().await;
                if client.read().is_empty() {
                    // Each with another client id: nothing but the server's decision keeps this to one copy.
                    let seed = {
                        let mut scratch = common::client::doc(100 + id);
                        typed(&mut scratch, "FADE IN:")
                    };
                    client.send(&Message::Seed(&seed)).await;
                    while client.step().await != Msg::Ack(0) {}
                }
                client.reads("FADE IN:").await;
                client.drop_dead();
            })
        })
        .collect();
    for seeder in seeders {
        seeder.await.unwrap();
    }
    assert_eq!(server.rows("scene").await, 1);
    for _ in 0..5 {
        server.unload().await;
        let mut again = server.durable("scene", 50, "again").await;
        let mut scratch = common::client::doc(51);
        again.send(&Message::Seed(&typed(&mut scratch, "FADE IN:"))).await;
        while again.step().await != Msg::Ack(0) {}
        again.sync().await;
        assert_eq!(again.read(), "FADE IN:");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f06_another_lifetime_has_another_epoch() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    let epoch = a.hello.clone().unwrap().epoch;
    a.sync().await;
    a.write("old").await;
    a.all_acked().await;
    assert!(server.storage.delete_document("scene").await.unwrap());
    // The room finds out with the next edit, and nothing of the old lifetime reaches the new one.
    a.write("er").await;
    assert_eq!(a.closed().await, close::EPOCH);
    server.unload().await;
    let mut b = server.durable("scene", 2, "a").await;
    let hello = b.hello.clone().unwrap();
    assert_ne!(hello.epoch, epoch);
    assert_eq!(hello.acked_seq, 0);
    b.sync().await;
    assert_eq!(b.read(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_tells_the_limits_and_they_hold() {
    let server = TestServer::with(&["--max-update-bytes", "1000", "--max-sync-bytes", "5000"]).await;
    let mut a = server.durable("scene", 1, "a").await;
    let hello = a.hello.clone().unwrap();
    assert_eq!((hello.version, hello.role, hello.max_update_bytes), (1, Role::ReadWrite, 1_000));
    a.sync().await;
    let large = typed(&mut common::client::doc(5), &"x".repeat(1_001));
    a.push(&large).await;
    a.write("fits").await;
    loop {
        match a.step().await {
            Msg::Reject(seq, code) => assert_eq!((seq, code), (1, RejectCode::TooLarge)),
            Msg::Ack(2) => break,
            _ => {}
        }
    }
    // As a first sync it may be larger.
    let mut b = server.plain("scene", 2).await;
    b.send(&Message::SyncStep2(&large)).await;
    b.round_trip().await;
    b.sync().await;
    assert!(b.read().contains("fits") && b.read().contains("xxx"));
    b.send(&Message::Update(&large)).await;
    assert_eq!(b.closed().await, close::TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn f30_large_documents_travel_in_pieces() {
    let server = TestServer::with(&["--max-frame-bytes", "300000"]).await;
    let mut a = server.plain("scene", 1).await;
    a.edit(0, &"0123456789".repeat(200_000));
    a.sync_both().await;
    let mut b = server.durable("scene", 2, "b").await;
    b.sync().await;
    assert_eq!(b.read().len(), 2_000_000);
    // And back: a step 2 over the limit, in pieces.
    let mut c = server.durable("another", 3, "c").await;
    c.sync().await;
    c.edit(0, &"0123456789".repeat(200_000));
    let step2 = Message::SyncStep2(&c.state()).to_frame();
    for piece in slate_yrs::protocol::fragments(&step2, 1) {
        c.send_bytes(piece).await;
    }
    c.round_trip().await;
    let mut d = server.plain("another", 4).await;
    d.sync().await;
    assert_eq!(d.read().len(), 2_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn f27_presence_is_kept_sent_and_removed() {
    let server = TestServer::start().await;
    let mut a = server.plain("scene", 1).await;
    let state = awareness(&[(1, 1, r#"{"name":"Ada"}"#)]);
    a.send(&Message::Awareness(&state)).await;
    a.round_trip().await;
    // A joiner is told at once.
    let mut b = server.durable("scene", 2, "b").await;
    while b.step().await != Msg::Awareness(state.clone()) {}
    // Whoever leaves is gone at once, without a word of theirs.
    a.drop_dead();
    while b.step().await != Msg::Awareness(awareness(&[(1, 2, "null")])) {}
    let mut c = server.plain("scene", 3).await;
    assert!(matches!(c.next().await, Msg::Step1(_)));
    c.silence(Duration::from_millis(100)).await;
}

fn awareness(states: &[(u32, u32, &str)]) -> Vec<u8> {
    use slate_yrs::protocol::lib0::{buf, var_uint};
    let mut out = Vec::new();
    var_uint(&mut out, states.len() as u64);
    for (client, clock, state) in states {
        var_uint(&mut out, u64::from(*client));
        var_uint(&mut out, u64::from(*clock));
        buf(&mut out, state.as_bytes());
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn f22_signs_of_life_both_ways() {
    let server = TestServer::with(&["--heartbeat-ms", "200"]).await;
    let mut durable = server.durable("scene", 1, "a").await;
    let mut plain = server.plain("scene", 2).await;
    assert_eq!(durable.hello.as_ref().unwrap().heartbeat_ms, 200);
    // Over ten silences that would end a connection: both stay, and hear something within two heartbeats.
    let until = std::time::Instant::now() + Duration::from_secs(4);
    while std::time::Instant::now() < until {
        let limit = Duration::from_millis(800);
        tokio::time::timeout(limit, durable.step()).await.expect("a sign of life");
        tokio::time::timeout(limit, plain.step()).await.expect("a sign of life");
    }
    durable.send(&Message::Ping).await;
    while durable.step().await != Msg::Pong {}
    plain.send_text(r#"{"type":"ping"}"#).await;
    while plain.step().await != Msg::Text(r#"{"type":"pong"}"#.into()) {}
    // One that answers nothing is ended, and its presence with it.
    let metrics = &server.server().metrics;
    assert_eq!(metrics.connections.get(), 2);
    tokio::time::sleep(Duration::from_millis(100)).await;
    eventually("silent connections end", || metrics.connections.get() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_garbage_is_counted_and_ends_only_who_sends_it() {
    let server = TestServer::with(&["--max-bad-frames", "10"]).await;
    let mut good = server.durable("scene", 1, "good").await;
    good.sync().await;
    let mut rng = fastrand::Rng::with_seed(23);
    let mut bad = server.plain("scene", 2).await;
    bad.send_text("hello? { not json").await;
    let nested: Vec<u8> = [vec![1, 1, 7, 0, 8, 1, 1, b'r', 1], [117, 1].repeat(200_000)].concat();
    bad.send(&Message::Update(&nested)).await;
    bad.send(&Message::Awareness(&[0xff; 9])).await;
    for _ in 0..20 {
        let bytes = (0..rng.usize(1..50)).map(|_| rng.u8(..)).collect();
        bad.send_bytes(bytes).await;
    }
    bad.send(&Message::Update(&[9, 9, 9])).await;
    while bad.next().await != Msg::Close(1008) {}
    good.write("unharmed").await;
    good.all_acked().await;
    assert!(server.server().metrics.bad_frames.get() >= 10);
    let mut again = server.plain("scene", 3).await;
    again.sync().await;
    assert_eq!(again.read(), "unharmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_load_for_many_joiners() {
    let server = TestServer::start().await;
    let mut a = server.plain("scene", 1).await;
    a.sync().await;
    a.write("text").await;
    a.round_trip().await;
    a.leave().await;
    server.unload().await;
    let before = server.storage.loads.load(Ordering::SeqCst);
    let joiners: Vec<_> = (2..30)
        .map(|id| {
            let address = server.address;
            tokio::spawn(async move {
                let mut client = Client::connect(address, "scene", id, "").await;
                client.sync().await;
                client.read()
            })
        })
        .collect();
    for joiner in joiners {
        assert_eq!(joiner.await.unwrap(), "text");
    }
    assert_eq!(server.storage.loads.load(Ordering::SeqCst), before + 1);
}

/// A room that is still putting its things away when the next one of its document begins does not take that one's place
/// with it: people would then sit in two rooms and not hear of each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_ends_slowly_leaves_the_next_one_alone() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    // Worth a head snapshot at the end.
    for _ in 0..60 {
        a.write("x").await;
    }
    a.all_acked().await;
    server.storage.slow_heads_ms.store(1_000, Ordering::SeqCst);
    a.leave().await;
    server.unload().await;
    let metrics = &server.server().metrics;
    let mut b = server.durable("scene", 2, "b").await;
    b.sync().await;
    eventually("the old one has ended", || metrics.rooms.get() == 1).await;
    assert_eq!(server.server().rooms.count(), 1);
    let mut c = server.durable("scene", 3, "c").await;
    c.sync().await;
    b.write("heard").await;
    c.until("hears of it", |client| client.read().ends_with("heard")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_let_in_is_nobody_elses_affair() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    server.storage.fail_progress.store(true, Ordering::SeqCst);
    let mut b = server.plain("scene", 2).await;
    let mut c = Client::open(server.address, "scene", 3, "slate-yrs=1&session=c").await;
    assert_eq!(c.closed().await, close::INTERNAL);
    a.write("goes on").await;
    a.all_acked().await;
    b.until("hears of it", |client| client.read() == "goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_panics_makes_room_for_the_next_one() {
    std::panic::set_hook(Box::new(|_| {}));
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    a.write("kept").await;
    a.all_acked().await;
    server.storage.panic_progress.store(true, Ordering::SeqCst);
    let mut b = Client::open(server.address, "scene", 2, "slate-yrs=1&session=b").await;
    assert_eq!(b.closed().await, close::INTERNAL);
    assert_eq!(a.closed().await, close::INTERNAL);
    server.storage.panic_progress.store(false, Ordering::SeqCst);
    let mut c = server.durable("scene", 3, "c").await;
    c.sync().await;
    assert_eq!(c.read(), "kept");
    let _ = std::panic::take_hook();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stalls_over_one_document_serves_the_others() {
    let server = TestServer::with(&["--store-timeout-ms", "300"]).await;
    let (mut a, mut b) = (server.durable("stalled", 1, "a").await, server.durable("scene", 2, "b").await);
    a.sync().await;
    b.sync().await;
    *server.storage.stalled.lock().unwrap() = Some("stalled".into());
    a.write("never").await;
    assert_eq!(a.closed().await, close::INTERNAL);
    b.write("stored").await;
    b.all_acked().await;
    // Measured from receipt to acknowledgement: one of the two had one.
    assert_eq!(server.server().metrics.ack_seconds.get_sample_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_larger_than_what_may_wait_can_be_joined() {
    let server = TestServer::with(&["--max-queued-bytes", "600000"]).await;
    let mut a = server.plain("scene", 1).await;
    a.edit(0, &"0123456789".repeat(300_000));
    a.sync_both().await;
    for _ in 0..3 {
        let mut b = server.durable("scene", 2, "b").await;
        b.sync().await;
        assert_eq!(b.read().len(), 3_000_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_too_large_is_called_that() {
    let server = TestServer::with(&["--max-frame-bytes", "100000"]).await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    a.send_bytes(vec![0; 200_000]).await;
    assert_eq!(a.closed().await, close::TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_is_set_aside_and_the_rest_loads() {
    let server = TestServer::start().await;
    let mut a = server.plain("scene", 1).await;
    a.sync().await;
    a.write("one ").await;
    a.round_trip().await;
    a.leave().await;
    server.unload().await;
    let epoch = server.storage.document("scene").await.unwrap().unwrap().epoch;
    server.storage.store_update("scene", &epoch, 1, &[1, 2, 3]).await.unwrap();
    let mut b = server.plain("scene", 2).await;
    b.sync().await;
    assert_eq!(b.read(), "one ");
    b.write("two").await;
    b.round_trip().await;
    let rows = server.storage.get_updates_since("scene", 0, 10).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows[1].quarantined.is_some() && rows[1].bytes == [1, 2, 3]);
    assert_eq!(server.server().metrics.quarantined.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_closed_and_nobody_waits_for_it() {
    let server = TestServer::with(&["--max-queued-bytes", "2000000"]).await;
    let mut fast = server.durable("scene", 1, "a").await;
    fast.sync().await;
    // Joins and never reads.
    let slow = server.plain("scene", 2).await;
    let metrics = &server.server().metrics;
    eventually("both are there", || metrics.connections.get() == 2).await;
    for _ in 0..60 {
        fast.write(&"x".repeat(500_000)).await;
        fast.all_acked().await;
    }
    eventually("the slow one is gone", || metrics.connections.get() == 1).await;
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_acknowledges_what_was_received() {
    let mut server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    a.sync().await;
    server.storage.slow_stores_ms.store(50, Ordering::SeqCst);
    for _ in 0..20 {
        a.write("x").await;
    }
    tokio::time::sleep(Duration::from_millis(60)).await;
    let read = async {
        loop {
            match a.next().await {
                Msg::Ack(seq) => a.acked = seq,
                Msg::Close(code) => break code,
                _ => {}
            }
        }
    };
    let (code, ()) = tokio::join!(read, server.stop());
    assert_eq!((code, a.acked), (close::RESTART, 20));
}

impl TestServer {
    async fn unload_soon(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
