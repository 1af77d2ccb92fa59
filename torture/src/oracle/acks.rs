//! What the oracle hears of acks and cursors: what was acknowledged stays so, and a cursor only goes up.

use super::{ConsumerNo, Oracle, Reading, Violation};

impl Oracle {
    pub(super) fn ack_begun(&mut self, consumer: ConsumerNo, upto: u64) {
        let book = &mut self.consumers[consumer];
        book.ack_begun = book.ack_begun.max(upto);
    }

    pub(super) fn ack_done(&mut self, consumer: ConsumerNo, upto: u64, cursor: Option<u64>) {
        let at = self.channel_of(consumer);
        let book = &mut self.consumers[consumer];
        book.acked = book.acked.max(upto);
        book.cursor.promise(upto);
        let ack_begun = book.ack_begun;
        self.counts(at).acks += 1;
        let Some(cursor) = cursor else { return };
        self.expect_cursor(consumer, cursor, upto, ack_begun);
    }

    /// After a crash the hub may have forgotten that it handed these over; then they come again.
    pub(super) fn ack_refused(&mut self, consumer: ConsumerNo, upto: u64, answer: &str) {
        let at = self.channel_of(consumer);
        let is_of_this_life = self.consumers[consumer].seen.get(&upto).is_none_or(|seen| seen.life == self.life);
        if is_of_this_life {
            let text = format!("{}, up to {upto}: {answer}", self.name(consumer));
            return self.violation(Violation::AckRefused, &text);
        }
        self.counts(at).acks_void += 1;
    }

    /// Acks that were done by now must show in the answer.
    pub(super) fn cursor_asked(&mut self, consumer: ConsumerNo) {
        let book = &mut self.consumers[consumer];
        book.cursor_floor = book.cursor.floor();
    }

    pub(super) fn cursor_seen(&mut self, consumer: ConsumerNo, cursor: u64) {
        let book = &self.consumers[consumer];
        let (floor, ack_begun) = (book.cursor_floor, book.ack_begun);
        self.expect_cursor(consumer, cursor, floor, ack_begun);
    }

    fn expect_cursor(&mut self, consumer: ConsumerNo, cursor: u64, floor: u64, ceiling: u64) {
        let now = self.now;
        let book = &mut self.consumers[consumer];
        let is_manual = book.reading == Reading::Manual;
        let highest_acked = book.acked;
        if cursor >= floor {
            book.cursor.see(cursor, now);
        }
        let name = self.name(consumer);
        if cursor < floor {
            let text = format!("{name} is at {cursor} and was at {floor} (acknowledged: {highest_acked})");
            self.violation(Violation::CursorSteppedBack, &text);
        }
        if is_manual && cursor > ceiling {
            let text = format!("{name} is at {cursor}, and nothing above {ceiling} was acknowledged");
            self.violation(Violation::CursorRanAhead, &text);
        }
    }
}
