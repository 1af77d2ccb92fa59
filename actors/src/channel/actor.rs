//! The channel actor: drives one channel machine and carries out its effects, in order, and nothing else.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use actix::prelude::*;
use rogerrat_domain::op::{Read, ReadOutcome};
use rogerrat_domain::{
    Channel, Code, Effect, Entry, Kind, Message as ChannelMessage, MessageId, Now, Operation, ReadResponse, Refusal,
    Retention, WaiterId,
};
use tokio::sync::{mpsc, oneshot};

use crate::alarm::{Alarm, Alarmed};
use crate::channel::log_writer::{PendingWrites, RETRY};
use crate::channel::messages::{
    Ask, CancelWait, CheckNow, Delete, Drain, Frame, OpenSubscription, Passivate, Poll, RequestResult,
};
use crate::channel::metrics::ChannelMetrics;
use crate::channel::pending_webhooks::PendingDeliveries;
use crate::channel::status::ChannelStatus;
use crate::context::HubContext;
use crate::counters::Count;
use crate::error::HubError;
use crate::ports::log::LogError;
use crate::registry::Passivated;

/// How far ahead of the ids their floor is raised.
pub(crate) const FLOOR_AHEAD_MS: u64 = 60_000;
/// Messages a channel's mailbox holds.
pub(crate) const MAILBOX: usize = 4096;

/// How what happens at a place gets to its client.
pub(crate) enum Responder {
    Poll(oneshot::Sender<RequestResult<Read, ReadResponse>>),
    Stream(mpsc::Sender<Frame>),
}

/// The ways of a channel's places. The hub itself numbers the places, so that nobody can choose what collides.
pub(crate) type Responders = HashMap<WaiterId, Responder, BuildHasherDefault<DefaultHasher>>;

/// Drives one channel.
pub(crate) struct ChannelActor {
    pub(crate) channel: Channel,
    pub(crate) seq: u64,
    pub(crate) vitals: Arc<ChannelStatus>,
    pub(crate) house: Arc<HubContext>,
    pub(crate) share: ChannelMetrics,
    pub(crate) keeping: PendingWrites,
    pub(crate) effects: Vec<Effect>,
    pub(crate) ways: Responders,
    pub(crate) alarm: Alarm,
}

impl Actor for ChannelActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.share.publish(self.channel.stats(), self.channel.take_handed());
        self.set_alarm(self.channel.next_deadline_ms(), self.house.clock, ctx);
    }
}

impl ChannelActor {
    /// Decides an operation, applies it, and answers when what it did is kept.
    fn perform<O: Operation>(
        &mut self,
        op: O,
        ctx: &mut Context<Self>,
        answer: impl FnOnce(&mut Self, Result<O::Reply, HubError>) + 'static,
    ) {
        let now = self.house.clock.now();
        if O::GIVES_IDS
            && self.channel.next_id(now) > self.house.log.id_high_water_mark()
            && self.house.log.is_healthy()
        {
            return self.raise_floor_for(op, ctx, answer);
        }
        self.channel.tick(now, &mut self.effects);
        self.carry_out(ctx);
        match op.decide(&self.channel, now).and_then(|entries| self.stands(entries, now)) {
            Err(refusal) => self.answer_in_turn(move |this, kept| {
                answer(this, Err(kept.map_or(HubError::OutcomeUnknown, |()| refusal.into())));
            }),
            Ok(entries) => self.go_on(op, &entries, now, ctx, answer),
        }
        self.carry_out(ctx);
    }

    fn go_on<O: Operation>(
        &mut self,
        op: O,
        entries: &[Entry],
        now: Now,
        ctx: &mut Context<Self>,
        answer: impl FnOnce(&mut Self, Result<O::Reply, HubError>) + 'static,
    ) {
        let settings = self.channel.settings();
        let durable = settings.is_durable();
        let kept: Vec<_> = entries.iter().filter(|entry| entry.is_kept(durable)).cloned().collect();
        let lines = match settings.retention {
            Retention::None => Vec::new(),
            _ => op.transcript(&self.channel, entries, now),
        };
        let notices = self.notices(entries, now);
        let writes = !kept.is_empty() || !lines.is_empty() || !notices.is_empty();
        if writes && self.log_is_shut() {
            if durable || !lines.is_empty() || !notices.is_empty() {
                return self.answer_in_turn(|this, _| answer(this, Err(HubError::StorageFailed)));
            }
            self.fall_behind(ctx);
        } else {
            self.note(kept, lines, notices, writes);
        }
        let reply = self.finish(op, entries, now);
        self.answer_in_turn(move |this, kept| match kept {
            Ok(()) => answer(this, Ok(reply)),
            Err(error) if writes => answer(this, Err(error)),
            Err(_) => answer(this, Err(HubError::OutcomeUnknown)),
        });
    }

