//! The channel actor's writes: applied entries are appended to the log in batches.
//!
//! An operation is applied at once. Its replies and effects wait in the batch until the log has committed it
//! (ADR 13). While an awaited append is under way the mailbox waits, so operations that arrive meanwhile form the next
//! record. If the log refuses an append whose text was promised to be stored, the state in memory is ahead of the log:
//! the actor stops and the channel is recovered from the log.

use std::time::Duration;

use actix::prelude::*;
use rogerrat_domain::{Record, Refusal};

use crate::channel::actor::ChannelActor;
use crate::channel::pending_writes::{Batch, DeferredReply, LOG_RETRY, PendingDeliveries, WriteOutcome};
use crate::deliberate_fault::{DeliberateFault, is_broken};
use crate::error::HubError;
use crate::ports::error::LogError;
use crate::random::record_id;

/// How long entries that nothing waits for are gathered before they are written.
const FLUSH_DELAY: Duration = Duration::from_millis(20);
/// Entries after which the log of a small channel is compacted.
const COMPACT_AFTER: usize = 2000;

impl ChannelActor {
    /// Whether the log takes no appends now.
    pub(crate) fn log_unavailable(&self) -> bool {
        self.writes.behind || !self.context.log.is_healthy()
    }

    /// Replies now, or after the commit of what was applied before.
    pub(crate) fn reply_after_commit(&mut self, reply: impl FnOnce(&mut Self, Result<(), HubError>) + 'static) {
        match self.writes.awaited() {
            Some(batch) if !is_broken(DeliberateFault::EarlyReply) => batch.replies.push(Box::new(reply)),
            _ => reply(self, Ok(())),
        }
    }

    /// Schedules the write of the batch: when the mailbox is empty if something waits for it, else after the flush
    /// delay. A batch that is full is written now.
    pub(crate) fn schedule_write(&mut self, ctx: &mut Context<Self>) {
        if self.writes.is_idle() || self.writes.in_flight {
            return;
        }
        if self.writes.is_full() {
            self.write(ctx);
        } else if self.writes.awaited().is_some() {
            // The future is polled when the mailbox is empty: messages that arrived together are written together.
            if !self.writes.write_scheduled {
                self.writes.write_scheduled = true;
                ctx.spawn(async {}.into_actor(self).map(|(), this, ctx| {
                    this.writes.write_scheduled = false;
                    this.write(ctx);
                }));
            }
        } else if !self.writes.flush_scheduled {
            self.writes.flush_scheduled = true;
            ctx.run_later(FLUSH_DELAY, |this, ctx| {
                this.writes.flush_scheduled = false;
                this.write(ctx);
            });
        }
    }

    /// Appends the batch, unless an append is under way: its completion writes the next batch.
    pub(crate) fn write(&mut self, ctx: &mut Context<Self>) {
        if self.writes.in_flight || self.writes.is_idle() {
            return;
        }
        if self.writes.behind && self.writes.awaited().is_none() {
            // A compaction will write the whole state; nothing waits for these entries.
            self.writes.clear_entries();
            return;
        }
        let Some(batch) = self.writes.batch.take() else { return };
        if self.writes.behind {
            return self.settle_unwritten(*batch, ctx);
        }
        let Batch { entries, transcript, deliveries, replies, effects, awaited, .. } = *batch;
        let stores_text = self.channel.settings().is_durable() || !transcript.is_empty() || !deliveries.is_empty();
        let PendingDeliveries { due, permits } = deliveries;
        self.writes.count_entries(entries.len());
        let now = self.context.clock.now();
        let rid = record_id();
        let channel = self.channel.id().clone();
        let append = self.context.log.append(Record {
            channel,
            seq: self.seq + 1,
            fence: self.fence,
            rid,
            at_ms: now.at_ms,
            entries,
            transcript,
            due,
        });
        self.writes.in_flight = true;
        // A log that only this hub uses has no fence.
        let began_us = (self.fence > 0).then(|| self.context.clock.uptime_us());
        let completed = append.into_actor(self).map(move |result, this, ctx| {
            this.writes.in_flight = false;
            if let Some(began_us) = began_us {
                this.metrics.appended(this.context.clock.uptime_us() - began_us, result);
            }
            match WriteOutcome::of(result, awaited && stores_text) {
                WriteOutcome::Committed => {
                    this.seq += 1;
                    this.context.webhooks.wake(permits);
                }
                WriteOutcome::Postponed => this.mark_behind(ctx),
                WriteOutcome::Lost(error) => return this.restart_from_log(replies, &error, ctx),
            }
            replies.into_iter().for_each(|reply| reply(this, Ok(())));
            this.effects.extend(effects);
            this.run_effects(ctx);
            this.compact_if_long();
        });
        if awaited {
            ctx.wait(completed);
        } else {
            let _ = ctx.spawn(completed);
        }
    }

