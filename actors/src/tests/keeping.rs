//! The log under the actor: one append at a time, in order, and nothing done that is not kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::future::join;
use rogerrat_domain::{ChannelId, Code, Record};

use super::rig::Rig;
use crate::{Append, Appended, Log, MemoryLog, Records};

/// A log that takes a second for an append, and can be told to fail.
#[derive(Default)]
struct SlowLog {
    kept: MemoryLog,
    broken: AtomicBool,
}

impl Log for Arc<SlowLog> {
    fn append(&self, record: Record) -> Append {
        let log = self.clone();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if log.broken.load(Relaxed) { Appended::Unknown } else { log.kept.append(record).await }
        })
    }

    fn since(&self, channel: &ChannelId, seq: u64) -> Records {
        self.kept.since(channel, seq)
    }

    fn forget(&self, channel: &ChannelId) {
        self.kept.forget(channel);
    }
}

#[actix_rt::test]
async fn what_arrives_while_the_log_writes_waits_its_turn() {
    let rig = Rig::with_log(Arc::new(Arc::new(SlowLog::default()))).await;
    let (ann, bob) = join(rig.try_join("ann"), rig.try_join("bob")).await;
    assert_eq!((ann.unwrap().idx, bob.unwrap().idx), (1, 2));
    assert_eq!(rig.roster().await.roster, ["ann", "bob"]);
}

#[actix_rt::test]
async fn what_the_log_could_not_keep_did_not_happen() {
    let log = Arc::new(SlowLog::default());
    let rig = Rig::with_log(Arc::new(log.clone())).await;
    rig.join("ann").await;
    log.broken.store(true, Relaxed);
    let refused = rig.try_join("bob").await.unwrap_err();
    assert_eq!(refused.into_refusal().code, Code::StorageFailed);
    log.broken.store(false, Relaxed);
    assert_eq!(rig.roster().await.roster, ["ann"]);
    rig.join("bob").await;
    assert_eq!(rig.roster().await.roster, ["ann", "bob"]);
}
