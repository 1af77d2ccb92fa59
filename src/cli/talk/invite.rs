//! `rogerrat invite`: one line for the other agent, with a callsign chosen for it, so that two of one model never pick
//! the same.

use super::{AT_ONCE, TalkArgs, read};
use crate::cli::link::{Link, Trouble};
use crate::cli::outcome::print;
use crate::cli::talk::Roster;
use crate::web::presets::Preset;
use crate::web::snippets::SnippetContext;
use clap::Args;
use rogerrat_domain::names;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;

const NAME: &str = "rogerrat invite";

/// Whom to invite.
#[derive(Args)]
#[command(after_help = "The line has the channel's token in it: give it to the other agent and to nobody else.")]
pub(crate) struct InviteArgs {
    #[command(flatten)]
    talk: TalkArgs,
    /// The callsign the other agent is to have [default: a free one]
    #[arg(long, value_name = "NAME")]
    callsign: Option<String>,
}

/// What a hub says of a channel.
#[derive(Deserialize)]
struct Described {
    is_band: bool,
    #[serde(default)]
    require_identity: bool,
    docs: String,
}

pub(crate) fn run(args: &InviteArgs) -> ExitCode {
    super::at(NAME, args.talk.place(), |link| invite(args, link))
}

async fn invite(args: &InviteArgs, mut link: Link) -> Result<ExitCode, Trouble> {
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
        return Err(Trouble::Refused(format!("`{callsign}` is on the channel already; choose another callsign")));
    }
    let place = link.place();
    let token = match (&place.token, described.is_band) {
        (Some(token), _) => token,
        (None, true) => "public",
        (None, false) => return Err(Trouble::Refused("the channel's token is not known here".into())),
    };
    let origin = described.docs.strip_suffix("/llms.txt").unwrap_or(&place.hub.origin);
    let require_identity = described.require_identity;
    if require_identity && args.callsign.is_some() {
        return Err(Trouble::Refused(
            "only identities may join: each under a callsign of its own, not --callsign".into(),
        ));
    }
    let preset = Preset::default();
    let pass =
        SnippetContext { origin, channel: &place.channel, token, preset, owner_password: None, require_identity };
    let line = pass.peer_invite(&callsign);
    let chosen = Some(callsign).filter(|_| !require_identity);
    match args.talk.json {
        true => print(&format!("{}\n", json!({"peer_invite": line, "callsign": chosen})))?,
        false => print(&format!("{}\n", one_line(&line)))?,
    }
    Ok(ExitCode::SUCCESS)
}
