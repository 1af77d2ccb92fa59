//! A member that sends broadcasts and direct messages, each with a key, and repeats them until the outcome is known.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::context::{Context, Phase, now_ms, pause};
use super::member_client::{Member, MemberClient, Response};
use super::message_text::message_text;
use super::oracle::{Event, MemberNo, MessageRef, Receipt, ReceiptState, RequestStart};
use super::rng::Rng;

/// Chances in percent, per message.
const DIRECT: u64 = 30;
const NEEDLESS_REPEAT: u64 = 4;
const RECEIPTS: u64 = 8;
/// Messages that are stored for later repeats and receipts.
const MAX_RECENT: usize = 12;
const MAX_PAUSE_MS: u64 = 60;
const AFTER_NO_ANSWER: Duration = Duration::from_millis(20);
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// A possible recipient of direct messages.
#[derive(Debug, Clone)]
pub(super) struct Recipient {
    pub(super) member: MemberNo,
    pub(super) callsign: String,
}

#[derive(Deserialize)]
struct Sent {
    id: u64,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    durable: bool,
}

#[derive(Deserialize)]
struct Receipts {
    receipts: Vec<ReceiptJson>,
}

#[derive(Deserialize)]
struct ReceiptJson {
    to: String,
    state: ReceiptState,
    attempts: Option<u64>,
}

/// A message with everything needed to send it again.
#[derive(Clone)]
struct OutgoingMessage {
    message: MessageRef,
    to: Option<MemberNo>,
    request: Vec<u8>,
    /// The start of its first request.
    start: RequestStart,
    id: Option<u64>,
}

pub(super) struct Writer {
    client: MemberClient,
    rng: Rng,
    readers: Vec<Recipient>,
    seq: u64,
    recent: Vec<OutgoingMessage>,
}

impl Writer {
    pub(super) fn new(context: &Arc<Context>, member: &Member, readers: Vec<Recipient>, rng: Rng) -> Self {
        Self { client: MemberClient::new(context, member), rng, readers, seq: 0, recent: Vec::new() }
    }

    /// Sends until the run settles. The outcome of all messages is known then, as far as it can be.
    pub(super) async fn run(mut self) -> Self {
        while self.client.context.wait_until_serving().await == Phase::Busy {
            let outgoing = self.next();
            self.send(outgoing).await;
            if self.rng.percent(NEEDLESS_REPEAT) {
                self.repeat().await;
            }
            // What is observed while hubs fail proves nothing; the last receipts do.
            if self.rng.percent(RECEIPTS) && !self.client.context.is_cluster() {
                self.check_receipts().await;
            }
            let length = self.rng.ms(0, MAX_PAUSE_MS);
            pause(length).await;
        }
        self
    }

    /// Checks the receipts of the last messages.
    pub(super) async fn finish(&mut self) {
        for outgoing in self.recent.clone() {
            self.check_receipts_of(&outgoing).await;
        }
    }