    /// What the channel cannot know: who is banned, whether a key has ended since it was shown, and what an account sends
    /// elsewhere.
    fn stands(&self, entries: Vec<Entry>, now: Now) -> Result<Vec<Entry>, Refusal> {
        if let Some(Entry::Joined { callsign, .. }) = entries.last() {
            self.house.bans.admit(self.channel.id(), callsign, now)?;
        }
        match entries.last() {
            Some(Entry::Joined { identity: Some(identity), .. }) => {
                self.vitals.has_identities.store(true, SeqCst);
                if self.house.standing.has_ended(identity) {
                    return Err(Refusal::new(Code::Unauthorized, "this identity_key is good no more"));
                }
            }
            Some(Entry::Sent { message, .. }) => {
                if let Some((_, identity)) = self.channel.identity_of(message.from) {
                    self.house.standing.count_send(&identity.account, now)?;
                }
            }
            _ => {}
        }
        Ok(entries)
    }

    fn finish<O: Operation>(&mut self, op: O, entries: &[Entry], now: Now) -> O::Reply {
        for entry in entries {
            match entry {
                Entry::Joined { .. } => self.share.count(Count::Joins),
                Entry::Sent { message, .. } if message.kind == Kind::Status => self.share.count(Count::Statuses),
                Entry::Sent { .. } => self.share.count(Count::Messages),
                _ => {}
            }
            self.channel.apply(entry, now, &mut self.effects);
        }
        op.answer(&mut self.channel, entries, now, &mut self.effects)
    }

    /// Ids are about to pass the hub's floor: it goes up first (D10). A log that fails does not stop who needs none.
    fn raise_floor_for<O: Operation>(
        &mut self,
        op: O,
        ctx: &mut Context<Self>,
        answer: impl FnOnce(&mut Self, Result<O::Reply, HubError>) + 'static,
    ) {
        let raise = self.house.log.reserve_ids(self.channel.next_id(self.house.clock.now()) + FLOOR_AHEAD_MS);
        ctx.wait(raise.into_actor(self).map(|raised, this, ctx| match raised {
            Ok(()) => this.perform(op, ctx, answer),
            Err(error) if this.channel.settings().is_durable() => answer(this, Err(error.into())),
            Err(_) => {
                log::warn!("the floor of the ids could not be raised");
                let now = this.house.clock.now();
                match op.decide(&this.channel, now).and_then(|entries| this.stands(entries, now)) {
                    Err(refusal) => answer(this, Err(refusal.into())),
                    Ok(entries) => this.go_on(op, &entries, now, ctx, answer),
                }
                this.carry_out(ctx);
            }
        }));
    }

    /// Looks what is due.
    fn look(&mut self, ctx: &mut Context<Self>) {
        self.channel.tick(self.house.clock.now(), &mut self.effects);
        self.carry_out(ctx);
    }

    /// Carries out what the machine asked for, in order.
    pub(crate) fn carry_out(&mut self, ctx: &mut Context<Self>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            if let Effect::Log(entry) = effect {
                if entry.is_kept(self.channel.settings().is_durable()) {
                    self.note(vec![entry], Vec::new(), PendingDeliveries::default(), false);
                }
                continue;
            }
            let Some(effect) = self.hold_back(effect) else { continue };
            match effect {
                Effect::Answer(place, delivery) => {
                    if let Some(Responder::Poll(reply)) = self.ways.remove(&place) {
                        // An answer that finds nobody is dropped, and its token says so.
                        let _ = reply.send(Ok(Ok(delivery)));
                    }
                }
                Effect::Feed(place, frame) => {
                    if let Some(Responder::Stream(tap)) = self.ways.get(&place) {
                        // The machine never queues more than the tap holds; a closed one has cut its progress.
                        let _ = tap.try_send(Frame::Event(frame));
                    }
                }
                Effect::End(place, frame) => {
                    if let Some(Responder::Stream(tap)) = self.ways.remove(&place) {
                        let _ = tap.try_send(Frame::Last(frame));
                    }
                }
                Effect::Notify(_) => self.vitals.tell_news(),
                Effect::Settings(settings) => self.vitals.post(settings),
                Effect::Fetch(ids) => self.fetch(ids, ctx),
                Effect::Retire => self.retire(ctx),
                Effect::Log(_) => unreachable!("what time did was noted above"),
            }
        }
        self.effects = effects;
        self.vitals.last_id.store(self.channel.last_id(), Relaxed);
        self.vitals.agents.store(self.channel.live_members(), Relaxed);
        self.share.publish(self.channel.stats(), self.channel.take_handed());
        self.set_alarm(self.channel.next_deadline_ms(), self.house.clock, ctx);
        self.write_soon(ctx);
    }

    /// Fetches messages from the log. While they are on their way everything goes on.
    fn fetch(&self, ids: Vec<MessageId>, ctx: &mut Context<Self>) {
        let messages = self.house.log.messages(self.channel.id(), ids.clone());
        ctx.spawn(messages.into_actor(self).map(move |messages, this, ctx| match messages {
            Ok(messages) => this.hand_round(&ids, messages, ctx),
            Err(LogError::Damaged(what)) => {
                log::error!(channel:display = this.channel.id(), what:display; "messages that are damaged are told as lost");
                this.hand_round(&ids, Vec::new(), ctx);
            }
            Err(error) => {
                log::warn!(channel:display = this.channel.id(), error:display; "messages could not be fetched yet");
                ctx.run_later(RETRY, |this, ctx| this.fetch(ids, ctx));
            }
        }));
    }

    fn hand_round(&mut self, asked: &[MessageId], came: Vec<Arc<ChannelMessage>>, ctx: &mut Context<Self>) {
        self.channel.fetched(asked, came, self.house.clock.now(), &mut self.effects);
        self.carry_out(ctx);
    }

    /// Nobody is here: leave memory. Whoever comes next finds a dead address and has the channel opened again.
    fn retire(&mut self, ctx: &mut Context<Self>) {
        self.channel.stay(self.house.clock.now());
        if !self.is_kept() {
            return;
        }
        self.rest(ctx, |this, rested, ctx| {
            if rested {
                log::debug!(channel:display = this.channel.id(); "channel retires");
                this.vitals.rest();
                // A Registry that is too busy finds the empty room when it tidies.
                let _ = this.house.registry.try_send(Passivated { channel: this.channel.id().clone() });
                ctx.stop();
            }
        });
    }
}

