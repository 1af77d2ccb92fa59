//! The links for a phone: their origin, their parts, their QR codes; adding a phone to a channel; QR codes of any text.

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::kit::{
    about, channel, decode_blocks, decode_data_url, decode_rows, join, open, parts, text, try_join, try_open,
};

#[test]
fn d40_the_link_has_every_part_and_the_protected_one_all_but_the_pin() {
    let hub = Hub::unlimited();
    let remote = open(*hub, &json!({"name": "Añ R&D;x", "phone_callsign": "ann"}));
    let (origin, channel, link) = parts(&remote["mobile_url"]);
    assert_eq!((origin, &json!(channel)), (hub.origin(), &remote["channel_id"]));
    let expected = json!({
        "t": remote["channel_token"], "k": remote["phone"]["identity_key"], "cs": "ann", "p": remote["owner_password"],
        "n": "Añ R\u{ff06}D;x",
    });
    assert_eq!(json!(link), expected);
    let (_, _, mut protected) = parts(&remote["mobile_url_protected"]);
    protected.insert("p".into(), text(&remote["owner_password"]).into());
    assert_eq!(protected, link);
    assert!(!text(&remote["mobile_url_protected"]).contains(text(&remote["owner_password"])));
    let handoff = text(&remote["operator_handoff"]);
    for part in ["mobile_url", "mobile_url_protected", "owner_password"] {
        assert!(handoff.contains(text(&remote[part])), "{part}: {handoff}");
    }
    assert!(!parts(&open(*hub, &json!({"name": " "}))["mobile_url"]).2.contains_key("n"));
}

#[test]
fn d40_every_qr_code_is_decoded_to_the_link() {
    let hub = Hub::unlimited();
    let all = open(*hub, &json!({}));
    let link = text(&all["mobile_url"]);
    assert_eq!(decode_data_url(text(&all["qr_data_url"])), link);
    assert_eq!(decode_blocks(text(&all["qr_ascii_clean"]), false), link);
    let ansi = text(&all["qr_ascii"]).replace("\u{1b}[30;107m", "").replace("\u{1b}[0m", "");
    assert_eq!(decode_blocks(&ansi, true), link);
    for (form, fields) in [("ascii", [true, true, false]), ("png", [false, false, true]), ("none", [false; 3])] {
        let remote = open(*hub, &json!({"qr": form}));
        let has = ["qr_ascii", "qr_ascii_clean", "qr_data_url"].map(|field| remote.get(field).is_some());
        assert_eq!(has, fields, "{form}");
    }
}

#[test]
fn d40_a_link_that_no_phone_can_open_comes_with_a_notice() {
    let hub = Hub::unlimited();
    for host in ["127.0.0.1:7", "localhost", "park.localhost:80", "[::1]:7"] {
        let remote = try_open(*hub).header("Host", host).send().ok();
        assert!(text(&remote["notice"]).contains("--lan"), "{host}: {}", remote["notice"]);
        assert!(text(&remote["mobile_url"]).starts_with(&format!("http://{host}/remote/")), "{host}");
    }
    let remote = try_open(*hub).header("Host", "192.168.1.5:7424").send().ok();
    assert!(remote.get("notice").is_none());
    assert!(text(&remote["mobile_url"]).starts_with("http://192.168.1.5:7424/remote/"));
}

#[test]
fn d40_the_configured_origin_comes_before_the_local_network_and_both_before_the_caller() {
    let hub = Hub::with(&["--origin", "https://hub.example.org"], &[]);
    let remote = open(*hub, &json!({}));
    assert!(text(&remote["mobile_url"]).starts_with("https://hub.example.org/remote/"));
    assert!(remote.get("notice").is_none());
    let hub = Hub::with(&["--lan", "--token", "the-hub-token"], &[]);
    let remote = try_open(*hub).bearer("the-hub-token").send().ok();
    let first = hub.banner.lines().filter_map(|line| line.strip_prefix("  http://")).nth(1);
    // Without a network there is no other address.
    let origin = first.map_or_else(|| hub.origin(), |address| format!("http://{address}"));
    assert!(text(&remote["mobile_url"]).starts_with(&format!("{origin}/remote/")), "{origin}: {}", hub.banner);
    assert_eq!(remote.get("notice").is_some(), first.is_none());
    assert!(text(&remote["setup_command"]).contains(&hub.origin()), "the agent uses the address it called");
}

fn link(hub: &Hub, channel: &Value, body: &Value) -> rogerrat_testkit::Reply {
    let path = format!("/api/channels/{}/remote-link", text(&channel["channel_id"]));
    hub.post(&path).bearer(text(&channel["token"])).json(body).send()
}

