use super::*;

/// F2: a socket, a hello, a step 1 are no sync.
#[test]
fn f2_synced_only_after_step_2() {
    let mut rig = Rig::new();
    rig.feed(Input::Opened);
    assert!(!rig.status().synced);
    rig.frame(Message::Hello(hello("e", 0)));
    rig.frame(Message::SyncStep1(&[0]));
    for _ in 0..3 {
        rig.pass(10_000);
        rig.frame(Message::Ping);
        assert_eq!((rig.status().synced, rig.status().connection), (false, Connection::Online));
    }
    rig.frame(Message::SyncStep2(&foreign(&[block("x")])));
    assert!(rig.status().synced);
    assert_eq!(rig.session.value(), [block("x")]);
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    assert!(!rig.status().synced);
}

/// F22, F30: five idle minutes, then silence.
#[test]
fn f22_heartbeats_keep_a_quiet_connection_and_find_a_dead_one() {
    for durable in [true, false] {
        let mut rig = Rig::new();
        if durable {
            rig.durable()
        } else {
            rig.plain()
        }
        for _ in 0..300 {
            rig.pass(1_000);
            for sent in rig.sent() {
                match sent.as_str() {
                    "ping" => rig.frame(Message::Pong),
                    "step1" => rig.frame(Message::SyncStep2(&[0, 0])),
                    _ => {}
                }
            }
        }
        assert_eq!((rig.status().connection, rig.status().synced), (Connection::Online, true));
        rig.take();
        rig.pass(45_000);
        assert!(rig.take().iter().any(|output| matches!(output, Output::CloseSocket { .. })), "durable: {durable}");
    }
}

/// F30: any byte is a sign of life, and who was slow once is given more time.
#[test]
fn f30_a_slow_first_sync_is_waited_for() {
    let mut rig = Rig::new();
    rig.feed(Input::Opened);
    rig.frame(Message::Hello(hello("e", 0)));
    let piece = |index| Message::Fragment { id: 1, index, count: 100, bytes: &[0; 10] };
    for index in 0..99 {
        rig.pass(10_000);
        rig.frame(piece(index));
        assert_eq!(rig.status().connection, Connection::Online);
        assert!(rig.status().progress.is_some());
    }
    let mut rig = Rig::new();
    let mut waited = Vec::new();
    for _ in 0..3 {
        rig.feed(Input::Opened);
        rig.take();
        let from = rig.now;
        while !rig.take().iter().any(|output| matches!(output, Output::CloseSocket { .. })) {
            rig.pass(1_000);
        }
        waited.push(rig.now - from);
        rig.feed(Input::Connect);
    }
    assert!(waited[1] > waited[0] && waited[2] > waited[1], "{waited:?}");
}

/// F25: for ever, with growing pauses, up to 30 s.
#[test]
fn f25_retries_are_unlimited_and_spaced() {
    let mut rig = Rig::new();
    assert_eq!(rig.opens(), 1);
    let mut longest = 0;
    for attempt in 0..200 {
        rig.feed(Input::Closed { code: 1006, reason: String::new() });
        let wait = rig.status().retry_at.expect("a retry") - rig.now;
        assert!(wait <= (100u64 << attempt.min(20)).min(30_000));
        longest = longest.max(wait);
        rig.pass(wait);
        assert_eq!(rig.opens(), 1);
    }
    assert!(longest > 20_000);
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.feed(Input::NetworkHint { online: true });
    assert_eq!(rig.opens(), 1, "the online event tries at once");
}

/// F24: opening a socket is no success; a sync is.
#[test]
fn f24_backoff_is_reset_by_a_sync_only() {
    let mut rig = Rig::new();
    let mut late = 0;
    for _ in 0..30 {
        rig.feed(Input::Opened);
        rig.feed(Input::Closed { code: 1011, reason: String::new() });
        let wait = rig.status().retry_at.unwrap() - rig.now;
        late = late.max(wait);
        rig.pass(wait);
    }
    assert!(late > 5_000);
    rig.durable();
    rig.feed(Input::Closed { code: 1011, reason: String::new() });
    assert!(rig.status().retry_at.unwrap() - rig.now <= 100);
}

