//! Many updates of many documents in a handful of statements.
//!
//! A transaction locks its documents, reads how far its sessions are, and writes rows, sessions and tips: one statement
//! each, however many rooms wait. Lists are padded with nothing to a power of two, so that a database has to prepare
//! few different statements. Their parameters have no numbers for SQLite: it looks up the name of each numbered one in
//! a list of all, which made two thirds of the work of a server under load.

use std::collections::{BTreeMap, HashMap};

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Row};

use super::dialect::{Dialect, checksum};
use super::{Millis, NewUpdate, Progress, Refusal, Result, Seq, StoreRequest, Stored, Submission};

/// Rows of one statement: few enough for the parameters a statement may have.
const ROWS: usize = 256;
/// How far a session is that is the name of something done once.
const DONE: Progress = Progress { acked: 1, last: 1 };

type SessionKey<'a> = (&'a str, &'a str);

/// Within a transaction that will write, in the database with this number.
pub async fn store(
    connection: &mut AnyConnection,
    dialect: Dialect,
    database: u64,
    requests: &[StoreRequest],
) -> Result<Vec<Result<Stored, Refusal>>> {
    let mut documents = lock(connection, dialect, requests).await?;
    let mut progress = progress_of(connection, dialect, &sessions_of(requests)).await?;
    let mut results = Vec::with_capacity(requests.len());
    let mut writes = Writes::default();
    for request in requests {
        if request.database.is_some_and(|loaded_from| loaded_from != database) {
            results.push(Err(Refusal::Replaced));
            continue;
        }
        let Some(document) = documents.get_mut(request.document.as_str()).filter(|one| one.epoch == request.epoch)
        else {
            results.push(Err(Refusal::Epoch));
            continue;
        };
        if request.only_at_tip.is_some_and(|tip| tip != document.tip) {
            results.push(Err(Refusal::TipMoved { tip: document.tip }));
            continue;
        }
        let is_done = |name: &str| {
            let known = progress.get(&(request.document.as_str(), name));
            known.is_some_and(|known| known.last > 0)
        };
        if request.once.iter().any(|one| is_done(&one.name)) {
            results.push(Err(Refusal::DoneBefore));
            continue;
        }
        for one in &request.once {
            let key = (request.document.as_str(), one.name.as_str());
            progress.insert(key, DONE);
            let row = SessionRow { progress: DONE, owner: Some(&one.request), at: request.at };
            writes.sessions.insert(key, row);
        }
        let first = document.tip + 1;
        for update in &request.updates {
            if let Some(submission) = &update.submission {
                let known = progress.entry((&request.document, &submission.session)).or_default();
                if is_stored(connection, &request.document, known, submission, &update.bytes).await? {
                    continue;
                }
                let row = SessionRow { progress: *known, owner: submission.owner.as_deref(), at: request.at };
                writes.sessions.insert((&request.document, &submission.session), row);
            }
            document.tip += 1;
            writes.rows.push((request, document.tip, update));
        }
        if document.tip >= first {
            writes.tips.insert(&request.document, (document.tip, request.at));
        }
        results.push(Ok(Stored { first, last: document.tip }));
    }
    writes.run(connection, dialect).await?;
    Ok(results)
}

struct Locked {
    epoch: String,
    tip: Seq,
}

/// The documents' rows, locked in the order of their ids: two servers cannot wait for each other.
async fn lock<'a>(
    connection: &mut AnyConnection,
    dialect: Dialect,
    requests: &'a [StoreRequest],
) -> Result<HashMap<&'a str, Locked>> {
    let mut ids: Vec<&str> = requests.iter().map(|request| request.document.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let order = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " ORDER BY id COLLATE \"C\" FOR UPDATE",
    };
    let mut locked = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(ROWS) {
        let places: Vec<String> = (1..=padded(chunk.len())).map(|at| parameter(dialect, at)).collect();
        let sql = format!("SELECT id, epoch, tip FROM documents WHERE id IN ({}){order}", places.join(", "));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for at in 0..places.len() {
            query = query.bind(chunk.get(at).map(|id| (*id).to_owned()));
        }
        for row in query.fetch_all(&mut *connection).await? {
            let id: String = row.try_get(0)?;
            if let Ok(at) = chunk.binary_search(&id.as_str()) {
                locked.insert(chunk[at], Locked { epoch: row.try_get(1)?, tip: row.try_get(2)? });
            }
        }
    }
    Ok(locked)
}

