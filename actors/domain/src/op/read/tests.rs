//! Tests of reading: parking, waking, gaps, held DMs, cursors and time.

use crate::op::harness::{TestChannel, draft, parse_draft, rules};
use crate::op::{Consumers, ReadInput};
use crate::{
    AckMode, AnswerReason, BacklogLimits, Channel, Code, ConsumerName, Durability, Entry, Gap, GapReason, Rules,
    Settings, TokenHash, limits,
};

fn pair() -> TestChannel {
    let mut test = TestChannel::new();
    test.join("ann");
    test.join("bob");
    test
}

fn plain() -> ReadInput {
    ReadInput::default()
}

fn since(id: u64) -> ReadInput {
    ReadInput { since: Some(id), ..plain() }
}

fn max(max: usize) -> ReadInput {
    ReadInput { max, ..plain() }
}

fn named(name: &str) -> ReadInput {
    ReadInput { consumer: Some(ConsumerName::parse(name).unwrap()), ..plain() }
}

fn cursor(test: &mut TestChannel, who: &str) -> u64 {
    let session = test.session(who);
    test.query(&Consumers { session }).unwrap().consumers[0].cursor
}

#[test]
fn d01_a_cancelled_poll_takes_no_message() {
    let mut test = pair();
    let waiter = test.park("bob", plain());
    test.cancel_wait(waiter);
    test.send("ann", "bob", "hi");
    assert!(test.answer(waiter).is_none());
    assert_eq!(test.listen("bob").unwrap().texts, ["hi"]);
}

#[test]
fn d02_a_dropped_response_returns_its_messages() {
    let mut test = pair();
    test.send("ann", "bob", "dm");
    test.send("ann", "all", "broadcast");
    let response = test.poll("bob", plain()).unwrap();
    assert!(test.listen("bob").is_none(), "messages in flight are not delivered twice");
    let waiting = test.park("bob", plain());
    test.drop_response(response);
    let received = test.answered(waiting);
    assert_eq!((received.texts, received.attempts), (vec!["dm".to_owned(), "broadcast".to_owned()], vec![1, 1]));
    assert!(test.listen("bob").is_none());
}

#[test]
fn d02_messages_of_an_older_response_returned_late_are_due() {
    let mut test = pair();
    test.send("ann", "all", "1");
    let first = test.poll("bob", plain()).unwrap();
    test.send("ann", "all", "2");
    assert_eq!(test.listen("bob").unwrap().texts, ["2"]);
    test.drop_response(first);
    assert_eq!(test.listen("bob").unwrap().texts, ["1"]);
    assert!(test.listen("bob").is_none());
}

#[test]
fn d04_a_second_poll_supersedes_the_first() {
    let mut test = pair();
    let first = test.park("bob", plain());
    let other = test.park("bob", named("other"));
    let second = test.park("bob", plain());
    assert_eq!(test.answered(first).reason, AnswerReason::Superseded);
    test.send("ann", "bob", "hi");
    assert_eq!(
        (test.answered(second).texts, test.answered(other).texts),
        (vec!["hi".to_owned()], vec!["hi".to_owned()])
    );
}

#[test]
fn d04_leaving_ends_a_parked_poll() {
    let mut test = pair();
    let waiter = test.park("bob", plain());
    let session = test.session("bob");
    test.ask(crate::op::Leave { session }).unwrap();
    assert_eq!(test.answered(waiter).reason, AnswerReason::TimedOut);
}

#[test]
fn a_poll_ends_at_its_deadline_and_not_before() {
    let mut test = pair();
    test.at(1_000);
    let waiter = test.park("bob", plain());
    assert_eq!(test.channel.next_deadline_ms(), Some(31_000));
    test.at(30_999);
    assert!(test.answer(waiter).is_none());
    test.at(31_000);
    assert_eq!(test.answered(waiter).reason, AnswerReason::TimedOut);
}

#[test]
fn d05_a_gap_is_reported_with_the_messages_after_it() {
    let mut test = pair();
    let first = test.send("ann", "all", "first").id;
    test.listen("bob");
    test.send_many("ann", "all", 103);
    let received = test.listen("bob").unwrap();
    assert_eq!(received.gap, Some(Gap { from: first, to: first + 3, reason: GapReason::Ring }));
    assert_eq!((received.texts.len(), received.texts[0].as_str()), (100, "x4"));
    assert!(test.listen("bob").is_none(), "reported once");
}

