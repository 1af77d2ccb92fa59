//! What an HTTP/1.1 connection shows of its client: when it was accepted, whether it was used again, and how it ended.
//!
//! The kernel acknowledges bytes that no program reads. But a client that closes its end after it has read everything
//! sends an end of file, and one that closes it with unread bytes a reset.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::HttpRequest;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Returns the uptime in milliseconds.
pub(crate) type UptimeMs = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionEnd {
    /// The client closed it and had read everything that was written before.
    ClosedByClient,
    /// The client closed it with unread bytes, or it broke.
    Reset,
    /// The hub closed it.
    ClosedByHub,
}

/// The events of a connection. Recorded by its socket and read by its requests.
pub(crate) struct ConnectionEvents {
    uptime_ms: UptimeMs,
    accepted_ms: u64,
    /// How often bytes were received.
    reads: AtomicU64,
    end: OnceLock<(ConnectionEnd, u64)>,
    /// Whether a task has waited for `changed`: most connections never need a notification.
    is_watched: AtomicBool,
    changed: Notify,
}

impl fmt::Debug for ConnectionEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionEvents").field("end", &self.end).finish_non_exhaustive()
    }
}

impl ConnectionEvents {
    pub(crate) fn new(uptime_ms: UptimeMs) -> Self {
        let accepted_ms = uptime_ms();
        let (reads, is_watched) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { uptime_ms, accepted_ms, reads, end: OnceLock::new(), is_watched, changed: Notify::new() }
    }

    /// The events of the connection of a request. `None` for HTTP/2, whose requests share a connection.
    pub(crate) fn of(request: &HttpRequest) -> Option<Arc<Self>> {
        request.conn_data::<Arc<Self>>().cloned()
    }

    /// The uptime at which it was accepted.
    pub(crate) fn accepted_ms(&self) -> u64 {
        self.accepted_ms
    }

    /// How often bytes were received on it.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    /// How it ended, and at which uptime; none while it is open.
    pub(crate) fn end(&self) -> Option<(ConnectionEnd, u64)> {
        self.end.get().copied()
    }

    /// Waits for a moment until bytes are received or the connection ends. The thread that serves it may be busy, so
    /// that an event that has happened is not recorded yet.
    pub(crate) async fn changed_within(&self, limit: Duration) {
        let changed = self.changed.notified();
        self.is_watched.store(true, SeqCst);
        if self.end().is_none() {
            let _ = timeout(limit, changed).await;
        }
    }

    pub(super) fn record_read(&self) {
        self.reads.fetch_add(1, SeqCst);
        if self.is_watched.load(SeqCst) {
            self.changed.notify_waiters();
        }
    }

    /// Records the end. Only the first one counts.
    pub(super) fn record_end(&self, end: ConnectionEnd) {
        let _ = self.end.set((end, (self.uptime_ms)()));
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_counts() {
        let events = ConnectionEvents::new(Arc::new(|| 7));
        assert_eq!(events.end(), None);
        events.record_read();
        events.record_end(ConnectionEnd::Reset);
        events.record_end(ConnectionEnd::ClosedByHub);
        assert_eq!(events.reads(), 1);
        assert_eq!((events.end(), events.accepted_ms()), (Some((ConnectionEnd::Reset, 7)), 7));
    }
}
