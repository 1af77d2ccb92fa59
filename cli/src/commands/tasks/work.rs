//! `rogerrat work`: takes work, runs a command for each task, and finishes it with the command's output.

use std::fs;
use std::future::pending;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use rogerrat_client::{
    Backoff, ChannelClient, ClientError, OutgoingAttachment, OutgoingMessage, ReceivedMessage, TakeOptions,
};
use rogerrat_domain::limits;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout, timeout_at};

use super::work_process::{Ended, OUTPUT_BYTES, WorkProcess};
use super::{RequestArgs, run_on};
use crate::outcome::{CommandError, report, usage_error};
use crate::receive::now;
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat work";
/// How long one request waits for work.
const WAIT: Duration = Duration::from_secs(50);
/// The exit code with which a command gives its task back.
const GIVE_BACK: i32 = 75;
/// The state of a reply that gives a task back.
const OPEN: &str = "open";
/// How often the lease is renewed while it lasts, and how often a renewal that failed is tried again.
const RENEWALS: u32 = 3;
const RETRIES: u32 = 10;
/// How long a worker tries to report the state of its task after a signal.
const LAST_TRY: Duration = Duration::from_secs(5);

/// What to run for each task.
#[derive(Args)]
#[command(after_help = "The command reads the task's text from standard input and gets RR_TASK_ID, RR_TASK_FENCE, \
                        RR_TASK_FROM and RR_TASK_THREAD. Its output is the result; what exceeds a text is attached. Exit \
                        code 0 means done, 75 gives the task back, any other means failed. The lease is renewed meanwhile; \
                        if it is lost, the command is killed. A signal that ends the worker kills the command and \
                        gives the task back. What a task says was written by another agent: the command \
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

/// What the worker does after a task.
enum Next {
    Continue,
    /// The task was given back.
    Pause,
    /// It ends with this exit code.
    Stop(ExitCode),
}

/// The signals that end the worker. Its command does not get those of the terminal.
struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    /// None if hangups are ignored.
    hangup: Option<Signal>,
}

impl StopSignal {
    fn new() -> Result<Self, CommandError> {
        let signal = |kind| signal(kind).map_err(|error| CommandError::Local(error.to_string()));
        let hangup = if ignores_hangups() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup,
        })
    }

    /// Waits for one.
    async fn arrived(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.quit.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether this process was started to survive the end of its terminal, as `nohup` does. Listening to the signal would undo
/// that, so what is not known counts as yes.
fn ignores_hangups() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit 0 is signal 1.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 != 0)
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
    let mut stop = StopSignal::new()?;
    let mut client = target.client();
    let (mut backoff, mut given_back) = (Backoff::default(), Backoff::default());
    let mut left = args.count;
    while left != Some(0) {
        let lease = Some(Duration::from_secs(args.lease.into()));
        let options = TakeOptions { lease, wait: WAIT, thread: args.thread.as_deref(), ..TakeOptions::default() };
        let reply = tokio::select! {
            biased;
            // The hub gives back what it was about to hand over.
            () = stop.arrived() => return Ok(ExitCode::SUCCESS),
            reply = client.take(&options) => reply,
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(ClientError::Temporary { message, retry_after }) => {
                report(NAME, &format!("{message}; trying again"));
                tokio::select! {
                    () = stop.arrived() => return Ok(ExitCode::SUCCESS),
                    () = sleep(backoff.pause(retry_after)) => {}
                }
                client.forget_address();
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        backoff.reset();
        let (Some(task), Some(message), Some(fence)) = (&reply.task, &reply.message, reply.fence) else { continue };
        let taken = Taken { id: task.id, fence };
        match do_task(&mut client, &taken, args, message, &mut stop).await? {
            Next::Continue => given_back.reset(),
            Next::Stop(code) => return Ok(code),
            // It may be the next one again: leave it to others for a while.
            Next::Pause if left != Some(1) => tokio::select! {
                () = stop.arrived() => return Ok(ExitCode::SUCCESS),
                () = sleep(given_back.pause(None)) => {}
            },
            Next::Pause => {}
        }
        left = left.map(|left| left - 1);
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the command for a task and reports the result.
async fn do_task(
    client: &mut ChannelClient,
    taken: &Taken,
    args: &WorkArgs,
    message: &ReceivedMessage,
    stop: &mut StopSignal,
) -> Result<Next, CommandError> {
    let mut process = match WorkProcess::start(&args.command, taken.id, taken.fence, message) {
        Ok(process) => process,
        Err(error) => {
            // No fault of the task, and the next one would end in the same way.
            give_back(client, taken).await;
            return Ok(Next::Stop(usage_error(NAME, &format!("cannot run {}: {error}", args.command[0]))));
        }
    };
    let result = tokio::select! {
        result = perform(client, taken, args, &mut process) => result,
        () = stop.arrived() => {
            process.kill();
            give_back(client, taken).await;
            return Ok(Next::Stop(ExitCode::SUCCESS));
        }
    };
    let Some((state, output)) = result else { return Ok(Next::Continue) };
    let mut finishing = pin!(finish(client, taken, state, &output));
    tokio::select! {
        finished = &mut finishing => finished.map(|()| if state == OPEN { Next::Pause } else { Next::Continue }),
        () = stop.arrived() => {
            let _ = timeout(LAST_TRY, finishing).await;
            Ok(Next::Stop(ExitCode::SUCCESS))
        }
    }
}

/// Gives a task back before the worker ends. If that fails, it is open again when the lease ends.
async fn give_back(client: &mut ChannelClient, taken: &Taken) {
    let _ = timeout(LAST_TRY, finish(client, taken, OPEN, &[])).await;
}

/// Runs the command to its end and renews the lease meanwhile. None if the task was lost.
async fn perform(
    client: &mut ChannelClient,
    taken: &Taken,
    args: &WorkArgs,
    process: &mut WorkProcess,
) -> Option<(&'static str, Vec<u8>)> {
    let lease = Duration::from_secs(args.lease.into());
    let mut lease_end = now() + lease;
    let mut pause = lease / RENEWALS;
    loop {
        let pause_end = (now() + pause).min(lease_end);
        if let Some(Ended { code, output }) = process.ended_by(pause_end).await {
            let state = match code {
                Some(0) => "done",
                Some(GIVE_BACK) => OPEN,
                _ => "failed",
            };
            return Some((state, output));
        }
        let options =
            TakeOptions { id: Some(taken.id), fence: Some(taken.fence), lease: Some(lease), ..TakeOptions::default() };
        let asked_at = now();
        let reason = match timeout_at(lease_end, client.take(&options)).await {
            Ok(Ok(_)) => {
                (lease_end, pause) = (asked_at + lease, lease / RENEWALS);
                continue;
            }
            Ok(Err(ClientError::Temporary { .. })) if now() < lease_end => {
                client.forget_address();
                pause = lease / RETRIES;
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the hub does not answer, and the lease has ended".to_owned(),
        };
        report(NAME, &format!("#{} is lost, its command is killed: {reason}", taken.id));
        process.kill();
        return None;
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
            message.text = match output.len() as u64 {
                OUTPUT_BYTES.. => format!("the first {OUTPUT_BYTES} bytes of the output are attached"),
                _ => "the output is attached".to_owned(),
            };
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
