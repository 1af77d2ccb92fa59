//! The life of an instance: it records that it is alive, and stops when it was declared to have ended.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::watch;

use crate::channel::messages::Abandon;
use crate::ports::error::LogError;
use crate::ports::instances::BEAT_EVERY_MS;
use crate::registry::Registry;

/// Whether the instance has ended. A hub that shares its log with no other is an instance that never does.
#[derive(Clone, Debug, Default)]
pub(crate) struct InstanceLife(Arc<watch::Sender<bool>>);

impl InstanceLife {
    /// Whether the instance was declared to have ended.
    pub(crate) fn has_ended(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the instance was declared to have ended.
    pub(crate) async fn ended(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|ended| *ended).await;
    }

    fn end(&self) -> bool {
        !self.0.send_replace(true)
    }
}

impl Registry {
    /// Records regularly that the instance is alive. Only in a shared log.
    pub(crate) fn schedule_beats(&self, ctx: &mut Context<Self>) {
        if self.recovery.log.instances().is_some() {
            ctx.run_interval(Duration::from_millis(BEAT_EVERY_MS), |this, ctx| this.beat(ctx));
        }
    }

    fn beat(&mut self, ctx: &mut Context<Self>) {
        let log = self.recovery.log.clone();
        let Some(instances) = log.instances().filter(|_| !self.life.has_ended() && !self.is_beating) else { return };
        self.is_beating = true;
        ctx.spawn(instances.beat().into_actor(self).map(|beat, this, _| {
            this.is_beating = false;
            // A hub that was closed has ended its instance itself.
            if matches!(beat, Err(LogError::Ended)) && !this.is_closed {
                this.end_instance();
            }
        }));
    }

    /// Stops everything: other instances own the channels of this one now. Polls and streams end as in a shutdown, and
    /// nothing is written.
    pub(crate) fn end_instance(&mut self) {
        if !self.life.end() {
            return;
        }
        log::error!(
            "this instance was declared to have ended, because it did not reach the log for too long; the process stops and must \
             be started again: check the connection to the database"
        );
        self.draining = true;
        self.is_closed = true;
        for addr in self.directory.iter().filter_map(|handle| handle.addr()) {
            // A channel whose mailbox is full finds out with its next write, or when it needs ids above its ceiling.
            let _ = addr.try_send(Abandon);
        }
    }
}