/// F24: one other token, then a clear state.
#[test]
fn f24_a_refused_token_is_asked_for_once() {
    let fresh = |rig: &mut Rig| {
        let opens = rig.take().into_iter().filter_map(|output| match output {
            Output::OpenSocket { fresh_token } => Some(fresh_token),
            _ => None,
        });
        opens.collect::<Vec<_>>()
    };
    for code in [4401, 4001] {
        let mut rig = Rig::new();
        assert_eq!(fresh(&mut rig), [false]);
        rig.feed(Input::Closed { code, reason: "expired".into() });
        assert_eq!(fresh(&mut rig), [true]);
        rig.feed(Input::Closed { code, reason: "expired".into() });
        assert_eq!(rig.status().connection, Connection::Unauthorized);
        rig.pass(10_000_000);
        rig.feed(Input::NetworkHint { online: true });
        assert!(fresh(&mut rig).is_empty());
        rig.feed(Input::Connect);
        assert_eq!(fresh(&mut rig), [true]);
        // It expires while connected, after an hour.
        rig.durable();
        rig.pass(1);
        for _ in 0..240 {
            rig.pass(15_000);
            rig.frame(Message::Pong);
        }
        rig.take();
        rig.feed(Input::Closed { code, reason: "expired".into() });
        assert_eq!(fresh(&mut rig), [true]);
    }
    let mut rig = Rig::new();
    rig.feed(Input::Opened);
    rig.frame(Message::AuthDenied("no"));
    rig.feed(Input::Opened);
    rig.frame(Message::AuthDenied("no"));
    assert_eq!(rig.status().connection, Connection::Unauthorized);
}

#[test]
fn f24_forbidden_is_final_until_asked() {
    for code in [4403, 4003, 4450] {
        let mut rig = Rig::new();
        rig.feed(Input::Closed { code, reason: String::new() });
        assert_eq!(rig.status().connection, Connection::Forbidden);
        rig.take();
        rig.pass(10_000_000);
        assert_eq!(rig.opens(), 0);
        rig.feed(Input::Connect);
        assert_eq!(rig.opens(), 1);
    }
}

/// F26: what the browser says is a reason to ask, not a state.
#[test]
fn f26_hints_are_hints() {
    let mut rig = Rig::new();
    rig.durable();
    rig.feed(Input::NetworkHint { online: false });
    assert_eq!(rig.status().connection, Connection::Online);
    assert_eq!(rig.sent(), ["ping"]);
    rig.frame(Message::Pong);
    rig.pass(10_000);
    assert_eq!(rig.status().connection, Connection::Online);
    rig.feed(Input::Disconnect);
    assert_eq!(rig.status().connection, Connection::Offline);
    assert!(rig.status().offline_since.is_some());
    rig.take();
    rig.feed(Input::NetworkHint { online: true });
    rig.pass(1_000_000);
    assert_eq!(rig.opens(), 0, "offline by the user");
}

/// F23: nothing a server sends can hurt.
#[test]
fn f23_garbage_is_reported_and_survived() {
    let mut rig = Rig::new();
    rig.durable();
    rig.type_block("mine");
    let mut random = fastrand::Rng::with_seed(23);
    for _ in 0..3_000 {
        let mut frame: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
        if let Some(first) = frame.first_mut() {
            *first = [0, 1, 2, 3, 120, 122, 123, 124, 125, 126][random.usize(..10)];
        }
        rig.feed(Input::Frame(frame));
        if !rig.session.link.has_socket() {
            rig.feed(Input::Connect);
            rig.durable();
        }
    }
    rig.feed(Input::Text("{".into()));
    rig.feed(Input::Text("null".into()));
    assert!(rig.status().error.is_some());
    assert_eq!(rig.session.value(), [block("mine")]);
    rig.take();
    rig.feed(Input::Text(r#"{"type":"ping"}"#.into()));
    assert!(rig.take().contains(&Output::SendText(r#"{"type":"pong"}"#.into())));
}

/// F32: closing twice, or with everything in flight, ends once and then nothing happens any more.
#[test]
fn f32_closing_is_idempotent() {
    for step in 0..4 {
        let mut rig = Rig::new();
        if step > 0 {
            rig.feed(Input::Opened);
        }
        if step > 1 {
            rig.frame(Message::Hello(hello("e", 0)));
        }
        if step > 2 {
            rig.type_block("last words");
        }
        rig.feed(Input::Close);
        rig.feed(Input::Close);
        let ends = rig.take().iter().filter(|output| **output == Output::Ended).count();
        assert_eq!(ends, 1);
        rig.feed(Input::Opened);
        rig.feed(Input::Connect);
        rig.feed(Input::Tick);
        assert_eq!(rig.take(), []);
        assert_eq!((rig.session.next_timeout(), rig.status().connection), (None, Connection::Closed));
        assert_eq!(rig.store.peek("d").outbox.len(), usize::from(step > 2));
    }
}
