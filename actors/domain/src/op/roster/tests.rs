//! Tests of the roster and of the other queries.

use crate::limits::SESSION_TTL_MS;
use crate::op::harness::{START_MS, TestChannel, parse_draft};
use crate::op::{Consumers, History, Info, Keepalive, Leave, ReadInput, RemoveConsumer, Roster, Stats};
use crate::{Code, ConsumerName, Reach, Settings};

fn pair() -> TestChannel {
    let mut test = TestChannel::new();
    test.join("bob");
    test.join("ann");
    test
}

fn texts(test: &mut TestChannel, who: Option<&str>, n: usize, thread: Option<&str>) -> Vec<String> {
    let session = who.map(|who| test.session(who));
    let reply = test.query(&History { session, n, thread: thread.map(str::to_owned), before: None }).unwrap();
    let text = |message: &crate::Message| {
        serde_json::from_slice::<serde_json::Value>(&message.json()).unwrap()["text"].as_str().unwrap().to_owned()
    };
    reply.history.iter().map(|message| text(message)).collect()
}

#[test]
fn d20_the_roster_has_names_and_numbers() {
    let mut test = pair();
    test.join("cat");
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    let reply = test.query(&Roster { session: None, limit: None }).unwrap();
    assert_eq!(reply.roster, ["ann", "cat"]);
    let seats: Vec<_> = reply.roster_with_index.iter().map(|s| (s.idx, s.callsign.as_str(), s.joined_at)).collect();
    assert_eq!(seats, [(2, "ann", START_MS), (3, "cat", START_MS)]);
    let all: Vec<_> = reply.roster_all.iter().map(|r| (r.callsign.as_str(), r.online, r.idx)).collect();
    assert_eq!(all, [("ann", true, 2), ("bob", false, 1), ("cat", true, 3)]);
    assert_eq!(reply.unread, None);
}

#[test]
fn a12_the_roster_names_who_reads_at_this_moment() {
    let mut test = pair();
    let reads = |test: &mut TestChannel| {
        let reply = test.query(&Roster { session: None, limit: None }).unwrap();
        reply.roster_all.iter().map(|member| member.reach).collect::<Vec<_>>()
    };
    assert_eq!(reads(&mut test), [Reach::Away, Reach::Away]);
    test.park("ann", ReadInput::default());
    let stream = test.open("bob", ReadInput::default());
    assert_eq!(reads(&mut test), [Reach::Poll, Reach::Stream]);
    test.cancel_wait(stream);
    assert_eq!(reads(&mut test), [Reach::Poll, Reach::Away]);
}

#[test]
fn d19_roster_history_and_stats_refresh_the_session() {
    let mut test = pair();
    let session = Some(test.session("ann"));
    for step in 1..=6 {
        test.at(step * (SESSION_TTL_MS - 1));
        match step % 3 {
            0 => drop(test.query(&Roster { session: session.clone(), limit: None }).unwrap()),
            1 => drop(test.query(&History { session: session.clone(), n: 1, thread: None, before: None }).unwrap()),
            _ => drop(test.query(&Stats { session: session.clone() }).unwrap()),
        }
        test.query(&Roster { session: None, limit: None }).unwrap();
    }
    assert_eq!(test.channel.live_members(), 1);
    assert_eq!(test.query(&Roster { session, limit: None }).unwrap().roster, ["ann"]);
}

#[test]
fn a06_keepalive_and_roster_return_the_unread_count() {
    let mut test = pair();
    test.send("bob", "all", "1");
    test.send("bob", "ann", "2");
    let session = test.session("ann");
    assert_eq!(test.ask(Keepalive { session: session.clone() }).unwrap().unread, 2);
    assert_eq!(test.query(&Roster { session: Some(session), limit: None }).unwrap().unread, Some(2));
}

