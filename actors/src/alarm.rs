//! The alarm of an actor: it rings once, at the earliest time it was set to.

use std::time::Duration;

use actix::prelude::*;

use crate::clock::Clock;

/// From so far on an alarm may be booked instead of being set.
pub(crate) const FAR_MS: u64 = 3 * 60_000;

/// When it is to ring, as an uptime, and what would ring it; nothing when it is booked.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<(u64, Option<SpawnHandle>)>);

impl Alarm {
    /// The actor was woken, maybe by who took the booking: what is due is set anew.
    pub(crate) fn clear_delegated(&mut self) {
        self.0.take_if(|(_, handle)| handle.is_none());
    }
}

/// An actor with an alarm.
pub(crate) trait Alarmed: Actor<Context = Context<Self>> {
    fn alarm(&mut self) -> &mut Alarm;

    /// It is time to look what is due.
    fn on_alarm(&mut self, ctx: &mut Context<Self>);

    /// Has somebody else wake the actor some time before an uptime, so that it needs no timer until then; none takes the
    /// booking back. False when there is nobody who would.
    fn delegate_wakeup(&mut self, _at_ms: Option<u64>) -> bool {
        false
    }

    /// Sets the alarm to an uptime, unless it rings earlier.
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
