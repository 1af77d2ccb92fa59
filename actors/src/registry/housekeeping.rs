//! The Registry's periodic work: unload unused handles, wake channels that set no timer, reserve message ids, save the
//! counters, and delete channels and account sessions that have not been used for long.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use actix::prelude::*;
use rogerrat_domain::ChannelId;
use rogerrat_domain::limits::ACCOUNT_SESSION_MS;

use crate::alarm::FAR_MS;
use crate::channel::actor::ID_RESERVATION_MS;
use crate::channel::handle::ChannelHandle;
use crate::channel::messages::CheckNow;
use crate::counters::{Count, Counters};
use crate::ports::accounts::AccountChange;
use crate::ports::emails::EmailChange;
use crate::registry::Registry;
use crate::registry::messages::DeleteChannel;

/// How often unused channels are deleted.
const DELETE_UNUSED_EVERY: Duration = Duration::from_secs(3600);
/// The use of a channel so soon after its creation is not recorded: the check for unused channels runs once an hour.
const NEW_MS: u64 = 3_600_000;
/// How often unused handles are looked for.
const UNLOAD_EVERY: Duration = Duration::from_secs(60);
/// How often channels that set no timer are woken for what becomes due before the next check, and some time after it.
const WAKE_EVERY_MS: u64 = FAR_MS / 3;
/// How often message ids are reserved and the counters are saved.
const SAVE_EVERY: Duration = Duration::from_secs(15);
/// Unused channels deleted in one pass.
const DELETE_AT_ONCE: usize = 1000;
/// Channels whose last use is recorded in one write: other writes get their turn in between.
const RECORD_USE_AT_ONCE: usize = 500;
/// Dates before 2025 are from a machine that did not know the time, and say nothing about the last use.
const PLAUSIBLE_MS: u64 = 1_735_689_600_000;

/// The channels whose handles are to be removed from the directory.
pub(crate) struct Unloading {
    pub(crate) channels: VecDeque<ChannelId>,
    /// A write of their last use is under way.
    pub(crate) is_recording_use: bool,
}

/// Whether a channel has no actor, no request holds its handle, and the log holds its whole state. A crashed actor's
/// channel stays: its handle knows that it crashed.
fn is_unused(handle: &Arc<ChannelHandle>) -> bool {
    !handle.settings().is_band && Arc::strong_count(handle) == 1 && !handle.is_live() && !handle.status.has_crashed()
}

impl Registry {
    pub(super) fn schedule_housekeeping(&self, ctx: &mut Context<Self>) {
        ctx.run_interval(DELETE_UNUSED_EVERY, |this, ctx| this.delete_unused(ctx));
        ctx.run_interval(UNLOAD_EVERY, Self::unload_unused);
        ctx.run_interval(Duration::from_millis(WAKE_EVERY_MS), |this, _| this.wake_due());
        ctx.run_interval(SAVE_EVERY, |this, ctx| {
            this.reserve_ids_and_save_counters();
            this.count_channels(ctx);
        });
    }

    /// When a channel was last used, in milliseconds since the epoch.
    fn used_at_ms(&self, handle: &ChannelHandle) -> u64 {
        let now = self.recovery.clock.now();
        now.at_ms.saturating_sub(now.uptime_ms.saturating_sub(handle.used_ms.load(Relaxed)))
    }

    /// Removes the handles of unused channels from the directory; the log still knows them.
    fn unload_unused(&mut self, ctx: &mut Context<Self>) {
        self.context.account_policy.sweep(self.recovery.clock.now());
        if self.unloading.channels.is_empty() {
            let unused = self.directory.iter().filter(|handle| is_unused(handle.value()));
            self.unloading.channels = unused.map(|handle| handle.key().clone()).collect();
        }
        self.unload_some(ctx);
    }

