//! Stops and restarts of a hub, and searches in its data directory.

use std::fs;

use rogerrat_testkit::{Agent, Channel, Hub, texts};
use serde_json::{Value, json};

/// How a hub is stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// With SIGKILL.
    Kill,
    /// With SIGTERM.
    Stop,
}

pub(crate) const ENDS: [End; 2] = [End::Kill, End::Stop];

impl End {
    /// Stops a hub this way and starts it again.
    pub(crate) fn of(self, hub: &mut Hub) {
        match self {
            Self::Kill => hub.kill(),
            Self::Stop => hub.stop(),
        }
        hub.start_again(&["--rate-limit", "off"], &[]);
    }

    /// The `attempt` of a message that was unread before the restart: after a kill the hub cannot know that it was unread.
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

/// Reads until no message arrives for a second.
pub(crate) fn all(agent: &Agent) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        let read = agent.get("listen?timeout=1").ok();
        assert_eq!(read["gap"], Value::Null, "{read}");
        match read["messages"].as_array().unwrap().as_slice() {
            [] => return messages,
            received => messages.extend_from_slice(received),
        }
    }
}

/// The files in a hub's data directory that contain a text.
pub(crate) fn files_with(hub: &Hub, needle: &str) -> Vec<String> {
    let files = fs::read_dir(hub.data()).unwrap().map(|entry| entry.unwrap().path());
    let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    let files = files.filter(|path| holds(&fs::read(path).unwrap()));
    files.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}
