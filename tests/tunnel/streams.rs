//! Streams through a tunnel that holds the responses to GET back until they end, as quick tunnels do.

use rogerrat_client::{ChannelClient, ChannelTarget, HubAddress, StreamOptions, SubscriptionEvent};
use rogerrat_testkit::{Channel, ReverseProxy, StreamHandling, TIMEOUT};
use serde_json::json;

use super::exposure::token;
use super::program::Program;

const HOST: &str = "calm-blue-otter-runs.trycloudflare.com";

#[test]
fn a26_messages_arrive_as_they_are_sent_through_a_tunnel_that_holds_get_back() {
    let program = Program::named("cloudflared", "", &[HOST]);
    let hub = program.hub(&["--rate-limit", "off"], &[]);
    let handling = StreamHandling { holds_get: true, ..StreamHandling::default() };
    let created = hub.post("/api/channels").bearer(&token(&hub)).json(&json!({})).send().ok();
    let channel = Channel::new(*hub, created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let tunnel = ReverseProxy::tunnel(channel.target.0, handling, HOST);
    let target = ChannelTarget {
        token: Some(channel.token.clone()),
        session: Some(bob.session.clone()),
        ..ChannelTarget::new(HubAddress::parse(&tunnel.origin(), None).unwrap(), &channel.id)
    };
    let mut subscription = ChannelClient::new(target).subscribe(StreamOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(TIMEOUT, async {
            let Ok(SubscriptionEvent::Connected(greeting)) = subscription.next().await else { panic!("not connected") };
            assert!(greeting.polling.is_none(), "{greeting:?}");
            for text in ["first", "second"] {
                ann.send("bob", text);
                let Ok(SubscriptionEvent::Message(message)) = subscription.next().await else { panic!("no message") };
                assert_eq!(message.text, text);
                subscription.ack(&message).await.unwrap();
            }
        })
        .await
        .unwrap();
    });
    assert!(tunnel.requests().contains(&format!("POST {}", channel.path("stream"))), "{:?}", tunnel.requests());
    assert!(!tunnel.requests().iter().any(|line| line.contains("/listen")), "{:?}", tunnel.requests());
}
