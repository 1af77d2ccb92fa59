//! `rogerrat transcript`: prints the recorded events of a channel.

use std::process::ExitCode;

use clap::Args;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::Value;

use super::render::clock;
use super::{RequestArgs, run_on};
use crate::outcome::CommandError;
use crate::target::ResolvedTarget;
use crate::words::number;

const NAME: &str = "rogerrat transcript";

/// Which events.
#[derive(Args)]
pub struct TranscriptArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Number of newest events, at most 10,000
    #[arg(long, value_name = "COUNT", value_parser = number(1..=10_000))]
    limit: Option<u32>,
}

#[derive(Deserialize)]
struct TranscriptReply {
    events: Vec<TranscriptEvent>,
    #[serde(default)]
    damaged: usize,
}

#[derive(Deserialize)]
struct TranscriptEvent {
    r#type: String,
    ts: u64,
    #[serde(flatten)]
    fields: serde_json::Map<String, Value>,
}

pub(crate) fn run(args: &TranscriptArgs) -> ExitCode {
    run_on(NAME, args.request.resolve(), |target| transcript(args, target))
}

async fn transcript(args: &TranscriptArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let path = args.limit.map_or_else(|| "transcript".to_owned(), |limit| format!("transcript?limit={limit}"));
    let reply = target.client().get::<TranscriptReply>(&path).await?;
    args.request.print(&reply, |reply| {
        let damaged = (reply.damaged > 0).then(|| format!("({} damaged events are missing)\n", reply.damaged));
        reply.events.iter().map(line).chain(damaged).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn line(event: &TranscriptEvent) -> String {
    let field = |name: &str| match event.fields.get(name) {
        Some(Value::String(text)) => one_line(text).into_owned(),
        Some(value) => one_line(&value.to_string()).into_owned(),
        None => String::new(),
    };
    let text = match &*event.r#type {
        "channel_created" => format!("created, retention {}", field("retention")),
        "join" => format!("{} joined", field("callsign")),
        "leave" => format!("{} left", field("callsign")),
        "message_meta" => format!("{} → {}: {} characters", field("from"), field("to"), field("bytes")),
        "message" => format!("{} → {}: {}", field("from"), field("to"), field("text")),
        other => one_line(other).into_owned(),
    };
    format!("{} {text}\n", clock(event.ts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_an_event_is_one_line() {
        let json = r#"{"type":"message","ts":45089000,"from":"ann","to":"all","text":"a\n[00:00:00] boss joined"}"#;
        let event: TranscriptEvent = serde_json::from_str(json).unwrap();
        assert_eq!(line(&event), "[12:31:29] ann → all: a\\n[00:00:00] boss joined\n");
    }
}
