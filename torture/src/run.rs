//! One run: everybody talks, the hub is killed again and again, then all becomes quiet and the state are closed.

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
use super::setup::{Fixture, set_up};
use super::writer::{Recipient, Writer};

/// For the last messages, and then for the last reads.
const QUIET: Duration = Duration::from_secs(90);
/// Between two looks whether the hub has ended by itself.
const WATCH_EVERY: Duration = Duration::from_millis(20);
/// Of a hundred restarts, those that are killed before they are through.
const KILLED_IN_ITS_START: u64 = 10;
const LONGEST_START_MS: u64 = 150;

/// The numbers of those who roll; writers and readers come after.
const RUNNER: u64 = 0;
const PORT: u64 = 1;
const CHECKER: u64 = 2;
const OTHERS: u64 = 3;

/// Fails when no hub can be had to begin with; everything after is in the report.
pub(super) async fn run(args: &TortureArgs, seed: u64, folder: &Path) -> Result<Report, String> {
    let mut port_rng = Rng::new(seed ^ u64::from(std::process::id()), PORT);
    let hub = HubProcess::new(folder, |low, high| port_rng.between(low, high)).map_err(|error| error.to_string())?;
    let mut runner = Runner { hub, rng: Rng::new(seed, RUNNER), back_ms: Vec::new() };
    runner.hub.start().map_err(|error| error.to_string())?;
    runner.hub.serves().await?;
    let (fixture, oracle) = set_up(runner.hub.address(), args).await?;
    let (callsigns, durable) = (fixture.callsigns.clone(), fixture.durable.clone());
    let context = Arc::new(Context::new(runner.hub.address(), oracle, callsigns, durable));
    let began_ms = now_ms();
    let trouble = runner.perform(args, seed, &context, &fixture).await.err();
    let seconds = (now_ms() - began_ms) as f64 / 1000.0;
    if let Some(what) = trouble {
        context.hear(Event::Unfinished { what });
    }
    let report = Report::new(&context.oracle(), seed, seconds, &runner.back_ms, runner.hub.errors());
    Ok(report)
}

struct Runner {
    hub: HubProcess,
    rng: Rng,
    /// From each kill until the hub served again.
    back_ms: Vec<u64>,
}

impl Runner {
    async fn perform(
        &mut self,
        args: &TortureArgs,
        seed: u64,
        context: &Arc<Context>,
        fixture: &Fixture,
    ) -> Result<(), String> {
        let mut who = OTHERS;
        let mut rng = || {
            who += 1;
            Rng::new(seed, who)
        };
        let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
        for (passes, places) in fixture.writers.iter().zip(&fixture.readers) {
            let recipient = |place: &super::setup::ReaderPlace| Recipient {
                member: place.pass.member,
                callsign: place.pass.callsign.clone(),
            };
            let recipients = places.iter().map(recipient).collect::<Vec<_>>();
            for pass in passes {
                writers.spawn(Writer::new(context, pass, recipients.clone(), rng()).run());
            }
            for place in places {
                reader::start(place, context, &mut readers, &mut rng);
            }
        }
        let mut checkers = JoinSet::new();
        checkers.spawn(Checker::new(context, fixture, Rng::new(seed, CHECKER)).run());

        for _ in 0..args.cycles {
            self.live(args.seconds).await?;
            self.kill_and_restart(context).await?;
        }
        self.live(args.seconds).await?;
        self.quieten(context, writers, readers, checkers).await
    }

    /// Lets the hub live for between nothing and twice the mean.
    async fn live(&mut self, mean_s: f64) -> Result<(), String> {
        let twice_ms = (mean_s * 2000.0) as u64;
        let until_ms = now_ms() + self.rng.between(0, twice_ms);
        while now_ms() < until_ms {
            if let Some(status) = self.hub.ended() {
                return Err(self.hub.with_log(&format!("the hub ended by itself ({status})")));
            }
            pause(WATCH_EVERY.min(Duration::from_millis(until_ms.saturating_sub(now_ms())))).await;
        }
        Ok(())
    }

    async fn kill_and_restart(&mut self, context: &Context) -> Result<(), String> {
        let killed_ms = now_ms();
        self.kill(context);
        self.hub.start().map_err(|error| error.to_string())?;
        if self.rng.percent(KILLED_IN_ITS_START) {
            let length = self.rng.ms(0, LONGEST_START_MS);
            pause(length).await;
            self.kill(context);
            self.hub.start().map_err(|error| error.to_string())?;
        }
        self.hub.serves().await?;
        self.back_ms.push(now_ms() - killed_ms);
        context.hear(Event::Serves);
        Ok(())
    }

    /// Nobody else runs between the kill and its entry in the state.
    fn kill(&mut self, context: &Context) {
        self.hub.kill();
        context.hear(Event::Killed);
    }

    /// Writers bring their messages to an end, readers read until nothing is due, and everything is looked at once more.
    async fn quieten(
        &mut self,
        context: &Arc<Context>,
        writers: JoinSet<Writer>,
        readers: JoinSet<()>,
        checkers: JoinSet<Checker>,
    ) -> Result<(), String> {
        context.enter(Phase::Settling);
        let mut writers = all_end(context, "writer", writers).await;
        context.enter(Phase::Draining);
        all_end(context, "reader", readers).await;
        for checker in &mut all_end(context, "checker", checkers).await {
            checker.finish().await;
        }
        for writer in &mut writers {
            writer.finish().await;
        }
        if let Some(status) = self.hub.ended() {
            return Err(self.hub.with_log(&format!("the hub ended by itself ({status})")));
        }
        context.oracle().conclude();
        Ok(())
    }
}

/// Waits for all tasks; one that does not end is reported and aborted.
async fn all_end<T: 'static>(context: &Context, who: &str, mut tasks: JoinSet<T>) -> Vec<T> {
    let mut ends = Vec::new();
    let ended = async {
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok(end) => ends.push(end),
                Err(error) => context.hear(Event::Unfinished { what: format!("a {who} failed: {error}") }),
            }
        }
    };
    if tokio::time::timeout(QUIET, ended).await.is_err() {
        let what = format!("{} of the {who}s did not come to an end within {} s", tasks.len(), QUIET.as_secs());
        context.hear(Event::Unfinished { what });
    }
    ends
}
