//! `backup`, `restore` and `verify`.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use rogerrat_testkit::{Agent, Hub};
use serde_json::json;

use super::{data, durable, files, run_on, stopped};

#[test]
fn a_running_hub_can_be_backed_up_and_the_backup_restored() {
    let hub = Hub::unlimited();
    let ann = durable(&hub);
    ann.say("kept");
    let (copy, again) = (hub.folder().join("copy"), hub.folder().join("again"));
    let copy = copy.to_str().unwrap();
    let (code, output) = run_on(&["backup", copy], &data(&hub));
    assert!(
        code == 0 && output.contains("copy/hub.db is a complete copy") && output.contains("messages         1\n"),
        "{output}"
    );
    assert_eq!(fs::metadata(copy).unwrap().mode() & 0o777, 0o700);
    ann.say("kept later");
    let (code, output) = run_on(&["backup", copy], &data(&hub));
    assert!(code == 1 && output.contains("already exists and is not overwritten"), "{output}");
    let (code, output) = run_on(&["verify"], &data(&hub));
    assert!(
        code == 0 && output.contains("a hub is running on it") && output.contains("messages         2\n"),
        "{output}"
    );
    let (code, output) = run_on(&["restore", copy], &data(&hub));
    assert!(code == 1 && output.contains("is used by another hub"), "{output}");
    let (code, output) = run_on(&["restore", copy], &again);
    assert!(
        code == 0 && output.contains("a hub can be started on it") && output.contains("messages         1\n"),
        "{output}"
    );
    let (code, output) = run_on(&["verify"], &again);
    assert!(code == 0 && output.contains("again/hub.db is intact\n"), "{output}");
    ann.say("the hub still runs");
}

#[test]
fn a_backup_restores_accounts_and_their_webhooks() {
    let mut hub = Hub::unlimited();
    let opened = hub.post("/api/account").send().ok();
    let session = opened["session_token"].as_str().unwrap();
    let made = hub.post("/api/account/identities").bearer(session).json(&json!({"callsign": "ann"})).send().ok();
    let key = &made["identity_key"];
    // No receiver listens there.
    let url = json!({"url": "http://127.0.0.1:1025/", "retry": "persistent"});
    hub.post("/api/account/webhooks").bearer(session).json(&url).send().ok();
    let channel = hub.channel_with(&json!({}));
    channel.request("POST", "webhooks").json(&url).send().ok();
    let ann = Agent::from_join(&channel, &channel.try_join(&json!({"identity_key": key})).ok());
    channel.join("bob").send(&ann.callsign, "due twice");
    let counts = ["accounts         1\n", "identities       1\n", "webhooks         2\n", "deliveries       2\n"];
    let copy = hub.folder().join("copy");
    for (arguments, folder) in
        [(&["verify"][..], data(&hub)), (&["backup", copy.to_str().unwrap()], data(&hub)), (&["verify"], copy.clone())]
    {
        let (code, output) = run_on(arguments, &folder);
        assert!(code == 0 && counts.iter().all(|count| output.contains(count)), "{output}");
    }
    hub.signal("TERM");
    assert!(hub.wait_for_exit().success());
    fs::remove_dir_all(data(&hub)).unwrap();
    assert_eq!(run_on(&["restore", copy.to_str().unwrap()], &data(&hub)).0, 0);
    hub.start_again(&["--rate-limit", "off"], &[]);
    let account = hub.get("/api/account").bearer(session).send().ok();
    assert!(account["identities"][0]["callsign"] == "ann" && account["webhooks"] == 1, "{account}");
    let hooks = channel.get("webhooks").ok();
    assert!(hooks["webhooks"].as_array().unwrap().len() == 1 && hooks["webhooks"][0]["due"] == 1, "{hooks}");
    channel.try_join(&json!({"identity_key": key})).ok();
}

#[test]
fn a_stopped_hub_can_be_backed_up_and_is_not_overwritten() {
    let hub = stopped();
    let copy = hub.folder().join("copy");
    let before = fs::read(data(&hub).join("hub.db")).unwrap();
    assert_eq!(run_on(&["backup", copy.to_str().unwrap()], &data(&hub)).0, 0);
    let (code, output) = run_on(&["restore", copy.to_str().unwrap()], &data(&hub));
    assert!(code == 1 && output.contains("hub.db already exists"), "{output}");
    assert!(fs::read(data(&hub).join("hub.db")).unwrap() == before);
    assert_eq!(files(&copy).len(), 2);
}

#[test]
fn the_tools_report_a_missing_hub() {
    let hub = Hub::start();
    let nowhere = hub.folder().join("nowhere");
    for arguments in [&["verify"][..], &["backup", "/tmp/rogerrat-never-created"]] {
        let (code, output) = run_on(arguments, &nowhere);
        assert!(code == 1 && output.contains("there is no hub in"), "{output}");
    }
    assert!(!nowhere.exists());
}
