//! The channel actor: drives one channel machine and carries out its effects, in order, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use actix::prelude::*;
use futures_util::FutureExt as _;
use rogerrat_domain::op::{Outcome, Read};
use rogerrat_domain::{Channel, ChannelId, Delivery, Effect, Entry, Kind, Now, Operation, PlaceId, Record};
use tokio::sync::{mpsc, oneshot};

use crate::call::{Ask, Back, Delete, Drain, Frame, Nudge, OpenTap, Poll, Withdraw};
use crate::clock::Clock;
use crate::counters::Count;
use crate::error::HubError;
use crate::log::{Append, Appended, Log};
use crate::share::Share;
use crate::vitals::Vitals;
use crate::webhook::{Notice, WebhookActor};

/// Messages a channel's mailbox holds.
pub(crate) const MAILBOX: usize = 4096;

/// Drives one channel.
pub(crate) struct ChannelActor {
    pub(crate) channel: Channel,
    pub(crate) seq: u64,
    pub(crate) id: ChannelId,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Clock,
    pub(crate) share: Share,
    pub(crate) webhook: Addr<WebhookActor>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) parked: HashMap<PlaceId, oneshot::Sender<Back<Read, Delivery>>>,
    pub(crate) taps: HashMap<PlaceId, mpsc::Sender<Frame>>,
    pub(crate) alarm: Option<(u64, SpawnHandle)>,
}

/// Whether what was decided is kept.
enum Kept {
    Now,
    Later(Append),
    Not,
}

impl Actor for ChannelActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.share.publish(self.channel.figures());
        self.set_alarm(ctx);
    }
}

impl ChannelActor {
    /// Decides an operation, keeps what must be kept, then applies it and answers. What arrives while the log is
    /// writing waits in the mailbox.
    fn perform<O: Operation>(
        &mut self,
        op: O,
        ctx: &mut Context<Self>,
        answer: impl FnOnce(&mut Self, Result<O::Reply, HubError>) + 'static,
    ) {
        let now = self.clock.now();
        self.channel.tick(now, &mut self.effects);
        match op.decide(&self.channel, now) {
            Err(refusal) => answer(self, Err(refusal.into())),
            Ok(entries) => match self.keep(&entries, now) {
                Kept::Now => self.finish(op, &entries, now, answer),
                Kept::Not => self.give_up(ctx, answer),
                Kept::Later(append) => {
                    let done = append.into_actor(self).map(move |appended, this, ctx| {
                        match appended {
                            Appended::Done => this.finish(op, &entries, now, answer),
                            Appended::Conflict | Appended::Unknown => this.give_up(ctx, answer),
                        }
                        this.carry_out(ctx);
                    });
                    ctx.wait(done);
                }
            },
        }
        self.carry_out(ctx);
    }

    fn finish<O: Operation>(
        &mut self,
        op: O,
        entries: &[Entry],
        now: Now,
        answer: impl FnOnce(&mut Self, Result<O::Reply, HubError>),
    ) {
        for entry in entries {
            match entry {
                Entry::Joined { .. } => self.share.count(Count::Joins),
                Entry::Sent { message, .. } if message.kind == Kind::Status => self.share.count(Count::Statuses),
                Entry::Sent { .. } => self.share.count(Count::Messages),
                _ => {}
            }
            self.channel.apply(entry, now, &mut self.effects);
        }
        let reply = op.answer(&mut self.channel, entries, now, &mut self.effects);
        answer(self, Ok(reply));
    }

    /// What the log holds is no longer known: answer so, and come back from it.
    fn give_up<R>(&mut self, ctx: &mut Context<Self>, answer: impl FnOnce(&mut Self, Result<R, HubError>)) {
        log::error!(channel:display = self.id; "the log could not keep a record: the channel starts again from it");
        answer(self, Err(HubError::StorageFailed));
        ctx.stop();
    }

    /// Appends what is about members; messages of a channel that keeps nothing are in no log.
    fn keep(&mut self, entries: &[Entry], now: Now) -> Kept {
        let kept: Vec<_> = entries.iter().filter(|e| e.is_about_members()).cloned().collect();
        if kept.is_empty() {
            return Kept::Now;
        }
        self.seq += 1;
        let record = Record { channel: self.id.clone(), seq: self.seq, at_ms: now.at_ms, entries: kept };
        let mut append = self.log.append(record);
        match (&mut append).now_or_never() {
            Some(Appended::Done) => Kept::Now,
            Some(_) => Kept::Not,
            None => Kept::Later(append),
        }
    }

