//! Requests at the hub that does not own the channel: each is answered as its owner answers it.

use serde_json::{Value, json};

use super::client::{Call, Reply};
use super::cluster::{ADMIN_TOKEN, CHATROOM_PASSWORD, Shared, TestHub, texts};

/// Headers that differ from one response to the next.
const OF_ONE_RESPONSE: [&str; 2] = ["date", "x-request-id"];

/// Fields that do.
const VOLATILE: [&str; 6] =
    ["request_id", "last_seen_at", "seen_at", "oldest_unread_seconds", "seen_seconds_ago", "read_seconds_ago"];

/// What two equal requests have in common.
fn comparable(reply: &Reply) -> (u16, Vec<(String, String)>, Value) {
    let own = |name: &str| OF_ONE_RESPONSE.contains(&name);
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap().to_owned())
    };
    let mut headers: Vec<_> = reply.headers.iter().map(header).filter(|(name, _)| !own(name)).collect();
    headers.sort_unstable();
    let mut body = serde_json::from_str(&reply.body).unwrap_or_else(|_| Value::from(&*reply.body));
    remove_volatile(&mut body);
    (reply.status, headers, body)
}

fn remove_volatile(body: &mut Value) {
    match body {
        Value::Object(fields) => {
            fields.retain(|name, _| !VOLATILE.contains(&&**name));
            fields.values_mut().for_each(remove_volatile);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_volatile),
        _ => {}
    }
}

/// Sends a request to the owner and to another hub, which must forward it.
async fn same_at_both(owner: &TestHub, other: &TestHub, call: Call) -> Reply {
    let served = other.served();
    let (at_owner, at_other) = (call.clone().at(owner.address).await, call.clone().at(other.address).await);
    assert_eq!(comparable(&at_owner), comparable(&at_other), "{call:?}");
    assert_eq!(other.served(), served, "{call:?} should be forwarded");
    at_other
}

#[actix_web::test]
async fn c10_requests_of_a_channel_are_answered_by_its_owner() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&b, "ann").await, channel.join(&b, "bob").await);
    let file = json!({"mime": "text/plain", "data_base64": "aGVsbG8=", "filename": "run.log"});
    let sending = json!({"to": "all", "text": "hi", "attachments": [file]});
    let sent = ann.call("POST", "/send").body(sending.to_string()).at(b.address).await.ok();
    let id = sent["id"].as_u64().unwrap();
    for rest in [
        "",
        "/roster",
        "/history",
        "/history?n=1",
        "/stats",
        "/transcript",
        "/consumers",
        "/receipts",
        "/push",
        "/webhooks",
        &format!("/messages/{id}"),
        &format!("/messages/{id}/receipts"),
        &format!("/messages/{id}/attachments/0"),
        "/messages/1",
        "/nothing",
    ] {
        let reply = same_at_both(&a, &b, ann.call("GET", rest)).await;
        assert!(reply.status < 500, "{rest}: {reply:?}");
        same_at_both(&a, &b, ann.call("HEAD", rest)).await;
    }
    let file = ann.at(&b, "GET", &format!("/messages/{id}/attachments/0")).await;
    assert_eq!((file.status, &*file.body), (200, "hello"));
    same_at_both(&a, &b, ann.call("GET", "/history?n=many")).await;
    same_at_both(&a, &b, channel.call("GET", "/history")).await;
    same_at_both(&a, &b, Call::get(format!("/api/channels/{}/roster", channel.id))).await;
    same_at_both(&a, &b, ann.call("PUT", "/send")).await;
    same_at_both(&a, &b, ann.call("POST", "/send").body("{")).await;
    same_at_both(&a, &b, ann.call("POST", "/send").body(vec![b' '; 100_000])).await;
    same_at_both(&a, &b, ann.call("GET", "/history").header("accept-encoding", "gzip")).await;
    let read = bob.read(&b).await;
    assert_eq!(texts(&read), [("hi".to_owned(), 1)]);
    assert_eq!(texts(&bob.read(&a).await), []);
    let acked = bob.call("POST", "/ack").body(json!({"upto": id}).to_string()).at(b.address).await;
    assert_eq!(acked.status, 200, "{acked:?}");
    assert_eq!(bob.at(&b, "POST", "/keepalive").await.ok()["unread"], 0);
    assert_eq!(bob.at(&b, "DELETE", "/consumers/none").await.status, 404);
    assert_eq!(bob.at(&b, "POST", "/leave").await.status, 200);
    assert_eq!(bob.at(&a, "POST", "/keepalive").await.status, 410);
}

#[actix_web::test]
async fn c10_a_body_that_is_too_large_is_refused_where_it_comes_in() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let ann = channel.join(&a, "ann").await;
    let reply = ann.call("POST", "/send").body(vec![b' '; 1_100_000]).at(b.address).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (413, Some("too_large")));
    let largest = json!({"text": "x", "attachments": [{"mime": "text/plain", "data_base64": "A".repeat(524_288)}]});
    let sent = ann.call("POST", "/send").body(largest.to_string()).at(b.address).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
}

#[actix_web::test]
async fn c10_a_channel_without_an_owner_is_served_where_the_request_comes_in() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let missing = Call::get("/api/channels/no-such-channel/roster").bearer("x").at(b.address).await;
    assert_eq!(missing.status, 404, "{missing:?}");
    let created = Call::post("/api/channels", &json!({})).at(a.address).await.ok();
    let (id, token) = (created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let served = b.served();
    let joined = Call::post(format!("/api/channels/{id}/join"), &json!({"callsign": "ann"})).bearer(token);
    joined.at(b.address).await.ok();
    assert_eq!(b.served(), served + 1);
}

