//! What can be said, and what cannot.

use std::time::Duration;

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Alone {
    #[command(flatten)]
    load: LoadArgs,
}

fn parses(line: &str) -> bool {
    Alone::try_parse_from(["load"].into_iter().chain(line.split(' '))).is_ok()
}

#[test]
fn a_run_needs_a_hub_or_the_baseline() {
    assert!(parses("pingpong --url http://127.0.0.1:1 --pid 7 --listen wait --seconds 0.5"));
    assert!(parses("pingpong --baseline --workers 2"));
    assert!(parses("pingpong --self --baseline"));
    assert!(parses("sends --url http://127.0.0.1:1 --baseline --json"));
    assert!(!parses("pingpong"));
    assert!(!parses("sends --baseline --pid 7"), "whose process?");
    assert!(!parses("park --polls 10"));
    assert!(!parses("pingpong --self --url http://127.0.0.1:1"), "one or the other");
    assert!(!parses("pingpong --self --compare http://127.0.0.1:1 --baseline"), "two at most");
    assert!(!parses("pingpong --self --pid2 7"), "whose process?");
    assert!(parses("idle --self"), "the old name of park");
}

#[test]
fn turns_between_kinds_of_channels_exclude_other_turns() {
    assert!(parses("pingpong --url http://127.0.0.1:1 --durability disk --fsync-dir /tmp"));
    assert!(parses("sends --url http://127.0.0.1:1 --compare-durability"));
    assert!(!parses("sends --url http://127.0.0.1:1 --compare-durability --durability disk"), "both are compared");
    assert!(!parses("sends --url http://127.0.0.1:1 --compare-durability --baseline"), "the baseline keeps nothing");
}

#[test]
fn numbers_have_bounds() {
    assert!(!parses("pingpong --baseline --payload 10"), "no room for the number");
    assert!(!parses("pingpong --baseline --seconds -1"));
    assert!(!parses("pingpong --baseline --seconds NaN"));
    assert!(!parses("pingpong --baseline --duration 8000h"));
    assert!(!parses("pingpong --baseline --rate 0"));
    assert!(!parses("broadcast --self --listeners 10000"), "a channel has 10,000 members, and one speaks");
    assert!(!parses("pingpong --self --connections 3"), "only HTTP/2 shares connections");
}

#[test]
fn times_have_units() {
    let seconds = |text: &str| text.parse::<Length>().map(|length| length.0);
    assert_eq!(seconds("90"), Ok(Duration::from_secs(90)));
    assert_eq!(seconds("1.5m"), Ok(Duration::from_secs(90)));
    assert_eq!(seconds("2h"), Ok(Duration::from_secs(7200)));
    assert!(seconds("h").is_err() && seconds("").is_err() && seconds("-1s").is_err());
}
