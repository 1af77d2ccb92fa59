//! `cargo xtask figures`: the figures of docs/PERFORMANCE.md, measured again on this machine, each several times. It takes
//! both processors for forty minutes; on a machine that does other things the figures mean nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const RUNS: usize = 3;

/// What is read from a run.
enum Told {
    /// The hub's figure, the floor's or the second hub's being 1.
    Ratio(&'static str),
    /// So many a second.
    PerSecond,
    /// Of one core.
    CpuPercent,
    /// What only this scenario tells.
    Fact(&'static str),
    /// The same, above the floor's.
    AboveFloor(&'static str),
}

/// A figure: its name here, what it is, its target, how it is read, and the words after `rogerrat load`.
struct Figure {
    name: &'static str,
    what: &'static str,
    target: &'static str,
    read: Told,
    words: &'static str,
}

const fn figure(
    name: &'static str,
    what: &'static str,
    target: &'static str,
    read: Told,
    words: &'static str,
) -> Figure {
    Figure { name, what, target, read, words }
}

const FIGURES: &[Figure] = &[
    figure(
        "hop",
        "CPU for each hop, 64 pairs, against the floor",
        "≤ 1.3",
        Told::Ratio("CPU for each hop"),
        "pingpong --pairs 64 --self --floor --seconds 10",
    ),
    figure(
        "send",
        "CPU for each send, nobody listens, against the floor",
        "≤ 1.5",
        Told::Ratio("CPU for each send"),
        "sends --unheard --self --floor --seconds 10",
    ),
    figure(
        "p99",
        "p99 of a hop at half of what `hop` reaches, against the floor's",
        "≤ 2",
        Told::Ratio("p99"),
        "pingpong --pairs 64 --rate 20000 --self --floor --seconds 10",
    ),
    figure(
        "fan-out",
        "deliveries a second to 1,000 streams",
        "≥ 150,000",
        Told::PerSecond,
        "broadcast --listeners 1000 --self --floor --seconds 10",
    ),
    figure(
        "poll",
        "KiB of a parked poll, HTTP/1.1, above the floor's",
        "≤ 2",
        Told::AboveFloor("kib_per_poll"),
        "park --polls 9000 --self --floor --seconds 5",
    ),
    figure(
        "h2c",
        "KiB of a parked poll, 50,000 on 500 connections of HTTP/2",
        "≤ 6",
        Told::Fact("kib_per_poll"),
        "park --polls 50000 --per-channel 500 --h2c --connections 500 --self --seconds 5",
    ),
    figure(
        "idle",
        "bytes of an idle channel with one member",
        "≤ 1,536",
        Told::Fact("bytes_per_channel"),
        "channels --channels 50000 --creators 32 --self",
    ),
    figure(
        "retired",
        "bytes that a retired channel leaves",
        "≤ 100",
        Told::Fact("bytes_per_channel_retired"),
        "channels --channels 50000 --creators 32 --retire 90s --waves 3 --self",
    ),
    figure(
        "million",
        "channels created a second, a million of them",
        "≥ 10,000",
        Told::PerSecond,
        "channels --channels 1000000 --members 0 --creators 32 --self",
    ),
    figure(
        "last",
        "the rate of its last tenth against the first",
        "≥ 0.6",
        Told::Fact("last_to_first"),
        "channels --channels 1000000 --members 0 --creators 32 --self",
    ),
    figure(
        "quiet",
        "% of a core, 15,000 parked polls, a minute",
        "< 0.2",
        Told::CpuPercent,
        "park --polls 15000 --self --seconds 60",
    ),
    figure(
        "crowd",
        "CPU for each hop among 100,000 live channels, against 64",
        "≤ 1.3",
        Told::Ratio("CPU for each hop"),
        "pingpong --pairs 64 --bystanders 100000 --self --compare URL2 --pid2 PID2 --seconds 10",
    ),
];

/// Measures all figures, or those named. False when one cannot be had.
#[expect(clippy::print_stdout, reason = "the table is what the command prints")]
pub(crate) fn run(words: &[String]) -> bool {
    let (runs, named) = match words {
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
    println!("| what | target | median | runs | command |\n|---|---|---|---|---|");
    let wanted = FIGURES.iter().filter(|figure| named.is_empty() || named.iter().any(|name| name == figure.name));
    // One run may tell two figures.
    let groups: Vec<_> = wanted.collect();
    groups.chunk_by(|one, next| one.words == next.words).all(|figures| measure(&rogerrat, figures, runs))
}

fn is_of_this_package(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// The release build, as everybody makes it.
fn build() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked"]).current_dir(&root);
    // What cargo tells us of ourselves would make it build again what it has built for others.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_package(&name.to_string_lossy())) {
        build.env_remove(name);
    }
    let built = build.status();
    built.is_ok_and(|status| status.success()).then(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        target.join("release/rogerrat")
    })
}

/// Measures what one command tells, and prints a row for each figure.
#[expect(clippy::print_stdout, reason = "the table is what the command prints")]
fn measure(rogerrat: &Path, figures: &[&Figure], runs: usize) -> bool {
    let mut seen = Vec::new();
    for _ in 0..runs {
        match one_run(rogerrat, figures[0].words) {
            Ok(run) => seen.push(run),
            Err(trouble) => {
                eprintln!("xtask: {}: {trouble}", figures[0].name);
                return false;
            }
        }
    }
    figures.iter().all(|figure| {
        let Some(mut values) = seen.iter().map(|run| read(run, &figure.read)).collect::<Option<Vec<_>>>() else {
            eprintln!("xtask: {}: the run does not tell it", figure.name);
            return false;
        };
        values.sort_by(f64::total_cmp);
        let all: Vec<_> = values.iter().map(|value| shown(*value)).collect();
        let median = shown(values[values.len() / 2]);
        let Figure { what, target, words, .. } = figure;
        println!("| {what} | {target} | {median} | {} | `{words}` |", all.join(", "));
        true
    })
}

/// A number as it stands in a table.
fn shown(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

fn read(run: &Value, told: &Told) -> Option<f64> {
    let side = &run["sides"][0];
    let fact = |side: &Value, key: &str| {
        let fact = side["facts"].as_array()?.iter().find(|fact| fact["key"] == key)?;
        fact["value"].as_f64()
    };
    match told {
        Told::Ratio(label) => {
            let ratio = run["ratios"].as_array()?.iter().find(|ratio| ratio["label"] == *label)?;
            ratio["value"].as_f64()
        }
        Told::PerSecond => side["per_second"].as_f64(),
        Told::CpuPercent => side["server_cpu_percent"].as_f64(),
        Told::Fact(key) => fact(side, key),
        Told::AboveFloor(key) => Some(fact(side, key)? - fact(&run["sides"][1], key)?),
    }
}

/// Runs `rogerrat load` once, with a second hub beside it where one is named.
fn one_run(rogerrat: &Path, words: &str) -> Result<Value, String> {
    let second = if words.contains("URL2") { Some(Hub::start(rogerrat)?) } else { None };
    let words = words.split(' ').map(|word| match (word, &second) {
        ("URL2", Some(hub)) => hub.url.clone(),
        ("PID2", Some(hub)) => hub.child.id().to_string(),
        _ => word.to_owned(),
    });
    let mut load = Command::new(rogerrat);
    load.arg("load").args(words).args(["--json", "--quiet"]);
    let output = load.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// A hub with one worker and data of its own, which goes with it.
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
        // The rest of the banner is for nobody, but must not fail.
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
