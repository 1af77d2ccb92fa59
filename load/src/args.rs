//! The flags of `rogerrat load`. The bounds of all numbers are checked here and nowhere else.

mod run;

use clap::{Args, Subcommand, value_parser};
pub(super) use run::{Length, RunArgs};

use super::target::PollKind;

/// Put a hub under load, verify every message and measure it
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(subcommand)]
    pub(super) command: LoadCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum LoadCommand {
    /// Let pairs of agents reply to each other; measure the cost and the latency of a hop
    Pingpong(PingpongArgs),
    /// Send from one agent to many streams; measure how fast a message reaches all of them
    Broadcast(BroadcastArgs),
    /// Park polls or streams, then wake all of them; measure the cost of waiting
    #[command(alias = "idle")]
    Park(ParkArgs),
    /// Send from many agents to one reader on each channel; measure sends per second
    Sends(SendsArgs),
    /// Create and join channels; measure the rate and the memory of an idle channel
    Channels(ChannelsArgs),
    /// Let agents join, send and leave repeatedly
    Churn(ChurnArgs),
    /// Run `pingpong` through the MCP tools
    Mcp(McpArgs),
    /// Let pairs of agents ask and answer, or take and finish work
    Tasks(TasksArgs),
    /// Run a mix of all scenarios for hours, to detect growth, slowdown and loss
    Soak(SoakArgs),
    /// Serve the baseline: the same requests on bare actix-web, without a hub
    Baseline(BaselineArgs),
}

#[derive(Debug, Args)]
pub(super) struct PingpongArgs {
    /// Pairs of agents, each pair on its own channel
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
    /// Send broadcasts without readers, and verify the newest stored messages at the end
    #[arg(long)]
    pub(super) unheard: bool,
    /// Alternate between memory and durable channels
    #[arg(long, conflicts_with_all = ["durability", "baseline", "compare", "hubs"])]
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
    pub(super) unload: Length,
    /// Number of repetitions: the growth from the first to the last is the memory that unloaded channels leave
    #[arg(long, default_value_t = 1, requires = "unload", value_parser = value_parser!(u8).range(1..=100))]
    pub(super) waves: u8,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct ChurnArgs {
    /// Agents that join and leave concurrently, each with a partner on its own channel
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(super) guests: u32,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct TasksArgs {
    /// Pairs of agents, each pair on its own channel
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(super) pairs: u32,
    /// Take work, instead of asking: measure takes per second, each with a post and a result
    #[arg(long)]
    pub(super) takes: bool,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct McpArgs {
    /// Pairs of agents, each pair on its own channel
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
