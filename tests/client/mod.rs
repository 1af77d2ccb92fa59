//! The library `rogerrat-client` against a real hub.

#[expect(dead_code, unreachable_pub, reason = "it is an example program; the test calls its function")]
#[path = "../../client/examples/two_agents.rs"]
mod two_agents;

use std::time::Duration;

use rogerrat_client::{
    ChannelClient, ChannelSubscription, ChannelTarget, ClientError, HubAddress, HubClient, NewChannel, OutgoingMessage,
    ReadOptions, ReceivedMessage, StreamOptions, SubscriptionEvent,
};
use rogerrat_testkit::{Hub, TIMEOUT};
use tokio::time::timeout;

const SHORT: Duration = Duration::from_secs(1);

/// Runs a test on one thread, and fails if it takes too long.
fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(TIMEOUT, test).await.unwrap() })
}

fn address(hub: &Hub) -> HubAddress {
    HubAddress::parse(&hub.origin(), None).unwrap()
}

fn target(hub: &HubAddress, id: &str, token: &str, callsign: &str) -> ChannelTarget {
    ChannelTarget {
        token: Some(token.to_owned()),
        callsign: Some(callsign.to_owned()),
        ..ChannelTarget::new(hub.clone(), id)
    }
}

/// A client for each callsign, on a new channel.
async fn members<const N: usize>(hub: &HubAddress, channel: &NewChannel, callsigns: [&str; N]) -> [ChannelClient; N] {
    let created = HubClient::new(hub.clone()).create_channel(channel, None).await.unwrap();
    callsigns.map(|callsign| ChannelClient::new(target(hub, &created.channel_id, &created.join_token, callsign)))
}

/// Reads events up to the next message.
async fn next_message(subscription: &mut ChannelSubscription) -> ReceivedMessage {
    loop {
        if let SubscriptionEvent::Message(message) = subscription.next().await.unwrap() {
            return message;
        }
    }
}

#[test]
fn the_example_runs() {
    let hub = Hub::start();
    assert_eq!(block_on(async { two_agents::talk(&hub.origin()).await.unwrap() }), "it is");
}

#[test]
fn members_send_poll_and_acknowledge() {
    let hub = Hub::start();
    let hub = address(&hub);
    block_on(async {
        let [mut ann, mut bob] = members(&hub, &NewChannel::default(), ["ann", "bob"]).await;
        let joined = ann.join().await.unwrap();
        assert_eq!((&*joined.callsign, joined.idx), ("ann", 1));
        // Reading joins by itself.
        assert!(bob.wait(Duration::ZERO).await.unwrap().messages.is_empty());
        let message = OutgoingMessage::new("bob", "one");
        let sent = ann.send(&message).await.unwrap();
        let again = ann.send(&message).await.unwrap();
        assert!(again.id == sent.id && again.duplicate && !sent.duplicate, "a key is sent once");
        let manual = ReadOptions { timeout: SHORT, manual_ack: true, ..ReadOptions::default() };
        let read = bob.read(&manual).await.unwrap();
        assert_eq!((read.messages[0].id, &*read.messages[0].text), (sent.id, "one"));
        assert_eq!(bob.ack(sent.id).await.unwrap().acked, 1);
        assert!(bob.wait(Duration::ZERO).await.unwrap().messages.is_empty());
        assert_eq!(bob.history(5, None).await.unwrap().history.len(), 1);
        let roster = bob.roster().await.unwrap();
        assert_eq!(roster.roster_all.iter().map(|member| &*member.callsign).collect::<Vec<_>>(), ["ann", "bob"]);
        bob.leave().await.unwrap();
    });
}

#[test]
fn a_subscription_survives_a_restart_of_the_hub() {
    let mut hub = Hub::start();
    let origin = address(&hub);
    let durable = NewChannel { durability: Some(rogerrat_domain::Durability::Disk), ..NewChannel::default() };
    let (mut ann, mut subscription) = block_on(async {
        let [mut ann, mut bob] = members(&origin, &durable, ["ann", "bob"]).await;
        bob.join().await.unwrap();
        ann.send(&OutgoingMessage::to_all("first")).await.unwrap();
        ann.send(&OutgoingMessage::to_all("second")).await.unwrap();
        let mut subscription = bob.subscribe(StreamOptions::default());
        let first = next_message(&mut subscription).await;
        subscription.ack(&first).await.unwrap();
        assert_eq!((first.text, next_message(&mut subscription).await.text), ("first".into(), "second".into()));
        (ann, subscription)
    });
    hub.kill();
    hub.start_again(&[], &[]);
    block_on(async {
        let again = next_message(&mut subscription).await;
        assert_eq!(again.text, "second", "an unacknowledged message is delivered again");
        subscription.ack(&again).await.unwrap();
        ann.forget_address();
        ann.send(&OutgoingMessage::to_all("third")).await.unwrap();
        assert_eq!(next_message(&mut subscription).await.text, "third");
    });
}

#[test]
fn errors_tell_whether_a_retry_can_succeed() {
    let hub = Hub::start();
    let address = address(&hub);
    block_on(async {
        let mut stranger = ChannelClient::new(target(&address, "no-such-channel", "t", "ann"));
        let refused = stranger.join().await.unwrap_err();
        assert!(matches!(&refused, ClientError::Refused { code: Some(code), .. } if code == "not_found"), "{refused}");
        let mut invalid = ChannelClient::new(target(&address, "a/../b", "t", "ann"));
        assert!(matches!(invalid.join().await, Err(ClientError::InvalidTarget(_))));
        let [mut ann, ..] = members(&address, &NewChannel::default(), ["ann"]).await;
        ann.join().await.unwrap();
        let mut other = ChannelClient::new(ann.target().clone());
        ann.leave().await.unwrap();
        other.send(&OutgoingMessage::to_all("joined again")).await.unwrap();
        let mut first = ChannelClient::new(other.target().clone()).subscribe(StreamOptions::default());
        assert!(matches!(first.next().await, Ok(SubscriptionEvent::Connected(_))));
        let mut second = other.subscribe(StreamOptions::default());
        assert!(matches!(second.next().await, Ok(SubscriptionEvent::Connected(_))));
        assert!(matches!(first.next().await, Ok(SubscriptionEvent::SteppedBack)));
        drop(hub);
        let mut late = ChannelClient::new(target(&address, "c", "t", "ann"));
        assert!(late.join().await.unwrap_err().is_temporary());
    });
}
