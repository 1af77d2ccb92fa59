//! The webhooks of an account: direct messages to its identities on any channel.

use rogerrat_testkit::{Agent, Channel, Hub, Reply, wait_until};
use serde_json::{Value, json};

use super::receiver::Receiver;

/// An account of a hub.
pub(crate) struct Account {
    session: String,
}

impl Account {
    pub(crate) fn open(hub: &Hub) -> Self {
        let opened = hub.post("/api/account").json(&json!({})).send().ok();
        Self { session: opened["session_token"].as_str().unwrap().into() }
    }

    pub(crate) fn call(&self, hub: &Hub, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(hub, method, &format!("/api/account{path}"), body).ok()
    }

    pub(crate) fn try_call(&self, hub: &Hub, method: &str, path: &str, body: &Value) -> Reply {
        hub.request(method, path).bearer(&self.session).json(body).send()
    }
}

#[test]
fn an_account_receives_the_dms_to_its_identities_on_every_channel() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let account = Account::open(&hub);
    let identity = account.call(&hub, "POST", "/identities", &json!({"callsign": "owl"}));
    let hook = account.call(&hub, "POST", "/webhooks", &json!({"url": receiver.url("mine")}));
    let mut sent = Vec::new();
    for settings in [json!({}), json!({"dm_visibility": "private"})] {
        let channel = hub.channel_with(&settings);
        let joined = channel.try_join(&json!({"identity_key": identity["identity_key"]})).ok();
        let (owl, ann) = (Agent::from_join(&channel, &joined), channel.join("ann"));
        ann.say("to all");
        owl.send("ann", "from the owl");
        sent.push(ann.send("owl", "to the owl"));
    }
    let got = receiver.wait_for("mine", 2);
    let mut received: Vec<_> = got.iter().map(|got| got.body["message"]["id"].as_u64().unwrap()).collect();
    received.sort_unstable();
    assert_eq!(received, sent);
    receiver.verify(&[hook["secret"].as_str().unwrap()]);
    let id = hook["id"].as_str().unwrap();
    let listed = account.call(&hub, "GET", "/webhooks", &json!({}));
    assert_eq!(listed["webhooks"][0]["id"], id);
    assert_eq!(account.call(&hub, "GET", "", &json!({}))["webhooks"], 1);
    account.call(&hub, "POST", &format!("/webhooks/{id}/test"), &json!({}));
    assert_eq!(receiver.wait_for("mine", 3)[2].body["channel_id"], Value::Null);
    wait_until("no delivery is due", || account.call(&hub, "GET", "/webhooks", &json!({}))["webhooks"][0]["due"] == 0);
    let log = account.call(&hub, "GET", &format!("/webhooks/{id}/deliveries"), &json!({}));
    assert_eq!(log["deliveries"].as_array().unwrap().len(), 3);
    let stranger = Account::open(&hub);
    for (method, what) in [("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries"), ("POST", "/rotate-secret")] {
        let path = format!("/api/account/webhooks/{id}{what}");
        hub.request(method, &path).bearer(&stranger.session).send().refused(404, "not_found");
        hub.request(method, &path).send().refused(401, "unauthorized");
    }
}

#[test]
fn deleting_an_account_deletes_its_webhooks() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let account = Account::open(&hub);
    for n in 0..10 {
        account.call(&hub, "POST", "/webhooks", &json!({"url": receiver.url(&n.to_string())}));
    }
    let full = hub.post("/api/account/webhooks").bearer(&account.session).json(&json!({"url": receiver.url("x")}));
    let refused = full.send().refused(409, "limit_reached");
    assert!(refused["error"].as_str().unwrap().contains("webhooks of an account"), "{refused}");
    let metric = |hub: &Hub| {
        let page = hub.get("/metrics").send().text();
        page.lines().find(|line| line.starts_with("rogerrat_webhook_hooks ")).unwrap().to_owned()
    };
    assert_eq!(metric(&hub), "rogerrat_webhook_hooks 10");
    hub.request("DELETE", "/api/account").bearer(&account.session).send().ok();
    assert_eq!(metric(&hub), "rogerrat_webhook_hooks 0");
}

#[test]
fn a_former_owner_receives_nothing() {
    let (mut hub, receiver) = (Hub::unlimited(), Receiver::start());
    let (first, second) = (Account::open(&hub), Account::open(&hub));
    let make = |hub: &Hub, owner: &Account| owner.call(hub, "POST", "/identities", &json!({"callsign": "owl"}));
    let subscribe = |hub: &Hub, owner: &Account, path: &str| {
        owner.call(hub, "POST", "/webhooks", &json!({"url": receiver.url(path)}));
    };
    let join = |channel: &Channel, identity: &Value| {
        let joined = channel.try_join(&json!({"identity_key": identity["identity_key"]})).ok();
        Agent::from_join(channel, &joined)
    };
    let theirs = make(&hub, &first);
    subscribe(&hub, &first, "first");
    // When the identity is deleted, one owl is on its channel and another has left.
    let channels = [hub.channel(), hub.channel(), hub.channel_with(&json!({"durability": "disk"}))];
    let anns = channels.each_ref().map(|channel| channel.join("ann"));
    let owls = channels.each_ref().map(|channel| join(channel, &theirs));
    owls[1].leave();
    anns[0].send("owl", "before");
    receiver.wait_for("first", 1);
    // Another key of the same identity keeps the webhook.
    let theirs = first.call(&hub, "POST", "/identities/owl/rotate-key", &json!({}));
    anns[2].send("owl", "still mine");
    receiver.wait_for("first", 2);
    join(&channels[2], &theirs);
    first.call(&hub, "DELETE", "/identities/owl", &json!({}));
    subscribe(&hub, &second, "second");
    let ours = make(&hub, &second);
    anns.iter().for_each(|ann| drop(ann.try_send(&json!({"to": "owl", "message": "not theirs"}))));
    hub.kill();
    hub.start_again(&["--rate-limit", "off"], &[]);
    for (n, ann) in anns.iter().enumerate() {
        ann.try_send(&json!({"to": "owl", "message": "not theirs either"}));
        join(&channels[n], &ours);
        ann.send("owl", &format!("ours {n}"));
    }
    let mut received: Vec<_> = receiver.wait_for("second", 3).iter().map(|got| got.text().to_owned()).collect();
    received.sort_unstable();
    assert_eq!(received, ["ours 0", "ours 1", "ours 2"]);
    let due = |owner: &Account| owner.call(&hub, "GET", "/webhooks", &json!({}))["webhooks"][0]["due"].clone();
    wait_until("nothing is due", || due(&first) == 0 && due(&second) == 0);
    let received: Vec<_> = receiver.got_at("first").iter().map(|got| got.text().to_owned()).collect();
    assert_eq!(received, ["before", "still mine"]);
    // An identity that is created after the webhook counts, too.
    let owlet = first.call(&hub, "POST", "/identities", &json!({"callsign": "owl2"}));
    join(&channels[0], &owlet);
    anns[0].send("owl2", "to the new one");
    receiver.wait_for("first", 3);
}
