//! The data directory from outside: when a hub refuses to start, what it does when it cannot write, and the backup,
//! restore and verify commands.
//!
//! `store/src/tests` tests the store itself.

mod faults;
mod refusals;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use rogerrat_testkit::{Agent, Hub, run};
use serde_json::json;

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
    assert!(hub.wait_for_exit().success());
    hub
}

/// What the executable said to something about a folder, and how it ended.
fn ask(arguments: &[&str], folder: &Path) -> (i32, String) {
    let arguments = [arguments, &["--data-dir", folder.to_str().unwrap()]].concat();
    let Output { status, stdout, stderr } = run(&arguments, &[]);
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}
