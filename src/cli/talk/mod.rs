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

use super::awake::json_line;
use super::link::{Link, Trouble};
use super::outcome::{not_understood, on_one_thread, print};
use super::place::{Place, PlaceArgs, SeatArgs};
use clap::Args;
use serde::de::DeserializeOwned;
use std::process::ExitCode;
use std::time::Duration;

pub(crate) use ack::AckArgs;
pub(in crate::cli) use attach::attachments;
pub(crate) use create::CreateArgs;
pub(crate) use history::HistoryArgs;
pub(crate) use invite::InviteArgs;
pub(crate) use join::JoinArgs;
pub(in crate::cli) use join::kept;
pub(crate) use leave::LeaveArgs;
pub(crate) use listen::ListenArgs;
pub(crate) use profile::ProfileArgs;
pub(in crate::cli) use remember::{remember, slot};
pub(in crate::cli) use roster::Roster;
pub(crate) use roster::RosterArgs;
pub(crate) use send::SendArgs;
pub(in crate::cli) use send::{post, random_key};
pub(crate) use transcript::TranscriptArgs;

/// What an immediate answer may take on top of the hub's patience.
pub(in crate::cli) const AT_ONCE: Duration = Duration::ZERO;

/// Where to talk, and how to say what came of it.
#[derive(Args)]
pub(crate) struct TalkArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Print the hub's reply: one JSON value on one line
    #[arg(long)]
    json: bool,
}

impl TalkArgs {
    /// For what anybody with the token may ask.
    fn place(&self) -> Result<Place, String> {
        self.place.read_known(&SeatArgs::default())
    }

    /// For what only a member may do.
    fn seat(&self) -> Result<Place, String> {
        let place = self.place()?;
        match place.session.is_some() || place.identity_key.is_some() {
            true => Ok(place),
            false => Err("as whom? `rogerrat join` first, or give --session or ROGERRAT_SESSION".into()),
        }
    }

    /// Prints a reply as it came, or what `tell` makes of it.
    fn tell<T: DeserializeOwned>(&self, reply: &[u8], tell: impl FnOnce(T) -> String) -> Result<(), Trouble> {
        match self.json {
            true => print(&as_line(reply)),
            false => print(&tell(read(reply)?)),
        }
    }
}

/// Reads a reply.
pub(in crate::cli) fn read<T: DeserializeOwned>(reply: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(reply).map_err(|cause| Trouble::Refused(format!("a reply could not be understood: {cause}")))
}

fn as_line(reply: &[u8]) -> String {
    json_line(&String::from_utf8_lossy(reply)) + "\n"
}

/// Does one thing at a place that was found.
fn at<W: Future<Output = Result<ExitCode, Trouble>>>(
    name: &str,
    place: Result<Place, String>,
    work: impl FnOnce(Link) -> W,
) -> ExitCode {
    match place {
        Ok(place) => on_one_thread(name, work(Link::new(place))),
        Err(message) => not_understood(name, &message),
    }
}
