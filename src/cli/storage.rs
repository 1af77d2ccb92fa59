//! What `backup`, `restore` and `verify` have in common: which folder is meant, and how they answer.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_store::{StoreError, VerifyReport};

use crate::config::{Effective, Flag, Said, Surroundings, Value};

/// Which hub is meant.
#[derive(Args)]
pub(crate) struct StorageArgs {
    /// Where the hub keeps its data [default: ~/.rogerrat]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Read this file; environment and flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl StorageArgs {
    /// Does something with the folder, and prints what `tell` says of what is there then.
    pub(super) fn run(
        self,
        work: impl FnOnce(PathBuf) -> Result<VerifyReport, StoreError>,
        tell: impl FnOnce(&VerifyReport) -> String,
    ) -> ExitCode {
        let value = |folder| Flag { key: "storage.data_dir", name: "--data-dir", value: Value::Text(folder) };
        let said = Said { file: self.config, flags: self.data_dir.map(value).into_iter().collect() };
        let data_dir = match Effective::read(&said, &Surroundings::here()) {
            Ok(effective) => effective.config.storage.data_dir,
            Err(faults) => return super::refuse(&faults),
        };
        let told = work(data_dir).map_err(|error| crate::chain(&error)).and_then(|census| {
            let written = print(&tell(&census), &census, &mut io::stdout().lock());
            written.map_err(|error| crate::chain(&error as &dyn Error))
        });
        match told {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                // Without a reader the exit code still tells.
                let _ = writeln!(io::stderr().lock(), "rogerrat: {why}");
                ExitCode::FAILURE
            }
        }
    }
}

fn print(headline: &str, census: &VerifyReport, to: &mut impl Write) -> io::Result<()> {
    writeln!(to, "{headline}")?;
    let counts = [
        ("schema", census.schema as u64),
        ("bytes", census.bytes),
        ("channels", census.channels),
        ("messages", census.messages),
        ("records", census.records),
        ("snapshots", census.snapshots),
        ("transcript lines", census.lines),
        ("accounts", census.accounts),
        ("identities", census.identities),
        ("webhooks", census.webhooks),
        ("deliveries", census.deliveries),
    ];
    for (what, count) in counts {
        writeln!(to, "{what:<17}{count}")?;
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_census_is_a_table() {
        let census = VerifyReport { schema: 1, channels: 3, messages: 1200, deliveries: 7, ..VerifyReport::default() };
        let mut printed = Vec::new();
        print("/tmp/hub.db is whole", &census, &mut printed).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.starts_with("/tmp/hub.db is whole\nschema           1\nbytes            0\n"), "{printed}");
        assert!(printed.ends_with("deliveries       7\n"), "{printed}");
        assert!(printed.contains("transcript lines 0\n") && printed.contains("messages         1200\n"), "{printed}");
    }
}
