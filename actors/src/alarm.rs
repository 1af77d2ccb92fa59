//! The timer of an actor: it fires once, at the earliest time it was set to.

use std::time::Duration;

use actix::prelude::*;

use crate::clock::Clock;

/// Wake-ups further away than this may be delegated instead of setting a timer.
pub(crate) const FAR_MS: u64 = 3 * 60_000;

/// The uptime at which it fires, and the timer; no timer when the wake-up is delegated.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<(u64, Option<SpawnHandle>)>);

impl Alarm {
    /// Forgets a delegated wake-up, because the actor has been woken.
    pub(crate) fn clear_delegated(&mut self) {
        self.0.take_if(|(_, handle)| handle.is_none());
    }
}

/// An actor that sleeps until something is due.
pub(crate) trait Alarmed: Actor<Context = Context<Self>> {
    fn alarm(&mut self) -> &mut Alarm;

    /// Handles what is due.
    fn on_alarm(&mut self, ctx: &mut Context<Self>);

    /// Asks another actor to wake this one some time before an uptime, so that it needs no timer until then; none
    /// cancels the request. Returns false if no other actor does that.
    fn delegate_wakeup(&mut self, _at_ms: Option<u64>) -> bool {
        false
    }

    /// Sets the alarm to an uptime, unless it fires earlier.
    fn set_alarm(&mut self, at_ms: Option<u64>, clock: Clock, ctx: &mut Context<Self>) {
        let Some(at_ms) = at_ms else { return };
        let alarm = self.alarm();
        if alarm.0.is_some_and(|(set_ms, _)| set_ms <= at_ms) {
            return;
        }
        if let Some((_, Some(handle))) = alarm.0.take() {
            ctx.cancel_future(handle);
        }
        let in_ms = at_ms.saturating_sub(clock.uptime_ms());
        let is_far = in_ms > FAR_MS;
        if self.delegate_wakeup(is_far.then_some(at_ms)) && is_far {
            self.alarm().0 = Some((at_ms, None));
            return;
        }
        let handle = ctx.run_later(Duration::from_millis(in_ms), |this, ctx| {
            this.alarm().0 = None;
            this.on_alarm(ctx);
        });
        self.alarm().0 = Some((at_ms, Some(handle)));
    }
}
