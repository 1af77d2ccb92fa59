//! `rogerrat mcp`: an MCP server on standard input and output, for clients that start their servers themselves.
//!
//! It forwards tools to the hub's own MCP endpoint, so that there is one set of them, and pushes what comes on the channel
//! as `notifications/claude/channel`. What needs no hub it answers by itself. It never decides what a tool may do.

mod desk;
mod envelope;
mod forward;
mod lines;
mod notice;
mod push;
mod seat;
mod words;

use std::process::ExitCode;

use clap::Args;
use desk::Desk;
use lines::Out;
use push::Follower;
use rogerrat_client::ClientError;
use seat::Seats;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use super::line::Priority;
use crate::target::{IdentityArgs, ResolvedTarget, TargetArgs};

pub(super) const NAME: &str = "rogerrat mcp";
/// Its cursor on the channel, unless `--consumer` names another: what it pushes stays unread for the tools.
const CONSUMER: &str = "bridge";

/// Which hub, and as whom.
#[derive(Args)]
#[command(after_help = "Speaks MCP on standard input and output until its input ends. Without --channel the tools \
                        create_channel and join say where; what is joined by the tool join is followed from then on.")]
pub struct McpArgs {
    #[command(flatten)]
    place: TargetArgs,
    #[command(flatten)]
    seat: IdentityArgs,
    /// Push with a cursor of this name [default: bridge]
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Push no message that is less urgent; the tools still return it
    #[arg(long, value_name = "PRIORITY", value_enum)]
    min_priority: Option<Priority>,
}

impl McpArgs {
    pub(super) fn place(&self) -> Result<ResolvedTarget, String> {
        self.place.read_somewhere(&self.seat)?.with_consumer(self.consumer.as_ref())
    }
}

/// What the hub's MCP door says of itself, handed in from outside: the one list of tools there is.
pub struct McpSurface {
    /// On the hub's endpoint.
    pub tools: Vec<Value>,
    /// On a channel's own endpoint.
    pub tools_of_a_channel: Vec<Value>,
    /// Versions that begin with `initialize`, the newest first.
    pub legacy: Vec<&'static str>,
    /// Versions whose messages stand alone, the newest first.
    pub modern: Vec<&'static str>,
}

/// Until its input ends, or nobody reads its output any more.
pub(super) async fn run(args: &McpArgs, mut place: ResolvedTarget, face: McpSurface) -> Result<ExitCode, ClientError> {
    place.target.consumer.get_or_insert_with(|| CONSUMER.to_owned());
    let failed = |error: std::io::Error| ClientError::Refused(error.to_string());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?);
    let mut input = lines::input().map_err(failed)?;
    let out = Out::stdout().map_err(failed)?;
    let seats = Seats::new(&place.target);
    let follower = Follower::new(place.clone(), args.min_priority.unwrap_or(Priority::Min), seats.clone(), out.clone());
    let mut desk = Desk::new(place.target, face, seats, out.clone());
    let talk = async {
        while let Some(line) = input.recv().await {
            desk.hear(&line).await;
        }
        desk.finish().await;
    };
    tokio::select! {
        () = talk => {}
        () = follower.follow() => {}
        () = out.closed() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(ExitCode::SUCCESS)
}
