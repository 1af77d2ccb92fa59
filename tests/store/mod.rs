//! The data directory from outside: when a hub refuses to start, what it does when it cannot write, and the backup,
//! restore and verify commands.
//!
//! `store/src/tests` tests the store itself.

mod commands;
mod disk_failures;
mod refusals;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use rogerrat_testkit::{Agent, Hub, run};
use serde_json::json;

/// The data directory of a hub.
fn data(hub: &Hub) -> PathBuf {
    hub.folder().join("data")
}

/// The paths and contents of the files of a folder.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect::<Vec<_>>();
    files.sort();
    files
}

/// Whether a file of a folder contains a text.
fn is_in(folder: &Path, text: &str) -> bool {
    files(folder).iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

/// An agent on a durable channel.
fn durable(hub: &Hub) -> Agent {
    hub.channel_with(&json!({"durability": "disk"})).join("ann")
}

/// A stopped hub with some messages.
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

/// Runs a command on a folder. Returns its exit code and output.
fn run_on(arguments: &[&str], folder: &Path) -> (i32, String) {
    let arguments = [arguments, &["--data-dir", folder.to_str().unwrap()]].concat();
    let Output { status, stdout, stderr } = run(&arguments, &[]);
    let output = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(output).unwrap())
}
