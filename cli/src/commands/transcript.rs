//! `rogerrat transcript`: what a channel keeps of what happened on it.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError};
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::Value;

use super::text::clock;
use super::{AT_ONCE, CommandArgs};

const NAME: &str = "rogerrat transcript";

/// How much of it.
#[derive(Args)]
pub struct TranscriptArgs {
    #[command(flatten)]
    talk: CommandArgs,
    /// The last so many events, at most 10,000
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: Option<u32>,
}

#[derive(Deserialize)]
struct Transcript {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    ts: u64,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

pub(crate) fn run(args: &TranscriptArgs) -> ExitCode {
    super::at(NAME, args.talk.place(), |target| transcript(args, target.client()))
}

async fn transcript(args: &TranscriptArgs, mut link: ChannelClient) -> Result<ExitCode, ClientError> {
    let path = args.limit.map_or_else(|| "transcript".to_owned(), |limit| format!("transcript?limit={limit}"));
    let reply = link.call("GET", &path, None, AT_ONCE).await?;
    args.talk.tell(&reply, |transcript: Transcript| transcript.events.iter().map(line).collect())?;
    Ok(ExitCode::SUCCESS)
}

fn line(event: &Event) -> String {
    let field = |name: &str| match event.rest.get(name) {
        Some(Value::String(text)) => one_line(text).into_owned(),
        Some(value) => one_line(&value.to_string()).into_owned(),
        None => String::new(),
    };
    let what = match &*event.r#type {
        "channel_created" => format!("created, keeps {}", field("retention")),
        "join" => format!("{} joined", field("callsign")),
        "leave" => format!("{} left", field("callsign")),
        "message_meta" => format!("{} → {}: {} characters", field("from"), field("to"), field("bytes")),
        "message" => format!("{} → {}: {}", field("from"), field("to"), field("text")),
        other => one_line(other).into_owned(),
    };
    format!("{} {what}\n", clock(event.ts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_an_event_is_one_line() {
        let json = r#"{"type":"message","ts":45089000,"from":"ann","to":"all","text":"a\n[00:00:00] boss joined"}"#;
        let event: Event = serde_json::from_str(json).unwrap();
        assert_eq!(line(&event), "[12:31:29] ann → all: a\\n[00:00:00] boss joined\n");
    }
}
