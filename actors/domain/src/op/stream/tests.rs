//! Tests of streams: bounds, lagging, resuming, manual streams and how they end.

use crate::op::harness::{TestChannel, parse_draft};
use crate::op::{Ack, Evict, Leave, ReadInput};
use crate::{AckMode, Callsign, ConsumerName, GapReason, limits};

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

fn manual(max: usize) -> ReadInput {
    ReadInput { ack_mode: AckMode::Streamed, max, ..plain() }
}

fn ack(test: &mut TestChannel, upto: u64) -> usize {
    let session = test.session("bob");
    test.ask(Ack { session, consumer: None, upto }).unwrap().acked
}

#[test]
fn a_stream_sends_hello_then_due_messages_then_new_ones() {
    let mut test = pair();
    test.send("ann", "bob", "dm");
    test.send("ann", "all", "broadcast");
    let stream = test.open("bob", plain());
    assert_eq!(test.events(stream), ["hello 2", "dm", "broadcast"]);
    test.send("ann", "all", "live");
    assert_eq!(test.events(stream), ["live"]);
    assert!(test.listen("bob").is_none());
}

#[test]
fn d02_events_that_a_cut_stream_did_not_take_are_unread() {
    let mut test = pair();
    let stream = test.open("bob", plain());
    test.send_many("ann", "all", 3);
    test.send("ann", "bob", "dm");
    assert_eq!(test.take_events(stream, 2), ["hello 0", "x1"]);
    let poll = test.park("bob", plain());
    test.cut(stream);
    let received = test.answered(poll);
    assert_eq!((received.texts.join(" "), received.attempts), ("x2 x3 dm".to_owned(), vec![1; 3]));
    assert!(test.listen("bob").is_none());
}

#[test]
fn d02_a_reader_256_events_behind_is_lagged() {
    let mut test = pair();
    let stream = test.open("bob", plain());
    assert_eq!(test.take_events(stream, 1), ["hello 0"]);
    test.send("ann", "all", "taken");
    assert_eq!(test.take_events(stream, 1), ["taken"]);
    let taken = test.channel.last_id();
    test.send_many("ann", "all", limits::STREAM_EVENTS);
    assert_eq!((test.queued(stream).0, test.ended(stream)), (limits::STREAM_EVENTS, None));
    test.send("ann", "all", "too much");
    assert_eq!(test.ended(stream).unwrap(), format!("lagged {taken}"));
    assert!(!test.channel.is_waiting(crate::WaiterId(1)));
    let received = test.listen("bob").unwrap();
    assert_eq!(
        received.gap.map(|g| (g.from, g.to)),
        Some((taken, taken + 157)),
        "all events are unread, and the ring has evicted some"
    );
    assert_eq!(received.texts.len(), 100);
}

#[test]
fn d02_a_reader_1_mib_behind_is_lagged() {
    let mut test = pair();
    let stream = test.open("bob", plain());
    test.events(stream);
    let file = serde_json::json!({"mime": "image/png", "data_base64": "A".repeat(500_000)});
    let big = parse_draft(&serde_json::json!({"to": "bob", "attachments": [file], "text": "big"})).unwrap();
    for _ in 0..2 {
        test.try_send("ann", big.clone()).unwrap();
    }
    assert_eq!(test.ended(stream), None);
    assert!(test.queued(stream).1 <= limits::STREAM_BYTES);
    test.try_send("ann", big).unwrap();
    assert_eq!(test.ended(stream).unwrap(), "lagged 0");
    assert_eq!(test.listen("bob").unwrap().texts, ["big"; 3]);
}

#[test]
fn d02_more_than_1_mib_of_due_messages_is_fed_as_the_queue_drains() {
    let mut test = pair();
    let file = serde_json::json!({"mime": "image/png", "data_base64": "A".repeat(500_000)});
    let big = parse_draft(&serde_json::json!({"to": "bob", "attachments": [file], "text": "big"})).unwrap();
    for _ in 0..5 {
        test.try_send("ann", big.clone()).unwrap();
    }
    let stream = test.open("bob", plain());
    assert!(test.queued(stream).1 <= limits::STREAM_BYTES);
    let mut received = Vec::new();
    while test.queued(stream).0 > 0 {
        received.extend(test.take_events(stream, 1));
    }
    assert_eq!(received, ["hello 5", "big", "big", "big", "big", "big"]);
    assert_eq!((test.ended(stream), test.channel.held()), (None, (0, 0)));
}

