//! The hub and its data directory from outside: what it refuses to start on, what it does when it cannot write, and the
//! tools that copy, bring back and verify.
//!
//! The real executable, on the rig of `tests/api`. What the store does inside is tested beside it, in `store/src/tests`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod faults;
mod refusals;
#[allow(dead_code, unused_imports, reason = "these tests use a part of what the others stand on")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::json;

use rig::{Agent, Hub, run};

/// The data directory of a hub.
fn data(hub: &Hub) -> PathBuf {
    hub.folder().join("data")
}

/// The names of the files of a folder, and what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect::<Vec<_>>();
    files.sort();
    files
}

/// Whether a text stands in a file of a folder.
fn is_in(folder: &Path, text: &str) -> bool {
    files(folder).iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

/// An agent on a channel that keeps what is said.
fn durable(hub: &Hub) -> Agent {
    hub.channel_with(&json!({"durability": "disk"})).join("ann")
}

/// A hub on which something was said, and that was stopped.
fn stopped() -> Hub {
    let mut hub = Hub::unlimited();
    let ann = durable(&hub);
    for n in 0..20 {
        ann.say(&format!("message {n}"));
    }
    hub.signal("TERM");
    assert!(hub.ended().success());
    hub
}

/// What the executable said to something about a folder, and how it ended.
fn ask(arguments: &[&str], folder: &Path) -> (i32, String) {
    let arguments = [arguments, &["--data-dir", folder.to_str().unwrap()]].concat();
    let Output { status, stdout, stderr } = run(&arguments, &[]);
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}
