//! `xtask build`: cargo, then wasm-bindgen, then (for what ships) wasm-opt.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::arrange::arrange;
use crate::shorten::shorten;
use crate::stamp::Stamp;

const TARGET: &str = "wasm32-unknown-unknown";
const NAME: &str = "slate_yrs";
/// Raise it when the steps after cargo change: outputs of an older builder are made again.
const BUILDER: u32 = 4;
/// How large what is inlined may be, by LLVM's count: built for size it would be 5, and each call costs. With this the
/// module is about a seventh quicker, and a hundredth larger.
const INLINE_THRESHOLD: u32 = 20;
/// Functions with one caller are put into it only where they are as small as this, by wasm-opt's count. It would take any:
/// what comes of that has fewer bytes, but brotli has less to find in it, and the module that is loaded is a tenth larger.
const INLINE_ONE_CALLER: u32 = 10;
/// What the module may use: what every browser of the last years has, and rustc emits by default.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Quick to build; readable traps.
    Dev,
    /// What the tool chain's stable flags give.
    Release,
    /// What ships: the standard library is rebuilt for size too, which needs the component rust-src.
    Size,
}

pub struct Options {
    mode: Mode,
    features: Vec<String>,
    out: PathBuf,
    /// Function names stay in the module, for profilers.
    names: bool,
}

impl Options {
    pub fn parse(args: &[OsString]) -> Result<Self> {
        let mut options = Self { mode: Mode::Dev, features: Vec::new(), out: PathBuf::from("pkg"), names: false };
        let mut args = args.iter().map(|arg| arg.to_string_lossy());
        while let Some(arg) = args.next() {
            match arg.as_ref() {
                "--dev" => options.mode = Mode::Dev,
                "--release" => options.mode = Mode::Release,
                "--names" => options.names = true,
                "--size" => options.mode = Mode::Size,
                "--feature" => options.features.push(args.next().context("--feature needs a name")?.into_owned()),
                "--out" => options.out = args.next().context("--out needs a folder")?.as_ref().into(),
                other => bail!("unknown option {other}"),
            }
        }
        Ok(options)
    }
}

pub fn build(options: &Options) -> Result<()> {
    let started = Instant::now();
    ensure_target()?;
    let wasm = compile(options)?;
    let glue = options.out.join(format!("{NAME}.js"));
    let module = options.out.join(format!("{NAME}_bg.wasm"));
    let stamp = Stamp::of(&options.out, &wasm, &format!("{:?} {BUILDER} {}", options.mode, options.names))?;
    if stamp.is_current(&[glue, module.clone()]) {
        eprintln!("xtask: {} is up to date", options.out.display());
        return Ok(());
    }
    std::fs::create_dir_all(&options.out).with_context(|| format!("cannot make {}", options.out.display()))?;
    stamp.clear()?;
    bind(&wasm, options)?;
    if options.mode != Mode::Dev {
        optimize(&module, options)?;
    }
    stamp.write()?;
    eprintln!(
        "xtask: {} ({} kB) in {:.1} s",
        module.display(),
        std::fs::metadata(&module)?.len() / 1000,
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Asks rustc where the target's standard library is, and adds the target where rustup can.
fn ensure_target() -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc does not run: install Rust with rustup, https://rustup.rs")?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists() {
        return Ok(());
    }
    eprintln!("xtask: adding the target {TARGET}");
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    ensure!(
        added.is_ok_and(|status| status.success()),
        "the target {TARGET} is missing and rustup could not add it: run `rustup target add {TARGET}` \
         (the cargo and rustc in PATH must be rustup's)"
    );
    Ok(())
}

