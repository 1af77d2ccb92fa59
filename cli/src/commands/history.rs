//! `rogerrat history`: prints the newest messages and marks none as read.

use std::process::ExitCode;

use clap::Args;

use super::{RequestArgs, render, run_on};
use crate::outcome::CommandError;
use crate::target::ResolvedTarget;

const NAME: &str = "rogerrat history";

/// Which messages.
#[derive(Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Number of messages, at most 100
    #[arg(short, value_name = "COUNT", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=100))]
    n: u32,
    /// Only messages of this thread
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
}

pub(crate) fn run(args: &HistoryArgs) -> ExitCode {
    run_on(NAME, args.request.resolve(), |target| history(args, target))
}

async fn history(args: &HistoryArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let reply = target.client().history(args.n, args.thread.as_deref()).await?;
    args.request.print(&reply, |reply| render::lines(&reply.history))?;
    Ok(ExitCode::SUCCESS)
}
