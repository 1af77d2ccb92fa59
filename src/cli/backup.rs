//! `rogerrat backup`: copies the data of a hub, which may be running, to another directory.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::storage::StorageArgs;

/// Arguments of `rogerrat backup`.
#[derive(Args)]
pub(crate) struct BackupArgs {
    /// Directory for the copy; created if missing, must be empty
    #[arg(value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    storage: StorageArgs,
}

/// Copies the data, verifies the copy, and prints its row counts.
pub(crate) fn run(args: BackupArgs) -> ExitCode {
    let BackupArgs { to, storage } = args;
    storage.run(
        |data_dir| rogerrat_store::back_up(&data_dir, &to),
        |report| {
            let path = report.path.display();
            format!("{path} is a complete copy; it contains the hub's key, so protect it like the hub itself")
        },
    )
}