/// Runs cargo; it knows by itself what is up to date. Returns the compiled module.
fn compile(options: &Options) -> Result<PathBuf> {
    let profile = if options.mode == Mode::Dev { "wasm-dev" } else { "wasm-release" };
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--package", "slate-yrs", "--lib", "--target", TARGET, "--profile", profile]);
    if !options.features.is_empty() {
        command.args(["--features", &options.features.join(",")]);
    }
    // A folder of its own where the flags differ: cargo would rebuild everything at each change of mode.
    let mut target_dir = PathBuf::from(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    if options.mode == Mode::Size {
        target_dir.push("size");
        shrink(&mut command)?;
    }
    command.arg("--target-dir").arg(&target_dir);
    let status = command.status().context("cargo does not run: install Rust with rustup, https://rustup.rs")?;
    ensure!(status.success(), "cargo build failed");
    Ok(target_dir.join(TARGET).join(profile).join(format!("{NAME}.wasm")))
}

/// Rebuilds the standard library with the module's own settings, without the texts of panics.
fn shrink(command: &mut Command) -> Result<()> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().context("rustc does not run")?;
    let source = Path::new(String::from_utf8_lossy(&sysroot.stdout).trim()).join("lib/rustlib/src/rust/library");
    if !source.exists() {
        eprintln!("xtask: adding the component rust-src");
        let added = Command::new("rustup").args(["component", "add", "rust-src"]).status();
        ensure!(
            added.is_ok_and(|status| status.success()),
            "the component rust-src is missing and rustup could not add it: run `rustup component add rust-src`"
        );
    }
    let flags = "-Zlocation-detail=none -Zfmt-debug=none -Zunstable-options -Cpanic=immediate-abort";
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("{flags} -Cllvm-args=-inline-threshold={INLINE_THRESHOLD}"))
        .env("CARGO_PROFILE_WASM_RELEASE_OPT_LEVEL", "z")
        // Memory is asked for at every turn, and what gives it is small.
        .args(["--config", "profile.wasm-release.package.dlmalloc.opt-level=3"])
        .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
    Ok(())
}

fn bind(wasm: &Path, options: &Options) -> Result<()> {
    let mut args: Vec<OsString> = ["wasm-bindgen", "--target", "web", "--out-dir"].map(OsString::from).to_vec();
    args.push(options.out.clone().into());
    // js/wasm.ts names the module, once, in the form that bundlers know.
    args.push("--omit-default-module-path".into());
    // A trapped instance is replaced by a fresh one through this function.
    args.push("--experimental-reset-state-function".into());
    if options.mode != Mode::Dev {
        args.push("--remove-producers-section".into());
    }
    args.push(wasm.into());
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(args)?;
    quieten(&options.out.join(format!("{NAME}.js")))
}

/// Timers and sockets outlive an instance that has trapped. What they call is gone with it, which is no error: thrown,
/// it would end a Node process.
fn quieten(glue: &Path) -> Result<()> {
    const STALE: &str = "throw new Error('Cannot invoke closure from previous WASM instance');";
    let text = std::fs::read_to_string(glue).with_context(|| format!("cannot read {}", glue.display()))?;
    ensure!(text.contains(STALE), "wasm-bindgen's glue no longer says: {STALE}");
    std::fs::write(glue, text.replace(STALE, "return;")).with_context(|| format!("cannot write {}", glue.display()))
}

/// By wasm-opt, by the order of functions, and by shorter names.
fn optimize(module: &Path, options: &Options) -> Result<()> {
    let inline = format!("--one-caller-inline-max-function-size={INLINE_ONE_CALLER}");
    let level: &[&str] = if options.mode == Mode::Size { &["-Oz", &inline] } else { &["-O3"] };
    let names = if options.names { "--debuginfo" } else { "--strip-debug" };
    let about = ["--strip-producers", "--strip-target-features"];
    wasm_opt(module, &[level, &[names], &about].concat())?;
    // The names of functions would be lost.
    if !options.names {
        let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
        let arranged = arrange(&bytes).with_context(|| format!("cannot read {}", module.display()))?;
        std::fs::write(module, arranged).with_context(|| format!("cannot write {}", module.display()))?;
        wasm_opt(module, &["--reorder-functions-by-name", "--strip-debug"])?;
    }
    let texts = [format!("{NAME}.js"), format!("{NAME}.d.ts"), format!("{NAME}_bg.wasm.d.ts")];
    let texts = texts.map(|name| options.out.join(name));
    shorten(module, &texts.each_ref().map(PathBuf::as_path))
}

fn wasm_opt(module: &Path, passes: &[&str]) -> Result<()> {
    let tool = Path::new("node_modules/.bin/wasm-opt");
    ensure!(tool.exists(), "{} is missing: run `npm ci` first", tool.display());
    let optimized = module.with_extension("opt.wasm");
    let status = Command::new(tool)
        .arg(module)
        .args(passes)
        .args(WASM_FEATURES)
        .arg("--output")
        .arg(&optimized)
        .status()
        .context("wasm-opt does not run")?;
    ensure!(status.success(), "wasm-opt failed");
    std::fs::rename(&optimized, module).context("cannot replace the module by the optimized one")
}
