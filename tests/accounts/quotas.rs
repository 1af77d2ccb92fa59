//! What one account may have and do.

use std::thread;

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::kit::{Account, prove};

fn env<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    pairs.to_vec()
}

#[test]
fn counts_are_409_and_name_their_limit() {
    let limits = [("ROGERRAT_ACCOUNTS__CHANNELS", "2"), ("ROGERRAT_ACCOUNTS__IDENTITIES", "2")];
    let hub = Hub::with(&["--rate-limit", "off"], &env(&limits));
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    let refused =
        |reply: rogerrat_testkit::Reply| reply.refused(409, "limit_reached")["error"].as_str().unwrap().to_owned();
    let channels = [ann.channel(&json!({})), ann.channel(&json!({}))];
    assert_eq!(refused(ann.try_channel(&json!({}))), "limit reached: channels of an account (2)");
    ann.identity("one");
    ann.identity("two");
    assert_eq!(refused(ann.try_identity("three")), "limit reached: identities of an account (2)");
    ann.try_identity("one").refused(409, "callsign_taken");
    bob.channel(&json!({}));
    bob.identity("three");
    ann.delete(&format!("/channels/{}", channels[0].id)).ok();
    ann.delete("/identities/one").ok();
    ann.channel(&json!({}));
    ann.identity("four");
    let told = ann.get("").ok()["limits"].clone();
    assert_eq!((&told["channels"], &told["identities"], &told["webhooks"]), (&json!(2), &json!(2), &json!(10)));
}

#[test]
fn the_last_place_goes_to_one_of_many_who_ask_at_once() {
    let limits = [("ROGERRAT_ACCOUNTS__CHANNELS", "5"), ("ROGERRAT_ACCOUNTS__IDENTITIES", "5")];
    let hub = Hub::with(&["--rate-limit", "off"], &env(&limits));
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    let at_once = |ask: &(dyn Fn(usize) -> u16 + Sync)| {
        let statuses = thread::scope(|scope| {
            let asking: Vec<_> = (0..16).map(|n| scope.spawn(move || ask(n))).collect();
            asking.into_iter().map(|asked| asked.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
        statuses.iter().filter(|status| **status == 200).count()
    };
    assert_eq!(at_once(&|_| ann.try_channel(&json!({})).status), 5);
    assert_eq!(at_once(&|n| ann.try_identity(&format!("name-{n}")).status), 5);
    let one = |n: usize| if n.is_multiple_of(2) { &ann } else { &bob };
    ann.get("/identities").ok()["identities"].as_array().unwrap().iter().for_each(|row| {
        ann.delete(&format!("/identities/{}", row["callsign"].as_str().unwrap())).ok();
    });
    assert_eq!(at_once(&|n| one(n).try_identity("contested").status), 1, "a callsign is one account's");
}

#[test]
fn an_accounts_sends_are_counted_over_all_its_identities_and_channels() {
    let hub = Hub::with(&[], &env(&[("ROGERRAT_LIMITS__SEND_PER_ACCOUNT", "4")]));
    let ann = Account::open(&hub);
    let keys = [ann.identity("ann"), ann.identity("zoe")];
    let (here, there) = (hub.channel(), hub.channel_with(&json!({"durability": "disk"})));
    let agents = [prove(&here, &keys[0]), prove(&there, &keys[1])];
    let keyed = json!({"message": "once", "client_msg_id": "k"});
    agents[1].try_send(&keyed).ok();
    assert_eq!(agents[1].try_send(&keyed).ok()["duplicate"], true, "a repeated send does not count");
    agents[0].say("two");
    agents[1].say("three");
    agents[0].say("four");
    for agent in &agents {
        let refused = agent.try_send(&json!({"message": "five"}));
        let told = refused.refused(429, "rate_limited");
        assert!(told["error"].as_str().unwrap().contains("account"), "{told}");
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 60);
    }
    here.join("bob").say("nobody else is held up");
    let other = Account::open(&hub);
    prove(&here, &other.identity("cat")).say("nor another account");
    assert_eq!(there.history(), ["once", "three"]);
}

#[test]
fn accounts_of_an_address_are_limited() {
    let hub = Hub::with(&[], &env(&[("ROGERRAT_LIMITS__ACCOUNT_PER_ADDRESS", "3")]));
    let ann = Account::open(&hub);
    let recover = |token: &str| hub.post("/api/account/recover").json(&json!({"recovery_token": token})).send();
    recover("rr_acct_wrong").refused(401, "unauthorized");
    recover(&ann.recovery).ok();
    recover(&ann.recovery).refused(429, "rate_limited");
    hub.post("/api/account").send().refused(429, "rate_limited");
    let told: Value = ann.get("").ok();
    assert_eq!(told["account_id"], json!(ann.id), "who has a session goes on");
}
