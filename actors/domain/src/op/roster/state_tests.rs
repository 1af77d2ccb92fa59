//! Tests of what members say of themselves, and of what is there for them.

use serde_json::{Value, json};

use crate::limits::{SESSION_TTL_MS, TASK_LEASE_MIN_MS};
use crate::op::harness::{START_MS, TestChannel, parse_draft, rules};
use crate::op::{Join, JoinReply, Keepalive, Leave, MemberPresence, ReadInput, Roster, RosterReply, Take, TakeOutcome};
use crate::{
    Callsign, Code, DmVisibility, Durability, Effects, Entry, GapReason, MemberState, Refusal, Settings, Snapshot,
    TokenHash, WaiterId,
};

fn settings(change: impl FnOnce(&mut Settings)) -> TestChannel {
    let mut settings = Settings::plain(TokenHash::of("t"), START_MS);
    change(&mut settings);
    let mut test = TestChannel::with(settings);
    for who in ["ann", "bob", "eve"] {
        test.join(who);
    }
    test
}

fn channel() -> TestChannel {
    settings(|_| {})
}

fn status(test: &mut TestChannel, who: &str, body: &Value) -> Result<crate::op::SendReply, Refusal> {
    let mut body = body.clone();
    body["kind"] = "status".into();
    test.try_send(who, parse_draft(&body)?)
}

fn roster(test: &mut TestChannel, viewer: Option<&str>) -> RosterReply {
    let session = viewer.map(|who| test.session(who));
    test.query(&Roster { session, limit: None }).unwrap()
}

fn member(test: &mut TestChannel, viewer: Option<&str>, of: &str) -> MemberPresence {
    roster(test, viewer).members.into_iter().find(|member| member.callsign.as_str() == of).unwrap()
}

fn join_saying(test: &mut TestChannel, who: &str, about: &str) -> JoinReply {
    let session = test.sessions.get(who).and_then(|session| session.text().map(str::to_owned));
    let request = test.join_request(Some(who), session.as_deref());
    test.joins(Join { about: Some(about.into()), ..request }).unwrap()
}

#[test]
fn a12_a_state_is_shown_until_the_next_one_or_the_end_of_the_session() {
    let mut test = channel();
    assert_eq!(member(&mut test, None, "bob").state, None);
    let poll = test.park("ann", ReadInput::default());
    let reply =
        status(&mut test, "bob", &json!({"state": "working", "until_seconds": 60, "message": "parser"})).unwrap();
    assert_eq!(reply.to, "all");
    let message: Value = serde_json::from_slice(&test.answer(poll).unwrap().messages[0].message.json()).unwrap();
    assert_eq!((&message["state"], &message["until"]), (&json!("working"), &json!(START_MS + 60_000)));
    let seen = member(&mut test, Some("ann"), "bob");
    assert_eq!((seen.state, seen.note.as_deref()), (Some(MemberState::Working), Some("parser")));
    assert_eq!((seen.until, seen.overdue), (Some(START_MS + 60_000), false));
    let short = roster(&mut test, None).roster_all.into_iter().find(|one| one.callsign.as_str() == "bob").unwrap();
    assert_eq!((short.state, short.until), (seen.state, seen.until));
    test.at(60_000);
    assert!(member(&mut test, None, "bob").overdue);
    status(&mut test, "bob", &json!({"message": "still here"})).unwrap();
    assert!(member(&mut test, None, "bob").overdue, "a status without a state states nothing");
    status(&mut test, "bob", &json!({"state": "away"})).unwrap();
    let seen = member(&mut test, None, "bob");
    assert_eq!((seen.state, seen.note, seen.until, seen.overdue), (Some(MemberState::Away), None, None, false));
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    assert_eq!(member(&mut test, None, "bob").state, None);
    status(&mut test, "eve", &json!({"state": "quota"})).unwrap();
    test.at(60_000 + SESSION_TTL_MS);
    assert_eq!(member(&mut test, None, "eve").state, None);
    assert!(test.channel.members.values().all(|member| member.profile.is_none()), "nothing is kept for nothing");
}

#[test]
fn a12_the_sender_of_a_dm_learns_the_state_of_its_recipient() {
    let mut test = channel();
    status(&mut test, "bob", &json!({"state": "quota", "until_seconds": 600})).unwrap();
    let recipient = test.send("ann", "bob", "hi").recipient.unwrap();
    assert_eq!((recipient.state, recipient.until), (Some(MemberState::Quota), Some(START_MS + 600_000)));
    let recipient = test.send("ann", "eve", "hi").recipient.unwrap();
    assert_eq!((recipient.state, recipient.until), (None, None));
}

