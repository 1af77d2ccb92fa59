//! `rogerrat restore`: brings a backup back to where no hub is. It never writes over one.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::storage::StorageArgs;

/// What to bring back, and where to.
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// The folder that `rogerrat backup` made
    #[arg(value_name = "FOLDER")]
    from: PathBuf,
    #[command(flatten)]
    storage: StorageArgs,
}

/// Reads the backup, copies it, and prints what is there then.
pub(crate) fn run(args: RestoreArgs) -> ExitCode {
    let RestoreArgs { from, storage } = args;
    storage.run(
        |data_dir| rogerrat_store::restore(&from, &data_dir),
        |census| format!("{} is whole; a hub can start on it", census.path.display()),
    )
}