#[test]
fn d40_a_phone_is_added_to_a_channel_and_gets_a_pin_only_where_there_is_none() {
    let hub = Hub::unlimited();
    let account = hub.post("/api/account").send().ok();
    let session = &account["session_token"];
    let plain = hub.channel();
    let at = json!({"channel_id": plain.id, "token": plain.token});
    let before = about(&plain);
    let added = link(&hub, &at, &json!({"session_token": session, "name": "Ann"})).ok();
    assert_eq!(added["owner_password_existing"], false);
    assert_eq!(parts(&added["mobile_url"]).2["p"], text(&added["owner_password"]));
    assert_eq!(decode_data_url(text(&added["qr_data_url"])), text(&added["mobile_url"]));
    let mut after = about(&plain);
    after["has_owner_password"] = before["has_owner_password"].clone();
    assert_eq!(after, before, "no other setting changes");
    try_join(&plain, &added["phone"], &json!("000000")).refused(401, "unauthorized");
    try_join(&plain, &added["phone"], &added["owner_password"]).ok();
    let again = link(&hub, &at, &json!({"session_token": session, "phone_callsign": "second"})).ok();
    assert_eq!((&again["owner_password"], &again["owner_password_existing"]), (&Value::Null, &json!(true)));
    assert_eq!(again["mobile_url"], again["mobile_url_protected"]);
    assert!(!parts(&again["mobile_url"]).2.contains_key("p"));
    try_join(&plain, &again["phone"], &added["owner_password"]).ok();
    let remote = open(*hub, &json!({}));
    let of_remote = json!({"channel_id": remote["channel_id"], "token": remote["channel_token"]});
    let third = link(&hub, &of_remote, &json!({"session_token": session})).ok();
    try_join(&channel(*hub, &remote), &third["phone"], &remote["owner_password"]).ok();
    assert_eq!(third["owner_password_existing"], true);
}

#[test]
fn d40_adding_a_phone_needs_both_tokens_and_takes_over_no_channel() {
    let hub = Hub::unlimited();
    let (ann, bob) = (hub.post("/api/account").send().ok(), hub.post("/api/account").send().ok());
    let session = |account: &Value| text(&account["session_token"]).to_owned();
    let owned = hub.post("/api/channels").bearer(&session(&ann)).send().ok();
    let at = json!({"channel_id": owned["channel_id"], "token": owned["join_token"]});
    link(&hub, &at, &json!({})).refused(400, "invalid");
    link(&hub, &at, &json!({"session_token": "rr_sess_x"})).refused(401, "unauthorized");
    let wrong = json!({"channel_id": owned["channel_id"], "token": "wrong"});
    link(&hub, &wrong, &json!({"session_token": session(&ann)})).refused(401, "unauthorized");
    let gone = json!({"channel_id": "no-such-channel-0000", "token": "wrong"});
    link(&hub, &gone, &json!({"session_token": session(&ann)})).refused(404, "not_found");
    link(&hub, &at, &json!({"session_token": session(&bob)})).refused(403, "forbidden");
    let band = json!({"channel_id": "general", "token": "public"});
    link(&hub, &band, &json!({"session_token": session(&ann)})).refused(403, "forbidden");
    let identities = hub.get("/api/account").bearer(&session(&bob)).send().ok();
    assert_eq!(identities["identities"], json!([]), "a refusal creates no identity");
    link(&hub, &at, &json!({"session_token": session(&ann)})).ok();
    link(&hub, &at, &json!({"session_token": session(&bob)})).ok();
}

#[test]
fn any_text_is_encoded_as_rows_of_modules() {
    let hub = Hub::unlimited();
    for text in ["x", "https://example.org/#a=b&c=d", &"ñ".repeat(512), &"7".repeat(1024)] {
        let code = hub.post("/api/qr").json(&json!({"text": text})).send().ok();
        let rows = code["rows"].as_array().unwrap();
        assert_eq!(code["size"], rows.len());
        assert!(rows.iter().all(|row| super::kit::text(row).len() == rows.len()));
        assert_eq!(decode_rows(rows), text);
    }
    for body in [r#"{"text":""}"#, "{}", "", r#"{"text":7}"#, r#"{"text":null}"#, "[]"] {
        hub.post("/api/qr").body(body).send().refused(400, "invalid");
    }
    for text in ["ñ".repeat(513), "x".repeat(1025)] {
        let refused = hub.post("/api/qr").json(&json!({"text": text})).send();
        refused.refused(400, "invalid");
        assert!(!refused.text().contains("xxx"));
    }
    hub.post("/api/qr").body("{").send().refused(400, "invalid_json");
    hub.post("/api/qr").json(&json!({"text": "x".repeat(65_536)})).send().refused(413, "too_large");
    hub.get("/api/qr").send().refused(405, "method_not_allowed");
}

#[test]
fn d26_the_qr_codes_for_an_address_are_limited() {
    let hub = Hub::with(&[], &[("ROGERRAT_LIMITS__QR_PER_ADDRESS", "2")]);
    let encode = || hub.post("/api/qr").json(&json!({"text": "x"})).send();
    encode().ok();
    encode().ok();
    encode().refused(429, "rate_limited");
}

#[test]
fn d40_a_phone_that_was_added_joins_and_is_verified() {
    let hub = Hub::unlimited();
    let remote = open(*hub, &json!({}));
    let agent = join(*hub, &remote, "agent");
    let at = json!({"channel_id": remote["channel_id"], "token": remote["channel_token"]});
    let added = link(&hub, &at, &json!({"session_token": remote["session_token"], "phone_callsign": "tablet"})).ok();
    let joined = try_join(&channel(*hub, &remote), &added["phone"], &remote["owner_password"]).ok();
    assert_eq!((&joined["trust_posture"], &joined["callsign"]), (&json!("trusted-authorized"), &json!("tablet")));
    let tablet = rogerrat_testkit::Agent::from_join(&channel(*hub, &remote), &joined);
    tablet.send(text(&remote["agent"]["callsign"]), "hi");
    assert_eq!(agent.get("listen?timeout=5").ok()["messages"][0]["verified"], "identity");
}
