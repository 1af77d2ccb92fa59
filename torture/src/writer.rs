//! A member that sends: broadcasts and direct messages, each with a key, repeated until the outcome is known.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::caller::{Answer, Caller, Pass};
use super::context::{Context, Phase, pause};
use super::message_text::text_of;
use super::oracle::{Event, MemberNo, MessageKey, Receipt, Stamp, State};
use super::rng::Rng;

/// Of a hundred messages.
const DIRECT: u64 = 30;
const REPEATED_FOR_NOTHING: u64 = 4;
const RECEIPTS_ASKED: u64 = 8;
/// Messages whose receipts may still be asked for.
const REMEMBERED: usize = 12;
const LONGEST_PAUSE_MS: u64 = 60;
const AFTER_TROUBLE: Duration = Duration::from_millis(20);
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Whom a message can go to.
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
    receipts: Vec<ReceiptRow>,
}

#[derive(Deserialize)]
struct ReceiptRow {
    to: String,
    state: State,
    attempts: Option<u64>,
}

/// A message with everything it takes to send it again.
#[derive(Clone)]
struct Draft {
    message_key: MessageKey,
    to: Option<MemberNo>,
    request: Vec<u8>,
    /// When its send began first.
    began: Stamp,
    id: Option<u64>,
}

pub(super) struct Writer {
    caller: Caller,
    rng: Rng,
    readers: Vec<Recipient>,
    seq: u64,
    recent: Vec<Draft>,
}

impl Writer {
    pub(super) fn new(context: &Arc<Context>, pass: &Pass, readers: Vec<Recipient>, rng: Rng) -> Self {
        Self { caller: Caller::new(context, pass), rng, readers, seq: 0, recent: Vec::new() }
    }

    /// Sends until the run settles; gives itself back with all messages brought to an end.
    pub(super) async fn run(mut self) -> Self {
        while self.caller.context.serves().await == Phase::Busy {
            let draft = self.next();
            self.send(draft).await;
            if self.rng.percent(REPEATED_FOR_NOTHING) {
                self.repeat().await;
            }
            if self.rng.percent(RECEIPTS_ASKED) {
                self.ask_receipts().await;
            }
            let length = self.rng.ms(0, LONGEST_PAUSE_MS);
            pause(length).await;
        }
        self
    }

    /// Reads the receipts of the last messages.
    pub(super) async fn finish(&mut self) {
        for draft in self.recent.clone() {
            self.receipts_of(&draft).await;
        }
    }

    fn next(&mut self) -> Draft {
        self.seq += 1;
        let message_key = MessageKey { writer: self.caller.pass.member, seq: self.seq };
        let to = match self.rng.percent(DIRECT) {
            true => Some(self.readers[self.rng.pick(self.readers.len())].clone()),
            false => None,
        };
        let callsign = to.as_ref().map_or("all", |to| &to.callsign);
        let text = text_of(message_key, callsign);
        let key = self.seq;
        let body = format!(r#"{{"to":"{callsign}","message":"{text}","client_msg_id":"message-{key}"}}"#);
        let request = self.caller.pass.post("/send", &body);
        let began = self.caller.context.stamp();
        Draft { message_key, to: to.map(|to| to.member), request, began, id: None }
    }

    /// Until it is known to be done or not; a memory channel forgets its keys with a kill, so there it stays unknown.
    async fn send(&mut self, mut draft: Draft) {
        let message_key = draft.message_key;
        loop {
            self.caller.hear(Event::SendBegun { message_key, to: draft.to });
            match self.caller.ask("a send", &draft.request).await {
                Answer::Done(body) => {
                    draft.id = self.done(message_key, &body);
                    self.remember(draft);
                    return;
                }
                // Full: the hub says that it did not take it.
                Answer::Refused { status: 409, .. } => {
                    self.caller.hear(Event::SendRefused { message_key });
                    return pause(AFTER_REFUSAL).await;
                }
                Answer::Refused { text, .. } => {
                    self.caller.turned_away("a send", &text);
                    self.caller.hear(Event::SendAbandoned { message_key });
                    return pause(AFTER_REFUSAL).await;
                }
                Answer::Troubled => pause(AFTER_TROUBLE).await,
                Answer::Nothing { .. } => {}
            }
            self.caller.context.serves().await;
            if self.has_forgotten(&draft) {
                self.caller.hear(Event::SendAbandoned { message_key });
                return;
            }
        }
    }

    fn done(&self, message_key: MessageKey, body: &[u8]) -> Option<u64> {
        let Sent { id, duplicate, durable } = self.caller.read("a send", body)?;
        self.caller.hear(Event::SendAcked { message_key, id, duplicate, durable });
        Some(id)
    }

    /// Whether a kill has ended what a memory channel knew of it.
    fn has_forgotten(&self, draft: &Draft) -> bool {
        let context = &self.caller.context;
        !context.is_durable(self.caller.pass.channel) && context.stamp().life != draft.began.life
    }

    fn remember(&mut self, draft: Draft) {
        if self.recent.len() == REMEMBERED {
            self.recent.remove(0);
        }
        self.recent.push(draft);
    }

    /// Says again what was answered already, as a client does that has lost the answer.
    async fn repeat(&mut self) {
        let Some(draft) = self.any_recent().filter(|draft| !self.has_forgotten(draft)) else { return };
        let message_key = draft.message_key;
        self.caller.hear(Event::SendBegun { message_key, to: draft.to });
        match self.caller.ask("a repeated send", &draft.request).await {
            Answer::Done(body) => drop(self.done(message_key, &body)),
            Answer::Refused { text, .. } => self.caller.turned_away("a repeated send", &text),
            Answer::Troubled | Answer::Nothing { .. } => {}
        }
    }

    async fn ask_receipts(&mut self) {
        if let Some(draft) = self.any_recent().filter(|draft| !self.has_forgotten(draft)) {
            self.receipts_of(&draft).await;
        }
    }

    fn any_recent(&mut self) -> Option<Draft> {
        match self.recent.len() {
            0 => None,
            count => Some(self.recent[self.rng.pick(count)].clone()),
        }
    }

    async fn receipts_of(&mut self, draft: &Draft) {
        let (message_key, Some(id)) = (draft.message_key, draft.id) else { return };
        self.caller.hear(Event::ReceiptsAsked { message_key });
        let request = self.caller.pass.get(&format!("/messages/{id}/receipts"));
        match self.caller.ask("a question for receipts", &request).await {
            Answer::Done(body) => {
                let Some(Receipts { receipts }) = self.caller.read("a question for receipts", &body) else { return };
                let parsed = |ReceiptRow { to, state, attempts }| Receipt { to, state, attempts };
                let receipts = receipts.into_iter().map(parsed).collect();
                self.caller.hear(Event::ReceiptsSeen { message_key, receipts });
            }
            Answer::Refused { status: 404, .. } => self.caller.hear(Event::ReceiptsMissing { message_key }),
            Answer::Refused { text, .. } => self.caller.turned_away("a question for receipts", &text),
            Answer::Troubled | Answer::Nothing { .. } => {}
        }
    }
}
