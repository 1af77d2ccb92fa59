//! `rogerrat listen`: reads pending messages once.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{ClientError, ReadOptions};

use super::{RequestArgs, render, reply_line, run_on};
use crate::outcome::{CommandError, NO_MESSAGE, print, report};
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat listen";

/// What to read.
#[derive(Args)]
#[command(after_help = "Exit code 0: messages were printed; 3: no message arrived in time. Reading acknowledges. To \
                        lose nothing if you are interrupted, use `rogerrat wait`, or --ack manual and `rogerrat ack`.")]
pub struct ListenArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Wait this long for a message, at most 290
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = number(1..=300))]
    wait: u32,
    /// Acknowledge when reading, or with `rogerrat ack`
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = ["auto", "manual"])]
    ack: String,
    /// Maximum number of messages
    #[arg(long, value_name = "COUNT", value_parser = number(1..=100))]
    max: Option<u32>,
    /// Maximum size of the hub's answer; messages that do not fit remain for the next read
    #[arg(long, value_name = "BYTES", value_parser = number(1000..=1_048_576))]
    max_bytes: Option<u32>,
    /// Read with the cursor of this name
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Read after this message instead of the cursor
    #[arg(long, value_name = "ID")]
    since: Option<u64>,
}

pub(crate) fn run(args: &ListenArgs) -> ExitCode {
    let target = args.request.resolve_member().and_then(|target| target.with_consumer(args.consumer.as_ref()));
    run_on(NAME, target, |target| listen(args, target))
}

async fn listen(args: &ListenArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let options = ReadOptions {
        timeout: Duration::from_secs(args.wait.into()),
        manual_ack: args.ack == "manual",
        max: args.max,
        max_bytes: args.max_bytes,
        attachments_by_reference: !args.request.json,
        since: args.since,
    };
    let reply = target.client().read(&options).await?;
    match args.request.json {
        true => print(&reply_line(&reply))?,
        false => print(&render::lines(&reply.messages))?,
    }
    if let Some(gap) = &reply.gap {
        report(NAME, &gap.to_string());
    }
    if reply.more > 0 {
        report(NAME, &format!("{} more are unread", reply.more));
    }
    let Some(last) = reply.messages.last() else {
        return match (reply.superseded, reply.draining) {
            (true, _) => Err(ClientError::Superseded.into()),
            (_, true) => Err(CommandError::Local("the hub is shutting down; try again in a few seconds".into())),
            _ => Ok(ExitCode::from(NO_MESSAGE)),
        };
    };
    if options.manual_ack && !args.request.json {
        let consumer = args.consumer.as_ref().map_or(String::new(), |name| format!(" --consumer {name}"));
        report(NAME, &format!("to acknowledge them: rogerrat ack {}{consumer}", last.id));
    }
    Ok(ExitCode::SUCCESS)
}
