//! The connection that everything is written on. Writes are committed in groups: the next group gathers while one commits.
//!
//! A group that was not committed because the connection was lost runs again on the next one. If the answer to a commit is lost,
//! the number of the last transaction, which is part of each, tells whether it was committed: the row of that number is locked
//! until the old transaction has ended.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rogerrat_actors::LogError;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

use super::append_job::AppendJob;
use super::error::Failure;
use super::queue::{Job, TxEnd};
use super::reader::reconnect;
use super::session::{Connector, Session};
use super::state::{QueueSlot, SharedState};

/// Most writes in one transaction.
const GROUP_WRITES: usize = 512;
/// Size at which a group takes no more writes.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// How long a write waits for the database before it is refused.
const WAIT_MS: u64 = 10_000;
/// How long to try to find out whether a transaction was committed.
const LOOK_MS: u64 = 30_000;
/// How often a database that refuses writes is tried again.
const PROBE_MS: u64 = 1_000;
/// The longest time for one transaction. A server that takes longer is treated as lost.
const TRANSACTION: Duration = Duration::from_secs(40);
const RETRY: Duration = Duration::from_millis(100);
/// How often a transaction is repeated that lost against another one.
const REPEATS: u32 = 10;
/// Needs as much space as must be free before the store counts as healthy again. The text is random, so that it takes its length.
const FILL_SQL: &str = "INSERT INTO hub (name, value) \
    SELECT 'probe', string_agg(md5(random()::text), '') FROM generate_series(1, 2048) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// A queued write.
pub(super) struct QueuedWrite {
    pub(super) job: Box<dyn Job>,
    pub(super) slot: QueueSlot,
    /// When it was queued.
    pub(super) since_ms: u64,
}

/// Writes what is queued.
pub(super) struct Writer {
    connector: Connector,
    session: Session,
    instance: i64,
    /// The number of the last transaction.
    batch: i64,
    state: Arc<SharedState>,
    /// The last write was refused because the database could not be reached.
    is_unreachable: bool,
    /// When to try next whether the database has space again, in milliseconds of the clock.
    probe_at_ms: u64,
}

/// How a try to commit a group failed.
enum Failed {
    /// Nothing was written.
    Before(Failure),
    /// The answer to the commit was lost.
    Commit(String),
}

impl Writer {
    pub(super) fn new(connector: Connector, session: Session, instance: i64, state: Arc<SharedState>) -> Self {
        Self { connector, session, instance, batch: 0, state, is_unreachable: false, probe_at_ms: 0 }
    }

    /// Commits writes until the queue is closed and empty.
    pub(super) async fn run(mut self, mut queue: Receiver<QueuedWrite>) {
        loop {
            let next = if self.state.is_healthy() {
                Ok(queue.recv().await)
            } else {
                // That a small write was committed does not mean that there is space for others.
                let until_ms = self.probe_at_ms.saturating_sub(self.state.clock.uptime_ms());
                timeout(Duration::from_millis(until_ms), queue.recv()).await
            };
            let mut group = match next {
                Ok(Some(first)) => vec![first],
                Ok(None) => return,
                Err(_) => {
                    self.probe_at_ms = self.state.clock.uptime_ms() + PROBE_MS;
                    Vec::new()
                }
            };
            let is_probe = group.is_empty();
            let mut bytes = group.first().map_or(0, |first| first.slot.bytes);
            while !is_probe && group.len() < GROUP_WRITES && bytes < GROUP_BYTES {
                let Ok(next) = queue.try_recv() else { break };
                bytes += next.slot.bytes;
                group.push(next);
            }
            self.commit(group).await;
        }
    }

    async fn commit(&mut self, mut group: Vec<QueuedWrite>) {
        // Nothing waits for an empty group, which finds out whether the database can be written to again.
        let deadline_ms = group.first().map_or(0, |first| first.since_ms + WAIT_MS);
        let end = self.transact(&mut group, deadline_ms).await;
        let is_of_one = matches!(&end, Err(failure) if group.len() > 1 && failure.is_caused_by_data());
        if is_of_one {
            // One write of the group is invalid: commit the others without it.
            for write in group {
                Box::pin(self.commit(vec![write])).await;
            }
            return;
        }
        let end = match end {
            Ok(TxEnd::Committed) => self.committed(group.is_empty()),
            Ok(end) => end,
            Err(failure) => {
                if !failure.is_caused_by_data() && self.state.is_healthy.swap(false, Relaxed) {
                    let error = failure.text();
                    log::error!(error:display; "PostgreSQL refuses writes; durable writes are refused until it takes them");
                }
                TxEnd::Refused(failure.into())
            }
        };
        for QueuedWrite { job, slot, .. } in group {
            drop(slot);
            job.answer(end.clone());
        }
    }

