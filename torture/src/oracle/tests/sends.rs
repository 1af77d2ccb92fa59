//! Ids and idempotency: a message has one id, an id belongs to one message, and ids only grow.

use super::*;

#[test]
fn an_id_is_never_reused() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.begin(1, None).begin(2, None).ack_send(1, 10, false).ack_send(2, 10, false);
    assert_eq!(history.violations(), [Violation::IdReused]);
}

#[test]
fn d10_ids_never_decrease() {
    for durable in [true, false] {
        let mut history = History::new(ReadMode::Manual, durable);
        history.broadcast(1, 20).broadcast(2, 10);
        assert_eq!(history.violations(), [Violation::IdDecreased]);
        let mut history = History::new(ReadMode::Manual, durable);
        history.broadcast(1, 20).crash().broadcast(2, 10);
        assert_eq!(history.violations(), [Violation::IdDecreased], "after a restart, durable: {durable}");
    }
    let mut history = History::on_disk(ReadMode::Manual);
    history.begin(1, None).begin(2, None).ack_send(2, 20, false).ack_send(1, 10, false);
    assert_eq!(history.violations(), NONE, "both were in flight");
}

#[test]
fn a02_a_send_of_unknown_outcome_has_one_id() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.begin(1, None).crash().begin(1, None).ack_send(1, 10, true).read(&[(1, 10, 1)]);
    assert_eq!(history.final_violations(), NONE);
    assert_eq!((history.oracle.disk.repeated, history.oracle.disk.recognised), (1, 1));

    let mut history = History::on_disk(ReadMode::Manual);
    history.begin(1, None).read(&[(1, 10, 1)]).crash().begin(1, None).ack_send(1, 20, false);
    assert_eq!(history.violations(), [Violation::TwoIds], "it was delivered under another id");

    let mut history = History::on_disk(ReadMode::Manual);
    history.begin(1, None).crash().begin(1, None).ack_send(1, 20, false).read(&[(1, 10, 2), (1, 20, 1)]);
    assert_eq!(history.violations(), [Violation::TwoIds], "it is delivered under both");
}

#[test]
fn a02_a_repeated_send_is_reported_as_a_duplicate() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).begin(1, None).ack_send(1, 10, true);
    assert_eq!(history.violations(), NONE);
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).begin(1, None).ack_send(1, 10, false);
    assert_eq!(history.violations(), [Violation::DuplicateUnmarked]);
    let mut history = History::on_disk(ReadMode::Manual);
    history.begin(1, None).ack_send(1, 10, true);
    assert_eq!(history.violations(), [Violation::DuplicateUnmarked], "it is the first one");
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).crash().begin(1, None).ack_send(1, 20, false);
    assert_eq!(history.violations(), [Violation::TwoIds, Violation::DuplicateUnmarked], "the key was forgotten");
}

#[test]
fn a03_a_send_to_disk_is_reported_as_durable() {
    for (on_disk, expected) in [(true, vec![Violation::NotDurable]), (false, vec![])] {
        let mut history = History::new(ReadMode::Manual, on_disk);
        let message = history.message(1);
        history.begin(1, None).record(Event::SendAcked { message, id: 10, duplicate: false, durable: false });
        assert_eq!(history.violations(), expected);
    }
}

#[test]
fn a_request_without_a_response_is_a_violation_without_a_kill() {
    let failed = |start| Event::RequestFailed { start, what: "a send".into() };
    let mut history = History::on_disk(ReadMode::Manual);
    let start = history.oracle.request_start();
    assert_eq!(history.record(failed(start)).violations(), [Violation::Unanswered]);
    let mut history = History::on_disk(ReadMode::Manual);
    let start = history.oracle.request_start();
    assert_eq!(history.crash().record(failed(start)).violations(), NONE);
    let mut history = History::on_disk(ReadMode::Manual);
    let start = history.record(Event::Killed).oracle.request_start();
    assert_eq!(history.record(failed(start)).violations(), NONE, "it was down");
}
