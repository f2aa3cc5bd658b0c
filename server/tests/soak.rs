//! A long soak of the real program: people write without end while its disk or its database is full or fails, is locked,
//! read-only, moved away, or loses its log, and while it is killed. What was acknowledged is there after each, and the
//! service is back by itself. `npm run soak:server -- --seconds N --seed S`.
//!
//! Nobody here sends a sync step 2: what the server loses, no writer brings back.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::client::doc;
use common::http::get;
use common::outage::{SmallDisk, fill_pages, free_pages, limit_files};
use common::program::Program;
use common::{Client, Msg, PATIENCE};
use fastrand::Rng;
use slate_yrs::protocol::Message;
use sqlx::{Connection, Executor};
use tokio::sync::RwLock;
use tokio::time::{sleep, timeout};

const DOCUMENTS: usize = 3;
const WRITERS: u64 = 4;
/// Faults between two looks at what is there.
const LOOK_EVERY: u64 = 6;
/// Edits that one database has to hold: then everybody writes slowly, and after a look the next one begins, so that the
/// disk is full only when it shall be, on a quick machine too.
const PER_DATABASE: usize = 20_000;
/// Between two edits of a writer who writes slowly.
const SLOWLY: Duration = Duration::from_millis(200);
/// Bytes that a database may have: some more than so many edits take.
const MAX_BYTES: u64 = 40 << 20;

/// What the writers share.
struct World {
    address: Mutex<SocketAddr>,
    over: AtomicBool,
    paused: AtomicBool,
    /// How many databases there were.
    databases: AtomicU64,
    /// Held by everybody who is connected.
    connected: RwLock<()>,
    /// By document.
    acknowledged: Vec<Mutex<Vec<String>>>,
    /// Acknowledgements so far, by document.
    acks: Vec<AtomicU64>,
    /// Why connections ended.
    farewells: Mutex<BTreeMap<String, u64>>,
}

impl World {
    /// Acknowledged edits that this database has.
    fn held(&self) -> usize {
        self.acknowledged.iter().map(|words| words.lock().unwrap().len()).sum()
    }
}

struct Pending {
    seq: u64,
    update: Vec<u8>,
    word: String,
}

struct Writer {
    world: Arc<World>,
    document: usize,
    id: u64,
    rng: Rng,
    database: u64,
    doc: yrs::Doc,
    outbox: VecDeque<Pending>,
    words: u64,
}

impl Writer {
    async fn run(mut self) {
        while !self.world.over.load(Ordering::SeqCst) {
            if !self.world.paused.load(Ordering::SeqCst) {
                let world = Arc::clone(&self.world);
                let _connected = world.connected.read().await;
                self.connect().await;
            }
            sleep(Duration::from_millis(self.rng.u64(20..150))).await;
        }
    }

    async fn connect(&mut self) {
        let address = *self.world.address.lock().unwrap();
        let database = self.world.databases.load(Ordering::SeqCst);
        if database != self.database {
            (self.database, self.doc, self.words) = (database, doc(self.id + 1), 0);
            self.outbox.clear();
        }
        let document = format!("scene-{}", self.document);
        let query = format!("slate-yrs=1&session=writer-{}", self.id);
        let Some(mut client) = Client::open_with(address, &document, self.doc.clone(), &query).await else { return };
        if client.greeted().await {
            self.acknowledged(client.acked);
            for pending in &self.outbox {
                client.send(&Message::Submit { seq: pending.seq, update: &pending.update }).await;
            }
            self.write(&mut client).await;
        }
        if !client.farewell.is_empty() {
            *self.world.farewells.lock().unwrap().entry(client.farewell.clone()).or_default() += 1;
        }
    }

