//! Tests of responses that were written, and of which nothing proves yet that their client took them (D36).

use crate::op::harness::{Received, TestChannel};
use crate::op::{Ack, Consumers, Leave, ReadInput, ReceiptState, Receipts};
use crate::{UnprovenDelivery, WaiterId};

fn pair() -> TestChannel {
    let mut test = TestChannel::new();
    test.join("ann");
    test.join("bob");
    test
}

fn plain() -> ReadInput {
    ReadInput::default()
}

/// Bob's poll gets a DM whose response is written.
fn written(test: &mut TestChannel, text: &str) -> (u64, UnprovenDelivery) {
    let waiter = test.park("bob", plain());
    let id = test.send("ann", "bob", text).id;
    (id, write(test, waiter))
}

fn write(test: &mut TestChannel, waiter: WaiterId) -> UnprovenDelivery {
    let response = test.answer(waiter).expect("the poll was answered");
    let unproven = response.guard.expect("it delivers something").written();
    test.tick();
    unproven
}

fn summary(received: Option<Received>) -> Option<(Vec<String>, Vec<u32>)> {
    received.map(|received| (received.texts, received.attempts))
}

fn again(text: &str, attempt: u32) -> Option<(Vec<String>, Vec<u32>)> {
    Some((vec![text.to_owned()], vec![attempt]))
}

/// The cursor, what is due, and what is delivered and unacknowledged.
fn state(test: &mut TestChannel) -> (u64, usize, usize) {
    let session = test.session("bob");
    let row = test.query(&Consumers { session }).unwrap().consumers.remove(0);
    (row.cursor, row.lag, row.in_flight)
}

fn receipt(test: &mut TestChannel, id: u64) -> (ReceiptState, Option<u32>) {
    let session = test.session("ann");
    let receipt = test.query(&Receipts { session, id }).unwrap().receipts.remove(0);
    (receipt.state, receipt.attempts)
}

#[test]
fn d36_an_unproven_response_is_claimed_until_it_is_proven() {
    let mut test = pair();
    let (id, unproven) = written(&mut test, "x");
    assert_eq!(state(&mut test), (0, 0, 1));
    assert_eq!(receipt(&mut test, id), (ReceiptState::Delivered, Some(1)));
    assert_eq!(test.channel.held().0, 1, "it is not lost with the ring");
    unproven.prove();
    test.tick();
    assert_eq!(state(&mut test), (id, 0, 0));
    assert_eq!(receipt(&mut test, id), (ReceiptState::Delivered, Some(1)), "nobody acknowledged it");
    assert_eq!(test.channel.held().0, 0);
    assert_eq!(summary(test.listen("bob")), None);
}

#[test]
fn d36_the_next_read_takes_it_back() {
    let mut test = pair();
    let (_, unproven) = written(&mut test, "x");
    assert_eq!(summary(test.listen("bob")), again("x", 2));
    unproven.prove();
    test.tick();
    assert_eq!(state(&mut test).1, 0, "a late proof changes nothing");
    let (_, unproven) = written(&mut test, "y");
    test.open("bob", plain());
    assert_eq!(state(&mut test).2, 1, "a stream takes it back too");
    drop(unproven);
}

#[test]
fn d36_a_read_after_its_last_id_proves_it() {
    let mut test = pair();
    let (id, _unproven) = written(&mut test, "x");
    assert_eq!(summary(test.listen_with("bob", ReadInput { since: Some(id), ..plain() })), None);
    assert_eq!(state(&mut test), (id, 0, 0));
}

#[test]
fn d36_an_ack_covers_it() {
    let mut test = pair();
    let (id, unproven) = written(&mut test, "x");
    let session = test.session("bob");
    assert_eq!(test.ask(Ack { session, consumer: None, upto: id }).unwrap().acked, 1);
    assert_eq!(receipt(&mut test, id).0, ReceiptState::Acked);
    drop(unproven);
    test.tick();
    assert_eq!(summary(test.listen("bob")), None);
    assert_eq!(test.channel.delivery_counters.returned, 0);
}

#[test]
fn d36_what_is_taken_back_before_it_is_settled_is_due_again() {
    let mut test = pair();
    let waiter = test.park("bob", plain());
    test.send("ann", "bob", "x");
    let token = test.answer(waiter).and_then(|response| response.guard).expect("the poll was answered");
    drop(token.written());
    // Another answer is settled at the same moment, and with it the decision is counted as seen.
    assert!(test.channel.waiters.take_decided().is_empty());
    test.tick();
    assert_eq!(state(&mut test), (0, 1, 0));
    assert_eq!(test.channel.delivery_counters.returned, 1);
}

#[test]
fn d36_dropping_it_makes_its_messages_due_again() {
    let mut test = pair();
    let (_, unproven) = written(&mut test, "x");
    drop(unproven);
    test.tick();
    assert_eq!(state(&mut test), (0, 1, 0));
    assert_eq!(summary(test.listen("bob")), again("x", 2));
}

#[test]
fn d36_a_response_that_is_written_beside_a_newer_poll_was_given_up() {
    let mut test = pair();
    let older = test.park("bob", plain());
    test.send("ann", "bob", "x");
    let newer = test.park("bob", plain());
    drop(write(&mut test, older));
    let received = test.answered(newer);
    assert_eq!((received.texts, received.attempts), (vec!["x".to_owned()], vec![2]));
}

#[test]
fn d36_the_end_of_the_session_takes_it_back() {
    let mut test = pair();
    let (_, unproven) = written(&mut test, "x");
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    test.join("bob");
    unproven.prove();
    test.tick();
    assert_eq!(summary(test.listen("bob")), again("x", 2));
}

#[test]
fn d36_an_unproven_gap_is_reported_again() {
    let mut test = pair();
    test.send_many("ann", "all", 120);
    let response = test.poll("bob", plain()).unwrap();
    let gap = response.gap;
    assert!(gap.is_some());
    let unproven = response.guard.unwrap().written();
    test.tick();
    let received = test.listen("bob").unwrap();
    assert_eq!((received.gap, received.ids.len(), received.attempts[0]), (gap, 100, 2));
    drop(unproven);
}
