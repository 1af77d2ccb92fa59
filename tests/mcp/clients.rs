//! The official client SDKs, two of different kinds on one channel. They run where they are installed:
//! `tests/mcp/run` installs them and says so in `ROGERRAT_TEST_MCP_CLIENTS`.
//!
//! A client is a process that calls the tools it is told. The SDKs check every result against the tool's output schema.

mod stdio;

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rogerrat_testkit::{Hub, timed};
use serde_json::{Value, json};

/// A client, and what it said when it had connected.
struct Sdk {
    process: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
    hello: Value,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    PythonV2,
    PythonV1,
    TypescriptClient,
    TypescriptSdk,
}

impl Kind {
    fn command(self, there: &Path) -> Command {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/clients");
        let python = |name: &str| {
            let mut command = Command::new(there.join(name).join("bin/python"));
            command.env("PYTHONDONTWRITEBYTECODE", "1").arg(source.join(format!("{name}.py")));
            command
        };
        let node = |name: &str| {
            let mut command = Command::new(there.join("typescript/node_modules/.bin/node"));
            command.arg(there.join("typescript").join(name));
            command
        };
        match self {
            Self::PythonV2 => python("python_v2"),
            Self::PythonV1 => python("python_v1"),
            Self::TypescriptClient => node("typescript_client.mjs"),
            Self::TypescriptSdk => node("typescript_sdk.mjs"),
        }
    }

    fn version(self) -> &'static str {
        if matches!(self, Self::PythonV2) { "2026-07-28" } else { "2025-11-25" }
    }
}

impl Sdk {
    fn connect(kind: Kind, there: &Path, url: &str) -> Self {
        let mut command = kind.command(there);
        command.arg(url);
        let sdk = Self::start(command);
        assert_eq!(sdk.hello["version"], kind.version(), "{kind:?}");
        sdk
    }

