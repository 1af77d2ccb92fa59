//! The hub from a shell: one call each, for an agent or a person who types.
//!
//! They say what the hub said, as lines nobody can forge or, with `--json`, as the hub's own reply.

pub(crate) mod ack;
mod attach;
pub(crate) mod create;
pub(crate) mod history;
pub(crate) mod invite;
pub(crate) mod join;
pub(crate) mod leave;
pub(crate) mod listen;
pub(crate) mod profile;
mod remember;
pub(crate) mod roster;
pub(crate) mod send;
mod text;
pub(crate) mod transcript;

use std::process::ExitCode;
use std::time::Duration;

pub(crate) use ack::AckArgs;
pub(crate) use attach::attachments;
use clap::Args;
pub(crate) use create::CreateArgs;
pub(crate) use history::HistoryArgs;
pub use invite::Invitation;
pub(crate) use invite::InviteArgs;
pub(crate) use join::{JoinArgs, kept};
pub(crate) use leave::LeaveArgs;
pub(crate) use listen::ListenArgs;
pub(crate) use profile::ProfileArgs;
pub(crate) use remember::{remember, slot};
use rogerrat_client::ClientError;
pub(crate) use roster::{Roster, RosterArgs};
pub(crate) use send::{SendArgs, post, random_key};
use serde::de::DeserializeOwned;
pub(crate) use transcript::TranscriptArgs;

use crate::outcome::{not_understood, on_one_thread, print};
use crate::receive::json_line;
use crate::target::{IdentityArgs, ResolvedTarget, TargetArgs};

/// What an immediate answer may take on top of the hub's patience.
pub(crate) const AT_ONCE: Duration = Duration::ZERO;

/// Where to talk, and how to say what came of it.
#[derive(Args)]
pub(crate) struct CommandArgs {
    #[command(flatten)]
    place: TargetArgs,
    /// Print the hub's reply: one JSON value on one line
    #[arg(long)]
    json: bool,
}

impl CommandArgs {
    /// For what anybody with the token may ask.
    fn place(&self) -> Result<ResolvedTarget, String> {
        self.place.read_known(&IdentityArgs::default())
    }

    /// For what only a member may do.
    fn seat(&self) -> Result<ResolvedTarget, String> {
        let place = self.place()?;
        match place.target.session.is_some() || place.target.identity_key.is_some() {
            true => Ok(place),
            false => Err("as whom? `rogerrat join` first, or give --session or ROGERRAT_SESSION".into()),
        }
    }

    /// Prints a reply as it came, or what `tell` makes of it.
    fn tell<T: DeserializeOwned>(&self, reply: &[u8], tell: impl FnOnce(T) -> String) -> Result<(), ClientError> {
        match self.json {
            true => print(&as_line(reply)),
            false => print(&tell(read(reply)?)),
        }
    }
}

/// Reads a reply.
pub(crate) fn read<T: DeserializeOwned>(reply: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(reply)
        .map_err(|error| ClientError::Refused(format!("a reply could not be understood: {error}")))
}

fn as_line(reply: &[u8]) -> String {
    json_line(&String::from_utf8_lossy(reply)) + "\n"
}

/// Does one thing at a target that was found.
fn at<W: Future<Output = Result<ExitCode, ClientError>>>(
    name: &str,
    target: Result<ResolvedTarget, String>,
    work: impl FnOnce(ResolvedTarget) -> W,
) -> ExitCode {
    match target {
        Ok(target) => on_one_thread(name, work(target)),
        Err(message) => not_understood(name, &message),
    }
}