#[test]
fn a12_the_fields_of_a_state_are_checked() {
    let mut test = channel();
    for body in [
        json!({"state": "done"}),
        json!({"state": "away", "to": "ann"}),
        json!({"state": "away", "until_seconds": 0}),
        json!({"state": "away", "until_seconds": 2_592_001}),
        json!({"until_seconds": 60, "message": "x"}),
        json!({"message": ""}),
        json!({"state": "away", "fence": 1}),
        json!({"state": "away", "data": {}}),
        json!({"state": "away", "wants": "answer"}),
    ] {
        assert_eq!(status(&mut test, "bob", &body).unwrap_err().code, Code::Invalid, "{body}");
    }
    let as_messages = [json!({"state": "idle", "message": "x"}), json!({"until_seconds": 5, "message": "x"})];
    for body in as_messages.into_iter().chain([json!({"reply_to": 1, "state": "quota", "message": "x"})]) {
        assert_eq!(parse_draft(&body).unwrap_err().code, Code::Invalid, "{body}");
    }
    assert_eq!(member(&mut test, None, "bob").state, None);
}

#[test]
fn a12_a_repeated_status_is_done_once_and_another_state_is_another_body() {
    let mut test = channel();
    let body = |state: &str| json!({"state": state, "client_msg_id": "k"});
    assert!(!status(&mut test, "bob", &body("quota")).unwrap().duplicate);
    status(&mut test, "bob", &json!({"state": "idle"})).unwrap();
    assert!(status(&mut test, "bob", &body("quota")).unwrap().duplicate);
    assert_eq!(member(&mut test, None, "bob").state, Some(MemberState::Idle));
    assert_eq!(status(&mut test, "bob", &body("away")).unwrap_err().code, Code::IdempotencyConflict);
}

#[test]
fn a12_what_a_member_does_stays_until_it_says_something_else() {
    let mut test = channel();
    assert!(join_saying(&mut test, "bob", "reviews").idempotent);
    assert_eq!(member(&mut test, None, "bob").about.as_deref(), Some("reviews"));
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    test.join("bob");
    assert_eq!(member(&mut test, None, "bob").about.as_deref(), Some("reviews"));
    join_saying(&mut test, "bob", "");
    assert_eq!(member(&mut test, None, "bob").about, None);
    assert!(!join_saying(&mut test, "new", "tests").idempotent);
    assert_eq!(member(&mut test, None, "new").about.as_deref(), Some("tests"));
}

/// The channel after a restart: from its snapshot if there is one, and the log after it.
fn restored(test: &TestChannel, snapshot: Option<&Snapshot>, from: usize) -> TestChannel {
    let durable = test.channel.settings().is_durable();
    let mut next = TestChannel::opened(test.channel.settings().clone(), rules(), test.channel.last_id(), None);
    next.now = test.now;
    next.sessions.clone_from(&test.sessions);
    if let Some(snapshot) = snapshot {
        let stored = serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap();
        next.channel.restore(stored, &[], 1, next.now).unwrap();
    }
    let log: Vec<_> = test.log[from..].iter().filter(|entry| entry.is_logged(durable)).collect();
    let log: Vec<crate::Entry> = serde_json::from_str(&serde_json::to_string(&log).unwrap()).unwrap();
    next.channel.replay(log.iter(), next.now);
    next
}

#[test]
fn a12_states_survive_a_restart_and_texts_only_where_texts_are_stored() {
    for durability in [Durability::Memory, Durability::Disk] {
        let mut test = settings(|settings| settings.durability = durability);
        join_saying(&mut test, "new", "tests");
        join_saying(&mut test, "bob", "reviews");
        status(&mut test, "bob", &json!({"state": "quota", "until_seconds": 60, "message": "limit"})).unwrap();
        let log = serde_json::to_string(&test.log.iter().filter(|e| e.is_logged(false)).collect::<Vec<_>>()).unwrap();
        let has_texts = ["limit", "reviews", "tests"].map(|text| log.contains(text));
        assert_eq!(has_texts, [false, false, durability == Durability::Disk], "{log}");
        let (snapshot, at) = (test.channel.snapshot(None, test.now), test.log.len());
        let is_stored = serde_json::to_string(&snapshot).unwrap();
        assert!(!is_stored.contains("limit"));
        assert_eq!(is_stored.contains("reviews"), durability == Durability::Disk);
        status(&mut test, "eve", &json!({"state": "away"})).unwrap();
        for (with, from) in [(Some(&snapshot), at), (None, 0)] {
            let mut next = restored(&test, with, from);
            let bob = member(&mut next, None, "bob");
            assert_eq!((bob.state, bob.until), (Some(MemberState::Quota), Some(START_MS + 60_000)));
            assert_eq!(bob.note, None, "the text of a status is never stored");
            let about = (durability == Durability::Disk).then_some("reviews");
            assert_eq!(bob.about.as_deref(), about);
            assert_eq!(member(&mut next, None, "new").about.as_deref(), about.map(|_| "tests"));
            assert_eq!(member(&mut next, None, "eve").state, Some(MemberState::Away));
            next.at(next.now.uptime_ms + 60_000);
            assert!(member(&mut next, None, "bob").overdue);
        }
    }
}

