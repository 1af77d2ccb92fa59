//! Webhooks with headers and a body of their owner, at receivers that take only what chats and agents' routines take.

use std::fs;

use rogerrat_testkit::{Agent, Hub, run, wait_until};
use serde_json::{Value, json};

use super::account::Account;
use super::hooks::{Hook, try_subscribe};
use super::receiver::Receiver;
use super::subscribing::holds;

/// A text that breaks a body in which it is not escaped.
const TEXT: &str = "she said \"no\\yes\",\n\tthen \"}{{from}}\u{1f469}\u{200d}\u{1f4bb} caf\u{e9} \u{2028}\u{1f600}";

#[test]
fn a25_a_chat_gets_quotes_newlines_and_emoji_intact() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let channel = hub.channel();
    let discord = json!({
        "url": receiver.url("discord"),
        "body": {"content": "{{text:2000}}", "username": "{{from}} on {{channel_id}}", "allowed_mentions": {"parse": []}},
    });
    let slack = r#"{"text":"{{from}}: {{text}}","blocks":[{"type":"section","text":{"type":"plain_text","text":"{{text:3000}}"}}]}"#;
    let slack = json!({"url": receiver.url("slack"), "body": slack, "headers": {"Content-Type": "application/json; charset=utf-8"}});
    let (slack, discord) = (Hook::with(&channel, &slack), Hook::with(&channel, &discord));
    let ann = channel.join("ann");
    ann.say(TEXT);
    let long = "\u{e9}\u{1f600}\"".repeat(2000);
    ann.say(&long);
    for (hook, path) in [(&slack, "slack"), (&discord, "discord")] {
        hook.wait_for(&["delivered", "delivered"]);
        assert!(hook.deliveries().iter().all(|row| row["attempts"] == 1), "{path}");
    }
    let (to_slack, to_discord) = (receiver.got_at("slack"), receiver.got_at("discord"));
    assert_eq!(to_slack[0].body["text"], format!("ann: {TEXT}"));
    assert_eq!(to_slack[0].body["blocks"][0]["text"]["text"], TEXT);
    assert_eq!(to_slack[0].headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(to_slack[1].body["text"], format!("ann: {long}"));
    assert_eq!(
        to_discord[0].body,
        json!({"content": TEXT, "username": format!("ann on {}", channel.id), "allowed_mentions": {"parse": []}})
    );
    let cut = to_discord[1].body["content"].as_str().unwrap();
    assert_eq!(cut.strip_suffix('\u{2026}').unwrap(), long.chars().take(1999).collect::<String>());
    assert_eq!(receiver.verify(&[&slack.secret, &discord.secret]).0, 4, "the signatures cover the bodies as sent");
    slack.post("test", &json!({})).ok();
    discord.post("test", &json!({})).ok();
    slack.wait_for(&["delivered"; 3]);
    discord.wait_for(&["delivered"; 3]);
    assert!(receiver.got_at("slack")[2].body["text"].as_str().unwrap().starts_with("rogerrat: This is a test"));
}

