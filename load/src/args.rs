//! The flags of `rogerrat load`. Every number has its bounds here, so that nothing below checks them again.

mod run;

use clap::{Args, Subcommand, value_parser};
pub(super) use run::{Length, RunArgs};

use super::target::PollKind;

/// Puts a hub under load and measures it.
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(subcommand)]
    pub(super) command: LoadCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum LoadCommand {
    /// Pairs of agents that reply to each other: cost and latency of a hop
    Pingpong(PingpongArgs),
    /// One sender and many streams: how fast a message reaches all members
    Broadcast(BroadcastArgs),
    /// Parked polls or streams: their cost while they wait, then a message that wakes all
    #[command(alias = "idle")]
    Park(ParkArgs),
    /// Many senders and one reader on each channel: how many sends per second
    Sends(SendsArgs),
    /// Channels created and joined: how fast, and the memory of an idle one
    Channels(ChannelsArgs),
    /// Agents that repeatedly join, send and leave
    Churn(ChurnArgs),
    /// The same as `pingpong`, through the MCP tools
    Mcp(McpArgs),
    /// A mix of all scenarios for hours: detects growth, slowdown and loss
    Soak(SoakArgs),
    /// Serve the baseline: the same requests on bare actix-web, without a hub
    Baseline(BaselineArgs),
}

#[derive(Debug, Args)]
pub(super) struct PingpongArgs {
    /// Pairs of agents, each pair on a channel of its own
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=100_000))]
    pub(super) pairs: u32,
    /// Additional channels with two members each that are online and idle
    #[arg(long, default_value_t = 0, value_parser = value_parser!(u32).range(0..=1_000_000))]
    pub(super) bystanders: u32,
    /// The route that readers poll
    #[arg(long, value_enum, default_value_t = PollKind::Listen)]
    pub(super) listen: PollKind,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct BroadcastArgs {
    /// Streams on each channel
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=9_999))]
    pub(super) listeners: u32,
    /// Channels, each with one sender
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(super) channels: u32,
    /// Without --rate: messages sent and not yet received by all; a stream queues 256
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u32).range(1..=64))]
    pub(super) under_way: u32,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct ParkArgs {
    /// Agents with one parked poll or stream each
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(super) polls: u32,
    /// Agents on each channel
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=9_999))]
    pub(super) per_channel: u32,
    /// Open streams instead of parking polls
    #[arg(long)]
    pub(super) streams: bool,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct SendsArgs {
    /// Channels, each with one reader
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(super) channels: u32,
    /// Senders on each channel
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(1..=64))]
    pub(super) senders: u32,
    /// Without readers: broadcasts that the ring evicts; the newest messages are read at the end
    #[arg(long)]
    pub(super) unheard: bool,
    /// Alternate between memory and durable channels
    #[arg(long, conflicts_with_all = ["durability", "baseline", "compare"])]
    pub(super) compare_durability: bool,
    /// The route that readers poll
    #[arg(long, value_enum, default_value_t = PollKind::Wait)]
    pub(super) listen: PollKind,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct ChannelsArgs {
    /// Channels to create; the run ends with the last one
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(10..=10_000_000))]
    pub(super) channels: u32,
    /// Members that join each channel
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(0..=100))]
    pub(super) members: u32,
    /// Channels created concurrently
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(super) creators: u32,
    /// How long to measure memory after the last channel, while the hub unloads unused ones
    #[arg(long, value_name = "TIME", default_value = "0")]
    pub(super) retire: Length,
    /// Number of repetitions: the growth from the first to the last is the memory that unloaded channels leave
    #[arg(long, default_value_t = 1, requires = "retire", value_parser = value_parser!(u8).range(1..=100))]
    pub(super) waves: u8,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct ChurnArgs {
    /// Agents that join and leave concurrently, each with a partner on a channel of its own
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(super) guests: u32,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct McpArgs {
    /// Pairs of agents, each pair on a channel of its own
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(super) pairs: u32,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct SoakArgs {
    /// Number of pairs, of channels with senders and of joining agents; and ten times as many streams
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(super) scale: u32,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
    /// Worker threads
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    pub(super) workers: u16,
    /// Exit when standard input ends, so that the baseline of a run ends with the run
    #[arg(long, hide = true)]
    pub(super) until_stdin_ends: bool,
}

#[cfg(test)]
mod tests;
