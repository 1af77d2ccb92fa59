//! One run: the members send and read while the hub is killed repeatedly; then everything drains and is checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args::TortureArgs;
use super::clients::Clients;
use super::context::{Context, now_ms, pause};
use super::hub::HubProcess;
use super::oracle::{Event, Oracle};
use super::report::TortureReport;
use super::rng::Rng;
use super::setup::{Fixture, set_up};

/// Between two checks that the hub has not ended by itself.
const WATCH_EVERY: Duration = Duration::from_millis(20);
/// The chance in percent that a restart is killed before it is complete.
const KILL_DURING_START: u64 = 10;
const MAX_START_MS: u64 = 150;

/// The random streams of a seed. Those of the clients come after.
const RUNNER_STREAM: u64 = 0;
const PORT_STREAM: u64 = 1;

/// Fails if the hub cannot be started at first; everything after is in the report.
pub(super) async fn run(args: &TortureArgs, seed: u64, data_dir: &Path) -> Result<TortureReport, String> {
    let mut port_rng = Rng::new(seed ^ u64::from(std::process::id()), PORT_STREAM);
    let hub = HubProcess::new(data_dir, |low, high| port_rng.between(low, high)).map_err(|error| error.to_string())?;
    let mut runner = Runner { hub, rng: Rng::new(seed, RUNNER_STREAM), downtimes_ms: Vec::new() };
    runner.hub.start().map_err(|error| error.to_string())?;
    runner.hub.wait_until_ready().await?;
    let addresses = vec![runner.hub.address()];
    let (fixture, oracle) = set_up(&addresses, None, args.load(), Oracle::default()).await?;
    let (callsigns, durable) = (fixture.callsigns.clone(), fixture.durable.clone());
    let context = Arc::new(Context::new(addresses, oracle, callsigns, durable));
    let start_ms = now_ms();
    let outcome = runner.run(args, seed, &context, &fixture).await;
    let seconds = (now_ms() - start_ms) as f64 / 1000.0;
    if let Err(what) = outcome {
        context.record(Event::Unfinished { what });
    }
    let report = TortureReport::new(&context.oracle(), seed, seconds, &runner.downtimes_ms, runner.hub.errors());
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
        let clients = Clients::start(context, fixture, seed);
        for _ in 0..args.cycles {
            self.let_hub_run(args.seconds).await?;
            self.kill_and_restart(context).await?;
        }
        self.let_hub_run(args.seconds).await?;
        clients.drain(context).await;
        self.expect_running()?;
        context.oracle().check_all_sends();
        Ok(())
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
}
