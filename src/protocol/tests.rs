use super::*;
use crate::format::KnownFormats;

fn all() -> Vec<Message<'static>> {
    vec![
        Message::SyncStep1(&[0]),
        Message::SyncStep2(&[0, 0]),
        Message::Update(&[1, 2, 3]),
        Message::Awareness(&[0]),
        Message::AuthDenied("no"),
        Message::QueryAwareness,
        Message::Hello(Hello {
            version: VERSION,
            epoch: "e1".into(),
            role: Role::ReadWrite,
            max_update_bytes: 1 << 20,
            max_frame_bytes: 1 << 20,
            acked_seq: 7,
            heartbeat_ms: 15_000,
            formats: Some(KnownFormats::of(&[0, 1])),
            format: Some(1),
            new_format: Some(0),
            root: Some("text".into()),
            user: Some("ada".into()),
        }),
        Message::Submit { seq: 300, update: &[9] },
        Message::Ack { seq: (1 << 53) - 1 },
        Message::Reject { seq: 3, code: RejectCode::TooLarge, message: "1 MiB is the limit" },
        Message::Seed(&[0, 0]),
        Message::Fragment { id: 1, index: 0, count: 2, bytes: &[5, 6] },
        Message::Ping,
        Message::Pong,
    ]
}

#[test]
fn messages_survive_the_wire_alone_and_together() {
    let mut together = Vec::new();
    for message in all() {
        let frame = message.to_frame();
        assert_eq!(messages(&frame).collect::<Result<Vec<_>, _>>().as_deref(), Ok(&[message.clone()][..]));
        message.encode(&mut together);
    }
    assert_eq!(messages(&together).collect::<Result<Vec<_>, _>>(), Ok(all()));
}

/// F23: whatever the bytes, decoding ends, in messages or one error.
#[test]
fn f23_decoding_is_total() {
    let mut rng = fastrand::Rng::with_seed(23);
    for message in all() {
        let frame = message.to_frame();
        for end in 0..frame.len() {
            let _ = messages(&frame[..end]).count();
        }
        for _ in 0..2_000 {
            let mut broken = frame.clone();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(0..broken.len());
                broken[at] = rng.u8(..);
            }
            let results: Vec<_> = messages(&broken).collect();
            let errors = results.iter().filter(|result| result.is_err()).count();
            assert!(errors <= 1 && results.iter().rev().skip(1).all(Result::is_ok));
        }
    }
    assert_eq!(messages(&[0, 2, 0xff, 0xff, 0xff, 0xff, 0x0f]).next(), Some(Err(DecodeError::Truncated)));
    assert_eq!(messages(&[0xff; 12]).next(), Some(Err(DecodeError::NumberTooLarge)));
    assert_eq!(messages(&[99]).next(), Some(Err(DecodeError::UnknownMessage(99))));
    assert_eq!(messages(&[0, 7]).next(), Some(Err(DecodeError::UnknownKind(0, 7))));
    assert_eq!(messages(&[2, 0, 1, 0xff]).next(), Some(Err(DecodeError::NotUtf8)));
}

#[test]
fn fragments_come_together_again() {
    let frame: Vec<u8> = (0..FRAGMENT_BYTES * 2 + 10).map(|i| i as u8).collect();
    let mut reassembly = Reassembly::new(1 << 20);
    let mut whole = None;
    for piece in fragments(&frame, 4) {
        let Some(Ok(Message::Fragment { id, index, count, bytes })) = messages(&piece).next() else {
            panic!("not a fragment");
        };
        assert_eq!(whole, None);
        whole = reassembly.take(0, id, index, count, bytes).expect("in order");
    }
    assert_eq!(whole.as_deref(), Some(&frame[..]));
    assert_eq!(reassembly.progress(), None);
}

#[test]
fn a_piece_out_of_order_ends_its_frame() {
    for wrong in [0, 2, 3] {
        let mut reassembly = Reassembly::new(10);
        assert_eq!(reassembly.take(0, 1, 0, 4, &[7]), Ok(None));
        assert_eq!(
            reassembly.take(0, 1, wrong, 4, &[8]),
            Err(FragmentError::OutOfOrder { index: wrong, count: 4 }),
            "piece {wrong} after piece 0"
        );
        // Nothing of it is kept.
        assert_eq!(reassembly.take(0, 1, 1, 4, &[9]), Err(FragmentError::OutOfOrder { index: 1, count: 4 }));
    }
}

