//! Reads with manual acks and short leases, by a client that is careful and sometimes dies in the middle of a body.
//!
//! An ack is cumulative. So after a read that was cut off, its messages are leased to nobody who knows them, newer ones
//! come, and an ack of those would acknowledge what was never seen. A careful client therefore acknowledges nothing new
//! until the lost lease must have ended and a read has shown what is due below.

use std::sync::Arc;

use rogerrat_client::http::HttpError;
use serde::Deserialize;
use tokio::time::timeout;

use super::AFTER_TROUBLE;
use crate::caller::{Answer, Caller, PATIENCE, Pass};
use crate::context::{Context, Phase, now_ms, pause};
use crate::message_text::{Heard, glimpsed};
use crate::oracle::{ConsumerNo, End, Event};
use crate::rng::Rng;

/// Between the end of a lease by our watch and by the hub's.
const LEASE_MARGIN_MS: u64 = 500;
const LONGEST_WORK_MS: u64 = 80;
/// Of a hundred.
const DIES: u64 = 1;
const ACKS: u64 = 70;
const ACKS_WITH_READ: u64 = 30;

#[derive(Deserialize)]
struct Acked {
    cursor: u64,
}

#[derive(Deserialize)]
struct Consumers {
    consumers: Vec<ConsumerRow>,
}

#[derive(Deserialize)]
struct ConsumerRow {
    name: Option<String>,
    lag: u64,
    in_flight: u64,
}

pub(super) struct Manual {
    caller: Caller,
    consumer: ConsumerNo,
    name: Option<&'static str>,
    rng: Rng,
    /// Everything up to here was seen, for sure.
    proven: u64,
    acked: u64,
    /// A read was cut off, and so long its messages may be leased.
    lost_lease_ms: u64,
    careful_until_ms: u64,
    life: u32,
}

impl Manual {
    pub(super) fn new(
        context: &Arc<Context>,
        pass: &Pass,
        consumer: ConsumerNo,
        name: Option<&'static str>,
        rng: Rng,
    ) -> Self {
        let caller = Caller::new(context, pass);
        Self { caller, consumer, name, rng, proven: 0, acked: 0, lost_lease_ms: 0, careful_until_ms: 0, life: 0 }
    }

    pub(super) async fn run(mut self) {
        loop {
            let phase = self.caller.context.serves().await;
            self.mind_the_lost();
            let is_silent = self.poll(phase).await;
            let is_last = phase == Phase::Draining;
            if self.proven > self.acked && (is_last || self.rng.percent(ACKS)) {
                self.ack().await;
            }
            if is_last && is_silent && self.is_done().await {
                return;
            }
            let work = self.rng.ms(0, LONGEST_WORK_MS);
            pause(work).await;
        }
    }

    /// A restart may start leases anew, so care begins again with it.
    fn mind_the_lost(&mut self) {
        let life = self.caller.context.stamp().life;
        if life != self.life {
            self.life = life;
            if now_ms() < self.careful_until_ms {
                let anew_ms = now_ms() + self.lost_lease_ms + LEASE_MARGIN_MS;
                self.careful_until_ms = self.careful_until_ms.max(anew_ms);
            }
        }
    }

    fn lost_a_read(&mut self, lease_ms: u64) {
        // Several may be lost, and the longest of their leases counts.
        let was_careful = now_ms() < self.careful_until_ms;
        self.lost_lease_ms = if was_careful { self.lost_lease_ms.max(lease_ms) } else { lease_ms };
        self.careful_until_ms = self.careful_until_ms.max(now_ms() + lease_ms + LEASE_MARGIN_MS);
    }

    /// One poll; true when it had nothing for its whole time.
    async fn poll(&mut self, phase: Phase) -> bool {
        let consumer = self.consumer;
        let lease_s = if self.rng.percent(70) { 1 } else { self.rng.between(2, 3) };
        let lease_ms = lease_s * 1000;
        let upto = (self.proven > self.acked && self.rng.percent(ACKS_WITH_READ)).then_some(self.proven);
        let request = self.request(lease_s, upto);
        // A read that begins now finds everything that is due below what it brings.
        let proves = now_ms() >= self.careful_until_ms;
        if let Some(upto) = upto {
            self.caller.hear(Event::AckBegun { consumer, upto });
        }
        self.caller.hear(Event::ReadBegun { consumer, lease_ms });
        if phase == Phase::Busy && self.rng.percent(DIES) {
            self.die(&request, lease_ms).await;
            return false;
        }
        let answer = self.caller.call(&request).await;
        let (is_silent, end) = match answer {
            Answer::Done(body) => {
                if let Some(upto) = upto {
                    self.acked = self.acked.max(upto);
                    self.caller.hear(Event::AckDone { consumer, upto, cursor: None });
                }
                (self.take(&body, proves), End::Whole)
            }
            Answer::Nothing { partly, .. } => {
                self.lost_a_read(lease_ms);
                (false, End::Cut { glimpsed: glimpsed(&partly) })
            }
            Answer::Troubled => {
                self.lost_a_read(lease_ms);
                (false, End::Refused)
            }
            Answer::Refused { status, text } => {
                match upto.filter(|_| status == 400 && text.contains("upto")) {
                    Some(upto) => self.refused(upto, text),
                    None => self.caller.turned_away("a poll", &text),
                }
                (phase == Phase::Draining, End::Refused)
            }
        };
        let is_refused = matches!(end, End::Refused);
        self.caller.hear(Event::ReadEnded { consumer, end });
        if is_refused {
            pause(AFTER_TROUBLE).await;
        }
        is_silent
    }

