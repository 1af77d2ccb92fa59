//! The MCP tools `open_remote_control` and `make_remote_link`, in both eras of the protocol.

use rogerrat_testkit::{Agent, Hub, Reply};
use serde_json::{Value, json};

use super::kit::{channel, decode_blocks, decode_data_url, parts, text, try_join};
use crate::mcp::client::{Client, MODERN};

fn clients(hub: &Hub) -> [Client; 2] {
    [Client::legacy(**hub, "/mcp"), Client::modern(**hub, "/mcp")]
}

fn phone(hub: &Hub, remote: &Value) -> Agent {
    let (at, mut link) = (remote["mobile_url"].clone(), Value::Null);
    let (_, id, fragment) = parts(&at);
    link["channel_id"] = json!(id);
    link["channel_token"] = json!(fragment["t"]);
    let joined: Reply = channel(**hub, &link)
        .try_join(&json!({"identity_key": fragment["k"], "owner_password": fragment["p"], "callsign": fragment["cs"]}));
    let joined = joined.ok();
    assert_eq!(joined["trust_posture"], "trusted-authorized");
    Agent::from_join(&channel(**hub, &link), &joined)
}

#[test]
fn d40_an_agent_opens_remote_control_joins_with_its_result_and_is_instructed() {
    let hub = Hub::unlimited();
    for client in clients(&hub) {
        let (remote, output) = client.call_with_text("open_remote_control", &json!({"name": "Ann"}));
        assert_eq!(decode_blocks(text(&remote["qr_ascii_clean"]), false), text(&remote["mobile_url"]));
        for field in ["mobile_url", "mobile_url_protected", "owner_password", "operator_handoff", "channel_token"] {
            assert!(output.contains(text(&remote[field])), "{field}: {output}");
        }
        assert!(
            output.contains(text(&remote["agent"]["identity_key"])) && output.contains("word for word"),
            "{output}"
        );
        let join = json!({
            "channel_id": remote["channel_id"], "token": remote["channel_token"],
            "identity_key": remote["agent"]["identity_key"], "owner_password": remote["owner_password"],
        });
        let joined = client.call("join", &join);
        assert_eq!(joined["trust_posture"], "trusted-authorized");
        let phone = phone(&hub, &remote);
        phone.send(text(&joined["callsign"]), "deploy?");
        let membership = json!({"channel_id": remote["channel_id"], "session_id": joined["session_id"]});
        let read = client.call("listen", &membership);
        assert_eq!(
            (&read["messages"][0]["text"], &read["messages"][0]["verified"]),
            (&json!("deploy?"), &json!("identity"))
        );
        let reply = client.result("tools/call", json!({"name": "open_remote_control", "arguments": {}})).to_string();
        assert!(reply.len() < 24_000, "{} bytes", reply.len());
    }
}

#[test]
fn d40_the_result_has_the_qr_code_that_was_asked_for() {
    let hub = Hub::unlimited();
    let client = Client::modern(*hub, "/mcp");
    let (plain, output) = client.call_with_text("open_remote_control", &json!({"qr": "none"}));
    assert!(plain.get("qr_ascii_clean").is_none() && plain.get("qr_data_url").is_none() && !output.contains('█'));
    let image = client.call("open_remote_control", &json!({"qr": "png"}));
    assert_eq!(decode_data_url(text(&image["qr_data_url"])), text(&image["mobile_url"]));
    let whole = client.result("tools/call", json!({"name": "open_remote_control", "arguments": {"qr": "none"}}));
    assert!(whole.to_string().len() < 5_000, "{} bytes", whole.to_string().len());
}

#[test]
fn d40_a_link_is_made_for_a_channel_that_exists() {
    let hub = Hub::unlimited();
    for client in clients(&hub) {
        let created = client.call("create_channel", &json!({}));
        let account = client.call("create_account", &json!({}));
        let arguments = json!({
            "channel_id": created["channel_id"], "channel_token": created["join_token"],
            "session_token": account["session_token"],
        });
        let (added, output) = client.call_with_text("make_remote_link", &arguments);
        assert_eq!(added["owner_password_existing"], false);
        assert!(output.contains(text(&added["owner_password"])), "{output}");
        let at = json!({"channel_id": created["channel_id"], "channel_token": created["join_token"]});
        try_join(&channel(*hub, &at), &added["phone"], &added["owner_password"]).ok();
        let again = client.call("make_remote_link", &arguments);
        assert_eq!((&again["owner_password"], &again["owner_password_existing"]), (&Value::Null, &json!(true)));
        let mut wrong = arguments.clone();
        wrong["channel_token"] = json!("wrong");
        client.call_refused("make_remote_link", &wrong, "unauthorized");
        let own = Client {
            bearer: Some(text(&created["join_token"]).into()),
            path: format!("/mcp/{}", text(&created["channel_id"])),
            version: MODERN,
            ..Client::modern(*hub, "/mcp")
        };
        let mut known = arguments.clone();
        known.as_object_mut().unwrap().remove("channel_id");
        assert_eq!(own.call("make_remote_link", &known)["channel_id"], created["channel_id"]);
        client.call_refused("make_remote_link", &known, "invalid");
    }
}

#[test]
fn d23_a_channel_token_alone_opens_no_remote_control_where_the_hub_has_a_token() {
    let hub = Hub::with(&["--token", "the-hub-token"], &[]);
    let created = hub.post("/api/channels").bearer("the-hub-token").send().ok();
    let own = |bearer: &str| Client {
        bearer: Some(bearer.into()),
        path: format!("/mcp/{}", text(&created["channel_id"])),
        ..Client::modern(*hub, "/mcp")
    };
    own(text(&created["join_token"])).call_refused("open_remote_control", &json!({}), "unauthorized");
    let account = hub.post("/api/account").bearer("the-hub-token").send().ok();
    let arguments = json!({"session_token": account["session_token"]});
    let remote = own(text(&created["join_token"])).call("open_remote_control", &arguments);
    assert_eq!(remote["account_id"], account["account_id"]);
    assert!(remote.get("recovery_token").is_none());
    own("the-hub-token").call("open_remote_control", &json!({}));
}
