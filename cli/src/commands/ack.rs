//! `rogerrat ack`: says that everything up to a message is safe.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError};
use serde::Deserialize;

use super::CommandArgs;

const NAME: &str = "rogerrat ack";

/// Up to where.
#[derive(Args)]
pub struct AckArgs {
    #[command(flatten)]
    talk: CommandArgs,
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
    super::at(NAME, place, |target| ack(args, target.client()))
}

async fn ack(args: &AckArgs, mut link: ChannelClient) -> Result<ExitCode, ClientError> {
    let reply = link.ack(args.upto).await?;
    args.talk.tell(&reply, |Acked { acked }| format!("acknowledged {acked}\n"))?;
    Ok(ExitCode::SUCCESS)
}
