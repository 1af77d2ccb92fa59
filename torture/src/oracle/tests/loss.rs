//! Loss: an acknowledged message is delivered, covered by a gap, or one of the few that a crash may lose.

use super::*;

fn restart_gap(from: u64, to: u64) -> Option<Gap> {
    Some(Gap { from, to, reason: Reason::Restart })
}

#[test]
fn an_acknowledged_message_that_never_comes_is_lost() {
    for reading in [Reading::Automatic, Reading::Resuming, Reading::Manual] {
        for durable in [true, false] {
            let mut history = History::new(reading, durable);
            assert_eq!(history.say(1, 10).read(&[]).verdict(), [Violation::Lost], "{reading:?} {durable}");
            let mut history = History::new(reading, durable);
            assert_eq!(history.tell(1, 10).read(&[]).verdict(), [Violation::Lost], "{reading:?} {durable}");
        }
    }
}

#[test]
fn a_crash_between_reads_takes_nothing_from_disk() {
    for reading in [Reading::Automatic, Reading::Resuming, Reading::Manual] {
        let mut history = History::on_disk(reading);
        history.say(1, 10).crash().read(&[]);
        assert_eq!(history.verdict(), [Violation::Lost], "{reading:?}");
        let mut history = History::on_disk(reading);
        history.say(1, 10).crash().read(&[(1, 10, 1)]);
        assert_eq!(history.verdict(), NOTHING, "{reading:?}");
    }
}

#[test]
fn d02_an_automatic_read_that_was_cut_off_may_have_had_it() {
    let mut history = History::on_disk(Reading::Automatic);
    history.say(1, 10).crash_during_read().say(2, 20).read(&[(2, 20, 1)]);
    assert_eq!(history.verdict(), NOTHING);
    assert_eq!(history.oracle.disk.unconfirmed, 1);
}

#[test]
fn a01_a_manual_read_that_was_cut_off_gives_everything_back() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).crash_during_read().say(2, 20).read(&[(2, 20, 1)]);
    assert_eq!(history.verdict(), [Violation::Lost]);
}

#[test]
fn d03_a_stream_that_resumes_gets_its_broadcasts_again() {
    let mut history = History::on_disk(Reading::Resuming);
    history.say(1, 10).crash_during_read().read(&[]);
    assert_eq!(history.verdict(), [Violation::Lost]);
    let mut history = History::on_disk(Reading::Resuming);
    history.tell(1, 10).crash_during_read().read(&[]);
    assert_eq!(history.verdict(), NOTHING, "a direct message was delivered, as far as the hub knows");
    assert_eq!(history.oracle.disk.unconfirmed, 1);
}

#[test]
fn a_cut_read_excuses_only_what_it_can_have_carried() {
    let mut history = History::on_disk(Reading::Automatic);
    history.say(1, 10).say(2, 20).read(&[(2, 20, 1)]).crash_during_read();
    assert_eq!(history.verdict(), [Violation::Lost], "10 was passed over long before the kill");
    let mut history = History::on_disk(Reading::Automatic);
    history.crash_during_read().say(1, 10).read(&[]);
    assert_eq!(history.verdict(), [Violation::Lost], "10 was sent after the kill");
    let mut history = History::on_disk(Reading::Automatic);
    history.say(1, 10).begin_read().end_read(End::Cut { glimpsed: vec![10] });
    assert_eq!(history.verdict(), [Violation::Lost, Violation::Unanswered], "nobody killed the hub");
    let mut history = History::on_disk(Reading::Automatic);
    history.say(1, 10).hear(Event::Killed).begin_read().end_read(End::Cut { glimpsed: vec![] });
    assert_eq!(history.verdict(), [Violation::Lost], "a read of a hub that is down carries nothing");
}

#[test]
fn a_refused_or_abandoned_send_need_not_arrive_but_an_open_one_is_a_violation() {
    let mut history = History::on_disk(Reading::Manual);
    let message_key = history.message_key(1);
    history.begin(1, None).hear(Event::SendRefused { message_key });
    let message_key = history.message_key(2);
    history.begin(2, None).hear(Event::SendAbandoned { message_key });
    assert_eq!(history.verdict(), NOTHING);
    assert_eq!(history.begin(3, None).verdict(), [Violation::Unfinished]);
}

