//! When a wait says what, and when what it brings counts as delivered.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::test::TestRequest;
use rogerrat_actors::{Admitted, Clock, Hub, HubRules, MemoryLog, Ports};
use rogerrat_domain::op::{CreateInput, Draft, JoinInput, Keepalive, ReadInput, Send, SendInput};
use rogerrat_domain::{AccountLimits, BacklogLimits, HubKey, SessionId};

use super::*;

fn waiting(progress_token: Option<&str>) -> Waiting {
    let request = TestRequest::post().to_http_request();
    let id = Id::again("7").unwrap();
    let waiting = Waiting::new(&request, id, Version::V2025_11_25, "wait", 44_001, Box::pin(std::future::pending()));
    waiting.with_progress(progress_token.and_then(Id::again))
}

#[test]
fn comments_come_every_fifteen_seconds_and_progress_at_five_and_every_ten() {
    let with = waiting(Some("\"t\""));
    let said = |at_s| with.said_at(at_s).map_or(String::new(), |said| String::from_utf8(said.to_vec()).unwrap());
    let mut progress = Vec::new();
    for at_s in (5..=60).step_by(5) {
        assert_eq!(said(at_s).contains(": waiting\n\n"), at_s % 15 == 0, "{at_s}");
        if let Some((_, data)) = said(at_s).split_once("data: ") {
            let told: serde_json::Value = serde_json::from_str(data.trim()).unwrap();
            assert_eq!((&told["params"]["progressToken"], &told["params"]["total"]), (&"t".into(), &45.into()));
            progress.push(told["params"]["progress"].as_u64().unwrap());
        }
    }
    assert_eq!(progress, [5, 15, 25, 35, 45, 55]);
    assert!(waiting(None).said_at(5).is_none() && waiting(None).said_at(15).unwrap().starts_with(b": "));
}

#[actix_web::test]
async fn a_stream_begins_at_once_and_shows_that_it_lives() {
    tokio::time::pause();
    let body = waiting(Some("1")).stream().into_body();
    let mut body = Box::pin(body);
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap());
    }
    let kinds: Vec<_> = heard.iter().map(|said| (said.starts_with(b": "), said.len() > 30)).collect();
    assert_eq!(kinds, [(true, false), (false, true), (true, true), (false, true), (true, false)]);
}

/// A hub with ann and bob on a channel.
struct Stage {
    hub: Hub,
    at: Admitted,
    ann: SessionId,
    bob: SessionId,
}

impl Stage {
    async fn new() -> Self {
        let rules = HubRules {
            sends_per_minute: None,
            sends_per_minute_band: None,
            idle_ms: None,
            idle_lossless_ms: None,
            shelf: BacklogLimits { messages: 100, bytes: 1 << 20 },
            unused_ms: None,
            member_ttl_ms: 1_000_000,
            per_account: AccountLimits { channels: None, identities: None, webhooks: None, sends_per_minute: None },
        };
        let log = Arc::new(MemoryLog::default());
        let ports = Ports::with_log(log);
        let hub = Hub::start(rules, ports, HubKey::new([7; 32]), Clock::start()).await.unwrap();
        let at = hub.create(CreateInput::default(), None).await.unwrap().channel;
        let (ann, bob) = (join(&hub, &at, "ann").await, join(&hub, &at, "bob").await);
        Self { hub, at, ann, bob }
    }

    /// Ann sends, and bob's wait is answered: its body, the comment at its head taken.
    async fn answered(&self) -> Pin<Box<BoxBody>> {
        let (hub, at, bob) = (self.hub.clone(), self.at.clone(), self.bob.clone());
        let read: Read = Box::pin(async move {
            let parcel = hub.read(&at, bob, ReadInput::default(), 60_000, false).await;
            parcel.map(|parcel| (parcel, Some(0))).map_err(rogerrat_actors::HubError::into_refusal)
        });
        let request = TestRequest::post().to_http_request();
        let waiting = Waiting::new(&request, Id::again("7").unwrap(), Version::V2025_11_25, "wait", 60_000, read);
        let mut body = Box::pin(waiting.stream().into_body());
        assert_eq!(&*take(&mut body).await.unwrap(), b": waiting\n\n");
        let input = SendInput { message: Some("hi".into()), ..SendInput::default() };
        let send = Send { session: self.ann.clone(), draft: Draft::check(input, None).unwrap() };
        self.hub.ask(&self.at, send).await.unwrap();
        body
    }

    async fn unread(&self) -> usize {
        self.hub.ask(&self.at, Keepalive { session: self.bob.clone() }).await.unwrap().unread
    }
}

async fn join(hub: &Hub, at: &Admitted, callsign: &str) -> SessionId {
    let input = JoinInput { callsign: Some(callsign.into()), ..JoinInput::default() };
    let joined = hub.join(at, input, None, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap();
    SessionId::present(Some(&joined.session_id)).unwrap().unwrap()
}

async fn take(body: &mut Pin<Box<BoxBody>>) -> Option<Bytes> {
    poll_fn(|cx| body.as_mut().poll_next(cx)).await.map(Result::unwrap)
}

#[actix_web::test]
async fn d02_messages_are_delivered_when_the_last_piece_is_taken_and_not_before() {
    let stage = Stage::new().await;
    let mut pieces = 0;
    let mut body = stage.answered().await;
    let mut said = Vec::new();
    while let Some(piece) = take(&mut body).await {
        pieces += 1;
        said.extend(piece);
    }
    let said = String::from_utf8(said).unwrap();
    let answer: serde_json::Value = serde_json::from_str(said.strip_prefix("event: message\ndata: ").unwrap()).unwrap();
    assert_eq!(answer["result"]["structuredContent"]["messages"][0]["text"], "hi");
    assert_eq!(stage.unread().await, 0, "it was taken");
    for taken in 0..pieces {
        let mut body = stage.answered().await;
        for _ in 0..taken {
            take(&mut body).await.unwrap();
        }
        drop(body);
        assert_eq!(stage.unread().await, 1, "{taken} of {pieces} pieces were taken, so it is due again");
        // Away with it, for the next round.
        let parcel = stage.hub.read(&stage.at, stage.bob.clone(), ReadInput::default(), 1_000, false).await.unwrap();
        DeliveryBody::new(Vec::new(), Some(parcel.guard), false).next_piece();
    }
}
