//! The command of `--on-message`. It runs once for each message or batch, one at a time, and again until it succeeds.

use std::io::Write as _;
use std::process::{Command, ExitStatus, Stdio};

use rogerrat_client::ReceivedMessage;
use rogerrat_domain::MessageView;
use rogerrat_domain::text::one_line;
use tokio::task::spawn_blocking;

use super::sink::SinkError;

/// What the command is run for.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) channel: &'a str,
    /// The message, or the last one of a batch.
    pub(super) message: &'a ReceivedMessage,
    pub(super) saved_paths: &'a [String],
    /// Number of messages in the batch, or 1.
    pub(super) count: usize,
    /// The lines of all messages of a batch, which the command reads from standard input.
    pub(super) lines: Option<&'a str>,
}

/// Runs the command once. `failures` counts its earlier runs for this message or batch.
pub(super) async fn run(command: &str, input: Input<'_>, failures: u32) -> Result<(), SinkError> {
    let Input { channel, message, saved_paths, count, lines } = input;
    let temporary = |reason: String| Err(SinkError::Temporary(reason));
    let variables = variables(message.json(), channel, failures)
        .map_err(|error| SinkError::Permanent(format!("invalid message: {error}")))?;
    let mut process = Command::new("sh");
    process.arg("-c").arg(command).envs(variables).env("RR_ATTACHMENTS", saved_paths.join("\t"));
    process.env("RR_COUNT", count.to_string());
    let lines = lines.map(str::to_owned);
    match spawn_blocking(move || run_process(process, lines)).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => temporary(format!("the command for #{} failed ({status})", message.id)),
        Ok(Err(error)) => temporary(format!("cannot run the command for #{}: {error}", message.id)),
        Err(error) => temporary(error.to_string()),
    }
}

/// Runs a process to its end, with `lines` as its standard input. The process need not read them.
fn run_process(mut process: Command, lines: Option<String>) -> std::io::Result<ExitStatus> {
    let Some(lines) = lines else { return process.stdin(Stdio::null()).status() };
    let mut process = process.stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = process.stdin.take() {
        let _ = stdin.write_all(lines.as_bytes());
    }
    process.wait()
}

/// All values are single lines without a zero byte: no peer can begin another line (D27).
fn variables(json: &str, channel: &str, failures: u32) -> serde_json::Result<Vec<(&'static str, String)>> {
    let message: MessageView<'_> = serde_json::from_str(json)?;
    let replies: Vec<_> = message.suggested_replies.iter().map(|reply| one_line(reply)).collect();
    let line = |text: &str| one_line(text).into_owned();
    Ok(vec![
        ("RR_MESSAGE", line(&message.text)),
        ("RR_FROM", line(&message.from)),
        ("RR_TO", line(&message.to)),
        ("RR_MSG_ID", message.id.to_string()),
        ("RR_CHANNEL", channel.to_owned()),
        ("RR_PRIORITY", line(or(&message.priority, "default"))),
        ("RR_KIND", line(or(&message.kind, "message"))),
        ("RR_AT", message.at.to_string()),
        ("RR_REPLIES", replies.join("\t")),
        ("RR_VERIFIED", line(message.verified.as_deref().unwrap_or_default())),
        ("RR_THREAD", line(message.thread.as_deref().unwrap_or_default())),
        ("RR_REPLY_TO", message.reply_to.map_or(String::new(), |id| id.to_string())),
        ("RR_ATTEMPT", message.attempt.max(1).saturating_add(failures).to_string()),
    ])
}

fn or<'a>(value: &'a str, default: &'a str) -> &'a str {
    if value.is_empty() { default } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_every_value_is_one_line() {
        let json = r#"{"id":7,"from":"ann","to":"all","text":"a\nb\u0000","at":9,
            "suggested_replies":["y\tes","no"],"attempt":2}"#;
        let variables = variables(json, "c", 1).unwrap();
        let value = |name: &str| &*variables.iter().find(|(known, _)| *known == name).unwrap().1;
        assert_eq!(value("RR_MESSAGE"), "a\\nb\\u{0}");
        assert_eq!((value("RR_REPLIES"), value("RR_PRIORITY"), value("RR_KIND")), ("y\\tes\tno", "default", "message"));
        assert_eq!(
            (value("RR_ATTEMPT"), value("RR_THREAD"), value("RR_REPLY_TO"), value("RR_VERIFIED")),
            ("3", "", "", "")
        );
    }
}
