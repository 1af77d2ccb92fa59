//! The channel actor: drives one channel machine and runs its effects, in order.
//!
//! It decides nothing about messages. [`handlers`](super::handlers) take the messages of its mailbox,
//! [`log_writer`](super::log_writer) writes what was applied, [`pending_webhooks`](super::pending_webhooks) adds the
//! webhook deliveries of a send.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use actix::prelude::*;
use rogerrat_domain::{
    Channel, ChannelStats, Code, Effect, Effects, Entry, Kind, Message as ChannelMessage, MessageId, Now, Operation,
    Query, Refusal, Retention,
};

use crate::alarm::{Alarm, Alarmed};
use crate::channel::messages::{Frame, Unloaded};
use crate::channel::metrics::ChannelMetrics;
use crate::channel::pending_writes::{LOG_RETRY, PendingDeliveries, PendingWrites};
use crate::channel::responder::{Responder, Responders};
use crate::channel::status::ChannelStatus;
use crate::context::HubContext;
use crate::counters::Count;
use crate::error::HubError;
use crate::ports::error::LogError;

/// How far ahead of an id the id high-water mark is raised.
pub(crate) const ID_RESERVATION_MS: u64 = 60_000;
/// On a channel with more members than this, one look of `LOOKS_LEFT_OUT` at all of them is made.
const MEMBERS_LOOKED_AT: u32 = 256;
const LOOKS_LEFT_OUT: u64 = 32;
/// Messages a channel's mailbox holds.
pub(crate) const MAILBOX: usize = 4096;

/// Drives one channel.
pub(crate) struct ChannelActor {
    pub(crate) channel: Channel,
    /// The number of the last record in the log.
    pub(crate) seq: u64,
    /// The fence with which the channel was taken.
    pub(crate) fence: u64,
    pub(crate) status: Arc<ChannelStatus>,
    pub(crate) context: Arc<HubContext>,
    pub(crate) metrics: ChannelMetrics,
    pub(crate) writes: PendingWrites<Self>,
    pub(crate) effects: Effects,
    pub(crate) responders: Responders,
    pub(crate) alarm: Alarm,
}

impl Actor for ChannelActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.metrics.publish(self.channel.stats(), self.channel.take_delivery_counters());
        self.status.set_oldest_held(self.channel.oldest_held_ms());
        self.set_alarm(self.channel.next_deadline_ms(), self.context.clock, ctx);
    }
}

impl ChannelActor {
    /// Decides an operation and applies it; replies when its entries are committed. Reserves message ids first if the
    /// next id would pass the id high-water mark (D10). In a shared log no id above it is ever assigned: another instance
    /// may own the channel by then and assign the ids above it (ADR 44).
    pub(crate) fn perform<O: Operation>(
        &mut self,
        op: O,
        ctx: &mut Context<Self>,
        reply: impl FnOnce(&mut Self, Result<O::Reply, HubError>) + 'static,
    ) {
        let (log, now) = (&self.context.log, self.context.clock.now());
        let is_reserved = !O::ASSIGNS_IDS || self.channel.next_id(now) <= log.id_high_water_mark();
        if is_reserved || !log.is_healthy() && log.instances().is_none() {
            return self.decide_and_apply(op, now, ctx, reply);
        }
        let reserved = log.reserve_ids(self.channel.next_id(now) + ID_RESERVATION_MS);
        ctx.wait(reserved.into_actor(self).map(|reserved, this, ctx| match reserved {
            Ok(()) => this.perform(op, ctx, reply),
            Err(error) if this.channel.settings().is_durable() || this.context.log.instances().is_some() => {
                reply(this, Err(error.into()));
            }
            // A memory channel does not depend on a log that no other hub uses.
            Err(_) => {
                log::warn!("could not reserve message ids");
                let now = this.context.clock.now();
                this.decide_and_apply(op, now, ctx, reply);
            }
        }));
    }

    fn decide_and_apply<O: Operation>(
        &mut self,
        op: O,
        now: Now,
        ctx: &mut Context<Self>,
        reply: impl FnOnce(&mut Self, Result<O::Reply, HubError>) + 'static,
    ) {
        self.channel.tick_before_operation(now, &mut self.effects);
        self.run_effects(ctx);
        match op.decide(&self.channel, now).and_then(|entries| self.check_external_rules(entries, now)) {
            Err(refusal) => self.reply_after_commit(move |this, committed| {
                reply(this, Err(committed.map_or_else(HubError::without_write, |()| refusal.into())));
            }),
            Ok(entries) => self.apply_and_stage(op, &entries, now, ctx, reply),
        }
        self.run_effects(ctx);
    }

