//! `cargo xtask fuzz`: every fuzz target for a few seconds, on stable Rust.
//!
//! Sanitizers need a nightly compiler. The code under test forbids `unsafe`, so only failed assertions and panics can
//! be found, and those need no sanitizer.

use std::path::PathBuf;
use std::process::{Command, Stdio};

const SECONDS: u32 = 10;

/// Runs all targets, or the named ones. Returns false when one fails or the arguments are invalid.
pub(crate) fn run(arguments: &[String]) -> bool {
    let (seconds, named) = match arguments {
        [flag, seconds, named @ ..] if flag == "--seconds" => (seconds.parse().ok(), named),
        named => (Some(SECONDS), named),
    };
    let Some(seconds) = seconds.filter(|_| !named.iter().any(|name| name.starts_with('-'))) else {
        eprintln!("usage: cargo xtask fuzz [--seconds N] [target…]");
        return false;
    };
    if !is_installed() && !succeeds(cargo().args(["install", "--locked", "cargo-fuzz"])) {
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

fn is_installed() -> bool {
    cargo().args(["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

fn targets() -> Vec<String> {
    let list = cargo().args(["fuzz", "list"]).output().map(|output| output.stdout).unwrap_or_default();
    let targets: Vec<_> = String::from_utf8_lossy(&list).lines().map(str::to_owned).collect();
    assert!(!targets.is_empty(), "cargo fuzz lists no targets in fuzz/");
    targets
}

/// cargo, with the root of the repository as working directory.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
