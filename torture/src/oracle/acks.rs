//! Checks of acks and cursors: an ack is permanent, and a cursor only grows.

use super::{ConsumerNo, Oracle, ReadMode, Violation};

impl Oracle {
    pub(super) fn ack_begun(&mut self, consumer: ConsumerNo, upto: u64) {
        let state = &mut self.consumers[consumer];
        state.requested_ack = state.requested_ack.max(upto);
    }

    pub(super) fn ack_done(&mut self, consumer: ConsumerNo, upto: u64, cursor: Option<u64>) {
        let channel = self.channel_of(consumer);
        let state = &mut self.consumers[consumer];
        state.acked = state.acked.max(upto);
        state.cursor.promise(upto);
        let requested_ack = state.requested_ack;
        self.counts(channel).acks += 1;
        let Some(cursor) = cursor else { return };
        self.expect_cursor(consumer, cursor, upto, requested_ack);
    }

    /// After a crash the hub may have forgotten the delivery; then it delivers again.
    pub(super) fn ack_refused(&mut self, consumer: ConsumerNo, upto: u64, response: &str) {
        let channel = self.channel_of(consumer);
        let delivery = self.consumers[consumer].deliveries.get(&upto);
        let is_known = delivery.is_none_or(|delivery| delivery.boot == self.boot);
        if is_known && !self.is_moving() {
            let text = format!("{}, up to {upto}: {response}", self.describe_consumer(consumer));
            return self.violation(Violation::AckRefused, &text);
        }
        self.counts(channel).acks_void += 1;
    }

    /// The response must include the acks that are done by now.
    pub(super) fn cursor_requested(&mut self, consumer: ConsumerNo) {
        let state = &mut self.consumers[consumer];
        state.required_cursor = state.cursor.lower_bound();
    }

    pub(super) fn cursor_received(&mut self, consumer: ConsumerNo, cursor: u64) {
        let state = &self.consumers[consumer];
        let (required, requested_ack) = (state.required_cursor, state.requested_ack);
        self.expect_cursor(consumer, cursor, required, requested_ack);
    }

    fn expect_cursor(&mut self, consumer: ConsumerNo, cursor: u64, low: u64, high: u64) {
        let now = self.now;
        let state = &mut self.consumers[consumer];
        let is_manual = state.mode == ReadMode::Manual;
        let acked = state.acked;
        if cursor >= low {
            state.cursor.observe(cursor, now);
        }
        let name = self.describe_consumer(consumer);
        if cursor < low {
            let text = format!("{name} is at {cursor} and was at {low} (acknowledged: {acked})");
            self.violation(Violation::CursorMovedBack, &text);
        }
        if is_manual && cursor > high {
            let text = format!("{name} is at {cursor}, but no ack above {high} was requested");
            self.violation(Violation::CursorAheadOfAcks, &text);
        }
    }
}
