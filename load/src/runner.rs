//! How a run goes: all sides are set up, take their turns, and drain. Whoever says Ctrl-C gets the figures so far.

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

/// For creating all channels and joining all agents.
const SETUP: Duration = Duration::from_secs(1800);
const GLANCE: Duration = Duration::from_millis(500);
/// While everybody is set up.
const LOOK_IN: Duration = Duration::from_millis(50);
/// Between two turns: what was under way arrives.
const SETTLE: Duration = Duration::from_millis(40);

/// Why somebody stopped waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Time,
    /// No agent plays any more.
    Agents,
    Interrupted,
}

pub(super) struct Runner<'a> {
    /// What each side plays.
    pub(super) plays: Vec<Scenario>,
    pub(super) sides: Vec<ServerUnderTest>,
    pub(super) args: &'a RunArgs,
    pub(super) interrupt: &'a Interrupt,
    pub(super) progress: &'a Progress,
}

impl Runner<'_> {
    /// Sets up, plays and reports; an error is a run that could not begin.
    pub(super) async fn run(mut self) -> Result<LoadReport, String> {
        let scenario = self.plays[0];
        let (warmup, window) = scenario.window(self.args);
        let interrupted = match scenario.takes_turns() {
            true => {
                self.set_up(0..self.sides.len()).await?;
                let interrupted = self.in_turns(warmup, window).await;
                self.drain(0..self.sides.len(), interrupted).await;
                interrupted
            }
            false => self.one_after_the_other(warmup, window).await?,
        };
        let (unit, units) = scenario.unit();
        let mut figures = LoadReport {
            scenario: scenario.name(),
            summary: scenario.summary(),
            unit,
            units,
            population: scenario.population(),
            command: super::command_line(),
            machine: Machine::here(),
            interrupted,
            sides: self.sides.into_iter().map(ServerUnderTest::figures).collect(),
            ratios: Vec::new(),
            fsyncs_per_second: None,
        };
        figures.compare();
        Ok(figures)
    }

    async fn set_up(&mut self, which: std::ops::Range<usize>) -> Result<(), String> {
        for index in which {
            let side = &mut self.sides[index];
            let run_state = std::sync::Arc::clone(&side.run_state);
            let target = std::sync::Arc::clone(&side.target);
            let mut start = std::pin::pin!(tokio::time::timeout(SETUP, self.plays[index].start(&target, &run_state)));
            let started = loop {
                tokio::select! {
                    started = &mut start => break started,
                    () = self.interrupt.heard() => return Err("interrupted before the load began".into()),
                    () = tokio::time::sleep(LOOK_IN) => {
                        let sample = side.glance();
                        self.progress.setting_up(&side.name, &sample);
                    }
                }
            };
            let started = started.unwrap_or(Err(HttpError::TimedOut("the setup took its full time")));
            side.agents = started.map_err(|fault| format!("{}: {}", side.url, preflight::advice(&fault)))?;
            side.glance();
        }
        Ok(())
    }

    /// Slice after slice; each round begins with the other side, so that a drift hits both alike.
    async fn in_turns(&mut self, warmup: Duration, window: Duration) -> bool {
        let sides = self.sides.len();
        if self.rounds(Phase::Warming, warmup, if sides == 1 { warmup } else { self.args.slice.0 }).await {
            return true;
        }
        let slice = if sides == 1 { window } else { self.args.slice.0 };
        self.rounds(Phase::Measuring, window, slice).await
    }

    /// Each side plays for `length` in all; true when somebody interrupts.
    async fn rounds(&mut self, phase: Phase, length: Duration, slice: Duration) -> bool {
        let sides = self.sides.len();
        let slice = slice.max(Duration::from_millis(1));
        let rounds = length.div_duration_f64(slice).ceil().max(1.0) as u32;
        for round in 0..rounds {
            for turn in 0..sides {
                let index = if round % 2 == 0 { turn } else { sides - 1 - turn };
                let passed = f64::from(round) / f64::from(rounds);
                match self.scenario(index, phase, length / rounds, passed).await {
                    End::Interrupted => return true,
                    // Its agents have all failed: nothing is left to compare.
                    End::Agents => return false,
                    End::Time => {}
                }
                if sides > 1 {
                    tokio::time::sleep(SETTLE).await;
                }
            }
        }
        false
    }

    async fn one_after_the_other(&mut self, warmup: Duration, window: Duration) -> Result<bool, String> {
        for index in 0..self.sides.len() {
            self.set_up(index..index + 1).await?;
            let mut end = match warmup.is_zero() {
                true => End::Time,
                false => self.scenario(index, Phase::Warming, warmup, 0.0).await,
            };
            if end == End::Time {
                end = self.scenario(index, Phase::Measuring, window, 0.0).await;
            }
            let interrupted = end == End::Interrupted;
            self.drain(index..index + 1, interrupted).await;
            if interrupted {
                self.sides.truncate(index + 1);
                return Ok(true);
            }
            self.sides[index].hang_up();
        }
        Ok(false)
    }

    /// Gives one side its turn and looks at it now and then.
    async fn scenario(&mut self, index: usize, phase: Phase, length: Duration, passed: f64) -> End {
        let side = &mut self.sides[index];
        side.enter(phase);
        let start_ns = elapsed_ns();
        let mut over = std::pin::pin!(tokio::time::sleep(length));
        let mut glances = tokio::time::interval(GLANCE);
        glances.tick().await;
        let end = loop {
            tokio::select! {
                biased;
                () = self.interrupt.heard() => break End::Interrupted,
                () = &mut over => break End::Time,
                _ = glances.tick() => {
                    let sample = side.glance();
                    let part = (elapsed_ns() - start_ns) as f64 / length.as_nanos() as f64;
                    self.progress.playing(&side.name, phase, &sample, if passed > 0.0 { passed } else { part });
                }
                ended = side.agent_ends() => if !ended {
                    break End::Agents;
                }
            }
        };
        side.leave();
        end
    }

    /// All say their last words and hear them.
    async fn drain(&mut self, which: std::ops::Range<usize>, interrupted: bool) {
        const IN_A_HURRY: Duration = Duration::from_secs(15);
        self.progress.draining();
        let patience = self.plays[0].drain();
        for side in &self.sides[which.clone()] {
            side.run_state.enter(Phase::Draining);
        }
        for side in &mut self.sides[which] {
            let patience = if interrupted { patience.min(IN_A_HURRY) } else { patience };
            let all = async { while side.agent_ends().await {} };
            if tokio::time::timeout(patience, all).await.is_err() {
                side.run_state.fail(&HttpError::TimedOut("the last messages were waited for"));
            }
        }
    }
}
