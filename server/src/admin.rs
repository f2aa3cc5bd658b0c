//! The commands beside serving.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use slate_yrs::format::Format;
use slate_yrs::slate::{RootMismatch, check_layout};
use slate_yrs::update::say_the_same;
use thiserror::Error;
use yrs::Transact;

use crate::clock::now;
use crate::compact::{Report, Retention, compact_all};
use crate::gate::FORMATS;
use crate::history::rfc3339;
use crate::plain::{PlainError, plain};
use crate::replica::{ApplyError, Replica};
use crate::room::load::{build, load, whole_log};
use crate::storage::{Storage, StorageError, file_of, open_existing, random_id};

const PAGE: u32 = 500;

#[derive(Debug, Error)]
pub enum AdminError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the file cannot be used: {0}")]
    File(#[from] std::io::Error),
    #[error("the file is no Yjs update: {0}")]
    Update(#[from] ApplyError),
    #[error("there is no document {0:?}")]
    NoDocument(String),
    /// What it has by now, and what a document of another format was made of, would stand side by side.
    #[error("the document is of format {0}, and what is in the file is not: import it into a new document")]
    Format(Format),
    #[error("the text is elsewhere: {0}")]
    Root(#[from] RootMismatch),
    #[error(transparent)]
    Plain(#[from] PlainError),
    #[error("nothing was restored: {0}")]
    Restore(String),
    #[error("another server is compacting")]
    Busy,
    #[error("the other database cannot be read: {0}")]
    Source(String),
    #[error("{0} of the documents differ or cannot be read")]
    Differs(u64),
}

type Result<T> = std::result::Result<T, AdminError>;

pub async fn compact(storage: &Arc<dyn Storage>, retention: Retention) -> Result<Report> {
    compact_all(storage, retention, &random_id(), now).await?.ok_or(AdminError::Busy)
}

/// One line per document, tabs between.
pub async fn documents(storage: &Arc<dyn Storage>, out: &mut impl Write) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = storage.documents(&after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for document in &page {
            let bytes = storage.log_bytes(&document.id).await?;
            let at = rfc3339(document.updated_at);
            writeln!(out, "{}\t{}\t{}\t{bytes}\t{at}", document.id, document.epoch, document.tip)?;
        }
    }
}

pub async fn export(storage: &Arc<dyn Storage>, document: &str, file: &Path) -> Result<()> {
    write(file, &whole(storage, document).await?)
}

/// In the layout of slate-yjs. Returns what was left out: see [`Plain`](crate::plain::Plain).
pub async fn export_plain(storage: &Arc<dyn Storage>, document: &str, root: &str, file: &Path) -> Result<Vec<String>> {
    let plain = plain(root, &whole(storage, document).await?)?;
    write(file, &plain.update)?;
    Ok(plain.left_out)
}

async fn whole(storage: &Arc<dyn Storage>, document: &str) -> Result<Vec<u8>> {
    if storage.document(document).await?.is_none() {
        return Err(AdminError::NoDocument(document.to_owned()));
    }
    Ok(load(storage, document, now()).await?.replica.encode_whole()?)
}

fn write(file: &Path, state: &[u8]) -> Result<()> {
    if file == Path::new("-") {
        std::io::stdout().write_all(state)?
    } else {
        std::fs::write(file, state)?
    }
    Ok(())
}

/// Returns whether the document changed. `root`: where its text has to be afterwards.
pub async fn import(storage: &Arc<dyn Storage>, document: &str, root: Option<&str>, file: &Path) -> Result<bool> {
    let mut update = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut update)?;
    } else {
        update = std::fs::read(file)?;
    }
    let mut file = Replica::new();
    file.load(&update)?;
    // No document comes of a file that is refused.
    if storage.document(document).await?.is_none() {
        if !FORMATS.knows(file.format()) {
            return Err(AdminError::Format(file.format()));
        }
        if let Some(root) = root {
            check_layout(&file.doc().transact(), root)?;
        }
    }
    let mut loaded = load(storage, document, now()).await?;
    let format = loaded.replica.format();
    if !loaded.replica.load(&update)? {
        return Ok(false);
    }
    if format > file.format() || !FORMATS.knows(loaded.replica.format()) {
        return Err(AdminError::Format(format));
    }
    if let Some(root) = root {
        check_layout(&loaded.replica.doc().transact(), root)?;
    }
    storage.store_update(document, &loaded.document.epoch, now(), &update).await?;
    Ok(true)
}

pub async fn delete(storage: &Arc<dyn Storage>, document: &str) -> Result<()> {
    if storage.delete_document(document).await? { Ok(()) } else { Err(AdminError::NoDocument(document.to_owned())) }
}

/// Copies the database while it is used, into a file that is not there yet.
pub async fn back_up(storage: &Arc<dyn Storage>, file: &Path) -> Result<()> {
    Ok(storage.back_up(file).await?)
}

