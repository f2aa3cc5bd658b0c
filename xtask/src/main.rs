//! The build tool: turns the engine into a wasm module with its JavaScript glue, and runs the wasm tests.
//!
//! It links wasm-bindgen's command line at the version of the lock file, so nothing has to be installed globally and
//! glue and module can never disagree. `cargo build -p xtask --profile xtask --target-dir target/xtask` builds it to
//! the path that `.cargo/config.toml` names as the runner of wasm tests.

mod arrange;
mod binary;
mod build;
mod shorten;
mod stamp;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: xtask <command>

  build [--dev | --release | --size] [--feature NAME]...
               the wasm module and its glue, into pkg/ (--dev is the default; --out DIR puts it elsewhere)
  test-runner  what cargo calls for `cargo test --target wasm32-unknown-unknown`";

fn main() -> ExitCode {
    match run(env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Vec<OsString>) -> Result<()> {
    let Some((command, rest)) = args.split_first() else { bail!("no command\n\n{USAGE}") };
    match command.to_str() {
        Some("build") => build::build(&build::Options::parse(rest)?),
        Some("test-runner") => {
            let args = std::iter::once(OsString::from("wasm-bindgen-test-runner")).chain(rest.iter().cloned());
            wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(args)
        }
        Some("-h" | "--help" | "help") => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("unknown command {}\n\n{USAGE}", command.display()),
    }
}
