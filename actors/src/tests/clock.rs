//! A wall clock that jumps: no channel is deleted and no session ends.

use std::sync::Arc;

use rogerrat_domain::op::CreateInput;

use super::harness::{HOUR_MS, TestHub};
use crate::{MemoryLog, Ports};

const YEAR_MS: i64 = 365 * 24 * 3_600_000;

async fn pass_hours(test_hub: &TestHub, hours: u64) {
    for _ in 0..hours {
        test_hub.pass(HOUR_MS).await;
    }
}

/// A channel that no one uses, over a jump and its correction.
async fn keep_a_channel(jump_ms: i64) {
    let test_hub = TestHub::new().await;
    let id = test_hub.at.id().clone();
    pass_hours(&test_hub, 7).await;
    test_hub.clock.jump(jump_ms);
    pass_hours(&test_hub, 5).await;
    test_hub.clock.jump(-jump_ms);
    pass_hours(&test_hub, 28 * 24).await;
    assert!(test_hub.hub.find(id.as_str()).await.is_ok());
}

/// A session of a channel that was unloaded before the jump.
async fn keep_a_session(jump_ms: i64) {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    for _ in 0..10 {
        test_hub.pass(60_000).await;
    }
    assert!(!test_hub.handle().is_live(), "it was unloaded");
    test_hub.clock.jump(jump_ms);
    let first = ann.send("all", "one").await.unwrap();
    test_hub.clock.jump(-jump_ms);
    assert!(ann.send("all", "two").await.unwrap().id > first.id);
}

#[actix_rt::test]
async fn d37_a_jump_forward_deletes_no_channel() {
    keep_a_channel(10 * YEAR_MS).await;
}

#[actix_rt::test]
async fn d37_a_jump_back_deletes_no_channel() {
    keep_a_channel(-10 * YEAR_MS).await;
}

#[actix_rt::test]
async fn d37_a_jump_forward_ends_no_session_of_an_unloaded_channel() {
    keep_a_session(10 * YEAR_MS).await;
}

#[actix_rt::test]
async fn d10_d37_a_jump_back_ends_no_session_and_repeats_no_id() {
    keep_a_session(-10 * YEAR_MS).await;
}

#[actix_rt::test]
async fn d37_a_channel_from_before_the_time_was_known_is_kept() {
    let ports = Ports::with_log(Arc::new(MemoryLog::default()));
    let test_hub = TestHub::starting_at(5_000, ports, CreateInput::default()).await;
    for _ in 0..120 {
        test_hub.pass(60_000).await;
    }
    test_hub.clock.jump(56 * YEAR_MS);
    pass_hours(&test_hub, 29 * 24).await;
    assert!(test_hub.hub.find(test_hub.at.id().as_str()).await.is_ok());
}
