//! Automatic polls: reading acknowledges.

use std::sync::Arc;

use super::AFTER_TROUBLE;
use crate::caller::{Answer, Caller, Pass};
use crate::context::{Context, Phase, pause};
use crate::message_text::{Heard, glimpsed};
use crate::oracle::{ConsumerNo, End, Event};
use crate::rng::Rng;

const LONGEST_WORK_MS: u64 = 60;

pub(crate) struct Automatic {
    caller: Caller,
    consumer: ConsumerNo,
    /// `listen` or `wait`.
    verb: &'static str,
    rng: Rng,
}

impl Automatic {
    pub(crate) fn new(context: &Arc<Context>, pass: &Pass, consumer: ConsumerNo, verb: &'static str, rng: Rng) -> Self {
        Self { caller: Caller::new(context, pass), consumer, verb, rng }
    }

    pub(super) async fn run(mut self) {
        loop {
            let phase = self.caller.context.serves().await;
            let is_silent = self.poll(phase).await;
            if phase == Phase::Draining && is_silent {
                return;
            }
            if self.rng.percent(50) {
                let work = self.rng.ms(0, LONGEST_WORK_MS);
                pause(work).await;
            }
        }
    }

    /// One poll; true when it had nothing for its whole time.
    async fn poll(&mut self, phase: Phase) -> bool {
        let consumer = self.consumer;
        let timeout_s = if phase == Phase::Draining { 1 } else { self.rng.between(1, 4) };
        let max = if self.rng.percent(30) { self.rng.between(1, 5) } else { 100 };
        let request = self.caller.pass.get(&format!("/{}?timeout={timeout_s}&max={max}", self.verb));
        self.caller.hear(Event::ReadBegun { consumer, lease_ms: 0 });
        let answer = self.caller.call(&request).await;
        let (is_silent, end) = match answer {
            Answer::Done(body) => (self.take(&body), End::Whole),
            Answer::Nothing { partly, .. } => (false, End::Cut { glimpsed: glimpsed(&partly) }),
            Answer::Troubled => (false, End::Refused),
            Answer::Refused { text, .. } => {
                self.caller.turned_away("a poll", &text);
                (true, End::Refused)
            }
        };
        let is_refused = matches!(end, End::Refused);
        self.caller.hear(Event::ReadEnded { consumer, end });
        if is_refused {
            pause(AFTER_TROUBLE).await;
        }
        is_silent
    }

    fn take(&self, body: &[u8]) -> bool {
        let Some(heard) = self.caller.read::<Heard>("a poll", body) else { return false };
        let messages = heard.messages.iter().map(|message| message.delivery(&self.caller.context.callsigns));
        let messages = messages.collect::<Vec<_>>();
        let is_silent = messages.is_empty() && !heard.superseded;
        let gap = heard.gap.map(Into::into);
        self.caller.hear(Event::Delivered { consumer: self.consumer, messages, gap });
        is_silent
    }
}
