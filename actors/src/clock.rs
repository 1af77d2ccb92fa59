//! The only source of the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rogerrat_domain::Now;
use tokio::time::Instant;

/// The hub's clock. Its uptime follows the runtime's time, which a test can pause.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// Tests only: the wall-clock time at the start; it then advances with the uptime.
    #[cfg(test)]
    steady_from_ms: Option<u64>,
}

impl Clock {
    /// Starts counting the uptime.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            #[cfg(test)]
            steady_from_ms: None,
        }
    }

    /// A clock whose wall-clock time follows the runtime's time.
    #[cfg(test)]
    pub(crate) fn steady(at_ms: u64) -> Self {
        Self { steady_from_ms: Some(at_ms), ..Self::start() }
    }

    /// The current time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Now {
        #[cfg(test)]
        if let Some(from_ms) = self.steady_from_ms {
            return Now { at_ms: from_ms + self.uptime_ms(), uptime_ms: self.uptime_ms() };
        }
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { at_ms: ms(at), uptime_ms: self.uptime_ms() }
    }

    /// Milliseconds since the start, for deadlines and durations.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn uptime_ms(&self) -> u64 {
        ms(Instant::now().saturating_duration_since(self.started))
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
