//! Deliveries: format, signatures, retries, order, isolation, the delivery log, replays, and disabling a webhook.

use std::collections::BTreeSet;
use std::env;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rogerrat_testkit::{Hub, wait_until};
use serde_json::{Value, json};

use super::hooks::Hook;
use super::receiver::Receiver;

#[test]
fn the_receiver_verifies_both_header_families_and_the_standard() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let channel = hub.channel();
    let hook = Hook::on(&channel, &receiver.url("a"));
    let (ann, _bob) = (channel.join("ann"), channel.join("bob"));
    let ids = [ann.say("to all"), ann.send("bob", "ümläut \u{2028} \"quoted\"")];
    ann.try_send(&json!({"message": "a status", "kind": "status"})).ok();
    let got = receiver.wait_for("a", 2);
    for (got, id) in got.iter().zip(ids) {
        assert_eq!((&got.body["event"], &got.body["hook_id"]), (&json!("message.received"), &json!(hook.id)));
        assert_eq!((&got.body["channel_id"], &got.body["message"]["id"]), (&json!(channel.id), &json!(id)));
        assert!(got.body["delivered_at"].as_u64() >= got.body["message"]["at"].as_u64());
        for name in ["x-rogerrat-event", "x-rogerthat-event"] {
            assert_eq!(got.headers[name], "message.received");
        }
        for name in ["x-rogerrat-delivery", "x-rogerthat-delivery", "webhook-id"] {
            assert_eq!(got.headers[name], *got.id());
        }
    }
    assert_eq!(
        (got[0].body["message"]["to"].clone(), got[1].body["message"]["to"].clone()),
        (json!("all"), json!("bob"))
    );
    let rotated = hook.post("rotate-secret", &json!({})).ok();
    ann.say("signed twice");
    let third = &receiver.wait_for("a", 3)[2];
    assert_eq!(third.headers["webhook-signature"].as_str().unwrap().split(' ').count(), 2);
    let (count, how) = receiver.verify(&[&hook.secret, rotated["secret"].as_str().unwrap()]);
    assert_eq!(count, 3, "a status is not delivered");
    assert!(env::var_os("ROGERRAT_TEST_WEBHOOK_PYTHON").is_none() || how == "standardwebhooks", "{how}");
}

#[test]
fn an_error_is_retried_after_1_and_3_seconds_with_the_same_bytes() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let channel = hub.channel();
    let hook = Hook::on(&channel, &receiver.url("fails/2"));
    let ann = channel.join("ann");
    ann.say("first");
    ann.say("second");
    let got = receiver.wait_for("fails/2", 4);
    assert!(got[1].at - got[0].at >= 0.99 && got[2].at - got[1].at >= 2.99, "{got:?}");
    for again in &got[1..3] {
        for name in ["webhook-id", "x-rogerrat-delivery", "x-rogerrat-signature", "x-rogerthat-signature"] {
            assert_eq!(again.headers[name], got[0].headers[name], "{name}");
        }
        assert_eq!(again.raw, got[0].raw);
        assert_ne!(again.headers["webhook-signature"], got[0].headers["webhook-signature"]);
    }
    assert_eq!((got[3].text(), got.len()), ("second", 4));
    hook.wait_for(&["delivered", "delivered"]);
    let first = &hook.deliveries()[0];
    assert_eq!((&first["attempts"], &first["response_status"]), (&json!(3), &json!(204)), "{first}");
    assert!(first["latency_ms"].is_u64());
    receiver.verify(&[&hook.secret]);
}

#[test]
fn a_refusal_or_a_redirect_is_final() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let channel = hub.channel();
    let refused = Hook::on(&channel, &receiver.url("status/404"));
    let redirected = Hook::with(&channel, &json!({"url": receiver.url("redirects"), "retry": "persistent"}));
    let ann = channel.join("ann");
    ann.say("one");
    ann.say("two");
    refused.wait_for(&["failed", "failed"]);
    redirected.wait_for(&["failed", "failed"]);
    let row = &redirected.deliveries()[0];
    assert_eq!(
        (&row["failure"], &row["response_status"], &row["attempts"]),
        (&json!("redirect"), &json!(307), &json!(1))
    );
    assert_eq!(refused.deliveries()[0]["failure"], "status");
    assert_eq!((receiver.got_at("status/404").len(), receiver.got_at("redirects").len()), (2, 2));
    assert!(receiver.got_at("elsewhere").is_empty(), "a redirect is not followed");
}

