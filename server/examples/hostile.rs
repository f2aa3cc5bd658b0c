//! Applies the updates in a file, each after its length in four bytes, and says how much processor time that took and how much memory:
//! `hostile MODE FILE`, one process for each measurement, so that its peak is its own and whoever starts it may limit it.
//! `bench/hostile.mjs` does.

use slate_yrs::slate::{DocOptions, Schema, SlateDoc};
use slate_yrs_server::replica::Replica;
use slate_yrs_server::room::load::build;
use slate_yrs_server::storage::{Authors, Detail, UpdateRow};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let (Some(mode), Some(file)) = (args.next(), args.next()) else { return Err("hostile MODE FILE".into()) };
    let updates = unpack(&std::fs::read(file)?)?;
    let before = peak();
    let started = processor()?;
    let refused = run(&mode, &updates)?;
    let ms = processor()? - started;
    let mb = peak().saturating_sub(before) / 1024;
    println!(r#"{{"ms":{ms:.1},"mb":{mb},"refused":{}}}"#, serde_json::to_string(&refused)?);
    Ok(())
}

/// Returns how many updates were refused, and why the first was.
fn run(mode: &str, updates: &[Vec<u8>]) -> Result<(u32, String), Failure> {
    let mut refused = (0, String::new());
    let mut refuse = |error: String| {
        if refused.0 == 0 {
            refused.1 = error;
        }
        refused.0 += 1;
    };
    let options =
        DocOptions { client_id: 77, root: "content".into(), block_id: None, seed: 1, schema: Schema::default() };
    match mode {
        // One after the other, each an edit that arrives where something is shown already.
        "engine" => {
            let mut doc = SlateDoc::new(options.clone());
            for update in updates {
                doc.apply_update(update).map(drop).unwrap_or_else(|error| refuse(error.to_string()));
            }
        }
        "server" => {
            let mut replica = Replica::new();
            for update in updates {
                replica.apply(update).map(drop).unwrap_or_else(|error| refuse(error.to_string()));
            }
        }
        // All at once, as they lie in a store; then the state of that, opened once more.
        "engine-log" => {
            let mut doc = SlateDoc::new(options.clone());
            let rows: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
            let (read, _) = doc.load_all(&rows);
            read.iter().filter(|read| !**read).for_each(|_| refuse("a row of a log".into()));
            let mut again = SlateDoc::new(options);
            again.load(&doc.encode_state(None)?)?;
        }
        "server-log" => {
            let rows: Vec<UpdateRow> = (1..).zip(updates).map(|(seq, bytes)| row(seq, bytes)).collect();
            let built = build(None, &rows)?;
            built.bad.into_iter().for_each(|(_, error)| refuse(error));
            Replica::new().load(&built.replica.encode_whole()?)?;
        }
        _ => return Err("MODE is engine, server, engine-log or server-log".into()),
    }
    Ok(refused)
}

/// Milliseconds that the processor has worked for this thread: what others do on the machine does not count.
fn processor() -> Result<f64, Failure> {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = said.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e6)
}

fn unpack(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut updates = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let (update, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or("the file ends early")?;
        updates.push(update.to_vec());
        bytes = rest;
    }
    Ok(updates)
}

fn row(seq: i64, bytes: &[u8]) -> UpdateRow {
    let (detail, authors) = (Detail::Edit, Authors::default());
    UpdateRow {
        seq,
        first_seq: seq,
        at: 0,
        authors,
        detail,
        bytes: bytes.to_vec(),
        quarantined: None,
        submitted: false,
    }
}

/// The most memory this process has had, in KiB. 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
