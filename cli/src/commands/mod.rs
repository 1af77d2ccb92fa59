//! Commands that make one request each.
//!
//! They print the hub's reply as lines that no peer can forge or, with `--json`, as the hub sent it.

pub(crate) mod ack;
mod attachments;
pub(crate) mod create;
pub(crate) mod history;
pub(crate) mod invite;
pub(crate) mod join;
pub(crate) mod leave;
pub(crate) mod listen;
pub(crate) mod profile;
pub(crate) mod remote;
mod render;
pub(crate) mod roster;
mod save_profile;
pub(crate) mod send;
pub(crate) mod tasks;
pub(crate) mod transcript;

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::HubReply;

pub(crate) use ack::AckArgs;
pub(crate) use attachments::attachments;
pub(crate) use create::CreateArgs;
pub(crate) use history::HistoryArgs;
pub use invite::Invitation;
pub(crate) use invite::InviteArgs;
pub(crate) use join::JoinArgs;
pub(crate) use leave::LeaveArgs;
pub(crate) use listen::ListenArgs;
pub(crate) use profile::ProfileArgs;
pub(crate) use remote::RemoteArgs;
pub(crate) use roster::{RosterArgs, roster_lines};
pub(crate) use save_profile::{ProfileSlot, profile_of, save_profile};
pub(crate) use send::SendArgs;
pub(crate) use tasks::{AskArgs, FinishArgs, TakeArgs, TaskArgs, WorkArgs};
pub(crate) use transcript::TranscriptArgs;

use crate::outcome::{CommandError, block_on, print, usage_error};
use crate::receive::json_line;
use crate::target::{IdentityArgs, ProfileRule, ResolvedTarget, TargetArgs};

/// Flags of all commands that make one request.
#[derive(Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Print the hub's reply as one line of JSON
    #[arg(long)]
    json: bool,
}

impl RequestArgs {
    /// The target of a command that needs no session.
    fn resolve(&self) -> Result<ResolvedTarget, String> {
        self.target.resolve(&IdentityArgs::default(), ProfileRule::MustExist)
    }

    /// The target of a command for members.
    fn resolve_member(&self) -> Result<ResolvedTarget, String> {
        let resolved = self.resolve()?;
        match resolved.target.session.is_some() || resolved.target.identity_key.is_some() {
            true => Ok(resolved),
            false => Err("no identity given; run `rogerrat join` first, or set --session or ROGERRAT_SESSION".into()),
        }
    }

    /// Prints a reply as JSON, or as the lines `render` returns.
    fn print<T>(&self, reply: &HubReply<T>, render: impl FnOnce(&T) -> String) -> Result<(), CommandError> {
        match self.json {
            true => print(&reply_line(reply)),
            false => print(&render(reply)),
        }
    }
}

/// The JSON of a reply on one line.
fn reply_line<T>(reply: &HubReply<T>) -> String {
    json_line(&String::from_utf8_lossy(reply.json())) + "\n"
}

/// Runs a command on its target.
fn run_on<W: Future<Output = Result<ExitCode, CommandError>>>(
    name: &str,
    target: Result<ResolvedTarget, String>,
    command: impl FnOnce(ResolvedTarget) -> W,
) -> ExitCode {
    match target {
        Ok(target) => block_on(name, command(target)),
        Err(message) => usage_error(name, &message),
    }
}