#[test]
fn reassembly_is_bounded() {
    let mut reassembly = Reassembly::new(10);
    assert_eq!(reassembly.take(0, 1, 1, 2, &[0]), Err(FragmentError::OutOfOrder { index: 1, count: 2 }));
    assert_eq!(reassembly.take(0, 1, 0, 3, &[0; 6]), Ok(None));
    assert_eq!(reassembly.take(0, 2, 0, 3, &[0; 6]), Err(FragmentError::TooLarge { limit: 10 }));
    assert_eq!(reassembly.expire(30_001, 30_000), 1);
    for id in 0..4 {
        assert_eq!(reassembly.take(0, id, 0, 2, &[]), Ok(None));
    }
    assert_eq!(reassembly.take(0, 9, 0, 2, &[]), Err(FragmentError::TooMany));
}

#[test]
fn close_codes() {
    use close::{Meaning, meaning};
    assert_eq!(meaning(4401), Meaning::Unauthorized);
    assert_eq!(meaning(4001), Meaning::Unauthorized);
    assert_eq!(meaning(4403), Meaning::Forbidden);
    assert_eq!(meaning(4003), Meaning::Forbidden);
    assert_eq!(meaning(4450), Meaning::Forbidden);
    assert_eq!(meaning(1009), Meaning::TooLarge);
    for code in [1000, 1005, 1006, 1011, 1012, 4508, 4999] {
        assert_eq!(meaning(code), Meaning::Retry);
    }
}

/// The bytes that lib0 and y-protocols write: `tests/wire/golden.test.ts` holds them to the same file.
#[test]
fn golden_bytes() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../../tests/wire/golden.json")).expect("JSON");
    let golden = golden.as_array().expect("a list");
    assert!(golden.len() >= 17);
    for entry in golden {
        let name = entry["name"].as_str().expect("a name");
        let frame = unhex(&entry["hex"]);
        let expected = &entry["message"];
        let bytes = if expected["bytes"].is_string() { unhex(&expected["bytes"]) } else { Vec::new() };
        let text = |key: &str| expected[key].as_str().unwrap_or_default();
        let number = |key: &str| expected[key].as_u64().unwrap_or_default();
        let message = match text("type") {
            "sync-step-1" => Message::SyncStep1(&bytes),
            "sync-step-2" => Message::SyncStep2(&bytes),
            "update" => Message::Update(&bytes),
            "awareness" => Message::Awareness(&bytes),
            "auth-denied" => Message::AuthDenied(text("reason")),
            "query-awareness" => Message::QueryAwareness,
            "hello" => Message::Hello(Hello::from_json(&expected["hello"].to_string()).expect("a hello")),
            "submit" => Message::Submit { seq: number("seq"), update: &bytes },
            "ack" => Message::Ack { seq: number("seq") },
            "reject" => {
                Message::Reject { seq: number("seq"), code: RejectCode::parse(text("code")), message: text("message") }
            }
            "seed" => Message::Seed(&bytes),
            "fragment" => {
                Message::Fragment { id: number("id"), index: number("index"), count: number("count"), bytes: &bytes }
            }
            "ping" => Message::Ping,
            "pong" => Message::Pong,
            other => panic!("{name}: {other}"),
        };
        assert_eq!(messages(&frame).collect::<Result<Vec<_>, _>>(), Ok(vec![message.clone()]), "{name}");
        assert_eq!(message.to_frame(), frame, "{name}");
    }
}

fn unhex(value: &serde_json::Value) -> Vec<u8> {
    let hex = value.as_str().expect("hex");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

/// To a client of before there were comments, who may comment may read.
#[test]
fn who_may_comment_is_a_reader_to_older_clients() {
    let [Message::Hello(hello)] = &all()[6..7] else { panic!("no hello") };
    for role in [Role::ReadWrite, Role::ReadOnly, Role::Comment] {
        let frame = Message::Hello(Hello { role, ..hello.clone() }).to_frame();
        let text = String::from_utf8_lossy(&frame).into_owned();
        let told = if role == Role::Comment { "read-only" } else { role.as_str() };
        assert!(text.contains(&format!(r#""role":"{told}""#)), "{text}");
        let read: Vec<_> = messages(&frame).collect::<Result<_, _>>().expect("decodes");
        assert!(matches!(&read[..], [Message::Hello(Hello { role: found, .. })] if *found == role));
    }
}
