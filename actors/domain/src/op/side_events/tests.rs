//! Tests of side events (D38).

use serde_json::{Value, json};

use crate::limits::{SIDE_EVENT_ROWS, STREAM_EVENTS};
use crate::op::harness::TestChannel;
use crate::op::{Ack, Leave, ReadInput, Roster};
use crate::{AckMode, Settings, SideEventSet, WaiterId};

const ROSTER: SideEventSet = SideEventSet { roster: true, receipts: false, tasks: false };
const RECEIPTS: SideEventSet = SideEventSet { roster: false, receipts: true, tasks: false };
const BOTH: SideEventSet = SideEventSet { roster: true, receipts: true, tasks: false };
const TASKS: SideEventSet = SideEventSet { roster: false, receipts: false, tasks: true };

fn trio() -> TestChannel {
    let mut test = TestChannel::new();
    ["ann", "bob", "cat"].into_iter().for_each(|name| drop(test.join(name)));
    test
}

fn with_side_events(side_events: SideEventSet) -> ReadInput {
    ReadInput { side_events, ..ReadInput::default() }
}

/// Lets time pass until no side event is due, and takes all events. Returns the side events.
fn settle(test: &mut TestChannel, stream: WaiterId) -> Vec<(String, Value)> {
    let mut events = side_events(test, stream);
    test.at(test.now.uptime_ms + 1_000);
    events.extend(side_events(test, stream));
    while test.channel.waiters.side.as_ref().is_some_and(|side| side.due_at_ms() != u64::MAX) {
        test.at(test.now.uptime_ms + 1_000);
        events.extend(side_events(test, stream));
    }
    events
}

fn side_events(test: &mut TestChannel, stream: WaiterId) -> Vec<(String, Value)> {
    let frames = test.frames(stream);
    let side = frames.iter().filter_map(|frame| {
        let (name, data) = frame.strip_prefix("event: ")?.split_once("\ndata: ")?;
        let is_side = ["roster", "receipt", "task"].contains(&name);
        is_side.then(|| (name.to_owned(), serde_json::from_str(data.trim_end()).unwrap()))
    });
    side.collect()
}

fn names(event: &Value) -> Vec<&str> {
    event["roster_all"].as_array().unwrap().iter().map(|row| row["callsign"].as_str().unwrap()).collect()
}

#[test]
fn d38_a_stream_reports_all_members_first_and_then_those_that_changed() {
    let mut test = trio();
    let stream = test.open("ann", with_side_events(ROSTER));
    let first = settle(&mut test, stream);
    assert_eq!((first.len(), names(&first[0].1)), (1, vec!["ann", "bob", "cat"]));
    assert_eq!(first[0].1["roster_all"][0]["reach"], "stream");
    assert!(settle(&mut test, stream).is_empty(), "nothing changed");
    assert_eq!(test.channel.waiters.side.as_ref().unwrap().due_at_ms(), u64::MAX, "and nothing is due");
    let poll = test.park("bob", ReadInput::default());
    let parked = settle(&mut test, stream);
    assert_eq!((parked[0].1["roster_all"][0]["reach"].as_str(), names(&parked[0].1)), (Some("poll"), vec!["bob"]));
    test.cancel_wait(poll);
    test.send("ann", "cat", "x");
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    let both = settle(&mut test, stream);
    assert_eq!((both.len(), names(&both[0].1)), (1, vec!["bob", "cat"]), "in one event");
    let rows = &both[0].1["roster_all"];
    assert_eq!((&rows[0]["online"], &rows[0]["reach"], &rows[1]["unread"]), (&json!(false), &json!("away"), &json!(1)));
    assert!(rows[1]["oldest_unread_at"].is_u64());
}

