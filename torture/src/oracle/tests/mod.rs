//! Scripted histories: a faultless hub is left in peace, and each kind of violation is caught by its name.

mod acks;
mod delivery;
mod loss;
mod membership;
mod sends;

use super::*;

/// Longer than anything needs to settle.
const LONG_MS: u64 = 5_000;
const LEASE_MS: u64 = 1_000;

/// One channel with ann, who writes, and bob, who reads with one consumer.
struct History {
    oracle: Oracle,
    ms: u64,
    ann: MemberNo,
    bob: MemberNo,
    default_consumer: ConsumerNo,
}

impl History {
    fn on_disk(reading: Reading) -> Self {
        Self::new(reading, true)
    }

    fn in_memory(reading: Reading) -> Self {
        Self::new(reading, false)
    }

    fn new(reading: Reading, durable: bool) -> Self {
        let mut oracle = Oracle::default();
        let channel = oracle.channel(durable);
        let ann = oracle.member(channel, "ann", 1);
        let bob = oracle.member(channel, "bob", 2);
        let default_consumer = oracle.consumer(bob, "", reading);
        let mut history = Self { oracle, ms: 0, ann, bob, default_consumer };
        history.hear(Event::Serves);
        history
    }

    fn hear(&mut self, event: Event) -> &mut Self {
        self.ms += 1;
        self.oracle.hear(self.ms, event);
        self
    }

    fn pass(&mut self, ms: u64) -> &mut Self {
        self.ms += ms;
        self
    }

    fn message_key(&self, seq: u64) -> MessageKey {
        MessageKey { writer: self.ann, seq }
    }

    fn begin(&mut self, seq: u64, to: Option<MemberNo>) -> &mut Self {
        let message_key = self.message_key(seq);
        self.hear(Event::SendBegun { message_key, to })
    }

    fn ack_send(&mut self, seq: u64, id: u64, duplicate: bool) -> &mut Self {
        let message_key = self.message_key(seq);
        let durable = self.oracle.channels[0].durable;
        self.hear(Event::SendAcked { message_key, id, duplicate, durable })
    }

    /// A broadcast that is answered at once.
    fn say(&mut self, seq: u64, id: u64) -> &mut Self {
        self.begin(seq, None).ack_send(seq, id, false)
    }

    /// A direct message to bob that is answered at once.
    fn tell(&mut self, seq: u64, id: u64) -> &mut Self {
        let bob = self.bob;
        self.begin(seq, Some(bob)).ack_send(seq, id, false)
    }

    fn delivery(&self, seq: u64, id: u64, attempt: u32) -> Delivery {
        Delivery { id, message_key: self.message_key(seq), attempt, intact: true }
    }

    fn begin_read(&mut self) -> &mut Self {
        let manual = self.oracle.consumers[self.default_consumer].reading == Reading::Manual;
        let (consumer, lease_ms) = (self.default_consumer, if manual { LEASE_MS } else { 0 });
        self.hear(Event::ReadBegun { consumer, lease_ms })
    }

    fn end_read(&mut self, end: End) -> &mut Self {
        let consumer = self.default_consumer;
        self.hear(Event::ReadEnded { consumer, end })
    }

    /// A whole body with these messages: number, id, attempt.
    fn read(&mut self, messages: &[(u64, u64, u32)]) -> &mut Self {
        self.read_with(messages, None)
    }

    fn read_with(&mut self, messages: &[(u64, u64, u32)], gap: Option<Gap>) -> &mut Self {
        self.begin_read();
        let messages = messages.iter().map(|(seq, id, attempt)| self.delivery(*seq, *id, *attempt)).collect();
        let consumer = self.default_consumer;
        self.hear(Event::Delivered { consumer, messages, gap });
        self.end_read(End::Whole)
    }

    /// A kill, and the hub is back.
    fn crash(&mut self) -> &mut Self {
        self.hear(Event::Killed).hear(Event::Serves)
    }

    /// A read is parked, and the kill cuts it off.
    fn crash_during_read(&mut self) -> &mut Self {
        self.begin_read();
        self.crash();
        self.end_read(End::Cut { glimpsed: Vec::new() })
    }

    fn ack(&mut self, upto: u64) -> &mut Self {
        let consumer = self.default_consumer;
        self.hear(Event::AckBegun { consumer, upto }).hear(Event::AckDone { consumer, upto, cursor: Some(upto) })
    }

    fn see_cursor(&mut self, cursor: u64) -> &mut Self {
        let consumer = self.default_consumer;
        self.hear(Event::CursorAsked { consumer }).hear(Event::CursorSeen { consumer, cursor })
    }

    fn see_receipt(&mut self, seq: u64, state: State) -> &mut Self {
        let message_key = self.message_key(seq);
        let receipts = vec![Receipt { to: "bob".into(), state, attempts: None }];
        self.hear(Event::ReceiptsAsked { message_key }).hear(Event::ReceiptsSeen { message_key, receipts })
    }

    /// What was found so far, before the last question.
    fn found(&self) -> Vec<Violation> {
        self.oracle.violations.counts.keys().copied().collect()
    }

    /// What is found when all is over.
    fn verdict(&mut self) -> Vec<Violation> {
        self.oracle.conclude();
        self.found()
    }
}

const NOTHING: [Violation; 0] = [];

#[test]
fn a_history_without_faults_has_no_violation() {
    for reading in [Reading::Automatic, Reading::Resuming, Reading::Manual] {
        for durable in [true, false] {
            let mut history = History::new(reading, durable);
            history.say(1, 10).tell(2, 20).read(&[(1, 10, 1), (2, 20, 1)]).say(3, 30).read(&[(3, 30, 1)]);
            assert_eq!(history.verdict(), NOTHING, "{reading:?} {durable}");
        }
    }
}

#[test]
fn the_first_violations_are_described() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).crash();
    assert_eq!(history.verdict(), [Violation::Lost]);
    let first = &history.oracle.violations.first;
    assert_eq!(first, &["life 1: lost: channel 0, message 1 of ann (id 10) never came to channel 0, bob"]);
}
