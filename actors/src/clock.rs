//! The only source of the time.

#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rogerrat_domain::Now;
use tokio::time::Instant;

/// A difference between the wall clock and the uptime is a jump when it changes by more than this at once. Smaller steps
/// are ordinary corrections.
const JUMP_MS: u64 = 60_000;
/// How long the wall clock must agree with the uptime before anything expires by date.
const SETTLE_MS: u64 = 6 * 3_600_000;
/// After a jump by more than this, dates from before the jump cannot be compared with dates after it.
const LONG_JUMP_MS: u64 = 24 * 3_600_000;

/// The hub's clock. Its uptime follows the runtime's time, which a test can pause.
///
/// The wall clock of a machine can be wrong and jump: without a battery it starts in the past, and a resumed machine
/// continues with an old time until it is corrected. Timeouts use the uptime. What must last over restarts has a date,
/// and expires only while the wall clock has agreed with the uptime for six hours ([`expiry_ms`](Self::expiry_ms)).
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// One for each clock that is started, which is one for a hub and lives as long as it.
    agreement: &'static Mutex<Agreement>,
    /// Tests only: the wall-clock time at the start; it then advances with the uptime.
    #[cfg(test)]
    steady_from_ms: Option<&'static AtomicU64>,
}

/// How the wall clock relates to the uptime.
#[derive(Clone, Copy, Debug)]
struct Agreement {
    /// The wall-clock time minus the uptime, when it was last compared.
    offset_ms: i128,
    /// The uptime since which there was no jump.
    since_ms: u64,
    /// The uptime of the last long jump.
    long_jump_ms: Option<u64>,
}

impl Agreement {
    /// Compares the clocks. Returns by how much the wall clock has jumped.
    fn compare(&mut self, now: Now) -> Option<i128> {
        let offset_ms = i128::from(now.at_ms) - i128::from(now.uptime_ms);
        let jump_ms = offset_ms - std::mem::replace(&mut self.offset_ms, offset_ms);
        if jump_ms.unsigned_abs() <= u128::from(JUMP_MS) {
            return None;
        }
        self.since_ms = now.uptime_ms;
        if jump_ms.unsigned_abs() > u128::from(LONG_JUMP_MS) {
            self.long_jump_ms = Some(now.uptime_ms);
        }
        Some(jump_ms)
    }

    fn is_settled(&self, now: Now) -> bool {
        now.uptime_ms.saturating_sub(self.since_ms) >= SETTLE_MS
    }
}

