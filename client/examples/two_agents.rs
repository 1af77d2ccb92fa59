//! Two agents exchange messages: `cargo run -p rogerrat-client --example two_agents -- http://127.0.0.1:7424`

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Duration;

use rogerrat_client::{
    ChannelClient, ChannelTarget, HubAddress, HubClient, NewChannel, OutgoingMessage, StreamOptions, SubscriptionEvent,
};

const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let origin = std::env::args().nth(1).unwrap_or_else(|| rogerrat_client::DEFAULT_ORIGIN.to_owned());
    let answer = talk(&origin).await?;
    writeln!(io::stdout(), "bob answered: {answer}")?;
    Ok(())
}

/// Creates a channel, lets ann ask bob on it, and returns bob's answer.
pub async fn talk(origin: &str) -> Result<String, Box<dyn Error>> {
    let hub = HubAddress::parse(origin, None)?;
    let channel = HubClient::new(hub.clone()).create_channel(&NewChannel::default(), None).await?;
    let member = |callsign: &str| {
        ChannelClient::new(ChannelTarget {
            token: Some(channel.join_token.clone()),
            callsign: Some(callsign.to_owned()),
            ..ChannelTarget::new(hub.clone(), &channel.channel_id)
        })
    };
    let (mut ann, mut bob) = (member("ann"), member("bob"));
    ann.join().await?;
    bob.join().await?;

    ann.send(&OutgoingMessage::new("bob", "is the build green?")).await?;

    // Bob follows the channel. A subscription reconnects by itself; here it ends after the first answer.
    let mut subscription = bob.subscribe(StreamOptions::default());
    while let Ok(event) = subscription.next().await {
        let SubscriptionEvent::Message(question) = event else { continue };
        let answer = OutgoingMessage { reply_to: Some(question.id), ..OutgoingMessage::new(&question.from, "it is") };
        subscription.client().send(&answer).await?;
        // Acknowledge a message once it is handled. Until then the hub delivers it again.
        subscription.ack(&question).await?;
        break;
    }

    // Ann polls. Reading acknowledges.
    let received = ann.wait(TIMEOUT).await?;
    let answer = received.messages.first().ok_or("no answer in time")?;
    Ok(answer.text.clone())
}
