//! Requests on the port for other instances that are not from one, or not for this one.

use std::net::IpAddr;

use super::client::{Call, Reply};
use super::cluster::{Shared, TestHub};
use crate::web::peers::{ForwardedRequest, PURPOSE, Statement, sign};

const TARGET: &str = "/api/channels/general";

/// A statement of another instance.
fn statement(hub: &TestHub) -> Statement {
    let forwarded = ForwardedRequest {
        channel: "general".to_owned(),
        client: IpAddr::from([192, 0, 2, 1]),
        origin: "https://hub.example".to_owned(),
        id: "01a1f983-2e0b-738b-8332-383a28e197c3".to_owned(),
        is_shared: false,
        is_part: false,
    };
    let at_ms = hub.interfaces.state.clock.now().at_ms;
    Statement { to: hub.hub.instance().unwrap().0, from: 99, at_ms, forwarded: Some(forwarded) }
}

fn proof(hub: &TestHub, statement: &Statement, method: &str, target: &str) -> String {
    sign(&hub.hub.seal(PURPOSE), statement, method, target)
}

async fn with_proof(hub: &TestHub, proof: String, call: Call) -> Reply {
    call.header("rogerrat-forwarded", proof).at(hub.peer_address).await
}

/// A refusal shows nothing but its status.
fn assert_reveals_nothing(reply: &Reply) {
    assert_eq!((reply.status, &*reply.body), (403, ""), "{reply:?}");
    let names: Vec<_> =
        reply.headers.keys().map(|name| name.as_str()).filter(|name| !["date", "connection"].contains(name)).collect();
    assert_eq!(names, ["content-length"], "{reply:?}");
}

#[actix_web::test]
async fn c11_a_request_with_a_valid_proof_is_answered() {
    let hub = Shared::new().hub().await;
    let reply = with_proof(&hub, proof(&hub, &statement(&hub), "GET", TARGET), Call::get(TARGET)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("x-request-id"), Some("01a1f983-2e0b-738b-8332-383a28e197c3"));
    assert!(reply.body.contains("https://hub.example/"), "{}", reply.body);
    let alive = Statement { forwarded: None, ..statement(&hub) };
    let reply = with_proof(&hub, proof(&hub, &alive, "GET", "/"), Call::get("/")).await;
    assert_eq!((reply.status, &*reply.body), (204, ""));
}

#[actix_web::test]
async fn c11_a_request_without_a_valid_proof_is_refused_and_learns_nothing() {
    let hub = Shared::new().hub().await;
    for target in ["/", TARGET, "/api/channels/no-such-channel", "/livez", "/metrics", "/nothing", "/api/admin/bans"] {
        assert_reveals_nothing(&Call::get(target).at(hub.peer_address).await);
        assert_reveals_nothing(&Call::new("POST", target).body("{").at(hub.peer_address).await);
    }
    let own = statement(&hub);
    let valid = proof(&hub, &own, "GET", TARGET);
    let other_key = sign(&hub.hub.seal("mcp sessions"), &own, "GET", TARGET);
    let late = Statement { at_ms: own.at_ms - 31_000, ..own.clone() };
    let early = Statement { at_ms: own.at_ms + 35_000, ..own.clone() };
    let no_channel = ForwardedRequest { channel: "../general".to_owned(), ..own.forwarded.clone().unwrap() };
    let no_channel = Statement { forwarded: Some(no_channel), ..own.clone() };
    for forged in [
        String::new(),
        "x".to_owned(),
        valid[..valid.len() - 1].to_owned(),
        other_key,
        proof(&hub, &own, "HEAD", TARGET),
        proof(&hub, &own, "GET", "/api/channels/help"),
        proof(&hub, &own, "GET", "/api/channels/general?x=1"),
        proof(&hub, &late, "GET", TARGET),
        proof(&hub, &early, "GET", TARGET),
        proof(&hub, &no_channel, "GET", TARGET),
    ] {
        assert_reveals_nothing(&with_proof(&hub, forged, Call::get(TARGET)).await);
    }
    let twice = Call::get(TARGET).header("rogerrat-forwarded", valid.clone());
    assert_reveals_nothing(&with_proof(&hub, valid, twice).await);
}

#[actix_web::test]
async fn c11_a_request_for_another_instance_or_owner_is_not_forwarded_again() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let target = format!("/api/channels/{}", channel.id);
    let own = statement(&b);
    let of_channel = ForwardedRequest { channel: channel.id.clone(), ..own.forwarded.clone().unwrap() };
    let for_b = Statement { forwarded: Some(of_channel), ..own };
    let reply = with_proof(&b, proof(&b, &for_b, "GET", &target), Call::get(&target)).await;
    assert_eq!((reply.status, &*reply.body), (421, ""));
    let reply = with_proof(&a, proof(&b, &for_b, "GET", &target), Call::get(&target)).await;
    assert_eq!((reply.status, &*reply.body), (421, ""), "it is for another instance");
}

#[actix_web::test]
async fn c11_a_proof_from_a_client_means_nothing() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    for hub in [&a, &b] {
        let forged = Statement { to: hub.hub.instance().unwrap().0, ..statement(&a) };
        let target = format!("/api/channels/{}", channel.id);
        let call = Call::get(&target).header("rogerrat-forwarded", proof(&a, &forged, "GET", &target));
        let reply = call.bearer(&channel.token).at(hub.address).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(!reply.body.contains("hub.example"), "{}", reply.body);
    }
}
