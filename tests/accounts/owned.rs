//! Channels that an account owns.

use rogerrat_testkit::{Channel, Hub, Stream};
use serde_json::json;

use super::account_client::Account;

#[test]
fn an_account_lists_its_channels_and_no_others() {
    let hub = Hub::unlimited();
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    hub.channel();
    bob.channel(&json!({}));
    let first = ann.channel(&json!({"retention": "full"}));
    let second = ann.channel(&json!({"require_identity": true, "trust_mode": "trusted"}));
    first.join("cat");
    let list = ann.get("/channels").ok();
    let rows = list["channels"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>(), [json!(first.id), json!(second.id)]);
    assert_eq!((&rows[0]["retention"], &rows[0]["agent_count"]), (&json!("full"), &json!(1)));
    assert_eq!((&rows[1]["require_identity"], &rows[1]["trust_mode"]), (&json!(true), &json!("trusted")));
    assert!(rows.iter().all(|row| row["created_at"].as_u64().unwrap() > 1_600_000_000_000));
    assert_eq!(bob.get("/channels").ok()["channels"].as_array().unwrap().len(), 1);
}

#[test]
fn rotating_the_token_revokes_the_old_one_and_keeps_members() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    for settings in [json!({}), json!({"durability": "disk"})] {
        let old = ann.channel(&settings);
        let agent = old.join("cat");
        let mut stream = Stream::open(agent.request("GET", "stream"));
        let rotated = ann.post(&format!("/channels/{}/rotate-token", old.id), &json!({})).ok();
        assert_eq!(rotated["channel_id"], json!(old.id));
        let new = Channel { token: rotated["join_token"].as_str().unwrap().into(), ..old.clone() };
        assert_ne!(new.token, old.token);
        old.get("roster").refused(401, "unauthorized");
        agent.post("send", &json!({"message": "with the old one"})).refused(401, "unauthorized");
        let sent = new.request("POST", "send").session(&agent.session).json(&json!({"message": "hi"})).send();
        sent.ok();
        new.join("dan").say("the stream continues");
        assert_eq!(stream.text(), "the stream continues");
        assert_eq!(new.roster(), ["cat", "dan"]);
    }
}

#[test]
fn d39_an_owner_sees_the_members_of_its_channels_and_no_others() {
    let hub = Hub::unlimited();
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    let channel = ann.channel(&json!({"durability": "disk", "dm_visibility": "private"}));
    let (cat, dan) = (channel.join("cat"), channel.join("dan"));
    dan.leave();
    cat.say("not shown");
    let shown = ann.get(&format!("/channels/{}", channel.id)).ok();
    let row = &ann.get("/channels").ok()["channels"][0];
    for (field, value) in row.as_object().unwrap() {
        assert_eq!(&shown[field], value, "{field}");
    }
    assert_eq!((&shown["durability"], &shown["dm_visibility"]), (&json!("disk"), &json!("private")));
    assert_eq!((&shown["roster"], &shown["agent_count"]), (&json!(["cat"]), &json!(1)));
    let all: Vec<_> = shown["roster_all"].as_array().unwrap().iter().map(|m| (&m["callsign"], &m["online"])).collect();
    assert_eq!(all, [(&json!("cat"), &json!(true)), (&json!("dan"), &json!(false))]);
    let present: Vec<_> = shown["members"].as_array().unwrap().iter().map(|m| &m["callsign"]).collect();
    assert_eq!(present, ["cat", "dan"]);
    let text = shown.to_string();
    assert!(!text.contains("not shown") && !text.contains(&cat.session) && !text.contains(&channel.token), "{text}");
    for path in [format!("/channels/{}", channel.id), format!("/channels/{}/sessions/cat", channel.id)] {
        let method = if path.ends_with("cat") { "DELETE" } else { "GET" };
        bob.request(method, &path).send().refused(404, "not_found");
        hub.request(method, &format!("/api/account{path}")).send().refused(401, "unauthorized");
        hub.request(method, &format!("/api/account{path}")).bearer(&channel.token).send().refused(401, "unauthorized");
    }
    for other in [hub.channel().id.as_str(), "general", "no-such-channel"] {
        ann.get(&format!("/channels/{other}")).refused(404, "not_found");
        ann.delete(&format!("/channels/{other}/sessions/cat")).refused(404, "not_found");
    }
    assert_eq!(channel.roster(), ["cat"]);
}

#[test]
fn d39_an_owner_ends_the_session_of_a_member() {
    let mut hub = Hub::unlimited();
    let ann = Account::open(&hub);
    for settings in [json!({}), json!({"durability": "disk"})] {
        let channel = ann.channel(&settings);
        let (cat, dan) = (channel.join("cat"), channel.join("dan"));
        let mut stream = Stream::open(cat.request("GET", "stream?consumer=second"));
        let poll = cat.park("wait?timeout=60");
        let path = |callsign: &str| format!("/channels/{}/sessions/{callsign}", channel.id);
        assert_eq!(ann.delete(&path("cat")).ok(), json!({"ok": true, "ended": true}));
        let end = stream.last();
        assert_eq!((end.name(), &end.data()["reason"]), ("bye", &json!("evicted")));
        assert_eq!(poll.answer()["timed_out"], true);
        for (method, what) in [("GET", "listen"), ("GET", "wait?timeout=1"), ("GET", "stream"), ("POST", "keepalive")] {
            cat.request(method, what).send().refused(410, "session_expired");
        }
        assert_eq!(channel.roster(), ["dan"]);
        assert_eq!(ann.delete(&path("cat")).ok(), json!({"ok": true, "ended": false}), "it had none");
        assert_eq!(ann.delete(&path("nobody")).ok(), json!({"ok": true, "ended": false}));
        ann.delete(&path("a%20b")).refused(400, "invalid");
        hub.restart();
        cat.request("GET", "listen").send().refused(410, "session_expired");
        dan.say("still here");
        // The token still admits it, so an owner who wants it out rotates the token first.
        assert_ne!(channel.join("cat").session, cat.session);
    }
}

#[test]
fn deleting_a_channel_ends_its_streams() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let channel = ann.channel(&json!({"retention": "full"}));
    let agent = channel.join("cat");
    let mut stream = Stream::open(agent.request("GET", "stream"));
    assert_eq!(ann.delete(&format!("/channels/{}", channel.id)).ok(), json!({"ok": true}));
    assert_eq!(stream.last().data()["reason"], "deleted");
    for what in ["roster", "history", "transcript"] {
        channel.get(what).refused(404, "not_found");
    }
    ann.delete(&format!("/channels/{}", channel.id)).refused(404, "not_found");
    assert_eq!(ann.get("/channels").ok()["channels"], json!([]));
    assert_eq!(ann.get("").ok()["channels"], 0);
}

#[test]
fn of_concurrent_deletes_of_a_channel_one_succeeds() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let channels = || {
        let page = hub.get("/metrics").send().text();
        page.lines().find_map(|line| line.strip_prefix("rogerrat_channels ")?.parse::<u64>().ok()).unwrap()
    };
    let before = channels();
    for _ in 0..8 {
        let path = format!("/channels/{}", ann.channel(&json!({})).id);
        let asked: Vec<_> = (0..8).map(|_| ann.request("DELETE", &path).start()).collect();
        let mut statuses: Vec<_> = asked.into_iter().map(|mut conn| conn.reply().unwrap().status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 404, 404, 404, 404, 404, 404, 404]);
    }
    assert_eq!(channels(), before);
}
