//! Two hubs that decide about the same at the same time, and a hub that is killed before it has posted to a webhook.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use rogerrat_testkit::{Hub, Postgres, timed, wait_until};
use serde_json::json;

use super::super::{NO_LIMITS, at, environment, member_at};
use crate::accounts::account_client::{Account, prove, try_prove};
use crate::webhooks::receiver::Receiver;

/// Two hubs on one database, with more environment variables.
fn pair(more: &[(&str, &str)]) -> Option<([Hub; 2], String)> {
    let url = Postgres::shared()?.database();
    let environment = [&environment(&url), more].concat();
    let first = Hub::with(&NO_LIMITS, &environment);
    let second = Hub::beside(&first, &NO_LIMITS, &environment);
    Some(([first, second], url))
}

/// The same account at another hub.
fn account_at(hub: &Hub, account: &Account) -> Account {
    Account { target: **hub, ..account.clone() }
}

/// How many of concurrent requests succeed; the others must be refused with 409.
fn succeed(request: impl Fn(usize) -> u16 + Sync) -> usize {
    let statuses = thread::scope(|scope| {
        let request = &request;
        let requests: Vec<_> = (0..16).map(|n| scope.spawn(move || request(n))).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    statuses.iter().filter(|status| **status == 200).count()
}

#[test]
fn limits_and_callsigns_hold_across_hubs() {
    let limits = [("ROGERRAT_ACCOUNTS__CHANNELS", "5"), ("ROGERRAT_ACCOUNTS__IDENTITIES", "5")];
    let Some((hubs, _)) = pair(&limits) else { return };
    let ann = Account::open(&hubs[0]);
    let bobs = Account::open(&hubs[1]);
    let anns = [0, 1].map(|n| account_at(&hubs[n], &ann));
    assert_eq!(succeed(|n| anns[n % 2].try_channel(&json!({})).status), 5);
    assert_eq!(succeed(|n| anns[n % 2].try_identity(&format!("name-{n}")).status), 5);
    ann.get("/identities").ok()["identities"].as_array().unwrap().iter().for_each(|row| {
        anns[1].delete(&format!("/identities/{}", row["callsign"].as_str().unwrap())).ok();
    });
    let owners = [&anns[0], &bobs];
    assert_eq!(succeed(|n| owners[n % 2].try_identity("contested").status), 1, "a callsign belongs to one account");
}

#[test]
fn a_rotated_key_is_refused_at_all_hubs() {
    let Some((hubs, _)) = pair(&[]) else { return };
    let ann = Account::open(&hubs[0]);
    let (mut key, channel) = (ann.identity("ann"), ann.channel(&json!({})));
    let channels = [channel.clone(), at(&hubs[1], &channel)];
    for n in 0..4 {
        let (old, is_rotated, joins) = (key.clone(), AtomicBool::new(false), AtomicUsize::new(0));
        key = thread::scope(|scope| {
            for channel in &channels {
                let (old, is_rotated, joins) = (&old, &is_rotated, &joins);
                scope.spawn(move || {
                    while !is_rotated.load(Relaxed) {
                        let status = try_prove(channel, old).status;
                        assert!([200, 401, 403].contains(&status), "{status}");
                        joins.fetch_add(1, Relaxed);
                    }
                });
            }
            wait_until("both hubs accept the key", || joins.load(Relaxed) > 3);
            let key = account_at(&hubs[n % 2], &ann).rotate("ann");
            is_rotated.store(true, Relaxed);
            key
        });
        let (time, ()) = timed(|| {
            for channel in &channels {
                wait_until("the old key is refused", || try_prove(channel, &old).status != 200);
            }
        });
        println!("the old key was refused at both hubs after {} ms", time.as_millis());
        for channel in channels.iter().cycle().take(10) {
            assert_ne!(try_prove(channel, &old).status, 200, "an old key was refused before");
            prove(channel, &key);
        }
    }
}

#[test]
fn a_leased_message_is_delivered_at_one_hub() {
    const MESSAGES: usize = 60;
    let Some((hubs, _)) = pair(&[]) else { return };
    let channel = hubs[0].channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let bobs = [member_at(&hubs[0], &bob), member_at(&hubs[1], &bob)];
    let count = AtomicUsize::new(0);
    let received = thread::scope(|scope| {
        let reads = bobs.map(|bob| {
            let count = &count;
            scope.spawn(move || {
                let mut received = Vec::new();
                while count.load(Relaxed) < MESSAGES {
                    let poll = bob.get("listen?ack=manual&lease=600&timeout=1&max=2").ok();
                    for message in poll["messages"].as_array().unwrap() {
                        received.push((message["id"].as_u64().unwrap(), message["attempt"].as_u64().unwrap_or(1)));
                        count.fetch_add(1, Relaxed);
                    }
                }
                received
            })
        });
        for n in 0..MESSAGES {
            ann.say(&n.to_string());
        }
        reads.map(|read| read.join().unwrap())
    });
    let all = received.concat();
    assert!(all.iter().all(|(_, attempt)| *attempt == 1), "{all:?}");
    let ids: BTreeSet<_> = all.iter().map(|(id, _)| *id).collect();
    assert_eq!((ids.len(), all.len()), (MESSAGES, MESSAGES), "a leased message was delivered again: {all:?}");
    assert!(received.iter().all(|received| received.is_sorted()), "{received:?}");
}

#[test]
fn a_hub_is_killed_between_a_send_and_its_webhook() {
    let Some((mut hubs, url)) = pair(&[]) else { return };
    let receiver = Receiver::start();
    let names = ["disk", "memory"];
    let channels = names.map(|durability| hubs[0].channel_with(&json!({"durability": durability})));
    let agents = names.map(|name| {
        let channel = &channels[usize::from(name == "memory")];
        let body = json!({"url": receiver.url(name), "events": ["message.received"]});
        channel.request("POST", "webhooks").json(&body).send().ok();
        // The owner of the channel is killed; this hub is not.
        at(&hubs[1], channel).join("ann")
    });
    let (sent, is_over) = ([AtomicUsize::new(0), AtomicUsize::new(0)], AtomicBool::new(false));
    let acknowledged = thread::scope(|scope| {
        let senders: Vec<_> = agents
            .into_iter()
            .zip(&sent)
            .map(|(ann, sent)| {
                let is_over = &is_over;
                scope.spawn(move || {
                    let mut acknowledged = BTreeSet::new();
                    for n in 0.. {
                        let body = json!({"message": n.to_string(), "client_msg_id": n.to_string()});
                        let mut reply = ann.try_send(&body);
                        while reply.status == 503 {
                            reply = ann.try_send(&body);
                        }
                        acknowledged.insert(reply.ok()["id"].as_u64().unwrap());
                        sent.fetch_add(1, Relaxed);
                        if is_over.load(Relaxed) {
                            break;
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        let more = || {
            let before = sent.each_ref().map(|sent| sent.load(Relaxed) + 8);
            wait_until("more is sent", || sent.iter().zip(before).all(|(sent, enough)| sent.load(Relaxed) >= enough));
        };
        for _ in 0..2 {
            more();
            hubs[0].kill();
            more();
            hubs[0].start_again(&NO_LIMITS, &environment(&url));
        }
        is_over.store(true, Relaxed);
        senders.into_iter().map(|sender| sender.join().unwrap()).collect::<Vec<_>>()
    });
    for (name, acknowledged) in names.iter().zip(acknowledged) {
        let posted = || {
            let posted = receiver.got_at(name).into_iter();
            posted.map(|got| (got.body["message"]["id"].as_u64().unwrap(), got)).collect::<Vec<_>>()
        };
        wait_until("every acknowledged message is posted", || {
            let ids: BTreeSet<_> = posted().iter().map(|(id, _)| *id).collect();
            acknowledged.is_subset(&ids)
        });
        let (mut first, mut again) = (BTreeMap::<u64, String>::new(), 0);
        for (id, got) in posted() {
            match first.get(&id) {
                Some(webhook_id) => {
                    assert_eq!(webhook_id, got.id(), "{name}: message {id}");
                    again += 1;
                }
                None => {
                    assert!(first.last_key_value().is_none_or(|(last, _)| *last < id), "{name}: {id} is out of order");
                    first.insert(id, got.id().to_owned());
                }
            }
        }
        println!("webhook of a {name} channel: {} acknowledged, {again} posted again", acknowledged.len());
    }
}
