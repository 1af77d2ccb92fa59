//! The flags of `rogerrat load`. Every number has its bounds here, so that nothing below checks them again.

use super::message::NUMBER_BYTES;
use super::target::{Durability, PollKind};
use clap::{Args, Subcommand, value_parser};
use std::path::PathBuf;
use std::time::Duration;

/// Puts load on a running hub and says what it cost.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    #[command(subcommand)]
    pub(super) command: LoadCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum LoadCommand {
    /// Pairs of agents that answer each other: the price and the latency of a hop
    Pingpong(PingpongArgs),
    /// Many senders to one listener on each channel, as fast as the sends are answered
    Sends(SendsArgs),
    /// Parked polls that nobody wakes: what waiting costs
    Idle(IdleArgs),
    /// Serve the floor: the same requests on bare actix-web, without a hub behind them
    Floor(FloorArgs),
}

#[derive(Debug, Args)]
pub(super) struct PingpongArgs {
    /// Pairs of agents, each pair on a channel of its own
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=5000))]
    pub(super) pairs: u32,
    /// The long poll to park
    #[arg(long, value_enum, default_value_t = PollKind::Listen)]
    pub(super) listen: PollKind,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct SendsArgs {
    /// Channels, each with one listener
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u32).range(1..=1000))]
    pub(super) channels: u32,
    /// Senders on each channel
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(1..=64))]
    pub(super) senders: u32,
    /// Take turns, half a second each, with channels in memory and on disk, over the same connections
    #[arg(long, requires = "url", conflicts_with_all = ["durability", "floor"])]
    pub(super) compare_durability: bool,
    /// The long poll to park
    #[arg(long, value_enum, default_value_t = PollKind::Wait)]
    pub(super) listen: PollKind,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// What the two busy loads have in common.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The hub, http:// only
    #[arg(long, required_unless_present = "floor")]
    pub(super) url: Option<String>,
    /// Token for creating channels, where the hub wants one
    #[arg(long, requires = "url")]
    pub(super) token: Option<String>,
    /// The hub's process, to read its CPU time and memory
    #[arg(long, requires = "url")]
    pub(super) pid: Option<u32>,
    /// Where the channels keep their messages [default: what the hub chooses]
    #[arg(long, value_enum, requires = "url")]
    pub(super) durability: Option<Durability>,
    /// Measure for two seconds before the run how often a second a file in this folder can be synced
    #[arg(long, value_name = "FOLDER")]
    pub(super) fsync_dir: Option<PathBuf>,
    /// Bytes of each message's text
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(NUMBER_BYTES as i64..=8192))]
    pub(super) payload: u32,
    /// Length of the measured window
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub(super) seconds: f64,
    /// Load before the window, not measured
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    pub(super) warmup: f64,
    /// Measure the floor in the same way, after the hub or alone, and compare
    #[arg(long)]
    pub(super) floor: bool,
    /// Worker threads of the floor
    #[arg(long, default_value_t = 1, requires = "floor", value_parser = value_parser!(u16).range(1..=256))]
    pub(super) floor_workers: u16,
    /// Processors to hold the floor on, as `taskset -c` takes them; hub and floor compare only on equal ones
    #[arg(long, requires = "floor")]
    pub(super) floor_cpus: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct IdleArgs {
    /// The hub, http:// only
    #[arg(long)]
    pub(super) url: String,
    /// Token for creating channels, where the hub wants one
    #[arg(long)]
    pub(super) token: Option<String>,
    /// The hub's process, to read its CPU time and memory
    #[arg(long)]
    pub(super) pid: Option<u32>,
    /// Agents with one parked poll each
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(super) polls: u32,
    /// Agents on each channel
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(super) per_channel: u32,
    /// Length of the measured window; a poll waits 300 seconds at most
    #[arg(long, default_value_t = 60, value_parser = value_parser!(u32).range(1..=240))]
    pub(super) seconds: u32,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct FloorArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
    /// Worker threads
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    pub(super) workers: u16,
    /// End when standard input ends: a floor that was started for a run goes with it
    #[arg(long, hide = true)]
    pub(super) until_stdin_ends: bool,
}

impl RunArgs {
    pub(super) fn window(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub(super) fn warmup(&self) -> Duration {
        Duration::from_secs_f64(self.warmup)
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    const HOUR_S: f64 = 3600.0;
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=HOUR_S).contains(&seconds) => Ok(seconds),
        _ => Err(format!("seconds between 0 and {HOUR_S}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Alone {
        #[command(flatten)]
        load: LoadArgs,
    }

    fn parses(line: &str) -> bool {
        Alone::try_parse_from(["load"].into_iter().chain(line.split(' '))).is_ok()
    }

    #[test]
    fn a_run_needs_a_hub_or_the_floor() {
        assert!(parses("pingpong --url http://127.0.0.1:1 --pid 7 --listen wait --seconds 0.5"));
        assert!(parses("pingpong --floor --floor-workers 2"));
        assert!(parses("sends --url http://127.0.0.1:1 --floor --json"));
        assert!(!parses("pingpong"));
        assert!(!parses("sends --floor --pid 7"), "whose process?");
        assert!(!parses("idle --polls 10"));
        assert!(parses("pingpong --url http://127.0.0.1:1 --durability disk --fsync-dir /tmp"));
        assert!(parses("sends --url http://127.0.0.1:1 --compare-durability"));
        assert!(!parses("sends --url http://127.0.0.1:1 --compare-durability --durability disk"), "both are compared");
        assert!(!parses("sends --url http://127.0.0.1:1 --compare-durability --floor"), "the floor keeps nothing");
    }

    #[test]
    fn numbers_have_bounds() {
        assert!(!parses("pingpong --floor --payload 10"), "no room for the number");
        assert!(!parses("pingpong --floor --seconds -1"));
        assert!(!parses("pingpong --floor --seconds NaN"));
        assert!(!parses("idle --url http://127.0.0.1:1 --seconds 300"));
    }
}
