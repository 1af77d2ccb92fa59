//! One busy load on the hub, on the floor, or on one after the other in the same way.

use super::args::{PingpongArgs, RunArgs, SendsArgs};
use super::floor_process::FloorProcess;
use super::fsync;
use super::pingpong::Pingpong;
use super::procfs::Process;
use super::report::{Comparison, Report};
use super::sends::{Sends, Sides};
use super::stage::Stage;
use super::target::Target;
use crate::cli::client::Fault;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// For creating all channels and joining all agents.
const SETUP: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy)]
pub(super) enum Play {
    Pingpong(Pingpong),
    Sends(Sends),
}

impl From<&PingpongArgs> for Play {
    fn from(args: &PingpongArgs) -> Self {
        let payload_bytes = args.run.payload as usize;
        Self::Pingpong(Pingpong {
            pairs: args.pairs as usize,
            payload_bytes,
            poll: args.listen,
            durability: args.run.durability,
        })
    }
}

impl From<&SendsArgs> for Play {
    fn from(args: &SendsArgs) -> Self {
        let payload_bytes = args.run.payload as usize;
        let (channels, senders) = (args.channels as usize, args.senders as usize);
        let sides = match (args.compare_durability, args.run.durability) {
            (true, _) => Sides::MemoryAndDisk,
            (false, durability) => Sides::One(durability),
        };
        Self::Sends(Sends { channels, senders, payload_bytes, poll: args.listen, sides })
    }
}

impl Play {
    pub(super) fn sockets(self) -> usize {
        match self {
            Self::Pingpong(game) => game.pairs * Pingpong::SOCKETS_PER_PAIR,
            Self::Sends(load) => load.channels * (load.senders + load.sides.count()),
        }
    }

    /// How many kinds of channels take turns.
    fn sides(self) -> usize {
        match self {
            Self::Pingpong(_) => 1,
            Self::Sends(load) => load.sides.count(),
        }
    }

    async fn start(self, target: &Target, stage: &Arc<Stage>) -> Result<JoinSet<()>, Fault> {
        match self {
            Self::Pingpong(game) => game.start(target, stage).await,
            Self::Sends(load) => load.start(target, stage).await,
        }
    }
}

/// The hub first, when there is one; the floor is started only then, so that it never shares a window with the hub.
pub(super) async fn run(play: Play, args: &RunArgs) -> Result<Comparison, String> {
    let syncs = args.fsync_dir.as_deref().map(fsync::rate).transpose().map_err(|cause| cause.to_string())?;
    let mut hub = None;
    if let Some(url) = &args.url {
        let target = Target::parse(url, args.token.clone())?;
        let server = args.pid.map(Process::find).transpose().map_err(|cause| cause.to_string())?;
        hub = Some(measure(play, &target, server, args.warmup(), args.window()).await?);
    }
    let mut floor = None;
    if args.floor {
        let process =
            FloorProcess::start(args.floor_workers, args.floor_cpus.as_deref()).map_err(|cause| cause.to_string())?;
        let target = Target::parse(process.url(), None)?;
        let server = process.process().map_err(|cause| cause.to_string())?;
        floor = Some(measure(play, &target, Some(server), args.warmup(), args.window()).await?);
    }
    Ok(Comparison { fsyncs_per_second: syncs, ..Comparison::new(hub, floor) })
}

/// Sets up, plays and reports; a setup that fails is a report with that fault and no hops.
pub(super) async fn measure(
    play: Play,
    target: &Target,
    server: Option<Process>,
    warmup: Duration,
    window: Duration,
) -> Result<Report, String> {
    let rss_kib = || server.and_then(|server| server.rss_kib().ok());
    let stage = Arc::new(Stage::taking_turns(play.sides()).map_err(|cause| cause.to_string())?);
    let before = rss_kib();
    let setup = tokio::time::timeout(SETUP, play.start(target, &stage)).await;
    let agents = setup.unwrap_or(Err(Fault::Stalled("the setup took its full time"))).unwrap_or_else(|fault| {
        stage.fail(&fault);
        JoinSet::new()
    });
    let marks = stage.window(agents, warmup, window, server).await;
    Ok(Report::new(&stage, marks, (before, rss_kib())))
}

#[cfg(test)]
mod tests;
