//! Authorization: clients other than the owner cannot even learn what exists.

use rogerrat_testkit::{Hub, Reply};
use serde_json::json;

use super::account_client::Account;

const ROUTES: [(&str, &str); 9] = [
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/identities"),
    ("GET", "/identities"),
    ("POST", "/identities/ann/rotate-key"),
    ("DELETE", "/identities/ann"),
    ("GET", "/channels"),
    ("DELETE", "/channels/CHANNEL"),
    ("POST", "/channels/CHANNEL/rotate-token"),
];

/// The response without its request id.
fn comparable(reply: &Reply) -> (u16, String) {
    let mut body = reply.json();
    body.as_object_mut().unwrap().remove("request_id");
    (reply.status, body.to_string())
}

#[test]
fn d22_every_route_needs_the_session_token_of_the_account() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let (key, channel) = (ann.identity("ann"), ann.channel(&json!({})));
    let last = if ann.session.ends_with('A') { "B" } else { "A" };
    let almost = format!("{}{last}", &ann.session[..ann.session.len() - 1]);
    for (method, route) in ROUTES {
        let path = format!("/api/account{}", route.replace("CHANNEL", &channel.id));
        let none = hub.request(method, &path).send();
        none.refused(401, "unauthorized");
        for wrong in [almost.as_str(), "", "x", "rr_sess_", &ann.recovery, &key, &channel.token, &ann.session[8..]] {
            let refused = hub.request(method, &path).bearer(wrong).send();
            assert_eq!(comparable(&refused), comparable(&none), "{method} {path} {wrong}");
        }
    }
    // None of the requests had an effect.
    assert_eq!(ann.get("").ok()["identities"].as_array().unwrap().len(), 1);
    channel.join("cat");
}

#[test]
fn resources_of_other_accounts_look_like_missing_ones() {
    let hub = Hub::unlimited();
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    let key = ann.identity("ann");
    let channel = ann.channel(&json!({}));
    let free = hub.channel();
    for (method, theirs, missing) in [
        ("DELETE", "/identities/ann".to_owned(), "/identities/nobody".to_owned()),
        ("POST", "/identities/ann/rotate-key".to_owned(), "/identities/nobody/rotate-key".to_owned()),
        ("POST", "/identities/ann/rotate-key".to_owned(), "/identities/%20/rotate-key".to_owned()),
        ("DELETE", format!("/channels/{}", channel.id), "/channels/no-such-channel".to_owned()),
        ("DELETE", format!("/channels/{}", free.id), "/channels/NO".to_owned()),
        ("DELETE", "/channels/general".to_owned(), "/channels/no-such-channel".to_owned()),
        ("POST", format!("/channels/{}/rotate-token", channel.id), "/channels/no-such-channel/rotate-token".to_owned()),
    ] {
        let refused = bob.request(method, &theirs).send();
        refused.refused(404, "not_found");
        assert_eq!(comparable(&refused), comparable(&bob.request(method, &missing).send()), "{method} {theirs}");
    }
    channel.join("cat");
    free.join("cat");
    super::account_client::prove(&channel, &key);
}

#[test]
fn d22_guessing_the_owner_password_is_limited() {
    let hub = Hub::start();
    let ann = Account::open(&hub);
    let settings = json!({"trust_mode": "trusted", "require_identity": true, "owner_password": "sesame-open"});
    let (key, channel) = (ann.identity("ann"), hub.channel_with(&settings));
    let guess = |word: &str| channel.try_join(&json!({"identity_key": key, "owner_password": word}));
    for n in 0..5 {
        guess(&format!("guess {n}")).refused(401, "unauthorized");
    }
    assert!(guess("sesame-open").refused(429, "rate_limited")["retry_after_seconds"].as_u64().unwrap() <= 60);
    channel.try_join(&json!({"identity_key": key})).ok();
}

#[test]
fn d07_a_wrong_method_lists_the_allowed_ones() {
    let hub = Hub::unlimited();
    for (method, path, allow) in [
        ("PUT", "", "GET, HEAD, POST, DELETE"),
        ("GET", "/recover", "POST"),
        ("DELETE", "/identities", "GET, HEAD, POST"),
        ("GET", "/identities/ann", "DELETE"),
        ("POST", "/channels", "GET, HEAD"),
        ("GET", "/channels/c/rotate-token", "POST"),
    ] {
        let reply = hub.request(method, &format!("/api/account{path}")).send();
        reply.refused(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
    }
    hub.get("/api/account/nowhere").send().refused(404, "not_found");
}
