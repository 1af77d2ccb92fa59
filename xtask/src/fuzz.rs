//! `cargo xtask fuzz`: every fuzz target for a few seconds, on stable Rust.
//!
//! The sanitizers need a nightly compiler; the code under test forbids `unsafe`, so that assertions and panics are what
//! there is to find, and those need none.

use std::path::PathBuf;
use std::process::{Command, Stdio};

const SECONDS: u32 = 10;

/// Runs all targets, or those named. False when one fails or the words are not understood.
pub(crate) fn run(words: &[String]) -> bool {
    let (seconds, named) = match words {
        [flag, seconds, named @ ..] if flag == "--seconds" => (seconds.parse().ok(), named),
        named => (Some(SECONDS), named),
    };
    let Some(seconds) = seconds.filter(|_| !named.iter().any(|name| name.starts_with('-'))) else {
        eprintln!("usage: cargo xtask fuzz [--seconds N] [target…]");
        return false;
    };
    if !is_there() && !succeeds(cargo().args(["install", "--locked", "cargo-fuzz"])) {
        return false;
    }
    let targets = if named.is_empty() { targets() } else { named.to_vec() };
    targets.iter().all(|target| {
        eprintln!("xtask: fuzzing {target} for {seconds} s");
        let time = format!("-max_total_time={seconds}");
        let fuzz = ["fuzz", "run", "--sanitizer", "none", target, "--", &time, "-print_final_stats=1", "-timeout=5"];
        succeeds(cargo().args(fuzz))
    })
}

fn is_there() -> bool {
    cargo().args(["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

fn targets() -> Vec<String> {
    let list = cargo().args(["fuzz", "list"]).output().map(|output| output.stdout).unwrap_or_default();
    let targets: Vec<_> = String::from_utf8_lossy(&list).lines().map(str::to_owned).collect();
    assert!(!targets.is_empty(), "there are targets in fuzz/");
    targets
}

/// cargo, in the root of the house.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
