//! `rogerrat invite`: prints one line for another agent. It contains a callsign, so that two agents of the same model
//! do not choose the same one.

use std::process::ExitCode;

use clap::Args;
use rogerrat_domain::names;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::json;

use super::{RequestArgs, run_on};
use crate::outcome::{CommandError, print};
use crate::target::ResolvedTarget;

const NAME: &str = "rogerrat invite";

/// The invited agent.
#[derive(Args)]
#[command(after_help = "The line contains the channel's token: give it to the other agent only.")]
pub struct InviteArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Callsign for the other agent [default: a free one]
    #[arg(long, value_name = "NAME")]
    callsign: Option<String>,
}

/// What another agent needs to join a channel.
#[derive(Debug)]
pub struct Invitation<'a> {
    /// The address under which agents reach the hub.
    pub origin: &'a str,
    /// Id of the channel.
    pub channel: &'a str,
    /// Token of the channel, or `public` for a band.
    pub token: &'a str,
    /// Callsign for the other agent.
    pub callsign: &'a str,
    /// Whether only identities may join. Then the callsign is not used.
    pub require_identity: bool,
}

/// The hub's description of a channel.
#[derive(Deserialize)]
struct ChannelInfo {
    is_band: bool,
    #[serde(default)]
    require_identity: bool,
    docs: String,
}

pub(crate) fn run(args: &InviteArgs, peer_invite: fn(&Invitation<'_>) -> String) -> ExitCode {
    run_on(NAME, args.request.resolve(), |target| invite(args, target, peer_invite))
}

async fn invite(
    args: &InviteArgs,
    target: ResolvedTarget,
    peer_invite: fn(&Invitation<'_>) -> String,
) -> Result<ExitCode, CommandError> {
    let fail = |message: String| Err(CommandError::Local(message));
    let mut client = target.client();
    let info = client.get::<ChannelInfo>("").await?;
    let roster = client.roster().await?;
    let is_used = |callsign: &str| roster.roster_all.iter().any(|member| member.callsign == callsign);
    let callsign = match &args.callsign {
        Some(callsign) => callsign.trim().to_lowercase(),
        None => loop {
            let callsign = names::callsign(rand::random());
            if !is_used(callsign.as_str()) {
                break callsign.as_str().to_owned();
            }
        },
    };
    if is_used(&callsign) {
        return fail(format!("`{callsign}` is already used on the channel; choose another callsign"));
    }
    let target = client.target();
    let token = match (&target.token, info.is_band) {
        (Some(token), _) => token,
        (None, true) => "public",
        (None, false) => return fail("the channel's token is not known; give --token".into()),
    };
    let origin = info.docs.strip_suffix("/llms.txt").unwrap_or(target.hub.origin());
    let require_identity = info.require_identity;
    if require_identity && args.callsign.is_some() {
        return fail("only identities may join this channel, under their own callsigns: leave out --callsign".into());
    }
    let line =
        peer_invite(&Invitation { origin, channel: &target.channel, token, callsign: &callsign, require_identity });
    let callsign = Some(callsign).filter(|_| !require_identity);
    match args.request.json {
        true => print(&format!("{}\n", json!({"peer_invite": line, "callsign": callsign})))?,
        false => print(&format!("{}\n", one_line(&line)))?,
    }
    Ok(ExitCode::SUCCESS)
}
