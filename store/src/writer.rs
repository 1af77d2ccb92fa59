//! The one thread that writes. It commits what all channels append in groups: everything that waits, in one
//! transaction, and answers in order when it is on disk.
//!
//! When the disk fails it refuses, tries again by itself every second, and says when it works again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use rogerrat_actors::Clock;
use rusqlite::{Connection, ErrorCode, Result};

use super::job::{Job, Outcome, Task, Work};
use super::pen::{Change, Heads, Pen};
use super::shared::Shared;
use super::{StoreOptions, erase, schema};

/// Things written in one transaction, at most.
const GROUP_JOBS: usize = 512;
/// Bytes written in one transaction, about.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// How often a store that does not work is tried.
const HEAL_MS: u64 = 1000;
/// Room that must be there before the store counts as working again, in bytes.
const HEAL_BYTES: usize = 64 * 1024;
/// How soon a checkpoint that a reader was in the way of is tried again.
const ERASE_AGAIN_MS: u64 = 1000;

pub(super) struct Writer {
    path: PathBuf,
    options: StoreOptions,
    connection: Connection,
    heads: Heads,
    shared: Arc<Shared>,
    clock: Clock,
    /// The connection is not to be trusted any more.
    stale: bool,
    /// When a store that does not work is tried next.
    heal_at_ms: Option<u64>,
    /// When what was deleted leaves the WAL.
    erase_at_ms: Option<u64>,
    /// Some of what was forgotten is still to be deleted.
    unfinished: bool,
}

/// Why a transaction failed.
enum Trouble {
    /// Nothing of it is kept.
    Refused(rusqlite::Error),
    /// It may be there after a crash.
    Unknown(rusqlite::Error),
}

/// What the queue gave.
enum Next {
    Group(Vec<Task>),
    Nothing,
    Close,
}

impl Writer {
    pub(super) fn new(path: PathBuf, options: StoreOptions, connection: Connection, shared: Arc<Shared>) -> Self {
        Self {
            path,
            options,
            connection,
            heads: Heads::default(),
            shared,
            clock: Clock::start(),
            stale: false,
            heal_at_ms: None,
            // What a hub before us deleted may still be in the WAL, or not all deleted.
            erase_at_ms: Some(0),
            unfinished: true,
        }
    }

