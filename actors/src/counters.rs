//! What the hub has done since it started.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters, shared by everybody who counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) channels_created: AtomicU64,
    pub(crate) joins: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) revivals: AtomicU64,
}

/// The hub's lifetime numbers.
#[derive(Clone, Copy, Debug)]
pub struct Totals {
    /// Channels created.
    pub channels_created: u64,
    /// Joins that were not repeats.
    pub joins_total: u64,
    /// Messages sent, statuses included.
    pub messages_total: u64,
    /// Channels brought back after a panic.
    pub revivals_total: u64,
    /// When the hub started, in milliseconds since the epoch.
    pub started_at_ms: u64,
}

impl Counters {
    pub(crate) fn totals(&self, started_at_ms: u64) -> Totals {
        Totals {
            channels_created: self.channels_created.load(Relaxed),
            joins_total: self.joins.load(Relaxed),
            messages_total: self.messages.load(Relaxed),
            revivals_total: self.revivals.load(Relaxed),
            started_at_ms,
        }
    }
}
