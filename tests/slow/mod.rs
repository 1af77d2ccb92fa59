//! Slow clients: hundreds of connections that read or write one byte at a time, or not at all.
//!
//! Nothing here sleeps. A slow client moves one byte for each round of messages between other agents.

mod crowd;
mod slow_client;
mod stalled;

use rogerrat_testkit::Hub;

/// The hub's resident memory, from its metrics.
fn resident_bytes(hub: &Hub) -> u64 {
    metric(hub, "process_resident_memory_bytes")
}

fn metric(hub: &Hub, name: &str) -> u64 {
    let page = hub.get("/metrics").send().text();
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or_else(|| panic!("no metric {name}: {page}"))
}