#[test]
fn d05_own_broadcasts_and_dms_of_others_are_no_gap() {
    let mut test = pair();
    test.join("cat");
    test.send_many("bob", "all", 150);
    test.listen("cat");
    test.send_many("cat", "all", 1);
    for _ in 0..2 {
        test.send_many("ann", "cat", 60);
        test.listen("cat");
    }
    let received = test.listen("bob").unwrap();
    assert_eq!(received.gap.map(|g| g.reason), Some(GapReason::Ring), "cat's broadcast is gone");
    test.send_many("bob", "all", 150);
    assert!(test.listen("bob").is_none(), "and bob's own are not missed");
}

#[test]
fn d05_a_new_member_gets_no_gap() {
    let mut test = pair();
    test.send_many("ann", "all", 150);
    test.join("new");
    let received = test.listen("new").unwrap();
    assert_eq!((received.gap, received.texts.len()), (None, 100));
    let received = test.listen_with("bob", named("new")).unwrap();
    assert_eq!((received.gap, received.texts.len()), (None, 100), "nor does a new consumer");
}

#[test]
fn d05_after_a_restart_each_earlier_member_gets_one_gap() {
    for loss in [GapReason::Restart, GapReason::Idle] {
        let mut test = pair();
        test.send("ann", "all", "lost");
        let above = test.channel.last_id() + 60_000;
        let mut test = test.restarted(loss);
        test.join("new");
        assert!(test.listen("new").is_none());
        test.send("ann", "all", "fresh");
        let received = test.listen("bob").unwrap();
        assert_eq!(received.gap, Some(Gap { from: 0, to: above, reason: loss }));
        assert_eq!(received.texts, ["fresh"]);
        assert_eq!(test.listen("ann").unwrap().gap.unwrap().reason, loss, "a gap alone is a response");
        assert!(test.listen("bob").is_none() && test.listen("ann").is_none());
    }
}

#[test]
fn d05_a_gap_is_reported_again_only_after_its_response_was_dropped() {
    let mut test = pair().restarted(GapReason::Restart);
    let response = test.poll("bob", plain()).unwrap();
    assert!(response.gap.is_some());
    let waiting = test.park("bob", plain());
    test.drop_response(response);
    assert!(test.answered(waiting).gap.is_some());
    assert!(test.listen("bob").is_none());
}

#[test]
fn d05_a_returned_message_that_is_evicted_becomes_a_gap() {
    let mut test = pair();
    let first = test.send("ann", "all", "1").id;
    let response = test.poll("bob", plain()).unwrap();
    test.send("ann", "all", "2");
    test.listen("bob");
    test.send_many("bob", "all", 100);
    test.drop_response(response);
    let response = test.poll("bob", plain()).unwrap();
    let gap = Some(Gap { from: first - 1, to: first, reason: GapReason::Ring });
    assert_eq!(response.gap, gap);
    test.drop_response(response);
    assert_eq!(test.listen("bob").unwrap().gap, gap, "the response was dropped, so the gap is reported again");
    assert!(test.listen("bob").is_none());
}

#[test]
fn d05_a_read_with_since_gets_the_gap_above_it() {
    let mut test = pair();
    let first = test.send("ann", "all", "1").id;
    test.send_many("ann", "all", 150);
    assert_eq!(test.listen_with("bob", since(first + 10)).unwrap().gap.unwrap().from, first + 10);
    assert_eq!(test.listen_with("bob", since(first + 120)).unwrap().gap, None);
    test.send_many("bob", "all", 100);
    let waiter = test.park("bob", since(first + 20));
    test.at(30_000);
    let received = test.answered(waiter);
    assert_eq!((received.reason, received.gap.map(|g| g.from)), (AnswerReason::TimedOut, Some(first + 20)));
}

#[test]
fn d06_since_skips_a_held_dm_and_never_drops_it() {
    let mut test = pair();
    let dm = test.send("ann", "bob", "dm").id;
    test.send("ann", "all", "later");
    assert_eq!(test.listen_with("bob", since(dm)).unwrap().texts, ["later"]);
    assert_eq!(cursor(&mut test, "bob"), dm + 1);
    assert_eq!(test.listen("bob").unwrap().texts, ["dm"], "even below the cursor");
    assert_eq!(cursor(&mut test, "bob"), dm + 1);
    assert!(test.listen("bob").is_none());
}

