//! The latency of the doorbell: from a send to the exit of `rogerrat wait`.
//!
//! `ROGERRAT_RECEIVE_RINGS=500 cargo test --release --test integration receive::bell -- --nocapture` rings 500 times and
//! prints the figures.

use std::time::Duration;

use rogerrat_testkit::{ClientCommand, Hub, timed};

/// Much longer than it takes, and much shorter than polling would take.
const LONGEST: Duration = Duration::from_millis(500);

#[test]
fn a_send_ends_a_wait_without_polling_delay() {
    let rings = std::env::var("ROGERRAT_RECEIVE_RINGS").ok().and_then(|rings| rings.parse().ok()).unwrap_or(20);
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut rung: Vec<_> = (0..rings)
        .map(|_| {
            let wait = ClientCommand::start_as(&bob, &["wait", "--settle", "0"]);
            bob.until_waiting(true);
            let (time, ended) = timed(|| {
                ann.say("ring");
                wait.wait_for_exit()
            });
            assert_eq!(ended.code, Some(0), "{ended:?}");
            time
        })
        .collect();
    rung.sort();
    let (p50, p99) = (rung[rings / 2], rung[rings * 99 / 100]);
    println!("from a send to the end of wait, {rings} times: p50 {p50:?}, p99 {p99:?}");
    assert!(p50 < LONGEST, "{p50:?}");
}
