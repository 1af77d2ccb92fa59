//! Guesses at a PIN are limited over all addresses.

use rogerrat_testkit::{Channel, Hub, Reply};
use serde_json::{Value, json};

use super::kit::{channel, join, open, text, try_join};

/// A hub that trusts the addresses which the test claims.
fn hub() -> Hub {
    Hub::with(&["--rate-limit", "off", "--trusted-proxy", "127.0.0.1"], &[])
}

fn guess(channel: &Channel, remote: &Value, pin: &str, address: u32) -> Reply {
    let body = json!({"identity_key": remote["phone"]["identity_key"], "owner_password": pin});
    let from = format!("10.9.{}.{}", address / 250, address % 250);
    channel.request("POST", "join").header("X-Forwarded-For", &from).json(&body).send()
}

/// Six digits that are not the PIN.
fn wrong(remote: &Value) -> &'static str {
    if remote["owner_password"] == "000000" { "000001" } else { "000000" }
}

#[test]
fn d41_after_20_wrong_pins_every_address_must_wait() {
    let hub = hub();
    let remote = open(*hub, &json!({}));
    let at = channel(*hub, &remote);
    // A caller without the key of an identity cannot try a PIN.
    for n in 0..30 {
        let body = json!({"callsign": "guest", "owner_password": format!("{n:06}")});
        at.request("POST", "join").header("X-Forwarded-For", "10.8.0.1").json(&body).send().refused(403, "forbidden");
    }
    for address in 0..20 {
        guess(&at, &remote, wrong(&remote), address).refused(401, "unauthorized");
    }
    let agent_elsewhere = guess(&at, &remote, text(&remote["owner_password"]), 77);
    agent_elsewhere.refused(429, "rate_limited");
    let seconds: u64 = agent_elsewhere.header("retry-after").unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    // Without a PIN, and on other channels, nothing changes.
    at.try_join(&json!({"identity_key": remote["agent"]["identity_key"]})).ok();
    join(*hub, &open(*hub, &json!({})), "phone");
}

#[test]
fn d41_right_pins_and_other_passwords_are_not_counted() {
    let hub = hub();
    let remote = open(*hub, &json!({}));
    let at = channel(*hub, &remote);
    for address in 0..19 {
        guess(&at, &remote, wrong(&remote), address).refused(401, "unauthorized");
        guess(&at, &remote, text(&remote["owner_password"]), address).ok();
    }
    guess(&at, &remote, text(&remote["owner_password"]), 40).ok();
    let chosen = hub.channel_with(&json!({"owner_password": "open sesame"}));
    for address in 0..25 {
        let body = json!({"callsign": "ann", "owner_password": "wrong"});
        let from = format!("10.7.0.{address}");
        chosen.request("POST", "join").header("X-Forwarded-For", &from).json(&body).send().refused(401, "unauthorized");
    }
}

#[test]
fn d22_five_wrong_pins_a_minute_for_one_address() {
    let hub = hub();
    let remote = open(*hub, &json!({}));
    let at = channel(*hub, &remote);
    for _ in 0..5 {
        guess(&at, &remote, wrong(&remote), 1).refused(401, "unauthorized");
    }
    guess(&at, &remote, text(&remote["owner_password"]), 1).refused(429, "rate_limited");
    guess(&at, &remote, text(&remote["owner_password"]), 2).ok();
    try_join(&at, &remote["phone"], &remote["owner_password"]).ok();
}
