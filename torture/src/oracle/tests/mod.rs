//! Scripted histories: the oracle finds nothing wrong with a correct hub, and detects each kind of violation.

mod acks;
mod cluster;
mod delivery;
mod loss;
mod membership;
mod sends;

use super::*;

/// Long enough for every observed value to be on disk.
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
    fn on_disk(mode: ReadMode) -> Self {
        Self::new(mode, true)
    }

    fn in_memory(mode: ReadMode) -> Self {
        Self::new(mode, false)
    }

    fn new(mode: ReadMode, durable: bool) -> Self {
        let mut oracle = Oracle::default();
        let channel = oracle.channel(durable);
        let ann = oracle.member(channel, "ann", 1);
        let bob = oracle.member(channel, "bob", 2);
        let default_consumer = oracle.consumer(bob, "", mode);
        let mut history = Self { oracle, ms: 0, ann, bob, default_consumer };
        history.record(Event::Serving);
        history
    }

    fn record(&mut self, event: Event) -> &mut Self {
        self.ms += 1;
        self.oracle.record(self.ms, event);
        self
    }

    fn wait(&mut self, ms: u64) -> &mut Self {
        self.ms += ms;
        self
    }

    fn message(&self, seq: u64) -> MessageRef {
        MessageRef { writer: self.ann, seq }
    }

    fn begin(&mut self, seq: u64, to: Option<MemberNo>) -> &mut Self {
        let message = self.message(seq);
        self.record(Event::SendBegun { message, to })
    }

    fn ack_send(&mut self, seq: u64, id: u64, duplicate: bool) -> &mut Self {
        let message = self.message(seq);
        let durable = self.oracle.channels[0].durable;
        self.record(Event::SendAcked { message, id, duplicate, durable })
    }

    /// Sends a broadcast that is acknowledged at once.
    fn broadcast(&mut self, seq: u64, id: u64) -> &mut Self {
        self.begin(seq, None).ack_send(seq, id, false)
    }

    /// Sends a direct message to bob that is acknowledged at once.
    fn direct(&mut self, seq: u64, id: u64) -> &mut Self {
        let bob = self.bob;
        self.begin(seq, Some(bob)).ack_send(seq, id, false)
    }

    fn delivery(&self, seq: u64, id: u64, attempt: u32) -> Delivery {
        Delivery { id, message: self.message(seq), attempt, intact: true }
    }

    fn begin_read(&mut self) -> &mut Self {
        let manual = self.oracle.consumers[self.default_consumer].mode == ReadMode::Manual;
        let (consumer, lease_ms) = (self.default_consumer, if manual { LEASE_MS } else { 0 });
        self.record(Event::ReadBegun { consumer, lease_ms })
    }

    fn end_read(&mut self, end: ReadEnd) -> &mut Self {
        let consumer = self.default_consumer;
        self.record(Event::ReadEnded { consumer, end })
    }

    /// Reads a whole body with these messages: sequence number, id, attempt.
    fn read(&mut self, messages: &[(u64, u64, u32)]) -> &mut Self {
        self.read_with(messages, None)
    }

    fn read_with(&mut self, messages: &[(u64, u64, u32)], gap: Option<Gap>) -> &mut Self {
        self.begin_read();
        let messages = messages.iter().map(|(seq, id, attempt)| self.delivery(*seq, *id, *attempt)).collect();
        let consumer = self.default_consumer;
        self.record(Event::Delivered { consumer, messages, gap });
        self.end_read(ReadEnd::Whole)
    }

    /// Kills and restarts the hub.
    fn crash(&mut self) -> &mut Self {
        self.record(Event::Killed).record(Event::Serving)
    }

    /// Kills and restarts the hub while a read is open.
    fn crash_during_read(&mut self) -> &mut Self {
        self.begin_read();
        self.crash();
        self.end_read(ReadEnd::Cut { partial_ids: Vec::new() })
    }

    fn ack(&mut self, upto: u64) -> &mut Self {
        let consumer = self.default_consumer;
        self.record(Event::AckBegun { consumer, upto }).record(Event::AckDone { consumer, upto, cursor: Some(upto) })
    }

    fn observe_cursor(&mut self, cursor: u64) -> &mut Self {
        let consumer = self.default_consumer;
        self.record(Event::CursorRequested { consumer }).record(Event::CursorReceived { consumer, cursor })
    }

    fn observe_receipt(&mut self, seq: u64, state: ReceiptState) -> &mut Self {
        let message = self.message(seq);
        let receipts = vec![Receipt { to: "bob".into(), state, attempts: None }];
        self.record(Event::ReceiptsRequested { message }).record(Event::ReceiptsReceived { message, receipts })
    }

    /// The violations found so far.
    fn violations(&self) -> Vec<Violation> {
        self.oracle.violations.counts.keys().copied().collect()
    }

    /// The violations after the final check.
    fn final_violations(&mut self) -> Vec<Violation> {
        self.oracle.check_all_sends();
        self.violations()
    }
}

const NONE: [Violation; 0] = [];

#[test]
fn a_run_without_kills_has_no_violation() {
    for mode in [ReadMode::Automatic, ReadMode::Resuming, ReadMode::Manual] {
        for durable in [true, false] {
            let mut history = History::new(mode, durable);
            history.broadcast(1, 10).direct(2, 20).read(&[(1, 10, 1), (2, 20, 1)]).broadcast(3, 30).read(&[(3, 30, 1)]);
            assert_eq!(history.final_violations(), NONE, "{mode:?} {durable}");
        }
    }
}

#[test]
fn the_first_violations_are_described() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).crash();
    assert_eq!(history.final_violations(), [Violation::Lost]);
    let first = &history.oracle.violations.first;
    assert_eq!(first, &["boot 1: lost: channel 0, message 1 of ann (id 10) was never delivered to channel 0, bob"]);
}
