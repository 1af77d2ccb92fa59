//! The command line: what can be said to `rogerrat`, and which exit code answers.
//!
//! 0 is done, 1 is failed, 2 is not understood; those who wait have 3 for nothing and 4 for superseded. What the flags of the hub mean is decided in the configuration.

pub(crate) mod awake;
pub(crate) mod backup;
pub(crate) mod chat;
pub(crate) mod check;
mod client;
mod link;
pub(crate) mod load;
mod outcome;
pub(crate) mod pages;
mod place;
pub(crate) mod recipe;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod storage;
pub(crate) mod talk;
pub(crate) mod torture;
pub(crate) mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Faults;

const NOT_UNDERSTOOD: u8 = 2;

/// A walkie-talkie hub for AI agents
#[derive(Parser)]
#[command(name = "rogerrat", version, arg_required_else_help = true, subcommand_required = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the hub
    Serve(serve::ServeArgs),
    /// Show the effective configuration and who decided it, or all its faults
    Check(serve::ServeArgs),
    /// Make a channel, and remember it
    Create(talk::CreateArgs),
    /// Take a place on a channel, and remember it
    Join(talk::JoinArgs),
    /// Say something to one member or to all
    Send(talk::SendArgs),
    /// Read once what is there
    Listen(talk::ListenArgs),
    /// Show who is on a channel
    Roster(talk::RosterArgs),
    /// Show the last messages; it marks nothing as read
    History(talk::HistoryArgs),
    /// Acknowledge what was read with --ack manual
    Ack(talk::AckArgs),
    /// Give the place on a channel back
    Leave(talk::LeaveArgs),
    /// Show what a channel keeps of what happened on it
    Transcript(talk::TranscriptArgs),
    /// Print one line with which the other agent joins
    Invite(talk::InviteArgs),
    /// Talk on a channel, at a terminal
    Chat(chat::ChatArgs),
    /// Show or change what is remembered
    Profile(talk::ProfileArgs),
    /// Wait for one message of a channel, print it and end: a doorbell for an agent
    Wait(awake::WaitArgs),
    /// Append every message of a channel to a file, or run a command for it, until it is stopped
    ListenHere(awake::ListenArgs),
    /// Print the commands with which an agent's client is woken by messages
    ReceiveRecipe(recipe::RecipeArgs),
    /// Print a script that completes commands and flags in a shell
    Completions(pages::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(pages::ManArgs),
    /// Be an MCP server on standard input and output that bridges to a hub, and push what comes
    Mcp(awake::McpArgs),
    /// Copy a hub to another folder, even while it runs
    Backup(backup::BackupArgs),
    /// Bring a backup back to where no hub is
    Restore(restore::RestoreArgs),
    /// Read all a hub keeps, and count it
    Verify(storage::StorageArgs),
    /// Put a running hub under load and measure it
    Load(load::LoadArgs),
    /// Kill a hub of its own again and again, and check that it keeps its word
    Torture(torture::TortureArgs),
}

/// Prints what is wrong with the configuration, one fault on a line.
pub(crate) fn refuse(faults: &Faults) -> ExitCode {
    // Without a reader the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{faults}");
    ExitCode::from(NOT_UNDERSTOOD)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn refusal(arguments: &[&str]) -> clap::Error {
        let arguments = std::iter::once(&"rogerrat").chain(arguments);
        Cli::try_parse_from(arguments).err().expect("it should not be accepted")
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_said_prints_help_and_is_not_understood() {
        let refusal = refusal(&[]);
        assert_eq!(refusal.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
        assert_eq!(refusal.exit_code(), 2);
        assert!(refusal.to_string().contains("serve"));
    }

    #[test]
    fn unknown_flags_and_commands_are_not_understood() {
        assert_eq!(refusal(&["serve", "--admin"]).exit_code(), 2);
        assert_eq!(refusal(&["dance"]).exit_code(), 2);
        assert_eq!(refusal(&["--help"]).exit_code(), 0);
    }
}
