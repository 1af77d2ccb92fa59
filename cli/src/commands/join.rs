//! `rogerrat join`: takes a place on a channel and remembers it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ChannelTarget, ClientError};
use rogerrat_domain::text::one_line;
use serde::Deserialize;

use super::remember::remember;
use super::{CommandArgs, as_line, read, text};
use crate::outcome::{print, say};
use crate::target::{IdentityArgs, Profile, ProfileStore, ResolvedTarget};

const NAME: &str = "rogerrat join";

/// Where to join, and as whom.
#[derive(Args)]
pub struct JoinArgs {
    #[command(flatten)]
    talk: CommandArgs,
    #[command(flatten)]
    seat: IdentityArgs,
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
    super::at(NAME, args.talk.place.read(&args.seat), |target| join(args, target))
}

async fn join(args: &JoinArgs, resolved: ResolvedTarget) -> Result<ExitCode, ClientError> {
    let mut link = resolved.client();
    let reply = link.join().await?;
    let place = link.target();
    let wanted = resolved.wanted_profile.as_deref();
    let profile = kept(place, resolved.ca_file.as_ref());
    let name = ProfileStore::here().map(|_| remember(NAME, wanted, resolved.profile.as_deref(), profile));
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
pub(crate) fn kept(place: &ChannelTarget, ca_file: Option<&PathBuf>) -> Profile {
    Profile {
        origin: place.hub.origin.clone(),
        ca_file: ca_file.cloned(),
        channel: place.channel.clone(),
        token: place.token.clone(),
        session: place.session.clone(),
        callsign: place.callsign.clone(),
        owner_password: place.owner_password.clone(),
        is_identity: place.is_identity || place.identity_key.is_some(),
        ..Profile::default()
    }
}
