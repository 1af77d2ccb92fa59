//! Channels that no hub serves, and requests that cannot be admitted to them: they make no hub open or take a channel
//! first, and what may open one is bounded for each address.

use std::net::IpAddr;

use rogerrat_actors::Instances as _;
use rogerrat_domain::ChannelId;
use serde_json::json;

use super::client::Call;
use super::cluster::{Shared, TestChannel, TestHub};
use super::mcp::{Client, LEGACY};
use crate::web::peers::{ForwardedRequest, PURPOSE, Statement, sign};

async fn is_owned(hub: &TestHub, channel: &TestChannel) -> bool {
    hub.log.owner(&ChannelId::parse(&channel.id).unwrap()).await.unwrap().is_some()
}

/// Channels that the hub which created them has given up.
async fn unowned(shared: &Shared, count: usize) -> Vec<TestChannel> {
    let (owner, mut channels) = (shared.hub().await, Vec::new());
    for _ in 0..count {
        channels.push(owner.channel().await);
    }
    owner.stop().await;
    channels
}

#[actix_web::test]
async fn c13_a_request_without_the_token_takes_no_channel() {
    let shared = Shared::new();
    let channel = unowned(&shared, 1).await.remove(0);
    let b = shared.hub().await;
    let path = format!("/api/channels/{}/roster", channel.id);
    let messages = format!("/compat/agent-chatroom/{}/messages", channel.id);
    let wrong = channel.token.chars().rev().collect::<String>();
    for call in [
        Call::get(&path),
        Call::get(&path).bearer(&wrong),
        Call::new("GET", format!("/mcp/{}", channel.id)).bearer(&wrong),
        Call::get(&messages).header("x-room-password", &wrong),
    ] {
        let reply = call.at(b.address).await;
        assert!([401, 403, 405].contains(&reply.status), "{reply:?}");
        assert!(!is_owned(&b, &channel).await, "{reply:?}");
    }
    let reply = Call::get(&messages).header("x-room-password", &channel.token).at(b.address).await;
    assert_eq!((reply.status, is_owned(&b, &channel).await), (200, true), "{reply:?}");
}

#[actix_web::test]
async fn c13_a_forwarded_request_without_the_token_takes_no_channel() {
    let shared = Shared::new();
    let channel = unowned(&shared, 1).await.remove(0);
    let b = shared.hub().await;
    let path = format!("/api/channels/{}/roster", channel.id);
    let forwarded = ForwardedRequest {
        channel: channel.id.clone(),
        client: IpAddr::from([192, 0, 2, 1]),
        origin: "https://hub.example".to_owned(),
        id: "x".to_owned(),
        is_shared: false,
        is_part: false,
    };
    let at_ms = b.interfaces.state.clock.now().at_ms;
    let statement = Statement { to: b.instance().id.0, from: 99, at_ms, forwarded: Some(forwarded) };
    let proof = |method: &str, target: &str| sign(&b.hub.seal(PURPOSE), &statement, method, target);
    let reply = Call::get(&path).header("rogerrat-forwarded", proof("GET", &path)).at(b.peer_address).await;
    assert_eq!((reply.status, is_owned(&b, &channel).await), (401, false), "{reply:?}");
    // Only who has read a body can tell what it presents.
    let call = Call::post("/mcp", &json!({})).header("rogerrat-forwarded", proof("POST", "/mcp"));
    let reply = call.at(b.peer_address).await;
    assert_eq!((reply.status, is_owned(&b, &channel).await), (421, false), "{reply:?}");
    let call = Call::get(&path).bearer(&channel.token).header("rogerrat-forwarded", proof("GET", &path));
    let reply = call.at(b.peer_address).await;
    assert_eq!((reply.status, is_owned(&b, &channel).await), (200, true), "{reply:?}");
}

#[actix_web::test]
async fn c13_what_an_address_may_have_opened_without_a_token_is_bounded() {
    let shared = Shared::new();
    let channels = unowned(&shared, 6).await;
    let b = shared.hub_with(&[("ROGERRAT_LIMITS__JOIN_PER_ADDRESS", "2")]).await;
    let guess = "g".repeat(43);
    let client = Client::legacy("/mcp", None, LEGACY, b.address).await;
    let guessing = |channel: &TestChannel| {
        client.tool("keepalive", &json!({"channel_id": channel.id, "session_id": guess}), 7).at(b.address)
    };
    let described =
        async |channel: &TestChannel| Call::get(format!("/api/channels/{}", channel.id)).at(b.address).await.status;
    assert_eq!(described(&channels[0]).await, 200);
    assert_eq!(guessing(&channels[1]).await.status, 200);
    for channel in &channels[2..4] {
        let reply = guessing(channel).await;
        assert_eq!((reply.status, is_owned(&b, channel).await), (429, false), "{reply:?}");
        assert_eq!(described(channel).await, 429);
    }
    // With the token nothing is counted.
    for channel in &channels[4..] {
        let roster = Call::get(format!("/api/channels/{}/roster", channel.id)).bearer(&channel.token);
        assert_eq!((roster.at(b.address).await.status, is_owned(&b, channel).await), (200, true));
    }
    assert_eq!(described(&channels[4]).await, 200, "it is served");
}
