//! Several hubs: while one of them fails, the others serve, and channels may move.

use super::*;

const GAP: Gap = Gap { from: 10, to: 1_000, reason: GapReason::Restart };

fn history(mode: ReadMode, durable: bool) -> History {
    let mut history = History::new(mode, durable);
    history.oracle.is_cluster = true;
    history
}

#[test]
fn an_acknowledged_message_arrives_also_if_it_was_sent_during_a_fault() {
    let mut lost = history(ReadMode::Automatic, true);
    lost.broadcast(1, 10).record(Event::FaultBegun).broadcast(2, 20).record(Event::FaultEnded).read(&[(1, 10, 1)]);
    assert_eq!(lost.final_violations(), [Violation::Lost]);
    let mut lost = history(ReadMode::Automatic, false);
    lost.record(Event::FaultBegun).broadcast(1, 10).record(Event::FaultEnded).read(&[]);
    assert_eq!(lost.final_violations(), [Violation::Lost], "outside a gap");
    let mut reported = history(ReadMode::Automatic, false);
    let gap = Gap { from: 0, ..GAP };
    reported.record(Event::FaultBegun).broadcast(1, 10).record(Event::FaultEnded).read_with(&[], Some(gap));
    assert_eq!(reported.final_violations(), NONE);
}

#[test]
fn a_message_is_delivered_again_only_during_a_fault_and_with_a_higher_attempt() {
    let mut again = history(ReadMode::Automatic, true);
    again.broadcast(1, 10).read(&[(1, 10, 1)]).record(Event::FaultBegun).read(&[(1, 10, 2)]);
    assert_eq!(again.record(Event::FaultEnded).final_violations(), NONE);
    let mut first = history(ReadMode::Automatic, true);
    first.broadcast(1, 10).read(&[(1, 10, 1)]).record(Event::FaultBegun).read(&[(1, 10, 1)]);
    assert_eq!(first.final_violations(), [Violation::Duplicated]);
    let mut in_peace = history(ReadMode::Automatic, true);
    in_peace.broadcast(1, 10).read(&[(1, 10, 1)]).read(&[(1, 10, 2)]);
    assert_eq!(in_peace.final_violations(), [Violation::Duplicated]);
}

#[test]
fn a_hub_that_was_declared_dead_is_late_only_within_a_gap_of_a_memory_channel() {
    for (durable, expected) in [(false, &NONE[..]), (true, &[Violation::Reordered, Violation::IdDecreased])] {
        let mut late = history(ReadMode::Automatic, durable);
        late.broadcast(1, 10).read(&[(1, 10, 1)]).record(Event::FaultBegun);
        late.begin(2, None).begin(3, None).ack_send(3, 1_001, false);
        let gap = (!durable).then_some(GAP);
        late.read_with(&[(3, 1_001, 1)], gap).ack_send(2, 20, false).read(&[(2, 20, 1)]);
        late.broadcast(4, 30).read(&[(4, 30, 1)]).record(Event::FaultEnded);
        assert_eq!(late.final_violations(), expected, "{durable}");
    }
}

#[test]
fn a_hub_that_does_not_know_that_a_read_was_cut_off_may_deliver_to_it_until_the_next_one() {
    let cut = |mode| {
        let mut history = history(mode, true);
        history.record(Event::FaultBegun).begin_read().end_read(ReadEnd::Unavailable).record(Event::FaultEnded);
        history
    };
    for (mode, expected) in [(ReadMode::Automatic, &NONE[..]), (ReadMode::Manual, &[Violation::Lost])] {
        let mut before_next = cut(mode);
        before_next.broadcast(1, 10).read(&[]).broadcast(2, 20).read(&[(2, 20, 1)]);
        assert_eq!(before_next.final_violations(), expected, "{mode:?}");
    }
    let mut after_next = cut(ReadMode::Automatic);
    after_next.read(&[]).broadcast(1, 10).read(&[]);
    assert_eq!(after_next.final_violations(), [Violation::Lost]);
}

#[test]
fn a_request_has_a_response_unless_something_fails() {
    let mut failed = history(ReadMode::Automatic, true);
    let start = failed.oracle.request_start();
    failed.record(Event::FaultBegun).record(Event::RequestFailed { start, what: "a send".into() });
    let start = failed.oracle.request_start();
    failed.record(Event::RequestFailed { start, what: "a send".into() }).record(Event::FaultEnded);
    failed.record(Event::RequestFailed { start, what: "a send".into() });
    assert_eq!(failed.violations(), NONE);
    let start = failed.oracle.request_start();
    failed.record(Event::RequestFailed { start, what: "a send".into() });
    assert_eq!(failed.violations(), [Violation::Unanswered]);
}