    /// Carries out what the machine asked for, in order.
    fn carry_out(&mut self, ctx: &mut Context<Self>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Answer(place, delivery) => {
                    if let Some(reply) = self.parked.remove(&place) {
                        // An answer that finds nobody is dropped, and its slip says so.
                        let _ = reply.send(Ok(Ok(delivery)));
                    }
                }
                Effect::Feed(place, frame) => {
                    if let Some(tap) = self.taps.get(&place) {
                        // The machine never queues more than the tap holds; a closed one has cut its progress.
                        let _ = tap.try_send(Frame::Event(frame));
                    }
                }
                Effect::End(place, frame) => {
                    if let Some(tap) = self.taps.remove(&place) {
                        let _ = tap.try_send(Frame::Last(frame));
                    }
                }
                Effect::Notify(message) => {
                    if self.vitals.has_webhooks() {
                        let _ = self.webhook.try_send(Notice { channel: self.id.clone(), message });
                    }
                }
                Effect::Log(entry) => self.keep_later(entry, ctx),
                Effect::Retire => self.retire(ctx),
            }
        }
        self.effects = effects;
        self.vitals.last_id.store(self.channel.last_id(), Relaxed);
        self.vitals.agents.store(self.channel.live_members(), Relaxed);
        self.share.publish(self.channel.figures());
        self.set_alarm(ctx);
    }

    /// Appends what time did; nobody waits for it.
    fn keep_later(&mut self, entry: Entry, ctx: &mut Context<Self>) {
        match self.keep(&[entry], self.clock.now()) {
            Kept::Now => {}
            Kept::Not => ctx.stop(),
            Kept::Later(append) => ctx.wait(append.into_actor(self).map(|appended, _, ctx| {
                if appended != Appended::Done {
                    ctx.stop();
                }
            })),
        }
    }

    /// Nobody is here: leave memory. Whoever comes next finds a dead address and has the channel opened again.
    fn retire(&self, ctx: &mut Context<Self>) {
        log::debug!(channel:display = self.id; "channel retires");
        self.vitals.rest();
        ctx.stop();
    }

    /// Sets the alarm for the machine's next deadline, unless an earlier one is set already.
    fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        let Some(at_ms) = self.channel.next_deadline_ms() else { return };
        if self.alarm.is_some_and(|(set_ms, _)| set_ms <= at_ms) {
            return;
        }
        if let Some((_, handle)) = self.alarm.take() {
            ctx.cancel_future(handle);
        }
        let in_ms = at_ms.saturating_sub(self.clock.now().uptime_ms);
        let handle = ctx.run_later(Duration::from_millis(in_ms), |this, ctx| {
            this.alarm = None;
            this.look(ctx);
        });
        self.alarm = Some((at_ms, handle));
    }

    fn look(&mut self, ctx: &mut Context<Self>) {
        let now = self.clock.now();
        self.channel.tick(now, &mut self.effects);
        self.carry_out(ctx);
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
            Ok(Outcome::Parked) => {
                this.parked.insert(place, reply);
            }
            Ok(Outcome::Now(delivery)) => {
                let _ = reply.send(Ok(Ok(delivery)));
            }
            Err(error) => {
                let _ = reply.send(Ok(Err(error)));
            }
        });
    }
}

impl Handler<OpenTap> for ChannelActor {
    type Result = ();

    fn handle(&mut self, open: OpenTap, ctx: &mut Self::Context) {
        let Some((tap, reply)) = open.0.take() else { return };
        let (place, frames) = (tap.open.place, tap.frames);
        self.perform(tap.open, ctx, move |this, result| {
            if result.is_ok() {
                this.taps.insert(place, frames);
            }
            let _ = reply.send(Ok(result));
        });
    }
}

impl Handler<Nudge> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Nudge, ctx: &mut Self::Context) {
        self.look(ctx);
    }
}

impl Handler<Withdraw> for ChannelActor {
    type Result = ();

    fn handle(&mut self, Withdraw(place): Withdraw, ctx: &mut Self::Context) {
        self.parked.remove(&place);
        self.taps.remove(&place);
        self.channel.withdraw(place, self.clock.now(), &mut self.effects);
        self.look(ctx);
    }
}

impl Handler<Drain> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
        self.channel.drain(self.clock.now(), &mut self.effects);
        self.look(ctx);
    }
}

impl Handler<Delete> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Delete, ctx: &mut Self::Context) {
        self.channel.close(self.clock.now(), &mut self.effects);
        self.look(ctx);
        ctx.stop();
    }
}
