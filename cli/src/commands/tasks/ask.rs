//! `rogerrat ask`: asks and waits for the answer.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{OutgoingMessage, Question};

use super::{RequestArgs, render, run_on};
use crate::commands::send::text_of;
use crate::outcome::{CommandError, NO_MESSAGE, report, usage_error};
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat ask";

/// What to ask.
#[derive(Args)]
#[command(
    after_help = "Exit code 0: the answers were printed; 3: no answer yet, or another member needs something from \
                        you first. The question stays open: go on with --resume ID, and do not ask again."
)]
pub struct AskArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Whom to ask: a callsign, `#2`, or `all`
    #[arg(required_unless_present = "resume")]
    to: Option<String>,
    /// Question; `-` or nothing reads it from standard input
    text: Option<String>,
    /// Wait this long for the answer, at most 300
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = number(0..=300))]
    timeout: u32,
    /// Number of members' answers to wait for, at most 16
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = number(1..=16))]
    answers: u32,
    /// Go on waiting for the answers to this question
    #[arg(long, value_name = "ID", conflicts_with_all = ["to", "text"])]
    resume: Option<u64>,
    /// Send it in the thread of this name
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
}

pub(crate) fn run(args: &AskArgs) -> ExitCode {
    let prepared = args.request.resolve_member().and_then(|target| Ok((target, args.message()?)));
    match prepared {
        Ok((target, message)) => run_on(NAME, Ok(target), |target| ask(args, target, message)),
        Err(message) => usage_error(NAME, &message),
    }
}

async fn ask(
    args: &AskArgs,
    target: ResolvedTarget,
    message: Option<OutgoingMessage>,
) -> Result<ExitCode, CommandError> {
    let question = match (&message, args.resume) {
        (Some(message), _) => Question::New(message, args.answers),
        (None, id) => Question::Asked(id.unwrap_or_default()),
    };
    let reply = target.client().ask(&question, Duration::from_secs(args.timeout.into())).await?;
    args.request.print(&reply, |reply| render::lines(&reply.answers))?;
    let go_on = format!("go on with: rogerrat ask --resume {}", reply.ask_id);
    if let Some(by) = &reply.interrupted_by {
        report(NAME, &format!("{by} needs something from you first: read and answer it, then {go_on}"));
        return Ok(ExitCode::from(NO_MESSAGE));
    }
    match reply.state.as_str() {
        "open" | "held" => report(NAME, &format!("no answer yet; {go_on}")),
        "input" => report(
            NAME,
            &format!(
                "the other side needs something from you: read it, reply with --reply-to {}, then {go_on}",
                reply.ask_id
            ),
        ),
        _ if !reply.answers.is_empty() => return Ok(ExitCode::SUCCESS),
        state => report(NAME, &format!("the question is closed: {state}")),
    }
    Ok(ExitCode::from(NO_MESSAGE))
}

impl AskArgs {
    /// The question; none to go on with an earlier one.
    fn message(&self) -> Result<Option<OutgoingMessage>, String> {
        let Some(to) = &self.to else { return Ok(None) };
        Ok(Some(OutgoingMessage {
            to: Some(to.clone()),
            text: text_of(self.text.as_deref())?,
            thread: self.thread.clone(),
            idempotency_key: Some(OutgoingMessage::random_key()),
            ..OutgoingMessage::default()
        }))
    }
}
