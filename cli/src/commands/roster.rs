//! `rogerrat roster`: who is on the channel.

use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError};
use rogerrat_domain::text::one_line;
use serde::Deserialize;

use super::{AT_ONCE, CommandArgs, text};

const NAME: &str = "rogerrat roster";

/// Of which channel.
#[derive(Args)]
pub struct RosterArgs {
    #[command(flatten)]
    talk: CommandArgs,
}

/// Who is there, and who is known.
#[derive(Deserialize)]
pub(crate) struct Roster {
    pub(crate) roster_all: Vec<Row>,
    #[serde(default)]
    unread: u64,
}

#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) callsign: String,
    online: bool,
    idx: Option<u64>,
}

impl Roster {
    /// One line for each member.
    pub(crate) fn lines(&self) -> String {
        let line = |row: &Row| {
            let idx = row.idx.map_or("-".to_owned(), |idx| format!("#{idx}"));
            let away = if row.online { "" } else { " (away)" };
            format!("{idx:>4} {}{away}\n", one_line(&row.callsign))
        };
        self.roster_all.iter().map(line).collect()
    }
}

pub(crate) fn run(args: &RosterArgs) -> ExitCode {
    super::at(NAME, args.talk.place(), |target| roster(args, target.client()))
}

async fn roster(args: &RosterArgs, mut link: ChannelClient) -> Result<ExitCode, ClientError> {
    let reply = link.call("GET", "roster", None, AT_ONCE).await?;
    args.talk.tell(&reply, |roster: Roster| match roster.roster_all.is_empty() {
        true => "nobody is here\n".to_owned(),
        false => roster.lines() + text::unread(roster.unread).trim_start_matches("; ") + end(roster.unread),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn end(unread: u64) -> &'static str {
    if unread > 0 { "\n" } else { "" }
}
