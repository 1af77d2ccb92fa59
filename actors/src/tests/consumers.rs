//! Named consumers that are not read, while their channel leaves memory and comes back.

use std::sync::Arc;

use rogerrat_domain::Code;
use rogerrat_domain::op::CreateInput;

use super::harness::{Agent, HOUR_MS, TestHub};
use super::log::{Held, TestLog};
use super::log_writes::durable;

fn long_sessions() -> CreateInput {
    CreateInput { session_ttl_seconds: Some(86_400.0), ..durable() }
}

async fn try_read(agent: &Agent, consumer: &str) -> Option<Code> {
    agent.lease(Some(consumer)).await.err().map(|error| error.into_refusal().code)
}

/// Two days pass in which a member is online and reads with one of its consumers.
async fn two_days(test_hub: &TestHub, agent: &Agent, reads: &str) {
    for _ in 0..3 {
        test_hub.pass(16 * HOUR_MS).await;
        assert_eq!(test_hub.hub.totals().now.channels_live, 0, "the channel left memory");
        assert_eq!(try_read(agent, reads).await, None);
    }
}

#[actix_rt::test]
async fn d30_a_consumer_that_was_not_read_for_a_week_makes_room() {
    let log = Arc::new(TestLog::default());
    let test_hub = TestHub::with(Held::new(log.clone()), long_sessions()).await;
    let bob = test_hub.join("bob").await;
    for n in 1..8 {
        assert_eq!(try_read(&bob, &format!("c{n}")).await, None);
    }
    for _ in 0..3 {
        two_days(&test_hub, &bob, "c1").await;
        assert_eq!(try_read(&bob, "new").await, Some(Code::LimitReached));
    }
    // A clean restart keeps count, a crash does not.
    test_hub.hub.drain().await;
    test_hub.hub.close().await;
    let test_hub = test_hub.restarted(Held::new(log.clone())).await;
    let bob = bob.at(&test_hub);
    assert_eq!(try_read(&bob, "new").await, Some(Code::LimitReached));
    two_days(&test_hub, &bob, "c1").await;
    assert_eq!(try_read(&bob, "new").await, None, "c2 makes room");
    for kept in ["c1", "c3", "c4", "c5", "c6", "c7", "new"] {
        assert_eq!(try_read(&bob, kept).await, None);
    }
    assert_eq!(try_read(&bob, "c2").await, Some(Code::LimitReached), "all others have just been read");
    let test_hub = test_hub.restarted(Held::new(log)).await;
    let bob = bob.at(&test_hub);
    assert_eq!(try_read(&bob, "c2").await, Some(Code::LimitReached));
    two_days(&test_hub, &bob, "c1").await;
    assert_eq!(try_read(&bob, "c2").await, Some(Code::LimitReached));
}
