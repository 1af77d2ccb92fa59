//! Tests of acknowledging: leases, attempts, consumers.

use crate::op::harness::{TestChannel, parse_draft, received};
use crate::op::{Ack, Consumers, ReadInput};
use crate::{AckMode, Code, GapReason, limits};

fn pair() -> TestChannel {
    let mut test = TestChannel::new();
    test.join("ann");
    test.join("bob");
    test
}

fn plain() -> ReadInput {
    ReadInput::default()
}

fn manual() -> ReadInput {
    ReadInput { ack_mode: AckMode::Leased { lease_ms: 10_000 }, ..plain() }
}

fn ack(test: &mut TestChannel, who: &str, upto: u64) -> Result<(usize, u64), Code> {
    let session = test.session(who);
    test.ask(Ack { session, consumer: None, upto }).map(|r| (r.acked, r.cursor)).map_err(|r| r.code)
}

fn cursor(test: &mut TestChannel, who: &str) -> u64 {
    let session = test.session(who);
    test.query(&Consumers { session }).unwrap().consumers[0].cursor
}

#[test]
fn a01_a_leased_message_is_skipped_by_other_reads_until_the_lease_ends() {
    let mut test = pair();
    let id = test.send("ann", "all", "work").id;
    assert_eq!(test.listen_with("bob", manual()).unwrap().texts, ["work"]);
    assert_eq!(cursor(&mut test, "bob"), 0);
    let waiter = test.park("bob", manual());
    assert_eq!(test.channel.next_deadline_ms(), Some(10_000));
    test.at(9_999);
    assert!(test.answer(waiter).is_none());
    test.at(10_000);
    let received = test.answered(waiter);
    assert_eq!((received.texts, received.attempts), (vec!["work".to_owned()], vec![2]));
    assert_eq!(ack(&mut test, "bob", id), Ok((1, id)));
    test.at(100_000);
    assert!(test.listen_with("bob", manual()).is_none());
}

#[test]
fn a01_a_lease_begins_when_the_response_is_delivered() {
    let mut test = pair();
    test.send("ann", "all", "work");
    let response = test.poll("bob", manual()).unwrap();
    test.at(8_000);
    test.take(response);
    let waiter = test.park("bob", manual());
    test.at(17_999);
    assert!(test.answer(waiter).is_none());
    test.at(18_000);
    assert_eq!(test.answered(waiter).attempts, [2]);
}

#[test]
fn a01_an_ack_is_cumulative() {
    let mut test = pair();
    test.send_many("ann", "all", 5);
    let first = test.channel.last_id() - 4;
    test.listen_with("bob", ReadInput { max: 3, ..manual() });
    assert_eq!(ack(&mut test, "bob", first + 3), Err(Code::Invalid), "above the highest delivered id");
    assert_eq!(ack(&mut test, "bob", first + 1), Ok((2, first + 1)));
    assert_eq!(ack(&mut test, "bob", first), Ok((0, first + 1)), "below the cursor it does nothing");
    test.at(20_000);
    let received = test.listen_with("bob", manual()).unwrap();
    assert_eq!((received.texts, received.attempts), (vec!["x3".into(), "x4".into(), "x5".into()], vec![2, 1, 1]));
}

#[test]
fn a01_a_late_ack_covers_a_message_that_is_being_redelivered() {
    let mut test = pair();
    let id = test.send("ann", "all", "work").id;
    test.listen_with("bob", manual());
    test.at(10_000);
    let again = test.poll("bob", manual()).unwrap();
    assert_eq!(ack(&mut test, "bob", id), Ok((1, id)));
    test.take(again);
    test.at(100_000);
    assert!(test.listen_with("bob", manual()).is_none());
}

#[test]
fn a01_a_read_can_acknowledge_the_previous_one() {
    let mut test = pair();
    let id = test.send("ann", "bob", "work").id;
    test.listen_with("bob", manual());
    assert_eq!(test.channel.held().0, 1, "held until it is acknowledged");
    assert!(test.listen_with("bob", ReadInput { ack_upto: Some(id), ..manual() }).is_none());
    assert_eq!((test.channel.held().0, cursor(&mut test, "bob")), (0, id));
    let refusal = test.try_poll("bob", ReadInput { ack_upto: Some(id + 1), ..manual() }).unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
}

#[test]
fn a01_a_status_is_never_leased_and_moves_no_manual_cursor() {
    let mut test = pair();
    let waiter = test.park("bob", manual());
    let status = parse_draft(&serde_json::json!({"text": "working", "kind": "status"})).unwrap();
    let id = test.try_send("ann", status).unwrap().id;
    let response = test.answer(waiter).unwrap();
    assert_eq!((received(&response).texts, response.guard.is_none()), (vec!["working".to_owned()], true));
    assert_eq!(ack(&mut test, "bob", id), Ok((0, 0)), "acknowledging it is not an error");
    test.at(60_000);
    assert!(test.listen_with("bob", manual()).is_none());
}

#[test]
fn a01_a_read_without_manual_acknowledges_what_it_returns() {
    let mut test = pair();
    test.send("ann", "all", "1");
    test.listen_with("bob", manual());
    test.send("ann", "all", "2");
    assert_eq!(test.listen("bob").unwrap().texts, ["2"], "leased messages are skipped");
    test.at(10_000);
    let received = test.listen("bob").unwrap();
    assert_eq!((received.texts, received.attempts), (vec!["1".to_owned()], vec![2]));
    test.at(50_000);
    assert!(test.listen("bob").is_none());
}

#[test]
fn a01_a_leased_message_is_not_lost_until_the_lease_ends() {
    let mut test = pair();
    let first = test.send("ann", "all", "1").id;
    test.listen_with("bob", manual());
    test.send_many("bob", "all", 100);
    test.send("ann", "all", "2");
    assert_eq!(test.listen_with("bob", manual()).unwrap().gap, None);
    test.at(10_000);
    let received = test.listen_with("bob", manual()).unwrap();
    assert_eq!((received.gap.map(|g| g.to), received.texts), (Some(first), vec!["2".to_owned()]));
}

#[test]
fn a01_a_manual_reader_gets_a_gap_with_messages_or_at_its_deadline() {
    let mut test = pair().restarted(GapReason::Restart);
    let waiter = test.park("bob", manual());
    test.at(30_000);
    let gap = test.answered(waiter).gap.unwrap();
    assert_eq!(ack(&mut test, "bob", gap.to), Ok((0, gap.to)));
    assert!(test.listen("bob").is_none());
}

#[test]
fn a01_the_unacknowledged_messages_of_a_consumer_are_bounded() {
    let mut test = pair();
    let long = ReadInput { ack_mode: AckMode::Leased { lease_ms: limits::LEASE_MAX_MS }, ..plain() };
    let mut given = 0;
    for _ in 0..15 {
        test.send_many("ann", "all", 100);
        given += test.listen_with("bob", long.clone()).map_or(0, |s| s.texts.len());
    }
    assert_eq!(given, limits::CLAIMS);
    let id = test.channel.last_id();
    assert_eq!(ack(&mut test, "bob", id - 500).map(|a| a.0), Ok(limits::CLAIMS));
    assert_eq!(test.listen_with("bob", long).unwrap().texts.len(), 100);
}
