//! Web push, to a push service of the tests. `tests/push/run` decrypts the messages with public libraries.

mod service;

use std::fs;

use rogerrat_testkit::{Agent, Channel, Hub, Reply, wait_until};
use serde_json::{Value, json};
use service::PushService;

use crate::accounts::account_client::Account;

const CONTACT: (&str, &str) = ("ROGERRAT_PUSH__CONTACT", "mailto:operator@hub.example.org");
/// A point of the curve, and 16 bytes.
const KEYS: (&str, &str) = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
);

fn hub(service: &PushService) -> Hub {
    Hub::with(&["--rate-limit", "off"], &[CONTACT, ("ROGERRAT_PUSH__HOSTS", &service.origin)])
}

fn input(endpoint: &str) -> Value {
    json!({"endpoint": endpoint, "keys": {"p256dh": KEYS.0, "auth": KEYS.1}, "wants": "all"})
}

fn subscribe(agent: &Agent, endpoint: &str) -> String {
    agent.post("push", &input(endpoint)).ok()["id"].as_str().unwrap().to_owned()
}

fn subscriptions(agent: &Agent) -> Vec<Value> {
    agent.get("push").ok()["subscriptions"].as_array().unwrap().clone()
}

fn test(agent: &Agent, id: &str) -> Value {
    agent.post(&format!("push/{id}/test"), &json!({})).ok()
}

fn delete(agent: &Agent, id: &str) -> Reply {
    agent.call(agent.request("DELETE", &format!("push/{id}")))
}

fn holds(hub: &Hub, needle: &[u8]) -> bool {
    let files = fs::read_dir(hub.data()).unwrap().map(|file| file.unwrap().path());
    files.into_iter().any(|file| fs::read(file).unwrap().windows(needle.len()).any(|part| part == needle))
}

#[test]
fn a28_without_a_contact_push_is_off_and_says_why() {
    let hub = Hub::start();
    let info = hub.get("/api/push").send().ok();
    assert_eq!(info["enabled"], false);
    assert!(info["why"].as_str().unwrap().contains("push.contact") && info.get("public_key").is_none(), "{info}");
    assert_eq!(hub.get("/api/v1/info").send().ok()["features"]["push"], false);
    let ann = hub.channel().join("ann");
    let refused = ann.post("push", &input("https://fcm.googleapis.com/x")).refused(404, "not_found");
    assert!(refused["hint"].as_str().unwrap().contains("push.contact"), "{refused}");
}

#[test]
fn a28_the_key_pair_is_made_once_and_stored_encrypted() {
    let mut hub = Hub::start();
    hub.stop();
    // It was made while push was off.
    hub.start_again(&[], &[CONTACT]);
    let info = hub.get("/api/push").send().ok();
    let key = info["public_key"].as_str().unwrap().to_owned();
    assert!(info["enabled"] == true && key.len() == 87, "{info}");
    assert_eq!(hub.get("/api/v1/info").send().ok()["features"]["push"], true);
    hub.kill();
    hub.start_again(&[], &[CONTACT]);
    assert_eq!(hub.get("/api/push").send().ok()["public_key"], key);
}

#[test]
fn a_subscription_is_added_shown_tested_and_removed_by_its_member_only() {
    let service = PushService::start();
    let hub = hub(&service);
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = subscribe(&bob, &service.endpoint(201, "phone"));
    let shown = &subscriptions(&bob)[0];
    assert_eq!((&shown["id"], &shown["service"], &shown["wants"]), (&json!(id), &json!("127.0.0.1"), &json!("all")));
    assert!(!shown.to_string().contains("phone") && !shown.to_string().contains(KEYS.1), "{shown}");
    assert_eq!(bob.get(&format!("push/{id}")).ok(), *shown);
    assert!(subscriptions(&ann).is_empty());
    for reply in [ann.get(&format!("push/{id}")), delete(&ann, &id), ann.post(&format!("push/{id}/test"), &json!({}))] {
        reply.refused(404, "not_found");
    }
    assert_eq!(channel.get("webhooks").ok(), json!({"webhooks": []}));
    channel.request("DELETE", &format!("webhooks/{id}")).send().refused(404, "not_found");
    assert_eq!(test(&bob, &id), json!({"ok": true, "response_status": 201, "removed": false}));
    let refusing = subscribe(&bob, &service.endpoint(403, "refuses"));
    let tested = test(&bob, &refusing);
    assert_eq!(tested, json!({"ok": false, "response_status": 403, "failure": "status", "removed": false}));
    let dead = subscribe(&bob, &service.endpoint(410, "dead"));
    assert_eq!(test(&bob, &dead)["removed"], true);
    bob.post(&format!("push/{dead}/test"), &json!({})).refused(404, "not_found");
    assert_eq!(delete(&bob, &id).ok(), json!({"ok": true}));
    delete(&bob, &id).refused(404, "not_found");
    assert_eq!(subscriptions(&bob).len(), 1);
}

