//! When a waiting call sends comments and progress, and when its messages count as delivered.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::test::TestRequest;
use rogerrat_actors::{Admitted, Clock, Hub, MemoryLog};
use rogerrat_domain::SessionId;
use rogerrat_domain::op::{CreateInput, Draft, JoinInput, Keepalive, ReadInput, Send, SendInput};

use super::super::session_store::tests::hub;
use super::super::unproven::{Arrival, ClientKey, ReadCall, Reader, UnprovenAnswers};
use super::*;

fn waiting(progress_token: Option<&str>) -> WaitingCall {
    let request = TestRequest::post().to_http_request();
    let id = RpcId::from_json("7").unwrap();
    let waiting =
        WaitingCall::new(&request, id, ProtocolVersion::V2025_11_25, "wait", 44_001, Box::pin(std::future::pending()));
    waiting.with_progress(progress_token.and_then(RpcId::from_json))
}

#[test]
fn comments_are_sent_every_15_s_and_progress_after_5_s_and_then_every_10_s() {
    let with = waiting(Some("\"t\""));
    let sent = |s| with.keepalive_at(s).map_or(String::new(), |events| String::from_utf8(events.to_vec()).unwrap());
    let mut progress = Vec::new();
    for elapsed_s in (5..=60).step_by(5) {
        assert_eq!(sent(elapsed_s).contains(": waiting\n\n"), elapsed_s % 15 == 0, "{elapsed_s}");
        if let Some((_, data)) = sent(elapsed_s).split_once("data: ") {
            let event: serde_json::Value = serde_json::from_str(data.trim()).unwrap();
            assert_eq!((&event["params"]["progressToken"], &event["params"]["total"]), (&"t".into(), &45.into()));
            progress.push(event["params"]["progress"].as_u64().unwrap());
        }
    }
    assert_eq!(progress, [5, 15, 25, 35, 45, 55]);
    assert!(waiting(None).keepalive_at(5).is_none() && waiting(None).keepalive_at(15).unwrap().starts_with(b": "));
}

#[actix_web::test]
async fn a_stream_starts_immediately_and_sends_comments_and_progress() {
    tokio::time::pause();
    let body = waiting(Some("1")).into_stream().into_body();
    let mut body = Box::pin(body);
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap());
    }
    let kinds: Vec<_> = sent.iter().map(|event| (event.starts_with(b": "), event.len() > 30)).collect();
    assert_eq!(kinds, [(true, false), (false, true), (true, true), (false, true), (true, false)]);
}

/// A hub with ann and bob on a channel.
struct Fixture {
    clock: Clock,
    hub: Hub,
    at: Admitted,
    ann: SessionId,
    bob: SessionId,
}

impl Fixture {
    async fn new() -> Self {
        let clock = Clock::start();
        let hub = hub(Arc::new(MemoryLog::default()), clock).await;
        let at = hub.create(CreateInput::default(), None).await.unwrap().channel;
        let (ann, bob) = (join(&hub, &at, "ann").await, join(&hub, &at, "bob").await);
        Self { clock, hub, at, ann, bob }
    }

    /// The body of bob's wait after ann has sent a message. Its first comment is taken.
    async fn ended_wait(&self, tracked_read: Option<TrackedRead>) -> Pin<Box<BoxBody>> {
        let (hub, at, bob) = (self.hub.clone(), self.at.clone(), self.bob.clone());
        let read: PendingCall = Box::pin(async move {
            let read = hub.read(&at, bob, ReadInput::default(), 60_000, false).await;
            read.map(|read| CallEnd::Messages(read, Some(Counts::default()), Vec::new()))
                .map_err(rogerrat_actors::HubError::into_refusal)
        });
        let request = TestRequest::post().to_http_request();
        let waiting = WaitingCall::new(
            &request,
            RpcId::from_json("7").unwrap(),
            ProtocolVersion::V2025_11_25,
            "wait",
            60_000,
            read,
        );
        let waiting = waiting.recorded_by(tracked_read, self.clock);
        let mut body = Box::pin(waiting.into_stream().into_body());
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
    let fixture = Fixture::new().await;
    let mut pieces = 0;
    let mut body = fixture.ended_wait(None).await;
    let mut stream = Vec::new();
    while let Some(piece) = take(&mut body).await {
        pieces += 1;
        stream.extend(piece);
    }
    let stream = String::from_utf8(stream).unwrap();
    let response: serde_json::Value =
        serde_json::from_str(stream.strip_prefix("event: message\ndata: ").unwrap()).unwrap();
    assert_eq!(response["result"]["structuredContent"]["messages"][0]["text"], "hi");
    assert_eq!(fixture.unread().await, 0, "all pieces were taken");
    for taken in 0..pieces {
        let mut body = fixture.ended_wait(None).await;
        for _ in 0..taken {
            take(&mut body).await.unwrap();
        }
        drop(body);
        assert_eq!(
            fixture.unread().await,
            1,
            "{taken} of {pieces} pieces were taken, so the message is delivered again"
        );
        // Remove the message before the next round.
        let read =
            fixture.hub.read(&fixture.at, fixture.bob.clone(), ReadInput::default(), 1_000, false).await.unwrap();
        DeliveryBody::new(Vec::new(), Some(PendingDelivery::confirmed(read.guard)), false).next_piece();
    }
}

#[actix_web::test]
async fn d36_a_call_that_is_cancelled_while_its_response_is_written_was_not_taken() {
    let (fixture, answers) = (Fixture::new().await, Arc::new(UnprovenAnswers::default()));
    for is_cancelled in [false, true] {
        let call = ReadCall {
            client: ClientKey::Session([1; 16]),
            reader: Reader { channel: fixture.at.id().clone(), session: fixture.bob.clone(), consumer: None },
            request_id: "7".into(),
            arrival: Arrival::of(&TestRequest::post().to_http_request(), fixture.clock.uptime_ms()),
            has_upto: None,
            closes_to_cancel: false,
            is_relayed: false,
        };
        let tracked_read = answers.begin_read(call).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::time::resume();
        let mut body = fixture.ended_wait(tracked_read).await;
        take(&mut body).await.unwrap();
        if is_cancelled {
            answers.on_cancelled([1; 16], "7", fixture.clock.uptime_ms());
        }
        while take(&mut body).await.is_some() {}
        assert_eq!(fixture.unread().await, usize::from(is_cancelled));
    }
}
