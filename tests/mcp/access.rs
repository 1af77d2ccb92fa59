//! D23, D24, D26: authorization, allowed hosts and origins, and rate limits.

use rogerrat_testkit::{Channel, Hub, Reply};
use serde_json::{Value, json};

use super::client::{Client, error, hub, message, own_path, refusal_text};

const TOKEN: &str = "correct-horse-battery";

fn ping(client: &Client) -> Reply {
    client.request("ping", json!({})).send()
}

#[test]
fn d23_the_endpoint_of_a_channel_needs_its_token_and_that_of_a_band_none() {
    let (hub, channel) = hub();
    let other = hub.channel();
    let own = Client::on(&channel);
    assert_eq!(ping(&own).status, 200);
    for bearer in [None, Some("wrong".to_owned()), Some(other.token.clone())] {
        let stranger = Client { bearer, ..own.clone() };
        ping(&stranger).refused(401, "unauthorized");
        let delete =
            stranger.target.request("DELETE", &stranger.path).header("Mcp-Session-Id", &own.session.clone().unwrap());
        stranger.bearer.iter().fold(delete, |request, token| request.bearer(token)).send().refused(401, "unauthorized");
    }
    assert_eq!(ping(&own).status, 200, "the session has not ended");
    Client { path: "/mcp/no-such-channel".into(), ..own }
        .bare_request()
        .body("rubbish")
        .send()
        .refused(404, "not_found");
    Client::legacy(*hub, "/mcp/general").call("join", &json!({}));
    Client::legacy(*hub, "/mcp").call("join", &json!({"channel_id": "general"}));
}

#[test]
fn d23_a_hub_token_protects_the_endpoint_of_the_hub_and_channel_creation() {
    let hub = Hub::with(&["--token", TOKEN, "--rate-limit", "off"], &[]);
    let created = hub.post("/api/channels").bearer(TOKEN).json(&json!({})).send().ok();
    let channel = Channel::new(*hub, created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let modern = Client::modern(*hub, "/mcp");
    for bearer in [None, Some("wrong".to_owned()), Some(channel.token.clone())] {
        Client { bearer, ..modern.clone() }.bare_request().body("rubbish").send().refused(401, "unauthorized");
    }
    let operator = Client { bearer: Some(TOKEN.into()), ..modern };
    operator.call("create_channel", &json!({}));
    operator.call_refused("join", &json!({"channel_id": channel.id}), "unauthorized");
    operator.call_refused("join", &json!({"channel_id": channel.id, "token": TOKEN}), "unauthorized");
    let member = Client::on(&channel);
    member.call("join", &json!({"callsign": "ann"}));
    member.call_refused("create_channel", &json!({}), "unauthorized");
    let both = Client { path: own_path(&channel), ..operator };
    both.call("join", &json!({"callsign": "boss"}));
    both.call("create_channel", &json!({}));
    assert_eq!(channel.roster(), ["ann", "boss"]);
}

#[test]
fn knowing_a_channel_id_does_not_make_a_member() {
    let (hub, channel) = hub();
    let stranger = Client::legacy(*hub, "/mcp");
    channel.join("ann").say("secret");
    let own = channel.join_as("bob", "my-own-session-id");
    for arguments in [
        json!({"channel_id": channel.id}),
        json!({"channel_id": channel.id, "session_id": "A".repeat(43)}),
        json!({"channel_id": channel.id, "session_id": "never-joined-here"}),
        json!({"channel_id": channel.id, "session_id": own.session}),
        json!({"session_id": "A".repeat(43)}),
    ] {
        for tool in ["history", "roster", "listen", "wait", "keepalive"] {
            let result = stranger.result("tools/call", json!({"name": tool, "arguments": arguments}));
            assert_eq!(result["isError"], true, "{tool} {arguments}");
            assert!(!result.to_string().contains("secret"), "{tool} {arguments}");
        }
    }
    stranger.call_refused("join", &json!({"channel_id": channel.id, "token": "wrong"}), "unauthorized");
    // With the channel's token, the session id may be client-chosen.
    let member = Client::on(&channel);
    member.call("send", &json!({"session_id": own.session, "message": "hi"}));
}

#[test]
fn d24_host_and_origin_are_checked_first_on_every_method() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    let before = channel.visible_state();
    for method in ["POST", "GET", "DELETE", "OPTIONS"] {
        for path in ["/mcp", &own_path(&channel)] {
            let request = || {
                let request = hub.request(method, path).bearer(&channel.token).body("rubbish");
                request.header("Mcp-Session-Id", client.session.as_deref().unwrap())
            };
            request().header("Host", "evil.example").send().refused(421, "misdirected");
            for origin in ["null", "http://evil.example", "http://127.0.0.1:1"] {
                request().header("Origin", origin).send().refused(403, "forbidden");
            }
        }
    }
    assert_eq!(ping(&client).status, 200);
    let from_here = client.bare_request().header("Origin", &hub.origin()).json(&message("ping", &json!({}))).send();
    assert_eq!(from_here.status, 200);
    assert_eq!(channel.visible_state(), before);
}

