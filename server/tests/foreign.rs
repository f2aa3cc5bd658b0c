//! Clients that are not ours: what they are told where they cannot be served. Real ones: `tests/interop/clients.test.ts`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Client, Msg, TestServer};
use slate_yrs::protocol::{Message, close};

fn hocuspocus(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut frame = vec![name.len() as u8];
    frame.extend(name.as_bytes());
    frame.extend(rest);
    frame
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_hocuspocus_is_told_so() {
    let server = TestServer::start().await;
    // Names of every length: a short one begins like a message of y-websocket.
    for (id, name) in ["scene", "abc", "a", "a rather long name of a document, in words"].iter().enumerate() {
        // A token, and a sync step 1.
        for rest in [&[2, 0, 3, b'a', b'b', b'c'][..], &[0, 0, 1, 0]] {
            let mut client = Client::open(server.address, "scene", id as u64 + 1, "").await;
            client.send_bytes(hocuspocus(name, rest)).await;
            assert_eq!(client.closed().await, close::OTHER_PROTOCOL, "{name} {rest:?}");
            assert_eq!(client.farewell, "this server speaks y-websocket, not Hocuspocus");
        }
    }
    // Who speaks y-websocket, and garbles one frame, is not meant.
    let mut client = server.plain("scene", 9).await;
    client.send_bytes(vec![0, 2, 200]).await;
    client.sync_both().await;
    client.write("typed").await;
    client.round_trip().await;
    assert_eq!(server.rows("scene").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_of_40_mb_is_refused_so_that_somebody_sees_it_or_arrives() {
    let server = TestServer::start().await;
    let mut large = Client::scratch(1);
    let update = large.edit(0, &"x".repeat(40 << 20));
    let mut client = server.plain("scene", 2).await;
    client.send(&Message::SyncStep2(&update)).await;
    let said = loop {
        match client.next().await {
            Msg::Denied(said) => break said,
            Msg::Close(code) => panic!("closed with {code}, and nothing said"),
            _ => {}
        }
    };
    assert!(said.contains("larger than the server takes"), "{said}");
    assert_eq!(client.closed().await, close::TOO_LARGE);
    drop(server);

    let server = TestServer::with(&["--max-sync-bytes", "67108864"]).await;
    let mut client = server.plain("scene", 2).await;
    client.send(&Message::SyncStep2(&update)).await;
    client.round_trip().await;
    assert_eq!(server.rows("scene").await, 1);
}
