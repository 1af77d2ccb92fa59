//! Administration: inspects channels without their messages, closes sessions, bans and deletes.

use rogerrat_testkit::{Hub, Reply, Request};
use serde_json::{Value, json};

const TOKEN: &str = "the-administrators-own";

const FLAGS: [&str; 4] = ["--admin-token", TOKEN, "--trusted-proxy", "127.0.0.1"];

fn hub() -> Hub {
    Hub::with(&FLAGS, &[])
}

fn ask(hub: &Hub, method: &str, path: &str) -> Request {
    hub.request(method, &format!("/api/admin/{path}")).bearer(TOKEN)
}

fn look(hub: &Hub, path: &str) -> Value {
    ask(hub, "GET", path).send().ok()
}

fn ban(hub: &Hub, what: &Value) -> Reply {
    ask(hub, "POST", "bans").json(what).send()
}

fn strings<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

const PATHS: [(&str, &str); 8] = [
    ("GET", "channels"),
    ("GET", "channels/general"),
    ("DELETE", "channels/general"),
    ("DELETE", "channels/general/sessions/bob"),
    ("GET", "bans"),
    ("POST", "bans"),
    ("DELETE", "bans/ban_0"),
    ("GET", "counters"),
];

#[test]
fn the_administration_is_disabled_without_a_token() {
    let hub = Hub::start();
    for (method, path) in PATHS {
        hub.request(method, &format!("/api/admin/{path}")).bearer(TOKEN).send().refused(403, "forbidden");
    }
}

