//! `rogerrat verify`: reads all a hub keeps and counts it. It changes nothing, and the hub may run.

use std::process::ExitCode;

use super::storage::StorageArgs;

/// Prints what there is, or the first thing that is not as it was written.
pub(crate) fn run(args: StorageArgs) -> ExitCode {
    args.run(
        |data_dir| rogerrat_store::verify(&data_dir),
        |census| {
            let in_use = if census.is_in_use { "; a hub runs on it" } else { "" };
            format!("{} is whole{in_use}", census.path.display())
        },
    )
}
