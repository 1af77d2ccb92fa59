//! Acks, cursors and receipts: what was acknowledged stays so, and nothing goes back.

use super::*;

#[test]
fn a01_what_was_acknowledged_never_comes_again() {
    for crashes in [false, true] {
        let mut history = History::on_disk(Reading::Manual);
        history.say(1, 10).read(&[(1, 10, 1)]).ack(10).pass(LONG_MS);
        if crashes {
            history.crash();
        }
        assert_eq!(history.read(&[(1, 10, 2)]).verdict(), [Violation::AckForgotten], "crash: {crashes}");
    }
}

#[test]
fn an_ack_of_a_hand_over_the_crash_has_taken_may_be_refused() {
    let refused = |consumer| Event::AckRefused { consumer, upto: 10, answer: "400".into() };
    let mut history = History::on_disk(Reading::Manual);
    let consumer = history.default_consumer;
    history.say(1, 10).read(&[(1, 10, 1)]).hear(refused(consumer));
    assert_eq!(history.found(), [Violation::AckRefused]);
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).crash().hear(refused(consumer));
    assert_eq!(history.found(), NOTHING);
    assert_eq!(history.oracle.disk.acks_void, 1);
}

#[test]
fn a_cursor_never_steps_back_below_an_acknowledged_ack() {
    for crashes in [false, true] {
        let mut history = History::on_disk(Reading::Manual);
        history.say(1, 10).say(2, 20).read(&[(1, 10, 1), (2, 20, 1)]).ack(20);
        if crashes {
            history.crash();
        }
        assert_eq!(history.see_cursor(10).found(), [Violation::CursorSteppedBack], "crash: {crashes}");
    }
    let mut history = History::on_disk(Reading::Manual);
    let consumer = history.default_consumer;
    history.say(1, 10).read(&[(1, 10, 1)]).hear(Event::AckBegun { consumer, upto: 10 });
    history.hear(Event::AckDone { consumer, upto: 10, cursor: Some(9) });
    assert_eq!(history.found(), [Violation::CursorSteppedBack], "the reply itself says so");
}

#[test]
fn a_cursor_that_was_asked_for_before_the_ack_need_not_show_it() {
    let mut history = History::on_disk(Reading::Manual);
    let consumer = history.default_consumer;
    history.say(1, 10).read(&[(1, 10, 1)]).hear(Event::CursorAsked { consumer }).ack(10);
    assert_eq!(history.hear(Event::CursorSeen { consumer, cursor: 0 }).found(), NOTHING);
}

#[test]
fn a01_only_acks_move_a_manual_cursor() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).see_cursor(10);
    assert_eq!(history.found(), [Violation::CursorRanAhead]);
    let mut history = History::on_disk(Reading::Automatic);
    assert_eq!(history.say(1, 10).read(&[(1, 10, 1)]).see_cursor(10).found(), NOTHING);
}

#[test]
fn an_automatic_cursor_stays_once_it_had_time_to_settle() {
    let seen_at = |seq, id| {
        let mut history = History::on_disk(Reading::Automatic);
        history.say(seq, id).read(&[(seq, id, 1)]).see_cursor(id);
        history
    };
    let mut history = seen_at(1, 10);
    assert_eq!(history.see_cursor(0).found(), [Violation::CursorSteppedBack], "within one life");
    let mut history = seen_at(1, 10);
    assert_eq!(history.crash().see_cursor(0).found(), NOTHING, "a hand-over just before the kill may be forgotten");
    let mut history = seen_at(1, 10);
    assert_eq!(history.pass(LONG_MS).crash().see_cursor(0).found(), NOTHING, "nothing vouched for it");
    let mut history = seen_at(1, 10);
    history.say(2, 20).pass(LONG_MS).crash().see_cursor(0);
    assert_eq!(history.found(), [Violation::CursorSteppedBack], "a later send was on disk long before the kill");
}

#[test]
fn a_memory_channel_starts_its_cursors_anew() {
    let mut history = History::in_memory(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).ack(10).crash().see_cursor(0);
    assert_eq!(history.found(), NOTHING);
}

#[test]
fn a04_a_receipt_never_goes_back() {
    for (before, after) in [(State::Acked, State::Delivered), (State::Delivered, State::Queued)] {
        let mut history = History::on_disk(Reading::Automatic);
        history.tell(1, 10).see_receipt(1, before).see_receipt(1, after);
        assert_eq!(history.found(), [Violation::ReceiptSteppedBack], "{before:?} then {after:?}");
    }
    let mut history = History::on_disk(Reading::Automatic);
    history.tell(1, 10).see_receipt(1, State::Acked).crash().see_receipt(1, State::Delivered);
    assert_eq!(history.found(), [Violation::ReceiptSteppedBack], "acks outlive a crash at once");
    let mut history = History::on_disk(Reading::Automatic);
    history.tell(1, 10).see_receipt(1, State::Delivered).crash().see_receipt(1, State::Queued);
    assert_eq!(history.found(), NOTHING, "a hand-over just before the kill may be forgotten");
    let mut history = History::on_disk(Reading::Automatic);
    history.tell(1, 10).see_receipt(1, State::Delivered).say(2, 20).pass(LONG_MS).crash();
    assert_eq!(history.see_receipt(1, State::Queued).found(), [Violation::ReceiptSteppedBack]);
    let mut history = History::on_disk(Reading::Automatic);
    assert_eq!(history.tell(1, 10).see_receipt(1, State::Expired).found(), [Violation::ReceiptSteppedBack]);
}

#[test]
fn a04_a_receipt_knows_what_its_reader_knows() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).see_receipt(1, State::Queued);
    assert_eq!(history.found(), [Violation::ReceiptSteppedBack], "bob has read it");
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).ack(10).crash().see_receipt(1, State::Delivered);
    assert_eq!(history.found(), [Violation::ReceiptSteppedBack], "bob has acknowledged it");
}

#[test]
fn a04_receipts_and_their_attempts_do_not_vanish() {
    let mut history = History::on_disk(Reading::Manual);
    let message_key = history.message_key(1);
    history.tell(1, 10).crash().hear(Event::ReceiptsMissing { message_key });
    assert_eq!(history.found(), [Violation::ReceiptMissing]);
    let mut history = History::on_disk(Reading::Manual);
    history.tell(1, 10).hear(Event::ReceiptsSeen { message_key, receipts: Vec::new() });
    assert_eq!(history.found(), [Violation::ReceiptMissing]);
    let mut history = History::in_memory(Reading::Manual);
    history.tell(1, 10).crash().hear(Event::ReceiptsMissing { message_key });
    assert_eq!(history.found(), NOTHING, "it went with the memory");
    let mut history = History::on_disk(Reading::Manual);
    history.tell(1, 10);
    for count in [2, 1] {
        let receipts = vec![Receipt { to: "bob".into(), state: State::Delivered, attempts: Some(count) }];
        history.hear(Event::ReceiptsSeen { message_key, receipts });
    }
    assert_eq!(history.found(), [Violation::ReceiptSteppedBack], "fewer attempts than before");
}
