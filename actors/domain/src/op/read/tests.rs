//! Reading: parking, waking, gaps, held DMs, cursors and time.

use crate::op::harness::{Rig, draft, rules, said};
use crate::op::{Consumers, Join, ReadInput};
use crate::{
    AckMode, AnswerReason, BacklogLimits, Channel, Code, ConsumerName, Durability, Entry, Gap, GapReason, Rules,
    Settings, TokenHash, limits,
};

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

fn max(max: usize) -> ReadInput {
    ReadInput { max, ..plain() }
}

fn named(name: &str) -> ReadInput {
    ReadInput { consumer: Some(ConsumerName::parse(name).unwrap()), ..plain() }
}

fn cursor(rig: &mut Rig, who: &str) -> u64 {
    let session = rig.session(who);
    rig.query(Consumers { session }).unwrap().consumers[0].cursor
}

#[test]
fn d01_a_poll_whose_client_has_gone_takes_no_message() {
    let mut rig = pair();
    let place = rig.park("bob", plain());
    rig.withdraw(place);
    rig.send("ann", "bob", "hi");
    assert!(rig.answer(place).is_none());
    assert_eq!(rig.listen("bob").unwrap().texts, ["hi"]);
}

#[test]
fn d02_an_answer_dropped_unread_gives_its_messages_back() {
    let mut rig = pair();
    rig.send("ann", "bob", "dm");
    rig.send("ann", "all", "broadcast");
    let delivery = rig.poll("bob", plain()).unwrap();
    assert!(rig.listen("bob").is_none(), "what is on its way is not given twice");
    let waiting = rig.park("bob", plain());
    rig.lose(delivery);
    let seen = rig.answered(waiting);
    assert_eq!((seen.texts, seen.attempts), (vec!["dm".to_owned(), "broadcast".to_owned()], vec![1, 1]));
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d02_an_older_answer_given_back_late_is_still_due() {
    let mut rig = pair();
    rig.send("ann", "all", "1");
    let first = rig.poll("bob", plain()).unwrap();
    rig.send("ann", "all", "2");
    assert_eq!(rig.listen("bob").unwrap().texts, ["2"]);
    rig.lose(first);
    assert_eq!(rig.listen("bob").unwrap().texts, ["1"]);
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d04_a_second_parked_poll_releases_the_first() {
    let mut rig = pair();
    let first = rig.park("bob", plain());
    let other = rig.park("bob", named("other"));
    let second = rig.park("bob", plain());
    assert_eq!(rig.answered(first).reason, AnswerReason::Superseded);
    rig.send("ann", "bob", "hi");
    assert_eq!((rig.answered(second).texts, rig.answered(other).texts), (vec!["hi".to_owned()], vec!["hi".to_owned()]));
}

#[test]
fn d04_leaving_ends_a_parked_poll() {
    let mut rig = pair();
    let place = rig.park("bob", plain());
    let session = rig.session("bob");
    rig.ask(crate::op::Leave { session }).unwrap();
    assert_eq!(rig.answered(place).reason, AnswerReason::TimedOut);
}

#[test]
fn a_poll_ends_at_its_deadline_and_not_before() {
    let mut rig = pair();
    rig.at(1_000);
    let place = rig.park("bob", plain());
    assert_eq!(rig.channel.next_deadline_ms(), Some(31_000));
    rig.at(30_999);
    assert!(rig.answer(place).is_none());
    rig.at(31_000);
    assert_eq!(rig.answered(place).reason, AnswerReason::TimedOut);
}

#[test]
fn d05_a_gap_is_told_with_the_messages_after_it() {
    let mut rig = pair();
    let first = rig.send("ann", "all", "first").id;
    rig.listen("bob");
    rig.send_many("ann", "all", 103);
    let seen = rig.listen("bob").unwrap();
    assert_eq!(seen.gap, Some(Gap { from: first, to: first + 3, reason: GapReason::Ring }));
    assert_eq!((seen.texts.len(), seen.texts[0].as_str()), (100, "x4"));
    assert!(rig.listen("bob").is_none(), "told once");
}

#[test]
fn d05_own_broadcasts_and_the_dms_of_others_are_no_loss() {
    let mut rig = pair();
    rig.join("cat");
    rig.send_many("bob", "all", 150);
    rig.listen("cat");
    rig.send_many("cat", "all", 1);
    for _ in 0..2 {
        rig.send_many("ann", "cat", 60);
        rig.listen("cat");
    }
    let seen = rig.listen("bob").unwrap();
    assert_eq!(seen.gap.map(|g| g.reason), Some(GapReason::Ring), "cat's broadcast is gone");
    rig.send_many("bob", "all", 150);
    assert!(rig.listen("bob").is_none(), "and bob's own are not missed");
}

#[test]
fn d05_a_newcomer_sees_no_gap() {
    let mut rig = pair();
    rig.send_many("ann", "all", 150);
    rig.join("new");
    let seen = rig.listen("new").unwrap();
    assert_eq!((seen.gap, seen.texts.len()), (None, 100));
    let seen = rig.listen_with("bob", named("new")).unwrap();
    assert_eq!((seen.gap, seen.texts.len()), (None, 100), "nor does a new consumer");
}

#[test]
fn d05_after_a_restart_each_older_member_is_told_once() {
    for loss in [GapReason::Restart, GapReason::Idle] {
        let mut rig = pair();
        rig.send("ann", "all", "lost");
        let above = rig.channel.last_id() + 60_000;
        let mut rig = rig.restarted(loss);
        rig.join("new");
        assert!(rig.listen("new").is_none());
        rig.send("ann", "all", "fresh");
        let seen = rig.listen("bob").unwrap();
        assert_eq!(seen.gap, Some(Gap { from: 0, to: above, reason: loss }));
        assert_eq!(seen.texts, ["fresh"]);
        assert_eq!(rig.listen("ann").unwrap().gap.unwrap().reason, loss, "a gap alone is an answer");
        assert!(rig.listen("bob").is_none() && rig.listen("ann").is_none());
    }
}

#[test]
fn d05_a_gap_whose_answer_was_lost_is_told_again_and_not_meanwhile() {
    let mut rig = pair().restarted(GapReason::Restart);
    let delivery = rig.poll("bob", plain()).unwrap();
    assert!(delivery.gap.is_some());
    let waiting = rig.park("bob", plain());
    rig.lose(delivery);
    assert!(rig.answered(waiting).gap.is_some());
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d05_what_was_given_back_and_then_pushed_out_is_a_told_loss() {
    let mut rig = pair();
    let first = rig.send("ann", "all", "1").id;
    let delivery = rig.poll("bob", plain()).unwrap();
    rig.send("ann", "all", "2");
    rig.listen("bob");
    rig.send_many("bob", "all", 100);
    rig.lose(delivery);
    let delivery = rig.poll("bob", plain()).unwrap();
    let told = Some(Gap { from: first - 1, to: first, reason: GapReason::Ring });
    assert_eq!(delivery.gap, told);
    rig.lose(delivery);
    assert_eq!(rig.listen("bob").unwrap().gap, told, "the news was lost too, so it is told again");
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d05_a_read_with_since_is_told_what_left_above_it() {
    let mut rig = pair();
    let first = rig.send("ann", "all", "1").id;
    rig.send_many("ann", "all", 150);
    assert_eq!(rig.listen_with("bob", since(first + 10)).unwrap().gap.unwrap().from, first + 10);
    assert_eq!(rig.listen_with("bob", since(first + 120)).unwrap().gap, None);
    rig.send_many("bob", "all", 100);
    let place = rig.park("bob", since(first + 20));
    rig.at(30_000);
    let seen = rig.answered(place);
    assert_eq!((seen.reason, seen.gap.map(|g| g.from)), (AnswerReason::TimedOut, Some(first + 20)));
}

#[test]
fn d06_since_skips_a_held_dm_and_never_drops_it() {
    let mut rig = pair();
    let dm = rig.send("ann", "bob", "dm").id;
    rig.send("ann", "all", "later");
    assert_eq!(rig.listen_with("bob", since(dm)).unwrap().texts, ["later"]);
    assert_eq!(cursor(&mut rig, "bob"), dm + 1);
    assert_eq!(rig.listen("bob").unwrap().texts, ["dm"], "even below the cursor");
    assert_eq!(cursor(&mut rig, "bob"), dm + 1);
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d06_a_second_consumer_sees_a_dm_while_it_is_in_the_ring() {
    let mut rig = pair();
    rig.send("ann", "bob", "dm");
    assert_eq!(rig.listen("bob").unwrap().texts, ["dm"]);
    assert_eq!(rig.listen_with("bob", named("b")).unwrap().texts, ["dm"]);
    rig.send_many("ann", "all", 100);
    assert!(!rig.listen_with("bob", named("c")).unwrap().texts.contains(&"dm".to_owned()));
}

#[test]
fn d06_reads_merge_held_dms_and_the_ring_and_return_100_at_once() {
    let mut rig = pair();
    rig.send_many("ann", "bob", 30);
    rig.send_many("ann", "all", 90);
    rig.send_many("ann", "bob", 5);
    let first = rig.listen("bob").unwrap();
    let second = rig.listen("bob").unwrap();
    assert_eq!((first.ids.len(), second.ids.len()), (100, 25));
    assert!(first.ids.iter().chain(&second.ids).is_sorted_by(|a, b| a < b));
    assert_eq!(rig.channel.held(), (0, 0));
}

#[test]
fn d09_a_wake_returns_everything_that_waits() {
    let mut rig = pair();
    rig.send("ann", "all", "1");
    rig.send("ann", "all", "2");
    let delivery = rig.poll("bob", plain()).unwrap();
    let place = rig.park("bob", plain());
    rig.lose(delivery);
    assert_eq!(rig.answered(place).texts, ["1", "2"]);
}

#[test]
fn d09_live_delivery_respects_since() {
    let mut rig = pair();
    let place = rig.park("bob", since(rig.now.at_ms + 1));
    let status = said(&serde_json::json!({"text": "s", "kind": "status"})).unwrap();
    rig.send("ann", "all", "0");
    rig.try_send("ann", status.clone()).unwrap();
    assert!(rig.answer(place).is_none());
    rig.send("ann", "all", "2");
    assert_eq!(rig.answered(place).texts, ["2"]);
    let place = rig.park("bob", since(rig.now.at_ms + 1_000));
    rig.try_send("ann", status).unwrap();
    assert!(rig.answer(place).is_none());
}

#[test]
fn the_cursor_jumps_to_the_last_id_returned_and_never_back() {
    let mut rig = pair();
    let first = rig.send("ann", "all", "1").id;
    rig.send("ann", "all", "2");
    rig.send("ann", "all", "3");
    assert_eq!(rig.listen_with("bob", since(first + 1)).unwrap().texts, ["3"]);
    assert!(rig.listen("bob").is_none(), "what since skipped is acknowledged");
    assert_eq!(rig.listen_with("bob", since(0)).unwrap().texts, ["1", "2", "3"]);
    assert_eq!(cursor(&mut rig, "bob"), first + 2);
    assert!(rig.listen_with("bob", since(first + 100)).is_none());
    assert_eq!(cursor(&mut rig, "bob"), first + 2);
}

#[test]
fn what_was_done_is_not_owed_again_when_a_rereading_is_lost() {
    let mut rig = pair();
    rig.send("ann", "all", "1");
    rig.listen("bob");
    let delivery = rig.poll("bob", since(0)).unwrap();
    rig.lose(delivery);
    assert!(rig.listen("bob").is_none());
}

#[test]
fn max_gives_the_oldest_first_and_the_rest_later() {
    let mut rig = pair();
    rig.send_many("ann", "all", 5);
    assert_eq!(rig.listen_with("bob", max(2)).unwrap().texts, ["x1", "x2"]);
    assert_eq!(rig.listen_with("bob", max(0)).unwrap().texts, ["x3"], "at least one");
    assert_eq!(rig.listen("bob").unwrap().texts, ["x4", "x5"]);
}

#[test]
fn nobody_reads_their_own_nor_the_dms_of_others() {
    let mut rig = pair();
    rig.join("cat");
    rig.send("ann", "all", "mine");
    rig.send("bob", "cat", "theirs");
    rig.send("ann", "ann", "note to self");
    assert!(rig.listen("ann").is_none());
    let place = rig.park("ann", plain());
    rig.send("ann", "ann", "again");
    assert!(rig.answer(place).is_none());
}

#[test]
fn a_stream_and_a_parked_poll_of_one_consumer_both_get_a_live_message() {
    let mut rig = pair();
    let stream = rig.open("bob", plain());
    let poll = rig.park("bob", plain());
    rig.send("ann", "all", "hi");
    assert_eq!(rig.answered(poll).texts, ["hi"]);
    assert_eq!(rig.events(stream), ["hello 0", "hi"]);
    assert!(rig.listen("bob").is_none());
}

#[test]
fn d30_a_member_has_8_consumers() {
    let mut rig = pair();
    for n in 1..limits::CONSUMERS {
        assert!(rig.listen_with("bob", named(&format!("c{n}"))).is_none());
    }
    assert_eq!(rig.try_poll("bob", named("one-more")).unwrap_err().code, Code::LimitReached);
    assert!(rig.listen_with("bob", named("c1")).is_none());
}

#[test]
fn reading_needs_a_session() {
    let mut rig = pair();
    let session = rig.session("bob");
    rig.ask(crate::op::Leave { session }).unwrap();
    assert_eq!(rig.try_poll("bob", plain()).unwrap_err().code, Code::SessionExpired);
    rig.at(limits::TOMBSTONE_MS);
    assert_eq!(rig.try_poll("bob", plain()).unwrap_err().code, Code::NotJoined);
}

#[test]
fn a_draining_hub_parks_nobody() {
    let mut rig = pair();
    let place = rig.park("bob", plain());
    let mut effects = crate::Effects::default();
    rig.channel.drain(rig.now, &mut effects);
    rig.carry(effects);
    assert_eq!(rig.answered(place).reason, AnswerReason::Draining);
    assert_eq!(rig.listen("bob").unwrap().reason, AnswerReason::Draining);
    rig.send("ann", "bob", "last words");
    assert_eq!(rig.listen("bob").unwrap().texts, ["last words"]);
}

#[test]
fn a_poll_keeps_its_session_alive() {
    let rules = rules();
    let settings = Settings { session_ttl_ms: 5_000, ..Settings::plain(TokenHash::of("t"), 0) };
    let mut rig = Rig::opened(settings, rules, 0, None);
    rig.join("ann");
    let wish: Join = rig.wish(Some("bob"), None);
    rig.ask(wish).unwrap();
    let place = rig.park("ann", plain());
    rig.at(29_999);
    assert_eq!(rig.channel.live_members(), 1);
    rig.at(30_000);
    assert_eq!(rig.answered(place).reason, AnswerReason::TimedOut);
    rig.at(34_999);
    assert_eq!(rig.channel.live_members(), 1);
    rig.at(35_000);
    assert_eq!(rig.channel.live_members(), 0);
    assert_eq!(rig.try_send("ann", draft("all", "hi")).unwrap_err().code, Code::SessionExpired);
}

#[test]
fn a01_what_was_told_lost_is_owed_no_more_in_a_replay_either() {
    let settings = Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("t"), 0) };
    let rules = Rules { shelf: BacklogLimits { messages: 100, bytes: 1 << 30 }, ..rules() };
    let mut rig = Rig::opened(settings, rules, 0, None);
    rig.join("ann");
    rig.join("bob");
    for _ in 0..12 {
        rig.send_many("ann", "all", 100);
        let leased = ReadInput { terms: AckMode::Leased { lease_ms: 1000 }, ..plain() };
        assert_eq!(rig.listen_with("bob", leased.clone()).unwrap().ids.len(), 100);
        rig.send_many("ann", "all", 100);
        rig.at(rig.now.uptime_ms + 2000);
        let told = rig.listen_with("bob", leased).unwrap();
        assert!(told.gap.is_some() && told.ids.len() == 100);
        rig.at(rig.now.uptime_ms + 2000);
    }
    let mut again = Rig::opened(rig.channel.settings().clone(), rig.channel.rules.clone(), 0, None).channel;
    let log = serde_json::to_string(&rig.log).unwrap();
    again.replay(serde_json::from_str::<Vec<Entry>>(&log).unwrap().iter(), rig.now);
    let claims = |channel: &Channel| channel.members[&2].consumers[0].claims().len();
    assert_eq!(claims(&again), claims(&rig.channel));
}