impl Alarmed for ChannelActor {
    fn alarm(&mut self) -> &mut Alarm {
        &mut self.alarm
    }

    fn ring(&mut self, ctx: &mut Context<Self>) {
        self.look(ctx);
        if self.ways.is_empty() {
            // Nobody waits any more: what is there for who does need not take room.
            self.channel.shrink();
            self.effects = Vec::new();
            self.ways = Responders::default();
        }
    }

    fn book(&mut self, at_ms: Option<u64>) -> bool {
        self.vitals.book(at_ms);
        true
    }
}

impl<O: Operation> Handler<Ask<O>> for ChannelActor {
    type Result = ();

    fn handle(&mut self, ask: Ask<O>, ctx: &mut Self::Context) {
        let Some((op, reply)) = ask.0.take() else { return };
        self.perform(op, ctx, move |_, result| {
            let _ = reply.send(Ok(result));
        });
    }
}

impl Handler<Poll> for ChannelActor {
    type Result = ();

    fn handle(&mut self, poll: Poll, ctx: &mut Self::Context) {
        let Some((read, reply)) = poll.0.take() else { return };
        let place = read.place;
        self.perform(read, ctx, move |this, result| match result {
            Ok(ReadOutcome::Parked) if reply.is_closed() => {}
            Ok(ReadOutcome::Parked) => {
                this.ways.insert(place, Responder::Poll(reply));
            }
            Ok(ReadOutcome::Now(delivery)) => {
                let _ = reply.send(Ok(Ok(delivery)));
            }
            // Dropped unanswered, it is brought again: reading twice harms nothing.
            Err(HubError::OutcomeUnknown) => {}
            Err(error) => {
                let _ = reply.send(Ok(Err(error)));
            }
        });
    }
}

impl Handler<OpenSubscription> for ChannelActor {
    type Result = ();

    fn handle(&mut self, open: OpenSubscription, ctx: &mut Self::Context) {
        let Some((tap, reply)) = open.0.take() else { return };
        let (place, frames) = (tap.open.place, tap.frames);
        self.perform(tap.open, ctx, move |this, result| {
            if result.is_ok() && !frames.is_closed() {
                this.ways.insert(place, Responder::Stream(frames));
            }
            let _ = reply.send(Ok(result));
        });
    }
}

impl Handler<CheckNow> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: CheckNow, ctx: &mut Self::Context) {
        self.alarm.unbook();
        self.vitals.book(None);
        self.look(ctx);
    }
}

impl Handler<CancelWait> for ChannelActor {
    type Result = ();

    fn handle(&mut self, CancelWait(place): CancelWait, ctx: &mut Self::Context) {
        self.ways.remove(&place);
        self.channel.withdraw(place, self.house.clock.now(), &mut self.effects);
        self.look(ctx);
    }
}

impl Handler<Drain> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
        self.channel.drain(self.house.clock.now(), &mut self.effects);
        self.vitals.tell_news();
        self.look(ctx);
    }
}

impl Handler<Passivate> for ChannelActor {
    type Result = ();

    fn handle(&mut self, Passivate(done): Passivate, ctx: &mut Self::Context) {
        self.rest(ctx, |this, rested, ctx| {
            if rested {
                this.vitals.rest();
            }
            let _ = done.send(rested);
            ctx.stop();
        });
    }
}

impl Handler<Delete> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Delete, ctx: &mut Self::Context) {
        self.channel.close(self.house.clock.now(), &mut self.effects);
        self.vitals.tell_news();
        self.look(ctx);
        ctx.stop();
    }
}
