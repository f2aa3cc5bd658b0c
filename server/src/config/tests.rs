#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn read(line: &str) -> Cli {
    Cli::read(line.split(' ').map(OsString::from))
}

#[test]
fn flags_stand_before_the_command_or_after_it() {
    for line in [
        "server verify --database sqlite:x scene",
        "server verify scene --database sqlite:x",
        "server --database sqlite:x verify scene",
        "server --database=sqlite:x verify scene",
    ] {
        match read(line).command {
            Some(CliCommand::Verify { document, database }) => {
                assert_eq!((document.as_deref(), database.database.as_str()), (Some("scene"), "sqlite:x"), "{line}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
    // A value is no command.
    let served = read("server --root verify --database sqlite:x");
    assert!(served.command.is_none());
    assert_eq!(served.serve.root, "verify");
    assert!(matches!(read("server --root verify serve --listen 127.0.0.1:1").command, Some(CliCommand::Serve(_))));
}

/// A value with which nobody could be served is refused at the start.
#[test]
fn values_with_which_nobody_could_be_served_are_refused() {
    let reads = |flag: &str, value: &str| Cli::try_parse_from(["server", flag, value]).map(|cli| cli.serve);
    let too_much = u64::MAX.to_string();
    for (flag, value) in [
        ("--heartbeat-ms", "0"),
        ("--max-frames-per-second", "0"),
        ("--store-timeout-ms", "0"),
        ("--max-update-bytes", "0"),
        ("--max-sync-bytes", &too_much),
        ("--max-frame-bytes", &too_much),
        ("--max-frame-bytes", "4294967296"),
        ("--static", "/nowhere"),
        ("--root", ""),
        ("--root", "slate-yrs:doc"),
        ("--allow-origin", "app.example"),
        ("--allow-origin", "*"),
        ("--allow-origin", "https://*.example"),
        ("--allow-origin", "https://app.example/editor"),
        ("--allow-origin", "https://ada@app.example"),
        ("--allow-origin", "https://app.example,nonsense"),
    ] {
        assert!(reads(flag, value).is_err(), "{flag} {value}");
    }
    assert_eq!(reads("--max-sync-bytes", "4294967295").unwrap().max_sync_bytes, 4_294_967_295);
}

/// Browsers send an origin in one way only; operators write it as they write addresses.
#[test]
fn an_origin_is_kept_as_browsers_send_it() {
    for (written, sent) in [
        ("https://app.example", "https://app.example"),
        ("https://app.example/", "https://app.example"),
        ("https://App.Example:443", "https://app.example"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("null", "null"),
    ] {
        let read = Cli::try_parse_from(["server", "--allow-origin", written]).unwrap();
        assert_eq!(read.serve.allow_origin, [sent], "{written}");
    }
}

/// What docs/SERVER.md says of flags, and the flags that there are.
#[test]
fn every_flag_is_in_the_table_with_its_default() {
    let docs = include_str!("../../../docs/SERVER.md");
    let cli = Cli::command();
    let mut wrong = Vec::new();
    for arg in cli.get_arguments().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version")) {
        let Some(long) = arg.get_long() else { continue };
        let row = docs.lines().find(|line| line.starts_with('|') && line.contains(&format!("`--{long}`")));
        let Some(row) = row else {
            wrong.push(format!("--{long} is not there"));
            continue;
        };
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let default = arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
        let shown = cells.get(2).copied().unwrap_or_default();
        if let Some(default) = default
            && !is_default(shown, &default)
        {
            wrong.push(format!("--{long}: the default is {default}, the table says {shown:?}"));
        }
    }
    for name in docs.split("`--").skip(1).filter_map(|rest| rest.split(['`', ' ']).next()) {
        let known = cli.get_arguments().chain(cli.get_subcommands().flat_map(|command| command.get_arguments()));
        if !known.into_iter().any(|arg| arg.get_long() == Some(name)) && !["help", "lossy"].contains(&name) {
            wrong.push(format!("--{name} is no flag"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Sizes are written as people read them.
fn is_default(shown: &str, default: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    let bytes = shown.split_once(' ').and_then(|(count, unit)| {
        let unit = match unit {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        Some(number(count)? * unit)
    });
    // Two flags may share a cell, and text may follow.
    shown.split([' ', ',', '·']).any(|word| word == default)
        || shown == default
        || bytes.is_some() && bytes == number(default)
}

/// What a limit answers, and how often, is said of each.
#[test]
fn every_limit_is_in_the_docs_with_its_metric() {
    let docs = include_str!("../../../docs/SERVER.md");
    for limit in crate::limit::Limit::ALL {
        assert!(docs.contains(&format!("`{}`", limit.label())), "{} is not there", limit.label());
    }
}

/// Manifests and units set variables by name, and probes ask paths.
#[test]
fn what_is_deployed_sets_variables_that_exist() {
    let cli = Cli::command();
    let known: Vec<String> = cli
        .get_arguments()
        .chain(cli.get_subcommands().flat_map(|command| command.get_arguments()))
        .filter_map(|arg| arg.get_env().map(|name| name.to_string_lossy().into_owned()))
        .collect();
    for (file, text) in [
        ("kubernetes.yaml", include_str!("../../deploy/kubernetes.yaml")),
        ("slate-yrs-server.service", include_str!("../../deploy/slate-yrs-server.service")),
        ("compose.yaml", include_str!("../../compose.yaml")),
        ("Dockerfile", include_str!("../../Dockerfile")),
    ] {
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        let used: Vec<&str> = words.filter(|word| word.starts_with("SLATE_YRS_")).collect();
        assert!(!used.is_empty(), "{file}");
        for name in used {
            assert!(known.iter().any(|known| known == name), "{file} sets {name}, which nobody reads");
        }
    }
    let probes = include_str!("../../deploy/kubernetes.yaml").matches("path: /healthz").count();
    assert_eq!(probes, 2, "both probes ask whether the process lives");
}
