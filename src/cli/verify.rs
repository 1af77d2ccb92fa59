//! `rogerrat verify`: reads and checks all data of a hub, which may be running. It changes nothing.

use std::process::ExitCode;

use super::storage::{self, StorageArgs};

/// Prints the row counts, or the first corrupt row.
pub(crate) fn run(args: StorageArgs) -> ExitCode {
    args.run_with(storage::verify, |report| {
        let in_use = if report.is_in_use { "; a hub is running on it" } else { "" };
        format!("{} is intact{in_use}", report.path.display())
    })
}
