//! Scripted histories: each violation is detected, and nothing else.

use super::*;

fn by(worker: WorkerNo, fence: u32) -> Finish {
    Finish { worker, fence }
}

fn done(fence: u32, results: &[Finish]) -> ClosedTask {
    let results = results.iter().copied().map(Some).collect();
    ClosedTask { state: "done".into(), why: None, fence, updated_at: 1, results }
}

/// A task that worker 1 has taken with fence 1.
fn taken() -> WorkOracle {
    let mut oracle = WorkOracle::default();
    oracle.posted(7);
    oracle.taken(7, by(1, 1), 0);
    oracle
}

#[track_caller]
fn finds(oracle: &WorkOracle, what: &[&str]) {
    assert_eq!(oracle.violations.keys().copied().collect::<Vec<_>>(), what, "{:?}", oracle.first_violations);
}

#[test]
fn a11_a_task_that_is_finished_once_is_fine() {
    let mut oracle = taken();
    oracle.taken(7, by(2, 2), 1);
    oracle.sends(7, by(1, 1));
    oracle.refused(7, by(1, 1));
    oracle.sends(7, by(2, 2));
    assert_eq!(oracle.open(), [7]);
    oracle.accepted(7, by(2, 2), 2);
    oracle.accepted(7, by(2, 2), 2);
    oracle.closed(7, &done(2, &[by(2, 2)]));
    assert_eq!((oracle.open().len(), oracle.counts.finished), (0, 1));
    finds(&oracle, &[]);
}

#[test]
fn a11_a_result_without_a_response_may_have_been_accepted() {
    let mut oracle = taken();
    oracle.sends(7, by(1, 1));
    oracle.closed(7, &done(1, &[by(1, 1)]));
    oracle.accepted(7, by(1, 1), 1);
    finds(&oracle, &[]);
}

#[test]
fn a11_each_violation_is_found() {
    let mut twice = taken();
    twice.taken(7, by(2, 2), 1);
    twice.accepted(7, by(2, 2), 2);
    twice.accepted(7, by(1, 1), 1);
    finds(&twice, &["a task was finished twice"]);

    let mut stale = taken();
    stale.accepted(7, by(1, 1), 2);
    finds(&stale, &["a stale fence was accepted"]);

    let mut shared = taken();
    shared.taken(7, by(2, 1), 0);
    finds(&shared, &["a fence was given twice"]);

    let mut back = taken();
    back.taken(7, by(2, 2), 5);
    finds(&back, &["a fence did not grow"]);

    let mut again = taken();
    again.accepted(7, by(1, 1), 1);
    again.closed(7, &done(1, &[by(1, 1)]));
    again.taken(7, by(2, 2), 1);
    finds(&again, &["a finished task was given out"]);

    let mut lost = taken();
    lost.accepted(7, by(1, 1), 1);
    let failed = ClosedTask {
        state: "failed".into(),
        why: Some("attempts".into()),
        fence: 1,
        updated_at: 1,
        results: Vec::new(),
    };
    lost.closed(7, &failed);
    finds(&lost, &["a result was lost"]);

    let mut forged = taken();
    forged.closed(7, &done(1, &[by(3, 1)]));
    finds(&forged, &["a result that was not sent"]);

    let mut old = taken();
    old.sends(7, by(1, 1));
    old.closed(7, &done(2, &[by(1, 1)]));
    finds(&old, &["the result of another fence"]);

    let mut two = taken();
    two.sends(7, by(1, 1));
    two.closed(7, &done(1, &[by(1, 1), by(2, 2)]));
    finds(&two, &["a wrong end"]);

    let mut refused = taken();
    refused.accepted(7, by(1, 1), 1);
    refused.refused(7, by(1, 1));
    finds(&refused, &["an accepted result was refused"]);

    let mut gone = taken();
    gone.lost(7);
    finds(&gone, &["a task was lost"]);
}

#[test]
fn a11_a_result_is_recognised_by_its_text() {
    assert_eq!(Finish::of_text(&by(3, 12).text()), Some(by(3, 12)));
    assert_eq!(Finish::of_text("worker x fence 1"), None);
}

#[test]
fn a11_a_task_may_be_dropped_once_as_many_were_closed_after_it_as_are_kept() {
    let mut oracle = WorkOracle::default();
    for id in 0..=TASKS_CLOSED as u64 {
        assert!(!oracle.may_be_dropped(0));
        oracle.posted(id);
        oracle.sends(id, by(1, 1));
        oracle.closed(id, &ClosedTask { updated_at: id, ..done(1, &[by(1, 1)]) });
    }
    assert!(oracle.may_be_dropped(0) && !oracle.may_be_dropped(1));
    assert_eq!(oracle.closed_after(0), TASKS_CLOSED);
    // One that is open may be closed since.
    oracle.posted(1_000);
    assert!(oracle.may_be_dropped(1) && !oracle.may_be_dropped(1_000));
    finds(&oracle, &[]);
}
