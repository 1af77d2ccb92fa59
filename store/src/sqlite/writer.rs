//! The writer's thread. It commits the writes of all channels in groups: everything queued goes into one transaction,
//! and the replies follow in order once it is on disk.
//!
//! While the disk fails, writes are refused; the writer retries every second and logs when the store works again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use rogerrat_actors::Clock;
use rusqlite::{Connection, ErrorCode, Result};

use super::data_dir::DirLock;
use super::state::StoreState;
use super::transaction::{TailCache, TxEffects, WriteTx};
use super::write_request::{WriteOp, WriteOutcome, WriteRequest, WriterCommand};
use super::{StoreOptions, meta, purge, schema};

/// Most writes in one transaction.
const GROUP_WRITES: usize = 512;
/// Size at which a group takes no more writes.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// How often a failed store is retried.
const RETRY_MS: u64 = 1000;
/// Space that must be free before the store counts as healthy again.
const RETRY_BYTES: usize = 64 * 1024;
/// When to retry a checkpoint that a reader blocked.
const CHECKPOINT_RETRY_MS: u64 = 1000;

pub(super) struct Writer {
    path: PathBuf,
    options: StoreOptions,
    connection: Connection,
    tails: TailCache,
    state: Arc<StoreState>,
    lock: Arc<DirLock>,
    clock: Clock,
    /// The connection failed and must be reopened before its next use.
    is_stale: bool,
    /// When to retry; `None` while the store is healthy.
    retry_at_ms: Option<u64>,
    /// When to truncate the WAL, so that deleted data leaves it.
    truncate_wal_at_ms: Option<u64>,
    /// Deleted channels have rows left to purge.
    has_purge_left: bool,
}

/// Why a transaction failed.
enum CommitError {
    /// Nothing was written.
    Refused(rusqlite::Error),
    /// It may survive a crash.
    Unknown(rusqlite::Error),
}

