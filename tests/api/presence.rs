//! A12: how members can be reached, and what they have not read.

use rogerrat_testkit::{Agent, Channel, Hub, wait_until};
use serde_json::{Value, json};

/// A member's row in one of the lists of the roster.
fn row(channel: &Channel, list: &str, callsign: &str) -> Value {
    let roster = channel.get("roster").ok();
    let rows = roster[list].as_array().unwrap();
    rows.iter().find(|row| row["callsign"] == callsign).unwrap_or_else(|| panic!("{callsign}: {roster}")).clone()
}

/// A member's `reach`, `reads` and number of unread messages.
fn state(channel: &Channel, callsign: &str) -> (Value, Value, u64) {
    let (short, full) = (row(channel, "roster_all", callsign), row(channel, "members", callsign));
    assert_eq!((&short["unread"], &short["online"]), (&full["unread"], &full["online"]), "both lists agree");
    (short["reach"].clone(), full["reads"].clone(), short["unread"].as_u64().unwrap())
}

fn trio(hub: &Hub) -> (Channel, Agent, Agent) {
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    (channel, ann, bob)
}

#[test]
fn a12_the_roster_says_how_a_member_reads_and_what_it_has_not_read() {
    let hub = Hub::start();
    let (channel, ann, bob) = trio(&hub);
    assert_eq!(state(&channel, "bob"), (json!("away"), Value::Null, 0));
    let poll = bob.park("wait?timeout=60");
    assert_eq!(state(&channel, "bob"), (json!("poll"), json!("poll"), 0));
    ann.say("one");
    poll.answer();
    let mut stream = bob.stream("");
    assert_eq!(state(&channel, "bob"), (json!("stream"), json!("stream"), 0));
    ann.say("two");
    assert_eq!(stream.text(), "two");
    wait_until("two is read", || state(&channel, "bob").2 == 0);
    stream.disconnect();
    wait_until("the stream is closed", || state(&channel, "bob").0 == "away");
    let sent = [ann.say("three"), ann.send("bob", "four")];
    assert_eq!(state(&channel, "bob").2, 2);
    assert_eq!(state(&channel, "ann").2, 0, "one's own messages are none");
    let (short, full) = (row(&channel, "roster_all", "bob"), row(&channel, "members", "bob"));
    assert!(short["oldest_unread_at"].as_u64().unwrap() <= sent[0], "{short}");
    assert!(full["oldest_unread_seconds"].as_u64().unwrap() < 60, "{full}");
    assert_eq!(full["last_ack_at"], Value::Null);
    bob.get("listen?timeout=1&ack=manual&consumer=side").ok();
    assert_eq!(state(&channel, "bob").2, 0, "one of its consumers was given them");
    bob.post("ack", &json!({"upto": sent[1], "consumer": "side"})).ok();
    let full = row(&channel, "members", "bob");
    assert!(full["last_ack_at"].as_u64().unwrap() >= sent[0], "{full}");
    assert_eq!((&full["oldest_unread_seconds"], &full["hook"]), (&Value::Null, &json!(false)));
}

#[test]
fn a12_a_member_is_seen_when_it_was_last_active_not_when_its_session_ended() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 1.5}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    bob.get("listen?timeout=1").ok();
    let seen = |callsign: &str| row(&channel, "roster_all", callsign)["seen_at"].as_u64().unwrap();
    let last = seen("bob");
    wait_until("bob expires", || {
        ann.post("keepalive", &json!({})).ok();
        row(&channel, "roster_all", "bob")["online"] == false
    });
    assert_eq!(seen("bob"), last);
    assert_eq!(row(&channel, "members", "bob")["last_seen_at"], last, "both lists agree");
    assert!(seen("ann") > last);
}

#[test]
fn a12_the_reply_to_a_dm_says_how_its_recipient_can_be_reached() {
    let hub = Hub::start();
    let (_, ann, bob) = trio(&hub);
    let dm = |text: &str| ann.try_send(&json!({"to": "bob", "message": text})).ok()["recipient"].clone();
    let away = dm("one");
    assert_eq!((&away["reads"], &away["hook"], &away["unread"]), (&Value::Null, &json!(false), &json!(1)));
    assert!(away["last_seen_at"].is_u64() && away["oldest_unread_seconds"].is_u64(), "{away}");
    bob.listen();
    let poll = bob.park("wait?timeout=60");
    let waiting = dm("two");
    assert_eq!((&waiting["reads"], &waiting["unread"]), (&json!("poll"), &json!(0)));
    poll.answer();
    let _stream = bob.stream("");
    assert_eq!(dm("three")["reads"], "stream");
    assert_eq!(ann.try_send(&json!({"message": "to all"})).ok()["recipient"], Value::Null);
    assert_eq!(ann.try_send(&json!({"to": "ann", "message": "to myself"})).ok()["recipient"], Value::Null);
}

#[test]
fn a12_where_dms_are_private_presence_does_not_give_away_dms_of_others() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"dm_visibility": "private"}));
    let (ann, bob, eve) = (channel.join("ann"), channel.join("bob"), channel.join("eve"));
    ann.send("bob", "secret");
    let seen_by = |agent: &Agent| {
        let roster = agent.get("roster").ok();
        let row = roster["roster_all"].as_array().unwrap().iter().find(|row| row["callsign"] == "bob").unwrap();
        (row["unread"].as_u64().unwrap(), row["oldest_unread_at"].is_u64())
    };
    assert_eq!((seen_by(&ann), seen_by(&bob), seen_by(&eve)), ((1, true), (1, true), (0, false)));
    assert_eq!(row(&channel, "roster_all", "bob")["unread"], 0, "nor to a caller without a session");
    let reply = eve.try_send(&json!({"to": "bob", "message": "of mine"})).ok();
    assert_eq!(reply["recipient"]["unread"], 1);
}

