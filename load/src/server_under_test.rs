//! One server of a run, with its agents and its measurements.

use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::error_counts::ErrorCounts;
use super::procfs::Process;
use super::report::{self, Quantiles, Sample, ServerReport, Slice};
use super::run_state::{Phase, lock};
use super::scenario::ServerContext;
use crate::stopwatch::elapsed_ns;

/// Maximum stored samples. When it is reached, every second one is dropped.
const SAMPLES: usize = 1200;
/// Minimum time between two stored samples.
const MIN_SAMPLE_DISTANCE_S: f64 = 0.02;

pub(super) struct ServerUnderTest {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) context: ServerContext,
    pub(super) agents: JoinSet<()>,
    slices: Vec<Slice>,
    samples: Vec<Sample>,
    rss_before_kib: Option<u64>,
    /// The clocks at the start of the current turn, and at the last sample.
    turn_start: Clocks,
    last_sample: Clocks,
    /// The length of all its turns up to the last sample.
    active_ns: u64,
    /// Operations counted in the current turn.
    count_in_turn: u64,
}

/// Elapsed time and CPU times at one moment.
#[derive(Debug, Clone, Copy)]
struct Clocks {
    at_ns: u64,
    server_cpu_us: Option<u64>,
    loader_cpu_us: Option<u64>,
}

impl Clocks {
    /// Reads the clocks. The CPU time of a server that has died is missing.
    fn read(server: Option<Process>) -> Self {
        Self {
            at_ns: elapsed_ns(),
            server_cpu_us: server.and_then(|server| server.cpu_us().ok()),
            loader_cpu_us: Process::own().cpu_us().ok(),
        }
    }
}

impl ServerUnderTest {
    pub(super) fn new(name: &str, url: &str, context: ServerContext) -> Self {
        let now = Clocks::read(context.run_state.process);
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            rss_before_kib: context.run_state.rss_kib(),
            context,
            agents: JoinSet::new(),
            slices: Vec::new(),
            samples: Vec::new(),
            turn_start: now,
            last_sample: now,
            active_ns: 0,
            count_in_turn: 0,
        }
    }

    pub(super) fn start_turn(&mut self, phase: Phase) {
        let run_state = &self.context.run_state;
        // What arrived between the turns belongs to none of them.
        lock(&run_state.latencies).next_interval();
        self.turn_start = Clocks::read(run_state.process);
        self.last_sample = self.turn_start;
        self.count_in_turn = 0;
        run_state.enter(phase);
    }

    pub(super) fn end_turn(&mut self) {
        self.sample();
        let run_state = &self.context.run_state;
        let is_measured = run_state.is(Phase::Measuring);
        run_state.enter(Phase::Paused);
        if is_measured || run_state.is_draining() {
            let (start, end) = (self.turn_start, Clocks::read(run_state.process));
            self.slices.push(Slice {
                seconds: (end.at_ns - start.at_ns) as f64 / 1e9,
                count: self.count_in_turn,
                server_cpu_us: difference(start.server_cpu_us, end.server_cpu_us),
                loader_cpu_us: difference(start.loader_cpu_us, end.loader_cpu_us),
            });
        }
    }

    /// Measures what has happened since the last sample.
    pub(super) fn sample(&mut self) -> Sample {
        let run_state = &self.context.run_state;
        let now = Clocks::read(run_state.process);
        let stats = lock(&run_state.latencies).next_interval();
        lock(&run_state.reply_latencies).next_interval();
        let passed_ns = now.at_ns - self.last_sample.at_ns;
        let seconds = (passed_ns as f64 / 1e9).max(1e-9);
        self.active_ns += passed_ns;
        self.count_in_turn += stats.count;
        let cpu_us = difference(self.last_sample.server_cpu_us, now.server_cpu_us);
        let sample = Sample {
            at_s: self.active_ns as f64 / 1e9,
            measured: run_state.is(Phase::Measuring),
            per_second: stats.count as f64 / seconds,
            p50_us: stats.p50_us,
            p99_us: stats.p99_us,
            errors: run_state.errors(),
            population: run_state.population(),
            rss_kib: run_state.rss_kib(),
            cpu_percent: cpu_us.map(|cpu_us| cpu_us / seconds / 1e4),
        };
        self.last_sample = now;
        self.store(sample);
        sample
    }

    fn store(&mut self, sample: Sample) {
        if self.samples.last().is_some_and(|last| sample.at_s - last.at_s < MIN_SAMPLE_DISTANCE_S) {
            return;
        }
        if self.samples.len() >= SAMPLES {
            let mut index = 0;
            self.samples.retain(|_| {
                index += 1;
                index % 2 == 0
            });
        }
        self.samples.push(sample);
    }

    /// Waits for an agent to end; returns false if all have ended.
    pub(super) async fn wait_for_agent(&mut self) -> bool {
        match self.agents.join_next().await {
            None => false,
            Some(ended) => {
                if let Err(error) = ended {
                    self.context.run_state.add_error(&HttpError::Internal(error.to_string()));
                }
                true
            }
        }
    }

    pub(super) fn abort_agents(&mut self) {
        self.agents.abort_all();
    }

    pub(super) fn into_report(self) -> ServerReport {
        let Self { context: ServerContext { run_state, .. }, slices, .. } = self;
        lock(&run_state.latencies).next_interval();
        let (latencies, reply_latencies) = (lock(&run_state.latencies), lock(&run_state.reply_latencies));
        let ErrorCounts { counts, first } = lock(&run_state.error_counts).clone();
        let count = latencies.all.len();
        let window_s = slices.iter().map(|slice| slice.seconds).sum::<f64>();
        let seconds = run_state.busy_ns().map_or(window_s, |busy_ns| busy_ns as f64 / 1e9);
        let sum =
            |of: fn(&Slice) -> Option<f64>| slices.iter().map(of).sum::<Option<f64>>().filter(|_| !slices.is_empty());
        let server_cpu_us = sum(|slice| slice.server_cpu_us);
        // The CPU time of operations that are counted after the window is not measured.
        let count_in_slices = slices.iter().map(|slice| slice.count).sum::<u64>();
        let each = |cpu_us: f64| (count_in_slices > 0).then(|| cpu_us / count_in_slices as f64);
        ServerReport {
            name: self.name,
            url: self.url,
            count,
            seconds,
            per_second: if seconds > 0.0 { count as f64 / seconds } else { 0.0 },
            latency_us: Quantiles::of(&latencies.all),
            answer_us: (!reply_latencies.all.is_empty()).then(|| Quantiles::of(&reply_latencies.all)),
            order_errors: *lock(&run_state.order_errors),
            errors: counts,
            first_errors: first,
            server_cpu_us_each: server_cpu_us.and_then(each),
            server_cpu_percent: server_cpu_us.filter(|_| window_s > 0.0).map(|cpu_us| cpu_us / window_s / 1e4),
            loader_cpu_us_each: sum(|slice| slice.loader_cpu_us).and_then(each),
            rss_before_kib: self.rss_before_kib,
            rss_after_kib: run_state.rss_kib(),
            facts: lock(&run_state.facts).iter().cloned().chain(run_state.hub_facts()).collect(),
            slices,
            samples: self.samples,
            curve: report::curve(&latencies.all),
        }
    }
}

/// Returns the microseconds between two readings.
fn difference(start: Option<u64>, end: Option<u64>) -> Option<f64> {
    start.zip(end).map(|(start, end)| end.saturating_sub(start) as f64)
}
