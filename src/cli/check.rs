//! `rogerrat check`: prints the effective configuration with the origin of each value, or all errors.
//!
//! It masks secrets and starts nothing.

use std::io::{self, Write};
use std::process::ExitCode;

use super::serve::ServeArgs;
use crate::config::EffectiveValue;

/// Prints the configuration that `serve` would use with the same flags.
pub(crate) fn run(args: ServeArgs) -> ExitCode {
    match args.read() {
        Ok(effective) => match print(&effective.values, &mut io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(errors) => super::print_config_errors(&errors),
    }
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
