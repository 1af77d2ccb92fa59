//! `rogerrat leave`: leaves a channel. The profile keeps the callsign for the next join.

use std::process::ExitCode;

use clap::Args;

use super::{RequestArgs, run_on};
use crate::outcome::{CommandError, report};
use crate::target::{ProfileStore, Profiles, ResolvedTarget};

const NAME: &str = "rogerrat leave";

/// Which channel to leave.
#[derive(Args)]
pub struct LeaveArgs {
    #[command(flatten)]
    request: RequestArgs,
}

pub(crate) fn run(args: &LeaveArgs) -> ExitCode {
    run_on(NAME, args.request.resolve_member(), |target| leave(args, target))
}

async fn leave(args: &LeaveArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let mut client = target.client();
    let reply = client.leave().await?;
    let left = client.target();
    if let (Some(name), Some(store)) = (&target.profile, ProfileStore::of_user()) {
        let remove_session = |profiles: &mut Profiles| {
            let profile = profiles.by_name.get_mut(name).filter(|profile| profile.session == left.session);
            if let Some(profile) = profile {
                profile.session = None;
            }
        };
        if let Err(message) = store.change(remove_session) {
            report(NAME, &message);
        }
    }
    args.request.print(&reply, |_| format!("left {}\n", left.channel))?;
    Ok(ExitCode::SUCCESS)
}
