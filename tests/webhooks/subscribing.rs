//! Subscriptions: who may create them, to which addresses, and what their replies show.

use rogerrat_testkit::Hub;
use serde_json::json;

use super::hooks::{Hook, try_subscribe};
use super::receiver::Receiver;

#[test]
fn a_secret_is_shown_once_and_stored_encrypted() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let channel = hub.channel();
    let hook = Hook::on(&channel, &receiver.url("a"));
    assert!(hook.id.starts_with("wh_") && hook.secret.starts_with("whsec_") && hook.secret.len() == 38, "{hook:?}");
    let listed = channel.get("webhooks").ok();
    assert!(!listed.to_string().contains(&hook.secret), "{listed}");
    assert_eq!(listed["webhooks"][0]["events"], json!(["message.received"]));
    let rotated = hook.post("rotate-secret", &json!({})).ok();
    assert_ne!(rotated["secret"], *hook.secret);
    assert!(rotated["previous_secret_until"].as_u64() > rotated["created_at"].as_u64());
    for secret in [&hook.secret[6..], &rotated["secret"].as_str().unwrap()[6..]] {
        assert!(!holds(&hub, secret.as_bytes()), "a secret is in the data directory");
    }
}

/// Whether any file in the hub's data directory contains these bytes.
pub(crate) fn holds(hub: &Hub, needle: &[u8]) -> bool {
    let files = std::fs::read_dir(hub.data()).unwrap().map(|file| file.unwrap().path());
    files.into_iter().any(|file| std::fs::read(file).unwrap().windows(needle.len()).any(|part| part == needle))
}

#[test]
fn a_channel_has_at_most_ten_webhooks() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let channel = hub.channel();
    let hooks: Vec<_> = (0..10).map(|n| Hook::on(&channel, &receiver.url(&n.to_string()))).collect();
    let refused = try_subscribe(&channel, &json!({"url": receiver.url("x")})).refused(409, "limit_reached");
    assert!(refused["error"].as_str().unwrap().contains("webhooks of a channel"), "{refused}");
    assert_eq!(hooks[3].remove().ok(), json!({"ok": true}));
    hooks[3].remove().refused(404, "not_found");
    Hook::on(&channel, &receiver.url("x"));
}

#[test]
fn a_token_of_another_channel_is_refused() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let (channel, other) = (hub.channel(), hub.channel());
    let hook = Hook::on(&channel, &receiver.url("a"));
    let id = &hook.id;
    for (method, what) in [
        ("GET", "webhooks".to_owned()),
        ("POST", "webhooks".to_owned()),
        ("DELETE", format!("webhooks/{id}")),
        ("POST", format!("webhooks/{id}/test")),
        ("GET", format!("webhooks/{id}/deliveries")),
        ("POST", format!("webhooks/{id}/replay")),
        ("POST", format!("webhooks/{id}/rotate-secret")),
    ] {
        let asked = hub.request(method, &channel.path(&what)).json(&json!({"url": receiver.url("b")}));
        asked.bearer(&other.token).send().refused(401, "unauthorized");
        if what.contains(id.as_str()) {
            other.request(method, &what).send().refused(404, "not_found");
        }
        hub.request(method, &hub.band("general").path(&what)).send().refused(403, "forbidden");
    }
    assert_eq!(channel.get("webhooks").ok()["webhooks"].as_array().unwrap().len(), 1);
}

#[test]
fn a_forbidden_address_is_refused() {
    let hub = Hub::start();
    let channel = hub.channel();
    for url in [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fd00::1]/",
        "http://0/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:22/",
        "ftp://127.0.0.1/",
        "nonsense",
    ] {
        let refused = try_subscribe(&channel, &json!({"url": url})).refused(400, "invalid");
        assert!(refused["error"].as_str().unwrap().starts_with("`url`"), "{refused}");
        let created = hub.post("/api/channels").json(&json!({"webhook": url})).send();
        created.refused(400, "invalid");
    }
    let refused = try_subscribe(&channel, &json!({"url": "http://127.0.0.1:9000/", "events": ["message.sent"]}));
    refused.refused(400, "invalid");
    try_subscribe(&channel, &json!({"url": "http://127.0.0.1:9000/", "retry": "never"})).refused(400, "invalid");
    try_subscribe(&channel, &json!({})).refused(400, "invalid");
}

#[test]
fn a_channel_is_created_with_its_webhook() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let created = hub.post("/api/channels").json(&json!({"webhook": receiver.url("made")})).send().ok();
    let secret = created["webhook"]["secret"].as_str().unwrap();
    assert!(created["webhook"]["note"].as_str().unwrap().contains("encrypted"), "{created}");
    let text = |field: &str| created[field].as_str().unwrap();
    let channel = rogerrat_testkit::Channel::new(*hub, text("channel_id"), text("join_token"));
    channel.join("ann").say("hello");
    assert_eq!(receiver.wait_for("made", 1)[0].text(), "hello");
    assert_eq!(receiver.verify(&[secret]).0, 1);
}

#[test]
fn a_hub_behind_a_proxy_sends_nothing_to_its_own_machine() {
    for flags in [["--trusted-proxy", "127.0.0.1"], ["--origin", "https://hub.example.org"]] {
        let hub = Hub::with(&flags, &[]);
        for url in ["http://127.0.0.1:1999/hook", "http://localhost:1999/hook", "http://[::1]:1999/hook"] {
            try_subscribe(&hub.channel(), &json!({"url": url})).refused(400, "invalid");
        }
    }
}
