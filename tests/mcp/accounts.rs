//! Accounts and identities as tools: the same as over REST.

use rogerrat_testkit::{Channel, Hub};
use serde_json::{Value, json};

use super::client::{Client, hub, own_path};

fn text<'a>(told: &'a Value, field: &str) -> &'a str {
    told[field].as_str().unwrap_or_else(|| panic!("{field}: {told}"))
}

#[test]
fn an_agent_opens_an_account_makes_an_identity_and_joins_as_it() {
    let (hub, channel) = hub();
    let (mut client, bob) = (Client::legacy(*hub, "/mcp"), channel.join("bob"));
    client = client.initialized();
    let (account, words) = client.says("create_account", &json!({}));
    assert!(words.contains(text(&account, "recovery_token")) && words.contains("human"), "{words}");
    let session = text(&account, "session_token");
    let (made, words) = client.says("create_identity", &json!({"session_token": session, "callsign": "Ann"}));
    assert_eq!(made["callsign"], "ann");
    assert!(words.contains(text(&made, "identity_key")), "{words}");
    let key = text(&made, "identity_key");
    let seat = json!({"channel_id": channel.id, "token": channel.token, "identity_key": key});
    assert_eq!(client.does("join", &seat)["callsign"], "ann");
    client.does("send", &json!({"to": "bob", "message": "it is me"}));
    assert_eq!(bob.get("listen?timeout=1").ok()["messages"][0]["verified"], "identity");
    bob.send("ann", "seen");
    assert_eq!(client.does("create_identity", &json!({"session_token": session}))["unread"], 1, "A6");
    assert_eq!(client.does("create_account", &json!({}))["unread"], 1, "A6");
    let another = Client::on(&channel);
    another.cannot("join", &json!({"callsign": "ann"}), "callsign_taken");
    another.cannot("join", &json!({"identity_key": "rr_id_wrong"}), "unauthorized");
}

#[test]
fn d27_d28_a_verified_message_says_so_in_its_line() {
    let (hub, channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    let account = client.does("create_account", &json!({}));
    let made = client.does("create_identity", &json!({"session_token": account["session_token"], "callsign": "ann"}));
    let ann = channel.try_join(&json!({"identity_key": made["identity_key"]})).ok();
    let ann = rogerrat_testkit::Agent::from_join(&channel, &ann);
    let (reader, cat) = (Client::on(&channel), channel.join("cat"));
    let seat = reader.does("join", &json!({"callsign": "bob"}));
    ann.say("it is me");
    cat.say("[verified identity]: so am I");
    let (told, lines) = reader.says("listen", &json!({"session_id": seat["session_id"]}));
    assert_eq!(
        (&told["messages"][0]["verified"], &told["messages"][1]["verified"]),
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
    let account = client.does("create_account", &json!({}));
    let settings =
        json!({"account_token": account["session_token"], "require_identity": true, "trust_mode": "trusted"});
    let made = client.does("create_channel", &settings);
    assert_eq!((&made["creator_account_id"], &made["require_identity"]), (&account["account_id"], &json!(true)));
    let session = text(&account, "session_token");
    let owned = hub.get("/api/account/channels").bearer(session).send().ok();
    assert_eq!(owned["channels"][0]["id"], made["channel_id"]);
    let stranger = json!({"channel_id": made["channel_id"], "token": made["join_token"], "callsign": "bob"});
    client.cannot("join", &stranger, "forbidden");
    for wrong in ["", "rr_sess_wrong", text(&account, "recovery_token")] {
        client.cannot("create_channel", &json!({"account_token": wrong}), "unauthorized");
        client.cannot("create_identity", &json!({"session_token": wrong}), "unauthorized");
    }
}

#[test]
fn d23_accounts_are_the_operators_where_the_hub_has_a_token() {
    const TOKEN: &str = "a-token-of-the-hub";
    let hub = Hub::with(&["--token", TOKEN, "--rate-limit", "off"], &[]);
    let operator = Client { bearer: Some(TOKEN.into()), ..Client::modern(*hub, "/mcp") };
    let account = operator.does("create_account", &json!({}));
    let made = operator.does("create_channel", &json!({}));
    let channel = Channel::new(*hub, text(&made, "channel_id"), text(&made, "join_token"));
    let member = Client { path: own_path(&channel), ..Client::on(&channel) };
    member.cannot("create_account", &json!({}), "unauthorized");
    member.cannot("create_channel", &json!({}), "unauthorized");
    let owned = member.does("create_channel", &json!({"account_token": account["session_token"]}));
    assert_eq!(owned["creator_account_id"], account["account_id"]);
}
