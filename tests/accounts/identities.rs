//! Create, list and delete identities, and rotate their keys.

use rogerrat_testkit::{Hub, Stream};
use serde_json::{Value, json};

use super::account_client::{Account, is_out, key, prove, try_prove};

#[test]
fn an_identity_reserves_its_callsign_on_the_whole_hub() {
    let hub = Hub::unlimited();
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    assert_eq!(ann.try_identity(" Ann ").ok()["callsign"], "ann");
    for (account, wish) in [(&ann, "ann"), (&bob, "ANN"), (&bob, "all"), (&bob, "7"), (&bob, "system")] {
        account.try_identity(wish).refused(409, "callsign_taken");
    }
    for wish in ["", "a b", "-x", &"x".repeat(33)] {
        bob.try_identity(wish).refused(400, "invalid");
    }
    bob.post("/identities", &json!({"callsign": 7})).refused(400, "invalid");
    let rows = |account: &Account| account.get("/identities").ok()["identities"].as_array().unwrap().len();
    assert_eq!((rows(&ann), rows(&bob)), (1, 0));
}

#[test]
fn the_hub_picks_a_callsign_for_an_identity() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let made = [ann.post("/identities", &json!({})).ok(), ann.request("POST", "/identities").send().ok()];
    let [one, two] = made.each_ref().map(|made| made["callsign"].as_str().unwrap());
    assert!(one != two && one.split('-').count() == 3, "{one} {two}");
    let joined = prove(&hub.channel(), &key(&made[0]));
    assert_eq!(joined.callsign, one);
}

#[test]
fn picked_callsigns_are_no_identities() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let picked = hub.channel().try_join(&json!({})).ok()["callsign"].as_str().unwrap().to_owned();
    ann.try_identity(&picked).refused(409, "callsign_taken");
}

#[test]
fn listing_identities_returns_no_keys() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    ann.identity("ann");
    let list = ann.get("/identities").ok();
    let row = &list["identities"][0];
    assert_eq!(row["callsign"], "ann");
    assert!(row["created_at"].as_u64().unwrap() > 1_600_000_000_000);
    assert_eq!(row.as_object().unwrap().len(), 2, "{row}");
}

#[test]
fn rotating_a_key_revokes_the_old_one_and_its_sessions() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let old = ann.identity("ann");
    let channels = [hub.channel(), hub.channel_with(&json!({"durability": "disk"})), hub.band("general")];
    let agents = channels.each_ref().map(|channel| prove(channel, &old));
    let poll = agents[0].park("listen?timeout=60");
    let mut stream = Stream::open(agents[1].request("GET", "stream"));
    let bob = channels[0].join("bob");
    let new = ann.rotate("ann");
    assert_eq!(poll.answer()["timed_out"], true);
    let bye = stream.last();
    assert_eq!((bye.name(), bye.data()["reason"].clone()), ("bye", json!("revoked")));
    for (channel, agent) in channels.iter().zip(&agents) {
        agent.post("send", &json!({"message": "still me"})).refused(410, "session_expired");
        try_prove(channel, &old).refused(401, "unauthorized");
        channel.try_join(&json!({"callsign": "ann"})).refused(409, "callsign_taken");
        let again = channel.request("POST", "join").session(&agent.session).json(&json!({})).send();
        again.refused(409, "callsign_taken");
    }
    bob.send("ann", "are you there?");
    let back = prove(&channels[0], &new);
    assert!(back.session != agents[0].session && back.joined["idx"] == agents[0].joined["idx"]);
    assert_eq!(back.listen(), ["are you there?"], "the mailbox belongs to the identity, not to the key");
    assert!(is_out(&agents[0]) && !is_out(&back));
}

#[test]
fn a_session_of_the_old_key_cannot_be_resumed_with_the_new_one() {
    let hub = Hub::unlimited();
    let (ann, channel) = (Account::open(&hub), hub.channel());
    let old = prove(&channel, &ann.identity("ann"));
    let new = ann.rotate("ann");
    let with_old_session = channel.request("POST", "join").session(&old.session).header("X-Identity-Key", &new);
    let joined = with_old_session.json(&json!({})).send().ok();
    assert_ne!(joined["session_id"], json!(old.session), "a holder of the old key may know the old session");
    assert!(is_out(&old));
}

#[test]
fn deleting_an_identity_closes_its_sessions_and_frees_its_callsign() {
    let hub = Hub::unlimited();
    let (ann, bob, channel) = (Account::open(&hub), Account::open(&hub), hub.channel());
    let key = ann.identity("ann");
    let (agent, cat) = (prove(&channel, &key), channel.join("cat"));
    cat.send("ann", "for the owner of that key");
    bob.delete("/identities/ann").refused(404, "not_found");
    assert!(!is_out(&agent));
    assert_eq!(ann.delete("/identities/ann").ok(), json!({"ok": true}));
    assert!(is_out(&agent));
    try_prove(&channel, &key).refused(401, "unauthorized");
    ann.delete("/identities/ann").refused(404, "not_found");
    let heir = channel.join("ann");
    assert_eq!(heir.listen(), Vec::<String>::new(), "messages to the earlier holder stay unread");
    heir.send("cat", "it is me, ann");
    assert_eq!(cat.get("listen?timeout=1").ok()["messages"][0]["verified"], Value::Null);
    let theirs = bob.identity("ann");
    assert_eq!(prove(&channel, &theirs).callsign, "ann");
    assert!(is_out(&heir));
}
