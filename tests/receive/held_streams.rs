//! Proxies that do not let event streams pass: the commands poll instead, lose nothing, and say so once.

use std::fs;
use std::time::Duration;

use rogerrat_client::{ChannelClient, ChannelTarget, HubAddress, StreamOptions, SubscriptionEvent};
use rogerrat_testkit::{
    Agent, ClientCommand, Exit, Hub, ReverseProxy, StreamHandling, TIMEOUT, client_env, wait_until, wait_until_within,
};
use serde_json::{Value, json};

use super::bridge_client::Bridge;

const NOTICE: &str = "event streams do not pass";
/// A lost reply of a poll comes again after its lease.
const LONG: Duration = Duration::from_secs(60);

fn holding_all() -> StreamHandling {
    StreamHandling { holds_get: true, holds_post: true, ..StreamHandling::default() }
}

/// Starts a command of an agent whose hub is behind a proxy.
fn start(agent: &Agent, proxy: &ReverseProxy, arguments: &[&str]) -> ClientCommand {
    ClientCommand::start(arguments, &client_env(&agent.channel, &proxy.origin(), &agent.session))
}

/// A doorbell of `bob` behind a proxy, and a message while it waits.
fn ring(handling: StreamHandling, seen: &str) -> Exit {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let proxy = ReverseProxy::start(channel.target.0, handling);
    let bell = start(&bob, &proxy, &["wait"]);
    wait_until(seen, || proxy.requests().iter().any(|line| line.contains(seen)));
    bob.until_waiting(true);
    ann.say("ring");
    let ended = bell.wait_for_exit();
    assert!(ended.code == Some(0) && ended.out.ends_with(": ring\n"), "{handling:?}: {ended:?}");
    assert_eq!(bob.listen(), [""; 0], "it was acknowledged");
    ended
}

#[test]
fn a_stream_by_post_passes_a_proxy_that_holds_those_by_get() {
    for passes_first_event in [false, true] {
        let handling = StreamHandling { holds_get: true, passes_first_event, ..StreamHandling::default() };
        assert_eq!(ring(handling, "/stream").err, "");
    }
}

#[test]
fn a_doorbell_polls_where_no_stream_passes_and_says_so_once() {
    for ignores_disconnects in [false, true] {
        let ended = ring(StreamHandling { ignores_disconnects, ..holding_all() }, "/listen");
        assert!(ended.err.lines().count() == 1 && ended.err.contains(NOTICE), "{ended:?}");
    }
}