#[test]
fn a25_an_account_starts_a_routine_with_its_own_headers() {
    let (hub, receiver) = (Hub::start(), Receiver::start());
    let (account, channel) = (Account::open(&hub), hub.channel());
    let headers = json!({
        "Authorization": "Bearer sk-routine-1", "anthropic-version": "2023-06-01", "anthropic-beta": "routines-1",
        "User-Agent": "ours",
    });
    let body = json!({"text": "{{from}} on {{channel_id}} ({{message_id}}): {{text}}"});
    let hook = account.call(
        &hub,
        "POST",
        "/webhooks",
        &json!({"url": receiver.url("routine"), "headers": headers, "body": body}),
    );
    let names = json!(["authorization", "user-agent", "anthropic-beta", "anthropic-version"]);
    assert_eq!((&hook["header_names"], &hook["custom_body"]), (&names, &json!(true)), "{hook}");
    let identity = account.call(&hub, "POST", "/identities", &json!({"callsign": "owl"}));
    Agent::from_join(&channel, &channel.try_join(&json!({"identity_key": identity["identity_key"]})).ok());
    let id = channel.join("ann").send("owl", TEXT);
    let got = &receiver.wait_for("routine", 1)[0];
    assert_eq!(got.body, json!({"text": format!("ann on {} ({id}): {TEXT}", channel.id)}));
    assert_eq!(got.headers["user-agent"], "ours");
    let path = format!("/webhooks/{}/deliveries", hook["id"].as_str().unwrap());
    wait_until("the routine is started", || {
        account.call(&hub, "GET", &path, &json!({}))["deliveries"][0]["response_status"] == 200
    });
    let rotated = account.call(&hub, "POST", &path.replace("deliveries", "rotate-secret"), &json!({}));
    assert_eq!((&rotated["header_names"], &rotated["custom_body"]), (&names, &json!(true)), "a rotation keeps them");
    let listed = account.call(&hub, "GET", "/webhooks", &json!({}));
    assert_eq!(listed["webhooks"][0]["header_names"], names);
    account.call(&hub, "POST", &path.replace("deliveries", "test"), &json!({}));
    let tested = receiver.wait_for("routine", 2);
    assert!(tested[1].body["text"].as_str().unwrap().starts_with("rogerrat on  ("), "{tested:?}");
    assert_eq!(receiver.verify(&[hook["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap()]).0, 2);
}

#[test]
fn a25_the_same_bytes_are_sent_by_retries_replays_and_after_a_kill() {
    let (mut hub, receiver) = (Hub::unlimited(), Receiver::start());
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let aimed = |path: &str| {
        let body = json!({"t": "{{text}}", "n": "{{delivery_id}} {{delivered_at}} {{event}} {{hook_id}}"});
        let headers = json!({"X-Key": "k"});
        Hook::with(
            &channel,
            &json!({"url": receiver.url(path), "retry": "persistent", "headers": headers, "body": body}),
        )
    };
    let (retried, refused) = (aimed("fails/2"), aimed("status/404"));
    channel.join("ann").say(TEXT);
    receiver.wait_for("fails/2", 1);
    refused.wait_for(&["failed"]);
    hub.kill();
    hub.start_again(&["--rate-limit", "off"], &[]);
    receiver.wait_for("fails/2", 2);
    retried.wait_for(&["delivered"]);
    refused.post("rotate-secret", &json!({})).ok();
    assert_eq!(refused.post("replay", &json!({})).ok()["replayed"].as_array().unwrap().len(), 1);
    receiver.wait_for("status/404", 2);
    let one = json!({"delivery_id": retried.deliveries()[0]["id"]});
    let tries = receiver.got_at("fails/2").len();
    retried.post("replay", &one).ok();
    receiver.wait_for("fails/2", tries + 1);
    for path in ["fails/2", "status/404"] {
        let got = receiver.got_at(path);
        assert_eq!(got[0].body["t"], TEXT);
        for again in &got[1..] {
            assert_eq!(
                (&again.raw, again.id(), &again.headers["x-key"]),
                (&got[0].raw, got[0].id(), &json!("k")),
                "{path}"
            );
        }
    }
}

#[test]
fn a25_a_header_and_a_template_are_never_shown_again() {
    let mut hub = Hub::with(&["--rate-limit", "off"], &[("ROGERRAT_LOG__LEVEL", "trace")]);
    let receiver = Receiver::start();
    let channel = hub.channel();
    let hook = Hook::with(
        &channel,
        &json!({
            "url": receiver.url("fails/1"), "headers": {"X-Peacock": "hunter2-value"},
            "body": {"routing_key": "hunter2-body", "text": "{{text}}"},
        }),
    );
    channel.join("ann").say("hello");
    hook.wait_for(&["delivered"]);
    let got = &receiver.got_at("fails/1")[0];
    assert_eq!(
        (&got.headers["x-peacock"], &got.body["routing_key"]),
        (&json!("hunter2-value"), &json!("hunter2-body"))
    );
    let row = hook.row();
    assert_eq!((&row["header_names"], &row["custom_body"]), (&json!(["x-peacock"]), &json!(true)));
    let replies = [channel.get("webhooks").ok(), hook.post("rotate-secret", &json!({})).ok(), json!(hook.deliveries())];
    let metrics = hub.get("/metrics").send().text().to_owned();
    let copy = hub.folder().join("copy");
    let output = run(&["backup", copy.to_str().unwrap(), "--data-dir", hub.data().to_str().unwrap()], &[]);
    assert!(output.status.success(), "{output:?}");
    let shown = format!("{replies:?} {metrics} {} {output:?}", hub.log());
    assert!(!shown.contains("hunter2"), "a value is shown");
    hub.stop();
    assert!(!hub.log().contains("hunter2") && hub.log().len() > 1000, "a value is in the log");
    for needle in ["hunter2", "x-peacock", "routing_key"] {
        assert!(!holds(&hub, needle.as_bytes()), "{needle} is in the data directory");
        for file in fs::read_dir(&copy).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(needle.len()).any(|part| part == needle.as_bytes()), "{needle} is in a backup");
        }
    }
}

#[test]
fn a25_headers_of_the_hub_and_invalid_templates_are_refused() {
    let hub = Hub::unlimited();
    let (channel, account) = (hub.channel(), Account::open(&hub));
    let refused = |field: &str, value: &Value| {
        let body = json!({"url": "http://127.0.0.1:9000/", field: value});
        let refused = try_subscribe(&channel, &body).refused(400, "invalid");
        let text = refused["error"].as_str().unwrap().to_owned();
        assert!(text.contains(&format!("`{field}`")), "{value}: {refused}");
        assert!(!refused.to_string().contains("hunter2"), "{value}: {refused}");
        let path = "/api/account/webhooks";
        assert_eq!(account.try_call(&hub, "POST", path, &body).refused(400, "invalid")["error"], text);
        refused
    };
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "CONNECTION",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "proxy-authorization",
        "proxy-connection",
        "expect",
        "webhook-id",
        "Webhook-Signature",
        "webhook-anything",
        "X-RogerRat-Signature",
        "x-rogerthat-event",
        "x-forwarded-for",
        "bad name",
        "bad:name",
        "b\u{e4}d",
        "\r\nx",
        "",
    ] {
        refused("headers", &json!({name: "hunter2"}));
    }
    for value in ["hunter2\r\nHost: x", "hunter2\n", "hunter2\u{0}", "hunt\u{e9}r2", " hunter2", ""] {
        refused("headers", &json!({"x-key": value}));
    }
    let many: serde_json::Map<String, Value> = (0..17).map(|n| (format!("x-{n}"), json!("hunter2"))).collect();
    for value in [
        json!(["hunter2"]),
        json!("hunter2"),
        json!({"x-key": ["hunter2"]}),
        json!({"x-key": null}),
        json!(null),
        json!(many),
    ] {
        refused("headers", &value);
    }
    for value in [json!({"x": "h".repeat(4097)}), json!({"x": "1", "X": "2"}), json!({"Content-Type": "text/plain"})] {
        refused("headers", &value);
    }
    for value in [
        json!(null),
        json!(7),
        json!(""),
        json!("hunter2"),
        json!("{\"hunter2\":"),
        json!("{\"a\":{{text}}}"),
        json!({"{{text}}": 1}),
        json!({"a": "{{text"}),
        json!({"a": "{{text:0}}"}),
        json!({"a": "x".repeat(17_000)}),
    ] {
        refused("body", &value);
    }
    let unknown = refused("body", &json!({"a": "{{hunter2}}"}));
    assert!(unknown["hint"].as_str().unwrap().contains("text, from, to, channel_id"), "{unknown}");
    assert!(channel.get("webhooks").ok()["webhooks"].as_array().unwrap().is_empty());
}