#[test]
fn d26_subscriptions_and_their_tests_have_a_limit_of_their_own() {
    let service = PushService::start();
    let env = [
        CONTACT,
        ("ROGERRAT_PUSH__HOSTS", &service.origin),
        ("ROGERRAT_LIMITS__PUSH_PER_ADDRESS", "3"),
        ("ROGERRAT_LIMITS__CREATE_PER_ADDRESS", "1"),
    ];
    let hub = Hub::with(&[], &env);
    let bob = hub.channel().join("bob");
    let id = subscribe(&bob, &service.endpoint(201, "phone"));
    assert_eq!(subscribe(&bob, &service.endpoint(201, "phone")), id);
    assert_eq!(test(&bob, &id)["ok"], true);
    bob.post("push", &input(&service.endpoint(201, "phone"))).refused(429, "rate_limited");
    bob.post(&format!("push/{id}/test"), &json!({})).refused(429, "rate_limited");
}

#[test]
fn only_push_services_and_usable_keys_are_accepted() {
    let service = PushService::start();
    let hub = hub(&service);
    let ann = hub.channel().join("ann");
    for endpoint in [
        "https://evil.example/x.fcm.googleapis.com/",
        "https://fcm.googleapis.com.evil.example/x",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://user@fcm.googleapis.com/x",
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/latest",
        "not a url",
        "",
    ] {
        let refused = ann.post("push", &input(endpoint)).refused(400, "invalid");
        assert!(refused["error"].as_str().unwrap().contains("`endpoint`"), "{endpoint}: {refused}");
    }
    let mut off_the_curve = input(&service.endpoint(201, "x"));
    off_the_curve["keys"]["p256dh"] = json!("A".repeat(87));
    ann.post("push", &off_the_curve).refused(400, "invalid");
    ann.post("push", &json!({})).refused(400, "invalid");
    let band = Channel::new(*hub, "general", "");
    let guest = hub.post("/api/channels/general/join").send().ok();
    let session = guest["session_id"].as_str().unwrap();
    let request = hub.post(&band.path("push")).session(session).json(&input(&service.endpoint(201, "x")));
    request.send().refused(403, "forbidden");
}

#[test]
fn a28_a_message_is_pushed_encrypted_and_signed() {
    let service = PushService::start();
    let hub = hub(&service);
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    subscribe(&bob, &service.endpoint(201, "phone"));
    ann.send("bob", "peacock feathers at midnight");
    let pushed = &service.wait_for("phone", 1)[0];
    assert_eq!(pushed.header("content-encoding"), "aes128gcm");
    assert_eq!((pushed.header("ttl"), pushed.header("urgency"), pushed.header("topic").len()), ("3600", "normal", 32));
    let key = hub.get("/api/push").send().ok()["public_key"].as_str().unwrap().to_owned();
    assert!(pushed.header("authorization").ends_with(&format!(", k={key}")), "{pushed:?}");
    assert_eq!(&pushed.body[16..21], [0, 0, 16, 0, 65], "one record of 4096 bytes");
    assert!(!pushed.body.windows(7).any(|part| part == b"peacock"));
    wait_until("its result is shown", || subscriptions(&bob)[0]["last"]["status"] == "delivered");
    assert_eq!(subscriptions(&bob)[0]["last"]["response_status"], 201);
}

#[test]
fn a28_a_push_survives_a_kill_and_is_erased_when_it_is_done() {
    let service = PushService::start();
    let mut hub = hub(&service);
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    subscribe(&bob, &service.endpoint(201, "phone"));
    ann.send("bob", "peacock feathers at midnight");
    hub.kill();
    assert!(service.got("phone").is_empty(), "it waits for 5 seconds");
    assert!(!holds(&hub, b"peacock") && !holds(&hub, KEYS.1.as_bytes()), "text and keys are encrypted");
    hub.start_again(&["--rate-limit", "off"], &[CONTACT, ("ROGERRAT_PUSH__HOSTS", &service.origin)]);
    assert_eq!(service.wait_for("phone", 1).len(), 1);
    let bob = bob.rejoin();
    wait_until("it is done", || subscriptions(&bob)[0]["last"]["status"] == "delivered");
    hub.stop();
    let database = rusqlite::Connection::open(hub.data().join("hub.db")).unwrap();
    let due: i64 = database.query_row("SELECT count(*) FROM payloads", [], |row| row.get(0)).unwrap();
    assert_eq!((due, service.got("phone").len()), (0, 1));
}

#[test]
fn a28_an_account_gets_changes_and_messages_to_its_identities() {
    let service = PushService::start();
    let hub = hub(&service);
    let account = Account::open(&hub);
    let key = account.identity("carol");
    let id = account.post("/push", &input(&service.endpoint(201, "phone"))).ok()["id"].clone();
    assert_eq!(account.get("/push").ok()["subscriptions"][0]["id"], id);
    hub.post("/api/account/recover").json(&json!({"recovery_token": account.recovery})).send().ok();
    assert_eq!(service.wait_for("phone", 1)[0].header("urgency"), "high");
    let channel = hub.channel();
    channel.try_join(&json!({"callsign": "carol", "identity_key": key})).ok();
    let ann = channel.join("ann");
    ann.send("carol", "hello");
    service.wait_for("phone", 2);
    account.rotate("carol");
    service.wait_for("phone", 3);
    let id = id.as_str().unwrap();
    assert_eq!(account.post(&format!("/push/{id}/test"), &json!({})).ok()["ok"], true);
    account.delete(&format!("/push/{id}")).ok();
    account.delete(&format!("/push/{id}")).refused(404, "not_found");
}
