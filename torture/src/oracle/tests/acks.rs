//! Acks, cursors and receipts: an ack is permanent, and cursors and receipts never move back.

use super::*;

#[test]
fn a01_an_acknowledged_message_is_never_delivered_again() {
    for crashes in [false, true] {
        let mut history = History::on_disk(ReadMode::Manual);
        history.broadcast(1, 10).read(&[(1, 10, 1)]).ack(10).wait(LONG_MS);
        if crashes {
            history.crash();
        }
        assert_eq!(history.read(&[(1, 10, 2)]).final_violations(), [Violation::AckForgotten], "crash: {crashes}");
    }
}

#[test]
fn an_ack_of_a_delivery_that_was_forgotten_in_a_crash_may_be_refused() {
    let refused = |consumer| Event::AckRefused { consumer, upto: 10, response: "400".into() };
    let mut history = History::on_disk(ReadMode::Manual);
    let consumer = history.default_consumer;
    history.broadcast(1, 10).read(&[(1, 10, 1)]).record(refused(consumer));
    assert_eq!(history.violations(), [Violation::AckRefused]);
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).crash().record(refused(consumer));
    assert_eq!(history.violations(), NONE);
    assert_eq!(history.oracle.disk.acks_void, 1);
}

#[test]
fn a_cursor_never_moves_back_below_an_ack() {
    for crashes in [false, true] {
        let mut history = History::on_disk(ReadMode::Manual);
        history.broadcast(1, 10).broadcast(2, 20).read(&[(1, 10, 1), (2, 20, 1)]).ack(20);
        if crashes {
            history.crash();
        }
        assert_eq!(history.observe_cursor(10).violations(), [Violation::CursorMovedBack], "crash: {crashes}");
    }
    let mut history = History::on_disk(ReadMode::Manual);
    let consumer = history.default_consumer;
    history.broadcast(1, 10).read(&[(1, 10, 1)]).record(Event::AckBegun { consumer, upto: 10 });
    history.record(Event::AckDone { consumer, upto: 10, cursor: Some(9) });
    assert_eq!(history.violations(), [Violation::CursorMovedBack], "in the response itself");
}

#[test]
fn a_cursor_requested_before_an_ack_need_not_include_it() {
    let mut history = History::on_disk(ReadMode::Manual);
    let consumer = history.default_consumer;
    history.broadcast(1, 10).read(&[(1, 10, 1)]).record(Event::CursorRequested { consumer }).ack(10);
    assert_eq!(history.record(Event::CursorReceived { consumer, cursor: 0 }).violations(), NONE);
}

#[test]
fn a01_only_acks_move_a_manual_cursor() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).observe_cursor(10);
    assert_eq!(history.violations(), [Violation::CursorAheadOfAcks]);
    let mut history = History::on_disk(ReadMode::Automatic);
    assert_eq!(history.broadcast(1, 10).read(&[(1, 10, 1)]).observe_cursor(10).violations(), NONE);
}

#[test]
fn an_automatic_cursor_is_durable_once_it_is_settled() {
    let seen_at = |seq, id| {
        let mut history = History::on_disk(ReadMode::Automatic);
        history.broadcast(seq, id).read(&[(seq, id, 1)]).observe_cursor(id);
        history
    };
    let mut history = seen_at(1, 10);
    assert_eq!(history.observe_cursor(0).violations(), [Violation::CursorMovedBack], "within one boot");
    let mut history = seen_at(1, 10);
    assert_eq!(
        history.crash().observe_cursor(0).violations(),
        NONE,
        "a delivery just before the kill may be forgotten"
    );
    let mut history = seen_at(1, 10);
    assert_eq!(
        history.wait(LONG_MS).crash().observe_cursor(0).violations(),
        NONE,
        "no later send proves that it was written"
    );
    let mut history = seen_at(1, 10);
    history.broadcast(2, 20).wait(LONG_MS).crash().observe_cursor(0);
    assert_eq!(history.violations(), [Violation::CursorMovedBack], "a later send was on disk long before the kill");
}

#[test]
fn a_memory_channel_loses_its_cursors_in_a_crash() {
    let mut history = History::in_memory(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).ack(10).crash().observe_cursor(0);
    assert_eq!(history.violations(), NONE);
}

#[test]
fn a04_a_receipt_never_moves_back() {
    for (before, after) in
        [(ReceiptState::Acked, ReceiptState::Delivered), (ReceiptState::Delivered, ReceiptState::Queued)]
    {
        let mut history = History::on_disk(ReadMode::Automatic);
        history.direct(1, 10).observe_receipt(1, before).observe_receipt(1, after);
        assert_eq!(history.violations(), [Violation::ReceiptMovedBack], "{before:?} then {after:?}");
    }
    let mut history = History::on_disk(ReadMode::Automatic);
    history.direct(1, 10).observe_receipt(1, ReceiptState::Acked).crash().observe_receipt(1, ReceiptState::Delivered);
    assert_eq!(history.violations(), [Violation::ReceiptMovedBack], "acks survive a crash at once");
    let mut history = History::on_disk(ReadMode::Automatic);
    history.direct(1, 10).observe_receipt(1, ReceiptState::Delivered).crash().observe_receipt(1, ReceiptState::Queued);
    assert_eq!(history.violations(), NONE, "a delivery just before the kill may be forgotten");
    let mut history = History::on_disk(ReadMode::Automatic);
    history.direct(1, 10).observe_receipt(1, ReceiptState::Delivered).broadcast(2, 20).wait(LONG_MS).crash();
    assert_eq!(history.observe_receipt(1, ReceiptState::Queued).violations(), [Violation::ReceiptMovedBack]);
    let mut history = History::on_disk(ReadMode::Automatic);
    assert_eq!(
        history.direct(1, 10).observe_receipt(1, ReceiptState::Expired).violations(),
        [Violation::ReceiptMovedBack]
    );
}

#[test]
fn a04_a_receipt_includes_what_its_reader_has_received() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).observe_receipt(1, ReceiptState::Queued);
    assert_eq!(history.violations(), [Violation::ReceiptMovedBack], "bob has read it");
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).ack(10).crash().observe_receipt(1, ReceiptState::Delivered);
    assert_eq!(history.violations(), [Violation::ReceiptMovedBack], "bob has acknowledged it");
}

#[test]
fn a04_receipts_and_their_attempts_are_not_lost() {
    let mut history = History::on_disk(ReadMode::Manual);
    let message = history.message(1);
    history.direct(1, 10).crash().record(Event::ReceiptsMissing { message });
    assert_eq!(history.violations(), [Violation::ReceiptMissing]);
    let mut history = History::on_disk(ReadMode::Manual);
    history.direct(1, 10).record(Event::ReceiptsReceived { message, receipts: Vec::new() });
    assert_eq!(history.violations(), [Violation::ReceiptMissing]);
    let mut history = History::in_memory(ReadMode::Manual);
    history.direct(1, 10).crash().record(Event::ReceiptsMissing { message });
    assert_eq!(history.violations(), NONE, "it was in memory");
    let mut history = History::on_disk(ReadMode::Manual);
    history.direct(1, 10);
    for count in [2, 1] {
        let receipts = vec![Receipt { to: "bob".into(), state: ReceiptState::Delivered, attempts: Some(count) }];
        history.record(Event::ReceiptsReceived { message, receipts });
    }
    assert_eq!(history.violations(), [Violation::ReceiptMovedBack], "fewer attempts than before");
}