#[test]
fn d38_a_removed_member_is_reported() {
    let mut test =
        TestChannel::with(Settings { member_ttl_ms: 60_000, ..TestChannel::new().channel.settings().clone() });
    ["ann", "bob"].into_iter().for_each(|name| drop(test.join(name)));
    let stream = test.open("ann", with_side_events(ROSTER));
    settle(&mut test, stream);
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    settle(&mut test, stream);
    test.at(test.now.uptime_ms + 60_000);
    let gone = settle(&mut test, stream);
    assert_eq!(gone[0].1, json!({"roster_all": [], "removed": ["bob"]}));
}

#[test]
fn d38_receipts_of_own_messages_are_reported_and_of_no_others() {
    let mut test = trio();
    let stream = test.open("ann", with_side_events(RECEIPTS));
    assert!(settle(&mut test, stream).is_empty());
    let (dm, all) = (test.send("ann", "bob", "dm").id, test.send("ann", "all", "all").id);
    test.send("bob", "cat", "of others");
    assert!(settle(&mut test, stream).is_empty(), "a queued message is no news");
    test.listen_with("bob", ReadInput { ack_mode: AckMode::Leased { lease_ms: 60_000 }, ..ReadInput::default() });
    test.listen("cat");
    let delivered = settle(&mut test, stream);
    let states = |event: &Value| -> Vec<(u64, String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = event["receipts"].as_array().unwrap().iter();
        rows.map(|row| (row["id"].as_u64().unwrap(), text(&row["to"]), text(&row["state"]))).collect()
    };
    let row = |id, to: &str, state: &str| (id, to.to_owned(), state.to_owned());
    assert_eq!(delivered.len(), 1, "in one event");
    assert_eq!(
        states(&delivered[0].1),
        [row(dm, "bob", "delivered"), row(all, "bob", "delivered"), row(all, "cat", "delivered")]
    );
    assert!(delivered[0].1["receipts"][0]["delivered_at"].is_u64(), "as in the receipts");
    let session = test.session("bob");
    test.ask(Ack { session, consumer: None, upto: all }).unwrap();
    let acked = settle(&mut test, stream);
    assert_eq!(states(&acked[0].1), [row(dm, "bob", "acked"), row(all, "bob", "acked")]);
}

