//! Reads with manual acks and short leases, by a careful client that sometimes disconnects in the middle of a response.
//!
//! An ack is cumulative. After a read that was cut off, its messages are leased but unknown to the client, while newer
//! ones arrive; an ack of those would acknowledge messages that the client never received. A careful client therefore
//! acknowledges nothing new until the lost lease must have ended and another read has returned what was due below.

use std::sync::Arc;

use rogerrat_client::http::HttpError;
use serde::Deserialize;
use tokio::time::timeout;

use super::AFTER_ERROR;
use crate::context::{Context, Phase, now_ms, pause};
use crate::member_client::{Member, MemberClient, REQUEST_TIMEOUT, Response};
use crate::message_text::{PollBody, ids_in};
use crate::oracle::{ConsumerNo, Event, ReadEnd, RequestStart};
use crate::rng::Rng;

/// How much later than by our clock a lease may end by the hub's.
const LEASE_MARGIN_MS: u64 = 500;
/// The longest lease with several hubs.
const CLUSTER_LEASE_MS: u64 = 1000;
/// Maximum length of a simulated reaction between two polls.
const MAX_WORK_MS: u64 = 80;
/// Chances in percent.
const ABANDON: u64 = 1;
const ACK: u64 = 70;
const ACK_WITH_READ: u64 = 30;

#[derive(Deserialize)]
struct Acked {
    cursor: u64,
}

#[derive(Deserialize)]
struct Consumers {
    consumers: Vec<ConsumerJson>,
}

#[derive(Deserialize)]
struct ConsumerJson {
    name: Option<String>,
    lag: u64,
    in_flight: u64,
}

pub(super) struct Manual {
    client: MemberClient,
    consumer: ConsumerNo,
    name: Option<&'static str>,
    rng: Rng,
    /// All messages up to this id were certainly received.
    received_upto: u64,
    acked: u64,
    /// The longest lease of the reads that were lost in the current careful period.
    lost_lease_ms: u64,
    /// Until then, messages of a lost read may be leased.
    careful_until_ms: u64,
    boot: u32,
}

impl Manual {
    pub(super) fn new(
        context: &Arc<Context>,
        member: &Member,
        consumer: ConsumerNo,
        name: Option<&'static str>,
        rng: Rng,
    ) -> Self {
        Self {
            client: MemberClient::new(context, member),
            consumer,
            name,
            rng,
            received_upto: 0,
            acked: 0,
            lost_lease_ms: 0,
            careful_until_ms: 0,
            boot: 0,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let phase = self.client.context.wait_until_serving().await;
            self.extend_careful_period();
            let was_empty = self.poll(phase).await;
            let is_last = phase == Phase::Draining;
            if self.received_upto > self.acked && (is_last || self.rng.percent(ACK)) {
                self.ack().await;
            }
            if is_last && was_empty && self.is_done().await {
                return;
            }
            let work = self.rng.ms(0, MAX_WORK_MS);
            pause(work).await;
        }
    }

    /// A restart may start leases again, so the careful period starts again too.
    fn extend_careful_period(&mut self) {
        let context = &self.client.context;
        let RequestStart { boot, serving } = context.request_start();
        if context.is_cluster() && (boot != self.boot || !serving) {
            // While hubs fail, a channel may move at any time.
            self.lose_read(CLUSTER_LEASE_MS);
        }
        if boot != self.boot {
            self.boot = boot;
            if now_ms() < self.careful_until_ms {
                let until_ms = now_ms() + self.lost_lease_ms + LEASE_MARGIN_MS;
                self.careful_until_ms = self.careful_until_ms.max(until_ms);
            }
        }
    }

    /// Starts or extends the careful period after a read whose response did not arrive.
    fn lose_read(&mut self, lease_ms: u64) {
        // If several reads are lost, the longest of their leases counts.
        let was_careful = now_ms() < self.careful_until_ms;
        self.lost_lease_ms = if was_careful { self.lost_lease_ms.max(lease_ms) } else { lease_ms };
        self.careful_until_ms = self.careful_until_ms.max(now_ms() + lease_ms + LEASE_MARGIN_MS);
    }

