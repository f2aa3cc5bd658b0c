//! The command line of the server.

use std::process::ExitCode;
use std::sync::Arc;

use slate_yrs_server::admin::{self, AdminError};
use slate_yrs_server::config::{Cli, CliCommand, DatabaseArgs, ExportFormat, LogArgs, LogFormat, ServeArgs};
use slate_yrs_server::import;
use slate_yrs_server::mcp::{self, McpError};
use slate_yrs_server::server::{Server, ServerError};
use slate_yrs_server::storage::{Storage, StorageError};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Error)]
enum Exit {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(transparent)]
    Mcp(#[from] McpError),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os());
    let result = match cli.command {
        None => serve(cli.serve).await.map_err(Exit::from),
        Some(CliCommand::Serve(args)) => serve(*args).await.map_err(Exit::from),
        Some(CliCommand::Mcp(args)) => mcp::serve(args).await.map_err(Exit::from),
        Some(command) => run(command).await.map_err(Exit::from),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever it consists of.
            let error = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            eprintln!("slate-yrs-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: ServeArgs) -> Result<(), ServerError> {
    log(&args.log);
    raise_file_limit();
    // A file that may not grow further is an error to report, not the end.
    let _too_large = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let storage = open(&args.database).await?;
    let server = Server::start(args, storage).await?;
    tracing::info!("listening on http://{}", server.address);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("shutting down; once more to stop at once");
    tokio::select! {
        () = server.shutdown() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Every connection is an open file, and what a process may have by default is few.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%error, "the limit of open files stays at {:?}", limit.current);
    }
}

async fn open(database: &DatabaseArgs) -> Result<Arc<dyn Storage>, StorageError> {
    slate_yrs_server::storage::open(&database.database).await
}

/// For commands that have nothing to do where there is no database.
async fn open_existing(database: &DatabaseArgs) -> Result<Arc<dyn Storage>, StorageError> {
    slate_yrs_server::storage::open_existing(&database.database).await
}

async fn run(command: CliCommand) -> Result<(), AdminError> {
    let mut out = std::io::stdout().lock();
    match command {
        CliCommand::Serve(_) | CliCommand::Mcp(_) => {}
        CliCommand::Compact { database, retention } => {
            let report = admin::compact(&open_existing(&database).await?, retention.retention()).await?;
            println!(
                "{} documents, {} rows merged into {}, {} merges given up, {} rows in quarantine, {} documents failed",
                report.documents,
                report.rows_merged,
                report.rows_made,
                report.given_up,
                report.quarantined,
                report.failed
            );
        }
        CliCommand::Documents { database } => admin::documents(&open_existing(&database).await?, &mut out).await?,
        CliCommand::Export { document, file, format: ExportFormat::Update, database, .. } => {
            admin::export(&open_existing(&database).await?, &document, &file).await?;
        }
        CliCommand::Export { document, file, format: ExportFormat::SlateYjs, root, database } => {
            let left_out = admin::export_plain(&open_existing(&database).await?, &document, &root, &file).await?;
            for name in left_out {
                eprintln!("left out: the attribute {name:?} of the root");
            }
        }
        CliCommand::Import { document, file, root, database } => {
            let changed = admin::import(&open(&database).await?, &document, root.as_deref(), &file).await?;
            eprintln!("{}", if changed { "imported" } else { "nothing new in it" });
        }
        CliCommand::ImportTable { source, database } => {
            let report = import::import_table(&open(&database).await?, &source).await?;
            println!(
                "{} documents, {} updates imported, {} that changed nothing left out, {} in quarantine",
                report.documents, report.imported, report.unchanged, report.quarantined
            );
        }
        CliCommand::Backup { file, database } => {
            admin::back_up(&open_existing(&database).await?, &file).await?;
            eprintln!("the database is in {}", file.display());
        }
        CliCommand::Restore { file, database } => {
            let seen = admin::restore(&file, &database.database).await?;
            eprintln!("restored: {seen}");
        }
        CliCommand::Delete { document, database } => admin::delete(&open_existing(&database).await?, &document).await?,
        CliCommand::Verify { document, database } => {
            let seen = admin::verify(&open_existing(&database).await?, document.as_deref(), &mut out).await?;
            eprintln!("{seen}: all as they should be");
        }
    }
    Ok(())
}

fn log(args: &LogArgs) {
    let filter = tracing_subscriber::EnvFilter::try_new(&args.log).unwrap_or_else(|error| {
        eprintln!("slate-yrs-server: the log filter is not valid ({error}), logging at info");
        tracing_subscriber::EnvFilter::new("info")
    });
    // Who reads the log may end before the server does: a line that nobody takes is no reason to panic.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    match args.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
