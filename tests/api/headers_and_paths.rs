//! Compatibility with the original hub, §1, §3 and §13: headers, health, bands and paths.

use rogerrat_testkit::{Hub, keys};
use serde_json::json;

use super::compatibility::part;

fn first(json: &str, key: &str) -> String {
    let list: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(&part(json, &[key])).unwrap();
    list[0].get().to_owned()
}

#[test]
fn every_response_has_the_security_headers() {
    let hub = Hub::start();
    let ann = hub.channel().join("ann");
    let replies = [
        hub.get("/livez").send(),
        hub.get("/nowhere").send(),
        hub.post("/api/channels").body("{").send(),
        hub.request("PUT", "/api/bands").send(),
        hub.get("/").header("Host", "evil.example").send(),
        ann.get("roster"),
        ann.get("listen?timeout=1"),
        ann.stream("").head,
    ];
    for reply in replies {
        let is = |name: &str, value: &str| assert_eq!(reply.header(name), Some(value), "{reply:?}");
        is("x-content-type-options", "nosniff");
        is("x-frame-options", "DENY");
        is("referrer-policy", "strict-origin-when-cross-origin");
        assert_eq!(reply.header("strict-transport-security"), None, "the hub has no https origin");
        is("permissions-policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()");
        is("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox");
        assert_eq!(reply.version, "HTTP/1.1");
    }
}

#[test]
fn responses_have_their_content_types() {
    let hub = Hub::start();
    let ann = hub.channel().join("ann");
    for reply in
        [ann.get("roster"), ann.get("listen?timeout=1"), hub.post("/api/channels").send(), hub.get("/x").send()]
    {
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    let head = ann.stream("").head;
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("cache-control"), Some("no-cache"));
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    let stranger = ann.channel.request("GET", "stream").session("never-was-here").send();
    stranger.refused(400, "not_joined");
}

#[test]
fn health_and_stats() {
    let hub = Hub::start();
    for (path, text) in [("/healthz", "ok"), ("/livez", "ok"), ("/readyz", "ready")] {
        let reply = hub.get(path).send();
        assert_eq!((reply.status, reply.text().as_str()), (200, text));
        assert!(reply.header("content-type").unwrap().starts_with("text/plain"));
    }
    let channel = hub.channel();
    let (ann, _) = (channel.join("ann"), channel.join("ann"));
    ann.say("counted");
    ann.try_send(&json!({"message": "a status counts too", "kind": "status"})).ok();
    ann.try_send(&json!({"to": "nobody", "message": "not this"})).refused(400, "unknown_recipient");
    let reply = hub.get("/api/stats").send();
    assert_eq!(keys(&reply.text()), ["channels_created", "joins_total", "messages_total", "started_at"]);
    let stats = reply.ok();
    assert_eq!([&stats["channels_created"], &stats["joins_total"], &stats["messages_total"]], [1, 1, 2]);
    assert!(stats["started_at"].as_u64().unwrap() > 1_600_000_000_000);
}

#[test]
fn bands_are_public() {
    let hub = Hub::start();
    let bands = hub.get("/api/bands").send();
    let row = first(&bands.text(), "bands");
    assert_eq!(keys(&row), ["name", "description", "agent_count", "join_url", "mcp_args"]);
    let names: Vec<_> = bands.ok()["bands"].as_array().unwrap().iter().map(|band| band["name"].clone()).collect();
    assert_eq!(names, ["general", "help", "random"]);
    assert_eq!(bands.ok()["bands"][0]["mcp_args"], json!({"channel_id": "general", "token": "public"}));
    assert_eq!(bands.ok()["bands"][0]["join_url"], format!("{}/api/channels/general/join", hub.origin()));
    for bearer in [None, Some("Bearer public"), Some("Bearer anything"), Some("rubbish")] {
        let ask = |method: &str, what: &str| {
            let request = hub.request(method, &format!("/api/channels/random/{what}"));
            bearer.map_or(request.clone(), |bearer| request.header("Authorization", bearer))
        };
        let joined = ask("POST", "join").send().ok();
        let session = joined["session_id"].as_str().unwrap();
        for (method, what) in [("GET", "roster"), ("GET", "history"), ("GET", "stats"), ("POST", "keepalive")] {
            assert_eq!(ask(method, what).session(session).send().status, 200, "{what} {bearer:?}");
        }
        ask("POST", "send").session(session).json(&json!({"message": "hi"})).send().ok();
        ask("GET", "transcript").send().refused(404, "not_found");
        ask("POST", "leave").session(session).send().ok();
    }
    let channel = hub.get("/api/channels/general").send().ok();
    assert_eq!(
        (&channel["is_band"], &channel["retention"], &channel["session_ttl_seconds"]),
        (&json!(true), &json!("none"), &json!(1800))
    );
}

#[test]
fn paths_are_percent_decoded() {
    let hub = Hub::start();
    assert_eq!(hub.get("/api/channels/%67eneral").send().ok()["channel_id"], "general");
    hub.get("/api/channels/GENERAL").send().refused(404, "not_found");
    hub.get("/api/channels/general%2Froster").send().refused(404, "not_found");
}

#[test]
fn only_responses_of_a_public_https_origin_have_strict_transport_security() {
    let hsts = |hub: &Hub, host: &str| {
        let reply = hub.get("/api/bands").header("Host", host).send();
        assert_eq!(reply.status, 200, "{host}");
        reply.header("strict-transport-security").map(str::to_owned)
    };
    let hub = Hub::with(&["--origin", "https://hub.example.org"], &[]);
    for host in ["hub.example.org", "park.hub.example.org:443"] {
        assert_eq!(hsts(&hub, host).as_deref(), Some("max-age=31536000"), "{host}");
    }
    for host in ["localhost", "127.0.0.1", "[::1]", "a.localhost"] {
        assert_eq!(hsts(&hub, host), None, "{host}");
    }
    for origin in ["http://hub.example.org", "https://box.local", "https://localhost:8443", "https://192.0.2.1"] {
        let hub = Hub::with(&["--origin", origin], &[]);
        let host = origin.split_once("//").unwrap().1;
        assert_eq!(hsts(&hub, host), None, "{origin}");
    }
}
