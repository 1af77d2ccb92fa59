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
use super::setup::{Fixture, cast};
use super::writer::{Recipient, Writer};

/// For the last messages, and then for the last reads.
const QUIET: Duration = Duration::from_secs(90);
/// Between two looks whether the hub has ended by itself.
const WATCH_EVERY: Duration = Duration::from_millis(20);
/// Of a hundred restarts, those that are killed before they are through.
const KILLED_IN_ITS_START: u64 = 10;
const LONGEST_START_MS: u64 = 150;

/// The numbers of those who roll; writers and readers come after.
const CONDUCTOR: u64 = 0;
const PORT: u64 = 1;
const INSPECTOR: u64 = 2;
const OTHERS: u64 = 3;

/// Fails when no hub can be had to begin with; everything after is in the report.
pub(super) async fn run(args: &TortureArgs, seed: u64, folder: &Path) -> Result<Report, String> {
    let mut port_rng = Rng::new(seed ^ u64::from(std::process::id()), PORT);
    let hub = HubProcess::new(folder, |low, high| port_rng.between(low, high)).map_err(|error| error.to_string())?;
    let mut conductor = Runner { hub, rng: Rng::new(seed, CONDUCTOR), back_ms: Vec::new() };
    conductor.hub.start().map_err(|error| error.to_string())?;
    conductor.hub.serves().await?;
    let (cast, oracle) = cast(conductor.hub.address(), args).await?;
    let (callsigns, durable) = (cast.callsigns.clone(), cast.durable.clone());
    let world = Arc::new(Context::new(conductor.hub.address(), oracle, callsigns, durable));
    let began_ms = now_ms();
    let trouble = conductor.perform(args, seed, &world, &cast).await.err();
    let seconds = (now_ms() - began_ms) as f64 / 1000.0;
    if let Some(what) = trouble {
        world.hear(Event::Unfinished { what });
    }
    let report = Report::new(&world.oracle(), seed, seconds, &conductor.back_ms, conductor.hub.errors());
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
        world: &Arc<Context>,
        cast: &Fixture,
    ) -> Result<(), String> {
        let mut who = OTHERS;
        let mut rng = || {
            who += 1;
            Rng::new(seed, who)
        };
        let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
        for (passes, places) in cast.writers.iter().zip(&cast.readers) {
            let recipient = |place: &super::setup::ReaderPlace| Recipient {
                member: place.pass.member,
                callsign: place.pass.callsign.clone(),
            };
            let recipients = places.iter().map(recipient).collect::<Vec<_>>();
            for pass in passes {
                writers.spawn(Writer::new(world, pass, recipients.clone(), rng()).run());
            }
            for place in places {
                reader::start(place, world, &mut readers, &mut rng);
            }
        }
        let mut inspectors = JoinSet::new();
        inspectors.spawn(Checker::new(world, cast, Rng::new(seed, INSPECTOR)).run());

        for _ in 0..args.cycles {
            self.live(args.seconds).await?;
            self.kill_and_restart(world).await?;
        }
        self.live(args.seconds).await?;
        self.quieten(world, writers, readers, inspectors).await
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

    async fn kill_and_restart(&mut self, world: &Context) -> Result<(), String> {
        let killed_ms = now_ms();
        self.kill(world);
        self.hub.start().map_err(|error| error.to_string())?;
        if self.rng.percent(KILLED_IN_ITS_START) {
            let length = self.rng.ms(0, LONGEST_START_MS);
            pause(length).await;
            self.kill(world);
            self.hub.start().map_err(|error| error.to_string())?;
        }
        self.hub.serves().await?;
        self.back_ms.push(now_ms() - killed_ms);
        world.hear(Event::Serves);
        Ok(())
    }

    /// Nobody else runs between the kill and its entry in the state.
    fn kill(&mut self, world: &Context) {
        self.hub.kill();
        world.hear(Event::Killed);
    }

    /// Writers bring their messages to an end, readers read until nothing is due, and everything is looked at once more.
    async fn quieten(
        &mut self,
        world: &Arc<Context>,
        writers: JoinSet<Writer>,
        readers: JoinSet<()>,
        inspectors: JoinSet<Checker>,
    ) -> Result<(), String> {
        world.enter(Phase::Settling);
        let mut writers = all_end(world, "writer", writers).await;
        world.enter(Phase::Draining);
        all_end(world, "reader", readers).await;
        for checker in &mut all_end(world, "checker", inspectors).await {
            checker.finish().await;
        }
        for writer in &mut writers {
            writer.finish().await;
        }
        if let Some(status) = self.hub.ended() {
            return Err(self.hub.with_log(&format!("the hub ended by itself ({status})")));
        }
        world.oracle().conclude();
        Ok(())
    }
}

/// Waits for all tasks; one that does not end is reported and aborted.
async fn all_end<T: 'static>(world: &Context, who: &str, mut tasks: JoinSet<T>) -> Vec<T> {
    let mut ends = Vec::new();
    let ended = async {
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok(end) => ends.push(end),
                Err(error) => world.hear(Event::Unfinished { what: format!("a {who} failed: {error}") }),
            }
        }
    };
    if tokio::time::timeout(QUIET, ended).await.is_err() {
        let what = format!("{} of the {who}s did not come to an end within {} s", tasks.len(), QUIET.as_secs());
        world.hear(Event::Unfinished { what });
    }
    ends
}
