//! `rogerrat join`: joins a channel and saves the session as a profile.

use std::process::ExitCode;

use clap::Args;
use rogerrat_domain::text::one_line;

use super::{RequestArgs, profile_of, render, reply_line, run_on, save_profile};
use crate::outcome::{CommandError, print, report};
use crate::target::{IdentityArgs, ProfileRule, ProfileStore, ResolvedTarget};

const NAME: &str = "rogerrat join";

/// Which channel to join, and as which member.
#[derive(Args)]
pub struct JoinArgs {
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Say to the other members what you do, at most 280 characters; an empty text removes it
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,
}

pub(crate) fn run(args: &JoinArgs) -> ExitCode {
    let target = args.request.target.resolve(&args.identity, ProfileRule::MayBeNew);
    run_on(NAME, target, |target| join(args, target))
}

async fn join(args: &JoinArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let mut client = target.client();
    let reply = client.join_saying(args.about.as_deref()).await?;
    let joined = client.target();
    let saved = ProfileStore::of_user().map(|_| {
        let profile = profile_of(joined, target.ca_file.as_ref());
        save_profile(NAME, target.requested_profile.as_deref(), target.profile.as_deref(), profile)
    });
    let saved = saved.transpose().unwrap_or_else(|message| {
        report(NAME, &message);
        None
    });
    if args.request.json {
        print(&reply_line(&reply))?;
        return Ok(ExitCode::SUCCESS);
    }
    let profile = saved.map_or(String::new(), |name| format!(", saved as profile {name}"));
    let mut text = format!(
        "you are {} (#{}) on {}{profile}\nmembers: {}{}\n",
        one_line(&reply.callsign),
        reply.idx,
        joined.channel,
        render::list(&reply.roster),
        render::unread(reply.unread)
    );
    for paragraph in reply.collision_warning.iter().chain([&reply.instructions]) {
        text.push_str(&one_line(paragraph));
        text.push('\n');
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
