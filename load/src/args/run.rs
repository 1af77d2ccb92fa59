//! The flags that all scenarios share: the servers, the intensity and the length of the load, and the output.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, value_parser};

use crate::message::TAG_BYTES;
use crate::target::Durability;

#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// URL of the hub, http:// only
    #[arg(long, required_unless_present_any = ["spawn_hub", "baseline"])]
    pub(crate) url: Option<String>,
    /// Another hub on the same database, for `pingpong`, `broadcast`, `sends` and `tasks`; repeat for more. Channels and
    /// their agents are spread over all hubs, so that many agents use a hub that does not own their channel
    #[arg(long = "hub", value_name = "URL", requires = "url", conflicts_with_all = ["spawn_hub", "compare", "baseline", "h2c"])]
    pub(crate) hubs: Vec<String>,
    /// Start a hub with temporary data for this run
    #[arg(long = "self", conflicts_with_all = ["url", "pid", "token"])]
    pub(crate) spawn_hub: bool,
    /// Pass a flag to the hub of --self, such as --hub-flag=--rate-limit=10; may be repeated
    #[arg(long, value_name = "FLAG", requires = "spawn_hub", allow_hyphen_values = true)]
    pub(crate) hub_flag: Vec<String>,
    /// Server token for creating channels, if the hub requires one
    #[arg(long, requires = "url")]
    pub(crate) token: Option<String>,
    /// Process id of the hub, to measure its CPU time and memory
    #[arg(long, requires = "url")]
    pub(crate) pid: Option<u32>,
    /// URL of a second hub: alternate between both in one run and print ratios
    #[arg(long, value_name = "URL2", conflicts_with = "baseline")]
    pub(crate) compare: Option<String>,
    /// Process id of the second hub
    #[arg(long, requires = "compare")]
    pub(crate) pid2: Option<u32>,
    /// Alternate with a bare server that answers the same requests without guarantees, and print ratios
    #[arg(long)]
    pub(crate) baseline: bool,
    /// Worker threads of the baseline, and of the hub of --self
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// CPUs for the baseline, in the format of `taskset -c`; hub and baseline are comparable only on the same CPUs
    #[arg(long, requires = "baseline")]
    pub(crate) baseline_cpus: Option<String>,
    /// Where the channels store messages [default: the hub's default]
    #[arg(long, value_enum)]
    pub(crate) durability: Option<Durability>,
    /// Before the run, measure for two seconds how many syncs per second this directory allows
    #[arg(long, value_name = "DIR")]
    pub(crate) fsync_dir: Option<PathBuf>,
    /// Size of each message text in bytes
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(TAG_BYTES as i64..=8192))]
    pub(crate) payload: u32,
    /// Total operations per second, at fixed times (open loop); by default, as fast as replies arrive (closed loop)
    #[arg(long, value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Length of the measured window: seconds, or 90s, 5m, 2h
    #[arg(long, visible_alias = "duration", default_value = "10")]
    pub(crate) seconds: Length,
    /// Length of the load before the window, which is not measured
    #[arg(long, default_value = "2")]
    pub(crate) warmup: Length,
    /// Length of one turn when two servers are compared
    #[arg(long, default_value = "1")]
    pub(crate) slice: Length,
    /// Use HTTP/2 without TLS, with prior knowledge
    #[arg(long)]
    pub(crate) h2c: bool,
    /// Number of HTTP/2 connections that all agents share; over HTTP/1.1 each agent has its own
    #[arg(long, default_value_t = 8, requires = "h2c", value_parser = value_parser!(u32).range(1..=20_000))]
    pub(crate) connections: u32,
    /// Connect from this number of loopback addresses (127.0.0.1, 127.0.0.2, …) [default: one for 20,000 connections]
    #[arg(long, value_parser = value_parser!(u8).range(1..=254))]
    pub(crate) sources: Option<u8>,
    /// Write all results as one JSON object to a file, or to standard output instead of the table
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(crate) json: Option<PathBuf>,
    /// Write a self-contained HTML page with plots
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Do not print progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// A duration of at most a week.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length(pub(crate) Duration);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WEEK_S: f64 = 7.0 * 86_400.0;
        let (number, unit_s) = match text.as_bytes().last() {
            Some(b'h') => (&text[..text.len() - 1], 3600.0),
            Some(b'm') => (&text[..text.len() - 1], 60.0),
            Some(b's') => (&text[..text.len() - 1], 1.0),
            _ => (text, 1.0),
        };
        let seconds = number.parse::<f64>().ok().map(|number| number * unit_s);
        match seconds.filter(|seconds| (0.0..=WEEK_S).contains(seconds)) {
            Some(seconds) => Ok(Self(Duration::from_secs_f64(seconds))),
            None => Err("expected a time such as 10, 90s, 5m or 2h, of at most a week".into()),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=10_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("expected a number per second, from 0.001 to 10000000".into()),
    }
}
