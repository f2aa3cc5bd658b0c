//! The agent as a peer: a connection that says who is there, and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::json;
use slate_yrs::awareness::{ClientState, encode};
use slate_yrs::protocol::Message;
use tokio::time::{Instant, interval, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message as Frame};

use super::api::Api;
use crate::auth::cause;
use crate::lock::lock;
use crate::room::edit::fresh_client_id;

/// How long an agent is there after the last thing it did.
pub const STAYS: Duration = Duration::from_secs(120);
/// Sooner than the server takes anybody for gone.
const RENEW: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(5);

/// Is there until `until` is over; it may be later by then.
pub async fn stay(api: Api, scene: String, name: String, until: Arc<std::sync::Mutex<Instant>>) {
    let left = || {
        let until = *lock(&until);
        until.saturating_duration_since(Instant::now())
    };
    let client_id = fresh_client_id();
    let mut clock = 0;
    while !left().is_zero() {
        if let Err(error) = connected(&api, &scene, &name, client_id, &mut clock, &left).await {
            tracing::debug!(scene, error, "not seen by others at the moment");
            sleep(AGAIN.min(left())).await;
        }
    }
}

async fn connected(
    api: &Api,
    scene: &str,
    name: &str,
    client_id: u32,
    clock: &mut u32,
    left: &impl Fn() -> Duration,
) -> Result<(), String> {
    let mut key = [0u8; 16];
    getrandom::fill(&mut key).map_err(|error| error.to_string())?;
    let request = api
        .socket(scene)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", BASE64.encode(key));
    let response = request.send().await.map_err(cause)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(format!("the server answered {}", response.status()));
    }
    let upgraded = response.upgrade().await.map_err(cause)?;
    let mut socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await;
    let failed = |error: tungstenite::Error| error.to_string();
    let mut renew = interval(RENEW);
    let data = json!({ "data": { "name": name, "agent": true }, "selection": null }).to_string();
    let mut state = |state: Option<&str>| {
        *clock += 1;
        let state = ClientState { client_id: client_id.into(), clock: *clock, state: state.map(Arc::from) };
        Frame::Binary(Message::Awareness(&encode([state])).to_frame().into())
    };
    loop {
        tokio::select! {
            _ = renew.tick() => socket.send(state(Some(&data))).await.map_err(failed)?,
            frame = socket.next() => {
                frame.unwrap_or(Err(tungstenite::Error::ConnectionClosed)).map_err(failed)?;
            }
            () = sleep(left()), if left() < RENEW => {}
        }
        if left().is_zero() {
            socket.send(state(None)).await.map_err(failed)?;
            return socket.close(None).await.map_err(failed);
        }
    }
}