#[test]
fn d02_a_gap_waits_for_a_full_queue_too() {
    let mut test = pair();
    let of_size = |chars: usize| {
        let file = serde_json::json!({"mime": "image/png", "data_base64": "A".repeat(chars)});
        parse_draft(&serde_json::json!({"to": "bob", "attachments": [file], "text": "big"})).unwrap()
    };
    test.try_send("ann", of_size(524_000)).unwrap();
    let frame_bytes = test.channel.held().1;
    let stream = test.open("bob", plain());
    let hello_bytes = test.queued(stream).1 - frame_bytes;
    test.events(stream);
    test.cut(stream);
    // Two messages that fill the queue, so that not even a gap fits.
    let spare = limits::STREAM_BYTES - hello_bytes - 2 * frame_bytes - 20;
    for chars in [524_000, 524_000 + spare, 524_000] {
        test.try_send("ann", of_size(chars)).unwrap();
    }
    let stream = test.open("bob", plain());
    test.send_many("ann", "all", 800);
    assert_eq!((test.queued(stream).0, test.queued(stream).1), (3, limits::STREAM_BYTES - 20));
    let mut received = Vec::new();
    while test.queued(stream).0 > 0 {
        received.extend(test.take_events(stream, 10));
    }
    assert_eq!(received.iter().filter(|e| e.starts_with("gap")).count(), 1);
    assert_eq!((received.len(), received.last().unwrap().as_str()), (105, "x800"));
}

#[test]
fn d03_a_stream_resumes_above_since() {
    let mut test = pair();
    let first = test.send("ann", "all", "1").id;
    test.send("ann", "all", "2");
    let stream = test.open("bob", plain());
    assert_eq!(test.events(stream), ["hello 2", "1", "2"]);
    let stream = test.open("bob", since(first));
    assert_eq!(test.events(stream), ["hello 1", "2"]);
    test.send("ann", "all", "3");
    assert_eq!(test.events(stream), ["3"]);
    let future = test.open("bob", since(first + 10));
    test.send("ann", "all", "4");
    assert_eq!(test.events(future), ["hello 0"], "live response respects since");
}

#[test]
fn d04_a_second_stream_closes_the_first() {
    let mut test = pair();
    let first = test.open("bob", plain());
    test.send("ann", "all", "not taken");
    let other = test.open("bob", ReadInput { consumer: Some(ConsumerName::parse("c").unwrap()), ..plain() });
    let second = test.open("bob", plain());
    assert_eq!(test.ended(first).unwrap(), "superseded");
    assert_eq!((test.events(second).join(","), test.ended(other)), ("hello 1,not taken".into(), None));
}

#[test]
fn d04_leaving_and_deletion_end_streams_with_bye() {
    let mut test = pair();
    let (ann, bob) = (test.open("ann", plain()), test.open("bob", plain()));
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    assert_eq!(test.ended(bob).unwrap(), "bye left");
    let mut effects = crate::Effects::default();
    test.channel.close(test.now, &mut effects);
    test.carry(effects);
    assert_eq!(test.ended(ann).unwrap(), "bye deleted");
    assert_eq!(test.channel.waiting(), (0, 0));
}

#[test]
fn d04_an_evicted_member_learns_that_it_did_not_leave_by_itself() {
    let mut test = pair();
    let stream = test.open("bob", plain());
    assert!(test.ask(Evict { callsign: Callsign::parse("bob").unwrap() }).unwrap());
    assert_eq!(test.ended(stream).unwrap(), "bye evicted");
}

#[test]
fn d04_an_expired_session_ends_its_stream_with_bye() {
    let mut test = pair();
    let stream = test.open("bob", plain());
    let mut effects = crate::Effects::default();
    test.channel.apply(&crate::Entry::Expired { no: 2 }, test.now, &mut effects);
    test.carry(effects);
    assert_eq!(test.ended(stream).unwrap(), "bye expired");
}

#[test]
fn d32_draining_ends_streams_with_bye() {
    let mut test = pair();
    let stream = test.open("bob", plain());
    let mut effects = crate::Effects::default();
    test.channel.drain(test.now, &mut effects);
    test.carry(effects);
    assert_eq!(test.ended(stream).unwrap(), "bye draining");
    let late = test.open("bob", plain());
    assert_eq!(test.ended(late).unwrap(), "bye draining");
}

#[test]
fn d05_a_stream_reports_a_gap_once() {
    let mut test = pair().restarted(GapReason::Restart);
    let stream = test.open("bob", plain());
    let lost = test.channel.last_id();
    assert!(test.listen("bob").is_none(), "the stream reports it");
    test.send("ann", "all", "fresh");
    assert_eq!(test.events(stream), ["hello 0".to_owned(), format!("gap 0..{lost} restart"), "fresh".to_owned()]);
    test.cut(stream);
    let stream = test.open("bob", plain());
    assert_eq!(test.events(stream), ["hello 0"]);
}

