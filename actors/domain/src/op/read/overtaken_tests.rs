//! Tests of messages that the cursor passes while an earlier read of the consumer has them: they survive a crash (D1).

use crate::channel::ReadResponse;
use crate::entry::AckMode;
use crate::op::harness::{TestChannel, rules};
use crate::op::{Ack, ReadInput};
use crate::{Durability, Entry, Now, Settings, TokenHash};

const LEASE: AckMode = AckMode::Leased { lease_ms: 60_000 };

fn settings() -> Settings {
    Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("t"), 0) }
}

/// A durable channel whose bob has the response with the message "a" on its way.
fn on_its_way(ack_mode: AckMode) -> (TestChannel, ReadResponse) {
    let mut test = TestChannel::opened(settings(), rules(), 0, None);
    test.join("ann");
    test.join("bob");
    test.send("ann", "all", "a");
    let first = test.poll("bob", ReadInput { ack_mode, ..ReadInput::default() }).expect("a message is due");
    (test, first)
}

/// The channel after a crash: what is in the log.
fn crashed(test: &TestChannel) -> TestChannel {
    let log: Vec<Entry> = serde_json::from_str(&serde_json::to_string(&test.log).unwrap()).unwrap();
    let mut again = TestChannel::opened(settings(), rules(), 0, None);
    again.now = Now { uptime_ms: 5, ..test.now };
    again.sessions.clone_from(&test.sessions);
    again.channel.replay(log.iter().filter(|entry| entry.is_logged(true)), again.now);
    let stored: Vec<_> = test.log.iter().filter_map(Entry::stored_message).cloned().collect();
    again.channel.fill(&stored).unwrap();
    again
}

fn received(test: &mut TestChannel) -> (Vec<String>, Vec<u32>) {
    test.listen("bob").map(|received| (received.texts, received.attempts)).unwrap_or_default()
}

fn a_again() -> (Vec<String>, Vec<u32>) {
    (vec!["a".to_owned()], vec![2])
}

#[test]
fn d01_a_message_of_an_overtaken_poll_survives_a_crash() {
    let (mut test, first) = on_its_way(AckMode::Read);
    test.send("ann", "all", "b");
    assert_eq!(received(&mut test), (vec!["b".to_owned()], vec![1]));
    assert_eq!(received(&mut crashed(&test)), a_again());
    test.drop_response(first);
    assert_eq!(received(&mut crashed(&test)), a_again(), "it was returned");
    assert_eq!(received(&mut test), (vec!["a".to_owned()], vec![1]), "without a crash it was not delivered before");
    assert_eq!(received(&mut crashed(&test)), (vec![], vec![]), "it was delivered");
}

#[test]
fn d01_a_message_that_was_returned_before_the_next_was_read_survives_a_crash() {
    let (mut test, first) = on_its_way(AckMode::Read);
    test.send("ann", "all", "b");
    let second = test.poll("bob", ReadInput::default()).expect("a message is due");
    test.drop_response(first);
    assert_eq!(test.take(second).texts, ["b"]);
    assert_eq!(received(&mut crashed(&test)), a_again());
}

#[test]
fn d01_a_message_that_a_stream_overtakes_survives_a_crash() {
    let (mut test, first) = on_its_way(AckMode::Read);
    let stream = test.open("bob", ReadInput::default());
    test.send("ann", "all", "b");
    test.events(stream);
    assert_eq!(received(&mut crashed(&test)), a_again());
    assert_eq!(test.take(first).texts, ["a"]);
    assert_eq!(received(&mut crashed(&test)), (vec![], vec![]));
}

#[test]
fn d01_a_message_that_an_acknowledgement_overtakes_survives_a_crash() {
    let (mut test, first) = on_its_way(LEASE);
    let upto = test.send("ann", "all", "b").id;
    let second = test.listen_with("bob", ReadInput { ack_mode: LEASE, ..ReadInput::default() });
    assert_eq!(second.expect("a message is due").texts, ["b"]);
    let session = test.session("bob");
    assert_eq!(test.ask(Ack { session, consumer: None, upto }).unwrap().acked, 1);
    assert_eq!(received(&mut crashed(&test)), a_again());
    assert_eq!(test.take(first).texts, ["a"]);
}