#[test]
fn d05_a_reported_gap_is_no_loss() {
    let mut history = History::in_memory(Reading::Automatic);
    history.say(1, 10).say(2, 20).crash().read_with(&[], restart_gap(10, 20));
    assert_eq!(history.verdict(), [Violation::Lost], "10 lies outside");
    let mut history = History::in_memory(Reading::Automatic);
    history.say(1, 10).say(2, 20).crash().read_with(&[], restart_gap(0, 20));
    assert_eq!(history.verdict(), NOTHING);
    assert_eq!(history.oracle.memory.in_gap, 2);
}

#[test]
fn d05_a_gap_covers_broadcasts_only() {
    let mut history = History::in_memory(Reading::Automatic);
    history.tell(1, 10).read_with(&[], Some(Gap { from: 0, to: 10, reason: Reason::Ring }));
    assert_eq!(history.verdict(), [Violation::Lost, Violation::GapNeedless]);
    let mut history = History::in_memory(Reading::Automatic);
    history.tell(1, 10).crash().read(&[]);
    assert_eq!(history.verdict(), NOTHING, "a memory channel's direct messages end with it");
    assert_eq!(history.oracle.memory.forgotten, 1);
}

#[test]
fn d05_a_restart_of_a_memory_channel_is_reported_once() {
    let mut history = History::in_memory(Reading::Manual);
    history.say(1, 10).crash().read(&[]);
    assert_eq!(history.found(), [Violation::GapMissing]);
    let mut history = History::in_memory(Reading::Automatic);
    history.say(1, 10).crash().read_with(&[], restart_gap(0, 10)).read_with(&[], restart_gap(0, 10));
    assert_eq!(history.found(), [Violation::GapRepeated]);
    let mut history = History::in_memory(Reading::Manual);
    history.say(1, 10).crash().read_with(&[], restart_gap(0, 10)).read_with(&[], restart_gap(0, 10));
    assert_eq!(history.verdict(), NOTHING, "until it acknowledges something above");
    let mut history = History::in_memory(Reading::Manual);
    history.say(1, 10).crash().read_with(&[], restart_gap(0, 10)).crash().read_with(&[], restart_gap(10, 10));
    assert_eq!(history.verdict(), NOTHING, "once for each restart");
}

#[test]
fn a_gap_where_nothing_can_be_missing_is_needless() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).crash().read_with(&[], restart_gap(0, 10));
    assert_eq!(history.verdict(), [Violation::GapNeedless], "a disk channel does not lose by a restart");
    let ring = |to| Some(Gap { from: 0, to, reason: Reason::Ring });
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read_with(&[], ring(10));
    assert_eq!(history.found(), [Violation::GapNeedless]);
    let mut history = History::in_memory(Reading::Manual);
    for seq in 1..=110 {
        history.say(seq, seq * 10);
    }
    let rest = (11..=110).map(|seq| (seq, seq * 10, 1)).collect::<Vec<_>>();
    history.read_with(&rest, ring(100));
    assert_eq!(history.verdict(), NOTHING, "100 are held, ten were pushed out");
}

#[test]
fn d06_a_direct_message_needs_one_consumer_and_a_broadcast_each() {
    let with_two = || {
        let mut history = History::on_disk(Reading::Automatic);
        let second_consumer = history.oracle.consumer(history.bob, "tape", Reading::Manual);
        (history, second_consumer)
    };
    let (mut history, _) = with_two();
    assert_eq!(history.tell(1, 10).read(&[(1, 10, 1)]).verdict(), NOTHING);
    let (mut history, second_consumer) = with_two();
    history.say(1, 10).read(&[(1, 10, 1)]);
    history.default_consumer = second_consumer;
    assert_eq!(history.verdict(), [Violation::Lost]);
}
