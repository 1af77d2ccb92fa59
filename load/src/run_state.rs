//! What all agents of one server share: the phase of the run, the latencies and the errors.
//!
//! The runner sets the phase; agents only query whether they may go on.

use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use hdrhistogram::Histogram;
use rogerrat_client::http::HttpError;
use tokio::sync::Notify;

use super::error_counts::ErrorCounts;
use super::order_check::{OrderCheck, OrderErrors};
use super::procfs::Process;
use super::report::Fact;
use crate::stopwatch::elapsed_ns;

/// Longer latencies count as this, in microseconds.
const MAX_LATENCY_US: u64 = 600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// The phase of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// It is another server's turn.
    Paused,
    /// Load that is not measured.
    Warming,
    Measuring,
    /// Agents send and receive their last messages.
    Draining,
}

pub(super) struct RunState {
    phase: AtomicU8,
    /// How many turns have started.
    turns: AtomicU64,
    phase_changed: Notify,
    /// From the intended time of a send until its listener has read it, in microseconds.
    pub(super) latencies: Mutex<Meter>,
    /// From the intended time of a send until its own response is read, in microseconds.
    pub(super) reply_latencies: Mutex<Meter>,
    /// The latencies at hubs that own the channel, and at others, if there are several hubs.
    hub_latencies: Mutex<[Histogram<u64>; 2]>,
    pub(super) order_errors: Mutex<OrderErrors>,
    pub(super) error_counts: Mutex<ErrorCounts>,
    /// What the memory grows with: agents, parked polls or channels.
    population: AtomicU64,
    pub(super) facts: Mutex<Vec<Fact>>,
    /// The server's process, if its id is known.
    pub(super) process: Option<Process>,
    /// How long the counted operations took, if that is not the whole window; otherwise 0.
    busy_ns: AtomicU64,
}

/// Recorded latencies: all of them, and those of the current interval.
pub(super) struct Meter {
    pub(super) all: Histogram<u64>,
    current: Histogram<u64>,
}

/// A summary of the latencies of one interval.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IntervalStats {
    pub(super) count: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

fn histogram() -> io::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, MAX_LATENCY_US, SIGNIFICANT_DIGITS).map_err(io::Error::other)
}

impl Meter {
    fn new() -> io::Result<Self> {
        Ok(Self { all: histogram()?, current: histogram()? })
    }

    fn record(&mut self, since_ns: u64) {
        self.record_at(elapsed_ns(), since_ns);
    }

    fn record_at(&mut self, now_ns: u64, since_ns: u64) {
        self.current.saturating_record(now_ns.saturating_sub(since_ns) / 1000);
    }

    /// Summarizes the current interval and starts the next one.
    pub(super) fn next_interval(&mut self) -> IntervalStats {
        let current = &mut self.current;
        if current.is_empty() {
            return IntervalStats::default();
        }
        let stats = IntervalStats {
            count: current.len(),
            p50_us: current.value_at_quantile(0.5),
            p99_us: current.value_at_quantile(0.99),
        };
        // Both have the same bounds, so this cannot fail.
        let _ = self.all.add(&*current);
        current.reset();
        stats
    }
}

impl RunState {
    pub(super) fn new(process: Option<Process>) -> io::Result<Self> {
        Ok(Self {
            phase: AtomicU8::new(Phase::Paused as u8),
            turns: AtomicU64::new(0),
            phase_changed: Notify::new(),
            latencies: Mutex::new(Meter::new()?),
            reply_latencies: Mutex::new(Meter::new()?),
            hub_latencies: Mutex::new([histogram()?, histogram()?]),
            order_errors: Mutex::default(),
            error_counts: Mutex::default(),
            population: AtomicU64::new(0),
            facts: Mutex::default(),
            process,
            busy_ns: AtomicU64::new(0),
        })
    }

