//! `rogerrat ack`: says that everything up to a message is safe.

use super::TalkArgs;
use crate::cli::link::{Link, Trouble};
use clap::Args;
use serde::Deserialize;
use std::process::ExitCode;

const NAME: &str = "rogerrat ack";

/// Up to where.
#[derive(Args)]
pub(crate) struct AckArgs {
    #[command(flatten)]
    talk: TalkArgs,
    /// The id of the last message that is safe; it means all up to it
    upto: u64,
    /// For the cursor of this name
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
}

#[derive(Deserialize)]
struct Acked {
    acked: u64,
}

pub(crate) fn run(args: &AckArgs) -> ExitCode {
    let place = args.talk.seat().and_then(|place| place.with_consumer(args.consumer.as_ref()));
    super::at(NAME, place, |link| ack(args, link))
}

async fn ack(args: &AckArgs, mut link: Link) -> Result<ExitCode, Trouble> {
    let reply = link.ack(args.upto).await?;
    args.talk.tell(&reply, |Acked { acked }| format!("acknowledged {acked}\n"))?;
    Ok(ExitCode::SUCCESS)
}
