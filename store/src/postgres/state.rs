//! State that the writer shares with its callers, and the bounds of its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

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
}

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

    pub(super) fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Relaxed)
    }
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        self.state.queued_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}