    /// Commits a group, on as many connections as it needs. An error means that nothing was written.
    async fn transact(&mut self, group: &mut [QueuedWrite], deadline_ms: u64) -> Result<TxEnd, Failure> {
        let mut repeats = 0;
        loop {
            let failure = match self.attempt(group).await {
                Ok(()) => return Ok(TxEnd::Committed),
                Err(Failed::Commit(why)) => match self.look().await {
                    Some(true) => return Ok(TxEnd::Committed),
                    Some(false) => Failure::Log(LogError::Failed(why)),
                    None => {
                        log::error!(error:display = why; "a commit was not answered; its outcome is unknown");
                        self.state.is_healthy.store(false, Relaxed);
                        return Ok(TxEnd::Unknown(why));
                    }
                },
                Err(Failed::Before(failure)) if failure.is_worth_repeating() && repeats < REPEATS => {
                    repeats += 1;
                    failure
                }
                Err(Failed::Before(failure)) if failure.is_disconnect() => failure,
                Err(Failed::Before(failure)) => return Err(failure),
            };
            if self.state.clock.uptime_ms() >= deadline_ms {
                if !std::mem::replace(&mut self.is_unreachable, true) {
                    let error = failure.text();
                    log::error!(error:display; "PostgreSQL cannot be reached; writes wait for it, and are refused after 10 s");
                }
                return Ok(TxEnd::Refused(LogError::Busy));
            }
            sleep(RETRY).await;
        }
    }

    /// A transaction was committed; one that fills as much space as must be free is a probe.
    fn committed(&mut self, is_probe: bool) -> TxEnd {
        let was_unreachable = std::mem::take(&mut self.is_unreachable);
        if (is_probe && !self.state.is_healthy.swap(true, Relaxed)) || was_unreachable {
            log::info!("PostgreSQL can be written to again");
        }
        TxEnd::Committed
    }

    /// Runs the group in one transaction.
    async fn attempt(&mut self, group: &mut [QueuedWrite]) -> Result<(), Failed> {
        reconnect(&self.connector, &mut self.session).await.map_err(Failed::Before)?;
        match timeout(TRANSACTION, write(&self.session, self.instance, self.batch + 1, group)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                if !self.session.is_closed() && self.session.batch("ROLLBACK").await.is_err() {
                    self.session.abandon();
                }
                return Err(Failed::Before(failure));
            }
            Err(_) => {
                self.session.abandon();
                return Err(Failed::Before(Failure::Silent));
            }
        }
        self.batch += 1;
        match timeout(TRANSACTION, self.session.batch("COMMIT")).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) if failure.is_disconnect() => Err(Failed::Commit(failure.text())),
            Ok(Err(failure)) => Err(Failed::Before(failure)),
            Err(_) => {
                self.session.abandon();
                Err(Failed::Commit("PostgreSQL does not answer".into()))
            }
        }
    }

    /// Whether the last transaction was committed. None if that could not be found out.
    async fn look(&mut self) -> Option<bool> {
        let until_ms = self.state.clock.uptime_ms() + LOOK_MS;
        while self.state.clock.uptime_ms() < until_ms {
            let looked = async {
                reconnect(&self.connector, &mut self.session).await?;
                // It waits until the old transaction has ended, if it still runs. Because it writes, it is answered when a
                // synchronous standby has that transaction, too.
                let sql = "UPDATE batches SET batch = batch WHERE instance = $1 RETURNING batch";
                Ok::<i64, Failure>(self.session.query_one(sql, &[&self.instance]).await?.try_get(0)?)
            };
            if let Ok(Ok(committed)) = timeout(TRANSACTION, looked).await {
                return Some(committed == self.batch);
            }
            sleep(RETRY).await;
        }
        None
    }
}

/// Runs a group, and counts its transaction.
async fn write(session: &Session, instance: i64, batch: i64, group: &mut [QueuedWrite]) -> Result<(), Failure> {
    session.batch("BEGIN").await?;
    if group.is_empty() {
        session.execute(FILL_SQL, &[]).await?;
    }
    let mut rest = group;
    while !rest.is_empty() {
        let mut appends: Vec<_> = rest.iter_mut().map_while(|write| write.job.as_append()).collect();
        let length = appends.len();
        if length > 0 {
            AppendJob::run_all(&mut appends, session).await?;
        } else {
            rest[0].job.run(session).await?;
        }
        rest = &mut rest[length.max(1)..];
    }
    // Last, so that it fails if a write has ignored an error.
    match session.execute("UPDATE batches SET batch = $2 WHERE instance = $1", &[&instance, &batch]).await? {
        0 => Err(Failure::Log(LogError::Damaged("this instance of the hub is not in the database".into()))),
        _ => Ok(()),
    }
}
