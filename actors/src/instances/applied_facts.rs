//! How far an instance has applied the facts of the log.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// The number of the last fact that was applied. All before it were, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppliedFacts(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    last: watch::Sender<u64>,
    /// Somebody waits for more.
    wanted: Notify,
}

impl AppliedFacts {
    /// The number.
    pub(crate) fn last(&self) -> u64 {
        *self.0.last.borrow()
    }

    /// The facts up to a number were applied.
    pub(crate) fn advance_to(&self, no: u64) {
        self.0.last.send_replace(no);
    }

    /// Waits until the facts up to a number were applied.
    pub(crate) async fn reach(&self, no: u64) {
        if self.last() < no {
            self.0.wanted.notify_one();
            // The sender lives as long as this.
            let _ = self.0.last.subscribe().wait_for(|last| *last >= no).await;
        }
    }

    /// Waits until somebody waits for more.
    pub(crate) async fn wanted(&self) {
        self.0.wanted.notified().await;
    }
}
