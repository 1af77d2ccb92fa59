//! What Cargo cannot see of the house: who may know whom, and that no file outgrows its room.
//!
//! Floor 2 is made of doors (`http`, `mcp`, `compat`, `cli`) that never use each other. Crates hold the floors below.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines a source file may have.
const LONGEST: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

fn offenders(folder: &str, words: &[&str]) -> Vec<String> {
    let said =
        |text: &str, word: &str| text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
    let mut offenders = Vec::new();
    for (path, text) in sources(folder) {
        for word in words.iter().filter(|word| said(&text, word)) {
            offenders.push(format!("{} says `{word}`", path.strip_prefix(root()).unwrap_or(&path).display()));
        }
    }
    offenders
}

fn none(offenders: &[String]) {
    assert!(offenders.is_empty(), "\n{}\n", offenders.join("\n"));
}

#[test]
fn the_domain_knows_no_runtime_no_clock_and_no_chance() {
    let outside = ["tokio", "actix", "std::net", "std::fs", "std::thread", "SystemTime", "Instant", "rand::"];
    none(&offenders("actors/domain/src", &outside));
}

#[test]
fn the_actors_know_no_http() {
    for folder in ["actors/src", "store/src"] {
        none(&offenders(folder, &["actix_web", "actix-web", "http::", "StatusCode"]));
    }
}

#[test]
fn the_doors_do_not_know_each_other() {
    none(&offenders("src/http", &["crate::cli", "crate::mcp", "crate::compat"]));
    none(&offenders("src/mcp", &["crate::cli", "crate::http", "crate::compat"]));
    none(&offenders("src/compat", &["crate::cli", "crate::http", "crate::mcp"]));
    none(&offenders("src/web", &["crate::cli", "crate::mcp", "crate::http", "crate::compat"]));
    none(&offenders("src/transport", &["crate::cli", "crate::mcp", "crate::http", "crate::compat", "rogerrat_actors"]));
    none(&offenders("src/cli", &["crate::http", "crate::mcp", "crate::compat", "rogerrat_actors"]));
}

/// Cargo builds no crate of these with the hub's code; their manifests must keep it so.
#[test]
fn the_clients_depend_on_http_alone() {
    for manifest in ["client/Cargo.toml", "cli/Cargo.toml", "load/Cargo.toml", "torture/Cargo.toml"] {
        let text = fs::read_to_string(root().join(manifest)).expect("a crate has a manifest");
        let is_inside = |line: &&str| line.starts_with("rogerrat-actors") || line.starts_with("rogerrat ");
        assert_eq!(text.lines().find(is_inside), None, "{manifest}");
    }
}

#[test]
fn only_the_clock_asks_the_time_and_only_entropy_rolls_dice() {
    let elsewhere = |path: &str, file: &str| !path.starts_with(file);
    let clock = offenders("actors/src", &["Instant::now", "SystemTime::now"]);
    none(&clock.into_iter().filter(|o| elsewhere(o, "actors/src/clock.rs")).collect::<Vec<_>>());
    let dice = offenders("actors/src", &["rand::"]);
    none(&dice.into_iter().filter(|o| elsewhere(o, "actors/src/entropy.rs")).collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_it_is_and_can_be_read_in_one_sitting() {
    let mut offenders = Vec::new();
    for folder in [
        "src",
        "actors/src",
        "actors/domain/src",
        "actors/domain/tests",
        "cli/src",
        "client/src",
        "load/src",
        "store/src",
        "store/benches",
        "torture/src",
        "webhook-sender/src",
        "xtask/src",
        "tests",
        "benches",
        "fuzz/src",
        "fuzz/fuzz_targets",
    ] {
        for (path, text) in sources(folder) {
            let name = path.strip_prefix(root()).unwrap_or(Path::new("")).display().to_string();
            if !text.starts_with("//!") {
                offenders.push(format!("{name} does not begin with what it is (`//!`)"));
            }
            if text.lines().count() > LONGEST {
                offenders.push(format!("{name} has more than {LONGEST} lines"));
            }
        }
    }
    none(&offenders);
}

/// A file that no module names is compiled by nobody, and no lint looks at it.
#[test]
fn every_file_is_part_of_the_program() {
    let mut offenders = Vec::new();
    let folders = [
        "src",
        "actors/src",
        "actors/domain/src",
        "cli/src",
        "client/src",
        "load/src",
        "store/src",
        "torture/src",
        "webhook-sender/src",
    ];
    for folder in folders {
        for (path, _) in sources(folder) {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let (name, home) = match (name, path.parent()) {
                ("main" | "lib", _) | (_, None) => continue,
                ("mod", Some(home)) => {
                    (home.file_name().and_then(|name| name.to_str()).unwrap_or_default(), home.parent())
                }
                (name, home) => (name, home),
            };
            let Some(home) = home else { continue };
            let owners = ["mod.rs", "lib.rs", "main.rs"].map(|owner| home.join(owner));
            let beside = home.with_extension("rs");
            let named = |owner: &Path| {
                let text = fs::read_to_string(owner).unwrap_or_default();
                text.lines().any(|line| {
                    line.trim_end().ends_with(&format!("mod {name};")) || line.contains(&format!("\"{name}.rs\""))
                })
            };
            if !owners.iter().chain([&beside]).any(|owner| named(owner)) {
                offenders.push(path.strip_prefix(root()).unwrap_or(&path).display().to_string());
            }
        }
    }
    none(&offenders);
}

#[test]
fn no_test_sleeps() {
    none(&offenders("tests/api", &["sleep("]));
    none(&offenders("tests/transport", &["sleep("]));
    none(&offenders("tests/slow", &["sleep("]));
    none(&offenders("tests/store", &["sleep("]));
    none(&offenders("store/src", &["sleep("]));
    none(&offenders("tests/torture", &["sleep("]));
    none(&offenders("tests/durable", &["sleep("]));
    none(&offenders("tests/mcp", &["sleep("]));
    none(&offenders("tests/awake", &["sleep("]));
    none(&offenders("tests/load", &["sleep("]));
    none(&offenders("tests/compat", &["sleep("]));
    none(&offenders("tests/load", &["sleep("]));
    none(&offenders("tests/shell", &["sleep("]));
    none(&offenders("tests/webhooks", &["sleep("]));
    none(&offenders("actors/domain/tests", &["sleep("]));
}
