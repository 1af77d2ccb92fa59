//! What all scenarios have in common: against whom, how hard, how long, and where the figures go.

use crate::cli::load::message::NUMBER_BYTES;
use crate::cli::load::target::Durability;
use clap::{Args, value_parser};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[derive(Debug, Clone, Args)]
pub(in crate::cli::load) struct RunArgs {
    /// The hub, http:// only
    #[arg(long, required_unless_present_any = ["own_hub", "floor"])]
    pub(in crate::cli::load) url: Option<String>,
    /// Start a hub of this executable with data of its own, and end it after the run
    #[arg(long = "self", conflicts_with_all = ["url", "pid", "token"])]
    pub(in crate::cli::load) own_hub: bool,
    /// One more flag for the hub of --self, such as --hub-flag=--rate-limit=10; may be repeated
    #[arg(long, value_name = "FLAG", requires = "own_hub", allow_hyphen_values = true)]
    pub(in crate::cli::load) hub_flag: Vec<String>,
    /// Token for creating channels, where the hub wants one
    #[arg(long, requires = "url")]
    pub(in crate::cli::load) token: Option<String>,
    /// The hub's process, to read its CPU time and memory
    #[arg(long, requires = "url")]
    pub(in crate::cli::load) pid: Option<u32>,
    /// A second hub: both take turns in one run, and ratios are printed
    #[arg(long, value_name = "URL2", conflicts_with = "floor")]
    pub(in crate::cli::load) compare: Option<String>,
    /// The second hub's process
    #[arg(long, requires = "compare")]
    pub(in crate::cli::load) pid2: Option<u32>,
    /// Take turns with a bare server that does the same requests and keeps no promise, and print ratios
    #[arg(long)]
    pub(in crate::cli::load) floor: bool,
    /// Worker threads of the floor, and of the hub of --self
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    pub(in crate::cli::load) workers: u16,
    /// Processors to hold the floor on, as `taskset -c` takes them; hub and floor compare only on equal ones
    #[arg(long, requires = "floor")]
    pub(in crate::cli::load) floor_cpus: Option<String>,
    /// Where the channels keep their messages [default: what the hub chooses]
    #[arg(long, value_enum)]
    pub(in crate::cli::load) durability: Option<Durability>,
    /// Measure for two seconds before the run how often a second a file in this folder can be synced
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli::load) fsync_dir: Option<PathBuf>,
    /// Bytes of each message's text
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(NUMBER_BYTES as i64..=8192))]
    pub(in crate::cli::load) payload: u32,
    /// So many a second over all agents, at intended times (open loop); without it, as fast as answers come
    #[arg(long, value_parser = rate)]
    pub(in crate::cli::load) rate: Option<f64>,
    /// Length of the measured window: seconds, or 90s, 5m, 2h
    #[arg(long, visible_alias = "duration", default_value = "10")]
    pub(in crate::cli::load) seconds: Length,
    /// Load before the window, not measured
    #[arg(long, default_value = "2")]
    pub(in crate::cli::load) warmup: Length,
    /// How long one side has its turn when two are compared
    #[arg(long, default_value = "1")]
    pub(in crate::cli::load) slice: Length,
    /// Speak HTTP/2 in the clear, with prior knowledge
    #[arg(long)]
    pub(in crate::cli::load) h2c: bool,
    /// HTTP/2 connections that all agents share; over HTTP/1.1 each agent has its own
    #[arg(long, default_value_t = 8, requires = "h2c", value_parser = value_parser!(u32).range(1..=20_000))]
    pub(in crate::cli::load) connections: u32,
    /// Connect from so many loopback addresses (127.0.0.1, 127.0.0.2, …) [default: one for 20,000 connections]
    #[arg(long, value_parser = value_parser!(u8).range(1..=254))]
    pub(in crate::cli::load) sources: Option<u8>,
    /// Write one JSON object with all figures to a file, or to standard output instead of the table
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(in crate::cli::load) json: Option<PathBuf>,
    /// Write one page of HTML with plots, for eyes; it needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli::load) report: Option<PathBuf>,
    /// Say nothing while it runs
    #[arg(long, short)]
    pub(in crate::cli::load) quiet: bool,
}

/// A length of time, a week at most.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::load) struct Length(pub(in crate::cli::load) Duration);

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