    /// Writes until it is told to close, and then leaves nothing in the WAL.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        while let Err(_panic) = catch_unwind(AssertUnwindSafe(|| self.work(queue))) {
            // Whoever waited was told that we do not know.
            log::error!("the store's writer failed and starts again");
            self.fail();
            self.stale = true;
        }
        let closing = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        if let Err(error) = closing.and_then(|()| self.connection.close().map_err(|(_, error)| error)) {
            log::warn!(error:display; "the store could not be closed tidily; nothing is lost");
        }
        self.shared.well.store(false, Relaxed);
    }

    fn work(&mut self, queue: &Receiver<Job>) {
        loop {
            let (next, closing) = self.next(queue);
            match next {
                Next::Group(group) => self.commit(group),
                Next::Nothing => {}
                Next::Close => return,
            }
            if closing {
                return;
            }
            self.look_after();
        }
    }

    /// The next group, and whether it is the last.
    fn next(&self, queue: &Receiver<Job>) -> (Next, bool) {
        let first = match self.patience() {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => queue.recv_timeout(patience),
        };
        let first = match first {
            Ok(Job::Do(task)) => task,
            Err(RecvTimeoutError::Timeout) => return (Next::Nothing, false),
            Ok(Job::Close) | Err(RecvTimeoutError::Disconnected) => return (Next::Close, true),
        };
        let mut bytes = first.place.bytes;
        let mut group = vec![*first];
        while group.len() < GROUP_JOBS && bytes < GROUP_BYTES {
            match queue.try_recv() {
                Ok(Job::Do(task)) => {
                    bytes += task.place.bytes;
                    group.push(*task);
                }
                Ok(Job::Close) | Err(TryRecvError::Disconnected) => return (Next::Group(group), true),
                Err(TryRecvError::Empty) => break,
            }
        }
        (Next::Group(group), false)
    }

    /// How long there is nothing to do if nobody asks; none is for ever.
    fn patience(&self) -> Option<Duration> {
        if self.unfinished && self.heal_at_ms.is_none() {
            return Some(Duration::ZERO);
        }
        let due = [self.heal_at_ms, self.erase_at_ms].into_iter().flatten().min()?;
        Some(Duration::from_millis(due.saturating_sub(self.clock.uptime_ms())))
    }

    fn commit(&mut self, group: Vec<Task>) {
        match self.transact(&group) {
            Ok(outcomes) => {
                let kept = |(task, outcome): (&Task, &Outcome)| {
                    matches!((&task.work, outcome), (Work::Append(_) | Work::Own(..), Outcome::Done))
                };
                if group.iter().zip(&outcomes).any(kept) {
                    self.recover();
                }
                group.into_iter().zip(outcomes).for_each(|(task, outcome)| task.answer(outcome));
            }
            // One of them cannot be written at all. The others can.
            Err(Trouble::Refused(error)) if group.len() > 1 && is_its_own_fault(&error) => {
                group.into_iter().for_each(|task| self.commit(vec![task]));
            }
            Err(trouble) => {
                let outcome = self.told(&trouble);
                group.into_iter().for_each(|task| task.answer(outcome.clone()));
            }
        }
    }

    /// Writes a group in one transaction.
    fn transact(&mut self, group: &[Task]) -> std::result::Result<Vec<Outcome>, Trouble> {
        if group.iter().all(|task| matches!(task.work, Work::Sync)) {
            return Ok(vec![Outcome::Done; group.len()]);
        }
        self.transaction(|pen| group.iter().map(|task| pen.write(&task.work)).collect())
    }

    fn transaction<T>(&mut self, write: impl FnOnce(&mut Pen<'_>) -> Result<T>) -> std::result::Result<T, Trouble> {
        self.renew().map_err(Trouble::Refused)?;
        let mut change = Change::default();
        let begun = self.run_sql("BEGIN IMMEDIATE");
        let written = begun.and_then(|()| {
            let mut pen = Pen { connection: &self.connection, heads: &mut self.heads, change: &mut change };
            let written = write(&mut pen)?;
            if pen.change.channels != 0 {
                pen.count()?;
            }
            Ok(written)
        });
        let written = written.map_err(|error| {
            self.roll_back();
            Trouble::Refused(error)
        })?;
        if let Err(error) = self.run_sql("COMMIT") {
            self.roll_back();
            return Err(if is_before_the_commit_mark(&error) {
                Trouble::Refused(error)
            } else {
                self.stale = true;
                Trouble::Unknown(error)
            });
        }
        self.publish(&change);
        Ok(written)
    }

    fn publish(&mut self, change: &Change) {
        self.shared.channels.fetch_add(change.channels.cast_unsigned(), Relaxed);
        self.shared.floor.fetch_max(change.floor, Relaxed);
        self.unfinished |= change.unfinished;
        if change.erased {
            let due = self.clock.uptime_ms() + self.options.erase_after_ms;
            self.erase_at_ms = Some(self.erase_at_ms.map_or(due, |at| at.min(due)));
        }
    }

    fn run_sql(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    fn roll_back(&mut self) {
        self.heads.clear();
        if !self.connection.is_autocommit() {
            self.stale |= self.run_sql("ROLLBACK").is_err();
        }
    }

    /// Opens the database anew if the connection failed us.
    fn renew(&mut self) -> Result<()> {
        if self.stale {
            self.heads.clear();
            self.connection = schema::open_writer(&self.path, self.options.max_mib)?;
            self.stale = false;
        }
        Ok(())
    }

    /// What those who waited are told of a failed transaction.
    fn told(&mut self, trouble: &Trouble) -> Outcome {
        match trouble {
            Trouble::Refused(error) if is_its_own_fault(error) => {
                log::error!(error:display; "the store refuses a record that contradicts what it keeps");
                Outcome::Refused(error.to_string())
            }
            Trouble::Refused(error) => {
                if self.heal_at_ms.is_none() {
                    log::error!(error:display; "the store cannot write: what must be kept is refused until it can");
                }
                self.fail();
                Outcome::Refused(error.to_string())
            }
            Trouble::Unknown(error) => {
                log::error!(error:display; "a commit of the store failed: its outcome is not known");
                self.fail();
                Outcome::Unknown(error.to_string())
            }
        }
    }

    fn fail(&mut self) {
        self.shared.well.store(false, Relaxed);
        self.heal_at_ms.get_or_insert(self.clock.uptime_ms() + HEAL_MS);
    }

    fn recover(&mut self) {
        if self.heal_at_ms.take().is_some() {
            log::info!("the store works again");
            self.shared.well.store(true, Relaxed);
        }
    }

    /// What is to be done between groups.
    fn look_after(&mut self) {
        let now = self.clock.uptime_ms();
        if self.heal_at_ms.is_some_and(|at| at <= now) {
            self.heal();
        }
        if self.heal_at_ms.is_none() && self.unfinished {
            self.erase_more();
        }
        if self.erase_at_ms.is_some_and(|at| at <= now) {
            self.empty_wal();
        }
    }

    /// Tries whether there is room again. If there is none, the WAL may be what takes it.
    fn heal(&mut self) {
        let room = vec![0_u8; HEAL_BYTES];
        let fill = |pen: &mut Pen<'_>| pen.set("probe", &room);
        let clear = |pen: &mut Pen<'_>| pen.set("probe", &0_i64);
        match self.transaction(fill).and_then(|_| self.transaction(clear)) {
            Ok(_) => self.recover(),
            Err(trouble) => {
                self.told(&trouble);
                let _ = self.checkpoint();
                self.heal_at_ms = Some(self.clock.uptime_ms() + HEAL_MS);
            }
        }
    }

    fn erase_more(&mut self) {
        match self.transaction(|pen| erase::next(pen.connection, &mut pen.change.budget)) {
            Ok(true) => self.unfinished = false,
            Ok(false) => {}
            Err(trouble) => {
                self.told(&trouble);
            }
        }
    }

    /// Moves everything to the database and empties the WAL, where deleted texts still stand.
    fn empty_wal(&mut self) {
        let busy = self.checkpoint();
        if let Err(error) = &busy {
            log::warn!(error:display; "what was deleted could not be taken out of the WAL yet");
        }
        let again = !matches!(busy, Ok(false)) || self.unfinished;
        self.erase_at_ms = again.then(|| self.clock.uptime_ms() + ERASE_AGAIN_MS);
    }

    /// Moves the WAL to the database. True when somebody who reads was in the way.
    fn checkpoint(&self) -> Result<bool> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    }
}

/// Whether a statement failed for what it says, and not for the state of the disk.
fn is_its_own_fault(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch),
        None => true,
    }
}

/// Whether a commit failed before it wrote its last frame, the one that makes a transaction count. A failed write is
/// before that: without the whole frame its checksum is wrong. What fails after it is the sync.
fn is_before_the_commit_mark(error: &rusqlite::Error) -> bool {
    match error.sqlite_error() {
        Some(error) => {
            matches!(error.code, ErrorCode::DiskFull | ErrorCode::DatabaseBusy)
                || error.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE
        }
        None => false,
    }
}