/// Puts a backup where the server will look for its database; what is there already stays, and is an error. All of the backup
/// is read before: what was looked at.
pub async fn restore(file: &Path, url: &str) -> Result<Seen> {
    let taken = |reason: &str| AdminError::Restore(reason.to_owned());
    let to = file_of(url).ok_or_else(|| taken("only an SQLite database is restored like this; use pg_restore"))?;
    if to.exists() {
        return Err(AdminError::Restore(format!("{} is there already: move it away first", to.display())));
    }
    if !file.is_file() {
        return Err(AdminError::Restore(format!("there is no file {}", file.display())));
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Beside its place, so that what is there in the end is whole.
    let mut part = to.clone().into_os_string();
    part.push(".part");
    let part = Path::new(&part);
    std::fs::copy(file, part)?;
    let checked = check_backup(part).await;
    if checked.is_err() {
        let _ = std::fs::remove_file(part);
        return checked;
    }
    std::fs::File::open(part)?.sync_all()?;
    std::fs::rename(part, &to)?;
    checked
}

async fn check_backup(file: &Path) -> Result<Seen> {
    let storage = open_existing(&format!("sqlite:{}", file.display())).await?;
    let checked = verify(&storage, None, &mut std::io::sink()).await;
    storage.close().await;
    checked
}

/// Replays documents and says what is wrong with them, a line each. What was looked at.
pub async fn verify(storage: &Arc<dyn Storage>, only: Option<&str>, out: &mut impl Write) -> Result<Seen> {
    let mut wrong = 0;
    let mut seen = Seen::default();
    let mut after = String::new();
    loop {
        let page = match only {
            Some(id) => storage.document(id).await?.into_iter().collect(),
            None => storage.documents(&after, PAGE).await?,
        };
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for document in &page {
            let problem = verify_one(storage, &document.id, &mut seen).await?;
            seen.documents += 1;
            wrong += u64::from(problem.is_some());
            writeln!(out, "{}\t{}", document.id, problem.as_deref().unwrap_or("ok"))?;
        }
        if only.is_some() {
            break;
        }
    }
    match (wrong, only) {
        (0, Some(id)) if after.is_empty() => Err(AdminError::NoDocument(id.to_owned())),
        (0, _) => Ok(seen),
        (wrong, _) => Err(AdminError::Differs(wrong)),
    }
}

/// What was looked at.
#[derive(Debug, Default)]
pub struct Seen {
    pub documents: u64,
    pub rows: u64,
    pub heads: u64,
    pub named: u64,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { documents, rows, heads, named } = self;
        write!(out, "{documents} documents, {rows} rows replayed, {heads} heads compared, {named} named versions read")
    }
}

/// What is wrong with a document's log or snapshot.
async fn verify_one(storage: &Arc<dyn Storage>, document: &str, seen: &mut Seen) -> Result<Option<String>> {
    let all = storage.get_updates_since(document, 0, u32::MAX).await?;
    seen.rows += all.len() as u64;
    let mut next = 1;
    for row in &all {
        if row.first_seq != next {
            return Ok(Some(format!("updates {next} to {} are missing", row.first_seq - 1)));
        }
        next = row.seq + 1;
    }
    let Some(state) = storage.get_scene_state(document).await? else { return Ok(None) };
    seen.heads += u64::from(state.snapshot.is_some());
    if state.document.tip != next - 1 {
        return Ok(Some(format!("the tip is {}, the log ends at {}", state.document.tip, next - 1)));
    }
    let quarantined = all.iter().filter(|row| row.quarantined.is_some()).count();
    let log = build(None, &whole_log(storage, document).await?)?;
    if !log.bad.is_empty() || quarantined > 0 {
        return Ok(Some(format!("{} rows cannot be read", log.bad.len() + quarantined)));
    }
    if storage.has_damaged_head(document).await? {
        return Ok(Some("the head snapshot is damaged; the log has everything".to_owned()));
    }
    let head: Replica = match build(state.snapshot.as_ref(), &state.tail) {
        Ok(built) => built.replica,
        Err(error) => return Ok(Some(format!("the head snapshot cannot be read: {error}"))),
    };
    if !say_the_same(&head.encode_whole()?, &log.replica.encode_whole()?) {
        return Ok(Some("the head snapshot differs from the log".to_owned()));
    }
    for named in storage.named(document).await? {
        seen.named += 1;
        match storage.named_state(document, &named.id).await {
            Ok(Some((_, bytes))) => {
                if let Err(error) = Replica::new().load(&bytes) {
                    return Ok(Some(format!("the named version {:?} cannot be read: {error}", named.label)));
                }
            }
            Ok(None) => {}
            Err(error @ StorageError::Damaged(_)) => return Ok(Some(error.to_string())),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