#[test]
fn d26_the_rate_limits_of_http_apply_to_mcp() {
    let limits = ["CREATE_PER_ADDRESS", "JOIN_PER_ADDRESS", "SEND_PER_ADDRESS"];
    let limits = limits.map(|limit| format!("ROGERRAT_LIMITS__{limit}"));
    let hub = Hub::with(&["--rate-limit", "2"], &[(&limits[0], "2"), (&limits[1], "3"), (&limits[2], "4")]);
    let channel = hub.channel();
    let client = Client::legacy(*hub, "/mcp");
    client.call("create_channel", &json!({}));
    let refused = client.call_refused("create_channel", &json!({}), "rate_limited");
    assert!(refused.contains("Retry after "), "{refused}");
    channel.join("ann");
    client.join(&channel, "bob");
    let say = |client: &Client| client.tool_request("send", &json!({"message": "hi"})).send().ok()["result"].clone();
    for _ in 0..2 {
        assert!(say(&client)["isError"].is_null());
    }
    let exceeds = |client: &Client, sends: &str, subject: &str| {
        let refused = refusal_text(&say(client), "rate_limited");
        assert!(
            refused.contains("rate limit exceeded") && refused.contains(sends) && refused.contains(subject),
            "{refused}"
        );
    };
    exceeds(&client, "2 sends", "session");
    let other = client.initialized();
    other.join(&channel, "eve");
    other.call_refused("join", &json!({"channel_id": channel.id, "token": channel.token}), "rate_limited");
    say(&other);
    exceeds(&other, "4 sends", "address");
}

#[test]
fn a07_requests_and_refusals_show_up_in_the_metrics() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    client.join(&channel, "ann");
    client.call_refused("send", &json!({"message": "x", "to": "nobody"}), "unknown_recipient");
    assert_eq!(
        client.bare_request().json(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).send().status,
        202
    );
    assert_eq!(error(&client.bare_request().body("rubbish").send()), (400, -32700));
    Client { path: own_path(&channel), ..client }.bare_request().send().refused(401, "unauthorized");
    let metrics = hub.get("/metrics").send().text();
    let line = |start: &str| -> Value {
        let found =
            metrics.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{metrics}"));
        found.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    assert_eq!(line(r#"rogerrat_requests_total{route="/mcp",status="200"}"#), 3);
    assert_eq!(line(r#"rogerrat_requests_total{route="/mcp",status="202"}"#), 1);
    assert_eq!(line(r#"rogerrat_requests_total{route="/mcp",status="400"}"#), 1);
    assert_eq!(line(r#"rogerrat_requests_total{route="/mcp/{id}",status="401"}"#), 1);
    assert_eq!(line(r#"rogerrat_refusals_total{code="unknown_recipient"}"#), 1);
}
