//! A side of a run: one server, its agents, and what was seen of them.

use std::sync::Arc;

use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::error_counts::ErrorCounts;
use super::procfs::Process;
use super::report::{self, Quantiles, Sample, Slice};
use super::run_state::{Phase, RunState, held};
use super::target::Target;
use crate::stopwatch::elapsed_ns;

/// Samples that are kept; beyond, every second one is dropped and glances get rarer.
const SAMPLES: usize = 1200;

pub(super) struct ServerUnderTest {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) target: Arc<Target>,
    pub(super) run_state: Arc<RunState>,
    pub(super) agents: JoinSet<()>,
    slices: Vec<Slice>,
    samples: Vec<Sample>,
    rss_before_kib: Option<u64>,
    /// The clocks when its turn began, and at the last glance.
    began: Mark,
    glanced: Mark,
    /// The time of all its turns before the last glance, in ns.
    played_ns: u64,
    in_slice: u64,
}

/// The clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at_ns: u64,
    server_cpu_us: Option<u64>,
    loader_cpu_us: Option<u64>,
}

impl Mark {
    /// A clock that cannot be read, because the server has died by now, is left out.
    fn take(server: Option<Process>) -> Self {
        Self {
            at_ns: elapsed_ns(),
            server_cpu_us: server.and_then(|server| server.cpu_us().ok()),
            loader_cpu_us: Process::own().cpu_us().ok(),
        }
    }
}

impl ServerUnderTest {
    pub(super) fn new(name: &str, url: &str, target: Target, server: Option<Process>) -> Result<Self, String> {
        let run_state = Arc::new(RunState::new(server).map_err(|error| error.to_string())?);
        let now = Mark::take(server);
        Ok(Self {
            name: name.to_owned(),
            url: url.to_owned(),
            target: Arc::new(target),
            rss_before_kib: run_state.rss_kib(),
            run_state,
            agents: JoinSet::new(),
            slices: Vec::new(),
            samples: Vec::new(),
            began: now,
            glanced: now,
            played_ns: 0,
            in_slice: 0,
        })
    }

    /// Its turn begins.
    pub(super) fn enter(&mut self, phase: Phase) {
        // What was heard in between belongs to nobody.
        held(&self.run_state.hops).glance();
        self.began = Mark::take(self.run_state.server);
        self.glanced = self.began;
        self.in_slice = 0;
        self.run_state.enter(phase);
    }

    /// Its turn ends.
    pub(super) fn leave(&mut self) {
        self.glance();
        let is_measured = self.run_state.is(Phase::Measuring);
        self.run_state.enter(Phase::Paused);
        if is_measured || self.run_state.is_draining() {
            let end = Mark::take(self.run_state.server);
            self.slices.push(Slice {
                seconds: (end.at_ns - self.began.at_ns) as f64 / 1e9,
                count: self.in_slice,
                server_cpu_us: difference(self.began.server_cpu_us, end.server_cpu_us),
                loader_cpu_us: difference(self.began.loader_cpu_us, end.loader_cpu_us),
            });
        }
    }

    /// Looks at what has happened since the last glance.
    pub(super) fn glance(&mut self) -> Sample {
        let now = Mark::take(self.run_state.server);
        let seen = held(&self.run_state.hops).glance();
        held(&self.run_state.answers).glance();
        let passed_ns = now.at_ns - self.glanced.at_ns;
        let seconds = (passed_ns as f64 / 1e9).max(1e-9);
        self.played_ns += passed_ns;
        self.in_slice += seen.count;
        let cpu_us = difference(self.glanced.server_cpu_us, now.server_cpu_us);
        let sample = Sample {
            at_s: self.played_ns as f64 / 1e9,
            measured: self.run_state.is(Phase::Measuring),
            per_second: seen.count as f64 / seconds,
            p50_us: seen.p50_us,
            p99_us: seen.p99_us,
            errors: self.run_state.errors(),
            population: self.run_state.population(),
            rss_kib: self.run_state.rss_kib(),
            cpu_percent: cpu_us.map(|cpu_us| cpu_us / seconds / 1e4),
        };
        self.glanced = now;
        self.keep(sample);
        sample
    }

    fn keep(&mut self, sample: Sample) {
        const SHORTEST_S: f64 = 0.02;
        if self.samples.last().is_some_and(|last| sample.at_s - last.at_s < SHORTEST_S) {
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

    /// Waits for an agent to end; false when there is none any more.
    pub(super) async fn agent_ends(&mut self) -> bool {
        match self.agents.join_next().await {
            None => false,
            Some(ended) => {
                if let Err(error) = ended {
                    self.run_state.fail(&HttpError::Internal(error.to_string()));
                }
                true
            }
        }
    }

    /// Lets all agents go.
    pub(super) fn hang_up(&mut self) {
        self.agents.abort_all();
    }

    pub(super) fn figures(self) -> report::ServerUnderTest {
        let Self { run_state, slices, .. } = self;
        held(&run_state.hops).glance();
        let (hops, answers) = (held(&run_state.hops), held(&run_state.answers));
        let ErrorCounts { counts, first } = held(&run_state.error_counts).clone();
        let count = hops.whole.len();
        let window_s = slices.iter().map(|slice| slice.seconds).sum::<f64>();
        let seconds = run_state.busy_ns().map_or(window_s, |busy_ns| busy_ns as f64 / 1e9);
        let sum =
            |of: fn(&Slice) -> Option<f64>| slices.iter().map(of).sum::<Option<f64>>().filter(|_| !slices.is_empty());
        let server_cpu_us = sum(|slice| slice.server_cpu_us);
        // What is counted after the window has no CPU in it.
        let in_slices = slices.iter().map(|slice| slice.count).sum::<u64>();
        let each = |cpu_us: f64| (in_slices > 0).then(|| cpu_us / in_slices as f64);
        report::ServerUnderTest {
            name: self.name,
            url: self.url,
            count,
            seconds,
            per_second: if seconds > 0.0 { count as f64 / seconds } else { 0.0 },
            latency_us: Quantiles::of(&hops.whole),
            answer_us: (!answers.whole.is_empty()).then(|| Quantiles::of(&answers.whole)),
            disorder: *held(&run_state.disorder),
            errors: counts,
            first_errors: first,
            server_cpu_us_each: server_cpu_us.and_then(each),
            server_cpu_percent: server_cpu_us.filter(|_| window_s > 0.0).map(|cpu_us| cpu_us / window_s / 1e4),
            loader_cpu_us_each: sum(|slice| slice.loader_cpu_us).and_then(each),
            rss_before_kib: self.rss_before_kib,
            rss_after_kib: run_state.rss_kib(),
            facts: held(&run_state.facts).clone(),
            slices,
            samples: self.samples,
            curve: report::curve(&hops.whole),
        }
    }
}

/// Microseconds between two readings.
fn difference(start: Option<u64>, end: Option<u64>) -> Option<f64> {
    start.zip(end).map(|(start, end)| end.saturating_sub(start) as f64)
}
