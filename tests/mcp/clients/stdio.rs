//! The official Python clients with `rogerrat mcp` as their server on standard input and output: messages are pushed to
//! them, they answer with a tool, and nothing is lost when the hub is killed and started again.

use std::path::Path;
use std::process::{Command, Stdio};

use rogerrat_testkit::{Channel, Hub, executable};
use serde_json::{Value, json};

use super::{Sdk, installed};

fn start(clients: &Path, python: &str, script: &str, channel: &Channel, folder: &Path) -> Sdk {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/clients");
    let token = folder.join("token");
    std::fs::write(&token, &channel.token).unwrap();
    let mut command = Command::new(clients.join(python).join("bin/python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(source.join(script)).arg(executable());
    command.args(["mcp", "--callsign", "bob", "--origin", &format!("http://{}", channel.target.0)]);
    command.args(["--channel", &channel.id, "--token-file"]).arg(&token).stderr(Stdio::null());
    let sdk = Sdk::start(command);
    assert_eq!(sdk.hello["experimental"], json!({"claude/channel": {}}), "{}", sdk.hello);
    sdk
}

/// The next message that is pushed.
#[track_caller]
fn pushed(sdk: &mut Sdk) -> Value {
    let line = sdk.line();
    assert!(line["pushed"].is_object(), "{line}");
    line["pushed"].clone()
}

fn receives_pushes_and_answers_without_loss(python: &str, script: &str, version: &str) {
    let Some(clients) = installed() else { return };
    let mut hub = Hub::start();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let ann = channel.join("ann");
    let mut bob = start(&clients, python, script, &channel, hub.folder());
    assert_eq!(bob.hello["version"], version);
    let sent = ann.say("are you awake?");
    let question = pushed(&mut bob);
    assert_eq!((&question["content"], &question["meta"]["sender"]), (&json!("are you awake?"), &json!("ann")));
    assert_eq!((&question["meta"]["channel"], &question["meta"]["id"]), (&json!(channel.id), &json!(sent.to_string())));
    bob.call("send", &json!({"to": "ann", "message": "I am", "reply_to": sent}));
    let answer = ann.get("listen?timeout=5").ok()["messages"][0].clone();
    assert_eq!((&answer["text"], &answer["reply_to"], &answer["from"]), (&json!("I am"), &json!(sent), &json!("bob")));
    hub.kill();
    hub.start_again(&[], &[]);
    ann.say("missed 1");
    ann.send("bob", "missed 2");
    // One of the clients may reorder messages that arrive together.
    let mut missed = [pushed(&mut bob), pushed(&mut bob)].map(|pushed| pushed["content"].to_string());
    missed.sort();
    assert_eq!(missed, ["\"missed 1\"", "\"missed 2\""]);
    // The next line is the result of the call: nothing was pushed twice.
    bob.call("send", &json!({"to": "ann", "message": "got both"}));
    assert_eq!(ann.listen().last().unwrap(), "got both");
}

#[test]
fn python_1_receives_pushes_and_answers_without_loss() {
    receives_pushes_and_answers_without_loss("python_v1", "stdio_v1.py", "2025-11-25");
}

#[test]
fn python_2_receives_pushes_and_answers_without_loss() {
    receives_pushes_and_answers_without_loss("python_v2", "stdio_v2.py", "2026-07-28");
}