    /// Runs a query. Its reply waits for the commit of what it may have read.
    pub(crate) fn query<Q: Query>(
        &mut self,
        query: &Q,
        ctx: &mut Context<Self>,
        reply: impl FnOnce(Result<Q::Reply, HubError>) + 'static,
    ) {
        let result = self.channel.query(query, self.context.clock.now(), &mut self.effects);
        self.run_effects(ctx);
        self.reply_after_commit(move |_, committed| match committed {
            Ok(()) => reply(result.map_err(HubError::from)),
            Err(error) => reply(Err(error.without_write())),
        });
    }

    fn apply_and_stage<O: Operation>(
        &mut self,
        op: O,
        entries: &[Entry],
        now: Now,
        ctx: &mut Context<Self>,
        reply: impl FnOnce(&mut Self, Result<O::Reply, HubError>) + 'static,
    ) {
        let settings = self.channel.settings();
        let durable = settings.is_durable();
        let logged: Vec<_> = entries.iter().filter(|entry| entry.is_logged(durable)).cloned().collect();
        let lines = match settings.retention {
            Retention::None => Vec::new(),
            _ => op.transcript(&self.channel, entries, now),
        };
        let deliveries = self.webhook_deliveries(entries, now);
        let writes = !logged.is_empty() || !lines.is_empty() || !deliveries.is_empty();
        if writes && self.log_unavailable() {
            if durable || !lines.is_empty() || !deliveries.is_empty() {
                return self.reply_after_commit(|this, _| reply(this, Err(HubError::StorageFailed)));
            }
            self.mark_behind(ctx);
        } else {
            self.writes.stage(logged, lines, deliveries, writes);
        }
        let response = self.apply(op, entries, now);
        self.reply_after_commit(move |this, committed| match committed {
            Ok(()) => reply(this, Ok(response)),
            Err(error) if writes => reply(this, Err(error)),
            Err(error) => reply(this, Err(error.without_write())),
        });
    }

    /// Checks what the channel cannot know: bans, keys revoked since they were presented, and the rate limit of an
    /// account over all its channels.
    fn check_external_rules(&self, entries: Vec<Entry>, now: Now) -> Result<Vec<Entry>, Refusal> {
        for entry in &entries {
            match entry {
                Entry::Joined { callsign, identity, .. } => {
                    self.context.bans.admit(self.channel.id(), callsign, now)?;
                    let Some(identity) = identity else { continue };
                    self.status.has_identities.store(true, SeqCst);
                    if self.context.account_policy.has_ended(identity) {
                        let text = "this identity_key has been revoked";
                        return Err(Refusal::new(Code::Unauthorized, text).field("identity_key"));
                    }
                }
                Entry::Sent { message, .. } => {
                    if let Some((_, identity)) = self.channel.identity_of(message.from) {
                        self.context.account_policy.count_send(&identity.account, now)?;
                    }
                }
                _ => {}
            }
        }
        Ok(entries)
    }

    fn apply<O: Operation>(&mut self, op: O, entries: &[Entry], now: Now) -> O::Reply {
        for entry in entries {
            match entry {
                Entry::Joined { .. } => self.metrics.count(Count::Joins),
                Entry::Sent { message, .. } if message.kind == Kind::Status => self.metrics.count(Count::Statuses),
                Entry::Sent { .. } => self.metrics.count(Count::Messages),
                _ => {}
            }
            self.channel.apply(entry, now, &mut self.effects);
            self.note_departure(entry);
        }
        op.answer(&mut self.channel, entries, now, &mut self.effects)
    }

    /// Lets time pass on the channel, and runs what has become due.
    pub(crate) fn check_due(&mut self, ctx: &mut Context<Self>) {
        self.channel.tick(self.context.clock.now(), &mut self.effects);
        self.run_effects(ctx);
    }

