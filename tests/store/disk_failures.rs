//! A running hub whose disk fails, and text that must never reach the disk.

use std::process::Command;

use rogerrat_testkit::{Hub, wait_until};
use serde_json::json;

use super::{data, durable, is_in};

/// Limits the size of the files that the hub writes.
fn limit_files(hub: &Hub, bytes: &str) {
    let pid = hub.pid.to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]).status().unwrap();
    assert!(status.success(), "the limit could not be set");
}

#[test]
fn a03_while_writes_fail_durable_channels_refuse_sends_memory_channels_work_and_the_hub_recovers() {
    let hub = Hub::unlimited();
    let (ann, bob) = (durable(&hub), hub.channel().join("bob"));
    ann.say("before");
    limit_files(&hub, "1");
    let refused = ann.request("POST", "send").json(&json!({"to": "all", "message": "lost"})).send();
    assert_eq!((refused.status, refused.json()["code"].as_str()), (507, Some("storage_failed")));
    bob.say("still here");
    wait_until("the hub is not ready", || hub.get("/readyz").send().status == 503);
    limit_files(&hub, "unlimited");
    wait_until("the hub is ready again", || hub.get("/readyz").send().status == 200);
    ann.say("after");
    assert_eq!(ann.channel.history(), ["before", "after"]);
    assert_eq!(bob.channel.history(), ["still here"]);
}

#[test]
fn a03_text_of_a_memory_channel_is_not_on_disk_and_no_text_is_in_the_log() {
    let mut hub = Hub::with(&["--rate-limit", "off"], &[("ROGERRAT_LOG__LEVEL", "debug")]);
    let (ann, bob) = (durable(&hub), hub.channel().join("bob"));
    ann.say("the otter is kept");
    bob.say("the heron is not kept");
    bob.send("bob", "nor is this message of the heron");
    assert!(is_in(&data(&hub), "the otter is kept"));
    assert!(!is_in(&data(&hub), "heron is not kept") && !is_in(&data(&hub), "of the heron"));
    hub.signal("TERM");
    assert!(hub.wait_for_exit().success());
    assert!(is_in(&data(&hub), "the otter is kept"));
    assert!(!is_in(&data(&hub), "heron is not kept") && !is_in(&data(&hub), "of the heron"));
    for text in ["heron is not kept", "of the heron", "otter is kept"] {
        assert!(!hub.log().contains(text), "{text}");
    }
}
