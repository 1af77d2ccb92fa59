//! The course of a run: all servers are set up, take turns, and drain. Ctrl-C ends it with the results so far.

use std::ops::Range;
use std::time::Duration;

use rogerrat_client::http::HttpError;

use super::args::RunArgs;
use super::interrupt::Interrupt;
use super::preflight;
use super::progress::Progress;
use super::report::{LoadReport, Machine};
use super::run_state::Phase;
use super::scenario::Scenario;
use super::server_under_test::ServerUnderTest;
use crate::stopwatch::elapsed_ns;

/// How long the creation of all channels and the joins of all agents may take.
const SETUP: Duration = Duration::from_secs(1800);
const SAMPLE_EVERY: Duration = Duration::from_millis(500);
/// Between two samples during the setup.
const SETUP_SAMPLE_EVERY: Duration = Duration::from_millis(50);
/// A pause between two turns, in which messages in flight arrive.
const SETTLE: Duration = Duration::from_millis(40);
/// Limits the drain of a run that was interrupted.
const INTERRUPTED_DRAIN: Duration = Duration::from_secs(15);

/// Why a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TurnEnd {
    Time,
    /// All agents have ended.
    Agents,
    Interrupted,
}

pub(super) struct Runner<'a> {
    pub(super) scenario: &'a dyn Scenario,
    pub(super) servers: Vec<ServerUnderTest>,
    pub(super) args: &'a RunArgs,
    pub(super) interrupt: &'a Interrupt,
    pub(super) progress: &'a Progress,
}

impl Runner<'_> {
    /// Runs the scenario on all servers and reports. Fails if the run cannot start.
    pub(super) async fn run(mut self) -> Result<LoadReport, String> {
        let scenario = self.scenario;
        let (warmup, window) = scenario.lengths(self.args);
        let interrupted = match scenario.takes_turns() {
            true => {
                self.set_up(0..self.servers.len()).await?;
                let interrupted = self.run_in_turns(warmup, window).await;
                self.drain(0..self.servers.len(), interrupted).await;
                interrupted
            }
            false => self.run_sequentially(warmup, window).await?,
        };
        let (unit, units) = scenario.unit();
        let mut report = LoadReport {
            scenario: scenario.name(),
            summary: scenario.summary(),
            unit,
            units,
            population: scenario.population(),
            command: super::command_line(),
            machine: Machine::read(),
            interrupted,
            servers: self.servers.into_iter().map(ServerUnderTest::into_report).collect(),
            ratios: Vec::new(),
            fsyncs_per_second: None,
        };
        report.compare();
        Ok(report)
    }

    async fn set_up(&mut self, which: Range<usize>) -> Result<(), String> {
        for server in &mut self.servers[which] {
            let mut agents = std::mem::take(&mut server.agents);
            let start = {
                let context = server.context.clone();
                let scenario = self.scenario;
                async move { scenario.start(&context, &mut agents).await.map(|()| agents) }
            };
            let mut start = std::pin::pin!(tokio::time::timeout(SETUP, start));
            let started = loop {
                tokio::select! {
                    started = &mut start => break started,
                    () = self.interrupt.requested() => return Err("interrupted before the load started".into()),
                    () = tokio::time::sleep(SETUP_SAMPLE_EVERY) => {
                        let sample = server.sample();
                        self.progress.setting_up(&server.name, &sample);
                    }
                }
            };
            let started = started.unwrap_or(Err(HttpError::TimedOut("the setup did not finish")));
            server.agents = started.map_err(|error| format!("{}: {}", server.url, preflight::advice(&error)))?;
            server.sample();
        }
        Ok(())
    }

    /// Alternates in slices. Each round starts with the other server, so that a drift affects both alike.
    async fn run_in_turns(&mut self, warmup: Duration, window: Duration) -> bool {
        let is_alone = self.servers.len() == 1;
        let slice = |length| if is_alone { length } else { self.args.slice.0 };
        let (warmup_slice, window_slice) = (slice(warmup), slice(window));
        self.run_rounds(Phase::Warming, warmup, warmup_slice).await
            || self.run_rounds(Phase::Measuring, window, window_slice).await
    }

    /// Runs each server for `length` in total; returns true if the run is interrupted.
    async fn run_rounds(&mut self, phase: Phase, length: Duration, slice: Duration) -> bool {
        let servers = self.servers.len();
        let slice = slice.max(Duration::from_millis(1));
        let rounds = length.div_duration_f64(slice).ceil().max(1.0) as u32;
        for round in 0..rounds {
            for turn in 0..servers {
                let index = if round % 2 == 0 { turn } else { servers - 1 - turn };
                let done = f64::from(round) / f64::from(rounds);
                match self.run_turn(index, phase, length / rounds, done).await {
                    TurnEnd::Interrupted => return true,
                    // All its agents have failed: nothing is left to compare.
                    TurnEnd::Agents => return false,
                    TurnEnd::Time => {}
                }
                if servers > 1 {
                    tokio::time::sleep(SETTLE).await;
                }
            }
        }
        false
    }

    /// Runs the whole window of each server, one server after the other.
    async fn run_sequentially(&mut self, warmup: Duration, window: Duration) -> Result<bool, String> {
        for index in 0..self.servers.len() {
            self.set_up(index..index + 1).await?;
            let mut end = match warmup.is_zero() {
                true => TurnEnd::Time,
                false => self.run_turn(index, Phase::Warming, warmup, 0.0).await,
            };
            if end == TurnEnd::Time {
                end = self.run_turn(index, Phase::Measuring, window, 0.0).await;
            }
            let interrupted = end == TurnEnd::Interrupted;
            self.drain(index..index + 1, interrupted).await;
            if interrupted {
                self.servers.truncate(index + 1);
                return Ok(true);
            }
            self.servers[index].abort_agents();
        }
        Ok(false)
    }

    /// Runs one turn of one server and samples it. `done` is the part of the phase that lies before the turn.
    async fn run_turn(&mut self, index: usize, phase: Phase, length: Duration, done: f64) -> TurnEnd {
        let server = &mut self.servers[index];
        server.start_turn(phase);
        let start_ns = elapsed_ns();
        let mut timeout = std::pin::pin!(tokio::time::sleep(length));
        let mut samples = tokio::time::interval(SAMPLE_EVERY);
        samples.tick().await;
        let end = loop {
            tokio::select! {
                biased;
                () = self.interrupt.requested() => break TurnEnd::Interrupted,
                () = &mut timeout => break TurnEnd::Time,
                _ = samples.tick() => {
                    let sample = server.sample();
                    let part = (elapsed_ns() - start_ns) as f64 / length.as_nanos() as f64;
                    self.progress.running(&server.name, phase, &sample, if done > 0.0 { done } else { part });
                }
                ended = server.wait_for_agent() => if !ended {
                    break TurnEnd::Agents;
                }
            }
        };
        server.end_turn();
        end
    }

    /// Lets all agents send and receive their last messages.
    async fn drain(&mut self, which: Range<usize>, interrupted: bool) {
        self.progress.draining();
        let timeout = self.scenario.drain_timeout();
        let timeout = if interrupted { timeout.min(INTERRUPTED_DRAIN) } else { timeout };
        for server in &self.servers[which.clone()] {
            server.context.run_state.enter(Phase::Draining);
        }
        for server in &mut self.servers[which] {
            let all = async { while server.wait_for_agent().await {} };
            if tokio::time::timeout(timeout, all).await.is_err() {
                server.context.run_state.add_error(&HttpError::TimedOut("the last messages did not arrive"));
            }
        }
    }
}
