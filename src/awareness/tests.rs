use super::*;

fn entry(client_id: u64, clock: u32, state: Option<&str>) -> Vec<u8> {
    encode([ClientState { client_id, clock, state: state.map(Arc::from) }])
}

fn names(awareness: &Awareness) -> Vec<(u64, String)> {
    awareness.states().map(|(id, state, _)| (id, state.to_string())).collect()
}

#[test]
fn updates_survive_the_wire() {
    let entries = vec![
        ClientState { client_id: 1, clock: 0, state: Some("{}".into()) },
        ClientState { client_id: (1 << 53) - 1, clock: u32::MAX, state: None },
        ClientState { client_id: 300, clock: 7, state: Some(r#"{"data":{"name":"é"}}"#.into()) },
    ];
    assert_eq!(decode(&encode(entries.clone())), Ok(entries));
    assert_eq!(entry(5, 3, Some("{}")), [1, 5, 3, 2, b'{', b'}']);
}

/// F23: whatever the bytes, decoding ends.
#[test]
fn f23_decoding_is_total() {
    let mut rng = fastrand::Rng::with_seed(1);
    let good =
        encode((0..5).map(|id| ClientState { client_id: id.into(), clock: id, state: Some("{\"a\":1}".into()) }));
    for end in 0..good.len() {
        assert!(decode(&good[..end]).is_err());
    }
    for _ in 0..20_000 {
        let mut bad = good.clone();
        let at = rng.usize(..bad.len());
        bad[at] = rng.u8(..);
        let _ = decode(&bad);
    }
    assert!(decode(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err(), "a count is not trusted");
}

#[test]
fn the_higher_clock_wins_and_a_null_of_the_same() {
    let mut awareness = Awareness::new(1);
    assert!(awareness.apply(0, &entry(2, 5, Some("1"))).unwrap().changed);
    assert!(!awareness.apply(1, &entry(2, 5, Some("2"))).unwrap().changed, "the same clock");
    assert!(!awareness.apply(2, &entry(2, 4, None)).unwrap().changed, "an older clock");
    assert!(awareness.apply(3, &entry(2, 6, Some("3"))).unwrap().changed);
    assert_eq!(names(&awareness), [(2, "3".into())]);
    assert!(awareness.apply(4, &entry(2, 6, None)).unwrap().changed, "leaves");
    assert_eq!(names(&awareness), []);
    assert!(!awareness.apply(5, &entry(2, 6, Some("3"))).unwrap().changed, "late");
    assert!(awareness.apply(6, &entry(2, 7, Some("4"))).unwrap().changed, "comes back");
}

/// F8: a renewal of the same state is no change.
#[test]
fn f8_what_is_the_same_changes_nothing() {
    let mut awareness = Awareness::new(1);
    assert!(awareness.set_state(Some("{}".into())));
    assert!(!awareness.set_state(Some("{}".into())));
    awareness.apply(0, &entry(2, 1, Some("{}"))).unwrap();
    assert_eq!(awareness.apply(10, &entry(2, 2, Some("{}"))), Ok(Applied::default()));
    assert_eq!(awareness.expiry(), Some(10 + EXPIRE), "but a sign of life");
}

#[test]
fn f27_who_is_silent_expires() {
    let mut awareness = Awareness::new(1);
    awareness.apply(0, &entry(2, 9, Some("{}"))).unwrap();
    awareness.apply(20_000, &entry(3, 1, Some("{}"))).unwrap();
    assert!(!awareness.expire(EXPIRE - 1));
    assert!(awareness.expire(EXPIRE));
    assert_eq!(names(&awareness), [(3, "{}".into())]);
    assert!(!awareness.apply(EXPIRE + 1, &entry(2, 9, Some("{}"))).unwrap().changed, "no ghost");
    assert!(awareness.apply(EXPIRE + 2, &entry(2, 10, Some("{}"))).unwrap().changed);
    assert!(awareness.expire(EXPIRE * 4));
    assert_eq!(names(&awareness), []);
}

#[test]
fn ones_own_state_is_renewed_with_a_higher_clock() {
    let mut awareness = Awareness::new(1);
    awareness.set_state(Some("{}".into()));
    assert!(awareness.is_due(0));
    let first = decode(&awareness.take_own(0)).unwrap();
    assert!(!awareness.is_due(RENEW - 1));
    assert!(awareness.is_due(RENEW));
    let second = decode(&awareness.take_own(RENEW)).unwrap();
    assert!(second[0].clock > first[0].clock);
    assert_eq!(second[0].state, first[0].state);
}

#[test]
fn f27_a_live_state_is_not_removed_by_others() {
    let mut awareness = Awareness::new(1);
    awareness.set_state(Some("{}".into()));
    let clock = decode(&awareness.take_own(0)).unwrap()[0].clock;
    assert_eq!(awareness.apply(1, &entry(1, clock - 1, None)), Ok(Applied::default()));
    assert!(!awareness.is_due(1), "an old farewell means nothing");
    awareness.apply(1, &entry(1, clock + 7, None)).unwrap();
    assert!(awareness.is_due(1));
    let again = decode(&awareness.take_own(1)).unwrap();
    assert_eq!((again[0].clock, again[0].state.is_some()), (clock + 8, true));
    // A server says so with the clock that it knows, when a connection ends.
    awareness.apply(2, &entry(1, clock + 8, None)).unwrap();
    assert!(awareness.is_due(2));
    let again = decode(&awareness.take_own(2)).unwrap();
    assert_eq!((again[0].clock, again[0].state.is_some()), (clock + 9, true));
    assert!(!awareness.is_due(2), "said once");
}

#[test]
fn another_one_with_the_same_id_is_noticed() {
    let mut awareness = Awareness::new(1);
    awareness.set_state(Some("\"me\"".into()));
    let echo = awareness.take_own(0);
    assert_eq!(awareness.apply(1, &echo), Ok(Applied::default()), "an echo is no clash");
    assert!(awareness.apply(1, &entry(1, 1, Some("\"you\""))).unwrap().clash);
    awareness.rename(5);
    let own = decode(&awareness.take_own(2)).unwrap();
    assert_eq!(own[0].client_id, 5);
    assert!(awareness.apply(3, &entry(1, 2, Some("\"you\""))).unwrap().changed);
}

/// F27: after a reconnect the server's states are taken as they are, without waiting for a renewal.
#[test]
fn f27_states_come_back_after_a_reconnect() {
    let mut awareness = Awareness::new(1);
    awareness.apply(0, &entry(2, 3, Some("{}"))).unwrap();
    assert!(awareness.disconnected());
    assert!(!awareness.disconnected());
    awareness.connected();
    assert!(awareness.apply(5, &entry(2, 3, Some("{}"))).unwrap().changed);
}

#[test]
fn the_number_of_clients_is_bounded() {
    let mut awareness = Awareness::new(1);
    for id in 2..(MAX_CLIENTS as u64 + 100) {
        awareness.apply(0, &entry(id, 1, Some("{}"))).unwrap();
    }
    assert_eq!(awareness.states().count(), MAX_CLIENTS);
}
