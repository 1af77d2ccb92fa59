//! One run: the members send and read while the hub is killed repeatedly; then everything drains and is checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::args::TortureArgs;
use super::checker::Checker;
use super::context::{Context, Phase, now_ms, pause};
use super::hub::HubProcess;
use super::oracle::Event;
use super::reader;
use super::report::Report;
use super::rng::Rng;
use super::setup::{Fixture, ReaderFixture, set_up};
use super::writer::{Recipient, Writer};

/// How long the last sends may take, and then the last reads.
const FINISH_TIMEOUT: Duration = Duration::from_secs(90);
/// Between two checks that the hub has not ended by itself.
const WATCH_EVERY: Duration = Duration::from_millis(20);
/// The chance in percent that a restart is killed before it is complete.
const KILL_DURING_START: u64 = 10;
const MAX_START_MS: u64 = 150;

/// The random streams of a seed. Those of writers and readers come after.
const RUNNER_STREAM: u64 = 0;
const PORT_STREAM: u64 = 1;
const CHECKER_STREAM: u64 = 2;
const LAST_FIXED_STREAM: u64 = 3;

/// Fails if the hub cannot be started at first; everything after is in the report.
pub(super) async fn run(args: &TortureArgs, seed: u64, data_dir: &Path) -> Result<Report, String> {
    let mut port_rng = Rng::new(seed ^ u64::from(std::process::id()), PORT_STREAM);
    let hub = HubProcess::new(data_dir, |low, high| port_rng.between(low, high)).map_err(|error| error.to_string())?;
    let mut runner = Runner { hub, rng: Rng::new(seed, RUNNER_STREAM), downtimes_ms: Vec::new() };
    runner.hub.start().map_err(|error| error.to_string())?;
    runner.hub.wait_until_ready().await?;
    let (fixture, oracle) = set_up(runner.hub.address(), args).await?;
    let (callsigns, durable) = (fixture.callsigns.clone(), fixture.durable.clone());
    let context = Arc::new(Context::new(runner.hub.address(), oracle, callsigns, durable));
    let start_ms = now_ms();
    let outcome = runner.run(args, seed, &context, &fixture).await;
    let seconds = (now_ms() - start_ms) as f64 / 1000.0;
    if let Err(what) = outcome {
        context.record(Event::Unfinished { what });
    }
    let report = Report::new(&context.oracle(), seed, seconds, &runner.downtimes_ms, runner.hub.errors());
    Ok(report)
}

struct Runner {
    hub: HubProcess,
    rng: Rng,
    /// From each kill until the hub serves again.
    downtimes_ms: Vec<u64>,
}

impl Runner {
    async fn run(
        &mut self,
        args: &TortureArgs,
        seed: u64,
        context: &Arc<Context>,
        fixture: &Fixture,
    ) -> Result<(), String> {
        let mut stream = LAST_FIXED_STREAM;
        let mut next_rng = || {
            stream += 1;
            Rng::new(seed, stream)
        };
        let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
        for (channel_writers, channel_readers) in fixture.writers.iter().zip(&fixture.readers) {
            let recipient = |reader: &ReaderFixture| Recipient {
                member: reader.member.no,
                callsign: reader.member.callsign.clone(),
            };
            let recipients = channel_readers.iter().map(recipient).collect::<Vec<_>>();
            for writer in channel_writers {
                writers.spawn(Writer::new(context, writer, recipients.clone(), next_rng()).run());
            }
            for reader in channel_readers {
                reader::start(reader, context, &mut readers, &mut next_rng);
            }
        }
        let mut checkers = JoinSet::new();
        checkers.spawn(Checker::new(context, fixture, Rng::new(seed, CHECKER_STREAM)).run());

        for _ in 0..args.cycles {
            self.let_hub_run(args.seconds).await?;
            self.kill_and_restart(context).await?;
        }
        self.let_hub_run(args.seconds).await?;
        self.finish(context, writers, readers, checkers).await
    }

    /// Lets the hub run for a random time up to twice the mean.
    async fn let_hub_run(&mut self, mean_s: f64) -> Result<(), String> {
        let max_ms = (mean_s * 2000.0) as u64;
        let until_ms = now_ms() + self.rng.between(0, max_ms);
        while now_ms() < until_ms {
            self.expect_running()?;
            pause(WATCH_EVERY.min(Duration::from_millis(until_ms.saturating_sub(now_ms())))).await;
        }
        Ok(())
    }

    fn expect_running(&mut self) -> Result<(), String> {
        match self.hub.exit_status() {
            None => Ok(()),
            Some(status) => Err(self.hub.with_log(&format!("the hub ended by itself ({status})"))),
        }
    }

    async fn kill_and_restart(&mut self, context: &Context) -> Result<(), String> {
        let killed_ms = now_ms();
        self.kill(context);
        self.hub.start().map_err(|error| error.to_string())?;
        if self.rng.percent(KILL_DURING_START) {
            let length = self.rng.ms(0, MAX_START_MS);
            pause(length).await;
            self.kill(context);
            self.hub.start().map_err(|error| error.to_string())?;
        }
        self.hub.wait_until_ready().await?;
        self.downtimes_ms.push(now_ms() - killed_ms);
        context.record(Event::Serving);
        Ok(())
    }

    /// Kills the hub and records it without an await in between, so that no other task sees the one without the other.
    fn kill(&mut self, context: &Context) {
        self.hub.kill();
        context.record(Event::Killed);
    }

    /// Lets writers finish their messages and readers read everything, then checks everything once more.
    async fn finish(
        &mut self,
        context: &Arc<Context>,
        writers: JoinSet<Writer>,
        readers: JoinSet<()>,
        checkers: JoinSet<Checker>,
    ) -> Result<(), String> {
        context.enter(Phase::Settling);
        let mut writers = join_all(context, "writer", writers).await;
        context.enter(Phase::Draining);
        join_all(context, "reader", readers).await;
        for checker in &mut join_all(context, "checker", checkers).await {
            checker.finish().await;
        }
        for writer in &mut writers {
            writer.finish().await;
        }
        self.expect_running()?;
        context.oracle().check_all_sends();
        Ok(())
    }
}

/// Waits for all tasks; reports and aborts those that do not end in time.
async fn join_all<T: 'static>(context: &Context, role: &str, mut tasks: JoinSet<T>) -> Vec<T> {
    let mut results = Vec::new();
    let ended = async {
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok(result) => results.push(result),
                Err(error) => context.record(Event::Unfinished { what: format!("a {role} failed: {error}") }),
            }
        }
    };
    if tokio::time::timeout(FINISH_TIMEOUT, ended).await.is_err() {
        let what = format!("{} of the {role}s did not end within {} s", tasks.len(), FINISH_TIMEOUT.as_secs());
        context.record(Event::Unfinished { what });
    }
    results
}