#[actix_web::test]
async fn c10_account_and_admin_routes_of_a_channel_are_answered_by_its_owner() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let account = Call::post("/api/account", &json!({})).at(a.address).await.ok();
    let session = account["session_token"].as_str().unwrap().to_owned();
    let created = Call::post("/api/channels", &json!({})).bearer(&session).at(a.address).await.ok();
    let (id, token) = (created["channel_id"].as_str().unwrap().to_owned(), created["join_token"].as_str().unwrap());
    let join =
        |callsign: &str| Call::post(format!("/api/channels/{id}/join"), &json!({"callsign": callsign})).bearer(token);
    join("ann").at(a.address).await.ok();
    join("bob").at(a.address).await.ok();
    for (path, token) in [("/api/account/channels/", &*session), ("/api/admin/channels/", ADMIN_TOKEN)] {
        let of_channel = |method, rest: &str| Call::new(method, format!("{path}{id}{rest}")).bearer(token);
        assert_eq!(same_at_both(&a, &b, of_channel("GET", "")).await.status, 200, "{path}");
        same_at_both(&a, &b, Call::get(format!("{path}{id}"))).await;
        let callsign = if path.contains("admin") { "ann" } else { "bob" };
        let ended = of_channel("DELETE", &format!("/sessions/{callsign}")).at(b.address).await.ok();
        assert_eq!(ended["ended"], true, "{path}");
    }
    let rotated = Call::new("POST", format!("/api/account/channels/{id}/rotate-token")).bearer(&session);
    let rotated = rotated.at(b.address).await.ok();
    assert_eq!(join("ann").at(b.address).await.status, 401);
    let joined = Call::post(format!("/api/channels/{id}/join"), &json!({"callsign": "ann"}));
    joined.bearer(rotated["join_token"].as_str().unwrap()).at(b.address).await.ok();
    let deleted = Call::new("DELETE", format!("/api/account/channels/{id}")).bearer(&session).at(b.address).await;
    assert_eq!(deleted.status, 200, "{deleted:?}");
    assert_eq!(join("ann").at(a.address).await.status, 404);
}

#[actix_web::test]
async fn c10_rooms_are_answered_by_the_owner_of_their_channel() {
    let shared = Shared::new();
    let variables = [("ROGERRAT_SERVER__CHATROOM", CHATROOM_PASSWORD)];
    let (a, b) = (shared.hub_with(&variables).await, shared.hub_with(&variables).await);
    let channel = a.channel().await;
    let of_channel = format!("/compat/agent-chatroom/{}", channel.id);
    for (prefix, password) in [(&*of_channel, &*channel.token), ("", CHATROOM_PASSWORD)] {
        let call = |method, rest: &str| Call::new(method, format!("{prefix}{rest}")).bearer(password);
        let post = |text: &str| call("POST", "/messages").body(json!({"agent": "Zoë", "text": text}).to_string());
        post("first").at(a.address).await.ok();
        post("second").at(b.address).await.ok();
        let read = same_at_both(&a, &b, call("GET", "/messages")).await.json();
        assert_eq!(read["messages"].as_array().unwrap().len(), 2, "{read}");
        same_at_both(&a, &b, call("GET", "/messages/poll?after=0")).await;
        same_at_both(&a, &b, Call::get(format!("{prefix}/messages")).bearer("wrong")).await;
        same_at_both(&a, &b, call("DELETE", "/messages")).await;
    }
}

#[actix_web::test]
async fn c10_the_owner_knows_the_client_and_how_it_reaches_the_hub() {
    let shared = Shared::new();
    let variables = [
        ("ROGERRAT_LIMITS__JOIN_PER_ADDRESS", "1"),
        ("ROGERRAT_SERVER__TRUSTED_PROXIES", "127.0.0.0/8"),
        ("ROGERRAT_SERVER__ALLOWED_HOSTS", "hub.example"),
    ];
    let (a, b) = (shared.hub_with(&variables).await, shared.hub_with(&variables).await);
    let channel = a.channel().await;
    let joining = |callsign: &str, client: &str| {
        let call = channel.call("POST", "/join").body(json!({"callsign": callsign}).to_string());
        call.header("x-forwarded-for", client)
    };
    let first = joining("ann", "192.0.2.1").at(b.address).await;
    assert_eq!(first.status, 200, "{first:?}");
    let second = joining("bob", "192.0.2.1").at(b.address).await;
    assert_eq!((second.status, second.json()["code"].as_str()), (429, Some("rate_limited")), "counted once, by client");
    assert_eq!(joining("bob", "192.0.2.2").at(b.address).await.status, 200, "another client");
    // Bans and hosts are checked where the request comes in.
    let ban = json!({"address": "192.0.2.3"});
    let banned = Call::post("/api/admin/bans", &ban).bearer(ADMIN_TOKEN).at(b.address).await;
    assert_eq!(banned.status, 200, "{banned:?}");
    assert_eq!(joining("cat", "192.0.2.3").at(b.address).await.status, 403);
    let elsewhere = channel.call("GET", "").header("origin", "http://evil.example").at(b.address).await;
    assert_eq!(elsewhere.status, 403);
    let at_b = channel.call("GET", "").at(b.address).await.ok();
    assert!(at_b.to_string().contains("http://localhost/"), "{at_b}");
}

#[actix_web::test]
async fn c10_one_request_has_one_id_at_both_hubs() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let ann = channel.join(&b, "ann").await;
    let refused = ann.call("POST", "/send").body("{").at(b.address).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("invalid_json")));
    assert_eq!(refused.json()["request_id"].as_str(), refused.header("x-request-id"));
    assert!(refused.header("x-request-id").is_some());
}
