//! The real program on a database that fails (F53): what it cannot store it does not acknowledge, says why, and takes up
//! again by itself once it can.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::client::doc;
use common::http::get;
use common::outage::{SmallDisk, fill_pages, free_pages, limit_files};
use common::program::Program;
use common::{Client, Msg, PATIENCE};
use slate_yrs::protocol::close;
use sqlx::{Connection, Executor};

/// A server with somebody who writes.
struct Scene {
    program: Program,
    database: String,
    path: PathBuf,
    log: PathBuf,
    writer: yrs::Doc,
    visits: u32,
    _folder: tempfile::TempDir,
}

/// Something that the database suffers, and how it is mended.
struct Suffers<'a> {
    breaks: &'a dyn Fn(&Scene),
    mends: &'a dyn Fn(&Scene),
    /// What clients and operators are told.
    reason: &'a str,
    fault: &'a str,
}

impl Scene {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("data");
        std::fs::create_dir(&place).unwrap();
        Self::begin_at(folder, &place, Program::start_logging).await
    }

    async fn begin_at(
        folder: tempfile::TempDir,
        place: &Path,
        start: impl Fn(&str, &[&str], &str, &Path) -> Program,
    ) -> Self {
        let path = place.join("server.sqlite");
        let database = format!("sqlite:{}", path.display());
        let log = folder.path().join("log");
        let program = start(&database, &[], "info", &log);
        Self { program, database, path, log, writer: doc(1), visits: 0, _folder: folder }
    }

    /// The writer, connected as another session, and in sync.
    async fn connect(&mut self) -> Client {
        self.visits += 1;
        let query = format!("slate-yrs=1&session=visit-{}", self.visits);
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let doc = self.writer.clone();
            if let Some(mut client) = Client::try_connect_with(self.program.address, "scene", doc, &query).await {
                client.sync_both().await;
                return client;
            }
            assert!(tokio::time::Instant::now() < until, "nobody gets in:\n{}", self.logged());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn write(&mut self, words: &str) {
        let mut client = self.connect().await;
        client.write(words).await;
        client.all_acked().await;
        client.leave().await;
    }

    /// Writes until the server has had enough. The reason it gave.
    async fn write_until_closed(&mut self) -> String {
        self.visits += 1;
        let query = format!("slate-yrs=1&session=visit-{}", self.visits);
        let mut client = Client::open_with(self.program.address, "scene", self.writer.clone(), &query).await.unwrap();
        if !client.greeted().await {
            return client.farewell;
        }
        client.sync_both().await;
        for word in 0.. {
            // Pages of a file that are there already may take some.
            client.write(&format!("<{word}{}>", "x".repeat(20_000))).await;
            loop {
                match client.next().await {
                    Msg::Ack(_) => break,
                    Msg::Close(code) => {
                        assert_eq!(code, close::INTERNAL, "{:?}", client.farewell);
                        return client.farewell.clone();
                    }
                    _ => {}
                }
            }
            assert!(word < 5_000, "everything is acknowledged");
        }
        unreachable!()
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    async fn ready(&self) -> (u16, String) {
        let answer = get(self.program.address, "/readyz").await;
        (answer.status, answer.text())
    }

    async fn metrics(&self) -> String {
        get(self.program.address, "/metrics").await.text()
    }

    async fn until_ready(&self) {
        let until = tokio::time::Instant::now() + PATIENCE;
        while self.ready().await.0 != 200 {
            assert!(tokio::time::Instant::now() < until, "never ready again:\n{}", self.logged());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Killed and started again: it has what the writer has.
    async fn has_everything(mut self) {
        let written = self.connect().await.read();
        drop(self.program);
        let program = Program::start(&self.database, &[]);
        let mut fresh = Client::connect(program.address, "scene", 99, "").await;
        fresh.sync().await;
        assert_eq!(fresh.read().len(), written.len());
        assert_eq!(fresh.read(), written);
    }

    /// The whole story of one failure.
    async fn suffers(&mut self, Suffers { breaks, mends, reason, fault }: Suffers<'_>) {
        self.write("before ").await;
        assert_eq!(self.ready().await.0, 200);
        breaks(self);
        let told = self.write_until_closed().await;
        assert!(told.contains(reason), "told {told:?}, not {reason:?}");
        let (status, text) = self.ready().await;
        assert_eq!(status, 503, "{text}");
        assert!(text.contains(reason), "ready says {text:?}, not {reason:?}");
        let metrics = self.metrics().await;
        assert!(metrics.contains("slate_yrs_database_writable 0"), "{metrics}");
        let failures = format!("slate_yrs_database_failures_total{{fault=\"{fault}\"}} ");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&failures)).expect("counted by its kind");
        assert_ne!(count, "0");
        // What it logs comes by way of a pipe.
        let said = format!("cannot be written: {reason}");
        common::eventually("it is logged", || self.logged().contains(&said)).await;
        mends(self);
        // Nobody asks: it finds out by itself.
        let until = tokio::time::Instant::now() + PATIENCE;
        while !self.metrics().await.contains("slate_yrs_database_writable 1") {
            assert!(tokio::time::Instant::now() < until, "never writable again:\n{}", self.logged());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.until_ready().await;
        self.write("after ").await;
    }

    fn limit_files(&self, bytes: Option<u64>) {
        limit_files(self.program.id(), bytes);
    }

    fn beside(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}{ending}", self.path.display()))
    }

    fn rename(&self, from: &str, to: &str) {
        for ending in ["", "-wal", "-shm"] {
            let (from, to) = (self.beside(&format!("{from}{ending}")), self.beside(&format!("{to}{ending}")));
            if from.exists() {
                std::fs::rename(from, to).unwrap();
            }
        }
    }
}

/// Something is done that takes a while, in what may not wait.
fn waited<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_full_disk_is_said_and_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("small");
    let Some(disk) = SmallDisk::mount(place.clone(), "3m") else { return };
    let mut scene = Scene::begin_at(folder, &place, Program::start_logging).await;
    let filler = place.join("filler");
    let fill = |_: &Scene| {
        use std::io::Write;
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    };
    let free = |_: &Scene| std::fs::remove_file(&filler).unwrap();
    scene.suffers(Suffers { breaks: &fill, mends: &free, reason: "the server's disk is full", fault: "full" }).await;
    scene.has_everything().await;
    drop(disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_database_as_large_as_it_may_be_is_said_and_ends_by_itself() {
    const MAX_BYTES: u64 = 4 << 20;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let start = |database: &str, flags: &[&str], filter: &str, log: &Path| {
        Program::start_logging(&format!("{database}?max_bytes={MAX_BYTES}"), flags, filter, log)
    };
    let mut scene = Scene::begin_at(folder, &place, start).await;
    let fill = |scene: &Scene| waited(fill_pages(&scene.path, MAX_BYTES));
    let free = |scene: &Scene| waited(free_pages(&scene.path));
    for _ in 0..2 {
        let reason = "the server's disk is full";
        scene.suffers(Suffers { breaks: &fill, mends: &free, reason, fault: "full" }).await;
    }
    scene.has_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_disk_that_fails_is_said_and_ends_by_itself() {
    let mut scene = Scene::begin().await;
    for _ in 0..2 {
        let breaks = |scene: &Scene| scene.limit_files(Some(40_000));
        let mends = |scene: &Scene| scene.limit_files(None);
        scene.suffers(Suffers { breaks: &breaks, mends: &mends, reason: "the server's disk fails", fault: "io" }).await;
    }
    scene.has_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_database_locked_by_another_process_is_said_and_ends_by_itself() {
    let mut scene = Scene::begin().await;
    let other = std::sync::Mutex::new(None);
    let lock = |scene: &Scene| {
        let url = format!("sqlite://{}", scene.path.display());
        let held = waited(async {
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            connection.execute("BEGIN IMMEDIATE").await.unwrap();
            connection
        });
        *other.lock().unwrap() = Some(held);
    };
    let unlock = |_: &Scene| drop(other.lock().unwrap().take());
    let reason = "another process has locked the server's database";
    scene.suffers(Suffers { breaks: &lock, mends: &unlock, reason, fault: "locked" }).await;
    scene.has_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_database_that_was_moved_away_takes_nothing_until_it_is_back() {
    let mut scene = Scene::begin().await;
    let away = |scene: &Scene| scene.rename("", ".away");
    let back = |scene: &Scene| scene.rename(".away", "");
    let reason = "the file of the server's database is gone";
    scene.suffers(Suffers { breaks: &away, mends: &back, reason, fault: "gone" }).await;
    // The file alone, as by mv.
    let alone = |from: &'static str, to: &'static str| {
        move |scene: &Scene| std::fs::rename(scene.beside(from), scene.beside(to)).unwrap()
    };
    let (away, back) = (alone("", ".away"), alone(".away", ""));
    scene.suffers(Suffers { breaks: &away, mends: &back, reason, fault: "gone" }).await;
    scene.has_everything().await;
}

/// A copy that somebody makes while the server runs, as one should.
async fn copy_of(database: &Path) -> PathBuf {
    let copy = database.with_extension("copy");
    let mut other = sqlx::SqliteConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    let vacuum = format!("VACUUM INTO '{}'", copy.display());
    other.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(vacuum))).await.unwrap();
    other.close().await.unwrap();
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_deleted_database_takes_nothing_and_another_one_put_there_is_taken_up() {
    let mut scene = Scene::begin().await;
    scene.write("in both ").await;
    let copy = copy_of(&scene.path).await;
    let delete = |scene: &Scene| {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(scene.beside(ending));
        }
    };
    let restore = |scene: &Scene| std::fs::copy(&copy, &scene.path).map(drop).unwrap();
    let reason = "the file of the server's database is gone";
    scene.suffers(Suffers { breaks: &delete, mends: &restore, reason, fault: "gone" }).await;
    scene.has_everything().await;
}

/// What only the first one has is not said to be in the other one: whoever comes again brings it.
#[tokio::test(flavor = "multi_thread")]
async fn f53_a_room_of_a_database_that_was_replaced_takes_nothing() {
    let mut scene = Scene::begin().await;
    scene.write("in both ").await;
    let copy = copy_of(&scene.path).await;
    scene.write("only in the first ").await;
    let mut client = scene.connect().await;
    std::fs::rename(&copy, &scene.path).unwrap();
    client.write("into nothing? ").await;
    loop {
        match client.next().await {
            Msg::Ack(seq) => panic!("{seq} is acknowledged"),
            Msg::Close(code) => break assert_eq!(code, close::INTERNAL),
            _ => {}
        }
    }
    // Whoever comes again brings what the other database lacks.
    scene.write("after ").await;
    scene.has_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_deleted_log_of_the_database_costs_nothing_that_was_acknowledged() {
    let mut scene = Scene::begin().await;
    let mut client = scene.connect().await;
    client.write("acknowledged ").await;
    client.all_acked().await;
    std::fs::remove_file(scene.beside("-wal")).unwrap();
    client.write("perhaps ").await;
    // Stored where it can be found, or not acknowledged: either way the next one is stored.
    while !matches!(client.next().await, Msg::Ack(_) | Msg::Close(_)) {}
    drop(client);
    scene.until_ready().await;
    drop(scene.program);
    let program = Program::start(&scene.database, &[]);
    let mut fresh = Client::connect(program.address, "scene", 99, "").await;
    fresh.sync().await;
    assert!(fresh.read().contains("acknowledged "), "{:?}", fresh.read());
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_database_that_is_read_only_serves_readers_and_takes_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data");
    std::fs::create_dir(&place).unwrap();
    let path = place.join("server.sqlite");
    let first = Program::start(&format!("sqlite:{}", path.display()), &[]);
    let mut client = Client::connect(first.address, "scene", 1, "slate-yrs=1&session=a").await;
    client.write("there before ").await;
    client.all_acked().await;
    drop(first);
    let modes = |file: u32| {
        use std::os::unix::fs::PermissionsExt;
        for entry in std::fs::read_dir(&place).unwrap() {
            let path = entry.unwrap().path();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(file)).unwrap();
            std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
        }
        std::os::unix::fs::chown(&place, Some(65534), Some(65534)).unwrap();
    };
    for part in [folder.path(), &place] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(part, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    modes(0o644);
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    let start = |database: &str, flags: &[&str], _: &str, log: &Path| Program::start_as_nobody(database, flags, log);
    let mut scene = Scene::begin_at(folder, &place, start).await;
    let (status, text) = scene.ready().await;
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("the server's database is read-only"), "{text}");
    assert!(scene.metrics().await.contains("slate_yrs_database_writable 0"));
    let mut reader = Client::connect(scene.program.address, "scene", 7, "").await;
    reader.sync().await;
    assert_eq!(reader.read(), "there before ");
    reader.leave().await;
    let told = scene.write_until_closed().await;
    assert!(told.contains("the server's database is read-only"), "{told}");
    modes(0o644);
    scene.until_ready().await;
    scene.write("after ").await;
    scene.has_everything().await;
}

#[test]
fn f53_a_wrong_file_ends_the_start_with_one_line_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("garbage"), "this is no database, whatever it is called ".repeat(200)).unwrap();
    std::fs::create_dir(place("folder")).unwrap();
    std::fs::write(place("file"), "x").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{}?mode=rwc", place("foreign").display());
        let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
        other.execute("CREATE TABLE invoices (id INTEGER)").await.unwrap();
        other.close().await.unwrap();
    });
    for (name, why) in [
        ("garbage", "file is not a database"),
        ("folder", "it is a folder"),
        ("file/inside", "File exists"),
        ("foreign", "it holds tables of another program"),
    ] {
        let (succeeded, said) = Program::run(&format!("sqlite:{}", place(name).display()));
        assert!(!succeeded);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 1, "{said}");
        assert!(lines[0].contains(name) && lines[0].contains(why), "{said}");
    }
}