    /// Enters a phase. No phase follows draining.
    pub(super) fn enter(&self, phase: Phase) {
        if !self.is_draining() {
            let is_new_turn = self.is(Phase::Paused) && phase != Phase::Paused;
            self.turns.fetch_add(u64::from(is_new_turn), Ordering::Relaxed);
            self.phase.store(phase as u8, Ordering::Relaxed);
            self.phase_changed.notify_waiters();
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is(Phase::Draining)
    }

    pub(super) fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// Waits until the server has its turn or drains.
    pub(super) async fn wait_for_turn(&self) {
        self.wait_until(|| !self.is(Phase::Paused)).await;
    }

    /// The number of the current turn.
    pub(super) fn turn(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    pub(super) async fn wait_for_drain(&self) {
        self.wait_until(|| self.is_draining()).await;
    }

    async fn wait_until(&self, is_met: impl Fn() -> bool) {
        loop {
            let changed = self.phase_changed.notified();
            if is_met() {
                return;
            }
            changed.await;
        }
    }

    /// Records a counted operation; ignored outside the window.
    pub(super) fn record(&self, since_ns: u64) {
        if self.is(Phase::Measuring) {
            lock(&self.latencies).record(since_ns);
        }
    }

    /// Like `record`, for a caller that has read the stopwatch already.
    pub(super) fn record_at(&self, now_ns: u64, since_ns: u64) {
        if self.is(Phase::Measuring) {
            lock(&self.latencies).record_at(now_ns, since_ns);
        }
    }

    /// Records a latency at a hub that owns the channel or at another; ignored outside the window, and if there is one hub only.
    pub(super) fn record_at_hub(&self, is_at_owner: Option<bool>, since_ns: u64) {
        if let Some(is_at_owner) = is_at_owner
            && self.is(Phase::Measuring)
        {
            let latency_us = elapsed_ns().saturating_sub(since_ns) / 1000;
            lock(&self.hub_latencies)[usize::from(!is_at_owner)].saturating_record(latency_us);
        }
    }

    /// The latencies at each kind of hub, if there are several.
    pub(super) fn hub_facts(&self) -> Vec<Fact> {
        const FACTS: [(&str, &str, usize, f64); 4] = [
            ("right_hub_p50_us", "latency at the hub that owns the channel, p50", 0, 0.5),
            ("right_hub_p99_us", "latency at the hub that owns the channel, p99", 0, 0.99),
            ("wrong_hub_p50_us", "latency at another hub, p50", 1, 0.5),
            ("wrong_hub_p99_us", "latency at another hub, p99", 1, 0.99),
        ];
        let latencies = lock(&self.hub_latencies);
        let measured = FACTS.iter().filter(|(_, _, hub, _)| !latencies[*hub].is_empty());
        let fact = |(key, label, hub, quantile): &(&'static str, &'static str, usize, f64)| {
            Fact::new(key, label, latencies[*hub].value_at_quantile(*quantile) as f64, "µs")
        };
        measured.map(fact).collect()
    }

    /// Records the response to a send; ignored outside the window.
    pub(super) fn record_reply(&self, since_ns: u64) {
        if self.is(Phase::Measuring) {
            lock(&self.reply_latencies).record(since_ns);
        }
    }

    /// Records an operation that happens once, in whichever phase.
    pub(super) fn record_in_any_phase(&self, since_ns: u64) {
        lock(&self.latencies).record(since_ns);
    }

    pub(super) fn grow_population(&self) {
        self.population.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn population(&self) -> u64 {
        self.population.load(Ordering::Relaxed)
    }

    /// Resident memory of the server in KiB.
    pub(super) fn rss_kib(&self) -> Option<u64> {
        self.process.and_then(|process| process.rss_kib().ok())
    }

    /// Adds time that the counted operations took, instead of the whole window.
    pub(super) fn add_busy_time(&self, busy_ns: u64) {
        self.busy_ns.fetch_add(busy_ns, Ordering::Relaxed);
    }

    pub(super) fn busy_ns(&self) -> Option<u64> {
        Some(self.busy_ns.load(Ordering::Relaxed)).filter(|busy_ns| *busy_ns > 0)
    }

    /// The number of all errors.
    pub(super) fn errors(&self) -> u64 {
        lock(&self.error_counts).counts.values().sum::<u64>() + lock(&self.order_errors).count()
    }

    /// Counts an error. A rate limit will hit all agents, so it ends the whole run.
    pub(super) fn add_error(&self, error: &HttpError) {
        if matches!(error, HttpError::RateLimited { .. }) {
            self.enter(Phase::Draining);
        }
        lock(&self.error_counts).add(error);
    }

    pub(super) fn add_order_errors(&self, errors: OrderErrors) {
        *lock(&self.order_errors) += errors;
    }

    /// Adds the outcome of agents that have ended, and the order errors of their receivers, each with the number of
    /// messages that were sent to it. After an error other than a timeout, it is unknown whether the last ones arrived.
    pub(super) fn finish<'a>(
        &self,
        outcome: Result<(), HttpError>,
        receivers: impl IntoIterator<Item = (&'a OrderCheck, u64)>,
    ) {
        let all_should_have_arrived = matches!(outcome, Ok(()) | Err(HttpError::TimedOut(_)));
        for (order, sent) in receivers {
            self.add_order_errors(match all_should_have_arrived {
                true => order.final_errors(sent),
                false => order.errors_so_far(),
            });
        }
        if let Err(error) = outcome {
            self.add_error(&error);
        }
    }

    pub(super) fn add_fact(&self, fact: Fact) {
        lock(&self.facts).push(fact);
    }
}

/// Locks a mutex. It never waits, because all agents run on one thread.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds the lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_window_is_recorded() {
        let run_state = RunState::new(None).unwrap();
        run_state.record(0);
        run_state.enter(Phase::Measuring);
        run_state.record(0);
        run_state.add_error(&HttpError::RateLimited { what: "send" });
        run_state.record(0);
        assert_eq!(lock(&run_state.latencies).next_interval().count, 1);
        assert_eq!(lock(&run_state.latencies).all.len(), 1);
        assert!(run_state.is_draining(), "a rate limit ends the run");
        run_state.enter(Phase::Measuring);
        assert!(run_state.is_draining(), "no phase follows draining");
    }

    #[test]
    fn a_missing_last_message_is_lost_unless_the_outcome_is_unknown() {
        let lost = |outcome| {
            let run_state = RunState::new(None).unwrap();
            run_state.finish(outcome, [(&OrderCheck::default(), 2)]);
            (run_state.errors(), lock(&run_state.order_errors).lost)
        };
        assert_eq!(lost(Ok(())), (2, 2));
        assert_eq!(lost(Err(HttpError::TimedOut("a message did not arrive"))), (3, 2));
        assert_eq!(lost(Err(HttpError::Closed)), (1, 0));
    }

    #[tokio::test]
    async fn waiting_agents_notice_a_new_phase() {
        let run_state = RunState::new(None).unwrap();
        tokio::join!(run_state.wait_for_turn(), async { run_state.enter(Phase::Warming) });
        tokio::join!(run_state.wait_for_drain(), async { run_state.enter(Phase::Draining) });
        run_state.wait_for_turn().await;
    }
}
