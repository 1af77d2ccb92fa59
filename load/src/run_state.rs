//! What all agents of one side share: the phase, the histograms and what went wrong.
//! The window is opened and closed from outside; agents only ask whether they may go on.

use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use hdrhistogram::Histogram;
use rogerrat_client::http::HttpError;
use tokio::sync::Notify;

use super::error_counts::ErrorCounts;
use super::order_check::OrderError;
use super::procfs::Process;
use super::report::Fact;
use crate::stopwatch::elapsed_ns;

/// Longest latency told apart, in µs; longer ones count as this.
const LONGEST_US: u64 = 600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Where a side stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// It is another side's turn.
    Paused,
    /// Load, not measured.
    Warming,
    Measuring,
    /// Agents say their last message.
    Draining,
}

pub(super) struct RunState {
    phase: AtomicU8,
    /// How often a turn has begun.
    turns: AtomicU64,
    changed: Notify,
    /// From the intended moment of a send until its listener has read it, in µs.
    pub(super) hops: Mutex<Meter>,
    /// From the intended moment of a send until its own reply is read, in µs.
    pub(super) answers: Mutex<Meter>,
    pub(super) disorder: Mutex<OrderError>,
    pub(super) error_counts: Mutex<ErrorCounts>,
    /// What the memory grows with: agents, parked polls, channels.
    population: AtomicU64,
    pub(super) facts: Mutex<Vec<Fact>>,
    /// The server, where its number is known.
    pub(super) server: Option<Process>,
    /// How long what was counted took, where that is not the whole window; 0 is the window.
    busy_ns: AtomicU64,
}

/// What was recorded: all of it, and the part since somebody looked last.
pub(super) struct Meter {
    pub(super) whole: Histogram<u64>,
    recent: Histogram<u64>,
}

/// A glance at what was recorded since the last one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Glance {
    pub(super) count: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

impl Meter {
    fn new() -> io::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, LONGEST_US, SIGNIFICANT_DIGITS).map_err(io::Error::other);
        Ok(Self { whole: histogram()?, recent: histogram()? })
    }

    fn record(&mut self, since_ns: u64) {
        self.record_at(elapsed_ns(), since_ns);
    }

    fn record_at(&mut self, now_ns: u64, since_ns: u64) {
        self.recent.saturating_record(now_ns.saturating_sub(since_ns) / 1000);
    }

    /// Moves what is new to the whole.
    pub(super) fn glance(&mut self) -> Glance {
        let recent = &mut self.recent;
        if recent.is_empty() {
            return Glance::default();
        }
        let glance = Glance {
            count: recent.len(),
            p50_us: recent.value_at_quantile(0.5),
            p99_us: recent.value_at_quantile(0.99),
        };
        // They have the same bounds.
        let _ = self.whole.add(&*recent);
        recent.reset();
        glance
    }
}

impl RunState {
    pub(super) fn new(server: Option<Process>) -> io::Result<Self> {
        Ok(Self {
            phase: AtomicU8::new(Phase::Paused as u8),
            turns: AtomicU64::new(0),
            changed: Notify::new(),
            hops: Mutex::new(Meter::new()?),
            answers: Mutex::new(Meter::new()?),
            disorder: Mutex::default(),
            error_counts: Mutex::default(),
            population: AtomicU64::new(0),
            facts: Mutex::default(),
            server,
            busy_ns: AtomicU64::new(0),
        })
    }

    /// A side that drains stays so.
    pub(super) fn enter(&self, phase: Phase) {
        if !self.is_draining() {
            let begins = self.is(Phase::Paused) && phase != Phase::Paused;
            self.turns.fetch_add(u64::from(begins), Ordering::Relaxed);
            self.phase.store(phase as u8, Ordering::Relaxed);
            self.changed.notify_waiters();
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is(Phase::Draining)
    }

    pub(super) fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// Waits until it is this side's turn, or its end.
    pub(super) async fn turn(&self) {
        self.until(|| !self.is(Phase::Paused)).await;
    }

    /// A number for this turn.
    pub(super) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    pub(super) async fn drained(&self) {
        self.until(|| self.is_draining()).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            if is_so() {
                return;
            }
            changed.await;
        }
    }

    /// A message was heard; recorded in the window only.
    pub(super) fn hop(&self, since_ns: u64) {
        if self.is(Phase::Measuring) {
            held(&self.hops).record(since_ns);
        }
    }

    /// The same, for who has looked at the watch.
    pub(super) fn hop_at(&self, now_ns: u64, since_ns: u64) {
        if self.is(Phase::Measuring) {
            held(&self.hops).record_at(now_ns, since_ns);
        }
    }

    /// A send was answered; recorded in the window only.
    pub(super) fn answer(&self, since_ns: u64) {
        if self.is(Phase::Measuring) {
            held(&self.answers).record(since_ns);
        }
    }

    /// Recorded whatever the phase: of what happens once.
    pub(super) fn once(&self, since_ns: u64) {
        held(&self.hops).record(since_ns);
    }

    pub(super) fn grow(&self) {
        self.population.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn population(&self) -> u64 {
        self.population.load(Ordering::Relaxed)
    }

    /// Resident memory of the server in KiB.
    pub(super) fn rss_kib(&self) -> Option<u64> {
        self.server.and_then(|server| server.rss_kib().ok())
    }

    /// What was counted took so long more, and not the whole window.
    pub(super) fn was_busy(&self, busy_ns: u64) {
        self.busy_ns.fetch_add(busy_ns, Ordering::Relaxed);
    }

    pub(super) fn busy_ns(&self) -> Option<u64> {
        Some(self.busy_ns.load(Ordering::Relaxed)).filter(|busy_ns| *busy_ns > 0)
    }

    pub(super) fn errors(&self) -> u64 {
        held(&self.error_counts).counts.values().sum::<u64>() + held(&self.disorder).count()
    }

    /// Counts a fault; a rate limit will hit everybody, so it ends the whole run.
    pub(super) fn fail(&self, fault: &HttpError) {
        if matches!(fault, HttpError::RateLimited { .. }) {
            self.enter(Phase::Draining);
        }
        held(&self.error_counts).add(fault);
    }

    pub(super) fn found(&self, disorder: OrderError) {
        *held(&self.disorder) += disorder;
    }

    pub(super) fn tell(&self, fact: Fact) {
        held(&self.facts).push(fact);
    }
}

/// All agents run on one thread: these locks are never waited for.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it counts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_window_is_recorded() {
        let run_state = RunState::new(None).unwrap();
        run_state.hop(0);
        run_state.enter(Phase::Measuring);
        run_state.hop(0);
        run_state.fail(&HttpError::RateLimited { what: "send" });
        run_state.hop(0);
        assert_eq!(held(&run_state.hops).glance().count, 1);
        assert_eq!(held(&run_state.hops).whole.len(), 1);
        assert!(run_state.is_draining(), "a rate limit ends the run");
        run_state.enter(Phase::Measuring);
        assert!(run_state.is_draining(), "and there is no way back");
    }

    #[tokio::test]
    async fn who_waits_for_a_turn_gets_it() {
        let run_state = RunState::new(None).unwrap();
        tokio::join!(run_state.turn(), async { run_state.enter(Phase::Warming) });
        tokio::join!(run_state.drained(), async { run_state.enter(Phase::Draining) });
        run_state.turn().await;
    }
}