impl Clock {
    /// Starts counting the uptime.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Self {
        let agreement = Agreement { offset_ms: i128::from(system_ms()), since_ms: 0, long_jump_ms: None };
        Self {
            started: Instant::now(),
            agreement: Box::leak(Box::new(Mutex::new(agreement))),
            #[cfg(test)]
            steady_from_ms: None,
        }
    }

    /// A clock whose wall-clock time follows the runtime's time.
    #[cfg(test)]
    pub(crate) fn steady(at_ms: u64) -> Self {
        let clock = Self { steady_from_ms: Some(Box::leak(Box::new(at_ms.into()))), ..Self::start() };
        clock.agreement().offset_ms = at_ms.into();
        clock
    }

    /// Sets the wall clock of a steady clock forward or back.
    #[cfg(test)]
    pub(crate) fn jump(&self, ms: i64) {
        let from_ms = self.steady_from_ms.expect("it is steady");
        from_ms.store(from_ms.load(Relaxed).saturating_add_signed(ms), Relaxed);
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Now {
        #[cfg(test)]
        if let Some(from_ms) = self.steady_from_ms {
            let from_ms = from_ms.load(Relaxed);
            return Now { at_ms: from_ms + self.uptime_ms(), uptime_ms: self.uptime_ms() };
        }
        Now { at_ms: system_ms(), uptime_ms: self.uptime_ms() }
    }

    /// Milliseconds since the start, for deadlines and durations.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn uptime_ms(&self) -> u64 {
        ms(Instant::now().saturating_duration_since(self.started))
    }

    /// Microseconds since the start, for durations of what is fast.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn uptime_us(&self) -> u64 {
        let since = Instant::now().saturating_duration_since(self.started);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// The wall-clock time for what expires by date, in milliseconds since the epoch. It is 0, so that nothing has
    /// expired, until the wall clock has agreed with the uptime for six hours.
    #[must_use]
    pub fn expiry_ms(&self) -> u64 {
        let (now, agreement) = self.compare();
        if agreement.is_settled(now) { now.at_ms } else { 0 }
    }

    /// The date before which something must have been used last to be unused for `unused_ms`. As
    /// [`expiry_ms`](Self::expiry_ms), but after a jump by more than a day it is 0 for the time `unused_ms`: dates from
    /// before the jump do not count.
    #[must_use]
    pub(crate) fn unused_before_ms(&self, unused_ms: u64) -> u64 {
        let (now, agreement) = self.compare();
        let is_comparable = agreement.long_jump_ms.is_none_or(|jump_ms| now.uptime_ms - jump_ms >= unused_ms);
        if agreement.is_settled(now) && is_comparable { now.at_ms.saturating_sub(unused_ms) } else { 0 }
    }

    /// Compares the wall clock with the uptime, and logs a jump. Must be called more often than the clocks drift apart
    /// by a minute.
    pub(crate) fn check(&self) {
        self.compare();
    }

    fn compare(&self) -> (Now, Agreement) {
        let mut agreement = self.agreement();
        let now = self.now();
        let jump_ms = agreement.compare(now);
        let compared = *agreement;
        drop(agreement);
        if let Some(jump_ms) = jump_ms {
            let jump_s = i64::try_from(jump_ms / 1000).unwrap_or(i64::MAX);
            log::warn!(jump_s; "the wall clock jumped; nothing expires by date until it has been right for six hours");
        }
        (now, compared)
    }

    fn agreement(&self) -> MutexGuard<'static, Agreement> {
        self.agreement.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_ms() -> u64 {
    ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const DAY_MS: u64 = 24 * HOUR_MS;
    const YEAR_MS: i64 = 365 * 24 * 3_600_000;
    const START_MS: u64 = 1_795_000_000_000;

    async fn pass(hours: u64) {
        tokio::time::advance(Duration::from_millis(hours * HOUR_MS)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn d37_nothing_expires_until_the_clock_has_been_right_for_hours() {
        let clock = Clock::steady(START_MS);
        assert_eq!((clock.expiry_ms(), clock.unused_before_ms(DAY_MS)), (0, 0));
        pass(6).await;
        assert_eq!(clock.expiry_ms(), START_MS + 6 * HOUR_MS);
        assert_eq!(clock.unused_before_ms(DAY_MS), START_MS + 6 * HOUR_MS - DAY_MS);
        clock.jump(30_000);
        assert_eq!(clock.expiry_ms(), clock.now().at_ms, "a correction by seconds is no jump");
        for jump in [10 * YEAR_MS, -10 * YEAR_MS, 2 * 3_600_000] {
            clock.jump(jump);
            assert_eq!(clock.expiry_ms(), 0);
            pass(5).await;
            assert_eq!(clock.expiry_ms(), 0);
            pass(1).await;
            assert_eq!(clock.expiry_ms(), clock.now().at_ms);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn d37_dates_from_before_a_long_jump_do_not_count() {
        let clock = Clock::steady(5_000);
        clock.jump(56 * YEAR_MS);
        clock.check();
        pass(29 * 24).await;
        assert_eq!(clock.unused_before_ms(30 * DAY_MS), 0);
        assert!(clock.expiry_ms() > 0);
        pass(24).await;
        assert_eq!(clock.unused_before_ms(30 * DAY_MS), clock.now().at_ms - 30 * DAY_MS);
    }
}
