//! `rogerrat leave`: gives the place back. The callsign stays remembered, for who comes again.

use super::{AT_ONCE, TalkArgs};
use crate::cli::link::{Link, Trouble};
use crate::cli::outcome::say;
use crate::cli::place::Shelf;
use clap::Args;
use std::process::ExitCode;

const NAME: &str = "rogerrat leave";

/// From where.
#[derive(Args)]
pub(crate) struct LeaveArgs {
    #[command(flatten)]
    talk: TalkArgs,
}

pub(crate) fn run(args: &LeaveArgs) -> ExitCode {
    super::at(NAME, args.talk.seat(), |link| leave(args, link))
}

async fn leave(args: &LeaveArgs, mut link: Link) -> Result<ExitCode, Trouble> {
    let reply = link.call("POST", "leave", None, AT_ONCE).await?;
    let place = link.place();
    if let (Some(name), Some(shelf)) = (&place.profile, Shelf::here()) {
        let forget = |book: &mut crate::cli::place::Book| {
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
