//! How a hub ends and comes back, and what lies in its folder.

use std::fs;

use rogerrat_testkit::{Agent, Channel, Hub, texts};
use serde_json::{Value, json};

/// How a hub ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// With SIGKILL.
    Kill,
    /// With SIGTERM.
    Stop,
}

pub(crate) const ENDS: [End; 2] = [End::Kill, End::Stop];

impl End {
    /// Ends a hub so, and starts it again.
    pub(crate) fn of(self, hub: &mut Hub) {
        match self {
            Self::Kill => hub.kill(),
            Self::Stop => hub.stop(),
        }
        hub.start_again(&["--rate-limit", "off"], &[]);
    }

    /// What `attempt` a message has that may have been handed over before such an end, and was not.
    pub(crate) fn attempt(self) -> Value {
        match self {
            Self::Kill => json!(2),
            Self::Stop => Value::Null,
        }
    }
}

/// A channel whose messages are on disk.
pub(crate) fn on_disk(hub: &Hub) -> Channel {
    hub.channel_with(&json!({"durability": "disk"}))
}

/// The texts and attempts of a read.
pub(crate) fn attempts(read: &Value) -> Vec<(String, Value)> {
    let attempts = read["messages"].as_array().unwrap().iter().map(|message| message["attempt"].clone());
    texts(&read["messages"]).into_iter().zip(attempts).collect()
}

/// Reads until nothing comes for a second, and gives every message.
pub(crate) fn all(agent: &Agent) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        let read = agent.get("listen?timeout=1").ok();
        assert_eq!(read["gap"], Value::Null, "{read}");
        match read["messages"].as_array().unwrap().as_slice() {
            [] => return messages,
            came => messages.extend_from_slice(came),
        }
    }
}

/// The files of a hub's folder in which some bytes stand.
pub(crate) fn files_with(hub: &Hub, needle: &str) -> Vec<String> {
    let files = fs::read_dir(hub.data()).unwrap().map(|entry| entry.unwrap().path());
    let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    let files = files.filter(|path| holds(&fs::read(path).unwrap()));
    files.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}