    /// Polls once; returns true if nothing arrived until the timeout.
    async fn poll(&mut self, phase: Phase) -> bool {
        let consumer = self.consumer;
        // Several hubs: after a fault, all leases must have ended before the next ack.
        let is_short = self.rng.percent(70) || self.client.context.is_cluster();
        let lease_s = if is_short { 1 } else { self.rng.between(2, 3) };
        let lease_ms = lease_s * 1000;
        let upto = (self.received_upto > self.acked && self.rng.percent(ACK_WITH_READ)).then_some(self.received_upto);
        let request = self.build_poll(lease_s, upto);
        // Outside a careful period, a read returns everything that is due below its last message.
        let is_complete = now_ms() >= self.careful_until_ms;
        if let Some(upto) = upto {
            self.client.record(Event::AckBegun { consumer, upto });
        }
        self.client.record(Event::ReadBegun { consumer, lease_ms });
        if phase == Phase::Busy && self.rng.percent(ABANDON) {
            self.abandon(&request, lease_ms).await;
            return false;
        }
        let (was_empty, end) = match self.client.call_within(&request, self.client.request_timeout(1)).await {
            Response::Success(body) => {
                if let Some(upto) = upto {
                    self.acked = self.acked.max(upto);
                    self.client.record(Event::AckDone { consumer, upto, cursor: None });
                }
                (self.record_delivery(&body, is_complete), ReadEnd::Whole)
            }
            Response::Broken { partial, error } => {
                self.lose_read(lease_ms);
                (false, self.client.unanswered_read(&partial, &error))
            }
            Response::Unavailable => {
                self.lose_read(lease_ms);
                (false, ReadEnd::Unavailable)
            }
            Response::Refused { status, text } => {
                match upto.filter(|_| status == 400 && text.contains("upto")) {
                    Some(upto) => self.ack_refused(upto, text),
                    None => self.client.report_refusal("a poll", &text),
                }
                (phase == Phase::Draining, ReadEnd::Refused)
            }
        };
        let is_whole = matches!(end, ReadEnd::Whole);
        self.client.record(Event::ReadEnded { consumer, end });
        if !is_whole {
            pause(AFTER_ERROR).await;
        }
        was_empty
    }

    fn build_poll(&mut self, lease_s: u64, upto: Option<u64>) -> Vec<u8> {
        let max = if self.rng.percent(50) { self.rng.between(1, 8) } else { 100 };
        let consumer = self.name.map_or(String::new(), |name| format!("&consumer={name}"));
        let upto = upto.map_or(String::new(), |upto| format!("&ack_upto={upto}"));
        let path = format!("/listen?timeout=1&ack=manual&lease={lease_s}&max={max}{consumer}{upto}");
        self.client.member.get(&path)
    }

    /// Records the messages of a response; returns true if there are none.
    fn record_delivery(&mut self, body: &[u8], is_complete: bool) -> bool {
        let Some(poll) = self.client.parse::<PollBody>("a poll", body) else { return false };
        let messages = poll.deliveries(&self.client.context.callsigns);
        if let Some(last) = messages.last().filter(|_| is_complete) {
            self.received_upto = self.received_upto.max(last.id);
        }
        let was_empty = messages.is_empty() && !poll.superseded;
        self.client.record(Event::Delivered { consumer: self.consumer, messages, gap: poll.gap.map(Into::into) });
        was_empty
    }

    /// Reads at most one piece of the response and disconnects.
    async fn abandon(&mut self, request: &[u8], lease_ms: u64) {
        let consumer = self.consumer;
        let length = self.rng.ms(0, 200);
        let piece = async {
            let connection = self.client.connection();
            connection.write(request).await?;
            connection.more().await.map(|_| ())
        };
        let outcome = timeout(length.min(REQUEST_TIMEOUT), piece).await;
        let partial = self.client.close();
        self.lose_read(lease_ms);
        let end = match outcome {
            Ok(Err(HttpError::Connect(_) | HttpError::Write(_) | HttpError::Read(_) | HttpError::Closed)) => {
                ReadEnd::Cut { partial_ids: ids_in(&partial) }
            }
            _ => ReadEnd::Abandoned,
        };
        self.client.record(Event::ReadEnded { consumer, end });
    }

    async fn ack(&mut self) {
        let (consumer, upto) = (self.consumer, self.received_upto);
        let name = self.name.map_or(String::new(), |name| format!(r#","consumer":"{name}""#));
        let request = self.client.member.post("/ack", &format!(r#"{{"upto":{upto}{name}}}"#));
        self.client.record(Event::AckBegun { consumer, upto });
        match self.client.request("an ack", &request).await {
            Response::Success(body) => {
                let Some(Acked { cursor }) = self.client.parse("an ack", &body) else { return };
                self.acked = self.acked.max(upto);
                self.client.record(Event::AckDone { consumer, upto, cursor: Some(cursor) });
            }
            Response::Refused { status: 400, text } if text.contains("upto") => self.ack_refused(upto, text),
            Response::Refused { text, .. } => self.client.report_refusal("an ack", &text),
            Response::Unavailable | Response::Broken { .. } => {}
        }
    }

    /// The hub has forgotten the delivery, so it will deliver these messages again.
    fn ack_refused(&mut self, upto: u64, response: String) {
        self.client.record(Event::AckRefused { consumer: self.consumer, upto, response });
        self.received_upto = self.acked;
    }

    /// Whether nothing is due or leased.
    async fn is_done(&mut self) -> bool {
        const WHAT: &str = "reading the consumers";
        let request = self.client.member.get("/consumers");
        match self.client.request(WHAT, &request).await {
            Response::Success(body) => {
                let Some(Consumers { consumers }) = self.client.parse(WHAT, &body) else { return false };
                let own = consumers.iter().find(|consumer| consumer.name.as_deref() == self.name);
                own.is_some_and(|consumer| consumer.lag == 0 && consumer.in_flight == 0)
            }
            Response::Refused { text, .. } => {
                self.client.report_refusal(WHAT, &text);
                true
            }
            Response::Unavailable | Response::Broken { .. } => false,
        }
    }
}
