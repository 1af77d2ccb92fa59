//! A hub that lies is found out: the figures name the lie, and the exit code is 1.

use serde_json::Value;

use super::liar::{Liar, Lie};
use super::run::load;

/// What went wrong in a run of `sends`, by its name.
#[track_caller]
fn found(lie: Lie, scenario: &[&str]) -> (Option<i32>, [u64; 4]) {
    let liar = Liar::start(lie);
    let ended = load(&[scenario, &["--url", &liar.url, "--json"]].concat());
    let figures: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{lie:?}: {ended:?}"));
    let of = |name: &str| figures["sides"][0][name].as_u64().unwrap();
    (ended.code, ["lost", "doubled", "reordered", "strayed"].map(of))
}

const SENDS: [&str; 5] = ["sends", "--channels", "1", "--senders", "1"];

#[test]
fn an_honest_one_is_clean() {
    assert_eq!(found(Lie::None, &SENDS), (Some(0), [0; 4]));
    assert_eq!(found(Lie::None, &["pingpong", "--pairs", "1"]), (Some(0), [0; 4]));
}

#[test]
fn a_loss_is_found() {
    let (code, [lost, doubled, reordered, _]) = found(Lie::Lose, &SENDS);
    assert_eq!((code, doubled, reordered), (Some(1), 0, 0));
    assert!(lost > 0);
    let (code, [lost, ..]) = found(Lie::Lose, &["pingpong", "--pairs", "1"]);
    assert!(code == Some(1) && lost > 0, "a pair that waits for ever has lost one");
}

#[test]
fn a_double_is_found() {
    let (code, [lost, doubled, reordered, _]) = found(Lie::Double, &SENDS);
    assert_eq!((code, lost, reordered), (Some(1), 0, 0));
    assert!(doubled > 0);
}

#[test]
fn a_wrong_order_is_found() {
    let (code, [lost, doubled, reordered, _]) = found(Lie::Swap, &SENDS);
    assert_eq!((code, doubled), (Some(1), 0));
    // The very last one may be held back for ever.
    assert!(reordered > 0 && lost <= 1, "{reordered} {lost}");
}

#[test]
fn a_message_for_somebody_else_and_a_cut_one_are_found() {
    let (code, [.., strayed]) = found(Lie::Mislead, &["pingpong", "--pairs", "1"]);
    assert!(code == Some(1) && strayed > 0);
    let (code, [.., strayed]) = found(Lie::Cut, &SENDS);
    assert!(code == Some(1) && strayed > 0);
}
