//! Identities and owner passwords in join and wait, and after the session has ended.

use std::fs;

use rogerrat_testkit::{Channel, Hub, wait_for_exit, wait_until};
use serde_json::{Value, json};

use super::kit::Shell;

/// An account's session token, and the key of an identity `ann`.
fn identity(hub: &Hub) -> (String, String) {
    let account = hub.post("/api/account").json(&json!({})).send().ok();
    let token = account["session_token"].as_str().unwrap().to_owned();
    let made = hub.post("/api/account/identities").bearer(&token).json(&json!({"callsign": "ann"})).send().ok();
    (token, made["identity_key"].as_str().unwrap().to_owned())
}

/// A shell with the key in a file, and a channel that requires an identity.
fn guarded(hub: &Hub) -> (Shell, Channel, String) {
    let (account, key) = identity(hub);
    let shell = Shell::at(hub);
    fs::write(shell.home().join("my key"), format!("{key}\n")).unwrap();
    fs::write(shell.home().join("account"), account).unwrap();
    let created = shell.json(&["create", "--require-identity", "--token-file", "account"]);
    assert!(created["creator_account_id"].is_string(), "{created}");
    let field = |name: &str| created[name].as_str().unwrap();
    (shell, Channel::new(**hub, field("channel_id"), field("join_token")), key)
}

/// Ends the stored session, as an expiry does.
fn expire(shell: &Shell, channel: &Channel) {
    let shown = shell.json(&["profile", "show", "--secrets"]);
    channel.request("POST", "leave").session(shown["session"].as_str().unwrap()).send().ok();
}

#[test]
fn an_identity_joins_with_its_key_and_again_when_its_session_has_ended() {
    let hub = Hub::start();
    let (ann, channel, key) = guarded(&hub);
    ann.run(&["join", "--callsign", "ann"]).with_one_line(1, "(forbidden)");
    ann.run(&["join", "--identity-key", "rr_id_wrong"]).with_one_line(1, "(unauthorized)");
    assert_eq!(ann.json(&["join", "--identity-key-file", "my key"])["callsign"], "ann");
    let invite = ann.json(&["invite"]);
    let line = invite["peer_invite"].as_str().unwrap();
    assert!(line.contains("identity_key") && !line.contains("callsign `") && invite["callsign"].is_null(), "{line}");
    let kept = fs::read_to_string(ann.profiles()).unwrap();
    assert!(!kept.contains(&key), "a key opens more than a channel, and is not remembered");
    let (_, other) = {
        let account = hub.post("/api/account").json(&json!({})).send().ok();
        let token = account["session_token"].as_str().unwrap().to_owned();
        let made = hub.post("/api/account/identities").bearer(&token).json(&json!({"callsign": "bob"})).send().ok();
        (token, made["identity_key"].as_str().unwrap().to_owned())
    };
    let joined = channel.try_join(&json!({"identity_key": other})).ok();
    let bob = rogerrat_testkit::Agent::from_join(&channel, &joined);
    expire(&ann, &channel);
    ann.run(&["wait", "--callsign", "ann"]).with_one_line(1, "ROGERRAT_IDENTITY_KEY");
    assert!(ann.ok(&["receive-recipe"]).contains("ROGERRAT_IDENTITY_KEY must stay set"));
    bob.send("ann", "one");
    let rung = ann.ok(&["wait", "--identity-key-file", "my key"]);
    assert!(rung.contains("bob") && rung.ends_with(": one\n"), "{rung}");
    expire(&ann, &channel);
    let bell = ann.start(&["listen-here", "--inbox", "in box", "--identity-key-file", "my key", "--quiet"]);
    bob.send("ann", "two");
    let inbox = ann.home().join("in box");
    wait_until("it has joined again", || fs::read_to_string(&inbox).unwrap_or_default().contains(r#""text":"two""#));
    let line: Value = serde_json::from_str(fs::read_to_string(&inbox).unwrap().trim_end()).unwrap();
    assert_eq!(line["verified"], "identity");
    assert!(std::process::Command::new("kill").arg(bell.id().to_string()).status().unwrap().success());
    assert_eq!(wait_for_exit(bell).code, Some(0));
}

#[test]
fn a_listener_joins_with_a_key_from_a_variable() {
    let hub = Hub::start();
    let (ann, channel, key) = guarded(&hub);
    let variables =
        [("ROGERRAT_IDENTITY_KEY", &*key), ("ROGERRAT_ORIGIN", &hub.origin()), ("ROGERRAT_CHANNEL", &channel.id)];
    let mut stranger = Shell::with(&variables);
    stranger.variables.push(("ROGERRAT_TOKEN".into(), channel.token.clone()));
    let bell = stranger.start(&["wait", "--timeout", "1"]);
    assert_eq!(wait_for_exit(bell).code, Some(3));
    assert_eq!(channel.roster(), ["ann"]);
    assert_eq!(stranger.json(&["send", "all", "x"])["ok"], true);
    drop(ann);
}

#[test]
fn an_owner_password_is_sent_with_the_join() {
    let hub = Hub::start();
    let ann = Shell::at(&hub);
    fs::write(ann.home().join("pass word"), "open sesame\n").unwrap();
    let created = ann.json(&["create", "--trust-mode", "trusted", "--owner-password-file", "pass word"]);
    assert_eq!(ann.json(&["join", "--callsign", "ann"])["human_authorized"], true, "the owner's own is remembered");
    let place =
        ["--channel", created["channel_id"].as_str().unwrap(), "--token", created["join_token"].as_str().unwrap()];
    let mut bob = Shell::at(&hub);
    let join = |bob: &Shell, more: &[&str]| bob.run(&[&["join", "--json"], &place[..], more].concat());
    join(&bob, &["--owner-password", "open barley"]).with_one_line(1, "(unauthorized)");
    let without: Value = serde_json::from_str(&join(&bob, &[]).out).unwrap();
    assert_eq!(without["human_authorized"], false);
    bob.variables.push(("ROGERRAT_OWNER_PASSWORD".into(), "open sesame".into()));
    let with: Value = serde_json::from_str(&join(&bob, &[]).out).unwrap();
    assert_eq!(with["human_authorized"], true);
}
