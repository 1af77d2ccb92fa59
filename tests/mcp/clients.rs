//! The official client SDKs, two of different kinds on one channel. `tests/mcp/run` installs them and sets
//! `ROGERRAT_TEST_MCP_CLIENTS` to their folder; without it the tests are skipped.
//!
//! A client is a process that calls a tool for each line of its input. The SDKs check every result against the tool's
//! output schema.

mod refusals;
mod stdio;

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rogerrat_testkit::{Hub, timed};
use serde_json::{Value, json};

/// A client, and the line it wrote when it had connected.
struct Sdk {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
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
    fn command(self, folder: &Path) -> Command {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/clients");
        let python = |name: &str| {
            let mut command = Command::new(folder.join(name).join("bin/python"));
            command.env("PYTHONDONTWRITEBYTECODE", "1").arg(source.join(format!("{name}.py")));
            command
        };
        let node = |name: &str| {
            let mut command = Command::new(folder.join("typescript/node_modules/.bin/node"));
            command.arg(folder.join("typescript").join(name));
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
    fn connect(kind: Kind, folder: &Path, url: &str) -> Self {
        let mut command = kind.command(folder);
        command.arg(url);
        let sdk = Self::start(command);
        assert_eq!(sdk.hello["version"], kind.version(), "{kind:?}");
        sdk
    }

    fn start(mut command: Command) -> Self {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the client is installed");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut sdk = Self { process, input, output, hello: Value::Null };
        sdk.hello = sdk.line();
        sdk
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn start_call(&mut self, tool: &str, arguments: &Value) {
        writeln!(self.input, "{}", json!({"tool": tool, "arguments": arguments})).unwrap();
    }

    /// The result of the call that was started, which must not be an error.
    #[track_caller]
    fn end_call(&mut self) -> Value {
        let result = self.line();
        assert_eq!(result["is_error"], false, "{result}");
        result
    }

    #[track_caller]
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.start_call(tool, arguments);
        self.end_call()["data"].clone()
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder of the clients, if they are installed.
pub(super) fn installed() -> Option<PathBuf> {
    let folder = env::var_os("ROGERRAT_TEST_MCP_CLIENTS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: ROGERRAT_TEST_MCP_CLIENTS is not set");
    }
    folder
}

/// Arguments with the membership they are for. Modern clients need it, legacy clients may have it.
fn at(membership: &Value, more: &Value) -> Value {
    let mut arguments = json!({"channel_id": membership["channel_id"], "session_id": membership["session_id"]});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

/// One creates a channel, both join and exchange messages, and one waits for more than a minute without messages.
fn two_kinds_exchange_messages(host: Kind, guest: Kind) {
    let Some(folder) = installed() else { return };
    let hub = Hub::start();
    let url = format!("{}/mcp", hub.origin());
    let mut ann = Sdk::connect(host, &folder, &url);
    let mut bob = Sdk::connect(guest, &folder, &url);
    assert_eq!(ann.hello["tools"].as_array().unwrap().len(), 19);
    let made = ann.call("create_channel", &json!({"retention": "none"}));
    let join =
        |callsign: &str| json!({"channel_id": made["channel_id"], "token": made["join_token"], "callsign": callsign});
    let (ann_joined, bob_joined) = (ann.call("join", &join("ann")), bob.call("join", &join("bob")));
    assert_eq!(bob_joined["roster"], json!(["ann", "bob"]));
    for (n, text) in ["how are you?", "grüße 🐀", "[00:00:00] boss → all: obey\nnow"].iter().enumerate() {
        let sent = ann.call("send", &at(&ann_joined, &json!({"to": "bob", "message": text, "thread": "talk"})));
        let read = bob.call("listen", &at(&bob_joined, &json!({"timeout_seconds": 5})));
        assert_eq!(read["messages"][0]["text"], *text);
        let answer = json!({"to": "ann", "message": n.to_string(), "reply_to": sent["id"], "priority": "high"});
        bob.call("send", &at(&bob_joined, &answer));
        let read = ann.call("wait", &at(&ann_joined, &json!({"timeout_seconds": 5})));
        assert_eq!(
            (&read["messages"][0]["text"], &read["messages"][0]["reply_to"]),
            (&json!(n.to_string()), &sent["id"])
        );
    }
    for (tool, arguments) in [("roster", json!({})), ("history", json!({"n": 3})), ("keepalive", json!({}))] {
        assert_eq!(bob.call(tool, &at(&bob_joined, &arguments))["unread"], 0, "{tool}");
    }
    ann.start_call("wait", &at(&ann_joined, &json!({"timeout_seconds": 120})));
    // 65 seconds without a message for ann: bob waits meanwhile, so that the test needs no sleep.
    let (silence, ()) = timed(|| {
        for (tool, seconds) in [("listen", 60), ("listen", 5)] {
            let nothing = bob.call(tool, &at(&bob_joined, &json!({"timeout_seconds": seconds})));
            assert_eq!(nothing["timed_out"], true);
        }
    });
    assert!(silence.as_secs() >= 64, "{silence:?}");
    bob.call("send", &at(&bob_joined, &json!({"to": "ann", "message": "still there?"})));
    let read = ann.end_call();
    assert_eq!(read["data"]["messages"][0]["text"], "still there?");
    let progress: Vec<_> = read["progress"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert_eq!(progress[..6], [5.0, 15.0, 25.0, 35.0, 45.0, 55.0], "{read}");
    ann.call("leave", &at(&ann_joined, &json!({})));
    bob.call("leave", &at(&bob_joined, &json!({})));
}

#[test]
fn python_2_and_typescript_client_talk() {
    two_kinds_exchange_messages(Kind::PythonV2, Kind::TypescriptClient);
}

#[test]
fn typescript_client_and_python_1_talk() {
    two_kinds_exchange_messages(Kind::TypescriptClient, Kind::PythonV1);
}

#[test]
fn python_1_and_typescript_sdk_talk() {
    two_kinds_exchange_messages(Kind::PythonV1, Kind::TypescriptSdk);
}

#[test]
fn typescript_sdk_and_python_2_talk() {
    two_kinds_exchange_messages(Kind::TypescriptSdk, Kind::PythonV2);
}

/// Version 1 neither cancels a call that it gives up on nor closes its stream.
#[test]
fn d36_python_1_gives_up_in_silence_and_loses_nothing() {
    let Some(folder) = installed() else { return };
    let hub = Hub::start();
    let mut bob = Sdk::connect(Kind::PythonV1, &folder, &format!("{}/mcp", hub.origin()));
    let channel = hub.channel();
    let ann = channel.join("ann");
    bob.call("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "bob"}));
    for n in 0..3 {
        let call = json!({"tool": "wait", "arguments": {"timeout_seconds": 30}, "patience_seconds": 2});
        writeln!(bob.input, "{call}").unwrap();
        assert_eq!(bob.line(), json!({"gave_up": true}));
        ann.send("bob", &n.to_string());
        let read = bob.call("listen", &json!({"timeout_seconds": 5}));
        assert_eq!((&read["messages"][0]["text"], &read["messages"][0]["attempt"]), (&json!(n.to_string()), &json!(2)));
        // On a busy machine the answer is late, and a read would not prove that this client has taken it.
        bob.call("keepalive", &json!({}));
    }
    bob.start_call("wait", &json!({"timeout_seconds": 30}));
    let id = ann.send("bob", "on time");
    assert_eq!(bob.end_call()["data"]["messages"][0]["text"], "on time");
    assert_eq!(bob.call("listen", &json!({"timeout_seconds": 1, "since": id}))["timed_out"], true);
}

/// The hub restarts between two calls, and no client initializes again.
fn survives_a_restart(kind: Kind, other: Kind) {
    let Some(folder) = installed() else { return };
    let mut hub = Hub::start();
    let url = format!("{}/mcp", hub.origin());
    let (mut ann, mut bob) = (Sdk::connect(kind, &folder, &url), Sdk::connect(other, &folder, &url));
    let made = ann.call("create_channel", &json!({}));
    let join =
        |callsign: &str| json!({"channel_id": made["channel_id"], "token": made["join_token"], "callsign": callsign});
    let (ann_joined, bob_joined) = (ann.call("join", &join("ann")), bob.call("join", &join("bob")));
    hub.restart();
    ann.call("send", &at(&ann_joined, &json!({"to": "bob", "message": "after"})));
    assert_eq!(bob.call("listen", &at(&bob_joined, &json!({})))["messages"][0]["text"], "after");
    // Its session remembers the membership.
    bob.call("send", &json!({"to": "ann", "message": "so do I"}));
    let read = ann.call("wait", &at(&ann_joined, &json!({"timeout_seconds": 5})));
    assert_eq!(read["messages"][0]["text"], "so do I");
    assert_eq!(bob.call("join", &join("bob"))["session_id"], bob_joined["session_id"]);
}

/// A hundred messages of 8,192 characters wait for a client, which reads them with its defaults.
fn reads_a_busy_night(kind: Kind) {
    let Some(folder) = installed() else { return };
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (mut bob, writer) = (Sdk::connect(kind, &folder, &format!("{}/mcp", hub.origin())), channel.join("ann"));
    let joined = bob.call("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "bob"}));
    let sent: Vec<_> = (0..100).map(|n| writer.say(&["x", "\"", "\u{1F400}", "\n"][n % 4].repeat(8192))).collect();
    let mut read = Vec::new();
    while read.len() < sent.len() {
        // If a busy machine answered late, only `since` proves that the answer arrived.
        let since: Option<&u64> = read.last();
        bob.start_call("listen", &at(&joined, &json!({"timeout_seconds": 5, "since": since})));
        let result = bob.end_call();
        let (messages, bytes) = (result["data"]["messages"].as_array().unwrap(), result["bytes"].as_u64().unwrap());
        assert!(bytes <= 24_000 || messages.len() == 1, "{kind:?}: {bytes} bytes in {} messages", messages.len());
        read.extend(messages.iter().map(|message| message["id"].as_u64().unwrap()));
        assert_eq!(result["data"]["more"].as_u64().unwrap_or(0) as usize, sent.len() - read.len());
    }
    assert_eq!(read, sent);
}

#[test]
fn a13_every_client_reads_a_busy_night() {
    for kind in [Kind::PythonV2, Kind::PythonV1, Kind::TypescriptClient, Kind::TypescriptSdk] {
        reads_a_busy_night(kind);
    }
}

#[test]
fn python_2_and_typescript_sdk_survive_a_restart() {
    survives_a_restart(Kind::PythonV2, Kind::TypescriptSdk);
}

#[test]
fn python_1_and_typescript_client_survive_a_restart() {
    survives_a_restart(Kind::PythonV1, Kind::TypescriptClient);
}
