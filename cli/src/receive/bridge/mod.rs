//! `rogerrat mcp`: an MCP server on standard input and output, for clients that start their servers themselves.
//!
//! It forwards tool calls to the hub's MCP endpoint, so that there is one set of tools, and pushes new messages of the
//! channel as `notifications/claude/channel`. It responds itself to requests that need no hub. It never decides what a
//! tool may do.

mod instructions;
mod jsonrpc;
mod membership;
mod notification;
mod notifier;
mod proxy;
mod pusher;
mod rival;
mod server;
mod stdio;

use std::process::ExitCode;

use clap::Args;
use rogerrat_domain::Priority;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::outcome::CommandError;
use crate::target::{IdentityArgs, ProfileRule, ResolvedTarget, TargetArgs};
use crate::words::word;
use membership::MembershipState;
use notifier::Notifier;
use server::BridgeServer;
use stdio::StdoutWriter;

pub(super) const NAME: &str = "rogerrat mcp";
/// The default cursor. It is not the session's own, so that pushed messages remain unread for the tools.
const CONSUMER: &str = "bridge";

/// Which hub, and as which member.
#[derive(Args)]
#[command(after_help = "Speaks MCP on standard input and output until its input ends. Without --channel, the tools \
                        create_channel and join choose the channel, and messages of the channels that were \
                        joined are pushed.")]
pub struct McpBridgeArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Push with the cursor of this name [default: bridge]
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Do not push less urgent messages; the tools still return them
    #[arg(long, value_name = "PRIORITY", value_parser = word::<Priority>(Priority::NAMES))]
    min_priority: Option<Priority>,
}

impl McpBridgeArgs {
    pub(super) fn resolve(&self) -> Result<ResolvedTarget, String> {
        let target = self.target.resolve(&self.identity, ProfileRule::OnlyIfNamed)?;
        target.with_consumer(self.consumer.as_ref())
    }
}

/// The tools and protocol versions of the hub's MCP endpoint.
#[derive(Debug)]
pub struct McpSurface {
    /// Tools of the hub's endpoint.
    pub tools: Vec<Value>,
    /// Tools of a channel's own endpoint.
    pub tools_of_a_channel: Vec<Value>,
    /// Protocol versions with an `initialize` handshake, newest first.
    pub legacy: Vec<&'static str>,
    /// Protocol versions without a handshake, newest first.
    pub modern: Vec<&'static str>,
}

/// Runs until the input ends, the output is closed, or a signal arrives.
pub(super) async fn run(
    args: &McpBridgeArgs,
    mut target: ResolvedTarget,
    surface: McpSurface,
) -> Result<ExitCode, CommandError> {
    target.target.consumer.get_or_insert_with(|| CONSUMER.to_owned());
    let failed = |error: std::io::Error| CommandError::Local(error.to_string());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?);
    let mut input = stdio::input().map_err(failed)?;
    let output = StdoutWriter::stdout().map_err(failed)?;
    let state = MembershipState::new(&target.target);
    let min_priority = args.min_priority.unwrap_or(Priority::Min);
    let notifier = Notifier::new(target.clone(), min_priority, state.clone(), output.clone());
    let mut server = BridgeServer::new(target.target, surface, state, output.clone());
    let serve = async {
        while let Some(line) = input.recv().await {
            server.handle_line(&line).await;
        }
        server.finish().await;
    };
    tokio::select! {
        () = serve => {}
        () = notifier.run() => {}
        () = output.closed() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(ExitCode::SUCCESS)
}
