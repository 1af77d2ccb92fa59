//! Tests of work: taking, leases, handing on.

use serde_json::json;

use super::{TestChannel, channel, work};
use crate::op::{Board, BoardFilter, Take, TakeOutcome};
use crate::{Code, Effects, Entry, TaskState, WaiterId};

#[test]
fn a11_work_goes_to_one_member_and_counts_with_the_current_fence() {
    let mut test = channel(&["ann", "bob", "eve"]);
    let id = work(&mut test, "all");
    assert_eq!(test.take_task("ann", Some(id), None).unwrap_err().code, Code::Forbidden);
    assert_eq!(test.takes("bob", id), 1);
    assert_eq!(test.take_task("eve", Some(id), None).unwrap_err().code, Code::TaskTaken);
    for result in [json!({"reply_to": id, "state": "done"}), json!({"reply_to": id, "state": "done", "fence": 1})] {
        assert_eq!(test.post("eve", &result).unwrap_err().code, Code::TaskTaken, "with the fence of another, too");
    }
    assert_eq!(test.take_task("eve", Some(id), Some(1)).unwrap_err().code, Code::TaskTaken, "it is no renewal");
    assert_eq!(test.takes("bob", id), 2, "a new process of the same member");
    let stale = test.post("bob", &json!({"reply_to": id, "state": "done", "fence": 1})).unwrap_err();
    assert_eq!(stale.code, Code::FenceStale);
    let done = test.post("bob", &json!({"reply_to": id, "state": "done", "fence": 2, "message": "done"})).unwrap();
    assert_eq!((done.to.as_str(), done.task.unwrap().state), ("ann", TaskState::Done));
    assert_eq!(test.take_task("eve", Some(id), None).unwrap_err().code, Code::TaskClosed);
}

#[test]
fn a11_a_lease_that_ends_opens_the_task_and_five_of_them_fail_it() {
    let mut test = channel(&["ann", "bob"]);
    let id = work(&mut test, "bob");
    assert_eq!(test.listen("bob").unwrap().attempts, [1]);
    for attempt in 1..=5 {
        assert_eq!(test.takes("bob", id), attempt);
        let end = test.now.uptime_ms + 60_000;
        test.at(end - 1);
        assert_eq!(test.row("bob", id).state, TaskState::Held);
        test.at(end);
        let row = test.row("bob", id);
        assert_eq!((row.attempts, row.state), (attempt, if attempt < 5 { TaskState::Open } else { TaskState::Failed }));
        if attempt == 1 {
            assert_eq!(test.listen("bob").unwrap().attempts, [2], "it is due again");
            let late = test.post("bob", &json!({"reply_to": id, "state": "done", "fence": 1})).unwrap_err();
            assert_eq!(late.code, Code::FenceStale);
        }
    }
}

#[test]
fn a11_a_taking_whose_answer_was_not_received_is_given_back_and_is_no_attempt() {
    let mut test = channel(&["ann", "bob", "eve"]);
    let id = work(&mut test, "all");
    drop(test.take_task("bob", None, None).unwrap());
    test.tick();
    let row = test.row("bob", id);
    assert_eq!((row.state, row.fence, row.attempts), (TaskState::Open, Some(1), 0));
    assert_eq!(test.takes("eve", id), 2);
}

#[test]
fn a11_what_a_member_has_taken_is_open_again_when_it_leaves() {
    let mut test = channel(&["ann", "bob", "eve"]);
    let id = work(&mut test, "all");
    test.takes("bob", id);
    let session = test.session("bob");
    test.ask(crate::op::Leave { session }).unwrap();
    assert_eq!(test.row("eve", id).state, TaskState::Open);
    let fence = test.takes("eve", id);
    let given = json!({"reply_to": id, "state": "open", "fence": fence, "message": "cannot"});
    test.post("eve", &given).unwrap();
    assert_eq!(test.row("eve", id).attempts, 1, "giving back is no attempt");
}

