//! What connects a hub of the simulation with its clients, its peers and the log. A fault changes it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// What is wrong with a hub.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinkState {
    /// Its process has ended.
    pub(super) killed: bool,
    /// Its process does not run: nothing leaves it and nothing enters it until it runs again.
    pub(super) frozen: bool,
    /// It does not reach the log.
    pub(super) cut_from_log: bool,
    /// It reaches no other hub, and no other reaches it.
    pub(super) cut_from_peers: bool,
}

/// The links of a hub.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(Arc<watch::Sender<LinkState>>);

impl Links {
    pub(super) fn set(&self, change: impl FnOnce(&mut LinkState)) {
        self.0.send_modify(change);
    }

    pub(super) fn state(&self) -> LinkState {
        *self.0.borrow()
    }

    async fn wait(&self, condition: impl FnMut(&LinkState) -> bool) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(condition).await;
    }

    /// Waits until the process has ended.
    pub(super) async fn killed(&self) {
        self.wait(|state| state.killed).await;
    }

    /// Waits until the process runs. False if it has ended.
    pub(super) async fn pass(&self) -> bool {
        self.wait(|state| state.killed || !state.frozen).await;
        !self.state().killed
    }

    /// Waits until the process runs and reaches the log, but no longer than a limit while it runs and does not. False if it
    /// does not; never returns if the process has ended.
    pub(super) async fn reach_log(&self, limit: Duration) -> bool {
        loop {
            if !self.pass().await {
                std::future::pending::<()>().await;
            }
            let changed = self.wait(|state| state.killed || state.frozen || !state.cut_from_log);
            let in_time = timeout(limit, changed).await.is_ok();
            let state = self.state();
            if !state.killed && !state.frozen {
                return in_time && !state.cut_from_log;
            }
        }
    }
}
