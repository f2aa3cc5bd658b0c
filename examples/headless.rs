//! A program in Rust that takes part in a document like anybody else: it joins, writes a line at the end, and goes when the
//! server has it in its database.
//!
//! ```sh
//! cargo run --example headless -- ws://localhost:8787/ws/scenes pilot "A line that a program wrote."
//! ```
//!
//! A token is taken from `SLATE_YRS_TOKEN`. [`Session`] does no input and output of its own: what it wants done comes out of
//! [`Session::poll_output`], what happens goes into [`Session::handle`]. So this file is a socket, a clock, and a loop between
//! them; lost connections are tried again, and the line is in the document once however often they break.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use slate_yrs::format::FORMATS;
use slate_yrs::session::{Config, Connection, Input, Millis, Output, Remote, Saved, Session};
use slate_yrs::slate::{Attrs, Element, Leaf, Node, Op, Schema};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use yrs::Any;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How far it is.
enum Step {
    Joining,
    Saving,
    Leaving,
}

/// What a socket closes with where nobody has said why.
const ABNORMAL: u16 = 1006;

fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

/// The room's address with what the server is told in the query.
fn address(url: &str, document: &str, session: &str) -> String {
    let token = std::env::var("SLATE_YRS_TOKEN").map(|token| format!("&token={token}")).unwrap_or_default();
    let document: String = document.bytes().map(segment).collect();
    format!("{}/{document}?slate-yrs=1&session={session}&formats={FORMATS}{token}", url.trim_end_matches('/'))
}

/// A byte of one segment of a path.
fn segment(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// A line of the kind that the last one is, behind all others.
fn line_behind(value: &[Node], text: &str) -> Op {
    let kind = match value.last() {
        Some(Node::Element(last)) => last.attrs.get("type").cloned(),
        _ => None,
    };
    let attrs = Attrs::from([("type".into(), kind.unwrap_or_else(|| Any::from("paragraph")))]);
    let children = vec![Node::Text(Leaf { text: text.into(), marks: Attrs::new() })];
    Op::InsertNode {
        path: [value.len() as u32].into_iter().collect(),
        node: Node::Element(Element { attrs, children }),
    }
}

/// What a socket has for the session. Waits where there is none.
async fn heard(socket: &mut Option<Socket>) -> Option<Input> {
    let Some(open) = socket else { return std::future::pending().await };
    let closed = |code, reason: String| Some(Input::Closed { code, reason });
    match open.next().await {
        Some(Ok(Message::Binary(frame))) => Some(Input::Frame(frame.to_vec())),
        Some(Ok(Message::Text(text))) => Some(Input::Text(text.to_string())),
        Some(Ok(Message::Close(Some(close)))) => closed(close.code.into(), close.reason.to_string()),
        Some(Ok(Message::Close(None))) | None => closed(ABNORMAL, String::new()),
        Some(Ok(_)) => None,
        Some(Err(error)) => closed(ABNORMAL, error.to_string()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(document), Some(text)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("give the server's address, the document and the line".into());
    };
    let mut random = fastrand::Rng::with_seed(now() ^ u64::from(std::process::id()) << 40);
    let name = format!("{:032x}", random.u128(..));
    let config = Config {
        document: document.clone(),
        session: name.clone(),
        client_id: random.u32(1..),
        seed: random.u64(..),
        root: slate_yrs::format::DEFAULT_ROOT.into(),
        block_id: None,
        capture_timeout: 500,
        remote: Remote::Connect,
        store: false,
        presence: Some(Any::from_json(r#"{"name": "A program"}"#)?),
        initial_value: None,
        schema: Schema::default(),
        formats: FORMATS,
        format: None,
    };
    let mut session = Session::new(config, now());
    let mut socket: Option<Socket> = None;
    let mut step = Step::Joining;
    loop {
        while let Some(output) = session.poll_output() {
            match output {
                Output::OpenSocket { .. } => {
                    session.handle(now(), Input::Dialing);
                    match connect_async(address(&url, &document, &name)).await {
                        Ok((open, _)) => {
                            socket = Some(open);
                            session.handle(now(), Input::Opened);
                        }
                        Err(error) => {
                            let reason = error.to_string();
                            session.handle(now(), Input::Closed { code: ABNORMAL, reason });
                        }
                    }
                }
                // What cannot be sent is still pending: the socket says next that it is closed.
                Output::Send(frame) => {
                    if let Some(socket) = &mut socket {
                        let _ = socket.send(Message::Binary(frame.into())).await;
                    }
                }
                Output::SendText(text) => {
                    if let Some(socket) = &mut socket {
                        let _ = socket.send(Message::Text(text.into())).await;
                    }
                }
                Output::CloseSocket { .. } => {
                    if let Some(mut socket) = socket.take() {
                        let _ = socket.close(None).await;
                    }
                }
                Output::Error(error) => eprintln!("{}: {}", error.code.as_str(), error.message),
                Output::Ended => return Ok(()),
                // There is no editor to bring up to date, and no store.
                _ => {}
            }
        }
        let status = session.status();
        match (&step, status.connection) {
            (_, Connection::Unauthorized | Connection::Forbidden) => {
                return Err(format!("the server refuses: {:?}", status.error).into());
            }
            (Step::Joining, _) if status.synced => {
                if status.read_only {
                    return Err("this token may only read".into());
                }
                let ops = vec![line_behind(&session.value(), &text)];
                session.handle(now(), Input::Commit { ops, normalization: false });
                step = Step::Saving;
                continue;
            }
            (Step::Saving, _) if status.pending == 0 && status.saved == Saved::Server => {
                println!("saved");
                session.handle(now(), Input::Close);
                step = Step::Leaving;
                continue;
            }
            _ => {}
        }
        let wait = session
            .next_timeout()
            .map_or(Duration::from_secs(3_600), |at| Duration::from_millis(at.saturating_sub(now())));
        let input = tokio::select! {
            input = heard(&mut socket) => input,
            () = tokio::time::sleep(wait) => Some(Input::Tick),
        };
        if let Some(input) = input {
            if matches!(input, Input::Closed { .. }) {
                socket = None;
            }
            session.handle(now(), input);
        }
    }
}
