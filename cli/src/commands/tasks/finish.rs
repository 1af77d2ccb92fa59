//! `rogerrat finish`: reports what became of a task.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_client::OutgoingMessage;
use serde_json::{Value, json};

use super::{RequestArgs, attachments, run_on};
use crate::commands::send::text_of;
use crate::outcome::{CommandError, usage_error};
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat finish";

/// What became of a task.
#[derive(Args)]
pub struct FinishArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// The task
    id: u64,
    /// What became of it
    #[arg(value_parser = ["done", "failed", "rejected", "working", "input", "open", "cancelled"])]
    state: String,
    /// Result; `-` reads it from standard input
    text: Option<String>,
    /// The fence that `rogerrat take` printed
    #[arg(long, value_name = "NUMBER", value_parser = number(1..=u32::MAX))]
    fence: Option<u32>,
    /// With `open`: the member to hand it to
    #[arg(long, value_name = "CALLSIGN")]
    to: Option<String>,
    /// Attach a file; may be given up to four times
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
}

pub(crate) fn run(args: &FinishArgs) -> ExitCode {
    let prepared = args.request.resolve_member().and_then(|target| Ok((target, args.message()?)));
    match prepared {
        Ok((target, message)) => run_on(NAME, Ok(target), |target| finish(args, target, message)),
        Err(message) => usage_error(NAME, &message),
    }
}

async fn finish(args: &FinishArgs, target: ResolvedTarget, message: OutgoingMessage) -> Result<ExitCode, CommandError> {
    let fields = json!({"state": args.state, "fence": args.fence});
    let reply = target.client().send_for_task(&message, &fields).await?;
    let state = |reply: &Value| reply["task"]["state"].as_str().unwrap_or(&args.state).to_owned();
    args.request.print(&reply, |reply| format!("#{} is {}\n", args.id, state(reply)))?;
    Ok(ExitCode::SUCCESS)
}

impl FinishArgs {
    fn message(&self) -> Result<OutgoingMessage, String> {
        Ok(OutgoingMessage {
            to: self.to.clone(),
            text: match &self.text {
                Some(text) => text_of(Some(text))?,
                None => String::new(),
            },
            attachments: attachments(&self.attach)?,
            reply_to: Some(self.id),
            idempotency_key: Some(OutgoingMessage::random_key()),
            ..OutgoingMessage::default()
        })
    }
}
