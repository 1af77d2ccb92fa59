//! The waiting calls that `notifications/cancelled` can end.
//!
//! A call is identified by its MCP session and its request id together, so that a session can cancel only its own
//! calls.

use std::collections::HashMap;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use super::session_store::Nonce;

type Key = (Nonce, Box<str>);

/// All waiting calls that can be cancelled; at most one per open request.
#[derive(Debug, Default)]
pub(super) struct InFlightCalls {
    calls: Mutex<HashMap<Key, (u64, oneshot::Sender<()>)>>,
    next_serial: AtomicU64,
}

/// Reports the cancellation of one call, and unregisters the call when dropped.
#[derive(Debug)]
pub(super) struct CancelGuard {
    registry: Arc<InFlightCalls>,
    key: Key,
    serial: u64,
    /// None when the call can no longer be cancelled.
    cancelled: Option<oneshot::Receiver<()>>,
}

impl InFlightCalls {
    /// Registers a call. An older call with the same id can no longer be cancelled.
    pub(super) fn register(self: &Arc<Self>, session: Nonce, id: &str) -> CancelGuard {
        let (cancel, cancelled) = oneshot::channel();
        let (key, serial) = ((session, id.into()), self.next_serial.fetch_add(1, Relaxed));
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.insert(Key::clone(&key), (serial, cancel));
        CancelGuard { registry: self.clone(), key, serial, cancelled: Some(cancelled) }
    }

    /// Cancels a call, if it is still in flight.
    pub(super) fn cancel(&self, session: Nonce, id: &str) {
        let call = self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&(session, id.into()));
        if let Some((_, cancel)) = call {
            let _ = cancel.send(());
        }
    }
}

impl CancelGuard {
    /// Ready when the call was cancelled.
    pub(super) fn poll_cancelled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(cancelled) = &mut self.cancelled else { return Poll::Pending };
        match ready!(Pin::new(cancelled).poll(cx)) {
            Ok(()) => Poll::Ready(()),
            // A newer call has taken over the id; this one continues without being cancellable.
            Err(_) => {
                self.cancelled = None;
                Poll::Pending
            }
        }
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        let mut calls = self.registry.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.get(&self.key).is_some_and(|(serial, _)| *serial == self.serial) {
            calls.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cancelled(call: &mut CancelGuard) -> bool {
        call.poll_cancelled(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn a_call_is_cancelled_by_its_session_and_id_only() {
        let calls = Arc::new(InFlightCalls::default());
        let mut call = calls.register([1; 16], "7");
        calls.cancel([2; 16], "7");
        calls.cancel([1; 16], "\"7\"");
        assert!(!is_cancelled(&mut call));
        calls.cancel([1; 16], "7");
        assert!(is_cancelled(&mut call));
    }

    #[test]
    fn a_newer_call_takes_over_the_id_of_an_older_one() {
        let calls = Arc::new(InFlightCalls::default());
        let (mut older, mut newer) = (calls.register([1; 16], "7"), calls.register([1; 16], "7"));
        assert!(!is_cancelled(&mut older));
        drop(older);
        calls.cancel([1; 16], "7");
        assert!(is_cancelled(&mut newer));
        drop(newer);
        assert!(calls.calls.lock().unwrap().is_empty(), "ended calls are unregistered");
    }
}