fn sessions_of(requests: &[StoreRequest]) -> Vec<SessionKey<'_>> {
    let mut sessions: Vec<SessionKey<'_>> = Vec::new();
    for request in requests {
        let known = sessions.len();
        let submissions = request.updates.iter().filter_map(|update| update.submission.as_ref());
        let once = request.once.iter().map(|one| &one.name);
        for name in submissions.map(|submission| &submission.session).chain(once) {
            let session = (request.document.as_str(), name.as_str());
            if !sessions[known..].contains(&session) {
                sessions.push(session);
            }
        }
    }
    sessions
}

async fn progress_of<'a>(
    connection: &mut AnyConnection,
    dialect: Dialect,
    sessions: &[SessionKey<'a>],
) -> Result<HashMap<SessionKey<'a>, Progress>> {
    let mut found = HashMap::with_capacity(sessions.len());
    for chunk in sessions.chunks(ROWS) {
        let sql = format!(
            "SELECT v.column3, s.acked_seq, s.last_seq FROM {} JOIN sessions s \
             ON s.document = v.column1 AND s.session = v.column2",
            values(dialect, chunk.len(), 3)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for at in 0..padded(chunk.len()) {
            let session = chunk.get(at);
            query = query
                .bind(session.map(|(document, _)| (*document).to_owned()))
                .bind(session.map(|(_, session)| (*session).to_owned()))
                .bind(at as i64);
        }
        for row in query.fetch_all(&mut *connection).await? {
            let progress = Progress { acked: row.try_get::<i64, _>(1)? as u64, last: row.try_get::<i64, _>(2)? as u64 };
            if let Some(session) = chunk.get(row.try_get::<i64, _>(0)? as usize) {
                found.insert(*session, progress);
            }
        }
    }
    Ok(found)
}

/// Notes that a submission is stored. True if the log has this very submission already.
async fn is_stored(
    connection: &mut AnyConnection,
    document: &str,
    progress: &mut Progress,
    submission: &Submission,
    bytes: &[u8],
) -> Result<bool> {
    if submission.seq <= progress.last {
        let same = sqlx::query(
            "SELECT seq FROM scene_versions WHERE document = $1 AND session = $2 AND client_seq = $3 AND checksum = $4",
        )
        .bind(document.to_owned())
        .bind(submission.session.clone())
        .bind(submission.seq as i64)
        .bind(checksum(bytes))
        .fetch_optional(connection)
        .await?;
        return Ok(same.is_some());
    }
    // Once a submission was refused, `acked` stays below it and so below `last`, for good.
    if !submission.after_refusal && progress.acked == progress.last {
        progress.acked = submission.seq;
    }
    progress.last = submission.seq;
    Ok(false)
}

struct SessionRow<'a> {
    progress: Progress,
    owner: Option<&'a str>,
    at: Millis,
}

/// What a transaction writes.
#[derive(Default)]
struct Writes<'a> {
    rows: Vec<(&'a StoreRequest, Seq, &'a NewUpdate)>,
    sessions: BTreeMap<SessionKey<'a>, SessionRow<'a>>,
    tips: BTreeMap<&'a str, (Seq, Millis)>,
}

