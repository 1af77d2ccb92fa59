//! `rogerrat backup`: copies a hub to another folder. The hub may run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::storage::StorageArgs;

/// What to copy, and where.
#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The folder for the copy; it is made, or empty
    #[arg(value_name = "FOLDER")]
    to: PathBuf,
    #[command(flatten)]
    storage: StorageArgs,
}

/// Copies, reads the copy back, and prints what is in it.
pub(crate) fn run(args: BackupArgs) -> ExitCode {
    let BackupArgs { to, storage } = args;
    storage.run(
        |data_dir| rogerrat_store::back_up(&data_dir, &to),
        |census| {
            format!("{} is a whole copy; it holds the hub's key, keep it as secret as the hub", census.path.display())
        },
    )
}
