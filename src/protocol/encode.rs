//! Messages → bytes.

use super::{Message, tag};

impl Message<'_> {
    /// Appends the message to `out`. A frame may hold several.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Message::SyncStep1(state_vector) => sync(out, 0, state_vector),
            Message::SyncStep2(update) => sync(out, 1, update),
            Message::Update(update) => sync(out, 2, update),
            Message::Awareness(update) => {
                var_uint(out, tag::AWARENESS);
                buf(out, update);
            }
            Message::AuthDenied(reason) => {
                var_uint(out, tag::AUTH);
                var_uint(out, 0);
                buf(out, reason.as_bytes());
            }
            Message::QueryAwareness => var_uint(out, tag::QUERY_AWARENESS),
            Message::Hello(hello) => {
                var_uint(out, tag::HELLO);
                buf(out, hello.to_json().as_bytes());
            }
            Message::Submit { seq, update } => {
                var_uint(out, tag::SUBMIT);
                var_uint(out, *seq);
                buf(out, update);
            }
            Message::Ack { seq } => {
                var_uint(out, tag::ACK);
                var_uint(out, *seq);
            }
            Message::Reject { seq, code, message } => {
                var_uint(out, tag::REJECT);
                var_uint(out, *seq);
                buf(out, code.as_str().as_bytes());
                buf(out, message.as_bytes());
            }
            Message::Seed(update) => {
                var_uint(out, tag::SEED);
                buf(out, update);
            }
            Message::Fragment { id, index, count, bytes } => {
                var_uint(out, tag::FRAGMENT);
                var_uint(out, *id);
                var_uint(out, *index);
                var_uint(out, *count);
                buf(out, bytes);
            }
            Message::Ping => var_uint(out, tag::PING),
            Message::Pong => var_uint(out, tag::PONG),
        }
    }

    /// The message as a frame of its own.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

fn sync(out: &mut Vec<u8>, kind: u64, bytes: &[u8]) {
    var_uint(out, tag::SYNC);
    var_uint(out, kind);
    buf(out, bytes);
}

pub(crate) fn var_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn buf(out: &mut Vec<u8>, bytes: &[u8]) {
    var_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
