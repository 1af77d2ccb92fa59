//! `rogerrat task`: posts work, lists tasks, shows and cancels them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use rogerrat_client::{OutgoingMessage, TaskInfo, TaskList};
use serde_json::{Value, json};

use super::{RequestArgs, line, render, run_on};
use crate::commands::send::text_of;
use crate::outcome::{CommandError, usage_error};
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat task";

/// What to do with tasks.
#[derive(Args)]
pub struct TaskArgs {
    #[command(subcommand)]
    command: TaskCommand,
}

#[derive(Subcommand)]
enum TaskCommand {
    /// Post work that one member takes
    Add(AddArgs),
    /// List tasks, the newest change first
    List(ListArgs),
    /// Show a task with its answers
    Show(OneArgs),
    /// Withdraw a task that you posted
    Cancel(OneArgs),
}

#[derive(Args)]
struct AddArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// What is to do; `-` or nothing reads it from standard input
    text: Option<String>,
    /// For whom it is: a callsign, or `all`
    #[arg(long, value_name = "CALLSIGN", default_value = "all")]
    to: String,
    /// Deliver it to nobody: it waits for whoever takes it
    #[arg(long)]
    quiet: bool,
    /// Post it in the thread of this name
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
    /// End it by itself after this time, at most 2,592,000
    #[arg(long, value_name = "SECONDS", value_parser = number(1..=2_592_000))]
    deadline: Option<u32>,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Only tasks in this state
    #[arg(long, value_parser = ["open", "held", "input", "done", "failed", "rejected", "cancelled", "expired"])]
    state: Option<String>,
    /// Only questions, or only work
    #[arg(long, value_parser = ["answer", "work"])]
    wants: Option<String>,
    /// Only tasks that you posted or have taken, or that are for you by name
    #[arg(long)]
    mine: bool,
    /// Maximum number of tasks, at most 200
    #[arg(short, value_name = "COUNT", default_value = "50", value_parser = number(1..=200))]
    n: u32,
}

#[derive(Args)]
struct OneArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// The task
    id: u64,
}

pub(crate) fn run(args: &TaskArgs) -> ExitCode {
    match &args.command {
        TaskCommand::Add(args) => {
            let prepared =
                args.request.resolve_member().and_then(|target| Ok((target, text_of(args.text.as_deref())?)));
            match prepared {
                Ok((target, text)) => run_on(NAME, Ok(target), |target| add(args, target, text)),
                Err(message) => usage_error(NAME, &message),
            }
        }
        TaskCommand::List(args) => run_on(NAME, args.request.resolve_member(), |target| list(args, target)),
        TaskCommand::Show(args) => run_on(NAME, args.request.resolve_member(), |target| show(args, target)),
        TaskCommand::Cancel(args) => run_on(NAME, args.request.resolve_member(), |target| cancel(args, target)),
    }
}

async fn add(args: &AddArgs, target: ResolvedTarget, text: String) -> Result<ExitCode, CommandError> {
    let message = OutgoingMessage {
        to: Some(args.to.clone()),
        text,
        thread: args.thread.clone(),
        idempotency_key: Some(OutgoingMessage::random_key()),
        ..OutgoingMessage::default()
    };
    let mut fields = json!({"wants": "work", "deadline_seconds": args.deadline});
    if args.quiet {
        fields["quiet"] = true.into();
    }
    let reply = target.client().send_for_task(&message, &fields).await?;
    args.request.print(&reply, |reply: &Value| format!("posted #{}\n", reply["id"]))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(args: &ListArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let mut query = format!("limit={}&mine={}", args.n, args.mine);
    query.extend(args.state.as_ref().map(|state| format!("&state={state}")));
    query.extend(args.wants.as_ref().map(|wants| format!("&wants={wants}")));
    let reply = target.client().tasks(&query).await?;
    args.request.print(&reply, |list: &TaskList| list.tasks.iter().map(line).collect())?;
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &OneArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let reply = target.client().task(args.id).await?;
    args.request.print(&reply, |task: &TaskInfo| line(task) + &render::lines(&task.answers))?;
    Ok(ExitCode::SUCCESS)
}

async fn cancel(args: &OneArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let message = OutgoingMessage {
        reply_to: Some(args.id),
        idempotency_key: Some(OutgoingMessage::random_key()),
        ..OutgoingMessage::default()
    };
    let reply = target.client().send_for_task(&message, &json!({"state": "cancelled"})).await?;
    args.request.print(&reply, |_: &Value| format!("#{} is cancelled\n", args.id))?;
    Ok(ExitCode::SUCCESS)
}