#[test]
fn d38_a_kind_is_sent_once_a_second_at_most() {
    let mut test = trio();
    let stream = test.open("ann", with_side_events(BOTH));
    let mut times = Vec::new();
    for step in 0..100 {
        test.at(step * 40);
        test.send("ann", "bob", "x");
        test.send("ann", "all", "cat does not read this");
        test.listen("bob");
        times.extend(side_events(&mut test, stream).into_iter().map(|(name, _)| (name, test.now.uptime_ms)));
    }
    for kind in ["roster", "receipt"] {
        let times: Vec<_> = times.iter().filter(|(name, _)| name == kind).map(|(_, at)| *at).collect();
        assert!((3..=5).contains(&times.len()), "{kind}: {times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1_000), "{kind}: {times:?}");
    }
}

#[test]
fn d38_what_a_slow_reader_has_not_taken_does_not_grow_and_delays_no_message() {
    let mut test = trio();
    let stream = test.open("ann", with_side_events(BOTH));
    let before = test.queued(stream).0;
    for step in 1..=10 {
        test.at(step * 2_000);
        test.send("ann", "bob", "x");
        test.listen("bob");
        let left = test.park("cat", ReadInput { since: Some(u64::MAX), ..ReadInput::default() });
        test.at(step * 2_000 + 1_000);
        test.cancel_wait(left);
    }
    assert_eq!(test.queued(stream).0, before + 2, "one event of each kind is in the queue");
    test.send_many("bob", "ann", 100);
    test.send_many("cat", "all", STREAM_EVENTS - 101);
    assert_eq!(test.ended(stream), None, "side events take no place of messages");
    assert_eq!(test.queued(stream).0, STREAM_EVENTS + 2);
    side_events(&mut test, stream);
    let next = settle(&mut test, stream);
    assert!(next.iter().any(|(name, _)| name == "roster") && next.len() <= 2, "{next:?}");
}

#[test]
fn d38_nothing_is_due_until_a_slow_reader_takes_its_event() {
    let mut test = trio();
    let stream = test.open("ann", with_side_events(BOTH));
    let is_due = |test: &TestChannel| test.channel.waiters.side.as_ref().unwrap().due_at_ms() != u64::MAX;
    let wants_more = |test: &TestChannel| test.channel.waiters.streams[&stream].progress.wants_more();
    test.at(1_000);
    assert!(!is_due(&test) && !wants_more(&test), "the first event is queued");
    test.send("ann", "bob", "x");
    test.listen("bob");
    test.at(2_000);
    test.send("bob", "cat", "y");
    test.at(3_000);
    assert!(!is_due(&test) && wants_more(&test), "the reader has the channel checked");
    let taken = side_events(&mut test, stream);
    assert_eq!(taken.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["roster", "receipt"]);
    assert!(is_due(&test) && !wants_more(&test));
    let next = settle(&mut test, stream);
    assert_eq!((next.len(), names(&next[0].1)), (1, vec!["cat"]), "{next:?}");
}

#[test]
fn d38_an_event_has_a_bounded_number_of_rows() {
    let mut test = TestChannel::new();
    (0..SIDE_EVENT_ROWS + 50).for_each(|n| drop(test.join(&format!("agent-{n}"))));
    let stream = test.open("agent-0", with_side_events(BOTH));
    let first = settle(&mut test, stream);
    assert_eq!((names(&first[0].1).len(), &first[0].1["more"]), (SIDE_EVENT_ROWS, &json!(50)));
    test.send("agent-0", "all", "x");
    (1..SIDE_EVENT_ROWS + 50).for_each(|n| drop(test.listen(&format!("agent-{n}"))));
    let events = settle(&mut test, stream);
    let (_, receipts) = events.iter().find(|(name, _)| name == "receipt").unwrap();
    assert_eq!(receipts["receipts"].as_array().unwrap().len(), SIDE_EVENT_ROWS);
    assert_eq!(receipts["more"], 49);
}

#[test]
fn d38_events_agree_with_the_roster_and_streams_without_tell_have_none() {
    let mut test = trio();
    let (stream, plain) = (test.open("ann", with_side_events(ROSTER)), test.open("cat", ReadInput::default()));
    let mut rows = std::collections::BTreeMap::new();
    let mut seed = 7_u64;
    for step in 0..300 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let name = ["ann", "bob", "cat"][(seed >> 33) as usize % 3];
        match (seed >> 40) % 5 {
            0 => drop(test.try_send(name, crate::op::harness::draft("bob", "x"))),
            1 => drop(test.send(name, "all", "x")),
            2 => drop(test.listen("bob")),
            3 => drop(test.listen_with(
                "bob",
                ReadInput { ack_mode: AckMode::Leased { lease_ms: 3_000 }, ..ReadInput::default() },
            )),
            _ => test.at(test.now.uptime_ms + 700),
        }
        assert!(side_events(&mut test, plain).is_empty());
        if step % 10 == 9 {
            for (_, event) in settle(&mut test, stream) {
                for row in event["roster_all"].as_array().unwrap() {
                    rows.insert(row["callsign"].as_str().unwrap().to_owned(), row.clone());
                }
            }
            let roster = test.query(&Roster { session: Some(test.session("ann")), limit: None }).unwrap();
            for member in roster.roster_all {
                let mut row = serde_json::to_value(&member).unwrap();
                row["seen_at"] = rows[member.callsign.as_str()]["seen_at"].clone();
                assert_eq!(rows[member.callsign.as_str()], row, "step {step}");
            }
        }
    }
    test.cut(stream);
    assert!(test.channel.waiters.side.is_none(), "nothing is watched without a reader");
}

/// The ids and states of the tasks of an event.
fn states(event: &Value) -> Vec<(u64, &str)> {
    let rows = event["tasks"].as_array().unwrap().iter();
    rows.map(|row| (row["id"].as_u64().unwrap(), row["state"].as_str().unwrap())).collect()
}