#[test]
fn history_returns_the_ring_without_statuses_and_moves_no_cursor() {
    let mut test = pair();
    test.send("bob", "all", "1");
    test.try_send("bob", parse_draft(&serde_json::json!({"text": "s", "kind": "status"})).unwrap()).unwrap();
    test.send("bob", "ann", "2");
    assert_eq!(texts(&mut test, Some("ann"), 100, None), ["1", "2"]);
    assert_eq!(texts(&mut test, None, 1, None), ["2"]);
    assert_eq!(test.listen("ann").unwrap().texts, ["1", "2"]);
}

#[test]
fn d21_history_shows_private_dms_to_sender_and_recipient_only() {
    let mut test = TestChannel::with(Settings::band(START_MS));
    for name in ["ann", "bob", "cat"] {
        test.join(name);
    }
    test.send("ann", "bob", "secret");
    test.send("ann", "all", "open");
    assert_eq!(texts(&mut test, Some("ann"), 100, None), ["secret", "open"]);
    assert_eq!(texts(&mut test, Some("bob"), 100, None), ["secret", "open"]);
    assert_eq!(texts(&mut test, Some("cat"), 100, None), ["open"]);
    assert_eq!(texts(&mut test, None, 100, None), ["open"]);
}

#[test]
fn a05_history_can_be_filtered_by_thread() {
    let mut test = pair();
    for (text, thread) in [("1", "a"), ("2", "b"), ("3", "a")] {
        test.try_send("bob", parse_draft(&serde_json::json!({"text": text, "thread": thread})).unwrap()).unwrap();
    }
    test.send("bob", "all", "4");
    assert_eq!(texts(&mut test, None, 100, Some("a")), ["1", "3"]);
    assert_eq!(texts(&mut test, None, 1, Some("a")), ["3"]);
}

#[test]
fn stats_and_info_return_counts() {
    let mut test = pair();
    test.at(1_000);
    test.send("ann", "all", "1");
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    let stats = test.query(&Stats { session: None }).unwrap();
    assert_eq!((stats.agent_count, stats.historic_callsigns_count, stats.message_count_in_buffer), (1, 2, 1));
    assert_eq!((stats.first_joined_at, stats.last_activity_at), (Some(START_MS), START_MS + 1_000));
    let info = serde_json::to_value(test.query(&Info).unwrap()).unwrap();
    assert_eq!((&info["agent_count"], &info["dm_visibility"]), (&1.into(), &"channel".into()));
}

#[test]
fn a01_consumers_are_listed_with_their_lag_and_can_be_removed() {
    let mut test = pair();
    let name = ConsumerName::parse("side").unwrap();
    let side = || ReadInput { consumer: Some(ConsumerName::parse("side").unwrap()), ..ReadInput::default() };
    test.send_many("bob", "all", 3);
    test.listen_with("ann", ReadInput { max: 2, ..side() });
    let session = test.session("ann");
    let list = |test: &mut TestChannel| test.query(&Consumers { session: test.session("ann") }).unwrap().consumers;
    let rows = list(&mut test);
    assert_eq!((rows[0].name.as_deref(), rows[0].lag), (None, 3));
    assert_eq!((rows[1].name.as_deref(), rows[1].lag, rows[1].waiting), (Some("side"), 1, false));
    let underway = test.poll("ann", side()).unwrap();
    assert_eq!((list(&mut test)[1].lag, list(&mut test)[1].in_flight), (0, 1));
    test.ask(RemoveConsumer { session: session.clone(), name: name.clone() }).unwrap();
    assert_eq!(list(&mut test).len(), 1);
    let again = test.listen_with("ann", ReadInput { max: 1, ..side() }).unwrap();
    test.take(underway);
    assert_eq!(again.texts, ["x1"], "a new one starts at the oldest message held");
    assert_eq!(test.listen_with("ann", side()).unwrap().texts, ["x2", "x3"], "and has no claims of the old one");
    let (poll, stream) = (test.park("ann", side()), test.open("ann", side()));
    test.ask(RemoveConsumer { session: session.clone(), name: name.clone() }).unwrap();
    assert_eq!((test.answer(poll).is_some(), test.ended(stream).unwrap()), (true, "bye removed".to_owned()));
    assert_eq!(test.ask(RemoveConsumer { session, name }).unwrap_err().code, Code::NotFound);
}
