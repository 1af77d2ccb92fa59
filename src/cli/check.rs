//! `rogerrat check`: the effective configuration, line by line with its origin, or all its faults.
//!
//! It never shows the token and starts nothing.

use std::io::{self, Write};
use std::process::ExitCode;

use super::serve::ServeArgs;
use crate::config::Line;

/// Prints what `serve` with the same flags would run with.
pub(crate) fn run(args: ServeArgs) -> ExitCode {
    match args.read() {
        Ok(effective) => match print(&effective.lines, &mut io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(faults) => super::refuse(&faults),
    }
}

fn print(lines: &[Line], to: &mut impl Write) -> io::Result<()> {
    for line in lines {
        writeln!(to, "{line}")?;
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Effective, Said, Surroundings};

    #[test]
    fn every_key_is_a_line_with_its_origin_and_the_token_is_not_shown() {
        let env = vec![
            ("HOME".into(), "/home/ann".into()),
            ("ROGERRAT_SERVER__TOKEN".into(), "correct-horse-battery".into()),
        ];
        let surroundings = Surroundings { env, cores: 2, mint: String::new };
        let effective = Effective::read(&Said::default(), &surroundings).unwrap();
        let mut printed = Vec::new();
        print(&effective.lines, &mut printed).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.contains("server.port = 7424   # default\n"), "{printed}");
        assert!(printed.contains("server.token = (set)   # env ROGERRAT_SERVER__TOKEN\n"), "{printed}");
        assert!(printed.contains("storage.data_dir = \"/home/ann/.rogerrat\"   # default\n"), "{printed}");
        assert!(!printed.contains("correct-horse"), "{printed}");
        assert!(printed.lines().all(|line| line.contains(" = ") && line.contains("   # ")), "{printed}");
    }
}