    async fn write(&mut self, client: &mut Client) {
        let mut slowly_until = Instant::now();
        while !self.world.paused.load(Ordering::SeqCst) && !self.world.over.load(Ordering::SeqCst) {
            if self.outbox.len() < 4 && Instant::now() >= slowly_until {
                if self.world.held() >= PER_DATABASE {
                    slowly_until = Instant::now() + SLOWLY;
                }
                self.words += 1;
                let word = format!("<{}.{}{}>", self.id, self.words, "x".repeat(self.rng.usize(0..300)));
                let end = yrs::Text::len(&client.text, &yrs::Transact::transact(&client.doc));
                let update = client.edit(end, &word);
                client.send(&Message::Submit { seq: self.words, update: &update }).await;
                self.outbox.push_back(Pending { seq: self.words, update, word });
            }
            match timeout(Duration::from_millis(self.rng.u64(1..30)), client.next()).await {
                Ok(Msg::Ack(seq)) => self.acknowledged(seq),
                Ok(Msg::Reject(seq, code)) => panic!("{seq} of writer {} is refused: {code:?}", self.id),
                Ok(Msg::Ping) => client.send(&Message::Pong).await,
                Ok(Msg::Close(_)) => return,
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn acknowledged(&mut self, seq: u64) {
        while let Some(first) = self.outbox.pop_front_if(|first| first.seq <= seq) {
            self.world.acknowledged[self.document].lock().unwrap().push(first.word);
            self.world.acks[self.document].fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Kill,
    Full,
    Pages,
    Io,
    Locked,
    Moved,
    LogDeleted,
    ReadOnly,
}

/// The program, and what is done to it.
struct Stage {
    world: Arc<World>,
    /// None while it is dead.
    program: Option<Program>,
    path: PathBuf,
    disk: Option<SmallDisk>,
    rng: Rng,
    injected: BTreeMap<Fault, u64>,
    log: PathBuf,
}

impl Stage {
    fn start(&mut self, as_nobody: bool) {
        self.program = None;
        let database = format!("sqlite:{}?max_bytes={MAX_BYTES}", self.path.display());
        let program = match as_nobody {
            true => Program::start_as_nobody(&database, &[], &self.log),
            false => Program::start_logging(&database, &[], "info", &self.log),
        };
        *self.world.address.lock().unwrap() = program.address;
        self.program = Some(program);
    }

    fn beside(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}{ending}", self.path.display()))
    }

    async fn lasts(&mut self) {
        let ms = self.rng.u64(100..2_000);
        sleep(Duration::from_millis(ms)).await;
    }

    fn choose(&mut self) -> Fault {
        let faults = [
            Fault::Kill,
            Fault::Full,
            Fault::Pages,
            Fault::Io,
            Fault::Locked,
            Fault::Moved,
            Fault::LogDeleted,
            Fault::ReadOnly,
        ];
        loop {
            let fault = faults[self.rng.usize(0..faults.len())];
            if fault != Fault::Full || self.disk.is_some() {
                return fault;
            }
        }
    }

    async fn inject(&mut self, fault: Fault) {
        *self.injected.entry(fault).or_default() += 1;
        match fault {
            Fault::Kill => {
                self.program = None;
                self.lasts().await;
                self.start(false);
            }
            Fault::Full => {
                use std::io::Write;
                let filler = self.beside(".filler");
                let mut file = std::fs::File::create(&filler).unwrap();
                while file.write_all(&[0; 4096]).is_ok() {}
                self.lasts().await;
                std::fs::remove_file(&filler).unwrap();
            }
            Fault::Pages => {
                fill_pages(&self.path, MAX_BYTES).await;
                self.lasts().await;
                free_pages(&self.path).await;
            }
            Fault::Io => {
                let id = self.program.as_ref().unwrap().id();
                limit_files(id, Some(4_096));
                self.lasts().await;
                limit_files(id, None);
            }
            Fault::Locked => {
                let url = format!("sqlite://{}", self.path.display());
                let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
                other.execute("BEGIN IMMEDIATE").await.unwrap();
                // Sometimes longer than a transaction waits for it.
                let ms = if self.rng.u8(..3) == 0 { 6_500 } else { self.rng.u64(100..2_000) };
                sleep(Duration::from_millis(ms)).await;
                other.execute("ROLLBACK").await.unwrap();
                other.close().await.unwrap();
            }
            Fault::Moved => {
                let endings: &[&str] = if self.rng.bool() { &[""] } else { &["", "-wal", "-shm"] };
                for ending in endings {
                    let _ = std::fs::rename(self.beside(ending), self.beside(&format!(".away{ending}")));
                }
                self.lasts().await;
                for ending in endings.iter().rev() {
                    let _ = std::fs::rename(self.beside(&format!(".away{ending}")), self.beside(ending));
                }
            }
            Fault::LogDeleted => {
                let _ = std::fs::remove_file(self.beside("-wal"));
                self.lasts().await;
            }
            Fault::ReadOnly => {
                self.program = None;
                self.give_to_nobody(0o444);
                self.start(true);
                self.lasts().await;
                self.give_to_nobody(0o644);
                self.is_back().await;
                // Its limits cannot be set from here: by one of ours it is followed.
                self.start(false);
            }
        }
    }

    fn give_to_nobody(&self, mode: u32) {
        use std::os::unix::fs::{PermissionsExt, chown};
        chown(self.path.parent().unwrap(), Some(65534), Some(65534)).unwrap();
        for ending in ["", "-wal", "-shm"] {
            let path = self.beside(ending);
            if path.exists() {
                chown(&path, Some(65534), Some(65534)).unwrap();
            }
        }
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Everybody's edits are acknowledged again, and it is ready.
    async fn is_back(&self) {
        let before: Vec<u64> = self.world.acks.iter().map(|acks| acks.load(Ordering::SeqCst)).collect();
        let until = Instant::now() + PATIENCE;
        let address = self.program.as_ref().unwrap().address;
        loop {
            let ready = get(address, "/readyz").await.status == 200;
            let writes =
                self.world.acks.iter().zip(&before).all(|(acks, before)| acks.load(Ordering::SeqCst) > *before);
            if ready && writes {
                return;
            }
            let log = || std::fs::read_to_string(&self.log).unwrap();
            assert!(Instant::now() < until, "not back: ready {ready}, stores {writes}\n{}", log());
            sleep(Duration::from_millis(30)).await;
        }
    }

    fn begin_anew(&mut self) {
        self.program = None;
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.beside(ending));
        }
        let number = self.world.databases.fetch_add(1, Ordering::SeqCst) + 1;
        self.path.set_file_name(format!("server-{number}.sqlite"));
        self.world.acknowledged.iter().for_each(|words| words.lock().unwrap().clear());
        self.start(false);
    }

    /// Killed, and started again without the writers: every acknowledged word is there, once.
    async fn has_everything(&mut self) -> usize {
        let world = Arc::clone(&self.world);
        world.paused.store(true, Ordering::SeqCst);
        let nobody = world.connected.write().await;
        self.start(false);
        let mut count = 0;
        for (number, acknowledged) in world.acknowledged.iter().enumerate() {
            let address = self.program.as_ref().unwrap().address;
            let mut fresh = Client::connect(address, &format!("scene-{number}"), 1_000, "").await;
            fresh.sync().await;
            let text = fresh.read();
            let mut there: BTreeMap<&str, u64> = BTreeMap::new();
            for word in text.split_inclusive('>') {
                *there.entry(word).or_default() += 1;
            }
            let acknowledged = acknowledged.lock().unwrap();
            for word in acknowledged.iter() {
                assert_eq!(there.get(word.as_str()), Some(&1), "{word} was acknowledged, after {:?}", self.injected);
            }
            count += acknowledged.len();
        }
        if count > PER_DATABASE {
            self.begin_anew();
        }
        drop(nobody);
        world.paused.store(false, Ordering::SeqCst);
        count
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_nothing_acknowledged_is_lost_and_the_service_is_back_by_itself() {
    let (seconds, seed) = (number("SERVER_SOAK_SECONDS", 15), number("SERVER_SOAK_SEED", fastrand::u64(..1 << 32)));
    println!("soak: seed {seed}, {seconds} s");
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let place = folder.path().join("data");
    let disk = SmallDisk::mount(place.clone(), "160m");
    open_to_all(&place);
    let path = place.join("server.sqlite");
    let mut stage = Stage {
        world: Arc::new(World {
            address: Mutex::new(SocketAddr::from(([127, 0, 0, 1], 0))),
            over: false.into(),
            paused: false.into(),
            databases: 0.into(),
            connected: RwLock::new(()),
            acknowledged: (0..DOCUMENTS).map(|_| Mutex::default()).collect(),
            acks: (0..DOCUMENTS).map(|_| AtomicU64::new(0)).collect(),
            farewells: Mutex::default(),
        }),
        program: None,
        path,
        disk,
        rng: Rng::with_seed(seed),
        injected: BTreeMap::new(),
        log: folder.path().join("log"),
    };
    stage.start(false);
    let writers: Vec<_> = (0..DOCUMENTS as u64 * WRITERS)
        .map(|id| {
            let writer = Writer {
                world: Arc::clone(&stage.world),
                document: id as usize % DOCUMENTS,
                id,
                rng: Rng::with_seed(seed + id),
                database: 0,
                doc: doc(id + 1),
                outbox: VecDeque::new(),
                words: 0,
            };
            tokio::spawn(writer.run())
        })
        .collect();
    stage.is_back().await;
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut count, mut edits) = (0, 0);
    while Instant::now() < until || count % LOOK_EVERY != 0 {
        let fault = stage.choose();
        stage.inject(fault).await;
        stage.is_back().await;
        count += 1;
        if count % LOOK_EVERY == 0 {
            stage.has_everything().await;
        }
    }
    stage.has_everything().await;
    for acks in &stage.world.acks {
        edits += acks.load(Ordering::SeqCst);
    }
    stage.world.over.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    stage.program = None;
    println!("soak: {edits} acknowledged edits, all there after {count} faults: {:?}", stage.injected);
    println!("soak: connections ended with {:?}", stage.world.farewells.lock().unwrap());
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
