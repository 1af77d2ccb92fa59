//! A contest of hub and floor: the ratio and its verdict.

use super::super::floor;
use super::super::target::PollKind;
use super::*;

/// Plays against a floor in this process.
async fn play(play: Play) -> Report {
    let (server, address) = floor::serve(0, 1).unwrap();
    let handle = server.handle();
    let server = tokio::spawn(server);
    let target = Target::parse(&format!("http://{address}"), None).unwrap();
    let report = measure(play, &target, None, Duration::from_millis(20), Duration::from_millis(200)).await.unwrap();
    handle.stop(false).await;
    server.await.unwrap().unwrap();
    report
}

fn assert_clean(report: &Report) {
    assert!(report.hops > 0, "{report}");
    assert!(report.disorder.is_none() && report.errors.is_empty(), "{report}");
    assert!(report.latency_us.p50 > 0 && report.latency_us.p50 <= report.latency_us.max, "{report}");
}

#[tokio::test]
async fn pairs_lose_nothing_on_the_floor() {
    for poll in [PollKind::Listen, PollKind::Wait] {
        let report = play(Play::Pingpong(Pingpong { pairs: 4, payload_bytes: 200, poll, durability: None })).await;
        assert_clean(&report);
        assert_eq!(report.answer_us, None);
    }
}

#[tokio::test]
async fn senders_lose_nothing_on_the_floor() {
    let load = Sends { channels: 2, senders: 3, payload_bytes: 48, poll: PollKind::Wait, sides: Sides::One(None) };
    let report = play(Play::Sends(load)).await;
    assert_clean(&report);
    assert!(report.answer_us.is_some());
}

#[tokio::test]
async fn two_kinds_take_turns_and_lose_nothing() {
    let load = Sends { channels: 2, senders: 3, payload_bytes: 48, poll: PollKind::Wait, sides: Sides::MemoryAndDisk };
    assert_eq!(Play::Sends(load).sockets(), 2 * (3 + 2));
    let report = play(Play::Sends(load)).await;
    assert_clean(&report);
    assert_eq!(report.answer_us, None, "each kind has its own");
    let turns = report.durability.as_ref().map(ToString::to_string).unwrap();
    assert!(turns.contains("disk : memory = ") && !turns.contains(" 0 sends/s"), "{turns}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_counted_fault() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = Target::parse(&format!("http://{closed}"), None).unwrap();
    let game = Play::Pingpong(Pingpong { pairs: 1, payload_bytes: 48, poll: PollKind::Listen, durability: None });
    let hour = Duration::from_secs(3600);
    let report = measure(game, &target, None, hour, hour).await.unwrap();
    assert_eq!(report.errors.get("connect"), Some(&1), "{report}");
}
