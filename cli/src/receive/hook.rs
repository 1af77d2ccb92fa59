//! The command of `--on-message`: run once for each message, one after the other, and again until it succeeds.

use std::process::{Command, Stdio};

use rogerrat_client::ClientError;
use rogerrat_client::http::HttpError;
use rogerrat_domain::MessageView;
use rogerrat_domain::text::one_line;
use tokio::task::spawn_blocking;

use super::line::Message;

/// Runs the command once; an error says how it failed. `failures` of this message came before.
pub(super) async fn run(command: &str, channel: &str, message: &Message, failures: u32) -> Result<(), ClientError> {
    let variables = variables(message.json(), channel, failures)?;
    let saved = message.saved.join("\t");
    let mut process = Command::new("sh");
    process.arg("-c").arg(command).envs(variables).env("RR_ATTACHMENTS", saved).stdin(Stdio::null());
    let status =
        spawn_blocking(move || process.status()).await.map_err(|error| ClientError::passing(error.to_string()))?;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ClientError::passing(format!("the command for #{} failed ({status})", message.id))),
        Err(error) => Err(ClientError::passing(format!("the command for #{} cannot be run: {error}", message.id))),
    }
}

/// All values are one line: nothing a peer wrote can begin another (D27), and none holds a zero byte.
fn variables(json: &str, channel: &str, failures: u32) -> Result<Vec<(&'static str, String)>, ClientError> {
    let told: MessageView<'_> =
        serde_json::from_str(json).map_err(|error| HttpError::InvalidResponse(error.to_string()))?;
    let replies: Vec<_> = told.suggested_replies.iter().map(|reply| one_line(reply)).collect();
    let line = |text: &str| one_line(text).into_owned();
    Ok(vec![
        ("RR_MESSAGE", line(&told.text)),
        ("RR_FROM", line(&told.from)),
        ("RR_TO", line(&told.to)),
        ("RR_MSG_ID", told.id.to_string()),
        ("RR_CHANNEL", channel.to_owned()),
        ("RR_PRIORITY", line(or(&told.priority, "default"))),
        ("RR_KIND", line(or(&told.kind, "message"))),
        ("RR_AT", told.at.to_string()),
        ("RR_REPLIES", replies.join("\t")),
        ("RR_VERIFIED", line(told.verified.as_deref().unwrap_or_default())),
        ("RR_THREAD", line(told.thread.as_deref().unwrap_or_default())),
        ("RR_REPLY_TO", told.reply_to.map_or(String::new(), |id| id.to_string())),
        ("RR_ATTEMPT", told.attempt.max(1).saturating_add(failures).to_string()),
    ])
}

/// What is told, or what is meant where nothing is.
fn or<'a>(told: &'a str, usual: &'a str) -> &'a str {
    if told.is_empty() { usual } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_every_value_is_one_line() {
        let json = r#"{"id":7,"from":"ann","to":"all","text":"a\nb\u0000","at":9,"suggested_replies":["y\tes","no"],"attempt":2}"#;
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
