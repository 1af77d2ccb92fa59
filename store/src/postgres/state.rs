//! State that the writer shares with its callers, and the bounds of its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

use rogerrat_actors::Clock;

/// Bytes that may be queued for the writer.
const QUEUED_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct SharedState {
    pub(super) is_healthy: AtomicBool,
    /// The highest id ceiling that this instance knows it has.
    pub(super) id_ceiling: AtomicU64,
    pub(super) clock: Clock,
    /// How many instances this one has declared ended.
    pub(super) declared_ended: AtomicU64,
    queued_bytes: AtomicUsize,
    /// When this instance took its lock, on `clock`; `NO_LOCK` while it has none.
    lock_since_ms: AtomicI64,
    /// It has lost its lock since its start.
    has_lost_lock: AtomicBool,
}

/// The lock of this instance, as other instances' locks are judged by it: when the database was unreachable, all were lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnLock {
    /// For how long this instance has had its lock, in milliseconds; 0 without it.
    pub(super) age_ms: u64,
    /// It was lost before.
    pub(super) is_retaken: bool,
}

const NO_LOCK: i64 = i64::MAX;

/// A reserved part of the write queue, released on drop.
#[derive(Debug)]
pub(super) struct QueueSlot {
    pub(super) bytes: usize,
    state: Arc<SharedState>,
}

impl Default for SharedState {
    fn default() -> Self {
        Self {
            is_healthy: true.into(),
            id_ceiling: 0.into(),
            clock: Clock::start(),
            declared_ended: 0.into(),
            queued_bytes: 0.into(),
            lock_since_ms: NO_LOCK.into(),
            has_lost_lock: false.into(),
        }
    }
}

impl SharedState {
    /// Reserves `bytes` of the queue. `None` if it holds too much already.
    pub(super) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<QueueSlot> {
        let before = self.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        let slot = QueueSlot { bytes, state: self.clone() };
        // An empty queue takes a request of any size; otherwise a large one could never be written.
        (before == 0 || before + bytes <= QUEUED_BYTES).then_some(slot)
    }

    /// This instance has taken its lock.
    pub(super) fn lock_taken(&self) {
        self.lock_since_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// This instance has lost its lock.
    pub(super) fn lock_lost(&self) {
        self.lock_since_ms.store(NO_LOCK, Ordering::Relaxed);
        self.has_lost_lock.store(true, Ordering::Relaxed);
    }

    pub(super) fn own_lock(&self) -> OwnLock {
        let age_ms = self.now_ms().saturating_sub(self.lock_since_ms.load(Ordering::Relaxed));
        let is_retaken = self.has_lost_lock.load(Ordering::Relaxed);
        OwnLock { age_ms: u64::try_from(age_ms).unwrap_or(0), is_retaken }
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.clock.uptime_ms()).unwrap_or(i64::MAX)
    }

    /// As if the lock had been taken earlier.
    #[cfg(test)]
    pub(super) fn age_lock(&self, by_ms: i64) {
        self.lock_since_ms.fetch_sub(by_ms, Ordering::Relaxed);
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Relaxed)
    }
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        self.state.queued_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}