    fn next(&mut self) -> OutgoingMessage {
        self.seq += 1;
        let message = MessageRef { writer: self.client.member.no, seq: self.seq };
        let to = match self.rng.percent(DIRECT) {
            true => Some(self.readers[self.rng.pick(self.readers.len())].clone()),
            false => None,
        };
        let callsign = to.as_ref().map_or("all", |to| &to.callsign);
        let text = message_text(message, callsign);
        let key = self.seq;
        let body = format!(r#"{{"to":"{callsign}","message":"{text}","client_msg_id":"message-{key}"}}"#);
        let request = self.client.member.post("/send", &body);
        let start = self.client.context.request_start();
        OutgoingMessage { message, to: to.map(|to| to.member), request, start, id: None }
    }

    /// Repeats the send until its outcome is known. A memory channel forgets its keys in a kill, after which the outcome
    /// stays unknown.
    async fn send(&mut self, mut outgoing: OutgoingMessage) {
        let OutgoingMessage { message, to, .. } = outgoing;
        loop {
            let begun_ms = now_ms();
            self.client.context.service().begin(self.client.member.no, begun_ms);
            self.client.record(Event::SendBegun { message, to });
            match self.client.request("a send", &outgoing.request).await {
                Response::Success(body) => {
                    self.record_success(begun_ms);
                    outgoing.id = self.record_ack(message, &body);
                    self.add_recent(outgoing);
                    return;
                }
                // The mailbox is full, and the hub has not accepted the message.
                Response::Refused { status: 409, .. } => {
                    self.record_success(begun_ms);
                    self.client.record(Event::SendRefused { message });
                    return pause(AFTER_REFUSAL).await;
                }
                Response::Refused { text, .. } => {
                    self.client.report_refusal("a send", &text);
                    self.client.record(Event::SendAbandoned { message });
                    return pause(AFTER_REFUSAL).await;
                }
                // Without a pause, refused connections would be repeated without end while no hub is there.
                Response::Unavailable | Response::Broken { .. } => pause(AFTER_NO_ANSWER).await,
            }
            self.client.context.wait_until_serving().await;
            if self.is_key_forgotten(&outgoing) {
                self.client.record(Event::SendAbandoned { message });
                return;
            }
        }
    }

    fn record_success(&self, begun_ms: u64) {
        let Member { no, channel, .. } = self.client.member;
        self.client.context.succeed(no, channel, begun_ms);
    }

    fn record_ack(&self, message: MessageRef, body: &[u8]) -> Option<u64> {
        let Sent { id, duplicate, durable } = self.client.parse("a send", body)?;
        self.client.record(Event::SendAcked { message, id, duplicate, durable });
        Some(id)
    }

    /// Whether it was sent on a memory channel before the last kill.
    fn is_key_forgotten(&self, outgoing: &OutgoingMessage) -> bool {
        let context = &self.client.context;
        let now = context.request_start();
        let may_be_forgotten = now.boot != outgoing.start.boot || (context.is_cluster() && !now.serving);
        !context.is_durable(self.client.member.channel) && may_be_forgotten
    }

    fn add_recent(&mut self, outgoing: OutgoingMessage) {
        if self.recent.len() == MAX_RECENT {
            self.recent.remove(0);
        }
        self.recent.push(outgoing);
    }

    /// Sends an acknowledged message again, like a client that has lost the response.
    async fn repeat(&mut self) {
        let Some(outgoing) = self.pick_recent() else { return };
        let OutgoingMessage { message, to, .. } = outgoing;
        self.client.record(Event::SendBegun { message, to });
        match self.client.request("a repeated send", &outgoing.request).await {
            Response::Success(body) => drop(self.record_ack(message, &body)),
            Response::Refused { text, .. } => self.client.report_refusal("a repeated send", &text),
            Response::Unavailable | Response::Broken { .. } => {}
        }
    }

    async fn check_receipts(&mut self) {
        if let Some(outgoing) = self.pick_recent() {
            self.check_receipts_of(&outgoing).await;
        }
    }

    /// Picks a recent message whose key the hub has not forgotten.
    fn pick_recent(&mut self) -> Option<OutgoingMessage> {
        let outgoing = match self.recent.len() {
            0 => None,
            count => Some(self.recent[self.rng.pick(count)].clone()),
        };
        outgoing.filter(|outgoing| !self.is_key_forgotten(outgoing))
    }

    async fn check_receipts_of(&mut self, outgoing: &OutgoingMessage) {
        const WHAT: &str = "reading the receipts";
        let (message, Some(id)) = (outgoing.message, outgoing.id) else { return };
        self.client.record(Event::ReceiptsRequested { message });
        let request = self.client.member.get(&format!("/messages/{id}/receipts"));
        match self.client.request(WHAT, &request).await {
            Response::Success(body) => {
                let Some(Receipts { receipts }) = self.client.parse(WHAT, &body) else { return };
                let receipt = |ReceiptJson { to, state, attempts }| Receipt { to, state, attempts };
                let receipts = receipts.into_iter().map(receipt).collect();
                self.client.record(Event::ReceiptsReceived { message, receipts });
            }
            Response::Refused { status: 404, .. } => self.client.record(Event::ReceiptsMissing { message }),
            Response::Refused { text, .. } => self.client.report_refusal(WHAT, &text),
            Response::Unavailable | Response::Broken { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::oracle::Oracle;

    #[tokio::test]
    async fn a_writer_pauses_between_repeats_while_no_hub_is_there() {
        let mut oracle = Oracle::of_cluster();
        let channel = oracle.channel(true);
        let no = oracle.member(channel, "w0", 0);
        // Two ports that refuse connections, as long as their sockets exist.
        let closed = [(); 2].map(|()| {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
            socket
        });
        let addresses = closed.iter().map(|socket| socket.local_addr().unwrap()).collect();
        let context = Arc::new(Context::new(addresses, oracle, vec!["w0".into()], vec![true]));
        let text = String::new;
        let member = Member { no, channel, callsign: "w0".into(), channel_id: text(), token: text(), session: text() };
        let mut writer = Writer::new(&context, &member, Vec::new(), Rng::new(1, 1));
        let message = MessageRef { writer: no, seq: 1 };
        let start = context.request_start();
        let outgoing = OutgoingMessage { message, to: None, request: member.post("/send", "{}"), start, id: None };
        let begun_ms = now_ms();
        let sent = timeout(AFTER_NO_ANSWER * 10, writer.send(outgoing)).await;
        assert!(sent.is_err(), "there is no hub");
        let pauses = (now_ms() - begun_ms) / AFTER_NO_ANSWER.as_millis() as u64;
        let repeated = context.oracle().disk.repeated;
        assert!((1..=pauses + 1).contains(&repeated), "{repeated} repeats with {pauses} pauses");
    }
}