#[test]
fn a11_of_64_takers_one_wins() {
    let takers: Vec<_> = (0..64).map(|n| format!("worker-{n}")).collect();
    let mut test = channel(&["ann"]);
    for who in &takers {
        test.join(who);
    }
    for _ in 0..50 {
        let id = work(&mut test, "all");
        let wins = takers.iter().filter(|who| {
            test.take_task(who, Some(id), None).is_ok_and(|outcome| {
                let TakeOutcome::Taken(taken) = outcome else { return false };
                taken.guard.into_iter().for_each(crate::DeliveryToken::complete);
                true
            })
        });
        assert_eq!(wins.count(), 1);
        test.post("ann", &json!({"reply_to": id, "state": "cancelled"})).unwrap();
    }
}

#[test]
fn a11_work_is_handed_on() {
    let mut test = channel(&["ann", "bob", "eve"]);
    let id = work(&mut test, "bob");
    let fence = test.takes("bob", id);
    let to_eve = json!({"reply_to": id, "state": "open", "fence": fence, "to": "eve", "message": "yours"});
    test.post("bob", &to_eve).unwrap();
    assert_eq!(test.take_task("bob", Some(id), None).unwrap_err().code, Code::NotFound, "it is no end of it any more");
    assert_eq!(test.takes("eve", id), fence + 1);
}

#[test]
fn a11_quiet_work_is_not_delivered() {
    let mut test = channel(&["ann", "bob"]);
    let poll = test.park("bob", crate::op::ReadInput::default());
    let id = test.post("ann", &json!({"wants": "work", "quiet": true, "message": "x"})).unwrap().id;
    assert!(test.answer(poll).is_none() && test.listen("bob").is_none() && test.listen("ann").is_none());
    test.send_many("ann", "all", 100);
    assert_eq!(test.listen("bob").unwrap().gap, None, "its eviction makes no gap");
    let session = test.session("bob");
    let board = test.query(&Board { session, filter: BoardFilter::default() }).unwrap();
    assert_eq!((board.tasks.len(), board.for_you), (1, 1));
    assert_eq!(test.takes("bob", id), 1);
}

#[test]
fn a11_a_parked_take_tries_again_when_there_is_work() {
    let mut test = channel(&["ann", "bob"]);
    let (session, waiter) = (test.session("bob"), WaiterId(900));
    let take = Take { session, id: None, fence: None, lease_ms: 60_000, thread: None, timeout_ms: 1000, waiter };
    assert!(matches!(test.ask(take).unwrap(), TakeOutcome::Parked));
    work(&mut test, "all");
    assert!(matches!(test.looks.remove(&waiter), Some(None)));
}

#[test]
fn a11_a_rename_and_an_ended_key_open_what_was_taken_and_the_end_of_a_session_does_not() {
    for (how, state) in [
        (Entry::RenamedAway { no: 2 }, TaskState::Open),
        (Entry::Revoked { no: 2 }, TaskState::Open),
        (Entry::Left { no: 2, evicted: true }, TaskState::Open),
        (Entry::Expired { no: 2 }, TaskState::Held),
    ] {
        let mut test = channel(&["ann", "bob"]);
        let id = work(&mut test, "all");
        test.takes("bob", id);
        test.channel.apply(&how, test.now, &mut Effects::default());
        let row = test.row("ann", id);
        assert_eq!((row.state, row.attempts), (state, u32::from(state == TaskState::Open)), "{how:?}");
    }
}

#[test]
fn a11_pages_of_the_board_leave_out_no_task_that_changed_at_the_same_moment() {
    let mut test = channel(&["ann", "bob"]);
    for n in 0..7 {
        let body = json!({"wants": "work", "quiet": true, "deadline_seconds": 60, "message": n.to_string()});
        test.post("ann", &body).unwrap();
    }
    let pages = |test: &mut TestChannel| {
        let session = test.session("bob");
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let filter = BoardFilter { limit: Some(2), before, ..BoardFilter::default() };
            let page = test.query(&Board { session: session.clone(), filter }).unwrap();
            seen.extend(page.tasks.iter().map(|task| task.id));
            if page.before.is_none() {
                return seen;
            }
            before = page.before;
        }
    };
    assert_eq!(pages(&mut test).len(), 7, "all were posted at one moment");
    test.at(test.now.uptime_ms + 61_000);
    assert_eq!(pages(&mut test).len(), 7, "all have expired at one moment");
}