#[test]
fn d06_a_second_consumer_sees_a_dm_while_it_is_in_the_ring() {
    let mut test = pair();
    test.send("ann", "bob", "dm");
    assert_eq!(test.listen("bob").unwrap().texts, ["dm"]);
    assert_eq!(test.listen_with("bob", named("b")).unwrap().texts, ["dm"]);
    test.send_many("ann", "all", 100);
    assert!(!test.listen_with("bob", named("c")).unwrap().texts.contains(&"dm".to_owned()));
}

#[test]
fn d06_reads_merge_held_dms_and_the_ring_and_return_100_at_once() {
    let mut test = pair();
    test.send_many("ann", "bob", 30);
    test.send_many("ann", "all", 90);
    test.send_many("ann", "bob", 5);
    let first = test.listen("bob").unwrap();
    let second = test.listen("bob").unwrap();
    assert_eq!((first.ids.len(), second.ids.len()), (100, 25));
    assert!(first.ids.iter().chain(&second.ids).is_sorted_by(|a, b| a < b));
    assert_eq!(test.channel.held(), (0, 0));
}

#[test]
fn d09_a_woken_poll_returns_all_due_messages() {
    let mut test = pair();
    test.send("ann", "all", "1");
    test.send("ann", "all", "2");
    let response = test.poll("bob", plain()).unwrap();
    let waiter = test.park("bob", plain());
    test.drop_response(response);
    assert_eq!(test.answered(waiter).texts, ["1", "2"]);
}

#[test]
fn d09_live_delivery_respects_since() {
    let mut test = pair();
    let waiter = test.park("bob", since(test.now.at_ms + 1));
    let status = parse_draft(&serde_json::json!({"text": "s", "kind": "status"})).unwrap();
    test.send("ann", "all", "0");
    test.try_send("ann", status.clone()).unwrap();
    assert!(test.answer(waiter).is_none());
    test.send("ann", "all", "2");
    assert_eq!(test.answered(waiter).texts, ["2"]);
    let waiter = test.park("bob", since(test.now.at_ms + 1_000));
    test.try_send("ann", status).unwrap();
    assert!(test.answer(waiter).is_none());
}

#[test]
fn the_cursor_moves_to_the_last_id_returned_and_never_back() {
    let mut test = pair();
    let first = test.send("ann", "all", "1").id;
    test.send("ann", "all", "2");
    test.send("ann", "all", "3");
    assert_eq!(test.listen_with("bob", since(first + 1)).unwrap().texts, ["3"]);
    assert!(test.listen("bob").is_none(), "what since skipped is acknowledged");
    assert_eq!(test.listen_with("bob", since(0)).unwrap().texts, ["1", "2", "3"]);
    assert_eq!(cursor(&mut test, "bob"), first + 2);
    assert!(test.listen_with("bob", since(first + 100)).is_none());
    assert_eq!(cursor(&mut test, "bob"), first + 2);
}

#[test]
fn a_dropped_reread_does_not_make_acknowledged_messages_due() {
    let mut test = pair();
    test.send("ann", "all", "1");
    test.listen("bob");
    let response = test.poll("bob", since(0)).unwrap();
    test.drop_response(response);
    assert!(test.listen("bob").is_none());
}

#[test]
fn max_returns_the_oldest_first() {
    let mut test = pair();
    test.send_many("ann", "all", 5);
    assert_eq!(test.listen_with("bob", max(2)).unwrap().texts, ["x1", "x2"]);
    assert_eq!(test.listen_with("bob", max(0)).unwrap().texts, ["x3"], "at least one");
    assert_eq!(test.listen("bob").unwrap().texts, ["x4", "x5"]);
}

#[test]
fn a_member_receives_neither_its_own_messages_nor_dms_of_others() {
    let mut test = pair();
    test.join("cat");
    test.send("ann", "all", "mine");
    test.send("bob", "cat", "theirs");
    test.send("ann", "ann", "note to self");
    assert!(test.listen("ann").is_none());
    let waiter = test.park("ann", plain());
    test.send("ann", "ann", "again");
    assert!(test.answer(waiter).is_none());
}

