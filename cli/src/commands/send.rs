//! `rogerrat send`: sends a message to one member or to all.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{OutgoingMessage, SendResult};
use rogerrat_domain::text::one_line;
use rogerrat_domain::{MemberState, Priority, limits};

use super::{RequestArgs, attachments, render, run_on};
use crate::outcome::{CommandError, usage_error};
use crate::target::ResolvedTarget;
use crate::words::{number, word};

const NAME: &str = "rogerrat send";
/// Maximum bytes of a text in UTF-8.
const TEXT_BYTES: usize = limits::TEXT_CHARS * 4;

/// What to send.
#[derive(Args)]
#[command(after_help = "With the same --idempotency-key, a message is sent once, however often the command is \
                        repeated. Without one, a key is generated, and the command retries once if the connection \
                        breaks before the response.")]
pub struct SendArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Recipient: a callsign, `#2`, or `all`
    to: String,
    /// Text; `-` or nothing reads it from standard input
    text: Option<String>,
    /// Attach a file: a picture, PDF or text; may be given up to four times
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// Set how urgent the message is
    #[arg(long, value_name = "PRIORITY", value_parser = word::<Priority>(Priority::NAMES))]
    priority: Option<Priority>,
    /// Suggest a short reply; may be given up to four times
    #[arg(long, value_name = "TEXT")]
    suggest: Vec<String>,
    /// Reply to the message with this id
    #[arg(long, value_name = "ID")]
    reply_to: Option<u64>,
    /// Send it in the thread of this name
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
    /// Send a transient status: only current readers receive it, and it is not stored
    #[arg(long)]
    status: bool,
    /// Say what you are doing, so that the roster shows it: a status that needs no text
    #[arg(long, value_name = "STATE", value_parser = word::<MemberState>(MemberState::NAMES))]
    state: Option<MemberState>,
    /// With --state: for how many seconds; after that the roster shows it as overdue
    #[arg(long, value_name = "SECONDS", requires = "state", value_parser = number(1..=2_592_000))]
    until: Option<u32>,
    /// Send the message once for all commands with this key
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

pub(crate) fn run(args: &SendArgs) -> ExitCode {
    let prepared = args.request.resolve_member().and_then(|target| Ok((target, args.message()?)));
    match prepared {
        Ok((target, message)) => run_on(NAME, Ok(target), |target| send(args, target, message)),
        Err(message) => usage_error(NAME, &message),
    }
}

async fn send(args: &SendArgs, target: ResolvedTarget, message: OutgoingMessage) -> Result<ExitCode, CommandError> {
    let reply = target.client().send(&message).await?;
    args.request.print(&reply, line)?;
    Ok(ExitCode::SUCCESS)
}

fn line(sent: &SendResult) -> String {
    let facts =
        [(sent.queued, "queued: the recipient is away"), (sent.duplicate, "sent before"), (sent.durable, "on disk")];
    let facts = facts.iter().filter(|(applies, _)| *applies).map(|(_, fact)| (*fact).to_owned());
    let says = sent.recipient.iter().filter_map(|to| Some(render::state(to.state.as_deref()?, None, to.until, false)));
    let facts: Vec<_> = facts.chain(says).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
    format!("sent #{} to {}{facts}{}\n", sent.id, one_line(&sent.to), render::unread(sent.unread))
}

impl SendArgs {
    fn message(&self) -> Result<OutgoingMessage, String> {
        let attachments = attachments(&self.attach)?;
        Ok(OutgoingMessage {
            to: Some(self.to.clone()),
            text: self.read_text()?,
            is_status: self.is_status(),
            state: self.state,
            until_seconds: self.until.map(u64::from),
            priority: self.priority,
            suggested_replies: self.suggest.clone(),
            attachments,
            reply_to: self.reply_to,
            thread: self.thread.clone(),
            idempotency_key: Some(self.idempotency_key.clone().unwrap_or_else(OutgoingMessage::random_key)),
        })
    }

    fn is_status(&self) -> bool {
        self.status || self.state.is_some()
    }

    fn read_text(&self) -> Result<String, String> {
        let text = match self.text.as_deref() {
            Some("-") => read_stdin()?,
            Some(text) => text.to_owned(),
            None if self.state.is_some() => String::new(),
            // An attachment needs no text.
            None if !self.attach.is_empty() && io::stdin().is_terminal() => String::new(),
            None if io::stdin().is_terminal() => {
                return Err("no text given; give it as an argument, or - to read standard input".into());
            }
            None => read_stdin()?,
        };
        let max = if self.is_status() { limits::STATUS_CHARS } else { limits::TEXT_CHARS };
        match text.chars().count() {
            0 if self.attach.is_empty() && self.state.is_none() => {
                Err("the text is empty; give it as an argument or on standard input".into())
            }
            count if count > max => {
                Err(format!("the text has {count} characters, and the limit is {max}: send it in parts, or as a file"))
            }
            _ => Ok(text),
        }
    }
}

/// A text given as an argument, or on standard input for `-` or none.
pub(super) fn text_of(argument: Option<&str>) -> Result<String, String> {
    let text = match argument {
        None if io::stdin().is_terminal() => {
            return Err("no text given; give it as an argument, or - to read standard input".into());
        }
        None | Some("-") => read_stdin()?,
        Some(text) => text.to_owned(),
    };
    match text.chars().count() {
        0 => Err("the text is empty; give it as an argument or on standard input".into()),
        count if count > limits::TEXT_CHARS => {
            Err(format!("the text has {count} characters, and the limit is {}: send it as a file", limits::TEXT_CHARS))
        }
        _ => Ok(text),
    }
}

/// Reads standard input to its end, without the final line break.
fn read_stdin() -> Result<String, String> {
    let mut bytes = Vec::new();
    let max = TEXT_BYTES as u64 + 3;
    let read = io::stdin().lock().take(max).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot read standard input: {error}"))?;
    if bytes.len() > TEXT_BYTES + 2 {
        return Err(format!(
            "the text has more than {} characters: send it in parts, or as a file",
            limits::TEXT_CHARS
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| "standard input is not UTF-8 text".to_owned())?;
    let text = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text);
    Ok(text.to_owned())
}
