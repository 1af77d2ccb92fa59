//! The roster: numbers that stay.

use crate::limits::SESSION_TTL_MS;
use crate::op::harness::{DAWN_MS, Rig, said};
use crate::op::{Consumers, History, Info, Keepalive, Leave, ReadInput, RemoveConsumer, Roster, Stats};
use crate::{Code, ConsumerName, Settings};

fn pair() -> Rig {
    let mut rig = Rig::new();
    rig.join("bob");
    rig.join("ann");
    rig
}

fn texts(rig: &mut Rig, who: Option<&str>, n: usize, thread: Option<&str>) -> Vec<String> {
    let session = who.map(|who| rig.session(who));
    let reply = rig.query(History { session, n, thread: thread.map(str::to_owned) }).unwrap();
    let text = |json: &serde_json::value::RawValue| {
        serde_json::from_str::<serde_json::Value>(json.get()).unwrap()["text"].as_str().unwrap().to_owned()
    };
    reply.history.iter().map(|json| text(json)).collect()
}

#[test]
fn d20_the_roster_has_names_and_numbers() {
    let mut rig = pair();
    rig.join("cat");
    let session = rig.session("bob");
    rig.ask(Leave { session }).unwrap();
    let reply = rig.query(Roster { session: None }).unwrap();
    assert_eq!(reply.roster, ["ann", "cat"]);
    let seats: Vec<_> = reply.roster_with_index.iter().map(|s| (s.idx, s.callsign.as_str(), s.joined_at)).collect();
    assert_eq!(seats, [(2, "ann", DAWN_MS), (3, "cat", DAWN_MS)]);
    let all: Vec<_> = reply.roster_all.iter().map(|r| (r.callsign.as_str(), r.online, r.idx)).collect();
    assert_eq!(all, [("ann", true, 2), ("bob", false, 1), ("cat", true, 3)]);
    assert_eq!(reply.unread, None);
}

#[test]
fn d19_roster_history_and_stats_are_signs_of_life() {
    let mut rig = pair();
    let session = Some(rig.session("ann"));
    for step in 1..=6 {
        rig.at(step * (SESSION_TTL_MS - 1));
        match step % 3 {
            0 => drop(rig.query(Roster { session: session.clone() }).unwrap()),
            1 => drop(rig.query(History { session: session.clone(), n: 1, thread: None }).unwrap()),
            _ => drop(rig.query(Stats { session: session.clone() }).unwrap()),
        }
        rig.query(Roster { session: None }).unwrap();
    }
    assert_eq!(rig.channel.live_members(), 1);
    assert_eq!(rig.query(Roster { session }).unwrap().roster, ["ann"]);
}

#[test]
fn a06_keepalive_and_roster_tell_what_waits() {
    let mut rig = pair();
    rig.send("bob", "all", "1");
    rig.send("bob", "ann", "2");
    let session = rig.session("ann");
    assert_eq!(rig.ask(Keepalive { session: session.clone() }).unwrap().unread, 2);
    assert_eq!(rig.query(Roster { session: Some(session) }).unwrap().unread, Some(2));
}

#[test]
fn history_is_the_ring_without_statuses_and_moves_no_cursor() {
    let mut rig = pair();
    rig.send("bob", "all", "1");
    rig.try_send("bob", said(&serde_json::json!({"text": "s", "kind": "status"})).unwrap()).unwrap();
    rig.send("bob", "ann", "2");
    assert_eq!(texts(&mut rig, Some("ann"), 100, None), ["1", "2"]);
    assert_eq!(texts(&mut rig, None, 1, None), ["2"]);
    assert_eq!(rig.listen("ann").unwrap().texts, ["1", "2"]);
}

#[test]
fn d21_history_shows_private_dms_to_their_two_ends() {
    let mut rig = Rig::with(Settings::band(DAWN_MS));
    for name in ["ann", "bob", "cat"] {
        rig.join(name);
    }
    rig.send("ann", "bob", "secret");
    rig.send("ann", "all", "open");
    assert_eq!(texts(&mut rig, Some("ann"), 100, None), ["secret", "open"]);
    assert_eq!(texts(&mut rig, Some("bob"), 100, None), ["secret", "open"]);
    assert_eq!(texts(&mut rig, Some("cat"), 100, None), ["open"]);
    assert_eq!(texts(&mut rig, None, 100, None), ["open"]);
}

#[test]
fn a05_history_can_be_of_one_thread() {
    let mut rig = pair();
    for (text, thread) in [("1", "a"), ("2", "b"), ("3", "a")] {
        rig.try_send("bob", said(&serde_json::json!({"text": text, "thread": thread})).unwrap()).unwrap();
    }
    rig.send("bob", "all", "4");
    assert_eq!(texts(&mut rig, None, 100, Some("a")), ["1", "3"]);
    assert_eq!(texts(&mut rig, None, 1, Some("a")), ["3"]);
}

#[test]
fn stats_and_info_count() {
    let mut rig = pair();
    rig.at(1_000);
    rig.send("ann", "all", "1");
    let session = rig.session("bob");
    rig.ask(Leave { session }).unwrap();
    let stats = rig.query(Stats { session: None }).unwrap();
    assert_eq!((stats.agent_count, stats.historic_callsigns_count, stats.message_count_in_buffer), (1, 2, 1));
    assert_eq!((stats.first_joined_at, stats.last_activity_at), (Some(DAWN_MS), DAWN_MS + 1_000));
    let info = serde_json::to_value(rig.query(Info).unwrap()).unwrap();
    assert_eq!((&info["agent_count"], &info["dm_visibility"]), (&1.into(), &"channel".into()));
}

#[test]
fn a01_consumers_are_listed_with_their_lag_and_removed() {
    let mut rig = pair();
    let name = ConsumerName::parse("side").unwrap();
    let side = || ReadInput { consumer: Some(ConsumerName::parse("side").unwrap()), ..ReadInput::default() };
    rig.send_many("bob", "all", 3);
    rig.listen_with("ann", ReadInput { max: 2, ..side() });
    let session = rig.session("ann");
    let list = |rig: &mut Rig| rig.query(Consumers { session: rig.session("ann") }).unwrap().consumers;
    let rows = list(&mut rig);
    assert_eq!((rows[0].name.as_deref(), rows[0].lag), (None, 3));
    assert_eq!((rows[1].name.as_deref(), rows[1].lag, rows[1].waiting), (Some("side"), 1, false));
    let underway = rig.poll("ann", side()).unwrap();
    assert_eq!((list(&mut rig)[1].lag, list(&mut rig)[1].in_flight), (0, 1));
    rig.ask(RemoveConsumer { session: session.clone(), name: name.clone() }).unwrap();
    assert_eq!(list(&mut rig).len(), 1);
    let again = rig.listen_with("ann", ReadInput { max: 1, ..side() }).unwrap();
    rig.take(underway);
    assert_eq!(again.texts, ["x1"], "a new one starts at the oldest message held");
    assert_eq!(rig.listen_with("ann", side()).unwrap().texts, ["x2", "x3"], "and owes nothing to the old one");
    let (poll, stream) = (rig.park("ann", side()), rig.open("ann", side()));
    rig.ask(RemoveConsumer { session: session.clone(), name: name.clone() }).unwrap();
    assert_eq!((rig.answer(poll).is_some(), rig.ended(stream).unwrap()), (true, "bye removed".to_owned()));
    assert_eq!(rig.ask(RemoveConsumer { session, name }).unwrap_err().code, Code::NotFound);
}
