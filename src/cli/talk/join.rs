//! `rogerrat join`: takes a place on a channel and remembers it.

use super::remember::remember;
use super::{TalkArgs, as_line, read, text};
use crate::cli::link::{Link, Trouble};
use crate::cli::outcome::{print, say};
use crate::cli::place::{Place, Profile, SeatArgs, Shelf};
use clap::Args;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use std::process::ExitCode;

const NAME: &str = "rogerrat join";

/// Where to join, and as whom.
#[derive(Args)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    talk: TalkArgs,
    #[command(flatten)]
    seat: SeatArgs,
}

#[derive(Deserialize)]
struct Joined {
    callsign: String,
    idx: u64,
    roster: Vec<String>,
    instructions: String,
    #[serde(default)]
    unread: u64,
    collision_warning: Option<String>,
}

pub(crate) fn run(args: &JoinArgs) -> ExitCode {
    super::at(NAME, args.talk.place.read(&args.seat), |link| join(args, link))
}

async fn join(args: &JoinArgs, mut link: Link) -> Result<ExitCode, Trouble> {
    let reply = link.join().await?;
    let place = link.place();
    let wanted = place.wanted_profile.as_deref();
    let name = Shelf::here().map(|_| remember(NAME, wanted, place.profile.as_deref(), kept(place)));
    let name = name.transpose().unwrap_or_else(|why| {
        say(NAME, &why);
        None
    });
    if args.talk.json {
        print(&as_line(&reply))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Joined { callsign, idx, roster, instructions, unread, collision_warning } = read(&reply)?;
    let profile = name.map_or(String::new(), |name| format!(", remembered as profile {name}"));
    let mut told = format!(
        "you are {} (#{idx}) on {}{profile}\nhere: {}{}\n",
        one_line(&callsign),
        place.channel,
        text::list(&roster),
        text::unread(unread)
    );
    for words in collision_warning.iter().chain([&instructions]) {
        told.push_str(&one_line(words));
        told.push('\n');
    }
    print(&told)?;
    Ok(ExitCode::SUCCESS)
}

/// What is to be remembered of a place.
pub(in crate::cli) fn kept(place: &Place) -> Profile {
    Profile {
        origin: place.hub.origin.clone(),
        ca_file: place.ca_file.clone(),
        channel: place.channel.clone(),
        token: place.token.clone(),
        session: place.session.clone(),
        callsign: place.callsign.clone(),
        owner_password: place.owner_password.clone(),
        is_identity: place.is_identity || place.identity_key.is_some(),
        ..Profile::default()
    }
}
