//! The socket, against a server that does what its path says.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_timers::future::TimeoutFuture;
use slate_yrs::browser::{Socket, SocketEvent};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

type Events = mpsc::UnboundedReceiver<SocketEvent>;

/// The address of `tests/web/server.mjs`: the test runner serves the package's folder.
async fn server() -> String {
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let answer = JsFuture::from(global.fetch_with_str("/target/web-server.json")).await.unwrap();
    let answer: web_sys::Response = answer.unchecked_into();
    let json = JsFuture::from(answer.json().unwrap()).await.unwrap();
    js_sys::Reflect::get(&json, &"url".into()).unwrap().as_string().expect("run `npm run test:wasm`")
}

fn connect(url: &str) -> (Option<Socket>, Events) {
    let (sender, receiver) = mpsc::unbounded();
    (Socket::open(web_sys::WebSocket::new(url), move |event| drop(sender.unbounded_send(event))), receiver)
}

#[wasm_bindgen_test]
async fn frames_go_both_ways_in_order() {
    let (socket, mut events) = connect(&format!("{}/echo", server().await));
    let socket = socket.unwrap();
    assert_eq!(events.next().await, Some(SocketEvent::Opened));
    for byte in 0..100u8 {
        socket.send(&[byte; 3]);
    }
    socket.send(&[]);
    socket.send_text("žluť");
    for byte in 0..100u8 {
        assert_eq!(events.next().await, Some(SocketEvent::Frame(vec![byte; 3])));
    }
    assert_eq!(events.next().await, Some(SocketEvent::Frame(vec![])));
    assert_eq!(events.next().await, Some(SocketEvent::Text("žluť".into())));
}

#[wasm_bindgen_test]
async fn frames_are_sent_as_binary_and_not_as_blobs() {
    let (socket, mut events) = connect(&format!("{}/kind", server().await));
    assert_eq!(events.next().await, Some(SocketEvent::Opened));
    let socket = socket.unwrap();
    socket.send(&[1, 2, 3]);
    assert_eq!(events.next().await, Some(SocketEvent::Text("binary 3".into())));
}

#[wasm_bindgen_test]
async fn large_frames_show_as_buffered_until_they_have_left() {
    let (socket, mut events) = connect(&format!("{}/kind", server().await));
    assert_eq!(events.next().await, Some(SocketEvent::Opened));
    let socket = socket.unwrap();
    assert_eq!(socket.buffered(), 0);
    socket.send(&vec![7; 5_000_000]);
    assert!(socket.buffered() >= 5_000_000);
    assert_eq!(events.next().await, Some(SocketEvent::Text("binary 5000000".into())));
    assert_eq!(socket.buffered(), 0);
}

#[wasm_bindgen_test]
async fn the_servers_close_code_arrives_once() {
    for code in [1000, 1009, 4401, 4403] {
        let (_socket, mut events) = connect(&format!("{}/close/{code}", server().await));
        assert_eq!(events.next().await, Some(SocketEvent::Opened));
        assert_eq!(events.next().await, Some(SocketEvent::Closed { code, reason: "as asked".into() }));
        assert_eq!(events.next().await, None);
    }
}

#[wasm_bindgen_test]
async fn a_cut_connection_is_closed_without_a_code() {
    let (_socket, mut events) = connect(&format!("{}/cut", server().await));
    assert_eq!(events.next().await, Some(SocketEvent::Opened));
    assert!(matches!(events.next().await, Some(SocketEvent::Closed { code: 1006, .. })));
    assert_eq!(events.next().await, None);
}

#[wasm_bindgen_test]
async fn a_refused_connection_never_opens() {
    for path in ["/refuse", "/close-in-handshake"] {
        let (_socket, mut events) = connect(&format!("{}{path}", server().await));
        assert!(matches!(events.next().await, Some(SocketEvent::Closed { code: 1006, .. })));
        assert_eq!(events.next().await, None);
    }
}

#[wasm_bindgen_test]
async fn f23_what_is_no_address_is_a_closed_socket() {
    // Without a scheme an address is relative to the page.
    for url in ["ws://", "mailto:someone", "ws://host:99999/"] {
        let (socket, mut events) = connect(url);
        assert!(socket.is_none(), "{url}");
        assert!(matches!(events.next().await, Some(SocketEvent::Closed { code: 1006, .. })), "{url}");
        assert_eq!(events.next().await, None);
    }
}

/// F32: after closing, or dropping, nothing more comes, whatever is on its way.
#[wasm_bindgen_test]
async fn f32_a_socket_that_was_closed_is_silent() {
    for dropping in [false, true] {
        let (socket, mut events) = connect(&format!("{}/flood", server().await));
        assert_eq!(events.next().await, Some(SocketEvent::Opened));
        assert!(events.next().await.is_some());
        match socket {
            Some(socket) if !dropping => socket.close(4999),
            socket => drop(socket),
        }
        // What had come before.
        while events.try_recv().is_ok() {}
        TimeoutFuture::new(50).await;
        assert!(events.try_recv().is_err());
    }
}

/// F31: the callback may close the socket it is called by.
#[wasm_bindgen_test]
async fn f31_closing_from_within_an_event() {
    let (sender, mut receiver) = mpsc::unbounded();
    let slot: Rc<RefCell<Option<Socket>>> = Rc::default();
    let own = slot.clone();
    let flood = web_sys::WebSocket::new(&format!("{}/flood", server().await));
    let socket = Socket::open(flood, move |event| {
        let _ = sender.unbounded_send(event.clone());
        if matches!(event, SocketEvent::Frame(_)) {
            own.take();
        }
    });
    *slot.borrow_mut() = socket;
    assert_eq!(receiver.next().await, Some(SocketEvent::Opened));
    assert!(matches!(receiver.next().await, Some(SocketEvent::Frame(_))));
    TimeoutFuture::new(50).await;
}
