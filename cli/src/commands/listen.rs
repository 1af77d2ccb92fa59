//! `rogerrat listen`: one read of what is there.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CommandArgs, as_line, read, text};
use crate::outcome::{NOTHING_CAME, print, say};
use crate::receive::Gap;

const NAME: &str = "rogerrat listen";
/// The longest a `listen` may park; a `wait` may longer.
const LISTEN_SECONDS: u32 = 60;

/// What to read, and how.
#[derive(Args)]
#[command(
    after_help = "Ends with 0 when messages were printed, 3 when nothing came. Reading acknowledges; what must not \
                        be lost is read with `rogerrat wait`, or with --ack manual and `rogerrat ack`."
)]
pub struct ListenArgs {
    #[command(flatten)]
    talk: CommandArgs,
    /// Wait so long for something to come, at most 300
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=300))]
    wait: u32,
    /// Whether reading acknowledges, or `rogerrat ack` does
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = ["auto", "manual"])]
    ack: String,
    /// Messages at most
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100))]
    max: Option<u32>,
    /// Read with a cursor of this name
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Read above this message instead of the cursor
    #[arg(long, value_name = "ID")]
    since: Option<u64>,
}

#[derive(Deserialize)]
struct Heard {
    messages: Vec<Box<RawValue>>,
    gap: Option<Gap>,
    #[serde(default)]
    superseded: bool,
    #[serde(default)]
    draining: bool,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

pub(crate) fn run(args: &ListenArgs) -> ExitCode {
    let place = args.talk.seat().and_then(|place| place.with_consumer(args.consumer.as_ref()));
    super::at(NAME, place, |target| listen(args, target.client()))
}

async fn listen(args: &ListenArgs, mut link: ChannelClient) -> Result<ExitCode, ClientError> {
    let what = if args.wait > LISTEN_SECONDS { "wait" } else { "listen" };
    let mut path = format!("{what}?timeout={}&ack={}", args.wait, args.ack);
    let said = [
        ("max", args.max.map(|max| max.to_string())),
        ("consumer", args.consumer.clone()),
        ("since", args.since.map(|since| since.to_string())),
    ];
    for (key, value) in said {
        path.extend(value.map(|value| format!("&{key}={value}")));
    }
    let reply = link.call_seated("GET", &path, None, Duration::from_secs(args.wait.into())).await?;
    let heard: Heard = read(&reply)?;
    match args.talk.json {
        true => print(&as_line(&reply))?,
        false => print(&text::lines(&heard.messages))?,
    }
    if let Some(gap) = &heard.gap {
        say(NAME, &gap.to_string());
    }
    let Some(last) = heard.messages.last() else {
        return match (heard.superseded, heard.draining) {
            (true, _) => Err(ClientError::Superseded),
            (_, true) => Err(ClientError::Refused("the hub is going down; try again in a few seconds".into())),
            _ => Ok(ExitCode::from(NOTHING_CAME)),
        };
    };
    if args.ack == "manual" && !args.talk.json {
        let Id { id } = read(last.get().as_bytes())?;
        let consumer = args.consumer.as_ref().map_or(String::new(), |name| format!(" --consumer {name}"));
        say(NAME, &format!("when they are safe: rogerrat ack {id}{consumer}"));
    }
    Ok(ExitCode::SUCCESS)
}
