//! What all scenarios have in common: against whom, how hard, how long, and where the figures go.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, value_parser};

use crate::message::NUMBER_BYTES;
use crate::target::Durability;

#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// The hub, http:// only
    #[arg(long, required_unless_present_any = ["own_hub", "baseline"])]
    pub(crate) url: Option<String>,
    /// Start a hub of this executable with data of its own, and end it after the run
    #[arg(long = "self", conflicts_with_all = ["url", "pid", "token"])]
    pub(crate) own_hub: bool,
    /// One more flag for the hub of --self, such as --hub-flag=--rate-limit=10; may be repeated
    #[arg(long, value_name = "FLAG", requires = "own_hub", allow_hyphen_values = true)]
    pub(crate) hub_flag: Vec<String>,
    /// Token for creating channels, where the hub wants one
    #[arg(long, requires = "url")]
    pub(crate) token: Option<String>,
    /// The hub's process, to read its CPU time and memory
    #[arg(long, requires = "url")]
    pub(crate) pid: Option<u32>,
    /// A second hub: both take turns in one run, and ratios are printed
    #[arg(long, value_name = "URL2", conflicts_with = "baseline")]
    pub(crate) compare: Option<String>,
    /// The second hub's process
    #[arg(long, requires = "compare")]
    pub(crate) pid2: Option<u32>,
    /// Take turns with a bare server that does the same requests and keeps no promise, and print ratios
    #[arg(long)]
    pub(crate) baseline: bool,
    /// Worker threads of the baseline, and of the hub of --self
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// Processors to hold the baseline on, as `taskset -c` takes them; hub and baseline compare only on equal ones
    #[arg(long, requires = "baseline")]
    pub(crate) baseline_cpus: Option<String>,
    /// Where the channels keep their messages [default: what the hub chooses]
    #[arg(long, value_enum)]
    pub(crate) durability: Option<Durability>,
    /// Measure for two seconds before the run how often a second a file in this folder can be synced
    #[arg(long, value_name = "FOLDER")]
    pub(crate) fsync_dir: Option<PathBuf>,
    /// Bytes of each message's text
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(NUMBER_BYTES as i64..=8192))]
    pub(crate) payload: u32,
    /// Messages per second over all agents, at intended times (open loop); without it, as fast as replies arrive
    #[arg(long, value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Length of the measured window: seconds, or 90s, 5m, 2h
    #[arg(long, visible_alias = "duration", default_value = "10")]
    pub(crate) seconds: Length,
    /// Load before the window, not measured
    #[arg(long, default_value = "2")]
    pub(crate) warmup: Length,
    /// How long one side has its turn when two are compared
    #[arg(long, default_value = "1")]
    pub(crate) slice: Length,
    /// Speak HTTP/2 in the clear, with prior knowledge
    #[arg(long)]
    pub(crate) h2c: bool,
    /// HTTP/2 connections that all agents share; over HTTP/1.1 each agent has its own
    #[arg(long, default_value_t = 8, requires = "h2c", value_parser = value_parser!(u32).range(1..=20_000))]
    pub(crate) connections: u32,
    /// Connect from this number of loopback addresses (127.0.0.1, 127.0.0.2, …) [default: one for 20,000 connections]
    #[arg(long, value_parser = value_parser!(u8).range(1..=254))]
    pub(crate) sources: Option<u8>,
    /// Write one JSON object with all figures to a file, or to standard output instead of the table
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(crate) json: Option<PathBuf>,
    /// Write one page of HTML with plots, for eyes; it needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Say nothing while it runs
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// A length of time, a week at most.
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
            None => Err("a time such as 10, 90s, 5m or 2h, a week at most".into()),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=10_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("a number a second, from 0.001 to 10000000".into()),
    }
}
