//! The common part of `backup`, `restore`, `verify` and `import`: selecting the data directory and the database, and printing the
//! report.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_store::{StoreError, VerifyReport};

use crate::config::{CommandLine, Config, EffectiveConfig, Environment, Flag, Value};

/// What `backup` and `restore` say about a hub on PostgreSQL.
const IN_DATABASE: &str = "the data of this hub is in PostgreSQL (database.url): back it up and restore it with pg_dump and \
    pg_restore, or with the backups of your provider, and copy hub.key from the data directory, without which the \
    database is unusable";
/// What `import` says without a database.
const NO_DATABASE: &str = "no database is configured to import into: set ROGERRAT_DATABASE__URL or database.url";

/// Selects the data directory.
#[derive(Args)]
pub(crate) struct StorageArgs {
    /// Data directory [default: ~/.rogerrat]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Configuration file; environment variables and flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl StorageArgs {
    /// Runs `work` with the data directory and prints the report below the line that `headline` returns.
    pub(super) fn run(
        self,
        work: impl FnOnce(PathBuf) -> Result<VerifyReport, StoreError>,
        headline: impl FnOnce(&VerifyReport) -> String,
    ) -> ExitCode {
        self.run_with(
            |config| match &config.database.url {
                Some(_) => Err(IN_DATABASE.into()),
                None => work(config.storage.data_dir.clone()).map_err(|error| crate::chain(&error)),
            },
            headline,
        )
    }

    /// As [`run`](Self::run), with the configuration and a work that may use its database.
    pub(super) fn run_with(
        self,
        work: impl FnOnce(&Config) -> Result<VerifyReport, String>,
        headline: impl FnOnce(&VerifyReport) -> String,
    ) -> ExitCode {
        let value = |directory| Flag { key: "storage.data_dir", name: "--data-dir", value: Value::Text(directory) };
        let flags = self.data_dir.map(value).into_iter().collect();
        let command_line = CommandLine { file: self.config, flags, ..CommandLine::default() };
        let config = match EffectiveConfig::read(&command_line, &Environment::current()) {
            Ok(effective) => effective.config,
            Err(errors) => return super::print_config_errors(&errors),
        };
        let result = work(&config).and_then(|report| {
            let printed = print(&headline(&report), &report, &mut io::stdout().lock());
            printed.map_err(|error| crate::chain(&error as &dyn Error))
        });
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // If stderr is closed, the exit code still reports the failure.
                let _ = writeln!(io::stderr().lock(), "rogerrat: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Verifies the data of a hub, in its data directory or in its database.
pub(super) fn verify(config: &Config) -> Result<VerifyReport, String> {
    #[cfg(feature = "postgres")]
    if let Some(options) = crate::startup::postgres(config, None) {
        let data_dir = &config.storage.data_dir;
        let key = rogerrat_store::existing_hub_key(data_dir).map_err(|error| crate::chain(&error))?;
        let key = key
            .ok_or_else(|| format!("{} has no hub.key, which is needed to decrypt the database", data_dir.display()))?;
        return rogerrat_store::verify_database(&options, &key).map_err(|error| crate::chain(&error));
    }
    rogerrat_store::verify(&config.storage.data_dir).map_err(|error| crate::chain(&error))
}

/// Imports the data directory into the database.
#[cfg(feature = "postgres")]
pub(super) fn import(config: &Config) -> Result<VerifyReport, String> {
    let options = crate::startup::postgres(config, None).ok_or(NO_DATABASE)?;
    rogerrat_store::import(&config.storage.data_dir, &options).map_err(|error| crate::chain(&error))
}

/// Imports nothing: without the feature the configuration cannot name a database.
#[cfg(not(feature = "postgres"))]
pub(super) fn import(_: &Config) -> Result<VerifyReport, String> {
    Err(NO_DATABASE.into())
}

fn print(headline: &str, report: &VerifyReport, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{headline}")?;
    let counts = [
        ("schema", report.schema as u64),
        ("bytes", report.bytes),
        ("channels", report.channels),
        ("messages", report.messages),
        ("records", report.records),
        ("snapshots", report.snapshots),
        ("transcript lines", report.transcript_lines),
        ("accounts", report.accounts),
        ("identities", report.identities),
        ("e-mail addresses", report.email_addresses),
        ("webhooks", report.webhooks),
        ("deliveries", report.deliveries),
    ];
    for (name, count) in counts {
        writeln!(out, "{name:<17}{count}")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_table() {
        let report = VerifyReport { schema: 1, channels: 3, messages: 1200, deliveries: 7, ..VerifyReport::default() };
        let mut printed = Vec::new();
        print("/tmp/hub.db is intact", &report, &mut printed).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.starts_with("/tmp/hub.db is intact\nschema           1\nbytes            0\n"), "{printed}");
        assert!(printed.ends_with("deliveries       7\n"), "{printed}");
        assert!(printed.contains("transcript lines 0\n") && printed.contains("messages         1200\n"), "{printed}");
    }
}
