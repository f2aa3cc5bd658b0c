//! A client: a Y.Doc and a socket. It does what it is told and nothing else.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use slate_yrs::protocol::{self, Hello, Message, RejectCode};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, Update};

use super::PATIENCE;

/// A message with its bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    Step1(Vec<u8>),
    Step2(Vec<u8>),
    Update(Vec<u8>),
    Awareness(Vec<u8>),
    Denied(String),
    Hello(Hello),
    Ack(u64),
    Reject(u64, RejectCode),
    Ping,
    Pong,
    Other,
    Text(String),
    Close(u16),
}

pub struct Client {
    pub doc: Doc,
    pub text: TextRef,
    pub hello: Option<Hello>,
    /// The seq of the last submission.
    pub seq: u64,
    pub acked: u64,
    /// The reason that the server closed with.
    pub farewell: String,
    socket: Option<WebSocketStream<MaybeTlsStream<TcpStream>>>,
    reassembly: protocol::Reassembly,
    waiting: std::collections::VecDeque<Msg>,
}

pub fn doc(id: u64) -> Doc {
    let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(yrs::block::ClientID::new(id)) };
    Doc::with_options(options)
}

impl Client {
    pub async fn connect(address: SocketAddr, document: &str, id: u64, query: &str) -> Self {
        Self::connect_with(address, document, doc(id), query).await
    }

    pub async fn connect_with(address: SocketAddr, document: &str, doc: Doc, query: &str) -> Self {
        Self::try_connect_with(address, document, doc, query).await.expect("connects, and is greeted")
    }

    /// None if the server does not answer, or closes instead of saying hello.
    pub async fn try_connect_with(address: SocketAddr, document: &str, doc: Doc, query: &str) -> Option<Self> {
        let mut client = Self::open_with(address, document, doc, query).await?;
        let greeted = !query.contains("slate-yrs=1") || client.greeted().await;
        greeted.then_some(client)
    }

    /// Takes hello. False if something else comes.
    pub async fn greeted(&mut self) -> bool {
        let Msg::Hello(hello) = self.next().await else { return false };
        self.acked = hello.acked_seq;
        self.seq = hello.acked_seq;
        self.hello = Some(hello);
        true
    }

    /// Connected; what comes first is not looked at.
    pub async fn open(address: SocketAddr, document: &str, id: u64, query: &str) -> Self {
        Self::open_with(address, document, doc(id), query).await.expect("connects")
    }

    /// None if the server does not answer.
    pub async fn open_with(address: SocketAddr, document: &str, doc: Doc, query: &str) -> Option<Self> {
        let url = format!("ws://{address}/ws/scenes/{document}?{query}");
        let (socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await.ok()?;
        Some(Self::over(Some(socket), doc))
    }

    /// A doc to make updates with, connected to nothing.
    pub fn scratch(id: u64) -> Self {
        Self::over(None, doc(id))
    }

    fn over(socket: Option<WebSocketStream<MaybeTlsStream<TcpStream>>>, doc: Doc) -> Self {
        let text = doc.get_or_insert_text("content");
        let reassembly = protocol::Reassembly::new(64 << 20);
        let waiting = Default::default();
        let farewell = String::new();
        Self { doc, text, hello: None, seq: 0, acked: 0, farewell, socket, reassembly, waiting }
    }

    fn socket(&mut self) -> &mut WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.socket.as_mut().expect("connected")
    }

