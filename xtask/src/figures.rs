//! `cargo xtask figures`: measures the figures of docs/PERFORMANCE.md on this machine, each several times.
//!
//! It uses two cores for about forty minutes. On a busy machine the results mean nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const RUNS: usize = 3;

/// The value that is read from the report of a run.
enum Reading {
    /// The hub's value relative to the baseline or the second hub.
    Ratio(&'static str),
    /// Operations per second.
    PerSecond,
    /// Percent of one core.
    CpuPercent,
    /// A value that only this scenario reports.
    Fact(&'static str),
    /// Such a value minus the baseline's.
    AboveBaseline(&'static str),
}

/// A figure: its name for this command, a description, the target, how it is read, and the arguments of
/// `rogerrat load`.
struct Figure {
    name: &'static str,
    description: &'static str,
    target: &'static str,
    reading: Reading,
    arguments: &'static str,
}

const fn figure(
    name: &'static str,
    description: &'static str,
    target: &'static str,
    reading: Reading,
    arguments: &'static str,
) -> Figure {
    Figure { name, description, target, reading, arguments }
}

const FIGURES: &[Figure] = &[
    figure(
        "hop",
        "CPU per hop, 64 pairs, relative to the baseline",
        "≤ 1.3",
        Reading::Ratio("CPU per hop"),
        "pingpong --pairs 64 --self --baseline --seconds 10",
    ),
    figure(
        "send",
        "CPU per send without listeners, relative to the baseline",
        "≤ 1.5",
        Reading::Ratio("CPU per send"),
        "sends --unheard --self --baseline --seconds 10",
    ),
    figure(
        "p99",
        "p99 of a hop at half the rate of `hop`, relative to the baseline",
        "≤ 2",
        Reading::Ratio("p99"),
        "pingpong --pairs 64 --rate 20000 --self --baseline --seconds 10",
    ),
    figure(
        "fan-out",
        "deliveries per second to 1,000 streams",
        "≥ 150,000",
        Reading::PerSecond,
        "broadcast --listeners 1000 --self --baseline --seconds 10",
    ),
    figure(
        "poll",
        "KiB per parked poll, HTTP/1.1, above the baseline",
        "≤ 2",
        Reading::AboveBaseline("kib_per_poll"),
        "park --polls 9000 --self --baseline --seconds 5",
    ),
    figure(
        "h2c",
        "KiB per parked poll, 50,000 on 500 connections of HTTP/2",
        "≤ 6",
        Reading::Fact("kib_per_poll"),
        "park --polls 50000 --per-channel 500 --h2c --connections 500 --self --seconds 5",
    ),
    figure(
        "idle",
        "bytes per idle channel with one member",
        "≤ 1,536",
        Reading::Fact("bytes_per_channel"),
        "channels --channels 50000 --creators 32 --self",
    ),
    figure(
        "unloaded",
        "bytes left by an unloaded channel",
        "≤ 100",
        Reading::Fact("bytes_per_channel_unloaded"),
        "channels --channels 50000 --creators 32 --unload 90s --waves 3 --self",
    ),
    figure(
        "million",
        "channels created per second, up to a million",
        "≥ 10,000",
        Reading::PerSecond,
        "channels --channels 1000000 --members 0 --creators 32 --self",
    ),
    figure(
        "last",
        "rate of the last tenth relative to the first",
        "≥ 0.6",
        Reading::Fact("last_to_first"),
        "channels --channels 1000000 --members 0 --creators 32 --self",
    ),
    figure(
        "quiet",
        "% of a core for 15,000 parked polls, over a minute",
        "< 0.2",
        Reading::CpuPercent,
        "park --polls 15000 --self --seconds 60",
    ),
    figure(
        "crowd",
        "CPU per hop among 100,000 live channels, relative to 64",
        "≤ 1.3",
        Reading::Ratio("CPU per hop"),
        "pingpong --pairs 64 --bystanders 100000 --self --compare URL2 --pid2 PID2 --seconds 10",
    ),
];

/// Measures all figures, or the named ones. Returns false when one cannot be measured.
#[expect(clippy::print_stdout, reason = "the table is the output of the command")]
pub(crate) fn run(arguments: &[String]) -> bool {
    let (runs, named) = match arguments {
        [flag, runs, named @ ..] if flag == "--runs" => (runs.parse().ok().filter(|runs| *runs > 0), named),
        named => (Some(RUNS), named),
    };
    let is_known = |name: &String| FIGURES.iter().any(|figure| figure.name == name);
    let (Some(runs), true) = (runs, named.iter().all(is_known)) else {
        let names: Vec<_> = FIGURES.iter().map(|figure| figure.name).collect();
        eprintln!("usage: cargo xtask figures [--runs {RUNS}] [figure…]\nfigures: {}", names.join(" "));
        return false;
    };
    let Some(rogerrat) = build() else { return false };
    println!("| figure | target | median | runs | command |\n|---|---|---|---|---|");
    let wanted = FIGURES.iter().filter(|figure| named.is_empty() || named.iter().any(|name| name == figure.name));
    // Two figures may come from the same run.
    let groups: Vec<_> = wanted.collect();
    groups.chunk_by(|one, next| one.arguments == next.arguments).all(|figures| measure(&rogerrat, figures, runs))
}

fn is_package_variable(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// Builds the executable as it is shipped, with the `dist` profile, and returns its path.
fn build() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--profile", "dist", "--locked"]).current_dir(&root);
    // Cargo's variables about this package would invalidate build scripts and cause a rebuild.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_package_variable(&name.to_string_lossy())) {
        build.env_remove(name);
    }
    let built = build.status();
    built.is_ok_and(|status| status.success()).then(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        target.join("dist/rogerrat")
    })
}

/// Runs one command several times and prints a row for each figure.
#[expect(clippy::print_stdout, reason = "the table is the output of the command")]
fn measure(rogerrat: &Path, figures: &[&Figure], runs: usize) -> bool {
    let mut reports = Vec::new();
    for _ in 0..runs {
        match one_run(rogerrat, figures[0].arguments) {
            Ok(report) => reports.push(report),
            Err(error) => {
                eprintln!("xtask: {}: {error}", figures[0].name);
                return false;
            }
        }
    }
    figures.iter().all(|figure| {
        let Some(mut values) = reports.iter().map(|report| read(report, &figure.reading)).collect::<Option<Vec<_>>>()
        else {
            eprintln!("xtask: {}: the report does not contain it", figure.name);
            return false;
        };
        values.sort_by(f64::total_cmp);
        let all: Vec<_> = values.iter().map(|value| format_value(*value)).collect();
        let median = format_value(values[values.len() / 2]);
        let Figure { description, target, arguments, .. } = figure;
        println!("| {description} | {target} | {median} | {} | `{arguments}` |", all.join(", "));
        true
    })
}

/// Formats a number for the table.
fn format_value(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

fn read(report: &Value, reading: &Reading) -> Option<f64> {
    let side = &report["sides"][0];
    let fact = |side: &Value, key: &str| {
        let fact = side["facts"].as_array()?.iter().find(|fact| fact["key"] == key)?;
        fact["value"].as_f64()
    };
    match reading {
        Reading::Ratio(label) => {
            let ratio = report["ratios"].as_array()?.iter().find(|ratio| ratio["label"] == *label)?;
            ratio["value"].as_f64()
        }
        Reading::PerSecond => side["per_second"].as_f64(),
        Reading::CpuPercent => side["server_cpu_percent"].as_f64(),
        Reading::Fact(key) => fact(side, key),
        Reading::AboveBaseline(key) => Some(fact(side, key)? - fact(&report["sides"][1], key)?),
    }
}

/// Runs `rogerrat load` once, with a second hub if the arguments refer to one.
fn one_run(rogerrat: &Path, arguments: &str) -> Result<Value, String> {
    let second = if arguments.contains("URL2") { Some(Hub::start(rogerrat)?) } else { None };
    let arguments = arguments.split(' ').map(|argument| match (argument, &second) {
        ("URL2", Some(hub)) => hub.url.clone(),
        ("PID2", Some(hub)) => hub.child.id().to_string(),
        _ => argument.to_owned(),
    });
    let mut load = Command::new(rogerrat);
    load.arg("load").args(arguments).args(["--json", "--quiet"]);
    let output = load.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// A hub with one worker and a temporary data directory; stopped and removed when dropped.
struct Hub {
    child: Child,
    url: String,
    data: PathBuf,
}

impl Hub {
    fn start(rogerrat: &Path) -> Result<Self, String> {
        let data = std::env::temp_dir().join(format!("rogerrat-figures-{}", std::process::id()));
        let mut serve = Command::new(rogerrat);
        serve.args(["serve", "--workers", "1", "--rate-limit", "off", "--port", "0", "--data-dir"]).arg(&data);
        let child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        let mut hub = Self { child, url: String::new(), data };
        let mut banner = BufReader::new(hub.child.stdout.take().ok_or("no banner")?);
        let mut lines = banner.by_ref().lines().map_while(Result::ok);
        let address = lines.find(|line| line.trim().starts_with("http://")).ok_or("the second hub does not start")?;
        address.trim().clone_into(&mut hub.url);
        // Keep the pipe open: writing the rest of the banner must not fail.
        hub.child.stdout = Some(banner.into_inner());
        Ok(hub)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}
