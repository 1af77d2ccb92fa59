//! 401 over every interface: a challenge, and what clients that look for OAuth after it find.

use rogerrat_testkit::{Hub, Reply, Request};
use serde_json::json;

const TOKEN: &str = "correct-horse-battery";

#[track_caller]
fn challenge(reply: &Reply) -> String {
    assert_eq!(reply.status, 401, "{reply:?}");
    let challenges: Vec<_> = reply.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
    assert_eq!(challenges.len(), 1, "{reply:?}");
    challenges[0].1.clone()
}

#[test]
fn d33_every_401_has_a_challenge() {
    let hub =
        Hub::with(&["--token", TOKEN, "--admin-token", "another-horse-battery", "--chatroom", "open-sesame"], &[]);
    let created = hub.post("/api/channels").bearer(TOKEN).json(&json!({"owner_password": "open-sesame"})).send().ok();
    let id = created["channel_id"].as_str().unwrap();
    let (mcp, chatroom) = (format!("/mcp/{id}"), format!("/compat/agent-chatroom/{id}/messages"));
    let requests: Vec<Request> = vec![
        hub.post("/api/channels").body("{}"),
        hub.get(&format!("/api/channels/{id}/roster")),
        hub.get(&format!("/api/channels/{id}/stream")),
        hub.get(&format!("/api/channels/{id}/listen")),
        hub.post(&format!("/api/channels/{id}/join")).body("{}"),
        hub.get(&format!("/api/channels/{id}/webhooks")),
        hub.post("/api/account").body("{}"),
        hub.get("/api/account"),
        hub.get("/api/admin/channels"),
        hub.get("/metrics"),
        hub.post("/mcp").body("{}"),
        hub.post(&mcp).body("{}"),
        hub.request("DELETE", &mcp),
        hub.get(&chatroom),
        hub.post(&chatroom).body("{}"),
        hub.get("/messages"),
    ];
    for request in requests {
        assert_eq!(challenge(&request.clone().send()), "Bearer realm=\"rogerrat\"", "{request:?}");
        let wrong = challenge(&request.clone().bearer("wrong").send());
        let start = "Bearer realm=\"rogerrat\", error=\"invalid_token\", error_description=\"";
        assert!(wrong.starts_with(start) && wrong.ends_with('"') && !wrong[start.len()..].starts_with('"'), "{wrong}");
        assert!(!wrong.contains("resource_metadata"), "{wrong}");
    }
    let token = created["join_token"].as_str().unwrap();
    let join = hub.post(&format!("/api/channels/{id}/join")).bearer(token);
    let refused = join.json(&json!({"owner_password": "open-barley"})).send();
    assert!(challenge(&refused).contains("owner_password"), "the description is that of the error");
    assert_eq!(hub.get(&chatroom).bearer(token).send().status, 200, "a room takes what its challenge names");
    assert_eq!(hub.get("/messages").bearer("open-sesame").send().status, 200);
}

#[test]
fn d33_the_paths_of_oauth_are_not_found_and_explain_the_token() {
    let hub = Hub::start();
    let channel = hub.channel();
    let mcp = format!("/mcp/{}", channel.id);
    let mut paths = vec!["/register".to_owned(), "/authorize".into(), "/token".into(), "/revoke".into()];
    for kind in ["oauth-protected-resource", "oauth-authorization-server", "openid-configuration"] {
        paths.push(format!("/.well-known/{kind}"));
        for endpoint in ["/mcp", &mcp] {
            paths.push(format!("/.well-known/{kind}{endpoint}"));
            paths.push(format!("{endpoint}/.well-known/{kind}"));
        }
    }
    for path in paths {
        for method in ["GET", "POST", "OPTIONS"] {
            let reply = hub.request(method, &path).body("{}").send();
            assert_eq!(reply.header("content-type"), Some("application/json"), "{path}");
            let refusal = reply.refused(404, "not_found");
            assert!(refusal["error"].as_str().unwrap().contains("OAuth"), "{path} {refusal}");
            // What the TypeScript SDK shows.
            assert!(refusal["error_description"].as_str().unwrap().contains("bearer token"), "{path} {refusal}");
        }
    }
    assert!(hub.get("/nowhere").send().refused(404, "not_found")["error_description"].is_null());
}
