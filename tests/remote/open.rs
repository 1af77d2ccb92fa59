//! Opening remote control over HTTP: what it creates, for whom, and that a refusal leaves nothing.

use rogerrat_testkit::Hub;
use serde_json::json;

use super::kit::{about, channel, join, open, parts, text, try_join, try_open};

#[test]
fn d40_agent_and_phone_are_trusted_and_both_talk() {
    let hub = Hub::unlimited();
    for body in [None, Some("{}"), Some(r#"{"unknown":1}"#)] {
        let request = try_open(*hub);
        let remote = match body {
            Some(body) => request.body(body).send().ok(),
            None => request.send().ok(),
        };
        let pin = text(&remote["owner_password"]);
        assert!(pin.len() == 6 && pin.bytes().all(|digit| digit.is_ascii_digit()), "{pin}");
        assert_eq!((&remote["session_ttl_seconds"], &remote["expires_in_seconds"]), (&json!(86400), &json!(86400)));
        let (agent, phone) = (join(*hub, &remote, "agent"), join(*hub, &remote, "phone"));
        phone.send(text(&remote["agent"]["callsign"]), "status?");
        let heard = agent.get("listen?timeout=5").ok();
        assert_eq!(
            (&heard["messages"][0]["text"], &heard["messages"][0]["verified"]),
            (&json!("status?"), &json!("identity"))
        );
        agent.send(text(&remote["phone"]["callsign"]), "fine");
        assert_eq!(phone.listen(), ["fine"]);
        let about = about(&channel(*hub, &remote));
        assert_eq!((&about["require_identity"], &about["trust_mode"]), (&json!(true), &json!("trusted")));
        assert_eq!(about["retention"], "metadata");
        let without = channel(*hub, &remote).try_join(&json!({"callsign": "guest"}));
        without.refused(403, "forbidden");
    }
}

#[test]
fn d40_the_account_is_new_or_the_one_that_asks() {
    let hub = Hub::unlimited();
    let remote = open(*hub, &json!({}));
    let recovered = hub.post("/api/account/recover").json(&json!({"recovery_token": remote["recovery_token"]})).send();
    assert_eq!(recovered.ok()["account_id"], remote["account_id"]);
    let session = text(&remote["session_token"]);
    let account = hub.get("/api/account").bearer(session).send().ok();
    assert_eq!((&account["account_id"], &account["channels"]), (&remote["account_id"], &json!(1)));
    assert_eq!(account["identities"].as_array().unwrap().len(), 2);
    let second = try_open(*hub).bearer(session).json(&json!({"agent_callsign": " Build-Bot "})).send().ok();
    assert_eq!((&second["account_id"], &second["agent"]["callsign"]), (&remote["account_id"], &json!("build-bot")));
    assert!(second.get("recovery_token").is_none() && second.get("session_token").is_none());
    let account = hub.get("/api/account").bearer(session).send().ok();
    assert_eq!((&account["channels"], account["identities"].as_array().unwrap().len()), (&json!(2), 4));
    join(*hub, &second, "agent");
    let path = format!("/api/account/channels/{}", text(&second["channel_id"]));
    hub.request("DELETE", &path).bearer(session).send().ok();
    try_join(&channel(*hub, &second), &second["agent"], &second["owner_password"]).refused(404, "not_found");
    hub.post("/api/remote-control").bearer("rr_sess_unknown").send().refused(401, "unauthorized");
}

#[test]
fn d40_a_refused_request_leaves_nothing() {
    let hub = Hub::with(
        &["--rate-limit", "off"],
        &[("ROGERRAT_ACCOUNTS__CHANNELS", "2"), ("ROGERRAT_ACCOUNTS__IDENTITIES", "5")],
    );
    let first = open(*hub, &json!({"agent_callsign": "taken"}));
    let session = text(&first["session_token"]);
    let counts = || {
        let account = hub.get("/api/account").bearer(session).send().ok();
        let page = hub.get("/metrics").send().text();
        let channels = page.lines().find_map(|line| line.strip_prefix("rogerrat_channels ")).unwrap().to_owned();
        (account["channels"].clone(), account["identities"].as_array().unwrap().len(), channels)
    };
    let before = counts();
    for (body, status, code) in [
        (json!({"agent_callsign": "free", "phone_callsign": "taken"}), 409, "callsign_taken"),
        (json!({"agent_callsign": "taken"}), 409, "callsign_taken"),
        (json!({"agent_callsign": "free", "phone_callsign": "free"}), 400, "invalid"),
        (json!({"agent_callsign": "admin"}), 409, "callsign_taken"),
        (json!({"agent_callsign": "no spaces"}), 400, "invalid"),
        (json!({"phone_callsign": 7}), 400, "invalid"),
        (json!({"name": "x".repeat(65)}), 400, "invalid"),
        (json!({"qr": "svg"}), 400, "invalid"),
        (json!({"session_ttl_seconds": 86_401}), 400, "invalid"),
        (json!({"retention": "full", "durability": "memory"}), 400, "invalid"),
    ] {
        try_open(*hub).json(&body).send().refused(status, code);
        try_open(*hub).bearer(session).json(&body).send().refused(status, code);
    }
    assert_eq!(counts(), before);
    let second = try_open(*hub).bearer(session).json(&json!({"agent_callsign": "free"})).send().ok();
    try_open(*hub).bearer(session).json(&json!({"agent_callsign": "other"})).send().refused(409, "limit_reached");
    let path = format!("/api/account/channels/{}", text(&second["channel_id"]));
    hub.request("DELETE", &path).bearer(session).send().ok();
    // One identity is left: one of the two would fit.
    try_open(*hub).bearer(session).json(&json!({"agent_callsign": "other"})).send().refused(409, "limit_reached");
    open(*hub, &json!({"agent_callsign": "other"}));
}

#[test]
fn d23_a_hub_with_a_token_opens_remote_control_for_it_and_for_accounts() {
    let hub = Hub::with(&["--token", "the-hub-token"], &[]);
    for wrong in ["", "wrong-token", "rr_sess_none"] {
        try_open(*hub).bearer(wrong).send().refused(401, "unauthorized");
    }
    try_open(*hub).send().refused(401, "unauthorized");
    let remote = try_open(*hub).bearer("the-hub-token").send().ok();
    try_open(*hub).bearer(text(&remote["session_token"])).send().ok();
}

#[test]
fn d26_it_counts_as_a_create_and_as_an_account() {
    let limits = |creates: &'static str, accounts: &'static str| {
        Hub::with(
            &[],
            &[("ROGERRAT_LIMITS__CREATE_PER_ADDRESS", creates), ("ROGERRAT_LIMITS__ACCOUNT_PER_ADDRESS", accounts)],
        )
    };
    let hub = limits("2", "10");
    let remote = open(*hub, &json!({}));
    hub.channel();
    let refused = try_open(*hub).bearer(text(&remote["session_token"])).send();
    refused.refused(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
    let hub = limits("10", "1");
    let remote = open(*hub, &json!({}));
    try_open(*hub).send().refused(429, "rate_limited");
    hub.post("/api/account").send().refused(429, "rate_limited");
    try_open(*hub).bearer(text(&remote["session_token"])).send().ok();
}

#[test]
fn d40_everything_survives_a_restart() {
    let mut hub = Hub::unlimited();
    let remote = open(*hub, &json!({"durability": "disk", "name": "Ann"}));
    join(*hub, &remote, "agent");
    hub.kill();
    hub.start_again(&["--rate-limit", "off"], &[]);
    let phone = join(*hub, &remote, "phone");
    phone.send(text(&remote["agent"]["callsign"]), "are you there?");
    assert_eq!(parts(&remote["mobile_url"]).2["n"], "Ann");
}