#[test]
fn a_wrong_token_is_refused_and_guessing_is_limited() {
    let hub = Hub::with(&["--admin-token", TOKEN, "--token", "creators-own"], &[]);
    let wrong = |path: &str, token: Option<&str>| {
        let request = hub.get(&format!("/api/admin/{path}"));
        token.map_or(request, |token| hub.get(&format!("/api/admin/{path}")).bearer(token)).send()
    };
    for token in [None, Some("creators-own"), Some(""), Some("the-administrators-owx"), Some("the-administrators-ow")] {
        wrong("channels/nowhere", token).refused(401, "unauthorized");
    }
    let refused = wrong("bans", Some("guess"));
    refused.refused(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
    wrong("bans", Some(TOKEN)).refused(429, "rate_limited");
}

#[test]
fn the_server_token_and_the_administration_token_must_differ() {
    let output = rogerrat_testkit::run(&["check", "--token", TOKEN, "--admin-token", TOKEN], &[]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("server.admin_token") && !error.contains(TOKEN), "{error}");
}

#[test]
fn channels_are_listed_without_their_messages() {
    let hub = hub();
    let (quiet, channel) = (hub.channel(), hub.channel_with(&json!({"retention": "metadata"})));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    quiet.join("eve");
    ann.say("a secret that is ours");
    ann.send("bob", "and another");
    bob.leave();
    let all = look(&hub, "channels");
    assert_eq!((&all["total"], all["channels"].as_array().unwrap().len()), (&json!(2), 2));
    assert_eq!(
        strings(&look(&hub, "channels?limit=1")["channels"], "id"),
        [channel.id.as_str()],
        "the most recently used"
    );
    let seen = look(&hub, &format!("channels/{}", channel.id));
    assert_eq!(seen, all["channels"][0]);
    assert_eq!((&seen["roster"], &seen["agent_count"], &seen["member_count"]), (&json!(["ann"]), &json!(1), &json!(2)));
    assert_eq!((&seen["retention"], &seen["durability"]), (&json!("metadata"), &json!("memory")));
    assert_eq!((&seen["message_count"], &seen["held_count"]), (&json!(2), &json!(1)));
    assert_eq!((&seen["sessions"][0]["callsign"], &seen["sessions"][0]["idx"]), (&json!("ann"), &json!(1)));
    let text = seen.to_string();
    for secret in ["secret", "another", ann.session.as_str(), channel.token.as_str()] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    ask(&hub, "GET", "channels/nowhere-at-all").send().refused(404, "not_found");
}

#[test]
fn channels_without_a_member_are_listed_apart() {
    let hub = hub();
    let (joined, first, second) =
        (hub.channel(), hub.channel(), hub.channel_with(&json!({"durability": "disk", "retention": "full"})));
    joined.join("ann");
    let all = look(&hub, "channels");
    assert_eq!(strings(&all["channels"], "id"), [joined.id.as_str()]);
    let mut others = strings(&all["unloaded"], "id");
    others.sort_unstable();
    let mut created = [first.id.as_str(), second.id.as_str()];
    created.sort_unstable();
    assert_eq!((others.as_slice(), &all["unloaded_total"]), (created.as_slice(), &json!(2)));
    let row = all["unloaded"].as_array().unwrap().iter().find(|row| row["id"] == second.id.as_str()).unwrap();
    assert_eq!((&row["durability"], &row["retention"]), (&json!("disk"), &json!("full")));
    assert!(!all.to_string().contains(&second.token));
    let two = look(&hub, "channels?limit=2");
    assert_eq!((two["channels"].as_array().unwrap().len(), two["unloaded"].as_array().unwrap().len()), (1, 1));
    assert_eq!(look(&hub, "channels?limit=1")["unloaded"], json!([]));
}

#[test]
fn deleting_a_channel_ends_its_streams() {
    let hub = hub();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let ann = channel.join("ann");
    let mut stream = ann.stream("");
    let path = format!("channels/{}", channel.id);
    ask(&hub, "DELETE", &path).send().ok();
    assert_eq!(stream.last().data()["reason"], "deleted");
    ann.get("roster").refused(404, "not_found");
    ask(&hub, "DELETE", &path).send().refused(404, "not_found");
    ask(&hub, "DELETE", "channels/general").send().refused(403, "forbidden");
    let log = hub.log();
    let line = log.lines().find(|line| line.contains("delete_channel")).unwrap();
    assert!(line.contains("audit") && line.contains(&channel.id) && line.contains("127.0.0.1"), "{line}");
    assert!(!log.contains(TOKEN));
}

#[test]
fn a_closed_session_may_join_again() {
    let hub = hub();
    let channel = hub.channel();
    let bob = channel.join("bob");
    let path = format!("channels/{}/sessions/bob", channel.id);
    let parked = bob.park("wait?timeout=60");
    assert_eq!(ask(&hub, "DELETE", &path).send().ok()["ended"], true);
    parked.conn().reply().unwrap();
    bob.get("listen?timeout=1").refused(410, "session_expired");
    assert_eq!(ask(&hub, "DELETE", &path).send().ok()["ended"], false);
    assert_ne!(bob.rejoin().session, bob.session);
    ask(&hub, "DELETE", &format!("channels/{}/sessions/a%20b", channel.id)).send().refused(400, "invalid");
}

#[test]
fn a_banned_callsign_cannot_join_until_the_ban_is_lifted() {
    let hub = hub();
    let (here, there) = (hub.channel(), hub.channel());
    let (bob, other) = (here.join("bob"), there.join("bob"));
    let banned = ban(&hub, &json!({"callsign": "Bob", "channel_id": here.id, "reason": "spam"})).ok();
    assert_eq!((&banned["callsign"], &banned["sessions_ended"]), (&json!("bob"), &json!(1)));
    bob.get("listen?timeout=1").refused(410, "session_expired");
    here.try_join(&json!({"callsign": "bob"})).refused(403, "banned");
    other.say("not banned here");
    assert_eq!(look(&hub, "bans")["bans"][0]["reason"], "spam");

    let everywhere = ban(&hub, &json!({"callsign": "bob"})).ok();
    assert_eq!(everywhere["sessions_ended"], 1);
    there.try_join(&json!({"callsign": "bob"})).refused(403, "banned");
    hub.band("general").try_join(&json!({"callsign": "bob"})).refused(403, "banned");
    there.join("ann");

    for id in strings(&look(&hub, "bans")["bans"], "id") {
        ask(&hub, "DELETE", &format!("bans/{id}")).send().ok();
        ask(&hub, "DELETE", &format!("bans/{id}")).send().refused(404, "not_found");
    }
    assert_eq!(look(&hub, "bans")["bans"], json!([]));
    here.join("bob");
}

#[test]
fn every_request_of_a_banned_address_is_refused() {
    let hub = hub();
    let channel = hub.channel();
    let from = |path: &str, address: &str| hub.get(path).header("x-forwarded-for", address).send();
    let banned = ban(&hub, &json!({"address": "192.0.2.0/24"})).ok();
    let path = format!("/api/channels/{}", channel.id);
    for path in [path.as_str(), "/", "/mcp", "/nowhere"] {
        from(path, "192.0.2.7").refused(403, "banned");
    }
    from(&path, "192.0.3.7").ok();
    assert_eq!((from("/livez", "192.0.2.7").status, from("/admin", "192.0.2.7").status), (200, 200));
    let script = static_file(&from("/admin", "192.0.2.7").text());
    assert_eq!(from(&script, "192.0.2.7").status, 200);
    let own = hub.post("/api/admin/bans").bearer(TOKEN).header("x-forwarded-for", "198.51.100.1");
    own.json(&json!({"address": "198.51.100.1"})).send().refused(400, "invalid");
    let seen = hub.get("/api/admin/bans").bearer(TOKEN).header("x-forwarded-for", "198.51.100.1").send().ok();
    assert_eq!(seen["client_address"], "198.51.100.1");
    let id = banned["id"].as_str().unwrap();
    let lifted = hub.request("DELETE", &format!("/api/admin/bans/{id}")).bearer(TOKEN);
    lifted.header("x-forwarded-for", "192.0.2.7").send().ok();
    from(&path, "192.0.2.7").ok();
}

#[test]
fn bans_survive_a_kill_and_close_existing_sessions() {
    let mut hub = hub();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("before");
    hub.kill();
    hub.start_again(&FLAGS, &[]);
    // The channel is not in memory, and bob's session is still valid.
    assert_eq!(ban(&hub, &json!({"callsign": "bob"})).ok()["sessions_ended"], 0);
    bob.get("listen?timeout=1").refused(410, "session_expired");
    hub.kill();
    hub.start_again(&FLAGS, &[]);
    assert_eq!(look(&hub, "bans")["bans"][0]["callsign"], "bob");
    channel.try_join(&json!({"callsign": "bob"})).refused(403, "banned");
    assert_eq!(channel.history(), ["before"]);
}

#[test]
fn an_invalid_ban_is_refused() {
    let hub = hub();
    for what in [
        json!({}),
        json!({"callsign": "bob", "address": "192.0.2.1"}),
        json!({"callsign": "a b"}),
        json!({"address": "bob"}),
        json!({"address": "0.0.0.0/0"}),
        json!({"callsign": "bob", "seconds": 0}),
        json!({"callsign": 7}),
        json!({"callsign": "bob", "reason": "x".repeat(201)}),
    ] {
        ban(&hub, &what).refused(400, "invalid");
    }
    ban(&hub, &json!({"callsign": "bob", "channel_id": "nowhere"})).refused(404, "not_found");
    assert_eq!(look(&hub, "bans")["bans"], json!([]));
    let counters = look(&hub, "counters");
    assert_eq!((&counters["bans"], &counters["refused"]["invalid"]), (&json!(0), &json!(8)));
}

#[test]
fn a_ban_expires() {
    let hub = hub();
    let channel = hub.channel();
    ban(&hub, &json!({"callsign": "bob", "seconds": 1})).ok();
    channel.try_join(&json!({"callsign": "bob"})).refused(403, "banned");
    rogerrat_testkit::wait_until("the ban ends", || channel.try_join(&json!({"callsign": "bob"})).status == 200);
    assert_eq!(look(&hub, "bans")["bans"], json!([]));
}

#[test]
fn a_banned_callsign_cannot_resume_its_session() {
    let hub = hub();
    let channel = hub.channel();
    channel.join_as("spam", "the-spammers-own");
    ban(&hub, &json!({"callsign": "spam"})).ok();
    let again = || channel.request("POST", "join").session("the-spammers-own").json(&json!({})).send();
    again().refused(403, "banned");
    let sent = channel.request("POST", "send").session("the-spammers-own").json(&json!({"message": "still here"}));
    sent.send().refused(410, "session_expired");
    assert_eq!(channel.history(), [""; 0]);
}

/// The path of a file that a page loads.
fn static_file(page: &str) -> String {
    page.split('"').find(|text| text.starts_with("/static/")).unwrap().to_owned()
}
