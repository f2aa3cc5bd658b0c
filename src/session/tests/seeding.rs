//! The first content of a document, among several clients and one room.

use super::*;
use crate::slate::DocOptions;

/// A room as the server has it, in memory.
struct Room {
    doc: SlateDoc,
    durable: bool,
    /// What goes to each of the clients.
    out: Vec<VecDeque<Vec<u8>>>,
}

impl Room {
    fn new(durable: bool, value: &[Node], clients: usize) -> Self {
        let mut doc = SlateDoc::new(DocOptions {
            client_id: 1,
            root: "content".into(),
            block_id: None,
            seed: 0,
            schema: Default::default(),
        });
        if !value.is_empty() {
            doc.load(&foreign(value)).unwrap();
        }
        Self { doc, durable, out: vec![VecDeque::new(); clients] }
    }

    fn put(&mut self, to: usize, message: Message) {
        self.out[to].push_back(message.to_frame());
    }

    fn connect(&mut self, client: usize, role: Role) {
        self.out[client].clear();
        if self.durable {
            self.put(client, Message::Hello(Hello { role, ..hello("e", 0) }));
        }
        let state_vector = self.doc.state_vector();
        self.put(client, Message::SyncStep1(&state_vector));
    }

    fn take(&mut self, from: usize, frame: &[u8]) {
        for message in messages(frame) {
            match message.unwrap() {
                Message::SyncStep1(theirs) => {
                    let update = self.doc.encode_state(Some(theirs)).unwrap();
                    self.put(from, Message::SyncStep2(&update));
                }
                Message::SyncStep2(update) | Message::Update(update) => self.edit(from, update),
                Message::Submit { seq, update } => {
                    self.edit(from, update);
                    self.put(from, Message::Ack { seq });
                }
                Message::Seed(update) => {
                    if self.doc.is_empty() {
                        self.edit(usize::MAX, update);
                    }
                    self.put(from, Message::Ack { seq: 0 });
                }
                _ => {}
            }
        }
    }

    fn edit(&mut self, from: usize, update: &[u8]) {
        if self.doc.load(update).unwrap() {
            for (client, out) in self.out.iter_mut().enumerate() {
                if client != from {
                    out.push_back(Message::Update(update).to_frame());
                }
            }
        }
    }
}

/// Clients of one room.
struct World {
    room: Room,
    rigs: Vec<Rig>,
    online: Vec<bool>,
}

impl World {
    fn new(room: Room, rigs: Vec<Rig>) -> Self {
        let online = vec![false; rigs.len()];
        Self { room, rigs, online }
    }

    fn connect(&mut self, client: usize) {
        self.connect_as(client, Role::ReadWrite);
    }

    fn connect_as(&mut self, client: usize, role: Role) {
        self.rigs[client].feed(Input::Connect);
        self.room.connect(client, role);
        self.rigs[client].feed(Input::Opened);
        self.online[client] = true;
    }

