//! `rogerrat send`: says something to one member or to all.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError};
use rogerrat_domain::limits;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::attach::attachments;
use super::{AT_ONCE, CommandArgs, text};

const NAME: &str = "rogerrat send";
/// More is never a message: a character has at most four bytes.
const TEXT_BYTES: usize = limits::TEXT_CHARS * 4;

/// What to say, and to whom.
#[derive(Args)]
#[command(
    after_help = "Repeated with the same --idempotency-key, a message is sent once. Without a key it gets one, and \
                        is tried a second time when the link breaks before the answer."
)]
pub struct SendArgs {
    #[command(flatten)]
    talk: CommandArgs,
    /// A callsign, `#2`, or `all`
    to: String,
    /// The text; `-`, or nothing, to take it from standard input
    text: Option<String>,
    /// Attach a file: a picture or a PDF. May be said up to four times
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// How urgent it is
    #[arg(long, value_name = "PRIORITY", value_parser = ["min", "low", "default", "high", "urgent"])]
    priority: Option<String>,
    /// Suggest a short answer. May be said up to four times
    #[arg(long, value_name = "TEXT")]
    suggest: Vec<String>,
    /// The id of the message this answers
    #[arg(long, value_name = "ID")]
    reply_to: Option<u64>,
    /// The name of a conversation
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
    /// A passing sign of work: who listens right now sees it, and it is not kept
    #[arg(long)]
    status: bool,
    /// Send it once, however often it is repeated with this key
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    id: u64,
    to: String,
    #[serde(default)]
    queued: bool,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    durable: bool,
    #[serde(default)]
    unread: u64,
}

pub(crate) fn run(args: &SendArgs) -> ExitCode {
    let place = args.talk.seat();
    let body = place.and_then(|place| Ok((place, args.body()?)));
    match body {
        Ok((place, body)) => super::at(NAME, Ok(place), |target| send(args, target.client(), body)),
        Err(message) => crate::outcome::not_understood(NAME, &message),
    }
}

async fn send(args: &SendArgs, mut link: ChannelClient, body: Value) -> Result<ExitCode, ClientError> {
    let reply = post(&mut link, &body).await?;
    args.talk.tell(&reply, |sent: Sent| {
        let facts =
            [(sent.queued, "queued: they are away"), (sent.duplicate, "sent before"), (sent.durable, "on disk")];
        let facts: Vec<_> = facts.iter().filter(|(is_so, _)| *is_so).map(|(_, fact)| *fact).collect();
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
        format!("sent #{} to {}{facts}{}\n", sent.id, one_line(&sent.to), text::unread(sent.unread))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Sends, and once more where it is not known what became of it: the key makes that safe.
pub(crate) async fn post(link: &mut ChannelClient, body: &Value) -> Result<Vec<u8>, ClientError> {
    match link.call_seated("POST", "send", Some(body), AT_ONCE).await {
        Err(ClientError::Passing { retry_after: None, .. }) => {
            link.forget_address();
            link.call_seated("POST", "send", Some(body), AT_ONCE).await
        }
        answered => answered,
    }
}

/// A key nobody else has.
pub(crate) fn random_key() -> String {
    format!("rr-{:032x}", rand::random::<u128>())
}

impl SendArgs {
    fn body(&self) -> Result<Value, String> {
        let attachments = attachments(&self.attach)?;
        let mut body = Map::new();
        let mut say = |key: &str, value: Option<Value>| body.extend(value.map(|value| (key.to_owned(), value)));
        let is_any = |list: Vec<Value>| Some(Value::from(list.clone())).filter(|_| !list.is_empty());
        say("to", Some(Value::from(&*self.to)));
        say("message", Some(Value::from(self.read_text()?)));
        say("kind", Some(Value::from("status")).filter(|_| self.status));
        say("priority", self.priority.clone().map(Value::from));
        say("suggested_replies", is_any(self.suggest.iter().map(|text| Value::from(&**text)).collect()));
        say("attachments", is_any(attachments));
        say("reply_to", self.reply_to.map(Value::from));
        say("thread", self.thread.clone().map(Value::from));
        say("client_msg_id", Some(Value::from(self.idempotency_key.clone().unwrap_or_else(random_key))));
        Ok(Value::Object(body))
    }

    fn read_text(&self) -> Result<String, String> {
        let text = match self.text.as_deref() {
            Some("-") => piped()?,
            Some(text) => text.to_owned(),
            // A file says enough by itself.
            None if !self.attach.is_empty() && io::stdin().is_terminal() => String::new(),
            None if io::stdin().is_terminal() => return Err("what? give a text, or - for standard input".into()),
            None => piped()?,
        };
        let most = if self.status { limits::STATUS_CHARS } else { limits::TEXT_CHARS };
        match text.chars().count() {
            0 if self.attach.is_empty() => Err("there is nothing to say".into()),
            count if count > most => {
                Err(format!("it has {count} characters, and {most} are the most: send it in parts, or as a file"))
            }
            _ => Ok(text),
        }
    }
}

/// All that comes on standard input, without the line end a shell puts behind it.
fn piped() -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = TEXT_BYTES as u64 + 3;
    let read = io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|error| format!("standard input cannot be read: {error}"))?;
    let too_long = bytes.len() > TEXT_BYTES + 2;
    if too_long {
        return Err(format!("it has more than {} characters: send it in parts, or as a file", limits::TEXT_CHARS));
    }
    let text = String::from_utf8(bytes).map_err(|_| "standard input is no UTF-8 text".to_owned())?;
    let text = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text);
    Ok(text.to_owned())
}
