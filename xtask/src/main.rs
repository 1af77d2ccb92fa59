//! The gate. `cargo xtask verify` is what CI runs and writes nothing; `cargo xtask fix` is for your own change;
//! `cargo xtask fuzz` goes on looking where the gate has stopped; `cargo xtask figures` measures what
//! docs/PERFORMANCE.md promises.

mod figures;
mod fuzz;

use std::process::{Command, ExitCode};

/// One step: its name, and the arguments to cargo.
type Step = (&'static str, &'static [&'static str]);

const VERIFY: &[Step] = &[
    ("formatting", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    ("docs", &["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"]),
    ("tests", &["test", "--workspace", "--locked"]),
];

const FIX: &[Step] = &[
    ("lints", &["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"]),
    ("formatting", &["fmt", "--all"]),
];

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let steps = match words.first().map(String::as_str) {
        Some("fuzz") if fuzz::run(&words[1..]) => return ExitCode::SUCCESS,
        Some("figures") if figures::run(&words[1..]) => return ExitCode::SUCCESS,
        Some("fuzz" | "figures") => return ExitCode::FAILURE,
        Some("verify") => VERIFY,
        Some("fix") => FIX,
        _ => {
            eprintln!("usage: cargo xtask verify | fix | fuzz [--seconds N] [target…] | figures [--runs N] [figure…]");
            return ExitCode::from(2);
        }
    };
    let failed = steps.iter().find(|(name, arguments)| !run(name, arguments));
    match failed {
        None => ExitCode::SUCCESS,
        Some((name, _)) => {
            eprintln!("xtask: {name} failed");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str, arguments: &[&str]) -> bool {
    eprintln!("xtask: {name}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(arguments).env("RUSTDOCFLAGS", "-D warnings").status();
    status.is_ok_and(|status| status.success())
}
