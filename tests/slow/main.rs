//! The hub among slow clients: the real executable, hundreds of connections that move a byte at a time or not at all.
//!
//! Nothing here waits by sleeping. A slow client is slow because it moves one byte for each round of talk beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crowd;
#[path = "../api/rig/mod.rs"]
#[allow(dead_code, unused_imports, reason = "these tests use a part of what the others stand on")]
mod rig;
mod snail;
mod stalled;

/// What the page of metrics says of the hub's resident memory.
fn resident_bytes(hub: &rig::Hub) -> u64 {
    metric(hub, "process_resident_memory_bytes")
}

fn metric(hub: &rig::Hub, name: &str) -> u64 {
    let page = hub.get("/metrics").send().text();
    let told = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    told.unwrap_or_else(|| panic!("{name} is not told: {page}"))
}
