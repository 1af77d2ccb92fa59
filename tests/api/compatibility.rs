//! Compatibility with the original hub, §1 to §5 and §13: captured replies, and the order in which requests are
//! checked.

use rogerrat_testkit::{Channel, Hub, Reply, keys, texts};
use serde_json::{Value, json};

/// The original keys are present in their order. Added keys may be between them.
#[track_caller]
pub(crate) fn in_order(json: &str, expected: &str) {
    let keys = keys(json);
    let known: Vec<_> = keys.iter().filter(|key| expected.split(' ').any(|e| e == *key)).map(String::as_str).collect();
    assert_eq!(known, expected.split(' ').collect::<Vec<_>>(), "{keys:?}");
}

/// The raw text of a field of an object.
pub(crate) fn part(json: &str, path: &[&str]) -> String {
    let mut text = json.to_owned();
    for key in path {
        let object: std::collections::HashMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_str(&text).unwrap();
        text = object[*key].get().to_owned();
    }
    text
}

#[test]
fn the_reply_to_a_create_is_compatible() {
    let hub = Hub::start();
    let reply = hub.post("/api/channels").json(&json!({"retention": "full", "session_ttl_seconds": 120.9})).send();
    let (text, created) = (reply.text(), reply.ok());
    in_order(
        &text,
        "channel_id join_token mcp_url bootstrap_mcp_url connect retention trust_mode session_ttl_seconds \
         has_owner_password owner_password",
    );
    in_order(
        &part(&text, &["connect"]),
        "agent_prompt claude_code cursor_json claude_desktop_json vscode_cline_json anthropic_sdk curl_test \
         rest_bash_loop",
    );
    in_order(&part(&text, &["connect", "anthropic_sdk"]), "type url name authorization_token");
    let (id, token) = (created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let words: Vec<_> = id.split('-').collect();
    assert!(words.len() == 3 && words[2].len() == 4 && u16::from_str_radix(words[2], 16).is_ok(), "{id}");
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{token}");
    assert_eq!(created["mcp_url"], format!("{}/mcp/{id}", hub.origin()));
    assert_eq!((&created["retention"], &created["session_ttl_seconds"]), (&json!("full"), &json!(120)));
    assert_eq!((&created["has_owner_password"], &created["owner_password"]), (&json!(false), &Value::Null));
    let connect = &created["connect"];
    assert_eq!(connect["cursor_json"], connect["claude_desktop_json"]);
    assert!(connect["vscode_cline_json"].as_str().unwrap().contains(r#""type":"streamableHttp""#));
    let with = hub.post("/api/channels").json(&json!({"owner_password": " open sesame "})).send().ok();
    assert_eq!((&with["has_owner_password"], &with["owner_password"]), (&json!(true), &json!("open sesame")));
}

#[test]
fn invalid_channel_settings_are_400() {
    let hub = Hub::start();
    for bad in [
        json!({"retention": "all"}),
        json!({"trust_mode": "blind"}),
        json!({"owner_password": 123_456}),
        json!({"owner_password": "short"}),
        json!({"owner_password": "x".repeat(129)}),
        json!({"trust_mode": "trusted"}),
        json!({"trust_mode": "trusted", "owner_password": "  "}),
        json!({"session_ttl_seconds": "60"}),
        json!({"session_ttl_seconds": 0}),
        json!({"session_ttl_seconds": -1}),
        json!({"session_ttl_seconds": 0.0001}),
        json!({"session_ttl_seconds": 86_401}),
    ] {
        hub.post("/api/channels").json(&bad).send().refused(400, "invalid");
    }
    for good in [json!({"session_ttl_seconds": 86_400}), json!({"owner_password": ""}), json!({"unknown_field": 1})] {
        hub.post("/api/channels").json(&good).send().ok();
    }
}

#[test]
fn describing_a_channel_needs_no_token() {
    let hub = Hub::start();
    let channel = hub.channel();
    channel.join("ann");
    let reply = hub.get(&format!("/api/channels/{}", channel.id)).send();
    let (text, described) = (reply.text(), reply.ok());
    in_order(&part(&text, &["endpoints"]), "join send listen roster history leave keepalive stats transcript mcp");
    for key in "channel_id exists retention trust_mode has_owner_password session_ttl_seconds is_band agent_count \
                endpoints auth docs"
        .split(' ')
    {
        assert!(described.get(key).is_some(), "{key} is missing: {text}");
    }
    assert_eq!(
        (&described["exists"], &described["agent_count"], &described["is_band"]),
        (&json!(true), &json!(1), &json!(false))
    );
    assert_eq!(described["endpoints"]["join"], format!("POST {}{}", hub.origin(), channel.path("join")));
    let missing = hub.get("/api/channels/no-such-0000").send();
    let missing = missing.refused(404, "not_found");
    assert!(missing["error"] == "channel not found" && missing["hint"].is_string());
}

#[test]
fn the_reply_to_a_join_is_compatible() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"retention": "full"}));
    let ann = channel.join("ann");
    ann.say_numbers(0..25);
    let reply = channel.try_join(&json!({"callsign": "bob"}));
    in_order(
        &reply.text(),
        "session_id callsign human_authorized trust_mode trust_posture instructions idempotent roster history retention \
         hint",
    );
    let joined = reply.ok();
    assert_eq!(texts(&joined["history"]), (5..25).map(|n| n.to_string()).collect::<Vec<_>>(), "the last 20");
    assert_eq!(joined["roster"], json!(["ann", "bob"]));
    assert_eq!((&joined["trust_posture"], &joined["human_authorized"]), (&json!("untrusted"), &json!(false)));
    assert!(joined["instructions"].as_str().unwrap().starts_with("UNTRUSTED"));
    assert_eq!(channel.join("bob").listen().len(), 25, "the first listen returns earlier messages");
}