#[test]
fn a_receiver_that_hangs_delays_no_other() {
    let (hub, receiver) = (Hub::unlimited(), Receiver::start());
    let channel = hub.channel();
    (0..5).for_each(|n| drop(Hook::on(&channel, &receiver.url(&format!("hangs/{n}")))));
    Hook::on(&channel, &receiver.url("well"));
    let ann = channel.join("ann");
    let sent = ann.say_numbers(0..20);
    let got = receiver.wait_for("well", 20);
    let ids: Vec<_> = got.iter().map(|got| got.body["message"]["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, sent, "in order");
    assert!(got[19].at - got[0].at < 9.0, "no delivery waited for a timeout");
}

#[test]
fn a_hundred_webhooks_that_hang_are_served_at_once() {
    let (hub, receiver) = (Hub::unlimited(), Receiver::start());
    let agents: Vec<_> = (0..10)
        .map(|c| {
            let channel = hub.channel();
            (0..10).for_each(|n| drop(Hook::on(&channel, &receiver.url(&format!("hangs/{c}/{n}")))));
            channel.join("ann")
        })
        .collect();
    for ann in &agents {
        ann.say("hello");
    }
    wait_until("every webhook has had its first attempt", || receiver.got().len() >= 100);
    let got = receiver.got();
    let paths: BTreeSet<_> = got.iter().map(|got| &got.path).collect();
    assert_eq!(paths.len(), 100);
    assert!(got[99].at - got[0].at < 9.0, "no attempt waited for another to time out");
}

#[test]
fn a_webhook_that_fails_50_times_in_a_row_is_disabled() {
    let (hub, receiver) = (Hub::unlimited(), Receiver::start());
    let channel = hub.channel();
    let hook = Hook::on(&channel, &receiver.url("status/404"));
    let ann = channel.join("ann");
    ann.say_numbers(0..55);
    wait_until("the webhook is switched off", || hook.row()["active"] == false);
    let row = hook.row();
    assert_eq!((&row["failures_in_a_row"], row["switched_off_at"].is_u64()), (&json!(50), true), "{row}");
    assert_eq!(receiver.got().len(), 50);
    wait_until("nothing is due", || hook.row()["due"] == 0);
    ann.say("not delivered");
    assert!(hub.log().contains("webhook switched off"));
    hook.post("test", &json!({})).ok();
    receiver.wait_for("status/404", 51);
    assert_eq!(receiver.got()[50].headers["x-rogerrat-event"], "webhook.test");
}

#[test]
fn a_receiver_that_is_gone_is_disabled_at_once() {
    let (hub, receiver) = (Hub::unlimited(), Receiver::start());
    let channel = hub.channel();
    let hook = Hook::on(&channel, &receiver.url("status/410"));
    let ann = channel.join("ann");
    ann.say("hello");
    wait_until("the webhook is switched off", || hook.row()["active"] == false);
    ann.say("not delivered");
    wait_until("nothing is due", || hook.row()["due"] == 0);
    assert_eq!((receiver.got().len(), &hook.row()["failures_in_a_row"]), (1, &json!(1)));
}

#[test]
fn a_replay_delivers_what_failed() {
    let (hub, receiver) = (Hub::unlimited(), Receiver::start());
    for settings in [json!({}), json!({"durability": "disk"})] {
        let channel = hub.channel_with(&settings);
        let path = format!("fails/1/{}", channel.id);
        let hook = Hook::with(&channel, &json!({"url": receiver.url(&path), "retry": "immediate"}));
        let refused = Hook::on(&channel, &receiver.url(&format!("status/400/{}", channel.id)));
        channel.join("ann").say("hello");
        hook.wait_for(&["delivered"]);
        refused.wait_for(&["failed"]);
        let replayed = refused.post("replay", &json!({})).ok();
        assert_eq!(replayed["replayed"].as_array().unwrap().len(), 1, "{replayed}");
        let got = receiver.wait_for(&format!("status/400/{}", channel.id), 2);
        assert_eq!((got[0].id(), &got[0].raw), (got[1].id(), &got[1].raw));
        let one = json!({"delivery_id": hook.deliveries()[0]["id"]});
        hook.post("replay", &one).ok();
        assert_eq!(receiver.wait_for(&path, 3)[2].raw, got_body(&receiver, &path));
        hook.post("replay", &json!({"delivery_id": "whd_00000000000000000000000000000000"})).refused(404, "not_found");
    }
}

fn got_body(receiver: &Receiver, path: &str) -> String {
    receiver.got_at(path)[0].raw.clone()
}

#[test]
fn d21_a_webhook_of_the_channel_gets_no_private_dms() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let channel = hub.channel_with(&json!({"dm_visibility": "private"}));
    Hook::on(&channel, &receiver.url("a"));
    let (ann, _bob) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "secret");
    ann.say("open");
    let got = receiver.wait_for("a", 1);
    assert_eq!(got[0].text(), "open");
    assert_eq!(
        hub.get("/metrics").send().text().lines().find(|l| l.starts_with("rogerrat_webhook_hooks ")),
        Some("rogerrat_webhook_hooks 1")
    );
}

#[test]
fn the_delivery_log_has_at_most_a_hundred_rows() {
    let (hub, receiver) = (Hub::unlimited(), Receiver::start());
    let channel = hub.channel();
    let hook = Hook::on(&channel, &receiver.url("a"));
    let sent = channel.join("ann").say_numbers(0..120);
    receiver.wait_for("a", 120);
    wait_until("no delivery is due", || hook.row()["due"] == 0);
    let ids: Vec<Value> = hook.deliveries().iter().map(|row| row["message_id"].clone()).collect();
    assert_eq!(ids, sent[20..].iter().map(|id| json!(id)).collect::<Vec<_>>());
}

#[test]
fn an_endless_response_is_not_an_error_of_the_hub() {
    let hub = Hub::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let header = [b"HTTP/1.1 200 OK\r\nX-More: ", &*vec![b'x'; 1 << 20]].concat();
        for mut receiver in listener.incoming().flatten() {
            // The hub disconnects before it has read everything.
            let _ = receiver.read(&mut [0; 4096]);
            let _ = receiver.write_all(&header);
        }
    });
    let channel = hub.channel();
    let hook = Hook::on(&channel, &url);
    channel.join("ann").say("hello");
    hook.wait_for(&["failed"]);
    let row = &hook.deliveries()[0];
    assert!(row["attempts"] == 3 && row["failure"] == "connection", "{row}");
    let log = hub.log();
    assert!(!log.contains("actix_http") && !log.contains(" ERROR "), "{log}");
}
