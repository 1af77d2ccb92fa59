//! `rogerrat history`: prints the newest messages and marks none as read.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::HistoryOptions;

use super::{RequestArgs, render, run_on};
use crate::outcome::{CommandError, report};
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat history";

/// Which messages.
#[derive(Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Number of messages, at most 100
    #[arg(short, value_name = "COUNT", default_value = "20", value_parser = number(1..=100))]
    n: u32,
    /// Only messages of this thread
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
    /// Maximum size of the hub's answer: the newest messages that fit
    #[arg(long, value_name = "BYTES", value_parser = number(1000..=1_048_576))]
    max_bytes: Option<u32>,
}

pub(crate) fn run(args: &HistoryArgs) -> ExitCode {
    run_on(NAME, args.request.resolve(), |target| history(args, target))
}

async fn history(args: &HistoryArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let options = HistoryOptions {
        count: args.n,
        thread: args.thread.as_deref(),
        max_bytes: args.max_bytes,
        attachments_by_reference: !args.request.json,
    };
    let reply = target.client().history_with(&options).await?;
    args.request.print(&reply, |reply| render::lines(&reply.history))?;
    if reply.more > 0 {
        report(NAME, &format!("{} older ones did not fit", reply.more));
    }
    Ok(ExitCode::SUCCESS)
}
