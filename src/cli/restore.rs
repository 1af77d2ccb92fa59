//! `rogerrat restore`: restores a backup into an empty data directory. It never overwrites existing data.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::storage::StorageArgs;

/// Arguments of `rogerrat restore`.
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// Directory that `rogerrat backup` wrote
    #[arg(value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    storage: StorageArgs,
}

/// Verifies the backup, copies it, and prints the row counts of the copy.
pub(crate) fn run(args: RestoreArgs) -> ExitCode {
    let RestoreArgs { from, storage } = args;
    storage.run(
        |data_dir| rogerrat_store::restore(&from, &data_dir),
        |report| format!("{} is complete; a hub can be started on it", report.path.display()),
    )
}
