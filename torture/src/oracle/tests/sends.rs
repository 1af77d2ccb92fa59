//! Ids and idempotency: one message has one id, one id has one message, and ids only go up.

use super::*;

#[test]
fn an_id_is_never_reused() {
    let mut history = History::on_disk(Reading::Manual);
    history.begin(1, None).begin(2, None).ack_send(1, 10, false).ack_send(2, 10, false);
    assert_eq!(history.found(), [Violation::IdReused]);
}

#[test]
fn d10_an_id_never_steps_back() {
    for durable in [true, false] {
        let mut history = History::new(Reading::Manual, durable);
        history.say(1, 20).say(2, 10);
        assert_eq!(history.found(), [Violation::IdSteppedBack]);
        let mut history = History::new(Reading::Manual, durable);
        history.say(1, 20).crash().say(2, 10);
        assert_eq!(history.found(), [Violation::IdSteppedBack], "not after a restart, on disk or not: {durable}");
    }
    let mut history = History::on_disk(Reading::Manual);
    history.begin(1, None).begin(2, None).ack_send(2, 20, false).ack_send(1, 10, false);
    assert_eq!(history.found(), NOTHING, "both were under way at once");
}

#[test]
fn a02_a_send_of_unknown_outcome_has_one_id() {
    let mut history = History::on_disk(Reading::Manual);
    history.begin(1, None).crash().begin(1, None).ack_send(1, 10, true).read(&[(1, 10, 1)]);
    assert_eq!(history.verdict(), NOTHING);
    assert_eq!((history.oracle.disk.repeated, history.oracle.disk.recognised), (1, 1));

    let mut history = History::on_disk(Reading::Manual);
    history.begin(1, None).read(&[(1, 10, 1)]).crash().begin(1, None).ack_send(1, 20, false);
    assert_eq!(history.found(), [Violation::TwoIds], "it was delivered under another id");

    let mut history = History::on_disk(Reading::Manual);
    history.begin(1, None).crash().begin(1, None).ack_send(1, 20, false).read(&[(1, 10, 2), (1, 20, 1)]);
    assert_eq!(history.found(), [Violation::TwoIds], "it comes under both");
}

#[test]
fn a02_a_repeated_send_says_that_it_is_one() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).begin(1, None).ack_send(1, 10, true);
    assert_eq!(history.found(), NOTHING);
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).begin(1, None).ack_send(1, 10, false);
    assert_eq!(history.found(), [Violation::DuplicateUnmarked]);
    let mut history = History::on_disk(Reading::Manual);
    history.begin(1, None).ack_send(1, 10, true);
    assert_eq!(history.found(), [Violation::DuplicateUnmarked], "it is the first one");
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).crash().begin(1, None).ack_send(1, 20, false);
    assert_eq!(history.found(), [Violation::TwoIds, Violation::DuplicateUnmarked], "the key was forgotten");
}

#[test]
fn a03_a_send_to_disk_says_that_it_is_durable() {
    for (on_disk, expected) in [(true, vec![Violation::NotDurable]), (false, vec![])] {
        let mut history = History::new(Reading::Manual, on_disk);
        let message_key = history.message_key(1);
        history.begin(1, None).hear(Event::SendAcked { message_key, id: 10, duplicate: false, durable: false });
        assert_eq!(history.found(), expected);
    }
}

#[test]
fn a_request_without_an_answer_needs_a_kill() {
    let failed = |began| Event::Failed { began, what: "a send".into() };
    let mut history = History::on_disk(Reading::Manual);
    let began = history.oracle.stamp();
    assert_eq!(history.hear(failed(began)).found(), [Violation::Unanswered]);
    let mut history = History::on_disk(Reading::Manual);
    let began = history.oracle.stamp();
    assert_eq!(history.crash().hear(failed(began)).found(), NOTHING);
    let mut history = History::on_disk(Reading::Manual);
    let began = history.hear(Event::Killed).oracle.stamp();
    assert_eq!(history.hear(failed(began)).found(), NOTHING, "it was down");
}
