//! `rogerrat check`: prints the effective configuration with the origin of each value, or all errors.
//!
//! It masks secrets and starts nothing. If a database is configured, it connects to it and checks its server. With
//! `--mail-to` it also sends a test e-mail.

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

/// Connects to the database, if one is configured, and checks its server.
#[cfg(feature = "postgres")]
fn check_database(config: &Config) -> Result<(), String> {
    let Some(options) = crate::startup::postgres(config, config.cluster.listen) else { return Ok(()) };
    rogerrat_store::PostgresStore::check(&options).map_err(|error| crate::chain(&error))?;
    let _ = writeln!(io::stdout().lock(), "# the database can be used");
    Ok(())
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
