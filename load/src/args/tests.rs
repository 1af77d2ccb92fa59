//! Which flags are accepted together.

use std::time::Duration;

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    load: LoadArgs,
}

fn parses(line: &str) -> bool {
    Cli::try_parse_from(["load"].into_iter().chain(line.split(' '))).is_ok()
}

#[test]
fn a_run_needs_a_hub_or_the_baseline() {
    assert!(parses("pingpong --url http://127.0.0.1:1 --pid 7 --listen wait --seconds 0.5"));
    assert!(parses("pingpong --baseline --workers 2"));
    assert!(parses("pingpong --self --baseline"));
    assert!(parses("sends --url http://127.0.0.1:1 --baseline --json"));
    assert!(!parses("pingpong"));
    assert!(!parses("sends --baseline --pid 7"), "the process of which hub?");
    assert!(!parses("park --polls 10"));
    assert!(!parses("pingpong --self --url http://127.0.0.1:1"), "one hub only");
    assert!(!parses("pingpong --self --compare http://127.0.0.1:1 --baseline"), "two servers at most");
    assert!(!parses("pingpong --self --pid2 7"), "the process of which hub?");
    assert!(parses("broadcast --url http://127.0.0.1:1 --hub http://127.0.0.1:2 --hub http://127.0.0.1:3"));
    assert!(!parses("broadcast --self --hub http://127.0.0.1:2"), "hubs on one database");
    assert!(!parses("sends --url http://127.0.0.1:1 --hub http://127.0.0.1:2 --compare-durability"));
    assert!(parses("idle --self"), "the old name of park");
}

#[test]
fn comparing_durability_excludes_other_comparisons() {
    assert!(parses("pingpong --url http://127.0.0.1:1 --durability disk --fsync-dir /tmp"));
    assert!(parses("sends --url http://127.0.0.1:1 --compare-durability"));
    assert!(!parses("sends --url http://127.0.0.1:1 --compare-durability --durability disk"), "both are compared");
    assert!(!parses("sends --url http://127.0.0.1:1 --compare-durability --baseline"), "the baseline stores nothing");
}

#[test]
fn numbers_have_bounds() {
    assert!(!parses("pingpong --baseline --payload 10"), "too short for the tag");
    assert!(!parses("pingpong --baseline --seconds -1"));
    assert!(!parses("pingpong --baseline --seconds NaN"));
    assert!(!parses("pingpong --baseline --duration 8000h"));
    assert!(!parses("pingpong --baseline --rate 0"));
    assert!(!parses("broadcast --self --listeners 10000"), "a channel has 10,000 members, and one sends");
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
