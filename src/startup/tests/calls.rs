//! Calls between hubs that belong to no request of a client, and what several hubs write at once.

use futures_util::FutureExt as _;
use futures_util::future::join;
use rogerrat_actors::{Instances as _, Lane, Lanes, PeerCalls as _};
use serde_json::json;
use tokio::time::timeout;

use super::client::{Call, wait_until};
use super::cluster::{ADMIN_TOKEN, Shared, TestHub};
use super::mcp::{Client, LEGACY};
use crate::startup::stop_once_ended;
use crate::web::peers::Calls;

/// The last version of the protocol with batches.
const WITH_BATCHES: &str = "2025-03-26";

#[actix_web::test]
async fn c09_sessions_that_join_at_two_hubs_at_once_keep_both_memberships() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let (of_a, of_b) = (a.channel().await, b.channel().await);
    for round in 0..5 {
        let ann = Client::legacy("/mcp", None, LEGACY, b.address).await;
        let callsign = format!("ann-{round}");
        let joining = |channel: &super::cluster::TestChannel| json!({"callsign": callsign, "channel_id": channel.id, "token": channel.token});
        let both = join(ann.call(&a, "join", joining(&of_a)), ann.call(&b, "join", joining(&of_b))).await;
        for (at, joined) in [(&a, &both.1), (&b, &both.0)] {
            let session = json!({"session_id": joined["session_id"]});
            ann.call(at, "keepalive", session).await;
        }
    }
}

#[actix_web::test]
async fn c09_a_call_that_names_its_channel_is_cancelled_at_any_hub() {
    let shared = Shared::new();
    let (a, b, c) = (shared.hub().await, shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    // Its MCP session has joined nothing.
    let bob = channel.join(&a, "bob").await;
    let arguments = json!({"channel_id": channel.id, "session_id": bob.session, "timeout_seconds": 200});
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}});
    for (version, body) in [(LEGACY, cancelled.clone()), (WITH_BATCHES, json!([cancelled]))] {
        let client = Client::legacy("/mcp", None, version, b.address).await;
        let waiting = actix_web::rt::spawn(client.tool("wait", &arguments, 9).at(b.address));
        wait_until("the call should wait at the owner", || a.polls() == 1).await;
        let cancelled = client.post(&body).header("mcp-protocol-version", version).at(c.address).await;
        assert_eq!(cancelled.status, 202);
        wait_until("the call should end at the owner", || a.polls() == 0).await;
        drop(waiting.await);
    }
}

#[actix_web::test]
async fn c10_counters_and_channels_are_those_of_all_hubs() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let (of_a, of_b) = (a.channel().await, b.channel().await);
    of_a.join(&a, "ann").await;
    of_b.join(&b, "ann").await;
    let stats = async || Call::get("/api/stats").at(b.address).await.ok();
    let list = async || Call::get("/api/admin/channels").bearer(ADMIN_TOKEN).at(b.address).await.ok();
    let counted = stats().await;
    assert_eq!((&counted["joins_total"], &counted["channels_created"]), (&json!(2), &json!(2)));
    assert_eq!(counted["instances"], json!({"answered": 2, "silent": []}));
    let listed = list().await;
    for channel in [&of_a.id, &of_b.id] {
        assert!(listed["channels"].as_array().unwrap().iter().any(|row| row["id"] == *channel), "{listed}");
    }
    // It does not listen any more, and the log does not know that it is gone.
    a.handle.stop(false).await;
    let silent = json!({"answered": 1, "silent": [a.instance().id.0]});
    assert_eq!(list().await["instances"], silent);
    // The counters of others may be a second old.
    let noticed = async { while stats().await["instances"] != silent {} };
    timeout(super::client::PATIENCE, noticed).await.expect("the counters should tell that a hub is silent");
}

#[actix_web::test]
async fn c07_hubs_wake_each_others_webhooks() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    wait_until("each hub should hold half of the lanes", || lanes_of(&a).len() == 8 && lanes_of(&b).len() == 8).await;
    let lanes = lanes_of(&a);
    let calls = Calls(b.interfaces.state.peers.clone().unwrap());
    assert!(calls.wake_lanes(a.instance(), lanes).await);
    assert!(!calls.wake_lanes(a.instance(), Lanes::ALL).await, "it does not hold them all");
    a.handle.stop(false).await;
    assert!(!calls.wake_lanes(a.instance(), lanes).await);
}

/// The lanes that a hub holds.
fn lanes_of(hub: &TestHub) -> Lanes {
    let is_held = |lane: &Lane| {
        // The log in memory answers at once.
        let holder = hub.log.lane_holder(*lane).now_or_never().unwrap().unwrap();
        holder.is_some_and(|holder| holder.id == hub.instance().id)
    };
    Lanes::ALL.iter().filter(is_held).collect()
}

#[actix_web::test]
async fn c05_the_server_of_an_instance_that_was_declared_ended_stops() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    a.log.disconnect();
    assert!(b.hub.report_unreachable(a.instance().id).await.unwrap());
    timeout(super::client::PATIENCE, stop_once_ended(&a.hub, &a.handle)).await.expect("it should stop");
    assert!(a.hub.has_ended());
    // The other one serves the channel.
    channel.join(&b, "ann").await;
}
