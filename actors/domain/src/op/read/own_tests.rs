//! Tests of consumers that read their member's own messages (A23).

use crate::op::harness::{Received, TestChannel, parse_draft};
use crate::op::{Ack, Consumers, ReadInput, ReadQuery, RemoveConsumer};
use crate::{AckMode, Code, ConsumerName, Effects, GapReason, Settings};

fn trio() -> TestChannel {
    let mut test = TestChannel::new();
    ["ann", "bob", "cat"].into_iter().for_each(|name| drop(test.join(name)));
    test
}

fn named(name: &str) -> ReadInput {
    ReadInput { consumer: Some(ConsumerName::parse(name).unwrap()), ..ReadInput::default() }
}

fn own(name: &str) -> ReadInput {
    ReadInput { own: true, ..named(name) }
}

fn leased(input: ReadInput) -> ReadInput {
    ReadInput { ack_mode: AckMode::Leased { lease_ms: 1000 }, ..input }
}

fn texts(received: Option<Received>) -> Vec<String> {
    received.map(|received| received.texts).unwrap_or_default()
}

#[test]
fn a23_own_needs_a_named_consumer() {
    let query = |own, consumer: Option<&'static str>| {
        ReadQuery { own, consumer: consumer.map(Into::into), ..ReadQuery::default() }.check()
    };
    let refusal = query(Some(true), None).unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
    assert!(refusal.text.contains("own needs a consumer"), "{}", refusal.text);
    assert!(query(Some(true), Some("phone")).unwrap().own);
    assert!(!query(Some(false), None).unwrap().own && !query(None, Some("phone")).unwrap().own);
}

#[test]
fn a23_each_consumer_of_a_member_receives_what_another_device_of_it_sent() {
    let mut test = trio();
    let (phone, laptop) = (test.open("ann", own("phone")), test.park("ann", own("laptop")));
    let plain = test.park("ann", ReadInput::default());
    test.send("ann", "all", "to all");
    assert_eq!(test.events(phone), ["hello 0", "to all own"]);
    let seen = test.answer(laptop).unwrap();
    assert!(seen.messages.iter().all(|delivered| delivered.own));
    assert_eq!(test.take(seen).texts, ["to all"]);
    test.send("ann", "bob", "a DM of mine");
    test.send("bob", "cat", "a DM of others");
    test.send("ann", "ann", "to myself");
    test.send("bob", "ann", "for me");
    assert_eq!(test.events(phone), ["a DM of mine own", "to myself own", "for me"]);
    assert_eq!(texts(test.listen_with("ann", own("laptop"))), ["a DM of mine", "to myself", "for me"]);
    assert_eq!(test.answered(plain).texts, ["for me"], "the default consumer is as ever");
    assert_eq!(texts(test.listen("bob")), ["to all", "a DM of mine"], "and so are those of other members");
    assert_eq!(texts(test.listen("cat")), ["to all", "a DM of others"]);
}

#[test]
fn a23_an_own_status_reaches_readers_that_wait_with_own() {
    let mut test = trio();
    let (with, without) = (test.open("ann", own("phone")), test.open("ann", named("old")));
    let poll = test.park("ann", own("laptop"));
    test.try_send("ann", parse_draft(&serde_json::json!({"text": "s", "kind": "status"})).unwrap()).unwrap();
    assert_eq!(test.events(with), ["hello 0", "s own"]);
    assert_eq!(test.events(without), ["hello 0"]);
    assert!(test.answer(poll).unwrap().messages[0].own);
}

#[test]
fn a23_own_messages_are_leased_and_acknowledged_as_others_are() {
    let mut test = trio();
    test.listen_with("ann", own("phone"));
    let id = test.send("ann", "bob", "mine").id;
    assert_eq!(texts(test.listen_with("ann", leased(own("phone")))), ["mine"]);
    assert_eq!(texts(test.listen_with("ann", leased(own("phone")))), [""; 0], "it is leased");
    test.at(1000);
    let again = test.listen_with("ann", leased(own("phone"))).unwrap();
    assert_eq!((again.texts, again.attempts), (vec!["mine".to_owned()], vec![2]));
    let (session, consumer) = (test.session("ann"), named("phone").consumer);
    assert_eq!(test.ask(Ack { session, consumer, upto: id }).unwrap().acked, 1);
    test.at(5000);
    assert_eq!(texts(test.listen_with("ann", leased(own("phone")))), [""; 0]);
    assert_eq!(texts(test.listen("bob")), ["mine"], "the recipient's copy is another one");
}

