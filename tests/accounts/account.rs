//! Create, recover, inspect and close accounts.

use rogerrat_testkit::Hub;
use serde_json::json;

use super::account_client::{Account, is_out, prove, try_prove};

#[test]
fn tokens_have_a_prefix_and_enough_entropy() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let key = ann.identity("ann");
    for (token, prefix) in [(&ann.recovery, "rr_acct_"), (&ann.session, "rr_sess_"), (&key, "rr_id_")] {
        let secret = token.strip_prefix(prefix).unwrap();
        assert!(secret.len() >= 32, "{token}");
        assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "base64url: {token}");
    }
    let other = Account::open(&hub);
    assert!(ann.id != other.id && ann.session != other.session && ann.recovery != other.recovery);
}

#[test]
fn an_account_lists_what_it_owns_and_its_limits() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    ann.identity("zoe");
    ann.identity("Ann");
    ann.channel(&json!({}));
    let account = ann.get("").ok();
    assert_eq!(account["account_id"], json!(ann.id));
    assert!(account["created_at"].as_u64().unwrap() > 1_600_000_000_000);
    let callsigns: Vec<_> = account["identities"].as_array().unwrap().iter().map(|row| &row["callsign"]).collect();
    assert_eq!(callsigns, ["ann", "zoe"]);
    assert_eq!((&account["channels"], &account["webhooks"]), (&json!(1), &json!(0)));
    assert_eq!(account["limits"]["identities"], 20);
    assert_eq!(account["limits"]["sends_per_minute"], json!(null), "no rate limit is configured");
    assert!(!account.to_string().contains("rr_"), "no secret is returned twice: {account}");
}

#[test]
fn recovery_creates_a_session_and_keeps_earlier_ones() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let recover = |token: &str| hub.post("/api/account/recover").json(&json!({"recovery_token": token})).send();
    let again = recover(&ann.recovery).ok();
    assert_eq!(again["account_id"], json!(ann.id));
    let second = Account { session: again["session_token"].as_str().unwrap().into(), ..ann.clone() };
    assert_ne!(second.session, ann.session);
    assert_eq!(ann.get("").ok(), second.get("").ok());
    for wrong in ["", "rr_acct_", &ann.session, &ann.recovery[1..], "rr_acct_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        recover(wrong).refused(401, "unauthorized");
    }
    hub.post("/api/account/recover").json(&json!({})).send().refused(400, "invalid");
    hub.post("/api/account/recover").body("{").send().refused(400, "invalid_json");
}

#[test]
fn an_account_keeps_its_hundred_most_recently_used_sessions() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let body = json!({"recovery_token": ann.recovery});
    let recover = || hub.post("/api/account/recover").json(&body).send().ok()["session_token"].clone();
    let sessions: Vec<_> = (0..100).map(|_| recover().as_str().unwrap().to_owned()).collect();
    let works = |session: &str| hub.get("/api/account").bearer(session).send().status == 200;
    assert_eq!(sessions.iter().filter(|session| works(session)).count() + usize::from(works(&ann.session)), 100);
    assert!(works(&sessions[99]), "the newest is never dropped");
}

#[test]
fn closing_an_account_leaves_its_channels_without_an_owner() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let (key, channel) = (ann.identity("ann"), ann.channel(&json!({})));
    let agent = prove(&channel, &key);
    ann.delete("?channels=deleted").refused(400, "invalid");
    assert_eq!(ann.delete("").ok(), json!({"ok": true}));
    assert!(is_out(&agent));
    ann.get("").refused(401, "unauthorized");
    ann.delete("").refused(401, "unauthorized");
    try_prove(&channel, &key).refused(401, "unauthorized");
    let recover = json!({"recovery_token": ann.recovery});
    hub.post("/api/account/recover").json(&recover).send().refused(401, "unauthorized");
    channel.join("ann").say("the channel is there, and the name is free");
}

#[test]
fn closing_an_account_can_delete_its_channels() {
    let hub = Hub::unlimited();
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    let channels = [ann.channel(&json!({})), ann.channel(&json!({"durability": "disk"}))];
    let others = [bob.channel(&json!({})), hub.channel()];
    let agents = channels.each_ref().map(|channel| channel.join("cat"));
    ann.delete("?channels=delete").ok();
    for (channel, agent) in channels.iter().zip(agents) {
        channel.get("roster").refused(404, "not_found");
        agent.post("send", &json!({"message": "anybody?"})).refused(404, "not_found");
    }
    others.iter().for_each(|channel| drop(channel.join("cat")));
}

#[test]
fn d23_a_hub_with_a_token_needs_it_for_accounts_but_not_for_their_channels() {
    const TOKEN: &str = "a-token-of-the-hub";
    let hub = Hub::with(&["--token", TOKEN, "--rate-limit", "off"], &[]);
    hub.post("/api/account").send().refused(401, "unauthorized");
    hub.post("/api/account").bearer("another-token").send().refused(401, "unauthorized");
    let opened = hub.post("/api/account").bearer(TOKEN).send().ok();
    let session = opened["session_token"].as_str().unwrap();
    hub.post("/api/account").bearer(session).send().refused(401, "unauthorized");
    let create = |bearer: &str| hub.post("/api/channels").bearer(bearer).send();
    assert_eq!(create(session).ok()["creator_account_id"], opened["account_id"]);
    assert_eq!(create(TOKEN).ok().get("creator_account_id"), None);
    create("rr_sess_unknown").refused(401, "unauthorized");
    hub.post("/api/channels").send().refused(401, "unauthorized");
    let recover = json!({"recovery_token": opened["recovery_token"]});
    hub.post("/api/account/recover").json(&recover).send().ok();
}
