//! The sessions of an account: listing and ending them, and rotating the recovery token.

use rogerrat_testkit::{Hub, Request};
use serde_json::{Value, json};

use super::account_client::{Account, is_out, prove};

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                     Version/19.0 Mobile/15E148 Safari/604.1";

/// Starts another session of an account.
#[track_caller]
fn recover(ann: &Account, request: impl FnOnce(Request) -> Request, label: Option<&str>) -> Account {
    let mut body = json!({"recovery_token": ann.recovery});
    if let Some(label) = label {
        body["label"] = json!(label);
    }
    let reply = request(ann.target.post("/api/account/recover")).json(&body).send().ok();
    Account { session: reply["session_token"].as_str().unwrap().into(), ..ann.clone() }
}

#[track_caller]
fn sessions(ann: &Account) -> Vec<Value> {
    ann.get("/sessions").ok()["sessions"].as_array().unwrap().clone()
}

/// The id of the session that is used.
#[track_caller]
fn sid(ann: &Account) -> String {
    let all = sessions(ann);
    let current: Vec<_> = all.iter().filter(|row| row["current"] == true).collect();
    assert_eq!(current.len(), 1, "{all:?}");
    current[0]["sid"].as_str().unwrap().to_owned()
}

#[test]
fn d39_an_owner_recognizes_its_sessions_and_no_token_is_shown() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let phone = recover(&ann, |request| request.header("User-Agent", PHONE), None);
    let script = recover(&ann, |request| request.header("User-Agent", PHONE), Some(" the build script "));
    let all = sessions(&phone);
    assert_eq!(all.len(), 3);
    assert_eq!((&all[0]["current"], &all[0]["label"]), (&json!(true), &json!("Safari on iPhone")), "used last");
    let labels: Vec<_> = all.iter().map(|row| row["label"].clone()).collect();
    assert!(labels.contains(&json!("the build script")) && labels.contains(&json!(null)), "{labels:?}");
    for row in &all {
        let (created, used) = (row["created_at"].as_u64().unwrap(), row["last_used_at"].as_u64().unwrap());
        assert!(created > 1_600_000_000_000 && used >= created, "{row}");
    }
    let shown = ann.get("/sessions").text();
    for secret in [&ann.session, &phone.session, &script.session, &ann.recovery] {
        let bare = &secret["rr_sess_".len()..];
        assert!(!shown.contains(bare) && !shown.contains("rr_"), "{shown}");
    }
    for row in &all {
        let sid = row["sid"].as_str().unwrap();
        hub.get("/api/account").bearer(sid).send().refused(401, "unauthorized");
        hub.get("/api/account").bearer(&format!("rr_{sid}")).send().refused(401, "unauthorized");
        let body = json!({"recovery_token": sid});
        hub.post("/api/account/recover").json(&body).send().refused(401, "unauthorized");
    }
    assert_eq!(ann.get("").ok()["sessions"], 3);
}

#[test]
fn d39_a_session_that_is_ended_is_refused_at_once_and_the_others_stay() {
    let mut hub = Hub::unlimited();
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    let lost = recover(&ann, |request| request, Some("lost phone"));
    let key = lost.identity("ann");
    let agent = prove(&hub.channel(), &key);
    let (own, lost_sid) = (sid(&ann), sid(&lost));
    bob.delete(&format!("/sessions/{lost_sid}")).refused(404, "not_found");
    assert_eq!(sessions(&lost).len(), 2, "another account cannot end it");
    assert_eq!(ann.delete(&format!("/sessions/{lost_sid}")).ok(), json!({"ok": true}));
    for what in ["", "/sessions", "/channels", "/identities"] {
        lost.get(what).refused(401, "unauthorized");
    }
    lost.try_channel(&json!({})).refused(401, "unauthorized");
    lost.post("/logout", &json!({})).refused(401, "unauthorized");
    assert!(!is_out(&agent), "a session of a channel is proved by the identity's key, which is still valid");
    assert_eq!(sessions(&ann).iter().map(|row| row["sid"].clone()).collect::<Vec<_>>(), [json!(own)]);
    for gone in [lost_sid.as_str(), "sess_0000000000000000", "x", "%2e%2e", &lost.session] {
        let refusal = ann.delete(&format!("/sessions/{gone}")).refused(404, "not_found");
        assert!(!refusal.to_string().contains(&lost.session));
    }
    hub.restart();
    ann.get("").ok();
    lost.get("").refused(401, "unauthorized");
}

