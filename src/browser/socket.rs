//! One WebSocket: frames out at once, events in through a callback.
//!
//! gloo receives. Sending goes through the kept `web_sys` handle: gloo would wrap each frame in a Blob, several times
//! slower than the bytes themselves, and cannot close a socket once it is split.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;

use futures_util::{Sink, StreamExt};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::BinaryType;

use super::describe;

/// What a socket reports. `Closed` is the last, and comes exactly once unless the socket was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    Opened,
    Frame(Vec<u8>),
    Text(String),
    /// 1006 without a close frame, or if it never opened.
    Closed {
        code: u16,
        reason: String,
    },
}

/// Closing 1006 is never on the wire: it says that there was no close frame.
const ABNORMAL: u16 = 1006;

/// An open or opening socket. Dropping it closes it, and nothing more is reported.
pub struct Socket {
    raw: web_sys::WebSocket,
    /// The receiving task goes on, silent, until the socket has closed: gloo leaves a listener on a socket that it
    /// drops before, and what that would call is gone.
    heard: Rc<Cell<bool>>,
}

impl Socket {
    /// Takes a socket that is about to be opened. What came of an address that is none, or that the page may not use, is
    /// reported as `Closed`.
    pub fn open(opened: Result<web_sys::WebSocket, JsValue>, on_event: impl Fn(SocketEvent) + 'static) -> Option<Self> {
        let opened = opened.map_err(|error| describe(&error)).and_then(|raw| {
            raw.set_binary_type(BinaryType::Arraybuffer);
            WebSocket::try_from(raw.clone()).map(|stream| (raw, stream)).map_err(|error| error.to_string())
        });
        match opened {
            Ok((raw, stream)) => {
                let heard = Rc::new(Cell::new(true));
                let (handle, listening) = (raw.clone(), heard.clone());
                spawn_local(receive(handle, stream, move |event| {
                    if listening.get() {
                        on_event(event);
                    }
                }));
                Some(Self { raw, heard })
            }
            Err(reason) => {
                // Not from within the call: the caller has no socket yet to which the event could belong.
                spawn_local(async move { on_event(SocketEvent::Closed { code: ABNORMAL, reason }) });
                None
            }
        }
    }

    /// Sends a frame. What a socket that is not open is given is lost; its `Closed` is on the way.
    pub fn send(&self, frame: &[u8]) {
        let _ = self.raw.send_with_u8_array(frame);
    }

    pub fn send_text(&self, text: &str) {
        let _ = self.raw.send_with_str(text);
    }

    /// Bytes given to [`Self::send`] that have not left yet.
    pub fn buffered(&self) -> u32 {
        self.raw.buffered_amount()
    }

    /// Closes with a code; nothing more is reported. Codes a page may not send become 1000.
    pub fn close(self, code: u16) {
        let code = if code == 1000 || (3000..=4999).contains(&code) { code } else { 1000 };
        self.heard.set(false);
        let _ = self.raw.close_with_code(code);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.heard.replace(false) {
            let _ = self.raw.close();
        }
    }
}

async fn receive(raw: web_sys::WebSocket, mut stream: WebSocket, on_event: impl Fn(SocketEvent)) {
    // gloo's sink is ready once the socket is no longer connecting: open, or failed.
    let left = poll_fn(|context| Pin::new(&mut stream).poll_ready(context)).await;
    if left.is_ok() && raw.ready_state() == web_sys::WebSocket::OPEN {
        on_event(SocketEvent::Opened);
    }
    while let Some(message) = stream.next().await {
        match message {
            Ok(Message::Bytes(bytes)) => on_event(SocketEvent::Frame(bytes)),
            Ok(Message::Text(text)) => on_event(SocketEvent::Text(text)),
            Err(WebSocketError::ConnectionClose(event)) => {
                return on_event(SocketEvent::Closed { code: event.code, reason: event.reason });
            }
            // A close event follows.
            Err(_) => {}
        }
    }
    on_event(SocketEvent::Closed { code: ABNORMAL, reason: String::new() });
}
