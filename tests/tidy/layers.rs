//! Which module may use which. Crates hold most layers apart; these rules are for modules inside a crate and for
//! libraries that a layer must not use.

use crate::workspace::{none, read, rust_files_in};

/// A folder, and the words its code must not contain, with what they would be.
const RULES: &[(&str, &[&str])] = &[
    ("actors/domain/src", &["tokio", "actix", "std::net", "std::fs", "std::thread", "SystemTime", "Instant", "rand::"]),
    ("actors/src", &["actix_web", "actix-web", "http::", "StatusCode"]),
    ("store/src", &["actix_web", "actix-web", "http::", "StatusCode"]),
    ("src/http", &["crate::cli", "crate::mcp", "crate::compat"]),
    ("src/mcp", &["crate::cli", "crate::http", "crate::compat"]),
    ("src/compat", &["crate::cli", "crate::http", "crate::mcp"]),
    ("src/web", &["crate::cli", "crate::mcp", "crate::http", "crate::compat"]),
    ("src/transport", &["crate::cli", "crate::mcp", "crate::http", "crate::compat", "rogerrat_actors"]),
    ("src/tunnel", &["crate::cli", "crate::http", "crate::mcp", "crate::compat", "crate::web", "rogerrat_actors"]),
    ("src/cli", &["crate::http", "crate::mcp", "crate::compat", "rogerrat_actors"]),
];

#[test]
fn a_layer_uses_only_the_layers_below_it() {
    let violations: Vec<_> = RULES.iter().flat_map(|(folder, words)| uses(folder, words)).collect();
    none("uses of a layer that should not be known there", &violations);
}

/// The clients reach a hub over HTTP only. Cargo holds them to their manifests.
#[test]
fn the_clients_depend_on_no_crate_of_the_hub() {
    let mut violations = Vec::new();
    for package in ["client", "cli", "load", "torture"] {
        let manifest = read(format!("{package}/Cargo.toml"));
        let of_the_hub = ["rogerrat-actors", "rogerrat-store", "rogerrat-webhook-sender", "rogerrat "];
        let depends = of_the_hub.iter().filter(|dependency| manifest.contains(&format!("\n{dependency}")));
        violations.extend(depends.map(|dependency| format!("{package} depends on {dependency}")));
    }
    none("clients that depend on crates of the hub", &violations);
}

/// Clock and randomness are injected; one file of the actors reads them.
#[test]
fn only_one_file_reads_the_clock_and_one_is_random() {
    let elsewhere = |words: &[&str], file: &str| {
        uses("actors/src", words).into_iter().filter(|violation| !violation.starts_with(file)).collect::<Vec<_>>()
    };
    none("clock", &elsewhere(&["Instant::now", "SystemTime::now"], "actors/src/clock.rs"));
    none("randomness", &elsewhere(&["rand::"], "actors/src/random.rs"));
}

/// Where a word is used outside comments.
fn uses(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in rust_files_in(folder) {
        let mut code = file.text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>();
        code.dedup();
        for word in words.iter().filter(|word| code.iter().any(|line| line.contains(*word))) {
            found.push(format!("{} uses `{word}`", file.path));
        }
    }
    found
}
