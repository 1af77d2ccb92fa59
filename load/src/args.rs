//! The flags of `rogerrat load`. Every number has its bounds here, so that nothing below checks them again.

mod run;

use clap::{Args, Subcommand, value_parser};
pub(super) use run::{Length, RunArgs};

use super::target::PollKind;

/// Puts load on a running hub and says what it cost.
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(subcommand)]
    pub(super) command: LoadCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum LoadCommand {
    /// Pairs of agents that answer each other: the price and the latency of a hop
    Pingpong(PingpongArgs),
    /// One speaker and many streams: how fast one message reaches everybody
    Broadcast(BroadcastArgs),
    /// Parked polls or streams that cost nothing while they wait, then a wake of all
    #[command(alias = "idle")]
    Park(ParkArgs),
    /// Many senders to one listener on each channel, as fast as the sends are answered
    Sends(SendsArgs),
    /// Channels created and joined: how fast, and what an idle one costs
    Channels(ChannelsArgs),
    /// Agents that join, talk and leave, again and again
    Churn(ChurnArgs),
    /// The conversation of `pingpong` through the tools of MCP
    Mcp(McpArgs),
    /// A mix of all for hours: does anything grow, slow down or get lost?
    Soak(SoakArgs),
    /// Serve the baseline: the same requests on bare actix-web, without a hub behind them
    Baseline(BaselineArgs),
}

#[derive(Debug, Args)]
pub(super) struct PingpongArgs {
    /// Pairs of agents, each pair on a channel of its own
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=100_000))]
    pub(super) pairs: u32,
    /// More channels with two members each that stay alive and say nothing
    #[arg(long, default_value_t = 0, value_parser = value_parser!(u32).range(0..=1_000_000))]
    pub(super) bystanders: u32,
    /// The long poll to park
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
    /// Channels, each with a speaker of its own
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(super) channels: u32,
    /// Messages said and not yet heard by all, without --rate; a stream queues 256
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
    /// Channels, each with one listener
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(super) channels: u32,
    /// Senders on each channel
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(1..=64))]
    pub(super) senders: u32,
    /// Nobody listens: broadcasts into a ring that forgets; what arrives is read at the end, from the newest backwards
    #[arg(long)]
    pub(super) unheard: bool,
    /// Take turns with channels in memory and on disk
    #[arg(long, conflicts_with_all = ["durability", "baseline", "compare"])]
    pub(super) compare_durability: bool,
    /// The long poll to park
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
    /// Creators at work at once
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(super) creators: u32,
    /// How long to watch the memory after the last channel, until the hub has unloaded unused ones
    #[arg(long, value_name = "TIME", default_value = "0")]
    pub(super) retire: Length,
    /// Repeat this number of times: the growth from the end of the first to the end of the last is what unloaded channels leave
    #[arg(long, default_value_t = 1, requires = "retire", value_parser = value_parser!(u8).range(1..=100))]
    pub(super) waves: u8,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct ChurnArgs {
    /// Guests that come and go at once, each to a host on a channel of its own
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
    /// How many of each: pairs, senders' channels, guests; and ten times as many streams
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(super) scale: u32,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
    /// Worker threads
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    pub(super) workers: u16,
    /// End when standard input ends: a baseline that was started for a run goes with it
    #[arg(long, hide = true)]
    pub(super) until_stdin_ends: bool,
}

#[cfg(test)]
mod tests;