    /// Runs the effects of the machine in order, then publishes the status and sets the alarm.
    pub(crate) fn run_effects(&mut self, ctx: &mut Context<Self>) {
        let mut effects = std::mem::take(&mut self.effects);
        let durable = self.channel.settings().is_durable();
        let note = |entry: &Entry| self.note_departure(entry);
        let entries = effects.drain_entries().inspect(note).filter(|entry| entry.is_logged(durable)).collect();
        self.writes.stage(entries, Vec::new(), PendingDeliveries::default(), false);
        for effect in effects.drain() {
            let Some(effect) = self.writes.defer_effect(effect) else { continue };
            match effect {
                Effect::Answer(waiter, response) => {
                    if let Some(Responder::Poll(reply)) = self.responders.remove(&waiter) {
                        // If the client has gone, the response is dropped and its token returns the messages.
                        let _ = reply.send(Ok(Ok(response)));
                    }
                }
                Effect::Feed(waiter, frame) => {
                    if let Some(Responder::Stream(frames)) = self.responders.get(&waiter) {
                        // The machine never queues more than the queue holds; a closed queue has cut its progress.
                        let _ = frames.try_send(Frame::Event(frame));
                    }
                }
                Effect::End(waiter, frame) => {
                    if let Some(Responder::Stream(frames)) = self.responders.remove(&waiter) {
                        let _ = frames.try_send(Frame::Last(frame));
                    }
                }
                Effect::Task(waiter, response) => match self.responders.remove(&waiter) {
                    Some(Responder::Look(reply)) => {
                        let _ = reply.send(Ok(Ok(response)));
                    }
                    Some(Responder::Take(reply)) => {
                        let _ = reply.send(Ok(Ok(None)));
                    }
                    _ => {}
                },
                Effect::Notify => self.status.notify_watchers(),
                Effect::Settings(settings) => self.status.set_settings(settings),
                Effect::Fetch(ids) => self.fetch(ids, false, ctx),
                Effect::Unload => self.unload(ctx),
            }
        }
        self.effects = effects;
        self.status.last_id.store(self.channel.last_id(), Relaxed);
        self.status.agents.store(self.channel.live_members(), Relaxed);
        let stats = self.channel.stats();
        let held_before = self.metrics.publish(stats, self.channel.take_delivery_counters());
        self.publish_oldest_held(held_before, &stats);
        self.set_alarm(self.channel.next_deadline_ms(), self.context.clock, ctx);
        self.schedule_write(ctx);
    }

    /// Publishes how old the oldest held DM is. A new one is not the oldest, unless it is the only one; after one was delivered
    /// all members are looked at, on a large channel not every time. Each send and each delivery changes the sum.
    fn publish_oldest_held(&self, before: u32, stats: &ChannelStats) {
        let sum = self.channel.last_id() + u64::from(stats.held);
        let is_looked_at = stats.members <= MEMBERS_LOOKED_AT || sum.is_multiple_of(LOOKS_LEFT_OUT);
        match (before, stats.held) {
            (before, now) if before == now => {}
            (_, 0) => self.status.set_oldest_held(None),
            (0, 1) => self.status.set_oldest_held(Some(self.channel.last_id())),
            (before, now) if before > 0 && now > before => {}
            _ if is_looked_at => self.status.set_oldest_held(self.channel.oldest_held_ms()),
            _ => {}
        }
    }

    /// Fetches messages from the log. The channel serves other requests meanwhile.
    fn fetch(&self, ids: Vec<MessageId>, is_repeated: bool, ctx: &mut Context<Self>) {
        let messages = self.context.log.messages(self.channel.id(), ids.clone());
        ctx.spawn(messages.into_actor(self).map(move |messages, this, ctx| match messages {
            Ok(messages) => this.on_fetched(&ids, messages, ctx),
            Err(LogError::Damaged(what)) => {
                log::error!(channel:display = this.channel.id(), what:display; "corrupt messages skipped; readers get a gap");
                this.on_fetched(&ids, Vec::new(), ctx);
            }
            Err(error) => {
                if !is_repeated {
                    log::warn!(channel:display = this.channel.id(), error:display; "could not fetch messages; retrying");
                }
                ctx.run_later(LOG_RETRY, |this, ctx| this.fetch(ids, true, ctx));
            }
        }));
    }

    fn on_fetched(&mut self, requested: &[MessageId], messages: Vec<Arc<ChannelMessage>>, ctx: &mut Context<Self>) {
        self.channel.fetched(requested, messages, self.context.clock.now(), &mut self.effects);
        self.run_effects(ctx);
    }

    /// Leaves memory. The next request finds a closed mailbox and has the channel recovered from the log.
    fn unload(&mut self, ctx: &mut Context<Self>) {
        self.channel.postpone_unload(self.context.clock.now());
        if !self.writes.is_persisted() {
            return;
        }
        self.give_up(ctx, |this, is_written, ctx| {
            if is_written {
                log::debug!(channel:display = this.channel.id(); "channel unloaded");
                this.status.unload();
                // If the Registry's mailbox is full, its next sweep finds the unused handle.
                let _ = this.context.registry.try_send(Unloaded { channel: this.channel.id().clone() });
                ctx.stop();
            }
        });
    }
}

impl Alarmed for ChannelActor {
    fn alarm(&mut self) -> &mut Alarm {
        &mut self.alarm
    }

    fn on_alarm(&mut self, ctx: &mut Context<Self>) {
        self.check_due(ctx);
        if self.responders.is_empty() {
            // No client waits: free the memory that only waiting clients need.
            self.channel.shrink();
            self.effects = Effects::default();
            self.responders = Responders::default();
        }
    }

    fn delegate_wakeup(&mut self, at_ms: Option<u64>) -> bool {
        self.status.schedule_wakeup(at_ms);
        true
    }
}