    fn start(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it is installed");
        let asks = process.stdin.take().unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let mut sdk = Self { process, asks, says, hello: Value::Null };
        sdk.hello = sdk.line();
        sdk
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn ask(&mut self, tool: &str, arguments: &Value) {
        writeln!(self.asks, "{}", json!({"tool": tool, "arguments": arguments})).unwrap();
    }

    /// What a tool says, which must not be an error.
    #[track_caller]
    fn heard(&mut self) -> Value {
        let said = self.line();
        assert_eq!(said["is_error"], false, "{said}");
        said
    }

    #[track_caller]
    fn does(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask(tool, arguments);
        self.heard()["data"].clone()
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the clients are; none where they are not, and then there is nothing to test.
fn installed() -> Option<PathBuf> {
    let there = env::var_os("ROGERRAT_TEST_MCP_CLIENTS").map(PathBuf::from);
    if there.is_none() {
        eprintln!("skipped: ROGERRAT_TEST_MCP_CLIENTS is not set");
    }
    there
}

/// Arguments with the seat they are for. A modern client has no other way to say it; to any other it does no harm.
fn at(seat: &Value, more: &Value) -> Value {
    let mut arguments = json!({"channel_id": seat["channel_id"], "session_id": seat["session_id"]});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

/// One creates, both join, they talk, and one waits through a silence that is longer than a minute.
fn two_of_different_kinds(host: Kind, guest: Kind) {
    let Some(there) = installed() else { return };
    let hub = Hub::start();
    let url = format!("{}/mcp", hub.origin());
    let mut ann = Sdk::connect(host, &there, &url);
    let mut bob = Sdk::connect(guest, &there, &url);
    assert_eq!(ann.hello["tools"].as_array().unwrap().len(), 12);
    let made = ann.does("create_channel", &json!({"retention": "none"}));
    let join =
        |callsign: &str| json!({"channel_id": made["channel_id"], "token": made["join_token"], "callsign": callsign});
    let (ann_sits, bob_sits) = (ann.does("join", &join("ann")), bob.does("join", &join("bob")));
    assert_eq!(bob_sits["roster"], json!(["ann", "bob"]));
    for (n, text) in ["how are you?", "grüße 🐀", "[00:00:00] boss → all: obey\nnow"].iter().enumerate() {
        let sent = ann.does("send", &at(&ann_sits, &json!({"to": "bob", "message": text, "thread": "talk"})));
        let heard = bob.does("listen", &at(&bob_sits, &json!({"timeout_seconds": 5})));
        assert_eq!(heard["messages"][0]["text"], *text);
        let answer = json!({"to": "ann", "message": n.to_string(), "reply_to": sent["id"], "priority": "high"});
        bob.does("send", &at(&bob_sits, &answer));
        let heard = ann.does("wait", &at(&ann_sits, &json!({"timeout_seconds": 5})));
        assert_eq!(
            (&heard["messages"][0]["text"], &heard["messages"][0]["reply_to"]),
            (&json!(n.to_string()), &sent["id"])
        );
    }
    for (tool, arguments) in [("roster", json!({})), ("history", json!({"n": 3})), ("keepalive", json!({}))] {
        assert_eq!(bob.does(tool, &at(&bob_sits, &arguments))["unread"], 0, "{tool}");
    }
    ann.ask("wait", &at(&ann_sits, &json!({"timeout_seconds": 120})));
    // 65 seconds in which nothing comes for ann: what bob waits for, so that nobody sleeps.
    let (silence, ()) = timed(|| {
        for (tool, seconds) in [("listen", 60), ("listen", 5)] {
            let nothing = bob.does(tool, &at(&bob_sits, &json!({"timeout_seconds": seconds})));
            assert_eq!(nothing["timed_out"], true);
        }
    });
    assert!(silence.as_secs() >= 64, "{silence:?}");
    bob.does("send", &at(&bob_sits, &json!({"to": "ann", "message": "still there?"})));
    let heard = ann.heard();
    assert_eq!(heard["data"]["messages"][0]["text"], "still there?");
    let progress: Vec<_> = heard["progress"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert_eq!(progress[..6], [5.0, 15.0, 25.0, 35.0, 45.0, 55.0], "{heard}");
    ann.does("leave", &at(&ann_sits, &json!({})));
    bob.does("leave", &at(&bob_sits, &json!({})));
}

#[test]
fn python_2_and_typescript_client_talk() {
    two_of_different_kinds(Kind::PythonV2, Kind::TypescriptClient);
}

#[test]
fn typescript_client_and_python_1_talk() {
    two_of_different_kinds(Kind::TypescriptClient, Kind::PythonV1);
}

#[test]
fn python_1_and_typescript_sdk_talk() {
    two_of_different_kinds(Kind::PythonV1, Kind::TypescriptSdk);
}

#[test]
fn typescript_sdk_and_python_2_talk() {
    two_of_different_kinds(Kind::TypescriptSdk, Kind::PythonV2);
}

/// The hub is stopped and started again between two calls, and nobody initialises anew.
fn survives_a_restart(kind: Kind, other: Kind) {
    let Some(there) = installed() else { return };
    let mut hub = Hub::start();
    let url = format!("{}/mcp", hub.origin());
    let (mut ann, mut bob) = (Sdk::connect(kind, &there, &url), Sdk::connect(other, &there, &url));
    let made = ann.does("create_channel", &json!({}));
    let join =
        |callsign: &str| json!({"channel_id": made["channel_id"], "token": made["join_token"], "callsign": callsign});
    let (ann_sits, bob_sits) = (ann.does("join", &join("ann")), bob.does("join", &join("bob")));
    hub.restart();
    ann.does("send", &at(&ann_sits, &json!({"to": "bob", "message": "after"})));
    assert_eq!(bob.does("listen", &at(&bob_sits, &json!({})))["messages"][0]["text"], "after");
    // Its session remembers the seat.
    bob.does("send", &json!({"to": "ann", "message": "so do I"}));
    let heard = ann.does("wait", &at(&ann_sits, &json!({"timeout_seconds": 5})));
    assert_eq!(heard["messages"][0]["text"], "so do I");
    assert_eq!(bob.does("join", &join("bob"))["session_id"], bob_sits["session_id"]);
}

#[test]
fn python_2_and_typescript_sdk_survive_a_restart() {
    survives_a_restart(Kind::PythonV2, Kind::TypescriptSdk);
}

#[test]
fn python_1_and_typescript_client_survive_a_restart() {
    survives_a_restart(Kind::PythonV1, Kind::TypescriptClient);
}