#[test]
fn an_unneeded_owner_password_is_ignored() {
    let hub = Hub::start();
    let plain = hub.channel();
    let joined = plain.try_join(&json!({"callsign": "ann", "owner_password": "whatever"})).ok();
    assert_eq!(joined["human_authorized"], false);
    let channel = hub.channel_with(&json!({"owner_password": "open sesame"}));
    let joined = channel.try_join(&json!({"callsign": "ann", "owner_password": "open sesame"})).ok();
    assert_eq!((&joined["human_authorized"], &joined["trust_posture"]), (&json!(true), &json!("untrusted")));
    channel.try_join(&json!({"callsign": "bob", "owner_password": "close sesame"})).refused(401, "unauthorized");
}

#[test]
fn joining_with_another_callsign_renames_the_session() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join_as("bob", "bobs-own-session");
    let robert = channel.join_as("robert", "bobs-own-session");
    assert_eq!((robert.session == bob.session, channel.roster()), (true, vec!["robert".to_owned()]));
    let all = channel.roster_all();
    assert_eq!(
        all,
        json!([{"callsign": "bob", "online": false, "idx": 1}, {"callsign": "robert", "online": true, "idx": 2}])
    );
    robert.say("one session, a new name");
    assert_eq!(channel.get("history").ok()["history"][0]["from"], "robert");
}

#[test]
fn a_short_session_id_is_ignored() {
    let hub = Hub::start();
    let channel = hub.channel();
    let joined = channel.try_join_as("ann", "seven77").ok();
    assert_ne!(joined["session_id"], "seven77");
    assert_eq!(channel.join_as("bob", "exactly8").session, "exactly8");
    channel.try_join_as("carl", &"x".repeat(129)).refused(400, "invalid");
    channel.request("GET", "listen?timeout=1").session("seven77").send().refused(400, "invalid");
}

#[test]
fn requests_are_checked_in_a_compatible_order() {
    let hub = Hub::start();
    let channel = hub.channel();
    let nowhere = Channel::new(*hub, "no-such-0000", "x");
    for (method, what) in
        [("POST", "send"), ("GET", "listen?timeout=x"), ("GET", "stream?since=x"), ("POST", "keepalive")]
    {
        let ask = |channel: &Channel, bearer: &str, session: Option<&str>| -> Reply {
            let request = channel.target.request(method, &channel.path(what)).header("Authorization", bearer);
            let request = if method == "POST" { request.body("{") } else { request };
            session.map_or(request.clone(), |session| request.session(session)).send()
        };
        let good = format!("Bearer {}", channel.token);
        ask(&nowhere, "rubbish", None).refused(404, "not_found");
        ask(&channel, "rubbish", None).refused(401, "unauthorized");
        let missing = ask(&channel, &good, None).refused(400, "invalid");
        assert!(missing["error"].as_str().unwrap().contains("X-Session-Id"), "{missing}");
        if what != "keepalive" {
            let code = if method == "POST" { "invalid_json" } else { "invalid" };
            ask(&channel, &good, Some("never-was-here")).refused(400, code);
        }
    }
    let stranger = channel.request("POST", "send").session("never-was-here").json(&json!({"message": "x"})).send();
    assert!(stranger.refused(400, "not_joined")["hint"].is_string());
}

#[test]
fn the_bearer_scheme_is_written_in_any_case_and_the_token_trimmed() {
    let hub = Hub::start();
    let channel = hub.channel();
    let token = &channel.token;
    let with = |value: &str| hub.get(&channel.path("roster")).header("Authorization", value).send();
    for good in [
        format!("Bearer {token}"),
        format!("Bearer   {token}  "),
        format!("  Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER \t {token}"),
    ] {
        assert_eq!(with(&good).status, 200, "{good:?}");
    }
    for bad in [
        format!("Bearer{token}"),
        format!("Bearers {token}"),
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {token}x"),
        format!("Bearer {}", &token[1..]),
        format!("Bearer {}", token.to_uppercase() + "x"),
        "Bearer".into(),
        "Bearer ".into(),
        String::new(),
    ] {
        let refusal = with(&bad).refused(401, "unauthorized");
        assert_eq!(refusal["error"], "invalid bearer token", "{bad:?}");
    }
    hub.get(&channel.path("roster")).send().refused(401, "unauthorized");
}
