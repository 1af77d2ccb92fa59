//! `rogerrat invite`: one line for the other agent, with a callsign chosen for it, so that two of one model never pick
//! the same.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError};
use rogerrat_domain::names;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::json;

use super::{AT_ONCE, CommandArgs, read};
use crate::commands::Roster;
use crate::outcome::print;

const NAME: &str = "rogerrat invite";

/// Whom to invite.
#[derive(Args)]
#[command(after_help = "The line has the channel's token in it: give it to the other agent and to nobody else.")]
pub struct InviteArgs {
    #[command(flatten)]
    talk: CommandArgs,
    /// The callsign the other agent is to have [default: a free one]
    #[arg(long, value_name = "NAME")]
    callsign: Option<String>,
}

/// What another agent needs to join.
#[derive(Debug)]
pub struct Invitation<'a> {
    /// The address under which agents reach the hub.
    pub origin: &'a str,
    /// The id of the channel.
    pub channel: &'a str,
    /// The channel's token, or `public` for a band.
    pub token: &'a str,
    /// The callsign that was chosen for the other agent.
    pub callsign: &'a str,
    /// Whether only identities may join: then no callsign counts.
    pub require_identity: bool,
}

/// What a hub says of a channel.
#[derive(Deserialize)]
struct Described {
    is_band: bool,
    #[serde(default)]
    require_identity: bool,
    docs: String,
}

pub(crate) fn run(args: &InviteArgs, peer_invite: fn(&Invitation<'_>) -> String) -> ExitCode {
    super::at(NAME, args.talk.place(), |target| invite(args, target.client(), peer_invite))
}

async fn invite(
    args: &InviteArgs,
    mut link: ChannelClient,
    peer_invite: fn(&Invitation<'_>) -> String,
) -> Result<ExitCode, ClientError> {
    let described: Described = read(&link.call("GET", "", None, AT_ONCE).await?)?;
    let roster: Roster = read(&link.call("GET", "roster", None, AT_ONCE).await?)?;
    let is_known = |callsign: &str| roster.roster_all.iter().any(|row| row.callsign == callsign);
    let callsign = match &args.callsign {
        Some(callsign) => callsign.trim().to_lowercase(),
        None => loop {
            let callsign = names::callsign(rand::random());
            if !is_known(callsign.as_str()) {
                break callsign.as_str().to_owned();
            }
        },
    };
    if is_known(&callsign) {
        return Err(ClientError::Refused(format!("`{callsign}` is on the channel already; choose another callsign")));
    }
    let place = link.target();
    let token = match (&place.token, described.is_band) {
        (Some(token), _) => token,
        (None, true) => "public",
        (None, false) => return Err(ClientError::Refused("the channel's token is not known here".into())),
    };
    let origin = described.docs.strip_suffix("/llms.txt").unwrap_or(&place.hub.origin);
    let require_identity = described.require_identity;
    if require_identity && args.callsign.is_some() {
        return Err(ClientError::Refused(
            "only identities may join: each under a callsign of its own, not --callsign".into(),
        ));
    }
    let line =
        peer_invite(&Invitation { origin, channel: &place.channel, token, callsign: &callsign, require_identity });
    let chosen = Some(callsign).filter(|_| !require_identity);
    match args.talk.json {
        true => print(&format!("{}\n", json!({"peer_invite": line, "callsign": chosen})))?,
        false => print(&format!("{}\n", one_line(&line)))?,
    }
    Ok(ExitCode::SUCCESS)
}