    /// Removes the next handles, and records when their channels were last used.
    pub(super) fn unload_some(&mut self, ctx: &mut Context<Self>) {
        if self.unloading.is_recording_use || self.unloading.channels.is_empty() {
            return;
        }
        let count = self.unloading.channels.len().min(RECORD_USE_AT_ONCE);
        let some: Vec<_> = self.unloading.channels.drain(..count).collect();
        // Checked again under the directory's lock: no request can get hold of the handle meanwhile.
        let removed = some.iter().filter_map(|id| self.directory.remove_if(id, |_, handle| is_unused(handle)));
        let used = removed.filter_map(|(id, handle)| {
            let at_ms = self.used_at_ms(&handle);
            (at_ms > handle.settings().created_at_ms + NEW_MS).then_some((id, at_ms))
        });
        let used: Vec<_> = used.collect();
        let recorded = if used.is_empty() { Box::pin(ready(Ok(()))) } else { self.recovery.log.used(used) };
        self.unloading.is_recording_use = true;
        ctx.spawn(recorded.into_actor(self).map(|_, this, ctx| {
            this.unloading.is_recording_use = false;
            this.unload_some(ctx);
        }));
    }

    /// Wakes channels to which something becomes due soon, early enough for them to set a timer.
    fn wake_due(&self) {
        let soon_ms = self.recovery.clock.uptime_ms() + 2 * WAKE_EVERY_MS;
        for handle in self.directory.iter().filter(|handle| handle.status.wakes_before(soon_ms)) {
            // A channel with a full mailbox checks by itself with every message.
            let _ = handle.try_send(CheckNow);
        }
    }

    /// Keeps the id high-water mark ahead of the clock, so that sends need not wait for it, and saves the counters.
    fn reserve_ids_and_save_counters(&self) {
        self.recovery.clock.check();
        let log = &self.recovery.log;
        if log.is_healthy() {
            drop(log.reserve_ids(self.recovery.clock.now().at_ms + ID_RESERVATION_MS));
            if log.instances().is_none() {
                drop(log.put_meta(Counters::NOTE, self.counters.note()));
            }
        }
    }

    /// Reads the number of channels: in a shared log, other hubs create and delete some.
    fn count_channels(&self, ctx: &mut Context<Self>) {
        if self.recovery.log.instances().is_none() {
            return;
        }
        let count = self.recovery.log.count();
        ctx.spawn(count.into_actor(self).map(|count, this, _| {
            if let Ok(count) = count {
                let bands = this.directory.iter().filter(|handle| handle.settings().is_band).count() as u64;
                this.counters.set(Count::Channels, count + bands);
            }
        }));
    }

    /// Ends account sessions that have not been used for too long, and removes accounts that own nothing, and codes and
    /// links of e-mails that expired.
    fn sweep_accounts(&self, ctx: &mut Context<Self>) {
        let at_ms = self.recovery.clock.now().at_ms;
        let swept = self.recovery.accounts.change_email(EmailChange::Sweep { at_ms });
        ctx.spawn(swept.into_actor(self).map(|swept, _, _| {
            if let Err(error) = swept {
                log::warn!(error:display; "could not delete expired codes of e-mails");
            }
        }));
        let before_ms = self.recovery.clock.expiry_ms().saturating_sub(ACCOUNT_SESSION_MS);
        let swept = self.recovery.accounts.change(AccountChange::Sweep { before_ms });
        ctx.spawn(swept.into_actor(self).map(|swept, _, _| {
            if let Err(error) = swept {
                log::warn!(error:display; "could not end unused account sessions");
            }
        }));
    }

    /// Deletes channels that have not been used for too long.
    fn delete_unused(&self, ctx: &mut Context<Self>) {
        self.sweep_accounts(ctx);
        let Some(unused_ms) = self.unused_ms else { return };
        let used = self.directory.iter().filter(|handle| !handle.settings().is_band);
        let used: Vec<_> = used.map(|handle| (handle.key().clone(), self.used_at_ms(handle.value()))).collect();
        let log = self.recovery.log.clone();
        let unused = PLAUSIBLE_MS..self.recovery.clock.unused_before_ms(unused_ms);
        let found = async move {
            for some in used.chunks(RECORD_USE_AT_ONCE) {
                log.used(some.to_vec()).await?;
            }
            log.unused(unused, DELETE_AT_ONCE).await
        };
        ctx.spawn(found.into_actor(self).map(|found, this, ctx| match found {
            Ok(channels) => channels.into_iter().for_each(|channel| {
                if this.directory.get(&channel).is_none_or(|handle| handle.status.agents.load(Relaxed) == 0) {
                    log::info!(channel:display = channel; "deleting an unused channel");
                    ctx.notify(DeleteChannel { channel });
                }
            }),
            Err(error) => log::warn!(error:display; "could not look for unused channels"),
        }));
    }
}