    fn request(&mut self, lease_s: u64, upto: Option<u64>) -> Vec<u8> {
        let max = if self.rng.percent(50) { self.rng.between(1, 8) } else { 100 };
        let consumer = self.name.map_or(String::new(), |name| format!("&consumer={name}"));
        let upto = upto.map_or(String::new(), |upto| format!("&ack_upto={upto}"));
        let path = format!("/listen?timeout=1&ack=manual&lease={lease_s}&max={max}{consumer}{upto}");
        self.caller.pass.get(&path)
    }

    fn take(&mut self, body: &[u8], proves: bool) -> bool {
        let Some(heard) = self.caller.read::<Heard>("a poll", body) else { return false };
        let messages = heard.messages.iter().map(|message| message.delivery(&self.caller.context.callsigns));
        let messages = messages.collect::<Vec<_>>();
        if let Some(last) = messages.last().filter(|_| proves) {
            self.proven = self.proven.max(last.id);
        }
        let is_silent = messages.is_empty() && !heard.superseded;
        let gap = heard.gap.map(Into::into);
        self.caller.hear(Event::Delivered { consumer: self.consumer, messages, gap });
        is_silent
    }

    /// Reads a piece at most, and is gone.
    async fn die(&mut self, request: &[u8], lease_ms: u64) {
        let consumer = self.consumer;
        let life = self.rng.ms(0, 200);
        let piece = async {
            let connection = self.caller.connection();
            connection.write(request).await?;
            connection.more().await.map(|_| ())
        };
        let outcome = timeout(life.min(PATIENCE), piece).await;
        let partly = self.caller.close();
        self.lost_a_read(lease_ms);
        let end = match outcome {
            Ok(Err(HttpError::Connect(_) | HttpError::Write(_) | HttpError::Read(_) | HttpError::Closed)) => {
                End::Cut { glimpsed: glimpsed(&partly) }
            }
            _ => End::Left,
        };
        self.caller.hear(Event::ReadEnded { consumer, end });
    }

    async fn ack(&mut self) {
        let (consumer, upto) = (self.consumer, self.proven);
        let name = self.name.map_or(String::new(), |name| format!(r#","consumer":"{name}""#));
        let request = self.caller.pass.post("/ack", &format!(r#"{{"upto":{upto}{name}}}"#));
        self.caller.hear(Event::AckBegun { consumer, upto });
        match self.caller.ask("an ack", &request).await {
            Answer::Done(body) => {
                let Some(Acked { cursor }) = self.caller.read("an ack", &body) else { return };
                self.acked = self.acked.max(upto);
                self.caller.hear(Event::AckDone { consumer, upto, cursor: Some(cursor) });
            }
            Answer::Refused { status: 400, text } if text.contains("upto") => self.refused(upto, text),
            Answer::Refused { text, .. } => self.caller.turned_away("an ack", &text),
            Answer::Troubled | Answer::Nothing { .. } => {}
        }
    }

    /// The hub does not know that it handed these over: it will again.
    fn refused(&mut self, upto: u64, answer: String) {
        self.caller.hear(Event::AckRefused { consumer: self.consumer, upto, answer });
        self.proven = self.acked;
    }

    /// Whether nothing is due and nothing is out.
    async fn is_done(&mut self) -> bool {
        let request = self.caller.pass.get("/consumers");
        match self.caller.ask("a question for consumers", &request).await {
            Answer::Done(body) => {
                let Some(Consumers { consumers }) = self.caller.read("a question for consumers", &body) else {
                    return false;
                };
                let ours = consumers.iter().find(|row| row.name.as_deref() == self.name);
                ours.is_some_and(|row| row.lag == 0 && row.in_flight == 0)
            }
            Answer::Refused { text, .. } => {
                self.caller.turned_away("a question for consumers", &text);
                true
            }
            Answer::Troubled | Answer::Nothing { .. } => false,
        }
    }
}