    pub async fn send(&mut self, message: &Message<'_>) {
        self.send_bytes(message.to_frame()).await;
    }

    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        // The server may have closed: the test will see that when it reads.
        let _ = self.socket().send(tungstenite::Message::Binary(bytes.into())).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket().send(tungstenite::Message::Text(text.into())).await.unwrap();
    }

    /// The next message, as it is.
    pub async fn next(&mut self) -> Msg {
        timeout(PATIENCE, self.receive()).await.expect("a message in time")
    }

    /// Nothing but signs of life comes for so long.
    pub async fn silence(&mut self, time: Duration) {
        let deadline = tokio::time::Instant::now() + time;
        while let Ok(message) = tokio::time::timeout_at(deadline, self.receive()).await {
            let alive = matches!(&message, Msg::Ping) || message == Msg::Awareness(vec![0]);
            assert!(alive, "unexpected {message:?}");
        }
    }

    async fn receive(&mut self) -> Msg {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return message;
            }
            match self.socket().next().await {
                Some(Ok(tungstenite::Message::Binary(bytes))) => self.decode(&bytes),
                Some(Ok(tungstenite::Message::Text(text))) => return Msg::Text(text.to_string()),
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    self.farewell = frame.as_ref().map(|frame| frame.reason.to_string()).unwrap_or_default();
                    return Msg::Close(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Msg::Close(1006),
            }
        }
    }

    fn decode(&mut self, frame: &[u8]) {
        for message in protocol::messages(frame) {
            let message = match message.expect("the server sends what decodes") {
                Message::SyncStep1(bytes) => Msg::Step1(bytes.into()),
                Message::SyncStep2(bytes) => Msg::Step2(bytes.into()),
                Message::Update(bytes) => Msg::Update(bytes.into()),
                Message::Awareness(bytes) => Msg::Awareness(bytes.into()),
                Message::AuthDenied(reason) => Msg::Denied(reason.into()),
                Message::Hello(hello) => Msg::Hello(hello),
                Message::Ack { seq } => Msg::Ack(seq),
                Message::Reject { seq, code, .. } => Msg::Reject(seq, code),
                Message::Ping => Msg::Ping,
                Message::Pong => Msg::Pong,
                Message::Fragment { id, index, count, bytes } => {
                    if let Some(whole) = self.reassembly.take(0, id, index, count, bytes).expect("in order") {
                        self.decode(&whole);
                    }
                    continue;
                }
                _ => Msg::Other,
            };
            self.waiting.push_back(message);
        }
    }

    /// Does what a client does with a message; returns it.
    pub async fn step(&mut self) -> Msg {
        let message = self.next().await;
        match &message {
            Msg::Step1(state_vector) => {
                let update = self.since(state_vector);
                self.send(&Message::SyncStep2(&update)).await;
            }
            Msg::Step2(update) | Msg::Update(update) => {
                self.doc.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
            }
            Msg::Ack(seq) => self.acked = self.acked.max(*seq),
            Msg::Ping => self.send(&Message::Pong).await,
            Msg::Close(code) => panic!("closed with {code}"),
            _ => {}
        }
        message
    }

    pub async fn until(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let run = async {
            while !condition(self) {
                self.step().await;
            }
        };
        if timeout(PATIENCE, run).await.is_err() {
            panic!("never: {what}; the text is {:?}", self.read());
        }
    }

    /// Until the server closes the connection; the code.
    pub async fn closed(&mut self) -> u16 {
        let closing = async {
            loop {
                if let Msg::Close(code) = self.next().await {
                    return code;
                }
            }
        };
        // Signs of life go on without end.
        timeout(2 * PATIENCE, closing).await.expect("the server closes")
    }

    /// Both directions, until the server's step 2 is applied.
    pub async fn sync(&mut self) {
        let state_vector = self.doc.transact().state_vector().encode_v1();
        self.send(&Message::SyncStep1(&state_vector)).await;
        while !matches!(self.step().await, Msg::Step2(_)) {}
    }

    /// Sync, and wait until what this client answered to the server's step 1 was taken: one more round trip.
    pub async fn sync_both(&mut self) {
        self.sync().await;
        self.round_trip().await;
    }

    pub async fn round_trip(&mut self) {
        self.send(&Message::QueryAwareness).await;
        while !matches!(self.step().await, Msg::Awareness(_)) {}
    }

    /// An edit in the doc alone.
    pub fn edit(&mut self, at: u32, text: &str) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        self.text.insert(&mut txn, at, text);
        txn.encode_update_v1()
    }

    /// The same: a deletion.
    pub fn erase(&mut self, at: u32, len: u32) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        self.text.remove_range(&mut txn, at, len);
        txn.encode_update_v1()
    }

    /// An edit at the end, sent as this client sends edits.
    pub async fn write(&mut self, text: &str) {
        let end = self.text.len(&self.doc.transact());
        let update = self.edit(end, text);
        self.push(&update).await;
    }

    pub fn apply(&mut self, update: &[u8]) {
        self.doc.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
    }

    pub async fn push(&mut self, update: &[u8]) {
        if self.hello.is_some() {
            self.seq += 1;
            let seq = self.seq;
            self.send(&Message::Submit { seq, update }).await;
        } else {
            self.send(&Message::Update(update)).await;
        }
    }

    pub async fn all_acked(&mut self) {
        let seq = self.seq;
        self.until("all acknowledged", |client| client.acked >= seq).await;
    }

    pub async fn reads(&mut self, text: &str) {
        self.until(&format!("reads {text:?}"), |client| client.read() == text).await;
    }

    pub fn read(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    pub fn since(&self, state_vector: &[u8]) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::decode_v1(state_vector).unwrap())
    }

    pub fn state(&self) -> Vec<u8> {
        self.since(&[0])
    }

    /// Closes with a close frame.
    pub async fn leave(mut self) -> Doc {
        let _ = self.socket().close(None).await;
        while let Some(Ok(_)) = self.socket().next().await {}
        self.doc
    }

    /// The socket is gone without a word.
    pub fn drop_dead(self) -> Doc {
        self.doc
    }
}
