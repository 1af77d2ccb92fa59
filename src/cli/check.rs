//! `rogerrat check`: prints the effective configuration with the origin of each value, or all errors.
//!
//! It masks secrets and starts nothing. If a database is configured, it connects to it, checks it as `serve` does, and tests
//! whether the hubs on it can be reached. With `--mail-to` it also sends a test e-mail.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use rogerrat_domain::text::one_line;

use super::serve::ServeArgs;
use crate::config::{Config, EffectiveValue, Email};

/// Flags of `check`.
#[derive(Args, Default)]
pub(crate) struct CheckArgs {
    /// The flags of `serve`.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Send a test e-mail to this address with the configuration of `email`, and report the mail server's answer
    #[arg(long, value_name = "ADDRESS")]
    mail_to: Option<String>,
}

/// Prints the configuration that `serve` would use with the same flags, and sends a test e-mail if asked to.
pub(crate) fn run(args: CheckArgs) -> ExitCode {
    let CheckArgs { serve, mail_to } = args;
    let effective = match serve.read() {
        Ok(effective) => effective,
        Err(errors) => return super::print_config_errors(&errors),
    };
    if print(&effective.values, &mut io::stdout().lock()).is_err() {
        return ExitCode::FAILURE;
    }
    if let Err(error) = check_database(&effective.config) {
        let _ = writeln!(io::stderr().lock(), "rogerrat: {}", one_line(&error));
        return ExitCode::FAILURE;
    }
    match mail_to.map(|address| send_test(&effective.config.email, &address)) {
        None => ExitCode::SUCCESS,
        Some(Ok(())) => {
            let _ = writeln!(io::stdout().lock(), "# the mail server accepted a test e-mail");
            ExitCode::SUCCESS
        }
        Some(Err(error)) => {
            let _ = writeln!(io::stderr().lock(), "rogerrat: the test e-mail was not sent: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// How long another hub may take to accept a connection.
#[cfg(feature = "postgres")]
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);

/// Connects to the database, if one is configured, checks it as `serve` does, and prints what it found.
#[cfg(feature = "postgres")]
fn check_database(config: &Config) -> Result<(), String> {
    let Some(options) = crate::startup::postgres(config, config.cluster.listen) else { return Ok(()) };
    let key = rogerrat_store::existing_hub_key(&config.storage.data_dir).map_err(|error| crate::chain(&error))?;
    let report = rogerrat_store::PostgresStore::check(&options, key.as_ref()).map_err(|error| crate::chain(&error))?;
    let mut lines = database_lines(&report);
    lines.extend(report.hubs.iter().map(|hub| hub_line(hub, config.cluster.listen.is_some())));
    lines.push("the database can be used".to_owned());
    let mut out = io::stdout().lock();
    for line in lines {
        let _ = writeln!(out, "# {}", one_line(&line));
    }
    Ok(())
}

/// What was found of a database.
#[cfg(feature = "postgres")]
fn database_lines(report: &rogerrat_store::DatabaseReport) -> Vec<String> {
    let rogerrat_store::DatabaseReport { server, user, warnings, schema, known_schema, .. } = report;
    let mut lines = vec![format!("database: PostgreSQL {server}, as the user {user}")];
    lines.push(match schema {
        None => "the database has no tables yet; `rogerrat serve` creates them".to_owned(),
        Some(schema) if schema < known_schema => {
            format!("the database has schema {schema}; `rogerrat serve` migrates it to {known_schema}")
        }
        Some(schema) => format!("the database has schema {schema}, that of this version"),
    });
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// Whether a hub that runs on the database can be reached.
#[cfg(feature = "postgres")]
fn hub_line(hub: &rogerrat_store::RunningHub, is_listening: bool) -> String {
    let (id, url) = (hub.id, one_line(&hub.url));
    if url.is_empty() {
        return format!(
            "warning: hub {id} runs without cluster.listen; no other hub starts on the database until it stops"
        );
    }
    let address = url::Url::parse(&url).ok().and_then(|url| url.socket_addrs(|| None).ok()?.into_iter().next());
    let Some(address) = address else {
        return format!("warning: the address of hub {id}, {url}, cannot be resolved; correct its cluster.url");
    };
    match std::net::TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
        Ok(_) if is_listening => format!("hub {id} at {url} can be reached"),
        Ok(_) => format!("warning: hub {id} runs on the database; set cluster.listen here, or stop it first"),
        Err(error) => format!(
            "warning: hub {id} at {url} cannot be reached ({error}); check its cluster.url, and the firewall between the hubs"
        ),
    }
}

#[cfg(not(feature = "postgres"))]
fn check_database(_: &Config) -> Result<(), String> {
    Ok(())
}

fn send_test(email: &Email, address: &str) -> Result<(), String> {
    let settings = email.settings.as_ref().ok_or("no mail server is configured; set email.smtp and email.from")?;
    rogerrat_mail_sender::send_test(settings, address).map_err(|error| error.to_string())
}

fn print(values: &[EffectiveValue], out: &mut impl Write) -> io::Result<()> {
    for value in values {
        writeln!(out, "{value}")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CommandLine, EffectiveConfig, Environment};

    #[test]
    fn every_key_is_printed_with_its_origin_and_the_token_is_masked() {
        let variables = vec![
            ("HOME".into(), "/home/ann".into()),
            ("ROGERRAT_SERVER__TOKEN".into(), "correct-horse-battery".into()),
        ];
        let environment = Environment { variables, cores: 2, generate_token: String::new };
        let effective = EffectiveConfig::read(&CommandLine::default(), &environment).unwrap();
        let mut printed = Vec::new();
        print(&effective.values, &mut printed).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.contains("server.port = 7424   # default\n"), "{printed}");
        assert!(printed.contains("server.token = (set)   # env ROGERRAT_SERVER__TOKEN\n"), "{printed}");
        assert!(printed.contains("storage.data_dir = \"/home/ann/.rogerrat\"   # default\n"), "{printed}");
        assert!(!printed.contains("correct-horse"), "{printed}");
        assert!(printed.lines().all(|line| line.contains(" = ") && line.contains("   # ")), "{printed}");
    }
}
