//! Streams: bounds, lagging, resuming, manual streams and their ends.

use crate::op::harness::{Rig, said};
use crate::op::{Ack, Leave, ReadInput};
use crate::{AckMode, ConsumerName, GapReason, limits};

fn pair() -> Rig {
    let mut rig = Rig::new();
    rig.join("ann");
    rig.join("bob");
    rig
}

fn plain() -> ReadInput {
    ReadInput::default()
}

fn since(id: u64) -> ReadInput {
    ReadInput { since: Some(id), ..plain() }
}

fn manual(max: usize) -> ReadInput {
    ReadInput { terms: AckMode::Streamed, max, ..plain() }
}

fn ack(rig: &mut Rig, upto: u64) -> usize {
    let session = rig.session("bob");
    rig.ask(Ack { session, consumer: None, upto }).unwrap().acked
}

#[test]
fn a_stream_says_hello_then_what_waits_then_what_comes() {
    let mut rig = pair();
    rig.send("ann", "bob", "dm");
    rig.send("ann", "all", "broadcast");
    let stream = rig.open("bob", plain());
    assert_eq!(rig.events(stream), ["hello 2", "dm", "broadcast"]);
    rig.send("ann", "all", "live");
    assert_eq!(rig.events(stream), ["live"]);
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d02_what_a_cut_stream_did_not_take_is_unread() {
    let mut rig = pair();
    let stream = rig.open("bob", plain());
    rig.send_many("ann", "all", 3);
    rig.send("ann", "bob", "dm");
    assert_eq!(rig.take_events(stream, 2), ["hello 0", "x1"]);
    let poll = rig.park("bob", plain());
    rig.cut(stream);
    let seen = rig.answered(poll);
    assert_eq!((seen.texts.join(" "), seen.attempts), ("x2 x3 dm".to_owned(), vec![1; 3]));
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d02_a_reader_256_events_behind_is_lagged() {
    let mut rig = pair();
    let stream = rig.open("bob", plain());
    assert_eq!(rig.take_events(stream, 1), ["hello 0"]);
    rig.send("ann", "all", "taken");
    assert_eq!(rig.take_events(stream, 1), ["taken"]);
    let taken = rig.channel.last_id();
    rig.send_many("ann", "all", limits::STREAM_EVENTS);
    assert_eq!((rig.queued(stream).0, rig.ended(stream)), (limits::STREAM_EVENTS, None));
    rig.send("ann", "all", "too much");
    assert_eq!(rig.ended(stream).unwrap(), format!("lagged {taken}"));
    assert!(!rig.channel.waits(crate::WaiterId(1)));
    let seen = rig.listen("bob").unwrap();
    assert_eq!(
        seen.gap.map(|g| (g.from, g.to)),
        Some((taken, taken + 157)),
        "everything is unread, and the ring tells"
    );
    assert_eq!(seen.texts.len(), 100);
}

#[test]
fn d02_a_reader_1_mib_behind_is_lagged() {
    let mut rig = pair();
    let stream = rig.open("bob", plain());
    rig.events(stream);
    let file = serde_json::json!({"mime": "image/png", "data_base64": "A".repeat(500_000)});
    let big = said(&serde_json::json!({"to": "bob", "attachments": [file], "text": "big"})).unwrap();
    for _ in 0..2 {
        rig.try_send("ann", big.clone()).unwrap();
    }
    assert_eq!(rig.ended(stream), None);
    assert!(rig.queued(stream).1 <= limits::STREAM_BYTES);
    rig.try_send("ann", big).unwrap();
    assert_eq!(rig.ended(stream).unwrap(), "lagged 0");
    assert_eq!(rig.listen("bob").unwrap().texts, ["big"; 3]);
}

#[test]
fn d02_a_backlog_above_1_mib_comes_as_it_is_taken() {
    let mut rig = pair();
    let file = serde_json::json!({"mime": "image/png", "data_base64": "A".repeat(500_000)});
    let big = said(&serde_json::json!({"to": "bob", "attachments": [file], "text": "big"})).unwrap();
    for _ in 0..5 {
        rig.try_send("ann", big.clone()).unwrap();
    }
    let stream = rig.open("bob", plain());
    assert!(rig.queued(stream).1 <= limits::STREAM_BYTES);
    let mut seen = Vec::new();
    while rig.queued(stream).0 > 0 {
        seen.extend(rig.take_events(stream, 1));
    }
    assert_eq!(seen, ["hello 5", "big", "big", "big", "big", "big"]);
    assert_eq!((rig.ended(stream), rig.channel.held()), (None, (0, 0)));
}

#[test]
fn d02_a_full_queue_takes_no_gap_either() {
    let mut rig = pair();
    let of_size = |chars: usize| {
        let file = serde_json::json!({"mime": "image/png", "data_base64": "A".repeat(chars)});
        said(&serde_json::json!({"to": "bob", "attachments": [file], "text": "big"})).unwrap()
    };
    rig.try_send("ann", of_size(524_000)).unwrap();
    let frame_bytes = rig.channel.held().1;
    let stream = rig.open("bob", plain());
    let hello_bytes = rig.queued(stream).1 - frame_bytes;
    rig.events(stream);
    rig.cut(stream);
    // Two messages that leave no room even for a gap.
    let spare = limits::STREAM_BYTES - hello_bytes - 2 * frame_bytes - 20;
    for chars in [524_000, 524_000 + spare, 524_000] {
        rig.try_send("ann", of_size(chars)).unwrap();
    }
    let stream = rig.open("bob", plain());
    rig.send_many("ann", "all", 800);
    assert_eq!((rig.queued(stream).0, rig.queued(stream).1), (3, limits::STREAM_BYTES - 20));
    let mut seen = Vec::new();
    while rig.queued(stream).0 > 0 {
        seen.extend(rig.take_events(stream, 10));
    }
    assert_eq!(seen.iter().filter(|e| e.starts_with("gap")).count(), 1);
    assert_eq!((seen.len(), seen.last().unwrap().as_str()), (105, "x800"));
}

#[test]
fn d03_a_stream_resumes_above_since() {
    let mut rig = pair();
    let first = rig.send("ann", "all", "1").id;
    rig.send("ann", "all", "2");
    let stream = rig.open("bob", plain());
    assert_eq!(rig.events(stream), ["hello 2", "1", "2"]);
    let stream = rig.open("bob", since(first));
    assert_eq!(rig.events(stream), ["hello 1", "2"]);
    rig.send("ann", "all", "3");
    assert_eq!(rig.events(stream), ["3"]);
    let future = rig.open("bob", since(first + 10));
    rig.send("ann", "all", "4");
    assert_eq!(rig.events(future), ["hello 0"], "live delivery respects since");
}

#[test]
fn d04_a_second_stream_closes_the_first() {
    let mut rig = pair();
    let first = rig.open("bob", plain());
    rig.send("ann", "all", "not taken");
    let other = rig.open("bob", ReadInput { consumer: Some(ConsumerName::parse("c").unwrap()), ..plain() });
    let second = rig.open("bob", plain());
    assert_eq!(rig.ended(first).unwrap(), "superseded");
    assert_eq!((rig.events(second).join(","), rig.ended(other)), ("hello 1,not taken".into(), None));
}

#[test]
fn d04_leaving_and_deletion_end_streams_with_a_bye() {
    let mut rig = pair();
    let (ann, bob) = (rig.open("ann", plain()), rig.open("bob", plain()));
    let session = rig.session("bob");
    rig.ask(Leave { session }).unwrap();
    assert_eq!(rig.ended(bob).unwrap(), "bye left");
    let mut effects = crate::Effects::default();
    rig.channel.close(rig.now, &mut effects);
    rig.carry(effects);
    assert_eq!(rig.ended(ann).unwrap(), "bye deleted");
    assert_eq!(rig.channel.places(), (0, 0));
}

#[test]
fn d04_a_session_that_expires_ends_its_stream_with_a_bye() {
    let mut rig = pair();
    let stream = rig.open("bob", plain());
    let mut effects = crate::Effects::default();
    rig.channel.apply(&crate::Entry::Expired { no: 2 }, rig.now, &mut effects);
    rig.carry(effects);
    assert_eq!(rig.ended(stream).unwrap(), "bye expired");
}

#[test]
fn d32_draining_says_bye() {
    let mut rig = pair();
    let stream = rig.open("bob", plain());
    let mut effects = crate::Effects::default();
    rig.channel.drain(rig.now, &mut effects);
    rig.carry(effects);
    assert_eq!(rig.ended(stream).unwrap(), "bye draining");
    let late = rig.open("bob", plain());
    assert_eq!(rig.ended(late).unwrap(), "bye draining");
}

#[test]
fn d05_a_stream_tells_a_gap_once() {
    let mut rig = pair().restarted(GapReason::Restart);
    let stream = rig.open("bob", plain());
    let lost = rig.channel.last_id();
    assert!(rig.listen("bob").is_none(), "the stream tells it");
    rig.send("ann", "all", "fresh");
    assert_eq!(rig.events(stream), ["hello 0".to_owned(), format!("gap 0..{lost} restart"), "fresh".to_owned()]);
    rig.cut(stream);
    let stream = rig.open("bob", plain());
    assert_eq!(rig.events(stream), ["hello 0"]);
}

#[test]
fn d05_a_gap_a_stream_did_not_take_is_told_again() {
    let mut rig = pair().restarted(GapReason::Restart);
    let stream = rig.open("bob", plain());
    assert_eq!(rig.take_events(stream, 1), ["hello 0"]);
    rig.cut(stream);
    assert!(rig.listen("bob").unwrap().gap.is_some());
    assert!(rig.listen("bob").is_none());
}

#[test]
fn a01_a_manual_stream_has_at_most_max_in_flight() {
    let mut rig = pair();
    rig.send_many("ann", "all", 5);
    let first = rig.channel.last_id() - 4;
    let stream = rig.open("bob", manual(2));
    assert_eq!(rig.events(stream), ["hello 5", "x1", "x2"]);
    rig.send("ann", "bob", "dm");
    assert!(rig.events(stream).is_empty());
    assert_eq!(ack(&mut rig, first), 1);
    assert_eq!(rig.events(stream), ["x3"]);
    assert_eq!(ack(&mut rig, first + 2), 2);
    assert_eq!(rig.events(stream), ["x4", "x5"]);
    assert_eq!(ack(&mut rig, first + 4), 2);
    assert_eq!(rig.events(stream), ["dm"]);
}

#[test]
fn a01_nothing_is_sent_twice_on_a_stream_and_all_is_due_again_when_it_ends() {
    let mut rig = pair();
    rig.send_many("ann", "all", 3);
    let stream = rig.open("bob", manual(100));
    assert_eq!(rig.take_events(stream, 3), ["hello 3", "x1", "x2"]);
    rig.at(limits::SESSION_TTL_MS - 1);
    rig.send("ann", "all", "live");
    rig.cut(stream);
    let seen = rig.listen("bob").unwrap();
    assert_eq!((seen.texts.join(" "), seen.attempts), ("x1 x2 x3 live".to_owned(), vec![2, 2, 1, 1]));
}

#[test]
fn a01_an_ack_says_nothing_of_what_is_still_in_the_queue() {
    let mut rig = pair();
    rig.send("ann", "all", "first");
    let lost = rig.poll("bob", plain()).unwrap();
    let stream = rig.open("bob", manual(100));
    let second = rig.send("ann", "all", "second").id;
    assert_eq!(rig.events(stream), ["hello 0", "second"]);
    rig.lose(lost);
    assert_eq!((rig.queued(stream).0, ack(&mut rig, second)), (1, 1));
    rig.cut(stream);
    assert_eq!(rig.listen("bob").unwrap().texts, ["first"]);
}

#[test]
fn a01_a_lease_that_ends_is_fed_to_an_open_stream() {
    let mut rig = pair();
    rig.send("ann", "all", "work");
    rig.listen_with("bob", ReadInput { terms: AckMode::Leased { lease_ms: 10_000 }, ..plain() });
    let stream = rig.open("bob", manual(100));
    assert_eq!(rig.channel.next_deadline_ms(), Some(10_000));
    rig.at(10_000);
    assert_eq!(rig.events(stream), ["hello 0", "work (2)"]);
}

#[test]
fn a01_acknowledging_a_status_passes_over_nothing() {
    let mut rig = pair();
    rig.send_many("ann", "all", 2);
    let stream = rig.open("bob", manual(1));
    let status = said(&serde_json::json!({"text": "busy", "kind": "status"})).unwrap();
    let id = rig.try_send("ann", status).unwrap().id;
    assert_eq!(rig.events(stream), ["hello 2", "x1", "busy"]);
    assert_eq!(ack(&mut rig, id), 1);
    assert_eq!(rig.events(stream), ["x2"]);
}
