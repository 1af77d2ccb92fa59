//! `rogerrat history`: the last messages. It marks nothing as read.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AT_ONCE, CommandArgs, text};

const NAME: &str = "rogerrat history";

/// How much of it.
#[derive(Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    talk: CommandArgs,
    /// So many messages, at most 100
    #[arg(short, value_name = "COUNT", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=100))]
    n: u32,
    /// Only those of this conversation
    #[arg(long, value_name = "NAME")]
    thread: Option<String>,
}

#[derive(Deserialize)]
struct History {
    history: Vec<Box<RawValue>>,
}

pub(crate) fn run(args: &HistoryArgs) -> ExitCode {
    super::at(NAME, args.talk.place(), |target| history(args, target.client()))
}

async fn history(args: &HistoryArgs, mut link: ChannelClient) -> Result<ExitCode, ClientError> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("n", &args.n.to_string());
    if let Some(thread) = &args.thread {
        query.append_pair("thread", thread);
    }
    let reply = link.call("GET", &format!("history?{}", query.finish()), None, AT_ONCE).await?;
    args.talk.tell(&reply, |History { history }| text::lines(&history))?;
    Ok(ExitCode::SUCCESS)
}
