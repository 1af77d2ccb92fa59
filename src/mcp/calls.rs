//! The waits that are under way, so that `notifications/cancelled` can end them.
//!
//! Only the session that asked can cancel: a call is known by its session and its id together.

use std::collections::HashMap;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use super::session::Nonce;

type Key = (Nonce, Box<str>);

/// All of them. As many as there are open requests, and no more.
#[derive(Debug, Default)]
pub(super) struct Calls {
    under_way: Mutex<HashMap<Key, (u64, oneshot::Sender<()>)>>,
    serial: AtomicU64,
}

/// A call under way; dropped, it is forgotten.
#[derive(Debug)]
pub(super) struct UnderWay {
    calls: Arc<Calls>,
    key: Key,
    serial: u64,
    /// None when nobody can cancel it any more.
    cancel: Option<oneshot::Receiver<()>>,
}

impl Calls {
    /// Begins a call. An older one of the same id can no longer be cancelled.
    pub(super) fn begin(self: &Arc<Self>, session: Nonce, id: &str) -> UnderWay {
        let (cancel, cancelled) = oneshot::channel();
        let (key, serial) = ((session, id.into()), self.serial.fetch_add(1, Relaxed));
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.insert(Key::clone(&key), (serial, cancel));
        UnderWay { calls: self.clone(), key, serial, cancel: Some(cancelled) }
    }

    /// Cancels a call, if it is under way.
    pub(super) fn cancel(&self, session: Nonce, id: &str) {
        let call = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&(session, id.into()));
        if let Some((_, cancel)) = call {
            let _ = cancel.send(());
        }
    }
}

impl UnderWay {
    /// Ready when it was cancelled.
    pub(super) fn poll_cancelled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(cancel) = &mut self.cancel else { return Poll::Pending };
        match ready!(Pin::new(cancel).poll(cx)) {
            Ok(()) => Poll::Ready(()),
            // A younger call has its id now; this one goes on to its own end.
            Err(_) => {
                self.cancel = None;
                Poll::Pending
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut under_way = self.calls.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.get(&self.key).is_some_and(|(serial, _)| *serial == self.serial) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cancelled(call: &mut UnderWay) -> bool {
        call.poll_cancelled(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn a_call_is_cancelled_by_its_session_and_id_only() {
        let calls = Arc::new(Calls::default());
        let mut call = calls.begin([1; 16], "7");
        calls.cancel([2; 16], "7");
        calls.cancel([1; 16], "\"7\"");
        assert!(!is_cancelled(&mut call));
        calls.cancel([1; 16], "7");
        assert!(is_cancelled(&mut call));
    }

    #[test]
    fn a_younger_call_of_the_same_id_takes_the_place_of_the_older() {
        let calls = Arc::new(Calls::default());
        let (mut older, mut younger) = (calls.begin([1; 16], "7"), calls.begin([1; 16], "7"));
        assert!(!is_cancelled(&mut older));
        drop(older);
        calls.cancel([1; 16], "7");
        assert!(is_cancelled(&mut younger));
        drop(younger);
        assert!(calls.under_way.lock().unwrap().is_empty(), "what has ended is forgotten");
    }
}
