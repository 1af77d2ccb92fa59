//! Deletes the rows that deleted channels have left, one transaction at a time, so that other queries find idle connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::ownership::erase;
use super::reader::ReaderPool;

/// How long to wait after a transaction that failed.
const RETRY: Duration = Duration::from_secs(1);

/// A handle to the task that deletes the rows.
#[derive(Clone, Default)]
pub(super) struct Eraser(Arc<Notify>);

impl Eraser {
    /// A channel was deleted.
    pub(super) fn wake(&self) {
        self.0.notify_one();
    }
}

/// Deletes rows whenever the eraser is woken, until nothing is left.
pub(super) async fn run(readers: ReaderPool, eraser: Eraser) {
    loop {
        eraser.0.notified().await;
        loop {
            match readers.read(|session| Box::pin(erase(session))).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    log::warn!(error:display; "rows of deleted channels could not be deleted yet");
                    sleep(RETRY).await;
                }
            }
        }
    }
}
