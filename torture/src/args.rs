//! The flags of `rogerrat torture`. The bounds of all numbers are checked here and nowhere else.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use crate::hub_target::HubTarget;
use crate::setup::TortureLoad;
use crate::work::TortureWorkArgs;

/// Kill a hub repeatedly and verify that no acknowledged data is lost
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TortureArgs {
    #[command(subcommand)]
    pub(super) what: Option<TortureKind>,
    /// A hub that runs already, one of several on one database, and its process: URL, URL=PID, or URL=FILE with the process
    /// id, which a supervisor starts again. One after another is killed, stopped or frozen. Repeat for each hub
    #[arg(long = "hub", value_name = "URL[=PID]", conflicts_with = "data_dir")]
    pub(super) hubs: Vec<HubTarget>,
    /// Server token for creating channels, if the hubs of --hub require one
    #[arg(long, requires = "hubs", value_parser = token)]
    pub(super) token: Option<String>,
    /// Number of kills; 0 only checks the hub
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(0..=100_000))]
    pub(super) cycles: u32,
    /// Repeat the random choices of an earlier run, as far as timing allows [default: random]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Average time between two kills, in seconds; each is between 0 and twice that
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    pub(super) seconds: f64,
    /// Number of durable channels
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(0..=100))]
    pub(super) channels: u32,
    /// Number of additional memory channels
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(0..=100))]
    pub(super) memory_channels: u32,
    /// Members that send on each channel
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=50))]
    pub(super) writers: u32,
    /// Members that read on each channel; they alternate between five ways of reading
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=50))]
    pub(super) readers: u32,
    /// Empty directory for the hub's data and log, which is kept [default: a temporary directory that is removed]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// What else can be tested.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum TortureKind {
    Work(TortureWorkArgs),
}

impl TortureArgs {
    pub(super) fn load(&self) -> TortureLoad {
        let Self { channels: durable_channels, memory_channels, writers, readers, .. } = *self;
        TortureLoad { durable_channels, memory_channels, writers, readers }
    }
}

fn token(text: &str) -> Result<String, String> {
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("expected visible ASCII characters".into()),
    }
}

pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds from 0.1 to 3600".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        torture: TortureArgs,
    }

    fn parses(line: &str) -> bool {
        Cli::try_parse_from(["torture"].into_iter().chain(line.split(' '))).is_ok()
    }

    #[test]
    fn numbers_have_bounds() {
        assert!(parses("--cycles 200 --seed 7 --seconds 0.5 --channels 2 --memory-channels 0 --json"));
        assert!(parses("--cycles 0"));
        assert!(parses("--hub http://127.0.0.1:1=77 --hub http://127.0.0.1:2"));
        assert!(
            parses("--hub http://127.0.0.1:1 --token secret") && !parses("--token secret"),
            "the token of which hub?"
        );
        assert!(!parses("--hub http://127.0.0.1:1 --token a\r\nb"));
        assert!(!parses("--hub http://127.0.0.1:1=77 --data-dir x") && !parses("--hub 127.0.0.1:1"));
        assert!(!parses("--seconds 0"));
        assert!(!parses("--seconds NaN"));
        assert!(!parses("--writers 0"));
        assert!(!parses("--readers 0"));
    }
}
