//! The command line: what can be said to `rogerrat`, and which exit code answers.
//!
//! 0 is done, 1 is failed, 2 is not understood; those who wait have 3 for nothing and 4 for superseded. What the flags of the
//! hub mean is decided in the configuration; the client commands, `load` and `torture` are crates of their own.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod pages;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod storage;
pub(crate) mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Faults;

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
    #[command(flatten)]
    Client(rogerrat_cli::ClientCommand),
    /// Print a script that completes commands and flags in a shell
    Completions(pages::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(pages::ManArgs),
    /// Copy a hub to another folder, even while it runs
    Backup(backup::BackupArgs),
    /// Bring a backup back to where no hub is
    Restore(restore::RestoreArgs),
    /// Read all a hub keeps, and count it
    Verify(storage::StorageArgs),
    /// Put a running hub under load and measure it
    Load(rogerrat_load::LoadArgs),
    /// Kill a hub of its own again and again, and check that it keeps its word
    Torture(rogerrat_torture::TortureArgs),
}

/// Prints what is wrong with the configuration, one fault on a line.
pub(crate) fn refuse(faults: &Faults) -> ExitCode {
    // Without a reader the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{faults}");
    ExitCode::from(rogerrat_cli::outcome::NOT_UNDERSTOOD)
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
