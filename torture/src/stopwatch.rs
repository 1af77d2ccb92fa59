//! A monotonic clock for measurements. It does not know the time of day.

use std::sync::LazyLock;
use std::time::Instant;

static START: LazyLock<Instant> = LazyLock::new(read);

#[expect(clippy::disallowed_methods, reason = "a measuring tool needs its own clock, not the hub's")]
fn read() -> Instant {
    Instant::now()
}

/// Nanoseconds since the first call in this process; 584 years fit.
pub(crate) fn elapsed_ns() -> u64 {
    let start = *START;
    u64::try_from(read().duration_since(start).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn time_never_runs_backwards() {
        let first = super::elapsed_ns();
        assert!(super::elapsed_ns() >= first);
    }
}
