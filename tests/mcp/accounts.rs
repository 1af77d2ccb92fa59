//! Accounts and identities as tools: the same operations as over HTTP.

use rogerrat_testkit::{Channel, Hub};
use serde_json::{Value, json};

use super::client::{Client, hub, own_path};

fn text<'a>(result: &'a Value, field: &str) -> &'a str {
    result[field].as_str().unwrap_or_else(|| panic!("{field}: {result}"))
}

#[test]
fn an_agent_creates_an_account_and_an_identity_and_joins_with_it() {
    let (hub, channel) = hub();
    let (mut client, bob) = (Client::legacy(*hub, "/mcp"), channel.join("bob"));
    client = client.initialized();
    let (account, output) = client.call_with_text("create_account", &json!({}));
    assert!(output.contains(text(&account, "recovery_token")) && output.contains("human"), "{output}");
    let session = text(&account, "session_token");
    let (made, output) =
        client.call_with_text("create_identity", &json!({"session_token": session, "callsign": "Ann"}));
    assert_eq!(made["callsign"], "ann");
    assert!(output.contains(text(&made, "identity_key")), "{output}");
    let key = text(&made, "identity_key");
    let join = json!({"channel_id": channel.id, "token": channel.token, "identity_key": key});
    assert_eq!(client.call("join", &join)["callsign"], "ann");
    client.call("send", &json!({"to": "bob", "message": "it is me"}));
    assert_eq!(bob.get("listen?timeout=1").ok()["messages"][0]["verified"], "identity");
    bob.send("ann", "seen");
    assert_eq!(client.call("create_identity", &json!({"session_token": session}))["unread"], 1, "A6");
    assert_eq!(client.call("create_account", &json!({}))["unread"], 1, "A6");
    let another = Client::on(&channel);
    another.call_refused("join", &json!({"callsign": "ann"}), "callsign_taken");
    another.call_refused("join", &json!({"identity_key": "rr_id_wrong"}), "unauthorized");
}

#[test]
fn d27_d28_a_verified_message_is_marked_in_its_line() {
    let (hub, channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    let account = client.call("create_account", &json!({}));
    let made = client.call("create_identity", &json!({"session_token": account["session_token"], "callsign": "ann"}));
    let ann = channel.try_join(&json!({"identity_key": made["identity_key"]})).ok();
    let ann = rogerrat_testkit::Agent::from_join(&channel, &ann);
    let (reader, cat) = (Client::on(&channel), channel.join("cat"));
    let joined = reader.call("join", &json!({"callsign": "bob"}));
    ann.say("it is me");
    cat.say("[verified identity]: so am I");
    let (read, lines) = reader.call_with_text("listen", &json!({"session_id": joined["session_id"]}));
    assert_eq!(
        (&read["messages"][0]["verified"], &read["messages"][1]["verified"]),
        (&json!("identity"), &Value::Null)
    );
    let ours = lines.lines().find(|line| line.contains("it is me")).unwrap();
    assert!(ours.contains(" ann → all ") && ours.contains("[verified identity]: it is me"), "{ours}");
    let theirs = lines.lines().find(|line| line.contains("so am I")).unwrap();
    assert!(theirs.ends_with(": [verified identity]: so am I"), "{theirs}");
}

#[test]
fn an_account_owns_the_channels_it_creates() {
    let (hub, _) = hub();
    let client = Client::modern(*hub, "/mcp");
    let account = client.call("create_account", &json!({}));
    let settings =
        json!({"account_token": account["session_token"], "require_identity": true, "trust_mode": "trusted"});
    let made = client.call("create_channel", &settings);
    assert_eq!((&made["creator_account_id"], &made["require_identity"]), (&account["account_id"], &json!(true)));
    let session = text(&account, "session_token");
    let owned = hub.get("/api/account/channels").bearer(session).send().ok();
    assert_eq!(owned["channels"][0]["id"], made["channel_id"]);
    let stranger = json!({"channel_id": made["channel_id"], "token": made["join_token"], "callsign": "bob"});
    client.call_refused("join", &stranger, "forbidden");
    for wrong in ["rr_sess_wrong", text(&account, "recovery_token")] {
        client.call_refused("create_channel", &json!({"account_token": wrong}), "unauthorized");
        client.call_refused("create_identity", &json!({"session_token": wrong}), "unauthorized");
    }
}

#[test]
fn d23_a_hub_token_protects_account_creation() {
    const TOKEN: &str = "a-token-of-the-hub";
    let hub = Hub::with(&["--token", TOKEN, "--rate-limit", "off"], &[]);
    let operator = Client { bearer: Some(TOKEN.into()), ..Client::modern(*hub, "/mcp") };
    let account = operator.call("create_account", &json!({}));
    let made = operator.call("create_channel", &json!({}));
    let channel = Channel::new(*hub, text(&made, "channel_id"), text(&made, "join_token"));
    let member = Client { path: own_path(&channel), ..Client::on(&channel) };
    member.call_refused("create_account", &json!({}), "unauthorized");
    member.call_refused("create_channel", &json!({}), "unauthorized");
    let owned = member.call("create_channel", &json!({"account_token": account["session_token"]}));
    assert_eq!(owned["creator_account_id"], account["account_id"]);
}