fn take(test: &mut TestChannel, who: &str) {
    let (session, waiter) = (test.session(who), WaiterId(99));
    let take =
        Take { session, id: None, fence: None, lease_ms: TASK_LEASE_MIN_MS, thread: None, timeout_ms: 0, waiter };
    let TakeOutcome::Taken(taken) = test.ask(take).unwrap() else { panic!("there is work") };
    taken.guard.into_iter().for_each(crate::DeliveryToken::complete);
    test.tick();
}

#[test]
fn a12_the_roster_counts_what_each_has_taken_as_far_as_its_viewer_may_see_it() {
    for (visibility, seen) in [(DmVisibility::Channel, 2), (DmVisibility::Private, 1)] {
        let mut test = settings(|settings| settings.dm_visibility = visibility);
        for to in ["bob", "all"] {
            test.post("ann", &json!({"to": to, "wants": "work", "message": "x"})).unwrap();
            take(&mut test, "bob");
        }
        assert_eq!(member(&mut test, Some("ann"), "bob").holds, 2);
        assert_eq!(member(&mut test, Some("bob"), "bob").holds, 2);
        for viewer in [Some("eve"), None] {
            assert_eq!(member(&mut test, viewer, "bob").holds, seen, "{viewer:?}");
        }
        assert_eq!(member(&mut test, None, "ann").holds, 0);
    }
}

#[test]
fn a12_replies_say_how_many_tasks_are_for_the_caller() {
    let mut test = channel();
    let session = test.session("bob");
    let for_bob = |test: &mut TestChannel| {
        let counts = [
            test.ask(Keepalive { session: session.clone() }).unwrap().tasks,
            test.query(&Roster { session: Some(session.clone()), limit: None }).unwrap().tasks,
            test.send("bob", "all", "x").tasks,
            test.join_as(Some("bob"), session.text()).unwrap().tasks,
        ];
        let counts = counts.map(|tasks| tasks.map_or(0, |tasks| tasks.for_you));
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
        counts[0]
    };
    assert_eq!(for_bob(&mut test), 0);
    let asked = test.post("ann", &json!({"to": "bob", "wants": "answer", "message": "?"})).unwrap();
    test.post("ann", &json!({"to": "all", "wants": "work", "message": "x"})).unwrap();
    test.post("ann", &json!({"to": "eve", "wants": "work", "message": "x"})).unwrap();
    assert_eq!(for_bob(&mut test), 2);
    assert_eq!(roster(&mut test, None).tasks, None, "without a session they are for nobody");
    take(&mut test, "bob");
    test.post("bob", &json!({"reply_to": asked.id, "message": "yes"})).unwrap();
    assert_eq!(for_bob(&mut test), 0);
}

#[test]
fn a12_a_status_changes_no_task() {
    let mut test = channel();
    let asked = test.post("ann", &json!({"to": "bob", "wants": "answer", "message": "?"})).unwrap();
    let reply = status(&mut test, "bob", &json!({"reply_to": asked.id, "message": "looking"})).unwrap();
    assert_eq!((reply.to.as_str(), reply.task.unwrap().state), ("ann", crate::TaskState::Open));
}

#[test]
fn a12_a_stream_that_wants_to_know_has_an_event_for_a_new_state() {
    let mut test = channel();
    let side = crate::SideEventSet { roster: true, ..Default::default() };
    let stream = test.open("ann", ReadInput { side_events: side, ..ReadInput::default() });
    test.at(2_000);
    test.frames(stream);
    for (n, note) in ["one", "two"].into_iter().enumerate() {
        status(&mut test, "bob", &json!({"state": "blocked", "message": note})).unwrap();
        test.at(4_000 + 2_000 * n as u64);
        let frames = test.frames(stream).concat();
        assert!(frames.contains("event: roster") && frames.contains(r#""state":"blocked""#), "{frames}");
    }
}

#[test]
fn a12_10_000_members_answer_in_bounded_bytes() {
    let mut test = TestChannel::new();
    let about = "ü".repeat(280);
    for no in 1..=10_000 {
        let joined = Entry::Joined {
            no,
            callsign: Callsign::parse(&format!("agent-{no:05}")).unwrap(),
            generation: 1,
            own_session: None,
            identity: None,
            cursor: 0,
            shown_upto: 0,
            about: Some(about.clone().into()),
            at_ms: START_MS,
        };
        test.channel.apply(&joined, test.now, &mut Effects::default());
    }
    let bytes = |reply: &RosterReply| serde_json::to_vec(reply).unwrap().len();
    let all = test.query(&Roster { session: None, limit: None }).unwrap();
    assert_eq!((all.members.len(), all.more), (1000, 9000));
    assert!(bytes(&all) < 5 << 20, "{}", bytes(&all));
    let few = test.query(&Roster { session: None, limit: Some(10) }).unwrap();
    assert!(few.members.len() == 10 && bytes(&few) < 16 << 10, "{}", bytes(&few));
}

#[test]
fn a12_a_crash_forgets_no_state() {
    let mut test = channel();
    status(&mut test, "bob", &json!({"state": "working"})).unwrap();
    let mut next = test.restarted(GapReason::Restart);
    assert_eq!(member(&mut next, None, "bob").state, Some(MemberState::Working));
}
