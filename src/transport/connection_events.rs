//! What an HTTP/1.1 connection shows of its client: when it was accepted, whether it was used again, and how it ended.
//!
//! The kernel acknowledges bytes that no program reads. But a client that closes its end after it has read everything
//! sends an end of file, and one that closes it with unread bytes a reset.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use actix_web::{HttpMessage as _, HttpRequest};
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

/// Extension of a request whose connection shows nothing of its client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeveralClients;

/// What happens if a connection turns out to have been reset before its client read the last answer.
pub(crate) type OnReset = Box<dyn FnOnce() + Send>;

/// How long after an answer a reset shows that it was not read. A client that gives up closes its connection before, and
/// a proxy may reset an idle connection later.
const RESET_MS: u64 = 1000;

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
    /// For the last answer, and when it was written.
    on_reset: Mutex<Option<(OnReset, u64)>>,
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
        let (end, changed, on_reset) = (OnceLock::new(), Notify::new(), Mutex::new(None));
        Self { uptime_ms, accepted_ms, reads, end, is_watched, changed, on_reset }
    }

    /// The events of the connection of a request. `None` for HTTP/2, whose requests share a connection, also if another
    /// hub forwards them.
    pub(crate) fn of(request: &HttpRequest) -> Option<Arc<Self>> {
        if request.extensions().contains::<SeveralClients>() {
            return None;
        }
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

    /// Calls `on_reset` if the connection is reset before it is used again, because its client has closed it without
    /// reading the answer that is being written. It is called at once if the connection has ended already.
    pub(crate) fn unless_read(&self, on_reset: OnReset) {
        if self.end().is_some() {
            return on_reset();
        }
        let written_ms = (self.uptime_ms)();
        *self.lock() = Some((on_reset, written_ms));
    }

    /// Whether a reset would still show that the last answer was not read.
    pub(super) fn awaits_reset(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<(OnReset, u64)>> {
        self.on_reset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record_read(&self) {
        // The client has taken the last answer.
        drop(self.lock().take());
        self.reads.fetch_add(1, SeqCst);
        if self.is_watched.load(SeqCst) {
            self.changed.notify_waiters();
        }
    }

    /// Records the end. Only the first one counts, but a reset may follow the end of file to which it belongs.
    pub(super) fn record_end(&self, end: ConnectionEnd) {
        let now_ms = (self.uptime_ms)();
        let _ = self.end.set((end, now_ms));
        self.changed.notify_waiters();
        if end == ConnectionEnd::Reset {
            let last = self.lock().take();
            if let Some((on_reset, written_ms)) = last
                && now_ms.saturating_sub(written_ms) <= RESET_MS
            {
                on_reset();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// Events at an uptime, and how many answers turned out not to have been read.
    fn events(uptime_ms: &Arc<AtomicU64>) -> (ConnectionEvents, Arc<AtomicUsize>) {
        let uptime_ms = uptime_ms.clone();
        (ConnectionEvents::new(Arc::new(move || uptime_ms.load(SeqCst))), Arc::default())
    }

    fn answer(events: &ConnectionEvents, unread: &Arc<AtomicUsize>) {
        let unread = unread.clone();
        events.unless_read(Box::new(move || {
            unread.fetch_add(1, SeqCst);
        }));
    }

    #[test]
    fn d02_a_reset_shows_that_the_last_answer_was_not_read() {
        let uptime_ms = Arc::default();
        let (connection, unread) = events(&uptime_ms);
        answer(&connection, &unread);
        connection.record_end(ConnectionEnd::ClosedByClient);
        assert_eq!((unread.load(SeqCst), connection.awaits_reset()), (0, true));
        connection.record_end(ConnectionEnd::Reset);
        connection.record_end(ConnectionEnd::Reset);
        assert_eq!((unread.load(SeqCst), connection.awaits_reset()), (1, false), "once");
        answer(&connection, &unread);
        assert_eq!(unread.load(SeqCst), 2, "it is written to a connection that has ended");
    }

    #[test]
    fn d02_an_answer_was_read_if_the_connection_is_used_again_or_reset_much_later() {
        let uptime_ms = Arc::default();
        let (connection, unread) = events(&uptime_ms);
        answer(&connection, &unread);
        connection.record_read();
        assert!(!connection.awaits_reset());
        answer(&connection, &unread);
        uptime_ms.store(RESET_MS + 1, SeqCst);
        connection.record_end(ConnectionEnd::Reset);
        assert_eq!(unread.load(SeqCst), 0);
    }

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
