//! `rogerrat roster`: lists the members of a channel.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{MemberDetails, MemberList, RosterEntry};
use rogerrat_domain::text::{age, one_line, quoted};

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
        let known = roster.members.iter().find(|known| Some(known.idx) == member.idx);
        let details = known.map_or_else(String::new, details);
        format!("{idx:>4} {}{away}{details}\n", one_line(&member.callsign))
    };
    roster.roster_all.iter().map(line).collect()
}

/// What the hub knows of a member, and what it says of itself.
fn details(member: &MemberDetails) -> String {
    let MemberDetails { about, state, note, until, overdue, reads, unread, oldest_unread_seconds, holds, .. } = member;
    let state = state.as_ref().map(|state| render::state(state, note.as_deref(), *until, *overdue));
    let reads = reads.as_deref().map(|reads| if reads == "stream" { "reads a stream" } else { "waits on a poll" });
    let unread =
        oldest_unread_seconds.filter(|_| *unread > 0).map(|oldest| format!("{unread} unread, oldest {}", age(oldest)));
    let holds = match holds {
        0 => None,
        1 => Some("has 1 task".to_owned()),
        n => Some(format!("has {n} tasks")),
    };
    let about = about.as_ref().map(|about| format!("about {}", quoted(about)));
    let facts: Vec<_> = [state, reads.map(str::to_owned), unread, holds, about].into_iter().flatten().collect();
    if facts.is_empty() { String::new() } else { format!("  {}", facts.join("; ")) }
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
