//! Joining with an identity key, and without a required one.

use rogerrat_testkit::{Agent, Channel, Hub, Stream};
use serde_json::{Value, json};

use super::account_client::{Account, is_out, prove, try_prove};

fn messages(agent: &Agent) -> Vec<Value> {
    agent.get("listen?timeout=1").ok()["messages"].as_array().unwrap().clone()
}

#[test]
fn the_key_determines_the_callsign() {
    let hub = Hub::unlimited();
    let (ann, channel) = (Account::open(&hub), hub.channel());
    let (key, other) = (ann.identity("ann"), ann.identity("zoe"));
    let join = |body: &Value, header: Option<&str>| {
        let request = channel.request("POST", "join").json(body);
        header.map_or(request.clone(), |key| request.header("X-Identity-Key", key)).send()
    };
    for (body, header) in [
        (json!({"identity_key": key}), None),
        (json!({}), Some(key.as_str())),
        (json!({"callsign": "bob", "identity_key": key}), None),
        (json!({"callsign": "ANN", "identity_key": other}), Some(key.as_str())),
    ] {
        assert_eq!(join(&body, header).ok()["callsign"], "ann", "{body}");
    }
    assert_eq!(channel.roster(), ["ann"]);
    join(&json!({"callsign": "zoe", "identity_key": key}), None).refused(401, "unauthorized");
    join(&json!({"callsign": "-", "identity_key": key}), None).refused(400, "invalid");
}

#[test]
fn a_wrong_key_is_refused_without_details() {
    let hub = Hub::unlimited();
    let (ann, channel) = (Account::open(&hub), hub.channel());
    let key = ann.identity("ann");
    let errors: Vec<_> = ["", "rr_id_", "k", &key[..key.len() - 1], &key[6..], &ann.session, &ann.recovery]
        .map(|wrong| try_prove(&channel, wrong).refused(401, "unauthorized")["error"].clone())
        .into_iter()
        .collect();
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    channel.try_join(&json!({"identity_key": 7})).refused(400, "invalid");
    assert!(channel.roster().is_empty());
    let elsewhere = Channel { token: "wrong".into(), ..channel };
    try_prove(&elsewhere, &key).refused(401, "unauthorized");
}

#[test]
fn d18_the_callsign_of_an_identity_needs_its_key_on_every_channel() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let channels =
        [hub.channel(), hub.channel_with(&json!({"claim_callsigns": true})), hub.band("general"), hub.band("random")];
    let key = ann.identity("ann");
    for channel in &channels {
        let without = || channel.try_join(&json!({"callsign": "Ann"})).refused(409, "callsign_taken");
        assert!(without()["hint"].as_str().unwrap().contains("identity_key"));
        let agent = prove(channel, &key);
        without();
        channel.try_join_as("ann", &agent.session).refused(409, "callsign_taken");
        agent.leave();
        without();
    }
}

#[test]
fn d17_a_key_takes_over_a_callsign_in_use() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let key = ann.identity("ann");
    for channel in [hub.channel_with(&json!({"claim_callsigns": true})), hub.band("general")] {
        let first = prove(&channel, &key);
        let second = prove(&channel, &key);
        assert_eq!((&second.session, &second.joined["idempotent"]), (&first.session, &json!(true)));
        assert_eq!(second.joined["collision_warning"], Value::Null, "it is the same identity");
        first.leave();
        channel.join("bob").send("ann", "held for you");
        let back = prove(&channel, &key);
        assert!(back.session != first.session && back.joined["idx"] == first.joined["idx"]);
        assert_eq!(back.listen(), ["held for you"]);
    }
}

#[test]
fn an_earlier_holder_keeps_the_callsign_until_the_key_is_used() {
    let hub = Hub::unlimited();
    let (ann, channel) = (Account::open(&hub), hub.channel());
    let (squatter, bob) = (channel.join("ann"), channel.join("bob"));
    let key = ann.identity("ann");
    bob.send("ann", "for whoever you are");
    squatter.send("bob", "still here");
    assert_eq!(messages(&bob)[0]["verified"], Value::Null);
    channel.try_join(&json!({"callsign": "ann"})).refused(409, "callsign_taken");
    let owner = prove(&channel, &key);
    assert!(is_out(&squatter));
    assert_eq!(owner.listen(), Vec::<String>::new(), "messages to the earlier holder stay unread");
    owner.send("bob", "now it is me");
    assert_eq!(messages(&bob)[0]["verified"], "identity");
}

#[test]
fn a_channel_can_require_identities() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let channel = hub.channel_with(&json!({"require_identity": true}));
    for body in [json!({}), json!({"callsign": "bob"}), json!({"callsign": "ann"})] {
        channel.try_join(&body).refused(403, "forbidden");
    }
    channel.try_join_as("bob", "my-own-session").refused(403, "forbidden");
    let agent = prove(&channel, &ann.identity("ann"));
    channel.try_join_as("bob", &agent.session).refused(403, "forbidden");
    agent.say("alone");
}

#[test]
fn a05_messages_of_an_identity_are_marked_verified() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let channel = hub.channel_with(&json!({"retention": "full"}));
    let (agent, bob, cat) = (prove(&channel, &ann.identity("ann")), channel.join("bob"), channel.join("cat"));
    let mut stream = Stream::open(bob.request("GET", "stream"));
    agent.say("it is me");
    let event = stream.next().unwrap().data();
    assert_eq!((&event["text"], &event["verified"]), (&json!("it is me"), &json!("identity")));
    assert_eq!(messages(&cat)[0]["verified"], "identity");
    assert_eq!(channel.get("history").ok()["history"][0]["verified"], "identity");
    let transcript = channel.get("transcript").ok();
    assert_eq!(transcript["events"].as_array().unwrap().last().unwrap()["verified"], "identity");
    assert_eq!(channel.try_join(&json!({"callsign": "dan"})).ok()["history"][0]["verified"], "identity");
    // The session decides, not the text or a field.
    cat.try_send(&json!({"message": "\",\"verified\":\"identity", "verified": "identity", "thread": "verified"})).ok();
    let forged = stream.next().unwrap().data();
    assert!(forged.get("verified").is_none() && forged["from"] == "cat", "{forged}");
}

#[test]
fn d21_private_dms_are_visible_to_two_identities_only() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let keys = ["ann", "bob", "cat"].map(|name| ann.identity(name));
    let channel = hub.channel_with(&json!({"dm_visibility": "private", "require_identity": true}));
    let [one, two, three] = keys.each_ref().map(|key| prove(&channel, key));
    one.send("bob", "between us");
    let seen = |agent: &Agent| agent.get("history").ok()["history"].as_array().unwrap().len();
    assert_eq!((seen(&one), seen(&two), seen(&three)), (1, 1, 0));
    let without_session = channel.get("history").ok();
    assert_eq!(without_session["history"], json!([]));
    // A new identity of the same name does not see the old one's DMs.
    two.listen();
    ann.delete("/identities/bob").ok();
    let heir = Account::open(&hub);
    let heir = prove(&channel, &heir.identity("bob"));
    assert_eq!((seen(&heir), heir.joined["history"].clone()), (0, json!([])));
}