#[test]
fn a_message_that_a_held_stream_took_comes_once_by_polling() {
    for ignores_disconnects in [false, true] {
        let hub = Hub::unlimited();
        let channel = hub.channel();
        let (ann, bob) = (channel.join("ann"), channel.join("bob"));
        let proxy = ReverseProxy::start(channel.target.0, StreamHandling { ignores_disconnects, ..holding_all() });
        let inbox = hub.folder().join("inbox");
        ann.say("0");
        let listener = start(&bob, &proxy, &["listen-here", "--inbox", inbox.to_str().unwrap()]);
        bob.until_waiting(true);
        ann.say("1");
        wait_until("it polls", || proxy.requests().iter().any(|line| line.contains("/listen")));
        ann.say("2");
        let text = || fs::read_to_string(&inbox).unwrap_or_default();
        wait_until("the first have come", || text().contains(r#""text":"2""#));
        for n in 3..10 {
            ann.say(&n.to_string());
        }
        wait_until("all have come", || text().contains(r#""text":"9""#));
        let texts = text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone()).collect();
        assert_eq!(Value::Array(texts), json!(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]));
        wait_until("all are acknowledged", || bob.consumers()[0]["in_flight"] == 0);
        listener.signal("TERM");
        let ended = listener.wait_for_exit();
        assert_eq!(ended.err.matches(NOTICE).count(), 1, "{ended:?}");
    }
}

#[test]
fn an_http_1_0_proxy_is_understood() {
    let http10 = StreamHandling { is_http10: true, ..StreamHandling::default() };
    assert_eq!(ring(http10, "/stream").err, "");
    assert!(ring(StreamHandling { is_http10: true, ..holding_all() }, "/listen").err.contains(NOTICE));
}

#[test]
fn a_proxy_that_cuts_every_silent_connection_loses_nothing() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let cuts_silence = Some(Duration::from_secs(3));
    let proxy = ReverseProxy::start(channel.target.0, StreamHandling { cuts_silence, ..StreamHandling::default() });
    let inbox = hub.folder().join("inbox");
    let listener = start(&bob, &proxy, &["listen-here", "--inbox", inbox.to_str().unwrap()]);
    let polls = || proxy.requests().iter().filter(|line| line.contains("/listen")).count();
    wait_until("it polls", || polls() > 0);
    for n in 0..5 {
        ann.say(&n.to_string());
        let (before, text) = (polls(), || fs::read_to_string(&inbox).unwrap_or_default());
        wait_until_within(LONG, "it has come", || text().contains(&format!(r#""text":"{n}""#)));
        wait_until_within(LONG, "it polls again", || polls() > before + 1);
    }
    listener.signal("TERM");
    let ended = listener.wait_for_exit();
    let text = fs::read_to_string(&inbox).unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert_eq!(ended.err.matches(NOTICE).count(), 1, "{ended:?}");
}

#[test]
fn the_bridge_pushes_and_its_tools_wait_where_no_stream_passes() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, proxy) = (channel.join("ann"), ReverseProxy::start(channel.target.0, holding_all()));
    let place = ["--origin", &proxy.origin(), "--channel", &channel.id, "--callsign", "bob"];
    let mut bridge = Bridge::start(&place, &[("ROGERRAT_TOKEN", &channel.token)]);
    bridge.begin();
    wait_until("it polls", || proxy.requests().iter().any(|line| line.contains("/listen")));
    ann.send("bob", "pushed");
    assert_eq!(bridge.pushed()["content"], "pushed");
    bridge.call("listen", &json!({"timeout_seconds": 1}));
    // Longer than any response may take that is not held back.
    let waited = bridge.call("wait", &json!({"timeout_seconds": 12}));
    assert_ne!(waited["isError"], true, "{waited}");
}

#[test]
fn streams_are_tried_again() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let proxy = ReverseProxy::start(channel.target.0, holding_all());
    let target = ChannelTarget {
        token: Some(channel.token.clone()),
        session: Some(bob.session.clone()),
        ..ChannelTarget::new(HubAddress::parse(&proxy.origin(), None).unwrap(), &channel.id)
    };
    let options = StreamOptions { stream_retry: Some(Duration::from_secs(1)), ..StreamOptions::default() };
    let mut subscription = ChannelClient::new(target).subscribe(options);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(TIMEOUT, async {
            let Ok(SubscriptionEvent::Connected(greeting)) = subscription.next().await else { panic!("not connected") };
            assert!(greeting.polling.is_some_and(|reason| reason.contains("5 s")));
            ann.say("by a poll");
            let (mut texts, mut streams) = (Vec::new(), false);
            while texts.len() < 2 || !streams {
                match subscription.next().await.unwrap() {
                    SubscriptionEvent::Message(message) => {
                        subscription.ack(&message).await.unwrap();
                        texts.push(message.text);
                        if texts.len() == 1 {
                            proxy.pass_all();
                            ann.say("by a poll or the stream");
                        }
                    }
                    SubscriptionEvent::Connected(greeting) => streams = greeting.polling.is_none(),
                    event => panic!("{event:?}"),
                }
            }
            assert_eq!(texts, ["by a poll", "by a poll or the stream"]);
            ann.say("on the stream");
            let Ok(SubscriptionEvent::Message(message)) = subscription.next().await else { panic!("no message") };
            assert_eq!(message.text, "on the stream");
        })
        .await
        .unwrap();
    });
}
