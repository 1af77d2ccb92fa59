//! A primary with a synchronous standby, and what happens when they change places.

use std::time::Duration;

use futures_util::FutureExt as _;
use rogerrat_actors::{AppendResult, Log as _};
use rogerrat_testkit::{Postgres, wait_until};
use tokio::time::timeout;

use super::fixtures::{channel, fill, open, owned, sent};
use super::proxy::CuttingProxy;

#[actix_rt::test]
async fn a_promoted_standby_has_every_acknowledged_message() {
    let Some(mut primary) = Postgres::start() else { return };
    let url = primary.database();
    let name = url.rsplit('/').next().unwrap();
    // So that a standby can be made to confirm nothing.
    primary.sql(&url, format_args!("ALTER DATABASE {name} SET synchronous_commit = remote_apply"));
    let standby = primary.standby();
    let proxy = CuttingProxy::start(primary.address());
    let store = open(&proxy.url(&url, primary.address()));
    let instances = store.instances().unwrap();
    let fence = fill(&store, "c", 5, "hi").await;
    standby.sql("postgres", "SELECT pg_wal_replay_pause()");
    wait_until("it pauses", || standby.sql("postgres", "SELECT pg_get_wal_replay_pause_state()") == "paused");
    let mut raised = store.reserve_ids(5000);
    let mut late = store.append(owned("c", fence, 7, vec![sent(6, "hi")]));
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    wait_until("the commit waits for the standby", || primary.sql(&url, waiting) == "1");
    // Nothing is acknowledged, and the instance is alive.
    instances.beat().await.unwrap();
    assert!((&mut late).now_or_never().is_none() && (&mut raised).now_or_never().is_none());
    // Also after a new connection.
    let holder = format!(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1382511186 AND objid = {}",
        instances.this()
    );
    let pid = primary.sql(&url, &holder);
    primary.sql(&url, format_args!("SELECT pg_terminate_backend({pid}, 60000)"));
    instances.beat().await.unwrap();
    assert!((&mut late).now_or_never().is_none());
    standby.sql("postgres", "SELECT pg_wal_replay_resume()");
    assert_eq!((late.await, raised.await.is_ok()), (AppendResult::Done, true));
    // The primary is lost, and its address leads to the standby, which is not promoted yet.
    primary.kill();
    proxy.switch_to(standby.address());
    let next = || store.append(owned("c", fence, 8, vec![sent(7, "hi")]));
    assert!(timeout(Duration::from_millis(300), next()).await.is_err(), "a standby takes no writes");
    standby.promote();
    while next().await == AppendResult::Busy {}
    let stored = store.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.records.len()), (8, 8));
    instances.beat().await.unwrap();
}