#[test]
fn d05_a_gap_that_a_stream_did_not_take_is_reported_again() {
    let mut test = pair().restarted(GapReason::Restart);
    let stream = test.open("bob", plain());
    assert_eq!(test.take_events(stream, 1), ["hello 0"]);
    test.cut(stream);
    assert!(test.listen("bob").unwrap().gap.is_some());
    assert!(test.listen("bob").is_none());
}

#[test]
fn a01_a_manual_stream_has_at_most_max_in_flight() {
    let mut test = pair();
    test.send_many("ann", "all", 5);
    let first = test.channel.last_id() - 4;
    let stream = test.open("bob", manual(2));
    assert_eq!(test.events(stream), ["hello 5", "x1", "x2"]);
    test.send("ann", "bob", "dm");
    assert!(test.events(stream).is_empty());
    assert_eq!(ack(&mut test, first), 1);
    assert_eq!(test.events(stream), ["x3"]);
    assert_eq!(ack(&mut test, first + 2), 2);
    assert_eq!(test.events(stream), ["x4", "x5"]);
    assert_eq!(ack(&mut test, first + 4), 2);
    assert_eq!(test.events(stream), ["dm"]);
}

#[test]
fn a01_a_manual_stream_sends_nothing_twice_and_unacknowledged_messages_are_due_when_it_ends() {
    let mut test = pair();
    test.send_many("ann", "all", 3);
    let stream = test.open("bob", manual(100));
    assert_eq!(test.take_events(stream, 3), ["hello 3", "x1", "x2"]);
    test.at(limits::SESSION_TTL_MS - 1);
    test.send("ann", "all", "live");
    test.cut(stream);
    let received = test.listen("bob").unwrap();
    assert_eq!((received.texts.join(" "), received.attempts), ("x1 x2 x3 live".to_owned(), vec![2, 2, 1, 1]));
}

#[test]
fn a_read_that_ends_the_stream_takes_back_what_it_held() {
    let mut test = pair();
    let stream = test.open("bob", manual(100));
    test.send("ann", "all", "held");
    assert_eq!(test.events(stream), ["hello 0", "held"]);
    let older = test.park("bob", ReadInput { since: Some(u64::MAX), ..plain() });
    test.send("ann", "all", "later");
    let ends = ReadInput { ack_mode: AckMode::Leased { lease_ms: 10_000 }, ends_stream: true, ..plain() };
    let read = test.listen_with("bob", ends).unwrap();
    assert_eq!((read.texts, read.attempts), (vec!["held".to_owned(), "later".to_owned()], vec![2, 1]));
    assert!(test.answer(older).is_some(), "the older poll has ended");
    assert!(test.ended(stream).unwrap().starts_with("superseded"));
}

#[test]
fn a01_an_ack_does_not_cover_queued_messages() {
    let mut test = pair();
    test.send("ann", "all", "first");
    let lost = test.poll("bob", plain()).unwrap();
    let stream = test.open("bob", manual(100));
    let second = test.send("ann", "all", "second").id;
    assert_eq!(test.events(stream), ["hello 0", "second"]);
    test.drop_response(lost);
    assert_eq!((test.queued(stream).0, ack(&mut test, second)), (1, 1));
    test.cut(stream);
    assert_eq!(test.listen("bob").unwrap().texts, ["first"]);
}

#[test]
fn a01_a_message_whose_lease_ended_is_fed_to_an_open_stream() {
    let mut test = pair();
    test.send("ann", "all", "work");
    test.listen_with("bob", ReadInput { ack_mode: AckMode::Leased { lease_ms: 10_000 }, ..plain() });
    let stream = test.open("bob", manual(100));
    assert_eq!(test.channel.next_deadline_ms(), Some(10_000));
    test.at(10_000);
    assert_eq!(test.events(stream), ["hello 0", "work (2)"]);
}

#[test]
fn a01_acknowledging_a_status_skips_no_message() {
    let mut test = pair();
    test.send_many("ann", "all", 2);
    let stream = test.open("bob", manual(1));
    let status = parse_draft(&serde_json::json!({"text": "busy", "kind": "status"})).unwrap();
    let id = test.try_send("ann", status).unwrap().id;
    assert_eq!(test.events(stream), ["hello 2", "x1", "busy"]);
    assert_eq!(ack(&mut test, id), 1);
    assert_eq!(test.events(stream), ["x2"]);
}