#[test]
fn a_stream_and_a_parked_poll_of_one_consumer_both_get_a_live_message() {
    let mut test = pair();
    let stream = test.open("bob", plain());
    let poll = test.park("bob", plain());
    test.send("ann", "all", "hi");
    assert_eq!(test.answered(poll).texts, ["hi"]);
    assert_eq!(test.events(stream), ["hello 0", "hi"]);
    assert!(test.listen("bob").is_none());
}

#[test]
fn d30_a_member_has_8_consumers() {
    let mut test = pair();
    for n in 1..limits::CONSUMERS {
        assert!(test.listen_with("bob", named(&format!("c{n}"))).is_none());
    }
    assert_eq!(test.try_poll("bob", named("one-more")).unwrap_err().code, Code::LimitReached);
    assert!(test.listen_with("bob", named("c1")).is_none());
}

#[test]
fn reading_needs_a_session() {
    let mut test = pair();
    let session = test.session("bob");
    test.ask(crate::op::Leave { session }).unwrap();
    assert_eq!(test.try_poll("bob", plain()).unwrap_err().code, Code::SessionExpired);
    test.at(limits::TOMBSTONE_MS);
    assert_eq!(test.try_poll("bob", plain()).unwrap_err().code, Code::NotJoined);
}

#[test]
fn a_draining_channel_parks_no_poll() {
    let mut test = pair();
    let waiter = test.park("bob", plain());
    let mut effects = crate::Effects::default();
    test.channel.drain(test.now, &mut effects);
    test.carry(effects);
    assert_eq!(test.answered(waiter).reason, AnswerReason::Draining);
    assert_eq!(test.listen("bob").unwrap().reason, AnswerReason::Draining);
    test.send("ann", "bob", "last words");
    assert_eq!(test.listen("bob").unwrap().texts, ["last words"]);
}

#[test]
fn a_poll_keeps_its_session_alive() {
    let rules = rules();
    let settings = Settings { session_ttl_ms: 5_000, ..Settings::plain(TokenHash::of("t"), 0) };
    let mut test = TestChannel::opened(settings, rules, 0, None);
    test.join("ann");
    let bob = test.join_request(Some("bob"), None);
    test.ask(bob).unwrap();
    let waiter = test.park("ann", plain());
    test.at(29_999);
    assert_eq!(test.channel.live_members(), 1);
    test.at(30_000);
    assert_eq!(test.answered(waiter).reason, AnswerReason::TimedOut);
    test.at(34_999);
    assert_eq!(test.channel.live_members(), 1);
    test.at(35_000);
    assert_eq!(test.channel.live_members(), 0);
    assert_eq!(test.try_send("ann", draft("all", "hi")).unwrap_err().code, Code::SessionExpired);
}

#[test]
fn a01_a_replay_drops_the_claims_of_reported_gaps() {
    let settings = Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("t"), 0) };
    let rules = Rules { backlog: BacklogLimits { messages: 100, bytes: 1 << 30 }, ..rules() };
    let mut test = TestChannel::opened(settings, rules, 0, None);
    let _ = ["ann", "bob"].map(|callsign| test.join(callsign));
    for _ in 0..12 {
        test.send_many("ann", "all", 100);
        let leased = ReadInput { ack_mode: AckMode::Leased { lease_ms: 1000 }, ..plain() };
        assert_eq!(test.listen_with("bob", leased.clone()).unwrap().ids.len(), 100);
        test.send_many("ann", "all", 100);
        test.at(test.now.uptime_ms + 2000);
        assert!(test.listen_with("bob", leased).unwrap().gap.is_some());
        test.at(test.now.uptime_ms + 2000);
    }
    let mut again = TestChannel::opened(test.channel.settings().clone(), test.channel.rules.clone(), 0, None).channel;
    let log = serde_json::to_string(&test.log).unwrap();
    again.replay(serde_json::from_str::<Vec<Entry>>(&log).unwrap().iter(), test.now);
    let claims = |channel: &Channel| channel.members[&2].consumers[0].claims().len();
    assert_eq!(claims(&again), claims(&test.channel));
}
