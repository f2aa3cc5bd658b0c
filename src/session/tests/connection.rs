use super::*;
use crate::protocol::{OLDEST_VERSION, VERSION};

/// Server and client are seldom replaced at the same time. A server that is too old for that is one like any other.
#[test]
fn a_server_may_speak_an_older_version_or_a_newer_one() {
    for (version, is_understood) in [(OLDEST_VERSION - 1, false), (OLDEST_VERSION, true), (VERSION + 1, true)] {
        let mut rig = Rig::new();
        rig.feed(Input::Opened);
        rig.frame(Message::Hello(Hello { version, ..hello("e", 0) }));
        rig.frame(Message::SyncStep2(&foreign(&[block("x")])));
        assert!(rig.status().synced, "{version}");
        assert_eq!(rig.status().error.is_none(), is_understood, "{version}");
    }
}

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
        rig.joins(durable);
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

/// F24, F47: opening a socket is no success, nor is a sync; an acknowledgement is, and a sync that holds.
#[test]
fn f24_backoff_is_reset_by_what_holds_only() {
    let longest = |rig: &mut Rig, live: &dyn Fn(&mut Rig)| {
        let mut late = 0;
        for _ in 0..30 {
            live(rig);
            rig.feed(Input::Closed { code: 1011, reason: String::new() });
            let wait = rig.status().retry_at.unwrap() - rig.now;
            late = late.max(wait);
            rig.pass(wait);
        }
        late
    };
    let mut rig = Rig::new();
    assert!(longest(&mut rig, &|rig| rig.feed(Input::Opened)) > 5_000);
    for plain in [true, false] {
        let mut rig = Rig::new();
        let sync = |rig: &mut Rig| if plain { rig.plain() } else { rig.durable() };
        assert!(longest(&mut rig, &sync) > 5_000, "plain: {plain}");
        sync(&mut rig);
        rig.pass(10_000);
        rig.feed(Input::Closed { code: 1011, reason: String::new() });
        assert!(rig.status().retry_at.unwrap() - rig.now <= 100, "it held");
    }
    let mut rig = Rig::new();
    longest(&mut rig, &|rig| rig.durable());
    rig.durable();
    rig.type_block("x");
    rig.frame(Message::Ack { seq: 1 });
    rig.feed(Input::Closed { code: 1011, reason: String::new() });
    assert!(rig.status().retry_at.unwrap() - rig.now <= 100, "it was acknowledged");
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
        if !rig.session.network.link.has_socket() {
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

/// A server behind something that ends the connection at each frame over `limit`. Returns how many connections it took
/// within ten minutes, and what has arrived by which of them.
fn behind_a_hop(rig: &mut Rig, durable: bool, limit: usize, code: u16) -> (usize, Vec<(usize, Vec<u8>)>) {
    let mut there: Vec<(usize, Vec<u8>)> = Vec::new();
    let (mut connections, until, mut acked) = (0, rig.now + 600_000, 0);
    let mut pieces: Vec<u8> = Vec::new();
    while rig.now < until {
        let Some(at) = rig.status().retry_at.or(rig.status().pending.gt(&0).then_some(rig.now)) else { break };
        rig.pass(at.saturating_sub(rig.now));
        connections += 1;
        rig.take();
        rig.feed(Input::Opened);
        let mut answers = VecDeque::new();
        if durable {
            answers.push_back(Message::Hello(Hello { max_frame_bytes: 1 << 20, ..hello("e", acked) }).to_frame());
        }
        answers.push_back(Message::SyncStep1(&[0]).to_frame());
        let mut alive = true;
        for _ in 0..2_000 {
            let mut frames = rig.frames().into_iter();
            for frame in frames.by_ref() {
                if frame.len() > limit {
                    alive = false;
                    break;
                }
                let mut queue = VecDeque::from([frame]);
                while let Some(frame) = queue.pop_front() {
                    for message in messages(&frame) {
                        match message.unwrap() {
                            Message::SyncStep1(_) => answers.push_back(Message::SyncStep2(&[0, 0]).to_frame()),
                            Message::SyncStep2(update) | Message::Update(update) => {
                                there.push((connections, update.to_vec()));
                            }
                            Message::Submit { seq, update } => {
                                there.push((connections, update.to_vec()));
                                acked = acked.max(seq);
                                answers.push_back(Message::Ack { seq }.to_frame());
                            }
                            Message::Fragment { index, count, bytes, .. } => {
                                if index == 0 {
                                    pieces.clear();
                                }
                                pieces.extend(bytes);
                                if index + 1 == count {
                                    queue.push_back(pieces.clone());
                                }
                            }
                            _ => {}
                        }
                    }
                }
            }
            if !alive {
                break;
            }
            match answers.pop_front() {
                Some(answer) => rig.feed(Input::Frame(answer)),
                None if rig.status().pending == 0 => return (connections, there),
                None => rig.pass(100),
            }
        }
        rig.feed(Input::Closed { code, reason: String::new() });
    }
    (connections, there)
}

/// What somebody sees who has what had arrived by then.
fn shows(there: &[(usize, Vec<u8>)], by: usize) -> Vec<Node> {
    let options = crate::slate::DocOptions {
        client_id: 1,
        root: "content".into(),
        block_id: None,
        seed: 0,
        schema: Default::default(),
    };
    let mut doc = SlateDoc::new(options);
    let arrived = there.iter().filter(|(connection, _)| *connection <= by);
    doc.load_all(&arrived.map(|(_, update)| update.as_slice()).collect::<Vec<_>>());
    doc.value()
}

/// F47: something on the way takes no frame over 64 KiB and does not say so: it arrives in smaller ones.
#[test]
fn f47_what_ends_connections_is_sent_in_smaller_pieces() {
    for durable in [true, false] {
        for code in [1000, 1001, 1002, 1005, 1006, 1008, 1011] {
            let mut rig = Rig::new();
            let text = "x".repeat(300_000);
            rig.type_block(&text);
            rig.type_block("small");
            let (connections, there) = behind_a_hop(&mut rig, durable, 65_536, code);
            assert!(connections <= 8, "{connections} connections, durable {durable}, code {code}");
            assert_eq!((rig.status().pending, rig.status().set_aside), (0, 0), "durable {durable}, code {code}");
            assert_eq!(shows(&there, connections), [block("small"), block(&text)]);
        }
    }
}

/// F47: what cannot be sent at all is set aside in the end, and said; what is small does not wait for it.
#[test]
fn f47_small_edits_overtake_what_nothing_takes() {
    for durable in [true, false] {
        let mut rig = Rig::new();
        rig.type_block("first");
        let attrs = Attrs::from([("data".into(), "x".repeat(100_000).into())]);
        rig.feed(Input::Edit(Op::InsertNode {
            path: path(&[1]),
            node: Node::Element(Element { attrs, children: vec![] }),
        }));
        rig.feed(Input::Flush);
        rig.type_block("small");
        let limit = if durable { 3_000 } else { 65_536 };
        let mut seen = rig.session.value();
        seen.retain(|node| *node == block("first") || *node == block("small"));
        let (connections, there) = behind_a_hop(&mut rig, durable, limit, 1006);
        assert!(connections <= 20, "{connections} connections, durable {durable}");
        assert_eq!(shows(&there, 3), seen, "durable {durable}");
        assert_eq!(shows(&there, connections), seen, "durable {durable}");
        assert_eq!((rig.status().pending, rig.status().set_aside), (0, 1), "durable {durable}");
        let error = rig.status().error.clone().expect("said");
        assert_eq!(error.code, ErrorCode::TooLarge);
    }
}

/// Connections that end for other reasons are held against nothing: not small edits, not what was long under way.
#[test]
fn f47_nothing_is_set_aside_for_a_bad_network() {
    let mut rig = Rig::new();
    rig.type_block("small");
    for _ in 0..40 {
        rig.durable();
        rig.feed(Input::Closed { code: 1006, reason: String::new() });
        rig.feed(Input::Connect);
    }
    rig.type_block(&"x".repeat(300_000));
    for _ in 0..40 {
        rig.durable();
        rig.frame(Message::Ping);
        for _ in 0..4 {
            rig.pass(5_000);
            rig.frame(Message::Ping);
        }
        rig.feed(Input::Closed { code: 1006, reason: String::new() });
        rig.feed(Input::Connect);
    }
    assert_eq!((rig.status().set_aside, rig.status().pending), (0, 2));
}

/// A server that cannot store says so and closes; so does one that restarts, or drops a slow reader. That is no sign of
/// what was on its way: the edits stay pending, whole, however long it lasts.
#[test]
fn f47_nothing_is_set_aside_for_a_server_that_fails() {
    let told = [(1011, "the document cannot be stored at the moment"), (1012, ""), (4508, "")];
    for durable in [true, false] {
        for (code, reason) in told {
            let mut rig = Rig::new();
            rig.type_block(&"x".repeat(6_000));
            let attrs = Attrs::from([("data".into(), "x".repeat(100_000).into())]);
            let node = Node::Element(Element { attrs, children: vec![] });
            rig.feed(Input::Edit(Op::InsertNode { path: path(&[1]), node }));
            rig.feed(Input::Flush);
            for _ in 0..40 {
                if durable {
                    rig.durable();
                } else {
                    rig.plain();
                }
                rig.feed(Input::Closed { code, reason: reason.into() });
                rig.feed(Input::Connect);
            }
            let status = rig.status();
            assert_eq!((status.set_aside, status.pending), (0, 2), "durable {durable}, code {code}");
            let error = status.error.as_ref().map(|error| error.code);
            assert_ne!(error, Some(ErrorCode::TooLarge), "durable {durable}, code {code}");
        }
    }
}

/// F48: connected anew just before the token expires, when one had been renewed already.
#[test]
fn f48_a_reconnect_just_before_an_expiry_ends_nothing() {
    let mut rig = Rig::new();
    rig.durable();
    rig.pass(11_000);
    rig.frame(Message::Pong);
    let expired = || Input::Closed { code: 4401, reason: "expired".into() };
    rig.feed(expired());
    assert_eq!(rig.opens(), 1, "the first renewal");
    rig.durable();
    for _ in 0..100 {
        rig.pass(10_000);
        rig.frame(Message::Pong);
    }
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.pass(100);
    rig.durable();
    rig.pass(5_000);
    rig.feed(expired());
    assert_ne!(rig.status().connection, Connection::Unauthorized);
    rig.pass(100);
    assert_eq!(rig.opens(), 1);
    rig.durable();
    assert_eq!(rig.status().connection, Connection::Online);
    // One that is accepted and refused in turn is asked for ever more rarely, and never in a storm.
    let from = rig.now;
    for _ in 0..12 {
        rig.feed(expired());
        let wait = rig.status().retry_at.map_or(0, |at| at - rig.now);
        rig.pass(wait);
        rig.durable();
    }
    assert!(rig.now - from > 10_000, "{} ms", rig.now - from);
}

/// A token that has had its time, and is followed by one that the server takes, is no error: neither an event each hour, nor
/// one that stays in the status.
#[test]
fn f24_a_token_that_is_renewed_is_no_error() {
    let mut rig = Rig::new();
    rig.durable();
    rig.pass(1);
    for _ in 0..240 {
        rig.pass(15_000);
        rig.frame(Message::Pong);
    }
    rig.take();
    rig.feed(Input::Closed { code: 4401, reason: "expired".into() });
    let events = |rig: &mut Rig| rig.take().iter().filter(|output| matches!(output, Output::Error(_))).count();
    assert_eq!(events(&mut rig), 0);
    let said = rig.status().error.clone().map(|error| error.code);
    assert_eq!(said, Some(ErrorCode::Unauthorized), "why there is no connection");
    rig.durable();
    assert_eq!(rig.status().error, None);
    // Refused, and the next one too.
    rig.feed(Input::Closed { code: 4401, reason: "expired".into() });
    rig.feed(Input::Closed { code: 4401, reason: "expired".into() });
    rig.pass(1_000);
    rig.feed(Input::Closed { code: 4401, reason: "expired".into() });
    rig.feed(Input::Closed { code: 4401, reason: "expired".into() });
    assert_eq!((events(&mut rig), rig.status().connection), (1, Connection::Unauthorized));
}

/// A token that does not come, or not at all, and a server that cannot be reached: the status says so.
#[test]
fn why_there_is_no_connection_is_said() {
    let message = |rig: &Rig| rig.status().error.clone().map(|error| (error.code, error.message)).unwrap();
    let mut rig = Rig::new();
    rig.pass(10_000);
    let (code, text) = message(&rig);
    assert_eq!(code, ErrorCode::Unauthorized);
    assert!(text.contains("token() has not answered"), "{text}");
    rig.feed(Input::Dialing);
    rig.pass(30_001);
    let (code, text) = message(&rig);
    assert_eq!(code, ErrorCode::Protocol);
    assert!(text.contains("does not answer"), "{text}");
    rig.feed(Input::Connect);
    rig.feed(Input::TokenFailed { message: "no session".into() });
    assert_eq!(message(&rig), (ErrorCode::Unauthorized, "no session".into()));
    rig.feed(Input::Connect);
    rig.feed(Input::Dialing);
    rig.take();
    rig.feed(Input::Closed { code: 1006, reason: "wss://host/wrong/d".into() });
    let (code, text) = message(&rig);
    assert_eq!(code, ErrorCode::Protocol);
    assert!(text.contains("wss://host/wrong/d"), "{text}");
    assert!(!rig.take().iter().any(|output| matches!(output, Output::Error(_))), "not with every try");
    // It is over with the first connection.
    rig.feed(Input::Connect);
    rig.durable();
    assert_eq!(rig.status().error, None);
    // What else was said stays.
    rig.feed(Input::Text(r#"{"type":"error","message":"late"}"#.into()));
    assert_eq!(message(&rig).1, "the server reports: late");
    rig.feed(Input::Closed { code: 1006, reason: String::new() });
    rig.feed(Input::Connect);
    rig.feed(Input::Dialing);
    rig.feed(Input::Closed { code: 1006, reason: "wss://host/d".into() });
    assert!(message(&rig).1.contains("wss://host/d"));
    rig.feed(Input::Connect);
    rig.durable();
    assert_eq!(message(&rig).1, "the server reports: late");
}

/// F49: somebody is back, or types: it is tried at once, and not in a storm.
#[test]
fn f49_a_tab_that_comes_back_tries_at_once() {
    let waiting = || {
        let mut rig = Rig::new();
        for _ in 0..300 {
            rig.feed(Input::Closed { code: 1006, reason: String::new() });
            let wait = rig.status().retry_at.unwrap() - rig.now;
            if wait > 10_000 {
                break;
            }
            rig.pass(wait);
        }
        rig.take();
        rig
    };
    for back in [Input::Awake, Input::Edit(Op::InsertNode { path: path(&[0]), node: block("x") })] {
        let mut rig = waiting();
        rig.pass(6_000);
        assert_eq!(rig.opens(), 0);
        rig.feed(back.clone());
        assert_eq!(rig.opens(), 1);
        rig.feed(Input::Closed { code: 1006, reason: String::new() });
        for _ in 0..100 {
            rig.feed(Input::Awake);
            rig.feed(Input::Edit(Op::InsertNode { path: path(&[0]), node: block("x") }));
        }
        assert_eq!(rig.opens(), 0, "not again and again");
    }
    // An attempt that was begun before the page was frozen.
    let mut rig = Rig::new();
    rig.feed(Input::Dialing);
    rig.take();
    rig.now += 6_000;
    rig.feed(Input::Awake);
    assert_eq!(rig.opens(), 1);
    // A socket that died meanwhile is found out within two seconds.
    for durable in [true, false] {
        let mut rig = Rig::new();
        rig.joins(durable);
        rig.now += 8_000;
        rig.feed(Input::Awake);
        assert_eq!(rig.sent(), [if durable { "ping" } else { "step1" }]);
        rig.pass(2_000);
        assert!(rig.take().iter().any(|output| matches!(output, Output::CloseSocket { .. })));
    }
}

/// F49: what the browser says of the network is believed as soon as a probe stays unanswered for two seconds.
#[test]
fn f49_offline_is_noticed_within_two_seconds() {
    for durable in [true, false] {
        for probed in [false, true] {
            let mut rig = Rig::new();
            rig.joins(durable);
            if probed {
                rig.pass(if durable { 16_000 } else { 26_000 });
                assert!(rig.status().connection == Connection::Online);
            }
            rig.feed(Input::NetworkHint { online: false });
            rig.pass(1_900);
            assert_eq!(rig.status().connection, Connection::Online);
            rig.pass(200);
            assert_ne!(rig.status().connection, Connection::Online, "durable {durable}, probed {probed}");
            assert!(rig.status().offline_since.is_some());
        }
    }
    // A server that answers is believed more than the browser.
    let mut rig = Rig::new();
    rig.durable();
    rig.feed(Input::NetworkHint { online: false });
    rig.frame(Message::Pong);
    rig.pass(10_000);
    assert_eq!(rig.status().connection, Connection::Online);
}
