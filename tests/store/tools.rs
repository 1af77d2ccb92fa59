//! `backup`, `restore` and `verify`.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use rogerrat_testkit::{Agent, Hub};
use serde_json::json;

use super::{ask, data, durable, files, stopped};

#[test]
fn a_running_hub_is_backed_up_and_brought_back() {
    let hub = Hub::unlimited();
    let ann = durable(&hub);
    ann.say("kept");
    let (copy, again) = (hub.folder().join("copy"), hub.folder().join("again"));
    let copy = copy.to_str().unwrap();
    let (code, said) = ask(&["backup", copy], &data(&hub));
    assert!(
        code == 0 && said.contains("copy/hub.db is a complete copy") && said.contains("messages         1\n"),
        "{said}"
    );
    assert_eq!(fs::metadata(copy).unwrap().mode() & 0o777, 0o700);
    ann.say("kept later");
    let (code, said) = ask(&["backup", copy], &data(&hub));
    assert!(code == 1 && said.contains("is there already and is not written over"), "{said}");
    let (code, said) = ask(&["verify"], &data(&hub));
    assert!(code == 0 && said.contains("a hub is running on it") && said.contains("messages         2\n"), "{said}");
    let (code, said) = ask(&["restore", copy], &data(&hub));
    assert!(code == 1 && said.contains("is used by another hub"), "{said}");
    let (code, said) = ask(&["restore", copy], &again);
    assert!(
        code == 0 && said.contains("a hub can be started on it") && said.contains("messages         1\n"),
        "{said}"
    );
    let (code, said) = ask(&["verify"], &again);
    assert!(code == 0 && said.contains("again/hub.db is intact\n"), "{said}");
    ann.say("the hub never noticed");
}

#[test]
fn an_account_and_its_webhooks_come_back_with_a_backup() {
    let mut hub = Hub::unlimited();
    let opened = hub.post("/api/account").send().ok();
    let session = opened["session_token"].as_str().unwrap();
    let made = hub.post("/api/account/identities").bearer(session).json(&json!({"callsign": "ann"})).send().ok();
    let key = &made["identity_key"];
    // Nobody answers there.
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
        let (code, said) = ask(arguments, &folder);
        assert!(code == 0 && counts.iter().all(|count| said.contains(count)), "{said}");
    }
    hub.signal("TERM");
    assert!(hub.wait_for_exit().success());
    fs::remove_dir_all(data(&hub)).unwrap();
    assert_eq!(ask(&["restore", copy.to_str().unwrap()], &data(&hub)).0, 0);
    hub.start_again(&["--rate-limit", "off"], &[]);
    let account = hub.get("/api/account").bearer(session).send().ok();
    assert!(account["identities"][0]["callsign"] == "ann" && account["webhooks"] == 1, "{account}");
    let hooks = channel.get("webhooks").ok();
    assert!(hooks["webhooks"].as_array().unwrap().len() == 1 && hooks["webhooks"][0]["due"] == 1, "{hooks}");
    channel.try_join(&json!({"identity_key": key})).ok();
}

#[test]
fn a_hub_that_was_stopped_can_be_copied_and_is_not_written_over() {
    let hub = stopped();
    let copy = hub.folder().join("copy");
    let before = fs::read(data(&hub).join("hub.db")).unwrap();
    assert_eq!(ask(&["backup", copy.to_str().unwrap()], &data(&hub)).0, 0);
    let (code, said) = ask(&["restore", copy.to_str().unwrap()], &data(&hub));
    assert!(code == 1 && said.contains("hub.db is there already"), "{said}");
    assert!(fs::read(data(&hub).join("hub.db")).unwrap() == before);
    assert_eq!(files(&copy).len(), 2);
}

#[test]
fn where_there_is_no_hub_the_tools_say_so() {
    let hub = Hub::start();
    let nowhere = hub.folder().join("nowhere");
    for arguments in [&["verify"][..], &["backup", "/tmp/rogerrat-never-made"]] {
        let (code, said) = ask(arguments, &nowhere);
        assert!(code == 1 && said.contains("there is no hub in"), "{said}");
    }
    assert!(!nowhere.exists());
}
