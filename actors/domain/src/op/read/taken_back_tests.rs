//! Tests of responses that counted as delivered, until their connection showed that they were not read (D2).

use crate::CompletedDelivery;
use crate::op::harness::{Received, TestChannel};
use crate::op::{Ack, ReadInput};

fn pair() -> TestChannel {
    let mut test = TestChannel::new();
    test.join("ann");
    test.join("bob");
    test
}

/// Bob's poll gets a message whose response counts as delivered.
fn delivered(test: &mut TestChannel, to: &str, text: &str) -> (u64, CompletedDelivery) {
    let waiter = test.park("bob", ReadInput::default());
    let id = test.send("ann", to, text).id;
    let response = test.answer(waiter).expect("the poll was answered");
    let delivery = response.guard.expect("it delivers something").complete_unless_reset();
    test.tick();
    (id, delivery)
}

fn take_back(test: &mut TestChannel, delivery: &CompletedDelivery, id: u64) {
    let mut effects = crate::Effects::default();
    test.channel.take_back_unread(delivery, &[id], test.now, &mut effects);
    test.carry(effects);
}

fn summary(received: Option<Received>) -> Option<(Vec<String>, Vec<u32>)> {
    received.map(|received| (received.texts, received.attempts))
}

#[test]
fn d02_what_a_client_did_not_read_is_due_again_with_the_next_attempt() {
    for to in ["bob", "all"] {
        let mut test = pair();
        let (id, delivery) = delivered(&mut test, to, "x");
        take_back(&mut test, &delivery, id);
        assert_eq!(test.channel.held().0, usize::from(to == "bob"), "a DM is held again");
        assert_eq!(summary(test.listen("bob")), Some((vec!["x".to_owned()], vec![2])));
        assert_eq!(summary(test.listen("bob")), None);
        assert_eq!(test.channel.held().0, 0);
    }
}

#[test]
fn d02_a_poll_that_waits_already_gets_it() {
    let mut test = pair();
    let (id, delivery) = delivered(&mut test, "bob", "x");
    let waiter = test.park("bob", ReadInput::default());
    take_back(&mut test, &delivery, id);
    let response = test.answer(waiter).expect("the poll was answered");
    assert_eq!((response.messages.len(), response.messages[0].attempt), (1, 2));
}

#[test]
fn d02_what_was_acknowledged_or_is_on_its_way_again_is_not_taken_back() {
    let mut test = pair();
    let (id, delivery) = delivered(&mut test, "bob", "x");
    let session = test.session("bob");
    test.ask(Ack { session, consumer: None, upto: id }).unwrap();
    take_back(&mut test, &delivery, id);
    assert_eq!(summary(test.listen("bob")), None);
    let (id, delivery) = delivered(&mut test, "bob", "y");
    take_back(&mut test, &delivery, id);
    take_back(&mut test, &delivery, id);
    assert_eq!(summary(test.listen("bob")), Some((vec!["y".to_owned()], vec![2])));
    take_back(&mut test, &delivery, 1);
    assert_eq!(summary(test.listen("bob")), None, "it was evicted");
}