    /// Everything that is under way arrives, and what it leads to.
    fn settle(&mut self) {
        for _ in 0..200 {
            let mut busy = false;
            for client in 0..self.rigs.len() {
                for output in self.rigs[client].take() {
                    if let (Output::Send(frame), true) = (output, self.online[client]) {
                        self.room.take(client, &frame);
                        busy = true;
                    }
                }
                while let Some(frame) = self.room.out[client].pop_front() {
                    self.rigs[client].feed(Input::Frame(frame));
                    busy = true;
                }
            }
            if !busy {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Long enough for a plain server to be asked what it has.
    fn rest(&mut self) {
        for _ in 0..4 {
            self.settle();
            self.rigs.iter_mut().for_each(|rig| rig.pass(1_000));
        }
        self.settle();
    }

    /// Everyone shows the same, and all is on the server.
    fn agrees(&self) -> Vec<Node> {
        let value = self.room.doc.value();
        for (client, rig) in self.rigs.iter().enumerate() {
            assert_eq!(rig.session.value(), value, "client {client}");
            let status = rig.status();
            assert_eq!((status.pending, status.set_aside, status.saved), (0, 0, Saved::Server), "client {client}");
            assert!(status.synced);
        }
        value
    }
}

fn wants(client: u32, texts: &[&str]) -> Config {
    let value = texts.iter().map(|text| block(text)).collect();
    Config { initial_value: Some(value), ..config(&format!("s{client}"), 10 + client) }
}

fn opened(client: u32, texts: &[&str]) -> Rig {
    Rig::open(wants(client, texts), MemoryStore::new())
}

fn blocks(texts: &[&str]) -> Vec<Node> {
    texts.iter().map(|text| block(text)).collect()
}

fn insert(rig: &mut Rig, at: u32, text: &str) {
    rig.feed(Input::Edit(Op::InsertText { path: path(&[at, 0]), offset: 0, text: text.into() }));
    rig.feed(Input::Flush);
}

/// F45: it is shown at once, and nothing says that it is saved before it is.
#[test]
fn f45_what_is_wanted_is_shown_and_counted_until_the_server_has_it() {
    for durable in [true, false] {
        let mut world = World::new(Room::new(durable, &[], 1), vec![opened(0, &["a", "b"])]);
        let status = world.rigs[0].status().clone();
        assert_eq!(world.rigs[0].session.value(), blocks(&["a", "b"]), "shown at once");
        assert_eq!((status.pending, status.saved, status.set_aside), (1, Saved::Local, 0));
        world.connect(0);
        world.room.out[0].clear();
        assert!(!world.rigs[0].status().synced);
        // What the server has arrives: nothing. The seed itself gets lost with the connection.
        if durable {
            world.rigs[0].frame(Message::Hello(hello("e", 0)));
        }
        world.rigs[0].frame(Message::SyncStep1(&[0]));
        world.rigs[0].frame(Message::SyncStep2(&[0, 0]));
        let status = world.rigs[0].status().clone();
        assert_eq!((status.pending, status.saved), (1, Saved::Local), "durable: {durable}");
        if durable {
            assert!(!status.synced, "on its way");
        }
        world.rigs[0].feed(Input::Closed { code: 1006, reason: String::new() });
        world.connect(0);
        world.rest();
        assert_eq!(world.agrees(), blocks(&["a", "b"]));
    }
}

/// F46: somebody types before the server answers, on the train too, and the page is loaded again.
#[test]
fn f46_it_arrives_although_somebody_typed_first() {
    for durable in [true, false] {
        for reload in [false, true] {
            let mut rig = opened(0, &["a", "b"]);
            insert(&mut rig, 1, "typed ");
            rig.type_block("new");
            if reload {
                // The application knows nothing of a first content any more.
                rig = Rig::open(config("later", 77), rig.store.clone());
                assert_eq!(rig.session.value(), blocks(&["new", "a", "typed b"]));
                assert_eq!(rig.status().saved, Saved::Local);
            }
            let mut world = World::new(Room::new(durable, &[], 1), vec![rig]);
            world.connect(0);
            world.rest();
            assert_eq!(world.agrees(), blocks(&["new", "a", "typed b"]), "durable {durable}, reload {reload}");
            let again = Rig::open(config("again", 78), world.rigs[0].store.clone());
            assert_eq!(again.session.value(), blocks(&["new", "a", "typed b"]));
            assert_eq!(again.status().set_aside, 0);
        }
    }
}

/// What the document has is shown in the place of the seed, and nothing is written.
#[test]
fn history_that_arrives_takes_the_place_of_what_was_wanted() {
    for durable in [true, false] {
        for reload in [false, true] {
            let mut rig = opened(0, &["a", "b"]);
            if reload {
                rig = Rig::open(wants(1, &["a", "b"]), rig.store.clone());
            }
            let mut world = World::new(Room::new(durable, &blocks(&["a", "theirs"]), 1), vec![rig]);
            let before = world.room.doc.state_vector();
            world.connect(0);
            world.rest();
            assert_eq!(world.agrees(), blocks(&["a", "theirs"]));
            assert_eq!(world.room.doc.state_vector(), before, "opening writes nothing");
            let again = Rig::open(wants(2, &["a", "b"]), world.rigs[0].store.clone());
            assert_eq!(again.session.value(), blocks(&["a", "theirs"]));
            assert_eq!((again.status().pending, again.status().set_aside), (0, 0));
        }
    }
}

/// What was typed stays beside what the document turns out to have; what was only wanted goes.
#[test]
fn what_was_typed_stays_beside_history_that_arrives() {
    for durable in [true, false] {
        for reload in [false, true] {
            for size in [1, 3_000] {
                let long = "x".repeat(size);
                let mut rig = opened(0, &[&long, "b", "c"]);
                insert(&mut rig, 1, "typed ");
                if reload {
                    rig = Rig::open(wants(1, &[&long, "b", "c"]), rig.store.clone());
                }
                let theirs = blocks(&["c", "theirs"]);
                let others = Rig::open(config("other", 50), MemoryStore::new());
                let mut world = World::new(Room::new(durable, &theirs, 2), vec![rig, others]);
                world.connect(1);
                world.rest();
                world.connect(0);
                world.rest();
                let value = world.agrees();
                assert_eq!(value.len(), 3, "{value:?}");
                assert!(theirs.iter().all(|node| value.contains(node)) && value.contains(&block("typed b")));
                let again = Rig::open(config("again", 78), world.rigs[0].store.clone());
                assert_eq!(again.session.value(), value);
            }
        }
    }
}

/// Nobody ever sees a seed that goes: not for a moment, however small the pieces are that it is sent in.
#[test]
fn a_seed_that_goes_is_seen_by_nobody() {
    let texts: Vec<String> = (0..400).map(|n| format!("untouched {n} {}", "y".repeat(300))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut rig = opened(0, &texts);
    insert(&mut rig, 7, "typed ");
    let other = Rig::open(config("other", 50), MemoryStore::new());
    let mut world = World::new(Room::new(true, &blocks(&["theirs"]), 2), vec![rig, other]);
    world.connect(1);
    world.rest();
    world.connect(0);
    for _ in 0..50 {
        for client in 0..2 {
            for output in world.rigs[client].take() {
                if let Output::Send(frame) = output {
                    world.room.take(client, &frame);
                }
            }
            while let Some(frame) = world.room.out[client].pop_front() {
                world.rigs[client].feed(Input::Frame(frame));
                let shown = world.rigs[1].session.value().len();
                assert!(shown <= 2, "the other sees {shown} blocks");
            }
        }
    }
    world.rest();
    assert_eq!(world.agrees().len(), 2);
}

/// Many at once, with equal and with different values: one copy of one of them.
#[test]
fn many_that_open_at_once_give_one_copy() {
    for durable in [true, false] {
        for typing in [false, true] {
            let mut rigs: Vec<Rig> = (0..6).map(|n| opened(n, &["same", "value"])).collect();
            if typing {
                for (n, rig) in rigs.iter_mut().enumerate() {
                    rig.type_block(&format!("by {n}"));
                }
            }
            let mut world = World::new(Room::new(durable, &[], 6), rigs);
            (0..6).for_each(|client| world.connect(client));
            world.rest();
            let value = world.agrees();
            assert_eq!(value.len(), if typing { 8 } else { 2 }, "{value:?}");
            for wanted in ["same", "value"] {
                assert_eq!(value.iter().filter(|node| **node == block(wanted)).count(), 1, "{value:?}");
            }
        }
    }
    // Different ones, some of them typed in: the room decides.
    let rigs: Vec<Rig> = (0..6)
        .map(|n| {
            let mut rig = opened(n, &[&format!("value {n}"), "second"]);
            if n % 2 == 1 {
                insert(&mut rig, 0, "typed ");
            }
            rig
        })
        .collect();
    let mut world = World::new(Room::new(true, &[], 6), rigs);
    (0..6).for_each(|client| world.connect(client));
    world.rest();
    let value = world.agrees();
    assert_eq!(value.iter().filter(|node| **node == block("second")).count(), 1, "{value:?}");
    for n in [1, 3, 5] {
        assert_eq!(value.iter().filter(|node| **node == block(&format!("typed value {n}"))).count(), 1, "{value:?}");
    }
}

/// Two with different values, one after the other, at a server that decides nothing.
#[test]
fn who_comes_second_to_a_plain_server_adds_nothing() {
    let mut second = opened(1, &["second"]);
    second.type_block("typed");
    let mut world = World::new(Room::new(false, &[], 2), vec![opened(0, &["first"]), second]);
    world.connect(0);
    world.rest();
    world.connect(1);
    world.rest();
    let value = world.agrees();
    assert_eq!(value.len(), 2, "{value:?}");
    assert!(value.contains(&block("first")) && value.contains(&block("typed")));
}

/// The document was seeded by the same value long ago, and much has happened to it since.
#[test]
fn the_same_value_in_the_history_is_not_given_again() {
    for typing in [false, true] {
        let mut first = opened(0, &["a", "b", "c"]);
        insert(&mut first, 0, "edited ");
        let mut world = World::new(Room::new(true, &[], 2), vec![first, opened(1, &["a", "b", "c"])]);
        world.connect(0);
        world.rest();
        let node = block("b");
        world.rigs[0].feed(Input::Edit(Op::RemoveNode { path: path(&[1]), node }));
        world.rigs[0].feed(Input::Flush);
        world.rest();
        if typing {
            insert(&mut world.rigs[1], 2, "typed ");
        }
        world.connect(1);
        world.rest();
        let expected = if typing { ["edited a", "typed c"] } else { ["edited a", "c"] };
        assert_eq!(world.agrees(), blocks(&expected));
    }
}

/// What was emptied on purpose is not filled again by whoever opens it.
#[test]
fn a_document_that_was_emptied_is_not_given_the_same_again() {
    let mut world = World::new(Room::new(true, &[], 2), vec![opened(0, &["a"]), opened(1, &["a"])]);
    world.connect(0);
    world.rest();
    world.rigs[0].feed(Input::Edit(Op::RemoveNode { path: path(&[0]), node: block("a") }));
    world.rigs[0].feed(Input::Flush);
    world.rest();
    world.connect(1);
    world.rest();
    assert_eq!(world.agrees(), []);
}

/// A reader sees what is wanted and what is there, and owes nobody anything.
#[test]
fn a_reader_is_shown_what_is_wanted_and_gives_nothing() {
    for there in [&[][..], &["theirs"]] {
        let mut world = World::new(Room::new(true, &blocks(there), 1), vec![opened(0, &["a"])]);
        world.connect_as(0, Role::ReadOnly);
        world.rest();
        let rig = &world.rigs[0];
        let status = rig.status();
        assert_eq!((status.synced, status.pending, status.saved), (true, 0, Saved::Server));
        assert_eq!(rig.session.value(), if there.is_empty() { blocks(&["a"]) } else { blocks(there) });
        assert_eq!(world.room.doc.value(), blocks(there));
        // A reader stays one while there is nobody to say otherwise.
        world.rigs[0].feed(Input::Closed { code: 1006, reason: String::new() });
        let status = world.rigs[0].status();
        assert_eq!((status.read_only, status.pending, status.saved), (true, 0, Saved::Server));
        world.connect(0);
        world.rest();
        assert!(!world.rigs[0].status().read_only);
        assert_eq!(world.agrees(), if there.is_empty() { blocks(&["a"]) } else { blocks(there) });
    }
}

/// Two tabs of one device, one of them killed before the server was heard.
#[test]
fn what_a_killed_tab_typed_arrives_with_what_it_stood_upon() {
    for there in [&[][..], &["theirs"]] {
        let store = MemoryStore::new();
        let mut killed = Rig::open(wants(0, &["a", "b"]), store.clone());
        insert(&mut killed, 0, "typed ");
        drop(killed);
        let mut world =
            World::new(Room::new(true, &blocks(there), 1), vec![Rig::open(wants(1, &["a", "b"]), store.clone())]);
        world.connect(0);
        world.rest();
        let value = world.agrees();
        assert!(value.contains(&block("typed a")) && value.len() == 2, "{value:?}");
        let loaded = store.peek("d");
        assert!(loaded.set_aside.is_empty(), "{:?}", loaded.set_aside);
    }
}

/// A store that fails meanwhile is brought up to the truth, without a seed in its log.
#[test]
fn a_store_that_fails_keeps_the_seed_apart() {
    let mut rig = opened(0, &["a", "b"]);
    rig.store.set_fault(Some(StoreError::Full));
    insert(&mut rig, 0, "typed ");
    assert_eq!(rig.status().saved, Saved::Memory);
    rig.store.set_fault(None);
    rig.pass(60_000);
    assert_eq!(rig.status().saved, Saved::Local);
    let rig = Rig::open(config("later", 77), rig.store.clone());
    let mut world = World::new(Room::new(true, &blocks(&["theirs"]), 1), vec![rig]);
    world.connect(0);
    world.rest();
    let value = world.agrees();
    assert!(value.contains(&block("typed a")) && value.contains(&block("theirs")) && value.len() == 2, "{value:?}");
}

/// What is given up leaves the seed where it is.
#[test]
fn discarding_what_is_set_aside_keeps_the_seed() {
    let mut rig = opened(0, &["a"]);
    rig.feed(Input::DiscardSetAside);
    let rig = Rig::open(config("later", 77), rig.store.clone());
    assert_eq!((rig.session.value(), rig.status().pending), (blocks(&["a"]), 1));
}

/// A server that refuses a seed of that size takes it in pieces; one that wants a pause gets one.
#[test]
fn a_seed_that_is_refused_goes_another_way() {
    let start = || {
        let mut rig = opened(0, &["a"]);
        rig.feed(Input::Opened);
        rig.frame(Message::Hello(hello("e", 0)));
        rig.take();
        rig.frame(Message::SyncStep2(&[0, 0]));
        assert_eq!(rig.sent(), ["seed"]);
        rig
    };
    let mut rig = start();
    rig.frame(Message::Reject { seq: 0, code: RejectCode::TooLarge, message: "" });
    assert_eq!(rig.sent(), ["submit 1"]);
    rig.frame(Message::Ack { seq: 1 });
    assert_eq!((rig.status().pending, rig.status().saved), (0, Saved::Server));
    let mut rig = start();
    rig.frame(Message::Reject { seq: 0, code: RejectCode::RateLimited, message: "" });
    assert_eq!((rig.sent().len(), rig.status().pending), (0, 1));
    rig.pass(1_000);
    assert_eq!(rig.sent(), ["seed"]);
    // One that never says what it has decided for is given it as an edit, and not asked for ever.
    rig.frame(Message::Ack { seq: 0 });
    assert_eq!(rig.sent(), ["step1"]);
    rig.frame(Message::SyncStep2(&[0, 0]));
    assert_eq!(rig.sent(), ["submit 1"]);
}

/// An editor that gives blocks their ids by itself has written nothing.
#[test]
fn ids_that_an_editor_gives_are_nobodys_words() {
    let wants = || Config { block_id: Some("id".into()), ..wants(0, &["a", "b"]) };
    let mut rig = Rig::open(wants(), MemoryStore::new());
    for index in [0, 1] {
        let (path, properties) = (path(&[index]), Attrs::new());
        let new_properties = Attrs::from([("id".into(), format!("id {index}").into())]);
        rig.feed(Input::Edit(Op::SetNode { path, properties, new_properties }));
    }
    rig.feed(Input::Flush);
    insert(&mut rig, 1, "typed ");
    let mut world = World::new(Room::new(true, &blocks(&["theirs"]), 1), vec![rig]);
    world.connect(0);
    world.rest();
    let value = world.agrees();
    assert_eq!(value.len(), 2, "{value:?}");
}

/// The device's copy comes late, with a seed that is not shown here: whoever opens the document next finds all of it.
#[test]
fn a_seed_that_loads_late_waits_for_the_next_opening() {
    for same in [false, true] {
        let mut rig = opened(0, &["a", "b"]);
        insert(&mut rig, 0, "typed ");
        let store = rig.store.clone();
        drop(rig);
        store.set_fault(Some(StoreError::Blocked("x".into())));
        let late = if same { wants(1, &["a", "b"]) } else { config("late", 70) };
        let mut world = World::new(Room::new(true, &blocks(&["theirs"]), 1), vec![Rig::open(late, store.clone())]);
        store.set_fault(None);
        world.rigs[0].pass(60_000);
        world.connect(0);
        world.rest();
        world.rigs[0] = Rig::open(config("next", 71), store.clone());
        world.connect(0);
        world.rest();
        let value = world.agrees();
        assert!(value.len() == 2 && value.contains(&block("typed a")), "same: {same}, {value:?}");
    }
}

/// One tab has withdrawn the seed, another one is killed that had typed upon it.
#[test]
fn what_a_killed_tab_typed_is_kept_by_one_that_had_withdrawn_the_seed() {
    let mut killed = opened(1, &["a", "b"]);
    insert(&mut killed, 0, "typed ");
    let left = killed.store.peek("d").outbox;
    let mut world = World::new(Room::new(true, &blocks(&["theirs"]), 1), vec![opened(0, &["a", "b"])]);
    world.connect(0);
    world.rest();
    assert_eq!(world.agrees(), blocks(&["theirs"]));
    world.rigs[0].feed(Input::Orphans(left));
    world.rest();
    let value = world.agrees();
    assert!(value.len() == 2 && value.contains(&block("typed a")), "{value:?}");
}

/// Another tab of the device has typed upon the same seed: it is not out of sight for a moment.
#[test]
fn what_another_tab_typed_stays_beside_history_too() {
    let mut typing = opened(1, &["a", "b"]);
    insert(&mut typing, 0, "typed ");
    let update = typing.store.peek("d").outbox[0].update.clone();
    let mut world = World::new(Room::new(true, &blocks(&["theirs"]), 2), vec![opened(0, &["a", "b"]), typing]);
    world.rigs[0].feed(Input::TabUpdate { update, epoch: None, kept: true });
    world.connect(0);
    world.rest();
    assert!(world.rigs[0].session.value().contains(&block("typed a")));
    world.connect(1);
    world.rest();
    let value = world.agrees();
    assert!(value.len() == 2 && value.contains(&block("typed a")), "{value:?}");
}
