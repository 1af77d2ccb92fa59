//! `rogerrat leave`: gives the place back. The callsign stays remembered, for who comes again.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::ClientError;

use super::{AT_ONCE, CommandArgs};
use crate::outcome::say;
use crate::target::{ProfileStore, Profiles, ResolvedTarget};

const NAME: &str = "rogerrat leave";

/// From where.
#[derive(Args)]
pub struct LeaveArgs {
    #[command(flatten)]
    talk: CommandArgs,
}

pub(crate) fn run(args: &LeaveArgs) -> ExitCode {
    super::at(NAME, args.talk.seat(), |target| leave(args, target))
}

async fn leave(args: &LeaveArgs, resolved: ResolvedTarget) -> Result<ExitCode, ClientError> {
    let mut link = resolved.client();
    let reply = link.call("POST", "leave", None, AT_ONCE).await?;
    let place = link.target();
    if let (Some(name), Some(shelf)) = (&resolved.profile, ProfileStore::here()) {
        let forget = |book: &mut Profiles| {
            if let Some(profile) = book.profiles.get_mut(name).filter(|profile| profile.session == place.session) {
                profile.session = None;
            }
        };
        if let Err(why) = shelf.change(forget) {
            say(NAME, &why);
        }
    }
    let channel = place.channel.clone();
    args.talk.tell(&reply, |_: serde_json::Value| format!("you have left {channel}\n"))?;
    Ok(ExitCode::SUCCESS)
}
