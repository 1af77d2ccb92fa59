//! The flags of `rogerrat torture work`. The bounds of all numbers are checked here and nowhere else.

use std::path::PathBuf;

use clap::{Args, value_parser};

use crate::args::seconds;

/// Kill workers, their connections and the hub, and verify that each task is finished exactly once
#[derive(Clone, Debug, Args)]
pub struct TortureWorkArgs {
    /// Number of rounds; in each the hub or workers are killed
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(0..=100_000))]
    pub(super) rounds: u32,
    /// Repeat the random choices of an earlier run, as far as timing allows [default: random]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Average length of a round, in seconds; each is between 0 and twice that
    #[arg(long, default_value_t = 0.5, value_parser = seconds)]
    pub(super) seconds: f64,
    /// Members that take work
    #[arg(long, default_value_t = 6, value_parser = value_parser!(u32).range(1..=50))]
    pub(super) workers: u32,
    /// Tasks that are open at the same time
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..=50))]
    pub(super) tasks: u32,
    /// Empty directory for the hub's data and log, which is kept [default: a temporary directory that is removed]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
