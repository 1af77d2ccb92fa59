//! Tests of reads with a byte bound: what is cut, and that nothing else changes.

use crate::op::harness::{Received, TestChannel};
use crate::op::{History, ReadInput};
use crate::{AckMode, ByteBound, Message};

fn weigh(message: &Message) -> usize {
    message.json().len()
}

fn bounded(max_bytes: usize) -> ReadInput {
    ReadInput { bound: Some(ByteBound { max_bytes, weigh }), ..ReadInput::default() }
}

/// A channel on which `bob` has unread messages of all kinds and sizes.
fn busy() -> TestChannel {
    let mut test = TestChannel::new();
    test.join("ann");
    test.join("bob");
    for n in 0..60_usize {
        let to = if n.is_multiple_of(3) { "bob" } else { "all" };
        test.send("ann", to, &format!("{n} {}", "x".repeat(n * n)));
    }
    test
}

fn read_all(test: &mut TestChannel, input: &ReadInput) -> Vec<Received> {
    std::iter::from_fn(|| test.listen_with("bob", input.clone())).collect()
}

#[test]
fn a13_bounded_reads_together_are_the_unbounded_read() {
    let whole = busy().listen("bob").unwrap();
    for max_bytes in [1, 500, 1000, 5000, 1_000_000] {
        let mut test = busy();
        let parts = read_all(&mut test, &bounded(max_bytes));
        let ids: Vec<_> = parts.iter().flat_map(|part| part.ids.clone()).collect();
        let texts: Vec<_> = parts.iter().flat_map(|part| part.texts.clone()).collect();
        assert_eq!((ids.len(), texts), (whole.ids.len(), whole.texts.clone()), "{max_bytes}");
        for part in &parts {
            let bytes: usize = part.texts.iter().map(|text| text.len() + 60).sum();
            assert!(part.ids.len() == 1 || bytes <= max_bytes, "{max_bytes}: {bytes} in {}", part.ids.len());
            assert!(part.attempts.iter().all(|attempt| *attempt == 1) && part.gap.is_none());
        }
        assert!(test.listen("bob").is_none(), "{max_bytes}: nothing is left");
    }
}

#[test]
fn a13_what_is_left_out_is_counted_and_stays_unread() {
    let mut test = busy();
    let response = test.poll("bob", bounded(500)).unwrap();
    let given = response.messages.len();
    assert_eq!((given > 1, response.more), (true, 60 - given));
    let other = test.listen("bob").unwrap();
    assert_eq!(other.ids.len(), 60 - given, "what was left out is not claimed");
    test.drop_response(response);
    assert_eq!(test.listen("bob").unwrap().ids.len(), given);
    let unbounded = test.poll("bob", ReadInput::default());
    assert!(unbounded.is_err());
}

#[test]
fn a13_leases_since_and_history_are_bounded_as_well() {
    let mut test = busy();
    let lease = ReadInput { ack_mode: AckMode::Leased { lease_ms: 1000 }, ..bounded(500) };
    let first = test.listen_with("bob", lease.clone()).unwrap();
    let second = test.listen_with("bob", lease.clone()).unwrap();
    assert!(first.ids.last() < second.ids.first(), "what is leased is skipped, what was left out comes next");
    test.at(5000);
    let again = test.listen_with("bob", lease).unwrap();
    assert_eq!((again.ids, again.attempts[0]), (first.ids.clone(), 2), "an ended lease is read within the same bound");
    test.at(10_000);
    let since = first.ids[0];
    let reread = test.listen_with("bob", ReadInput { since: Some(since), ..bounded(500) }).unwrap();
    assert_eq!(reread.ids[0], first.ids[1]);

    let all = History { session: None, n: 100, thread: None, before: None };
    let mut newest = test.query(&all).unwrap();
    let whole: Vec<_> = newest.history.iter().map(|message| message.id).collect();
    let mut parts = Vec::new();
    loop {
        newest.keep_newest(ByteBound { max_bytes: 9000, weigh });
        parts.splice(0..0, newest.history.iter().map(|message| message.id));
        assert_eq!(newest.more, whole.len() - parts.len());
        if newest.more == 0 {
            break;
        }
        newest = test.query(&History { before: Some(parts[0]), ..all.clone() }).unwrap();
    }
    assert_eq!(parts, whole);
}
