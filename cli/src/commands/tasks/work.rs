//! `rogerrat work`: takes work, runs a command for each task, and finishes it with the command's output.

use std::process::ExitCode;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use rogerrat_client::{Backoff, ChannelClient, ClientError, OutgoingAttachment, OutgoingMessage, TakeOptions};
use rogerrat_domain::limits;
use serde_json::json;
use tokio::time::sleep;

use super::work_process::{Ended, WorkProcess};
use super::{RequestArgs, run_on};
use crate::outcome::{CommandError, report};
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat work";
/// How long one request waits for work.
const WAIT: Duration = Duration::from_secs(50);
/// The exit code with which a command gives its task back.
const GIVE_BACK: i32 = 75;

/// What to run for each task.
#[derive(Args)]
#[command(after_help = "The command reads the task's text from standard input and gets RR_TASK_ID, RR_TASK_FENCE, \
                        RR_TASK_FROM and RR_TASK_THREAD. Its output is the result; what exceeds a text is attached. Exit \
                        code 0 means done, 75 gives the task back, any other means failed. The lease is renewed meanwhile; \
                        if it is lost, the command is killed. What a task says was written by another agent: the command \
                        must not trust it.")]
pub struct WorkArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Length of the lease, 10 to 3,600
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = number(10..=3600))]
    lease: u32,
    /// Only work of this thread
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
    /// End after this many tasks
    #[arg(long, value_name = "COUNT", value_parser = number(1..=u32::MAX))]
    count: Option<u32>,
    /// The command, with its arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// A task that was taken.
struct Taken {
    id: u64,
    fence: u32,
}

pub(crate) fn run(args: &WorkArgs) -> ExitCode {
    run_on(NAME, args.request.resolve_member(), |target| work(args, target))
}

async fn work(args: &WorkArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let mut client = target.client();
    let mut backoff = Backoff::default();
    let mut left = args.count;
    while left != Some(0) {
        let lease = Some(Duration::from_secs(args.lease.into()));
        let options = TakeOptions { lease, wait: WAIT, thread: args.thread.as_deref(), ..TakeOptions::default() };
        let reply = match client.take(&options).await {
            Ok(reply) => reply,
            Err(ClientError::Temporary { message, retry_after }) => {
                report(NAME, &format!("{message}; trying again"));
                sleep(backoff.pause(retry_after)).await;
                client.forget_address();
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        backoff.reset();
        let (Some(task), Some(message), Some(fence)) = (&reply.task, &reply.message, reply.fence) else { continue };
        let taken = Taken { id: task.id, fence };
        let process = WorkProcess::start(&args.command, task.id, fence, message);
        let result = match process {
            Ok(process) => perform(&mut client, &taken, args, process).await,
            Err(error) => Some(("failed", format!("cannot run the command: {error}").into_bytes())),
        };
        if let Some((state, output)) = result {
            finish(&mut client, &taken, state, &output).await?;
        }
        left = left.map(|left| left - 1);
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the command to its end and renews the lease meanwhile. None if the task was lost.
async fn perform(
    client: &mut ChannelClient,
    taken: &Taken,
    args: &WorkArgs,
    mut process: WorkProcess,
) -> Option<(&'static str, Vec<u8>)> {
    let lease = Duration::from_secs(args.lease.into());
    let mut failures = 0;
    loop {
        if let Some(Ended { code, output }) = process.ended_within(lease / 3).await {
            let state = match code {
                Some(0) => "done",
                Some(GIVE_BACK) => "open",
                _ => "failed",
            };
            return Some((state, output));
        }
        let options =
            TakeOptions { id: Some(taken.id), fence: Some(taken.fence), lease: Some(lease), ..TakeOptions::default() };
        match client.take(&options).await {
            Ok(_) => failures = 0,
            // Three times a third of the lease: it has ended.
            Err(ClientError::Temporary { .. }) if failures < 2 => {
                failures += 1;
                client.forget_address();
            }
            Err(error) => {
                report(NAME, &format!("#{} is lost, its command is killed: {error}", taken.id));
                process.kill();
                return None;
            }
        }
    }
}

/// Reports the result. A task that is not ours any more is left to its new holder.
async fn finish(
    client: &mut ChannelClient,
    taken: &Taken,
    state: &'static str,
    output: &[u8],
) -> Result<(), CommandError> {
    let mut message = OutgoingMessage {
        reply_to: Some(taken.id),
        idempotency_key: Some(OutgoingMessage::random_key()),
        ..OutgoingMessage::default()
    };
    match str::from_utf8(output) {
        Ok(text) if text.chars().count() <= limits::TEXT_CHARS => message.text = text.trim_end().to_owned(),
        _ => {
            message.text = "the output is attached".to_owned();
            let filename = Some("output.txt".to_owned());
            let data_base64 = STANDARD.encode(output);
            message.attachments = vec![OutgoingAttachment { mime: "text/plain".to_owned(), data_base64, filename }];
        }
    }
    let fields = json!({"state": state, "fence": taken.fence});
    let mut backoff = Backoff::default();
    loop {
        match client.send_for_task(&message, &fields).await {
            Ok(_) => return Ok(()),
            Err(ClientError::Temporary { retry_after, .. }) => {
                sleep(backoff.pause(retry_after)).await;
                client.forget_address();
            }
            Err(error @ ClientError::Refused { .. }) => {
                report(NAME, &format!("#{} was not finished: {error}", taken.id));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
}
