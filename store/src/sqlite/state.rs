//! State that the writer's thread shares with its callers, and the bound of the write queue in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use rusqlite::{Connection, Error, Result};

use super::meta;

/// Bytes that may be queued for the writer.
const QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// Updated by the writer after each commit.
#[derive(Debug, Default)]
pub(super) struct StoreState {
    pub(super) is_healthy: AtomicBool,
    pub(super) id_high_water_mark: AtomicU64,
    pub(super) channels: AtomicU64,
    queued: AtomicUsize,
    queued_bytes: AtomicUsize,
}

/// A reserved part of the write queue, released on drop.
#[derive(Debug)]
pub(super) struct QueueSlot {
    pub(super) bytes: usize,
    state: Arc<StoreState>,
}

impl StoreState {
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        let number = |name| Ok::<_, Error>(meta::get::<i64>(connection, name)?.unwrap_or_default().unsigned_abs());
        let (id_high_water_mark, channels) = (number(meta::ID_HIGH_WATER_MARK)?.into(), number(meta::CHANNELS)?.into());
        Ok(Self { is_healthy: true.into(), id_high_water_mark, channels, ..Self::default() })
    }

    /// Reserves `bytes` of the queue. `None` if it holds too much already.
    pub(super) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<QueueSlot> {
        self.queued.fetch_add(1, Ordering::AcqRel);
        let before = self.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        let slot = QueueSlot { bytes, state: self.clone() };
        // An empty queue takes a request of any size; otherwise a large one could never be written.
        (before == 0 || before + bytes <= QUEUED_BYTES).then_some(slot)
    }

    /// Whether the write queue is empty.
    pub(super) fn is_idle(&self) -> bool {
        self.queued.load(Ordering::Acquire) == 0
    }
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        self.state.queued_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.state.queued.fetch_sub(1, Ordering::AcqRel);
    }
}
