//! `rogerrat ack`: acknowledges messages.

use std::process::ExitCode;

use clap::Args;

use super::{RequestArgs, run_on};
use crate::outcome::CommandError;
use crate::target::ResolvedTarget;

const NAME: &str = "rogerrat ack";

/// What to acknowledge.
#[derive(Args)]
pub struct AckArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Id of the last message to acknowledge; all before it are acknowledged too
    upto: u64,
    /// Acknowledge for the cursor of this name
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
}

pub(crate) fn run(args: &AckArgs) -> ExitCode {
    let target = args.request.resolve_member().and_then(|target| target.with_consumer(args.consumer.as_ref()));
    run_on(NAME, target, |target| ack(args, target))
}

async fn ack(args: &AckArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let reply = target.client().ack(args.upto).await?;
    args.request.print(&reply, |reply| format!("acknowledged {}\n", reply.acked))?;
    Ok(ExitCode::SUCCESS)
}
