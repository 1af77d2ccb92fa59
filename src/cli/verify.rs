//! `rogerrat verify`: reads and checks all data of a hub, which may be running. It changes nothing.

use std::process::ExitCode;

use super::storage::StorageArgs;

/// Prints the row counts, or the first corrupt row.
pub(crate) fn run(args: StorageArgs) -> ExitCode {
    args.run(
        |data_dir| rogerrat_store::verify(&data_dir),
        |report| {
            let in_use = if report.is_in_use { "; a hub is running on it" } else { "" };
            format!("{} is intact{in_use}", report.path.display())
        },
    )
}
