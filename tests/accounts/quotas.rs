//! Limits of accounts.

use std::thread;

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::account_client::{Account, prove};

fn env<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    pairs.to_vec()
}

#[test]
fn exceeding_a_limit_is_409_and_names_it() {
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
    let body = ann.get("").ok()["limits"].clone();
    assert_eq!((&body["channels"], &body["identities"], &body["webhooks"]), (&json!(2), &json!(2), &json!(10)));
}

#[test]
fn of_concurrent_requests_at_the_limit_one_succeeds() {
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
    assert_eq!(at_once(&|n| one(n).try_identity("contested").status), 1, "a callsign belongs to one account");
}

#[test]
fn the_send_limit_of_an_account_spans_identities_and_channels() {
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
        let body = refused.refused(429, "rate_limited");
        assert!(body["error"].as_str().unwrap().contains("account"), "{body}");
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 60);
    }
    here.join("bob").say("nobody else is held up");
    let other = Account::open(&hub);
    prove(&here, &other.identity("cat")).say("nor another account");
    assert_eq!(there.history(), ["once", "three"]);
}

#[test]
fn creating_accounts_is_limited_per_address() {
    let hub = Hub::with(&[], &env(&[("ROGERRAT_LIMITS__ACCOUNT_PER_ADDRESS", "3")]));
    let ann = Account::open(&hub);
    let recover = |token: &str| hub.post("/api/account/recover").json(&json!({"recovery_token": token})).send();
    recover("rr_acct_wrong").refused(401, "unauthorized");
    recover(&ann.recovery).ok();
    recover(&ann.recovery).refused(429, "rate_limited");
    hub.post("/api/account").send().refused(429, "rate_limited");
    let body: Value = ann.get("").ok();
    assert_eq!(body["account_id"], json!(ann.id), "existing sessions still work");
}