#[test]
fn d39_logging_out_ends_the_session_that_is_used() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let other = recover(&ann, |request| request, None);
    assert_eq!(ann.post("/logout", &json!({})).ok(), json!({"ok": true}));
    ann.get("").refused(401, "unauthorized");
    ann.post("/logout", &json!({})).refused(401, "unauthorized");
    assert_eq!(sessions(&other).len(), 1);
    // The last session may end, too.
    other.delete(&format!("/sessions/{}", sid(&other))).ok();
    other.get("").refused(401, "unauthorized");
    assert_eq!(sessions(&recover(&ann, |request| request, None)).len(), 1);
}

#[test]
fn d39_a_rotated_recovery_token_ends_at_once() {
    let mut hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let rotated = ann.post("/rotate-recovery", &json!({})).ok();
    let new = Account { recovery: rotated["recovery_token"].as_str().unwrap().into(), ..ann.clone() };
    assert!(new.recovery.starts_with("rr_acct_") && new.recovery != ann.recovery);
    assert_eq!(rotated["account_id"], json!(ann.id));
    let with =
        |recovery: &str| ann.target.post("/api/account/recover").json(&json!({"recovery_token": recovery})).send();
    with(&ann.recovery).refused(401, "unauthorized");
    let again = recover(&new, |request| request, None);
    assert_eq!(sessions(&ann).len(), 2, "sessions stay");
    hub.restart();
    with(&ann.recovery).refused(401, "unauthorized");
    again.get("").ok();
    with(&new.recovery).ok();
    hub.post("/api/account/rotate-recovery").bearer(&new.recovery).send().refused(401, "unauthorized");
}

#[test]
fn d39_of_concurrent_rotations_one_recovery_token_remains() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let asked: Vec<_> = (0..8).map(|_| ann.request("POST", "/rotate-recovery").start()).collect();
    let tokens: Vec<_> = asked
        .into_iter()
        .map(|mut conn| conn.reply().unwrap().ok()["recovery_token"].as_str().unwrap().to_owned())
        .collect();
    let works =
        |token: &&String| hub.post("/api/account/recover").json(&json!({"recovery_token": token})).send().status == 200;
    assert_eq!(tokens.iter().filter(works).count(), 1);
    assert!(!works(&&ann.recovery));
}

#[test]
fn a_label_is_checked_and_one_of_a_user_agent_is_cleaned() {
    let hub = Hub::unlimited();
    let open = |body: &Value| hub.post("/api/account").json(body).send();
    for bad in [json!(""), json!("a\nb"), json!("\u{202e}evil"), json!("x".repeat(65)), json!(7), json!(["a"])] {
        open(&json!({"label": bad})).refused(400, "invalid");
    }
    hub.post("/api/account").body("{").send().refused(400, "invalid_json");
    let label = |agent: &str, body: &Value| {
        let opened = hub.post("/api/account").header("User-Agent", agent).json(body).send().ok();
        let session = opened["session_token"].as_str().unwrap().to_owned();
        hub.get("/api/account/sessions").bearer(&session).send().ok()["sessions"][0]["label"].clone()
    };
    assert_eq!(label("curl/8.5.0", &json!({})), "curl/8.5.0");
    assert_eq!(label("curl/8.5.0", &json!({"label": null})), "curl/8.5.0");
    assert_eq!(label(&"x".repeat(3000), &json!({})), json!("x".repeat(64)));
    assert_eq!(label("<script>alert(1)</script> x", &json!({"label": "<b>"})), "<b>", "text, not markup");
    let opened = hub.post("/api/account").header("User-Agent", "\u{e9}").send();
    opened.ok();
}
