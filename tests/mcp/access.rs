//! D23, D24, D26: who is let in, from where, and how often.

use rogerrat_testkit::{Channel, Hub, Reply};
use serde_json::{Value, json};

use super::client::{Client, fault, hub, message, own_path};

const TOKEN: &str = "correct-horse-battery";

fn ping(client: &Client) -> Reply {
    client.ask("ping", json!({})).send()
}

#[test]
fn d23_a_channels_own_endpoint_needs_its_token_and_a_band_needs_none() {
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
    assert_eq!(ping(&own).status, 200, "nobody has ended its session");
    Client { path: "/mcp/no-such-channel".into(), ..own }.bare().body("rubbish").send().refused(404, "not_found");
    Client::legacy(*hub, "/mcp/general").does("join", &json!({}));
    Client::legacy(*hub, "/mcp").does("join", &json!({"channel_id": "general"}));
}

#[test]
fn d23_a_server_token_guards_the_endpoint_of_the_hub_and_creating() {
    let hub = Hub::with(&["--token", TOKEN, "--rate-limit", "off"], &[]);
    let created = hub.post("/api/channels").bearer(TOKEN).json(&json!({})).send().ok();
    let channel = Channel::new(*hub, created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let modern = Client::modern(*hub, "/mcp");
    for bearer in [None, Some("wrong".to_owned()), Some(channel.token.clone())] {
        Client { bearer, ..modern.clone() }.bare().body("rubbish").send().refused(401, "unauthorized");
    }
    let operator = Client { bearer: Some(TOKEN.into()), ..modern };
    operator.does("create_channel", &json!({}));
    operator.cannot("join", &json!({"channel_id": channel.id}), "unauthorized");
    operator.cannot("join", &json!({"channel_id": channel.id, "token": TOKEN}), "unauthorized");
    let member = Client::on(&channel);
    member.does("join", &json!({"callsign": "ann"}));
    member.cannot("create_channel", &json!({}), "unauthorized");
    let both = Client { path: own_path(&channel), ..operator };
    both.does("join", &json!({"callsign": "boss"}));
    both.does("create_channel", &json!({}));
    assert_eq!(channel.roster(), ["ann", "boss"]);
}

#[test]
fn a_seat_is_not_had_by_knowing_a_channel() {
    let (hub, channel) = hub();
    let stranger = Client::legacy(*hub, "/mcp");
    channel.join("ann").say("secret");
    let own = channel.join_as("bob", "my-own-session-id");
    for arguments in [
        json!({"channel_id": channel.id}),
        json!({"channel_id": channel.id, "session_id": "A".repeat(43)}),
        json!({"channel_id": channel.id, "session_id": "never-was-here"}),
        json!({"channel_id": channel.id, "session_id": own.session}),
        json!({"session_id": "A".repeat(43)}),
    ] {
        for tool in ["history", "roster", "listen", "wait", "keepalive"] {
            let result = stranger.result("tools/call", json!({"name": tool, "arguments": arguments}));
            assert_eq!(result["isError"], true, "{tool} {arguments}");
            assert!(!result.to_string().contains("secret"), "{tool} {arguments}");
        }
    }
    stranger.cannot("join", &json!({"channel_id": channel.id, "token": "wrong"}), "unauthorized");
    // Who has the token may bring an id of its own.
    let member = Client::on(&channel);
    member.does("send", &json!({"session_id": own.session, "message": "hi"}));
}

#[test]
fn d24_host_and_origin_are_checked_before_anything_else_on_every_method() {
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
    let from_here = client.bare().header("Origin", &hub.origin()).json(&message("ping", &json!({}))).send();
    assert_eq!(from_here.status, 200);
    assert_eq!(channel.visible_state(), before);
}

#[test]
fn d26_mcp_counts_like_rest() {
    let limits = ["CREATE_PER_ADDRESS", "JOIN_PER_ADDRESS", "SEND_PER_ADDRESS"];
    let limits = limits.map(|limit| format!("ROGERRAT_LIMITS__{limit}"));
    let hub = Hub::with(&["--rate-limit", "2"], &[(&limits[0], "2"), (&limits[1], "3"), (&limits[2], "4")]);
    let channel = hub.channel();
    let client = Client::legacy(*hub, "/mcp");
    client.does("create_channel", &json!({}));
    let refused = client.cannot("create_channel", &json!({}), "rate_limited");
    assert!(refused["retry_after_seconds"].as_u64().unwrap() > 0, "{refused}");
    channel.join("ann");
    client.joins(&channel, "bob");
    let say = |client: &Client| client.call("send", &json!({"message": "hi"})).send().ok()["result"].clone();
    for _ in 0..2 {
        assert!(say(&client)["isError"].is_null());
    }
    assert_eq!(say(&client)["structuredContent"]["error"], "rate limit exceeded (2 sends a minute for a session)");
    let other = client.initialized();
    other.joins(&channel, "eve");
    other.cannot("join", &json!({"channel_id": channel.id, "token": channel.token}), "rate_limited");
    say(&other);
    assert_eq!(say(&other)["structuredContent"]["error"], "rate limit exceeded (4 sends a minute for an address)");
}

#[test]
fn a07_requests_and_refusals_show_up_in_the_metrics() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    client.joins(&channel, "ann");
    client.cannot("send", &json!({"message": "x", "to": "nobody"}), "unknown_recipient");
    assert_eq!(
        client.bare().json(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).send().status,
        202
    );
    assert_eq!(fault(&client.bare().body("rubbish").send()), (400, -32700));
    Client { path: own_path(&channel), ..client }.bare().send().refused(401, "unauthorized");
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