impl Writes<'_> {
    async fn run(&self, connection: &mut AnyConnection, dialect: Dialect) -> Result<()> {
        for chunk in self.rows.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO scene_versions \
                 (document, seq, first_seq, session, client_seq, author, at, bytes, checksum, comments) \
                 SELECT column1, column2, column2, column3, column4, column5, column6, column7, column8, column9 FROM {} \
                 WHERE column1 IS NOT NULL",
                values(dialect, chunk.len(), 9)
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for at in 0..padded(chunk.len()) {
                query = bind_row(query, chunk.get(at));
            }
            query.execute(&mut *connection).await?;
        }
        let sessions: Vec<_> = self.sessions.iter().collect();
        for chunk in sessions.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO sessions (document, session, acked_seq, last_seq, at, owner) \
                 SELECT column1, column2, column3, column4, column5, column6 FROM {} WHERE column1 IS NOT NULL \
                 ON CONFLICT (document, session) DO UPDATE \
                 SET acked_seq = excluded.acked_seq, last_seq = excluded.last_seq, at = excluded.at, \
                 owner = COALESCE(sessions.owner, excluded.owner)",
                values(dialect, chunk.len(), 6)
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for at in 0..padded(chunk.len()) {
                let one = chunk.get(at);
                query = query
                    .bind(one.map(|((document, _), _)| (*document).to_owned()))
                    .bind(one.map(|((_, session), _)| (*session).to_owned()))
                    .bind(one.map(|(_, row)| row.progress.acked as i64))
                    .bind(one.map(|(_, row)| row.progress.last as i64))
                    .bind(one.map(|(_, row)| row.at))
                    .bind(one.and_then(|(_, row)| row.owner.map(str::to_owned)));
            }
            query.execute(&mut *connection).await?;
        }
        let tips: Vec<_> = self.tips.iter().collect();
        for chunk in tips.chunks(ROWS) {
            let sql = format!(
                "UPDATE documents SET tip = v.column2, updated_at = v.column3 FROM {} WHERE documents.id = v.column1",
                values(dialect, chunk.len(), 3)
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for at in 0..padded(chunk.len()) {
                let one = chunk.get(at);
                query = query
                    .bind(one.map(|(document, _)| (**document).to_owned()))
                    .bind(one.map(|(_, (tip, _))| *tip))
                    .bind(one.map(|(_, (_, at))| *at));
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

fn bind_row<'q>(query: AnyQuery<'q>, row: Option<&(&StoreRequest, Seq, &NewUpdate)>) -> AnyQuery<'q> {
    let submission = row.and_then(|(_, _, update)| update.submission.as_ref());
    query
        .bind(row.map(|(request, _, _)| request.document.clone()))
        .bind(row.map(|(_, seq, _)| *seq))
        .bind(submission.map(|submission| submission.session.clone()))
        .bind(submission.map(|submission| submission.seq as i64))
        .bind(row.and_then(|(_, _, update)| update.author.clone()))
        .bind(row.map(|(request, _, _)| request.at))
        .bind(row.map(|(_, _, update)| update.bytes.to_vec()))
        .bind(row.map(|(_, _, update)| checksum(&update.bytes)))
        .bind(row.and_then(|(_, _, update)| update.comments.to_lines()))
}

fn padded(rows: usize) -> usize {
    rows.next_power_of_two()
}

/// Parameters stand in the order of their numbers everywhere here.
fn parameter(dialect: Dialect, number: usize) -> String {
    match dialect {
        Dialect::Sqlite => "?".to_owned(),
        Dialect::Postgres => format!("${number}"),
    }
}

/// So many rows of parameters, padded, as the table `v` with `column1` and so on.
fn values(dialect: Dialect, rows: usize, columns: usize) -> String {
    let mut sql = String::from("(VALUES ");
    for row in 0..padded(rows) {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            sql.push_str(if column == 1 { "" } else { ", " });
            sql.push_str(&parameter(dialect, row * columns + column));
        }
        sql.push(')');
    }
    sql.push_str(") AS v");
    sql
}