#[test]
fn a23_a_gap_covers_lost_own_messages_for_a_consumer_that_reads_them() {
    for to in ["all", "bob"] {
        let mut test = trio();
        test.listen_with("ann", own("phone"));
        test.listen_with("ann", named("old"));
        let first = test.send("ann", to, "lost").id;
        // 100 DMs between others push it out, and are no loss for ann.
        for n in 0..100 {
            test.send(if n % 2 == 0 { "bob" } else { "cat" }, if n % 2 == 0 { "cat" } else { "bob" }, "x");
            test.listen("bob");
            test.listen("cat");
        }
        let gap = test.listen_with("ann", own("phone")).and_then(|received| received.gap);
        let gap = gap.unwrap_or_else(|| panic!("the message to {to} is reported as lost"));
        assert_eq!((gap.to, gap.reason), (first, GapReason::Ring));
        assert!(test.listen_with("ann", own("phone")).is_none(), "once");
        assert!(test.listen_with("ann", named("old")).is_none(), "a consumer without own has lost nothing");
        let new = test.listen_with("ann", own("new"));
        assert!(new.is_none(), "a new consumer starts at the oldest held message: {new:?}");
    }
}

#[test]
fn a23_the_newest_read_of_a_consumer_decides() {
    let mut test = trio();
    test.send("ann", "all", "1");
    test.send("bob", "all", "2");
    assert_eq!(texts(test.listen_with("ann", leased(own("phone")))), ["1", "2"]);
    test.at(1000);
    assert_eq!(texts(test.listen_with("ann", leased(named("phone")))), ["2"], "own ones are not due any more");
    test.send("ann", "all", "3");
    assert_eq!(texts(test.listen_with("ann", own("phone"))), ["1", "3"], "and are again, above the cursor");
}

#[test]
fn a23_lag_counts_own_messages_of_a_consumer_that_reads_them() {
    let mut test = trio();
    test.listen_with("ann", own("phone"));
    test.listen_with("ann", named("old"));
    test.send("ann", "all", "1");
    let session = test.session("ann");
    let rows = test.query(&Consumers { session }).unwrap().consumers;
    assert_eq!(rows.iter().map(|row| row.lag).collect::<Vec<_>>(), [0, 1, 0]);
}

#[test]
fn a23_whether_a_consumer_reads_own_messages_is_restored() {
    let mut test = TestChannel::with(Settings {
        durability: crate::Durability::Disk,
        ..TestChannel::new().channel.settings().clone()
    });
    ["ann", "bob"].into_iter().for_each(|name| drop(test.join(name)));
    test.listen_with("ann", leased(own("phone")));
    test.send("ann", "bob", "mine");
    test.listen_with("ann", leased(own("phone")));
    let snapshot = test.channel.snapshot(None, test.now);
    let json = serde_json::to_string(&snapshot).unwrap();
    assert!(json.contains(r#""own":true"#), "{json}");
    let mut again = TestChannel::with(test.channel.settings().clone());
    for entry in test.log.iter().filter(|entry| entry.is_logged(true)) {
        again.channel.apply(entry, again.now, &mut Effects::default());
    }
    let replayed = serde_json::to_value(again.channel.snapshot(None, again.now)).unwrap();
    assert_eq!(replayed["members"][0]["consumers"][1]["own"], true);
    assert_eq!(replayed["members"][0]["consumers"][1]["claims"][0]["own"], true);
    let session = test.session("ann");
    test.ask(RemoveConsumer { session, name: ConsumerName::parse("phone").unwrap() }).unwrap();
    let gone = serde_json::to_string(&test.channel.snapshot(None, test.now)).unwrap();
    assert!(!gone.contains(r#""own":true"#));
}
