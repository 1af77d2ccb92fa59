//! Acknowledging: leases, attempts, consumers.

use crate::op::harness::{Rig, said, see};
use crate::op::{Ack, Consumers, ReadInput};
use crate::{AckMode, Code, GapReason, limits};

fn pair() -> Rig {
    let mut rig = Rig::new();
    rig.join("ann");
    rig.join("bob");
    rig
}

fn plain() -> ReadInput {
    ReadInput::default()
}

fn manual() -> ReadInput {
    ReadInput { terms: AckMode::Leased { lease_ms: 10_000 }, ..plain() }
}

fn ack(rig: &mut Rig, who: &str, upto: u64) -> Result<(usize, u64), Code> {
    let session = rig.session(who);
    rig.ask(Ack { session, consumer: None, upto }).map(|r| (r.acked, r.cursor)).map_err(|r| r.code)
}

fn cursor(rig: &mut Rig, who: &str) -> u64 {
    let session = rig.session(who);
    rig.query(Consumers { session }).unwrap().consumers[0].cursor
}

#[test]
fn a01_a_lease_keeps_a_message_from_other_reads_until_it_ends() {
    let mut rig = pair();
    let id = rig.send("ann", "all", "work").id;
    assert_eq!(rig.listen_with("bob", manual()).unwrap().texts, ["work"]);
    assert_eq!(cursor(&mut rig, "bob"), 0);
    let place = rig.park("bob", manual());
    assert_eq!(rig.channel.next_deadline_ms(), Some(10_000));
    rig.at(9_999);
    assert!(rig.answer(place).is_none());
    rig.at(10_000);
    let seen = rig.answered(place);
    assert_eq!((seen.texts, seen.attempts), (vec!["work".to_owned()], vec![2]));
    assert_eq!(ack(&mut rig, "bob", id), Ok((1, id)));
    rig.at(100_000);
    assert!(rig.listen_with("bob", manual()).is_none());
}

#[test]
fn a01_the_lease_begins_when_the_answer_is_taken() {
    let mut rig = pair();
    rig.send("ann", "all", "work");
    let delivery = rig.poll("bob", manual()).unwrap();
    rig.at(8_000);
    rig.take(delivery);
    let place = rig.park("bob", manual());
    rig.at(17_999);
    assert!(rig.answer(place).is_none());
    rig.at(18_000);
    assert_eq!(rig.answered(place).attempts, [2]);
}

#[test]
fn a01_an_ack_is_cumulative() {
    let mut rig = pair();
    rig.send_many("ann", "all", 5);
    let first = rig.channel.last_id() - 4;
    rig.listen_with("bob", ReadInput { max: 3, ..manual() });
    assert_eq!(ack(&mut rig, "bob", first + 3), Err(Code::Invalid), "above what was handed out");
    assert_eq!(ack(&mut rig, "bob", first + 1), Ok((2, first + 1)));
    assert_eq!(ack(&mut rig, "bob", first), Ok((0, first + 1)), "below the cursor it does nothing");
    rig.at(20_000);
    let seen = rig.listen_with("bob", manual()).unwrap();
    assert_eq!((seen.texts, seen.attempts), (vec!["x3".into(), "x4".into(), "x5".into()], vec![2, 1, 1]));
}

#[test]
fn a01_a_late_ack_counts_for_what_is_on_its_way_again() {
    let mut rig = pair();
    let id = rig.send("ann", "all", "work").id;
    rig.listen_with("bob", manual());
    rig.at(10_000);
    let again = rig.poll("bob", manual()).unwrap();
    assert_eq!(ack(&mut rig, "bob", id), Ok((1, id)));
    rig.take(again);
    rig.at(100_000);
    assert!(rig.listen_with("bob", manual()).is_none());
}

#[test]
fn a01_the_next_read_may_bring_the_ack() {
    let mut rig = pair();
    let id = rig.send("ann", "bob", "work").id;
    rig.listen_with("bob", manual());
    assert_eq!(rig.channel.held().0, 1, "held until it is acknowledged");
    assert!(rig.listen_with("bob", ReadInput { ack_upto: Some(id), ..manual() }).is_none());
    assert_eq!((rig.channel.held().0, cursor(&mut rig, "bob")), (0, id));
    let refusal = rig.try_poll("bob", ReadInput { ack_upto: Some(id + 1), ..manual() }).unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
}

#[test]
fn a01_a_status_is_never_leased_and_moves_no_manual_cursor() {
    let mut rig = pair();
    let place = rig.park("bob", manual());
    let status = said(&serde_json::json!({"text": "working", "kind": "status"})).unwrap();
    let id = rig.try_send("ann", status).unwrap().id;
    let delivery = rig.answer(place).unwrap();
    assert_eq!((see(&delivery).texts, delivery.guard.is_none()), (vec!["working".to_owned()], true));
    assert_eq!(ack(&mut rig, "bob", id), Ok((0, 0)), "acknowledging it is no error");
    rig.at(60_000);
    assert!(rig.listen_with("bob", manual()).is_none());
}

#[test]
fn a01_a_read_without_manual_acknowledges_what_it_returns() {
    let mut rig = pair();
    rig.send("ann", "all", "1");
    rig.listen_with("bob", manual());
    rig.send("ann", "all", "2");
    assert_eq!(rig.listen("bob").unwrap().texts, ["2"], "what is leased is skipped");
    rig.at(10_000);
    let seen = rig.listen("bob").unwrap();
    assert_eq!((seen.texts, seen.attempts), (vec!["1".to_owned()], vec![2]));
    rig.at(50_000);
    assert!(rig.listen("bob").is_none());
}

#[test]
fn a01_what_is_leased_is_no_loss_until_the_lease_ends() {
    let mut rig = pair();
    let first = rig.send("ann", "all", "1").id;
    rig.listen_with("bob", manual());
    rig.send_many("bob", "all", 100);
    rig.send("ann", "all", "2");
    assert_eq!(rig.listen_with("bob", manual()).unwrap().gap, None);
    rig.at(10_000);
    let seen = rig.listen_with("bob", manual()).unwrap();
    assert_eq!((seen.gap.map(|g| g.to), seen.texts), (Some(first), vec!["2".to_owned()]));
}

#[test]
fn a01_a_manual_reader_is_told_a_gap_with_messages_or_at_its_deadline() {
    let mut rig = pair().restarted(GapReason::Restart);
    let place = rig.park("bob", manual());
    rig.at(30_000);
    let gap = rig.answered(place).gap.unwrap();
    assert_eq!(ack(&mut rig, "bob", gap.to), Ok((0, gap.to)));
    assert!(rig.listen("bob").is_none());
}

#[test]
fn a01_a_consumer_holds_only_so_much_unacknowledged() {
    let mut rig = pair();
    let long = ReadInput { terms: AckMode::Leased { lease_ms: limits::LEASE_MAX_MS }, ..plain() };
    let mut given = 0;
    for _ in 0..15 {
        rig.send_many("ann", "all", 100);
        given += rig.listen_with("bob", long.clone()).map_or(0, |s| s.texts.len());
    }
    assert_eq!(given, limits::CLAIMS);
    let id = rig.channel.last_id();
    assert_eq!(ack(&mut rig, "bob", id - 500).map(|a| a.0), Ok(limits::CLAIMS));
    assert_eq!(rig.listen_with("bob", long).unwrap().texts.len(), 100);
}
