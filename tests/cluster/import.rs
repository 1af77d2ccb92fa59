//! `import` of a data directory into a database, and `verify` of a database.

use std::fs;
use std::path::Path;

use rogerrat_testkit::{Agent, Hub, Postgres, run};
use serde_json::json;

use super::{NO_LIMITS, is_long};

/// Runs a command on a data directory and a database. Returns its exit code and output.
fn run_on(command: &str, folder: &Path, url: &str) -> (i32, String) {
    let output = run(&[command, "--data-dir", folder.to_str().unwrap()], &[("ROGERRAT_DATABASE__URL", url)]);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn an_imported_hub_goes_on_with_its_sessions_cursors_ids_and_deliveries() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let mut hub = Hub::with(&NO_LIMITS, &[]);
    let opened = hub.post("/api/account").send().ok();
    let session = opened["session_token"].as_str().unwrap();
    let made = hub.post("/api/account/identities").bearer(session).json(&json!({"callsign": "ann"})).send().ok();
    // No receiver listens there.
    let hook = json!({"url": "http://127.0.0.1:1025/", "retry": "persistent"});
    let settings = |n: u32| json!({"durability": if n.is_multiple_of(2) { "disk" } else { "memory" }});
    let count = if is_long() { 10_000 } else { 300 };
    let channels: Vec<_> = (0..count).map(|n| hub.channel_with(&settings(n))).collect();
    let mut members = Vec::new();
    for channel in &channels[..20] {
        channel.request("POST", "webhooks").json(&hook).send().ok();
        let ann = channel.try_join(&json!({"identity_key": made["identity_key"]})).ok();
        let (ann, bob) = (Agent::from_join(channel, &ann), channel.join("bob"));
        ann.send("bob", "read before");
        assert_eq!(bob.listen(), ["read before"]);
        let last = ann.send("bob", "unread");
        members.push((ann, bob, last));
    }
    let (code, output) = run_on("import", &hub.data(), &url);
    assert!(code == 1 && output.contains("is used by another hub"), "{output}");
    hub.stop();
    // A database that already has something: nothing of the hub is left there.
    server.sql(&url, "CREATE TABLE facts (n int)");
    let (code, output) = run_on("import", &hub.data(), &url);
    assert!(code == 1 && !output.contains(server.password()), "{output}");
    assert_eq!(server.sql(&url, "SELECT to_regclass('channels') IS NULL"), "t");
    server.sql(&url, "DROP TABLE facts");
    let before = fs::read(hub.data().join("hub.db")).unwrap();
    let (code, output) = run_on("import", &hub.data(), &url);
    let channel_count = format!("channels         {count}\n");
    let counts = [&*channel_count, "accounts         1\n", "identities       1\n", "webhooks         20\n"];
    assert!(code == 0 && counts.iter().all(|count| output.contains(count)), "{output}");
    assert!(output.contains("deliveries       40\n") && output.contains("messages         20\n"), "{output}");
    assert_eq!(fs::read(hub.data().join("hub.db")).unwrap(), before);
    let (code, again) = run_on("import", &hub.data(), &url);
    assert!(code == 1 && again.contains("the database is not empty"), "{again}");

    hub.start_again(&NO_LIMITS, &[("ROGERRAT_DATABASE__URL", &url)]);
    for (n, (ann, bob, last)) in members.iter().enumerate() {
        // Messages of memory channels are lost with any restart.
        let unread: &[&str] = if n.is_multiple_of(2) { &["unread"] } else { &[] };
        let texts = if unread.is_empty() { Vec::new() } else { bob.listen() };
        assert_eq!(texts, unread, "{n}");
        assert!(ann.send("bob", "after") > *last, "{n}");
        assert_eq!(bob.listen(), ["after"]);
    }
    let account = hub.get("/api/account").bearer(session).send().ok();
    assert_eq!(account["identities"][0]["callsign"], "ann", "{account}");
    let hooks = channels[0].request("GET", "webhooks").send().ok();
    assert!(hooks["webhooks"][0]["due"].as_u64().unwrap() >= 2, "{hooks}");

    let (code, output) = run_on("verify", &hub.data(), &url);
    assert!(code == 0 && counts.iter().all(|count| output.contains(count)), "{output}");
    assert!(output.contains("the database is intact; a hub is running on it\n"), "{output}");
    let other = hub.folder().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("hub.key"), [7; 32]).unwrap();
    let (code, output) = run_on("verify", &other, &url);
    assert!(code == 1 && output.contains("another hub.key"), "{output}");
    server.sql(&url, "UPDATE messages SET body = '\\x00' WHERE id = (SELECT min(id) FROM messages)");
    let (code, output) = run_on("verify", &hub.data(), &url);
    assert!(code == 1 && output.contains("cannot be decrypted") && output.contains(&channels[0].id), "{output}");
}

#[test]
fn a_hub_that_was_killed_is_imported_with_its_wal() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let mut hub = Hub::with(&NO_LIMITS, &[]);
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("delivered before the crash");
    assert_eq!(bob.listen().len(), 1);
    let last = ann.say("in the WAL");
    hub.kill();
    let (code, output) = run_on("verify", &hub.data(), &url);
    assert!(code == 1 && output.contains("has no tables"), "{output}");
    let (code, output) = run_on("import", &hub.data(), &url);
    assert!(code == 0 && output.contains("messages         2\n"), "{output}");
    hub.start_again(&NO_LIMITS, &[("ROGERRAT_DATABASE__URL", &url)]);
    // What may have been delivered before the crash is delivered again, as a second attempt.
    let reply = bob.get("listen").ok();
    let messages = reply["messages"].as_array().unwrap();
    let unread = messages.iter().find(|message| message["text"] == "in the WAL").unwrap();
    assert_eq!(unread["attempt"], 2, "{reply}");
    assert!(ann.say("after") > last);
}