#[test]
fn d38_open_tasks_are_reported_first_and_then_those_that_change() {
    let mut test = trio();
    let work = json!({"wants": "work", "message": "fix it"});
    let [first, second] = [(); 2].map(|()| test.post("ann", &work).unwrap().id);
    test.post("ann", &json!({"reply_to": second, "state": "cancelled", "message": "no"})).unwrap();
    let (bob, cat) = (test.open("bob", with_side_events(TASKS)), test.open("cat", with_side_events(TASKS)));
    for stream in [bob, cat] {
        let events = settle(&mut test, stream);
        assert_eq!((events.len(), states(&events[0].1)), (1, vec![(first, "open")]));
        assert_eq!(events[0].1["tasks"][0]["text"], "fix it");
    }
    assert_eq!(test.channel.waiters.side.as_ref().unwrap().due_at_ms(), u64::MAX, "nothing is due");
    test.send("ann", "all", "not a task");
    assert!(settle(&mut test, bob).is_empty());
    test.takes("bob", first);
    let quiet = test.post("ann", &json!({"wants": "work", "quiet": true, "message": "when you can"})).unwrap().id;
    let events = settle(&mut test, cat);
    assert_eq!((events.len(), states(&events[0].1)), (1, vec![(first, "held"), (quiet, "open")]), "in one event");
    assert_eq!(events[0].1["tasks"][0]["holder"], "bob");
    settle(&mut test, bob);
    test.post("bob", &json!({"reply_to": first, "state": "done", "fence": 1, "message": "fixed"})).unwrap();
    let events = settle(&mut test, cat);
    assert_eq!((states(&events[0].1), &events[0].1["removed"]), (vec![(first, "done")], &Value::Null));
}

#[test]
fn d38_tasks_of_others_are_not_reported_and_one_that_is_handed_on_is_removed() {
    let mut test = trio();
    let (bob, cat) = (test.open("bob", with_side_events(TASKS)), test.open("cat", with_side_events(TASKS)));
    let id = test.post("ann", &json!({"to": "bob", "wants": "work", "message": "x"})).unwrap().id;
    assert_eq!(states(&settle(&mut test, bob)[0].1), [(id, "open")]);
    test.takes("bob", id);
    assert_eq!(states(&settle(&mut test, bob)[0].1), [(id, "held")]);
    assert!(settle(&mut test, cat).is_empty(), "it is between ann and bob");
    let hand_on = json!({"reply_to": id, "state": "open", "fence": 1, "to": "cat", "message": "yours"});
    test.post("bob", &hand_on).unwrap();
    assert_eq!(settle(&mut test, bob)[0].1, json!({"tasks": [], "removed": [id]}));
    assert_eq!(states(&settle(&mut test, cat)[0].1), [(id, "open")]);
}

#[test]
fn d38_an_event_of_tasks_is_bounded_and_waits_for_a_slow_reader() {
    let mut test = TestChannel::new();
    let writers: Vec<_> = (0..6).map(|n| format!("writer-{n}")).collect();
    ["ann"].into_iter().chain(writers.iter().map(String::as_str)).for_each(|name| drop(test.join(name)));
    let work = json!({"wants": "work", "quiet": true, "message": "x"});
    for n in 0..SIDE_EVENT_ROWS + 50 {
        test.post(&writers[n % writers.len()], &work).unwrap();
    }
    let stream = test.open("ann", with_side_events(TASKS));
    test.at(test.now.uptime_ms + 1_000);
    let before = test.queued(stream).0;
    for _ in 0..10 {
        test.post("ann", &work).unwrap();
        test.at(test.now.uptime_ms + 2_000);
    }
    assert_eq!(test.queued(stream).0, before, "one event is in the queue");
    let events = settle(&mut test, stream);
    let rows: Vec<_> = events.iter().map(|(_, event)| states(event).len()).collect();
    assert_eq!((rows, &events[0].1["more"]), (vec![SIDE_EVENT_ROWS, 10], &json!(50)));
}
