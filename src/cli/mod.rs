//! The command line of `rogerrat`: its subcommands and exit codes.
//!
//! Exit code 0 is success, 1 failure, 2 a usage error; `wait` also uses 3 for a timeout and 4 for a superseded poll. The
//! flags of the hub are validated by the configuration. The client commands, `load` and `torture` are separate crates.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod import;
pub(crate) mod pages;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod storage;
pub(crate) mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ConfigErrors;

/// A walkie-talkie hub for AI agents
#[derive(Parser)]
#[command(name = "rogerrat", version, arg_required_else_help = true, subcommand_required = true)]
pub(crate) struct Cli {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the hub
    Serve(serve::ServeArgs),
    /// Print the effective configuration with the source of each value, or all errors
    Check(check::CheckArgs),
    #[command(flatten)]
    Client(rogerrat_cli::ClientSubcommand),
    /// Print a shell completion script
    Completions(pages::CompletionsArgs),
    /// Print the manual page, or write the pages of all commands to a directory
    Man(pages::ManArgs),
    /// Copy the data of a hub to another directory, even while it runs
    Backup(backup::BackupArgs),
    /// Restore a backup into an empty data directory
    Restore(restore::RestoreArgs),
    /// Copy a data directory into an empty PostgreSQL database, that of database.url
    Import(storage::StorageArgs),
    /// Check the integrity of a hub's data and count its rows
    Verify(storage::StorageArgs),
    /// Put a running hub under load and measure it
    Load(rogerrat_load::LoadArgs),
    /// Crash-test a hub: kill it repeatedly and verify that no acknowledged data is lost
    Torture(rogerrat_torture::TortureArgs),
}

/// Prints the errors of the configuration, one per line.
pub(crate) fn print_config_errors(errors: &ConfigErrors) -> ExitCode {
    // If stderr is closed, the exit code still reports the failure.
    let _ = writeln!(io::stderr().lock(), "{errors}");
    ExitCode::from(rogerrat_cli::outcome::USAGE_ERROR)
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
    fn the_command_definition_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_arguments_print_help_and_are_a_usage_error() {
        let refusal = refusal(&[]);
        assert_eq!(refusal.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
        assert_eq!(refusal.exit_code(), 2);
        assert!(refusal.to_string().contains("serve"));
    }

    #[test]
    fn unknown_flags_and_commands_are_usage_errors() {
        assert_eq!(refusal(&["serve", "--admin"]).exit_code(), 2);
        assert_eq!(refusal(&["dance"]).exit_code(), 2);
        assert_eq!(refusal(&["--help"]).exit_code(), 0);
    }
}
