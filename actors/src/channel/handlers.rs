//! The messages a channel actor handles: each is one call of the machine, or of the actor's own life.

use actix::prelude::*;
use rogerrat_domain::op::{ReadOutcome, TakeOutcome, TaskOutcome};
use rogerrat_domain::{Operation, Query};

use crate::channel::actor::ChannelActor;
use crate::channel::messages::{
    Abandon, Ask, AskQuery, CancelWait, CheckNow, Delete, Drain, Look, OpenSubscription, Poll, TakeBack, TakeWork,
    Unload,
};
use crate::channel::responder::Responder;
use crate::error::HubError;

impl<O: Operation> Handler<Ask<O>> for ChannelActor {
    type Result = ();

    fn handle(&mut self, ask: Ask<O>, ctx: &mut Self::Context) {
        let Some((op, reply)) = ask.0.take() else { return };
        self.perform(op, ctx, move |_, result| {
            let _ = reply.send(Ok(result));
        });
    }
}

impl<Q: Query> Handler<AskQuery<Q>> for ChannelActor {
    type Result = ();

    fn handle(&mut self, ask: AskQuery<Q>, ctx: &mut Self::Context) {
        let Some((query, reply)) = ask.0.take() else { return };
        self.query(&query, ctx, move |result| {
            let _ = reply.send(Ok(result));
        });
    }
}

impl Handler<Poll> for ChannelActor {
    type Result = ();

    fn handle(&mut self, poll: Poll, ctx: &mut Self::Context) {
        let Some((read, reply)) = poll.0.take() else { return };
        let waiter = read.waiter;
        self.perform(read, ctx, move |this, result| match result {
            Ok(ReadOutcome::Parked) if reply.is_closed() => {}
            Ok(ReadOutcome::Parked) => {
                this.responders.insert(waiter, Responder::Poll(reply));
            }
            Ok(ReadOutcome::Answered(response)) => {
                let _ = reply.send(Ok(Ok(response)));
            }
            // Dropped without a reply, the request is sent again: a repeated read does no harm.
            Err(HubError::OutcomeUnknown | HubError::Moved) => {}
            Err(error) => {
                let _ = reply.send(Ok(Err(error)));
            }
        });
    }
}

impl Handler<Look> for ChannelActor {
    type Result = ();

    fn handle(&mut self, look: Look, ctx: &mut Self::Context) {
        let Some((look, reply)) = look.0.take() else { return };
        let waiter = look.waiter;
        self.perform(look, ctx, move |this, result| match result {
            Ok(TaskOutcome::Parked) if reply.is_closed() => {}
            Ok(TaskOutcome::Parked) => {
                this.responders.insert(waiter, Responder::Look(reply));
            }
            Ok(TaskOutcome::Answered(response)) => {
                let _ = reply.send(Ok(Ok(Some(response))));
            }
            Ok(TaskOutcome::Gone) => {
                let _ = reply.send(Ok(Ok(None)));
            }
            // Dropped without a reply, the request is sent again: a repeated look does no harm.
            Err(HubError::OutcomeUnknown) => {}
            Err(error) => {
                let _ = reply.send(Ok(Err(error)));
            }
        });
    }
}

impl Handler<TakeWork> for ChannelActor {
    type Result = ();

    fn handle(&mut self, take: TakeWork, ctx: &mut Self::Context) {
        let Some((take, reply)) = take.0.take() else { return };
        let waiter = take.waiter;
        self.perform(take, ctx, move |this, result| match result {
            Ok(TakeOutcome::Parked) if reply.is_closed() => {}
            Ok(TakeOutcome::Parked) => {
                this.responders.insert(waiter, Responder::Take(reply));
            }
            Ok(outcome) => {
                let _ = reply.send(Ok(Ok(Some(outcome))));
            }
            Err(error) => {
                let _ = reply.send(Ok(Err(error)));
            }
        });
    }
}

impl Handler<OpenSubscription> for ChannelActor {
    type Result = ();

    fn handle(&mut self, open: OpenSubscription, ctx: &mut Self::Context) {
        let Some((subscription, reply)) = open.0.take() else { return };
        let (waiter, frames) = (subscription.open.waiter, subscription.frames);
        self.perform(subscription.open, ctx, move |this, result| {
            if result.is_ok() && !frames.is_closed() {
                this.responders.insert(waiter, Responder::Stream(frames));
            }
            let _ = reply.send(Ok(result));
        });
    }
}

impl Handler<CheckNow> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: CheckNow, ctx: &mut Self::Context) {
        self.alarm.clear_delegated();
        self.status.schedule_wakeup(None);
        self.check_due(ctx);
    }
}

impl Handler<CancelWait> for ChannelActor {
    type Result = ();

    fn handle(&mut self, CancelWait(waiter): CancelWait, ctx: &mut Self::Context) {
        self.responders.remove(&waiter);
        self.channel.cancel_wait(waiter, self.context.clock.now(), &mut self.effects);
        self.check_due(ctx);
    }
}

impl Handler<TakeBack> for ChannelActor {
    type Result = ();

    fn handle(&mut self, TakeBack { delivery, messages }: TakeBack, ctx: &mut Self::Context) {
        let now = self.context.clock.now();
        self.channel.tick_before_operation(now, &mut self.effects);
        self.channel.take_back_unread(&delivery, &messages, now, &mut self.effects);
        self.check_due(ctx);
    }
}

impl Handler<Drain> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
        self.channel.drain(self.context.clock.now(), &mut self.effects);
        self.status.notify_watchers();
        self.check_due(ctx);
    }
}

impl Handler<Unload> for ChannelActor {
    type Result = ();

    fn handle(&mut self, Unload(done): Unload, ctx: &mut Self::Context) {
        self.give_up(ctx, |this, is_written, ctx| {
            if is_written {
                this.status.unload();
            }
            let _ = done.send(is_written);
            ctx.stop();
        });
    }
}

impl Handler<Abandon> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Abandon, ctx: &mut Self::Context) {
        self.channel.drain(self.context.clock.now(), &mut self.effects);
        self.status.notify_watchers();
        self.check_due(ctx);
        ctx.stop();
    }
}

impl Handler<Delete> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Delete, ctx: &mut Self::Context) {
        self.channel.close(self.context.clock.now(), &mut self.effects);
        self.status.notify_watchers();
        self.check_due(ctx);
        ctx.stop();
    }
}
