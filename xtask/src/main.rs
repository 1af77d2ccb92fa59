//! Developer tasks: `cargo xtask verify` runs the checks of CI without changing files, `cargo xtask fix` applies lints
//! and formatting, `cargo xtask fuzz` runs the fuzz targets, `cargo xtask figures` measures the figures of
//! docs/PERFORMANCE.md, `cargo xtask vendor` compares the vendored scripts of the pages with their packages,
//! `cargo xtask bundle` writes what the executable contains of the pages, `cargo xtask simulate` runs thousands of
//! simulations of many hubs.

mod bundle;
mod figures;
mod fuzz;
mod simulate;
mod vendor;

use std::process::{Command, ExitCode};
use std::time::Instant;

/// A step: its name, and the arguments for cargo.
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
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let steps = match arguments.first().map(String::as_str) {
        Some("fuzz") if fuzz::run(&arguments[1..]) => return ExitCode::SUCCESS,
        Some("figures") if figures::run(&arguments[1..]) => return ExitCode::SUCCESS,
        Some("vendor") if vendor::run(&arguments[1..]) => return ExitCode::SUCCESS,
        Some("bundle") if bundle::run(&arguments[1..]) => return ExitCode::SUCCESS,
        Some("simulate") if simulate::run(&arguments[1..]) => return ExitCode::SUCCESS,
        Some("fuzz" | "figures" | "vendor" | "bundle" | "simulate") => return ExitCode::FAILURE,
        Some("verify") => VERIFY,
        Some("fix") => FIX,
        _ => {
            eprintln!(
                "usage: cargo xtask verify | fix | fuzz [--seconds N] [target…] | figures [--runs N] [figure…] | vendor [--write] | bundle [--check] | simulate [--seeds N] [--hubs M]"
            );
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

#[expect(clippy::disallowed_methods, reason = "it is outside the hub, and shows where the time of CI goes")]
fn run(name: &str, arguments: &[&str]) -> bool {
    eprintln!("xtask: {name}");
    let start = Instant::now();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(arguments).env("RUSTDOCFLAGS", "-D warnings").status();
    eprintln!("xtask: {name} took {} s", start.elapsed().as_secs());
    status.is_ok_and(|status| status.success())
}
