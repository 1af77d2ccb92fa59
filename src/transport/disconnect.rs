//! Disconnect detection for HTTP/2, for code that outlives the task of its request.

use std::future::Future;
use std::pin::Pin;

use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::watch;

/// Held by the connection: dropping it reports the disconnect to every [`ConnectionState`].
pub(super) struct ConnectionGuard(watch::Sender<()>);

impl ConnectionGuard {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub(super) fn state(&self) -> ConnectionState {
        ConnectionState(self.0.subscribe())
    }
}

/// Lets the requests of an HTTP/2 connection see when it closes.
#[derive(Clone)]
pub(crate) struct ConnectionState(watch::Receiver<()>);

/// Completes when a connection has closed. Boxed, so that a parked HTTP/1.1 poll does not reserve space for it.
pub(crate) type Disconnected = Pin<Box<dyn Future<Output = ()>>>;

impl ConnectionState {
    /// `None` for HTTP/1.1: there a handler or body is dropped with its connection, so nothing has to be watched.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Completes when the connection has closed.
    pub(crate) fn disconnected(mut self) -> Disconnected {
        Box::pin(async move { while self.0.changed().await.is_ok() {} })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn dropping_the_guard_reports_the_disconnect() {
        let guard = ConnectionGuard::new();
        let state = guard.state();
        assert!(!state.0.has_changed().unwrap());
        let disconnected = actix_web::rt::spawn(state.disconnected());
        drop(guard);
        disconnected.await.unwrap();
    }
}
