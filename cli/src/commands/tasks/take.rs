//! `rogerrat take`: takes work.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{TakeOptions, TakeResult};

use super::{RequestArgs, line, render, run_on};
use crate::outcome::{CommandError, NO_MESSAGE};
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat take";

/// What to take.
#[derive(Args)]
#[command(
    after_help = "Exit code 0: a task was taken; 3: there was none in time. No other member gets it until the lease \
                        ends. Finish it with `rogerrat finish ID done --fence N`, or give it back with `open`."
)]
pub struct TakeArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// The task; without it, the next one
    id: Option<u64>,
    /// Renew the lease of a task that was taken with this fence
    #[arg(long, value_name = "NUMBER", requires = "id", value_parser = number(1..=u32::MAX))]
    fence: Option<u32>,
    /// Length of the lease, 10 to 3,600
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = number(10..=3600))]
    lease: u32,
    /// Wait this long for work, at most 300
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = number(0..=300))]
    wait: u32,
    /// Only work of this thread
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
}

pub(crate) fn run(args: &TakeArgs) -> ExitCode {
    run_on(NAME, args.request.resolve_member(), |target| take(args, target))
}

async fn take(args: &TakeArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let options = TakeOptions {
        id: args.id,
        fence: args.fence,
        lease: Some(Duration::from_secs(args.lease.into())),
        wait: Duration::from_secs(if args.id.is_some() { 0 } else { args.wait.into() }),
        thread: args.thread.as_deref(),
    };
    let reply = target.client().take(&options).await?;
    args.request.print(&reply, lines)?;
    Ok(if reply.task.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NO_MESSAGE) })
}

fn lines(taken: &TakeResult) -> String {
    let task = taken.task.as_ref().map(line).unwrap_or_default();
    let message = taken.message.as_ref().map(|message| render::lines(std::slice::from_ref(message)));
    message.unwrap_or_default() + &task
}
