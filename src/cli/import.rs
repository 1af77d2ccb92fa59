//! `rogerrat import`: copies a data directory into an empty PostgreSQL database. It does not change the data directory.

use std::process::ExitCode;

use super::storage::{self, StorageArgs};

/// Prints the row counts of the database.
pub(crate) fn run(args: StorageArgs) -> ExitCode {
    args.run_with(storage::import, |_| {
        "everything is in the database; start the hub with database.url, and do not start it on the data directory \
         without that again"
            .into()
    })
}