/// What the queue held.
enum Next {
    Group(Vec<WriteRequest>),
    Nothing,
    Close,
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        options: StoreOptions,
        connection: Connection,
        state: Arc<StoreState>,
        lock: Arc<DirLock>,
    ) -> Self {
        Self {
            path,
            options,
            connection,
            tails: TailCache::default(),
            state,
            lock,
            clock: Clock::start(),
            is_stale: false,
            retry_at_ms: None,
            // An earlier process may have stopped before it purged a deleted channel or truncated the WAL.
            truncate_wal_at_ms: Some(0),
            has_purge_left: true,
        }
    }

    /// Commits writes until it receives [`WriterCommand::Close`]; then moves the WAL into the database and closes it.
    pub(super) fn run(mut self, queue: &Receiver<WriterCommand>) {
        while let Err(_panic) = catch_unwind(AssertUnwindSafe(|| self.work(queue))) {
            // The panic dropped the reply channels, which callers take for an unknown outcome.
            log::error!("the store's writer panicked and restarts");
            self.mark_failed();
            self.is_stale = true;
        }
        let is_blocked = self.checkpoint();
        if matches!(is_blocked, Ok(false)) {
            // Before SQLite deletes the WAL: a kill in between must not make the next start miss it.
            self.lock.note_wal(false);
        }
        let closed = self.connection.close().map_err(|(_, error)| error);
        if let Err(error) = is_blocked.and(closed) {
            log::warn!(error:display; "SQLite did not close cleanly; no data was lost");
        }
        // Closing merges the WAL, too, if the checkpoint could not.
        if !self.path.with_extension("db-wal").exists() {
            self.lock.note_wal(false);
        }
        self.state.is_healthy.store(false, Relaxed);
    }

    fn work(&mut self, queue: &Receiver<WriterCommand>) {
        loop {
            let (next, is_last) = self.next(queue);
            match next {
                Next::Group(group) => self.commit(group),
                Next::Nothing => {}
                Next::Close => return,
            }
            if is_last {
                return;
            }
            self.run_maintenance();
        }
    }

    /// The next group, and whether it is the last one.
    fn next(&self, queue: &Receiver<WriterCommand>) -> (Next, bool) {
        let first = match self.idle_timeout() {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(idle_timeout) => queue.recv_timeout(idle_timeout),
        };
        let first = match first {
            Ok(WriterCommand::Write(request)) => request,
            Err(RecvTimeoutError::Timeout) => return (Next::Nothing, false),
            Ok(WriterCommand::Close) | Err(RecvTimeoutError::Disconnected) => return (Next::Close, true),
        };
        let mut bytes = first.slot.bytes;
        let mut group = vec![*first];
        while group.len() < GROUP_WRITES && bytes < GROUP_BYTES {
            match queue.try_recv() {
                Ok(WriterCommand::Write(request)) => {
                    bytes += request.slot.bytes;
                    group.push(*request);
                }
                Ok(WriterCommand::Close) | Err(TryRecvError::Disconnected) => return (Next::Group(group), true),
                Err(TryRecvError::Empty) => break,
            }
        }
        (Next::Group(group), false)
    }

    /// How long to wait for a write before maintenance is due; `None` is forever.
    fn idle_timeout(&self) -> Option<Duration> {
        if self.has_purge_left && self.retry_at_ms.is_none() {
            return Some(Duration::ZERO);
        }
        let due = [self.retry_at_ms, self.truncate_wal_at_ms].into_iter().flatten().min()?;
        Some(Duration::from_millis(due.saturating_sub(self.clock.uptime_ms())))
    }

    fn commit(&mut self, group: Vec<WriteRequest>) {
        match self.transact(&group) {
            Ok(outcomes) => {
                let is_appended = |(request, outcome): (&WriteRequest, &WriteOutcome)| {
                    matches!(
                        (&request.op, outcome),
                        (WriteOp::Append(_) | WriteOp::AppendOwned(..), WriteOutcome::Done)
                    )
                };
                if group.iter().zip(&outcomes).any(is_appended) {
                    self.mark_healthy();
                }
                group.into_iter().zip(outcomes).for_each(|(request, outcome)| request.answer(outcome));
            }
            // One write of the group is invalid: commit the others without it.
            Err(CommitError::Refused(error)) if group.len() > 1 && is_caused_by_data(&error) => {
                group.into_iter().for_each(|request| self.commit(vec![request]));
            }
            Err(error) => {
                let outcome = self.report_failure(&error);
                group.into_iter().for_each(|request| request.answer(outcome.clone()));
            }
        }
    }

    /// Writes a group in one transaction.
    fn transact(&mut self, group: &[WriteRequest]) -> std::result::Result<Vec<WriteOutcome>, CommitError> {
        if group.iter().all(|request| matches!(request.op, WriteOp::Sync)) {
            return Ok(vec![WriteOutcome::Done; group.len()]);
        }
        self.transaction(|tx| group.iter().map(|request| tx.apply(&request.op)).collect())
    }

    /// Runs `write` in a transaction. The connection is rolled back if it fails.
    fn transaction<T>(
        &mut self,
        write: impl FnOnce(&mut WriteTx<'_>) -> Result<T>,
    ) -> std::result::Result<T, CommitError> {
        self.reopen_if_stale().map_err(CommitError::Refused)?;
        let mut effects = TxEffects::default();
        let begun = self.run_sql("BEGIN IMMEDIATE");
        let written = begun.and_then(|()| {
            let mut tx = WriteTx { connection: &self.connection, tails: &mut self.tails, effects: &mut effects };
            let written = write(&mut tx)?;
            if tx.effects.channels != 0 {
                tx.update_channel_count()?;
            }
            Ok(written)
        });
        let written = written.map_err(|error| {
            self.roll_back();
            CommitError::Refused(error)
        })?;
        if let Err(error) = self.run_sql("COMMIT") {
            self.roll_back();
            return Err(if is_before_commit_frame(&error) {
                CommitError::Refused(error)
            } else {
                self.is_stale = true;
                CommitError::Unknown(error)
            });
        }
        self.publish(&effects);
        Ok(written)
    }

    /// Applies the effects of a committed transaction.
    fn publish(&mut self, effects: &TxEffects) {
        self.state.channels.fetch_add(effects.channels.cast_unsigned(), Relaxed);
        self.state.id_high_water_mark.fetch_max(effects.id_high_water_mark, Relaxed);
        self.has_purge_left |= effects.has_purge_left;
        if effects.has_deleted {
            let due = self.clock.uptime_ms() + self.options.truncate_wal_after_ms;
            self.truncate_wal_at_ms = Some(self.truncate_wal_at_ms.map_or(due, |at| at.min(due)));
        }
    }

    fn run_sql(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    fn roll_back(&mut self) {
        self.tails.clear();
        if !self.connection.is_autocommit() {
            self.is_stale |= self.run_sql("ROLLBACK").is_err();
        }
    }

    /// Reopens the database if its connection failed.
    fn reopen_if_stale(&mut self) -> Result<()> {
        if self.is_stale {
            self.tails.clear();
            self.connection = schema::open_writer(&self.path, self.options.max_mib)?;
            self.is_stale = false;
        }
        Ok(())
    }

    /// Logs a failed transaction, and returns the outcome for the callers.
    fn report_failure(&mut self, error: &CommitError) -> WriteOutcome {
        match error {
            CommitError::Refused(error) if is_caused_by_data(error) => {
                log::error!(error:display; "the store refused an invalid record");
                WriteOutcome::Refused(error.to_string())
            }
            CommitError::Refused(error) => {
                if self.retry_at_ms.is_none() {
                    log::error!(error:display; "the store cannot write; durable writes are refused until it can");
                }
                self.mark_failed();
                WriteOutcome::Refused(error.to_string())
            }
            CommitError::Unknown(error) => {
                log::error!(error:display; "a commit failed; its outcome is unknown");
                self.mark_failed();
                WriteOutcome::Unknown(error.to_string())
            }
        }
    }

    fn mark_failed(&mut self) {
        self.state.is_healthy.store(false, Relaxed);
        self.retry_at_ms.get_or_insert(self.clock.uptime_ms() + RETRY_MS);
    }

    fn mark_healthy(&mut self) {
        if self.retry_at_ms.take().is_some() {
            log::info!("the store works again");
            self.state.is_healthy.store(true, Relaxed);
        }
    }

    /// Runs what is due between two groups.
    fn run_maintenance(&mut self) {
        let now = self.clock.uptime_ms();
        if self.retry_at_ms.is_some_and(|at| at <= now) {
            self.retry();
        }
        if self.retry_at_ms.is_none() && self.has_purge_left {
            self.purge_more();
        }
        if self.truncate_wal_at_ms.is_some_and(|at| at <= now) {
            self.truncate_wal();
        }
    }

    /// Tests whether there is space again. If there is none, a checkpoint may free some by shrinking the WAL.
    fn retry(&mut self) {
        let filler = vec![0_u8; RETRY_BYTES];
        let fill = |tx: &mut WriteTx<'_>| tx.put_meta(meta::PROBE, &filler);
        let clear = |tx: &mut WriteTx<'_>| tx.put_meta(meta::PROBE, &0_i64);
        match self.transaction(fill).and_then(|_| self.transaction(clear)) {
            Ok(_) => self.mark_healthy(),
            Err(error) => {
                self.report_failure(&error);
                let _ = self.checkpoint();
                self.retry_at_ms = Some(self.clock.uptime_ms() + RETRY_MS);
            }
        }
    }

    /// Purges the next part of the deleted channels.
    fn purge_more(&mut self) {
        match self.transaction(|tx| purge::purge_next(tx.connection, &mut tx.effects.purge_budget)) {
            Ok(true) => self.has_purge_left = false,
            Ok(false) => {}
            Err(error) => {
                self.report_failure(&error);
            }
        }
    }

    /// Truncates the WAL, which still holds the text of deleted messages.
    fn truncate_wal(&mut self) {
        let is_blocked = self.checkpoint();
        if let Err(error) = &is_blocked {
            log::warn!(error:display; "deleted data could not be removed from the WAL yet");
        }
        let again = !matches!(is_blocked, Ok(false)) || self.has_purge_left;
        self.truncate_wal_at_ms = again.then(|| self.clock.uptime_ms() + CHECKPOINT_RETRY_MS);
    }

    /// Moves the WAL into the database. True if a reader blocked it.
    fn checkpoint(&self) -> Result<bool> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    }
}

/// Whether a statement failed because of its data, not because of the disk.
fn is_caused_by_data(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch),
        None => true,
    }
}

/// Whether a commit failed before its last WAL frame, the one that makes it valid, was written. A failed write is always
/// before it, because an incomplete frame has a wrong checksum. A failed sync is after it.
fn is_before_commit_frame(error: &rusqlite::Error) -> bool {
    match error.sqlite_error() {
        Some(error) => {
            matches!(error.code, ErrorCode::DiskFull | ErrorCode::DatabaseBusy)
                || error.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE
        }
        None => false,
    }
}
