//! A hub with a fault is detected: the figures name the fault, and the exit code is 1.

use serde_json::Value;

use super::faulty_hub::{Fault, FaultyHub};
use super::run::load;

/// The exit code of a run, and the numbers of lost, duplicated, reordered and misdelivered messages.
#[track_caller]
fn detected(fault: Fault, scenario: &[&str]) -> (Option<i32>, [u64; 4]) {
    let hub = FaultyHub::start(fault);
    let ended = load(&[scenario, &["--url", &hub.url, "--json"]].concat());
    let figures: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{fault:?}: {ended:?}"));
    let of = |name: &str| figures["sides"][0][name].as_u64().unwrap();
    (ended.code, ["lost", "doubled", "reordered", "strayed"].map(of))
}

const SENDS: [&str; 5] = ["sends", "--channels", "1", "--senders", "1"];

#[test]
fn a_hub_without_a_fault_is_clean() {
    assert_eq!(detected(Fault::None, &SENDS), (Some(0), [0; 4]));
    assert_eq!(detected(Fault::None, &["pingpong", "--pairs", "1"]), (Some(0), [0; 4]));
}

#[test]
fn a_loss_is_detected() {
    let (code, [lost, doubled, reordered, _]) = detected(Fault::Lose, &SENDS);
    assert_eq!((code, doubled, reordered), (Some(1), 0, 0));
    assert!(lost > 0);
    let (code, [lost, ..]) = detected(Fault::Lose, &["pingpong", "--pairs", "1"]);
    assert!(code == Some(1) && lost > 0, "a pair that waits for ever has lost a message");
}

#[test]
fn a_duplicate_is_detected() {
    let (code, [lost, doubled, reordered, _]) = detected(Fault::Double, &SENDS);
    assert_eq!((code, lost, reordered), (Some(1), 0, 0));
    assert!(doubled > 0);
}

#[test]
fn a_wrong_order_is_detected() {
    let (code, [lost, doubled, reordered, _]) = detected(Fault::Swap, &SENDS);
    assert_eq!((code, doubled), (Some(1), 0));
    // The last message may never be delivered.
    assert!(reordered > 0 && lost <= 1, "{reordered} {lost}");
}

#[test]
fn a_misdelivered_and_a_truncated_message_are_detected() {
    let (code, [.., strayed]) = detected(Fault::Misdeliver, &["pingpong", "--pairs", "1"]);
    assert!(code == Some(1) && strayed > 0);
    let (code, [.., strayed]) = detected(Fault::Cut, &SENDS);
    assert!(code == Some(1) && strayed > 0);
}