    /// Ends the waiting for a batch that was gathered while the write before it failed. What had to be stored is lost; the
    /// rest is done, as on any channel that goes on in memory.
    fn settle_unwritten(&mut self, batch: Batch<Self>, ctx: &mut Context<Self>) {
        let Batch { transcript, deliveries, replies, effects, .. } = batch;
        if self.channel.settings().is_durable() || !transcript.is_empty() || !deliveries.is_empty() {
            return self.restart_from_log(replies, &HubError::StorageFailed, ctx);
        }
        replies.into_iter().for_each(|reply| reply(self, Ok(())));
        self.effects.extend(effects);
        self.run_effects(ctx);
    }

    /// Fails the replies that wait, and stops: the state in memory is ahead of the log, and the channel is recovered
    /// from it.
    fn restart_from_log(&mut self, replies: Vec<DeferredReply<Self>>, error: &HubError, ctx: &mut Context<Self>) {
        let deleted = HubError::from(Refusal::channel_not_found());
        let error = if self.status.is_deleting() { &deleted } else { error };
        match error {
            HubError::Refused(_) => {}
            HubError::Moved => log::warn!(channel:display = self.channel.id(); "the channel has another owner now"),
            _ => {
                log::error!(channel:display = self.channel.id(), error:display; "append failed; restarting the channel from its log");
            }
        }
        let later = self.writes.batch.take().unwrap_or_default();
        replies.into_iter().chain(later.replies).for_each(|reply| reply(self, Err(error.clone())));
        ctx.stop();
    }

    /// Notes that the log lacks state that was not promised to be stored, and retries until a compaction has written
    /// it.
    pub(crate) fn mark_behind(&mut self, ctx: &mut Context<Self>) {
        if !self.writes.behind {
            log::warn!(channel:display = self.channel.id(); "log unavailable; the channel continues in memory");
            self.writes.behind = true;
            ctx.run_later(LOG_RETRY, Self::catch_up);
        }
    }

    fn catch_up(&mut self, ctx: &mut Context<Self>) {
        if !self.context.log.is_healthy() || self.writes.in_flight || self.writes.awaited().is_some() {
            ctx.run_later(LOG_RETRY, Self::catch_up);
            return;
        }
        self.writes.clear_entries();
        self.writes.in_flight = true;
        let snapshot = self.channel.snapshot(None, self.context.clock.now());
        let compaction = self.context.log.compact(self.channel.id(), self.fence, self.seq, snapshot);
        ctx.wait(compaction.into_actor(self).map(|compacted, this, ctx| {
            this.writes.in_flight = false;
            match compacted {
                Ok(()) => this.writes.behind = false,
                Err(LogError::NotOwner | LogError::Ended) => {
                    return this.restart_from_log(Vec::new(), &HubError::Moved, ctx);
                }
                Err(_) => {
                    ctx.run_later(LOG_RETRY, Self::catch_up);
                }
            }
            this.schedule_write(ctx);
        }));
    }

    /// Whether another instance may own the channel after giving it up has failed.
    fn may_be_elsewhere(&self, error: &LogError) -> bool {
        match error {
            LogError::NotOwner | LogError::Ended => true,
            LogError::Unknown(_) => self.context.log.instances().is_some(),
            LogError::Damaged(_) | LogError::Failed(_) | LogError::Busy => false,
        }
    }

    /// Compacts the log when it has grown long and holds every entry.
    fn compact_if_long(&mut self) {
        let members = self.channel.stats().members as usize;
        if (self.writes.since_compaction as usize) < COMPACT_AFTER + 4 * members
            || !self.writes.is_persisted()
            || self.writes.batch.as_ref().is_some_and(|batch| !batch.transcript.is_empty())
        {
            return;
        }
        self.writes.since_compaction = 0;
        let snapshot = self.channel.snapshot(None, self.context.clock.now());
        // Not awaited: if the compaction is lost, the records stay.
        drop(self.context.log.compact(self.channel.id(), self.fence, self.seq, snapshot));
    }

    /// Writes the batch, then gives the channel up with a snapshot that says it was unloaded cleanly. Calls `done` with
    /// whether that is stored.
    pub(crate) fn give_up(
        &mut self,
        ctx: &mut Context<Self>,
        done: impl FnOnce(&mut Self, bool, &mut Context<Self>) + 'static,
    ) {
        self.write(ctx);
        if self.writes.in_flight {
            // The write before it is under way: try again after it.
            ctx.run_later(FLUSH_DELAY, |this, ctx| this.give_up(ctx, done));
            return;
        }
        self.writes.clear_entries();
        self.writes.in_flight = true;
        let snapshot = self.channel.snapshot(Some(self.context.boot), self.context.clock.now());
        let given_up = self.context.log.give_up(self.channel.id(), self.fence, self.seq, snapshot);
        ctx.wait(given_up.into_actor(self).map(move |given_up, this, ctx| {
            this.writes.in_flight = false;
            if given_up.is_ok() {
                this.writes.behind = false;
                this.writes.since_compaction = 0;
            }
            done(this, given_up.is_ok(), ctx);
            if given_up.is_err_and(|error| this.may_be_elsewhere(&error)) {
                this.restart_from_log(Vec::new(), &HubError::Moved, ctx);
            }
        }));
    }
}
