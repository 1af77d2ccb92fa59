//! The alarm of an actor: it rings once, at the earliest time it was set to.

use std::time::Duration;

use actix::prelude::*;

use crate::clock::Clock;

/// When it is to ring, as an uptime, and what would ring it.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<(u64, SpawnHandle)>);

/// An actor with an alarm.
pub(crate) trait Alarmed: Actor<Context = Context<Self>> {
    fn alarm(&mut self) -> &mut Alarm;

    /// It is time to look what is due.
    fn ring(&mut self, ctx: &mut Context<Self>);

    /// Sets the alarm to an uptime, unless it rings earlier.
    fn set_alarm(&mut self, at_ms: Option<u64>, clock: Clock, ctx: &mut Context<Self>) {
        let Some(at_ms) = at_ms else { return };
        let alarm = self.alarm();
        if alarm.0.is_some_and(|(set_ms, _)| set_ms <= at_ms) {
            return;
        }
        if let Some((_, handle)) = alarm.0.take() {
            ctx.cancel_future(handle);
        }
        let in_ms = at_ms.saturating_sub(clock.uptime_ms());
        let handle = ctx.run_later(Duration::from_millis(in_ms), |this, ctx| {
            this.alarm().0 = None;
            this.ring(ctx);
        });
        self.alarm().0 = Some((at_ms, handle));
    }
}
