//! `rogerrat roster`: lists the members of a channel.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{MemberList, RosterEntry};
use rogerrat_domain::text::one_line;

use super::{RequestArgs, render, run_on};
use crate::outcome::CommandError;
use crate::target::ResolvedTarget;

const NAME: &str = "rogerrat roster";

/// Which channel.
#[derive(Args)]
pub struct RosterArgs {
    #[command(flatten)]
    request: RequestArgs,
}

/// One line for each member.
pub(crate) fn roster_lines(roster: &MemberList) -> String {
    let line = |member: &RosterEntry| {
        let idx = member.idx.map_or("-".to_owned(), |idx| format!("#{idx}"));
        let away = if member.online { "" } else { " (away)" };
        format!("{idx:>4} {}{away}\n", one_line(&member.callsign))
    };
    roster.roster_all.iter().map(line).collect()
}

pub(crate) fn run(args: &RosterArgs) -> ExitCode {
    run_on(NAME, args.request.resolve(), |target| roster(args, target))
}

async fn roster(args: &RosterArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let reply = target.client().roster().await?;
    args.request.print(&reply, |roster| match (roster.roster_all.is_empty(), roster.unread) {
        (true, _) => "no members\n".to_owned(),
        (false, 0) => roster_lines(roster),
        (false, unread) => roster_lines(roster) + render::unread(unread).trim_start_matches("; ") + "\n",
    })?;
    Ok(ExitCode::SUCCESS)
}
