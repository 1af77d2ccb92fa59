//! Automatic polls: reading acknowledges.

use std::sync::Arc;

use super::AFTER_ERROR;
use crate::context::{Context, Phase, pause};
use crate::member_client::{Member, MemberClient, Response};
use crate::message_text::PollBody;
use crate::oracle::{ConsumerNo, Event, ReadEnd};
use crate::rng::Rng;

/// Maximum length of a simulated reaction between two polls.
const MAX_WORK_MS: u64 = 60;

pub(crate) struct Automatic {
    client: MemberClient,
    consumer: ConsumerNo,
    /// `listen` or `wait`.
    operation: &'static str,
    rng: Rng,
}

impl Automatic {
    pub(crate) fn new(
        context: &Arc<Context>,
        member: &Member,
        consumer: ConsumerNo,
        operation: &'static str,
        rng: Rng,
    ) -> Self {
        Self { client: MemberClient::new(context, member), consumer, operation, rng }
    }

    pub(super) async fn run(mut self) {
        loop {
            let phase = self.client.context.wait_until_serving().await;
            let was_empty = self.poll(phase).await;
            if phase == Phase::Draining && was_empty {
                return;
            }
            if self.rng.percent(50) {
                let work = self.rng.ms(0, MAX_WORK_MS);
                pause(work).await;
            }
        }
    }

    /// Polls once; returns true if nothing arrived until the timeout.
    async fn poll(&mut self, phase: Phase) -> bool {
        let consumer = self.consumer;
        let timeout_s = if phase == Phase::Draining { 1 } else { self.rng.between(1, 4) };
        let max = if self.rng.percent(30) { self.rng.between(1, 5) } else { 100 };
        let request = self.client.member.get(&format!("/{}?timeout={timeout_s}&max={max}", self.operation));
        self.client.record(Event::ReadBegun { consumer, lease_ms: 0 });
        let (was_empty, end) = match self.client.call_within(&request, self.client.request_timeout(timeout_s)).await {
            Response::Success(body) => (self.record_delivery(&body), ReadEnd::Whole),
            Response::Broken { partial, error } => (false, self.client.unanswered_read(&partial, &error)),
            Response::Unavailable => (false, ReadEnd::Unavailable),
            Response::Refused { text, .. } => {
                self.client.report_refusal("a poll", &text);
                (true, ReadEnd::Refused)
            }
        };
        let is_whole = matches!(end, ReadEnd::Whole);
        self.client.record(Event::ReadEnded { consumer, end });
        if !is_whole {
            pause(AFTER_ERROR).await;
        }
        was_empty
    }

    /// Records the messages of a response; returns true if there are none.
    fn record_delivery(&self, body: &[u8]) -> bool {
        let Some(poll) = self.client.parse::<PollBody>("a poll", body) else { return false };
        let messages = poll.deliveries(&self.client.context.callsigns);
        let was_empty = messages.is_empty() && !poll.superseded;
        self.client.record(Event::Delivered { consumer: self.consumer, messages, gap: poll.gap.map(Into::into) });
        was_empty
    }
}
