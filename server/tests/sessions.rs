//! What an acknowledgement covers, and whose a session is (F50).

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Client, Msg, TestServer};
use serde_json::json;
use slate_yrs::protocol::{Message, NOTHING, close};

/// The next acknowledgement, or the code of the close frame.
async fn answer(client: &mut Client) -> Result<u64, u16> {
    loop {
        match client.next().await {
            Msg::Ack(seq) => return Ok(seq),
            Msg::Close(code) => return Err(code),
            Msg::Reject(seq, _) => panic!("{seq} is refused"),
            _ => {}
        }
    }
}

async fn submit(client: &mut Client, seq: u64, update: &[u8]) {
    client.send(&Message::Submit { seq, update }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f50_a_gap_is_never_acknowledged_over() {
    let server = TestServer::with(&["--room-idle-ms", "100000"]).await;
    let mut a = server.durable("scene", 1, "a").await;
    a.write("one ").await;
    a.all_acked().await;
    let two = a.edit(4, "two ");
    let three = a.edit(8, "three ");
    // The frame with 2 is lost on the way.
    submit(&mut a, 3, &three).await;
    assert_eq!(answer(&mut a).await, Err(close::INTERNAL));
    assert_eq!(a.farewell, "a submission is missing");
    // Again, now at the beginning of a connection.
    let doc = a.drop_dead();
    let mut a = Client::connect_with(server.address, "scene", doc, "slate-yrs=1&session=a").await;
    assert_eq!(a.acked, 1);
    submit(&mut a, 3, &three).await;
    assert_eq!(answer(&mut a).await, Err(close::INTERNAL));
    let doc = a.drop_dead();
    let mut a = Client::connect_with(server.address, "scene", doc, "slate-yrs=1&session=a").await;
    assert_eq!(a.acked, 1);
    submit(&mut a, 2, &two).await;
    submit(&mut a, 3, &three).await;
    a.until("acknowledged", |a| a.acked == 3).await;
    let mut fresh = server.plain("scene", 9).await;
    fresh.sync().await;
    assert_eq!(fresh.read(), "one two three ");
}

#[tokio::test(flavor = "multi_thread")]
async fn f50_what_a_client_says_to_have_given_up_is_no_gap() {
    let server = TestServer::with(&["--room-idle-ms", "0"]).await;
    let mut a = server.durable("scene", 1, "a").await;
    a.write("one ").await;
    a.all_acked().await;
    let update = a.edit(4, "seven ");
    submit(&mut a, 6, &NOTHING).await;
    submit(&mut a, 7, &update).await;
    a.until("acknowledged", |a| a.acked == 7).await;
    // Nothing of it was a row of its own, and nothing of it is forgotten.
    assert_eq!(server.rows("scene").await, 2);
    a.leave().await;
    server.unload().await;
    let mut again = server.durable("scene", 2, "a").await;
    assert_eq!(again.acked, 7);
    submit(&mut again, 9, &update).await;
    assert_eq!(answer(&mut again).await, Err(close::INTERNAL));
}

/// What was refused was answered; who comes again has to say that it was heard.
#[tokio::test(flavor = "multi_thread")]
async fn f50_what_was_refused_is_no_gap_for_who_has_heard_it() {
    let server = TestServer::with(&["--room-idle-ms", "100000"]).await;
    let mut a = server.durable("scene", 1, "a").await;
    a.write("one ").await;
    a.all_acked().await;
    submit(&mut a, 2, b"no update").await;
    while !matches!(a.next().await, Msg::Reject(2, _)) {}
    let three = a.edit(4, "three ");
    submit(&mut a, 3, &three).await;
    assert_eq!(answer(&mut a).await, Ok(3));
    let four = a.edit(10, "four ");
    let doc = a.drop_dead();
    let mut a = Client::connect_with(server.address, "scene", doc, "slate-yrs=1&session=a").await;
    assert_eq!(a.acked, 1);
    submit(&mut a, 4, &four).await;
    assert_eq!(answer(&mut a).await, Err(close::INTERNAL));
    let doc = a.drop_dead();
    let mut a = Client::connect_with(server.address, "scene", doc, "slate-yrs=1&session=a").await;
    submit(&mut a, 3, &NOTHING).await;
    submit(&mut a, 4, &four).await;
    a.until("acknowledged", |a| a.acked == 4).await;
}

/// It is no sign that frames are too large, as 1009 would be.
#[tokio::test(flavor = "multi_thread")]
async fn f50_a_piece_of_a_frame_that_is_lost_ends_the_connection_for_a_retry() {
    let server = TestServer::start().await;
    let mut a = server.durable("scene", 1, "a").await;
    let frame = Message::Submit { seq: 1, update: &vec![7; 600_000] }.to_frame();
    let pieces: Vec<Vec<u8>> = slate_yrs::protocol::fragments(&frame, 1).collect();
    assert_eq!(pieces.len(), 3);
    a.send_bytes(pieces[0].clone()).await;
    a.send_bytes(pieces[2].clone()).await;
    assert_eq!(answer(&mut a).await, Err(close::INTERNAL));
    assert_eq!(a.farewell, "a piece of a frame is missing");
}

const SECRET: &str = "a secret for tests, of 32 bytes at least";

fn token(user: &str, seconds: i64) -> String {
    let expires = slate_yrs_server::clock::now() / 1000 + seconds;
    let claims = json!({ "sub": user, "documents": ["scene"], "role": "read-write", "exp": expires });
    common::tokens::hs256(&claims, SECRET)
}

#[tokio::test(flavor = "multi_thread")]
async fn f50_a_session_belongs_to_its_user() {
    let server = TestServer::with(&["--auth", "jwt", "--jwt-secret", SECRET]).await;
    let as_user = |token: String| format!("slate-yrs=1&session=s&token={token}");
    let (address, ada, eve) = (server.address, as_user(token("ada", 60)), as_user(token("eve", 60)));
    let mut client = Client::connect(address, "scene", 1, &ada).await;
    // Before anything is stored.
    let mut other = Client::open(address, "scene", 2, &eve).await;
    assert_eq!(other.next().await, Msg::Close(close::FORBIDDEN));
    client.write("ada’s ").await;
    client.all_acked().await;
    let mut other = Client::open(address, "scene", 2, &eve).await;
    assert_eq!(other.next().await, Msg::Close(close::FORBIDDEN));
    assert_eq!(other.farewell, "the session is another user's");
    client.leave().await;
    // From the database.
    server.unload().await;
    let mut other = Client::open(address, "scene", 2, &eve).await;
    assert_eq!(other.next().await, Msg::Close(close::FORBIDDEN));
    // The same user by another token.
    let client = Client::connect(address, "scene", 1, &as_user(token("ada", 120))).await;
    assert_eq!(client.acked, 1);
    // And another user by a session of their own.
    let mut other = Client::connect(address, "scene", 2, &eve.replace("session=s", "session=t")).await;
    other.write("eve’s ").await;
    other.all_acked().await;
}
