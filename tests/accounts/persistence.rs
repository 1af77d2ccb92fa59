//! Persistence of accounts, and that no secret is stored in clear text.

use std::fs;

use rogerrat_testkit::{Channel, Hub, wait_until};
use serde_json::json;

use super::account_client::{Account, is_out, prove, try_prove};

fn kill(hub: &mut Hub) {
    hub.kill();
    hub.start_again(&["--rate-limit", "off"], &[]);
}

#[test]
fn accounts_identities_and_owned_channels_survive_a_kill() {
    let mut hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let key = ann.identity("ann");
    let channels = [ann.channel(&json!({})), ann.channel(&json!({"durability": "disk", "require_identity": true}))];
    let agents = channels.each_ref().map(|channel| prove(channel, &key));
    let before = (ann.get("").ok(), ann.get("/identities").ok(), ann.get("/channels").ok());
    kill(&mut hub);
    assert_eq!((ann.get("").ok(), ann.get("/identities").ok()), (before.0, before.1));
    let ids = |list: &serde_json::Value| {
        list["channels"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&ann.get("/channels").ok()), ids(&before.2));
    for (channel, agent) in channels.iter().zip(&agents) {
        agent.say("the same session");
        assert_eq!(channel.get("history").ok()["history"][0]["verified"], "identity");
        let again = prove(channel, &key);
        assert_eq!((&again.session, &again.joined["idempotent"]), (&agent.session, &json!(true)));
    }
    channels[1].try_join(&json!({"callsign": "bob"})).refused(403, "forbidden");
    let recover = json!({"recovery_token": ann.recovery});
    hub.post("/api/account/recover").json(&recover).send().ok();
    assert_eq!(prove(&hub.channel(), &ann.rotate("ann")).callsign, "ann");
}

#[test]
fn a_rotated_token_and_a_rotated_key_survive_a_kill() {
    let mut hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let old_key = ann.identity("ann");
    let old = ann.channel(&json!({"durability": "disk"}));
    let reply = ann.post(&format!("/channels/{}/rotate-token", old.id), &json!({})).ok();
    let new = Channel { token: reply["join_token"].as_str().unwrap().into(), ..old.clone() };
    let new_key = ann.rotate("ann");
    kill(&mut hub);
    old.get("roster").refused(401, "unauthorized");
    try_prove(&new, &old_key).refused(401, "unauthorized");
    prove(&new, &new_key).say("in");
    kill(&mut hub);
    assert_eq!(new.history(), ["in"]);
    old.get("roster").refused(401, "unauthorized");
}

#[test]
fn loading_a_channel_closes_sessions_of_revoked_keys() {
    let mut hub = Hub::unlimited();
    let ann = Account::open(&hub);
    for settings in [json!({}), json!({"durability": "disk"})] {
        let (rotated, deleted) = (ann.identity("ann"), ann.identity("zoe"));
        let channel = hub.channel_with(&settings);
        let (one, two, bob) = (prove(&channel, &rotated), prove(&channel, &deleted), channel.join("bob"));
        kill(&mut hub);
        // The channel is not in memory, only in the log.
        let new = ann.rotate("ann");
        ann.delete("/identities/zoe").ok();
        one.post("send", &json!({"message": "with a dead key"})).refused(410, "session_expired");
        assert!(is_out(&one) && is_out(&two) && !is_out(&bob));
        assert_eq!(channel.roster(), ["bob"]);
        let back = prove(&channel, &new);
        assert!(back.session != one.session && back.joined["idx"] == one.joined["idx"]);
        // And again, from memory.
        kill(&mut hub);
        assert!(is_out(&one) && is_out(&two) && !is_out(&back));
        ann.delete("/identities/ann").ok();
        assert!(is_out(&back));
    }
}

#[test]
fn d22_no_secret_is_stored_in_clear_text() {
    let mut hub = Hub::unlimited();
    let ann = Account::open(&hub);
    let first = ann.identity("ann");
    let channel = ann.channel(&json!({"durability": "disk", "owner_password": "sesame-open"}));
    let reply = ann.post(&format!("/channels/{}/rotate-token", channel.id), &json!({})).ok();
    let token = reply["join_token"].as_str().unwrap().to_owned();
    let own = Channel { token: token.clone(), ..channel.clone() };
    let joined = own.request("POST", "join").session("a-session-of-my-own").header("X-Identity-Key", &first);
    joined.json(&json!({"owner_password": "sesame-open"})).send().ok();
    let second = ann.rotate("ann");
    let minted = prove(&own, &second).session;
    let recovered = hub.post("/api/account/recover").json(&json!({"recovery_token": ann.recovery})).send().ok();
    let recovered = recovered["session_token"].as_str().unwrap().to_owned();
    kill(&mut hub);
    let secrets = [
        &ann.recovery,
        &ann.session,
        &first,
        &second,
        &channel.token,
        &token,
        &recovered,
        &minted,
        &"a-session-of-my-own".to_owned(),
        &"sesame-open".to_owned(),
    ];
    let log = hub.log();
    let files: Vec<_> = fs::read_dir(hub.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    for secret in secrets {
        assert!(!log.contains(secret.as_str()), "{secret} is in the log");
        // Also without its prefix.
        let bare = secret.rsplit_once("rr_").map_or(secret.as_str(), |(_, rest)| rest.split_once('_').unwrap().1);
        for file in &files {
            let bytes = fs::read(file).unwrap();
            let is_in = bytes.windows(bare.len()).any(|window| window == bare.as_bytes());
            assert!(!is_in, "{secret} is in {}", file.display());
        }
    }
    let holds = |needle: &str| {
        files.iter().any(|file| fs::read(file).unwrap().windows(needle.len()).any(|w| w == needle.as_bytes()))
    };
    wait_until("stored data is found by the same search", || holds(&ann.id));
}