#[test]
fn a12_an_identity_is_marked_in_the_roster() {
    let hub = Hub::start();
    let opened = hub.post("/api/account").json(&json!({})).send().ok();
    let session = opened["session_token"].as_str().unwrap();
    let identity = hub.post("/api/account/identities").bearer(session).json(&json!({"callsign": "owl"})).send().ok();
    let channel = hub.channel();
    channel.try_join(&json!({"identity_key": identity["identity_key"]})).ok();
    channel.join("ann");
    assert_eq!(row(&channel, "members", "owl")["verified"], "identity");
    assert_eq!(row(&channel, "members", "ann")["verified"], Value::Null);
    let hook = json!({"url": "http://127.0.0.1:9999/x"});
    hub.post("/api/account/webhooks").bearer(session).json(&hook).send().ok();
    let full = row(&channel, "members", "owl");
    assert_eq!(full["hook"], true, "{full}");
    assert!(full.get("account").is_none());
}

#[test]
fn a12_a_roster_can_be_limited_to_those_online_and_seen_last() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let agents: Vec<_> = (0..30).map(|n| channel.join(&format!("agent-{n:02}"))).collect();
    agents[..20].iter().for_each(Agent::leave);
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|row| row["callsign"].as_str().unwrap_or_default().into()).collect()
    };
    let roster = channel.get("roster?limit=12").ok();
    assert_eq!(roster["more"], 18);
    assert_eq!(roster["roster"].as_array().unwrap().len(), 10);
    let members = names(&roster["members"]);
    assert_eq!((members.len(), &*members[0], &*members[9]), (12, "agent-20", "agent-29"));
    assert_eq!(names(&roster["roster_all"]).len(), 12);
    assert_eq!(channel.get("roster?limit=0").ok()["members"].as_array().unwrap().len(), 1);
    let all = channel.get("roster").ok();
    assert_eq!((names(&all["members"]).len(), names(&all["roster_all"]).len(), &all["more"]), (30, 30, &Value::Null));
    channel.get("roster?limit=some").refused(400, "invalid");
}

#[test]
fn a12_presence_survives_a_restart() {
    for settings in [json!({"durability": "disk"}), json!({})] {
        let mut hub = Hub::start();
        let channel = hub.channel_with(&settings);
        let (ann, bob) = (channel.join("ann"), channel.join("bob"));
        let id = ann.send("bob", "one");
        bob.get("listen?timeout=1&ack=manual").ok();
        bob.post("ack", &json!({"upto": id})).ok();
        ann.send("bob", "two");
        let before = row(&channel, "members", "bob");
        hub.restart();
        let after = row(&channel, "members", "bob");
        assert_eq!((&after["last_seen_at"], &after["online"]), (&before["last_seen_at"], &json!(true)), "{after}");
        assert_eq!(after["last_ack_at"], before["last_ack_at"]);
        if settings != json!({}) {
            assert_eq!(after["unread"], 1);
        }
    }
}

#[test]
fn a12_what_a_member_says_of_itself_is_in_the_roster_and_survives_a_kill() {
    let mut hub = Hub::start();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let ann = channel.join("ann");
    let bob = channel.join("bob");
    bob.post("join", &json!({"callsign": "bob", "about": "reviews\nand tests"})).ok();
    let body = json!({"kind": "status", "state": "quota", "until_seconds": 3600, "message": "limit\u{202e}"});
    let sent = bob.try_send(&body).ok();
    ann.try_send(&json!({"to": "bob", "wants": "work", "message": "fix it"})).ok();
    assert_eq!(bob.post("keepalive", &json!({})).ok()["tasks"], json!({"for_you": 1}));
    bob.post("tasks/take", &json!({})).ok();
    let full = row(&channel, "members", "bob");
    let until = &full["until"];
    assert_eq!(until.as_u64().unwrap(), sent["at"].as_u64().unwrap() + 3_600_000);
    assert_eq!((&full["state"], &full["note"], &full["holds"]), (&json!("quota"), &body["message"], &json!(1)));
    assert_eq!((&full["about"], &full["overdue"]), (&json!("reviews\nand tests"), &Value::Null));
    let reply = ann.try_send(&json!({"to": "bob", "message": "hi"})).ok();
    assert_eq!((&reply["recipient"]["state"], &reply["recipient"]["until"]), (&json!("quota"), until));
    assert_eq!(reply["tasks"], Value::Null);
    hub.kill();
    hub.start_again(&[], &[]);
    let full = row(&channel, "members", "bob");
    assert_eq!((&full["state"], &full["until"], &full["holds"]), (&json!("quota"), until, &json!(1)));
    assert_eq!((&full["about"], &full["note"]), (&json!("reviews\nand tests"), &Value::Null));
    let short = row(&channel, "roster_all", "bob");
    assert_eq!((&short["state"], &short["until"]), (&json!("quota"), until));
}

#[test]
fn a12_a_state_that_is_not_valid_is_refused_with_what_to_do() {
    let hub = Hub::start();
    let (_, ann, _) = trio(&hub);
    for body in [
        json!({"kind": "status", "state": "done"}),
        json!({"kind": "status", "state": "away", "to": "bob"}),
        json!({"kind": "status", "state": "away", "until_seconds": 0}),
        json!({"kind": "status", "until_seconds": 5, "message": "x"}),
        json!({"state": "away", "reply_to": 1, "message": "x"}),
        json!({"until_seconds": 5, "message": "x"}),
    ] {
        ann.try_send(&body).refused(400, "invalid");
    }
    ann.try_send(&json!({"kind": "status", "state": "dancing"})).refused(400, "invalid");
}
