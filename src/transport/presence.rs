//! Whether the client of a request is still there, for HTTP/2: its handlers are not cancelled when a connection closes.

use std::future::Future;
use std::pin::Pin;

use actix_web::HttpRequest;
use tokio::sync::watch;

/// Held by the connection; dropped with it.
pub(super) struct Here(watch::Sender<()>);

impl Here {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub(super) fn presence(&self) -> Presence {
        Presence(self.0.subscribe())
    }
}

/// The other end, which every request of the connection can see.
#[derive(Clone)]
pub(crate) struct Presence(watch::Receiver<()>);

/// Comes when a connection has closed. It is boxed so that a parked poll of HTTP/1 has no room for it.
pub(crate) type Gone = Pin<Box<dyn Future<Output = ()>>>;

impl Presence {
    /// None for HTTP/1: there a handler or body is dropped with its connection, and nothing needs to be watched.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().cloned()
    }

    /// Comes when the connection has closed.
    pub(crate) fn ended(mut self) -> Gone {
        Box::pin(async move { while self.0.changed().await.is_ok() {} })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn it_ends_with_the_connection() {
        let here = Here::new();
        let lives = here.presence();
        assert!(!lives.0.has_changed().unwrap());
        let ended = actix_web::rt::spawn(lives.ended());
        drop(here);
        ended.await.unwrap();
    }
}
